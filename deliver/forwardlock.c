/* SPDX-License-Identifier: MIT */
#include "deliver/forwardlock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "deliver/work.h"

#include "base/banned.h"

enum { PAUSE_MS = 20, MARGIN_MS = 2000, PLACE_BYTES = 7 };

/* Positive, whatever the key is. */
static off_t
place_of(const unsigned char key[SIEVE_MARK_KEY])
{
	uint64_t place = 0;
	int i;

	for (i = 0; i < PLACE_BYTES; i++)
		place = place << 8 | key[i];
	return (off_t)place;
}

static int
open_file(const struct job *job, const struct delivery *delivery)
{
	const char *path = arena_format(
		job->arena, "%s/" FORWARDLOCK_FILE, delivery->home);
	int fd = open(path,
		O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
			O_NOCTTY,
		0600);

	if (fd < 0)
		log_debug("sieve: redirects at the same time are not waited "
			  "for: cannot make %s",
			path);
	return fd;
}

static bool
lock(int fd, off_t place, uint64_t until_ms)
{
	struct flock byte = {.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = place,
		.l_len = 1};

	while (fcntl(fd, F_OFD_SETLK, &byte) < 0) {
		if ((errno != EAGAIN && errno != EACCES) ||
			clock_monotonic_ms() >= until_ms)
			return false;
		(void)!poll(NULL, 0, PAUSE_MS);
	}
	return true;
}

void
forwardlock_take(const struct job *job, const struct delivery *delivery,
	const unsigned char key[SIEVE_MARK_KEY])
{
	struct delivery_work *work = delivery->work;
	uint64_t until_ms = clock_monotonic_ms() + MARGIN_MS +
	                    delivery->settings->submission_timeout_ms;
	int fd;

	/* Who has several under way would wait for itself. */
	if (work->has_forward_lock || job->seen != NULL ||
		job->client != NULL || job->count > 1 || delivery->home == NULL)
		return;
	fd = open_file(job, delivery);
	if (fd < 0)
		return;
	if (!lock(fd, place_of(key), until_ms)) {
		fd_close(&fd);
		return;
	}
	work->forward_lock = fd;
	work->has_forward_lock = true;
}

void
forwardlock_give(const struct delivery *delivery)
{
	struct delivery_work *work = delivery->work;

	if (!work->has_forward_lock)
		return;
	work->has_forward_lock = false;
	fd_close(&work->forward_lock);
}
