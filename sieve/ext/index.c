/* SPDX-License-Identifier: MIT */
#include "sieve/ext/index.h"

#include "sieve/check.h"
#include "sieve/current.h"
#include "sieve/registry.h"

#include "base/banned.h"

static void
check_index(
	struct checker *checker, struct call *call, const struct tag_use *use)
{
	call->field_index = use->argument.number;
	if (call->field_index == 0)
		check_error(checker, use->argument.at,
			"the first field has the index 1");
}

static void
check_last(
	struct checker *checker, struct call *call, const struct tag_use *use)
{
	call->counts_from_last = true;
	if (call_tag(call, GROUP_FIELD_INDEX) == NULL)
		check_error(checker, use->at,
			"the :last tag cannot be specified without the :index "
			"tag: it says from which end that counts");
}

const struct tag_ops tag_field_index = {.check = check_index};
const struct tag_ops tag_field_last = {.check = check_last};

bool
index_is_given(const struct call *call)
{
	return call->field_index > 0;
}

/* The field number `wanted`, from 1, and how many were seen on the way. */
static const struct header_field *
walk(const struct run *run, const struct str *names, size_t count,
	uint64_t wanted, uint64_t *seen_out)
{
	const struct header_field *field;
	size_t i;

	*seen_out = 0;
	for (i = 0; i < count; i++)
		for (field = run_field_next(run, names[i], NULL); field != NULL;
			field = run_field_next(run, names[i], field))
			if (++*seen_out == wanted)
				return field;
	return NULL;
}

const struct header_field *
index_field(const struct run *run, const struct call *call,
	const struct str *names, size_t count)
{
	uint64_t wanted = call->field_index, seen;

	if (!call->counts_from_last)
		return walk(run, names, count, wanted, &seen);
	(void)walk(run, names, count, UINT64_MAX, &seen);
	if (wanted > seen)
		return NULL;
	return walk(run, names, count, seen - wanted + 1, &seen);
}
