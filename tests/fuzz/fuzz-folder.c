/* Folder names: whatever a script says, mail stays below the mail root.
 *
 * The first byte chooses layout, separator, encoding and namespaces; the rest
 * is the name.
 *
 * SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "store/folder.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_part(enum store_layout layout, struct str part)
{
	if (part.len == 0 || str_is(part, ".") || str_is(part, ".."))
		BUG("a part that leads elsewhere");
	if (part.len > FOLDER_PART_MAX)
		BUG("a part that no file system takes");
	if (layout == STORE_LAYOUT_FS &&
		(str_is(part, "new") || str_is(part, "cur") ||
			str_is(part, "tmp")))
		BUG("a folder inside the Maildir of another");
}

static void
check_disk(enum store_layout layout, const char *disk)
{
	struct str rest = str_from(disk), part;
	size_t i;

	for (i = 0; i < rest.len; i++)
		if ((unsigned char)rest.data[i] < ' ' || rest.data[i] == 0x7f)
			BUG("a control character");
	if (layout == STORE_LAYOUT_MAILDIRPP) {
		if (rest.len < 2 || disk[0] != '.' || disk[1] == '.' ||
			disk[rest.len - 1] == '.' ||
			str_find(rest, STR("..")) < rest.len ||
			str_has_char(rest, '/'))
			BUG("not the name of a Maildir++ folder");
		check_part(layout, rest);
		return;
	}
	if (rest.len == 0 || str_ends(rest, STR("/")))
		BUG("an empty part");
	while (str_next_field(&rest, '/', &part))
		check_part(layout, part);
}

static void
check_parents(struct arena *arena, enum store_layout layout, const char *disk)
{
	size_t len = str_from(disk).len;

	while (len > 0) {
		disk = folder_parent(arena, layout, disk);
		if (str_from(disk).len >= len)
			BUG("a parent that is no shorter");
		len = str_from(disk).len;
	}
}

static void
check_folder(struct arena *arena, const struct folder *folder)
{
	if (folder->is_inbox) {
		if (folder->disk[0] != '\0')
			BUG("an INBOX that is not the root");
		return;
	}
	if (!utf8_is_valid(folder->name))
		BUG("a name that is not UTF-8");
	check_disk(folder->layout, folder->disk);
	check_parents(arena, folder->layout, folder->disk);
	if (folder->literal != NULL)
		check_disk(folder->layout, folder->literal);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct store_namespace spaces[] = {
		{.prefix = "", .has_inbox = true},
		{.prefix = "INBOX.", .has_inbox = true},
		{.prefix = "Shared/"},
		{.prefix = "Shared/Team/"},
	};
	struct arena *arena;
	struct folder_rules rules;
	struct folder folder;
	struct str name, rest;
	char separators[4];
	struct err err;
	size_t first, index;

	if (size == 0)
		return 0;
	rules.layout = data[0] & 1 ? STORE_LAYOUT_FS : STORE_LAYOUT_MAILDIRPP;
	rules.separator = data[0] & 2 ? '/' : '.';
	rules.utf8 = data[0] & 4;
	first = data[0] & 8 ? 1 : 0;
	memset(separators, rules.separator, sizeof(separators));
	name = str_of((const char *)data + 1, size - 1);
	arena = arena_open();
	if (folder_find_namespace(spaces + first, separators,
		    data[0] & 16 ? 3 : 1, name, &index, &rest, &err) == 0 &&
		folder_map(arena, &rules,
			str_from(spaces[first + index].prefix), rest, &folder,
			&err) == 0)
		check_folder(arena, &folder);
	else if (err.kind != ERR_TEMPORARY ||
		 !utf8_is_valid(str_from(err.text)))
		BUG("a refusal without a reason");
	arena_close(&arena);
	return 0;
}
