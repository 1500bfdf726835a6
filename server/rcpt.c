/* From RCPT to RCPT_ANSWER: the user databases, the limits of identities, and
 * where it is asked for, the word of a worker.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "server/parts.h"

#include "base/banned.h"

#define QUESTION_OF(link) CONTAINER_OF(link, struct question, in_line)

int
parts_temporary(struct err *err, const char *status, const char *detail)
{
	err_set(err, ERR_TEMPORARY, status, "Temporary internal error");
	return err_detail(err, "%s", detail);
}

/* ---- answers ---- */

static char *
keep_text(const char *text)
{
	size_t bytes = text != NULL ? strlen(text) + 1 : 0;
	char *copy = NULL;

	if (bytes > 0) {
		copy = memory_get(bytes);
		memcpy(copy, text, bytes);
	}
	return copy;
}

static void
question_close(struct question *question)
{
	list_remove(&question->in_line);
	memory_free(question->session);
	memory_free(question->name);
	memory_free((void *)(uintptr_t)question->user.data);
	memory_free(question);
}

/* The peer reads Dovecot's sentence in place of our own general one. */
static void
set_text(struct err *err)
{
	if (err->kind == ERR_TEMPORARY &&
		strcmp(err->text, ERR_INTERNAL_TEXT) == 0)
		snprintf(err->text, sizeof(err->text),
			"Temporary internal error");
}

static uint64_t
asker_number(const struct generation *generation, bool is_mere)
{
	return is_mere ? generation->policy_number : generation->front_number;
}

static bool
is_wanted(const struct question *question)
{
	return question->asker_number ==
	       asker_number(question->generation, question->is_mere);
}

static void
send_answer(const struct question *question, struct wire_rcpt_answer *answer)
{
	struct frame frame;

	if (question->generation->settings->lmtp_verbose_replies)
		err_tell(&answer->err);
	set_text(&answer->err);
	frame_begin(&frame, WIRE_RCPT_ANSWER);
	wire_rcpt_answer(&frame, answer);
	process_send(question->asker, &frame);
}

static void
refuse(const struct question *question, const struct err *err)
{
	struct wire_rcpt_answer answer = {
		.request = question->request, .err = *err};

	if (is_wanted(question))
		send_answer(question, &answer);
}

static void
log_question(const struct question *question, const struct err *err)
{
	log_error("<%s>: %s",
		question->session != NULL ? question->session : "",
		err_log_text(err));
}

/* A ticket that counts for its user. */
static struct ticket *
make_ticket(struct generation *generation, struct pool_group *group,
	struct str user, const char *name, struct err *err)
{
	struct concurrency_user *counted;
	struct ticket *ticket;

	counted = concurrency_enter(&generation->concurrency, name,
		generation->settings->lmtp_user_concurrency_limit, err);
	if (counted == NULL)
		return NULL;
	ticket = tickets_add(&generation->tickets, group, user, err);
	if (ticket == NULL) {
		concurrency_leave(&generation->concurrency, counted);
		return NULL;
	}
	ticket->counted = counted;
	return ticket;
}

static struct ticket *
accept(const struct question *question, struct pool_group *group,
	struct str user, const char *name)
{
	struct generation *generation = question->generation;
	struct wire_rcpt_answer answer = {.request = question->request,
		.group = group->number,
		.user = name};
	struct ticket *ticket;

	if (!is_wanted(question))
		return NULL;
	if (question->is_mere) {
		answer.group = 0;
		send_answer(question, &answer);
		return NULL;
	}
	ticket = make_ticket(generation, group, user, name, &answer.err);
	if (ticket != NULL) {
		group->references++;
		answer.ticket = ticket->id;
		generation->recipients++;
	} else {
		log_warning("<%s>: %s",
			question->session != NULL ? question->session : "",
			err_log_text(&answer.err));
	}
	send_answer(question, &answer);
	return ticket;
}

/* ---- RCPT, LOOKUP ---- */

static uint64_t
now_ms(const struct generation *generation)
{
	return loop_now_ms(generation->host->processes->loop);
}

/* The time-out begins anew with each answer. */
static void
watch_lookup(struct generation *generation)
{
	struct loop *loop = generation->host->processes->loop;

	if (list_is_empty(&generation->questions))
		loop_timer_stop(loop, &generation->lookup_timer);
	else
		loop_timer(loop, &generation->lookup_timer,
			now_ms(generation) +
				generation->settings->lookup_timeout_ms);
}

static void
send_lookup(struct generation *generation, const struct question *question,
	const struct wire_rcpt *rcpt)
{
	struct wire_lookup lookup = {.request = question->number,
		.local_part = rcpt->local_part,
		.domain = rcpt->domain,
		.session = rcpt->session};
	struct frame frame;

	frame_begin(&frame, WIRE_LOOKUP);
	wire_lookup(&frame, &lookup);
	process_send(&generation->lookup.process, &frame);
}

static struct question *
question_open(struct generation *generation, struct process *asker,
	const struct wire_rcpt *rcpt)
{
	struct question *question = memory_get(sizeof(*question));

	question->generation = generation;
	question->number = ++generation->last_question;
	question->request = rcpt->request;
	question->asker = asker;
	question->is_mere = asker->kind == WIRE_KIND_POLICY;
	question->asker_number = asker_number(generation, question->is_mere);
	question->size = rcpt->size;
	question->ignores_quota = rcpt->ignores_quota;
	question->session = keep_text(rcpt->session);
	return question;
}

void
rcpt_ask(struct generation *generation, struct process *asker,
	struct frame *frame)
{
	struct wire_rcpt rcpt;
	struct question *question;
	struct err err;

	wire_rcpt(frame, &rcpt);
	if (!frame_is_whole(frame)) {
		process_breach(asker, frame);
		return;
	}
	question = question_open(generation, asker, &rcpt);
	if (!process_is_running(&generation->lookup.process)) {
		parts_temporary(&err, "4.3.0", "lookup is not running");
		refuse(question, &err);
		question_close(question);
		return;
	}
	if (list_is_empty(&generation->questions)) {
		list_add_last(&generation->questions, &question->in_line);
		watch_lookup(generation);
	} else {
		list_add_last(&generation->questions, &question->in_line);
	}
	send_lookup(generation, question, &rcpt);
}

/* ---- RECORD ---- */

static int
check_limit(const struct wire_record *record, const char *what, uint64_t id,
	uint64_t first, uint64_t last, struct err *err)
{
	if (id >= first && (last == 0 || id <= last))
		return 0;
	return err_temp(err, "4.3.5",
		"user %s has %s %llu, which first_valid_%s and last_valid_%s "
		"forbid",
		record->name, what, (unsigned long long)id, what, what);
}

/* Lookup has checked this already; but lookup is not to be believed. */
static int
check_root_mode(const struct settings *settings,
	const struct wire_record *record, struct err *err)
{
	if (check_limit(record, "uid", record->uid, settings->first_valid_uid,
		    settings->last_valid_uid, err) < 0)
		return -1;
	return check_limit(record, "gid", record->gid,
		settings->first_valid_gid, settings->last_valid_gid, err);
}

static int
check_user_mode(const struct wire_record *record, struct err *err)
{
	if (record->uid == geteuid())
		return 0;
	return err_temp(err, "4.3.5",
		"user %s has uid %lu, but this server runs as uid %lu and may "
		"not become another: start it as root, or set mail_uid to "
		"that user",
		record->name, (unsigned long)record->uid,
		(unsigned long)geteuid());
}

static int
check_identity(const struct generation *generation,
	const struct wire_record *record, struct err *err)
{
	size_t i;

	if (record->uid == 0)
		return err_temp(err, "4.3.5",
			"user %s has uid 0; mail is never delivered as root",
			record->name);
	if (record->uid == UINT32_MAX || record->gid == UINT32_MAX)
		return err_temp(err, "4.3.5", "user %s has no uid or gid",
			record->name);
	if (!generation->host->run_as->is_root)
		return check_user_mode(record, err);
	if (record->has_spool_group && record->spool_group == 0)
		return err_temp(err, "4.3.5",
			"user %s: mail_privileged_group may not be root's "
			"group",
			record->name);
	for (i = 0; i < record->group_count; i++)
		if (record->groups[i] == 0)
			return err_temp(err, "4.3.5",
				"user %s is in group 0, root's", record->name);
	return check_root_mode(generation->settings, record, err);
}

/* As a user there is one identity: ours, with the groups we have. */
static struct pool_group *
take_group(struct generation *generation, const struct wire_record *record,
	struct arena *arena)
{
	struct identity identity = {.uid = record->uid,
		.gid = record->gid,
		.has_spool_group = record->has_spool_group,
		.spool_group = record->spool_group};
	gid_t *groups;
	size_t i;

	if (generation->home != NULL) {
		generation->home->references++;
		return generation->home;
	}
	groups = ARENA_ARRAY(arena, gid_t, record->group_count);
	for (i = 0; i < record->group_count; i++)
		groups[i] = record->groups[i];
	identity.groups = groups;
	identity.group_count = record->group_count;
	return pool_group_take(&generation->pool, &identity);
}

static void
ask_worker(struct question *question, struct pool_group *group,
	const struct wire_record *record)
{
	char *copy = memory_get(record->user.len + 1);

	if (record->user.len > 0)
		memcpy(copy, record->user.data, record->user.len);
	question->user = str_of(copy, record->user.len);
	question->name = keep_text(record->name);
	question->group = group;
	workers_check(question);
}

/* The host that has the mailbox says what becomes of it. */
static void
pass_on(struct question *question, const struct wire_record *record)
{
	struct wire_rcpt_answer answer = {
		.request = question->request, .user = record->name};

	if (is_wanted(question)) {
		if (!question->is_mere)
			routes_answer(question, record, &answer);
		if (answer.err.kind != ERR_NONE)
			log_question(question, &answer.err);
		send_answer(question, &answer);
	}
	question_close(question);
}

static void
use_record(struct question *question, const struct wire_record *record,
	struct arena *arena)
{
	struct generation *generation = question->generation;
	struct pool_group *group;
	struct err err;

	if (record->route.len > 0) {
		pass_on(question, record);
		return;
	}
	if (check_identity(generation, record, &err) < 0) {
		log_question(question, &err);
		refuse(question, &err);
		question_close(question);
		return;
	}
	group = take_group(generation, record, arena);
	if (is_wanted(question) &&
		(question->is_mere ||
			(generation->settings->lmtp_rcpt_check_quota &&
				!question->ignores_quota))) {
		ask_worker(question, group, record);
		return;
	}
	(void)accept(question, group, record->user, record->name);
	pool_group_drop(&generation->pool, group);
	question_close(question);
}

/* Lookup answers in the order it was asked, but for what has to wait for a name. */
static struct question *
find_question(const struct generation *generation, uint64_t number)
{
	struct list_link *link = list_first(&generation->questions);

	while (link != NULL && QUESTION_OF(link)->number != number)
		link = list_next(&generation->questions, link);
	return link != NULL ? QUESTION_OF(link) : NULL;
}

void
rcpt_record(struct generation *generation, struct frame *frame)
{
	struct wire_record record;
	struct question *question = NULL;

	wire_record(frame, &record);
	if (frame_is_whole(frame))
		question = find_question(generation, record.request);
	if (question == NULL ||
		(record.err.kind == ERR_NONE && record.name == NULL)) {
		process_breach(&generation->lookup.process, frame);
		return;
	}
	list_remove(&question->in_line);
	watch_lookup(generation);
	if (record.err.kind == ERR_NONE) {
		use_record(question, &record, frame->arena);
		return;
	}
	refuse(question, &record.err);
	question_close(question);
}

void
rcpt_forget(struct question *question)
{
	struct generation *generation = question->generation;
	struct pool_group *group = question->group;

	question_close(question);
	pool_group_drop(&generation->pool, group);
}

void
rcpt_withdraw(struct question *question)
{
	if (!process_is_running(&question->generation->front.process)) {
		rcpt_forget(question);
		return;
	}
	question->withdraws = true;
	workers_check(question);
}

void
rcpt_checked(
	struct question *question, bool has_promised, const struct err *err)
{
	struct ticket *ticket = NULL;

	if (question->withdraws) {
		rcpt_forget(question);
		return;
	}
	if (err->kind == ERR_NONE)
		ticket = accept(question, question->group, question->user,
			question->name);
	else
		refuse(question, err);
	if (!has_promised)
		rcpt_forget(question);
	else if (ticket != NULL)
		ticket->promise = question;
	else
		rcpt_withdraw(question);
}

void
rcpt_unanswered(struct question *question, const struct err *err)
{
	enum { DEATHS_MAX = 3 };

	if (question->withdraws && ++question->deaths < DEATHS_MAX)
		rcpt_withdraw(question);
	else
		rcpt_checked(question, !question->is_mere, err);
}

void
rcpt_lookup_gone(struct generation *generation, const char *why)
{
	struct list_link *link;
	struct err err;

	parts_temporary(&err, "4.3.0", why);
	while ((link = list_first(&generation->questions)) != NULL) {
		refuse(QUESTION_OF(link), &err);
		question_close(QUESTION_OF(link));
	}
	watch_lookup(generation);
}

void
rcpt_lookup_late(struct loop_timer *timer)
{
	struct generation *generation =
		CONTAINER_OF(timer, struct generation, lookup_timer);

	process_kill(&generation->lookup.process,
		"did not answer within lookup_timeout");
	rcpt_lookup_gone(generation, "lookup does not answer");
}

/* ---- RELEASE ---- */

static void
remove_ticket(struct generation *generation, struct ticket *ticket)
{
	struct pool_group *group = ticket->group;

	if (ticket->promise != NULL)
		rcpt_withdraw(ticket->promise);
	concurrency_leave(&generation->concurrency, ticket->counted);
	tickets_remove(&generation->tickets, ticket);
	pool_group_drop(&generation->pool, group);
}

void
rcpt_release(struct generation *generation, struct frame *frame)
{
	struct wire_release release;
	struct ticket *ticket;
	size_t i;

	wire_release(frame, &release);
	if (!frame_is_whole(frame)) {
		process_breach(&generation->front.process, frame);
		return;
	}
	for (i = 0; i < release.count; i++) {
		ticket =
			tickets_find(&generation->tickets, &release.tickets[i]);
		if (ticket != NULL)
			remove_ticket(generation, ticket);
	}
}

/* Questions that are under way find nobody to be answered to. */
void
rcpt_front_gone(struct generation *generation)
{
	struct ticket *ticket;

	generation->front_number++;
	while ((ticket = tickets_any(&generation->tickets)) != NULL)
		remove_ticket(generation, ticket);
	tickets_clear(&generation->tickets);
	concurrency_clear(&generation->concurrency);
}
