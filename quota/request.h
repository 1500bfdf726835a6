/* request - what is asked of state about a count, and what it answers
 *
 *   asker  --COUNT-->  state
 *          <--COUNTED--
 *
 * Whose count it is depends on the uid that the kernel tells of who asks, the root
 * and a name.  Each change has a version: a count that was made while somebody
 * added is not kept.  Fields by ipc/frame.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QUOTA_REQUEST_H
#define QUOTA_REQUEST_H

#include <stdint.h>

#include "ipc/frame.h"

/* server/wire.h has the other numbers; none is used twice. */
enum { REQUEST_COUNT = 120, REQUEST_COUNTED };

enum { REQUEST_COUNT_USER_MAX = 512 };

enum request_count_action {
	REQUEST_COUNT_READ,
	REQUEST_COUNT_ADD, /* to a count that is there */
	REQUEST_COUNT_SET, /* unless the version is another one by now */
	REQUEST_COUNT_FORGET
};

struct request_count {
	uint64_t request; /* comes back in the answer */
	enum request_count_action action;
	uint32_t root; /* quota2: 2 */
	struct str user;
	uint64_t bytes, messages;
	uint64_t version;
};
void request_count(struct frame *frame, struct request_count *count);

enum request_counted_state {
	REQUEST_COUNTED_NONE, /* nobody has counted; SET: somebody has added */
	REQUEST_COUNTED_YES,
	REQUEST_COUNTED_UNABLE /* it may have been done or not */
};

struct request_counted {
	uint64_t request;
	enum request_counted_state state;
	uint64_t bytes, messages;
	uint64_t version;
	uint64_t counted_s; /* when the last SET was; wall clock */
};
void request_counted(struct frame *frame, struct request_counted *counted);

#endif
