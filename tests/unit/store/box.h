/* box - what the store's tests share: a mail, a store, a look at the disk
 *
 * Whatever fails here ends the test.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_UNIT_STORE_BOX_H
#define TESTS_UNIT_STORE_BOX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "store/store.h"
#include "tests/lib/test.h"

#define MAIL "Subject: hello\n\nbody\n"

/* Lives as long as the process. */
const struct content *box_content(struct str bytes);

/* maildir:test_folder()/Maildir, all that is optional off. */
struct store_settings box_settings(void);

struct store *box_open(const struct store_settings *settings);

/* Write, sync, commit, settle; NULL (and err) when one of them fails. */
struct store_copy *box_deliver(struct store *store, const char *folder,
	unsigned write_flags, unsigned store_flags, struct err *err);

/* The same with a store of its own; where the mail is, in memory that is never
 * given back; NULL on failure. */
const char *box_file(const struct store_settings *settings, const char *folder,
	unsigned write_flags, unsigned store_flags, struct err *err);

/* Below test_folder(): */
bool box_exists(const char *name);
unsigned box_mode(const char *name); /* 07777 */
/* Entries of a folder, "." and ".." not counted; 0 when it is not there. */
size_t box_count(const char *name);
/* The name of the only entry of a folder. */
const char *box_only_entry(const char *name);
void box_make_folder(const char *name, unsigned mode);

/* In the child: everybody's rights instead of root's, on a folder that belongs
 * to that user.  Nothing when the tests are not run by root. */
enum { BOX_UID = 12345, BOX_GID = 12346 };
void box_be_nobody(void);

#endif
