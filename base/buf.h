/* buf - bytes being put together, up to a maximum
 *
 * Adding beyond the maximum adds nothing and marks the buf as overflowed; the
 * caller asks once at the end.  There is always a NUL behind the last byte.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/str.h"

struct buf {
	char *data;
	size_t len;
	size_t size; /* bytes at `data` */
	size_t max;  /* of len */
	bool overflowed;
};

#define BUF_UNLIMITED ((size_t)1 << 40)

void buf_init(struct buf *buf, size_t max);
/* Gives the memory back; the buf may be used again. */
void buf_clear(struct buf *buf);
/* Length 0, not overflowed; keeps the memory. */
void buf_reset(struct buf *buf);

void buf_add(struct buf *buf, struct str s);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_char(struct buf *buf, char c);
void buf_add_format(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);

/* Room for `count` more bytes at data + len, NULL (and overflowed) when that
 * passes the maximum.  The caller then adds to len what it wrote. */
char *buf_reserve(struct buf *buf, size_t count);

/* Valid until the next change. */
static inline struct str
buf_view(const struct buf *buf)
{
	return str_of(buf->data ? buf->data : "", buf->len);
}
const char *buf_text(const struct buf *buf);

#endif
