/* count - the use is what is there: every folder is looked at
 *
 * SPDX-License-Identifier: MIT
 */
#include "quota/backend.h"
#include "quota/scan.h"

#include "base/banned.h"

static enum lookup
count_read(struct quota_root *root, struct quota_amount *use_out,
	bool *is_certain_out, struct err *err)
{
	*is_certain_out = true;
	return quota_scan_cached(root, use_out, err) < 0 ? LOOKUP_ERROR
	                                                 : LOOKUP_FOUND;
}

static int
count_recount(
	struct quota_root *root, struct quota_amount *use_out, struct err *err)
{
	quota_scan_forget(root);
	return quota_scan_cached(root, use_out, err);
}

const struct quota_backend quota_count = {
	.name = "count",
	.read = count_read,
	.recount = count_recount,
};
