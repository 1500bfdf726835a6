/* SPDX-License-Identifier: MIT */
#include "deliver/decision.h"

#include "base/json.h"
#include "base/number.h"
#include "base/utf8.h"

#include "base/banned.h"

#define HEAD "{\"time\":"

enum {
	ID_BYTES = 998,            /* a line of RFC 5322 2.1.1 */
	TEXT_BYTES = 400,          /* of any other value */
	ACTIONS_BYTES = 24 * 1024, /* of a line: then no more are added */
	SCRIPTS_BYTES = 12 * 1024, /* the same */
};

/* Beside the id there may be comments (RFC 5322 3.6.4). */
static struct str
without_brackets(struct str text)
{
	size_t open = str_find_char(text, '<');
	struct str id;

	if (open == text.len)
		return text;
	id = str_skip(text, open + 1);
	if (!str_has_char(id, '>'))
		return text;
	return str_trim(str_slice(id, 0, str_find_char(id, '>')));
}

struct str
decision_message_id(struct arena *arena, struct str value)
{
	struct buf clean;
	struct str result;
	size_t i;

	buf_init(&clean, BUF_UNLIMITED);
	utf8_add_repaired(&clean, value);
	for (i = 0; i < clean.len; i++)
		if ((unsigned char)clean.data[i] <= ' ')
			clean.data[i] = ' ';
	result = without_brackets(str_trim(buf_view(&clean)));
	result = arena_copy(arena, utf8_cut(result, ID_BYTES));
	buf_clear(&clean);
	return result;
}

struct str
decision_file(struct str name)
{
	return str_slice(name, 0, str_find(name, STR(":2,")));
}

/* ---- writing ---- */

static void
put_text(struct json *json, const char *name, struct str value)
{
	if (value.len > 0)
		json_text(json, name, utf8_cut(value, TEXT_BYTES));
}

static void
put_number(struct json *json, const char *name, uint64_t value)
{
	if (value > 0)
		json_number(json, name, value);
}

static void
put_flag(struct json *json, const char *name, bool value)
{
	if (value)
		json_bool(json, name, true);
}

static void
put_script(struct json *json, const struct decision_script *script)
{
	json_open(json, NULL, '{');
	put_text(json, "script", script->script);
	put_text(json, "error", script->error);
	json_close(json);
}

static void
put_action(struct json *json, const struct decision_action *action)
{
	json_open(json, NULL, '{');
	put_text(json, "action", action->action);
	put_text(json, "target", action->target);
	put_text(json, "script", action->script);
	put_number(json, "line", action->line);
	put_number(json, "column", action->column);
	put_number(json, "rule", action->rule);
	put_flag(json, "implicit", action->is_implicit);
	put_text(json, "result", action->result);
	put_text(json, "mailbox", action->mailbox);
	put_text(json, "file", action->file);
	put_text(json, "why", action->why);
	json_close(json);
}

static void
put_head(struct json *json, const struct decision *decision)
{
	json_number(json, "time", decision->time_s);
	put_text(json, "session", decision->session);
	put_text(json, "service", decision->service);
	put_text(json, "user", decision->user);
	put_text(json, "sender", decision->sender);
	put_text(json, "recipient", decision->recipient);
	put_text(json, "original", decision->original);
	if (decision->message_id.len > 0)
		json_text(json, "message_id",
			utf8_cut(decision->message_id, ID_BYTES));
	put_number(json, "size", decision->size);
	put_flag(json, "before_data", decision->is_before_data);
	put_text(json, "outcome", decision->outcome);
	put_flag(json, "repeated", decision->is_repeated);
	put_text(json, "status", decision->status);
	put_text(json, "error", decision->error);
}

static size_t
lesser(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Escapes make a text six times as long at most, so that one more script and one
 * more action than these limits say always have a place. */
static void
put_scripts(struct json *json, const struct decision *decision)
{
	size_t end = json->buf->len + SCRIPTS_BYTES, i;
	size_t most = lesser(decision->script_count, DECISION_SCRIPTS_MAX);

	if (decision->script_count == 0)
		return;
	json_open(json, "scripts", '[');
	for (i = 0; i < most && json->buf->len < end; i++)
		put_script(json, &decision->scripts[i]);
	json_close(json);
}

static void
put_actions(struct json *json, const struct decision *decision)
{
	size_t end = json->buf->len + ACTIONS_BYTES, i;
	size_t most = lesser(decision->action_count, DECISION_ACTIONS_MAX);

	json_open(json, "actions", '[');
	for (i = 0; i < most && json->buf->len < end; i++)
		put_action(json, &decision->actions[i]);
	json_close(json);
	put_number(json, "dropped",
		decision->dropped + (decision->action_count - i));
}

void
decision_write(struct buf *out, const struct decision *decision)
{
	struct json json;

	json_init_buf(&json, out);
	json_open(&json, NULL, '{');
	put_head(&json, decision);
	put_scripts(&json, decision);
	put_actions(&json, decision);
	json_close(&json);
}

/* ---- reading ---- */

static uint64_t
number_of(const struct json_item *item)
{
	uint64_t value;

	return item->kind == JSON_NUMBER &&
	                       number_parse(item->text, &value) == 0
	               ? value
	               : 0;
}

struct text_field {
	const char *name;
	struct str *value;
};

static void
take_text(const struct json_item *item, const struct text_field *fields,
	size_t count)
{
	size_t i;

	if (item->kind != JSON_TEXT)
		return;
	for (i = 0; i < count; i++)
		if (str_is(item->name, fields[i].name))
			*fields[i].value = item->text;
}

static bool
is_true(const struct json_item *item, const char *name)
{
	return str_is(item->name, name) && str_is(item->text, "true");
}

static void
take_head(struct decision *decision, const struct json_item *item)
{
	const struct text_field fields[] = {
		{"session", &decision->session},
		{"service", &decision->service},
		{"user", &decision->user},
		{"sender", &decision->sender},
		{"recipient", &decision->recipient},
		{"original", &decision->original},
		{"message_id", &decision->message_id},
		{"outcome", &decision->outcome},
		{"status", &decision->status},
		{"error", &decision->error},
	};

	take_text(item, fields, ARRAY_LENGTH(fields));
	if (str_is(item->name, "time"))
		decision->time_s = number_of(item);
	else if (str_is(item->name, "size"))
		decision->size = number_of(item);
	else if (str_is(item->name, "dropped"))
		decision->dropped = number_of(item);
	decision->is_before_data |= is_true(item, "before_data");
	decision->is_repeated |= is_true(item, "repeated");
}

static void
take_script(struct decision_script *script, const struct json_item *item)
{
	const struct text_field fields[] = {
		{"script", &script->script}, {"error", &script->error}};

	take_text(item, fields, ARRAY_LENGTH(fields));
}

static void
take_action(struct decision_action *action, const struct json_item *item)
{
	const struct text_field fields[] = {
		{"action", &action->action},
		{"target", &action->target},
		{"script", &action->script},
		{"result", &action->result},
		{"mailbox", &action->mailbox},
		{"file", &action->file},
		{"why", &action->why},
	};

	take_text(item, fields, ARRAY_LENGTH(fields));
	if (str_is(item->name, "line"))
		action->line = number_of(item);
	else if (str_is(item->name, "column"))
		action->column = number_of(item);
	else if (str_is(item->name, "rule"))
		action->rule = number_of(item);
	action->is_implicit |= is_true(item, "implicit");
}

/* Which list of the line is open. */
enum list { LIST_NONE, LIST_SCRIPTS, LIST_ACTIONS };

struct reading {
	struct arena *arena;
	struct decision *decision;
	enum list list;
};

static void
begin_list(struct reading *reading, const struct json_item *item)
{
	reading->list = LIST_NONE;
	if (str_is(item->name, "scripts"))
		reading->list = LIST_SCRIPTS;
	else if (str_is(item->name, "actions"))
		reading->list = LIST_ACTIONS;
}

/* False: there are more than anybody writes. */
static bool
begin_item(struct reading *reading)
{
	struct decision *decision = reading->decision;

	switch (reading->list) {
	case LIST_NONE:
		return true;
	case LIST_SCRIPTS:
		if (decision->scripts == NULL)
			decision->scripts = ARENA_ARRAY(reading->arena,
				struct decision_script, DECISION_SCRIPTS_MAX);
		return decision->script_count++ < DECISION_SCRIPTS_MAX;
	case LIST_ACTIONS:
		if (decision->actions == NULL)
			decision->actions = ARENA_ARRAY(reading->arena,
				struct decision_action, DECISION_ACTIONS_MAX);
		return decision->action_count++ < DECISION_ACTIONS_MAX;
	}
	return true;
}

static void
take_member(struct reading *reading, const struct json_item *item)
{
	struct decision *decision = reading->decision;

	switch (reading->list) {
	case LIST_NONE:
		break;
	case LIST_SCRIPTS:
		if (decision->script_count > 0)
			take_script(
				&decision->scripts[decision->script_count - 1],
				item);
		break;
	case LIST_ACTIONS:
		if (decision->action_count > 0)
			take_action(
				&decision->actions[decision->action_count - 1],
				item);
		break;
	}
}

/* depth 0: the line; 1: its members; 2: items of a list; 3: their members */
static bool
take_item(struct reading *reading, const struct json_item *item)
{
	enum { LINE, HEAD_MEMBER, LIST_ITEM, ITEM_MEMBER };

	if (item->kind == JSON_END) {
		if (item->depth == HEAD_MEMBER)
			reading->list = LIST_NONE;
		return true;
	}
	switch (item->depth) {
	case LINE:
		return item->kind == JSON_BEGIN && item->bracket == '{';
	case HEAD_MEMBER:
		if (item->kind == JSON_BEGIN)
			begin_list(reading, item);
		else
			take_head(reading->decision, item);
		return true;
	case LIST_ITEM:
		return item->kind != JSON_BEGIN || begin_item(reading);
	case ITEM_MEMBER:
		take_member(reading, item);
		return true;
	default:
		return true;
	}
}

/* A quote inside a value has a backslash, so that this is where a line begins. */
static struct str
last_head(struct str line)
{
	for (;;) {
		size_t next = str_find(str_skip(line, 1), STR(HEAD));

		if (line.len == 0 || next + 1 >= line.len)
			return line;
		line = str_skip(line, next + 1);
	}
}

bool
decision_read(
	struct arena *arena, struct str line, struct decision *decision_out)
{
	struct reading reading = {.arena = arena, .decision = decision_out};
	struct json_reader reader;
	struct json_item item;

	*decision_out = (struct decision){.time_s = 0};
	line = last_head(line);
	if (!str_starts(line, STR(HEAD)))
		return false;
	json_read(&reader, arena, line);
	while (json_next(&reader, &item))
		if (!take_item(&reading, &item))
			return false;
	return !reader.is_broken && reader.depth == 0;
}
