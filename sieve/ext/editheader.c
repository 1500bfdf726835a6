/* editheader - addheader and deleteheader (RFC 5293)
 *
 * SPDX-License-Identifier: MIT
 */
#include "mail/compose.h"
#include "mail/edited.h"
#include "mail/encodedword.h"
#include "sieve/check.h"
#include "sieve/compare.h"
#include "sieve/current.h"
#include "sieve/evaluate.h"
#include "sieve/registry.h"
#include "sieve/settings.h"

#include "base/banned.h"

/* Bytes that are put together for one step; what a short field takes beside its
 * text. */
enum { STEP_OCTETS = 1024, FIELD_COST = 256 };

/* Composed and encoded text for one byte of a value, at most. */
enum { COMPOSED_FOR_A_BYTE = 8 };

/* ---- what may be changed (RFC 5293 6) ---- */

static bool
is_in_list(const char *list, struct str name)
{
	struct str rest = str_from(list), word;

	while (str_next_word(&rest, &word))
		if (str_equal_nocase(word, name))
			return true;
	return false;
}

static bool
may_change(const struct sieve_settings *settings, const char *list,
	struct str name)
{
	return str_is_nocase(name, "Subject") ||
	       (!is_in_list(settings->protected_headers, name) &&
		       !is_in_list(list, name));
}

static bool
may_add(const struct sieve_settings *settings, struct str name)
{
	return may_change(settings, settings->no_add_headers, name);
}

/* Who takes these away could make mail go round for ever. */
static bool
may_delete(const struct sieve_settings *settings, struct str name)
{
	return !str_is_nocase(name, "Received") &&
	       !str_is_nocase(name, "Auto-Submitted") &&
	       may_change(settings, settings->no_delete_headers, name);
}

/* ---- names and values ---- */

static const char name_is_wrong[] =
	"field name %s is invalid: it is of ASCII letters, digits and signs, "
	"without a colon or blank";
static const char value_is_wrong[] =
	"value %s is invalid: it may hold no NUL, and no line end but one that "
	"a blank follows";
static const char value_is_long[] = "value %s of %zu bytes is longer than %zu "
				    "(sieve_editheader_max_header_size)";

static void
check_name(struct checker *checker, const struct text *name)
{
	if (text_is_constant(name) && !compose_is_name(name->constant))
		check_error(checker, name->at, name_is_wrong,
			check_quote(checker, name->constant));
}

static enum sieve_status
read_name(struct run *run, const struct text *text, struct str *name_out)
{
	if (run_text(run, text, name_out) != SIEVE_OK)
		return SIEVE_FAILED;
	if (!compose_is_name(*name_out))
		return run_fail(run, name_is_wrong,
			report_quote(&run->reporter, *name_out));
	return SIEVE_OK;
}

/* ---- addheader (RFC 5293 4) ---- */

static void
check_addheader(struct checker *checker, struct ast_command *node)
{
	const struct text *value = node->call->arguments[1].texts;
	const struct sieve_settings *settings = checker->settings;

	check_name(checker, node->call->arguments[0].texts);
	if (!text_is_constant(value))
		return;
	if (!compose_is_value(value->constant))
		check_error(checker, value->at, value_is_wrong,
			check_quote(checker, value->constant));
	else if (value->constant.len > settings->max_header_size)
		check_error(checker, value->at, value_is_long,
			check_quote(checker, value->constant),
			value->constant.len, settings->max_header_size);
}

static enum sieve_status
read_value(struct run *run, const struct text *text, struct str *value_out)
{
	size_t most = run->settings.max_header_size;

	if (run_text(run, text, value_out) != SIEVE_OK)
		return SIEVE_FAILED;
	if (!compose_is_value(*value_out))
		return run_fail(run, value_is_wrong,
			report_quote(&run->reporter, *value_out));
	if (value_out->len > most)
		return run_fail(run, value_is_long,
			report_quote(&run->reporter, *value_out),
			value_out->len, most);
	return SIEVE_OK;
}

static enum sieve_status
add_field(struct run *run, struct str name, struct str value, bool at_end)
{
	if (run_charge(run, 1 + value.len / STEP_OCTETS) != SIEVE_OK ||
		run_reserve(run, FIELD_COST + name.len +
					 value.len * COMPOSED_FOR_A_BYTE) !=
			SIEVE_OK)
		return SIEVE_FAILED;
	edited_add(run_edit(run), name,
		compose_value(run->scratch, name, value), at_end);
	return SIEVE_OK;
}

static enum sieve_status
act_addheader(struct run *run, const struct call *call)
{
	struct str name, value;

	if (read_name(run, call->arguments[0].texts, &name) != SIEVE_OK ||
		read_value(run, call->arguments[1].texts, &value) != SIEVE_OK)
		return SIEVE_FAILED;
	if (run_is_traced(run))
		run_trace_command(run, call,
			str_from(arena_format(run->scratch, "%.*s: %.*s",
				STR_ARG(name), STR_ARG(value))));
	if (!may_add(&run->settings, name))
		return SIEVE_OK;
	return add_field(
		run, name, value, call_tag(call, GROUP_ADD_LAST) != NULL);
}

const struct command_ops command_addheader = {
	.check = check_addheader,
	.act = act_addheader,
};

/* ---- deleteheader (RFC 5293 5) ---- */

static void
check_deleteheader(struct checker *checker, struct ast_command *node)
{
	const struct tag_use *index = call_tag(node->call, GROUP_DELETE_INDEX);
	const struct tag_use *last = call_tag(node->call, GROUP_DELETE_LAST);

	check_name(checker, node->call->arguments[0].texts);
	if (last != NULL && index == NULL)
		check_error(checker, last->at,
			"the :last tag of deleteheader cannot be specified "
			"without the :index tag");
	if (index != NULL && index->argument.number == 0)
		report_warning(checker->reporter, index->argument.at,
			"fields are counted from 1: nothing is deleted");
}

/* What one deleteheader is about. */
struct deletion {
	struct run *run;
	const struct call *call;
	struct str name;
	bool has_patterns;
	struct compare compare;
	size_t count; /* of what it has deleted */
};

static void
delete_field(struct deletion *deletion, const struct header_field *field)
{
	edited_delete(run_edit(deletion->run), field);
	deletion->count++;
}

static enum sieve_status
compare_field(struct deletion *deletion, const struct header_field *field)
{
	struct run *run = deletion->run;

	if (run_reserve(run, field->value.len) != SIEVE_OK)
		return SIEVE_FAILED;
	return compare_value(&deletion->compare,
		encodedword_decode(run->scratch, field->value));
}

static enum sieve_status
delete_if_it_matches(
	struct deletion *deletion, const struct header_field *field)
{
	if (deletion->has_patterns) {
		deletion->compare.is_true = false;
		if (compare_field(deletion, field) != SIEVE_OK)
			return SIEVE_FAILED;
		if (!deletion->compare.is_true)
			return SIEVE_OK;
	}
	delete_field(deletion, field);
	return SIEVE_OK;
}

/* The field that :index and :last mean; NULL when there are not so many. */
static const struct header_field *
find_by_index(const struct deletion *deletion, uint64_t index, bool from_end)
{
	const struct run *run = deletion->run;
	const struct header_field *field = NULL;
	uint64_t count = 0;

	if (from_end) {
		while ((field = run_field_next(run, deletion->name, field)) !=
			NULL)
			count++;
		if (index == 0 || index > count)
			return NULL;
		index = count - index + 1;
	}
	for (; index > 0; index--) {
		field = run_field_next(run, deletion->name, field);
		if (field == NULL)
			return NULL;
	}
	return field;
}

static enum sieve_status
delete_one(struct deletion *deletion, const struct tag_use *index)
{
	bool from_end = call_tag(deletion->call, GROUP_DELETE_LAST) != NULL;
	const struct header_field *field =
		find_by_index(deletion, index->argument.number, from_end);

	return field != NULL ? delete_if_it_matches(deletion, field) : SIEVE_OK;
}

static enum sieve_status
delete_each(struct deletion *deletion)
{
	const struct header_field *field = NULL;

	while ((field = run_field_next(deletion->run, deletion->name, field)) !=
		NULL)
		if (delete_if_it_matches(deletion, field) != SIEVE_OK)
			return SIEVE_FAILED;
	return SIEVE_OK;
}

/* :count is about all fields of the name together, as in the test "header". */
static enum sieve_status
delete_by_count(struct deletion *deletion)
{
	const struct header_field *field = NULL;
	bool is_true;

	while ((field = run_field_next(deletion->run, deletion->name, field)) !=
		NULL)
		if (compare_field(deletion, field) != SIEVE_OK)
			return SIEVE_FAILED;
	compare_end(&deletion->compare, &is_true);
	deletion->has_patterns = false;
	return is_true ? delete_each(deletion) : SIEVE_OK;
}

static enum sieve_status
delete_all(struct deletion *deletion)
{
	const struct tag_use *index =
		call_tag(deletion->call, GROUP_DELETE_INDEX);

	if (index != NULL)
		return delete_one(deletion, index);
	if (deletion->has_patterns && compare_counts(&deletion->compare))
		return delete_by_count(deletion);
	return delete_each(deletion);
}

static enum sieve_status
act_deleteheader(struct run *run, const struct call *call)
{
	struct deletion deletion = {
		.run = run,
		.call = call,
		.has_patterns = call->arguments[1].is_given,
	};

	if (read_name(run, call->arguments[0].texts, &deletion.name) !=
			SIEVE_OK ||
		compare_start(&deletion.compare, run, call, 1) != SIEVE_OK ||
		run_charge_fields(run) != SIEVE_OK)
		return SIEVE_FAILED;
	if (may_delete(&run->settings, deletion.name) &&
		delete_all(&deletion) != SIEVE_OK)
		return SIEVE_FAILED;
	if (run_is_traced(run))
		run_trace_command(run, call,
			str_from(arena_format(run->scratch, "%.*s: %zu deleted",
				STR_ARG(deletion.name), deletion.count)));
	return SIEVE_OK;
}

const struct command_ops command_deleteheader = {
	.check = check_deleteheader,
	.act = act_deleteheader,
};
