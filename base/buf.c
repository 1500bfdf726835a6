/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

#include "base/banned.h"

void
buf_init(struct buf *buf, size_t max)
{
	*buf = (struct buf){.max = max};
}

void
buf_clear(struct buf *buf)
{
	memory_free(buf->data);
	buf_init(buf, buf->max);
}

void
buf_reset(struct buf *buf)
{
	buf->len = 0;
	buf->overflowed = false;
	if (buf->data != NULL)
		buf->data[0] = '\0';
}

char *
buf_reserve(struct buf *buf, size_t count)
{
	size_t needed;

	if (count > buf->max - buf->len) {
		buf->overflowed = true;
		return NULL;
	}
	needed = buf->len + count + 1;
	if (needed > buf->size) {
		size_t size = buf->size * 2 < 64 ? 64 : buf->size * 2;

		if (size < needed)
			size = needed;
		buf->data = memory_resize(buf->data, size);
		buf->size = size;
	}
	return buf->data + buf->len;
}

void
buf_add(struct buf *buf, struct str s)
{
	char *at = buf_reserve(buf, s.len);

	if (at == NULL)
		return;
	if (s.len > 0)
		memcpy(at, s.data, s.len);
	buf->len += s.len;
	buf->data[buf->len] = '\0';
}

void
buf_add_text(struct buf *buf, const char *text)
{
	buf_add(buf, str_from(text));
}

void
buf_add_char(struct buf *buf, char c)
{
	buf_add(buf, str_of(&c, 1));
}

void
buf_add_format(struct buf *buf, const char *format, ...)
{
	va_list args;
	char *at;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		BUG("bad format: %s", format);
	at = buf_reserve(buf, (size_t)len);
	if (at == NULL)
		return;
	va_start(args, format);
	vsnprintf(at, (size_t)len + 1, format, args);
	va_end(args);
	buf->len += (size_t)len;
}

const char *
buf_text(const struct buf *buf)
{
	return buf->data != NULL ? buf->data : "";
}
