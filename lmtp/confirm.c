/* SPDX-License-Identifier: MIT */
#include "lmtp/confirm.h"

#include "base/attributes.h"
#include "base/log.h"
#include "base/memory.h"

#include "base/banned.h"

/* One request. */
struct confirmation {
	struct table_entry entry;
	struct confirmation *older, *newer;
	struct confirm *confirm;
	struct confirm_client *client; /* NULL: nobody waits */
	struct confirmation *next;     /* of the same client */
	struct loop_timer patience;
	size_t count;
	struct wire_handle handles[];
};

/* ---- who waits ---- */

static void
stop_waiting(struct confirmation *confirmation)
{
	struct confirm_client *client = confirmation->client;
	struct confirmation **at;

	loop_timer_stop(confirmation->confirm->loop, &confirmation->patience);
	if (client == NULL)
		return;
	confirmation->client = NULL;
	for (at = &client->waiting; *at != confirmation; at = &(*at)->next)
		continue;
	*at = confirmation->next;
	if (client->waiting != NULL)
		return;
	client->is_done = true;
	confirmation->confirm->wake(client);
}

static void
on_impatience(struct loop_timer *timer)
{
	struct confirmation *confirmation =
		CONTAINER_OF(timer, struct confirmation, patience);
	struct confirm *confirm = confirmation->confirm;
	uint64_t now = loop_now_ms(confirm->loop);

	if (now >= confirm->silent_until_ms) {
		confirm->silent_until_ms = now + CONFIRM_LOG_MS;
		log_warning("state does not answer: a message that is sent "
			    "again on purpose may be taken for a repetition");
	}
	stop_waiting(confirmation);
}

void
confirm_forget(struct confirm_client *client)
{
	while (client->waiting != NULL) {
		struct confirmation *confirmation = client->waiting;

		client->waiting = confirmation->next;
		confirmation->client = NULL;
		loop_timer_stop(
			confirmation->confirm->loop, &confirmation->patience);
	}
	client->is_done = false;
}

/* ---- the queue ---- */

static void
append(struct confirm *confirm, struct confirmation *confirmation)
{
	confirmation->older = confirm->last;
	if (confirm->last != NULL)
		confirm->last->newer = confirmation;
	else
		confirm->first = confirmation;
	confirm->last = confirmation;
	confirm->handles += confirmation->count;
	table_add(&confirm->requests, &confirmation->entry,
		++confirm->last_request);
}

static void
finish(struct confirmation *confirmation)
{
	struct confirm *confirm = confirmation->confirm;

	stop_waiting(confirmation);
	table_remove(&confirm->requests, &confirmation->entry);
	if (confirmation->older != NULL)
		confirmation->older->newer = confirmation->newer;
	else
		confirm->first = confirmation->newer;
	if (confirmation->newer != NULL)
		confirmation->newer->older = confirmation->older;
	else
		confirm->last = confirmation->older;
	confirm->handles -= confirmation->count;
	memory_free(confirmation);
}

static void
send(struct confirm *confirm, struct confirmation *confirmation)
{
	struct frame frame;
	struct wire_confirm message = {.request = confirmation->entry.number,
		.handles = confirmation->handles,
		.count = confirmation->count};

	if (!link_is_open(&confirm->state))
		return;
	frame_begin(&frame, WIRE_CONFIRM);
	wire_confirm(&frame, &message);
	link_send(&confirm->state, &frame);
}

static void
begin_part(struct confirm *confirm, struct confirm_client *client,
	const struct wire_handle *handles, size_t count)
{
	struct confirmation *confirmation =
		memory_get(sizeof(*confirmation) +
			   memory_product(count, sizeof(*handles)));

	confirmation->confirm = confirm;
	confirmation->client = client;
	confirmation->next = client->waiting;
	client->waiting = confirmation;
	confirmation->count = count;
	memcpy(confirmation->handles, handles, count * sizeof(*handles));
	append(confirm, confirmation);
	confirmation->patience.fire = on_impatience;
	loop_timer(confirm->loop, &confirmation->patience,
		loop_now_ms(confirm->loop) + CONFIRM_WAIT_MS);
	send(confirm, confirmation);
}

void
confirm_begin(struct confirm *confirm, struct confirm_client *client,
	const struct wire_handle *handles, size_t count)
{
	size_t at, part;

	for (at = 0; at < count; at += part) {
		part = count - at;
		if (part > CONFIRM_FRAME_HANDLES)
			part = CONFIRM_FRAME_HANDLES;
		begin_part(confirm, client, handles + at, part);
	}
	while (confirm->handles > CONFIRM_HANDLES_MAX)
		finish(confirm->first);
	if (client->waiting == NULL) {
		client->is_done = true;
		confirm->wake(client);
	}
}

/* ---- state ---- */

static bool
on_received(struct link *link, struct frame *frame)
{
	struct confirm *confirm = CONTAINER_OF(link, struct confirm, state);
	struct wire_confirmed answer = {0};
	struct table_entry *entry;

	if (frame->type != WIRE_CONFIRMED)
		return false;
	wire_confirmed(frame, &answer);
	if (!frame_is_whole(frame))
		return false;
	/* A request that was sent twice is answered twice. */
	entry = table_find(&confirm->requests, answer.request);
	if (entry != NULL)
		finish(CONTAINER_OF(entry, struct confirmation, entry));
	return true;
}

/* Master sends a link to its successor. */
static void
on_broken(struct link *link)
{
	link_close(link);
}

void
confirm_link(struct confirm *confirm, int fd)
{
	struct confirmation *confirmation;
	struct channel channel;

	link_close(&confirm->state);
	confirm->state.received = on_received;
	confirm->state.broken = on_broken;
	channel_open(&channel, fd, false);
	link_open(&confirm->state, confirm->loop, confirm->arena, &channel);
	for (confirmation = confirm->first; confirmation != NULL;
		confirmation = confirmation->newer)
		send(confirm, confirmation);
}

void
confirm_open(struct confirm *confirm)
{
	confirm->state = (struct link){0};
}

void
confirm_close(struct confirm *confirm)
{
	while (confirm->first != NULL)
		finish(confirm->first);
	table_clear(&confirm->requests);
	link_close(&confirm->state);
}
