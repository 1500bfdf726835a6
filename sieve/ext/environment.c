/* environment - facts about where the script runs (RFC 5183), and
 * vnd.dovecot.environment: more of them, and the variables ${env.NAME}
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/arena.h"
#include "sieve/check.h"
#include "sieve/compare.h"
#include "sieve/evaluate.h"
#include "sieve/registry.h"

#include "base/banned.h"

static bool
is_vendor_item(struct str name)
{
	return str_starts(name, STR("vnd."));
}

/* ---- environment (RFC 5183 4) ---- */

/* Whether the script may see the vendor's items is known here only. */
static void
check_environment(struct checker *checker, struct ast_command *node)
{
	node->call->flag = checker->is_required[EXTENSION_DOVECOT_ENVIRONMENT];
}

static bool
find_item(struct run *run, const struct call *call, struct str name,
	struct str *value_out)
{
	const struct sieve_host_ops *ops = run->host->ops;

	name = arena_lower(run->scratch, name);
	if (ops->environment == NULL || (is_vendor_item(name) && !call->flag))
		return false;
	return ops->environment(run->host, name, value_out);
}

static enum sieve_status
test_environment(struct run *run, const struct call *call, bool *answer_out)
{
	struct compare compare;
	struct str name, value;

	if (compare_start(&compare, run, call, 1) != SIEVE_OK ||
		run_text(run, call->arguments[0].texts, &name) != SIEVE_OK ||
		run_reserve(run, name.len) != SIEVE_OK)
		return SIEVE_FAILED;
	/* RFC 5183 4: an empty value counts as none. */
	if (find_item(run, call, name, &value) &&
		(value.len > 0 || !compare_counts(&compare)) &&
		compare_value(&compare, value) != SIEVE_OK)
		return SIEVE_FAILED;
	compare_end(&compare, answer_out);
	return SIEVE_OK;
}

const struct command_ops command_environment = {
	.check = check_environment,
	.test = test_environment,
};

/* ---- vnd.dovecot.environment ---- */

/* ${env.NAME} is the item of that name; one that does not exist is empty. */
static bool
resolve_env(struct checker *checker, struct position at UNUSED, struct str name,
	struct text_part *part)
{
	part->kind = TEXT_ENVIRONMENT;
	part->constant = arena_lower(checker->arena, name);
	return true;
}

const struct extension_ops extension_dovecot_environment = {
	.name_space = "env",
	.resolve = resolve_env,
	.brings = EXTENSION_ENVIRONMENT,
};
