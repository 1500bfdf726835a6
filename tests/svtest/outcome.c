/* Results of scripts: executed by deliver/, listed for test_result_action
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>

#include "base/log.h"
#include "sieve/result.h"
#include "deliver/detail.h"
#include "deliver/execute.h"
#include "deliver/notices.h"
#include "deliver/plan.h"
#include "deliver/report.h"
#include "deliver/setup.h"
#include "tests/svtest/world.h"

#include "base/banned.h"

void
outcome_reset(struct world *world)
{
	world->result.count = 0;
	world->result.mark_count = 0;
	world->result.implicit_keep = true;
	world->result.flags = world->message_flags;
	world->executed.count = 0;
	world->held_count = 0;
	world->done_folders.count = 0;
	world->done_addresses.count = 0;
	world->is_refused = world->is_answered = false;
	world->result.has_answered = false;
}

void
outcome_hold(struct world *world)
{
	while (world->held_count < world->result.count) {
		if (world->held_count == world->held_size) {
			size_t size =
				world->held_size ? world->held_size * 2 : 8;

			world->held = arena_grow(world->arena, world->held,
				sizeof(*world->held), world->held_count, size);
			world->held_size = size;
		}
		world->held[world->held_count++] = world->job.message;
	}
}

/* ---- once is enough ---- */

static void
note(struct arena *arena, struct done *done, struct str name)
{
	if (done->count == done->size) {
		size_t size = done->size ? done->size * 2 : 8;

		done->items = arena_grow(arena, done->items,
			sizeof(*done->items), done->count, size);
		done->size = size;
	}
	done->items[done->count++] = arena_copy(arena, name);
}

static bool
has_folder(const struct world *world, struct str name)
{
	size_t i;

	for (i = 0; i < world->done_folders.count; i++)
		if (store_is_same_folder(world->delivery_work.store,
			    world->done_folders.items[i], name))
			return true;
	return false;
}

static bool
has_address(const struct world *world, struct str address)
{
	size_t i;

	for (i = 0; i < world->done_addresses.count; i++)
		if (str_equal(world->done_addresses.items[i], address))
			return true;
	return false;
}

/* What an earlier execution of the same result has done is left out. */
static void
drop_done(struct world *world, struct plan *plan)
{
	size_t i, kept = 0;

	for (i = 0; i < plan->copy_count; i++)
		if (!has_folder(world, plan->copies[i].folder)) {
			note(world->arena, &world->done_folders,
				plan->copies[i].folder);
			plan->copies[kept++] = plan->copies[i];
		}
	plan->copy_count = kept;
	kept = 0;
	for (i = 0; i < plan->redirect_count; i++)
		if (!has_address(world, plan->redirects[i].address)) {
			note(world->arena, &world->done_addresses,
				plan->redirects[i].address);
			plan->redirects[kept++] = plan->redirects[i];
		}
	plan->redirect_count = kept;
	if (world->is_refused)
		plan->refusal = NULL;
	world->is_refused |= plan->refusal != NULL;
	if (world->is_answered)
		world->delivery_work.notices.count = 0;
	world->is_answered |= world->delivery_work.notices.count > 0;
}

/* ---- executing ---- */

static bool
has_fallen_back(const struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->copy_count; i++) {
		const struct plan_copy *copy = &plan->copies[i];

		if (copy->is_dropped ||
			(copy->is_default && copy->action != NULL &&
				copy->action->kind != SIEVE_KEEP))
			return true;
	}
	return false;
}

static bool
has_failed_pipe(const struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->pipe_count; i++)
		if (plan->pipes[i].has_failed &&
			!plan->pipes[i].action->pipe.is_try)
			return true;
	return false;
}

static int
decide(struct world *world, struct err *err)
{
	world->delivery_work.notices = (struct work_notices){NULL, 0, 0};
	if (detail_choose_folder(&world->job, &world->delivery, err) < 0)
		return -1;
	world->delivery_work.notices.count = 0;
	plan_build(&world->job, &world->delivery);
	drop_done(world, world->delivery_work.plan);
	return 0;
}

/* Does what these actions want with this message; false unless all of it was
 * done. */
static bool
execute(struct world *world, const struct message *message, size_t from,
	size_t to, bool implicit_keep)
{
	struct delivery_work *work = &world->delivery_work;
	const struct message *current = world->job.message;
	struct job *jobs[] = {&world->job};
	struct batch batch = {.jobs = jobs, .count = 1, .arena = world->arena};
	bool is_good = false;
	struct err err;

	work->script.result = (struct sieve_result){.arena = world->arena,
		.actions = world->result.actions + from,
		.count = to - from,
		.implicit_keep = implicit_keep,
		.flags = world->result.flags};
	/* What the implicit keep is about, when it is about this message. */
	if (world->result.content != NULL &&
		world->result.content->message == message)
		work->script.result.content = world->result.content;
	world->job_work = (struct job_work){.bytes = NULL};
	world->delivery.outcome = DELIVER_PENDING;
	world->job.message = message;
	report_begin(&world->job, &world->delivery);
	if (decide(world, &err) < 0) {
		errors_add(world, str_from(err_log_text(&err)));
	} else {
		execute_plans(&batch);
		notices_hand_over(jobs, 1);
		is_good = world->delivery.outcome != DELIVER_FAILED &&
		          !has_fallen_back(work->plan) &&
		          !has_failed_pipe(work->plan);
		if (world->delivery.outcome == DELIVER_FAILED)
			errors_add(world,
				str_from(err_log_text(&world->delivery.err)));
	}
	world->job.message = current;
	return is_good;
}

bool
outcome_execute(struct world *world)
{
	bool keeps = world->result.implicit_keep, is_good = true;
	size_t from, to, count = world->result.count;

	outcome_hold(world);
	for (from = 0; from < count; from = to) {
		bool is_last;

		for (to = from + 1; to < count; to++)
			if (world->held[to] != world->held[from])
				break;
		is_last =
			to == count && world->held[from] == world->job.message;
		is_good &= execute(
			world, world->held[from], from, to, keeps && is_last);
		keeps = keeps && !is_last;
	}
	if (keeps)
		is_good &=
			execute(world, world->job.message, count, count, true);
	for (from = 0; from < count; from++)
		result_add(&world->executed, &world->result.actions[from]);
	world->result.count = world->held_count = 0;
	world->result.has_answered = false;
	errors_read_log(world);
	return is_good;
}

/* ---- names ---- */

struct entry {
	struct str name, what;
};

static struct entry
entry_of(struct world *world, const struct sieve_action *action)
{
	struct str text = sieve_action_text(world->arena, action);
	struct entry entry = {
		str_slice(text, 0, str_find_char(text, ' ')), text};

	if (action->kind == SIEVE_FILEINTO) {
		entry.name = STR("store");
		entry.what = action->fileinto.mailbox;
	}
	if (str_is(entry.name, "ereject"))
		entry.name = STR("reject");
	if (action->kind == SIEVE_KEEP ||
		(action->kind == SIEVE_FILEINTO &&
			str_is_nocase(entry.what, "INBOX")))
		entry.what = STR("INBOX");
	return entry;
}

/* Keep and store into INBOX are one thing, and its name is keep. */
static void
add_entry(struct entry *entries, size_t *count, struct entry entry)
{
	size_t i;

	for (i = 0; i < *count; i++) {
		if (!str_equal(entries[i].what, entry.what))
			continue;
		if (str_is(entry.name, "keep"))
			entries[i].name = entry.name;
		return;
	}
	entries[(*count)++] = entry;
}

static bool
is_mail(struct str name)
{
	return str_is(name, "redirect") || str_is(name, "vacation") ||
	       str_is(name, "notify");
}

const struct str *
outcome_targets(struct world *world, struct str name, size_t *count_out)
{
	const struct sieve_result *lists[] = {&world->executed, &world->result};
	size_t all = world->executed.count + world->result.count, i, j;
	struct str *targets = ARENA_ARRAY(world->arena, struct str, all + 1);

	*count_out = 0;
	if (!str_is(name, "redirect"))
		return targets;
	for (i = 0; i < ARRAY_LENGTH(lists); i++)
		for (j = 0; j < lists[i]->count; j++) {
			const struct sieve_action *action =
				&lists[i]->actions[j];

			if (action->kind == SIEVE_REDIRECT)
				targets[(*count_out)++] =
					action->redirect.address;
		}
	return targets;
}

const struct str *
outcome_names(struct world *world, size_t *count_out)
{
	const struct sieve_result *lists[] = {&world->executed, &world->result};
	size_t marks = world->result.mark_count;
	size_t all = world->executed.count + world->result.count + marks, i, j;
	struct entry *entries =
		ARENA_ARRAY(world->arena, struct entry, all + 1);
	struct str *names = ARENA_ARRAY(world->arena, struct str, all + 1);

	*count_out = 0;
	for (i = 0; i < ARRAY_LENGTH(lists); i++)
		for (j = 0; j < lists[i]->count; j++)
			add_entry(entries, count_out,
				entry_of(world, &lists[i]->actions[j]));
	for (i = 0; i < *count_out; i++)
		names[i] = world->is_stalwart && is_mail(entries[i].name)
		                   ? STR("send_message")
		                   : entries[i].name;
	for (i = 0; i < marks; i++)
		names[(*count_out)++] = STR("duplicate_mark");
	return names;
}

const struct str *
outcome_texts(struct world *world, size_t *count_out)
{
	const struct sieve_result *lists[] = {&world->executed, &world->result};
	size_t all = world->executed.count + world->result.count, i, j;
	struct str *texts = ARENA_ARRAY(world->arena, struct str, all + 1);

	*count_out = 0;
	for (i = 0; i < ARRAY_LENGTH(lists); i++)
		for (j = 0; j < lists[i]->count; j++) {
			const struct sieve_action *action =
				&lists[i]->actions[j];

			texts[(*count_out)++] =
				str_from(arena_format(world->arena, "%.*s%s",
					STR_ARG(sieve_action_text(
						world->arena, action)),
					sieve_action_tags(action)));
		}
	return texts;
}

static void
print_list(struct world *world, const char *title,
	const struct sieve_result *result)
{
	size_t i;

	printf("%s:\n", title);
	for (i = 0; i < result->count; i++)
		printf("  %.*s%s\n",
			STR_ARG(sieve_action_text(
				world->arena, &result->actions[i])),
			sieve_action_tags(&result->actions[i]));
}

void
outcome_print(struct world *world)
{
	print_list(world, "executed", &world->executed);
	print_list(world, "wanted", &world->result);
	printf("implicit keep: %s\n",
		world->result.implicit_keep ? "yes" : "no");
}
