/* SPDX-License-Identifier: MIT */
#include "mail/transfer.h"

#include "tests/lib/test.h"

#include "base/banned.h"

enum { MOST = 1 << 20 };

/* Whole, and cut in two at every place: always the same. */
static void
check(enum transfer_encoding encoding, bool ends_lines, struct str in,
	struct str expected)
{
	size_t cut;

	for (cut = 0; cut <= in.len; cut++) {
		struct transfer transfer;
		struct buf out;

		buf_init(&out, MOST);
		transfer_init(&transfer, encoding, ends_lines);
		transfer_add(&transfer, str_slice(in, 0, cut), &out);
		transfer_add(&transfer, str_skip(in, cut), &out);
		transfer_end(&transfer, &out);
		CHECK_STR_EQUAL(buf_view(&out), expected);
		CHECK(out.len <= 2 * in.len + 3);
		buf_clear(&out);
	}
}

static void
check_base64(const char *in, const char *expected)
{
	check(TRANSFER_BASE64, false, str_from(in), str_from(expected));
}

static void
check_quoted(const char *in, const char *expected)
{
	check(TRANSFER_QUOTED_PRINTABLE, false, str_from(in),
		str_from(expected));
}

/* RFC 2045 6.1: names have no case. */
TEST(encodings_are_found_by_name)
{
	CHECK_INT(transfer_find(STR(" base64")), TRANSFER_BASE64);
	CHECK_INT(transfer_find(STR("BASE64 (comment)")), TRANSFER_BASE64);
	CHECK_INT(transfer_find(STR("Quoted-Printable; x")),
		TRANSFER_QUOTED_PRINTABLE);
	CHECK_INT(transfer_find(STR("\"quoted-printable\"")),
		TRANSFER_QUOTED_PRINTABLE);
	CHECK_INT(transfer_find(STR("7bit")), TRANSFER_IDENTITY);
	CHECK_INT(transfer_find(STR("8BIT")), TRANSFER_IDENTITY);
	CHECK_INT(transfer_find(STR("binary")), TRANSFER_IDENTITY);
	CHECK_INT(transfer_find(STR("")), TRANSFER_IDENTITY);
	CHECK_INT(transfer_find(STR("x-uuencode")), TRANSFER_UNKNOWN);
	CHECK_INT(transfer_find(STR("base64x")), TRANSFER_UNKNOWN);
}

/* RFC 2045 6.8 */
TEST(base64_is_decoded)
{
	check_base64("", "");
	check_base64("aGVsbG8=", "hello");
	check_base64("aGVsbG8h", "hello!");
	check_base64("aGVs\r\nbG8h\r\n", "hello!");
	check(TRANSFER_BASE64, false, STR("AAEC/v8="), STR("\0\1\2\376\377"));
}

TEST(broken_base64_gives_what_there_is)
{
	check_base64("aGVsbG8", "hello");
	check_base64("aGVsbG8hZ", "hello!");
	check_base64("a-G*V s\tb!G8=", "hello");
	check_base64("====", "");
	check_base64("%&/", "");
	/* Two texts that were encoded one by one. */
	check_base64("aGVsbG8=aGVsbG8=", "hellohello");
}

/* RFC 2045 6.7 */
TEST(quoted_printable_is_decoded)
{
	check_quoted("plain", "plain");
	check_quoted("caf=C3=A9", "caf\303\251");
	check_quoted("caf=c3=a9", "caf\303\251");
	check_quoted("=3D=", "=");
	check_quoted("one=\r\ntwo", "onetwo");
	check_quoted("one=\ntwo", "onetwo");
	check_quoted("one= \t\r\ntwo", "onetwo");
	check_quoted("one \t\r\ntwo", "one\r\ntwo");
	check_quoted("one \ntwo ", "one\ntwo");
	check_quoted("a b\tc", "a b\tc");
	check_quoted("blank=20\r\n", "blank \r\n");
	check_quoted("kept =\r\nblank", "kept blank");
	check(TRANSFER_QUOTED_PRINTABLE, false, STR("=00\0"), STR("\0\0"));
}

TEST(broken_quoted_printable_stays_as_it_is)
{
	check_quoted("100=% sure", "100=% sure");
	check_quoted("a=Xb", "a=Xb");
	check_quoted("a=4", "a=4");
	check_quoted("a=4X", "a=4X");
	check_quoted("a==41", "a=A");
	check_quoted("a= b", "a= b");
	check_quoted("a=\rb", "a=\rb");
	check_quoted("a\rb", "a\rb");
	check_quoted("a \rb", "a \rb");
	check_quoted("a\r", "a\r");
	check_quoted("a=", "a");
}

TEST(line_ends_become_CR_LF_when_asked_for)
{
	check(TRANSFER_IDENTITY, true, STR("a\nb\r\nc\rd\n\n"),
		STR("a\r\nb\r\nc\rd\r\n\r\n"));
	check(TRANSFER_IDENTITY, false, STR("a\nb\r\n"), STR("a\nb\r\n"));
	check(TRANSFER_UNKNOWN, true, STR("a\nb"), STR("a\r\nb"));
	check(TRANSFER_QUOTED_PRINTABLE, true, STR("a\nb\r\nc=0Ad=\ne"),
		STR("a\r\nb\r\nc\nde"));
	/* "hello LF": bytes of base64 are no lines. */
	check(TRANSFER_BASE64, true, STR("aGVsbG8K"), STR("hello\n"));
}

TEST(what_the_buf_cannot_hold_is_no_harm)
{
	static const enum transfer_encoding all[] = {TRANSFER_IDENTITY,
		TRANSFER_BASE64, TRANSFER_QUOTED_PRINTABLE, TRANSFER_UNKNOWN};
	struct str in = STR("aGVs bG8h =41 \t \r\n = \r\n AAAA aGVsbG8h   \n");
	size_t i, most;

	for (i = 0; i < ARRAY_LENGTH(all); i++)
		for (most = 0; most < in.len; most++) {
			struct buf out;

			buf_init(&out, most);
			transfer_decode(all[i], in, true, &out);
			CHECK(out.len <= most);
			buf_clear(&out);
		}
}

/* Blanks at a line's end are taken back without looking at them again. */
TEST(a_megabyte_of_blanks_is_decoded_in_one_pass)
{
	struct transfer transfer;
	struct buf out;
	size_t i;

	buf_init(&out, 4 * MOST);
	transfer_init(&transfer, TRANSFER_QUOTED_PRINTABLE, true);
	for (i = 0; i < MOST / 16; i++)
		transfer_add(&transfer, STR("= =  =  =  =   ="), &out);
	transfer_add(&transfer, STR(" \n"), &out);
	transfer_end(&transfer, &out);
	CHECK(!out.overflowed);
	CHECK(out.len <= MOST);
	buf_clear(&out);
}
