/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "store/driver.h"
#include "store/failure.h"
#include "store/lock.h"
#include "store/mbox_folder.h"
#include "store/mbox_keywords.h"
#include "store/mbox_measure.h"
#include "store/mbox_text.h"

#include "base/banned.h"

enum {
	READ_BYTES = 32 * 1024,   /* buffer of the content's reader */
	WRITE_BYTES = 256 * 1024, /* gathered for one write */
	HELD_BYTES = 256 * 1024,  /* a longer message is made twice */
	REOPEN_TRIES = 10,        /* a file that is replaced all the time */
	LOST_BYTES = 200,         /* of names of keywords in the log */
	COMPARED_BYTES = 512      /* of a block that is to be taken away */
};

enum state { STATE_PRIVATE, STATE_PUBLIC, STATE_GONE };

struct mbox_copy {
	struct store_copy base;
	struct mbox_root *root;
	struct mbox_folder folder;
	unsigned write_flags, store_flags;
	struct buf keyword_lines;
	struct buf from_line;
	struct buf held; /* all of it, when it is short */
	uint64_t length; /* of all of it */
	enum state state;
	/* When it is public: [start, end) of that file. */
	dev_t device;
	ino_t inode;
	uint64_t start, end;
};

/* The mailbox while it is locked. */
struct session {
	struct mbox_copy *copy;
	const char *path;
	int fd;
	struct lock lock;
	struct stat before;
};

static struct mbox_root *
root_of(struct store_root *root)
{
	return CONTAINER_OF(root, struct mbox_root, base);
}

static struct mbox_copy *
copy_of(struct store_copy *copy)
{
	return CONTAINER_OF(copy, struct mbox_copy, base);
}

static int
mbox_open(const struct store_root *base, struct store_root **root_out,
	struct err *err)
{
	struct mbox_root *root = ARENA_NEW(base->arena, struct mbox_root);

	root->base = *base;
	if (mbox_root_init(root, err) < 0)
		return -1;
	*root_out = &root->base;
	return 0;
}

static enum lookup
mbox_find(struct store_root *root, const char *disk, struct err *err)
{
	return mbox_folder_find(root_of(root), disk, err);
}

/* ---- write: what would it be, and would it fit ---- */

static struct mbox_copy *
copy_open(struct mbox_root *root, const struct mbox_folder *folder,
	unsigned write_flags, const struct content *content,
	unsigned store_flags)
{
	struct mbox_copy *copy = memory_get(sizeof(*copy));

	copy->base.driver = &mbox_driver;
	copy->base.settings = root->base.settings;
	copy->base.content = content;
	copy->base.folder = folder->name;
	buf_init(&copy->base.path, BUF_UNLIMITED);
	buf_add_text(&copy->base.path, folder->path);
	copy->root = root;
	copy->folder = *folder;
	copy->write_flags = write_flags;
	copy->store_flags = store_flags;
	buf_init(&copy->keyword_lines, BUF_UNLIMITED);
	buf_init(&copy->from_line, BUF_UNLIMITED);
	mbox_from_line(
		&copy->from_line, content, clock_local(clock_now().tv_sec));
	buf_init(&copy->held, HELD_BYTES);
	return copy;
}

static void
text_open(struct mbox_text *text, const struct mbox_copy *copy, char *input)
{
	mbox_text_init(text, copy->base.content, copy->store_flags,
		buf_text(&copy->from_line), input, READ_BYTES);
	mbox_text_set_keywords(text, buf_view(&copy->keyword_lines));
}

static int
measure(struct mbox_copy *copy, struct err *err)
{
	char input[READ_BYTES];
	struct mbox_text text;
	enum lookup found;
	struct str chunk;

	text_open(&text, copy, input);
	while ((found = mbox_text_read(&text, &chunk, err)) == LOOKUP_FOUND) {
		copy->length += chunk.len;
		if (!copy->held.overflowed)
			buf_add(&copy->held, chunk);
	}
	copy->base.size = text.size;
	copy->base.vsize = text.size + text.lines;
	mbox_text_clear(&text);
	if (copy->held.overflowed) {
		buf_clear(&copy->held);
		copy->held.overflowed = true;
	}
	return found == LOOKUP_ERROR ? -1 : 0;
}

/* What would fail at the commit is better known now: nothing of the job can be
 * seen yet.  The commit finds out what this cannot know. */
static int
check_room(const struct mbox_copy *copy, int fd, struct err *err)
{
	struct rlimit limit;
	struct statvfs disk;
	struct stat file;

	if (fstat(fd, &file) < 0)
		return failure(err, "fstat", copy->folder.path);
	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
		limit.rlim_cur != RLIM_INFINITY &&
		(uint64_t)file.st_size + copy->length > limit.rlim_cur) {
		errno = EFBIG;
		return failure(err, "write", copy->folder.path);
	}
	/* No file system here has less than a block for everybody. */
	if (fstatvfs(fd, &disk) == 0 && disk.f_blocks > 0 &&
		copy->length / disk.f_frsize > disk.f_bfree) {
		errno = ENOSPC;
		return failure(err, "write", copy->folder.path);
	}
	return 0;
}

static void mbox_close(struct store_copy *base);

static enum store_result
prepare(struct mbox_copy *copy, struct err *err)
{
	enum store_result result;
	int fd;

	result = mbox_folder_open(
		copy->root, &copy->folder, copy->write_flags, &fd, err);
	if (result != STORE_OK)
		return result;
	if (measure(copy, err) < 0 || check_room(copy, fd, err) < 0)
		result = STORE_FAILED;
	fd_close(&fd);
	return result;
}

static enum store_result
mbox_write(struct store_root *base, const struct folder *place,
	unsigned write_flags, const struct content *content,
	unsigned store_flags, struct store_copy **copy_out, struct err *err)
{
	struct mbox_root *root = root_of(base);
	struct mbox_folder folder = mbox_folder_place(root, place);
	struct mbox_copy *copy =
		copy_open(root, &folder, write_flags, content, store_flags);
	enum store_result result = prepare(copy, err);

	if (result == STORE_OK)
		*copy_out = &copy->base;
	else
		mbox_close(&copy->base);
	return result;
}

/* Messages in one file share nothing. */
static enum store_result
mbox_link(struct store_root *base, const struct folder *place,
	unsigned write_flags, struct store_copy *original, unsigned store_flags,
	struct store_copy **copy_out, struct err *err)
{
	return mbox_write(base, place, write_flags, original->content,
		store_flags, copy_out, err);
}

static void
tell_lost_keywords(const struct mbox_copy *copy, const struct buf *lost)
{
	log_warning("%s: filed without the keywords%s: the IMAP server has not "
		    "yet named them in the first message of this mbox",
		copy->folder.path, buf_text(lost));
}

/* What it would be is other than it was. */
static int
choose_keywords(struct mbox_copy *copy, const struct str *keywords,
	size_t count, int fd, struct err *err)
{
	struct buf lost;
	int result;

	buf_init(&lost, LOST_BYTES);
	result = mbox_keywords_lines(fd, keywords, count, clock_now().tv_sec,
		&copy->keyword_lines, &lost);
	if (result < 0)
		failure(err, "read", copy->folder.path);
	else if (lost.len > 0)
		tell_lost_keywords(copy, &lost);
	buf_clear(&lost);
	buf_clear(&copy->held);
	buf_init(&copy->held, HELD_BYTES);
	copy->length = 0;
	return result < 0 ? -1 : measure(copy, err);
}

static int
mbox_set_keywords(struct store_copy *base, const struct str *keywords,
	size_t count, struct err *err)
{
	struct mbox_copy *copy = copy_of(base);
	int fd, result;

	if (mbox_folder_open(copy->root, &copy->folder, copy->write_flags, &fd,
		    err) != STORE_OK)
		return -1;
	result = choose_keywords(copy, keywords, count, fd, err);
	fd_close(&fd);
	return result;
}

/* There is nothing yet that could be flushed. */
static int
mbox_sync(struct store_copy *base UNUSED, struct err *err UNUSED)
{
	return 0;
}

/* ---- the locked mailbox ---- */

static void
session_close(struct session *session)
{
	lock_close(&session->lock);
	fd_close(&session->fd);
}

static int
session_lock(struct session *session, struct err *err)
{
	const struct store_settings *settings = session->copy->base.settings;

	if (lock_open(&session->lock, &settings->locks,
		    settings->lock_deadline_ms, session->path, session->fd,
		    err) < 0) {
		fd_close(&session->fd);
		return -1;
	}
	return 0;
}

/* While we waited, another program may have put a new file in its place. */
static bool
is_current(struct session *session)
{
	struct stat named;

	return fstat(session->fd, &session->before) == 0 &&
	       stat(session->path, &named) == 0 &&
	       named.st_dev == session->before.st_dev &&
	       named.st_ino == session->before.st_ino;
}

static int
session_open(struct session *session, struct mbox_copy *copy, struct err *err)
{
	int tries;

	*session = (struct session){
		.copy = copy, .path = copy->folder.path, .fd = -1};
	for (tries = 0; tries < REOPEN_TRIES; tries++) {
		if (mbox_folder_open(copy->root, &copy->folder,
			    copy->write_flags, &session->fd, err) != STORE_OK ||
			session_lock(session, err) < 0)
			return -1;
		if (is_current(session))
			return 0;
		session_close(session);
	}
	return err_temp(
		err, "4.2.0", "%s is replaced again and again", session->path);
}

/* Programs tell from the two times whether there is mail that was not yet looked
 * at; some compare whole seconds.  Nothing depends on it. */
static void
set_times(const struct session *session, bool has_new_mail)
{
	struct timespec times[2] = {
		session->before.st_atim, session->before.st_mtim};
	time_t now = clock_now().tv_sec;

	if (has_new_mail) {
		times[1] = (struct timespec){.tv_nsec = UTIME_NOW};
		if (times[0].tv_sec >= now)
			times[0] = (struct timespec){.tv_sec = now - 1};
	}
	(void)futimens(session->fd, times);
}

static void
cut_back(const struct session *session)
{
	if (ftruncate(session->fd, session->before.st_size) < 0)
		log_error("ftruncate(%s, %lld) failed: %s; a part of a message "
			  "is left at its end",
			session->path, (long long)session->before.st_size,
			strerror(errno));
	set_times(session, false);
}

/* ---- commit ---- */

/* A message has an empty line before it, whoever wrote the one in front. */
static int
find_gap(const struct session *session, struct str *gap_out, struct err *err)
{
	uint64_t size = (uint64_t)session->before.st_size;
	char tail[3];
	struct str end;
	ssize_t got;

	got = fd_read_at(session->fd, tail, sizeof(tail),
		size < sizeof(tail) ? 0 : size - sizeof(tail));
	if (got < 0)
		return failure(err, "read", session->path);
	end = str_of(tail, (size_t)got);
	if (size == 0 || str_ends(end, STR("\n\n")) ||
		str_ends(end, STR("\n\r\n")))
		*gap_out = STR_EMPTY;
	else
		*gap_out = str_ends(end, STR("\n")) ? STR("\n") : STR("\n\n");
	return 0;
}

static int
write_bytes(const struct session *session, struct str bytes, struct err *err)
{
	if (fd_write(session->fd, bytes) < 0)
		return failure(err, "write", session->path);
	return 0;
}

static int
write_again(
	const struct session *session, struct buf *gathered, struct err *err)
{
	char input[READ_BYTES];
	struct mbox_text text;
	enum lookup found;
	struct str chunk;
	int result = 0;

	text_open(&text, session->copy, input);
	while (result == 0 &&
		(found = mbox_text_read(&text, &chunk, err)) != LOOKUP_NONE) {
		if (found == LOOKUP_ERROR) {
			result = -1;
			break;
		}
		buf_add(gathered, chunk);
		if (gathered->len >= WRITE_BYTES) {
			result = write_bytes(session, buf_view(gathered), err);
			buf_reset(gathered);
		}
	}
	mbox_text_clear(&text);
	if (result == 0)
		result = write_bytes(session, buf_view(gathered), err);
	return result;
}

static int
append(const struct session *session, struct str gap, struct err *err)
{
	const struct mbox_copy *copy = session->copy;
	struct buf gathered;
	int result;

	buf_init(&gathered, BUF_UNLIMITED);
	buf_add(&gathered, gap);
	if (copy->held.overflowed) {
		result = write_again(session, &gathered, err);
	} else {
		buf_add(&gathered, buf_view(&copy->held));
		result = write_bytes(session, buf_view(&gathered), err);
	}
	buf_clear(&gathered);
	return result;
}

static int
flush(const struct session *session, struct err *err)
{
	if (session->copy->base.settings->fsync == STORE_FSYNC_NEVER)
		return 0;
	if (fsync(session->fd) < 0)
		return failure(err, "fsync", session->path);
	return 0;
}

static int
append_durably(const struct session *session, struct err *err)
{
	struct mbox_copy *copy = session->copy;
	uint64_t start = (uint64_t)session->before.st_size;
	struct str gap = STR_EMPTY;

	if (find_gap(session, &gap, err) < 0)
		return -1;
	if (append(session, gap, err) < 0 || flush(session, err) < 0) {
		cut_back(session);
		return -1;
	}
	set_times(session, true);
	/* Whoever made the file a moment ago may not have flushed its name. */
	if (start == 0)
		paths_add(&copy->root->changed,
			paths_parent(str_from(session->path)));
	copy->device = session->before.st_dev;
	copy->inode = session->before.st_ino;
	copy->start = start;
	copy->end = start + gap.len + copy->length;
	return 0;
}

static int
mbox_commit(struct store_copy *base, struct err *err)
{
	struct mbox_copy *copy = copy_of(base);
	struct session session;
	int result;

	if (copy->state != STATE_PRIVATE)
		BUG("a copy is committed once");
	if (session_open(&session, copy, err) < 0)
		return -1;
	result = append_durably(&session, err);
	session_close(&session);
	if (result == 0)
		copy->state = STATE_PUBLIC;
	return result;
}

/* ---- the end ---- */

static bool
is_ours(const struct store_copy *copy)
{
	return copy->driver == &mbox_driver;
}

static int
mbox_settle(struct store_copy *const *copies, size_t count, struct err *err)
{
	struct arena *arena = arena_open();
	struct paths paths;
	size_t i, n;
	int result;

	paths_init(&paths, arena);
	for (i = 0; i < count; i++) {
		struct mbox_root *root;

		if (!is_ours(copies[i]) ||
			copies[i]->settings->fsync == STORE_FSYNC_NEVER)
			continue;
		root = copy_of(copies[i])->root;
		for (n = 0; n < root->changed.count; n++)
			paths_add(&paths, str_from(root->changed.path[n]));
	}
	result = paths_flush(&paths, err);
	for (i = 0; result == 0 && i < count; i++)
		if (is_ours(copies[i]))
			copy_of(copies[i])->root->changed.count = 0;
	arena_close(&arena);
	return result;
}

/* Still the same file, ending with what we wrote? */
static bool
is_at_end(const struct session *session)
{
	const struct mbox_copy *copy = session->copy;
	const struct str line = buf_view(&copy->from_line);
	char found[COMPARED_BYTES];
	uint64_t from = copy->end - copy->length;

	return session->before.st_dev == copy->device &&
	       session->before.st_ino == copy->inode &&
	       (uint64_t)session->before.st_size == copy->end &&
	       line.len <= sizeof(found) &&
	       fd_read_at(session->fd, found, line.len, from) ==
	               (ssize_t)line.len &&
	       memcmp(found, line.data, line.len) == 0;
}

static void
mbox_retract(struct store_copy *base)
{
	struct mbox_copy *copy = copy_of(base);
	struct session session;
	struct err err;

	if (copy->state != STATE_PUBLIC)
		return;
	copy->state = STATE_GONE;
	if (session_open(&session, copy, &err) < 0) {
		log_error("Could not take a message back out of %s: %s",
			copy->folder.path, err_log_text(&err));
		return;
	}
	if (!is_at_end(&session))
		log_warning("%s has changed: the message just filed stays and "
			    "may come once more",
			copy->folder.path);
	else if (ftruncate(session.fd, (off_t)copy->start) < 0)
		log_error("ftruncate(%s) failed: %s", copy->folder.path,
			strerror(errno));
	session_close(&session);
}

static void
mbox_close(struct store_copy *base)
{
	struct mbox_copy *copy = copy_of(base);

	buf_clear(&copy->base.path);
	buf_clear(&copy->keyword_lines);
	buf_clear(&copy->from_line);
	buf_clear(&copy->held);
	memory_free(copy);
}

static bool
may_write(const char *path, int mode)
{
	return faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0;
}

/* Beside a spool file nobody may make files; at home, as a rule, one may. */
static enum lookup
control_of_single(
	struct store_root *base, const char *name, const char **path_out)
{
	const char *folder = base->location.control;

	if (strcmp(folder, base->location.root) == 0)
		folder = base->settings->home;
	if (folder == NULL || folder[0] != '/')
		return LOOKUP_NONE;
	*path_out = arena_format(base->arena, "%s/.%s", folder, name);
	return may_write(*path_out, R_OK | W_OK) ||
	                       may_write(folder, W_OK | X_OK)
	               ? LOOKUP_FOUND
	               : LOOKUP_NONE;
}

/* Behind a dot: what has none is a mailbox. */
static enum lookup
mbox_control(struct store_root *base, const char *name, bool make,
	const char **path_out, struct err *err)
{
	(void)make;
	(void)err;
	if (root_of(base)->is_single)
		return control_of_single(base, name, path_out);
	*path_out = arena_format(
		base->arena, "%s/.%s", base->location.control, name);
	return LOOKUP_FOUND;
}

const struct store_driver mbox_driver = {
	.waits_for_locks = true,
	.name = "mbox",
	.layout = STORE_LAYOUT_FS,
	.subscriptions = ".subscriptions",
	.open = mbox_open,
	.find = mbox_find,
	.parts = mbox_measure_parts,
	.measure = mbox_measure,
	.control = mbox_control,
	.write = mbox_write,
	.link = mbox_link,
	.set_keywords = mbox_set_keywords,
	.sync = mbox_sync,
	.commit = mbox_commit,
	.settle = mbox_settle,
	.retract = mbox_retract,
	.close = mbox_close,
};
