/* SPDX-License-Identifier: MIT */
#include "base/ere.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/utf8.h"

#include "base/banned.h"

enum { ASCII = 128, REFERENCES = 10, TEXT_MOST = 160 };

static const char specials[] = "\\.[]{}()*+?|^$";

/* What stands in front of a repetition. */
enum before {
	BEFORE_NOTHING, /* the beginning, "(" or "|" */
	BEFORE_ATOM,
	BEFORE_ANCHOR,
	BEFORE_REPETITION
};

struct translator {
	struct str in;
	size_t at;
	bool is_nocase;
	enum before before;
	unsigned groups;                /* so far */
	unsigned open[ERE_DEPTH_MOST];  /* their numbers */
	size_t open_at[ERE_DEPTH_MOST]; /* where they begin */
	size_t depth;                   /* of open ones */
	bool is_closed[REFERENCES];     /* by number */
	struct buf out;
	struct err *err;
};

/* `at`: octets in front of what is wrong. */
static int fail(struct translator *translator, size_t at, const char *format,
	...) PRINTF_LIKE(3, 4);
static int
fail(struct translator *translator, size_t at, const char *format, ...)
{
	char text[TEXT_MOST];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return err_set(translator->err, ERR_REFUSED, "5.6.0",
		"regular expression: character %zu: %s",
		utf8_count(str_slice(translator->in, 0, at)) + 1, text);
}

static bool
is_at_end(const struct translator *translator)
{
	return translator->at == translator->in.len;
}

/* The octet `ahead` of the present one, NUL behind the end. */
static char
peek(const struct translator *translator, size_t ahead)
{
	size_t at = translator->at + ahead;

	return at < translator->in.len ? translator->in.data[at] : '\0';
}

static bool
is_word_char(uint32_t code)
{
	return code < ASCII &&
	       (ascii_is_alpha((char)code) || ascii_is_digit((char)code));
}

/* A code point as a character of its own, in brackets and outside. */
static void
add_literal(struct buf *out, uint32_t code)
{
	if (is_word_char(code))
		buf_add_char(out, (char)code);
	else if (code >= ASCII || code < ' ' || code == 0x7f)
		buf_add_format(out, "\\x{%x}", (unsigned)code);
	else
		buf_add_format(out, "\\%c", (char)code);
}

static uint32_t
folded(const struct translator *translator, uint32_t code)
{
	return translator->is_nocase && code < ASCII
	               ? (unsigned char)ascii_lower((char)code)
	               : code;
}

/* The pattern is UTF-8: ere_translate() has looked. */
static uint32_t
take_code(struct translator *translator)
{
	uint32_t code = 0;

	if (!utf8_next(translator->in, &translator->at, &code))
		translator->at++;
	return code;
}

/* ---- brackets (9.3.5) ---- */

struct set {
	bool is_negated;
	bool has[ASCII];
	struct buf others; /* ranges of code points, as they are written */
};

static bool
is_graph(char c)
{
	return c > ' ' && c < 0x7f;
}

static bool
in_alnum(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c);
}

static bool
in_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
in_cntrl(char c)
{
	return (c >= 0 && c < ' ') || c == 0x7f;
}

static bool
in_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool
in_print(char c)
{
	return is_graph(c) || c == ' ';
}

static bool
in_punct(char c)
{
	return is_graph(c) && !in_alnum(c);
}

static bool
in_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
in_xdigit(char c)
{
	return ascii_is_digit(c) ||
	       (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f');
}

static const struct {
	const char *name;
	bool (*has)(char c);
} classes[] = {
	{"alnum", in_alnum},
	{"alpha", ascii_is_alpha},
	{"blank", in_blank},
	{"cntrl", in_cntrl},
	{"digit", ascii_is_digit},
	{"graph", is_graph},
	{"lower", in_lower},
	{"print", in_print},
	{"punct", in_punct},
	{"space", ascii_is_space},
	{"upper", in_upper},
	{"xdigit", in_xdigit},
};

static void
set_add_class(struct set *set, bool (*has)(char c))
{
	int i;

	for (i = 0; i < ASCII; i++)
		if (has((char)i))
			set->has[i] = true;
}

static void
set_add_range(struct set *set, uint32_t from, uint32_t to)
{
	for (; from <= to && from < ASCII; from++)
		set->has[from] = true;
	if (from <= to)
		buf_add_format(&set->others, "\\x{%x}-\\x{%x}", (unsigned)from,
			(unsigned)to);
}

/* What stands between "[:" and ":]", "[." and ".]" or "[=" and "=]". */
static int
take_bracketed(struct translator *translator, struct str *name_out)
{
	size_t from = translator->at;
	const char end[] = {peek(translator, 1), ']'};
	struct str rest = str_skip(translator->in, from + 2);
	size_t len = str_find(rest, str_of(end, sizeof(end)));

	if (len == rest.len)
		return fail(translator, from,
			"\"[%c\" is not closed by \"%c]\"", end[0], end[0]);
	*name_out = str_slice(rest, 0, len);
	translator->at = from + 2 + len + 2;
	return 0;
}

static int
take_class(struct translator *translator, struct set *set)
{
	size_t from = translator->at, i;
	struct str name = STR("");

	if (take_bracketed(translator, &name) < 0)
		return -1;
	for (i = 0; i < ARRAY_LENGTH(classes); i++)
		if (str_is(name, classes[i].name)) {
			set_add_class(set, classes[i].has);
			return 0;
		}
	return fail(translator, from,
		"there is no class [:%.*s:]: there are alnum, alpha, blank, "
		"cntrl, digit, graph, lower, print, punct, space, upper and "
		"xdigit",
		STR_ARG(utf8_cut(name, 20)));
}

/* A collating symbol: of one character it is that character. */
static int
take_symbol(struct translator *translator, uint32_t *code_out)
{
	size_t from = translator->at, at = 0;
	struct str name = STR("");

	if (take_bracketed(translator, &name) < 0)
		return -1;
	if (!utf8_next(name, &at, code_out) || at < name.len)
		return fail(translator, from,
			"\"[.\" and \".]\" may hold one character only");
	return 0;
}

/* One end of a range, or a character alone. */
static int
take_end(struct translator *translator, uint32_t *code_out)
{
	if (peek(translator, 0) == '[' && peek(translator, 1) == '.')
		return take_symbol(translator, code_out);
	if (peek(translator, 0) == '[' && peek(translator, 1) == '=')
		return fail(translator, translator->at,
			"equivalence classes are not supported: name the "
			"characters");
	if (peek(translator, 0) == '[' && peek(translator, 1) == ':')
		return fail(translator, translator->at,
			"a class cannot be the end of a range");
	*code_out = take_code(translator);
	return 0;
}

static bool
is_range_next(const struct translator *translator)
{
	return peek(translator, 0) == '-' && peek(translator, 1) != ']' &&
	       translator->at + 1 < translator->in.len;
}

static int
take_element(struct translator *translator, struct set *set)
{
	size_t from = translator->at;
	uint32_t first = 0, last;

	if (peek(translator, 0) == '[' && peek(translator, 1) == ':') {
		if (take_class(translator, set) < 0)
			return -1;
		if (is_range_next(translator))
			return fail(translator, translator->at,
				"a class cannot be the end of a range");
		return 0;
	}
	if (take_end(translator, &first) < 0)
		return -1;
	last = first;
	if (is_range_next(translator)) {
		translator->at++;
		if (take_end(translator, &last) < 0)
			return -1;
		if (last < first)
			return fail(translator, from,
				"the end of the range stands in front of its "
				"beginning");
		if (is_range_next(translator))
			return fail(translator, translator->at,
				"a range cannot begin where another ends");
	}
	set_add_range(set, first, last);
	return 0;
}

static void
set_fold(struct set *set)
{
	int c;

	for (c = 'A'; c <= 'Z'; c++)
		if (set->has[c])
			set->has[(int)ascii_lower((char)c)] = true;
}

static void
add_set(struct buf *out, const struct set *set)
{
	int from, to;

	buf_add_text(out, set->is_negated ? "[^" : "[");
	for (from = 0; from < ASCII; from = to + 1) {
		to = from;
		if (!set->has[from])
			continue;
		while (to + 1 < ASCII && set->has[to + 1])
			to++;
		add_literal(out, (uint32_t)from);
		if (to > from + 1)
			buf_add_char(out, '-');
		if (to > from)
			add_literal(out, (uint32_t)to);
	}
	buf_add(out, buf_view(&set->others));
	buf_add_char(out, ']');
}

static int
take_elements(struct translator *translator, struct set *set)
{
	size_t from = translator->at++;
	bool is_first = true;

	if (peek(translator, 0) == '^') {
		set->is_negated = true;
		translator->at++;
	}
	for (; is_first || peek(translator, 0) != ']'; is_first = false) {
		if (is_at_end(translator))
			return fail(translator, from,
				"\"[\" is not closed by \"]\"");
		if (take_element(translator, set) < 0)
			return -1;
	}
	translator->at++;
	return 0;
}

static int
take_bracket(struct translator *translator)
{
	struct set set = {.is_negated = false};
	int result;

	buf_init(&set.others, BUF_UNLIMITED);
	result = take_elements(translator, &set);
	if (translator->is_nocase)
		set_fold(&set);
	if (result == 0)
		add_set(&translator->out, &set);
	buf_clear(&set.others);
	translator->before = BEFORE_ATOM;
	return result;
}

/* ---- backslashes (9.4.2) ---- */

static int
take_reference(struct translator *translator)
{
	unsigned number = (unsigned)(peek(translator, 1) - '0');

	if (number == 0)
		return fail(translator, translator->at,
			"there is no \\0: groups are \\1 to \\9");
	if (!translator->is_closed[number])
		return fail(translator, translator->at,
			"\\%u stands for a group that is not closed before it",
			number);
	buf_add_format(&translator->out, "\\g{%u}", number);
	translator->before = BEFORE_ATOM;
	translator->at += 2;
	return 0;
}

/* What GNU adds: NULL for others. */
static const char *
gnu_escape(char c, enum before *before_out)
{
	static const struct {
		char c;
		enum before before;
		const char *pattern;
	} escapes[] = {
		{'w', BEFORE_ATOM, "[0-9A-Z_a-z]"},
		{'W', BEFORE_ATOM, "[^0-9A-Z_a-z]"},
		{'s', BEFORE_ATOM, "[\\x{9}-\\x{d}\\ ]"},
		{'S', BEFORE_ATOM, "[^\\x{9}-\\x{d}\\ ]"},
		{'b', BEFORE_ANCHOR, "\\b"},
		{'B', BEFORE_ANCHOR, "\\B"},
		{'<', BEFORE_ANCHOR, "\\b(?=\\w)"},
		{'>', BEFORE_ANCHOR, "\\b(?<=\\w)"},
		{'`', BEFORE_ANCHOR, "^"},
		{'\'', BEFORE_ANCHOR, "\\z"},
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(escapes); i++)
		if (escapes[i].c == c) {
			*before_out = escapes[i].before;
			return escapes[i].pattern;
		}
	return NULL;
}

static int
unknown_escape(struct translator *translator, char c)
{
	const char *instead = c == 'd'   ? ": write [0-9]"
	                      : c == 'D' ? ": write [^0-9]"
	                                 : "";

	return fail(translator, translator->at,
		"\\%c has no meaning in an extended regular expression%s", c,
		instead);
}

static int
take_escape(struct translator *translator)
{
	char c = peek(translator, 1);
	const char *pattern;

	if (translator->at + 1 == translator->in.len)
		return fail(translator, translator->at,
			"nothing stands behind the last \\");
	if (ascii_is_digit(c))
		return take_reference(translator);
	pattern = gnu_escape(c, &translator->before);
	if (pattern != NULL) {
		buf_add_text(&translator->out, pattern);
		translator->at += 2;
		return 0;
	}
	if (ascii_is_alpha(c))
		return unknown_escape(translator, c);
	translator->at++;
	add_literal(&translator->out, take_code(translator));
	translator->before = BEFORE_ATOM;
	return 0;
}

/* ---- repetitions (9.4.6) ---- */

static int
check_before(struct translator *translator, char c)
{
	switch (translator->before) {
	case BEFORE_ATOM:
		return 0;
	case BEFORE_NOTHING:
		return fail(translator, translator->at,
			"\"%c\" has nothing to repeat: write \\%c for the "
			"character",
			c, c);
	case BEFORE_ANCHOR:
		return fail(translator, translator->at,
			"\"%c\" cannot repeat a place: write \\%c for the "
			"character",
			c, c);
	case BEFORE_REPETITION:
		return fail(translator, translator->at,
			"\"%c\" stands behind another repetition, which POSIX "
			"does not know (neither *? nor ++): put that into "
			"parentheses",
			c);
	}
	return 0;
}

static int
take_repetition(struct translator *translator)
{
	char c = peek(translator, 0);

	if (check_before(translator, c) < 0)
		return -1;
	buf_add_char(&translator->out, c);
	translator->before = BEFORE_REPETITION;
	translator->at++;
	return 0;
}

static bool
take_count(struct translator *translator, unsigned *count_out)
{
	size_t from = translator->at;

	*count_out = 0;
	while (ascii_is_digit(peek(translator, 0)) &&
		*count_out <= ERE_REPEAT_MOST)
		*count_out =
			*count_out * 10 +
			(unsigned)(translator->in.data[translator->at++] - '0');
	return translator->at > from;
}

/* {n}, {n,}, {n,m} and GNU's {,m} */
static int
take_interval(struct translator *translator)
{
	size_t from = translator->at;
	unsigned least, most;
	bool has_least, has_most, has_comma;

	if (check_before(translator, '{') < 0)
		return -1;
	translator->at++;
	has_least = take_count(translator, &least);
	most = least;
	has_most = has_least;
	has_comma = peek(translator, 0) == ',';
	if (has_comma) {
		translator->at++;
		has_most = take_count(translator, &most);
	}
	if (peek(translator, 0) != '}' || (!has_least && !has_most) ||
		is_at_end(translator))
		return fail(translator, from,
			"\"{\" begins no interval such as {2,5}: write \\{ for "
			"the character");
	if (least > ERE_REPEAT_MOST || most > ERE_REPEAT_MOST)
		return fail(translator, from, "an interval goes to %d at most",
			ERE_REPEAT_MOST);
	if (has_most && most < least)
		return fail(
			translator, from, "the interval ends before it begins");
	translator->at++;
	buf_add_format(&translator->out, "{%u", least);
	if (has_comma)
		buf_add_char(&translator->out, ',');
	if (has_comma && has_most)
		buf_add_format(&translator->out, "%u", most);
	buf_add_char(&translator->out, '}');
	translator->before = BEFORE_REPETITION;
	return 0;
}

/* ---- groups (9.4.3, 9.4.7) ---- */

static int
take_open(struct translator *translator)
{
	if (translator->depth == ERE_DEPTH_MOST)
		return fail(translator, translator->at,
			"parentheses are nested deeper than %d",
			ERE_DEPTH_MOST);
	if (peek(translator, 1) == '?')
		return fail(translator, translator->at + 1,
			"\"(?\" is Perl's: POSIX has groups only, and \\? for "
			"the character");
	translator->open[translator->depth] = ++translator->groups;
	translator->open_at[translator->depth++] = translator->at++;
	buf_add_char(&translator->out, '(');
	translator->before = BEFORE_NOTHING;
	return 0;
}

static int
take_close(struct translator *translator)
{
	unsigned number;

	if (translator->depth == 0)
		return fail(translator, translator->at,
			"\")\" closes nothing: write \\) for the character");
	number = translator->open[--translator->depth];
	if (number < REFERENCES)
		translator->is_closed[number] = true;
	translator->at++;
	buf_add_char(&translator->out, ')');
	translator->before = BEFORE_ATOM;
	return 0;
}

/* ---- all of it ---- */

static int
take_plain(
	struct translator *translator, const char *pattern, enum before before)
{
	buf_add_text(&translator->out, pattern);
	translator->before = before;
	translator->at++;
	return 0;
}

static int
take_one(struct translator *translator)
{
	switch (peek(translator, 0)) {
	case '(':
		return take_open(translator);
	case ')':
		return take_close(translator);
	case '|':
		return take_plain(translator, "|", BEFORE_NOTHING);
	case '[':
		return take_bracket(translator);
	case '\\':
		return take_escape(translator);
	case '*':
	case '+':
	case '?':
		return take_repetition(translator);
	case '{':
		return take_interval(translator);
	case '.':
		return take_plain(translator, ".", BEFORE_ATOM);
	case '^':
		return take_plain(translator, "^", BEFORE_ANCHOR);
	case '$':
		return take_plain(translator, "\\z", BEFORE_ANCHOR);
	default:
		add_literal(&translator->out,
			folded(translator, take_code(translator)));
		translator->before = BEFORE_ATOM;
		return 0;
	}
}

static int
translate(struct translator *translator)
{
	if (translator->in.len > ERE_BYTES_MOST)
		return err_set(translator->err, ERR_REFUSED, "5.6.0",
			"regular expression: longer than %d bytes",
			ERE_BYTES_MOST);
	if (!utf8_is_valid(translator->in))
		return err_set(translator->err, ERR_REFUSED, "5.6.0",
			"regular expression: not UTF-8");
	while (!is_at_end(translator))
		if (take_one(translator) < 0)
			return -1;
	if (translator->depth > 0)
		return fail(translator,
			translator->open_at[translator->depth - 1],
			"\"(\" is not closed by \")\"");
	return 0;
}

int
ere_translate(struct arena *arena, struct str pattern, unsigned options,
	struct str *translated_out, struct err *err)
{
	struct translator translator = {
		.in = pattern,
		.is_nocase = (options & ERE_NOCASE) != 0,
		.err = err,
	};
	int result;

	buf_init(&translator.out, BUF_UNLIMITED);
	result = translate(&translator);
	if (result == 0)
		*translated_out = arena_copy(arena, buf_view(&translator.out));
	buf_clear(&translator.out);
	return result;
}

struct str
ere_quote(struct arena *arena, struct str s)
{
	char *copy = arena_alloc(arena, s.len * 2 + 1);
	size_t i, len = 0;

	for (i = 0; i < s.len; i++) {
		if (s.data[i] != '\0' &&
			str_has_char(str_from(specials), s.data[i]))
			copy[len++] = '\\';
		copy[len++] = s.data[i];
	}
	return str_of(copy, len);
}
