/* clock - time, randomness, host name and process id
 *
 * The only place that asks for them, so that a test can fix all of them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct timespec clock_now(void); /* wall clock */
/* The wall clock in whole microseconds, each time later than the time before in
 * this process even when the clock is set back: for names that must not come
 * twice (with the process id, as a fork copies the last time given). */
struct timespec clock_stamp(void);
uint64_t clock_monotonic_ms(void);     /* never goes back; for deadlines */
uint64_t clock_monotonic_us(void);     /* the same, to measure with */
struct tm clock_local(time_t seconds); /* in the local time zone */
struct tm clock_utc(time_t seconds);
int clock_zone(time_t seconds); /* the local one then, minutes east of UTC */
pid_t clock_pid(void);

void clock_random(void *bytes, size_t count);

/* The machine's name as gethostname() gives it.  Lives as long as the process;
 * "localhost" where the system has none. */
const char *clock_host(void);

/* For tests: wall clock, process id and host name become constants, randomness a
 * sequence.  The monotonic clock goes on: it measures waiting. */
void clock_fix(time_t seconds, long nanoseconds, const char *host, pid_t pid);

#endif
