/* SPDX-License-Identifier: MIT */
#include "store/folder.h"

#include <string.h>

#include "base/utf8.h"
#include "store/utf7.h"

#include "base/banned.h"

enum { PRINTABLE_MAX = 200 /* bytes of a name in a reply */ };

#define INBOX STR("INBOX")

char
folder_separator(enum store_layout layout)
{
	switch (layout) {
	case STORE_LAYOUT_MAILDIRPP:
		return '.';
	case STORE_LAYOUT_FS:
		return '/';
	}
	return '/';
}

const char *
folder_printable(struct arena *arena, struct str name)
{
	struct buf buf;
	char *text, *at;

	buf_init(&buf, BUF_UNLIMITED);
	utf8_add_repaired(&buf, name);
	text = arena_text(arena, utf8_cut(buf_view(&buf), PRINTABLE_MAX));
	buf_clear(&buf);
	for (at = text; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	return text;
}

/* Refusing a name is no refusal of the mail: the caller has the INBOX. */
static int
refuse(struct arena *arena, struct str name, const char *why, struct err *err)
{
	return err_set(err, ERR_TEMPORARY, "4.2.0",
		"folder name \"%s\" is not allowed: %s",
		folder_printable(arena, name), why);
}

static bool
is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f);
}

static const char *
fault_of_text(struct str name)
{
	size_t at = 0;
	uint32_t code;

	if (name.len == 0)
		return "it is empty";
	if (name.len > FOLDER_PATH_MAX)
		return "it is too long";
	if (name.data[0] == '~')
		return "it begins with \"~\"";
	while (at < name.len) {
		if (!utf8_next(name, &at, &code))
			return "it is not UTF-8";
		if (is_control(code))
			return "it has a control character";
	}
	return NULL;
}

/* Under fs, folders lie among these. */
static bool
is_reserved(struct str part)
{
	static const char *const names[] = {
		"new", "cur", "tmp", "subscriptions", "maildirsize"};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(names); i++)
		if (str_is(part, names[i]))
			return true;
	return str_starts(part, STR("dovecot-")) ||
	       str_starts(part, STR("dovecot."));
}

static const char *
fault_of_part(const struct folder_rules *rules, struct str part)
{
	if (part.len == 0)
		return "a part of it is empty";
	if (str_is(part, ".") || str_is(part, ".."))
		return "a part of it is \".\" or \"..\"";
	if (str_has_char(part, '/'))
		return "a part of it has a \"/\"";
	switch (rules->layout) {
	case STORE_LAYOUT_MAILDIRPP:
		if (str_has_char(part, '.'))
			return "a part of it has a \".\", which Maildir++ "
			       "cannot write";
		break;
	case STORE_LAYOUT_FS:
		if (is_reserved(part))
			return "a part of it is a file of the mail store";
		break;
	}
	return NULL;
}

/* The INBOX's own name, or the first part of a folder's, in any case. */
static bool
begins_with_inbox(struct str name, char separator)
{
	return str_starts_nocase(name, INBOX) &&
	       (name.len == INBOX.len || name.data[INBOX.len] == separator);
}

static bool
prefix_fits(struct str prefix, char separator, struct str name)
{
	if (begins_with_inbox(prefix, separator) &&
		begins_with_inbox(name, separator)) {
		prefix = str_skip(prefix, INBOX.len);
		name = str_skip(name, INBOX.len);
	}
	return str_starts(name, prefix);
}

/* "Shared" and "Shared/" are no folders when there is a namespace "Shared/". */
static bool
is_prefix_itself(struct str prefix, char separator, struct str name)
{
	return str_equal(prefix, name) ||
	       (prefix.len > 0 && prefix.len - 1 == name.len &&
		       prefix.data[prefix.len - 1] == separator &&
		       str_starts(prefix, name));
}

/* Where names without any prefix go. */
static size_t
main_namespace(const struct store_namespace *namespaces, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (namespaces[i].has_inbox)
			return i;
	return 0;
}

int
folder_find_namespace(const struct store_namespace *namespaces,
	const char *separators, size_t count, struct str name,
	size_t *index_out, struct str *rest_out, struct err *err)
{
	size_t best_len = 0, i;

	if (name.len == 0)
		return err_set(err, ERR_TEMPORARY, "4.2.0",
			"folder name \"\" is not allowed: it is empty");
	*index_out = main_namespace(namespaces, count);
	*rest_out = name;
	if (str_equal_nocase(name, INBOX)) {
		*rest_out = STR_EMPTY;
		return 0;
	}
	for (i = 0; i < count; i++) {
		struct str prefix = str_from(namespaces[i].prefix);

		if (is_prefix_itself(prefix, separators[i], name))
			return err_set(err, ERR_TEMPORARY, "4.2.0",
				"folder name \"%s\" is not allowed: it is the "
				"name of a namespace",
				namespaces[i].prefix);
		if (prefix_fits(prefix, separators[i], name) &&
			(prefix.len > best_len ||
				(best_len == 0 && prefix.len == 0))) {
			best_len = prefix.len;
			*index_out = i;
			*rest_out = str_skip(name, prefix.len);
		}
	}
	/* Each namespace calls the Maildir at its root INBOX. */
	if (str_equal_nocase(*rest_out, INBOX))
		*rest_out = STR_EMPTY;
	return 0;
}

static void
add_part(struct buf *disk, const struct folder_rules *rules, struct str part)
{
	if (rules->layout == STORE_LAYOUT_MAILDIRPP)
		buf_add_char(disk, '.');
	else if (disk->len > 0)
		buf_add_char(disk, '/');
	if (rules->utf8)
		buf_add(disk, part);
	else if (!utf7_encode(disk, part))
		disk->overflowed = true; /* was checked to be UTF-8 */
}

static bool
is_too_long(const struct folder_rules *rules, const struct buf *disk)
{
	struct str rest = buf_view(disk), part;

	if (disk->overflowed)
		return true;
	if (rules->layout == STORE_LAYOUT_MAILDIRPP)
		return rest.len > FOLDER_PART_MAX;
	while (str_next_field(&rest, '/', &part))
		if (part.len > FOLDER_PART_MAX)
			return true;
	return false;
}

static const char *
build_disk_name(
	const struct folder_rules *rules, struct str rest, struct buf *disk)
{
	const char *fault = NULL;

	/* Not str_next_field(): an empty last part is a fault, too. */
	while (fault == NULL) {
		size_t end = str_find_char(rest, rules->separator);
		struct str part = str_slice(rest, 0, end);

		fault = fault_of_part(rules, part);
		if (fault == NULL)
			add_part(disk, rules, part);
		if (end == rest.len)
			break;
		rest = str_skip(rest, end + 1);
	}
	return fault;
}

/* Scripts written against other servers spell folders as on disk.  Only what
 * is exactly modified UTF-7 for some other text is taken so. */
static const char *
literal_name(struct arena *arena, const struct folder_rules *rules,
	struct str rest, const char *disk)
{
	struct folder_rules as_given = *rules;
	struct buf buf;
	const char *literal = NULL;

	if (rules->utf8 || !str_has_char(rest, '&'))
		return NULL;
	as_given.utf8 = true;
	buf_init(&buf, FOLDER_PATH_MAX);
	if (utf7_decode(&buf, rest)) {
		buf_reset(&buf);
		if (build_disk_name(&as_given, rest, &buf) == NULL &&
			!is_too_long(&as_given, &buf) &&
			!str_is(buf_view(&buf), disk))
			literal = arena_text(arena, buf_view(&buf));
	}
	buf_clear(&buf);
	return literal;
}

/* "inbox.Lists" is "INBOX.Lists" where names begin with the INBOX's. */
static struct str
with_inbox_in_capitals(struct arena *arena, char separator, struct str rest)
{
	char *copy;

	if (!begins_with_inbox(rest, separator))
		return rest;
	copy = arena_text(arena, rest);
	memcpy(copy, INBOX.data, INBOX.len);
	return str_of(copy, rest.len);
}

int
folder_map(struct arena *arena, const struct folder_rules *rules,
	struct str prefix, struct str rest, struct folder *folder_out,
	struct err *err)
{
	struct buf disk;
	const char *fault;

	*folder_out = (struct folder){.layout = rules->layout, .disk = ""};
	if (rest.len == 0) {
		folder_out->name = INBOX;
		folder_out->is_inbox = true;
		return 0;
	}
	buf_init(&disk, FOLDER_PATH_MAX);
	/* Before it is copied as text: it might hold a NUL. */
	fault = fault_of_text(rest);
	if (fault == NULL && prefix.len == 0)
		rest = with_inbox_in_capitals(arena, rules->separator, rest);
	if (fault == NULL) {
		fault = build_disk_name(rules, rest, &disk);
		if (fault != NULL)
			fault = arena_format(arena, "with separator \"%c\" %s",
				rules->separator, fault);
		else if (is_too_long(rules, &disk))
			fault = "it is too long";
	}
	if (fault == NULL) {
		folder_out->disk = arena_text(arena, buf_view(&disk));
		folder_out->literal =
			literal_name(arena, rules, rest, folder_out->disk);
		folder_out->name = str_from(arena_format(
			arena, "%.*s%.*s", STR_ARG(prefix), STR_ARG(rest)));
	}
	buf_clear(&disk);
	return fault == NULL ? 0 : refuse(arena, rest, fault, err);
}

const char *
folder_parent(struct arena *arena, enum store_layout layout, const char *disk)
{
	struct str name = str_from(disk);
	size_t cut = str_find_last_char(name, folder_separator(layout));

	return cut == name.len ? ""
	                       : arena_text(arena, str_slice(name, 0, cut));
}
