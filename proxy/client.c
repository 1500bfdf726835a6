/* SPDX-License-Identifier: MIT */
#include "proxy/client.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

#include "base/banned.h"

enum {
	COMMANDS_MAX = 64 * 1024 * 1024,
	CODE_DIGITS = 3,
	/* Lines of an answer to LHLO beyond those of a reply. */
	XCLIENT_LINE_MAX = 2000
};

enum expected {
	EXPECT_GREETING,
	EXPECT_HELLO,
	EXPECT_STARTTLS,
	EXPECT_XCLIENT,
	EXPECT_MAIL,
	EXPECT_RCPT,
	EXPECT_DATA,
	EXPECT_RESULT,
	EXPECT_RSET
};

struct expectation {
	enum expected what;
	size_t length; /* of its command; 0: none, or one that was written */
	uint64_t end;  /* what is written then, see `dropped` */
	void *recipient;
};

/* ---- failing ---- */

static void
fail(struct client *client, enum client_failure failure, const char *detail)
{
	if (client->has_failed)
		return;
	client->has_failed = true;
	client->is_ready = false;
	client->events->failed(client, failure, detail);
}

void
client_lost(struct client *client, const char *detail)
{
	fail(client, CLIENT_LOST, detail);
}

/* ---- what is waited for ---- */

bool
client_is_waiting(const struct client *client)
{
	return client->first < client->count;
}

static void
add_expectation(struct client *client, enum expected what, size_t length,
	void *recipient)
{
	if (client->first == client->count)
		client->first = client->sent = client->count = 0;
	if (client->count == client->size) {
		client->size = client->size > 0 ? client->size * 2 : 16;
		client->expected = memory_resize(
			client->expected, memory_product(client->size,
						  sizeof(*client->expected)));
	}
	client->expected[client->count++] =
		(struct expectation){what, length, 0, recipient};
}

static uint64_t
output_end(const struct client *client)
{
	return client->dropped + client->output.len;
}

void
client_wrote(struct client *client, size_t count)
{
	client->written += count;
	if (client->written < client->output.len)
		return;
	client->dropped += client->output.len;
	client->written = 0;
	buf_reset(&client->output);
}

/* A command that has not left cannot have been answered. */
static bool
is_asked(const struct client *client)
{
	return client->first < client->sent &&
	       client->expected[client->first].end <=
	               client->dropped + client->written;
}

/* RFC 2920 3.1: what may stand in front of another command. */
static bool
may_be_followed(enum expected what)
{
	return what == EXPECT_MAIL || what == EXPECT_RCPT ||
	       what == EXPECT_RSET;
}

static bool
may_send(const struct client *client)
{
	if (client->sent == client->first)
		return true;
	return client->pipelines && client->offers.plain.pipelining &&
	       may_be_followed(client->expected[client->sent - 1].what);
}

/* Moves commands to the output as far as the rules allow. */
static void
pump(struct client *client)
{
	struct str waiting = buf_view(&client->commands);
	size_t taken = 0;

	while (client->sent < client->count && may_send(client)) {
		struct expectation *next = &client->expected[client->sent++];

		buf_add(&client->output,
			str_slice(waiting, taken, taken + next->length));
		next->end = output_end(client);
		taken += next->length;
	}
	if (taken == 0)
		return;
	memmove(client->commands.data, client->commands.data + taken,
		client->commands.len - taken);
	client->commands.len -= taken;
}

/* `start`: where the command begins in `commands`. */
static void
command_done(struct client *client, enum expected what, size_t start,
	void *recipient)
{
	buf_add_text(&client->commands, "\r\n");
	add_expectation(client, what, client->commands.len - start, recipient);
}

static void
command(struct client *client, enum expected what, const char *text)
{
	size_t start = client->commands.len;

	buf_add_text(&client->commands, text);
	command_done(client, what, start, NULL);
}

/* ---- opening ---- */

static void
say_hello(struct client *client)
{
	size_t start = client->commands.len;

	buf_add_format(&client->commands, "%s %s",
		client->protocol == ROUTE_LMTP ? "LHLO" : "EHLO", client->name);
	command_done(client, EXPECT_HELLO, start, NULL);
}

void
client_open(struct client *client)
{
	buf_init(&client->output, BUF_UNLIMITED);
	buf_init(&client->commands, COMMANDS_MAX);
	buf_init(&client->origin, BUF_UNLIMITED);
	backend_reply_begin(&client->reply);
	add_expectation(client, EXPECT_GREETING, 0, NULL);
	client->sent = 1;
}

void
client_close(struct client *client)
{
	buf_clear(&client->output);
	buf_clear(&client->commands);
	buf_clear(&client->origin);
	memory_free(client->expected);
	memory_free(client->accepted);
	client->expected = NULL;
	client->accepted = NULL;
}

void
client_tls_started(struct client *client)
{
	/* What came behind the answer came in the clear, from anybody. */
	if (client->line_len > 0 || client_is_waiting(client)) {
		fail(client, CLIENT_BAD, "text ahead of TLS");
		return;
	}
	client->is_secured = true;
	say_hello(client);
	pump(client);
}

static void
offer_xclient(struct client_offers *offers, struct str rest)
{
	struct str word;

	offers->xclient = true;
	while (str_next_word(&rest, &word)) {
		offers->x_session |= str_is_nocase(word, "SESSION");
		offers->x_addr |= str_is_nocase(word, "ADDR");
		offers->x_port |= str_is_nocase(word, "PORT");
		offers->x_helo |= str_is_nocase(word, "HELO");
		offers->x_login |= str_is_nocase(word, "LOGIN");
		offers->x_proto |= str_is_nocase(word, "PROTO");
		offers->x_ttl |= str_is_nocase(word, "TTL");
		offers->x_timeout |= str_is_nocase(word, "TIMEOUT");
	}
}

static void
see_offer(struct client *client, struct str line)
{
	struct str rest = str_skip(line, CODE_DIGITS + 1), word;

	reply_offer(&client->offers.plain, line);
	if (!str_next_word(&rest, &word))
		return;
	if (str_is_nocase(word, "CHUNKING"))
		client->offers.chunking = true;
	else if (str_is_nocase(word, "XRCPTFORWARD"))
		client->offers.forward = true;
	else if (str_is_nocase(word, "XCLIENT"))
		offer_xclient(&client->offers, rest);
}

static void
refused(struct client *client, const char *what)
{
	char detail[400];

	snprintf(detail, sizeof(detail), "%s: %u %s%s%.300s", what,
		client->reply.code, client->reply.status,
		client->reply.status[0] != '\0' ? " " : "", client->reply.text);
	fail(client, CLIENT_UNWILLING, detail);
}

static void
become_ready(struct client *client)
{
	client->is_ready = true;
	client->events->ready(client);
}

static void
end_hello(struct client *client)
{
	if (!backend_reply_is_good(&client->reply)) {
		refused(client, "LHLO");
		return;
	}
	if (client->starts_tls && !client->is_secured) {
		if (!client->offers.plain.starttls) {
			fail(client, CLIENT_UNWILLING,
				"STARTTLS is not offered");
			return;
		}
		command(client, EXPECT_STARTTLS, "STARTTLS");
		return;
	}
	/* Behind XCLIENT the transaction waits already. */
	if (!client_is_waiting(client))
		become_ready(client);
}

/* ---- XCLIENT ---- */

static bool
is_plain(char c)
{
	return c > ' ' && c < 127 && c != '+' && c != '=';
}

/* Postfix's XCLIENT_README: xtext (RFC 3461 4). */
static void
put_value(struct buf *line, const char *name, struct str value)
{
	size_t i;

	buf_add_format(line, " %s=", name);
	for (i = 0; i < value.len; i++) {
		if (is_plain(value.data[i]))
			buf_add_char(line, value.data[i]);
		else
			buf_add_format(line, "+%02X",
				(unsigned)(unsigned char)value.data[i]);
	}
}

static void
put_text(struct buf *line, bool offered, const char *name, struct str value)
{
	if (offered && value.len > 0)
		put_value(line, name, value);
}

static void
put_number(struct buf *line, bool offered, const char *name, uint64_t number)
{
	if (offered && number > 0)
		buf_add_format(
			line, " %s=%llu", name, (unsigned long long)number);
}

static void
put_address(struct buf *line, struct str ip)
{
	if (str_has_char(ip, ':')) {
		buf_add_text(line, " ADDR=IPV6:");
		buf_add(line, ip);
	} else {
		put_value(line, "ADDR", ip);
	}
}

static void
make_origin(const struct client_offers *offers,
	const struct client_origin *origin, struct buf *line)
{
	buf_add_text(line, "XCLIENT");
	if (offers->x_addr && origin->ip.len > 0)
		put_address(line, origin->ip);
	put_number(line, offers->x_port, "PORT", origin->port);
	put_text(line, offers->x_helo, "HELO", origin->helo);
	put_text(line, offers->x_proto, "PROTO", origin->protocol);
	put_text(line, offers->x_login, "LOGIN", origin->login);
	put_text(line, offers->x_session, "SESSION", origin->session);
	put_number(line, offers->x_ttl, "TTL", origin->ttl);
	put_number(line, offers->x_timeout, "TIMEOUT", origin->timeout_s);
}

bool
client_knows(const struct client *client, const struct client_origin *origin)
{
	struct buf line;
	bool result;

	if (!client->offers.xclient)
		return true;
	buf_init(&line, XCLIENT_LINE_MAX);
	make_origin(&client->offers, origin, &line);
	result = str_equal(buf_view(&line), buf_view(&client->origin));
	buf_clear(&line);
	return result;
}

/* The greeting begins anew behind it. */
static void
say_origin(struct client *client, const struct client_origin *origin)
{
	size_t start = client->commands.len;

	if (origin == NULL || !client->offers.xclient ||
		client_knows(client, origin))
		return;
	buf_reset(&client->origin);
	make_origin(&client->offers, origin, &client->origin);
	buf_add(&client->commands, buf_view(&client->origin));
	command_done(client, EXPECT_XCLIENT, start, NULL);
	say_hello(client);
}

/* ---- a transaction ---- */

static void
put_mail(struct client *client, const struct client_mail *mail)
{
	const struct reply_offers *offers = &client->offers.plain;
	struct buf *out = &client->commands;
	size_t start = out->len;

	buf_add_format(out, "MAIL FROM:<%.*s>", STR_ARG(mail->sender));
	if (offers->has_size && mail->size > 0)
		buf_add_format(
			out, " SIZE=%llu", (unsigned long long)mail->size);
	if (offers->eightbitmime)
		buf_add_text(out, " BODY=8BITMIME");
	if (mail->is_utf8 && offers->smtputf8)
		buf_add_text(out, " SMTPUTF8");
	if (offers->dsn && mail->ret.len > 0)
		buf_add_format(out, " RET=%.*s", STR_ARG(mail->ret));
	if (offers->dsn && mail->envid.len > 0)
		put_value(out, "ENVID", mail->envid);
	command_done(client, EXPECT_MAIL, start, NULL);
}

void
client_mail(struct client *client, const struct client_mail *mail)
{
	client->is_ready = false;
	client->has_answered = false;
	client->has_mail_failed = false;
	client->is_in_transaction = true;
	client->wants_body = client->is_body_done = false;
	client->accepted_count = 0;
	say_origin(client, mail->origin);
	put_mail(client, mail);
	pump(client);
}

/* Servers that know SESSION are LMTP servers that take ORCPT always. */
static bool
takes_orcpt(const struct client *client)
{
	return client->offers.plain.dsn || client->offers.x_session;
}

void
client_rcpt(struct client *client, const struct client_rcpt *rcpt)
{
	struct buf *out = &client->commands;
	size_t start = out->len;

	buf_add_format(out, "RCPT TO:<%.*s>", STR_ARG(rcpt->path));
	if (client->offers.plain.dsn && rcpt->notify.len > 0)
		buf_add_format(out, " NOTIFY=%.*s", STR_ARG(rcpt->notify));
	if (takes_orcpt(client) && rcpt->orcpt.len > 0)
		buf_add_format(out, " ORCPT=%.*s", STR_ARG(rcpt->orcpt));
	if (client->offers.forward && rcpt->forward.len > 0)
		buf_add_format(
			out, " XRCPTFORWARD=%.*s", STR_ARG(rcpt->forward));
	command_done(client, EXPECT_RCPT, start, rcpt->recipient);
	pump(client);
}

static void
accept(struct client *client, void *recipient)
{
	if (client->accepted_count == client->accepted_size) {
		client->accepted_size = client->accepted_size > 0
		                                ? client->accepted_size * 2
		                                : 4;
		client->accepted = memory_resize(
			client->accepted, memory_product(client->accepted_size,
						  sizeof(*client->accepted)));
	}
	client->accepted[client->accepted_count++] = recipient;
}

/* The reply to MAIL is what is wrong with all of them. */
static void
end_rcpt(struct client *client, void *recipient)
{
	const struct backend_reply *reply = &client->reply;

	if (client->has_mail_failed)
		reply = &client->mail_reply;
	else if (backend_reply_is_good(reply))
		accept(client, recipient);
	client->events->rcpt(client, recipient, reply);
}

/* ---- the message ---- */

/* Nothing can be told of a message before all of it has left. */
static void
results_follow(struct client *client)
{
	size_t i;

	for (i = client->first; i < client->count; i++)
		client->expected[i].end = output_end(client);
}

static void
expect_results(struct client *client)
{
	size_t i, count = client->protocol == ROUTE_LMTP
	                          ? client->accepted_count
	                          : 1;

	for (i = 0; i < count; i++)
		add_expectation(client, EXPECT_RESULT, 0, client->accepted[i]);
	client->sent = client->count;
}

void
client_data(struct client *client, uint64_t size)
{
	size_t start = client->commands.len;

	client->is_chunked = client->offers.chunking;
	client->is_line_start = true;
	client->last[1] = '\0';
	if (!client->is_chunked) {
		command(client, EXPECT_DATA, "DATA");
		pump(client);
		return;
	}
	/* RFC 3030: byte for byte, and nothing to wait for. */
	buf_add_format(&client->commands, "BDAT %llu LAST\r\n",
		(unsigned long long)size);
	buf_add(&client->output, str_skip(buf_view(&client->commands), start));
	client->commands.len = start;
	client->chunk_left = size;
	expect_results(client);
	client->wants_body = true;
}

/* RFC 5321 4.5.2, 2.3.8: a bare CR or LF would be a line end to some, and the end
 * of the message might be found where it is not. */
static void
put_line_end(struct client *client)
{
	buf_add_text(&client->output, "\r\n");
	client->is_line_start = true;
}

static void
put_stuffed(struct client *client, struct str bytes)
{
	struct buf *out = &client->output;
	size_t i = 0;

	while (i < bytes.len) {
		struct str rest = str_skip(bytes, i);
		size_t length = str_find_any(rest, "\r\n");

		if (client->last[1] == '\r') {
			client->last[1] = '\0';
			put_line_end(client);
			if (rest.data[0] == '\n') {
				i++;
				continue;
			}
		}
		if (length == 0) {
			if (rest.data[0] == '\n')
				put_line_end(client);
			else
				client->last[1] = '\r';
			i++;
			continue;
		}
		if (client->is_line_start && rest.data[0] == '.')
			buf_add_char(out, '.');
		client->is_line_start = false;
		buf_add(out, str_slice(rest, 0, length));
		i += length;
	}
}

void
client_body(struct client *client, struct str bytes)
{
	if (!client->is_chunked) {
		put_stuffed(client, bytes);
		return;
	}
	bytes = str_slice(bytes, 0, client->chunk_left);
	client->chunk_left -= bytes.len;
	buf_add(&client->output, bytes);
}

void
client_body_end(struct client *client)
{
	client->is_body_done = true;
	if (client->is_chunked) {
		results_follow(client);
		return;
	}
	if (client->last[1] == '\r' || !client->is_line_start)
		put_line_end(client);
	buf_add_text(&client->output, ".\r\n");
	expect_results(client);
	results_follow(client);
}

static void
end_transaction(struct client *client)
{
	client->is_in_transaction = false;
	client->accepted_count = 0;
	become_ready(client);
}

/* One reply of SMTP counts for all. */
static void
end_result(struct client *client, void *recipient)
{
	size_t i;

	/* Before the end of the body it can only be a refusal. */
	if (!client->is_body_done) {
		fail(client, CLIENT_BAD,
			"an answer ahead of the message's end");
		return;
	}
	if (client->protocol == ROUTE_LMTP)
		client->events->result(client, recipient, &client->reply);
	else
		for (i = 0; i < client->accepted_count; i++)
			client->events->result(
				client, client->accepted[i], &client->reply);
	if (!client_is_waiting(client))
		end_transaction(client);
}

static void
end_data(struct client *client)
{
	size_t i;

	if (client->reply.code == 354) {
		client->wants_body = true;
		return;
	}
	/* The message is nobody's now, whatever digits it begins with. */
	if (client->reply.code < 400) {
		fail(client, CLIENT_BAD, "no 354 to DATA");
		return;
	}
	for (i = 0; i < client->accepted_count; i++)
		client->events->result(
			client, client->accepted[i], &client->reply);
	client->accepted_count = 0;
}

/* Behind DATA it would be read as the message. */
static bool
is_at_data(const struct client *client)
{
	return client_is_waiting(client) &&
	       client->expected[client->count - 1].what == EXPECT_DATA;
}

bool
client_reset(struct client *client)
{
	if (client->has_failed || client->wants_body || is_at_data(client))
		return false;
	command(client, EXPECT_RSET, "RSET");
	pump(client);
	return true;
}

void
client_quit(struct client *client)
{
	if (!client->has_failed && client->is_ready)
		buf_add_text(&client->output, "QUIT\r\n");
}

/* ---- replies ---- */

static void
end_mail(struct client *client)
{
	client->has_mail_failed = !backend_reply_is_good(&client->reply);
	if (client->has_mail_failed)
		client->mail_reply = client->reply;
}

static void
end_rset(struct client *client)
{
	if (!backend_reply_is_good(&client->reply))
		refused(client, "RSET");
	else if (!client_is_waiting(client))
		end_transaction(client);
}

static void
take_reply(struct client *client, const struct expectation *expected)
{
	switch (expected->what) {
	case EXPECT_GREETING:
		if (client->reply.code != 220)
			refused(client, "greeting");
		else
			say_hello(client);
		break;
	case EXPECT_HELLO:
		end_hello(client);
		break;
	case EXPECT_STARTTLS:
		if (client->reply.code != 220)
			refused(client, "STARTTLS");
		else
			client->events->starttls(client);
		break;
	case EXPECT_XCLIENT:
		if (client->reply.code != 220)
			refused(client, "XCLIENT");
		break;
	case EXPECT_MAIL:
		end_mail(client);
		break;
	case EXPECT_RCPT:
		end_rcpt(client, expected->recipient);
		break;
	case EXPECT_DATA:
		end_data(client);
		break;
	case EXPECT_RESULT:
		end_result(client, expected->recipient);
		break;
	case EXPECT_RSET:
		end_rset(client);
		break;
	}
}

static void
end_reply(struct client *client)
{
	struct expectation expected = client->expected[client->first++];

	client->has_answered = true;
	/* RFC 5321 3.8: it is about to close. */
	if (client->reply.code == 421) {
		char detail[400];

		snprintf(detail, sizeof(detail), "421 %s%s%.300s",
			client->reply.status,
			client->reply.status[0] != '\0' ? " " : "",
			client->reply.text);
		fail(client, CLIENT_LOST, detail);
		return;
	}
	take_reply(client, &expected);
	backend_reply_begin(&client->reply);
	if (!client->has_failed)
		pump(client);
}

static void
take_line(struct client *client, struct str line)
{
	enum reply_step step;

	if (str_ends(line, STR("\r")))
		line.len--;
	/* Nobody asked, or not yet. */
	if (!client->is_line_asked) {
		fail(client,
			str_starts(line, STR("421")) ? CLIENT_LOST : CLIENT_BAD,
			"an answer that nobody asked for");
		return;
	}
	step = backend_reply_line(&client->reply, line);
	if (step == REPLY_BROKEN) {
		fail(client, CLIENT_BAD, "what came is no reply");
		return;
	}
	if (client->expected[client->first].what == EXPECT_HELLO) {
		if (client->reply.lines == 1)
			client->offers.plain = (struct reply_offers){0};
		else
			see_offer(client, line);
	}
	if (step == REPLY_DONE)
		end_reply(client);
}

void
client_input(struct client *client, struct str bytes)
{
	while (bytes.len > 0 && !client->has_failed) {
		size_t length = str_find_char(bytes, '\n');
		struct str part = str_slice(bytes, 0, length);

		if (part.len > sizeof(client->line) - client->line_len) {
			fail(client, CLIENT_BAD, "a line without an end");
			return;
		}
		/* Its first byte says what it can belong to. */
		if (client->line_len == 0)
			client->is_line_asked = is_asked(client);
		memcpy(client->line + client->line_len, part.data, part.len);
		client->line_len += part.len;
		if (length == bytes.len)
			return;
		bytes = str_skip(bytes, length + 1);
		length = client->line_len;
		client->line_len = 0;
		take_line(client, str_of(client->line, length));
	}
}
