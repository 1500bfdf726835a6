/* mboxmetadata and servermetadata - annotations of mailboxes and of the server
 * (RFC 5490 3.3, 3.4, 4)
 *
 * Those of the user for whom the script runs; they are only read.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sieve/check.h"
#include "sieve/compare.h"
#include "sieve/evaluate.h"
#include "sieve/registry.h"

#include "base/banned.h"

/* What looking one up costs, in steps: the host may have to read a file. */
enum { LOOKUP_STEPS = 100 };

/* RFC 5464 3.2: no other name can be that of an annotation. */
static void
check_name(struct checker *checker, const struct text *name)
{
	if (text_is_constant(name) &&
		!str_starts_nocase(name->constant, STR("/private/")) &&
		!str_starts_nocase(name->constant, STR("/shared/")))
		report_warning(checker->reporter, name->at,
			"annotation %s never exists: names begin with "
			"\"/private/\" or \"/shared/\"",
			check_quote(checker, name->constant));
}

static void
check_names(struct checker *checker, const struct argument *names)
{
	size_t i;

	for (i = 0; i < names->count; i++)
		check_name(checker, &names->texts[i]);
}

static void
check_mailbox_annotations(struct checker *checker, struct ast_command *node)
{
	check_names(checker, &node->call->arguments[1]);
}

static void
check_server_annotations(struct checker *checker, struct ast_command *node)
{
	check_names(checker, &node->call->arguments[0]);
}

/* Without a mailbox: the server's. */
static enum sieve_status
find_annotation(struct run *run, const struct str *mailbox, struct str name,
	struct str *value_out, bool *found_out)
{
	const struct sieve_host_ops *ops = run->host->ops;
	enum lookup found = LOOKUP_NONE;

	if (run_charge(run, LOOKUP_STEPS) != SIEVE_OK)
		return SIEVE_FAILED;
	if (ops->metadata != NULL)
		found = ops->metadata(
			run->host, mailbox, name, value_out, run->err);
	*found_out = found == LOOKUP_FOUND;
	return found == LOOKUP_ERROR ? SIEVE_TEMPORARY : SIEVE_OK;
}

/* ---- metadata, servermetadata ---- */

/* The annotation is argument number `name`, the keys stand behind it. */
static enum sieve_status
compare_annotation(struct run *run, const struct call *call,
	const struct str *mailbox, size_t name, bool *answer_out)
{
	struct compare compare;
	struct str annotation, value;
	bool is_found;
	enum sieve_status status;

	if (compare_start(&compare, run, call, name + 1) != SIEVE_OK ||
		run_text(run, call->arguments[name].texts, &annotation) !=
			SIEVE_OK)
		return SIEVE_FAILED;
	status = find_annotation(run, mailbox, annotation, &value, &is_found);
	if (status == SIEVE_OK && is_found)
		status = compare_value(&compare, value);
	if (status == SIEVE_OK)
		compare_end(&compare, answer_out);
	return status;
}

static enum sieve_status
test_metadata(struct run *run, const struct call *call, bool *answer_out)
{
	struct str mailbox;

	if (run_text(run, call->arguments[0].texts, &mailbox) != SIEVE_OK)
		return SIEVE_FAILED;
	return compare_annotation(run, call, &mailbox, 1, answer_out);
}

static enum sieve_status
test_servermetadata(struct run *run, const struct call *call, bool *answer_out)
{
	return compare_annotation(run, call, NULL, 0, answer_out);
}

const struct command_ops command_metadata = {
	.check = check_mailbox_annotations,
	.test = test_metadata,
};
const struct command_ops command_servermetadata = {
	.check = check_server_annotations,
	.test = test_servermetadata,
};

/* ---- metadataexists, servermetadataexists ---- */

/* All of them have to exist. */
static enum sieve_status
annotations_exist(struct run *run, const struct call *call,
	const struct str *mailbox, const struct argument *names,
	bool *answer_out)
{
	const struct str *values;
	struct str value;
	bool is_found = true;
	enum sieve_status status = SIEVE_OK;
	size_t i;

	if (run_texts(run, names, &values) != SIEVE_OK)
		return SIEVE_FAILED;
	for (i = 0; i < names->count && is_found && status == SIEVE_OK; i++)
		status = find_annotation(
			run, mailbox, values[i], &value, &is_found);
	if (status != SIEVE_OK)
		return status;
	*answer_out = is_found;
	run_trace_test(
		run, call, i > 0 ? values[i - 1] : STR_EMPTY, *answer_out);
	return SIEVE_OK;
}

static enum sieve_status
test_metadataexists(struct run *run, const struct call *call, bool *answer_out)
{
	struct str mailbox;

	if (run_text(run, call->arguments[0].texts, &mailbox) != SIEVE_OK)
		return SIEVE_FAILED;
	return annotations_exist(
		run, call, &mailbox, &call->arguments[1], answer_out);
}

static enum sieve_status
test_servermetadataexists(
	struct run *run, const struct call *call, bool *answer_out)
{
	return annotations_exist(
		run, call, NULL, &call->arguments[0], answer_out);
}

const struct command_ops command_metadataexists = {
	.check = check_mailbox_annotations,
	.test = test_metadataexists,
};
const struct command_ops command_servermetadataexists = {
	.check = check_server_annotations,
	.test = test_servermetadataexists,
};
