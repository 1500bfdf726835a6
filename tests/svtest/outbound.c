/* A program for outgoing mail made for tests: what is handed over becomes files
 *
 * Takes the place of outbound/sendmail.c when svtest is linked.  sendmail_path is
 * the folder; each recipient's file has the sender, the recipient, the text.
 *
 * SPDX-License-Identifier: MIT
 */
#include "outbound/outbound.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "tests/svtest/world.h"

#include "base/banned.h"

static int
read_content(const struct content *content, struct buf *out, struct err *err)
{
	enum { BUFFER = 65536 };
	struct arena *arena = arena_open();
	struct content_reader reader;
	struct str chunk;
	enum lookup found;

	content_reader_init(&reader, content, LINE_ENDS_CRLF,
		arena_alloc(arena, BUFFER), BUFFER);
	while ((found = content_read(&reader, &chunk, err)) == LOOKUP_FOUND)
		buf_add(out, chunk);
	arena_close(&arena);
	return found == LOOKUP_ERROR ? -1 : 0;
}

/* The first number that is free. */
static int
open_next(const char *folder, struct err *err)
{
	struct arena *arena = arena_open();
	const char *path = folder;
	int fd = -1;
	size_t i;

	for (i = 0; fd < 0; i++) {
		path = arena_format(arena, "%s/%zu", folder, i);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	if (fd < 0)
		err_temp_errno(err, "4.3.0", "cannot write %s", path);
	arena_close(&arena);
	return fd;
}

static int
capture(const char *folder, struct str sender, struct str recipient,
	struct str text, struct err *err)
{
	struct buf head;
	int fd = open_next(folder, err), result;

	if (fd < 0)
		return -1;
	buf_init(&head, BUF_UNLIMITED);
	buf_add_format(
		&head, "%.*s\n%.*s\n", STR_ARG(sender), STR_ARG(recipient));
	result = fd_write(fd, buf_view(&head)) == 0 && fd_write(fd, text) == 0
	                 ? 0
	                 : err_temp_errno(err, "4.3.0", "cannot write");
	buf_clear(&head);
	fd_close(&fd);
	return result;
}

int
outbound_submit(const struct outbound_settings *settings,
	const struct outbound_mail *mail, struct err *err)
{
	struct buf text;
	int result;
	size_t i;

	buf_init(&text, BUF_UNLIMITED);
	result = read_content(mail->content, &text, err);
	for (i = 0; i < mail->count && result == 0; i++)
		result = capture(settings->sendmail_path, mail->sender,
			mail->recipients[i], buf_view(&text), err);
	buf_clear(&text);
	return result;
}

/* There is no mailer here. */
enum lookup
outbound_leave(const struct outbound_settings *settings UNUSED,
	const struct outbound_mail *mail UNUSED, struct err *err UNUSED)
{
	return LOOKUP_NONE;
}

struct outbound_pending *
outbound_begin(struct arena *arena, const struct outbound_settings *settings,
	const struct outbound_mail *mail)
{
	struct err *results = ARENA_ARRAY(arena, struct err, mail->count);
	struct err err;
	size_t i;

	err_clear(&err);
	(void)!outbound_submit(settings, mail, &err);
	for (i = 0; i < mail->count; i++)
		results[i] = err;
	return (struct outbound_pending *)(void *)results;
}

const struct err *
outbound_finish(struct outbound_pending *pending)
{
	return (const struct err *)(const void *)pending;
}

/* ---- reading them again ---- */

static const char *
sent_path(const struct world *world, size_t index)
{
	return arena_format(world->arena, "%s/sent/%zu", world->work, index);
}

size_t
sent_count(const struct world *world)
{
	size_t count = 0;

	while (access(sent_path(world, count), F_OK) == 0)
		count++;
	return count;
}

enum lookup
sent_read(struct world *world, size_t index, struct str *from_out,
	struct str *to_out, struct str *text_out)
{
	struct buf file;
	struct str rest;

	buf_init(&file, BUF_UNLIMITED);
	if (fd_read_file(sent_path(world, index), &file) < 0) {
		buf_clear(&file);
		return LOOKUP_NONE;
	}
	rest = arena_copy(world->arena, buf_view(&file));
	buf_clear(&file);
	str_next_field(&rest, '\n', from_out);
	str_next_field(&rest, '\n', to_out);
	*text_out = rest;
	return LOOKUP_FOUND;
}
