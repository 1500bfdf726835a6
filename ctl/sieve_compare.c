/* sieve_compare - `doorstep sieve compare` and `doorstep sieve diff`
 *
 *   doorstep sieve compare [OPTION...] SCRIPT MESSAGE...
 *   doorstep sieve diff [OPTION...] OLD NEW MESSAGE...
 *
 * Judge each message twice, by two engines or by two scripts, and tell where the
 * fates differ.  A message may be a file, a Maildir or an mbox (corpus.h).  The
 * options are those of `test`.
 *
 *   archive.mbox:7: old: fileinto "Lists"
 *   archive.mbox:7: new: keep
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "engine/engine.h"
#include "deliver/include.h"
#include "ctl/corpus.h"
#include "ctl/sieve.h"

#include "base/banned.h"

/* Above the largest script there can be; an engine knows its limit. */
#define MOST_SCRIPT_BYTES ((size_t)1 << 30)

/* One of the two that judge. */
struct judge {
	const char *name; /* of its lines */
	const struct engine *engine;
	struct engine_script script;
	struct buf text;
};

struct comparison {
	struct tester *tester;
	struct judge judges[2];
	struct json *json; /* NULL: lines */
	bool has_differed;
};

/* What one judge wants. */
struct verdict {
	struct str *actions; /* as text, each once, in order */
	size_t count;
	const char *problem; /* NULL: the script ran */
};

/* ---- judging ---- */

static bool
has_action(const struct verdict *verdict, struct str action)
{
	size_t i;

	for (i = 0; i < verdict->count; i++)
		if (str_equal(verdict->actions[i], action))
			return true;
	return false;
}

static int
compare_flags(const void *a, const void *b)
{
	return str_compare_nocase(
		*(const struct str *)a, *(const struct str *)b);
}

/* Flags have no order. */
static void
sort_flags(struct arena *arena, struct sieve_flags *flags)
{
	struct str *items = ARENA_ARRAY(arena, struct str, flags->count + 1);
	size_t i;

	if (flags->count == 0)
		return;
	for (i = 0; i < flags->count; i++)
		items[i] = flags->items[i];
	qsort(items, flags->count, sizeof(*items), compare_flags);
	flags->items = items;
}

/* Domains have no case. */
static struct str
small_domain(struct arena *arena, struct str address)
{
	char *copy = arena_text(arena, address);
	size_t i = str_find_last_char(address, '@');

	for (; i < address.len; i++)
		copy[i] = ascii_lower(copy[i]);
	return str_of(copy, address.len);
}

static void
add_action(struct arena *arena, struct verdict *verdict,
	const struct sieve_action *original)
{
	struct sieve_action action = *original;
	struct str text;

	if (action.kind == SIEVE_KEEP)
		sort_flags(arena, &action.keep.flags);
	else if (action.kind == SIEVE_FILEINTO)
		sort_flags(arena, &action.fileinto.flags);
	else if (action.kind == SIEVE_REDIRECT)
		action.redirect.address =
			small_domain(arena, action.redirect.address);
	text = sieve_action_text(arena, &action);
	text = str_from(arena_format(
		arena, "%.*s%s", STR_ARG(text), sieve_action_tags(&action)));
	if (!has_action(verdict, text))
		verdict->actions[verdict->count++] = text;
}

/* To discard and to do nothing come to the same; a discard beside another action
 * does nothing. */
static void
list_actions(struct arena *arena, const struct sieve_result *result,
	struct verdict *verdict)
{
	static const struct sieve_action discard = {.kind = SIEVE_DISCARD};
	const struct sieve_action keep = sieve_implicit_keep(result);
	size_t i;

	verdict->count = 0;
	verdict->actions = ARENA_ARRAY(arena, struct str, result->count + 2);
	for (i = 0; i < result->count; i++)
		if (result->actions[i].kind != SIEVE_DISCARD)
			add_action(arena, verdict, &result->actions[i]);
	if (result->implicit_keep)
		add_action(arena, verdict, &keep);
	if (verdict->count == 0)
		add_action(arena, verdict, &discard);
}

/* An exit status. */
static int
ask(struct comparison *comparison, const struct judge *judge,
	struct verdict *verdict)
{
	struct tester *tester = comparison->tester;
	struct arena *arena = tester->ctl->arena;
	struct script_folders folders =
		tester_folders(tester, judge->script.name);
	struct engine_script script = judge->script;
	struct sieve_result result = {.arena = arena};
	struct include_loader loader;
	struct sieve_report report;
	enum sieve_status status;
	struct err err;

	sieve_report_init(&report, arena);
	include_init(&loader, arena, &folders, tester->settings.max_script_size,
		NULL);
	script.loader = &loader.loader;
	status = engine_run(judge->engine, &script, &tester->settings,
		&tester->host, &result, &report, &err);
	*verdict = (struct verdict){.count = 0};
	if (status == SIEVE_TEMPORARY)
		return ctl_fail(CTL_TEMPORARY, "%s", err_log_text(&err));
	if (status == SIEVE_FAILED) {
		result = (struct sieve_result){
			.arena = arena, .implicit_keep = true};
		verdict->problem = "unknown error";
		if (report.count > 0)
			verdict->problem = arena_format(arena, "%u:%u: %s",
				report.problems[0].line,
				report.problems[0].column,
				report.problems[0].text);
	}
	list_actions(arena, &result, verdict);
	return CTL_OK;
}

static bool
is_part(const struct verdict *part, const struct verdict *whole)
{
	size_t i;

	for (i = 0; i < part->count; i++)
		if (!has_action(whole, part->actions[i]))
			return false;
	return true;
}

static bool
is_same(const struct verdict *a, const struct verdict *b)
{
	return is_part(a, b) && is_part(b, a);
}

/* ---- telling ---- */

/* What the other one wants as well is left out. */
static void
print_verdict(const struct judge *judge, const struct verdict *verdict,
	const struct verdict *other, const char *message)
{
	size_t i;

	for (i = 0; i < verdict->count; i++)
		if (!has_action(other, verdict->actions[i]))
			printf("%s: %s: %.*s\n", message, judge->name,
				STR_ARG(verdict->actions[i]));
	if (verdict->problem != NULL)
		printf("%s: %s: failed: %s\n", message, judge->name,
			verdict->problem);
}

static void
json_verdict(struct json *json, const struct judge *judge,
	const struct verdict *verdict)
{
	size_t i;

	json_open(json, judge->name, '{');
	json_open(json, "actions", '[');
	for (i = 0; i < verdict->count; i++)
		json_text(json, NULL, verdict->actions[i]);
	json_close(json);
	if (verdict->problem != NULL)
		json_text(json, "problem", str_from(verdict->problem));
	json_close(json);
}

static void
tell(struct comparison *comparison, const struct verdict *verdicts,
	const char *message)
{
	const struct judge *judges = comparison->judges;
	struct json *json = comparison->json;
	bool differs = !is_same(&verdicts[0], &verdicts[1]);

	comparison->has_differed |= differs;
	if (json != NULL) {
		json_open(json, NULL, '{');
		json_text(json, "message", str_from(message));
		json_bool(json, "differs", differs);
		json_verdict(json, &judges[0], &verdicts[0]);
		json_verdict(json, &judges[1], &verdicts[1]);
		json_close(json);
	} else if (differs) {
		print_verdict(&judges[0], &verdicts[0], &verdicts[1], message);
		print_verdict(&judges[1], &verdicts[1], &verdicts[0], message);
	}
}

/* ---- all messages ---- */

static int
compare_message(struct comparison *comparison, const struct message *message,
	const char *name)
{
	struct verdict verdicts[2];
	int status;

	tester_begin_message(comparison->tester, message);
	status = ask(comparison, &comparison->judges[0], &verdicts[0]);
	if (status == CTL_OK)
		status = ask(comparison, &comparison->judges[1], &verdicts[1]);
	if (status == CTL_OK)
		tell(comparison, verdicts, name);
	return status;
}

static int
compare_corpus(struct comparison *comparison, struct corpus *corpus)
{
	struct arena *arena = comparison->tester->ctl->arena;
	int status = CTL_OK;
	struct message *message;
	const char *name;
	struct err err;

	while (status == CTL_OK) {
		struct arena_mark mark;

		switch (corpus_next(corpus, &message, &name, &err)) {
		case LOOKUP_ERROR:
			return ctl_fail(
				CTL_TEMPORARY, "%s", err_log_text(&err));
		case LOOKUP_NONE:
			return CTL_OK;
		case LOOKUP_FOUND:
			break;
		}
		mark = arena_mark(arena);
		status = compare_message(comparison, message, name);
		message_close(&message);
		arena_release(arena, mark);
	}
	return status;
}

static int
compare_messages(struct comparison *comparison, char **paths, size_t count)
{
	const struct message_limits limits = tester_limits(comparison->tester);
	struct ctl *ctl = comparison->tester->ctl;
	struct corpus corpus;
	struct json json;
	int status;

	json_init(&json, stdout);
	comparison->json = ctl->json ? &json : NULL;
	if (ctl->json)
		json_open(&json, NULL, '[');
	corpus_init(&corpus, ctl->arena, &limits, paths, count);
	status = compare_corpus(comparison, &corpus);
	corpus_clear(&corpus);
	if (ctl->json)
		json_close(&json);
	comparison->json = NULL;
	if (status != CTL_OK)
		return status;
	return comparison->has_differed ? CTL_FAILED : CTL_OK;
}

/* ---- the two commands ---- */

static int
read_script(struct judge *judge, const char *path)
{
	judge->script.name = path;
	if (tester_read_script(path, &judge->text) < 0)
		return CTL_TEMPORARY;
	judge->script.text = buf_view(&judge->text);
	return CTL_OK;
}

/* `paths`: two scripts and the messages. */
static int
run(struct tester *tester, const struct engine *const *engines,
	const char *const *names, char **scripts, char **messages, size_t count)
{
	struct comparison comparison = {.tester = tester};
	struct judge *judges = comparison.judges;
	int status = CTL_OK, i;

	for (i = 0; i < 2; i++) {
		judges[i].name = names[i];
		judges[i].engine = engines[i];
		buf_init(&judges[i].text, MOST_SCRIPT_BYTES);
	}
	for (i = 0; i < 2 && status == CTL_OK; i++)
		status = read_script(&judges[i], scripts[i]);
	if (status == CTL_OK)
		status = compare_messages(&comparison, messages, count);
	buf_clear(&judges[0].text);
	buf_clear(&judges[1].text);
	return status;
}

#define OPTIONS "[-f FROM] [-a ORIG] [-r RCPT] [-u USER] [-m MAILBOX]... "

int
ctl_sieve_compare(
	struct ctl *ctl, const struct settings *conf, int argc, char **argv)
{
	static const char *const names[] = {"native", "libsieve"};
	const struct engine *engines[] = {
		engine_find(names[0]), engine_find(names[1])};
	struct tester tester;
	int first, status = tester_open(&tester, ctl, conf,
			   "usage: doorstep sieve compare " OPTIONS
			   "SCRIPT MESSAGE|MAILDIR|MBOX...",
			   2, argc, argv, &first);

	if (status == CTL_OK && engines[1] == NULL)
		status = ctl_fail(CTL_CONFIG, "this build is without libsieve");
	if (status == CTL_OK)
		status = run(&tester, engines, names,
			(char *[]){argv[first], argv[first]}, argv + first + 1,
			(size_t)(argc - first - 1));
	tester_close(&tester);
	return status;
}

int
ctl_sieve_diff(
	struct ctl *ctl, const struct settings *conf, int argc, char **argv)
{
	static const char *const names[] = {"old", "new"};
	const struct engine *native = engine_find("native");
	const struct engine *engines[] = {native, native};
	struct tester tester;
	int first, status = tester_open(&tester, ctl, conf,
			   "usage: doorstep sieve diff " OPTIONS
			   "OLD NEW MESSAGE|MAILDIR|MBOX...",
			   3, argc, argv, &first);

	if (status == CTL_OK)
		status = run(&tester, engines, names, argv + first,
			argv + first + 2, (size_t)(argc - first - 2));
	tester_close(&tester);
	return status;
}
