/* SPDX-License-Identifier: MIT */
#include "store/keywords.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/number.h"
#include "store/failure.h"

#include "base/banned.h"

/* ---- the file ---- */

static bool
take_line(struct keywords *keywords, struct str line)
{
	size_t blank = str_find_char(line, ' ');
	struct str name = str_skip(line, blank + 1);
	uint64_t number;

	if (number_parse(str_slice(line, 0, blank), &number) < 0 ||
		number >= KEYWORDS_MAX || name.len == 0 ||
		keywords->names[number].len > 0)
		return false;
	keywords->names[number] = name;
	return true;
}

/* A last line without its end may be half a name. */
static void
parse(struct keywords *keywords, struct str text)
{
	while (text.len > 0) {
		size_t end = str_find_char(text, '\n');

		if (end == text.len ||
			!take_line(keywords, str_slice(text, 0, end)))
			keywords->is_broken = true;
		text = str_skip(text, end + 1);
	}
}

static int
read_open_file(
	struct keywords *keywords, int fd, struct buf *text, struct err *err)
{
	struct stat found;

	if (fstat(fd, &found) < 0)
		return failure(err, "fstat", keywords->path);
	if (!S_ISREG(found.st_mode))
		return err_temp(err, "4.3.0", "%s is no file", keywords->path);
	if (fd_read_rest(fd, text) < 0)
		return failure(err, "read", keywords->path);
	keywords->changed = found.st_mtim.tv_sec;
	parse(keywords, arena_copy(keywords->arena, buf_view(text)));
	return 0;
}

static int
read_file(struct keywords *keywords, struct err *err)
{
	/* Whatever stands there must not hold up the mail. */
	int fd = open(keywords->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct buf text;
	int result;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return failure(err, "open", keywords->path);
	buf_init(&text, KEYWORDS_FILE_BYTES);
	result = read_open_file(keywords, fd, &text, err);
	buf_clear(&text);
	fd_close(&fd);
	return result;
}

/* ---- a new one in its place ---- */

static void
format(const struct keywords *keywords, struct buf *text)
{
	size_t i;

	for (i = 0; i < KEYWORDS_MAX; i++)
		if (keywords->names[i].len > 0)
			buf_add_format(text, "%zu %.*s\n", i,
				STR_ARG(keywords->names[i]));
}

/* Readers compare whole seconds. */
static int
grow_time(const struct keywords *keywords, int fd)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {0}};
	struct stat made;

	if (fstat(fd, &made) < 0)
		return -1;
	if (made.st_mtim.tv_sec > keywords->changed)
		return 0;
	times[1].tv_sec = keywords->changed + 1;
	return futimens(fd, times);
}

static int
fill(const struct keywords *keywords, int fd, const char *path, struct str text,
	struct err *err)
{
	bool is_flushed = keywords->settings->fsync != STORE_FSYNC_NEVER;

	if (permission_apply_file(keywords->permission, fd, path) < 0)
		return failure(err, "fchown", path);
	if (fd_write(fd, text) < 0)
		return failure(err, "write", path);
	if (grow_time(keywords, fd) < 0)
		return failure(err, "futimens", path);
	if (is_flushed && fsync(fd) < 0)
		return failure(err, "fsync", path);
	if (rename(path, keywords->path) < 0)
		return failure(err, "rename", keywords->path);
	if (is_flushed && fd_sync_folder(keywords->folder) < 0)
		return failure(err, "fsync", keywords->folder);
	return 0;
}

static int
replace_locked(
	const struct keywords *keywords, struct str text, struct err *err)
{
	const char *path =
		arena_format(keywords->arena, "%s.new", keywords->path);
	int fd, result;

	/* What is there was left by one who died: the lock is ours. */
	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		0600);
	if (fd < 0)
		return failure(err, "open", path);
	result = fill(keywords, fd, path, text, err);
	fd_close(&fd);
	if (result < 0)
		(void)unlink(path);
	return result;
}

static struct store_lock_settings
lock_settings(const struct store_settings *settings)
{
	return (struct store_lock_settings){
		.kinds = {STORE_LOCK_DOTLOCK},
		.count = 1,
		.timeout_ms = settings->keywords_timeout_ms != 0
	                              ? settings->keywords_timeout_ms
	                              : KEYWORDS_WAIT_MS,
		.dotlock_by_link = settings->locks.dotlock_by_link,
		.refusal_hint = "keywords need that lock file",
	};
}

static int
replace_file(const struct keywords *keywords, struct err *err)
{
	const struct store_lock_settings settings =
		lock_settings(keywords->settings);
	struct buf text;
	struct lock lock;
	int result;

	if (lock_open(&lock, &settings, keywords->settings->lock_deadline_ms,
		    keywords->path, keywords->fd, err) < 0)
		return -1;
	buf_init(&text, BUF_UNLIMITED);
	format(keywords, &text);
	result = replace_locked(keywords, buf_view(&text), err);
	buf_clear(&text);
	lock_close(&lock);
	return result;
}

/* ---- letters ---- */

static size_t
find(const struct keywords *keywords, struct str name)
{
	size_t i;

	for (i = 0; i < KEYWORDS_MAX; i++)
		if (str_equal_nocase(keywords->names[i], name))
			break;
	return i;
}

/* The first ones that are free, as Dovecot takes them.  True: there are some for
 * all. */
static bool
add_missing(struct keywords *keywords, const struct str *names, size_t count,
	bool *has_changed)
{
	size_t i, place;

	for (i = 0; i < count; i++) {
		if (find(keywords, names[i]) < KEYWORDS_MAX)
			continue;
		place = find(keywords, STR_EMPTY);
		if (place == KEYWORDS_MAX)
			return false;
		keywords->names[place] = names[i];
		*has_changed = true;
	}
	return true;
}

static bool
has_all(const struct keywords *keywords, const struct str *names, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (find(keywords, names[i]) == KEYWORDS_MAX)
			return false;
	return true;
}

/* -1: not all of them are in the file now. */
static int
complete(struct keywords *keywords, const struct str *names, size_t count,
	struct err *err)
{
	struct str before[KEYWORDS_MAX];
	bool has_changed = false, has_room;

	if (has_all(keywords, names, count))
		return 0;
	if (keywords->is_broken)
		return err_temp(err, "4.3.0",
			"%s is broken, so nothing is added to it",
			keywords->path);
	memcpy(before, keywords->names, sizeof(before));
	has_room = add_missing(keywords, names, count, &has_changed);
	if (has_changed && replace_file(keywords, err) < 0) {
		memcpy(keywords->names, before, sizeof(before));
		return -1;
	}
	if (!has_room)
		return err_temp(err, "4.3.0",
			"%s has %d keywords, which is all it can hold",
			keywords->path, KEYWORDS_MAX);
	return 0;
}

static void
put_letters(const struct keywords *keywords, const struct str *names,
	size_t count, char letters[KEYWORDS_MAX + 1])
{
	bool is_wanted[KEYWORDS_MAX + 1] = {false};
	size_t i, n = 0;

	for (i = 0; i < count; i++)
		is_wanted[find(keywords, names[i])] = true;
	for (i = 0; i < KEYWORDS_MAX; i++)
		if (is_wanted[i])
			letters[n++] = (char)('a' + i);
	letters[n] = '\0';
}

int
keywords_letters(struct keywords *keywords, const struct str *names,
	size_t count, char letters[KEYWORDS_MAX + 1], struct err *err)
{
	int result = complete(keywords, names, count, err);

	put_letters(keywords, names, count, letters);
	return result;
}

bool
keywords_look_up(const char *control, const struct str *names, size_t count,
	char letters[KEYWORDS_MAX + 1])
{
	struct arena *arena = arena_open();
	struct keywords keywords = {.arena = arena,
		.path = arena_format(arena, "%s/dovecot-keywords", control)};
	struct err err;
	bool are_known = read_file(&keywords, &err) == 0 &&
	                 has_all(&keywords, names, count);

	letters[0] = '\0';
	if (are_known)
		put_letters(&keywords, names, count, letters);
	arena_close(&arena);
	return are_known;
}

/* ---- all of it ---- */

/* A control folder apart from the mail is made when the IMAP server comes first;
 * else by us. */
static int
open_folder(struct keywords *keywords, struct err *err)
{
	keywords->fd =
		open(keywords->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return keywords->fd < 0 ? failure(err, "open", keywords->folder) : 0;
}

int
keywords_open(struct keywords *keywords, const char *control,
	const struct permission *permission,
	const struct store_settings *settings, struct err *err)
{
	const struct store_lock_settings locks = lock_settings(settings);
	struct arena *arena = arena_open();

	*keywords = (struct keywords){.arena = arena,
		.folder = control,
		.path = arena_format(arena, "%s/dovecot-keywords", control),
		.locked_path =
			arena_format(arena, "%s/dovecot-uidlist", control),
		.settings = settings,
		.permission = permission,
		.fd = -1};
	if (open_folder(keywords, err) < 0 ||
		lock_open(&keywords->lock, &locks, settings->lock_deadline_ms,
			keywords->locked_path, keywords->fd, err) < 0 ||
		read_file(keywords, err) < 0) {
		keywords_close(keywords);
		return -1;
	}
	return 0;
}

void
keywords_close(struct keywords *keywords)
{
	lock_close(&keywords->lock);
	fd_close(&keywords->fd);
	arena_close(&keywords->arena);
}
