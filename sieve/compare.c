/* SPDX-License-Identifier: MIT */
#include "sieve/compare.h"

#include "base/number.h"
#include "base/utf8.h"

#include "base/banned.h"

enum {
	STEP_OCTETS = 1024, /* of a comparison, for one step */
	TRACED_VALUE = 200, /* bytes of a value that a trace shows */
	TRACED_ALL = 2000   /* bytes of all of them */
};

static void
start(struct compare *compare, struct run *run, const struct call *call)
{
	*compare = (struct compare){
		.run = run,
		.call = call,
		.trace = STR_EMPTY,
	};
}

enum sieve_status
compare_start_keys(struct compare *compare, struct run *run,
	const struct call *call, const struct str *keys, size_t count)
{
	struct match_key *prepared =
		ARENA_ARRAY(run->scratch, struct match_key, count + 1);
	size_t i;

	start(compare, run, call);
	for (i = 0; i < count; i++) {
		/* A pattern takes a few times its own size. */
		if (run_reserve(run, keys[i].len * 4) != SIEVE_OK)
			return SIEVE_FAILED;
		match_prepare(run->scratch, call->match_type, call->comparator,
			keys[i], &prepared[i]);
	}
	compare->keys = prepared;
	compare->key_count = count;
	return SIEVE_OK;
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
	return SIEVE_OK;
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

static const char *
match_name(const struct call *call)
{
	size_t i;

	for (i = 0; i < call->tag_count; i++)
		if (call->tags[i].tag->group == GROUP_MATCH_TYPE)
			return call->tags[i].tag->name;
	return "is";
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
	buf_add_format(&buf, " :%s ", match_name(compare->call));
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

static void
set_captures(struct run *run, struct str value, const struct match_work *work)
{
	size_t i;

	for (i = 0; i < MOST_CAPTURES; i++) {
		struct str part = STR_EMPTY;

		if (i < work->count)
			part = str_slice(value, work->captures[i].from,
				work->captures[i].to);
		variable_set(run, &run->captures[i], part);
	}
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
	work.count = 0;
	compare->is_true = compare->call->match_type->match(key, folded, &work);
	used = budget - work.budget;
	/* A comparison that could not be paid for uses up what there is. */
	if (run_charge(run, work.is_over ? run->steps + 1
					 : 1 + used / STEP_OCTETS) != SIEVE_OK)
		return SIEVE_FAILED;
	/* RFC 5229 3.2: only a match sets them. */
	if (compare->is_true && work.count > 0 && run->program->uses_captures)
		set_captures(run, value, &work);
	return SIEVE_OK;
}

enum sieve_status
compare_value(struct compare *compare, struct str value)
{
	struct run *run = compare->run;
	struct str folded;
	size_t i;

	if (run_is_traced(run))
		trace_value(compare, value);
	if (run_reserve(run, value.len) != SIEVE_OK)
		return SIEVE_FAILED;
	folded =
		comparator_fold(compare->call->comparator, run->scratch, value);
	for (i = 0; i < compare->key_count && !compare->is_true; i++)
		if (try_key(compare, &compare->keys[i], value, folded) !=
			SIEVE_OK)
			return SIEVE_FAILED;
	return SIEVE_OK;
}

void
compare_end(struct compare *compare, bool *answer_out)
{
	if (run_is_traced(compare->run))
		trace_end(compare);
	*answer_out = compare->is_true;
}
