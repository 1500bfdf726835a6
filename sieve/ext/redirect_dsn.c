/* redirect-dsn - what is reported of a redirect, and to whom (RFC 6009)
 *
 *   redirect :notify "FAILURE,DELAY" :ret "HDRS" "amy@example.org";
 *
 * The values are those of RFC 3461; the server that takes the message is asked for
 * them, if it offers DSN.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sieve/check.h"
#include "sieve/evaluate.h"
#include "sieve/registry.h"

#include "base/banned.h"

/* RFC 3461 4.1: NEVER alone, or some of the others. */
static bool
is_notify(struct str value)
{
	static const char *const words[] = {"SUCCESS", "FAILURE", "DELAY"};
	struct str word;
	size_t i;

	if (str_is_nocase(value, "NEVER"))
		return true;
	if (value.len == 0 || str_ends(value, STR(",")))
		return false;
	while (str_next_field(&value, ',', &word)) {
		for (i = 0; i < ARRAY_LENGTH(words); i++)
			if (str_is_nocase(word, words[i]))
				break;
		if (i == ARRAY_LENGTH(words))
			return false;
	}
	return true;
}

static bool
is_ret(struct str value)
{
	return str_is_nocase(value, "FULL") || str_is_nocase(value, "HDRS");
}

#define NOTIFY_HELP                                                            \
	"\"NEVER\", or some of SUCCESS, FAILURE, DELAY with commas between"
#define RET_HELP "\"FULL\" or \"HDRS\""

static void
check_notify(struct checker *checker, struct call *call UNUSED,
	const struct tag_use *use)
{
	const struct text *text = use->argument.texts;

	if (text_is_constant(text) && !is_notify(text->constant))
		check_error(checker, text->at,
			":notify: found %s, expected " NOTIFY_HELP,
			check_quote(checker, text->constant));
}

static void
check_ret(struct checker *checker, struct call *call UNUSED,
	const struct tag_use *use)
{
	const struct text *text = use->argument.texts;

	if (text_is_constant(text) && !is_ret(text->constant))
		check_error(checker, text->at,
			":ret: found %s, expected " RET_HELP,
			check_quote(checker, text->constant));
}

static struct str
upper(struct arena *arena, struct str value)
{
	char *text = arena_text(arena, value);
	size_t i;

	for (i = 0; i < value.len; i++)
		text[i] = ascii_upper(text[i]);
	return str_of(text, value.len);
}

static enum sieve_status
apply_notify(struct run *run, const struct tag_use *use,
	struct pending_action *pending)
{
	struct str value;

	if (run_text(run, use->argument.texts, &value) != SIEVE_OK)
		return SIEVE_FAILED;
	if (!is_notify(value))
		return run_fail(run, ":notify: found %s, expected " NOTIFY_HELP,
			report_quote(&run->reporter, value));
	pending->action.redirect.notify = upper(run->result->arena, value);
	return SIEVE_OK;
}

static enum sieve_status
apply_ret(struct run *run, const struct tag_use *use,
	struct pending_action *pending)
{
	struct str value;

	if (run_text(run, use->argument.texts, &value) != SIEVE_OK)
		return SIEVE_FAILED;
	if (!is_ret(value))
		return run_fail(run, ":ret: found %s, expected " RET_HELP,
			report_quote(&run->reporter, value));
	pending->action.redirect.ret = upper(run->result->arena, value);
	return SIEVE_OK;
}

const struct tag_ops tag_redirect_notify = {
	.check = check_notify, .apply = apply_notify};
const struct tag_ops tag_redirect_ret = {
	.check = check_ret, .apply = apply_ret};
