/* SPDX-License-Identifier: MIT */
#include "ipc/frame.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"

void
frame_begin(struct frame *frame, unsigned type)
{
	char head[FRAME_HEAD] = {FRAME_VERSION & 0xff, FRAME_VERSION >> 8,
		(char)(type & 0xff), (char)(type >> 8)};

	memset(frame, 0, sizeof(*frame));
	frame->type = type;
	buf_init(&frame->bytes, FRAME_MAX);
	buf_add(&frame->bytes, str_of(head, sizeof(head)));
}

void
frame_open(struct frame *frame, struct arena *arena, struct str bytes,
	const int *fds, size_t fd_count)
{
	const unsigned char *head = (const unsigned char *)bytes.data;
	size_t i;

	memset(frame, 0, sizeof(*frame));
	frame->is_reading = true;
	frame->arena = arena;
	for (i = 0; i < fd_count && i < FRAME_FDS_MAX; i++)
		frame->fds[frame->fd_count++] = fds[i];
	if (bytes.len < FRAME_HEAD || bytes.len > FRAME_MAX ||
		(head[0] | head[1] << 8) != FRAME_VERSION) {
		frame->is_broken = true;
		return;
	}
	frame->type = (unsigned)(head[2] | head[3] << 8);
	frame->rest = str_skip(bytes, FRAME_HEAD);
}

bool
frame_is_whole(const struct frame *frame)
{
	if (frame->is_broken || frame->bytes.overflowed)
		return false;
	return !frame->is_reading ||
	       (frame->rest.len == 0 && frame->fds_read == frame->fd_count);
}

void
frame_close(struct frame *frame)
{
	size_t i;

	if (frame->is_reading)
		for (i = frame->fds_read; i < frame->fd_count; i++)
			close(frame->fds[i]);
	frame->fds_read = frame->fd_count;
	buf_clear(&frame->bytes);
}

size_t
frame_room(const struct frame *frame)
{
	return frame->bytes.len < FRAME_MAX ? FRAME_MAX - frame->bytes.len : 0;
}

static void
frame_break(struct frame *frame)
{
	frame->is_broken = true;
	frame->rest = STR_EMPTY;
}

/* The next bytes; NULL when there are not so many. */
static const char *
take(struct frame *frame, size_t size)
{
	const char *bytes = frame->rest.data;

	if (frame->is_broken || frame->rest.len < size) {
		frame_break(frame);
		return NULL;
	}
	frame->rest = str_skip(frame->rest, size);
	return bytes;
}

void
frame_bytes(struct frame *frame, void *bytes, size_t size)
{
	const char *from;

	if (!frame->is_reading) {
		buf_add(&frame->bytes, str_of(bytes, size));
		return;
	}
	from = take(frame, size);
	if (from != NULL)
		memcpy(bytes, from, size);
	else
		memset(bytes, 0, size);
}

static void
number(struct frame *frame, uint64_t *value, size_t size)
{
	unsigned char bytes[8];
	size_t i;

	for (i = 0; i < size; i++)
		bytes[i] = (unsigned char)(*value >> (8 * i));
	frame_bytes(frame, bytes, size);
	if (!frame->is_reading)
		return;
	*value = 0;
	for (i = 0; i < size; i++)
		*value |= (uint64_t)bytes[i] << (8 * i);
}

void
frame_u64(struct frame *frame, uint64_t *value)
{
	number(frame, value, 8);
}

void
frame_u32(struct frame *frame, uint32_t *value)
{
	uint64_t wide = *value;

	number(frame, &wide, 4);
	*value = (uint32_t)wide;
}

void
frame_bool(struct frame *frame, bool *value)
{
	/* What a reader has there may be no bool. */
	uint64_t wide = frame->is_reading ? 0 : *value;

	number(frame, &wide, 1);
	if (frame->is_reading && wide > 1)
		frame_break(frame);
	*value = wide == 1;
}

void
frame_str(struct frame *frame, struct str *value)
{
	uint32_t len = (uint32_t)value->len;
	const char *bytes;

	if (!frame->is_reading && value->len > FRAME_MAX) {
		frame->is_broken = true;
		return;
	}
	frame_u32(frame, &len);
	if (!frame->is_reading) {
		buf_add(&frame->bytes, *value);
		return;
	}
	bytes = take(frame, len);
	*value = bytes != NULL ? str_of(bytes, len) : STR_EMPTY;
}

void
frame_text(struct frame *frame, const char **value)
{
	bool is_there = !frame->is_reading && *value != NULL;
	struct str s = is_there ? str_from(*value) : STR_EMPTY;

	frame_bool(frame, &is_there);
	if (is_there)
		frame_str(frame, &s);
	if (!frame->is_reading)
		return;
	if (is_there && str_has_char(s, '\0'))
		frame_break(frame);
	*value = is_there && !frame->is_broken ? arena_text(frame->arena, s)
	                                       : NULL;
}

void
frame_count(struct frame *frame, size_t *count, size_t least)
{
	uint32_t value = (uint32_t)*count;

	frame_u32(frame, &value);
	if (frame->is_reading && value > frame->rest.len / least) {
		frame_break(frame);
		value = 0;
	}
	*count = value;
}

void *
frame_array(struct frame *frame, const void *items, size_t size, size_t count)
{
	if (frame->is_reading)
		return arena_alloc_array(frame->arena, size, count);
	return (void *)(uintptr_t)items;
}

void
frame_fd(struct frame *frame, int *fd)
{
	bool is_there = *fd >= 0;

	frame_bool(frame, &is_there);
	if (!frame->is_reading) {
		if (is_there && frame->fd_count == FRAME_FDS_MAX)
			frame->is_broken = true;
		else if (is_there)
			frame->fds[frame->fd_count++] = *fd;
		return;
	}
	*fd = -1;
	if (!is_there)
		return;
	if (frame->is_broken || frame->fds_read == frame->fd_count)
		frame_break(frame);
	else
		*fd = frame->fds[frame->fds_read++];
}

static void
copy_text(char *to, size_t size, struct str from)
{
	snprintf(to, size, "%.*s", STR_ARG(from));
}

void
frame_err(struct frame *frame, struct err *err)
{
	uint32_t kind = (uint32_t)err->kind;
	struct str status = STR_EMPTY, text = STR_EMPTY;

	if (!frame->is_reading) {
		status = str_from(err->status);
		text = str_from(err->text);
	}
	frame_u32(frame, &kind);
	frame_str(frame, &status);
	frame_str(frame, &text);
	if (!frame->is_reading)
		return;
	if (kind > ERR_USAGE || status.len >= sizeof(err->status) ||
		text.len >= sizeof(err->text))
		frame_break(frame);
	err_clear(err);
	if (frame->is_broken)
		return;
	err->kind = (enum err_kind)kind;
	copy_text(err->status, sizeof(err->status), status);
	copy_text(err->text, sizeof(err->text), text);
}
