/* SPDX-License-Identifier: MIT */
#include "conf/keys.h"

#include <stdint.h>

#include "base/number.h"
#include "conf/conf.h"
#include "conf/settings.h"

#include "base/banned.h"

#define WORD(symbol, word) word,
#define WORD_LIST(list, words)                                                 \
	static const char *const list##_words[] = {words NULL};
#include "conf/words.def"
#undef WORD
#undef WORD_LIST

#define LDA CONF_KIND_LDA
#define FRONT CONF_KIND_FRONT
#define LOOKUP CONF_KIND_LOOKUP
#define STATE CONF_KIND_STATE
#define WORKER CONF_KIND_WORKER
#define MAILER CONF_KIND_MAILER
#define MASTER CONF_KIND_MASTER
#define POLICY CONF_KIND_POLICY
#define PROXY CONF_KIND_PROXY
#define LATER CONF_KIND_LATER
#define DELIVERY (LDA | WORKER)
#define EVERYBODY                                                              \
	(DELIVERY | FRONT | LOOKUP | STATE | MAILER | MASTER | POLICY | PROXY)

#define NONE                                                                   \
	{                                                                      \
		0                                                              \
	}
#define BETWEEN(from, to)                                                      \
	{                                                                      \
		.least = (from), .most = (to)                                  \
	}
#define OR_UNLIMITED(from, to)                                                 \
	{                                                                      \
		.least = (from), .most = (to), .has_unlimited = true           \
	}
#define WORDS(list)                                                            \
	{                                                                      \
		.words = list##_words                                          \
	}
#define VARS(set)                                                              \
	{                                                                      \
		.vars = CONF_VARS_##set                                        \
	}

#define FIELD_STRING(name) name
#define FIELD_TEMPLATE(name) name
#define FIELD_PATH(name) name
#define FIELD_LOG_TARGET(name) name
#define FIELD_CHOICE(name) name
#define FIELD_TEXT(name) name
#define FIELD_CHARACTER(name) name
#define FIELD_BOOL(name) name
#define FIELD_NUMBER(name) name
#define FIELD_SIZE(name) name
#define FIELD_DURATION(name) name##_ms
#define FIELD_OCTAL(name) name
#define FIELD_ENUM(name) name
#define FIELD_LIST(name) name
#define FIELD_NETWORKS(name) name
#define FIELD_FAMILY(name) name

#define ROW(kind, key, text, key_bounds, key_kinds, key_help)                  \
	{.name = #key,                                                         \
		.name_len = sizeof(#key) - 1,                                  \
		.type = CONF_TYPE_##kind,                                      \
		.offset = offsetof(struct OWNER, FIELD_##kind(key)),           \
		.fallback = (text),                                            \
		.bounds = key_bounds,                                          \
		.kinds = (key_kinds),                                          \
		.help = (key_help)},

static const struct conf_key top_rows[] = {
#define OWNER settings
#define TOP_KEY ROW
#include "conf/keys.def"
#undef OWNER
};
static const struct conf_key userdb_rows[] = {
#define OWNER conf_userdb
#define USERDB_KEY ROW
#include "conf/keys.def"
#undef OWNER
};
static const struct conf_key namespace_rows[] = {
#define OWNER conf_namespace
#define NAMESPACE_KEY ROW
#include "conf/keys.def"
#undef OWNER
};
static const struct conf_key mailbox_rows[] = {
#define OWNER conf_mailbox
#define MAILBOX_KEY ROW
#include "conf/keys.def"
#undef OWNER
};
static const struct conf_key service_rows[] = {
#define OWNER conf_service
#define SERVICE_KEY ROW
#include "conf/keys.def"
#undef OWNER
};
static const struct conf_key listener_rows[] = {
#define OWNER conf_listener
#define LISTENER_KEY ROW
#include "conf/keys.def"
#undef OWNER
};
static const struct conf_key local_name_rows[] = {
#define OWNER conf_local_name
#define LOCAL_NAME_KEY ROW
#include "conf/keys.def"
#undef OWNER
};

static const struct conf_key proxy_group_rows[] = {
#define OWNER conf_proxy_group
#define PROXY_GROUP_KEY ROW
#include "conf/keys.def"
#undef OWNER
};
static const struct conf_key backend_rows[] = {
#define OWNER conf_backend
#define BACKEND_KEY ROW
#include "conf/keys.def"
#undef OWNER
};

#define TABLE(scope)                                                           \
	const struct conf_keys conf_##scope##_keys = {                         \
		scope##_rows, ARRAY_LENGTH(scope##_rows)};
TABLE(top)
TABLE(userdb)
TABLE(namespace)
TABLE(mailbox)
TABLE(service)
TABLE(listener)
TABLE(local_name)
TABLE(proxy_group)
TABLE(backend)

const struct conf_key *
conf_key_find(const struct conf_keys *keys, struct str name)
{
	size_t i;

	for (i = 0; i < keys->count; i++)
		if (keys->items[i].name_len == name.len &&
			memcmp(keys->items[i].name, name.data, name.len) == 0)
			return &keys->items[i];
	return NULL;
}

/* Takes the digits off the end; 1 where there are none.  False for a number
 * that nobody writes: 0, leading zeros, too great. */
static bool
take_number(struct str *name, unsigned *number_out)
{
	size_t end = name->len;
	struct str digits;
	uint64_t number;

	while (end > 0 && ascii_is_digit(name->data[end - 1]))
		end--;
	digits = str_skip(*name, end);
	*name = str_slice(*name, 0, end);
	*number_out = 1;
	if (digits.len == 0)
		return true;
	if (digits.data[0] == '0' || number_parse(digits, &number) < 0 ||
		number > CONF_FAMILY_MAX)
		return false;
	*number_out = (unsigned)number;
	return true;
}

/* "quota2_rule" -> "quota_rule" and 2; other names stay as they are. */
static bool
take_root(struct str *name, char *plain, size_t size, unsigned *root_out)
{
	static const struct str prefix = {"quota", 5};
	size_t end = prefix.len;
	struct str head, tail;

	*root_out = 1;
	if (!str_starts(*name, prefix))
		return true;
	while (end < name->len && ascii_is_digit(name->data[end]))
		end++;
	tail = str_skip(*name, end);
	if (end == prefix.len || tail.len == 0 || tail.data[0] != '_' ||
		prefix.len + tail.len > size)
		return true;
	head = str_slice(*name, 0, end);
	if (!take_number(&head, root_out))
		return false;
	memcpy(plain, prefix.data, prefix.len);
	memcpy(plain + prefix.len, tail.data, tail.len);
	*name = str_of(plain, prefix.len + tail.len);
	return true;
}

/* Only quota's satellites belong to a root. */
static bool
has_root(const struct conf_key *key)
{
	return str_starts(str_from(key->name), STR("quota_"));
}

bool
conf_key_is_later(const struct conf_key *key)
{
	return (key->kinds & CONF_KIND_LATER) != 0;
}

const struct conf_key *
conf_key_find_family(struct str name, unsigned *root_out, unsigned *number_out)
{
	char plain[64];
	const struct conf_key *key;

	if (!take_root(&name, plain, sizeof(plain), root_out) ||
		!take_number(&name, number_out))
		return NULL;
	key = conf_key_find(&conf_top_keys, name);
	if (key == NULL || key->type != CONF_TYPE_FAMILY)
		return NULL;
	return key;
}

const char *
conf_family_name(struct arena *arena, const struct conf_key *key, unsigned root,
	unsigned number)
{
	const char *tail = "", *head = key->name;
	const char *roots = "", *numbers = "";

	if (has_root(key)) {
		head = "quota";
		tail = key->name + 5;
	}
	if (root > 1)
		roots = arena_format(arena, "%u", root);
	if (number > 1)
		numbers = arena_format(arena, "%u", number);
	return arena_format(arena, "%s%s%s%s", head, roots, tail, numbers);
}

enum { SUGGEST_LENGTH_MAX = 64 };

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Edits (insert, delete, change, swap of neighbours) that make `a` of `b`. */
static size_t
distance(struct str a, struct str b)
{
	size_t rows[3][SUGGEST_LENGTH_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *now = rows[2], *spare;
	size_t i, j;

	for (j = 0; j <= b.len; j++)
		last[j] = j;
	for (i = 1; i <= a.len; i++) {
		now[0] = i;
		for (j = 1; j <= b.len; j++) {
			char x = ascii_lower(a.data[i - 1]);
			char y = ascii_lower(b.data[j - 1]);

			now[j] = least(least(last[j] + 1, now[j - 1] + 1),
				last[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == ascii_lower(b.data[j - 2]) &&
				y == ascii_lower(a.data[i - 2]))
				now[j] = least(now[j], before[j - 2] + 1);
		}
		spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[b.len];
}

const char *
conf_key_suggest(const struct conf_keys *keys, struct str name)
{
	size_t i, nearest, edits;
	const char *best = NULL;

	if (name.len > SUGGEST_LENGTH_MAX)
		return NULL;
	nearest = name.len < 4 ? 1 : name.len < 10 ? 2 : 3;
	for (i = 0; i < keys->count; i++) {
		struct str other =
			str_of(keys->items[i].name, keys->items[i].name_len);

		if (other.len > SUGGEST_LENGTH_MAX)
			continue;
		edits = distance(name, other);
		if (edits < nearest || (edits == nearest && best == NULL)) {
			nearest = edits;
			best = keys->items[i].name;
		}
	}
	return best;
}
