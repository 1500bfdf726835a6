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

/* The first command, NULL when there is none.  Nodes live in `tree`, decoded
 * strings in `kept`.  Commands with an error are left out; *lost_require_out
 * says that one of them was a require. */
struct ast_command *parse_script(struct arena *tree, struct arena *kept,
	const struct sieve_settings *settings, struct reporter *reporter,
	struct str script, bool *lost_require_out);

#endif
