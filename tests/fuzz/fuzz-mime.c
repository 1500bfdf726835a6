/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "mail/mime.h"
#include "mail/mimevalue.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
view(const void *object, uint64_t from, uint64_t to, struct str *view_out)
{
	*view_out = str_slice(
		*(const struct str *)object, (size_t)from, (size_t)to);
	return true;
}

static bool
view_nothing(const void *object UNUSED, uint64_t from UNUSED,
	uint64_t to UNUSED, struct str *view_out UNUSED)
{
	return false;
}

/* A few bytes at a time. */
static ssize_t
read_some(const void *object, void *bytes, size_t size, uint64_t offset,
	struct err *err UNUSED)
{
	struct str rest = str_skip(*(const struct str *)object, (size_t)offset);
	size_t most = 1 + offset % 100;

	rest = str_slice(rest, 0, size < most ? size : most);
	memcpy(bytes, rest.data, rest.len);
	return (ssize_t)rest.len;
}

static struct mime *
parse(struct arena *arena, struct mime_source source)
{
	const struct mime_limits limits = {.parts = 50, .depth = 10};
	struct mime *mime;
	struct err err;

	if (mime_parse(arena, &source, &limits, &mime, &err) < 0)
		abort();
	return mime;
}

static void
check_part(const struct mime *mime, size_t index)
{
	const struct mime_part *part = &mime->parts[index];
	const struct mime_part *parent = &mime->parts[part->parent];

	if (part->header > part->body || part->body > part->prologue_end ||
		part->prologue_end > part->end || part->next <= index)
		abort();
	if (part->has_epilogue && (part->epilogue < part->prologue_end ||
					  part->epilogue > part->end))
		abort();
	if (index > 0 &&
		(part->parent >= index || part->depth > 10 ||
			part->header < parent->body ||
			part->end > parent->end || part->next > parent->next))
		abort();
}

static void
check_same(const struct mime *a, const struct mime *b)
{
	size_t i;

	if (a->count != b->count)
		abort();
	for (i = 0; i < a->count; i++)
		if (a->parts[i].body != b->parts[i].body ||
			a->parts[i].end != b->parts[i].end ||
			!str_equal(a->parts[i].type, b->parts[i].type))
			abort();
}

/* Parts lie within each other, however the bytes come in. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str bytes = str_of((const char *)data, size);
	struct mime_source source = {
		.object = &bytes, .end = size, .view = view, .read = read_some};
	struct arena *arena = arena_open();
	struct mime *mime = parse(arena, source);
	struct mimevalue mimevalue;
	size_t i;

	for (i = 0; i < mime->count; i++)
		check_part(mime, i);
	source.view = view_nothing;
	check_same(mime, parse(arena, source));
	mimevalue_parse(arena, bytes, &mimevalue);
	for (i = 0; i < mimevalue.count; i++)
		(void)mime_parameter_text(arena, &mimevalue.parameters[i]);
	arena_close(&arena);
	return 0;
}
