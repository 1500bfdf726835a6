/* front - the process that speaks with clients
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LMTP_FRONT_H
#define LMTP_FRONT_H

#include "server/child.h"

/* Its whole life; result: the exit status. */
int front_main(struct child *child);

#endif
