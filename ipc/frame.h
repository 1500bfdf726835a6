/* frame - one message between two processes of the server
 *
 *   | version (2 bytes) | type (2 bytes) | fields ...        | + descriptors
 *
 * A number has 4 or 8 bytes, little endian; a text its length and its bytes.
 * One function for each kind of message names its fields in order and serves both
 * directions, so that writer and reader cannot drift apart:
 *
 *   void visit_hello(struct frame *frame, struct hello *hello)
 *   {
 *       frame_u32(frame, &hello->count);
 *       frame_str(frame, &hello->name);
 *   }
 *
 * A reader never trusts the peer: every length is checked against what is left,
 * and frame_is_whole() tells at the end whether all was there and nothing was
 * left over.  After the first fault all further fields are zero or empty.  Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef IPC_FRAME_H
#define IPC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum {
	FRAME_VERSION = 1,
	FRAME_HEAD = 4,         /* bytes */
	FRAME_MAX = 128 * 1024, /* bytes of a frame with its head */
	FRAME_FDS_MAX = 5       /* descriptors of a frame */
};

struct frame {
	unsigned type;
	bool is_reading;
	bool is_broken;      /* a fault was found, or it grew too long */
	struct buf bytes;    /* writing: the whole frame */
	struct str rest;     /* reading: what is not yet read */
	struct arena *arena; /* reading: of results */
	int fds[FRAME_FDS_MAX];
	size_t fd_count;
	size_t fds_read; /* taken by frame_fd() */
};

/* To write one.  Descriptors put in are borrowed. */
void frame_begin(struct frame *frame, unsigned type);

/* To read one.  The bytes are borrowed, texts point into them; the descriptors
 * belong to the frame until frame_fd() has taken them. */
void frame_open(struct frame *frame, struct arena *arena, struct str bytes,
	const int *fds, size_t fd_count);

/* After reading: everything was there, and nothing else.  After writing: it is
 * not too long. */
MUST_USE bool frame_is_whole(const struct frame *frame);

/* Gives memory back; closes descriptors that were received and not taken. */
void frame_close(struct frame *frame);

/* ---- fields, in both directions ---- */

void frame_u32(struct frame *frame, uint32_t *value);
void frame_u64(struct frame *frame, uint64_t *value);
void frame_bool(struct frame *frame, bool *value);
/* Read: part of the frame's bytes. */
void frame_str(struct frame *frame, struct str *value);
/* Read: copied into the arena.  NULL and "" are told apart.  A NUL inside is a
 * fault. */
void frame_text(struct frame *frame, const char **value);
/* Exactly `size` bytes. */
void frame_bytes(struct frame *frame, void *bytes, size_t size);
/* The count of items that follow, each of at least `least` bytes (not 0): a count
 * that cannot be is a fault, before memory is asked for. */
void frame_count(struct frame *frame, size_t *count, size_t least);
/* Read: an array of the arena for `count` items; writing: `items` unchanged. */
void *frame_array(
	struct frame *frame, const void *items, size_t size, size_t count);
/* -1 = none. Read: the caller owns it. */
void frame_fd(struct frame *frame, int *fd);
/* kind, status, text; the detail is for the log of who found the fault. */
void frame_err(struct frame *frame, struct err *err);

/* Bytes that can still be written. */
size_t frame_room(const struct frame *frame);

#endif
