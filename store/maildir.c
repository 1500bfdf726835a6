/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "store/driver.h"
#include "store/failure.h"
#include "store/keywords.h"
#include "store/maildir_folder.h"
#include "store/maildir_measure.h"
#include "store/maildir_name.h"
#include "store/maildir_target.h"
#include "store/paths.h"
#include "store/publish.h"
#include "store/uidlist.h"

#include "base/banned.h"

enum {
	NAME_TRIES = 100,        /* names that are all taken: give up */
	READ_BYTES = 32 * 1024,  /* buffer of the content's reader */
	WRITE_BYTES = 64 * 1024, /* a message of up to that is one write */
	PATH_BYTES = 4096,
	LOST_BYTES = 200 /* of names of keywords in the log */
};

/* The bytes on disk, under one name or several. */
struct written {
	unsigned users;
	int fd; /* until it is flushed and closed */
	bool save_crlf;
	/* The kernel tells of lost bytes once; a second fsync() succeeds. */
	bool is_broken;
	bool is_flushed; /* in advance; flush_error is what that said */
	int flush_error;
};

enum state {
	STATE_PRIVATE, /* in tmp/, or nowhere yet */
	STATE_PUBLIC,
	STATE_GONE
};

struct maildir_copy {
	struct store_copy base;
	struct maildir_root *root;
	struct maildir_folder *folder;
	struct written *written;
	char stem[MAILDIR_STEM_MAX];
	unsigned store_flags;
	const struct str *keywords;
	size_t keyword_count;
	char letters[KEYWORDS_MAX + 1]; /* from the commit on */
	enum state state;
	/* Its folders were flushed in advance. */
	bool folders_are_flushed;
	int folders_error; /* an errno, 0: none; and where */
	struct buf folders_path;
	struct buf target; /* the public path, once somebody was told of it */
};

static struct maildir_root *
root_of(struct store_root *root)
{
	return CONTAINER_OF(root, struct maildir_root, base);
}

static struct maildir_copy *
copy_of(struct store_copy *copy)
{
	return CONTAINER_OF(copy, struct maildir_copy, base);
}

static int
maildir_open(const struct store_root *base, struct store_root **root_out,
	struct err *err)
{
	struct maildir_root *root = ARENA_NEW(base->arena, struct maildir_root);

	root->base = *base;
	paths_init(&root->changed, base->arena);
	if (maildir_name_host(base->arena, &root->host, err) < 0)
		return -1;
	*root_out = &root->base;
	return 0;
}

static enum lookup
maildir_find(struct store_root *root, const char *disk, struct err *err)
{
	return maildir_folder_find(root_of(root), disk, err);
}

static int
maildir_list(struct store_root *root, const char *disk,
	struct store_names *names, struct err *err)
{
	return maildir_folder_list(root_of(root), disk, names, err);
}

static void
maildir_parts(
	struct store_root *root, const char *disk, struct store_names *paths)
{
	maildir_folder_parts(root_of(root), disk, paths);
}

static enum lookup
maildir_control(struct store_root *base, const char *name, bool make,
	const char **path_out, struct err *err)
{
	static const struct folder inbox = {.is_inbox = true, .disk = ""};

	if (maildir_folder_inbox_control(
		    root_of(base), &inbox, make, path_out, err) < 0)
		return LOOKUP_ERROR;
	*path_out = arena_format(base->arena, "%s/%s", *path_out, name);
	return LOOKUP_FOUND;
}

static enum lookup
maildir_id(struct store_root *root, const char *disk, struct str *id_out,
	struct err *err)
{
	return uidlist_id(root->arena,
		maildir_folder_control(root_of(root), disk), id_out, err);
}

static enum store_keywords
maildir_keywords_state(struct store_root *root, const char *disk,
	const struct str *keywords, size_t count)
{
	struct arena_mark mark = arena_mark(root->arena);
	const char *control = maildir_folder_control(root_of(root), disk);
	const char *lock =
		arena_format(root->arena, "%s/dovecot-uidlist.lock", control);
	enum store_keywords state = STORE_KEYWORDS_NEW;
	char letters[KEYWORDS_MAX + 1];

	if (keywords_look_up(control, keywords, count, letters))
		state = STORE_KEYWORDS_READY;
	else if (access(lock, F_OK) == 0)
		state = STORE_KEYWORDS_LOCKED;
	arena_release(root->arena, mark);
	return state;
}

/* ---- the private file ---- */

static struct maildir_copy *
copy_open(struct maildir_root *root, struct maildir_folder *folder,
	const struct content *content, unsigned store_flags)
{
	struct maildir_copy *copy = memory_get(sizeof(*copy));

	copy->base.driver = &maildir_driver;
	copy->base.settings = root->base.settings;
	copy->base.content = content;
	copy->base.folder = folder->name;
	buf_init(&copy->base.path, PATH_BYTES);
	buf_init(&copy->folders_path, PATH_BYTES);
	buf_init(&copy->target, PATH_BYTES);
	copy->root = root;
	copy->folder = folder;
	copy->store_flags = store_flags;
	copy->state = STATE_PRIVATE;
	return copy;
}

/* -1 with errno. */
static int
set_private_path(struct maildir_copy *copy)
{
	maildir_name_stem(copy->stem, copy->root->host);
	buf_reset(&copy->base.path);
	buf_add_format(
		&copy->base.path, "%s/tmp/%s", copy->folder->path, copy->stem);
	if (copy->base.path.overflowed) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

/* -1 with errno. */
static int
open_new_file(struct maildir_copy *copy)
{
	int fd = -1, tries;

	for (tries = 0; fd < 0 && tries < NAME_TRIES; tries++) {
		if (set_private_path(copy) < 0)
			break;
		fd = open(buf_text(&copy->base.path),
			O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY,
			0600);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	return fd;
}

static enum store_result
create_file(struct maildir_copy *copy, unsigned write_flags, struct err *err)
{
	enum store_result result;
	int fd = open_new_file(copy);

	if (fd < 0 && errno == ENOENT) {
		result = maildir_folder_repair(
			copy->root, copy->folder, write_flags, err);
		if (result != STORE_OK)
			return result;
		fd = open_new_file(copy);
	}
	if (fd < 0) {
		failure(err, "open", buf_text(&copy->base.path));
		return STORE_FAILED;
	}
	copy->written = memory_get(sizeof(*copy->written));
	copy->written->users = 1;
	copy->written->fd = fd;
	copy->written->save_crlf = copy->base.settings->save_crlf;
	if (permission_apply_file(&copy->folder->permission, fd,
		    buf_text(&copy->base.path)) < 0) {
		failure(err, "fchown", buf_text(&copy->base.path));
		return STORE_FAILED;
	}
	return STORE_OK;
}

static int
write_bytes(struct maildir_copy *copy, struct str bytes, struct err *err)
{
	if (fd_write(copy->written->fd, bytes) < 0)
		return failure(err, "write", buf_text(&copy->base.path));
	copy->base.size += bytes.len;
	return 0;
}

/* Chunks are gathered: header fields that were put in front are chunks of
 * their own, and a system call costs more than moving some bytes. */
static int
write_content(struct maildir_copy *copy, struct err *err)
{
	char input[READ_BYTES], gathered[WRITE_BYTES];
	bool save_crlf = copy->written->save_crlf;
	struct content_reader reader;
	enum lookup found;
	struct str chunk;
	size_t len = 0;

	content_reader_init(&reader, copy->base.content,
		save_crlf ? LINE_ENDS_CRLF : LINE_ENDS_LF, input,
		sizeof(input));
	while ((found = content_read(&reader, &chunk, err)) == LOOKUP_FOUND) {
		if (chunk.len > sizeof(gathered) - len) {
			if (write_bytes(copy, str_of(gathered, len), err) < 0)
				return -1;
			len = 0;
		}
		if (chunk.len > sizeof(gathered)) {
			if (write_bytes(copy, chunk, err) < 0)
				return -1;
			continue;
		}
		memcpy(gathered + len, chunk.data, chunk.len);
		len += chunk.len;
	}
	if (found == LOOKUP_ERROR ||
		write_bytes(copy, str_of(gathered, len), err) < 0)
		return -1;
	copy->base.vsize = copy->base.size + (save_crlf ? 0 : reader.lines);
	if (copy->base.settings->fsync != STORE_FSYNC_NEVER)
		fd_begin_sync(copy->written->fd);
	return 0;
}

static void maildir_close(struct store_copy *base);

static enum store_result
maildir_write(struct store_root *base, const struct folder *place,
	unsigned write_flags, const struct content *content,
	unsigned store_flags, struct store_copy **copy_out, struct err *err)
{
	struct maildir_root *root = root_of(base);
	struct maildir_folder *folder;
	struct maildir_copy *copy;
	enum store_result result;

	result = maildir_folder_open(root, place, write_flags, &folder, err);
	if (result != STORE_OK)
		return result;
	copy = copy_open(root, folder, content, store_flags);
	result = create_file(copy, write_flags, err);
	if (result == STORE_OK && write_content(copy, err) < 0)
		result = STORE_FAILED;
	if (result == STORE_OK)
		*copy_out = &copy->base;
	else
		maildir_close(&copy->base);
	return result;
}

/* ---- links ---- */

static bool
may_share(const struct maildir_copy *original,
	const struct maildir_folder *folder,
	const struct store_settings *settings)
{
	return original->state != STATE_GONE &&
	       original->written->save_crlf == settings->save_crlf &&
	       permission_is_same(
		       &original->folder->permission, &folder->permission);
}

/* Any failure but a taken name or a folder that has to be made is left to
 * writing, which meets it again or gets round it. */
static bool
link_file(struct maildir_copy *copy, struct maildir_copy *original,
	unsigned write_flags)
{
	bool was_repaired = false;
	struct err err;
	int tries;

	for (tries = 0; tries < NAME_TRIES; tries++) {
		if (set_private_path(copy) < 0)
			return false;
		if (link(buf_text(&original->base.path),
			    buf_text(&copy->base.path)) == 0) {
			copy->written = original->written;
			copy->written->users++;
			copy->base.size = original->base.size;
			copy->base.vsize = original->base.vsize;
			return true;
		}
		if (errno == ENOENT && !was_repaired) {
			was_repaired = true;
			if (maildir_folder_repair(copy->root, copy->folder,
				    write_flags, &err) != STORE_OK)
				return false;
		} else if (errno != EEXIST) {
			return false;
		}
	}
	return false;
}

static enum store_result
maildir_link(struct store_root *base, const struct folder *place,
	unsigned write_flags, struct store_copy *original_base,
	unsigned store_flags, struct store_copy **copy_out, struct err *err)
{
	struct maildir_copy *original = copy_of(original_base), *copy;
	struct maildir_root *root = root_of(base);
	struct maildir_folder *folder;
	enum store_result result;

	result = maildir_folder_open(root, place, write_flags, &folder, err);
	if (result != STORE_OK)
		return result;
	if (may_share(original, folder, root->base.settings)) {
		copy = copy_open(
			root, folder, original_base->content, store_flags);
		if (link_file(copy, original, write_flags)) {
			*copy_out = &copy->base;
			return STORE_OK;
		}
		maildir_close(&copy->base);
	}
	return maildir_write(base, place, write_flags, original_base->content,
		store_flags, copy_out, err);
}

/* ---- the public file ---- */

static bool
is_ours(const struct store_copy *copy)
{
	return copy->driver == &maildir_driver;
}

static bool
is_to_flush(const struct store_copy *copy)
{
	return is_ours(copy) && copy->settings->fsync != STORE_FSYNC_NEVER;
}

static void
maildir_flush_files(
	struct store_copy *const *copies, size_t count, struct flush_crew *crew)
{
	struct arena *arena = arena_open();
	struct written **all = ARENA_ARRAY(arena, struct written *, count);
	int *fds = ARENA_ARRAY(arena, int, count);
	int *errors = ARENA_ARRAY(arena, int, count);
	size_t files = 0, i;

	for (i = 0; i < count; i++) {
		struct written *written;

		if (!is_to_flush(copies[i]))
			continue;
		written = copy_of(copies[i])->written;
		if (written->fd < 0 || written->is_flushed)
			continue;
		written->is_flushed = true;
		fds[files] = written->fd;
		all[files++] = written;
	}
	flush_files(crew, fds, errors, files);
	for (i = 0; i < files; i++)
		all[i]->flush_error = errors[i];
	arena_close(&arena);
}

static int
flush_written(const struct written *written)
{
	if (!written->is_flushed)
		return fsync(written->fd);
	errno = written->flush_error;
	return errno == 0 ? 0 : -1;
}

static int
maildir_sync(struct store_copy *base, struct err *err)
{
	struct maildir_copy *copy = copy_of(base);
	int fd = copy->written->fd;

	if (copy->written->is_broken)
		return err_temp(err, "4.3.0",
			"%s shares its bytes with a file that could not be "
			"flushed",
			buf_text(&base->path));
	if (fd < 0)
		return 0;
	copy->written->is_broken = true;
	if (base->settings->fsync != STORE_FSYNC_NEVER &&
		flush_written(copy->written) < 0)
		return failure(err, "fsync", buf_text(&base->path));
	copy->written->fd = -1;
	/* NFS tells only now of a full disk. */
	if (close(fd) < 0 && errno != EINTR)
		return failure(err, "close", buf_text(&base->path));
	copy->written->is_broken = false;
	return 0;
}

static const char *
part_of(const struct maildir_copy *copy)
{
	return copy->store_flags != 0 || copy->letters[0] != '\0' ? "cur"
	                                                          : "new";
}

static void
build_public_path(struct buf *path, const struct maildir_copy *copy)
{
	buf_reset(path);
	buf_add_format(path, "%s/%s/", copy->folder->path, part_of(copy));
	maildir_name_public(path, copy->stem, copy->base.size, copy->base.vsize,
		copy->store_flags, copy->letters);
}

/* What is told lacks the letters, which are known when the lock is held: whoever
 * looks for it finds it by what stands before them. */
static const char *
maildir_target(struct store_copy *base)
{
	struct maildir_copy *copy = copy_of(base);

	build_public_path(&copy->target, copy);
	return buf_text(&copy->target);
}

/* A name that is taken gets another stem, unless it was told; a folder that lost
 * its new/ or cur/ gets it again, once. */
static int
publish_copy(struct maildir_copy *copy, struct buf *path, struct err *err)
{
	bool was_repaired = false;
	int tries;

	for (tries = 0; tries < NAME_TRIES; tries++) {
		build_public_path(path, copy);
		if (path->overflowed)
			errno = ENAMETOOLONG;
		else if (publish(buf_text(&copy->base.path), buf_text(path)) ==
			 0)
			return 0;
		if (errno == EEXIST && copy->target.len == 0) {
			maildir_name_stem(copy->stem, copy->root->host);
		} else if (errno == ENOENT && !was_repaired) {
			was_repaired = true;
			if (maildir_folder_make_part(copy->root, copy->folder,
				    part_of(copy), err) < 0)
				return -1;
		} else {
			break;
		}
	}
	return failure(err, "rename", buf_text(path));
}

/* ---- keywords ---- */

static int
maildir_set_keywords(struct store_copy *base, const struct str *keywords,
	size_t count, struct err *err UNUSED)
{
	struct maildir_copy *copy = copy_of(base);

	copy->keywords = keywords;
	copy->keyword_count = count;
	return 0;
}

static void
tell_lost_keywords(const struct maildir_copy *copy, const struct err *err)
{
	struct buf names;
	size_t i;

	buf_init(&names, LOST_BYTES);
	for (i = 0; i < copy->keyword_count; i++)
		buf_add_format(&names, " %.*s", STR_ARG(copy->keywords[i]));
	log_warning("%s: not all of the keywords%s%s could be set, filed "
		    "without: %s",
		copy->folder->path, buf_text(&names),
		names.overflowed ? " ..." : "", err_log_text(err));
	buf_clear(&names);
}

/* A folder whose lock was waited for in vain is not waited for once more: there
 * may be many copies. */
static int
open_keywords(
	struct maildir_copy *copy, struct keywords *keywords, struct err *err)
{
	struct maildir_folder *folder = copy->folder;

	if (folder->keywords_are_refused)
		return err_temp(err, "4.2.0", "they could not be had before");
	if (maildir_folder_make_control(copy->root, folder) < 0) {
		failure(err, "mkdir", folder->control);
	} else if (keywords_open(keywords, folder->control, &folder->permission,
			   copy->base.settings, err) == 0) {
		return 0;
	}
	folder->keywords_are_refused = true;
	return -1;
}

/* New letters are given under the lock, which is held until the copy has its
 * name. */
static int
publish_with_letters(
	struct maildir_copy *copy, struct buf *path, struct err *err)
{
	struct keywords keywords;
	struct err why;
	int result;

	if (keywords_look_up(copy->folder->control, copy->keywords,
		    copy->keyword_count, copy->letters))
		return publish_copy(copy, path, err);
	if (open_keywords(copy, &keywords, &why) < 0) {
		tell_lost_keywords(copy, &why);
		return publish_copy(copy, path, err);
	}
	if (keywords_letters(&keywords, copy->keywords, copy->keyword_count,
		    copy->letters, &why) < 0)
		tell_lost_keywords(copy, &why);
	result = publish_copy(copy, path, err);
	keywords_close(&keywords);
	return result;
}

static int
maildir_commit(struct store_copy *base, struct err *err)
{
	struct maildir_copy *copy = copy_of(base);
	struct buf path;
	int result;

	if (copy->state != STATE_PRIVATE)
		BUG("a copy is committed once");
	if (maildir_sync(base, err) < 0)
		return -1;
	buf_init(&path, PATH_BYTES);
	result = copy->keyword_count > 0
	                 ? publish_with_letters(copy, &path, err)
	                 : publish_copy(copy, &path, err);
	if (result < 0) {
		buf_clear(&path);
		return -1;
	}
	buf_clear(&base->path);
	base->path = path;
	copy->state = STATE_PUBLIC;
	return 0;
}

static void
add_changed(struct paths *paths, const struct maildir_copy *copy)
{
	size_t i;

	paths_add(paths, paths_parent(buf_view(&copy->base.path)));
	for (i = 0; i < copy->root->changed.count; i++)
		paths_add(paths, str_from(copy->root->changed.path[i]));
}

static bool
has_folders_to_flush(const struct store_copy *copy)
{
	return is_to_flush(copy) &&
	       copy_of((struct store_copy *)(uintptr_t)copy)->state ==
	               STATE_PUBLIC;
}

/* The first of the copy's folders that could not be flushed. */
static void
note_flushed(struct maildir_copy *copy, const struct paths_flushed *flushed)
{
	struct arena *arena = arena_open();
	struct paths paths;
	size_t i;

	paths_init(&paths, arena);
	add_changed(&paths, copy);
	copy->folders_are_flushed = true;
	for (i = 0; i < paths.count && copy->folders_error == 0; i++) {
		copy->folders_error = paths_flush_error(flushed, paths.path[i]);
		buf_reset(&copy->folders_path);
		buf_add_text(&copy->folders_path, paths.path[i]);
	}
	arena_close(&arena);
}

static void
maildir_flush_folders(
	struct store_copy *const *copies, size_t count, struct flush_crew *crew)
{
	struct arena *arena = arena_open();
	struct paths_flushed flushed;
	struct paths paths;
	size_t i;

	paths_init(&paths, arena);
	for (i = 0; i < count; i++)
		if (has_folders_to_flush(copies[i]))
			add_changed(&paths, copy_of(copies[i]));
	flushed = paths_flush_together(&paths, crew);
	for (i = 0; i < count; i++)
		if (has_folders_to_flush(copies[i]))
			note_flushed(copy_of(copies[i]), &flushed);
	arena_close(&arena);
}

static int
check_flushed(const struct maildir_copy *copy, struct err *err)
{
	if (copy->folders_error == 0)
		return 0;
	errno = copy->folders_error;
	return failure(err, "fsync", buf_text(&copy->folders_path));
}

static int
flush_folders(struct store_copy *const *copies, size_t count, struct err *err)
{
	struct arena *arena = arena_open();
	struct paths paths;
	size_t i;
	int result = 0;

	paths_init(&paths, arena);
	for (i = 0; result == 0 && i < count; i++) {
		if (!has_folders_to_flush(copies[i]))
			continue;
		if (copy_of(copies[i])->folders_are_flushed)
			result = check_flushed(copy_of(copies[i]), err);
		else
			add_changed(&paths, copy_of(copies[i]));
	}
	if (result == 0)
		result = paths_flush(&paths, err);
	for (i = 0; result == 0 && i < count; i++)
		if (is_ours(copies[i]))
			copy_of(copies[i])->root->changed.count = 0;
	arena_close(&arena);
	return result;
}

static void
clean_folder(struct maildir_copy *copy)
{
	uint64_t interval_ms = copy->base.settings->temp_scan_interval_ms;

	if (interval_ms == 0 || copy->folder->was_cleaned)
		return;
	copy->folder->was_cleaned = true;
	maildir_folder_clean(copy->folder, interval_ms);
}

static int
maildir_settle(struct store_copy *const *copies, size_t count, struct err *err)
{
	size_t i;

	if (flush_folders(copies, count, err) < 0)
		return -1;
	for (i = 0; i < count; i++)
		if (is_ours(copies[i]))
			clean_folder(copy_of(copies[i]));
	return 0;
}

/* ---- the end ---- */

/* An IMAP session may have moved the file from new/ to cur/, with flags behind
 * its name. */
static void
unlink_where_it_is(struct maildir_copy *copy)
{
	struct arena *arena = arena_open();
	const char *path;
	struct err err;

	if (maildir_target_find(arena, buf_text(&copy->base.path), &path,
		    &err) == LOOKUP_FOUND)
		(void)unlink(path);
	arena_close(&arena);
}

static void
maildir_retract(struct store_copy *base)
{
	struct maildir_copy *copy = copy_of(base);

	if (copy->state == STATE_PUBLIC && unlink(buf_text(&base->path)) < 0 &&
		errno == ENOENT)
		unlink_where_it_is(copy);
	if (copy->state == STATE_PUBLIC)
		copy->state = STATE_GONE;
}

static bool
maildir_owns_target(const struct store_root *root, const char *target)
{
	return maildir_target_is_below(&root->location, target);
}

static enum lookup
maildir_find_target(struct store_root *root, const char *target,
	const char **path_out, struct err *err)
{
	return maildir_target_find(root->arena, target, path_out, err);
}

static int
maildir_flush_target(struct store_root *root, const char *path, struct err *err)
{
	return maildir_target_flush(root->arena, &root->location, path, err);
}

static void
maildir_remove_target(struct store_root *root, const char *path)
{
	(void)root;
	maildir_target_remove(path);
}

static bool
maildir_is_beside(struct store_copy *base, const char *path)
{
	return maildir_target_is_in(path, copy_of(base)->folder->path);
}

static void
written_release(struct written *written)
{
	if (--written->users > 0)
		return;
	fd_close(&written->fd);
	memory_free(written);
}

static void
maildir_close(struct store_copy *base)
{
	struct maildir_copy *copy = copy_of(base);

	/* Without bytes there is no file of ours by that name. */
	if (copy->written != NULL) {
		if (copy->state == STATE_PRIVATE)
			(void)unlink(buf_text(&base->path));
		written_release(copy->written);
	}
	buf_clear(&base->path);
	buf_clear(&copy->folders_path);
	buf_clear(&copy->target);
	memory_free(copy);
}

const struct store_driver maildir_driver = {
	.name = "maildir",
	.layout = STORE_LAYOUT_MAILDIRPP,
	.subscriptions = "subscriptions",
	.open = maildir_open,
	.find = maildir_find,
	.list = maildir_list,
	.parts = maildir_parts,
	.measure = maildir_measure,
	.control = maildir_control,
	.id = maildir_id,
	.write = maildir_write,
	.link = maildir_link,
	.set_keywords = maildir_set_keywords,
	.keywords_state = maildir_keywords_state,
	.flush_files = maildir_flush_files,
	.flush_folders = maildir_flush_folders,
	.sync = maildir_sync,
	.commit = maildir_commit,
	.settle = maildir_settle,
	.retract = maildir_retract,
	.target = maildir_target,
	.owns_target = maildir_owns_target,
	.find_target = maildir_find_target,
	.flush_target = maildir_flush_target,
	.remove_target = maildir_remove_target,
	.is_beside = maildir_is_beside,
	.close = maildir_close,
};
