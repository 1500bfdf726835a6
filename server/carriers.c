/* SPDX-License-Identifier: MIT */
#include "server/carriers.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "ipc/channel.h"
#include "outbound/carrier.h"

#include "base/banned.h"

enum {
	LATE_MS = 3000, /* behind its job's end; then it is killed */
	IDLE_MS = 30 * 1000,
	CONNECTION_IDLE_MS = 5000,
	MOST_AGAIN_MS = 1000 /* after a fork that failed */
};

/* A process, as the mailer sees it. */
struct carrier_process {
	struct carriers *all;
	struct list_link in_list; /* idle or busy */
	pid_t pid;
	struct channel channel;
	struct loop_watch watch;
	struct loop_timer timer; /* busy: late; idle: no longer needed */
	struct carriers_job *job;
};

struct carriers {
	struct carriers_order order;
	struct list idle, busy, waiting;
	size_t count;
	struct loop_timer again_timer;
	bool is_pumping;
};

#define PROCESS_OF(link) CONTAINER_OF(link, struct carrier_process, in_list)
#define JOB_OF(link) CONTAINER_OF(link, struct carriers_job, in_line)

static void pump(struct carriers *carriers);

/* ---- the process ---- */

static bool
serve_one(struct carrier *carrier, struct channel *channel)
{
	struct arena *arena = arena_open();
	struct request_submit submit = {.file = -1};
	struct request_submitted answer = {0};
	struct frame frame;
	struct err err;
	bool is_good;

	if (channel_receive(channel, arena, &frame, &err) != LOOKUP_FOUND) {
		arena_close(&arena);
		return false;
	}
	request_submit(&frame, &submit);
	is_good = frame_is_whole(&frame);
	if (is_good)
		carrier_serve(carrier, arena, &submit, &answer);
	fd_close(&submit.file);
	frame_close(&frame);
	if (is_good) {
		frame_begin(&frame, REQUEST_SUBMITTED);
		request_submitted(&frame, &answer);
		is_good = channel_send(channel, &frame, &err) == 0;
	}
	arena_close(&arena);
	return is_good;
}

/* Until the mailer closes the channel, or dies. */
NO_RETURN static void
be_carrier(const struct carriers *carriers, int fd)
{
	struct carrier carrier;
	struct channel channel;

	carrier_init(&carrier, carriers->order.settings);
	channel_open(&channel, fd, true);
	for (;;) {
		if (carrier_is_connected(&carrier) &&
			!channel_wait(&channel,
				clock_monotonic_ms() + CONNECTION_IDLE_MS))
			carrier_disconnect(&carrier);
		else if (!serve_one(&carrier, &channel))
			break;
	}
	carrier_clear(&carrier);
	_exit(EXIT_SUCCESS);
}

/* Descriptors of other carriers: one that ended must be seen to have. */
static void
forget_others(struct carriers *carriers)
{
	struct list *lists[] = {&carriers->idle, &carriers->busy};
	struct list_link *link;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(lists); i++)
		for (link = list_first(lists[i]); link != NULL;
			link = list_next(lists[i], link))
			fd_close(&PROCESS_OF(link)->channel.fd);
}

/* ---- its life ---- */

/* The job, if it had one, is the caller's. */
static void
end_process(struct carrier_process *process)
{
	struct carriers *carriers = process->all;

	loop_timer_stop(carriers->order.loop, &process->timer);
	loop_unwatch(carriers->order.loop, &process->watch);
	channel_close(&process->channel);
	list_remove(&process->in_list);
	carriers->count--;
	kill(process->pid, SIGKILL);
	while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	memory_free(process);
}

static void
lose(struct carrier_process *process, const char *status, const char *why)
{
	struct carriers *carriers = process->all;
	struct carriers_job *job = process->job;
	struct err err;

	end_process(process);
	if (job != NULL) {
		err_temp(&err, status, "the process that handed it over %s",
			why);
		job->done(job, NULL, &err);
	}
	pump(carriers);
}

/* An idle one lets its connection go by itself: it says QUIT before it ends. */
static void
dismiss(struct carrier_process *process)
{
	process->timer.due_ms = 0;
	lose(process, "4.3.0", "is not needed");
}

static void
time_is_over(struct loop_timer *timer)
{
	struct carrier_process *process =
		CONTAINER_OF(timer, struct carrier_process, timer);

	if (process->job == NULL)
		dismiss(process);
	else
		lose(process, CARRIERS_LATE, "did not come back in time");
}

static void
become_idle(struct carrier_process *process)
{
	struct loop *loop = process->all->order.loop;

	process->job = NULL;
	list_remove(&process->in_list);
	/* The one that has just worked has a connection. */
	list_add_first(&process->all->idle, &process->in_list);
	loop_timer(loop, &process->timer, loop_now_ms(loop) + IDLE_MS);
}

static void
hear_answer(struct carrier_process *process, struct frame *frame)
{
	struct carriers *carriers = process->all;
	struct carriers_job *job = process->job;
	struct request_submitted results = {0};

	if (job != NULL && frame->type == REQUEST_SUBMITTED)
		request_submitted(frame, &results);
	if (job == NULL || frame->type != REQUEST_SUBMITTED ||
		!frame_is_whole(frame) || results.count != job->submit.count) {
		lose(process, "4.3.0", "gave a wrong answer");
		return;
	}
	become_idle(process);
	job->done(job, &results, NULL);
	pump(carriers);
}

static void
process_ready(struct loop_watch *watch, unsigned events)
{
	struct carrier_process *process =
		CONTAINER_OF(watch, struct carrier_process, watch);
	struct arena *arena;
	struct frame frame;
	struct err err;
	enum lookup found;

	if ((events & LOOP_WRITE) &&
		channel_flush(&process->channel, &err) < 0) {
		lose(process, "4.3.0", "has died");
		return;
	}
	loop_watch_for(process->all->order.loop, watch,
		LOOP_READ | (channel_is_waiting(&process->channel) ? LOOP_WRITE
								   : 0));
	arena = arena_open();
	found = channel_receive(&process->channel, arena, &frame, &err);
	if (found == LOOKUP_FOUND) {
		hear_answer(process, &frame);
		frame_close(&frame);
	} else if (found == LOOKUP_ERROR) {
		lose(process, "4.3.0", "has died");
	}
	arena_close(&arena);
}

static struct carrier_process *
add_process(struct carriers *carriers, pid_t pid, int fd)
{
	struct carrier_process *process = memory_get(sizeof(*process));

	process->all = carriers;
	process->pid = pid;
	process->timer.fire = time_is_over;
	process->watch = (struct loop_watch){.fd = -1, .ready = process_ready};
	channel_open(&process->channel, fd, false);
	list_add_first(&carriers->idle, &process->in_list);
	carriers->count++;
	if (loop_watch(carriers->order.loop, &process->watch, fd, LOOP_READ) <
		0)
		log_error("epoll_ctl: %s", strerror(errno));
	return process;
}

/* NULL: it cannot be made now. */
static struct carrier_process *
start_process(struct carriers *carriers)
{
	int ends[2];
	pid_t pid;

	if (channel_pair(ends) < 0)
		return NULL;
	pid = fork();
	if (pid == 0) {
		fd_close(&ends[0]);
		forget_others(carriers);
		carriers->order.forget(carriers->order.context);
		be_carrier(carriers, ends[1]);
	}
	fd_close(&ends[1]);
	if (pid < 0) {
		log_error("fork: %s", strerror(errno));
		fd_close(&ends[0]);
		return NULL;
	}
	return add_process(carriers, pid, ends[0]);
}

/* ---- jobs ---- */

static void
give(struct carrier_process *process, struct carriers_job *job)
{
	struct carriers *carriers = process->all;
	struct loop *loop = carriers->order.loop;
	uint64_t now = loop_now_ms(loop);
	struct request_submit submit = job->submit;
	struct frame frame;
	struct err err;

	list_remove(&job->in_line);
	list_remove(&process->in_list);
	list_add_last(&carriers->busy, &process->in_list);
	process->job = job;
	submit.timeout_ms = job->until_ms > now ? job->until_ms - now : 0;
	loop_timer(loop, &process->timer, job->until_ms + LATE_MS);
	frame_begin(&frame, REQUEST_SUBMIT);
	request_submit(&frame, &submit);
	if (channel_send(&process->channel, &frame, &err) < 0)
		lose(process, "4.3.0", "has died");
	else if (channel_is_waiting(&process->channel))
		loop_watch_for(loop, &process->watch, LOOP_READ | LOOP_WRITE);
}

static struct carrier_process *
find_process(struct carriers *carriers)
{
	struct list_link *link = list_first(&carriers->idle);

	if (link != NULL)
		return PROCESS_OF(link);
	if (carriers->count >= carriers->order.most)
		return NULL;
	return start_process(carriers);
}

/* A job that fails at once may bring the next one. */
static void
pump(struct carriers *carriers)
{
	struct carrier_process *process;

	if (carriers->is_pumping)
		return;
	carriers->is_pumping = true;
	while (!list_is_empty(&carriers->waiting)) {
		process = find_process(carriers);
		if (process == NULL)
			break;
		give(process, JOB_OF(list_first(&carriers->waiting)));
	}
	carriers->is_pumping = false;
	/* None is busy whose end would bring us back here: no fork was possible. */
	if (!list_is_empty(&carriers->waiting) &&
		list_is_empty(&carriers->busy))
		loop_timer(carriers->order.loop, &carriers->again_timer,
			loop_now_ms(carriers->order.loop) + MOST_AGAIN_MS);
}

static void
pump_again(struct loop_timer *timer)
{
	pump(CONTAINER_OF(timer, struct carriers, again_timer));
}

void
carriers_take(struct carriers *carriers, struct carriers_job *job)
{
	list_add_last(&carriers->waiting, &job->in_line);
	pump(carriers);
}

bool
carriers_withdraw(struct carriers *carriers UNUSED, struct carriers_job *job)
{
	bool is_waiting = list_has(&job->in_line);

	list_remove(&job->in_line);
	return is_waiting;
}

size_t
carriers_count(const struct carriers *carriers)
{
	return carriers != NULL ? carriers->count : 0;
}

struct carriers *
carriers_open(const struct carriers_order *order)
{
	struct carriers *carriers = memory_get(sizeof(*carriers));

	carriers->order = *order;
	carriers->again_timer.fire = pump_again;
	list_init(&carriers->idle);
	list_init(&carriers->busy);
	list_init(&carriers->waiting);
	return carriers;
}

void
carriers_close(struct carriers **carriers_in)
{
	struct carriers *carriers = *carriers_in;

	if (carriers == NULL)
		return;
	*carriers_in = NULL;
	loop_timer_stop(carriers->order.loop, &carriers->again_timer);
	while (!list_is_empty(&carriers->idle))
		end_process(PROCESS_OF(list_first(&carriers->idle)));
	while (!list_is_empty(&carriers->busy))
		end_process(PROCESS_OF(list_first(&carriers->busy)));
	while (!list_is_empty(&carriers->waiting))
		list_remove(list_first(&carriers->waiting));
	memory_free(carriers);
}
