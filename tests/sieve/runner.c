/* runner - runs Sieve cases: a script, a message, what must come out
 *
 *   runner FILE.case...        prints TAP, one test for each file
 *   runner --starved FILE.case...
 *                              runs each first script with ever more steps, then
 *                              with ever more memory: it has to fail cleanly until
 *                              it has enough, and must then end as it always does
 *
 * A case is a text file; its name is a sentence.  Sections begin at the left
 * edge, their lines are indented by one tab, "#" lines are comments:
 *
 *   # RFC 5228 5.7: blanks at both ends do not count.
 *   script:
 *   	if header :is "Subject" "hello" { discard; }
 *   message:
 *   	Subject:   hello
 *
 *   	text
 *   actions:
 *   	discard
 *
 *   script      several run as a sequence, the next one while keep is in effect
 *   personal NAME, global NAME
 *               scripts that may be included; the name "trouble" cannot be read
 *   message     "message: A" and "message: B" are those of RFC 5228 1.2, A is
 *               taken when there is none
 *   envelope    from ADDRESS; to ADDRESS      neither is known without it
 *               and ret, envid, notify, orcpt, bytimeabsolute, bytimerelative,
 *               bymode, bytrace, auth, each with its value
 *   user        the user's address; further ones of that person, one a line
 *   earlier     a message that was judged and delivered before; there may be
 *               several.  "earlier script" judged them, else "script" did
 *   marks       what is to be remembered after the delivery, in the order of the
 *               tests: the seconds, 0 for what was only asked about
 *   clock       SECONDS +hhmm: the present moment and the local zone
 *   lists       URI VALUE..., an external list a line; "lists: trouble" cannot
 *               tell
 *   mailboxes   names that exist, one a line; "mailboxes: trouble" cannot tell
 *   environment NAME = VALUE, in small letters; none exist without it
 *   log         lines for the admin's log
 *   notes       LINE:COLUMN: TEXT of what the script wants told
 *   uses        \USE NAME   special uses of mailboxes, one a line
 *   ids         ID NAME     ids of mailboxes, one a line
 *   annotations MAILBOX|NAME|VALUE, one a line; the server's have no MAILBOX
 *   programs    what programs do that scripts run, one a line; of convert the name
 *               is FROM>TO:
 *               NAME done TEXT   its output, escaped as below
 *               NAME echo        it says its arguments and its input
 *               NAME failed
 *   settings    NAME = VALUE, fields of struct sieve_settings
 *   actions     sieve_action_text() and sieve_action_tags() of all, the implicit
 *               keep as "keep"
 *   content     the message that the last of the actions is about, empty lines
 *               at its end left out; "content 1:" that of the first one ...;
 *               "content original:" it is the one that came
 *   errors      LINE:COLUMN: TEXT of every compile-time error; in front of it
 *               "personal NAME:" when it is in one that is included
 *   warnings    the same of every warning
 *   fails       LINE:COLUMN: TEXT of the error that ended the run
 *   temporary   the run ended because of the host's trouble
 *   trace       lines that the trace has to hold, in this order
 *
 * "..." at the end of an expected TEXT stands for anything.  In "script
 * escaped:" and "message escaped:" \r \n \t \0 \\ and \xHH stand for bytes, and
 * only they make line ends; \{N}{TEXT} is TEXT N times.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/number.h"
#include "mail/address.h"
#include "mail/content.h"
#include "mail/date.h"
#include "mail/message.h"
#include "sieve/sieve.h"
#include "tests/lib/escape.h"

#include "base/banned.h"

enum {
	MOST_LINES = 200,
	MOST_SCRIPTS = 8,
	MOST_EARLIER = 8,
	MOST_KEPT = 64,
	HEADER_BYTES = 16 * 1024 * 1024
};

struct lines {
	struct str items[MOST_LINES];
	size_t count;
	bool is_given;
};

struct test_case {
	struct arena *arena;
	struct str scripts[MOST_SCRIPTS];
	size_t script_count;
	struct included {
		struct str name; /* "personal NAME" */
		struct str text;
	} included[MOST_SCRIPTS];
	size_t included_count;
	struct str message;
	struct str earlier[MOST_EARLIER], earlier_script;
	size_t earlier_count;
	struct lines marks, lists, user;
	struct lines envelope, clock, mailboxes, settings;
	struct lines environment, log, notes;
	struct lines uses, ids, annotations, programs;
	struct lines actions, errors, warnings, fails, temporary, trace;
	struct {
		struct str of; /* "", a number or "original" */
		struct lines lines;
	} contents[MOST_SCRIPTS];
	size_t content_count;
	struct buf said; /* what went wrong, "# " in front of each line */
};

struct world {
	struct sieve_host host;
	struct sieve_loader loader;
	struct test_case *test;
	struct message *message;
	struct address from, to;
	int64_t now;
	int zone; /* minutes east */
	struct str envelope_texts[SIEVE_ENVELOPE_AUTH + 1];
	bool has_from, has_to, in_trouble;
	unsigned char kept[MOST_KEPT][SIEVE_MARK_KEY];
	size_t kept_count;
	struct lines trace, log, notes;
};

/* RFC 5228 1.2 */
static const char message_a[] =
	"Date: Tue, 1 Apr 1997 09:06:31 -0800 (PST)\n"
	"From: coyote@desert.example.org\n"
	"To: roadrunner@acme.example.com\n"
	"Subject: I have a present for you\n"
	"\n"
	"Look, I'm sorry about the whole anvil thing.\n";
static const char message_b[] =
	"From: youcouldberich!@reply-by-postal-mail.invalid\n"
	"Sender: b1ff@de.res.example.com\n"
	"To: rube@landru.example.com\n"
	"Date:  Mon, 31 Mar 1997 18:26:10 -0800\n"
	"Subject: $$$ YOU, TOO, CAN BE A MILLIONAIRE! $$$\n"
	"\n"
	"YOU MAY HAVE ALREADY WON TEN MILLION DOLLARS.\n";

static void
complain(struct test_case *test, const char *what, struct str text)
{
	buf_add_format(&test->said, "# %s: %.*s\n", what, STR_ARG(text));
}

/* ---- reading a case ---- */

static void
lines_add(struct lines *lines, struct str line)
{
	if (lines->count < MOST_LINES)
		lines->items[lines->count++] = line;
}

static struct str
section_text(struct test_case *test, const struct lines *lines, bool is_escaped)
{
	struct buf buf;
	struct str text;
	size_t i;

	buf_init(&buf, BUF_UNLIMITED);
	for (i = 0; i < lines->count; i++) {
		if (is_escaped) {
			escape_decode(&buf, lines->items[i]);
		} else {
			buf_add(&buf, lines->items[i]);
			buf_add_char(&buf, '\n');
		}
	}
	text = arena_copy(test->arena, buf_view(&buf));
	buf_clear(&buf);
	return text;
}

static void
take_message(struct test_case *test, const struct lines *lines, bool is_escaped)
{
	if (lines->count == 1 && str_is(lines->items[0], "A"))
		test->message = str_from(message_a);
	else if (lines->count == 1 && str_is(lines->items[0], "B"))
		test->message = str_from(message_b);
	else
		test->message = section_text(test, lines, is_escaped);
}

static void
take_earlier(struct test_case *test, struct str name, struct str text)
{
	if (str_starts(name, STR("earlier script")))
		test->earlier_script = text;
	else if (test->earlier_count < MOST_EARLIER)
		test->earlier[test->earlier_count++] = text;
}

static void
take_section(struct test_case *test, struct str name, struct lines *lines)
{
	bool is_escaped = str_ends(name, STR(" escaped"));
	const struct {
		const char *name;
		struct lines *lines;
	} plain[] = {
		{"envelope", &test->envelope},
		{"marks", &test->marks},
		{"lists", &test->lists},
		{"clock", &test->clock},
		{"user", &test->user},
		{"mailboxes", &test->mailboxes},
		{"uses", &test->uses},
		{"ids", &test->ids},
		{"annotations", &test->annotations},
		{"programs", &test->programs},
		{"settings", &test->settings},
		{"environment", &test->environment},
		{"log", &test->log},
		{"notes", &test->notes},
		{"actions", &test->actions},
		{"errors", &test->errors},
		{"warnings", &test->warnings},
		{"fails", &test->fails},
		{"temporary", &test->temporary},
		{"trace", &test->trace},
	};
	size_t i;

	lines->is_given = true;
	if (str_starts(name, STR("personal ")) ||
		str_starts(name, STR("global "))) {
		if (test->included_count < MOST_SCRIPTS)
			test->included[test->included_count++] =
				(struct included){name,
					section_text(test, lines, is_escaped)};
		return;
	}
	if (str_starts(name, STR("script"))) {
		if (test->script_count < MOST_SCRIPTS)
			test->scripts[test->script_count++] =
				section_text(test, lines, is_escaped);
		return;
	}
	if (str_starts(name, STR("content"))) {
		if (test->content_count < MOST_SCRIPTS) {
			test->contents[test->content_count].of =
				str_trim(str_skip(name, strlen("content")));
			test->contents[test->content_count++].lines = *lines;
		}
		return;
	}
	if (str_starts(name, STR("message"))) {
		take_message(test, lines, is_escaped);
		return;
	}
	if (str_starts(name, STR("earlier"))) {
		take_earlier(test, name, section_text(test, lines, is_escaped));
		return;
	}
	for (i = 0; i < ARRAY_LENGTH(plain); i++)
		if (str_is(name, plain[i].name)) {
			*plain[i].lines = *lines;
			return;
		}
	complain(test, "unknown section", name);
}

/* Blank lines at the end of a section are not part of it. */
static void
end_section(struct test_case *test, struct str name, struct lines *lines)
{
	if (name.len == 0)
		return;
	while (lines->count > 0 && lines->items[lines->count - 1].len == 0)
		lines->count--;
	take_section(test, name, lines);
}

static void
read_case(struct test_case *test, struct str text)
{
	struct lines lines = {.count = 0};
	struct str name = STR_EMPTY, line;

	while (str_next_field(&text, '\n', &line)) {
		size_t colon = str_find_char(line, ':');

		if (line.len == 0 || line.data[0] == '\t') {
			lines_add(&lines, str_skip(line, 1));
			continue;
		}
		if (line.data[0] == '#')
			continue;
		end_section(test, name, &lines);
		lines = (struct lines){.count = 0};
		name = str_slice(line, 0, colon);
		line = str_trim(str_skip(line, colon + 1));
		if (line.len > 0)
			lines_add(&lines, line);
	}
	end_section(test, name, &lines);
}

/* ---- the world ---- */

static struct world *
world_of(struct sieve_host *host)
{
	return CONTAINER_OF(host, struct world, host);
}

static const struct message *
answer_message(struct sieve_host *host)
{
	return world_of(host)->message;
}

static bool
answer_envelope(struct sieve_host *host, enum sieve_envelope_part part,
	struct address *address_out)
{
	struct world *world = world_of(host);
	bool is_from = part == SIEVE_ENVELOPE_FROM;

	*address_out = is_from ? world->from : world->to;
	return is_from ? world->has_from : world->has_to;
}

static enum lookup
answer_mailbox_exists(
	struct sieve_host *host, struct str mailbox, struct err *err)
{
	struct world *world = world_of(host);
	size_t i;

	if (world->in_trouble) {
		err_temp(err, "4.3.0", "the disk is on fire");
		return LOOKUP_ERROR;
	}
	for (i = 0; i < world->test->mailboxes.count; i++)
		if (str_equal(world->test->mailboxes.items[i], mailbox))
			return LOOKUP_FOUND;
	return LOOKUP_NONE;
}

/* The name behind this word; LOOKUP_NONE without one. */
static enum lookup
find_name(struct world *world, const struct lines *lines,
	bool (*is_same)(struct str, struct str), struct str wanted,
	size_t *from, struct str *name_out, struct err *err)
{
	struct str rest, word;

	if (world->in_trouble) {
		err_temp(err, "4.3.0", "the disk is on fire");
		return LOOKUP_ERROR;
	}
	while (*from < lines->count) {
		rest = lines->items[(*from)++];
		if (!str_next_field(&rest, ' ', &word) ||
			!is_same(word, wanted))
			continue;
		*name_out = rest;
		return LOOKUP_FOUND;
	}
	return LOOKUP_NONE;
}

static enum lookup
answer_special_use(struct sieve_host *host, const struct str *mailbox,
	struct str use, struct str *mailbox_out, struct err *err)
{
	struct world *world = world_of(host);
	enum lookup found;
	size_t from = 0;

	do
		found = find_name(world, &world->test->uses, str_equal_nocase,
			use, &from, mailbox_out, err);
	while (found == LOOKUP_FOUND && mailbox != NULL &&
		!str_equal(*mailbox, *mailbox_out));
	return found;
}

static enum lookup
answer_mailbox_by_id(struct sieve_host *host, struct str id,
	struct str *mailbox_out, struct err *err)
{
	struct world *world = world_of(host);
	size_t from = 0;

	/* Ids have case (RFC 8474 7). */
	return find_name(world, &world->test->ids, str_equal, id, &from,
		mailbox_out, err);
}

static enum lookup
answer_metadata(struct sieve_host *host, const struct str *mailbox,
	struct str name, struct str *value_out, struct err *err)
{
	struct world *world = world_of(host);
	const struct lines *lines = &world->test->annotations;
	struct str rest, first, second;
	size_t i;

	if (world->in_trouble) {
		err_temp(err, "4.3.0", "the disk is on fire");
		return LOOKUP_ERROR;
	}
	for (i = 0; i < lines->count; i++) {
		rest = lines->items[i];
		if (!str_next_field(&rest, '|', &first) ||
			!str_next_field(&rest, '|', &second) ||
			!str_equal(first,
				mailbox != NULL ? *mailbox : STR_EMPTY) ||
			!str_equal_nocase(second, name))
			continue;
		*value_out = rest;
		return LOOKUP_FOUND;
	}
	return LOOKUP_NONE;
}

/* The line behind the name; false: there is none. */
static bool
find_program(struct test_case *test, const struct sieve_external *external,
	struct str *what_out)
{
	struct str name = external->name, word;
	size_t i;

	if (external->kind == SIEVE_EXTERNAL_CONVERT)
		name = str_from(arena_format(test->arena, "%.*s>%.*s",
			STR_ARG(external->arguments[0]),
			STR_ARG(external->arguments[1])));
	for (i = 0; i < test->programs.count; i++) {
		*what_out = test->programs.items[i];
		if (str_next_word(what_out, &word) && str_equal(word, name))
			return true;
	}
	return false;
}

static void
add_input(const struct sieve_external *external, struct buf *out)
{
	struct content_reader reader;
	struct str chunk;
	char buffer[8192];
	struct err err;

	buf_add(out, external->input);
	if (external->content == NULL)
		return;
	content_reader_init(&reader, external->content, LINE_ENDS_LF, buffer,
		sizeof(buffer));
	while (content_read(&reader, &chunk, &err) == LOOKUP_FOUND)
		buf_add(out, chunk);
}

static void
run_program(struct sieve_host *host, struct sieve_external *external)
{
	struct test_case *test = world_of(host)->test;
	struct str what, word = STR_EMPTY;
	struct buf output;
	size_t i;

	external->end = SIEVE_EXTERNAL_IMPOSSIBLE;
	if (external->kind != SIEVE_EXTERNAL_CONVERT)
		external->problem = "there is no such program";
	if (!find_program(test, external, &what) ||
		!str_next_word(&what, &word))
		return;
	external->end = SIEVE_EXTERNAL_FAILED;
	external->problem = "it has failed";
	if (str_is(word, "failed"))
		return;
	buf_init(&output, BUF_UNLIMITED);
	if (str_is(word, "done"))
		escape_decode(&output, str_trim(what));
	for (i = 0; i < external->argument_count && str_is(word, "echo"); i++) {
		buf_add(&output, external->arguments[i]);
		buf_add_char(&output, '|');
	}
	if (str_is(word, "echo"))
		add_input(external, &output);
	external->end = SIEVE_EXTERNAL_DONE;
	external->problem = NULL;
	external->output = arena_copy(external->arena, buf_view(&output));
	buf_clear(&output);
}

static bool
answer_duplicate_seen(
	struct sieve_host *host, const unsigned char key[SIEVE_MARK_KEY])
{
	struct world *world = world_of(host);
	size_t i;

	for (i = 0; i < world->kept_count; i++)
		if (memcmp(world->kept[i], key, SIEVE_MARK_KEY) == 0)
			return true;
	return false;
}

static int64_t
answer_now(struct sieve_host *host)
{
	return world_of(host)->now;
}

static int
answer_zone(struct sieve_host *host, int64_t seconds UNUSED)
{
	return world_of(host)->zone;
}

static bool
answer_envelope_text(struct sieve_host *host, enum sieve_envelope_text part,
	struct str *value_out)
{
	*value_out = world_of(host)->envelope_texts[part];
	return value_out->data != NULL;
}

static bool
answer_environment(
	struct sieve_host *host, struct str name, struct str *value_out)
{
	const struct lines *items = &world_of(host)->test->environment;
	size_t i;

	for (i = 0; i < items->count; i++) {
		struct str rest = items->items[i], item;

		if (str_next_field(&rest, '=', &item) &&
			str_equal(str_trim(item), name)) {
			*value_out = str_trim(rest.data ? rest : STR_EMPTY);
			return true;
		}
	}
	return false;
}

static void
take_log(struct sieve_host *host, const char *text)
{
	struct world *world = world_of(host);

	lines_add(&world->log, arena_copy(world->test->arena, str_from(text)));
}

/* What stands behind the name; false: there is no such list. */
static bool
find_list(const struct test_case *test, struct str list, struct str *values_out)
{
	size_t i;

	for (i = 0; i < test->lists.count; i++) {
		struct str name;

		*values_out = test->lists.items[i];
		if (str_next_word(values_out, &name) &&
			str_equal(sieve_list_name(test->arena, name), list))
			return true;
	}
	return false;
}

static bool
answer_list_is_valid(struct sieve_host *host, struct str list)
{
	struct str values;

	return find_list(world_of(host)->test, list, &values);
}

static enum lookup
answer_list_has(struct sieve_host *host,
	const struct sieve_list_question *question, struct err *err)
{
	struct test_case *test = world_of(host)->test;
	struct str values, value;

	if (test->lists.count == 1 && str_is(test->lists.items[0], "trouble")) {
		err_temp(err, "4.3.0", "the disk is on fire");
		return LOOKUP_ERROR;
	}
	if (!find_list(test, question->list, &values))
		return LOOKUP_NONE;
	while (str_next_word(&values, &value)) {
		if (question->fold != NULL)
			value = question->fold(test->arena, value);
		if (str_equal(value, question->folded))
			return LOOKUP_FOUND;
	}
	return LOOKUP_NONE;
}

static enum lookup
answer_list_values(struct sieve_host *host, struct str list,
	const struct str **values_out, size_t *count_out, struct err *err)
{
	struct test_case *test = world_of(host)->test;
	struct str values, *items;

	if (test->lists.count == 1 && str_is(test->lists.items[0], "trouble")) {
		err_temp(err, "4.3.0", "the disk is on fire");
		return LOOKUP_ERROR;
	}
	if (!find_list(test, list, &values))
		return LOOKUP_NONE;
	items = ARENA_ARRAY(test->arena, struct str, values.len + 1);
	for (*count_out = 0; str_next_word(&values, &items[*count_out]);)
		++*count_out;
	*values_out = items;
	return LOOKUP_FOUND;
}

static void
take_trace(struct sieve_host *host, const struct sieve_trace_event *event)
{
	struct world *world = world_of(host);

	lines_add(&world->trace, sieve_trace_text(world->test->arena, event));
}

/* The first line of "user"; the others are aliases. */
static bool
answer_user_address(struct sieve_host *host, struct address *address_out)
{
	const struct test_case *test = world_of(host)->test;
	struct err err;

	return test->user.count > 0 &&
	       address_parse_path(test->arena, test->user.items[0],
		       ADDRESS_BRACKETS_OPTIONAL, address_out, &err) == 0;
}

static bool
answer_user_alias(
	struct sieve_host *host, size_t index, struct str *address_out)
{
	const struct lines *user = &world_of(host)->test->user;

	if (index + 1 >= user->count)
		return false;
	*address_out = user->items[index + 1];
	return true;
}

static const struct sieve_host_ops ops = {
	.message = answer_message,
	.envelope = answer_envelope,
	.mailbox_exists = answer_mailbox_exists,
	.special_use = answer_special_use,
	.mailbox_by_id = answer_mailbox_by_id,
	.metadata = answer_metadata,
	.duplicate_seen = answer_duplicate_seen,
	.run_program = run_program,
	.list_is_valid = answer_list_is_valid,
	.list_has = answer_list_has,
	.list_values = answer_list_values,
	.now = answer_now,
	.zone = answer_zone,
	.environment = answer_environment,
	.envelope_text = answer_envelope_text,
	.log = take_log,
	.user_address = answer_user_address,
	.user_alias = answer_user_alias,
};
static const struct sieve_host_ops traced_ops = {
	.message = answer_message,
	.envelope = answer_envelope,
	.mailbox_exists = answer_mailbox_exists,
	.special_use = answer_special_use,
	.mailbox_by_id = answer_mailbox_by_id,
	.metadata = answer_metadata,
	.duplicate_seen = answer_duplicate_seen,
	.run_program = run_program,
	.list_is_valid = answer_list_is_valid,
	.list_has = answer_list_has,
	.list_values = answer_list_values,
	.now = answer_now,
	.zone = answer_zone,
	.environment = answer_environment,
	.envelope_text = answer_envelope_text,
	.log = take_log,
	.user_address = answer_user_address,
	.user_alias = answer_user_alias,
	.trace = take_trace,
};

static struct world *
world_of_loader(struct sieve_loader *loader)
{
	return CONTAINER_OF(loader, struct world, loader);
}

static enum lookup
load_script(struct sieve_loader *loader, struct arena *arena,
	enum sieve_location location, struct str name,
	struct sieve_loaded *loaded_out, struct err *err)
{
	struct test_case *test = world_of_loader(loader)->test;
	const char *whole = arena_format(arena, "%s %.*s",
		location == SIEVE_GLOBAL ? "global" : "personal",
		STR_ARG(name));
	size_t i;

	*loaded_out = (struct sieve_loaded){.script = whole};
	if (str_is(name, "trouble")) {
		err_temp(err, "4.3.0", "the disk is on fire");
		return LOOKUP_ERROR;
	}
	for (i = 0; i < test->included_count; i++)
		if (str_is(test->included[i].name, whole)) {
			loaded_out->text = test->included[i].text;
			loaded_out->identity = whole;
			return LOOKUP_FOUND;
		}
	return LOOKUP_NONE;
}

static const struct sieve_loader_ops loader_ops = {.load = load_script};

static void
set_address(struct world *world, struct str text, struct address *address,
	bool *has)
{
	struct err err;

	*has = address_parse_path(world->test->arena, text,
		       ADDRESS_NULL_ALLOWED | ADDRESS_LOCAL_ALLOWED |
			       ADDRESS_BRACKETS_OPTIONAL,
		       address, &err) == 0;
	if (!*has)
		complain(world->test, "bad envelope address", text);
}

static bool
set_envelope_text(struct world *world, struct str item)
{
	static const char *const names[] = {
		[SIEVE_ENVELOPE_RET] = "ret",
		[SIEVE_ENVELOPE_ENVID] = "envid",
		[SIEVE_ENVELOPE_NOTIFY] = "notify",
		[SIEVE_ENVELOPE_ORCPT] = "orcpt",
		[SIEVE_ENVELOPE_BYTIME_ABSOLUTE] = "bytimeabsolute",
		[SIEVE_ENVELOPE_BYTIME_RELATIVE] = "bytimerelative",
		[SIEVE_ENVELOPE_BYMODE] = "bymode",
		[SIEVE_ENVELOPE_BYTRACE] = "bytrace",
		[SIEVE_ENVELOPE_AUTH] = "auth",
	};
	size_t blank = str_find_char(item, ' '), i;

	for (i = 0; i < ARRAY_LENGTH(names); i++)
		if (str_is(str_slice(item, 0, blank), names[i])) {
			world->envelope_texts[i] = str_skip(item, blank + 1);
			return true;
		}
	return false;
}

static void
set_envelope(struct world *world)
{
	const struct lines *lines = &world->test->envelope;
	size_t i;

	for (i = 0; i < lines->count; i++) {
		struct str rest = lines->items[i], item;

		/* Its value has a semicolon. */
		if (str_starts(rest, STR("orcpt "))) {
			set_envelope_text(world, rest);
			continue;
		}
		while (str_next_field(&rest, ';', &item)) {
			item = str_trim(item);
			if (str_starts(item, STR("from ")))
				set_address(world, str_skip(item, 5),
					&world->from, &world->has_from);
			else if (str_starts(item, STR("to ")))
				set_address(world, str_skip(item, 3),
					&world->to, &world->has_to);
			else if (!set_envelope_text(world, item))
				complain(world->test, "bad envelope", item);
		}
	}
}

static void
set_clock(struct world *world)
{
	struct str rest = world->test->clock.items[0], seconds;
	uint64_t now = 0;

	if (!world->test->clock.is_given)
		return;
	if (!str_next_field(&rest, ' ', &seconds) ||
		number_parse(seconds, &now) < 0 ||
		!date_parse_zone(rest, &world->zone))
		complain(world->test, "bad clock", seconds);
	world->now = (int64_t)now;
}

/* "spam.status_header", "virus.text_value3" ... */
static bool
set_scan(struct test_case *test, struct sieve_settings *settings,
	struct str name, struct str value)
{
	struct sieve_scan_settings *scan = str_starts(name, STR("spam."))
	                                           ? &settings->spam
	                                           : &settings->virus;
	const char *text = arena_text(test->arena, value);
	uint64_t number;

	if (!str_starts(name, STR("spam.")) && !str_starts(name, STR("virus.")))
		return false;
	name = str_skip(name, str_find_char(name, '.') + 1);
	if (str_is(name, "status_header"))
		scan->status_header = text;
	else if (str_is(name, "type"))
		scan->type = str_is(value, "text")     ? SIEVE_SCAN_TEXT
		             : str_is(value, "strlen") ? SIEVE_SCAN_STRLEN
		                                       : SIEVE_SCAN_SCORE;
	else if (str_is(name, "max_value"))
		scan->max_value = text;
	else if (str_is(name, "max_header"))
		scan->max_header = text;
	else if (str_starts(name, STR("text_value")) &&
		 number_parse(str_skip(name, 10), &number) == 0 && number <= 10)
		scan->text_values[number] = text;
	else
		return false;
	return true;
}

static bool
set_switch(struct sieve_settings *settings, struct str name, bool value)
{
	const struct {
		const char *name;
		bool *field;
	} switches[] = {
		{"redirects_prohibited", &settings->redirects_prohibited},
		{"notifications_prohibited",
			&settings->notifications_prohibited},
		{"is_global", &settings->is_global},
		{"vacation.has_no_min", &settings->vacation.has_no_min},
		{"vacation.answers_implicit",
			&settings->vacation.answers_implicit},
		{"vacation.knows_original", &settings->vacation.knows_original},
		{"vacation.ignores_envelope",
			&settings->vacation.ignores_envelope},
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(switches); i++)
		if (str_is(name, switches[i].name)) {
			*switches[i].field = value;
			return true;
		}
	return false;
}

static void
set_setting(struct test_case *test, struct sieve_settings *settings,
	struct str name, struct str value)
{
	const struct {
		const char *name;
		size_t *size;
		uint64_t *number;
		const char **text;
	} fields[] = {
		{"max_script_size", NULL, &settings->max_script_size, NULL},
		{"max_actions", &settings->max_actions, NULL, NULL},
		{"duplicate_default_s", NULL, &settings->duplicate_default_s,
			NULL},
		{"duplicate_max_s", NULL, &settings->duplicate_max_s, NULL},
		{"max_redirects", &settings->max_redirects, NULL, NULL},
		{"max_notifications", &settings->max_notifications, NULL, NULL},
		{"max_programs", &settings->max_programs, NULL, NULL},
		{"max_nesting", &settings->max_nesting, NULL, NULL},
		{"max_errors", &settings->max_errors, NULL, NULL},
		{"max_string", &settings->max_string, NULL, NULL},
		{"max_variable_size", &settings->max_variable_size, NULL, NULL},
		{"max_variables", &settings->max_variables, NULL, NULL},
		{"max_includes", &settings->max_includes, NULL, NULL},
		{"max_include_depth", &settings->max_include_depth, NULL, NULL},
		{"max_mime_parts", &settings->max_mime_parts, NULL, NULL},
		{"max_mime_depth", &settings->max_mime_depth, NULL, NULL},
		{"vacation.default_s", NULL, &settings->vacation.default_s,
			NULL},
		{"vacation.min_s", NULL, &settings->vacation.min_s, NULL},
		{"vacation.max_s", NULL, &settings->vacation.max_s, NULL},
		{"vacation.subject", NULL, NULL, &settings->vacation.subject},
		{"vacation.template", NULL, NULL, &settings->vacation.template},
		{"max_steps", NULL, &settings->max_steps, NULL},
		{"max_memory", NULL, &settings->max_memory, NULL},
		{"max_header_size", &settings->max_header_size, NULL, NULL},
		{"protected_headers", NULL, NULL, &settings->protected_headers},
		{"no_add_headers", NULL, NULL, &settings->no_add_headers},
		{"no_delete_headers", NULL, NULL, &settings->no_delete_headers},
		{"delimiters", NULL, NULL, &settings->delimiters},
		{"extensions", NULL, NULL, &settings->extensions},
		{"global_extensions", NULL, NULL, &settings->global_extensions},
	};
	uint64_t number;
	size_t i;

	if (set_scan(test, settings, name, value))
		return;
	if (set_switch(settings, name, str_is(value, "yes")))
		return;
	for (i = 0; i < ARRAY_LENGTH(fields); i++) {
		if (!str_is(name, fields[i].name))
			continue;
		if (fields[i].text != NULL)
			*fields[i].text = arena_text(test->arena, value);
		else if (number_parse(value, &number) < 0)
			complain(test, "no number", value);
		else if (fields[i].size != NULL)
			*fields[i].size = (size_t)number;
		else
			*fields[i].number = number;
		return;
	}
	complain(test, "unknown setting", name);
}

static struct sieve_settings
read_settings(struct test_case *test)
{
	struct sieve_settings settings = {0};
	size_t i;

	for (i = 0; i < test->settings.count; i++) {
		struct str rest = test->settings.items[i], name;

		if (str_next_field(&rest, '=', &name))
			set_setting(test, &settings, str_trim(name),
				str_trim(rest.data ? rest : STR_EMPTY));
	}
	return settings;
}

/* ---- comparing ---- */

static bool
is_expected(struct str expected, struct str found)
{
	if (str_ends(expected, STR("...")))
		return str_starts(
			found, str_slice(expected, 0, expected.len - 3));
	return str_equal(expected, found);
}

static void
compare_lines(struct test_case *test, const char *what,
	const struct lines *expected, const struct lines *found)
{
	size_t i, most = expected->count;

	if (found->count > most)
		most = found->count;
	for (i = 0; i < most; i++) {
		if (i >= found->count) {
			complain(test, what, STR("missing:"));
			complain(test, "  expected", expected->items[i]);
		} else if (i >= expected->count) {
			complain(test, what, STR("not expected:"));
			complain(test, "  found   ", found->items[i]);
		} else if (!is_expected(expected->items[i], found->items[i])) {
			complain(test, what, STR("differ:"));
			complain(test, "  expected", expected->items[i]);
			complain(test, "  found   ", found->items[i]);
		}
	}
}

/* Nothing for that of the case itself. */
static const char *
script_prefix(struct test_case *test, const char *script)
{
	return strcmp(script, "script") == 0
	               ? ""
	               : arena_format(test->arena, "%s:", script);
}

static void
list_problems(struct test_case *test, const struct sieve_report *report,
	const char *word, struct lines *lines)
{
	size_t i;

	for (i = 0; i < report->count; i++) {
		const struct sieve_problem *problem = &report->problems[i];

		if (strcmp(sieve_problem_word(problem), word) == 0)
			lines_add(lines,
				str_from(arena_format(test->arena,
					"%s%u:%u: %s",
					script_prefix(test, problem->script),
					problem->line, problem->column,
					problem->text)));
	}
}

/* The line of an action with its tags; the text may hold NUL. */
static struct str
action_line(struct arena *arena, const struct sieve_action *action)
{
	struct buf line;
	struct str text;

	buf_init(&line, BUF_UNLIMITED);
	buf_add(&line, sieve_action_text(arena, action));
	buf_add_text(&line, sieve_action_tags(action));
	text = arena_copy(arena, buf_view(&line));
	buf_clear(&line);
	return text;
}

static void
list_actions(struct test_case *test, const struct sieve_result *result,
	struct lines *lines)
{
	const struct sieve_action keep = sieve_implicit_keep(result);
	size_t i;

	for (i = 0; i < result->count; i++)
		lines_add(lines, action_line(test->arena, &result->actions[i]));
	if (result->implicit_keep)
		lines_add(lines, action_line(test->arena, &keep));
}

/* What the action number `of`, from 1, is about; the implicit keep is the last one,
 * and 0 means that one.  NULL: the message as it came. */
static bool
find_content(const struct sieve_result *result, uint64_t of,
	const struct content **content_out)
{
	size_t count = result->count + (result->implicit_keep ? 1 : 0);

	if (of == 0)
		of = count;
	if (of == 0 || of > count)
		return false;
	*content_out = of <= result->count ? result->actions[of - 1].content
	                                   : result->content;
	return true;
}

static void
list_content(struct test_case *test, const struct content *content,
	struct lines *lines)
{
	struct content_reader reader;
	char buffer[4096];
	struct str chunk, text, line;
	struct buf buf;
	struct err err;

	buf_init(&buf, BUF_UNLIMITED);
	content_reader_init(
		&reader, content, LINE_ENDS_LF, buffer, sizeof(buffer));
	while (content_read(&reader, &chunk, &err) == LOOKUP_FOUND)
		buf_add(&buf, chunk);
	text = arena_copy(test->arena, buf_view(&buf));
	buf_clear(&buf);
	while (str_next_field(&text, '\n', &line))
		lines_add(lines, line);
	while (lines->count > 0 && lines->items[lines->count - 1].len == 0)
		lines->count--;
}

static void
compare_contents(struct test_case *test, const struct sieve_result *result)
{
	size_t i;

	for (i = 0; i < test->content_count; i++) {
		struct str of = test->contents[i].of;
		bool is_original = str_is(of, "original");
		const struct content *content = NULL;
		struct lines found = {.count = 0};
		uint64_t number = 0;

		if (of.len > 0 && !is_original && number_parse(of, &number) < 0)
			complain(test, "no number", of);
		if (!find_content(result, number, &content))
			complain(test, "content", STR("no such action"));
		if (is_original != (content == NULL))
			complain(test, "content",
				is_original ? STR("was changed")
					    : STR("was not changed"));
		if (content != NULL)
			list_content(test, content, &found);
		compare_lines(
			test, "content", &test->contents[i].lines, &found);
	}
}

/* The expected lines stand among the found ones, in this order. */
static void
compare_trace(struct test_case *test, const struct lines *found)
{
	size_t i = 0, j;

	for (j = 0; j < found->count && i < test->trace.count; j++)
		if (is_expected(test->trace.items[i], found->items[j]))
			i++;
	if (i == test->trace.count)
		return;
	complain(test, "trace lacks", test->trace.items[i]);
	for (j = 0; j < found->count; j++)
		complain(test, "  trace", found->items[j]);
}

/* ---- running ---- */

static void
run_scripts(struct world *world, const struct sieve_settings *settings,
	struct sieve_result *result)
{
	struct test_case *test = world->test;
	struct lines errors = {.count = 0}, warnings = {.count = 0};
	struct lines fails = {.count = 0};
	enum sieve_status status = SIEVE_OK;
	struct err err;
	size_t i;

	result->keep_in_effect = true;
	for (i = 0; i < test->script_count && status == SIEVE_OK &&
		    result->keep_in_effect;
		i++) {
		struct sieve_program *program;
		struct sieve_report report;
		enum sieve_status compiled;

		sieve_report_init(&report, test->arena);
		compiled = sieve_compile_all(test->arena, settings,
			&world->loader, "script", test->scripts[i], &program,
			&report, &err);
		list_problems(test, &report, "error", &errors);
		list_problems(test, &report, "warning", &warnings);
		if ((compiled == SIEVE_FAILED) != (report.errors > 0))
			complain(test, "status and errors do not agree",
				STR_EMPTY);
		if (compiled == SIEVE_TEMPORARY)
			status = compiled;
		if (compiled != SIEVE_OK)
			continue;
		sieve_report_init(&report, test->arena);
		status = sieve_run(
			program, settings, &world->host, result, &report, &err);
		list_problems(test, &report, "error", &fails);
		list_problems(test, &report, "info", &world->notes);
		if ((status == SIEVE_FAILED) != (report.errors > 0))
			complain(test, "status and report do not agree",
				STR_EMPTY);
	}
	if ((status == SIEVE_TEMPORARY) != test->temporary.is_given)
		complain(test, "temporary trouble differs", STR_EMPTY);
	compare_lines(test, "errors", &test->errors, &errors);
	if (test->warnings.is_given)
		compare_lines(test, "warnings", &test->warnings, &warnings);
	compare_lines(test, "fails", &test->fails, &fails);
	compare_lines(test, "log", &test->log, &world->log);
	compare_lines(test, "notes", &test->notes, &world->notes);
}

/* ---- what is remembered ---- */

static bool
open_message(struct test_case *test, struct str text, struct message **message)
{
	struct message_limits limits = {
		.memory_bytes = 128 * 1024,
		.header_bytes = HEADER_BYTES,
		.header_fields = 100000,
		.temp_folder = "/tmp",
	};
	struct err err;

	if (message_open_bytes(text, &limits, message, &err) == 0)
		return true;
	complain(test, "message", str_from(err.text));
	return false;
}

/* As a delivery does that came to a good end. */
static void
keep_marks(struct world *world, const struct sieve_result *result)
{
	size_t i;

	for (i = 0; i < result->mark_count; i++)
		if (result->marks[i].seconds > 0 &&
			world->kept_count < MOST_KEPT)
			memcpy(world->kept[world->kept_count++],
				result->marks[i].key, SIEVE_MARK_KEY);
	for (i = 0; i < result->count; i++)
		if (result->actions[i].kind == SIEVE_VACATION &&
			result->actions[i].vacation->seconds > 0 &&
			world->kept_count < MOST_KEPT)
			memcpy(world->kept[world->kept_count++],
				result->actions[i].vacation->key,
				SIEVE_MARK_KEY);
}

static void
run_earlier(struct world *world, const struct sieve_settings *settings)
{
	struct test_case *test = world->test;
	struct str script = test->earlier_script.len > 0 ? test->earlier_script
	                                                 : test->scripts[0];
	struct sieve_program *program;
	struct sieve_report report;
	struct err err;
	size_t i;

	for (i = 0; i < test->earlier_count; i++) {
		struct sieve_result result = {.arena = test->arena};

		sieve_report_init(&report, test->arena);
		if (sieve_compile(test->arena, settings, "earlier", script,
			    &program, &report) < 0) {
			complain(test, "the earlier script", STR_EMPTY);
			return;
		}
		if (!open_message(test, test->earlier[i], &world->message))
			return;
		if (sieve_run(program, settings, &world->host, &result, &report,
			    &err) == SIEVE_OK)
			keep_marks(world, &result);
		message_close(&world->message);
	}
}

static void
compare_marks(struct test_case *test, const struct sieve_result *result)
{
	struct lines found = {.count = 0};
	size_t i;

	for (i = 0; i < result->mark_count; i++)
		lines_add(&found,
			str_from(arena_format(test->arena, "%llu",
				(unsigned long long)result->marks[i].seconds)));
	if (test->marks.is_given)
		compare_lines(test, "marks", &test->marks, &found);
}

static void
run_case(struct test_case *test)
{
	struct world world = {.test = test};
	struct sieve_settings settings = read_settings(test);
	struct sieve_result result = {.arena = test->arena};
	struct lines actions = {.count = 0};

	world.loader.ops = &loader_ops;
	world.loader.identity = "personal main";
	world.host.ops = test->trace.is_given ? &traced_ops : &ops;
	set_envelope(&world);
	run_earlier(&world, &settings);
	if (!open_message(test, test->message, &world.message))
		return;
	set_clock(&world);
	world.in_trouble = test->mailboxes.count == 1 &&
	                   str_is(test->mailboxes.items[0], "trouble");
	run_scripts(&world, &settings, &result);
	if (test->errors.count == 0 && !test->temporary.is_given) {
		list_actions(test, &result, &actions);
		if (!test->actions.is_given)
			complain(test, "the case expects nothing", STR_EMPTY);
		compare_lines(test, "actions", &test->actions, &actions);
		compare_contents(test, &result);
	}
	compare_marks(test, &result);
	compare_trace(test, &world.trace);
	message_close(&world.message);
}

/* ---- with too little ---- */

struct ending {
	enum sieve_status status;
	size_t actions;
	bool keeps, lacks; /* lacks: the limit in question ended it */
};

static bool
names_limit(const struct sieve_report *report, const char *limit)
{
	struct str name = str_from(limit);
	struct str text;

	if (report->errors == 0)
		return false;
	text = str_from(report->problems[report->count - 1].text);
	return str_find(text, name) < text.len;
}

static struct ending
run_once(struct world *world, const struct sieve_program *program,
	const struct sieve_settings *settings, const char *limit)
{
	struct sieve_result result = {.arena = arena_open()};
	struct sieve_report report;
	struct ending ending;
	struct err err;

	world->log.count = world->notes.count = world->trace.count = 0;
	sieve_report_init(&report, result.arena);
	ending.status = sieve_run(
		program, settings, &world->host, &result, &report, &err);
	ending.actions = result.count;
	ending.keeps = result.implicit_keep;
	ending.lacks = names_limit(&report, limit);
	if (ending.lacks && ending.status == SIEVE_OK)
		complain(world->test, "an error, and no failure",
			str_from(limit));
	if (ending.status != SIEVE_OK &&
		(!ending.keeps || ending.actions > 0 || result.mark_count > 0))
		complain(world->test, "no clean failure", str_from(limit));
	arena_close(&result.arena);
	return ending;
}

/* Every so many more until it is enough; some need too much for every step. */
static void
starve_of(struct world *world, const struct sieve_program *program,
	struct sieve_settings settings, const char *limit)
{
	enum { MOST_RUNS = 400, MEMORY_STEP = 24 };
	bool is_memory = str_is(str_from(limit), "sieve_max_memory");
	uint64_t *amount =
		is_memory ? &settings.max_memory : &settings.max_steps;
	struct ending whole = run_once(world, program, &settings, limit);
	struct ending ending = {.lacks = true};
	size_t i;

	*amount = 1;
	for (i = 0; i < MOST_RUNS && ending.lacks; i++) {
		ending = run_once(world, program, &settings, limit);
		*amount += is_memory ? MEMORY_STEP + *amount / 64
		                     : 1 + *amount / 128;
	}
	if (!ending.lacks && !whole.lacks &&
		(ending.status != whole.status ||
			ending.actions != whole.actions ||
			ending.keeps != whole.keeps))
		complain(
			world->test, "it ends in another way", str_from(limit));
}

static void
starve_case(struct test_case *test)
{
	struct world world = {.test = test};
	struct sieve_settings settings = read_settings(test);
	struct sieve_program *program;
	struct sieve_report report;
	struct err err;

	world.loader.ops = &loader_ops;
	world.loader.identity = "personal main";
	world.host.ops = &traced_ops;
	set_envelope(&world);
	sieve_report_init(&report, test->arena);
	if (sieve_compile_all(test->arena, &settings, &world.loader, "script",
		    test->scripts[0], &program, &report, &err) != SIEVE_OK ||
		!open_message(test, test->message, &world.message))
		return;
	set_clock(&world);
	starve_of(&world, program, settings, "sieve_max_steps");
	starve_of(&world, program, settings, "sieve_max_memory");
	message_close(&world.message);
}

static bool
run_file(const char *path, size_t number, void (*judge)(struct test_case *))
{
	struct test_case *test = memory_get(sizeof(*test));
	struct buf text;
	bool is_good;

	test->arena = arena_open();
	test->message = str_from(message_a);
	buf_init(&test->said, BUF_UNLIMITED);
	buf_init(&text, BUF_UNLIMITED);
	if (fd_read_file(path, &text) < 0)
		complain(test, "cannot read", str_from(path));
	else
		read_case(test, buf_view(&text));
	if (test->script_count == 0)
		complain(test, "no script", str_from(path));
	else
		judge(test);
	is_good = test->said.len == 0;
	printf("%s %zu - %s\n%s", is_good ? "ok" : "not ok", number, path,
		buf_text(&test->said));
	buf_clear(&text);
	buf_clear(&test->said);
	arena_close(&test->arena);
	memory_free(test);
	return is_good;
}

int
main(int argc, char **argv)
{
	bool is_starved = argc > 1 && str_is(str_from(argv[1]), "--starved");
	int i, first = is_starved ? 2 : 1;
	size_t number = 0;
	bool is_good = argc > first;

	printf("1..%d\n", argc - first);
	for (i = first; i < argc; i++)
		if (!run_file(argv[i], ++number,
			    is_starved ? starve_case : run_case))
			is_good = false;
	return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
