/* SPDX-License-Identifier: MIT */
#include "outbound/smtp.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/encode.h"
#include "base/utf8.h"
#include "mail/content.h"
#include "mail/message.h"

#include "base/banned.h"

enum {
	CHUNK_BYTES = 65536,
	/* Commands that wait for an answer together: their replies have room in
	 * the sockets, so that neither side waits for the other. */
	PIPELINED_MAX = 20,
	QUIT_MS = 2000
};

void
smtp_init(struct smtp *smtp, const struct outbound_relay *relay)
{
	memset(smtp, 0, sizeof(*smtp));
	smtp->relay = relay;
	smtp->dialog.fd = -1;
}

static void
hang_up(struct smtp *smtp)
{
	dialog_close(&smtp->dialog);
	smtp->is_open = false;
}

void
smtp_close(struct smtp *smtp)
{
	struct err err;

	if (smtp->is_open) {
		smtp->dialog.until_ms = clock_monotonic_ms() + QUIT_MS;
		dialog_put(&smtp->dialog, STR("QUIT\r\n"));
		if (dialog_flush(&smtp->dialog, &err) < 0)
			smtp->is_open = false;
	}
	hang_up(smtp);
}

void
smtp_clear(struct smtp *smtp)
{
	smtp_close(smtp);
	tls_client_close(&smtp->trust);
}

/* What only a server that is set up wrongly answers with 5xx: the admin may mend
 * it, and the message waits. */
static int
temporary_reply(const struct reply *reply, const struct smtp *smtp,
	const char *what, struct err *err)
{
	return err_temp(err, "4.4.0", "%s answered %s: %u %s",
		smtp->dialog.host, what, reply->code, reply->text);
}

/* ---- opening ---- */

static int
expect(struct smtp *smtp, unsigned code, const char *what, struct err *err)
{
	struct reply reply;

	if (dialog_reply(&smtp->dialog, &reply, NULL, err) < 0)
		return -1;
	if (reply.code != code)
		return temporary_reply(&reply, smtp, what, err);
	return 0;
}

static int
greet(struct smtp *smtp, struct err *err)
{
	const char *verb = smtp->relay->is_lmtp ? "LHLO" : "EHLO";
	struct reply reply;

	memset(&smtp->offers, 0, sizeof(smtp->offers));
	dialog_put_format(&smtp->dialog, "%s %s\r\n", verb, smtp->relay->name);
	if (dialog_reply(&smtp->dialog, &reply, &smtp->offers, err) < 0)
		return -1;
	if (reply_is_good(&reply))
		return 0;
	if (reply.code < 500 || smtp->relay->is_lmtp)
		return temporary_reply(&reply, smtp, verb, err);
	/* RFC 5321 3.2: one of the old ones. */
	memset(&smtp->offers, 0, sizeof(smtp->offers));
	dialog_put_format(&smtp->dialog, "HELO %s\r\n", smtp->relay->name);
	return expect(smtp, 250, "HELO", err);
}

static int
trust(struct smtp *smtp, struct err *err)
{
	const struct tls_client_settings settings = {
		.ca_file = smtp->relay->ca_file,
		.ca_dir = smtp->relay->ca_dir,
		.verify = smtp->relay->verify};

	if (smtp->trust != NULL)
		return 0;
	return tls_client_open(&settings, &smtp->trust, err);
}

static int
start_tls(struct smtp *smtp, struct err *err)
{
	if (trust(smtp, err) < 0)
		return -1;
	return dialog_start_tls(&smtp->dialog, smtp->trust, err);
}

/* RFC 3207 4.2: what was offered before counts for nothing. */
static int
upgrade(struct smtp *smtp, struct err *err)
{
	if (smtp->relay->tls != OUTBOUND_STARTTLS)
		return 0;
	if (!smtp->offers.starttls)
		return err_temp(err, "4.7.0",
			"%s does not offer STARTTLS, which submission_ssl "
			"asks for",
			smtp->dialog.host);
	dialog_put(&smtp->dialog, STR("STARTTLS\r\n"));
	if (expect(smtp, 220, "STARTTLS", err) < 0 || start_tls(smtp, err) < 0)
		return -1;
	return greet(smtp, err);
}

/* ---- SASL ---- */

static void
put_base64(struct smtp *smtp, struct arena *arena, struct str bytes)
{
	dialog_put(&smtp->dialog, encode_base64(arena, bytes, true, false));
	dialog_put(&smtp->dialog, STR("\r\n"));
}

/* RFC 4616, with an initial response (RFC 4954 4). */
static int
auth_plain(struct smtp *smtp, struct arena *arena, struct err *err)
{
	struct buf secret;

	buf_init(&secret, 65536);
	buf_add_char(&secret, '\0');
	buf_add_text(&secret, smtp->relay->user);
	buf_add_char(&secret, '\0');
	buf_add(&secret, smtp->relay->password.text);
	dialog_put(&smtp->dialog, STR("AUTH PLAIN "));
	put_base64(smtp, arena, buf_view(&secret));
	buf_clear(&secret);
	return expect(smtp, 235, "AUTH", err);
}

static int
auth_login(struct smtp *smtp, struct arena *arena, struct err *err)
{
	dialog_put(&smtp->dialog, STR("AUTH LOGIN\r\n"));
	if (expect(smtp, 334, "AUTH", err) < 0)
		return -1;
	put_base64(smtp, arena, str_from(smtp->relay->user));
	if (expect(smtp, 334, "AUTH", err) < 0)
		return -1;
	put_base64(smtp, arena, smtp->relay->password.text);
	return expect(smtp, 235, "AUTH", err);
}

static int
authenticate(struct smtp *smtp, struct err *err)
{
	struct arena *arena;
	int result;

	if (smtp->relay->user == NULL || smtp->relay->user[0] == '\0')
		return 0;
	if (smtp->dialog.tls == NULL && !smtp->dialog.is_local)
		return err_temp(err, "4.7.0",
			"the password is not sent to %s in clear text: set "
			"submission_ssl",
			smtp->dialog.host);
	arena = arena_open();
	if (smtp->offers.auth_plain)
		result = auth_plain(smtp, arena, err);
	else if (smtp->offers.auth_login)
		result = auth_login(smtp, arena, err);
	else
		result = err_temp(err, "4.7.0",
			"%s offers neither AUTH PLAIN nor LOGIN",
			smtp->dialog.host);
	arena_close(&arena);
	return result;
}

static unsigned
default_port(const struct outbound_relay *relay)
{
	if (relay->is_lmtp)
		return LMTP_PORT;
	return relay->tls == OUTBOUND_IMPLICIT ? SMTP_SUBMISSIONS_PORT
	                                       : SMTP_PORT;
}

static int
open_session(struct smtp *smtp, uint64_t until_ms, struct err *err)
{
	const struct outbound_relay *relay = smtp->relay;

	smtp->messages = smtp->refused = 0;
	if (dialog_open(&smtp->dialog, relay->host, default_port(relay),
		    until_ms, err) < 0)
		return -1;
	if (relay->tls == OUTBOUND_IMPLICIT && start_tls(smtp, err) < 0)
		return -1;
	if (expect(smtp, 220, "the connection", err) < 0 ||
		greet(smtp, err) < 0 || upgrade(smtp, err) < 0 ||
		authenticate(smtp, err) < 0)
		return -1;
	smtp->is_open = true;
	return 0;
}

bool
smtp_is_open(const struct smtp *smtp)
{
	return smtp->is_open;
}

/* ---- one message ---- */

/* What one transaction needs to know. */
struct transaction {
	struct smtp *smtp;
	const struct outbound_mail *mail;
	struct err *results;
	size_t asked;    /* recipients that RCPT was put for */
	size_t answered; /* and those that have their reply */
	size_t accepted;
	bool is_deferred; /* somebody is refused for now */
	bool is_begun;    /* DATA was said */
};

/* As SMTP counts it, where that is known without reading it all. */
static uint64_t
size_of(const struct content *content)
{
	uint64_t size = 0;
	size_t i;

	if (content->count == 1 && !content->pieces[0].is_text)
		return message_size_crlf(content->message);
	for (i = 0; i < content->count; i++) {
		const struct content_piece *piece = &content->pieces[i];

		size += piece->is_text ? piece->text.len
		                       : piece->to - piece->from;
	}
	return size;
}

static bool
needs_utf8(const struct outbound_mail *mail)
{
	size_t i;

	for (i = 0; i < mail->count; i++)
		if (!utf8_is_ascii(mail->recipients[i]))
			return true;
	return !utf8_is_ascii(mail->sender);
}

/* xtext (RFC 3461 4). */
static void
put_xtext(struct dialog *dialog, struct str text)
{
	size_t i;

	for (i = 0; i < text.len; i++) {
		char c = text.data[i];

		if (c < '!' || c > '~' || c == '+' || c == '=')
			dialog_put_format(
				dialog, "+%02X", (unsigned)(unsigned char)c);
		else
			dialog_put(dialog, str_of(&c, 1));
	}
}

static void
put_parameter(struct dialog *dialog, const char *name, struct str value)
{
	if (value.len > 0)
		dialog_put_format(dialog, " %s=%.*s", name, STR_ARG(value));
}

static void
put_mail(struct smtp *smtp, const struct outbound_mail *mail)
{
	struct dialog *dialog = &smtp->dialog;
	const struct outbound_wishes *wishes = &mail->wishes;

	dialog_put_format(dialog, "MAIL FROM:<%.*s>", STR_ARG(mail->sender));
	if (smtp->offers.has_size)
		dialog_put_format(dialog, " SIZE=%llu",
			(unsigned long long)size_of(mail->content));
	/* Whether there are such bytes is not looked for: it does no harm.  A
	 * server without it gets them as they are, as changing them would break
	 * signatures. */
	if (smtp->offers.eightbitmime)
		dialog_put(dialog, STR(" BODY=8BITMIME"));
	if (needs_utf8(mail))
		dialog_put(dialog, STR(" SMTPUTF8"));
	if (smtp->offers.dsn) {
		put_parameter(dialog, "RET", wishes->ret);
		if (wishes->envid.len > 0) {
			dialog_put(dialog, STR(" ENVID="));
			put_xtext(dialog, wishes->envid);
		}
	}
	if (smtp->offers.deliverby)
		put_parameter(dialog, "BY", wishes->by);
	dialog_put(dialog, STR("\r\n"));
}

static void
put_rcpt(struct smtp *smtp, const struct outbound_mail *mail, size_t i)
{
	struct dialog *dialog = &smtp->dialog;
	struct str orcpt = mail->wishes.orcpt;

	dialog_put_format(
		dialog, "RCPT TO:<%.*s>", STR_ARG(mail->recipients[i]));
	if (smtp->offers.dsn) {
		size_t type = str_find_char(orcpt, ';') + 1;

		put_parameter(dialog, "NOTIFY", mail->wishes.notify);
		if (orcpt.len > type) {
			put_parameter(
				dialog, "ORCPT", str_slice(orcpt, 0, type));
			put_xtext(dialog, str_skip(orcpt, type));
		}
	}
	dialog_put(dialog, STR("\r\n"));
}

/* What cannot be, known before anything is sent. */
static int
check_offers(const struct smtp *smtp, const struct outbound_mail *mail,
	struct err *err)
{
	uint64_t size = size_of(mail->content);

	if (smtp->offers.size > 0 && size > smtp->offers.size) {
		err_set(err, ERR_REFUSED, "5.3.4", "message is too big");
		return err_detail(err,
			"%s takes messages of %llu bytes, this one has %llu",
			smtp->dialog.host,
			(unsigned long long)smtp->offers.size,
			(unsigned long long)size);
	}
	if (needs_utf8(mail) && !smtp->offers.smtputf8) {
		err_set(err, ERR_REFUSED, "5.6.7",
			"an address is not ASCII, and the next server takes "
			"no other");
		return err_detail(
			err, "%s does not offer SMTPUTF8", smtp->dialog.host);
	}
	return 0;
}

static int
hear_mail(struct smtp *smtp, struct err *err)
{
	struct reply reply;

	if (dialog_reply(&smtp->dialog, &reply, NULL, err) < 0)
		return -1;
	if (reply_is_good(&reply))
		return 0;
	/* 530 5.7.0 Authentication required, 503: about us, not the message. */
	if (reply.code == 530 || reply.code == 503)
		return temporary_reply(&reply, smtp, "MAIL FROM", err);
	return reply_err(&reply, smtp->dialog.host, "MAIL FROM", err);
}

/* Of recipients that were asked for together with a sender that is refused: it is
 * about the order of commands, not about them. */
static int
pass_over_rcpt(struct transaction *transaction)
{
	struct reply reply;
	struct err err;

	transaction->answered++;
	return dialog_reply(&transaction->smtp->dialog, &reply, NULL, &err);
}

static int
hear_rcpt(struct transaction *transaction, struct err *err)
{
	struct smtp *smtp = transaction->smtp;
	size_t i = transaction->answered;
	struct reply reply;

	if (dialog_reply(&smtp->dialog, &reply, NULL, err) < 0)
		return -1;
	transaction->answered++;
	if (reply_is_good(&reply)) {
		transaction->accepted++;
		return 0;
	}
	(void)reply_err(
		&reply, smtp->dialog.host, "RCPT TO", &transaction->results[i]);
	transaction->is_deferred |=
		transaction->results[i].kind == ERR_TEMPORARY;
	return 0;
}

/* MAIL and RCPT.  All replies that are due are read, even when one is bad: the
 * next message's must not be taken for them. */
static int
ask(struct transaction *transaction, struct err *err)
{
	struct smtp *smtp = transaction->smtp;
	const struct outbound_mail *mail = transaction->mail;
	size_t together = smtp->offers.pipelining ? PIPELINED_MAX : 1, i;

	put_mail(smtp, mail);
	for (i = 0;
		smtp->offers.pipelining && i < mail->count && i + 1 < together;
		i++)
		put_rcpt(smtp, mail, transaction->asked++);
	if (hear_mail(smtp, err) < 0) {
		while (transaction->answered < transaction->asked)
			if (pass_over_rcpt(transaction) < 0)
				break;
		return -1;
	}
	for (;;) {
		while (transaction->answered < transaction->asked)
			if (hear_rcpt(transaction, err) < 0)
				return -1;
		if (transaction->asked == mail->count)
			return 0;
		for (i = 0; transaction->asked < mail->count && i < together;
			i++)
			put_rcpt(smtp, mail, transaction->asked++);
	}
}

/* What is sent behind DATA. */
struct stuffing {
	struct dialog *dialog;
	bool at_line_start;
	bool has_cr; /* the last byte was one; what follows decides */
};

/* A dot at the beginning of a line is doubled (RFC 5321 4.5.2). */
static void
put_stuffed(struct stuffing *stuffing, struct str text)
{
	while (text.len > 0) {
		size_t end = str_find_char(text, '\n') + 1;

		if (end > text.len)
			end = text.len;
		if (stuffing->at_line_start && text.data[0] == '.')
			dialog_put(stuffing->dialog, STR("."));
		dialog_put(stuffing->dialog, str_slice(text, 0, end));
		stuffing->at_line_start = text.data[end - 1] == '\n';
		text = str_skip(text, end);
	}
}

/* RFC 5321 2.3.8: a CR alone MUST NOT be sent.  A server to which it ends a line
 * could find the end of the message, and commands, in the text.  Postfix makes it
 * a blank, too. */
static void
end_cr(struct stuffing *stuffing, bool is_line_end)
{
	if (stuffing->has_cr)
		put_stuffed(stuffing, is_line_end ? STR("\r") : STR(" "));
	stuffing->has_cr = false;
}

static void
put_chunk(struct stuffing *stuffing, struct str chunk)
{
	while (chunk.len > 0) {
		size_t cr = str_find_char(chunk, '\r');

		end_cr(stuffing, chunk.data[0] == '\n');
		put_stuffed(stuffing, str_slice(chunk, 0, cr));
		stuffing->has_cr = cr < chunk.len;
		chunk = str_skip(chunk, cr + 1);
	}
}

static int
put_content(struct smtp *smtp, const struct content *content, struct err *err)
{
	struct arena *arena = arena_open();
	char *buffer = arena_alloc(arena, CHUNK_BYTES);
	struct stuffing stuffing = {
		.dialog = &smtp->dialog, .at_line_start = true};
	struct content_reader reader;
	struct str chunk;
	enum lookup more;
	int result = 0;

	content_reader_init(
		&reader, content, LINE_ENDS_CRLF, buffer, CHUNK_BYTES);
	while (result == 0 &&
		(more = content_read(&reader, &chunk, err)) != LOOKUP_NONE) {
		result = more == LOOKUP_ERROR ? -1 : 0;
		if (result < 0)
			break;
		put_chunk(&stuffing, chunk);
		result = dialog_flush(&smtp->dialog, err);
	}
	arena_close(&arena);
	if (result < 0)
		return -1;
	end_cr(&stuffing, false);
	dialog_put(&smtp->dialog,
		stuffing.at_line_start ? STR(".\r\n") : STR("\r\n.\r\n"));
	return 0;
}

/* A message that was begun and not ended must not be taken for a whole one: the
 * connection ends with the fault. */
static int
transfer(struct transaction *transaction, struct err *err)
{
	struct smtp *smtp = transaction->smtp;
	struct reply reply;

	transaction->is_begun = true;
	dialog_put(&smtp->dialog, STR("DATA\r\n"));
	if (dialog_reply(&smtp->dialog, &reply, NULL, err) < 0)
		return -1;
	if (reply.code != 354) {
		if (reply_is_good(&reply)) /* where 354 belongs */
			return temporary_reply(&reply, smtp, "DATA", err);
		return reply_err(&reply, smtp->dialog.host, "DATA", err);
	}
	if (put_content(smtp, transaction->mail->content, err) < 0) {
		smtp->dialog.is_lost = true;
		return -1;
	}
	if (smtp->relay->is_lmtp)
		return lmtp_read_results(
			smtp, transaction->mail, transaction->results, err);
	if (dialog_reply(&smtp->dialog, &reply, NULL, err) < 0)
		return -1;
	if (reply_is_good(&reply))
		return 0;
	return reply_err(&reply, smtp->dialog.host, "the message", err);
}

/* Those that have no result of their own get this one. */
static void
fail_rest(struct transaction *transaction, const struct err *err)
{
	size_t i;

	for (i = 0; i < transaction->mail->count; i++)
		if (transaction->results[i].kind == ERR_NONE)
			transaction->results[i] = *err;
}

static void
reset(struct smtp *smtp)
{
	struct err err;

	if (!dialog_is_open(&smtp->dialog))
		return;
	dialog_put(&smtp->dialog, STR("RSET\r\n"));
	if (expect(smtp, 250, "RSET", &err) < 0)
		hang_up(smtp);
}

static int
run(struct transaction *transaction, struct err *err)
{
	struct smtp *smtp = transaction->smtp;

	if (check_offers(smtp, transaction->mail, err) < 0 ||
		ask(transaction, err) < 0)
		return -1;
	if (transaction->is_deferred)
		return err_temp(err, "4.5.0",
			"%s refuses another recipient for now",
			smtp->dialog.host);
	if (transaction->accepted == 0) {
		reset(smtp);
		return 0;
	}
	return transfer(transaction, err);
}

/* Servers answer a client slowly that made many mistakes in a row: addresses of one
 * user's script must not make everybody's mail wait. */
static bool
is_unwelcome(const struct smtp *smtp)
{
	return smtp->refused >= SMTP_REFUSED_MAX;
}

/* A connection that was kept may have been closed meanwhile. */
static void
drop_old(struct smtp *smtp)
{
	if (smtp->is_open &&
		(smtp->messages >= SMTP_MESSAGES_MAX || is_unwelcome(smtp) ||
			!dialog_is_quiet(&smtp->dialog)))
		smtp_close(smtp);
}

static void
begin(struct transaction *transaction)
{
	size_t i;

	transaction->asked = transaction->answered = 0;
	transaction->accepted = 0;
	transaction->is_deferred = transaction->is_begun = false;
	for (i = 0; i < transaction->mail->count; i++)
		err_clear(&transaction->results[i]);
}

static int
try_once(struct transaction *transaction, uint64_t until_ms, struct err *err)
{
	struct smtp *smtp = transaction->smtp;
	int result;

	begin(transaction);
	if (!smtp->is_open && open_session(smtp, until_ms, err) < 0) {
		hang_up(smtp);
		return -1;
	}
	smtp->dialog.until_ms = until_ms;
	smtp->messages++;
	result = run(transaction, err);
	if (smtp->dialog.is_lost)
		hang_up(smtp);
	else if (result < 0)
		reset(smtp);
	smtp->refused = result == 0 && transaction->accepted > 0
	                        ? 0
	                        : smtp->refused + 1;
	return result;
}

static void
send_message(struct transaction *transaction, uint64_t until_ms)
{
	struct smtp *smtp = transaction->smtp;
	bool was_open;
	struct err err;

	err_clear(&err);
	drop_old(smtp);
	was_open = smtp->is_open;
	if (try_once(transaction, until_ms, &err) == 0)
		return;
	/* The server ended the old connection just as we spoke. */
	if (was_open && !smtp->is_open && !transaction->is_begun &&
		err.kind == ERR_TEMPORARY) {
		err_clear(&err);
		if (try_once(transaction, until_ms, &err) == 0)
			return;
	}
	fail_rest(transaction, &err);
}

void
smtp_send(struct smtp *smtp, const struct outbound_mail *mail,
	uint64_t until_ms, struct err *results)
{
	struct transaction transaction = {
		.smtp = smtp, .mail = mail, .results = results};

	send_message(&transaction, until_ms);
	smtp->had_data = transaction.is_begun;
}
