/* enotify - telling somebody about a message: notify, valid_notify_method,
 * notify_method_capability (RFC 5435) with the method mailto (RFC 5436)
 *
 * The action holds the URI as it was written, found to be good; the delivery makes
 * a message of it (deliver/notify.h).
 *
 * SPDX-License-Identifier: MIT
 */
#include "mail/letter.h"
#include "mail/mailto.h"
#include "sieve/check.h"
#include "sieve/compare.h"
#include "sieve/evaluate.h"
#include "sieve/ext/fcc.h"
#include "sieve/ext/newmessage.h"
#include "sieve/registry.h"

#include "base/banned.h"

enum {
	STEP_OCTETS = 1024,
	/* Memory for one byte of a URI that is read. */
	READ_FOR_A_BYTE = 8
};

/* ---- methods ---- */

enum method { METHOD_GOOD, METHOD_UNKNOWN, METHOD_BROKEN };

/* "xmpp" of "xmpp:tim@example.com"; empty: it is no URI (RFC 3986 3.1). */
static struct str
scheme_of(struct str uri)
{
	size_t end = str_find_char(uri, ':'), i;

	if (end == uri.len || end == 0 || !ascii_is_alpha(uri.data[0]))
		return STR_EMPTY;
	for (i = 1; i < end; i++)
		if (!ascii_is_alpha(uri.data[i]) &&
			!ascii_is_digit(uri.data[i]) && uri.data[i] != '+' &&
			uri.data[i] != '-' && uri.data[i] != '.')
			return STR_EMPTY;
	return str_slice(uri, 0, end);
}

/* `why_out` is for METHOD_UNKNOWN and METHOD_BROKEN. */
static enum method
read_method(struct arena *arena, const struct sieve_settings *settings,
	struct str uri, const char **why_out)
{
	struct str scheme = scheme_of(uri);
	struct mailto mailto;
	struct err err;

	if (scheme.len == 0) {
		*why_out = "it is no URI such as \"mailto:amy@example.org\"";
		return METHOD_BROKEN;
	}
	if (!mailto_is(uri)) {
		*why_out = arena_format(arena,
			"the method \"%.*s\" is not offered here, only "
			"\"mailto\" is",
			STR_ARG(scheme));
		return METHOD_UNKNOWN;
	}
	if (mailto_parse(arena, uri, settings->max_notify_recipients,
		    settings->max_notify_headers, &mailto, &err) < 0) {
		*why_out = arena_text(arena, str_from(err.text));
		return METHOD_BROKEN;
	}
	return METHOD_GOOD;
}

static enum sieve_status
charge_method(struct run *run, struct str uri)
{
	size_t lists = run->settings.max_notify_recipients +
	               run->settings.max_notify_headers;

	if (run_charge(run, 1 + uri.len / STEP_OCTETS) != SIEVE_OK)
		return SIEVE_FAILED;
	return run_reserve(
		run, (uint64_t)uri.len * READ_FOR_A_BYTE +
			     (uint64_t)lists * sizeof(struct mailto_header));
}

/* ---- parameters ---- */

static bool
is_importance(struct str text)
{
	return text.len == 1 && text.data[0] >= '1' && text.data[0] <= '3';
}

/* RFC 5435 3.5: optionname "=" value */
static bool
is_option(struct str text)
{
	size_t equals = str_find_char(text, '='), i;

	if (equals == 0 || equals == text.len ||
		str_find_any(text, "\n\r") < text.len ||
		str_has_char(text, '\0'))
		return false;
	for (i = 0; i < equals; i++)
		if (!ascii_is_alpha(text.data[i]) &&
			!ascii_is_digit(text.data[i]) &&
			(i == 0 || str_find_char(STR(".-_"), text.data[i]) ==
					   STR(".-_").len))
			return false;
	return true;
}

static const char importance_is_wrong[] =
	":importance %s is wrong: it is \"1\" (high), \"2\" or \"3\" (low)";
static const char sender_is_wrong[] =
	":from %s is no address, such as \"amy@example.org\"";
static const char option_is_wrong[] =
	"the option %s is wrong: it is NAME=VALUE, and NAME is of letters, "
	"digits, "
	"\".\", \"-\" and \"_\"";
static const char method_is_wrong[] = "notify: %s: %s";
static const char is_prohibited[] =
	"local policy prohibits the use of a notify action "
	"(sieve_notify_max_notifications = 0)";

static void
check_constant_tag(struct checker *checker, const struct call *call,
	enum tag_group group, bool (*is_good)(struct arena *, struct str),
	struct arena *scratch, const char *format)
{
	const struct tag_use *use = call_tag(call, group);
	size_t i;

	for (i = 0; use != NULL && i < use->argument.count; i++) {
		const struct text *text = &use->argument.texts[i];

		if (text_is_constant(text) && !is_good(scratch, text->constant))
			check_error(checker, text->at, format,
				check_quote(checker, text->constant));
	}
}

static bool
is_good_importance(struct arena *arena UNUSED, struct str text)
{
	return is_importance(text);
}

static bool
is_good_option(struct arena *arena UNUSED, struct str text)
{
	return is_option(text);
}

/* A method that is not offered here is an error only when the script comes there:
 * it may have asked before (RFC 5435 3.2). */
static void
check_method(
	struct checker *checker, const struct text *text, struct arena *scratch)
{
	const char *why = "";

	if (!text_is_constant(text))
		return;
	switch (read_method(scratch, checker->settings, text->constant, &why)) {
	case METHOD_GOOD:
		break;
	case METHOD_UNKNOWN:
		report_warning(checker->reporter, text->at,
			"notify: %s: the script fails when it comes here", why);
		break;
	case METHOD_BROKEN:
		check_error(checker, text->at, method_is_wrong,
			check_quote(checker, text->constant), why);
		break;
	}
}

static void
check_notify(struct checker *checker, struct ast_command *node)
{
	const struct call *call = node->call;
	struct arena *scratch = arena_open();

	if (checker->settings->notifications_prohibited)
		check_error(checker, call->at, is_prohibited);
	check_constant_tag(checker, call, GROUP_NOTIFY_IMPORTANCE,
		is_good_importance, scratch, importance_is_wrong);
	check_constant_tag(checker, call, GROUP_NOTIFY_FROM,
		newmessage_is_sender, scratch, sender_is_wrong);
	check_constant_tag(checker, call, GROUP_NOTIFY_OPTIONS, is_good_option,
		scratch, option_is_wrong);
	check_method(checker, call->arguments[0].texts, scratch);
	fcc_check(checker, node);
	arena_close(&scratch);
}

/* ---- notify ---- */

/* The tag's text; false: it is not there, or the run has failed. */
static bool
read_tag(struct run *run, const struct call *call, enum tag_group group,
	struct str *text_out, enum sieve_status *status)
{
	const struct tag_use *use = call_tag(call, group);

	if (use == NULL || *status != SIEVE_OK)
		return false;
	*status = run_text(run, use->argument.texts, text_out);
	return *status == SIEVE_OK;
}

static enum sieve_status
check_options(struct run *run, const struct call *call)
{
	const struct tag_use *use = call_tag(call, GROUP_NOTIFY_OPTIONS);
	const struct str *options;
	size_t i;

	if (use == NULL)
		return SIEVE_OK;
	if (run_texts(run, &use->argument, &options) != SIEVE_OK)
		return SIEVE_FAILED;
	for (i = 0; i < use->argument.count; i++)
		if (!is_option(options[i]))
			return run_fail(run, option_is_wrong,
				report_quote(&run->reporter, options[i]));
	return SIEVE_OK;
}

/* RFC 5435 3.3, RFC 5436 2.7: what is no address is not there.  What a sender puts
 * into a name must not end the script. */
static void
read_from(struct run *run, const struct call *call, struct sieve_notify *notify,
	enum sieve_status *status)
{
	struct str from;

	if (!read_tag(run, call, GROUP_NOTIFY_FROM, &from, status))
		return;
	*status = newmessage_charge(run, from);
	if (*status != SIEVE_OK)
		return;
	from = letter_line(run->scratch, from);
	if (newmessage_is_sender(run->scratch, from))
		notify->from = from;
	else
		report_note(&run->reporter,
			call_tag(call, GROUP_NOTIFY_FROM)->argument.texts->at,
			"notify: :from %s is not one address: the postmaster's "
			"is taken",
			report_quote(&run->reporter, from));
}

static enum sieve_status
read_tags(struct run *run, const struct call *call, struct sieve_notify *notify)
{
	enum sieve_status status = check_options(run, call);
	struct str importance = STR("2");

	if (read_tag(
		    run, call, GROUP_NOTIFY_IMPORTANCE, &importance, &status) &&
		!is_importance(importance))
		return run_fail(run, importance_is_wrong,
			report_quote(&run->reporter, importance));
	notify->importance = importance.data[0];
	read_from(run, call, notify, &status);
	notify->has_message = read_tag(
		run, call, GROUP_NOTIFY_MESSAGE, &notify->message, &status);
	return status;
}

static enum sieve_status
read_uri(struct run *run, const struct text *text, struct str *uri_out)
{
	const char *why = "";

	if (run_text(run, text, uri_out) != SIEVE_OK ||
		charge_method(run, *uri_out) != SIEVE_OK)
		return SIEVE_FAILED;
	if (read_method(run->scratch, &run->settings, *uri_out, &why) !=
		METHOD_GOOD)
		return run_fail(run, method_is_wrong,
			report_quote(&run->reporter, *uri_out), why);
	return SIEVE_OK;
}

static enum sieve_status
act_notify(struct run *run, const struct call *call)
{
	struct arena *arena = run->result->arena;
	struct sieve_notify *notify = ARENA_NEW(arena, struct sieve_notify);
	struct pending_action pending = {
		.action = {.kind = SIEVE_NOTIFY, .notify = notify}};

	if (run->settings.notifications_prohibited)
		return run_fail(run, is_prohibited);
	if (read_tags(run, call, notify) != SIEVE_OK ||
		read_uri(run, call->arguments[0].texts, &notify->method) !=
			SIEVE_OK ||
		run_reserve(run, notify->method.len + notify->from.len +
					 notify->message.len) != SIEVE_OK ||
		fcc_read(run, call, &pending.action) != SIEVE_OK)
		return SIEVE_FAILED;
	notify->method = arena_copy(arena, notify->method);
	notify->from = arena_copy(arena, notify->from);
	notify->message = arena_copy(arena, notify->message);
	return run_add_action(run, call, &pending);
}

const struct command_ops command_notify = {
	.check = check_notify,
	.act = act_notify,
};

/* ---- valid_notify_method (RFC 5435 4) ---- */

static enum sieve_status
test_valid(struct run *run, const struct call *call, bool *answer_out)
{
	const struct argument *argument = &call->arguments[0];
	const struct str *uris;
	const char *why;
	size_t i;

	*answer_out = true;
	if (run_texts(run, argument, &uris) != SIEVE_OK)
		return SIEVE_FAILED;
	for (i = 0; i < argument->count && *answer_out; i++) {
		if (charge_method(run, uris[i]) != SIEVE_OK)
			return SIEVE_FAILED;
		*answer_out = read_method(run->scratch, &run->settings, uris[i],
				      &why) == METHOD_GOOD;
	}
	run_trace_test(run, call,
		argument->count > 0 ? uris[i > 0 ? i - 1 : 0] : STR_EMPTY,
		*answer_out);
	return SIEVE_OK;
}

const struct command_ops command_valid_notify_method = {.test = test_valid};

/* ---- notify_method_capability (RFC 5435 5) ---- */

static enum sieve_status
compare_online(struct run *run, const struct call *call, bool *answer_out)
{
	struct compare compare;

	/* RFC 5436 2.2: nobody knows who reads mail now. */
	if (compare_start(&compare, run, call, 2) != SIEVE_OK ||
		compare_value(&compare, STR("maybe")) != SIEVE_OK)
		return SIEVE_FAILED;
	compare_end(&compare, answer_out);
	return SIEVE_OK;
}

static enum sieve_status
test_capability(struct run *run, const struct call *call, bool *answer_out)
{
	struct str uri, capability;
	const char *why;

	*answer_out = false;
	if (run_text(run, call->arguments[0].texts, &uri) != SIEVE_OK ||
		run_text(run, call->arguments[1].texts, &capability) !=
			SIEVE_OK ||
		charge_method(run, uri) != SIEVE_OK)
		return SIEVE_FAILED;
	if (str_is_nocase(capability, "online") &&
		read_method(run->scratch, &run->settings, uri, &why) ==
			METHOD_GOOD)
		return compare_online(run, call, answer_out);
	run_trace_test(run, call, uri, *answer_out);
	return SIEVE_OK;
}

const struct command_ops command_notify_method_capability = {
	.test = test_capability,
};
