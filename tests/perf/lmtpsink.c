/* lmtpsink - an LMTP server that takes all mail and keeps none
 *
 *	lmtpsink ADDRESS PORT
 *
 * One process, one loop, as few instructions for a message as can be: what is
 * measured in front of it is what stands in front of it.  Ends when it is killed.
 *
 * SPDX-License-Identifier: MIT
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/loop.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/str.h"

#include "base/banned.h"

enum { INPUT_MAX = 256 * 1024, BACKLOG = 1024 };

struct sink {
	struct loop *loop;
	struct loop_watch watch;
};

struct client {
	struct sink *sink;
	struct loop_watch watch;
	struct buf output;
	size_t len; /* of input */
	unsigned recipients;
	bool in_message;
	char input[INPUT_MAX];
};

static void
client_close(struct client *client)
{
	int fd = client->watch.fd;

	loop_unwatch(client->sink->loop, &client->watch);
	close(fd);
	buf_clear(&client->output);
	memory_free(client);
}

static void
say(struct client *client, const char *text)
{
	buf_add(&client->output, str_from(text));
}

static void
take_command(struct client *client, struct str line)
{
	if (str_starts_nocase(line, STR("LHLO")))
		say(client, "250-sink\r\n250-PIPELINING\r\n"
			    "250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n");
	else if (str_starts_nocase(line, STR("RCPT")))
		client->recipients++, say(client, "250 2.1.5 OK\r\n");
	else if (str_starts_nocase(line, STR("DATA")))
		client->in_message = true, say(client, "354 OK\r\n");
	else if (str_starts_nocase(line, STR("RSET")))
		client->recipients = 0, say(client, "250 2.0.0 OK\r\n");
	else if (str_starts_nocase(line, STR("QUIT")))
		say(client, "221 2.0.0 Bye\r\n");
	else
		say(client, "250 2.0.0 OK\r\n");
}

static void
end_message(struct client *client)
{
	client->in_message = false;
	for (; client->recipients > 0; client->recipients--)
		say(client, "250 2.0.0 Saved\r\n");
}

/* How much of it was understood. */
static size_t
take_message(struct client *client, struct str text)
{
	const struct str end = STR("\r\n.\r\n");
	size_t at = str_find(text, end);

	if (at == text.len)
		return text.len < end.len ? 0 : text.len - end.len + 1;
	end_message(client);
	return at + end.len;
}

static void
take_input(struct client *client)
{
	size_t at = 0, used = 1;

	while (used > 0 && at < client->len) {
		struct str rest = str_of(client->input + at, client->len - at);
		size_t end = str_find_char(rest, '\n');

		if (client->in_message) {
			used = take_message(client, rest);
		} else {
			used = end < rest.len ? end + 1 : 0;
			if (used > 0)
				take_command(client, str_slice(rest, 0, end));
		}
		at += used;
	}
	memmove(client->input, client->input + at, client->len - at);
	client->len -= at;
}

static void
on_client(struct loop_watch *watch, unsigned events)
{
	struct client *client = CONTAINER_OF(watch, struct client, watch);
	ssize_t count = read(watch->fd, client->input + client->len,
		sizeof(client->input) - client->len);

	(void)events;
	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (count <= 0) {
		client_close(client);
		return;
	}
	client->len += (size_t)count;
	take_input(client);
	/* What it says fits into a socket's buffer. */
	(void)!write(watch->fd, client->output.data, client->output.len);
	buf_reset(&client->output);
}

static void
on_listener(struct loop_watch *watch, unsigned events)
{
	struct sink *sink = CONTAINER_OF(watch, struct sink, watch);
	int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct client *client;
	int yes = 1;

	(void)events;
	if (fd < 0)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	client = memory_get(sizeof(*client));
	client->sink = sink;
	client->watch.ready = on_client;
	buf_init(&client->output, BUF_UNLIMITED);
	if (loop_watch(sink->loop, &client->watch, fd, LOOP_READ) < 0)
		exit(EXIT_FAILURE);
	(void)!write(fd, "220 sink\r\n", 10);
}

static int
listen_on(const char *ip, uint64_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), yes = 1;

	if (fd < 0 || inet_pton(AF_INET, ip, &address.sin_addr) != 1 ||
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) <
			0 ||
		bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		listen(fd, BACKLOG) < 0) {
		perror("lmtpsink");
		exit(EXIT_FAILURE);
	}
	return fd;
}

int
main(int argc, char **argv)
{
	struct sink sink = {.watch = {.ready = on_listener}};
	uint64_t port;

	if (argc != 3 || number_parse(str_from(argv[2]), &port) < 0) {
		fputs("usage: lmtpsink ADDRESS PORT\n", stderr);
		return EXIT_FAILURE;
	}
	if (loop_open(&sink.loop) < 0 ||
		loop_watch(sink.loop, &sink.watch, listen_on(argv[1], port),
			LOOP_READ) < 0)
		return EXIT_FAILURE;
	loop_run(sink.loop);
	return EXIT_SUCCESS;
}
