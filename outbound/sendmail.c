/*   sendmail_path -i -f SENDER [-N never] [-R hdrs] [-V id] -- RECIPIENT...
 *
 * The message is its standard input.  The words in brackets are only for a program
 * that knows them (sendmail_dsn): Exim's succeeds with -N and delivers nothing, and
 * with -R and -V it does something else as well.
 *
 * SPDX-License-Identifier: MIT
 */
#include "outbound/sendmail.h"

#include <string.h>

#include "base/arena.h"
#include "base/program.h"

#include "base/banned.h"

enum { CHUNK_BYTES = 65536, END_BYTES = 512 };

/* What sendmail programs have in common of RFC 3461.  Of ORCPT and of RFC 2852
 * they know nothing.  The null sender is never notified, with -N or without. */
static size_t
wish_words(struct arena *arena, const struct outbound_mail *mail, char **words)
{
	const struct outbound_wishes *wishes = &mail->wishes;
	struct str notify = mail->sender.len > 0 ? wishes->notify : STR_EMPTY;
	const struct {
		const char *option;
		struct str value;
	} options[] = {{"-N", arena_lower(arena, notify)},
		{"-R", arena_lower(arena, wishes->ret)}, {"-V", wishes->envid}};
	size_t used = 0, i;

	for (i = 0; i < ARRAY_LENGTH(options); i++) {
		if (options[i].value.len == 0)
			continue;
		words[used++] = arena_text(arena, str_from(options[i].option));
		words[used++] = arena_text(arena, options[i].value);
	}
	return used;
}

/* The first is NULL when no program is set. */
static char **
command_words(struct arena *arena, const struct outbound_settings *settings,
	const struct outbound_mail *mail)
{
	struct str rest = str_from(settings->sendmail_path), word;
	struct str sender = mail->sender;
	size_t most = rest.len / 2 + mail->count + 12, used = 0, i;
	char **words = ARENA_ARRAY(arena, char *, most);

	while (str_next_word(&rest, &word))
		words[used++] = arena_text(arena, word);
	if (used == 0)
		return words;
	words[used++] = arena_text(arena, STR("-i"));
	words[used++] = arena_text(arena, STR("-f"));
	words[used++] = arena_text(arena, sender.len > 0 ? sender : STR("<>"));
	if (settings->sendmail_dsn)
		used += wish_words(arena, mail, words + used);
	words[used++] = arena_text(arena, STR("--"));
	for (i = 0; i < mail->count; i++)
		words[used++] = arena_text(arena, mail->recipients[i]);
	return words;
}

/* Gives it the message, and its end only when that was the whole. */
static int
feed(struct program *program, struct arena *arena,
	const struct content *content, struct err *err)
{
	char *buffer = arena_alloc(arena, CHUNK_BYTES);
	struct content_reader reader;
	struct str chunk;
	enum lookup more = LOOKUP_NONE;

	content_reader_init(
		&reader, content, LINE_ENDS_LF, buffer, CHUNK_BYTES);
	while (!program->is_cut &&
		(more = content_read(&reader, &chunk, err)) == LOOKUP_FOUND)
		if (program_write(program, chunk, err) < 0)
			return -1;
	if (more == LOOKUP_ERROR)
		return -1;
	program_close_input(program);
	return 0;
}

static int
judge(const struct program *program, struct err *err)
{
	struct str said = program_said(program);
	bool is_read = program_has_read_all(program);
	struct buf end;

	if (is_read && program_has_succeeded(program))
		return 0;
	buf_init(&end, END_BYTES);
	program_add_end(program, &end);
	err_temp(err, "4.3.0", "%s%s%s%.*s", buf_text(&end),
		is_read ? "" : " and did not read the whole message",
		said.len > 0 ? ": " : "", STR_ARG(said));
	buf_clear(&end);
	return -1;
}

int
sendmail_submit(const struct outbound_settings *settings,
	const struct outbound_mail *mail, struct err *err)
{
	struct arena *arena = arena_open();
	const struct program_order order = {
		.words = command_words(arena, settings, mail),
		.input = -1,
		.timeout_ms = settings->timeout_ms,
		.leaves_children = true};
	struct program program;
	int result = -1;

	if (order.words[0] == NULL) {
		err_temp(err, "4.3.5", "sendmail_path is not set");
	} else {
		if (program_start(&program, &order, err) == 0 &&
			feed(&program, arena, mail->content, err) == 0 &&
			program_wait(&program, err) == 0)
			result = judge(&program, err);
		program_end(&program);
	}
	arena_close(&arena);
	return result;
}
