/* SPDX-License-Identifier: MIT */
#include "sieve/ext/newmessage.h"

#include "mail/compose.h"
#include "mail/edited.h"
#include "mail/message.h"
#include "sieve/current.h"

#include "base/banned.h"

enum { COPIES_OF_A_BYTE = 10, FIELD_COST = 512, MOST_FIELDS = 100000 };

static const char subject_is_wrong[] =
	"subject %s is invalid: it may hold no NUL, and no line end";
static const char from_is_wrong[] =
	"%s is no list of addresses, such as \"amy@example.org\"";

/* ---- :subject and :from ---- */

void
newmessage_check_subject(struct checker *checker, const struct tag_use *use)
{
	const struct text *text = use != NULL ? use->argument.texts : NULL;

	if (text != NULL && text_is_constant(text) &&
		!compose_is_value(text->constant))
		check_error(checker, text->at, subject_is_wrong,
			check_quote(checker, text->constant));
}

void
newmessage_check_from(struct checker *checker, const struct tag_use *use)
{
	const struct text *text = use != NULL ? use->argument.texts : NULL;
	struct arena *scratch;
	struct str value;

	if (text == NULL || !text_is_constant(text))
		return;
	scratch = arena_open();
	if (!compose_addresses(scratch, STR("From"), text->constant, &value))
		check_error(checker, text->at, from_is_wrong,
			check_quote(checker, text->constant));
	arena_close(&scratch);
}

bool
newmessage_is_sender(struct arena *arena, struct str text)
{
	const struct address *addresses;
	struct str value;

	return address_parse_list(arena, text, 2, &addresses) == 1 &&
	       compose_addresses(arena, STR("From"), text, &value);
}

enum sieve_status
newmessage_charge(struct run *run, struct str text)
{
	return run_reserve(
		run, FIELD_COST + (uint64_t)text.len * COPIES_OF_A_BYTE);
}

static enum sieve_status
read_text(struct run *run, const struct tag_use *use, struct str *text_out)
{
	if (run_text(run, use->argument.texts, text_out) != SIEVE_OK)
		return SIEVE_FAILED;
	return newmessage_charge(run, *text_out);
}

enum sieve_status
newmessage_read_subject(
	struct run *run, const struct tag_use *use, struct str *value_out)
{
	struct str text;

	if (read_text(run, use, &text) != SIEVE_OK)
		return SIEVE_FAILED;
	if (!compose_is_value(text))
		return run_fail(run, subject_is_wrong,
			report_quote(&run->reporter, text));
	*value_out = arena_copy(run->result->arena,
		compose_value(run->scratch, STR("Subject"), text));
	return SIEVE_OK;
}

enum sieve_status
newmessage_read_from(
	struct run *run, const struct tag_use *use, struct str *value_out)
{
	struct str text;

	if (read_text(run, use, &text) != SIEVE_OK)
		return SIEVE_FAILED;
	if (!compose_addresses(
		    run->result->arena, STR("From"), text, value_out))
		return run_fail(
			run, from_is_wrong, report_quote(&run->reporter, text));
	return SIEVE_OK;
}

/* ---- fields ---- */

static void
delete_all(struct run *run, struct str name)
{
	const struct header_field *field = NULL;

	while ((field = run_field_next(run, name, field)) != NULL)
		edited_delete(run_edit(run), field);
}

void
newmessage_set(
	struct run *run, struct str name, struct str original, struct str value)
{
	const struct header_field *old = run_field_next(run, name, NULL);

	if (old != NULL)
		edited_add(run_edit(run), original,
			compose_lf(run->result->arena, str_trim(old->value)),
			false);
	delete_all(run, name);
	edited_add(run_edit(run), name, value, false);
}

bool
newmessage_is_mime_field(struct str name)
{
	return str_starts_nocase(name, STR("Content-")) ||
	       str_is_nocase(name, "MIME-Version");
}

static void
delete_mime_fields(struct run *run)
{
	const struct header_field *field = NULL;

	while ((field = run_field_after(run, field)) != NULL)
		if (newmessage_is_mime_field(field->name))
			edited_delete(run_edit(run), field);
}

/* ---- the body ---- */

/* Of a loop's parts none is younger than the last mark: all loops that run at the
 * same time share them. */
void
newmessage_mark_body(struct run *run, const struct parts *parts)
{
	if (run->marked_by == parts)
		return;
	edited_mark_body(run_edit(run), parts->mime->parts[0].body);
	run->marked_by = parts;
}

static void
set_body(struct run *run, struct str body)
{
	struct content_piece *piece =
		ARENA_NEW(run->result->arena, struct content_piece);

	*piece = (struct content_piece){.is_text = true, .text = body};
	edited_set_body(run_edit(run), piece, body.len > 0 ? 1 : 0);
}

static void
add_mime_fields(struct run *run, const struct message *entity)
{
	size_t count, i;
	const struct header_field *fields = message_fields(entity, &count);

	edited_add(run_edit(run), STR("MIME-Version"), STR("1.0"), true);
	for (i = 0; i < count; i++)
		if (str_starts_nocase(fields[i].name, STR("Content-")))
			edited_add(run_edit(run), fields[i].name,
				str_trim(fields[i].value), true);
}

enum sieve_status
newmessage_set_entity(struct run *run, struct str entity)
{
	const struct message_limits limits = {
		.memory_bytes = entity.len,
		.header_bytes = entity.len,
		.header_fields = 1000,
	};
	struct message *message;

	if (message_open_bytes(entity, &limits, &message, run->err) < 0)
		return SIEVE_TEMPORARY;
	delete_mime_fields(run);
	add_mime_fields(run, message);
	set_body(run, str_skip(entity, (size_t)message_body(message)));
	message_close(&message);
	return SIEVE_OK;
}

static void
delete_all_fields(struct run *run)
{
	const struct header_field *field = NULL;

	while ((field = run_field_after(run, field)) != NULL)
		edited_delete(run_edit(run), field);
}

/* A field is written with one blank behind the colon. */
static struct str
value_of(const struct header_field *field)
{
	struct str value = field->value;

	if (str_starts(value, STR(" ")) || str_starts(value, STR("\t")))
		value = str_skip(value, 1);
	while (str_ends(value, STR("\n")) || str_ends(value, STR("\r")))
		value = str_slice(value, 0, value.len - 1);
	return value;
}

enum sieve_status
newmessage_set_message(struct run *run, struct str text)
{
	const struct message_limits limits = {
		.memory_bytes = text.len,
		.header_bytes = text.len,
		.header_fields = MOST_FIELDS,
	};
	const struct header_field *fields;
	struct message *message;
	size_t count, i;

	text = compose_lf(run->result->arena, text);
	if (run_charge_fields(run) != SIEVE_OK)
		return SIEVE_FAILED;
	if (message_open_bytes(text, &limits, &message, run->err) < 0)
		return run_fail(run, "%s", err_log_text(run->err));
	fields = message_fields(message, &count);
	if (run_charge(run, 1 + count) != SIEVE_OK ||
		run_reserve(run, text.len + (uint64_t)count * FIELD_COST) !=
			SIEVE_OK) {
		message_close(&message);
		return SIEVE_FAILED;
	}
	delete_all_fields(run);
	for (i = 0; i < count; i++)
		edited_add(run_edit(run), fields[i].name, value_of(&fields[i]),
			true);
	set_body(run, str_skip(text, (size_t)message_body(message)));
	message_close(&message);
	return SIEVE_OK;
}
