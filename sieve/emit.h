/* emit - from the checked tree to instructions
 *
 * A command without an emit function of its own becomes one instruction; the
 * control structures and the tests of tests jump (core_control.c,
 * core_tests.c).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_EMIT_H
#define SIEVE_EMIT_H

#include <stddef.h>

#include "base/arena.h"
#include "sieve/ast.h"
#include "sieve/parse.h"
#include "sieve/program.h"

struct emitter {
	struct arena *arena; /* the program's */
	struct instruction *code;
	size_t count, size;
	size_t loops[MOST_LOOPS]; /* jumps behind the loops that are open */
	size_t loop_count;
	unsigned rule; /* line of the innermost rule that is open; 0: none */
};

/* `end` is its last instruction: OP_STOP, or OP_RETURN of one that is included.
 * The result is the index of its first. */
size_t emit_script(
	struct emitter *emitter, const struct parsed *script, enum opcode end);

/* ---- for commands ---- */

void emit_commands(struct emitter *emitter, const struct ast_command *first);
void emit_test(struct emitter *emitter, const struct ast_command *test);

/* Adds an instruction; the result is its index. */
size_t emit_call(
	struct emitter *emitter, enum opcode op, const struct call *call);
size_t emit_plain(struct emitter *emitter, enum opcode op, struct position at);

/* Jumps to code that is not there yet form a chain: `chain` is the last jump of
 * it or NO_JUMP, the result is the chain with one more. */
#define NO_JUMP ((size_t)-1)
size_t emit_jump(struct emitter *emitter, enum opcode op, struct position at,
	size_t chain);
/* All jumps of the chain lead to the next instruction. */
void emit_land(struct emitter *emitter, size_t chain);

#endif
