/* exits - from a result to an exit status and a word for the MTA
 *
 * Only 0 and 75 mean the same to every MTA; 77 and 67 are "no" to most, qmail
 * wants 100 and 111.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LDA_EXITS_H
#define LDA_EXITS_H

#include "base/err.h"
#include "lda/options.h"

enum { EXITS_QMAIL_HARD = 100, EXITS_QMAIL_SOFT = 111 };

/* EX_OK for ERR_NONE. */
int exits_status(const struct err *err, enum exit_style style);

/* "5.2.2 Quota exceeded" on standard error: Postfix takes an enhanced status at
 * the start of the output for its own. */
void exits_explain(const struct err *err);

#endif
