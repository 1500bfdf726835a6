/* fileinto - into a mailbox by name (RFC 5228 4.1)
 *
 * SPDX-License-Identifier: MIT
 */
#include "sieve/ext/fileinto.h"

#include "base/utf8.h"
#include "sieve/check.h"
#include "sieve/evaluate.h"
#include "sieve/mailboxname.h"
#include "sieve/registry.h"

#include "base/banned.h"

/* What no store could take; further rules are the store's. */
const char *
fileinto_what_is_wrong(struct str mailbox)
{
	if (mailbox.len == 0)
		return "is empty";
	if (!utf8_is_valid(mailbox))
		return "is not UTF-8";
	if (str_find_any(mailbox, "\r\n\t") < mailbox.len ||
		str_has_char(mailbox, '\0'))
		return "holds a control character";
	return NULL;
}

static void
check_fileinto(struct checker *checker, struct ast_command *node)
{
	const struct text *mailbox = node->call->arguments[0].texts;
	const char *wrong = fileinto_what_is_wrong(mailbox->constant);

	if (text_is_constant(mailbox) && wrong != NULL)
		check_error(checker, mailbox->at,
			"invalid folder name %s: it %s",
			check_quote(checker, mailbox->constant), wrong);
	else
		mailboxname_check(checker, mailbox);
}

static enum sieve_status
act_fileinto(struct run *run, const struct call *call)
{
	struct pending_action pending = {
		.action = {.kind = SIEVE_FILEINTO,
			.fileinto = {.flags = run->flags}},
		.cancels_keep = true,
	};
	struct str mailbox;
	const char *wrong;

	if (run_text(run, call->arguments[0].texts, &mailbox) != SIEVE_OK)
		return SIEVE_FAILED;
	wrong = fileinto_what_is_wrong(mailbox);
	if (wrong != NULL)
		return run_fail(run, "fileinto: invalid folder name %s: it %s",
			report_quote(&run->reporter, mailbox), wrong);
	pending.action.fileinto.mailbox =
		arena_copy(run->result->arena, mailbox);
	return run_add_action(run, call, &pending);
}

const struct command_ops command_fileinto = {
	.check = check_fileinto,
	.act = act_fileinto,
};
