/* link - a channel to another process, in the event loop
 *
 * Frames that come are handed to received(), at most some in each round.  When the
 * channel breaks, or what came makes no sense, broken() is called once, from the
 * loop and never from within a call of ours; the owner closes the link then.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef IPC_LINK_H
#define IPC_LINK_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/loop.h"
#include "ipc/channel.h"
#include "ipc/frame.h"

struct link {
	struct loop *loop;
	struct arena *arena; /* of received frames; emptied after each */
	struct channel channel;
	struct loop_watch watch;
	struct loop_timer failure; /* broken() is due */
	/* False: the frame makes no sense, the link is broken.  The frame is
	 * closed by the link.  It may close the link. */
	bool (*received)(struct link *link, struct frame *frame);
	void (*broken)(struct link *link);
};

/* Takes the channel over, with what is queued in it; `received` and `broken` are
 * set already. */
void link_open(struct link *link, struct loop *loop, struct arena *arena,
	struct channel *channel);
void link_close(struct link *link);
/* The channel is the caller's again. */
void link_detach(struct link *link, struct channel *channel_out);
static inline bool
link_is_open(const struct link *link)
{
	return link->loop != NULL;
}

/* Sends or queues, and closes the frame; trouble comes back as broken(). */
void link_send(struct link *link, struct frame *frame);

#endif
