/* The Maildir of a case
 *
 * SPDX-License-Identifier: MIT
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/number.h"
#include "store/folder.h"
#include "store/keywords.h"
#include "tests/svtest/world.h"

#include "base/banned.h"

struct mail {
	const char *path;
	struct str name;
	uint64_t second, microsecond;
};

struct mails {
	struct mail *items;
	size_t count, size;
};

/* NULL: no mailbox can have that name. */
static const char *
path_of(struct world *world, struct str name, const char **why_out)
{
	const struct folder_rules rules = {
		.layout = STORE_LAYOUT_MAILDIRPP, .separator = '.'};
	struct folder folder;
	struct err err;

	*why_out = "a mailbox needs a name";
	if (name.len == 0)
		return NULL;
	if (folder_map(world->arena, &rules, STR_EMPTY,
		    str_is_nocase(name, "INBOX") ? STR_EMPTY : name, &folder,
		    &err) < 0) {
		*why_out = arena_text(world->arena, str_from(err.text));
		return NULL;
	}
	return arena_format(world->arena, "%s/Maildir/%s", world->delivery.home,
		folder.disk);
}

const char *
mailbox_path(struct world *world, struct str name)
{
	const char *why, *path = path_of(world, name, &why);

	if (path == NULL ||
		access(arena_format(world->arena, "%s/cur", path), F_OK) < 0)
		return NULL;
	return path;
}

const char *
mailbox_create(struct world *world, struct str name)
{
	static const char *const parts[] = {"", "cur", "new", "tmp"};
	const char *why, *path = path_of(world, name, &why);
	size_t i;

	if (path == NULL)
		return why;
	if (mkdir(arena_format(
			  world->arena, "%s/Maildir", world->delivery.home),
		    0700) < 0 &&
		errno != EEXIST)
		return "the mail store cannot be made";
	for (i = 0; i < ARRAY_LENGTH(parts); i++)
		if (mkdir(arena_format(world->arena, "%s/%s", path, parts[i]),
			    0700) < 0 &&
			errno != EEXIST)
			return "the mailbox cannot be made";
	return NULL;
}

/* ---- messages ---- */

/* "1700000000.M12P3.host,S=1,W=1:2,S": names grow with time. */
static void
read_stamp(struct mail *mail)
{
	struct str rest = mail->name, field;

	if (str_next_field(&rest, '.', &field) &&
		number_parse(field, &mail->second) < 0)
		mail->second = 0;
	if (str_starts(rest, STR("M")) &&
		number_parse(str_slice(rest, 1, str_find_char(rest, 'P')),
			&mail->microsecond) < 0)
		mail->microsecond = 0;
}

static void
add_mail(struct world *world, struct mails *mails, const char *folder,
	const char *name)
{
	struct mail *mail;

	if (mails->count == mails->size) {
		size_t size = mails->size ? mails->size * 2 : 16;

		mails->items = arena_grow(world->arena, mails->items,
			sizeof(*mails->items), mails->count, size);
		mails->size = size;
	}
	mail = &mails->items[mails->count++];
	mail->path = arena_format(world->arena, "%s/%s", folder, name);
	mail->name = str_from(arena_text(world->arena, str_from(name)));
	read_stamp(mail);
}

static void
list_folder(struct world *world, struct mails *mails, const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			add_mail(world, mails, folder, entry->d_name);
	closedir(dir);
}

static int
compare_mails(const void *a, const void *b)
{
	const struct mail *first = a, *second = b;

	if (first->second != second->second)
		return first->second < second->second ? -1 : 1;
	if (first->microsecond != second->microsecond)
		return first->microsecond < second->microsecond ? -1 : 1;
	return str_compare(first->name, second->name);
}

/* "0 $Forwarded": the letter "a".  A name per letter, or empty. */
static void
read_keywords(
	struct world *world, const char *folder, struct str names[KEYWORDS_MAX])
{
	struct buf file;
	struct str rest, line, number;
	uint64_t index;

	memset(names, 0, KEYWORDS_MAX * sizeof(*names));
	buf_init(&file, BUF_UNLIMITED);
	if (fd_read_file(
		    arena_format(world->arena, "%s/dovecot-keywords", folder),
		    &file) == 0) {
		rest = arena_copy(world->arena, buf_view(&file));
		while (str_next_field(&rest, '\n', &line))
			if (str_next_word(&line, &number) &&
				number_parse(number, &index) == 0 &&
				index < KEYWORDS_MAX)
				names[index] = str_trim(line);
	}
	buf_clear(&file);
}

static struct str
flag_of(char letter, const struct str names[KEYWORDS_MAX])
{
	static const struct {
		char letter;
		const char *flag;
	} known[] = {{'D', "\\draft"}, {'F', "\\flagged"}, {'R', "\\answered"},
		{'S', "\\seen"}, {'T', "\\deleted"}};
	size_t i;

	if (letter >= 'a' && letter <= 'z')
		return names[letter - 'a'];
	for (i = 0; i < ARRAY_LENGTH(known); i++)
		if (known[i].letter == letter)
			return str_from(known[i].flag);
	return STR_EMPTY;
}

/* Cases expect of the store that it tells mails without attachments by a
 * keyword. */
static void
read_flags(struct world *world, const char *folder, struct str name,
	struct str text, struct sieve_flags *flags_out)
{
	const struct str mark = STR(":2,");
	struct str letters = str_skip(name, str_find(name, mark) + mark.len);
	struct str *items =
		ARENA_ARRAY(world->arena, struct str, letters.len + 2);
	struct str names[KEYWORDS_MAX];
	size_t i, count = 0;

	read_keywords(world, folder, names);
	for (i = 0; i < letters.len; i++) {
		struct str flag = flag_of(letters.data[i], names);

		if (flag.len > 0)
			items[count++] = flag;
	}
	if (str_find_nocase(text, STR("Content-Disposition: attachment")) ==
		text.len)
		items[count++] = STR("$HasNoAttachment");
	*flags_out = (struct sieve_flags){.items = items, .count = count};
}

enum lookup
mailbox_read(struct world *world, struct str name, uint64_t index,
	struct str *text_out, struct sieve_flags *flags_out)
{
	const char *path = mailbox_path(world, name);
	struct mails mails = {0};
	struct buf text;

	if (path == NULL)
		return LOOKUP_ERROR;
	list_folder(world, &mails, arena_format(world->arena, "%s/new", path));
	list_folder(world, &mails, arena_format(world->arena, "%s/cur", path));
	if (index >= mails.count)
		return LOOKUP_NONE;
	qsort(mails.items, mails.count, sizeof(*mails.items), compare_mails);
	buf_init(&text, BUF_UNLIMITED);
	if (fd_read_file(mails.items[index].path, &text) < 0) {
		buf_clear(&text);
		return LOOKUP_NONE;
	}
	*text_out = arena_copy(world->arena, buf_view(&text));
	read_flags(world, path, mails.items[index].name, *text_out, flags_out);
	buf_clear(&text);
	return LOOKUP_FOUND;
}
