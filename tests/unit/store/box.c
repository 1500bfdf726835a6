/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "tests/unit/store/box.h"

#include "base/banned.h"

/* What is never given back, where the leak checker sees it. */
static struct arena *
forever(void)
{
	static struct arena *arena;

	if (arena == NULL)
		arena = arena_open();
	return arena;
}

static const char *
keep(const char *text)
{
	return arena_text(forever(), str_from(text));
}

const struct content *
box_content(struct str bytes)
{
	static const struct message_limits limits = {
		.memory_bytes = 1 << 20,
		.header_bytes = 1 << 20,
		.header_fields = 1000,
		.temp_folder = "/tmp",
	};
	struct message *message;
	struct err err;

	REQUIRE(message_open_bytes(bytes, &limits, &message, &err) == 0);
	return content_of(forever(), message);
}

struct store_settings
box_settings(void)
{
	static char location[4096];

	snprintf(location, sizeof(location), "maildir:%s/Maildir",
		test_folder());
	return (struct store_settings){
		.location = location,
		.home = test_folder(),
	};
}

struct store *
box_open(const struct store_settings *settings)
{
	struct store *store;
	struct err err;

	REQUIRE(store_open(settings, &store, &err) == 0);
	return store;
}

struct store_copy *
box_deliver(struct store *store, const char *folder, unsigned write_flags,
	unsigned store_flags, struct err *err)
{
	struct store_copy *copy;

	if (store_write(store, str_from(folder), write_flags,
		    box_content(STR(MAIL)), store_flags, &copy,
		    err) != STORE_OK)
		return NULL;
	if (store_sync(copy, err) < 0 || store_commit(copy, err) < 0 ||
		store_settle(&copy, 1, err) < 0)
		store_copy_close(&copy);
	return copy;
}

const char *
box_file(const struct store_settings *settings, const char *folder,
	unsigned write_flags, unsigned store_flags, struct err *err)
{
	struct store *store = box_open(settings);
	struct store_copy *copy =
		box_deliver(store, folder, write_flags, store_flags, err);
	const char *path = NULL;

	if (copy != NULL)
		path = keep(store_copy_path(copy));
	store_copy_close(&copy);
	store_close(&store);
	return path;
}

bool
box_exists(const char *name)
{
	struct stat found;

	return lstat(test_path(name), &found) == 0;
}

unsigned
box_mode(const char *name)
{
	struct stat found;

	REQUIRE(stat(test_path(name), &found) == 0);
	return (unsigned)found.st_mode & 07777;
}

static size_t
list(const char *name, const char **last_out)
{
	DIR *folder = opendir(test_path(name));
	const struct dirent *entry;
	size_t count = 0;

	if (folder == NULL)
		return 0;
	while ((entry = readdir(folder)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
			strcmp(entry->d_name, "..") == 0)
			continue;
		count++;
		*last_out = keep(entry->d_name);
	}
	closedir(folder);
	return count;
}

size_t
box_count(const char *name)
{
	const char *last;

	return list(name, &last);
}

const char *
box_only_entry(const char *name)
{
	const char *last = NULL;

	REQUIRE(list(name, &last) == 1);
	return last;
}

void
box_make_folder(const char *name, unsigned mode)
{
	REQUIRE(mkdir(test_path(name), 0700) == 0);
	REQUIRE(chmod(test_path(name), mode) == 0);
}

void
box_be_nobody(void)
{
	char above[4096];

	if (geteuid() != 0)
		return;
	snprintf(above, sizeof(above), "%s/..", test_folder());
	REQUIRE(chmod(above, 0711) == 0);
	REQUIRE(chown(test_folder(), BOX_UID, BOX_GID) == 0);
	REQUIRE(setgroups(0, NULL) == 0);
	REQUIRE(setresgid(BOX_GID, BOX_GID, BOX_GID) == 0);
	REQUIRE(setresuid(BOX_UID, BOX_UID, BOX_UID) == 0);
}
