/* date - the time as header fields write it (RFC 5322 3.3)
 *
 * Pure: the caller asks the clock.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MAIL_DATE_H
#define MAIL_DATE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/arena.h"
#include "base/str.h"

/* "Fri, 04 Jul 2025 10:00:00 +0200"; the zone is tm_gmtoff. */
struct str date_text(struct arena *arena, struct tm time);

/* A day of the Gregorian calendar and a time of day in a zone. */
struct date {
	int year;   /* 0 to 9999 */
	int month;  /* 1 to 12 */
	int day;    /* 1 to 31 */
	int hour;   /* 0 to 23 */
	int minute; /* 0 to 59 */
	int second; /* 0 to 60 */
	int zone;   /* minutes east of UTC */
};

/* Reads a date-time (RFC 5322 3.3) with the obsolete forms of 4.3 and what
 * broken senders write: no zone, a comment anywhere, the month in front of the
 * day, ISO 8601.  A wrong day of the week does not matter; a day or a time that
 * the calendar does not have does.  An unknown zone is UTC (RFC 5322 4.3). */
bool date_parse(struct str text, struct date *date_out);

/* The date of a header field's value: what stands behind the last semicolon (as
 * in Received), or all of it (RFC 5260 4). */
bool date_find(struct str value, struct date *date_out);

/* "+hhmm" or "-hhmm", and nothing else, in minutes east of UTC. */
bool date_parse_zone(struct str text, int *zone_out);

/* Seconds since 1970 in UTC; a leap second is the one behind it. */
int64_t date_seconds(const struct date *date);

/* The date that seconds are in a zone.  False when the year has not four
 * digits. */
bool date_at(int64_t seconds, int zone, struct date *date_out);

/* The same moment in another zone; a leap second stays one. */
bool date_shift(const struct date *date, int zone, struct date *date_out);

/* Days since 17 November 1858, of the day that the date names. */
int64_t date_modified_julian(const struct date *date);
/* 0 is Sunday. */
int date_weekday(const struct date *date);

/* date_text() of a date. */
struct str date_std11(struct arena *arena, const struct date *date);

#endif
