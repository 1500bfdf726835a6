/* rawlog - a record of what a client sent and got (lmtp_rawlog_dir)
 *
 * Two files for each session, as Dovecot has them: TIME-PID-SESSION.in and .out,
 * mode 0600, with the time in front of each line.  In TLS it is the clear text.
 * Bounded: lmtp_rawlog_max_size for each file, lmtp_rawlog_max_total for all that
 * this process writes.  What cannot be recorded is not: no session waits for it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LMTP_RAWLOG_H
#define LMTP_RAWLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "conf/conf.h"

struct rawlogs {
	int folder; /* -1: nothing is recorded */
	uint64_t file_max;
	uint64_t left; /* of lmtp_rawlog_max_total */
};

/* Before the process loses its root: the folder is reached by its descriptor
 * afterwards.  One that cannot be used is told in the log. */
void rawlogs_open(struct rawlogs *logs, const struct settings *settings);
void rawlogs_close(struct rawlogs *logs);

struct rawlog;

/* NULL: not recorded. */
struct rawlog *rawlog_open(struct rawlogs *logs, const char *session);
void rawlog_close(struct rawlog **log);

/* Both do nothing for NULL. */
void rawlog_in(struct rawlog *log, struct str bytes);
void rawlog_out(struct rawlog *log, struct str bytes);

#endif
