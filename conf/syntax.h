/* syntax - the lines of a configuration file and of those it includes
 *
 * Knows no key: it joins continued lines, takes comments off, unquotes, follows
 * !include, and sees that sections are closed in the file that opened them.
 * What is wrong is reported, and left out.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_SYNTAX_H
#define CONF_SYNTAX_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/str.h"
#include "conf/conf.h"

enum conf_line_kind {
	CONF_LINE_KEY,   /* name = value */
	CONF_LINE_OPEN,  /* name value { */
	CONF_LINE_CLOSE, /* } ; for every CONF_LINE_OPEN there is one */
	CONF_LINE_END
};

struct conf_line {
	enum conf_line_kind kind;
	struct str name;
	struct str value; /* without quotes */
	bool is_quoted;
	bool is_path; /* value is the path behind "<", made absolute */
	struct conf_place place;
};

struct conf_syntax;

/* LOOKUP_NONE: there is no such file.  LOOKUP_ERROR is reported. */
MUST_USE enum lookup conf_syntax_open(struct arena *arena, const char *file,
	struct conf_report *report, struct conf_syntax **syntax_out);

/* Text that is in memory; `file` is for messages and relative paths. */
struct conf_syntax *conf_syntax_of_text(struct arena *arena, const char *file,
	struct str text, struct conf_report *report);

/* The text of conf_dump_kind(): a line "#line NUMBER FILE" says where the line
 * below it was said, and paths behind "<" stay as they are. */
struct conf_syntax *conf_syntax_of_dump(
	struct arena *arena, struct str text, struct conf_report *report);

/* Takes off the quotes where the same one stands at both ends; then a value that
 * begins with "<" is no file.  Lives in the arena. */
struct str conf_unquote(struct arena *arena, struct str s, bool *is_quoted_out);

/* Texts in the line live in the arena. */
void conf_syntax_next(struct conf_syntax *syntax, struct conf_line *line_out);

#endif
