/* mbox_measure - the files of an mbox location, and what each holds
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STORE_MBOX_MEASURE_H
#define STORE_MBOX_MEASURE_H

#include "base/attributes.h"
#include "base/err.h"
#include "store/driver.h"

/* The INBOX and, below the root, every file that can be a folder. */
void mbox_measure_parts(
	struct store_root *root, const char *disk, struct store_names *paths);

/* The bytes of the file, and its lines "From " behind an empty one. */
MUST_USE int mbox_measure(struct store_root *root, const char *path,
	struct store_use *use_out, struct err *err);

#endif
