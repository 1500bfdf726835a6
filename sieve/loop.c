/* SPDX-License-Identifier: MIT */
#include "sieve/loop.h"

#include "base/banned.h"

static const struct loop *
innermost(const struct run *run)
{
	return run->loop_count > 0 ? &run->loops[run->loop_count - 1] : NULL;
}

bool
loop_part(const struct run *run, struct parts **parts_out, size_t *index_out)
{
	const struct loop *loop = innermost(run);

	if (loop == NULL)
		return false;
	*parts_out = loop->parts;
	*index_out = loop->part;
	return true;
}

enum sieve_status
loop_begin(struct run *run)
{
	const struct loop *outer = innermost(run);
	struct loop *loop;
	struct parts *parts;
	enum sieve_status status;

	if (run->loop_count == MOST_LOOPS)
		return run_fail(run, "more than %d loops within each other",
			MOST_LOOPS);
	loop = &run->loops[run->loop_count];
	if (outer != NULL) {
		loop->parts = outer->parts;
		loop->next = outer->part + 1;
		loop->end = outer->parts->mime->parts[outer->part].next;
	} else {
		status = run_parts(run, &parts);
		if (status != SIEVE_OK)
			return status;
		loop->parts = parts;
		loop->next = 0;
		loop->end = parts->mime->count;
	}
	loop->part = loop->next;
	run->loop_count++;
	return SIEVE_OK;
}

void
loop_drop_children(struct parts *parts, size_t index)
{
	size_t end = parts->mime->parts[index].next, i;

	for (i = index + 1; i < end; i++)
		parts->bytes[i].is_gone = true;
}

bool
loop_next(struct run *run)
{
	struct loop *loop = &run->loops[run->loop_count - 1];

	while (loop->next < loop->end && loop->parts->bytes[loop->next].is_gone)
		loop->next++;
	if (loop->next == loop->end) {
		run->loop_count--;
		return false;
	}
	loop->part = loop->next++;
	return true;
}

void
loop_leave(struct run *run, size_t count)
{
	run->loop_count -= count;
}
