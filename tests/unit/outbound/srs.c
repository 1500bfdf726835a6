/* SPDX-License-Identifier: MIT */
#include "outbound/srs.h"

#include "tests/lib/test.h"

#include "base/banned.h"

static const struct str secret = {"tops3cr3t\nolder\n", 16};

/* For the whole program. */
static struct arena *arena;

static struct str
rewrite(const char *sender, uint64_t seconds)
{
	struct str result;
	struct err err;

	if (arena == NULL)
		arena = arena_open();
	REQUIRE(srs_rewrite(arena, "fwd.example", secret, str_from(sender),
			seconds, &result, &err) == 0);
	return result;
}

TEST(the_null_sender_and_our_own_stay)
{
	CHECK_STR_IS(rewrite("", 0), "");
	CHECK_STR_IS(rewrite("amy@FWD.example", 0), "amy@FWD.example");
}

/* Made by Debian's postsrsd 1.10 with the same secret on 21 November 2026. */
TEST(the_addresses_are_those_of_postsrsd)
{
	static const struct {
		const char *sender, *expected;
	} cases[] = {
		{"ada@partner.example",
			"SRS0=a+m6=JK=partner.example=ada@fwd.example"},
		{"Ada.B+c@Partner.Example",
			"SRS0=IU20=JK=Partner.Example=Ada.B+c@fwd.example"},
		{"SRS0=abcd=EF=partner.example=ada@first.example",
			"SRS1=UCN5=first.example==abcd=EF=partner.example="
			"ada@fwd.example"},
		{"SRS1=wxyz=first.example==abcd=EF=partner.example="
		 "ada@second.example",
			"SRS1=UCN5=first.example==abcd=EF=partner.example="
			"ada@fwd.example"},
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(cases); i++)
		CHECK_STR_IS(rewrite(cases[i].sender, 1795296132),
			cases[i].expected);
}

TEST(a_sender_is_in_the_new_address)
{
	struct str result = rewrite("ada@partner.example", 86400);

	CHECK_STR_IS(str_slice(result, 0, 5), "SRS0=");
	CHECK_STR_IS(
		str_skip(result, 9), "=AB=partner.example=ada@fwd.example");
}

/* RFC 5321 4.1.2: a quoted local part is a whole, and so is what is made of it. */
TEST(a_quoted_local_part_stays_one)
{
	struct str result = rewrite("\"a \\\"b\"@partner.example", 86400);

	CHECK_STR_IS(str_slice(result, 0, 6), "\"SRS0=");
	CHECK_STR_IS(str_skip(result, 10),
		"=AB=partner.example=a \\\"b\"@fwd.example");
	result = rewrite(
		"\"SRS0=abcd=EF=partner.example=a b\"@first.example", 86400);
	CHECK_STR_IS(str_slice(result, 0, 6), "\"SRS1=");
	CHECK_STR_IS(str_skip(result, 10),
		"=first.example==abcd=EF=partner.example=a b\"@fwd.example");
}

TEST(the_case_of_an_address_does_not_change_its_hash)
{
	CHECK_STR_EQUAL(str_slice(rewrite("ada@partner.example", 0), 5, 9),
		str_slice(rewrite("ADA@Partner.Example", 0), 5, 9));
}

TEST(another_day_has_another_hash)
{
	CHECK(!str_equal(str_slice(rewrite("ada@partner.example", 0), 5, 9),
		str_slice(rewrite("ada@partner.example", 86400), 5, 9)));
}

TEST(what_was_rewritten_once_keeps_its_first_hop)
{
	struct str result =
		rewrite("SRS0=abcd=EF=partner.example=ada@first.example", 0);

	CHECK_STR_IS(str_slice(result, 0, 5), "SRS1=");
	CHECK_STR_IS(str_skip(result, 9), "=first.example==abcd=EF=partner."
					  "example=ada@fwd.example");
}

TEST(what_was_rewritten_twice_does_not_grow)
{
	struct str result = rewrite("SRS1=wxyz=first.example==abcd=EF=partner."
				    "example=ada@second.example",
		0);

	CHECK_STR_IS(str_slice(result, 0, 5), "SRS1=");
	CHECK_STR_IS(str_skip(result, 9), "=first.example==abcd=EF=partner."
					  "example=ada@fwd.example");
}

TEST(without_a_secret_nothing_leaves)
{
	struct str result;
	struct err err;

	arena = arena_open();
	CHECK_INT(srs_rewrite(arena, "fwd.example", STR(" \n\n"),
			  STR("ada@partner.example"), 0, &result, &err),
		-1);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_STR(err.status, "4.3.5");
	arena_close(&arena);
}
