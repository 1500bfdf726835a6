/* SPDX-License-Identifier: MIT */
#include "deliver/recipient.h"

#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/user.h"
#include "base/utf8.h"
#include "base/vars.h"
#include "deliver/setup.h"

#include "base/banned.h"

/* Bytes of an unknown user's name in replies and logs. */
enum { SHOWN_NAME_MAX = 200 };

/* ---- the name ---- */

void
recipient_split(const struct settings *settings, struct str local_part,
	struct str *user_out, struct str *detail_out)
{
	size_t at = 1;

	/* Index of the first delimiter behind the first byte. */
	if (local_part.len > 0 && settings->recipient_delimiter[0] != '\0')
		at += str_find_any(
			str_skip(local_part, 1), settings->recipient_delimiter);
	else
		at = local_part.len;
	*user_out = str_slice(local_part, 0, at);
	*detail_out = str_skip(local_part, at + 1);
}

/* The name as a peer and a log may see it. */
static const char *
shown(struct arena *arena, struct str name)
{
	struct buf text;
	const char *copy;
	size_t i;

	buf_init(&text, SHOWN_NAME_MAX + 4 * SHOWN_NAME_MAX);
	utf8_add_repaired(&text, utf8_cut(name, SHOWN_NAME_MAX));
	for (i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] < ' ' || text.data[i] == 0x7f)
			text.data[i] = '?';
	copy = arena_text(arena, buf_view(&text));
	buf_clear(&text);
	return copy;
}

static int
no_user(struct arena *arena, struct str name, struct err *err)
{
	return err_set(err, ERR_NO_USER, "5.1.1", "User doesn't exist: %s",
		shown(arena, name));
}

/* auth_username_format. */
static int
format_name(struct arena *arena, const struct settings *settings,
	struct str name, struct str *asked_out, struct err *err)
{
	const char *format = settings->auth_username_format;
	const struct var vars[] = {{'u', "user", name}};

	if (format[0] == '\0') {
		*asked_out = name;
		return 0;
	}
	return vars_expand(arena, str_from(format), vars, ARRAY_LENGTH(vars),
		asked_out, err);
}

/* ---- the record ---- */

int
recipient_open_userdb(struct arena *arena, const struct settings *settings,
	struct userdb **db_out, struct err *err)
{
	/* A host without a configuration has its system users. */
	static const struct userdb_settings system_users = {.driver = "passwd",
		.args = "",
		.default_fields = "",
		.override_fields = "",
		.file = "built-in default"};
	struct userdb_settings *blocks = ARENA_ARRAY(
		arena, struct userdb_settings, settings->userdb_count);
	size_t i;

	if (settings->userdb_count == 0)
		return userdb_open(&system_users, 1, db_out, err);
	for (i = 0; i < settings->userdb_count; i++) {
		const struct conf_userdb *from = &settings->userdbs[i];

		blocks[i] = (struct userdb_settings){.driver = from->driver,
			.args = from->args,
			.default_fields = from->default_fields,
			.override_fields = from->override_fields,
			.file = from->place.file,
			.line = from->place.line};
	}
	return userdb_open(blocks, settings->userdb_count, db_out, err);
}

const char *const *
recipient_userdb_folders(
	const struct userdb *db, struct arena *arena, size_t *count_out)
{
	return userdb_folders(db, arena, count_out);
}

void
recipient_close_userdb(struct userdb **db)
{
	userdb_close(db);
}

void
recipient_keep_userdb(struct userdb *db)
{
	userdb_keep(db);
}

static const char *
origin_of(struct arena *arena, const struct user *user)
{
	return arena_format(arena, "user %s (%s)", user->name, user->source);
}

/* The record's fields that are settings: mail, quota_rule, plugin/sieve ... */
static int
override_settings(struct arena *arena, const struct settings *settings,
	struct recipient *recipient, struct err *err)
{
	const struct user *user = recipient->user;
	struct conf_pair *pairs;
	size_t count = 0, i;

	recipient->settings = settings;
	if (user->field_count == 0)
		return 0;
	pairs = ARENA_ARRAY(arena, struct conf_pair, user->field_count);
	for (i = 0; i < user->field_count; i++)
		if (!route_is_field(user->fields[i].name))
			pairs[count++] = (struct conf_pair){
				user->fields[i].name, user->fields[i].value};
	return conf_override(arena, settings, pairs, count,
		origin_of(arena, user), &recipient->settings, err);
}

static int
read_route(struct arena *arena, const struct settings *settings,
	struct recipient *recipient, struct err *err)
{
	const struct user *user = recipient->user;
	struct route_pair *pairs;
	size_t i;

	if (!settings->lmtp_proxy || user->field_count == 0)
		return 0;
	pairs = ARENA_ARRAY(arena, struct route_pair, user->field_count);
	for (i = 0; i < user->field_count; i++)
		pairs[i] = (struct route_pair){
			user->fields[i].name, user->fields[i].value};
	return route_read(arena, pairs, user->field_count,
		origin_of(arena, user), &recipient->route, err);
}

static int
expand(struct arena *arena, const struct recipient *recipient,
	const char *template, struct str *text_out, struct err *err)
{
	const struct var vars[] = {{'u', "user", str_from(recipient->name)},
		{'h', "home", str_from(recipient->home)}};

	return vars_expand_path(arena, str_from(template), vars,
		ARRAY_LENGTH(vars), text_out, err);
}

static int
missing_id(const char *what, const struct recipient *recipient, struct err *err)
{
	return err_temp(err, "4.3.5",
		"user %s: the user database has no %s and mail_%s is not set",
		recipient->name, what, what);
}

static int
unknown_id(const char *what, struct str text, struct err *err)
{
	return err_temp(err, "4.3.5", "mail_%s: the system has no '%.*s'", what,
		STR_ARG(text));
}

static int
complete_uid(struct arena *arena, struct recipient *recipient, struct err *err)
{
	struct str text;

	if (recipient->user->has_uid) {
		recipient->identity.uid = recipient->user->uid;
		return 0;
	}
	if (expand(arena, recipient, recipient->settings->mail_uid, &text,
		    err) < 0)
		return -1;
	if (text.len == 0)
		return missing_id("uid", recipient, err);
	switch (user_parse_uid(arena, text, &recipient->identity.uid, err)) {
	case LOOKUP_FOUND:
		return 0;
	case LOOKUP_NONE:
		return unknown_id("uid", text, err);
	case LOOKUP_ERROR:
		break;
	}
	return -1;
}

static int
complete_gid(struct arena *arena, struct recipient *recipient, struct err *err)
{
	struct str text;

	if (recipient->user->has_gid) {
		recipient->identity.gid = recipient->user->gid;
		return 0;
	}
	if (expand(arena, recipient, recipient->settings->mail_gid, &text,
		    err) < 0)
		return -1;
	if (text.len == 0)
		return missing_id("gid", recipient, err);
	switch (user_parse_gid(arena, text, &recipient->identity.gid, err)) {
	case LOOKUP_FOUND:
		return 0;
	case LOOKUP_NONE:
		return unknown_id("gid", text, err);
	case LOOKUP_ERROR:
		break;
	}
	return -1;
}

/* mail_home, for a user who has no home of their own. */
static int
default_home(struct arena *arena, struct recipient *recipient, struct err *err)
{
	struct str text;

	if (recipient->home != NULL ||
		recipient->settings->mail_home[0] == '\0')
		return 0;
	if (expand(arena, recipient, recipient->settings->mail_home, &text,
		    err) < 0)
		return -1;
	if (text.len > 0 && text.data[0] != '/')
		return err_temp(err, "4.3.5",
			"mail_home: '%.*s' is not an absolute path",
			STR_ARG(text));
	if (text.len > 0)
		recipient->home = arena_text(arena, text);
	return 0;
}

/* No file system has such a folder, today or at any retry. */
static int
complete_home(struct arena *arena, struct recipient *recipient, struct err *err)
{
	recipient->home = recipient->user->home;
	if (default_home(arena, recipient, err) < 0)
		return -1;
	if (recipient->home == NULL ||
		!setup_is_too_long(str_from(recipient->home)))
		return 0;
	no_user(arena, recipient->asked, err);
	return err_detail(err,
		"the home folder of %s would have a longer name than any "
		"folder can have",
		shown(arena, recipient->asked));
}

/* mail_access_groups, beside the groups the system knows for the user. */
static int
complete_groups(
	struct arena *arena, struct recipient *recipient, struct err *err)
{
	struct identity *identity = &recipient->identity;
	struct str rest = str_from(recipient->settings->mail_access_groups);
	struct str name;
	gid_t *groups;

	if (recipient->user->system_groups_user != NULL &&
		privilege_groups(arena, recipient->user->system_groups_user,
			identity->gid, identity, err) < 0)
		return -1;
	if (rest.len == 0)
		return 0;
	groups = arena_grow(arena, identity->groups, sizeof(*groups),
		identity->group_count, identity->group_count + rest.len + 1);
	identity->groups = groups;
	while (str_next_field(&rest, ',', &name)) {
		name = str_trim(name);
		if (name.len == 0)
			continue;
		switch (user_parse_gid(
			arena, name, &groups[identity->group_count], err)) {
		case LOOKUP_FOUND:
			identity->group_count++;
			break;
		case LOOKUP_NONE:
			return unknown_id("access_groups", name, err);
		case LOOKUP_ERROR:
			return -1;
		}
	}
	return 0;
}

static int
complete_spool_group(
	struct arena *arena, struct recipient *recipient, struct err *err)
{
	struct identity *identity = &recipient->identity;
	struct str name = str_from(recipient->settings->mail_privileged_group);

	if (name.len == 0)
		return 0;
	switch (user_parse_gid(arena, name, &identity->spool_group, err)) {
	case LOOKUP_FOUND:
		identity->has_spool_group = true;
		return 0;
	case LOOKUP_NONE:
		return unknown_id("privileged_group", name, err);
	case LOOKUP_ERROR:
		break;
	}
	return -1;
}

static int
check_limit(const char *name, const char *what, uint64_t id, uint64_t first,
	uint64_t last, const struct recipient *recipient, struct err *err)
{
	if (id < first)
		return err_temp(err, "4.3.5",
			"user %s has %s %llu, below first_valid_%s = %llu",
			recipient->name, what, (unsigned long long)id, name,
			(unsigned long long)first);
	if (last != 0 && id > last)
		return err_temp(err, "4.3.5",
			"user %s has %s %llu, above last_valid_%s = %llu",
			recipient->name, what, (unsigned long long)id, name,
			(unsigned long long)last);
	return 0;
}

static int
check_identity(const struct recipient *recipient, struct err *err)
{
	const struct settings *settings = recipient->settings;
	const struct identity *identity = &recipient->identity;
	bool is_root = privilege_is_root();

	if (identity->uid == 0)
		return err_temp(err, "4.3.5",
			"user %s has uid 0; mail is never delivered as root: "
			"send root's mail to a person by an alias",
			recipient->name);
	/* Whoever we are already is no gain of rights; root may lose some. */
	if ((is_root || identity->uid != geteuid()) &&
		check_limit("uid", "uid", identity->uid,
			settings->first_valid_uid, settings->last_valid_uid,
			recipient, err) < 0)
		return -1;
	if ((is_root || identity->gid != getegid()) &&
		check_limit("gid", "gid", identity->gid,
			settings->first_valid_gid, settings->last_valid_gid,
			recipient, err) < 0)
		return -1;
	return 0;
}

static int
complete(struct arena *arena, struct recipient *recipient,
	const struct settings *settings, struct err *err)
{
	if (override_settings(arena, settings, recipient, err) < 0 ||
		complete_home(arena, recipient, err) < 0 ||
		complete_uid(arena, recipient, err) < 0 ||
		complete_gid(arena, recipient, err) < 0 ||
		complete_groups(arena, recipient, err) < 0 ||
		complete_spool_group(arena, recipient, err) < 0)
		return -1;
	return check_identity(recipient, err);
}

/* ---- finding ---- */

static struct str
join(struct arena *arena, struct str user, struct str domain)
{
	struct buf name;
	struct str result;

	if (domain.len == 0)
		return user;
	/* Bytes, not text: a NUL in it must not cut the name. */
	buf_init(&name, BUF_UNLIMITED);
	buf_add(&name, user);
	buf_add_char(&name, '@');
	buf_add(&name, domain);
	result = arena_copy(arena, buf_view(&name));
	buf_clear(&name);
	return result;
}

static enum lookup
look_up(struct arena *arena, const struct settings *settings, struct userdb *db,
	const struct address *address, const char *service,
	struct recipient *recipient, struct err *err)
{
	struct str user, name;
	enum lookup found;

	recipient_split(
		settings, address->local_part, &user, &recipient->detail);
	name = join(arena, user, address->domain);
	recipient->asked = name;
	/* The databases look at what they are asked; a format may have left out
	 * the half that does the harm. */
	if (userdb_name_is_harmful(name))
		return LOOKUP_NONE;
	if (format_name(arena, settings, name, &recipient->asked, err) < 0)
		return LOOKUP_ERROR;
	found = userdb_find(
		db, arena, recipient->asked, service, &recipient->user, err);
	if (found == LOOKUP_FOUND)
		recipient->name = recipient->user->name;
	return found;
}

static int
parse_postmaster(struct arena *arena, const struct settings *settings,
	struct address *address_out, struct err *err)
{
	const struct var vars[] = {{'u', "user", STR("postmaster")},
		{'d', NULL, STR_EMPTY},
		{0, "hostname",
			str_from(settings->hostname[0] ? settings->hostname
						       : clock_host())}};
	const unsigned flags =
		ADDRESS_LOCAL_ALLOWED | ADDRESS_BRACKETS_OPTIONAL;
	struct str text;

	if (vars_expand(arena, str_from(settings->postmaster_address), vars,
		    ARRAY_LENGTH(vars), &text, err) < 0)
		return -1;
	if (address_parse_path(arena, text, flags, address_out, err) < 0)
		return err_temp(err, "4.3.5",
			"postmaster_address: '%.*s' is not an address",
			STR_ARG(text));
	return 0;
}

/* RFC 5321 4.5.1: postmaster without a domain always has a mailbox; it is the
 * one that postmaster_address names. */
static enum lookup
look_up_postmaster(struct arena *arena, const struct settings *settings,
	struct userdb *db, const char *service, struct recipient *recipient,
	struct err *err)
{
	struct address address;
	enum lookup found;

	if (settings->postmaster_address[0] == '\0')
		return LOOKUP_NONE;
	if (parse_postmaster(arena, settings, &address, err) < 0)
		return LOOKUP_ERROR;
	found = look_up(arena, settings, db, &address, service, recipient, err);
	if (found != LOOKUP_NONE || address.domain.len == 0)
		return found;
	/* The databases may know users without a domain. */
	address.domain = STR_EMPTY;
	return look_up(arena, settings, db, &address, service, recipient, err);
}

int
recipient_find_route(struct arena *arena, const struct settings *settings,
	struct userdb *db, const struct address *address, const char *service,
	struct recipient *recipient_out, struct err *err)
{
	struct str asked;
	enum lookup found;

	*recipient_out = (struct recipient){.settings = settings};
	found = look_up(
		arena, settings, db, address, service, recipient_out, err);
	asked = recipient_out->asked;
	if (found == LOOKUP_NONE && address->domain.len == 0 &&
		str_is_nocase(address->local_part, "postmaster"))
		found = look_up_postmaster(
			arena, settings, db, service, recipient_out, err);
	switch (found) {
	case LOOKUP_ERROR:
		return -1;
	case LOOKUP_NONE:
		return no_user(arena, asked, err);
	case LOOKUP_FOUND:
		break;
	}
	if (read_route(arena, settings, recipient_out, err) < 0)
		return -1;
	return recipient_out->route.kind == ROUTE_LOCAL
	               ? complete(arena, recipient_out, settings, err)
	               : 0;
}

int
recipient_take_home(struct arena *arena, const struct settings *settings,
	struct recipient *recipient, struct err *err)
{
	recipient->route = (struct route){.kind = ROUTE_LOCAL};
	return complete(arena, recipient, settings, err);
}

/* Filing it here would hide it from its user. */
static int
not_here(const struct recipient *recipient, struct err *err)
{
	return err_temp(err, "4.3.5",
		"the mail of user %s goes on to %s: only the server passes "
		"mail on",
		recipient->name, recipient->route.host);
}

int
recipient_find(struct arena *arena, const struct settings *settings,
	struct userdb *db, const struct address *address, const char *service,
	struct recipient *recipient_out, struct err *err)
{
	if (recipient_find_route(arena, settings, db, address, service,
		    recipient_out, err) < 0)
		return -1;
	switch (recipient_out->route.kind) {
	case ROUTE_LOCAL:
		break;
	case ROUTE_PROXY:
		return not_here(recipient_out, err);
	case ROUTE_NOLOGIN:
		return route_refusal(
			&recipient_out->route, recipient_out->name, err);
	}
	return 0;
}

enum lookup
recipient_find_login(struct arena *arena, const struct settings *settings,
	struct userdb *db, struct str name, const char *service,
	const struct user **user_out, struct err *err)
{
	struct str asked;

	if (userdb_name_is_harmful(name))
		return LOOKUP_NONE;
	if (format_name(arena, settings, name, &asked, err) < 0)
		return LOOKUP_ERROR;
	return userdb_find(db, arena, asked, service, user_out, err);
}

static const char *
unless_empty(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

int
recipient_self(struct arena *arena, const struct settings *settings,
	const char *user, const char *home, struct recipient *recipient_out,
	struct err *err)
{
	struct system_user record = {0};
	struct recipient *self = recipient_out;

	*self = (struct recipient){.settings = settings,
		.name = unless_empty(user),
		.home = unless_empty(home),
		.identity = {.uid = geteuid(), .gid = getegid()}};
	if ((self->name == NULL || self->home == NULL) &&
		user_by_uid(arena, geteuid(), &record, err) == LOOKUP_ERROR)
		return -1;
	if (self->name == NULL)
		self->name = record.name;
	if (self->name == NULL)
		return err_set(err, ERR_USAGE, "5.3.5",
			"Couldn't lookup our username (uid=%lu)",
			(unsigned long)geteuid());
	/* Names become parts of paths. */
	if (userdb_name_is_harmful(str_from(self->name)))
		return err_set(err, ERR_USAGE, "5.3.5",
			"USER is no name that a user can have");
	if (default_home(arena, self, err) < 0)
		return -1;
	if (self->home == NULL)
		self->home = record.home;
	return 0;
}

/* ---- all users ---- */

static bool
is_fixed(const char *value)
{
	return value[0] != '\0' && strchr(value, '%') == NULL;
}

enum lookup
recipient_common_identity(struct arena *arena, const struct settings *settings,
	struct identity *identity_out, struct err *err)
{
	static const struct user nobody = {0};
	struct recipient recipient = {
		.name = "", .user = &nobody, .settings = settings};

	if (!is_fixed(settings->mail_uid) || !is_fixed(settings->mail_gid))
		return LOOKUP_NONE;
	if (complete_uid(arena, &recipient, err) < 0 ||
		complete_gid(arena, &recipient, err) < 0 ||
		complete_groups(arena, &recipient, err) < 0 ||
		complete_spool_group(arena, &recipient, err) < 0 ||
		check_identity(&recipient, err) < 0)
		return LOOKUP_ERROR;
	*identity_out = recipient.identity;
	return LOOKUP_FOUND;
}
