/* fd - descriptors: whole reads and writes, temporary files
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "base/str.h"

/* 0, or -1 with errno; goes on after a short write or EINTR. */
MUST_USE int fd_write(int fd, struct str bytes);

/* Up to `size` bytes from `offset`; fewer only at the end of the file.
 * -1 with errno. */
MUST_USE ssize_t fd_read_at(int fd, void *bytes, size_t size, uint64_t offset);

/* read() that goes on after EINTR. */
MUST_USE ssize_t fd_read(int fd, void *bytes, size_t size);

/* A new file below `folder` that has no name; -1 with errno. */
MUST_USE int fd_temporary(const char *folder);

/* The same below an open folder, without its name. */
MUST_USE int fd_temporary_at(int folder);

/* Adds a whole file to `out`.  -1 with errno; EFBIG when it passes out's
 * maximum. */
MUST_USE int fd_read_file(const char *path, struct buf *out);

/* The same from where the open file is. */
MUST_USE int fd_read_rest(int fd, struct buf *out);

/* Opens the folder and fsyncs it; -1 with errno. */
MUST_USE int fd_sync_folder(const char *path);

/* What was written begins its way to the disk, so that a later fsync() waits
 * less.  Says nothing about whether it came there. */
void fd_begin_sync(int fd);

/* Opens /dev/null for each of descriptors 0, 1 and 2 that is closed, so that no
 * file of ours gets such a number and what is written to standard error.  False
 * when standard input was closed. */
bool fd_fill_standard(void);

/* Close and set to -1; nothing when it is -1. */
void fd_close(int *fd);

#endif
