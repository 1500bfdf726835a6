/* SPDX-License-Identifier: MIT */
#include "base/str.h"

#include "tests/lib/test.h"

#include "base/banned.h"

TEST(equality_sees_every_byte)
{
	CHECK(str_equal(str_of("a\0b", 3), str_of("a\0b", 3)));
	CHECK(!str_equal(str_of("a\0b", 3), str_of("a\0c", 3)));
	CHECK(!str_equal(STR("ab"), STR("abc")));
	CHECK(str_equal(STR_EMPTY, str_of(NULL, 0)));
}

TEST(folding_touches_ascii_letters_only)
{
	CHECK(str_equal_nocase(STR("Amy@Example"), STR("aMY@eXAMPLE")));
	CHECK(!str_equal_nocase(STR("[@`{"), STR("{`@[")));
	/* E-acute in Latin-1, capital and small */
	CHECK(!str_equal_nocase(STR("\xc9"), STR("\xe9")));
	CHECK(str_is_nocase(STR("LMTP"), "lmtp"));
	CHECK(!str_is(STR("LMTP"), "lmtp"));
	CHECK(str_is(STR("lmtp"), "lmtp"));
}

TEST(order_is_by_unsigned_bytes_then_length)
{
	CHECK(str_compare(STR("a"), STR("b")) < 0);
	CHECK(str_compare(STR("\x80"), STR("a")) > 0);
	CHECK(str_compare(STR("ab"), STR("a")) > 0);
	CHECK_INT(str_compare(STR_EMPTY, str_of(NULL, 0)), 0);
	CHECK(str_compare_nocase(STR("B"), STR("a")) > 0);
	CHECK(str_compare_nocase(STR("\x80"), STR("Z")) > 0);
	CHECK_INT(str_compare_nocase(STR("AB"), STR("ab")), 0);
}

TEST(beginnings_and_ends_longer_than_the_text_are_not_there)
{
	CHECK(str_starts(STR("Received: x"), STR("Received:")));
	CHECK(!str_starts(STR("Rec"), STR("Received:")));
	CHECK(str_starts(STR("x"), STR_EMPTY));
	CHECK(str_starts_nocase(STR("FROM x"), STR("From ")));
	CHECK(!str_starts_nocase(STR("FRO"), STR("From ")));
	CHECK(str_ends(STR("a.sieve"), STR(".sieve")));
	CHECK(!str_ends(STR("sieve"), STR(".sieve")));
	CHECK(str_ends(STR("x"), STR_EMPTY));
}

TEST(a_search_without_result_gives_the_length)
{
	CHECK_UINT(str_find_char(STR("a+b+c"), '+'), 1);
	CHECK_UINT(str_find_last_char(STR("a+b+c"), '+'), 3);
	CHECK_UINT(str_find_char(STR("abc"), '+'), 3);
	CHECK_UINT(str_find_last_char(STR("abc"), '+'), 3);
	CHECK_UINT(str_find_char(str_of(NULL, 0), '+'), 0);
	CHECK_UINT(str_find_char(str_of("a\0b", 3), '\0'), 1);
	CHECK(str_has_char(STR("a@b"), '@'));
	CHECK(!str_has_char(STR("ab"), '@'));
}

/* strchr() finds the NUL that ends its set. */
TEST(a_nul_is_in_no_set)
{
	CHECK_UINT(str_find_any(str_of("a\0+", 3), "+-"), 2);
	CHECK_UINT(str_find_any(STR("user-detail"), "+-"), 4);
	CHECK_UINT(str_find_any(STR("user"), "+-"), 4);
}

TEST(a_needle_is_found_at_both_ends_and_never_half)
{
	CHECK_UINT(str_find(STR("abcabd"), STR("abd")), 3);
	CHECK_UINT(str_find(STR("abc"), STR("abc")), 0);
	CHECK_UINT(str_find(STR("ab"), STR("abc")), 2);
	CHECK_UINT(str_find(STR("xab"), STR("abc")), 3);
	CHECK_UINT(str_find(STR("abc"), STR_EMPTY), 0);
	CHECK_UINT(str_find(str_of(NULL, 0), STR("a")), 0);
	CHECK_UINT(str_find_nocase(STR("xxABd"), STR("abD")), 2);
	CHECK_UINT(str_find_nocase(STR("xAB"), STR("abc")), 3);
	CHECK_UINT(str_find_nocase(STR("a"), STR("abc")), 1);
	CHECK_UINT(str_find_nocase(STR("abc"), STR_EMPTY), 0);
	CHECK_UINT(str_find(str_of("a\0b", 3), str_of("\0b", 2)), 1);
}

TEST(a_slice_never_leaves_its_string)
{
	CHECK_STR_IS(str_slice(STR("abcdef"), 2, 4), "cd");
	CHECK_STR_IS(str_slice(STR("abc"), 1, 99), "bc");
	CHECK_STR_IS(str_slice(STR("abc"), 3, 99), "");
	CHECK_STR_IS(str_slice(STR("abc"), 4, 99), "");
	CHECK_STR_IS(str_slice(STR("abc"), 2, 1), "");
	CHECK_STR_IS(str_skip(STR("abc"), 1), "bc");
	CHECK_STR_IS(str_skip(STR("abc"), 4), "");
}

TEST(trimming_takes_blanks_of_mail_only)
{
	CHECK_STR_IS(str_trim(STR(" \t\r\n a b \r\n")), "a b");
	CHECK_STR_IS(str_trim(STR(" \t ")), "");
	CHECK_STR_IS(str_trim(STR("\va\f")), "\va\f");
	CHECK_STR_IS(str_trim(str_of(NULL, 0)), "");
}

TEST(fields_keep_the_empty_ones)
{
	struct str rest = STR("a,,b,"), field;

	REQUIRE(str_next_field(&rest, ',', &field));
	CHECK_STR_IS(field, "a");
	REQUIRE(str_next_field(&rest, ',', &field));
	CHECK_STR_IS(field, "");
	REQUIRE(str_next_field(&rest, ',', &field));
	CHECK_STR_IS(field, "b");
	REQUIRE(str_next_field(&rest, ',', &field));
	CHECK_STR_IS(field, "");
	CHECK(!str_next_field(&rest, ',', &field));
	CHECK(!str_next_field(&rest, ',', &field));
}

TEST(an_empty_string_is_one_empty_field)
{
	struct str rest = STR_EMPTY, field = STR("old");

	CHECK(str_next_field(&rest, ':', &field));
	CHECK_STR_IS(field, "");
	CHECK(!str_next_field(&rest, ':', &field));
}

TEST(words_skip_every_run_of_blanks)
{
	struct str rest = STR("  imap\t\tlmtp \n"), word;

	REQUIRE(str_next_word(&rest, &word));
	CHECK_STR_IS(word, "imap");
	REQUIRE(str_next_word(&rest, &word));
	CHECK_STR_IS(word, "lmtp");
	CHECK(!str_next_word(&rest, &word));
	CHECK(!str_next_word(&rest, &word));
}

TEST(str_from_takes_null_for_empty)
{
	CHECK_UINT(str_from(NULL).len, 0);
	CHECK(str_from(NULL).data != NULL);
	CHECK_STR_IS(str_from("abc"), "abc");
}

TEST(ascii_classes_leave_the_high_bytes_out)
{
	int c;

	for (c = 0x80; c < 0x100; c++) {
		CHECK(!ascii_is_alpha((char)c));
		CHECK(!ascii_is_digit((char)c));
		CHECK(!ascii_is_space((char)c));
		CHECK_INT(ascii_lower((char)c), (char)c);
		CHECK_INT(ascii_upper((char)c), (char)c);
	}
	CHECK(ascii_is_space('\v') && ascii_is_space('\f'));
	CHECK(!ascii_is_space('\0'));
	CHECK(ascii_is_digit('0') && ascii_is_digit('9'));
	CHECK(!ascii_is_digit('/') && !ascii_is_digit(':'));
	CHECK(!ascii_is_alpha('@') && !ascii_is_alpha('['));
	CHECK(!ascii_is_alpha('`') && !ascii_is_alpha('{'));
}

TEST(a_hash_goes_on_where_another_one_ended)
{
	/* FNV-1a of "foobar", 32 bits. */
	CHECK_UINT(str_hash(STR_HASH, STR("foobar")), 0xbf9cf968);
	CHECK_UINT(str_hash(str_hash(STR_HASH, STR("foo")), STR("bar")),
		0xbf9cf968);
	CHECK_UINT(str_hash_nocase(STR_HASH, STR("FooBar")), 0xbf9cf968);
	CHECK(str_hash(STR_HASH, STR("Foobar")) != 0xbf9cf968);
}
