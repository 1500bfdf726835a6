/* filestate - is this still the file that was read?
 *
 * Two looks at a file that agree in all of this saw the same bytes, unless the
 * file was changed twice within one tick of its file system's clock: while the
 * last change is that young the state is in doubt, and says nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_FILESTATE_H
#define BASE_FILESTATE_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

/* Some file systems count in seconds. */
enum { FILE_STATE_DOUBT_S = 2 };

struct file_state {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
};

struct file_state file_state_of(const struct stat *status);

bool file_state_is_same(const struct file_state *a, const struct file_state *b);

/* By the wall clock, after the file was read.  A time to come is in doubt. */
bool file_state_is_in_doubt(const struct file_state *state);

#endif
