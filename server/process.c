/* SPDX-License-Identifier: MIT */
#include "server/process.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/child.h"
#include "server/restart.h"

#include "base/banned.h"

/* Frames of one process before others have their turn. */
enum { FRAMES_OF_ROUND = 64 };

enum {
	PING_PAUSE_MS = 1000,
	/* So many rounds without an answer are needed to call a process hung:
	 * the answer to the last one may just be about to be read. */
	PINGS_LEAST = 3,
	/* A round that is so late tells of ourselves: we were stopped. */
	PING_LATE_MS = 3 * PING_PAUSE_MS
};

static struct process **
bucket_of(struct processes *all, pid_t pid)
{
	return &all->by_pid[(unsigned)pid % PROCESS_BUCKETS];
}

static void
close_channel(struct process *process)
{
	if (!channel_is_open(&process->channel))
		return;
	loop_unwatch(process->all->loop, &process->watch);
	channel_close(&process->channel);
}

void
process_kill(struct process *process, const char *why)
{
	if (process->all == NULL || process->is_killed)
		return;
	process->is_killed = true;
	if (why != NULL)
		log_error("%s process %ld %s", child_kind_name(process->kind),
			(long)process->pid, why);
	kill(process->pid, SIGKILL);
}

/* The channel is broken.  It may be about to end by itself, or have ended; nobody
 * may go on without us. */
static void
lose(struct process *process)
{
	close_channel(process);
	kill(process->pid, SIGKILL);
}

/* ---- receiving ---- */

void
process_breach(struct process *process, const struct frame *frame)
{
	log_error("%s process %ld sent a frame of type %u that is %s",
		child_kind_name(process->kind), (long)process->pid, frame->type,
		frame->is_broken ? "broken" : "not its to send");
	process_kill(process, NULL);
}

static void
keep_counters(struct process *process, struct frame *frame)
{
	struct wire_counters counters;
	size_t i;

	wire_counters(frame, &counters);
	if (!frame_is_whole(frame)) {
		process_breach(process, frame);
		return;
	}
	arena_close(&process->arena);
	process->arena = arena_open();
	process->counters.count = counters.count;
	process->counters.counters = ARENA_ARRAY(
		process->arena, struct wire_counter, counters.count);
	for (i = 0; i < counters.count; i++) {
		const char *name = counters.counters[i].name;

		process->counters.counters[i] = (struct wire_counter){
			arena_text(process->arena, str_from(name)),
			counters.counters[i].value};
	}
}

static void
keep_confinement(struct process *process, struct frame *frame)
{
	struct wire_ready ready;

	wire_ready(frame, &ready);
	if (!frame_is_whole(frame)) {
		process_breach(process, frame);
		return;
	}
	snprintf(process->confinement, sizeof(process->confinement), "%s",
		ready.confinement != NULL ? ready.confinement : "");
	process->is_ready = true;
	process->received(process, frame);
}

static void
handle(struct process *process, struct frame *frame)
{
	if (frame->type == WIRE_COUNTERS) {
		keep_counters(process, frame);
		return;
	}
	if (frame->type == WIRE_PONG) {
		process->pings = 0;
		return;
	}
	if (frame->type == WIRE_READY) {
		keep_confinement(process, frame);
		return;
	}
	process->received(process, frame);
}

/* False when there is nothing more for now. */
static bool
receive_one(struct process *process)
{
	struct arena *arena = process->all->arena;
	struct arena_mark mark = arena_mark(arena);
	struct frame frame;
	struct err err;
	enum lookup found;

	found = channel_receive(&process->channel, arena, &frame, &err);
	if (found == LOOKUP_FOUND) {
		handle(process, &frame);
		frame_close(&frame);
	}
	arena_release(arena, mark);
	if (found != LOOKUP_ERROR)
		return found == LOOKUP_FOUND;
	lose(process);
	return false;
}

static void
flush(struct process *process)
{
	struct err err;

	if (channel_flush(&process->channel, &err) < 0) {
		lose(process);
		return;
	}
	if (channel_is_waiting(&process->channel))
		return;
	loop_watch_for(process->all->loop, &process->watch, LOOP_READ);
	if (process->sent != NULL)
		process->sent(process);
}

static void
ready(struct loop_watch *watch, unsigned events)
{
	struct process *process = CONTAINER_OF(watch, struct process, watch);
	int left = FRAMES_OF_ROUND;

	if (events & LOOP_WRITE)
		flush(process);
	if (!(events & (LOOP_READ | LOOP_HANGUP)))
		return;
	/* A worker says one thing at a time. */
	if (process->kind == WIRE_KIND_WORKER)
		left = 1;
	while (left-- > 0 && channel_is_open(&process->channel) &&
		receive_one(process))
		continue;
}

/* ---- sending ---- */

void
process_send(struct process *process, struct frame *frame)
{
	struct err err;

	if (process->all == NULL || !channel_is_open(&process->channel)) {
		frame_close(frame);
		return;
	}
	if (channel_send(&process->channel, frame, &err) < 0) {
		/* EPIPE: it has ended, and will be waited for. */
		log_debug("%s process %ld: %s", child_kind_name(process->kind),
			(long)process->pid, err_log_text(&err));
		lose(process);
		return;
	}
	if (channel_is_waiting(&process->channel))
		loop_watch_for(process->all->loop, &process->watch,
			LOOP_READ | LOOP_WRITE);
}

void
process_tell(struct process *process, enum wire_type type)
{
	struct frame frame;

	frame_begin(&frame, type);
	process_send(process, &frame);
}

void
process_drain(struct process *process, bool is_stop)
{
	struct wire_drain drain = {.is_stop = is_stop};
	struct frame frame;

	if (process->all == NULL ||
		(process->is_draining && (process->is_stopping || !is_stop)))
		return;
	process->is_draining = true;
	process->is_stopping = is_stop;
	frame_begin(&frame, WIRE_DRAIN);
	wire_drain(&frame, &drain);
	process_send(process, &frame);
}

static void
send_logs(struct process *process)
{
	struct wire_logs logs;
	struct frame frame;

	log_descriptors(logs.logs);
	frame_begin(&frame, WIRE_LOGS);
	wire_logs(&frame, &logs);
	process_send(process, &frame);
}

void
processes_send_logs(struct processes *all)
{
	struct process *process;
	size_t i;

	for (i = 0; i < PROCESS_BUCKETS; i++)
		for (process = all->by_pid[i]; process != NULL;
			process = process->next)
			send_logs(process);
}

/* ---- whether they hang ---- */

/* What starts may take its time, and so may what ends. */
static bool
is_asked(const struct process *process)
{
	return process->answer_ms > 0 && process->is_ready &&
	       !process->is_draining && !process->is_killed;
}

static void
ping(struct process *process, uint64_t now)
{
	if (process->pings >= PINGS_LEAST &&
		now - process->pinged_ms >= process->answer_ms) {
		process_kill(process, "did not answer within lookup_timeout");
		return;
	}
	if (process->pings++ == 0)
		process->pinged_ms = now;
	process_tell(process, WIRE_PING);
}

static void
ping_all(struct loop_timer *timer)
{
	struct processes *all =
		CONTAINER_OF(timer, struct processes, ping_timer);
	uint64_t now = clock_monotonic_ms();
	bool is_late = now - all->pinged_ms > PING_LATE_MS;
	struct process *process;
	size_t i;

	for (i = 0; i < PROCESS_BUCKETS; i++)
		for (process = all->by_pid[i]; process != NULL;
			process = process->next) {
			if (!is_asked(process))
				continue;
			if (is_late)
				process->pings = 0;
			ping(process, now);
		}
	all->pinged_ms = now;
	loop_timer(all->loop, timer, now + PING_PAUSE_MS);
}

static void
begin_pings(struct processes *all)
{
	if (loop_timer_is_running(&all->ping_timer))
		return;
	all->ping_timer.fire = ping_all;
	all->pinged_ms = clock_monotonic_ms();
	loop_timer(all->loop, &all->ping_timer, all->pinged_ms + PING_PAUSE_MS);
}

/* ---- beginning and end ---- */

int
process_start(struct processes *all, struct process *process,
	const struct spawn_order *order, struct err *err)
{
	struct process **bucket;
	int fd;

	process->is_ready = process->is_killed = false;
	process->is_draining = process->is_stopping = false;
	process->pings = 0;
	process->confinement[0] = '\0';
	process->counters = (struct wire_counters){0};
	arena_close(&process->arena);
	process->kind = order->kind;
	process->started_ms = clock_monotonic_ms();
	process->since_s = (uint64_t)clock_now().tv_sec;
	process->uid =
		order->identity != NULL ? order->identity->uid : geteuid();
	if (spawn(all->spawner, order, &process->pid, &fd, err) < 0)
		return -1;
	channel_open(&process->channel, fd, false);
	process->watch = (struct loop_watch){.fd = -1, .ready = ready};
	process->all = all;
	if (loop_watch(all->loop, &process->watch, fd, LOOP_READ) < 0)
		BUG("epoll_ctl: %s", strerror(errno));
	bucket = bucket_of(all, process->pid);
	process->next = *bucket;
	*bucket = process;
	all->count++;
	begin_pings(all);
	return 0;
}

uint64_t
process_restart_ms(const struct process *process, unsigned *failures)
{
	return restart_pause_ms(failures, process->is_ready,
		clock_monotonic_ms() - process->started_ms);
}

static bool
is_welcome_end(const struct process *process, int status)
{
	if (process->is_killed)
		return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	return process->is_draining && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

static void
report_end(const struct process *process, int status)
{
	const char *name = child_kind_name(process->kind);

	if (is_welcome_end(process, status))
		log_debug("%s process %ld has ended", name, (long)process->pid);
	else if (WIFSIGNALED(status))
		log_error("%s process %ld was killed by signal %d (%s)", name,
			(long)process->pid, WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) != 0)
		log_error("%s process %ld ended with status %d", name,
			(long)process->pid, WEXITSTATUS(status));
}

static struct wire_counter *
total_of(struct processes *all, struct process_totals *totals, const char *name)
{
	size_t i;

	for (i = 0; i < totals->count; i++)
		if (strcmp(totals->counters[i].name, name) == 0)
			return &totals->counters[i];
	if (totals->count == PROCESS_TOTALS_MAX)
		return NULL;
	if (all->names == NULL)
		all->names = arena_open();
	totals->counters[totals->count] = (struct wire_counter){
		.name = arena_text(all->names, str_from(name))};
	return &totals->counters[totals->count++];
}

/* Who counts from outside must not see the numbers fall at each reload. */
static void
add_to_totals(struct processes *all, const struct process *process, int status)
{
	struct process_totals *totals = &all->totals[process->kind];
	size_t i;

	totals->deaths += !is_welcome_end(process, status) &&
	                  !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	for (i = 0; i < process->counters.count; i++) {
		const struct wire_counter *one = &process->counters.counters[i];
		struct wire_counter *sum = total_of(all, totals, one->name);

		if (sum != NULL)
			sum->value += one->value;
	}
}

static void
end(struct processes *all, struct process **link, int status)
{
	struct process *process = *link;

	*link = process->next;
	all->count--;
	/* What it sent before. */
	while (channel_is_open(&process->channel) && receive_one(process))
		continue;
	close_channel(process);
	report_end(process, status);
	add_to_totals(all, process, status);
	arena_close(&process->arena);
	process->status = status;
	process->all = NULL;
	process->ended(process);
}

void
processes_forget(struct processes *all)
{
	size_t i;

	if (all->loop != NULL)
		loop_timer_stop(all->loop, &all->ping_timer);
	for (i = 0; i < PROCESS_BUCKETS; i++)
		while (all->by_pid[i] != NULL) {
			struct process *process = all->by_pid[i];

			all->by_pid[i] = process->next;
			close_channel(process);
			arena_close(&process->arena);
			process->all = NULL;
		}
	all->count = 0;
	arena_close(&all->names);
}

void
processes_reap(struct processes *all)
{
	struct process **link;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		link = bucket_of(all, pid);
		while (*link != NULL && (*link)->pid != pid)
			link = &(*link)->next;
		if (*link != NULL)
			end(all, link, status);
	}
}
