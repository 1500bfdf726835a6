/* SPDX-License-Identifier: MIT */
#include "store/match.h"

#include <string.h>

#include "base/unicode.h"
#include "store/utf7.h"

#include "base/banned.h"

struct match {
	struct store_root *root;
	const struct folder_rules *rules;
	struct arena *scratch;
	struct str wanted; /* as it was given */
	struct str folded;
	struct str best; /* the choice so far; empty = none */
};

/* The name that people see for a place on disk; false when it has none. */
static bool
decode(struct arena *scratch, const struct folder_rules *rules,
	const char *disk, struct str *rest_out)
{
	char separator = folder_separator(rules->layout);
	struct str name = str_from(disk);
	struct folder folder;
	struct buf buf;
	struct err err;
	char *text;
	size_t i;

	if (rules->layout == STORE_LAYOUT_MAILDIRPP)
		name = str_skip(name, 1);
	buf_init(&buf, FOLDER_PATH_MAX);
	if (rules->utf8)
		buf_add(&buf, name);
	else if (!utf7_decode(&buf, name))
		buf_reset(&buf);
	text = arena_text(scratch, buf_view(&buf));
	buf_clear(&buf);
	for (i = 0; text[i] != '\0'; i++)
		if (text[i] == separator)
			text[i] = rules->separator;
	*rest_out = str_from(text);
	/* What is on disk may be spelled so that no name leads to it. */
	return rest_out->len > 0 &&
	       folder_map(scratch, rules, STR_EMPTY, *rest_out, &folder,
		       &err) == 0 &&
	       strcmp(folder.disk, disk) == 0;
}

static struct str
fold(struct match *match, struct str name)
{
	return unicode_lower(match->scratch, name);
}

static size_t
common_length(struct str a, struct str b)
{
	size_t i = 0;

	while (i < a.len && i < b.len && a.data[i] == b.data[i])
		i++;
	return i;
}

static bool
is_better(const struct match *match, struct str name)
{
	size_t now, before;

	if (match->best.len == 0)
		return true;
	now = common_length(name, match->wanted);
	before = common_length(match->best, match->wanted);
	return now > before ||
	       (now == before && str_compare(name, match->best) < 0);
}

static bool
leads_to(const struct match *match, struct str folded)
{
	return str_starts(match->folded, folded) &&
	       folded.len < match->folded.len &&
	       match->folded.data[folded.len] == match->rules->separator;
}

static int search(struct match *match, const char *below, struct err *err);

static int
consider(struct match *match, const char *disk, struct err *err)
{
	struct str name, folded;

	if (!decode(match->scratch, match->rules, disk, &name))
		return 0;
	folded = fold(match, name);
	if (match->rules->layout == STORE_LAYOUT_FS && leads_to(match, folded))
		return search(match, disk, err);
	if (!str_equal(folded, match->folded) || !is_better(match, name))
		return 0;
	switch (match->root->driver->find(match->root, disk, err)) {
	case LOOKUP_FOUND:
		match->best = name;
		break;
	case LOOKUP_NONE:
		break;
	case LOOKUP_ERROR:
		return -1;
	}
	return 0;
}

static int
search(struct match *match, const char *below, struct err *err)
{
	struct store_names names = {
		.arena = match->scratch, .most = MATCH_NAMES_MAX};
	size_t i;

	if (match->root->driver->list(match->root, below, &names, err) < 0)
		return -1;
	for (i = 0; i < names.count; i++)
		if (consider(match, names.items[i], err) < 0)
			return -1;
	return 0;
}

enum lookup
match_folder(struct store_root *root, const struct folder_rules *rules,
	struct str rest, struct str *rest_out, struct err *err)
{
	struct match match = {.root = root, .rules = rules, .wanted = rest};
	enum lookup result = LOOKUP_NONE;

	if (root->driver->list == NULL)
		return LOOKUP_NONE;
	match.scratch = arena_open();
	match.folded = fold(&match, rest);
	if (search(&match, "", err) < 0) {
		result = LOOKUP_ERROR;
	} else if (match.best.len > 0) {
		*rest_out = arena_copy(root->arena, match.best);
		result = LOOKUP_FOUND;
	}
	arena_close(&match.scratch);
	return result;
}

/* Those below `names.items[next]` come behind those beside it. */
static int
list_all(struct store_root *root, struct store_names *names, struct err *err)
{
	size_t next;

	if (root->driver->list(root, "", names, err) < 0)
		return -1;
	if (root->location.layout != STORE_LAYOUT_FS)
		return 0;
	for (next = 0; next < names->count && names->count < names->most;
		next++)
		if (root->driver->list(root, names->items[next], names, err) <
			0)
			return -1;
	return 0;
}

enum lookup
match_count(struct store_root *root, size_t most, size_t *count_out,
	struct err *err)
{
	struct store_names names = {.most = most};
	int result;

	if (root->driver->list == NULL)
		return LOOKUP_NONE;
	names.arena = arena_open();
	result = list_all(root, &names, err);
	*count_out = names.count;
	arena_close(&names.arena);
	return result < 0 ? LOOKUP_ERROR : LOOKUP_FOUND;
}

int
match_list(struct store_root *root, const struct folder_rules *rules,
	struct match_entry **entries_out, size_t *count_out, struct err *err)
{
	struct store_names names = {
		.arena = root->arena, .most = MATCH_NAMES_MAX};
	size_t i;

	*count_out = 0;
	if (root->driver->list == NULL)
		return 0;
	if (list_all(root, &names, err) < 0)
		return -1;
	*entries_out =
		ARENA_ARRAY(root->arena, struct match_entry, names.count);
	for (i = 0; i < names.count; i++) {
		struct match_entry *entry = &(*entries_out)[i];

		entry->disk = names.items[i];
		if (!decode(root->arena, rules, entry->disk, &entry->rest))
			entry->rest = str_from(entry->disk);
	}
	*count_out = names.count;
	return 0;
}

/* LOOKUP_FOUND: `disk` has this id, and a name leads to it. */
static enum lookup
has_id(struct store_root *root, const struct folder_rules *rules,
	const char *disk, struct str id, struct str *rest_out, struct err *err)
{
	struct str found_id;
	enum lookup found = root->driver->id(root, disk, &found_id, err);

	if (found != LOOKUP_FOUND)
		return found;
	/* RFC 8474 7: case is significant. */
	if (!str_equal(found_id, id) ||
		!decode(root->arena, rules, disk, rest_out))
		return LOOKUP_NONE;
	return root->driver->find(root, disk, err);
}

static enum lookup
find_id(struct store_root *root, const struct folder_rules *rules,
	struct str id, struct str *rest_out, struct err *err)
{
	struct store_names names = {
		.arena = root->arena, .most = MATCH_NAMES_MAX};
	enum lookup found = LOOKUP_NONE;
	size_t i;

	if (list_all(root, &names, err) < 0)
		return LOOKUP_ERROR;
	for (i = 0; i < names.count && found == LOOKUP_NONE; i++)
		found = has_id(root, rules, names.items[i], id, rest_out, err);
	return found;
}

/* A script may ask often, and of many folders only one name is to stay. */
enum lookup
match_id(struct store_root *root, const struct folder_rules *rules,
	struct str id, struct str *rest_out, struct err *err)
{
	struct arena_mark mark = arena_mark(root->arena);
	enum lookup found;
	struct str rest = STR_EMPTY;
	struct buf name;

	if (root->driver->list == NULL || root->driver->id == NULL)
		return LOOKUP_NONE;
	buf_init(&name, BUF_UNLIMITED);
	found = find_id(root, rules, id, &rest, err);
	buf_add(&name, rest);
	arena_release(root->arena, mark);
	*rest_out = arena_copy(root->arena, buf_view(&name));
	buf_clear(&name);
	return found;
}
