/* srs - rewrite the sender of what is forwarded, so that it passes SPF
 *
 *   ada@partner.example -> SRS0=HHHH=TT=partner.example=ada@srs.example
 *   SRS0=...@first.example -> SRS1=HHHH=first.example==...@srs.example
 *
 * HHHH is keyed, TT the day; whoever has the secret takes a bounce back to ada:
 * the MTA, with postsrsd or its like and the same secret.  The form is that of
 * Shevek's draft "The Sender Rewriting Scheme", as postsrsd has it.  Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OUTBOUND_SRS_H
#define OUTBOUND_SRS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"

/* `secrets`: one a line, the first one signs; the others are still good for what
 * takes bounces.  `seconds`: the wall clock.  A null sender, and one of `domain`
 * itself, stay as they are.  Lives in the arena or is `sender`.
 * -1: 4.3.5, there is no secret. */
MUST_USE int srs_rewrite(struct arena *arena, const char *domain,
	struct str secrets, struct str sender, uint64_t seconds,
	struct str *sender_out, struct err *err);

#endif
