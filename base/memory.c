/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/banned.h"

void
memory_exhausted(void)
{
	static const char text[] = "out of memory\n";

	/* Nothing that could ask for memory itself. */
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(EX_TEMPFAIL);
	_exit(EX_TEMPFAIL);
}

void *
memory_get(size_t size)
{
	void *memory = calloc(1, size ? size : 1);

	if (memory == NULL)
		memory_exhausted();
	return memory;
}

void *
memory_resize(void *memory, size_t size)
{
	void *moved = realloc(memory, size ? size : 1);

	if (moved == NULL)
		memory_exhausted();
	return moved;
}

void
memory_free(void *memory)
{
	free(memory);
}

/* Bytes at the end of the heap that stay. */
enum { KEEP_BYTES = 4 * 1024 * 1024 };

void
memory_keep(void)
{
	/* What cannot be set stays as it is. */
	(void)!mallopt(M_TRIM_THRESHOLD, KEEP_BYTES);
	(void)!mallopt(M_MMAP_THRESHOLD, KEEP_BYTES);
}

size_t
memory_product(size_t a, size_t b)
{
	size_t product;

	if (__builtin_mul_overflow(a, b, &product))
		memory_exhausted();
	return product;
}

void
bug_found(const char *file, int line, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "bug at %s:%d: ", file, line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}
