/* histogram - how long things took, as Prometheus counts it
 *
 * As counters (struct wire_counter) one is "PHASE/BOUND" for each bound that was
 * met, and "PHASE/sum" in microseconds: "store/0.005", "store/+Inf".  The value is
 * of its bucket alone; metrics.c adds the ones below.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_HISTOGRAM_H
#define SERVER_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "server/wire.h"

enum { HISTOGRAM_BUCKETS = 15 };

struct histogram {
	uint64_t buckets[HISTOGRAM_BUCKETS];
	uint64_t sum_us;
};

/* What the front measures, and what workers tell it. */
enum histogram_phase {
	HISTOGRAM_LOOKUP, /* RCPT to its answer */
	HISTOGRAM_QUEUE,  /* until a worker is there */
	HISTOGRAM_SIEVE,
	HISTOGRAM_QUOTA,
	HISTOGRAM_STORE,
	HISTOGRAM_OUTBOUND,
	HISTOGRAM_TOTAL, /* the end of the message to the result */
	HISTOGRAM_PHASES
};
enum { HISTOGRAM_COUNTERS_MAX = HISTOGRAM_PHASES * (HISTOGRAM_BUCKETS + 1) };

extern const char *const histogram_phases[HISTOGRAM_PHASES]; /* "lookup" */
/* In seconds; the last one is "+Inf". */
extern const char *const histogram_bounds[HISTOGRAM_BUCKETS];

void histogram_add(struct histogram *histogram, uint64_t us);

/* Adds those of all phases that are not 0 to the list, which has room. */
void histogram_list(const struct histogram phases[HISTOGRAM_PHASES],
	struct wire_counter *list, size_t *count);

#endif
