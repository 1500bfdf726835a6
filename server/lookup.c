/* The process that asks the user databases: one question after the other.  Only
 * passwords are checked beside that.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <poll.h>
#include <sysexits.h>

#include "base/crash.h"
#include "base/log.h"
#include "ipc/channel.h"
#include "mail/address.h"
#include "mail/route.h"
#include "deliver/recipient.h"
#include "server/child.h"
#include "server/confine.h"
#include "server/logins.h"
#include "server/names.h"
#include "server/self.h"
#include "server/wire.h"

#include "base/banned.h"

struct lookup_process {
	struct child *child;
	struct userdb *db;
	struct logins *logins;
	struct names names;
};

#define LOOKUP_OF(names_) CONTAINER_OF(names_, struct lookup_process, names)

/* Only who has to be told learns a cause; the rest is in the log. */
static void
report(const struct wire_lookup *question, const struct err *err)
{
	if (err->kind == ERR_NO_USER || err->kind == ERR_REFUSED)
		return;
	log_error("<%s>: %.*s%s%.*s: %s",
		question->session != NULL ? question->session : "",
		STR_ARG(question->local_part),
		question->domain.len > 0 ? "@" : "", STR_ARG(question->domain),
		err_log_text(err));
}

static void
put_fields(struct arena *arena, const struct user *user, struct wire_user *out)
{
	size_t i;

	if (user == NULL)
		return;
	out->fields = ARENA_ARRAY(arena, struct wire_field, user->field_count);
	for (i = 0; i < user->field_count; i++)
		if (!route_is_field(user->fields[i].name))
			out->fields[out->field_count++] = (struct wire_field){
				user->fields[i].name, user->fields[i].value};
}

static void
put_groups(struct arena *arena, const struct identity *identity,
	struct wire_record *record)
{
	size_t i;

	record->groups = ARENA_ARRAY(arena, uint32_t, identity->group_count);
	record->group_count = identity->group_count;
	for (i = 0; i < identity->group_count; i++)
		record->groups[i] = identity->groups[i];
}

static int
put_record(struct arena *arena, const struct recipient *recipient,
	struct wire_record *record, struct err *err)
{
	struct wire_user user = {.name = recipient->name,
		.home = recipient->home,
		.detail = recipient->detail};

	put_fields(arena, recipient->user, &user);
	put_groups(arena, &recipient->identity, record);
	record->name = recipient->name;
	record->uid = recipient->identity.uid;
	record->gid = recipient->identity.gid;
	record->has_spool_group = recipient->identity.has_spool_group;
	record->spool_group = recipient->identity.spool_group;
	record->user = wire_user_pack(arena, &user);
	if (record->user.len == 0)
		return err_temp(err, "4.3.0", "user %s: the record is too long",
			recipient->name);
	return 0;
}

static int
put_route(struct arena *arena, const struct recipient *recipient,
	struct wire_record *record, struct err *err)
{
	struct wire_route route = {
		.user = recipient->name, .route = recipient->route};

	record->name = recipient->name;
	record->route = wire_route_pack(arena, &route);
	if (record->route.len == 0)
		return err_temp(err, "4.3.0", "user %s: the record is too long",
			recipient->name);
	return 0;
}

/* ---- is that host this one? ---- */

static bool
is_group(const struct settings *settings, const char *host)
{
	size_t i;

	for (i = 0; i < settings->proxy_group_count; i++)
		if (str_is_nocase(
			    str_from(host), settings->proxy_groups[i].name))
			return true;
	return false;
}

static bool
has_self(const struct settings *settings, const struct route *route,
	struct str addresses, struct arena *arena)
{
	struct str line;

	while (str_next_field(&addresses, '\n', &line))
		if (self_listens(
			    settings, arena_text(arena, line), route->port))
			return true;
	return false;
}

/* NONE: its addresses are to be waited for.  Of a group the proxy knows more;
 * where no "maybe" depends on it nobody waits here for a name. */
static enum lookup
find_self(struct lookup_process *lookup, struct arena *arena,
	struct route *route, struct err *err)
{
	const struct settings *settings = lookup->child->settings;
	struct resolver_answer answer = {.addresses = route->ip};
	enum lookup found = LOOKUP_FOUND;

	if (route->ip == NULL &&
		(!route->is_maybe || is_group(settings, route->host)))
		return LOOKUP_FOUND;
	if (route->ip == NULL)
		found = names_find(&lookup->names, route->host, &answer, err);
	if (found != LOOKUP_FOUND)
		return found;
	if (answer.addresses == NULL) {
		*err = answer.err;
		return LOOKUP_ERROR;
	}
	route->is_self =
		has_self(settings, route, str_from(answer.addresses), arena);
	return LOOKUP_FOUND;
}

/* ---- answers ---- */

static int
put_recipient(struct lookup_process *lookup, struct arena *arena,
	struct recipient *recipient, struct wire_record *record,
	struct err *err)
{
	struct route *route = &recipient->route;

	if (route->kind == ROUTE_NOLOGIN)
		return route_refusal(route, recipient->name, err);
	if (route->kind == ROUTE_PROXY && route->is_maybe && route->is_self &&
		recipient_take_home(
			arena, lookup->child->settings, recipient, err) < 0)
		return -1;
	return route->kind == ROUTE_PROXY
	               ? put_route(arena, recipient, record, err)
	               : put_record(arena, recipient, record, err);
}

/* NONE: the question waits for the addresses of a host. */
static enum lookup
find(struct lookup_process *lookup, struct arena *arena,
	const struct wire_lookup *question, bool may_wait,
	struct wire_record *record, struct err *err)
{
	const struct address address = {
		.local_part = question->local_part, .domain = question->domain};
	struct recipient recipient;
	enum lookup found = LOOKUP_FOUND;

	if (recipient_find_route(arena, lookup->child->settings, lookup->db,
		    &address, "lmtp", &recipient, err) < 0)
		return LOOKUP_ERROR;
	if (recipient.route.kind == ROUTE_PROXY)
		found = find_self(lookup, arena, &recipient.route, err);
	if (found == LOOKUP_NONE && may_wait)
		names_wait(&lookup->names, recipient.route.host, question);
	else if (found == LOOKUP_NONE)
		found = err_temp(err, "4.4.0", "host %s has changed meanwhile",
			recipient.route.host);
	if (found != LOOKUP_FOUND)
		return found;
	return put_recipient(lookup, arena, &recipient, record, err) < 0
	               ? LOOKUP_ERROR
	               : LOOKUP_FOUND;
}

static int
send_record(struct lookup_process *lookup, struct wire_record *record,
	struct err *err)
{
	struct frame frame;

	frame_begin(&frame, WIRE_RECORD);
	wire_record(&frame, record);
	return channel_send(&lookup->child->master, &frame, err);
}

static int
refuse(struct lookup_process *lookup, const struct wire_lookup *question,
	const struct err *why, struct err *err)
{
	struct wire_record record = {.request = question->request, .err = *why};

	report(question, why);
	if (lookup->child->settings->lmtp_verbose_replies)
		err_tell(&record.err);
	return send_record(lookup, &record, err);
}

static int
answer(struct lookup_process *lookup, struct arena *arena,
	const struct wire_lookup *question, bool may_wait, struct err *err)
{
	struct wire_record record = {.request = question->request};
	struct err why;

	err_clear(&why);
	err_clear(&record.err);
	switch (find(lookup, arena, question, may_wait, &record, &why)) {
	case LOOKUP_FOUND:
		return send_record(lookup, &record, err);
	case LOOKUP_NONE:
		return 0;
	case LOOKUP_ERROR:
		break;
	}
	return refuse(lookup, question, &why, err);
}

/* ---- names of hosts ---- */

static int
send_resolved(
	struct names *names, struct wire_resolved *answer, struct err *err)
{
	struct frame frame;

	frame_begin(&frame, WIRE_RESOLVED);
	wire_resolved(&frame, answer);
	return channel_send(&LOOKUP_OF(names)->child->master, &frame, err);
}

static int
answer_again(struct names *names, const struct wire_lookup *question,
	const struct err *why, struct err *err)
{
	struct arena *arena;
	int result;

	if (why->kind != ERR_NONE)
		return refuse(LOOKUP_OF(names), question, why, err);
	arena = arena_open();
	result = answer(LOOKUP_OF(names), arena, question, false, err);
	arena_close(&arena);
	return result;
}

static int
open_names(struct lookup_process *lookup, struct err *err)
{
	const struct settings *settings = lookup->child->settings;

	lookup->names.resolved = send_resolved;
	lookup->names.again = answer_again;
	return names_open(&lookup->names, settings->lmtp_proxy_dns_ttl_ms,
		settings->lookup_timeout_ms, err);
}

/* ---- logins ---- */

static int
tell_login(struct lookup_process *lookup, const struct login *login,
	const char *name, struct err *err)
{
	struct wire_logged_in answer = {
		.request = login->request, .front = login->front, .name = name};
	struct frame frame;

	switch (login->result) {
	case LOOKUP_FOUND:
		answer.state = WIRE_LOGIN_YES;
		break;
	case LOOKUP_NONE:
		answer.state = WIRE_LOGIN_NO;
		break;
	case LOOKUP_ERROR:
		answer.state = WIRE_LOGIN_UNABLE;
		log_error("<%.*s>: %.*s: password: %s", STR_ARG(login->session),
			STR_ARG(login->name), err_log_text(&login->err));
		break;
	}
	frame_begin(&frame, WIRE_LOGGED_IN);
	wire_logged_in(&frame, &answer);
	return channel_send(&lookup->child->master, &frame, err);
}

/* NONE, ERROR: there is nothing to check. */
static enum lookup
begin_login(struct lookup_process *lookup, struct arena *arena,
	const struct wire_login *question, struct login *login)
{
	const struct user *user;
	enum lookup found = recipient_find_login(arena, lookup->child->settings,
		lookup->db, question->name, "lmtp", &user, &login->err);

	if (found != LOOKUP_FOUND)
		return found;
	login->name = str_from(user->name);
	return logins_add(lookup->logins, login, user->password,
		       question->password, &login->err) < 0
	               ? LOOKUP_ERROR
	               : LOOKUP_FOUND;
}

static int
ask_login(struct lookup_process *lookup, struct arena *arena,
	const struct wire_login *question, struct err *err)
{
	struct login login = {.request = question->request,
		.front = question->front,
		.name = question->name,
		.session = str_from(question->session)};

	err_clear(&login.err);
	login.result = begin_login(lookup, arena, question, &login);
	return login.result == LOOKUP_FOUND
	               ? 0
	               : tell_login(lookup, &login, "", err);
}

/* What the thread has found out. */
static int
tell_logins(struct lookup_process *lookup, struct arena *arena, struct err *err)
{
	const struct login *login;

	while ((login = logins_take(lookup->logins)) != NULL)
		if (tell_login(lookup, login, arena_text(arena, login->name),
			    err) < 0)
			return -1;
	return 1;
}

/* ---- what master says ---- */

static int
serve_login(struct lookup_process *lookup, struct arena *arena,
	struct frame *frame, struct err *err)
{
	struct wire_login question;

	wire_login(frame, &question);
	if (!frame_is_whole(frame))
		return err_temp(err, "4.3.0", "master sent a broken LOGIN");
	return ask_login(lookup, arena, &question, err) < 0 ? -1 : 1;
}

static int
serve_resolve(
	struct lookup_process *lookup, struct frame *frame, struct err *err)
{
	struct wire_resolve question;

	wire_resolve(frame, &question);
	if (!frame_is_whole(frame) || question.host == NULL)
		return err_temp(err, "4.3.0", "master sent a broken RESOLVE");
	return names_resolve(&lookup->names, &question, err) < 0 ? -1 : 1;
}

static int
serve_lookup(struct lookup_process *lookup, struct arena *arena,
	struct frame *frame, struct err *err)
{
	struct wire_lookup question;
	int result;

	wire_lookup(frame, &question);
	if (!frame_is_whole(frame))
		return err_temp(err, "4.3.0", "master sent a broken LOOKUP");
	crash_about(question.session != NULL ? question.session : "",
		question.local_part);
	result = answer(lookup, arena, &question, true, err) < 0 ? -1 : 1;
	crash_about("", STR_EMPTY);
	return result;
}

/* 1: go on; 0: told to end; -1: master is gone or errs. */
static int
serve_frame(struct lookup_process *lookup, struct arena *arena,
	struct frame *frame, struct err *err)
{
	switch (frame->type) {
	case WIRE_DRAIN:
		return 0;
	case WIRE_LOGS:
		return child_take_logs(frame)
		               ? 1
		               : err_temp(err, "4.3.0",
					 "master sent broken LOGS");
	case WIRE_LOGIN:
		return serve_login(lookup, arena, frame, err);
	case WIRE_RESOLVE:
		return serve_resolve(lookup, frame, err);
	case WIRE_LOOKUP:
		return serve_lookup(lookup, arena, frame, err);
	default:
		break;
	}
	return err_temp(
		err, "4.3.0", "master sent a frame of type %u", frame->type);
}

static int
receive_one(struct lookup_process *lookup, struct arena *arena, struct err *err)
{
	struct frame frame;
	int result;

	if (channel_receive(&lookup->child->master, arena, &frame, err) !=
		LOOKUP_FOUND)
		return -1;
	result = serve_frame(lookup, arena, &frame, err);
	frame_close(&frame);
	return result;
}

static int
serve_one(struct lookup_process *lookup, struct arena *arena, struct err *err)
{
	struct pollfd polled[] = {
		{.fd = lookup->child->master.fd, .events = POLLIN},
		{.fd = logins_fd(lookup->logins), .events = POLLIN},
		{.fd = resolver_fd(lookup->names.resolver), .events = POLLIN}};
	int ready = poll(
		polled, ARRAY_LENGTH(polled), names_timeout_ms(&lookup->names));

	if (ready < 0)
		return errno == EINTR ? 1
		                      : err_temp_errno(err, "4.3.0", "poll");
	if ((ready == 0 || polled[2].revents != 0) &&
		names_serve(&lookup->names, err) < 0)
		return -1;
	if (polled[1].revents != 0)
		return tell_logins(lookup, arena, err);
	return polled[0].revents != 0 ? receive_one(lookup, arena, err) : 1;
}

static int
serve(struct lookup_process *lookup, struct err *err)
{
	struct arena *arena = arena_open();
	int result;

	do {
		struct arena_mark mark = arena_mark(arena);

		result = serve_one(lookup, arena, err);
		arena_release(arena, mark);
	} while (result > 0);
	arena_close(&arena);
	return result;
}

/* The files of the databases are all that it may read of its own. */
static int
give_up(struct lookup_process *lookup, struct err *err)
{
	const char *const *folders;
	size_t count;

	folders = recipient_userdb_folders(
		lookup->db, lookup->child->arena, &count);
	return confine(lookup->child, folders, count, err);
}

static int
tell_ready(struct child *child, struct err *err)
{
	struct frame frame;

	confine_ready(child, &frame);
	return channel_send(&child->master, &frame, err);
}

static void
end(struct lookup_process *lookup)
{
	logins_close(&lookup->logins);
	names_close(&lookup->names);
	recipient_close_userdb(&lookup->db);
}

int
lookup_main(struct child *child)
{
	struct lookup_process lookup = {.child = child};
	struct err err;

	err_clear(&err);
	if (recipient_open_userdb(
		    child->arena, child->settings, &lookup.db, &err) < 0) {
		log_error("%s", err_log_text(&err));
		return EX_CONFIG;
	}
	recipient_keep_userdb(lookup.db);
	if (logins_open(&lookup.logins, &err) < 0 ||
		open_names(&lookup, &err) < 0 || give_up(&lookup, &err) < 0) {
		log_error("%s", err_log_text(&err));
		end(&lookup);
		return EX_OSERR;
	}
	if (tell_ready(child, &err) < 0 || serve(&lookup, &err) < 0)
		log_debug("%s", err_log_text(&err));
	end(&lookup);
	return EX_OK;
}
