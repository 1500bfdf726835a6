/* SPDX-License-Identifier: MIT */
#include "deliver/decisionlog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fd.h"

#include "base/banned.h"

/* Of a file that is read. */
enum { READ_MAX = 64 * 1024 * 1024 };

#define OLDER ".0"

/* A FIFO or device in the home must not hold up the mail, and a link not lead out
 * of it. */
enum { CAREFULLY = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY };

static int
open_log(const char *path, int *fd_out, struct stat *status, struct err *err)
{
	*fd_out = open(path, O_WRONLY | O_APPEND | O_CREAT | CAREFULLY, 0600);
	if (*fd_out >= 0 && fstat(*fd_out, status) == 0 &&
		S_ISREG(status->st_mode))
		return 0;
	if (*fd_out < 0)
		return err_temp_errno(err, "4.3.0", "cannot open %s", path);
	fd_close(fd_out);
	return err_temp(err, "4.3.0", "%s is no file", path);
}

static bool
is_still_there(const char *path, const struct stat *ours)
{
	struct stat there;

	return lstat(path, &there) == 0 && there.st_ino == ours->st_ino &&
	       there.st_dev == ours->st_dev;
}

/* Who has the lock of the file that has the name may give it another: so a file
 * that somebody else has just begun is never the one that is moved. */
static bool
move_away(const char *path, int fd, const struct stat *status)
{
	struct arena *arena;
	bool is_moved;

	if (flock(fd, LOCK_EX | LOCK_NB) < 0 || !is_still_there(path, status))
		return false;
	arena = arena_open();
	is_moved = rename(path, arena_format(arena, "%s" OLDER, path)) == 0;
	arena_close(&arena);
	return is_moved;
}

/* A disk that is full may take a part of the line: the next one begins behind it
 * (decision_read()). */
static int
write_line(int fd, const char *path, struct str line, struct err *err)
{
	ssize_t written;

	do
		written = write(fd, line.data, line.len);
	while (written < 0 && errno == EINTR);
	if (written < 0)
		return err_temp_errno(err, "4.3.0", "cannot write %s", path);
	if ((size_t)written < line.len)
		return err_temp(err, "4.3.0", "no space to write %s", path);
	return 0;
}

int
decisionlog_add(
	const char *path, uint64_t size_max, struct str line, struct err *err)
{
	struct stat status = {.st_size = 0};
	int fd, result;

	if (open_log(path, &fd, &status, err) < 0)
		return -1;
	if ((uint64_t)status.st_size >= size_max &&
		move_away(path, fd, &status)) {
		fd_close(&fd);
		if (open_log(path, &fd, &status, err) < 0)
			return -1;
	}
	/* Who moves it away is about to; or a process of the user's keeps its lock. */
	if ((uint64_t)status.st_size / 2 >= size_max)
		result = err_temp(err, "4.3.0",
			"%s is twice as long as it may be, and cannot be moved",
			path);
	else
		result = write_line(fd, path, line, err);
	fd_close(&fd);
	return result;
}

/* ---- reading ---- */

static int
read_end(int fd, const char *path, const struct stat *status, struct buf *out,
	struct err *err)
{
	off_t from =
		status->st_size > READ_MAX ? status->st_size - READ_MAX : 0;
	char *room = buf_reserve(out, (size_t)(status->st_size - from));
	ssize_t got;

	if (room == NULL)
		return err_temp(err, "4.3.0", "%s is too big", path);
	got = fd_read_at(
		fd, room, (size_t)(status->st_size - from), (uint64_t)from);
	if (got < 0)
		return err_temp_errno(err, "4.3.0", "cannot read %s", path);
	out->len += (size_t)got;
	return 0;
}

static enum lookup
read_file(const char *path, struct buf *out, struct err *err)
{
	int fd = open(path, O_RDONLY | CAREFULLY);
	struct stat status;
	int result = -1;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return LOOKUP_NONE;
	if (fd < 0 || fstat(fd, &status) < 0)
		(void)!err_temp_errno(err, "4.3.0", "cannot open %s", path);
	else if (!S_ISREG(status.st_mode))
		(void)!err_temp(err, "4.3.0", "%s is no file", path);
	else
		result = read_end(fd, path, &status, out, err);
	fd_close(&fd);
	return result < 0 ? LOOKUP_ERROR : LOOKUP_FOUND;
}

enum lookup
decisionlog_read(const char *path, struct buf *out, struct err *err)
{
	struct arena *arena = arena_open();
	enum lookup older =
		read_file(arena_format(arena, "%s" OLDER, path), out, err);
	enum lookup newer = LOOKUP_ERROR;

	if (older != LOOKUP_ERROR)
		newer = read_file(path, out, err);
	arena_close(&arena);
	if (newer == LOOKUP_ERROR)
		return LOOKUP_ERROR;
	return older == LOOKUP_FOUND ? LOOKUP_FOUND : newer;
}
