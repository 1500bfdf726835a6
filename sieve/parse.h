/* parse - from tokens to the tree (RFC 5228 8.2)
 *
 * Knows no command by name but "require".  After an error it goes on behind the
 * next ";" or block, so that one run tells of several errors.  Recursion is
 * bounded by settings->max_nesting.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_PARSE_H
#define SIEVE_PARSE_H

#include "base/arena.h"
#include "base/str.h"
#include "sieve/ast.h"
#include "sieve/report.h"
#include "sieve/sieve.h"

struct parsed {
	struct ast_command *first; /* NULL: there is no command */
	size_t count;              /* of commands and tests */
	/* Commands with an error are left out; one of them was a require. */
	bool lost_require;
};

/* Nodes live in `tree`, decoded strings in `kept`. */
struct parsed parse_script(struct arena *tree, struct arena *kept,
	const struct sieve_settings *settings, struct reporter *reporter,
	struct str script);

#endif
