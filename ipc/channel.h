/* channel - frames over a socket between two processes
 *
 * A SOCK_SEQPACKET socket: one packet is one frame, whole or not at all, with its
 * descriptors.  Two ways to use one:
 *
 *   blocking      a worker: channel_send() and channel_receive() wait
 *   event-driven  everybody else: neither waits; what the socket does not take
 *                 is queued and goes out by channel_flush()
 *
 * A peer that breaks the rules, or takes nothing any more, is as good as dead: the
 * channel then is closed by its owner.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef IPC_CHANNEL_H
#define IPC_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "ipc/frame.h"

/* Bytes that may wait in one channel for a peer; more is a peer that hangs. */
enum { CHANNEL_QUEUE_MAX = 64 * 1024 * 1024 };

struct channel_waiting;

struct channel {
	int fd; /* -1: closed */
	bool is_blocking;
	struct channel_waiting *first, *last;
	size_t waiting; /* bytes */
};

/* Both ends, close-on-exec, with room for some frames; -1 with errno. */
MUST_USE int channel_pair(int fds[2]);

/* A socket that listens at `path` (an old one is replaced) for channel_connect();
 * "@NAME" is a name without a file, which ends with who has it, and `mode` means
 * nothing there.  -1 with errno. */
MUST_USE int channel_listen(const char *path, unsigned mode);
MUST_USE int channel_connect(const char *path);

/* Takes the descriptor over and sets its blocking mode. */
void channel_open(struct channel *channel, int fd, bool is_blocking);
void channel_close(struct channel *channel);
static inline bool
channel_is_open(const struct channel *channel)
{
	return channel->fd >= 0;
}

/* Sends or queues; the frame is closed in any case.  Descriptors of a queued
 * frame are duplicated.  -1: the peer is gone, hangs, or the frame is too long. */
MUST_USE int channel_send(
	struct channel *channel, struct frame *frame, struct err *err);

/* Whether something is queued: then wait for the socket to take more. */
bool channel_is_waiting(const struct channel *channel);
MUST_USE int channel_flush(struct channel *channel, struct err *err);

/* The next frame.  FOUND: the caller closes it; its bytes live in the arena.
 * NONE: nothing there yet (blocking: never).  ERROR: closed by the peer, or what
 * came is no frame. */
MUST_USE enum lookup channel_receive(struct channel *channel,
	struct arena *arena, struct frame *frame, struct err *err);

/* Blocking use: whether a frame can be received before the time (clock_monotonic
 * in ms; 0 = do not wait).  A closed channel can "be received" from. */
bool channel_wait(const struct channel *channel, uint64_t until_ms);

#endif
