/* SPDX-License-Identifier: MIT */
#include "sieve/mailboxname.h"

#include <stdint.h>

#include "sieve/report.h"

#include "base/banned.h"

/* RFC 3501 5.1.3: base64 with "," in the place of "/". */
static int
digit_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == ',' ? 63 : -1;
}

/* Characters of 16 bits, none of them one that is written as it is, and less than
 * a digit's bits behind the last. */
static bool
is_shifted(struct str digits)
{
	uint32_t bits = 0;
	unsigned held = 0;
	size_t i;

	for (i = 0; i < digits.len; i++) {
		int value = digit_value(digits.data[i]);

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		held += 6;
		if (held >= 16) {
			uint32_t unit = bits >> (held - 16) & 0xffff;

			if (unit < 0x7f)
				return false;
			held -= 16;
		}
	}
	return digits.len > 0 && held < 6 && (bits & ((1U << held) - 1)) == 0;
}

bool
mailboxname_is_utf7(struct str name)
{
	while (str_has_char(name, '&')) {
		size_t end;

		name = str_skip(name, str_find_char(name, '&') + 1);
		end = str_find_char(name, '-');
		if (end < name.len && is_shifted(str_slice(name, 0, end)))
			return true;
	}
	return false;
}

void
mailboxname_check(struct checker *checker, const struct text *name)
{
	if (text_is_constant(name) && mailboxname_is_utf7(name->constant))
		report_warning(checker->reporter, name->at,
			"mailbox name %s looks like IMAP's modified UTF-7; "
			"write it as it is displayed",
			check_quote(checker, name->constant));
}
