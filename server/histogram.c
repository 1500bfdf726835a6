/* SPDX-License-Identifier: MIT */
#include "server/histogram.h"

#include "base/banned.h"

/* Each bound once, as text in seconds and as a number of microseconds. */
/* clang-format off */
#define BOUNDS(DO, p) \
	DO(p, "0.001", 1000) DO(p, "0.0025", 2500) DO(p, "0.005", 5000) \
	DO(p, "0.01", 10000) DO(p, "0.025", 25000) DO(p, "0.05", 50000) \
	DO(p, "0.1", 100000) DO(p, "0.25", 250000) DO(p, "0.5", 500000) \
	DO(p, "1", 1000000) DO(p, "2.5", 2500000) DO(p, "5", 5000000) \
	DO(p, "10", 10000000) DO(p, "30", 30000000) DO(p, "+Inf", UINT64_MAX)
/* clang-format on */
#define TEXT(p, text, us) text,
#define MICROSECONDS(p, text, us) us,
#define NAME(p, text, us) p "/" text,
#define NAMES(p)                                                               \
	{                                                                      \
		BOUNDS(NAME, p) p "/sum"                                       \
	}

const char *const histogram_bounds[HISTOGRAM_BUCKETS] = {BOUNDS(TEXT, )};
static const uint64_t bounds_us[HISTOGRAM_BUCKETS] = {BOUNDS(MICROSECONDS, )};

const char *const histogram_phases[HISTOGRAM_PHASES] = {
	"lookup", "queue", "sieve", "quota", "store", "outbound", "total"};
static const char *const names[HISTOGRAM_PHASES][HISTOGRAM_BUCKETS + 1] = {
	NAMES("lookup"), NAMES("queue"), NAMES("sieve"), NAMES("quota"),
	NAMES("store"), NAMES("outbound"), NAMES("total")};

void
histogram_add(struct histogram *histogram, uint64_t us)
{
	size_t i = 0;

	while (us > bounds_us[i])
		i++;
	histogram->buckets[i]++;
	histogram->sum_us += us;
}

void
histogram_list(const struct histogram phases[HISTOGRAM_PHASES],
	struct wire_counter *list, size_t *count)
{
	size_t p, i;

	for (p = 0; p < HISTOGRAM_PHASES; p++) {
		for (i = 0; i < HISTOGRAM_BUCKETS; i++)
			if (phases[p].buckets[i] > 0)
				list[(*count)++] = (struct wire_counter){
					names[p][i], phases[p].buckets[i]};
		if (phases[p].sum_us > 0)
			list[(*count)++] = (struct wire_counter){
				names[p][HISTOGRAM_BUCKETS], phases[p].sum_us};
	}
}
