/* corpus - the messages that arguments name: files, Maildirs, mbox files
 *
 *   message.eml     one message
 *   ~/Maildir       every file in its new/ and cur/, by octet order
 *   archive.mbox    a file that begins with "From ": every message of it
 *
 * Nothing is changed or locked.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CTL_CORPUS_H
#define CTL_CORPUS_H

#include <stddef.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/buf.h"
#include "base/err.h"
#include "mail/message.h"

struct corpus {
	struct arena *arena;
	const struct message_limits *limits;
	char **paths; /* arguments that are left */
	size_t count;
	const char **files; /* of a Maildir that is being read, or one file */
	size_t file_count, file_size, file_next;
	const char *mbox; /* path of the mbox that is being read */
	struct buf text;
	size_t at;      /* in text */
	size_t counted; /* messages of the mbox so far */
};

void corpus_init(struct corpus *corpus, struct arena *arena,
	const struct message_limits *limits, char **paths, size_t count);
void corpus_clear(struct corpus *corpus);

/* The next message, which the caller closes, and what it is called: its path, or
 * PATH:NUMBER in an mbox; in the arena.  LOOKUP_NONE at the end. */
MUST_USE enum lookup corpus_next(struct corpus *corpus,
	struct message **message_out, const char **name_out, struct err *err);

#endif
