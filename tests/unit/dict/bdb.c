/* What only Berkeley DB does: files that outlive the process.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "dict/dict.h"
#include "tests/lib/test.h"

#include "base/banned.h"

/* Berkeley DB's calls come here. */
static struct {
	bool hangs;
} disk;

ssize_t
pwrite64(int fd, const void *bytes, size_t size, off_t offset)
{
	if (disk.hangs)
		pause();
	return syscall(SYS_pwrite64, fd, bytes, size, offset);
}

ssize_t
pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
	return pwrite64(fd, bytes, size, offset);
}

ssize_t
write(int fd, const void *bytes, size_t size)
{
	/* Its log is written this way; so are our complaints. */
	if (disk.hangs && fd != STDERR_FILENO)
		pause();
	return syscall(SYS_write, fd, bytes, size);
}

/* Berkeley DB does not give all memory of a broken environment back: closing one
 * stops at the first thing that it finds broken.  The process ends soon then. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
	return "leak:libdb-5.3.so";
}

static struct err err;

static struct dict_bdb_options
options(void)
{
	return (struct dict_bdb_options){
		.folder = test_path("state"), .reserve_bytes = 1};
}

static struct dict *
open_it(void)
{
	struct dict_bdb_options wanted = options();
	struct dict *dict = NULL;

	if (dict_open_bdb(&wanted, &dict, &err) != LOOKUP_FOUND) {
		test_failed(__FILE__, __LINE__, err_log_text(&err));
		test_end();
	}
	return dict;
}

static void
put(struct dict *dict, const char *key, const char *value)
{
	struct dict_entry entry = {str_from(key), str_from(value), 1};

	CHECK_INT(dict_put(dict, &entry, &err), 0);
}

static bool
has(struct dict *dict, const char *key)
{
	struct arena *arena = arena_open();
	struct dict_entry entry;
	enum lookup found = dict_get(dict, arena, str_from(key), &entry, &err);

	arena_close(&arena);
	CHECK(found != LOOKUP_ERROR);
	return found == LOOKUP_FOUND;
}

static size_t
count_files(const char *pattern)
{
	glob_t found;
	size_t count = 0;

	if (glob(test_path(pattern), 0, NULL, &found) == 0)
		count = found.gl_pathc;
	globfree(&found);
	return count;
}

TEST(entries_survive_a_close)
{
	struct dict *dict = open_it();

	put(dict, "amy", "1");
	dict_close(&dict);
	dict = open_it();
	CHECK(has(dict, "amy"));
	dict_close(&dict);
}

static void
put_and_die(void *context)
{
	struct dict *dict = open_it();

	put(dict, "amy", "1");
	REQUIRE(dict_begin(dict, &err) == 0);
	put(dict, "ben", "1");
	if (context != NULL)
		REQUIRE(dict_commit(dict, &err) == 0);
	kill(getpid(), SIGKILL);
}

TEST(what_was_committed_survives_a_kill_and_nothing_else_does)
{
	struct dict *dict;

	test_folder(); /* the same one in the child */
	CHECK_INT(test_child(put_and_die, NULL), 128 + SIGKILL);
	dict = open_it();
	CHECK(has(dict, "amy"));
	CHECK(!has(dict, "ben"));
	dict_close(&dict);
	CHECK_INT(test_child(put_and_die, &err), 128 + SIGKILL);
	dict = open_it();
	CHECK(has(dict, "ben"));
	dict_close(&dict);
	CHECK_UINT(count_files("state/db.broken-*"), 0);
}

TEST(only_one_process_has_it)
{
	struct dict_bdb_options wanted = options();
	struct dict *dict = open_it(), *second = NULL;

	CHECK_INT(dict_open_bdb(&wanted, &second, &err), LOOKUP_NONE);
	CHECK(second == NULL);
	dict_close(&dict);
	CHECK_INT(dict_open_bdb(&wanted, &second, &err), LOOKUP_FOUND);
	dict_close(&second);
}

TEST(a_folder_that_cannot_be_made_is_an_error)
{
	struct dict_bdb_options wanted = {
		.folder = test_path("no/where"), .reserve_bytes = 1};
	struct dict *dict;

	CHECK_INT(dict_open_bdb(&wanted, &dict, &err), LOOKUP_ERROR);
	CHECK(strstr(err.detail, "no/where") != NULL);
}

TEST(a_disk_with_less_than_the_reserve_is_an_error)
{
	struct dict_bdb_options wanted = options();
	struct dict *dict;

	wanted.reserve_bytes = UINT64_MAX;
	CHECK_INT(dict_open_bdb(&wanted, &dict, &err), LOOKUP_ERROR);
	CHECK(strstr(err.detail, "are free: make room") != NULL);
	CHECK_UINT(count_files("state/db.broken-*"), 0);
}

static void
spoil(const char *pattern, struct str bytes)
{
	glob_t found;
	size_t i;

	REQUIRE(glob(test_path(pattern), 0, NULL, &found) == 0);
	for (i = 0; i < found.gl_pathc; i++) {
		int fd = open(found.gl_pathv[i], O_WRONLY | O_TRUNC);

		REQUIRE(fd >= 0);
		CHECK_INT(fd_write(fd, bytes), 0);
		close(fd);
	}
	globfree(&found);
}

static void
check_begins_anew(void)
{
	struct dict *dict = open_it();

	CHECK(!has(dict, "amy"));
	put(dict, "ben", "1");
	dict_close(&dict);
	CHECK_UINT(count_files("state/db.broken-*"), 1);
	dict = open_it();
	CHECK(has(dict, "ben"));
	dict_close(&dict);
}

static struct str
garbage(void)
{
	static char bytes[20000];
	size_t i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7 + i / 251);
	return str_of(bytes, sizeof(bytes));
}

TEST(garbage_for_a_data_base_is_moved_aside)
{
	struct dict *dict = open_it();

	put(dict, "amy", "1");
	dict_close(&dict);
	spoil("state/db/dict.db", garbage());
	check_begins_anew();
}

TEST(garbage_for_a_log_is_moved_aside)
{
	struct dict *dict = open_it();

	put(dict, "amy", "1");
	dict_close(&dict);
	spoil("state/db/log.*", garbage());
	check_begins_anew();
}

TEST(a_file_for_an_environment_is_moved_aside)
{
	test_file("state/db", "what is this?");
	check_begins_anew();
}

TEST(an_environment_that_is_always_in_trouble_is_moved_aside)
{
	struct dict *dict = open_it();

	put(dict, "amy", "1");
	dict_close(&dict);
	test_file("state/db.trouble", "12345678");
	check_begins_anew();
}

TEST(some_trouble_is_borne_and_forgotten_when_all_is_well)
{
	struct dict *dict = open_it();

	put(dict, "amy", "1");
	dict_close(&dict);
	test_file("state/db.trouble", "1234567");
	dict = open_it();
	CHECK(has(dict, "amy"));
	CHECK_UINT(test_read(test_path("state/db.trouble")).len, 7);
	dict_is_well(dict);
	CHECK_UINT(test_read(test_path("state/db.trouble")).len, 0);
	dict_close(&dict);
}

TEST(damage_that_is_met_later_makes_it_broken)
{
	struct dict *dict = open_it();
	struct arena *arena = arena_open();
	struct dict_entry entry;
	char key[16];
	int i;

	for (i = 0; i < 2000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		put(dict, key, "some bytes for some pages of the data base");
	}
	dict_close(&dict);
	/* All pages but the first one, which opening reads. */
	i = open(test_path("state/db/dict.db"), O_WRONLY);
	REQUIRE(i >= 0);
	CHECK_INT(lseek(i, 4096, SEEK_SET), 4096);
	CHECK_INT(fd_write(i, garbage()), 0);
	close(i);
	dict = open_it();
	CHECK_INT(dict_get(dict, arena, STR("1"), &entry, &err), LOOKUP_ERROR);
	CHECK(dict_is_broken(dict));
	dict_close(&dict);
	CHECK_UINT(test_read(test_path("state/db.trouble")).len, 1);
	arena_close(&arena);
}

static void
hang(void *context UNUSED)
{
	struct dict_bdb_options wanted = options();
	struct dict *dict;

	wanted.hang_ms = 100;
	REQUIRE(dict_open_bdb(&wanted, &dict, &err) == LOOKUP_FOUND);
	disk.hangs = true;
	put(dict, "amy", "1");
}

TEST(a_call_that_does_not_come_back_ends_the_process)
{
	struct dict *dict;

	test_folder();
	CHECK_INT(test_child(hang, NULL), DICT_EXIT_HUNG);
	dict = open_it();
	CHECK(!has(dict, "amy"));
	dict_close(&dict);
}

TEST(the_log_does_not_grow_without_bound)
{
	struct dict *dict = open_it();
	static char value[10000];
	int i;

	memset(value, 'v', sizeof(value) - 1);
	for (i = 0; i < 8000; i++) {
		put(dict, "amy", value);
		value[i % 100] ^= 1;
	}
	/* 80 MB and more went through it. */
	CHECK(count_files("state/db/log.*") <= 8);
	dict_close(&dict);
}
