/* flush - several files to the disk at the same time
 *
 * Whoever waits for a flush waits for a turn of the disk, and those that wait at the
 * same time share one.  The crew are threads that do nothing but fsync(); there are
 * none before they are needed.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_FLUSH_H
#define BASE_FLUSH_H

#include <stddef.h>

struct flush_crew;

/* `most` threads at most. */
struct flush_crew *flush_crew_open(size_t most);
void flush_crew_close(struct flush_crew **crew);

/* errors[i] becomes 0, or the errno of fsync(fds[i]).  One after the other without a
 * crew, or where no thread can be had. */
void flush_files(
	struct flush_crew *crew, const int *fds, int *errors, size_t count);

#endif
