/* SPDX-License-Identifier: MIT */
#include "deliver/userlog.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "deliver/setup.h"

#include "base/banned.h"

enum { ROTATE_BYTES = 10 * 1024, WRITE_BYTES = 64 * 1024 };

static const char *
find_path(const struct job *job, const struct delivery *delivery,
	const char *script)
{
	const char *setting = delivery->settings->sieve_user_log, *path;
	struct err err;

	if (setting[0] == '\0')
		return arena_format(job->arena, "%s.log", script);
	if (setup_path(job, delivery, setting, &path, &err) < 0) {
		log_warning("sieve_user_log: %s", err_log_text(&err));
		return NULL;
	}
	return path;
}

static void
add_problems(struct buf *out, const struct sieve_report *report)
{
	struct tm now = clock_local(clock_now().tv_sec);
	char when[64];
	size_t i;

	if (strftime(when, sizeof(when), "%b %d %H:%M:%S ", &now) == 0)
		when[0] = '\0';
	for (i = 0; i < report->count; i++) {
		const struct sieve_problem *problem = &report->problems[i];

		buf_add_format(out, "%s%s:%u:%u: %s: %s\n", when,
			problem->script, problem->line, problem->column,
			sieve_problem_word(problem), problem->text);
	}
	if (report->is_full)
		buf_add_format(out,
			"%ssieve: there are more errors, which are not told\n",
			when);
}

static void
rotate(const struct job *job, const char *path)
{
	struct stat status;

	if (lstat(path, &status) == 0 && S_ISREG(status.st_mode) &&
		status.st_size > ROTATE_BYTES &&
		rename(path, arena_format(job->arena, "%s.0", path)) < 0)
		log_warning("cannot rename %s: %s", path, strerror(errno));
}

static bool
is_later(struct timespec a, struct timespec b)
{
	return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec
	                            : a.tv_nsec > b.tv_nsec;
}

static bool
is_written_after(const struct stat *log, const char *script)
{
	struct stat source;

	return stat(script, &source) == 0 &&
	       is_later(log->st_mtim, source.st_ctim) &&
	       is_later(log->st_mtim, source.st_mtim);
}

/* A log of the script's own that was written after the script, and after those
 * that it includes, not long ago. */
static bool
is_told(const struct delivery *delivery, const char *path, const char *script,
	const struct sieve_report *report)
{
	struct stat log;
	size_t i;

	if (delivery->settings->sieve_user_log[0] != '\0' ||
		stat(path, &log) < 0 || log.st_size == 0 ||
		!is_written_after(&log, script))
		return false;
	for (i = 0; i < report->count; i++)
		if (!is_written_after(&log, report->problems[i].script))
			return false;
	return log.st_mtim.tv_sec + USERLOG_AGAIN_S > clock_now().tv_sec;
}

const char *
userlog_write(const struct job *job, const struct delivery *delivery,
	const char *script, enum userlog_times times,
	const struct sieve_report *report)
{
	const char *path = find_path(job, delivery, script);
	struct buf lines;
	int fd, result;

	if (path == NULL)
		return NULL;
	if (times == USERLOG_ONCE && is_told(delivery, path, script, report))
		return path;
	rotate(job, path);
	/* A FIFO or device in the home must not hold up the mail. */
	fd = open(path,
		O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
			O_NONBLOCK | O_NOCTTY,
		0600);
	if (fd < 0) {
		log_warning("cannot open %s: %s", path, strerror(errno));
		return NULL;
	}
	buf_init(&lines, WRITE_BYTES);
	add_problems(&lines, report);
	result = fd_write(fd, buf_view(&lines));
	if (result < 0)
		log_warning("cannot write %s: %s", path, strerror(errno));
	buf_clear(&lines);
	fd_close(&fd);
	return result < 0 ? NULL : path;
}
