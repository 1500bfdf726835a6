/* confirm - tell state that clients have read their replies
 *
 * What is not confirmed stays remembered for a day; that harms nobody, so nothing
 * here is ever lost by waiting: a client goes on after CONFIRM_WAIT_MS, and what
 * was not answered is sent again when state is back.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LMTP_CONFIRM_H
#define LMTP_CONFIRM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/loop.h"
#include "base/table.h"
#include "ipc/link.h"
#include "server/wire.h"

enum {
	CONFIRM_WAIT_MS = 5000,
	CONFIRM_LOG_MS = 60 * 1000, /* between two complaints */
	CONFIRM_FRAME_HANDLES = 1024,
	/* Handles that wait for an answer; the oldest are dropped. */
	CONFIRM_HANDLES_MAX = 64 * 1024
};

struct confirmation;

/* Embedded in whoever waits. */
struct confirm_client {
	struct confirmation *waiting;
	bool is_done; /* reset by whoever reads it */
};

struct confirm {
	struct loop *loop;
	struct arena *arena; /* of received frames */
	/* is_done was set. */
	void (*wake)(struct confirm_client *client);

	struct link state;
	uint64_t last_request;
	struct table requests;
	struct confirmation *first, *last; /* by age */
	size_t handles;
	uint64_t silent_until_ms;
};

/* What stands before `state` is set already. */
void confirm_open(struct confirm *confirm);
void confirm_close(struct confirm *confirm);

/* A new connection to state; what is not answered goes there again. */
void confirm_link(struct confirm *confirm, int fd);

void confirm_begin(struct confirm *confirm, struct confirm_client *client,
	const struct wire_handle *handles, size_t count);
/* The client waits no more; what it asked for goes on. */
void confirm_forget(struct confirm_client *client);

#endif
