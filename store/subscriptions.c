/* SPDX-License-Identifier: MIT */
#include "store/subscriptions.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "store/failure.h"

#include "base/banned.h"

enum { POLL_MS = 50 };

#define V2_HEAD STR("V\t2\n")

struct lock {
	const char *path;
	int fd;
};

/* A lock nobody has touched for long was left by a process that died. */
static bool
is_stale(const char *path)
{
	struct stat found;

	return lstat(path, &found) == 0 &&
	       clock_now().tv_sec - found.st_mtim.tv_sec >
	               SUBSCRIPTIONS_STALE_S;
}

/* Under another name first, looked at again, and put back if it is not what was
 * found to be stale: another process may have been quicker. */
static void
remove_stale(const char *path)
{
	char aside[4096];
	int len = snprintf(
		aside, sizeof(aside), "%s.%ld", path, (long)clock_pid());

	if (len < 0 || (size_t)len >= sizeof(aside) || rename(path, aside) < 0)
		return;
	if (is_stale(aside) || link(aside, path) == 0 || errno == EEXIST)
		unlink(aside);
}

static int
lock_open(struct lock *lock, struct err *err)
{
	const struct timespec pause = {0, POLL_MS * 1000000L};
	uint64_t end = clock_monotonic_ms() + SUBSCRIPTIONS_WAIT_MS;

	for (;;) {
		lock->fd = open(lock->path,
			O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (lock->fd >= 0)
			return 0;
		if (errno != EEXIST)
			return failure(err, "open", lock->path);
		if (is_stale(lock->path))
			remove_stale(lock->path);
		else if (clock_monotonic_ms() >= end)
			return err_temp(err, "4.3.0",
				"%s is there for more than %d ms", lock->path,
				SUBSCRIPTIONS_WAIT_MS);
		else
			nanosleep(&pause, NULL);
	}
}

static bool
is_v2(struct str text)
{
	return text.len == 0 || str_starts(text, V2_HEAD);
}

static struct str
without_head(struct str text)
{
	/* The head ends with an empty line. */
	size_t end = str_find(text, STR("\n\n"));

	return is_v2(text) ? str_skip(text, end + 2) : text;
}

static void
add_line(struct buf *line, struct str folder, char separator, bool v2)
{
	size_t i;

	for (i = 0; i < folder.len; i++)
		buf_add_char(line, v2 && folder.data[i] == separator
					   ? '\t'
					   : folder.data[i]);
}

static bool
has_line(struct str text, struct str line)
{
	struct str rest = without_head(text), field;

	while (str_next_field(&rest, '\n', &field))
		if (str_equal(field, line))
			return true;
	return false;
}

/* Makes the new text of what was read.  False when the folder is there. */
static bool
add_folder(struct buf *text, struct str folder, char separator)
{
	struct str old = buf_view(text);
	bool v2 = is_v2(old), is_there;
	struct buf line;

	buf_init(&line, BUF_UNLIMITED);
	add_line(&line, folder, separator, v2);
	is_there = has_line(old, buf_view(&line));
	if (!is_there) {
		if (old.len == 0)
			buf_add_text(text, "V\t2\n\n");
		else if (old.data[old.len - 1] != '\n')
			buf_add_char(text, '\n');
		buf_add(text, buf_view(&line));
		buf_add_char(text, '\n');
	}
	buf_clear(&line);
	return !is_there;
}

static int
read_old(const char *path, struct buf *text, struct err *err)
{
	if (fd_read_file(path, text) < 0 && errno != ENOENT)
		return failure(err, "read", path);
	return 0;
}

/* A file keeps its mode; a new one is as open as the folder. */
static int
set_mode(const char *path, const struct lock *lock,
	const struct permission *permission)
{
	struct stat old;

	if (stat(path, &old) == 0)
		return fchmod(lock->fd, old.st_mode & 0666);
	return permission_apply_file(permission, lock->fd, lock->path);
}

static int
replace(const char *path, struct lock *lock, struct str text,
	const struct permission *permission, bool sync, struct err *err)
{
	if (fd_write(lock->fd, text) < 0)
		return failure(err, "write", lock->path);
	if (set_mode(path, lock, permission) < 0)
		return failure(err, "fchmod", lock->path);
	if (sync && fsync(lock->fd) < 0)
		return failure(err, "fsync", lock->path);
	if (rename(lock->path, path) < 0)
		return failure(err, "rename", path);
	return 0;
}

static int
add_locked(const char *path, struct lock *lock, struct str folder,
	char separator, const struct permission *permission, bool sync,
	struct err *err)
{
	struct buf text;
	int result;

	buf_init(&text, SUBSCRIPTIONS_MAX_BYTES);
	result = read_old(path, &text, err);
	if (result == 0 && !add_folder(&text, folder, separator)) {
		unlink(lock->path);
	} else if (result == 0 && text.overflowed) {
		result = err_temp(err, "4.3.0", "%s is too long", path);
	} else if (result == 0) {
		result = replace(
			path, lock, buf_view(&text), permission, sync, err);
	}
	if (result < 0)
		unlink(lock->path);
	buf_clear(&text);
	return result;
}

int
subscriptions_add(const char *path, struct str folder, char separator,
	const struct permission *permission, bool sync, struct err *err)
{
	char lock_path[4096];
	struct lock lock = {lock_path, -1};
	int result, len;

	len = snprintf(lock_path, sizeof(lock_path), "%s.lock", path);
	if (len < 0 || (size_t)len >= sizeof(lock_path))
		return err_temp(err, "4.3.0", "%s: path is too long", path);
	if (lock_open(&lock, err) < 0)
		return -1;
	result = add_locked(
		path, &lock, folder, separator, permission, sync, err);
	fd_close(&lock.fd);
	return result;
}
