/* SPDX-License-Identifier: MIT */
#include "sieve/check.h"

#include <stdarg.h>

#include "base/buf.h"
#include "sieve/comparator.h"
#include "sieve/match.h"

#include "base/banned.h"

enum { LONGEST_TAG = 60 }; /* bytes of an unknown one in a message */

static void check_commands(struct checker *checker, struct ast_command *first);
static void check_tests(struct checker *checker, struct ast_command *parent);

void
checker_init(struct checker *checker, struct arena *arena, struct unit *unit,
	struct reporter *reporter, const struct sieve_settings *settings)
{
	int id;

	*checker = (struct checker){
		.arena = arena,
		.unit = unit,
		.reporter = reporter,
		.settings = settings,
	};
	checker->is_required[EXTENSION_CORE] = true;
	for (id = EXTENSION_CORE + 1; id < EXTENSION_COUNT; id++)
		checker->is_required[id] =
			registry_extension((enum extension_id)id)
				->ops->is_always_on;
}

void
check_error(
	struct checker *checker, struct position at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report_verror(checker->reporter, at, format, args);
	va_end(args);
}

const char *
check_quote(struct checker *checker, struct str text)
{
	return report_quote(checker->reporter, text);
}

bool
check_requires(struct checker *checker, struct position at, const char *word,
	enum extension_id extension)
{
	const char *name;

	if (checker->is_required[extension])
		return true;
	/* One missing line is one error, however often it is missed. */
	if (!checker->requires_in_doubt && !checker->is_told[extension]) {
		name = registry_extension(extension)->name;
		check_error(checker, at,
			"\"%s\" belongs to an extension: add `require \"%s\";` "
			"at the top",
			word, name);
	}
	checker->is_told[extension] = true;
	return false;
}

bool
check_constant(struct checker *checker, const struct argument *argument,
	const char *what, struct str *value_out)
{
	if (argument->count == 1 && text_is_constant(&argument->texts[0])) {
		*value_out = argument->texts[0].constant;
		return true;
	}
	check_error(checker, argument->at,
		"%s has to be a constant string, without variables", what);
	return false;
}

const struct tag_use *
call_tag(const struct call *call, enum tag_group group)
{
	size_t i;

	for (i = 0; i < call->tag_count; i++)
		if (call->tags[i].tag->group == group)
			return &call->tags[i];
	return NULL;
}

static const char *
kind_of(const struct command *command)
{
	return command->kind == KIND_TEST ? "test" : "command";
}

/* Told before?  A name that is wrong is wrong wherever it stands. */
static bool
is_new(struct checker *checker, struct str word)
{
	size_t i;

	for (i = 0; i < checker->unknown_count; i++)
		if (str_equal_nocase(checker->unknown[i], word))
			return false;
	if (checker->unknown_count == checker->unknown_size) {
		size_t size = checker->unknown_size > 0
		                      ? checker->unknown_size * 2
		                      : 8;

		checker->unknown = arena_grow(checker->arena, checker->unknown,
			sizeof(*checker->unknown), checker->unknown_count,
			size);
		checker->unknown_size = size;
	}
	checker->unknown[checker->unknown_count++] =
		arena_copy(checker->arena, word);
	return true;
}

/* ---- strings ---- */

static bool
make_text(struct checker *checker, const struct ast_string *string,
	struct text *text)
{
	int id;

	*text = (struct text){.at = string->at, .constant = string->text};
	/* No extension may change how require reads its strings. */
	if (!checker->is_past_requires || !str_has_char(string->text, '$') ||
		str_find(string->text, STR("${")) == string->text.len)
		return true;
	for (id = EXTENSION_CORE + 1; id < EXTENSION_COUNT; id++) {
		const struct extension_ops *ops =
			registry_extension((enum extension_id)id)->ops;

		if (!checker->is_required[id])
			continue;
		if (ops->decode != NULL &&
			!ops->decode(checker, text->at, &text->constant))
			return false;
		if (ops->split != NULL && !ops->split(checker, text))
			return false;
	}
	return true;
}

static const struct str *
constant_values(struct checker *checker, const struct argument *argument)
{
	struct str *values;
	size_t i;

	for (i = 0; i < argument->count; i++)
		if (!text_is_constant(&argument->texts[i]))
			return NULL;
	values = ARENA_ARRAY(checker->arena, struct str, argument->count + 1);
	for (i = 0; i < argument->count; i++)
		values[i] = argument->texts[i].constant;
	return values;
}

static bool
make_texts(struct checker *checker, const struct ast_argument *node,
	struct argument *argument)
{
	bool is_good = true;
	size_t i;

	argument->count = node->count;
	argument->is_list = node->is_list;
	argument->texts = ARENA_ARRAY(checker->arena, struct text, node->count);
	for (i = 0; i < node->count; i++)
		if (!make_text(checker, &node->strings[i], &argument->texts[i]))
			is_good = false;
	argument->constants = constant_values(checker, argument);
	return is_good;
}

/* ---- arguments ---- */

static const char *
found_type(const struct ast_argument *node)
{
	switch (node->kind) {
	case AST_NUMBER:
		return "a number";
	case AST_STRINGS:
		return node->is_list ? "a string list" : "a string";
	case AST_TAG:
		return "a tag";
	}
	return "";
}

static const char *
wanted_type(enum parameter_type type)
{
	switch (type) {
	case PARAMETER_NONE:
		return "nothing";
	case PARAMETER_A_STRING:
		return "a string";
	case PARAMETER_A_STRING_LIST:
		return "a string or a string list";
	case PARAMETER_A_NUMBER:
		return "a number";
	case PARAMETER_A_STRING_OR_NUMBER:
		return "a string or a number";
	}
	return "";
}

static bool
has_type(const struct ast_argument *node, enum parameter_type type)
{
	switch (type) {
	case PARAMETER_NONE:
		return false;
	case PARAMETER_A_STRING:
		return node->kind == AST_STRINGS && !node->is_list;
	case PARAMETER_A_STRING_LIST:
		return node->kind == AST_STRINGS;
	case PARAMETER_A_NUMBER:
		return node->kind == AST_NUMBER;
	case PARAMETER_A_STRING_OR_NUMBER:
		return node->kind == AST_NUMBER ||
		       (node->kind == AST_STRINGS && !node->is_list);
	}
	return false;
}

static bool
make_argument(struct checker *checker, const struct ast_argument *node,
	struct argument *argument)
{
	argument->is_given = true;
	argument->at = node->at;
	argument->number = node->number;
	return node->kind != AST_STRINGS || make_texts(checker, node, argument);
}

const char *
check_usage(struct checker *checker, const struct command *command)
{
	static const char *const types[] = {
		[PARAMETER_NONE] = "",
		[PARAMETER_A_STRING] = "string",
		[PARAMETER_A_STRING_LIST] = "string-list",
		[PARAMETER_A_NUMBER] = "number",
		[PARAMETER_A_STRING_OR_NUMBER] = "string / number",
	};
	const struct parameter *p = command->parameters;
	struct buf buf;
	char *usage;

	buf_init(&buf, BUF_UNLIMITED);
	buf_add_text(&buf, command->name);
	for (; p < command->parameters + MOST_PARAMETERS && p->name; p++)
		buf_add_format(&buf,
			p->is_optional ? " [<%s: %s>]" : " <%s: %s>", p->name,
			types[p->type]);
	usage = arena_text(checker->arena, buf_view(&buf));
	buf_clear(&buf);
	return usage;
}

static size_t
count_parameters(const struct command *command, size_t *optional_out)
{
	size_t i;

	*optional_out = 0;
	for (i = 0; i < MOST_PARAMETERS; i++) {
		if (command->parameters[i].name == NULL)
			break;
		if (command->parameters[i].is_optional)
			++*optional_out;
	}
	return i;
}

static size_t
count_positional(const struct ast_argument *node)
{
	size_t count = 0;

	for (; node != NULL; node = node->next)
		count++;
	return count;
}

static bool
check_count(struct checker *checker, const struct ast_command *node,
	const struct ast_argument *positional, size_t given)
{
	size_t optional;
	size_t all = count_parameters(node->command, &optional);

	if (given + optional < all) {
		check_error(checker, node->at,
			"usage: %s; the %s %s requires %zu positional "
			"argument%s, but %zu %s specified",
			check_usage(checker, node->command),
			node->command->name, kind_of(node->command),
			all - optional, all - optional == 1 ? "" : "s", given,
			given == 1 ? "is" : "are");
		return false;
	}
	if (given > all) {
		for (; all > 0; all--)
			positional = positional->next;
		check_error(checker, positional->at,
			"there is an argument too many: the usage is %s",
			check_usage(checker, node->command));
		return false;
	}
	return true;
}

/* `place`: as the script counts them, from 1. */
static void
wrong_type(struct checker *checker, const struct ast_command *node,
	size_t index, size_t place, const struct ast_argument *found)
{
	const struct parameter *parameter = &node->command->parameters[index];
	char *name = arena_text(checker->arena, str_from(parameter->name));
	char *dash;

	while ((dash = strchr(name, '-')) != NULL)
		*dash = ' ';
	check_error(checker, found->at,
		"the %s %s expects %s as argument %zu (%s), but %s was found",
		node->command->name, kind_of(node->command),
		wanted_type(parameter->type), place, name, found_type(found));
}

static bool
check_positional(struct checker *checker, struct ast_command *node,
	const struct ast_argument *positional)
{
	size_t given = count_positional(positional), optional, i;
	size_t all = count_parameters(node->command, &optional);
	size_t spare; /* optional ones that are given */
	size_t taken = 0;

	if (!check_count(checker, node, positional, given))
		return false;
	spare = given + optional - all;
	if (all == 0)
		return true;
	node->call->arguments =
		ARENA_ARRAY(checker->arena, struct argument, all);
	for (i = 0; i < all; i++) {
		const struct parameter *parameter =
			&node->command->parameters[i];

		if (parameter->is_optional && spare == 0)
			continue;
		if (parameter->is_optional)
			spare--;
		if (!has_type(positional, parameter->type)) {
			wrong_type(checker, node, i, taken + 1, positional);
			return false;
		}
		if (!make_argument(
			    checker, positional, &node->call->arguments[i]))
			return false;
		positional = positional->next;
		taken++;
	}
	return true;
}

/* ---- tags ---- */

/* Told instead of "unknown" where the word is known elsewhere; of each capability
 * once, be it at its require. */
static bool
tell_absence(struct checker *checker, struct position at, struct str word)
{
	int id, first = ABSENT_COUNT;

	for (id = ABSENT_COUNT - 1; id >= 0; id--) {
		if (!registry_absent_brings((enum absent_id)id, word))
			continue;
		if (checker->is_absence_told[id])
			return true;
		first = id;
	}
	if (first == ABSENT_COUNT)
		return false;
	checker->is_absence_told[first] = true;
	check_error(checker, at,
		"%s belongs to the extension \"%s\", which this release does "
		"not have",
		check_quote(checker, word),
		registry_absent_name((enum absent_id)first));
	return true;
}

static void
unknown_tag(struct checker *checker, const struct ast_command *node,
	const struct ast_argument *argument)
{
	const struct command *command = node->command;
	const char *near = registry_near_tag(argument->tag, command);
	struct str word = str_from(
		arena_format(checker->arena, ":%.*s", STR_ARG(argument->tag)));

	if (tell_absence(checker, argument->at, word) ||
		!is_new(checker,
			str_from(arena_format(checker->arena, "%s %.*s",
				command->name, STR_ARG(word)))))
		return;
	check_error(checker, argument->at,
		"unknown tagged argument ':%s' for the %s %s%s%s%s",
		report_one_line(checker->reporter, argument->tag, LONGEST_TAG),
		command->name, kind_of(command),
		near ? "; did you mean \":" : "", near ? near : "",
		near ? "\"?" : "");
}

static const struct tag *
find_tag(struct checker *checker, const struct ast_command *node,
	const struct ast_argument *argument)
{
	bool is_other;
	const struct tag *tag =
		registry_find_tag(argument->tag, node->command, &is_other);

	if (tag == NULL || !registry_shows(checker->settings, tag->extension)) {
		unknown_tag(checker, node, argument);
		return NULL;
	}
	if (is_other) {
		check_error(checker, argument->at,
			"\"%s\" does not take \":%s\"", node->command->name,
			tag->name);
		return NULL;
	}
	if (!checker->is_required[tag->extension]) {
		check_requires(checker, argument->at,
			arena_format(checker->arena, ":%s", tag->name),
			tag->extension);
		return NULL;
	}
	return tag;
}

static bool
check_unique(struct checker *checker, const struct call *call,
	const struct tag *tag, struct position at)
{
	const struct tag_use *other = call_tag(call, tag->group);

	if (other == NULL)
		return true;
	if (other->tag == tag)
		check_error(checker, at,
			"unexpected tagged argument ':%s' for the %s %s: it is "
			"given twice",
			tag->name, call->command->name, kind_of(call->command));
	else
		check_error(checker, at,
			"unexpected tagged argument ':%s' for the %s %s: it "
			"cannot stand beside ':%s'",
			tag->name, call->command->name, kind_of(call->command),
			other->tag->name);
	return false;
}

/* Takes the tag at *at, and what belongs to it, off the list. */
static bool
take_tag(struct checker *checker, struct ast_command *node,
	const struct ast_argument **at, struct tag_use *use)
{
	const struct ast_argument *argument = *at;
	const struct tag *tag = find_tag(checker, node, argument);

	if (tag == NULL ||
		!check_unique(checker, node->call, tag, argument->at))
		return false;
	use->tag = tag;
	use->at = argument->at;
	if (tag->parameter == PARAMETER_NONE) {
		*at = argument->next;
		return true;
	}
	argument = argument->next;
	if (argument == NULL || !has_type(argument, tag->parameter)) {
		check_error(checker, argument ? argument->at : use->at,
			"%s has to follow \":%s\"%s%s",
			wanted_type(tag->parameter), tag->name,
			argument ? ", not " : "",
			argument ? found_type(argument) : "");
		return false;
	}
	*at = argument->next;
	return make_argument(checker, argument, &use->argument);
}

static bool
no_tag_behind(struct checker *checker, const struct ast_argument *positional)
{
	for (; positional != NULL; positional = positional->next)
		if (positional->kind == AST_TAG) {
			check_error(checker, positional->at,
				"tag %s stands behind other arguments: tags "
				"come first",
				check_quote(checker, positional->tag));
			return false;
		}
	return true;
}

static size_t
count_tags(const struct ast_argument *argument)
{
	size_t count = 0;

	for (; argument != NULL; argument = argument->next)
		if (argument->kind == AST_TAG)
			count++;
	return count;
}

/* On success *rest_out is the first positional argument. */
static bool
check_tags(struct checker *checker, struct ast_command *node,
	const struct ast_argument **rest_out)
{
	const struct ast_argument *argument = node->arguments;
	struct call *call = node->call;
	size_t count = count_tags(argument);
	struct tag_use *uses;

	/* More than one of a group is an error, so there is no need for more. */
	if (count > GROUP_COUNT)
		count = GROUP_COUNT;
	uses = ARENA_ARRAY(checker->arena, struct tag_use, count);
	call->tags = uses;
	while (argument != NULL && argument->kind == AST_TAG) {
		struct tag_use use = {0};

		if (!take_tag(checker, node, &argument, &use))
			return false;
		uses[call->tag_count++] = use;
	}
	*rest_out = argument;
	return no_tag_behind(checker, argument);
}

/* Tags' own functions, when the whole call has been read. */
static void
check_tag_meanings(struct checker *checker, struct call *call)
{
	size_t i;

	for (i = 0; i < call->tag_count; i++) {
		const struct tag_use *use = &call->tags[i];

		if (use->tag->ops->check != NULL)
			use->tag->ops->check(checker, call, use);
	}
}

/* ---- comparisons (RFC 5228 2.7) ---- */

static void
check_address_part(struct call *call)
{
	const struct tag_use *use = call_tag(call, GROUP_ADDRESS_PART);
	const struct tag_ops *ops = use != NULL ? use->tag->ops : &tag_all;

	call->address_part = ops->address_part;
}

static void
check_match_type(struct checker *checker, struct call *call)
{
	const struct tag_use *use = call_tag(call, GROUP_MATCH_TYPE);
	const struct tag_ops *ops = use != NULL ? use->tag->ops : &tag_is;

	call->match_type = ops->match_type;
	if (call->comparator == NULL)
		call->comparator = &comparator_ascii_casemap;
	if (use != NULL && call->match_type->needs_substring &&
		!call->comparator->has_substring)
		check_error(checker, use->at,
			"comparator \"%s\" cannot look for parts: it does not "
			"go with \":%s\"",
			call->comparator->name, use->tag->name);
	if (call->match_type->needs_octets && call->comparator->has_code_points)
		check_error(checker, use->at,
			"\":%s\" goes with the comparators \"i;octet\" and "
			"\"i;ascii-casemap\", not with \"%s\"",
			use->tag->name, call->comparator->name);
	if (call->match_type->counts &&
		call->comparator != &comparator_ascii_numeric)
		report_warning(checker->reporter, use->at,
			"\":%s\" compares numbers as text here, \"10\" is less "
			"than \"9\": add :comparator \"i;ascii-numeric\"",
			use->tag->name);
}

/* Keys are the last positional argument of every test that compares.  Those
 * that never change are made ready once. */
static void
prepare_keys(struct checker *checker, struct call *call)
{
	size_t optional;
	size_t last = count_parameters(call->command, &optional) - 1;
	const struct argument *keys = &call->arguments[last];
	struct match_key *prepared;
	struct err err;
	size_t i;

	for (i = 0; i < keys->count; i++)
		if (!text_is_constant(&keys->texts[i]))
			return;
	prepared =
		ARENA_ARRAY(checker->arena, struct match_key, keys->count + 1);
	for (i = 0; i < keys->count; i++)
		if (match_prepare(checker->arena, call->match_type,
			    call->comparator, NULL, keys->texts[i].constant,
			    &prepared[i], &err) < 0)
			check_error(checker, keys->texts[i].at, "%s", err.text);
	call->keys = prepared;
	call->key_count = keys->count;
}

/* ---- nodes ---- */

static void
misplaced(struct checker *checker, const struct ast_command *node, bool is_test)
{
	const char *name = node->command->name;

	if (is_test)
		check_error(checker, node->at,
			"\"%s\" is no test; is a \";\" missing before it?",
			name);
	else
		check_error(checker, node->at,
			"attempt to use test '%s' as a command: it can only "
			"stand behind \"if\", \"elsif\" or in another test",
			name);
}

static const struct command *
look_up(struct checker *checker, struct str name, bool is_test)
{
	size_t looks = name.len + (unsigned char)name.data[0] * 3U +
	               (unsigned char)name.data[name.len / 2] * 2U + is_test;
	struct recent_command *recent = &checker->recent[looks % CHECK_RECENT];
	const struct command *command = recent->command;

	if (command != NULL && (command->kind == KIND_TEST) == is_test &&
		str_equal(name, recent->written))
		return command;
	command = registry_find_command(name, is_test, checker->settings);
	if (command != NULL)
		*recent = (struct recent_command){name, command};
	return command;
}

static bool
find_command(struct checker *checker, struct ast_command *node, bool is_test)
{
	const struct command *command = look_up(checker, node->name, is_test);
	const char *near;

	if (command == NULL && tell_absence(checker, node->at, node->name))
		return false;
	if (command == NULL && is_new(checker, node->name)) {
		near = registry_near_command(
			node->name, is_test ? KIND_TEST : KIND_ACTION);
		check_error(checker, node->at, "unknown %s %s%s%s%s",
			is_test ? "test" : "command",
			check_quote(checker, node->name),
			near ? "; did you mean \"" : "", near ? near : "",
			near ? "\"?" : "");
	}
	if (command == NULL)
		return false;
	node->command = command;
	if ((command->kind == KIND_TEST) != is_test) {
		misplaced(checker, node, is_test);
		return false;
	}
	return check_requires(
		checker, node->at, command->name, command->extension);
}

/* What a command must end with, for messages. */
static const char *
wanted_end(enum command_end end)
{
	switch (end) {
	case END_NOTHING:
		return "neither a test nor a block";
	case END_ONE_TEST:
		return "one test";
	case END_TEST_LIST:
		return "a list of tests in parentheses";
	case END_BLOCK:
		return "a block and no test";
	case END_TEST_AND_BLOCK:
		return "one test and a block";
	}
	return "";
}

static bool
takes_tag(const struct checker *checker, const struct command *command,
	struct str name)
{
	bool is_other;
	const struct tag *tag = registry_find_tag(name, command, &is_other);

	return tag != NULL && !is_other && checker->is_required[tag->extension];
}

/* A word that follows the arguments is parsed as a test, whatever it was meant to
 * be. */
static void
misplaced_test(struct checker *checker, const struct ast_command *node)
{
	const struct command *command = node->command;
	struct str word = node->tests->name;
	const struct command *test =
		registry_find_command(word, true, checker->settings);

	if (!node->has_test_list && takes_tag(checker, command, word))
		check_error(checker, node->tests->at,
			"missing colon before %s, which is a tag of the %s %s",
			check_quote(checker, word), command->name,
			kind_of(command));
	else if (!node->has_test_list && command->kind != KIND_TEST &&
		 (test == NULL || test->kind != KIND_TEST))
		check_error(checker, node->tests->at,
			"missing semicolon behind the %s command, before %s",
			command->name, check_quote(checker, word));
	else
		check_error(checker, node->tests->at,
			"the %s %s accepts no sub-tests, but tests are "
			"specified%s",
			command->name, kind_of(command),
			test != NULL && test->kind != KIND_TEST
				? "; is a \"{\" missing?"
				: "");
}

/* False after an error; what the error was about is taken off the tree, so that
 * it is told once. */
static bool
check_end(struct checker *checker, struct ast_command *node)
{
	enum command_end end = node->command->end;
	bool wants_block = end == END_BLOCK || end == END_TEST_AND_BLOCK;
	bool wants_one = end == END_ONE_TEST || end == END_TEST_AND_BLOCK;
	bool wants_list = end == END_TEST_LIST;
	bool has_one = node->tests != NULL && !node->has_test_list;

	if (end == END_NOTHING && node->tests != NULL) {
		misplaced_test(checker, node);
		node->tests = NULL;
		return false;
	}
	if (end == END_BLOCK && has_one &&
		str_is_nocase(node->tests->name, "if")) {
		check_error(checker, node->at, "\"%s if\" is written \"elsif\"",
			node->command->name);
		node->tests = NULL;
		return false;
	}
	if (wants_block == node->has_block && wants_one == has_one &&
		wants_list == node->has_test_list)
		return true;
	check_error(checker, node->at, "\"%s\" takes %s", node->command->name,
		wanted_end(end));
	return false;
}

/* `name "x" :tag 1` becomes `name :tag 1 "x"`. */
static void
put_tags_first(struct ast_command *node)
{
	struct ast_argument **at = &node->arguments, *first, *end;

	while (*at != NULL && (*at)->kind != AST_TAG)
		at = &(*at)->next;
	if (*at == NULL || at == &node->arguments)
		return;
	first = node->arguments;
	node->arguments = *at;
	*at = NULL;
	for (end = node->arguments; end->next != NULL; end = end->next)
		;
	end->next = first;
}

static bool
check_arguments(struct checker *checker, struct ast_command *node)
{
	const struct ast_argument *positional;
	struct call *call = ARENA_NEW(checker->arena, struct call);

	call->command = node->command;
	call->at = node->at;
	node->call = call;
	if (node->command->ops->has_tags_behind)
		put_tags_first(node);
	return check_tags(checker, node, &positional) &&
	       check_positional(checker, node, positional);
}

static void
check_meaning(struct checker *checker, struct ast_command *node)
{
	struct call *call = node->call;
	bool compares = registry_takes(node->command, GROUP_COMPARATOR);

	check_tag_meanings(checker, call);
	if (registry_takes(node->command, GROUP_ADDRESS_PART))
		check_address_part(call);
	if (compares)
		check_match_type(checker, call);
	if (node->command->ops->check != NULL)
		node->command->ops->check(checker, node);
	if (compares)
		prepare_keys(checker, call);
}

/* A block that is never entered may use what is not there. */
static void
check_block(struct checker *checker, struct ast_command *node)
{
	node->block_is_dead =
		node->tests != NULL && node->tests->truth == TRUTH_FALSE;
	if (node->block_is_dead)
		return;
	checker->depth++;
	check_commands(checker, node->block);
	checker->depth--;
}

static void
check_node(struct checker *checker, struct ast_command *node, bool is_test)
{
	bool is_known = find_command(checker, node, is_test);
	bool is_good;

	if (node->command == NULL || node->command->id != COMMAND_REQUIRE)
		checker->is_past_requires = true;
	node->parent = checker->around;
	is_good = is_known && check_end(checker, node) &&
	          check_arguments(checker, node);
	if (is_good)
		check_meaning(checker, node);
	/* The other end of a broken line may be a command of its own. */
	if (!node->is_dead && (is_known || node->command == NULL)) {
		checker->around = node;
		check_tests(checker, node);
		check_block(checker, node);
		checker->around = node->parent;
	}
	if (is_good && node->command->ops->truth != NULL)
		node->truth = node->command->ops->truth(node);
}

/* Tests are made from left to right and no more of them than are needed (RFC
 * 5463 4), so what stands behind the one that decides is dead. */
static void
check_tests(struct checker *checker, struct ast_command *parent)
{
	enum truth decided_by = parent->command != NULL
	                                ? parent->command->ops->decided_by
	                                : TRUTH_UNKNOWN;
	struct ast_command *test;
	bool is_decided = false;

	for (test = parent->tests; test != NULL; test = test->next) {
		test->is_dead = is_decided;
		if (is_decided)
			continue;
		check_node(checker, test, true);
		is_decided = decided_by != TRUTH_UNKNOWN &&
		             test->truth == decided_by;
	}
}

static bool
is_alternative(const struct ast_command *node)
{
	return str_is_nocase(node->name, "elsif") ||
	       str_is_nocase(node->name, "else");
}

/* Does an "elsif" or "else" follow a test that is always true? */
static bool
is_never_reached(const struct ast_command *node)
{
	const struct ast_command *before = node->previous;

	return before != NULL && !node->follows_error &&
	       (before->is_dead ||
		       (before->tests != NULL &&
			       before->tests->truth == TRUTH_TRUE)) &&
	       is_alternative(node);
}

static void
check_commands(struct checker *checker, struct ast_command *first)
{
	for (; first != NULL; first = first->next) {
		if (checker->reporter->report->is_full)
			return;
		first->is_dead = is_never_reached(first);
		check_node(checker, first, false);
	}
}

void
check_script(struct checker *checker, struct ast_command *first)
{
	check_commands(checker, first);
}
