/* SPDX-License-Identifier: MIT */
#include "server/restart.h"

#include "base/banned.h"

uint64_t
restart_pause_ms(unsigned *failures, bool was_ready, uint64_t lived_ms)
{
	uint64_t ms = RESTART_PAUSE_FIRST_MS;
	unsigned i;

	if (was_ready && lived_ms >= RESTART_STEADY_MS) {
		*failures = 0;
		return 0;
	}
	for (i = 0; i < *failures && ms < RESTART_PAUSE_MOST_MS; i++)
		ms *= 2;
	if (ms < RESTART_PAUSE_MOST_MS) {
		++*failures;
		return ms;
	}
	return RESTART_PAUSE_MOST_MS;
}
