/* envelope - the test of the SMTP envelope (RFC 5228 5.4)
 *
 * SPDX-License-Identifier: MIT
 */
#include "sieve/addresspart.h"
#include "sieve/check.h"
#include "sieve/compare.h"
#include "sieve/evaluate.h"
#include "sieve/registry.h"

#include "base/banned.h"

static const struct {
	const char *name;
	enum sieve_envelope_part part;
} parts[] = {
	{"from", SIEVE_ENVELOPE_FROM},
	{"to", SIEVE_ENVELOPE_TO},
};

static bool
find_part(struct str name, enum sieve_envelope_part *part_out)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(parts); i++)
		if (str_is_nocase(name, parts[i].name)) {
			*part_out = parts[i].part;
			return true;
		}
	return false;
}

/* RFC 5228 5.4: unknown parts should be an error. */
static void
check_envelope(struct checker *checker, struct ast_command *node)
{
	const struct argument *names = &node->call->arguments[0];
	enum sieve_envelope_part part;
	size_t i;

	for (i = 0; i < names->count; i++)
		if (text_is_constant(&names->texts[i]) &&
			!find_part(names->texts[i].constant, &part))
			check_error(checker, names->texts[i].at,
				"unknown envelope part %s: there are \"from\" "
				"and \"to\"",
				check_quote(checker, names->texts[i].constant));
}

static enum sieve_status
compare_part(struct compare *compare, struct str name)
{
	struct run *run = compare->run;
	enum sieve_envelope_part part;
	struct address address;

	if (!find_part(name, &part))
		return run_fail(run, "unknown envelope part %s",
			report_quote(&run->reporter, name));
	if (!run->host->ops->envelope(run->host, part, &address))
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
