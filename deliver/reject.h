/* reject - how a refusal of the script's reaches the sender (RFC 5429)
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_REJECT_H
#define DELIVER_REJECT_H

struct delivery;
struct sieve_action;

/* What the recipient's own reply, or the exit status and standard error, say of
 * the refusal: ERR_REFUSED 5.7.1 with the script's text, or so much of it as fits
 * (RFC 5429 2.5).  Without a word of its own it says by whom it was refused. */
void reject_tell(struct delivery *delivery, const struct sieve_action *refusal);

#endif
