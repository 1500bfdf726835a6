/* SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/attributes.h"
#include "base/memory.h"

#include "base/banned.h"

enum {
	FIRST_CHUNK = 8 * 1024,
	LARGEST_CHUNK = 1024 * 1024,
	/* From here on the system gives zeroes without writing them; memory that a
	 * process keeps (memory_keep()) is smaller. */
	LARGE_CHUNK = LARGEST_CHUNK
};

/* So much is cleared in advance: clearing each small piece alone costs more. */
enum { CLEARED_AHEAD = 1024 };

struct arena_chunk {
	struct arena_chunk *older;
	size_t size;
	size_t dirty; /* bytes at the beginning that may not be zero */
	alignas(max_align_t) char bytes[];
};

static struct arena_chunk *
chunk_new(size_t size, struct arena_chunk *older)
{
	bool is_large = size >= LARGE_CHUNK;
	struct arena_chunk *chunk =
		is_large ? memory_get(sizeof(*chunk) + size)
			 : memory_resize(NULL, sizeof(*chunk) + size);

	chunk->size = size;
	chunk->dirty = is_large ? 0 : size;
	chunk->older = older;
	return chunk;
}

/* `used` bytes of the chunk are handed out, of all chunks `total`.  An arena
 * without a chunk has no room, but a place where that begins. */
static void
begin_in(struct arena *arena, struct arena_chunk *chunk, size_t used,
	size_t total)
{
	char *bytes = chunk != NULL ? chunk->bytes : (char *)arena;

	arena->newest = chunk;
	arena->next = bytes + used;
	arena->zeroed = arena->next;
	arena->end = bytes + (chunk != NULL ? chunk->size : 0);
	arena->origin = (size_t)(uintptr_t)arena->next - total;
}

static size_t
used_of_newest(const struct arena *arena)
{
	return arena->newest != NULL
	               ? (size_t)(arena->next - arena->newest->bytes)
	               : 0;
}

struct arena *
arena_open(void)
{
	struct arena *arena = memory_get(sizeof(struct arena));

	begin_in(arena, NULL, 0, 0);
	return arena;
}

void
arena_close(struct arena **arena)
{
	if (*arena == NULL)
		return;
	arena_release(*arena, (struct arena_mark){NULL, 0, 0});
	memory_free((*arena)->newest);
	memory_free(*arena);
	*arena = NULL;
}

static size_t
next_chunk_size(const struct arena *arena, size_t wanted)
{
	size_t size = arena->newest ? arena->newest->size * 2 : FIRST_CHUNK;

	if (size > LARGEST_CHUNK)
		size = LARGEST_CHUNK;
	return size < wanted ? wanted : size;
}

static size_t
aligned(size_t size)
{
	const size_t align = alignof(max_align_t);

	if (size > SIZE_MAX / 2)
		memory_exhausted();
	return (size + align - 1) / align * align;
}

static void
remember_dirt(struct arena *arena)
{
	struct arena_chunk *chunk = arena->newest;
	size_t used = used_of_newest(arena);

	if (chunk != NULL && used > chunk->dirty)
		chunk->dirty = used;
}

static NOINLINE void
add_chunk(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk =
		chunk_new(next_chunk_size(arena, aligned(size)), arena->newest);

	remember_dirt(arena);
	begin_in(arena, chunk, 0, arena_used(arena));
}

/* What is left in a chunk is a multiple of the alignment, so that what fits in
 * fits in with what follows it. */
static inline bool
has_room(const struct arena *arena, size_t size)
{
	return arena->newest != NULL &&
	       (size_t)(arena->end - arena->next) >= size;
}

/* Memory that is not cleared. */
static inline void *
take(struct arena *arena, size_t size)
{
	void *memory;

	if (!has_room(arena, size))
		add_chunk(arena, size);
	memory = arena->next;
	arena->next += aligned(size);
	if (arena->zeroed < arena->next)
		arena->zeroed = arena->next;
	return memory;
}

/* `size` bytes from `next` on, which are there, and those behind them. */
static void
clear(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk = arena->newest;
	char *dirty_end = chunk->bytes + chunk->dirty;
	size_t left = (size_t)(arena->end - arena->next);
	char *to;

	if (size < CLEARED_AHEAD)
		size = left < CLEARED_AHEAD ? left : CLEARED_AHEAD;
	to = arena->next + aligned(size);
	if (to > dirty_end)
		to = dirty_end;
	if (arena->zeroed < to)
		memset(arena->zeroed, 0, (size_t)(to - arena->zeroed));
	arena->zeroed = to < dirty_end ? to : arena->end;
}

void *
arena_alloc_more(struct arena *arena, size_t size)
{
	void *memory;

	if (!has_room(arena, size))
		add_chunk(arena, size);
	clear(arena, size);
	memory = arena->next;
	arena->next += aligned(size);
	return memory;
}

void *
arena_grow(struct arena *arena, const void *array, size_t size, size_t count,
	size_t new_count)
{
	size_t old_bytes = memory_product(size, count);
	size_t bytes = memory_product(size, new_count);
	char *bigger = take(arena, bytes);

	if (count > 0)
		memcpy(bigger, array, old_bytes);
	memset(bigger + old_bytes, 0, bytes - old_bytes);
	return bigger;
}

struct str
arena_copy(struct arena *arena, struct str s)
{
	char *copy = take(arena, s.len + 1);

	if (s.len > 0)
		memcpy(copy, s.data, s.len);
	copy[s.len] = '\0';
	return str_of(copy, s.len);
}

char *
arena_text(struct arena *arena, struct str s)
{
	char *copy = take(arena, s.len + 1);

	if (s.len > 0)
		memcpy(copy, s.data, s.len);
	copy[s.len] = '\0';
	return copy;
}

/* Of a fixed size: compilers make few instructions of it. */
enum { LOWER_BLOCK = 32 };

static void
lower_block(char *restrict out, const char *restrict in)
{
	size_t i;

	for (i = 0; i < LOWER_BLOCK; i++)
		out[i] = ascii_lower(in[i]);
}

struct str
arena_lower(struct arena *arena, struct str s)
{
	char *copy = take(arena, s.len + 1);
	size_t i = 0;

	for (; s.len - i >= LOWER_BLOCK; i += LOWER_BLOCK)
		lower_block(copy + i, s.data + i);
	for (; i < s.len; i++)
		copy[i] = ascii_lower(s.data[i]);
	copy[s.len] = '\0';
	return str_of(copy, s.len);
}

char *
arena_vformat(struct arena *arena, const char *format, va_list args)
{
	va_list again;
	char *text;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	if (len < 0)
		BUG("bad format: %s", format);
	text = arena_alloc(arena, (size_t)len + 1);
	vsnprintf(text, (size_t)len + 1, format, again);
	va_end(again);
	return text;
}

char *
arena_format(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = arena_vformat(arena, format, args);
	va_end(args);
	return text;
}

struct arena_mark
arena_mark(const struct arena *arena)
{
	return (struct arena_mark){
		arena->newest, used_of_newest(arena), arena_used(arena)};
}

/* A small piece is cleared at once, so that what was cleared behind it counts. */
static void
step_back(struct arena *arena, char *to)
{
	size_t count = (size_t)(arena->next - to);

	if (count == 0)
		return;
	remember_dirt(arena);
	if (count <= CLEARED_AHEAD)
		memset(to, 0, count);
	else
		arena->zeroed = to;
	arena->next = to;
}

/* The oldest chunk stays, so that an arena that is filled and released again and
 * again asks for no memory. */
void
arena_release(struct arena *arena, struct arena_mark mark)
{
	struct arena_chunk *chunk = arena->newest;

	if (chunk != NULL && chunk == mark.chunk) {
		step_back(arena, chunk->bytes + mark.used);
		return;
	}
	remember_dirt(arena);
	while (chunk != mark.chunk && chunk->older != NULL) {
		struct arena_chunk *older = chunk->older;

		memory_free(chunk);
		chunk = older;
	}
	begin_in(arena, chunk, chunk == mark.chunk ? mark.used : 0, mark.total);
}
