/* relational - :value and :count (RFC 5231)
 *
 * SPDX-License-Identifier: MIT
 */
#include "sieve/check.h"
#include "sieve/match.h"
#include "sieve/registry.h"

#include "base/banned.h"

static const struct {
	const char *name;
	enum relation relation;
} relations[] = {
	{"gt", RELATION_GT},
	{"ge", RELATION_GE},
	{"lt", RELATION_LT},
	{"le", RELATION_LE},
	{"eq", RELATION_EQ},
	{"ne", RELATION_NE},
};

static void
check_relation(
	struct checker *checker, struct call *call, const struct tag_use *use)
{
	struct str name;
	size_t i;

	if (!check_constant(checker, &use->argument, "the relation", &name))
		return;
	for (i = 0; i < ARRAY_LENGTH(relations); i++)
		if (str_is_nocase(name, relations[i].name)) {
			call->relation = relations[i].relation;
			return;
		}
	check_error(checker, use->argument.at,
		"%s is no relation: there are \"gt\", \"ge\", \"lt\", \"le\", "
		"\"eq\" and \"ne\"",
		check_quote(checker, name));
}

const struct tag_ops tag_value = {
	.check = check_relation,
	.match_type = &match_by_value,
};
const struct tag_ops tag_count = {
	.check = check_relation,
	.match_type = &match_by_count,
};
