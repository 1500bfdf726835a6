/* addresses - whose message it is and who sent it, from all that may say so
 *
 * Sender: -f, SENDER, the mbox From line, Return-Path; else the null sender.
 * Original recipient: -a, ORIGINAL_RECIPIENT, the header field that
 * lda_original_recipient_header names, -d as it was given, the user name (the
 * last two with @hostname where they have no domain).
 * Final recipient: -r, RECIPIENT, the original recipient.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LDA_ADDRESSES_H
#define LDA_ADDRESSES_H

#include "base/attributes.h"
#include "base/err.h"
#include "mail/address.h"
#include "mail/message.h"
#include "deliver/recipient.h"
#include "lda/options.h"

/* A user's name as an address, whatever it looks like: what stands behind the
 * last "@" is the domain. */
struct address lda_address_of_user(struct arena *arena, struct str name);

struct lda_addresses {
	struct address sender;
	bool sender_is_known; /* not only "null because nothing names it" */
	struct address original;
	struct address final;
	struct str detail;
};

/* A sender that cannot be read is the null sender: to refuse mail for it helps
 * nobody.  A bad -a or -r is ERR_USAGE; a bad environment is passed over. */
MUST_USE int lda_addresses_resolve(struct arena *arena,
	const struct lda_options *options, const struct recipient *recipient,
	const struct message *message, struct lda_addresses *addresses_out,
	struct err *err);

#endif
