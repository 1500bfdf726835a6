/* SPDX-License-Identifier: MIT */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/test.h"

#include "base/banned.h"

static void
on_alarm(int number)
{
	(void)number;
}

/* A signal every few milliseconds that interrupts system calls. */
static void
interrupt_often(void)
{
	struct sigaction action = {.sa_handler = on_alarm};
	struct itimerval often = {{0, 2000}, {0, 2000}};

	CHECK_INT(sigaction(SIGALRM, &action, NULL), 0);
	CHECK_INT(setitimer(ITIMER_REAL, &often, NULL), 0);
}

/* The reader is slow and the pipe small: short writes and EINTR. */
TEST(a_write_is_whole_in_spite_of_signals)
{
	static char bytes[300000];
	int ends[2], status;
	pid_t reader;

	REQUIRE(pipe(ends) == 0);
	reader = fork();
	REQUIRE(reader >= 0);
	if (reader == 0) {
		char part[4096];
		size_t total = 0;
		ssize_t got;

		close(ends[1]);
		while ((got = fd_read(ends[0], part, sizeof(part))) > 0) {
			total += (size_t)got;
			usleep(500);
		}
		_exit(total == sizeof(bytes) ? 0 : 1);
	}
	close(ends[0]);
	interrupt_often();
	CHECK_INT(fd_write(ends[1], str_of(bytes, sizeof(bytes))), 0);
	close(ends[1]);
	while (waitpid(reader, &status, 0) < 0 && errno == EINTR)
		continue;
	CHECK_INT(status, 0);
}

static void *
write_later(int fd)
{
	if (fork() == 0) {
		usleep(50000);
		_exit(fd_write(fd, STR("late")) < 0);
	}
	return NULL;
}

TEST(a_read_waits_on_in_spite_of_signals)
{
	char bytes[10];
	int ends[2];

	REQUIRE(pipe(ends) == 0);
	write_later(ends[1]);
	interrupt_often();
	CHECK_INT(fd_read(ends[0], bytes, sizeof(bytes)), 4);
}

TEST(a_full_disk_is_an_error)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	REQUIRE(fd >= 0);
	CHECK_INT(fd_write(fd, STR("x")), -1);
	CHECK_INT(errno, ENOSPC);
	CHECK_INT(fd_write(fd, STR_EMPTY), 0);
	fd_close(&fd);
}

TEST(a_read_at_an_offset_ends_with_the_file)
{
	int fd = open(test_file("file", "0123456789"), O_RDONLY | O_CLOEXEC);
	char bytes[20];

	REQUIRE(fd >= 0);
	CHECK_INT(fd_read_at(fd, bytes, 4, 3), 4);
	CHECK_STR_IS(str_of(bytes, 4), "3456");
	CHECK_INT(fd_read_at(fd, bytes, 20, 8), 2);
	CHECK_STR_IS(str_of(bytes, 2), "89");
	CHECK_INT(fd_read_at(fd, bytes, 20, 10), 0);
	CHECK_INT(fd_read_at(fd, bytes, 20, 5000000000), 0);
	CHECK_INT(lseek(fd, 0, SEEK_CUR), 0);
	fd_close(&fd);
	CHECK_INT(fd, -1);
	fd_close(&fd);
	CHECK_INT(fd_read_at(fd, bytes, 20, 0), -1);
	CHECK_INT(errno, EBADF);
}

TEST(a_temporary_file_has_no_name_and_is_private)
{
	int fd = fd_temporary(test_folder());
	struct stat status;
	char bytes[4];

	REQUIRE(fd >= 0);
	CHECK_INT(fstat(fd, &status), 0);
	CHECK_INT(status.st_nlink, 0);
	CHECK_INT(status.st_mode & 0777, 0600);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	CHECK_INT(fd_write(fd, STR("text")), 0);
	CHECK_INT(fd_read_at(fd, bytes, 4, 0), 4);
	/* Nothing is left to be removed. */
	CHECK_INT(rmdir(test_folder()), 0);
	fd_close(&fd);
}

TEST(a_missing_folder_has_no_temporary_file)
{
	CHECK_INT(fd_temporary(test_path("missing")), -1);
	CHECK_INT(errno, ENOENT);
}

TEST(a_file_is_read_behind_what_is_there)
{
	struct buf buf;

	buf_init(&buf, 100);
	buf_add_text(&buf, "before ");
	CHECK_INT(
		fd_read_file(test_file_bytes("file", str_of("a\0b", 3)), &buf),
		0);
	CHECK_STR_EQUAL(buf_view(&buf), str_of("before a\0b", 10));
	CHECK(!buf.overflowed);
	buf_clear(&buf);
}

TEST(a_file_of_just_the_maximum_fits_and_one_byte_more_does_not)
{
	static const size_t sizes[] = {
		0, 1, 63, 64, 65, 4095, 4096, 65535, 65536, 200000};
	static char bytes[200001];
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		struct buf buf;

		buf_init(&buf, sizes[i]);
		CHECK_INT(fd_read_file(test_file_bytes(
					       "fits", str_of(bytes, sizes[i])),
				  &buf),
			0);
		CHECK_UINT(buf.len, sizes[i]);
		CHECK(!buf.overflowed);
		buf_reset(&buf);
		CHECK_INT(fd_read_file(test_file_bytes("large",
					       str_of(bytes, sizes[i] + 1)),
				  &buf),
			-1);
		CHECK_INT(errno, EFBIG);
		buf_clear(&buf);
	}
}

TEST(what_cannot_be_read_is_an_error)
{
	struct buf buf;

	buf_init(&buf, 100);
	CHECK_INT(fd_read_file(test_path("missing"), &buf), -1);
	CHECK_INT(errno, ENOENT);
	CHECK_INT(fd_read_file(test_folder(), &buf), -1);
	CHECK_INT(errno, EISDIR);
	buf_clear(&buf);
}

TEST(only_folders_can_be_synced_as_such)
{
	CHECK_INT(fd_sync_folder(test_folder()), 0);
	CHECK_INT(fd_sync_folder(test_path("missing")), -1);
	CHECK_INT(errno, ENOENT);
	CHECK_INT(fd_sync_folder(test_file("file", "")), -1);
	CHECK_INT(errno, ENOTDIR);
}
