/* SPDX-License-Identifier: MIT */
#include "engine/answer.h"

#include <stdint.h>

#include "base/utf8.h"
#include "mail/address.h"

#include "base/banned.h"

enum {
	NUMBER_BYTES = 4,
	HEAD_BYTES = 1 + NUMBER_BYTES,
	PROBLEMS_MOST = 30,
	FLAGS_MOST = 1000, /* of one action */
	FLAG_BYTES_MOST = 256
};

/* Where the settings leave it to us. */
enum { ACTIONS_MOST = 32, REDIRECTS_MOST = 4 };

/* ---- writing ---- */

static void
add_number(struct buf *buf, uint32_t number)
{
	int shift;

	for (shift = 24; shift >= 0; shift -= 8)
		buf_add_char(buf, (char)(number >> shift & 0xff));
}

void
answer_add(struct buf *answer, enum answer_kind kind, struct str value)
{
	buf_add_char(answer, (char)kind);
	add_number(answer, (uint32_t)value.len);
	buf_add(answer, value);
}

void
answer_add_problem(struct buf *answer, unsigned line, struct str text)
{
	text = str_slice(text, 0, ANSWER_PROBLEM_MOST);
	buf_add_char(answer, ANSWER_PROBLEM);
	add_number(answer, (uint32_t)(text.len + NUMBER_BYTES));
	add_number(answer, line);
	buf_add(answer, text);
}

/* ---- reading ---- */

struct reader {
	struct arena *arena;
	struct str rest;
	const char *script;
	const struct sieve_settings *settings;
	struct answer *answer;
	struct err *err;
	size_t redirects;
	bool takes_flags; /* the last action may have some */
	bool is_ended;
};

static int
refuse(struct reader *reader, const char *what)
{
	return err_temp(reader->err, "4.3.0", "%s", what);
}

static uint32_t
read_number(struct str bytes)
{
	uint32_t number = 0;
	size_t i;

	for (i = 0; i < NUMBER_BYTES; i++)
		number = number << 8 | (unsigned char)bytes.data[i];
	return number;
}

static int
read_record(struct reader *reader, char *kind_out, struct str *value_out)
{
	uint32_t length;

	if (reader->rest.len < HEAD_BYTES)
		return refuse(reader, "half an answer");
	*kind_out = reader->rest.data[0];
	length = read_number(str_skip(reader->rest, 1));
	reader->rest = str_skip(reader->rest, HEAD_BYTES);
	if (length > reader->rest.len)
		return refuse(reader, "half an answer");
	*value_out = str_slice(reader->rest, 0, length);
	reader->rest = str_skip(reader->rest, length);
	return 0;
}

static int
add_action(struct reader *reader, const struct sieve_action *action)
{
	struct answer *answer = reader->answer;
	size_t most = reader->settings->max_actions;

	if (answer->count >= (most > 0 ? most : ACTIONS_MOST))
		return refuse(reader, "too many actions");
	if (answer->count == answer->size) {
		size_t size = answer->size > 0 ? answer->size * 2 : 4;

		answer->actions = arena_grow(reader->arena, answer->actions,
			sizeof(*answer->actions), answer->count, size);
		answer->size = size;
	}
	answer->actions[answer->count] = *action;
	answer->actions[answer->count++].script = reader->script;
	reader->takes_flags =
		action->kind == SIEVE_KEEP || action->kind == SIEVE_FILEINTO;
	return 0;
}

static int
add_plain(struct reader *reader, enum sieve_action_kind kind, struct str value)
{
	const struct sieve_action action = {.kind = kind};

	if (value.len > 0)
		return refuse(reader, "an action with a value it cannot have");
	return add_action(reader, &action);
}

/* What no store could take; further rules are the store's. */
static int
add_fileinto(struct reader *reader, struct str mailbox)
{
	struct sieve_action action = {.kind = SIEVE_FILEINTO};

	if (mailbox.len == 0 || !utf8_is_valid(mailbox) ||
		str_find_any(mailbox, "\r\n\t") < mailbox.len ||
		str_has_char(mailbox, '\0'))
		return refuse(reader, "fileinto: that is no mailbox name");
	action.fileinto.mailbox = arena_copy(reader->arena, mailbox);
	return add_action(reader, &action);
}

static bool
read_address(struct arena *arena, struct str text, struct str *address_out)
{
	const struct address *found;
	struct address path;
	struct err err;

	text = str_trim(text);
	if (str_find_any(text, "\r\n") < text.len || str_has_char(text, '\0') ||
		address_parse_list(arena, text, 2, &found) != 1 ||
		found->is_broken || found->domain.len == 0 ||
		address_parse_path(arena, found->text,
			ADDRESS_BRACKETS_OPTIONAL, &path, &err) < 0)
		return false;
	*address_out = arena_copy(arena, path.text);
	return true;
}

static int
add_redirect(struct reader *reader, struct str text)
{
	struct sieve_action action = {.kind = SIEVE_REDIRECT};
	size_t most = reader->settings->max_redirects;

	if (reader->settings->redirects_prohibited ||
		++reader->redirects > (most > 0 ? most : REDIRECTS_MOST))
		return refuse(reader, "too many redirects");
	if (!read_address(reader->arena, text, &action.redirect.address))
		return refuse(reader, "redirect: that is no address");
	return add_action(reader, &action);
}

/* An atom, or a backslash and one (RFC 3501 9, flag). */
static bool
is_flag(struct str flag)
{
	size_t i;

	if (str_starts(flag, STR("\\")))
		flag = str_skip(flag, 1);
	for (i = 0; i < flag.len; i++)
		if (flag.data[i] <= ' ' || flag.data[i] >= 0x7f)
			return false;
	return flag.len > 0 && flag.len <= FLAG_BYTES_MOST &&
	       str_find_any(flag, "(){%*\"\\]") == flag.len;
}

static bool
has_flag(const struct sieve_flags *flags, struct str flag)
{
	size_t i;

	for (i = 0; i < flags->count; i++)
		if (str_equal_nocase(flags->items[i], flag))
			return true;
	return false;
}

static int
add_flag(struct reader *reader, struct str flag)
{
	struct sieve_action *action;
	struct sieve_flags *flags;
	struct str *items;

	if (!reader->takes_flags)
		return refuse(reader, "a flag of nothing");
	action = &reader->answer->actions[reader->answer->count - 1];
	flags = action->kind == SIEVE_KEEP ? &action->keep.flags
	                                   : &action->fileinto.flags;
	if (!is_flag(flag) || has_flag(flags, flag))
		return 0;
	if (flags->count >= FLAGS_MOST)
		return refuse(reader, "too many flags");
	items = ARENA_ARRAY(reader->arena, struct str, flags->count + 1);
	for (size_t i = 0; i < flags->count; i++)
		items[i] = flags->items[i];
	items[flags->count] = arena_copy(reader->arena, flag);
	flags->items = items;
	flags->count++;
	return 0;
}

static const char *
clean_text(struct arena *arena, struct str text)
{
	char *clean =
		arena_text(arena, str_slice(text, 0, ANSWER_PROBLEM_MOST));
	char *c;

	for (c = clean; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f)
			*c = '?';
	return clean;
}

static int
add_problem(struct reader *reader, struct str value)
{
	struct answer *answer = reader->answer;

	if (value.len < NUMBER_BYTES)
		return refuse(reader, "half an answer");
	if (answer->problem_count >= PROBLEMS_MOST)
		return 0;
	if (answer->problem_count == answer->problem_size) {
		size_t size =
			answer->problem_size > 0 ? answer->problem_size * 2 : 4;

		answer->problems = arena_grow(reader->arena, answer->problems,
			sizeof(*answer->problems), answer->problem_count, size);
		answer->problem_size = size;
	}
	answer->problems[answer->problem_count++] = (struct sieve_problem){
		.script = reader->script,
		.line = read_number(value),
		.column = 1,
		.text = clean_text(
			reader->arena, str_skip(value, NUMBER_BYTES)),
	};
	return 0;
}

static int
take_record(struct reader *reader, char kind, struct str value)
{
	switch (kind) {
	case ANSWER_KEEP:
		return add_plain(reader, SIEVE_KEEP, value);
	case ANSWER_DISCARD:
		return add_plain(reader, SIEVE_DISCARD, value);
	case ANSWER_FILEINTO:
		return add_fileinto(reader, value);
	case ANSWER_REDIRECT:
		return add_redirect(reader, value);
	case ANSWER_FLAG:
		return add_flag(reader, value);
	case ANSWER_PROBLEM:
		return add_problem(reader, value);
	case ANSWER_END:
		reader->is_ended = true;
		if (value.len > 0 || reader->rest.len > 0)
			return refuse(reader, "an answer that goes on");
		return 0;
	default:
		return refuse(reader, "an answer nobody knows");
	}
}

int
answer_read(struct arena *arena, struct str bytes, const char *script,
	const struct sieve_settings *settings, struct answer *answer_out,
	struct err *err)
{
	struct reader reader = {.arena = arena,
		.rest = bytes,
		.script = script,
		.settings = settings,
		.answer = answer_out,
		.err = err};
	struct str value = STR_EMPTY;
	char kind = 0;

	*answer_out = (struct answer){.actions = NULL};
	while (!reader.is_ended)
		if (read_record(&reader, &kind, &value) < 0 ||
			take_record(&reader, kind, value) < 0)
			return -1;
	return 0;
}
