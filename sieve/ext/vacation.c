/* vacation - an answer that says when the user will read this (RFC 5230, 6131)
 *
 *   arguments -> is there anything against an answer? -> who answers whom -> action
 *
 * What speaks against one is looked for in the message as it came (RFC 5293 7
 * has that for all that reports on a message), and told in the trace.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/digest.h"
#include "base/utf8.h"
#include "mail/automatic.h"
#include "mail/compose.h"
#include "mail/encodedword.h"
#include "mail/letter.h"
#include "sieve/addresspart.h"
#include "sieve/check.h"
#include "sieve/conflict.h"
#include "sieve/evaluate.h"
#include "sieve/ext/fcc.h"
#include "sieve/ext/newmessage.h"
#include "sieve/fields.h"
#include "sieve/registry.h"
#include "sieve/result.h"

#include "base/banned.h"

enum {
	/* The host may have to ask another process, or read a file. */
	STEPS_OF_AN_ANSWER = 1000,
	STEP_OCTETS = 1024,
	FIELDS_FOR_A_STEP = 8,
	DAY_SECONDS = 24 * 60 * 60,
	SUBJECT_MOST = 256, /* characters; more is cut off */
	DISPLAY_MOST = 256,
	MOST_OWN = 1000, /* addresses of one person */
	ANSWER_COST = 2048
};

/* RFC 6131 2: either name brings the command, only the second one :seconds. */
const struct extension_ops extension_vacation_seconds = {
	.brings = EXTENSION_VACATION,
};

/* ---- what the tables cannot say ---- */

static const char mime_is_wrong[] =
	"\":mime\": there are 8-bit bytes in the header of the reason";

/* RFC 5230 5: SHOULD be rejected. */
static void
check_mime(struct checker *checker, const struct call *call)
{
	const struct text *reason = call->arguments[0].texts;
	const struct content *entity;
	struct arena *scratch;

	if (call_tag(call, GROUP_VACATION_MIME) == NULL ||
		!text_is_constant(reason))
		return;
	scratch = arena_open();
	if (!letter_ready(scratch, NULL, reason->constant, &entity))
		check_error(checker, reason->at, "%s", mime_is_wrong);
	arena_close(&scratch);
}

/* The address that a text of :addresses is; false: it is none. */
static bool
read_own(struct arena *arena, struct str text, struct str *address_out)
{
	const struct address *found;

	if (address_parse_list(arena, text, 2, &found) != 1 ||
		found->is_broken || found->domain.len == 0)
		return false;
	*address_out = found->text;
	return true;
}

static void
check_addresses(struct checker *checker, const struct tag_use *use)
{
	struct arena *scratch = arena_open();
	struct str address;
	size_t i;

	for (i = 0; use != NULL && i < use->argument.count; i++) {
		const struct text *text = &use->argument.texts[i];

		if (text_is_constant(text) &&
			!read_own(scratch, text->constant, &address))
			report_warning(checker->reporter, text->at,
				"%s is no address, such as "
				"\"amy@example.org\": it never matches",
				check_quote(checker, text->constant));
	}
	arena_close(&scratch);
}

static void
check_vacation(struct checker *checker, struct ast_command *node)
{
	newmessage_check_from(
		checker, call_tag(node->call, GROUP_VACATION_FROM));
	check_addresses(
		checker, call_tag(node->call, GROUP_VACATION_ADDRESSES));
	check_mime(checker, node->call);
	fcc_check(checker, node);
}

/* ---- who the user is ---- */

struct answer {
	struct run *run;
	const struct call *call;
	struct address sender;
	struct str *own; /* the user's addresses */
	size_t own_count;
	size_t named;        /* the first of those that only the script names */
	struct str user;     /* the main one; empty: not known */
	struct str answered; /* the one that the message was sent to */
	const char *against; /* why there is no answer; NULL: nothing */
	struct sieve_vacation *vacation;
};

static void
add_own(struct answer *answer, struct str address)
{
	if (answer->own_count < MOST_OWN && address.len > 0)
		answer->own[answer->own_count++] = address;
}

static void
add_known(struct answer *answer)
{
	struct run *run = answer->run;
	const struct sieve_host_ops *ops = run->host->ops;
	struct address address;
	struct str alias;
	size_t i;

	if (ops->user_address != NULL &&
		ops->user_address(run->host, &address)) {
		answer->user = address.text;
		add_own(answer, address.text);
	}
	if ((answer->user.len == 0 || run->settings.vacation.knows_original) &&
		ops->envelope(run->host, SIEVE_ENVELOPE_TO, &address) &&
		address.domain.len > 0) {
		add_own(answer, address.text);
		if (answer->user.len == 0)
			answer->user = address.text;
	}
	for (i = 0; ops->user_alias != NULL && i < MOST_OWN &&
		    ops->user_alias(run->host, i, &alias);
		i++)
		add_own(answer, alias);
}

static enum sieve_status
find_own(struct answer *answer)
{
	struct run *run = answer->run;
	const struct tag_use *use =
		call_tag(answer->call, GROUP_VACATION_ADDRESSES);
	const struct str *values;
	struct str address;
	size_t i;

	answer->own = ARENA_ARRAY(run->scratch, struct str, MOST_OWN);
	add_known(answer);
	answer->named = answer->own_count;
	if (use == NULL)
		return SIEVE_OK;
	if (run_texts(run, &use->argument, &values) != SIEVE_OK ||
		run_charge(run, use->argument.count) != SIEVE_OK)
		return SIEVE_FAILED;
	for (i = 0; i < use->argument.count; i++)
		if (read_own(run->scratch, values[i], &address))
			add_own(answer, address);
	return SIEVE_OK;
}

/* Case matters to nobody who writes an address. */
static bool
is_address(const struct answer *answer, const struct address *found,
	struct str own)
{
	const char *delimiters = answer->run->settings.delimiters;
	struct str user = str_slice(found->local_part, 0,
		str_find_any(found->local_part, delimiters));
	size_t at = str_find_last_char(own, '@');

	if (str_equal_nocase(found->text, own))
		return true;
	return user.len > 0 && user.len < found->local_part.len &&
	       str_equal_nocase(user, str_slice(own, 0, at)) &&
	       str_equal_nocase(found->domain, str_skip(own, at + 1));
}

/* NULL: it is somebody else's. */
static const struct str *
match_own(const struct answer *answer, const struct address *found)
{
	size_t i;

	if (found->is_broken || found->domain.len == 0)
		return NULL;
	for (i = 0; i < answer->own_count; i++)
		if (is_address(answer, found, answer->own[i]))
			return &answer->own[i];
	return NULL;
}

/* ---- what speaks against an answer ---- */

static enum sieve_status
look_in_field(struct answer *answer, const struct header_field *field,
	const struct str **own_out)
{
	const struct address *addresses;
	size_t count, i;

	if (run_field_addresses(answer->run, field, &addresses, &count) !=
			SIEVE_OK ||
		run_charge(answer->run,
			1 + count * answer->own_count / STEP_OCTETS) !=
			SIEVE_OK)
		return SIEVE_FAILED;
	for (i = 0; i < count && *own_out == NULL; i++)
		*own_out = match_own(answer, &addresses[i]);
	return SIEVE_OK;
}

/* RFC 5230 4.5 */
static enum sieve_status
find_recipient(struct answer *answer)
{
	static const char *const names[] = {
		"To", "Cc", "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc"};
	const struct message *message = answer->run->message;
	const struct str *own = NULL;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(names) && own == NULL; i++) {
		const struct header_field *field = NULL;

		while (own == NULL &&
			(field = message_field_next(
				 message, str_from(names[i]), field)) != NULL)
			if (look_in_field(answer, field, &own) != SIEVE_OK)
				return SIEVE_FAILED;
	}
	if (own != NULL)
		answer->answered = *own;
	else if (!answer->run->settings.vacation.answers_implicit)
		answer->against = "the message names none of the user's "
				  "addresses";
	/* What only the script calls the user's may have a domain that lets
	 * nobody else send in its name. */
	if (own == NULL || own >= answer->own + answer->named)
		answer->answered = answer->user;
	return SIEVE_OK;
}

static void
look_at_sender(struct answer *answer)
{
	const struct run *run = answer->run;

	if (!run->host->ops->envelope(
		    run->host, SIEVE_ENVELOPE_FROM, &answer->sender))
		answer->against = "the sender is not known";
	else if (answer->sender.is_null || answer->sender.domain.len == 0)
		answer->against = "the sender is null";
	else if (automatic_sender(&answer->sender) != NULL)
		answer->against = "the sender is a program";
	else if (match_own(answer, &answer->sender) != NULL)
		answer->against = "the sender is the user";
}

static enum sieve_status
look_at_header(struct answer *answer)
{
	struct run *run = answer->run;
	const struct header_field *field;
	size_t count;

	(void)message_fields(run->message, &count);
	if (run_charge(run, 1 + count / FIELDS_FOR_A_STEP) != SIEVE_OK)
		return SIEVE_FAILED;
	field = automatic_field(run->message);
	if (field != NULL)
		answer->against = arena_format(run->scratch,
			"the message has the field %.*s: %.*s",
			STR_ARG(field->name),
			STR_ARG(str_slice(str_trim(field->value), 0, 80)));
	return SIEVE_OK;
}

/* An answer of an earlier script of the sequence is enough. */
static bool
is_answered(const struct run *run)
{
	size_t i;

	for (i = 0; i < run->first_action; i++)
		if (run->result->actions[i].kind == SIEVE_VACATION)
			return true;
	return false;
}

static enum sieve_status
look_for_reasons(struct answer *answer)
{
	if (find_own(answer) != SIEVE_OK)
		return SIEVE_FAILED;
	if (is_answered(answer->run))
		answer->against = "an earlier script answers";
	if (answer->against == NULL)
		look_at_sender(answer);
	if (answer->against == NULL && look_at_header(answer) != SIEVE_OK)
		return SIEVE_FAILED;
	return answer->against == NULL ? find_recipient(answer) : SIEVE_OK;
}

/* ---- once in a while (RFC 5230 4.2) ---- */

static void
add_bytes(struct digest *digest, struct str bytes)
{
	uint64_t length = bytes.len;

	digest_add(digest, str_of((const char *)&length, sizeof(length)));
	digest_add(digest, bytes);
}

/* As it stands in the script: its variables not put in. */
static void
add_text(struct digest *digest, const struct text *text)
{
	size_t i;

	add_bytes(digest, text->constant);
	for (i = 0; i < text->count; i++) {
		const struct text_part *part = &text->parts[i];
		const uint64_t what[] = {part->kind, part->index};

		digest_add(digest, str_of((const char *)what, sizeof(what)));
		add_bytes(digest, part->constant);
	}
}

/* One that is not given is another one than an empty one. */
static void
add_argument(
	struct digest *digest, const struct call *call, enum tag_group group)
{
	const struct tag_use *use = call_tag(call, group);

	digest_add(digest, use != NULL ? STR("+") : STR("-"));
	if (use != NULL && use->argument.is_given)
		add_text(digest, use->argument.texts);
}

static enum sieve_status
add_identity(struct answer *answer, struct digest *digest)
{
	const struct call *call = answer->call;
	const struct tag_use *handle = call_tag(call, GROUP_VACATION_HANDLE);
	struct str text;

	if (handle != NULL) {
		if (run_text(answer->run, handle->argument.texts, &text) !=
			SIEVE_OK)
			return SIEVE_FAILED;
		digest_add(digest, STR("handle"));
		add_bytes(digest, text);
		return SIEVE_OK;
	}
	digest_add(digest, STR("answer"));
	add_argument(digest, call, GROUP_VACATION_SUBJECT);
	add_argument(digest, call, GROUP_VACATION_FROM);
	add_argument(digest, call, GROUP_VACATION_MIME);
	add_text(digest, call->arguments[0].texts);
	return SIEVE_OK;
}

static enum sieve_status
make_key(struct answer *answer)
{
	struct run *run = answer->run;
	unsigned char key[DIGEST_MAX];
	struct digest digest;

	digest_init(&digest, DIGEST_SHA256);
	digest_add(&digest, STR("vacation"));
	add_bytes(&digest, arena_lower(run->scratch, answer->sender.text));
	if (add_identity(answer, &digest) != SIEVE_OK)
		return SIEVE_FAILED;
	digest_end(&digest, key);
	memcpy(answer->vacation->key, key, SIEVE_MARK_KEY);
	return SIEVE_OK;
}

/* RFC 5230 4.1, RFC 6131 2.  A day is the shortest time in days: only :seconds may
 * be none at all. */
static uint64_t
seconds_of(const struct run *run, const struct call *call)
{
	const struct sieve_vacation_settings *settings =
		&run->settings.vacation;
	const struct tag_use *use = call_tag(call, GROUP_VACATION_TIME);
	uint64_t seconds = settings->default_s, number;

	if (use != NULL) {
		number = use->argument.number;
		if (use->tag->id == TAG_VACATION_SECONDS)
			seconds = number;
		else if (number > settings->max_s / DAY_SECONDS)
			seconds = settings->max_s;
		else
			seconds = (number > 0 ? number : 1) * DAY_SECONDS;
	}
	if (seconds < settings->min_s)
		seconds = settings->min_s;
	return seconds < settings->max_s ? seconds : settings->max_s;
}

static enum sieve_status
look_at_memory(struct answer *answer)
{
	struct run *run = answer->run;
	const struct sieve_host_ops *ops = run->host->ops;

	answer->vacation->seconds = seconds_of(run, answer->call);
	if (make_key(answer) != SIEVE_OK ||
		run_charge(run, STEPS_OF_AN_ANSWER) != SIEVE_OK)
		return SIEVE_FAILED;
	if (answer->vacation->seconds > 0 && ops->duplicate_seen != NULL &&
		ops->duplicate_seen(run->host, answer->vacation->key))
		answer->against = "the sender got this answer not long ago";
	return SIEVE_OK;
}

/* ---- what the answer says ---- */

static struct str
copy(const struct answer *answer, struct str text)
{
	return arena_copy(answer->run->result->arena, text);
}

static struct str
original_subject(const struct answer *answer)
{
	const struct header_field *field =
		message_field_next(answer->run->message, STR("Subject"), NULL);

	if (field == NULL)
		return STR_EMPTY;
	return utf8_first(str_trim(encodedword_decode(
				  answer->run->scratch, field->value)),
		SUBJECT_MOST);
}

/* %$ and %{subject} are the original's. */
static struct str
expand_template(const struct answer *answer, struct str original)
{
	static const struct str marks[] = {{"%$", 2}, {"%{subject}", 10}};
	struct str rest = str_from(answer->run->settings.vacation.template);
	struct str text = STR_EMPTY;
	size_t i;

	while (rest.len > 0) {
		size_t taken = 1;
		struct str add = str_slice(rest, 0, 1);

		for (i = 0; i < ARRAY_LENGTH(marks); i++)
			if (str_starts(rest, marks[i])) {
				taken = marks[i].len;
				add = original;
			}
		text = str_from(arena_format(answer->run->scratch, "%.*s%.*s",
			STR_ARG(text), STR_ARG(add)));
		rest = str_skip(rest, taken);
	}
	return text;
}

/* RFC 5230 4.3, 5.3 */
static enum sieve_status
read_subject(struct answer *answer)
{
	struct run *run = answer->run;
	const struct tag_use *use =
		call_tag(answer->call, GROUP_VACATION_SUBJECT);
	struct str text = original_subject(answer);

	if (use != NULL) {
		if (run_text(run, use->argument.texts, &text) != SIEVE_OK)
			return SIEVE_FAILED;
	} else if (text.len > 0) {
		text = expand_template(answer, text);
	} else {
		text = str_from(run->settings.vacation.subject);
	}
	answer->vacation->subject = copy(answer,
		letter_line(run->scratch, utf8_first(text, SUBJECT_MOST)));
	return SIEVE_OK;
}

/* What stands behind :from, when it can be used.  With variables in it that is one
 * address: what a sender puts into a name must neither write for somebody else nor
 * end the script. */
static enum sieve_status
read_given_from(struct answer *answer, struct str *text)
{
	struct run *run = answer->run;
	const struct tag_use *use = call_tag(answer->call, GROUP_VACATION_FROM);
	struct str given;

	if (use == NULL)
		return SIEVE_OK;
	if (run_text(run, use->argument.texts, &given) != SIEVE_OK ||
		newmessage_charge(run, given) != SIEVE_OK)
		return SIEVE_FAILED;
	given = letter_line(run->scratch, given);
	if (text_is_constant(use->argument.texts) ||
		newmessage_is_sender(run->scratch, given))
		*text = given;
	else
		report_note(&run->reporter, use->argument.texts->at,
			"vacation: :from %s is not one address: the user's "
			"own is taken",
			report_quote(&run->reporter, given));
	return SIEVE_OK;
}

/* RFC 5230 4.3, 5.4 */
static enum sieve_status
read_from(struct answer *answer)
{
	struct str text = answer->answered;

	answer->vacation->user = copy(answer, answer->answered);
	if (read_given_from(answer, &text) != SIEVE_OK)
		return SIEVE_FAILED;
	if (text.len == 0)
		answer->against = "the user's address is not known";
	answer->vacation->from = copy(answer, text);
	return SIEVE_OK;
}

/* What any reader takes for a name: words, or one quoted string. */
static bool
is_name(struct str display)
{
	if (display.len == 0 || display.len > DISPLAY_MOST)
		return false;
	if (display.len > 1 && str_starts(display, STR("\"")) &&
		str_ends(display, STR("\"")))
		return str_find_any(str_slice(display, 1, display.len - 1),
			       "\"\\") == display.len - 2;
	return str_find_any(display, "@,;:<>()[]\\\"") == display.len;
}

/* "Ada <ada@partner.example>" where that is one address and nothing else. */
static struct str
with_display(const struct answer *answer, const struct address *address)
{
	struct arena *scratch = answer->run->scratch;
	const struct address *again;
	struct str display = str_trim(address->display), text, value;

	if (!is_name(display))
		return address->text;
	text = letter_line(
		scratch, str_from(arena_format(scratch, "%.*s <%.*s>",
				 STR_ARG(display), STR_ARG(address->text))));
	if (address_parse_list(scratch, text, 2, &again) != 1 ||
		!str_equal(again->text, address->text) ||
		!compose_addresses(scratch, STR("To"), text, &value))
		return address->text;
	return text;
}

/* The sender's address with the name that the header has for it.  With
 * ignores_envelope: the first address there, whoever the sender is. */
static enum sieve_status
find_display(struct answer *answer, struct str name, struct str *to_out)
{
	struct run *run = answer->run;
	bool is_any = run->settings.vacation.ignores_envelope;
	const struct header_field *field =
		message_field_next(run->message, name, NULL);
	const struct address *addresses;
	size_t count = 0, i;

	if (field != NULL &&
		run_field_addresses(run, field, &addresses, &count) != SIEVE_OK)
		return SIEVE_FAILED;
	for (i = 0; i < count && to_out->len == 0; i++)
		if (!addresses[i].is_broken && addresses[i].domain.len > 0 &&
			(is_any || str_equal_nocase(addresses[i].text,
					   answer->sender.text)))
			*to_out = with_display(answer, &addresses[i]);
	return SIEVE_OK;
}

/* RFC 5230 5.5 */
static enum sieve_status
read_to(struct answer *answer)
{
	static const char *const names[] = {"From", "Sender", "Reply-To"};
	struct str to = STR_EMPTY;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(names) && to.len == 0; i++)
		if (find_display(answer, str_from(names[i]), &to) != SIEVE_OK)
			return SIEVE_FAILED;
	answer->vacation->recipient = copy(answer, answer->sender.text);
	answer->vacation->to =
		to.len > 0 ? copy(answer, to) : answer->vacation->recipient;
	return SIEVE_OK;
}

static enum sieve_status
read_reason(struct answer *answer)
{
	struct run *run = answer->run;
	struct sieve_vacation *vacation = answer->vacation;
	const struct content *entity;
	struct str text;

	vacation->is_mime = call_tag(answer->call, GROUP_VACATION_MIME) != NULL;
	if (run_text(run, answer->call->arguments[0].texts, &text) !=
			SIEVE_OK ||
		run_charge(run, 1 + text.len / STEP_OCTETS) != SIEVE_OK ||
		run_reserve(run, ANSWER_COST + (uint64_t)text.len * 4) !=
			SIEVE_OK)
		return SIEVE_FAILED;
	if (vacation->is_mime &&
		!letter_ready(run->scratch, run->message, text, &entity))
		return run_fail(run, "%s", mime_is_wrong);
	vacation->reason = copy(answer, text);
	return SIEVE_OK;
}

/* ---- the action ---- */

static enum sieve_status
put_together(struct answer *answer)
{
	struct run *run = answer->run;

	answer->vacation = ARENA_NEW(run->result->arena, struct sieve_vacation);
	if (read_reason(answer) != SIEVE_OK ||
		look_for_reasons(answer) != SIEVE_OK)
		return SIEVE_FAILED;
	if (answer->against == NULL && (read_subject(answer) != SIEVE_OK ||
					       read_from(answer) != SIEVE_OK ||
					       read_to(answer) != SIEVE_OK))
		return SIEVE_FAILED;
	return answer->against == NULL ? look_at_memory(answer) : SIEVE_OK;
}

static enum sieve_status
act_vacation(struct run *run, const struct call *call)
{
	struct answer answer = {.run = run, .call = call};
	struct pending_action pending = {.action = {.kind = SIEVE_VACATION}};

	if (run->result->has_answered)
		return run_fail(run, "vacation: a script answers only once "
				     "(RFC 5230 4.7)");
	run->result->has_answered = true;
	if (conflict_check(run, &pending.action) != SIEVE_OK ||
		put_together(&answer) != SIEVE_OK ||
		fcc_read(run, call, &pending.action) != SIEVE_OK)
		return SIEVE_FAILED;
	if (answer.against != NULL) {
		run_trace_command(run, call,
			str_from(arena_format(run->scratch, "no answer: %s",
				answer.against)));
		return SIEVE_OK;
	}
	pending.action.vacation = answer.vacation;
	return run_add_action(run, call, &pending);
}

const struct command_ops command_vacation = {
	.check = check_vacation,
	.act = act_vacation,
};
