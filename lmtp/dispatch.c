/* SPDX-License-Identifier: MIT */
#include "lmtp/dispatch.h"

#include <string.h>

#include "base/attributes.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/tls.h"
#include "base/utf8.h"
#include "lmtp/reply.h"

#include "base/banned.h"

enum {
	/* Tickets of one frame. */
	FRAME_TICKETS = 4096,
	/* Bytes of one JOB_RECIPIENTS; a recipient has 2 KB at most. */
	FRAME_RECIPIENTS_BYTES = FRAME_MAX - 4096,
	/* Of those that come with JOB, beside a message of 64 KB. */
	JOB_RECIPIENTS_BYTES = 32 * 1024,
	/* Lines about refused recipients of one transaction: a client may name
	 * very many, and the log has to stay readable. */
	REFUSED_LINES = 20
};

/* A RCPT that master was asked about. */
struct request {
	struct table_entry entry; /* until the answer is there */
	struct dispatch_client *client;
	struct session_recipient *recipient;
	bool is_answered, has_ticket;
	uint64_t asked_us;
	struct wire_ticket ticket;
	struct request *next; /* of the transaction */
};

enum job_state {
	JOB_STARTED, /* master looks for a worker */
	JOB_SENT,    /* a worker has it */
	JOB_DONE
};

/* One group of recipients. */
struct job {
	struct table_entry entry; /* until it is done */
	struct dispatch_client *client;
	enum job_state state;
	uint32_t group;
	uint64_t deadline_ms, started_us;
	struct loop_timer timer; /* no result by then: given up */
	struct session_recipient **recipients;
	size_t count, size;
	size_t results; /* filled, in order */
	struct worker *worker;
	struct job *of_worker; /* the next one there */
	struct job *next;      /* of the transaction */
};

/* Lives in the session's arena of the transaction, until release(). */
struct dispatch_transaction {
	struct request *requests;
	struct job *jobs, **last_job;
	size_t jobs_started, jobs_sent;      /* in that state */
	size_t refused;                      /* recipients, logged or not */
	struct proxied_transaction *proxied; /* NULL: nobody lives elsewhere */
};

/* A password that lookup was asked about. */
struct dispatch_login {
	struct table_entry entry; /* until the answer is there */
	struct dispatch_client *client;
	struct loop_timer timer; /* no answer by then; or the time to tell it */
	uint64_t tell_ms;        /* a failure is told not before */
	bool is_answered, is_due;
	enum wire_login_state state;
	char *name; /* YES: the user's */
};

struct worker {
	struct table_entry entry;
	struct dispatch *dispatch;
	struct link link;
	struct job *jobs;
};

static struct dispatch_client *
client_of(const struct session *session)
{
	return session_context(session);
}

static struct dispatch_transaction *
transaction_of(struct dispatch_client *client)
{
	struct session_transaction *transaction =
		session_transaction(client->session);

	if (client->transaction == NULL) {
		client->transaction = ARENA_NEW(
			transaction->arena, struct dispatch_transaction);
		client->transaction->last_job = &client->transaction->jobs;
	}
	return client->transaction;
}

/* ---- RCPT ---- */

static void
send_rcpt(struct dispatch_client *client, struct request *request)
{
	struct session_recipient *recipient = request->recipient;
	struct frame frame;
	struct wire_rcpt rcpt = {.request = request->entry.number,
		.local_part = recipient->address.local_part,
		.domain = recipient->address.domain,
		.size = session_transaction(client->session)->size,
		.session = recipient->id,
		.ignores_quota = recipient->ignores_quota};

	frame_begin(&frame, WIRE_RCPT);
	wire_rcpt(&frame, &rcpt);
	link_send(client->dispatch->master, &frame);
}

/* Memory is used up: room comes back when messages are delivered. */
static void
refuse_for_now(struct session_recipient *recipient)
{
	struct err err;

	err_temp(&err, "4.3.1", "lmtp_memory_limit is used up");
	session_found(recipient, &err, NULL, 0);
}

static void
on_find(struct session *session, struct session_recipient *recipient)
{
	struct dispatch_client *client = client_of(session);
	struct dispatch *dispatch = client->dispatch;
	struct dispatch_transaction *transaction = transaction_of(client);
	struct request *request;

	if (spool_budget_is_full(dispatch->budget)) {
		dispatch->counters->recipients_refused++;
		refuse_for_now(recipient);
		return;
	}
	request =
		ARENA_NEW(session_transaction(session)->arena, struct request);
	request->client = client;
	request->recipient = recipient;
	request->asked_us = clock_monotonic_us();
	request->next = transaction->requests;
	transaction->requests = request;
	table_add(
		&dispatch->requests, &request->entry, ++dispatch->last_number);
	send_rcpt(client, request);
}

/* The line that answers "why did this address bounce?". */
static void
log_refused(const struct session_recipient *recipient)
{
	const struct reply_to nobody = {STR_EMPTY, .is_utf8 = true};
	struct str address =
		utf8_cut(recipient->address.text, REPLY_ADDRESS_MAX);
	struct str rest, line = STR_EMPTY;
	struct buf reply;

	buf_init(&reply, BUF_UNLIMITED);
	reply_add_err(&reply, &nobody, &recipient->result.err);
	rest = buf_view(&reply);
	(void)str_next_field(&rest, '\r', &line);
	log_info("<%s>: refused <%.*s>: %.*s", recipient->id, STR_ARG(address),
		STR_ARG(line));
	buf_clear(&reply);
}

static void
on_refused(struct session *session, const struct session_recipient *recipient)
{
	struct dispatch_transaction *transaction =
		transaction_of(client_of(session));

	if (transaction->refused++ < REFUSED_LINES)
		log_refused(recipient);
	else if (transaction->refused == REFUSED_LINES + 1)
		log_info("<%s>: refused, and maybe more: no further line about "
			 "recipients of this transaction",
			recipient->id);
}

/* A fault of ours, or what the client has to mend. */
static void
on_not_taken(struct session *session, const struct err *err)
{
	const char *id = session_transaction(session)->id;

	if (err->kind == ERR_TEMPORARY)
		log_error("<%s>: %s", id, err_log_text(err));
	else
		log_info("<%s>: refused: %s", id, err_log_text(err));
}

static void
on_forwarded(struct session *session, const char *origin)
{
	const struct session_peer *peer = session_peer(session);

	log_info("<%s>: client=%s, %s", session_transaction(session)->id,
		peer->is_inet ? peer->ip : "local", origin);
}

static bool
has_room_for_tls(struct session *session)
{
	return tls_memory() + TLS_HANDSHAKE_BYTES <=
	       client_of(session)->dispatch->tls_memory_limit;
}

static void
release_ticket(struct dispatch *dispatch, const struct wire_ticket *ticket)
{
	if (dispatch->released_count == dispatch->released_size) {
		dispatch->released_size = dispatch->released_size
		                                  ? dispatch->released_size * 2
		                                  : 64;
		dispatch->released = memory_resize(dispatch->released,
			memory_product(dispatch->released_size,
				sizeof(*dispatch->released)));
	}
	dispatch->released[dispatch->released_count++] = *ticket;
}

/* ERR_TEMPORARY is what is left. */
static void
count_refused(struct counters *counters, const struct err *err)
{
	counters->recipients_refused++;
	if (err->kind == ERR_NO_USER)
		counters->refused_unknown++;
	else if (err->kind == ERR_OVER_QUOTA)
		counters->refused_quota++;
	else if (err->kind != ERR_TEMPORARY)
		counters->refused_other++;
}

static void
count_time(struct dispatch *dispatch, enum histogram_phase phase,
	uint64_t since_us)
{
	histogram_add(&dispatch->counters->phases[phase],
		clock_monotonic_us() - since_us);
}

static void
answer_request(struct request *request, const struct wire_rcpt_answer *answer)
{
	struct dispatch_client *client = request->client;
	struct dispatch *dispatch = client->dispatch;

	table_remove(&dispatch->requests, &request->entry);
	request->is_answered = true;
	count_time(dispatch, HISTOGRAM_LOOKUP, request->asked_us);
	if (answer->err.kind == ERR_NONE && answer->is_proxied) {
		proxied_rcpt(&dispatch->proxied, &client->transaction->proxied,
			request->recipient, &answer->ticket);
		return;
	}
	if (answer->err.kind == ERR_NONE) {
		request->has_ticket = true;
		request->ticket = answer->ticket;
		dispatch->counters->recipients_accepted++;
	} else {
		count_refused(dispatch->counters, &answer->err);
	}
	session_found(request->recipient, &answer->err, &answer->ticket,
		answer->group);
	dispatch->wake(client);
}

static bool
on_rcpt_answer(struct dispatch *dispatch, struct frame *frame)
{
	struct wire_rcpt_answer answer = {0};
	struct table_entry *entry;

	wire_rcpt_answer(frame, &answer);
	if (!frame_is_whole(frame))
		return false;
	entry = table_find(&dispatch->requests, answer.request);
	if (entry != NULL)
		answer_request(
			CONTAINER_OF(entry, struct request, entry), &answer);
	else if (answer.err.kind == ERR_NONE && !answer.is_proxied)
		release_ticket(dispatch, &answer.ticket);
	return true;
}

/* ---- AUTH ---- */

static void
tell_login(struct dispatch_login *login)
{
	login->is_due = true;
	login->client->dispatch->wake(login->client);
}

static void
answer_login(struct dispatch_login *login, enum wire_login_state state)
{
	struct dispatch *dispatch = login->client->dispatch;

	table_remove(&dispatch->logins, &login->entry);
	login->is_answered = true;
	login->state = state;
	if (state == WIRE_LOGIN_NO)
		loop_timer(dispatch->loop, &login->timer, login->tell_ms);
	else
		tell_login(login);
}

static void
on_login_timer(struct loop_timer *timer)
{
	struct dispatch_login *login =
		CONTAINER_OF(timer, struct dispatch_login, timer);

	if (login->is_answered)
		tell_login(login);
	else
		answer_login(login, WIRE_LOGIN_UNABLE);
}

static void
on_login(struct session *session, struct str name, struct str password)
{
	struct dispatch_client *client = client_of(session);
	struct dispatch *dispatch = client->dispatch;
	struct dispatch_login *login = memory_get(sizeof(*login));
	struct wire_login question = {.request = ++dispatch->last_number,
		.name = name,
		.password = password,
		.session = session_id(session)};
	uint64_t now = loop_now_ms(dispatch->loop);
	struct frame frame;

	login->client = client;
	login->tell_ms = now + dispatch->login_delay_ms;
	login->timer.fire = on_login_timer;
	client->login = login;
	table_add(&dispatch->logins, &login->entry, question.request);
	loop_timer(dispatch->loop, &login->timer,
		now + dispatch->login_timeout_ms);
	frame_begin(&frame, WIRE_LOGIN);
	wire_login(&frame, &question);
	link_send(dispatch->master, &frame);
}

static char *
keep_text(const char *text)
{
	size_t bytes = strlen(text) + 1;
	char *copy = memory_get(bytes);

	memcpy(copy, text, bytes);
	return copy;
}

/* One that has taken too long is not waited for any more. */
static bool
on_logged_in(struct dispatch *dispatch, struct frame *frame)
{
	struct wire_logged_in answer = {0};
	struct table_entry *entry;
	struct dispatch_login *login;

	wire_logged_in(frame, &answer);
	if (!frame_is_whole(frame) || answer.name == NULL)
		return false;
	entry = table_find(&dispatch->logins, answer.request);
	if (entry == NULL)
		return true;
	login = CONTAINER_OF(entry, struct dispatch_login, entry);
	login->name = keep_text(answer.name);
	answer_login(login, answer.state);
	return true;
}

static void
forget_login(struct dispatch_client *client)
{
	struct dispatch_login *login = client->login;

	if (login == NULL)
		return;
	client->login = NULL;
	if (!login->is_answered)
		table_remove(&client->dispatch->logins, &login->entry);
	loop_timer_stop(client->dispatch->loop, &login->timer);
	memory_free(login->name);
	memory_free(login);
}

static void
log_login(const struct session *session, const struct dispatch_login *login)
{
	const struct session_peer *peer = session_peer(session);
	const char *place = peer->is_inet ? peer->ip : "local";

	switch (login->state) {
	case WIRE_LOGIN_YES:
		log_info("<%s>: logged in as %s from %s", session_id(session),
			login->name, place);
		break;
	case WIRE_LOGIN_NO:
		log_info("<%s>: login failed from %s", session_id(session),
			place);
		break;
	case WIRE_LOGIN_UNABLE:
		log_warning("<%s>: login from %s: the password could not be "
			    "checked",
			session_id(session), place);
		break;
	}
}

static void
settle_login(struct dispatch_client *client)
{
	struct dispatch_login *login = client->login;

	log_login(client->session, login);
	/* The session may ask about another one at once. */
	client->login = NULL;
	loop_timer_stop(client->dispatch->loop, &login->timer);
	session_logged_in(client->session, login->state, login->name);
	memory_free(login->name);
	memory_free(login);
}

/* ---- the end of a job ---- */

static void
leave_worker(struct job *job)
{
	struct job **at;

	if (job->worker == NULL)
		return;
	for (at = &job->worker->jobs; *at != job; at = &(*at)->of_worker)
		continue;
	*at = job->of_worker;
	job->worker = NULL;
}

/* Once no job waits for a worker the message is where it has to be. */
static void
forget_content_when_sent(struct dispatch_client *client)
{
	if (client->transaction->jobs_started == 0)
		spool_forget(session_transaction(client->session)->spool);
}

static void
set_state(struct job *job, enum job_state state)
{
	struct dispatch_transaction *transaction = job->client->transaction;

	transaction->jobs_started -= job->state == JOB_STARTED;
	transaction->jobs_sent -= job->state == JOB_SENT;
	job->state = state;
	transaction->jobs_started += job->state == JOB_STARTED;
	transaction->jobs_sent += job->state == JOB_SENT;
}

static void
count_result(
	struct counters *counters, const struct wire_recipient_result *result)
{
	counters->discarded += result->outcome == WIRE_DISCARDED;
	if (result->outcome != WIRE_FAILED && result->outcome != WIRE_REFUSED)
		counters->delivered++;
	else if (result->err.kind == ERR_TEMPORARY)
		counters->temporary++;
	else
		counters->failed++;
}

static void
detach_job(struct job *job)
{
	struct dispatch *dispatch = job->client->dispatch;

	loop_timer_stop(dispatch->loop, &job->timer);
	table_remove(&dispatch->jobs, &job->entry);
	leave_worker(job);
	set_state(job, JOB_DONE);
}

/* Once there is nothing left to wait for. */
static void
check_delivered(struct dispatch_client *client)
{
	struct dispatch_transaction *transaction = client->transaction;

	if (transaction->jobs_started + transaction->jobs_sent > 0 ||
		proxied_is_waiting(transaction->proxied))
		return;
	client->is_delivered = true;
	client->dispatch->wake(client);
}

static void
finish_job(struct job *job)
{
	struct dispatch_client *client = job->client;

	count_time(client->dispatch, HISTOGRAM_TOTAL, job->started_us);
	detach_job(job);
	forget_content_when_sent(client);
	check_delivered(client);
}

/* For all recipients that have no result yet.  No worker has told why. */
static void
fail_job(struct job *job, const struct err *err)
{
	log_error("<%s>: not delivered: %s",
		session_transaction(job->client->session)->id,
		err_log_text(err));
	for (; job->results < job->count; job->results++) {
		struct wire_recipient_result *result =
			&job->recipients[job->results]->result;

		*result = (struct wire_recipient_result){
			.outcome = WIRE_FAILED, .err = *err};
		count_result(job->client->dispatch->counters, result);
	}
	finish_job(job);
}

static void
fail_job_for_now(struct job *job, const char *detail)
{
	struct err err;

	err_set(&err, ERR_TEMPORARY, "4.3.0", "Temporary internal error");
	err_detail(&err, "%s", detail);
	fail_job(job, &err);
}

static void
send_number(struct link *link, enum wire_type type, uint64_t number)
{
	struct frame frame;
	struct wire_job_number message = {number};

	frame_begin(&frame, type);
	wire_job_number(&frame, &message);
	link_send(link, &frame);
}

/* Nothing is to be filed if that can still be helped. */
static void
cancel_job(struct job *job)
{
	switch (job->state) {
	case JOB_STARTED:
		send_number(job->client->dispatch->master, WIRE_START_CANCEL,
			job->entry.number);
		return;
	case JOB_SENT:
		send_number(
			&job->worker->link, WIRE_JOB_CANCEL, job->entry.number);
		return;
	case JOB_DONE:
		return;
	}
}

static void
on_job_late(struct loop_timer *timer)
{
	struct job *job = CONTAINER_OF(timer, struct job, timer);

	log_error("a delivery has no result %d seconds after its deadline, "
		  "session=<%s>",
		DISPATCH_GRACE_MS / 1000,
		session_transaction(job->client->session)->id);
	cancel_job(job);
	fail_job_for_now(job, "no result in time");
}

/* ---- START ---- */

static struct job *
new_job(struct dispatch_client *client, uint32_t group)
{
	struct dispatch *dispatch = client->dispatch;
	struct dispatch_transaction *transaction = client->transaction;
	struct job *job = ARENA_NEW(
		session_transaction(client->session)->arena, struct job);

	job->client = client;
	job->group = group;
	job->state = JOB_STARTED;
	job->timer.fire = on_job_late;
	transaction->jobs_started++;
	*transaction->last_job = job;
	transaction->last_job = &job->next;
	table_add(&dispatch->jobs, &job->entry, ++dispatch->last_number);
	return job;
}

/* Mostly the one before, or the first. */
static struct job *
job_of_group(struct dispatch_client *client, uint32_t group)
{
	struct job *job = client->transaction->jobs;

	while (job != NULL && job->group != group)
		job = job->next;
	return job != NULL ? job : new_job(client, group);
}

static void
add_recipient(struct job *job, struct session_recipient *recipient)
{
	if (job->count == job->size) {
		size_t size = job->size ? job->size * 2 : 4;

		job->recipients = arena_grow(
			session_transaction(job->client->session)->arena,
			job->recipients, sizeof(*job->recipients), job->count,
			size);
		job->size = size;
	}
	job->recipients[job->count++] = recipient;
}

static void
send_start(struct job *job)
{
	struct dispatch *dispatch = job->client->dispatch;
	struct wire_start start = {
		.job = job->entry.number, .deadline_ms = job->deadline_ms};
	size_t at = 0;

	start.tickets = memory_get(memory_product(
		job->count < FRAME_TICKETS ? job->count : FRAME_TICKETS,
		sizeof(*start.tickets)));
	while (at < job->count) {
		struct frame frame;

		for (start.count = 0;
			start.count < FRAME_TICKETS && at < job->count; at++)
			start.tickets[start.count++] =
				job->recipients[at]->ticket;
		start.is_last = at == job->count;
		frame_begin(&frame, WIRE_START);
		wire_start(&frame, &start);
		link_send(dispatch->master, &frame);
	}
	memory_free(start.tickets);
}

static uint64_t
deadline_of(const struct dispatch_client *client)
{
	const struct dispatch *dispatch = client->dispatch;
	uint64_t timeout = session_timeout_ms(client->session);

	if (timeout > DISPATCH_EARLIER_MS)
		timeout -= DISPATCH_EARLIER_MS;
	if (timeout == 0 || timeout > dispatch->delivery_timeout_ms)
		timeout = dispatch->delivery_timeout_ms;
	return loop_now_ms(dispatch->loop) + timeout;
}

static void
start_jobs(struct dispatch_client *client)
{
	uint64_t deadline = deadline_of(client);
	struct job *job;

	for (job = client->transaction->jobs; job != NULL; job = job->next) {
		job->deadline_ms = deadline;
		job->started_us = clock_monotonic_us();
		loop_timer(client->dispatch->loop, &job->timer,
			deadline + DISPATCH_GRACE_MS);
		send_start(job);
	}
}

static void
on_deliver(struct session *session)
{
	struct dispatch_client *client = client_of(session);
	struct session_transaction *transaction = session_transaction(session);
	size_t i;

	transaction_of(client);
	client->dispatch->counters->transactions++;
	client->dispatch->counters->bytes += spool_size(transaction->spool);
	for (i = 0; i < transaction->count; i++) {
		struct session_recipient *recipient =
			transaction->recipients[i];

		if (recipient->state == SESSION_ACCEPTED &&
			recipient->twin == NULL && !recipient->is_proxied)
			add_recipient(job_of_group(client, recipient->group),
				recipient);
	}
	start_jobs(client);
	if (client->transaction->proxied != NULL)
		proxied_deliver(
			client->transaction->proxied, deadline_of(client));
	forget_content_when_sent(client);
	check_delivered(client);
}

/* ---- JOB ---- */

static size_t
frame_bytes_of(const struct session_recipient *recipient)
{
	return sizeof(struct wire_ticket) + recipient->address.text.len +
	       recipient->original.len + recipient->orcpt.len +
	       recipient->notify.len + strlen(recipient->id) + 24;
}

/* As many as have so many bytes, one at least; result: the place of the next. */
static size_t
fill_recipients(const struct job *job, size_t at, size_t most_bytes,
	struct wire_job_recipients *message)
{
	size_t bytes = 0;

	for (message->count = 0; at < job->count; at++) {
		struct session_recipient *recipient = job->recipients[at];

		bytes += frame_bytes_of(recipient);
		if (message->count > 0 && bytes > most_bytes)
			break;
		message->recipients[message->count++] =
			(struct wire_job_recipient){.ticket = recipient->ticket,
				.path = recipient->address.text,
				.original = recipient->original,
				.orcpt = recipient->orcpt,
				.notify = recipient->notify,
				.ignores_quota = recipient->ignores_quota,
				.session = recipient->id};
	}
	return at;
}

/* Leaves those in the message that go with JOB. */
static void
send_recipients(struct job *job, struct wire_job_recipients *message)
{
	size_t at = fill_recipients(job, 0, JOB_RECIPIENTS_BYTES, message);
	size_t sent = 0;

	while (at < job->count) {
		struct frame frame;

		sent = fill_recipients(
			job, sent, FRAME_RECIPIENTS_BYTES, message);
		frame_begin(&frame, WIRE_JOB_RECIPIENTS);
		wire_job_recipients(&frame, message);
		link_send(&job->worker->link, &frame);
		at = fill_recipients(job, sent, JOB_RECIPIENTS_BYTES, message);
	}
}

static void
send_message(struct job *job, const struct wire_job_recipients *last)
{
	struct session *session = job->client->session;
	struct session_transaction *transaction = session_transaction(session);
	struct frame frame;
	struct wire_job message = {.job = job->entry.number,
		.deadline_ms = job->deadline_ms,
		.session = transaction->id,
		.sender = transaction->sender.text,
		.ret = transaction->ret,
		.envid = transaction->envid,
		.recipients = (uint32_t)transaction->accepted,
		.last = last->recipients,
		.last_count = last->count,
		.size = spool_size(transaction->spool)};

	session_client(session, &message.client);
	message.message = spool_content(transaction->spool, &message.file);
	frame_begin(&frame, WIRE_JOB);
	wire_job(&frame, &message);
	link_send(&job->worker->link, &frame);
}

static void
send_job(struct job *job)
{
	struct wire_job_recipients recipients = {.job = job->entry.number};

	recipients.recipients = memory_get(
		memory_product(job->count, sizeof(*recipients.recipients)));
	send_recipients(job, &recipients);
	send_message(job, &recipients);
	memory_free(recipients.recipients);
}

static void
give_job(struct job *job, struct worker *worker)
{
	job->worker = worker;
	job->of_worker = worker->jobs;
	worker->jobs = job;
	set_state(job, JOB_SENT);
	send_job(job);
	forget_content_when_sent(job->client);
}

static struct worker *
find_worker(struct dispatch *dispatch, uint32_t number)
{
	struct table_entry *entry = table_find(&dispatch->workers, number);

	return entry ? CONTAINER_OF(entry, struct worker, entry) : NULL;
}

static void
take_assigned(struct dispatch *dispatch, const struct wire_assigned *assigned)
{
	struct table_entry *entry = table_find(&dispatch->jobs, assigned->job);
	struct worker *worker = find_worker(dispatch, assigned->worker);
	struct job *job = entry ? CONTAINER_OF(entry, struct job, entry) : NULL;

	if (job != NULL && job->state != JOB_STARTED)
		return;
	if (job == NULL) {
		/* Cancelled in the meantime: the worker waits in vain. */
		if (assigned->err.kind == ERR_NONE && worker != NULL)
			send_number(
				&worker->link, WIRE_JOB_CANCEL, assigned->job);
	} else if (assigned->err.kind != ERR_NONE) {
		fail_job(job, &assigned->err);
	} else if (worker == NULL) {
		fail_job_for_now(job, "the worker has gone");
	} else {
		count_time(dispatch, HISTOGRAM_QUEUE, job->started_us);
		give_job(job, worker);
	}
}

static bool
on_assigned(struct dispatch *dispatch, struct frame *frame)
{
	struct wire_assigned assigned = {0};

	wire_assigned(frame, &assigned);
	if (!frame_is_whole(frame))
		return false;
	take_assigned(dispatch, &assigned);
	return true;
}

/* ---- workers ---- */

static void
count_phases(struct counters *counters, const struct wire_result *message)
{
	static const enum histogram_phase phases[WIRE_PHASES] = {
		[WIRE_PHASE_SIEVE] = HISTOGRAM_SIEVE,
		[WIRE_PHASE_QUOTA] = HISTOGRAM_QUOTA,
		[WIRE_PHASE_STORE] = HISTOGRAM_STORE,
		[WIRE_PHASE_OUTBOUND] = HISTOGRAM_OUTBOUND};
	size_t i;

	for (i = 0; i < WIRE_PHASES; i++)
		histogram_add(
			&counters->phases[phases[i]], message->phases_us[i]);
	counters->script_errors += message->script_errors;
}

static bool
take_results(struct job *job, struct wire_result *message)
{
	size_t i;

	if (message->first != job->results ||
		message->count > job->count - job->results)
		return false;
	for (i = 0; i < message->count; i++) {
		job->recipients[job->results++]->result = message->results[i];
		count_result(
			job->client->dispatch->counters, &message->results[i]);
	}
	if (message->is_last)
		count_phases(job->client->dispatch->counters, message);
	if (job->results == job->count)
		finish_job(job);
	else if (message->is_last)
		fail_job_for_now(job, "the worker left a result out");
	return true;
}

static bool
on_worker_received(struct link *link, struct frame *frame)
{
	struct worker *worker = CONTAINER_OF(link, struct worker, link);
	struct wire_result message = {0};
	struct table_entry *entry;
	struct job *job;

	if (frame->type != WIRE_RESULT)
		return false;
	wire_result(frame, &message);
	if (!frame_is_whole(frame))
		return false;
	/* Cancelled, or given up: nobody is left to be told. */
	entry = table_find(&worker->dispatch->jobs, message.job);
	if (entry == NULL)
		return true;
	job = CONTAINER_OF(entry, struct job, entry);
	return job->worker == worker && take_results(job, &message);
}

static void
close_worker(struct worker *worker)
{
	while (worker->jobs != NULL)
		fail_job_for_now(worker->jobs, "the worker has gone");
	table_remove(&worker->dispatch->workers, &worker->entry);
	link_close(&worker->link);
	memory_free(worker);
}

static void
on_worker_broken(struct link *link)
{
	struct worker *worker = CONTAINER_OF(link, struct worker, link);

	if (worker->jobs != NULL)
		log_error("worker %lu has gone with a delivery under way",
			(unsigned long)worker->entry.number);
	close_worker(worker);
}

static void
open_worker(struct dispatch *dispatch, uint32_t number, int fd)
{
	struct worker *worker = memory_get(sizeof(*worker));
	struct channel channel;

	worker->dispatch = dispatch;
	worker->link.received = on_worker_received;
	worker->link.broken = on_worker_broken;
	channel_open(&channel, fd, false);
	link_open(&worker->link, dispatch->loop, dispatch->arena, &channel);
	table_add(&dispatch->workers, &worker->entry, number);
}

static bool
on_worker(struct dispatch *dispatch, struct frame *frame)
{
	struct wire_worker message = {0};

	wire_worker(frame, &message);
	if (!frame_is_whole(frame) || message.fd < 0 ||
		find_worker(dispatch, message.worker) != NULL) {
		fd_close(&message.fd);
		return false;
	}
	open_worker(dispatch, message.worker, message.fd);
	return true;
}

static bool
on_state_link(struct dispatch *dispatch, struct frame *frame)
{
	struct wire_state_link message = {0};

	wire_state_link(frame, &message);
	if (!frame_is_whole(frame) || message.fd < 0) {
		fd_close(&message.fd);
		return false;
	}
	confirm_link(&dispatch->confirm, message.fd);
	return true;
}

bool
dispatch_received(struct dispatch *dispatch, struct frame *frame)
{
	switch (frame->type) {
	case WIRE_RCPT_ANSWER:
		return on_rcpt_answer(dispatch, frame);
	case WIRE_LOGGED_IN:
		return on_logged_in(dispatch, frame);
	case WIRE_ASSIGNED:
		return on_assigned(dispatch, frame);
	case WIRE_WORKER:
		return on_worker(dispatch, frame);
	case WIRE_STATE_LINK:
		return on_state_link(dispatch, frame);
	case WIRE_PROXY_LINK:
		return proxied_link(&dispatch->proxied, frame);
	default:
		return false;
	}
}

/* ---- the end of a transaction ---- */

static void
on_release(struct session *session)
{
	struct dispatch_client *client = client_of(session);
	struct dispatch *dispatch = client->dispatch;
	struct dispatch_transaction *transaction = client->transaction;
	struct request *request;
	struct job *job;

	client->is_delivered = false;
	if (transaction == NULL)
		return;
	for (job = transaction->jobs; job != NULL; job = job->next) {
		if (job->state == JOB_DONE)
			continue;
		cancel_job(job);
		detach_job(job);
	}
	for (request = transaction->requests; request != NULL;
		request = request->next) {
		if (!request->is_answered)
			table_remove(&dispatch->requests, &request->entry);
		else if (request->has_ticket)
			release_ticket(dispatch, &request->ticket);
	}
	proxied_release(transaction->proxied);
	client->transaction = NULL;
}

/* ---- recipients of other hosts ---- */

static void
on_proxied_found(struct session_recipient *recipient, const struct err *err)
{
	struct dispatch_client *client = client_of(recipient->session);
	struct counters *counters = client->dispatch->counters;

	if (err->kind == ERR_NONE)
		counters->recipients_accepted++;
	else
		count_refused(counters, err);
	session_found(recipient, err, NULL, 0);
	client->dispatch->wake(client);
}

static void
on_proxied_result(struct session_recipient *recipient)
{
	struct dispatch_client *client = client_of(recipient->session);

	count_result(client->dispatch->counters, &recipient->result);
	check_delivered(client);
}

/* ---- confirmations ---- */

static void
on_confirm(struct session *session, const struct wire_handle *handles,
	size_t count)
{
	struct dispatch_client *client = client_of(session);

	confirm_begin(
		&client->dispatch->confirm, &client->confirm, handles, count);
}

static void
wake_confirmed(struct confirm_client *waiting)
{
	struct dispatch_client *client =
		CONTAINER_OF(waiting, struct dispatch_client, confirm);

	client->dispatch->wake(client);
}

/* ---- its life ---- */

const struct session_events dispatch_events = {
	.find = on_find,
	.refused = on_refused,
	.not_taken = on_not_taken,
	.forwarded = on_forwarded,
	.has_room_for_tls = has_room_for_tls,
	.deliver = on_deliver,
	.release = on_release,
	.login = on_login,
	.confirm = on_confirm,
};

void
dispatch_settle(struct dispatch_client *client)
{
	if (client->is_delivered) {
		client->is_delivered = false;
		session_delivered(client->session);
	}
	if (client->login != NULL && client->login->is_due)
		settle_login(client);
	if (client->confirm.is_done) {
		client->confirm.is_done = false;
		session_confirmed(client->session);
	}
}

void
dispatch_forget(struct dispatch_client *client)
{
	forget_login(client);
	confirm_forget(&client->confirm);
}

static void
send_released(struct dispatch *dispatch)
{
	size_t at, part;

	for (at = 0; at < dispatch->released_count; at += part) {
		struct frame frame;
		struct wire_release message;

		part = dispatch->released_count - at;
		if (part > FRAME_TICKETS)
			part = FRAME_TICKETS;
		message = (struct wire_release){dispatch->released + at, part};
		frame_begin(&frame, WIRE_RELEASE);
		wire_release(&frame, &message);
		link_send(dispatch->master, &frame);
	}
	dispatch->released_count = 0;
}

void
dispatch_after_round(struct dispatch *dispatch)
{
	dispatch->counters->confirmations = dispatch->confirm.handles;
	send_released(dispatch);
}

void
dispatch_open(struct dispatch *dispatch)
{
	dispatch->confirm = (struct confirm){.loop = dispatch->loop,
		.arena = dispatch->arena,
		.wake = wake_confirmed};
	confirm_open(&dispatch->confirm);
	dispatch->proxied = (struct proxied){.loop = dispatch->loop,
		.arena = dispatch->arena,
		.found = on_proxied_found,
		.result = on_proxied_result};
}

static void
close_workers(struct dispatch *dispatch)
{
	size_t i;

	for (i = 0; i < dispatch->workers.size; i++)
		while (dispatch->workers.chains[i] != NULL)
			close_worker(CONTAINER_OF(dispatch->workers.chains[i],
				struct worker, entry));
}

/* All sessions are closed already. */
void
dispatch_close(struct dispatch *dispatch)
{
	close_workers(dispatch);
	confirm_close(&dispatch->confirm);
	proxied_close(&dispatch->proxied);
	table_clear(&dispatch->workers);
	table_clear(&dispatch->requests);
	table_clear(&dispatch->logins);
	table_clear(&dispatch->jobs);
	memory_free(dispatch->released);
}
