/* SPDX-License-Identifier: MIT */
#include "deliver/warnings.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "base/vars.h"
#include "mail/letter.h"
#include "deliver/notices.h"
#include "deliver/programs.h"
#include "deliver/quota.h"
#include "deliver/report.h"
#include "deliver/setup.h"
#include "deliver/work.h"

#include "base/banned.h"

enum { WHOLE = 100, ARGUMENTS_MAX = 32 };

#define MESSAGE_WORD "message"

void
warnings_collect(const struct job *job, const struct delivery *delivery,
	struct quota *quota)
{
	struct work_warnings *all = &delivery->work->warnings;
	const struct quota_crossing *crossings;
	size_t count, i;

	quota_compare(quota);
	count = quota_crossings(quota, &crossings);
	if (count == 0)
		return;
	if (all->count + count > all->size) {
		size_t size = (all->count + count) * 2;

		all->items = arena_grow(job->arena, all->items,
			sizeof(*all->items), all->count, size);
		all->size = size;
	}
	for (i = 0; i < count; i++)
		all->items[all->count++] = crossings[i];
}

/* ---- a program ---- */

/* A blank within %{...} is none of the command's. */
static bool
next_template(struct str *text, struct str *word_out)
{
	size_t depth = 0, i;

	*text = str_trim(*text);
	for (i = 0; i < text->len; i++) {
		char c = text->data[i];

		if (c == '{' &&
			(depth > 0 || (i > 0 && text->data[i - 1] == '%')))
			depth++;
		else if (c == '}' && depth > 0)
			depth--;
		else if ((c == ' ' || c == '\t') && depth == 0)
			break;
	}
	*word_out = str_slice(*text, 0, i);
	*text = str_skip(*text, i);
	return word_out->len > 0;
}

/* Each word by itself: a value with a blank in it stays one argument. */
static int
expand_arguments(const struct job *job, const struct delivery *delivery,
	struct str words, struct str *arguments, size_t *count_out,
	struct err *err)
{
	struct str word;

	*count_out = 0;
	while (next_template(&words, &word)) {
		if (*count_out == ARGUMENTS_MAX)
			return err_temp(err, "4.3.5", "more than %d arguments",
				ARGUMENTS_MAX);
		if (setup_expand_words(job, delivery,
			    arena_text(job->arena, word),
			    &arguments[*count_out], err) < 0)
			return -1;
		(*count_out)++;
	}
	return 0;
}

static int
run_program(const struct job *job, const struct delivery *delivery,
	struct str name, struct str words, struct err *err)
{
	struct str arguments[ARGUMENTS_MAX];
	struct program_request request = {
		.use = PROGRAM_WARNING, .name = name, .arguments = arguments};
	struct program_answer answer;

	if (expand_arguments(job, delivery, words, arguments,
		    &request.argument_count, err) < 0)
		return -1;
	programs_warn(job, delivery, &request, &answer);
	if (answer.end != PROGRAM_DONE)
		return err_temp(err, "4.3.0", "%s", answer.text);
	log_info("quota_warning: ran %.*s%s%s", STR_ARG(name),
		answer.text[0] != '\0' ? ": " : "", answer.text);
	return 0;
}

/* ---- a message ---- */

static struct str
percent_text(struct arena *arena, const struct quota_crossing *crossing)
{
	bool is_messages = crossing->warning->is_messages;
	uint64_t use =
		is_messages ? crossing->use.messages : crossing->use.bytes;
	uint64_t limit = is_messages ? crossing->limits.messages
	                             : crossing->limits.bytes;
	uint64_t share;

	if (limit == 0)
		return STR("0");
	share = number_multiply(use, WHOLE, &share) ? share / limit
	                                            : use / (limit / WHOLE + 1);
	return str_from(arena_format(arena, "%llu", (unsigned long long)share));
}

static struct str
amount_text(struct arena *arena, bool is_messages, uint64_t number)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	enum { STEP = 1024, SHOWN = 10 * STEP };
	size_t unit = 0;

	if (is_messages)
		return str_from(arena_format(
			arena, "%llu messages", (unsigned long long)number));
	for (; number >= SHOWN && unit + 1 < ARRAY_LENGTH(units); unit++)
		number /= STEP;
	return str_from(arena_format(
		arena, "%llu %s", (unsigned long long)number, units[unit]));
}

/* As expand() of setup.c, and what was passed. */
static int
expand_text(const struct job *job, const struct delivery *delivery,
	const struct quota_crossing *crossing, struct str template,
	struct str *text_out, struct err *err)
{
	bool is_messages = crossing->warning->is_messages;
	const struct var vars[] = {
		{'u', "user", str_from(delivery->user)},
		{0, "hostname", setup_hostname(delivery->settings)},
		{0, "quota", crossing->name},
		{0, "percent", percent_text(job->arena, crossing)},
		{0, "used",
			amount_text(job->arena, is_messages,
				is_messages ? crossing->use.messages
					    : crossing->use.bytes)},
		{0, "limit",
			amount_text(job->arena, is_messages,
				is_messages ? crossing->limits.messages
					    : crossing->limits.bytes)},
	};

	return vars_expand(
		job->arena, template, vars, ARRAY_LENGTH(vars), text_out, err);
}

static int
compose(const struct job *job, const struct delivery *delivery,
	const struct quota_crossing *crossing,
	const struct content **content_out, struct err *err)
{
	const struct settings *settings = delivery->settings;
	struct letter letter = notices_letter(job, delivery);
	struct str text;

	letter.original = NULL;
	letter.auto_submitted = STR("auto-generated (quota warning)");
	letter.to = delivery->final.text;
	if (setup_postmaster(job, delivery, &letter.from, err) < 0 ||
		expand_text(job, delivery, crossing,
			str_from(settings->quota_warning_subject),
			&letter.subject, err) < 0 ||
		conf_read_text(job->arena, &settings->quota_warning_message,
			&text, err) < 0 ||
		expand_text(job, delivery, crossing, text, &text, err) < 0)
		return -1;
	if (letter_compose(job->arena, &letter,
		    letter_text(job->arena, job->message, text), content_out))
		return 0;
	letter.to = STR_EMPTY;
	if (letter_compose(job->arena, &letter,
		    letter_text(job->arena, job->message, text), content_out))
		return 0;
	return err_temp(err, "4.3.5", "postmaster_address is no address");
}

static int
commit(const struct job *job, const struct delivery *delivery,
	struct store_copy *copy, struct err *err)
{
	const struct quota_item item = {
		store_copy_folder(copy), store_copy_size(copy)};
	struct delivery unlimited = *delivery;
	struct quota *quota = NULL;
	size_t wrong;
	int result;

	/* It is there to be read above all when there is no room. */
	unlimited.ignores_quota = true;
	result = quota_open_user(
		job, &unlimited, delivery->work->store, &quota, err);
	if (result == 0 && quota != NULL)
		result = quota_take(quota, &item, 1, &wrong, err);
	if (result == 0 && quota != NULL)
		quota_begin(quota);
	if (result == 0)
		result = store_commit(copy, err) < 0 ||
		                         store_settle(&copy, 1, err) < 0
		                 ? -1
		                 : 0;
	if (result == 0 && quota != NULL) {
		quota_end(quota, &item, 1);
		warnings_collect(job, delivery, quota);
	}
	quota_close(&quota);
	return result;
}

/* Past the scripts: none of the user's is about this. */
static int
file_message(const struct job *job, const struct delivery *delivery,
	const struct quota_crossing *crossing, struct err *err)
{
	const struct content *content;
	struct store_copy *copy = NULL;
	int result = -1;

	if (compose(job, delivery, crossing, &content, err) < 0)
		return -1;
	if (store_write(delivery->work->store, STR("INBOX"), 0, content, 0,
		    &copy, err) == STORE_OK)
		result = commit(job, delivery, copy, err);
	if (result == 0)
		log_info("quota_warning: stored a message into mailbox INBOX");
	store_copy_close(&copy);
	return result;
}

/* ---- all of them ---- */

static void
tell(const struct job *job, const struct delivery *delivery,
	const struct quota_crossing *crossing)
{
	struct str rest = crossing->warning->command, name;
	struct err err;
	int result;

	(void)str_next_word(&rest, &name);
	result = str_is(name, MESSAGE_WORD)
	                 ? file_message(job, delivery, crossing, &err)
	                 : run_program(job, delivery, name, rest, &err);
	if (result < 0)
		log_error("quota_warning: %.*s: %s", STR_ARG(name),
			err_log_text(&err));
}

/* A message may pass the next threshold; use only grows by that, so this ends. */
static void
tell_of(struct job *job, const struct delivery *delivery, uint64_t until_ms)
{
	const struct work_warnings *all = &delivery->work->warnings;
	size_t i;

	if (all->count == 0)
		return;
	report_begin(job, delivery);
	for (i = 0; i < all->count; i++) {
		if (clock_monotonic_ms() >= until_ms) {
			log_error("quota_warning: no time is left for %zu more",
				all->count - i);
			return;
		}
		tell(job, delivery, &all->items[i]);
	}
}

void
warnings_tell(struct job *const *jobs, size_t count)
{
	uint64_t until_ms = clock_monotonic_ms() + WARNINGS_TIME_MS;
	size_t j, d;

	for (j = 0; j < count; j++)
		for (d = 0; d < jobs[j]->count; d++)
			tell_of(jobs[j], &jobs[j]->deliveries[d], until_ms);
}
