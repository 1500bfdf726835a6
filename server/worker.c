/* worker - one job at a time, as the user whose mail it is
 *
 *   idle --ASSIGN--> assigned --JOB--> run --RESULT, IDLE--> idle
 *                       | JOB_CANCEL, or the front has gone --IDLE--> idle
 *
 * CHECK is answered in between.  Master is believed, the front is not: one that
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
#include "base/log.h"
#include "ipc/channel.h"
#include "deliver/deliver.h"
#include "deliver/scriptcache.h"
#include "server/child.h"
#include "server/job.h"
#include "server/jobmemory.h"

#include "base/banned.h"

/* What one step of the loop leads to. */
enum next {
	NEXT_GO_ON,
	NEXT_END, /* master has gone, or wants no more of us */
	NEXT_DIE  /* somebody broke the rules, or there is trouble of our own */
};

struct worker {
	struct child *child;
	struct channel front;  /* fd -1: master will send another one */
	unsigned front_number; /* grows with each of them */
	struct script_cache *scripts;
	struct jobmemory memory;
	struct arena *arena; /* of the job that is assigned or comes next */
	struct remembered_job job;
	bool is_draining;
	bool front_broke_rules;
	char prefix[64]; /* of log lines between jobs */
};

static struct worker *
worker_of(const struct job *job)
{
	return CONTAINER_OF((struct job *)(uintptr_t)job, struct worker,
		job.assignment.job);
}

static void
next_job(struct worker *worker)
{
	assignment_clear(&worker->job.assignment);
	arena_close(&worker->arena);
	worker->arena = arena_open();
	assignment_init(&worker->job.assignment, worker->arena,
		worker->child->settings);
	log_set_prefix(worker->prefix);
}

static bool
is_assigned(const struct worker *worker)
{
	return worker->job.assignment.is_assigned;
}

static bool
is_ours(const struct worker *worker, uint64_t number)
{
	return is_assigned(worker) && worker->job.assignment.number == number;
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

	frame_begin(&frame, WIRE_READY);
	return tell_master(worker, &frame);
}

static enum next
tell_idle(struct worker *worker)
{
	struct wire_job_number number = {.job = worker->job.assignment.number};
	struct frame frame;

	frame_begin(&frame, WIRE_IDLE);
	wire_job_number(&frame, &number);
	next_job(worker);
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

/* JOB_CANCEL of this very job?  An old one came too late for its job. */
static bool
is_cancel(const struct worker *worker, struct frame *frame, bool *is_good)
{
	struct wire_job_number number = {0};

	*is_good = frame->type == WIRE_JOB_CANCEL;
	if (!*is_good)
		return false;
	wire_job_number(frame, &number);
	*is_good = frame_is_whole(frame);
	return *is_good && is_ours(worker, number.job);
}

/* Has the client gone?  Looks at what the front has sent since. */
static bool
is_abandoned(const struct job *job)
{
	struct worker *worker = worker_of(job);

	while (channel_is_open(&worker->front) &&
		channel_wait(&worker->front, 0)) {
		struct frame frame;
		bool is_good, is_cancelled;
		struct err err;

		if (channel_receive(&worker->front, worker->arena, &frame,
			    &err) != LOOKUP_FOUND) {
			lose_front(worker);
			break;
		}
		is_cancelled = is_cancel(worker, &frame, &is_good);
		frame_close(&frame);
		if (!is_good)
			worker->front_broke_rules = true;
		if (is_cancelled || !is_good)
			return true;
	}
	return !channel_is_open(&worker->front);
}

static void
send_results(struct worker *worker)
{
	struct wire_result result = {.is_last = false};
	size_t first = 0;

	while (!result.is_last && channel_is_open(&worker->front)) {
		struct frame frame;
		struct err err;

		assignment_result(&worker->job.assignment, worker->memory.uid,
			first, &result);
		first += result.count;
		frame_begin(&frame, WIRE_RESULT);
		wire_result(&frame, &result);
		if (channel_send(&worker->front, &frame, &err) < 0)
			lose_front(worker);
	}
}

static void
run_job(struct worker *worker)
{
	struct job *job = &worker->job.assignment.job;

	job->script_cache = worker->scripts;
	job->is_abandoned = is_abandoned;
	if (!worker->child->boot.has_no_memory) {
		job->memory = &jobmemory_ops;
		job->seen = &jobmemory_seen;
	}
	deliver_job(job);
	send_results(worker);
	deliver_report(job);
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

static enum next
handle_recipients(struct worker *worker, struct frame *frame)
{
	struct wire_job_recipients recipients = {0};
	enum next next;
	struct err err;

	wire_job_recipients(frame, &recipients);
	if (!frame_is_whole(frame))
		return front_broke_rules(worker, "a broken JOB_RECIPIENTS");
	if (!is_ours(worker, recipients.job) &&
		!catch_up_with_master(worker, &next))
		return next;
	if (assignment_add_recipients(
		    &worker->job.assignment, &recipients, &err) < 0)
		return front_broke_rules(worker, err_log_text(&err));
	return NEXT_GO_ON;
}

static enum next
handle_job(struct worker *worker, struct frame *frame)
{
	struct wire_job job = {.file = -1};
	enum next next;
	struct err err;

	wire_job(frame, &job);
	if (!frame_is_whole(frame)) {
		if (job.file >= 0)
			close(job.file);
		return front_broke_rules(worker, "a broken JOB");
	}
	/* ASSIGN may have come in several frames. */
	if (!assignment_is_complete(&worker->job.assignment, job.job) &&
		!catch_up_with_master(worker, &next)) {
		if (job.file >= 0)
			close(job.file);
		return next;
	}
	if (assignment_begin(&worker->job.assignment, &job, &err) < 0)
		return front_broke_rules(worker, err_log_text(&err));
	run_job(worker);
	if (worker->front_broke_rules)
		return front_broke_rules(worker, "a frame during a job");
	return tell_idle(worker);
}

static enum next
handle_front_frame(struct worker *worker, struct frame *frame)
{
	bool is_good;

	switch (frame->type) {
	case WIRE_JOB_RECIPIENTS:
		return handle_recipients(worker, frame);
	case WIRE_JOB:
		return handle_job(worker, frame);
	default:
		break;
	}
	if (is_cancel(worker, frame, &is_good))
		return tell_idle(worker);
	return is_good ? NEXT_GO_ON
	               : front_broke_rules(worker, "an unknown frame");
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
	struct err err;

	wire_assign(frame, &assign);
	if (!frame_is_whole(frame))
		return master_broke_rules("a broken ASSIGN");
	if (assignment_add_users(&worker->job.assignment, &assign, &err) < 0)
		return master_broke_rules(err_log_text(&err));
	/* Without a front nobody can send the job. */
	return channel_is_open(&worker->front) ? NEXT_GO_ON : tell_idle(worker);
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

static void
check(struct worker *worker, const struct wire_check *question, struct err *err)
{
	struct arena *arena = arena_open();
	struct job job = {.arena = arena,
		.service = "lmtp",
		.session = question->session != NULL ? question->session : ""};
	struct delivery delivery = {.outcome = DELIVER_PENDING};

	err_clear(err);
	if (assignment_user(arena, worker->child->settings, question->user,
		    &delivery, err) < 0 ||
		deliver_check(&job, &delivery, question->size, err) < 0)
		log_debug("RCPT of %s refused: %s", delivery.user,
			err_log_text(err));
	else
		err_clear(err);
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
	check(worker, &question, &answer.err);
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

static enum next
step(struct worker *worker)
{
	struct pollfd wanted[] = {
		{.fd = worker->child->master.fd, .events = POLLIN},
		{.fd = worker->front.fd, .events = POLLIN}};
	enum next next;

	if (poll(wanted, ARRAY_LENGTH(wanted), -1) < 0) {
		if (errno == EINTR)
			return NEXT_GO_ON;
		log_error("poll: %s", strerror(errno));
		return NEXT_DIE;
	}
	next = wanted[0].revents != 0 ? handle_master(worker)
	                              : handle_front(worker);
	/* Many frames without a job must not fill the arena. */
	if (!is_assigned(worker))
		next_job(worker);
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
	worker->scripts = script_cache_open(NULL);
	jobmemory_init(&worker->memory, state, geteuid());
	worker->job.memory = &worker->memory;
	snprintf(worker->prefix, sizeof(worker->prefix),
		"lmtp(%ld):", (long)clock_pid());
	worker->arena = arena_open();
	next_job(worker);
}

static void
worker_close(struct worker *worker)
{
	channel_close(&worker->front);
	assignment_clear(&worker->job.assignment);
	jobmemory_clear(&worker->memory);
	script_cache_close(&worker->scripts);
	arena_close(&worker->arena);
}

int
worker_main(struct child *child)
{
	struct worker worker;
	enum next next;

	worker_open(&worker, child);
	next = tell_ready(&worker);
	while (next == NEXT_GO_ON &&
		!(worker.is_draining && !is_assigned(&worker)))
		next = step(&worker);
	worker_close(&worker);
	return next == NEXT_DIE ? 1 : 0;
}
