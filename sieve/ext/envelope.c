/* envelope - the test of the SMTP envelope (RFC 5228 5.4), with the parts of
 * envelope-dsn and envelope-deliverby (RFC 6009), and "auth"
 *
 * SPDX-License-Identifier: MIT
 */
#include "sieve/addresspart.h"
#include "sieve/check.h"
#include "sieve/compare.h"
#include "sieve/evaluate.h"
#include "sieve/registry.h"

#include "base/banned.h"

struct part {
	const char *name;
	enum extension_id extension; /* beside "envelope"; CORE: none */
	bool is_address;
	enum sieve_envelope_part address;
	enum sieve_envelope_text text;
};

#define TEXT_PART(name, extension, part)                                       \
	{                                                                      \
		name, EXTENSION_##extension, false, SIEVE_ENVELOPE_FROM,       \
			SIEVE_ENVELOPE_##part                                  \
	}

static const struct part parts[] = {
	{"from", EXTENSION_CORE, true, SIEVE_ENVELOPE_FROM, SIEVE_ENVELOPE_RET},
	{"to", EXTENSION_CORE, true, SIEVE_ENVELOPE_TO, SIEVE_ENVELOPE_RET},
	TEXT_PART("auth", CORE, AUTH),
	TEXT_PART("ret", ENVELOPE_DSN, RET),
	TEXT_PART("envid", ENVELOPE_DSN, ENVID),
	TEXT_PART("notify", ENVELOPE_DSN, NOTIFY),
	TEXT_PART("orcpt", ENVELOPE_DSN, ORCPT),
	TEXT_PART("bytimeabsolute", ENVELOPE_DELIVERBY, BYTIME_ABSOLUTE),
	TEXT_PART("bytimerelative", ENVELOPE_DELIVERBY, BYTIME_RELATIVE),
	TEXT_PART("bymode", ENVELOPE_DELIVERBY, BYMODE),
	TEXT_PART("bytrace", ENVELOPE_DELIVERBY, BYTRACE),
};

static const struct part *
find_part(struct str name)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(parts); i++)
		if (str_is_nocase(name, parts[i].name))
			return &parts[i];
	return NULL;
}

/* ---- compiling ---- */

static void
check_part(struct checker *checker, const struct call *call,
	const struct text *name)
{
	const struct part *part = find_part(name->constant);
	const struct tag_use *use = call_tag(call, GROUP_ADDRESS_PART);

	/* RFC 5228 5.4: unknown parts should be an error. */
	if (part == NULL)
		check_error(checker, name->at,
			"unknown envelope part %s: there are \"from\", "
			"\"to\" and \"auth\", with \"envelope-dsn\" "
			"\"ret\", \"envid\", \"notify\" and \"orcpt\", "
			"with \"envelope-deliverby\" \"bytimeabsolute\", "
			"\"bytimerelative\", \"bymode\" and \"bytrace\"",
			check_quote(checker, name->constant));
	else if (check_requires(
			 checker, name->at, part->name, part->extension) &&
		 !part->is_address && use != NULL && use->tag->id != TAG_ALL)
		check_error(checker, use->at,
			"envelope part \"%s\" is no address: it does not go "
			"with \":%s\"",
			part->name, use->tag->name);
}

/* Names that are not constant may be those of any extension that is required
 * here. */
static void
check_envelope(struct checker *checker, struct ast_command *node)
{
	const struct argument *names = &node->call->arguments[0];
	size_t i;

	for (i = 0; i < names->count; i++)
		if (text_is_constant(&names->texts[i]))
			check_part(checker, node->call, &names->texts[i]);
}

/* ---- running ---- */

/* RFC 6009 3: each of the conditions is a value. */
static enum sieve_status
compare_list(struct compare *compare, struct str list)
{
	struct str item;

	while (!compare->is_true && str_next_field(&list, ',', &item))
		if (compare_value(compare, str_trim(item)) != SIEVE_OK)
			return SIEVE_FAILED;
	return SIEVE_OK;
}

static enum sieve_status
compare_text(struct compare *compare, const struct part *part)
{
	struct sieve_host *host = compare->run->host;
	struct str value;

	if (host->ops->envelope_text == NULL ||
		!host->ops->envelope_text(host, part->text, &value))
		return SIEVE_OK;
	if (part->text == SIEVE_ENVELOPE_NOTIFY)
		return compare_list(compare, value);
	return compare_value(compare, value);
}

static enum sieve_status
compare_part(struct compare *compare, struct str name)
{
	struct run *run = compare->run;
	const struct part *part = find_part(name);
	struct address address;

	if (part == NULL)
		return run_fail(run, "unknown envelope part %s",
			report_quote(&run->reporter, name));
	if (!part->is_address)
		return compare_text(compare, part);
	if (!run->host->ops->envelope(run->host, part->address, &address))
		return SIEVE_OK;
	return compare_address(compare, &address, !address.is_broken);
}

static enum sieve_status
test_envelope(struct run *run, const struct call *call, bool *answer_out)
{
	const struct argument *names = &call->arguments[0];
	struct compare compare;
	const struct str *values;
	size_t i;

	if (compare_start(&compare, run, call, 1) != SIEVE_OK ||
		run_texts(run, names, &values) != SIEVE_OK)
		return SIEVE_FAILED;
	for (i = 0; i < names->count && !compare.is_true; i++)
		if (compare_part(&compare, values[i]) != SIEVE_OK)
			return SIEVE_FAILED;
	compare_end(&compare, answer_out);
	return SIEVE_OK;
}

const struct command_ops command_envelope = {
	.check = check_envelope,
	.test = test_envelope,
};
