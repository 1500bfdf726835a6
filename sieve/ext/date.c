/* date - dates of header fields, and the present one (RFC 5260)
 *
 *   date :zone "+0100" "received" "hour" "09"
 *   currentdate :value "ge" "date" "2025-07-04"
 *
 * The date is shifted to a zone, the part that the script names becomes a string,
 * and that is compared like the value of a header field.
 *
 * SPDX-License-Identifier: MIT
 */
#include "mail/date.h"

#include "sieve/check.h"
#include "sieve/compare.h"
#include "sieve/current.h"
#include "sieve/evaluate.h"
#include "sieve/ext/index.h"
#include "sieve/registry.h"

#include "base/banned.h"

enum { STEP_OCTETS = 1024 }; /* of a value that is read, for one step */

/* ---- parts of a date (RFC 5260 4.2) ---- */

static struct str
zone_text(struct arena *arena, int zone, const char *colon)
{
	int minutes = zone < 0 ? -zone : zone;

	return str_from(arena_format(arena, "%c%02d%s%02d",
		zone < 0 ? '-' : '+', minutes / 60, colon, minutes % 60));
}

static struct str
part_year(struct arena *arena, const struct date *date)
{
	return str_from(arena_format(arena, "%04d", date->year));
}

static struct str
part_month(struct arena *arena, const struct date *date)
{
	return str_from(arena_format(arena, "%02d", date->month));
}

static struct str
part_day(struct arena *arena, const struct date *date)
{
	return str_from(arena_format(arena, "%02d", date->day));
}

static struct str
part_date(struct arena *arena, const struct date *date)
{
	return str_from(arena_format(
		arena, "%04d-%02d-%02d", date->year, date->month, date->day));
}

static struct str
part_julian(struct arena *arena, const struct date *date)
{
	return str_from(arena_format(
		arena, "%lld", (long long)date_modified_julian(date)));
}

static struct str
part_hour(struct arena *arena, const struct date *date)
{
	return str_from(arena_format(arena, "%02d", date->hour));
}

static struct str
part_minute(struct arena *arena, const struct date *date)
{
	return str_from(arena_format(arena, "%02d", date->minute));
}

static struct str
part_second(struct arena *arena, const struct date *date)
{
	return str_from(arena_format(arena, "%02d", date->second));
}

static struct str
part_time(struct arena *arena, const struct date *date)
{
	return str_from(arena_format(arena, "%02d:%02d:%02d", date->hour,
		date->minute, date->second));
}

static struct str
part_iso8601(struct arena *arena, const struct date *date)
{
	struct str zone =
		date->zone == 0 ? STR("Z") : zone_text(arena, date->zone, ":");

	return str_from(arena_format(arena, "%.*sT%.*s%.*s",
		STR_ARG(part_date(arena, date)),
		STR_ARG(part_time(arena, date)), STR_ARG(zone)));
}

static struct str
part_zone(struct arena *arena, const struct date *date)
{
	return zone_text(arena, date->zone, "");
}

static struct str
part_weekday(struct arena *arena, const struct date *date)
{
	return str_from(arena_format(arena, "%d", date_weekday(date)));
}

typedef struct str (*date_part)(struct arena *arena, const struct date *date);

static const struct {
	const char *name;
	date_part take;
} parts[] = {
	{"year", part_year},
	{"month", part_month},
	{"day", part_day},
	{"date", part_date},
	{"julian", part_julian},
	{"hour", part_hour},
	{"minute", part_minute},
	{"second", part_second},
	{"time", part_time},
	{"iso8601", part_iso8601},
	{"std11", date_std11},
	{"zone", part_zone},
	{"weekday", part_weekday},
};

/* NULL when there is none of that name. */
static date_part
find_part(struct str name)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(parts); i++)
		if (str_is_nocase(name, parts[i].name))
			return parts[i].take;
	return NULL;
}

/* ---- at compile time ---- */

static void
check_part(struct checker *checker, const struct argument *argument)
{
	const struct text *text = argument->texts;

	if (text_is_constant(text) && find_part(text->constant) == NULL)
		check_error(checker, text->at,
			"unknown part of a date %s: there are year, month, "
			"day, date, julian, hour, minute, second, time, "
			"iso8601, std11, zone and weekday",
			check_quote(checker, text->constant));
}

static void
check_date(struct checker *checker, struct ast_command *node)
{
	const struct text *name = node->call->arguments[0].texts;

	if (text_is_constant(name) && str_has_char(name->constant, ':'))
		report_warning(checker->reporter, name->at,
			"no header field matches %s: leave out the colon",
			check_quote(checker, name->constant));
	check_part(checker, &node->call->arguments[1]);
}

/* RFC 5260 5: the present moment has no zone of its own. */
static void
check_currentdate(struct checker *checker, struct ast_command *node)
{
	const struct tag_use *use = call_tag(node->call, GROUP_ZONE);

	if (use != NULL && use->tag->id == TAG_ORIGINALZONE)
		check_error(checker, use->at,
			"\"currentdate\" does not take \":originalzone\"");
	check_part(checker, &node->call->arguments[0]);
}

static void
check_zone(struct checker *checker, struct call *call UNUSED,
	const struct tag_use *use)
{
	const struct text *text = use->argument.texts;
	int zone;

	if (text_is_constant(text) && !date_parse_zone(text->constant, &zone))
		check_error(checker, text->at,
			"%s is no time zone: write \"+hhmm\" or \"-hhmm\"",
			check_quote(checker, text->constant));
}

const struct tag_ops tag_zone = {.check = check_zone};
const struct tag_ops tag_originalzone = {.check = NULL};

/* ---- at run time ---- */

/* The zone that the script asks for (RFC 5260 4.1). */
static enum sieve_status
wanted_zone(struct run *run, const struct call *call, const struct date *date,
	int *zone_out)
{
	const struct tag_use *use = call_tag(call, GROUP_ZONE);
	const struct sieve_host_ops *ops = run->host->ops;
	struct str text;

	*zone_out = date->zone;
	if (use == NULL) {
		*zone_out = ops->zone != NULL
		                    ? ops->zone(run->host, date_seconds(date))
		                    : 0;
		return SIEVE_OK;
	}
	if (use->tag->id == TAG_ORIGINALZONE)
		return SIEVE_OK;
	if (run_text(run, use->argument.texts, &text) != SIEVE_OK)
		return SIEVE_FAILED;
	if (!date_parse_zone(text, zone_out))
		return run_fail(run,
			"%s is no time zone: write \"+hhmm\" or \"-hhmm\"",
			report_quote(&run->reporter, text));
	return SIEVE_OK;
}

static enum sieve_status
compare_date(struct compare *compare, const struct text *part_name,
	const struct date *date)
{
	struct run *run = compare->run;
	struct date shifted;
	struct str name;
	date_part take;
	int zone;

	if (run_text(run, part_name, &name) != SIEVE_OK)
		return SIEVE_FAILED;
	take = find_part(name);
	if (take == NULL)
		return run_fail(run, "unknown part of a date %s",
			report_quote(&run->reporter, name));
	if (wanted_zone(run, compare->call, date, &zone) != SIEVE_OK)
		return SIEVE_FAILED;
	/* A year that has not four digits is no date. */
	if (!date_shift(date, zone, &shifted))
		return SIEVE_OK;
	return compare_value(compare, take(run->scratch, &shifted));
}

/* RFC 5260 4: of several fields the first one counts. */
static enum sieve_status
test_date(struct run *run, const struct call *call, bool *answer_out)
{
	const struct header_field *field;
	struct compare compare;
	struct date date;
	struct str name;

	if (compare_start(&compare, run, call, 2) != SIEVE_OK ||
		run_text(run, call->arguments[0].texts, &name) != SIEVE_OK ||
		run_charge_fields(run) != SIEVE_OK)
		return SIEVE_FAILED;
	field = index_is_given(call) ? index_field(run, call, &name, 1)
	                             : run_field_next(run, name, NULL);
	if (field != NULL) {
		if (run_charge(run, 1 + field->value.len / STEP_OCTETS) !=
			SIEVE_OK)
			return SIEVE_FAILED;
		if (date_find(field->value, &date) &&
			compare_date(&compare, call->arguments[1].texts,
				&date) != SIEVE_OK)
			return SIEVE_FAILED;
	}
	compare_end(&compare, answer_out);
	return SIEVE_OK;
}

const struct command_ops command_date = {
	.check = check_date,
	.test = test_date,
};

static enum sieve_status
test_currentdate(struct run *run, const struct call *call, bool *answer_out)
{
	struct compare compare;
	struct date date;
	int64_t now;

	if (compare_start(&compare, run, call, 1) != SIEVE_OK)
		return SIEVE_FAILED;
	if (run_now(run, &now) && date_at(now, 0, &date) &&
		compare_date(&compare, call->arguments[0].texts, &date) !=
			SIEVE_OK)
		return SIEVE_FAILED;
	compare_end(&compare, answer_out);
	return SIEVE_OK;
}

const struct command_ops command_currentdate = {
	.check = check_currentdate,
	.test = test_currentdate,
};
