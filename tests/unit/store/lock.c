/* SPDX-License-Identifier: MIT */
#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/store/box.h"

#include "base/banned.h"

static struct err err;
static struct lock lock;

/* Called by the next flock(). */
static void (*before_flock)(void);

int
flock(int fd, int operation)
{
	void (*call)(void) = before_flock;

	before_flock = NULL;
	if (call != NULL)
		call();
	return (int)syscall(SYS_flock, fd, operation);
}

static const struct store_lock_settings only_dotlock = {
	.kinds = {STORE_LOCK_DOTLOCK}, .count = 1, .timeout_ms = 50};
static const struct store_lock_settings only_fcntl = {
	.kinds = {STORE_LOCK_FCNTL}, .count = 1, .timeout_ms = 50};
static const struct store_lock_settings only_flock = {
	.kinds = {STORE_LOCK_FLOCK}, .count = 1, .timeout_ms = 50};

static int
open_box(void)
{
	int fd = open(test_path("box"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	REQUIRE(fd >= 0);
	return fd;
}

/* Locks test_path("box") by a descriptor that stays open. */
static int
try_lock(const struct store_lock_settings *settings)
{
	return lock_open(
		&lock, settings, 0, test_path("box"), open_box(), &err);
}

/* As long as a lock does not change it is tried again and again. */
static void
try_once(void)
{
	CHECK_INT(lock_open(&lock, &only_dotlock, 1, test_path("box"),
			  open_box(), &err),
		-1);
}

static void
pause_ms(long ms)
{
	const struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&pause, NULL);
}

/* ---- another program ---- */

/* A child that has done `hold` and waits to be ended. */
static pid_t
holder(void (*hold)(int fd))
{
	int ready[2];
	pid_t child;
	char byte;

	close(open_box()); /* the child is to find the same folder */
	REQUIRE(pipe(ready) == 0);
	child = fork();
	REQUIRE(child >= 0);
	if (child == 0) {
		hold(open_box());
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	REQUIRE(read(ready[0], &byte, 1) == 1);
	close(ready[0]);
	close(ready[1]);
	return child;
}

static void
end(pid_t child)
{
	int status;

	kill(child, SIGKILL);
	REQUIRE(waitpid(child, &status, 0) == child);
}

static void
hold_fcntl(int fd)
{
	struct flock region = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	REQUIRE(fcntl(fd, F_SETLK, &region) == 0);
}

static void
hold_flock(int fd)
{
	REQUIRE(flock(fd, LOCK_EX) == 0);
}

TEST(a_lock_that_nobody_holds_is_had_and_given_back)
{
	static const struct store_lock_settings all = {
		.kinds = {STORE_LOCK_FCNTL, STORE_LOCK_FLOCK,
			STORE_LOCK_DOTLOCK, STORE_LOCK_LOCKF,
			STORE_LOCK_DOTLOCK_TRY},
		.count = 5};
	struct str text;
	char expected[300];

	REQUIRE(try_lock(&all) == 0);
	text = test_read(test_path("box.lock"));
	snprintf(expected, sizeof(expected), "%ld:%s", (long)getpid(),
		clock_host());
	CHECK_STR_IS(text, expected);
	CHECK_UINT(box_mode("box.lock"), 0644);
	lock_close(&lock);
	CHECK(!box_exists("box.lock"));
	CHECK_INT(try_lock(&all), 0);
	lock_close(&lock);
}

TEST(without_settings_there_are_a_dotlock_and_an_fcntl_lock)
{
	static const struct store_lock_settings usual = {.count = 0};
	struct flock region = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int status;
	pid_t child;

	REQUIRE(try_lock(&usual) == 0);
	CHECK(box_exists("box.lock"));
	child = fork();
	if (child == 0) {
		int fd = open_box();

		_exit(fcntl(fd, F_GETLK, &region) == 0 &&
					region.l_type == F_WRLCK
				? 0
				: 1);
	}
	REQUIRE(waitpid(child, &status, 0) == child);
	CHECK_INT(status, 0);
	lock_close(&lock);
}

TEST(an_fcntl_lock_of_another_is_waited_for)
{
	pid_t child = holder(hold_fcntl);
	char expected[100];

	CHECK_INT(try_lock(&only_fcntl), -1);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_STR(err.status, "4.2.0");
	snprintf(expected, sizeof(expected), "fcntl lock held by process %ld",
		(long)child);
	CHECK(strstr(err.detail, expected) != NULL);
	end(child);
	CHECK_INT(try_lock(&only_fcntl), 0);
}

TEST(a_flock_lock_of_another_is_waited_for)
{
	pid_t child = holder(hold_flock);

	CHECK_INT(try_lock(&only_flock), -1);
	CHECK_STR(err.status, "4.2.0");
	CHECK(strstr(err.detail, "flock") != NULL);
	CHECK_INT(try_lock(&only_fcntl), 0);
	end(child);
	CHECK_INT(try_lock(&only_flock), 0);
}

TEST(a_lock_file_of_another_is_waited_for)
{
	test_file("box.lock", "1:elsewhere");
	CHECK_INT(try_lock(&only_dotlock), -1);
	CHECK_STR(err.status, "4.2.0");
	CHECK(strstr(err.detail, "made by process 1 of elsewhere") != NULL);
	CHECK(box_exists("box.lock"));
	test_file("box.lock", "");
	CHECK_INT(try_lock(&only_dotlock), -1);
	unlink(test_path("box.lock"));
	CHECK_INT(try_lock(&only_dotlock), 0);
}

TEST(no_lock_is_waited_for_beyond_the_deadline)
{
	struct store_lock_settings settings = only_dotlock;
	uint64_t begin = clock_monotonic_ms();

	settings.timeout_ms = 50000;
	test_file("box.lock", "1:elsewhere");
	CHECK_INT(lock_open(&lock, &settings, begin + 30, test_path("box"),
			  open_box(), &err),
		-1);
	CHECK(clock_monotonic_ms() >= begin + 30);
	CHECK(clock_monotonic_ms() < begin + 30000);
	CHECK_INT(lock_open(&lock, &settings, 1, test_path("box"), open_box(),
			  &err),
		-1);
	unlink(test_path("box.lock"));
	CHECK_INT(lock_open(&lock, &settings, 1, test_path("box"), open_box(),
			  &err),
		0);
}

/* It has the fcntl lock and now wants the dotlock; it would never get that one
 * if we kept it while we wait. */
TEST(no_lock_is_held_while_another_is_waited_for)
{
	static const struct store_lock_settings settings = {
		.kinds = {STORE_LOCK_DOTLOCK, STORE_LOCK_FCNTL},
		.count = 2,
		.timeout_ms = 20000};
	pid_t child = holder(hold_fcntl), other = fork();
	int status;

	if (other == 0) {
		while (link(test_file("signed", "2:x"), test_path("box.lock")) <
			0)
			pause_ms(1);
		kill(child, SIGKILL);
		unlink(test_path("box.lock"));
		_exit(0);
	}
	CHECK_INT(try_lock(&settings), 0);
	REQUIRE(waitpid(other, &status, 0) == other);
	CHECK_INT(status, 0);
	end(child);
}

/* ---- a folder that may not be written ---- */

static void
box_in_a_folder_of_roots(void)
{
	int fd;

	if (geteuid() != 0)
		SKIP("only root can make a folder of root's");
	box_make_folder("spool", 0755);
	fd = open(test_file("spool/box", ""), O_RDWR);
	REQUIRE(fd >= 0 && fchmod(fd, 0666) == 0);
	close(fd);
	box_be_nobody();
}

static int
lock_spool(const struct store_lock_settings *settings)
{
	const char *path = test_path("spool/box");

	return lock_open(&lock, settings, 0, path, open(path, O_RDWR), &err);
}

TEST(a_lock_file_that_may_not_be_made_is_explained)
{
	box_in_a_folder_of_roots();
	CHECK_INT(lock_spool(&only_dotlock), -1);
	CHECK_STR(err.status, "4.3.0");
	CHECK(strstr(err.detail, "missing +w perm") != NULL);
	CHECK(strstr(err.detail, "mail_privileged_group") != NULL);
	CHECK(strstr(err.detail, "dotlock_try") != NULL);
}

TEST(dotlock_try_goes_on_where_it_may_not_be_made)
{
	static const struct store_lock_settings settings = {
		.kinds = {STORE_LOCK_DOTLOCK_TRY, STORE_LOCK_FCNTL},
		.count = 2,
		.timeout_ms = 50};

	box_in_a_folder_of_roots();
	CHECK_INT(lock_spool(&settings), 0);
	lock_close(&lock);
}

TEST(dotlock_try_waits_for_a_lock_file_that_is_there)
{
	static const struct store_lock_settings settings = {
		.kinds = {STORE_LOCK_DOTLOCK_TRY},
		.count = 1,
		.timeout_ms = 50};

	test_file("box.lock", "1:elsewhere");
	CHECK_INT(try_lock(&settings), -1);
}

/* ---- made by link() ---- */

TEST(a_lock_file_can_be_made_by_link)
{
	struct store_lock_settings settings = only_dotlock;

	settings.dotlock_by_link = true;
	REQUIRE(try_lock(&settings) == 0);
	CHECK(box_exists("box.lock"));
	CHECK_UINT(box_count("."), 2);
	lock_close(&lock);
	CHECK_UINT(box_count("."), 1);
	test_file("box.lock", "1:elsewhere");
	CHECK_INT(try_lock(&settings), -1);
	CHECK_UINT(box_count("."), 2);
}

/* ---- forgotten lock files ---- */

/* Not the one that set_clock() has fixed. */
static time_t
real_time(void)
{
	struct stat made;

	test_file("clock", "");
	REQUIRE(stat(test_path("clock"), &made) == 0);
	unlink(test_path("clock"));
	return made.st_mtime;
}

static void
set_clock(long seconds_from_now)
{
	clock_fix(real_time() + seconds_from_now, 0, "mx", getpid());
}

TEST(a_lock_file_without_a_change_for_two_minutes_is_removed)
{
	close(open_box());
	test_file("box.lock", "1:elsewhere");
	set_clock(110);
	CHECK_INT(try_lock(&only_dotlock), -1);
	CHECK(box_exists("box.lock"));
	set_clock(125);
	CHECK_INT(try_lock(&only_dotlock), 0);
	CHECK(!str_is(test_read(test_path("box.lock")), "1:elsewhere"));
	lock_close(&lock);
	CHECK(!box_exists("box.lock"));
}

TEST(a_lock_file_is_in_use_while_the_mailbox_changes)
{
	struct timespec times[2] = {{0}, {0}};

	close(open_box());
	test_file("box.lock", "1:elsewhere");
	times[0].tv_sec = times[1].tv_sec = real_time() + 100;
	REQUIRE(utimensat(AT_FDCWD, test_path("box"), times, 0) == 0);
	set_clock(200);
	CHECK_INT(try_lock(&only_dotlock), -1);
	set_clock(225);
	CHECK_INT(try_lock(&only_dotlock), 0);
}

static void
write_holder(pid_t pid, const char *host)
{
	char text[300];

	snprintf(text, sizeof(text), "%ld%s%s", (long)pid,
		host != NULL ? ":" : "", host != NULL ? host : "");
	test_file("box.lock", text);
}

static pid_t
dead_process(void)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(0);
	REQUIRE(waitpid(child, &status, 0) == child);
	return child;
}

TEST(a_lock_file_of_a_dead_process_is_removed_soon)
{
	pid_t dead = dead_process();

	write_holder(dead, "mx");
	set_clock(5);
	CHECK_INT(try_lock(&only_dotlock), -1);
	set_clock(15);
	CHECK_INT(try_lock(&only_dotlock), 0);
	lock_close(&lock);
	write_holder(dead, "elsewhere");
	CHECK_INT(try_lock(&only_dotlock), -1);
	write_holder(dead, NULL);
	CHECK_INT(try_lock(&only_dotlock), -1);
	write_holder(getppid(), "mx");
	CHECK_INT(try_lock(&only_dotlock), -1);
}

TEST(a_forgotten_lock_file_stays_where_the_mailbox_is_locked_otherwise)
{
	pid_t child = holder(hold_flock);

	test_file("box.lock", "1:elsewhere");
	set_clock(200);
	CHECK_INT(try_lock(&only_dotlock), -1);
	end(child);
	CHECK_INT(try_lock(&only_dotlock), 0);
}

TEST(a_process_of_another_user_is_not_dead)
{
	write_holder(1, "mx");
	REQUIRE(chmod(test_path("box.lock"), 0644) == 0);
	box_be_nobody();
	set_clock(60);
	CHECK_INT(try_lock(&only_dotlock), -1);
	CHECK(box_exists("box.lock"));
}

static void
break_and_lock(void)
{
	/* A new file made in the same tick of the kernel's clock might get the
	 * old one's number and time; a forgotten lock is never so young. */
	rename(test_path("box.lock"), test_path("old"));
	test_file("box.lock", "3:quicker");
}

TEST(the_slower_of_two_breakers_leaves_the_new_lock)
{
	test_file("box.lock", "1:elsewhere");
	set_clock(200);
	before_flock = break_and_lock;
	try_once();
	CHECK(before_flock == NULL);
	CHECK_STR_IS(test_read(test_path("box.lock")), "3:quicker");
}

TEST(a_flock_lock_is_held_after_a_lock_file_was_broken)
{
	static const struct store_lock_settings settings = {
		.kinds = {STORE_LOCK_FLOCK, STORE_LOCK_DOTLOCK},
		.count = 2,
		.timeout_ms = 5000};
	int other;

	test_file("box.lock", "1:elsewhere");
	set_clock(200);
	REQUIRE(try_lock(&settings) == 0);
	other = open_box();
	CHECK_INT(flock(other, LOCK_EX | LOCK_NB), -1);
	lock_close(&lock);
	CHECK_INT(flock(other, LOCK_EX | LOCK_NB), 0);
	close(other);
}

TEST(a_lock_file_that_is_not_ours_any_longer_is_left_alone)
{
	REQUIRE(try_lock(&only_dotlock) == 0);
	rename(test_path("box.lock"), test_path("ours"));
	test_file("box.lock", "1:elsewhere");
	lock_close(&lock);
	CHECK_STR_IS(test_read(test_path("box.lock")), "1:elsewhere");
}

/* ---- several at once ---- */

enum { PROCESSES = 8, ROUNDS = 25 };

/* Nobody else may be here at the same time. */
static bool
is_alone(void)
{
	int fd = open(test_path("inside"), O_WRONLY | O_CREAT | O_EXCL, 0600);

	if (fd < 0)
		return false;
	close(fd);
	pause_ms(1);
	return unlink(test_path("inside")) == 0;
}

static void
lock_again_and_again(const struct store_lock_settings *settings)
{
	int round;

	for (round = 0; round < ROUNDS; round++) {
		int fd = open_box();

		if (lock_open(&lock, settings, 0, test_path("box"), fd, &err) <
				0 ||
			!is_alone())
			_exit(1);
		lock_close(&lock);
		close(fd);
	}
	_exit(0);
}

static void
check_processes(const struct store_lock_settings *settings)
{
	pid_t children[PROCESSES];
	int i, status;

	close(open_box());
	for (i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		REQUIRE(children[i] >= 0);
		if (children[i] == 0)
			lock_again_and_again(settings);
	}
	for (i = 0; i < PROCESSES; i++) {
		REQUIRE(waitpid(children[i], &status, 0) == children[i]);
		CHECK_INT(status, 0);
	}
	CHECK_UINT(box_count("."), 1);
}

TEST(every_kind_keeps_processes_apart)
{
	static const enum store_lock_kind kinds[] = {STORE_LOCK_DOTLOCK,
		STORE_LOCK_FCNTL, STORE_LOCK_FLOCK, STORE_LOCK_DOTLOCK};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(kinds); i++) {
		const struct store_lock_settings settings = {
			.kinds = {kinds[i]},
			.count = 1,
			.timeout_ms = 60000,
			.dotlock_by_link = i == 3};

		check_processes(&settings);
	}
}

TEST(only_one_of_many_breakers_gets_the_lock)
{
	const struct store_lock_settings settings = {
		.kinds = {STORE_LOCK_DOTLOCK},
		.count = 1,
		.timeout_ms = 60000,
		.stale_ms = 3000};

	close(open_box());
	test_file("box.lock", "1:elsewhere");
	pause_ms(3100);
	check_processes(&settings);
}
