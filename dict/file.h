/* file - a dict that is one file, only to be read
 *
 *   DICT_FILE_PAIRS   as Dovecot writes them: a line with the key, one with its
 *                     value; of a key that comes twice the last one counts
 *
 *                         priv/sieve/extlists/ada@example.org
 *                         1
 *
 *   DICT_FILE_LINES   a key a line, without a value; blanks at both ends, empty
 *                     lines and lines that begin with "#" do not count
 *
 *   DICT_FILE_BERKELEY, DICT_FILE_CDB, DICT_FILE_TEXT
 *                     tables of Postfix (maps.h)
 *
 * Read once, when it is opened.  Changes are an error.  While somebody holds a lock
 * (flock) to write it, as postmap does, it cannot be opened.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DICT_FILE_H
#define DICT_FILE_H

#include "base/attributes.h"
#include "base/err.h"
#include "dict/dict.h"

enum {
	DICT_FILE_MAX = 16 * 1024 * 1024 /* bytes */
};

enum dict_file_kind {
	DICT_FILE_PAIRS,
	DICT_FILE_LINES,
	DICT_FILE_BERKELEY,
	DICT_FILE_CDB,
	DICT_FILE_TEXT
};

/* FOUND: open.  NONE: there is no such file.  ERROR: it cannot be read, is no
 * file, too long, being written or not of its kind. */
MUST_USE enum lookup dict_open_file(const char *path, enum dict_file_kind kind,
	struct dict **dict_out, struct err *err);

#endif
