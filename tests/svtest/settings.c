/* test_config_set: the settings of a case are those of doorstep.conf
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/buf.h"
#include "conf/keys.h"
#include "sieve/registry.h"
#include "deliver/setup.h"
#include "tests/svtest/world.h"

#include "base/banned.h"

/* Names that exist, but whose meaning this engine does not have. */
static const struct {
	const char *name, *why;
} without_effect[] = {
	{"sieve_max_cpu_time",
		"a run is limited by sieve_max_steps, not by time"},
};

static const struct conf_key *
find_key(struct str name)
{
	unsigned root, number;
	const struct conf_key *key = conf_key_find(&conf_top_keys, name);

	return key != NULL ? key : conf_key_find_family(name, &root, &number);
}

static const char *
refusal(struct world *world, struct str name)
{
	const struct conf_key *key = find_key(name);
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(without_effect); i++)
		if (str_is(name, without_effect[i].name))
			return arena_format(world->arena,
				"setting %.*s cannot be honoured: %s",
				STR_ARG(name), without_effect[i].why);
	if (key == NULL)
		return arena_format(world->arena, "there is no setting %.*s",
			STR_ARG(name));
	if (conf_key_is_later(key))
		return arena_format(world->arena,
			"setting %.*s has no effect in this release",
			STR_ARG(name));
	return NULL;
}

static struct override *
find_override(struct world *world, struct str name)
{
	size_t i;

	for (i = 0; i < world->override_count; i++)
		if (str_equal(world->overrides[i].name, name))
			return &world->overrides[i];
	return NULL;
}

const char *
settings_set(struct world *world, struct str name, struct str value)
{
	const char *problem = refusal(world, name);
	struct override *override = find_override(world, name);

	if (problem != NULL)
		return problem;
	if (override == NULL) {
		if (world->override_count == MOST_OVERRIDES)
			return "more settings than the runner holds";
		override = &world->overrides[world->override_count++];
		override->name = arena_copy(world->arena, name);
	}
	override->value = arena_copy(world->arena, value);
	override->is_set = true;
	return NULL;
}

void
settings_unset(struct world *world, struct str name)
{
	struct override *override = find_override(world, name);

	if (override != NULL)
		override->is_set = false;
}

/* "-" before all names that are not there, "" = all: so nothing is left out. */
static void
use_sieve(struct world *world)
{
	enum { MOST_ERRORS = 1000, MOST_STEPS = 1000000000 };

	world->sieve = setup_sieve(world->delivery.settings);
	world->sieve.extensions = NULL;
	world->sieve.testsuite_path = world->folder;
	world->sieve.max_errors = MOST_ERRORS;
	world->main_sieve = world->sieve;
	/* A case is no delivery: only what it tests is limited. */
	world->main_sieve.max_steps = MOST_STEPS;
	world->main_sieve.max_memory = UINT64_MAX;
}

const char *
settings_load(struct world *world)
{
	const char *all[MOST_OVERRIDES + 20];
	struct conf_source source = {.only_defaults = true,
		.protocol = CONF_PROTOCOL_LDA,
		.overrides = all};
	struct conf_report report = {0};
	const struct settings *settings;
	size_t i, count = 0;

	all[count++] = "hostname=mail.example.com";
	all[count++] = "postmaster_address=postmaster@example.com";
	all[count++] = "mail_location=maildir:~/Maildir";
	all[count++] = "mail_fsync=never";
	all[count++] = "mail_log_prefix=";
	all[count++] = "lmtp_hdr_delivery_address=none";
	all[count++] = "message_loop_check=no";
	all[count++] = "sieve_user_log=~/user.log";
	all[count++] = arena_format(
		world->arena, "sieve_dir=%s", world->include_folders.personal);
	all[count++] = arena_format(
		world->arena, "sieve_global=%s", world->include_folders.global);
	all[count++] = arena_format(
		world->arena, "sendmail_path=%s/sent", world->work);
	if (world->is_stalwart)
		all[count++] = "lda_mailbox_autocreate=yes";
	for (i = 0; i < world->override_count; i++)
		if (world->overrides[i].is_set)
			all[count++] = arena_format(world->arena, "%.*s=%.*s",
				STR_ARG(world->overrides[i].name),
				STR_ARG(world->overrides[i].value));
	source.override_count = count;
	if (conf_load(world->arena, &source, &settings, &report) < 0)
		return conf_problem_text(world->arena, &report.problems[0]);
	world->delivery.settings = settings;
	use_sieve(world);
	return world_open_store(world);
}

bool
settings_know_extension(struct str name)
{
	/* Names of engines' extensions that are no capabilities. */
	static const char *const others[] = {"vnd.dovecot.report",
		"vnd.dovecot.pipe", "vnd.dovecot.filter",
		"vnd.dovecot.execute"};
	enum extension_id id;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(others); i++)
		if (str_is(name, others[i]))
			return false;
	return registry_find_extension(name, &id);
}
