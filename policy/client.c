/* SPDX-License-Identifier: MIT */
#include "policy/client.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "mail/address.h"
#include "policy/answer.h"
#include "policy/request.h"

#include "base/banned.h"

struct client {
	struct clients *all;
	size_t slot;
	struct loop_watch watch;
	struct loop_timer timer; /* idle, or the answer is late */
	int fd;
	char *input;
	size_t input_size, input_len;
	bool has_ended; /* nothing more will come */
	struct buf output;
	size_t sent;
	uint64_t question;   /* 0: none is under way */
	struct arena *arena; /* of the question */
	struct str recipient;
};

enum {
	SLOT_BITS = 16, /* of a question's number */
	ANSWER_BYTES = 4096,
	SLOTS = 64,         /* to begin with */
	INPUT_BYTES = 1024, /* more when a request is longer */
	PATH_FLAGS = ADDRESS_LOCAL_ALLOWED | ADDRESS_BRACKETS_OPTIONAL |
	             ADDRESS_QUOTES_OPTIONAL
};

static void
client_close(struct client *client)
{
	struct clients *all = client->all;

	loop_unwatch(all->loop, &client->watch);
	loop_timer_stop(all->loop, &client->timer);
	fd_close(&client->fd);
	buf_clear(&client->output);
	memory_free(client->input);
	arena_close(&client->arena);
	all->slots[client->slot] = NULL;
	all->count--;
	memory_free(client);
}

static bool
is_writing(const struct client *client)
{
	return client->sent < client->output.len;
}

static void
set_timer(struct client *client, uint64_t ms)
{
	loop_timer(client->all->loop, &client->timer,
		loop_now_ms(client->all->loop) + ms);
}

/* ---- answers ---- */

/* False: the client has gone. */
static bool
flush(struct client *client)
{
	struct str rest = str_skip(buf_view(&client->output), client->sent);
	ssize_t sent = send(
		client->fd, rest.data, rest.len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent < 0)
		return errno == EAGAIN || errno == EINTR;
	client->sent += (size_t)sent;
	if (is_writing(client))
		return true;
	buf_reset(&client->output);
	client->sent = 0;
	return true;
}

static void
answer_question(struct client *client, const struct err *err)
{
	struct clients *all = client->all;
	struct buf text;

	buf_init(&text, ANSWER_BYTES);
	policy_answer(all->settings, err, &text);
	if (err->kind != ERR_NONE) {
		all->refused++;
		log_info("<%.*s>: %.*s (%s)", STR_ARG(client->recipient),
			STR_ARG(str_trim(buf_view(&text))), err_log_text(err));
	}
	buf_add(&client->output, buf_view(&text));
	buf_clear(&text);
	client->question = 0;
	arena_close(&client->arena);
}

/* ---- questions ---- */

static void
ask(struct client *client, const struct address *address, uint64_t size)
{
	struct clients *all = client->all;
	struct wire_rcpt rcpt = {.local_part = address->local_part,
		.domain = address->domain,
		.size = size,
		.session = "quota-status"};
	struct frame frame;

	client->question = ++all->last_question << SLOT_BITS | client->slot;
	rcpt.request = client->question;
	all->questions++;
	set_timer(client, all->settings->quota_status_timeout_ms);
	frame_begin(&frame, WIRE_RCPT);
	wire_rcpt(&frame, &rcpt);
	link_send(all->master, &frame);
}

/* What is no address is for others to judge. */
static void
handle_request(struct client *client, struct str text)
{
	struct policy_request request;
	struct address address;
	struct err err;

	client->all->requests++;
	policy_read_request(text, &request);
	client->arena = arena_open();
	if (request.is_question &&
		address_parse_path(client->arena, request.recipient, PATH_FLAGS,
			&address, &err) == 0) {
		client->recipient =
			arena_copy(client->arena, request.recipient);
		ask(client, &address, request.size);
		return;
	}
	arena_close(&client->arena);
	policy_pass(&client->output);
}

/* False: the client is closed. */
static bool
handle_input(struct client *client)
{
	struct str input = str_of(client->input, client->input_len), text;

	while (client->question == 0 && !is_writing(client) &&
		policy_next_request(&input, &text)) {
		handle_request(client, text);
		if (is_writing(client) && !flush(client))
			return false;
	}
	memmove(client->input, input.data, input.len);
	client->input_len = input.len;
	return true;
}

/* ---- what comes ---- */

static void
make_room(struct client *client)
{
	if (client->input_len < client->input_size)
		return;
	client->input_size =
		client->input_size > 0 ? client->input_size * 2 : INPUT_BYTES;
	if (client->input_size > CLIENT_REQUEST_MAX)
		client->input_size = CLIENT_REQUEST_MAX;
	client->input = memory_resize(client->input, client->input_size);
}

static void
read_more(struct client *client)
{
	ssize_t got;

	make_room(client);
	got = recv(client->fd, client->input + client->input_len,
		client->input_size - client->input_len, MSG_DONTWAIT);
	if (got > 0)
		client->input_len += (size_t)got;
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		client->has_ended = true;
}

static bool
is_busy(const struct client *client)
{
	return client->question != 0 || is_writing(client);
}

/* What to wait for now; it may be the end. */
static void
go_on(struct client *client)
{
	bool is_full;

	if (!handle_input(client)) {
		client_close(client);
		return;
	}
	is_full = client->input_len == CLIENT_REQUEST_MAX;
	if (!is_busy(client) &&
		(client->has_ended || client->all->is_draining || is_full)) {
		if (is_full)
			log_warning("a request is longer than %d bytes",
				CLIENT_REQUEST_MAX);
		client_close(client);
		return;
	}
	if (client->question == 0)
		set_timer(client,
			client->all->settings->quota_status_idle_timeout_ms);
	loop_watch_for(client->all->loop, &client->watch,
		(is_writing(client) ? LOOP_WRITE : 0) |
			(client->has_ended || is_full || is_busy(client)
					? 0
					: LOOP_READ));
}

static void
on_ready(struct loop_watch *watch, unsigned events)
{
	struct client *client = CONTAINER_OF(watch, struct client, watch);

	/* Nobody is left to read an answer. */
	if ((events & LOOP_HANGUP) != 0 && (events & LOOP_READ) == 0) {
		client_close(client);
		return;
	}
	if ((events & LOOP_WRITE) != 0 && !flush(client)) {
		client_close(client);
		return;
	}
	if ((events & LOOP_READ) != 0)
		read_more(client);
	go_on(client);
}

/* A late answer finds another question, or none. */
static void
on_late(struct loop_timer *timer)
{
	struct client *client = CONTAINER_OF(timer, struct client, timer);
	struct err err;

	if (client->question == 0) {
		client_close(client);
		return;
	}
	err_set(&err, ERR_TEMPORARY, "4.3.0",
		"no answer within quota_status_timeout");
	answer_question(client, &err);
	if (!flush(client))
		client_close(client);
	else
		go_on(client);
}

bool
clients_answer(struct clients *clients, struct frame *frame)
{
	struct wire_rcpt_answer answer = {0};
	struct client *client;
	size_t slot;

	wire_rcpt_answer(frame, &answer);
	slot = (size_t)(answer.request & ((1U << SLOT_BITS) - 1));
	if (!frame_is_whole(frame) || slot >= clients->slot_count)
		return false;
	client = clients->slots[slot];
	if (client == NULL || client->question != answer.request)
		return true;
	answer_question(client, &answer.err);
	if (flush(client))
		go_on(client);
	else
		client_close(client);
	return true;
}

/* ---- their life ---- */

void
clients_open(struct clients *clients)
{
	struct rlimit limit;

	clients->most = CLIENTS_MAX;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
		limit.rlim_cur < CLIENTS_MAX + CLIENTS_DESCRIPTORS_KEPT)
		clients->most =
			limit.rlim_cur > 2 * CLIENTS_DESCRIPTORS_KEPT
				? limit.rlim_cur - CLIENTS_DESCRIPTORS_KEPT
				: CLIENTS_DESCRIPTORS_KEPT;
}

static size_t
free_slot(struct clients *clients)
{
	size_t slot = 0, count = clients->slot_count;

	while (slot < count && clients->slots[slot] != NULL)
		slot++;
	if (slot < count)
		return slot;
	clients->slot_count = count > 0 ? count * 2 : SLOTS;
	clients->slots = memory_resize(clients->slots,
		memory_product(clients->slot_count, sizeof(struct client *)));
	memset(clients->slots + count, 0,
		(clients->slot_count - count) * sizeof(struct client *));
	return slot;
}

void
clients_add(struct clients *clients, int fd)
{
	struct client *client = memory_get(sizeof(*client));

	client->all = clients;
	client->slot = free_slot(clients);
	client->fd = fd;
	client->watch = (struct loop_watch){.fd = -1, .ready = on_ready};
	client->timer.fire = on_late;
	buf_init(&client->output, BUF_UNLIMITED);
	clients->slots[client->slot] = client;
	clients->count++;
	clients->total++;
	if (loop_watch(clients->loop, &client->watch, fd, LOOP_READ) < 0) {
		log_error("cannot serve a client: %s", strerror(errno));
		client_close(client);
		return;
	}
	set_timer(client, client->all->settings->quota_status_idle_timeout_ms);
}

void
clients_drain(struct clients *clients)
{
	size_t slot;

	clients->is_draining = true;
	for (slot = 0; slot < clients->slot_count; slot++)
		if (clients->slots[slot] != NULL)
			go_on(clients->slots[slot]);
}

void
clients_close(struct clients *clients)
{
	size_t slot;

	for (slot = 0; slot < clients->slot_count; slot++)
		if (clients->slots[slot] != NULL)
			client_close(clients->slots[slot]);
	memory_free(clients->slots);
	clients->slots = NULL;
	clients->slot_count = 0;
}
