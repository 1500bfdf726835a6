/* imap4flags - setflag, addflag, removeflag, hasflag, :flags (RFC 5232)
 *
 * A set of flags is a list of words without duplicates, whatever their case; the
 * first spelling and the order stay.  In a variable it is a string with blanks
 * between the words; the internal variable is a struct sieve_flags.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sieve/check.h"
#include "sieve/compare.h"
#include "sieve/evaluate.h"
#include "sieve/ext/variables.h"
#include "sieve/registry.h"

#include "base/banned.h"

/* ---- sets of flags ---- */

struct flag_set {
	struct arena *arena; /* of the items' array */
	struct str *items;
	size_t count, size;
};

/* RFC 3501 2.3.2; \Recent cannot be set. */
static const char *const system_flags[] = {
	"\\Answered",
	"\\Deleted",
	"\\Draft",
	"\\Flagged",
	"\\Seen",
};

/* RFC 3501 9, flag-keyword: an atom. */
static bool
is_keyword(struct str flag)
{
	size_t i;

	for (i = 0; i < flag.len; i++) {
		unsigned char c = (unsigned char)flag.data[i];

		if (c <= ' ' || c >= 0x7f || strchr("(){%*\"\\]", c) != NULL)
			return false;
	}
	return flag.len > 0;
}

/* RFC 5232 2: others are ignored. */
static bool
is_settable(struct str flag)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(system_flags); i++)
		if (str_is_nocase(flag, system_flags[i]))
			return true;
	return is_keyword(flag);
}

static size_t
set_find(const struct flag_set *set, struct str flag)
{
	size_t i;

	for (i = 0; i < set->count; i++)
		if (str_equal_nocase(set->items[i], flag))
			break;
	return i;
}

static void
set_add(struct flag_set *set, struct str flag)
{
	if (set_find(set, flag) < set->count)
		return;
	if (set->count == set->size) {
		size_t size = set->size > 0 ? set->size * 2 : 8;

		set->items = arena_grow(set->arena, set->items,
			sizeof(*set->items), set->count, size);
		set->size = size;
	}
	set->items[set->count++] = flag;
}

static void
set_remove(struct flag_set *set, struct str flag)
{
	size_t at = set_find(set, flag);

	if (at == set->count)
		return;
	set->count--;
	memmove(set->items + at, set->items + at + 1,
		(set->count - at) * sizeof(*set->items));
}

enum change { CHANGE_SET, CHANGE_ADD, CHANGE_REMOVE };

/* Adds or removes every settable flag of a string with blanks between them.
 * Every flag is compared with those that are there: that has its price. */
static enum sieve_status
set_change(struct run *run, struct flag_set *set, enum change change,
	struct str words)
{
	struct str flag;

	while (str_next_word(&words, &flag)) {
		if (run_charge(run, 1 + set->count / 16) != SIEVE_OK ||
			run_reserve(run, 0) != SIEVE_OK)
			return SIEVE_FAILED;
		if (!is_settable(flag))
			continue;
		if (change == CHANGE_REMOVE)
			set_remove(set, flag);
		else
			set_add(set, flag);
	}
	return SIEVE_OK;
}

static enum sieve_status
set_change_all(struct run *run, struct flag_set *set, enum change change,
	const struct argument *argument)
{
	const struct str *values;
	size_t i;

	if (run_texts(run, argument, &values) != SIEVE_OK)
		return SIEVE_FAILED;
	for (i = 0; i < argument->count; i++)
		if (set_change(run, set, change, values[i]) != SIEVE_OK)
			return SIEVE_FAILED;
	return SIEVE_OK;
}

/* The set as the result and the internal variable keep it. */
static struct sieve_flags
set_kept(struct arena *arena, const struct flag_set *set)
{
	struct str *items = ARENA_ARRAY(arena, struct str, set->count + 1);
	size_t i;

	for (i = 0; i < set->count; i++)
		items[i] = arena_copy(arena, set->items[i]);
	return (struct sieve_flags){items, set->count};
}

static struct str
set_joined(const struct flag_set *set)
{
	struct buf buf;
	struct str joined;
	size_t i;

	buf_init(&buf, BUF_UNLIMITED);
	for (i = 0; i < set->count; i++) {
		if (i > 0)
			buf_add_char(&buf, ' ');
		buf_add(&buf, set->items[i]);
	}
	joined = arena_copy(set->arena, buf_view(&buf));
	buf_clear(&buf);
	return joined;
}

/* ---- setflag, addflag, removeflag (RFC 5232 3) ---- */

/* Of those that are known: they would be ignored without a word. */
static void
warn_unsettable(struct checker *checker, const struct argument *flags)
{
	struct str words, flag;
	size_t i;

	for (i = 0; i < flags->count; i++) {
		if (!text_is_constant(&flags->texts[i]))
			continue;
		words = flags->texts[i].constant;
		while (str_next_word(&words, &flag))
			if (!is_settable(flag))
				report_warning(checker->reporter,
					flags->texts[i].at,
					"%s is no flag that can be set: it "
					"is ignored",
					check_quote(checker, flag));
	}
}

/* RFC 5232 1: a variable may only be named with "variables". */
static void
check_variables(struct checker *checker, struct ast_command *node)
{
	const struct argument *names = &node->call->arguments[0];

	if (!names->is_given)
		return;
	if (check_requires(checker, names->at, "the name of a variable",
		    EXTENSION_VARIABLES))
		(void)variables_named(checker, node->call, names);
}

static void
check_change(struct checker *checker, struct ast_command *node)
{
	check_variables(checker, node);
	warn_unsettable(checker, &node->call->arguments[1]);
}

static void
read_internal(const struct run *run, struct flag_set *set)
{
	size_t i;

	for (i = 0; i < run->flags.count; i++)
		set_add(set, run->flags.items[i]);
}

static enum sieve_status
change_flags(struct run *run, const struct call *call, enum change change)
{
	struct flag_set set = {.arena = run->scratch};
	struct variable *variable =
		call->variable_count > 0 ? &run->variables[call->variables[0]]
					 : NULL;
	enum sieve_status status = SIEVE_OK;

	if (change != CHANGE_SET && variable != NULL)
		status = set_change(
			run, &set, CHANGE_ADD, variable_value(variable));
	else if (change != CHANGE_SET)
		read_internal(run, &set);
	if (status == SIEVE_OK)
		status = set_change_all(run, &set, change, &call->arguments[1]);
	if (status != SIEVE_OK)
		return status;
	if (variable != NULL)
		variable_set(run, variable, set_joined(&set));
	else
		run->flags = set_kept(run->result->arena, &set);
	if (run_is_traced(run))
		run_trace_command(run, call, set_joined(&set));
	return SIEVE_OK;
}

static enum sieve_status
act_setflag(struct run *run, const struct call *call)
{
	return change_flags(run, call, CHANGE_SET);
}

static enum sieve_status
act_addflag(struct run *run, const struct call *call)
{
	return change_flags(run, call, CHANGE_ADD);
}

static enum sieve_status
act_removeflag(struct run *run, const struct call *call)
{
	return change_flags(run, call, CHANGE_REMOVE);
}

const struct command_ops command_setflag = {
	.check = check_change,
	.act = act_setflag,
};
const struct command_ops command_addflag = {
	.check = check_change,
	.act = act_addflag,
};
const struct command_ops command_removeflag = {
	.check = check_change,
	.act = act_removeflag,
};

/* ---- hasflag (RFC 5232 4) ---- */

/* RFC 5232 2: blanks divide a key into several, empty ones are none. */
static enum sieve_status
read_keys(
	struct run *run, const struct argument *argument, struct flag_set *keys)
{
	const struct str *values;
	struct str words, word;
	size_t i;

	if (run_texts(run, argument, &values) != SIEVE_OK)
		return SIEVE_FAILED;
	for (i = 0; i < argument->count; i++)
		for (words = values[i]; str_next_word(&words, &word);) {
			if (run_charge(run, 1 + keys->count / 16) != SIEVE_OK ||
				run_reserve(run, 0) != SIEVE_OK)
				return SIEVE_FAILED;
			set_add(keys, word);
		}
	return SIEVE_OK;
}

static enum sieve_status
compare_set(struct compare *compare, const struct flag_set *set)
{
	size_t i;

	for (i = 0; i < set->count && !compare->is_true; i++)
		if (compare_value(compare, set->items[i]) != SIEVE_OK)
			return SIEVE_FAILED;
	return SIEVE_OK;
}

static enum sieve_status
compare_variables(struct compare *compare)
{
	struct run *run = compare->run;
	const struct call *call = compare->call;
	size_t i;

	for (i = 0; i < call->variable_count && !compare->is_true; i++) {
		struct flag_set set = {.arena = run->scratch};
		const struct variable *variable =
			&run->variables[call->variables[i]];

		if (set_change(run, &set, CHANGE_ADD,
			    variable_value(variable)) != SIEVE_OK ||
			compare_set(compare, &set) != SIEVE_OK)
			return SIEVE_FAILED;
	}
	return SIEVE_OK;
}

static enum sieve_status
test_hasflag(struct run *run, const struct call *call, bool *answer_out)
{
	struct flag_set keys = {.arena = run->scratch};
	struct flag_set internal = {.arena = run->scratch};
	struct compare compare;
	enum sieve_status status;

	if (read_keys(run, &call->arguments[1], &keys) != SIEVE_OK ||
		compare_start_keys(&compare, run, call, keys.items,
			keys.count) != SIEVE_OK)
		return SIEVE_FAILED;
	if (call->arguments[0].is_given) {
		status = compare_variables(&compare);
	} else {
		read_internal(run, &internal);
		status = compare_set(&compare, &internal);
	}
	if (status == SIEVE_OK)
		compare_end(&compare, answer_out);
	return status;
}

const struct command_ops command_hasflag = {
	.check = check_variables,
	.test = test_hasflag,
};

/* ---- :flags (RFC 5232 5) ---- */

/* "Only the flags listed": not those of the internal variable. */
static enum sieve_status
apply_flags(struct run *run, const struct tag_use *use,
	struct pending_action *pending)
{
	struct flag_set set = {.arena = run->scratch};
	struct sieve_flags flags;

	if (set_change_all(run, &set, CHANGE_ADD, &use->argument) != SIEVE_OK)
		return SIEVE_FAILED;
	flags = set_kept(run->result->arena, &set);
	if (pending->action.kind == SIEVE_KEEP)
		pending->action.keep.flags = flags;
	else
		pending->action.fileinto.flags = flags;
	return SIEVE_OK;
}

static void
check_flags(struct checker *checker, struct call *call UNUSED,
	const struct tag_use *use)
{
	warn_unsettable(checker, &use->argument);
}

const struct tag_ops tag_flags = {.check = check_flags, .apply = apply_flags};
