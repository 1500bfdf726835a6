/* mailer - hands over mail that leaves, for whoever delivers
 *
 *   worker, LDA --SUBMIT--> mailer --SUBMIT--> carrier   one mail at a time
 *                <-SUBMITTED-      <-SUBMITTED-          (server/carriers.c)
 *
 * The credentials and the connections of the way out are here and nowhere else.
 * A mail that takes its time holds one carrier; others go on.  It reads no message.
 * Who hands over a redirect waits, and tries again if this process ends; notices
 * (answers, notifications, reports) are left here, in a line of their own that is
 * bounded, and nobody waits.
 *
 * A way out that does not answer is tried by one mail at a time (server/wayout.h):
 * redirects are told at once, notices stay until their time is over.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
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
#include "server/wayout.h"
#include "server/wire.h"

#include "base/banned.h"

enum {
	ASKERS_MAX = 4096,
	ASKERS_OF_UID_PART = 4,   /* of them one uid has a part at most */
	WAITING_MAX = 2000,       /* mails */
	WAITING_OF_UID_PART = 4,  /* of them one uid has a part at most */
	NOTICES_OF_UID_PART = 2,  /* the same, of notices */
	NOTICE_CARRIERS_PART = 2, /* carriers that notices may have */
	LINGER_MS = 100,
	DRAIN_PART = 2,    /* of shutdown_timeout */
	SHOWN_BYTES = 200, /* of what somebody else writes into the log */
	COUNTERS_PAUSE_MS = 1000,
	CROWD_PAUSE_MS = 10 * 1000,
	IDLE_MS = 60 * 1000 /* of an asker that has no mail here */
};

/* Somebody with mail. */
struct asker {
	struct mailer_process *mailer;
	struct list_link in_all;
	struct channel channel;
	struct loop_watch watch;
	struct loop_timer idle_timer;
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
	uint32_t uid;            /* the same */
	struct loop_timer timer; /* while it waits for a carrier */
	/* Since it was let through. */
	enum wayout_pass pass;
	enum request_way way;
	/* A notice: */
	struct list_link in_line; /* until it is let through */
	uint64_t expires_ms;
	struct err last; /* why it is still there */
};

struct mailer_process {
	struct child *child;
	struct loop *loop;
	int status;
	struct loop_watch master;
	struct doors doors; /* at most one */
	struct list askers, errands;
	size_t asker_count, errand_count;
	uint64_t crowd_told_ms; /* not again before */
	struct outbound_settings settings;
	struct carriers *carriers;
	struct wayout wayout;
	struct list line; /* notices */
	size_t notice_count, notices_under_way;
	uint64_t notice_bytes;
	struct loop_timer retry_timer; /* runs: the line stands still */
	struct loop_timer drain_timer, linger_timer;
	struct channel state; /* fd -1: none */
	struct arena *round;
	struct arena_mark round_begin;
	bool has_closing;
	bool is_draining, is_stopping;
	struct loop_timer counters_timer;
	uint64_t sent, refused, deferred, dropped;
};

#define ASKER_OF(link) CONTAINER_OF(link, struct asker, in_all)
#define ERRAND_OF(link) CONTAINER_OF(link, struct errand, in_all)
#define NOTICE_OF(link) CONTAINER_OF(link, struct errand, in_line)

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

/* Those who were there have left something with us, perhaps, and gone: it is still
 * in their sockets, and in the line of those who come in. */
static void
linger(struct mailer_process *mailer)
{
	loop_timer(mailer->loop, &mailer->linger_timer,
		loop_now_ms(mailer->loop) + LINGER_MS);
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
	loop_timer_stop(mailer->loop, &asker->idle_timer);
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

static bool
is_notice(const struct errand *errand)
{
	return errand->job.submit.is_notice;
}

static void
tell_wayout(const struct mailer_process *mailer, bool was_shut)
{
	bool is_shut = wayout_is_shut(&mailer->wayout);

	if (is_shut && !was_shut)
		log_error("The way out for mail does not work: %llu hand-overs "
			  "in a row have failed (mailer_failure_limit). "
			  "Redirects are put off until it does",
			(unsigned long long)mailer->wayout.failures);
	if (was_shut && !is_shut)
		log_info("The way out for mail works again");
}

static void shut_waiting_out(struct mailer_process *mailer);

/* It is no longer on its way. */
static void
come_back(struct errand *errand)
{
	struct mailer_process *mailer = errand->mailer;
	bool was_shut = wayout_is_shut(&mailer->wayout);

	if (errand->pass == WAYOUT_NOT)
		return;
	wayout_end(&mailer->wayout, errand->pass, errand->way);
	errand->pass = WAYOUT_NOT;
	if (is_notice(errand))
		mailer->notices_under_way--;
	tell_wayout(mailer, was_shut);
	/* Only then: a notice that is alone in finding it closed would be tried with
	 * each mail that leaves. */
	if (was_shut && !wayout_is_shut(&mailer->wayout))
		loop_timer_stop(mailer->loop, &mailer->retry_timer);
	if (!was_shut && wayout_is_shut(&mailer->wayout))
		shut_waiting_out(mailer);
}

static void pump_notices(struct mailer_process *mailer);

static void
end_errand(struct errand *errand)
{
	struct mailer_process *mailer = errand->mailer;

	come_back(errand);
	loop_timer_stop(mailer->loop, &errand->timer);
	list_remove(&errand->in_line);
	list_remove(&errand->in_all);
	mailer->errand_count--;
	if (is_notice(errand)) {
		mailer->notice_count--;
		mailer->notice_bytes -= errand->job.submit.size;
	}
	fd_close(&errand->job.submit.file);
	arena_close(&errand->job.arena);
	memory_free(errand);
}

/* ---- what becomes of notices ---- */

static struct str
shown(struct str text)
{
	return str_slice(text, 0, SHOWN_BYTES);
}

/* Without state it is a mark less. */
static void
send_mark(struct errand *errand, const unsigned char key[OUTBOUND_MARK],
	uint64_t expires_s, enum wire_mark_kind kind)
{
	struct mailer_process *mailer = errand->mailer;
	struct wire_mark_of mark = {.uid = errand->uid,
		.item = {.expires_s = expires_s, .kind = kind}};
	struct frame frame;
	struct err err;

	if (!channel_is_open(&mailer->state))
		return;
	memcpy(mark.item.key, key, sizeof(mark.item.key));
	frame_begin(&frame, WIRE_MARK_OF);
	wire_mark_of(&frame, &mark);
	if (channel_send(&mailer->state, &frame, &err) < 0 ||
		channel_is_waiting(&mailer->state))
		channel_close(&mailer->state);
}

/* A mark of its user's was kept for it, and it has not left. */
static void
give_mark_back(struct errand *errand)
{
	const struct outbound_notice *notice = &errand->job.submit.notice;

	if (notice->has_mark)
		send_mark(errand, notice->mark, (uint64_t)clock_now().tv_sec,
			WIRE_MARK_VACATION);
}

/* Before who asked is told: should it die then, a retry does not send this again. */
static void
keep_marks(struct errand *errand, const struct request_submitted *results)
{
	const struct request_submit *submit = &errand->job.submit;
	size_t i;

	if (submit->mark_count != results->count * OUTBOUND_MARKS)
		return;
	for (i = 0; i < submit->mark_count; i++)
		if (results->results[i / OUTBOUND_MARKS].kind == ERR_NONE &&
			submit->marks[i].expires_s > 0)
			send_mark(errand, submit->marks[i].key,
				submit->marks[i].expires_s, WIRE_MARK_REDIRECT);
}

static void
log_result(const struct errand *errand, struct str recipient,
	const struct err *err)
{
	const struct outbound_notice *notice = &errand->job.submit.notice;

	if (err->kind == ERR_NONE)
		log_info("sieve: sent %.*s to <%.*s>: user=<%.*s>, "
			 "session=<%.*s>",
			STR_ARG(shown(notice->what)), STR_ARG(shown(recipient)),
			STR_ARG(shown(notice->user)),
			STR_ARG(shown(notice->session)));
	else
		log_error("sieve: failed to send %.*s to <%.*s>: %s: "
			  "user=<%.*s>, session=<%.*s>",
			STR_ARG(shown(notice->what)), STR_ARG(shown(recipient)),
			err_log_text(err), STR_ARG(shown(notice->user)),
			STR_ARG(shown(notice->session)));
}

static void
tell_notice(struct errand *errand, const struct request_submitted *results)
{
	bool has_left = true;
	size_t i;

	for (i = 0; i < results->count; i++) {
		log_result(errand, errand->job.submit.recipients[i],
			&results->results[i]);
		has_left &= results->results[i].kind == ERR_NONE;
	}
	errand->mailer->dropped += !has_left;
	if (!has_left)
		give_mark_back(errand);
}

/* ---- the end of an errand ---- */

static void
answer(struct errand *errand, struct request_submitted *results)
{
	struct frame frame;

	count_results(errand->mailer, results);
	if (is_notice(errand))
		tell_notice(errand, results);
	else
		keep_marks(errand, results);
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
stand_still(struct mailer_process *mailer)
{
	loop_timer(mailer->loop, &mailer->retry_timer,
		loop_now_ms(mailer->loop) +
			mailer->child->settings->mailer_retry_interval_ms);
}

/* Back into the line. */
static void
wait_again(struct errand *errand)
{
	struct mailer_process *mailer = errand->mailer;

	come_back(errand);
	list_add_last(&mailer->line, &errand->in_line);
	loop_timer(mailer->loop, &errand->timer, errand->expires_ms);
}

static void
judge_way(struct errand *errand, const struct request_submitted *results,
	const struct err *err)
{
	struct mailer_process *mailer = errand->mailer;

	if (results != NULL)
		errand->way = results->way;
	else if (strcmp(err->status, CARRIERS_LATE) == 0)
		errand->way = REQUEST_WAY_LOST;
	if (!is_notice(errand))
		return;
	errand->last = results != NULL ? results->results[0] : *err;
	if (errand->way == REQUEST_WAY_LOST ||
		errand->way == REQUEST_WAY_CLOSED)
		stand_still(mailer);
}

static void
job_is_done(struct carriers_job *job, struct request_submitted *results,
	const struct err *err)
{
	struct errand *errand = CONTAINER_OF(job, struct errand, job);
	struct mailer_process *mailer = errand->mailer;

	judge_way(errand, results, err);
	if (is_notice(errand) && errand->way == REQUEST_WAY_CLOSED &&
		!mailer->is_stopping)
		wait_again(errand);
	else if (results != NULL)
		answer(errand, results);
	else
		fail(errand, err);
	pump_notices(mailer);
}

static void
fail_late(struct errand *errand)
{
	struct err err;

	if (is_notice(errand))
		err_temp(&err, "4.4.7",
			"it could not leave within mailer_notice_timeout%s%s",
			errand->last.kind != ERR_NONE ? ": " : "",
			errand->last.kind != ERR_NONE
				? err_log_text(&errand->last)
				: "");
	else
		err_temp(&err, "4.4.2",
			"all %llu processes for outgoing mail are busy "
			"(mailer_process_limit)",
			(unsigned long long)errand->mailer->child->settings
				->mailer_process_limit);
	fail(errand, &err);
}

static void
waited_too_long(struct loop_timer *timer)
{
	struct errand *errand = CONTAINER_OF(timer, struct errand, timer);
	struct mailer_process *mailer = errand->mailer;

	if (errand->pass != WAYOUT_NOT &&
		!carriers_withdraw(mailer->carriers, &errand->job))
		return; /* the carrier has a time of its own */
	if (is_notice(errand) && errand->pass != WAYOUT_NOT &&
		loop_now_ms(mailer->loop) < errand->expires_ms)
		wait_again(errand);
	else
		fail_late(errand);
	pump_notices(mailer);
}

static void
fail_shut(struct errand *errand)
{
	struct err err;

	err_set(&err, ERR_TEMPORARY, "4.4.1",
		"Mail cannot leave at the moment");
	err_detail(&err, "what mail leaves by does not answer "
			 "(mailer_failure_limit)");
	fail(errand, &err);
}

/* Redirects that no carrier has yet: their time would only pass.  Each failure
 * may change the list. */
static bool
shut_one_out(struct mailer_process *mailer)
{
	struct list_link *link;

	for (link = list_first(&mailer->errands); link != NULL;
		link = list_next(&mailer->errands, link)) {
		struct errand *errand = ERRAND_OF(link);

		if (is_notice(errand) || errand->pass == WAYOUT_NOT ||
			!carriers_withdraw(mailer->carriers, &errand->job))
			continue;
		fail_shut(errand);
		return true;
	}
	return false;
}

static void
shut_waiting_out(struct mailer_process *mailer)
{
	while (shut_one_out(mailer))
		continue;
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
count_of_uid(const struct mailer_process *mailer, uint32_t uid, bool of_notices)
{
	struct list_link *link;
	size_t count = 0;

	for (link = list_first(&mailer->errands); link != NULL;
		link = list_next(&mailer->errands, link))
		count += is_notice(ERRAND_OF(link)) == of_notices &&
		         ERRAND_OF(link)->uid == uid;
	return count;
}

static bool
is_privileged(uint32_t uid)
{
	return uid == 0 || uid == geteuid();
}

/* One user must not keep the others out. */
static bool
has_room(const struct mailer_process *mailer, uint32_t uid)
{
	size_t waiting = mailer->errand_count - mailer->notice_count;
	size_t share = WAITING_MAX / WAITING_OF_UID_PART;

	/* The one that asks is among them. */
	if (waiting > WAITING_MAX)
		return false;
	return is_privileged(uid) || waiting <= share ||
	       count_of_uid(mailer, uid, false) <= share;
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
	errand->uid = asker->uid;
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

static void
keep_marks_asked(struct arena *arena, struct request_submit *submit)
{
	struct outbound_mark *marks;

	if (submit->mark_count != submit->count * OUTBOUND_MARKS)
		submit->mark_count = 0;
	marks = ARENA_ARRAY(arena, struct outbound_mark, submit->mark_count);
	if (submit->mark_count > 0)
		memcpy(marks, submit->marks,
			submit->mark_count * sizeof(*marks));
	submit->marks = marks;
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
	keep_marks_asked(arena, submit);
	copy_str(arena, &submit->sender);
	copy_str(arena, &submit->wishes.notify);
	copy_str(arena, &submit->wishes.ret);
	copy_str(arena, &submit->wishes.envid);
	copy_str(arena, &submit->wishes.orcpt);
	copy_str(arena, &submit->wishes.by);
	copy_str(arena, &submit->notice.what);
	copy_str(arena, &submit->notice.user);
	copy_str(arena, &submit->notice.session);
}

/* It has been let through. */
static void
give_to_carriers(struct errand *errand, uint64_t timeout_ms)
{
	struct mailer_process *mailer = errand->mailer;

	errand->way = REQUEST_WAY_UNKNOWN;
	errand->job.until_ms = loop_now_ms(mailer->loop) + timeout_ms;
	loop_timer(mailer->loop, &errand->timer, errand->job.until_ms);
	carriers_take(mailer->carriers, &errand->job);
}

static void
begin_awaited(struct errand *errand)
{
	struct mailer_process *mailer = errand->mailer;
	uint64_t timeout_ms = mailer->settings.timeout_ms;
	struct err err;

	if (errand->job.submit.timeout_ms < timeout_ms)
		timeout_ms = errand->job.submit.timeout_ms;
	if (!has_room(mailer, errand->uid)) {
		err_temp(&err, "4.3.2", "too many mails wait to leave");
		fail(errand, &err);
		return;
	}
	errand->pass = wayout_begin(&mailer->wayout);
	if (errand->pass == WAYOUT_NOT)
		fail_shut(errand);
	else
		give_to_carriers(errand, timeout_ms);
}

/* ---- notices ---- */

static size_t
notice_carriers(const struct mailer_process *mailer)
{
	size_t most = (size_t)mailer->child->settings->mailer_process_limit;

	return most > NOTICE_CARRIERS_PART ? most / NOTICE_CARRIERS_PART : 1;
}

/* One that has not been tried, if there is: what has been may itself be what the way
 * is closed to, and no probe for the others.  NULL: none. */
static struct errand *
next_notice(const struct mailer_process *mailer)
{
	struct list_link *first = list_first(&mailer->line), *link;

	for (link = first; link != NULL; link = list_next(&mailer->line, link))
		if (NOTICE_OF(link)->last.kind == ERR_NONE)
			return NOTICE_OF(link);
	return first != NULL ? NOTICE_OF(first) : NULL;
}

/* Redirects have a worker that waits: notices leave the other carriers to them. */
static void
pump_notices(struct mailer_process *mailer)
{
	struct errand *errand;

	while (!loop_timer_is_running(&mailer->retry_timer) &&
		mailer->notices_under_way < notice_carriers(mailer) &&
		(errand = next_notice(mailer)) != NULL) {
		errand->pass = wayout_begin(&mailer->wayout);
		if (errand->pass == WAYOUT_NOT)
			return;
		list_remove(&errand->in_line);
		mailer->notices_under_way++;
		give_to_carriers(errand, mailer->settings.timeout_ms);
	}
}

static void
retry(struct loop_timer *timer)
{
	pump_notices(CONTAINER_OF(timer, struct mailer_process, retry_timer));
}

/* What is in the file, whatever the asker says. */
static void
measure(struct request_submit *submit)
{
	struct stat status;

	if (fstat(submit->file, &status) == 0 && status.st_size > 0 &&
		(uint64_t)status.st_size > submit->size)
		submit->size = (uint64_t)status.st_size;
}

/* The one that asks is counted. */
static bool
has_room_for_notice(const struct mailer_process *mailer, uint32_t uid)
{
	const struct settings *settings = mailer->child->settings;
	size_t most = (size_t)settings->mailer_notice_limit;
	size_t share = most / NOTICES_OF_UID_PART;

	if (mailer->notice_count > most ||
		mailer->notice_bytes > settings->mailer_notice_max_total)
		return false;
	return is_privileged(uid) || mailer->notice_count <= share ||
	       count_of_uid(mailer, uid, true) <= share;
}

/* The asker has gone, or need not stay. */
static void
begin_notice(struct errand *errand)
{
	struct mailer_process *mailer = errand->mailer;
	struct err err;

	errand->asker = NULL;
	mailer->notice_count++;
	mailer->notice_bytes += errand->job.submit.size;
	if (!has_room_for_notice(mailer, errand->uid)) {
		err_temp(&err, "4.3.2",
			"too many wait to leave (mailer_notice_limit, "
			"mailer_notice_max_total)");
		fail(errand, &err);
		return;
	}
	errand->expires_ms = loop_now_ms(mailer->loop) +
	                     mailer->child->settings->mailer_notice_timeout_ms;
	loop_timer(mailer->loop, &errand->timer, errand->expires_ms);
	list_add_last(&mailer->line, &errand->in_line);
	pump_notices(mailer);
}

static void
begin_errand(struct asker *asker, const struct request_submit *submit)
{
	struct errand *errand = new_errand(asker);

	errand->job.submit = *submit;
	errand->number = submit->request;
	keep_submit(errand->job.arena, &errand->job.submit);
	measure(&errand->job.submit);
	tell_counters_soon(asker->mailer);
	if (submit->is_notice)
		begin_notice(errand);
	else
		begin_awaited(errand);
}

/* What cannot leave now will not: nobody would be there to see it do so later. */
static void
drop_notices(struct mailer_process *mailer)
{
	struct list_link *link;
	struct err err;

	while ((link = list_first(&mailer->line)) != NULL) {
		struct errand *errand = NOTICE_OF(link);

		err_temp(&err, "4.3.2", "the server ends%s%s",
			errand->last.kind != ERR_NONE ? ", and before: " : "",
			errand->last.kind != ERR_NONE
				? err_log_text(&errand->last)
				: "");
		fail(errand, &err);
	}
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

static bool
has_errand(const struct asker *asker)
{
	const struct mailer_process *mailer = asker->mailer;
	struct list_link *link;

	for (link = list_first(&mailer->errands); link != NULL;
		link = list_next(&mailer->errands, link))
		if (ERRAND_OF(link)->asker == asker)
			return true;
	return false;
}

/* Who has connected and asks nothing would keep a mailer that is to end. */
static void
look_at_idle(struct loop_timer *timer)
{
	struct asker *asker = CONTAINER_OF(timer, struct asker, idle_timer);
	struct loop *loop = asker->mailer->loop;

	if (has_errand(asker))
		loop_timer(loop, timer, loop_now_ms(loop) + IDLE_MS);
	else
		close_later(asker);
}

static void
add_asker(struct mailer_process *mailer, int fd, uint32_t uid)
{
	struct asker *asker = memory_get(sizeof(*asker));

	asker->mailer = mailer;
	asker->uid = uid;
	asker->watch = (struct loop_watch){.fd = -1, .ready = asker_ready};
	asker->idle_timer.fire = look_at_idle;
	list_add_last(&mailer->askers, &asker->in_all);
	mailer->asker_count++;
	channel_open(&asker->channel, fd, false);
	loop_timer(mailer->loop, &asker->idle_timer,
		loop_now_ms(mailer->loop) + IDLE_MS);
	if (loop_watch(mailer->loop, &asker->watch, fd, LOOP_READ) < 0) {
		log_error("epoll_ctl: %s", strerror(errno));
		close_later(asker);
	}
}

/* Once in a while: somebody may come again and again. */
static void
tell_crowd(struct mailer_process *mailer, uint32_t uid)
{
	uint64_t now = loop_now_ms(mailer->loop);

	if (now < mailer->crowd_told_ms)
		return;
	mailer->crowd_told_ms = now + CROWD_PAUSE_MS;
	log_error("Somebody with mail that leaves is sent away: too many ask "
		  "at a time, as uid %u",
		(unsigned)uid);
}

/* The one that comes is not counted. */
static bool
has_place(const struct mailer_process *mailer, uint32_t uid)
{
	struct list_link *link;
	size_t count = 0;

	if (mailer->asker_count >= ASKERS_MAX)
		return false;
	if (is_privileged(uid))
		return true;
	for (link = list_first(&mailer->askers); link != NULL;
		link = list_next(&mailer->askers, link))
		count += ASKER_OF(link)->uid == uid;
	return count < ASKERS_MAX / ASKERS_OF_UID_PART;
}

static void
take_asker(struct doors *doors, const struct door *door UNUSED, int fd,
	const struct sockaddr_storage *address UNUSED)
{
	struct mailer_process *mailer =
		CONTAINER_OF(doors, struct mailer_process, doors);
	uint32_t uid;

	if (door_peer_uid(fd, &uid) < 0) {
		log_error("Somebody with mail that leaves is sent away: nobody "
			  "knows who it is");
		fd_close(&fd);
		return;
	}
	if (!has_place(mailer, uid)) {
		tell_crowd(mailer, uid);
		fd_close(&fd);
		return;
	}
	if (mailer->is_stopping)
		linger(mailer);
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

static void
linger_is_over(struct loop_timer *timer UNUSED)
{
	/* The end of the round sees that it does not run. */
}

/* Notices that have a way out get some time for it. */
static void
begin_stopping(struct mailer_process *mailer)
{
	mailer->is_stopping = true;
	linger(mailer);
	if (wayout_is_shut(&mailer->wayout) ||
		loop_timer_is_running(&mailer->retry_timer))
		drop_notices(mailer);
	loop_timer(mailer->loop, &mailer->drain_timer,
		loop_now_ms(mailer->loop) +
			mailer->child->settings->shutdown_timeout_ms /
				DRAIN_PART);
}

static void
put_all_into_line(struct mailer_process *mailer)
{
	struct list_link *link;

	for (link = list_first(&mailer->errands); link != NULL;
		link = list_next(&mailer->errands, link))
		if (is_notice(ERRAND_OF(link)) &&
			!list_has(&ERRAND_OF(link)->in_line))
			list_add_last(&mailer->line, &ERRAND_OF(link)->in_line);
}

static void
drain_is_over(struct loop_timer *timer)
{
	struct mailer_process *mailer =
		CONTAINER_OF(timer, struct mailer_process, drain_timer);

	/* No result comes any more of what is under way. */
	carriers_close(&mailer->carriers);
	put_all_into_line(mailer);
	drop_notices(mailer);
	end(mailer, EXIT_SUCCESS);
}

static bool
on_drain(struct mailer_process *mailer, struct frame *frame)
{
	struct wire_drain drain;

	wire_drain(frame, &drain);
	if (!frame_is_whole(frame))
		return false;
	mailer->is_draining = true;
	if (drain.is_stop)
		begin_stopping(mailer);
	else
		doors_close(&mailer->doors);
	return true;
}

static bool
on_state_link(struct mailer_process *mailer, struct frame *frame)
{
	struct wire_state_link link;

	wire_state_link(frame, &link);
	if (!frame_is_whole(frame) || link.fd < 0)
		return false;
	channel_close(&mailer->state);
	channel_open(&mailer->state, link.fd, false);
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
	case WIRE_STATE_LINK:
		return on_state_link(mailer, frame);
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
		{"notices", mailer->notice_count},
		{"dropped", mailer->dropped},
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
	if (!mailer->is_draining || !list_is_empty(&mailer->errands))
		return false;
	return mailer->is_stopping
	               ? !loop_timer_is_running(&mailer->linger_timer)
	               : list_is_empty(&mailer->askers);
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
	fd_close(&mailer->state.fd);
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
	list_init(&mailer->line);
	mailer->state.fd = -1;
	mailer->wayout.limit = child->settings->mailer_failure_limit;
	mailer->retry_timer.fire = retry;
	mailer->drain_timer.fire = drain_is_over;
	mailer->linger_timer.fire = linger_is_over;
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
	channel_close(&mailer->state);
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
