/* core_control - require, if, elsif, else, stop (RFC 5228 3)
 *
 * SPDX-License-Identifier: MIT
 */
#include "sieve/check.h"
#include "sieve/emit.h"
#include "sieve/registry.h"
#include "sieve/settings.h"

#include "base/banned.h"

/* ---- require (RFC 5228 3.2) ---- */

static bool
is_absent(const char *capability)
{
	enum absent_id id;

	return registry_find_absent(str_from(capability), &id);
}

static void
unknown_extension(struct checker *checker, const struct ast_string *name)
{
	const char *successor = registry_successor(name->text);
	const char *near = registry_near_extension(name->text);
	const char *shown = check_quote(checker, name->text);

	if (successor != NULL)
		check_error(checker, name->at,
			"%s is an old name: its successor is \"%s\"%s", shown,
			successor,
			is_absent(successor) ? ", which this release does not "
					       "have"
					     : "");
	else if (near != NULL)
		check_error(checker, name->at,
			"unknown extension %s; did you mean \"%s\"?", shown,
			near);
	else
		check_error(checker, name->at, "unknown extension %s", shown);
	checker->requires_in_doubt = true;
}

static void
require_one(struct checker *checker, const struct ast_string *name)
{
	enum extension_id id;
	enum absent_id absent;

	if (registry_find_absent(name->text, &absent)) {
		check_error(checker, name->at,
			"this release does not have the extension %s",
			check_quote(checker, name->text));
		checker->is_absence_told[absent] = true;
		return;
	}
	if (!registry_find_extension(name->text, &id) ||
		!registry_shows(checker->settings, id)) {
		unknown_extension(checker, name);
		return;
	}
	if (!sieve_offers(checker->settings, name->text)) {
		check_error(checker, name->at,
			"extension %s is not offered here (%s)",
			check_quote(checker, name->text),
			settings_is_for_global(checker->settings, name->text)
				? "sieve_global_extensions"
				: "sieve_extensions");
		checker->is_told[id] = true;
		return;
	}
	for (; !checker->is_required[id];
		id = registry_extension(id)->ops->brings)
		checker->is_required[id] = true;
}

static void
check_require(struct checker *checker, struct ast_command *node)
{
	const struct ast_argument *argument = node->arguments;
	size_t i;

	if (checker->is_past_requires)
		check_error(checker, node->at,
			"\"require\" has to stand before all other commands");
	for (i = 0; i < argument->count; i++)
		require_one(checker, &argument->strings[i]);
}

/* Everything has been done at compile time. */
static void
emit_nothing(
	struct emitter *emitter UNUSED, const struct ast_command *node UNUSED)
{
}

const struct command_ops command_require = {
	.check = check_require,
	.emit = emit_nothing,
};

/* The capabilities of the base language, which need no require. */
const struct extension_ops extension_core = {.is_always_on = true};

/* ---- if, elsif, else (RFC 5228 3.1) ---- */

static bool
is_command(const struct ast_command *node, enum command_id id)
{
	return node != NULL && node->command != NULL && node->command->id == id;
}

static void
check_follows_if(struct checker *checker, struct ast_command *node)
{
	const struct ast_command *before = node->previous;

	if (node->follows_error || is_command(before, COMMAND_IF) ||
		is_command(before, COMMAND_ELSIF))
		return;
	/* A misspelt "if" has been told already. */
	if (before != NULL && before->command == NULL)
		return;
	check_error(checker, node->at,
		"\"%s\" has to follow the block of an \"if\" or \"elsif\"",
		node->command->name);
}

static bool
has_alternative(const struct ast_command *node)
{
	const struct ast_command *next = node->next;

	return (is_command(next, COMMAND_ELSIF) ||
		       is_command(next, COMMAND_ELSE)) &&
	       !next->is_dead;
}

static void
emit_block(struct emitter *emitter, const struct ast_command *node)
{
	unsigned outer = emitter->rule;

	emitter->rule = node->at.line;
	emit_commands(emitter, node->block);
	emitter->rule = outer;
}

/* The whole chain:
 *
 *   test; JUMP_UNLESS a; block; JUMP end;
 *   a: test; JUMP_UNLESS b; block; JUMP end;
 *   b: block
 *   end: */
static void
emit_if(struct emitter *emitter, const struct ast_command *node)
{
	size_t end = NO_JUMP, otherwise;

	for (;;) {
		emit_test(emitter, node->tests);
		otherwise =
			emit_jump(emitter, OP_JUMP_UNLESS, node->at, NO_JUMP);
		if (!node->block_is_dead)
			emit_block(emitter, node);
		if (!has_alternative(node))
			break;
		end = emit_jump(emitter, OP_JUMP, node->at, end);
		emit_land(emitter, otherwise);
		otherwise = NO_JUMP;
		node = node->next;
		if (is_command(node, COMMAND_ELSE)) {
			emit_block(emitter, node);
			break;
		}
	}
	emit_land(emitter, otherwise);
	emit_land(emitter, end);
}

const struct command_ops command_if = {
	.emit = emit_if,
};

/* The "if" before them has emitted these. */
const struct command_ops command_elsif = {
	.check = check_follows_if,
	.emit = emit_nothing,
};
const struct command_ops command_else = {
	.check = check_follows_if,
	.emit = emit_nothing,
};

/* ---- stop (RFC 5228 3.3) ---- */

static void
emit_stop(struct emitter *emitter, const struct ast_command *node)
{
	emit_plain(emitter, OP_STOP, node->at);
}

const struct command_ops command_stop = {
	.emit = emit_stop,
};
