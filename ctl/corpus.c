/* SPDX-License-Identifier: MIT */
#include "ctl/corpus.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"

#include "base/banned.h"

/* An mbox is read as a whole. */
#define MOST_MBOX_BYTES ((size_t)2 << 30)

void
corpus_init(struct corpus *corpus, struct arena *arena,
	const struct message_limits *limits, char **paths, size_t count)
{
	*corpus = (struct corpus){.arena = arena,
		.limits = limits,
		.paths = paths,
		.count = count};
	buf_init(&corpus->text, MOST_MBOX_BYTES);
}

void
corpus_clear(struct corpus *corpus)
{
	buf_clear(&corpus->text);
}

static int
cannot_read(struct err *err, const char *path)
{
	return err_temp_errno(err, "4.3.0", "cannot read %s", path);
}

/* ---- files ---- */

static void
add_file(struct corpus *corpus, const char *path)
{
	if (corpus->file_count == corpus->file_size) {
		size_t size =
			corpus->file_size > 0 ? corpus->file_size * 2 : 16;

		corpus->files = arena_grow(corpus->arena, corpus->files,
			sizeof(*corpus->files), corpus->file_count, size);
		corpus->file_size = size;
	}
	corpus->files[corpus->file_count++] = path;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
add_folder(struct corpus *corpus, const char *maildir, const char *sub,
	struct err *err)
{
	const char *path = arena_format(corpus->arena, "%s/%s", maildir, sub);
	size_t first = corpus->file_count;
	struct dirent *entry;
	DIR *folder = opendir(path);

	if (folder == NULL)
		return cannot_read(err, path);
	while ((entry = readdir(folder)) != NULL)
		if (entry->d_name[0] != '.')
			add_file(corpus, arena_format(corpus->arena, "%s/%s",
						 path, entry->d_name));
	closedir(folder);
	if (corpus->file_count > first)
		qsort(corpus->files + first, corpus->file_count - first,
			sizeof(*corpus->files), compare_names);
	return 0;
}

/* ---- mbox ---- */

/* Where the message ends that begins at `at`: before the next "From " that
 * follows an empty line, without that line. */
static size_t
find_end(struct str text, size_t at)
{
	static const struct str between = {"\n\nFrom ", 7};
	size_t found = str_find(str_skip(text, at), between);

	return at + found < text.len ? at + found + 1 : text.len;
}

static bool
has_mbox_message(const struct corpus *corpus)
{
	return corpus->mbox != NULL && corpus->at < corpus->text.len;
}

static enum lookup
next_of_mbox(struct corpus *corpus, struct message **message_out,
	const char **name_out, struct err *err)
{
	struct str text = buf_view(&corpus->text);
	size_t end = find_end(text, corpus->at);
	struct str one = str_slice(text, corpus->at, end);

	corpus->at = end < text.len ? end + 1 : end;
	*name_out = arena_format(
		corpus->arena, "%s:%zu", corpus->mbox, ++corpus->counted);
	if (message_open_bytes(one, corpus->limits, message_out, err) < 0)
		return LOOKUP_ERROR;
	return LOOKUP_FOUND;
}

static int
begin_mbox(struct corpus *corpus, const char *path, struct err *err)
{
	buf_reset(&corpus->text);
	corpus->at = 0;
	corpus->counted = 0;
	corpus->mbox = path;
	return fd_read_file(path, &corpus->text) < 0 ? cannot_read(err, path)
	                                             : 0;
}

/* ---- arguments ---- */

static bool
begins_as_mbox(const char *path)
{
	char bytes[5];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return false;
	got = fd_read(fd, bytes, sizeof(bytes));
	fd_close(&fd);
	return got == 5 && memcmp(bytes, "From ", 5) == 0;
}

static int
begin_argument(struct corpus *corpus, struct err *err)
{
	const char *path = *corpus->paths++;
	struct stat status;

	corpus->count--;
	corpus->file_count = corpus->file_next = 0;
	corpus->mbox = NULL;
	if (stat(path, &status) < 0)
		return cannot_read(err, path);
	if (S_ISDIR(status.st_mode))
		return add_folder(corpus, path, "new", err) < 0 ||
		                       add_folder(corpus, path, "cur", err) < 0
		               ? -1
		               : 0;
	if (begins_as_mbox(path))
		return begin_mbox(corpus, path, err);
	add_file(corpus, path);
	return 0;
}

static enum lookup
next_file(struct corpus *corpus, struct message **message_out,
	const char **name_out, struct err *err)
{
	const char *path = corpus->files[corpus->file_next++];
	int fd = open(path, O_RDONLY | O_CLOEXEC), result;

	*name_out = path;
	if (fd < 0) {
		cannot_read(err, path);
		return LOOKUP_ERROR;
	}
	result = message_open_fd(fd, corpus->limits, message_out, err);
	fd_close(&fd);
	return result < 0 ? LOOKUP_ERROR : LOOKUP_FOUND;
}

enum lookup
corpus_next(struct corpus *corpus, struct message **message_out,
	const char **name_out, struct err *err)
{
	for (;;) {
		if (corpus->file_next < corpus->file_count)
			return next_file(corpus, message_out, name_out, err);
		if (has_mbox_message(corpus))
			return next_of_mbox(corpus, message_out, name_out, err);
		if (corpus->count == 0)
			return LOOKUP_NONE;
		if (begin_argument(corpus, err) < 0)
			return LOOKUP_ERROR;
	}
}
