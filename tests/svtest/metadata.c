/* Annotations of mailboxes, where an IMAP server would keep them
 *
 *   FOLDER/dovecot-uidlist          gives the mailbox an id
 *   WORK/home/dovecot-attributes    mail_attribute_dict: keys and values by turns
 *
 * SPDX-License-Identifier: MIT
 */
#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "store/uidlist.h"
#include "tests/svtest/world.h"

#include "base/banned.h"

/* RFC 5464 2.1: no empty part, no wildcard, plain ASCII. */
static bool
is_entry_name(struct str name)
{
	size_t i;

	if (name.len == 0 || name.data[0] == '/' ||
		name.data[name.len - 1] == '/' ||
		str_find(name, STR("//")) < name.len)
		return false;
	for (i = 0; i < name.len; i++)
		if (name.data[i] <= ' ' || name.data[i] > '~' ||
			name.data[i] == '*' || name.data[i] == '%')
			return false;
	return true;
}

/* "/private/comment" is "priv/ID/comment". */
static bool
split_name(struct str name, const char **kind_out, struct str *rest_out)
{
	const struct str private = STR("/private/"), shared = STR("/shared/");

	*kind_out = str_starts_nocase(name, private) ? "priv" : "shared";
	if (!str_starts_nocase(name, private) &&
		!str_starts_nocase(name, shared))
		return false;
	*rest_out = str_skip(name,
		str_starts_nocase(name, private) ? private.len : shared.len);
	return is_entry_name(*rest_out);
}

static bool
write_file(const char *path, struct str text)
{
	int fd = open(path,
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool is_good = fd >= 0 && fd_write(fd, text) == 0;

	fd_close(&fd);
	return is_good;
}

static bool
find_id(struct world *world, const char *folder, struct str *id_out)
{
	struct err err;
	const char *line =
		arena_format(world->arena, "3 V1 N1 G%032zx\n", ++world->ids);

	if (uidlist_id(world->arena, folder, id_out, &err) == LOOKUP_FOUND)
		return true;
	return write_file(
		       arena_format(world->arena, "%s/dovecot-uidlist", folder),
		       str_from(line)) &&
	       uidlist_id(world->arena, folder, id_out, &err) == LOOKUP_FOUND;
}

/* In front of the older ones: the first of a key counts. */
static bool
put(struct world *world, const char *key, struct str value)
{
	const char *path = arena_format(
		world->arena, "%s/dovecot-attributes", world->delivery.home);
	struct buf text;
	bool is_good;

	buf_init(&text, BUF_UNLIMITED);
	buf_add_format(&text, "%s\n%.*s\n", key, STR_ARG(value));
	if (access(path, F_OK) == 0 && fd_read_file(path, &text) < 0)
		buf_reset(&text);
	is_good = text.len > 0 && write_file(path, buf_view(&text));
	buf_clear(&text);
	return is_good;
}

const char *
metadata_set(struct world *world, const struct str *mailbox, struct str name,
	struct str value)
{
	const char *kind, *folder, *problem;
	struct str rest, id, inbox = STR("INBOX");

	if (!split_name(name, &kind, &rest))
		return "the name of the annotation is invalid";
	if (str_has_char(value, '\n') || str_has_char(value, '\r'))
		return "the value of the annotation has a line end";
	if (mailbox == NULL || str_is_nocase(*mailbox, "INBOX")) {
		problem = mailbox_create(world, inbox);
		if (problem != NULL)
			return problem;
	}
	folder = mailbox_path(world, mailbox != NULL ? *mailbox : inbox);
	if (folder == NULL)
		return "the mailbox does not exist";
	if (!find_id(world, folder, &id) ||
		!put(world,
			arena_format(world->arena, "%s/%.*s/%s%.*s", kind,
				STR_ARG(id),
				mailbox == NULL
					? "vendor/vendor.dovecot/pvt/server/"
					: "",
				STR_ARG(rest)),
			value))
		return "the annotation cannot be written";
	return world_open_store(world);
}
