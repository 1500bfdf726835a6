/* What is flushed, and what is left when any one system call fails.
 *
 * The functions of libc that matter are replaced by ones that count, remember
 * and fail on demand.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/store.h"
#include "tests/unit/store/box.h"

#include "base/banned.h"

enum { FLUSHED_MAX = 64 };

static struct {
	bool is_armed;
	int fail_at; /* the n-th call, from 1; 0 = none */
	int number;  /* errno */
	int calls;
	const char *only; /* calls of that function; NULL = of any */
	char flushed[FLUSHED_MAX][512];
	int flushed_count;
} fault;

static bool
fails(const char *function)
{
	if (!fault.is_armed ||
		(fault.only != NULL && strcmp(fault.only, function) != 0) ||
		++fault.calls != fault.fail_at)
		return false;
	errno = fault.number;
	return true;
}

int
fsync(int fd)
{
	char link[64];
	ssize_t len;

	if (fails("fsync"))
		return -1;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (fault.is_armed && fault.flushed_count < FLUSHED_MAX) {
		char *at = fault.flushed[fault.flushed_count++];

		len = readlink(link, at, sizeof(fault.flushed[0]) - 1);
		at[len < 0 ? 0 : len] = '\0';
	}
	return (int)syscall(SYS_fsync, fd);
}

ssize_t
write(int fd, const void *bytes, size_t size)
{
	if (fd > STDERR_FILENO && fails("write"))
		return -1;
	return syscall(SYS_write, fd, bytes, size);
}

int
close(int fd)
{
	int result = (int)syscall(SYS_close, fd);

	return fails("close") ? -1 : result;
}

int
mkdir(const char *path, mode_t mode)
{
	return fails("mkdir") ? -1
	                      : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

int
link(const char *from, const char *to)
{
	return fails("link") ? -1
	                     : (int)syscall(SYS_linkat, AT_FDCWD, from,
				       AT_FDCWD, to, 0);
}

int
fchmod(int fd, mode_t mode)
{
	return fails("fchmod") ? -1 : (int)syscall(SYS_fchmod, fd, mode);
}

int
renameat2(int from_fd, const char *from, int to_fd, const char *to,
	unsigned flags)
{
	return fails("rename") ? -1
	                       : (int)syscall(SYS_renameat2, from_fd, from,
					 to_fd, to, flags);
}

int
rename(const char *from, const char *to)
{
	return fails("replace") ? -1
	                        : (int)syscall(SYS_renameat2, AT_FDCWD, from,
					  AT_FDCWD, to, 0);
}

static void
arm(const char *only, int fail_at, int number)
{
	fault.is_armed = true;
	fault.only = only;
	fault.fail_at = fail_at;
	fault.number = number;
	fault.calls = 0;
	fault.flushed_count = 0;
}

static int
times_flushed(const char *name)
{
	const char *path = test_path(name);
	int count = 0, i;

	for (i = 0; i < fault.flushed_count; i++)
		count += strcmp(fault.flushed[i], path) == 0;
	return count;
}

/* ---- a delivery of two copies, the second into a new folder ---- */

struct delivery {
	struct store_settings settings;
	struct store *store;
	struct store_copy *copies[2];
	struct err err;
};

static int
file_copies(struct delivery *delivery)
{
	struct store_copy **copies = delivery->copies;
	struct err *err = &delivery->err;
	size_t i;

	if (store_write(delivery->store, STR("INBOX"), 0,
		    box_content(STR(MAIL)), 0, &copies[0], err) != STORE_OK ||
		store_link(delivery->store, STR("A"), STORE_CREATE_FOLDER,
			copies[0], 0, &copies[1], err) != STORE_OK)
		return -1;
	for (i = 0; i < 2; i++)
		if (store_sync(copies[i], err) < 0)
			return -1;
	for (i = 0; i < 2; i++)
		if (store_commit(copies[i], err) < 0)
			return -1;
	return store_settle(copies, 2, err);
}

static int
deliver(struct delivery *delivery)
{
	int result, i;

	delivery->copies[0] = delivery->copies[1] = NULL;
	delivery->store = box_open(&delivery->settings);
	result = file_copies(delivery);
	for (i = 0; i < 2; i++) {
		if (result < 0 && delivery->copies[i] != NULL)
			store_retract(delivery->copies[i]);
		store_copy_close(&delivery->copies[i]);
	}
	store_close(&delivery->store);
	fault.is_armed = false;
	return result;
}

static struct delivery
delivery_into(const char *root)
{
	static char location[512];
	struct delivery delivery = {.settings = box_settings()};

	snprintf(location, sizeof(location), "maildir:~/%s", root);
	delivery.settings.location = location;
	return delivery;
}

static size_t
count(const char *root, const char *part)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", root, part);
	return box_count(path);
}

static void
check_nothing_is_left(const char *root)
{
	CHECK_INT(count(root, "new"), 0);
	CHECK_INT(count(root, "cur"), 0);
	CHECK_INT(count(root, "tmp"), 0);
	CHECK_INT(count(root, ".A/new"), 0);
	CHECK_INT(count(root, ".A/cur"), 0);
	CHECK_INT(count(root, ".A/tmp"), 0);
}

static void
check_both_are_there(const char *root)
{
	CHECK_INT(count(root, "new"), 1);
	CHECK_INT(count(root, "tmp"), 0);
	CHECK_INT(count(root, ".A/new"), 1);
	CHECK_INT(count(root, ".A/tmp"), 0);
}

/* True when the n-th call was reached. */
static bool
deliver_with_fault(const char *only, int n, int number, int mode)
{
	struct delivery delivery;
	char root[64];
	int result;

	snprintf(root, sizeof(root), "%s-%d-%d-%o", only ? only : "any", n,
		number, (unsigned)mode);
	delivery = delivery_into(root);
	if (mode != 0)
		box_make_folder(root, (unsigned)mode);
	arm(only, n, number);
	result = deliver(&delivery);
	if (result == 0) {
		check_both_are_there(root);
		return fault.calls >= n;
	}
	check_nothing_is_left(root);
	CHECK_INT(delivery.err.kind,
		number == EDQUOT ? ERR_OVER_QUOTA : ERR_TEMPORARY);
	CHECK_STR(delivery.err.status, number == EDQUOT   ? "5.2.2"
				       : number == ENOSPC ? "4.3.1"
							  : "4.3.0");
	return true;
}

TEST(any_call_that_fails_leaves_nothing_or_all)
{
	static const int numbers[] = {EIO, ENOSPC, EDQUOT};
	size_t i;
	int n;

	for (i = 0; i < ARRAY_LENGTH(numbers); i++) {
		for (n = 1; deliver_with_fault(NULL, n, numbers[i], 0); n++)
			;
		/* It was a delivery with calls to fail. */
		CHECK(n > 15);
		for (n = 1; deliver_with_fault(NULL, n, numbers[i], 0770); n++)
			;
		CHECK(n > 15);
	}
}

TEST(where_files_cannot_be_linked_each_copy_is_written)
{
	static const int numbers[] = {EXDEV, EMLINK, EPERM, EOPNOTSUPP};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(numbers); i++) {
		struct delivery delivery;
		char root[32];

		snprintf(root, sizeof(root), "m%d", numbers[i]);
		delivery = delivery_into(root);
		arm("link", 1, numbers[i]);
		CHECK_INT(deliver(&delivery), 0);
		check_both_are_there(root);
	}
}

TEST(where_rename_cannot_keep_a_file_its_name_is_given_by_link)
{
	struct delivery delivery = delivery_into("Maildir");

	arm("rename", 1, EINVAL);
	CHECK_INT(deliver(&delivery), 0);
	check_both_are_there("Maildir");
}

/* ---- what is flushed ---- */

TEST(a_shared_file_and_each_changed_folder_are_flushed_once)
{
	struct delivery delivery = delivery_into("srv/Maildir");

	arm(NULL, 0, 0);
	CHECK_INT(deliver(&delivery), 0);
	CHECK_INT(times_flushed("."), 0);
	CHECK_INT(times_flushed("srv"), 1);
	CHECK_INT(times_flushed("srv/Maildir"), 1);
	CHECK_INT(times_flushed("srv/Maildir/new"), 1);
	CHECK_INT(times_flushed("srv/Maildir/.A"), 1);
	CHECK_INT(times_flushed("srv/Maildir/.A/new"), 1);
	/* These, the test's own folder, and the mail. */
	CHECK_INT(fault.flushed_count, 7);
	arm(NULL, 0, 0);
	CHECK_INT(deliver(&delivery), 0);
	CHECK_INT(times_flushed("srv/Maildir/new"), 1);
	CHECK_INT(times_flushed("srv/Maildir/.A/new"), 1);
	CHECK_INT(fault.flushed_count, 3);
}

TEST(a_commit_flushes_what_was_not_flushed)
{
	struct store_settings settings = box_settings();
	struct store *store = box_open(&settings);
	struct store_copy *copy;
	struct err err;

	REQUIRE(store_write(store, STR("INBOX"), 0, box_content(STR(MAIL)), 0,
			&copy, &err) == STORE_OK);
	arm(NULL, 0, 0);
	CHECK_INT(store_commit(copy, &err), 0);
	CHECK_INT(fault.flushed_count, 1);
	fault.is_armed = false;
	store_copy_close(&copy);
	store_close(&store);
}

TEST(mail_fsync_never_flushes_nothing)
{
	struct delivery delivery = delivery_into("Maildir");

	delivery.settings.fsync = STORE_FSYNC_NEVER;
	delivery.settings.autosubscribe = true;
	arm(NULL, 0, 0);
	CHECK_INT(deliver(&delivery), 0);
	CHECK_INT(fault.flushed_count, 0);
	CHECK(box_exists("Maildir/subscriptions"));
}

/* The kernel reports lost pages to one fsync() only. */
TEST(after_a_failed_flush_a_second_one_is_not_believed)
{
	struct store_settings settings = box_settings();
	struct store *store = box_open(&settings);
	struct store_copy *copy, *twin;
	struct err err;

	REQUIRE(store_write(store, STR("INBOX"), 0, box_content(STR(MAIL)), 0,
			&copy, &err) == STORE_OK);
	REQUIRE(store_link(store, STR("INBOX"), 0, copy, 0, &twin, &err) ==
		STORE_OK);
	arm("fsync", 1, EIO);
	CHECK_INT(store_sync(copy, &err), -1);
	CHECK_INT(store_sync(copy, &err), -1);
	CHECK_INT(store_sync(twin, &err), -1);
	CHECK_INT(store_commit(twin, &err), -1);
	fault.is_armed = false;
	store_copy_close(&copy);
	store_copy_close(&twin);
	store_close(&store);
	check_nothing_is_left("Maildir");
}

TEST(a_file_system_that_cannot_flush_folders_is_no_trouble)
{
	struct delivery delivery = delivery_into("Maildir");

	CHECK_INT(deliver(&delivery), 0);
	arm("fsync", 2, EINVAL);
	CHECK_INT(deliver(&delivery), 0);
	CHECK_INT(box_count("Maildir/new"), 2);
}

TEST(folders_that_failed_to_settle_are_flushed_at_the_next_try)
{
	struct store_settings settings = box_settings();
	struct store *store = box_open(&settings);
	struct store_copy *copy;
	struct err err;

	REQUIRE(store_write(store, STR("INBOX"), 0, box_content(STR(MAIL)), 0,
			&copy, &err) == STORE_OK);
	REQUIRE(store_commit(copy, &err) == 0);
	arm("fsync", 1, EIO);
	CHECK_INT(store_settle(&copy, 1, &err), -1);
	arm(NULL, 0, 0);
	CHECK_INT(store_settle(&copy, 1, &err), 0);
	CHECK_INT(times_flushed("Maildir"), 1);
	CHECK_INT(times_flushed("Maildir/new"), 1);
	/* And then they are. */
	arm(NULL, 0, 0);
	CHECK_INT(store_settle(&copy, 1, &err), 0);
	CHECK_INT(fault.flushed_count, 1);
	fault.is_armed = false;
	store_copy_close(&copy);
	store_close(&store);
}

/* ---- many at the same time ---- */

/* Copies for INBOX and the folder Work, which are there. */
static struct store *
write_two(const struct store_settings *settings, struct store_copy *copies[2])
{
	struct store *store = box_open(settings);
	struct err err;
	size_t i, round;

	for (round = 0; round < 2; round++) {
		REQUIRE(store_write(store, STR("Work"), STORE_CREATE_FOLDER,
				box_content(STR(MAIL)), 0, &copies[0],
				&err) == STORE_OK);
		REQUIRE(store_write(store, STR("INBOX"), 0,
				box_content(STR(MAIL)), 0, &copies[1],
				&err) == STORE_OK);
		for (i = 0; round == 0 && i < 2; i++) {
			REQUIRE(store_commit(copies[i], &err) == 0);
			REQUIRE(store_settle(&copies[i], 1, &err) == 0);
			store_copy_close(&copies[i]);
		}
	}
	return store;
}

static void
close_two(struct store *store, struct store_copy *copies[2])
{
	fault.is_armed = false;
	store_copy_close(&copies[0]);
	store_copy_close(&copies[1]);
	store_close(&store);
}

TEST(files_flushed_in_advance_are_not_flushed_again)
{
	struct store_settings settings = box_settings();
	struct store_copy *copies[2];
	struct store *store = write_two(&settings, copies);
	struct err err;

	arm(NULL, 0, 0);
	store_flush_files(copies, 2, NULL);
	CHECK_INT(fault.flushed_count, 2);
	CHECK_INT(store_sync(copies[0], &err), 0);
	CHECK_INT(store_sync(copies[1], &err), 0);
	CHECK_INT(fault.flushed_count, 2);
	close_two(store, copies);
}

TEST(a_file_that_cannot_be_flushed_in_advance_is_that_copys_trouble)
{
	struct store_settings settings = box_settings();
	struct store_copy *copies[2];
	struct store *store = write_two(&settings, copies);
	struct err err;

	arm("fsync", 2, EIO);
	store_flush_files(copies, 2, NULL);
	CHECK_INT(store_sync(copies[0], &err), 0);
	CHECK_INT(store_sync(copies[1], &err), -1);
	CHECK_INT(store_commit(copies[0], &err), 0);
	CHECK_INT(store_commit(copies[1], &err), -1);
	close_two(store, copies);
}

TEST(folders_flushed_in_advance_are_not_flushed_again)
{
	struct store_settings settings = box_settings();
	struct store_copy *copies[2];
	struct store *store = write_two(&settings, copies);
	struct err err;

	REQUIRE(store_commit(copies[0], &err) == 0);
	REQUIRE(store_commit(copies[1], &err) == 0);
	arm(NULL, 0, 0);
	store_flush_folders(copies, 2, NULL);
	CHECK_INT(times_flushed("Maildir/new"), 1);
	CHECK_INT(times_flushed("Maildir/.Work/new"), 1);
	CHECK_INT(store_settle(copies, 2, &err), 0);
	CHECK_INT(fault.flushed_count, 2);
	close_two(store, copies);
}

/* "Maildir/.Work/new" stands before "Maildir/new". */
TEST(a_folder_that_cannot_be_flushed_in_advance_is_its_copys_trouble)
{
	struct store_settings settings = box_settings();
	struct store_copy *copies[2];
	struct store *store = write_two(&settings, copies);
	struct err err;

	REQUIRE(store_commit(copies[0], &err) == 0);
	REQUIRE(store_commit(copies[1], &err) == 0);
	arm("fsync", 1, EIO);
	store_flush_folders(copies, 2, NULL);
	CHECK_INT(store_settle(&copies[0], 1, &err), -1);
	CHECK(str_find(str_from(err_log_text(&err)), STR("/.Work/new")) <
		strlen(err_log_text(&err)));
	CHECK_INT(store_settle(&copies[1], 1, &err), 0);
	close_two(store, copies);
}

/* NFS writes at close(). */
TEST(a_full_disk_that_only_close_tells_of_is_a_failure)
{
	struct store_settings settings = box_settings();
	struct store *store = box_open(&settings);
	struct store_copy *copy;
	struct err err;

	REQUIRE(store_write(store, STR("INBOX"), 0, box_content(STR(MAIL)), 0,
			&copy, &err) == STORE_OK);
	arm("close", 1, EDQUOT);
	CHECK_INT(store_sync(copy, &err), -1);
	CHECK_INT(err.kind, ERR_OVER_QUOTA);
	CHECK_INT(store_commit(copy, &err), -1);
	fault.is_armed = false;
	store_copy_close(&copy);
	store_close(&store);
	check_nothing_is_left("Maildir");
}

/* ---- keywords ---- */

static const struct str junk = {"Junk", 4};

/* Whether the mail in cur/ has the letter; that of new/ has none. */
static void
check_letter(const char *root)
{
	bool has_letter = count(root, "cur") == 1;
	char path[512];
	struct str name;

	CHECK_INT(count(root, "new") + count(root, "cur"), 1);
	if (!has_letter)
		return;
	snprintf(path, sizeof(path), "%s/cur", root);
	name = str_from(box_only_entry(path));
	CHECK(str_ends(name, STR(":2,a")));
	snprintf(path, sizeof(path), "%s/dovecot-keywords", root);
	CHECK_STR_IS(test_read(test_path(path)), "0 Junk\n");
}

/* True when the n-th call of the commit was reached. */
static bool
commit_with_fault(int n, int number)
{
	struct delivery delivery;
	struct store_copy *copy;
	struct err err;
	char root[64];
	int result;

	snprintf(root, sizeof(root), "k-%d-%d", n, number);
	delivery = delivery_into(root);
	delivery.store = box_open(&delivery.settings);
	REQUIRE(store_write(delivery.store, STR("INBOX"), 0,
			box_content(STR(MAIL)), 0, &copy, &err) == STORE_OK);
	REQUIRE(store_set_keywords(copy, &junk, 1, &err) == 0 &&
		store_sync(copy, &err) == 0);
	arm(NULL, n, number);
	result = store_commit(copy, &err);
	fault.is_armed = false;
	if (result == 0)
		check_letter(root);
	else
		CHECK(strstr(err.detail, "rename") != NULL);
	store_copy_close(&copy);
	store_close(&delivery.store);
	CHECK_INT(count(root, "tmp"), 0);
	return fault.calls >= n;
}

TEST(any_call_that_fails_costs_a_keyword_and_not_the_mail)
{
	static const int numbers[] = {EIO, ENOSPC, EDQUOT};
	size_t i;
	int n;

	for (i = 0; i < ARRAY_LENGTH(numbers); i++) {
		for (n = 1; commit_with_fault(n, numbers[i]); n++)
			;
		/* Locks, the file, its folder, the name. */
		CHECK(n > 8);
	}
}

TEST(a_full_disk_leaves_the_keywords_that_were_there)
{
	struct delivery delivery = delivery_into("Maildir");
	struct store_copy *copy;
	struct err err;

	box_make_folder("Maildir", 0700);
	test_file("Maildir/dovecot-keywords", "0 $Forwarded\n");
	delivery.store = box_open(&delivery.settings);
	REQUIRE(store_write(delivery.store, STR("INBOX"), 0,
			box_content(STR(MAIL)), 0, &copy, &err) == STORE_OK);
	REQUIRE(store_set_keywords(copy, &junk, 1, &err) == 0 &&
		store_sync(copy, &err) == 0);
	/* Two locks, then the file. */
	arm("write", 3, ENOSPC);
	CHECK_INT(store_commit(copy, &err), 0);
	fault.is_armed = false;
	CHECK_STR_IS(test_read(test_path("Maildir/dovecot-keywords")),
		"0 $Forwarded\n");
	CHECK(!box_exists("Maildir/dovecot-keywords.new"));
	CHECK(!box_exists("Maildir/dovecot-keywords.lock"));
	CHECK(!box_exists("Maildir/dovecot-uidlist.lock"));
	CHECK_INT(box_count("Maildir/new"), 1);
	store_copy_close(&copy);
	store_close(&delivery.store);
}
