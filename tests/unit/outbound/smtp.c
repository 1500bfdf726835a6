/* The client against a server that reads from a script
 *
 *   "> text"   it says that line
 *   "< text"   it hears a line that begins so, or closes
 *   "<*"       it hears any line
 *   "<."       it hears lines up to a dot
 *   "!"        it closes, and waits for the next connection
 *   "?"        it says nothing more, and waits
 *   ">> text"  it says that without a line end
 *   "@ text"   it says that line until nobody listens
 *
 * What it heard is in the file "heard".
 *
 * SPDX-License-Identifier: MIT
 */
#include "outbound/smtp.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/fd.h"
#include "mail/message.h"
#include "tests/lib/test.h"

#include "base/banned.h"

enum { MOST_RESULTS = 60, LONG_MS = 20000, SHORT_MS = 400 };

#define GREETING "> 220 mx.example ready"
#define EHLO GREETING, "< EHLO me.example"
#define PLAIN EHLO, "> 250 mx.example"
#define PIPELINING EHLO, "> 250-mx.example", "> 250 PIPELINING"

/* ---- the server ---- */

struct server {
	FILE *heard;
	FILE *peer;
	int listener;
};

static bool
hear(struct server *server, char *line, size_t size)
{
	if (fgets(line, (int)size, server->peer) == NULL)
		return false;
	fputs(line, server->heard);
	fflush(server->heard);
	return true;
}

static void
next_peer(struct server *server)
{
	int fd;

	if (server->peer != NULL)
		fclose(server->peer);
	fd = accept(server->listener, NULL, NULL);
	if (fd < 0)
		_exit(1);
	server->peer = fdopen(fd, "r+");
	setvbuf(server->peer, NULL, _IONBF, 0);
}

static void
say_for_ever(struct server *server, const char *text)
{
	while (fprintf(server->peer, "%s\r\n", text) > 0)
		continue;
}

/* False: the client did not do what it should. */
static bool
play(struct server *server, const char *step)
{
	char line[65536];

	if (strcmp(step, "!") == 0) {
		next_peer(server);
		return true;
	}
	if (strcmp(step, "?") == 0) {
		while (hear(server, line, sizeof(line)))
			continue;
		return true;
	}
	if (strncmp(step, ">> ", 3) == 0)
		return fputs(step + 3, server->peer) >= 0;
	if (strncmp(step, "> ", 2) == 0)
		return fprintf(server->peer, "%s\r\n", step + 2) > 0;
	if (step[0] == '@') {
		say_for_ever(server, step + 2);
		return true;
	}
	if (!hear(server, line, sizeof(line)))
		return false;
	if (strcmp(step, "<.") == 0) {
		while (strcmp(line, ".\r\n") != 0)
			if (!hear(server, line, sizeof(line)))
				return false;
		return true;
	}
	return strcmp(step, "<*") == 0 ||
	       strncmp(line, step + 2, strlen(step + 2)) == 0;
}

NO_RETURN static void
serve(int listener, const char *path, const char *const *script, size_t count)
{
	struct server server = {
		.listener = listener, .heard = fopen(path, "w")};
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	next_peer(&server);
	for (i = 0; i < count; i++)
		if (!play(&server, script[i]))
			break;
	fclose(server.peer);
	fclose(server.heard);
	_exit(0);
}

/* ---- the client ---- */

struct client {
	char host[40];
	pid_t server;
	struct outbound_relay relay;
	struct smtp smtp;
	struct outbound_mail mail;
	struct str recipients[MOST_RESULTS];
	struct err results[MOST_RESULTS];
	struct arena *arena;
	struct message *message;
};

static void
listen_somewhere(struct client *client, const char *const *script, size_t count)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	const char *path = test_path("heard");
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	REQUIRE(fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0 &&
		listen(fd, 5) == 0 &&
		getsockname(fd, (struct sockaddr *)&address, &size) == 0);
	snprintf(client->host, sizeof(client->host), "127.0.0.1:%u",
		ntohs(address.sin_port));
	client->server = fork();
	REQUIRE(client->server >= 0);
	if (client->server == 0)
		serve(fd, path, script, count);
	close(fd);
}

static void
set_message(struct client *client, const char *text)
{
	static const struct message_limits limits = {.memory_bytes = 1 << 20,
		.header_bytes = 1 << 20,
		.header_fields = 1000,
		.temp_folder = "/tmp"};
	struct err err;

	REQUIRE(message_open_bytes(
			str_from(text), &limits, &client->message, &err) == 0);
	client->mail.content = content_of(client->arena, client->message);
}

static struct client *
start(const char *const *script, size_t count)
{
	static struct client client;

	client.arena = arena_open();
	listen_somewhere(&client, script, count);
	client.relay = (struct outbound_relay){.host = client.host,
		.name = "me.example",
		.user = "",
		.ca_file = "",
		.ca_dir = ""};
	client.recipients[0] = STR("bob@elsewhere.example");
	client.recipients[1] = STR("cat@elsewhere.example");
	client.mail =
		(struct outbound_mail){.sender = STR("ada@partner.example"),
			.recipients = client.recipients,
			.count = 1};
	set_message(&client, "Subject: hello\n\ntext\n");
	smtp_init(&client.smtp, &client.relay);
	return &client;
}
#define START(...)                                                             \
	start((const char *const[]){__VA_ARGS__},                              \
		sizeof((const char *const[]){__VA_ARGS__}) /                   \
			sizeof(const char *))

static const struct err *
send_within(struct client *client, uint64_t ms)
{
	smtp_send(&client->smtp, &client->mail, clock_monotonic_ms() + ms,
		client->results);
	return &client->results[0];
}

static const struct err *
send_mail(struct client *client)
{
	return send_within(client, LONG_MS);
}

static const char *
heard(struct client *client)
{
	smtp_clear(&client->smtp);
	while (waitpid(client->server, NULL, 0) < 0)
		continue;
	return test_read(test_path("heard")).data;
}

static bool
says(const struct err *err, const char *words)
{
	return strstr(err->detail, words) != NULL;
}

/* ---- a good server ---- */

TEST(a_message_is_handed_over_in_the_order_of_the_protocol)
{
	struct client *client =
		START(PLAIN, "< MAIL", "> 250 ok", "< RCPT", "> 250 ok",
			"< DATA", "> 354 go", "<.", "> 250 taken", "< QUIT");

	CHECK_INT(send_mail(client)->kind, ERR_NONE);
	CHECK_STR(heard(client), "EHLO me.example\r\n"
				 "MAIL FROM:<ada@partner.example>\r\n"
				 "RCPT TO:<bob@elsewhere.example>\r\n"
				 "DATA\r\n"
				 "Subject: hello\r\n\r\ntext\r\n.\r\n"
				 "QUIT\r\n");
}

/* RFC 5321 4.5.2 */
TEST(a_dot_at_the_beginning_of_a_line_is_doubled)
{
	struct client *client =
		START(PLAIN, "< MAIL", "> 250 ok", "< RCPT", "> 250 ok",
			"< DATA", "> 354 go", "<.", "> 250 taken", "< QUIT");

	set_message(client, ".first\n\n.\n..two\na.b\n.");
	CHECK_INT(send_mail(client)->kind, ERR_NONE);
	CHECK(strstr(heard(client), "DATA\r\n..first\r\n\r\n..\r\n...two\r\n"
				    "a.b\r\n..\r\n.\r\n") != NULL);
}

TEST(the_null_sender_is_an_empty_path)
{
	struct client *client =
		START(PLAIN, "< MAIL FROM:<>\r\n", "> 250 ok", "< RCPT",
			"> 250 ok", "< DATA", "> 354 go", "<.", "> 250 taken");

	client->mail.sender = STR("");
	CHECK_INT(send_mail(client)->kind, ERR_NONE);
	heard(client);
}

/* RFC 1870, 6152, 3461, 2852 */
TEST(parameters_are_only_for_who_offers_them)
{
	struct client *client = START(EHLO, "> 250-mx.example", "> 250-SIZE",
		"> 250-8BITMIME", "> 250-DELIVERBY 60", "> 250 DSN",
		/* NOLINTNEXTLINE(bugprone-suspicious-missing-comma): one line */
		"< MAIL FROM:<ada@partner.example> SIZE=24 BODY=8BITMIME "
		"RET=HDRS ENVID=a+20b BY=120;NT\r\n",
		"> 250 ok",
		"< RCPT TO:<bob@elsewhere.example> NOTIFY=NEVER "
		"ORCPT=rfc822;a+2Bb@c.example\r\n",
		"> 250 ok", "< DATA", "> 354 go", "<.", "> 250 taken");

	client->mail.wishes = (struct outbound_wishes){.notify = STR("NEVER"),
		.ret = STR("HDRS"),
		.envid = STR("a b"),
		.orcpt = STR("rfc822;a+b@c.example"),
		.by = STR("120;NT")};
	CHECK_INT(send_mail(client)->kind, ERR_NONE);
	heard(client);
}

/* RFC 2920: no reply between MAIL and the last RCPT. */
TEST(commands_go_out_together_where_pipelining_is_offered)
{
	struct client *client = START(PIPELINING, "< MAIL", "< RCPT TO:<bob@",
		"< RCPT TO:<cat@", "> 250 ok", "> 250 ok", "> 250 ok", "< DATA",
		"> 354 go", "<.", "> 250 taken");

	client->mail.count = 2;
	CHECK_INT(send_mail(client)->kind, ERR_NONE);
	CHECK_INT(client->results[1].kind, ERR_NONE);
	heard(client);
}

/* Twenty at a time, so that both sides have room for what they say. */
TEST(many_recipients_go_out_in_groups)
{
	struct client *client;
	const char *script[4 + 2 * 51 + 5];
	size_t used = 0, i;

	script[used++] = "> 220 mx";
	script[used++] = "< EHLO";
	script[used++] = "> 250-mx";
	script[used++] = "> 250 PIPELINING";
	for (i = 0; i < 51; i++) {
		script[used++] = "<*";
		script[used++] = "> 250 ok";
	}
	script[used++] = "< DATA";
	script[used++] = "> 354 go";
	script[used++] = "<.";
	script[used++] = "> 250 taken";
	client = start(script, used);
	for (i = 0; i < 50; i++)
		client->recipients[i] = STR("bob@elsewhere.example");
	client->mail.count = 50;
	CHECK_INT(send_mail(client)->kind, ERR_NONE);
	heard(client);
}

TEST(a_connection_is_used_again)
{
	struct client *client = START(PLAIN, "< MAIL", "> 250 ok", "< RCPT",
		"> 250 ok", "< DATA", "> 354 go", "<.", "> 250 taken", "< MAIL",
		"> 250 ok", "< RCPT", "> 250 ok", "< DATA", "> 354 go", "<.",
		"> 250 taken", "< QUIT");

	CHECK_INT(send_mail(client)->kind, ERR_NONE);
	CHECK(smtp_is_open(&client->smtp));
	CHECK_INT(send_mail(client)->kind, ERR_NONE);
	heard(client);
}

/* Servers answer slowly who makes mistake after mistake. */
TEST(a_connection_is_left_when_message_after_message_is_refused)
{
	struct client *client = START(PLAIN, "< MAIL", "> 250 ok", "< RCPT",
		"> 550 no", "< RSET", "> 250 ok", "< MAIL", "> 250 ok",
		"< RCPT", "> 550 no", "< RSET", "> 250 ok", "< MAIL",
		"> 250 ok", "< RCPT", "> 450 no", "< RSET", "> 250 ok",
		"< QUIT", "!", PLAIN, "< MAIL", "> 250 ok", "< RCPT",
		"> 250 ok", "< DATA", "> 354 go", "<.", "> 250 taken");

	CHECK_INT(send_mail(client)->kind, ERR_REFUSED);
	CHECK_INT(send_mail(client)->kind, ERR_REFUSED);
	CHECK_INT(send_mail(client)->kind, ERR_TEMPORARY);
	CHECK_INT(send_mail(client)->kind, ERR_NONE);
	heard(client);
}

TEST(a_connection_that_the_server_ended_is_made_anew)
{
	struct client *client = START(PLAIN, "< MAIL", "> 250 ok", "< RCPT",
		"> 250 ok", "< DATA", "> 354 go", "<.", "> 250 taken", "< MAIL",
		"> 421 idle for too long", "!", PLAIN, "< MAIL", "> 250 ok",
		"< RCPT", "> 250 ok", "< DATA", "> 354 go", "<.",
		"> 250 taken");

	CHECK_INT(send_mail(client)->kind, ERR_NONE);
	CHECK_INT(send_mail(client)->kind, ERR_NONE);
	heard(client);
}

/* RFC 5321 3.2 */
TEST(a_server_that_knows_only_helo_is_greeted_so)
{
	struct client *client = START(EHLO, "> 502 what?", "< HELO me.example",
		"> 250 hello", "< MAIL FROM:<ada@partner.example>\r\n",
		"> 250 ok", "< RCPT", "> 250 ok", "< DATA", "> 354 go", "<.",
		"> 250 taken");

	CHECK_INT(send_mail(client)->kind, ERR_NONE);
	heard(client);
}

/* ---- refusals ---- */

TEST(a_recipient_that_is_refused_for_good_costs_only_itself)
{
	struct client *client = START(PLAIN, "< MAIL", "> 250 ok", "< RCPT",
		"> 550 5.1.1 nobody", "< RCPT", "> 250 ok", "< DATA",
		"> 354 go", "<.", "> 250 taken");

	client->mail.count = 2;
	CHECK_INT(send_mail(client)->kind, ERR_REFUSED);
	CHECK_STR(client->results[0].status, "5.1.1");
	CHECK_INT(client->results[1].kind, ERR_NONE);
	heard(client);
}

/* What is said of the recipients then is about the order of commands. */
TEST(a_sender_that_is_refused_for_now_is_no_refusal_of_recipients)
{
	struct client *client = START(PIPELINING, "< MAIL", "< RCPT", "< RCPT",
		"> 452 4.3.1 no room", "> 503 5.5.1 MAIL first",
		"> 503 5.5.1 MAIL first", "< RSET", "> 250 ok", "< QUIT");

	client->mail.count = 2;
	CHECK_INT(send_mail(client)->kind, ERR_TEMPORARY);
	CHECK_STR(client->results[0].status, "4.3.1");
	CHECK_INT(client->results[1].kind, ERR_TEMPORARY);
	heard(client);
}

/* RFC 5321 2.3.8: MUST NOT.  There are servers to which it ends a line, and a dot
 * behind it the message. */
TEST(a_cr_alone_does_not_leave)
{
	struct client *client =
		START(PLAIN, "< MAIL", "> 250 ok", "< RCPT", "> 250 ok",
			"< DATA", "> 354 go", "<.", "> 250 taken", "< QUIT");

	set_message(client, "Subject: x\r\n\r\na\r.\r\r\nb\r\n\r.\r");
	CHECK_INT(send_mail(client)->kind, ERR_NONE);
	CHECK(strstr(heard(client), "Subject: x\r\n\r\na . \r\nb\r\n . \r\n"
				    ".\r\n") != NULL);
}

/* The others would get a copy at each retry. */
TEST(a_recipient_that_is_refused_for_now_keeps_all_back)
{
	struct client *client = START(PIPELINING, "< MAIL", "< RCPT", "< RCPT",
		"> 250 ok", "> 451 4.7.1 greylisted", "> 250 ok", "< RSET",
		"> 250 ok", "< QUIT");

	client->mail.count = 2;
	CHECK_INT(send_mail(client)->kind, ERR_TEMPORARY);
	CHECK_STR(client->results[0].status, "4.7.1");
	CHECK_INT(client->results[1].kind, ERR_TEMPORARY);
	CHECK(smtp_is_open(&client->smtp));
	CHECK(strstr(heard(client), "DATA") == NULL);
}

TEST(without_a_recipient_no_data_is_sent)
{
	struct client *client = START(PLAIN, "< MAIL", "> 250 ok", "< RCPT",
		"> 550 5.1.1 nobody", "< RSET", "> 250 ok", "< QUIT");

	CHECK_INT(send_mail(client)->kind, ERR_REFUSED);
	CHECK(strstr(heard(client), "DATA") == NULL);
}

/* All its replies are read: the next message must not meet one of them. */
TEST(a_sender_that_is_refused_leaves_a_connection_of_use)
{
	struct client *client = START(PIPELINING, "< MAIL", "< RCPT",
		"> 550 5.7.1 not you", "> 503 no sender", "< RSET", "> 250 ok",
		"< MAIL", "< RCPT", "> 250 ok", "> 250 ok", "< DATA",
		"> 354 go", "<.", "> 250 taken");

	CHECK_INT(send_mail(client)->kind, ERR_REFUSED);
	CHECK_INT(send_mail(client)->kind, ERR_NONE);
	heard(client);
}

TEST(a_message_that_is_refused_after_the_dot_was_not_taken)
{
	struct client *client = START(PLAIN, "< MAIL", "> 250 ok", "< RCPT",
		"> 250 ok", "< DATA", "> 354 go", "<.", "> 554 5.7.1 spam",
		"< RSET", "> 250 ok");

	CHECK_INT(send_mail(client)->kind, ERR_REFUSED);
	CHECK(says(client->results, "refused the message: 554 5.7.1 spam"));
	heard(client);
}

TEST(a_message_above_the_servers_limit_is_not_begun)
{
	struct client *client =
		START(EHLO, "> 250-mx", "> 250 SIZE 10", "< RSET", "> 250 ok");

	CHECK_INT(send_mail(client)->kind, ERR_REFUSED);
	CHECK_STR(client->results[0].status, "5.3.4");
	CHECK(strstr(heard(client), "MAIL") == NULL);
}

/* RFC 6531 3.1 */
TEST(an_address_in_utf8_needs_a_server_that_takes_it)
{
	struct client *client = START(PLAIN, "< RSET", "> 250 ok");

	client->recipients[0] = STR("bj\xc3\xb6rn@elsewhere.example");
	CHECK_INT(send_mail(client)->kind, ERR_REFUSED);
	CHECK_STR(client->results[0].status, "5.6.7");
	heard(client);
}

TEST(an_address_in_utf8_asks_for_smtputf8)
{
	struct client *client = START(EHLO, "> 250-mx", "> 250 SMTPUTF8",
		"< MAIL FROM:<ada@partner.example> SMTPUTF8\r\n", "> 250 ok",
		"< RCPT TO:<bj\xc3\xb6rn@", "> 250 ok", "< DATA", "> 354 go",
		"<.", "> 250 taken");

	client->recipients[0] = STR("bj\xc3\xb6rn@elsewhere.example");
	CHECK_INT(send_mail(client)->kind, ERR_NONE);
	heard(client);
}

/* ---- SASL ---- */

static void
log_in(struct client *client)
{
	client->relay.user = "relay";
	client->relay.password.text = STR("s3cret");
}

TEST(sasl_plain_is_said_with_the_command)
{
	struct client *client =
		START(EHLO, "> 250-mx", "> 250 AUTH LOGIN PLAIN",
			"< AUTH PLAIN AHJlbGF5AHMzY3JldA==\r\n",
			"> 235 welcome", "< MAIL", "> 250 ok", "< RCPT",
			"> 250 ok", "< DATA", "> 354 go", "<.", "> 250 taken");

	log_in(client);
	CHECK_INT(send_mail(client)->kind, ERR_NONE);
	heard(client);
}

TEST(sasl_login_is_said_in_three_steps)
{
	struct client *client = START(EHLO, "> 250-mx", "> 250 AUTH LOGIN",
		"< AUTH LOGIN\r\n", "> 334 VXNlcm5hbWU6", "< cmVsYXk=\r\n",
		"> 334 UGFzc3dvcmQ6", "< czNjcmV0\r\n", "> 235 welcome",
		"< MAIL", "> 250 ok", "< RCPT", "> 250 ok", "< DATA",
		"> 354 go", "<.", "> 250 taken");

	log_in(client);
	CHECK_INT(send_mail(client)->kind, ERR_NONE);
	heard(client);
}

/* The admin may mend it; no mail is lost for it. */
TEST(a_wrong_password_is_a_temporary_failure)
{
	struct client *client = START(EHLO, "> 250-mx", "> 250 AUTH PLAIN",
		"< AUTH", "> 535 5.7.8 wrong");

	log_in(client);
	CHECK_INT(send_mail(client)->kind, ERR_TEMPORARY);
	CHECK(says(client->results, "535"));
	heard(client);
}

TEST(starttls_that_is_not_offered_ends_the_session)
{
	struct client *client = START(PLAIN, "<*");

	client->relay.tls = OUTBOUND_STARTTLS;
	CHECK_INT(send_mail(client)->kind, ERR_TEMPORARY);
	CHECK_STR(client->results[0].status, "4.7.0");
	CHECK_STR(heard(client), "EHLO me.example\r\n");
}

/* Somebody in between could have put commands' answers there. */
TEST(text_behind_the_answer_to_starttls_ends_the_session)
{
	struct client *client = START(EHLO, "> 250-mx", "> 250 STARTTLS",
		"< STARTTLS", ">> 220 go\r\n250 trust me\r\n", "?");

	client->relay.tls = OUTBOUND_STARTTLS;
	CHECK_INT(send_mail(client)->kind, ERR_TEMPORARY);
	CHECK_STR(client->results[0].status, "4.7.0");
	heard(client);
}

/* ---- LMTP ---- */

/* RFC 2033 4.2 */
TEST(lmtp_has_a_reply_for_each_recipient)
{
	struct client *client = START(GREETING, "< LHLO me.example", "> 250 mx",
		"< MAIL", "> 250 ok", "< RCPT", "> 250 ok", "< RCPT",
		"> 550 5.1.1 nobody", "< RCPT", "> 250 ok", "< DATA",
		"> 354 go", "<.", "> 250 taken", "> 452 4.2.2 full", "< QUIT");

	client->relay.is_lmtp = true;
	client->recipients[2] = STR("dan@elsewhere.example");
	client->mail.count = 3;
	send_mail(client);
	CHECK_INT(client->results[0].kind, ERR_NONE);
	CHECK_INT(client->results[1].kind, ERR_REFUSED);
	CHECK_INT(client->results[2].kind, ERR_TEMPORARY);
	CHECK_STR(client->results[2].status, "4.2.2");
	heard(client);
}

/* ---- hostile servers ---- */

static void
fails_in_time(struct client *client, const char *status)
{
	uint64_t begin = clock_monotonic_ms();
	const struct err *err = send_within(client, SHORT_MS);

	CHECK_INT(err->kind, ERR_TEMPORARY);
	CHECK_STR(err->status, status);
	CHECK(clock_monotonic_ms() - begin < LONG_MS);
	kill(client->server, SIGKILL);
	heard(client);
}

TEST(a_server_that_says_nothing_is_left)
{
	fails_in_time(START("?"), "4.4.2");
}

TEST(half_a_line_is_no_greeting)
{
	fails_in_time(START(">> 220 mx", "?"), "4.4.2");
}

TEST(a_greeting_without_an_end_is_left)
{
	fails_in_time(START("@ 220-and so on"), "4.5.0");
}

TEST(a_line_without_an_end_is_left)
{
	static char line[5000] = ">> 220 ";

	memset(line + 7, 'x', sizeof(line) - 8);
	fails_in_time(START(line, "?"), "4.5.0");
}

TEST(a_server_that_hangs_after_the_dot_is_left)
{
	fails_in_time(START(PLAIN, "< MAIL", "> 250 ok", "< RCPT", "> 250 ok",
			      "< DATA", "> 354 go", "<.", "?"),
		"4.4.2");
}

TEST(a_server_that_closes_is_a_temporary_failure)
{
	struct client *client = START(PLAIN, "< MAIL", "> 250 ok", "< RCPT",
		"> 250 ok", "< DATA", "> 354 go");

	CHECK_INT(send_mail(client)->kind, ERR_TEMPORARY);
	CHECK(!smtp_is_open(&client->smtp));
	heard(client);
}

TEST(another_protocol_is_told_as_such)
{
	struct client *client = START("> HTTP/1.1 400 Bad Request", "?");

	CHECK_INT(send_mail(client)->kind, ERR_TEMPORARY);
	CHECK(says(client->results, "what is no reply"));
	heard(client);
}

TEST(nobody_there_is_a_temporary_failure)
{
	struct client *client = START("?");

	client->relay.host = "/nonexistent/socket";
	CHECK_INT(send_mail(client)->kind, ERR_TEMPORARY);
	CHECK_STR(client->results[0].status, "4.4.1");
	kill(client->server, SIGKILL);
}

TEST(a_place_that_cannot_be_is_told)
{
	static const char *const places[] = {
		":25", "mx:0", "mx:65536", "mx:x", "[::1", "[::1]x"};
	struct dialog dialog;
	struct err err;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(places); i++) {
		CHECK_INT(dialog_open(&dialog, places[i], 25,
				  clock_monotonic_ms() + SHORT_MS, &err),
			-1);
		CHECK_STR(err.status, "4.3.5");
		dialog_close(&dialog);
	}
}
