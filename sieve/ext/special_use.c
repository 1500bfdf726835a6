/* special-use - specialuse_exists and fileinto :specialuse (RFC 8579)
 *
 * A special use is "\Junk", "\Sent" ... (RFC 6154), in any case.  Which mailbox has
 * it is the host's knowledge; only mailboxes of the user's own are asked for.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sieve/check.h"
#include "sieve/evaluate.h"
#include "sieve/registry.h"

#include "base/banned.h"

/* What looking one up costs, in steps: the host may have to read files. */
enum { LOOKUP_STEPS = 1000 };

/* RFC 6154 6, use-attr: a backslash and an atom. */
static bool
is_use(struct str use)
{
	size_t i;

	if (use.len < 2 || use.data[0] != '\\')
		return false;
	for (i = 1; i < use.len; i++) {
		unsigned char c = (unsigned char)use.data[i];

		if (c <= ' ' || c >= 0x7f || strchr("(){%*\"\\]", c) != NULL)
			return false;
	}
	return true;
}

static void
check_use(struct checker *checker, const struct text *text)
{
	if (text_is_constant(text) && !is_use(text->constant))
		check_error(checker, text->at,
			"%s is no special use: those are words behind a "
			"backslash, such as \"\\\\Junk\"",
			check_quote(checker, text->constant));
}

static enum sieve_status
find_use(struct run *run, const struct str *mailbox, struct str use,
	struct str *name_out, bool *found_out)
{
	const struct sieve_host_ops *ops = run->host->ops;
	enum lookup found = LOOKUP_NONE;

	if (!is_use(use))
		return run_fail(run, "%s is no special use",
			report_quote(&run->reporter, use));
	if (run_charge(run, LOOKUP_STEPS) != SIEVE_OK)
		return SIEVE_FAILED;
	if (ops->special_use != NULL)
		found = ops->special_use(
			run->host, mailbox, use, name_out, run->err);
	*found_out = found == LOOKUP_FOUND;
	return found == LOOKUP_ERROR ? SIEVE_TEMPORARY : SIEVE_OK;
}

/* ---- specialuse_exists (RFC 8579 3) ---- */

static void
check_specialuse_exists(struct checker *checker, struct ast_command *node)
{
	const struct argument *uses = &node->call->arguments[1];
	size_t i;

	for (i = 0; i < uses->count; i++)
		check_use(checker, &uses->texts[i]);
}

/* All of them: somewhere, or in the mailbox that is named. */
static enum sieve_status
test_specialuse_exists(
	struct run *run, const struct call *call, bool *answer_out)
{
	const struct argument *name = &call->arguments[0];
	const struct argument *uses = &call->arguments[1];
	const struct str *values;
	struct str mailbox, found;
	bool is_found = true;
	enum sieve_status status = SIEVE_OK;
	size_t i;

	if (run_texts(run, uses, &values) != SIEVE_OK)
		return SIEVE_FAILED;
	if (name->is_given && run_text(run, name->texts, &mailbox) != SIEVE_OK)
		return SIEVE_FAILED;
	for (i = 0; i < uses->count && is_found && status == SIEVE_OK; i++)
		status = find_use(run, name->is_given ? &mailbox : NULL,
			values[i], &found, &is_found);
	if (status != SIEVE_OK)
		return status;
	*answer_out = is_found;
	run_trace_test(
		run, call, i > 0 ? values[i - 1] : STR_EMPTY, *answer_out);
	return SIEVE_OK;
}

const struct command_ops command_specialuse_exists = {
	.check = check_specialuse_exists,
	.test = test_specialuse_exists,
};

/* ---- fileinto :specialuse (RFC 8579 4) ---- */

static void
check_specialuse(struct checker *checker, struct call *call UNUSED,
	const struct tag_use *use)
{
	check_use(checker, use->argument.texts);
}

/* Where no mailbox has it the name of the fileinto counts. */
static enum sieve_status
apply_specialuse(struct run *run, const struct tag_use *use,
	struct pending_action *pending)
{
	struct str value, found = STR("");
	bool is_found = false;
	enum sieve_status status = run_text(run, use->argument.texts, &value);

	if (status == SIEVE_OK)
		status = find_use(run, NULL, value, &found, &is_found);
	if (status == SIEVE_OK && is_found)
		pending->action.fileinto.mailbox =
			arena_copy(run->result->arena, found);
	return status;
}

const struct tag_ops tag_specialuse = {
	.check = check_specialuse,
	.apply = apply_specialuse,
};
