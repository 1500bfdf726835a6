/* SPDX-License-Identifier: MIT */
#include "proxy/client.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/test.h"

#include "base/banned.h"

/* A client, what it has called, and what it has said. */
struct stage {
	struct client client;
	struct buf calls; /* one a line */
	struct buf said;
	bool is_open;
};

static struct stage *
stage_of(struct client *client)
{
	return CONTAINER_OF(client, struct stage, client);
}

static void
on_ready(struct client *client)
{
	buf_add_text(&stage_of(client)->calls, "ready\n");
}

static void
on_starttls(struct client *client)
{
	buf_add_text(&stage_of(client)->calls, "starttls\n");
}

static void
on_rcpt(struct client *client, void *recipient,
	const struct backend_reply *reply)
{
	buf_add_format(&stage_of(client)->calls, "rcpt %s %u\n",
		(const char *)recipient, reply->code);
}

static void
on_result(struct client *client, void *recipient,
	const struct backend_reply *reply)
{
	buf_add_format(&stage_of(client)->calls, "result %s %u %s %s\n",
		(const char *)recipient, reply->code, reply->status,
		reply->text);
}

static void
on_failed(
	struct client *client, enum client_failure failure, const char *detail)
{
	static const char *const names[] = {"lost", "bad", "unwilling"};

	buf_add_format(
		&stage_of(client)->calls, "%s: %s\n", names[failure], detail);
}

static const struct client_events events = {
	.ready = on_ready,
	.starttls = on_starttls,
	.rcpt = on_rcpt,
	.result = on_result,
	.failed = on_failed,
};

static struct stage *
stage(enum route_protocol protocol, bool starts_tls)
{
	static struct stage all;
	struct stage *stage = &all;

	if (stage->is_open) {
		client_close(&stage->client);
		buf_clear(&stage->calls);
		buf_clear(&stage->said);
	}
	memset(stage, 0, sizeof(*stage));
	stage->is_open = true;
	buf_init(&stage->calls, BUF_UNLIMITED);
	buf_init(&stage->said, BUF_UNLIMITED);
	stage->client.events = &events;
	stage->client.name = "proxy.example";
	stage->client.protocol = protocol;
	stage->client.starts_tls = starts_tls;
	stage->client.pipelines = true;
	client_open(&stage->client);
	return stage;
}

static void
write_all(struct stage *stage)
{
	struct client *client = &stage->client;

	buf_add(&stage->said, buf_view(&client->output));
	client_wrote(client, client->output.len);
}

static void
hear_at_once(struct stage *stage, const char *text)
{
	write_all(stage);
	client_input(&stage->client, str_from(text));
}

/* Each line comes when all before it has been written. */
static void
hear(struct stage *stage, const char *text)
{
	struct str rest = str_from(text);

	while (rest.len > 0) {
		size_t length = str_find_char(rest, '\n');

		if (length < rest.len)
			length++;
		write_all(stage);
		client_input(&stage->client, str_slice(rest, 0, length));
		rest = str_skip(rest, length);
	}
}

/* What was called, or said, since the last look. */
static const char *
look(struct buf *buf)
{
	static char text[2][4096];
	static unsigned turn;
	char *out = text[turn++ % 2];

	snprintf(out, sizeof(text[0]), "%s", buf->len > 0 ? buf_text(buf) : "");
	buf_reset(buf);
	return out;
}

#define CALLED(stage, expected) CHECK_STR(look(&(stage)->calls), expected)
static const char *
said(struct stage *stage)
{
	write_all(stage);
	return look(&stage->said);
}

#define SAID(stage, expected) CHECK_STR(said(stage), expected)

static struct stage *
ready_stage(const char *offers)
{
	struct stage *made = stage(ROUTE_LMTP, false);
	char hello[1000];

	hear(made, "220 hi\r\n");
	SAID(made, "LHLO proxy.example\r\n");
	snprintf(hello, sizeof(hello), "250-b\r\n%s250 END\r\n", offers);
	hear(made, hello);
	CALLED(made, "ready\n");
	return made;
}

static void
mail(struct stage *stage)
{
	const struct client_mail mail = {.sender = STR("ada@x")};

	client_mail(&stage->client, &mail);
}

static void
rcpt(struct stage *stage, const char *name)
{
	client_rcpt(
		&stage->client, &(struct client_rcpt){.path = str_from(name),
					.recipient = (void *)(uintptr_t)name});
}

/* All bytes of the message at once. */
static void
body(struct stage *stage, const char *text)
{
	client_body(&stage->client, str_from(text));
	client_body_end(&stage->client);
}

TEST(commands_go_one_by_one_unless_more_is_offered)
{
	struct stage *one = ready_stage("");

	mail(one);
	rcpt(one, "amy@x");
	SAID(one, "MAIL FROM:<ada@x>\r\n");
	hear(one, "250 ok\r\n");
	SAID(one, "RCPT TO:<amy@x>\r\n");
	hear(one, "250 ok\r\n");
	CALLED(one, "rcpt amy@x 250\n");
}

TEST(with_pipelining_they_go_together)
{
	struct stage *one = ready_stage("250-PIPELINING\r\n");

	mail(one);
	rcpt(one, "amy@x");
	rcpt(one, "bob@x");
	SAID(one, "MAIL FROM:<ada@x>\r\nRCPT TO:<amy@x>\r\n"
		  "RCPT TO:<bob@x>\r\n");
	hear(one, "250 ok\r\n250 ok\r\n550 5.1.1 no\r\n");
	CALLED(one, "rcpt amy@x 250\nrcpt bob@x 550\n");
}

TEST(every_recipient_has_a_result_in_order)
{
	struct stage *one = ready_stage("250-PIPELINING\r\n");

	mail(one);
	rcpt(one, "amy@x");
	rcpt(one, "bob@x");
	rcpt(one, "cyd@x");
	hear(one, "250 ok\r\n250 ok\r\n550 5.1.1 no\r\n250 ok\r\n");
	(void)look(&one->calls);
	(void)said(one);
	client_data(&one->client, 3);
	SAID(one, "DATA\r\n");
	hear(one, "354 go\r\n");
	CHECK(client_wants_body(&one->client));
	body(one, "hi\r\n");
	SAID(one, "hi\r\n.\r\n");
	hear(one, "250 2.0.0 one\r\n452-4.2.2 full\r\n452 4.2.2 up\r\n");
	CALLED(one, "result amy@x 250 2.0.0 one\n"
		    "result cyd@x 452 4.2.2 full\nup\n"
		    "ready\n");
}

TEST(one_answer_of_smtp_is_that_of_all)
{
	struct stage *one = stage(ROUTE_SMTP, false);

	hear(one, "220 hi\r\n");
	SAID(one, "EHLO proxy.example\r\n");
	hear(one, "250 b\r\n");
	mail(one);
	rcpt(one, "amy@x");
	rcpt(one, "bob@x");
	hear(one, "250 ok\r\n");
	hear(one, "250 ok\r\n");
	hear(one, "250 ok\r\n");
	client_data(&one->client, 3);
	hear(one, "354 go\r\n");
	body(one, "hi\r\n");
	(void)look(&one->calls);
	hear(one, "250 2.0.0 queued\r\n");
	CALLED(one, "result amy@x 250 2.0.0 queued\n"
		    "result bob@x 250 2.0.0 queued\n"
		    "ready\n");
}

TEST(a_refusal_of_mail_is_that_of_all_recipients)
{
	struct stage *one = ready_stage("250-PIPELINING\r\n");

	mail(one);
	rcpt(one, "amy@x");
	rcpt(one, "bob@x");
	hear(one, "552 5.3.4 big\r\n503 no\r\n503 no\r\n");
	CALLED(one, "rcpt amy@x 552\nrcpt bob@x 552\n");
	CHECK(client_reset(&one->client));
	hear(one, "250 ok\r\n");
	CALLED(one, "ready\n");
}

TEST(dots_and_bare_line_ends_cannot_end_a_message)
{
	static const struct {
		const char *sent, *written;
	} cases[] = {
		{"", ".\r\n"},
		{".", "..\r\n.\r\n"},
		{"a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n.\r\n"},
		{"a\n.\nb", "a\r\n..\r\nb\r\n.\r\n"},
		{"a\r.\rb\r", "a\r\n..\r\nb\r\n.\r\n"},
		{"a\r\r\n\n", "a\r\n\r\n\r\n.\r\n"},
		{"no end", "no end\r\n.\r\n"},
	};
	size_t i, at;

	for (i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct stage *one = ready_stage("");

		mail(one);
		hear(one, "250 ok\r\n");
		rcpt(one, "amy@x");
		hear(one, "250 ok\r\n");
		client_data(&one->client, 3);
		hear(one, "354 go\r\n");
		(void)said(one);
		/* However it is cut into pieces. */
		for (at = 0; cases[i].sent[at] != '\0'; at++)
			client_body(
				&one->client, str_of(cases[i].sent + at, 1));
		client_body_end(&one->client);
		SAID(one, cases[i].written);
	}
}

TEST(chunks_are_sent_as_they_are)
{
	struct stage *one = ready_stage("250-CHUNKING\r\n");

	mail(one);
	hear(one, "250 ok\r\n");
	rcpt(one, "amy@x");
	hear(one, "250 ok\r\n");
	(void)said(one);
	client_data(&one->client, 6);
	CHECK(client_wants_body(&one->client));
	body(one, ".\n.\r\n.");
	SAID(one, "BDAT 6 LAST\r\n.\n.\r\n.");
	(void)look(&one->calls);
	hear(one, "250 2.0.0 ok\r\n");
	CALLED(one, "result amy@x 250 2.0.0 ok\nready\n");
}

TEST(what_makes_no_sense_ends_it)
{
	static const struct {
		const char *heard, *called;
	} cases[] = {
		{"hello\r\n", "bad: what came is no reply\n"},
		{"220\r\n", ""},
		{"220-hi\r\n221 hi\r\n", "bad: what came is no reply\n"},
		{"999 hi\r\n", "bad: what came is no reply\n"},
		{"199 hi\r\n", "bad: what came is no reply\n"},
		{"250 hi\r\n", "unwilling: greeting: 250 hi\n"},
		{"554 5.7.1 no\r\n", "unwilling: greeting: 554 5.7.1 no\n"},
		{"421 4.3.2 busy\r\n", "lost: 421 4.3.2 busy\n"},
		{"220 hi\r\n\r\n", "bad: what came is no reply\n"},
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct stage *one = stage(ROUTE_LMTP, false);

		if (strstr(cases[i].heard, "\r\n\r\n") != NULL) {
			hear(one, "220 hi\r\n");
			(void)said(one);
			hear(one, "\r\n");
		} else {
			hear(one, cases[i].heard);
		}
		CALLED(one, cases[i].called);
	}
}

TEST(an_answer_has_so_many_lines_and_bytes_at_most)
{
	struct stage *one = stage(ROUTE_LMTP, false);
	unsigned i;

	for (i = 0; i < 10000; i++)
		hear(one, "220-and one more\r\n");
	CALLED(one, "bad: what came is no reply\n");
	one = stage(ROUTE_LMTP, false);
	for (i = 0; i < 10000; i++)
		hear(one, "220 and no end of it");
	CALLED(one, "bad: a line without an end\n");
}

TEST(nothing_is_called_behind_a_failure)
{
	struct stage *one = ready_stage("250-PIPELINING\r\n");

	mail(one);
	rcpt(one, "amy@x");
	hear(one, "250 ok\r\nhello\r\n250 ok\r\n");
	CALLED(one, "bad: what came is no reply\n");
	client_lost(&one->client, "closed");
	hear(one, "250 ok\r\n");
	CALLED(one, "");
	CHECK(!client_reset(&one->client));
}

TEST(an_answer_before_the_end_of_the_message_is_none)
{
	struct stage *one = ready_stage("");

	mail(one);
	hear(one, "250 ok\r\n");
	rcpt(one, "amy@x");
	hear(one, "250 ok\r\n");
	client_data(&one->client, 3);
	hear(one, "354 go\r\n");
	client_body(&one->client, STR("half"));
	(void)look(&one->calls);
	hear(one, "250 2.0.0 taken\r\n");
	CALLED(one, "bad: an answer that nobody asked for\n");
	CHECK(!client_reset(&one->client));
}

TEST(an_answer_in_the_midst_of_a_chunk_is_none)
{
	struct stage *one = ready_stage("250-CHUNKING\r\n");

	mail(one);
	hear(one, "250 ok\r\n");
	rcpt(one, "amy@x");
	hear(one, "250 ok\r\n");
	client_data(&one->client, 30);
	client_body(&one->client, STR("half"));
	(void)look(&one->calls);
	hear(one, "250 2.0.0 taken\r\n");
	CALLED(one, "bad: an answer ahead of the message's end\n");
}

TEST(an_answer_belongs_to_no_command_that_was_not_written)
{
	struct stage *one = stage(ROUTE_LMTP, false);

	hear_at_once(one, "220 hi\r\n250 too early\r\n");
	CALLED(one, "bad: an answer that nobody asked for\n");
	one = ready_stage("");
	mail(one);
	rcpt(one, "amy");
	hear_at_once(one, "250 mail\r\n250 too early\r\n");
	CALLED(one, "bad: an answer that nobody asked for\n");
	/* Its first byte was there before. */
	one = ready_stage("");
	hear_at_once(one, "2");
	mail(one);
	hear_at_once(one, "50 one too many\r\n");
	CALLED(one, "bad: an answer that nobody asked for\n");
}

TEST(what_is_taken_back_behind_data_is_no_message)
{
	struct stage *one = ready_stage("");

	mail(one);
	rcpt(one, "amy@x");
	hear(one, "250 ok\r\n250 ok\r\n");
	CALLED(one, "rcpt amy@x 250\n");
	client_data(&one->client, 0);
	CHECK(!client_reset(&one->client));
	SAID(one, "MAIL FROM:<ada@x>\r\nRCPT TO:<amy@x>\r\nDATA\r\n");
}

TEST(data_that_is_refused_is_the_result)
{
	struct stage *one = ready_stage("");

	mail(one);
	hear(one, "250 ok\r\n");
	rcpt(one, "amy@x");
	hear(one, "250 ok\r\n");
	client_data(&one->client, 3);
	(void)look(&one->calls);
	hear(one, "451 4.3.0 later\r\n");
	CALLED(one, "result amy@x 451 4.3.0 later\n");
	CHECK(!client_wants_body(&one->client));
}

TEST(xclient_names_what_is_offered_and_greets_again)
{
	struct stage *one = ready_stage(
		"250-PIPELINING\r\n250-XCLIENT ADDR SESSION TTL\r\n");
	const struct client_origin origin = {.session = STR("a+b"),
		.ip = STR("2001:db8::1"),
		.port = 7,
		.helo = STR("h"),
		.ttl = 4};
	const struct client_mail with = {
		.sender = STR("ada@x"), .origin = &origin};

	client_mail(&one->client, &with);
	rcpt(one, "amy@x");
	SAID(one, "XCLIENT ADDR=IPV6:2001:db8::1 SESSION=a+2Bb TTL=4\r\n");
	hear(one, "220 again\r\n");
	SAID(one, "LHLO proxy.example\r\n");
	hear(one, "250-b\r\n250 PIPELINING\r\n");
	SAID(one, "MAIL FROM:<ada@x>\r\nRCPT TO:<amy@x>\r\n");
	hear(one, "250 ok\r\n250 ok\r\n");
	CALLED(one, "rcpt amy@x 250\n");
	CHECK(client_reset(&one->client));
	SAID(one, "RSET\r\n");
	hear(one, "250 ok\r\n");
	CALLED(one, "ready\n");
	client_mail(&one->client, &with);
	SAID(one, "MAIL FROM:<ada@x>\r\n");
}

TEST(starttls_forgets_what_was_offered_before)
{
	struct stage *one = stage(ROUTE_LMTP, true);

	hear(one, "220 hi\r\n");
	hear(one, "250-b\r\n250-PIPELINING\r\n250 STARTTLS\r\n");
	(void)said(one);
	hear(one, "220 go\r\n");
	CALLED(one, "starttls\n");
	client_tls_started(&one->client);
	SAID(one, "LHLO proxy.example\r\n");
	hear(one, "250 b\r\n");
	CALLED(one, "ready\n");
	CHECK(!one->client.offers.plain.pipelining);
}

TEST(text_ahead_of_tls_ends_it)
{
	struct stage *one = stage(ROUTE_LMTP, true);

	hear(one, "220 hi\r\n");
	hear(one, "250-b\r\n250 STARTTLS\r\n");
	hear(one, "220 go\r\n250 half");
	CALLED(one, "starttls\n");
	client_tls_started(&one->client);
	CALLED(one, "bad: text ahead of TLS\n");
}

TEST(without_starttls_there_is_no_mail_where_it_is_wanted)
{
	struct stage *one = stage(ROUTE_LMTP, true);

	hear(one, "220 hi\r\n");
	hear(one, "250 b\r\n");
	CALLED(one, "unwilling: STARTTLS is not offered\n");
}

TEST(parameters_go_where_they_are_offered)
{
	const struct client_mail all = {.sender = STR("ada@x"),
		.size = 9,
		.ret = STR("HDRS"),
		.envid = STR("a b")};
	struct stage *one =
		ready_stage("250-SIZE 10\r\n250-8BITMIME\r\n250-DSN\r\n");

	client_mail(&one->client, &all);
	SAID(one, "MAIL FROM:<ada@x> SIZE=9 BODY=8BITMIME RET=HDRS "
		  "ENVID=a+20b\r\n");
	one = ready_stage("");
	client_mail(&one->client, &all);
	SAID(one, "MAIL FROM:<ada@x>\r\n");
}

TEST(smtputf8_goes_where_it_is_offered)
{
	const struct client_mail utf8 = {
		.sender = STR("\303\244@x"), .is_utf8 = true};
	struct stage *one = ready_stage("250-SMTPUTF8\r\n");

	client_mail(&one->client, &utf8);
	SAID(one, "MAIL FROM:<\303\244@x> SMTPUTF8\r\n");
	one = ready_stage("");
	mail(one);
	SAID(one, "MAIL FROM:<ada@x>\r\n");
}
