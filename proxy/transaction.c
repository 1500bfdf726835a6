/* SPDX-License-Identifier: MIT */
#include "proxy/transaction.h"

#include <stdio.h>
#include <string.h>

#include "base/attributes.h"
#include "base/clock.h"
#include "base/encode.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/utf8.h"

#include "base/banned.h"

enum {
	/* A ticket that nobody has asked for by then is forgotten; one that
	 * nobody has told of is none. */
	ROUTE_MS = 60 * 1000,
	SECOND_MS = 1000,
	SHOWN_MAX = 500 /* bytes of an address in a reply */
};

struct transaction;

enum recipient_state {
	RECIPIENT_NEW,   /* not yet said to the backend */
	RECIPIENT_ASKED, /* nothing was answered */
	RECIPIENT_ACCEPTED,
	RECIPIENT_DONE
};

struct recipient {
	struct transaction *transaction;
	uint32_t number; /* the front's */
	enum recipient_state state;
	struct wire_ticket ticket;
	struct client_rcpt rcpt;
	struct str given; /* the path that the client has named */
	const char *id;
	struct memory_item *claim; /* NULL: it was not asked for */
	bool is_held;              /* memory_finish() is due */
	struct part *part;
	struct recipient *next; /* of the part */
	/* While its route is not known: */
	struct table_entry waiting;
	struct loop_timer timer;
	struct recipient *next_waiting; /* of the transaction */
	/* While the name of its host is looked up: */
	struct host_wait host_wait;
	struct wire_route *route;
	struct recipient *next_hostless; /* of the transaction */
};

/* The recipients of one backend. */
struct part {
	struct errand errand;
	struct transaction *transaction;
	struct backend *backend;
	struct recipient *recipients, **last;
	struct part *next;
	bool is_trusted;  /* XCLIENT may be spoken there */
	bool is_ended;    /* nothing more is expected of it */
	uint64_t sent_us; /* when the message began to be sent */
};

struct transaction {
	struct table_entry entry;
	struct transactions *all;
	struct arena *arena;
	struct wire_proxy_mail mail;
	struct part *parts;
	struct recipient *waiting;  /* whose route was not known at once */
	struct recipient *hostless; /* whose host's address was not */
	struct body *body;          /* from DATA on */
	struct loop_timer deadline;
	struct memory_ask ask;
	struct recipient **claimants; /* in the order of ask.items */
	/* The client has gone; what was sent is waited for. */
	bool is_orphan;
	struct loop_timer burial;
};

struct known_route {
	struct table_entry entry; /* in `tickets` */
	struct list_link in_order;
	uint64_t due_ms;
	struct wire_ticket ticket;
	struct arena *arena;
	struct wire_route route;
};

static void claim(struct transaction *transaction);
static void bury(struct transaction *transaction);
static void on_burial(struct loop_timer *timer);
static void end(struct transaction *transaction);

/* ---- answers ---- */

/* RFC 3463 3.5: a loop has a code that the front's own words have not. */
enum { LOOP_CODE = 554, TAKEN_CODE = 250 };

static bool
is_loop(const struct err *err)
{
	return strcmp(err->status, "5.4.6") == 0;
}

static void
loop_err(const struct recipient *recipient, const char *text, struct err *err)
{
	err_set(err, ERR_REFUSED, "5.4.6", "<%.*s> %s",
		STR_ARG(utf8_cut(recipient->rcpt.path, SHOWN_MAX)), text);
}

/* A mail that was taken is remembered until the client confirms it. */
static void
remember(struct recipient *recipient, const struct err *err,
	struct wire_proxy_answer *answer)
{
	struct memory *memory = recipient->transaction->all->memory;
	bool is_taken = err->kind == ERR_NONE;

	if (recipient->claim == NULL)
		return;
	if (recipient->is_held)
		memory_finish(memory, recipient->claim->key,
			is_taken ? WIRE_SAVED : WIRE_FAILED);
	else if (recipient->claim->state != WIRE_CLAIM_FINISHED)
		return;
	recipient->is_held = false;
	answer->has_handle = is_taken;
	answer->handle.uid = memory->uid;
	memcpy(answer->handle.key, recipient->claim->key,
		sizeof(answer->handle.key));
	memcpy(answer->handle.secret, recipient->claim->secret,
		sizeof(answer->handle.secret));
}

static void
send_answer(struct recipient *recipient, bool is_result, uint32_t code,
	const struct err *err)
{
	struct transaction *transaction = recipient->transaction;
	struct wire_proxy_answer answer = {
		.transaction = transaction->entry.number,
		.recipient = recipient->number,
		.is_result = is_result,
		.code = code,
		.err = *err};
	struct frame frame;

	if (is_result)
		remember(recipient, err, &answer);
	if (transaction->is_orphan)
		return;

	frame_begin(&frame, WIRE_PROXY_ANSWER);
	wire_proxy_answer(&frame, &answer);
	link_send(transaction->all->front, &frame);
}

static void
count(struct recipient *recipient, bool is_result, const struct err *err)
{
	struct transactions *all = recipient->transaction->all;
	struct backend_counters none = {0};
	struct backend_counters *of_backend =
		recipient->part != NULL ? &recipient->part->backend->counters
					: &none;

	if (!is_result) {
		all->refused += err->kind != ERR_NONE;
	} else if (err->kind == ERR_NONE) {
		all->delivered++;
		of_backend->delivered++;
	} else if (err->kind == ERR_TEMPORARY) {
		all->temporary++;
		of_backend->temporary++;
	} else {
		all->failed++;
		of_backend->failed++;
	}
}

static void
answer_reply(struct recipient *recipient, bool is_result,
	const struct backend_reply *reply)
{
	struct err err;

	backend_reply_err(reply, &err);
	if (is_result)
		log_info("<%s>: sent <%.*s> to %s: %u %s%s%s", recipient->id,
			STR_ARG(recipient->rcpt.path),
			recipient->part->backend->name, reply->code,
			reply->status, reply->status[0] != '\0' ? " " : "",
			reply->text);
	count(recipient, is_result, &err);
	send_answer(recipient, is_result, reply->code, &err);
}

static void
answer_err(struct recipient *recipient, bool is_result, const struct err *err)
{
	count(recipient, is_result, err);
	send_answer(recipient, is_result, is_loop(err) ? LOOP_CODE : 0, err);
}

/* In Dovecot's words. */
static void
failure_err(const struct recipient *recipient, const char *words,
	const char *detail, struct err *err)
{
	err_set(err, ERR_TEMPORARY, "4.4.0", "Proxy failed (%s, session=%s)",
		words, recipient->transaction->mail.id);
	err_detail(err, "%s", detail);
}

/* Whatever it still waits for. */
static void
fail_recipient(struct recipient *recipient, const struct err *err)
{
	bool has_body = recipient->transaction->body != NULL;

	switch (recipient->state) {
	case RECIPIENT_NEW:
	case RECIPIENT_ASKED:
		recipient->state = RECIPIENT_DONE;
		answer_err(recipient, false, err);
		break;
	case RECIPIENT_ACCEPTED:
		/* It is told when the message has come. */
		if (!has_body)
			break;
		recipient->state = RECIPIENT_DONE;
		answer_err(recipient, true, err);
		break;
	case RECIPIENT_DONE:
		break;
	}
}

/* ---- parts ---- */

#define PART_OF(errand) CONTAINER_OF(errand, struct part, errand)

static struct upstream *
upstream_of(const struct part *part)
{
	return part->errand.upstream;
}

static void
make_origin(const struct transaction *transaction, const struct part *part,
	struct client_origin *origin)
{
	const struct wire_proxy_mail *mail = &transaction->mail;

	*origin = (struct client_origin){
		.session = str_from(mail->session),
		.ip = mail->client.ip,
		.port = mail->client.port,
		.helo = mail->client.helo,
		.login = mail->client.login,
		.protocol = STR("LMTP"),
		.ttl = mail->ttl > 0 ? mail->ttl - 1 : 0,
		.timeout_s = part->errand.timeout_ms / SECOND_MS,
	};
}

static bool
is_ascii(struct str text)
{
	size_t i;

	for (i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] >= 0x80)
			return false;
	return true;
}

/* RFC 6531 3.2: what the backend could not read is not sent there. */
static bool
is_readable(const struct part *part, const struct recipient *recipient)
{
	return upstream_of(part)->client.offers.plain.smtputf8 ||
	       (is_ascii(part->transaction->mail.sender) &&
		       is_ascii(recipient->rcpt.path));
}

static void
say_rcpt(struct part *part, struct recipient *recipient)
{
	struct err err;

	if (!is_readable(part, recipient)) {
		err_set(&err, ERR_REFUSED, "5.6.7",
			"The user's host takes ASCII addresses only");
		fail_recipient(recipient, &err);
		return;
	}
	recipient->state = RECIPIENT_ASKED;
	client_rcpt(&upstream_of(part)->client, &recipient->rcpt);
}

static void
begin_part(struct errand *errand)
{
	struct part *part = PART_OF(errand);
	struct transaction *transaction = part->transaction;
	const struct wire_proxy_mail *from = &transaction->mail;
	struct client_origin origin;
	struct client_mail mail = {.sender = from->sender,
		.size = from->size,
		.is_utf8 = from->is_utf8,
		.ret = from->ret,
		.envid = from->envid};
	struct recipient *recipient;

	make_origin(transaction, part, &origin);
	if (part->is_trusted)
		mail.origin = &origin;
	client_mail(&upstream_of(part)->client, &mail);
	for (recipient = part->recipients; recipient != NULL;
		recipient = recipient->next)
		if (recipient->state != RECIPIENT_DONE)
			say_rcpt(part, recipient);
	upstream_flush(upstream_of(part));
}

static bool
has_open_results(const struct part *part)
{
	const struct recipient *recipient;

	for (recipient = part->recipients; recipient != NULL;
		recipient = recipient->next)
		if (recipient->state == RECIPIENT_ACCEPTED)
			return true;
	return false;
}

/* An orphan ends with its last result, but not within a call about it. */
static void
bury(struct transaction *transaction)
{
	const struct part *part;

	if (!transaction->is_orphan)
		return;
	for (part = transaction->parts; part != NULL; part = part->next)
		if (has_open_results(part))
			return;
	loop_timer(transaction->all->loop, &transaction->burial, 0);
}

static void
on_rcpt(struct errand *errand, void *context, const struct backend_reply *reply)
{
	struct recipient *recipient = context;

	(void)errand;
	if (recipient->state != RECIPIENT_ASKED)
		return;
	recipient->state = backend_reply_is_good(reply) ? RECIPIENT_ACCEPTED
	                                                : RECIPIENT_DONE;
	answer_reply(recipient, false, reply);
}

static void
on_result(
	struct errand *errand, void *context, const struct backend_reply *reply)
{
	struct part *part = PART_OF(errand);
	struct recipient *recipient = context;

	if (recipient->state != RECIPIENT_ACCEPTED)
		return;
	recipient->state = RECIPIENT_DONE;
	part->backend->counters.answers++;
	part->backend->counters.answers_us +=
		clock_monotonic_us() - part->sent_us;
	answer_reply(recipient, true, reply);
	if (has_open_results(part))
		return;
	errand_end(errand);
	bury(part->transaction);
}

static void
fail_part(struct part *part, const char *words, const char *detail)
{
	struct recipient *recipient;
	struct err err;

	for (recipient = part->recipients; recipient != NULL;
		recipient = recipient->next) {
		failure_err(recipient, words, detail, &err);
		fail_recipient(recipient, &err);
	}
	errand_end(&part->errand);
	bury(part->transaction);
}

static void
on_lost(struct errand *errand, const char *words, const char *detail)
{
	struct part *part = PART_OF(errand);

	log_error("<%s>: %s: %s: %s", part->transaction->mail.id,
		part->backend->name, words, detail);
	part->is_ended = true;
	fail_part(part, words, detail);
}

static uint64_t
timeout_of(const struct transaction *transaction, const struct route *route)
{
	uint64_t timeout = route->timeout_ms;
	uint64_t patience = transaction->mail.timeout_ms;

	if (timeout == 0)
		timeout = transaction->all->settings->lmtp_proxy_timeout_ms;
	/* The client would not hear of it. */
	if (patience > SECOND_MS && timeout > patience - SECOND_MS)
		timeout = patience - SECOND_MS;
	return timeout;
}

static struct part *
add_part(struct transaction *transaction, struct backend *backend,
	const struct route *route)
{
	struct part *part = ARENA_NEW(transaction->arena, struct part);

	part->transaction = transaction;
	part->backend = backend;
	part->is_trusted = !route->not_trusted;
	part->last = &part->recipients;
	part->next = transaction->parts;
	transaction->parts = part;
	part->errand = (struct errand){
		.session =
			str_hash(STR_HASH, str_from(transaction->mail.session)),
		.timeout_ms = timeout_of(transaction, route),
		.begin = begin_part,
		.rcpt = on_rcpt,
		.result = on_result,
		.lost = on_lost};
	return part;
}

static struct part *
part_of(struct transaction *transaction, struct backend *backend,
	const struct route *route)
{
	struct part *part = transaction->parts;

	while (part != NULL && (part->backend != backend || part->is_ended))
		part = part->next;
	return part != NULL ? part : add_part(transaction, backend, route);
}

static void
add_to_part(struct part *part, struct recipient *recipient)
{
	bool is_first = part->recipients == NULL;

	recipient->part = part;
	*part->last = recipient;
	part->last = &recipient->next;
	if (is_first) {
		backend_want(part->backend, &part->errand);
	} else if (upstream_of(part) != NULL && part->errand.is_begun) {
		say_rcpt(part, recipient);
		upstream_flush(upstream_of(part));
	}
}

/* ---- RCPT ---- */

static void send_to(
	struct recipient *recipient, const struct wire_route *route);

/* In Dovecot's form: fields with TAB between, in base64. */
static void
add_escaped(struct buf *out, struct str text)
{
	size_t i;

	for (i = 0; i < text.len; i++) {
		static const char special[] = "\001\t\r\n", names[] = "1trn";
		const char *at = text.data[i] != '\0'
		                         ? strchr(special, text.data[i])
		                         : NULL;

		if (at == NULL) {
			buf_add_char(out, text.data[i]);
			continue;
		}
		buf_add_char(out, '\001');
		buf_add_char(out, names[at - special]);
	}
}

static struct str
pack_forward(struct arena *arena, const struct route *route)
{
	struct buf text;
	struct str result = STR_EMPTY;
	size_t i;

	buf_init(&text, BUF_UNLIMITED);
	for (i = 0; i < route->forward_count; i++) {
		if (i > 0)
			buf_add_char(&text, '\t');
		add_escaped(&text, route->forward[i].name);
		buf_add_char(&text, '=');
		add_escaped(&text, route->forward[i].value);
	}
	if (text.len > 0)
		result = encode_base64(arena, buf_view(&text), true, false);
	buf_clear(&text);
	return result;
}

static void
on_host(struct host_wait *wait)
{
	struct recipient *recipient =
		CONTAINER_OF(wait, struct recipient, host_wait);

	send_to(recipient, recipient->route);
}

/* The name of its host is being looked up. */
static void
wait_for_host(struct recipient *recipient, const struct wire_route *route)
{
	struct transaction *transaction = recipient->transaction;
	struct wire_route whole = *route, *copy;

	recipient->host_wait.over = on_host;
	if (recipient->route != NULL)
		return;
	copy = ARENA_NEW(transaction->arena, struct wire_route);
	if (!wire_route_unpack(transaction->arena,
		    wire_route_pack(transaction->arena, &whole), copy))
		BUG("a route cannot be copied");
	recipient->route = copy;
	recipient->next_hostless = transaction->hostless;
	transaction->hostless = recipient;
}

static void
send_to(struct recipient *recipient, const struct wire_route *route)
{
	struct transaction *transaction = recipient->transaction;
	struct backend *backend;
	struct err err;

	if (route->route.is_self) {
		loop_err(recipient, "Proxying loops to itself", &err);
		fail_recipient(recipient, &err);
		return;
	}
	if (transaction->mail.ttl <= 1) {
		loop_err(recipient, "Proxying appears to be looping (TTL=0)",
			&err);
		fail_recipient(recipient, &err);
		return;
	}
	switch (places_find(transaction->all->places, route->user,
		&route->route, transaction->mail.port, &recipient->host_wait,
		&backend, &err)) {
	case LOOKUP_FOUND:
		break;
	case LOOKUP_NONE:
		wait_for_host(recipient, route);
		return;
	case LOOKUP_ERROR:
		log_error("<%s>: user %s: %s", recipient->id, route->user,
			err_log_text(&err));
		fail_recipient(recipient, &err);
		return;
	}
	recipient->rcpt.forward =
		pack_forward(transaction->arena, &route->route);
	if (route->route.destuser != NULL) {
		if (recipient->rcpt.orcpt.len == 0)
			recipient->rcpt.orcpt = str_from(
				arena_format(transaction->arena, "rfc822;%.*s",
					STR_ARG(recipient->rcpt.path)));
		recipient->rcpt.path = arena_copy(
			transaction->arena, str_from(route->route.destuser));
	}
	add_to_part(part_of(transaction, backend, &route->route), recipient);
}

/* Tickets are random: their first bytes find them. */
static uint64_t
number_of(const struct wire_ticket *ticket)
{
	uint64_t number;

	memcpy(&number, ticket->bytes, sizeof(number));
	return number;
}

static bool
is_same(const struct wire_ticket *a, const struct wire_ticket *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static void
forget_route(struct transactions *all, struct known_route *known)
{
	table_remove(&all->tickets, &known->entry);
	list_remove(&known->in_order);
	arena_close(&known->arena);
	memory_free(known);
}

static struct known_route *
find_route(const struct transactions *all, const struct wire_ticket *ticket)
{
	struct table_entry *entry =
		table_find(&all->tickets, number_of(ticket));
	struct known_route *known;

	if (entry == NULL)
		return NULL;
	known = CONTAINER_OF(entry, struct known_route, entry);
	return is_same(&known->ticket, ticket) ? known : NULL;
}

static void
unknown_ticket(struct loop_timer *timer)
{
	struct recipient *recipient =
		CONTAINER_OF(timer, struct recipient, timer);
	struct err err;

	table_remove(
		&recipient->transaction->all->waiting, &recipient->waiting);
	err_temp(&err, "4.3.0", "a ticket that nobody has told of");
	log_error("<%s>: %s", recipient->id, err_log_text(&err));
	fail_recipient(recipient, &err);
}

/* Master has told of it before the front could ask, but by another way. */
static void
wait_for_route(struct recipient *recipient)
{
	struct transaction *transaction = recipient->transaction;
	struct transactions *all = transaction->all;

	recipient->next_waiting = transaction->waiting;
	transaction->waiting = recipient;
	recipient->timer.fire = unknown_ticket;
	table_add(&all->waiting, &recipient->waiting,
		number_of(&recipient->ticket));
	loop_timer(all->loop, &recipient->timer,
		loop_now_ms(all->loop) + all->settings->lmtp_proxy_timeout_ms);
}

static struct transaction *
find(const struct transactions *all, uint64_t number)
{
	struct table_entry *entry = table_find(&all->table, number);

	return entry != NULL ? CONTAINER_OF(entry, struct transaction, entry)
	                     : NULL;
}

static struct recipient *
add_recipient(
	struct transaction *transaction, const struct wire_proxy_rcpt *rcpt)
{
	struct arena *arena = transaction->arena;
	struct recipient *recipient = ARENA_NEW(arena, struct recipient);

	recipient->transaction = transaction;
	recipient->number = rcpt->recipient;
	recipient->ticket = rcpt->ticket;
	recipient->id = arena_text(arena, str_from(rcpt->session));
	recipient->given = arena_copy(arena, rcpt->path);
	recipient->rcpt =
		(struct client_rcpt){.path = arena_copy(arena, rcpt->path),
			.orcpt = arena_copy(arena, rcpt->orcpt),
			.notify = arena_copy(arena, rcpt->notify),
			.recipient = recipient};
	return recipient;
}

static bool
on_front_rcpt(struct transactions *all, struct frame *frame)
{
	struct wire_proxy_rcpt rcpt = {0};
	struct transaction *transaction;
	struct recipient *recipient;
	struct known_route *known;

	wire_proxy_rcpt(frame, &rcpt);
	transaction = find(all, rcpt.transaction);
	if (!frame_is_whole(frame) || transaction == NULL ||
		transaction->body != NULL)
		return false;
	recipient = add_recipient(transaction, &rcpt);
	known = find_route(all, &rcpt.ticket);
	if (known == NULL) {
		wait_for_route(recipient);
		return true;
	}
	send_to(recipient, &known->route);
	forget_route(all, known);
	return true;
}

/* ---- ROUTE ---- */

static void
forget_old(struct loop_timer *timer)
{
	struct transactions *all =
		CONTAINER_OF(timer, struct transactions, forgetting);
	struct list_link *link;

	while ((link = list_first(&all->routes)) != NULL) {
		struct known_route *known =
			CONTAINER_OF(link, struct known_route, in_order);

		if (known->due_ms > loop_now_ms(all->loop)) {
			loop_timer(all->loop, timer, known->due_ms);
			return;
		}
		forget_route(all, known);
	}
}

static void
keep_route(struct transactions *all, struct known_route *known)
{
	known->due_ms = loop_now_ms(all->loop) + ROUTE_MS;
	table_add(&all->tickets, &known->entry, number_of(&known->ticket));
	list_add_last(&all->routes, &known->in_order);
	if (!loop_timer_is_running(&all->forgetting))
		loop_timer(all->loop, &all->forgetting, known->due_ms);
}

static struct recipient *
find_waiting(const struct transactions *all, const struct wire_ticket *ticket)
{
	struct table_entry *entry =
		table_find(&all->waiting, number_of(ticket));
	struct recipient *recipient;

	if (entry == NULL)
		return NULL;
	recipient = CONTAINER_OF(entry, struct recipient, waiting);
	return is_same(&recipient->ticket, ticket) ? recipient : NULL;
}

static void
stop_waiting(struct recipient *recipient)
{
	struct transactions *all = recipient->transaction->all;

	if (!loop_timer_is_running(&recipient->timer))
		return;
	table_remove(&all->waiting, &recipient->waiting);
	loop_timer_stop(all->loop, &recipient->timer);
}

bool
transactions_route(struct transactions *all, struct frame *frame)
{
	struct wire_proxy_route message = {.route = STR_EMPTY};
	struct known_route *known;
	struct recipient *recipient;

	wire_proxy_route(frame, &message);
	if (!frame_is_whole(frame) ||
		table_find(&all->tickets, number_of(&message.ticket)) != NULL)
		return false;
	known = memory_get(sizeof(*known));
	known->arena = arena_open();
	known->ticket = message.ticket;
	if (!wire_route_unpack(known->arena,
		    arena_copy(known->arena, message.route), &known->route)) {
		arena_close(&known->arena);
		memory_free(known);
		return false;
	}
	keep_route(all, known);
	recipient = find_waiting(all, &message.ticket);
	if (recipient != NULL) {
		stop_waiting(recipient);
		send_to(recipient, &known->route);
		forget_route(all, known);
	}
	return true;
}

/* ---- MAIL ---- */

static void
copy_client(struct arena *arena, const struct wire_client *from,
	struct wire_client *to)
{
	*to = (struct wire_client){.helo = arena_copy(arena, from->helo),
		.ip = arena_copy(arena, from->ip),
		.port = from->port,
		.login = arena_copy(arena, from->login)};
}

static void
on_deadline(struct loop_timer *timer)
{
	struct transaction *transaction =
		CONTAINER_OF(timer, struct transaction, deadline);
	struct part *part;

	for (part = transaction->parts; part != NULL; part = part->next)
		if (has_open_results(part)) {
			log_error("<%s>: %s: no result in time",
				transaction->mail.id, part->backend->name);
			fail_part(part, "timed out", "no result in time");
		}
}

static bool
on_front_mail(struct transactions *all, struct frame *frame)
{
	struct wire_proxy_mail mail = {0};
	struct transaction *transaction;
	struct arena *arena;

	wire_proxy_mail(frame, &mail);
	if (!frame_is_whole(frame) || mail.session == NULL || mail.id == NULL ||
		find(all, mail.transaction) != NULL)
		return false;
	arena = arena_open();
	transaction = ARENA_NEW(arena, struct transaction);
	transaction->all = all;
	transaction->arena = arena;
	transaction->mail = mail;
	transaction->mail.session = arena_text(arena, str_from(mail.session));
	transaction->mail.id = arena_text(arena, str_from(mail.id));
	transaction->mail.sender = arena_copy(arena, mail.sender);
	transaction->mail.ret = arena_copy(arena, mail.ret);
	transaction->mail.envid = arena_copy(arena, mail.envid);
	copy_client(arena, &mail.client, &transaction->mail.client);
	transaction->deadline.fire = on_deadline;
	transaction->burial.fire = on_burial;
	table_add(&all->table, &transaction->entry, mail.transaction);
	return true;
}

/* ---- DATA ---- */

static void
begin_sending(struct part *part)
{
	part->sent_us = clock_monotonic_us();
	upstream_send(upstream_of(part), part->transaction->body);
}

static void
send_part(struct part *part)
{
	if (!has_open_results(part))
		return;
	if (upstream_of(part) == NULL ||
		upstream_of(part)->state == UPSTREAM_GONE)
		fail_part(part, "connection lost",
			"the connection was lost behind RCPT");
	else
		begin_sending(part);
}

static void
send_parts(struct transaction *transaction)
{
	struct part *part;

	for (part = transaction->parts; part != NULL; part = part->next)
		send_part(part);
}

/* ---- what was taken before ---- */

static bool
is_to_be_sent(const struct recipient *recipient)
{
	const struct memory_item *claim = recipient->claim;

	return claim == NULL || claim->state == WIRE_CLAIM_GRANTED ||
	       claim->state == WIRE_CLAIM_BROKEN ||
	       claim->state == WIRE_CLAIM_UNABLE;
}

/* Nothing is sent to this one. */
static void
settle(struct recipient *recipient)
{
	struct err err;

	recipient->state = RECIPIENT_DONE;
	if (recipient->claim->state != WIRE_CLAIM_FINISHED) {
		err_set(&err, ERR_TEMPORARY, "4.3.0",
			"Temporary internal error");
		answer_err(recipient, true, &err);
		return;
	}
	err_clear(&err);
	snprintf(err.status, sizeof(err.status), "2.0.0");
	snprintf(err.text, sizeof(err.text), "<%.*s> %s Saved",
		STR_ARG(utf8_cut(recipient->given, SHOWN_MAX)), recipient->id);
	log_info("<%s>: <%.*s> was taken before", recipient->id,
		STR_ARG(recipient->given));
	send_answer(recipient, true, TAKEN_CODE, &err);
}

static bool
settle_some(struct part *part)
{
	struct recipient *recipient;
	bool has_settled = false;

	for (recipient = part->recipients; recipient != NULL;
		recipient = recipient->next) {
		if (recipient->state != RECIPIENT_ACCEPTED ||
			is_to_be_sent(recipient))
			continue;
		settle(recipient);
		has_settled = true;
	}
	return has_settled;
}

/* A backend that has accepted them all would give the message to all: the others
 * come again by themselves. */
static void
settle_part(struct part *part)
{
	struct recipient *recipient;
	struct err err;

	if (!settle_some(part))
		return;
	err_set(&err, ERR_TEMPORARY, "4.3.0", "Try again for this recipient");
	for (recipient = part->recipients; recipient != NULL;
		recipient = recipient->next)
		fail_recipient(recipient, &err);
	errand_end(&part->errand);
}

/* Those that were lost meanwhile have their answers: nothing was sent to them. */
static void
take_claims(struct transaction *transaction)
{
	size_t i;

	for (i = 0; i < transaction->ask.count; i++) {
		struct recipient *recipient = transaction->claimants[i];
		enum wire_claim_state state = recipient->claim->state;

		recipient->is_held = state == WIRE_CLAIM_GRANTED ||
		                     state == WIRE_CLAIM_BROKEN;
		if (recipient->state == RECIPIENT_ACCEPTED ||
			!recipient->is_held)
			continue;
		recipient->is_held = false;
		memory_finish(transaction->all->memory, recipient->claim->key,
			WIRE_FAILED);
	}
}

static void
on_claimed(struct memory_ask *ask)
{
	struct transaction *transaction =
		CONTAINER_OF(ask, struct transaction, ask);
	struct part *part;

	take_claims(transaction);
	for (part = transaction->parts; part != NULL; part = part->next)
		settle_part(part);
	send_parts(transaction);
}

static size_t
count_accepted(const struct transaction *transaction)
{
	const struct recipient *recipient;
	const struct part *part;
	size_t count = 0;

	for (part = transaction->parts; part != NULL; part = part->next)
		for (recipient = part->recipients; recipient != NULL;
			recipient = recipient->next)
			count += recipient->state == RECIPIENT_ACCEPTED;
	return count;
}

static void
add_claim(struct recipient *recipient, struct memory_key *key)
{
	struct transaction *transaction = recipient->transaction;
	size_t place = transaction->ask.count++;

	recipient->claim = &transaction->ask.items[place];
	transaction->claimants[place] = recipient;
	key->recipient = recipient->given;
	key->orcpt = recipient->rcpt.orcpt;
	memory_make_key(key, recipient->claim->key);
}

/* Was it passed on before, and the client did not hear of it? */
static void
claim(struct transaction *transaction)
{
	struct memory *memory = transaction->all->memory;
	struct memory_key key = {.sender = transaction->mail.sender};
	size_t count = count_accepted(transaction);
	struct recipient *recipient;
	struct part *part;

	if (memory->path == NULL ||
		memory_digest(transaction->body, key.body) < 0) {
		send_parts(transaction);
		return;
	}
	transaction->ask.items =
		ARENA_ARRAY(transaction->arena, struct memory_item, count + 1);
	transaction->claimants =
		ARENA_ARRAY(transaction->arena, struct recipient *, count + 1);
	transaction->ask.over = on_claimed;
	for (part = transaction->parts; part != NULL; part = part->next)
		for (recipient = part->recipients; recipient != NULL;
			recipient = recipient->next)
			if (recipient->state == RECIPIENT_ACCEPTED)
				add_claim(recipient, &key);
	memory_ask(memory, &transaction->ask);
}

static bool
on_front_data(struct transactions *all, struct frame *frame)
{
	struct wire_proxy_data data = {.file = -1};
	struct transaction *transaction;

	wire_proxy_data(frame, &data);
	transaction = find(all, data.transaction);
	if (!frame_is_whole(frame) || transaction == NULL ||
		transaction->body != NULL) {
		fd_close(&data.file);
		return false;
	}
	transaction->body = body_open(data.message, &data.file, data.size);
	loop_timer(all->loop, &transaction->deadline, data.deadline_ms);
	claim(transaction);
	return true;
}

/* ---- END ---- */

/* Nothing was sent that a backend may have taken: a retry begins anew. */
static void
give_up_claims(struct transaction *transaction)
{
	size_t i;

	for (i = 0; i < transaction->ask.count; i++) {
		struct recipient *recipient = transaction->claimants[i];

		if (!recipient->is_held)
			continue;
		recipient->is_held = false;
		memory_finish(transaction->all->memory, recipient->claim->key,
			WIRE_FAILED);
	}
}

static void
end(struct transaction *transaction)
{
	struct transactions *all = transaction->all;
	struct recipient *recipient;
	struct arena *arena = transaction->arena;
	struct part *part;

	for (recipient = transaction->waiting; recipient != NULL;
		recipient = recipient->next_waiting)
		stop_waiting(recipient);
	for (recipient = transaction->hostless; recipient != NULL;
		recipient = recipient->next_hostless)
		host_wait_end(&recipient->host_wait);
	memory_ask_end(&transaction->ask);
	give_up_claims(transaction);
	for (part = transaction->parts; part != NULL; part = part->next)
		errand_end(&part->errand);
	loop_timer_stop(all->loop, &transaction->burial);
	loop_timer_stop(all->loop, &transaction->deadline);
	body_drop(&transaction->body);
	table_remove(&all->table, &transaction->entry);
	arena_close(&arena);
}

/* The backend has the message, and may take it. */
static bool
is_sent(const struct part *part)
{
	return has_open_results(part) && upstream_of(part) != NULL &&
	       upstream_of(part)->client.is_body_done;
}

/* What was sent cannot be taken back, and its result is to be remembered: the
 * client may come again. */
static bool
becomes_orphan(struct transaction *transaction)
{
	struct part *part;
	bool has_sent = false;

	for (part = transaction->parts; part != NULL; part = part->next)
		has_sent |= is_sent(part);
	if (!has_sent)
		return false;
	transaction->is_orphan = true;
	for (part = transaction->parts; part != NULL; part = part->next)
		if (has_open_results(part) && !is_sent(part))
			fail_part(
				part, "connection lost", "the client has gone");
	return true;
}

static void
on_burial(struct loop_timer *timer)
{
	end(CONTAINER_OF(timer, struct transaction, burial));
}

static bool
on_front_end(struct transactions *all, struct frame *frame)
{
	struct wire_proxy_end message = {0};
	struct transaction *transaction;

	wire_proxy_end(frame, &message);
	transaction = find(all, message.transaction);
	if (!frame_is_whole(frame) || transaction == NULL ||
		transaction->is_orphan)
		return false;
	if (!becomes_orphan(transaction))
		end(transaction);
	return true;
}

bool
transactions_received(struct transactions *all, struct frame *frame)
{
	switch (frame->type) {
	case WIRE_PROXY_MAIL:
		return on_front_mail(all, frame);
	case WIRE_PROXY_RCPT:
		return on_front_rcpt(all, frame);
	case WIRE_PROXY_DATA:
		return on_front_data(all, frame);
	case WIRE_PROXY_END:
		return on_front_end(all, frame);
	default:
		return false;
	}
}

/* ---- its life ---- */

void
transactions_open(struct transactions *all)
{
	list_init(&all->routes);
	all->forgetting.fire = forget_old;
}

void
transactions_close(struct transactions *all)
{
	struct list_link *link;
	size_t i;

	for (i = 0; i < all->table.size; i++)
		while (all->table.chains[i] != NULL)
			end(CONTAINER_OF(all->table.chains[i],
				struct transaction, entry));
	while ((link = list_first(&all->routes)) != NULL)
		forget_route(
			all, CONTAINER_OF(link, struct known_route, in_order));
	loop_timer_stop(all->loop, &all->forgetting);
	table_clear(&all->table);
	table_clear(&all->tickets);
	table_clear(&all->waiting);
}
