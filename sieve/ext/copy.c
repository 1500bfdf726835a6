/* copy - :copy for fileinto, redirect and pipe (RFC 3894)
 *
 * SPDX-License-Identifier: MIT
 */
#include "sieve/evaluate.h"
#include "sieve/registry.h"

#include "base/banned.h"

/* RFC 3894 3: the command does not cancel the implicit keep. */
static enum sieve_status
apply_copy(struct run *run UNUSED, const struct tag_use *use UNUSED,
	struct pending_action *pending)
{
	pending->cancels_keep = false;
	if (pending->action.kind == SIEVE_FILEINTO)
		pending->action.fileinto.copy = true;
	else if (pending->action.kind == SIEVE_REDIRECT)
		pending->action.redirect.copy = true;
	else if (pending->action.kind == SIEVE_PIPE)
		pending->action.pipe.copy = true;
	return SIEVE_OK;
}

const struct tag_ops tag_copy = {.apply = apply_copy};
