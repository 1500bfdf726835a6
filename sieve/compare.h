/* compare - the values of one test against its keys
 *
 *   compare_start()              keys made ready
 *   compare_value() ...          once for each value, until the answer is known
 *   compare_end()                the answer, match variables, trace
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_COMPARE_H
#define SIEVE_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "sieve/evaluate.h"
#include "sieve/fields.h"
#include "sieve/match.h"

struct compare {
	struct run *run;
	const struct call *call;
	const struct match_key *keys;
	size_t key_count;
	bool is_true;      /* nothing more needs to be compared */
	bool sets_nothing; /* no match variables (RFC 5173 6) */
	uint64_t counted;  /* values so far, for :count */
	struct str trace;  /* values so far; only when somebody wants to see */
};

/* The keys are the call's argument number `keys`. */
MUST_USE enum sieve_status compare_start(struct compare *compare,
	struct run *run, const struct call *call, size_t keys);

/* The keys are these. */
MUST_USE enum sieve_status compare_start_keys(struct compare *compare,
	struct run *run, const struct call *call, const struct str *keys,
	size_t count);

/* :count: values are only counted, the answer comes at the end. */
bool compare_counts(const struct compare *compare);

/* Sets is_true when a key matches. */
MUST_USE enum sieve_status compare_value(
	struct compare *compare, struct str value);

/* The same; the forms that comparators make of the text are kept with it. */
MUST_USE enum sieve_status compare_field_text(
	struct compare *compare, struct field_text *text);

void compare_end(struct compare *compare, bool *answer_out);

#endif
