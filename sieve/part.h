/* part - the parts of the message and what is in them
 *
 * Found at the first question of a run, decoded at the first question about
 * each part, and kept until the run ends: ten tests of a body decode it once.
 * What lies in memory and needs no change is not copied.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_PART_H
#define SIEVE_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/str.h"
#include "mail/mime.h"
#include "sieve/evaluate.h"

/* What is known of one part. */
struct part_bytes {
	bool has_header, has_content, has_text;
	bool is_gone;       /* something around it was replaced */
	bool is_unreadable; /* content: unknown encoding or charset */
	struct str header, content, text;
	struct buf header_buf, content_buf;
};

/* The parts of one state of the message. */
struct parts {
	struct parts *older; /* of the same run */
	const struct message *message;
	const struct content *content; /* NULL: as it came */
	struct mime_source source;
	const struct mime *mime;
	struct part_bytes *bytes; /* as many as there are parts */
	struct str raw;
	struct buf raw_buf;
	bool has_raw;
};

/* Those of the message as it is now.  They stay until the run ends, even when a
 * script changes the message meanwhile. */
MUST_USE enum sieve_status run_parts(struct run *run, struct parts **parts_out);

/* The header fields of a part, raw, with the empty line if there is one. */
MUST_USE enum sieve_status part_header(struct run *run, struct parts *parts,
	size_t index, struct str *header_out);

/* A part that is divided no further: transfer encoding decoded, text in UTF-8,
 * line ends CR LF.  What is in an unknown charset or encoding is left as it is
 * and called unreadable. */
MUST_USE enum sieve_status part_content(struct run *run, struct parts *parts,
	size_t index, struct str *content_out);

/* Is there text in the part, and may part_text() be asked for it? */
bool part_is_text(const struct mime_part *part);
bool part_is_leaf(const struct mime_part *part);

/* The same as text for people: HTML without its tags. */
MUST_USE enum sieve_status part_text(struct run *run, struct parts *parts,
	size_t index, struct str *text_out);

/* Bytes as they are, but for line ends, which are CR LF.  They live until the
 * instruction ends. */
MUST_USE enum sieve_status part_range(struct run *run,
	const struct parts *parts, uint64_t from, uint64_t to,
	struct str *range_out);

/* The same for everything behind the message's header; it is kept. */
MUST_USE enum sieve_status parts_raw(
	struct run *run, struct parts *parts, struct str *raw_out);

/* ---- for evaluate.c and current.c ---- */

/* There is another message: what was found is of no use any more. */
void parts_forget(struct run *run);

/* Bytes that are held outside of the run's arenas. */
uint64_t parts_memory(const struct run *run);
void parts_close(struct run *run);

#endif
