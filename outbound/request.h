/* request - what is said to a mailer, and what it answers
 *
 *   asker  --SUBMIT, the message as a file-->  mailer
 *          <--SUBMITTED--
 *   asker  --SETTINGS, SUBMIT-->  doorstep-submit  (has no settings of its own)
 *
 * Fields by ipc/frame.h.  The mailer trusts nobody who asks: addresses are read
 * again, and the file may change while it is read.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OUTBOUND_REQUEST_H
#define OUTBOUND_REQUEST_H

#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "ipc/frame.h"
#include "outbound/outbound.h"

/* server/wire.h has the other numbers; none is used twice. */
enum { REQUEST_SETTINGS = 110, REQUEST_SUBMIT, REQUEST_SUBMITTED };

/* Recipients of one request; their addresses and results fit into a frame. */
enum { REQUEST_RECIPIENTS_MAX = 40 };

struct request_submit {
	uint64_t request; /* comes back in the answer */
	uint64_t timeout_ms;
	struct str sender;
	struct str *recipients;
	size_t count;
	struct outbound_wishes wishes;
	bool is_forwarded;
	bool is_notice; /* it is not answered */
	struct outbound_notice notice;
	/* None, or OUTBOUND_MARKS for each recipient. */
	struct outbound_mark *marks;
	size_t mark_count;
	uint64_t size; /* of the file, line ends are LF */
	int file;      /* reading: the caller's to close */
};
void request_submit(struct frame *frame, struct request_submit *submit);

/* How the way out was.  ORDER REQUEST WAYS */
enum request_way {
	REQUEST_WAY_UNKNOWN,
	REQUEST_WAY_GOOD, /* it has answered, whatever it said */
	REQUEST_WAY_LOST, /* it stopped answering: who knows what it has taken */
	REQUEST_WAY_CLOSED /* it could not be reached, nothing was handed over */
};

struct request_submitted {
	uint64_t request;
	enum request_way way; /* from a carrier */
	struct err *results;  /* with their details */
	size_t count;
};
void request_submitted(struct frame *frame, struct request_submitted *answer);

/* What doorstep-submit needs of them. */
void request_settings(struct frame *frame, struct outbound_settings *settings);

#endif
