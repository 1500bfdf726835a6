/* fs - the kernel's quota of the file system that the INBOX is on
 *
 *   quota = fs:User quota:user:group:mount=/srv/mail:inode_per_mail
 *
 * Only read.  The kernel's limits (the soft one where there is one, else the hard
 * one) count unless a rule for "*" says others.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/quota.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "quota/backend.h"

#include "base/banned.h"

enum { BLOCK = 1024, NAME_BYTES_MAX = 64 };

struct fs_state {
	const char *mount; /* NULL: where the INBOX is */
	bool has_user, has_group;
	bool counts_inodes;
};

static int
fs_open(struct quota_root *root, struct err *err)
{
	struct fs_state *state = ARENA_NEW(root->arena, struct fs_state);
	struct str rest = root->spec.rest, word;

	while (rest.len > 0 && str_next_field(&rest, ':', &word)) {
		if (str_is(word, "user"))
			state->has_user = true;
		else if (str_is(word, "group"))
			state->has_group = true;
		else if (str_is(word, "inode_per_mail"))
			state->counts_inodes = true;
		else if (str_starts(word, STR("mount=")))
			state->mount =
				arena_text(root->arena, str_skip(word, 6));
		else if (word.len > 0)
			return err_temp(err, "4.3.5",
				"quota: found \"%.*s\", expected user, group, "
				"inode_per_mail or mount=PATH",
				STR_ARG(word));
	}
	if (!state->has_user && !state->has_group)
		state->has_user = state->has_group = true;
	root->state = state;
	return 0;
}

/* A folder on that file system: the nearest one above the INBOX that is there. */
static int
open_folder(struct quota_root *root, struct err *err)
{
	const struct fs_state *state = root->state;
	const char *path = state->mount;
	struct str rest;
	int fd;

	if (path == NULL && store_inbox_path(root->store, &path, err) < 0)
		return -1;
	for (;;) {
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (fd >= 0 || errno != ENOENT || state->mount != NULL)
			break;
		rest = str_from(path);
		rest = str_slice(rest, 0, str_find_last_char(rest, '/'));
		path = rest.len > 0 ? arena_text(root->arena, rest) : "/";
	}
	if (fd < 0)
		err_temp_errno(err, "4.3.0", "cannot open %s", path);
	return fd;
}

/* 0 where there is no limit. */
static uint64_t
limit_of(uint64_t soft, uint64_t hard)
{
	return soft > 0 ? soft : hard;
}

/* The least limit, and the use that belongs to it; the first use where there is no
 * limit at all. */
static void
take_lesser(uint64_t limit, uint64_t use, bool is_first, uint64_t *limit_out,
	uint64_t *use_out)
{
	bool is_lesser = limit > 0 && (*limit_out == 0 || limit < *limit_out);

	if (is_lesser)
		*limit_out = limit;
	if (is_lesser || is_first)
		*use_out = use;
}

static void
use_kernel(struct quota_root *root, const struct dqblk *kernel, bool is_first,
	struct quota_amount *use, struct quota_limits *limits)
{
	const struct fs_state *state = root->state;

	take_lesser(limit_of(kernel->dqb_bsoftlimit * BLOCK,
			    kernel->dqb_bhardlimit * BLOCK),
		kernel->dqb_curspace, is_first, &limits->bytes, &use->bytes);
	if (state->counts_inodes)
		take_lesser(limit_of(kernel->dqb_isoftlimit,
				    kernel->dqb_ihardlimit),
			kernel->dqb_curinodes, is_first, &limits->messages,
			&use->messages);
}

/* NONE: the file system has no quota of this kind. */
static enum lookup
ask_kernel(int fd, int type, id_t id, struct dqblk *kernel_out, struct err *err)
{
	if (syscall(SYS_quotactl_fd, fd,
		    QCMD((unsigned)Q_GETQUOTA, (unsigned)type), id,
		    kernel_out) == 0)
		return LOOKUP_FOUND;
	/* ESRCH: not switched on; ENOSYS: not in this kernel. */
	if (errno == ESRCH || errno == ENOENT || errno == ENOTSUP ||
		errno == ENOSYS || errno == ENOTBLK)
		return LOOKUP_NONE;
	err_temp_errno(err, "4.3.0", "quotactl");
	return LOOKUP_ERROR;
}

static enum lookup
fs_read(struct quota_root *root, struct quota_amount *use_out,
	bool *is_certain_out, struct err *err)
{
	const struct fs_state *state = root->state;
	struct quota_limits limits = {.bytes = 0};
	enum lookup user = LOOKUP_NONE, group = LOOKUP_NONE;
	struct dqblk kernel;
	int fd = open_folder(root, err);

	*use_out = (struct quota_amount){0, 0};
	*is_certain_out = true;
	if (fd < 0)
		return LOOKUP_ERROR;
	if (state->has_user)
		user = ask_kernel(fd, USRQUOTA, geteuid(), &kernel, err);
	if (user == LOOKUP_FOUND)
		use_kernel(root, &kernel, true, use_out, &limits);
	if (state->has_group && user != LOOKUP_ERROR)
		group = ask_kernel(fd, GRPQUOTA, getegid(), &kernel, err);
	if (group == LOOKUP_FOUND)
		use_kernel(
			root, &kernel, user != LOOKUP_FOUND, use_out, &limits);
	fd_close(&fd);
	if (!root->has_limits_of_its_own)
		root->limits = limits;
	return user == LOOKUP_ERROR || group == LOOKUP_ERROR ? LOOKUP_ERROR
	                                                     : LOOKUP_FOUND;
}

static int
fs_recount(
	struct quota_root *root, struct quota_amount *use_out, struct err *err)
{
	bool is_certain;

	return fs_read(root, use_out, &is_certain, err) == LOOKUP_ERROR ? -1
	                                                                : 0;
}

const struct quota_backend quota_fs = {
	.name = "fs",
	.has_limits = true,
	.open = fs_open,
	.read = fs_read,
	.recount = fs_recount,
};
