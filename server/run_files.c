/* SPDX-License-Identifier: MIT */
#include "server/run_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/number.h"

#include "base/banned.h"

enum {
	STATUS_BYTES_MAX = 64 * 1024,
	/* Another server that ends may take the file away in between. */
	OPEN_TRIES_MAX = 10
};

static const char *const state_names[] = {
	[RUN_STARTING] = "starting",
	[RUN_RUNNING] = "running",
	[RUN_RELOADING] = "reloading",
	[RUN_DRAINING] = "draining",
};

const char *
run_state_name(enum run_state state)
{
	return state_names[state];
}

/* ---- master.pid ---- */

static const char *
pid_path(struct arena *arena, const char *base_dir)
{
	return arena_format(arena, "%s/master.pid", base_dir);
}

static struct flock
whole_file(void)
{
	return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

/* 0 when it does not say. */
static pid_t
read_pid(int fd)
{
	char text[32];
	ssize_t len = fd_read_at(fd, text, sizeof(text), 0);
	struct str s = str_of(text, len > 0 ? (size_t)len : 0);
	uint64_t number;

	s = str_slice(s, 0, str_find_char(s, '\n'));
	if (number_parse(s, &number) < 0 || number > INT32_MAX)
		return 0;
	return (pid_t)number;
}

/* The number is there at every moment: one that is shorter is written over the
 * old one with its line end, then what is left of that is cut off. */
static int
write_pid(int fd)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%ld\n", (long)clock_pid());

	if (pwrite(fd, text, (size_t)len, 0) != len)
		return -1;
	return ftruncate(fd, len);
}

/* Is it still the file of that name? */
static bool
is_in_place(int fd, const char *path)
{
	struct stat own, named;

	return fstat(fd, &own) == 0 && lstat(path, &named) == 0 &&
	       own.st_dev == named.st_dev && own.st_ino == named.st_ino;
}

static int
fail_taken(int fd, const char *path, struct err *err)
{
	return err_temp(err, "4.3.5",
		"another server runs with this base_dir (process %ld, %s); "
		"stop it, or give this one a base_dir of its own",
		(long)read_pid(fd), path);
}

/* A locked descriptor; -1 with err. */
static int
open_locked(const char *path, struct err *err)
{
	int tries, fd;

	for (tries = 0; tries < OPEN_TRIES_MAX; tries++) {
		struct flock lock = whole_file();

		fd = open(path,
			O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
			0644);
		if (fd < 0)
			return err_temp_errno(
				err, "4.3.5", "cannot write %s", path);
		/* Belongs to the open file: a child's close() does not end it. */
		if (fcntl(fd, F_OFD_SETLK, &lock) < 0) {
			fail_taken(fd, path, err);
			close(fd);
			return -1;
		}
		if (is_in_place(fd, path))
			return fd;
		close(fd);
	}
	return err_temp(err, "4.3.5", "cannot lock %s", path);
}

int
run_files_open(struct arena *arena, const char *base_dir,
	struct run_files *files_out, struct err *err)
{
	*files_out = (struct run_files){.fd = -1,
		.pid_path = pid_path(arena, base_dir),
		.status_path = arena_format(arena, "%s/status", base_dir)};
	files_out->fd = open_locked(files_out->pid_path, err);
	if (files_out->fd < 0)
		return -1;
	files_out->was_left = read_pid(files_out->fd) > 0;
	if (write_pid(files_out->fd) == 0 && fchmod(files_out->fd, 0644) == 0)
		return 0;
	err_temp_errno(err, "4.3.5", "cannot write %s", files_out->pid_path);
	run_files_close(files_out);
	return -1;
}

void
run_files_close(struct run_files *files)
{
	if (files->fd < 0)
		return;
	/* Nobody can do better when one cannot be removed: it is not locked any
	 * more. */
	if (unlink(files->status_path) < 0)
		errno = 0;
	if (unlink(files->pid_path) < 0)
		errno = 0;
	fd_close(&files->fd);
}

enum lookup
run_files_find(struct arena *arena, const char *base_dir, pid_t *pid_out,
	struct err *err)
{
	const char *path = pid_path(arena, base_dir);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct flock lock = whole_file();
	enum lookup found = LOOKUP_NONE;

	*pid_out = 0;
	if (fd < 0 && errno == ENOENT)
		return LOOKUP_NONE;
	if (fd < 0 || fcntl(fd, F_OFD_GETLK, &lock) < 0) {
		err_temp_errno(err, "4.3.0", "cannot read %s", path);
		found = LOOKUP_ERROR;
	} else if (lock.l_type != F_UNLCK) {
		*pid_out = read_pid(fd);
		found = LOOKUP_FOUND;
	}
	if (fd >= 0)
		close(fd);
	return found;
}

/* ---- status ---- */

static void
add_status(struct buf *out, const struct run_status *status)
{
	const char *at;

	buf_add_format(out, "state=%s\nsince=%" PRIu64 "\npid=%ld\n",
		run_state_name(status->state), status->since_s,
		(long)status->pid);
	buf_add_format(out, "generation=%" PRIu32 "\nreloads=%" PRIu32 "\n",
		status->generation, status->reloads);
	buf_add_text(out, "error=");
	/* It must not say lines of its own. */
	for (at = status->error; *at != '\0'; at++)
		buf_add_char(out, *at == '\n' ? ' ' : *at);
	buf_add_char(out, '\n');
}

static int
write_new(const char *path, struct str bytes)
{
	int fd = open(path,
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	int result;

	if (fd < 0)
		return -1;
	result = fchmod(fd, 0644) < 0 ? -1 : fd_write(fd, bytes);
	close(fd);
	return result;
}

int
run_files_write(const struct run_files *files, const struct run_status *status,
	struct err *err)
{
	char path[4096];
	struct buf text;
	int result;

	snprintf(path, sizeof(path), "%s.new", files->status_path);
	buf_init(&text, STATUS_BYTES_MAX);
	add_status(&text, status);
	result = write_new(path, buf_view(&text));
	buf_clear(&text);
	if (result == 0)
		result = rename(path, files->status_path);
	if (result < 0)
		return err_temp_errno(
			err, "4.3.0", "cannot write %s", files->status_path);
	return 0;
}

static void
take_state(struct str value, struct run_status *status)
{
	size_t i;

	for (i = 0; i <= RUN_DRAINING; i++)
		if (str_is(value, state_names[i]))
			status->state = (enum run_state)i;
}

static void
take_line(struct arena *arena, struct str line, struct run_status *status)
{
	struct str name = str_slice(line, 0, str_find_char(line, '='));
	struct str value = str_skip(line, name.len + 1);
	uint64_t number = 0;

	/* What is no number counts as 0. */
	if (number_parse(value, &number) < 0)
		number = 0;
	if (str_is(name, "state"))
		take_state(value, status);
	else if (str_is(name, "since"))
		status->since_s = number;
	else if (str_is(name, "pid"))
		status->pid = (pid_t)number;
	else if (str_is(name, "generation"))
		status->generation = (uint32_t)number;
	else if (str_is(name, "reloads"))
		status->reloads = (uint32_t)number;
	else if (str_is(name, "error"))
		status->error = arena_text(arena, value);
}

enum lookup
run_files_read(struct arena *arena, const char *base_dir,
	struct run_status *status_out, struct err *err)
{
	const char *path = arena_format(arena, "%s/status", base_dir);
	struct buf text;
	struct str rest, line;
	int result;

	*status_out = (struct run_status){.error = ""};
	buf_init(&text, STATUS_BYTES_MAX);
	result = fd_read_file(path, &text);
	if (result < 0 && errno != ENOENT) {
		err_temp_errno(err, "4.3.0", "cannot read %s", path);
		buf_clear(&text);
		return LOOKUP_ERROR;
	}
	rest = buf_view(&text);
	while (str_next_field(&rest, '\n', &line))
		take_line(arena, line, status_out);
	buf_clear(&text);
	return result < 0 ? LOOKUP_NONE : LOOKUP_FOUND;
}
