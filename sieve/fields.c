/* SPDX-License-Identifier: MIT */
#include "sieve/fields.h"

#include "mail/encodedword.h"

#include "base/banned.h"

static enum sieve_status
open_table(struct run *run, size_t count)
{
	if (run->field_texts != NULL)
		return SIEVE_OK;
	if (run_reserve(run, (uint64_t)count * sizeof(struct field_text)) !=
		SIEVE_OK)
		return SIEVE_FAILED;
	run->field_texts = ARENA_ARRAY(run->kept, struct field_text, count);
	return SIEVE_OK;
}

/* Where the field's text is kept, or a place in scratch. */
static enum sieve_status
find_place(struct run *run, const struct header_field *field,
	struct field_text **text_out)
{
	size_t count;
	const struct header_field *fields =
		message_fields(run->message, &count);

	if (count == 0 || field < fields || field >= fields + count) {
		*text_out = ARENA_NEW(run->scratch, struct field_text);
		(*text_out)->arena = run->scratch;
		return SIEVE_OK;
	}
	if (open_table(run, count) != SIEVE_OK)
		return SIEVE_FAILED;
	*text_out = &run->field_texts[field - fields];
	(*text_out)->arena = run->kept;
	return SIEVE_OK;
}

enum sieve_status
run_field_text(struct run *run, const struct header_field *field,
	struct field_text **text_out)
{
	struct field_text *text;

	if (find_place(run, field, &text) != SIEVE_OK)
		return SIEVE_FAILED;
	if (!text->is_known) {
		if (run_reserve(run, field->value.len) != SIEVE_OK)
			return SIEVE_FAILED;
		text->value = encodedword_decode(text->arena, field->value);
		text->is_known = true;
	}
	*text_out = text;
	return SIEVE_OK;
}

enum sieve_status
fields_lower(struct run *run, struct field_text *text, struct str *lower_out)
{
	if (!text->has_lower) {
		if (run_reserve(run, text->value.len) != SIEVE_OK)
			return SIEVE_FAILED;
		text->lower = arena_lower(text->arena, text->value);
		text->has_lower = true;
	}
	*lower_out = text->lower;
	return SIEVE_OK;
}
