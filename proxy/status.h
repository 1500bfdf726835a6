/* status - what `doorstep proxy status` shows
 *
 *   {"groups": [{"name":, "shared_storage":, "backends": [{"name":, "state":,
 *      "drained":, "weight":, "since_ms":, "downs":, "connections":, "failures":,
 *      "waits":, "delivered":, "temporary":, "failed":}]}],
 *    "hosts": [the same of those that are in no group, without weight],
 *    "moved":, "not_shown":}
 *
 * since_ms: how long it has been in that state.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef PROXY_STATUS_H
#define PROXY_STATUS_H

#include "base/arena.h"
#include "base/str.h"
#include "proxy/places.h"

/* Short enough for a frame. */
struct str status_text(struct arena *arena, const struct places *places);

#endif
