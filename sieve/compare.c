/* SPDX-License-Identifier: MIT */
#include "sieve/compare.h"

#include "base/number.h"
#include "base/utf8.h"
#include "sieve/check.h"
#include "sieve/ext/extlists.h"

#include "base/banned.h"

enum {
	COMPILE_STEPS = 16, /* for a key that is compiled, and one an octet */
	STEP_OCTETS = 1024, /* of a comparison, for one step */
	TRACED_VALUE = 200, /* bytes of a value that a trace shows */
	TRACED_ALL = 2000   /* bytes of all of them */
};

bool
compare_counts(const struct compare *compare)
{
	return compare->call->match_type->counts;
}

static void
start(struct compare *compare, struct run *run, const struct call *call)
{
	*compare = (struct compare){
		.run = run,
		.call = call,
		.trace = STR_EMPTY,
	};
}

/* What compare_end() will do. */
static enum sieve_status
charge_count(const struct compare *compare)
{
	if (!compare_counts(compare))
		return SIEVE_OK;
	return run_charge(compare->run, 1 + compare->key_count);
}

/* At most, in octets. */
static uint64_t
folded_size(const struct call *call, struct str s)
{
	unsigned growth = call->comparator->growth;

	return (uint64_t)s.len * (growth > 0 ? growth : 1);
}

enum sieve_status
compare_start_keys(struct compare *compare, struct run *run,
	const struct call *call, const struct str *keys, size_t count)
{
	struct match_key *prepared =
		ARENA_ARRAY(run->scratch, struct match_key, count + 1);
	struct err err;
	size_t i;

	start(compare, run, call);
	for (i = 0; i < count; i++) {
		/* A pattern takes a few times its own size. */
		if (run_reserve(run, (uint64_t)keys[i].len * 4 +
					     folded_size(call, keys[i])) !=
			SIEVE_OK)
			return SIEVE_FAILED;
		/* A regular expression is compiled. */
		if (call->match_type->keeps_key &&
			run_charge(run, COMPILE_STEPS + keys[i].len) !=
				SIEVE_OK)
			return SIEVE_FAILED;
		if (match_prepare(run->scratch, call->match_type,
			    call->comparator, run->memory, keys[i],
			    &prepared[i], &err) < 0)
			return run_fail(run, "%s", err.text);
	}
	compare->keys = prepared;
	compare->key_count = count;
	return charge_count(compare);
}

enum sieve_status
compare_start(struct compare *compare, struct run *run, const struct call *call,
	size_t keys)
{
	const struct argument *argument = &call->arguments[keys];
	const struct str *values;

	if (call->keys == NULL) {
		if (run_texts(run, argument, &values) != SIEVE_OK)
			return SIEVE_FAILED;
		return compare_start_keys(
			compare, run, call, values, argument->count);
	}
	start(compare, run, call);
	compare->keys = call->keys;
	compare->key_count = call->key_count;
	return charge_count(compare);
}

/* ---- trace ---- */

static void
add_shortened(struct buf *buf, struct str value)
{
	struct str shown = utf8_cut(value, TRACED_VALUE);

	buf_add_char(buf, '"');
	utf8_add_repaired(buf, shown);
	buf_add_text(buf, shown.len < value.len ? "...\"" : "\"");
}

static void
trace_value(struct compare *compare, struct str value)
{
	struct buf buf;

	if (compare->trace.len > TRACED_ALL)
		return;
	buf_init(&buf, BUF_UNLIMITED);
	buf_add(&buf, compare->trace);
	if (buf.len > 0)
		buf_add_text(&buf, ", ");
	if (buf.len > TRACED_ALL)
		buf_add_text(&buf, "...");
	else
		add_shortened(&buf, value);
	compare->trace = arena_copy(compare->run->scratch, buf_view(&buf));
	buf_clear(&buf);
}

/* " :is ", " :count "gt" " */
static void
add_match_type(struct buf *buf, const struct call *call)
{
	const struct tag_use *use = call_tag(call, GROUP_MATCH_TYPE);

	buf_add_format(buf, " :%s ", use != NULL ? use->tag->name : "is");
	if (use != NULL && use->tag->parameter == PARAMETER_A_STRING)
		buf_add_format(buf, "\"%.*s\" ",
			STR_ARG(use->argument.texts->constant));
}

static void
trace_end(struct compare *compare)
{
	struct buf buf;
	size_t i;

	buf_init(&buf, BUF_UNLIMITED);
	if (compare->trace.len > 0)
		buf_add(&buf, compare->trace);
	else
		buf_add_text(&buf, "nothing");
	add_match_type(&buf, compare->call);
	for (i = 0; i < compare->key_count && buf.len < 2 * TRACED_ALL; i++) {
		if (i > 0)
			buf_add_text(&buf, ", ");
		add_shortened(&buf, compare->keys[i].text);
	}
	if (i < compare->key_count)
		buf_add_text(&buf, ", ...");
	run_trace_test(
		compare->run, compare->call, buf_view(&buf), compare->is_true);
	buf_clear(&buf);
}

/* ---- values ---- */

static enum sieve_status
set_captures(struct run *run, struct str value, const struct match_work *work)
{
	const size_t *places = NULL;
	size_t i;

	if (work->comparator->places != NULL) {
		uint64_t size = (uint64_t)value.len * sizeof(size_t) *
		                (work->comparator->growth + 1);

		if (run_reserve(run, size) != SIEVE_OK)
			return SIEVE_FAILED;
		places = work->comparator->places(run->scratch, value);
	}
	for (i = 0; i < MOST_CAPTURES; i++) {
		struct capture place = {0, 0};
		struct str part = STR_EMPTY;

		if (i < work->count)
			place = work->captures[i];
		if (places != NULL)
			place = (struct capture){
				places[place.from], places[place.to]};
		if (i < work->count)
			part = str_slice(value, place.from, place.to);
		variable_set(run, &run->captures[i], part);
	}
	return SIEVE_OK;
}

/* The comparison's share of the steps that are left, in octets. */
static uint64_t
octets_left(const struct run *run)
{
	uint64_t octets;

	return number_multiply(run->steps, STEP_OCTETS, &octets) ? octets
	                                                         : UINT64_MAX;
}

static enum sieve_status
try_key(struct compare *compare, const struct match_key *key, struct str value,
	struct str folded)
{
	struct run *run = compare->run;
	struct match_work work;
	uint64_t budget = octets_left(run), used;

	work.budget = budget;
	work.is_over = false;
	work.comparator = compare->call->comparator;
	work.relation = compare->call->relation;
	work.memory = run->memory;
	work.scratch = run->scratch;
	work.failure = NULL;
	work.count = 0;
	compare->is_true = compare->call->match_type->match(key, folded, &work);
	used = budget - work.budget;
	/* A comparison that could not be paid for uses up what there is. */
	if (run_charge(run, work.is_over ? run->steps + 1
					 : 1 + used / STEP_OCTETS) != SIEVE_OK)
		return SIEVE_FAILED;
	if (work.failure != NULL)
		return run_fail(run, "%s", work.failure);
	/* RFC 5229 3.2: only a match sets them. */
	if (compare->is_true && work.count > 0 && run->program->uses_captures &&
		!compare->sets_nothing)
		return set_captures(run, value, &work);
	return SIEVE_OK;
}

static enum sieve_status
try_keys(struct compare *compare, struct str value, struct str folded)
{
	size_t i;

	if (compare->call->match_type->asks_lists)
		return extlists_compare(compare, value, folded);
	for (i = 0; i < compare->key_count && !compare->is_true; i++)
		if (try_key(compare, &compare->keys[i], value, folded) !=
			SIEVE_OK)
			return SIEVE_FAILED;
	return SIEVE_OK;
}

/* Traces and counts; false when that is all. */
static bool
begin_value(struct compare *compare, struct str value)
{
	if (run_is_traced(compare->run))
		trace_value(compare, value);
	if (compare_counts(compare))
		compare->counted++;
	return !compare_counts(compare);
}

enum sieve_status
compare_value(struct compare *compare, struct str value)
{
	struct run *run = compare->run;

	if (!begin_value(compare, value))
		return SIEVE_OK;
	if (run_reserve(run, folded_size(compare->call, value)) != SIEVE_OK)
		return SIEVE_FAILED;
	return try_keys(compare, value,
		comparator_fold(
			compare->call->comparator, run->scratch, value));
}

enum sieve_status
compare_field_text(struct compare *compare, struct field_text *text)
{
	struct str lower;

	if (compare->call->comparator != &comparator_ascii_casemap)
		return compare_value(compare, text->value);
	if (!begin_value(compare, text->value))
		return SIEVE_OK;
	if (fields_lower(compare->run, text, &lower) != SIEVE_OK)
		return SIEVE_FAILED;
	return try_keys(compare, text->value, lower);
}

/* RFC 5231 4.2: the number as a string against the keys. */
static void
match_counted(struct compare *compare)
{
	const struct call *call = compare->call;
	struct str text = str_from(arena_format(compare->run->scratch, "%llu",
		(unsigned long long)compare->counted));
	struct match_work work = {
		.budget = UINT64_MAX,
		.comparator = call->comparator,
		.relation = call->relation,
	};
	size_t i;

	text = comparator_fold(call->comparator, compare->run->scratch, text);
	for (i = 0; i < compare->key_count && !compare->is_true; i++)
		compare->is_true =
			call->match_type->match(&compare->keys[i], text, &work);
}

void
compare_end(struct compare *compare, bool *answer_out)
{
	if (compare_counts(compare))
		match_counted(compare);
	if (run_is_traced(compare->run))
		trace_end(compare);
	*answer_out = compare->is_true;
}
