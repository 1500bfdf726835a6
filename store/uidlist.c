/* SPDX-License-Identifier: MIT */
#include "store/uidlist.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "store/failure.h"

#include "base/banned.h"

static bool
is_hexadecimal(struct str text)
{
	return text.len > 0 &&
	       strspn(text.data, "0123456789abcdefABCDEF") >= text.len;
}

/* Versions before 3 knew no ids. */
static enum lookup
id_in_line(struct arena *arena, struct str line, struct str *id_out)
{
	struct str field;

	if (!str_next_field(&line, ' ', &field) || !str_is(field, "3"))
		return LOOKUP_NONE;
	while (str_next_field(&line, ' ', &field)) {
		if (!str_starts(field, STR("G")))
			continue;
		*id_out = str_from(arena_text(arena, str_skip(field, 1)));
		return is_hexadecimal(*id_out) ? LOOKUP_FOUND : LOOKUP_NONE;
	}
	return LOOKUP_NONE;
}

enum lookup
uidlist_id(struct arena *arena, const char *control, struct str *id_out,
	struct err *err)
{
	const char *path = arena_format(arena, "%s/dovecot-uidlist", control);
	char line[UIDLIST_LINE_MAX];
	struct str text;
	ssize_t got;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
		return LOOKUP_NONE;
	got = fd < 0 ? -1 : fd_read_at(fd, line, sizeof(line), 0);
	if (got < 0)
		failure(err, fd < 0 ? "open" : "read", path);
	fd_close(&fd);
	if (got < 0)
		return LOOKUP_ERROR;
	text = str_of(line, (size_t)got);
	/* What has no end yet is being written. */
	if (!str_has_char(text, '\n'))
		return LOOKUP_NONE;
	return id_in_line(
		arena, str_slice(text, 0, str_find_char(text, '\n')), id_out);
}
