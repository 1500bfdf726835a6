/* detail - the folder that user+detail asks for
 *
 *   amy+Lists          the folder Lists, or lists, or LISTS
 *   amy+lists/c        C below Lists, whatever parts the levels here
 *   amy+lists.c        a folder of that very name, or else the same
 *
 * Anybody can write such an address.  So the detail chooses among the folders
 * that are there, in the namespace of the INBOX; what is missing, cannot be a
 * folder's name or is too deep means the INBOX and is no error.  New folders come
 * from a detail only with lmtp_detail_autocreate, and only until the user has
 * lmtp_detail_max_folders.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_DETAIL_H
#define DELIVER_DETAIL_H

#include "base/attributes.h"
#include "base/err.h"
#include "deliver/deliver.h"

/* Levels of a folder's name; a deeper one is nobody's. */
enum { DETAIL_LEVELS_MAX = 16 };

/* Sets where keep files: delivery->work->folder.  delivery->mailbox wins over
 * the detail.  -1: folders cannot be looked at. */
MUST_USE int detail_choose_folder(
	struct job *job, struct delivery *delivery, struct err *err);

#endif
