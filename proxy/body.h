/* body - a message on its way to some backends
 *
 * Its bytes are read as each of them takes them; it lives as long as somebody
 * holds it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef PROXY_BODY_H
#define PROXY_BODY_H

#include <stdint.h>
#include <sys/types.h>

#include "base/attributes.h"
#include "base/str.h"

struct body;

/* Copies the bytes, or takes over the file (-1: none) that has `size` of them. */
struct body *body_open(struct str bytes, int *file, uint64_t size);
struct body *body_hold(struct body *body);
void body_drop(struct body **body);

uint64_t body_size(const struct body *body);
/* As read(): 0 at the end only; -1: it cannot be read, or is not whole. */
MUST_USE ssize_t body_read(
	const struct body *body, void *bytes, size_t size, uint64_t offset);

#endif
