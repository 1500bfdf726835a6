/* SPDX-License-Identifier: MIT */
#include "sieve/sieve.h"

#include "sieve/check.h"
#include "sieve/emit.h"
#include "sieve/parse.h"
#include "sieve/program.h"
#include "sieve/report.h"
#include "sieve/settings.h"

#include "base/banned.h"

struct compilation {
	struct arena *arena; /* the program's */
	struct arena *tree;
	struct sieve_settings settings;
	struct reporter reporter;
	struct checker checker;
};

static void
check_size(struct compilation *compilation, struct str text)
{
	if (text.len > compilation->settings.max_script_size)
		report_error(&compilation->reporter, (struct position){1, 1},
			"script is %zu bytes long, the limit is %llu "
			"(sieve_max_script_size)",
			text.len,
			(unsigned long long)
				compilation->settings.max_script_size);
}

static struct ast_command *
read_tree(struct compilation *compilation, struct str text)
{
	/* Strings of the program point into this copy. */
	struct str kept = arena_copy(compilation->arena, text);
	struct ast_command *first;
	bool lost_require;

	compilation->reporter.is_syntax = true;
	first = parse_script(compilation->tree, compilation->arena,
		&compilation->settings, &compilation->reporter, kept,
		&lost_require);
	compilation->reporter.is_syntax = false;
	checker_init(&compilation->checker, compilation->arena,
		&compilation->reporter, &compilation->settings);
	compilation->checker.requires_in_doubt = lost_require;
	check_script(&compilation->checker, first);
	return first;
}

static struct sieve_program *
build(struct compilation *compilation, const struct ast_command *first)
{
	struct emitter emitter = {.arena = compilation->arena};
	struct sieve_program *program =
		ARENA_NEW(compilation->arena, struct sieve_program);

	emit_script(&emitter, first);
	program->script = arena_text(
		compilation->arena, str_from(compilation->reporter.script));
	program->code = emitter.code;
	program->count = emitter.count;
	program->variables = compilation->checker.variable_count;
	program->uses_captures = compilation->checker.uses_captures;
	return program;
}

int
sieve_compile(struct arena *arena, const struct sieve_settings *settings,
	const char *script, struct str text, struct sieve_program **program_out,
	struct sieve_report *report)
{
	struct compilation compilation = {
		.arena = arena, .settings = settings_filled(settings)};
	struct ast_command *first;

	*program_out = NULL;
	reporter_init(&compilation.reporter, report, script,
		compilation.settings.max_errors);
	check_size(&compilation, text);
	if (compilation.reporter.errors > 0)
		return -1;
	compilation.tree = arena_open();
	first = read_tree(&compilation, text);
	if (compilation.reporter.errors == 0)
		*program_out = build(&compilation, first);
	arena_close(&compilation.tree);
	reporter_sort(&compilation.reporter);
	return compilation.reporter.errors == 0 ? 0 : -1;
}
