/* make - folders on the way to a mailbox, and its entry among the subscriptions
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STORE_MAKE_H
#define STORE_MAKE_H

#include "base/attributes.h"
#include "base/str.h"
#include "store/driver.h"
#include "store/paths.h"
#include "store/permission.h"

/* mkdir -p; -1 with errno.  Folders that are not below the root of the location
 * are their owner's alone, whatever `permission` says.  Those that have to be
 * flushed for it come to `changed`. */
MUST_USE int make_path(const struct store_root *root, struct paths *changed,
	const char *path, const struct permission *permission);

/* `name` is that on disk, its parts split by `separator`.  A failure is logged:
 * nothing depends on it. */
void make_subscription(const struct store_root *root, struct paths *changed,
	struct str name, char separator);

#endif
