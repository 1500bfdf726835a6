/* SPDX-License-Identifier: MIT */
#include "store/maildir_measure.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/number.h"
#include "store/failure.h"

#include "base/banned.h"

bool
maildir_measure_name(struct str name, uint64_t *bytes_out)
{
	struct str field;

	name = str_slice(name, 0, str_find_char(name, ':'));
	(void)str_next_field(&name, ',', &field);
	while (str_next_field(&name, ',', &field))
		if (str_starts(field, STR("S=")))
			return number_parse(str_skip(field, 2), bytes_out) == 0;
	return false;
}

/* A file that has gone meanwhile holds nothing. */
static void
add_entry(DIR *folder, const char *name, struct store_use *use)
{
	struct stat found;
	uint64_t bytes;

	if (!maildir_measure_name(str_from(name), &bytes)) {
		if (fstatat(dirfd(folder), name, &found, AT_SYMLINK_NOFOLLOW) <
				0 ||
			!S_ISREG(found.st_mode))
			return;
		bytes = (uint64_t)found.st_size;
	}
	use->messages++;
	if (!number_add(use->bytes, bytes, &use->bytes))
		use->bytes = UINT64_MAX;
}

int
maildir_measure(struct store_root *root, const char *path,
	struct store_use *use_out, struct err *err)
{
	const struct dirent *entry;
	DIR *folder = opendir(path);
	int result = 0;

	(void)root;
	if (folder == NULL && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (folder == NULL)
		return failure(err, "opendir", path);
	for (;;) {
		errno = 0;
		entry = readdir(folder);
		if (entry == NULL)
			break;
		if (entry->d_name[0] != '.')
			add_entry(folder, entry->d_name, use_out);
	}
	if (errno != 0)
		result = failure(err, "readdir", path);
	closedir(folder);
	return result;
}
