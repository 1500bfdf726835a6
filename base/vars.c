/* SPDX-License-Identifier: MIT */
#include "base/vars.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/encode.h"
#include "base/number.h"
#include "base/unicode.h"
#include "base/vars_filter.h"

#include "base/banned.h"

/* Digits of an offset or width; nothing is a million bytes long. */
enum { WINDOW_MAX = 1000 * 1000, MODIFIERS_MAX = 8 };

struct expansion {
	struct arena *arena;
	struct str template; /* the whole, for positions */
	const struct var *vars;
	size_t count;
	bool is_check; /* values do not count: what they make wrong is right */
	struct err *err;
};

static int expand(struct expansion *x, struct str text, bool is_field,
	unsigned depth, struct buf *out) MUST_USE;

/* Like str_skip(), but what is left still points into the template. */
static struct str
advance(struct str s, size_t count)
{
	if (count > s.len)
		count = s.len;
	return str_of(s.data + count, s.len - count);
}

/* ---- Errors and names -------------------------------------------------- */

static int fail(const struct expansion *x, const char *at, const char *format,
	...) PRINTF_LIKE(3, 4);

/* `at` is within the template. */
static int
fail(const struct expansion *x, const char *at, const char *format, ...)
{
	struct str shown = str_slice(x->template, 0, 200);
	char what[256];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return err_temp(x->err, "4.3.5", "%s at position %zu of \"%.*s\"", what,
		(size_t)(at - x->template.data) + 1, STR_ARG(shown));
}

static bool
find_given(const struct var *vars, size_t count, struct str name,
	struct str *value_out)
{
	size_t i;

	for (i = 0; i < count; i++) {
		bool is_letter = vars[i].letter != '\0' && name.len == 1 &&
		                 name.data[0] == vars[i].letter;

		if (is_letter ||
			(vars[i].name != NULL && str_is(name, vars[i].name))) {
			*value_out = vars[i].value;
			return true;
		}
	}
	return false;
}

bool
vars_find(const struct var *vars, size_t count, struct str name,
	struct str *value_out)
{
	struct str user;

	if (find_given(vars, count, name, value_out))
		return true;
	if (!find_given(vars, count, STR("user"), &user))
		return false;
	if (str_is(name, "n") || str_is(name, "username"))
		*value_out = vars_username(user);
	else if (str_is(name, "d") || str_is(name, "domain"))
		*value_out = vars_domain(user);
	else
		return false;
	return true;
}

/* ---- Modifiers of 2.3 --------------------------------------------------- */

struct modifier;

/* What stands between the percent sign and the variable. */
struct window {
	int64_t offset;
	int64_t width;
	bool has_width;
	bool is_padded; /* a width written with a 0 in front */
	const struct modifier *modifiers[MODIFIERS_MAX];
	size_t count;
};

static struct str
modify_lower(struct arena *arena, struct str s, struct window *window UNUSED)
{
	return unicode_lower(arena, s);
}

static struct str
modify_upper(struct arena *arena, struct str s, struct window *window UNUSED)
{
	return unicode_upper(arena, s);
}

static struct str
modify_escape(struct arena *arena, struct str s, struct window *window UNUSED)
{
	struct str result;
	struct buf out;
	size_t i;

	buf_init(&out, BUF_UNLIMITED);
	for (i = 0; i < s.len; i++) {
		if (s.data[i] == '"' || s.data[i] == '\\' || s.data[i] == '\'')
			buf_add_char(&out, '\\');
		buf_add_char(&out, s.data[i]);
	}
	result = arena_copy(arena, buf_view(&out));
	buf_clear(&out);
	return result;
}

/* A decimal number in hexadecimal digits; what is none stays. */
static struct str
modify_hex(struct arena *arena, struct str s, struct window *window UNUSED)
{
	uint64_t number;

	if (number_parse(s, &number) < 0)
		return s;
	return str_from(
		arena_format(arena, "%llx", (unsigned long long)number));
}

static struct str
modify_reverse(struct arena *arena, struct str s, struct window *window UNUSED)
{
	return vars_reverse(arena, s);
}

static struct str
modify_trim(
	struct arena *arena UNUSED, struct str s, struct window *window UNUSED)
{
	return vars_trim_end(s);
}

static struct str
modify_domain(struct arena *arena, struct str s, struct window *window UNUSED)
{
	return vars_domain_dn(arena, s);
}

static struct str
modify_md5(struct arena *arena, struct str s, struct window *window UNUSED)
{
	uint8_t result[DIGEST_MAX];

	digest_of(DIGEST_MD5, s, result);
	return encode_hex(
		arena, str_of((const char *)result, digest_size(DIGEST_MD5)));
}

/* The window is used up: width is the modulus, offset the least digits. */
static struct str
hash_digits(struct arena *arena, uint64_t hash, struct window *window)
{
	int digits = (int)(window->offset > 0 ? window->offset : 0);

	if (window->width > 0)
		hash %= (uint64_t)window->width;
	window->offset = 0;
	window->width = 0;
	window->has_width = false;
	if (digits > 64)
		digits = 64;
	return str_from(arena_format(arena, "%0*x", digits, (unsigned)hash));
}

/* Dovecot's: the first eight bytes of the MD5 digest. */
static struct str
modify_new_hash(struct arena *arena, struct str s, struct window *window)
{
	uint8_t result[DIGEST_MAX];
	uint64_t hash = 0;
	size_t i;

	digest_of(DIGEST_MD5, s, result);
	for (i = 0; i < 8; i++)
		hash = hash << 8 | result[i];
	return hash_digits(arena, hash, window);
}

/* P. J. Weinberger's hash, as it was in early versions. */
static struct str
modify_old_hash(struct arena *arena, struct str s, struct window *window)
{
	uint32_t hash = 0, high;
	size_t i;

	for (i = 0; i < s.len; i++) {
		hash = (hash << 4) + (unsigned char)s.data[i];
		high = hash & 0xf0000000;
		hash = (hash ^ high >> 24) & ~high;
	}
	return hash_digits(arena, hash, window);
}

struct modifier {
	char letter;
	struct str (*apply)(
		struct arena *arena, struct str s, struct window *window);
} modifiers[] = {
	{'L', modify_lower},
	{'U', modify_upper},
	{'E', modify_escape},
	{'X', modify_hex},
	{'R', modify_reverse},
	{'N', modify_new_hash},
	{'H', modify_old_hash},
	{'M', modify_md5},
	{'D', modify_domain},
	{'T', modify_trim},
};

static const struct modifier *
find_modifier(char letter)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(modifiers); i++)
		if (modifiers[i].letter == letter)
			return &modifiers[i];
	return NULL;
}

/* ---- The window -------------------------------------------------------- */

static int
take_number(const struct expansion *x, struct str *rest, int64_t *number_out)
{
	const char *start = rest->data;
	bool negative = rest->len > 0 && rest->data[0] == '-';
	int64_t number = 0;

	if (negative)
		*rest = advance(*rest, 1);
	while (rest->len > 0 && ascii_is_digit(rest->data[0])) {
		number = number * 10 + (rest->data[0] - '0');
		if (number > WINDOW_MAX)
			return fail(x, start, "number too large");
		*rest = advance(*rest, 1);
	}
	*number_out = negative ? -number : number;
	return 0;
}

static char
first(struct str s)
{
	return s.len > 0 ? s.data[0] : '\0';
}

/* [[offset].]width MODIFIERS */
static int
take_window(const struct expansion *x, struct str *rest, struct window *window)
{
	memset(window, 0, sizeof(*window));
	window->is_padded = first(*rest) == '0';
	if (take_number(x, rest, &window->width) < 0)
		return -1;
	if (first(*rest) == '.') {
		window->offset = window->width;
		*rest = advance(*rest, 1);
		window->is_padded = first(*rest) == '0';
		if (take_number(x, rest, &window->width) < 0)
			return -1;
	}
	window->has_width = window->width != 0;
	while (rest->len > 1) {
		const struct modifier *modifier = find_modifier(first(*rest));

		if (modifier == NULL)
			break;
		if (window->count == MODIFIERS_MAX)
			return fail(x, rest->data, "more than %d modifiers",
				MODIFIERS_MAX);
		window->modifiers[window->count++] = modifier;
		*rest = advance(*rest, 1);
	}
	return 0;
}

static void
add_windowed(struct buf *out, struct str s, const struct window *window)
{
	size_t i, wanted;

	if (window->offset >= 0)
		s = str_skip(s, (size_t)window->offset);
	else if ((size_t)-window->offset < s.len)
		s = str_skip(s, s.len - (size_t)-window->offset);
	wanted = (size_t)(window->width < 0 ? -window->width : window->width);
	if (window->has_width && window->is_padded)
		for (i = s.len; i < wanted; i++)
			buf_add_char(out, '0');
	else if (window->has_width && window->width < 0)
		s = str_slice(s, 0, s.len > wanted ? s.len - wanted : 0);
	else if (window->has_width)
		s = str_slice(s, 0, wanted);
	buf_add(out, s);
}

static void
add_modified(struct expansion *x, struct str s, struct window *window,
	struct buf *out)
{
	size_t i;

	for (i = 0; i < window->count; i++)
		s = window->modifiers[i]->apply(x->arena, s, window);
	add_windowed(out, s, window);
}

/* ---- %{if;...} and %{sha256;...:...} of 2.3 ----------------------------- */

/* Up to the brace that closes, which is taken off as well. */
static int
take_braced(const struct expansion *x, struct str *rest, struct str *inner_out)
{
	unsigned open = 1;
	size_t i;

	for (i = 0; i < rest->len; i++) {
		if (rest->data[i] == '\\')
			i++;
		else if (rest->data[i] == '{')
			open++;
		else if (rest->data[i] == '}' && --open == 0)
			break;
	}
	if (i >= rest->len)
		return fail(x, rest->data - 1, "no } for the {");
	*inner_out = str_slice(*rest, 0, i);
	*rest = advance(*rest, i + 1);
	return 0;
}

/* The next field of an %{if}; separators within braces are not its own. */
static struct str
take_field(struct str *rest)
{
	unsigned open = 0;
	struct str field;
	size_t i;

	for (i = 0; i < rest->len; i++) {
		char c = rest->data[i];

		if (c == '\\')
			i++;
		else if (c == '{')
			open++;
		else if (c == '}' && open > 0)
			open--;
		else if (c == ';' && open == 0)
			break;
	}
	field = str_slice(*rest, 0, i);
	*rest = advance(*rest, i + 1);
	return field;
}

static int
expand_field(struct expansion *x, struct str field, unsigned depth,
	struct str *text_out)
{
	struct buf out;
	int result;

	if (field.len == 0) {
		*text_out = STR_EMPTY;
		return 0;
	}
	buf_init(&out, VARS_TEXT_MAX);
	result = expand(x, field, true, depth, &out);
	if (result == 0 && out.overflowed)
		result = fail(x, field.data, "text too long");
	*text_out = arena_copy(x->arena, buf_view(&out));
	buf_clear(&out);
	return result;
}

static size_t
count_fields(struct str inner)
{
	size_t count = 0;

	do {
		take_field(&inner);
		count++;
	} while (inner.len > 0);
	return count;
}

static int
expand_if(struct expansion *x, struct str inner, unsigned depth,
	struct str *text_out)
{
	enum { A, OPERATOR, B, THEN, ELSE, FIELDS };
	const char *at = inner.data, *problem;
	struct str fields[FIELDS];
	bool result, is_mistake = false;
	size_t i;

	if (depth >= VARS_DEPTH_MAX)
		return fail(x, at, "%%{if} nested more than %d deep",
			VARS_DEPTH_MAX);
	take_field(&inner);
	/* An empty last field may lack its semicolon. */
	if (inner.len == 0 || count_fields(inner) > FIELDS)
		return fail(x, at, "%%{if} needs a;operator;b;then;else");
	for (i = 0; i < FIELDS; i++)
		if (expand_field(x, take_field(&inner), depth + 1, &fields[i]) <
			0)
			return -1;
	problem = vars_compare(x->arena, fields[A], fields[OPERATOR], fields[B],
		&result, &is_mistake);
	if (problem != NULL && (is_mistake || !x->is_check))
		return fail(x, at, "%%{if}: %s", problem);
	*text_out = fields[result ? THEN : ELSE];
	return 0;
}

enum hash_format { FORMAT_HEX, FORMAT_HEX_UPPER, FORMAT_BASE64 };

static int
parse_hash_option(
	struct str option, struct vars_hash *hash, enum hash_format *format_out)
{
	size_t at = str_find_char(option, '=');
	struct str name = str_slice(option, 0, at);
	struct str value = str_skip(option, at + 1);

	if (str_is(name, "salt"))
		hash->salt = value;
	else if (str_is(name, "rounds"))
		return number_parse(value, &hash->rounds);
	else if (str_is(name, "truncate"))
		return number_parse(value, &hash->bits);
	else if (str_is(option, "format=hex"))
		*format_out = FORMAT_HEX;
	else if (str_is(option, "format=hexuc"))
		*format_out = FORMAT_HEX_UPPER;
	else if (str_is(option, "format=base64"))
		*format_out = FORMAT_BASE64;
	else
		return -1;
	return 0;
}

static struct str
formatted(struct arena *arena, struct str bytes, enum hash_format format)
{
	switch (format) {
	case FORMAT_HEX:
		return encode_hex(arena, bytes);
	case FORMAT_HEX_UPPER:
		return unicode_upper(arena, encode_hex(arena, bytes));
	case FORMAT_BASE64:
		return encode_base64(arena, bytes, true, false);
	}
	return bytes;
}

/* `inner` is "sha256;options:variable" or "sha256:variable". */
static int
expand_hash(struct expansion *x, struct str inner, enum digest_kind kind,
	struct str *text_out)
{
	struct vars_hash hash = {kind, 1, STR_EMPTY, 0};
	enum hash_format format = FORMAT_HEX;
	size_t colon = str_find_last_char(inner, ':');
	struct str options = str_slice(inner, 0, colon), option, value, bytes;
	struct str name = advance(inner, colon + 1);
	const char *problem;

	if (colon == inner.len)
		return fail(x, inner.data, "no \":variable\" in %%{%.*s}",
			STR_ARG(inner));
	options = advance(options, str_find_char(options, ';') + 1);
	while (options.len > 0 && str_next_field(&options, ',', &option))
		if (parse_hash_option(option, &hash, &format) < 0)
			return fail(x, option.data, "wrong hash option %.*s",
				STR_ARG(option));
	if (!vars_find(x->vars, x->count, name, &value))
		return fail(x, name.data, "unknown variable %%{%.*s}",
			STR_ARG(name));
	problem = vars_hash(x->arena, &hash, value, &bytes);
	if (problem != NULL)
		return fail(
			x, inner.data, "%%{%.*s}: %s", STR_ARG(inner), problem);
	*text_out = formatted(x->arena, bytes, format);
	return 0;
}

/* ---- %{user | filter} of 2.4 -------------------------------------------- */

static void
skip_blanks(struct str *rest)
{
	while (rest->len > 0 && ascii_is_space(first(*rest)))
		*rest = advance(*rest, 1);
}

/* Letters, digits, "_", "." and, behind a first colon, everything that could
 * not end it: env:MY-NAME. */
static struct str
take_name(struct str *rest)
{
	bool has_colon = false;
	struct str name;
	size_t i;

	for (i = 0; i < rest->len; i++) {
		char c = rest->data[i];

		if (c == ':')
			has_colon = true;
		else if (has_colon && (c == '-' || c == '/'))
			continue;
		else if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '_' &&
			 c != '.' && c != '$')
			break;
	}
	name = str_slice(*rest, 0, i);
	*rest = advance(*rest, i);
	return name;
}

/* 'text' or "text"; a backslash takes the next character as it is, except that
 * \n \t and \r are what they are in C and a digit keeps its backslash, for
 * regexp(). */
static void
add_escaped(struct buf *out, char c)
{
	static const char letters[] = "ntr", controls[] = "\n\t\r";
	const char *at = c != '\0' ? strchr(letters, c) : NULL;

	if (ascii_is_digit(c))
		buf_add_char(out, '\\');
	buf_add_char(out, at != NULL ? controls[at - letters] : c);
}

static int
take_quoted(struct expansion *x, struct str *rest, struct str *text_out)
{
	const char *start = rest->data;
	char quote = first(*rest);
	struct buf out;
	size_t i;

	buf_init(&out, BUF_UNLIMITED);
	for (i = 1; i < rest->len && rest->data[i] != quote; i++) {
		if (rest->data[i] == '\\' && i + 1 < rest->len)
			add_escaped(&out, rest->data[++i]);
		else
			buf_add_char(&out, rest->data[i]);
	}
	*text_out = arena_copy(x->arena, buf_view(&out));
	buf_clear(&out);
	if (i >= rest->len)
		return fail(x, start, "no end of the quoted text");
	*rest = advance(*rest, i + 1);
	return 0;
}

static int
take_variable(struct expansion *x, struct str *rest, struct str *value_out)
{
	const char *at = rest->data;
	struct str name = take_name(rest);

	if (name.len == 0)
		return fail(x, at, "a name is missing");
	if (!vars_find(x->vars, x->count, name, value_out))
		return fail(x, at, "unknown variable %%{%.*s}", STR_ARG(name));
	return 0;
}

/* A quoted text, a number or a variable. */
static int
take_operand(struct expansion *x, struct str *rest, struct str *value_out)
{
	size_t len = 0;

	skip_blanks(rest);
	if (first(*rest) == '\'' || first(*rest) == '"')
		return take_quoted(x, rest, value_out);
	if (first(*rest) == '-')
		len++;
	while (len < rest->len && ascii_is_digit(rest->data[len]))
		len++;
	if (len == 0)
		return take_variable(x, rest, value_out);
	*value_out = str_slice(*rest, 0, len);
	*rest = advance(*rest, len);
	return 0;
}

/* The words yes and no stand for themselves as the value of a name. */
static bool
take_bool(struct str *rest, struct str *value_out)
{
	struct str ahead = *rest, word = take_name(&ahead);

	if (!str_is(word, "yes") && !str_is(word, "no") &&
		!str_is(word, "true") && !str_is(word, "false"))
		return false;
	*value_out = word;
	*rest = ahead;
	return true;
}

/* name=value or value */
static int
take_argument(
	struct expansion *x, struct str *rest, struct vars_argument *argument)
{
	struct str ahead, name;

	skip_blanks(rest);
	ahead = *rest;
	name = take_name(&ahead);
	skip_blanks(&ahead);
	argument->name = STR_EMPTY;
	argument->value.is_binary = false;
	if (name.len > 0 && first(ahead) == '=') {
		argument->name = name;
		*rest = advance(ahead, 1);
		skip_blanks(rest);
		if (take_bool(rest, &argument->value.bytes))
			return 0;
	}
	return take_operand(x, rest, &argument->value.bytes);
}

/* "(a, b)"; nothing when there is no parenthesis. */
static int
take_arguments(struct expansion *x, struct str *rest, struct vars_call *call)
{
	const char *start = rest->data;
	struct vars_argument *args;

	if (first(*rest) != '(')
		return 0;
	args = ARENA_ARRAY(x->arena, struct vars_argument, VARS_ARGUMENTS_MAX);
	call->args = args;
	*rest = advance(*rest, 1);
	skip_blanks(rest);
	while (first(*rest) != ')') {
		if (call->arg_count == VARS_ARGUMENTS_MAX)
			return fail(x, start, "more than %d arguments",
				VARS_ARGUMENTS_MAX);
		if (take_argument(x, rest, &args[call->arg_count++]) < 0)
			return -1;
		skip_blanks(rest);
		if (first(*rest) == ',')
			*rest = advance(*rest, 1);
		else if (first(*rest) != ')')
			return fail(x, start, "no ) for the (");
		skip_blanks(rest);
	}
	*rest = advance(*rest, 1);
	return 0;
}

static int
take_filter(struct expansion *x, struct str *rest, bool is_first,
	struct vars_value *value)
{
	struct vars_call call = {.arena = x->arena,
		.vars = x->vars,
		.var_count = x->count,
		.is_first = is_first};
	const char *at, *problem;
	struct str name;

	skip_blanks(rest);
	at = rest->data;
	name = take_name(rest);
	if (name.len == 0)
		return fail(x, at, "a filter is missing");
	if (take_arguments(x, rest, &call) < 0)
		return -1;
	problem = vars_filter_apply(name, &call, value);
	if (problem != NULL && (call.is_mistake || !x->is_check))
		return fail(x, at, "filter %.*s: %s", STR_ARG(name), problem);
	return 0;
}

static int
take_arithmetic(struct expansion *x, struct str *rest, struct vars_value *value)
{
	const char *at = rest->data, *problem;
	char operation = first(*rest);
	struct str operand = STR_EMPTY;

	*rest = advance(*rest, 1);
	if (take_operand(x, rest, &operand) < 0)
		return -1;
	problem = vars_arithmetic(x->arena, operation, operand, value);
	if (problem != NULL && !x->is_check)
		return fail(x, at, "%c: %s", operation, problem);
	return 0;
}

/* A variable, or a filter that makes a value out of its arguments. */
static int
take_first(struct expansion *x, struct str *rest, struct vars_value *value)
{
	struct str ahead;

	skip_blanks(rest);
	ahead = *rest;
	take_name(&ahead);
	if (first(ahead) == '(')
		return take_filter(x, rest, true, value);
	return take_variable(x, rest, &value->bytes);
}

/* Up to the brace that closes, which is taken off as well. */
static int
expand_pipeline(struct expansion *x, struct str *rest, struct str *text_out)
{
	const char *start = rest->data;
	struct vars_value value = {STR_EMPTY, false};

	if (take_first(x, rest, &value) < 0)
		return -1;
	for (skip_blanks(rest); first(*rest) != '}'; skip_blanks(rest)) {
		int result;

		if (rest->len == 0)
			return fail(x, start - 1, "no } for the {");
		if (first(*rest) == '|') {
			*rest = advance(*rest, 1);
			result = take_filter(x, rest, false, &value);
		} else if (str_has_char(STR("+-*/%"), first(*rest))) {
			result = take_arithmetic(x, rest, &value);
		} else {
			return fail(x, rest->data, "unexpected \"%c\" in %%{}",
				first(*rest));
		}
		if (result < 0)
			return -1;
		if (value.bytes.len > VARS_TEXT_MAX)
			return fail(x, start, "text too long");
	}
	*rest = advance(*rest, 1);
	*text_out = value.is_binary ? encode_hex(x->arena, value.bytes)
	                            : value.bytes;
	return 0;
}

/* ---- The template ------------------------------------------------------ */

/* `rest` stands behind the opening brace. */
static int
expand_braced(struct expansion *x, struct str *rest, unsigned depth,
	struct str *text_out)
{
	struct str word = str_slice(*rest, 0, str_find_any(*rest, ";:}| "));
	char after = first(str_skip(*rest, word.len));
	enum digest_kind kind;
	struct str inner = STR_EMPTY;

	if (str_is(word, "if") && after == ';') {
		if (take_braced(x, rest, &inner) < 0)
			return -1;
		return expand_if(x, inner, depth, text_out);
	}
	if ((after == ';' || after == ':') && digest_find(word, &kind)) {
		if (take_braced(x, rest, &inner) < 0)
			return -1;
		return expand_hash(x, inner, kind, text_out);
	}
	return expand_pipeline(x, rest, text_out);
}

/* `rest` stands behind the percent sign. */
static int
expand_variable(
	struct expansion *x, struct str *rest, unsigned depth, struct buf *out)
{
	const char *start = rest->data - 1;
	struct window window;
	struct str value = STR_EMPTY, name;

	if (first(*rest) == '%') {
		buf_add_char(out, '%');
		*rest = advance(*rest, 1);
		return 0;
	}
	if (take_window(x, rest, &window) < 0)
		return -1;
	if (rest->len == 0)
		return fail(x, start, "no variable behind the %%");
	name = str_slice(*rest, 0, 1);
	*rest = advance(*rest, 1);
	if (first(name) == '{') {
		if (expand_braced(x, rest, depth, &value) < 0)
			return -1;
	} else if (!vars_find(x->vars, x->count, name, &value)) {
		return fail(x, start, "unknown variable %%%c", first(name));
	}
	add_modified(x, value, &window, out);
	return 0;
}

/* In a field of an %{if} a backslash takes the next character as it is. */
static int
expand(struct expansion *x, struct str text, bool is_field, unsigned depth,
	struct buf *out)
{
	while (text.len > 0) {
		size_t len = str_find_any(text, is_field ? "%\\" : "%");

		buf_add(out, str_slice(text, 0, len));
		text = advance(text, len);
		if (text.len == 0)
			break;
		if (first(text) == '\\') {
			buf_add(out, str_slice(text, 1, 2));
			text = advance(text, 2);
			continue;
		}
		text = str_of(text.data + 1, text.len - 1);
		if (expand_variable(x, &text, depth, out) < 0)
			return -1;
	}
	return 0;
}

static int
expand_all(struct expansion *x, struct str *text_out)
{
	struct buf out;
	int result;

	buf_init(&out, VARS_TEXT_MAX);
	result = expand(x, x->template, false, 0, &out);
	if (result == 0 && out.overflowed)
		result = fail(x, x->template.data, "text too long");
	if (result == 0)
		*text_out = arena_copy(x->arena, buf_view(&out));
	buf_clear(&out);
	return result;
}

int
vars_expand(struct arena *arena, struct str template, const struct var *vars,
	size_t count, struct str *text_out, struct err *err)
{
	struct expansion x = {arena, template, vars, count, false, err};

	return expand_all(&x, text_out);
}

/* ":" and "=" stand before paths in locations and fields. */
static bool
has_step_up(struct str path)
{
	while (path.len > 0) {
		size_t len = str_find_any(path, "/:=");

		if (str_is(str_slice(path, 0, len), ".."))
			return true;
		path = str_skip(path, len + 1);
	}
	return false;
}

int
vars_expand_path(struct arena *arena, struct str template,
	const struct var *vars, size_t count, struct str *path_out,
	struct err *err)
{
	if (vars_expand(arena, template, vars, count, path_out, err) < 0)
		return -1;
	if (has_step_up(*path_out) && !has_step_up(template))
		return err_temp(err, "4.3.0",
			"\"%.*s\" would lead out of its folder: \"%.*s\"",
			STR_ARG(str_slice(template, 0, 200)),
			STR_ARG(str_slice(*path_out, 0, 200)));
	return 0;
}

int
vars_check(struct str template, const struct var *vars, size_t count,
	struct err *err)
{
	struct arena *arena = arena_open();
	struct expansion x = {arena, template, vars, count, true, err};
	struct str text;
	int result = expand_all(&x, &text);

	arena_close(&arena);
	return result;
}
