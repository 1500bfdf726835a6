/* SPDX-License-Identifier: MIT */
#include "lda/addresses.h"

#include "base/log.h"
#include "deliver/setup.h"

#include "base/banned.h"

static const struct address null_address = {.text = {"", 0}, .is_null = true};

/* Postfix's pipe gives "a b"@c without the quotes unless it has flags=q; more
 * than that is not guessed. */
static int
parse(struct arena *arena, const char *text, unsigned flags,
	struct address *address_out)
{
	struct err err;

	flags |= ADDRESS_LOCAL_ALLOWED | ADDRESS_BRACKETS_OPTIONAL;
	if (address_parse_path(
		    arena, str_from(text), flags, address_out, &err) == 0)
		return 0;
	if (address_parse_path(arena, str_from(text),
		    flags | ADDRESS_QUOTES_OPTIONAL, address_out, &err) < 0 ||
		address_out->domain.len == 0 ||
		str_has_char(address_out->local_part, '@'))
		return -1;
	return 0;
}

/* Postfix's pipe names the null sender MAILER-DAEMON, getmail <unknown>. */
static bool
means_null(const struct address *sender)
{
	return sender->is_null ||
	       (sender->domain.len == 0 &&
		       (str_is_nocase(sender->local_part, "MAILER-DAEMON") ||
			       str_is_nocase(sender->local_part, "unknown")));
}

static struct address
parse_sender(struct arena *arena, const char *text)
{
	struct address sender;

	if (parse(arena, text, ADDRESS_NULL_ALLOWED, &sender) < 0) {
		log_debug("envelope sender '%s' cannot be read; taken for <>",
			text);
		return null_address;
	}
	return means_null(&sender) ? null_address : sender;
}

static struct address
find_sender(struct arena *arena, const struct lda_options *options,
	const struct message *message, bool *is_known_out)
{
	const struct header_field *field;
	struct str text;

	*is_known_out = true;
	if (options->sender != NULL)
		return parse_sender(arena, options->sender);
	if (message_mbox_sender(message, &text))
		return parse_sender(arena, arena_text(arena, text));
	/* Exim's return_path_add, qmail's preline. */
	field = message_field_next(message, STR("Return-Path"), NULL);
	if (field != NULL)
		return parse_sender(
			arena, arena_text(arena, str_trim(field->value)));
	*is_known_out = false;
	return null_address;
}

static bool
from_header(struct arena *arena, const char *name,
	const struct message *message, struct address *address_out)
{
	const struct header_field *field;
	const struct address *addresses;

	if (name[0] == '\0')
		return false;
	field = message_field_next(message, str_from(name), NULL);
	if (field == NULL ||
		address_parse_list(arena, field->value, 1, &addresses) == 0 ||
		addresses[0].is_broken)
		return false;
	*address_out = addresses[0];
	return true;
}

struct address
lda_address_of_user(struct arena *arena, struct str name)
{
	size_t at = str_find_last_char(name, '@');
	struct address address;
	struct err err;

	if (address_parse_path(arena, name,
		    ADDRESS_LOCAL_ALLOWED | ADDRESS_BRACKETS_OPTIONAL, &address,
		    &err) == 0)
		return address;
	return (struct address){.local_part = str_slice(name, 0, at),
		.domain = str_skip(name, at + 1),
		.text = address_text(
			arena, str_slice(name, 0, at), str_skip(name, at + 1))};
}

/* -d as it was given, detail and capitals included; else who we are. */
static struct address
from_user(struct arena *arena, const struct lda_options *options,
	const struct recipient *recipient)
{
	struct address address = lda_address_of_user(
		arena, str_from(options->user != NULL ? options->user
						      : recipient->name));

	if (address.domain.len == 0) {
		address.domain = setup_hostname(recipient->settings);
		address.text =
			address_text(arena, address.local_part, address.domain);
	}
	return address;
}

static int
bad_option(char letter, const char *text, struct err *err)
{
	return err_set(err, ERR_USAGE, "5.1.3", "Invalid -%c parameter: %s",
		letter, text);
}

static int
find_original(struct arena *arena, const struct lda_options *options,
	const struct recipient *recipient, const struct message *message,
	struct address *original_out, struct err *err)
{
	if (options->original != NULL && options->original[0] != '\0') {
		if (parse(arena, options->original, 0, original_out) == 0)
			return 0;
		if (options->has_original)
			return bad_option('a', options->original, err);
	} else if (options->has_original) {
		return bad_option('a', options->original, err);
	}
	if (from_header(arena,
		    recipient->settings->lda_original_recipient_header, message,
		    original_out))
		return 0;
	*original_out = from_user(arena, options, recipient);
	return 0;
}

static int
find_final(struct arena *arena, const struct lda_options *options,
	const struct address *original, struct address *final_out,
	struct err *err)
{
	if (options->final != NULL &&
		parse(arena, options->final, 0, final_out) == 0)
		return 0;
	if (options->has_final)
		return bad_option('r', options->final, err);
	*final_out = *original;
	return 0;
}

/* The first that has one: -d, the final recipient, EXTENSION. */
static struct str
find_detail(const struct lda_options *options,
	const struct recipient *recipient, const struct address *final)
{
	struct str user, detail;

	if (recipient->detail.len > 0)
		return recipient->detail;
	recipient_split(recipient->settings, final->local_part, &user, &detail);
	return detail.len > 0 ? detail : str_from(options->detail);
}

int
lda_addresses_resolve(struct arena *arena, const struct lda_options *options,
	const struct recipient *recipient, const struct message *message,
	struct lda_addresses *addresses_out, struct err *err)
{
	addresses_out->sender = find_sender(
		arena, options, message, &addresses_out->sender_is_known);
	if (find_original(arena, options, recipient, message,
		    &addresses_out->original, err) < 0)
		return -1;
	if (find_final(arena, options, &addresses_out->original,
		    &addresses_out->final, err) < 0)
		return -1;
	addresses_out->detail =
		find_detail(options, recipient, &addresses_out->final);
	return 0;
}
