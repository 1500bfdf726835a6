/* SPDX-License-Identifier: MIT */
#include "store/store.h"

#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "store/driver.h"
#include "store/folder.h"
#include "store/location.h"
#include "store/match.h"
#include "store/permission.h"

#include "base/banned.h"

static const struct store_driver *const drivers[] = {
	&maildir_driver,
	&mbox_driver,
};

struct store {
	struct arena *arena;
	struct store_settings settings;
	/* One for each namespace. */
	struct store_root **roots; /* NULL where the location cannot be */
	char *separators;
};

static const struct store_driver *
find_driver(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(drivers); i++)
		if (strcmp(drivers[i]->name, name) == 0)
			return drivers[i];
	return NULL;
}

static const char *
copy_text(struct arena *arena, const char *text)
{
	return text == NULL ? NULL : arena_text(arena, str_from(text));
}

static void
copy_settings(struct store *store, const struct store_settings *settings)
{
	static const struct store_namespace only = {
		.prefix = "", .has_inbox = true};
	struct store_settings *copy = &store->settings;
	struct store_namespace *namespaces;
	size_t i;

	*copy = *settings;
	if (copy->namespace_count == 0) {
		copy->namespaces = &only;
		copy->namespace_count = 1;
	}
	namespaces = ARENA_ARRAY(
		store->arena, struct store_namespace, copy->namespace_count);
	for (i = 0; i < copy->namespace_count; i++) {
		namespaces[i] = copy->namespaces[i];
		namespaces[i].prefix = arena_text(
			store->arena, str_from(namespaces[i].prefix));
		namespaces[i].location =
			copy_text(store->arena, namespaces[i].location);
	}
	copy->namespaces = namespaces;
	copy->location = copy_text(store->arena, copy->location);
	copy->home = copy_text(store->arena, copy->home);
}

static int
open_root(struct store *store, size_t namespace_index, struct err *err)
{
	const struct store_namespace *space =
		&store->settings.namespaces[namespace_index];
	struct store_root base = {
		.arena = store->arena, .settings = &store->settings};

	if (location_parse(store->arena,
		    space->location ? space->location
				    : store->settings.location,
		    store->settings.home, &base.location, err) < 0)
		return -1;
	base.driver = find_driver(base.location.driver);
	if (base.driver == NULL)
		return err_temp(err, "4.3.5",
			"mail_location: unknown driver \"%s\"; known are "
			"maildir and mbox",
			base.location.driver);
	if (!base.location.has_layout)
		base.location.layout = base.driver->layout;
	if (!base.location.has_subscriptions)
		base.location.subscriptions = base.driver->subscriptions;
	store->separators[namespace_index] =
		space->separator != 0 ? space->separator
				      : folder_separator(base.location.layout);
	return base.driver->open(&base, &store->roots[namespace_index], err);
}

int
store_open(const struct store_settings *settings, struct store **store_out,
	struct err *err)
{
	struct arena *arena = arena_open();
	struct store *store = ARENA_NEW(arena, struct store);
	size_t count, i;

	store->arena = arena;
	copy_settings(store, settings);
	count = store->settings.namespace_count;
	store->roots = ARENA_ARRAY(arena, struct store_root *, count);
	store->separators = arena_alloc(arena, count);
	for (i = 0; i < count; i++) {
		/* A namespace of a kind we do not know is no reason to refuse
		 * mail to the others. */
		if (open_root(store, i, err) < 0 &&
			store->settings.namespaces[i].location == NULL) {
			store_close(&store);
			return -1;
		}
	}
	*store_out = store;
	return 0;
}

void
store_close(struct store **store)
{
	struct arena *arena;

	if (*store == NULL)
		return;
	arena = (*store)->arena;
	arena_close(&arena);
	*store = NULL;
}

void
store_names_add(struct store_names *names, const char *name)
{
	if (names->count == names->size) {
		names->size = names->size ? names->size * 2 : 64;
		names->items = arena_grow(names->arena, names->items,
			sizeof(*names->items), names->count, names->size);
	}
	names->items[names->count++] = name;
}

/* Of a namespace whose root is open. */
static struct folder_rules
rules_of(const struct store *store, size_t namespace_index)
{
	const struct location *location =
		&store->roots[namespace_index]->location;

	return (struct folder_rules){.layout = location->layout,
		.separator = store->separators[namespace_index],
		.utf8 = location->utf8};
}

/* STORE_NO_FOLDER when no folder can have that name. */
static enum store_result
find_place(struct store *store, struct str name, struct store_root **root_out,
	struct folder *folder_out, struct err *err)
{
	const struct store_settings *settings = &store->settings;
	struct folder_rules rules;
	struct str rest;
	size_t i;

	if (folder_find_namespace(settings->namespaces, store->separators,
		    settings->namespace_count, name, &i, &rest, err) < 0)
		return STORE_NO_FOLDER;
	if (store->roots[i] == NULL && open_root(store, i, err) < 0)
		return STORE_FAILED;
	*root_out = store->roots[i];
	rules = rules_of(store, i);
	return folder_map(store->arena, &rules,
		       str_from(settings->namespaces[i].prefix), rest,
		       folder_out, err) < 0
	               ? STORE_NO_FOLDER
	               : STORE_OK;
}

bool
store_may_wait(const struct store *store)
{
	size_t i;

	for (i = 0; i < store->settings.namespace_count; i++)
		if (store->roots[i] != NULL &&
			store->roots[i]->driver->waits_for_locks)
			return true;
	return false;
}

int
store_inbox_path(struct store *store, const char **path_out, struct err *err)
{
	struct store_root *root;
	struct folder inbox;

	if (find_place(store, STR("INBOX"), &root, &inbox, err) != STORE_OK)
		return -1;
	*path_out = root->location.inbox;
	return 0;
}

/* A name spelled as on disk is taken so when that folder is there and the one
 * that the name means as UTF-8 is not. */
static enum store_result
choose_spelling(struct store_root *root, struct folder *folder, struct err *err)
{
	enum lookup found;

	if (folder->literal == NULL)
		return STORE_OK;
	found = root->driver->find(root, folder->disk, err);
	if (found == LOOKUP_NONE) {
		found = root->driver->find(root, folder->literal, err);
		if (found == LOOKUP_FOUND)
			folder->disk = folder->literal;
	}
	return found == LOOKUP_ERROR ? STORE_FAILED : STORE_OK;
}

static enum store_result
find_folder(struct store *store, struct str name, struct store_root **root_out,
	struct folder *folder_out, struct err *err)
{
	enum store_result result =
		find_place(store, name, root_out, folder_out, err);

	if (result == STORE_OK)
		result = choose_spelling(*root_out, folder_out, err);
	return result;
}

enum lookup
store_find_folder(struct store *store, struct str folder, struct err *err)
{
	struct store_root *root;
	struct folder place;

	switch (find_folder(store, folder, &root, &place, err)) {
	case STORE_OK:
		break;
	case STORE_NO_FOLDER:
		return LOOKUP_NONE;
	case STORE_FAILED:
		return LOOKUP_ERROR;
	}
	/* It is made when mail comes. */
	if (place.is_inbox)
		return LOOKUP_FOUND;
	return root->driver->find(root, place.disk, err);
}

/* ---- the names that others give ---- */

/* The namespace of the INBOX. */
static int
open_main(struct store *store, size_t *index_out, struct err *err)
{
	struct str rest;

	if (folder_find_namespace(store->settings.namespaces, store->separators,
		    store->settings.namespace_count, STR("INBOX"), index_out,
		    &rest, err) < 0)
		return -1;
	if (store->roots[*index_out] == NULL)
		return open_root(store, *index_out, err);
	return 0;
}

int
store_separator(struct store *store, char *separator_out, struct err *err)
{
	size_t main;

	if (open_main(store, &main, err) < 0)
		return -1;
	*separator_out = store->separators[main];
	return 0;
}

/* LOOKUP_NONE: no folder of the INBOX's namespace can have that name. */
static enum lookup
find_in_main(struct store *store, struct str name, size_t *main_out,
	struct str *rest_out, struct err *err)
{
	size_t index;

	if (open_main(store, main_out, err) < 0)
		return LOOKUP_ERROR;
	if (folder_find_namespace(store->settings.namespaces, store->separators,
		    store->settings.namespace_count, name, &index, rest_out,
		    err) < 0)
		return LOOKUP_NONE;
	return index == *main_out ? LOOKUP_FOUND : LOOKUP_NONE;
}

/* `rest` with the prefix before it; LOOKUP_NONE where that means another
 * folder. */
static enum lookup
name_in_main(struct store *store, size_t main, struct str rest,
	struct str *name_out, struct err *err)
{
	struct str again;
	size_t index;
	enum lookup found;

	*name_out = str_from(arena_format(store->arena, "%s%.*s",
		store->settings.namespaces[main].prefix, STR_ARG(rest)));
	found = find_in_main(store, *name_out, &index, &again, err);
	return found == LOOKUP_FOUND && !str_equal(again, rest) ? LOOKUP_NONE
	                                                        : found;
}

static enum lookup
match_in_main(struct store *store, size_t main, struct str rest,
	struct str *name_out, struct err *err)
{
	const struct folder_rules rules = rules_of(store, main);
	enum lookup found =
		match_folder(store->roots[main], &rules, rest, &rest, err);

	if (found == LOOKUP_FOUND)
		found = name_in_main(store, main, rest, name_out, err);
	return found;
}

/* LOOKUP_NONE: no folder can have that name; `place` is that of the one that
 * has it. */
static enum lookup
map_in_main(struct store *store, struct str name, size_t *main_out,
	struct str *rest_out, struct folder *place_out, struct err *err)
{
	struct folder_rules rules;
	enum lookup found = find_in_main(store, name, main_out, rest_out, err);

	if (found != LOOKUP_FOUND)
		return found;
	rules = rules_of(store, *main_out);
	return folder_map(store->arena, &rules, STR_EMPTY, *rest_out, place_out,
		       err) < 0
	               ? LOOKUP_NONE
	               : LOOKUP_FOUND;
}

enum lookup
store_match_folder(struct store *store, struct str name, struct str *found_out,
	struct err *err)
{
	struct folder place;
	struct str rest;
	size_t main;
	enum lookup found = map_in_main(store, name, &main, &rest, &place, err);

	if (found != LOOKUP_FOUND)
		return found;
	*found_out = arena_copy(store->arena, name);
	found = store_find_folder(store, name, err);
	return found == LOOKUP_NONE
	               ? match_in_main(store, main, rest, found_out, err)
	               : found;
}

/* The name of the folder one level up; false at the top. */
static bool
take_level(const struct store *store, size_t main, struct str *rest)
{
	size_t cut = str_find_last_char(*rest, store->separators[main]);

	if (cut == rest->len)
		return false;
	*rest = str_slice(*rest, 0, cut);
	return true;
}

enum lookup
store_name_new_folder(struct store *store, struct str name,
	struct str *name_out, struct err *err)
{
	struct folder place;
	struct str rest, upper;
	size_t main;
	enum lookup found = map_in_main(store, name, &main, &rest, &place, err);

	if (found != LOOKUP_FOUND)
		return found;
	upper = rest;
	*name_out = arena_copy(store->arena, name);
	while (take_level(store, main, &upper)) {
		struct str levels = str_skip(rest, upper.len), given;

		if (name_in_main(store, main, upper, &given, err) !=
			LOOKUP_FOUND)
			continue;
		found = store_match_folder(store, given, &given, err);
		if (found == LOOKUP_NONE)
			continue;
		if (found == LOOKUP_FOUND)
			*name_out = str_from(arena_format(store->arena,
				"%.*s%.*s", STR_ARG(given), STR_ARG(levels)));
		return found;
	}
	return LOOKUP_FOUND;
}

enum lookup
store_count_folders(
	struct store *store, size_t most, size_t *count_out, struct err *err)
{
	size_t main;

	if (open_main(store, &main, err) < 0)
		return LOOKUP_ERROR;
	return match_count(store->roots[main], most, count_out, err);
}

enum lookup
store_folder_id(struct store *store, struct str folder, struct str *id_out,
	struct err *err)
{
	struct store_root *root;
	struct folder place;

	switch (find_folder(store, folder, &root, &place, err)) {
	case STORE_OK:
		break;
	case STORE_NO_FOLDER:
		return LOOKUP_NONE;
	case STORE_FAILED:
		return LOOKUP_ERROR;
	}
	if (root->driver->id == NULL)
		return LOOKUP_NONE;
	return root->driver->id(root, place.disk, id_out, err);
}

enum store_keywords
store_keywords_state(struct store *store, struct str folder,
	const struct str *keywords, size_t count)
{
	struct store_root *root;
	struct folder place;
	struct err err;

	if (find_folder(store, folder, &root, &place, &err) != STORE_OK ||
		root->driver->keywords_state == NULL)
		return STORE_KEYWORDS_READY;
	return root->driver->keywords_state(root, place.disk, keywords, count);
}

/* In one namespace, the INBOX left out. */
static enum lookup
find_id_below(struct store *store, size_t i, struct str id,
	struct str *name_out, struct err *err)
{
	struct folder_rules rules;
	struct str rest;
	enum lookup found;

	/* One that cannot be opened has no folders. */
	if (store->roots[i] == NULL)
		return LOOKUP_NONE;
	rules = rules_of(store, i);
	found = match_id(store->roots[i], &rules, id, &rest, err);
	if (found == LOOKUP_FOUND)
		*name_out = str_from(arena_format(store->arena, "%s%.*s",
			store->settings.namespaces[i].prefix, STR_ARG(rest)));
	return found;
}

enum lookup
store_find_id(struct store *store, struct str id, struct str *name_out,
	struct err *err)
{
	struct str inbox_id;
	enum lookup found =
		store_folder_id(store, STR("INBOX"), &inbox_id, err);
	size_t i;

	if (found == LOOKUP_FOUND && str_equal_nocase(inbox_id, id)) {
		*name_out = STR("INBOX");
		return LOOKUP_FOUND;
	}
	for (i = 0;
		found != LOOKUP_ERROR && i < store->settings.namespace_count;
		i++) {
		found = find_id_below(store, i, id, name_out, err);
		if (found == LOOKUP_FOUND)
			return found;
	}
	return found == LOOKUP_ERROR ? found : LOOKUP_NONE;
}

bool
store_is_same_folder(struct store *store, struct str a, struct str b)
{
	struct store_root *root_a, *root_b;
	struct folder place_a, place_b;
	struct err err;

	if (str_equal(a, b))
		return true;
	if (find_folder(store, a, &root_a, &place_a, &err) != STORE_OK ||
		find_folder(store, b, &root_b, &place_b, &err) != STORE_OK)
		return false;
	return root_a == root_b && place_a.is_inbox == place_b.is_inbox &&
	       strcmp(place_a.disk, place_b.disk) == 0;
}

/* Once for each mail: the folder may not be the one that was meant. */
static void
tell_spelling(struct store *store, const struct folder *place)
{
	if (place->literal == NULL)
		return;
	log_warning("folder name %s looks like modified UTF-7: %s; scripts "
		    "name folders as they are displayed",
		folder_printable(store->arena, place->name),
		place->disk == place->literal
			? "taken for the folder that is spelled so on disk"
			: "taken as it is");
}

/* Only where the folder would have to be made. */
static enum store_result
check_folders_max(struct store *store, struct store_root *root,
	const struct folder *place, unsigned write_flags, struct err *err)
{
	size_t most = store->settings.folders_max, count = 0;
	enum lookup found;

	if (most == 0 || place->is_inbox ||
		(!store->settings.autocreate &&
			(write_flags & STORE_CREATE_FOLDER) == 0))
		return STORE_OK;
	found = root->driver->find(root, place->disk, err);
	if (found == LOOKUP_NONE)
		found = match_count(root, most, &count, err);
	else if (found == LOOKUP_FOUND)
		return STORE_OK;
	if (found == LOOKUP_ERROR)
		return STORE_FAILED;
	if (found == LOOKUP_NONE || count < most)
		return STORE_OK;
	err_set(err, ERR_TEMPORARY, "4.2.0",
		"Maximum number of mailboxes reached: %s",
		folder_printable(store->arena, place->name));
	return STORE_NO_FOLDER;
}

enum store_result
store_write(struct store *store, struct str folder, unsigned write_flags,
	const struct content *content, unsigned store_flags,
	struct store_copy **copy_out, struct err *err)
{
	struct store_root *root;
	struct folder place;
	enum store_result result;

	*copy_out = NULL;
	result = find_folder(store, folder, &root, &place, err);
	if (result != STORE_OK)
		return result;
	result = check_folders_max(store, root, &place, write_flags, err);
	if (result != STORE_OK)
		return result;
	tell_spelling(store, &place);
	return root->driver->write(
		root, &place, write_flags, content, store_flags, copy_out, err);
}

enum store_result
store_link(struct store *store, struct str folder, unsigned write_flags,
	struct store_copy *original, unsigned store_flags,
	struct store_copy **copy_out, struct err *err)
{
	struct store_root *root;
	struct folder place;
	enum store_result result;

	*copy_out = NULL;
	result = find_folder(store, folder, &root, &place, err);
	if (result != STORE_OK)
		return result;
	result = check_folders_max(store, root, &place, write_flags, err);
	if (result != STORE_OK)
		return result;
	tell_spelling(store, &place);
	if (root->driver != original->driver)
		return root->driver->write(root, &place, write_flags,
			original->content, store_flags, copy_out, err);
	return root->driver->link(root, &place, write_flags, original,
		store_flags, copy_out, err);
}

void
store_flush_files(
	struct store_copy *const *copies, size_t count, struct flush_crew *crew)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(drivers); i++)
		if (drivers[i]->flush_files != NULL)
			drivers[i]->flush_files(copies, count, crew);
}

int
store_set_keywords(struct store_copy *copy, const struct str *keywords,
	size_t count, struct err *err)
{
	if (count == 0)
		return 0;
	return copy->driver->set_keywords(copy, keywords, count, err);
}

int
store_sync(struct store_copy *copy, struct err *err)
{
	return copy->driver->sync(copy, err);
}

int
store_commit(struct store_copy *copy, struct err *err)
{
	return copy->driver->commit(copy, err);
}

int
store_settle(struct store_copy *const *copies, size_t count, struct err *err)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(drivers); i++)
		if (drivers[i]->settle(copies, count, err) < 0)
			return -1;
	return 0;
}

void
store_flush_folders(
	struct store_copy *const *copies, size_t count, struct flush_crew *crew)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(drivers); i++)
		if (drivers[i]->flush_folders != NULL)
			drivers[i]->flush_folders(copies, count, crew);
}

void
store_retract(struct store_copy *copy)
{
	copy->driver->retract(copy);
}

const char *
store_copy_target(struct store_copy *copy)
{
	return copy->driver->target != NULL ? copy->driver->target(copy) : NULL;
}

/* NULL: not one of this store's. */
static struct store_root *
owner_of_target(struct store *store, const char *target)
{
	size_t i;

	for (i = 0; i < store->settings.namespace_count; i++) {
		struct store_root *root = store->roots[i];

		if (root != NULL && root->driver->owns_target != NULL &&
			root->driver->owns_target(root, target))
			return root;
	}
	return NULL;
}

enum lookup
store_find_target(struct store *store, const char *target,
	const char **path_out, struct err *err)
{
	struct store_root *root = owner_of_target(store, target);

	if (root == NULL)
		return LOOKUP_NONE;
	return root->driver->find_target(root, target, path_out, err);
}

bool
store_copy_is_beside(struct store_copy *copy, const char *path)
{
	return copy->driver->is_beside != NULL &&
	       copy->driver->is_beside(copy, path);
}

int
store_flush_target(struct store *store, const char *path, struct err *err)
{
	struct store_root *root = owner_of_target(store, path);

	if (root == NULL)
		BUG("only what was found is flushed");
	if (store->settings.fsync == STORE_FSYNC_NEVER)
		return 0;
	return root->driver->flush_target(root, path, err);
}

void
store_remove_target(struct store *store, const char *path)
{
	struct store_root *root = owner_of_target(store, path);

	if (root == NULL)
		BUG("only what was found is removed");
	root->driver->remove_target(root, path);
}

void
store_copy_close(struct store_copy **copy)
{
	if (*copy != NULL)
		(*copy)->driver->close(*copy);
	*copy = NULL;
}

const char *
store_copy_path(const struct store_copy *copy)
{
	return buf_text(&copy->path);
}

struct str
store_copy_folder(const struct store_copy *copy)
{
	return copy->folder;
}

uint64_t
store_copy_size(const struct store_copy *copy)
{
	return copy->size;
}

uint64_t
store_copy_vsize(const struct store_copy *copy)
{
	return copy->vsize;
}

/* ---- how much is there ---- */

/* A driver that cannot list gives all its files at once. */
static struct str
name_of_path(const struct store_root *root, const char *path)
{
	return str_skip(str_from(path), strlen(root->location.root) + 1);
}

static void
add_parts(struct store *store, struct store_root *root, struct str folder,
	const char *disk, struct store_parts *parts, size_t *size)
{
	struct store_names paths = {.arena = store->arena};
	size_t i;

	root->driver->parts(root, disk, &paths);
	for (i = 0; i < paths.count; i++) {
		if (parts->count == *size) {
			*size = *size > 0 ? *size * 2 : 16;
			parts->items = arena_grow(store->arena, parts->items,
				sizeof(*parts->items), parts->count, *size);
		}
		parts->items[parts->count++] = (struct store_part){root,
			i > 0 && root->driver->list == NULL
				? name_of_path(root, paths.items[i])
				: folder,
			paths.items[i]};
	}
}

/* Whether an earlier namespace has the same mail. */
static bool
is_seen_before(const struct store *store, size_t i)
{
	size_t j;

	for (j = 0; j < i; j++)
		if (store->roots[j] != NULL &&
			strcmp(store->roots[j]->location.root,
				store->roots[i]->location.root) == 0)
			return true;
	return false;
}

static bool
is_counted(const struct store *store, size_t i, const char *only_prefix)
{
	const struct store_namespace *space = &store->settings.namespaces[i];

	if (store->roots[i] == NULL)
		return false;
	if (only_prefix != NULL)
		return strcmp(space->prefix, only_prefix) == 0;
	return !space->is_shared && !is_seen_before(store, i);
}

int
store_list_parts(struct store *store, const char *only_prefix,
	struct store_parts *parts_out, struct err *err)
{
	size_t size = 0, count, i, k;
	struct match_entry *entries;

	*parts_out = (struct store_parts){NULL, 0};
	for (i = 0; i < store->settings.namespace_count; i++) {
		const char *prefix = store->settings.namespaces[i].prefix;
		struct folder_rules rules;

		if (!is_counted(store, i, only_prefix))
			continue;
		rules = rules_of(store, i);
		add_parts(store, store->roots[i],
			store->settings.namespaces[i].has_inbox
				? STR("INBOX")
				: str_from(prefix),
			"", parts_out, &size);
		if (match_list(store->roots[i], &rules, &entries, &count, err) <
			0)
			return -1;
		for (k = 0; k < count; k++)
			add_parts(store, store->roots[i],
				str_from(arena_format(store->arena, "%s%.*s",
					prefix, STR_ARG(entries[k].rest))),
				entries[k].disk, parts_out, &size);
	}
	return 0;
}

int
store_measure(const struct store_part *part, struct store_use *use_out,
	struct err *err)
{
	*use_out = (struct store_use){0, 0};
	return part->root->driver->measure(
		part->root, part->path, use_out, err);
}

enum lookup
store_control_file(struct store *store, const char *name, bool make,
	const char **path_out, struct err *err)
{
	size_t main;

	if (open_main(store, &main, err) < 0)
		return LOOKUP_ERROR;
	return store->roots[main]->driver->control(
		store->roots[main], name, make, path_out, err);
}

void
store_explain_refusal(struct buf *text, const char *path)
{
	permission_explain(text, path);
}
