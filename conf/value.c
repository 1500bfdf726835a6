/* SPDX-License-Identifier: MIT */
#include "conf/value.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdint.h>

#include "base/memory.h"
#include "base/number.h"
#include "conf/settings.h"

#include "base/banned.h"

_Static_assert(sizeof(enum conf_mail_fsync) == sizeof(unsigned),
	"fields of type ENUM are written as unsigned");

#define FIELD(type) (*(type *)(void *)((char *)object + key->offset))
#define CONST_FIELD(type)                                                      \
	(*(const type *)(const void *)((const char *)object + key->offset))

static const char second_units[] =
	"a time such as 30 secs, 5 mins, 12 hours, 7 days or 1 week";

static const char *
expected_words(struct arena *arena, const char *const *words)
{
	const char *text = words[0];
	size_t i;

	for (i = 1; words[i] != NULL; i++)
		text = arena_format(arena, "%s%s%s", text,
			words[i + 1] == NULL ? " or " : ", ", words[i]);
	return text;
}

static void
format_size(uint64_t bytes, struct buf *out)
{
	static const char letters[] = "\0kMGT";
	size_t power = 0;

	while (power < 4 && bytes > 0 && bytes % 1024 == 0) {
		bytes /= 1024;
		power++;
	}
	buf_add_format(out, "%" PRIu64, bytes);
	if (power > 0)
		buf_add_char(out, letters[power]);
}

static void
format_duration(uint64_t ms, struct buf *out)
{
	static const struct {
		uint64_t ms;
		const char *one, *many;
	} units[] = {
		{7 * 24 * 3600 * 1000ULL, "week", "weeks"},
		{24 * 3600 * 1000ULL, "day", "days"},
		{3600 * 1000ULL, "hour", "hours"},
		{60 * 1000ULL, "min", "mins"},
		{1000, "sec", "secs"},
		{1, "msec", "msecs"},
	};
	size_t i = 0;

	if (ms == 0) {
		buf_add_char(out, '0');
		return;
	}
	while (ms % units[i].ms != 0)
		i++;
	buf_add_format(out, "%" PRIu64 " %s", ms / units[i].ms,
		ms == units[i].ms ? units[i].one : units[i].many);
}

static const char *
expected_number(struct arena *arena, const struct conf_key *key)
{
	const struct conf_bounds *bounds = &key->bounds;
	const char *last = bounds->has_unlimited ? " or unlimited" : "";

	if (bounds->most == UINT64_MAX)
		return arena_format(arena, "a number%s", last);
	return arena_format(arena, "a number from %" PRIu64 " to %" PRIu64 "%s",
		bounds->least, bounds->most, last);
}

/* "a size such as 10M" and its bounds, written as values are. */
static const char *
expected_span(struct arena *arena, const char *what,
	const struct conf_bounds *bounds,
	void (*format)(uint64_t, struct buf *))
{
	const char *text = what;
	struct buf buf;

	if (bounds->most > 0 && bounds->most < UINT64_MAX) {
		buf_init(&buf, 256);
		buf_add_text(&buf, what);
		buf_add_text(&buf, ", from ");
		format(bounds->least, &buf);
		buf_add_text(&buf, " to ");
		format(bounds->most, &buf);
		text = arena_text(arena, buf_view(&buf));
		buf_clear(&buf);
	}
	return bounds->has_unlimited
	               ? arena_format(arena, "%s, or unlimited", text)
	               : text;
}

const char *
conf_value_expected(struct arena *arena, const struct conf_key *key)
{
	switch (key->type) {
	case CONF_TYPE_STRING:
	case CONF_TYPE_TEMPLATE:
	case CONF_TYPE_TEXT:
	case CONF_TYPE_FAMILY:
		return "a text";
	case CONF_TYPE_PATH:
		return "a path that begins with /";
	case CONF_TYPE_LOG_TARGET:
		return "syslog or a path that begins with /";
	case CONF_TYPE_CHARACTER:
		return "one character";
	case CONF_TYPE_BOOL:
		return "yes or no";
	case CONF_TYPE_NUMBER:
		return expected_number(arena, key);
	case CONF_TYPE_SIZE:
		return expected_span(arena, "a size such as 500k, 10M or 1G",
			&key->bounds, format_size);
	case CONF_TYPE_DURATION:
		return expected_span(
			arena, second_units, &key->bounds, format_duration);
	case CONF_TYPE_OCTAL:
		return "octal permissions such as 0660";
	case CONF_TYPE_CHOICE:
	case CONF_TYPE_ENUM:
		return expected_words(arena, key->bounds.words);
	case CONF_TYPE_LIST:
		if (key->bounds.words == NULL)
			return "words with blanks between";
		return arena_format(arena, "words out of: %s",
			expected_words(arena, key->bounds.words));
	case CONF_TYPE_NETWORKS:
		return "addresses or networks such as 192.0.2.0/24 or ::1";
	}
	BUG("type %d of setting %s", (int)key->type, key->name);
}

/* Index in `words`, or -1. */
static int
find_word(const char *const *words, struct str value)
{
	int i;

	for (i = 0; words[i] != NULL; i++)
		if (str_is_nocase(value, words[i]))
			return i;
	return -1;
}

static int
parse_bool(struct str value, bool *yes_out)
{
	static const char *const words[] = {
		"no", "yes", "n", "y", "0", "1", NULL};
	int found = find_word(words, value);

	if (found < 0)
		return -1;
	*yes_out = found % 2 == 1;
	return 0;
}

static bool
is_within(const struct conf_bounds *bounds, uint64_t value)
{
	return bounds->most == 0 ||
	       (value >= bounds->least && value <= bounds->most);
}

static int
parse_amount(const struct conf_key *key, struct str value, uint64_t *amount_out)
{
	int result = -1;

	if (key->bounds.has_unlimited && str_is_nocase(value, "unlimited")) {
		*amount_out = 0;
		return 0;
	}
	if (key->type == CONF_TYPE_NUMBER)
		result = number_parse(value, amount_out);
	else if (key->type == CONF_TYPE_SIZE)
		result = number_parse_size(value, 1, amount_out);
	else if (key->type == CONF_TYPE_DURATION)
		result = number_parse_duration(value, 1000, amount_out);
	if (result < 0 || !is_within(&key->bounds, *amount_out))
		return -1;
	return 0;
}

static bool
next_item(struct str *rest, struct str *item_out)
{
	static const char separators[] = " \t,";

	while (rest->len > 0 &&
		str_has_char(str_from(separators), rest->data[0]))
		*rest = str_skip(*rest, 1);
	*item_out = str_slice(*rest, 0, str_find_any(*rest, separators));
	*rest = str_skip(*rest, item_out->len);
	return item_out->len > 0;
}

static size_t
count_items(struct str value)
{
	struct str item;
	size_t count = 0;

	while (next_item(&value, &item))
		count++;
	return count;
}

static int
parse_list(struct arena *arena, const struct conf_key *key, struct str value,
	struct conf_list *list)
{
	size_t count = count_items(value);
	struct str item;

	list->items = ARENA_ARRAY(arena, const char *, count);
	list->count = 0;
	while (next_item(&value, &item)) {
		if (key->bounds.words != NULL &&
			find_word(key->bounds.words, item) < 0)
			return -1;
		list->items[list->count++] = arena_text(arena, item);
	}
	return 0;
}

static int
parse_network(
	struct arena *arena, struct str item, struct conf_network *network)
{
	size_t slash = str_find_char(item, '/');
	const char *address = arena_text(arena, str_slice(item, 0, slash));
	uint64_t bits, most;

	network->text = arena_text(arena, item);
	network->is_v6 = str_has_char(item, ':');
	most = network->is_v6 ? 128 : 32;
	if (inet_pton(network->is_v6 ? AF_INET6 : AF_INET, address,
		    network->address) != 1)
		return -1;
	bits = most;
	if (slash < item.len &&
		number_parse(str_skip(item, slash + 1), &bits) < 0)
		return -1;
	if (bits > most)
		return -1;
	network->bits = (unsigned)bits;
	return 0;
}

static int
parse_networks(
	struct arena *arena, struct str value, struct conf_networks *networks)
{
	size_t count = count_items(value);
	struct str item;

	networks->items = ARENA_ARRAY(arena, struct conf_network, count);
	networks->count = 0;
	while (next_item(&value, &item))
		if (parse_network(arena, item,
			    &networks->items[networks->count++]) < 0)
			return -1;
	return 0;
}

static int
parse_field(struct arena *arena, const struct conf_key *key, struct str value,
	void *object)
{
	uint64_t number;
	int found;

	switch (key->type) {
	case CONF_TYPE_PATH:
		if (value.len > 0 && value.data[0] != '/')
			return -1;
		FIELD(const char *) = arena_text(arena, value);
		return 0;
	case CONF_TYPE_LOG_TARGET:
		if (value.len > 0 && value.data[0] != '/' &&
			!str_is(value, "syslog"))
			return -1;
		FIELD(const char *) = arena_text(arena, value);
		return 0;
	case CONF_TYPE_STRING:
	case CONF_TYPE_TEMPLATE:
		FIELD(const char *) = arena_text(arena, value);
		return 0;
	case CONF_TYPE_CHOICE:
		if ((found = find_word(key->bounds.words, value)) < 0)
			return -1;
		FIELD(const char *) = key->bounds.words[found];
		return 0;
	case CONF_TYPE_TEXT:
		FIELD(struct conf_text) =
			(struct conf_text){arena_text(arena, value), NULL};
		return 0;
	case CONF_TYPE_CHARACTER:
		if (value.len > 1)
			return -1;
		FIELD(char) = '\0';
		if (value.len == 1)
			FIELD(char) = value.data[0];
		return 0;
	case CONF_TYPE_BOOL:
		return parse_bool(value, &FIELD(bool));
	case CONF_TYPE_NUMBER:
	case CONF_TYPE_SIZE:
	case CONF_TYPE_DURATION:
		if (parse_amount(key, value, &number) < 0)
			return -1;
		FIELD(uint64_t) = number;
		return 0;
	case CONF_TYPE_OCTAL:
		if (number_parse_octal(value, &number) < 0 ||
			!is_within(&key->bounds, number))
			return -1;
		FIELD(unsigned) = (unsigned)number;
		return 0;
	case CONF_TYPE_ENUM:
		if ((found = find_word(key->bounds.words, value)) < 0)
			return -1;
		FIELD(unsigned) = (unsigned)found;
		return 0;
	case CONF_TYPE_LIST:
		return parse_list(arena, key, value, &FIELD(struct conf_list));
	case CONF_TYPE_NETWORKS:
		return parse_networks(
			arena, value, &FIELD(struct conf_networks));
	case CONF_TYPE_FAMILY:
		break;
	}
	BUG("type %d of setting %s", (int)key->type, key->name);
}

int
conf_value_parse(struct arena *arena, const struct conf_key *key,
	struct str value, void *object, const char **expected_out)
{
	if (parse_field(arena, key, value, object) == 0)
		return 0;
	*expected_out = conf_value_expected(arena, key);
	return -1;
}

void
conf_value_set_path(const struct conf_key *key, const char *path, void *object)
{
	FIELD(struct conf_text) = (struct conf_text){"", path};
}

static void
format_list(const struct conf_list *list, struct buf *out)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		buf_add_format(out, "%s%s", i > 0 ? " " : "", list->items[i]);
}

static void
format_networks(const struct conf_networks *networks, struct buf *out)
{
	size_t i;

	for (i = 0; i < networks->count; i++)
		buf_add_format(
			out, "%s%s", i > 0 ? " " : "", networks->items[i].text);
}

static void
format_text(const struct conf_text *text, struct buf *out)
{
	if (text->path != NULL)
		buf_add_format(out, "<%s", text->path);
	else
		buf_add_text(out, text->text);
}

void
conf_value_format(
	const struct conf_key *key, const void *object, struct buf *out)
{
	switch (key->type) {
	case CONF_TYPE_STRING:
	case CONF_TYPE_TEMPLATE:
	case CONF_TYPE_PATH:
	case CONF_TYPE_LOG_TARGET:
	case CONF_TYPE_CHOICE:
		buf_add_text(out, CONST_FIELD(char *const));
		return;
	case CONF_TYPE_TEXT:
		format_text(&CONST_FIELD(struct conf_text), out);
		return;
	case CONF_TYPE_CHARACTER:
		if (CONST_FIELD(char) != '\0')
			buf_add_char(out, CONST_FIELD(char));
		return;
	case CONF_TYPE_BOOL:
		buf_add_text(out, CONST_FIELD(bool) ? "yes" : "no");
		return;
	case CONF_TYPE_NUMBER:
		buf_add_format(out, "%" PRIu64, CONST_FIELD(uint64_t));
		return;
	case CONF_TYPE_SIZE:
		format_size(CONST_FIELD(uint64_t), out);
		return;
	case CONF_TYPE_DURATION:
		format_duration(CONST_FIELD(uint64_t), out);
		return;
	case CONF_TYPE_OCTAL:
		buf_add_format(out, "%04o", CONST_FIELD(unsigned));
		return;
	case CONF_TYPE_ENUM:
		buf_add_text(out, key->bounds.words[CONST_FIELD(unsigned)]);
		return;
	case CONF_TYPE_LIST:
		format_list(&CONST_FIELD(struct conf_list), out);
		return;
	case CONF_TYPE_NETWORKS:
		format_networks(&CONST_FIELD(struct conf_networks), out);
		return;
	case CONF_TYPE_FAMILY:
		break;
	}
	BUG("type %d of setting %s", (int)key->type, key->name);
}
