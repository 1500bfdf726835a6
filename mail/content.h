/* content - a message as it will be stored or sent
 *
 * A list of pieces: runs of the original message and new text between them.
 * Adding a trace header or taking a field out is a splice; no byte of the
 * message is copied.
 *
 *   Return-Path: <a@b> LF          text
 *   [start, 120)                   message
 *   [155, end)                     message, without the field at 120
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MAIL_CONTENT_H
#define MAIL_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "mail/message.h"

struct content_piece {
	bool is_text;
	struct str text;   /* when is_text; line ends are LF */
	uint64_t from, to; /* else: [from, to) of the message */
};

struct content {
	const struct message *message;
	const struct content_piece *pieces;
	size_t count;
};

enum line_ends { LINE_ENDS_LF, LINE_ENDS_CRLF };

/* The whole message, as it came.  Lives in the arena. */
struct content *content_of(struct arena *arena, const struct message *message);

/* The same with `text` (complete lines that end in LF) in front. */
struct content *content_prepend(
	struct arena *arena, const struct content *content, struct str text);

/* The same without the bytes [from, to) of the message. */
struct content *content_without(struct arena *arena,
	const struct content *content, uint64_t from, uint64_t to);

/* The same without any field called `name` (case does not matter).  Linear, however
 * many there are.  Text before the empty line is complete fields; a text that has
 * the empty line begins with it. */
struct content *content_without_fields(
	struct arena *arena, const struct content *content, struct str name);

/* Same message, same pieces: the stored bytes are the same, too. */
bool content_is_same(const struct content *a, const struct content *b);

/* Reads the pieces one chunk after the other with line ends changed: CR LF and
 * LF become what is asked for; a lone CR is data and stays.  Constant memory. */
struct content_reader {
	const struct content *content;
	enum line_ends line_ends;
	size_t piece;
	uint64_t offset; /* in the piece */
	bool pending_cr; /* a CR at the end of the last chunk */
	size_t size;
	char *input; /* half of the caller's buffer */
	char *output;
	uint64_t lines; /* line ends given out so far */
};

/* `buffer` is the caller's and at least 4096 bytes; 64 KiB is good. */
void content_reader_init(struct content_reader *reader,
	const struct content *content, enum line_ends line_ends, char *buffer,
	size_t size);

/* LOOKUP_NONE at the end.  The chunk is valid until the next call; it is never
 * empty. */
enum lookup content_read(
	struct content_reader *reader, struct str *chunk_out, struct err *err);

#endif
