/* What we write ourselves from what strangers wrote.
 *
 * From, To, Subject, the reason and the original message, with NUL between them.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "mail/automatic.h"
#include "mail/letter.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINE_MOST = 998, BUFFER = 8192 };

static const char *const names[] = {"Date", "From", "Sender", "To",
	"Message-ID", "Subject", "In-Reply-To", "References", "Auto-Submitted",
	"X-One", "MIME-Version"};

/* The place of the field among those that there may be; each is there once at
 * most, and in this order. */
static size_t
place_of(struct str line, size_t least)
{
	struct str name = str_slice(line, 0, str_find_char(line, ':'));
	size_t i;

	for (i = least; i < ARRAY_LENGTH(names); i++)
		if (str_is(name, names[i]))
			return i;
	abort();
}

static void
check_line(struct str line)
{
	size_t i;

	if (line.len > LINE_MOST)
		abort();
	for (i = 0; i < line.len; i++)
		if ((unsigned char)line.data[i] < ' ' && line.data[i] != '\t')
			abort();
}

/* Up to MIME-Version; what stands behind it. */
static struct str
check_head(struct str text)
{
	size_t least = 0;
	struct str line;

	while (str_next_field(&text, '\n', &line)) {
		check_line(line);
		if (line.len > 0 && ascii_is_blank(line.data[0]))
			continue;
		least = place_of(line, least) + 1;
		if (least == ARRAY_LENGTH(names))
			return text;
	}
	abort();
}

/* Nothing but Content-... up to the empty line. */
static void
check_entity(struct str text)
{
	struct str line;

	while (str_next_field(&text, '\n', &line)) {
		if (line.len == 0)
			return;
		if (!ascii_is_blank(line.data[0]) &&
			!str_starts_nocase(line, STR("Content-")))
			abort();
	}
	abort();
}

static void
check(struct arena *arena, const struct letter *letter,
	const struct content *entity)
{
	char *buffer = arena_alloc(arena, BUFFER);
	const struct content *content;
	struct content_reader reader;
	struct str chunk;
	struct err err;
	struct buf buf;

	if (!letter_compose(arena, letter, entity, &content))
		return;
	buf_init(&buf, BUF_UNLIMITED);
	content_reader_init(&reader, content, LINE_ENDS_LF, buffer, BUFFER);
	while (content_read(&reader, &chunk, &err) == LOOKUP_FOUND)
		buf_add(&buf, chunk);
	check_entity(check_head(buf_view(&buf)));
	buf_clear(&buf);
}

static struct str
take(struct str *rest)
{
	struct str part = STR_EMPTY;

	(void)str_next_field(rest, '\0', &part);
	return part;
}

static void
write_letters(struct arena *arena, const struct message *original,
	struct letter *letter, struct str reason)
{
	const struct letter_field field = {STR("X-One"), reason};
	const struct content *ready;

	letter->original = original;
	letter->fields = &field;
	letter->field_count = 1;
	check(arena, letter, letter_text(arena, original, reason));
	if (letter_ready(arena, original, reason, &ready))
		check(arena, letter, ready);
	letter->fields = NULL;
	letter->field_count = 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct message_limits limits = {.memory_bytes = 1 << 20,
		.header_bytes = 1 << 20,
		.header_fields = 100};
	struct str rest = str_of((const char *)data, size), reason;
	struct arena *arena = arena_open();
	struct letter letter = {.date = {.tm_mday = 1}};
	struct message *original;
	struct err err;

	letter.from = take(&rest);
	letter.to = take(&rest);
	letter.subject = letter.auto_submitted = take(&rest);
	reason = take(&rest);
	letter.id = letter_id(arena, letter.subject, reason);
	if (message_open_bytes(rest, &limits, &original, &err) < 0)
		abort();
	(void)automatic_field(original);
	write_letters(arena, original, &letter, reason);
	message_close(&original);
	arena_close(&arena);
	return 0;
}
