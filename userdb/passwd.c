/* passwd - the system's users, through NSS
 *
 * uid, gid and home are the account's, and its groups are taken as well.  args
 * may hold fields that win over the account's: "home=/srv/mail/%u".
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/user.h"
#include "userdb/driver.h"

#include "base/banned.h"

struct passwd_source {
	struct userdb_source source;
	struct str words;
};

static int
passwd_open(struct userdb_source *source, struct arena *arena, struct err *err)
{
	struct passwd_source *own =
		CONTAINER_OF(source, struct passwd_source, source);
	struct str rest = str_from(source->settings->args), word;

	own->words = rest;
	/* Dovecot's choice of a process for the lookup: nothing to choose. */
	if (record_next_word(arena, &rest, &word) &&
		str_starts(word, STR("blocking=")))
		own->words = rest;
	return record_check_words(own->words, source->place, err);
}

static void
take_account(struct record *record, const struct system_user *account)
{
	struct user *user = &record->user;

	user->has_uid = true;
	user->uid = account->uid;
	user->has_gid = true;
	user->gid = account->gid;
	user->home = account->home[0] == '/' ? account->home : NULL;
	user->system_groups_user = account->name;
}

static enum lookup
passwd_find(
	struct userdb_source *source, struct record *record, struct err *err)
{
	const struct passwd_source *own =
		CONTAINER_OF(source, struct passwd_source, source);
	struct system_user account;
	enum lookup found;

	found = user_by_name(record->arena, record->asked, &account, err);
	if (found != LOOKUP_FOUND)
		return found;
	take_account(record, &account);
	if (record_set_words(record, own->words, false, err) < 0)
		return LOOKUP_ERROR;
	return LOOKUP_FOUND;
}

struct listing {
	struct arena *arena;
	struct userdb_names *names;
};

static void
add_account(const struct system_user *account, void *context)
{
	const struct listing *listing = context;
	struct userdb_name item = {
		.name = arena_copy(listing->arena, str_from(account->name)),
		.has_uid = true,
		.uid = account->uid};

	userdb_names_add(listing->arena, listing->names, &item);
}

static enum lookup
passwd_list(struct userdb_source *source, struct arena *arena,
	struct userdb_names *names, struct err *err)
{
	struct listing listing = {arena, names};

	(void)source;
	return user_for_each(add_account, &listing, err) < 0 ? LOOKUP_ERROR
	                                                     : LOOKUP_FOUND;
}

const struct userdb_driver userdb_passwd = {
	.name = "passwd",
	.size = sizeof(struct passwd_source),
	.open = passwd_open,
	.find = passwd_find,
	.list = passwd_list,
};
