/* What was seen, over a dict
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/marks.h"

#include <string.h>

#include "server/ledger.h"
#include "tests/lib/test.h"

#include "base/banned.h"

enum { NOW = 1000, UID = 7 };

static struct dict *dict;
static struct marks *marks;
static struct err err;

static void
begin_with(struct marks_limits limits)
{
	dict = dict_open_memory();
	REQUIRE(marks_open(dict, &limits, &marks, &err) == 0);
}

static void
begin(void)
{
	begin_with(marks_limits_default);
}

static void
end(void)
{
	marks_close(&marks);
	dict_close(&dict);
}

static struct wire_mark_item
make(unsigned number, uint64_t expires_s)
{
	struct wire_mark_item item = {.expires_s = expires_s};

	memcpy(item.key, &number, sizeof(number));
	return item;
}

static int
keep(uint32_t uid, unsigned number, uint64_t expires_s)
{
	struct wire_mark_item item = make(number, expires_s);

	return marks_keep(marks, uid, &item, 1, NOW, &err);
}

static enum lookup
find_at(uint32_t uid, unsigned number, uint64_t now_s)
{
	struct wire_mark_item item = make(number, 0);

	return marks_find(marks, uid, item.key, now_s, &err);
}

static enum lookup
find(unsigned number)
{
	return find_at(UID, number, NOW);
}

static void
put_other(const char *key)
{
	struct dict_entry entry = {.key = str_from(key),
		.value = STR("value"),
		.expires_s = NOW + 1};

	REQUIRE(dict_put(dict, &entry, &err) == 0);
}

TEST(what_was_kept_is_found_until_its_time)
{
	begin();
	CHECK_INT(find(1), LOOKUP_NONE);
	CHECK_INT(keep(UID, 1, NOW + 10), 0);
	CHECK_INT(find(1), LOOKUP_FOUND);
	CHECK_INT(find(2), LOOKUP_NONE);
	CHECK_INT(find_at(UID, 1, NOW + 9), LOOKUP_FOUND);
	CHECK_INT(find_at(UID, 1, NOW + 10), LOOKUP_NONE);
	end();
}

TEST(marks_of_another_uid_are_not_met)
{
	begin();
	CHECK_INT(keep(UID, 1, NOW + 10), 0);
	CHECK_INT(find_at(UID + 1, 1, NOW), LOOKUP_NONE);
	end();
}

TEST(a_mark_that_is_kept_again_is_one_with_another_time)
{
	begin();
	CHECK_INT(keep(UID, 1, NOW + 10), 0);
	CHECK_INT(keep(UID, 1, NOW + 20), 0);
	CHECK_UINT(marks_count(marks), 1);
	CHECK_INT(find_at(UID, 1, NOW + 15), LOOKUP_FOUND);
	end();
}

TEST(no_mark_lives_longer_than_the_limit)
{
	begin_with((struct marks_limits){10, 10, 100});
	CHECK_INT(keep(UID, 1, UINT64_MAX), 0);
	CHECK_INT(find_at(UID, 1, NOW + 99), LOOKUP_FOUND);
	CHECK_INT(find_at(UID, 1, NOW + 100), LOOKUP_NONE);
	end();
}

TEST(beyond_the_limit_of_a_uid_nothing_is_kept)
{
	begin_with((struct marks_limits){10, 2, 100});
	CHECK_INT(keep(UID, 1, NOW + 10), 0);
	CHECK_INT(keep(UID, 2, NOW + 10), 0);
	CHECK_INT(keep(UID, 3, NOW + 10), -1);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_INT(find(3), LOOKUP_NONE);
	CHECK_INT(keep(UID, 1, NOW + 20), 0);
	CHECK_INT(keep(UID + 1, 3, NOW + 10), 0);
	end();
}

TEST(beyond_the_limit_of_all_nothing_is_kept)
{
	begin_with((struct marks_limits){2, 2, 100});
	CHECK_INT(keep(UID, 1, NOW + 10), 0);
	CHECK_INT(keep(UID + 1, 2, NOW + 10), 0);
	CHECK_INT(keep(UID + 2, 3, NOW + 10), -1);
	CHECK_UINT(marks_count(marks), 2);
	end();
}

TEST(several_are_kept_together_or_not_at_all)
{
	struct wire_mark_item items[] = {
		make(1, NOW + 10), make(2, NOW + 10), make(3, NOW + 10)};

	begin_with((struct marks_limits){10, 2, 100});
	CHECK_INT(marks_keep(marks, UID, items, 3, NOW, &err), -1);
	CHECK_INT(find(1), LOOKUP_NONE);
	CHECK_UINT(marks_count(marks), 0);
	CHECK_INT(marks_keep(marks, UID, items, 2, NOW, &err), 0);
	CHECK_INT(find(2), LOOKUP_FOUND);
	end();
}

TEST(a_sweep_takes_away_what_has_expired_and_makes_room)
{
	unsigned i;

	begin_with((struct marks_limits){10, 10, 100});
	put_other("d-an-entry-of-others");
	put_other("t-another");
	for (i = 0; i < 10; i++)
		CHECK_INT(keep(UID + i % 2, i, NOW + 10 + i), 0);
	while (marks_sweep(marks, NOW + 15, 3, &err) == LOOKUP_FOUND)
		;
	CHECK_UINT(marks_count(marks), 4);
	CHECK_INT(find_at(UID, 6, NOW + 15), LOOKUP_FOUND);
	CHECK_INT(find_at(UID, 4, NOW), LOOKUP_NONE);
	CHECK_INT(keep(UID, 20, NOW + 10), 0);
	end();
}

TEST(a_mark_that_expires_now_is_given_back_and_not_counted)
{
	struct wire_mark_item items[] = {
		make(1, NOW), make(2, NOW + 9), make(3, NOW + 9), make(3, NOW)};

	begin();
	CHECK_INT(keep(UID, 1, NOW + 10), 0);
	CHECK_INT(marks_keep(marks, UID, items, 4, NOW, &err), 0);
	CHECK_INT(find(1), LOOKUP_NONE);
	CHECK_INT(find(2), LOOKUP_FOUND);
	CHECK_INT(find(3), LOOKUP_NONE);
	CHECK_UINT(marks_count(marks), 1);
	CHECK_UINT(marks_counters(marks).by_kind[WIRE_MARK_DUPLICATE], 1);
	CHECK_INT(keep(UID, 9, NOW), 0);
	CHECK_INT(keep(UID, 2, NOW - 1), 0);
	CHECK_UINT(marks_count(marks), 0);
	CHECK_UINT(marks_counters(marks).by_kind[WIRE_MARK_DUPLICATE], 0);
	end();
}

TEST(a_sweep_leaves_what_comes_before_alone)
{
	struct arena *arena = arena_open();
	struct dict_entry entry;

	begin();
	put_other("d-an-entry-of-others");
	CHECK_INT(marks_sweep(marks, NOW + 5, 100, &err), LOOKUP_NONE);
	CHECK_INT(dict_get(dict, arena, STR("d-an-entry-of-others"), &entry,
			  &err),
		LOOKUP_FOUND);
	end();
	arena_close(&arena);
}

TEST(marks_that_are_there_are_counted_when_it_is_opened)
{
	begin();
	CHECK_INT(keep(UID, 1, NOW + 10), 0);
	CHECK_INT(keep(UID + 1, 2, NOW + 10), 0);
	put_other("d-an-entry-of-others");
	marks_close(&marks);
	REQUIRE(marks_open(dict, &(struct marks_limits){2, 2, 100}, &marks,
			&err) == 0);
	CHECK_UINT(marks_count(marks), 2);
	CHECK_INT(keep(UID, 3, NOW + 10), -1);
	CHECK_INT(find(1), LOOKUP_FOUND);
	end();
}

static int
keep_kind(unsigned number, uint64_t expires_s, enum wire_mark_kind kind)
{
	struct wire_mark_item item = make(number, expires_s);

	item.kind = kind;
	return marks_keep(marks, UID, &item, 1, NOW, &err);
}

static uint64_t
count_kind(enum wire_mark_kind kind)
{
	return marks_counters(marks).by_kind[kind];
}

TEST(marks_are_counted_by_kind_also_after_it_is_opened_again)
{
	begin();
	CHECK_INT(keep_kind(1, NOW + 10, WIRE_MARK_DUPLICATE), 0);
	CHECK_INT(keep_kind(2, NOW + 10, WIRE_MARK_VACATION), 0);
	CHECK_INT(keep_kind(3, NOW + 20, WIRE_MARK_VACATION), 0);
	CHECK_INT(keep_kind(4, NOW + 10, WIRE_MARK_REDIRECT), 0);
	CHECK_INT(keep_kind(3, NOW + 30, WIRE_MARK_VACATION), 0);
	CHECK_UINT(count_kind(WIRE_MARK_DUPLICATE), 1);
	CHECK_UINT(count_kind(WIRE_MARK_VACATION), 2);
	CHECK_UINT(count_kind(WIRE_MARK_REDIRECT), 1);
	marks_close(&marks);
	REQUIRE(marks_open(dict, &marks_limits_default, &marks, &err) == 0);
	CHECK_UINT(count_kind(WIRE_MARK_VACATION), 2);
	CHECK_UINT(count_kind(WIRE_MARK_REDIRECT), 1);
	while (marks_sweep(marks, NOW + 15, 1, &err) == LOOKUP_FOUND)
		;
	CHECK_UINT(count_kind(WIRE_MARK_DUPLICATE), 0);
	CHECK_UINT(count_kind(WIRE_MARK_VACATION), 1);
	CHECK_UINT(count_kind(WIRE_MARK_REDIRECT), 0);
	end();
}

TEST(what_could_not_be_kept_is_not_counted)
{
	struct wire_mark_item items[] = {make(1, NOW + 5), make(2, NOW + 10)};

	begin_with((struct marks_limits){10, 1, 100});
	CHECK_INT(marks_keep(marks, UID, items, 2, NOW, &err), -1);
	CHECK_UINT(count_kind(WIRE_MARK_DUPLICATE), 0);
	CHECK_UINT(marks_counters(marks).next_s, 0);
	end();
}

TEST(the_next_time_is_known_from_the_start_and_after_a_sweep)
{
	begin();
	CHECK_UINT(marks_counters(marks).next_s, 0);
	CHECK_INT(keep(UID, 1, NOW + 20), 0);
	CHECK_INT(keep(UID, 2, NOW + 10), 0);
	CHECK_INT(keep(UID, 3, NOW + 30), 0);
	CHECK_UINT(marks_counters(marks).next_s, NOW + 10);
	marks_close(&marks);
	REQUIRE(marks_open(dict, &marks_limits_default, &marks, &err) == 0);
	CHECK_UINT(marks_counters(marks).next_s, NOW + 10);
	while (marks_sweep(marks, NOW + 15, 1, &err) == LOOKUP_FOUND)
		;
	CHECK_UINT(marks_counters(marks).next_s, NOW + 20);
	while (marks_sweep(marks, NOW + 30, 2, &err) == LOOKUP_FOUND)
		;
	CHECK_UINT(marks_counters(marks).next_s, 0);
	CHECK_UINT(marks_count(marks), 0);
	end();
}

TEST(what_is_kept_in_the_middle_of_a_sweep_counts_for_the_next_time)
{
	begin();
	CHECK_INT(keep(UID, 5, NOW + 20), 0);
	CHECK_INT(keep(UID, 6, NOW + 20), 0);
	CHECK_INT(marks_sweep(marks, NOW, 1, &err), LOOKUP_FOUND);
	CHECK_INT(keep(UID, 1, NOW + 10), 0);
	while (marks_sweep(marks, NOW, 1, &err) == LOOKUP_FOUND)
		;
	CHECK_UINT(marks_counters(marks).next_s, NOW + 10);
	end();
}

/* It walks over the same dict. */
TEST(the_sweep_of_deliveries_leaves_marks_to_their_own)
{
	struct ledger *ledger;

	begin();
	put_other("t-another");
	REQUIRE(ledger_open(dict, &ledger_limits_default, &ledger, &err) == 0);
	CHECK_INT(keep(UID, 1, NOW + 10), 0);
	CHECK_INT(ledger_sweep(ledger, NOW + 20, 100, &err), LOOKUP_NONE);
	CHECK_INT(find(1), LOOKUP_FOUND);
	CHECK_INT(marks_sweep(marks, NOW + 20, 100, &err), LOOKUP_NONE);
	CHECK_UINT(marks_count(marks), 0);
	CHECK_INT(find(1), LOOKUP_NONE);
	ledger_close(&ledger);
	end();
}

TEST(a_mark_of_an_earlier_release_has_a_kind)
{
	struct dict_entry entry = {.key = STR("s\0\0\0\7"
					      "0123456789abcdef"
					      "0123456789abcdef"),
		.value = STR_EMPTY,
		.expires_s = NOW + 10};

	dict = dict_open_memory();
	REQUIRE(dict_put(dict, &entry, &err) == 0);
	REQUIRE(marks_open(dict, &marks_limits_default, &marks, &err) == 0);
	CHECK_UINT(count_kind(WIRE_MARK_DUPLICATE), 1);
	end();
}
