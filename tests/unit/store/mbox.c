/* What is special about an mbox; every_driver has the rest.
 *
 * write() and fsync() of libc are replaced by ones that fail on demand.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "store/store.h"
#include "tests/unit/store/box.h"

#include "base/banned.h"

static struct err err;

/* What goes wrong in a file from 50 bytes on. */
static struct {
	int write_number; /* errno; half of the bytes are written before */
	int fsync_number;
	bool dies; /* after half of the bytes */
} fault;

ssize_t
write(int fd, const void *bytes, size_t size)
{
	if (fd <= STDERR_FILENO || (fault.write_number == 0 && !fault.dies) ||
		size < 50)
		return syscall(SYS_write, fd, bytes, size);
	if (syscall(SYS_write, fd, bytes, size / 2) < 0)
		return -1;
	if (fault.dies)
		raise(SIGKILL);
	errno = fault.write_number;
	return -1;
}

int
fsync(int fd)
{
	if (fault.fsync_number != 0) {
		errno = fault.fsync_number;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

/* mbox:test_folder()/mail */
static struct store_settings
mbox_settings(void)
{
	struct store_settings settings = {
		.location = "mbox:~/mail", .home = test_folder()};

	return settings;
}

static struct str
inbox(void)
{
	return test_read(test_path("mail/inbox"));
}

static size_t
count(struct str rest)
{
	struct str line, last = STR_EMPTY;
	size_t found = 0;

	while (str_next_field(&rest, '\n', &line)) {
		found += last.len == 0 && str_starts(line, STR("From "));
		last = line;
	}
	return found;
}

/* Makes the INBOX with one old message. */
#define OLD "From x  Fri Jul 04 10:00:00 2025\nA: b\n\nold\n\n"
static void
make_inbox(const char *text)
{
	test_file("mail/inbox", text);
}

static struct store_copy *
written(struct store *store, struct str mail)
{
	struct store_copy *copy;

	REQUIRE(store_write(store, STR("INBOX"), 0, box_content(mail), 0, &copy,
			&err) == STORE_OK);
	return copy;
}

static const char *
deliver(void)
{
	const struct store_settings settings = mbox_settings();

	return box_file(&settings, "INBOX", 0, 0, &err);
}

/* ---- what was there before ---- */

TEST(a_message_is_parted_from_what_stood_before)
{
	static const struct {
		const char *before, *gap;
	} cases[] = {{"", ""}, {"From x\nA: b\n\nold\n\n", ""},
		{"From x\nA: b\n\nold\n", "\n"}, {"From x\nA: b", "\n\n"},
		{"From x\r\nA: b\r\n\r\n", ""}, {"From x", "\n\n"}};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct str all;

		make_inbox(cases[i].before);
		REQUIRE(deliver() != NULL);
		all = inbox();
		REQUIRE(str_starts(all, str_from(cases[i].before)));
		all = str_skip(all, strlen(cases[i].before));
		CHECK(str_starts(all, str_from(cases[i].gap)));
		all = str_skip(all, strlen(cases[i].gap));
		CHECK(str_starts(all, STR("From MAILER-DAEMON  ")));
		CHECK(str_ends(all, STR("\n\nbody\n\n")));
	}
}

TEST(a_file_that_is_no_mbox_is_not_written_to)
{
	struct store_settings settings = mbox_settings();

	make_inbox("Fro");
	CHECK(deliver() == NULL);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK(strstr(err.detail, "no mbox") != NULL);
	CHECK_STR_IS(inbox(), "Fro");
	test_file("mail/notes", "my own notes\n");
	CHECK(box_file(&settings, "notes", STORE_CREATE_FOLDER, 0, &err) ==
		NULL);
	CHECK(strstr(err.text, "notes") != NULL);
	CHECK_STR_IS(test_read(test_path("mail/notes")), "my own notes\n");
}

/* ---- trouble in the middle ---- */

/* Written before the limit or the fault began; a long one is made anew at the
 * commit. */
static struct str
mail_of(size_t size)
{
	static char mail[600000];
	size_t i;

	for (i = 0; i < size; i++)
		mail[i] = i % 70 == 69 ? '\n' : 'x';
	memcpy(mail, "A: b\n\n", 6);
	return str_of(mail, size);
}

static void
check_rollback(size_t size, const char *status)
{
	struct store_settings settings = mbox_settings();
	struct store *store;
	struct store_copy *copy;
	struct stat before, after;

	make_inbox(OLD);
	store = box_open(&settings);
	copy = written(store, mail_of(size));
	REQUIRE(stat(test_path("mail/inbox"), &before) == 0);
	CHECK_INT(store_commit(copy, &err), -1);
	CHECK_STR(err.status, status);
	fault.write_number = fault.fsync_number = 0;
	CHECK_STR_IS(inbox(), OLD);
	REQUIRE(stat(test_path("mail/inbox"), &after) == 0);
	CHECK_INT(after.st_mtim.tv_sec, before.st_mtim.tv_sec);
	CHECK_INT(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
	CHECK_UINT(box_count("mail"), 1);
	store_copy_close(&copy);
	store_close(&store);
	CHECK(deliver() != NULL);
	CHECK_UINT(count(inbox()), 2);
}

TEST(a_full_disk_leaves_the_old_length)
{
	fault.write_number = ENOSPC;
	check_rollback(1000, "4.3.1");
	fault.write_number = EDQUOT;
	check_rollback(500000, "5.2.2");
	fault.write_number = EIO;
	check_rollback(500000, "4.3.0");
}

TEST(a_failed_flush_leaves_the_old_length)
{
	fault.fsync_number = EIO;
	check_rollback(1000, "4.3.0");
}

static void
commit_beyond_a_limit(void *context)
{
	const struct rlimit limit = {1000, 1000};
	struct store_settings settings = mbox_settings();
	struct store *store = box_open(&settings);
	struct store_copy *copy = written(store, mail_of(2000));

	(void)context;
	signal(SIGXFSZ, SIG_IGN);
	REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	REQUIRE(store_commit(copy, &err) < 0);
	REQUIRE(strstr(err.detail, "mailbox_size_limit") != NULL);
	_exit(42);
}

TEST(a_limit_of_the_file_size_leaves_the_old_length)
{
	make_inbox(OLD);
	CHECK_INT(test_child(commit_beyond_a_limit, NULL), 42);
	CHECK_STR_IS(inbox(), OLD);
}

static void
write_below_a_limit(void *context)
{
	const struct rlimit limit = {1000, 1000};
	struct store_settings settings = mbox_settings();
	struct store *store = box_open(&settings);
	struct store_copy *copy;

	(void)context;
	REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	REQUIRE(store_write(store, STR("INBOX"), 0, box_content(mail_of(900)),
			0, &copy, &err) == STORE_OK);
	store_copy_close(&copy);
	REQUIRE(store_write(store, STR("INBOX"), 0, box_content(mail_of(1000)),
			0, &copy, &err) == STORE_FAILED);
	_exit(42);
}

TEST(a_limit_of_the_file_size_is_known_before_the_commit)
{
	make_inbox(OLD);
	CHECK_INT(test_child(write_below_a_limit, NULL), 42);
}

static void
die_in_a_commit(void *context)
{
	struct store_settings settings = mbox_settings();
	struct store *store = box_open(&settings);
	struct store_copy *copy = written(store, mail_of(*(size_t *)context));

	fault.dies = true;
	REQUIRE(store_commit(copy, &err) == 0);
	_exit(42);
}

TEST(a_death_in_the_commit_leaves_the_earlier_messages)
{
	size_t sizes[] = {1000, 500000}, i;

	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		make_inbox(OLD);
		CHECK_INT(
			test_child(die_in_a_commit, &sizes[i]), 128 + SIGKILL);
		CHECK(str_starts(inbox(), STR(OLD)));
		CHECK_UINT(count(inbox()), 2);
		unlink(test_path("mail/inbox.lock"));
		CHECK(deliver() != NULL);
		CHECK(str_starts(inbox(), STR(OLD)));
		CHECK_UINT(count(inbox()), 3);
	}
}

/* ---- taking back ---- */

TEST(only_the_last_message_can_be_taken_back)
{
	struct store_settings settings = mbox_settings();
	struct store *store = box_open(&settings);
	struct store_copy *first = written(store, STR(MAIL));
	struct store_copy *last = written(store, STR(MAIL));

	CHECK_INT(store_commit(first, &err), 0);
	CHECK_INT(store_commit(last, &err), 0);
	store_retract(first);
	CHECK_UINT(count(inbox()), 2);
	store_retract(last);
	CHECK_UINT(count(inbox()), 1);
	store_retract(last);
	CHECK_UINT(count(inbox()), 1);
	store_copy_close(&first);
	store_copy_close(&last);
	store_close(&store);
}

TEST(a_mailbox_that_was_written_anew_is_not_cut)
{
	struct store_settings settings = mbox_settings();
	struct store *store = box_open(&settings);
	struct store_copy *copy = written(store, STR(MAIL));
	struct arena *arena = arena_open();
	struct str all;
	char *other;

	REQUIRE(store_commit(copy, &err) == 0);
	all = inbox();
	/* Of the same length. */
	other = arena_text(arena, all);
	other[5] = 'x';
	make_inbox(other);
	store_retract(copy);
	CHECK_STR_IS(inbox(), other);
	arena_close(&arena);
	store_copy_close(&copy);
	store_close(&store);
}

TEST(what_parted_a_message_goes_with_it)
{
	struct store_settings settings = mbox_settings();
	struct store *store;
	struct store_copy *copy;

	make_inbox("From x\nA: b");
	store = box_open(&settings);
	copy = written(store, STR(MAIL));
	REQUIRE(store_commit(copy, &err) == 0);
	store_retract(copy);
	CHECK_STR_IS(inbox(), "From x\nA: b");
	store_copy_close(&copy);
	store_close(&store);
}

/* ---- times ---- */

static void
set_times(time_t read, time_t changed)
{
	const struct timespec times[2] = {
		{.tv_sec = read}, {.tv_sec = changed}};

	REQUIRE(utimensat(AT_FDCWD, test_path("mail/inbox"), times, 0) == 0);
}

TEST(new_mail_is_seen_by_the_times)
{
	struct stat found;
	time_t now = clock_now().tv_sec;

	/* Read, and read this very moment. */
	make_inbox(OLD);
	set_times(now, now - 100);
	REQUIRE(deliver() != NULL);
	REQUIRE(stat(test_path("mail/inbox"), &found) == 0);
	CHECK(found.st_atim.tv_sec < found.st_mtim.tv_sec);
	CHECK(found.st_mtim.tv_sec >= now);
	/* Not read for long. */
	set_times(now - 500, now - 300);
	REQUIRE(deliver() != NULL);
	REQUIRE(stat(test_path("mail/inbox"), &found) == 0);
	CHECK_INT(found.st_atim.tv_sec, now - 500);
	CHECK(found.st_mtim.tv_sec >= now);
}

TEST(looking_whether_a_message_would_fit_is_no_reading)
{
	struct store_settings settings = mbox_settings();
	struct store *store = box_open(&settings);
	struct store_copy *copy;
	struct stat found;
	time_t now = clock_now().tv_sec;

	make_inbox(OLD);
	set_times(now - 500, now - 300);
	copy = written(store, STR(MAIL));
	REQUIRE(stat(test_path("mail/inbox"), &found) == 0);
	CHECK_INT(found.st_atim.tv_sec, now - 500);
	CHECK_INT(found.st_mtim.tv_sec, now - 300);
	store_copy_close(&copy);
	store_close(&store);
}

/* ---- which file ---- */

TEST(a_root_that_is_a_file_is_the_inbox_itself)
{
	struct store_settings settings = mbox_settings();
	struct store *store;
	const char *path;

	test_file("mail", OLD);
	settings.autocreate = true;
	store = box_open(&settings);
	REQUIRE(store_inbox_path(store, &path, &err) == 0);
	CHECK_STR(path, test_path("mail"));
	CHECK_INT(store_find_folder(store, STR("A"), &err), LOOKUP_NONE);
	store_close(&store);
	REQUIRE(deliver() != NULL);
	CHECK_UINT(count(test_read(test_path("mail"))), 2);
	CHECK(box_file(&settings, "A", STORE_CREATE_FOLDER, 0, &err) == NULL);
	CHECK_STR(err.status, "4.2.0");
}

TEST(a_root_to_be_made_in_a_spool_is_the_inbox_itself)
{
	struct store_settings settings = mbox_settings();

	if (geteuid() != 0)
		SKIP("only root can make a spool");
	box_make_folder("spool", 01777);
	settings.location = "mbox:~/spool/amy";
	box_be_nobody();
	REQUIRE(box_file(&settings, "INBOX", 0, 0, &err) != NULL);
	CHECK_UINT(count(test_read(test_path("spool/amy"))), 1);
	CHECK_UINT(box_mode("spool/amy"), 0600);
	CHECK_UINT(box_count("spool"), 1);
}

static void
check_refused(const char *why)
{
	CHECK(deliver() == NULL);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	if (!CHECK(strstr(err.detail, why) != NULL))
		printf("# %s\n", err.detail);
}

TEST(an_inbox_has_one_name)
{
	make_inbox(OLD);
	REQUIRE(link(test_path("mail/inbox"), test_path("other")) == 0);
	check_refused("hard link");
	CHECK_STR_IS(inbox(), OLD);
}

TEST(an_inbox_of_another_user_is_not_used)
{
	if (geteuid() != 0)
		SKIP("only root can give a file away");
	make_inbox(OLD);
	REQUIRE(chmod(test_path("mail"), 0777) == 0);
	REQUIRE(chmod(test_path("mail/inbox"), 0666) == 0);
	REQUIRE(chown(test_path("mail/inbox"), BOX_UID + 1, BOX_GID) == 0);
	box_be_nobody();
	check_refused("belongs to another user");
}

TEST(an_inbox_that_is_no_file_is_not_used)
{
	box_make_folder("mail", 0700);
	box_make_folder("mail/inbox", 0700);
	check_refused("is a directory");
	REQUIRE(rmdir(test_path("mail/inbox")) == 0);
	REQUIRE(mkfifo(test_path("mail/inbox"), 0600) == 0);
	check_refused("is no file");
}

TEST(a_link_of_ones_own_may_lead_elsewhere)
{
	box_make_folder("mail", 0700);
	test_file("real", OLD);
	REQUIRE(symlink("../real", test_path("mail/inbox")) == 0);
	REQUIRE(deliver() != NULL);
	CHECK_UINT(count(test_read(test_path("real"))), 2);
	unlink(test_path("real"));
	check_refused("leads nowhere");
	CHECK(!box_exists("real"));
}

TEST(a_link_of_another_user_is_not_followed)
{
	if (geteuid() != 0)
		SKIP("only root can give a link away");
	box_make_folder("mail", 0777);
	test_file("real", OLD);
	REQUIRE(chown(test_path("real"), BOX_UID, BOX_GID) == 0);
	REQUIRE(symlink("../real", test_path("mail/inbox")) == 0);
	REQUIRE(lchown(test_path("mail/inbox"), BOX_UID + 1, BOX_GID) == 0);
	box_be_nobody();
	check_refused("symbolic link");
	CHECK_STR_IS(test_read(test_path("real")), OLD);
}

TEST(new_folders_are_as_open_as_those_above)
{
	struct store_settings settings = mbox_settings();

	box_make_folder("mail", 0750);
	REQUIRE(box_file(&settings, "A/B", STORE_CREATE_FOLDER, 0, &err) !=
		NULL);
	CHECK_UINT(box_mode("mail/A"), 0750);
	CHECK_UINT(box_mode("mail/A/B"), 0640);
	settings.location = "mbox:~/mail:INBOX=~/amy";
	REQUIRE(box_file(&settings, "INBOX", 0, 0, &err) != NULL);
	CHECK_UINT(box_mode("amy"), 0600);
}

TEST(names_of_other_files_are_no_folders)
{
	static const char *const names[] = {
		".subscriptions", "a.lock", "a/.b", ".imap/x"};
	struct store_settings settings = mbox_settings();
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(names); i++) {
		CHECK(box_file(&settings, names[i], STORE_CREATE_FOLDER, 0,
			      &err) == NULL);
		CHECK_STR(err.status, "4.2.0");
	}
	CHECK(!box_exists("mail"));
}

TEST(the_layout_of_maildirs_is_refused)
{
	struct store_settings settings = mbox_settings();
	struct store *store;

	settings.location = "mbox:~/mail:LAYOUT=maildir++";
	CHECK_INT(store_open(&settings, &store, &err), -1);
	CHECK_STR(err.status, "4.3.5");
}

/* ---- between write and commit ---- */

TEST(a_mailbox_that_went_away_is_made_again)
{
	struct store_settings settings = mbox_settings();
	struct store *store = box_open(&settings);
	struct store_copy *copy = written(store, STR(MAIL));

	REQUIRE(unlink(test_path("mail/inbox")) == 0);
	CHECK_INT(store_commit(copy, &err), 0);
	CHECK_INT(store_settle(&copy, 1, &err), 0);
	CHECK_UINT(count(inbox()), 1);
	store_copy_close(&copy);
	store_close(&store);
}

/* As programs do that write it anew: under the lock, by rename. */
static void
replace_while_locked(void)
{
	int fd = open(test_path("mail/inbox"), O_RDWR);
	const struct timespec pause = {0, 200 * 1000000};

	if (flock(fd, LOCK_EX) < 0)
		_exit(1);
	test_file("ready", "");
	nanosleep(&pause, NULL);
	test_file("mail/new", OLD OLD);
	rename(test_path("mail/new"), test_path("mail/inbox"));
	_exit(0);
}

TEST(a_mailbox_that_is_replaced_while_we_wait_is_opened_again)
{
	struct store_settings settings = mbox_settings();
	pid_t child;
	int status;

	settings.locks.kinds[0] = STORE_LOCK_FLOCK;
	settings.locks.count = 1;
	make_inbox(OLD);
	child = fork();
	REQUIRE(child >= 0);
	if (child == 0)
		replace_while_locked();
	while (!box_exists("ready")) {
		const struct timespec pause = {0, 1000000};

		nanosleep(&pause, NULL);
	}
	CHECK(box_file(&settings, "INBOX", 0, 0, &err) != NULL);
	REQUIRE(waitpid(child, &status, 0) == child);
	CHECK_UINT(count(inbox()), 3);
}

TEST(a_locked_mailbox_is_a_temporary_failure)
{
	struct store_settings settings = mbox_settings();

	settings.lock_deadline_ms = 1;
	make_inbox(OLD);
	test_file("mail/inbox.lock", "1:elsewhere");
	CHECK(box_file(&settings, "INBOX", 0, 0, &err) == NULL);
	CHECK_STR(err.status, "4.2.0");
	CHECK_STR_IS(inbox(), OLD);
}

TEST(crlf_is_never_stored)
{
	struct store_settings settings = mbox_settings();

	settings.save_crlf = true;
	REQUIRE(box_file(&settings, "INBOX", 0, 0, &err) != NULL);
	CHECK(!str_has_char(inbox(), '\r'));
}

TEST(flags_are_stored)
{
	struct store_settings settings = mbox_settings();

	REQUIRE(box_file(&settings, "INBOX", 0, STORE_SEEN | STORE_FLAGGED,
			&err) != NULL);
	CHECK(str_find(inbox(), STR("\nStatus: RO\nX-Status: F\n\nbody\n")) <
		inbox().len);
}

/* ---- keywords ---- */

static const struct str words[] = {{"Junk", 4}, {"$Label1", 7}};

/* What stands in the inbox behind `before`. */
static struct str
deliver_with_keywords(const char *before)
{
	const struct store_settings settings = mbox_settings();
	struct store *store = box_open(&settings);
	struct store_copy *copy;

	make_inbox(before);
	copy = written(store, STR("Subject: x\nX-Keywords: forged\n\nb\n"));
	CHECK_INT(store_set_keywords(copy, words, 2, &err), 0);
	CHECK_INT(store_commit(copy, &err), 0);
	store_copy_close(&copy);
	store_close(&store);
	return str_skip(inbox(), strlen(before));
}

TEST(the_first_message_names_the_keywords_of_the_mbox)
{
	struct str all = deliver_with_keywords("");

	CHECK(str_find(all, STR("\nX-IMAPbase: ")) < all.len);
	CHECK(str_find(all,
		      STR(" 0000000000 Junk $Label1\nX-Keywords: Junk $Label1\n"
			  "\nb\n")) < all.len);
	CHECK_INT(str_find(all, STR("forged")), all.len);
}

TEST(a_later_message_has_the_keywords_that_are_named)
{
	struct str all = deliver_with_keywords(
		"From x  Fri Jul 04 10:00:00 2025\n"
		"x-imapbase: 1234 0000000007 $Other JUNK   \n\nold\n\n");

	CHECK(str_ends(all, STR("Subject: x\nX-Keywords: Junk\n\nb\n\n")));
}

TEST(where_none_are_named_a_message_has_none)
{
	static const char *const heads[] = {"", "X-IMAPbase: 12\n",
		"X-IMAP: 1 2\n", "A: b\n\nX-IMAPbase: 1 2 Junk\n"};
	char text[200];
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(heads); i++) {
		snprintf(text, sizeof(text),
			"From x  Fri Jul 04 10:00:00 2025\n%s\nold\n\n",
			heads[i]);
		CHECK(str_ends(deliver_with_keywords(text),
			STR("Subject: x\n\nb\n\n")));
	}
}
