/* outbound - mail that leaves this host
 *
 * No queue of our own: a message is handed to something that has one, and it has
 * left when that accepted it.
 *
 * Runs as the recipient's uid; blocks, never longer than the time-out.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OUTBOUND_OUTBOUND_H
#define OUTBOUND_OUTBOUND_H

#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"
#include "mail/content.h"

struct outbound_settings {
	const char *sendmail_path; /* program and arguments, split at blanks */
	uint64_t timeout_ms;       /* for the whole hand-over; 30 s */
};

/* Hands `content` over from `sender` (empty: the null sender) to `recipients`
 * (local@domain each), to all or to none of them as far as the program keeps to
 * that.  Errors: all temporary; 4.3.0 with what the program said, how it ended
 * and whether it left some of the message unread, 4.3.5 no program is set, 4.4.2
 * time-out. */
MUST_USE int outbound_submit(const struct outbound_settings *settings,
	struct str sender, const struct str *recipients, size_t count,
	const struct content *content, struct err *err);

#endif
