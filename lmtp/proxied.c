/* SPDX-License-Identifier: MIT */
#include "lmtp/proxied.h"

#include "base/attributes.h"
#include "base/fd.h"
#include "base/log.h"
#include "ipc/channel.h"
#include "server/proxywire.h"

#include "base/banned.h"

enum {
	/* The proxy may be that late with its results. */
	GRACE_MS = 5000
};

struct place {
	struct session_recipient *recipient;
	bool awaits_answer; /* to RCPT */
	bool awaits_result;
};

/* In the arena of the session's transaction. */
struct proxied_transaction {
	struct table_entry entry; /* while the proxy knows of it */
	struct proxied *proxied;
	struct session *session;
	bool is_lost; /* the proxy that knew of it has gone */
	struct place *places;
	size_t count, size;
	size_t waiting; /* for results */
	struct loop_timer timer;
};

/* ---- failures ---- */

static void
for_now(struct err *err, const char *detail)
{
	err_set(err, ERR_TEMPORARY, "4.3.0", "Temporary internal error");
	err_detail(err, "%s", detail);
}

static void
set_result(struct proxied_transaction *transaction, struct place *place,
	uint32_t code, const struct err *err)
{
	struct session_recipient *recipient = place->recipient;

	place->awaits_result = false;
	transaction->waiting--;
	recipient->result.outcome =
		err->kind == ERR_NONE ? WIRE_SAVED : WIRE_FAILED;
	recipient->result.code = code;
	recipient->result.err = *err;
	transaction->proxied->result(recipient);
}

static void
set_answer(struct proxied_transaction *transaction, struct place *place,
	uint32_t code, const struct err *err)
{
	place->awaits_answer = false;
	if (err->kind != ERR_NONE)
		place->recipient->result.code = code;
	transaction->proxied->found(place->recipient, err);
}

static void
fail_all(struct proxied_transaction *transaction, const char *detail)
{
	struct err err;
	size_t i;

	for_now(&err, detail);
	for (i = 0; i < transaction->count; i++) {
		struct place *place = &transaction->places[i];

		if (place->awaits_answer)
			set_answer(transaction, place, 0, &err);
		else if (place->awaits_result)
			set_result(transaction, place, 0, &err);
	}
}

static void
lose(struct proxied_transaction *transaction)
{
	transaction->is_lost = true;
	loop_timer_stop(transaction->proxied->loop, &transaction->timer);
	table_remove(&transaction->proxied->transactions, &transaction->entry);
	fail_all(transaction, "the proxy has gone");
}

static void
lose_all(struct proxied *proxied)
{
	struct table *table = &proxied->transactions;
	size_t i;

	for (i = 0; i < table->size; i++)
		while (table->chains[i] != NULL)
			lose(CONTAINER_OF(table->chains[i],
				struct proxied_transaction, entry));
}

static void
on_late(struct loop_timer *timer)
{
	struct proxied_transaction *transaction =
		CONTAINER_OF(timer, struct proxied_transaction, timer);

	log_error("<%s>: the proxy has no result %d seconds after the deadline",
		session_transaction(transaction->session)->id, GRACE_MS / 1000);
	fail_all(transaction, "no result in time");
}

/* ---- what is said to the proxy ---- */

static void
send_mail(struct proxied_transaction *transaction)
{
	struct session *session = transaction->session;
	const struct session_transaction *from = session_transaction(session);
	struct wire_proxy_mail mail = {.transaction = transaction->entry.number,
		.session = session_id(session),
		.id = from->id,
		.sender = from->sender.text,
		.size = from->size,
		.is_utf8 = from->is_utf8,
		.ret = from->ret,
		.envid = from->envid,
		.ttl = session_ttl(session),
		.port = session_peer(session)->own_port,
		.timeout_ms = session_timeout_ms(session)};
	struct frame frame;

	session_client(session, &mail.client);
	frame_begin(&frame, WIRE_PROXY_MAIL);
	wire_proxy_mail(&frame, &mail);
	link_send(&transaction->proxied->link, &frame);
}

static struct proxied_transaction *
begin(struct proxied *proxied, struct session *session)
{
	struct proxied_transaction *transaction =
		ARENA_NEW(session_transaction(session)->arena,
			struct proxied_transaction);

	transaction->proxied = proxied;
	transaction->session = session;
	transaction->timer.fire = on_late;
	if (!link_is_open(&proxied->link)) {
		transaction->is_lost = true;
		return transaction;
	}
	table_add(&proxied->transactions, &transaction->entry,
		++proxied->last_number);
	send_mail(transaction);
	return transaction;
}

static uint32_t
add_place(struct proxied_transaction *transaction,
	struct session_recipient *recipient)
{
	struct place *place;

	if (transaction->count == transaction->size) {
		size_t size = transaction->size ? transaction->size * 2 : 4;

		transaction->places = arena_grow(
			session_transaction(transaction->session)->arena,
			transaction->places, sizeof(*transaction->places),
			transaction->count, size);
		transaction->size = size;
	}
	place = &transaction->places[transaction->count];
	*place = (struct place){.recipient = recipient, .awaits_answer = true};
	return (uint32_t)transaction->count++;
}

static void
send_rcpt(struct proxied_transaction *transaction, uint32_t number,
	const struct wire_ticket *ticket)
{
	const struct session_recipient *recipient =
		transaction->places[number].recipient;
	struct wire_proxy_rcpt rcpt = {.transaction = transaction->entry.number,
		.recipient = number,
		.ticket = *ticket,
		.path = recipient->address.text,
		.orcpt = recipient->orcpt,
		.notify = recipient->notify,
		.session = recipient->id};
	struct frame frame;

	frame_begin(&frame, WIRE_PROXY_RCPT);
	wire_proxy_rcpt(&frame, &rcpt);
	link_send(&transaction->proxied->link, &frame);
}

void
proxied_rcpt(struct proxied *proxied, struct proxied_transaction **transaction,
	struct session_recipient *recipient, const struct wire_ticket *ticket)
{
	struct err err;

	if (*transaction == NULL)
		*transaction = begin(proxied, recipient->session);
	if ((*transaction)->is_lost) {
		for_now(&err, "the proxy has gone");
		proxied->found(recipient, &err);
		return;
	}
	recipient->is_proxied = true;
	send_rcpt(*transaction, add_place(*transaction, recipient), ticket);
}

static void
send_data(struct proxied_transaction *transaction, uint64_t deadline_ms)
{
	const struct session_transaction *from =
		session_transaction(transaction->session);
	struct wire_proxy_data data = {.transaction = transaction->entry.number,
		.deadline_ms = deadline_ms,
		.size = spool_size(from->spool)};
	struct frame frame;

	data.message = spool_content(from->spool, &data.file);
	frame_begin(&frame, WIRE_PROXY_DATA);
	wire_proxy_data(&frame, &data);
	link_send(&transaction->proxied->link, &frame);
}

void
proxied_deliver(struct proxied_transaction *transaction, uint64_t deadline_ms)
{
	size_t i;

	for (i = 0; i < transaction->count; i++) {
		struct place *place = &transaction->places[i];

		place->awaits_result =
			place->recipient->state == SESSION_ACCEPTED;
		transaction->waiting += place->awaits_result;
	}
	if (transaction->waiting == 0)
		return;
	if (transaction->is_lost) {
		fail_all(transaction, "the proxy has gone");
		return;
	}
	loop_timer(transaction->proxied->loop, &transaction->timer,
		deadline_ms + GRACE_MS);
	send_data(transaction, deadline_ms);
}

bool
proxied_is_waiting(const struct proxied_transaction *transaction)
{
	return transaction != NULL && transaction->waiting > 0;
}

void
proxied_release(struct proxied_transaction *transaction)
{
	struct wire_proxy_end end;
	struct frame frame;

	if (transaction == NULL || transaction->is_lost)
		return;
	loop_timer_stop(transaction->proxied->loop, &transaction->timer);
	table_remove(&transaction->proxied->transactions, &transaction->entry);
	end.transaction = transaction->entry.number;
	frame_begin(&frame, WIRE_PROXY_END);
	wire_proxy_end(&frame, &end);
	link_send(&transaction->proxied->link, &frame);
}

/* ---- what it answers ---- */

static bool
is_reply(const struct wire_proxy_answer *answer)
{
	unsigned first = answer->code / 100;

	if (answer->code == 0)
		return answer->err.kind != ERR_NONE;
	return answer->err.kind == ERR_NONE ? first == 2
	                                    : first == 4 || first == 5;
}

static void
take_result(struct proxied_transaction *transaction, struct place *place,
	const struct wire_proxy_answer *answer)
{
	struct wire_recipient_result *result = &place->recipient->result;

	result->has_handle = answer->has_handle;
	result->handle = answer->handle;
	set_result(transaction, place, answer->code, &answer->err);
}

static bool
take_answer(struct proxied_transaction *transaction,
	const struct wire_proxy_answer *answer)
{
	struct place *place;

	if (answer->recipient >= transaction->count)
		return false;
	place = &transaction->places[answer->recipient];
	if (answer->is_result) {
		/* One that came too late has been answered. */
		if (place->awaits_result)
			take_result(transaction, place, answer);
	} else if (place->awaits_answer) {
		set_answer(transaction, place, answer->code, &answer->err);
	}
	return true;
}

static bool
on_received(struct link *link, struct frame *frame)
{
	struct proxied *proxied = CONTAINER_OF(link, struct proxied, link);
	struct wire_proxy_answer answer = {0};
	struct table_entry *entry;

	if (frame->type != WIRE_PROXY_ANSWER)
		return false;
	wire_proxy_answer(frame, &answer);
	if (!frame_is_whole(frame) || !is_reply(&answer))
		return false;
	entry = table_find(&proxied->transactions, answer.transaction);
	return entry == NULL ||
	       take_answer(
		       CONTAINER_OF(entry, struct proxied_transaction, entry),
		       &answer);
}

static void
on_broken(struct link *link)
{
	struct proxied *proxied = CONTAINER_OF(link, struct proxied, link);

	log_warning("the proxy has gone");
	link_close(link);
	lose_all(proxied);
}

bool
proxied_link(struct proxied *proxied, struct frame *frame)
{
	struct wire_proxy_link message = {.fd = -1};
	struct channel channel;

	wire_proxy_link(frame, &message);
	if (!frame_is_whole(frame) || message.fd < 0) {
		fd_close(&message.fd);
		return false;
	}
	if (link_is_open(&proxied->link)) {
		link_close(&proxied->link);
		lose_all(proxied);
	}
	proxied->link.received = on_received;
	proxied->link.broken = on_broken;
	channel_open(&channel, message.fd, false);
	link_open(&proxied->link, proxied->loop, proxied->arena, &channel);
	return true;
}

void
proxied_close(struct proxied *proxied)
{
	if (link_is_open(&proxied->link))
		link_close(&proxied->link);
	table_clear(&proxied->transactions);
}
