/* SPDX-License-Identifier: MIT */
#include "sieve/compile.h"

#include <string.h>

#include "base/memory.h"
#include "sieve/emit.h"
#include "sieve/parse.h"
#include "sieve/program.h"
#include "sieve/settings.h"

#include "base/banned.h"

enum { LONGEST_VARIABLE_NAME = 64 }; /* RFC 5229 6 asks for 32 at least */

/* What a name led to. */
struct included_name {
	enum sieve_location location;
	struct str name;
	struct unit *unit; /* NULL: there is no such script */
	const char *script;
};

struct compilation {
	struct arena *arena; /* the program's */
	struct arena *tree;
	struct sieve_settings settings;
	struct sieve_loader *loader;
	struct sieve_report *report;
	struct err *err;
	bool is_in_trouble; /* a script could not be loaded: err */
	struct unit **units;
	size_t count, size;
	struct included_name *names;
	size_t name_count, name_size;
	struct scope globals;
	size_t variables; /* of all scripts */
	uint64_t bytes;   /* so are these */
};

static const struct position nowhere = {1, 1};

/* ---- variables ---- */

struct scope_entry *
scope_find(const struct scope *scope, struct str name)
{
	size_t i;

	for (i = 0; i < scope->count; i++)
		if (str_equal_nocase(scope->entries[i].name, name))
			return &scope->entries[i];
	return NULL;
}

static struct scope_entry *
scope_add(struct arena *arena, struct scope *scope, struct str name)
{
	if (scope->count == scope->size) {
		size_t size = scope->size > 0 ? scope->size * 2 : 16;

		scope->entries = arena_grow(arena, scope->entries,
			sizeof(*scope->entries), scope->count, size);
		scope->size = size;
	}
	scope->entries[scope->count] = (struct scope_entry){.name = name};
	return &scope->entries[scope->count++];
}

/* For one more variable of that name? */
static bool
has_room(struct checker *checker, struct position at, const struct scope *scope,
	struct str name)
{
	if (name.len > LONGEST_VARIABLE_NAME) {
		check_error(checker, at,
			"the variable's name %s is too long: %d characters are "
			"the limit",
			check_quote(checker, name), LONGEST_VARIABLE_NAME);
		return false;
	}
	if (scope->count < checker->settings->max_variables)
		return true;
	check_error(checker, at,
		"more than %zu variables (sieve_variables_max_scope_size)",
		checker->settings->max_variables);
	return false;
}

bool
compile_local(struct checker *checker, struct position at, struct str name,
	struct scope_entry **entry_out)
{
	struct compilation *compilation = checker->unit->compilation;

	if (!has_room(checker, at, &checker->scope, name))
		return false;
	*entry_out = scope_add(checker->arena, &checker->scope, name);
	(*entry_out)->index = compilation->variables++;
	return true;
}

bool
compile_global(struct checker *checker, struct position at, struct str name,
	size_t *index_out)
{
	struct compilation *compilation = checker->unit->compilation;
	struct scope *globals = &compilation->globals;
	struct scope_entry *entry = scope_find(globals, name);

	if (entry == NULL) {
		if (!has_room(checker, at, globals, name))
			return false;
		entry = scope_add(compilation->arena, globals, name);
		entry->index = compilation->variables++;
	}
	*index_out = entry->index;
	return true;
}

void
compile_declare(struct checker *checker, struct str name, size_t index)
{
	struct scope_entry *entry = scope_find(&checker->scope, name);

	if (entry == NULL)
		entry = scope_add(checker->arena, &checker->scope, name);
	entry->index = index;
	entry->is_global = true;
}

/* ---- one script ---- */

/* What a program costs while it is made grows with the text of all its scripts. */
static void
check_size(struct unit *unit, struct str text)
{
	struct compilation *compilation = unit->compilation;
	uint64_t limit = unit->settings.max_script_size;

	compilation->bytes += text.len;
	if (text.len > limit)
		report_error(&unit->reporter, nowhere,
			"script is %zu bytes long, the limit is %llu "
			"(sieve_max_script_size)",
			text.len, (unsigned long long)limit);
	else if (compilation->bytes > limit)
		report_error(&unit->reporter, nowhere,
			"with this script those that are included are %llu "
			"bytes long, the limit is %llu (sieve_max_script_size)",
			(unsigned long long)compilation->bytes,
			(unsigned long long)limit);
}

static void
check_text(struct unit *unit, struct str text)
{
	struct compilation *compilation = unit->compilation;
	/* Strings of the program point into this copy. */
	struct str kept = arena_copy(compilation->arena, text);

	unit->reporter.is_syntax = true;
	unit->parsed = parse_script(compilation->tree, compilation->arena,
		&unit->settings, &unit->reporter, kept);
	unit->reporter.is_syntax = false;
	checker_init(&unit->checker, compilation->arena, unit, &unit->reporter,
		&unit->settings);
	unit->checker.requires_in_doubt = unit->parsed.lost_require;
	check_script(&unit->checker, unit->parsed.first);
}

/* Those of a script that is included come before those of its includer. */
static void
hand_over_problems(struct unit *unit)
{
	reporter_sort(&unit->reporter);
	report_append(unit->compilation->report, &unit->report);
	unit->is_good = unit->report.errors == 0 && !unit->report.is_full;
}

static void
compile_unit(struct unit *unit, struct str text)
{
	unit->is_open = true;
	check_size(unit, text);
	if (unit->reporter.errors == 0)
		check_text(unit, text);
	hand_over_problems(unit);
	unit->is_open = false;
}

static size_t
errors_left(const struct compilation *compilation)
{
	size_t told = compilation->report->errors;
	size_t most = compilation->settings.max_errors;

	return told < most ? most - told : 0;
}

static struct unit *
unit_new(struct compilation *compilation, struct unit *includer,
	const struct sieve_loaded *loaded)
{
	struct unit *unit = ARENA_NEW(compilation->tree, struct unit);

	unit->compilation = compilation;
	unit->includer = includer;
	unit->index = compilation->count;
	unit->depth = includer != NULL ? includer->depth + 1 : 0;
	unit->identity = loaded->identity;
	unit->settings = compilation->settings;
	sieve_report_init(&unit->report, compilation->report->arena);
	reporter_init(&unit->reporter, &unit->report, loaded->script,
		includer != NULL ? errors_left(compilation)
				 : compilation->settings.max_errors);
	if (compilation->count == compilation->size) {
		compilation->size =
			compilation->size ? compilation->size * 2 : 4;
		compilation->units = arena_grow(compilation->tree,
			compilation->units, sizeof(struct unit *),
			compilation->count, compilation->size);
	}
	compilation->units[compilation->count++] = unit;
	return unit;
}

/* ---- including ---- */

/* "a -> b -> a", from the outermost of the scripts that are being compiled. */
static const char *
chain_text(struct arena *arena, const struct unit *unit, const char *end)
{
	const char *chain = end;

	for (; unit != NULL; unit = unit->includer)
		chain = arena_format(
			arena, "%s -> %s", unit->reporter.script, chain);
	return chain;
}

static struct included_name *
find_name(const struct compilation *compilation,
	const struct include_request *request)
{
	size_t i;

	for (i = 0; i < compilation->name_count; i++) {
		struct included_name *name = &compilation->names[i];

		if (name->location == request->location &&
			str_equal(name->name, request->name))
			return name;
	}
	return NULL;
}

static struct included_name *
name_new(struct compilation *compilation, const struct include_request *request)
{
	struct included_name *name;

	if (compilation->name_count == compilation->name_size) {
		size_t size = compilation->name_size > 0
		                      ? compilation->name_size * 2
		                      : 8;

		compilation->names = arena_grow(compilation->tree,
			compilation->names, sizeof(*compilation->names),
			compilation->name_count, size);
		compilation->name_size = size;
	}
	name = &compilation->names[compilation->name_count++];
	*name = (struct included_name){
		.location = request->location, .name = request->name};
	return name;
}

static struct unit *
find_unit(const struct compilation *compilation, const char *identity,
	bool is_global)
{
	size_t i;

	for (i = 0; i < compilation->count; i++) {
		struct unit *unit = compilation->units[i];

		if (unit->settings.is_global == is_global &&
			unit->identity != NULL &&
			strcmp(unit->identity, identity) == 0)
			return unit;
	}
	return NULL;
}

static bool
is_within_limits(struct checker *checker, struct position at)
{
	const struct unit *unit = checker->unit;
	const struct sieve_settings *settings = &unit->settings;

	if (unit->compilation->name_count >= settings->max_includes) {
		check_error(checker, at,
			"more than %zu scripts are included "
			"(sieve_include_max_includes)",
			settings->max_includes);
		return false;
	}
	if (unit->compilation->bytes > settings->max_script_size) {
		check_error(checker, at,
			"no more scripts are included: those before it are too "
			"long (sieve_max_script_size)");
		return false;
	}
	if (unit->depth >= settings->max_include_depth) {
		check_error(checker, at,
			"scripts include each other deeper than %zu "
			"(sieve_include_max_nesting_depth)",
			settings->max_include_depth);
		return false;
	}
	return true;
}

/* NULL after trouble. */
static struct included_name *
load(struct checker *checker, const struct include_request *request)
{
	struct unit *unit = checker->unit;
	struct compilation *compilation = unit->compilation;
	struct sieve_loader *loader = compilation->loader;
	struct sieve_loaded loaded = {.script = NULL};
	struct included_name *name;
	enum lookup found = LOOKUP_NONE;

	if (loader != NULL)
		found = loader->ops->load(loader, compilation->tree,
			request->location, request->name, &loaded,
			compilation->err);
	if (found == LOOKUP_ERROR) {
		compilation->is_in_trouble = true;
		return NULL;
	}
	name = name_new(compilation, request);
	name->script = loaded.script;
	if (found == LOOKUP_NONE)
		return name;
	name->unit = find_unit(compilation, loaded.identity,
		request->location == SIEVE_GLOBAL);
	if (name->unit == NULL) {
		/* Names move when there are more of them. */
		size_t place = compilation->name_count - 1;
		struct unit *included = unit_new(compilation, unit, &loaded);

		included->settings.is_global =
			request->location == SIEVE_GLOBAL;
		name->unit = included;
		compile_unit(included, loaded.text);
		name = &compilation->names[place];
	}
	return name;
}

static bool
tell_missing(struct checker *checker, const struct include_request *request,
	const char *script)
{
	const char *location =
		request->location == SIEVE_GLOBAL ? "global" : "personal";

	if (request->is_optional)
		return false;
	if (script != NULL)
		check_error(checker, request->at,
			"there is no %s script %s (%s); add \":optional\" "
			"where "
			"it may be missing",
			location, check_quote(checker, request->name), script);
	else
		check_error(checker, request->at,
			"there is no %s script %s: there is no place for %s "
			"scripts here",
			location, check_quote(checker, request->name),
			location);
	return false;
}

static bool
is_loop(struct checker *checker, const struct include_request *request,
	const struct unit *included)
{
	if (!included->is_open || request->is_once)
		return false;
	check_error(checker, request->at,
		"%s includes itself: %s; \":once\" ends such a loop",
		check_quote(checker, request->name),
		chain_text(checker->reporter->report->arena, checker->unit,
			included->reporter.script));
	return true;
}

bool
compile_include(struct checker *checker, const struct include_request *request,
	size_t *script_out)
{
	struct compilation *compilation = checker->unit->compilation;
	struct included_name *name = find_name(compilation, request);

	if (compilation->is_in_trouble)
		return false;
	if (name == NULL) {
		if (!is_within_limits(checker, request->at))
			return false;
		name = load(checker, request);
	}
	if (name == NULL)
		return false;
	if (name->unit == NULL)
		return tell_missing(checker, request, name->script);
	if (is_loop(checker, request, name->unit))
		return false;
	if (!name->unit->is_open && !name->unit->is_good) {
		check_error(checker, request->at,
			"the included script %s has errors",
			check_quote(checker, request->name));
		return false;
	}
	*script_out = name->unit->index;
	return true;
}

/* ---- the program ---- */

static void
add_locals(struct compilation *compilation, const struct scope *scope,
	struct program_script *script)
{
	size_t *locals = ARENA_ARRAY(compilation->arena, size_t, scope->count);
	size_t i;

	for (i = 0; i < scope->count; i++)
		if (!scope->entries[i].is_global)
			locals[script->local_count++] = scope->entries[i].index;
	script->locals = locals;
}

static struct sieve_program *
build(struct compilation *compilation)
{
	struct arena *arena = compilation->arena;
	struct emitter emitter = {.arena = arena};
	struct sieve_program *program = ARENA_NEW(arena, struct sieve_program);
	struct program_script *scripts =
		ARENA_ARRAY(arena, struct program_script, compilation->count);
	size_t i;

	for (i = 0; i < compilation->count; i++) {
		const struct unit *unit = compilation->units[i];

		scripts[i].name =
			arena_text(arena, str_from(unit->reporter.script));
		scripts[i].start = emit_script(
			&emitter, &unit->parsed, i == 0 ? OP_STOP : OP_RETURN);
		add_locals(compilation, &unit->checker.scope, &scripts[i]);
		program->uses_captures =
			program->uses_captures || unit->checker.uses_captures;
	}
	program->script = scripts[0].name;
	program->scripts = scripts;
	program->script_count = compilation->count;
	program->code = emitter.code;
	program->count = emitter.count;
	program->variables = compilation->variables;
	return program;
}

struct sieve_program *
sieve_program_named(
	struct arena *arena, struct sieve_program *program, const char *script)
{
	struct program_script *first;
	struct sieve_program *named;

	if (strcmp(program->script, script) == 0)
		return program;
	if (program->script_count > 1)
		BUG("a program of several scripts has a name of its own");
	first = ARENA_NEW(arena, struct program_script);
	named = ARENA_NEW(arena, struct sieve_program);
	*first = program->scripts[0];
	first->name = arena_text(arena, str_from(script));
	*named = *program;
	named->script = first->name;
	named->scripts = first;
	return named;
}

enum sieve_status
sieve_compile_all(struct arena *arena, const struct sieve_settings *settings,
	struct sieve_loader *loader, const char *script, struct str text,
	struct sieve_program **program_out, struct sieve_report *report,
	struct err *err)
{
	struct compilation compilation = {
		.arena = arena,
		.tree = arena_open(),
		.settings = settings_filled(settings),
		.loader = loader,
		.report = report,
		.err = err,
	};
	const struct sieve_loaded main_script = {
		.script = script,
		.identity = loader != NULL ? loader->identity : NULL,
	};
	enum sieve_status status = SIEVE_FAILED;
	struct unit *unit = unit_new(&compilation, NULL, &main_script);

	*program_out = NULL;
	compile_unit(unit, text);
	if (compilation.is_in_trouble)
		status = SIEVE_TEMPORARY;
	else if (unit->is_good) {
		*program_out = build(&compilation);
		status = SIEVE_OK;
	}
	arena_close(&compilation.tree);
	return status;
}

int
sieve_compile(struct arena *arena, const struct sieve_settings *settings,
	const char *script, struct str text, struct sieve_program **program_out,
	struct sieve_report *report)
{
	struct err err;

	return sieve_compile_all(arena, settings, NULL, script, text,
		       program_out, report, &err) == SIEVE_OK
	               ? 0
	               : -1;
}
