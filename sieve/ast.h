/* ast - a script as a tree (RFC 5228 8.2)
 *
 *   command  if --next--> keep
 *             |-- tests: allof --> test header --next--> test size
 *             |                     '-- arguments: TAG contains, STRINGS, STRINGS
 *             '-- block: fileinto --next--> stop
 *                         '-- arguments: STRINGS
 *
 * Lives in the compilation's own arena.  Strings are parts of the program's
 * copy of the script or lie in the program's arena, so that the program may
 * keep them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_AST_H
#define SIEVE_AST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "sieve/report.h"

struct call;
struct command;

/* What is known of a test before there is a message. */
enum truth { TRUTH_UNKNOWN, TRUTH_FALSE, TRUTH_TRUE };

enum ast_kind { AST_NUMBER, AST_STRINGS, AST_TAG };

struct ast_string {
	struct str text;
	struct position at;
};

struct ast_argument {
	enum ast_kind kind;
	struct position at;
	uint64_t number;
	struct str tag; /* without the colon */
	struct ast_string *strings;
	size_t count;
	bool is_list; /* stood in brackets */
	struct ast_argument *next;
};

struct ast_command {
	struct str name;
	struct position at;
	struct ast_argument *arguments;
	struct ast_command *tests;
	struct ast_command *block;
	bool has_test_list;         /* tests stood in parentheses */
	bool has_block;             /* ended with a block, which may be empty */
	bool follows_error;         /* what stood before it could not be read */
	struct ast_command *parent; /* filled by check, too */
	struct ast_command *previous;
	struct ast_command *next;

	/* Filled by check. */
	const struct command *command;
	struct call *call;
	enum truth truth;   /* of a test */
	bool is_dead;       /* never reached: only its syntax counts */
	bool block_is_dead; /* its test is never true */
};

#endif
