/* maildir_measure - what new/ or cur/ of a Maildir holds
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STORE_MAILDIR_MEASURE_H
#define STORE_MAILDIR_MEASURE_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"
#include "store/driver.h"

/* The S= of a file's name; false where it has none that can be read. */
bool maildir_measure_name(struct str name, uint64_t *bytes_out);

/* As the driver's measure(): files that do not begin with a dot, each with the
 * size its name tells, or that the disk tells. */
MUST_USE int maildir_measure(struct store_root *root, const char *path,
	struct store_use *use_out, struct err *err);

#endif
