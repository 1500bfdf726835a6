/* message - one mail as it came in; it is never changed
 *
 * Small messages are held in memory, larger ones in a file without a name, so
 * that memory does not grow with the message.  Only the header block is always
 * in memory; the index of its fields points into it.  Bytes are kept exactly as
 * they came: CRLF or LF, NUL, 8 bit, no end of line at the end.
 *
 *   offset 0                start           body                    end
 *   | From amy ... (mbox) LF | header fields LF LF | body ...         |
 *
 * A leading mbox "From " line is not part of the mail: offsets begin at 0 but
 * everything here speaks of [start, end).  "From :" is a field and ">From " a
 * broken line; neither is dropped.
 *
 * A lone CR is data everywhere.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MAIL_MESSAGE_H
#define MAIL_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"

struct message;

struct message_limits {
	uint64_t memory_bytes;   /* a longer message goes to a file; 128 KiB */
	uint64_t message_bytes;  /* longer: ERR_TOO_BIG 5.2.3; 0 = no limit */
	uint64_t header_bytes;   /* input bytes in which fields are looked for;
	                          * 16 MiB.  Fields that end beyond are
	                          * delivered, but not indexed */
	size_t header_fields;    /* fields that are indexed, the first ones;
	                          * 100,000 */
	const char *temp_folder; /* for the file without a name */
};

struct header_field {
	struct str name; /* as written, without blanks before the colon */
	struct str
		value; /* raw: behind the colon, folds inside, no final CR LF */
	uint64_t
		start; /* offsets of the whole field, final line end included */
	uint64_t end;
};

/* Reads `fd` to its end.  The caller closes the message.
 * Errors: 4.3.0 (cannot read, cannot write the temporary file, which names the
 * folder), 4.3.1 (no space there), ERR_TOO_BIG. */
MUST_USE int message_open_fd(int fd, const struct message_limits *limits,
	struct message **message_out, struct err *err);

/* The bytes are borrowed until message_close(). */
MUST_USE int message_open_bytes(struct str bytes,
	const struct message_limits *limits, struct message **message_out,
	struct err *err);

/* A file that is there already: a memory file or one without a name, of `size`
 * bytes.  It is taken over (*fd is -1 then, on an error as well), and read at
 * offsets, so that it may be shared; nothing in it is trusted to stay the same.
 * Errors: 4.3.0 when it is no file, has another size or cannot be read;
 * ERR_TOO_BIG. */
MUST_USE int message_open_file_take(int *fd, uint64_t size,
	const struct message_limits *limits, struct message **message_out,
	struct err *err);

void message_close(struct message **message);

/* The sender named by a leading mbox "From " line.  False when there is no such
 * line or it names nobody (MAILER-DAEMON is null: true with an empty str). */
bool message_mbox_sender(const struct message *message, struct str *sender_out);

/* All indexed fields, in order.  A line that is no field (no colon, no name or
 * a blank inside it, blank at the start of the first line) is skipped over
 * together with its continuations; it is not an end of the header, which ends
 * at the first empty line (LF or CR LF) or at the end.  NULL when there are
 * none. */
const struct header_field *message_fields(
	const struct message *message, size_t *count_out);

/* The next field called `name` (case does not matter) after `after`, the first
 * one when that is NULL; NULL at the end. */
const struct header_field *message_field_next(const struct message *message,
	struct str name, const struct header_field *after);

/* The field behind *at of any block of header fields; *at is then behind it.
 * Begin with 0; false at the empty line or the end.  What message_fields() skips
 * is skipped; offsets count from the block's first byte. */
bool message_block_field(
	struct str block, size_t *at, struct header_field *field_out);

uint64_t message_start(const struct message *message);
uint64_t message_body(
	const struct message *message); /* behind the empty line */
uint64_t message_end(const struct message *message);
/* Before the empty line; the end when there is none. */
uint64_t message_header_end(const struct message *message);
/* Does the last line have its line end?  An empty message has none. */
bool message_ends_in_line(const struct message *message);

/* Sizes of [start, end) with every line end counted as CR LF (RFC 5228 5.9, the
 * W= of a Maildir name) or as LF. */
uint64_t message_size_crlf(const struct message *message);
uint64_t message_size_lf(const struct message *message);

/* Whether all line ends already are LF, so that bytes can be stored as they
 * are. */
bool message_has_only_lf(const struct message *message);

/* [from, to) without a copy, valid until message_close().  False when those bytes
 * are not in memory: use message_read(). */
bool message_view(const struct message *message, uint64_t from, uint64_t to,
	struct str *view_out);

/* Copies up to `size` bytes from `offset`; fewer only at the end.  -1 with 4.3.0
 * when the file cannot be read. */
MUST_USE ssize_t message_read(const struct message *message, void *bytes,
	size_t size, uint64_t offset, struct err *err);

#endif
