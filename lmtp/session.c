/* SPDX-License-Identifier: MIT */
#include "lmtp/session.h"

#include <stdio.h>

#include "base/encode.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "lmtp/data.h"
#include "lmtp/reply.h"
#include "lmtp/xclient.h"

#include "base/banned.h"

enum {
	/* RCPTs of a pipeline that are read before all are answered. */
	PIPELINE_MAX = 100,
	/* Exim's buffer for an answer of any number of lines has 256 bytes. */
	LHLO_BYTES_MAX = 239,
	GREETING_BYTES_MAX = 239,
	GREETING_HOST_MAX = 135, /* what it leaves to login_greeting */
	/* Results whose reply was perhaps not read; those beyond are forgotten
	 * by their age alone. */
	UNCONFIRMED_MAX = 10000,
	/* Logins of a session that may fail. */
	LOGINS_MAX = 3,
	/* Proxies that a message may pass, as Dovecot has it. */
	TTL_MAX = 5
};

/* What comes next in the input. */
enum mode {
	MODE_COMMANDS,
	MODE_DATA,
	MODE_CHUNK,
	MODE_DELIVERING, /* nothing, until session_delivered() */
	MODE_STARTTLS,   /* nothing, until session_tls_started() */
	MODE_AUTH,       /* the response to 334 */
	MODE_LOGIN,      /* nothing, until session_logged_in() */
	MODE_ENDED
};

enum mechanism { MECHANISM_EXTERNAL, MECHANISM_PLAIN };

/* The way to the proof that replies were read. */
enum proof {
	PROOF_NONE_NEEDED,
	PROOF_REPLIES_WRITTEN, /* to our output */
	PROOF_REPLIES_LEFT
};

/* A reply in line: of a recipient, or a text. */
struct slot {
	struct session_recipient *recipient;
	const char *text;
};

struct place {
	struct session_recipient public;
	uint32_t hash; /* of the address, so that twins are found fast */
};

struct transaction {
	struct session_transaction public;
	size_t size; /* of public.recipients */
	struct slot slots[PIPELINE_MAX];
	size_t slot_first, slot_count;
};

/* What BDAT announced. */
struct chunk {
	uint64_t size, left;
	bool is_last;
	const char *refusal; /* NULL: it is a part of the message */
};

/* Whom XFORWARD names, until the transaction is over. */
struct forwarded {
	char ip[64];
	char host[XCLIENT_VALUE_MAX + 1];
	char queue_id[XCLIENT_SESSION_MAX + 1]; /* of the MTA before */
};

struct session {
	struct session_config config;
	struct session_peer peer;
	struct session_peer real_peer; /* whatever XCLIENT says */
	void *context;
	struct command_workarounds workarounds;

	char id[XCLIENT_SESSION_MAX + 1];
	char helo[XCLIENT_VALUE_MAX + 1];
	char host[XCLIENT_VALUE_MAX + 1]; /* by XCLIENT */
	char login[XCLIENT_VALUE_MAX + 1];
	struct forwarded *forwarded; /* NULL: nobody */
	char protocol[8];
	char tls[128];                         /* empty: in the clear */
	char certified[XCLIENT_VALUE_MAX + 1]; /* by the client's certificate */
	bool is_authenticated;
	enum mechanism mechanism; /* while AUTH goes on */
	unsigned failed_logins;
	bool is_helo_told; /* by XCLIENT: LHLO does not change it */
	uint64_t timeout_s;
	uint32_t ttl;

	enum mode mode;
	bool is_greeted;
	bool is_skipping; /* the rest of a line that is too long */
	char unfinished[16];
	unsigned bad_commands; /* in a row */
	uint64_t commands;
	unsigned transactions;
	struct transaction *transaction;
	struct data data;
	struct chunk chunk;
	struct arena *scratch; /* of commands that wait for their replies */
	struct buf output;
	/* Until session_confirmed() only the next MAIL and its RCPTs are looked
	 * at, and no reply goes out. */
	bool is_confirming;
	struct buf nothing; /* what the front may see meanwhile */

	uint64_t received; /* bytes that were taken */
	enum proof proof;
	uint64_t proof_from;
	struct buf handles; /* struct wire_handle */

	char last_words[128]; /* for behind the replies to a message */
	char end_reason[128];
};

/* ---- what is asked of a session ---- */

void *
session_context(const struct session *session)
{
	return session->context;
}

const char *
session_id(const struct session *session)
{
	return session->id;
}

const struct session_peer *
session_peer(const struct session *session)
{
	return &session->peer;
}

struct session_transaction *
session_transaction(struct session *session)
{
	return session->transaction != NULL ? &session->transaction->public
	                                    : NULL;
}

/* RFC 3848, RFC 6531 4.3 */
static const char *
own_protocol(const struct session *session, bool is_utf8)
{
	static const char *const names[2][2][2] = {
		{{"LMTP", "LMTPA"}, {"LMTPS", "LMTPSA"}},
		{{"UTF8LMTP", "UTF8LMTPA"}, {"UTF8LMTPS", "UTF8LMTPSA"}},
	};

	return names[is_utf8 ? 1 : 0][session->tls[0] != '\0' ? 1 : 0]
		    [session->is_authenticated ? 1 : 0];
}

static const char *
protocol_name(const struct session *session)
{
	bool is_utf8 = session->transaction != NULL &&
	               session->transaction->public.is_utf8;

	if (str_is_nocase(str_from(session->protocol), "SMTP"))
		return is_utf8 ? "UTF8SMTP" : "SMTP";
	if (str_is_nocase(str_from(session->protocol), "ESMTP"))
		return is_utf8 ? "UTF8SMTP" : "ESMTP";
	return own_protocol(session, is_utf8);
}

void
session_client(const struct session *session, struct wire_client *client)
{
	*client = (struct wire_client){
		.helo = str_from(session->helo),
		.ip = str_from(session->peer.ip),
		.port = session->peer.port,
		.tls = str_from(session->tls),
		.protocol = str_from(protocol_name(session)),
		.login = str_from(session->login),
		.remote_ip = str_from(session->forwarded != NULL
					      ? session->forwarded->ip
					      : session->peer.ip),
		.remote_host = str_from(session->forwarded != NULL
						? session->forwarded->host
						: session->host),
	};
}

uint32_t
session_ttl(const struct session *session)
{
	return session->ttl;
}

uint64_t
session_timeout_ms(const struct session *session)
{
	return session->timeout_s * 1000;
}

static bool
has_chunks(const struct session *session)
{
	return session->transaction != NULL &&
	       session->transaction->public.spool != NULL;
}

const char *
session_state_name(const struct session *session)
{
	if (session->mode == MODE_DATA || session->mode == MODE_DELIVERING ||
		has_chunks(session))
		return "DATA";
	if (session->transaction != NULL)
		return session->transaction->public.count > 0 ? "RCPT TO"
		                                              : "MAIL FROM";
	if (session->mode == MODE_STARTTLS)
		return "STARTTLS";
	if (session->mode == MODE_AUTH || session->mode == MODE_LOGIN)
		return "AUTH";
	return session->is_greeted ? "READY" : "GREETING";
}

static bool
has_queue(const struct session *session)
{
	const struct transaction *transaction = session->transaction;

	return transaction != NULL &&
	       transaction->slot_first < transaction->slot_count;
}

const char *
session_unfinished(const struct session *session)
{
	if (session->mode == MODE_DATA || session->mode == MODE_DELIVERING)
		return "DATA";
	if (session->mode == MODE_CHUNK)
		return "BDAT";
	if (session->mode == MODE_AUTH || session->mode == MODE_LOGIN)
		return "AUTH";
	if (has_queue(session))
		return "RCPT";
	return session->unfinished;
}

const char *
session_end_reason(const struct session *session)
{
	return session->mode == MODE_ENDED ? session->end_reason : NULL;
}

struct buf *
session_output(struct session *session)
{
	return session->is_confirming ? &session->nothing : &session->output;
}

bool
session_is_waiting(const struct session *session)
{
	return session->is_confirming || session->mode == MODE_DELIVERING ||
	       session->mode == MODE_STARTTLS || session->mode == MODE_LOGIN ||
	       has_queue(session);
}

bool
session_is_delivering(const struct session *session)
{
	return session->mode == MODE_DELIVERING;
}

bool
session_has_transaction(const struct session *session)
{
	return session->transaction != NULL;
}

uint64_t
session_message_max(const struct settings *settings)
{
	uint64_t message = settings->message_max_size;
	uint64_t mailbox = settings->quota_max_mail_size;

	if (message == 0 || (mailbox > 0 && mailbox < message))
		return mailbox;
	return message;
}

/* ---- transactions ---- */

static const char *
numbered_id(struct arena *arena, const char *id, char letter, size_t number)
{
	if (number == 1)
		return arena_text(arena, str_from(id));
	return arena_format(arena, "%s:%c%zu", id, letter, number);
}

static struct address
address_copy(struct arena *arena, const struct address *address)
{
	return (struct address){
		.local_part = arena_copy(arena, address->local_part),
		.domain = arena_copy(arena, address->domain),
		.display = STR_EMPTY,
		.text = arena_copy(arena, address->text),
		.is_null = address->is_null,
	};
}

static void
transaction_open(struct session *session, const struct command_mail *mail)
{
	struct arena *arena = arena_open();
	struct transaction *transaction = ARENA_NEW(arena, struct transaction);
	struct session_transaction *public = &transaction->public;

	session->transactions++;
	public->arena = arena;
	public->number = session->transactions;
	public->id =
		numbered_id(arena, session->id, 'T', session->transactions);
	public->sender = address_copy(arena, &mail->sender);
	public->size = mail->size;
	public->is_utf8 = mail->is_utf8;
	public->ret = arena_copy(arena, mail->ret);
	public->envid = arena_copy(arena, mail->envid);
	session->transaction = transaction;
}

static void
transaction_close(struct session *session)
{
	struct session_transaction *public;
	struct arena *arena;

	if (session->transaction == NULL)
		return;
	memory_free(session->forwarded);
	session->forwarded = NULL;
	session->config.events->release(session);
	public = &session->transaction->public;
	if (public->spool != NULL)
		spool_close(&public->spool);
	arena = public->arena;
	session->transaction = NULL;
	arena_close(&arena);
}

/* The local part belongs to the user data base, which may tell Amy from amy (RFC
 * 5321 2.4); domains are one in any case. */
static uint32_t
address_hash(const struct address *address)
{
	return str_hash_nocase(
		str_hash(STR_HASH, address->local_part), address->domain);
}

static bool
is_same_address(const struct address *a, const struct address *b)
{
	return str_equal(a->local_part, b->local_part) &&
	       str_equal_nocase(a->domain, b->domain);
}

static struct place *
place_of(struct session_recipient *recipient)
{
	return CONTAINER_OF(recipient, struct place, public);
}

static struct session_recipient *
find_twin(const struct session_transaction *transaction,
	const struct address *address, uint32_t hash)
{
	size_t i;

	for (i = 0; i < transaction->count; i++) {
		struct session_recipient *other = transaction->recipients[i];

		if (place_of(other)->hash == hash && other->twin == NULL &&
			other->state != SESSION_REFUSED &&
			is_same_address(&other->address, address))
			return other;
	}
	return NULL;
}

static struct session_recipient *
add_recipient(struct session *session, const struct command_rcpt *rcpt)
{
	struct transaction *transaction = session->transaction;
	struct session_transaction *public = &transaction->public;
	struct place *place = ARENA_NEW(public->arena, struct place);
	struct session_recipient *recipient = &place->public;

	if (public->count == transaction->size) {
		transaction->size = public->count == 0 ? 8 : public->count * 2;
		public->recipients = arena_grow(public->arena,
			public->recipients, sizeof(struct session_recipient *),
			public->count, transaction->size);
	}
	place->hash = address_hash(&rcpt->address);
	recipient->session = session;
	recipient->place = public->count;
	recipient->address = address_copy(public->arena, &rcpt->address);
	recipient->original = arena_copy(public->arena, rcpt->original);
	recipient->orcpt = arena_copy(public->arena, rcpt->orcpt);
	recipient->notify = arena_copy(public->arena, rcpt->notify);
	recipient->ignores_quota = rcpt->ignores_quota;
	recipient->id =
		numbered_id(public->arena, public->id, 'R', public->count + 1);
	recipient->state = SESSION_ASKED;
	recipient->twin = find_twin(public, &rcpt->address, place->hash);
	public->recipients[public->count++] = recipient;
	return recipient;
}

/* ---- replies, in the order of the commands ---- */

/* The last thing that is said. */
static void
finish(struct session *session, const char *reply, const char *reason)
{
	transaction_close(session);
	reply_add(&session->output, reply);
	session->is_confirming = false;
	snprintf(
		session->end_reason, sizeof(session->end_reason), "%s", reason);
	session->mode = MODE_ENDED;
}

/* `words`: "4.4.2 Disconnected for inactivity" */
static void
finish_unasked(struct session *session, const char *words)
{
	struct str reason = str_from(words), status;
	char reply[sizeof(session->last_words) + 4];

	snprintf(reply, sizeof(reply), "421 %s", words);
	(void)str_next_word(&reason, &status);
	finish(session, reply, str_trim(reason).data);
}

static bool
is_bad_command(const char *reply)
{
	return strncmp(reply, "500", 3) == 0 || strncmp(reply, "501", 3) == 0 ||
	       strncmp(reply, "503", 3) == 0;
}

static void
put_reply(struct session *session, const char *reply)
{
	if (!is_bad_command(reply)) {
		session->bad_commands = 0;
	} else if (++session->bad_commands >
		   session->config.settings->lmtp_max_bad_commands) {
		finish_unasked(session, "4.7.0 Too many invalid commands.");
		return;
	}
	reply_add(&session->output, reply);
}

static struct reply_to
reply_to(const struct session_recipient *recipient)
{
	return (struct reply_to){
		.address = recipient->address.text,
		.is_utf8 = recipient->session->transaction->public.is_utf8,
	};
}

static void
put_err(struct session *session, const struct session_recipient *recipient,
	const struct err *err)
{
	const struct reply_to to = reply_to(recipient);
	struct err told = *err;

	if (session->config.settings->lmtp_verbose_replies)
		err_tell(&told);
	reply_add_err(&session->output, &to, &told);
}

/* Another host's words are passed on as they are. */
static bool
put_others_words(
	struct session *session, const struct wire_recipient_result *result)
{
	struct reply_to to = {.address = STR_EMPTY,
		.is_utf8 = session->transaction->public.is_utf8};

	if (result->code == 0)
		return false;
	reply_add_to(&session->output, &to, result->code, result->err.status,
		str_from(result->err.text));
	return true;
}

static void
put_rcpt_reply(
	struct session *session, const struct session_recipient *recipient)
{
	if (recipient->state == SESSION_ACCEPTED) {
		put_reply(session, "250 2.1.5 OK");
		return;
	}
	session->bad_commands = 0;
	if (session->config.events->refused != NULL)
		session->config.events->refused(session, recipient);
	if (!put_others_words(session, &recipient->result))
		put_err(session, recipient, &recipient->result.err);
}

static void
put_slot(struct session *session, const struct slot *slot)
{
	if (slot->recipient != NULL)
		put_rcpt_reply(session, slot->recipient);
	else
		put_reply(session, slot->text);
}

/* All replies up to the first one that is still open.  A reply can be the last:
 * then there is no transaction any more. */
static void
put_slots(struct session *session)
{
	while (has_queue(session)) {
		struct transaction *transaction = session->transaction;
		struct slot *slot =
			&transaction->slots[transaction->slot_first];

		if (slot->recipient != NULL &&
			slot->recipient->state == SESSION_ASKED)
			return;
		transaction->slot_first++;
		put_slot(session, slot);
	}
	if (session->transaction != NULL)
		session->transaction->slot_first =
			session->transaction->slot_count = 0;
}

static void
add_slot(struct session *session, struct session_recipient *recipient,
	const char *text)
{
	struct transaction *transaction = session->transaction;

	transaction->slots[transaction->slot_count++] =
		(struct slot){recipient, text};
}

/* `reply` lives in the scratch arena or for ever. */
static void
say(struct session *session, const char *reply)
{
	if (has_queue(session))
		add_slot(session, NULL, reply);
	else
		put_reply(session, reply);
}

/* ---- commands ---- */

/* True when there was something to say against it. */
static bool
is_refused(struct session *session, const char *refusal)
{
	if (refusal != NULL)
		say(session, refusal);
	return refusal != NULL;
}

/* The client's certificate can say who it is. */
static bool
has_external(const struct session *session)
{
	return session->config.settings->lmtp_auth_external &&
	       session->certified[0] != '\0';
}

/* Nobody can read along. */
static bool
is_private(const struct session *session)
{
	return session->tls[0] != '\0' || !session->real_peer.is_inet ||
	       session->peer.is_trusted;
}

static bool
knows_passwords(const struct session *session)
{
	return session->config.settings->lmtp_auth_plain &&
	       session->config.events->login != NULL;
}

static bool
has_plain(const struct session *session)
{
	return knows_passwords(session) &&
	       (is_private(session) ||
		       !session->config.settings->disable_plaintext_auth);
}

static bool
may_start_tls(const struct session *session)
{
	return session->peer.may_start_tls && session->tls[0] == '\0';
}

static void
add_mechanisms(const struct session *session, struct buf *lines)
{
	if (has_external(session) || has_plain(session))
		buf_add_format(lines, "AUTH%s%s\n",
			has_external(session) ? " EXTERNAL" : "",
			has_plain(session) ? " PLAIN" : "");
}

static void
add_capabilities(const struct session *session, struct buf *lines)
{
	uint64_t most = session_message_max(session->config.settings);

	buf_add_text(lines, "\n8BITMIME\n");
	add_mechanisms(session, lines);
	buf_add_text(lines, "CHUNKING\n");
	if (session->workarounds.dsn)
		buf_add_text(lines, "DSN\n");
	buf_add_text(lines, "ENHANCEDSTATUSCODES\nPIPELINING");
	if (most > 0)
		buf_add_format(lines, "\nSIZE %llu", (unsigned long long)most);
	else
		buf_add_text(lines, "\nSIZE");
	buf_add_text(lines, "\nSMTPUTF8");
	if (may_start_tls(session))
		buf_add_text(lines, "\nSTARTTLS");
}

/* Bytes of a reply that has these lines; each begins with a line feed. */
static size_t
reply_bytes(struct str lines)
{
	size_t bytes = 0, i;

	for (i = 0; i < lines.len; i++)
		bytes += lines.data[i] == '\n' ? sizeof("250-\r\n") - 1 : 1;
	return bytes;
}

/* As many names as there is room for: clients send no others.  Exim takes a
 * longer answer for none, and it may well be trusted. */
static void
add_xforward(struct buf *text)
{
	const struct str keyword = STR("\nXFORWARD");
	size_t used = reply_bytes(buf_view(text)) + sizeof("250-\r\n") - 1 +
	              reply_bytes(keyword);
	struct str names = STR(XFORWARD_NAMES), name;
	bool is_first = true;

	while (str_next_word(&names, &name)) {
		used += 1 + name.len;
		if (used > LHLO_BYTES_MAX)
			break;
		if (is_first)
			buf_add(text, keyword);
		is_first = false;
		buf_add_format(text, " %.*s", STR_ARG(name));
	}
}

static void
put_capabilities(struct session *session)
{
	struct reply_to nobody = {STR_EMPTY, .is_utf8 = false};
	struct str host = str_from(session->config.hostname);
	struct buf lines, text;
	size_t bytes;

	buf_init(&lines, BUF_UNLIMITED);
	buf_init(&text, BUF_UNLIMITED);
	add_capabilities(session, &lines);
	if (session->peer.is_trusted)
		buf_add_text(&lines, "\nIGNOREQUOTA\nXCLIENT " XCLIENT_NAMES);
	bytes = reply_bytes(buf_view(&lines)) + sizeof("250-\r\n") - 1;
	buf_add(&text, utf8_cut(host, LHLO_BYTES_MAX - bytes));
	buf_add(&text, buf_view(&lines));
	if (session->peer.is_trusted)
		add_xforward(&text);
	session->bad_commands = 0;
	reply_add_to(&session->output, &nobody, 250, "", buf_view(&text));
	buf_clear(&text);
	buf_clear(&lines);
}

static void
set_text(char *text, size_t size, struct str value)
{
	value = utf8_cut(value, size - 1);
	snprintf(text, size, "%.*s", STR_ARG(value));
}

/* RFC 5321 4.1.4: forgets a transaction. */
static void
run_lhlo(struct session *session, const struct command *command)
{
	if (command->arguments.len == 0) {
		say(session, "501 Missing hostname");
		return;
	}
	transaction_close(session);
	session->is_greeted = true;
	/* What is no domain is taken, but stands in no header. */
	if (!session->is_helo_told)
		set_text(session->helo, sizeof(session->helo),
			command_is_domain(command->arguments)
				? command->arguments
				: STR_EMPTY);
	put_capabilities(session);
}

static const char *
or_unknown(const char *text)
{
	return text[0] != '\0' ? text : "unknown";
}

static void
tell_forwarded(struct session *session)
{
	const struct forwarded *forwarded = session->forwarded;

	if (forwarded == NULL || session->config.events->forwarded == NULL)
		return;
	session->config.events->forwarded(
		session, arena_format(session->scratch,
				 "orig_queue_id=%s, orig_client=%s[%s]",
				 or_unknown(forwarded->queue_id),
				 or_unknown(forwarded->host),
				 or_unknown(forwarded->ip)));
}

static void
run_mail(struct session *session, const struct command *command)
{
	uint64_t most = session_message_max(session->config.settings);
	struct command_mail mail;

	if (session->peer.needs_tls && session->tls[0] == '\0') {
		/* RFC 3207 4 */
		say(session, "530 5.7.0 Must issue a STARTTLS command first");
		return;
	}
	if (is_refused(session,
		    command_parse_mail(session->scratch, command->arguments,
			    &session->workarounds, &mail)))
		return;
	if (most > 0 && mail.size > most) {
		say(session, "552 5.2.3 Message size exceeds "
			     "administrative limit");
		return;
	}
	transaction_open(session, &mail);
	tell_forwarded(session);
	say(session, "250 2.1.0 OK");
}

static void
accept_recipient(struct session_recipient *recipient)
{
	recipient->state = SESSION_ACCEPTED;
	recipient->session->transaction->public.accepted++;
}

/* Nothing of the client's is kept then. */
static bool
is_short_of_memory(struct session *session)
{
	if (!spool_budget_is_full(session->config.budget))
		return false;
	say(session, "452 4.3.1 Insufficient memory, try again later");
	return true;
}

static void
run_rcpt(struct session *session, const struct command *command)
{
	struct session_transaction *transaction = &session->transaction->public;
	struct session_recipient *recipient;
	struct command_rcpt rcpt;

	if (is_refused(
		    session, command_parse_rcpt(session->scratch,
				     command->arguments, &session->workarounds,
				     transaction->is_utf8, &rcpt)))
		return;
	/* Refused ones count: they take memory as well.  RFC 5321 4.5.3.1.10:
	 * 452, so that the client sends the rest in a transaction of its own. */
	if (transaction->count >=
		session->config.settings->lmtp_max_recipients) {
		say(session, "452 4.5.3 Too many recipients");
		return;
	}
	if (is_short_of_memory(session))
		return;
	recipient = add_recipient(session, &rcpt);
	add_slot(session, recipient, NULL);
	if (recipient->twin == NULL)
		session->config.events->find(session, recipient);
	else if (recipient->twin->state == SESSION_ACCEPTED)
		accept_recipient(recipient);
	put_slots(session);
}

static void
run_data(struct session *session, const struct command *command)
{
	struct session_transaction *transaction = &session->transaction->public;

	if (is_refused(session, command_parse_nothing(command->arguments)))
		return;
	transaction->spool = spool_open(session->config.budget);
	session->data = (struct data){.state = DATA_LINE_START};
	session->mode = MODE_DATA;
	say(session, "354 OK");
}

/* ---- AUTH (RFC 4954): EXTERNAL (RFC 4422 A), PLAIN (RFC 4616) ---- */

#define AUTH_FAILED "535 5.7.8 Authentication credentials invalid"

static void
welcome(struct session *session, const char *name)
{
	set_text(session->login, sizeof(session->login), str_from(name));
	session->is_authenticated = true;
	say(session, "235 2.7.0 Authentication successful");
}

/* The response: for whom it wants to act; nobody else than itself. */
static void
end_external(struct session *session, struct str name)
{
	if (name.len > 0 && !str_is(name, session->certified))
		say(session, AUTH_FAILED);
	else
		welcome(session, session->certified);
}

static void
fail_login(struct session *session)
{
	if (++session->failed_logins < LOGINS_MAX) {
		say(session, AUTH_FAILED);
		return;
	}
	reply_add(&session->output, AUTH_FAILED);
	finish_unasked(session, "4.7.0 Too many failed logins.");
}

/* [authzid] NUL authcid NUL password. */
static void
end_plain(struct session *session, struct str response)
{
	struct str actor, name, rest = response;
	size_t end = str_find_char(rest, '\0');

	actor = str_slice(rest, 0, end);
	rest = str_skip(rest, end + 1);
	end = str_find_char(rest, '\0');
	if (end == rest.len) {
		say(session, "501 5.5.2 Invalid response");
		return;
	}
	name = str_slice(rest, 0, end);
	rest = str_skip(rest, end + 1);
	if (name.len == 0 || rest.len == 0 || str_has_char(rest, '\0') ||
		(actor.len > 0 && !str_equal(actor, name))) {
		fail_login(session);
		return;
	}
	session->mode = MODE_LOGIN;
	session->config.events->login(session, name, rest);
}

static void
end_auth(struct session *session, struct str encoded)
{
	struct str response = STR_EMPTY;

	if (str_is(encoded, "*")) {
		say(session, "501 5.7.0 Authentication cancelled");
		return;
	}
	if (!str_is(encoded, "=") &&
		decode_base64(session->scratch, encoded, &response) < 0) {
		say(session, "501 5.5.2 Invalid base64");
		return;
	}
	if (session->mechanism == MECHANISM_PLAIN)
		end_plain(session, response);
	else
		end_external(session, response);
}

/* NULL: it is to be had. */
static const char *
mechanism_refusal(struct session *session, struct str name)
{
	if (has_external(session) && str_is_nocase(name, "EXTERNAL")) {
		session->mechanism = MECHANISM_EXTERNAL;
		return NULL;
	}
	if (has_plain(session) && str_is_nocase(name, "PLAIN")) {
		session->mechanism = MECHANISM_PLAIN;
		return NULL;
	}
	if (knows_passwords(session) && str_is_nocase(name, "PLAIN"))
		return "538 5.7.11 Encryption required";
	if (has_external(session) || has_plain(session))
		return "504 5.5.4 Unrecognized authentication type";
	return "502 5.5.1 Unsupported command";
}

/* NULL: it may. */
static const char *
auth_refusal(struct session *session, struct str mechanism)
{
	if (!has_external(session) && !knows_passwords(session))
		return "502 5.5.1 Unsupported command";
	if (session->transaction != NULL)
		return "503 5.5.0 AUTH not permitted during a mail transaction";
	if (session->is_authenticated)
		return "503 5.5.0 Already authenticated";
	return mechanism_refusal(session, mechanism);
}

static void
run_auth(struct session *session, const struct command *command)
{
	struct str rest = command->arguments, mechanism = STR_EMPTY;

	(void)str_next_word(&rest, &mechanism);
	if (is_refused(session, auth_refusal(session, mechanism)))
		return;
	rest = str_trim(rest);
	if (rest.len > 0) {
		end_auth(session, rest);
		return;
	}
	session->mode = MODE_AUTH;
	say(session, "334 ");
}

static struct str line_without_end(struct str input, size_t len);

static size_t
take_response(struct session *session, struct str input)
{
	size_t most = session->config.settings->lmtp_max_line_length;
	struct str start = str_slice(input, 0, most);
	size_t end = str_find_char(start, '\n');

	if (end == start.len) {
		if (input.len >= most)
			finish(session,
				"500 5.5.6 Authentication response is too long",
				"Authentication response is too long");
		return 0;
	}
	if (session->scratch == NULL)
		session->scratch = arena_open();
	session->mode = MODE_COMMANDS;
	session->received += end + 1;
	end_auth(session, line_without_end(input, end + 1));
	return end + 1;
}

/* ---- chunks (RFC 3030) ---- */

static enum session_state state_of(const struct session *session);

/* What a chunk in this state is told once it has come; NULL: it is welcome. */
static const char *
chunk_refusal(const struct session *session)
{
	switch (state_of(session)) {
	case SESSION_GREETING:
	case SESSION_READY:
		return "503 5.5.0 MAIL needed first";
	case SESSION_MAIL:
		return "503 5.5.0 No valid recipients";
	case SESSION_RCPT:
	case SESSION_CHUNKS:
	case SESSION_STATES:
		break;
	}
	return NULL;
}

static void deliver(struct session *session);

static void
end_chunk(struct session *session)
{
	const struct chunk *chunk = &session->chunk;
	char reply[64];

	session->mode = MODE_COMMANDS;
	if (chunk->refusal != NULL) {
		put_reply(session, chunk->refusal);
		return;
	}
	if (chunk->is_last) {
		data_end_chunks(&session->data);
		deliver(session);
		return;
	}
	snprintf(reply, sizeof(reply), "250 2.0.0 %llu octets received",
		(unsigned long long)chunk->size);
	put_reply(session, reply);
}

static void
begin_chunks(struct session *session)
{
	struct session_transaction *transaction = &session->transaction->public;

	if (transaction->spool != NULL)
		return;
	transaction->spool = spool_open(session->config.budget);
	session->data = (struct data){.state = DATA_LINE_START};
}

/* Its bytes have to be read, whatever is thought of it; where it cannot be told how
 * many there are, nothing that follows can be understood. */
static void
run_bdat(struct session *session, const struct command *command)
{
	struct chunk chunk = {.refusal = chunk_refusal(session)};

	if (!command_parse_bdat(
		    command->arguments, &chunk.size, &chunk.is_last)) {
		finish(session, "521 5.5.4 Invalid BDAT, closing connection",
			"Invalid BDAT");
		return;
	}
	chunk.left = chunk.size;
	session->chunk = chunk;
	if (chunk.refusal == NULL)
		begin_chunks(session);
	session->mode = MODE_CHUNK;
	if (chunk.left == 0)
		end_chunk(session);
}

static size_t
take_chunk(struct session *session, struct str input)
{
	struct chunk *chunk = &session->chunk;
	size_t len = input.len < chunk->left ? input.len : (size_t)chunk->left;
	struct str bytes = str_slice(input, 0, len);

	if (chunk->refusal == NULL) {
		spool_add(session->transaction->public.spool, bytes);
		data_see_chunk(&session->data, bytes);
	}
	session->received += len;
	chunk->left -= len;
	if (chunk->left == 0)
		end_chunk(session);
	return len;
}

/* ---- more commands ---- */

static void
run_rset(struct session *session, const struct command *command)
{
	if (is_refused(session, command_parse_nothing(command->arguments)))
		return;
	transaction_close(session);
	say(session, "250 2.0.0 OK");
}

static void
run_noop(struct session *session, const struct command *command)
{
	if (!is_refused(
		    session, command_parse_string(command->arguments, false)))
		say(session, "250 2.0.0 OK");
}

static void
run_quit(struct session *session, const struct command *command)
{
	if (!is_refused(session, command_parse_nothing(command->arguments)))
		finish(session, "221 2.0.0 Bye", "Logged out");
}

static void
run_vrfy(struct session *session, const struct command *command)
{
	if (!is_refused(
		    session, command_parse_string(command->arguments, true)))
		say(session, "252 2.3.3 Try RCPT instead");
}

/* RFC 3207 4.  What the client sent behind it is never looked at. */
static void
run_starttls(struct session *session, const struct command *command)
{
	if (is_refused(session, command_parse_nothing(command->arguments)))
		return;
	if (session->tls[0] != '\0') {
		say(session, "502 5.5.1 TLS is already active.");
		return;
	}
	if (!session->peer.may_start_tls) {
		say(session, "502 5.5.1 TLS support is not enabled.");
		return;
	}
	if (session->config.events->has_room_for_tls != NULL &&
		!session->config.events->has_room_for_tls(session)) {
		say(session,
			"454 4.7.0 TLS not available due to temporary reason");
		return;
	}
	transaction_close(session);
	say(session, "220 2.0.0 Begin TLS negotiation now.");
	session->mode = MODE_STARTTLS;
}

static void
put_greeting(struct session *session)
{
	const struct session_config *config = &session->config;
	struct buf text;

	buf_init(&text, GREETING_BYTES_MAX - (sizeof("\r\n") - 1));
	buf_add_text(&text, "220 ");
	buf_add(&text, utf8_cut(str_from(config->hostname), GREETING_HOST_MAX));
	buf_add_char(&text, ' ');
	buf_add(&text, utf8_cut(str_from(config->settings->login_greeting),
			       text.max - text.len));
	reply_add(&session->output, buf_text(&text));
	buf_clear(&text);
}

static void
take_value(char *text, size_t size, const struct xclient_value *value)
{
	if (value->has)
		set_text(text, size, value->text);
}

static void
apply_xclient(struct session *session, const struct xclient *xclient)
{
	struct session_peer *peer = &session->peer;

	if (xclient->address.has) {
		take_value(peer->ip, sizeof(peer->ip), &xclient->address);
		peer->is_inet = peer->ip[0] != '\0';
		peer->port = 0;
	}
	if (xclient->port.has)
		peer->port = xclient->port_number;
	if (xclient->helo.has)
		session->is_helo_told = xclient->helo.text.len > 0;
	take_value(session->helo, sizeof(session->helo), &xclient->helo);
	take_value(session->host, sizeof(session->host), &xclient->name);
	take_value(session->login, sizeof(session->login), &xclient->login);
	take_value(
		session->protocol, sizeof(session->protocol), &xclient->proto);
	if (xclient->timeout.has)
		session->timeout_s = xclient->timeout_s;
	if (xclient->ttl.text.len > 0)
		session->ttl = (uint32_t)xclient->ttl_number;
	if (xclient->session.has && xclient->session.text.len > 0) {
		set_text(session->id, sizeof(session->id),
			xclient->session.text);
		session->transactions = 0;
	}
}

static void
run_xclient(struct session *session, const struct command *command)
{
	struct xclient xclient;

	if (!session->peer.is_trusted) {
		say(session, "550 5.7.14 You are not from trusted IP");
		return;
	}
	if (is_refused(session, xclient_parse(session->scratch,
					command->arguments, &xclient)))
		return;
	apply_xclient(session, &xclient);
	session->is_greeted = false;
	session->bad_commands = 0;
	put_greeting(session);
}

/* Of several lines each adds to what is known. */
static void
run_xforward(struct session *session, const struct command *command)
{
	struct xclient told;

	if (!session->peer.is_trusted) {
		say(session, "550 5.7.14 You are not from trusted IP");
		return;
	}
	if (is_refused(session, xforward_parse(session->scratch,
					command->arguments, &told)))
		return;
	if (session->forwarded == NULL)
		session->forwarded = memory_get(sizeof(*session->forwarded));
	take_value(session->forwarded->ip, sizeof(session->forwarded->ip),
		&told.address);
	take_value(session->forwarded->host, sizeof(session->forwarded->host),
		&told.name);
	take_value(session->forwarded->queue_id,
		sizeof(session->forwarded->queue_id), &told.ident);
	say(session, "250 2.0.0 OK");
}

/* ---- the table ---- */

struct cell {
	const char *refusal; /* NULL: run */
	void (*run)(struct session *session, const struct command *command);
};

#define RUN(function)                                                          \
	{                                                                      \
		.run = function                                                \
	}
#define REFUSE(reply)                                                          \
	{                                                                      \
		.refusal = reply                                               \
	}

#define MAIL_NEEDED REFUSE("503 5.5.0 MAIL needed first")
#define MAIL_GIVEN REFUSE("503 5.5.0 MAIL already given")
#define NOT_IN_TRANSACTION(command)                                            \
	[COMMAND_##command] =                                                  \
		REFUSE("503 5.5.0 " #command                                   \
		       " not permitted during a mail transaction")
#define IN_TRANSACTION NOT_IN_TRANSACTION(XCLIENT), NOT_IN_TRANSACTION(XFORWARD)
#define OUTSIDE                                                                \
	[COMMAND_XCLIENT] = RUN(run_xclient), [COMMAND_XFORWARD] =             \
						      RUN(run_xforward)
/* RFC 3030 2: once it has begun in chunks it goes on so. */
#define CHUNKS_BEGUN REFUSE("503 5.5.0 BDAT has begun the message")

/* What has the same answer in every state. */
#define ALWAYS                                                                 \
	[COMMAND_LHLO] = RUN(run_lhlo), [COMMAND_RSET] = RUN(run_rset),        \
	[COMMAND_NOOP] = RUN(run_noop), [COMMAND_QUIT] = RUN(run_quit),        \
	[COMMAND_VRFY] = RUN(run_vrfy),                                        \
	[COMMAND_STARTTLS] = RUN(run_starttls),                                \
	[COMMAND_BDAT] = RUN(run_bdat), [COMMAND_AUTH] = RUN(run_auth),        \
	[COMMAND_UNKNOWN] = REFUSE("500 5.5.1 Unknown command"),               \
	[COMMAND_INVALID] = REFUSE("500 5.5.2 Invalid command syntax"),        \
	[COMMAND_TOO_LONG] = REFUSE("500 5.5.2 Line too long")

/* MAIL without LHLO is taken, as by Dovecot: simple clients leave it out. */
static const struct cell table[SESSION_STATES][COMMAND_VERBS] = {
	[SESSION_GREETING] =
		{
			ALWAYS,
			[COMMAND_MAIL] = RUN(run_mail),
			[COMMAND_RCPT] = MAIL_NEEDED,
			[COMMAND_DATA] = MAIL_NEEDED,
			OUTSIDE,
		},
	[SESSION_READY] =
		{
			ALWAYS,
			[COMMAND_MAIL] = RUN(run_mail),
			[COMMAND_RCPT] = MAIL_NEEDED,
			[COMMAND_DATA] = MAIL_NEEDED,
			OUTSIDE,
		},
	[SESSION_MAIL] =
		{
			ALWAYS,
			[COMMAND_MAIL] = MAIL_GIVEN,
			[COMMAND_RCPT] = RUN(run_rcpt),
			/* RFC 2033 4.2 */
			[COMMAND_DATA] =
				REFUSE("503 5.5.0 No valid recipients"),
			IN_TRANSACTION,
		},
	[SESSION_RCPT] =
		{
			ALWAYS,
			[COMMAND_MAIL] = MAIL_GIVEN,
			[COMMAND_RCPT] = RUN(run_rcpt),
			[COMMAND_DATA] = RUN(run_data),
			IN_TRANSACTION,
		},
	[SESSION_CHUNKS] =
		{
			ALWAYS,
			[COMMAND_MAIL] = MAIL_GIVEN,
			[COMMAND_RCPT] = CHUNKS_BEGUN,
			[COMMAND_DATA] = CHUNKS_BEGUN,
			IN_TRANSACTION,
		},
};

static enum session_state
state_of(const struct session *session)
{
	if (has_chunks(session))
		return SESSION_CHUNKS;
	if (session->transaction != NULL)
		return session->transaction->public.accepted > 0 ? SESSION_RCPT
		                                                 : SESSION_MAIL;
	return session->is_greeted ? SESSION_READY : SESSION_GREETING;
}

/* What is under way is no loss: it was not answered. */
static bool
has_too_many_commands(struct session *session)
{
	uint64_t most = session->config.settings->lmtp_max_commands;

	return most > 0 && ++session->commands > most;
}

static void
run_command(struct session *session, const struct command *command)
{
	const struct session_events *events = session->config.events;
	enum session_state state = state_of(session);
	const struct cell *cell = &table[state][command->verb];

	if (session->scratch == NULL)
		session->scratch = arena_open();
	if (events->command != NULL)
		events->command(session, state, command->verb);
	if (command->verb != COMMAND_QUIT && has_too_many_commands(session))
		finish_unasked(session, "4.7.0 Too many commands.");
	else if (cell->refusal != NULL)
		say(session, cell->refusal);
	else
		cell->run(session, command);
}

/* ---- lines ---- */

/* RFC 5321 2.3.8 ends a line with CR LF; a bare LF does as well, so that people can
 * type.  (What ends a message is another matter.) */
static struct str
line_without_end(struct str input, size_t len)
{
	struct str line = str_slice(input, 0, len - 1);

	if (str_ends(line, STR("\r")))
		line.len--;
	return line;
}

/* For the log: the word that a line begins with. */
static void
note_unfinished(struct session *session, struct str line)
{
	size_t len = 0;

	while (len < line.len && len < sizeof(session->unfinished) - 1 &&
		ascii_is_alpha(line.data[len])) {
		session->unfinished[len] = ascii_upper(line.data[len]);
		len++;
	}
	session->unfinished[len] = '\0';
}

/* While replies are open only RCPTs are taken: what others mean depends on how
 * those end. */
static bool
has_to_wait(const struct session *session, const struct command *command)
{
	if (!has_queue(session))
		return false;
	return command->verb != COMMAND_RCPT ||
	       session->transaction->slot_count == PIPELINE_MAX;
}

/* The line at `received` could only be written by somebody who could read the
 * replies to a message. */
static bool
is_proof(const struct session *session)
{
	return session->proof == PROOF_REPLIES_LEFT &&
	       session->received >= session->proof_from;
}

static void
confirm(struct session *session)
{
	session->proof = PROOF_NONE_NEEDED;
	session->is_confirming = true;
	session->config.events->confirm(session,
		(const struct wire_handle *)(const void *)session->handles.data,
		session->handles.len / sizeof(struct wire_handle));
}

/* It delivers nothing, and its reply can wait. */
static bool
is_harmless(const struct command *command)
{
	return command->verb == COMMAND_MAIL || command->verb == COMMAND_RCPT;
}

static size_t
take_command(struct session *session, struct str input, size_t len)
{
	struct str line = line_without_end(input, len);
	struct command command = command_parse(line);

	note_unfinished(session, line);
	if (has_to_wait(session, &command))
		return 0;
	if (is_proof(session)) {
		if (has_queue(session))
			return 0;
		confirm(session);
	}
	if (session->is_confirming && !is_harmless(&command))
		return 0;
	session->received += len;
	session->unfinished[0] = '\0';
	run_command(session, &command);
	return len;
}

/* The rest of a line that is too long. */
static size_t
skip_line(struct session *session, struct str input)
{
	struct command command = {COMMAND_TOO_LONG, STR_EMPTY};
	size_t end = str_find_char(input, '\n');
	size_t len = end < input.len ? end + 1 : input.len;

	session->received += len;
	if (end == input.len)
		return len;
	session->is_skipping = false;
	session->unfinished[0] = '\0';
	run_command(session, &command);
	return len;
}

static size_t
take_line(struct session *session, struct str input)
{
	size_t most = session->config.settings->lmtp_max_line_length;
	struct str start = str_slice(input, 0, most);
	size_t end = str_find_char(start, '\n');

	if (session->is_skipping)
		return skip_line(session, input);
	if (end < start.len)
		return take_command(session, input, end + 1);
	note_unfinished(session, start);
	if (input.len < most || has_queue(session))
		return 0;
	session->is_skipping = true;
	return skip_line(session, input);
}

/* ---- the message ---- */

/* A twin has the result of the first one; nobody goes without a reply. */
static const struct wire_recipient_result *
result_of(const struct session_recipient *recipient)
{
	return recipient->twin != NULL ? &recipient->twin->result
	                               : &recipient->result;
}

static void
put_result(struct session *session, const struct session_recipient *recipient)
{
	const struct wire_recipient_result *result = result_of(recipient);
	struct reply_to to = reply_to(recipient);
	const char *id =
		recipient->twin != NULL ? recipient->twin->id : recipient->id;
	char text[256];

	if (put_others_words(session, result))
		return;
	if (result->outcome == WIRE_FAILED || result->outcome == WIRE_REFUSED) {
		put_err(session, recipient, &result->err);
		return;
	}
	snprintf(text, sizeof(text), "%s Saved", id);
	reply_add_to(&session->output, &to, 250, "2.0.0", str_from(text));
}

static void
keep_handle(struct session *session, const struct session_recipient *recipient)
{
	const struct wire_recipient_result *result = &recipient->result;

	if (recipient->twin != NULL || !result->has_handle)
		return;
	buf_add(&session->handles,
		str_of((const char *)&result->handle, sizeof(result->handle)));
	session->proof = PROOF_REPLIES_WRITTEN;
}

static void
put_results(struct session *session)
{
	struct session_transaction *transaction = &session->transaction->public;
	size_t i;

	for (i = 0; i < transaction->count; i++) {
		struct session_recipient *recipient =
			transaction->recipients[i];

		if (recipient->state != SESSION_ACCEPTED)
			continue;
		put_result(session, recipient);
		keep_handle(session, recipient);
	}
}

static void
end_message(struct session *session)
{
	put_results(session);
	transaction_close(session);
	session->bad_commands = 0;
	session->mode = MODE_COMMANDS;
	if (session->last_words[0] != '\0')
		finish_unasked(session, session->last_words);
}

/* All fail in the same way. */
static void
fail_all(struct session_transaction *transaction, const struct err *err)
{
	size_t i;

	for (i = 0; i < transaction->count; i++) {
		transaction->recipients[i]->result.outcome = WIRE_FAILED;
		transaction->recipients[i]->result.err = *err;
	}
}

/* Until somebody knows better: a failure without a reason, which is a temporary
 * one for the client. */
static void
fail_for_now(struct session_transaction *transaction)
{
	size_t i;

	for (i = 0; i < transaction->count; i++) {
		transaction->recipients[i]->result.outcome = WIRE_FAILED;
		transaction->recipients[i]->result.err.kind = ERR_NONE;
	}
}

static bool
has_bad_newlines(const struct session *session)
{
	return session->data.has_bare_newline &&
	       session->config.settings->lmtp_bare_newline ==
	               CONF_BARE_NEWLINE_REJECT;
}

/* 0: whole, and welcome. */
static int
close_spool(struct session *session, struct err *err)
{
	if (spool_end(session->transaction->public.spool, err) < 0)
		return -1;
	if (has_bad_newlines(session))
		return err_set(err, ERR_REFUSED, "5.6.0",
			"Message has a CR or LF that is no part of CR LF");
	return 0;
}

/* The last dot was read. */
static void
deliver(struct session *session)
{
	struct session_transaction *transaction = &session->transaction->public;
	struct err err;

	if (close_spool(session, &err) < 0) {
		if (session->config.events->not_taken != NULL)
			session->config.events->not_taken(session, &err);
		fail_all(transaction, &err);
		end_message(session);
		return;
	}
	fail_for_now(transaction);
	session->mode = MODE_DELIVERING;
	session->config.events->deliver(session);
}

static size_t
take_data(struct session *session, struct str input)
{
	struct str rest = input, piece;

	while (data_next(&session->data, &rest, &piece))
		spool_add(session->transaction->public.spool, piece);
	session->received += input.len - rest.len;
	if (session->data.state == DATA_END)
		deliver(session);
	return input.len - rest.len;
}

/* ---- what the front calls ---- */

static bool
has_workaround(const struct settings *settings, const char *name)
{
	size_t i;

	for (i = 0; i < settings->lmtp_client_workarounds.count; i++)
		if (str_is_nocase(
			    str_from(
				    settings->lmtp_client_workarounds.items[i]),
			    name))
			return true;
	return false;
}

struct session *
session_open(const struct session_config *config,
	const struct session_peer *peer, const char *id, void *context)
{
	struct session *session = memory_get(sizeof(*session));

	session->config = *config;
	session->peer = session->real_peer = *peer;
	session->context = context;
	session->workarounds.whitespace =
		has_workaround(config->settings, "whitespace-before-path");
	session->workarounds.ignorequota = peer->is_trusted;
	session->workarounds.dsn = session->config.settings->lmtp_dsn;
	session->workarounds.mailbox =
		has_workaround(config->settings, "mailbox-for-path");
	set_text(session->id, sizeof(session->id), str_from(id));
	set_text(session->protocol, sizeof(session->protocol), STR("LMTP"));
	session->ttl = TTL_MAX;
	buf_init(&session->output, BUF_UNLIMITED);
	buf_init(&session->handles,
		UNCONFIRMED_MAX * sizeof(struct wire_handle));
	put_greeting(session);
	return session;
}

void
session_close(struct session **session)
{
	struct session *ended = *session;

	if (ended == NULL)
		return;
	transaction_close(ended);
	memory_free(ended->forwarded);
	arena_close(&ended->scratch);
	buf_clear(&ended->output);
	buf_clear(&ended->handles);
	memory_free(ended);
	*session = NULL;
}

static size_t
take_input(struct session *session, struct str input)
{
	switch (session->mode) {
	case MODE_COMMANDS:
		return take_line(session, input);
	case MODE_DATA:
		return take_data(session, input);
	case MODE_CHUNK:
		return take_chunk(session, input);
	case MODE_AUTH:
		return take_response(session, input);
	case MODE_DELIVERING:
	case MODE_STARTTLS:
	case MODE_LOGIN:
	case MODE_ENDED:
		break;
	}
	return 0;
}

size_t
session_input(struct session *session, struct str input)
{
	size_t taken = 0, more;

	while (taken < input.len) {
		more = take_input(session, str_skip(input, taken));
		if (more == 0)
			break;
		taken += more;
	}
	/* Open replies may live there. */
	if (!has_queue(session))
		arena_close(&session->scratch);
	return taken;
}

bool
session_wants_tls(const struct session *session)
{
	return session->mode == MODE_STARTTLS;
}

/* RFC 3207 4.2 */
static void
forget_client(struct session *session)
{
	session->peer = session->real_peer;
	session->is_greeted = false;
	session->is_helo_told = false;
	session->is_authenticated = false;
	session->helo[0] = '\0';
	session->login[0] = session->host[0] = '\0';
	memory_free(session->forwarded);
	session->forwarded = NULL;
	session->timeout_s = 0;
	session->ttl = TTL_MAX;
	set_text(session->protocol, sizeof(session->protocol), STR("LMTP"));
}

void
session_tls_started(
	struct session *session, const char *description, const char *login)
{
	set_text(session->tls, sizeof(session->tls), str_from(description));
	set_text(session->certified, sizeof(session->certified),
		str_from(login));
	if (session->mode != MODE_STARTTLS)
		return;
	session->mode = MODE_COMMANDS;
	forget_client(session);
}

void
session_set_peer(struct session *session, const struct session_peer *peer)
{
	session->peer = session->real_peer = *peer;
	session->workarounds.ignorequota = peer->is_trusted;
}

void
session_turn_away(struct session *session, const char *reply)
{
	buf_reset(&session->output);
	finish_unasked(session, reply);
}

void
session_output_left(struct session *session, uint64_t received)
{
	if (session->proof != PROOF_REPLIES_WRITTEN || session->output.len > 0)
		return;
	session->proof = PROOF_REPLIES_LEFT;
	session->proof_from = received;
}

bool
session_awaits_proof(const struct session *session)
{
	return session->proof == PROOF_REPLIES_LEFT;
}

void
session_not_read(struct session *session, uint64_t received)
{
	if (session->proof == PROOF_REPLIES_LEFT)
		session->proof_from = received;
}

size_t
session_memory(const struct session *session)
{
	size_t bytes = session->output.size + session->handles.size;

	if (session->transaction != NULL)
		bytes += arena_used(session->transaction->public.arena);
	return bytes;
}

static void
found_one(struct session_recipient *recipient, const struct err *err)
{
	if (err->kind == ERR_NONE) {
		accept_recipient(recipient);
		return;
	}
	recipient->state = SESSION_REFUSED;
	recipient->result.outcome = WIRE_FAILED;
	recipient->result.err = *err;
}

void
session_found(struct session_recipient *recipient, const struct err *err,
	const struct wire_ticket *ticket, uint32_t group)
{
	struct session *session = recipient->session;
	struct session_transaction *transaction = &session->transaction->public;
	size_t i;

	if (recipient->state != SESSION_ASKED)
		return;
	if (ticket != NULL)
		recipient->ticket = *ticket;
	recipient->group = group;
	found_one(recipient, err);
	for (i = recipient->place + 1; i < transaction->count; i++)
		if (transaction->recipients[i]->twin == recipient) {
			transaction->recipients[i]->result.code =
				recipient->result.code;
			found_one(transaction->recipients[i], err);
		}
	put_slots(session);
}

void
session_delivered(struct session *session)
{
	if (session->mode == MODE_DELIVERING)
		end_message(session);
}

void
session_logged_in(
	struct session *session, enum wire_login_state state, const char *name)
{
	if (session->mode != MODE_LOGIN)
		return;
	session->mode = MODE_COMMANDS;
	switch (state) {
	case WIRE_LOGIN_YES:
		welcome(session, name);
		break;
	case WIRE_LOGIN_NO:
		fail_login(session);
		break;
	case WIRE_LOGIN_UNABLE:
		say(session, "454 4.7.0 Temporary authentication failure");
		break;
	}
}

void
session_confirmed(struct session *session)
{
	if (!session->is_confirming)
		return;
	buf_clear(&session->handles);
	session->is_confirming = false;
}

void
session_end(struct session *session, const char *reply)
{
	if (session->mode == MODE_ENDED)
		return;
	if (session->mode == MODE_DELIVERING)
		set_text(session->last_words, sizeof(session->last_words),
			str_from(reply));
	else
		finish_unasked(session, reply);
}
