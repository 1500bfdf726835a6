/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"

#include "base/banned.h"

enum { LINE_MAX_BYTES = 4096, SYSLOG = -2 };

static const struct {
	const char *name;
	int syslog_priority;
} levels[] = {
	[LOG_LEVEL_DEBUG] = {"Debug", LOG_DEBUG},
	[LOG_LEVEL_INFO] = {"Info", LOG_INFO},
	[LOG_LEVEL_WARNING] = {"Warning", LOG_WARNING},
	[LOG_LEVEL_ERROR] = {"Error", LOG_ERR},
};

static struct {
	char prefix[512];
	char timestamp[64];
	int fds[LOG_LEVEL_ERROR + 1]; /* descriptor or SYSLOG */
	bool is_open;
	bool debug;
	int crash_fd; /* syslog's socket, for log_crash(); 0: none */
	int facility;
} sink;

static const struct {
	const char *name;
	int facility;
} facilities[] = {{"auth", LOG_AUTH}, {"authpriv", LOG_AUTHPRIV},
	{"cron", LOG_CRON}, {"daemon", LOG_DAEMON}, {"ftp", LOG_FTP},
	{"kern", LOG_KERN}, {"lpr", LOG_LPR}, {"mail", LOG_MAIL},
	{"news", LOG_NEWS}, {"syslog", LOG_SYSLOG}, {"user", LOG_USER},
	{"uucp", LOG_UUCP}, {"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1},
	{"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3}, {"local4", LOG_LOCAL4},
	{"local5", LOG_LOCAL5}, {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7}};

int
log_facility_parse(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(facilities); i++)
		if (strcmp(facilities[i].name, name) == 0)
			return facilities[i].facility;
	return -1;
}

/* A container may have no syslog; then the MTA that reads our standard error is
 * the one who can keep the line. */
static int
syslog_or_stderr(void)
{
	return access("/dev/log", W_OK) == 0 ? SYSLOG : STDERR_FILENO;
}

/* Not a file: -1 when it is one. */
static int
open_special(const char *path)
{
	if (strcmp(path, "syslog") == 0)
		return syslog_or_stderr();
	/* A descriptor of our own: /dev/stderr opened anew may be refused to
	 * another uid than the one that owns the terminal or pipe. */
	if (strcmp(path, "/dev/stderr") == 0)
		return STDERR_FILENO;
	if (strcmp(path, "/dev/stdout") == 0)
		return STDOUT_FILENO;
	return -1;
}

enum { FILE_FLAGS = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY };

static int
open_file(const char *path)
{
	int fd, reason;

	fd = open(path, FILE_FLAGS, 0600);
	if (fd >= 0)
		return fd;
	reason = errno;
	fd = syslog_or_stderr();
	if (fd == SYSLOG)
		syslog(LOG_ERR, "cannot open the log %s: %s; using syslog",
			path, strerror(reason));
	else
		dprintf(fd,
			"%s: cannot open the log %s: %s; writing to standard "
			"error in its place\n",
			program_invocation_short_name, path, strerror(reason));
	return fd;
}

static int
open_target(const char *path)
{
	int fd = open_special(path);

	return fd == -1 ? open_file(path) : fd;
}

/* Whoever opened the files has reported what could not be opened. */
static int
take_target(const char *path, int inherited)
{
	int fd = inherited >= 0 ? inherited : open_special(path);

	return fd == -1 ? syslog_or_stderr() : fd;
}

static void
open_all(const struct log_settings *settings, const char *info,
	const char *debug)
{
	sink.fds[LOG_LEVEL_ERROR] = open_target(settings->path);
	sink.fds[LOG_LEVEL_INFO] = strcmp(info, settings->path) == 0
	                                   ? sink.fds[LOG_LEVEL_ERROR]
	                                   : open_target(info);
	sink.fds[LOG_LEVEL_DEBUG] = sink.fds[LOG_LEVEL_INFO];
	if (settings->debug && strcmp(debug, info) != 0)
		sink.fds[LOG_LEVEL_DEBUG] = open_target(debug);
}

static void
take_all(const struct log_settings *settings, const char *info,
	const char *debug)
{
	const int *fds = settings->inherited;

	sink.fds[LOG_LEVEL_ERROR] = take_target(settings->path, fds[0]);
	sink.fds[LOG_LEVEL_INFO] = take_target(info, fds[1]);
	sink.fds[LOG_LEVEL_DEBUG] = take_target(debug, fds[2]);
}

void
log_open(const struct log_settings *settings)
{
	const char *info, *debug;
	int facility = log_facility_parse(settings->facility);
	/* Otherwise it connects at the first line that goes there. */
	int options = settings->inherited != NULL ? LOG_NDELAY : 0;

	info = settings->info_path[0] ? settings->info_path : settings->path;
	debug = settings->debug_path[0] ? settings->debug_path : info;
	sink.facility = facility >= 0 ? facility : LOG_MAIL;
	openlog("doorstep", options, sink.facility);
	snprintf(sink.timestamp, sizeof(sink.timestamp), "%s",
		settings->timestamp);
	if (settings->inherited != NULL)
		take_all(settings, info, debug);
	else
		open_all(settings, info, debug);
	sink.fds[LOG_LEVEL_WARNING] = sink.fds[LOG_LEVEL_ERROR];
	sink.debug = settings->debug;
	sink.is_open = true;
}

static bool
can_open(const char *path)
{
	int fd;

	if (path[0] == '\0' || open_special(path) != -1)
		return true;
	fd = open(path, FILE_FLAGS, 0600);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

const char *
log_find_closed(const struct log_settings *settings)
{
	if (!can_open(settings->path))
		return settings->path;
	if (!can_open(settings->info_path))
		return settings->info_path;
	if (settings->debug && !can_open(settings->debug_path))
		return settings->debug_path;
	return NULL;
}

/* The order in which descriptors are handed on. */
static const enum log_level handed_on[LOG_DESCRIPTORS] = {
	LOG_LEVEL_ERROR, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG};

void
log_descriptors(int fds_out[LOG_DESCRIPTORS])
{
	size_t i;

	for (i = 0; i < LOG_DESCRIPTORS; i++) {
		int fd = sink.is_open ? sink.fds[handed_on[i]] : -1;

		fds_out[i] = fd > STDERR_FILENO ? fd : -1;
	}
}

/* Levels may share a descriptor: errors come last, so that their file wins. */
void
log_replace(const int fds[LOG_DESCRIPTORS])
{
	size_t i;

	for (i = LOG_DESCRIPTORS; i-- > 0;) {
		int old = sink.is_open ? sink.fds[handed_on[i]] : -1;

		if (fds[i] < 0)
			continue;
		if (old > STDERR_FILENO && dup3(fds[i], old, O_CLOEXEC) < 0)
			log_error("dup3: %s", strerror(errno));
		close(fds[i]);
	}
}

void
log_close(void)
{
	int level;

	if (!sink.is_open)
		return;
	for (level = LOG_LEVEL_DEBUG; level <= LOG_LEVEL_ERROR; level++) {
		int fd = sink.fds[level], other;

		if (fd > STDERR_FILENO)
			close(fd);
		for (other = level; other <= LOG_LEVEL_ERROR; other++)
			if (sink.fds[other] == fd)
				sink.fds[other] = STDERR_FILENO;
	}
	closelog();
	sink.is_open = false;
}

void
log_set_prefix(const char *prefix)
{
	snprintf(sink.prefix, sizeof(sink.prefix), "%s", prefix);
}

bool
log_has_debug(void)
{
	return sink.debug;
}

/* Control characters of ASCII and of Unicode, and what turns the direction of
 * writing: a line must not look like another one. */
static bool
is_harmful(uint32_t code)
{
	return code < ' ' || (code >= 0x7f && code <= 0x9f) || code == 0x61c ||
	       code == 0x200e || code == 0x200f ||
	       (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

/* Bytes from messages and addresses reach the log: no line breaks, no escape
 * sequences for the terminal of whoever reads it. */
static void
disarm(char *text)
{
	struct str whole = str_from(text);
	size_t at = 0, start;
	uint32_t code;

	while (at < whole.len) {
		start = at;
		if (!utf8_next(whole, &at, &code))
			text[at++] = '?';
		else if (code == '\t')
			text[start] = ' ';
		else if (is_harmful(code))
			memset(text + start, '?', at - start);
	}
}

static void
write_file(enum log_level level, const char *text)
{
	char line[LINE_MAX_BYTES + 1024], when[80] = "";
	int fd = sink.is_open ? sink.fds[level] : STDERR_FILENO, len;

	if (sink.timestamp[0] != '\0' && fd > STDERR_FILENO) {
		struct tm now = clock_local(clock_now().tv_sec);

		if (strftime(when, sizeof(when), sink.timestamp, &now) == 0)
			when[0] = '\0';
	}
	len = snprintf(line, sizeof(line), "%s%s%s%s: %s\n", when, sink.prefix,
		sink.prefix[0] ? " " : "", levels[level].name, text);
	if (len >= (int)sizeof(line)) {
		len = (int)sizeof(line) - 1;
		line[len - 1] = '\n';
	}
	/* One write, so that lines of several processes do not mix.  Nobody is
	 * left to be told when it fails. */
	if (write(fd, line, (size_t)len) < 0)
		return;
}

static void write_line(enum log_level level, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
static void
write_line(enum log_level level, const char *format, va_list args)
{
	char text[LINE_MAX_BYTES];

	if (level == LOG_LEVEL_DEBUG && !sink.debug)
		return;
	vsnprintf(text, sizeof(text), format, args);
	disarm(text);
	if (sink.is_open && sink.fds[level] == SYSLOG)
		syslog(levels[level].syslog_priority, "%s%s%s", sink.prefix,
			sink.prefix[0] ? " " : "", text);
	else
		write_file(level, text);
}

#define DEFINE_LEVEL(name, level)                                              \
	void name(const char *format, ...)                                     \
	{                                                                      \
		va_list args;                                                  \
                                                                               \
		va_start(args, format);                                        \
		write_line(level, format, args);                               \
		va_end(args);                                                  \
	}

DEFINE_LEVEL(log_error, LOG_LEVEL_ERROR)
DEFINE_LEVEL(log_warning, LOG_LEVEL_WARNING)
DEFINE_LEVEL(log_info, LOG_LEVEL_INFO)
DEFINE_LEVEL(log_debug, LOG_LEVEL_DEBUG)

/* ---- the last line ---- */

/* syslog(3) may be at work in the very moment of the fault. */
void
log_prepare_crash(void)
{
	const struct sockaddr_un address = {
		.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	int fd;

	if (sink.fds[LOG_LEVEL_ERROR] != SYSLOG || sink.crash_fd > 0)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) ==
		0)
		sink.crash_fd = fd;
	else
		close(fd);
}

static size_t
append(char *line, size_t len, size_t size, const char *text)
{
	while (*text != '\0' && len < size)
		line[len++] = *text++;
	return len;
}

/* What strangers wrote. */
static size_t
append_plain(char *line, size_t len, size_t size, const char *text)
{
	for (; *text != '\0' && len < size; text++)
		line[len++] = (unsigned char)*text < ' ' || *text == 127
		                      ? '?'
		                      : *text;
	return len;
}

/* "<PRI>doorstep: " */
static size_t
append_syslog_head(char *line, size_t len, size_t size)
{
	unsigned priority = (unsigned)(sink.facility | LOG_ERR);
	char digits[4] = {(char)('0' + priority / 100),
		(char)('0' + priority / 10 % 10), (char)('0' + priority % 10),
		'\0'};

	len = append(line, len, size, "<");
	len = append(line, len, size, digits);
	return append(line, len, size, ">doorstep: ");
}

void
log_crash(const char *text, const char *session, const char *recipient)
{
	int fd = sink.is_open ? sink.fds[LOG_LEVEL_ERROR] : STDERR_FILENO;
	char line[1024];
	size_t len = 0, most = sizeof(line) - 1;

	if (fd == SYSLOG) {
		fd = sink.crash_fd > 0 ? sink.crash_fd : STDERR_FILENO;
		if (sink.crash_fd > 0)
			len = append_syslog_head(line, len, most);
	}
	len = append(line, len, most, sink.prefix);
	len = append(line, len, most, " Error: ");
	len = append(line, len, most, text);
	if (session[0] != '\0') {
		len = append(line, len, most, ", session=<");
		len = append(line, len, most, session);
		len = append(line, len, most, ">");
	}
	if (recipient[0] != '\0') {
		len = append(line, len, most, ", recipient=<");
		len = append_plain(line, len, most, recipient);
		len = append(line, len, most, ">");
	}
	line[len++] = '\n';
	/* Nobody is left to be told that it failed. */
	if (write(fd, line, len) < 0)
		return;
}
