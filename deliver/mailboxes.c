/* SPDX-License-Identifier: MIT */
#include "deliver/mailboxes.h"

#include "base/log.h"
#include "deliver/setup.h"

#include "base/banned.h"

/* ---- attributes ---- */

/* Other drivers are Dovecot's alone. */
static int
find_attributes(const struct job *job, const struct delivery *delivery,
	struct mailboxes *mailboxes, struct err *err)
{
	const char *setting = delivery->settings->mail_attribute_dict;
	struct str path = str_from(setting);

	if (!str_starts(path, STR("file:")) || delivery->home == NULL) {
		if (path.len > 0)
			log_debug("mail_attribute_dict: not read: %s", setting);
		return 0;
	}
	return setup_path(job, delivery, setting + strlen("file:"),
		&mailboxes->path, err);
}

int
mailboxes_open(const struct job *job, const struct delivery *delivery,
	struct store *store, struct mailboxes **mailboxes_out, struct err *err)
{
	struct mailboxes *mailboxes = ARENA_NEW(job->arena, struct mailboxes);

	mailboxes->arena = job->arena;
	mailboxes->settings = delivery->settings;
	mailboxes->store = store;
	*mailboxes_out = mailboxes;
	return find_attributes(job, delivery, mailboxes, err);
}

/* Once. */
static int
read_attributes(struct mailboxes *mailboxes, struct err *err)
{
	if (mailboxes->path == NULL || mailboxes->are_read)
		return 0;
	if (attributes_read(mailboxes->arena, mailboxes->path,
		    &mailboxes->attributes, err) < 0)
		return -1;
	mailboxes->are_read = true;
	return 0;
}

static bool
has_word(struct str words, struct str wanted)
{
	struct str word;

	while (str_next_word(&words, &word))
		if (str_equal_nocase(word, wanted))
			return true;
	return false;
}

/* ---- the configuration ---- */

/* A `mailbox { }` block and the name that scripts use. */
struct configured {
	const struct conf_mailbox *mailbox;
	struct str name;
	bool is_personal; /* RFC 8579 4: only those have special uses */
};

static struct str
name_in(struct mailboxes *mailboxes, const struct conf_namespace *space,
	const struct conf_mailbox *mailbox)
{
	const char *prefix = space != NULL ? space->prefix : "";

	if (str_is_nocase(str_from(mailbox->name), "INBOX"))
		return STR("INBOX");
	return str_from(
		arena_format(mailboxes->arena, "%s%s", prefix, mailbox->name));
}

static const struct conf_namespace *
inbox_namespace(const struct settings *settings)
{
	size_t i;

	for (i = 0; i < settings->namespace_count; i++)
		if (settings->namespaces[i].inbox)
			return &settings->namespaces[i];
	return NULL;
}

/* The block number `n`; false behind the last one. */
static bool
get_configured(
	struct mailboxes *mailboxes, size_t n, struct configured *configured)
{
	const struct settings *settings = mailboxes->settings;
	const struct conf_namespace *space;
	size_t i;

	for (i = 0; i < settings->namespace_count; i++) {
		space = &settings->namespaces[i];
		if (n < space->mailbox_count) {
			*configured = (struct configured){&space->mailboxes[n],
				name_in(mailboxes, space, &space->mailboxes[n]),
				space->type == CONF_NAMESPACE_PRIVATE};
			return true;
		}
		n -= space->mailbox_count;
	}
	if (n >= settings->mailbox_count)
		return false;
	*configured = (struct configured){&settings->mailboxes[n],
		name_in(mailboxes, inbox_namespace(settings),
			&settings->mailboxes[n]),
		true};
	return true;
}

static bool
is_configured_use(const struct configured *configured, struct str use)
{
	const struct conf_list *uses = &configured->mailbox->special_use;
	size_t i;

	if (!configured->is_personal)
		return false;
	for (i = 0; i < uses->count; i++)
		if (str_equal_nocase(str_from(uses->items[i]), use))
			return true;
	return false;
}

/* False: no block is about it. */
static bool
find_configured(struct mailboxes *mailboxes, struct str folder,
	struct configured *configured)
{
	size_t n;

	for (n = 0; get_configured(mailboxes, n, configured); n++)
		if (store_is_same_folder(
			    mailboxes->store, folder, configured->name))
			return true;
	return false;
}

static unsigned
flags_of(enum conf_mailbox_auto value)
{
	switch (value) {
	case CONF_MAILBOX_AUTO_NO:
		return 0;
	case CONF_MAILBOX_AUTO_CREATE:
		return STORE_CREATE_FOLDER;
	case CONF_MAILBOX_AUTO_SUBSCRIBE:
		return STORE_CREATE_FOLDER | STORE_SUBSCRIBE_FOLDER;
	}
	return 0;
}

unsigned
mailboxes_flags(struct mailboxes *mailboxes, struct str folder)
{
	struct configured configured;

	return find_configured(mailboxes, folder, &configured)
	               ? flags_of(configured.mailbox->mailbox_auto)
	               : 0;
}

enum lookup
mailboxes_exists(
	struct mailboxes *mailboxes, struct str folder, struct err *err)
{
	enum lookup found = store_find_folder(mailboxes->store, folder, err);

	if (found == LOOKUP_NONE && mailboxes_flags(mailboxes, folder) != 0)
		return LOOKUP_FOUND;
	return found;
}

/* ---- special uses (RFC 8579) ---- */

static struct str
attribute_key(struct mailboxes *mailboxes, const char *kind, struct str id,
	const char *middle, struct str name)
{
	return str_from(arena_format(mailboxes->arena, "%s/%.*s/%s%.*s", kind,
		STR_ARG(id), middle, STR_ARG(name)));
}

/* What a client has said of this folder. */
static enum lookup
given_uses(struct mailboxes *mailboxes, struct str folder, struct str *uses_out,
	struct err *err)
{
	struct str id;
	enum lookup found;

	if (read_attributes(mailboxes, err) < 0)
		return LOOKUP_ERROR;
	if (mailboxes->attributes.count == 0)
		return LOOKUP_NONE;
	found = store_folder_id(mailboxes->store, folder, &id, err);
	if (found != LOOKUP_FOUND)
		return found;
	return attributes_find(&mailboxes->attributes,
		       attribute_key(
			       mailboxes, "priv", id, "", STR("specialuse")),
		       uses_out)
	               ? LOOKUP_FOUND
	               : LOOKUP_NONE;
}

static enum lookup
find_given_use(struct mailboxes *mailboxes, struct str use,
	struct str *name_out, struct err *err)
{
	const struct attributes *attributes = &mailboxes->attributes;
	enum lookup found = LOOKUP_NONE;
	struct str id;
	size_t i;

	if (read_attributes(mailboxes, err) < 0)
		return LOOKUP_ERROR;
	for (i = 0; i < attributes->count && found == LOOKUP_NONE; i++)
		if (attributes_is_use(&attributes->items[i], &id) &&
			has_word(attributes->items[i].value, use))
			found = store_find_id(
				mailboxes->store, id, name_out, err);
	return found;
}

static enum lookup
is_use_of(struct mailboxes *mailboxes, const struct configured *configured,
	struct str use, struct err *err)
{
	struct str uses;
	enum lookup found;

	if (!is_configured_use(configured, use))
		return LOOKUP_NONE;
	found = given_uses(mailboxes, configured->name, &uses, err);
	if (found != LOOKUP_NONE)
		return found == LOOKUP_ERROR ? found : LOOKUP_NONE;
	return mailboxes_exists(mailboxes, configured->name, err);
}

enum lookup
mailboxes_find_use(struct mailboxes *mailboxes, struct str use,
	struct str *name_out, struct err *err)
{
	enum lookup found = find_given_use(mailboxes, use, name_out, err);
	struct configured configured;
	size_t n;

	for (n = 0; found == LOOKUP_NONE &&
		    get_configured(mailboxes, n, &configured);
		n++) {
		found = is_use_of(mailboxes, &configured, use, err);
		*name_out = configured.name;
	}
	return found;
}

enum lookup
mailboxes_has_use(struct mailboxes *mailboxes, struct str folder,
	struct str use, struct err *err)
{
	struct configured configured;
	struct str uses;
	enum lookup found = mailboxes_exists(mailboxes, folder, err);

	if (found != LOOKUP_FOUND)
		return found;
	found = given_uses(mailboxes, folder, &uses, err);
	if (found == LOOKUP_FOUND)
		return has_word(uses, use) ? LOOKUP_FOUND : LOOKUP_NONE;
	if (found == LOOKUP_NONE &&
		find_configured(mailboxes, folder, &configured) &&
		is_configured_use(&configured, use))
		return LOOKUP_FOUND;
	return found;
}

/* ---- annotations (RFC 5464) ---- */

/* What Dovecot keeps for itself is nobody's annotation. */
#define OWN "vendor/vendor.dovecot/pvt/"

/* False: no annotation has such a name. */
static bool
split_name(struct str name, const char **kind_out, struct str *rest_out)
{
	const struct str private = STR("/private/"), shared = STR("/shared/");

	if (str_starts_nocase(name, private)) {
		*kind_out = "priv";
		*rest_out = str_skip(name, private.len);
	} else if (str_starts_nocase(name, shared)) {
		*kind_out = "shared";
		*rest_out = str_skip(name, shared.len);
	} else {
		return false;
	}
	return rest_out->len > 0 && !str_starts_nocase(*rest_out, STR(OWN));
}

/* Dovecot answers so where no client has said anything. */
static enum lookup
configured_uses(
	struct mailboxes *mailboxes, struct str folder, struct str *value_out)
{
	struct configured configured;
	struct buf words;
	size_t i;

	if (!find_configured(mailboxes, folder, &configured) ||
		configured.mailbox->special_use.count == 0)
		return LOOKUP_NONE;
	buf_init(&words, BUF_UNLIMITED);
	for (i = 0; i < configured.mailbox->special_use.count; i++)
		buf_add_format(&words, "%s%s", i > 0 ? " " : "",
			configured.mailbox->special_use.items[i]);
	*value_out = arena_copy(mailboxes->arena, buf_view(&words));
	buf_clear(&words);
	return LOOKUP_FOUND;
}

static enum lookup
find_attribute(struct mailboxes *mailboxes, struct str folder, const char *kind,
	const char *middle, struct str name, struct str *value_out,
	struct err *err)
{
	struct str id;
	enum lookup found = LOOKUP_NONE;

	if (read_attributes(mailboxes, err) < 0)
		return LOOKUP_ERROR;
	if (mailboxes->attributes.count > 0)
		found = store_folder_id(mailboxes->store, folder, &id, err);
	if (found != LOOKUP_FOUND)
		return found;
	return attributes_find(&mailboxes->attributes,
		       attribute_key(mailboxes, kind, id, middle, name),
		       value_out)
	               ? LOOKUP_FOUND
	               : LOOKUP_NONE;
}

enum lookup
mailboxes_metadata(struct mailboxes *mailboxes, const struct str *folder,
	struct str name, struct str *value_out, struct err *err)
{
	const char *kind;
	struct str rest;
	enum lookup found;

	if (!split_name(name, &kind, &rest))
		return LOOKUP_NONE;
	if (folder == NULL)
		return find_attribute(mailboxes, STR("INBOX"), kind,
			OWN "server/", rest, value_out, err);
	found = find_attribute(
		mailboxes, *folder, kind, "", rest, value_out, err);
	if (found == LOOKUP_NONE && str_is_nocase(name, "/private/specialuse"))
		return configured_uses(mailboxes, *folder, value_out);
	return found;
}
