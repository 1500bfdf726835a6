/* SPDX-License-Identifier: MIT */
#include "tests/svtest/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "deliver/environment.h"
#include "deliver/mailboxes.h"
#include "deliver/setup.h"

#include "base/banned.h"

enum { MOST_ADDRESSES = 20 };

static const char user_name[] = "testuser";

static const struct str default_message = STR("From: sender@example.com\r\n"
					      "To: recipient@example.org\r\n"
					      "Subject: Frop!\r\n"
					      "\r\n"
					      "Friep!\r\n");

/* ---- envelope ---- */

/* The first address of a field that says where a mail comes from or goes to. */
static bool
address_in(struct world *world, const struct message *message,
	struct str field_name, struct address *address_out)
{
	const struct header_field *field =
		message_field_next(message, field_name, NULL);
	const struct address *addresses;
	size_t count, i;

	if (field == NULL)
		return false;
	count = address_parse_list(
		world->arena, field->value, MOST_ADDRESSES, &addresses);
	for (i = 0; i < count; i++)
		if (addresses[i].is_null ||
			(!addresses[i].is_broken &&
				addresses[i].domain.len > 0)) {
			*address_out = addresses[i];
			return true;
		}
	return false;
}

static struct address
address_of(struct world *world, const char *local_part, const char *domain)
{
	return (struct address){.local_part = str_from(local_part),
		.domain = str_from(domain),
		.text = address_text(
			world->arena, str_from(local_part), str_from(domain))};
}

static void
take_envelope(struct world *world, const struct message *message)
{
	struct address to;

	if (!address_in(
		    world, message, STR("Return-Path"), &world->job.sender) &&
		!address_in(
			world, message, STR("Sender"), &world->job.sender) &&
		!address_in(world, message, STR("From"), &world->job.sender))
		world->job.sender = address_of(world, "sender", "example.com");
	if (!address_in(world, message, STR("Envelope-To"), &to) &&
		!address_in(world, message, STR("To"), &to))
		to = address_of(world, "recipient", "example.com");
	world->delivery.final = to;
	world->delivery.original = to;
	memset(world->envelope_texts, 0, sizeof(world->envelope_texts));
	world->envelope_texts[SIEVE_ENVELOPE_AUTH] = str_from(user_name);
}

bool
world_set_envelope_text(
	struct world *world, struct str object, struct str value)
{
	static const struct {
		const char *name;
		enum sieve_envelope_text part;
	} parts[] = {
		{"envelope.auth", SIEVE_ENVELOPE_AUTH},
		{"envelope.bymode", SIEVE_ENVELOPE_BYMODE},
		{"envelope.bytimeabsolute", SIEVE_ENVELOPE_BYTIME_ABSOLUTE},
		{"envelope.bytimerelative", SIEVE_ENVELOPE_BYTIME_RELATIVE},
		{"envelope.bytrace", SIEVE_ENVELOPE_BYTRACE},
		{"envelope.envid", SIEVE_ENVELOPE_ENVID},
		{"envelope.notify", SIEVE_ENVELOPE_NOTIFY},
		{"envelope.orcpt", SIEVE_ENVELOPE_ORCPT},
		{"envelope.ret", SIEVE_ENVELOPE_RET},
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(parts); i++)
		if (str_is_nocase(object, parts[i].name)) {
			world->envelope_texts[parts[i].part] =
				arena_copy(world->arena, value);
			return true;
		}
	return false;
}

void
world_set_envelope(struct world *world, struct str object, struct str value)
{
	struct address address = {.is_null = true};
	struct err err;
	bool is_from = str_is_nocase(object, "envelope.from");

	if (address_parse_path(world->arena, arena_copy(world->arena, value),
		    ADDRESS_BRACKETS_OPTIONAL | ADDRESS_LOCAL_ALLOWED |
			    (is_from ? ADDRESS_NULL_ALLOWED : 0),
		    &address, &err) < 0) {
		errors_add(world, str_from(arena_format(world->arena,
					  "invalid address in %.*s: %.*s",
					  STR_ARG(object), STR_ARG(value))));
		address = (struct address){.is_null = true,
			.text = STR_EMPTY,
			.local_part = STR_EMPTY,
			.domain = STR_EMPTY};
	}
	if (is_from)
		world->job.sender = address;
	else
		world->delivery.original = address;
	if (str_is_nocase(object, "envelope.to"))
		world->delivery.final = address;
}

/* ---- message ---- */

int
world_set_message(struct world *world, struct str text, struct err *err)
{
	static const struct message_limits limits = {
		.memory_bytes = 1024 * 1024,
		.header_bytes = 16 * 1024 * 1024,
		.header_fields = 100000,
		.temp_folder = "/tmp",
	};
	struct opened *opened = ARENA_NEW(world->arena, struct opened);

	if (message_open_bytes(arena_copy(world->arena, text), &limits,
		    &opened->message, err) < 0)
		return -1;
	outcome_hold(world);
	opened->next = world->opened;
	world->opened = opened;
	world->job.message = opened->message;
	take_envelope(world, opened->message);
	world_set_flags(world, (struct sieve_flags){.count = 0});
	return 0;
}

/* The script's own flags begin as those of the message, as long as no flag was set
 * since the result was emptied. */
void
world_set_flags(struct world *world, struct sieve_flags flags)
{
	if (world->result.flags.items == world->message_flags.items &&
		world->result.flags.count == world->message_flags.count)
		world->result.flags = flags;
	world->message_flags = flags;
}

void
world_set_default_message(struct world *world)
{
	struct err err;

	if (world_set_message(world, default_message, &err) < 0)
		abort();
}

static const struct content *
current_content(struct world *world)
{
	const struct content *content = world->result.content;

	if (content != NULL && content->message == world->job.message)
		return content;
	return content_of(world->arena, world->job.message);
}

struct str
world_message_text(struct world *world)
{
	enum { BUFFER = 65536 };
	struct content_reader reader;
	struct buf text;
	struct str chunk;
	struct err err;

	buf_init(&text, BUF_UNLIMITED);
	content_reader_init(&reader, current_content(world), LINE_ENDS_CRLF,
		arena_alloc(world->arena, BUFFER), BUFFER);
	while (content_read(&reader, &chunk, &err) == LOOKUP_FOUND)
		buf_add(&text, chunk);
	chunk = arena_copy(world->arena, buf_view(&text));
	buf_clear(&text);
	return chunk;
}

/* ---- one case ---- */

static int
make_folders(struct world *world, const char *file)
{
	const char *work = world->work;
	char *folder = realpath(file, NULL);

	if (folder == NULL) {
		fprintf(stderr, "svtest: %s: %s\n", file, strerror(errno));
		return -1;
	}
	*strrchr(folder, '/') = '\0';
	world->folder = arena_text(world->arena, str_from(folder));
	free(folder); /* layers: realpath() gave it */
	world->include_folders =
		(struct script_folders){.personal = arena_format(world->arena,
						"%s/included", world->folder),
			.global = arena_format(world->arena,
				"%s/included-global", world->folder)};
	if (mkdir(arena_format(world->arena, "%s/home", work), 0700) < 0 ||
		mkdir(arena_format(world->arena, "%s/sent", work), 0700) < 0) {
		fprintf(stderr, "svtest: %s: %s\n", work, strerror(errno));
		return -1;
	}
	return 0;
}

static void
open_log(struct world *world)
{
	const char *errors =
		arena_format(world->arena, "%s/errors", world->work);
	const char *other = arena_format(world->arena, "%s/log", world->work);

	log_open(&(struct log_settings){.path = errors,
		.info_path = other,
		.debug_path = other,
		.facility = "mail",
		.timestamp = ""});
}

const char *
world_open_store(struct world *world)
{
	struct store_settings settings;
	struct err err;

	store_close(&world->delivery_work.store);
	if (setup_store(&world->job, &world->delivery, &settings, &err) < 0 ||
		store_open(&settings, &world->delivery_work.store, &err) < 0 ||
		mailboxes_open(&world->job, &world->delivery,
			world->delivery_work.store,
			&world->delivery_work.mailboxes, &err) < 0)
		return arena_text(world->arena, str_from(err_log_text(&err)));
	return NULL;
}

static void
trace(struct sieve_host *host, const struct sieve_trace_event *event)
{
	struct arena *arena = arena_open();
	struct str line = sieve_trace_text(arena, event);

	(void)host;
	fprintf(stderr, "%s:%.*s\n", event->script, STR_ARG(line));
	arena_close(&arena);
}

static int64_t
answer_now(struct sieve_host *host)
{
	const struct world *world = world_of(host);

	return world->has_now ? world->now : clock_now().tv_sec;
}

static bool
answer_envelope_text(struct sieve_host *host, enum sieve_envelope_text part,
	struct str *value_out)
{
	*value_out = world_of(host)->envelope_texts[part];
	return value_out->len > 0;
}

/* Where the language wants scripts to be run. */
static bool
answer_environment(
	struct sieve_host *host, struct str name, struct str *value_out)
{
	const struct str config = STR("vnd.dovecot.config.");
	struct world *world = world_of(host);

	if (str_is(name, "location"))
		*value_out = STR("MS");
	else if (str_is(name, "phase"))
		*value_out = STR("post");
	else if (!str_starts(name, config) ||
		 !settings_environment(
			 world, str_skip(name, config.len), value_out))
		return environment_find(
			&world->job, &world->delivery, name, value_out);
	return true;
}

/* No memory is attached: nothing is ever a duplicate. */
static enum lookup
find_nothing(const struct job *job UNUSED, const unsigned char *key UNUSED,
	struct err *err UNUSED)
{
	return LOOKUP_NONE;
}

static int
keep_nothing(const struct job *job UNUSED, const struct seen_mark *marks UNUSED,
	size_t count UNUSED, struct err *err UNUSED)
{
	return 0;
}

static enum lookup
claim_anything(const struct job *job UNUSED,
	const struct seen_mark *mark UNUSED, struct err *err UNUSED)
{
	return LOOKUP_FOUND;
}

static const struct job_seen no_memory = {
	.find = find_nothing, .keep = keep_nothing, .claim = claim_anything};

static void
make_job(struct world *world)
{
	world->job = (struct job){.arena = world->arena,
		.service = "lda",
		.session = "svtest",
		.refuses_by_mail = true,
		.deliveries = &world->delivery,
		.count = 1,
		.seen = &no_memory,
		.work = &world->job_work};
	world->delivery = (struct delivery){.user = user_name,
		.home = arena_format(world->arena, "%s/home", world->work),
		.mailbox = STR_EMPTY,
		.detail = STR_EMPTY,
		.work = &world->delivery_work};
	host_init(&world->host, &world->job, &world->delivery);
	world->ops = *world->host.host.ops;
	world->ops.testsuite = world_obey;
	world->ops.duplicate_seen = NULL;
	world->ops.now = answer_now;
	world->ops.environment = answer_environment;
	world->ops.envelope_text = answer_envelope_text;
	if (world->options->is_traced)
		world->ops.trace = trace;
	world->host.host.ops = &world->ops;
}

int
world_open(struct world *world, const struct svtest_options *options,
	const char *work, const char *file)
{
	const char *problem;

	*world = (struct world){
		.arena = arena_open(), .options = options, .work = work};
	world->result.arena = world->executed.arena = world->arena;
	world->result.implicit_keep = true;
	if (make_folders(world, file) < 0)
		return -1;
	open_log(world);
	make_job(world);
	problem = settings_load(world);
	if (problem != NULL) {
		fprintf(stderr, "svtest: %s\n", problem);
		return -1;
	}
	world_set_default_message(world);
	return 0;
}

void
world_close(struct world *world)
{
	store_close(&world->delivery_work.store);
	for (; world->opened != NULL; world->opened = world->opened->next)
		message_close(&world->opened->message);
	log_close();
	arena_close(&world->arena);
}
