/* networks - is an address in one of them
 *
 * Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_NETWORKS_H
#define CONF_NETWORKS_H

#include <stdbool.h>

#include "conf/settings.h"

/* `address` has 4 bytes, or 16. */
bool conf_networks_have(const struct conf_networks *networks, bool is_v6,
	const unsigned char *address);

#endif
