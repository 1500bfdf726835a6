/* SPDX-License-Identifier: MIT */
#include "server/wire.h"

#include "base/banned.h"

/* The least bytes an item of each list has; see frame_count(). */
enum {
	GROUP_LEAST = 4,
	COUNTER_LEAST = 9,
	TICKET_LEAST = 16,
	FIELD_LEAST = 8,
	ASSIGN_LEAST = 20,
	RECIPIENT_LEAST = 33,
	RESULT_LEAST = 17,
	CLAIM_LEAST = 52,
	CLAIMED_LEAST = 28,
	FINISH_LEAST = 36,
	HANDLE_LEAST = 52,
	MARK_LEAST = 41,
	TEXT_LEAST = 4,
	PAIR_LEAST = 8
};

/* An enum of which `last` is the greatest value. */
#define FRAME_ENUM(frame, value, last)                                         \
	do {                                                                   \
		uint32_t number = (uint32_t) * (value);                        \
                                                                               \
		frame_u32(frame, &number);                                     \
		if ((frame)->is_reading && number > (last)) {                  \
			(frame)->is_broken = true;                             \
			number = 0;                                            \
		}                                                              \
		*(value) = number;                                             \
	} while (0)

/* A list: its count, then each item by `visit`. */
#define FRAME_LIST(frame, items, count, least, visit)                          \
	do {                                                                   \
		size_t place;                                                  \
                                                                               \
		frame_count(frame, &(count), least);                           \
		(items) = frame_array(frame, items, sizeof(*(items)), count);  \
		for (place = 0; place < (count); place++)                      \
			visit(frame, &(items)[place]);                         \
	} while (0)

void
wire_boot(struct frame *frame, struct wire_boot *boot)
{
	size_t i;

	FRAME_ENUM(frame, &boot->kind, WIRE_KINDS - 1);
	frame_u32(frame, &boot->generation);
	frame_fd(frame, &boot->config);
	frame_fd(frame, &boot->certificates);
	for (i = 0; i < ARRAY_LENGTH(boot->logs); i++)
		frame_fd(frame, &boot->logs[i]);
	frame_bool(frame, &boot->is_single);
	frame_bool(frame, &boot->has_no_memory);
	frame_text(frame, &boot->state);
	frame_text(frame, &boot->root);
	frame_text(frame, &boot->mailer);
}

void
wire_ready(struct frame *frame, struct wire_ready *ready)
{
	frame_text(frame, &ready->confinement);
}

void
wire_logs(struct frame *frame, struct wire_logs *logs)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(logs->logs); i++)
		frame_fd(frame, &logs->logs[i]);
}

void
wire_drain(struct frame *frame, struct wire_drain *drain)
{
	frame_bool(frame, &drain->is_stop);
}

static void
counter(struct frame *frame, struct wire_counter *value)
{
	frame_text(frame, &value->name);
	frame_u64(frame, &value->value);
}

void
wire_counters(struct frame *frame, struct wire_counters *counters)
{
	FRAME_LIST(frame, counters->counters, counters->count, COUNTER_LEAST,
		counter);
}

static void
peer_user(struct frame *frame, uint32_t *uid)
{
	frame_u32(frame, uid);
}

void
wire_listener(struct frame *frame, struct wire_listener *listener)
{
	frame_fd(frame, &listener->fd);
	frame_text(frame, &listener->name);
	frame_bool(frame, &listener->is_inet);
	frame_u32(frame, &listener->ssl);
	frame_bool(frame, &listener->haproxy);
	FRAME_LIST(frame, listener->peers, listener->peer_count, 4, peer_user);
	frame_bool(frame, &listener->is_trusted);
}

void
wire_stdio(struct frame *frame, struct wire_stdio *stdio)
{
	frame_fd(frame, &stdio->input);
	frame_fd(frame, &stdio->output);
}

void
wire_state_link(struct frame *frame, struct wire_state_link *link)
{
	frame_fd(frame, &link->fd);
	frame_bool(frame, &link->is_mailer);
}

void
wire_worker(struct frame *frame, struct wire_worker *worker)
{
	frame_u32(frame, &worker->worker);
	frame_fd(frame, &worker->fd);
}

void
wire_ticket(struct frame *frame, struct wire_ticket *ticket)
{
	frame_bytes(frame, ticket->bytes, sizeof(ticket->bytes));
}

void
wire_rcpt(struct frame *frame, struct wire_rcpt *rcpt)
{
	frame_u64(frame, &rcpt->request);
	frame_str(frame, &rcpt->local_part);
	frame_str(frame, &rcpt->domain);
	frame_u64(frame, &rcpt->size);
	frame_text(frame, &rcpt->session);
	frame_bool(frame, &rcpt->ignores_quota);
}

void
wire_rcpt_answer(struct frame *frame, struct wire_rcpt_answer *answer)
{
	frame_u64(frame, &answer->request);
	frame_err(frame, &answer->err);
	wire_ticket(frame, &answer->ticket);
	frame_u32(frame, &answer->group);
	frame_text(frame, &answer->user);
	frame_bool(frame, &answer->is_proxied);
}

void
wire_lookup(struct frame *frame, struct wire_lookup *lookup)
{
	frame_u64(frame, &lookup->request);
	frame_str(frame, &lookup->local_part);
	frame_str(frame, &lookup->domain);
	frame_text(frame, &lookup->session);
}

static void
field(struct frame *frame, struct wire_field *value)
{
	frame_str(frame, &value->name);
	frame_str(frame, &value->value);
}

void
wire_user(struct frame *frame, struct wire_user *user)
{
	frame_text(frame, &user->name);
	frame_text(frame, &user->home);
	frame_str(frame, &user->detail);
	FRAME_LIST(frame, user->fields, user->field_count, FIELD_LEAST, field);
}

struct str
wire_user_pack(struct arena *arena, struct wire_user *user)
{
	struct frame frame;
	struct str packed = STR_EMPTY;

	frame_begin(&frame, 0);
	wire_user(&frame, user);
	if (frame_is_whole(&frame))
		packed = arena_copy(arena, buf_view(&frame.bytes));
	frame_close(&frame);
	return packed;
}

bool
wire_user_unpack(struct arena *arena, struct str packed, struct wire_user *user)
{
	struct frame frame;

	frame_open(&frame, arena, packed, NULL, 0);
	wire_user(&frame, user);
	return frame_is_whole(&frame) && user->name != NULL;
}

static void
pair(struct frame *frame, struct route_pair *value)
{
	frame_str(frame, &value->name);
	frame_str(frame, &value->value);
}

/* What route_read() would not have made. */
static bool
is_no_route(const struct wire_route *route)
{
	return route->user == NULL || route->route.host == NULL ||
	       route->route.port > UINT16_MAX ||
	       (route->route.ip != NULL &&
		       !route_is_address(route->route.ip)) ||
	       (route->route.source_ip != NULL &&
		       !route_is_address(route->route.source_ip));
}

void
wire_route(struct frame *frame, struct wire_route *message)
{
	struct route *route = &message->route;

	frame_text(frame, &message->user);
	FRAME_ENUM(frame, &route->kind, ROUTE_NOLOGIN);
	frame_bool(frame, &route->is_maybe);
	frame_bool(frame, &route->is_self);
	frame_text(frame, &route->host);
	frame_text(frame, &route->ip);
	frame_u32(frame, &route->port);
	FRAME_ENUM(frame, &route->protocol, ROUTE_SMTP);
	FRAME_ENUM(frame, &route->tls, ROUTE_TLS_IMPLICIT);
	frame_bool(frame, &route->any_cert);
	frame_bool(frame, &route->no_pipelining);
	frame_bool(frame, &route->not_trusted);
	frame_u64(frame, &route->timeout_ms);
	frame_text(frame, &route->destuser);
	frame_text(frame, &route->source_ip);
	FRAME_LIST(
		frame, route->forward, route->forward_count, PAIR_LEAST, pair);
	if (frame->is_reading && is_no_route(message))
		frame->is_broken = true;
}

struct str
wire_route_pack(struct arena *arena, struct wire_route *route)
{
	struct frame frame;
	struct str packed = STR_EMPTY;

	frame_begin(&frame, 0);
	wire_route(&frame, route);
	if (frame_is_whole(&frame))
		packed = arena_copy(arena, buf_view(&frame.bytes));
	frame_close(&frame);
	return packed;
}

bool
wire_route_unpack(
	struct arena *arena, struct str packed, struct wire_route *route)
{
	struct frame frame;

	frame_open(&frame, arena, packed, NULL, 0);
	wire_route(&frame, route);
	return frame_is_whole(&frame);
}

static void
group(struct frame *frame, uint32_t *value)
{
	frame_u32(frame, value);
}

void
wire_record(struct frame *frame, struct wire_record *record)
{
	frame_u64(frame, &record->request);
	frame_err(frame, &record->err);
	frame_text(frame, &record->name);
	frame_u32(frame, &record->uid);
	frame_u32(frame, &record->gid);
	FRAME_LIST(
		frame, record->groups, record->group_count, GROUP_LEAST, group);
	frame_bool(frame, &record->has_spool_group);
	frame_u32(frame, &record->spool_group);
	frame_str(frame, &record->user);
	frame_str(frame, &record->route);
}

void
wire_resolve(struct frame *frame, struct wire_resolve *resolve)
{
	frame_u64(frame, &resolve->request);
	frame_text(frame, &resolve->host);
}

void
wire_resolved(struct frame *frame, struct wire_resolved *resolved)
{
	frame_u64(frame, &resolved->request);
	frame_err(frame, &resolved->err);
	frame_text(frame, &resolved->addresses);
	frame_u64(frame, &resolved->good_ms);
}

void
wire_login(struct frame *frame, struct wire_login *login)
{
	frame_u64(frame, &login->request);
	frame_u64(frame, &login->front);
	frame_str(frame, &login->name);
	frame_str(frame, &login->password);
	frame_text(frame, &login->session);
}

void
wire_logged_in(struct frame *frame, struct wire_logged_in *answer)
{
	frame_u64(frame, &answer->request);
	frame_u64(frame, &answer->front);
	FRAME_ENUM(frame, &answer->state, WIRE_LOGIN_UNABLE);
	frame_text(frame, &answer->name);
}

void
wire_check(struct frame *frame, struct wire_check *check)
{
	frame_u64(frame, &check->request);
	frame_str(frame, &check->user);
	frame_u64(frame, &check->size);
	frame_text(frame, &check->session);
	frame_bool(frame, &check->is_mere_question);
	frame_bool(frame, &check->withdraws);
}

void
wire_checked(struct frame *frame, struct wire_checked *checked)
{
	frame_u64(frame, &checked->request);
	frame_err(frame, &checked->err);
	frame_bool(frame, &checked->has_promised);
}

void
wire_start(struct frame *frame, struct wire_start *start)
{
	frame_u64(frame, &start->job);
	frame_u64(frame, &start->deadline_ms);
	FRAME_LIST(
		frame, start->tickets, start->count, TICKET_LEAST, wire_ticket);
	frame_bool(frame, &start->is_last);
}

void
wire_idle(struct frame *frame, struct wire_idle *idle)
{
	frame_u64(frame, &idle->job);
	frame_bool(frame, &idle->has_redeemed);
}

void
wire_job_number(struct frame *frame, struct wire_job_number *number)
{
	frame_u64(frame, &number->job);
}

void
wire_assigned(struct frame *frame, struct wire_assigned *assigned)
{
	frame_u64(frame, &assigned->job);
	frame_err(frame, &assigned->err);
	frame_u32(frame, &assigned->worker);
}

void
wire_release(struct frame *frame, struct wire_release *release)
{
	FRAME_LIST(frame, release->tickets, release->count, TICKET_LEAST,
		wire_ticket);
}

static void
assign_item(struct frame *frame, struct wire_assign_item *item)
{
	wire_ticket(frame, &item->ticket);
	frame_str(frame, &item->user);
}

void
wire_assign(struct frame *frame, struct wire_assign *assign)
{
	frame_u64(frame, &assign->job);
	FRAME_LIST(
		frame, assign->items, assign->count, ASSIGN_LEAST, assign_item);
	frame_bool(frame, &assign->more);
}

static void
job_recipient(struct frame *frame, struct wire_job_recipient *recipient)
{
	wire_ticket(frame, &recipient->ticket);
	frame_str(frame, &recipient->path);
	frame_str(frame, &recipient->original);
	frame_str(frame, &recipient->orcpt);
	frame_str(frame, &recipient->notify);
	frame_bool(frame, &recipient->ignores_quota);
	frame_text(frame, &recipient->session);
}

void
wire_job_recipients(struct frame *frame, struct wire_job_recipients *recipients)
{
	frame_u64(frame, &recipients->job);
	FRAME_LIST(frame, recipients->recipients, recipients->count,
		RECIPIENT_LEAST, job_recipient);
}

void
wire_client(struct frame *frame, struct wire_client *value)
{
	frame_str(frame, &value->helo);
	frame_str(frame, &value->ip);
	frame_u32(frame, &value->port);
	frame_str(frame, &value->tls);
	frame_str(frame, &value->protocol);
	frame_str(frame, &value->login);
	frame_str(frame, &value->remote_ip);
	frame_str(frame, &value->remote_host);
}

void
wire_job(struct frame *frame, struct wire_job *job)
{
	frame_u64(frame, &job->job);
	frame_u64(frame, &job->deadline_ms);
	frame_text(frame, &job->session);
	frame_str(frame, &job->sender);
	frame_str(frame, &job->ret);
	frame_str(frame, &job->envid);
	wire_client(frame, &job->client);
	frame_u32(frame, &job->recipients);
	frame_u64(frame, &job->size);
	FRAME_LIST(frame, job->last, job->last_count, RECIPIENT_LEAST,
		job_recipient);
	frame_fd(frame, &job->file);
	frame_str(frame, &job->message);
}

void
wire_handle(struct frame *frame, struct wire_handle *handle)
{
	frame_u32(frame, &handle->uid);
	frame_bytes(frame, handle->key, sizeof(handle->key));
	frame_bytes(frame, handle->secret, sizeof(handle->secret));
}

static void
recipient_result(struct frame *frame, struct wire_recipient_result *result)
{
	FRAME_ENUM(frame, &result->outcome, WIRE_REFUSED);
	frame_err(frame, &result->err);
	frame_bool(frame, &result->has_handle);
	if (result->has_handle)
		wire_handle(frame, &result->handle);
}

void
wire_result(struct frame *frame, struct wire_result *result)
{
	size_t i;

	frame_u64(frame, &result->job);
	frame_u32(frame, &result->first);
	FRAME_LIST(frame, result->results, result->count, RESULT_LEAST,
		recipient_result);
	frame_bool(frame, &result->is_last);
	for (i = 0; i < WIRE_PHASES; i++)
		frame_u64(frame, &result->phases_us[i]);
	frame_u32(frame, &result->script_errors);
}

static void
claim_item(struct frame *frame, struct wire_claim_item *item)
{
	frame_bytes(frame, item->key, sizeof(item->key));
	frame_bytes(frame, item->secret, sizeof(item->secret));
	frame_str(frame, &item->value);
}

void
wire_claim(struct frame *frame, struct wire_claim *claim)
{
	frame_u64(frame, &claim->request);
	FRAME_LIST(frame, claim->items, claim->count, CLAIM_LEAST, claim_item);
}

static void
claimed_item(struct frame *frame, struct wire_claimed_item *item)
{
	FRAME_ENUM(frame, &item->state, WIRE_CLAIM_UNABLE);
	frame_bytes(frame, item->secret, sizeof(item->secret));
	FRAME_ENUM(frame, &item->outcome, WIRE_REFUSED);
	frame_str(frame, &item->value);
}

void
wire_claimed(struct frame *frame, struct wire_claimed *claimed)
{
	frame_u64(frame, &claimed->request);
	FRAME_LIST(frame, claimed->items, claimed->count, CLAIMED_LEAST,
		claimed_item);
}

static void
finish_item(struct frame *frame, struct wire_finish_item *item)
{
	frame_bytes(frame, item->key, sizeof(item->key));
	FRAME_ENUM(frame, &item->outcome, WIRE_REFUSED);
}

void
wire_finish(struct frame *frame, struct wire_finish *finish)
{
	FRAME_LIST(
		frame, finish->items, finish->count, FINISH_LEAST, finish_item);
}

void
wire_confirm(struct frame *frame, struct wire_confirm *confirm)
{
	frame_u64(frame, &confirm->request);
	FRAME_LIST(frame, confirm->handles, confirm->count, HANDLE_LEAST,
		wire_handle);
}

void
wire_confirmed(struct frame *frame, struct wire_confirmed *confirmed)
{
	frame_u64(frame, &confirmed->request);
}

void
wire_seen(struct frame *frame, struct wire_seen *seen)
{
	frame_u64(frame, &seen->request);
	frame_bytes(frame, seen->key, sizeof(seen->key));
}

static void
mark_item(struct frame *frame, struct wire_mark_item *item)
{
	frame_bytes(frame, item->key, sizeof(item->key));
	frame_u64(frame, &item->expires_s);
	FRAME_ENUM(frame, &item->kind, WIRE_MARK_REDIRECT);
}

void
wire_mark(struct frame *frame, struct wire_mark *mark)
{
	frame_u64(frame, &mark->request);
	frame_bool(frame, &mark->is_claim);
	FRAME_LIST(frame, mark->items, mark->count, MARK_LEAST, mark_item);
}

void
wire_mark_of(struct frame *frame, struct wire_mark_of *mark)
{
	frame_u32(frame, &mark->uid);
	mark_item(frame, &mark->item);
}

void
wire_marked(struct frame *frame, struct wire_marked *marked)
{
	frame_u64(frame, &marked->request);
	FRAME_ENUM(frame, &marked->state, WIRE_MARKS_UNABLE);
}

void
wire_status_text(struct frame *frame, struct wire_status_text *text)
{
	frame_str(frame, &text->json);
}

/* ---- programs ---- */

void
wire_wait_order(struct frame *frame, struct wire_wait_order *order)
{
	FRAME_ENUM(frame, &order->what, WIRE_WAIT_PROGRAM);
	frame_fd(frame, &order->answer);
}

void
wire_may_wait(struct frame *frame, struct wire_may_wait *answer)
{
	frame_bool(frame, &answer->is_granted);
}

void
wire_runner(struct frame *frame, struct wire_runner *runner)
{
	frame_fd(frame, &runner->fd);
}

void
wire_run(struct frame *frame, struct wire_run *run)
{
	FRAME_ENUM(frame, &run->use, WIRE_USE_WARNING);
	frame_str(frame, &run->name);
	FRAME_LIST(frame, run->arguments, run->argument_count, TEXT_LEAST,
		frame_str);
	frame_str(frame, &run->user);
	frame_str(frame, &run->home);
	frame_str(frame, &run->host);
	frame_str(frame, &run->sender);
	frame_str(frame, &run->recipient);
	frame_str(frame, &run->original);
	frame_fd(frame, &run->input);
	frame_bool(frame, &run->wants_output);
	frame_u64(frame, &run->most);
	frame_u64(frame, &run->timeout_ms);
}

void
wire_ran(struct frame *frame, struct wire_ran *ran)
{
	FRAME_ENUM(frame, &ran->end, WIRE_END_IMPOSSIBLE);
	frame_text(frame, &ran->text);
	frame_u64(frame, &ran->size);
	frame_fd(frame, &ran->output);
}
