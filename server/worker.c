/* worker - some jobs at a time, as the user whose mail they are
 *
 *   idle --ASSIGN*--> assigned --JOB* (or JOB_CANCEL)--> run --RESULT*, IDLE--> idle
 *                        | the front has gone --IDLE--> idle
 *
 * It begins when each of the jobs that were assigned together is there or has been
 * cancelled: their phases are done together (deliver_jobs()).  CHECK is answered in
 * between.  Master is believed, the front is not: one that
 * breaks the rules ends the worker.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/flush.h"
#include "base/log.h"
#include "ipc/channel.h"
#include "deliver/deliver.h"
#include "deliver/programs.h"
#include "deliver/scriptcache.h"
#include "server/askrunner.h"
#include "server/askwait.h"
#include "server/child.h"
#include "server/confine.h"
#include "server/job.h"
#include "server/jobmemory.h"

#include "base/banned.h"

/* Threads that wait for the disk. */
enum { FLUSHES_AT_A_TIME = 8 };

/* A runner that a worker does not need for so long ends. */
enum { RUNNER_IDLE_MS = 60 * 1000 };

/* What one step of the loop leads to. */
enum next {
	NEXT_GO_ON,
	NEXT_END, /* master has gone, or wants no more of us */
	NEXT_DIE  /* somebody broke the rules, or there is trouble of our own */
};

/* One of the jobs that are done together. */
struct slot {
	struct worker *worker;
	struct remembered_job job;
	bool is_here;      /* JOB has come */
	bool is_cancelled; /* its client has gone */
};

struct worker {
	struct child *child;
	struct channel front;  /* fd -1: master will send another one */
	unsigned front_number; /* grows with each of them */
	struct script_cache *scripts;
	struct flush_crew *flush_crew;
	struct jobmemory memory;
	struct askrunner runner;
	struct arena *arena; /* of the slots, and what they hold */
	struct slot *slots[WIRE_JOBS_TOGETHER_MAX];
	size_t slot_count;
	bool expects_more; /* ASSIGN */
	bool is_draining;
	bool front_broke_rules;
	bool is_waiting[JOB_WAIT_PROGRAM + 1]; /* for others; master knows */
	char prefix[64];                       /* of log lines between jobs */
};

static struct slot *
slot_of(const struct job *job)
{
	return CONTAINER_OF(
		(struct job *)(uintptr_t)job, struct slot, job.assignment.job);
}

static void
empty_slots(struct worker *worker)
{
	size_t i;

	for (i = 0; i < worker->slot_count; i++)
		assignment_clear(&worker->slots[i]->job.assignment);
	worker->slot_count = 0;
	worker->expects_more = false;
	arena_close(&worker->arena);
	worker->arena = arena_open();
	log_set_prefix(worker->prefix);
}

static bool
is_assigned(const struct worker *worker)
{
	return worker->slot_count > 0;
}

/* NULL: no such job is ours. */
static struct slot *
find_slot(const struct worker *worker, uint64_t number)
{
	size_t i;

	for (i = 0; i < worker->slot_count; i++)
		if (worker->slots[i]->job.assignment.number == number)
			return worker->slots[i];
	return NULL;
}

/* NULL: there are too many. */
static struct slot *
add_slot(struct worker *worker)
{
	struct slot *slot;

	if (worker->slot_count == ARRAY_LENGTH(worker->slots))
		return NULL;
	slot = ARENA_NEW(worker->arena, struct slot);
	slot->worker = worker;
	slot->job.memory = &worker->memory;
	assignment_init(
		&slot->job.assignment, worker->arena, worker->child->settings);
	worker->slots[worker->slot_count++] = slot;
	return slot;
}

/* ---- to master ---- */

static enum next
tell_master(struct worker *worker, struct frame *frame)
{
	struct err err;

	if (channel_send(&worker->child->master, frame, &err) == 0)
		return NEXT_GO_ON;
	return NEXT_END;
}

static enum next
tell_ready(struct worker *worker)
{
	struct frame frame;

	confine_ready(worker->child, &frame);
	return tell_master(worker, &frame);
}

static bool
has_redeemed(const struct worker *worker)
{
	size_t i, d;

	for (i = 0; i < worker->slot_count; i++) {
		const struct job *job = &worker->slots[i]->job.assignment.job;

		if (job->count == 0)
			return false;
		for (d = 0; d < job->count; d++)
			if (!job->deliveries[d].has_redeemed)
				return false;
	}
	return true;
}

/* Nothing of what was assigned is left to do. */
static enum next
tell_idle(struct worker *worker)
{
	struct wire_idle idle = {.job = worker->slots[0]->job.assignment.number,
		.has_redeemed = has_redeemed(worker)};
	struct frame frame;

	frame_begin(&frame, WIRE_IDLE);
	wire_idle(&frame, &idle);
	empty_slots(worker);
	return tell_master(worker, &frame);
}

/* ---- the front ---- */

static void
lose_front(struct worker *worker)
{
	channel_close(&worker->front);
}

static enum next
front_broke_rules(struct worker *worker, const char *what)
{
	log_error("the front broke the rules: %s", what);
	lose_front(worker);
	return NEXT_DIE;
}

static bool
take_cancel(struct frame *frame, uint64_t *number_out)
{
	struct wire_job_number number = {0};

	wire_job_number(frame, &number);
	*number_out = number.job;
	return frame_is_whole(frame);
}

/* One that came too late for its job is nobody's. */
static void
cancel(struct slot *slot)
{
	if (slot != NULL)
		slot->is_cancelled = true;
}

/* What the front may send while jobs run; false when the channel is no more. */
static bool
hear_cancel(struct worker *worker)
{
	struct frame frame;
	uint64_t number;
	struct err err;

	if (channel_receive(&worker->front, worker->arena, &frame, &err) !=
		LOOKUP_FOUND) {
		lose_front(worker);
		return false;
	}
	if (frame.type == WIRE_JOB_CANCEL && take_cancel(&frame, &number)) {
		cancel(find_slot(worker, number));
	} else {
		worker->front_broke_rules = true;
		lose_front(worker);
	}
	frame_close(&frame);
	return channel_is_open(&worker->front);
}

/* Has the client gone?  Looks at what the front has sent since. */
static bool
is_abandoned(const struct job *job)
{
	struct slot *slot = slot_of(job);
	struct worker *worker = slot->worker;

	while (channel_is_open(&worker->front) &&
		channel_wait(&worker->front, 0) && hear_cancel(worker))
		continue;
	return slot->is_cancelled || !channel_is_open(&worker->front);
}

static void
send_results(struct job *job)
{
	struct slot *slot = slot_of(job);
	struct worker *worker = slot->worker;
	struct wire_result result = {.is_last = false};
	size_t first = 0;

	/* Who reads a failure finds its line in the log. */
	deliver_report(job);
	while (!result.is_last && channel_is_open(&worker->front)) {
		struct frame frame;
		struct err err;

		assignment_result(&slot->job.assignment, worker->memory.uid,
			first, &result);
		first += result.count;
		frame_begin(&frame, WIRE_RESULT);
		wire_result(&frame, &result);
		if (channel_send(&worker->front, &frame, &err) < 0)
			lose_front(worker);
	}
}

static void
run_program(const struct job *job, const struct settings *settings,
	const struct program_request *request, struct program_answer *answer)
{
	struct worker *worker = slot_of(job)->worker;

	(void)settings; /* those of the runner count */
	askrunner_run(&worker->runner, &worker->child->master, job->arena,
		request, answer);
}

static enum wire_wait
wire_wait_of(enum job_wait what)
{
	switch (what) {
	case JOB_WAIT_MAIL:
		return WIRE_WAIT_MAIL;
	case JOB_WAIT_PROGRAM:
		break;
	}
	return WIRE_WAIT_PROGRAM;
}

static int
begin_wait(const struct job *job, enum job_wait what, struct err *err)
{
	struct worker *worker = slot_of(job)->worker;

	if (worker->is_waiting[what])
		return 0;
	if (askwait_begin(&worker->child->master, wire_wait_of(what), err) < 0)
		return -1;
	worker->is_waiting[what] = true;
	return 0;
}

static void
end_wait(const struct job *job, enum job_wait what)
{
	struct worker *worker = slot_of(job)->worker;

	if (worker->is_waiting[what])
		askwait_end(&worker->child->master, wire_wait_of(what));
	worker->is_waiting[what] = false;
}

static const struct job_waits waits = {.begin = begin_wait, .end = end_wait};

static const struct job_programs programs = {.run = run_program};

static struct job *
prepare_job(struct worker *worker, struct slot *slot)
{
	struct job *job = &slot->job.assignment.job;

	job->script_cache = worker->scripts;
	job->is_abandoned = is_abandoned;
	job->settled = send_results;
	job->programs = &programs;
	job->waits = &waits;
	job->leaves_notices = true;
	job->flush_crew = worker->flush_crew;
	if (!worker->child->boot.has_no_memory) {
		job->memory = &jobmemory_ops;
		job->seen = &jobmemory_seen;
	}
	return job;
}

static void
run_jobs(struct worker *worker)
{
	struct job *jobs[WIRE_JOBS_TOGETHER_MAX];
	size_t count = 0, i;

	for (i = 0; i < worker->slot_count; i++)
		if (worker->slots[i]->is_here &&
			!worker->slots[i]->is_cancelled)
			jobs[count++] = prepare_job(worker, worker->slots[i]);
	if (count > 0)
		deliver_jobs(jobs, count);
}

static enum next handle_master(struct worker *worker);

/* Master sent ASSIGN before the front could know of it; but we may have looked at
 * the front first.  False: *next_out ends the matter, and what came from the front
 * is gone with its arena. */
static bool
catch_up_with_master(struct worker *worker, enum next *next_out)
{
	unsigned front_number = worker->front_number;

	*next_out = NEXT_GO_ON;
	while (*next_out == NEXT_GO_ON &&
		channel_wait(&worker->child->master, 0))
		*next_out = handle_master(worker);
	return *next_out == NEXT_GO_ON && front_number == worker->front_number;
}

/* The job that the front speaks of; NULL: *next_out ends the matter. */
static struct slot *
find_assigned(struct worker *worker, uint64_t number, enum next *next_out)
{
	struct slot *slot = find_slot(worker, number);

	*next_out = NEXT_GO_ON;
	if (slot == NULL && catch_up_with_master(worker, next_out)) {
		slot = find_slot(worker, number);
		if (slot == NULL)
			*next_out = front_broke_rules(
				worker, "a job that was not assigned");
	}
	return slot;
}

static enum next
handle_recipients(struct worker *worker, struct frame *frame)
{
	struct wire_job_recipients recipients = {0};
	struct slot *slot;
	enum next next;
	struct err err;

	wire_job_recipients(frame, &recipients);
	if (!frame_is_whole(frame))
		return front_broke_rules(worker, "a broken JOB_RECIPIENTS");
	slot = find_assigned(worker, recipients.job, &next);
	if (slot == NULL)
		return next;
	if (slot->is_here)
		return front_broke_rules(worker, "JOB_RECIPIENTS after JOB");
	if (assignment_add_recipients(
		    &slot->job.assignment, &recipients, &err) < 0)
		return front_broke_rules(worker, err_log_text(&err));
	return NEXT_GO_ON;
}

/* Those that come with JOB. */
static enum next
take_recipients(
	struct worker *worker, struct slot *slot, const struct wire_job *job)
{
	struct wire_job_recipients last = {
		.job = job->job,
		.recipients = job->last,
		.count = job->last_count,
	};
	struct err err;

	if (slot->is_here)
		return front_broke_rules(worker, "a job twice");
	if (assignment_add_recipients(&slot->job.assignment, &last, &err) < 0)
		return front_broke_rules(worker, err_log_text(&err));
	return NEXT_GO_ON;
}

static enum next
take_job(struct worker *worker, struct slot *slot, struct wire_job *job)
{
	struct err err;

	if (assignment_begin(&slot->job.assignment, job, &err) < 0)
		return front_broke_rules(worker, err_log_text(&err));
	slot->is_here = true;
	return NEXT_GO_ON;
}

static enum next
handle_job(struct worker *worker, struct frame *frame)
{
	struct wire_job job = {.file = -1};
	struct slot *slot;
	enum next next;

	wire_job(frame, &job);
	if (!frame_is_whole(frame)) {
		fd_close(&job.file);
		return front_broke_rules(worker, "a broken JOB");
	}
	slot = find_assigned(worker, job.job, &next);
	if (slot != NULL)
		next = take_recipients(worker, slot, &job);
	if (next != NEXT_GO_ON)
		slot = NULL;
	/* ASSIGN may have come in several frames. */
	if (slot != NULL &&
		!assignment_is_complete(&slot->job.assignment, job.job) &&
		!catch_up_with_master(worker, &next))
		slot = NULL;
	if (slot != NULL)
		next = take_job(worker, slot, &job);
	fd_close(&job.file);
	return next;
}

/* Perhaps of a job that master has assigned and we have not heard of. */
static enum next
handle_cancel(struct worker *worker, struct frame *frame)
{
	enum next next = NEXT_GO_ON;
	uint64_t number;

	if (!take_cancel(frame, &number))
		return front_broke_rules(worker, "a broken JOB_CANCEL");
	if (find_slot(worker, number) != NULL ||
		catch_up_with_master(worker, &next))
		cancel(find_slot(worker, number));
	return next;
}

static enum next
handle_front_frame(struct worker *worker, struct frame *frame)
{
	switch (frame->type) {
	case WIRE_JOB_RECIPIENTS:
		return handle_recipients(worker, frame);
	case WIRE_JOB:
		return handle_job(worker, frame);
	case WIRE_JOB_CANCEL:
		return handle_cancel(worker, frame);
	default:
		return front_broke_rules(worker, "an unknown frame");
	}
}

static enum next
handle_front(struct worker *worker)
{
	struct frame frame;
	enum next next;
	struct err err;

	if (channel_receive(&worker->front, worker->arena, &frame, &err) !=
		LOOKUP_FOUND) {
		lose_front(worker);
		return is_assigned(worker) ? tell_idle(worker) : NEXT_GO_ON;
	}
	next = handle_front_frame(worker, &frame);
	frame_close(&frame);
	return next;
}

/* ---- master ---- */

static enum next
master_broke_rules(const char *what)
{
	log_error("master broke the rules: %s", what);
	return NEXT_DIE;
}

static enum next
handle_assign(struct worker *worker, struct frame *frame)
{
	struct wire_assign assign = {0};
	struct slot *slot;
	struct err err;

	wire_assign(frame, &assign);
	if (!frame_is_whole(frame))
		return master_broke_rules("a broken ASSIGN");
	if (!worker->expects_more && is_assigned(worker))
		return master_broke_rules("a job for one that is at work");
	slot = find_slot(worker, assign.job);
	if (slot == NULL)
		slot = add_slot(worker);
	if (slot == NULL)
		return master_broke_rules("too many jobs at a time");
	if (assignment_add_users(&slot->job.assignment, &assign, &err) < 0)
		return master_broke_rules(err_log_text(&err));
	worker->expects_more = assign.more;
	/* Without a front nobody can send the jobs. */
	if (!channel_is_open(&worker->front) && !assign.more)
		return tell_idle(worker);
	return NEXT_GO_ON;
}

static enum next
handle_worker(struct worker *worker, struct frame *frame)
{
	struct wire_worker link = {.fd = -1};

	wire_worker(frame, &link);
	if (!frame_is_whole(frame) || link.fd < 0) {
		if (link.fd >= 0)
			close(link.fd);
		return master_broke_rules("a broken WORKER");
	}
	channel_close(&worker->front);
	channel_open(&worker->front, link.fd, true);
	worker->front_number++;
	/* What the old one meant to send will not come. */
	return is_assigned(worker) ? tell_idle(worker) : NEXT_GO_ON;
}

static int
ask_delivery(struct job *job, struct delivery *delivery,
	const struct wire_check *question, struct err *err)
{
	return question->withdraws
	               ? deliver_withdraw(job, delivery, err)
	               : deliver_check(job, delivery, question->size, err);
}

static void
check(struct worker *worker, const struct wire_check *question,
	struct wire_checked *answer)
{
	struct err *err = &answer->err;
	struct arena *arena = arena_open();
	struct job job = {.arena = arena,
		.service = "lmtp",
		.session = question->session != NULL ? question->session : ""};
	struct delivery delivery = {.outcome = DELIVER_PENDING,
		.is_mere_question = question->is_mere_question};

	err_clear(err);
	if (assignment_user(arena, worker->child->settings, question->user,
		    &delivery, err) < 0 ||
		ask_delivery(&job, &delivery, question, err) < 0)
		log_debug("RCPT of %s refused: %s", delivery.user,
			err_log_text(err));
	else
		err_clear(err);
	answer->has_promised = delivery.has_promised;
	arena_close(&arena);
}

static enum next
handle_check(struct worker *worker, struct frame *frame)
{
	struct wire_check question = {0};
	struct wire_checked answer = {0};
	struct frame reply;

	wire_check(frame, &question);
	if (!frame_is_whole(frame))
		return master_broke_rules("a broken CHECK");
	answer.request = question.request;
	check(worker, &question, &answer);
	if (worker->child->settings->lmtp_verbose_replies)
		err_tell(&answer.err);
	frame_begin(&reply, WIRE_CHECKED);
	wire_checked(&reply, &answer);
	return tell_master(worker, &reply);
}

static enum next
handle_drain(struct worker *worker, struct frame *frame)
{
	struct wire_drain drain = {0};

	wire_drain(frame, &drain);
	if (!frame_is_whole(frame))
		return master_broke_rules("a broken DRAIN");
	worker->is_draining = true;
	return NEXT_GO_ON;
}

static enum next
handle_master_frame(struct worker *worker, struct frame *frame)
{
	switch (frame->type) {
	case WIRE_ASSIGN:
		return handle_assign(worker, frame);
	case WIRE_CHECK:
		return handle_check(worker, frame);
	case WIRE_WORKER:
		return handle_worker(worker, frame);
	case WIRE_DRAIN:
		return handle_drain(worker, frame);
	case WIRE_LOGS:
		return child_take_logs(frame)
		               ? NEXT_GO_ON
		               : master_broke_rules("broken LOGS");
	default:
		return master_broke_rules("an unknown frame");
	}
}

static enum next
handle_master(struct worker *worker)
{
	struct frame frame;
	enum next next;
	struct err err;

	if (channel_receive(&worker->child->master, worker->arena, &frame,
		    &err) != LOOKUP_FOUND)
		return NEXT_END;
	next = handle_master_frame(worker, &frame);
	frame_close(&frame);
	return next;
}

/* ---- the loop ---- */

/* Whether each of the jobs is there, or will not come. */
static bool
is_complete(const struct worker *worker)
{
	size_t i;

	if (worker->expects_more)
		return false;
	for (i = 0; i < worker->slot_count; i++)
		if (!worker->slots[i]->is_here &&
			!worker->slots[i]->is_cancelled)
			return false;
	return worker->slot_count > 0;
}

static enum next
finish_jobs(struct worker *worker)
{
	run_jobs(worker);
	if (worker->front_broke_rules)
		return front_broke_rules(worker, "a frame during a job");
	return tell_idle(worker);
}

static enum next
step(struct worker *worker)
{
	struct pollfd wanted[] = {
		{.fd = worker->child->master.fd, .events = POLLIN},
		{.fd = worker->front.fd, .events = POLLIN}};
	enum next next;

	int found = poll(wanted, ARRAY_LENGTH(wanted),
		askrunner_is_open(&worker->runner) ? RUNNER_IDLE_MS : -1);

	if (found < 0 && errno != EINTR) {
		log_error("poll: %s", strerror(errno));
		return NEXT_DIE;
	}
	if (found == 0)
		askrunner_close(&worker->runner);
	if (found <= 0)
		return NEXT_GO_ON;
	next = wanted[0].revents != 0 ? handle_master(worker)
	                              : handle_front(worker);
	if (next == NEXT_GO_ON && is_complete(worker))
		return finish_jobs(worker);
	/* Many frames without a job must not fill the arena. */
	if (!is_assigned(worker))
		empty_slots(worker);
	return next;
}

static void
worker_open(struct worker *worker, struct child *child)
{
	const char *state = child->boot.state;

	if (state == NULL)
		state = arena_format(
			child->arena, "%s/state", child->settings->base_dir);
	*worker = (struct worker){.child = child, .front = {.fd = -1}};
	askrunner_init(&worker->runner);
	worker->scripts = script_cache_open(NULL);
	worker->flush_crew = flush_crew_open(FLUSHES_AT_A_TIME);
	jobmemory_init(&worker->memory, state, geteuid());
	snprintf(worker->prefix, sizeof(worker->prefix),
		"lmtp(%ld):", (long)clock_pid());
	worker->arena = arena_open();
	log_set_prefix(worker->prefix);
}

static void
worker_close(struct worker *worker)
{
	channel_close(&worker->front);
	askrunner_close(&worker->runner);
	empty_slots(worker);
	jobmemory_clear(&worker->memory);
	script_cache_close(&worker->scripts);
	flush_crew_close(&worker->flush_crew);
	arena_close(&worker->arena);
}

int
worker_main(struct child *child)
{
	struct worker worker;
	enum next next;
	struct err err;

	/* Before the threads that flush. */
	if (confine(child, NULL, 0, &err) < 0) {
		log_error("%s", err_log_text(&err));
		return 1;
	}
	worker_open(&worker, child);
	next = tell_ready(&worker);
	while (next == NEXT_GO_ON &&
		!(worker.is_draining && !is_assigned(&worker)))
		next = step(&worker);
	worker_close(&worker);
	return next == NEXT_DIE ? 1 : 0;
}
