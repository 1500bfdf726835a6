/* arena - memory that is given back all at once
 *
 * Pass the arena whose life matches the result's.  Nothing in it is freed alone.
 * Pure but for asking for memory.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/str.h"

struct arena;

struct arena *arena_open(void);
void arena_close(struct arena **arena);

/* Zeroed and aligned for any type.  Never NULL. */
static inline void *arena_alloc(struct arena *arena, size_t size);
#define ARENA_NEW(arena, type) ((type *)arena_alloc(arena, sizeof(type)))
#define ARENA_ARRAY(arena, type, count)                                        \
	((type *)arena_alloc_array(arena, sizeof(type), count))
static inline void *arena_alloc_array(
	struct arena *arena, size_t size, size_t count);

/* A bigger copy of an array that has `count` items of `size` bytes; the old one
 * stays where it is.  For arrays that grow by doubling. */
void *arena_grow(struct arena *arena, const void *array, size_t size,
	size_t count, size_t new_count);

/* Copies have a NUL behind their last byte that is not counted. */
struct str arena_copy(struct arena *arena, struct str s);
char *arena_text(struct arena *arena, struct str s); /* cut at a NUL inside */
char *arena_format(struct arena *arena, const char *format, ...)
	PRINTF_LIKE(2, 3);
char *arena_vformat(struct arena *arena, const char *format, va_list args)
	PRINTF_LIKE(2, 0);
struct str arena_lower(struct arena *arena, struct str s); /* ASCII */

/* Bytes handed out so far, for budgets. */
static inline size_t arena_used(const struct arena *arena);

/* What was allocated after the mark is gone after the release; memory may be kept
 * for what comes next. */
struct arena_mark {
	void *chunk;
	size_t used;
	size_t total;
};
struct arena_mark arena_mark(const struct arena *arena);
void arena_release(struct arena *arena, struct arena_mark mark);

/* ---- what most allocations come to ---- */

/* The arena's own. */
struct arena {
	char *next;   /* handed out next; aligned */
	char *zeroed; /* from `next` up to here memory is zero */
	char *end;    /* of the newest chunk */
	struct arena_chunk *newest;
	/* The address that `next` would have if nothing were handed out yet and all
	 * chunks were one. */
	size_t origin;
};

static inline size_t
arena_used(const struct arena *arena)
{
	return (size_t)(uintptr_t)arena->next - arena->origin;
}

/* When not enough of the chunk is zero. */
void *arena_alloc_more(struct arena *arena, size_t size);

static inline void *
arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = alignof(max_align_t);
	size_t room = (size_t)(arena->zeroed - arena->next);
	void *memory = arena->next;

	/* Room is a multiple of the alignment; without any there may be no chunk. */
	if (size > room || room == 0)
		return arena_alloc_more(arena, size);
	arena->next += (size + align - 1) / align * align;
	return memory;
}

static inline void *
arena_alloc_array(struct arena *arena, size_t size, size_t count)
{
	size_t bytes;

	if (__builtin_mul_overflow(size, count, &bytes))
		bytes = SIZE_MAX; /* more than there is */
	return arena_alloc(arena, bytes);
}

#endif
