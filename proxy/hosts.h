/* hosts - the addresses of backends that have names
 *
 * Asked of lookup by way of master, and kept for as long as it says.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef PROXY_HOSTS_H
#define PROXY_HOSTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/list.h"
#include "base/loop.h"
#include "server/wire.h"

enum {
	HOSTS_BUCKETS = 256,
	HOSTS_WAIT_MS = 7000 /* lookup answers before that, or not at all */
};

struct host;

struct hosts {
	/* The owner's: */
	struct loop *loop;
	void (*ask)(struct hosts *hosts, struct wire_resolve *question);

	uint64_t last_request;
	struct host *buckets[HOSTS_BUCKETS];
};

/* Who waits for the addresses of a host. */
struct host_wait {
	struct list_link in_line;
	void (*over)(struct host_wait *wait); /* hosts_find() knows more now */
};

void hosts_open(struct hosts *hosts);
void hosts_close(struct hosts *hosts);

/* FOUND: lines, until the next call.  NONE: they are being asked for, and `wait`
 * is told.  ERROR: 4.4.0. */
MUST_USE enum lookup hosts_find(struct hosts *hosts, const char *name,
	struct host_wait *wait, const char **addresses_out, struct err *err);
/* It does not wait any more. */
void host_wait_end(struct host_wait *wait);

void hosts_resolved(struct hosts *hosts, const struct wire_resolved *answer);

#endif
