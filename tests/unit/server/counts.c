/* How much mail users have, over a dict
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/counts.h"

#include <string.h>

#include "tests/lib/test.h"

#include "base/banned.h"

enum { NOW = 1000, UID = 7 };

static struct dict *dict;
static struct err err;
static const char *stamp = "boot-1";

static struct request_counted
ask_as(uint32_t uid, uint32_t root, struct request_count count)
{
	struct request_counted counted = {0};

	count.root = root;
	if (count.user.len == 0)
		count.user = STR("amy");
	CHECK_INT(
		counts_serve(dict, stamp, uid, &count, NOW, &counted, &err), 0);
	return counted;
}

static struct request_counted
ask(enum request_count_action action, uint64_t bytes, uint64_t messages,
	uint64_t version)
{
	return ask_as(UID, 1,
		(struct request_count){.action = action,
			.bytes = bytes,
			.messages = messages,
			.version = version});
}

static struct request_counted
look(void)
{
	return ask(REQUEST_COUNT_READ, 0, 0, 0);
}

static void
check_count(uint64_t bytes, uint64_t messages)
{
	struct request_counted counted = look();

	CHECK_INT(counted.state, REQUEST_COUNTED_YES);
	CHECK_UINT(counted.bytes, bytes);
	CHECK_UINT(counted.messages, messages);
}

TEST(a_count_is_none_until_somebody_has_counted)
{
	dict = dict_open_memory();
	CHECK_INT(look().state, REQUEST_COUNTED_NONE);
	CHECK_INT(ask(REQUEST_COUNT_ADD, 10, 1, 0).state, REQUEST_COUNTED_NONE);
	CHECK_INT(look().state, REQUEST_COUNTED_NONE);
	dict_close(&dict);
}

TEST(what_is_added_adds_up)
{
	dict = dict_open_memory();
	ask(REQUEST_COUNT_SET, 100, 3, 0);
	check_count(100, 3);
	CHECK_UINT(look().counted_s, NOW);
	CHECK_INT(ask(REQUEST_COUNT_ADD, 10, 1, 0).state, REQUEST_COUNTED_YES);
	ask(REQUEST_COUNT_ADD, 5, 2, 0);
	check_count(115, 6);
	dict_close(&dict);
}

TEST(a_count_during_which_somebody_added_is_not_kept)
{
	uint64_t version;

	dict = dict_open_memory();
	version = look().version;
	ask(REQUEST_COUNT_ADD, 10, 1, 0);
	CHECK_INT(ask(REQUEST_COUNT_SET, 100, 3, version).state,
		REQUEST_COUNTED_NONE);
	CHECK_INT(look().state, REQUEST_COUNTED_NONE);
	ask(REQUEST_COUNT_SET, 110, 4, look().version);
	check_count(110, 4);
	dict_close(&dict);
}

TEST(what_is_forgotten_is_none)
{
	dict = dict_open_memory();
	ask(REQUEST_COUNT_SET, 100, 3, 0);
	ask(REQUEST_COUNT_FORGET, 0, 0, 0);
	CHECK_INT(look().state, REQUEST_COUNTED_NONE);
	dict_close(&dict);
}

TEST(a_sum_that_no_number_holds_is_none)
{
	dict = dict_open_memory();
	ask(REQUEST_COUNT_SET, UINT64_MAX - 1, 1, 0);
	CHECK_INT(ask(REQUEST_COUNT_ADD, 2, 1, 0).state, REQUEST_COUNTED_NONE);
	CHECK_INT(look().state, REQUEST_COUNTED_NONE);
	dict_close(&dict);
}

TEST(uids_roots_and_names_have_counts_of_their_own)
{
	const struct request_count other = {
		.action = REQUEST_COUNT_READ, .user = STR("bob")};
	const struct request_count same = {.action = REQUEST_COUNT_READ};

	dict = dict_open_memory();
	ask(REQUEST_COUNT_SET, 100, 3, 0);
	CHECK_INT(ask_as(UID, 1, same).state, REQUEST_COUNTED_YES);
	CHECK_INT(ask_as(UID + 1, 1, same).state, REQUEST_COUNTED_NONE);
	CHECK_INT(ask_as(UID, 2, same).state, REQUEST_COUNTED_NONE);
	CHECK_INT(ask_as(UID, 1, other).state, REQUEST_COUNTED_NONE);
	dict_close(&dict);
}

/* A host that lost its power may have lost the last changes. */
TEST(what_was_counted_before_the_host_started_is_none)
{
	dict = dict_open_memory();
	ask(REQUEST_COUNT_SET, 100, 3, 0);
	stamp = "boot-2";
	CHECK_INT(look().state, REQUEST_COUNTED_NONE);
	CHECK_INT(ask(REQUEST_COUNT_ADD, 10, 1, 0).state, REQUEST_COUNTED_NONE);
	stamp = "boot-1";
	CHECK_INT(look().state, REQUEST_COUNTED_NONE);
	dict_close(&dict);
}

TEST(the_stamp_is_that_of_this_start_of_the_host)
{
	char first[COUNTS_STAMP], second[COUNTS_STAMP];

	counts_stamp(first);
	counts_stamp(second);
	CHECK(first[0] != '\0');
	CHECK_STR(first, second);
}
