/* SPDX-License-Identifier: MIT */
#include "sieve/fields.h"

#include "mail/encodedword.h"

#include "base/banned.h"

/* Where `size` more bytes go: scratch, when keeping them might leave too little
 * for the rest of the run. */
static struct arena *
choose_arena(struct run *run, bool wants_to_keep, uint64_t size)
{
	uint64_t most = run->settings.max_memory / 2;
	uint64_t used = arena_used(run->kept);

	return wants_to_keep && used < most && size < most - used
	               ? run->kept
	               : run->scratch;
}

static bool
open_table(struct run *run, size_t count)
{
	uint64_t size = (uint64_t)count * sizeof(struct field_text);

	if (run->field_texts == NULL &&
		choose_arena(run, true, size) == run->kept)
		run->field_texts =
			ARENA_ARRAY(run->kept, struct field_text, count);
	return run->field_texts != NULL;
}

/* Where the field's text is kept, or a place in scratch. */
static struct field_text *
find_place(struct run *run, const struct header_field *field)
{
	size_t count;
	const struct header_field *fields =
		message_fields(run->message, &count);
	struct field_text *text;

	if (count == 0 || field < fields || field >= fields + count ||
		!open_table(run, count))
		return ARENA_NEW(run->scratch, struct field_text);
	text = &run->field_texts[field - fields];
	text->is_kept = true;
	return text;
}

enum sieve_status
run_field_text(struct run *run, const struct header_field *field,
	struct field_text **text_out)
{
	struct field_text *text = find_place(run, field);
	struct arena *arena;

	if (!text->has_value) {
		if (run_reserve(run, field->value.len) != SIEVE_OK)
			return SIEVE_FAILED;
		/* Decoding may make it longer: some charsets, up to three
		 * times. */
		arena = choose_arena(
			run, text->is_kept, (uint64_t)field->value.len * 3);
		text->value = encodedword_decode(arena, field->value);
		text->has_value = arena == run->kept;
	}
	*text_out = text;
	return SIEVE_OK;
}

enum sieve_status
fields_lower(struct run *run, struct field_text *text, struct str *lower_out)
{
	struct arena *arena;

	if (!text->has_lower) {
		if (run_reserve(run, text->value.len) != SIEVE_OK)
			return SIEVE_FAILED;
		arena = choose_arena(run, text->is_kept, text->value.len);
		text->lower = arena_lower(arena, text->value);
		text->has_lower = arena == run->kept;
	}
	*lower_out = text->lower;
	return SIEVE_OK;
}

/* As many as still fit into the memory limit. */
static size_t
most_addresses(const struct run *run)
{
	return (size_t)(run->settings.max_memory /
			(2 * sizeof(struct address)));
}

enum sieve_status
run_field_addresses(struct run *run, const struct header_field *field,
	const struct address **addresses_out, size_t *count_out)
{
	struct field_text *text = find_place(run, field);
	size_t most = most_addresses(run);
	struct arena *arena;

	if (!text->has_addresses) {
		if (run_reserve(run, field->value.len) != SIEVE_OK)
			return SIEVE_FAILED;
		/* An address has two bytes at least, and a comma. */
		arena = choose_arena(run, text->is_kept,
			(uint64_t)field->value.len * sizeof(struct address));
		text->address_count = address_parse_list(
			arena, field->value, most, &text->addresses);
		if (text->address_count == most)
			return run_reserve(run, run->settings.max_memory);
		text->has_addresses = arena == run->kept;
	}
	*addresses_out = text->addresses;
	*count_out = text->address_count;
	return SIEVE_OK;
}
