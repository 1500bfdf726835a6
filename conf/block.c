/* SPDX-License-Identifier: MIT */
#include "conf/block.h"

#include <inttypes.h>

#include "base/attributes.h"
#include "base/number.h"
#include "conf/names.h"
#include "conf/quota_names.h"
#include "conf/report.h"

#include "base/banned.h"

#define ERROR(loader, place, ...)                                              \
	conf_report_error((loader)->arena, (loader)->report, place, __VA_ARGS__)
#define WARNING(loader, place, ...)                                            \
	conf_report_warning(                                                   \
		(loader)->arena, (loader)->report, place, __VA_ARGS__)

/* NULL where there is none. */
static const char *
pair_value(struct conf_loader *loader, const struct conf_scope *scope,
	const char *name)
{
	struct str prefix = str_from(
		arena_format(loader->arena, "%.*s_", STR_ARG(scope->type)));
	const char *found = NULL;
	size_t i;

	for (i = 0; i < scope->pairs->count; i++) {
		struct str key = scope->pairs->items[i].name;

		if (str_starts(key, prefix))
			key = str_skip(key, prefix.len);
		if (str_is(key, name))
			found = arena_text(
				loader->arena, scope->pairs->items[i].value);
	}
	return found;
}

static struct conf_key
name_only(const char *name)
{
	return (struct conf_key){.name = name, .name_len = strlen(name)};
}

enum { NAMES_MAX = 16 };

/* The one of `names`, which end with NULL, that was probably meant, or NULL. */
static const char *
suggest(const char *const *names, struct str name)
{
	struct conf_key rows[NAMES_MAX];
	struct conf_keys keys = {rows, 0};

	for (; *names != NULL && keys.count < NAMES_MAX; names++)
		rows[keys.count++] = name_only(*names);
	return conf_key_suggest(&keys, name);
}

static bool
is_in(const char *const *names, struct str name)
{
	for (; *names != NULL; names++)
		if (str_is(name, *names))
			return true;
	return false;
}

/* A name that is near one of ours is a slip; any other may be Dovecot's. */
static void
check_names(struct conf_loader *loader, const struct conf_scope *scope,
	const char *const *names)
{
	struct str prefix = str_from(
		arena_format(loader->arena, "%.*s_", STR_ARG(scope->type)));
	size_t i;

	for (i = 0; i < scope->pairs->count; i++) {
		struct conf_place place = scope->pairs->places[i];
		struct str written = scope->pairs->items[i].name;
		struct str name = written;
		const char *meant;

		if (str_starts(name, prefix))
			name = str_skip(name, prefix.len);
		if (is_in(names, name))
			continue;
		meant = suggest(names, name);
		if (meant != NULL)
			ERROR(loader, place,
				"%.*s: there is no setting of that name; is %s "
				"meant?",
				STR_ARG(written), meant);
		else
			WARNING(loader, place,
				"%.*s: does not concern Doorstep and is "
				"ignored",
				STR_ARG(written));
	}
}

static const char *
or_default(const char *text, const char *fallback)
{
	return text == NULL ? fallback : text;
}

static void
add_to_family(struct conf_loader *loader, const struct conf_scope *scope,
	const char *name, const char *value)
{
	const struct conf_key *key =
		conf_key_find(&conf_top_keys, str_from(name));
	const struct conf_family *family =
		conf_loader_family(loader->settings, key);
	unsigned last =
		family->count > 0 ? family->items[family->count - 1].number : 0;

	if (scope->is_kept)
		conf_loader_put(loader,
			conf_loader_family(loader->settings, key),
			(struct conf_numbered){1, last + 1, value, scope->place,
				scope->level});
}

static const char *const script_names[] = {
	"type", "path", "active_path", "name", NULL};

/* sieve_script NAME { type = before, path = ... } of 2.4 */
static void
close_sieve_script(struct conf_loader *loader, struct conf_scope *scope)
{
	const char *type =
		or_default(pair_value(loader, scope, "type"), "personal");
	const char *path = pair_value(loader, scope, "path");
	const char *active = pair_value(loader, scope, "active_path");
	const char *name = pair_value(loader, scope, "name");

	check_names(loader, scope, script_names);
	if (str_is(str_from(type), "personal")) {
		conf_loader_set(loader, scope, "sieve",
			arena_format(loader->arena, "file:%s;active=%s",
				or_default(path, "~/sieve"),
				or_default(active, "~/.dovecot.sieve")),
			scope->place);
		return;
	}
	if (path == NULL) {
		ERROR(loader, scope->place, "sieve_script: path is missing");
		return;
	}
	if (str_is(str_from(type), "before")) {
		add_to_family(loader, scope, "sieve_before", path);
	} else if (str_is(str_from(type), "after")) {
		add_to_family(loader, scope, "sieve_after", path);
	} else if (str_is(str_from(type), "default")) {
		conf_loader_set(
			loader, scope, "sieve_default", path, scope->place);
		if (name != NULL)
			conf_loader_set(loader, scope, "sieve_default_name",
				name, scope->place);
	} else if (str_is(str_from(type), "global")) {
		conf_loader_set(
			loader, scope, "sieve_global", path, scope->place);
	} else if (str_is(str_from(type), "discard")) {
		conf_loader_set(
			loader, scope, "sieve_discard", path, scope->place);
	} else {
		ERROR(loader, scope->place,
			"sieve_script: found type \"%s\", expected personal, "
			"before, after, default, global or discard",
			type);
	}
}

static const char *const header_names[] = {"forbid_add", "forbid_delete", NULL};

/* The block's name joins the words of `key` where its setting says yes. */
static void
add_if_yes(struct conf_loader *loader, struct conf_scope *scope,
	const char *setting, const char *key, const char *words)
{
	const char *value = pair_value(loader, scope, setting);

	if (value == NULL || str_is_nocase(str_from(value), "no"))
		return;
	if (str_is_nocase(str_from(value), "yes"))
		conf_loader_set(loader, scope, key,
			conf_append_word(loader->arena, words,
				arena_text(loader->arena, scope->name)),
			scope->place);
	else
		ERROR(loader, scope->place,
			"%.*s: found %s \"%s\", expected yes or no",
			STR_ARG(scope->type), setting, value);
}

/* sieve_editheader_header NAME { forbid_add = yes } of 2.4 */
static void
close_header(struct conf_loader *loader, struct conf_scope *scope)
{
	const struct settings *settings = loader->settings;

	check_names(loader, scope, header_names);
	add_if_yes(loader, scope, "forbid_add", "sieve_editheader_forbid_add",
		settings->sieve_editheader_forbid_add);
	add_if_yes(loader, scope, "forbid_delete",
		"sieve_editheader_forbid_delete",
		settings->sieve_editheader_forbid_delete);
}

static const char *const quota_names[] = {"driver", "storage_size",
	"storage_percentage", "storage_extra", "storage_grace", "message_count",
	"message_percentage", "enforce", "hidden", "ignore", "ignore_unlimited",
	"dict", "warning", NULL};

static bool
quota_says(struct conf_loader *loader, const struct conf_scope *scope,
	const char *name, const char *word)
{
	const char *text = pair_value(loader, scope, name);

	return text != NULL && str_is_nocase(str_from(text), word);
}

/* "quota_rule" of the second root: "quota2_rule" */
static void
set_quota(struct conf_loader *loader, const struct conf_scope *scope,
	unsigned root, const char *tail, const char *value)
{
	const char *number =
		root == 1 ? "" : arena_format(loader->arena, "%u", root);

	conf_loader_set(loader, scope,
		arena_format(loader->arena, "quota%s%s", number, tail), value,
		scope->place);
}

/* In the order of their blocks: the first that fits counts. */
static void
set_quota_warnings(struct conf_loader *loader, const struct conf_scope *scope,
	unsigned root)
{
	unsigned number = 1;
	size_t i;

	for (i = 0; i < scope->pairs->count; i++) {
		if (!str_is(scope->pairs->items[i].name, "warning"))
			continue;
		set_quota(loader, scope, root,
			number == 1 ? "_warning"
				    : arena_format(loader->arena, "_warning%u",
					      number),
			arena_text(
				loader->arena, scope->pairs->items[i].value));
		number++;
	}
}

static void
set_quota_limit(struct conf_loader *loader, const struct conf_scope *scope,
	unsigned root, size_t which)
{
	const char *name = conf_quota_names[which].name, *expected, *value;
	const char *text = pair_value(loader, scope, name);

	if (text == NULL)
		return;
	value = conf_quota_name_value(
		loader->arena, which, str_from(text), &expected);
	if (value == NULL)
		ERROR(loader, scope->place, "%s: found \"%s\", expected %s",
			name, text, expected);
	else
		set_quota(loader, scope, root, conf_quota_names[which].tail,
			value);
}

/* 2.4's own default.  What stands outside of the block counts more. */
static void
set_usual_grace(struct conf_loader *loader, const struct conf_scope *scope,
	unsigned root)
{
	struct conf_scope weak = *scope;

	weak.level = CONF_LEVEL_DEFAULT;
	set_quota(loader, &weak, root, "_grace", "10M");
}

/* quota NAME { driver = maildir, storage_size = 1G } of 2.4 */
static void
close_quota(struct conf_loader *loader, struct conf_scope *scope)
{
	unsigned root = (unsigned)loader->settings->quota.count + 1;
	const char *driver =
		or_default(pair_value(loader, scope, "driver"), "count");
	const char *dict = pair_value(loader, scope, "dict");
	size_t i;

	check_names(loader, scope, quota_names);
	if (quota_says(loader, scope, "ignore", "yes"))
		return;
	set_quota(loader, scope, root, "",
		arena_format(loader->arena, "%s:%.*s%s%s%s%s%s%s", driver,
			STR_ARG(scope->name),
			/* Behind the name comes the user's. */
			strcmp(driver, "dict") == 0 ? ":" : "",
			quota_says(loader, scope, "enforce", "no")
				? ":noenforcing"
				: "",
			quota_says(loader, scope, "hidden", "yes") ? ":hidden"
								   : "",
			quota_says(loader, scope, "ignore_unlimited", "yes")
				? ":ignoreunlimited"
				: "",
			dict != NULL ? ":" : "", or_default(dict, "")));
	set_usual_grace(loader, scope, root);
	for (i = 0; i < CONF_QUOTA_NAMES; i++)
		set_quota_limit(loader, scope, root, i);
	set_quota_warnings(loader, scope, root);
}

/* ---- warning NAME { } in a quota of 2.4 ---- */

static const char *const warning_names[] = {"resource", "threshold", "execute",
	"quota_storage_percentage", "quota_message_percentage",
	"quota_storage_size", "quota_message_count", NULL};

static const char *const execute_names[] = {"args", "driver", NULL};

static void
add_outside(struct conf_loader *loader, struct conf_scope *scope,
	struct str name, const char *value)
{
	struct conf_pairs *outer = scope[-1].pairs;

	(void)loader;
	if (outer->count == CONF_PAIRS_MAX)
		return;
	outer->places[outer->count] = scope->place;
	outer->items[outer->count++] =
		(struct conf_pair){.name = name, .value = str_from(value)};
}

/* execute PROGRAM { args = ... }: becomes execute = PROGRAM ARGUMENTS outside */
static void
close_quota_execute(struct conf_loader *loader, struct conf_scope *scope)
{
	const char *args = pair_value(loader, scope, "args");

	check_names(loader, scope, execute_names);
	add_outside(loader, scope, STR("execute"),
		conf_append_word(loader->arena,
			arena_text(loader->arena, scope->name),
			or_default(args, "")));
}

/* "storage=95%%", or NULL. */
static const char *
warning_mark(struct conf_loader *loader, const struct conf_scope *scope)
{
	static const struct {
		const char *name, *before, *behind;
	} marks[] = {{"quota_storage_percentage", "storage=", "%%"},
		{"quota_message_percentage", "messages=", "%%"},
		{"quota_storage_size", "storage=", ""},
		{"quota_message_count", "messages=", ""}};
	const char *resource = pair_value(loader, scope, "resource");
	bool is_messages = resource != NULL && strcmp(resource, "message") == 0;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(marks); i++) {
		const char *value = pair_value(loader, scope, marks[i].name);

		if (value != NULL &&
			(resource == NULL ||
				is_messages == (marks[i].before[0] == 'm')))
			return arena_format(loader->arena, "%s%s%s",
				marks[i].before, value, marks[i].behind);
	}
	return NULL;
}

/* Becomes a setting of the quota outside, in the grammar of 2.3. */
static void
close_quota_warning(struct conf_loader *loader, struct conf_scope *scope)
{
	const char *mark = warning_mark(loader, scope);
	const char *command = pair_value(loader, scope, "execute");

	check_names(loader, scope, warning_names);
	if (mark == NULL || command == NULL) {
		ERROR(loader, scope->place,
			"warning %.*s: expected quota_storage_percentage or "
			"the like and `execute PROGRAM { args = ... }`",
			STR_ARG(scope->name));
		return;
	}
	add_outside(loader, scope, STR("warning"),
		arena_format(loader->arena, "%s%s %s",
			quota_says(loader, scope, "threshold", "under") ? "-"
									: "",
			mark, command));
}

/* Of Redis in 2.4, and in the grammar of 2.3. */
static const struct {
	const char *name, *old;
} redis_names[] = {
	{"redis_host", "host"},
	{"redis_port", "port"},
	{"redis_socket_path", "path"},
	{"redis_key_prefix", "prefix"},
	{"redis_db_id", "db"},
};

static const char *const redis_pairs[] = {"redis_host", "redis_port",
	"redis_socket_path", "redis_key_prefix", "redis_db_id", NULL};

/* dict redis { redis_host = 10.0.0.1 } in a quota: becomes dict = redis:... of it */
static void
close_quota_dict(struct conf_loader *loader, struct conf_scope *scope)
{
	struct conf_pairs *outer = scope[-1].pairs;
	const char *text = "redis";
	size_t i;

	if (!str_is(scope->name, "redis")) {
		ERROR(loader, scope->place,
			"dict %.*s: expected `dict redis { redis_host = "
			"ADDRESS }`",
			STR_ARG(scope->name));
		return;
	}
	check_names(loader, scope, redis_pairs);
	for (i = 0; i < ARRAY_LENGTH(redis_names); i++) {
		const char *value =
			pair_value(loader, scope, redis_names[i].name);

		if (value != NULL)
			text = arena_format(loader->arena, "%s:%s=%s", text,
				redis_names[i].old, value);
	}
	if (outer->count == CONF_PAIRS_MAX)
		return;
	outer->places[outer->count] = scope->place;
	outer->items[outer->count++] = (struct conf_pair){
		.name = STR("dict"), .value = str_from(text)};
}

static const char *const list_names[] = {
	"name", "max_lookup_size", "dict", NULL};

/* sieve_extlists_list NAME { name = URI, dict file { path = ... } } of 2.4 */
static void
close_list(struct conf_loader *loader, struct conf_scope *scope)
{
	const char *name = pair_value(loader, scope, "name");
	const char *size = pair_value(loader, scope, "max_lookup_size");
	const char *dict = pair_value(loader, scope, "dict");

	check_names(loader, scope, list_names);
	add_to_family(loader, scope, "sieve_extlists_list",
		arena_format(loader->arena, "%.*s%s%s%s%s",
			STR_ARG(name != NULL ? str_from(name) : scope->name),
			size != NULL ? " max_lookup_size=" : "",
			or_default(size, ""), dict != NULL ? " " : "",
			or_default(dict, "")));
}

static const char *const dict_names[] = {"driver", "path", "file_path", NULL};

static bool
is_list_driver(struct str name)
{
	static const char *const drivers[] = {
		"file", "lines", "hash", "btree", "cdb", "texthash"};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(drivers); i++)
		if (str_is(name, drivers[i]))
			return true;
	return false;
}

/* Becomes a setting of the list outside: dict = file:PATH */
static void
close_list_dict(struct conf_loader *loader, struct conf_scope *scope)
{
	struct conf_pairs *outer = scope[-1].pairs;
	struct str driver =
		str_from(or_default(pair_value(loader, scope, "driver"),
			arena_text(loader->arena, scope->name)));
	const char *path = pair_value(loader, scope, "path");

	check_names(loader, scope, dict_names);
	if (path == NULL)
		path = pair_value(loader, scope, "file_path");
	if (path == NULL || !is_list_driver(driver)) {
		ERROR(loader, scope->place,
			"dict %.*s: expected `dict file { path = PATH }`; "
			"other drivers of lists are lines, hash, btree, cdb "
			"and texthash",
			STR_ARG(scope->name));
		return;
	}
	if (outer->count == CONF_PAIRS_MAX)
		return;
	outer->places[outer->count] = scope->place;
	outer->items[outer->count++] = (struct conf_pair){.name = STR("dict"),
		.value = str_from(arena_format(
			loader->arena, "%.*s:%s", STR_ARG(driver), path))};
}

/* fields { home = /srv/%{user} } in a userdb of 2.4 */
static void
close_fields(struct conf_loader *loader, struct conf_scope *scope)
{
	struct conf_userdb *userdb = scope[-1].object;
	bool is_static = str_is(str_from(userdb->driver), "static") ||
	                 (userdb->driver[0] == '\0' &&
				 str_is(str_from(userdb->name), "static"));
	size_t i;

	for (i = 0; i < scope->pairs->count; i++) {
		struct str name = scope->pairs->items[i].name;
		struct str value = scope->pairs->items[i].value;
		struct str tail = STR(":default");
		const char **target = &userdb->override_fields;

		if (is_static)
			target = &userdb->args;
		else if (str_ends(name, tail))
			target = &userdb->default_fields;
		if (str_ends(name, tail))
			name = str_slice(name, 0, name.len - tail.len);
		*target = conf_append_word(loader->arena, *target,
			arena_format(loader->arena, "%.*s=%s", STR_ARG(name),
				conf_escape_word(loader->arena, value)));
	}
}

/* sieve_extensions { fileinto = yes } of 2.4 */
static void
close_words(struct conf_loader *loader, struct conf_scope *scope)
{
	struct conf_line line = {.kind = CONF_LINE_KEY,
		.name = scope->type,
		.value = STR_EMPTY,
		.is_quoted = true,
		.place = scope->place};
	const char *words = "";
	size_t i;

	for (i = 0; i < scope->pairs->count; i++)
		if (str_is_nocase(scope->pairs->items[i].value, "yes"))
			words = conf_append_word(loader->arena, words,
				arena_text(loader->arena,
					scope->pairs->items[i].name));
	line.value = str_from(words);
	if (scope[-1].keys == &conf_top_keys)
		conf_loader_set_top(
			loader, &scope[-1], scope->words_key, &line);
	else
		(void)conf_loader_set_field(loader, scope->words_key, &line,
			line.value, scope[-1].object);
}

static void
collect(struct conf_loader *loader, struct conf_scope *scope,
	void (*close)(struct conf_loader *, struct conf_scope *))
{
	scope->kind = SCOPE_PAIRS;
	scope->pairs = ARENA_NEW(loader->arena, struct conf_pairs);
	scope->close = close;
}

static void
open_sieve_script(struct conf_loader *loader, struct conf_scope *scope)
{
	collect(loader, scope, close_sieve_script);
}

static void
open_header(struct conf_loader *loader, struct conf_scope *scope)
{
	collect(loader, scope, close_header);
}

static void
open_quota(struct conf_loader *loader, struct conf_scope *scope)
{
	collect(loader, scope, close_quota);
}

static void
open_list(struct conf_loader *loader, struct conf_scope *scope)
{
	collect(loader, scope, close_list);
}

static void
open_fields(struct conf_loader *loader, struct conf_scope *scope)
{
	collect(loader, scope, close_fields);
}

static void
open_plugin(struct conf_loader *loader UNUSED, struct conf_scope *scope)
{
	scope->kind = SCOPE_PLUGIN;
}

static void
skip_protocol(struct conf_loader *loader, struct conf_scope *scope)
{
	static const char *const names[] = {"lda", "lmtp", NULL};
	/* So near to ours, and no slip. */
	static const char *const others[] = {"imap", "pop3", "sieve", NULL};
	const char *meant =
		is_in(others, scope->name) ? NULL : suggest(names, scope->name);

	if (meant != NULL)
		ERROR(loader, scope->place,
			"protocol %.*s { }: there is no protocol of that name; "
			"is %s meant?",
			STR_ARG(scope->name), meant);
	scope->kind = SCOPE_SKIP;
}

static void
open_protocol(struct conf_loader *loader, struct conf_scope *scope)
{
	static const char *const names[] = {"", "lda", "lmtp"};
	const char *own = names[loader->protocol];
	struct str name = scope->name;
	bool is_not = name.len > 0 && name.data[0] == '!';
	bool is_own;

	if (is_not)
		name = str_skip(name, 1);
	is_own = loader->protocol != CONF_PROTOCOL_NONE && str_is(name, own);
	scope->kind = SCOPE_TOP;
	scope->level = CONF_LEVEL_PROTOCOL;
	if (!is_not && !str_is(name, "lda") && !str_is(name, "lmtp"))
		skip_protocol(loader, scope);
	else if (loader->protocol == CONF_PROTOCOL_NONE || is_own == is_not)
		scope->is_kept = false;
}

/* False: there are too many, and the block is skipped. */
static bool
has_room(struct conf_loader *loader, struct conf_scope *scope, size_t count)
{
	if (count < CONF_SECTIONS_MAX)
		return true;
	ERROR(loader, scope->place, "more than %d blocks of one kind",
		CONF_SECTIONS_MAX);
	scope->kind = SCOPE_SKIP;
	return false;
}

static void
enter(struct conf_scope *scope, enum scope_kind kind,
	const struct conf_keys *keys, void *object)
{
	scope->kind = kind;
	scope->keys = keys;
	scope->object = object;
}

/* Each `userdb { }` is another one, in the order they stand. */
static void
open_userdb(struct conf_loader *loader, struct conf_scope *scope)
{
	struct settings *settings = loader->settings;
	struct conf_userdb *userdb;

	if (!has_room(loader, scope, settings->userdb_count))
		return;
	settings->userdbs = conf_loader_grow(loader->arena, settings->userdbs,
		sizeof(*userdb), &settings->userdb_count);
	userdb = &settings->userdbs[settings->userdb_count - 1];
	conf_loader_set_defaults(loader->arena, &conf_userdb_keys, userdb);
	userdb->name = arena_text(loader->arena, scope->name);
	userdb->place = scope->place;
	enter(scope, SCOPE_USERDB, &conf_userdb_keys, userdb);
}

/* Blocks of one name are one block. */
static void
open_namespace(struct conf_loader *loader, struct conf_scope *scope)
{
	struct settings *settings = loader->settings;
	struct conf_namespace *space;
	size_t i;

	for (i = 0; i < settings->namespace_count; i++)
		if (str_is(scope->name, settings->namespaces[i].name)) {
			enter(scope, SCOPE_NAMESPACE, &conf_namespace_keys,
				&settings->namespaces[i]);
			return;
		}
	if (!has_room(loader, scope, settings->namespace_count))
		return;
	settings->namespaces =
		conf_loader_grow(loader->arena, settings->namespaces,
			sizeof(*space), &settings->namespace_count);
	space = &settings->namespaces[settings->namespace_count - 1];
	conf_loader_set_defaults(loader->arena, &conf_namespace_keys, space);
	space->name = arena_text(loader->arena, scope->name);
	space->place = scope->place;
	enter(scope, SCOPE_NAMESPACE, &conf_namespace_keys, space);
}

static void
add_mailbox(struct conf_loader *loader, struct conf_scope *scope,
	struct conf_mailbox **mailboxes, size_t *count)
{
	struct conf_mailbox *mailbox;
	size_t i;

	for (i = 0; i < *count; i++)
		if (str_is(scope->name, (*mailboxes)[i].name)) {
			enter(scope, SCOPE_MAILBOX, &conf_mailbox_keys,
				&(*mailboxes)[i]);
			return;
		}
	if (!has_room(loader, scope, *count))
		return;
	*mailboxes = conf_loader_grow(
		loader->arena, *mailboxes, sizeof(*mailbox), count);
	mailbox = &(*mailboxes)[*count - 1];
	conf_loader_set_defaults(loader->arena, &conf_mailbox_keys, mailbox);
	mailbox->name = arena_text(loader->arena, scope->name);
	mailbox->place = scope->place;
	enter(scope, SCOPE_MAILBOX, &conf_mailbox_keys, mailbox);
}

static void
open_mailbox(struct conf_loader *loader, struct conf_scope *scope)
{
	struct conf_namespace *space = scope->object;

	add_mailbox(loader, scope, &space->mailboxes, &space->mailbox_count);
}

/* Outside of a namespace: one in that of the INBOX. */
static void
open_inbox_mailbox(struct conf_loader *loader, struct conf_scope *scope)
{
	add_mailbox(loader, scope, &loader->settings->mailboxes,
		&loader->settings->mailbox_count);
}

static void
open_service(struct conf_loader *loader, struct conf_scope *scope)
{
	struct settings *settings = loader->settings;
	struct conf_service *service;
	size_t i;

	if (!conf_is_service(scope->name)) {
		WARNING(loader, scope->place,
			"service %.*s: does not concern Doorstep and is "
			"ignored",
			STR_ARG(scope->name));
		scope->kind = SCOPE_SKIP;
		return;
	}
	for (i = 0; i < settings->service_count; i++)
		if (str_is(scope->name, settings->services[i].name)) {
			enter(scope, SCOPE_SERVICE, &conf_service_keys,
				&settings->services[i]);
			return;
		}
	settings->services = conf_loader_grow(loader->arena, settings->services,
		sizeof(*service), &settings->service_count);
	service = &settings->services[settings->service_count - 1];
	conf_loader_set_defaults(loader->arena, &conf_service_keys, service);
	service->name = arena_text(loader->arena, scope->name);
	service->place = scope->place;
	enter(scope, SCOPE_SERVICE, &conf_service_keys, service);
}

static void
open_listener(struct conf_loader *loader, struct conf_scope *scope)
{
	struct conf_service *service = scope->object;
	bool is_inet = str_is(scope->type, "inet_listener");
	struct conf_listener *listener;
	size_t i;

	for (i = 0; i < service->listener_count; i++)
		if (service->listeners[i].is_inet == is_inet &&
			str_is(scope->name, service->listeners[i].name)) {
			enter(scope, SCOPE_LISTENER, &conf_listener_keys,
				&service->listeners[i]);
			return;
		}
	if (!has_room(loader, scope, service->listener_count))
		return;
	service->listeners = conf_loader_grow(loader->arena, service->listeners,
		sizeof(*listener), &service->listener_count);
	listener = &service->listeners[service->listener_count - 1];
	conf_loader_set_defaults(loader->arena, &conf_listener_keys, listener);
	listener->is_inet = is_inet;
	listener->name = arena_text(loader->arena, scope->name);
	listener->place = scope->place;
	enter(scope, SCOPE_LISTENER, &conf_listener_keys, listener);
}

/* Blocks of one name are one block. */
static void
open_local_name(struct conf_loader *loader, struct conf_scope *scope)
{
	struct settings *settings = loader->settings;
	struct conf_local_name *local;
	size_t i;

	for (i = 0; i < settings->local_name_count; i++)
		if (str_is_nocase(scope->name, settings->local_names[i].name)) {
			enter(scope, SCOPE_LOCAL_NAME, &conf_local_name_keys,
				&settings->local_names[i]);
			return;
		}
	if (!has_room(loader, scope, settings->local_name_count))
		return;
	settings->local_names =
		conf_loader_grow(loader->arena, settings->local_names,
			sizeof(*local), &settings->local_name_count);
	local = &settings->local_names[settings->local_name_count - 1];
	conf_loader_set_defaults(loader->arena, &conf_local_name_keys, local);
	local->name = arena_text(loader->arena, scope->name);
	local->place = scope->place;
	enter(scope, SCOPE_LOCAL_NAME, &conf_local_name_keys, local);
}

/* Blocks of one name are one block. */
static void
open_proxy_group(struct conf_loader *loader, struct conf_scope *scope)
{
	struct settings *settings = loader->settings;
	struct conf_proxy_group *group;
	size_t i;

	for (i = 0; i < settings->proxy_group_count; i++)
		if (str_is_nocase(
			    scope->name, settings->proxy_groups[i].name)) {
			enter(scope, SCOPE_PROXY_GROUP, &conf_proxy_group_keys,
				&settings->proxy_groups[i]);
			return;
		}
	if (!has_room(loader, scope, settings->proxy_group_count))
		return;
	settings->proxy_groups =
		conf_loader_grow(loader->arena, settings->proxy_groups,
			sizeof(*group), &settings->proxy_group_count);
	group = &settings->proxy_groups[settings->proxy_group_count - 1];
	conf_loader_set_defaults(loader->arena, &conf_proxy_group_keys, group);
	group->name = arena_text(loader->arena, scope->name);
	group->place = scope->place;
	enter(scope, SCOPE_PROXY_GROUP, &conf_proxy_group_keys, group);
}

static void
open_backend(struct conf_loader *loader, struct conf_scope *scope)
{
	struct conf_proxy_group *group = scope->object;
	struct conf_backend *backend;
	size_t i;

	for (i = 0; i < group->backend_count; i++)
		if (str_is_nocase(scope->name, group->backends[i].name)) {
			enter(scope, SCOPE_BACKEND, &conf_backend_keys,
				&group->backends[i]);
			return;
		}
	if (!has_room(loader, scope, group->backend_count))
		return;
	group->backends = conf_loader_grow(loader->arena, group->backends,
		sizeof(*backend), &group->backend_count);
	backend = &group->backends[group->backend_count - 1];
	conf_loader_set_defaults(loader->arena, &conf_backend_keys, backend);
	backend->name = arena_text(loader->arena, scope->name);
	backend->place = scope->place;
	enter(scope, SCOPE_BACKEND, &conf_backend_keys, backend);
}

/* `local`, `remote`: for some clients only, which a delivery agent does not
 * tell apart. */
static void
open_filter(struct conf_loader *loader, struct conf_scope *scope)
{
	WARNING(loader, scope->place,
		"%.*s: settings for some clients only are not supported; the "
		"block is ignored",
		STR_ARG(scope->type));
	scope->kind = SCOPE_SKIP;
}

static void
open_fifo(struct conf_loader *loader, struct conf_scope *scope)
{
	WARNING(loader, scope->place,
		"fifo_listener: does not concern Doorstep and is ignored");
	scope->kind = SCOPE_SKIP;
}

enum {
	IN_TOP = SCOPE_TOP,
	IN_ANY_TOP = SCOPE_TOP | SCOPE_PLUGIN,
	KEEPS_IF_CHECKED = 1 /* has no place to put what is only checked */
};

static const struct {
	const char *type;
	unsigned scopes; /* where it may stand */
	unsigned flags;
	void (*open)(struct conf_loader *, struct conf_scope *);
} blocks[] = {
	{"plugin", IN_TOP, 0, open_plugin},
	{"protocol", IN_TOP, 0, open_protocol},
	{"userdb", IN_TOP, KEEPS_IF_CHECKED, open_userdb},
	{"fields", SCOPE_USERDB, 0, open_fields},
	{"namespace", IN_TOP, KEEPS_IF_CHECKED, open_namespace},
	{"mailbox", SCOPE_NAMESPACE, 0, open_mailbox},
	{"mailbox", IN_TOP, KEEPS_IF_CHECKED, open_inbox_mailbox},
	{"service", IN_TOP, KEEPS_IF_CHECKED, open_service},
	{"unix_listener", SCOPE_SERVICE, 0, open_listener},
	{"inet_listener", SCOPE_SERVICE, 0, open_listener},
	{"fifo_listener", SCOPE_SERVICE, 0, open_fifo},
	{"sieve_script", IN_ANY_TOP, 0, open_sieve_script},
	{"sieve_extlists_list", IN_ANY_TOP, 0, open_list},
	{"sieve_editheader_header", IN_ANY_TOP, 0, open_header},
	{"quota", IN_ANY_TOP, KEEPS_IF_CHECKED, open_quota},
	{"local", IN_TOP, 0, open_filter},
	{"local_name", IN_TOP, KEEPS_IF_CHECKED, open_local_name},
	{"remote", IN_TOP, 0, open_filter},
	{"proxy_group", IN_TOP, KEEPS_IF_CHECKED, open_proxy_group},
	{"backend", SCOPE_PROXY_GROUP, 0, open_backend},
};

/* A key that is a list may be written as a block of its words. */
static bool
open_words(struct conf_loader *loader, struct conf_scope *scope)
{
	const struct conf_key *key = conf_key_find(scope->keys, scope->type);

	if (key == NULL || scope->name.len > 0)
		return false;
	if (key->type != CONF_TYPE_LIST && key->type != CONF_TYPE_NETWORKS &&
		!str_ends(scope->type, STR("_extensions")))
		return false;
	collect(loader, scope, close_words);
	scope->kind = SCOPE_WORDS;
	scope->words_key = key;
	return true;
}

static void
report_unknown(struct conf_loader *loader, const struct conf_scope *scope,
	enum scope_kind outer)
{
	const char *names[ARRAY_LENGTH(blocks) + 1], *meant;
	size_t i, count = 0;

	for (i = 0; i < ARRAY_LENGTH(blocks); i++)
		if ((blocks[i].scopes & (unsigned)outer) != 0)
			names[count++] = blocks[i].type;
	names[count] = NULL;
	meant = suggest(names, scope->type);
	if (meant != NULL)
		ERROR(loader, scope->place,
			"%.*s { }: there is no such block here; is %s meant?",
			STR_ARG(scope->type), meant);
	else
		ERROR(loader, scope->place,
			"%.*s { }: there is no such block here",
			STR_ARG(scope->type));
}

static void
open_unknown(struct conf_loader *loader, struct conf_scope *scope,
	enum scope_kind outer)
{
	if (conf_is_foreign_section(scope->type) ||
		conf_is_foreign(scope->keys, scope->type))
		WARNING(loader, scope->place,
			"%.*s { }: does not concern Doorstep and is ignored",
			STR_ARG(scope->type));
	else
		report_unknown(loader, scope, outer);
	scope->kind = SCOPE_SKIP;
}

static void
open_by_type(struct conf_loader *loader, struct conf_scope *scope,
	enum scope_kind outer)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(blocks); i++) {
		if (!str_is(scope->type, blocks[i].type) ||
			(blocks[i].scopes & (unsigned)outer) == 0)
			continue;
		if (!scope->is_kept && (blocks[i].flags & KEEPS_IF_CHECKED))
			scope->kind = SCOPE_SKIP;
		else
			blocks[i].open(loader, scope);
		return;
	}
	if (!open_words(loader, scope))
		open_unknown(loader, scope, outer);
}

/* Blocks whose settings become one of the block outside. */
static bool
open_inner(struct conf_loader *loader, struct conf_scope *scope,
	const struct conf_scope *outer)
{
	static const struct {
		const char *type;
		void (*outer)(struct conf_loader *, struct conf_scope *);
		void (*close)(struct conf_loader *, struct conf_scope *);
	} inner[] = {{"dict", close_list, close_list_dict},
		{"dict", close_quota, close_quota_dict},
		{"warning", close_quota, close_quota_warning},
		{"quota_warning", close_quota, close_quota_warning},
		{"execute", close_quota_warning, close_quota_execute}};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(inner); i++) {
		if (!str_is(scope->type, inner[i].type) ||
			outer->close != inner[i].outer)
			continue;
		collect(loader, scope, inner[i].close);
		return true;
	}
	return false;
}

void
conf_block_open(struct conf_loader *loader, const struct conf_line *line)
{
	struct conf_scope *outer = &loader->scopes[loader->depth];
	struct conf_scope *scope = &loader->scopes[++loader->depth];

	*scope = *outer;
	scope->close = NULL;
	scope->type = line->name;
	scope->name = line->value;
	scope->place = line->place;
	if (outer->kind == SCOPE_SKIP)
		return;
	if (outer->kind == SCOPE_PAIRS && open_inner(loader, scope, outer))
		return;
	if (outer->kind == SCOPE_PAIRS || outer->kind == SCOPE_WORDS) {
		WARNING(loader, line->place,
			"%.*s { }: is not supported here and is ignored",
			STR_ARG(line->name));
		scope->kind = SCOPE_SKIP;
		return;
	}
	open_by_type(loader, scope, outer->kind);
}

void
conf_block_close(struct conf_loader *loader)
{
	struct conf_scope *scope = &loader->scopes[loader->depth];

	if (scope->close != NULL)
		scope->close(loader, scope);
	loader->depth--;
}
