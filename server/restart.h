/* restart - when a child that ended unasked is started again
 *
 * One that had been of use is started at once; one that dies soon after its start
 * would do so again, and is waited for, each time for longer.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_RESTART_H
#define SERVER_RESTART_H

#include <stdbool.h>
#include <stdint.h>

enum {
	/* A child that was ready and has lived so long has not failed. */
	RESTART_STEADY_MS = 1000,
	/* Before the first new start of one that has; then twice as long each
	 * time, and at most: */
	RESTART_PAUSE_FIRST_MS = 20,
	RESTART_PAUSE_MOST_MS = 1000
};

/* Milliseconds to wait.  *failures is how many in a row have failed: 0 at first,
 * counted here. */
uint64_t restart_pause_ms(
	unsigned *failures, bool was_ready, uint64_t lived_ms);

#endif
