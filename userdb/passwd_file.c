/* passwd_file - users in a file of lines (Dovecot's format)
 *
 *   user:password:uid:gid:(gecos):home:(shell):extra fields
 *   amy@example.org:{CRYPT}x:5000:5000::/srv/mail/amy::quota_rule=*:storage=1G
 *
 * - Columns at the end may be missing, each may be empty; (gecos) and (shell) are
 *   not looked at.  A password without {SCHEME} has that of args' scheme=, CRYPT.  What stands behind the seventh colon is extra.
 * - Empty lines and lines that begin with "#" are comments.
 * - A backslash takes the next character as it is: "\:" in a column, "\ " in an
 *   extra field.  In the user column ":" and "\" are written so, and a "#" at
 *   its beginning.
 * - Extra fields are "name=value" or "name" (yes), between blanks.  When one of
 *   them begins with "userdb_" the file serves a password database too: then
 *   only those count, without the prefix, and those that say where the user's
 *   mail goes on to (mail/route.h).  "user=amy" gives the record the name
 *   amy: that is how an address is mapped to a user.
 * - Variables are expanded in home and in extra fields.
 * - The first line of a name counts.  A line that is malformed is trouble for
 *   its user only.
 *
 * A file that is empty, or ends within a user column, is one that is just being
 * written: who is not found in it may well exist, and that is trouble.
 *
 * A program with one recipient reads the file at each lookup, from its beginning:
 * 100,000 users take some milliseconds and no memory.  A server keeps an index
 * (passwd_index.h).  A change counts at once in both.
 *
 * PATH may hold variables.  A file of a fixed path that is missing is trouble; of
 * a path with variables it means that nobody of that name (domain) exists, as
 * long as the folder before the first variable is there.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/vars.h"
#include "mail/route.h"
#include "userdb/driver.h"
#include "userdb/passwd_index.h"
#include "userdb/passwd_lines.h"

#include "base/banned.h"

enum column { PASSWORD, UID, GID, GECOS, HOME, SHELL, COLUMNS };

struct file_source {
	struct userdb_source source;
	struct str path;                /* a template */
	struct str username_format;     /* of the user column */
	struct str scheme;              /* of passwords that name none */
	struct passwd_indexes *indexes; /* NULL: none so far */
};

/* ---- args -------------------------------------------------------------- */

static int
check_template(
	struct userdb_source *source, struct str template, struct err *err)
{
	static const struct var vars[] = {
		{'u', "user", {"", 0}}, {'s', "service", {"", 0}}};
	char detail[sizeof(err->detail)];

	if (vars_check(template, vars, ARRAY_LENGTH(vars), err) == 0)
		return 0;
	memcpy(detail, err->detail, sizeof(detail));
	return err_detail(err, "%s: %s", source->place, detail);
}

/* Takes "name=value" words off the front. */
static int
take_options(struct file_source *own, struct arena *arena, struct str *rest,
	struct err *err)
{
	const struct str format = STR("username_format=");
	const struct str scheme = STR("scheme=");
	struct str word;

	for (*rest = str_trim(*rest); rest->len > 0 && rest->data[0] != '/';
		*rest = str_trim(*rest)) {
		if (!record_next_word(arena, rest, &word))
			break;
		if (str_starts(word, format))
			own->username_format = str_skip(word, format.len);
		else if (str_starts(word, scheme))
			own->scheme = str_skip(word, scheme.len);
		else
			return err_temp(err, "4.3.5",
				"%s: args of passwd-file: '%.*s' is neither "
				"username_format=, scheme= nor an absolute "
				"path",
				own->source.place, STR_ARG(word));
	}
	return 0;
}

static int
file_open(struct userdb_source *source, struct arena *arena, struct err *err)
{
	struct file_source *own =
		CONTAINER_OF(source, struct file_source, source);
	struct str rest = str_from(source->settings->args);

	own->username_format = STR("%u");
	own->scheme = STR("CRYPT");
	if (take_options(own, arena, &rest, err) < 0)
		return -1;
	if (rest.len == 0)
		return err_temp(err, "4.3.5",
			"%s: args of passwd-file: the path is missing",
			source->place);
	own->path = rest;
	if (check_template(source, own->username_format, err) < 0)
		return -1;
	return check_template(source, own->path, err);
}

/* `key` is as the user column spells it. */
static bool
is_line_of(struct str line, struct str key)
{
	return str_starts(line, key) &&
	       (line.len == key.len || line.data[key.len] == ':');
}

/* How the user column spells a name. */
static struct str
spell(struct arena *arena, struct str name)
{
	char *key = arena_alloc(arena, 2 * name.len + 1);
	size_t i, len = 0;

	for (i = 0; i < name.len; i++) {
		char c = name.data[i];

		if (c == ':' || c == '\\' || (c == '#' && i == 0))
			key[len++] = '\\';
		key[len++] = c;
	}
	return str_of(key, len);
}

/* ---- columns and fields ------------------------------------------------ */

/* Up to the next colon that is not escaped. */
static struct str
take_column(struct arena *arena, struct str *rest)
{
	struct str column;
	size_t i;

	for (i = 0; i < rest->len && rest->data[i] != ':'; i++)
		if (rest->data[i] == '\\')
			i++;
	column = record_unescape(arena, str_slice(*rest, 0, i));
	*rest = str_skip(*rest, i + 1);
	return column;
}

static bool
serves_passwords(struct arena *arena, struct str extra)
{
	struct str word;

	while (record_next_word(arena, &extra, &word))
		if (str_starts(word, STR("userdb_")))
			return true;
	return false;
}

/* Dovecot has these in its password databases. */
static bool
is_of_route(struct str word)
{
	return route_is_field(str_slice(word, 0, str_find_char(word, '=')));
}

static int
set_extra(struct record *record, struct str extra, struct err *err)
{
	bool needs_prefix = serves_passwords(record->arena, extra);
	const struct str prefix = STR("userdb_");
	struct str word;

	while (record_next_word(record->arena, &extra, &word)) {
		bool has_prefix = str_starts(word, prefix);

		if (needs_prefix && !has_prefix && !is_of_route(word))
			continue;
		if (needs_prefix && has_prefix)
			word = str_skip(word, prefix.len);
		if (record_set_word(record, word, err) < 0)
			return -1;
	}
	return 0;
}

/* `rest` is the line behind the user column. */
static int
set_fields(struct record *record, struct str rest, struct err *err)
{
	struct str columns[COLUMNS];
	size_t i;

	for (i = 0; i < COLUMNS; i++)
		columns[i] = take_column(record->arena, &rest);
	record->user.password = columns[PASSWORD];
	if (columns[UID].len > 0 &&
		record_set(record, STR("uid"), columns[UID], err) < 0)
		return -1;
	if (columns[GID].len > 0 &&
		record_set(record, STR("gid"), columns[GID], err) < 0)
		return -1;
	if (columns[HOME].len > 0 &&
		record_set(record, STR("home"), columns[HOME], err) < 0)
		return -1;
	return set_extra(record, rest, err);
}

/* ---- finding ----------------------------------------------------------- */

static int
trouble(const char *path, struct err *err)
{
	return err_temp_errno(err, "4.3.0", "userdb passwd-file %s", path);
}

/* Does a missing file mean that there is no such domain?  Only if the path has a
 * variable, and what stands before it is there: a file system that is not
 * mounted must not make everybody unknown. */
static bool
missing_is_unknown(const struct file_source *own, struct arena *arena)
{
	size_t variable = str_find_char(own->path, '%');
	struct str fixed = str_slice(own->path, 0, variable);
	struct stat status;

	if (variable == own->path.len)
		return false;
	fixed = str_slice(fixed, 0, str_find_last_char(fixed, '/') + 1);
	return stat(arena_text(arena, fixed), &status) == 0 &&
	       S_ISDIR(status.st_mode);
}

/* What stands before the first variable.  A folder and not the file, as another
 * one may be put in its place at any time. */
static const char *
file_folder(const struct userdb_source *source, struct arena *arena)
{
	const struct file_source *own =
		CONTAINER_OF((struct userdb_source *)(uintptr_t)source,
			struct file_source, source);
	struct str fixed =
		str_slice(own->path, 0, str_find_char(own->path, '%'));

	return arena_text(
		arena, str_slice(fixed, 0, str_find_last_char(fixed, '/') + 1));
}

static enum lookup
open_file(const struct file_source *own, struct arena *arena, const char *path,
	int *fd_out, struct err *err)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0) {
		int error = errno;

		if ((error == ENOENT || error == ENAMETOOLONG) &&
			missing_is_unknown(own, arena))
			return LOOKUP_NONE;
		errno = error;
		trouble(path, err);
		return LOOKUP_ERROR;
	}
	if (fstat(fd, &status) < 0) {
		trouble(path, err);
		fd_close(&fd);
		return LOOKUP_ERROR;
	}
	if (!S_ISREG(status.st_mode)) {
		err_temp(err, "4.3.0",
			"userdb passwd-file %s: not a regular file", path);
		fd_close(&fd);
		return LOOKUP_ERROR;
	}
	*fd_out = fd;
	return LOOKUP_FOUND;
}

/* Nobody of that name, unless the file is one that somebody is writing anew at
 * this moment: then the line may still come, and mail must not bounce. */
static enum lookup
unknown(const struct passwd_end *end, const char *path, struct err *err)
{
	if (end->lines > 0 && !end->is_cut_off)
		return LOOKUP_NONE;
	if (end->lines == 0)
		err_temp(err, "4.3.0",
			"userdb passwd-file %s: the file is empty; is it being "
			"written?",
			path);
	else
		err_temp(err, "4.3.0",
			"%s:%lu: the last line has neither a line end nor a "
			"\":\"; is the file being written?",
			path, end->lines);
	return LOOKUP_ERROR;
}

static enum lookup
take_line(struct record *record, const struct passwd_line *line,
	const char *path, struct err *err)
{
	if (line->is_cut) {
		err_temp(err, "4.3.0", "%s:%lu: line longer than %d bytes",
			path, line->number, PASSWD_LINE_MAX);
		return LOOKUP_ERROR;
	}
	record->place =
		arena_format(record->arena, "%s:%lu", path, line->number);
	record->user.source =
		arena_format(record->arena, "passwd-file %s", path);
	return set_fields(record, line->rest, err) < 0 ? LOOKUP_ERROR
	                                               : LOOKUP_FOUND;
}

static enum lookup
scan(struct record *record, int fd, struct str key, const char *path,
	struct err *err)
{
	struct passwd_end end = {0};
	struct passwd_lines lines;
	struct passwd_line found;
	struct str line;

	passwd_lines_init(&lines, fd);
	for (;;) {
		switch (passwd_lines_next(&lines, &line)) {
		case LOOKUP_FOUND:
			break;
		case LOOKUP_NONE:
			return unknown(&end, path, err);
		case LOOKUP_ERROR:
			trouble(path, err);
			return LOOKUP_ERROR;
		}
		passwd_end_move(&end, &lines, line);
		if (!is_line_of(line, key))
			continue;
		found.rest = str_skip(line, key.len + 1);
		found.number = lines.line;
		found.is_cut = lines.is_cut;
		return take_line(record, &found, path, err);
	}
}

static enum lookup
scan_file(const struct file_source *own, struct record *record, struct str key,
	const char *path, struct err *err)
{
	int fd = -1;
	enum lookup found = open_file(own, record->arena, path, &fd, err);

	if (found != LOOKUP_FOUND)
		return found;
	found = scan(record, fd, key, path, err);
	fd_close(&fd);
	return found;
}

static enum lookup
find_by_index(const struct passwd_index *index, struct record *record,
	struct str key, const char *path, struct err *err)
{
	struct passwd_line line;

	if (passwd_index_find(index, key, &line))
		return take_line(record, &line, path, err);
	return unknown(passwd_index_end(index), path, err);
}

/* NULL: the file is to be scanned. */
static const struct passwd_index *
index_of(struct file_source *own, const char *path)
{
	if (!own->source.is_long_lived)
		return NULL;
	if (own->indexes == NULL)
		own->indexes = passwd_indexes_open();
	return passwd_indexes_get(own->indexes, path);
}

static void
name_scheme(const struct file_source *own, struct record *record)
{
	struct str *password = &record->user.password;

	if (password->len > 0 && password->data[0] != '{')
		*password = str_from(arena_format(record->arena, "{%.*s}%.*s",
			STR_ARG(own->scheme), STR_ARG(*password)));
}

static enum lookup
find_line(struct file_source *own, struct record *record, struct str key,
	const char *path, struct err *err)
{
	const struct passwd_index *index = index_of(own, path);

	if (index != NULL)
		return find_by_index(index, record, key, path, err);
	return scan_file(own, record, key, path, err);
}

static enum lookup
file_find(struct userdb_source *source, struct record *record, struct err *err)
{
	struct file_source *own =
		CONTAINER_OF(source, struct file_source, source);
	const struct var vars[] = {{'u', "user", record->asked},
		{'s', "service", str_from(record->service)}};
	struct str path, key;
	enum lookup found;

	if (vars_expand_path(record->arena, own->path, vars, ARRAY_LENGTH(vars),
		    &path, err) < 0 ||
		vars_expand(record->arena, own->username_format, vars,
			ARRAY_LENGTH(vars), &key, err) < 0)
		return LOOKUP_ERROR;
	if (key.len == 0)
		return LOOKUP_NONE;
	key = spell(record->arena, key);
	found = find_line(own, record, key, path.data, err);
	if (found == LOOKUP_FOUND)
		name_scheme(own, record);
	return found;
}

static int
list_lines(int fd, struct arena *arena, struct userdb_names *names)
{
	struct passwd_lines lines;
	struct str line;
	enum lookup found;

	passwd_lines_init(&lines, fd);
	while ((found = passwd_lines_next(&lines, &line)) == LOOKUP_FOUND) {
		struct userdb_name item = {.has_uid = false};

		if (line.len == 0 || line.data[0] == '#' || lines.is_cut)
			continue;
		item.name = arena_copy(arena, take_column(arena, &line));
		if (!userdb_name_is_harmful(item.name))
			userdb_names_add(arena, names, &item);
	}
	return found == LOOKUP_ERROR ? -1 : 0;
}

/* A path or a user column that depends on the name cannot be turned round. */
static enum lookup
file_list(struct userdb_source *source, struct arena *arena,
	struct userdb_names *names, struct err *err)
{
	struct file_source *own =
		CONTAINER_OF(source, struct file_source, source);
	const char *path = arena_text(arena, own->path);
	enum lookup found;
	int fd = -1;

	if (str_has_char(own->path, '%') || !str_is(own->username_format, "%u"))
		return LOOKUP_NONE;
	found = open_file(own, arena, path, &fd, err);
	if (found == LOOKUP_FOUND && list_lines(fd, arena, names) < 0) {
		trouble(path, err);
		found = LOOKUP_ERROR;
	}
	fd_close(&fd);
	return found;
}

static void
file_close(struct userdb_source *source)
{
	struct file_source *own =
		CONTAINER_OF(source, struct file_source, source);

	passwd_indexes_close(&own->indexes);
}

const struct userdb_driver userdb_passwd_file = {
	.name = "passwd-file",
	.size = sizeof(struct file_source),
	.open = file_open,
	.folder = file_folder,
	.find = file_find,
	.list = file_list,
	.close = file_close,
};
