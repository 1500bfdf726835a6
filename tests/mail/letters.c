/* letters - writes letters of several kinds into a folder, for letters.py
 *
 *	letters FOLDER
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>

#include "mail/letter.h"

#include "base/banned.h"

static const char original_text[] =
	"Message-ID: <lunch@partner.example>\n"
	"References: <1@partner.example>\n <2@partner.example>\n"
	"Subject: Gr\xc3\xbc\xc3\x9f"
	"e\n"
	"Content-Type: text/plain; charset=utf-8\n"
	"Content-Transfer-Encoding: 8bit\n"
	"\n"
	"\xc3\x84pfel -- ohne Zeilenende";

struct writer {
	struct arena *arena;
	const struct message *original;
	const char *folder;
	bool has_failed;
};

static struct letter
letter_of(const struct writer *writer)
{
	return (struct letter){
		.date = {.tm_year = 126,
			.tm_mon = 10,
			.tm_mday = 21,
			.tm_wday = 6,
			.tm_hour = 20},
		.id = letter_id(writer->arena, STR("1"), STR("mx.example.org")),
		.from = STR("amy@example.org"),
		.to = STR("ada@partner.example"),
		.subject = STR("Hello"),
		.original = writer->original,
	};
}

static bool
put(FILE *file, const struct content *content)
{
	static char buffer[8192];
	struct content_reader reader;
	enum lookup more;
	struct str chunk;
	struct err err;

	content_reader_init(
		&reader, content, LINE_ENDS_CRLF, buffer, sizeof(buffer));
	while ((more = content_read(&reader, &chunk, &err)) == LOOKUP_FOUND)
		if (fwrite(chunk.data, 1, chunk.len, file) != chunk.len)
			return false;
	return more == LOOKUP_NONE;
}

static void
write_letter(struct writer *writer, const char *name,
	const struct letter *letter, const struct content *entity)
{
	const char *path =
		arena_format(writer->arena, "%s/%s.eml", writer->folder, name);
	const struct content *content;
	FILE *file;

	file = fopen(path, "w");
	if (file == NULL ||
		!letter_compose(writer->arena, letter, entity, &content) ||
		!put(file, content))
		writer->has_failed = true;
	if (file != NULL && fclose(file) != 0)
		writer->has_failed = true;
}

static const struct content *
text(const struct writer *writer, const char *body)
{
	return letter_text(writer->arena, writer->original, str_from(body));
}

static void
write_simple(struct writer *writer)
{
	struct letter letter = letter_of(writer);

	write_letter(writer, "plain", &letter, text(writer, "I am away.\n"));
	letter.subject =
		STR("\xe4\xbc\x91\xe6\x9a\x87\xe4\xb8\xad\xe3\x81\xa7\xe3\x81"
		    "\x99 \xf0\x9f\x8f\x96 und eine sehr lange Zeile \xc3\xbc"
		    "ber den Urlaub, in der nichts steht, was eilig w\xc3\xa4"
		    "re");
	letter.from = STR("Zo\xc3\xab M\xc3\xbcller <amy@example.org>, "
			  "\"Bo, Jr.\" <bo@example.org>");
	letter.auto_submitted = STR("auto-replied (vacation)");
	write_letter(writer, "foreign", &letter,
		text(writer, "Ich bin in \xc3\x96sterreich.\n.\nFrom hier "
			     "gr\xc3\xbc\xc3\x9f"
			     "e ich =20 \n"));
}

static void
write_attack(struct writer *writer)
{
	static const struct letter_field fields[] = {
		{STR("X-One"), STR("1\r\nBcc: a@evil.example\r\n\r\nbody")}};
	struct letter letter = letter_of(writer);

	letter.subject = STR("Hello\r\nBcc: b@evil.example\n\nbody\n");
	letter.from =
		STR("\"Amy\nBcc: c@evil.example\n\nbody\" <amy@example.org>");
	letter.auto_submitted = STR("auto-replied\nBcc: d@evil.example");
	letter.fields = fields;
	letter.field_count = 1;
	write_letter(writer, "attack", &letter, text(writer, "I am away.\n"));
}

static void
write_ready(struct writer *writer)
{
	const struct letter letter = letter_of(writer);
	const struct content *entity;

	if (!letter_ready(writer->arena, writer->original,
		    STR("Content-Type: multipart/alternative; boundary=foo\r\n"
			"Bcc: a@evil.example\r\n"
			"\r\n"
			"--foo\r\n\r\nSurf\r\n"
			"--foo\r\nContent-Type: text/html; charset=utf-8\r\n"
			"Content-Transfer-Encoding: 8bit\r\n\r\n"
			"<b>Br\xc3\xa4ndung</b>\r\n--foo--\r\n"),
		    &entity))
		writer->has_failed = true;
	else
		write_letter(writer, "ready", &letter, entity);
}

static void
write_report(struct writer *writer)
{
	const struct letter letter = letter_of(writer);
	const struct content *parts[3];

	parts[0] = text(writer, "Your message was refused.\n");
	parts[1] = letter_part(writer->arena, writer->original,
		STR("Content-Type: message/disposition-notification\n"),
		STR("Final-Recipient: rfc822;amy@example.org\n"
		    "Disposition: automatic-action/MDN-sent-automatically; "
		    "deleted\n"),
		NULL);
	parts[2] = letter_part(writer->arena, writer->original,
		STR("Content-Type: message/rfc822\n"
		    "Content-Transfer-Encoding: 8bit\n"),
		STR_EMPTY, content_of(writer->arena, writer->original));
	write_letter(writer, "report", &letter,
		letter_multipart(writer->arena, writer->original,
			STR("multipart/report;\n\t"
			    "report-type=disposition-notification"),
			letter.id, true, parts, 3));
}

int
main(int argc, char **argv)
{
	static const struct message_limits limits = {.memory_bytes = 1 << 20,
		.header_bytes = 1 << 20,
		.header_fields = 100};
	struct writer writer = {.folder = argc == 2 ? argv[1] : "."};
	struct message *original;
	struct err err;

	if (message_open_bytes(
		    str_from(original_text), &limits, &original, &err) < 0)
		return EXIT_FAILURE;
	writer.arena = arena_open();
	writer.original = original;
	write_simple(&writer);
	write_attack(&writer);
	write_ready(&writer);
	write_report(&writer);
	arena_close(&writer.arena);
	message_close(&original);
	return writer.has_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
