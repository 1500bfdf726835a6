/* SPDX-License-Identifier: MIT */
#include "mail/date.h"

#include <stddef.h>

#include "base/attributes.h"

#include "base/banned.h"

enum {
	EPOCH_JULIAN = 40587, /* the Modified Julian Day of 1 January 1970 */
	DAYS_OF_ERA = 146097, /* 400 years */
	DAY_SECONDS = 24 * 60 * 60,
	SHORTEST_NAME = 3 /* letters of a day's or a month's name */
};

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

/* ---- the calendar ---- */

static int64_t
floor_divide(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static bool
is_leap_year(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
days_of_month(int year, int month)
{
	static const int days_of[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days_of[month - 1] + (month == 2 && is_leap_year(year));
}

/* Days since 1 January 1970.  The year begins with March here, so that the day
 * that not every year has is its last one. */
static int64_t
days_since_epoch(int year, int month, int day)
{
	int64_t y = year - (month <= 2);
	int64_t era = floor_divide(y, 400);
	int64_t of_era = y - era * 400;
	int64_t of_year =
		(153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * DAYS_OF_ERA + of_era * 365 + of_era / 4 - of_era / 100 +
	       of_year - 719468;
}

static void
set_day(int64_t since_epoch, struct date *date)
{
	int64_t days_in = since_epoch + 719468;
	int64_t era = floor_divide(days_in, DAYS_OF_ERA);
	int64_t of_era = days_in - era * DAYS_OF_ERA;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 -
			       of_era / (DAYS_OF_ERA - 1)) /
	               365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;

	date->day = (int)(of_year - (153 * month + 2) / 5 + 1);
	date->month = (int)(month < 10 ? month + 3 : month - 9);
	date->year = (int)(year + era * 400 + (date->month <= 2));
}

int64_t
date_seconds(const struct date *date)
{
	return days_since_epoch(date->year, date->month, date->day) *
	               DAY_SECONDS +
	       date->hour * 3600 + (date->minute - date->zone) * 60 +
	       date->second;
}

bool
date_at(int64_t seconds, int zone, struct date *date_out)
{
	const int64_t most = INT64_C(1) << 40; /* beyond the year 30000 */
	struct date date = {.zone = zone};
	int64_t day, rest;

	if (seconds > most || seconds < -most)
		return false;
	seconds += (int64_t)zone * 60;
	day = floor_divide(seconds, DAY_SECONDS);
	rest = seconds - day * DAY_SECONDS;
	set_day(day, &date);
	date.hour = (int)(rest / 3600);
	date.minute = (int)(rest / 60 % 60);
	date.second = (int)(rest % 60);
	*date_out = date;
	return date.year >= 0 && date.year <= 9999;
}

bool
date_shift(const struct date *date, int zone, struct date *date_out)
{
	struct date whole = *date; /* without the second, which may be 60 */
	bool is_good;

	whole.second = 0;
	is_good = date_at(date_seconds(&whole), zone, date_out);
	date_out->second = date->second;
	return is_good;
}

int64_t
date_modified_julian(const struct date *date)
{
	return days_since_epoch(date->year, date->month, date->day) +
	       EPOCH_JULIAN;
}

int
date_weekday(const struct date *date)
{
	int64_t since = days_since_epoch(date->year, date->month, date->day);

	/* The first day was a Thursday. */
	return (int)(since + 4 - 7 * floor_divide(since + 4, 7));
}

struct str
date_std11(struct arena *arena, const struct date *date)
{
	return date_text(arena, (struct tm){
					.tm_year = date->year - 1900,
					.tm_mon = date->month - 1,
					.tm_mday = date->day,
					.tm_hour = date->hour,
					.tm_min = date->minute,
					.tm_sec = date->second,
					.tm_wday = date_weekday(date),
					.tm_gmtoff = date->zone * 60L,
				});
}

/* ---- reading ---- */

struct reader {
	struct str in;
	size_t at;
};

static char
peek(const struct reader *reader)
{
	return reader->at < reader->in.len ? reader->in.data[reader->at] : '\0';
}

/* The comment that begins here; one that is left open ends with the text. */
static void
skip_comment(struct reader *reader)
{
	size_t depth = 0;

	for (; reader->at < reader->in.len; reader->at++) {
		char c = peek(reader);

		if (c == '\\')
			reader->at++;
		else if (c == '(')
			depth++;
		else if (c == ')' && --depth == 0)
			break;
	}
	if (reader->at < reader->in.len)
		reader->at++;
	else
		reader->at = reader->in.len;
}

static void
skip_blanks(struct reader *reader)
{
	while (reader->at < reader->in.len) {
		if (peek(reader) == '(')
			skip_comment(reader);
		else if (ascii_is_space(peek(reader)))
			reader->at++;
		else
			return;
	}
}

static bool
take(struct reader *reader, char c)
{
	skip_blanks(reader);
	if (reader->at == reader->in.len || peek(reader) != c)
		return false;
	reader->at++;
	return true;
}

/* Letters; empty when there is none. */
static struct str
take_word(struct reader *reader)
{
	size_t from;

	skip_blanks(reader);
	from = reader->at;
	while (ascii_is_alpha(peek(reader)))
		reader->at++;
	return str_slice(reader->in, from, reader->at);
}

/* At most `most` digits, all that stand there; how many, 0 for another
 * number. */
static size_t
take_number(struct reader *reader, size_t most, int *value_out)
{
	size_t from, count;

	skip_blanks(reader);
	from = reader->at;
	*value_out = 0;
	while (ascii_is_digit(peek(reader)) && reader->at - from < most)
		*value_out =
			*value_out * 10 + (reader->in.data[reader->at++] - '0');
	count = reader->at - from;
	if (!ascii_is_digit(peek(reader)))
		return count;
	reader->at = from;
	return 0;
}

/* "Mon", "Monday" and what lies between them: the index, -1 for others. */
static int
find_name(struct str word, const char *const *names, size_t count)
{
	size_t i;

	for (i = 0; i < count && word.len >= SHORTEST_NAME; i++)
		if (str_starts_nocase(str_from(names[i]), word))
			return (int)i;
	return -1;
}

static int
find_day(struct str word)
{
	static const char *const names[] = {"Sunday", "Monday", "Tuesday",
		"Wednesday", "Thursday", "Friday", "Saturday"};

	return find_name(word, names, ARRAY_LENGTH(names));
}

static bool
take_month(struct reader *reader, struct date *date)
{
	static const char *const names[] = {"January", "February", "March",
		"April", "May", "June", "July", "August", "September",
		"October", "November", "December"};

	date->month =
		find_name(take_word(reader), names, ARRAY_LENGTH(names)) + 1;
	return date->month > 0;
}

/* RFC 5322 4.3: years of two and of three digits. */
static bool
take_year(struct reader *reader, struct date *date)
{
	size_t digits = take_number(reader, 4, &date->year);

	if (digits == 2)
		date->year += date->year < 50 ? 2000 : 1900;
	else if (digits == 3)
		date->year += 1900;
	return digits >= 2;
}

static bool
take_day(struct reader *reader, struct date *date)
{
	return take_number(reader, 2, &date->day) > 0;
}

/* Seconds may be missing, and may have a fraction. */
static bool
take_time(struct reader *reader, struct date *date)
{
	int fraction;

	date->second = 0;
	if (take_number(reader, 2, &date->hour) == 0 || !take(reader, ':') ||
		take_number(reader, 2, &date->minute) != 2)
		return false;
	if (!take(reader, ':'))
		return true;
	if (take_number(reader, 2, &date->second) != 2)
		return false;
	if (take(reader, '.'))
		return take_number(reader, 9, &fraction) > 0;
	return true;
}

/* "hhmm", "hh:mm" or "hh" behind a sign. */
static bool
take_offset(struct reader *reader, int sign, int *zone_out)
{
	int hours, minutes = 0;
	size_t digits = take_number(reader, 4, &hours);

	if (digits == 4) {
		minutes = hours % 100;
		hours /= 100;
	} else if (digits != 2) {
		return false;
	} else if (take(reader, ':') && take_number(reader, 2, &minutes) != 2) {
		return false;
	}
	*zone_out = sign * (hours * 60 + minutes);
	return minutes < 60;
}

/* RFC 5322 4.3; whatever else it says there is -0000. */
static int
zone_of_name(struct str name)
{
	static const struct {
		const char *name;
		int hours;
	} zones[] = {
		{"EDT", -4},
		{"EST", -5},
		{"CDT", -5},
		{"CST", -6},
		{"MDT", -6},
		{"MST", -7},
		{"PDT", -7},
		{"PST", -8},
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(zones); i++)
		if (str_is_nocase(name, zones[i].name))
			return zones[i].hours * 60;
	return 0;
}

static bool
take_sign(struct reader *reader, int *sign_out)
{
	*sign_out = peek(reader) == '-' ? -1 : 1;
	return take(reader, '+') || take(reader, '-');
}

/* "GMT+0100" is an offset; a name may stand behind one: "+0100 CET". */
static bool
take_zone(struct reader *reader, int *zone_out)
{
	struct str name = take_word(reader);
	int sign;

	skip_blanks(reader);
	*zone_out = zone_of_name(name);
	if (!take_sign(reader, &sign))
		return true;
	if (!take_offset(reader, sign, zone_out))
		return false;
	if (name.len == 0)
		(void)take_word(reader);
	return true;
}

/* ---- the forms ---- */

/* 4 Jul 2025 10:00:00 +0200, 4-Jul-2025 */
static bool
read_day_first(struct reader *reader, struct date *date)
{
	if (!take_day(reader, date))
		return false;
	(void)take(reader, '-');
	if (!take_month(reader, date))
		return false;
	(void)take(reader, '-');
	if (!take_year(reader, date))
		return false;
	(void)take(reader, ',');
	return take_time(reader, date) && take_zone(reader, &date->zone);
}

static bool
is_time_next(const struct reader *reader)
{
	struct reader ahead = *reader;
	struct date date;

	return take_time(&ahead, &date);
}

/* Jul 4 10:00:00 2025 +0200, Jul 4 10:00:00 CEST 2025, July 4, 2025 10:00 */
static bool
read_month_first(struct reader *reader, struct date *date)
{
	if (!take_month(reader, date) || !take_day(reader, date))
		return false;
	(void)take(reader, ',');
	if (!is_time_next(reader))
		return take_year(reader, date) && take_time(reader, date) &&
		       take_zone(reader, &date->zone);
	if (!take_time(reader, date) || !take_zone(reader, &date->zone) ||
		!take_year(reader, date))
		return false;
	skip_blanks(reader);
	return reader->at == reader->in.len || take_zone(reader, &date->zone);
}

/* 2025-07-04T10:00:00+02:00 */
static bool
read_year_first(struct reader *reader, struct date *date)
{
	if (take_number(reader, 4, &date->year) != 4 || !take(reader, '-') ||
		take_number(reader, 2, &date->month) == 0 ||
		!take(reader, '-') || !take_day(reader, date))
		return false;
	if (peek(reader) == 'T' || peek(reader) == 't')
		reader->at++;
	return take_time(reader, date) && take_zone(reader, &date->zone);
}

static bool
is_year_next(const struct reader *reader)
{
	struct reader ahead = *reader;
	int year;

	return take_number(&ahead, 4, &year) == 4;
}

static bool
read_date(struct reader *reader, struct date *date)
{
	struct reader start;
	struct str word;

	skip_blanks(reader);
	start = *reader;
	word = take_word(reader);
	if (word.len > 0 && find_day(word) >= 0) {
		(void)take(reader, '.');
		(void)take(reader, ',');
		skip_blanks(reader);
	} else {
		*reader = start;
	}
	if (ascii_is_alpha(peek(reader)))
		return read_month_first(reader, date);
	return is_year_next(reader) ? read_year_first(reader, date)
	                            : read_day_first(reader, date);
}

static bool
is_in_calendar(const struct date *date)
{
	return date->month >= 1 && date->month <= 12 && date->day >= 1 &&
	       date->day <= days_of_month(date->year, date->month) &&
	       date->hour <= 23 && date->minute <= 59 && date->second <= 60;
}

bool
date_parse(struct str text, struct date *date_out)
{
	struct reader reader = {.in = text};
	struct date date = {.zone = 0};

	if (!read_date(&reader, &date))
		return false;
	skip_blanks(&reader);
	if (reader.at < reader.in.len || !is_in_calendar(&date))
		return false;
	*date_out = date;
	return true;
}

bool
date_find(struct str value, struct date *date_out)
{
	size_t semicolon = str_find_last_char(value, ';');

	if (semicolon < value.len &&
		date_parse(str_skip(value, semicolon + 1), date_out))
		return true;
	return date_parse(value, date_out);
}

bool
date_parse_zone(struct str text, int *zone_out)
{
	struct reader reader = {.in = text, .at = 1};
	size_t i;

	if (text.len != 5 || (text.data[0] != '+' && text.data[0] != '-'))
		return false;
	for (i = 1; i < text.len; i++)
		if (!ascii_is_digit(text.data[i]))
			return false;
	return take_offset(&reader, text.data[0] == '-' ? -1 : 1, zone_out);
}
