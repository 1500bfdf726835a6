/* SPDX-License-Identifier: MIT */
#include "store/maildir_name.h"

#include <unistd.h>

#include "base/clock.h"
#include "store/store.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static const char *
host(const char *name)
{
	static struct arena *arena;
	const char *escaped;
	struct err err;

	if (arena == NULL)
		arena = arena_open();
	clock_fix(1572467958, 732111999, name, 44);
	if (maildir_name_host(arena, &escaped, &err) < 0)
		return NULL;
	return escaped;
}

TEST(a_stem_is_time_process_and_host)
{
	char stem[MAILDIR_STEM_MAX];

	maildir_name_stem(stem, host("5ecbff28f2dc"));
	CHECK_STR(stem, "1572467958.M732111P44.5ecbff28f2dc");
}

TEST(the_time_grows_with_each_stem_though_the_clock_stands)
{
	char stem[MAILDIR_STEM_MAX];

	clock_fix(1572467958, 999998000, "mx", 44);
	maildir_name_stem(stem, "mx");
	CHECK_STR(stem, "1572467958.M999998P44.mx");
	maildir_name_stem(stem, "mx");
	CHECK_STR(stem, "1572467958.M999999P44.mx");
	maildir_name_stem(stem, "mx");
	CHECK_STR(stem, "1572467959.M0P44.mx");
}

static void
end_unless_the_stem_is_of_this_process(void *context UNUSED)
{
	char stem[MAILDIR_STEM_MAX], expected[32];

	maildir_name_stem(stem, "mx");
	snprintf(expected, sizeof(expected), "P%ld.mx", (long)getpid());
	_exit(strstr(stem, expected) != NULL ? 0 : 1);
}

TEST(a_child_gives_other_stems)
{
	char stem[MAILDIR_STEM_MAX];

	maildir_name_stem(stem, "mx");
	CHECK_INT(test_child(end_unless_the_stem_is_of_this_process, NULL), 0);
}

TEST(what_has_a_meaning_in_names_is_escaped_in_the_host)
{
	CHECK_STR(host("mx.example.org"), "mx.example.org");
	CHECK_STR(host("a/b:c"), "a\\057b\\072c");
}

TEST(a_host_that_cannot_be_in_a_name_is_refused)
{
	char name[200];

	CHECK_STR(host("a\nb"), NULL);
	CHECK_STR(host("a\tb"), NULL);
	memset(name, ':', sizeof(name));
	name[40] = '\0';
	CHECK_STR(host(name), NULL);
}

static const char *
public_name(unsigned flags)
{
	static struct buf buf;

	buf_reset(&buf);
	buf.max = BUF_UNLIMITED;
	maildir_name_public(&buf, "1.M2P3.mx", 1673, 1707, flags, "");
	return buf_text(&buf);
}

TEST(flags_stand_behind_the_sizes_in_ascii_order)
{
	CHECK_STR(public_name(0), "1.M2P3.mx,S=1673,W=1707");
	CHECK_STR(public_name(STORE_SEEN), "1.M2P3.mx,S=1673,W=1707:2,S");
	CHECK_STR(public_name(STORE_SEEN | STORE_ANSWERED | STORE_FLAGGED |
			      STORE_DELETED | STORE_DRAFT),
		"1.M2P3.mx,S=1673,W=1707:2,DFRST");
}
