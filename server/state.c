/* SPDX-License-Identifier: MIT */
#include "server/state.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/memory.h"
#include "ipc/channel.h"
#include "dict/dict.h"
#include "quota/request.h"
#include "server/child.h"
#include "server/confine.h"
#include "server/counts.h"
#include "server/door.h"
#include "server/ledger.h"
#include "server/marks.h"
#include "server/rediscounts.h"
#include "server/wire.h"
#include "server/wishes.h"

#include "base/banned.h"

enum {
	/* Connections; beyond them new ones are closed. */
	CLIENTS_MAX = 16 * 1024,
	CLIENTS_PER_UID_MAX = 2048,
	CLIENTS_PART = 4, /* of all places a uid may take: one in so many */
	DESCRIPTORS_KEPT = 64, /* for files, fronts and logs */
	/* A pass over all entries, in steps. */
	SWEEP_STEP = 500,
	SWEEP_STEP_PAUSE_MS = 50,
	FINISH_DELAY_MS = 5,
	COUNTERS_PAUSE_MS = 1000,
	COMPLAINT_PAUSE_MS = 60 * 1000,
	REOPEN_PAUSE_MS = 30 * 1000,
	WELL_AFTER_MS = 10 * 60 * 1000,
	/* The state of a master that was killed lives a moment longer. */
	IN_USE_WAIT_MS = 2000,
	IN_USE_PAUSE_MS = 20,
	DRAIN_MS = 5000 /* for what is under way */
};

enum peer_kind { PEER_CLIENT, PEER_LINK, PEER_MAILER };

#define PEER_BIT(kind) (1U << (kind))

/* A connection but the one to master. */
struct peer {
	struct state *state;
	enum peer_kind kind;
	struct peer *next, *previous;
	struct loop_watch watch;
	struct channel channel;
	struct ledger_owner owner;
	struct remote *remote; /* what it waits for; NULL: nothing */
	bool is_closing;       /* at the end of the round */
};

/* What goes out when the round's transaction is committed. */
struct answer {
	struct answer *next;
	struct peer *peer;
	bool is_confirmed; /* else: claimed */
	struct wire_confirmed confirmed;
	struct wire_claimed claimed;
};

/* A count that is asked for elsewhere. */
struct remote {
	struct peer *peer; /* NULL: gone meanwhile */
};

struct state {
	struct child *child;
	struct loop *loop;
	struct dict *dict;
	struct ledger *ledger;
	struct marks *marks;
	struct rediscounts *remote; /* NULL: none */
	bool is_on_disk;            /* what it has outlives this process */
	char stamp[COUNTS_STAMP];
	bool sweeps_marks; /* the sweep has done with the ledger */
	int status;        /* of the process */

	struct loop_watch master;
	struct doors doors; /* at most one */
	struct peer *peers;
	size_t clients, clients_max;

	struct arena *round; /* frames and answers of one */
	struct arena_mark round_begin;
	bool has_transaction;
	struct answer *answers, **answers_end;
	bool has_closing;

	struct ledger_counters told; /* to master */
	struct marks_counters told_marks;
	uint64_t complained_ms, warned_ms, refused_ms,
		uncounted_ms; /* 0: never */
	bool is_draining;
	struct loop_timer sweep_timer, counters_timer, reopen_timer, well_timer,
		drain_timer, finish_timer;
};

static void
end(struct state *state, int status)
{
	state->status = status;
	loop_stop(state->loop);
}

static uint64_t
now_s(void)
{
	return (uint64_t)clock_now().tv_sec;
}

/* At most once a minute: a full disk has the same to say for each message, and a
 * client that is wrong tries again. */
static bool
may_say(const struct state *state, uint64_t *said_ms)
{
	uint64_t now = loop_now_ms(state->loop);

	if (*said_ms > 0 && now < *said_ms + COMPLAINT_PAUSE_MS)
		return false;
	*said_ms = now;
	return true;
}

static void
complain(struct state *state, const char *text)
{
	if (!may_say(state, &state->complained_ms))
		return;
	log_error("Deliveries are not remembered, so that a message may come "
		  "twice: %s",
		text);
}

static void
end_if_broken(struct state *state)
{
	if (!dict_is_broken(state->dict))
		return;
	log_error("The data base of deliveries is opened anew");
	end(state, STATE_EXIT_BROKEN);
}

/* ---- peers ---- */

static void
close_later(struct peer *peer)
{
	if (peer->is_closing)
		return;
	loop_unwatch(peer->state->loop, &peer->watch);
	peer->is_closing = true;
	peer->state->has_closing = true;
}

static void
close_peer(struct peer *peer)
{
	struct state *state = peer->state;

	loop_unwatch(state->loop, &peer->watch);
	channel_close(&peer->channel);
	ledger_release(state->ledger, &peer->owner);
	if (peer->remote != NULL)
		peer->remote->peer = NULL;
	if (peer->next != NULL)
		peer->next->previous = peer->previous;
	if (peer->previous != NULL)
		peer->previous->next = peer->next;
	else
		state->peers = peer->next;
	if (peer->kind == PEER_CLIENT)
		state->clients--;
	memory_free(peer);
}

static void peer_ready(struct loop_watch *watch, unsigned events);

/* Takes the descriptor over. */
static void
add_peer(struct state *state, enum peer_kind kind, int fd, uint32_t uid)
{
	struct peer *peer = memory_get(sizeof(*peer));

	peer->state = state;
	peer->kind = kind;
	peer->owner.uid = uid;
	peer->watch.fd = -1;
	peer->watch.ready = peer_ready;
	peer->next = state->peers;
	if (peer->next != NULL)
		peer->next->previous = peer;
	state->peers = peer;
	if (kind == PEER_CLIENT)
		state->clients++;
	channel_open(&peer->channel, fd, false);
	if (loop_watch(state->loop, &peer->watch, fd, LOOP_READ) < 0) {
		log_error("epoll_ctl: %s", strerror(errno));
		close_later(peer);
	}
}

/* ---- requests ---- */

/* Who does not take answers is not asked for more. */
static void
wait_for(struct peer *peer)
{
	loop_watch_for(peer->state->loop, &peer->watch,
		channel_is_waiting(&peer->channel) ? LOOP_WRITE : LOOP_READ);
}

static void
begin_transaction(struct state *state)
{
	if (state->has_transaction)
		return;
	state->has_transaction = true;
	ledger_begin(state->ledger, now_s());
}

static struct answer *
add_answer(struct peer *peer)
{
	struct state *state = peer->state;
	struct answer *answer = ARENA_NEW(state->round, struct answer);

	answer->peer = peer;
	*state->answers_end = answer;
	state->answers_end = &answer->next;
	return answer;
}

/* Each: false when the frame is not whole. */
static bool
on_claim(struct peer *peer, struct frame *frame)
{
	struct state *state = peer->state;
	struct wire_claim claim;

	wire_claim(frame, &claim);
	if (!frame_is_whole(frame))
		return false;
	begin_transaction(state);
	ledger_claim(state->ledger, state->round, &peer->owner,
		frame->type == WIRE_RECLAIM, &claim,
		&add_answer(peer)->claimed);
	return true;
}

static bool
on_finish(struct peer *peer, struct frame *frame)
{
	struct state *state = peer->state;
	struct wire_finish finish;

	wire_finish(frame, &finish);
	if (!frame_is_whole(frame))
		return false;
	begin_transaction(state);
	ledger_finish(state->ledger, &peer->owner, &finish);
	return true;
}

/* A client may for its own uid, and root's for any: the session that was started
 * beside the server has no link from its master.  Each secret is checked, too. */
static bool
may_confirm(const struct peer *peer, const struct wire_confirm *confirm)
{
	size_t i;

	if (peer->kind == PEER_LINK || peer->owner.uid == 0)
		return true;
	for (i = 0; i < confirm->count; i++)
		if (confirm->handles[i].uid != peer->owner.uid)
			return false;
	return true;
}

static bool
on_confirm(struct peer *peer, struct frame *frame)
{
	struct state *state = peer->state;
	struct wire_confirm confirm;
	struct answer *answer;

	wire_confirm(frame, &confirm);
	if (!frame_is_whole(frame) || !may_confirm(peer, &confirm))
		return false;
	begin_transaction(state);
	ledger_confirm(state->ledger, &confirm);
	answer = add_answer(peer);
	answer->is_confirmed = true;
	answer->confirmed.request = confirm.request;
	return true;
}

/* ---- marks ---- */

static void end_transaction(struct state *state);

static void
send_to(struct peer *peer, struct frame *frame)
{
	struct err err;

	if (channel_send(&peer->channel, frame, &err) < 0)
		close_later(peer);
	else
		wait_for(peer);
}

static void
answer_marks(struct peer *peer, uint64_t request, enum wire_marked_state state)
{
	struct wire_marked marked = {request, state};
	struct frame frame;

	frame_begin(&frame, WIRE_MARKED);
	wire_marked(&frame, &marked);
	send_to(peer, &frame);
}

static bool
on_seen(struct peer *peer, struct frame *frame)
{
	struct state *state = peer->state;
	enum wire_marked_state answer = WIRE_MARKS_UNABLE;
	struct wire_seen seen;
	struct err err;

	wire_seen(frame, &seen);
	if (!frame_is_whole(frame))
		return false;
	switch (marks_find(
		state->marks, peer->owner.uid, seen.key, now_s(), &err)) {
	case LOOKUP_FOUND:
		answer = WIRE_MARKS_YES;
		break;
	case LOOKUP_NONE:
		answer = WIRE_MARKS_NO;
		break;
	case LOOKUP_ERROR:
		complain(state, err_log_text(&err));
		break;
	}
	answer_marks(peer, seen.request, answer);
	end_if_broken(state);
	return true;
}

/* Marks have a transaction of their own; what is asked in the same round waits
 * for nothing that way. */
static void
end_transaction_now(struct state *state)
{
	if (!state->has_transaction)
		return;
	end_transaction(state);
	state->answers = NULL;
	state->answers_end = &state->answers;
}

/* Nothing comes between this and what follows: there is one process of us. */
static enum lookup
find_any(struct peer *peer, const struct wire_mark *mark, struct err *err)
{
	enum lookup found = LOOKUP_NONE;
	size_t i;

	for (i = 0; i < mark->count && found == LOOKUP_NONE; i++)
		found = marks_find(peer->state->marks, peer->owner.uid,
			mark->items[i].key, now_s(), err);
	return found;
}

static enum wire_marked_state
keep_marks(struct peer *peer, const struct wire_mark *mark)
{
	struct state *state = peer->state;
	enum lookup found = LOOKUP_NONE;
	struct err err;

	if (mark->is_claim)
		found = find_any(peer, mark, &err);
	if (found == LOOKUP_FOUND)
		return WIRE_MARKS_NO;
	if (found == LOOKUP_NONE &&
		marks_keep(state->marks, peer->owner.uid, mark->items,
			mark->count, now_s(), &err) == 0)
		return WIRE_MARKS_YES;
	complain(state, err_log_text(&err));
	return WIRE_MARKS_UNABLE;
}

static bool
on_mark(struct peer *peer, struct frame *frame)
{
	struct state *state = peer->state;
	struct wire_mark mark = {0};

	wire_mark(frame, &mark);
	if (!frame_is_whole(frame) || mark.count > WIRE_MARKS_MAX)
		return false;
	end_transaction_now(state);
	answer_marks(peer, mark.request, keep_marks(peer, &mark));
	end_if_broken(state);
	return true;
}

/* A mark that has no time left is none. */
static bool
on_mark_of(struct peer *peer, struct frame *frame)
{
	struct state *state = peer->state;
	struct wire_mark_of mark = {0};
	struct err err;

	wire_mark_of(frame, &mark);
	if (!frame_is_whole(frame))
		return false;
	end_transaction_now(state);
	if (marks_keep(state->marks, mark.uid, &mark.item, 1, now_s(), &err) <
		0)
		complain(state, err_log_text(&err));
	end_if_broken(state);
	return true;
}

/* ---- counts ---- */

static void
answer_count(struct peer *peer, struct request_counted *counted)
{
	struct frame frame;

	frame_begin(&frame, REQUEST_COUNTED);
	request_counted(&frame, counted);
	send_to(peer, &frame);
}

/* Without a disk nothing is kept: what this process forgot at its end would be
 * missing in the counts that are found there later. */
static void
serve_count(struct peer *peer, const struct request_count *count,
	struct request_counted *counted)
{
	struct state *state = peer->state;
	struct err err;

	if (!state->is_on_disk) {
		counted->state = count->action == REQUEST_COUNT_READ
		                         ? REQUEST_COUNTED_NONE
		                         : REQUEST_COUNTED_UNABLE;
		return;
	}
	end_transaction_now(state);
	if (counts_serve(state->dict, state->stamp, peer->owner.uid, count,
		    now_s(), counted, &err) < 0 &&
		may_say(state, &state->uncounted_ms))
		log_error("quota: %s", err_log_text(&err));
	end_if_broken(state);
}

static void
remote_answered(void *context, struct request_counted *counted)
{
	struct remote *remote = context;

	if (remote->peer != NULL) {
		remote->peer->remote = NULL;
		answer_count(remote->peer, counted);
	}
	memory_free(remote);
}

/* Who waits for one asks no other. */
static bool
ask_remote(struct peer *peer, const struct request_count *count)
{
	struct remote *remote;

	if (peer->remote != NULL)
		return false;
	remote = memory_get(sizeof(*remote));
	remote->peer = peer;
	peer->remote = remote;
	rediscounts_serve(peer->state->remote, peer->owner.uid, count, now_s(),
		remote_answered, remote);
	return true;
}

static bool
on_count(struct peer *peer, struct frame *frame)
{
	struct request_count count = {0};
	struct request_counted counted = {0};

	request_count(frame, &count);
	if (!frame_is_whole(frame) || count.user.len > REQUEST_COUNT_USER_MAX)
		return false;
	if (rediscounts_has(peer->state->remote, count.root))
		return ask_remote(peer, &count);
	counted.request = count.request;
	serve_count(peer, &count, &counted);
	answer_count(peer, &counted);
	return true;
}

static const struct request {
	unsigned type;
	unsigned from; /* PEER_BIT() of those who may send it */
	bool (*serve)(struct peer *peer, struct frame *frame);
} requests[] = {
	{WIRE_CLAIM, PEER_BIT(PEER_CLIENT), on_claim},
	{WIRE_RECLAIM, PEER_BIT(PEER_CLIENT), on_claim},
	{WIRE_FINISH, PEER_BIT(PEER_CLIENT), on_finish},
	{WIRE_CONFIRM, PEER_BIT(PEER_CLIENT) | PEER_BIT(PEER_LINK), on_confirm},
	{WIRE_SEEN, PEER_BIT(PEER_CLIENT), on_seen},
	{WIRE_MARK, PEER_BIT(PEER_CLIENT), on_mark},
	{WIRE_MARK_OF, PEER_BIT(PEER_MAILER), on_mark_of},
	{REQUEST_COUNT, PEER_BIT(PEER_CLIENT), on_count},
};

static const char *
kind_name(enum peer_kind kind)
{
	switch (kind) {
	case PEER_CLIENT:
		return "client";
	case PEER_LINK:
		return "front";
	case PEER_MAILER:
		return "mailer";
	}
	return "";
}

static bool
serve(struct peer *peer, struct frame *frame)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(requests); i++)
		if (requests[i].type == frame->type &&
			(requests[i].from & PEER_BIT(peer->kind)))
			return requests[i].serve(peer, frame);
	return false;
}

static void
receive(struct peer *peer)
{
	struct frame frame;
	struct err err;

	switch (channel_receive(
		&peer->channel, peer->state->round, &frame, &err)) {
	case LOOKUP_NONE:
		return;
	case LOOKUP_ERROR:
		close_later(peer);
		return;
	case LOOKUP_FOUND:
		break;
	}
	if (!serve(peer, &frame)) {
		if (may_say(peer->state, &peer->state->warned_ms))
			log_warning(
				"A %s of uid %u said what nobody may say here: "
				"frame %u",
				kind_name(peer->kind),
				(unsigned)peer->owner.uid, frame.type);
		close_later(peer);
	}
	frame_close(&frame);
}

static void
peer_ready(struct loop_watch *watch, unsigned events)
{
	struct peer *peer = CONTAINER_OF(watch, struct peer, watch);
	struct err err;

	if (channel_is_waiting(&peer->channel)) {
		if ((events & LOOP_HANGUP) ||
			channel_flush(&peer->channel, &err) < 0)
			close_later(peer);
		else
			wait_for(peer);
		return;
	}
	receive(peer);
}

/* ---- the end of a round ---- */

static void
send_answer(struct answer *answer)
{
	struct peer *peer = answer->peer;
	struct frame frame;

	if (peer->is_closing)
		return;
	if (answer->is_confirmed) {
		frame_begin(&frame, WIRE_CONFIRMED);
		wire_confirmed(&frame, &answer->confirmed);
	} else {
		frame_begin(&frame, WIRE_CLAIMED);
		wire_claimed(&frame, &answer->claimed);
	}
	send_to(peer, &frame);
}

static void
end_transaction(struct state *state)
{
	struct err err;
	bool is_written = ledger_commit(state->ledger, &err) == 0;
	const char *complaint = ledger_complaint(state->ledger);
	struct answer *answer;

	state->has_transaction = false;
	loop_timer_stop(state->loop, &state->finish_timer);
	if (complaint != NULL)
		complain(state, complaint);
	/* The front asks again, or goes on after its own time. */
	for (answer = state->answers; answer != NULL; answer = answer->next)
		if (is_written || !answer->is_confirmed)
			send_answer(answer);
	end_if_broken(state);
}

static void
close_closing(struct state *state)
{
	struct peer *peer, *next;

	state->has_closing = false;
	for (peer = state->peers; peer != NULL; peer = next) {
		next = peer->next;
		if (peer->is_closing)
			close_peer(peer);
	}
}

static void
tell_counters_soon(struct state *state)
{
	struct ledger_counters now = ledger_counters(state->ledger);
	struct marks_counters marks = marks_counters(state->marks);

	if (!loop_timer_is_running(&state->counters_timer) &&
		(memcmp(&now, &state->told, sizeof(now)) != 0 ||
			memcmp(&marks, &state->told_marks, sizeof(marks)) != 0))
		loop_timer(state->loop, &state->counters_timer,
			loop_now_ms(state->loop) + COUNTERS_PAUSE_MS);
}

static void
begin_round(struct state *state)
{
	arena_release(state->round, state->round_begin);
	state->answers = NULL;
	state->answers_end = &state->answers;
}

/* Nobody waits for a FINISH: it goes with the next request that is answered, if
 * there is one soon.  Should this process die before, the claim is BROKEN, and
 * whoever asks finds the copies. */
static void
end_or_delay_transaction(struct state *state)
{
	if (state->answers != NULL)
		end_transaction(state);
	else if (!loop_timer_is_running(&state->finish_timer))
		loop_timer(state->loop, &state->finish_timer,
			loop_now_ms(state->loop) + FINISH_DELAY_MS);
}

static void
finish_is_due(struct loop_timer *timer)
{
	struct state *state = CONTAINER_OF(timer, struct state, finish_timer);

	if (state->has_transaction)
		end_transaction(state);
	begin_round(state);
}

static void
after_round(void *context)
{
	struct state *state = context;

	if (state->has_transaction)
		end_or_delay_transaction(state);
	if (state->has_closing)
		close_closing(state);
	begin_round(state);
	tell_counters_soon(state);
	if (state->is_draining && !state->has_transaction &&
		ledger_counters(state->ledger).held == 0)
		end(state, EXIT_SUCCESS);
}

/* ---- accepting ---- */

static size_t
count_clients(const struct state *state, uint32_t uid)
{
	const struct peer *peer;
	size_t count = 0;

	for (peer = state->peers; peer != NULL; peer = peer->next)
		count += peer->kind == PEER_CLIENT && peer->owner.uid == uid;
	return count;
}

/* One user must not keep the others out.  All workers of a server that was not
 * started as root have its own uid. */
static size_t
clients_per_uid(const struct state *state, uint32_t uid)
{
	size_t part = state->clients_max / CLIENTS_PART;

	if (uid == 0 || uid == geteuid())
		return state->clients_max;
	return part < CLIENTS_PER_UID_MAX ? part : CLIENTS_PER_UID_MAX;
}

/* NULL, or why there is no place. */
static const char *
refuse_client(struct state *state, uint32_t uid)
{
	if (state->clients >= state->clients_max)
		return "too many clients";
	if (count_clients(state, uid) >= clients_per_uid(state, uid))
		return arena_format(state->round, "too many clients of uid %u",
			(unsigned)uid);
	return NULL;
}

static void
take_client(struct doors *doors, const struct door *door UNUSED, int fd,
	const struct sockaddr_storage *address UNUSED)
{
	struct state *state = CONTAINER_OF(doors, struct state, doors);
	uint32_t uid;
	const char *why;

	if (door_peer_uid(fd, &uid) < 0)
		why = strerror(errno);
	else
		why = refuse_client(state, uid);
	if (why == NULL) {
		add_peer(state, PEER_CLIENT, fd, uid);
		return;
	}
	/* Its worker cannot ask. */
	if (may_say(state, &state->refused_ms))
		log_error("A delivery has no access to the memory of "
			  "deliveries, so that its mail is deferred: %s",
			why);
	close(fd);
}

/* ---- what master says ---- */

static bool
on_listener(struct state *state, struct frame *frame)
{
	struct wire_listener listener;

	wire_listener(frame, &listener);
	if (!frame_is_whole(frame) || listener.fd < 0)
		return false;
	doors_close(&state->doors);
	doors_add(&state->doors, &listener);
	return true;
}

static bool
on_state_link(struct state *state, struct frame *frame)
{
	struct wire_state_link link;

	wire_state_link(frame, &link);
	if (!frame_is_whole(frame) || link.fd < 0)
		return false;
	add_peer(state, link.is_mailer ? PEER_MAILER : PEER_LINK, link.fd, 0);
	return true;
}

static bool
on_drain(struct state *state, struct frame *frame)
{
	struct wire_drain drain;

	wire_drain(frame, &drain);
	if (!frame_is_whole(frame))
		return false;
	doors_close(&state->doors);
	state->is_draining = true;
	loop_timer(state->loop, &state->drain_timer,
		loop_now_ms(state->loop) + DRAIN_MS);
	return true;
}

static void
tell_master(struct state *state, struct frame *frame)
{
	struct err err;

	if (channel_send(&state->child->master, frame, &err) < 0)
		end(state, EXIT_FAILURE);
	else if (channel_is_waiting(&state->child->master))
		loop_watch_for(
			state->loop, &state->master, LOOP_READ | LOOP_WRITE);
}

static bool
on_ping(struct state *state)
{
	struct frame frame;

	frame_begin(&frame, WIRE_PONG);
	tell_master(state, &frame);
	return true;
}

static void
tell_wish(void *context, struct wire_proxy_wish *wish)
{
	struct frame frame;

	frame_begin(&frame, WIRE_PROXY_WISH);
	wire_proxy_wish(&frame, wish);
	tell_master(context, &frame);
}

/* What could not be kept counts until the server ends. */
static bool
on_wish(struct state *state, struct frame *frame)
{
	struct wire_proxy_wish wish;
	struct err err;

	wire_proxy_wish(frame, &wish);
	if (!frame_is_whole(frame) || wish.name == NULL || wish.value == NULL)
		return false;
	end_transaction_now(state);
	if (wishes_put(state->dict, &wish, &err) < 0)
		log_error("a wish of the admin's is not kept: %s",
			err_log_text(&err));
	return true;
}

static bool
obey(struct state *state, struct frame *frame)
{
	switch (frame->type) {
	case WIRE_LISTENER:
		return on_listener(state, frame);
	case WIRE_STATE_LINK:
		return on_state_link(state, frame);
	case WIRE_DRAIN:
		return on_drain(state, frame);
	case WIRE_LOGS:
		return child_take_logs(frame);
	case WIRE_PING:
		return on_ping(state);
	case WIRE_PROXY_WISH:
		return on_wish(state, frame);
	default:
		return false;
	}
}

static void
master_ready(struct loop_watch *watch, unsigned events)
{
	struct state *state = CONTAINER_OF(watch, struct state, master);
	struct channel *master = &state->child->master;
	struct frame frame;
	struct err err;
	enum lookup found;

	if ((events & LOOP_WRITE) && channel_flush(master, &err) < 0)
		end(state, EXIT_FAILURE);
	found = channel_receive(master, state->round, &frame, &err);
	if (found == LOOKUP_ERROR)
		end(state, EXIT_FAILURE); /* nothing runs without a master */
	if (found == LOOKUP_FOUND) {
		if (!obey(state, &frame)) {
			log_error("Master said what is not for state: frame %u",
				frame.type);
			end(state, EXIT_FAILURE);
		}
		frame_close(&frame);
	}
	loop_watch_for(state->loop, watch,
		LOOP_READ | (channel_is_waiting(master) ? LOOP_WRITE : 0));
}

static void
tell_counters(struct loop_timer *timer)
{
	struct state *state = CONTAINER_OF(timer, struct state, counters_timer);
	struct ledger_counters now = ledger_counters(state->ledger);
	struct marks_counters marks = marks_counters(state->marks);
	struct wire_counter counters[] = {
		{"entries", now.entries},
		{"held", now.held},
		{"claims", now.claims},
		{"finished", now.finished},
		{"confirmed", now.confirmed},
		{"expired", now.expired},
		{"busy", now.busy},
		{"broken", now.broken},
		{"unable", now.unable},
		{"marks", marks_count(state->marks)},
		{"marks_duplicate", marks.by_kind[WIRE_MARK_DUPLICATE]},
		{"marks_vacation", marks.by_kind[WIRE_MARK_VACATION]},
		{"marks_redirect", marks.by_kind[WIRE_MARK_REDIRECT]},
		{"marks_next_expiry", marks.next_s},
	};
	struct wire_counters all = {counters, ARRAY_LENGTH(counters)};
	struct frame frame;

	state->told = now;
	state->told_marks = marks;
	frame_begin(&frame, WIRE_COUNTERS);
	wire_counters(&frame, &all);
	tell_master(state, &frame);
}

static void
drain_is_over(struct loop_timer *timer)
{
	end(CONTAINER_OF(timer, struct state, drain_timer), EXIT_SUCCESS);
}

/* ---- the data base ---- */

/* Deliveries first, then marks. */
static enum lookup
sweep_step(struct state *state, struct err *err)
{
	enum lookup found;

	if (state->sweeps_marks) {
		found = marks_sweep(state->marks, now_s(), SWEEP_STEP, err);
		state->sweeps_marks = found == LOOKUP_FOUND;
		return found;
	}
	found = ledger_sweep(state->ledger, now_s(), SWEEP_STEP, err);
	state->sweeps_marks = found == LOOKUP_NONE;
	return state->sweeps_marks ? LOOKUP_FOUND : found;
}

/* Timers fire when the calls of a round are done, and its transaction is not yet
 * committed. */
static void
sweep(struct loop_timer *timer)
{
	struct state *state = CONTAINER_OF(timer, struct state, sweep_timer);
	uint64_t pause = state->child->settings->state_expire_interval_ms;
	struct err err;

	if (state->has_transaction)
		end_transaction(state);
	begin_round(state);
	switch (sweep_step(state, &err)) {
	case LOOKUP_FOUND:
		pause = SWEEP_STEP_PAUSE_MS;
		break;
	case LOOKUP_NONE:
		break;
	case LOOKUP_ERROR:
		log_error("%s", err_log_text(&err));
		end_if_broken(state);
		break;
	}
	tell_counters_soon(state);
	loop_timer(state->loop, timer, loop_now_ms(state->loop) + pause);
}

static enum lookup
open_dict(struct state *state, struct dict **dict_out, struct err *err)
{
	struct dict_bdb_options options = {
		.folder = arena_format(state->child->arena, "%s/env",
			state->child->settings->state_dir)};

	return dict_open_bdb(&options, dict_out, err);
}

static enum lookup
open_dict_in_time(struct state *state, struct err *err)
{
	uint64_t until_ms = clock_monotonic_ms() + IN_USE_WAIT_MS;
	enum lookup found;

	while ((found = open_dict(state, &state->dict, err)) == LOOKUP_NONE &&
		clock_monotonic_ms() < until_ms)
		(void)!poll(NULL, 0, IN_USE_PAUSE_MS);
	return found;
}

/* What was remembered without the disk goes there. */
static bool
move_to(struct state *state, struct dict *dict)
{
	struct err err;

	if (ledger_move(state->ledger, dict, &err) < 0) {
		log_error("%s", err_log_text(&err));
		dict_close(&dict);
		return false;
	}
	if (marks_move(state->marks, dict, &err) < 0) {
		log_error("%s", err_log_text(&err));
		end(state, STATE_EXIT_BROKEN);
	}
	dict_close(&state->dict);
	state->dict = dict;
	state->is_on_disk = true;
	log_info("Deliveries are remembered on disk again");
	return true;
}

static void
reopen(struct loop_timer *timer)
{
	struct state *state = CONTAINER_OF(timer, struct state, reopen_timer);
	struct dict *dict;
	struct err err;

	if (state->has_transaction)
		end_transaction(state);
	begin_round(state);
	if (open_dict(state, &dict, &err) == LOOKUP_FOUND &&
		move_to(state, dict))
		return;
	loop_timer(
		state->loop, timer, loop_now_ms(state->loop) + REOPEN_PAUSE_MS);
}

static void
is_well(struct loop_timer *timer)
{
	dict_is_well(CONTAINER_OF(timer, struct state, well_timer)->dict);
}

/* Without a place on disk the memory is this process': mail goes on. */
static void
go_without(struct state *state, const struct err *err)
{
	state->dict = dict_open_memory();
	if (state->child->boot.is_single) {
		log_debug("Deliveries are remembered until the end only: %s",
			err_log_text(err));
		return;
	}
	log_error("Deliveries are remembered until the next restart only, "
		  "or until the disk takes them, which is tried each %d "
		  "seconds: %s",
		REOPEN_PAUSE_MS / 1000, err_log_text(err));
	loop_timer(state->loop, &state->reopen_timer,
		clock_monotonic_ms() + REOPEN_PAUSE_MS);
}

static int
open_data_base(struct state *state)
{
	struct ledger_limits limits = ledger_limits_default;
	struct err err;

	limits.lifetime_s =
		state->child->settings->lmtp_unconfirmed_time_ms / 1000;
	switch (open_dict_in_time(state, &err)) {
	case LOOKUP_FOUND:
		state->is_on_disk = true;
		break;
	case LOOKUP_NONE:
		log_error("%s is used by another server",
			state->child->settings->state_dir);
		return STATE_EXIT_IN_USE;
	case LOOKUP_ERROR:
		go_without(state, &err);
		break;
	}
	if (ledger_open(state->dict, &limits, &state->ledger, &err) == 0 &&
		marks_open(state->dict, &marks_limits_default, &state->marks,
			&err) == 0)
		return 0;
	log_error("%s", err_log_text(&err));
	return STATE_EXIT_BROKEN;
}

/* ---- the whole ---- */

/* One descriptor for each client. */
static size_t
raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 1;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0 ||
		limit.rlim_cur <= DESCRIPTORS_KEPT * 2)
		return DESCRIPTORS_KEPT;
	return limit.rlim_cur - DESCRIPTORS_KEPT < CLIENTS_MAX
	               ? limit.rlim_cur - DESCRIPTORS_KEPT
	               : CLIENTS_MAX;
}

static void
prepare(struct state *state, struct child *child)
{
	memset(state, 0, sizeof(*state));
	state->child = child;
	state->round = arena_open();
	/* Something of it stays, so that its memory is not asked for each time. */
	arena_alloc(state->round, 1);
	state->round_begin = arena_mark(state->round);
	begin_round(state);
	state->clients_max = raise_descriptors();
	state->master = (struct loop_watch){-1, 0, master_ready};
	state->sweep_timer.fire = sweep;
	state->counters_timer.fire = tell_counters;
	state->reopen_timer.fire = reopen;
	state->well_timer.fire = is_well;
	state->drain_timer.fire = drain_is_over;
	state->finish_timer.fire = finish_is_due;
}

static int
begin(struct state *state)
{
	uint64_t now = clock_monotonic_ms();
	struct frame ready;
	struct err err;
	int fd = state->child->master.fd;

	counts_stamp(state->stamp);
	state->remote =
		rediscounts_open(state->child->arena, state->child->settings);
	/* Before the thread that watches the data base. */
	if (confine(state->child, NULL, 0, &err) < 0) {
		log_error("%s", err_log_text(&err));
		return EXIT_FAILURE;
	}
	if (loop_open(&state->loop) < 0) {
		log_error("epoll: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	state->doors.came = take_client;
	doors_open(&state->doors, state->loop);
	rediscounts_begin(state->remote, state->loop);
	state->status = open_data_base(state);
	if (state->status != 0)
		return state->status;
	channel_open(&state->child->master, fd, false);
	if (loop_watch(state->loop, &state->master, fd, LOOP_READ) < 0) {
		log_error("epoll_ctl: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	loop_after_round(state->loop, after_round, state);
	loop_timer(state->loop, &state->sweep_timer, now + SWEEP_STEP_PAUSE_MS);
	loop_timer(state->loop, &state->well_timer, now + WELL_AFTER_MS);
	if (wishes_load(state->dict, state->round, tell_wish, state, &err) < 0)
		log_error("the admin's wishes cannot be read: %s",
			err_log_text(&err));
	confine_ready(state->child, &ready);
	tell_master(state, &ready);
	return 0;
}

static void
close_all(struct state *state)
{
	if (state->has_transaction)
		end_transaction(state);
	while (state->peers != NULL)
		close_peer(state->peers);
	rediscounts_close(state->remote);
	if (state->loop != NULL) {
		doors_close(&state->doors);
		loop_unwatch(state->loop, &state->master);
	}
	marks_close(&state->marks);
	ledger_close(&state->ledger);
	dict_close(&state->dict);
	loop_close(&state->loop);
	arena_close(&state->round);
}

int
state_main(struct child *child)
{
	struct state state;

	prepare(&state, child);
	if (begin(&state) == 0)
		loop_run(state.loop);
	else if (state.status == 0)
		state.status = EXIT_FAILURE;
	close_all(&state);
	return state.status;
}
