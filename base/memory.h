/* memory - the one place that asks libc for memory
 *
 * Running out ends the process with a temporary result (exit 75): an LDA's MTA
 * tries again, a worker's job is answered 4xx.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

#include "base/attributes.h"

/* Never NULL; the bytes are zero. */
void *memory_get(size_t size) __attribute__((malloc, alloc_size(1)));

/* Never NULL; like realloc().  New bytes are not cleared. */
void *memory_resize(void *memory, size_t size) __attribute__((alloc_size(2)));

void memory_free(void *memory);

/* For a process that works on and on: what was given back is kept for the next
 * job rather than returned to the system and asked for again. */
void memory_keep(void);

/* size_a * size_b, ends the process when that does not fit a size_t. */
size_t memory_product(size_t a, size_t b);

/* The process cannot get memory: say so on standard error and exit 75. */
NO_RETURN void memory_exhausted(void);

/* A broken invariant of our own, never a reaction to input. */
#define BUG(...) bug_found(__FILE__, __LINE__, __VA_ARGS__)
NO_RETURN void bug_found(const char *file, int line, const char *format, ...)
	PRINTF_LIKE(3, 4);

#endif
