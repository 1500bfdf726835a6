/* core_actions - keep, discard, redirect (RFC 5228 4)
 *
 * SPDX-License-Identifier: MIT
 */
#include "mail/address.h"
#include "sieve/check.h"
#include "sieve/evaluate.h"
#include "sieve/registry.h"
#include "sieve/ext/extlists.h"

#include "base/banned.h"

/* ---- keep (RFC 5228 4.3) ---- */

static enum sieve_status
act_keep(struct run *run, const struct call *call)
{
	struct pending_action pending = {
		.action = {.kind = SIEVE_KEEP, .keep = {.flags = run->flags}},
		.cancels_keep = true,
	};

	return run_add_action(run, call, &pending);
}

const struct command_ops command_keep = {
	.act = act_keep,
};

/* ---- discard (RFC 5228 4.4) ---- */

static enum sieve_status
act_discard(struct run *run, const struct call *call)
{
	struct pending_action pending = {
		.action = {.kind = SIEVE_DISCARD},
		.cancels_keep = true,
	};

	return run_add_action(run, call, &pending);
}

const struct command_ops command_discard = {
	.act = act_discard,
};

/* ---- redirect (RFC 5228 4.2) ---- */

/* <@relay.example:amy@example.org> */
static bool
has_route(struct str text)
{
	struct str inside = str_skip(text, str_find_char(text, '<') + 1);

	return str_starts(str_trim(inside), STR("@"));
}

/* RFC 5228 2.4.2.3: an addr-spec, or a phrase and one in angle brackets.  The
 * reader of header fields takes more than that: groups, lists, broken ones. */
static bool
read_address(struct arena *arena, struct str text, struct str *address_out)
{
	const struct address *found;
	struct address path;
	struct err err;

	text = str_trim(text);
	if (str_find_any(text, "\r\n") < text.len || str_has_char(text, '\0') ||
		str_ends(text, STR(";")) || has_route(text))
		return false;
	if (address_parse_list(arena, text, 2, &found) != 1 ||
		found->is_broken || found->domain.len == 0)
		return false;
	if (address_parse_path(arena, found->text, ADDRESS_BRACKETS_OPTIONAL,
		    &path, &err) < 0)
		return false;
	*address_out = path.text;
	return true;
}

static void
check_target(struct checker *checker, const struct ast_command *node,
	const struct text *text)
{
	struct arena *scratch = arena_open();
	struct str address;

	if (text_is_constant(text) &&
		call_tag(node->call, GROUP_REDIRECT_LIST) == NULL &&
		!read_address(scratch, text->constant, &address))
		check_error(checker, text->at,
			"%s is no address: redirect takes one, such as "
			"\"amy@example.org\"",
			check_quote(checker, text->constant));
	arena_close(&scratch);
}

/* Several in a list are Cyrus' way. */
static void
check_redirect(struct checker *checker, struct ast_command *node)
{
	const struct argument *targets = &node->call->arguments[0];
	size_t i;

	if (targets->is_list &&
		!check_requires(checker, targets->at, "a list of addresses",
			EXTENSION_CYRUS_REDIRECT_MULTIPLE))
		return;
	for (i = 0; i < targets->count; i++)
		check_target(checker, node, &targets->texts[i]);
}

static enum sieve_status
redirect_to(struct run *run, const struct call *call, struct str text)
{
	struct pending_action pending = {
		.action = {.kind = SIEVE_REDIRECT},
		.cancels_keep = true,
	};
	struct str address;

	if (!read_address(run->scratch, text, &address))
		return run_fail(run, "redirect: %s is no address",
			report_quote(&run->reporter, text));
	pending.action.redirect.address =
		arena_copy(run->result->arena, address);
	return run_add_action(run, call, &pending);
}

static enum sieve_status
redirect_to_list(struct run *run, const struct call *call, struct str name)
{
	enum sieve_status status;
	const struct str *values;
	size_t count, i;

	status = extlists_expand(run, name, &values, &count);
	for (i = 0; i < count && status == SIEVE_OK; i++)
		status = redirect_to(run, call, values[i]);
	return status;
}

static enum sieve_status
act_redirect(struct run *run, const struct call *call)
{
	const struct argument *targets = &call->arguments[0];
	bool is_list = call_tag(call, GROUP_REDIRECT_LIST) != NULL;
	enum sieve_status status = SIEVE_OK;
	const struct str *values;
	size_t i;

	if (run_texts(run, targets, &values) != SIEVE_OK)
		return SIEVE_FAILED;
	for (i = 0; i < targets->count && status == SIEVE_OK; i++)
		status = is_list ? redirect_to_list(run, call, values[i])
		                 : redirect_to(run, call, values[i]);
	return status;
}

const struct command_ops command_redirect = {
	.check = check_redirect,
	.act = act_redirect,
};
