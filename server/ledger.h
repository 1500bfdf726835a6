/* ledger - which deliveries were made, or are being made, and not confirmed
 *
 * docs/decisions/processes-and-their-wire.md, "Once and only once".
 *
 *              CLAIM                 FINISH saved, discarded
 *     (none) --------> held, claimed -----------------------> finished
 *       ^               |   ^   |                                |
 *       |  FINISH       |   |   |  its owner has gone            |
 *       +-- failed -----+   |   v                                |
 *       |                 claimed by nobody: the next one        |
 *       |                 who asks is told BROKEN and owns it    |
 *       +------------------- CONFIRM, or its time is over -------+
 *
 * What is claimed and what is finished is in a dict, in transactions of several
 * requests; who holds what is in this process alone: after a restart nobody does.
 * A uid is part of each key, so that no owner meets entries of another uid.
 * Pure over the dict and the time that is given.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_LEDGER_H
#define SERVER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "dict/dict.h"
#include "server/wire.h"

struct ledger;
struct held;

struct ledger_limits {
	uint64_t lifetime_s; /* of an entry that nobody confirms */
	uint64_t entries;    /* of all uids */
	uint64_t entries_per_uid;
	uint64_t bytes; /* on disk, about; of all uids */
	uint64_t bytes_per_uid;
	size_t value_bytes;    /* of a claim */
	size_t held_per_owner; /* claims under way */
};
extern const struct ledger_limits ledger_limits_default;

/* Who claims: a connection.  All zero but for the uid; stays where it is until
 * ledger_release(). */
struct ledger_owner {
	uint32_t uid;
	struct held *first;
	size_t count;
};

struct ledger_counters {
	uint64_t entries; /* there are */
	uint64_t held;    /* under way */
	uint64_t claims, finished, confirmed, expired, busy, broken, unable;
};

/* Reads all keys once; the dict is borrowed.  -1: the dict cannot be read. */
MUST_USE int ledger_open(struct dict *dict, const struct ledger_limits *limits,
	struct ledger **ledger_out, struct err *err);
void ledger_close(struct ledger **ledger);

/* Copies all entries to another dict, which is the ledger's from then on.  -1: all
 * is as before but for what was copied. */
MUST_USE int ledger_move(
	struct ledger *ledger, struct dict *dict, struct err *err);

/* Requests between these two are one transaction.  Answers lie in the arena and
 * mean something after ledger_commit(), which corrects them when nothing could be
 * written: -1, then what was claimed is UNABLE, and nothing was confirmed. */
void ledger_begin(struct ledger *ledger, uint64_t now_s);
MUST_USE int ledger_commit(struct ledger *ledger, struct err *err);

/* `is_again`: RECLAIM; what the owner does not hold is claimed. */
void ledger_claim(struct ledger *ledger, struct arena *arena,
	struct ledger_owner *owner, bool is_again,
	const struct wire_claim *claim, struct wire_claimed *claimed_out);
/* What the owner does not hold is passed over. */
void ledger_finish(struct ledger *ledger, struct ledger_owner *owner,
	const struct wire_finish *finish);
/* Entries that are not there, or have another secret, are passed over. */
void ledger_confirm(struct ledger *ledger, const struct wire_confirm *confirm);
/* The owner has gone: what it holds is broken.  At any time. */
void ledger_release(struct ledger *ledger, struct ledger_owner *owner);

/* Why something was UNABLE since the last call of this; NULL: nothing was. */
const char *ledger_complaint(struct ledger *ledger);

/* One step of removing what has expired, outside of a transaction; looks at `most`
 * entries.  FOUND: there is more to look at.  NONE: that was the last. */
MUST_USE enum lookup ledger_sweep(
	struct ledger *ledger, uint64_t now_s, size_t most, struct err *err);

struct ledger_counters ledger_counters(const struct ledger *ledger);

#endif
