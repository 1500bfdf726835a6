/* self - is that this server?
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_SELF_H
#define SERVER_SELF_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/settings.h"

/* Does a listener for LMTP of the configuration take what is sent to that address?
 * `port` 0: that of any. */
bool self_listens(
	const struct settings *settings, const char *ip, uint32_t port);

#endif
