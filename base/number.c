/* SPDX-License-Identifier: MIT */
#include "base/number.h"

#include "base/banned.h"

bool
number_add(uint64_t a, uint64_t b, uint64_t *sum_out)
{
	return !__builtin_add_overflow(a, b, sum_out);
}

bool
number_multiply(uint64_t a, uint64_t b, uint64_t *product_out)
{
	return !__builtin_mul_overflow(a, b, product_out);
}

static int
parse_base(struct str s, unsigned base, uint64_t *value_out)
{
	uint64_t value = 0;
	size_t i;

	if (s.len == 0)
		return -1;
	for (i = 0; i < s.len; i++) {
		unsigned digit = (unsigned char)s.data[i] - (unsigned)'0';

		if (digit >= base || !number_multiply(value, base, &value) ||
			!number_add(value, digit, &value))
			return -1;
	}
	*value_out = value;
	return 0;
}

int
number_parse(struct str s, uint64_t *value_out)
{
	return parse_base(s, 10, value_out);
}

int
number_parse_octal(struct str s, uint64_t *value_out)
{
	return parse_base(s, 8, value_out);
}

/* Splits "12 weeks" into 12 and "weeks". */
static int
split_unit(struct str s, uint64_t *value_out, struct str *unit_out)
{
	size_t digits = 0;

	s = str_trim(s);
	while (digits < s.len && ascii_is_digit(s.data[digits]))
		digits++;
	*unit_out = str_trim(str_skip(s, digits));
	return number_parse(str_slice(s, 0, digits), value_out);
}

int
number_parse_size(struct str s, uint64_t bare_unit, uint64_t *bytes_out)
{
	static const char letters[] = "BKMGT";
	struct str unit, rest;
	uint64_t value, factor = 1;
	size_t power;

	if (split_unit(s, &value, &unit) < 0)
		return -1;
	if (unit.len == 0)
		return number_multiply(value, bare_unit, bytes_out) ? 0 : -1;
	for (power = 0; power < sizeof(letters) - 1; power++) {
		if (ascii_upper(unit.data[0]) == letters[power])
			break;
		factor *= 1024;
	}
	if (power == sizeof(letters) - 1)
		return -1;
	rest = str_skip(unit, 1);
	if (rest.len > 0 && (power == 0 || !(str_is_nocase(rest, "B") ||
						   str_is_nocase(rest, "iB"))))
		return -1;
	return number_multiply(value, factor, bytes_out) ? 0 : -1;
}

int
number_parse_duration(struct str s, uint64_t bare_unit_ms, uint64_t *ms_out)
{
	static const struct {
		const char *name;
		size_t shortest; /* letters that make it unambiguous */
		uint64_t ms;
	} units[] = {
		{"milliseconds", 4, 1},
		{"msecs", 2, 1},
		{"seconds", 1, 1000},
		{"secs", 1, 1000},
		{"minutes", 1, 60 * 1000},
		{"mins", 1, 60 * 1000},
		{"hours", 1, 60 * 60 * 1000},
		{"days", 1, 24 * 60 * 60 * 1000},
		{"weeks", 1, 7 * 24 * 60 * 60 * 1000},
	};
	struct str unit;
	uint64_t value;
	size_t i;

	if (split_unit(s, &value, &unit) < 0)
		return -1;
	if (unit.len == 0)
		return number_multiply(value, bare_unit_ms, ms_out) ? 0 : -1;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (unit.len >= units[i].shortest &&
			str_starts_nocase(str_from(units[i].name), unit))
			return number_multiply(value, units[i].ms, ms_out) ? 0
			                                                   : -1;
	return -1;
}
