/* dict - the server's state keeps the use
 *
 * In Berkeley DB or Redis: that is state's to know.  Where no server is, and where
 * what state has is not to be believed, there is a file beside the INBOX:
 *
 *   (an empty line)
 *   123456 42                what a count has found
 *   2048 1                   what was added since
 *
 * While the file is there state's number means nothing: whoever reaches state counts
 * anew, tells state and removes the file.  Empty it is a mark, and nothing else.
 * So the two never have to agree.
 *
 * Others may change the mailbox and know nothing of this.  So nobody is refused
 * before a new count, and after DICT_AGE_S there is one in any case.
 *
 * SPDX-License-Identifier: MIT
 */
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
#include "quota/ask.h"
#include "quota/backend.h"
#include "quota/maildirsize.h"
#include "quota/scan.h"

#include "base/banned.h"

enum { DICT_AGE_S = 3600 };

struct dict_state {
	struct ask ask;
	struct str user;
	const char *file; /* its name */
};

static int
dict_open(struct quota_root *root, struct err *err)
{
	struct dict_state *state = ARENA_NEW(root->arena, struct dict_state);
	struct conf_quota_dict dict;
	struct conf_quota_fault fault;

	if (conf_quota_parse_dict(root->spec.rest, &dict, &fault) < 0)
		return err_temp(err, "4.3.5",
			"quota: found \"%.*s\", expected %s",
			STR_ARG(fault.found), fault.expected);
	state->user = root->spec.user.len > 0 ? root->spec.user
	                                      : str_from(root->user);
	if (state->user.len > REQUEST_COUNT_USER_MAX)
		return err_temp(err, "4.3.5",
			"quota: the user's name is too "
			"long");
	state->file = root->number == 1
	                      ? "doorstep-count"
	                      : arena_format(root->arena, "doorstep-count%u",
					root->number);
	ask_init(&state->ask, root->state_socket);
	root->state = state;
	return 0;
}

static void
dict_close(struct quota_root *root)
{
	struct dict_state *state = root->state;

	ask_clear(&state->ask);
}

static int
ask_state(struct quota_root *root, enum request_count_action action,
	const struct quota_amount *amount, uint64_t version,
	struct request_counted *counted, struct err *err)
{
	struct dict_state *state = root->state;
	struct request_count count = {.action = action,
		.root = root->number,
		.user = state->user,
		.version = version};

	if (amount != NULL) {
		count.bytes = amount->bytes;
		count.messages = amount->messages;
	}
	return ask_count(&state->ask, &count, counted, err);
}

/* ---- the file ---- */

static enum lookup
path_of(struct quota_root *root, bool make, const char **path_out,
	struct err *err)
{
	const struct dict_state *state = root->state;

	return store_control_file(
		root->store, state->file, make, path_out, err);
}

/* FOUND: it is there, whatever is in it; `bytes` has room for MAILDIRSIZE_MAX. */
static enum lookup
read_file(struct quota_root *root, char *bytes, size_t *len_out,
	time_t *changed_out, struct err *err)
{
	const char *path;
	struct stat status;
	enum lookup found = path_of(root, false, &path, err);
	ssize_t len;
	int fd;

	if (found != LOOKUP_FOUND)
		return found;
	fd = open(path,
		O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return LOOKUP_NONE;
	if (fd < 0 || fstat(fd, &status) < 0 ||
		(len = fd_read_at(fd, bytes, MAILDIRSIZE_MAX, 0)) < 0) {
		err_temp_errno(err, "4.3.0", "cannot read %s", path);
		found = LOOKUP_ERROR;
	} else {
		*len_out = (size_t)len;
		*changed_out = status.st_mtim.tv_sec;
	}
	fd_close(&fd);
	return found;
}

static int
write_file(struct quota_root *root, const char *path, struct str text,
	struct err *err)
{
	const char *temporary =
		arena_format(root->arena, "%s.%ld", path, (long)clock_pid());
	int fd = open(temporary,
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int result = 0;

	if (fd < 0 || fd_write(fd, text) < 0 || rename(temporary, path) < 0) {
		err_temp_errno(err, "4.3.0", "cannot write %s", path);
		(void)unlink(temporary);
		result = -1;
	}
	fd_close(&fd);
	return result;
}

/* NONE: there is no place for one. */
static enum lookup
keep_in_file(struct quota_root *root, const struct quota_amount *use,
	struct err *err)
{
	const char *path;
	enum lookup found = path_of(root, true, &path, err);

	if (found != LOOKUP_FOUND)
		return found;
	return write_file(root, path,
		       str_from(arena_format(root->arena,
			       "\n%" PRIu64 " %" PRIu64 "\n", use->bytes,
			       use->messages)),
		       err) < 0
	               ? LOOKUP_ERROR
	               : LOOKUP_FOUND;
}

static void
remove_file(struct quota_root *root)
{
	const char *path;
	struct err err;

	if (path_of(root, false, &path, &err) == LOOKUP_FOUND &&
		unlink(path) < 0 && errno != ENOENT)
		log_warning("cannot remove %s: %s", path, strerror(errno));
}

/* In one go, or others would write into it.  NONE: there is no such file. */
static enum lookup
append(struct quota_root *root, struct quota_amount more, struct err *err)
{
	char line[MAILDIRSIZE_LINE_MAX];
	const char *path;
	enum lookup found = path_of(root, false, &path, err);
	int fd, len;

	if (found != LOOKUP_FOUND)
		return found;
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW |
				O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return LOOKUP_NONE;
	len = snprintf(line, sizeof(line), "%" PRIu64 " %" PRIu64 "\n",
		more.bytes, more.messages);
	if (fd < 0 || write(fd, line, (size_t)len) != len) {
		err_temp_errno(err, "4.3.0", "cannot write %s", path);
		found = LOOKUP_ERROR;
	}
	fd_close(&fd);
	return found;
}

/* ---- the backend ---- */

static bool
is_fresh(uint64_t counted_s)
{
	uint64_t now_s = (uint64_t)clock_now().tv_sec;

	return counted_s <= now_s && now_s - counted_s < DICT_AGE_S;
}

static enum lookup
read_of_file(const char *bytes, size_t len, time_t changed,
	struct quota_amount *use_out)
{
	struct maildirsize file;

	if (len >= MAILDIRSIZE_MAX || !is_fresh((uint64_t)changed) ||
		!maildirsize_parse(str_of(bytes, len), &file) ||
		file.lines == 0)
		return LOOKUP_NONE;
	*use_out = file.use;
	return LOOKUP_FOUND;
}

static enum lookup
read_of_state(
	struct quota_root *root, struct quota_amount *use_out, struct err *err)
{
	struct request_counted counted;

	if (ask_state(root, REQUEST_COUNT_READ, NULL, 0, &counted, err) < 0)
		return LOOKUP_ERROR;
	if (counted.state == REQUEST_COUNTED_NONE ||
		!is_fresh(counted.counted_s))
		return LOOKUP_NONE;
	*use_out = (struct quota_amount){counted.bytes, counted.messages};
	return LOOKUP_FOUND;
}

static enum lookup
dict_read(struct quota_root *root, struct quota_amount *use_out,
	bool *is_certain_out, struct err *err)
{
	struct dict_state *state = root->state;
	char bytes[MAILDIRSIZE_MAX];
	time_t changed = 0;
	size_t len = 0;
	enum lookup file = read_file(root, bytes, &len, &changed, err), server;

	*is_certain_out = false;
	if (file == LOOKUP_ERROR)
		return LOOKUP_ERROR;
	server = ask_connect(&state->ask, err);
	if (server == LOOKUP_ERROR)
		return LOOKUP_ERROR;
	if (server == LOOKUP_FOUND)
		return file == LOOKUP_FOUND ? LOOKUP_NONE
		                            : read_of_state(root, use_out, err);
	return file == LOOKUP_FOUND ? read_of_file(bytes, len, changed, use_out)
	                            : LOOKUP_NONE;
}

/* The mark in the mailbox outlives whatever is wrong with state. */
static void
mark(struct quota_root *root)
{
	struct dict_state *state = root->state;
	struct request_counted counted;
	const char *path;
	struct err err;
	enum lookup found = path_of(root, true, &path, &err);

	if (found == LOOKUP_FOUND &&
		write_file(root, path, STR_EMPTY, &err) == 0)
		return;
	if (found == LOOKUP_NONE &&
		ask_connect(&state->ask, &err) == LOOKUP_NONE)
		return; /* then it is counted each time */
	if (!channel_is_open(&state->ask.channel) ||
		ask_state(root, REQUEST_COUNT_FORGET, NULL, 0, &counted, &err) <
			0)
		log_error("quota %.*s may be wrong for a while: %s",
			STR_ARG(root->spec.name), err_log_text(&err));
}

/* Whoever adds meanwhile changes the version: then the next one counts. */
static int
count_for_state(
	struct quota_root *root, struct quota_amount *use_out, struct err *err)
{
	struct request_counted counted;
	struct err unkept;

	if (ask_state(root, REQUEST_COUNT_READ, NULL, 0, &counted, err) < 0 ||
		quota_scan_cached(root, use_out, err) < 0)
		return -1;
	if (ask_state(root, REQUEST_COUNT_SET, use_out, counted.version,
		    &counted, &unkept) == 0) {
		remove_file(root);
		return 0;
	}
	log_warning("quota %.*s is counted each time: %s",
		STR_ARG(root->spec.name), err_log_text(&unkept));
	mark(root);
	return 0;
}

static int
dict_recount(
	struct quota_root *root, struct quota_amount *use_out, struct err *err)
{
	struct dict_state *state = root->state;

	switch (ask_connect(&state->ask, err)) {
	case LOOKUP_FOUND:
		return count_for_state(root, use_out, err);
	case LOOKUP_ERROR:
		return -1;
	case LOOKUP_NONE:
		break;
	}
	if (quota_scan_cached(root, use_out, err) < 0)
		return -1;
	return keep_in_file(root, use_out, err) == LOOKUP_ERROR ? -1 : 0;
}

static int
dict_add(struct quota_root *root, struct quota_amount more, struct err *err)
{
	struct dict_state *state = root->state;
	struct request_counted counted;
	enum lookup found = append(root, more, err);

	if (found != LOOKUP_NONE)
		return found == LOOKUP_FOUND ? 0 : -1;
	found = ask_connect(&state->ask, err);
	if (found == LOOKUP_NONE)
		return err_temp(err, "4.3.0", "%s: no server is there",
			state->ask.path);
	return found == LOOKUP_ERROR ? -1
	                             : ask_state(root, REQUEST_COUNT_ADD, &more,
					       0, &counted, err);
}

static void
dict_forget(struct quota_root *root)
{
	quota_scan_forget(root);
	mark(root);
}

const struct quota_backend quota_dict = {
	.name = "dict",
	.open = dict_open,
	.close = dict_close,
	.read = dict_read,
	.recount = dict_recount,
	.add = dict_add,
	.forget = dict_forget,
};
