/* environment - the items that scripts may ask for (RFC 5183 4.1)
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_ENVIRONMENT_H
#define DELIVER_ENVIRONMENT_H

#include <stdbool.h>

#include "base/str.h"
#include "deliver/deliver.h"

/* `name` in small letters.  False: there is no such item. */
bool environment_find(const struct job *job, const struct delivery *delivery,
	struct str name, struct str *value_out);

#endif
