/* log - lines for the admin, in Dovecot's form
 *
 * To syslog:           PREFIX TEXT
 * To a file:           Oct 30 21:39:18 PREFIX Info: TEXT
 * To standard error:   PREFIX Info: TEXT
 * where PREFIX is like "lda(amy)<44><AqKOK>:".  Control characters in a line
 * are replaced, so that no message can write a line of its own.
 * The sink is the one mutable global of the program.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/err.h"

enum log_level {
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_ERROR
};

struct log_settings {
	const char *path;       /* "syslog", "/dev/stderr" or a file; errors */
	const char *info_path;  /* "" = path */
	const char *debug_path; /* "" = info_path */
	const char *facility;   /* syslog's word: "mail", "local0" ... */
	const char *timestamp;  /* strftime() format, for files */
	bool debug;             /* write debug lines at all */
	/* NULL, or what log_descriptors() gave in the process that opened the
	 * log: this one opens no file, and is connected with syslog at once, so
	 * that it may lose its rights and its root folder afterwards.  Taken
	 * over; in place of a -1 stands what the paths say, or syslog for a
	 * file. */
	const int *inherited;
};

enum { LOG_DESCRIPTORS = 3 }; /* error, info, debug */

/* Until this is called lines go to standard error.  A file that cannot be
 * opened is reported and syslog used in its place, and standard error where
 * there is no syslog: a log in trouble must not stop mail. */
void log_open(const struct log_settings *settings);
/* NULL, or the first file that log_open() could not open now; errno says why. */
const char *log_find_closed(const struct log_settings *settings);
void log_close(void);

/* The files that are open, for another process; -1 where lines go elsewhere.
 * Borrowed until log_close(). */
void log_descriptors(int fds_out[LOG_DESCRIPTORS]);

/* What another process opened anew (log_descriptors()) in place of the files that
 * are open here; taken over.  -1, and a log that is no file: all stays. */
void log_replace(const int fds[LOG_DESCRIPTORS]);

/* What stands before each line from now on, without the blank at the end. */
void log_set_prefix(const char *prefix);

/* For crash.c: log_crash() writes "PREFIX Error: TEXT, session=<SESSION>, recipient=<RECIPIENT>" where errors
 * go, and makes no call that a signal handler must not make.  Before, at a quiet
 * time, log_prepare_crash() makes ready what that takes. */
void log_prepare_crash(void);
void log_crash(const char *text, const char *session, const char *recipient);

void log_error(const char *format, ...) PRINTF_LIKE(1, 2);
void log_warning(const char *format, ...) PRINTF_LIKE(1, 2);
void log_info(const char *format, ...) PRINTF_LIKE(1, 2);
void log_debug(const char *format, ...) PRINTF_LIKE(1, 2);
bool log_has_debug(void);

/* -1 when syslog has no facility of that name. */
int log_facility_parse(const char *name);

#endif
