/* SPDX-License-Identifier: MIT */
#include "proxy/upstream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/attributes.h"
#include "base/fd.h"
#include "base/memory.h"

#include "base/banned.h"

enum {
	READ_BYTES = 16 * 1024,
	/* As much of a message waits in memory for a backend to take it. */
	BODY_BYTES = 64 * 1024
};

/* ---- its end ---- */

static void
on_end(struct loop_timer *timer)
{
	struct upstream *upstream = CONTAINER_OF(timer, struct upstream, end);

	upstream->gone(upstream, upstream->words, upstream->detail);
}

/* The owner is told in a call of the loop's own: never within one of its. */
static void
end_it(struct upstream *upstream, const char *words, const char *detail)
{
	if (upstream->state == UPSTREAM_GONE)
		return;
	upstream->state = UPSTREAM_GONE;
	upstream->words = words;
	snprintf(upstream->detail, sizeof(upstream->detail), "%s", detail);
	loop_unwatch(upstream->loop, &upstream->watch);
	loop_timer_stop(upstream->loop, &upstream->timer);
	loop_timer(upstream->loop, &upstream->end, 0);
}

static void
on_late(struct loop_timer *timer)
{
	struct upstream *upstream = CONTAINER_OF(timer, struct upstream, timer);

	end_it(upstream, "timed out",
		upstream->state == UPSTREAM_CONNECTING ? "cannot connect"
						       : "no answer in time");
}

/* ---- the client's calls ---- */

static struct upstream *
upstream_of(struct client *client)
{
	return CONTAINER_OF(client, struct upstream, client);
}

static void
on_ready(struct client *client)
{
	struct upstream *upstream = upstream_of(client);

	body_drop(&upstream->body);
	upstream->ready(upstream);
}

static void
on_rcpt(struct client *client, void *recipient,
	const struct backend_reply *reply)
{
	struct upstream *upstream = upstream_of(client);

	upstream->rcpt(upstream, recipient, reply);
}

static void
on_result(struct client *client, void *recipient,
	const struct backend_reply *reply)
{
	struct upstream *upstream = upstream_of(client);

	upstream->result(upstream, recipient, reply);
}

static void
on_failed(
	struct client *client, enum client_failure failure, const char *detail)
{
	static const char *const words[] = {[CLIENT_LOST] = "connection lost",
		[CLIENT_BAD] = "bad reply",
		[CLIENT_UNWILLING] = "connect"};

	end_it(upstream_of(client), words[failure], detail);
}

static void
begin_tls(struct upstream *upstream)
{
	const struct upstream_target *target = upstream->target;
	struct err err;

	if (target->trust == NULL) {
		end_it(upstream, "connect", "TLS cannot be used");
		return;
	}
	upstream->state = UPSTREAM_SHAKING;
	if (tls_client_begin(target->trust, upstream->fd, target->host,
		    &upstream->tls, &err) < 0)
		end_it(upstream, "connect", err_log_text(&err));
}

static void
on_starttls(struct client *client)
{
	begin_tls(upstream_of(client));
}

static const struct client_events client_events = {
	.ready = on_ready,
	.starttls = on_starttls,
	.rcpt = on_rcpt,
	.result = on_result,
	.failed = on_failed,
};

/* ---- writing ---- */

static struct str
unwritten(const struct upstream *upstream)
{
	return str_skip(
		buf_view(&upstream->client.output), upstream->client.written);
}

/* The message is in the output as far as there is room. */
static void
fill(struct upstream *upstream)
{
	char bytes[READ_BYTES];

	while (upstream->body != NULL && client_wants_body(&upstream->client) &&
		unwritten(upstream).len < BODY_BYTES) {
		ssize_t got = body_read(upstream->body, bytes, sizeof(bytes),
			upstream->body_at);

		if (got < 0) {
			/* Nothing ends the message there: nobody takes it. */
			end_it(upstream, "connection lost",
				"the message cannot be read");
			return;
		}
		if (got == 0) {
			client_body_end(&upstream->client);
			return;
		}
		upstream->body_at += (uint64_t)got;
		client_body(&upstream->client, str_of(bytes, (size_t)got));
	}
}

static ssize_t
send_some(struct upstream *upstream, struct str bytes)
{
	if (upstream->tls != NULL)
		return tls_stream_send(upstream->tls, bytes);
	return send(upstream->fd, bytes.data, bytes.len, MSG_NOSIGNAL);
}

/* True: some have left. */
static bool
write_all(struct upstream *upstream)
{
	bool has_written = false;

	for (;;) {
		struct str bytes;
		ssize_t sent;

		fill(upstream);
		bytes = unwritten(upstream);
		if (upstream->state != UPSTREAM_TALKING || bytes.len == 0)
			break;
		sent = send_some(upstream, bytes);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0) {
			/* What was said before is still to be read. */
			if (errno != EAGAIN && errno != EPIPE &&
				errno != ECONNRESET)
				end_it(upstream, "connection lost",
					strerror(errno));
			break;
		}
		has_written = true;
		client_wrote(&upstream->client, (size_t)sent);
	}
	return has_written;
}

/* ---- reading ---- */

static ssize_t
receive_some(struct upstream *upstream, void *bytes, size_t size)
{
	if (upstream->tls != NULL)
		return tls_stream_receive(upstream->tls, bytes, size);
	return recv(upstream->fd, bytes, size, 0);
}

/* The loop tells again of what comes later; only TLS may have kept some. */
static void
read_all(struct upstream *upstream)
{
	char bytes[READ_BYTES];
	bool is_empty = false;

	upstream->is_reading = true;
	while (upstream->state == UPSTREAM_TALKING && !is_empty) {
		ssize_t got = receive_some(upstream, bytes, sizeof(bytes));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			break;
		is_empty = got > 0 && upstream->tls == NULL &&
		           (size_t)got < sizeof(bytes);
		if (got > 0)
			client_input(
				&upstream->client, str_of(bytes, (size_t)got));
		else
			client_lost(&upstream->client,
				got == 0 ? "closed by the backend"
					 : strerror(errno));
	}
	upstream->is_reading = false;
}

bool
upstream_is_quiet(struct upstream *upstream)
{
	/* What is still there of it comes before all that is written now. */
	if (upstream->is_reading)
		return true;
	read_all(upstream);
	if (upstream->state == UPSTREAM_TALKING &&
		upstream->client.line_len > 0)
		end_it(upstream, "bad reply",
			"an answer that nobody asked for");
	return upstream->state == UPSTREAM_TALKING;
}

/* ---- events ---- */

static bool
is_waiting(const struct upstream *upstream)
{
	return upstream->state != UPSTREAM_TALKING ||
	       client_is_waiting(&upstream->client) ||
	       unwritten(upstream).len > 0;
}

/* Each answer, and each piece that is taken, begins the time anew. */
static void
watch_time(struct upstream *upstream, bool has_moved)
{
	if (upstream->state == UPSTREAM_GONE)
		return;
	if (!is_waiting(upstream))
		loop_timer_stop(upstream->loop, &upstream->timer);
	else if (has_moved || !loop_timer_is_running(&upstream->timer))
		loop_timer(upstream->loop, &upstream->timer,
			loop_now_ms(upstream->loop) + upstream->timeout_ms);
}

static void
watch_socket(struct upstream *upstream)
{
	unsigned events = LOOP_READ;

	if (upstream->state == UPSTREAM_GONE)
		return;
	if (upstream->state == UPSTREAM_CONNECTING ||
		(upstream->tls != NULL &&
			tls_stream_wants_write(upstream->tls)) ||
		(upstream->state == UPSTREAM_TALKING &&
			unwritten(upstream).len > 0))
		events |= LOOP_WRITE;
	loop_watch_for(upstream->loop, &upstream->watch, events);
}

static void
shake(struct upstream *upstream)
{
	struct err err;

	switch (tls_stream_handshake(upstream->tls, &err)) {
	case TLS_CLIENT_WAITS:
		break;
	case TLS_CLIENT_FAILED:
		end_it(upstream, "connect", err_log_text(&err));
		break;
	case TLS_CLIENT_DONE:
		upstream->state = UPSTREAM_TALKING;
		if (upstream->target->tls == ROUTE_TLS_STARTTLS)
			client_tls_started(&upstream->client);
		break;
	}
}

static void
end_connecting(struct upstream *upstream)
{
	int problem = 0;
	socklen_t size = sizeof(problem);

	(void)!getsockopt(upstream->fd, SOL_SOCKET, SO_ERROR, &problem, &size);
	if (problem != 0) {
		end_it(upstream, "connect", strerror(problem));
		return;
	}
	upstream->state = UPSTREAM_TALKING;
	upstream->has_connected = true;
	if (upstream->target->tls == ROUTE_TLS_IMPLICIT)
		begin_tls(upstream);
}

static size_t
replies_left(const struct upstream *upstream)
{
	return upstream->client.count - upstream->client.first;
}

static void
on_socket(struct loop_watch *watch, unsigned events)
{
	struct upstream *upstream = CONTAINER_OF(watch, struct upstream, watch);
	enum upstream_state state = upstream->state;
	size_t left = replies_left(upstream);
	bool has_moved;

	if (state == UPSTREAM_CONNECTING) {
		if ((events & (LOOP_WRITE | LOOP_HANGUP)) == 0)
			return;
		end_connecting(upstream);
	}
	if (upstream->state == UPSTREAM_SHAKING)
		shake(upstream);
	if (upstream->state == UPSTREAM_TALKING)
		read_all(upstream);
	/* The answer to STARTTLS has come. */
	if (upstream->state == UPSTREAM_SHAKING && state == UPSTREAM_TALKING)
		shake(upstream);
	has_moved = upstream->state != state || replies_left(upstream) != left;
	if (upstream->state == UPSTREAM_TALKING)
		has_moved |= write_all(upstream);
	watch_time(upstream, has_moved);
	watch_socket(upstream);
}

void
upstream_flush(struct upstream *upstream)
{
	/* on_socket() does it when all that came has been read. */
	if (upstream->is_reading)
		return;
	if (upstream->state == UPSTREAM_TALKING)
		(void)write_all(upstream);
	watch_time(upstream, false);
	watch_socket(upstream);
}

void
upstream_send(struct upstream *upstream, struct body *body)
{
	upstream->body = body_hold(body);
	upstream->body_at = 0;
	client_data(&upstream->client, body_size(body));
	upstream_flush(upstream);
}

bool
upstream_can_abandon(const struct upstream *upstream)
{
	return !upstream->client.is_body_done;
}

/* ---- connecting ---- */

static int
make_socket(struct upstream *upstream)
{
	const struct upstream_target *target = upstream->target;
	int on = 1;

	upstream->fd = socket(target->address.ss_family,
		SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (upstream->fd < 0)
		return -1;
	/* Without it commands only go out later. */
	(void)!setsockopt(
		upstream->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (target->source_length > 0 &&
		bind(upstream->fd, (const struct sockaddr *)&target->source,
			target->source_length) < 0)
		return -1;
	if (connect(upstream->fd, (const struct sockaddr *)&target->address,
		    target->length) < 0 &&
		errno != EINPROGRESS)
		return -1;
	return loop_watch(upstream->loop, &upstream->watch, upstream->fd,
		LOOP_READ | LOOP_WRITE);
}

void
upstream_open(struct upstream *upstream, const struct upstream_target *target)
{
	upstream->target = target;
	upstream->state = UPSTREAM_CONNECTING;
	upstream->watch.fd = upstream->fd = -1;
	upstream->watch.ready = on_socket;
	upstream->timer.fire = on_late;
	upstream->end.fire = on_end;
	upstream->client.events = &client_events;
	upstream->client.name = upstream->name;
	upstream->client.protocol = target->protocol;
	upstream->client.starts_tls = target->tls == ROUTE_TLS_STARTTLS;
	upstream->client.pipelines = !target->no_pipelining;
	client_open(&upstream->client);
	if (make_socket(upstream) < 0)
		end_it(upstream, "connect", strerror(errno));
	watch_time(upstream, true);
}

void
upstream_close(struct upstream *upstream)
{
	upstream->state = UPSTREAM_GONE;
	loop_timer_stop(upstream->loop, &upstream->end);
	loop_timer_stop(upstream->loop, &upstream->timer);
	loop_unwatch(upstream->loop, &upstream->watch);
	tls_stream_close(&upstream->tls);
	fd_close(&upstream->fd);
	body_drop(&upstream->body);
	client_close(&upstream->client);
}
