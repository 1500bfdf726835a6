/* Who runs programs for workers: one runner for each worker that wants one, with
 * that worker's identity and no other.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/child.h"
#include "server/confine.h"
#include "server/parts.h"

#include "base/banned.h"

struct runner {
	struct process process;
	struct generation *generation;
	struct list_link in_all;
	uint32_t worker; /* its number */
};

#define RUNNER_OF(link) CONTAINER_OF(link, struct runner, in_all)

static void
runner_received(struct process *process, struct frame *frame)
{
	if (frame->type != WIRE_READY)
		process_breach(process, frame);
}

static void
runner_ended(struct process *process)
{
	struct runner *runner = CONTAINER_OF(process, struct runner, process);
	struct generation *generation = runner->generation;

	list_remove(&runner->in_all);
	memory_free(runner);
	generation_check_end(generation);
}

/* The spool's group is for those who file mail. */
static int
start_process(
	struct runner *runner, const struct identity *identity, struct err *err)
{
	const struct generation_host *host = runner->generation->host;
	struct identity own = *identity;
	const struct spawn_order order = {.kind = WIRE_KIND_RUNNER,
		.identity = host->run_as->is_root ? &own : NULL,
		.gains_nothing = !confine_keeps_rights(
			WIRE_KIND_RUNNER, runner->generation->settings)};

	own.has_spool_group = false;
	runner->process.received = runner_received;
	runner->process.ended = runner_ended;
	return process_start(host->processes, &runner->process, &order, err);
}

static void
start(struct generation *generation, uint32_t number,
	const struct identity *identity, struct wire_runner *link)
{
	struct runner *runner = memory_get(sizeof(*runner));
	struct frame frame;
	struct err err;

	runner->generation = generation;
	runner->worker = number;
	if (start_process(runner, identity, &err) < 0) {
		log_error("%s", err_log_text(&err));
		memory_free(runner);
		return;
	}
	list_add_last(&generation->runners, &runner->in_all);
	generation_boot(&runner->process,
		&(struct wire_boot){.generation = generation->number,
			.config = generation->config_fds[WIRE_KIND_WORKER]});
	frame_begin(&frame, WIRE_RUNNER);
	wire_runner(&frame, link);
	process_send(&runner->process, &frame);
}

/* The worker has no use for it any more: it does not answer. */
static void
kill_older(struct generation *generation, uint32_t number)
{
	struct list_link *link;

	for (link = list_first(&generation->runners); link != NULL;
		link = list_next(&generation->runners, link))
		if (RUNNER_OF(link)->worker == number)
			process_kill(&RUNNER_OF(link)->process, NULL);
}

void
runners_start(struct generation *generation, struct process *worker,
	uint32_t number, const struct identity *identity, struct frame *frame)
{
	struct wire_runner link = {.fd = -1};

	wire_runner(frame, &link);
	if (!frame_is_whole(frame) || link.fd < 0) {
		fd_close(&link.fd);
		process_breach(worker, frame);
		return;
	}
	kill_older(generation, number);
	start(generation, number, identity, &link);
	fd_close(&link.fd);
}

void
runners_kill(struct generation *generation)
{
	struct list_link *link;

	for (link = list_first(&generation->runners); link != NULL;
		link = list_next(&generation->runners, link))
		process_kill(&RUNNER_OF(link)->process, NULL);
}

void
runners_list(const struct generation *generation, struct process_list *list)
{
	struct list_link *link;

	for (link = list_first(&generation->runners); link != NULL;
		link = list_next(&generation->runners, link))
		process_list_add(list, &RUNNER_OF(link)->process,
			generation->number, "running", 0);
}
