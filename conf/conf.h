/* conf - doorstep.conf, in Dovecot's syntax
 *
 *   key = value        # comment        section name {
 *   key = "a  value"   key = <file        key = value
 *   key = $other more                   }
 *   !include GLOB      !include_try GLOB
 *
 * doorstep.conf(5) describes it.  A value that is wrong is refused here, with
 * file and line, what was found and what was expected.  Nothing is looked up:
 * user names, hosts and files behind "<" are the business of who uses them, so
 * that loading costs one read of a small file.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "conf/settings.h"

/* Limits; passing one is an error of the configuration. */
enum {
	CONF_FILE_BYTES_MAX = 1024 * 1024,      /* of one file */
	CONF_TOTAL_BYTES_MAX = 4 * 1024 * 1024, /* of all files */
	CONF_FILES_MAX = 256,                   /* read in one load */
	CONF_INCLUDE_DEPTH_MAX = 16, /* files that include each other */
	CONF_NESTING_MAX = 16,       /* sections in sections */
	CONF_LINE_BYTES_MAX = 65536, /* with its continuations */
	CONF_SECTIONS_MAX = 1000,    /* blocks of one kind */
	CONF_FAMILY_MAX = 1000,      /* sieve_before1000 */
	CONF_PROBLEMS_MAX = 100,     /* reported; the rest is counted */
	CONF_VALUE_FILE_BYTES_MAX = 1024 * 1024 /* behind "<" */
};

/* Which of `protocol lda { }` and `protocol lmtp { }` count. */
enum conf_protocol {
	CONF_PROTOCOL_NONE,
	CONF_PROTOCOL_LDA,
	CONF_PROTOCOL_LMTP
};

struct conf_source {
	const char *file;   /* NULL = the default file; it may be missing */
	bool only_defaults; /* -O: read no file */
	struct str text;    /* conf_dump_kind()'s, read in place of a file when
	                     * not empty; paths in it are taken as they are */
	enum conf_protocol protocol;
	const char *const *overrides; /* "name=value", "plugin/name=value",
	                               * "namespace/inbox/prefix=INBOX." */
	size_t override_count;
};

struct conf_problem {
	bool is_warning;
	struct conf_place place;
	const char *text; /* "mail_fsync: found \"x\", expected ..." */
};

/* {0} to begin with. */
struct conf_report {
	bool is_thorough; /* collect warnings, and check what no program needs
	                   * to know at start: `doorstep config check` */
	struct conf_problem *problems;
	size_t count;            /* at `problems` */
	size_t errors, warnings; /* seen, also beyond CONF_PROBLEMS_MAX */
};

/* SYSCONFDIR/doorstep/doorstep.conf */
const char *conf_default_file(void);

/* -1 when there were errors; then *settings_out is NULL.  Everything lives in
 * the arena, the report's texts too. */
MUST_USE int conf_load(struct arena *arena, const struct conf_source *source,
	const struct settings **settings_out, struct conf_report *report);

/* "FILE:LINE: error: TEXT" */
const char *conf_problem_text(
	struct arena *arena, const struct conf_problem *problem);

/* 4.3.5 with the first error (and how many more there are) as detail; for those
 * who load and carry on only without one.  Returns -1. */
int conf_report_err(const struct conf_report *report, struct err *err);

struct conf_pair {
	struct str name;
	struct str value;
};

/* A copy of `settings` with some keys changed, as a user's record asks:
 * "mail" (mail_location), any key's name, with or without "plugin/" before it.
 * Names that are no keys are none of our business and passed over, and so are
 * those that say which programs scripts may run.  `origin`
 * names the record in messages ("user amy").
 * -1 with 4.3.5 for a value that is wrong. */
MUST_USE int conf_override(struct arena *arena, const struct settings *settings,
	const struct conf_pair *pairs, size_t count, const char *origin,
	const struct settings **settings_out, struct err *err);

/* The text of a TEXT setting; a file's last line end is left out.
 * -1 with 4.3.5 when the file cannot be read or is too long. */
MUST_USE int conf_read_text(struct arena *arena, const struct conf_text *text,
	struct str *text_out, struct err *err);

/* Where a key's value was set. */
struct conf_place conf_place(const struct settings *settings, const char *key);

/* "FILE:LINE: ", "-o: " without a line, or "" for a default. */
const char *conf_place_text(struct arena *arena, struct conf_place place);

/* What a delivery would stumble over: templates that were given, the mailbox
 * driver, the program for outgoing mail.  A thorough report also gets what costs
 * time or ends in a warning: defaults, quota rules, gaps in numbers, log files.
 * Called by conf_load() and conf_override(). */
void conf_check(struct arena *arena, const struct settings *settings,
	struct conf_report *report);

/* What an admin should think about a TCP listener that other hosts can reach;
 * NULL: nothing.  conf_check() says so as well. */
const char *conf_listener_warning(struct arena *arena,
	const struct settings *settings, const struct conf_listener *listener);

/* The settings in the configuration's own syntax, ready to be loaded again;
 * `only_changed` leaves out what has its default value.  In a block, and at the
 * top, keys stand before blocks. */
void conf_dump(struct arena *arena, const struct settings *settings,
	bool only_changed, struct buf *out);

/* What a process of the given kind is sent: those keys of the kinds in `kinds`
 * (bits of enum conf_kind) that have not their default value, with the places
 * where they were set.  Loaded again by conf_source.text it gives these keys the
 * same values, and all others their defaults.  What stands in files ("<") stays
 * there. */
void conf_dump_kind(struct arena *arena, const struct settings *settings,
	unsigned kinds, struct buf *out);

/* `protocol NAME { }` with the keys whose values differ from `base`; nothing
 * when there is none. */
void conf_dump_protocol(struct arena *arena, const char *name,
	const struct settings *settings, const struct settings *base,
	struct buf *out);

#endif
