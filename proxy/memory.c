/* SPDX-License-Identifier: MIT */
#include "proxy/memory.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/attributes.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/memory.h"
#include "ipc/channel.h"

#include "base/banned.h"

enum {
	READ_BYTES = 64 * 1024,
	TOLD_MS = 60 * 1000 /* that it is unable is told once in a while */
};

/* ---- keys ---- */

int
memory_digest(const struct body *body, unsigned char digest[32])
{
	struct digest sum;
	unsigned char result[DIGEST_MAX];
	char bytes[READ_BYTES];
	uint64_t at = 0;
	ssize_t got;

	digest_init(&sum, DIGEST_SHA256);
	while ((got = body_read(body, bytes, sizeof(bytes), at)) > 0) {
		digest_add(&sum, str_of(bytes, (size_t)got));
		at += (uint64_t)got;
	}
	digest_end(&sum, result);
	memcpy(digest, result, 32);
	return got < 0 ? -1 : 0;
}

static void
add_text(struct digest *sum, struct str text)
{
	uint64_t length = text.len;

	digest_add(sum, str_of((const char *)&length, sizeof(length)));
	digest_add(sum, text);
}

void
memory_make_key(const struct memory_key *from, unsigned char key[32])
{
	struct digest sum;
	unsigned char result[DIGEST_MAX];

	digest_init(&sum, DIGEST_SHA256);
	add_text(&sum, STR("proxy"));
	add_text(&sum, from->sender);
	add_text(&sum, from->recipient);
	add_text(&sum, from->orcpt);
	digest_add(&sum, str_of((const char *)from->body, sizeof(from->body)));
	digest_end(&sum, result);
	memcpy(key, result, 32);
}

/* ---- answers ---- */

/* What state was asked, which answers also when nobody waits any more. */
struct question {
	struct table_entry entry;
	struct memory *memory;
	struct memory_ask *ask; /* NULL: given up */
	struct loop_timer timer;
	size_t count;
	struct wire_claim_item items[];
};

static void
tell_unable(struct memory *memory, const char *why)
{
	uint64_t now = loop_now_ms(memory->loop);

	if (memory->told_ms != 0 && now - memory->told_ms < TOLD_MS)
		return;
	memory->told_ms = now;
	log_warning(
		"deliveries cannot be remembered at present (%s): a message "
		"whose reply is lost may be passed on twice",
		why);
}

/* Result: who waits. */
static struct memory_ask *
question_close(struct question *question)
{
	struct memory_ask *ask = question->ask;

	table_remove(&question->memory->asks, &question->entry);
	loop_timer_stop(question->memory->loop, &question->timer);
	memory_free(question);
	if (ask != NULL)
		ask->question = NULL;
	return ask;
}

static void
cannot(struct question *question, const char *why)
{
	struct memory_ask *ask;
	size_t i;

	tell_unable(question->memory, why);
	ask = question_close(question);
	if (ask == NULL)
		return;
	for (i = 0; i < ask->count; i++)
		ask->items[i].state = WIRE_CLAIM_UNABLE;
	ask->over(ask);
}

static struct question *
question_of(struct table_entry *entry)
{
	return CONTAINER_OF(entry, struct question, entry);
}

static void
cannot_all(struct memory *memory, const char *why)
{
	size_t i;

	for (i = 0; i < memory->asks.size; i++)
		while (memory->asks.chains[i] != NULL)
			cannot(question_of(memory->asks.chains[i]), why);
}

/* A new connection holds nothing of the old one. */
static void
on_late(struct loop_timer *timer)
{
	struct question *question = CONTAINER_OF(timer, struct question, timer);
	struct memory *memory = question->memory;

	if (link_is_open(&memory->link))
		link_close(&memory->link);
	cannot_all(memory, "no answer");
}

static void
on_broken(struct link *link)
{
	struct memory *memory = CONTAINER_OF(link, struct memory, link);

	link_close(link);
	cannot_all(memory, "connection lost");
}

/* What is ours now is nobody's. */
static void
give_back(struct question *question, const struct wire_claimed *claimed)
{
	size_t i;

	for (i = 0; i < claimed->count; i++)
		if (claimed->items[i].state == WIRE_CLAIM_GRANTED ||
			claimed->items[i].state == WIRE_CLAIM_BROKEN)
			memory_finish(question->memory, question->items[i].key,
				WIRE_FAILED);
}

static void
take_answers(struct question *question, const struct wire_claimed *claimed)
{
	struct memory *memory = question->memory;
	struct memory_ask *ask;
	size_t i;

	if (question->ask == NULL)
		give_back(question, claimed);
	ask = question_close(question);
	if (ask == NULL)
		return;
	for (i = 0; i < ask->count; i++) {
		struct memory_item *item = &ask->items[i];

		item->state = i < claimed->count ? claimed->items[i].state
		                                 : WIRE_CLAIM_UNABLE;
		if (item->state == WIRE_CLAIM_FINISHED)
			memcpy(item->secret, claimed->items[i].secret,
				sizeof(item->secret));
		if (item->state == WIRE_CLAIM_UNABLE)
			tell_unable(memory, "state cannot write");
	}
	ask->over(ask);
}

static bool
on_received(struct link *link, struct frame *frame)
{
	struct memory *memory = CONTAINER_OF(link, struct memory, link);
	struct wire_claimed claimed = {0};
	struct table_entry *entry;

	if (frame->type != WIRE_CLAIMED)
		return false;
	wire_claimed(frame, &claimed);
	if (!frame_is_whole(frame))
		return false;
	entry = table_find(&memory->asks, claimed.request);
	if (entry == NULL || claimed.count != question_of(entry)->count)
		return false;
	take_answers(question_of(entry), &claimed);
	return true;
}

/* ---- asking ---- */

static bool
is_connected(struct memory *memory)
{
	struct channel channel;
	int fd;

	if (link_is_open(&memory->link))
		return true;
	fd = channel_connect(memory->path);
	if (fd < 0)
		return false;
	memory->link.received = on_received;
	memory->link.broken = on_broken;
	channel_open(&channel, fd, false);
	link_open(&memory->link, memory->loop, memory->arena, &channel);
	return true;
}

static void
send_claim(struct question *question)
{
	struct wire_claim claim = {.request = question->entry.number,
		.items = question->items,
		.count = question->count};
	struct frame frame;

	frame_begin(&frame, WIRE_CLAIM);
	wire_claim(&frame, &claim);
	link_send(&question->memory->link, &frame);
}

static struct question *
question_open(struct memory *memory, struct memory_ask *ask)
{
	size_t count =
		ask->count < MEMORY_ITEMS_MAX ? ask->count : MEMORY_ITEMS_MAX;
	struct question *question = memory_get(
		sizeof(*question) + count * sizeof(*question->items));
	size_t i;

	question->memory = memory;
	question->ask = ask;
	question->timer.fire = on_late;
	question->count = count;
	for (i = 0; i < count; i++) {
		struct wire_claim_item *item = &question->items[i];

		memcpy(item->key, ask->items[i].key, sizeof(item->key));
		memcpy(item->secret, ask->items[i].secret,
			sizeof(item->secret));
		item->value = STR_EMPTY;
	}
	table_add(&memory->asks, &question->entry, ++memory->last_request);
	return question;
}

void
memory_ask(struct memory *memory, struct memory_ask *ask)
{
	uint64_t now = loop_now_ms(memory->loop);
	bool is_possible = is_connected(memory);
	size_t i;

	for (i = 0; i < ask->count; i++)
		clock_random(
			ask->items[i].secret, sizeof(ask->items[i].secret));
	ask->question = question_open(memory, ask);
	loop_timer(memory->loop, &ask->question->timer,
		is_possible ? now + MEMORY_WAIT_MS : now);
	if (is_possible)
		send_claim(ask->question);
}

void
memory_ask_end(struct memory_ask *ask)
{
	if (ask->question == NULL)
		return;
	ask->question->ask = NULL;
	ask->question = NULL;
}

void
memory_finish(struct memory *memory, const unsigned char key[32],
	enum wire_outcome outcome)
{
	struct wire_finish_item item = {.outcome = outcome};
	struct wire_finish finish = {&item, 1};
	struct frame frame;

	/* It was held by that connection. */
	if (!link_is_open(&memory->link))
		return;
	memcpy(item.key, key, sizeof(item.key));
	frame_begin(&frame, WIRE_FINISH);
	wire_finish(&frame, &finish);
	link_send(&memory->link, &frame);
}

void
memory_open(struct memory *memory)
{
	memory->uid = (uint32_t)geteuid();
}

void
memory_close(struct memory *memory)
{
	size_t i;

	if (link_is_open(&memory->link))
		link_close(&memory->link);
	for (i = 0; i < memory->asks.size; i++)
		while (memory->asks.chains[i] != NULL)
			(void)question_close(
				question_of(memory->asks.chains[i]));
	table_clear(&memory->asks);
}
