/* mailer - hands over mail that leaves, for whoever delivers
 *
 *   worker, LDA --SUBMIT--> mailer --SUBMIT--> carrier   one mail at a time
 *                <-SUBMITTED-      <-SUBMITTED-          (server/carriers.c)
 *
 * The credentials and the connections of the way out are here and nowhere else.
 * A mail that takes its time holds one carrier; others go on.  It reads no message
 * and keeps none: who asks waits, and tries again if this process ends.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/list.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/memory.h"
#include "ipc/channel.h"
#include "outbound/request.h"
#include "deliver/setup.h"
#include "server/carriers.h"
#include "server/child.h"
#include "server/confine.h"
#include "server/door.h"
#include "server/wire.h"

#include "base/banned.h"

enum {
	ASKERS_MAX = 4096,
	WAITING_MAX = 2000,      /* mails */
	WAITING_OF_UID_PART = 4, /* of them one uid has a part at most */
	COUNTERS_PAUSE_MS = 1000
};

/* Somebody with mail. */
struct asker {
	struct mailer_process *mailer;
	struct list_link in_all;
	struct channel channel;
	struct loop_watch watch;
	uint32_t uid;
	bool is_closing; /* at the end of the round */
};

/* One mail. */
struct errand {
	struct carriers_job job; /* its arena holds what it points to */
	struct mailer_process *mailer;
	struct list_link in_all;
	struct asker *asker;     /* NULL: has gone */
	uint64_t number;         /* the asker's */
	struct loop_timer timer; /* while it waits for a carrier */
};

struct mailer_process {
	struct child *child;
	struct loop *loop;
	int status;
	struct loop_watch master;
	struct doors doors; /* at most one */
	struct list askers, errands;
	size_t asker_count, errand_count;
	struct outbound_settings settings;
	struct carriers *carriers;
	struct arena *round;
	struct arena_mark round_begin;
	bool has_closing;
	bool is_draining, is_stopping;
	struct loop_timer counters_timer;
	uint64_t sent, refused, deferred;
};

#define ASKER_OF(link) CONTAINER_OF(link, struct asker, in_all)
#define ERRAND_OF(link) CONTAINER_OF(link, struct errand, in_all)

static void
end(struct mailer_process *mailer, int status)
{
	mailer->status = status;
	loop_stop(mailer->loop);
}

static void
tell_master(struct mailer_process *mailer, struct frame *frame)
{
	struct err err;

	if (channel_send(&mailer->child->master, frame, &err) < 0)
		end(mailer, EXIT_FAILURE);
	else if (channel_is_waiting(&mailer->child->master))
		loop_watch_for(
			mailer->loop, &mailer->master, LOOP_READ | LOOP_WRITE);
}

/* ---- askers ---- */

static void
close_later(struct asker *asker)
{
	if (asker->is_closing)
		return;
	loop_unwatch(asker->mailer->loop, &asker->watch);
	asker->is_closing = true;
	asker->mailer->has_closing = true;
}

static void drop_waiting(struct asker *asker);

static void
close_asker(struct asker *asker)
{
	struct mailer_process *mailer = asker->mailer;

	drop_waiting(asker);
	loop_unwatch(mailer->loop, &asker->watch);
	channel_close(&asker->channel);
	list_remove(&asker->in_all);
	mailer->asker_count--;
	memory_free(asker);
}

static void
close_closing(struct mailer_process *mailer)
{
	struct list_link *link = list_first(&mailer->askers), *next;

	mailer->has_closing = false;
	for (; link != NULL; link = next) {
		next = list_next(&mailer->askers, link);
		if (ASKER_OF(link)->is_closing)
			close_asker(ASKER_OF(link));
	}
}

static void
wait_for(struct asker *asker)
{
	loop_watch_for(asker->mailer->loop, &asker->watch,
		channel_is_waiting(&asker->channel) ? LOOP_WRITE : LOOP_READ);
}

static void
send_to(struct asker *asker, struct frame *frame)
{
	struct err err;

	if (asker->is_closing)
		frame_close(frame);
	else if (channel_send(&asker->channel, frame, &err) < 0)
		close_later(asker);
	else
		wait_for(asker);
}

/* ---- errands ---- */

static void
tell_counters_soon(struct mailer_process *mailer)
{
	if (!loop_timer_is_running(&mailer->counters_timer))
		loop_timer(mailer->loop, &mailer->counters_timer,
			loop_now_ms(mailer->loop) + COUNTERS_PAUSE_MS);
}

static void
count_results(
	struct mailer_process *mailer, const struct request_submitted *answer)
{
	size_t i;

	for (i = 0; i < answer->count; i++) {
		mailer->sent += answer->results[i].kind == ERR_NONE;
		mailer->refused += answer->results[i].kind == ERR_REFUSED;
		mailer->deferred += answer->results[i].kind != ERR_NONE &&
		                    answer->results[i].kind != ERR_REFUSED;
	}
	tell_counters_soon(mailer);
}

static void
end_errand(struct errand *errand)
{
	struct mailer_process *mailer = errand->mailer;

	loop_timer_stop(mailer->loop, &errand->timer);
	list_remove(&errand->in_all);
	mailer->errand_count--;
	fd_close(&errand->job.submit.file);
	arena_close(&errand->job.arena);
	memory_free(errand);
}

/* The errand ends. */
static void
answer(struct errand *errand, struct request_submitted *results)
{
	struct frame frame;

	count_results(errand->mailer, results);
	if (errand->asker != NULL) {
		results->request = errand->number;
		frame_begin(&frame, REQUEST_SUBMITTED);
		request_submitted(&frame, results);
		send_to(errand->asker, &frame);
	}
	end_errand(errand);
}

static void
fail(struct errand *errand, const struct err *err)
{
	struct request_submitted results = {.count = errand->job.submit.count,
		.results = ARENA_ARRAY(errand->job.arena, struct err,
			errand->job.submit.count)};
	size_t i;

	for (i = 0; i < results.count; i++)
		results.results[i] = *err;
	answer(errand, &results);
}

static void
job_is_done(struct carriers_job *job, struct request_submitted *results,
	const struct err *err)
{
	struct errand *errand = CONTAINER_OF(job, struct errand, job);

	if (results != NULL)
		answer(errand, results);
	else
		fail(errand, err);
}

static void
waited_too_long(struct loop_timer *timer)
{
	struct errand *errand = CONTAINER_OF(timer, struct errand, timer);
	struct err err;

	if (!carriers_withdraw(errand->mailer->carriers, &errand->job))
		return; /* the carrier has a time of its own */
	err_temp(&err, "4.4.2",
		"all %llu processes for outgoing mail are busy "
		"(mailer_process_limit)",
		(unsigned long long)
			errand->mailer->child->settings->mailer_process_limit);
	fail(errand, &err);
}

/* Those that a carrier has are gone on with: what it has begun it may as well
 * end. */
static void
drop_waiting(struct asker *asker)
{
	struct mailer_process *mailer = asker->mailer;
	struct list_link *link = list_first(&mailer->errands), *next;

	for (; link != NULL; link = next) {
		struct errand *errand = ERRAND_OF(link);

		next = list_next(&mailer->errands, link);
		if (errand->asker != asker)
			continue;
		errand->asker = NULL;
		if (carriers_withdraw(mailer->carriers, &errand->job))
			end_errand(errand);
	}
}

static size_t
count_of_uid(const struct mailer_process *mailer, uint32_t uid)
{
	struct list_link *link;
	size_t count = 0;

	for (link = list_first(&mailer->errands); link != NULL;
		link = list_next(&mailer->errands, link)) {
		const struct asker *asker = ERRAND_OF(link)->asker;

		count += asker != NULL && asker->uid == uid;
	}
	return count;
}

/* One user must not keep the others out. */
static bool
has_room(const struct mailer_process *mailer, uint32_t uid)
{
	if (mailer->errand_count >= WAITING_MAX)
		return false;
	return uid == 0 || uid == geteuid() ||
	       mailer->errand_count < WAITING_MAX / WAITING_OF_UID_PART ||
	       count_of_uid(mailer, uid) < WAITING_MAX / WAITING_OF_UID_PART;
}

static struct errand *
new_errand(struct asker *asker)
{
	struct mailer_process *mailer = asker->mailer;
	struct errand *errand = memory_get(sizeof(*errand));

	errand->mailer = mailer;
	errand->asker = asker;
	errand->job.arena = arena_open();
	errand->job.done = job_is_done;
	errand->job.submit.file = -1;
	errand->timer.fire = waited_too_long;
	list_add_last(&mailer->errands, &errand->in_all);
	mailer->errand_count++;
	return errand;
}

static void
copy_str(struct arena *arena, struct str *text)
{
	*text = arena_copy(arena, *text);
}

/* What was read points into the frame. */
static void
keep_submit(struct arena *arena, struct request_submit *submit)
{
	struct str *recipients = ARENA_ARRAY(arena, struct str, submit->count);
	size_t i;

	for (i = 0; i < submit->count; i++)
		recipients[i] = arena_copy(arena, submit->recipients[i]);
	submit->recipients = recipients;
	copy_str(arena, &submit->sender);
	copy_str(arena, &submit->wishes.notify);
	copy_str(arena, &submit->wishes.ret);
	copy_str(arena, &submit->wishes.envid);
	copy_str(arena, &submit->wishes.orcpt);
	copy_str(arena, &submit->wishes.by);
}

static void
begin_errand(struct asker *asker, const struct request_submit *submit)
{
	struct mailer_process *mailer = asker->mailer;
	struct errand *errand = new_errand(asker);
	uint64_t timeout_ms = mailer->settings.timeout_ms;
	struct err err;

	errand->job.submit = *submit;
	errand->number = submit->request;
	keep_submit(errand->job.arena, &errand->job.submit);
	if (submit->timeout_ms < timeout_ms)
		timeout_ms = submit->timeout_ms;
	errand->job.until_ms = loop_now_ms(mailer->loop) + timeout_ms;
	if (!has_room(mailer, asker->uid)) {
		err_temp(&err, "4.3.2", "too many mails wait to leave");
		fail(errand, &err);
		return;
	}
	loop_timer(mailer->loop, &errand->timer, errand->job.until_ms);
	carriers_take(mailer->carriers, &errand->job);
	tell_counters_soon(mailer);
}

static bool
serve(struct asker *asker, struct frame *frame)
{
	struct request_submit submit = {.file = -1};

	if (frame->type != REQUEST_SUBMIT)
		return false;
	request_submit(frame, &submit);
	if (!frame_is_whole(frame) || submit.file < 0 || submit.count == 0 ||
		submit.count > REQUEST_RECIPIENTS_MAX) {
		fd_close(&submit.file);
		return false;
	}
	begin_errand(asker, &submit);
	return true;
}

static void
receive(struct asker *asker)
{
	struct frame frame;
	struct err err;

	switch (channel_receive(
		&asker->channel, asker->mailer->round, &frame, &err)) {
	case LOOKUP_NONE:
		return;
	case LOOKUP_ERROR:
		close_later(asker);
		return;
	case LOOKUP_FOUND:
		break;
	}
	if (!serve(asker, &frame)) {
		log_warning("uid %u asked for what nobody may: frame %u",
			(unsigned)asker->uid, frame.type);
		close_later(asker);
	}
	frame_close(&frame);
}

static void
asker_ready(struct loop_watch *watch, unsigned events)
{
	struct asker *asker = CONTAINER_OF(watch, struct asker, watch);
	struct err err;

	if (!channel_is_waiting(&asker->channel)) {
		receive(asker);
		return;
	}
	if ((events & LOOP_HANGUP) || channel_flush(&asker->channel, &err) < 0)
		close_later(asker);
	else
		wait_for(asker);
}

/* ---- accepting ---- */

static void
add_asker(struct mailer_process *mailer, int fd, uint32_t uid)
{
	struct asker *asker = memory_get(sizeof(*asker));

	asker->mailer = mailer;
	asker->uid = uid;
	asker->watch = (struct loop_watch){.fd = -1, .ready = asker_ready};
	list_add_last(&mailer->askers, &asker->in_all);
	mailer->asker_count++;
	channel_open(&asker->channel, fd, false);
	if (loop_watch(mailer->loop, &asker->watch, fd, LOOP_READ) < 0) {
		log_error("epoll_ctl: %s", strerror(errno));
		close_later(asker);
	}
}

static void
take_asker(struct doors *doors, const struct door *door UNUSED, int fd,
	const struct sockaddr_storage *address UNUSED)
{
	struct mailer_process *mailer =
		CONTAINER_OF(doors, struct mailer_process, doors);
	uint32_t uid;

	if (mailer->asker_count >= ASKERS_MAX || door_peer_uid(fd, &uid) < 0) {
		log_error("Somebody with mail that leaves is sent away: too "
			  "many ask at a time");
		fd_close(&fd);
		return;
	}
	add_asker(mailer, fd, uid);
}

/* ---- what master says ---- */

static bool
on_listener(struct mailer_process *mailer, struct frame *frame)
{
	struct wire_listener listener;

	wire_listener(frame, &listener);
	if (!frame_is_whole(frame) || listener.fd < 0)
		return false;
	doors_close(&mailer->doors);
	if (mailer->is_draining)
		fd_close(&listener.fd);
	else
		doors_add(&mailer->doors, &listener);
	return true;
}

static bool
on_drain(struct mailer_process *mailer, struct frame *frame)
{
	struct wire_drain drain;

	wire_drain(frame, &drain);
	if (!frame_is_whole(frame))
		return false;
	doors_close(&mailer->doors);
	mailer->is_draining = true;
	mailer->is_stopping |= drain.is_stop;
	return true;
}

static bool
on_ping(struct mailer_process *mailer)
{
	struct frame frame;

	frame_begin(&frame, WIRE_PONG);
	tell_master(mailer, &frame);
	return true;
}

static bool
obey(struct mailer_process *mailer, struct frame *frame)
{
	switch (frame->type) {
	case WIRE_LISTENER:
		return on_listener(mailer, frame);
	case WIRE_DRAIN:
		return on_drain(mailer, frame);
	case WIRE_LOGS:
		return child_take_logs(frame);
	case WIRE_PING:
		return on_ping(mailer);
	default:
		return false;
	}
}

static void
master_ready(struct loop_watch *watch, unsigned events)
{
	struct mailer_process *mailer =
		CONTAINER_OF(watch, struct mailer_process, master);
	struct channel *master = &mailer->child->master;
	struct frame frame;
	struct err err;
	enum lookup found;

	if ((events & LOOP_WRITE) && channel_flush(master, &err) < 0)
		end(mailer, EXIT_FAILURE);
	found = channel_receive(master, mailer->round, &frame, &err);
	if (found == LOOKUP_ERROR)
		end(mailer, EXIT_FAILURE); /* nothing runs without a master */
	if (found == LOOKUP_FOUND) {
		if (!obey(mailer, &frame)) {
			log_error("Master said what is not for a mailer: frame "
				  "%u",
				frame.type);
			end(mailer, EXIT_FAILURE);
		}
		frame_close(&frame);
	}
	loop_watch_for(mailer->loop, watch,
		LOOP_READ | (channel_is_waiting(master) ? LOOP_WRITE : 0));
}

static void
tell_counters(struct loop_timer *timer)
{
	struct mailer_process *mailer =
		CONTAINER_OF(timer, struct mailer_process, counters_timer);
	struct wire_counter counters[] = {
		{"mails", mailer->errand_count},
		{"carriers", carriers_count(mailer->carriers)},
		{"sent", mailer->sent},
		{"refused", mailer->refused},
		{"deferred", mailer->deferred},
	};
	struct wire_counters all = {counters, ARRAY_LENGTH(counters)};
	struct frame frame;

	frame_begin(&frame, WIRE_COUNTERS);
	wire_counters(&frame, &all);
	tell_master(mailer, &frame);
}

/* ---- the whole ---- */

/* A reload: who is connected may have more mail. */
static bool
is_over(const struct mailer_process *mailer)
{
	return mailer->is_draining && list_is_empty(&mailer->errands) &&
	       (mailer->is_stopping || list_is_empty(&mailer->askers));
}

static void
after_round(void *context)
{
	struct mailer_process *mailer = context;

	if (mailer->has_closing)
		close_closing(mailer);
	arena_release(mailer->round, mailer->round_begin);
	if (is_over(mailer))
		end(mailer, EXIT_SUCCESS);
}

/* In a carrier that was just forked: what is ours stays open with us alone, so
 * that nobody waits for an end that a carrier holds up. */
static void
forget(void *context)
{
	struct mailer_process *mailer = context;
	struct list_link *link;

	for (link = list_first(&mailer->askers); link != NULL;
		link = list_next(&mailer->askers, link))
		fd_close(&ASKER_OF(link)->channel.fd);
	for (link = list_first(&mailer->errands); link != NULL;
		link = list_next(&mailer->errands, link))
		fd_close(&ERRAND_OF(link)->job.submit.file);
	doors_forget(&mailer->doors);
	fd_close(&mailer->child->master.fd);
	loop_close(&mailer->loop);
}

static int
read_settings(struct mailer_process *mailer)
{
	struct err err;

	mailer->settings = setup_outbound(mailer->child->settings);
	mailer->settings.mailer = "";
	if (outbound_read_secrets(
		    mailer->child->arena, &mailer->settings, &err) == 0)
		return 0;
	log_error("%s", err_log_text(&err));
	return -1;
}

static void
prepare(struct mailer_process *mailer, struct child *child)
{
	memset(mailer, 0, sizeof(*mailer));
	mailer->child = child;
	mailer->master = (struct loop_watch){.fd = -1, .ready = master_ready};
	mailer->counters_timer.fire = tell_counters;
	list_init(&mailer->askers);
	list_init(&mailer->errands);
	mailer->round = arena_open();
	mailer->round_begin = arena_mark(mailer->round);
}

static int
begin(struct mailer_process *mailer)
{
	int fd = mailer->child->master.fd;
	struct frame ready;
	struct err err;

	if (read_settings(mailer) < 0)
		return -1;
	if (loop_open(&mailer->loop) < 0 ||
		loop_watch(mailer->loop, &mailer->master, fd, LOOP_READ) < 0) {
		log_error("epoll: %s", strerror(errno));
		return -1;
	}
	mailer->doors.came = take_asker;
	doors_open(&mailer->doors, mailer->loop);
	mailer->carriers =
		carriers_open(&(struct carriers_order){.loop = mailer->loop,
			.settings = &mailer->settings,
			.most = mailer->child->settings->mailer_process_limit,
			.forget = forget,
			.context = mailer});
	loop_after_round(mailer->loop, after_round, mailer);
	if (confine(mailer->child, NULL, 0, &err) < 0) {
		log_error("%s", err_log_text(&err));
		return -1;
	}
	confine_ready(mailer->child, &ready);
	tell_master(mailer, &ready);
	return 0;
}

static void
close_all(struct mailer_process *mailer)
{
	carriers_close(&mailer->carriers);
	while (!list_is_empty(&mailer->errands))
		end_errand(ERRAND_OF(list_first(&mailer->errands)));
	while (!list_is_empty(&mailer->askers))
		close_asker(ASKER_OF(list_first(&mailer->askers)));
	doors_close(&mailer->doors);
	if (mailer->loop != NULL)
		loop_unwatch(mailer->loop, &mailer->master);
	loop_close(&mailer->loop);
	arena_close(&mailer->round);
}

int
mailer_main(struct child *child)
{
	struct mailer_process mailer;

	prepare(&mailer, child);
	if (begin(&mailer) == 0)
		loop_run(mailer.loop);
	else
		mailer.status = EXIT_FAILURE;
	close_all(&mailer);
	return mailer.status;
}
