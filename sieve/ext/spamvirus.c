/* spamvirus - spamtest, spamtestplus and virustest (RFC 5235)
 *
 * What a scanner wrote into the header becomes a number.  How, the settings say,
 * with Dovecot's names (sieve_spamtest_status_header ...):
 *
 *   status_header  X-Spam-Status: score=(-?[0-9.]+)    field and pattern
 *   status_type    score: a number up to max_value
 *                  strlen: so many characters up to max_value ("****")
 *                  text: one of text_value0 ... text_value10
 *   max_header     a field, with a pattern, that has the largest value
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/utf8.h"
#include "sieve/check.h"
#include "sieve/compare.h"
#include "sieve/current.h"
#include "sieve/evaluate.h"
#include "sieve/registry.h"

#include "base/banned.h"

#define SCALE INT64_C(1000000) /* six decimals */

enum {
	MOST_DIGITS = 9, /* in front of the point */
	DECIMALS = 6,    /* behind it; more make no difference */
	SPAM_STEPS = 9,  /* from 1, clear, to 10 */
	VIRUS_STEPS = 4, /* from 1, clear, to 5 */
	PERCENT_STEPS = 100
};

/* How much of the worst, as far as it is known. */
struct verdict {
	bool is_known;
	int64_t part, whole; /* 0 <= part <= whole, whole > 0 */
};

/* ---- values of fields ---- */

/* "12", "-1.5", "+.25", scaled; false for anything else. */
static bool
read_number(struct str text, int64_t *number_out)
{
	bool is_negative = text.len > 0 && text.data[0] == '-';
	size_t at =
		is_negative || (text.len > 0 && text.data[0] == '+') ? 1 : 0;
	size_t start = at, decimals;
	int64_t number = 0, unit = SCALE;

	for (; at < text.len && ascii_is_digit(text.data[at]); at++) {
		if (at - start == MOST_DIGITS)
			return false;
		number = number * 10 + (text.data[at] - '0');
	}
	number *= SCALE;
	decimals = at;
	if (at < text.len && text.data[at] == '.')
		for (at++; at < text.len && ascii_is_digit(text.data[at]);
			at++) {
			unit /= 10;
			number += unit * (text.data[at] - '0');
		}
	*number_out = is_negative ? -number : number;
	return at == text.len && (decimals > start || at > decimals + 1);
}

/* The part of the value that the pattern's first group matches, all that it
 * matches when it has none.  Empty: it does not match. */
static enum sieve_status
find_pattern(struct run *run, struct str pattern, struct str value,
	struct str *found_out)
{
	struct match_work work = {
		.budget = UINT64_MAX,
		.memory = run->memory,
		.scratch = run->scratch,
	};
	struct match_key key;
	struct err err;
	size_t group;

	*found_out = STR_EMPTY;
	if (match_prepare(run->scratch, &match_regex, &comparator_octet,
		    run->memory, pattern, &key, &err) < 0)
		return run_fail(run,
			"%s (sieve_spamtest_..., sieve_virustest_...)",
			err.text);
	if (run_charge(run, 1 + pattern.len) != SIEVE_OK)
		return SIEVE_FAILED;
	if (!match_regex.match(&key, value, &work))
		return work.failure != NULL ? run_fail(run, "%s", work.failure)
		                            : SIEVE_OK;
	group = work.count > 1 ? 1 : 0;
	*found_out = str_slice(
		value, work.captures[group].from, work.captures[group].to);
	return SIEVE_OK;
}

/* `source` is the name of a field, or "NAME: PATTERN".  Without the field, or
 * when the pattern does not match, *found_out is false. */
static enum sieve_status
read_field(struct run *run, const char *source, struct str *value_out,
	bool *found_out)
{
	struct str text = str_from(source);
	size_t colon = str_find_char(text, ':');
	struct str name = str_trim(str_slice(text, 0, colon));
	struct str pattern = str_trim(str_skip(text, colon + 1));
	const struct header_field *field;
	struct field_text *status;

	*found_out = false;
	if (run_charge_fields(run) != SIEVE_OK)
		return SIEVE_FAILED;
	field = name.len > 0 ? run_field_next(run, name, NULL) : NULL;
	if (field == NULL)
		return SIEVE_OK;
	if (run_field_text(run, field, &status) != SIEVE_OK)
		return SIEVE_FAILED;
	*value_out = status->value;
	if (pattern.len > 0 &&
		find_pattern(run, pattern, *value_out, value_out) != SIEVE_OK)
		return SIEVE_FAILED;
	*value_out = str_trim(*value_out);
	*found_out = pattern.len == 0 || value_out->len > 0;
	return SIEVE_OK;
}

/* ---- the verdict ---- */

static void
find_text(const struct sieve_scan_settings *scan, struct str status,
	size_t steps, struct verdict *verdict)
{
	size_t i;

	/* Number 0 says that there was no test. */
	for (i = 1; i <= steps + 1; i++)
		if (scan->text_values[i] != NULL &&
			scan->text_values[i][0] != '\0' &&
			str_is(status, scan->text_values[i])) {
			verdict->is_known = true;
			verdict->part = (int64_t)i - 1;
			verdict->whole = (int64_t)steps;
		}
}

static enum sieve_status
find_whole(struct run *run, const struct sieve_scan_settings *scan,
	struct verdict *verdict, bool *found_out)
{
	struct str text = str_trim(str_from(scan->max_value));
	enum sieve_status status = SIEVE_OK;
	bool is_there = true;

	if (scan->max_header != NULL && scan->max_header[0] != '\0')
		status = read_field(run, scan->max_header, &text, &is_there);
	*found_out = is_there && read_number(text, &verdict->whole) &&
	             verdict->whole > 0;
	return status;
}

static void
bound(struct verdict *verdict)
{
	if (verdict->part < 0)
		verdict->part = 0;
	if (verdict->part > verdict->whole)
		verdict->part = verdict->whole;
}

static enum sieve_status
find_verdict(struct run *run, const struct sieve_scan_settings *scan,
	size_t steps, struct verdict *verdict)
{
	struct str status;
	bool is_there;

	*verdict = (struct verdict){.is_known = false};
	if (read_field(run,
		    scan->status_header != NULL ? scan->status_header : "",
		    &status, &is_there) != SIEVE_OK)
		return SIEVE_FAILED;
	if (!is_there)
		return SIEVE_OK;
	if (scan->type == SIEVE_SCAN_TEXT) {
		find_text(scan, status, steps, verdict);
		return SIEVE_OK;
	}
	if (find_whole(run, scan, verdict, &is_there) != SIEVE_OK)
		return SIEVE_FAILED;
	if (!is_there)
		return SIEVE_OK;
	verdict->is_known = true;
	if (scan->type == SIEVE_SCAN_STRLEN)
		verdict->part = (int64_t)utf8_count(status) * SCALE;
	else
		verdict->is_known = read_number(status, &verdict->part);
	bound(verdict);
	return SIEVE_OK;
}

/* The part of `steps`, rounded down but for a thousandth: 1/3 of 3 is 1. */
static unsigned
scaled(const struct verdict *verdict, unsigned steps)
{
	int64_t whole = verdict->whole * 1000;
	int64_t part = verdict->part * 1000 * steps + verdict->whole;

	return (unsigned)(part / whole);
}

/* ---- the tests ---- */

static enum sieve_status
test_scan(struct run *run, const struct call *call,
	const struct sieve_scan_settings *scan, unsigned steps,
	bool *answer_out)
{
	bool is_percent = call_tag(call, GROUP_PERCENT) != NULL;
	struct compare compare;
	struct verdict verdict;
	unsigned number = 0;

	if (compare_start(&compare, run, call, 0) != SIEVE_OK ||
		find_verdict(run, scan, steps, &verdict) != SIEVE_OK)
		return SIEVE_FAILED;
	if (verdict.is_known)
		number = is_percent ? scaled(&verdict, PERCENT_STEPS)
		                    : 1 + scaled(&verdict, steps);
	/* RFC 5235 3.1: the count of what was not tested is 0. */
	if (verdict.is_known || !compare_counts(&compare))
		if (compare_value(&compare, str_from(arena_format(run->scratch,
						    "%u", number))) != SIEVE_OK)
			return SIEVE_FAILED;
	compare_end(&compare, answer_out);
	return SIEVE_OK;
}

static enum sieve_status
test_spamtest(struct run *run, const struct call *call, bool *answer_out)
{
	return test_scan(
		run, call, &run->settings.spam, SPAM_STEPS, answer_out);
}

static enum sieve_status
test_virustest(struct run *run, const struct call *call, bool *answer_out)
{
	return test_scan(
		run, call, &run->settings.virus, VIRUS_STEPS, answer_out);
}

const struct command_ops command_spamtest = {.test = test_spamtest};
const struct command_ops command_virustest = {.test = test_virustest};

/* RFC 5235 3.2: either name brings the test, only the second one :percent. */
const struct extension_ops extension_spamtestplus = {
	.brings = EXTENSION_SPAMTEST,
};
