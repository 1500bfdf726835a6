/* SPDX-License-Identifier: MIT */
#include "deliver/explain.h"

#include "base/clock.h"
#include "base/log.h"
#include "deliver/decisionlog.h"
#include "deliver/plan.h"
#include "deliver/reject.h"
#include "deliver/setup.h"
#include "deliver/work.h"

#include "base/banned.h"

static struct str
kind_word(const struct sieve_action *action)
{
	switch (action->kind) {
	case SIEVE_KEEP:
		return STR("keep");
	case SIEVE_FILEINTO:
		return STR("fileinto");
	case SIEVE_DISCARD:
		return STR("discard");
	case SIEVE_REDIRECT:
		return STR("redirect");
	case SIEVE_REJECT:
		return action->reject.by_protocol ? STR("ereject")
		                                  : STR("reject");
	case SIEVE_PIPE:
		return STR("pipe");
	case SIEVE_VACATION:
		return STR("vacation");
	case SIEVE_NOTIFY:
		return STR("notify");
	case SIEVE_REPORT:
		return STR("report");
	}
	return STR_EMPTY;
}

/* ---- copies ---- */

/* What the whole delivery came to says what a step of it was worth. */
static bool
has_filed(const struct delivery *delivery)
{
	return !delivery->work->is_repeated &&
	       (delivery->outcome == DELIVER_SAVED ||
		       delivery->outcome == DELIVER_DISCARDED ||
		       delivery->outcome == DELIVER_REFUSED);
}

/* The copy that was planned for `folder`; NULL: none. */
static const struct plan_copy *
find_copy(const struct delivery *delivery, struct str folder)
{
	const struct plan *plan = delivery->work->plan;
	size_t i;

	for (i = 0; plan != NULL && i < plan->copy_count; i++)
		if (store_is_same_folder(delivery->work->store,
			    plan->copies[i].wanted, folder))
			return &plan->copies[i];
	return NULL;
}

static void
tell_copy(const struct delivery *delivery, const struct plan_copy *copy,
	struct decision_action *entry)
{
	entry->result = STR("undone");
	if (copy == NULL || !has_filed(delivery))
		return;
	if (copy->is_dropped) {
		entry->result = STR("merged");
		entry->mailbox = copy->folder;
		entry->why = STR("its folder could not be used; another copy "
				 "stands in for it");
		return;
	}
	if (!copy->is_filed)
		return;
	entry->result = STR("filed");
	entry->mailbox = copy->folder;
	entry->file = str_from(copy->file);
	if (!str_equal(copy->folder, copy->wanted))
		entry->why = STR("the folder could not be used");
}

/* RFC 5228 2.10.3: one copy in a folder; the first who asked for it has made it. */
static void
tell_filing(const struct delivery *delivery, const struct sieve_action *action,
	struct str folder, struct decision_action *entry)
{
	const struct plan_copy *copy = find_copy(delivery, folder);

	entry->target = folder;
	tell_copy(delivery, copy, entry);
	if (copy != NULL && copy->action != action &&
		str_is(entry->result, "filed")) {
		entry->result = STR("merged");
		entry->why = STR("an earlier action has filed it there");
	}
}

/* ---- mail that leaves ---- */

static void
tell_redirect(const struct delivery *delivery,
	const struct sieve_action *action, struct decision_action *entry)
{
	const struct plan *plan = delivery->work->plan;
	struct str address = action->redirect.address;
	size_t i;

	entry->target = address;
	entry->result = STR("undone");
	if (plan == NULL)
		return;
	for (i = 0; i < plan->redirect_count; i++)
		if (str_equal(plan->redirects[i].address, address))
			entry->result = plan->redirects[i].is_handed_over
			                        ? STR("sent")
			                        : STR("undone");
	for (i = 0; i < plan->done_count; i++)
		if (str_equal(plan->done_redirects[i], address))
			entry->result = STR("before");
	for (i = 0; i < plan->refrained_count; i++)
		if (str_equal(plan->refrained[i].address, address)) {
			entry->result = STR("undone");
			entry->why = str_from(plan->refrained[i].why);
		}
}

static void
tell_pipe(const struct delivery *delivery, const struct sieve_action *action,
	struct decision_action *entry)
{
	const struct plan *plan = delivery->work->plan;
	size_t i;

	entry->target = action->pipe.program;
	entry->result = STR("undone");
	if (plan == NULL || !has_filed(delivery))
		return;
	for (i = 0; i < plan->pipe_count; i++)
		if (plan->pipes[i].action == action)
			entry->result = plan->pipes[i].has_failed
			                        ? STR("failed")
			                        : STR("done");
}

static void
tell_refusal(const struct job *job, const struct delivery *delivery,
	const struct sieve_action *action, struct decision_action *entry)
{
	entry->target = action->reject.reason;
	entry->result = STR("undone");
	if (!has_filed(delivery))
		return;
	if (delivery->outcome == DELIVER_REFUSED)
		entry->result = STR("refused");
	else if (reject_is_by_mail(job, delivery, action))
		entry->result = STR("sent");
}

static void
tell_notice(const struct delivery *delivery, struct str to,
	struct decision_action *entry)
{
	entry->target = to;
	entry->result = has_filed(delivery) ? STR("planned") : STR("undone");
}

/* ---- actions ---- */

static struct decision_action
describe(const struct job *job, const struct delivery *delivery,
	const struct sieve_action *action)
{
	struct decision_action entry = {.action = kind_word(action),
		.script = str_from(action->script),
		.line = action->line,
		.column = action->column,
		.rule = action->rule};

	switch (action->kind) {
	case SIEVE_KEEP:
		tell_filing(delivery, action, delivery->work->folder, &entry);
		break;
	case SIEVE_FILEINTO:
		tell_filing(delivery, action, action->fileinto.mailbox, &entry);
		break;
	case SIEVE_DISCARD:
		entry.result = STR("none");
		break;
	case SIEVE_REDIRECT:
		tell_redirect(delivery, action, &entry);
		break;
	case SIEVE_REJECT:
		tell_refusal(job, delivery, action, &entry);
		break;
	case SIEVE_PIPE:
		tell_pipe(delivery, action, &entry);
		break;
	case SIEVE_VACATION:
		tell_notice(delivery, action->vacation->recipient, &entry);
		break;
	case SIEVE_NOTIFY:
		tell_notice(delivery, action->notify->method, &entry);
		break;
	case SIEVE_REPORT:
		tell_notice(delivery, action->abuse->address, &entry);
		break;
	}
	return entry;
}

static struct str
why_implicit(const struct delivery *delivery)
{
	if (delivery->work->script.has_failed)
		return STR("a script was in error");
	if (!delivery->work->script.has_script)
		return STR("there is no script");
	return STR("no rule has filed it elsewhere");
}

static struct decision_action
describe_implicit(const struct delivery *delivery)
{
	const struct sieve_result *result = &delivery->work->script.result;
	struct decision_action entry = {
		.action = STR("keep"), .is_implicit = true};

	tell_filing(delivery, NULL,
		result->keep_target.len > 0 ? result->keep_target
					    : delivery->work->folder,
		&entry);
	if (entry.why.len == 0)
		entry.why = why_implicit(delivery);
	return entry;
}

/* A copy that no action asked for: what was to take its place could not be done. */
static struct decision_action
describe_stand_in(const struct delivery *delivery, const struct plan_copy *copy)
{
	struct decision_action entry = {.action = STR("keep"),
		.is_implicit = true,
		.target = copy->wanted};

	tell_copy(delivery, copy, &entry);
	entry.why = STR("nothing else would have held it");
	return entry;
}

static void
add_stand_ins(const struct delivery *delivery, struct decision *decision)
{
	const struct plan *plan = delivery->work->plan;
	size_t i;

	for (i = 0; plan != NULL && i < plan->copy_count; i++)
		if (plan->copies[i].action == NULL)
			decision->actions[decision->action_count++] =
				describe_stand_in(delivery, &plan->copies[i]);
}

static void
add_actions(const struct job *job, const struct delivery *delivery,
	struct decision *decision)
{
	const struct sieve_result *result = &delivery->work->script.result;
	const struct plan *plan = delivery->work->plan;
	size_t copies = plan != NULL ? plan->copy_count : 0, i;

	decision->actions = ARENA_ARRAY(
		job->arena, struct decision_action, result->count + copies + 1);
	for (i = 0; i < result->count; i++)
		decision->actions[decision->action_count++] =
			describe(job, delivery, &result->actions[i]);
	if (plan != NULL && result->implicit_keep)
		decision->actions[decision->action_count++] =
			describe_implicit(delivery);
	else
		add_stand_ins(delivery, decision);
}

static void
add_scripts(const struct job *job, const struct delivery *delivery,
	struct decision *decision)
{
	const struct script_outcome *outcome = &delivery->work->script;
	size_t i;

	decision->scripts = ARENA_ARRAY(
		job->arena, struct decision_script, outcome->run_count);
	decision->script_count = outcome->run_count;
	for (i = 0; i < outcome->run_count; i++)
		decision->scripts[i] = (struct decision_script){
			str_from(outcome->runs[i].path),
			str_from(outcome->runs[i].error)};
}

/* ---- the whole ---- */

static struct str
outcome_of_failure(const struct err *err)
{
	return err->status[0] == '5' ? STR("refused") : STR("failed");
}

static struct str
outcome_of(const struct delivery *delivery)
{
	switch (delivery->outcome) {
	case DELIVER_SAVED:
		return STR("saved");
	case DELIVER_DISCARDED:
		return STR("discarded");
	case DELIVER_REFUSED:
		return STR("refused");
	case DELIVER_PENDING:
	case DELIVER_FAILED:
		break;
	}
	return outcome_of_failure(&delivery->err);
}

static void
add_error(struct decision *decision, const struct err *err)
{
	decision->status = str_from(err->status);
	decision->error = str_from(
		err->kind == ERR_REFUSED ? err->text : err_log_text(err));
}

static struct decision
describe_envelope(const struct job *job, const struct delivery *delivery)
{
	struct decision decision = {
		.time_s = (uint64_t)clock_now().tv_sec,
		.session = setup_session(job, delivery),
		.service = str_from(job->service),
		.user = str_from(delivery->user),
		.recipient = delivery->final.text,
	};

	if (job->sender_is_known)
		decision.sender =
			job->sender.is_null ? STR("<>") : job->sender.text;
	if (!str_equal(delivery->original.text, delivery->final.text))
		decision.original = delivery->original.text;
	return decision;
}

static void
add_message(struct job *job, struct decision *decision)
{
	const struct header_field *id =
		message_field_next(job->message, STR("Message-ID"), NULL);

	if (id != NULL)
		decision->message_id =
			decision_message_id(job->arena, id->value);
	decision->size = message_size_lf(job->message);
}

struct decision
explain_delivery(struct job *job, const struct delivery *delivery)
{
	struct decision decision = describe_envelope(job, delivery);

	if (job->message != NULL)
		add_message(job, &decision);
	decision.outcome = outcome_of(delivery);
	decision.is_repeated = delivery->work->is_repeated;
	if (delivery->outcome == DELIVER_FAILED ||
		delivery->outcome == DELIVER_REFUSED)
		add_error(&decision, &delivery->err);
	add_scripts(job, delivery, &decision);
	add_actions(job, delivery, &decision);
	return decision;
}

static bool
is_wanted(const struct delivery *delivery)
{
	return delivery->settings->explain_log[0] != '\0' &&
	       delivery->user != NULL && delivery->user[0] != '\0';
}

static int
keep(const struct job *job, const struct delivery *delivery,
	const struct decision *decision, struct err *err)
{
	const struct settings *settings = delivery->settings;
	const char *path;
	struct buf line;
	int result = 0;

	if (setup_path(job, delivery, settings->explain_log, &path, err) < 0)
		return -1;
	buf_init(&line, DECISION_LINE_MAX);
	decision_write(&line, decision);
	if (!line.overflowed)
		result = decisionlog_add(
			path, settings->explain_log_size, buf_view(&line), err);
	buf_clear(&line);
	return result;
}

/* Nobody has to have a home: that is no trouble worth a line for each message. */
static void
keep_or_tell(const struct job *job, const struct delivery *delivery,
	const struct decision *decision)
{
	struct err err;

	if (keep(job, delivery, decision, &err) < 0)
		log_debug("explain_log: %s", err_log_text(&err));
}

void
explain_keep(struct job *job)
{
	size_t d;

	for (d = 0; d < job->count; d++) {
		const struct delivery *delivery = &job->deliveries[d];
		struct decision decision;

		if (!is_wanted(delivery))
			continue;
		decision = explain_delivery(job, delivery);
		keep_or_tell(job, delivery, &decision);
	}
}

void
explain_refusal(struct job *job, const struct delivery *delivery, uint64_t size,
	const struct err *why)
{
	struct decision decision;

	if (!is_wanted(delivery))
		return;
	decision = describe_envelope(job, delivery);
	decision.is_before_data = true;
	decision.size = size;
	decision.outcome = outcome_of_failure(why);
	add_error(&decision, why);
	keep_or_tell(job, delivery, &decision);
}
