/* SPDX-License-Identifier: MIT */
#include "store/mbox_measure.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "store/failure.h"
#include "store/mbox_folder.h"

#include "base/banned.h"

enum {
	READ_BYTES = 64 * 1024,
	FILES_MAX = 10000, /* looked at */
	DEPTH_MAX = 20
};

static bool
is_no_mail(const char *name)
{
	return name[0] == '.' || str_ends(str_from(name), STR(".lock"));
}

static void
list_below(const char *path, unsigned depth, const char *inbox,
	struct store_names *paths)
{
	const struct dirent *entry;
	DIR *folder = opendir(path);

	if (folder == NULL)
		return;
	while (paths->count < FILES_MAX && (entry = readdir(folder)) != NULL) {
		const char *below;
		struct stat found;

		if (is_no_mail(entry->d_name))
			continue;
		below = arena_format(
			paths->arena, "%s/%s", path, entry->d_name);
		if (lstat(below, &found) < 0 || strcmp(below, inbox) == 0)
			continue;
		if (S_ISREG(found.st_mode))
			store_names_add(paths, below);
		else if (S_ISDIR(found.st_mode) && depth < DEPTH_MAX)
			list_below(below, depth + 1, inbox, paths);
	}
	closedir(folder);
}

void
mbox_measure_parts(
	struct store_root *base, const char *disk, struct store_names *paths)
{
	const struct mbox_root *root =
		CONTAINER_OF(base, struct mbox_root, base);

	(void)disk;
	store_names_add(paths, base->location.inbox);
	if (!root->is_single)
		list_below(base->location.root, 0, base->location.inbox, paths);
}

/* Bytes of "\n\nFrom " that have been seen; the file begins as if behind an empty
 * line. */
struct counter {
	unsigned matched;
	uint64_t messages;
};

static void
count_messages(struct counter *counter, struct str bytes)
{
	static const char mark[] = "\n\nFrom ";
	enum { LINE_END = 1, EMPTY_LINE = 2, WHOLE = sizeof(mark) - 1 };
	size_t i;

	for (i = 0; i < bytes.len; i++) {
		char c = bytes.data[i];

		if (c == mark[counter->matched])
			counter->matched++;
		else if (c == '\n')
			counter->matched = counter->matched == EMPTY_LINE
			                           ? EMPTY_LINE
			                           : LINE_END;
		else
			counter->matched = 0;
		if (counter->matched == WHOLE) {
			counter->messages++;
			counter->matched = 0;
		}
	}
}

int
mbox_measure(struct store_root *root, const char *path,
	struct store_use *use_out, struct err *err)
{
	struct counter counter = {.matched = 2};
	char bytes[READ_BYTES];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t len;

	(void)root;
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return failure(err, "open", path);
	while ((len = fd_read(fd, bytes, sizeof(bytes))) > 0) {
		count_messages(&counter, str_of(bytes, (size_t)len));
		use_out->bytes += (uint64_t)len;
	}
	if (len < 0)
		failure(err, "read", path);
	use_out->messages = counter.messages;
	fd_close(&fd);
	return len < 0 ? -1 : 0;
}
