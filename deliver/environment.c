/* SPDX-License-Identifier: MIT */
#include "deliver/environment.h"

#include "config.h"

#include "deliver/setup.h"

#include "base/banned.h"

/* Fields of an item's name in vnd.dovecot.environment. */
#define CONFIG_PREFIX "vnd.dovecot.config."

static struct str
domain_of(struct str host)
{
	return str_skip(host, str_find_char(host, '.') + 1);
}

/* RFC 5321 4.1.3: an IPv6 address has its tag. */
static struct str
ip_literal(struct arena *arena, struct str ip)
{
	if (!str_has_char(ip, ':'))
		return ip;
	return str_from(arena_format(arena, "IPv6:%.*s", STR_ARG(ip)));
}

/* sieve_environment = NAME=VALUE ... */
static bool
find_configured(
	const struct settings *settings, struct str name, struct str *value_out)
{
	const struct conf_list *list = &settings->sieve_environment;
	size_t i;

	for (i = 0; i < list->count; i++) {
		struct str item = str_from(list->items[i]);
		size_t equals = str_find_char(item, '=');

		if (str_equal_nocase(str_slice(item, 0, equals), name)) {
			*value_out = str_skip(item, equals + 1);
			return true;
		}
	}
	return false;
}

/* Of an LMTP session that a client on a Unix socket has, as of the LDA, there is
 * no address.  We ask the DNS for no name: a proxy may have told it. */
static struct str
remote_ip(const struct job *job)
{
	return job->client != NULL
	               ? ip_literal(job->arena, job->client->remote_ip)
	               : STR_EMPTY;
}

static struct str
remote_host(const struct job *job)
{
	return job->client != NULL ? job->client->remote_host : STR_EMPTY;
}

bool
environment_find(const struct job *job, const struct delivery *delivery,
	struct str name, struct str *value_out)
{
	const struct str host = setup_hostname(delivery->settings);
	const struct {
		const char *name;
		struct str value;
	} items[] = {
		{"domain", domain_of(host)},
		{"host", host},
		{"location", STR("MDA")},
		{"name", STR("Doorstep Sieve")},
		{"phase", STR("during")},
		{"remote-host", remote_host(job)},
		{"remote-ip", remote_ip(job)},
		{"version", STR(PACKAGE_VERSION)},
		{"vnd.dovecot.default-mailbox", delivery->mailbox.len > 0
							? delivery->mailbox
							: STR("INBOX")},
		{"vnd.dovecot.username", str_from(delivery->user)},
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(items); i++)
		if (str_is(name, items[i].name)) {
			*value_out = items[i].value;
			return true;
		}
	if (!str_starts(name, STR(CONFIG_PREFIX)))
		return false;
	return find_configured(delivery->settings,
		str_skip(name, sizeof(CONFIG_PREFIX) - 1), value_out);
}
