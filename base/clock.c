/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/memory.h"

#include "base/banned.h"

/* Only clock_fix() changes it; a program never does. */
static struct {
	bool is_fixed;
	struct timespec now;
	pid_t pid;
	uint8_t random;
	char host[256];
} fixed;

/* 0: not asked yet in this process. */
static pid_t known_pid;
static bool forgets_pid; /* after each fork */

/* What clock_stamp() gave last; a property of the process, as its id is. */
static struct timespec last_stamp;

void
clock_fix(time_t seconds, long nanoseconds, const char *host, pid_t pid)
{
	fixed.is_fixed = true;
	fixed.now.tv_sec = seconds;
	fixed.now.tv_nsec = nanoseconds;
	fixed.pid = pid;
	fixed.random = 0;
	last_stamp = (struct timespec){0, 0};
	snprintf(fixed.host, sizeof(fixed.host), "%s", host);
}

struct timespec
clock_now(void)
{
	struct timespec now;

	if (fixed.is_fixed)
		return fixed.now;
	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		BUG("no CLOCK_REALTIME");
	return now;
}

struct timespec
clock_stamp(void)
{
	struct timespec stamp = clock_now();

	stamp.tv_nsec -= stamp.tv_nsec % 1000;
	if (stamp.tv_sec < last_stamp.tv_sec ||
		(stamp.tv_sec == last_stamp.tv_sec &&
			stamp.tv_nsec <= last_stamp.tv_nsec)) {
		stamp = last_stamp;
		stamp.tv_nsec += 1000;
		if (stamp.tv_nsec >= 1000000000) {
			stamp.tv_sec++;
			stamp.tv_nsec = 0;
		}
	}
	last_stamp = stamp;
	return stamp;
}

uint64_t
clock_monotonic_us(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		BUG("no CLOCK_MONOTONIC");
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t
clock_monotonic_ms(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		BUG("no CLOCK_MONOTONIC");
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct tm
clock_local(time_t seconds)
{
	struct tm parts;

	memset(&parts, 0, sizeof(parts));
	localtime_r(&seconds, &parts);
	return parts;
}

struct tm
clock_utc(time_t seconds)
{
	struct tm parts;

	memset(&parts, 0, sizeof(parts));
	gmtime_r(&seconds, &parts);
	return parts;
}

int
clock_zone(time_t seconds)
{
	return (int)(clock_local(seconds).tm_gmtoff / 60);
}

static void
forget_pid(void)
{
	known_pid = 0;
}

/* Each delivery asks more than once, and the C library asks the kernel. */
pid_t
clock_pid(void)
{
	if (fixed.is_fixed)
		return fixed.pid;
	if (!forgets_pid)
		forgets_pid = pthread_atfork(NULL, NULL, forget_pid) == 0;
	if (known_pid == 0 || !forgets_pid)
		known_pid = getpid();
	return known_pid;
}

void
clock_random(void *bytes, size_t count)
{
	uint8_t *at = bytes;

	while (count > 0) {
		ssize_t got;

		if (fixed.is_fixed) {
			*at = fixed.random++;
			got = 1;
		} else {
			got = getrandom(at, count, 0);
			if (got < 0 && errno != EINTR)
				BUG("no randomness");
		}
		if (got > 0) {
			at += got;
			count -= (size_t)got;
		}
	}
}

const char *
clock_host(void)
{
	if (fixed.host[0] == '\0' &&
		(gethostname(fixed.host, sizeof(fixed.host) - 1) < 0 ||
			fixed.host[0] == '\0'))
		snprintf(fixed.host, sizeof(fixed.host), "localhost");
	return fixed.host;
}
