/* replace - other text in place of a part, or of the message (RFC 5703 5)
 *
 * SPDX-License-Identifier: MIT
 */
#include "mail/compose.h"
#include "mail/edited.h"
#include "sieve/check.h"
#include "sieve/current.h"
#include "sieve/evaluate.h"
#include "sieve/ext/newmessage.h"
#include "sieve/loop.h"
#include "sieve/registry.h"

#include "base/banned.h"

enum {
	STEP_OCTETS = 1024,     /* of the new text, for one step */
	PIECES_FOR_A_STEP = 64, /* of the body */
	COPIES_OF_A_BYTE = 8,   /* of the new text, encoded ones included */
	ENTITY_COST = 4096      /* beside the text */
};

static void
check_replace(struct checker *checker, struct ast_command *node)
{
	const struct tag_use *subject =
		call_tag(node->call, GROUP_REPLACE_SUBJECT);
	const struct tag_use *from = call_tag(node->call, GROUP_REPLACE_FROM);
	const struct tag_use *other = subject != NULL ? subject : from;

	if (call_tag(node->call, GROUP_REPLACE_MIME) != NULL && other != NULL)
		check_error(checker, other->at,
			"\":%s\" does not go with \":mime\"", other->tag->name);
	newmessage_check_subject(checker, subject);
	newmessage_check_from(checker, from);
}

/* ---- the new entity (RFC 2045 2.4) ---- */

static bool
has_header(struct str entity)
{
	struct str line = str_slice(entity, 0, str_find_char(entity, '\n'));

	return line.len == 0 ||
	       compose_is_name(str_slice(line, 0, str_find_char(line, ':')));
}

/* What has neither fields nor the empty line behind them is a body. */
static struct str
own_entity(struct run *run, struct str text)
{
	char *with_line;

	text = compose_lf(
		run->result->arena, arena_copy(run->result->arena, text));
	if (has_header(text))
		return text;
	with_line = arena_alloc(run->result->arena, text.len + 1);
	with_line[0] = '\n';
	if (text.len > 0)
		memcpy(with_line + 1, text.data, text.len);
	return str_of(with_line, text.len + 1);
}

static enum sieve_status
read_entity(struct run *run, const struct call *call, struct str *entity_out)
{
	struct str text;

	if (run_text(run, call->arguments[0].texts, &text) != SIEVE_OK ||
		run_charge(run, 1 + text.len / STEP_OCTETS) != SIEVE_OK ||
		run_reserve(run,
			ENTITY_COST + (uint64_t)text.len * COPIES_OF_A_BYTE) !=
			SIEVE_OK)
		return SIEVE_FAILED;
	*entity_out = call_tag(call, GROUP_REPLACE_MIME) != NULL
	                      ? own_entity(run, text)
	                      : compose_text_part(run->result->arena, text);
	return SIEVE_OK;
}

/* ---- a part ---- */

/* Behind a part stands the line end that belongs to the boundary. */
static struct str
without_last_line_end(struct str entity)
{
	return str_ends(entity, STR("\n"))
	               ? str_slice(entity, 0, entity.len - 1)
	               : entity;
}

static enum sieve_status
replace_part(
	struct run *run, struct parts *parts, size_t index, struct str entity)
{
	const struct mime_part *part = &parts->mime->parts[index];
	newmessage_mark_body(run, parts);
	if (run_charge(run, 1 + edited_body_count(run_edit(run)) /
					    PIECES_FOR_A_STEP) != SIEVE_OK)
		return SIEVE_FAILED;
	if (edited_replace(run_edit(run), part->header, part->end,
		    without_last_line_end(entity)))
		loop_drop_children(parts, index);
	return SIEVE_OK;
}

/* ---- the message ---- */

static enum sieve_status
set_fields(struct run *run, const struct call *call)
{
	const struct tag_use *subject = call_tag(call, GROUP_REPLACE_SUBJECT);
	const struct tag_use *from = call_tag(call, GROUP_REPLACE_FROM);
	struct str value;

	if (subject != NULL) {
		if (newmessage_read_subject(run, subject, &value) != SIEVE_OK)
			return SIEVE_FAILED;
		newmessage_set(
			run, STR("Subject"), STR("Original-Subject"), value);
	}
	if (from != NULL) {
		if (newmessage_read_from(run, from, &value) != SIEVE_OK)
			return SIEVE_FAILED;
		newmessage_set(run, STR("From"), STR("Original-From"), value);
	}
	return SIEVE_OK;
}

static enum sieve_status
replace_message(struct run *run, const struct call *call, struct str entity)
{
	if (run_charge_fields(run) != SIEVE_OK)
		return SIEVE_FAILED;
	if (newmessage_set_entity(run, entity) != SIEVE_OK)
		return SIEVE_FAILED;
	return set_fields(run, call);
}

static enum sieve_status
act_replace(struct run *run, const struct call *call)
{
	struct parts *parts = NULL;
	struct str entity;
	size_t index = 0;

	if (read_entity(run, call, &entity) != SIEVE_OK)
		return SIEVE_FAILED;
	(void)loop_part(run, &parts, &index);
	if (run_is_traced(run))
		run_trace_command(run, call,
			index > 0 ? STR("a part") : STR("the message"));
	if (index > 0)
		return replace_part(run, parts, index, entity);
	if (parts != NULL)
		loop_drop_children(parts, 0);
	return replace_message(run, call, entity);
}

const struct command_ops command_replace = {
	.check = check_replace,
	.act = act_replace,
};
