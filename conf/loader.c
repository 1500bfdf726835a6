/* SPDX-License-Identifier: MIT */
#include "conf/loader.h"

#include <errno.h>
#include <inttypes.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/number.h"
#include "conf/block.h"
#include "conf/names.h"
#include "conf/report.h"
#include "conf/value.h"

#include "base/banned.h"

#define ERROR(loader, place, ...)                                              \
	conf_report_error((loader)->arena, (loader)->report, place, __VA_ARGS__)
#define WARNING(loader, place, ...)                                            \
	conf_report_warning(                                                   \
		(loader)->arena, (loader)->report, place, __VA_ARGS__)

static size_t
index_of(const struct conf_key *key)
{
	return (size_t)(key - conf_top_keys.items);
}

/* ---- defaults ---- */

void
conf_loader_set_defaults(
	struct arena *arena, const struct conf_keys *keys, void *object)
{
	const char *expected;
	size_t i;

	for (i = 0; i < keys->count; i++) {
		const struct conf_key *key = &keys->items[i];

		/* A family's fields are zero: it has no items. */
		if (key->type != CONF_TYPE_FAMILY &&
			conf_value_parse(arena, key, str_from(key->fallback),
				object, &expected) < 0)
			BUG("the default of %s is not %s", key->name, expected);
	}
}

static void
init(struct conf_loader *loader, struct arena *arena,
	struct conf_report *report)
{
	size_t count = conf_top_keys.count;

	*loader = (struct conf_loader){.arena = arena, .report = report};
	loader->settings = ARENA_NEW(arena, struct settings);
	loader->levels = ARENA_ARRAY(arena, unsigned char, count);
	loader->texts = ARENA_ARRAY(arena, struct str, count);
	loader->scopes[0] = (struct conf_scope){.kind = SCOPE_TOP,
		.level = CONF_LEVEL_GLOBAL,
		.is_kept = true,
		.keys = &conf_top_keys,
		.object = loader->settings};
}

void
conf_loader_init(struct conf_loader *loader, struct arena *arena,
	struct conf_report *report)
{
	size_t i;

	init(loader, arena, report);
	conf_loader_set_defaults(arena, &conf_top_keys, loader->settings);
	loader->settings->places =
		ARENA_ARRAY(arena, struct conf_place, conf_top_keys.count);
	for (i = 0; i < conf_top_keys.count; i++)
		loader->settings->places[i].file = "";
}

struct conf_family *
conf_loader_family(struct settings *settings, const struct conf_key *key)
{
	return (struct conf_family *)(void *)((char *)settings + key->offset);
}

static void *
copy_array(struct arena *arena, const void *items, size_t size, size_t count)
{
	size_t room = 1;

	/* The same room that conf_loader_grow() expects. */
	while (room < count)
		room *= 2;
	return arena_grow(arena, items, size, count, room);
}

void
conf_loader_init_copy(struct conf_loader *loader, struct arena *arena,
	struct conf_report *report, const struct settings *settings)
{
	struct settings *copy;
	size_t i;

	init(loader, arena, report);
	copy = loader->settings;
	*copy = *settings;
	copy->places = copy_array(arena, settings->places,
		sizeof(*copy->places), conf_top_keys.count);
	for (i = 0; i < conf_top_keys.count; i++) {
		const struct conf_key *key = &conf_top_keys.items[i];
		struct conf_family *family;

		if (key->type != CONF_TYPE_FAMILY)
			continue;
		family = conf_loader_family(copy, key);
		family->items = copy_array(arena, family->items,
			sizeof(*family->items), family->count);
	}
}

/* Room for one more in an array that doubles when its count is a power of two.
 * The new item is zero. */
void *
conf_loader_grow(struct arena *arena, void *items, size_t size, size_t *count)
{
	size_t old = (*count)++;

	if ((old & (old - 1)) == 0)
		items = arena_grow(
			arena, items, size, old, old == 0 ? 1 : 2 * old);
	return items;
}

/* ---- values ---- */

static void
report_wrong(struct conf_loader *loader, const struct conf_line *line,
	const char *expected)
{
	ERROR(loader, line->place, "%.*s: found \"%.*s\", expected %s",
		STR_ARG(line->name), STR_ARG(line->value), expected);
}

/* The text behind "<" for a key that needs it at once.  False: reported. */
static bool
read_value(struct conf_loader *loader, const struct conf_line *line,
	struct str *text_out)
{
	const char *path = arena_text(loader->arena, line->value);
	struct buf buf;
	bool is_good = false;

	buf_init(&buf, CONF_LINE_BYTES_MAX);
	if (fd_read_file(path, &buf) < 0) {
		ERROR(loader, line->place,
			"%.*s: cannot read the file %s: %s (a value that "
			"begins with \"<\" needs quotes)",
			STR_ARG(line->name), path, strerror(errno));
	} else {
		*text_out = str_trim(arena_copy(loader->arena, buf_view(&buf)));
		is_good = str_find_char(*text_out, '\n') == text_out->len &&
		          !str_has_char(*text_out, '\0');
		if (!is_good)
			ERROR(loader, line->place,
				"%.*s: the file %s has more than one line",
				STR_ARG(line->name), path);
	}
	buf_clear(&buf);
	return is_good;
}

/* Is this a name that "$name" can mean? */
static bool
is_key_name(struct str s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (!(s.data[i] >= 'a' && s.data[i] <= 'z') &&
			!ascii_is_digit(s.data[i]) && s.data[i] != '_')
			return false;
	return s.len > 0;
}

static bool
find_text(struct conf_loader *loader, struct str name, struct str *text_out)
{
	const struct conf_key *key = conf_key_find(&conf_top_keys, name);
	const struct conf_family *family;
	unsigned root, number;
	size_t i;

	if (key != NULL && key->type != CONF_TYPE_FAMILY) {
		*text_out = loader->texts[index_of(key)];
		if (text_out->data == NULL)
			*text_out = str_from(key->fallback);
		return true;
	}
	key = conf_key_find_family(name, &root, &number);
	if (key == NULL)
		return false;
	family = conf_loader_family(loader->settings, key);
	*text_out = STR_EMPTY;
	for (i = 0; i < family->count; i++)
		if (family->items[i].root == root &&
			family->items[i].number == number)
			*text_out = str_from(family->items[i].value);
	return true;
}

/* Puts the value of a setting where "$name" stands as a word.  Other words that
 * begin with "$" are what they are ("%$", "$1$salt"). */
static bool
substitute(struct conf_loader *loader, const struct conf_line *line,
	struct str *value)
{
	struct str rest = *value, word, name, text;
	struct buf buf;
	bool is_good = true;

	if (line->is_quoted || !str_has_char(*value, '$'))
		return true;
	buf_init(&buf, CONF_LINE_BYTES_MAX);
	while (rest.len > 0) {
		word = str_slice(rest, 0, str_find_any(rest, " \t"));
		name = str_skip(word, 1);
		if (str_starts(word, STR("$SET:")))
			name = str_skip(word, 5);
		rest = str_skip(rest, word.len);
		if (word.len < 2 || word.data[0] != '$' || !is_key_name(name)) {
			buf_add(&buf, word);
		} else if (find_text(loader, name, &text)) {
			buf_add(&buf, text);
		} else {
			ERROR(loader, line->place,
				"%.*s: found \"$%.*s\", but there is no "
				"setting of that name",
				STR_ARG(line->name), STR_ARG(name));
			is_good = false;
		}
		while (rest.len > 0 &&
			(rest.data[0] == ' ' || rest.data[0] == '\t')) {
			buf_add_char(&buf, rest.data[0]);
			rest = str_skip(rest, 1);
		}
	}
	if (buf.overflowed) {
		ERROR(loader, line->place,
			"%.*s: with its \"$\" replaced the value is longer "
			"than %d bytes",
			STR_ARG(line->name), CONF_LINE_BYTES_MAX);
		is_good = false;
	}
	*value = str_trim(arena_copy(loader->arena, buf_view(&buf)));
	buf_clear(&buf);
	return is_good;
}

/* The value of a line as a key takes it.  False: it was reported, or there is
 * nothing to be set. */
static bool
final_value(struct conf_loader *loader, const struct conf_scope *scope,
	const struct conf_line *line, struct str *value_out)
{
	*value_out = line->value;
	if (line->is_path)
		return scope->is_kept && read_value(loader, line, value_out);
	if (scope->level >= CONF_LEVEL_COMMAND)
		return true;
	return substitute(loader, line, value_out);
}

static void
warn_bare_unit(struct conf_loader *loader, const struct conf_key *key,
	const struct conf_line *line, struct str value)
{
	uint64_t number;

	if (key->type == CONF_TYPE_DURATION &&
		number_parse(value, &number) == 0 && number > 0)
		WARNING(loader, line->place,
			"%.*s: found \"%.*s\" without a unit; it counts "
			"seconds",
			STR_ARG(line->name), STR_ARG(value));
}

/* Sets a field of any object; false when the value is wrong. */
bool
conf_loader_set_field(struct conf_loader *loader, const struct conf_key *key,
	const struct conf_line *line, struct str value, void *object)
{
	struct conf_line shown = *line;
	const char *expected;

	shown.value = value;
	if (line->is_path && key->type == CONF_TYPE_TEXT) {
		conf_value_set_path(
			key, arena_text(loader->arena, line->value), object);
		return true;
	}
	if (conf_value_parse(loader->arena, key, value, object, &expected) <
		0) {
		report_wrong(loader, &shown, expected);
		return false;
	}
	warn_bare_unit(loader, key, line, value);
	return true;
}

static struct settings *
scratch(struct conf_loader *loader)
{
	if (loader->scratch == NULL)
		loader->scratch = ARENA_NEW(loader->arena, struct settings);
	return loader->scratch;
}

void
conf_loader_set_top(struct conf_loader *loader, const struct conf_scope *scope,
	const struct conf_key *key, const struct conf_line *line)
{
	size_t index = index_of(key);
	bool wins = scope->is_kept && scope->level >= loader->levels[index];
	struct str value = line->value;

	/* A TEXT's file is read by who needs it. */
	if (!(line->is_path && key->type == CONF_TYPE_TEXT) &&
		!final_value(loader, scope, line, &value))
		return;
	if (!conf_loader_set_field(loader, key, line, value,
		    wins ? loader->settings : scratch(loader)))
		return;
	if (!wins)
		return;
	loader->levels[index] = (unsigned char)scope->level;
	loader->texts[index] = value;
	loader->settings->places[index] = line->place;
}

static int
compare_numbered(
	const struct conf_numbered *item, unsigned root, unsigned number)
{
	if (item->root != root)
		return item->root < root ? -1 : 1;
	if (item->number != number)
		return item->number < number ? -1 : 1;
	return 0;
}

static void
remove_numbered(struct conf_family *family, size_t at)
{
	memmove(family->items + at, family->items + at + 1,
		(family->count - at - 1) * sizeof(*family->items));
	family->count--;
}

/* Keeps the order.  An empty value takes the item away. */
void
conf_loader_put(struct conf_loader *loader, struct conf_family *family,
	struct conf_numbered item)
{
	size_t at = 0;
	bool is_there;

	while (at < family->count && compare_numbered(&family->items[at],
					     item.root, item.number) < 0)
		at++;
	is_there = at < family->count && compare_numbered(&family->items[at],
						 item.root, item.number) == 0;
	if (is_there && family->items[at].level > item.level)
		return;
	if (item.value[0] == '\0') {
		if (is_there)
			remove_numbered(family, at);
		return;
	}
	if (!is_there) {
		if (family->count == CONF_FAMILY_MAX) {
			ERROR(loader, item.place,
				"more than %d numbered settings of this name",
				CONF_FAMILY_MAX);
			return;
		}
		family->items = conf_loader_grow(loader->arena, family->items,
			sizeof(*family->items), &family->count);
		memmove(family->items + at + 1, family->items + at,
			(family->count - 1 - at) * sizeof(*family->items));
	}
	family->items[at] = item;
}

static void
set_family(struct conf_loader *loader, const struct conf_scope *scope,
	const struct conf_key *key, unsigned root, unsigned number,
	const struct conf_line *line)
{
	struct str value;

	if (!final_value(loader, scope, line, &value) || !scope->is_kept)
		return;
	conf_loader_put(loader, conf_loader_family(loader->settings, key),
		(struct conf_numbered){.root = root,
			.number = number,
			.value = arena_text(loader->arena, value),
			.place = line->place,
			.level = scope->level});
}

/* Another name's value, said in terms of a key: "quota_rule". */
void
conf_loader_set(struct conf_loader *loader, const struct conf_scope *scope,
	const char *name, const char *value, struct conf_place place)
{
	struct conf_line line = {.kind = CONF_LINE_KEY,
		.name = str_from(name),
		.value = str_from(value),
		.is_quoted = true,
		.place = place};
	const struct conf_key *key = conf_key_find(&conf_top_keys, line.name);
	unsigned root, number;

	if (key != NULL && key->type != CONF_TYPE_FAMILY) {
		conf_loader_set_top(loader, scope, key, &line);
		return;
	}
	key = conf_key_find_family(line.name, &root, &number);
	if (key == NULL)
		BUG("no setting %s", name);
	set_family(loader, scope, key, root, number, &line);
}

/* ---- names that are not in keys.def ---- */

static bool
set_alias(struct conf_loader *loader, const struct conf_scope *scope,
	const struct conf_line *line)
{
	const struct conf_alias *alias = conf_alias_find(line->name);
	struct conf_line renamed = *line;
	const struct conf_key *key;

	if (alias == NULL)
		return false;
	key = conf_key_find(&conf_top_keys, str_from(alias->key));
	if (key == NULL)
		BUG("alias of an unknown setting %s", alias->key);
	if (alias->is_path && line->value.len > 0)
		renamed.is_path = true;
	conf_loader_set_top(loader, scope, key, &renamed);
	return true;
}

static bool
set_location_part(struct conf_loader *loader, const struct conf_scope *scope,
	const struct conf_line *line)
{
	enum conf_location_part part;
	struct str value;

	if (!conf_location_find(line->name, &part))
		return false;
	if (!final_value(loader, scope, line, &value) || !scope->is_kept ||
		scope->level < loader->location_levels[part])
		return true;
	if (part == CONF_LOCATION_UTF8 && !str_is_nocase(value, "yes") &&
		!str_is_nocase(value, "no")) {
		report_wrong(loader, line, "yes or no");
		return true;
	}
	loader->location_levels[part] = scope->level;
	loader->location.parts[part] = arena_text(loader->arena, value);
	loader->location.place = line->place;
	loader->location.is_given = true;
	return true;
}

/* quota_storage_size and the like: finish_quota() makes rules of them. */
static bool
set_quota_name(struct conf_loader *loader, const struct conf_scope *scope,
	const struct conf_line *line)
{
	const char *expected, *value;
	struct conf_quota_said *said;
	struct str text;
	size_t which;

	if (!str_starts(line->name, STR("quota_")))
		return false;
	which = conf_quota_name_find(str_skip(line->name, 6));
	if (which == CONF_QUOTA_NAMES)
		return false;
	said = &loader->quota_said[which];
	if (!final_value(loader, scope, line, &text))
		return true;
	value = conf_quota_name_value(loader->arena, which, text, &expected);
	if (value == NULL)
		report_wrong(loader, line, expected);
	else if (scope->is_kept &&
		 (said->value == NULL || scope->level >= said->level))
		*said = (struct conf_quota_said){
			value, scope->level, line->place};
	return true;
}

/* The few that need a rule of their own. */
static bool
set_special(struct conf_loader *loader, const struct conf_scope *scope,
	const struct conf_line *line)
{
	if (!str_is(line->name, "ssl_server_prefer_ciphers"))
		return set_quota_name(loader, scope, line);
	if (!str_is(line->value, "server") && !str_is(line->value, "client")) {
		report_wrong(loader, line, "client or server");
		return true;
	}
	conf_loader_set(loader, scope, "ssl_prefer_server_ciphers",
		str_is(line->value, "server") ? "yes" : "no", line->place);
	return true;
}

static void
report_foreign(struct conf_loader *loader, const struct conf_line *line,
	const char *suggestion)
{
	if (suggestion != NULL)
		WARNING(loader, line->place,
			"%.*s: does not concern Doorstep and is ignored (or is "
			"%s meant?)",
			STR_ARG(line->name), suggestion);
	else
		WARNING(loader, line->place,
			"%.*s: does not concern Doorstep and is ignored",
			STR_ARG(line->name));
}

static void
report_unknown(struct conf_loader *loader, const struct conf_scope *scope,
	const struct conf_line *line, const char *suggestion)
{
	if (suggestion != NULL)
		ERROR(loader, line->place,
			"%.*s: there is no setting of that name; is %s meant?",
			STR_ARG(line->name), suggestion);
	else if (scope->kind == SCOPE_PLUGIN)
		/* Anybody's plugin may have its settings there. */
		WARNING(loader, line->place,
			"%.*s: is no setting of Doorstep and is ignored",
			STR_ARG(line->name));
	else
		ERROR(loader, line->place,
			"%.*s: there is no setting of that name",
			STR_ARG(line->name));
}

static void
take_unknown(struct conf_loader *loader, const struct conf_scope *scope,
	const struct conf_line *line)
{
	bool is_foreign = conf_is_foreign(scope->keys, line->name);

	if (loader->is_lenient || (is_foreign && !loader->report->is_thorough))
		return;
	if (is_foreign)
		report_foreign(loader, line,
			conf_key_suggest(scope->keys, line->name));
	else
		report_unknown(loader, scope, line,
			conf_key_suggest(scope->keys, line->name));
}

static void
take_top(struct conf_loader *loader, const struct conf_scope *scope,
	const struct conf_line *line)
{
	const struct conf_key *key = conf_key_find(&conf_top_keys, line->name);
	unsigned root, number;

	if (key != NULL && key->type != CONF_TYPE_FAMILY) {
		conf_loader_set_top(loader, scope, key, line);
		return;
	}
	key = conf_key_find_family(line->name, &root, &number);
	if (key != NULL) {
		set_family(loader, scope, key, root, number, line);
		return;
	}
	if (!set_alias(loader, scope, line) &&
		!set_location_part(loader, scope, line) &&
		!set_special(loader, scope, line))
		take_unknown(loader, scope, line);
}

/* ---- keys of blocks ---- */

/* Inside `mailbox { }` 2.4 takes "auto" and "mailbox_auto" alike. */
static const struct conf_key *
find_block_key(struct conf_loader *loader, const struct conf_scope *scope,
	struct str name)
{
	const struct conf_key *key = conf_key_find(scope->keys, name);
	const char *prefix =
		arena_format(loader->arena, "%.*s_", STR_ARG(scope->type));

	if (key == NULL && str_starts(name, str_from(prefix)))
		key = conf_key_find(
			scope->keys, str_skip(name, strlen(prefix)));
	if (key == NULL)
		key = conf_key_find(
			scope->keys, str_from(arena_format(loader->arena,
					     "%s%.*s", prefix, STR_ARG(name))));
	return key;
}

const char *
conf_append_word(struct arena *arena, const char *words, const char *word)
{
	return words[0] == '\0' ? word
	                        : arena_format(arena, "%s %s", words, word);
}

/* With a backslash before what would end a word of fields. */
const char *
conf_escape_word(struct arena *arena, struct str word)
{
	struct buf buf;
	const char *text;
	size_t i;

	buf_init(&buf, BUF_UNLIMITED);
	for (i = 0; i < word.len; i++) {
		if (str_has_char(STR(" \t\\"), word.data[i]))
			buf_add_char(&buf, '\\');
		buf_add_char(&buf, word.data[i]);
	}
	text = arena_text(arena, buf_view(&buf));
	buf_clear(&buf);
	return text;
}

/* 2.4 has a setting for each thing that `args` named; that name counts too. */
static const struct userdb_alias {
	const char *name;
	const char *option; /* in `args`; NULL: the path behind the options */
	bool is_switch;
} userdb_aliases[] = {
	{"passwd_file_path", NULL, false},
	{"static_allow_all_users", "allow_all_users", true},
	{"allow_all_users", "allow_all_users", true},
	{"auth_username_format", "username_format", false},
	{"username_format", "username_format", false},
};

static const struct userdb_alias *
find_userdb_alias(struct str name)
{
	size_t i;

	if (str_starts(name, STR("userdb_")))
		name = str_skip(name, 7);
	for (i = 0; i < ARRAY_LENGTH(userdb_aliases); i++)
		if (str_is(name, userdb_aliases[i].name))
			return &userdb_aliases[i];
	return NULL;
}

/* Where in `args` the path begins; their length when there is none. */
static size_t
find_args_path(struct str args)
{
	struct str rest = args, word;

	while (str_next_word(&rest, &word))
		if (word.data[0] == '/')
			return (size_t)(word.data - args.data);
	return args.len;
}

/* The options stand before the path, in whatever order the block has them. */
static void
add_to_args(struct conf_loader *loader, struct conf_userdb *userdb,
	const struct userdb_alias *alias, struct str value)
{
	struct arena *arena = loader->arena;
	struct str args = str_from(userdb->args);
	size_t at = find_args_path(args);
	const char *path = arena_text(arena, str_skip(args, at));
	const char *words = arena_text(arena, str_trim(str_slice(args, 0, at)));

	if (alias->option == NULL)
		path = arena_text(arena, value);
	else
		words = conf_append_word(arena, words,
			arena_format(arena, "%s=%s", alias->option,
				conf_escape_word(arena, value)));
	userdb->args =
		path[0] == '\0' ? words : conf_append_word(arena, words, path);
}

static bool
take_userdb_alias(struct conf_loader *loader, const struct conf_scope *scope,
	const struct conf_line *line)
{
	static const struct conf_key yes_or_no = {.type = CONF_TYPE_BOOL};
	const struct userdb_alias *alias = find_userdb_alias(line->name);
	struct str value;
	bool is_yes = false;

	if (alias == NULL)
		return false;
	if (!final_value(loader, scope, line, &value))
		return true;
	if (alias->is_switch) {
		if (!conf_loader_set_field(
			    loader, &yes_or_no, line, value, &is_yes))
			return true;
		value = is_yes ? STR("yes") : STR("no");
	}
	add_to_args(loader, scope->object, alias, value);
	return true;
}

static bool
is_namespace_part(struct conf_loader *loader, const struct conf_scope *scope,
	const struct conf_line *line)
{
	enum conf_location_part part;

	if (scope->kind != SCOPE_NAMESPACE ||
		!conf_location_find(line->name, &part))
		return false;
	ERROR(loader, line->place,
		"%.*s: not in a namespace; expected location = ...",
		STR_ARG(line->name));
	return true;
}

/* ssl_server_cert_file of 2.4 in a `local_name { }` */
static const struct conf_key *
find_block_alias(const struct conf_scope *scope, struct conf_line *line)
{
	const struct conf_alias *alias = scope->kind == SCOPE_LOCAL_NAME
	                                         ? conf_alias_find(line->name)
	                                         : NULL;

	if (alias == NULL)
		return NULL;
	if (alias->is_path && line->value.len > 0)
		line->is_path = true;
	return conf_key_find(scope->keys, str_from(alias->key));
}

static void
take_block(struct conf_loader *loader, const struct conf_scope *scope,
	const struct conf_line *written)
{
	struct conf_line renamed = *written, *line = &renamed;
	const struct conf_key *key = find_block_key(loader, scope, line->name);
	struct str value;

	if (key == NULL)
		key = find_block_alias(scope, line);

	if (key != NULL) {
		/* A TEXT's file is read by who needs it. */
		if (line->is_path && key->type == CONF_TYPE_TEXT)
			(void)conf_loader_set_field(
				loader, key, line, line->value, scope->object);
		else if (final_value(loader, scope, line, &value))
			(void)conf_loader_set_field(
				loader, key, line, value, scope->object);
		return;
	}
	if (scope->kind == SCOPE_USERDB &&
		take_userdb_alias(loader, scope, line))
		return;
	if (!is_namespace_part(loader, scope, line))
		take_unknown(loader, scope, line);
}

static void
take_pair(struct conf_loader *loader, struct conf_scope *scope,
	const struct conf_line *line)
{
	struct conf_pairs *pairs = scope->pairs;
	struct str value;

	if (!final_value(loader, scope, line, &value))
		return;
	if (pairs->count == CONF_PAIRS_MAX) {
		ERROR(loader, line->place, "more than %d settings in one block",
			CONF_PAIRS_MAX);
		return;
	}
	pairs->places[pairs->count] = line->place;
	pairs->items[pairs->count++] = (struct conf_pair){line->name, value};
}

/* ---- lines ---- */

void
conf_loader_take(struct conf_loader *loader, const struct conf_line *line)
{
	struct conf_scope *scope = &loader->scopes[loader->depth];

	switch (line->kind) {
	case CONF_LINE_OPEN:
		conf_block_open(loader, line);
		return;
	case CONF_LINE_CLOSE:
		conf_block_close(loader);
		return;
	case CONF_LINE_END:
		return;
	case CONF_LINE_KEY:
		break;
	}
	switch (scope->kind) {
	case SCOPE_TOP:
	case SCOPE_PLUGIN:
		take_top(loader, scope, line);
		return;
	case SCOPE_USERDB:
	case SCOPE_NAMESPACE:
	case SCOPE_MAILBOX:
	case SCOPE_SERVICE:
	case SCOPE_LISTENER:
	case SCOPE_LOCAL_NAME:
	case SCOPE_PROXY_GROUP:
	case SCOPE_BACKEND:
		take_block(loader, scope, line);
		return;
	case SCOPE_PAIRS:
	case SCOPE_WORDS:
		take_pair(loader, scope, line);
		return;
	case SCOPE_SKIP:
		return;
	}
}

void
conf_loader_assign(struct conf_loader *loader, struct str path,
	struct str value, enum conf_level level, struct conf_place place)
{
	struct conf_line line = {.kind = CONF_LINE_OPEN, .place = place};
	size_t depth = loader->depth;

	loader->scopes[0].level = level;
	if (str_starts(path, STR("plugin/")))
		path = str_skip(path, 7);
	while (str_has_char(path, '/') && loader->depth < CONF_NESTING_MAX) {
		(void)str_next_field(&path, '/', &line.name);
		(void)str_next_field(&path, '/', &line.value);
		conf_loader_take(loader, &line);
	}
	line = (struct conf_line){.kind = CONF_LINE_KEY,
		.name = path,
		.value = value,
		.place = place};
	if (level == CONF_LEVEL_COMMAND) {
		line.value =
			conf_unquote(loader->arena, value, &line.is_quoted);
		if (!line.is_quoted && str_starts(value, STR("<"))) {
			line.is_path = true;
			line.value = str_trim(str_skip(value, 1));
		}
	}
	conf_loader_take(loader, &line);
	while (loader->depth > depth)
		conf_block_close(loader);
	loader->scopes[0].level = CONF_LEVEL_GLOBAL;
}

static void
finish_location(struct conf_loader *loader)
{
	const char *location;

	if (!loader->location.is_given)
		return;
	location = conf_location_merge(loader->arena,
		loader->settings->mail_location, &loader->location);
	conf_loader_set(loader,
		&(struct conf_scope){.kind = SCOPE_TOP,
			.level = CONF_LEVEL_USER,
			.is_kept = true},
		"mail_location", location, loader->location.place);
}

static void
finish_userdbs(struct conf_loader *loader)
{
	size_t i;

	for (i = 0; i < loader->settings->userdb_count; i++) {
		struct conf_userdb *userdb = &loader->settings->userdbs[i];

		if (userdb->driver[0] == '\0')
			userdb->driver = userdb->name;
		if (userdb->driver[0] == '\0')
			ERROR(loader, userdb->place,
				"userdb: driver is missing");
	}
}

/* What the root says itself counts more, unless this was said at a higher level. */
static void
finish_quota_root(struct conf_loader *loader, unsigned root, size_t which)
{
	const struct conf_quota_said *said = &loader->quota_said[which];
	const char *name = arena_format(loader->arena, "quota%s%s",
		root == 1 ? "" : arena_format(loader->arena, "%u", root),
		conf_quota_names[which].tail);
	const struct conf_key *key;
	struct conf_family *family;
	unsigned number;
	size_t i;

	key = conf_key_find_family(str_from(name), &root, &number);
	if (key == NULL)
		BUG("no setting %s", name);
	family = conf_loader_family(loader->settings, key);
	for (i = 0; i < family->count; i++)
		if (family->items[i].root == root &&
			family->items[i].number == number &&
			family->items[i].level >= said->level)
			return;
	conf_loader_put(loader, family,
		(struct conf_numbered){.root = root,
			.number = number,
			.value = said->value,
			.place = said->place,
			.level = said->level});
}

/* Without a root the first one's: `config check` says that there is none. */
static void
finish_quota(struct conf_loader *loader)
{
	const struct conf_family *roots = &loader->settings->quota;
	size_t which, i;

	for (which = 0; which < CONF_QUOTA_NAMES; which++) {
		if (loader->quota_said[which].value == NULL)
			continue;
		for (i = 0; i < roots->count; i++)
			finish_quota_root(
				loader, roots->items[i].number, which);
		if (roots->count == 0)
			finish_quota_root(loader, 1, which);
	}
}

/* Greatest 0 means no limit. */
static void
check_range(struct conf_loader *loader, const char *name, uint64_t first,
	uint64_t last)
{
	if (last != 0 && last < first)
		ERROR(loader, conf_place(loader->settings, name),
			"%s: found %" PRIu64 ", expected nothing below the "
			"first valid one, %" PRIu64,
			name, last, first);
}

void
conf_loader_finish(struct conf_loader *loader)
{
	const struct settings *settings = loader->settings;

	finish_location(loader);
	finish_userdbs(loader);
	finish_quota(loader);
	check_range(loader, "last_valid_uid", settings->first_valid_uid,
		settings->last_valid_uid);
	check_range(loader, "last_valid_gid", settings->first_valid_gid,
		settings->last_valid_gid);
}
