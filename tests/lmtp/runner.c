/* runner - runs LMTP cases: what a client sends, what it must read
 *
 *   runner [--table] FILE.case...      prints TAP, one test for each file
 *
 * Each case is run several times: its input whole, byte by byte, and in random
 * pieces.  All must give the same.  With --table a last test checks that the files
 * visited every cell of the table of states and commands.
 *
 * A case is a text file; its name is a sentence.  "#" lines are comments.
 *
 *   setting: NAME = VALUE       as in doorstep.conf
 *   host: NAME                  ours; mx.example.test
 *   peer: ADDRESS PORT          a TCP client; else a local one
 *   trusted:                    it may use XCLIENT
 *   starttls: needs-tls:        TLS is offered, needed
 *   tls: full                   there is no room for it
 *   certificate: NAME           which the client will have then
 *   spool: full                 no message can be kept
 *   login: NAME PASSWORD        who may log in; the name "unable"
 *                               cannot be looked up
 *   rcpt: ADDRESS ANSWER        what session_found() is told; "accepted" where
 *                               nothing is said
 *   result: ADDRESS ANSWER      what session_delivered() is told; "saved"
 *   slow: rcpt | delivery | confirm ...    answers wait for their step
 *   watch: KIND...              which F lines are looked at; deliver, to, data and
 *                               confirm where nothing is said
 *
 * An ANSWER is accepted, saved, discarded, each maybe with "handle"; or a kind
 * (temporary refused no-user over-quota too-big usage none) with status, text and,
 * behind "|", what is for our log; as a result also "missing": nothing is filled;
 * and "rejected" with a script's text, which has a handle.
 *
 *   C: LINE                     the client sends it and CR LF
 *   C-: BYTES                   the same without a line end
 *   S: LINE                     the client reads it
 *   F: LINE                     what the front is asked for
 *
 * In all of them \r \n \t \0 \\ and \xHH stand for bytes, \{N}{TEXT} is TEXT N
 * times; "..." at the end of an S or F line stands for anything.
 *
 * All input up to the next step is sent at once; then all output must have come.
 * Steps:
 *
 *   step: sync                  nothing but that
 *   step: answer ADDRESS        session_found() for it (slow rcpt)
 *   step: delivered             session_delivered()
 *   step: confirmed             session_confirmed()
 *   step: left                  all output has left
 *   step: end REPLY             session_end()
 *   step: login                 session_logged_in() (slow login)
 *   step: state NAME            what session_state_name() must be
 *   step: unfinished NAME       session_unfinished()
 *   step: reason TEXT           session_end_reason(); "none": it goes on
 *   step: waiting yes|no        session_is_waiting()
 *   step: id ID                 session_id()
 *   step: tls DESCRIPTION       session_tls_started(); input that waits is lost
 *   step: timeout MS            session_timeout_ms()
 *
 * F lines:
 *
 *   find <ADDRESS> ID           release
 *   deliver ID <SENDER> size=N  client HELO IP PORT PROTOCOL LOGIN
 *   to <ADDRESS> ID ORCPT       data BYTES
 *   confirm NUMBER              remote IP HOST
 *   not-taken CAUSE
 *   forwarded ORIGIN
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/number.h"
#include "conf/conf.h"
#include "lmtp/session.h"
#include "tests/lib/escape.h"
#include "tests/lmtp/fake_spool.h"

#include "base/banned.h"

enum { MOST_ITEMS = 2000, MOST_ANSWERS = 40, MOST_SETTINGS = 16, RUNS = 6 };

enum item_kind { ITEM_INPUT, ITEM_REPLY, ITEM_EVENT, ITEM_STEP };

struct item {
	enum item_kind kind;
	struct str text; /* bytes; of ITEM_STEP the words */
};

/* What somebody at an address gets. */
struct answer {
	struct str address;
	struct err err;
	enum wire_outcome outcome;
	bool has_handle;
	bool is_missing;
};

struct answers {
	struct answer items[MOST_ANSWERS];
	size_t count;
};

struct test_case {
	struct arena *arena;
	const char *overrides[MOST_SETTINGS];
	size_t override_count;
	const char *host;
	const char *spool;
	bool has_no_room_for_tls;
	const char *certified; /* NULL: nobody */
	struct session_peer peer;
	struct answers rcpt, results;
	struct str slow, watch;
	struct str login, password;
	struct item items[MOST_ITEMS];
	size_t count;
	bool has_events;
	struct buf said; /* what went wrong, "# " in front of each line */
};

/* One run of it. */
struct run {
	struct test_case *test;
	const char *name;
	unsigned chunk; /* 0: whole, 1: bytes, else random */
	uint32_t random;
	struct session *session;
	enum wire_login_state login;
	struct buf input; /* sent, not yet taken */
	struct buf expected, output;
	struct buf expected_events, events;
	uint64_t sent;
	size_t most; /* of a line */
};

static bool visited[SESSION_STATES][COMMAND_VERBS];

static void
complain(struct test_case *test, const char *what, struct str text)
{
	buf_add_format(&test->said, "# %s: %.*s\n", what, STR_ARG(text));
}

/* ---- reading a case ---- */

static void
add_escaped(struct buf *out, struct str bytes)
{
	size_t i;

	for (i = 0; i < bytes.len; i++) {
		unsigned char c = (unsigned char)bytes.data[i];

		if (c == '\r' || c == '\n')
			buf_add_text(out, c == '\r' ? "\\r" : "\\n");
		else if (c < ' ' || c > '~')
			buf_add_format(out, "\\x%02x", c);
		else
			buf_add_char(out, (char)c);
	}
}

static struct str
unescaped(struct test_case *test, struct str text, const char *end)
{
	struct buf buf;
	struct str bytes;

	buf_init(&buf, BUF_UNLIMITED);
	escape_decode(&buf, text);
	buf_add_text(&buf, end);
	bytes = arena_copy(test->arena, buf_view(&buf));
	buf_clear(&buf);
	return bytes;
}

static const struct {
	const char *word;
	enum err_kind kind;
} kinds[] = {
	{"none", ERR_NONE},
	{"temporary", ERR_TEMPORARY},
	{"refused", ERR_REFUSED},
	{"no-user", ERR_NO_USER},
	{"over-quota", ERR_OVER_QUOTA},
	{"too-big", ERR_TOO_BIG},
	{"usage", ERR_USAGE},
};

static void
read_failure(struct test_case *test, struct str word, struct str rest,
	struct answer *answer)
{
	struct str status = STR_EMPTY, text, detail;
	size_t i;

	answer->outcome = WIRE_FAILED;
	(void)str_next_word(&rest, &status);
	detail = str_skip(rest, str_find_char(rest, '|') + 1);
	rest = str_slice(rest, 0, str_find_char(rest, '|'));
	text = unescaped(test, str_trim(rest), "");
	for (i = 0; i < ARRAY_LENGTH(kinds); i++) {
		if (!str_is(word, kinds[i].word))
			continue;
		(void)err_set(&answer->err, kinds[i].kind,
			arena_text(test->arena, status), "%.*s", STR_ARG(text));
		(void)err_detail(
			&answer->err, "%.*s", STR_ARG(str_trim(detail)));
		return;
	}
	complain(test, "unknown answer", word);
}

/* By a script; remembered as what was filed. */
static void
read_rejection(struct test_case *test, struct str rest, struct answer *answer)
{
	struct str text = unescaped(test, str_trim(rest), "");

	answer->outcome = WIRE_REFUSED;
	answer->has_handle = true;
	(void)err_set(
		&answer->err, ERR_REFUSED, "5.7.1", "%.*s", STR_ARG(text));
}

static void
read_answer(struct test_case *test, struct answers *answers, struct str rest)
{
	struct answer *answer = &answers->items[answers->count];
	struct str word = STR_EMPTY;

	if (answers->count == MOST_ANSWERS) {
		complain(test, "too many answers", rest);
		return;
	}
	answers->count++;
	(void)str_next_word(&rest, &word);
	answer->address = unescaped(test, word, "");
	if (!str_next_word(&rest, &word))
		word = STR("accepted");
	answer->outcome = WIRE_SAVED;
	if (str_is(word, "discarded"))
		answer->outcome = WIRE_DISCARDED;
	else if (str_is(word, "missing"))
		answer->is_missing = true;
	else if (str_is(word, "rejected")) {
		read_rejection(test, rest, answer);
		return;
	} else if (!str_is(word, "saved") && !str_is(word, "accepted"))
		read_failure(test, word, rest, answer);
	answer->has_handle = str_is(str_trim(rest), "handle");
}

static void
read_peer(struct test_case *test, struct str rest)
{
	struct session_peer *peer = &test->peer;
	struct str word = STR_EMPTY;
	uint64_t port = 0;

	peer->is_inet = true;
	(void)str_next_word(&rest, &word);
	snprintf(peer->ip, sizeof(peer->ip), "%.*s", STR_ARG(word));
	if (str_next_word(&rest, &word) && number_parse(word, &port) == 0)
		peer->port = (uint32_t)port;
}

static void
read_login(struct test_case *test, struct str rest)
{
	struct str word = STR_EMPTY;

	(void)str_next_word(&rest, &word);
	test->login = arena_copy(test->arena, word);
	test->password = arena_copy(test->arena, str_trim(rest));
}

static void
read_setting(struct test_case *test, struct str rest)
{
	struct str name = STR_EMPTY;

	(void)str_next_field(&rest, '=', &name);
	name = str_trim(name);
	rest = rest.data != NULL ? str_trim(rest) : STR_EMPTY;
	if (test->override_count == MOST_SETTINGS)
		complain(test, "too many settings", name);
	else
		test->overrides[test->override_count++] = arena_format(
			test->arena, "%.*s=%.*s", STR_ARG(name), STR_ARG(rest));
}

static void
add_item(struct test_case *test, enum item_kind kind, struct str text)
{
	if (test->count == MOST_ITEMS)
		complain(test, "too many lines", text);
	else
		test->items[test->count++] = (struct item){kind, text};
	if (kind == ITEM_EVENT)
		test->has_events = true;
}

static void
read_line(struct test_case *test, struct str line)
{
	size_t colon = str_find_char(line, ':');
	struct str name = str_slice(line, 0, colon);
	struct str rest = str_skip(line, colon + 1);

	if (str_starts(rest, STR(" ")))
		rest = str_skip(rest, 1);
	if (str_is(name, "C"))
		add_item(test, ITEM_INPUT, unescaped(test, rest, "\r\n"));
	else if (str_is(name, "C-"))
		add_item(test, ITEM_INPUT, unescaped(test, rest, ""));
	else if (str_is(name, "S"))
		add_item(test, ITEM_REPLY, unescaped(test, rest, "\r\n"));
	else if (str_is(name, "F"))
		add_item(test, ITEM_EVENT, unescaped(test, rest, "\n"));
	else if (str_is(name, "step"))
		add_item(test, ITEM_STEP, rest);
	else if (str_is(name, "setting"))
		read_setting(test, rest);
	else if (str_is(name, "host"))
		test->host = arena_text(
			test->arena, unescaped(test, str_trim(rest), ""));
	else if (str_is(name, "peer"))
		read_peer(test, rest);
	else if (str_is(name, "trusted"))
		test->peer.is_trusted = true;
	else if (str_is(name, "starttls"))
		test->peer.may_start_tls = true;
	else if (str_is(name, "tls"))
		test->has_no_room_for_tls = true;
	else if (str_is(name, "certificate"))
		test->certified = arena_text(test->arena, str_trim(rest));
	else if (str_is(name, "login"))
		read_login(test, rest);
	else if (str_is(name, "needs-tls"))
		test->peer.needs_tls = true;
	else if (str_is(name, "spool"))
		test->spool = arena_text(test->arena, rest);
	else if (str_is(name, "rcpt"))
		read_answer(test, &test->rcpt, rest);
	else if (str_is(name, "result"))
		read_answer(test, &test->results, rest);
	else if (str_is(name, "slow"))
		test->slow = arena_copy(test->arena, rest);
	else if (str_is(name, "watch"))
		test->watch = arena_copy(test->arena, rest);
	else
		complain(test, "unknown line", line);
}

static void
read_case(struct test_case *test, struct str text)
{
	struct str line;

	while (str_next_field(&text, '\n', &line))
		if (line.len > 0 && line.data[0] != '#')
			read_line(test, line);
}

/* ---- the front that the session speaks to ---- */

static bool
has_word(struct str words, const char *wanted)
{
	struct str word;

	while (str_next_word(&words, &word))
		if (str_is(word, wanted))
			return true;
	return false;
}

static void note(struct run *run, const char *kind, const char *format, ...)
	PRINTF_LIKE(3, 4);
static void
note(struct run *run, const char *kind, const char *format, ...)
{
	va_list args;

	if (!has_word(run->test->watch, kind))
		return;
	va_start(args, format);
	buf_add_format(&run->events, "%s %s\n", kind,
		arena_vformat(run->test->arena, format, args));
	va_end(args);
}

static const struct answer *
find_answer(const struct answers *answers, struct str address)
{
	static const struct answer none = {.outcome = WIRE_SAVED};
	size_t i;

	for (i = 0; i < answers->count; i++)
		if (str_equal(answers->items[i].address, address))
			return &answers->items[i];
	return &none;
}

static void
answer_rcpt(struct run *run, struct session_recipient *recipient)
{
	const struct answer *answer =
		find_answer(&run->test->rcpt, recipient->address.text);
	struct wire_ticket ticket = {{1, 2, 3}};

	session_found(recipient, &answer->err, &ticket, 7);
}

static void
on_find(struct session *session, struct session_recipient *recipient)
{
	struct run *run = session_context(session);

	note(run, "find", "<%.*s> %s", STR_ARG(recipient->address.text),
		recipient->id);
	if (!has_word(run->test->slow, "rcpt"))
		answer_rcpt(run, recipient);
}

static void
note_client(struct run *run)
{
	struct wire_client client;

	session_client(run->session, &client);
	note(run, "client", "%.*s %.*s %u %.*s %.*s", STR_ARG(client.helo),
		STR_ARG(client.ip), client.port, STR_ARG(client.protocol),
		STR_ARG(client.login));
	note(run, "remote", "%.*s %.*s", STR_ARG(client.remote_ip),
		STR_ARG(client.remote_host));
}

static void
note_content(struct run *run, const struct spool *spool)
{
	struct buf text;
	int file;

	buf_init(&text, BUF_UNLIMITED);
	add_escaped(&text, spool_content(spool, &file));
	note(run, "data", "%.*s", STR_ARG(buf_view(&text)));
	buf_clear(&text);
}

static void
fill_results(struct run *run)
{
	struct session_transaction *transaction =
		session_transaction(run->session);
	size_t i;

	for (i = 0; i < transaction->count; i++) {
		struct session_recipient *recipient =
			transaction->recipients[i];
		const struct answer *answer = find_answer(
			&run->test->results, recipient->address.text);

		if (recipient->state != SESSION_ACCEPTED ||
			recipient->twin != NULL || answer->is_missing)
			continue;
		recipient->result.outcome = answer->outcome;
		recipient->result.err = answer->err;
		recipient->result.has_handle = answer->has_handle;
		recipient->result.handle.uid = (uint32_t)i;
	}
	session_delivered(run->session);
}

static void
on_deliver(struct session *session)
{
	struct run *run = session_context(session);
	struct session_transaction *transaction = session_transaction(session);
	size_t i;

	note(run, "deliver", "%s <%.*s> size=%llu", transaction->id,
		STR_ARG(transaction->sender.text),
		(unsigned long long)transaction->size);
	note_client(run);
	for (i = 0; i < transaction->count; i++) {
		struct session_recipient *recipient =
			transaction->recipients[i];

		if (recipient->state == SESSION_ACCEPTED &&
			recipient->twin == NULL)
			note(run, "to", "<%.*s> %s%s%.*s%s",
				STR_ARG(recipient->address.text), recipient->id,
				recipient->original.len > 0 ? " " : "",
				STR_ARG(recipient->original),
				recipient->ignores_quota ? " ignorequota" : "");
	}
	note_content(run, transaction->spool);
	if (!has_word(run->test->slow, "delivery"))
		fill_results(run);
}

static void
on_release(struct session *session)
{
	struct run *run = session_context(session);

	if (has_word(run->test->watch, "release"))
		buf_add_text(&run->events, "release\n");
}

static void
answer_login(struct run *run)
{
	session_logged_in(run->session, run->login,
		run->login == WIRE_LOGIN_YES
			? arena_text(run->test->arena, run->test->login)
			: "");
}

static void
on_login(struct session *session, struct str name, struct str password)
{
	struct run *run = session_context(session);
	const struct test_case *test = run->test;

	note(run, "login", "%.*s %.*s", STR_ARG(name), STR_ARG(password));
	if (str_is(name, "unable"))
		run->login = WIRE_LOGIN_UNABLE;
	else
		run->login = str_equal(name, test->login) &&
		                             str_equal(password, test->password)
		                     ? WIRE_LOGIN_YES
		                     : WIRE_LOGIN_NO;
	if (!has_word(test->slow, "login"))
		answer_login(run);
}

static void
on_confirm(struct session *session, const struct wire_handle *handles,
	size_t count)
{
	struct run *run = session_context(session);

	(void)handles;
	note(run, "confirm", "%zu", count);
	if (!has_word(run->test->slow, "confirm"))
		session_confirmed(session);
}

static void
on_command(struct session *session, enum session_state state,
	enum command_verb verb)
{
	(void)session;
	visited[state][verb] = true;
}

static void
on_forwarded(struct session *session, const char *origin)
{
	note(session_context(session), "forwarded", "%s", origin);
}

static void
on_not_taken(struct session *session, const struct err *err)
{
	note(session_context(session), "not-taken", "%s", err_log_text(err));
}

static bool
has_room_for_tls(struct session *session)
{
	const struct run *run = session_context(session);

	return !run->test->has_no_room_for_tls;
}

static const struct session_events events = {
	.find = on_find,
	.deliver = on_deliver,
	.release = on_release,
	.not_taken = on_not_taken,
	.forwarded = on_forwarded,
	.has_room_for_tls = has_room_for_tls,
	.login = on_login,
	.confirm = on_confirm,
	.command = on_command,
};

/* ---- running ---- */

static void
take_output(struct run *run)
{
	struct buf *output = session_output(run->session);

	buf_add(&run->output, buf_view(output));
	buf_reset(output);
}

/* Offers what has come in; keeps what was not taken. */
static void
offer(struct run *run)
{
	struct buf rest;
	size_t taken = session_input(run->session, buf_view(&run->input));

	buf_init(&rest, BUF_UNLIMITED);
	buf_add(&rest, str_skip(buf_view(&run->input), taken));
	buf_clear(&run->input);
	run->input = rest;
	take_output(run);
	if (run->input.len >= run->most && !session_is_waiting(run->session) &&
		session_end_reason(run->session) == NULL)
		complain(run->test, "more is left than a line may have",
			STR_EMPTY);
}

static size_t
chunk_size(struct run *run, size_t most)
{
	size_t size;

	if (run->chunk == 0)
		return most;
	if (run->chunk == 1)
		return 1;
	run->random = run->random * 1664525u + 1013904223u;
	size = 1 + (run->random >> 16) % (run->chunk * 4);
	return size < most ? size : most;
}

static void
send_bytes(struct run *run, struct str bytes)
{
	while (bytes.len > 0) {
		size_t size = chunk_size(run, bytes.len);

		buf_add(&run->input, str_slice(bytes, 0, size));
		run->sent += size;
		offer(run);
		bytes = str_skip(bytes, size);
	}
}

static bool
is_expected(struct str expected, struct str found)
{
	struct str dots = STR("...");

	if (str_ends(expected, dots))
		return str_starts(
			found, str_slice(expected, 0, expected.len - dots.len));
	return str_equal(expected, found);
}

static void
complain_escaped(struct run *run, const char *what, struct str text)
{
	struct buf line;

	buf_init(&line, BUF_UNLIMITED);
	buf_add_format(&line, "(%s) ", run->name);
	add_escaped(&line, text);
	complain(run->test, what, buf_view(&line));
	buf_clear(&line);
}

/* Line by line, then both are empty. */
static void
compare(struct run *run, const char *what, struct buf *expected,
	struct buf *found)
{
	struct str left = buf_view(expected), right = buf_view(found);
	struct str line, other;

	while (left.len > 0 || right.len > 0) {
		size_t a = str_find_char(left, '\n'),
		       b = str_find_char(right, '\n');

		line = str_slice(left, 0, a);
		other = str_slice(right, 0, b);
		left = str_skip(left, a + 1);
		right = str_skip(right, b + 1);
		if (str_ends(line, STR("\r")) && str_ends(other, STR("\r"))) {
			line.len--;
			other.len--;
		}
		if (is_expected(line, other))
			continue;
		complain(run->test, what, STR("differ:"));
		complain_escaped(run, "  expected", line);
		complain_escaped(run, "  found   ", other);
		break;
	}
	buf_reset(expected);
	buf_reset(found);
}

/* RFC 5321 4.5.3.1.5: 512 bytes with CR LF; three digits; nothing but text. */
static void
check_lines(struct run *run)
{
	struct str rest = buf_view(&run->output);

	while (rest.len > 0) {
		size_t len = str_find(rest, STR("\r\n")) + 2, i;
		struct str line = str_slice(rest, 0, len);

		if (len > rest.len || len > 512 || len < 6 ||
			strchr("2345", line.data[0]) == NULL ||
			!ascii_is_digit(line.data[1]) ||
			!ascii_is_digit(line.data[2]) ||
			strchr(" -", line.data[3]) == NULL)
			complain_escaped(run, "no reply line", line);
		for (i = 0; i + 2 < line.len; i++)
			if ((unsigned char)line.data[i] < ' ')
				complain_escaped(
					run, "a control character", line);
		rest = str_skip(rest, len);
	}
}

static void
check_text(struct run *run, const char *what, struct str expected,
	const char *found)
{
	if (found == NULL)
		found = "none";
	if (str_is(expected, found))
		return;
	complain(run->test, what, STR("differs:"));
	complain_escaped(run, "  expected", expected);
	complain_escaped(run, "  found   ", str_from(found));
}

static void
step_answer(struct run *run, struct str address)
{
	struct session_transaction *transaction =
		session_transaction(run->session);
	size_t i;

	for (i = 0; transaction != NULL && i < transaction->count; i++) {
		struct session_recipient *recipient =
			transaction->recipients[i];

		if (recipient->state == SESSION_ASKED &&
			recipient->twin == NULL &&
			str_equal(recipient->address.text, address)) {
			answer_rcpt(run, recipient);
			return;
		}
	}
	complain_escaped(run, "nobody was asked about", address);
}

static void
start_tls(struct run *run, struct str rest)
{
	if (!session_wants_tls(run->session))
		complain(run->test, "no STARTTLS before", rest);
	buf_reset(&run->input);
	session_tls_started(run->session, arena_text(run->test->arena, rest),
		run->test->certified != NULL ? run->test->certified : "");
}

static void
do_step(struct run *run, struct str rest)
{
	struct session *session = run->session;
	struct arena *arena = run->test->arena;
	struct str word = STR_EMPTY;

	(void)str_next_word(&rest, &word);
	rest = str_trim(rest);
	if (str_is(word, "answer"))
		step_answer(run, rest);
	else if (str_is(word, "delivered"))
		fill_results(run);
	else if (str_is(word, "confirmed"))
		session_confirmed(session);
	else if (str_is(word, "login"))
		answer_login(run);
	else if (str_is(word, "left"))
		session_output_left(session, run->sent);
	else if (str_is(word, "end"))
		session_end(session, arena_text(arena, rest));
	else if (str_is(word, "state"))
		check_text(run, "state", rest, session_state_name(session));
	else if (str_is(word, "unfinished"))
		check_text(
			run, "unfinished", rest, session_unfinished(session));
	else if (str_is(word, "reason"))
		check_text(run, "reason", rest, session_end_reason(session));
	else if (str_is(word, "waiting"))
		check_text(run, "waiting", rest,
			session_is_waiting(session) ? "yes" : "no");
	else if (str_is(word, "id"))
		check_text(run, "id", rest, session_id(session));
	else if (str_is(word, "tls"))
		start_tls(run, rest);
	else if (str_is(word, "timeout"))
		check_text(run, "timeout", rest,
			arena_format(arena, "%llu",
				(unsigned long long)session_timeout_ms(
					session)));
	else if (!str_is(word, "sync"))
		complain(run->test, "unknown step", word);
	offer(run);
}

static void
end_step(struct run *run)
{
	check_lines(run);
	compare(run, "replies", &run->expected, &run->output);
	if (run->test->has_events)
		compare(run, "front", &run->expected_events, &run->events);
}

static void
run_items(struct run *run)
{
	struct test_case *test = run->test;
	struct buf input;
	size_t i;

	buf_init(&input, BUF_UNLIMITED);
	for (i = 0; i < test->count; i++) {
		struct item *item = &test->items[i];

		switch (item->kind) {
		case ITEM_INPUT:
			buf_add(&input, item->text);
			break;
		case ITEM_REPLY:
			buf_add(&run->expected, item->text);
			break;
		case ITEM_EVENT:
			buf_add(&run->expected_events, item->text);
			break;
		case ITEM_STEP:
			send_bytes(run, buf_view(&input));
			buf_reset(&input);
			end_step(run);
			do_step(run, item->text);
			break;
		}
	}
	send_bytes(run, buf_view(&input));
	end_step(run);
	buf_clear(&input);
}

static void
run_once(struct test_case *test, const struct settings *settings, size_t number)
{
	static const char *const names[RUNS] = {"whole", "byte by byte",
		"pieces 2", "pieces 3", "pieces 4", "pieces 5"};
	struct spool_budget budget = {.memory_max = 64 * 1024 * 1024,
		.folder = test->spool,
		.message_max = session_message_max(settings)};
	struct session_config config = {.settings = settings,
		.budget = &budget,
		.events = &events,
		.hostname = test->host};
	struct run run = {.test = test,
		.name = names[number],
		.chunk = (unsigned)number,
		.random = (uint32_t)number,
		.most = settings->lmtp_max_line_length};

	buf_init(&run.input, BUF_UNLIMITED);
	buf_init(&run.output, BUF_UNLIMITED);
	buf_init(&run.expected, BUF_UNLIMITED);
	buf_init(&run.events, BUF_UNLIMITED);
	buf_init(&run.expected_events, BUF_UNLIMITED);
	run.session = session_open(
		&config, &test->peer, "AqKOK/b0uV0sAAAAuEYLBA", &run);
	take_output(&run);
	run_items(&run);
	session_close(&run.session);
	if (fake_spool_count != 0)
		complain(test, "a spool stays open", STR_EMPTY);
	fake_spool_count = 0;
	buf_clear(&run.input);
	buf_clear(&run.output);
	buf_clear(&run.expected);
	buf_clear(&run.events);
	buf_clear(&run.expected_events);
}

static void
run_case(struct test_case *test)
{
	struct conf_source source = {.only_defaults = true,
		.protocol = CONF_PROTOCOL_LMTP,
		.overrides = test->overrides,
		.override_count = test->override_count};
	const struct settings *settings;
	struct conf_report report = {.count = 0};
	size_t i;

	if (conf_load(test->arena, &source, &settings, &report) < 0) {
		complain(test, "settings", str_from(report.problems[0].text));
		return;
	}
	for (i = 0; i < RUNS && test->said.len == 0; i++)
		run_once(test, settings, i);
}

static bool
run_file(const char *path, size_t number)
{
	struct test_case *test = memory_get(sizeof(*test));
	struct buf text;
	bool is_good;

	test->arena = arena_open();
	test->host = "mx.example.test";
	test->spool = "";
	test->slow = STR_EMPTY;
	test->login = test->password = STR_EMPTY;
	test->watch = STR("deliver to data confirm");
	buf_init(&test->said, BUF_UNLIMITED);
	buf_init(&text, BUF_UNLIMITED);
	if (fd_read_file(path, &text) < 0)
		complain(test, "cannot read", str_from(path));
	else
		read_case(test, buf_view(&text));
	if (test->count == 0)
		complain(test, "an empty case", str_from(path));
	if (test->said.len == 0)
		run_case(test);
	is_good = test->said.len == 0;
	printf("%s %zu - %s\n%s", is_good ? "ok" : "not ok", number, path,
		buf_text(&test->said));
	buf_clear(&text);
	buf_clear(&test->said);
	arena_close(&test->arena);
	memory_free(test);
	return is_good;
}

static const char *
verb_name(size_t verb)
{
	static const char *const others[COMMAND_VERBS] = {
		[COMMAND_UNKNOWN] = "an unknown command",
		[COMMAND_INVALID] = "a line without command",
		[COMMAND_TOO_LONG] = "a line that is too long",
	};

	return others[verb] != NULL ? others[verb] : command_name(verb);
}

static bool
check_table(size_t number)
{
	static const char *const states[SESSION_STATES] = {
		[SESSION_GREETING] = "greeting",
		[SESSION_READY] = "ready",
		[SESSION_MAIL] = "nobody accepted",
		[SESSION_RCPT] = "somebody accepted",
		[SESSION_CHUNKS] = "a chunk has come",
	};
	bool is_good = true;
	size_t state, verb;

	for (state = 0; state < SESSION_STATES; state++)
		for (verb = 0; verb < COMMAND_VERBS; verb++)
			if (!visited[state][verb]) {
				printf("# not visited: %s in state \"%s\"\n",
					verb_name(verb), states[state]);
				is_good = false;
			}
	printf("%s %zu - every command was tried in every state\n",
		is_good ? "ok" : "not ok", number);
	return is_good;
}

int
main(int argc, char **argv)
{
	bool has_table = argc > 1 && strcmp(argv[1], "--table") == 0;
	int first = has_table ? 2 : 1, i;
	bool is_good = argc > first;

	printf("1..%d\n", argc - first + has_table);
	for (i = first; i < argc; i++)
		if (!run_file(argv[i], (size_t)i - (size_t)first + 1))
			is_good = false;
	if (has_table && !check_table((size_t)argc - (size_t)first + 1))
		is_good = false;
	return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
