/* transaction - a client's transaction, and its recipients of other hosts
 *
 * From the front's MAIL to its END.  The recipients of one backend share a part,
 * which is an errand there.  Every RCPT gets one answer, and every recipient that
 * was accepted gets a further one after DATA: what the backend has said, or that
 * it could not be asked.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef PROXY_TRANSACTION_H
#define PROXY_TRANSACTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/table.h"
#include "ipc/frame.h"
#include "ipc/link.h"
#include "conf/settings.h"
#include "server/proxywire.h"
#include "proxy/backend.h"
#include "proxy/memory.h"
#include "proxy/places.h"

struct transactions {
	struct loop *loop;
	const struct settings *settings;
	struct places *places;
	struct link *front; /* answers go there */
	struct memory *memory;

	struct table table;   /* struct transaction */
	struct list routes;   /* struct known_route, the oldest first */
	struct table tickets; /* the same */
	struct table waiting; /* struct recipient, whose route is not known */
	struct loop_timer forgetting;
	uint64_t delivered, temporary, failed; /* recipients */
	uint64_t refused;                      /* at RCPT */
};

void transactions_open(struct transactions *transactions);
/* All end; nobody is told. */
void transactions_close(struct transactions *transactions);

/* Frames of master (ROUTE) and of the front; false: it makes no sense. */
bool transactions_route(struct transactions *transactions, struct frame *frame);
bool transactions_received(
	struct transactions *transactions, struct frame *frame);

#endif
