/* SPDX-License-Identifier: MIT */
#include "sieve/emit.h"

#include "sieve/registry.h"

#include "base/banned.h"

static void
grow(struct emitter *emitter, size_t size)
{
	emitter->code = arena_grow(emitter->arena, emitter->code,
		sizeof(*emitter->code), emitter->count, size);
	emitter->size = size;
}

static struct instruction *
instruction_new(struct emitter *emitter, enum opcode op, struct position at)
{
	struct instruction *instruction;

	if (emitter->count == emitter->size)
		grow(emitter, emitter->size * 2);
	instruction = &emitter->code[emitter->count++];
	instruction->op = op;
	instruction->at = at;
	instruction->rule = emitter->rule;
	return instruction;
}

size_t
emit_call(struct emitter *emitter, enum opcode op, const struct call *call)
{
	instruction_new(emitter, op, call->at)->call = call;
	return emitter->count - 1;
}

size_t
emit_plain(struct emitter *emitter, enum opcode op, struct position at)
{
	instruction_new(emitter, op, at)->call = NULL;
	return emitter->count - 1;
}

size_t
emit_jump(struct emitter *emitter, enum opcode op, struct position at,
	size_t chain)
{
	instruction_new(emitter, op, at)->target = chain;
	return emitter->count - 1;
}

void
emit_land(struct emitter *emitter, size_t chain)
{
	while (chain != NO_JUMP) {
		size_t older = emitter->code[chain].target;

		emitter->code[chain].target = emitter->count;
		chain = older;
	}
}

static void
emit_node(
	struct emitter *emitter, const struct ast_command *node, enum opcode op)
{
	const struct command_ops *ops;

	if (node->is_dead)
		return;
	ops = node->command->ops;
	if (ops->emit != NULL)
		ops->emit(emitter, node);
	else
		emit_call(emitter, op, node->call);
}

void
emit_test(struct emitter *emitter, const struct ast_command *test)
{
	emit_node(emitter, test, OP_TEST);
}

void
emit_commands(struct emitter *emitter, const struct ast_command *first)
{
	for (; first != NULL; first = first->next)
		emit_node(emitter, first, OP_ACT);
}

size_t
emit_script(
	struct emitter *emitter, const struct parsed *script, enum opcode end)
{
	size_t start = emitter->count;
	/* Few nodes need more than one instruction, some none. */
	size_t likely = start + script->count + script->count / 4 + 1;

	if (likely > emitter->size)
		grow(emitter, likely);
	emitter->rule = 0;
	emit_commands(emitter, script->first);
	emit_plain(emitter, end, (struct position){0, 0});
	return start;
}
