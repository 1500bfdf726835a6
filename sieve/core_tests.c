/* core_tests - the tests of RFC 5228 5
 *
 * SPDX-License-Identifier: MIT
 */
#include "mail/address.h"
#include "mail/message.h"
#include "sieve/addresspart.h"
#include "sieve/check.h"
#include "sieve/compare.h"
#include "sieve/current.h"
#include "sieve/emit.h"
#include "sieve/evaluate.h"
#include "sieve/ext/index.h"
#include "sieve/ext/mime.h"
#include "sieve/registry.h"

#include "base/banned.h"

enum { LONGEST_NAME = 60 }; /* bytes of a field's in a message */

/* ---- match types and comparators (RFC 5228 2.7.1, 2.7.3) ---- */

const struct tag_ops tag_is = {.match_type = &match_is};
const struct tag_ops tag_contains = {.match_type = &match_contains};
const struct tag_ops tag_matches = {.match_type = &match_matches};

static void
check_comparator(
	struct checker *checker, struct call *call, const struct tag_use *use)
{
	enum extension_id extension;
	struct str name;

	if (!check_constant(
		    checker, &use->argument, "the comparator's name", &name))
		return;
	call->comparator = registry_find_comparator(name, &extension);
	if (call->comparator == NULL)
		check_error(checker, use->argument.at, "unknown comparator %s",
			check_quote(checker, name));
	else
		check_requires(checker, use->argument.at,
			call->comparator->name, extension);
}

const struct tag_ops tag_comparator = {.check = check_comparator};

/* ---- header fields ---- */

/* RFC 5228 2.4.2.2: such a name is no error, it only never matches. */
static void
warn_colon(struct checker *checker, const struct argument *names)
{
	size_t i;

	for (i = 0; i < names->count; i++)
		if (str_has_char(names->texts[i].constant, ':') &&
			text_is_constant(&names->texts[i]))
			report_warning(checker->reporter, names->texts[i].at,
				"no header field matches %s: leave out the "
				"colon",
				check_quote(checker, names->texts[i].constant));
}

static void
check_header_names(struct checker *checker, struct ast_command *node)
{
	warn_colon(checker, &node->call->arguments[0]);
}

typedef enum sieve_status (*each_field)(
	struct compare *compare, const struct header_field *field);

/* RFC 5260 6 */
static enum sieve_status
compare_indexed(struct compare *compare, const struct str *names, size_t count,
	each_field each)
{
	struct run *run = compare->run;
	const struct header_field *field;
	size_t i;

	for (i = 0; i < count; i++)
		if (run_charge_fields(run) != SIEVE_OK)
			return SIEVE_FAILED;
	field = index_field(run, compare->call, names, count);
	return field != NULL ? each(compare, field) : SIEVE_OK;
}

/* Does `each` for every field of these names until the answer is known. */
static enum sieve_status
compare_fields(
	struct compare *compare, const struct argument *names, each_field each)
{
	struct run *run = compare->run;
	const struct header_field *field;
	const struct str *values;
	enum sieve_status status = SIEVE_OK;
	size_t i;

	if (run_texts(run, names, &values) != SIEVE_OK)
		return SIEVE_FAILED;
	if (mime_asks_parts(run, compare->call))
		return mime_compare_fields(compare, values, names->count, each);
	if (index_is_given(compare->call))
		return compare_indexed(compare, values, names->count, each);
	for (i = 0; i < names->count && !compare->is_true; i++) {
		if (run_charge_fields(run) != SIEVE_OK)
			return SIEVE_FAILED;
		field = run_field_next(run, values[i], NULL);
		while (field != NULL && !compare->is_true) {
			status = each(compare, field);
			if (status != SIEVE_OK)
				return status;
			field = run_field_next(run, values[i], field);
		}
	}
	return SIEVE_OK;
}

/* ---- header (RFC 5228 5.7) ---- */

static enum sieve_status
compare_header(struct compare *compare, const struct header_field *field)
{
	struct run *run = compare->run;
	struct field_text *text;

	if (compare_counts(compare) && !run_is_traced(run))
		return compare_value(compare, STR_EMPTY);
	if (run_field_text(run, field, &text) != SIEVE_OK)
		return SIEVE_FAILED;
	return compare_field_text(compare, text);
}

static enum sieve_status
test_header(struct run *run, const struct call *call, bool *answer_out)
{
	struct compare compare;
	enum sieve_status status;

	if (compare_start(&compare, run, call, 1) != SIEVE_OK)
		return SIEVE_FAILED;
	status = compare_fields(&compare, &call->arguments[0],
		mime_has_option(call) ? mime_compare_option : compare_header);
	if (status == SIEVE_OK)
		compare_end(&compare, answer_out);
	return status;
}

const struct command_ops command_header = {
	.check = check_header_names,
	.test = test_header,
};

/* ---- address (RFC 5228 5.1) ---- */

/* RFC 5228 5.1: the test is restricted to fields that hold addresses.  Names that
 * begin with "X-" are anybody's.  Scripts look at the first ones most. */
static const char *const address_fields[] = {
	"From",
	"To",
	"Cc",
	"Sender",
	"Reply-To",
	"Apparently-To",
	"Approved",
	"Author",
	"Bcc",
	"Delivered-To",
	"Disposition-Notification-To",
	"Envelope-From",
	"Envelope-To",
	"Errors-To",
	"Final-Recipient",
	"Mail-Copies-To",
	"Mail-Followup-To",
	"Mail-Reply-To",
	"Original-From",
	"Original-Recipient",
	"Resent-Bcc",
	"Resent-Cc",
	"Resent-From",
	"Resent-Reply-To",
	"Resent-Sender",
	"Resent-To",
	"Return-Path",
	"Return-Receipt-To",
};

static bool
may_hold_addresses(const struct call *call, struct str name)
{
	size_t i;

	/* RFC 5703 4.2: of a part any field, "content-from". */
	if (call_tag(call, GROUP_MIME) != NULL)
		return true;
	for (i = 0; i < ARRAY_LENGTH(address_fields); i++)
		if (str_is_nocase(name, address_fields[i]))
			return true;
	return str_starts_nocase(name, STR("X-"));
}

static void
check_address(struct checker *checker, struct ast_command *node)
{
	const struct argument *names = &node->call->arguments[0];
	size_t i;

	warn_colon(checker, names);
	/* Those that are constant need not be looked at once more. */
	node->call->flag = names->constants != NULL;
	for (i = 0; i < names->count; i++)
		if (text_is_constant(&names->texts[i]) &&
			!may_hold_addresses(
				node->call, names->texts[i].constant))
			check_error(checker, names->texts[i].at,
				"header field '%s' is not allowed for the "
				"address test: it holds no addresses",
				report_one_line(checker->reporter,
					names->texts[i].constant,
					LONGEST_NAME));
}

static enum sieve_status
compare_addresses(struct compare *compare, const struct header_field *field)
{
	struct run *run = compare->run;
	const struct address *addresses;
	size_t count, i;
	enum sieve_status status = SIEVE_OK;

	if (!compare->call->flag &&
		!may_hold_addresses(compare->call, field->name))
		return SIEVE_OK;
	if (run_field_addresses(run, field, &addresses, &count) != SIEVE_OK)
		return SIEVE_FAILED;
	for (i = 0; i < count && !compare->is_true; i++) {
		const struct address *address = &addresses[i];

		status = compare_address(compare, address,
			!address->is_broken && address->domain.len > 0);
		if (status != SIEVE_OK)
			break;
	}
	return status;
}

static enum sieve_status
test_address(struct run *run, const struct call *call, bool *answer_out)
{
	struct compare compare;
	enum sieve_status status;

	if (compare_start(&compare, run, call, 1) != SIEVE_OK)
		return SIEVE_FAILED;
	status = compare_fields(
		&compare, &call->arguments[0], compare_addresses);
	if (status == SIEVE_OK)
		compare_end(&compare, answer_out);
	return status;
}

const struct command_ops command_address = {
	.check = check_address,
	.test = test_address,
};

/* ---- exists (RFC 5228 5.5) ---- */

static enum sieve_status
field_exists(struct run *run, const struct call *call, struct str name,
	bool *exists_out)
{
	if (mime_asks_parts(run, call))
		return mime_exists(run, call, name, exists_out);
	if (run_charge_fields(run) != SIEVE_OK)
		return SIEVE_FAILED;
	*exists_out = run_field_next(run, name, NULL) != NULL;
	return SIEVE_OK;
}

static enum sieve_status
test_exists(struct run *run, const struct call *call, bool *answer_out)
{
	const struct argument *names = &call->arguments[0];
	const struct str *values;
	enum sieve_status status = SIEVE_OK;
	size_t i;

	if (run_texts(run, names, &values) != SIEVE_OK)
		return SIEVE_FAILED;
	*answer_out = true;
	for (i = 0; i < names->count && *answer_out; i++) {
		status = field_exists(run, call, values[i], answer_out);
		if (status != SIEVE_OK)
			return status;
	}
	if (run_is_traced(run))
		run_trace_test(run, call, i > 0 ? values[i - 1] : STR_EMPTY,
			*answer_out);
	return SIEVE_OK;
}

const struct command_ops command_exists = {
	.check = check_header_names,
	.test = test_exists,
};

/* ---- size (RFC 5228 5.9) ---- */

static void
check_size(struct checker *checker, struct ast_command *node)
{
	if (call_tag(node->call, GROUP_SIZE) == NULL)
		check_error(checker, node->at,
			"\"size\" needs \":over\" or \":under\"");
}

static enum sieve_status
test_size(struct run *run, const struct call *call, bool *answer_out)
{
	uint64_t limit = call->arguments[0].number, size;
	bool is_over = call_tag(call, GROUP_SIZE)->tag->id == TAG_OVER;
	enum sieve_status status = run_size(run, &size);

	if (status != SIEVE_OK)
		return status;
	*answer_out = is_over ? size > limit : size < limit;
	if (run_is_traced(run))
		run_trace_test(run, call,
			str_from(arena_format(run->scratch, "%llu %s %llu",
				(unsigned long long)size,
				is_over ? ":over" : ":under",
				(unsigned long long)limit)),
			*answer_out);
	return SIEVE_OK;
}

const struct command_ops command_size = {
	.check = check_size,
	.test = test_size,
};

/* ---- true, false (RFC 5228 5.6, 5.10) ---- */

static enum sieve_status
test_true(struct run *run, const struct call *call, bool *answer_out)
{
	*answer_out = true;
	run_trace_test(run, call, STR_EMPTY, true);
	return SIEVE_OK;
}

static enum sieve_status
test_false(struct run *run, const struct call *call, bool *answer_out)
{
	*answer_out = false;
	run_trace_test(run, call, STR_EMPTY, false);
	return SIEVE_OK;
}

static enum truth
truth_of_true(const struct ast_command *node UNUSED)
{
	return TRUTH_TRUE;
}

static enum truth
truth_of_false(const struct ast_command *node UNUSED)
{
	return TRUTH_FALSE;
}

const struct command_ops command_true = {
	.test = test_true,
	.truth = truth_of_true,
};
const struct command_ops command_false = {
	.test = test_false,
	.truth = truth_of_false,
};

/* ---- not, allof, anyof (RFC 5228 5.2, 5.3, 5.8) ---- */

static void
emit_not(struct emitter *emitter, const struct ast_command *node)
{
	emit_test(emitter, node->tests);
	emit_plain(emitter, OP_NOT, node->at);
}

/* The answer of the first test that decides stays (RFC 5229 3.2: no test is
 * made that is not needed). */
static void
emit_list(struct emitter *emitter, const struct ast_command *node,
	enum opcode decided)
{
	const struct ast_command *test;
	size_t end = NO_JUMP;

	for (test = node->tests; test != NULL; test = test->next) {
		emit_test(emitter, test);
		if (test->next == NULL || test->next->is_dead)
			break;
		end = emit_jump(emitter, decided, node->at, end);
	}
	emit_land(emitter, end);
}

static void
emit_allof(struct emitter *emitter, const struct ast_command *node)
{
	emit_list(emitter, node, OP_JUMP_UNLESS);
}

static void
emit_anyof(struct emitter *emitter, const struct ast_command *node)
{
	emit_list(emitter, node, OP_JUMP_IF);
}

static enum truth
truth_of_not(const struct ast_command *node)
{
	switch (node->tests->truth) {
	case TRUTH_UNKNOWN:
		return TRUTH_UNKNOWN;
	case TRUTH_FALSE:
		return TRUTH_TRUE;
	case TRUTH_TRUE:
		return TRUTH_FALSE;
	}
	return TRUTH_UNKNOWN;
}

/* One test that decides is enough; else all have to be `otherwise`. */
static enum truth
truth_of_list(const struct ast_command *node, enum truth otherwise)
{
	enum truth decided_by = node->command->ops->decided_by;
	const struct ast_command *test;

	for (test = node->tests; test != NULL; test = test->next)
		if (test->truth == decided_by)
			return decided_by;
	for (test = node->tests; test != NULL; test = test->next)
		if (test->truth != otherwise)
			return TRUTH_UNKNOWN;
	return otherwise;
}

static enum truth
truth_of_allof(const struct ast_command *node)
{
	return truth_of_list(node, TRUTH_TRUE);
}

static enum truth
truth_of_anyof(const struct ast_command *node)
{
	return truth_of_list(node, TRUTH_FALSE);
}

const struct command_ops command_not = {
	.emit = emit_not,
	.truth = truth_of_not,
};
const struct command_ops command_allof = {
	.emit = emit_allof,
	.truth = truth_of_allof,
	.decided_by = TRUTH_FALSE,
};
const struct command_ops command_anyof = {
	.emit = emit_anyof,
	.truth = truth_of_anyof,
	.decided_by = TRUTH_TRUE,
};
