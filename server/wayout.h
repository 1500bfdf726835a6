/* wayout - does what mail leaves by answer?
 *
 *   open  --`limit` failures in a row-->  shut  --a probe was answered-->  open
 *
 * While it is shut one mail at a time is let through, as a probe; who has another one
 * hears at once that it cannot leave.  Any answer at all, even a refusal, is one.
 * Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_WAYOUT_H
#define SERVER_WAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "outbound/request.h"

struct wayout {
	uint64_t limit; /* 0: never shut */
	uint64_t failures;
	bool is_probing;
};

/* What a mail was let through as. */
enum wayout_pass { WAYOUT_NOT, WAYOUT_MAIL, WAYOUT_PROBE };

bool wayout_is_shut(const struct wayout *wayout);

/* NOT: it is shut, and a probe is under way. */
enum wayout_pass wayout_begin(struct wayout *wayout);
/* What has become of one that was let through. */
void wayout_end(
	struct wayout *wayout, enum wayout_pass pass, enum request_way way);

#endif
