/* SPDX-License-Identifier: MIT */
#include "store/keywords.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/store/box.h"

#include "base/banned.h"

static struct err err;
static struct permission permission;
static struct store_settings settings = {.keywords_timeout_ms = 20};
static char letters[KEYWORDS_MAX + 1];

static int
open_keywords(struct keywords *keywords)
{
	permission_init_private(&permission);
	err_clear(&err);
	return keywords_open(
		keywords, test_folder(), &permission, &settings, &err);
}

/* The letters of words with blanks between them. */
static int
take(const char *words)
{
	struct str names[64], rest = str_from(words);
	struct keywords keywords;
	size_t count = 0;
	int result;

	letters[0] = '\0';
	while (count < ARRAY_LENGTH(names) &&
		str_next_word(&rest, &names[count]))
		count++;
	if (open_keywords(&keywords) < 0)
		return -1;
	result = keywords_letters(&keywords, names, count, letters, &err);
	keywords_close(&keywords);
	return result;
}

static void
put(const char *text)
{
	test_file("dovecot-keywords", text);
}

static struct str
file(void)
{
	return test_read(test_path("dovecot-keywords"));
}

TEST(the_first_keyword_is_a)
{
	CHECK_INT(take("$Forwarded"), 0);
	CHECK_STR(letters, "a");
	CHECK_STR_IS(file(), "0 $Forwarded\n");
	CHECK_INT(take("Junk"), 0);
	CHECK_STR(letters, "b");
	CHECK_STR_IS(file(), "0 $Forwarded\n1 Junk\n");
	/* No lock and no other leftover. */
	CHECK_INT(box_count("."), 1);
	CHECK_INT(box_mode("dovecot-keywords"), 0600);
}

TEST(letters_stand_in_the_order_of_the_alphabet)
{
	put("0 A\n1 B\n2 C\n");
	CHECK_INT(take("C A B"), 0);
	CHECK_STR(letters, "abc");
}

TEST(a_known_keyword_is_found_in_any_case_and_nothing_is_written)
{
	struct stat before, after;

	put("0 $Forwarded\n1 Junk\n");
	REQUIRE(stat(test_path("dovecot-keywords"), &before) == 0);
	CHECK_INT(take("JUNK"), 0);
	CHECK_STR(letters, "b");
	REQUIRE(stat(test_path("dovecot-keywords"), &after) == 0);
	CHECK(before.st_ino == after.st_ino);
}

TEST(a_hole_is_filled_first)
{
	put("0 A\n3 D\n");
	CHECK_INT(take("New Newer Newest"), 0);
	CHECK_STR(letters, "bce");
	CHECK_STR_IS(file(), "0 A\n1 New\n2 Newer\n3 D\n4 Newest\n");
}

TEST(a_full_file_stays_and_gives_the_letters_it_has)
{
	char text[26 * 16];
	size_t len = 0, i;

	for (i = 0; i < KEYWORDS_MAX; i++)
		len += (size_t)snprintf(
			text + len, sizeof(text) - len, "%zu k%zu\n", i, i);
	put(text);
	CHECK_INT(take("k25 more k1"), -1);
	CHECK_STR(letters, "bz");
	CHECK(strstr(err.detail, "26") != NULL);
	CHECK_STR_IS(file(), text);
}

TEST(of_too_many_new_ones_the_first_get_letters)
{
	char name[8];
	size_t i;

	for (i = 0; i < 25; i++) {
		snprintf(name, sizeof(name), "k%zu", i);
		CHECK_INT(take(name), 0);
	}
	CHECK_INT(take("last more"), -1);
	CHECK_STR(letters, "z");
	CHECK(str_ends(file(), STR("24 k24\n25 last\n")));
}

TEST(a_broken_file_is_read_and_never_written)
{
	static const char *const broken[] = {"0 A\nsomething\n", "0 A\n26 Z\n",
		"0 A\n1 \n", "0 A\n1\n", "0 A\n0 B\n", "0 A\n1 half",
		"0 A\n-1 B\n", "0 A\n\n1 B\n", "0 A\n x\n"};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(broken); i++) {
		put(broken[i]);
		CHECK_INT(take("New"), -1);
		CHECK_STR(letters, "");
		CHECK(strstr(err.detail, "broken") != NULL);
		CHECK_STR_IS(file(), broken[i]);
		CHECK_INT(take("a"), 0);
		CHECK_STR(letters, "a");
	}
	CHECK_INT(box_count("."), 1);
}

TEST(an_empty_file_is_a_good_one)
{
	put("");
	CHECK_INT(take("A"), 0);
	CHECK_STR_IS(file(), "0 A\n");
}

TEST(what_is_no_file_is_left_alone)
{
	REQUIRE(mkdir(test_path("dovecot-keywords"), 0700) == 0);
	CHECK_INT(take("A"), -1);
	CHECK(strstr(err.detail, "is no file") != NULL);
	REQUIRE(rmdir(test_path("dovecot-keywords")) == 0);
	REQUIRE(mkfifo(test_path("dovecot-keywords"), 0600) == 0);
	CHECK_INT(take("A"), -1);
	CHECK(strstr(err.detail, "is no file") != NULL);
	CHECK_INT(box_count("."), 1);
}

TEST(a_file_longer_than_the_limit_is_not_read)
{
	static char text[KEYWORDS_FILE_BYTES + 100];

	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "0 ", 2);
	put(text);
	CHECK_INT(take("A"), -1);
	CHECK_INT(box_count("."), 1);
}

static void
take_as_nobody(void *context)
{
	(void)context;
	box_be_nobody();
	CHECK_INT(take("A"), -1);
	CHECK(strstr(err.detail, "dovecot-keywords") != NULL);
}

TEST(a_file_that_may_not_be_read_is_trouble_told)
{
	put("0 A\n");
	REQUIRE(chmod(test_path("dovecot-keywords"), 0) == 0);
	if (geteuid() == 0)
		REQUIRE(chown(test_path("dovecot-keywords"), 0, 0) == 0);
	CHECK_INT(test_child(take_as_nobody, NULL), 0);
	CHECK_INT(box_count("."), 1);
}

/* Whoever has read it compares seconds. */
TEST(the_time_of_change_grows_each_time)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {0}};
	struct stat found;

	put("0 A\n");
	times[1].tv_sec = clock_now().tv_sec + 500;
	REQUIRE(utimensat(AT_FDCWD, test_path("dovecot-keywords"), times, 0) ==
		0);
	CHECK_INT(take("B"), 0);
	REQUIRE(stat(test_path("dovecot-keywords"), &found) == 0);
	CHECK_INT(found.st_mtim.tv_sec, times[1].tv_sec + 1);
}

TEST(a_new_file_is_as_open_as_the_folder)
{
	struct keywords keywords;
	struct str name = STR("A");
	struct stat folder;

	REQUIRE(chmod(test_folder(), 0770) == 0 &&
		stat(test_folder(), &folder) == 0);
	permission_init_from(&permission, &folder, test_folder());
	REQUIRE(keywords_open(&keywords, test_folder(), &permission, &settings,
			&err) == 0);
	CHECK_INT(keywords_letters(&keywords, &name, 1, letters, &err), 0);
	keywords_close(&keywords);
	CHECK_INT(box_mode("dovecot-keywords"), 0660);
}

/* ---- locks ---- */

TEST(a_lock_that_another_holds_is_waited_for_and_then_told)
{
	static const char *const locks[] = {
		"dovecot-uidlist.lock", "dovecot-keywords.lock"};
	char holder[300];
	size_t i;

	snprintf(holder, sizeof(holder), "%d:%s", getppid(), clock_host());
	for (i = 0; i < ARRAY_LENGTH(locks); i++) {
		test_file(locks[i], holder);
		CHECK_INT(take("A"), -1);
		CHECK(strstr(err.detail, locks[i]) != NULL);
		CHECK(!box_exists("dovecot-keywords"));
		CHECK_INT(box_count("."), 1);
		REQUIRE(unlink(test_path(locks[i])) == 0);
	}
}

/* Only what is to be written needs the second lock. */
TEST(known_letters_need_no_lock_of_the_file_itself)
{
	put("0 A\n");
	test_file("dovecot-keywords.lock", "");
	CHECK_INT(take("A"), 0);
	CHECK_STR(letters, "a");
}

TEST(forgotten_locks_are_removed)
{
	test_file("dovecot-uidlist.lock", "");
	test_file("dovecot-keywords.lock", "");
	clock_fix(clock_now().tv_sec + 130, 0, "mx", getpid());
	CHECK_INT(take("A"), 0);
	CHECK_STR(letters, "a");
	CHECK_INT(box_count("."), 1);
}

TEST(what_a_killed_writer_left_is_no_hindrance)
{
	test_file("dovecot-keywords.new", "0 Ha");
	CHECK_INT(take("A"), 0);
	CHECK_STR_IS(file(), "0 A\n");
	CHECK_INT(box_count("."), 1);
}

/* Killed with the lock, at a place that differs from one to the next. */
static void
write_until_killed(unsigned delay_us)
{
	pid_t child = fork();
	size_t i;

	REQUIRE(child >= 0);
	if (child == 0) {
		for (i = 0;; i++) {
			(void)unlink(test_path("dovecot-keywords"));
			(void)take(i % 2 ? "A B C" : "D E F G");
		}
	}
	nanosleep(&(struct timespec){0, delay_us * 1000L}, NULL);
	kill(child, SIGKILL);
	REQUIRE(waitpid(child, NULL, 0) == child);
}

TEST(a_writer_killed_anywhere_leaves_a_whole_file_and_a_lock_that_goes)
{
	time_t now = clock_now().tv_sec;
	const char *host = clock_host();
	unsigned i;

	(void)test_folder();
	for (i = 0; i < 20; i++) {
		write_until_killed(1000 + i * 137);
		if (box_exists("dovecot-keywords")) {
			struct str text = file();

			CHECK(str_is(text, "0 A\n1 B\n2 C\n") ||
				str_is(text, "0 D\n1 E\n2 F\n3 G\n"));
		}
		/* Its lock names a process that is not there. */
		clock_fix(now + 130 + i, 0, host, getpid());
		CHECK_INT(take("Z"), 0);
		CHECK(!box_exists("dovecot-uidlist.lock"));
		CHECK(!box_exists("dovecot-keywords.lock"));
		CHECK(!box_exists("dovecot-keywords.new"));
		(void)unlink(test_path("dovecot-keywords"));
	}
}

/* ---- several writers ---- */

enum { WRITERS = 4, KEYWORDS_EACH = 6 };

static void
be_writer(unsigned number)
{
	char names[40];
	unsigned i;
	int result = 0;

	settings.keywords_timeout_ms = 30000;
	for (i = 0; i < KEYWORDS_EACH; i++) {
		snprintf(names, sizeof(names), "common w%uk%u", number, i);
		result |= take(names);
	}
	_exit(result == 0 ? 0 : 1);
}

static void
check_all_are_there(void)
{
	struct str text = file();
	char line[40];
	unsigned n, i;

	CHECK(str_find(text, STR(" common\n")) < text.len);
	for (n = 0; n < WRITERS; n++)
		for (i = 0; i < KEYWORDS_EACH; i++) {
			snprintf(line, sizeof(line), " w%uk%u\n", n, i);
			CHECK(str_find(text, str_from(line)) < text.len);
		}
}

TEST(writers_at_once_lose_no_keyword_and_share_no_letter)
{
	pid_t children[WRITERS];
	unsigned n;
	int status;

	/* Made before the others are, it is the folder of all. */
	(void)test_folder();
	for (n = 0; n < WRITERS; n++) {
		children[n] = fork();
		REQUIRE(children[n] >= 0);
		if (children[n] == 0)
			be_writer(n);
	}
	for (n = 0; n < WRITERS; n++) {
		REQUIRE(waitpid(children[n], &status, 0) == children[n]);
		CHECK_INT(status, 0);
	}
	check_all_are_there();
	/* 25 of them: a double one would make the file a broken one. */
	CHECK_INT(take("one-more"), 0);
	CHECK_STR(letters, "z");
	CHECK_INT(box_count("."), 1);
}
