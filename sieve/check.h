/* check - does the tree mean anything, and what
 *
 * Finds each node's command, puts its arguments where commands.def wants them
 * and hangs a struct call on the node.  Everything the evaluation keeps lives
 * in the program's arena.
 *
 * The second half of this header is for the files of commands and extensions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_CHECK_H
#define SIEVE_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "sieve/ast.h"
#include "sieve/program.h"
#include "sieve/registry.h"
#include "sieve/report.h"

/* A name of a variable, and which one of the program it means. */
struct scope_entry {
	struct str name;
	size_t index;
	bool is_global; /* RFC 6609 3.4.1 */
	bool is_set;    /* by "set" */
};
struct scope {
	struct scope_entry *entries;
	size_t count, size;
};

struct unit; /* compile.h */

enum { CHECK_RECENT = 64 };

struct checker {
	struct arena *arena; /* the program's */
	struct unit *unit;
	struct reporter *reporter;
	const struct sieve_settings *settings;
	bool is_required[EXTENSION_COUNT];
	bool is_told[EXTENSION_COUNT]; /* that it was not required */
	/* That this release does not have it. */
	bool is_absence_told[ABSENT_COUNT];
	/* What is no command, test or ("NAME :TAG") tag, and was told to be none;
	 * never more than errors are told. */
	struct str *unknown;
	size_t unknown_count, unknown_size;
	bool requires_in_doubt; /* a require could not be understood */
	bool is_past_requires;  /* another command has been seen */
	size_t depth;           /* blocks around the command */
	struct scope scope;     /* this script's */
	bool uses_captures;
	struct ast_command *around; /* whose tests and block are checked */
	/* Found before, by the look of their names: scripts use few, and write
	 * them in the same way. */
	struct recent_command {
		struct str written;
		const struct command *command;
	} recent[CHECK_RECENT];
};

void checker_init(struct checker *checker, struct arena *arena,
	struct unit *unit, struct reporter *reporter,
	const struct sieve_settings *settings);
void check_script(struct checker *checker, struct ast_command *first);

/* ---- for commands and extensions ---- */

void check_error(struct checker *checker, struct position at,
	const char *format, ...) PRINTF_LIKE(3, 4);
const char *check_quote(struct checker *checker, struct str text);

/* Is the extension in force?  If not, says how to bring it in (once). */
bool check_requires(struct checker *checker, struct position at,
	const char *word, enum extension_id extension);

/* The argument's only text when it is constant; else an error that says that
 * `what` has to be a constant string. */
bool check_constant(struct checker *checker, const struct argument *argument,
	const char *what, struct str *value_out);

/* The tag of this group that stands at the command, NULL without one. */
const struct tag_use *call_tag(const struct call *call, enum tag_group group);

/* "header <header-names: string-list> <key-list: string-list>" */
const char *check_usage(struct checker *checker, const struct command *command);

#endif
