/* SPDX-License-Identifier: MIT */
#include "store/store.h"

#include <string.h>

#include "store/driver.h"
#include "store/folder.h"
#include "store/location.h"

#include "base/banned.h"

static const struct store_driver *const drivers[] = {
	&maildir_driver,
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
			"mail_location: unknown driver \"%s\"; known is "
			"maildir",
			base.location.driver);
	if (!base.location.has_layout)
		base.location.layout = base.driver->layout;
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
	rules.layout = (*root_out)->location.layout;
	rules.separator = store->separators[i];
	rules.utf8 = (*root_out)->location.utf8;
	return folder_map(store->arena, &rules,
		       str_from(settings->namespaces[i].prefix), rest,
		       folder_out, err) < 0
	               ? STORE_NO_FOLDER
	               : STORE_OK;
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
	if (root->driver != original->driver)
		return root->driver->write(root, &place, write_flags,
			original->content, store_flags, copy_out, err);
	return root->driver->link(root, &place, write_flags, original,
		store_flags, copy_out, err);
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
store_retract(struct store_copy *copy)
{
	copy->driver->retract(copy);
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
