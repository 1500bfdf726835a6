/* SPDX-License-Identifier: MIT */
#include "quota/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/number.h"

#include "base/banned.h"

#define TABLE_LOCK ((off_t)1 << 40)
#define NAMES_LOCK (TABLE_LOCK + 1)
#define KNOWN_WORD "known"

enum { PAUSE_MS = 2, TABLE_MAX = RESERVE_LINES_MAX * RESERVE_LINE };

/* ---- locks ---- */

static int
lock_byte(const struct reserve *reserve, int command, short type, off_t place)
{
	struct flock lock = {.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = place,
		.l_len = 1};

	return fcntl(reserve->fd, command, &lock);
}

/* Whether nobody else has it. */
static bool
is_unlocked(const struct reserve *reserve, off_t place)
{
	struct flock lock = {.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = place,
		.l_len = 1};

	return fcntl(reserve->fd, F_OFD_GETLK, &lock) == 0 &&
	       lock.l_type == F_UNLCK;
}

static bool
is_over(const struct reserve *reserve, uint64_t began_ms)
{
	uint64_t now_ms = clock_monotonic_ms();

	return now_ms - began_ms >= RESERVE_WAIT_MS ||
	       (reserve->deadline_ms > 0 && now_ms >= reserve->deadline_ms);
}

/* -1 with errno; EAGAIN: not in time. */
static int
wait_for_byte(const struct reserve *reserve, short type, off_t place)
{
	uint64_t began_ms = 0;

	while (lock_byte(reserve, F_OFD_SETLK, type, place) < 0) {
		if (errno != EAGAIN && errno != EACCES && errno != EINTR)
			return -1;
		if (began_ms == 0)
			began_ms = clock_monotonic_ms();
		if (is_over(reserve, began_ms)) {
			errno = EAGAIN;
			return -1;
		}
		(void)poll(NULL, 0, PAUSE_MS);
	}
	return 0;
}

int
reserve_lock(struct reserve *reserve, struct err *err)
{
	if (reserve->fd < 0 || reserve->has_table)
		return 0;
	if (wait_for_byte(reserve, F_WRLCK, TABLE_LOCK) < 0)
		return err_temp_errno(
			err, "4.2.0", "cannot lock %s", reserve->path);
	reserve->has_table = true;
	return 0;
}

void
reserve_unlock(struct reserve *reserve)
{
	if (reserve->has_table)
		(void)lock_byte(reserve, F_OFD_SETLK, F_UNLCK, TABLE_LOCK);
	reserve->has_table = false;
}

bool
reserve_share_names(struct reserve *reserve)
{
	if (reserve->fd < 0)
		return true;
	reserve->has_names = wait_for_byte(reserve, F_RDLCK, NAMES_LOCK) == 0;
	return reserve->has_names;
}

bool
reserve_take_names(struct reserve *reserve)
{
	if (reserve->fd < 0)
		return true;
	reserve->has_names = wait_for_byte(reserve, F_WRLCK, NAMES_LOCK) == 0;
	return reserve->has_names;
}

void
reserve_give_names(struct reserve *reserve)
{
	if (reserve->has_names)
		(void)lock_byte(reserve, F_OFD_SETLK, F_UNLCK, NAMES_LOCK);
	reserve->has_names = false;
}

/* ---- the table ---- */

enum lookup
reserve_open(struct reserve *reserve, const char *path, uint64_t deadline_ms,
	struct err *err)
{
	struct stat status;

	*reserve = (struct reserve){
		.fd = -1, .path = path, .deadline_ms = deadline_ms};
	if (path == NULL)
		return LOOKUP_NONE;
	reserve->fd = open(path,
		O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
			O_NOCTTY,
		0600);
	if (reserve->fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return LOOKUP_NONE;
	if (reserve->fd < 0 || fstat(reserve->fd, &status) < 0) {
		err_temp_errno(err, "4.3.0", "cannot open %s", path);
		fd_close(&reserve->fd);
		return LOOKUP_ERROR;
	}
	if (!S_ISREG(status.st_mode)) {
		fd_close(&reserve->fd);
		err_temp(err, "4.3.0", "%s is no file", path);
		return LOOKUP_ERROR;
	}
	return LOOKUP_FOUND;
}

static bool
parse_promise(struct str text, struct reserve_line *line)
{
	struct str word;

	if (!str_next_word(&text, &word))
		return true;
	line->is_known = str_is(word, KNOWN_WORD);
	if (line->is_known)
		return true;
	if (number_parse(word, &line->until_s) < 0 ||
		!str_next_word(&text, &word) || word.len > RESERVE_KEY_MAX)
		return false;
	memcpy(line->key, word.data, word.len);
	line->key[word.len] = '\0';
	return true;
}

static bool
parse_line(struct str text, struct reserve_line *line)
{
	struct str word;
	uint64_t numbers[3];
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(numbers); i++)
		if (!str_next_word(&text, &word) ||
			number_parse(word, &numbers[i]) < 0)
			return false;
	line->root = (unsigned)numbers[0];
	line->amount = (struct quota_amount){numbers[1], numbers[2]};
	return parse_promise(text, line);
}

static bool
is_own(const struct reserve *reserve, unsigned place)
{
	size_t i;

	for (i = 0; i < reserve->own_count; i++)
		if (reserve->own[i] == place)
			return true;
	return false;
}

static bool
is_free(struct str text)
{
	return str_trim(text).len == 0;
}

static void
note_free(struct reserve_lines *lines, unsigned place)
{
	if (lines->first_free > place)
		lines->first_free = place;
}

static void
add_line(struct reserve_lines *lines, const struct reserve_line *line)
{
	if (lines->count == lines->size) {
		size_t size = lines->size > 0 ? lines->size * 2 : 8;

		lines->items = arena_grow(lines->arena, lines->items,
			sizeof(*lines->items), lines->count, size);
		lines->size = size;
	}
	lines->items[lines->count++] = *line;
}

/* A line that is broken was of somebody who died while he wrote it. */
static void
take_line(struct reserve *reserve, struct reserve_lines *lines, unsigned place,
	struct str text)
{
	struct reserve_line line = {.place = place};

	if (is_own(reserve, place))
		return;
	if (is_free(text)) {
		note_free(lines, place);
		return;
	}
	if (!parse_line(text, &line)) {
		line.is_dead = true;
	} else if (line.is_known) {
		line.is_dead = false;
	} else if (line.until_s == 0) {
		line.is_dead =
			is_unlocked(reserve, (off_t)place * RESERVE_LINE);
	} else if (line.until_s <= (uint64_t)clock_now().tv_sec) {
		note_free(lines, place);
		return;
	}
	add_line(lines, &line);
}

/* Mostly a few lines.  -1 with errno. */
static ssize_t
read_table(const struct reserve *reserve, char **bytes_out)
{
	struct stat status;
	size_t size = TABLE_MAX;

	*bytes_out = NULL;
	if (fstat(reserve->fd, &status) < 0)
		return -1;
	if (status.st_size < TABLE_MAX)
		size = (size_t)status.st_size;
	*bytes_out = memory_get(size + 1);
	return fd_read_at(reserve->fd, *bytes_out, size, 0);
}

int
reserve_read(
	struct reserve *reserve, struct reserve_lines *lines, struct err *err)
{
	char *bytes;
	ssize_t len;
	unsigned place;

	lines->count = 0;
	lines->first_free = RESERVE_LINES_MAX;
	if (reserve->fd < 0)
		return 0;
	len = read_table(reserve, &bytes);
	if (len < 0) {
		memory_free(bytes);
		return err_temp_errno(
			err, "4.3.0", "cannot read %s", reserve->path);
	}
	for (place = 0; (ssize_t)place * RESERVE_LINE < len; place++)
		take_line(reserve, lines, place,
			str_slice(str_of(bytes, (size_t)len),
				(size_t)place * RESERVE_LINE,
				((size_t)place + 1) * RESERVE_LINE));
	if (lines->first_free > place)
		lines->first_free = place;
	memory_free(bytes);
	return 0;
}

static int
write_line(const struct reserve *reserve, unsigned place, const char *text,
	struct err *err)
{
	char line[RESERVE_LINE + 1];

	snprintf(line, sizeof(line), "%-*s\n", RESERVE_LINE - 1, text);
	if (pwrite(reserve->fd, line, RESERVE_LINE,
		    (off_t)place * RESERVE_LINE) != RESERVE_LINE)
		return err_temp_errno(
			err, "4.3.0", "cannot write %s", reserve->path);
	return 0;
}

static bool
is_taken(const struct reserve_lines *lines, unsigned place)
{
	size_t i;

	for (i = 0; i < lines->count; i++)
		if (lines->items[i].place == place)
			return true;
	return false;
}

static void
find_next_free(const struct reserve *reserve, struct reserve_lines *lines)
{
	do
		lines->first_free++;
	while (lines->first_free < RESERVE_LINES_MAX &&
		(is_taken(lines, lines->first_free) ||
			is_own(reserve, lines->first_free)));
}

int
reserve_put(struct reserve *reserve, struct reserve_lines *lines, unsigned root,
	struct quota_amount amount, struct err *err)
{
	char text[RESERVE_LINE];
	unsigned place = lines->first_free;

	if (reserve->fd < 0)
		return 0;
	if (place >= RESERVE_LINES_MAX || reserve->own_count >= RESERVE_OWN_MAX)
		return err_temp(err, "4.3.0",
			"too many deliveries at a time: %s", reserve->path);
	/* The lock first: a line is never without it. */
	if (lock_byte(reserve, F_OFD_SETLK, F_WRLCK,
		    (off_t)place * RESERVE_LINE) < 0)
		return err_temp_errno(err, "4.3.0", "cannot lock a line of %s",
			reserve->path);
	reserve->own[reserve->own_count++] = place;
	snprintf(text, sizeof(text), "%u %" PRIu64 " %" PRIu64, root,
		amount.bytes, amount.messages);
	find_next_free(reserve, lines);
	return write_line(reserve, place, text, err);
}

int
reserve_promise(struct reserve *reserve, struct reserve_lines *lines,
	unsigned root, struct quota_amount amount, const char *key,
	uint64_t until_s, struct err *err)
{
	char text[RESERVE_LINE];
	unsigned place = lines->first_free;

	if (reserve->fd < 0 || place >= RESERVE_LINES_MAX || key[0] == '\0' ||
		strlen(key) > RESERVE_KEY_MAX ||
		strpbrk(key, " \t\r\n") != NULL)
		return 0;
	snprintf(text, sizeof(text),
		"%u %" PRIu64 " %" PRIu64 " %" PRIu64 " %s", root, amount.bytes,
		amount.messages, until_s, key);
	find_next_free(reserve, lines);
	return write_line(reserve, place, text, err);
}

static struct reserve_line *
find_known(const struct reserve_lines *lines, unsigned root)
{
	size_t i;

	for (i = 0; i < lines->count; i++)
		if (lines->items[i].is_known && lines->items[i].root == root)
			return &lines->items[i];
	return NULL;
}

bool
reserve_known(const struct reserve_lines *lines, unsigned root,
	struct quota_amount *use_out)
{
	const struct reserve_line *line = find_known(lines, root);

	if (line != NULL)
		*use_out = line->amount;
	return line != NULL;
}

int
reserve_note(struct reserve *reserve, struct reserve_lines *lines,
	unsigned root, struct quota_amount use, struct err *err)
{
	const struct reserve_line *line = find_known(lines, root);
	char text[RESERVE_LINE];
	unsigned place = line != NULL ? line->place : lines->first_free;

	if (reserve->fd < 0 || place >= RESERVE_LINES_MAX)
		return 0;
	snprintf(text, sizeof(text), "%u %" PRIu64 " %" PRIu64 " " KNOWN_WORD,
		root, use.bytes, use.messages);
	if (line == NULL)
		find_next_free(reserve, lines);
	return write_line(reserve, place, text, err);
}

int
reserve_clear(struct reserve *reserve, unsigned place, struct err *err)
{
	return write_line(reserve, place, "", err);
}

/* Blanks, then the lock: in between the line is free, and nobody minds. */
void
reserve_drop(struct reserve *reserve)
{
	struct err err;
	size_t i;

	for (i = 0; i < reserve->own_count; i++) {
		(void)write_line(reserve, reserve->own[i], "", &err);
		(void)lock_byte(reserve, F_OFD_SETLK, F_UNLCK,
			(off_t)reserve->own[i] * RESERVE_LINE);
	}
	reserve->own_count = 0;
}

void
reserve_close(struct reserve *reserve)
{
	if (reserve->fd < 0)
		return;
	reserve_drop(reserve);
	fd_close(&reserve->fd);
	reserve->has_table = reserve->has_names = false;
}
