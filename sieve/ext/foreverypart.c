/* foreverypart - foreverypart and break (RFC 5703 3)
 *
 *      LOOP
 *   a: LOOP_NEXT end
 *      block              break: LOOP_LEAVE count; JUMP end
 *      JUMP a
 *   end:
 *
 * SPDX-License-Identifier: MIT
 */
#include "sieve/check.h"
#include "sieve/emit.h"
#include "sieve/registry.h"

#include "base/banned.h"

/* ---- :name ---- */

static void
check_name(struct checker *checker, struct call *call UNUSED,
	const struct tag_use *use)
{
	struct str name;

	(void)check_constant(
		checker, &use->argument, "the name of a loop", &name);
}

const struct tag_ops tag_loop_name = {.check = check_name};

/* False when the node has none. */
static bool
loop_name(const struct ast_command *node, struct str *name_out)
{
	const struct tag_use *use =
		node->call != NULL ? call_tag(node->call, GROUP_LOOP_NAME)
				   : NULL;

	if (use == NULL)
		return false;
	*name_out = use->argument.texts[0].constant;
	return true;
}

/* ---- loops around a command ---- */

static bool
is_loop(const struct ast_command *node)
{
	return node->command != NULL &&
	       node->command->id == COMMAND_FOREVERYPART;
}

/* How many loops around the node there are, the wanted one included; 0 when none
 * is the wanted one.  The nearest one hides others of its name. */
static size_t
count_to(const struct ast_command *node, bool has_name, struct str wanted)
{
	size_t count = 0;
	struct str name;

	for (node = node->parent; node != NULL; node = node->parent) {
		if (!is_loop(node))
			continue;
		count++;
		if (!has_name ||
			(loop_name(node, &name) && str_equal(name, wanted)))
			return count;
	}
	return 0;
}

static size_t
count_to_end(const struct ast_command *node)
{
	struct str name = STR_EMPTY;
	bool has_name = loop_name(node, &name);

	return count_to(node, has_name, name);
}

/* ---- foreverypart ---- */

static void
check_foreverypart(struct checker *checker, struct ast_command *node)
{
	const struct ast_command *around;
	size_t count = 1;

	for (around = node->parent; around != NULL; around = around->parent)
		count += is_loop(around) ? 1 : 0;
	if (count > MOST_LOOPS)
		check_error(checker, node->at,
			"more than %d loops within each other", MOST_LOOPS);
}

static void
emit_foreverypart(struct emitter *emitter, const struct ast_command *node)
{
	size_t start, end;

	emit_plain(emitter, OP_LOOP, node->at);
	start = emitter->count;
	end = emit_jump(emitter, OP_LOOP_NEXT, node->at, NO_JUMP);
	emitter->loops[emitter->loop_count++] = NO_JUMP;
	emit_commands(emitter, node->block);
	(void)emit_jump(emitter, OP_JUMP, node->at, start);
	emit_land(emitter, end);
	emit_land(emitter, emitter->loops[--emitter->loop_count]);
}

const struct command_ops command_foreverypart = {
	.check = check_foreverypart,
	.emit = emit_foreverypart,
};

/* ---- break ---- */

static void
check_break(struct checker *checker, struct ast_command *node)
{
	struct str name;

	if (count_to_end(node) > 0)
		return;
	if (loop_name(node, &name))
		check_error(checker, node->at,
			"\"break\" is in no \"foreverypart\" with the :name %s",
			check_quote(checker, name));
	else
		check_error(checker, node->at,
			"\"break\" is in no \"foreverypart\"");
}

static void
emit_break(struct emitter *emitter, const struct ast_command *node)
{
	size_t count = count_to_end(node);
	size_t *end = &emitter->loops[emitter->loop_count - count];

	(void)emit_jump(emitter, OP_LOOP_LEAVE, node->at, count);
	*end = emit_jump(emitter, OP_JUMP, node->at, *end);
}

const struct command_ops command_break = {
	.check = check_break,
	.emit = emit_break,
};
