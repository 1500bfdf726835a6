/* reject - how a refusal of the script's reaches the sender (RFC 5429)
 *
 *   by reply     the recipient's own 550 5.7.1 over LMTP; for the LDA the exit
 *                status and standard error (-e)
 *   by mail      `reject` as an MDN (RFC 8098), `ereject` as a DSN (RFC 3464);
 *                the delivery is a success then.  So does the LDA with a
 *                mailbox that is full
 *   not at all   where mail would be wrong: no sender, lists, automatic mail
 *                (RFC 3834 2); the log says so
 *
 * The mail is handed over before copies get their names, as redirects are: when
 * that fails the delivery fails for now, so that no refusal is lost.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_REJECT_H
#define DELIVER_REJECT_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/err.h"

struct delivery;
struct job;
struct sieve_action;

/* Does it take mail?  LDA without -e: always.  LMTP: `reject` with a reason that
 * is not ASCII, to a client that does not read UTF-8 (RFC 5429 2.2), and with
 * sieve_use_lmtp_reject = no. */
bool reject_is_by_mail(const struct job *job, const struct delivery *delivery,
	const struct sieve_action *refusal);

/* Sends it. */
MUST_USE int reject_hand_over(
	struct job *job, struct delivery *delivery, struct err *err);

/* The mailbox has no room and nobody reads a reply: the plan becomes a refusal by
 * mail, a DSN (RFC 3464), and all else of it is dropped.  False: `why` is for the
 * exit status. */
bool reject_full(
	struct job *job, struct delivery *delivery, const struct err *why);

/* What the reply says: ERR_REFUSED 5.7.1 with the script's text, or so much of it
 * as fits (RFC 5429 2.5).  Without a word of its own it says by whom it was
 * refused. */
void reject_tell(struct delivery *delivery, const struct sieve_action *refusal);

#endif
