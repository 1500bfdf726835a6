/* SPDX-License-Identifier: MIT */
#include "deliver/scriptfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"

#include "base/banned.h"

bool
script_file_read(
	const char *path, uint64_t limit, struct script_file_text *text)
{
	int fd, error = 0;
	struct stat before, after;
	struct file_state second;

	/* One byte too many is enough to tell that the script is too large;
	 * saying so is the compiler's. */
	buf_init(&text->bytes, limit > 0 ? limit + 1 : BUF_UNLIMITED);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return false;
	if (fstat(fd, &before) < 0 ||
		(fd_read_rest(fd, &text->bytes) < 0 && errno != EFBIG) ||
		fstat(fd, &after) < 0)
		error = errno;
	fd_close(&fd);
	if (error != 0) {
		errno = error;
		return false;
	}
	text->state = file_state_of(&before);
	second = file_state_of(&after);
	text->is_settled = file_state_is_same(&text->state, &second) &&
	                   !file_state_is_in_doubt(&text->state);
	return true;
}

const char *
script_file_identity(struct arena *arena, const struct file_state *state)
{
	return arena_format(arena, "%llx:%llx",
		(unsigned long long)state->device,
		(unsigned long long)state->inode);
}
