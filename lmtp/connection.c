/* SPDX-License-Identifier: MIT */
#include "lmtp/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attributes.h"
#include "base/crash.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/session_id.h"
#include "lmtp/peer.h"
#include "lmtp/proxy.h"

#include "base/banned.h"

enum {
	/* What a pipe that polls as writable takes without waiting. */
	PIPE_BYTES = 4096,
	/* Kept of what a client sent while its message is delivered. */
	KEEP_MAX = 64 * 1024,
	/* Replies that may wait for the next one. */
	HELD_BYTES = 8 * 1024
};

struct connection {
	struct connections *all;
	struct connection *previous, *next;
	struct connection *next_touched;
	struct dispatch_client client;
	struct session *session;
	struct loop_watch input; /* a socket: both directions */
	struct loop_watch output;
	struct loop_timer timer;
	int input_fd, output_fd;
	struct rawlog *rawlog; /* NULL: none */
	struct tls *tls;       /* NULL: in the clear */
	bool is_handshaking;   /* neither input nor output before it is done */
	char *failure;         /* of the beginning */
	bool is_proxied;       /* its header has to come first */
	bool is_tls_next;      /* and TLS behind it */
	unsigned events;       /* noted since it was served */
	bool is_touched, is_socket, is_file;
	bool is_due;      /* the timer fired */
	bool saw_end;     /* no more input will come */
	bool is_blocked;  /* output that the client does not read */
	bool is_unwanted; /* input came that has to wait */
	bool has_gone;    /* nobody reads our output */
	uint64_t active_ms, began_ms;
	uint64_t peer_key; /* 0: not counted */
	struct list_link of_peer;
	uint64_t received; /* bytes */
	struct str kept;   /* input that the session did not take yet */
	size_t written;    /* of the session's output */
	size_t counted;    /* bytes in the budget */
};

/* ---- noting ---- */

static void
touch(struct connection *connection)
{
	if (connection->is_touched)
		return;
	connection->is_touched = true;
	connection->next_touched = connection->all->touched;
	connection->all->touched = connection;
}

static void
on_input(struct loop_watch *watch, unsigned events)
{
	struct connection *connection =
		CONTAINER_OF(watch, struct connection, input);

	connection->events |= events;
	touch(connection);
}

/* Of pipes: only its end matters, and room. */
static void
on_output(struct loop_watch *watch, unsigned events)
{
	struct connection *connection =
		CONTAINER_OF(watch, struct connection, output);

	if ((events & LOOP_HANGUP) != 0)
		connection->has_gone = true;
	touch(connection);
}

static void
on_timer(struct loop_timer *timer)
{
	struct connection *connection =
		CONTAINER_OF(timer, struct connection, timer);

	connection->is_due = true;
	touch(connection);
}

void
connection_wake(struct dispatch_client *client)
{
	touch(CONTAINER_OF(client, struct connection, client));
}

/* ---- questions ---- */

static bool
has_output(const struct connection *connection)
{
	return session_output(connection->session)->len > connection->written;
}

static bool
has_ended(const struct connection *connection)
{
	return session_end_reason(connection->session) != NULL;
}

static bool
is_receiving(const struct connection *connection)
{
	const struct session_transaction *transaction =
		session_transaction(connection->session);

	return transaction != NULL && transaction->spool != NULL &&
	       !session_is_delivering(connection->session);
}

/* Neither input nor output is the session's. */
static bool
is_beginning(const struct connection *connection)
{
	return connection->is_handshaking || connection->is_proxied;
}

static bool
wants_input(const struct connection *connection)
{
	if (connection->saw_end || has_ended(connection) ||
		connection->is_blocked || is_beginning(connection) ||
		session_wants_tls(connection->session) ||
		session_is_delivering(connection->session))
		return false;
	return connection->kept.len == 0 ||
	       !session_is_waiting(connection->session);
}

static bool
is_idle(const struct connection *connection)
{
	return !session_is_waiting(connection->session) ||
	       session_wants_tls(connection->session) || connection->is_blocked;
}

static bool
has_line(struct str bytes)
{
	return str_has_char(bytes, '\n');
}

static const char *
place_of(const struct connection *connection)
{
	const struct session_peer *peer = session_peer(connection->session);

	return peer->is_inet ? peer->ip : "local";
}

/* ---- input ---- */

static void
keep(struct connection *connection, struct str rest)
{
	char *bytes = NULL;

	if (rest.len == connection->kept.len &&
		rest.data == connection->kept.data)
		return;
	if (rest.len > 0) {
		bytes = memory_get(rest.len);
		memcpy(bytes, rest.data, rest.len);
	}
	memory_free((void *)(uintptr_t)connection->kept.data);
	connection->kept = str_of(bytes, rest.len);
}

/* What came in, behind what is kept. */
static void
add_kept(struct connection *connection, struct str bytes)
{
	size_t len = connection->kept.len + bytes.len;
	char *joined = memory_resize(
		(void *)(uintptr_t)connection->kept.data, len > 0 ? len : 1);

	memcpy(joined + connection->kept.len, bytes.data, bytes.len);
	connection->kept = str_of(joined, len);
}

/* True: it took some. */
static bool
offer(struct connection *connection, struct str bytes)
{
	size_t taken = 0, more;

	if (bytes.len == 0)
		return false;
	do {
		more = has_ended(connection)
		               ? 0
		               : session_input(connection->session,
					 str_skip(bytes, taken));
		taken += more;
	} while (more > 0 && taken < bytes.len);
	keep(connection, str_skip(bytes, taken));
	return taken > 0;
}

/* Nothing new of a session that has ended is of interest. */
static bool
offer_kept(struct connection *connection)
{
	if (has_ended(connection)) {
		keep(connection, STR_EMPTY);
		return false;
	}
	return offer(connection, connection->kept);
}

static size_t
bytes_to_read(const struct connection *connection)
{
	return is_receiving(connection) ? CONNECTION_ROUND_BYTES
	                                : CONNECTION_COMMAND_BYTES;
}

/* A command that was on its way before our reply came there (RFC 2920 allows that
 * behind a message) does not show that anybody has read it. */
static void
note_unread(struct connection *connection)
{
	int unread = 0;

	if (session_awaits_proof(connection->session) &&
		ioctl(connection->output_fd, SIOCOUTQ, &unread) == 0 &&
		unread > 0)
		session_not_read(connection->session, connection->received);
}

static ssize_t
receive(const struct connection *connection, size_t most)
{
	char *scratch = connection->all->scratch;

	if (connection->tls != NULL)
		return tls_read(connection->tls, scratch, most);
	if (connection->is_socket)
		return recv(connection->input_fd, scratch, most, MSG_DONTWAIT);
	return fd_read(connection->input_fd, scratch, most);
}

/* > 0: bytes in scratch.  0: none. */
static size_t
read_some(struct connection *connection, size_t most)
{
	ssize_t got = receive(connection, most);

	if (got > 0) {
		connection->received += (size_t)got;
		rawlog_in(connection->rawlog,
			str_of(connection->all->scratch, (size_t)got));
		connection->active_ms = loop_now_ms(connection->all->loop);
		note_unread(connection);
		return (size_t)got;
	}
	if (got == 0)
		connection->saw_end = true;
	else if (errno != EAGAIN && errno != EINTR)
		connection->has_gone = connection->saw_end = true;
	return 0;
}

static void
take_input(struct connection *connection)
{
	size_t got = read_some(connection, bytes_to_read(connection));
	struct str bytes = str_of(connection->all->scratch, got);

	if (got == 0)
		return;
	if (connection->kept.len == 0) {
		offer(connection, bytes);
		return;
	}
	add_kept(connection, bytes);
	offer(connection, connection->kept);
}

/* The client has shut its side while its message is delivered: is a command left
 * that it sent before?  More than that is not read. */
static void
take_last_input(struct connection *connection)
{
	while (!connection->saw_end && connection->kept.len < KEEP_MAX) {
		size_t got = read_some(connection, CONNECTION_COMMAND_BYTES);

		if (got == 0)
			break;
		add_kept(connection, str_of(connection->all->scratch, got));
	}
	connection->saw_end = true;
	if (!has_line(connection->kept) && connection->is_socket)
		connection->has_gone = true;
}

/* Something of TLS's own has to be said first. */
static bool
reads_when_writable(const struct connection *connection)
{
	return connection->tls != NULL && !connection->is_blocked &&
	       tls_wants_write(connection->tls);
}

static void
note_events(struct connection *connection)
{
	unsigned events = connection->events;

	connection->events = 0;
	if (connection->is_socket && (events & LOOP_HANGUP) != 0) {
		/* "QUIT" and gone, without waiting for the reply. */
		if (!session_has_transaction(connection->session))
			take_input(connection);
		connection->has_gone = true;
		return;
	}
	if ((events & LOOP_END) != 0 &&
		session_is_delivering(connection->session))
		take_last_input(connection);
	else if ((events & (LOOP_READ | LOOP_END | LOOP_HANGUP)) == 0 &&
		 !reads_when_writable(connection))
		return;
	else if (wants_input(connection))
		take_input(connection);
	else
		connection->is_unwanted = true;
}

/* ---- output ---- */

static ssize_t
write_some(struct connection *connection, struct str bytes)
{
	struct pollfd room = {.fd = connection->output_fd, .events = POLLOUT};

	if (connection->tls != NULL)
		return tls_write(connection->tls, bytes);
	if (connection->is_socket)
		return send(connection->output_fd, bytes.data, bytes.len,
			MSG_DONTWAIT | MSG_NOSIGNAL);
	if (poll(&room, 1, 0) < 1) {
		errno = EAGAIN;
		return -1;
	}
	if (bytes.len > PIPE_BYTES)
		bytes.len = PIPE_BYTES;
	return write(connection->output_fd, bytes.data, bytes.len);
}

static void
write_output(struct connection *connection)
{
	struct buf *output = session_output(connection->session);

	while (has_output(connection) && !connection->has_gone) {
		struct str rest =
			str_skip(buf_view(output), connection->written);
		ssize_t sent = write_some(connection, rest);

		if (sent > 0) {
			rawlog_out(connection->rawlog,
				str_of(rest.data, (size_t)sent));
			connection->written += (size_t)sent;
			connection->active_ms =
				loop_now_ms(connection->all->loop);
		} else if (errno == EAGAIN) {
			return;
		} else if (errno != EINTR) {
			connection->has_gone = true;
		}
	}
}

/* Bytes of input that the client has sent by now; in TLS rather some more. */
static uint64_t
bytes_sent(const struct connection *connection)
{
	int waiting = 0;

	if (ioctl(connection->input_fd, FIONREAD, &waiting) < 0)
		waiting = 0;
	if (connection->tls != NULL)
		waiting += (int)tls_unread(connection->tls);
	return connection->received + (unsigned)waiting;
}

/* More to be said is about to come, and a client that sent several commands at
 * once does not wait for the first reply. */
static bool
may_be_held(const struct connection *connection)
{
	return session_is_waiting(connection->session) &&
	       !session_wants_tls(connection->session) &&
	       !session_is_delivering(connection->session) &&
	       session_output(connection->session)->len < HELD_BYTES;
}

/* What was sent before our last write was no answer to it.  Asked before and not
 * after: a client that is close by may have read and answered by then. */
static void
flush(struct connection *connection)
{
	uint64_t sent;

	if (!has_output(connection) || may_be_held(connection) ||
		is_beginning(connection))
		return;
	sent = bytes_sent(connection);
	write_output(connection);
	connection->is_blocked = has_output(connection);
	if (connection->is_blocked)
		return;
	connection->written = 0;
	buf_clear(session_output(connection->session));
	if (!connection->has_gone)
		session_output_left(connection->session, sent);
}

/* ---- TLS ---- */

static void
fail_beginning(struct connection *connection, const char *what, const char *why)
{
	enum { LONGEST = 160 };

	connection->has_gone = true;
	connection->failure = memory_get(LONGEST);
	snprintf(connection->failure, LONGEST, "%s: %s", what, why);
}

static void
fail_handshake(struct connection *connection, const char *why)
{
	connection->all->counters->tls_failed++;
	fail_beginning(connection, "TLS handshake failed", why);
}

/* Would TLS take too much with so many bytes more? */
static bool
is_tls_full(const struct connection *connection, size_t more)
{
	return tls_memory() + more >
	       connection->all->settings->lmtp_tls_memory_limit;
}

/* Nothing that came in the clear behind STARTTLS is looked at (RFC 3207 4.2). */
static void
begin_tls(struct connection *connection)
{
	int fd = connection->input_fd, flags = fcntl(fd, F_GETFL);

	keep(connection, STR_EMPTY);
	connection->is_handshaking = true;
	connection->active_ms = loop_now_ms(connection->all->loop);
	if (is_tls_full(connection, TLS_HANDSHAKE_BYTES)) {
		fail_handshake(connection, "lmtp_tls_memory_limit is used up");
		return;
	}
	if (flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0)
		connection->tls = tls_accept(connection->all->tls, fd);
	if (connection->tls == NULL)
		fail_handshake(connection, "out of memory");
}

static void
count_tls(struct counters *counters, const struct tls *tls)
{
	struct str text = str_from(tls_description(tls));

	counters->tls_1_2 += str_starts(text, STR("TLSv1.2 "));
	counters->tls_1_3 += str_starts(text, STR("TLSv1.3 "));
	counters->tls_resumed += tls_is_resumed(tls);
}

static void
end_handshake(struct connection *connection)
{
	const struct tls *tls = connection->tls;

	connection->is_handshaking = false;
	connection->active_ms = loop_now_ms(connection->all->loop);
	count_tls(connection->all->counters, tls);
	session_tls_started(
		connection->session, tls_description(tls), tls_peer_name(tls));
	log_info("TLS: %s%s%s%s, session=<%s>", tls_description(tls),
		tls_is_resumed(tls) ? " (resumed)" : "",
		tls_peer_name(tls)[0] != '\0' ? ", certificate of " : "",
		tls_peer_name(tls), session_id(connection->session));
}

static void
shake_hands(struct connection *connection)
{
	struct err err;

	connection->events = 0;
	if (connection->has_gone)
		return;
	switch (tls_handshake(connection->tls, &err)) {
	case TLS_DONE:
		end_handshake(connection);
		break;
	case TLS_FAILED:
		fail_handshake(connection, err_log_text(&err));
		break;
	case TLS_WAITS:
		/* It may have announced a long message, for which there is a
		 * buffer now. */
		if (is_tls_full(connection, 0))
			fail_handshake(
				connection, "lmtp_tls_memory_limit is used up");
		break;
	}
}

static void
see_tls(struct connection *connection)
{
	if (session_wants_tls(connection->session) &&
		!connection->is_handshaking && !has_output(connection) &&
		!connection->has_gone)
		begin_tls(connection);
}

/* What TLS has taken from the socket but not given out is announced by nobody. */
static void
see_pending(struct connection *connection)
{
	if (connection->tls == NULL || !wants_input(connection) ||
		!tls_has_bytes(connection->tls))
		return;
	connection->events |= LOOP_READ;
	touch(connection);
}

/* ---- the proxy's header ---- */

static void
fail_header(struct connection *connection, const char *why)
{
	fail_beginning(connection, "PROXY header", why);
}

/* TLS's own bytes stay in the socket: the header is looked at there, and only what is
 * part of it is taken. */
static void
consume(struct connection *connection, size_t count)
{
	ssize_t got = recv(connection->input_fd, connection->all->scratch,
		count, MSG_DONTWAIT);

	if (got < 0 || (size_t)got != count)
		fail_header(connection, "it went away");
}

/* In the clear it can be told; within TLS there is nothing yet. */
static void
turn_away(struct connection *connection, const struct session_peer *peer)
{
	connection->all->counters->connections_refused++;
	log_info("Connect from %s refused: not in lmtp_allowed_networks",
		peer->ip);
	session_turn_away(connection->session,
		"4.7.1 You are not from an allowed network");
	if (connection->is_tls_next)
		connection->has_gone = true;
}

static void
take_client(struct connection *connection, const struct proxy_header *header)
{
	const struct settings *settings = connection->all->settings;
	struct session_peer peer = *session_peer(connection->session);
	struct session_peer client;
	char proxy[sizeof(peer.ip)];

	snprintf(proxy, sizeof(proxy), "%s", place_of(connection));
	if (header->has_client) {
		peer_read(&header->client, &client);
		client.may_start_tls = peer.may_start_tls;
		client.needs_tls = settings->ssl == CONF_SSL_REQUIRED;
		peer = client;
	}
	if (!peer_admit(&peer, settings)) {
		turn_away(connection, &peer);
		return;
	}
	session_set_peer(connection->session, &peer);
	log_info("Connect from %s by the proxy %s, session=<%s>",
		place_of(connection), proxy, session_id(connection->session));
}

static void
end_header(struct connection *connection, const struct proxy_header *header)
{
	connection->is_proxied = false;
	connection->active_ms = loop_now_ms(connection->all->loop);
	keep(connection, STR_EMPTY);
	take_client(connection, header);
	if (connection->is_tls_next && !connection->has_gone)
		begin_tls(connection);
}

static void
look_at_header(struct connection *connection, struct str bytes)
{
	size_t before = connection->kept.len;
	struct proxy_header header;

	add_kept(connection, bytes);
	switch (proxy_parse(connection->kept, &header)) {
	case PROXY_MORE:
		consume(connection, bytes.len);
		break;
	case PROXY_BROKEN:
		fail_header(connection, "it is none");
		break;
	case PROXY_DONE:
		consume(connection, header.length - before);
		if (!connection->has_gone)
			end_header(connection, &header);
		break;
	}
}

static void
take_header(struct connection *connection)
{
	ssize_t got;

	connection->events = 0;
	got = recv(connection->input_fd, connection->all->scratch,
		PROXY_BYTES_MAX, MSG_DONTWAIT | MSG_PEEK);
	if (got > 0)
		look_at_header(connection,
			str_of(connection->all->scratch, (size_t)got));
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		fail_header(connection, "the proxy has gone");
}

/* ---- its end ---- */

static void
log_end(const struct connection *connection, const char *reason)
{
	const struct session *session = connection->session;
	const char *unfinished = session_unfinished(session);
	bool is_whole = has_ended(connection) || unfinished[0] == '\0';

	log_info("Disconnect from %s: %s (state=%s)%s%s%s, session=<%s>",
		place_of(connection), reason, session_state_name(session),
		is_whole ? "" : " (unfinished ", is_whole ? "" : unfinished,
		is_whole ? "" : " command)", session_id(session));
}

static void
unlink_connection(struct connection *connection)
{
	struct connections *all = connection->all;

	if (connection->previous != NULL)
		connection->previous->next = connection->next;
	else
		all->first = connection->next;
	if (connection->next != NULL)
		connection->next->previous = connection->previous;
	list_remove(&connection->of_peer);
	all->count--;
	all->counters->connections = all->count;
}

/* Only while it is served, or at the end of all: nothing else holds it then. */
static void
connection_close(struct connection *connection, const char *reason)
{
	struct connections *all = connection->all;
	bool is_one = connection->output_fd == connection->input_fd;

	log_end(connection, reason);
	loop_unwatch(all->loop, &connection->input);
	loop_unwatch(all->loop, &connection->output);
	loop_timer_stop(all->loop, &connection->timer);
	session_close(&connection->session);
	dispatch_forget(&connection->client);
	tls_close(&connection->tls);
	rawlog_close(&connection->rawlog);
	fd_close(&connection->input_fd);
	if (!is_one)
		fd_close(&connection->output_fd);
	keep(connection, STR_EMPTY);
	spool_budget_give(all->budget, connection->counted);
	unlink_connection(connection);
	memory_free(connection->failure);
	memory_free(connection);
}

/* NULL: it goes on. */
static const char *
reason_to_close(const struct connection *connection)
{
	const char *reason = session_end_reason(connection->session);

	if (connection->failure != NULL)
		return connection->failure;
	if (connection->has_gone)
		return reason != NULL ? reason : "Connection closed";
	if (has_output(connection))
		return NULL;
	if (reason != NULL)
		return reason;
	/* All that was sent before the end is answered. */
	if (connection->saw_end && !session_is_waiting(connection->session))
		return "Connection closed";
	return NULL;
}

/* ---- times ---- */

static uint64_t
patience_ms(const struct connection *connection)
{
	const struct connections *all = connection->all;

	if (connection->is_proxied)
		return all->settings->haproxy_timeout_ms;
	if (connection->is_handshaking)
		return all->settings->lmtp_handshake_timeout_ms;
	if (all->drain == CONNECTIONS_RELOAD &&
		!session_has_transaction(connection->session) &&
		all->settings->lmtp_idle_timeout_ms > CONNECTION_RELOAD_IDLE_MS)
		return CONNECTION_RELOAD_IDLE_MS;
	return all->settings->lmtp_idle_timeout_ms;
}

static void
end_idle(struct connection *connection)
{
	bool is_patient;

	if (connection->is_proxied) {
		fail_header(connection, "it took too long");
		return;
	}
	if (connection->is_handshaking) {
		fail_handshake(connection, "it took too long");
		return;
	}
	is_patient = patience_ms(connection) ==
	             connection->all->settings->lmtp_idle_timeout_ms;

	/* It does not even read what we say. */
	if (has_output(connection) || has_ended(connection))
		connection->has_gone = true;
	if (!has_ended(connection))
		session_end(connection->session,
			is_patient ? "4.4.2 Disconnected for inactivity"
				   : "4.3.2 Server shutting down");
}

/* While we are at work, no time of the client's passes. */
static void
see_time(struct connection *connection)
{
	uint64_t now = loop_now_ms(connection->all->loop);

	if (!connection->is_due)
		return;
	connection->is_due = false;
	if (!is_idle(connection))
		connection->active_ms = now;
	else if (now >= connection->active_ms + patience_ms(connection))
		end_idle(connection);
}

/* A running timer may be too early: then it is set anew when it fires. */
static void
set_timer(struct connection *connection)
{
	uint64_t due = connection->active_ms + patience_ms(connection);
	uint64_t most = connection->all->settings->lmtp_session_timeout_ms;

	if (most > 0 && !has_ended(connection) && !connection->is_handshaking &&
		connection->began_ms + most < due &&
		!session_is_waiting(connection->session))
		due = connection->began_ms + most;
	if (!loop_timer_is_running(&connection->timer) ||
		connection->timer.due_ms > due)
		loop_timer(connection->all->loop, &connection->timer, due);
}

/* What is being delivered is answered first. */
static void
see_age(struct connection *connection)
{
	uint64_t most = connection->all->settings->lmtp_session_timeout_ms;

	if (most > 0 && !has_ended(connection) && !connection->is_handshaking &&
		!session_is_waiting(connection->session) &&
		loop_now_ms(connection->all->loop) >=
			connection->began_ms + most)
		session_end(
			connection->session, "4.3.2 Session takes too long");
}

static bool
is_to_stop(const struct connection *connection)
{
	if (connection->all->drain == CONNECTIONS_LATE)
		return true;
	return connection->all->drain == CONNECTIONS_STOP &&
	       !session_has_transaction(connection->session) &&
	       !session_is_waiting(connection->session);
}

static void
see_drain(struct connection *connection)
{
	if (!has_ended(connection) && is_to_stop(connection))
		session_end(connection->session, "4.3.2 Server shutting down");
	if (connection->all->drain >= CONNECTIONS_STOP &&
		is_beginning(connection))
		connection->has_gone = true;
}

/* ---- serving ---- */

/* A file is always ready, and cannot be watched. */
static void
read_file_next(struct connection *connection)
{
	if (!wants_input(connection))
		return;
	connection->events |= LOOP_READ;
	loop_timer(connection->all->loop, &connection->timer, 0);
}

/* A pipe that has hung up would report it for ever: it is only watched while it
 * is read. */
static void
watch_pipe(struct connection *connection)
{
	struct loop *loop = connection->all->loop;

	if (!wants_input(connection))
		loop_unwatch(loop, &connection->input);
	else if (!connection->is_file && connection->input.fd < 0 &&
		 loop_watch(loop, &connection->input, connection->input_fd,
			 LOOP_READ) < 0)
		connection->is_file = true;
	if (connection->is_file)
		read_file_next(connection);
}

/* Input that has to wait mostly does not come: only when it does its watch is
 * taken off.  While a message is delivered the client's end is of interest. */
static void
watch_socket(struct connection *connection)
{
	unsigned events = 0;

	if (connection->is_proxied) {
		loop_watch_for(
			connection->all->loop, &connection->input, LOOP_READ);
		return;
	}
	if (connection->is_handshaking) {
		loop_watch_for(connection->all->loop, &connection->input,
			tls_wants_write(connection->tls) ? LOOP_WRITE
							 : LOOP_READ);
		return;
	}
	if (wants_input(connection))
		connection->is_unwanted = false;
	if (!connection->saw_end && !connection->is_unwanted)
		events = LOOP_READ | LOOP_END;
	else if (!connection->saw_end &&
		 session_is_delivering(connection->session))
		events = LOOP_END;
	if (connection->is_blocked || reads_when_writable(connection))
		events |= LOOP_WRITE;
	loop_watch_for(connection->all->loop, &connection->input, events);
}

static void
watch(struct connection *connection)
{
	if (connection->is_socket) {
		watch_socket(connection);
		return;
	}
	watch_pipe(connection);
	loop_watch_for(connection->all->loop, &connection->output,
		connection->is_blocked ? LOOP_WRITE : 0);
}

/* What it makes us hold beside its message. */
static void
count_memory(struct connection *connection)
{
	size_t held =
		connection->kept.len + session_memory(connection->session);

	spool_budget_give(connection->all->budget, connection->counted);
	spool_budget_take(connection->all->budget, held);
	connection->counted = held;
}

/* A client that goes on behind its message may hold that back until it knows that
 * the message has arrived (RFC 896): it is told now and not with our reply, so that
 * what comes after the reply is an answer to it. */
static void
acknowledge(const struct connection *connection)
{
	int now = 1;

	if (session_peer(connection->session)->is_inet &&
		session_is_delivering(connection->session) &&
		setsockopt(connection->input_fd, IPPROTO_TCP, TCP_QUICKACK,
			&now, sizeof(now)) < 0)
		return;
}

/* Replies to what was sent at once leave at once. */
static void
converse(struct connection *connection)
{
	if (is_beginning(connection))
		return;
	if (connection->is_blocked)
		flush(connection);
	while (!connection->is_blocked && !connection->has_gone) {
		bool took = offer_kept(connection);

		flush(connection);
		if (!took)
			break;
	}
}

static void
serve(struct connection *connection)
{
	const char *reason;

	connection->is_touched = false;
	dispatch_settle(&connection->client);
	if (connection->is_proxied)
		take_header(connection);
	if (connection->is_handshaking)
		shake_hands(connection);
	note_events(connection);
	converse(connection);
	see_tls(connection);
	acknowledge(connection);
	see_time(connection);
	see_age(connection);
	see_drain(connection);
	flush(connection);
	reason = reason_to_close(connection);
	if (reason != NULL) {
		connection_close(connection, reason);
		return;
	}
	count_memory(connection);
	set_timer(connection);
	watch(connection);
	see_pending(connection);
}

/* Whose mail this is, as far as one can be named. */
static struct str
newest_recipient(struct session *session)
{
	const struct session_transaction *transaction =
		session_transaction(session);

	if (transaction == NULL || transaction->count == 0)
		return STR_EMPTY;
	return transaction->recipients[transaction->count - 1]->address.text;
}

void
connections_after_round(struct connections *connections)
{
	while (connections->touched != NULL) {
		struct connection *connection = connections->touched;

		connections->touched = connection->next_touched;
		crash_about(session_id(connection->session),
			newest_recipient(connection->session));
		serve(connection);
		crash_about("", STR_EMPTY);
	}
}

/* ---- its beginning ---- */

static bool
is_socket(int fd)
{
	int type;
	socklen_t len = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
}

static void
watch_first(struct connection *connection)
{
	struct loop *loop = connection->all->loop;

	connection->input = (struct loop_watch){.fd = -1, .ready = on_input};
	connection->output = (struct loop_watch){.fd = -1, .ready = on_output};
	if (connection->is_socket) {
		if (loop_watch(loop, &connection->input, connection->input_fd,
			    LOOP_READ) < 0)
			connection->has_gone = true;
		return;
	}
	/* Output into a file is always possible. */
	if (loop_watch(loop, &connection->output, connection->output_fd, 0) < 0)
		connection->output.fd = -1;
}

/* Of the address, by which it is counted; XCLIENT does not change it.  0: a local
 * peer. */
static uint64_t
peer_key_of(const struct session_peer *peer)
{
	const char *at = peer->ip;
	uint64_t key = 0xcbf29ce484222325;

	if (!peer->is_inet)
		return 0;
	for (; *at != '\0'; at++)
		key = (key ^ (unsigned char)*at) * 0x100000001b3;
	return key | 1;
}

static struct list *
peer_list(struct connections *all, uint64_t key)
{
	return &all->peers[key >> 32 & (CONNECTION_PEERS - 1)];
}

size_t
connections_of_peer(struct connections *all, const struct session_peer *peer)
{
	uint64_t key = peer_key_of(peer);
	const struct list *list = peer_list(all, key);
	struct list_link *link;
	size_t count = 0;

	if (key == 0)
		return 0;
	for (link = list_first(list); link != NULL;
		link = list_next(list, link))
		count += CONTAINER_OF(link, struct connection, of_peer)
		                 ->peer_key == key;
	return count;
}

static void
link_connection(struct connections *all, struct connection *connection)
{
	connection->all = all;
	connection->next = all->first;
	if (all->first != NULL)
		all->first->previous = connection;
	all->first = connection;
	if (connection->peer_key != 0)
		list_add_last(peer_list(all, connection->peer_key),
			&connection->of_peer);
	all->count++;
	all->counters->connections = all->count;
	all->counters->connections_total++;
}

void
connections_add(
	struct connections *connections, const struct connection_start *start)
{
	struct connection *connection = memory_get(sizeof(*connection));
	char id[SESSION_ID_LEN + 1];

	connection->peer_key = start->has_proxy ? 0 : peer_key_of(&start->peer);
	link_connection(connections, connection);
	connection->input_fd = start->input;
	connection->output_fd = start->output;
	connection->is_socket =
		start->input == start->output && is_socket(start->input);
	connection->timer.fire = on_timer;
	connection->active_ms = loop_now_ms(connections->loop);
	connection->began_ms = connection->active_ms;
	session_id_make(id);
	connection->client.dispatch = connections->dispatch;
	connection->session = session_open(
		&connections->session, &start->peer, id, &connection->client);
	connection->client.session = connection->session;
	connection->rawlog = rawlog_open(&connections->rawlogs, id);
	if (!start->has_proxy)
		log_info("Connect from %s, session=<%s>", place_of(connection),
			id);
	watch_first(connection);
	connection->is_proxied = start->has_proxy;
	connection->is_tls_next = start->is_tls;
	if (start->is_tls && !start->has_proxy)
		begin_tls(connection);
	touch(connection);
}

/* ---- all of them ---- */

void
connections_open(struct connections *connections)
{
	size_t i;

	for (i = 0; i < CONNECTION_PEERS; i++)
		list_init(&connections->peers[i]);
	connections->scratch = memory_get(CONNECTION_ROUND_BYTES);
}

void
connections_close(struct connections *connections)
{
	while (connections->first != NULL)
		connection_close(connections->first, "Server shutting down");
	connections->touched = NULL;
	memory_free(connections->scratch);
	connections->scratch = NULL;
}

void
connections_drain(struct connections *connections, enum connections_drain drain)
{
	struct connection *connection;

	connections->drain = drain;
	for (connection = connections->first; connection != NULL;
		connection = connection->next)
		touch(connection);
}
