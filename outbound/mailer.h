/* mailer - ask somebody else to hand mail over
 *
 * A process of the server by its socket, or a helper program that is started for
 * this one mail.  One mail for each connection: several can be under way.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OUTBOUND_MAILER_H
#define OUTBOUND_MAILER_H

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "outbound/outbound.h"

struct mailer;

/* NONE: nobody listens there, and the settings allow that.  ERROR: 4.3.0. */
MUST_USE enum lookup mailer_connect(struct arena *arena,
	const struct outbound_settings *settings, struct mailer **mailer_out,
	struct err *err);
/* doorstep-submit; -1: 4.3.0, 4.3.5. */
MUST_USE int mailer_start_helper(struct arena *arena,
	const struct outbound_settings *settings, struct mailer **mailer_out,
	struct err *err);

/* At most REQUEST_RECIPIENTS_MAX of them.  -1: 4.3.0, 4.3.1. */
MUST_USE int mailer_ask(struct mailer *mailer, const struct outbound_mail *mail,
	struct err *err);
/* One result for each recipient.  -1: no answer; 4.3.0, 4.4.2. */
MUST_USE int mailer_wait(
	struct mailer *mailer, struct err *results, struct err *err);

void mailer_close(struct mailer **mailer);

#endif
