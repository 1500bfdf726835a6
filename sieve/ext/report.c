/* report - vnd.dovecot.report: telling somebody of abuse (RFC 5965)
 *
 *   report [:headers_only] <feedback-type> <message> <address>
 *
 * SPDX-License-Identifier: MIT
 */
#include "mail/address.h"
#include "sieve/check.h"
#include "sieve/evaluate.h"
#include "sieve/registry.h"

#include "base/banned.h"

/* RFC 2045 5.1: a token; letters, digits and "-" are all that is registered. */
static bool
is_feedback_type(struct str text)
{
	size_t i;

	for (i = 0; i < text.len; i++)
		if (!ascii_is_alpha(text.data[i]) &&
			!ascii_is_digit(text.data[i]) && text.data[i] != '-')
			return false;
	return text.len > 0;
}

static bool
read_address(struct arena *arena, struct str text, struct str *address_out)
{
	const struct address *found;

	if (address_parse_list(arena, text, 2, &found) != 1 ||
		found->is_broken || found->domain.len == 0)
		return false;
	*address_out = found->text;
	return true;
}

static const char type_is_wrong[] = "the feedback type %s is wrong: it is a "
				    "word such as \"abuse\", \"fraud\", "
				    "\"virus\" or \"other\"";
static const char address_is_wrong[] =
	"report: %s is no address, such as \"abuse@example.org\"";

static void
check_report(struct checker *checker, struct ast_command *node)
{
	const struct text *type = node->call->arguments[0].texts;
	const struct text *address = node->call->arguments[2].texts;
	struct arena *scratch = arena_open();
	struct str found;

	if (text_is_constant(type) && !is_feedback_type(type->constant))
		check_error(checker, type->at, type_is_wrong,
			check_quote(checker, type->constant));
	if (text_is_constant(address) &&
		!read_address(scratch, address->constant, &found))
		check_error(checker, address->at, address_is_wrong,
			check_quote(checker, address->constant));
	arena_close(&scratch);
}

static enum sieve_status
read_arguments(
	struct run *run, const struct call *call, struct sieve_abuse *abuse)
{
	struct arena *arena = run->result->arena;
	struct str type, text, address;

	if (run_text(run, call->arguments[0].texts, &type) != SIEVE_OK ||
		run_text(run, call->arguments[1].texts, &text) != SIEVE_OK ||
		run_text(run, call->arguments[2].texts, &address) != SIEVE_OK ||
		run_reserve(run, type.len + text.len + address.len) != SIEVE_OK)
		return SIEVE_FAILED;
	if (!is_feedback_type(type))
		return run_fail(
			run, type_is_wrong, report_quote(&run->reporter, type));
	if (!read_address(run->scratch, address, &abuse->address))
		return run_fail(run, address_is_wrong,
			report_quote(&run->reporter, address));
	abuse->type = arena_copy(arena, type);
	abuse->text = arena_copy(arena, text);
	abuse->address = arena_copy(arena, abuse->address);
	return SIEVE_OK;
}

static enum sieve_status
act_report(struct run *run, const struct call *call)
{
	struct sieve_abuse *abuse =
		ARENA_NEW(run->result->arena, struct sieve_abuse);
	struct pending_action pending = {
		.action = {.kind = SIEVE_REPORT, .abuse = abuse}};

	abuse->headers_only = call_tag(call, GROUP_HEADERS_ONLY) != NULL;
	if (read_arguments(run, call, abuse) != SIEVE_OK)
		return SIEVE_FAILED;
	return run_add_action(run, call, &pending);
}

const struct command_ops command_report = {
	.check = check_report,
	.act = act_report,
};
