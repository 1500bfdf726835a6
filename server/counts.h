/* counts - how much mail users have, on disk
 *
 * For quota roots of the kind "dict", in the dict of the ledger, behind its entries
 * and marks: 't', the uid in four octets, a digest of root and name.  The uid is the
 * one that the kernel tells of who asks, so that nobody meets counts of another uid.
 *
 * A count is a help: who has mail can count it again.  So its changes are not
 * flushed to disk, which costs nothing and survives the end of this process; a count
 * that was kept before the host was started anew is none.
 *
 * Each call is a transaction of its own: none may be under way.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_COUNTS_H
#define SERVER_COUNTS_H

#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "dict/dict.h"
#include "quota/request.h"

enum {
	COUNTS_PER_UID = 2 * 1000 * 1000,
	COUNTS_STAMP = 40 /* bytes, with the NUL */
};

/* Tells one start of the host from others; where it cannot, one call from another.
 * Reads a file that a confined process does not see. */
void counts_stamp(char stamp_out[COUNTS_STAMP]);

/* Fills all but `request` of the answer.  -1: UNABLE. */
MUST_USE int counts_serve(struct dict *dict, const char *stamp, uint32_t uid,
	const struct request_count *count, uint64_t now_s,
	struct request_counted *counted, struct err *err);

#endif
