/* keywords - letters for the keywords of one Maildir folder, as Dovecot has them
 *
 *   dovecot-keywords         0 $Forwarded LF     the letter "a"
 *                            1 Junk LF           the letter "b" ... 25: "z"
 *   dovecot-uidlist.lock     held by whoever changes that file
 *   dovecot-keywords.lock    held as well while the file is changed
 *
 * A letter that has a name keeps it, so that whoever finds all letters there needs
 * no lock: the file is only ever replaced whole.
 *
 * They stand in the folder's control folder.  The file is replaced by rename, as
 * open as the folder, and its time of change in seconds grows each time: readers
 * that hold an older one tell so that there is a newer.  A line that says nothing
 * (no number, no name, a number over 25 or one that came before) makes the file a
 * broken one: what can be read of it counts, but it is not written anew.
 *
 * Nothing of a delivery depends on it: a mail without its keywords is better than
 * none.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STORE_KEYWORDS_H
#define STORE_KEYWORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"
#include "store/lock.h"
#include "store/permission.h"
#include "store/store.h"

enum {
	KEYWORDS_MAX = 26,              /* "a" to "z" */
	KEYWORDS_FILE_BYTES = 64 << 10, /* a longer file is not read */
	KEYWORDS_WAIT_MS = 5000 /* for the locks, where settings say 0 */
};

struct keywords {
	struct arena *arena; /* its own */
	const char *path;
	const char *folder;
	const struct store_settings *settings;
	const struct permission *permission;
	const char *locked_path; /* dovecot-uidlist */
	int fd;                  /* of the control folder */
	struct lock lock;
	struct str names[KEYWORDS_MAX]; /* by letter; "": free */
	bool is_broken;
	time_t changed; /* 0: there is no file */
};

/* The letters of these names, without any lock; `control` is the folder of the
 * files.  False: not all of them have one, or the file cannot be read, of which
 * keywords_open() tells. */
MUST_USE bool keywords_look_up(const char *control, const struct str *names,
	size_t count, char letters[KEYWORDS_MAX + 1]);

/* Takes the lock and reads the file; both paths and the settings are borrowed
 * until keywords_close().  -1: nothing is held; the error says who holds the lock,
 * or what is wrong with the file. */
MUST_USE int keywords_open(struct keywords *keywords, const char *control,
	const struct permission *permission,
	const struct store_settings *settings, struct err *err);

/* The letters of these names, in the order of the alphabet; names that have none
 * get one, in a file that is on disk before this returns.  -1: not all of them
 * could be had, and why; `letters` has the others. */
MUST_USE int keywords_letters(struct keywords *keywords,
	const struct str *names, size_t count, char letters[KEYWORDS_MAX + 1],
	struct err *err);

void keywords_close(struct keywords *keywords);

#endif
