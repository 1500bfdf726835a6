/* variables - ${name}, ${1}, set and string (RFC 5229)
 *
 * Names become indexes at compile time.  A string in which nothing has to be put
 * in stays a constant one.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sieve/ext/variables.h"

#include "base/number.h"
#include "base/utf8.h"
#include "sieve/compare.h"
#include "sieve/compile.h"
#include "sieve/registry.h"

#include "base/banned.h"

enum { MOST_NAME_PARTS = 10 }; /* between dots, as in Pigeonhole */

/* ---- names ---- */

static bool
is_name_start(char c)
{
	return ascii_is_alpha(c) || c == '_';
}

static size_t
name_length(struct str s)
{
	size_t len = 0;

	if (s.len == 0 || !is_name_start(s.data[0]))
		return 0;
	while (len < s.len &&
		(is_name_start(s.data[len]) || ascii_is_digit(s.data[len])))
		len++;
	return len;
}

static size_t
digits_length(struct str s)
{
	size_t len = 0;

	while (len < s.len && ascii_is_digit(s.data[len]))
		len++;
	return len;
}

bool
variables_index(struct checker *checker, struct position at, struct str name,
	size_t *index_out)
{
	struct scope_entry *entry = scope_find(&checker->scope, name);

	if (entry == NULL && !compile_local(checker, at, name, &entry))
		return false;
	*index_out = entry->index;
	return true;
}

bool
variables_is_name(struct str name)
{
	return name.len > 0 && name_length(name) == name.len;
}

/* ---- namespaces (RFC 5229 3) ---- */

static size_t
count_parts_of_name(struct str name)
{
	struct str part;
	size_t count = 0;

	while (str_next_field(&name, '.', &part))
		count++;
	return count;
}

static void
unknown_namespace(struct checker *checker, struct position at, struct str shown)
{
	check_error(checker, at,
		"%s: no required extension brings a namespace of that name",
		check_quote(checker, shown));
}

static bool
may_be_required(const struct checker *checker, enum extension_id id)
{
	return checker->is_required[id] ||
	       sieve_offers(checker->settings,
		       str_from(registry_extension(id)->name));
}

/* `shown` is for messages: the name, or the reference with its braces. */
static bool
resolve_member(struct checker *checker, struct position at, struct str shown,
	struct str name_space, struct str member, struct text_part *part)
{
	int id;

	if (1 + count_parts_of_name(member) > MOST_NAME_PARTS) {
		check_error(checker, at,
			"%s has more than %d parts between its dots",
			check_quote(checker, shown), MOST_NAME_PARTS);
		return false;
	}
	for (id = EXTENSION_CORE + 1; id < EXTENSION_COUNT; id++) {
		const struct extension_ops *ops =
			registry_extension((enum extension_id)id)->ops;

		if (ops->name_space == NULL ||
			!str_is_nocase(name_space, ops->name_space) ||
			!may_be_required(checker, (enum extension_id)id))
			continue;
		return check_requires(checker, at,
			       arena_text(checker->arena, name_space),
			       (enum extension_id)id) &&
		       ops->resolve(checker, at, member, part);
	}
	unknown_namespace(checker, at, shown);
	return false;
}

static bool
find_settable_member(struct checker *checker, struct position at,
	struct str name, size_t *index_out)
{
	size_t dot = str_find_char(name, '.');
	struct text_part part = {.kind = TEXT_CONSTANT};

	if (!resolve_member(checker, at, name, str_slice(name, 0, dot),
		    str_skip(name, dot + 1), &part))
		return false;
	*index_out = part.index;
	if (part.kind != TEXT_VARIABLE)
		check_error(checker, at, "%s cannot be set",
			check_quote(checker, name));
	return part.kind == TEXT_VARIABLE;
}

/* RFC 5229 4: match variables cannot be set. */
static bool
find_named(struct checker *checker, struct position at, struct str name,
	size_t *index_out)
{
	const char *shown = check_quote(checker, name);

	if (variables_is_name(name))
		return variables_index(checker, at, name, index_out);
	if (name_length(name) > 0 && name.data[name_length(name)] == '.')
		return find_settable_member(checker, at, name, index_out);
	if (name.len > 0 && digits_length(name) == name.len)
		check_error(checker, at,
			"%s is a match variable, which cannot be set or named",
			shown);
	else
		check_error(checker, at, "%s is no name for a variable", shown);
	return false;
}

bool
variables_named(struct checker *checker, struct call *call,
	const struct argument *argument)
{
	size_t *indexes = ARENA_ARRAY(checker->arena, size_t, argument->count);
	size_t i;

	for (i = 0; i < argument->count; i++) {
		const struct text *text = &argument->texts[i];

		if (!text_is_constant(text)) {
			check_error(checker, text->at,
				"the variable's name has to be a constant "
				"string, without variables");
			return false;
		}
		if (!find_named(checker, text->at, text->constant, &indexes[i]))
			return false;
	}
	call->variables = indexes;
	call->variable_count = argument->count;
	return true;
}

/* ---- strings (RFC 5229 3) ---- */

struct reference {
	struct str whole;      /* "${...}" */
	struct str name_space; /* empty without one */
	struct str name;       /* what stands behind the namespace */
	bool is_number;
};

/* Takes identifier or digits off the front; an empty str when there is none. */
static struct str
take_word(struct str *rest)
{
	size_t len = name_length(*rest);
	struct str word;

	if (len == 0)
		len = digits_length(*rest);
	word = str_slice(*rest, 0, len);
	*rest = str_skip(*rest, len);
	return word;
}

/* Does `text`, which begins with "${", begin with a variable-ref? */
static bool
read_reference(struct str text, struct reference *reference)
{
	struct str rest = str_skip(text, 2), word = take_word(&rest);
	struct str first = word, member = word;
	bool has_namespace = false;

	while (word.len > 0 && rest.len > 0 && rest.data[0] == '.') {
		rest = str_skip(rest, 1);
		if (!has_namespace)
			member = rest;
		has_namespace = true;
		word = take_word(&rest);
	}
	if (word.len == 0 || rest.len == 0 || rest.data[0] != '}')
		return false;
	/* A namespace begins with an identifier. */
	if (has_namespace && ascii_is_digit(first.data[0]))
		return false;
	reference->whole = str_slice(text, 0, text.len - rest.len + 1);
	reference->name_space = has_namespace ? first : STR_EMPTY;
	reference->name = has_namespace
	                          ? str_slice(member, 0, member.len - rest.len)
	                          : word;
	reference->is_number = ascii_is_digit(word.data[0]);
	return true;
}

static bool
resolve_capture(struct checker *checker, struct position at,
	const struct reference *reference, struct text_part *part)
{
	uint64_t index;

	if (number_parse(reference->name, &index) < 0 ||
		index >= MOST_CAPTURES) {
		check_error(checker, at,
			"match variable %s does not exist: ${0} to ${%d} do",
			check_quote(checker, reference->whole),
			MOST_CAPTURES - 1);
		return false;
	}
	part->kind = TEXT_CAPTURE;
	part->index = (size_t)index;
	checker->uses_captures = true;
	return true;
}

static bool
resolve(struct checker *checker, struct position at,
	const struct reference *reference, struct text_part *part)
{
	if (reference->name_space.len > 0)
		return resolve_member(checker, at, reference->whole,
			reference->name_space, reference->name, part);
	if (reference->is_number)
		return resolve_capture(checker, at, reference, part);
	part->kind = TEXT_VARIABLE;
	return variables_index(checker, at, reference->name, &part->index);
}

/* The length of what stands in front of the next reference. */
static size_t
find_reference(struct str text, struct reference *reference)
{
	size_t at = 0;

	while (at < text.len) {
		at += str_find(str_skip(text, at), STR("${"));
		if (at < text.len &&
			read_reference(str_skip(text, at), reference))
			return at;
		at += at < text.len ? 1 : 0;
	}
	return text.len;
}

static size_t
count_parts(struct str rest)
{
	struct reference reference = {0};
	size_t count = 0, plain;

	while (rest.len > 0) {
		plain = find_reference(rest, &reference);
		count += plain > 0 ? 1 : 0;
		rest = str_skip(rest, plain);
		if (rest.len == 0)
			break;
		count++;
		rest = str_skip(rest, reference.whole.len);
	}
	return count;
}

static bool
split_string(struct checker *checker, struct text *text)
{
	struct str rest = text->constant;
	struct reference reference;
	struct text_part *part;
	size_t plain = find_reference(rest, &reference);

	if (plain == rest.len)
		return true;
	part = ARENA_ARRAY(checker->arena, struct text_part, count_parts(rest));
	text->parts = part;
	while (rest.len > 0) {
		plain = find_reference(rest, &reference);
		if (plain > 0) {
			part->kind = TEXT_CONSTANT;
			part++->constant = str_slice(rest, 0, plain);
		}
		rest = str_skip(rest, plain);
		if (rest.len == 0)
			break;
		if (!resolve(checker, text->at, &reference, part++))
			return false;
		rest = str_skip(rest, reference.whole.len);
	}
	text->count = (size_t)(part - text->parts);
	return true;
}

const struct extension_ops extension_variables = {
	.split = split_string,
	.is_grammar = true,
};

/* ---- set (RFC 5229 4) ---- */

static void
mark_set(struct checker *checker, struct str name)
{
	struct scope_entry *entry = scope_find(&checker->scope, name);

	if (entry != NULL)
		entry->is_set = true;
}

static void
check_set(struct checker *checker, struct ast_command *node)
{
	struct call *call = node->call;
	const struct text *value = call->arguments[1].texts;
	size_t most = checker->settings->max_variable_size;

	if (!variables_named(checker, call, &call->arguments[0]))
		return;
	mark_set(checker, call->arguments[0].texts->constant);
	/* RFC 5229 6: told at compile time where that is possible. */
	if (text_is_constant(value) && value->constant.len > most &&
		call_tag(call, GROUP_MODIFIER_10) == NULL)
		check_error(checker, value->at,
			"value is longer than %zu bytes "
			"(sieve_variables_max_value_size)",
			most);
}

/* In the order of precedence, which is the groups' order. */
enum sieve_status
variables_modify(struct run *run, const struct call *call, struct str *value)
{
	int group;

	for (group = GROUP_MODIFIER_40; group <= GROUP_MODIFIER_10; group++) {
		const struct tag_use *use =
			call_tag(call, (enum tag_group)group);

		if (use == NULL)
			continue;
		/* Encoding may make it three times as long. */
		if (run_reserve(run, (uint64_t)value->len * 3) != SIEVE_OK)
			return SIEVE_FAILED;
		*value = use->tag->ops->modify(run->scratch, *value);
	}
	return SIEVE_OK;
}

static enum sieve_status
act_set(struct run *run, const struct call *call)
{
	struct str value;

	if (run_text(run, call->arguments[1].texts, &value) != SIEVE_OK ||
		variables_modify(run, call, &value) != SIEVE_OK)
		return SIEVE_FAILED;
	variable_set(run, &run->variables[call->variables[0]], value);
	if (run_is_traced(run))
		run_trace_command(run, call,
			str_from(arena_format(run->scratch, "%.*s = \"%.*s\"",
				STR_ARG(call->arguments[0].texts->constant),
				STR_ARG(utf8_cut(value, 200)))));
	return SIEVE_OK;
}

const struct command_ops command_set = {
	.check = check_set,
	.act = act_set,
};

/* ---- modifiers (RFC 5229 4.1) ---- */

static struct str
modify_upper(struct arena *arena, struct str value)
{
	char *copy = arena_alloc(arena, value.len + 1);
	size_t i;

	for (i = 0; i < value.len; i++)
		copy[i] = ascii_upper(value.data[i]);
	return str_of(copy, value.len);
}

static struct str
modify_lowerfirst(struct arena *arena, struct str value)
{
	char *copy = arena_alloc(arena, value.len + 1);

	if (value.len == 0)
		return value;
	memcpy(copy, value.data, value.len);
	copy[0] = ascii_lower(copy[0]);
	return str_of(copy, value.len);
}

static struct str
modify_upperfirst(struct arena *arena, struct str value)
{
	char *copy = arena_alloc(arena, value.len + 1);

	if (value.len == 0)
		return value;
	memcpy(copy, value.data, value.len);
	copy[0] = ascii_upper(copy[0]);
	return str_of(copy, value.len);
}

static struct str
modify_quotewildcard(struct arena *arena, struct str value)
{
	char *copy = arena_alloc(arena, value.len * 2 + 1);
	size_t i, len = 0;

	for (i = 0; i < value.len; i++) {
		char c = value.data[i];

		if (c == '*' || c == '?' || c == '\\')
			copy[len++] = '\\';
		copy[len++] = c;
	}
	return str_of(copy, len);
}

/* RFC 5435 6, RFC 3986 2.1: all but the unreserved characters. */
static struct str
modify_encodeurl(struct arena *arena, struct str value)
{
	static const char digits[] = "0123456789ABCDEF";
	char *copy = arena_alloc(arena, value.len * 3 + 1);
	size_t i, len = 0;

	for (i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.data[i];

		if (ascii_is_alpha((char)c) || ascii_is_digit((char)c) ||
			c == '-' || c == '.' || c == '_' || c == '~') {
			copy[len++] = (char)c;
			continue;
		}
		copy[len++] = '%';
		copy[len++] = digits[c >> 4];
		copy[len++] = digits[c & 15];
	}
	return str_of(copy, len);
}

static struct str
modify_length(struct arena *arena, struct str value)
{
	return str_from(arena_format(arena, "%zu", utf8_count(value)));
}

const struct tag_ops tag_lower = {.modify = arena_lower};
const struct tag_ops tag_upper = {.modify = modify_upper};
const struct tag_ops tag_lowerfirst = {.modify = modify_lowerfirst};
const struct tag_ops tag_upperfirst = {.modify = modify_upperfirst};
const struct tag_ops tag_quotewildcard = {.modify = modify_quotewildcard};
const struct tag_ops tag_encodeurl = {.modify = modify_encodeurl};
const struct tag_ops tag_length = {.modify = modify_length};

/* ---- string (RFC 5229 5) ---- */

static enum sieve_status
test_string(struct run *run, const struct call *call, bool *answer_out)
{
	const struct argument *source = &call->arguments[0];
	struct compare compare;
	const struct str *values;
	size_t i;

	if (compare_start(&compare, run, call, 1) != SIEVE_OK ||
		run_texts(run, source, &values) != SIEVE_OK)
		return SIEVE_FAILED;
	for (i = 0; i < source->count && !compare.is_true; i++) {
		/* RFC 5229 5: the count of an empty string is 0. */
		if (compare_counts(&compare) && values[i].len == 0)
			continue;
		if (compare_value(&compare, values[i]) != SIEVE_OK)
			return SIEVE_FAILED;
	}
	compare_end(&compare, answer_out);
	return SIEVE_OK;
}

const struct command_ops command_string = {.test = test_string};
