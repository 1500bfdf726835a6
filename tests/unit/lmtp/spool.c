/* SPDX-License-Identifier: MIT */
#include "lmtp/spool.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "tests/lib/test.h"

#include "base/banned.h"

enum { MB = 1024 * 1024 };

static struct spool_budget
budget_of(uint64_t memory)
{
	struct spool_budget budget = {.memory_max = memory};

	spool_budget_open(&budget, test_folder());
	return budget;
}

/* Bytes that show which one they are. */
static char
byte_at(size_t place)
{
	return (char)('a' + place * 7 % 26 + (place / 4096) % 3);
}

static void
add(struct spool *spool, size_t from, size_t count, size_t piece)
{
	char *bytes = memory_get(count + 1);
	size_t at, i;

	for (i = 0; i < count; i++)
		bytes[i] = byte_at(from + i);
	for (at = 0; at < count; at += piece)
		spool_add(
			spool, str_slice(str_of(bytes, count), at, at + piece));
	memory_free(bytes);
}

static void
check_content(const struct spool *spool, size_t count)
{
	char *bytes = memory_get(count + 1);
	int file;
	struct str content = spool_content(spool, &file);
	size_t i;

	CHECK_UINT(spool_size(spool), count);
	if (file >= 0) {
		CHECK_INT(fd_read_at(file, bytes, count + 1, 0), count);
		content = str_of(bytes, count);
	}
	REQUIRE(content.len == count);
	for (i = 0; i < count && content.data[i] == byte_at(i); i++)
		continue;
	CHECK_UINT(i, count);
	memory_free(bytes);
}

static int
file_of(const struct spool *spool)
{
	int file;

	(void)spool_content(spool, &file);
	return file;
}

/* Only a memory file can be. */
static bool
is_sealed(int file)
{
	int seals = fcntl(file, F_GET_SEALS);

	return seals >= 0 && (seals & F_SEAL_WRITE) != 0;
}

TEST(a_message_of_the_inline_limit_stays_in_memory)
{
	struct spool_budget budget = budget_of(16 * MB);
	struct spool *spool = spool_open(&budget);
	struct err err;

	add(spool, 0, SPOOL_INLINE, 1000);
	CHECK_INT(spool_end(spool, &err), 0);
	CHECK_INT(file_of(spool), -1);
	check_content(spool, SPOOL_INLINE);
	CHECK_UINT(budget.memory_used, SPOOL_INLINE);
	spool_close(&spool);
	CHECK_UINT(budget.memory_used, 0);
}

TEST(one_byte_more_makes_a_sealed_memory_file)
{
	struct spool_budget budget = budget_of(16 * MB);
	struct spool *spool = spool_open(&budget);
	struct err err;

	add(spool, 0, SPOOL_INLINE, 999);
	add(spool, SPOOL_INLINE, 1, 1);
	CHECK_INT(spool_end(spool, &err), 0);
	REQUIRE(file_of(spool) >= 0);
	CHECK(is_sealed(file_of(spool)));
	CHECK_INT(write(file_of(spool), "x", 1), -1);
	CHECK_INT(ftruncate(file_of(spool), 0), -1);
	check_content(spool, SPOOL_INLINE + 1);
	CHECK_UINT(budget.memory_used, SPOOL_INLINE + 1);
	spool_close(&spool);
	CHECK_UINT(budget.memory_used, 0);
}

TEST(pieces_of_any_length_make_the_same_message)
{
	static const size_t pieces[] = {
		1, 2, 4095, 4096, 4097, 65535, 65536, 65537, 300000};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(pieces); i++) {
		struct spool_budget budget = budget_of(16 * MB);
		struct spool *spool = spool_open(&budget);
		struct err err;

		add(spool, 0, 200000, pieces[i]);
		CHECK_INT(spool_end(spool, &err), 0);
		check_content(spool, 200000);
		spool_close(&spool);
		CHECK_UINT(budget.memory_used, 0);
	}
}

TEST(an_empty_message_is_a_message)
{
	struct spool_budget budget = budget_of(MB);
	struct spool *spool = spool_open(&budget);
	struct err err;

	spool_add(spool, STR_EMPTY);
	CHECK_INT(spool_end(spool, &err), 0);
	check_content(spool, 0);
	CHECK_UINT(budget.memory_used, 0);
	spool_close(&spool);
}

/* The budget is over in the middle of it: what is there moves to the folder. */
TEST(a_message_beyond_the_budget_goes_to_a_file)
{
	struct spool_budget budget = budget_of(MB);
	struct spool *spool = spool_open(&budget);
	struct err err;

	add(spool, 0, 2 * MB, 50000);
	CHECK_INT(spool_end(spool, &err), 0);
	REQUIRE(file_of(spool) >= 0);
	CHECK(!is_sealed(file_of(spool)));
	check_content(spool, 2 * MB);
	CHECK_UINT(budget.memory_used, 0);
	spool_close(&spool);
}

TEST(without_any_memory_left_even_a_short_message_goes_to_a_file)
{
	struct spool_budget budget = budget_of(MB);
	struct spool *spool = spool_open(&budget);
	struct err err;

	spool_budget_take(&budget, MB);
	CHECK(spool_budget_is_full(&budget));
	add(spool, 0, 100, 100);
	CHECK_INT(spool_end(spool, &err), 0);
	CHECK(file_of(spool) >= 0);
	check_content(spool, 100);
	CHECK_UINT(budget.memory_used, MB);
	spool_close(&spool);
}

/* Connections and transactions need some, too. */
TEST(messages_leave_a_part_of_the_budget)
{
	struct spool_budget budget = budget_of(8 * MB);
	struct spool *spools[300];
	struct err err;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(spools); i++) {
		spools[i] = spool_open(&budget);
		add(spools[i], 0, 60000, 60000);
		CHECK_INT(spool_end(spools[i], &err), 0);
		CHECK_UINT(spool_size(spools[i]), 60000);
	}
	CHECK(budget.memory_used <= 7 * MB);
	CHECK(budget.memory_used > 6 * MB);
	CHECK(!spool_budget_is_full(&budget));
	CHECK_INT(file_of(spools[0]), -1);
	CHECK(file_of(spools[ARRAY_LENGTH(spools) - 1]) >= 0);
	for (i = 0; i < ARRAY_LENGTH(spools); i++)
		spool_close(&spools[i]);
	CHECK_UINT(budget.memory_used, 0);
}

TEST(what_cannot_be_stored_is_refused_for_now_at_the_end)
{
	struct spool_budget budget = budget_of(MB);
	struct spool *spool = spool_open(&budget);
	struct err err;

	spool_budget_close(&budget);
	spool_budget_open(&budget, test_path("not-there"));
	add(spool, 0, 2 * MB, 100000);
	CHECK_UINT(budget.memory_used, 0);
	CHECK_INT(spool_end(spool, &err), -1);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_STR(err.status, "4.3.0");
	CHECK_UINT(spool_size(spool), 2 * MB);
	spool_close(&spool);
}

/* A full disk, played by a limit on the size of files (EFBIG). */
TEST(a_full_disk_is_told_as_such)
{
	struct spool_budget budget = budget_of(MB);
	struct spool *spool = spool_open(&budget);
	struct rlimit limit = {100000, 100000};
	struct err err;

	signal(SIGXFSZ, SIG_IGN);
	REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	add(spool, 0, 2 * MB, 100000);
	CHECK_INT(spool_end(spool, &err), -1);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_STR(err.status, "4.3.1");
	spool_close(&spool);
}

TEST(without_a_descriptor_a_long_message_is_refused_for_now)
{
	struct spool_budget budget = budget_of(16 * MB);
	struct spool *spool = spool_open(&budget);
	struct rlimit limit, none;
	struct err err;

	test_folder();
	REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	none = (struct rlimit){3, limit.rlim_max};
	REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
	add(spool, 0, 100000, 100000);
	REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHECK_INT(spool_end(spool, &err), -1);
	CHECK_STR(err.status, "4.3.1");
	CHECK_UINT(budget.memory_used, 0);
	spool_close(&spool);
}

/* The limit itself is not too big. */
TEST(a_message_beyond_its_limit_is_too_big)
{
	struct spool_budget budget = budget_of(16 * MB);
	struct spool *spool = spool_open(&budget);
	struct err err;

	budget.message_max = 70000;
	add(spool, 0, 70000, 7000);
	CHECK_INT(spool_end(spool, &err), 0);
	spool_close(&spool);

	spool = spool_open(&budget);
	add(spool, 0, 70001, 7000);
	CHECK_UINT(budget.memory_used, 0);
	CHECK_INT(spool_end(spool, &err), -1);
	CHECK_INT(err.kind, ERR_TOO_BIG);
	CHECK_STR(err.status, "5.2.3");
	spool_close(&spool);
}

TEST(what_is_forgotten_keeps_its_size_only)
{
	struct spool_budget budget = budget_of(16 * MB);
	struct spool *spool = spool_open(&budget);
	struct err err;

	add(spool, 0, 5000, 5000);
	CHECK_INT(spool_end(spool, &err), 0);
	spool_forget(spool);
	CHECK_UINT(budget.memory_used, 0);
	CHECK_UINT(spool_size(spool), 5000);
	CHECK_INT(file_of(spool), -1);
	spool_close(&spool);
	CHECK_UINT(budget.memory_used, 0);
}

/* Nothing is left in the folder when a process is killed. */
TEST(a_file_of_the_folder_has_no_name)
{
	struct spool_budget budget = budget_of(MB);
	struct spool *spool = spool_open(&budget);
	struct err err;
	struct stat status;

	add(spool, 0, 2 * MB, 100000);
	CHECK_INT(spool_end(spool, &err), 0);
	REQUIRE(fstat(file_of(spool), &status) == 0);
	CHECK_UINT(status.st_nlink, 0);
	spool_close(&spool);
}
