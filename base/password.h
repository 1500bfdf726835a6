/* password - does it match what a password file has of it?
 *
 *   {PLAIN} {CLEAR} {CLEARTEXT}                       the password itself
 *   {SHA} {SHA1} {SHA256} {SHA512}                    digest
 *   {SSHA} {SSHA256} {SSHA512}                        digest and salt
 *   {CRYPT} {DES-CRYPT} {MD5-CRYPT} {SHA256-CRYPT}
 *   {SHA512-CRYPT} {BLF-CRYPT}                        crypt(3): what it knows,
 *                                                     yescrypt ($y$) among it
 *   {ARGON2I} {ARGON2ID}                              RFC 9106; with libargon2
 *
 * Digests are base64, or with ".hex" behind the name hexadecimal.  No time tells how
 * much of a password was right.  Slow by intention; needs no other state, so that
 * threads may call it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_PASSWORD_H
#define BASE_PASSWORD_H

#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"

/* `stored` has its scheme in front.  NONE: it does not match; so does nothing that
 * is empty.  ERROR: a scheme that is not known, or a value that its scheme cannot
 * have; nothing of it is in err. */
MUST_USE enum lookup password_check(
	struct str stored, struct str given, struct err *err);

/* So that nobody finds it in memory later. */
void password_forget(void *bytes, size_t size);

#endif
