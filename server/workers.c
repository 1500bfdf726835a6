/* From START to IDLE: which worker does what, and the workers themselves.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/child.h"
#include "server/parts.h"

#include "base/banned.h"

enum { WORK_BUCKETS_LEAST = 256 };

/* What wants a worker: a job of the front, or a question about a recipient. */
struct work {
	struct pool_start start; /* in line while start.group is set */
	struct generation *generation;
	struct list_link in_all;
	struct work *next; /* in its bucket; jobs only */
	struct loop_timer timer;
	struct question *question; /* NULL: a job */
	uint64_t job;
	uint64_t deadline_ms;
	struct wire_ticket *tickets;
	size_t count, size;
};

struct worker {
	struct process process;
	struct pool_worker pooled;
	struct generation *generation;
	struct list_link in_all;
	uint32_t number;
	struct loop_timer timer; /* when what it does takes too long */
	/* What it has to do at a time; the first one's number stands for all. */
	uint64_t jobs[POOL_TOGETHER_MAX];
	size_t job_count;
	bool owes_assigned;        /* ASSIGN has not left yet */
	struct question *question; /* CHECK was sent */
	struct question *promises; /* to the recipients of its jobs */
	struct waiter waiter;
};

#define WORKER_OF_POOLED(pointer) CONTAINER_OF(pointer, struct worker, pooled)
#define WORKER_OF(link) CONTAINER_OF(link, struct worker, in_all)

static struct loop *
loop_of(const struct generation *generation)
{
	return generation->host->processes->loop;
}

static uint64_t
now_ms(const struct generation *generation)
{
	return loop_now_ms(loop_of(generation));
}

/* ---- work ---- */

static struct work **
bucket_of(const struct generation *generation, uint64_t job)
{
	return &generation->works[(job * 0x9e3779b97f4a7c15ULL >> 32) &
				  (generation->work_buckets - 1)];
}

static struct work *
work_find(const struct generation *generation, uint64_t job)
{
	struct work *work;

	if (generation->work_count == 0)
		return NULL;
	for (work = *bucket_of(generation, job);
		work != NULL && work->job != job; work = work->next)
		continue;
	return work;
}

static void
make_room(struct generation *generation)
{
	size_t old_count = generation->work_buckets, i;
	struct work **old = generation->works;

	if (generation->work_count < old_count)
		return;
	generation->work_buckets =
		old_count > 0 ? old_count * 2 : WORK_BUCKETS_LEAST;
	generation->works = memory_get(memory_product(
		generation->work_buckets, sizeof(struct work *)));
	for (i = 0; i < old_count; i++)
		while (old[i] != NULL) {
			struct work *work = old[i];
			struct work **bucket = bucket_of(generation, work->job);

			old[i] = work->next;
			work->next = *bucket;
			*bucket = work;
		}
	memory_free(old);
}

static struct work *
work_open(struct generation *generation, uint64_t job)
{
	struct work *work = memory_get(sizeof(*work));
	struct work **bucket;

	make_room(generation);
	work->generation = generation;
	work->job = job;
	list_add_last(&generation->all_works, &work->in_all);
	bucket = bucket_of(generation, job);
	work->next = *bucket;
	*bucket = work;
	generation->work_count++;
	return work;
}

/* Out of line and out of the table. */
static void
work_close(struct work *work)
{
	struct generation *generation = work->generation;
	struct work **link;

	loop_timer_stop(loop_of(generation), &work->timer);
	list_remove(&work->in_all);
	pool_start_remove(&generation->pool, &work->start);
	if (work->question == NULL) {
		link = bucket_of(generation, work->job);
		while (*link != work)
			link = &(*link)->next;
		*link = work->next;
		generation->work_count--;
	}
	memory_free(work->tickets);
	memory_free(work);
}

static void
send_assigned(struct generation *generation, uint64_t job, uint32_t worker,
	const struct err *err)
{
	struct wire_assigned assigned = {.job = job, .worker = worker};
	struct frame frame;

	if (err != NULL)
		assigned.err = *err;
	frame_begin(&frame, WIRE_ASSIGNED);
	wire_assigned(&frame, &assigned);
	process_send(&generation->front.process, &frame);
}

/* Nobody will do it. */
static void
work_fail(struct work *work, const char *why)
{
	struct question *question = work->question;
	struct err err;

	parts_temporary(&err, "4.3.0", why);
	if (question == NULL)
		send_assigned(work->generation, work->job, 0, &err);
	work_close(work);
	if (question != NULL)
		rcpt_checked(question, false, &err);
}

static void
work_late(struct loop_timer *timer)
{
	struct work *work = CONTAINER_OF(timer, struct work, timer);
	struct generation *generation = work->generation;

	log_warning("no worker for uid %lu was free in time; process_limit is "
		    "%zu",
		(unsigned long)work->start.group->identity.uid,
		generation->pool.limit);
	work_fail(work, "no worker was free in time");
}

static void
work_wait(struct work *work, struct pool_group *group)
{
	struct generation *generation = work->generation;

	pool_start_add(&generation->pool, group, &work->start);
	work->timer.fire = work_late;
	loop_timer(loop_of(generation), &work->timer, work->deadline_ms);
	workers_pump(generation);
}

/* ---- START ---- */

static void
add_tickets(struct work *work, const struct wire_start *start)
{
	size_t wanted = work->count + start->count;

	if (wanted > work->size) {
		work->size = wanted > work->size * 2 ? wanted : work->size * 2;
		work->tickets = memory_resize(work->tickets,
			memory_product(work->size, sizeof(*work->tickets)));
	}
	if (start->count > 0)
		memcpy(work->tickets + work->count, start->tickets,
			start->count * sizeof(*work->tickets));
	work->count = wanted;
}

/* The group of the first ticket that there is; the others have to be of it. */
static struct pool_group *
find_group(const struct work *work)
{
	const struct ticket_table *tickets = &work->generation->tickets;
	struct ticket *ticket;
	size_t i;

	for (i = 0; i < work->count; i++) {
		ticket = tickets_find(tickets, &work->tickets[i]);
		if (ticket != NULL)
			return ticket->group;
	}
	return NULL;
}

static void
start_whole(struct work *work)
{
	struct pool_group *group = find_group(work);

	if (group == NULL) {
		work_fail(work, "START without a valid ticket");
		return;
	}
	work_wait(work, group);
}

void
workers_start(struct generation *generation, struct frame *frame)
{
	struct wire_start start;
	struct work *work;

	wire_start(frame, &start);
	work = work_find(generation, start.job);
	if (!frame_is_whole(frame) ||
		start.count > GENERATION_START_TICKETS_MAX ||
		(work != NULL &&
			(work->start.group != NULL ||
				work->count + start.count >
					GENERATION_START_TICKETS_MAX))) {
		process_breach(&generation->front.process, frame);
		return;
	}
	if (work == NULL)
		work = work_open(generation, start.job);
	work->deadline_ms = start.deadline_ms;
	add_tickets(work, &start);
	if (start.is_last)
		start_whole(work);
}

void
workers_cancel(struct generation *generation, struct frame *frame)
{
	struct wire_job_number number;
	struct work *work;

	wire_job_number(frame, &number);
	if (!frame_is_whole(frame)) {
		process_breach(&generation->front.process, frame);
		return;
	}
	/* Else ASSIGNED is under way; then the front tells the worker. */
	work = work_find(generation, number.job);
	if (work != NULL)
		work_close(work);
}

void
workers_check(struct question *question)
{
	struct generation *generation = question->generation;
	struct work *work = memory_get(sizeof(*work));

	work->generation = generation;
	work->question = question;
	work->start.is_alone = true;
	list_add_last(&generation->all_works, &work->in_all);
	work->deadline_ms =
		now_ms(generation) + generation->settings->lookup_timeout_ms;
	work_wait(work, question->group);
}

/* ---- a worker gets something to do ---- */

static void
put_item(struct wire_assign *assign, const struct ticket *ticket)
{
	assign->items[assign->count++] = (struct wire_assign_item){
		.ticket = ticket->id, .user = ticket_user(ticket)};
}

static void
send_assign(struct worker *worker, struct wire_assign *assign, bool more)
{
	struct frame frame;

	assign->more = more;
	frame_begin(&frame, WIRE_ASSIGN);
	wire_assign(&frame, assign);
	process_send(&worker->process, &frame);
	assign->count = 0;
}

enum {
	/* Of a frame without its items, and of an item without its user. */
	ASSIGN_HEAD = FRAME_HEAD + 16,
	ASSIGN_ITEM = 24
};

/* The job redeems it. */
static void
take_promise(struct worker *worker, struct ticket *ticket)
{
	if (ticket->promise == NULL)
		return;
	ticket->promise->next = worker->promises;
	worker->promises = ticket->promise;
	ticket->promise = NULL;
}

static void
end_promises(struct question *promises, void (*end)(struct question *question))
{
	while (promises != NULL) {
		struct question *next = promises->next;

		promises->next = NULL;
		end(promises);
		promises = next;
	}
}

/* All tickets that are still there, in as many frames as it takes. */
static void
assign_tickets(struct worker *worker, const struct work *work, bool more)
{
	struct generation *generation = worker->generation;
	struct arena *arena = generation->host->processes->arena;
	struct arena_mark mark = arena_mark(arena);
	struct wire_assign assign = {.job = work->job,
		.items = ARENA_ARRAY(
			arena, struct wire_assign_item, work->count)};
	size_t bytes = ASSIGN_HEAD, i;

	for (i = 0; i < work->count; i++) {
		struct ticket *ticket =
			tickets_find(&generation->tickets, &work->tickets[i]);
		size_t item;

		if (ticket == NULL || ticket->group != worker->pooled.group)
			continue;
		item = ASSIGN_ITEM + ticket->user_len;
		if (bytes + item > FRAME_MAX && assign.count > 0) {
			send_assign(worker, &assign, true);
			bytes = ASSIGN_HEAD;
		}
		put_item(&assign, ticket);
		take_promise(worker, ticket);
		bytes += item;
	}
	send_assign(worker, &assign, more);
	arena_release(arena, mark);
}

static void
pay_assigned(struct process *process)
{
	struct worker *worker = CONTAINER_OF(process, struct worker, process);
	size_t i;

	if (!worker->owes_assigned)
		return;
	worker->owes_assigned = false;
	for (i = 0; i < worker->job_count; i++)
		send_assigned(worker->generation, worker->jobs[i],
			worker->number, NULL);
}

static struct work *
work_of(const struct pool_step *step, size_t place)
{
	return CONTAINER_OF(step->starts[place], struct work, start);
}

/* ASSIGNED only after ASSIGN has left, so that it is there before JOB is. */
static void
assign_jobs(struct worker *worker, const struct pool_step *step)
{
	size_t i;

	worker->job_count = step->start_count;
	worker->generation->jobs += step->start_count;
	for (i = 0; i < step->start_count; i++) {
		worker->jobs[i] = work_of(step, i)->job;
		assign_tickets(
			worker, work_of(step, i), i + 1 < step->start_count);
	}
	worker->owes_assigned = true;
	if (!channel_is_waiting(&worker->process.channel))
		pay_assigned(&worker->process);
}

static void
assign_check(struct worker *worker, struct question *question)
{
	struct wire_check check = {.request = question->number,
		.user = question->user,
		.size = question->size,
		.session = question->session,
		.is_mere_question = question->is_mere,
		.withdraws = question->withdraws};
	struct frame frame;

	worker->question = question;
	frame_begin(&frame, WIRE_CHECK);
	wire_check(&frame, &check);
	process_send(&worker->process, &frame);
}

/* A job's front waits for its deadline by itself; who asks a question waits for
 * us. */
static uint64_t
patience_for(const struct pool_step *step)
{
	uint64_t latest = 0;
	size_t i;

	if (work_of(step, 0)->question != NULL)
		return work_of(step, 0)->deadline_ms;
	for (i = 0; i < step->start_count; i++)
		if (work_of(step, i)->deadline_ms > latest)
			latest = work_of(step, i)->deadline_ms;
	return latest + GENERATION_OVERDUE_MS;
}

static void
assign(struct generation *generation, const struct pool_step *step)
{
	struct worker *worker = WORKER_OF_POOLED(step->worker);
	struct question *question = work_of(step, 0)->question;
	size_t i;

	loop_timer(loop_of(generation), &worker->timer, patience_for(step));
	if (question != NULL)
		assign_check(worker, question);
	else
		assign_jobs(worker, step);
	for (i = 0; i < step->start_count; i++)
		work_close(work_of(step, i));
}

/* ---- what a worker says ---- */

static void
worker_free_again(struct worker *worker)
{
	struct generation *generation = worker->generation;

	loop_timer_stop(loop_of(generation), &worker->timer);
	waits_end_all(&generation->waits, &worker->waiter);
	worker->job_count = 0;
	if (worker->process.is_draining || worker->process.is_killed)
		return;
	pool_worker_idle(
		&generation->pool, &worker->pooled, now_ms(generation));
	workers_pump(generation);
}

/* One for an earlier job can come late, when its front had died. */
static void
on_idle(struct worker *worker, struct frame *frame)
{
	struct question *promises = worker->promises;
	struct wire_idle idle;

	wire_idle(frame, &idle);
	if (!frame_is_whole(frame)) {
		process_breach(&worker->process, frame);
		return;
	}
	if (worker->job_count == 0 || worker->jobs[0] != idle.job)
		return;
	worker->promises = NULL;
	worker_free_again(worker);
	end_promises(promises, idle.has_redeemed ? rcpt_forget : rcpt_withdraw);
}

static void
on_checked(struct worker *worker, struct frame *frame)
{
	struct question *question = worker->question;
	struct wire_checked checked;

	wire_checked(frame, &checked);
	if (!frame_is_whole(frame) || question == NULL ||
		question->number != checked.request) {
		process_breach(&worker->process, frame);
		return;
	}
	worker->question = NULL;
	worker_free_again(worker);
	rcpt_checked(question, checked.has_promised, &checked.err);
}

/* It waits for this: nothing is queued, and one that has gone needs no answer. */
static void
answer_wait(int fd, bool is_granted)
{
	struct wire_may_wait answer = {.is_granted = is_granted};
	struct channel link;
	struct frame frame;
	struct err err;

	channel_open(&link, fd, false);
	frame_begin(&frame, WIRE_MAY_WAIT);
	wire_may_wait(&frame, &answer);
	if (channel_send(&link, &frame, &err) < 0)
		log_debug("a worker does not wait for its answer: %s",
			err_log_text(&err));
	channel_close(&link);
}

/* Only one at work has anything to wait for. */
static void
on_wait(struct worker *worker, struct frame *frame)
{
	struct wire_wait_order order = {.answer = -1};

	wire_wait_order(frame, &order);
	if (!frame_is_whole(frame) || order.answer < 0) {
		fd_close(&order.answer);
		process_breach(&worker->process, frame);
		return;
	}
	answer_wait(order.answer,
		worker->job_count > 0 && waits_begin(&worker->generation->waits,
						 &worker->waiter, order.what));
}

static void
on_waited(struct worker *worker, struct frame *frame)
{
	struct wire_wait_order order = {.answer = -1};

	wire_wait_order(frame, &order);
	if (frame_is_whole(frame) && order.answer < 0) {
		waits_end(&worker->generation->waits, &worker->waiter,
			order.what);
		return;
	}
	fd_close(&order.answer);
	process_breach(&worker->process, frame);
}

static void
worker_received(struct process *process, struct frame *frame)
{
	struct worker *worker = CONTAINER_OF(process, struct worker, process);

	switch (frame->type) {
	case WIRE_READY:
		if (worker->pooled.state == POOL_STARTING)
			worker_free_again(worker);
		break;
	case WIRE_IDLE:
		on_idle(worker, frame);
		break;
	case WIRE_CHECKED:
		on_checked(worker, frame);
		break;
	case WIRE_WAIT:
		on_wait(worker, frame);
		break;
	case WIRE_WAITED:
		on_waited(worker, frame);
		break;
	case WIRE_RUNNER:
		runners_start(worker->generation, process, worker->number,
			&worker->pooled.group->identity, frame);
		break;
	default:
		process_breach(process, frame);
		break;
	}
}

/* ---- a worker's life ---- */

static void
worker_ended(struct process *process)
{
	struct worker *worker = CONTAINER_OF(process, struct worker, process);
	struct generation *generation = worker->generation;
	struct question *question = worker->question;
	struct err err;

	loop_timer_stop(loop_of(generation), &worker->timer);
	waits_end_all(&generation->waits, &worker->waiter);
	list_remove(&worker->in_all);
	/* The front sees its channel close; but it must know which one. */
	pay_assigned(process);
	if (worker->job_count > 1)
		pool_group_alone(worker->pooled.group, now_ms(generation));
	pool_worker_gone(
		&generation->pool, &worker->pooled, now_ms(generation));
	end_promises(worker->promises, rcpt_withdraw);
	if (question != NULL) {
		parts_temporary(&err, "4.3.0", "the worker has died");
		if (process->is_killed)
			rcpt_checked(question, false, &err);
		else
			rcpt_unanswered(question, &err);
	}
	memory_free(worker);
	workers_pump(generation);
	generation_check_end(generation);
}

static void
worker_late(struct loop_timer *timer)
{
	struct worker *worker = CONTAINER_OF(timer, struct worker, timer);

	process_kill(&worker->process,
		worker->pooled.state == POOL_STARTING ? "did not become ready"
		: worker->question != NULL
			? "did not answer within lookup_timeout"
			: "did not end its job in time");
}

static void
send_link(struct process *process, uint32_t number, int fd)
{
	struct wire_worker link = {.worker = number, .fd = fd};
	struct frame frame;

	frame_begin(&frame, WIRE_WORKER);
	wire_worker(&frame, &link);
	process_send(process, &frame);
}

/* A channel between the front and this worker. */
static void
link_worker(struct worker *worker)
{
	int ends[2];

	if (channel_pair(ends) < 0) {
		process_kill(&worker->process, "gets no channel: socketpair");
		return;
	}
	send_link(&worker->process, worker->number, ends[0]);
	send_link(&worker->generation->front.process, worker->number, ends[1]);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

static int
worker_start(
	struct worker *worker, const struct pool_group *group, struct err *err)
{
	struct generation *generation = worker->generation;
	const struct spawn_order order = {.kind = WIRE_KIND_WORKER,
		.gains_nothing = true,
		.identity = generation->host->run_as->is_root ? &group->identity
	                                                      : NULL,
		.memory = generation->service != NULL
	                          ? generation->service->vsz_limit
	                          : 0};

	worker->process.received = worker_received;
	worker->process.sent = pay_assigned;
	worker->process.ended = worker_ended;
	return process_start(
		generation->host->processes, &worker->process, &order, err);
}

static void
start_worker(struct generation *generation, struct pool_group *group)
{
	struct worker *worker = memory_get(sizeof(*worker));
	struct err err;

	worker->generation = generation;
	worker->timer.fire = worker_late;
	worker->number = ++generation->last_worker;
	if (worker_start(worker, group, &err) < 0) {
		log_error("%s", err_log_text(&err));
		memory_free(worker);
		pool_worker_failed(
			&generation->pool, group, now_ms(generation));
		return;
	}
	list_add_last(&generation->workers, &worker->in_all);
	pool_worker_add(&generation->pool, group, &worker->pooled);
	loop_timer(loop_of(generation), &worker->timer,
		now_ms(generation) + GENERATION_START_MS);
	generation_boot(&worker->process,
		&(struct wire_boot){.generation = generation->number,
			.config = generation->config_fds[WIRE_KIND_WORKER],
			.has_no_memory = generation->host->has_no_memory,
			.state = generation->host->state,
			.mailer = generation->host->mailer});
	link_worker(worker);
}

/* ---- what the pool wants ---- */

/* One that does not heed is killed. */
static void
end_worker(struct worker *worker)
{
	process_drain(&worker->process, true);
	loop_timer(loop_of(worker->generation), &worker->timer,
		now_ms(worker->generation) + GENERATION_OVERDUE_MS);
}

static void
take_step(struct generation *generation, const struct pool_step *step)
{
	switch (step->action) {
	case POOL_NOTHING:
		break;
	case POOL_ASSIGN:
		assign(generation, step);
		break;
	case POOL_SPAWN:
		start_worker(generation, step->group);
		break;
	case POOL_END:
		end_worker(WORKER_OF_POOLED(step->worker));
		break;
	}
}

static void
wake(struct loop_timer *timer)
{
	workers_pump(CONTAINER_OF(timer, struct generation, pool_timer));
}

/* One that comes too early does no harm. */
static void
set_timer(struct generation *generation, uint64_t wake_ms)
{
	struct loop_timer *timer = &generation->pool_timer;

	if (wake_ms == 0)
		loop_timer_stop(loop_of(generation), timer);
	else if (!loop_timer_is_running(timer) || timer->due_ms > wake_ms)
		loop_timer(loop_of(generation), timer, wake_ms);
}

void
workers_pump(struct generation *generation)
{
	struct pool_step step;
	uint64_t wake_ms;

	if (!process_is_running(&generation->front.process) ||
		generation->is_pumping)
		return;
	generation->is_pumping = true;
	while (pool_next(&generation->pool, now_ms(generation), &step,
		       &wake_ms) != POOL_NOTHING)
		take_step(generation, &step);
	generation->is_pumping = false;
	set_timer(generation, wake_ms);
}

/* ---- the generation's life ---- */

/* So many workers keep the processors busy while some of them wait for the disk. */
static size_t
count_brisk(void)
{
	enum { FOR_EACH_PROCESSOR = 2, LEAST = 4 };
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (processors < LEAST / FOR_EACH_PROCESSOR)
		return LEAST;
	return (size_t)processors * FOR_EACH_PROCESSOR;
}

/* Where a job may wait for a lock each has a worker of its own. */
static size_t
count_together(const struct settings *settings)
{
	if (str_starts(str_from(settings->mail_location), STR("mbox:")))
		return 1;
	return (size_t)settings->lmtp_jobs_together;
}

static void
open_pool(struct generation *generation)
{
	const struct conf_service *service = generation->service;
	struct pool *pool = &generation->pool;

	pool_init(pool);
	pool->limit = generation->settings->default_process_limit;
	pool->idle_kill_ms = 60 * 1000;
	pool->together = count_together(generation->settings);
	if (pool->together > 1)
		pool->brisk_most = count_brisk();
	if (service == NULL)
		return;
	if (service->process_limit > 0)
		pool->limit = service->process_limit;
	pool->idle_kill_ms = service->idle_kill_ms;
	pool->service_count = service->service_count;
	pool->least = service->process_min_avail;
	if (pool->least > pool->limit)
		pool->least = pool->limit;
}

void
workers_open(struct generation *generation)
{
	const struct settings *settings = generation->settings;

	list_init(&generation->workers);
	list_init(&generation->all_works);
	generation->pool_timer.fire = wake;
	open_pool(generation);
	waits_init(&generation->waits, generation->pool.limit,
		settings->mailer_wait_limit, settings->program_wait_limit);
}

void
workers_link(struct generation *generation)
{
	struct list_link *link;

	for (link = list_first(&generation->workers); link != NULL;
		link = list_next(&generation->workers, link))
		if (process_is_running(&WORKER_OF(link)->process))
			link_worker(WORKER_OF(link));
	workers_pump(generation);
}

static void
drop_works(struct generation *generation)
{
	struct list_link *link;

	while ((link = list_first(&generation->all_works)) != NULL)
		work_fail(CONTAINER_OF(link, struct work, in_all),
			"the front has died");
}

void
workers_front_gone(struct generation *generation)
{
	struct list_link *link;

	drop_works(generation);
	for (link = list_first(&generation->workers); link != NULL;
		link = list_next(&generation->workers, link))
		WORKER_OF(link)->owes_assigned = false;
}

static const char *
state_name(const struct worker *worker)
{
	switch (worker->pooled.state) {
	case POOL_STARTING:
		return "starting";
	case POOL_IDLE:
		return "idle";
	case POOL_BUSY:
		return "busy";
	case POOL_ENDING:
		return "draining";
	}
	return "";
}

void
workers_list(const struct generation *generation, struct process_list *list)
{
	struct list_link *link;

	for (link = list_first(&generation->workers); link != NULL;
		link = list_next(&generation->workers, link)) {
		const struct worker *worker = WORKER_OF(link);

		process_list_add(list, &worker->process, generation->number,
			state_name(worker), worker->pooled.jobs);
	}
}

static void
drain_worker(struct worker *worker)
{
	pool_worker_end(&worker->generation->pool, &worker->pooled);
	process_drain(&worker->process, true);
}

void
workers_drain(struct generation *generation)
{
	struct list_link *link;

	if (generation->kept != NULL)
		pool_group_keep(&generation->pool, generation->kept, 0);
	for (link = list_first(&generation->workers); link != NULL;
		link = list_next(&generation->workers, link))
		drain_worker(WORKER_OF(link));
}

void
workers_kill(struct generation *generation)
{
	struct list_link *link;

	for (link = list_first(&generation->workers); link != NULL;
		link = list_next(&generation->workers, link))
		process_kill(&WORKER_OF(link)->process, NULL);
}

void
workers_close(struct generation *generation)
{
	loop_timer_stop(loop_of(generation), &generation->pool_timer);
	drop_works(generation);
	memory_free(generation->works);
	if (generation->kept != NULL && generation->kept != generation->home)
		pool_group_drop(&generation->pool, generation->kept);
	if (generation->home != NULL)
		pool_group_drop(&generation->pool, generation->home);
	pool_clear(&generation->pool);
}
