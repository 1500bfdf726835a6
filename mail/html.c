/* SPDX-License-Identifier: MIT */
#include "mail/html.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/attributes.h"
#include "base/utf8.h"

#include "base/banned.h"

enum {
	NAME_MOST = 16, /* of elements that mean something here */
	ENTITY_MOST = 8 /* "thetasym" */
};

/* What stands between the text so far and the next of it. */
enum gap { GAP_NONE, GAP_BLANK, GAP_LINE };

struct converter {
	struct str in;
	size_t at;
	char *out;
	size_t len;
	enum gap gap;
	size_t preformatted; /* depth of pre */
};

/* ---- elements ---- */

enum element {
	ELEMENT_OTHER,
	ELEMENT_LINE,   /* begins a line, and so does what follows it */
	ELEMENT_CELL,   /* a blank before it */
	ELEMENT_HIDDEN, /* with all up to its end tag */
	ELEMENT_PRE
};

/* Sorted. */
static const struct {
	const char *name;
	enum element element;
} elements[] = {
	{"address", ELEMENT_LINE},
	{"article", ELEMENT_LINE},
	{"aside", ELEMENT_LINE},
	{"blockquote", ELEMENT_LINE},
	{"body", ELEMENT_LINE},
	{"br", ELEMENT_LINE},
	{"caption", ELEMENT_LINE},
	{"center", ELEMENT_LINE},
	{"dd", ELEMENT_LINE},
	{"div", ELEMENT_LINE},
	{"dl", ELEMENT_LINE},
	{"dt", ELEMENT_LINE},
	{"fieldset", ELEMENT_LINE},
	{"footer", ELEMENT_LINE},
	{"form", ELEMENT_LINE},
	{"h1", ELEMENT_LINE},
	{"h2", ELEMENT_LINE},
	{"h3", ELEMENT_LINE},
	{"h4", ELEMENT_LINE},
	{"h5", ELEMENT_LINE},
	{"h6", ELEMENT_LINE},
	{"header", ELEMENT_LINE},
	{"hr", ELEMENT_LINE},
	{"li", ELEMENT_LINE},
	{"main", ELEMENT_LINE},
	{"nav", ELEMENT_LINE},
	{"noscript", ELEMENT_LINE},
	{"ol", ELEMENT_LINE},
	{"option", ELEMENT_LINE},
	{"p", ELEMENT_LINE},
	{"pre", ELEMENT_PRE},
	{"script", ELEMENT_HIDDEN},
	{"section", ELEMENT_LINE},
	{"style", ELEMENT_HIDDEN},
	{"table", ELEMENT_LINE},
	{"td", ELEMENT_CELL},
	{"th", ELEMENT_CELL},
	{"title", ELEMENT_LINE},
	{"tr", ELEMENT_LINE},
	{"ul", ELEMENT_LINE},
};

static int
compare_names(struct str a, const char *b)
{
	return str_compare_nocase(a, str_from(b));
}

static enum element
find_element(struct str name)
{
	size_t from = 0, to = ARRAY_LENGTH(elements);

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = compare_names(name, elements[middle].name);

		if (order == 0)
			return elements[middle].element;
		if (order > 0)
			from = middle + 1;
		else
			to = middle;
	}
	return ELEMENT_OTHER;
}

/* ---- output ---- */

static void
widen_gap(struct converter *converter, enum gap gap)
{
	if (gap > converter->gap)
		converter->gap = gap;
}

/* Never in front of the first text. */
static void
put_gap(struct converter *converter)
{
	if (converter->len > 0 && converter->gap == GAP_LINE) {
		converter->out[converter->len++] = '\r';
		converter->out[converter->len++] = '\n';
	} else if (converter->len > 0 && converter->gap == GAP_BLANK) {
		converter->out[converter->len++] = ' ';
	}
	converter->gap = GAP_NONE;
}

static void
put(struct converter *converter, struct str text)
{
	put_gap(converter);
	memcpy(converter->out + converter->len, text.data, text.len);
	converter->len += text.len;
}

/* In pre, line ends stand where they stand; blanks there are text. */
static void
put_blank(struct converter *converter, char c)
{
	if (converter->preformatted == 0)
		widen_gap(converter, GAP_BLANK);
	else if (c == '\n')
		widen_gap(converter, GAP_LINE);
	else if (c != '\r')
		put(converter, str_of(&c, 1));
}

/* ---- characters ---- */

static const struct entity {
	const char *name;
	uint32_t code;
} entities[] = {
#define ENTITY(name, code) {#name, code},
#include "mail/html_entities.def"
#undef ENTITY
};

static int
compare_entities(const void *key, const void *entity)
{
	const struct str *name = key;

	return str_compare(
		*name, str_from(((const struct entity *)entity)->name));
}

static void
put_code(struct converter *converter, uint32_t code)
{
	struct buf buf;
	char c = ' ';

	/* &nbsp; is a blank to him who looks for words. */
	if (code == 0xa0 || (code < 0x20 && code != 0)) {
		put_blank(converter, c);
		return;
	}
	buf_init(&buf, BUF_UNLIMITED);
	if (code == 0 || !utf8_add(&buf, code))
		utf8_add(&buf, UTF8_REPLACEMENT);
	put(converter, buf_view(&buf));
	buf_clear(&buf);
}

static int
digit_value(char c, unsigned base)
{
	int value = -1;

	if (ascii_is_digit(c))
		value = c - '0';
	else if (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f')
		value = ascii_lower(c) - 'a' + 10;
	return value < (int)base ? value : -1;
}

/* Behind "&#".  False when no digit follows. */
static bool
take_number(struct converter *converter)
{
	struct str in = converter->in;
	size_t at = converter->at + 2, first;
	unsigned base = 10;
	uint32_t code = 0;

	if (at < in.len && ascii_lower(in.data[at]) == 'x') {
		base = 16;
		at++;
	}
	first = at;
	while (at < in.len && digit_value(in.data[at], base) >= 0) {
		/* Too large is too large. */
		if (code <= 0x10ffff)
			code = code * base +
			       (uint32_t)digit_value(in.data[at], base);
		at++;
	}
	if (at == first)
		return false;
	if (at < in.len && in.data[at] == ';')
		at++;
	converter->at = at;
	put_code(converter, code);
	return true;
}

static bool
take_name(struct converter *converter)
{
	struct str in = converter->in, name;
	size_t from = converter->at + 1, at = from;
	const struct entity *entity;

	while (at < in.len && at - from <= ENTITY_MOST &&
		(ascii_is_alpha(in.data[at]) || ascii_is_digit(in.data[at])))
		at++;
	name = str_slice(in, from, at);
	entity = bsearch(&name, entities, ARRAY_LENGTH(entities),
		sizeof(*entities), compare_entities);
	if (entity == NULL)
		return false;
	if (at < in.len && in.data[at] == ';')
		at++;
	converter->at = at;
	put_code(converter, entity->code);
	return true;
}

static void
take_ampersand(struct converter *converter)
{
	struct str rest = str_skip(converter->in, converter->at);

	if (str_starts(rest, STR("&#")) ? take_number(converter)
					: take_name(converter))
		return;
	put(converter, STR("&"));
	converter->at++;
}

/* ---- tags ---- */

/* Behind the next `end`, or the end of the text. */
static size_t
behind(struct str in, size_t at, struct str end)
{
	size_t found = str_find(str_skip(in, at), end);

	at += found + end.len;
	return at < in.len ? at : in.len;
}

/* At "<!" or "<?".  A comment ends with "-->", all else with ">". */
static void
skip_declaration(struct converter *converter)
{
	struct str in = converter->in;
	struct str rest = str_skip(in, converter->at);
	size_t at = converter->at;

	if (!str_starts(rest, STR("<!--")))
		at = behind(in, at, STR(">"));
	else if (str_starts(rest, STR("<!-->")))
		at += 5;
	else
		at = behind(in, at + 4, STR("-->"));
	converter->at = at;
}

/* Behind the tag's ">".  One in quotes does not end it. */
static size_t
tag_end(struct str in, size_t at)
{
	char quote = '\0';

	for (; at < in.len; at++) {
		char c = in.data[at];

		if (quote != '\0') {
			if (c == quote)
				quote = '\0';
		} else if (c == '>') {
			return at + 1;
		} else if ((c == '"' || c == '\'') && at > 0 &&
			   (in.data[at - 1] == '=' ||
				   ascii_is_space(in.data[at - 1]))) {
			quote = c;
		}
	}
	return in.len;
}

/* Everything up to the element's end tag, that included. */
static void
skip_content(struct converter *converter, struct str name)
{
	struct str in = converter->in;
	size_t at = converter->at;

	while (at < in.len) {
		struct str rest;

		at += str_find(str_skip(in, at), STR("</"));
		rest = str_skip(in, at + 2);
		if (str_starts_nocase(rest, name) &&
			(rest.len == name.len ||
				!ascii_is_alpha(rest.data[name.len])))
			break;
		at += 2;
	}
	converter->at = at < in.len ? tag_end(in, at) : in.len;
}

static void
apply_element(struct converter *converter, struct str name, bool is_end)
{
	switch (find_element(name)) {
	case ELEMENT_OTHER:
		break;
	case ELEMENT_LINE:
		widen_gap(converter, GAP_LINE);
		break;
	case ELEMENT_CELL:
		widen_gap(converter, GAP_BLANK);
		break;
	case ELEMENT_HIDDEN:
		if (!is_end)
			skip_content(converter, name);
		break;
	case ELEMENT_PRE:
		widen_gap(converter, GAP_LINE);
		if (!is_end)
			converter->preformatted++;
		else if (converter->preformatted > 0)
			converter->preformatted--;
		break;
	}
}

static size_t
name_length(struct str rest)
{
	size_t len = 0;

	while (len < rest.len && len < NAME_MOST &&
		(ascii_is_alpha(rest.data[len]) ||
			ascii_is_digit(rest.data[len])))
		len++;
	return len;
}

/* At "<", which is text when no tag can begin there. */
static void
take_tag(struct converter *converter)
{
	struct str in = converter->in;
	struct str rest = str_skip(in, converter->at + 1);
	bool is_end = rest.len > 0 && rest.data[0] == '/';
	struct str name = str_skip(rest, is_end);

	name = str_slice(name, 0, name_length(name));
	if (rest.len > 0 && (rest.data[0] == '!' || rest.data[0] == '?')) {
		skip_declaration(converter);
	} else if (name.len > 0 && ascii_is_alpha(name.data[0])) {
		converter->at = tag_end(in, converter->at + 1);
		apply_element(converter, name, is_end);
	} else {
		put(converter, STR("<"));
		converter->at++;
	}
}

/* ---- all ---- */

static void
take_plain(struct converter *converter)
{
	struct str in = converter->in;
	size_t from = converter->at, at = from;

	while (at < in.len && in.data[at] != '<' && in.data[at] != '&' &&
		!ascii_is_space(in.data[at]))
		at++;
	put(converter, str_slice(in, from, at));
	converter->at = at;
}

/* A gap is no longer than the tag or the blanks it is for, a character no longer
 * than "&#0" or its name; only line ends in pre may grow. */
static size_t
most_text(struct str html)
{
	size_t size = html.len, i;

	for (i = 0; i < html.len; i++)
		if (html.data[i] == '\n')
			size++;
	return size;
}

struct str
html_to_text(struct arena *arena, struct str html)
{
	struct converter converter = {
		.in = html,
		.out = arena_alloc(arena, most_text(html) + 1),
	};

	while (converter.at < html.len) {
		char c = html.data[converter.at];

		if (c == '<') {
			take_tag(&converter);
		} else if (c == '&') {
			take_ampersand(&converter);
		} else if (ascii_is_space(c)) {
			put_blank(&converter, c);
			converter.at++;
		} else {
			take_plain(&converter);
		}
	}
	return str_of(converter.out, converter.len);
}
