/* What a backend says, in pieces: the first byte of the input is their length.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/client.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECIPIENTS = 3 };

struct run {
	struct client client;
	unsigned asked, accepted, answered, results;
	bool is_begun, has_failed, is_over;
	unsigned told[RECIPIENTS], resulted[RECIPIENTS];
};

static struct run *
run_of(struct client *client)
{
	return CONTAINER_OF(client, struct run, client);
}

static void
begin(struct run *run)
{
	const struct client_origin origin = {
		.session = STR("s"), .ip = STR("::1"), .ttl = 3};
	const struct client_mail mail = {
		.sender = STR("ada@x"), .size = 5, .origin = &origin};
	unsigned i;

	run->is_begun = true;
	run->accepted = run->answered = 0;
	memset(run->told, 0, sizeof(run->told));
	memset(run->resulted, 0, sizeof(run->resulted));
	client_mail(&run->client, &mail);
	for (i = 0; i < RECIPIENTS; i++)
		client_rcpt(&run->client,
			&(struct client_rcpt){.path = STR("amy@x"),
				.recipient = &run->told[i]});
}

static void
on_ready(struct client *client)
{
	if (run_of(client)->has_failed)
		abort();
	begin(run_of(client));
}

static void
on_starttls(struct client *client)
{
	client_tls_started(client);
}

static void
on_rcpt(struct client *client, void *recipient,
	const struct backend_reply *reply)
{
	struct run *run = run_of(client);

	if (run->has_failed || ++*(unsigned *)recipient != 1)
		abort();
	run->accepted += backend_reply_is_good(reply);
	if (++run->answered < RECIPIENTS)
		return;
	if (run->accepted > 0)
		client_data(client, 4);
	else if (!client_reset(client))
		abort();
}

/* Each accepted recipient has one, and a good one only behind the message. */
static void
on_result(struct client *client, void *recipient,
	const struct backend_reply *reply)
{
	struct run *run = run_of(client);
	size_t place = (size_t)((unsigned *)recipient - run->told);

	if (run->has_failed || ++run->resulted[place] != 1 ||
		(backend_reply_is_good(reply) && !client->is_body_done))
		abort();
	run->results++;
}

static void
on_failed(
	struct client *client, enum client_failure failure, const char *detail)
{
	(void)failure;
	if (run_of(client)->has_failed || strlen(detail) == 0)
		abort();
	run_of(client)->has_failed = true;
}

static const struct client_events events = {
	.ready = on_ready,
	.starttls = on_starttls,
	.rcpt = on_rcpt,
	.result = on_result,
	.failed = on_failed,
};

static void
go_on(struct run *run)
{
	if (client_wants_body(&run->client) && !run->has_failed) {
		client_body(&run->client, STR(".\r\n."));
		client_body_end(&run->client);
	}
	buf_reset(&run->client.output);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run run = {.client = {.events = &events, .name = "p.example"}};
	size_t step, at;

	if (size == 0)
		return 0;
	run.client.protocol = data[0] & 1 ? ROUTE_SMTP : ROUTE_LMTP;
	run.client.pipelines = (data[0] & 2) != 0;
	run.client.starts_tls = (data[0] & 4) != 0;
	step = (size_t)(data[0] >> 3) + 1;
	client_open(&run.client);
	for (at = 1; at < size && !run.has_failed; at += step) {
		client_input(
			&run.client, str_slice(str_of((const char *)data, size),
					     at, at + step));
		go_on(&run);
	}
	client_close(&run.client);
	return 0;
}
