/* publish - give a file its final name, never that of another file
 *
 * 0, or -1 with errno; EEXIST when the name is taken.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STORE_PUBLISH_H
#define STORE_PUBLISH_H

#include "base/attributes.h"

/* By rename, or by link where the file system cannot rename so. */
MUST_USE int publish(const char *from, const char *to);

MUST_USE int publish_by_link(const char *from, const char *to);

#endif
