/* SPDX-License-Identifier: MIT */
#include "proxy/body.h"

#include <string.h>

#include "base/fd.h"
#include "base/memory.h"

#include "base/banned.h"

struct body {
	unsigned holders;
	uint64_t size;
	int file; /* -1: `bytes` */
	char *bytes;
};

struct body *
body_open(struct str bytes, int *file, uint64_t size)
{
	struct body *body = memory_get(sizeof(*body));

	body->holders = 1;
	body->file = *file;
	*file = -1;
	body->size = body->file >= 0 ? size : bytes.len;
	if (body->file >= 0)
		return body;
	body->bytes = memory_get(bytes.len + 1);
	if (bytes.len > 0)
		memcpy(body->bytes, bytes.data, bytes.len);
	return body;
}

struct body *
body_hold(struct body *body)
{
	body->holders++;
	return body;
}

void
body_drop(struct body **body_in)
{
	struct body *body = *body_in;

	*body_in = NULL;
	if (body == NULL || --body->holders > 0)
		return;
	fd_close(&body->file);
	memory_free(body->bytes);
	memory_free(body);
}

uint64_t
body_size(const struct body *body)
{
	return body->size;
}

ssize_t
body_read(const struct body *body, void *bytes, size_t size, uint64_t offset)
{
	uint64_t left = offset < body->size ? body->size - offset : 0;
	ssize_t got;

	if (size > left)
		size = (size_t)left;
	if (size == 0)
		return 0;
	if (body->file < 0) {
		memcpy(bytes, body->bytes + offset, size);
		return (ssize_t)size;
	}
	got = fd_read_at(body->file, bytes, size, offset);
	/* Shorter than it was said to be. */
	return got > 0 ? got : -1;
}
