/* SPDX-License-Identifier: MIT */
#include "conf/quota.h"

#include "base/number.h"

#include "base/banned.h"

enum { KIB = 1024, WHOLE = 100 };

static const char limits_expected[] =
	"storage=SIZE, bytes=SIZE, messages=NUMBER, ignore or backend=TEXT";

static int
wrong(struct conf_quota_fault *fault, struct str found, const char *expected)
{
	*fault = (struct conf_quota_fault){found, expected};
	return -1;
}

/* Takes "%%" or "%" off the end. */
static bool
take_percent(struct str *text)
{
	if (!str_ends(*text, STR("%")))
		return false;
	text->len -= str_ends(*text, STR("%%")) ? 2 : 1;
	return true;
}

/* ---- quota ---- */

static void
take_parameter(struct conf_quota_root *root, struct str text, struct str word)
{
	if (str_is(word, "noenforcing")) {
		root->is_counted_only = true;
	} else if (str_is(word, "hidden")) {
		root->is_hidden = true;
	} else if (str_is(word, "ignoreunlimited")) {
		root->ignores_unlimited = true;
	} else if (str_starts(word, STR("ns="))) {
		root->has_prefix = true;
		root->prefix = str_skip(word, 3);
	} else if (root->rest.len == 0) {
		/* Up to the end: a driver's own may hold colons. */
		root->rest = str_skip(text, (size_t)(word.data - text.data));
	}
}

int
conf_quota_parse_root(struct str text, struct conf_quota_root *root_out,
	struct conf_quota_fault *fault)
{
	struct str rest = text, word;

	*root_out = (struct conf_quota_root){.driver = STR_EMPTY};
	if (!str_next_field(&rest, ':', &root_out->driver) ||
		root_out->driver.len == 0)
		return wrong(fault, text,
			"DRIVER:NAME, for example maildir:User quota");
	if (!str_next_field(&rest, ':', &root_out->name) ||
		root_out->name.len == 0)
		root_out->name = root_out->driver;
	if (str_is(root_out->driver, "dict"))
		(void)str_next_field(&rest, ':', &root_out->user);
	while (root_out->rest.len == 0 && str_next_field(&rest, ':', &word))
		take_parameter(root_out, text, word);
	return 0;
}

/* ---- where "dict" keeps the count ---- */

static const char redis_expected[] =
	"host=ADDRESS, port=NUMBER, path=SOCKET, prefix=TEXT, db=NUMBER or "
	"timeout_msecs=NUMBER; the password is quota_redis_password";

static bool
is_ipv4(struct str text)
{
	struct str rest = text, part;
	uint64_t number;
	int parts = 0;

	while (str_next_field(&rest, '.', &part)) {
		if (number_parse(part, &number) < 0 || number > UINT8_MAX)
			return false;
		parts++;
	}
	return parts == 4;
}

static bool
parse_between(
	struct str value, uint64_t least, uint64_t most, uint64_t *number_out)
{
	return number_parse(value, number_out) == 0 && *number_out >= least &&
	       *number_out <= most;
}

static bool
take_redis(struct conf_quota_dict *dict, struct str word)
{
	enum { DATABASES = 65535, LONGEST_MS = 60000 };
	size_t equals = str_find_char(word, '=');
	struct str name = str_slice(word, 0, equals);
	struct str value = str_skip(word, equals + 1);

	if (equals >= word.len)
		return false;
	if (str_is(name, "host"))
		dict->host = value;
	else if (str_is(name, "path"))
		dict->path = value;
	else if (str_is(name, "prefix"))
		dict->prefix = value;
	else if (str_is(name, "port"))
		return parse_between(value, 1, UINT16_MAX, &dict->port);
	else if (str_is(name, "db"))
		return parse_between(value, 0, DATABASES, &dict->database);
	else if (str_is(name, "timeout_msecs"))
		return parse_between(value, 1, LONGEST_MS, &dict->timeout_ms);
	else
		return false;
	return !str_is(name, "host") || is_ipv4(value);
}

int
conf_quota_parse_dict(struct str rest, struct conf_quota_dict *dict_out,
	struct conf_quota_fault *fault)
{
	enum { USUAL_PORT = 6379, USUAL_MS = 2000 };
	struct str whole = rest, word;

	*dict_out = (struct conf_quota_dict){.host = STR("127.0.0.1"),
		.port = USUAL_PORT,
		.timeout_ms = USUAL_MS};
	/* The field before it is empty where there is no USER. */
	while (str_starts(rest, STR(":")))
		rest = str_skip(rest, 1);
	if (rest.len == 0)
		return 0;
	if (!str_next_field(&rest, ':', &word) || !str_is(word, "redis"))
		return wrong(fault, whole,
			"dict:NAME:USER, whose count the server keeps, or "
			"dict:NAME:USER:redis:host=ADDRESS");
	dict_out->is_redis = true;
	/* State asks for all users. */
	if (str_has_char(whole, '%'))
		return wrong(fault, whole, "no variable behind redis:");
	while (str_next_field(&rest, ':', &word))
		if (word.len > 0 && !take_redis(dict_out, word))
			return wrong(fault, word, redis_expected);
	return 0;
}

/* ---- quota_rule ---- */

static int
parse_number(struct str value, bool is_storage, struct conf_quota_limit *limit)
{
	uint64_t number;

	limit->change = CONF_QUOTA_SET;
	if (value.len > 0 && (value.data[0] == '+' || value.data[0] == '-')) {
		limit->change = value.data[0] == '+' ? CONF_QUOTA_PLUS
		                                     : CONF_QUOTA_MINUS;
		value = str_skip(value, 1);
	}
	limit->is_share = take_percent(&value);
	if (!is_storage || limit->is_share)
		return number_parse(value, &limit->number);
	limit->lacks_unit = number_parse(value, &number) == 0 && number > 0;
	return number_parse_size(value, KIB, &limit->number);
}

static int
take_limit(struct conf_quota_rule *rule, struct str word,
	struct conf_quota_fault *fault)
{
	size_t equals = str_find_char(word, '=');
	struct str kind = str_slice(word, 0, equals);
	struct str value = str_skip(word, equals + 1);

	if (str_is(word, "ignore")) {
		rule->ignores = true;
		return 0;
	}
	if (str_is(kind, "backend"))
		return 0;
	if (equals < word.len && str_is(kind, "messages"))
		return parse_number(value, false, &rule->messages) < 0
		               ? wrong(fault, word, "messages=NUMBER")
		               : 0;
	if (equals == word.len ||
		(!str_is(kind, "storage") && !str_is(kind, "bytes")))
		return wrong(fault, word, limits_expected);
	if (parse_number(value, true, &rule->storage) < 0)
		return wrong(fault, word, "a size such as 1G");
	if (!str_is(kind, "bytes"))
		rule->first = word;
	else if (rule->storage.lacks_unit) {
		/* bytes=N counts what it says. */
		rule->storage.lacks_unit = false;
		rule->storage.number /= KIB;
	}
	return 0;
}

int
conf_quota_parse_rule(struct str text, struct conf_quota_rule *rule_out,
	struct conf_quota_fault *fault)
{
	struct str rest = text, word;

	*rule_out = (struct conf_quota_rule){.mask = STR_EMPTY};
	if (!str_next_field(&rest, ':', &rule_out->mask) || rest.len == 0 ||
		rule_out->mask.len == 0)
		return wrong(
			fault, text, "FOLDER:LIMITS, for example *:storage=1G");
	rule_out->is_weak = str_is(rule_out->mask, "?");
	rule_out->is_default = rule_out->is_weak || str_is(rule_out->mask, "*");
	while (str_next_field(&rest, ':', &word))
		if (take_limit(rule_out, word, fault) < 0)
			return -1;
	return 0;
}

uint64_t
conf_quota_share(uint64_t of, uint64_t percent)
{
	uint64_t product;

	if (number_multiply(of, percent, &product))
		return product / WHOLE;
	return number_multiply(of / WHOLE, percent, &product) ? product
	                                                      : UINT64_MAX;
}

uint64_t
conf_quota_apply(const struct conf_quota_limit *limit, uint64_t base)
{
	uint64_t number = limit->is_share
	                          ? conf_quota_share(base, limit->number)
	                          : limit->number;
	uint64_t sum;

	switch (limit->change) {
	case CONF_QUOTA_UNSAID:
		break;
	case CONF_QUOTA_SET:
		return number;
	case CONF_QUOTA_PLUS:
		if (base == 0)
			return 0;
		return number_add(base, number, &sum) ? sum : UINT64_MAX;
	case CONF_QUOTA_MINUS:
		if (base == 0)
			return 0;
		/* 0 would be no limit. */
		return number < base ? base - number : 1;
	}
	return base;
}

/* ---- quota_grace ---- */

int
conf_quota_parse_grace(struct str text, struct conf_quota_grace *grace_out,
	struct conf_quota_fault *fault)
{
	struct str value = text;

	grace_out->is_share = take_percent(&value);
	if (grace_out->is_share
			? number_parse(value, &grace_out->number) < 0
			: number_parse_size(value, KIB, &grace_out->number) < 0)
		return wrong(fault, text, "a share such as 10%% or a size");
	return 0;
}

/* ---- quota_warning ---- */

int
conf_quota_parse_warning(struct str text,
	struct conf_quota_warning *warning_out, struct conf_quota_fault *fault)
{
	static const char expected[] =
		"storage=SHARE%% COMMAND, messages=SHARE%% COMMAND or a size "
		"or number in place of the share";
	struct str rest = text, word, value;
	struct conf_quota_limit limit = {CONF_QUOTA_UNSAID, false, false, 0};
	size_t equals;

	*warning_out = (struct conf_quota_warning){.command = STR_EMPTY};
	if (!str_next_word(&rest, &word))
		return wrong(fault, text, expected);
	if (word.data[0] == '-' || word.data[0] == '+') {
		warning_out->is_downward = word.data[0] == '-';
		word = str_skip(word, 1);
	}
	equals = str_find_char(word, '=');
	value = str_skip(word, equals + 1);
	warning_out->is_messages =
		str_is(str_slice(word, 0, equals), "messages");
	if (equals == word.len || value.len == 0 ||
		!ascii_is_digit(value.data[0]) ||
		(!warning_out->is_messages &&
			!str_is(str_slice(word, 0, equals), "storage")) ||
		parse_number(value, !warning_out->is_messages, &limit) < 0 ||
		limit.number == 0)
		return wrong(fault, word, expected);
	warning_out->is_share = limit.is_share;
	warning_out->number = limit.number;
	warning_out->command = str_trim(rest);
	if (warning_out->command.len == 0)
		return wrong(fault, text, expected);
	return 0;
}
