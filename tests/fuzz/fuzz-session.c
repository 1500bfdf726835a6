/* A client's bytes: whatever it sends, in whatever pieces, the replies are lines,
 * one for each recipient, and the same.
 *
 * The first byte chooses the pieces and who answers late; the rest is input.  An
 * address that begins with "n" is unknown, with "t" in trouble; so is a name that
 * logs in, and its password is the name.
 *
 * SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/memory.h"
#include "conf/conf.h"
#include "lmtp/session.h"
#include "tests/lmtp/fake_spool.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	FLAG_SLOW_RCPT = 1,
	FLAG_SLOW_DELIVERY = 2,
	FLAG_TRUSTED = 4, /* and may use TLS */
	FLAG_REJECT = 8,  /* bare newlines */
	FLAG_LEFT = 16,   /* all output leaves at once */
	LATE_MOST = 200
};

struct run {
	struct session *session;
	unsigned flags;
	struct buf output;
	struct buf messages;
	struct session_recipient *late[LATE_MOST];
	size_t late_count;
	bool is_delivering;
	bool is_logging_in;
	enum wire_login_state login;
	char name[32];
};

/* ---- the front ---- */

static void
answer(struct session_recipient *recipient)
{
	struct wire_ticket ticket = {{0}};
	struct err err = {.kind = ERR_NONE};
	char first = recipient->address.text.len > 0
	                     ? recipient->address.text.data[0]
	                     : 'x';

	if (first == 'n')
		(void)err_set(&err, ERR_NO_USER, "5.1.1",
			"User doesn't exist: %.*s",
			STR_ARG(recipient->address.text));
	else if (first == 't')
		(void)err_temp(&err, "4.3.0", "trouble");
	session_found(recipient, &err, &ticket, 1);
}

static void
on_find(struct session *session, struct session_recipient *recipient)
{
	struct run *run = session_context(session);

	if (recipient->twin != NULL)
		BUG("asked about a twin");
	if ((run->flags & FLAG_SLOW_RCPT) != 0) {
		if (run->late_count == LATE_MOST)
			BUG("asked about too many at once");
		run->late[run->late_count++] = recipient;
	} else {
		answer(recipient);
	}
}

/* Replies, that is last lines of them. */
static size_t
count_replies(struct str output)
{
	size_t count = 0;
	struct str line;

	while (str_next_field(&output, '\n', &line))
		if (line.len > 3 && line.data[3] == ' ')
			count++;
	return count;
}

static void
finish_delivery(struct run *run)
{
	struct session_transaction *transaction =
		session_transaction(run->session);
	struct buf *output = session_output(run->session);
	size_t before = count_replies(buf_view(output)),
	       accepted = transaction->accepted, i;

	for (i = 0; i < transaction->count; i++) {
		struct session_recipient *recipient =
			transaction->recipients[i];

		/* Some get none: that must not look like success. */
		if (recipient->address.text.len % 4 != 0) {
			recipient->result.outcome = WIRE_SAVED;
			recipient->result.has_handle = true;
		}
	}
	run->is_delivering = false;
	session_delivered(run->session);
	if (accepted == 0 ||
		count_replies(buf_view(output)) - before != accepted)
		BUG("not one reply for each recipient");
}

static void
on_deliver(struct session *session)
{
	struct run *run = session_context(session);
	struct spool *spool = session_transaction(session)->spool;
	int file;

	buf_add(&run->messages, spool_content(spool, &file));
	buf_add_text(&run->messages, "|");
	run->is_delivering = true;
	if ((run->flags & FLAG_SLOW_DELIVERY) == 0)
		finish_delivery(run);
}

static void
on_release(struct session *session)
{
	struct run *run = session_context(session);

	if (session_transaction(session) == NULL)
		BUG("nothing to release");
	run->late_count = 0;
	run->is_delivering = false;
}

static void
on_confirm(struct session *session, const struct wire_handle *handles,
	size_t count)
{
	if (handles == NULL || count == 0)
		BUG("nothing to confirm");
	session_confirmed(session);
}

static void
finish_login(struct run *run)
{
	run->is_logging_in = false;
	session_logged_in(run->session, run->login, run->name);
}

static void
on_login(struct session *session, struct str name, struct str password)
{
	struct run *run = session_context(session);

	if (run->is_logging_in)
		BUG("logs in twice");
	if (name.len == 0 || password.len == 0)
		BUG("an empty name or password");
	run->login = str_equal(name, password) ? WIRE_LOGIN_YES : WIRE_LOGIN_NO;
	if (name.data[0] == 't')
		run->login = WIRE_LOGIN_UNABLE;
	snprintf(run->name, sizeof(run->name), "%.*s", STR_ARG(name));
	run->is_logging_in = true;
	if ((run->flags & FLAG_SLOW_RCPT) == 0)
		finish_login(run);
}

static const struct session_events events = {
	.find = on_find,
	.deliver = on_deliver,
	.release = on_release,
	.login = on_login,
	.confirm = on_confirm,
};

/* ---- a session ---- */

/* The answers that are late come in an order of their own. */
static void
answer_late(struct run *run)
{
	while (run->late_count > 0) {
		size_t at = run->late_count / 2;
		struct session_recipient *recipient = run->late[at];

		run->late[at] = run->late[--run->late_count];
		answer(recipient);
	}
	if (run->is_delivering)
		finish_delivery(run);
	if (run->is_logging_in)
		finish_login(run);
}

static void
take_output(struct run *run, uint64_t received)
{
	struct buf *output = session_output(run->session);

	buf_add(&run->output, buf_view(output));
	buf_reset(output);
	if ((run->flags & FLAG_LEFT) != 0)
		session_output_left(run->session, received);
}

static void
feed(struct run *run, struct str input, size_t piece)
{
	size_t start = 0, end = 0, taken;

	while (end < input.len) {
		end = end + piece < input.len ? end + piece : input.len;
		do {
			taken = session_input(
				run->session, str_slice(input, start, end));
			start += taken;
			answer_late(run);
			take_output(run, end);
			if (session_wants_tls(run->session))
				session_tls_started(run->session,
					"TLSv1.3 with cipher X", "amy");
		} while (taken > 0 && start < end);
		if (session_end_reason(run->session) != NULL)
			return;
		if (session_is_waiting(run->session))
			BUG("waits for nothing");
	}
}

static void
check_output(struct str output)
{
	while (output.len > 0) {
		size_t len = str_find(output, STR("\r\n")) + 2, i;

		if (len > output.len || len > 512)
			BUG("a line that does not end in time");
		if (len < 6 || output.data[0] < '2' || output.data[0] > '5' ||
			!ascii_is_digit(output.data[1]) ||
			!ascii_is_digit(output.data[2]) ||
			(output.data[3] != ' ' && output.data[3] != '-'))
			BUG("a line that is no reply");
		for (i = 0; i + 2 < len; i++)
			if ((unsigned char)output.data[i] < ' ')
				BUG("a control character in a reply");
		output = str_skip(output, len);
	}
}

static void
run_session(struct run *run, const struct settings *settings, struct str input,
	size_t piece)
{
	struct spool_budget budget = {
		.memory_max = 1 << 26, .folder = "", .message_max = 5000};
	struct session_config config = {.settings = settings,
		.budget = &budget,
		.events = &events,
		.hostname = "mx.example.test"};
	struct session_peer peer = {
		.is_trusted = (run->flags & FLAG_TRUSTED) != 0,
		.may_start_tls = (run->flags & FLAG_TRUSTED) != 0};

	buf_init(&run->output, BUF_UNLIMITED);
	buf_init(&run->messages, BUF_UNLIMITED);
	run->session =
		session_open(&config, &peer, "AqKOK/b0uV0sAAAAuEYLBA", run);
	take_output(run, 0);
	feed(run, input, piece);
	session_end(run->session, "4.3.2 Server shutting down");
	take_output(run, 0);
	check_output(buf_view(&run->output));
	session_close(&run->session);
	if (fake_spool_count != 0)
		BUG("a spool stays open");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const overrides[] = {"lmtp_auth_external=yes",
		"lmtp_auth_plain=yes", "lmtp_dsn=yes",
		"lmtp_bare_newline=reject"};
	struct conf_source source = {
		.only_defaults = true, .overrides = overrides};
	struct conf_report report = {.count = 0};
	const struct settings *settings;
	struct arena *arena;
	struct run whole, pieces;
	struct str input;

	if (size == 0)
		return 0;
	arena = arena_open();
	source.override_count = data[0] & FLAG_REJECT ? 4 : 3;
	if (conf_load(arena, &source, &settings, &report) < 0)
		BUG("the defaults are wrong");
	input = str_of((const char *)data + 1, size - 1);
	whole = (struct run){.flags = data[0]};
	pieces = (struct run){.flags = data[0]};
	run_session(&whole, settings, input, input.len);
	run_session(&pieces, settings, input, 1 + (data[0] >> 5));
	if (!str_equal(buf_view(&whole.output), buf_view(&pieces.output)) ||
		!str_equal(
			buf_view(&whole.messages), buf_view(&pieces.messages)))
		BUG("the pieces made a difference");
	buf_clear(&whole.output);
	buf_clear(&whole.messages);
	buf_clear(&pieces.output);
	buf_clear(&pieces.messages);
	arena_close(&arena);
	return 0;
}
