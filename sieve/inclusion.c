/* SPDX-License-Identifier: MIT */
#include "sieve/inclusion.h"

#include "base/banned.h"

/* The includer, while a script that it includes runs. */
struct run_frame {
	size_t script;
	size_t next;  /* instruction */
	size_t loops; /* that it is in */
	struct variable captures[MOST_CAPTURES];
};

static const char *
script_name(struct run *run, size_t script)
{
	if (run->script_names[script] == NULL)
		run->script_names[script] = arena_text(run->result->arena,
			str_from(run->program->scripts[script].name));
	return run->script_names[script];
}

static void
set_script(struct run *run, size_t script)
{
	run->current = script;
	run->script = script_name(run, script);
	run->reporter.script = run->script;
}

void
inclusion_start(struct run *run)
{
	size_t count = run->program->script_count;

	run->script_names = ARENA_ARRAY(run->kept, const char *, count);
	run->script_uses = ARENA_ARRAY(run->kept, enum script_use, count);
	run->script_uses[0] = SCRIPT_RUNNING;
	set_script(run, 0);
}

static void
empty(struct variable *variables, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		variables[i].len = 0;
}

static void
swap_captures(struct run *run, struct run_frame *frame)
{
	struct variable captures[MOST_CAPTURES];

	memcpy(captures, run->captures, sizeof(captures));
	memcpy(run->captures, frame->captures, sizeof(captures));
	memcpy(frame->captures, captures, sizeof(captures));
}

static struct run_frame *
frame_at(struct run *run, size_t depth)
{
	if (run->frames == NULL)
		run->frames = ARENA_ARRAY(run->kept, struct run_frame *,
			run->settings.max_include_depth);
	if (run->frames[depth] == NULL)
		run->frames[depth] = ARENA_NEW(run->kept, struct run_frame);
	return run->frames[depth];
}

static enum sieve_status
check_call(struct run *run, size_t script)
{
	const char *name = run->program->scripts[script].name;

	if (run->script_uses[script] == SCRIPT_RUNNING)
		return run_fail(run, "the script %s includes itself", name);
	if (run->depth == run->settings.max_include_depth)
		return run_fail(run,
			"scripts include each other deeper than %zu "
			"(sieve_include_max_nesting_depth)",
			run->settings.max_include_depth);
	return run_charge(run, run->program->scripts[script].local_count / 8);
}

enum sieve_status
inclusion_begin(struct run *run, const struct call *call, size_t *at)
{
	size_t script = call->inclusion->script, i;
	const struct program_script *target = &run->program->scripts[script];
	struct run_frame *frame;

	if (call->inclusion->is_once && run->script_uses[script] != SCRIPT_NEW)
		return SIEVE_OK;
	if (check_call(run, script) != SIEVE_OK)
		return SIEVE_FAILED;
	run_trace_command(run, call, str_from(target->name));
	frame = frame_at(run, run->depth++);
	frame->script = run->current;
	frame->next = *at;
	frame->loops = run->loop_count;
	swap_captures(run, frame);
	empty(run->captures, MOST_CAPTURES);
	for (i = 0; i < target->local_count; i++)
		run->variables[target->locals[i]].len = 0;
	run->script_uses[script] = SCRIPT_RUNNING;
	set_script(run, script);
	*at = target->start;
	return run_reserve(run, 0);
}

bool
inclusion_end(struct run *run, size_t *at)
{
	struct run_frame *frame;

	run->script_uses[run->current] = SCRIPT_DONE;
	if (run->depth == 0)
		return false;
	frame = run->frames[--run->depth];
	swap_captures(run, frame);
	set_script(run, frame->script);
	*at = frame->next;
	/* It may have returned out of some of its own. */
	run->loop_count = frame->loops;
	return true;
}
