/* SPDX-License-Identifier: MIT */
#include "quota/maildirsize.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/number.h"
#include "quota/backend.h"
#include "quota/scan.h"

#include "base/banned.h"

/* ---- the text ---- */

/* "1000S,20C" */
static bool
parse_limits(struct str line, struct quota_limits *limits)
{
	struct str field;

	*limits = (struct quota_limits){.bytes = 0};
	if (str_trim(line).len == 0)
		return true;
	while (str_next_field(&line, ',', &field)) {
		struct str digits;
		uint64_t number;

		field = str_trim(field);
		if (field.len == 0)
			continue;
		digits = str_slice(field, 0, field.len - 1);
		if (number_parse(digits, &number) < 0 ||
			ascii_is_digit(field.data[digits.len]))
			return false;
		/* A kind that is not known is none of our business. */
		if (str_ends(field, STR("S")))
			limits->bytes = number;
		else if (str_ends(field, STR("C")))
			limits->messages = number;
	}
	return true;
}

static bool
parse_signed(struct str word, int64_t *number_out)
{
	bool is_negative = str_starts(word, STR("-"));
	uint64_t number;

	if (number_parse(is_negative ? str_skip(word, 1) : word, &number) < 0 ||
		number > INT64_MAX)
		return false;
	*number_out = is_negative ? -(int64_t)number : (int64_t)number;
	return true;
}

static bool
parse_change(struct str line, int64_t *bytes, int64_t *messages)
{
	struct str word;
	int64_t number;

	if (!str_next_word(&line, &word) || !parse_signed(word, &number) ||
		__builtin_add_overflow(*bytes, number, bytes))
		return false;
	if (!str_next_word(&line, &word) || !parse_signed(word, &number) ||
		__builtin_add_overflow(*messages, number, messages))
		return false;
	return !str_next_word(&line, &word);
}

bool
maildirsize_parse(struct str text, struct maildirsize *out)
{
	size_t end = str_find_last_char(text, '\n');
	int64_t bytes = 0, messages = 0;
	struct str line;

	*out = (struct maildirsize){.lines = 0};
	if (end == text.len || str_has_char(text, '\0'))
		return false;
	text = str_slice(text, 0, end);
	if (!str_next_field(&text, '\n', &line) ||
		!parse_limits(line, &out->limits))
		return false;
	while (str_next_field(&text, '\n', &line)) {
		if (!parse_change(line, &bytes, &messages))
			return false;
		out->lines++;
	}
	if (bytes < 0 || messages < 0)
		return false;
	out->use = (struct quota_amount){(uint64_t)bytes, (uint64_t)messages};
	return true;
}

void
maildirsize_limits(struct buf *line, const struct quota_limits *limits)
{
	if (limits->bytes > 0 || limits->messages == 0)
		buf_add_format(line, "%" PRIu64 "S", limits->bytes);
	if (limits->messages > 0)
		buf_add_format(line, "%s%" PRIu64 "C", line->len > 0 ? "," : "",
			limits->messages);
}

/* ---- the file ---- */

static enum lookup
path_of(struct quota_root *root, bool make, const char **path_out,
	struct err *err)
{
	if (root->state == NULL || make) {
		enum lookup found = store_control_file(
			root->store, "maildirsize", make, path_out, err);

		if (found != LOOKUP_FOUND)
			return found;
		root->state = (void *)(uintptr_t)*path_out;
	}
	*path_out = root->state;
	return LOOKUP_FOUND;
}

/* NONE: it is not there, or too long. */
static enum lookup
read_file(const char *path, char *bytes, size_t *len_out, time_t *changed_out,
	struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	enum lookup found = LOOKUP_NONE;
	struct stat status;
	ssize_t len;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return LOOKUP_NONE;
	if (fd < 0 || fstat(fd, &status) < 0 ||
		(len = fd_read_at(fd, bytes, MAILDIRSIZE_MAX, 0)) < 0) {
		err_temp_errno(err, "4.3.0", "cannot read %s", path);
		found = LOOKUP_ERROR;
	} else if (len < MAILDIRSIZE_MAX) {
		*len_out = (size_t)len;
		*changed_out = status.st_mtim.tv_sec;
		found = LOOKUP_FOUND;
	}
	fd_close(&fd);
	return found;
}

static bool
has_same_limits(const struct quota_limits *a, const struct quota_limits *b)
{
	return a->bytes == b->bytes && a->messages == b->messages;
}

/* Without limits of our own those of the file count. */
static bool
agree_on_limits(struct quota_root *root, const struct maildirsize *file)
{
	if (has_same_limits(&root->limits, &file->limits))
		return true;
	if (root->has_limits_of_its_own)
		return false;
	root->limits = file->limits;
	return true;
}

/* One from the future says nothing: the clock was set back. */
static bool
is_fresh(time_t changed)
{
	time_t age = clock_now().tv_sec - changed;

	return age >= -MAILDIRSIZE_FRESH_S && age <= MAILDIRSIZE_FRESH_S;
}

static enum lookup
maildirsize_read(struct quota_root *root, struct quota_amount *use_out,
	bool *is_certain_out, struct err *err)
{
	char bytes[MAILDIRSIZE_MAX];
	struct maildirsize file;
	time_t changed = 0;
	const char *path;
	size_t len = 0;
	enum lookup found = path_of(root, false, &path, err);

	if (found == LOOKUP_FOUND)
		found = read_file(path, bytes, &len, &changed, err);
	if (found != LOOKUP_FOUND)
		return found;
	/* Limits alone: whoever counted has died. */
	if (!maildirsize_parse(str_of(bytes, len), &file) || file.lines == 0 ||
		!agree_on_limits(root, &file))
		return LOOKUP_NONE;
	*use_out = file.use;
	*is_certain_out = file.lines <= 1 && is_fresh(changed);
	return LOOKUP_FOUND;
}

/* Under a name of its own first; a crash leaves at most that. */
static int
write_file(struct quota_root *root, const char *path, struct quota_amount use,
	struct err *err)
{
	const char *temporary = arena_format(
		root->arena, "%s.doorstep.%ld", path, (long)clock_pid());
	struct buf text;
	int fd, result = -1;

	buf_init(&text, MAILDIRSIZE_MAX);
	maildirsize_limits(&text, &root->limits);
	buf_add_format(
		&text, "\n%" PRIu64 " %" PRIu64 "\n", use.bytes, use.messages);
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0) {
		err_temp_errno(err, "4.3.0", "cannot make %s", temporary);
	} else if (fd_write(fd, buf_view(&text)) < 0 ||
		   rename(temporary, path) < 0) {
		err_temp_errno(err, "4.3.0", "cannot write %s", path);
		(void)unlink(temporary);
	} else {
		result = 0;
	}
	fd_close(&fd);
	buf_clear(&text);
	return result;
}

static void
remove_file(const char *path)
{
	if (unlink(path) < 0 && errno != ENOENT)
		log_warning("cannot remove %s: %s", path, strerror(errno));
}

static int
maildirsize_recount(
	struct quota_root *root, struct quota_amount *use_out, struct err *err)
{
	struct quota_scan scan;
	const char *path;
	enum lookup found;

	if (quota_scan(root, &scan, err) < 0)
		return -1;
	*use_out = scan.use;
	found = path_of(root, true, &path, err);
	if (found == LOOKUP_ERROR)
		return -1;
	/* A mailbox that is not there yet has room, and no file. */
	if (found == LOOKUP_NONE ||
		(scan.newest.tv_sec == 0 && scan.use.messages == 0))
		return 0;
	if (write_file(root, path, scan.use, err) < 0)
		return -1;
	if (!quota_scan_is_true(&scan))
		remove_file(path);
	return 0;
}

/* One that is not there is made by the next count. */
static int
maildirsize_add(
	struct quota_root *root, struct quota_amount more, struct err *err)
{
	char line[MAILDIRSIZE_LINE_MAX];
	const char *path;
	int fd, len, result = 0;

	if (path_of(root, false, &path, err) != LOOKUP_FOUND)
		return 0;
	fd = open(
		path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return errno == ENOENT ? 0
		                       : err_temp_errno(err, "4.3.0",
						 "cannot open %s", path);
	len = snprintf(line, sizeof(line), "%" PRIu64 " %" PRIu64 "\n",
		more.bytes, more.messages);
	/* In one go, or others would write into it. */
	if (write(fd, line, (size_t)len) != len)
		result = err_temp_errno(err, "4.3.0", "cannot write %s", path);
	fd_close(&fd);
	return result;
}

static void
maildirsize_forget(struct quota_root *root)
{
	const char *path;
	struct err err;

	if (path_of(root, false, &path, &err) == LOOKUP_FOUND)
		remove_file(path);
}

const struct quota_backend quota_maildirsize = {
	.name = "maildir",
	.has_limits = true,
	.read = maildirsize_read,
	.recount = maildirsize_recount,
	.add = maildirsize_add,
	.forget = maildirsize_forget,
};
