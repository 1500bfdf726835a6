/* SPDX-License-Identifier: MIT */
#include "mail/mailto.h"

#include <string.h>

#include "base/number.h"
#include "base/utf8.h"
#include "mail/address.h"
#include "mail/compose.h"

#include "base/banned.h"

/* "mailto:" */
enum { SCHEME_BYTES = 7 };

bool
mailto_is(struct str uri)
{
	return str_starts_nocase(uri, STR("mailto:"));
}

struct parser {
	struct arena *arena;
	struct err *err;
	size_t most_recipients, most_headers;
	struct str *recipients;
	size_t recipient_count, to_count;
	struct mailto_header *headers;
	size_t header_count;
	struct mailto *mailto;
};

static int
fail(const struct parser *parser, const char *what, struct str text)
{
	enum { SHOWN = 100 };

	return err_set(parser->err, ERR_USAGE, "5.1.3", "%s \"%.*s\"", what,
		STR_ARG(utf8_cut(text, SHOWN)));
}

/* ---- characters (RFC 6068 2) ---- */

/* RFC 3986 2.3 */
static bool
is_unreserved(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) ||
	       (c != '\0' && strchr("-._~", c) != NULL);
}

/* `also`: delimiters that need no encoding here. */
static bool
is_clean(struct str text, const char *also)
{
	size_t i;

	for (i = 0; i < text.len; i++) {
		char c = text.data[i];

		if (!is_unreserved(c) && c != '%' &&
			(c == '\0' || strchr(also, c) == NULL))
			return false;
	}
	return true;
}

/* -1: a "%" without two hexadecimal digits, or the NUL. */
static int
decode(struct arena *arena, struct str text, struct str *decoded_out)
{
	char *bytes = arena_alloc(arena, text.len + 1);
	size_t len = 0, i;

	for (i = 0; i < text.len; i++) {
		int high, low;

		if (text.data[i] != '%') {
			bytes[len++] = text.data[i];
			continue;
		}
		if (text.len - i < 3)
			return -1;
		high = ascii_hex_value(text.data[i + 1]);
		low = ascii_hex_value(text.data[i + 2]);
		if (high < 0 || low < 0 || high + low == 0)
			return -1;
		bytes[len++] = (char)(high * 16 + low);
		i += 2;
	}
	*decoded_out = str_of(bytes, len);
	return 0;
}

static int
read_text(const struct parser *parser, struct str text, const char *also,
	struct str *decoded_out)
{
	if (!is_clean(text, also))
		return fail(parser, "a character is not encoded in", text);
	if (decode(parser->arena, text, decoded_out) < 0)
		return fail(parser, "a \"%\" is wrong in", text);
	if (!utf8_is_valid(*decoded_out))
		return fail(parser, "what is encoded is not UTF-8 in", text);
	return 0;
}

/* ---- recipients ---- */

static bool
is_known(const struct parser *parser, struct str address)
{
	size_t i;

	for (i = 0; i < parser->recipient_count; i++)
		if (str_equal_nocase(parser->recipients[i], address))
			return true;
	return false;
}

static int
add_recipient(struct parser *parser, struct str text)
{
	struct address address;
	struct err err;

	if (address_parse_path(parser->arena, str_trim(text),
		    ADDRESS_BRACKETS_OPTIONAL, &address, &err) < 0 ||
		address.domain.len == 0)
		return fail(parser, "this is no address:", text);
	if (is_known(parser, address.text))
		return 0;
	if (parser->recipient_count == parser->most_recipients)
		return err_set(parser->err, ERR_USAGE, "5.1.3",
			"it has more than %zu recipients "
			"(sieve_notify_mailto_max_recipients)",
			parser->most_recipients);
	parser->recipients[parser->recipient_count++] = address.text;
	return 0;
}

/* A list that was in a header: names and comments may be there. */
static int
add_list(struct parser *parser, struct str list)
{
	size_t most = parser->most_recipients + 1, count, i;
	const struct address *addresses;

	if (str_trim(list).len == 0)
		return 0;
	count = address_parse_list(parser->arena, list, most, &addresses);
	for (i = 0; i < count; i++)
		if (addresses[i].is_broken)
			return fail(
				parser, "this is no list of addresses:", list);
		else if (add_recipient(parser, addresses[i].text) < 0)
			return -1;
	return 0;
}

/* Commas part addresses before they are decoded (RFC 6068 2). */
static int
read_to(struct parser *parser, struct str to)
{
	struct str part, decoded = STR_EMPTY;

	while (to.len > 0) {
		size_t end = str_find_char(to, ',');

		part = str_slice(to, 0, end);
		to = str_skip(to, end + 1);
		if (part.len == 0)
			continue;
		if (read_text(parser, part, "!$'*+@:", &decoded) < 0 ||
			add_list(parser, decoded) < 0)
			return -1;
	}
	return 0;
}

/* ---- headers ---- */

static bool
is_special(struct parser *parser, struct str name, struct str value)
{
	struct mailto *mailto = parser->mailto;

	if (str_is_nocase(name, "subject") && !mailto->has_subject) {
		mailto->has_subject = true;
		mailto->subject = value;
		return true;
	}
	if (str_is_nocase(name, "body") && !mailto->has_body) {
		mailto->has_body = true;
		mailto->body = value;
		return true;
	}
	return str_is_nocase(name, "subject") || str_is_nocase(name, "body") ||
	       str_is_nocase(name, "to") || str_is_nocase(name, "cc");
}

static int
add_header(struct parser *parser, struct str name, struct str value)
{
	if (is_special(parser, name, value))
		return 0;
	if (parser->header_count == parser->most_headers)
		return err_set(parser->err, ERR_USAGE, "5.1.3",
			"it has more than %zu headers "
			"(sieve_notify_mailto_max_headers)",
			parser->most_headers);
	parser->headers[parser->header_count++] =
		(struct mailto_header){name, value};
	return 0;
}

static int
read_header(struct parser *parser, struct str field, bool wants_cc)
{
	static const char also[] = "!$'()*+,;:@/";
	size_t equals = str_find_char(field, '=');
	struct str name = STR_EMPTY, value = STR_EMPTY;

	if (equals == field.len)
		return fail(parser, "there is no \"=\" in", field);
	if (read_text(parser, str_slice(field, 0, equals), also, &name) < 0 ||
		read_text(parser, str_skip(field, equals + 1), also, &value) <
			0)
		return -1;
	if (!compose_is_name(name))
		return fail(parser, "this is no name of a field:", name);
	if (str_is_nocase(name, wants_cc ? "cc" : "to"))
		return add_list(parser, value);
	return wants_cc ? add_header(parser, name, value) : 0;
}

static int
read_headers(struct parser *parser, struct str query, bool wants_cc)
{
	while (query.len > 0) {
		size_t end = str_find_char(query, '&');

		if (read_header(parser, str_slice(query, 0, end), wants_cc) < 0)
			return -1;
		query = str_skip(query, end + 1);
	}
	return 0;
}

int
mailto_parse(struct arena *arena, struct str uri, size_t most_recipients,
	size_t most_headers, struct mailto *mailto_out, struct err *err)
{
	struct parser parser = {.arena = arena,
		.err = err,
		.most_recipients = most_recipients,
		.most_headers = most_headers,
		.recipients = ARENA_ARRAY(arena, struct str, most_recipients),
		.headers =
			ARENA_ARRAY(arena, struct mailto_header, most_headers),
		.mailto = mailto_out};
	struct str rest = str_skip(uri, SCHEME_BYTES);
	size_t query = str_find_char(rest, '?');

	*mailto_out = (struct mailto){.count = 0};
	if (!mailto_is(uri))
		return fail(&parser, "this is no mailto URI:", uri);
	/* "to" in all its places stands in front of "cc". */
	if (read_to(&parser, str_slice(rest, 0, query)) < 0 ||
		read_headers(&parser, str_skip(rest, query + 1), false) < 0)
		return -1;
	parser.to_count = parser.recipient_count;
	if (read_headers(&parser, str_skip(rest, query + 1), true) < 0)
		return -1;
	mailto_out->recipients = parser.recipients;
	mailto_out->to_count = parser.to_count;
	mailto_out->count = parser.recipient_count;
	mailto_out->headers = parser.headers;
	mailto_out->header_count = parser.header_count;
	return 0;
}
