/* SPDX-License-Identifier: MIT */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"

#include "base/banned.h"

int
fd_write(int fd, struct str bytes)
{
	while (bytes.len > 0) {
		ssize_t written = write(fd, bytes.data, bytes.len);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -1;
		if (written == 0) {
			errno = ENOSPC;
			return -1;
		}
		bytes = str_skip(bytes, (size_t)written);
	}
	return 0;
}

ssize_t
fd_read_at(int fd, void *bytes, size_t size, uint64_t offset)
{
	size_t got = 0;

	while (got < size) {
		ssize_t part = pread(fd, (char *)bytes + got, size - got,
			(off_t)(offset + got));

		if (part < 0 && errno == EINTR)
			continue;
		if (part < 0)
			return -1;
		if (part == 0)
			break;
		got += (size_t)part;
	}
	return (ssize_t)got;
}

ssize_t
fd_read(int fd, void *bytes, size_t size)
{
	ssize_t got;

	do
		got = read(fd, bytes, size);
	while (got < 0 && errno == EINTR);
	return got;
}

/* Not every file system has O_TMPFILE. */
static int
open_named(int folder)
{
	char name[40];
	uint64_t number;
	int fd;

	do {
		clock_random(&number, sizeof(number));
		snprintf(name, sizeof(name), "doorstep.%016llx",
			(unsigned long long)number);
		fd = openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
			0600);
	} while (fd < 0 && errno == EEXIST);
	if (fd >= 0 && unlinkat(folder, name, 0) < 0)
		fd_close(&fd);
	return fd;
}

int
fd_temporary_at(int folder)
{
	int fd = openat(
		folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);

	return fd >= 0 ? fd : open_named(folder);
}

int
fd_temporary(const char *folder)
{
	int parent = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;
	int reason;

	if (parent < 0)
		return -1;
	fd = fd_temporary_at(parent);
	reason = errno;
	fd_close(&parent);
	errno = reason;
	return fd;
}

int
fd_read_rest(int fd, struct buf *out)
{
	ssize_t got;

	for (;;) {
		char *at = buf_reserve(out, 1);
		size_t room;

		if (at == NULL) {
			/* At the maximum: is the file at its end, too? */
			char more;

			got = fd_read(fd, &more, 1);
			if (got > 0) {
				errno = EFBIG;
				got = -1;
			} else if (got == 0) {
				out->overflowed = false;
			}
			break;
		}
		room = out->size - out->len - 1;
		if (room < 4096 && out->max - out->len >= 65536)
			at = buf_reserve(out, room = 65536);
		if (room > out->max - out->len)
			room = out->max - out->len;
		got = fd_read(fd, at, room);
		if (got <= 0)
			break;
		out->len += (size_t)got;
		out->data[out->len] = '\0';
	}
	return got < 0 ? -1 : 0;
}

int
fd_read_file(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), saved, result;

	if (fd < 0)
		return -1;
	result = fd_read_rest(fd, out);
	saved = errno;
	fd_close(&fd);
	errno = saved;
	return result;
}

void
fd_begin_sync(int fd)
{
	/* fsync() tells of what goes wrong. */
	(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

int
fd_sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), result, saved;

	if (fd < 0)
		return -1;
	result = fsync(fd);
	saved = errno;
	fd_close(&fd);
	errno = saved;
	return result;
}

bool
fd_fill_standard(void)
{
	bool has_input = fcntl(STDIN_FILENO, F_GETFD) >= 0;
	int fd;

	/* open() gives the lowest number that is free: the one that is missing. */
	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
			open("/dev/null", O_RDWR | O_NOCTTY) != fd)
			BUG("descriptor %d is closed", fd);
	return has_input;
}

void
fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}
