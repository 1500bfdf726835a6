/* SPDX-License-Identifier: MIT */
#include "sieve/current.h"

#include "sieve/part.h"

#include "base/banned.h"

enum {
	FIELDS_FOR_A_STEP = 64, /* that a walk looks at */
	STEP_OCTETS = 16 * 1024 /* that are only counted */
};

const struct header_field *
run_field_next(const struct run *run, struct str name,
	const struct header_field *after)
{
	if (run->edited == NULL)
		return message_field_next(run->message, name, after);
	return edited_field_next(run->edited, name, after);
}

const struct header_field *
run_field_after(const struct run *run, const struct header_field *after)
{
	const struct header_field *fields;
	size_t count, next;

	if (run->edited != NULL)
		return edited_field_after(run->edited, after);
	fields = message_fields(run->message, &count);
	next = after != NULL ? (size_t)(after - fields) + 1 : 0;
	return next < count ? fields + next : NULL;
}

enum sieve_status
run_charge_fields(struct run *run)
{
	size_t count;

	if (run->edited != NULL)
		count = edited_field_count(run->edited);
	else
		(void)message_fields(run->message, &count);
	return run_charge(run, 1 + count / FIELDS_FOR_A_STEP);
}

enum sieve_status
run_size(struct run *run, uint64_t *size_out)
{
	*size_out = message_size_crlf(run->message);
	if (run->edited == NULL)
		return SIEVE_OK;
	if (run_charge(run, 1 + *size_out / STEP_OCTETS) != SIEVE_OK ||
		run_reserve(run, edited_content_cost(run->edited)) != SIEVE_OK)
		return SIEVE_FAILED;
	if (edited_size_crlf(run->edited, size_out, run->err) < 0)
		return SIEVE_TEMPORARY;
	return SIEVE_OK;
}

enum sieve_status
run_content(struct run *run, const struct content **content_out)
{
	if (run->edited != NULL && run->content == NULL) {
		uint64_t cost = edited_content_cost(run->edited);

		if (run_reserve(run, cost) != SIEVE_OK ||
			run_charge(run, 1 + cost / STEP_OCTETS) != SIEVE_OK)
			return SIEVE_FAILED;
		run->content = edited_content(run->result->arena, run->edited);
	}
	*content_out = run->content;
	return SIEVE_OK;
}

/* RFC 5703 6: enclose does not affect what is redirected. */
enum sieve_status
run_action_content(struct run *run, struct sieve_action *action)
{
	const struct content *innermost =
		run->edited != NULL ? edited_innermost(run->edited) : NULL;

	if (action->kind != SIEVE_REDIRECT || innermost == NULL)
		return run_content(run, &action->content);
	action->content = innermost;
	return SIEVE_OK;
}

struct edited *
run_edit(struct run *run)
{
	struct arena *arena = run->result->arena;

	if (run->edited == NULL)
		run->edited = edited_of(arena, run->message);
	run->content = NULL;
	return run->edited;
}

void
run_set_message(struct run *run, const struct message *message)
{
	run->message = message;
	run->edited = NULL;
	run->content = NULL;
	/* The new one may lie where the old one lay. */
	parts_forget(run);
	run->field_texts = NULL;
}

/* Of what a script before it has changed this run gets a copy of its own: when it
 * fails, that script's word stands. */
void
current_begin(struct run *run)
{
	struct sieve_result *result = run->result;

	if (result->edited == NULL ||
		edited_message(result->edited) != run->message)
		return;
	run->edited = edited_copy(result->arena, result->edited);
	run->content = result->content;
}

void
current_end(struct run *run)
{
	struct sieve_result *result = run->result;

	if (run->edited != NULL && run->content == NULL)
		run->content = edited_content(result->arena, run->edited);
	result->edited = run->edited;
	result->content = run->content;
}
