/* progress - how far a long command has come, on a terminal
 *
 *   recalc [#########.....................] 120/400  30%  ETA 0:42
 *
 * One line on standard error that is drawn over and taken away at the end.  Where
 * standard error is no terminal, or one that cannot do that, nothing is written.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CTL_PROGRESS_H
#define CTL_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct progress {
	const char *what; /* borrowed */
	size_t total;
	uint64_t began_ms, drawn_ms;
	bool is_shown; /* there is a terminal */
	bool is_drawn; /* the line is there now */
};

void progress_begin(struct progress *progress, const char *what, size_t total);
/* Before anything else is written to the terminal. */
void progress_hide(struct progress *progress);
/* So many are done. */
void progress_show(struct progress *progress, size_t done);

/* The line, without the terminal's codes. */
void progress_line(const struct progress *progress, size_t done,
	uint64_t elapsed_ms, struct buf *line);

#endif
