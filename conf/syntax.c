/* SPDX-License-Identifier: MIT */
#include "conf/syntax.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/number.h"
#include "conf/report.h"

#include "base/banned.h"

/* A file that is being read, or (text not loaded) one that will be. */
struct source {
	struct source *below;    /* goes on when this one ends */
	struct source *includer; /* NULL for the first file */
	unsigned depth;
	bool is_loaded, may_be_missing;
	bool is_dump, has_origin;
	struct conf_place origin; /* of the line to come, as "#line" gave it */
	struct str rest;
	struct conf_place place;    /* of the physical line last taken */
	struct conf_place included; /* the !include line */
	size_t nesting;             /* open sections when it began */
};

struct open_section {
	struct str name;
	struct conf_place place;
};

struct conf_syntax {
	struct arena *arena;
	struct conf_report *report;
	struct source *top;
	size_t files;
	size_t bytes;
	struct open_section sections[CONF_NESTING_MAX];
	size_t nesting;
	size_t skipped; /* sections opened beyond CONF_NESTING_MAX */
};

/* ---- files ---- */

/* errno, or 0 when `source` is ready to be read. */
static int
load_file(struct conf_syntax *syntax, struct source *source)
{
	struct buf buf;
	int failure = 0;

	buf_init(&buf, CONF_FILE_BYTES_MAX);
	if (fd_read_file(source->place.file, &buf) < 0)
		failure = errno;
	else
		source->rest = arena_copy(syntax->arena, buf_view(&buf));
	buf_clear(&buf);
	source->is_loaded = true;
	return failure;
}

static void
report_unreadable(struct conf_syntax *syntax, const struct source *source,
	struct conf_place place, int failure)
{
	if (failure == EFBIG)
		conf_report_error(syntax->arena, syntax->report, place,
			"%s is longer than %d bytes", source->place.file,
			CONF_FILE_BYTES_MAX);
	else
		conf_report_error(syntax->arena, syntax->report, place,
			"cannot read %s: %s", source->place.file,
			strerror(failure));
}

static struct source *
push_source(
	struct conf_syntax *syntax, struct source *includer, const char *file)
{
	struct source *source = ARENA_NEW(syntax->arena, struct source);

	source->below = syntax->top;
	source->includer = includer;
	source->depth = includer ? includer->depth + 1 : 0;
	source->place = (struct conf_place){file, 0};
	source->nesting = syntax->nesting;
	syntax->top = source;
	syntax->files++;
	return source;
}

static struct conf_syntax *
new_syntax(struct arena *arena, struct conf_report *report)
{
	struct conf_syntax *syntax = ARENA_NEW(arena, struct conf_syntax);

	syntax->arena = arena;
	syntax->report = report;
	return syntax;
}

enum lookup
conf_syntax_open(struct arena *arena, const char *file,
	struct conf_report *report, struct conf_syntax **syntax_out)
{
	struct conf_syntax *syntax = new_syntax(arena, report);
	struct source *source = push_source(syntax, NULL, file);
	int failure = load_file(syntax, source);

	*syntax_out = syntax;
	syntax->bytes = source->rest.len;
	if (failure == 0)
		return LOOKUP_FOUND;
	if (failure == ENOENT)
		return LOOKUP_NONE;
	report_unreadable(syntax, source, source->place, failure);
	return LOOKUP_ERROR;
}

struct conf_syntax *
conf_syntax_of_text(struct arena *arena, const char *file, struct str text,
	struct conf_report *report)
{
	struct conf_syntax *syntax = new_syntax(arena, report);
	struct source *source = push_source(syntax, NULL, file);

	source->is_loaded = true;
	source->rest = text;
	syntax->bytes = text.len;
	return syntax;
}

struct conf_syntax *
conf_syntax_of_dump(
	struct arena *arena, struct str text, struct conf_report *report)
{
	struct conf_syntax *syntax =
		conf_syntax_of_text(arena, "", text, report);

	syntax->top->is_dump = true;
	return syntax;
}

/* Reads a file that an !include named. */
static void
load_included(struct conf_syntax *syntax, struct source *source)
{
	int failure = load_file(syntax, source);

	syntax->bytes += source->rest.len;
	if (syntax->bytes > CONF_TOTAL_BYTES_MAX) {
		conf_report_error(syntax->arena, syntax->report,
			source->included,
			"the files are longer than %d bytes together",
			CONF_TOTAL_BYTES_MAX);
		source->rest = STR_EMPTY;
		return;
	}
	if (failure == 0)
		return;
	/* An admin keeps secrets in a file that a user's LDA cannot read. */
	if (source->may_be_missing && (failure == ENOENT || failure == EACCES))
		return;
	report_unreadable(syntax, source, source->included, failure);
}

/* The folder of `file` with its final slash, or "". */
static struct str
folder_of(const char *file)
{
	struct str path = str_from(file);
	size_t slash = str_find_last_char(path, '/');

	return slash < path.len ? str_slice(path, 0, slash + 1) : STR_EMPTY;
}

static const char *
resolve(struct conf_syntax *syntax, const char *file, struct str path)
{
	struct str folder = folder_of(file);

	if (path.len > 0 && path.data[0] == '/')
		return arena_text(syntax->arena, path);
	return arena_format(
		syntax->arena, "%.*s%.*s", STR_ARG(folder), STR_ARG(path));
}

static bool
is_ancestor(const struct source *source, const char *file)
{
	for (; source != NULL; source = source->includer)
		if (str_is(str_from(file), source->place.file))
			return true;
	return false;
}

static bool
may_include(struct conf_syntax *syntax, const struct source *includer,
	const char *file)
{
	struct conf_place place = includer->place;

	if (is_ancestor(includer, file))
		conf_report_error(syntax->arena, syntax->report, place,
			"%s includes itself", file);
	else if (includer->depth + 1 >= CONF_INCLUDE_DEPTH_MAX)
		conf_report_error(syntax->arena, syntax->report, place,
			"%s: more than %d files include each other", file,
			CONF_INCLUDE_DEPTH_MAX);
	else if (syntax->files >= CONF_FILES_MAX)
		conf_report_error(syntax->arena, syntax->report, place,
			"%s: more than %d files are included", file,
			CONF_FILES_MAX);
	else
		return true;
	return false;
}

/* Pushes the files so that the first of them is read first. */
static void
include_files(struct conf_syntax *syntax, char *const *paths, size_t count,
	bool may_be_missing)
{
	struct source *includer = syntax->top, *source;

	while (count-- > 0) {
		const char *file =
			arena_text(syntax->arena, str_from(paths[count]));

		if (!may_include(syntax, includer, file))
			return;
		source = push_source(syntax, includer, file);
		source->may_be_missing = may_be_missing;
		source->included = includer->place;
	}
}

static void
include(struct conf_syntax *syntax, struct str pattern, bool may_be_missing)
{
	struct conf_place place = syntax->top->place;
	const char *path;
	glob_t found = {0};
	int result;

	if (pattern.len == 0) {
		conf_report_error(syntax->arena, syntax->report, place,
			"!include without a file name");
		return;
	}
	path = resolve(syntax, place.file, pattern);
	result = glob(path, GLOB_BRACE, NULL, &found);
	if (result == 0)
		include_files(
			syntax, found.gl_pathv, found.gl_pathc, may_be_missing);
	else if (result != GLOB_NOMATCH)
		conf_report_error(syntax->arena, syntax->report, place,
			"!include: cannot read the folder of %s", path);
	else if (!may_be_missing)
		conf_report_error(syntax->arena, syntax->report, place,
			"!include: there is no file %s", path);
	globfree(&found);
}

/* ---- lines ---- */

static bool
is_quote(char c)
{
	return c == '"' || c == '\'';
}

/* Where the text behind "=" begins; s.len when there is no "=". */
static size_t
value_start(struct str s)
{
	size_t at = str_find_char(s, '=');

	if (at == s.len)
		return at;
	for (at++; at < s.len && ascii_is_blank(s.data[at]); at++)
		continue;
	return at;
}

/* Past the quote that closes the one before `at`, or s.len. */
static size_t
skip_quoted(struct str s, size_t at, char quote, bool *closed_out)
{
	*closed_out = false;
	for (; at < s.len; at++) {
		if (s.data[at] == '\\' && at + 1 < s.len) {
			at++;
		} else if (s.data[at] == quote) {
			*closed_out = true;
			return at + 1;
		}
	}
	return at;
}

/* Takes the comment off one physical line.  *quote is the quote that an earlier
 * line of the same value left open, 0 for none. */
static struct str
cut_comment(
	struct conf_syntax *syntax, struct str s, bool is_first, char *quote)
{
	size_t at = 0;
	bool closed = true;

	if (*quote == '\0' && is_first) {
		size_t value = value_start(s);

		if (value < s.len && is_quote(s.data[value])) {
			*quote = s.data[value];
			at = value + 1;
		}
	}
	if (*quote != '\0') {
		at = skip_quoted(s, at, *quote, &closed);
		if (closed)
			*quote = '\0';
	}
	for (; at < s.len; at++) {
		if (s.data[at] != '#')
			continue;
		if (at == 0 || ascii_is_blank(s.data[at - 1]))
			return str_trim(str_slice(s, 0, at));
		conf_report_warning(syntax->arena, syntax->report,
			syntax->top->place,
			"\"#\" without a blank before it belongs to the value; "
			"Dovecot takes it for a comment");
		break;
	}
	/* A comment may still follow the "#" that is none. */
	for (; at < s.len; at++)
		if (s.data[at] == '#' && ascii_is_blank(s.data[at - 1]))
			return str_trim(str_slice(s, 0, at));
	return s;
}

/* The next physical line without blanks at its ends. */
static bool
next_physical(struct source *source, struct str *line_out)
{
	if (!str_next_field(&source->rest, '\n', line_out))
		return false;
	source->place.line++;
	*line_out = str_trim(*line_out);
	return true;
}

/* "#line NUMBER FILE" */
static void
take_origin(struct conf_syntax *syntax, struct source *source, struct str line)
{
	struct str word, number;
	uint64_t value;

	if (!str_next_word(&line, &word) || !str_is(word, "#line") ||
		!str_next_word(&line, &number) ||
		number_parse(number, &value) < 0 || value > UINT_MAX)
		return;
	source->origin = (struct conf_place){
		arena_text(syntax->arena, str_trim(line)), (unsigned)value};
	source->has_origin = true;
}

static struct conf_place
take_place(struct source *source)
{
	struct conf_place place =
		source->has_origin ? source->origin : source->place;

	source->has_origin = false;
	return place;
}

/* The next line that says something, continued ones joined by one blank. */
static bool
next_logical(struct conf_syntax *syntax, struct buf *joined,
	struct str *line_out, struct conf_place *place_out)
{
	struct source *source = syntax->top;
	bool is_first = true, goes_on = true;
	struct str line = STR_EMPTY;
	char quote = '\0';

	buf_reset(joined);
	while (goes_on) {
		if (!next_physical(source, &line)) {
			if (is_first)
				return false;
			break;
		}
		if (line.len == 0 && is_first)
			continue;
		if (line.len > 0 && line.data[0] == '#' && quote == '\0') {
			if (source->is_dump && is_first)
				take_origin(syntax, source, line);
			continue;
		}
		if (is_first)
			*place_out = take_place(source);
		line = cut_comment(syntax, line, is_first, &quote);
		goes_on = line.len > 0 && line.data[line.len - 1] == '\\';
		if (is_first && !goes_on) {
			*line_out = line;
			return true;
		}
		if (!is_first)
			buf_add_char(joined, ' ');
		buf_add(joined,
			str_trim(str_slice(line, 0, line.len - goes_on)));
		is_first = false;
	}
	*line_out = str_trim(arena_copy(syntax->arena, buf_view(joined)));
	return true;
}

/* Dovecot's rule: the same quote at both ends; a backslash makes the next
 * character plain. */
struct str
conf_unquote(struct arena *arena, struct str s, bool *is_quoted_out)
{
	char *text;
	size_t i, len = 0;

	*is_quoted_out = s.len >= 2 && is_quote(s.data[0]) &&
	                 s.data[s.len - 1] == s.data[0];
	if (!*is_quoted_out)
		return s;
	s = str_slice(s, 1, s.len - 1);
	text = arena_alloc(arena, s.len + 1);
	for (i = 0; i < s.len; i++) {
		if (s.data[i] == '\\' && i + 1 < s.len)
			i++;
		text[len++] = s.data[i];
	}
	return str_of(text, len);
}

static void
parse_value(struct conf_syntax *syntax, struct str text, struct conf_line *line)
{
	line->kind = CONF_LINE_KEY;
	line->value = conf_unquote(syntax->arena, text, &line->is_quoted);
	line->is_path = !line->is_quoted && text.len > 0 && text.data[0] == '<';
	if (line->is_path)
		line->value = str_from(resolve(syntax, syntax->top->place.file,
			str_trim(str_skip(text, 1))));
}

/* False when the sections are nested too deep; this one is then skipped. */
static bool
enter_section(struct conf_syntax *syntax, const struct conf_line *line)
{
	if (syntax->nesting == CONF_NESTING_MAX) {
		if (syntax->skipped++ == 0)
			conf_report_error(syntax->arena, syntax->report,
				line->place,
				"sections are nested more than %d deep",
				CONF_NESTING_MAX);
		return false;
	}
	syntax->sections[syntax->nesting++] =
		(struct open_section){line->name, line->place};
	return true;
}

static bool
parse_section(
	struct conf_syntax *syntax, struct str rest, struct conf_line *line)
{
	size_t brace = str_find_char(rest, '{');

	line->kind = CONF_LINE_OPEN;
	if (brace + 1 < rest.len && rest.data[rest.len - 1] != '{') {
		conf_report_error(syntax->arena, syntax->report, line->place,
			"found text behind \"{\"; expected each setting, and "
			"\"}\", on a line of its own");
		/* A section that also ends here is as good as none. */
		if (rest.data[rest.len - 1] == '}')
			return false;
		rest = str_slice(rest, 0, brace + 1);
	}
	rest = str_trim(str_slice(rest, 0, rest.len - 1));
	line->value = conf_unquote(syntax->arena, rest, &line->is_quoted);
	return enter_section(syntax, line);
}

static bool
parse_close(struct conf_syntax *syntax, struct str text, struct conf_line *line)
{
	if (text.len > 1)
		conf_report_error(syntax->arena, syntax->report, line->place,
			"found \"%.*s\"; expected \"}\" on a line of its own",
			STR_ARG(text));
	if (syntax->skipped > 0) {
		syntax->skipped--;
		return false;
	}
	if (syntax->nesting == syntax->top->nesting) {
		conf_report_error(syntax->arena, syntax->report, line->place,
			"found \"}\", but no section is open in this file");
		return false;
	}
	syntax->nesting--;
	line->kind = CONF_LINE_CLOSE;
	return true;
}

static bool
parse_directive(struct conf_syntax *syntax, struct str text)
{
	struct str word;
	struct str rest = text;
	bool is_quoted;

	if (!str_next_word(&rest, &word))
		return false;
	rest = conf_unquote(syntax->arena, str_trim(rest), &is_quoted);
	if (str_is(word, "!include"))
		include(syntax, rest, false);
	else if (str_is(word, "!include_try"))
		include(syntax, rest, true);
	else
		conf_report_error(syntax->arena, syntax->report,
			syntax->top->place,
			"found \"%.*s\", expected !include or !include_try",
			STR_ARG(word));
	return false;
}

/* False: the line says nothing to the caller.  `is_cut`: there was more of it
 * than CONF_LINE_BYTES_MAX. */
static bool
parse_line(struct conf_syntax *syntax, struct str text, bool is_cut,
	struct conf_line *line)
{
	size_t end = 0;
	struct str rest;

	if (is_cut || text.len > CONF_LINE_BYTES_MAX) {
		conf_report_error(syntax->arena, syntax->report, line->place,
			"the line is longer than %d bytes",
			CONF_LINE_BYTES_MAX);
		return false;
	}
	if (str_has_char(text, '\0')) {
		conf_report_error(syntax->arena, syntax->report, line->place,
			"the line has a NUL byte in it");
		return false;
	}
	if (text.len == 0)
		return false;
	if (text.data[0] == '}')
		return parse_close(syntax, text, line);
	if (text.data[0] == '!')
		return parse_directive(syntax, text);
	while (end < text.len && !ascii_is_blank(text.data[end]) &&
		text.data[end] != '=' && text.data[end] != '{')
		end++;
	line->name = str_slice(text, 0, end);
	rest = str_trim(str_skip(text, end));
	if (line->name.len > 0 && rest.len > 0 && rest.data[0] == '=') {
		parse_value(syntax, str_trim(str_skip(rest, 1)), line);
		return syntax->skipped == 0;
	}
	if (line->name.len > 0 && str_has_char(rest, '{'))
		return parse_section(syntax, rest, line);
	conf_report_error(syntax->arena, syntax->report, line->place,
		"found \"%.*s\", expected \"key = value\", \"section {\" or "
		"\"}\"",
		(int)(text.len < 80 ? text.len : 80), text.data);
	return false;
}

/* The file at the top is at its end: closes what it left open, one section a
 * call, then goes back to its includer. */
static bool
end_source(struct conf_syntax *syntax, struct conf_line *line)
{
	struct open_section *open;

	syntax->skipped = 0;
	if (syntax->nesting > syntax->top->nesting) {
		open = &syntax->sections[--syntax->nesting];
		conf_report_error(syntax->arena, syntax->report, open->place,
			"section \"%.*s\" is not closed before the end of the "
			"file",
			STR_ARG(open->name));
		line->kind = CONF_LINE_CLOSE;
		line->place = open->place;
		return true;
	}
	syntax->top = syntax->top->below;
	return false;
}

void
conf_syntax_next(struct conf_syntax *syntax, struct conf_line *line_out)
{
	struct buf joined;
	struct str text;
	bool found = false;

	buf_init(&joined, CONF_LINE_BYTES_MAX + 1);
	while (!found && syntax->top != NULL) {
		*line_out = (struct conf_line){.kind = CONF_LINE_END};
		if (!syntax->top->is_loaded)
			load_included(syntax, syntax->top);
		if (next_logical(syntax, &joined, &text, &line_out->place))
			found = parse_line(
				syntax, text, joined.overflowed, line_out);
		else
			found = end_source(syntax, line_out);
	}
	if (!found)
		*line_out = (struct conf_line){.kind = CONF_LINE_END};
	buf_clear(&joined);
}
