/* SPDX-License-Identifier: MIT */
#include "deliver/plan.h"

#include "deliver/abuse.h"
#include "deliver/notify.h"
#include "deliver/receipt.h"
#include "deliver/redirect.h"
#include "deliver/report.h"
#include "deliver/setup.h"
#include "deliver/vacation.h"
#include "deliver/work.h"

#include "base/banned.h"

static const struct str inbox = {"INBOX", 5};

static unsigned
flags_to_store(const struct sieve_flags *flags)
{
	static const struct {
		const char *name;
		unsigned flag;
	} names[] = {{"\\Seen", STORE_SEEN}, {"\\Answered", STORE_ANSWERED},
		{"\\Flagged", STORE_FLAGGED}, {"\\Deleted", STORE_DELETED},
		{"\\Draft", STORE_DRAFT}};
	unsigned result = 0;
	size_t i, n;

	for (i = 0; i < flags->count; i++)
		for (n = 0; n < ARRAY_LENGTH(names); n++)
			if (str_is_nocase(flags->items[i], names[n].name))
				result |= names[n].flag;
	return result;
}

static bool
has_keyword(const struct plan_copy *copy, struct str keyword)
{
	size_t i;

	for (i = 0; i < copy->keyword_count; i++)
		if (str_equal_nocase(copy->keywords[i], keyword))
			return true;
	return false;
}

/* RFC 5232 2: what is no system flag is a keyword. */
static void
add_keywords(struct job *job, struct plan_copy *copy, const struct str *names,
	size_t count)
{
	struct str *all = ARENA_ARRAY(
		job->arena, struct str, copy->keyword_count + count);
	size_t i;

	for (i = 0; i < copy->keyword_count; i++)
		all[i] = copy->keywords[i];
	copy->keywords = all;
	for (i = 0; i < count; i++)
		if (!str_starts(names[i], STR("\\")) &&
			!has_keyword(copy, names[i]))
			all[copy->keyword_count++] = names[i];
}

void
plan_set_flags(struct job *job, struct plan_copy *copy,
	const struct sieve_flags *flags)
{
	copy->store_flags = flags_to_store(flags);
	add_keywords(job, copy, flags->items, flags->count);
}

static struct plan_copy *
find_copy(const struct delivery *delivery, struct str folder)
{
	const struct plan *plan = delivery->work->plan;
	size_t i;

	for (i = 0; i < plan->copy_count; i++)
		if (store_is_same_folder(delivery->work->store,
			    plan->copies[i].folder, folder))
			return &plan->copies[i];
	return NULL;
}

static void
add_copy(struct job *job, const struct delivery *delivery,
	struct plan_copy wanted, const struct sieve_flags *flags)
{
	struct plan *plan = delivery->work->plan;
	struct plan_copy *same = find_copy(delivery, wanted.folder);

	wanted.wanted = wanted.folder;
	if (flags != NULL)
		plan_set_flags(job, &wanted, flags);
	if (same != NULL) {
		/* RFC 5232 3: the last list wins; the implicit keep, which has
		 * none of its own, takes no flag away. */
		if (wanted.action != NULL) {
			same->store_flags = 0;
			same->keyword_count = 0;
		}
		same->store_flags |= wanted.store_flags;
		add_keywords(job, same, wanted.keywords, wanted.keyword_count);
		same->create |= wanted.create;
		return;
	}
	if (plan->copy_count == plan->copy_size) {
		plan->copy_size = plan->copy_size ? plan->copy_size * 2 : 4;
		plan->copies = arena_grow(job->arena, plan->copies,
			sizeof(*plan->copies), plan->copy_count,
			plan->copy_size);
	}
	plan->copies[plan->copy_count++] = wanted;
}

static void
add_redirect(struct job *job, struct plan *plan, struct plan_redirect wanted)
{
	size_t i;

	for (i = 0; i < plan->redirect_count; i++)
		if (str_equal(plan->redirects[i].address, wanted.address))
			return;
	if (plan->redirect_count == plan->redirect_size) {
		plan->redirect_size =
			plan->redirect_size ? plan->redirect_size * 2 : 4;
		plan->redirects = arena_grow(job->arena, plan->redirects,
			sizeof(*plan->redirects), plan->redirect_count,
			plan->redirect_size);
	}
	plan->redirects[plan->redirect_count++] = wanted;
}

static void
add_pipe(struct job *job, struct plan *plan, struct plan_pipe wanted)
{
	if (plan->pipe_count == plan->pipe_size) {
		plan->pipe_size = plan->pipe_size ? plan->pipe_size * 2 : 4;
		plan->pipes = arena_grow(job->arena, plan->pipes,
			sizeof(*plan->pipes), plan->pipe_count,
			plan->pipe_size);
	}
	plan->pipes[plan->pipe_count++] = wanted;
}

static struct plan_copy
default_copy(struct job *job, const struct delivery *delivery,
	const struct content *content, const struct sieve_action *action)
{
	return (struct plan_copy){.folder = delivery->work->folder,
		.bytes = setup_bytes(job, delivery, content),
		.is_default = true,
		.create = delivery->work->creates_folder,
		.action = action};
}

static void
add_action(struct job *job, struct delivery *delivery,
	const struct sieve_action *action)
{
	struct plan *plan = delivery->work->plan;

	switch (action->kind) {
	case SIEVE_KEEP:
		add_copy(job, delivery,
			default_copy(job, delivery, action->content, action),
			&action->keep.flags);
		break;
	case SIEVE_FILEINTO:
		add_copy(job, delivery,
			(struct plan_copy){.folder = action->fileinto.mailbox,
				.bytes = setup_bytes(
					job, delivery, action->content),
				.create = action->fileinto.create,
				.action = action},
			&action->fileinto.flags);
		break;
	case SIEVE_REDIRECT:
		add_redirect(job, plan,
			(struct plan_redirect){
				.address = action->redirect.address,
				.content = action->content,
				.action = action});
		break;
	case SIEVE_PIPE:
		add_pipe(job, plan,
			(struct plan_pipe){
				.content = action->content, .action = action});
		break;
	case SIEVE_REJECT:
		plan->refusal = action;
		break;
	case SIEVE_VACATION:
		vacation_plan(job, delivery, action);
		break;
	case SIEVE_NOTIFY:
		notify_plan(job, delivery, action);
		break;
	case SIEVE_REPORT:
		abuse_plan(job, delivery, action);
		break;
	case SIEVE_DISCARD:
		break;
	}
}

bool
plan_hold(struct job *job, struct delivery *delivery,
	const struct content *content)
{
	if (delivery->work->plan->copy_count > 0)
		return false;
	add_copy(job, delivery, default_copy(job, delivery, content, NULL),
		NULL);
	return true;
}

/* A redirect that is not to be made, and mail that nobody would hold then. */
static void
sort_redirect(struct job *job, struct delivery *delivery,
	const struct plan_redirect *redirect)
{
	struct plan *plan = delivery->work->plan;
	const char *why;

	switch (redirect_need(job, delivery, redirect, &why)) {
	case REDIRECT_WANTED:
		plan->redirects[plan->redirect_count++] = *redirect;
		break;
	case REDIRECT_DONE:
		plan->done_redirects[plan->done_count++] = redirect->address;
		report_line(job, delivery, NULL,
			"forwarded to <%.*s> by an earlier try",
			STR_ARG(redirect->address));
		break;
	case REDIRECT_UNWANTED:
		plan->refrained[plan->refrained_count++] =
			(struct plan_refrained){
				.address = redirect->address, .why = why};
		report_line(job, delivery, NULL, "not forwarded to <%.*s>: %s",
			STR_ARG(redirect->address), why);
		plan_hold(job, delivery, redirect->content);
		break;
	}
}

static void
sort_redirects(struct job *job, struct delivery *delivery)
{
	struct plan *plan = delivery->work->plan;
	size_t count = plan->redirect_count, i;

	plan->redirect_count = 0;
	plan->done_redirects = ARENA_ARRAY(job->arena, struct str, count);
	plan->refrained = ARENA_ARRAY(job->arena, struct plan_refrained, count);
	for (i = 0; i < count; i++) {
		struct plan_redirect redirect = plan->redirects[i];

		sort_redirect(job, delivery, &redirect);
	}
}

/* Of the implicit keep. */
static struct plan_copy
keep_copy(struct job *job, const struct delivery *delivery,
	const struct sieve_result *result)
{
	struct plan_copy copy =
		default_copy(job, delivery, result->content, NULL);

	if (result->keep_target.len > 0) {
		copy.folder = result->keep_target;
		copy.create = result->keep_target_create;
		copy.is_default = false;
	}
	return copy;
}

void
plan_build(struct job *job, struct delivery *delivery)
{
	struct delivery_work *work = delivery->work;
	const struct sieve_result *result = &work->script.result;
	size_t i;

	work->plan = ARENA_NEW(job->arena, struct plan);
	for (i = 0; i < result->count; i++)
		add_action(job, delivery, &result->actions[i]);
	if (result->implicit_keep)
		add_copy(job, delivery, keep_copy(job, delivery, result),
			&result->flags);
	sort_redirects(job, delivery);
	receipt_plan(job, delivery);
}

bool
plan_keep(struct job *job, struct delivery *delivery,
	const struct plan_pipe *pipe)
{
	static const struct str failed = {"$SieveFailed", 12};
	const bool is_marked = !pipe->action->pipe.is_try &&
	                       delivery->settings->sieve_mark_failed;
	const struct sieve_flags flags = {&failed, is_marked ? 1 : 0};
	const size_t count = delivery->work->plan->copy_count;

	if (find_copy(delivery, delivery->work->folder) != NULL)
		return false;
	add_copy(job, delivery,
		default_copy(job, delivery, pipe->content, NULL), &flags);
	return delivery->work->plan->copy_count > count;
}

enum plan_fallback
plan_fall_back(struct delivery *delivery, size_t index)
{
	struct plan *plan = delivery->work->plan;
	struct plan_copy *lost = &plan->copies[index], *same;
	struct str folder = lost->is_default ? inbox : delivery->work->folder;

	if (store_is_same_folder(delivery->work->store, lost->folder, inbox))
		return PLAN_HOPELESS;
	same = find_copy(delivery, folder);
	if (same != NULL && same != lost) {
		lost->is_dropped = true;
		return PLAN_COVERED;
	}
	/* `-m X` where the script says fileinto "X": both are the default. */
	lost->create = delivery->work->creates_folder && !lost->is_default &&
	               same != lost;
	lost->folder = same == lost ? inbox : folder;
	lost->is_default = true;
	return PLAN_REPLACED;
}
