/* include - include, return, global and the namespace "global" (RFC 6609)
 *
 * Scripts are found and compiled while the script that includes them is; what
 * happens when control reaches the command is in sieve/inclusion.c.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/utf8.h"
#include "sieve/check.h"
#include "sieve/compile.h"
#include "sieve/emit.h"
#include "sieve/ext/variables.h"
#include "sieve/registry.h"

#include "base/banned.h"

/* Code points of a script's name; RFC 5804 1.6 asks for 128. */
enum { LONGEST_NAME = 256 };

/* ---- include (RFC 6609 3.2) ---- */

/* Characters that RFC 5804 1.6 forbids: controls, and separators of lines and
 * paragraphs. */
static bool
has_bad_character(struct str name)
{
	size_t at = 0;
	uint32_t c;

	while (at < name.len)
		if (!utf8_next(name, &at, &c) || c < 0x20 ||
			(c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029)
			return true;
	return false;
}

/* RFC 6609 4: a name must not lead out of the scripts' folder. */
static bool
check_script_name(struct checker *checker, struct position at, struct str name)
{
	const char *shown = check_quote(checker, name), *fault = NULL;

	if (name.len == 0)
		fault = "it is empty";
	else if (str_has_char(name, '/'))
		fault = "it holds a slash";
	else if (name.data[0] == '.')
		fault = "it begins with a dot";
	else if (has_bad_character(name))
		fault = "it holds a character that names must not hold";
	else if (utf8_count(name) > LONGEST_NAME)
		fault = "it is longer than 256 characters";
	if (fault != NULL)
		check_error(checker, at, "%s is no name of a script: %s", shown,
			fault);
	return fault == NULL;
}

static enum sieve_location
location_of(const struct call *call)
{
	const struct tag_use *use = call_tag(call, GROUP_LOCATION);

	return use != NULL && use->tag->id == TAG_GLOBAL ? SIEVE_GLOBAL
	                                                 : SIEVE_PERSONAL;
}

static void
check_include(struct checker *checker, struct ast_command *node)
{
	struct call *call = node->call;
	struct include_request request = {
		.at = call->arguments[0].at,
		.location = location_of(call),
		.is_optional = call_tag(call, GROUP_OPTIONAL) != NULL,
		.is_once = call_tag(call, GROUP_ONCE) != NULL,
	};
	struct inclusion *inclusion;
	size_t script;

	if (!check_constant(checker, &call->arguments[0], "the script's name",
		    &request.name) ||
		!check_script_name(checker, request.at, request.name) ||
		!compile_include(checker, &request, &script))
		return;
	inclusion = ARENA_NEW(checker->arena, struct inclusion);
	inclusion->script = script;
	inclusion->is_once = request.is_once;
	call->inclusion = inclusion;
}

static void
emit_include(struct emitter *emitter, const struct ast_command *node)
{
	if (node->call->inclusion != NULL)
		emit_call(emitter, OP_CALL, node->call);
}

const struct command_ops command_include = {
	.check = check_include,
	.emit = emit_include,
};

/* ---- return (RFC 6609 3.3) ---- */

static void
emit_return(struct emitter *emitter, const struct ast_command *node)
{
	emit_plain(emitter, OP_RETURN, node->at);
}

const struct command_ops command_return = {.emit = emit_return};

/* ---- global (RFC 6609 3.4) ---- */

static void
declare(struct checker *checker, const struct text *name)
{
	const struct scope_entry *entry;
	size_t index;

	if (!text_is_constant(name) || !variables_is_name(name->constant)) {
		check_error(checker, name->at,
			"%s is no name for a variable that can be global",
			check_quote(checker, name->constant));
		return;
	}
	entry = scope_find(&checker->scope, name->constant);
	if (entry != NULL && entry->is_set && !entry->is_global) {
		check_error(checker, name->at,
			"%s has been set as a variable of this script: "
			"\"global\" has to come first",
			check_quote(checker, name->constant));
		return;
	}
	if (compile_global(checker, name->at, name->constant, &index))
		compile_declare(checker, name->constant, index);
}

static void
check_global(struct checker *checker, struct ast_command *node)
{
	const struct argument *names = &node->call->arguments[0];
	size_t i;

	if (!check_requires(checker, node->at, node->command->name,
		    EXTENSION_VARIABLES))
		return;
	for (i = 0; i < names->count; i++)
		declare(checker, &names->texts[i]);
}

/* What it declares is known while compiling. */
static void
emit_nothing(
	struct emitter *emitter UNUSED, const struct ast_command *node UNUSED)
{
}

const struct command_ops command_global = {
	.check = check_global,
	.emit = emit_nothing,
};

/* RFC 6609 3.4.2 */
static bool
find_global(struct checker *checker, struct position at, struct str member,
	struct text_part *part)
{
	if (!variables_is_name(member)) {
		check_error(checker, at,
			"%s is no name for a variable that can be global",
			check_quote(checker, member));
		return false;
	}
	part->kind = TEXT_VARIABLE;
	return compile_global(checker, at, member, &part->index);
}

const struct extension_ops extension_include = {
	.name_space = "global",
	.resolve = find_global,
};
