/* SPDX-License-Identifier: MIT */
#include "base/vars_filter.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/encode.h"
#include "base/number.h"
#include "base/regex.h"
#include "base/unicode.h"

#include "base/banned.h"

/* ---- Arguments ------------------------------------------------------- */

/* The n-th argument without a name, or NULL. */
static const struct vars_value *
argument(const struct vars_call *call, size_t index)
{
	size_t i;

	for (i = 0; i < call->arg_count; i++)
		if (call->args[i].name.len == 0 && index-- == 0)
			return &call->args[i].value;
	return NULL;
}

static struct str
text_argument(const struct vars_call *call, size_t index)
{
	const struct vars_value *value = argument(call, index);

	return value != NULL ? value->bytes : STR_EMPTY;
}

static const struct vars_value *
named_argument(const struct vars_call *call, const char *name)
{
	size_t i;

	for (i = 0; i < call->arg_count; i++)
		if (str_is(call->args[i].name, name))
			return &call->args[i].value;
	return NULL;
}

static size_t
count_unnamed(const struct vars_call *call)
{
	size_t i, count = 0;

	for (i = 0; i < call->arg_count; i++)
		count += call->args[i].name.len == 0;
	return count;
}

static int
parse_signed(struct str text, int64_t *number_out)
{
	bool negative = text.len > 0 && text.data[0] == '-';
	uint64_t size;

	if (number_parse(negative ? str_skip(text, 1) : text, &size) < 0 ||
		size > INT64_MAX)
		return -1;
	*number_out = negative ? -(int64_t)size : (int64_t)size;
	return 0;
}

static const char *
not_a_number(struct arena *arena, struct str text)
{
	return arena_format(arena, "\"%.*s\" is not a number", STR_ARG(text));
}

/* The n-th unnamed argument as a number, `missing` when there is none. */
static const char *
number_argument(const struct vars_call *call, size_t index, int64_t missing,
	int64_t *number_out)
{
	const struct vars_value *value = argument(call, index);

	*number_out = missing;
	if (value == NULL || parse_signed(value->bytes, number_out) == 0)
		return NULL;
	return not_a_number(call->arena, value->bytes);
}

static const char *
named_number(const struct vars_call *call, const char *name, uint64_t missing,
	uint64_t *number_out)
{
	const struct vars_value *value = named_argument(call, name);

	*number_out = missing;
	if (value == NULL || number_parse(value->bytes, number_out) == 0)
		return NULL;
	return not_a_number(call->arena, value->bytes);
}

/* "no", "false" and "0" are false. */
static bool
named_bool(const struct vars_call *call, const char *name, bool missing)
{
	const struct vars_value *value = named_argument(call, name);

	if (value == NULL)
		return missing;
	return !str_is_nocase(value->bytes, "no") &&
	       !str_is_nocase(value->bytes, "false") &&
	       !str_is(value->bytes, "0");
}

static void
set_text(struct vars_value *value, struct str text)
{
	value->bytes = text;
	value->is_binary = false;
}

static void
set_number(struct arena *arena, struct vars_value *value, int64_t number)
{
	set_text(value,
		str_from(arena_format(arena, "%lld", (long long)number)));
}

/* ---- Shared with the 2.3 forms ----------------------------------------- */

struct str
vars_username(struct str user)
{
	return str_slice(user, 0, str_find_last_char(user, '@'));
}

struct str
vars_domain(struct str user)
{
	/* A domain holds no "@", a quoted local part may. */
	return str_skip(user, str_find_last_char(user, '@') + 1);
}

struct str
vars_domain_dn(struct arena *arena, struct str domain)
{
	struct str part, result;
	struct buf out;
	bool first = true;

	buf_init(&out, BUF_UNLIMITED);
	while (str_next_field(&domain, '.', &part)) {
		buf_add_text(&out, first ? "" : ",dc=");
		buf_add(&out, part);
		first = false;
	}
	result = arena_copy(arena, buf_view(&out));
	buf_clear(&out);
	return result;
}

struct str
vars_reverse(struct arena *arena, struct str text)
{
	char *copy = arena_alloc(arena, text.len + 1);
	size_t i;

	for (i = 0; i < text.len; i++)
		copy[i] = text.data[text.len - 1 - i];
	return str_of(copy, text.len);
}

struct str
vars_trim_end(struct str text)
{
	while (text.len > 0 && ascii_is_space(text.data[text.len - 1]))
		text.len--;
	return text;
}

/* The first `bits` bits as a number: shifted to the right end. */
static void
keep_bits(uint8_t *bytes, size_t *size, uint64_t bits)
{
	size_t count = (size_t)(bits + 7) / 8;
	unsigned shift = (unsigned)(8 - bits % 8) % 8;
	size_t i;

	*size = count;
	for (i = count; shift > 0 && i-- > 0;) {
		unsigned above = i > 0 ? (unsigned)bytes[i - 1] << 8 : 0;

		bytes[i] = (uint8_t)((above | bytes[i]) >> shift);
	}
}

const char *
vars_hash(struct arena *arena, const struct vars_hash *hash, struct str text,
	struct str *bytes_out)
{
	uint8_t result[DIGEST_MAX];
	size_t size = digest_size(hash->kind);
	struct digest digest;
	uint64_t i;

	if (hash->rounds < 1 || hash->rounds > VARS_ROUNDS_MAX)
		return arena_format(
			arena, "rounds must be 1 to %d", VARS_ROUNDS_MAX);
	if (hash->bits > size * 8)
		return arena_format(
			arena, "the digest has only %zu bits", size * 8);
	for (i = 0; i < hash->rounds; i++) {
		digest_init(&digest, hash->kind);
		digest_add(&digest, hash->salt);
		digest_add(&digest,
			i == 0 ? text : str_of((const char *)result, size));
		digest_end(&digest, result);
	}
	if (hash->bits > 0)
		keep_bits(result, &size, hash->bits);
	*bytes_out = arena_copy(arena, str_of((const char *)result, size));
	return NULL;
}

/* ---- Comparing --------------------------------------------------------- */

static bool
matches_wildcards(struct str text, struct str pattern)
{
	size_t t = 0, p = 0, star = SIZE_MAX, star_text = 0;

	while (t < text.len) {
		if (p < pattern.len && pattern.data[p] == '*') {
			star = p++;
			star_text = t;
		} else if (p < pattern.len &&
			   (pattern.data[p] == '?' ||
				   pattern.data[p] == text.data[t])) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			/* The last star takes one byte more. */
			p = star + 1;
			t = ++star_text;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.data[p] == '*')
		p++;
	return p == pattern.len;
}

/* Up to `max` groups; *found_out false when it does not match. */
static const char *
match_regex(struct arena *arena, struct str text, struct str pattern,
	struct str *groups, size_t max, bool *found_out, bool *is_mistake_out)
{
	struct regex *regex;
	enum lookup found;
	struct err err;

	if (regex_open(pattern, REGEX_UTF8, NULL, &regex, &err) < 0) {
		*is_mistake_out = true;
		return arena_text(arena, str_from(err.text));
	}
	found = regex_match(regex, text, groups, max, &err);
	regex_close(&regex);
	*found_out = found == LOOKUP_FOUND;
	if (found == LOOKUP_ERROR)
		return arena_text(arena, str_from(err.detail));
	return NULL;
}

struct comparison {
	const char *name;
	bool of_numbers;
	bool less, equal, greater; /* the result for each order */
};

static const struct comparison comparisons[] = {
	{"==", true, false, true, false},
	{"!=", true, true, false, true},
	{"<", true, true, false, false},
	{"<=", true, true, true, false},
	{">", true, false, false, true},
	{">=", true, false, true, true},
	{"eq", false, false, true, false},
	{"ne", false, true, false, true},
	{"lt", false, true, false, false},
	{"le", false, true, true, false},
	{"gt", false, false, false, true},
	{"ge", false, false, true, true},
};

static const char *
compare_in_order(struct arena *arena, const struct comparison *comparison,
	struct str a, struct str b, bool *result_out)
{
	int64_t x = 0, y = 0;
	int order;

	if (comparison->of_numbers) {
		if (parse_signed(a, &x) < 0)
			return not_a_number(arena, a);
		if (parse_signed(b, &y) < 0)
			return not_a_number(arena, b);
		order = x < y ? -1 : x > y;
	} else {
		order = str_compare(a, b);
	}
	*result_out = order < 0    ? comparison->less
	              : order == 0 ? comparison->equal
	                           : comparison->greater;
	return NULL;
}

static const char *
compare_with_pattern(struct arena *arena, struct str a, char op, struct str b,
	bool *result_out, bool *is_mistake_out)
{
	if (op == '~')
		return match_regex(
			arena, a, b, NULL, 0, result_out, is_mistake_out);
	*result_out = matches_wildcards(a, b);
	return NULL;
}

const char *
vars_compare(struct arena *arena, struct str a, struct str op, struct str b,
	bool *result_out, bool *is_mistake_out)
{
	struct str kind = op;
	bool negated = kind.len == 2 && kind.data[0] == '!';
	const char *problem;
	size_t i;

	*result_out = false;
	for (i = 0; i < ARRAY_LENGTH(comparisons); i++)
		if (str_is(op, comparisons[i].name))
			return compare_in_order(
				arena, &comparisons[i], a, b, result_out);
	if (negated)
		kind = str_skip(kind, 1);
	if (!str_is(kind, "*") && !str_is(kind, "~")) {
		*is_mistake_out = true;
		return arena_format(
			arena, "unknown comparison \"%.*s\"", STR_ARG(op));
	}
	problem = compare_with_pattern(
		arena, a, kind.data[0], b, result_out, is_mistake_out);
	if (negated)
		*result_out = !*result_out;
	return problem;
}

/* ---- Arithmetic -------------------------------------------------------- */

/* A big-endian number of any length; the divisor is small enough for the sum. */
static const char *
binary_remainder(struct arena *arena, int64_t divisor, struct vars_value *value)
{
	uint64_t rest = 0;
	size_t i;

	if (divisor <= 0 || divisor > INT64_MAX / 256)
		return "divisor out of range";
	for (i = 0; i < value->bytes.len; i++)
		rest = (rest << 8 | (unsigned char)value->bytes.data[i]) %
		       (uint64_t)divisor;
	set_number(arena, value, (int64_t)rest);
	return NULL;
}

static const char *
value_number(struct arena *arena, const struct vars_value *value,
	int64_t *number_out)
{
	size_t i;

	if (!value->is_binary)
		return parse_signed(value->bytes, number_out) < 0
		               ? not_a_number(arena, value->bytes)
		               : NULL;
	if (value->bytes.len > 7)
		return "too many bytes for a number";
	*number_out = 0;
	for (i = 0; i < value->bytes.len; i++)
		*number_out =
			*number_out << 8 | (unsigned char)value->bytes.data[i];
	return NULL;
}

static const char *
calculate(char operation, int64_t a, int64_t b, int64_t *result_out)
{
	bool overflow = false;

	if ((operation == '/' || operation == '%') && b == 0)
		return "division by zero";
	/* The one quotient that does not fit. */
	if (a == INT64_MIN && b == -1)
		return "number too large";
	switch (operation) {
	case '+':
		overflow = __builtin_add_overflow(a, b, result_out);
		break;
	case '-':
		overflow = __builtin_sub_overflow(a, b, result_out);
		break;
	case '*':
		overflow = __builtin_mul_overflow(a, b, result_out);
		break;
	case '/':
		*result_out = a / b;
		break;
	default:
		*result_out = a % b;
		break;
	}
	return overflow ? "number too large" : NULL;
}

const char *
vars_arithmetic(struct arena *arena, char operation, struct str operand,
	struct vars_value *value)
{
	int64_t a, b, result;
	const char *problem;

	if (parse_signed(operand, &b) < 0)
		return not_a_number(arena, operand);
	if (value->is_binary && operation == '%')
		return binary_remainder(arena, b, value);
	problem = value_number(arena, value, &a);
	if (problem == NULL)
		problem = calculate(operation, a, b, &result);
	if (problem == NULL)
		set_number(arena, value, result);
	return problem;
}

/* ---- Filters: text ----------------------------------------------------- */

static const char *
filter_lower(struct vars_call *call, struct vars_value *value)
{
	set_text(value, unicode_lower(call->arena, value->bytes));
	return NULL;
}

static const char *
filter_upper(struct vars_call *call, struct vars_value *value)
{
	set_text(value, unicode_upper(call->arena, value->bytes));
	return NULL;
}

static const char *
filter_reverse(struct vars_call *call, struct vars_value *value)
{
	value->bytes = vars_reverse(call->arena, value->bytes);
	return NULL;
}

static const char *
filter_username(struct vars_call *call UNUSED, struct vars_value *value)
{
	value->bytes = vars_username(value->bytes);
	return NULL;
}

static const char *
filter_domain(struct vars_call *call UNUSED, struct vars_value *value)
{
	value->bytes = vars_domain(value->bytes);
	return NULL;
}

static const char *
filter_domain_dn(struct vars_call *call, struct vars_value *value)
{
	set_text(value, vars_domain_dn(call->arena, value->bytes));
	return NULL;
}

static const char *
filter_default(struct vars_call *call, struct vars_value *value)
{
	if (value->bytes.len == 0)
		set_text(value, text_argument(call, 0));
	return NULL;
}

static const char *
filter_literal(struct vars_call *call, struct vars_value *value)
{
	set_text(value, text_argument(call, 0));
	return NULL;
}

static const char *
filter_concat(struct vars_call *call, struct vars_value *value)
{
	struct buf out;
	size_t i;

	buf_init(&out, BUF_UNLIMITED);
	buf_add(&out, value->bytes);
	for (i = 0; i < call->arg_count; i++)
		buf_add(&out, call->args[i].value.bytes);
	set_text(value, arena_copy(call->arena, buf_view(&out)));
	buf_clear(&out);
	return NULL;
}

static const char *
filter_ltrim(struct vars_call *call UNUSED, struct vars_value *value)
{
	while (value->bytes.len > 0 && ascii_is_space(value->bytes.data[0]))
		value->bytes = str_skip(value->bytes, 1);
	return NULL;
}

static const char *
filter_rtrim(struct vars_call *call UNUSED, struct vars_value *value)
{
	value->bytes = vars_trim_end(value->bytes);
	return NULL;
}

static const char *
filter_safe(struct vars_call *call UNUSED, struct vars_value *value UNUSED)
{
	return NULL;
}

/* A position counted from the end when negative, within 0..len. */
static size_t
place(int64_t at, size_t len)
{
	if (at >= 0)
		return (uint64_t)at < len ? (size_t)at : len;
	return (uint64_t)-at < len ? len - (size_t)-at : 0;
}

/* substr(offset, length): a negative offset counts from the end, a negative
 * length leaves so many bytes off at the end. */
static const char *
filter_substr(struct vars_call *call, struct vars_value *value)
{
	int64_t offset, length;
	const char *problem;
	struct str rest;

	problem = number_argument(call, 0, 0, &offset);
	if (problem == NULL)
		problem = number_argument(call, 1, INT64_MAX, &length);
	if (problem != NULL)
		return problem;
	rest = str_skip(value->bytes, place(offset, value->bytes.len));
	value->bytes = str_slice(rest, 0, place(length, rest.len));
	return NULL;
}

/* index(separator, n): the n-th field from 0, -1 is the last; empty when there
 * are not so many. */
static const char *
filter_index(struct vars_call *call, struct vars_value *value)
{
	struct str separator = text_argument(call, 0);
	struct str rest = value->bytes, field, found = STR_EMPTY;
	const char *problem;
	int64_t wanted, count = 1, at = 0;

	problem = number_argument(call, 1, 0, &wanted);
	if (problem != NULL)
		return problem;
	if (separator.len != 1) {
		call->is_mistake = true;
		return "the separator must be one character";
	}
	for (size_t i = 0; i < rest.len; i++)
		count += rest.data[i] == separator.data[0];
	if (wanted < 0)
		wanted += count;
	for (; str_next_field(&rest, separator.data[0], &field); at++)
		if (at == wanted)
			found = field;
	set_text(value, found);
	return NULL;
}

/* One item of a list between tabs, its escapes undone. */
static void
add_list_item(struct buf *out, struct str item)
{
	size_t i;

	for (i = 0; i < item.len; i++) {
		if (item.data[i] != '\001' || i + 1 == item.len) {
			buf_add_char(out, item.data[i]);
			continue;
		}
		switch (item.data[++i]) {
		case '0':
			buf_add_char(out, '\0');
			break;
		case '1':
			buf_add_char(out, '\001');
			break;
		case 't':
			buf_add_char(out, '\t');
			break;
		case 'r':
			buf_add_char(out, '\r');
			break;
		case 'n':
			buf_add_char(out, '\n');
			break;
		default:
			buf_add_char(out, item.data[i]);
			break;
		}
	}
}

/* list(separator): Dovecot's lists between tabs for people, "a,b". */
static const char *
filter_list(struct vars_call *call, struct vars_value *value)
{
	const struct vars_value *separator = argument(call, 0);
	struct str rest = value->bytes, item;
	struct buf out;
	bool first = true;

	buf_init(&out, BUF_UNLIMITED);
	while (str_next_field(&rest, '\t', &item)) {
		if (!first)
			buf_add(&out, separator != NULL ? separator->bytes
							: STR(","));
		add_list_item(&out, item);
		first = false;
	}
	set_text(value, arena_copy(call->arena, buf_view(&out)));
	buf_clear(&out);
	return NULL;
}

/* The value of the variable whose name is the argument, or else the value. */
static const char *
filter_lookup(struct vars_call *call, struct vars_value *value)
{
	const struct vars_value *name = argument(call, 0);
	struct str wanted = name != NULL ? name->bytes : value->bytes;

	if (!vars_find(call->vars, call->var_count, wanted, &value->bytes)) {
		call->is_mistake = name != NULL;
		return arena_format(call->arena, "unknown variable \"%.*s\"",
			STR_ARG(wanted));
	}
	value->is_binary = false;
	return NULL;
}

/* ---- Filters: choices -------------------------------------------------- */

/* value | if(op, b, then, else), or first: if(a, op, b, then, else) */
static const char *
filter_if(struct vars_call *call, struct vars_value *value)
{
	size_t at = call->is_first ? 1 : 0;
	struct str a = call->is_first ? text_argument(call, 0) : value->bytes;
	const char *problem;
	bool result;

	if (call->arg_count != at + 4) {
		call->is_mistake = true;
		return call->is_first ? "takes 5 arguments here"
		                      : "takes 4 arguments here";
	}
	problem = vars_compare(call->arena, a, text_argument(call, at),
		text_argument(call, at + 1), &result, &call->is_mistake);
	if (problem == NULL)
		set_text(value, text_argument(call, at + (result ? 2 : 3)));
	return problem;
}

/* switch(case, text, case, text, ..., otherwise) */
static const char *
filter_switch(struct vars_call *call, struct vars_value *value)
{
	size_t i;

	for (i = 0; i + 1 < call->arg_count; i += 2) {
		if (str_equal(value->bytes, text_argument(call, i))) {
			set_text(value, text_argument(call, i + 1));
			return NULL;
		}
	}
	if (call->arg_count % 2 == 0)
		return arena_format(call->arena, "no case for \"%.*s\"",
			STR_ARG(value->bytes));
	set_text(value, text_argument(call, call->arg_count - 1));
	return NULL;
}

/* "\0" to "\9" stand for the groups of a match. */
static void
add_replacement(
	struct buf *out, struct str replacement, const struct str groups[10])
{
	size_t i;

	for (i = 0; i < replacement.len; i++) {
		char c = replacement.data[i];

		if (c != '\\' || i + 1 == replacement.len) {
			buf_add_char(out, c);
			continue;
		}
		c = replacement.data[++i];
		if (ascii_is_digit(c))
			buf_add(out, groups[c - '0']);
		else
			buf_add_char(out, c);
	}
}

/* regexp(pattern, replacement): the first match is replaced. */
static const char *
filter_regexp(struct vars_call *call, struct vars_value *value)
{
	struct str groups[10] = {{NULL, 0}}, text = value->bytes;
	const char *problem;
	struct buf out;
	bool found = false;

	if (text.data == NULL)
		text = STR_EMPTY;
	problem = match_regex(call->arena, text, text_argument(call, 0), groups,
		ARRAY_LENGTH(groups), &found, &call->is_mistake);
	if (problem != NULL || !found)
		return problem;
	if (groups[0].data == NULL)
		groups[0] = STR_EMPTY;
	buf_init(&out, BUF_UNLIMITED);
	if (groups[0].data >= text.data &&
		groups[0].data <= text.data + text.len) {
		size_t start = (size_t)(groups[0].data - text.data);

		buf_add(&out, str_slice(text, 0, start));
		add_replacement(&out, text_argument(call, 1), groups);
		buf_add(&out, str_skip(text, start + groups[0].len));
	}
	set_text(value, arena_copy(call->arena, buf_view(&out)));
	buf_clear(&out);
	return NULL;
}

/* ---- Filters: digests -------------------------------------------------- */

static const char *
hash_settings(
	struct vars_call *call, enum digest_kind kind, struct vars_hash *hash)
{
	const struct vars_value *salt = named_argument(call, "salt");
	const char *problem;

	hash->kind = kind;
	hash->salt = salt != NULL ? salt->bytes : STR_EMPTY;
	problem = named_number(call, "rounds", 1, &hash->rounds);
	if (problem == NULL)
		problem = named_number(call, "truncate", 0, &hash->bits);
	return problem;
}

static const char *
hash_formatted(
	struct vars_call *call, struct str bytes, struct vars_value *value)
{
	const struct vars_value *format = named_argument(call, "format");

	value->bytes = bytes;
	value->is_binary = true;
	if (format == NULL)
		return NULL;
	if (str_is(format->bytes, "hex")) {
		set_text(value, encode_hex(call->arena, bytes));
	} else if (str_is(format->bytes, "hexuc")) {
		set_text(value, unicode_upper(call->arena,
					encode_hex(call->arena, bytes)));
	} else if (str_is(format->bytes, "base64")) {
		set_text(value, encode_base64(call->arena, bytes, true, false));
	} else {
		call->is_mistake = true;
		return "the format must be hex, hexuc or base64";
	}
	return NULL;
}

static const char *
apply_hash(
	struct vars_call *call, enum digest_kind kind, struct vars_value *value)
{
	struct vars_hash hash;
	struct str bytes = STR_EMPTY;
	const char *problem;

	problem = hash_settings(call, kind, &hash);
	if (problem == NULL)
		problem = vars_hash(call->arena, &hash, value->bytes, &bytes);
	if (problem == NULL)
		problem = hash_formatted(call, bytes, value);
	return problem;
}

/* hash('sha256', rounds=2, salt='x', format='base64', truncate=20) */
static const char *
filter_hash(struct vars_call *call, struct vars_value *value)
{
	enum digest_kind kind;

	if (!digest_find(text_argument(call, 0), &kind)) {
		call->is_mistake = true;
		return "the method must be md5, sha1, sha256 or sha512";
	}
	return apply_hash(call, kind, value);
}

static const char *
filter_md5(struct vars_call *call, struct vars_value *value)
{
	return apply_hash(call, DIGEST_MD5, value);
}

static const char *
filter_sha1(struct vars_call *call, struct vars_value *value)
{
	return apply_hash(call, DIGEST_SHA1, value);
}

static const char *
filter_sha256(struct vars_call *call, struct vars_value *value)
{
	return apply_hash(call, DIGEST_SHA256, value);
}

static const char *
filter_sha512(struct vars_call *call, struct vars_value *value)
{
	return apply_hash(call, DIGEST_SHA512, value);
}

/* ---- Filters: numbers and encodings ------------------------------------ */

static const char *
filter_number(struct vars_call *call, struct vars_value *value)
{
	const char *problem;
	int64_t number;

	problem = value_number(call->arena, value, &number);
	if (problem == NULL)
		set_number(call->arena, value, number);
	return problem;
}

/* Padded with zeroes in front, or only the last `width` digits. */
static struct str
fit_digits(struct arena *arena, struct str digits, int64_t width)
{
	size_t wanted = (size_t)width;
	char *padded;

	if (width == 0)
		return digits;
	if (digits.len >= wanted)
		return str_skip(digits, digits.len - wanted);
	padded = arena_alloc(arena, wanted + 1);
	memset(padded, '0', wanted - digits.len);
	memcpy(padded + wanted - digits.len, digits.data, digits.len);
	return str_of(padded, wanted);
}

static const char *
width_argument(struct vars_call *call, int64_t *width_out)
{
	const char *problem = number_argument(call, 0, 0, width_out);

	if (problem == NULL && (*width_out < 0 || *width_out > 1000)) {
		call->is_mistake = true;
		problem = "the width must be 0 to 1000";
	}
	return problem;
}

/* hex(width): a number in hexadecimal digits */
static const char *
filter_hex(struct vars_call *call, struct vars_value *value)
{
	const char *problem;
	int64_t number = 0, width = 0;

	problem = width_argument(call, &width);
	if (problem == NULL)
		problem = value_number(call->arena, value, &number);
	if (problem != NULL)
		return problem;
	set_text(value, fit_digits(call->arena,
				str_from(arena_format(call->arena, "%llx",
					(unsigned long long)number)),
				width));
	return NULL;
}

static const char *
filter_unhex(struct vars_call *call, struct vars_value *value)
{
	struct str digits = value->bytes, bytes;
	uint64_t number = 0;
	size_t i;

	if (digits.len % 2 != 0)
		digits = fit_digits(
			call->arena, digits, (int64_t)digits.len + 1);
	if (digits.len == 0 || decode_hex(call->arena, digits, &bytes) < 0 ||
		bytes.len > 7)
		return not_a_number(call->arena, value->bytes);
	for (i = 0; i < bytes.len; i++)
		number = number << 8 | (unsigned char)bytes.data[i];
	set_number(call->arena, value, (int64_t)number);
	return NULL;
}

/* hexlify(width): bytes in hexadecimal digits */
static const char *
filter_hexlify(struct vars_call *call, struct vars_value *value)
{
	const char *problem;
	int64_t width;

	problem = width_argument(call, &width);
	if (problem == NULL)
		set_text(value,
			fit_digits(call->arena,
				encode_hex(call->arena, value->bytes), width));
	return problem;
}

static const char *
filter_unhexlify(struct vars_call *call, struct vars_value *value)
{
	if (decode_hex(call->arena, value->bytes, &value->bytes) < 0)
		return "the value is not hexadecimal";
	value->is_binary = true;
	return NULL;
}

/* base64(pad=no, url=yes) */
static const char *
filter_base64(struct vars_call *call, struct vars_value *value)
{
	set_text(value, encode_base64(call->arena, value->bytes,
				named_bool(call, "pad", true),
				named_bool(call, "url", false)));
	return NULL;
}

static const char *
filter_unbase64(struct vars_call *call, struct vars_value *value)
{
	if (decode_base64(call->arena, value->bytes, &value->bytes) < 0)
		return "the value is not base64";
	value->is_binary = true;
	return NULL;
}

/* truncate(bytes) or truncate(bits=n) */
static const char *
filter_truncate(struct vars_call *call, struct vars_value *value)
{
	const char *problem;
	int64_t bytes;
	uint64_t bits;
	struct str copy;
	size_t size;

	problem = number_argument(call, 0, INT64_MAX, &bytes);
	if (problem == NULL)
		problem = named_number(call, "bits", UINT64_MAX, &bits);
	if (problem != NULL)
		return problem;
	if (bytes < 0)
		return "the length must not be negative";
	value->bytes =
		str_slice(value->bytes, 0, place(bytes, value->bytes.len));
	if (bits >= value->bytes.len * 8)
		return NULL;
	copy = arena_copy(call->arena, value->bytes);
	keep_bits((uint8_t *)(uintptr_t)copy.data, &size, bits);
	value->bytes = str_of(copy.data, size);
	return NULL;
}

/* ---- The table --------------------------------------------------------- */

struct filter {
	const char *name;
	const char *(*apply)(struct vars_call *call, struct vars_value *value);
	size_t least, most; /* arguments without a name */
	const char *names;  /* of arguments with one, between blanks */
};

#define HASH_NAMES "rounds salt format truncate"

static const struct filter filters[] = {
	{"base64", filter_base64, 0, 0, "pad url"},
	{"concat", filter_concat, 1, VARS_ARGUMENTS_MAX, ""},
	{"default", filter_default, 0, 1, ""},
	{"domain", filter_domain, 0, 0, ""},
	{"domain_dn", filter_domain_dn, 0, 0, ""},
	{"hash", filter_hash, 1, 1, HASH_NAMES},
	{"hex", filter_hex, 0, 1, ""},
	{"hexlify", filter_hexlify, 0, 1, ""},
	{"if", filter_if, 4, 5, ""},
	{"index", filter_index, 1, 2, ""},
	{"ldap_dn", filter_domain_dn, 0, 0, ""},
	{"list", filter_list, 0, 1, ""},
	{"literal", filter_literal, 1, 1, ""},
	{"lookup", filter_lookup, 0, 1, ""},
	{"lower", filter_lower, 0, 0, ""},
	{"ltrim", filter_ltrim, 0, 0, ""},
	{"md5", filter_md5, 0, 0, HASH_NAMES},
	{"number", filter_number, 0, 0, ""},
	{"regexp", filter_regexp, 2, 2, ""},
	{"reverse", filter_reverse, 0, 0, ""},
	{"rtrim", filter_rtrim, 0, 0, ""},
	{"safe", filter_safe, 0, 0, ""},
	{"sha1", filter_sha1, 0, 0, HASH_NAMES},
	{"sha256", filter_sha256, 0, 0, HASH_NAMES},
	{"sha512", filter_sha512, 0, 0, HASH_NAMES},
	{"substr", filter_substr, 1, 2, ""},
	{"switch", filter_switch, 2, VARS_ARGUMENTS_MAX, ""},
	{"truncate", filter_truncate, 0, 1, "bits"},
	{"unbase64", filter_unbase64, 0, 0, ""},
	{"unhex", filter_unhex, 0, 0, ""},
	{"unhexlify", filter_unhexlify, 0, 0, ""},
	{"upper", filter_upper, 0, 0, ""},
	{"username", filter_username, 0, 0, ""},
};

static const char *
check_names(const struct filter *filter, const struct vars_call *call)
{
	size_t i;

	for (i = 0; i < call->arg_count; i++) {
		struct str names = str_from(filter->names), name;
		bool known = call->args[i].name.len == 0;

		while (!known && str_next_word(&names, &name))
			known = str_equal(name, call->args[i].name);
		if (!known)
			return arena_format(call->arena,
				"has no argument \"%.*s\"",
				STR_ARG(call->args[i].name));
	}
	return NULL;
}

static const char *
check_call(const struct filter *filter, const struct vars_call *call)
{
	size_t count = count_unnamed(call);

	if (count < filter->least)
		return arena_format(call->arena, "needs at least %zu arguments",
			filter->least);
	if (count > filter->most)
		return arena_format(call->arena, "takes at most %zu arguments",
			filter->most);
	return check_names(filter, call);
}

const char *
vars_filter_apply(
	struct str filter, struct vars_call *call, struct vars_value *value)
{
	const char *problem;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(filters); i++) {
		if (!str_is(filter, filters[i].name))
			continue;
		problem = check_call(&filters[i], call);
		if (problem != NULL) {
			call->is_mistake = true;
			return problem;
		}
		return filters[i].apply(call, value);
	}
	call->is_mistake = true;
	return "there is no such filter";
}
