/* loopcheck - has this message been here before?
 *
 * Two signs of a message that goes in a circle:
 *
 *   1. A Delivered-To with our recipient.  But the MTA that calls us may have
 *      written one for this very delivery: Postfix local(8)
 *      (prepend_delivered_header: command, file, forward), Postfix pipe(8) with
 *      flags=D, OpenSMTPD's mda and lmtp, qmail's preline and getmail do; Exim,
 *      Sendmail and Postfix lmtp(8) do not.  All write it on top of the message,
 *      and every transfer to another host or through the sendmail command puts a
 *      Received on top of that.  So
 *
 *        above the topmost Received   written on this host since the message
 *                                     last came in: `own_delivered_to` of them
 *                                     are no loop
 *        below any Received           it was delivered, and travelled back here
 *
 *      A message without any Received counts as "above": it was made here.
 *   2. Too many Received.
 *
 * Addresses are compared as ASCII without case; an MTA that adds its host's name
 * to a bare user name is then seen by the second sign only.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_LOOPCHECK_H
#define DELIVER_LOOPCHECK_H

#include <stddef.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"
#include "mail/message.h"

struct loopcheck_limits {
	size_t received;         /* Received fields that are no loop; 100 */
	size_t own_delivered_to; /* Delivered-To with our recipient on top that
				  * are no loop */
};

/* `recipient` is an address text; empty: only the second sign counts.
 * Errors: ERR_REFUSED 5.4.6 with a text for the sender. */
MUST_USE int loopcheck_message(const struct message *message,
	struct str recipient, const struct loopcheck_limits *limits,
	struct err *err);

#endif
