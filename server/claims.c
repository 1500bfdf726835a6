/* SPDX-License-Identifier: MIT */
#include "server/claims.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"

#include "base/banned.h"

enum {
	/* Bytes of an item in its frame beside the value. */
	CLAIM_ITEM_BYTES = 32 + 16 + 4,
	FINISH_ITEM_BYTES = 32 + 4,
	COUNT_BYTES = 4
};

/* One call. */
struct call {
	struct claims *claims;
	struct arena *arena;
	enum wire_type type;
	uint64_t until_ms;
	bool is_lost; /* state has gone, rather than being slow or wrong */
};

void
claims_init(struct claims *claims, const char *path)
{
	memset(claims, 0, sizeof(*claims));
	claims->path = path;
	claims->channel.fd = -1;
	claims->timeout_ms = CLAIMS_TIMEOUT_MS;
}

void
claims_clear(struct claims *claims)
{
	channel_close(&claims->channel);
	claims->held = 0;
	claims->sent = NULL;
}

/* ---- the connection ---- */

/* Sending waits as long as receiving. */
static void
limit_sending(const struct claims *claims, int fd)
{
	struct timeval limit = {.tv_sec = (time_t)(claims->timeout_ms / 1000),
		.tv_usec = (suseconds_t)(claims->timeout_ms % 1000) * 1000};

	/* Without it a send may wait longer; nothing worse. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return;
}

static int
connect_once(struct claims *claims, struct err *err)
{
	int fd;

	if (channel_is_open(&claims->channel))
		return 0;
	fd = channel_connect(claims->path);
	if (fd < 0 && errno == ENOENT)
		return err_temp(err, "4.3.0",
			"%s is not there; doorstep reload makes it anew",
			claims->path);
	if (fd < 0)
		return err_temp_errno(err, "4.3.0", "%s", claims->path);
	limit_sending(claims, fd);
	channel_open(&claims->channel, fd, true);
	return 0;
}

static int
send_frame(struct call *call, struct frame *frame, struct err *err)
{
	if (connect_once(call->claims, err) == 0 &&
		channel_send(&call->claims->channel, frame, err) == 0)
		return 0;
	frame_close(frame);
	call->is_lost = true;
	return -1;
}

static int
receive_answer(struct call *call, size_t count,
	struct wire_claimed *claimed_out, struct err *err)
{
	struct claims *claims = call->claims;
	struct frame frame;
	bool is_right;

	if (!channel_wait(&claims->channel, call->until_ms))
		return err_temp(
			err, "4.3.0", "%s: no answer in time", claims->path);
	if (channel_receive(&claims->channel, call->arena, &frame, err) !=
		LOOKUP_FOUND) {
		call->is_lost = true;
		return -1;
	}
	is_right = frame.type == WIRE_CLAIMED;
	if (is_right) {
		wire_claimed(&frame, claimed_out);
		is_right = frame_is_whole(&frame) &&
		           claimed_out->request == claims->request &&
		           claimed_out->count == count;
	}
	frame_close(&frame);
	return is_right ? 0
	                : err_temp(err, "4.3.0", "%s: a wrong answer",
				  claims->path);
}

/* ---- asking ---- */

static bool
is_too_long(const struct claim *claim)
{
	return claim->value.len > CLAIM_VALUE_MAX;
}

/* As many items as fit into a frame, without those that state need not see;
 * result: how many items that passes. */
static size_t
fill_frame(const struct call *call, const struct claim *items, size_t count,
	struct wire_claim *claim_out)
{
	struct frame empty;
	size_t room, i;

	frame_begin(&empty, call->type);
	room = frame_room(&empty) - sizeof(uint64_t) - COUNT_BYTES;
	frame_close(&empty);
	claim_out->items =
		ARENA_ARRAY(call->arena, struct wire_claim_item, count);
	claim_out->count = 0;
	for (i = 0; i < count; i++) {
		size_t bytes = CLAIM_ITEM_BYTES + items[i].value.len;
		struct wire_claim_item *item;

		if (is_too_long(&items[i]))
			continue;
		if (bytes > room)
			break;
		room -= bytes;
		item = &claim_out->items[claim_out->count++];
		memcpy(item->key, items[i].key, sizeof(item->key));
		memcpy(item->secret, items[i].secret, sizeof(item->secret));
		item->value = items[i].value;
	}
	return i;
}

static void
take_answer(struct call *call, struct claim *claim,
	const struct wire_claimed_item *answer)
{
	claim->state = answer->state;
	claim->outcome = answer->outcome;
	claim->found = answer->value;
	if (answer->state == WIRE_CLAIM_FINISHED)
		memcpy(claim->secret, answer->secret, sizeof(claim->secret));
	/* What is claimed again was held before. */
	if (call->type == WIRE_CLAIM &&
		(answer->state == WIRE_CLAIM_GRANTED ||
			answer->state == WIRE_CLAIM_BROKEN))
		call->claims->held++;
}

static void
take_answers(struct call *call, struct claim *items, size_t count,
	const struct wire_claimed *claimed)
{
	size_t next = 0, i;

	for (i = 0; i < count; i++) {
		/* What was too long to be asked has no answer. */
		if (is_too_long(&items[i]) || next == claimed->count)
			items[i].state = WIRE_CLAIM_UNABLE;
		else
			take_answer(call, &items[i], &claimed->items[next++]);
	}
}

static int
send_question(
	struct call *call, const struct wire_claim *claim, struct err *err)
{
	struct wire_claim sent = *claim;
	struct frame frame;

	sent.request = ++call->claims->request;
	frame_begin(&frame, call->type);
	wire_claim(&frame, &sent);
	return send_frame(call, &frame, err);
}

static int
ask_frame(struct call *call, const struct wire_claim *claim,
	struct wire_claimed *claimed_out, struct err *err)
{
	if (send_question(call, claim, err) < 0)
		return -1;
	return receive_answer(call, claim->count, claimed_out, err);
}

static int
ask_all(struct call *call, struct claim *items, size_t count, struct err *err)
{
	size_t first, passed;

	for (first = 0; first < count; first += passed) {
		struct wire_claim claim;
		struct wire_claimed claimed = {0};

		passed = fill_frame(call, items + first, count - first, &claim);
		if (claim.count > 0 &&
			ask_frame(call, &claim, &claimed, err) < 0)
			return -1;
		take_answers(call, items + first, passed, &claimed);
	}
	return 0;
}

static struct call
begin_call(struct claims *claims, struct arena *arena, enum wire_type type)
{
	return (struct call){claims, arena, type,
		clock_monotonic_ms() + claims->timeout_ms, false};
}

void
claims_send(struct claims *claims, struct arena *arena,
	const struct claim *items, size_t count)
{
	struct call call = begin_call(claims, arena, WIRE_CLAIM);
	struct wire_claim claim;
	struct err err;

	if (fill_frame(&call, items, count, &claim) < count || claim.count == 0)
		return;
	if (send_question(&call, &claim, &err) < 0) {
		/* What was held is lost; the question is put again. */
		if (claims->held == 0)
			claims_clear(claims);
		return;
	}
	claims->sent = items;
	claims->sent_count = claim.count;
}

/* The answer to what claims_send() has asked. */
static int
take_sent(struct call *call, struct claim *items, size_t count, struct err *err)
{
	struct wire_claimed claimed = {0};

	call->claims->sent = NULL;
	if (receive_answer(call, call->claims->sent_count, &claimed, err) < 0)
		return -1;
	take_answers(call, items, count, &claimed);
	return 0;
}

static int
ask_or_take(
	struct call *call, struct claim *items, size_t count, struct err *err)
{
	if (call->claims->sent == items)
		return take_sent(call, items, count, err);
	return ask_all(call, items, count, err);
}

/* State may have been started anew since the last question: then the connection
 * is an old one.  That is nothing where nothing was held by it. */
int
claims_ask(struct claims *claims, struct arena *arena, struct claim *items,
	size_t count, struct err *err)
{
	struct call call = begin_call(claims, arena, WIRE_CLAIM);
	bool may_retry = claims->held == 0;

	if (ask_or_take(&call, items, count, err) == 0)
		return 0;
	claims_clear(claims);
	if (call.is_lost && may_retry && clock_monotonic_ms() < call.until_ms) {
		if (ask_all(&call, items, count, err) == 0)
			return 0;
		claims_clear(claims);
	}
	return -1;
}

int
claims_again(struct claims *claims, struct arena *arena, struct claim *items,
	size_t count, struct err *err)
{
	struct call call = begin_call(claims, arena, WIRE_RECLAIM);

	if (ask_all(&call, items, count, err) == 0)
		return 0;
	claims_clear(claims);
	return -1;
}

/* ---- finishing ---- */

static int
finish_frame(struct call *call, const struct wire_finish_item *items,
	size_t count, struct err *err)
{
	struct wire_finish finish = {
		(struct wire_finish_item *)(uintptr_t)items, count};
	struct frame frame;

	frame_begin(&frame, call->type);
	wire_finish(&frame, &finish);
	return send_frame(call, &frame, err);
}

int
claims_finish(struct claims *claims, const struct wire_finish_item *items,
	size_t count, struct err *err)
{
	struct call call = begin_call(claims, NULL, WIRE_FINISH);
	const size_t most =
		(FRAME_MAX - FRAME_HEAD - COUNT_BYTES) / FINISH_ITEM_BYTES;
	size_t first, some;

	if (count > 0 && !channel_is_open(&claims->channel))
		return err_temp(err, "4.3.0", "%s: the connection was lost",
			claims->path);
	for (first = 0; first < count; first += some) {
		some = count - first < most ? count - first : most;
		if (finish_frame(&call, items + first, some, err) < 0) {
			claims_clear(claims);
			return -1;
		}
	}
	claims->held -= count < claims->held ? count : claims->held;
	return 0;
}
