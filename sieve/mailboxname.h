/* mailboxname - what scripts get wrong in the names of mailboxes
 *
 * Names are UTF-8 (RFC 5228 4.1); "Entw&APw-rfe" is how IMAP spells one (RFC 3501
 * 5.1.3), and nearly always a slip in a script.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_MAILBOXNAME_H
#define SIEVE_MAILBOXNAME_H

#include <stdbool.h>

#include "base/str.h"
#include "sieve/check.h"
#include "sieve/program.h"

/* Is there a part of the name that is modified UTF-7 for letters other than
 * ASCII's? */
bool mailboxname_is_utf7(struct str name);

/* A warning for a constant one. */
void mailboxname_check(struct checker *checker, const struct text *name);

#endif
