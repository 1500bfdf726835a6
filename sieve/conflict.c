/* SPDX-License-Identifier: MIT */
#include "sieve/conflict.h"

#include <string.h>

#include "base/banned.h"

enum effect { NOTHING, DELIVERS, REFUSES, ANSWERS };

static enum effect
effect_of(const struct sieve_action *action)
{
	switch (action->kind) {
	case SIEVE_KEEP:
	case SIEVE_FILEINTO:
	case SIEVE_REDIRECT:
	case SIEVE_PIPE:
		return DELIVERS;
	case SIEVE_REJECT:
		return REFUSES;
	case SIEVE_VACATION:
		return ANSWERS;
	case SIEVE_DISCARD:
	case SIEVE_NOTIFY:
	case SIEVE_REPORT:
		break;
	}
	return NOTHING;
}

static const char *
name_of(const struct sieve_action *action)
{
	switch (action->kind) {
	case SIEVE_KEEP:
		return "keep";
	case SIEVE_FILEINTO:
		return "fileinto";
	case SIEVE_REDIRECT:
		return "redirect";
	case SIEVE_PIPE:
		return "pipe";
	case SIEVE_DISCARD:
		return "discard";
	case SIEVE_VACATION:
		return "vacation";
	case SIEVE_NOTIFY:
		return "notify";
	case SIEVE_REPORT:
		return "report";
	case SIEVE_REJECT:
		break;
	}
	return action->reject.by_protocol ? "ereject" : "reject";
}

/* NULL: they go together. */
static const char *
what_is_wrong(enum effect a, enum effect b)
{
	if (a == REFUSES && b == REFUSES)
		return "a message is refused once";
	if ((a == REFUSES && b == DELIVERS) || (a == DELIVERS && b == REFUSES))
		return "a message is either refused or delivered";
	if (a == ANSWERS && b == REFUSES)
		return "a refusal is all the answer there is";
	return NULL;
}

static const char *
place_of(const struct run *run, const struct sieve_action *action)
{
	const char *line = arena_format(run->scratch, "line %u", action->line);

	return strcmp(action->script, run->script) == 0
	               ? line
	               : arena_format(run->scratch, "%s of '%s'", line,
				 action->script);
}

enum sieve_status
conflict_check(struct run *run, const struct sieve_action *action)
{
	const struct sieve_result *result = run->result;
	enum effect effect = effect_of(action);
	size_t i;

	/* That one need not be among the actions. */
	if (effect == REFUSES && result->has_answered)
		return run_fail(run,
			"%s conflicts with the vacation before it: a refusal "
			"is all the answer there is",
			name_of(action));
	for (i = run->first_action; i < result->count; i++) {
		const struct sieve_action *other = &result->actions[i];
		const char *wrong = what_is_wrong(effect, effect_of(other));

		if (wrong != NULL)
			return run_fail(run,
				"%s conflicts with the %s in %s: %s",
				name_of(action), name_of(other),
				place_of(run, other), wrong);
	}
	return SIEVE_OK;
}
