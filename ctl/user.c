/* user - `doorstep user ADDRESS...`: the record a delivery would use
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "conf/conf.h"
#include "store/store.h"
#include "deliver/deliver.h"
#include "deliver/recipient.h"
#include "deliver/script.h"
#include "deliver/setup.h"
#include "ctl/ctl.h"

#include "base/banned.h"

/* Where a delivery to the user files and looks for the script. */
struct places {
	const char *mail;   /* NULL: it cannot be worked out */
	const char *inbox;  /* a path; NULL: there can be none */
	const char *script; /* NULL: there is no place to look at */
	bool has_script;
	bool is_wrong; /* a delivery would end with `err` */
	struct err err;
};

static int
exit_of(const struct err *err)
{
	return err->kind == ERR_NO_USER ? CTL_NO_USER : CTL_TEMPORARY;
}

/* A namespace may keep the INBOX elsewhere. */
static const char *
inbox_location(const struct store_settings *settings)
{
	size_t i;

	for (i = 0; i < settings->namespace_count; i++)
		if (settings->namespaces[i].has_inbox &&
			settings->namespaces[i].location != NULL)
			return settings->namespaces[i].location;
	return settings->location;
}

static int
find_mail(const struct job *job, const struct delivery *delivery,
	struct places *places)
{
	struct store_settings settings;
	struct store *store;
	const char *path;
	int result;

	if (setup_store(job, delivery, &settings, &places->err) < 0)
		return -1;
	places->mail = inbox_location(&settings);
	if (store_open(&settings, &store, &places->err) < 0)
		return -1;
	result = store_inbox_path(store, &path, &places->err);
	if (result == 0)
		places->inbox = arena_text(job->arena, str_from(path));
	store_close(&store);
	return result;
}

static struct places
find_places(struct ctl *ctl, const struct recipient *recipient)
{
	const struct job job = {
		.arena = ctl->arena, .service = "lda", .session = ""};
	const struct delivery delivery = {.user = recipient->name,
		.home = recipient->home,
		.settings = recipient->settings};
	struct places places = {.mail = NULL};
	enum lookup found;
	struct err err;

	found = script_find_personal(&job, &delivery, &places.script, &err);
	places.has_script = found == LOOKUP_FOUND;
	if (found == LOOKUP_ERROR) {
		places.is_wrong = true;
		places.err = err;
	}
	if (find_mail(&job, &delivery, &places) < 0)
		places.is_wrong = true;
	return places;
}

static void
print_row(const char *name, struct str value)
{
	printf("  %-10s %.*s\n", name, STR_ARG(value));
}

static void
print_ids(const struct identity *identity)
{
	size_t i;

	printf("  %-10s %lu\n", "uid", (unsigned long)identity->uid);
	printf("  %-10s %lu\n", "gid", (unsigned long)identity->gid);
	if (identity->group_count == 0)
		return;
	printf("  %-10s", "groups");
	for (i = 0; i < identity->group_count; i++)
		printf(" %lu", (unsigned long)identity->groups[i]);
	putchar('\n');
}

static struct str
or_none(const char *text)
{
	return text != NULL ? str_from(text) : STR("(none)");
}

static void
print_places(const struct places *places)
{
	print_row("mail", or_none(places->mail));
	print_row("inbox", or_none(places->inbox));
	if (places->script == NULL)
		print_row("script", or_none(NULL));
	else
		printf("  %-10s %s%s\n", "script", places->script,
			places->has_script ? "" : " (not there)");
}

static const char *
word_of_tls(const struct route *route)
{
	switch (route->tls) {
	case ROUTE_TLS_NONE:
		break;
	case ROUTE_TLS_STARTTLS:
		return route->any_cert ? "starttls=any-cert" : "starttls=yes";
	case ROUTE_TLS_IMPLICIT:
		return route->any_cert ? "ssl=any-cert" : "ssl=yes";
	}
	return "no TLS";
}

static const char *
word_of_protocol(const struct route *route)
{
	return route->protocol == ROUTE_SMTP ? "smtp" : "lmtp";
}

static void
print_refusal(const struct recipient *recipient)
{
	struct err err;

	route_refusal(&recipient->route, recipient->name, &err);
	printf("  %-10s %s %s\n", "refused", err.status, err.text);
}

/* Where the mail goes on to. */
static void
print_route(struct ctl *ctl, const struct route *route)
{
	const char *where = route->host;
	size_t i;

	if (route->ip != NULL && strcmp(route->ip, route->host) != 0)
		where = arena_format(
			ctl->arena, "%s (%s)", route->host, route->ip);
	printf("  %-10s %s, ", "goes to", where);
	if (route->port != 0)
		printf("port %u, ", (unsigned)route->port);
	printf("%s, %s%s\n", word_of_protocol(route), word_of_tls(route),
		route->is_maybe ? ", unless that is this server" : "");
	if (route->destuser != NULL)
		print_row("destuser", str_from(route->destuser));
	if (route->source_ip != NULL)
		print_row("source_ip", str_from(route->source_ip));
	if (route->timeout_ms != 0)
		printf("  %-10s %llu ms\n", "time-out",
			(unsigned long long)route->timeout_ms);
	for (i = 0; i < route->forward_count; i++)
		printf("  %-10s %.*s=%.*s\n", "forward",
			STR_ARG(route->forward[i].name),
			STR_ARG(route->forward[i].value));
}

static void
print_here(const struct recipient *recipient, const struct places *places)
{
	print_ids(&recipient->identity);
	print_row("home", or_none(recipient->home));
	print_places(places);
}

static void
print_text(struct ctl *ctl, const char *address,
	const struct recipient *recipient, const struct places *places)
{
	const struct user *user = recipient->user;
	size_t i;

	printf("%s\n", address);
	print_row("user", str_from(recipient->name));
	if (!str_equal(recipient->asked, str_from(recipient->name)))
		print_row("asked as", recipient->asked);
	if (recipient->detail.len > 0)
		print_row("detail", recipient->detail);
	print_row("found in", str_from(user->source));
	switch (recipient->route.kind) {
	case ROUTE_LOCAL:
		print_here(recipient, places);
		break;
	case ROUTE_PROXY:
		print_route(ctl, &recipient->route);
		break;
	case ROUTE_NOLOGIN:
		print_refusal(recipient);
		break;
	}
	for (i = 0; i < user->field_count; i++)
		printf("  %.*s = %.*s\n", STR_ARG(user->fields[i].name),
			STR_ARG(user->fields[i].value));
}

static void
json_text_or_null(struct json *json, const char *name, const char *text)
{
	if (text != NULL)
		json_text(json, name, str_from(text));
	else
		json_null(json, name);
}

static void
json_error(struct json *json, const struct err *err)
{
	json_text(json, "status", str_from(err->status));
	json_text(json, "error", str_from(err_log_text(err)));
}

static void
json_number_or_null(struct json *json, const char *name, uint64_t number)
{
	if (number != 0)
		json_number(json, name, number);
	else
		json_null(json, name);
}

static void
json_route(struct json *json, const struct route *route)
{
	size_t i;

	json_open(json, "route", '{');
	json_text_or_null(json, "host", route->host);
	json_text_or_null(json, "ip", route->ip);
	json_number_or_null(json, "port", route->port);
	json_text(json, "protocol", str_from(word_of_protocol(route)));
	json_text(json, "tls", str_from(word_of_tls(route)));
	json_bool(json, "maybe", route->is_maybe);
	json_bool(json, "nologin", route->kind == ROUTE_NOLOGIN);
	json_number_or_null(json, "timeout_ms", route->timeout_ms);
	json_text_or_null(json, "destuser", route->destuser);
	json_text_or_null(json, "source_ip", route->source_ip);
	json_open(json, "forward", '{');
	for (i = 0; i < route->forward_count; i++) {
		struct arena *arena = arena_open();

		json_text(json, arena_text(arena, route->forward[i].name),
			route->forward[i].value);
		arena_close(&arena);
	}
	json_close(json);
	json_close(json);
}

static void
json_here(struct json *json, const struct recipient *recipient,
	const struct places *places)
{
	const struct identity *identity = &recipient->identity;
	size_t i;

	json_number(json, "uid", identity->uid);
	json_number(json, "gid", identity->gid);
	json_open(json, "groups", '[');
	for (i = 0; i < identity->group_count; i++)
		json_number(json, NULL, identity->groups[i]);
	json_close(json);
	json_text_or_null(json, "home", recipient->home);
	json_text_or_null(json, "mail_location", places->mail);
	json_text_or_null(json, "inbox", places->inbox);
	json_text_or_null(json, "script", places->script);
	json_bool(json, "has_script", places->has_script);
}

static void
print_json(struct json *json, const char *address,
	const struct recipient *recipient, const struct places *places)
{
	size_t i;

	json_open(json, NULL, '{');
	json_text(json, "address", str_from(address));
	json_text(json, "user", str_from(recipient->name));
	json_text(json, "asked", recipient->asked);
	json_text(json, "detail", recipient->detail);
	json_text(json, "userdb", str_from(recipient->user->source));
	if (recipient->route.kind == ROUTE_LOCAL)
		json_here(json, recipient, places);
	else
		json_route(json, &recipient->route);
	json_open(json, "fields", '{');
	for (i = 0; i < recipient->user->field_count; i++) {
		const struct user_field *field = &recipient->user->fields[i];
		struct arena *arena = arena_open();

		json_text(json, arena_text(arena, field->name), field->value);
		arena_close(&arena);
	}
	json_close(json);
	if (places->is_wrong)
		json_error(json, &places->err);
	json_close(json);
}

static void
print_error(struct ctl *ctl, struct json *json, const char *address,
	const struct err *err)
{
	if (!ctl->json) {
		ctl_fail(0, "%s: %s", address, err_log_text(err));
		return;
	}
	json_open(json, NULL, '{');
	json_text(json, "address", str_from(address));
	json_error(json, err);
	json_close(json);
}

static int
show(struct ctl *ctl, const struct settings *settings, struct userdb *db,
	struct json *json, const char *text)
{
	struct recipient recipient;
	struct address address;
	struct places places = {.mail = NULL};
	struct err err;

	if (address_parse_path(ctl->arena, str_from(text),
		    ADDRESS_LOCAL_ALLOWED | ADDRESS_BRACKETS_OPTIONAL, &address,
		    &err) < 0 ||
		recipient_find_route(ctl->arena, settings, db, &address, "lda",
			&recipient, &err) < 0) {
		print_error(ctl, json, text, &err);
		return err.kind == ERR_USAGE ? CTL_NO_USER : exit_of(&err);
	}
	if (recipient.route.kind == ROUTE_LOCAL)
		places = find_places(ctl, &recipient);
	if (ctl->json)
		print_json(json, text, &recipient, &places);
	else
		print_text(ctl, text, &recipient, &places);
	if (!places.is_wrong)
		return CTL_OK;
	if (!ctl->json)
		print_error(ctl, json, text, &places.err);
	return CTL_TEMPORARY;
}

int
ctl_user(struct ctl *ctl, int argc, char **argv)
{
	const struct settings *settings;
	struct userdb *db = NULL;
	struct json json;
	struct err err;
	int status = CTL_OK, i;

	if (argc < 2 || argv[1][0] == '-')
		return ctl_fail(CTL_USAGE, "usage: doorstep user ADDRESS...");
	settings = ctl_settings(ctl);
	if (settings == NULL)
		return CTL_CONFIG;
	if (recipient_open_userdb(ctl->arena, settings, &db, &err) < 0)
		return ctl_fail(CTL_CONFIG, "%s", err_log_text(&err));
	json_init(&json, stdout);
	if (ctl->json)
		json_open(&json, NULL, '[');
	for (i = 1; i < argc; i++) {
		int one = show(ctl, settings, db, &json, argv[i]);

		/* Trouble says more than "unknown". */
		status = one > status ? one : status;
	}
	if (ctl->json)
		json_close(&json);
	recipient_close_userdb(&db);
	return status;
}
