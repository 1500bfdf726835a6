/* automatic - mail that no person wrote, and that no machine may answer
 *
 * RFC 3834 2 and what is usual beside it.  Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MAIL_AUTOMATIC_H
#define MAIL_AUTOMATIC_H

#include <stdbool.h>

#include "mail/address.h"
#include "mail/message.h"

/* Does Auto-Submitted say anything but "no"?  RFC 3834 5.2; parameters and
 * comments do not count. */
bool automatic_is_submitted(const struct message *message);

/* Why an answer to this message would be wrong, for the log: "it is
 * auto-submitted", "it came through a mailing list", "its precedence is bulk".
 * NULL: no field says so. */
const char *automatic_message(const struct message *message);

/* The first field that speaks against an answer that the sender did not ask for:
 * what automatic_message() looks at, reports, and the signs of other answering
 * machines (RFC 5230 4.6).  NULL: there is none. */
const struct header_field *automatic_field(const struct message *message);

/* The same for an envelope sender: the null sender, one that a list or a mail
 * system has (owner-*, *-request, mailer-daemon, noreply ...).  NULL: perhaps a
 * person, and postmaster is one. */
const char *automatic_sender(const struct address *sender);

#endif
