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

struct chunk {
	struct chunk *older;
	size_t used;
	size_t size;
	size_t dirty; /* bytes at the beginning that may not be zero */
	alignas(max_align_t) char bytes[];
};

struct arena {
	struct chunk *newest;
	size_t total;
};

static struct chunk *
chunk_new(size_t size, struct chunk *older)
{
	bool is_large = size >= LARGE_CHUNK;
	struct chunk *chunk =
		is_large ? memory_get(sizeof(*chunk) + size)
			 : memory_resize(NULL, sizeof(*chunk) + size);

	chunk->used = 0;
	chunk->size = size;
	chunk->dirty = is_large ? 0 : size;
	chunk->older = older;
	return chunk;
}

struct arena *
arena_open(void)
{
	return memory_get(sizeof(struct arena));
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

static NOINLINE struct chunk *
add_chunk(struct arena *arena, size_t size)
{
	arena->newest =
		chunk_new(next_chunk_size(arena, aligned(size)), arena->newest);
	return arena->newest;
}

/* Memory that is not cleared.  What is left in a chunk is a multiple of the
 * alignment, so that what fits in fits in with what follows it. */
static inline void *
take(struct arena *arena, size_t size)
{
	struct chunk *chunk = arena->newest;
	void *memory;

	if (chunk == NULL || chunk->size - chunk->used < size)
		chunk = add_chunk(arena, size);
	size = aligned(size);
	memory = chunk->bytes + chunk->used;
	chunk->used += size;
	arena->total += size;
	return memory;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	char *memory = take(arena, size);
	const struct chunk *chunk = arena->newest;

	if ((size_t)(memory - chunk->bytes) < chunk->dirty)
		memset(memory, 0, size);
	return memory;
}

void *
arena_alloc_array(struct arena *arena, size_t size, size_t count)
{
	size_t bytes;

	if (__builtin_mul_overflow(size, count, &bytes))
		memory_exhausted();
	return arena_alloc(arena, bytes);
}

void *
arena_grow(struct arena *arena, const void *array, size_t size, size_t count,
	size_t new_count)
{
	void *bigger = arena_alloc_array(arena, size, new_count);

	if (count > 0)
		memcpy(bigger, array, memory_product(size, count));
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

size_t
arena_used(const struct arena *arena)
{
	return arena->total;
}

struct arena_mark
arena_mark(const struct arena *arena)
{
	return (struct arena_mark){arena->newest,
		arena->newest ? arena->newest->used : 0, arena->total};
}

/* The oldest chunk stays, so that an arena that is filled and released again and
 * again asks for no memory. */
void
arena_release(struct arena *arena, struct arena_mark mark)
{
	struct chunk *chunk = arena->newest;

	while (chunk != mark.chunk && chunk->older != NULL) {
		struct chunk *older = chunk->older;

		memory_free(chunk);
		chunk = older;
	}
	arena->newest = chunk;
	if (chunk != NULL) {
		if (chunk->used > chunk->dirty)
			chunk->dirty = chunk->used;
		chunk->used = chunk == mark.chunk ? mark.used : 0;
	}
	arena->total = mark.total;
}
