/* SPDX-License-Identifier: MIT */
#include "mail/compose.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "mail/encodedword.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static struct arena *arena;

static struct str
compose(const char *name, struct str value)
{
	arena_close(&arena);
	arena = arena_open();
	return compose_value(arena, str_from(name), value);
}

static size_t
longest_line(struct str text, size_t first)
{
	size_t longest = 0;
	struct str line;

	while (str_next_field(&text, '\n', &line)) {
		if (line.len + first > longest)
			longest = line.len + first;
		first = 0;
	}
	return longest;
}

/* What is read back is what was written; no line is too long. */
static void
check_round(const char *value, size_t line_most)
{
	struct str text = compose("Subject", str_from(value));

	CHECK(longest_line(text, strlen("Subject: ")) <= line_most);
	CHECK(utf8_is_ascii(text));
	CHECK_STR_IS(encodedword_decode(arena, text), value);
	arena_close(&arena);
}

TEST(names_are_printable_ascii_without_a_colon)
{
	char most[COMPOSE_NAME_MOST + 1];

	CHECK(compose_is_name(STR("X-Spam_1!")));
	CHECK(!compose_is_name(STR("")));
	CHECK(!compose_is_name(STR("a b")));
	CHECK(!compose_is_name(STR("a:")));
	CHECK(!compose_is_name(STR("a\x7f")));
	CHECK(!compose_is_name(STR("\xc3\xa9")));
	CHECK(!compose_is_name(STR("a\n")));
	memset(most, 'a', sizeof(most));
	CHECK(compose_is_name(str_of(most, sizeof(most) - 1)));
	CHECK(!compose_is_name(str_of(most, sizeof(most))));
}

TEST(a_line_end_in_a_value_has_to_be_a_fold)
{
	CHECK(compose_is_value(STR("")));
	CHECK(compose_is_value(STR("a\tb")));
	CHECK(compose_is_value(STR("a\r\n b\n\tc")));
	CHECK(compose_is_value(STR("gr\xc3\xbcn \x01")));
	CHECK(!compose_is_value(STR("a\nb")));
	CHECK(!compose_is_value(STR("a\r\nb")));
	CHECK(!compose_is_value(STR("a\n")));
	CHECK(!compose_is_value(STR("a\r b")));
	CHECK(!compose_is_value(STR("a\r\n\r\n b")));
	CHECK(!compose_is_value(STR("a\r")));
	CHECK(!compose_is_value(STR("a\0b")));
}

TEST(short_text_stays_as_it_is)
{
	CHECK_STR_IS(compose("X", STR("  hello,  world ")), "hello,  world");
	CHECK_STR_IS(compose("X", STR("a\r\n b\n\tc")), "a b\tc");
	CHECK_STR_IS(compose("X", STR("")), "");
	CHECK_STR_IS(compose("X", STR(" \n ")), "");
	arena_close(&arena);
}

TEST(long_lines_are_folded_at_their_blanks)
{
	struct buf buf;
	int i;

	buf_init(&buf, BUF_UNLIMITED);
	for (i = 0; i < 200; i++)
		buf_add_text(&buf, i % 3 > 0 ? "word " : "word  ");
	buf_add_text(&buf, "end");
	check_round(buf_text(&buf), 78);
	buf_clear(&buf);
}

TEST(other_letters_are_encoded)
{
	check_round("Gr\xc3\xbc\xc3\x9f"
		    "e an alle",
		78);
	check_round("a  \xe6\x97\xa5  \xe6\x9c\xac b", 78);
	check_round("=?plain? a_b \x01 \x7f", 78);
	check_round("ganz viel Text, dann \xc3\xa4 und noch mehr Text, bis die "
		    "Zeile zu Ende ist, und \xc3\xb6",
		78);
	CHECK_STR_IS(compose("X", STR("b\xc3\xa4 c d\xc3\xa4"
				      "e")),
		"=?utf-8?b?YsOk?= c =?utf-8?q?d=C3=A4e?=");
	arena_close(&arena);
}

TEST(a_long_text_of_other_letters_is_cut_between_letters)
{
	struct buf buf;
	int i;

	buf_init(&buf, BUF_UNLIMITED);
	for (i = 0; i < 300; i++)
		buf_add_text(&buf, "\xe6\x97\xa5\xf0\x9f\x98\x80");
	check_round(buf_text(&buf), 78);
	buf_reset(&buf);
	buf_add_text(&buf, "\xc3\xa4");
	for (i = 0; i < 300; i++)
		buf_add_text(&buf, "plain");
	check_round(buf_text(&buf), 78);
	buf_clear(&buf);
}

TEST(a_word_that_no_line_could_hold_is_encoded)
{
	struct buf buf;
	int i;

	buf_init(&buf, BUF_UNLIMITED);
	for (i = 0; i < 2000; i++)
		buf_add_char(&buf, 'a');
	check_round(buf_text(&buf), 78);
	buf_clear(&buf);
}

TEST(what_is_no_utf8_is_replaced)
{
	struct str text = compose("X", STR("a\xff"
					   "b"));

	CHECK_STR_IS(encodedword_decode(arena, text), "a\xef\xbf\xbd"
						      "b");
	arena_close(&arena);
}

/* ---- parts, addresses ---- */

static void
check_part(struct str text, const char *expected)
{
	arena_close(&arena);
	arena = arena_open();
	CHECK_STR_IS(compose_text_part(arena, text), expected);
	arena_close(&arena);
}

#define PLAIN "Content-Type: text/plain; charset=utf-8\n"
#define QUOTED PLAIN "Content-Transfer-Encoding: quoted-printable\n\n"

TEST(short_lines_of_ascii_need_no_encoding)
{
	check_part(STR("a\r\nb = c\r\n"), PLAIN "\na\nb = c\n");
	check_part(STR("a"), PLAIN "\na\n");
	check_part(STR(""), PLAIN "\n\n");
}

TEST(other_text_is_quoted)
{
	check_part(STR("\xc3\xa4 = \tb \nc\t\n"),
		QUOTED "=C3=A4 =3D \tb=20\nc=09\n");
	check_part(STR("a\0\rb"), QUOTED "a=00=0Db\n");
}

TEST(quoted_lines_are_not_too_long)
{
	struct buf buf;
	struct str part, line;
	int i;

	buf_init(&buf, BUF_UNLIMITED);
	for (i = 0; i < 1000; i++)
		buf_add_text(&buf, i % 7 > 0 ? "ab c" : "\xc3\xa4");
	arena = arena_open();
	part = compose_text_part(arena, buf_view(&buf));
	CHECK(str_starts(part, STR(QUOTED)));
	while (str_next_field(&part, '\n', &line))
		CHECK(line.len <= 76);
	buf_clear(&buf);
	arena_close(&arena);
}

static const char *
addresses(const char *list)
{
	struct str value;

	arena_close(&arena);
	arena = arena_open();
	if (!compose_addresses(arena, STR("From"), str_from(list), &value))
		return "none";
	return arena_text(arena, value);
}

TEST(addresses_are_written_with_names_in_ascii)
{
	CHECK_STR(addresses("amy@example.org"), "amy@example.org");
	CHECK_STR(addresses("Amy \"A.\" <amy@example.org>"),
		"Amy \"A.\" <amy@example.org>");
	CHECK_STR(addresses("\"Zo\xc3\xab, \\\"Z\\\"\" <z@example.org>"),
		"=?utf-8?b?Wm/DqywgIloi?= <z@example.org>");
	CHECK_STR(addresses("Dr. Amy <a@example.org>"),
		"\"Dr. Amy\" <a@example.org>");
	CHECK_STR(addresses("eve@evil.example <a@example.org>"),
		"\"eve@evil.example\" <a@example.org>");
	CHECK_STR(addresses("\"open <a@example.org>"),
		"\"open\" <a@example.org>");
	CHECK_STR(addresses("\"A\" (b\\c <a@example.org>"),
		"\"A (bc\" <a@example.org>");
	CHECK_STR(addresses("a@example.org (Amy [A] \\))"),
		"\"Amy [A] )\" <a@example.org>");
	CHECK_STR(addresses("=?utf-8?q?x?= <a@example.org>"),
		"=?utf-8?q?x?= <a@example.org>");
	CHECK_STR(addresses("a@example.org, b@example.org"),
		"a@example.org,\n\tb@example.org");
	CHECK_STR(addresses(""), "none");
	CHECK_STR(addresses("amy"), "none");
	CHECK_STR(addresses("a@example.org, b@"), "none");
	CHECK_STR(addresses("a\nb <a@example.org>"), "none");
	arena_close(&arena);
}
