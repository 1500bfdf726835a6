/* world - what a test script of the svtest language lives in
 *
 * One case, one world: a message and its envelope, settings, a Maildir, what was
 * sent, the result of scripts, the log of errors.  It is a job of deliver/ with
 * one recipient, so that questions of scripts are answered by deliver/host.c and
 * results are executed by deliver/plan.c and deliver/execute.c.
 *
 *   WORK/home/Maildir    the mail store
 *   WORK/sent/0 ...      outgoing mail, one file a recipient (outbound.c)
 *   WORK/errors          the log
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_SVTEST_WORLD_H
#define TESTS_SVTEST_WORLD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"
#include "mail/message.h"
#include "conf/conf.h"
#include "sieve/sieve.h"
#include "deliver/deliver.h"
#include "deliver/host.h"
#include "deliver/scriptcache.h"
#include "deliver/work.h"

struct svtest_options {
	bool is_traced;       /* -D */
	bool echoes_log;      /* -E */
	bool expects_failure; /* -F */
	bool has_lenient_errors;
	const char *work; /* -W; where each case's folder is made */
};

struct binary {
	struct binary *next;
	struct str name;
	const struct sieve_program *program;
	bool is_subtest;
};

struct override {
	struct str name, value;
	bool is_set;
	struct str in_force; /* since the last test_config_reload */
	bool is_in_force;
};

/* A message stays open to the end: actions may still have to store it. */
struct opened {
	struct opened *next;
	struct message *message;
};

/* What was done already by an earlier test_result_execute. */
struct done {
	struct str *items;
	size_t count, size;
};

enum { MOST_OVERRIDES = 200 };

struct world {
	struct arena *arena;
	const struct svtest_options *options;
	const char *folder; /* of the case, absolute */
	const char *work;
	struct script_folders include_folders;

	struct deliver_host host;
	struct sieve_host_ops ops;
	struct job job;
	struct job_work job_work;
	struct delivery delivery;
	struct delivery_work delivery_work;
	struct opened *opened;
	/* By enum sieve_envelope_text. */
	struct str envelope_texts[SIEVE_ENVELOPE_AUTH + 1];

	struct override overrides[MOST_OVERRIDES];
	size_t override_count;
	struct sieve_settings sieve;      /* of subject scripts */
	struct sieve_settings main_sieve; /* of the case itself */

	/* What is wanted, not yet done. */
	struct sieve_result result;
	/* Of each action the message that was current when it was asked for. */
	const struct message **held;
	size_t held_count, held_size;
	struct sieve_flags message_flags; /* stored with the message */
	/* What was done. */
	struct sieve_result executed;
	struct done done_folders, done_addresses;
	bool is_refused, is_answered;
	size_t first_sent; /* what was sent before the last reset */

	bool is_stalwart; /* the case speaks that dialect */
	int64_t now;      /* currentdate, when it is fixed */
	bool has_now;

	const struct sieve_program *subject;
	bool is_subtest; /* the subject is a test script itself */
	bool runs_subject;
	bool has_subject_failed; /* by test_fail */
	struct binary *binaries;
	size_t ids; /* given to mailboxes */

	struct logged {
		struct str text;
		struct str located; /* "LINE:COLUMN: TEXT", or the text */
	} * errors;
	size_t error_count, error_size;
	size_t log_read; /* bytes of the log that are known */

	size_t tests, passed, failures;
	const char *test; /* the block that runs; NULL outside */
};

/* work: an empty folder, which stays the caller's.  -1: told on standard error. */
MUST_USE int world_open(struct world *world,
	const struct svtest_options *options, const char *work,
	const char *file);
void world_close(struct world *world);

static inline struct world *
world_of(struct sieve_host *host)
{
	return CONTAINER_OF(host, struct world, host.host);
}

/* Anew, as the settings are now.  NULL, or why not. */
const char *world_open_store(struct world *world);

/* ---- world.c: message, envelope ---- */

/* The text becomes the current message, the envelope what its header says. */
MUST_USE int world_set_message(
	struct world *world, struct str text, struct err *err);
/* The current message with what the script has changed. */
struct str world_message_text(struct world *world);
void world_set_default_message(struct world *world);
/* Those of a message that was read from a mailbox. */
void world_set_flags(struct world *world, struct sieve_flags flags);
/* `object` as in test_set: "envelope.from". */
void world_set_envelope(
	struct world *world, struct str object, struct str value);
/* "envelope.auth" and others that are no addresses; false when it is none. */
bool world_set_envelope_text(
	struct world *world, struct str object, struct str value);

/* ---- settings.c ---- */

/* NULL, or why the setting cannot be honoured. */
const char *settings_set(
	struct world *world, struct str name, struct str value);
const char *settings_unset(struct world *world, struct str name);
/* All overrides come into force. */
const char *settings_load(struct world *world);
/* sieve_environment/NAME */
bool settings_environment(
	struct world *world, struct str name, struct str *value_out);
bool settings_know_extension(struct str name);

/* ---- errors.c ---- */

void errors_clear(struct world *world);
void errors_add(struct world *world, struct str text);
/* A run's, or those of the script that was compiled; the summary of a failed
 * compilation follows. */
void errors_add_report(struct world *world, const struct sieve_report *report,
	const char *compiled);
/* What test_error looks into. */
const struct str *errors_list(struct world *world, bool is_located);
/* What the log has got since the last time. */
void errors_read_log(struct world *world);

/* ---- mailboxes.c ---- */

/* NULL when there is no such mailbox. */
const char *mailbox_path(struct world *world, struct str name);
/* NULL, or why not. */
const char *mailbox_create(struct world *world, struct str name);
/* The message at `index`, by arrival; LOOKUP_ERROR: no such mailbox. */
enum lookup mailbox_read(struct world *world, struct str name, uint64_t index,
	struct str *text_out, struct sieve_flags *flags_out);

/* ---- metadata.c ---- */

/* Of the server when `mailbox` is NULL.  NULL, or why not. */
const char *metadata_set(struct world *world, const struct str *mailbox,
	struct str name, struct str value);

/* ---- outcome.c ---- */

/* test_result_reset without what was sent. */
void outcome_reset(struct world *world);
/* The current message is about to change. */
void outcome_hold(struct world *world);
bool outcome_execute(struct world *world);
/* Where the actions of that name lead: addresses of redirects. */
const struct str *outcome_targets(
	struct world *world, struct str name, size_t *count_out);
/* The actions, executed ones included, as sieve_action_text() and
 * sieve_action_tags() have them. */
const struct str *outcome_texts(struct world *world, size_t *count_out);
/* Names of the actions, executed ones included. */
const struct str *outcome_names(struct world *world, size_t *count_out);
void outcome_print(struct world *world);

/* ---- scripts.c ---- */

enum sieve_status script_translate(struct world *world,
	const struct sieve_settings *settings, const char *name,
	struct str text, struct sieve_program **program_out,
	struct sieve_report *report, struct err *err);
bool script_compile(struct world *world, struct str path);
bool script_compile_text(struct world *world, struct str text);
bool script_run(struct world *world, bool appends);
bool script_sequence(
	struct world *world, const struct str *paths, size_t count);
/* The texts become files, whose paths they are afterwards. */
MUST_USE int script_write_all(struct world *world, const struct str *texts,
	size_t count, const struct str **paths_out);
void script_save(struct world *world, struct str name);
bool script_load(struct world *world, struct str name);

/* ---- outbound.c ---- */

/* What was sent as number `index` of all; LOOKUP_NONE: not so many. */
enum lookup sent_read(struct world *world, size_t index, struct str *from_out,
	struct str *to_out, struct str *text_out);
size_t sent_count(const struct world *world);

/* ---- orders.c: what the host answers to commands and tests ---- */

struct testsuite_request;
enum sieve_status world_obey(struct sieve_host *host,
	struct testsuite_request *request, struct err *err);
void world_pass_test(struct world *world);
void world_fail_test(struct world *world, const char *reason);

#endif
