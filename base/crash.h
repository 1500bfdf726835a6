/* crash - the last line of a process that dies of a fault
 *
 *   lmtp(amy)<815><SESSION>: Error: died of signal 11 (Segmentation fault)
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

/* From now on faults are told.  Not with sanitizers, which have more to say. */
void crash_open(void);

/* What this is about, "" = nothing; read when there is a fault, so it has to live
 * until the next call. */
void crash_about(const char *text);

#endif
