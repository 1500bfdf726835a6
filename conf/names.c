/* SPDX-License-Identifier: MIT */
#include "conf/names.h"

#include "base/attributes.h"

#include "base/banned.h"

static const struct conf_alias aliases[] = {
	{"quota_mail_size", "quota_max_mail_size", false},
	{"quota_max_mailbox_count", "quota_mailbox_count", false},
	{"sieve_global_dir", "sieve_global", false},
	{"sieve_global_path", "sieve_default", false},
	{"sieve_spamtest_score_max_header", "sieve_spamtest_max_header", false},
	{"sieve_spamtest_score_max_value", "sieve_spamtest_max_value", false},
	{"sieve_virustest_score_max_header", "sieve_virustest_max_header",
		false},
	{"sieve_virustest_score_max_value", "sieve_virustest_max_value", false},
	{"sieve_user_log_path", "sieve_user_log", false},
	{"sieve_variables_max_scope_count", "sieve_variables_max_scope_size",
		false},
	{"sieve_variables_max_variable_size", "sieve_variables_max_value_size",
		false},
	{"ssl_request_client_cert", "ssl_verify_client_cert", false},
	{"ssl_server_ca_file", "ssl_ca", true},
	{"ssl_server_cert_file", "ssl_cert", true},
	{"ssl_server_key_file", "ssl_key", true},
	{"ssl_server_key_password", "ssl_key_password", false},
	{"ssl_server_request_client_cert", "ssl_verify_client_cert", false},
};

static const char *const services[] = {
	"lmtp",
	"lookup",
	"mailer",
	"quota-status",
	"quota-warning",
	"state",
	"stats",
};

enum scope { TOP, USERDB, NAMESPACE, MAILBOX, SERVICE, LISTENER };

static const struct {
	enum scope scope;
	struct str pattern;
} foreign_keys[] = {
#define FOREIGN(scope, pattern) {scope, {"" pattern, sizeof(pattern) - 1}},
#include "conf/foreign.def"
};

static const struct str foreign_sections[] = {
#define FOREIGN_SECTION(pattern) {"" pattern, sizeof(pattern) - 1},
#include "conf/foreign.def"
};

const struct conf_alias *
conf_alias_find(struct str name)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(aliases); i++)
		if (str_is(name, aliases[i].name))
			return &aliases[i];
	return NULL;
}

static bool
is_match(struct str name, struct str pattern)
{
	if (pattern.data[pattern.len - 1] != '*')
		return str_equal(name, pattern);
	return str_starts(name, str_slice(pattern, 0, pattern.len - 1));
}

static enum scope
scope_of(const struct conf_keys *keys)
{
	if (keys == &conf_userdb_keys)
		return USERDB;
	if (keys == &conf_namespace_keys)
		return NAMESPACE;
	if (keys == &conf_mailbox_keys)
		return MAILBOX;
	if (keys == &conf_service_keys)
		return SERVICE;
	if (keys == &conf_listener_keys)
		return LISTENER;
	return TOP;
}

bool
conf_is_foreign(const struct conf_keys *keys, struct str name)
{
	enum scope scope = scope_of(keys);
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(foreign_keys); i++)
		if (foreign_keys[i].scope == scope &&
			is_match(name, foreign_keys[i].pattern))
			return true;
	return false;
}

bool
conf_is_foreign_section(struct str name)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(foreign_sections); i++)
		if (is_match(name, foreign_sections[i]))
			return true;
	return false;
}

bool
conf_is_service(struct str name)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(services); i++)
		if (str_is(name, services[i]))
			return true;
	return false;
}

bool
conf_is_protocol(struct str name)
{
	return str_is(name, "lmtp");
}
