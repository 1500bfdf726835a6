/* SPDX-License-Identifier: MIT */
#include "deliver/seenfile.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/fd.h"
#include "base/log.h"

#include "base/banned.h"

#define HEAD "doorstep-seen 1\n"

enum {
	HEAD_BYTES = sizeof(HEAD) - 1,
	TIME_BYTES = 8,
	MARK_BYTES = SEEN_KEY + TIME_BYTES,
	SUM_BYTES = 32,
	FILE_MAX = HEAD_BYTES + SEENFILE_MARKS_MAX * MARK_BYTES + SUM_BYTES,
	LOCK_PAUSE_MS = 20
};

struct marks {
	struct seen_mark *items;
	size_t count;
};

/* ---- reading ---- */

static uint64_t
read_time(const char *bytes)
{
	uint64_t value = 0;
	int i;

	for (i = 0; i < TIME_BYTES; i++)
		value = value << 8 | (unsigned char)bytes[i];
	return value;
}

static bool
is_whole(struct str bytes)
{
	unsigned char sum[DIGEST_MAX];

	if (bytes.len < HEAD_BYTES + SUM_BYTES ||
		(bytes.len - HEAD_BYTES - SUM_BYTES) % MARK_BYTES != 0 ||
		!str_starts(bytes, STR(HEAD)))
		return false;
	digest_of(
		DIGEST_SHA256, str_slice(bytes, 0, bytes.len - SUM_BYTES), sum);
	return memcmp(sum, bytes.data + bytes.len - SUM_BYTES, SUM_BYTES) == 0;
}

/* A FIFO or device in the home must not hold up the mail, and a link not lead out
 * of it. */
static enum lookup
read_bytes(const char *path, struct buf *bytes, struct err *err)
{
	int fd = open(path,
		O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	int result;

	if (fd < 0 && errno == ENOENT)
		return LOOKUP_NONE;
	if (fd < 0 || fstat(fd, &status) < 0) {
		err_temp_errno(err, "4.3.0", "cannot open %s", path);
		fd_close(&fd);
		return LOOKUP_ERROR;
	}
	if (!S_ISREG(status.st_mode)) {
		fd_close(&fd);
		err_temp(err, "4.3.0", "%s is no file", path);
		return LOOKUP_ERROR;
	}
	result = fd_read_rest(fd, bytes);
	if (result < 0 && errno != EFBIG)
		err_temp_errno(err, "4.3.0", "cannot read %s", path);
	else
		result = 0;
	fd_close(&fd);
	return result < 0 ? LOOKUP_ERROR : LOOKUP_FOUND;
}

static void
take_marks(struct arena *arena, struct str bytes, struct marks *marks)
{
	size_t i;

	bytes = str_slice(bytes, HEAD_BYTES, bytes.len - SUM_BYTES);
	marks->count = bytes.len / MARK_BYTES;
	marks->items = ARENA_ARRAY(arena, struct seen_mark, marks->count);
	for (i = 0; i < marks->count; i++) {
		const char *mark = bytes.data + i * MARK_BYTES;

		memcpy(marks->items[i].key, mark, SEEN_KEY);
		marks->items[i].expires_s = read_time(mark + SEEN_KEY);
	}
}

static int
read_marks(struct arena *arena, const char *path, struct marks *marks,
	struct err *err)
{
	struct buf bytes;
	enum lookup found;

	*marks = (struct marks){NULL, 0};
	buf_init(&bytes, FILE_MAX);
	found = read_bytes(path, &bytes, err);
	if (found == LOOKUP_FOUND) {
		if (!bytes.overflowed && is_whole(buf_view(&bytes)))
			take_marks(arena, buf_view(&bytes), marks);
		else
			log_warning("%s is broken: what was seen before is "
				    "forgotten",
				path);
	}
	buf_clear(&bytes);
	return found == LOOKUP_ERROR ? -1 : 0;
}

enum lookup
seenfile_find(const char *path, const unsigned char key[SEEN_KEY],
	uint64_t now_s, struct err *err)
{
	struct arena *arena = arena_open();
	enum lookup found = LOOKUP_NONE;
	struct marks marks;
	size_t i;

	if (read_marks(arena, path, &marks, err) < 0)
		found = LOOKUP_ERROR;
	else
		for (i = 0; i < marks.count; i++)
			if (memcmp(marks.items[i].key, key, SEEN_KEY) == 0 &&
				marks.items[i].expires_s > now_s)
				found = LOOKUP_FOUND;
	arena_close(&arena);
	return found;
}

/* ---- what will be written ---- */

static bool
is_among(const struct seen_mark *mark, const struct seen_mark *marks,
	size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (memcmp(mark->key, marks[i].key, SEEN_KEY) == 0)
			return true;
	return false;
}

/* The latest first. */
static int
compare_times(const void *a, const void *b)
{
	uint64_t left = ((const struct seen_mark *)a)->expires_s;
	uint64_t right = ((const struct seen_mark *)b)->expires_s;

	return (left < right) - (left > right);
}

static void
merge(struct arena *arena, struct marks *marks, const struct seen_mark *added,
	size_t count, uint64_t now_s)
{
	const struct marks old = *marks;
	size_t i;

	marks->items = ARENA_ARRAY(arena, struct seen_mark, old.count + count);
	marks->count = 0;
	for (i = 0; i < old.count; i++)
		if (old.items[i].expires_s > now_s &&
			!is_among(&old.items[i], added, count))
			marks->items[marks->count++] = old.items[i];
	for (i = 0; i < count; i++)
		marks->items[marks->count++] = added[i];
	if (marks->count <= SEENFILE_MARKS_MAX)
		return;
	qsort(marks->items, marks->count, sizeof(*marks->items), compare_times);
	marks->count = SEENFILE_MARKS_MAX;
}

static void
add_time(struct buf *out, uint64_t value)
{
	int shift;

	for (shift = 8 * (TIME_BYTES - 1); shift >= 0; shift -= 8)
		buf_add_char(out, (char)(value >> shift & 0xff));
}

static void
compose(struct buf *out, const struct marks *marks)
{
	unsigned char sum[DIGEST_MAX];
	size_t i;

	buf_add_text(out, HEAD);
	for (i = 0; i < marks->count; i++) {
		buf_add(out,
			str_of((const char *)marks->items[i].key, SEEN_KEY));
		add_time(out, marks->items[i].expires_s);
	}
	digest_of(DIGEST_SHA256, buf_view(out), sum);
	buf_add(out, str_of((const char *)sum, SUM_BYTES));
}

/* ---- the lock ---- */

/* FOUND: it is ours.  NONE: not yet. */
static enum lookup
try_lock(const char *path, int *fd_out, struct err *err)
{
	struct stat ours, there;
	int fd = open(path,
		O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
			O_NOCTTY,
		0600);

	if (fd < 0) {
		err_temp_errno(err, "4.3.0", "cannot make %s", path);
		return LOOKUP_ERROR;
	}
	/* Who had the lock before may have renamed or removed this very file. */
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &ours) == 0 &&
		lstat(path, &there) == 0 && ours.st_ino == there.st_ino &&
		ours.st_dev == there.st_dev) {
		*fd_out = fd;
		return LOOKUP_FOUND;
	}
	fd_close(&fd);
	return LOOKUP_NONE;
}

static int
lock(const char *path, uint64_t timeout_ms, int *fd_out, struct err *err)
{
	uint64_t until_ms = clock_monotonic_ms() + timeout_ms;

	for (;;) {
		switch (try_lock(path, fd_out, err)) {
		case LOOKUP_FOUND:
			return 0;
		case LOOKUP_ERROR:
			return -1;
		case LOOKUP_NONE:
			break;
		}
		if (clock_monotonic_ms() >= until_ms)
			return err_temp(err, "4.3.0",
				"%s is locked by another delivery", path);
		(void)!poll(NULL, 0, LOCK_PAUSE_MS);
	}
}

/* ---- keeping ---- */

static int
write_and_rename(int fd, const char *new_path, const char *path,
	struct str bytes, struct err *err)
{
	if (ftruncate(fd, 0) < 0 || fchmod(fd, 0600) < 0 ||
		fd_write(fd, bytes) < 0 || fdatasync(fd) < 0)
		return err_temp_errno(
			err, "4.3.0", "cannot write %s", new_path);
	if (rename(new_path, path) < 0)
		return err_temp_errno(
			err, "4.3.0", "cannot rename %s to %s", new_path, path);
	return 0;
}

static int
replace(struct arena *arena, int fd, const char *new_path, const char *path,
	const struct seen_mark *added, size_t count, uint64_t now_s,
	struct err *err)
{
	struct marks marks;
	struct buf bytes;
	int result;

	if (read_marks(arena, path, &marks, err) < 0)
		return -1;
	merge(arena, &marks, added, count, now_s);
	buf_init(&bytes, BUF_UNLIMITED);
	compose(&bytes, &marks);
	result = write_and_rename(fd, new_path, path, buf_view(&bytes), err);
	buf_clear(&bytes);
	return result;
}

/* Who has the lock may look before it writes. */
struct change {
	const char *path;
	const struct seen_mark *marks;
	size_t count;
	uint64_t now_s;
	bool is_claim; /* nothing is written where the first mark is there */
};

/* NONE: it was there. */
static enum lookup
make_change(struct arena *arena, int fd, const char *new_path,
	const struct change *change, struct err *err)
{
	if (change->is_claim) {
		enum lookup found = seenfile_find(
			change->path, change->marks[0].key, change->now_s, err);

		if (found != LOOKUP_NONE)
			return found == LOOKUP_FOUND ? LOOKUP_NONE
			                             : LOOKUP_ERROR;
	}
	return replace(arena, fd, new_path, change->path, change->marks,
		       change->count, change->now_s, err) < 0
	               ? LOOKUP_ERROR
	               : LOOKUP_FOUND;
}

static enum lookup
change_file(const struct change *change, uint64_t timeout_ms, struct err *err)
{
	struct arena *arena = arena_open();
	const char *new_path = arena_format(arena, "%s.new", change->path);
	enum lookup result = LOOKUP_ERROR;
	int fd = -1;

	if (lock(new_path, timeout_ms, &fd, err) == 0) {
		result = make_change(arena, fd, new_path, change, err);
		/* Still locked, so that it is nobody else's. */
		if (result != LOOKUP_FOUND && unlink(new_path) < 0)
			log_debug("%s stays: %s", new_path, strerror(errno));
	}
	fd_close(&fd);
	arena_close(&arena);
	return result;
}

int
seenfile_keep(const char *path, const struct seen_mark *marks, size_t count,
	uint64_t now_s, uint64_t timeout_ms, struct err *err)
{
	const struct change change = {path, marks, count, now_s, false};

	return change_file(&change, timeout_ms, err) == LOOKUP_FOUND ? 0 : -1;
}

enum lookup
seenfile_claim(const char *path, const struct seen_mark *mark, uint64_t now_s,
	uint64_t timeout_ms, struct err *err)
{
	const struct change change = {path, mark, 1, now_s, true};

	return change_file(&change, timeout_ms, err);
}
