/* failure - what errno means for mail that was to be filed
 *
 *   EDQUOT          ERR_OVER_QUOTA 5.2.2  the user's own space is used up
 *   ENOSPC          4.3.1                 the system's: not the user's fault
 *   EFBIG           4.3.0                 RLIMIT_FSIZE, set by Postfix
 *   EACCES, EPERM   4.3.0                 with who lacks what, and where
 *   anything else   4.3.0
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STORE_FAILURE_H
#define STORE_FAILURE_H

#include "base/err.h"

/* From errno; `call` and `path` are for the log.  Returns -1. */
int failure(struct err *err, const char *call, const char *path);

#endif
