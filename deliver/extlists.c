/* SPDX-License-Identifier: MIT */
#include "deliver/extlists.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/number.h"
#include "dict/dict.h"
#include "dict/file.h"
#include "sieve/sieve.h"
#include "deliver/setup.h"

#include "base/banned.h"

enum { LOOKUP_SIZE = 1024, WALK_STEP = 1000 };

/* What a comparator makes of the list's values, in order. */
struct folded {
	struct folded *next;
	struct str (*fold)(struct arena *arena, struct str s);
	struct str *values;
};

struct extlist {
	struct str name; /* in the form of sieve_list_name() */
	uint64_t max_lookup_size;
	const char *path; /* a template; NULL: an empty list */
	enum dict_file_kind kind;
	bool is_loaded;
	struct str *values;
	size_t count, size;
	struct folded *folded;
};

struct extlists {
	const struct job *job;
	const struct delivery *delivery;
	const struct settings *settings;
	struct extlist *items;
	size_t count;
};

/* ---- settings ---- */

static const struct {
	struct str prefix;
	enum dict_file_kind kind;
	const char *suffix; /* of the file, as Postfix has it */
} kinds[] = {
	{{"file:", 5}, DICT_FILE_PAIRS, ""},
	{{"lines:", 6}, DICT_FILE_LINES, ""},
	{{"hash:", 5}, DICT_FILE_BERKELEY, ".db"},
	{{"btree:", 6}, DICT_FILE_BERKELEY, ".db"},
	{{"cdb:", 4}, DICT_FILE_CDB, ".cdb"},
	{{"texthash:", 9}, DICT_FILE_TEXT, ""},
};

/* The rest of the setting is a path, blanks in it included. */
static bool
take_file(struct arena *arena, struct str rest, struct extlist *list)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(kinds); i++)
		if (str_starts(rest, kinds[i].prefix) &&
			rest.len > kinds[i].prefix.len) {
			list->kind = kinds[i].kind;
			list->path = arena_format(arena, "%.*s%s",
				STR_ARG(str_skip(rest, kinds[i].prefix.len)),
				kinds[i].suffix);
			return true;
		}
	return false;
}

static bool
take_size(struct str *rest, struct extlist *list)
{
	struct str option = STR("max_lookup_size="), word;

	return str_starts(*rest, option) && str_next_word(rest, &word) &&
	       number_parse_size(str_skip(word, option.len), 1,
		       &list->max_lookup_size) == 0;
}

static int
parse(struct arena *arena, const char *setting, struct extlist *list,
	struct err *err)
{
	struct str rest = str_from(setting), name = STR_EMPTY;

	*list = (struct extlist){.max_lookup_size = LOOKUP_SIZE};
	if (str_next_word(&rest, &name))
		list->name = sieve_list_name(arena, name);
	if (list->name.len == 0)
		return err_temp(err, "4.3.5",
			"sieve_extlists_list: found \"%s\", expected the name "
			"of a list, such as tag:example.org,2026:friends",
			setting);
	for (rest = str_trim(rest); rest.len > 0; rest = str_trim(rest)) {
		if (take_file(arena, rest, list))
			return 0;
		if (!take_size(&rest, list))
			return err_temp(err, "4.3.5",
				"sieve_extlists_list: found \"%.*s\", expected "
				"file:PATH, lines:PATH, hash:PATH or "
				"max_lookup_size=SIZE",
				STR_ARG(rest));
	}
	return 0;
}

/* One that is wrong has been complained of when the settings were read. */
struct extlists *
extlists_new(const struct job *job, const struct delivery *delivery)
{
	const struct conf_family *settings =
		&delivery->settings->sieve_extlists_list;
	struct extlists *lists = ARENA_NEW(job->arena, struct extlists);
	struct err err;
	size_t i;

	*lists = (struct extlists){.job = job,
		.delivery = delivery,
		.settings = delivery->settings,
		.items = ARENA_ARRAY(
			job->arena, struct extlist, settings->count + 1)};
	for (i = 0; i < settings->count; i++)
		if (parse(job->arena, settings->items[i].value,
			    &lists->items[lists->count], &err) == 0)
			lists->count++;
		else
			log_error("%s", err_log_text(&err));
	return lists;
}

bool
extlists_are_of(const struct extlists *lists, const struct settings *settings)
{
	return lists->settings == settings;
}

static struct extlist *
find_list(const struct extlists *lists, struct str name)
{
	size_t i;

	for (i = 0; i < lists->count; i++)
		if (str_equal(lists->items[i].name, name))
			return &lists->items[i];
	return NULL;
}

bool
extlists_has_list(const struct extlists *lists, struct str name)
{
	return find_list(lists, name) != NULL;
}

/* ---- loading ---- */

/* As Dovecot writes a value as a part of a key. */
static struct str
unescape(struct arena *arena, struct str key)
{
	char *text = arena_alloc(arena, key.len + 1);
	size_t len = 0, i;

	for (i = 0; i < key.len; i++) {
		char c = key.data[i];

		if (c == '\\' && i + 1 < key.len)
			c = key.data[++i] == '|' ? '/' : key.data[i];
		text[len++] = c;
	}
	return str_of(text, len);
}

/* False: the key is about something else. */
static bool
value_of(struct arena *arena, enum dict_file_kind kind, struct str key,
	struct str *value_out)
{
	static const struct str prefixes[] = {
		{"priv/sieve/extlists/", 20}, {"shared/sieve/extlists/", 22}};
	size_t i;

	if (kind != DICT_FILE_PAIRS) {
		*value_out = arena_copy(arena, key);
		return true;
	}
	for (i = 0; i < ARRAY_LENGTH(prefixes); i++)
		if (str_starts(key, prefixes[i])) {
			*value_out =
				unescape(arena, str_skip(key, prefixes[i].len));
			return true;
		}
	return false;
}

static void
add_value(struct arena *arena, struct extlist *list, struct str value)
{
	if (list->count == list->size) {
		size_t size = list->size > 0 ? list->size * 2 : 64;

		list->values = arena_grow(arena, list->values,
			sizeof(*list->values), list->count, size);
		list->size = size;
	}
	list->values[list->count++] = value;
}

static int
take_values(struct arena *arena, struct dict *dict, struct extlist *list,
	struct err *err)
{
	struct arena *scratch = arena_open();
	struct dict_walk walk = {.last = STR_EMPTY};
	int result;
	size_t i;

	do {
		result = dict_walk(
			dict, scratch, walk.last, WALK_STEP, &walk, err);
		for (i = 0; result == 0 && i < walk.count; i++) {
			struct str value;

			if (value_of(arena, list->kind, walk.entries[i].key,
				    &value))
				add_value(arena, list, value);
		}
	} while (result == 0 && walk.last.len > 0);
	arena_close(&scratch);
	return result;
}

/* Of a path that is every user's, this is the admin's slip. */
static void
tell_missing(const struct extlist *list, const char *path)
{
	bool is_shared = strchr(list->path, '%') == NULL &&
	                 strchr(list->path, '~') == NULL;

	if (is_shared)
		log_warning("sieve: %s of the list %.*s is not there: the list "
			    "is empty",
			path, STR_ARG(list->name));
	else
		log_debug("sieve: %s is not there: the list is empty", path);
}

static int
load(const struct extlists *lists, struct extlist *list, struct err *err)
{
	struct dict *dict;
	const char *path;
	int result = 0;

	if (list->is_loaded || list->path == NULL)
		return 0;
	if (setup_path(lists->job, lists->delivery, list->path, &path, err) < 0)
		return -1;
	switch (dict_open_file(path, list->kind, &dict, err)) {
	case LOOKUP_ERROR:
		return -1;
	case LOOKUP_NONE:
		tell_missing(list, path);
		break;
	case LOOKUP_FOUND:
		result = take_values(lists->job->arena, dict, list, err);
		dict_close(&dict);
		break;
	}
	list->is_loaded = result == 0;
	return result;
}

/* ---- looking ---- */

static int
compare_values(const void *a, const void *b)
{
	return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static const struct folded *
fold(struct arena *arena, struct extlist *list,
	const struct sieve_list_question *question)
{
	struct folded *folded;
	size_t i;

	for (folded = list->folded; folded != NULL; folded = folded->next)
		if (folded->fold == question->fold)
			return folded;
	folded = ARENA_NEW(arena, struct folded);
	folded->fold = question->fold;
	folded->values = ARENA_ARRAY(arena, struct str, list->count + 1);
	for (i = 0; i < list->count; i++)
		folded->values[i] =
			folded->fold != NULL
				? folded->fold(arena, list->values[i])
				: list->values[i];
	if (list->count > 0)
		qsort(folded->values, list->count, sizeof(*folded->values),
			compare_values);
	folded->next = list->folded;
	list->folded = folded;
	return folded;
}

enum lookup
extlists_find(struct extlists *lists,
	const struct sieve_list_question *question, struct err *err)
{
	struct extlist *list = find_list(lists, question->list);
	const struct folded *folded;

	if (list == NULL) {
		log_warning("sieve: the script asks for the list %.*s, which "
			    "sieve_extlists_list does not name",
			STR_ARG(question->list));
		return LOOKUP_NONE;
	}
	if (question->value.len > list->max_lookup_size)
		return LOOKUP_NONE;
	if (load(lists, list, err) < 0)
		return LOOKUP_ERROR;
	folded = fold(lists->job->arena, list, question);
	return list->count > 0 && bsearch(&question->folded, folded->values,
					  list->count, sizeof(*folded->values),
					  compare_values) != NULL
	               ? LOOKUP_FOUND
	               : LOOKUP_NONE;
}

enum lookup
extlists_values(struct extlists *lists, struct str name,
	const struct str **values_out, size_t *count_out, struct err *err)
{
	struct extlist *list = find_list(lists, name);

	if (list == NULL)
		return LOOKUP_NONE;
	if (load(lists, list, err) < 0)
		return LOOKUP_ERROR;
	*values_out = list->values;
	*count_out = list->count;
	return LOOKUP_FOUND;
}
