/* SPDX-License-Identifier: MIT */
#include "userdb/passwd_lines.h"

#include "base/fd.h"

#include "base/banned.h"

void
passwd_lines_init(struct passwd_lines *lines, int fd)
{
	/* The buffer needs no zeroes. */
	lines->fd = fd;
	lines->start = lines->end = 0;
	lines->line = 0;
	lines->is_at_end = lines->is_skipping = lines->is_cut = false;
	lines->is_partial = false;
}

/* Moves what is left to the front and reads behind it.  -1 with errno. */
static int
refill(struct passwd_lines *lines)
{
	ssize_t got;

	memmove(lines->bytes, lines->bytes + lines->start,
		lines->end - lines->start);
	lines->end -= lines->start;
	lines->start = 0;
	got = fd_read(lines->fd, lines->bytes + lines->end,
		sizeof(lines->bytes) - lines->end);
	if (got < 0)
		return -1;
	lines->is_at_end = got == 0;
	lines->end += (size_t)got;
	return 0;
}

/* Gives out `len` bytes and takes `used`. */
static void
give(struct passwd_lines *lines, size_t len, size_t used, struct str *line_out)
{
	*line_out = str_of(lines->bytes + lines->start, len);
	lines->start += used;
	if (line_out->len > 0 && line_out->data[len - 1] == '\r')
		line_out->len--;
}

enum lookup
passwd_lines_next(struct passwd_lines *lines, struct str *line_out)
{
	for (;;) {
		struct str rest = str_of(
			lines->bytes + lines->start, lines->end - lines->start);
		size_t len = str_find_char(rest, '\n');
		bool is_whole = len < rest.len;
		bool was_skipping = lines->is_skipping;

		lines->is_cut = !is_whole && rest.len == sizeof(lines->bytes);
		if (is_whole || lines->is_cut ||
			(lines->is_at_end && rest.len > 0)) {
			lines->is_skipping = lines->is_cut;
			lines->is_partial = !is_whole && !lines->is_cut;
			give(lines, len, len + is_whole, line_out);
			if (was_skipping)
				continue;
			lines->line++;
			return LOOKUP_FOUND;
		}
		if (lines->is_at_end)
			return LOOKUP_NONE;
		if (refill(lines) < 0)
			return LOOKUP_ERROR;
	}
}
