/* fake_spool - a spool in plain memory that fails when told to
 *
 * The budget's folder says what goes wrong: "full" (4.3.1 at the end), anything
 * else: nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_LMTP_FAKE_SPOOL_H
#define TESTS_LMTP_FAKE_SPOOL_H

#include "lmtp/spool.h"

/* Spools that were opened and not closed. */
extern int fake_spool_count;

#endif
