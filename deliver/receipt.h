/* receipt - tells a sender who asked that a message was delivered (RFC 3461)
 *
 * A client that is offered DSN (`lmtp_dsn`) leaves that to us.  It leaves with the
 * notices (notices.h), so once: a retry of what was delivered before has none.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_RECEIPT_H
#define DELIVER_RECEIPT_H

#include "deliver/deliver.h"

/* Adds it to the delivery's notices when NOTIFY has SUCCESS; never to the null
 * sender.  It is sent when the delivery was saved. */
void receipt_plan(struct job *job, struct delivery *delivery);

#endif
