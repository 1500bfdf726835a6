/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdlib.h>

#include "mail/date.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read is in the calendar and reads the same when it is written. */
static void
check(struct arena *arena, const struct date *date)
{
	struct date again, shifted;
	struct str text = date_std11(arena, date);

	if (date->month < 1 || date->month > 12 || date->day < 1 ||
		date->day > 31 || date->hour < 0 || date->hour > 23)
		abort();
	if (!date_parse(text, &again) || again.zone != date->zone ||
		date_seconds(&again) != date_seconds(date))
		abort();
	if (date_shift(date, 0, &shifted) &&
		date_seconds(&shifted) != date_seconds(date))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_open();
	struct date date;
	int zone;

	if (date_find(str_of((const char *)data, size), &date))
		check(arena, &date);
	(void)date_parse_zone(str_of((const char *)data, size), &zone);
	arena_close(&arena);
	return 0;
}
