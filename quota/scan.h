/* scan - look at all mail that counts for a root
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QUOTA_SCAN_H
#define QUOTA_SCAN_H

#include <stdbool.h>
#include <time.h>

#include "base/attributes.h"
#include "base/err.h"
#include "quota/backend.h"

struct quota_scan {
	struct quota_amount use;
	struct store_parts parts;
	struct timespec newest; /* the last change of any part */
};

MUST_USE int quota_scan(
	struct quota_root *root, struct quota_scan *scan_out, struct err *err);

/* No part has changed since. */
bool quota_scan_is_true(const struct quota_scan *scan);

/* The same sum with what a file beside the INBOX remembers of parts that have not
 * changed since; what is new is kept there. */
MUST_USE int quota_scan_cached(
	struct quota_root *root, struct quota_amount *use_out, struct err *err);
void quota_scan_forget(struct quota_root *root);

#endif
