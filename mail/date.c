/* SPDX-License-Identifier: MIT */
#include "mail/date.h"

#include "base/banned.h"

static const char *const days[] = {
	"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct str
date_text(struct arena *arena, struct tm time)
{
	long minutes = time.tm_gmtoff / 60;
	char sign = minutes < 0 ? '-' : '+';

	if (minutes < 0)
		minutes = -minutes;
	return str_from(arena_format(arena,
		"%s, %02d %s %04d %02d:%02d:%02d %c%02ld%02ld",
		days[(unsigned)time.tm_wday % 7], time.tm_mday,
		months[(unsigned)time.tm_mon % 12], time.tm_year + 1900,
		time.tm_hour, time.tm_min, time.tm_sec, sign, minutes / 60,
		minutes % 60));
}
