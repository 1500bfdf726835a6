/* carrier - hands over what a mailer was asked to
 *
 * By SMTP, LMTP or sendmail, whatever the settings say; keeps the connection for
 * the next one.  Blocks; the mailer has several of them, each a process.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OUTBOUND_CARRIER_H
#define OUTBOUND_CARRIER_H

#include <stdbool.h>

#include "base/arena.h"
#include "outbound/outbound.h"
#include "outbound/request.h"
#include "outbound/smtp.h"

struct carrier {
	struct outbound_settings settings;
	struct smtp smtp;
};

/* What the settings point to is borrowed. */
void carrier_init(
	struct carrier *carrier, const struct outbound_settings *settings);

/* Does it; takes the file.  The results live in the arena. */
void carrier_serve(struct carrier *carrier, struct arena *arena,
	struct request_submit *submit, struct request_submitted *answer_out);

/* Whether a connection is kept, and letting it go. */
bool carrier_is_connected(const struct carrier *carrier);
void carrier_disconnect(struct carrier *carrier);
void carrier_clear(struct carrier *carrier);

#endif
