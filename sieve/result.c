/* SPDX-License-Identifier: MIT */
#include "sieve/result.h"

#include <string.h>

#include "base/buf.h"

#include "base/banned.h"

void
result_begin(struct sieve_result *result)
{
	size_t i, count = 0;

	for (i = 0; i < result->count; i++) {
		if (result->actions[i].kind == SIEVE_KEEP)
			result->flags = result->actions[i].keep.flags;
		else
			result->actions[count++] = result->actions[i];
	}
	result->count = count;
}

bool
result_has_keep(const struct sieve_result *result)
{
	size_t i;

	for (i = 0; i < result->count; i++)
		if (result->actions[i].kind == SIEVE_KEEP)
			return true;
	return false;
}

void
result_add(struct sieve_result *result, const struct sieve_action *action)
{
	if (result->count == result->size) {
		size_t size = result->size > 0 ? result->size * 2 : 4;

		result->actions = arena_grow(result->arena, result->actions,
			sizeof(*result->actions), result->count, size);
		result->size = size;
	}
	result->actions[result->count++] = *action;
}

/* ---- marks ---- */

struct sieve_mark *
result_find_mark(const struct sieve_result *result,
	const unsigned char key[SIEVE_MARK_KEY])
{
	size_t i;

	for (i = 0; i < result->mark_count; i++)
		if (memcmp(result->marks[i].key, key, SIEVE_MARK_KEY) == 0)
			return &result->marks[i];
	return NULL;
}

struct sieve_mark *
result_add_mark(
	struct sieve_result *result, const unsigned char key[SIEVE_MARK_KEY])
{
	struct sieve_mark *mark;

	if (result->mark_count == result->mark_size) {
		size_t size = result->mark_size > 0 ? result->mark_size * 2 : 4;

		result->marks = arena_grow(result->arena, result->marks,
			sizeof(*result->marks), result->mark_count, size);
		result->mark_size = size;
	}
	mark = &result->marks[result->mark_count++];
	*mark = (struct sieve_mark){.was_seen = false};
	memcpy(mark->key, key, SIEVE_MARK_KEY);
	return mark;
}

/* ---- the same thing twice ---- */

/* INBOX has no case (RFC 3501 5.1). */
static bool
is_same_mailbox(struct str a, struct str b)
{
	return str_equal(a, b) ||
	       (str_is_nocase(a, "INBOX") && str_is_nocase(b, "INBOX"));
}

/* Domains have no case, local parts do. */
static bool
is_same_address(struct str a, struct str b)
{
	size_t at_a = str_find_last_char(a, '@');
	size_t at_b = str_find_last_char(b, '@');

	return str_equal(str_slice(a, 0, at_a), str_slice(b, 0, at_b)) &&
	       str_equal_nocase(str_skip(a, at_a), str_skip(b, at_b));
}

/* Another text is another notification. */
static bool
is_same_notify(const struct sieve_notify *a, const struct sieve_notify *b)
{
	return str_equal(a->method, b->method) && str_equal(a->from, b->from) &&
	       a->has_message == b->has_message &&
	       str_equal(a->message, b->message);
}

static bool
is_same(const struct sieve_action *a, const struct sieve_action *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case SIEVE_KEEP:
	case SIEVE_DISCARD:
		return true;
	case SIEVE_FILEINTO:
		return is_same_mailbox(
			a->fileinto.mailbox, b->fileinto.mailbox);
	case SIEVE_REDIRECT:
		return is_same_address(
			a->redirect.address, b->redirect.address);
	case SIEVE_NOTIFY:
		return is_same_notify(a->notify, b->notify);
	case SIEVE_REPORT:
		return str_equal_nocase(a->abuse->type, b->abuse->type) &&
		       is_same_address(a->abuse->address, b->abuse->address);
	case SIEVE_REJECT:
	case SIEVE_PIPE:
	case SIEVE_VACATION:
		break; /* a refusal never comes twice: conflict.h */
	}
	return false;
}

static void
merge_into(struct sieve_action *old, const struct sieve_action *new)
{
	switch (old->kind) {
	case SIEVE_KEEP:
		old->keep.flags = new->keep.flags;
		break;
	case SIEVE_DISCARD:
		break;
	case SIEVE_FILEINTO:
		old->fileinto.flags = new->fileinto.flags;
		old->fileinto.create |= new->fileinto.create;
		old->fileinto.copy &= new->fileinto.copy;
		break;
	case SIEVE_REDIRECT:
		old->redirect.copy &= new->redirect.copy;
		break;
	case SIEVE_REJECT:
	case SIEVE_NOTIFY:
	case SIEVE_REPORT:
	case SIEVE_PIPE:
	case SIEVE_VACATION:
		break;
	}
}

/* An action of an earlier script of the sequence may be changed only when this
 * run cannot fail any more; it is left alone, and the plan finds the pair. */
bool
result_merge(struct sieve_result *result, size_t from,
	const struct sieve_action *action)
{
	size_t i;

	for (i = from; i < result->count; i++)
		if (is_same(&result->actions[i], action)) {
			merge_into(&result->actions[i], action);
			return true;
		}
	return false;
}

/* ---- text ---- */

static void
add_quoted(struct buf *buf, struct str s)
{
	size_t i;

	buf_add_char(buf, '"');
	for (i = 0; i < s.len; i++) {
		if (s.data[i] == '"' || s.data[i] == '\\')
			buf_add_char(buf, '\\');
		buf_add_char(buf, s.data[i]);
	}
	buf_add_char(buf, '"');
}

/* A text of several lines on one of them. */
static void
add_quoted_line(struct buf *buf, struct str text)
{
	struct buf joined;
	struct str line;

	buf_init(&joined, BUF_UNLIMITED);
	while (str_next_field(&text, '\n', &line)) {
		line = str_trim(line);
		if (line.len > 0 && joined.len > 0)
			buf_add_char(&joined, ' ');
		buf_add(&joined, line);
	}
	add_quoted(buf, buf_view(&joined));
	buf_clear(&joined);
}

static void
add_flags(struct buf *buf, const struct sieve_flags *flags)
{
	struct buf joined;
	size_t i;

	if (flags->count == 0)
		return;
	buf_init(&joined, BUF_UNLIMITED);
	for (i = 0; i < flags->count; i++) {
		if (i > 0)
			buf_add_char(&joined, ' ');
		buf_add(&joined, flags->items[i]);
	}
	buf_add_text(buf, " flags=");
	add_quoted(buf, buf_view(&joined));
	buf_clear(&joined);
}

static void
add_program(struct buf *buf, const struct sieve_action *action)
{
	size_t i;

	buf_add_text(buf, "pipe ");
	add_quoted(buf, action->pipe.program);
	for (i = 0; i < action->pipe.argument_count; i++) {
		buf_add_char(buf, ' ');
		add_quoted(buf, action->pipe.arguments[i]);
	}
}

static void
add_named(struct buf *buf, const char *name, struct str value)
{
	buf_add_format(buf, " %s=", name);
	add_quoted(buf, value);
}

static void
add_vacation(struct buf *buf, const struct sieve_vacation *vacation)
{
	buf_add_text(buf, "vacation ");
	add_quoted(buf, vacation->recipient);
	if (!str_equal(vacation->to, vacation->recipient))
		add_named(buf, "to", vacation->to);
	add_named(buf, "from", vacation->from);
	add_named(buf, "subject", vacation->subject);
	buf_add_format(
		buf, " seconds=%llu", (unsigned long long)vacation->seconds);
}

/* RFC 8580 */
static void
add_copy(struct buf *buf, const struct sieve_action *action)
{
	if (action->fileinto.mailbox.len == 0)
		return;
	add_named(buf, "fcc", action->fileinto.mailbox);
	add_flags(buf, &action->fileinto.flags);
}

static void
add_notify(struct buf *buf, const struct sieve_notify *notify)
{
	buf_add_text(buf, "notify ");
	add_quoted(buf, notify->method);
	if (notify->from.len > 0) {
		buf_add_text(buf, " from=");
		add_quoted_line(buf, notify->from);
	}
	if (notify->has_message) {
		buf_add_text(buf, " message=");
		add_quoted_line(buf, notify->message);
	}
	if (notify->importance != '2')
		buf_add_format(buf, " importance=\"%c\"", notify->importance);
}

static void
add_wish(struct buf *buf, const char *name, struct str value)
{
	if (value.len > 0)
		add_named(buf, name, value);
}

static void
add_redirect(struct buf *buf, const struct sieve_action *action)
{
	struct arena *scratch = arena_open();

	buf_add_text(buf, "redirect ");
	add_quoted(buf, action->redirect.address);
	add_wish(buf, "notify", action->redirect.notify);
	add_wish(buf, "ret", action->redirect.ret);
	add_wish(buf, "by",
		sieve_deliver_by_text(scratch, &action->redirect.by));
	arena_close(&scratch);
}

static void
add_abuse(struct buf *buf, const struct sieve_abuse *abuse)
{
	buf_add_text(buf, "report ");
	add_quoted(buf, abuse->type);
	buf_add_char(buf, ' ');
	add_quoted(buf, abuse->address);
	buf_add_text(buf, " message=");
	add_quoted_line(buf, abuse->text);
}

static void
add_action(struct buf *buf, const struct sieve_action *action)
{
	switch (action->kind) {
	case SIEVE_KEEP:
		buf_add_text(buf, "keep");
		add_flags(buf, &action->keep.flags);
		break;
	case SIEVE_DISCARD:
		buf_add_text(buf, "discard");
		break;
	case SIEVE_FILEINTO:
		buf_add_text(buf, "fileinto ");
		add_quoted(buf, action->fileinto.mailbox);
		add_flags(buf, &action->fileinto.flags);
		break;
	case SIEVE_REDIRECT:
		add_redirect(buf, action);
		break;
	case SIEVE_REJECT:
		buf_add_text(buf,
			action->reject.by_protocol ? "ereject " : "reject ");
		add_quoted_line(buf, action->reject.reason);
		break;
	case SIEVE_NOTIFY:
		add_notify(buf, action->notify);
		add_copy(buf, action);
		break;
	case SIEVE_REPORT:
		add_abuse(buf, action->abuse);
		break;
	case SIEVE_PIPE:
		add_program(buf, action);
		break;
	case SIEVE_VACATION:
		add_vacation(buf, action->vacation);
		add_copy(buf, action);
		break;
	}
}

struct str
sieve_action_text(struct arena *arena, const struct sieve_action *action)
{
	struct buf buf;
	struct str text;

	buf_init(&buf, BUF_UNLIMITED);
	add_action(&buf, action);
	text = arena_copy(arena, buf_view(&buf));
	buf_clear(&buf);
	return text;
}

struct str
sieve_deliver_by_text(struct arena *arena, const struct sieve_deliver_by *by)
{
	if (!by->is_set)
		return STR_EMPTY;
	return str_from(arena_format(arena, "%lld;%c%s", (long long)by->seconds,
		by->returns ? 'R' : 'N', by->traces ? "T" : ""));
}

struct sieve_action
sieve_implicit_keep(const struct sieve_result *result)
{
	struct sieve_action action = {
		.kind = SIEVE_KEEP,
		.keep = {.flags = result->flags},
	};

	if (result->keep_target.len > 0) {
		action.kind = SIEVE_FILEINTO;
		action.fileinto.mailbox = result->keep_target;
		action.fileinto.create = result->keep_target_create;
		action.fileinto.flags = result->flags;
	}
	return action;
}

const char *
sieve_action_tags(const struct sieve_action *action)
{
	static const char *const tags[2][2] = {
		{"", " :create"}, {" :copy", " :copy :create"}};
	static const char *const try_tags[2][2] = {
		{"", " :try"}, {" :copy", " :copy :try"}};

	switch (action->kind) {
	case SIEVE_FILEINTO:
	case SIEVE_VACATION:
	case SIEVE_NOTIFY:
		return tags[action->fileinto.copy][action->fileinto.create];
	case SIEVE_REDIRECT:
		return tags[action->redirect.copy][0];
	case SIEVE_PIPE:
		return try_tags[action->pipe.copy][action->pipe.is_try];
	case SIEVE_KEEP:
	case SIEVE_DISCARD:
	case SIEVE_REJECT:
	case SIEVE_REPORT:
		break;
	}
	return "";
}

struct str
sieve_trace_text(struct arena *arena, const struct sieve_trace_event *event)
{
	struct buf buf;
	struct str text;
	size_t i;

	buf_init(&buf, BUF_UNLIMITED);
	buf_add_format(&buf, "%u:%u: ", event->line, event->column);
	buf_add(&buf, event->name);
	if (event->values.len > 0)
		buf_add_char(&buf, ' ');
	buf_add(&buf, event->values);
	if (event->kind == SIEVE_TRACE_TEST)
		buf_add_text(&buf, event->result ? ": true" : ": false");
	for (i = 0; i < buf.len; i++)
		if ((unsigned char)buf.data[i] < ' ' || buf.data[i] == 0x7f)
			buf.data[i] = '?';
	text = arena_copy(arena, buf_view(&buf));
	buf_clear(&buf);
	return text;
}
