/* SPDX-License-Identifier: MIT */
#include "quota/quota.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "tests/unit/store/box.h"

#include "base/banned.h"

/* A user with one root, or two. */
struct box {
	struct arena *arena;
	struct store_settings store_settings;
	struct store *store;
	struct quota *quota;
	struct err err;
	size_t wrong;
	const char *key; /* NULL: none */
};

static const char *roots[] = {"maildir:User", NULL};
static const char *rule_texts[] = {
	"*:storage=1000B", "Trash:storage=+50%", "Spam:ignore"};
static struct conf_quota_rule parsed[ARRAY_LENGTH(rule_texts)];

static void
open_quota(struct box *box)
{
	static struct quota_root_settings settings[2];
	struct quota_settings all = {.arena = box->arena,
		.store = box->store,
		.roots = settings,
		.key = box->key,
		.full_text = "full"};
	struct conf_quota_fault fault;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(rule_texts); i++)
		REQUIRE(conf_quota_parse_rule(str_from(rule_texts[i]),
				&parsed[i], &fault) == 0);
	for (i = 0; i < ARRAY_LENGTH(roots) && roots[i] != NULL; i++)
		settings[all.root_count++] =
			(struct quota_root_settings){.number = (unsigned)i + 1,
				.spec = roots[i],
				.rules = {parsed, ARRAY_LENGTH(parsed),
					{.is_share = true, .number = 10}}};
	REQUIRE(quota_open(&all, &box->quota, &box->err) == 0);
}

static void
box_begin(struct box *box)
{
	*box = (struct box){.arena = arena_open()};
	box->store_settings = box_settings();
	box->store_settings.autocreate = true;
	box->store = box_open(&box->store_settings);
	open_quota(box);
}

static void
box_end(struct box *box)
{
	quota_close(&box->quota);
	store_close(&box->store);
	arena_close(&box->arena);
}

static int
take(struct box *box, const char *folder, uint64_t bytes)
{
	struct quota_item *item = ARENA_NEW(box->arena, struct quota_item);

	*item = (struct quota_item){str_from(folder), bytes};
	return quota_take(box->quota, item, 1, &box->wrong, &box->err);
}

/* A message of that many bytes by its name; the file itself is empty. */
static void
put_file(const char *folder, unsigned number, unsigned bytes)
{
	char name[100];

	snprintf(name, sizeof(name), "%s/cur/%u.x,S=%u:2,S", folder, number,
		bytes);
	test_file(name, "");
}

static void
make_maildir(void)
{
	box_make_folder("Maildir", 0700);
	box_make_folder("Maildir/cur", 0700);
	box_make_folder("Maildir/new", 0700);
	box_make_folder("Maildir/tmp", 0700);
}

static void
store_one(struct box *box, const char *folder, unsigned number, unsigned bytes)
{
	const struct quota_item item = {str_from(folder), bytes};

	quota_begin(box->quota);
	put_file("Maildir", number, bytes);
	quota_end(box->quota, &item, 1);
	quota_compare(box->quota);
}

/* A file's text, with room to change it; for the whole program. */
static char *
read_text(const char *name)
{
	static struct arena *arena;

	if (arena == NULL)
		arena = arena_open();
	return arena_text(arena, test_read(test_path(name)));
}

static const char *
size_file(void)
{
	return read_text("Maildir/maildirsize");
}

TEST(a_mailbox_that_is_not_there_has_room_and_nothing_is_made)
{
	struct box box;

	box_begin(&box);
	CHECK_INT(take(&box, "INBOX", 900), 0);
	CHECK(!box_exists("Maildir"));
	box_end(&box);
}

TEST(what_is_stored_is_added_by_one_line)
{
	struct box box;

	make_maildir();
	put_file("Maildir", 1, 100);
	box_begin(&box);
	REQUIRE(take(&box, "INBOX", 50) == 0);
	CHECK_STR(size_file(), "1000S\n100 1\n");
	store_one(&box, "INBOX", 2, 50);
	CHECK_STR(size_file(), "1000S\n100 1\n50 1\n");
	box_end(&box);
}

TEST(what_came_to_nothing_is_not_added)
{
	struct box box;

	make_maildir();
	box_begin(&box);
	REQUIRE(take(&box, "INBOX", 50) == 0);
	box_end(&box);
	CHECK_STR(size_file(), "1000S\n0 0\n");
	box_begin(&box);
	CHECK_INT(take(&box, "INBOX", 1000), 0);
	box_end(&box);
}

TEST(a_full_mailbox_refuses_and_says_which_item)
{
	struct box box;
	const struct quota_item items[] = {
		{STR("Trash"), 100}, {STR("INBOX"), 700}, {STR("INBOX"), 700}};

	make_maildir();
	put_file("Maildir", 1, 600);
	box_begin(&box);
	CHECK_INT(quota_take(box.quota, items, 3, &box.wrong, &box.err), -1);
	CHECK_INT(box.err.kind, ERR_OVER_QUOTA);
	CHECK_STR(box.err.status, "5.2.2");
	CHECK_STR(box.err.text, "full");
	CHECK_UINT(box.wrong, 1);
	CHECK_INT(take(&box, "INBOX", 500), 0);
	box_end(&box);
}

TEST(a_message_that_no_mailbox_takes_is_too_big)
{
	struct box box;

	make_maildir();
	box_begin(&box);
	CHECK_INT(take(&box, "INBOX", 1101), -1);
	CHECK_INT(box.err.kind, ERR_TOO_BIG);
	CHECK_STR(box.err.status, "5.2.3");
	CHECK_INT(take(&box, "INBOX", 1100), 0);
	box_end(&box);
}

TEST(a_folder_that_is_ignored_counts_for_nothing)
{
	struct box box;

	make_maildir();
	put_file("Maildir/.Spam", 1, 5000);
	put_file("Maildir", 2, 100);
	box_begin(&box);
	REQUIRE(take(&box, "Spam", 99999) == 0);
	CHECK_STR(size_file(), "1000S\n100 1\n");
	store_one(&box, "Spam", 3, 99999);
	CHECK_STR(size_file(), "1000S\n100 1\n");
	box_end(&box);
}

TEST(a_root_that_does_not_enforce_only_counts)
{
	struct box box;

	roots[0] = "maildir:User:noenforcing";
	make_maildir();
	box_begin(&box);
	REQUIRE(take(&box, "INBOX", 5000) == 0);
	store_one(&box, "INBOX", 1, 5000);
	box_end(&box);
	box_begin(&box);
	CHECK_INT(take(&box, "INBOX", 5000), 0);
	CHECK_STR(size_file(), "1000S\n0 0\n5000 1\n");
	box_end(&box);
}

/* A file that somebody else wrote, with limits of its own. */
TEST(other_limits_are_counted_anew_unless_the_file_may_say_them)
{
	struct box box;

	make_maildir();
	put_file("Maildir", 1, 100);
	test_file("Maildir/maildirsize", "77S\n5 1\n");
	box_begin(&box);
	REQUIRE(take(&box, "INBOX", 50) == 0);
	CHECK_STR(size_file(), "1000S\n100 1\n");
	box_end(&box);
	rule_texts[0] = "?:storage=1000B";
	test_file("Maildir/maildirsize", "77S\n5 1\n");
	box_begin(&box);
	CHECK_INT(take(&box, "INBOX", 100), -1);
	CHECK_INT(take(&box, "INBOX", 60), 0);
	CHECK_STR(size_file(), "77S\n5 1\n");
	box_end(&box);
}

static void
check_recounted(const char *file)
{
	struct box box;

	make_maildir();
	put_file("Maildir", 1, 100);
	test_file("Maildir/maildirsize", file);
	box_begin(&box);
	CHECK_INT(take(&box, "INBOX", 50), 0);
	CHECK_STR(size_file(), "1000S\n100 1\n");
	box_end(&box);
}

TEST(a_broken_file_is_counted_anew)
{
	check_recounted("1000S\nnonsense\n");
}

TEST(limits_without_a_sum_are_counted_anew)
{
	check_recounted("1000S\n");
}

TEST(limits_with_a_broken_sum_are_counted_anew)
{
	check_recounted("1000S\n12 1");
}

TEST(a_negative_sum_is_counted_anew)
{
	check_recounted("1000S\n5 1\n-6 -1\n");
}

TEST(a_file_of_5120_bytes_is_counted_anew)
{
	static char text[6000];
	size_t len = 0;

	len += (size_t)snprintf(text, sizeof(text), "1000S\n");
	while (len < 5120)
		len += (size_t)snprintf(
			text + len, sizeof(text) - len, "0 0\n");
	check_recounted(text);
}

static void
make_old(const char *name, time_t age_s)
{
	struct timespec times[2];

	clock_gettime(CLOCK_REALTIME, &times[0]);
	times[0].tv_sec -= age_s;
	times[1] = times[0];
	REQUIRE(utimensat(AT_FDCWD, test_path(name), times, 0) == 0);
}

TEST(nobody_is_refused_on_account_of_a_stale_sum)
{
	struct box box;

	make_maildir();
	put_file("Maildir", 1, 100);
	/* One fresh line is believed, */
	test_file("Maildir/maildirsize", "1000S\n1000 9\n");
	box_begin(&box);
	CHECK_INT(take(&box, "INBOX", 50), -1);
	box_end(&box);
	/* an old one is not, */
	make_old("Maildir/maildirsize", 901);
	box_begin(&box);
	CHECK_INT(take(&box, "INBOX", 50), 0);
	CHECK_STR(size_file(), "1000S\n100 1\n");
	box_end(&box);
	/* nor one of tomorrow, */
	test_file("Maildir/maildirsize", "1000S\n1000 9\n");
	make_old("Maildir/maildirsize", -86400);
	box_begin(&box);
	CHECK_INT(take(&box, "INBOX", 50), 0);
	CHECK_STR(size_file(), "1000S\n100 1\n");
	box_end(&box);
	/* and two are not. */
	test_file("Maildir/maildirsize", "1000S\n900 9\n100 1\n");
	box_begin(&box);
	CHECK_INT(take(&box, "INBOX", 50), 0);
	CHECK_STR(size_file(), "1000S\n100 1\n");
	box_end(&box);
}

TEST(others_see_what_is_reserved_until_it_ends)
{
	struct box one, two;

	make_maildir();
	box_begin(&one);
	box_begin(&two);
	REQUIRE(take(&one, "INBOX", 900) == 0);
	/* Not for good: the other delivery may come to nothing. */
	CHECK_INT(take(&two, "INBOX", 300), -1);
	CHECK_INT(two.err.kind, ERR_TEMPORARY);
	CHECK_STR(two.err.status, "4.2.2");
	store_one(&one, "INBOX", 1, 900);
	CHECK_INT(take(&two, "INBOX", 300), -1);
	CHECK_INT(two.err.kind, ERR_OVER_QUOTA);
	box_end(&one);
	box_end(&two);
}

struct victim {
	bool stores; /* before it dies */
};

static void
die_at_work(void *context)
{
	const struct victim *victim = context;
	struct box box;

	box_begin(&box);
	if (take(&box, "INBOX", 300) < 0)
		_exit(1);
	quota_begin(box.quota);
	if (victim->stores)
		put_file("Maildir", 7, 300);
	raise(SIGKILL);
}

static void
check_after_death(bool stores, const char *file)
{
	struct victim victim = {stores};
	struct box box;

	make_maildir();
	put_file("Maildir", 1, 100);
	CHECK_INT(test_child(die_at_work, &victim), 128 + SIGKILL);
	box_begin(&box);
	CHECK_INT(take(&box, "INBOX", 300), 0);
	CHECK_STR(size_file(), file);
	box_end(&box);
}

TEST(who_dies_after_the_rename_is_counted)
{
	check_after_death(true, "1000S\n400 2\n");
}

TEST(who_dies_before_the_rename_leaves_no_reservation)
{
	check_after_death(false, "1000S\n100 1\n");
}

TEST(a_broken_line_of_the_table_is_that_of_a_dead_one)
{
	struct box box;

	make_maildir();
	put_file("Maildir", 1, 100);
	test_file("Maildir/maildirsize", "1000S\n5 1\n");
	test_file("Maildir/doorstep-quota", "nonsense");
	box_begin(&box);
	CHECK_INT(take(&box, "INBOX", 300), 0);
	CHECK_STR(size_file(), "1000S\n100 1\n");
	box_end(&box);
}

/* ---- promises at RCPT ---- */

static void
open_for(struct box *box, const char *key)
{
	box->key = key;
	quota_close(&box->quota);
	open_quota(box);
}

static int
promise(struct box *box, const char *folder, uint64_t bytes)
{
	bool has_promised;
	int result = quota_promise(
		box->quota, str_from(folder), bytes, &has_promised, &box->err);

	CHECK(has_promised == (result == 0 && strcmp(folder, "Spam") != 0));
	return result;
}

TEST(what_was_promised_at_RCPT_is_not_promised_again)
{
	struct box one, two;

	make_maildir();
	box_begin(&one);
	box_begin(&two);
	open_for(&one, "one");
	open_for(&two, "two");
	CHECK_INT(promise(&one, "INBOX", 700), 0);
	CHECK_INT(promise(&two, "INBOX", 500), -1);
	/* It may come to nothing. */
	CHECK_INT(two.err.kind, ERR_TEMPORARY);
	CHECK_STR(two.err.status, "4.2.2");
	CHECK_INT(promise(&two, "INBOX", 300), 0);
	CHECK_INT(promise(&two, "Spam", 9000), 0);
	box_end(&one);
	box_end(&two);
}

TEST(a_promise_keeps_nobody_from_delivering)
{
	struct box one, two;

	make_maildir();
	box_begin(&one);
	box_begin(&two);
	open_for(&one, "one");
	CHECK_INT(promise(&one, "INBOX", 700), 0);
	CHECK_INT(take(&two, "INBOX", 900), 0);
	box_end(&one);
	box_end(&two);
}

TEST(a_promise_ends_with_its_delivery_or_its_time)
{
	struct box one, two;

	make_maildir();
	clock_fix(1000000000, 0, "mx", 1);
	box_begin(&one);
	box_begin(&two);
	open_for(&one, "one");
	open_for(&two, "two");
	CHECK_INT(promise(&one, "INBOX", 700), 0);
	open_for(&one, "one");
	CHECK_INT(take(&one, "INBOX", 20), 0);
	CHECK_INT(promise(&two, "INBOX", 900), 0);
	CHECK_INT(promise(&one, "INBOX", 300), -1);
	clock_fix(1000000000 + QUOTA_PROMISE_S, 0, "mx", 1);
	CHECK_INT(promise(&one, "INBOX", 300), 0);
	box_end(&one);
	box_end(&two);
}

TEST(a_promise_is_taken_back)
{
	struct box one, two;

	make_maildir();
	box_begin(&one);
	box_begin(&two);
	open_for(&one, "one");
	open_for(&two, "two");
	CHECK_INT(promise(&one, "INBOX", 700), 0);
	CHECK_INT(quota_withdraw(two.quota, &two.err), 0);
	CHECK_INT(promise(&two, "INBOX", 900), -1);
	open_for(&one, "one");
	CHECK_INT(quota_withdraw(one.quota, &one.err), 0);
	CHECK_INT(promise(&two, "INBOX", 900), 0);
	box_end(&one);
	box_end(&two);
}

/* ---- count ---- */

TEST(count_needs_no_file_to_be_right)
{
	struct box box;
	struct quota_report *reports;
	size_t count;

	roots[0] = "count:User";
	make_maildir();
	put_file("Maildir", 1, 100);
	put_file("Maildir/.A", 2, 20);
	put_file("Maildir/.Spam", 3, 5000);
	box_begin(&box);
	REQUIRE(quota_report(box.quota, STR(""), &reports, &count, &box.err) ==
		0);
	CHECK_UINT(count, 1);
	CHECK_UINT(reports[0].use.bytes, 120);
	CHECK_UINT(reports[0].use.messages, 2);
	box_end(&box);
}

static uint64_t
bytes_by_count(void)
{
	struct box box;
	struct quota_report *reports;
	size_t count;
	uint64_t bytes;

	box_begin(&box);
	REQUIRE(quota_report(box.quota, STR(""), &reports, &count, &box.err) ==
		0);
	bytes = reports[0].use.bytes;
	box_end(&box);
	return bytes;
}

/* What it remembers is believed until the folder changes. */
TEST(count_remembers_folders_that_have_not_changed)
{
	const char *usage;
	char *bytes;

	roots[0] = "count:User";
	make_maildir();
	put_file("Maildir", 1, 100);
	clock_fix(clock_now().tv_sec + 100, 0, "mx", 1);
	CHECK_UINT(bytes_by_count(), 100);
	usage = read_text("Maildir/doorstep-usage");
	bytes = strstr(usage, " 100 1 ");
	REQUIRE(bytes != NULL);
	memcpy(bytes, " 777 1 ", 7);
	test_file("Maildir/doorstep-usage", usage);
	CHECK_UINT(bytes_by_count(), 777);
	put_file("Maildir", 2, 30);
	CHECK_UINT(bytes_by_count(), 130);
}

TEST(count_looks_again_at_what_changed_a_moment_ago)
{
	roots[0] = "count:User";
	make_maildir();
	put_file("Maildir", 1, 100);
	CHECK_UINT(bytes_by_count(), 100);
	CHECK(!box_exists("Maildir/doorstep-usage") ||
		strstr(read_text("Maildir/doorstep-usage"), " 100 1 ") == NULL);
}

TEST(count_sees_a_change_at_once)
{
	struct box box;
	struct quota_report *reports;
	size_t count;

	roots[0] = "count:User";
	make_maildir();
	put_file("Maildir", 1, 100);
	box_begin(&box);
	REQUIRE(quota_report(box.quota, STR(""), &reports, &count, &box.err) ==
		0);
	put_file("Maildir", 2, 30);
	REQUIRE(quota_report(box.quota, STR(""), &reports, &count, &box.err) ==
		0);
	CHECK_UINT(reports[0].use.bytes, 130);
	CHECK_UINT(reports[0].use.messages, 2);
	box_end(&box);
}

TEST(the_smallest_room_of_several_roots_counts)
{
	struct box box;

	roots[0] = "count:One:noenforcing";
	roots[1] = "maildir:Two";
	make_maildir();
	put_file("Maildir", 1, 800);
	box_begin(&box);
	CHECK_INT(take(&box, "INBOX", 400), -1);
	CHECK_INT(take(&box, "INBOX", 300), 0);
	box_end(&box);
}

TEST(a_root_without_a_limit_may_be_passed_over)
{
	struct quota_report *reports;
	struct box box;
	size_t count;

	roots[0] = "count:One:ignoreunlimited";
	roots[1] = "maildir:Two:ignoreunlimited";
	make_maildir();
	box_begin(&box);
	REQUIRE(quota_report(box.quota, STR(""), &reports, &count, &box.err) ==
		0);
	CHECK_UINT(count, 2);
	box_end(&box);
	REQUIRE(unlink(test_path("Maildir/maildirsize")) == 0);
	rule_texts[0] = "*:storage=0";
	box_begin(&box);
	REQUIRE(quota_report(box.quota, STR(""), &reports, &count, &box.err) ==
		0);
	CHECK_UINT(count, 0);
	CHECK_INT(take(&box, "INBOX", 5000), 0);
	store_one(&box, "INBOX", 1, 5000);
	CHECK(!box_exists("Maildir/maildirsize"));
	box_end(&box);
	/* The file may know a limit that the rules do not. */
	rule_texts[0] = "?:storage=0";
	box_begin(&box);
	REQUIRE(quota_report(box.quota, STR(""), &reports, &count, &box.err) ==
		0);
	REQUIRE(count == 1);
	CHECK_STR_IS(reports[0].name, "Two");
	box_end(&box);
}

/* ---- an mbox that is a single file ---- */

static void
spool_begin(struct box *box)
{
	*box = (struct box){.arena = arena_open()};
	box->store_settings = box_settings();
	box->store_settings.location =
		arena_format(box->arena, "mbox:%s", test_path("spool"));
	box->store_settings.home = test_path("home");
	box->store = box_open(&box->store_settings);
	open_quota(box);
}

TEST(others_see_what_is_reserved_in_a_single_mbox)
{
	struct box first, second;

	roots[0] = "count:User";
	test_file("spool", "");
	box_make_folder("home", 0700);
	spool_begin(&first);
	spool_begin(&second);
	REQUIRE(take(&first, "INBOX", 900) == 0);
	CHECK(box_exists("home/.doorstep-quota"));
	CHECK_INT(take(&second, "INBOX", 900), -1);
	CHECK_STR(second.err.status, "4.2.2");
	quota_close(&first.quota);
	CHECK_INT(take(&second, "INBOX", 900), 0);
	box_end(&first);
	box_end(&second);
}

TEST(a_single_mbox_of_a_user_without_a_home_is_counted_each_time)
{
	struct box box;

	roots[0] = "count:User";
	test_file("spool", "From a\n\nx\n");
	spool_begin(&box);
	CHECK_INT(take(&box, "INBOX", 900), 0);
	CHECK_INT(take(&box, "INBOX", 5000), -1);
	box_end(&box);
}

/* ---- fs ---- */

/* Without the kernel's quota there is nothing to read, and no limit of its. */
TEST(fs_without_a_quota_of_the_kernel_takes_everything)
{
	struct box box;

	roots[0] = "fs:Disk:user:group:inode_per_mail";
	rule_texts[0] = "?:storage=0";
	box_begin(&box);
	CHECK_INT(take(&box, "INBOX", 5000), 0);
	box_end(&box);
	make_maildir();
	box_begin(&box);
	CHECK_INT(take(&box, "INBOX", 5000), 0);
	store_one(&box, "INBOX", 1, 5000);
	CHECK(!box_exists("Maildir/maildirsize"));
	box_end(&box);
}

TEST(a_mount_that_is_not_there_is_trouble)
{
	struct box box;

	roots[0] = "fs:Disk:mount=/nonexistent";
	make_maildir();
	box_begin(&box);
	CHECK_INT(take(&box, "INBOX", 5), -1);
	CHECK_INT(box.err.kind, ERR_TEMPORARY);
	CHECK(strstr(box.err.detail, "/nonexistent") != NULL);
	box_end(&box);
}

/* ---- many at a time ---- */

enum { CROWD = 50, ONE = 60 };

static void
deliver_one(void *context)
{
	unsigned number = *(const unsigned *)context;
	struct box box;
	int result;

	box_begin(&box);
	result = take(&box, "INBOX", ONE);
	if (result == 0) {
		(void)poll(NULL, 0, 1);
		store_one(&box, "INBOX", number, ONE);
	}
	box_end(&box);
	_exit(result == 0 ? 0 : 1);
}

static unsigned
deliver_crowd(void)
{
	pid_t children[CROWD];
	unsigned stored = 0, i;
	int status;

	for (i = 0; i < CROWD; i++) {
		children[i] = fork();
		REQUIRE(children[i] >= 0);
		if (children[i] == 0)
			deliver_one(&i);
	}
	for (i = 0; i < CROWD; i++) {
		REQUIRE(waitpid(children[i], &status, 0) == children[i]);
		stored += status == 0;
	}
	return stored;
}

/* 16 fit below the limit of 1000, and the 17th has the grace of 100. */
static void
check_crowd(void)
{
	struct box box;
	struct quota_report *reports;
	size_t count;
	unsigned stored;

	make_maildir();
	stored = deliver_crowd();
	CHECK(stored >= 1 && stored <= 17);
	box_begin(&box);
	REQUIRE(quota_report(box.quota, STR(""), &reports, &count, &box.err) ==
		0);
	CHECK_UINT(reports[0].use.bytes, stored * ONE);
	CHECK_UINT(reports[0].use.messages, stored);
	CHECK_UINT(reports[0].reserved.messages, 0);
	box_end(&box);
}

TEST(fifty_at_once_stay_within_limit_and_grace_by_maildirsize)
{
	check_crowd();
}

TEST(fifty_at_once_stay_within_limit_and_grace_by_count)
{
	roots[0] = "count:User";
	check_crowd();
}
