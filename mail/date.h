/* date - the time as header fields write it (RFC 5322 3.3)
 *
 * Pure: the caller asks the clock.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MAIL_DATE_H
#define MAIL_DATE_H

#include <time.h>

#include "base/arena.h"
#include "base/str.h"

/* "Fri, 04 Jul 2025 10:00:00 +0200"; the zone is tm_gmtoff. */
struct str date_text(struct arena *arena, struct tm time);

#endif
