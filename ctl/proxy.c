/* proxy - `doorstep proxy`: the hosts that mail is passed on to
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/number.h"
#include "server/proxywire.h"
#include "ctl/ctl.h"

#include "base/banned.h"

/* ---- status ---- */

struct backend_row {
	struct str name, state, drained, weight, since, connections, delivered,
		temporary, failed, failures;
};

static void
take(struct backend_row *row, const struct json_item *item)
{
	const struct {
		const char *name;
		struct str *value;
	} fields[] = {{"name", &row->name}, {"state", &row->state},
		{"drained", &row->drained}, {"weight", &row->weight},
		{"since_ms", &row->since}, {"connections", &row->connections},
		{"delivered", &row->delivered}, {"temporary", &row->temporary},
		{"failed", &row->failed}, {"failures", &row->failures}};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(fields); i++)
		if (str_is(item->name, fields[i].name))
			*fields[i].value = item->text;
}

static void
print_row(struct str group, const struct backend_row *row)
{
	uint64_t since_ms = 0;

	(void)!number_parse(row->since, &since_ms);
	printf("%-15.*s %-30.*s %-8.*s %7.*s %6.*s %10.*s %10.*s %10.*s "
	       "%8.*s",
		STR_ARG(group), STR_ARG(row->name), STR_ARG(row->state),
		STR_ARG(row->weight), STR_ARG(row->connections),
		STR_ARG(row->delivered), STR_ARG(row->temporary),
		STR_ARG(row->failed), STR_ARG(row->failures));
	if (str_is(row->drained, "true"))
		printf("  drained");
	if (row->state.len > 0 && !str_is(row->state, "up"))
		printf("  for %llu s", (unsigned long long)(since_ms / 1000));
	putchar('\n');
}

static void
print_head(void)
{
	printf("%-15s %-30s %-8s %7s %6s %10s %10s %10s %8s\n", "GROUP",
		"BACKEND", "STATE", "WEIGHT", "CONN", "DELIVERED", "TEMPORARY",
		"FAILED", "LOST");
}

/* Where in the text we are. */
struct place {
	struct str list;  /* "groups" or "hosts" */
	struct str group; /* its name */
	struct backend_row row;
};

/* Groups have their backends two levels deeper than hosts are. */
static void
print_item(struct place *place, const struct json_item *item)
{
	unsigned depth = str_is(place->list, "groups") ? 4 : 2;

	if (item->depth == 3 && depth == 4 && str_is(item->name, "name"))
		place->group = item->text;
	else if (item->depth == depth && item->kind == JSON_BEGIN)
		place->row = (struct backend_row){.name = STR_EMPTY};
	else if (item->depth == depth && item->kind == JSON_END)
		print_row(depth == 4 ? place->group : STR("-"), &place->row);
	else if (item->depth == depth + 1)
		take(&place->row, item);
}

static int
print_status(struct ctl *ctl, struct str json)
{
	struct place place = {.list = STR_EMPTY};
	struct json_reader reader;
	struct json_item item;

	if (str_is(json, "{}"))
		return ctl_fail(CTL_TEMPORARY,
			"the server passes no mail on, or has just started");
	print_head();
	json_read(&reader, ctl->arena, json);
	while (json_next(&reader, &item)) {
		if (item.depth == 1 && item.kind == JSON_BEGIN)
			place.list = item.name;
		else if (item.depth == 1 && str_is(item.name, "moved"))
			printf("users moved by hand: %.*s\n",
				STR_ARG(item.text));
		else if (item.depth == 1 && str_is(item.name, "not_shown") &&
			 !str_is(item.text, "0"))
			printf("and %.*s more\n", STR_ARG(item.text));
		else if (item.depth > 1)
			print_item(&place, &item);
	}
	return reader.is_broken
	               ? ctl_fail(CTL_TEMPORARY,
				 "the server's answer is not understood")
	               : CTL_OK;
}

static int
show_status(struct ctl *ctl)
{
	struct frame question;
	struct str json;
	int status;

	frame_begin(&question, WIRE_PROXY_STATUS);
	status = ctl_ask_server_frame(ctl, &question, &json);
	if (status != CTL_OK)
		return status;
	if (!ctl->json)
		return print_status(ctl, json);
	printf("%.*s\n", STR_ARG(json));
	return CTL_OK;
}

/* ---- wishes ---- */

static int
print_answer(struct ctl *ctl, struct str json)
{
	struct str problem = STR_EMPTY;
	struct json_reader reader;
	struct json_item item;

	json_read(&reader, ctl->arena, json);
	while (json_next(&reader, &item))
		if (str_is(item.name, "error"))
			problem = item.text;
	if (ctl->json)
		printf("%.*s\n", STR_ARG(json));
	if (problem.len == 0)
		return CTL_OK;
	return ctl->json ? CTL_FAILED
	                 : ctl_fail(CTL_FAILED, "%.*s", STR_ARG(problem));
}

static int
wish_for(struct ctl *ctl, enum wire_wish_kind kind, const char *name,
	const char *value)
{
	struct wire_proxy_wish wish = {kind, name, value};
	struct frame question;
	struct str json;
	int status;

	frame_begin(&question, WIRE_PROXY_WISH);
	wire_proxy_wish(&question, &wish);
	status = ctl_ask_server_frame(ctl, &question, &json);
	return status == CTL_OK ? print_answer(ctl, json) : status;
}

int
ctl_proxy(struct ctl *ctl, int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (argc == 2 && strcmp(verb, "status") == 0)
		return show_status(ctl);
	if (argc == 4 && strcmp(verb, "move") == 0)
		return wish_for(ctl, WIRE_WISH_MOVE, argv[2], argv[3]);
	if (argc == 3 && strcmp(verb, "home") == 0)
		return wish_for(ctl, WIRE_WISH_MOVE, argv[2], "");
	if (argc == 3 && strcmp(verb, "drain") == 0)
		return wish_for(ctl, WIRE_WISH_DRAIN, argv[2], "yes");
	if (argc == 3 && strcmp(verb, "undrain") == 0)
		return wish_for(ctl, WIRE_WISH_DRAIN, argv[2], "");
	return ctl_fail(CTL_USAGE,
		"usage: doorstep proxy status | move USER BACKEND | home USER "
		"| drain BACKEND | undrain BACKEND");
}
