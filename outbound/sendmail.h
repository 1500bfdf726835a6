/* sendmail - hand a message to the local MTA's sendmail program
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OUTBOUND_SENDMAIL_H
#define OUTBOUND_SENDMAIL_H

#include "base/attributes.h"
#include "base/err.h"
#include "outbound/outbound.h"

/* To all recipients or to none.  -1: temporary; see outbound_submit(). */
MUST_USE int sendmail_submit(const struct outbound_settings *settings,
	const struct outbound_mail *mail, struct err *err);

#endif
