/* SPDX-License-Identifier: MIT */
#include "lmtp/rawlog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"

#include "base/banned.h"

struct stream {
	int fd; /* -1: it is full, or could not be made */
	uint64_t left;
	bool is_within_line;
};

struct rawlog {
	struct rawlogs *logs;
	struct stream in, out;
};

/* ---- the folder ---- */

void
rawlogs_open(struct rawlogs *logs, const struct settings *settings)
{
	const char *path = settings->lmtp_rawlog_dir;

	*logs = (struct rawlogs){.folder = -1,
		.file_max = settings->lmtp_rawlog_max_size,
		.left = settings->lmtp_rawlog_max_total};
	if (path[0] == '\0')
		return;
	logs->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (logs->folder >= 0 &&
		faccessat(logs->folder, ".", W_OK | X_OK, AT_EACCESS) < 0)
		rawlogs_close(logs);
	if (logs->folder < 0)
		log_error("lmtp_rawlog_dir = %s: %s; no session is recorded",
			path, strerror(errno));
}

void
rawlogs_close(struct rawlogs *logs)
{
	int reason = errno;

	fd_close(&logs->folder);
	errno = reason;
}

static void
give_up(struct rawlogs *logs, const char *why)
{
	if (logs->folder < 0)
		return;
	log_warning("lmtp_rawlog_dir: %s; no further session is recorded until "
		    "a reload",
		why);
	rawlogs_close(logs);
}

/* ---- a session ---- */

static int
make_file(const struct rawlogs *logs, const char *session, const char *ending)
{
	struct tm now = clock_utc(clock_now().tv_sec);
	char name[160], date[32], *at;

	if (strftime(date, sizeof(date), "%Y%m%d-%H%M%S", &now) == 0)
		return -1;
	snprintf(name, sizeof(name), "%s-%ld-%s.%s", date, (long)clock_pid(),
		session, ending);
	/* Base64 has one that no name may have. */
	for (at = name; *at != '\0'; at++)
		if (*at == '/')
			*at = '_';
	return openat(logs->folder, name,
		O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
		0600);
}

struct rawlog *
rawlog_open(struct rawlogs *logs, const char *session)
{
	struct rawlog *log;

	if (logs->folder < 0)
		return NULL;
	log = memory_get(sizeof(*log));
	log->logs = logs;
	log->in = (struct stream){
		make_file(logs, session, "in"), logs->file_max, false};
	log->out = (struct stream){
		make_file(logs, session, "out"), logs->file_max, false};
	if (log->in.fd >= 0 && log->out.fd >= 0)
		return log;
	give_up(logs, strerror(errno));
	rawlog_close(&log);
	return NULL;
}

void
rawlog_close(struct rawlog **log)
{
	if (*log == NULL)
		return;
	fd_close(&(*log)->in.fd);
	fd_close(&(*log)->out.fd);
	memory_free(*log);
	*log = NULL;
}

/* "1793396358.000000 LINE" */
static void
add_lines(struct stream *stream, struct str bytes, struct buf *text)
{
	struct timespec now = clock_now();
	size_t i;

	for (i = 0; i < bytes.len; i++) {
		if (!stream->is_within_line)
			buf_add_format(text, "%lld.%06ld ",
				(long long)now.tv_sec, now.tv_nsec / 1000);
		buf_add_char(text, bytes.data[i]);
		stream->is_within_line = bytes.data[i] != '\n';
	}
}

static void
write_text(struct rawlogs *logs, struct stream *stream, struct str text)
{
	static const struct str full = {"\r\n[lmtp_rawlog_max_size]\r\n", 26};
	bool is_full = text.len > stream->left;

	if (is_full)
		text.len = (size_t)stream->left;
	if (text.len > logs->left) {
		give_up(logs, "lmtp_rawlog_max_total is reached");
		fd_close(&stream->fd);
		logs->left = 0;
		return;
	}
	stream->left -= text.len;
	logs->left -= text.len;
	if (fd_write(stream->fd, text) < 0 ||
		(is_full && fd_write(stream->fd, full) < 0)) {
		log_warning("lmtp_rawlog_dir: %s", strerror(errno));
		is_full = true;
	}
	if (is_full)
		fd_close(&stream->fd);
}

static void
record(struct rawlogs *logs, struct stream *stream, struct str bytes)
{
	struct buf text;

	if (stream->fd < 0)
		return;
	buf_init(&text, BUF_UNLIMITED);
	add_lines(stream, bytes, &text);
	write_text(logs, stream, buf_view(&text));
	buf_clear(&text);
}

void
rawlog_in(struct rawlog *log, struct str bytes)
{
	if (log != NULL)
		record(log->logs, &log->in, bytes);
}

void
rawlog_out(struct rawlog *log, struct str bytes)
{
	if (log != NULL)
		record(log->logs, &log->out, bytes);
}
