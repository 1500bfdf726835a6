/* fileinto - what other actions that file a message want to know, too
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_EXT_FILEINTO_H
#define SIEVE_EXT_FILEINTO_H

#include "base/str.h"

/* NULL: this may be a mailbox's name; else what is wrong with it, behind "it". */
const char *fileinto_what_is_wrong(struct str mailbox);

#endif
