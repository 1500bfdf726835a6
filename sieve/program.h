/* program - a compiled script
 *
 *   if allof (header ..., not size ...) { keep; stop; }  discard;
 *
 *   0  TEST         header     sets the answer
 *   1  JUMP_UNLESS  4          to the end of allof
 *   2  TEST         size
 *   3  NOT                     turns the answer round
 *   4  JUMP_UNLESS  7
 *   5  ACT          keep
 *   6  STOP
 *   7  ACT          discard
 *   8  STOP                    always the last one
 *
 * An instruction is an opcode, where it stands in the script, and a call or a
 * target.  A call is a command with all that the compiler could find out about
 * its arguments.  Programs are never changed once they are built; they live in
 * one arena and point into nothing else.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_PROGRAM_H
#define SIEVE_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "sieve/comparator.h"
#include "sieve/report.h"

struct address_part;
struct command;
struct match_key;
struct match_type;
struct tag;

enum opcode {
	OP_TEST,        /* call's test(): sets the answer */
	OP_ACT,         /* call's act() */
	OP_NOT,         /* answer = !answer */
	OP_JUMP,        /* to target */
	OP_JUMP_IF,     /* to target when the answer is true */
	OP_JUMP_UNLESS, /* to target when the answer is false */
	OP_CALL,        /* call's inclusion: to the start of that script */
	OP_RETURN,      /* to the script that included this one, or the end */
	OP_LOOP,        /* a loop over parts begins, before its first part */
	OP_LOOP_NEXT,   /* the next part; none: the loop ends, to target */
	OP_LOOP_LEAVE,  /* ends as many loops as target says */
	OP_STOP,        /* end of the run */
	OP_TEST_BLOCK,  /* `test` of a test script; target is its end */
	OP_TEST_LEAVE   /* to that end, from included scripts, too */
};

/* foreverypart in foreverypart, also across scripts (RFC 5703 3 asks for 2). */
enum { MOST_LOOPS = 4 };

/* A string as it stands in a program.  Without parts it is constant; else the
 * parts' values are joined when control reaches it (RFC 5229 3). */
enum text_part_kind {
	TEXT_CONSTANT,   /* constant */
	TEXT_VARIABLE,   /* ${name}: index of the variable */
	TEXT_CAPTURE,    /* ${1}: index of the match variable */
	TEXT_ENVIRONMENT /* ${env.NAME}: constant is the item's name */
};
struct text_part {
	enum text_part_kind kind;
	struct str constant;
	size_t index;
};
struct text {
	struct position at;
	struct str constant;
	const struct text_part *parts;
	size_t count; /* of parts; 0: constant */
};

/* A positional argument or what follows a tag. */
struct argument {
	bool is_given; /* optional ones may be missing */
	bool is_list;  /* strings in brackets, be it one */
	struct position at;
	struct text *texts;          /* strings; one for a single string */
	const struct str *constants; /* their values; NULL: not all have one */
	size_t count;
	uint64_t number;
};

struct tag_use {
	const struct tag *tag;
	struct position at;
	struct argument argument;
};

enum { MOST_PARAMETERS = 4 };

/* What an include means (RFC 6609 3.2). */
struct inclusion {
	size_t script; /* index in the program */
	bool is_once;
};

struct call {
	const struct command *command;
	struct position at;
	struct argument *arguments; /* as many as there are parameters */
	const struct tag_use *tags; /* as written, one of a group at most */
	size_t tag_count;

	/* Commands that compare. */
	const struct comparator *comparator;
	const struct match_type *match_type;
	enum relation relation; /* :value, :count */
	uint64_t field_index;   /* :index, from 1; 0: all fields */
	bool counts_from_last;  /* :last */
	const struct address_part *address_part;
	const struct match_key *keys; /* NULL: not all keys are constant */
	size_t key_count;

	bool flag; /* what the command found out while it was compiled */

	/* Indexes of variables that the command names rather than reads. */
	const size_t *variables;
	size_t variable_count;

	const struct inclusion *inclusion; /* of include; NULL: nothing there */
};

struct instruction {
	enum opcode op;
	struct position at;
	unsigned rule; /* line of the if, elsif or else around it; 0: none */
	union {
		const struct call *call;
		size_t target;
	};
};

/* A part of a program that came from one script. */
struct program_script {
	const char *name;
	size_t start;         /* in code */
	const size_t *locals; /* variables that are nobody else's */
	size_t local_count;
};

struct sieve_program {
	const char *script;
	const struct instruction *code;
	size_t count;
	const struct program_script
		*scripts; /* the first includes the others */
	size_t script_count;
	size_t variables;   /* how many there are, of all scripts */
	bool uses_captures; /* ${0} ... stand in it */
};

static inline bool
text_is_constant(const struct text *text)
{
	return text->count == 0;
}

#endif
