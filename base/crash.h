/* crash - the last line of a process that dies of a fault
 *
 *   lmtp(amy)<815><SESSION>: Error: died of signal 11 (Segmentation fault)
 *   lmtp(812): Error: died of signal 6 (Aborted), session=<SESSION>, recipient=<amy>
 *
 * The log's prefix says for whom it was at work; a process that serves many says
 * it by crash_about().  The line has no time, as nothing but calls that a signal
 * handler may make are made; master's line about the end of the process follows.
 * The process ends by the same signal, with its core dump where the system makes
 * one.  What happens to be under way is a mutable global, as the log is.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_CRASH_H
#define BASE_CRASH_H

#include "base/str.h"

/* From now on faults are told.  Not with sanitizers, which have more to say. */
void crash_open(void);

/* The session that this is about, "" = none, and whose mail, empty = nobody's.  They
 * are copied: a fault may well come when they are gone. */
void crash_about(const char *session, struct str recipient);

#endif
