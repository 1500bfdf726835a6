/* lmtpload - deliver by LMTP as fast as the server takes it, and count
 *
 *	lmtpload [-c CONNECTIONS] [-r RECIPIENTS] [-s BYTES] [-t SECONDS]
 *	         [-u USERS] [-p PATTERN] TARGET
 *
 * TARGET is a socket's path or HOST:PORT of the loopback.  Each connection is a
 * process that sends one message after the other, commands pipelined, each to
 * RECIPIENTS of USERS users; PATTERN has a %lu for the user's number.  Prints one
 * line: recipients a second, median and 99th percentile of a transaction in ms,
 * errors (replies after the message other than 2xx).  A server that refuses an
 * envelope, or does not answer for half a minute, is no server to be measured:
 * exit status 1.
 *
 * SPDX-License-Identifier: MIT
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fd.h"

#include "base/banned.h"

enum { MOST_CONNECTIONS = 1000, MOST_SAMPLES = 100000, PATIENCE_S = 30 };

struct options {
	unsigned long connections, recipients, size, seconds, users;
	const char *pattern;
	const char *target;
};

/* What one connection found; in memory that all share. */
struct result {
	uint64_t recipients, errors;
	uint32_t count; /* of samples */
	uint32_t microseconds[MOST_SAMPLES];
};

struct client {
	const struct options *options;
	struct result *result;
	struct buf request;
	char input[65536];
	size_t begin, end;
	unsigned long number, next_user;
	int fd;
};

static uint64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void
die(const char *what)
{
	perror(what);
	_exit(1);
}

static int
connect_unix(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die("connect");
	return fd;
}

static int
connect_inet(const char *target)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	const char *colon = strrchr(target, ':');
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port =
		htons((uint16_t)strtoul(colon ? colon + 1 : target, NULL, 10));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die("connect");
	return fd;
}

/* The first character of a reply's last line. */
static char
read_reply(struct client *client)
{
	for (;;) {
		char *line = client->input + client->begin;
		char *lf = memchr(line, '\n', client->end - client->begin);
		ssize_t got;

		if (lf != NULL) {
			client->begin = (size_t)(lf - client->input) + 1;
			if (lf - line < 4 || line[3] != '-')
				return line[0];
			continue;
		}
		memmove(client->input, line, client->end - client->begin);
		client->end -= client->begin;
		client->begin = 0;
		got = fd_read(client->fd, client->input + client->end,
			sizeof(client->input) - client->end);
		if (got <= 0)
			die("read");
		client->end += (size_t)got;
	}
}

/* Else what follows would be answered as commands. */
static void
require(struct client *client, char digit)
{
	char found = read_reply(client);

	if (found == digit)
		return;
	fprintf(stderr, "lmtpload: a reply begins with %c instead of %c\n",
		found, digit);
	_exit(1);
}

static void
send_request(struct client *client)
{
	if (fd_write(client->fd, buf_view(&client->request)) < 0)
		die("write");
	buf_reset(&client->request);
}

static void
add_envelope(struct client *client)
{
	const struct options *options = client->options;
	unsigned long i;

	buf_add_text(&client->request, "MAIL FROM:<ada@client.example>\r\n");
	for (i = 0; i < options->recipients; i++) {
		unsigned long user = client->next_user++ % options->users;

		buf_add_text(&client->request, "RCPT TO:<");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		buf_add_format(&client->request, options->pattern, user);
#pragma GCC diagnostic pop
		buf_add_text(&client->request, ">\r\n");
	}
	buf_add_text(&client->request, "DATA\r\n");
}

static void
add_message(struct client *client)
{
	size_t end = client->request.len + client->options->size;

	buf_add_format(&client->request,
		"From: Ada <ada@client.example>\r\nTo: <user@example.test>\r\n"
		"Subject: message %lu\r\nMessage-ID: <%lu.%ld@client.example>"
		"\r\n\r\n",
		client->number, client->number, (long)getpid());
	while (client->request.len < end)
		buf_add_text(&client->request,
			"a line of a message that nobody is going to read, "
			"ever\r\n");
	buf_add_text(&client->request, ".\r\n");
	client->number++;
}

static void
transaction(struct client *client)
{
	unsigned long recipients = client->options->recipients, i;
	uint64_t begin = now_us();
	struct result *result = client->result;

	add_envelope(client);
	send_request(client);
	for (i = 0; i < recipients + 1; i++)
		require(client, '2');
	require(client, '3');
	add_message(client);
	send_request(client);
	for (i = 0; i < recipients; i++)
		result->errors += read_reply(client) != '2';
	result->recipients += recipients;
	if (result->count < MOST_SAMPLES)
		result->microseconds[result->count++] =
			(uint32_t)(now_us() - begin);
}

static void
run_client(const struct options *options, struct result *result,
	unsigned long place)
{
	static struct client client;
	uint64_t end = now_us() + options->seconds * 1000000;

	client.options = options;
	client.result = result;
	client.next_user = place * options->users / options->connections;
	buf_init(&client.request, BUF_UNLIMITED);
	client.fd = options->target[0] == '/' ? connect_unix(options->target)
	                                      : connect_inet(options->target);
	/* It ends us. */
	alarm((unsigned)options->seconds + PATIENCE_S);
	require(&client, '2');
	buf_add_text(&client.request, "LHLO client.example\r\n");
	send_request(&client);
	require(&client, '2');
	while (now_us() < end)
		transaction(&client);
	_exit(0);
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static double
at_share(const uint32_t *sorted, size_t count, double share)
{
	return count == 0
	               ? 0
	               : (double)sorted[(size_t)((double)(count - 1) * share)] /
	                         1000;
}

static void
print_results(struct arena *arena, const struct options *options,
	const struct result *results, uint64_t elapsed_us)
{
	uint64_t recipients = 0, errors = 0;
	size_t count = 0;
	unsigned long i;
	uint32_t *all;

	for (i = 0; i < options->connections; i++)
		count += results[i].count;
	all = ARENA_ARRAY(arena, uint32_t, count + 1);
	count = 0;
	for (i = 0; i < options->connections; i++) {
		memcpy(all + count, results[i].microseconds,
			results[i].count * sizeof(*all));
		count += results[i].count;
		recipients += results[i].recipients;
		errors += results[i].errors;
	}
	qsort(all, count, sizeof(*all), compare);
	printf("%.0f %.2f %.2f %llu\n",
		(double)recipients * 1e6 / (double)elapsed_us,
		at_share(all, count, 0.5), at_share(all, count, 0.99),
		(unsigned long long)errors);
}

int
main(int argc, char **argv)
{
	struct options options = {.connections = 1,
		.recipients = 1,
		.size = 4096,
		.seconds = 3,
		.users = 100,
		.pattern = "user%lu@example.test"};
	struct arena *arena = arena_open();
	struct result *results;
	uint64_t begin;
	unsigned long i;
	int option, failed = 0, status;

	while ((option = getopt(argc, argv, "c:r:s:t:u:p:")) != -1) {
		unsigned long number = strtoul(optarg ? optarg : "", NULL, 10);

		switch (option) {
		case 'c':
			options.connections = number;
			break;
		case 'r':
			options.recipients = number;
			break;
		case 's':
			options.size = number;
			break;
		case 't':
			options.seconds = number;
			break;
		case 'u':
			options.users = number;
			break;
		case 'p':
			options.pattern = optarg;
			break;
		default:
			return 64;
		}
	}
	if (optind + 1 != argc || options.connections == 0 ||
		options.connections > MOST_CONNECTIONS ||
		options.recipients == 0 || options.users == 0) {
		fputs("usage: lmtpload [-c N] [-r N] [-s BYTES] [-t SECONDS] "
		      "[-u USERS] [-p PATTERN] TARGET\n",
			stderr);
		return 64;
	}
	options.target = argv[optind];
	results = mmap(NULL, options.connections * sizeof(*results),
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (results == MAP_FAILED)
		die("mmap");
	begin = now_us();
	for (i = 0; i < options.connections; i++)
		if (fork() == 0)
			run_client(&options, &results[i], i);
	while (wait(&status) > 0)
		failed |= status != 0;
	print_results(arena, &options, results, now_us() - begin);
	arena_close(&arena);
	return failed;
}
