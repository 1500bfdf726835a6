/* extlists - lists that are kept elsewhere (RFC 6134)
 *
 * :list is a match type for every test that compares, and valid_ext_list.  What
 * lists there are and what is in them the host knows.  `redirect :list` is not
 * here.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sieve/ext/extlists.h"

#include "base/buf.h"
#include "sieve/check.h"
#include "sieve/evaluate.h"
#include "sieve/registry.h"

#include "base/banned.h"

enum { STEPS_OF_A_QUESTION = 100, STEP_OCTETS = 1024 };

/* ---- names (RFC 6134 2.5) ---- */

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_scheme(struct str scheme)
{
	size_t i;

	if (scheme.len == 0 || !is_letter(scheme.data[0]))
		return false;
	for (i = 1; i < scheme.len; i++)
		if (!is_letter(scheme.data[i]) &&
			!(scheme.data[i] >= '0' && scheme.data[i] <= '9') &&
			!str_has_char(STR("+-."), scheme.data[i]))
			return false;
	return true;
}

/* No octet that a URI cannot have (RFC 3986 2). */
static bool
is_uri(struct str name)
{
	size_t colon = str_find_char(name, ':'), i;

	if (colon + 1 >= name.len || !is_scheme(str_slice(name, 0, colon)))
		return false;
	for (i = colon + 1; i < name.len; i++)
		if (name.data[i] <= ' ' || name.data[i] > '~' ||
			str_has_char(STR("\"<>\\^`{|}"), name.data[i]))
			return false;
	return true;
}

/* How many octets have no case: the scheme, and "urn:" with its namespace
 * (RFC 2141 5). */
static size_t
caseless_part(struct str name)
{
	size_t colon = str_find_char(name, ':');
	struct str rest = str_skip(name, colon + 1);

	if (!str_is_nocase(str_slice(name, 0, colon), "urn"))
		return colon;
	return colon + 1 + str_find_char(rest, ':');
}

static struct str
spell_out(struct arena *arena, struct str name)
{
	if (!str_starts(name, STR(":")))
		return name;
	return str_from(arena_format(
		arena, "urn:ietf:params:sieve%.*s", STR_ARG(name)));
}

struct str
sieve_list_name(struct arena *arena, struct str name)
{
	struct str full = spell_out(arena, name), lower;
	size_t caseless;

	if (!is_uri(full))
		return STR_EMPTY;
	caseless = caseless_part(full);
	lower = arena_lower(arena, str_slice(full, 0, caseless));
	return str_from(arena_format(arena, "%.*s%.*s", STR_ARG(lower),
		STR_ARG(str_skip(full, caseless))));
}

static void
warn_no_uri(struct checker *checker, const struct argument *names)
{
	struct arena *scratch = arena_open();
	size_t i;

	for (i = 0; i < names->count; i++)
		if (text_is_constant(&names->texts[i]) &&
			sieve_list_name(scratch, names->texts[i].constant)
					.len == 0)
			report_warning(checker->reporter, names->texts[i].at,
				"there is no list %s: its name is no URI such "
				"as \"tag:example.org,2026:friends\"",
				check_quote(checker, names->texts[i].constant));
	arena_close(&scratch);
}

/* ---- :list ---- */

/* A list's name has rules of its own, whatever the comparator is. */
static int
prepare_name(struct arena *arena, const struct comparator *comparator UNUSED,
	struct match_memory *memory UNUSED, struct match_key *key,
	struct err *err UNUSED)
{
	key->text = sieve_list_name(arena, key->text);
	return 0;
}

static const struct match_type match_in_list = {
	.asks_lists = true,
	.keeps_key = true,
	.prepare = prepare_name,
};

/* The keys are the last argument. */
static void
check_list(struct checker *checker, struct call *call,
	const struct tag_use *use UNUSED)
{
	const struct parameter *parameters = call->command->parameters;
	size_t last = 0;

	while (last + 1 < MOST_PARAMETERS && parameters[last + 1].name != NULL)
		last++;
	warn_no_uri(checker, &call->arguments[last]);
}

const struct tag_ops tag_list = {
	.check = check_list, .match_type = &match_in_list};

/* RFC 5229 3.2: only a match sets them. */
static void
set_captures(struct run *run, struct str value)
{
	size_t i;

	if (!run->program->uses_captures)
		return;
	for (i = 0; i < MOST_CAPTURES; i++)
		variable_set(
			run, &run->captures[i], i == 0 ? value : STR_EMPTY);
}

static enum lookup
ask(struct run *run, const struct sieve_list_question *question)
{
	const struct sieve_host_ops *ops = run->host->ops;

	if (ops->list_has == NULL || question->list.len == 0)
		return LOOKUP_NONE;
	return ops->list_has(run->host, question, run->err);
}

enum sieve_status
extlists_compare(struct compare *compare, struct str value, struct str folded)
{
	struct run *run = compare->run;
	struct sieve_list_question question = {.value = value,
		.folded = folded,
		.fold = compare->call->comparator->fold};
	enum lookup found = LOOKUP_NONE;
	size_t i;

	for (i = 0; i < compare->key_count && found == LOOKUP_NONE; i++) {
		if (run_charge(run,
			    STEPS_OF_A_QUESTION + value.len / STEP_OCTETS) !=
			SIEVE_OK)
			return SIEVE_FAILED;
		question.list = compare->keys[i].text;
		found = ask(run, &question);
	}
	if (found == LOOKUP_ERROR) {
		run->host_in_trouble = true;
		return SIEVE_TEMPORARY;
	}
	compare->is_true = found == LOOKUP_FOUND;
	if (compare->is_true)
		set_captures(run, value);
	return SIEVE_OK;
}

/* ---- redirect :list (RFC 6134 2.3) ---- */

enum sieve_status
extlists_expand(struct run *run, struct str name, const struct str **values_out,
	size_t *count_out)
{
	const struct sieve_host_ops *ops = run->host->ops;
	struct str list = sieve_list_name(run->scratch, name);
	enum lookup found = LOOKUP_NONE;

	*count_out = 0;
	if (run_charge(run, STEPS_OF_A_QUESTION) != SIEVE_OK)
		return SIEVE_FAILED;
	if (ops->list_values != NULL && list.len > 0)
		found = ops->list_values(
			run->host, list, values_out, count_out, run->err);
	if (found == LOOKUP_ERROR) {
		run->host_in_trouble = true;
		return SIEVE_TEMPORARY;
	}
	if (found == LOOKUP_NONE)
		return run_fail(run, "redirect: there is no list %s",
			report_quote(&run->reporter, name));
	return SIEVE_OK;
}

const struct tag_ops tag_redirect_list = {.apply = NULL};

/* ---- valid_ext_list (RFC 6134 2.7) ---- */

static bool
is_valid(struct run *run, struct str name)
{
	const struct sieve_host_ops *ops = run->host->ops;
	struct str list = sieve_list_name(run->scratch, name);

	return list.len > 0 && ops->list_is_valid != NULL &&
	       ops->list_is_valid(run->host, list);
}

static enum sieve_status
test_valid_ext_list(struct run *run, const struct call *call, bool *answer_out)
{
	const struct argument *names = &call->arguments[0];
	const struct str *values;
	size_t i;

	if (run_texts(run, names, &values) != SIEVE_OK ||
		run_charge(run, names->count) != SIEVE_OK)
		return SIEVE_FAILED;
	*answer_out = true;
	for (i = 0; i < names->count && *answer_out; i++) {
		if (run_reserve(run, (uint64_t)values[i].len * 4) != SIEVE_OK)
			return SIEVE_FAILED;
		*answer_out = is_valid(run, values[i]);
	}
	run_trace_test(
		run, call, i > 0 ? values[i - 1] : STR_EMPTY, *answer_out);
	return SIEVE_OK;
}

const struct command_ops command_valid_ext_list = {
	.test = test_valid_ext_list,
};
