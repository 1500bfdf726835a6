/* check - what is wrong although each value by itself can be read
 *
 * What a delivery would stumble over is looked for at every start: templates,
 * the mailbox driver, the way out for mail.  A default is looked at only by
 * `doorstep config check`, as are the things that cost time or end in a warning.
 *
 * SPDX-License-Identifier: MIT
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/ere.h"
#include "base/number.h"
#include "base/vars.h"
#include "conf/conf.h"
#include "conf/group.h"
#include "conf/keys.h"
#include "conf/names.h"
#include "conf/quota.h"
#include "conf/quota_names.h"
#include "conf/report.h"
#include "conf/value.h"

#include "base/banned.h"

struct check {
	struct arena *arena;
	struct conf_report *report;
	const struct settings *settings;
};

#define ERROR(check, place, ...)                                               \
	conf_report_error((check)->arena, (check)->report, place, __VA_ARGS__)
#define WARNING(check, place, ...)                                             \
	conf_report_warning((check)->arena, (check)->report, place, __VA_ARGS__)

/* ---- templates ---- */

/* Of each kind of template the variables that have a value there. */
static const struct var name_vars[] = {{'u', "user", {"u", 1}}};
static const struct var record_vars[] = {
	{'u', "user", {"u", 1}},
	{'h', "home", {"h", 1}},
};
static const struct var host_vars[] = {
	{'u', "user", {"u", 1}},
	{0, "hostname", {"h", 1}},
};
static const struct var user_vars[] = {
	{'u', "user", {"u", 1}},
	{'h', "home", {"h", 1}},
	{'s', "service", {"s", 1}},
	{0, "protocol", {"s", 1}},
	{'p', "pid", {"1", 1}},
	{0, "process:pid", {"1", 1}},
	{0, "session", {"s", 1}},
	{0, "hostname", {"h", 1}},
};
static const struct var deliver_vars[] = {
	{'$', "message", {"m", 1}},
	{'m', "msgid", {"m", 1}},
	{'s', "subject", {"s", 1}},
	{'f', "from", {"f", 1}},
	{'e', "from_envelope", {"e", 1}},
	{'p', "size", {"1", 1}},
	{'w', "vsize", {"1", 1}},
	{0, "to_envelope", {"t", 1}},
	{0, "session", {"s", 1}},
};
static const struct var rejection_vars[] = {
	{'n', NULL, {"\n", 1}},
	{'r', "reason", {"r", 1}},
	{'s', "subject", {"s", 1}},
	{'t', "to", {"t", 1}},
};
static const struct var warning_vars[] = {
	{'u', "user", {"u", 1}},
	{0, "hostname", {"h", 1}},
	{0, "quota", {"q", 1}},
	{0, "percent", {"1", 1}},
	{0, "used", {"1", 1}},
	{0, "limit", {"1", 1}},
};

static const struct {
	const struct var *vars;
	size_t count;
} var_sets[] = {
	[CONF_VARS_NONE] = {NULL, 0},
	[CONF_VARS_NAME] = {name_vars, ARRAY_LENGTH(name_vars)},
	[CONF_VARS_RECORD] = {record_vars, ARRAY_LENGTH(record_vars)},
	[CONF_VARS_HOST] = {host_vars, ARRAY_LENGTH(host_vars)},
	[CONF_VARS_USER] = {user_vars, ARRAY_LENGTH(user_vars)},
	[CONF_VARS_LOG] = {user_vars, ARRAY_LENGTH(user_vars)},
	[CONF_VARS_DELIVER] = {deliver_vars, ARRAY_LENGTH(deliver_vars)},
	[CONF_VARS_REJECTION] = {rejection_vars, ARRAY_LENGTH(rejection_vars)},
	[CONF_VARS_WARNING] = {warning_vars, ARRAY_LENGTH(warning_vars)},
};

/* Was this said, and not only a default? */
static bool
is_given(struct conf_place place)
{
	return place.file[0] != '\0';
}

static void
check_template(struct check *check, const char *name, const char *text,
	enum conf_vars vars, struct conf_place place)
{
	struct err err;

	if (vars_check(str_from(text), var_sets[vars].vars,
		    var_sets[vars].count, &err) < 0)
		ERROR(check, place, "%s: found \"%s\": %s", name, text,
			err_log_text(&err));
}

static const struct conf_family *
family_of(const struct settings *settings, const struct conf_key *key)
{
	return (const struct conf_family *)(const void *)((const char *)
								  settings +
							  key->offset);
}

static void
check_family(struct check *check, const struct conf_key *key)
{
	const struct conf_family *family = family_of(check->settings, key);
	size_t i;

	for (i = 0; i < family->count; i++) {
		const struct conf_numbered *item = &family->items[i];

		check_template(check,
			conf_family_name(
				check->arena, key, item->root, item->number),
			item->value, key->bounds.vars, item->place);
	}
}

/* A record's fields were expanded when it was read: "10%%" is "10%" by then. */
static bool
is_quota(const struct conf_key *key)
{
	return str_starts(str_from(key->name), STR("quota"));
}

static void
check_templates(struct check *check)
{
	const struct settings *settings = check->settings;
	size_t i;

	for (i = 0; i < conf_top_keys.count; i++) {
		const struct conf_key *key = &conf_top_keys.items[i];
		const char *const *text =
			(const char *const *)(const void *)((const char *)
								    settings +
							    key->offset);

		if (key->type == CONF_TYPE_TEMPLATE &&
			(check->report->is_thorough ||
				is_given(settings->places[i])))
			check_template(check, key->name, *text,
				key->bounds.vars, settings->places[i]);
		else if (key->type == CONF_TYPE_FAMILY &&
			 (check->report->is_thorough || !is_quota(key)))
			check_family(check, key);
	}
	for (i = 0; i < settings->namespace_count; i++)
		check_template(check, "location",
			settings->namespaces[i].location, CONF_VARS_USER,
			settings->namespaces[i].place);
}

/* ---- patterns ---- */

/* NAME or "NAME: PATTERN" */
static void
check_field_pattern(struct check *check, const char *name, const char *value)
{
	struct str text = str_from(value), pattern, translated;
	struct err err;

	pattern = str_trim(str_skip(text, str_find_char(text, ':') + 1));
	if (ere_translate(check->arena, pattern, 0, &translated, &err) < 0)
		ERROR(check, conf_place(check->settings, name),
			"%s: found \"%s\": %s", name, value, err.text);
}

static void
check_patterns(struct check *check)
{
	const struct settings *settings = check->settings;

	check_field_pattern(check, "sieve_spamtest_status_header",
		settings->sieve_spamtest_status_header);
	check_field_pattern(check, "sieve_spamtest_max_header",
		settings->sieve_spamtest_max_header);
	check_field_pattern(check, "sieve_virustest_status_header",
		settings->sieve_virustest_status_header);
	check_field_pattern(check, "sieve_virustest_max_header",
		settings->sieve_virustest_max_header);
}

/* ---- numbers in names ---- */

/* The numbers have to follow each other: Dovecot stops at a gap, without a
 * word, and whoever wrote the file knows that. */
static void
check_gaps(struct check *check, const struct conf_key *key)
{
	const struct conf_family *family = family_of(check->settings, key);
	unsigned expected = 1, root = 0;
	size_t i;

	for (i = 0; i < family->count; i++) {
		const struct conf_numbered *item = &family->items[i];

		if (item->root != root)
			expected = 1;
		root = item->root;
		if (item->number > CONF_QUOTA_OWN_NUMBERS && is_quota(key))
			continue;
		if (item->number != expected)
			WARNING(check, item->place,
				"%s: there is no %s; Doorstep goes on behind "
				"the gap, Dovecot stops there",
				conf_family_name(
					check->arena, key, root, item->number),
				conf_family_name(
					check->arena, key, root, expected));
		expected = item->number + 1;
	}
}

static void
check_all_gaps(struct check *check)
{
	size_t i;

	for (i = 0; i < conf_top_keys.count; i++)
		if (conf_top_keys.items[i].type == CONF_TYPE_FAMILY)
			check_gaps(check, &conf_top_keys.items[i]);
}

/* ---- quota ---- */

/* Parses one value; tells what is wrong with it. */
typedef int quota_parse(const char *value, const char **note_out,
	struct conf_quota_fault *fault);

static int
parse_quota_dict(struct str rest, struct conf_quota_fault *fault)
{
	struct conf_quota_dict dict;

	if (conf_quota_parse_dict(rest, &dict, fault) < 0)
		return -1;
#ifndef HAVE_HIREDIS
	if (dict.is_redis) {
		fault->found = rest;
		fault->expected = "nothing: this build has no hiredis";
		return -1;
	}
#endif
	return 0;
}

static int
parse_quota_root(const char *value, const char **note_out,
	struct conf_quota_fault *fault)
{
	static const char *const drivers[] = {"maildir", "count", "fs", NULL};
	struct conf_quota_root root;
	size_t i;

	(void)note_out;
	if (conf_quota_parse_root(str_from(value), &root, fault) < 0)
		return -1;
	if (str_is(root.driver, "dict"))
		return parse_quota_dict(root.rest, fault);
	for (i = 0; drivers[i] != NULL; i++)
		if (str_is(root.driver, drivers[i]))
			return 0;
	fault->found = root.driver;
	fault->expected = "the driver maildir, count, dict or fs";
	return -1;
}

static int
parse_quota_rule(const char *value, const char **note_out,
	struct conf_quota_fault *fault)
{
	struct conf_quota_rule rule;

	if (conf_quota_parse_rule(str_from(value), &rule, fault) < 0)
		return -1;
	if (rule.storage.lacks_unit) {
		fault->found = rule.first;
		*note_out = "without a unit; it counts KiB";
	}
	return 0;
}

static int
parse_quota_grace(const char *value, const char **note_out,
	struct conf_quota_fault *fault)
{
	struct conf_quota_grace grace;

	(void)note_out;
	return conf_quota_parse_grace(str_from(value), &grace, fault);
}

static int
parse_quota_warning(const char *value, const char **note_out,
	struct conf_quota_fault *fault)
{
	struct conf_quota_warning warning;

	(void)note_out;
	return conf_quota_parse_warning(str_from(value), &warning, fault);
}

/* An empty value takes an earlier one back. */
static void
check_quota_family(struct check *check, const char *key_name,
	const struct conf_family *family, quota_parse *parse)
{
	const struct conf_key *key =
		conf_key_find(&conf_top_keys, str_from(key_name));
	size_t i;

	for (i = 0; i < family->count; i++) {
		const struct conf_numbered *item = &family->items[i];
		struct conf_quota_fault fault;
		const char *note = NULL, *name;

		if (item->value[0] == '\0')
			continue;
		name = conf_family_name(
			check->arena, key, item->root, item->number);
		if (parse(item->value, &note, &fault) < 0)
			ERROR(check, item->place,
				"%s: found \"%.*s\", expected %s", name,
				STR_ARG(fault.found), fault.expected);
		else if (note != NULL)
			WARNING(check, item->place, "%s: found \"%.*s\" %s",
				name, STR_ARG(fault.found), note);
	}
}

static bool
has_quota_root(const struct settings *settings, unsigned number)
{
	size_t i;

	/* The root's number is what follows "quota" in both names. */
	for (i = 0; i < settings->quota.count; i++)
		if (settings->quota.items[i].number == number &&
			settings->quota.items[i].value[0] != '\0')
			return true;
	return false;
}

/* What an earlier rule for "*" gives. */
static struct conf_quota_rule
default_before(const struct conf_family *family, size_t place)
{
	struct conf_quota_rule sum = {.is_default = true}, rule;
	struct conf_quota_fault fault;
	size_t i;

	for (i = 0; i < place; i++) {
		if (family->items[i].root != family->items[place].root ||
			conf_quota_parse_rule(str_from(family->items[i].value),
				&rule, &fault) < 0 ||
			!rule.is_default)
			continue;
		sum.storage.number =
			conf_quota_apply(&rule.storage, sum.storage.number);
		sum.messages.number =
			conf_quota_apply(&rule.messages, sum.messages.number);
	}
	return sum;
}

static bool
is_of_nothing(const struct conf_quota_limit *limit, uint64_t base)
{
	return base == 0 && limit->number > 0 &&
	       (limit->is_share || limit->change == CONF_QUOTA_PLUS ||
		       limit->change == CONF_QUOTA_MINUS);
}

/* A share of no limit is no limit. */
static void
check_quota_defaults(struct check *check, const struct conf_family *family)
{
	const struct conf_key *key =
		conf_key_find(&conf_top_keys, STR("quota_rule"));
	size_t i;

	for (i = 0; i < family->count; i++) {
		const struct conf_numbered *item = &family->items[i];
		struct conf_quota_rule rule, before;
		struct conf_quota_fault fault;

		if (conf_quota_parse_rule(
			    str_from(item->value), &rule, &fault) < 0 ||
			!rule.is_default)
			continue;
		before = default_before(family, i);
		if (is_of_nothing(&rule.storage, before.storage.number) ||
			is_of_nothing(&rule.messages, before.messages.number))
			WARNING(check, item->place,
				"%s: found \"%s\", relative to no limit; so "
				"there is none",
				conf_family_name(check->arena, key, item->root,
					item->number),
				item->value);
	}
}

/* A limit that nothing knows of is no limit. */
static void
check_quota_root(struct check *check, const char *key_name,
	const struct conf_family *family)
{
	const struct conf_key *key =
		conf_key_find(&conf_top_keys, str_from(key_name));
	size_t i;

	for (i = 0; i < family->count; i++) {
		const struct conf_numbered *item = &family->items[i];

		if (item->value[0] == '\0' ||
			has_quota_root(check->settings, item->root))
			continue;
		WARNING(check, item->place,
			"%s: has no effect, as there is no %s",
			conf_family_name(
				check->arena, key, item->root, item->number),
			item->root == 1 ? "quota"
					: arena_format(check->arena, "quota%u",
						  item->root));
	}
}

static void
check_quota(struct check *check)
{
	const struct settings *settings = check->settings;

	check_quota_family(check, "quota", &settings->quota, parse_quota_root);
	check_quota_family(
		check, "quota_rule", &settings->quota_rule, parse_quota_rule);
	check_quota_family(check, "quota_grace", &settings->quota_grace,
		parse_quota_grace);
	check_quota_family(check, "quota_warning", &settings->quota_warning,
		parse_quota_warning);
	check_quota_defaults(check, &settings->quota_rule);
	check_quota_root(check, "quota_rule", &settings->quota_rule);
	check_quota_root(check, "quota_warning", &settings->quota_warning);
}

/* ---- settings that go together ---- */

static bool
is_one_of(const char *text, const char *const *words)
{
	for (; *words != NULL; words++)
		if (str_is(str_from(text), *words))
			return true;
	return false;
}

static void
check_userdbs(struct check *check)
{
	static const char *const drivers[] = {
		"passwd-file", "static", "passwd", NULL};
	size_t i;

	for (i = 0; i < check->settings->userdb_count; i++) {
		const struct conf_userdb *db = &check->settings->userdbs[i];

		if (!is_one_of(db->driver, drivers))
			ERROR(check, db->place,
				"userdb: found driver \"%s\", expected "
				"passwd-file, static or passwd",
				db->driver);
		if (db->skip != CONF_SKIP_NEVER ||
			db->result_success != CONF_RESULT_RETURN_OK ||
			db->result_failure != CONF_RESULT_CONTINUE ||
			db->result_internalfail != CONF_RESULT_CONTINUE)
			WARNING(check, db->place,
				"userdb: skip and result_* have no effect; "
				"the databases are asked in order until one "
				"knows the user");
	}
}

/* ---- where mail goes ---- */

static void
check_location(struct check *check, const char *name, const char *location,
	struct conf_place place)
{
	static const struct str drivers[] = {STR("maildir:"), STR("mbox:")};
	struct str value = str_from(location);
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(drivers); i++)
		if (str_starts(value, drivers[i]) && value.len > drivers[i].len)
			return;
	ERROR(check, place,
		"%s: found \"%s\", expected maildir:PATH or mbox:PATH", name,
		location);
}

static void
check_locations(struct check *check)
{
	const struct settings *settings = check->settings;
	size_t i;

	check_location(check, "mail_location", settings->mail_location,
		conf_place(settings, "mail_location"));
	for (i = 0; i < settings->namespace_count; i++) {
		const struct conf_namespace *space = &settings->namespaces[i];

		/* Empty: it is where mail_location says. */
		if (space->location[0] != '\0')
			check_location(check, "location", space->location,
				space->place);
	}
}

static void
check_outgoing(struct check *check)
{
	const struct settings *settings = check->settings;

	if (settings->sendmail_path[0] != '/')
		ERROR(check, conf_place(settings, "sendmail_path"),
			"sendmail_path: found \"%s\", expected a program that "
			"takes outgoing mail, such as /usr/sbin/sendmail",
			settings->sendmail_path);
}

static void
check_namespaces(struct check *check)
{
	const struct settings *settings = check->settings;
	const struct conf_namespace *inbox = NULL;
	size_t i;

	for (i = 0; i < settings->namespace_count; i++) {
		const struct conf_namespace *space = &settings->namespaces[i];

		if (!space->inbox)
			continue;
		if (inbox != NULL)
			ERROR(check, space->place,
				"namespace %s: inbox = yes stands in namespace "
				"%s, too",
				space->name, inbox->name);
		inbox = space;
	}
	if (settings->namespace_count > 0 && inbox == NULL)
		WARNING(check, settings->namespaces[0].place,
			"no namespace has inbox = yes");
}

/* ---- what Sieve is told of folders ---- */

static void
check_uses(struct check *check, const struct conf_mailbox *mailbox)
{
	const struct conf_list *uses = &mailbox->special_use;
	size_t i;

	for (i = 0; i < uses->count; i++)
		if (uses->items[i][0] != '\\')
			WARNING(check, mailbox->place,
				"mailbox %s: special_use: found \"%s\", "
				"expected words behind a backslash such as "
				"\\Junk",
				mailbox->name, uses->items[i]);
}

static void
check_mailboxes(struct check *check)
{
	const struct settings *settings = check->settings;
	size_t i, n;

	for (i = 0; i < settings->mailbox_count; i++)
		check_uses(check, &settings->mailboxes[i]);
	for (i = 0; i < settings->namespace_count; i++)
		for (n = 0; n < settings->namespaces[i].mailbox_count; n++)
			check_uses(
				check, &settings->namespaces[i].mailboxes[n]);
}

static void
check_attribute_dict(struct check *check)
{
	const char *dict = check->settings->mail_attribute_dict;

	if (dict[0] != '\0' && !str_starts(str_from(dict), STR("file:")))
		WARNING(check,
			conf_place(check->settings, "mail_attribute_dict"),
			"mail_attribute_dict: found \"%s\", only file:PATH is "
			"read; scripts see no annotations",
			dict);
}

static void
check_protocols(struct check *check)
{
	const struct conf_list *list = &check->settings->protocols;
	size_t i;

	for (i = 0; i < list->count; i++)
		if (!conf_is_protocol(str_from(list->items[i])))
			WARNING(check, conf_place(check->settings, "protocols"),
				"protocols: %s does not concern Doorstep and "
				"is ignored",
				list->items[i]);
}

/* The front of "<ADDRESS>" is easily lost: unquoted it names a file. */
static void
check_return_path(struct check *check, const char *name, const char *value)
{
	static const char *const words[] = {"sender", "recipient",
		"orig_recipient", "user_email", "postmaster", NULL};

	if (!is_one_of(value, words) &&
		!(str_starts(str_from(value), STR("<")) &&
			str_ends(str_from(value), STR(">"))))
		ERROR(check, conf_place(check->settings, name),
			"%s: found \"%s\", expected sender, recipient, "
			"orig_recipient, user_email, postmaster or "
			"\"<ADDRESS>\"",
			name, value);
}

static void
check_return_paths(struct check *check)
{
	const struct settings *settings = check->settings;

	check_return_path(check, "sieve_redirect_envelope_from",
		settings->sieve_redirect_envelope_from);
	if (settings->sieve_report_from[0] != '\0')
		check_return_path(check, "sieve_report_from",
			settings->sieve_report_from);
	if (settings->sieve_notify_mailto_envelope_from[0] != '\0')
		check_return_path(check, "sieve_notify_mailto_envelope_from",
			settings->sieve_notify_mailto_envelope_from);
}

/* A delivery would only find out with the mail in its hands. */
static void
check_sieve_engine(struct check *check)
{
#ifdef HAVE_LIBSIEVE
	(void)check;
#else
	if (check->settings->sieve_engine == CONF_SIEVE_ENGINE_LIBSIEVE)
		ERROR(check, conf_place(check->settings, "sieve_engine"),
			"sieve_engine: this build is without libsieve; "
			"expected native");
#endif
}

/* ---- listeners ---- */

static bool
is_loopback(const char *text)
{
	static const unsigned char last[16] = {[15] = 1};
	unsigned char bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1)
		return bytes[0] == 127;
	return inet_pton(AF_INET6, text, bytes) == 1 &&
	       memcmp(bytes, last, sizeof(last)) == 0;
}

/* The first address that other hosts can reach; NULL: none. */
static const char *
find_reachable(const struct conf_listener *listener)
{
	size_t i;

	if (!listener->is_inet || listener->port == 0)
		return NULL;
	if (listener->address.count == 0)
		return "all addresses";
	for (i = 0; i < listener->address.count; i++)
		if (!is_loopback(listener->address.items[i]))
			return listener->address.items[i];
	return NULL;
}

/* ---- external lists (RFC 6134) ---- */

static bool
is_file_of_list(struct str text)
{
	static const struct str kinds[] = {{"file:", 5}, {"lines:", 6},
		{"hash:", 5}, {"btree:", 6}, {"cdb:", 4}, {"texthash:", 9}};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(kinds); i++)
		if (str_starts(text, kinds[i]) && text.len > kinds[i].len)
			return true;
	return false;
}

/* Those that need a connection; a delivery makes none. */
static bool
is_remote(struct str text)
{
	static const struct str kinds[] = {{"redis:", 6}, {"ldap:", 5},
		{"sql:", 4}, {"mysql:", 6}, {"pgsql:", 6}, {"proxy:", 6},
		{"memcached:", 10}};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(kinds); i++)
		if (str_starts(text, kinds[i]))
			return true;
	return false;
}

/* What is wrong with it; an empty text: nothing.  The path takes all that is left,
 * blanks included. */
static struct str
wrong_part_of_list(struct str rest)
{
	struct str size = STR("max_lookup_size="), word;
	uint64_t bytes;

	if (!str_next_word(&rest, &word) || !str_has_char(word, ':'))
		return STR("no name");
	for (rest = str_trim(rest); rest.len > 0; rest = str_trim(rest)) {
		if (is_file_of_list(rest))
			return STR_EMPTY;
		(void)str_next_word(&rest, &word);
		if (!str_starts(word, size) ||
			number_parse_size(str_skip(word, size.len), 1, &bytes) <
				0)
			return word;
	}
	return STR_EMPTY;
}

/* "FROM TO PROGRAM"; nothing in it is a variable. */
static bool
is_converter(struct str value)
{
	struct str from, to, program, more;

	return str_next_word(&value, &from) && str_next_word(&value, &to) &&
	       str_next_word(&value, &program) &&
	       !str_next_word(&value, &more) && str_has_char(from, '/') &&
	       str_has_char(to, '/') && !str_has_char(program, '/') &&
	       program.data[0] != '.';
}

static void
check_converters(struct check *check)
{
	const struct conf_family *all = &check->settings->sieve_convert;
	size_t i;

	for (i = 0; i < all->count; i++)
		if (!is_converter(str_from(all->items[i].value)))
			ERROR(check, all->items[i].place,
				"sieve_convert: found \"%s\", expected FROM TO "
				"PROGRAM, as in image/tiff image/jpeg "
				"tiff2jpeg",
				all->items[i].value);
}

static void
check_lists(struct check *check)
{
	const struct conf_family *lists = &check->settings->sieve_extlists_list;
	size_t i;

	for (i = 0; i < lists->count; i++) {
		struct str wrong =
			wrong_part_of_list(str_from(lists->items[i].value));

		if (is_remote(wrong))
			ERROR(check, lists->items[i].place,
				"sieve_extlists_list: found %.*s, but a "
				"delivery connects to no data base: write the "
				"list into a file (file:, lines:, hash:, "
				"btree:, cdb:, texthash:)",
				STR_ARG(wrong));
		else if (wrong.len > 0)
			ERROR(check, lists->items[i].place,
				"sieve_extlists_list: found %.*s in \"%s\", "
				"expected NAME max_lookup_size=SIZE file:PATH, "
				"where NAME is a URI such as "
				"tag:example.org,2026:friends",
				STR_ARG(wrong), lists->items[i].value);
	}
}

static bool
has_everybody(const struct conf_networks *networks)
{
	size_t i;

	for (i = 0; i < networks->count; i++)
		if (networks->items[i].bits == 0)
			return true;
	return false;
}

static bool
is_of_policy(
	const struct settings *settings, const struct conf_listener *listener)
{
	size_t i;

	for (i = 0; i < settings->service_count; i++) {
		const struct conf_service *service = &settings->services[i];

		if (listener >= service->listeners &&
			listener < service->listeners + service->listener_count)
			return strcmp(service->name, "quota-status") == 0;
	}
	return false;
}

static const char *
policy_warning(struct arena *arena, const struct settings *settings,
	const struct conf_listener *listener, const char *address)
{
	if (conf_place(settings, "quota_status_allowed_networks").file[0] ==
		'\0')
		return arena_format(arena,
			"inet_listener %s listens on %s, but "
			"quota_status_allowed_networks has its default: other "
			"hosts are turned away; name those of Postfix",
			listener->name, address);
	if (has_everybody(&settings->quota_status_allowed_networks))
		return arena_format(arena,
			"inet_listener %s listens on %s, and "
			"quota_status_allowed_networks lets everybody in: "
			"whoever can reach it can learn who is a user",
			listener->name, address);
	return NULL;
}

const char *
conf_listener_warning(struct arena *arena, const struct settings *settings,
	const struct conf_listener *listener)
{
	const char *address = find_reachable(listener);

	if (address == NULL)
		return NULL;
	if (is_of_policy(settings, listener))
		return policy_warning(arena, settings, listener, address);
	if (conf_place(settings, "lmtp_allowed_networks").file[0] == '\0')
		return arena_format(arena,
			"inet_listener %s listens on %s, but "
			"lmtp_allowed_networks has its default: other hosts "
			"are turned away with 421; name those that may deliver "
			"there, for example lmtp_allowed_networks = "
			"127.0.0.0/8 ::1 192.0.2.0/24",
			listener->name, address);
	if (has_everybody(&settings->lmtp_allowed_networks))
		return arena_format(arena,
			"inet_listener %s listens on %s, and "
			"lmtp_allowed_networks lets everybody in: whoever can "
			"reach it can put mail into any mailbox, past every "
			"filter, and nothing is encrypted; name the hosts that "
			"may deliver",
			listener->name, address);
	return NULL;
}

static void
check_listeners(struct check *check)
{
	const struct settings *settings = check->settings;
	size_t i, j;

	for (i = 0; i < settings->service_count; i++) {
		const struct conf_service *service = &settings->services[i];

		for (j = 0; j < service->listener_count; j++) {
			const struct conf_listener *listener =
				&service->listeners[j];
			const char *text = conf_listener_warning(
				check->arena, settings, listener);

			if (text != NULL)
				WARNING(check, listener->place, "%s", text);
		}
	}
}

/* ---- log files ---- */

static bool
may(const char *path, int mode)
{
	return faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0;
}

/* Lines for a log file that cannot be written go to syslog, and nobody would look
 * for them there. */
static void
check_log(struct check *check, const char *name, const char *target)
{
	struct str path = str_from(target);
	size_t slash = str_find_last_char(path, '/');
	const char *culprit = target;
	struct stat status;

	/* /dev/stderr is the caller's, whoever that will be. */
	if (!str_starts(path, STR("/")) || str_starts(path, STR("/dev/std")))
		return;
	if (stat(target, &status) < 0) {
		culprit = arena_text(check->arena,
			str_slice(path, 0, slash == 0 ? 1 : slash));
		if (errno == ENOENT && may(culprit, W_OK | X_OK))
			return;
	} else if (S_ISDIR(status.st_mode)) {
		errno = EISDIR;
	} else if (may(target, W_OK)) {
		return;
	}
	WARNING(check, conf_place(check->settings, name),
		"%s: cannot write to %s: %s; lines would go to syslog", name,
		culprit, strerror(errno));
}

static void
check_logs(struct check *check)
{
	check_log(check, "log_path", check->settings->log_path);
	check_log(check, "info_log_path", check->settings->info_log_path);
	check_log(check, "debug_log_path", check->settings->debug_log_path);
}

/* A setting that seems to work and does nothing is worse than an unknown one. */
static void
check_later(struct check *check, const struct conf_key *key)
{
	const struct conf_family *family;
	struct conf_place place = conf_place(check->settings, key->name);

	if (!conf_key_is_later(key))
		return;
	if (key->type == CONF_TYPE_FAMILY) {
		family = (const struct conf_family *)(const void
				*)((const char *)check->settings + key->offset);
		if (family->count == 0)
			return;
		place = family->items[0].place;
	}
	if (place.file[0] != '\0')
		WARNING(check, place, "%s: has no effect in this release",
			key->name);
}

/* Does the field of `object` have its key's default? */
static bool
is_default(struct check *check, const struct conf_key *key, const void *object)
{
	const char *expected;
	struct buf given, fallback;
	bool is_equal;
	void *other = arena_alloc(check->arena, sizeof(struct settings));

	if (conf_value_parse(check->arena, key, str_from(key->fallback), other,
		    &expected) < 0)
		return true;
	buf_init(&given, BUF_UNLIMITED);
	buf_init(&fallback, BUF_UNLIMITED);
	conf_value_format(key, object, &given);
	conf_value_format(key, other, &fallback);
	is_equal = str_equal(buf_view(&given), buf_view(&fallback));
	buf_clear(&given);
	buf_clear(&fallback);
	return is_equal;
}

/* Dovecot's way to deliver all mail as one user. */
static const char *
instead_of(const struct conf_keys *keys, const char *name)
{
	if (keys == &conf_service_keys && strcmp(name, "user") == 0)
		return ": where all mail is one user's, set mail_uid to that "
		       "user, or start the server as that user";
	if (keys == &conf_service_keys && strcmp(name, "group") == 0)
		return ": where all mail is one group's, set mail_gid";
	return "";
}

static void
check_block_later(struct check *check, const struct conf_keys *keys,
	const void *block, const char *name, struct conf_place place)
{
	size_t i;

	for (i = 0; i < keys->count; i++)
		if (conf_key_is_later(&keys->items[i]) &&
			!is_default(check, &keys->items[i], block))
			WARNING(check, place,
				"%s: %s has no effect in this release%s", name,
				keys->items[i].name,
				instead_of(keys, keys->items[i].name));
}

/* ---- groups of backends ---- */

static void
check_backend(
	struct check *check, const struct conf_proxy_group *group, size_t place)
{
	const struct conf_backend *backend = &group->backends[place];
	struct conf_backend_address address, other;
	size_t i;

	if (!conf_backend_parse(check->arena, backend->name, &address)) {
		ERROR(check, backend->place,
			"backend: found \"%s\", expected HOST, HOST:PORT or "
			"[IPv6]:PORT",
			backend->name);
		return;
	}
	for (i = 0; i < place; i++)
		if (conf_backend_parse(
			    check->arena, group->backends[i].name, &other) &&
			other.port == address.port &&
			str_is_nocase(str_from(other.host), address.host))
			ERROR(check, backend->place,
				"backend %s: is in proxy_group %s already",
				backend->name, group->name);
}

static void
check_proxy_group(struct check *check, const struct conf_proxy_group *group)
{
	uint64_t weights = 0;
	size_t i;

	if (!conf_is_group_name(str_from(group->name)))
		ERROR(check, group->place,
			"proxy_group: found \"%s\", expected a name of "
			"letters, "
			"digits, - and _",
			group->name);
	for (i = 0; i < group->backend_count; i++) {
		check_backend(check, group, i);
		weights += group->backends[i].weight;
	}
	if (weights == 0)
		ERROR(check, group->place,
			"proxy_group %s: has no backend with a weight",
			group->name);
}

static void
check_proxy_groups(struct check *check)
{
	size_t i;

	for (i = 0; i < check->settings->proxy_group_count; i++)
		check_proxy_group(check, &check->settings->proxy_groups[i]);
}

static void
check_service_later(struct check *check, const struct conf_service *service)
{
	size_t i;

	check_block_later(check, &conf_service_keys, service, service->name,
		service->place);
	for (i = 0; i < service->listener_count; i++)
		check_block_later(check, &conf_listener_keys,
			&service->listeners[i], service->listeners[i].name,
			service->listeners[i].place);
}

static void
check_all_later(struct check *check)
{
	const struct settings *settings = check->settings;
	size_t i;

	for (i = 0; i < conf_top_keys.count; i++)
		check_later(check, &conf_top_keys.items[i]);
	for (i = 0; i < settings->service_count; i++)
		check_service_later(check, &settings->services[i]);
}

void
conf_check(struct arena *arena, const struct settings *settings,
	struct conf_report *report)
{
	struct check check = {arena, report, settings};

	check_patterns(&check);
	check_templates(&check);
	check_locations(&check);
	check_outgoing(&check);
	check_return_paths(&check);
	check_sieve_engine(&check);
	check_lists(&check);
	check_converters(&check);
	check_quota(&check);
	check_proxy_groups(&check);
	if (!report->is_thorough)
		return;
	check_all_later(&check);
	check_all_gaps(&check);
	check_userdbs(&check);
	check_namespaces(&check);
	check_mailboxes(&check);
	check_attribute_dict(&check);
	check_protocols(&check);
	check_listeners(&check);
	check_logs(&check);
}
