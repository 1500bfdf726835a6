/* SPDX-License-Identifier: MIT */
#include "sieve/ext/fcc.h"

#include "sieve/ext/fileinto.h"
#include "sieve/mailboxname.h"
#include "sieve/registry.h"

#include "base/banned.h"

static void
check_mailbox(struct checker *checker, const struct text *mailbox)
{
	const char *wrong = fileinto_what_is_wrong(mailbox->constant);

	if (text_is_constant(mailbox) && wrong != NULL)
		check_error(checker, mailbox->at,
			"invalid folder name %s: it %s",
			check_quote(checker, mailbox->constant), wrong);
	else
		mailboxname_check(checker, mailbox);
}

/* RFC 8580 3.1 */
static void
check_alone(
	struct checker *checker, const struct call *call, enum tag_group group)
{
	const struct tag_use *use = call_tag(call, group);

	if (use != NULL)
		check_error(checker, use->at,
			"\":%s\" goes only with \":fcc\" here", use->tag->name);
}

void
fcc_check(struct checker *checker, const struct ast_command *node)
{
	const struct tag_use *use = call_tag(node->call, GROUP_FCC);

	if (use != NULL) {
		check_mailbox(checker, use->argument.texts);
		return;
	}
	check_alone(checker, node->call, GROUP_CREATE);
	check_alone(checker, node->call, GROUP_FLAGS);
	check_alone(checker, node->call, GROUP_TARGET);
}

enum sieve_status
fcc_read(struct run *run, const struct call *call, struct sieve_action *action)
{
	const struct tag_use *use = call_tag(call, GROUP_FCC);
	struct str mailbox;
	const char *wrong;

	if (use == NULL)
		return SIEVE_OK;
	if (run_text(run, use->argument.texts, &mailbox) != SIEVE_OK)
		return SIEVE_FAILED;
	wrong = fileinto_what_is_wrong(mailbox);
	if (wrong != NULL)
		return run_fail(run, ":fcc: invalid folder name %s: it %s",
			report_quote(&run->reporter, mailbox), wrong);
	action->fileinto.mailbox = arena_copy(run->result->arena, mailbox);
	return SIEVE_OK;
}
