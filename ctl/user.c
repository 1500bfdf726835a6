/* user - `doorstep user ADDRESS...`: the record a delivery would use
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>

#include "conf/conf.h"
#include "deliver/recipient.h"
#include "ctl/ctl.h"
#include "ctl/json.h"

#include "base/banned.h"

static int
exit_of(const struct err *err)
{
	return err->kind == ERR_NO_USER ? CTL_NO_USER : CTL_TEMPORARY;
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

static void
print_text(const char *address, const struct recipient *recipient)
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
	print_ids(&recipient->identity);
	print_row("home", recipient->home != NULL ? str_from(recipient->home)
						  : STR("(none)"));
	for (i = 0; i < user->field_count; i++)
		printf("  %.*s = %.*s\n", STR_ARG(user->fields[i].name),
			STR_ARG(user->fields[i].value));
}

static void
print_json(struct json *json, const char *address,
	const struct recipient *recipient)
{
	const struct identity *identity = &recipient->identity;
	size_t i;

	json_open(json, NULL, '{');
	json_text(json, "address", str_from(address));
	json_text(json, "user", str_from(recipient->name));
	json_text(json, "asked", recipient->asked);
	json_text(json, "detail", recipient->detail);
	json_text(json, "userdb", str_from(recipient->user->source));
	json_number(json, "uid", identity->uid);
	json_number(json, "gid", identity->gid);
	json_open(json, "groups", '[');
	for (i = 0; i < identity->group_count; i++)
		json_number(json, NULL, identity->groups[i]);
	json_close(json);
	if (recipient->home != NULL)
		json_text(json, "home", str_from(recipient->home));
	else
		json_null(json, "home");
	json_open(json, "fields", '{');
	for (i = 0; i < recipient->user->field_count; i++) {
		const struct user_field *field = &recipient->user->fields[i];
		struct arena *arena = arena_open();

		json_text(json, arena_text(arena, field->name), field->value);
		arena_close(&arena);
	}
	json_close(json);
	json_close(json);
}

static void
print_error(struct ctl *ctl, struct json *json, const char *address,
	const struct err *err)
{
	if (!ctl->json) {
		ctl_fail(0, "%s: %s %s%s%s", address, err->status, err->text,
			err->detail[0] ? ": " : "", err->detail);
		return;
	}
	json_open(json, NULL, '{');
	json_text(json, "address", str_from(address));
	json_text(json, "status", str_from(err->status));
	json_text(json, "error", str_from(err_log_text(err)));
	json_close(json);
}

static int
show(struct ctl *ctl, const struct settings *settings, struct userdb *db,
	struct json *json, const char *text)
{
	struct recipient recipient;
	struct address address;
	struct err err;

	if (address_parse_path(ctl->arena, str_from(text),
		    ADDRESS_LOCAL_ALLOWED | ADDRESS_BRACKETS_OPTIONAL, &address,
		    &err) < 0 ||
		recipient_find(ctl->arena, settings, db, &address, "lda",
			&recipient, &err) < 0) {
		print_error(ctl, json, text, &err);
		return err.kind == ERR_USAGE ? CTL_NO_USER : exit_of(&err);
	}
	if (ctl->json)
		print_json(json, text, &recipient);
	else
		print_text(text, &recipient);
	return CTL_OK;
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
