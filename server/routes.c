/* The process that passes mail on to other hosts, and what it is told of them.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "ipc/channel.h"
#include "server/parts.h"
#include "server/proxywire.h"
#include "server/wishes.h"

#include "base/banned.h"

/* Connections to backends, messages in files, and some more. */
enum { PROXY_DESCRIPTORS = 20000 };

static bool
is_wanted(const struct generation *generation)
{
	return generation->settings->lmtp_proxy;
}

bool
routes_is_ready(const struct generation *generation)
{
	return !is_wanted(generation) || generation->proxy.process.is_ready;
}

/* ---- the channel to the front ---- */

static void
send_link(struct process *process, int fd)
{
	struct wire_proxy_link link = {.fd = fd};
	struct frame frame;

	frame_begin(&frame, WIRE_PROXY_LINK);
	wire_proxy_link(&frame, &link);
	process_send(process, &frame);
}

void
routes_link(struct generation *generation)
{
	struct process *front = &generation->front.process;
	struct process *proxy = &generation->proxy.process;
	int ends[2];

	if (!process_is_running(front) || !process_is_running(proxy))
		return;
	if (channel_pair(ends) < 0) {
		log_error("no channel between front and proxy: %s",
			strerror(errno));
		return;
	}
	send_link(proxy, ends[0]);
	send_link(front, ends[1]);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

/* ---- names of backends ---- */

static void
send_resolved(struct generation *generation, struct wire_resolved *answer)
{
	struct frame frame;

	frame_begin(&frame, WIRE_RESOLVED);
	wire_resolved(&frame, answer);
	process_send(&generation->proxy.process, &frame);
}

/* Master keeps nothing of it: the proxy knows when it has waited too long. */
static void
ask_lookup(struct generation *generation, struct frame *frame)
{
	struct wire_resolve question;
	struct wire_resolved answer = {.addresses = NULL};
	struct frame asked;

	wire_resolve(frame, &question);
	if (!frame_is_whole(frame) || question.host == NULL) {
		process_breach(&generation->proxy.process, frame);
		return;
	}
	if (process_is_running(&generation->lookup.process)) {
		frame_begin(&asked, WIRE_RESOLVE);
		wire_resolve(&asked, &question);
		process_send(&generation->lookup.process, &asked);
		return;
	}
	answer.request = question.request;
	err_set(&answer.err, ERR_TEMPORARY, "4.4.0",
		"Proxy failed (DNS lookup)");
	err_detail(&answer.err, "lookup is not running");
	send_resolved(generation, &answer);
}

void
routes_resolved(struct generation *generation, struct frame *frame)
{
	struct wire_resolved answer;

	wire_resolved(frame, &answer);
	if (!frame_is_whole(frame))
		process_breach(&generation->lookup.process, frame);
	else if (process_is_running(&generation->proxy.process))
		send_resolved(generation, &answer);
}

/* ---- the admin ---- */

static void
send_wish(void *context, struct wire_proxy_wish *wish)
{
	struct frame frame;

	frame_begin(&frame, WIRE_PROXY_WISH);
	wire_proxy_wish(&frame, wish);
	process_send(context, &frame);
}

void
generation_send_wish(
	struct generation *generation, struct wire_proxy_wish *wish)
{
	if (process_is_running(&generation->proxy.process))
		send_wish(&generation->proxy.process, wish);
}

const char *
generation_proxy_status(const struct generation *generation)
{
	return generation->proxy_status;
}

static void
keep_status(struct generation *generation, struct frame *frame)
{
	struct wire_proxy_status status;

	wire_proxy_status(frame, &status);
	if (!frame_is_whole(frame)) {
		process_breach(&generation->proxy.process, frame);
		return;
	}
	memory_free(generation->proxy_status);
	generation->proxy_status = memory_get(status.json.len + 1);
	memcpy(generation->proxy_status, status.json.data, status.json.len);
	generation->proxy_status[status.json.len] = '\0';
}

/* ---- its life ---- */

static void
proxy_received(struct process *process, struct frame *frame)
{
	struct generation *generation =
		CONTAINER_OF(process, struct generation, proxy.process);

	if (frame->type == WIRE_READY)
		generation_check_ready(generation);
	else if (frame->type == WIRE_RESOLVE)
		ask_lookup(generation, frame);
	else if (frame->type == WIRE_PROXY_STATUS)
		keep_status(generation, frame);
	else
		process_breach(process, frame);
}

/* The front sees its channel close. */
static void
proxy_ended(struct process *process)
{
	struct generation *generation =
		CONTAINER_OF(process, struct generation, proxy.process);

	generation_keeper_ended(&generation->proxy);
}

int
routes_start(struct generation *generation, struct err *err)
{
	struct process *process = &generation->proxy.process;
	const struct run_as *run_as = generation->host->run_as;
	const struct spawn_order order = {.kind = WIRE_KIND_PROXY,
		.identity = run_as->is_root ? &run_as->login : NULL,
		.descriptors = PROXY_DESCRIPTORS,
		.gains_nothing = true};

	if (!is_wanted(generation))
		return 0;
	process->answer_ms = generation->settings->lookup_timeout_ms;
	process->received = proxy_received;
	process->ended = proxy_ended;
	if (generation_launch(generation, process, &order, err) < 0)
		return -1;
	routes_link(generation);
	if (generation->host->wishes != NULL)
		wishes_each(generation->host->wishes, send_wish, process);
	return 0;
}

/* Sessions of a draining generation still need it. */
void
routes_again(struct loop_timer *timer)
{
	struct generation *generation =
		CONTAINER_OF(timer, struct generation, proxy.timer);
	struct err err;

	if (generation->is_killed || routes_start(generation, &err) == 0)
		return;
	log_error("%s", err_log_text(&err));
	generation_keeper_failed(&generation->proxy);
}

/* ---- routes ---- */

/* It is told before the front can ask for it. */
void
routes_answer(struct question *question, const struct wire_record *record,
	struct wire_rcpt_answer *answer)
{
	struct process *proxy = &question->generation->proxy.process;
	struct wire_proxy_route route = {.route = record->route};
	struct frame frame;

	if (!process_is_running(proxy)) {
		parts_temporary(&answer->err, "4.3.0", "proxy is not running");
		return;
	}
	clock_random(&route.ticket, sizeof(route.ticket));
	frame_begin(&frame, WIRE_PROXY_ROUTE);
	wire_proxy_route(&frame, &route);
	process_send(proxy, &frame);
	answer->ticket = route.ticket;
	answer->is_proxied = true;
	question->generation->recipients++;
}
