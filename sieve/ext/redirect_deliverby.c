/* redirect-deliverby - by when a redirect is of use (RFC 6009, RFC 2852)
 *
 *   redirect :bytimerelative 600 :bymode "return" "amy@example.org";
 *   redirect :bytimeabsolute "2026-11-21T21:00:00Z" :bytrace "amy@example.org";
 *
 * SPDX-License-Identifier: MIT
 */
#include "mail/date.h"
#include "sieve/check.h"
#include "sieve/evaluate.h"
#include "sieve/registry.h"

#include "base/banned.h"

/* RFC 2852 4: by-time has nine digits at most. */
enum { MOST_SECONDS = 999999999 };

/* ---- date-time (RFC 3339 5.6) ---- */

static bool
take_digits(struct str *text, size_t count, int *value_out)
{
	size_t i;

	*value_out = 0;
	if (text->len < count)
		return false;
	for (i = 0; i < count; i++) {
		if (!ascii_is_digit(text->data[i]))
			return false;
		*value_out = *value_out * 10 + (text->data[i] - '0');
	}
	*text = str_skip(*text, count);
	return true;
}

static bool
take_char(struct str *text, char c)
{
	if (text->len == 0 || ascii_upper(text->data[0]) != c)
		return false;
	*text = str_skip(*text, 1);
	return true;
}

static void
skip_fraction(struct str *text)
{
	if (!take_char(text, '.'))
		return;
	while (text->len > 0 && ascii_is_digit(text->data[0]))
		*text = str_skip(*text, 1);
}

/* "Z", "+01:00" */
static bool
take_zone(struct str *text, int *zone_out)
{
	bool is_west = text->len > 0 && text->data[0] == '-';
	int hours, minutes;

	*zone_out = 0;
	if (take_char(text, 'Z'))
		return true;
	if (!take_char(text, is_west ? '-' : '+') ||
		!take_digits(text, 2, &hours) || !take_char(text, ':') ||
		!take_digits(text, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*zone_out = (hours * 60 + minutes) * (is_west ? -1 : 1);
	return true;
}

static bool
is_in_calendar(const struct date *date)
{
	struct date same;

	return date->month >= 1 && date->month <= 12 && date->day >= 1 &&
	       date->hour <= 23 && date->minute <= 59 && date->second <= 60 &&
	       date_at(date_seconds(date), date->zone, &same) &&
	       (same.day == date->day || date->second == 60);
}

static bool
read_moment(struct str text, int64_t *seconds_out)
{
	struct date date = {0};

	if (!take_digits(&text, 4, &date.year) || !take_char(&text, '-') ||
		!take_digits(&text, 2, &date.month) || !take_char(&text, '-') ||
		!take_digits(&text, 2, &date.day) || !take_char(&text, 'T') ||
		!take_digits(&text, 2, &date.hour) || !take_char(&text, ':') ||
		!take_digits(&text, 2, &date.minute) ||
		!take_char(&text, ':') || !take_digits(&text, 2, &date.second))
		return false;
	skip_fraction(&text);
	if (!take_zone(&text, &date.zone) || text.len > 0 ||
		!is_in_calendar(&date))
		return false;
	*seconds_out = date_seconds(&date);
	return true;
}

/* ---- :bytimerelative, :bytimeabsolute ---- */

#define MOMENT_HELP "a time such as \"2026-11-21T21:00:00Z\""
#define MODE_HELP "\"notify\" or \"return\""

static void
check_relative(struct checker *checker, struct call *call UNUSED,
	const struct tag_use *use)
{
	if (use->argument.number > MOST_SECONDS)
		check_error(checker, use->argument.at,
			":bytimerelative takes up to %d seconds", MOST_SECONDS);
}

static void
check_absolute(struct checker *checker, struct call *call UNUSED,
	const struct tag_use *use)
{
	const struct text *text = use->argument.texts;
	int64_t seconds;

	if (text_is_constant(text) && !read_moment(text->constant, &seconds))
		check_error(checker, text->at,
			":bytimeabsolute: found %s, expected " MOMENT_HELP,
			check_quote(checker, text->constant));
}

static enum sieve_status
apply_relative(struct run *run UNUSED, const struct tag_use *use,
	struct pending_action *pending)
{
	struct sieve_deliver_by *by = &pending->action.redirect.by;

	by->is_set = true;
	by->seconds = (int64_t)use->argument.number;
	return SIEVE_OK;
}

static enum sieve_status
apply_absolute(struct run *run, const struct tag_use *use,
	struct pending_action *pending)
{
	struct sieve_deliver_by *by = &pending->action.redirect.by;
	int64_t moment, now;
	struct str text;

	if (run_text(run, use->argument.texts, &text) != SIEVE_OK)
		return SIEVE_FAILED;
	if (!read_moment(text, &moment))
		return run_fail(run,
			":bytimeabsolute: found %s, expected " MOMENT_HELP,
			report_quote(&run->reporter, text));
	/* Without a clock nobody knows how far away that is. */
	by->is_set = run_now(run, &now);
	if (!by->is_set)
		return SIEVE_OK;
	by->seconds = moment - now;
	if (by->seconds > MOST_SECONDS)
		by->seconds = MOST_SECONDS;
	if (by->seconds < -MOST_SECONDS)
		by->seconds = -MOST_SECONDS;
	return SIEVE_OK;
}

/* ---- :bymode, :bytrace ---- */

static bool
read_mode(struct str text, bool *returns_out)
{
	*returns_out = str_is_nocase(text, "return");
	return *returns_out || str_is_nocase(text, "notify");
}

static void
check_has_time(struct checker *checker, const struct call *call,
	const struct tag_use *use, const char *tag)
{
	if (call_tag(call, GROUP_REDIRECT_BYTIME) == NULL)
		check_error(checker, use->at,
			"%s needs :bytimerelative or :bytimeabsolute", tag);
}

static void
check_mode(
	struct checker *checker, struct call *call, const struct tag_use *use)
{
	const struct text *text = use->argument.texts;
	bool returns;

	check_has_time(checker, call, use, ":bymode");
	if (text_is_constant(text) && !read_mode(text->constant, &returns))
		check_error(checker, text->at,
			":bymode: found %s, expected " MODE_HELP,
			check_quote(checker, text->constant));
}

static void
check_trace(
	struct checker *checker, struct call *call, const struct tag_use *use)
{
	check_has_time(checker, call, use, ":bytrace");
}

static enum sieve_status
apply_mode(struct run *run, const struct tag_use *use,
	struct pending_action *pending)
{
	struct str text;

	if (run_text(run, use->argument.texts, &text) != SIEVE_OK)
		return SIEVE_FAILED;
	if (!read_mode(text, &pending->action.redirect.by.returns))
		return run_fail(run, ":bymode: found %s, expected " MODE_HELP,
			report_quote(&run->reporter, text));
	return SIEVE_OK;
}

static enum sieve_status
apply_trace(struct run *run UNUSED, const struct tag_use *use UNUSED,
	struct pending_action *pending)
{
	pending->action.redirect.by.traces = true;
	return SIEVE_OK;
}

const struct tag_ops tag_bytimerelative = {
	.check = check_relative, .apply = apply_relative};
const struct tag_ops tag_bytimeabsolute = {
	.check = check_absolute, .apply = apply_absolute};
const struct tag_ops tag_bymode = {.check = check_mode, .apply = apply_mode};
const struct tag_ops tag_bytrace = {.check = check_trace, .apply = apply_trace};
