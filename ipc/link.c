/* SPDX-License-Identifier: MIT */
#include "ipc/link.h"

#include <stddef.h>

#include "base/attributes.h"
#include "base/log.h"

#include "base/banned.h"

enum {
	FRAMES_PER_ROUND = 64, /* others want their turn, too */
	LAST_FRAMES_MAX = 4096 /* read from a peer that has gone */
};

static void
fail(struct link *link)
{
	loop_unwatch(link->loop, &link->watch);
	loop_timer(link->loop, &link->failure, 0);
}

static void
watch_for_more(struct link *link)
{
	loop_watch_for(link->loop, &link->watch,
		channel_is_waiting(&link->channel) ? LOOP_READ | LOOP_WRITE
						   : LOOP_READ);
}

/* NONE: nothing more, or the link was closed. */
static enum lookup
receive(struct link *link)
{
	struct arena *arena = link->arena;
	struct arena_mark mark = arena_mark(arena);
	struct frame frame;
	struct err err;
	enum lookup found =
		channel_receive(&link->channel, arena, &frame, &err);

	if (found != LOOKUP_FOUND)
		return found;
	if (!link->received(link, &frame)) {
		log_error("a message of kind %u makes no sense", frame.type);
		found = LOOKUP_ERROR;
	}
	frame_close(&frame);
	arena_release(arena, mark);
	return link_is_open(link) ? found : LOOKUP_NONE;
}

static void
receive_some(struct link *link)
{
	enum lookup found = LOOKUP_FOUND;
	size_t i;

	for (i = 0; i < FRAMES_PER_ROUND && found == LOOKUP_FOUND; i++)
		found = receive(link);
	if (found == LOOKUP_ERROR)
		fail(link);
}

static void
on_ready(struct loop_watch *watch, unsigned events)
{
	struct link *link = CONTAINER_OF(watch, struct link, watch);
	struct err err;

	if ((events & LOOP_WRITE) != 0 &&
		channel_flush(&link->channel, &err) < 0) {
		fail(link);
		return;
	}
	if ((events & (LOOP_READ | LOOP_HANGUP)) != 0)
		receive_some(link);
	if (link_is_open(link))
		watch_for_more(link);
}

/* Sending may have failed when the other end had gone; what it said before that
 * still counts. */
static void
on_failure(struct loop_timer *timer)
{
	struct link *link = CONTAINER_OF(timer, struct link, failure);
	size_t i;

	for (i = 0; i < LAST_FRAMES_MAX; i++)
		if (receive(link) != LOOKUP_FOUND)
			break;
	if (link_is_open(link))
		link->broken(link);
}

void
link_open(struct link *link, struct loop *loop, struct arena *arena,
	struct channel *channel)
{
	link->loop = loop;
	link->arena = arena;
	link->channel = *channel;
	*channel = (struct channel){.fd = -1};
	link->watch = (struct loop_watch){.fd = -1, .ready = on_ready};
	link->failure = (struct loop_timer){.fire = on_failure};
	if (loop_watch(loop, &link->watch, link->channel.fd, LOOP_READ) < 0)
		fail(link);
	watch_for_more(link);
}

void
link_detach(struct link *link, struct channel *channel_out)
{
	loop_unwatch(link->loop, &link->watch);
	loop_timer_stop(link->loop, &link->failure);
	*channel_out = link->channel;
	link->loop = NULL;
}

void
link_close(struct link *link)
{
	struct channel channel;

	if (!link_is_open(link))
		return;
	link_detach(link, &channel);
	channel_close(&channel);
}

void
link_send(struct link *link, struct frame *frame)
{
	struct err err;

	if (!link_is_open(link)) {
		frame_close(frame);
		return;
	}
	if (channel_send(&link->channel, frame, &err) < 0)
		fail(link);
	else
		watch_for_more(link);
}
