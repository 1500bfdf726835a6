/* proxy - the process that passes mail on to other hosts
 *
 * Master tells it where each recipient lives, the front what to say there; what
 * the backends answer goes back to the front (server/proxywire.h).  It holds no
 * user's file and no secret of a data base.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef PROXY_PROXY_H
#define PROXY_PROXY_H

#include "server/child.h"

/* The rest of the process' life; result: its exit status. */
int proxy_main(struct child *child);

#endif
