/* SPDX-License-Identifier: MIT */
#include "userdb/record.h"

#include "base/user.h"
#include "base/vars.h"

#include "base/banned.h"

void
record_init(struct record *record, struct arena *arena, struct str name,
	const char *service)
{
	memset(record, 0, sizeof(*record));
	record->arena = arena;
	record->asked = name;
	record->name = name;
	record->service = service;
	record->place = "userdb";
	record->user.name = arena_text(arena, name);
}

static struct user_field *
find_field(const struct record *record, struct str name)
{
	size_t i;

	for (i = 0; i < record->count; i++)
		if (str_equal(record->fields[i].name, name))
			return &record->fields[i];
	return NULL;
}

/* ---- Fields that the record has a place for ---------------------------- */

static const char *
place_of(const struct record *record, const char *field)
{
	return arena_format(
		record->arena, "%s: field %s", record->place, field);
}

/* What stands in err gets the place before it. */
static int
say_where(const struct record *record, struct err *err)
{
	return err_detail(err, "%s: %s", record->place,
		arena_text(record->arena, str_from(err->detail)));
}

static int
judge_id(const struct record *record, enum lookup found, const char *field,
	struct str value, struct err *err)
{
	switch (found) {
	case LOOKUP_FOUND:
		return 0;
	case LOOKUP_NONE:
		return err_temp(err, "4.3.5",
			"%s: '%.*s' is neither a number nor known to the "
			"system",
			place_of(record, field), STR_ARG(value));
	case LOOKUP_ERROR:
		break;
	}
	return say_where(record, err);
}

static int
set_uid(struct record *record, struct str value, struct err *err)
{
	struct user *user = &record->user;

	user->has_uid = value.len > 0;
	if (!user->has_uid)
		return 0;
	return judge_id(record,
		user_parse_uid(record->arena, value, &user->uid, err), "uid",
		value, err);
}

static int
set_gid(struct record *record, struct str value, struct err *err)
{
	struct user *user = &record->user;

	user->has_gid = value.len > 0;
	if (!user->has_gid)
		return 0;
	return judge_id(record,
		user_parse_gid(record->arena, value, &user->gid, err), "gid",
		value, err);
}

static int
set_home(struct record *record, struct str value, struct err *err)
{
	record->user.home = NULL;
	if (value.len == 0)
		return 0;
	if (value.data[0] != '/')
		return err_temp(err, "4.3.5",
			"%s: '%.*s' is not an absolute path",
			place_of(record, "home"), STR_ARG(value));
	record->user.home = arena_text(record->arena, value);
	return 0;
}

static int
set_name(struct record *record, struct str value, struct err *err)
{
	if (userdb_name_is_harmful(value))
		return err_temp(err, "4.3.5",
			"%s: no such name can be a user's",
			place_of(record, "user"));
	record->user.name = arena_text(record->arena, value);
	return 0;
}

static int
set_system_groups_user(
	struct record *record, struct str value, struct err *err UNUSED)
{
	record->user.system_groups_user =
		value.len > 0 ? arena_text(record->arena, value) : NULL;
	return 0;
}

static bool
has_uid(const struct record *record)
{
	return record->user.has_uid;
}

static bool
has_gid(const struct record *record)
{
	return record->user.has_gid;
}

static bool
has_home(const struct record *record)
{
	return record->user.home != NULL;
}

static bool
has_name(const struct record *record)
{
	return !str_is(record->asked, record->user.name);
}

static bool
has_system_groups_user(const struct record *record)
{
	return record->user.system_groups_user != NULL;
}

static const struct known_field {
	const char *name;
	int (*set)(struct record *record, struct str value, struct err *err);
	bool (*has)(const struct record *record);
} known_fields[] = {
	{"uid", set_uid, has_uid},
	{"gid", set_gid, has_gid},
	{"home", set_home, has_home},
	{"user", set_name, has_name},
	{"system_groups_user", set_system_groups_user, has_system_groups_user},
};

static const struct known_field *
find_known(struct str name)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(known_fields); i++)
		if (str_is(name, known_fields[i].name))
			return &known_fields[i];
	return NULL;
}

/* ---- All fields -------------------------------------------------------- */

bool
record_has(const struct record *record, struct str name)
{
	const struct known_field *known = find_known(name);

	if (known != NULL)
		return known->has(record);
	return find_field(record, name) != NULL;
}

static int
set_other(struct record *record, struct str name, struct str value,
	struct err *err)
{
	struct user_field *field = find_field(record, name);

	if (field == NULL) {
		if (record->fields == NULL)
			record->fields = ARENA_ARRAY(record->arena,
				struct user_field, USERDB_FIELDS_MAX);
		if (record->count == USERDB_FIELDS_MAX)
			return err_temp(err, "4.3.5", "%s: more than %d fields",
				record->place, USERDB_FIELDS_MAX);
		field = &record->fields[record->count++];
		field->name = arena_copy(record->arena, name);
	}
	field->value = value;
	return 0;
}

static int
remove_field(struct record *record, struct str name, struct err *err)
{
	const struct known_field *known = find_known(name);
	struct user_field *field = find_field(record, name);

	if (known != NULL && str_is(name, "user"))
		return known->set(record, record->asked, err);
	if (known != NULL)
		return known->set(record, STR_EMPTY, err);
	if (field != NULL)
		*field = record->fields[--record->count];
	return 0;
}

static int
expand_value(struct record *record, struct str template, struct str *value_out,
	struct err *err)
{
	const struct var vars[] = {
		{'u', "user", record->name},
		{'s', "service", str_from(record->service)},
		/* Without a home "%h" is unknown rather than empty. */
		{'h', "home", str_from(record->user.home)},
	};
	size_t count = ARRAY_LENGTH(vars) - (record->user.home == NULL);

	if (vars_expand_path(
		    record->arena, template, vars, count, value_out, err) < 0)
		return say_where(record, err);
	return 0;
}

enum suffix { SUFFIX_NONE, SUFFIX_DEFAULT, SUFFIX_PROTECTED, SUFFIX_REMOVE };

/* Takes ":default" and its like off the name. */
static enum suffix
take_suffix(struct str *name)
{
	static const char *const suffixes[] = {
		[SUFFIX_DEFAULT] = ":default",
		[SUFFIX_PROTECTED] = ":protected",
		[SUFFIX_REMOVE] = ":remove",
	};
	size_t i;

	for (i = SUFFIX_DEFAULT; i < ARRAY_LENGTH(suffixes); i++) {
		struct str suffix = str_from(suffixes[i]);

		if (!str_ends(*name, suffix))
			continue;
		*name = str_slice(*name, 0, name->len - suffix.len);
		return (enum suffix)i;
	}
	return SUFFIX_NONE;
}

int
record_set(struct record *record, struct str name, struct str value,
	struct err *err)
{
	enum suffix suffix = take_suffix(&name);
	const struct known_field *known = find_known(name);
	struct str text;

	if (name.len == 0)
		return err_temp(err, "4.3.5", "%s: a field without a name",
			record->place);
	if (suffix == SUFFIX_REMOVE)
		return remove_field(record, name, err);
	if (suffix == SUFFIX_DEFAULT && record_has(record, name))
		return 0;
	if (expand_value(record, value, &text, err) < 0)
		return -1;
	if (known != NULL)
		return known->set(record, text, err);
	return set_other(record, name, text, err);
}

static void
split_word(struct str word, struct str *name_out, struct str *value_out)
{
	size_t at = str_find_char(word, '=');

	*name_out = str_slice(word, 0, at);
	*value_out = at < word.len ? str_skip(word, at + 1) : STR("yes");
}

int
record_set_word(struct record *record, struct str word, struct err *err)
{
	struct str name, value;

	split_word(word, &name, &value);
	return record_set(record, name, value, err);
}

int
record_set_words(struct record *record, struct str words, bool only_missing,
	struct err *err)
{
	struct str word, name, value;

	while (record_next_word(record->arena, &words, &word)) {
		split_word(word, &name, &value);
		if (only_missing && record_has(record, name))
			continue;
		if (record_set(record, name, value, err) < 0)
			return -1;
	}
	return 0;
}

const struct user *
record_end(struct record *record)
{
	struct user *user = ARENA_NEW(record->arena, struct user);

	*user = record->user;
	user->fields = record->fields;
	user->field_count = record->count;
	return user;
}

/* ---- Words ------------------------------------------------------------- */

struct str
record_unescape(struct arena *arena, struct str text)
{
	char *copy = arena_alloc(arena, text.len + 1);
	size_t i, len = 0;

	for (i = 0; i < text.len; i++) {
		if (text.data[i] == '\\' && i + 1 < text.len)
			i++;
		copy[len++] = text.data[i];
	}
	return str_of(copy, len);
}

bool
record_next_word(struct arena *arena, struct str *rest, struct str *word_out)
{
	size_t start = 0, end;

	while (start < rest->len && ascii_is_space(rest->data[start]))
		start++;
	end = start;
	while (end < rest->len && !ascii_is_space(rest->data[end])) {
		if (rest->data[end] == '\\' && end + 1 < rest->len)
			end++;
		end++;
	}
	*word_out = record_unescape(arena, str_slice(*rest, start, end));
	*rest = str_skip(*rest, end);
	return end > start;
}

int
record_check_words(struct str words, const char *place, struct err *err)
{
	static const struct var vars[] = {{'u', "user", {"", 0}},
		{'s', "service", {"", 0}}, {'h', "home", {"", 0}}};
	struct arena *arena = arena_open();
	struct str word, name, value;
	int result = 0;

	while (result == 0 && record_next_word(arena, &words, &word)) {
		split_word(word, &name, &value);
		if (name.len == 0)
			result = err_temp(err, "4.3.5",
				"%s: a field without a name", place);
		else if (vars_check(value, vars, ARRAY_LENGTH(vars), err) < 0)
			result = err_detail(err, "%s: %s", place,
				arena_text(arena, str_from(err->detail)));
	}
	arena_close(&arena);
	return result;
}
