/* marks - what deliveries to users have seen (RFC 7352), on disk
 *
 * In the dict of the ledger, behind its entries: 's', the uid in four octets, the
 * key of the mark.  The uid is the one that the kernel tells of who asks, so that
 * nobody meets marks of another uid.  Its value is one octet, its kind; it is there
 * until it expires.
 *
 * Each call is a transaction of its own: none may be under way.  Pure over the dict
 * and the time that is given.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_MARKS_H
#define SERVER_MARKS_H

#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "dict/dict.h"
#include "server/wire.h"

struct marks;

struct marks_limits {
	uint64_t marks; /* of all uids */
	uint64_t marks_per_uid;
	uint64_t lifetime_s; /* whatever is asked for */
};
extern const struct marks_limits marks_limits_default;

/* Reads all keys once; the dict is borrowed.  -1: it cannot be read. */
MUST_USE int marks_open(struct dict *dict, const struct marks_limits *limits,
	struct marks **marks_out, struct err *err);
void marks_close(struct marks **marks);

/* The ledger has moved all entries to this dict. */
MUST_USE int marks_move(
	struct marks *marks, struct dict *dict, struct err *err);

MUST_USE enum lookup marks_find(struct marks *marks, uint32_t uid,
	const unsigned char key[WIRE_MARK_KEY], uint64_t now_s,
	struct err *err);

/* All of them or none.  -1 also when there are too many. */
MUST_USE int marks_keep(struct marks *marks, uint32_t uid,
	const struct wire_mark_item *items, size_t count, uint64_t now_s,
	struct err *err);

/* One step of removing what has expired; looks at `most` entries.  FOUND: there is
 * more to look at.  NONE: that was the last. */
MUST_USE enum lookup marks_sweep(
	struct marks *marks, uint64_t now_s, size_t most, struct err *err);

uint64_t marks_count(const struct marks *marks);

struct marks_counters {
	uint64_t by_kind[WIRE_MARK_KINDS];
	/* No mark expires before; 0: there is none.  A mark that was kept again
	 * is known by its earlier time until the next sweep. */
	uint64_t next_s;
};
struct marks_counters marks_counters(const struct marks *marks);

#endif
