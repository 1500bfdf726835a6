/* SPDX-License-Identifier: MIT */
#include "base/filestate.h"

#include "base/clock.h"

#include "base/banned.h"

struct file_state
file_state_of(const struct stat *status)
{
	return (struct file_state){.device = status->st_dev,
		.inode = status->st_ino,
		.size = status->st_size,
		.modified = status->st_mtim,
		.changed = status->st_ctim};
}

static bool
is_same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool
file_state_is_same(const struct file_state *a, const struct file_state *b)
{
	return a->device == b->device && a->inode == b->inode &&
	       a->size == b->size && is_same_time(a->modified, b->modified) &&
	       is_same_time(a->changed, b->changed);
}

bool
file_state_is_in_doubt(const struct file_state *state)
{
	time_t settled = clock_now().tv_sec - FILE_STATE_DOUBT_S;

	return state->modified.tv_sec >= settled ||
	       state->changed.tv_sec >= settled;
}
