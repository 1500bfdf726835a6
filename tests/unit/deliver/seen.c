/* When marks are kept, and who is asked for them (RFC 7352)
 *
 * SPDX-License-Identifier: MIT
 */
#include "deliver/seen.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "deliver/work.h"
#include "tests/lib/test.h"

#include "base/banned.h"

enum { MOST = 3, MOST_MARKS = 16 };

/* A memory for users named like their homes. */
struct world {
	struct arena *arena;
	struct message *message;
	struct job job;
	struct delivery deliveries[MOST];

	struct seen_mark marks[MOST_MARKS];
	size_t mark_count;
	bool is_down, cannot_keep;
	size_t asked, kept;
	int visible_then; /* amy's copies when something was kept */
};

static struct world *
world_of(const struct job *job)
{
	return CONTAINER_OF((struct job *)(uintptr_t)job, struct world, job);
}

static int
count_in(const char *user, const char *folder, const char *state)
{
	char path[4096];
	struct dirent *entry;
	int files = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s/Maildir/%s%s", test_folder(), user,
		folder, state);
	dir = opendir(path);
	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL)
		files += entry->d_name[0] != '.';
	closedir(dir);
	return files;
}

/* Those with flags, too. */
static int
count(const char *user, const char *folder)
{
	return count_in(user, folder, "new") + count_in(user, folder, "cur");
}

static enum lookup
fake_find(const struct job *job, const unsigned char key[SEEN_KEY],
	struct err *err)
{
	struct world *world = world_of(job);
	size_t i;

	world->asked++;
	if (world->is_down) {
		err_temp(err, "4.3.0", "nobody there");
		return LOOKUP_ERROR;
	}
	for (i = 0; i < world->mark_count; i++)
		if (memcmp(world->marks[i].key, key, SEEN_KEY) == 0)
			return LOOKUP_FOUND;
	return LOOKUP_NONE;
}

static int
fake_keep(const struct job *job, const struct seen_mark *marks, size_t count_of,
	struct err *err)
{
	struct world *world = world_of(job);
	size_t i;

	world->kept++;
	world->visible_then = count("amy", "");
	if (world->is_down || world->cannot_keep)
		return err_temp(err, "4.3.0", "nobody there");
	for (i = 0; i < count_of && world->mark_count < MOST_MARKS; i++)
		world->marks[world->mark_count++] = marks[i];
	return 0;
}

static const struct job_seen fake = {.find = fake_find, .keep = fake_keep};

static const struct settings *
load(struct arena *arena)
{
	const char *before = arena_format(
		arena, "sieve_before=%s", test_path("before.sieve"));
	const struct conf_source source = {.only_defaults = true,
		.protocol = CONF_PROTOCOL_LMTP,
		.overrides = &before,
		.override_count = 1};
	const struct settings *settings = NULL;
	struct conf_report report = {0};

	REQUIRE(conf_load(arena, &source, &settings, &report) == 0);
	return settings;
}

static void
begin(struct world *world)
{
	static const char plain[] = "Message-ID: <1@example.org>\n\ntext\n";
	static const struct message_limits limits = {.memory_bytes = 131072,
		.header_bytes = 1048576,
		.header_fields = 1000};
	static const char *const users[MOST] = {"amy", "bob", "cat"};
	struct err err;
	size_t i;

	memset(world, 0, sizeof(*world));
	world->arena = arena_open();
	log_open(&(struct log_settings){.path = test_path("log"),
		.info_path = "",
		.debug_path = "",
		.facility = "mail",
		.timestamp = ""});
	REQUIRE(message_open_bytes(
			str_from(plain), &limits, &world->message, &err) == 0);
	world->job = (struct job){.arena = world->arena,
		.message = world->message,
		.sender = {.text = STR("ada@partner.example")},
		.sender_is_known = true,
		.service = "lmtp",
		.session = "S",
		.seen = &fake,
		.deliveries = world->deliveries,
		.count = 1};
	for (i = 0; i < MOST; i++) {
		struct delivery *delivery = &world->deliveries[i];

		delivery->user = users[i];
		delivery->home = test_path(users[i]);
		delivery->settings = load(world->arena);
		delivery->final.text = delivery->original.text = str_from(
			arena_format(world->arena, "%s@example.org", users[i]));
		if (mkdir(delivery->home, 0700) < 0)
			REQUIRE(access(delivery->home, F_OK) == 0);
	}
}

static void
finish(struct world *world)
{
	message_close(&world->message);
	log_close();
	arena_close(&world->arena);
}

static void
deliver(struct world *world)
{
	size_t i;

	for (i = 0; i < world->job.count; i++)
		world->deliveries[i].outcome = DELIVER_PENDING;
	deliver_job(&world->job);
}

static size_t
lines_with(const char *words)
{
	struct str log = test_read(test_path("log"));
	size_t found = 0, at;

	while ((at = str_find(log, str_from(words))) < log.len) {
		found++;
		log = str_skip(log, at + 1);
	}
	return found;
}

static void
scripts(const char *text)
{
	test_file("amy/.dovecot.sieve", text);
	test_file("bob/.dovecot.sieve", text);
}

#define DISCARDS "require \"duplicate\"; if duplicate { discard; }\n"

TEST(a_second_copy_is_a_duplicate)
{
	struct world w;

	begin(&w);
	scripts(DISCARDS);
	deliver(&w);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_SAVED);
	deliver(&w);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_DISCARDED);
	CHECK_INT(count("amy", ""), 1);
	CHECK_UINT(w.kept, 1);
	finish(&w);
}

TEST(a_mark_is_kept_when_the_copy_can_be_seen)
{
	struct world w;

	begin(&w);
	scripts(DISCARDS);
	deliver(&w);
	CHECK_UINT(w.kept, 1);
	CHECK_INT(w.visible_then, 1);
	finish(&w);
}

TEST(a_message_that_is_discarded_is_marked)
{
	struct world w;

	begin(&w);
	scripts("require [\"duplicate\",\"fileinto\",\"mailbox\"];\n"
		"if duplicate { fileinto :create \"Twice\"; }\n"
		"else { discard; }\n");
	deliver(&w);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_DISCARDED);
	deliver(&w);
	CHECK_INT(count("amy", ".Twice/"), 1);
	finish(&w);
}

TEST(a_script_without_the_test_asks_nobody)
{
	struct world w;

	begin(&w);
	deliver(&w);
	CHECK_UINT(w.asked + w.kept, 0);
	finish(&w);
}

/* The Maildir is a file, so that nothing can be written. */
TEST(a_delivery_that_failed_marks_nothing)
{
	struct world w;

	begin(&w);
	scripts(DISCARDS);
	test_file("amy/Maildir", "");
	deliver(&w);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_FAILED);
	CHECK_UINT(w.asked, 1);
	CHECK_UINT(w.kept, 0);
	finish(&w);
}

TEST(a_script_that_failed_marks_nothing)
{
	struct world w;
	int i;

	begin(&w);
	scripts("require [\"duplicate\",\"variables\"];\n"
		"if duplicate { discard; stop; }\n"
		"set \"x\" \"a\"; redirect \"${x}\";\n");
	for (i = 1; i <= 2; i++) {
		deliver(&w);
		CHECK_INT(w.deliveries[0].outcome, DELIVER_SAVED);
		CHECK_INT(count("amy", ""), i);
	}
	CHECK_UINT(w.kept, 0);
	finish(&w);
}

TEST(a_script_that_failed_undoes_the_marks_of_those_before_it)
{
	struct world w;

	begin(&w);
	test_file("before.sieve", DISCARDS);
	scripts("stop");
	deliver(&w);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_UINT(w.asked, 1);
	CHECK_UINT(w.kept, 0);
	finish(&w);
}

TEST(recipients_of_one_job_are_separate)
{
	struct world w;

	begin(&w);
	scripts(DISCARDS);
	w.job.count = 2;
	deliver(&w);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(w.deliveries[1].outcome, DELIVER_SAVED);
	CHECK_UINT(w.mark_count, 2);
	CHECK(memcmp(w.marks[0].key, w.marks[1].key, SEEN_KEY) != 0);
	deliver(&w);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_DISCARDED);
	CHECK_INT(w.deliveries[1].outcome, DELIVER_DISCARDED);
	finish(&w);
}

/* Both have asked before either has kept its mark: "true" by mistake must be
 * prevented (RFC 7352 3). */
TEST(of_two_deliveries_at_once_neither_is_a_duplicate)
{
	struct world w, other;

	begin(&w);
	scripts(DISCARDS);
	begin(&other);
	deliver(&other);
	deliver(&w);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(other.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(count("amy", ""), 2);
	finish(&other);
	finish(&w);
}

static bool
has_gone(const struct job *job UNUSED)
{
	return true;
}

/* With the user's own file. */
static void
deliver_both(struct world *first, struct world *second)
{
	struct job *jobs[] = {&first->job, &second->job};

	first->job.seen = second->job.seen = NULL;
	deliver_jobs(jobs, ARRAY_LENGTH(jobs));
}

TEST(of_two_jobs_together_the_later_one_is_a_duplicate)
{
	struct world w, other;

	begin(&w);
	scripts(DISCARDS);
	begin(&other);
	deliver_both(&w, &other);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(other.deliveries[0].outcome, DELIVER_DISCARDED);
	CHECK_INT(other.job.work->wait, EXECUTE_AFTER);
	CHECK_INT(count("amy", ""), 1);
	finish(&other);
	finish(&w);
}

/* RFC 7352 3 */
TEST(of_two_jobs_together_the_later_one_is_filed_when_the_earlier_fails)
{
	struct world w, other;

	begin(&w);
	scripts(DISCARDS);
	begin(&other);
	w.job.is_abandoned = has_gone;
	deliver_both(&w, &other);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_FAILED);
	CHECK_INT(other.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(count("amy", ""), 1);
	finish(&other);
	finish(&w);
}

TEST(two_jobs_together_of_different_users_do_not_wait)
{
	struct world w, other;

	begin(&w);
	scripts(DISCARDS);
	begin(&other);
	other.deliveries[0] = other.deliveries[1];
	deliver_both(&w, &other);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(other.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(other.job.work->wait, EXECUTE_DISK);
	finish(&other);
	finish(&w);
}

TEST(two_recipients_of_one_user_in_one_job_are_deliveries_at_once)
{
	struct world w;

	begin(&w);
	scripts(DISCARDS);
	w.deliveries[1].user = w.deliveries[0].user;
	w.deliveries[1].home = w.deliveries[0].home;
	w.job.count = 2;
	deliver(&w);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(w.deliveries[1].outcome, DELIVER_SAVED);
	CHECK_INT(count("amy", ""), 2);
	finish(&w);
}

TEST(a_memory_in_trouble_has_seen_nothing_and_is_told_of_once)
{
	struct world w;

	begin(&w);
	scripts("require [\"duplicate\"];\n"
		"if duplicate { discard; }\n"
		"if duplicate :handle \"a\" { discard; }\n");
	w.is_down = true;
	w.job.count = 2;
	deliver(&w);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(w.deliveries[1].outcome, DELIVER_SAVED);
	CHECK_UINT(w.asked, 1);
	CHECK_UINT(w.kept, 0);
	CHECK_UINT(
		lines_with("duplicates are not looked for: nobody there"), 1);
	finish(&w);
}

TEST(what_cannot_be_kept_is_delivered_all_the_same)
{
	struct world w;

	begin(&w);
	scripts(DISCARDS);
	w.cannot_keep = true;
	deliver(&w);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_UINT(
		lines_with("duplicates are not remembered: nobody there"), 1);
	finish(&w);
}

/* ---- without a server: a file ---- */

TEST(without_a_server_marks_are_in_a_file_of_the_home)
{
	struct world w;

	begin(&w);
	w.job.seen = NULL;
	scripts(DISCARDS);
	w.job.count = 2;
	deliver(&w);
	CHECK(access(test_path("amy/" SEEN_FILE), F_OK) == 0);
	CHECK(access(test_path("bob/" SEEN_FILE), F_OK) == 0);
	deliver(&w);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_DISCARDED);
	CHECK_INT(w.deliveries[1].outcome, DELIVER_DISCARDED);
	CHECK_INT(count("amy", ""), 1);
	finish(&w);
}

TEST(users_that_share_a_home_are_separate)
{
	struct world w;

	begin(&w);
	w.job.seen = NULL;
	scripts(DISCARDS);
	deliver(&w);
	w.deliveries[0].user = "bob";
	deliver(&w);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(count("amy", ""), 2);
	finish(&w);
}

TEST(a_script_without_the_test_makes_no_file)
{
	struct world w;

	begin(&w);
	w.job.seen = NULL;
	deliver(&w);
	CHECK(access(test_path("amy/" SEEN_FILE), F_OK) < 0);
	finish(&w);
}

TEST(a_file_in_trouble_of_one_user_is_nothing_to_another)
{
	struct world w;

	begin(&w);
	w.job.seen = NULL;
	scripts(DISCARDS);
	REQUIRE(mkdir(test_path("amy/" SEEN_FILE), 0700) == 0);
	w.job.count = 2;
	deliver(&w);
	deliver(&w);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(w.deliveries[1].outcome, DELIVER_DISCARDED);
	CHECK_UINT(lines_with("duplicates are not looked for"), 2);
	finish(&w);
}

TEST(a_broken_file_starts_anew_and_the_log_says_so)
{
	struct world w;

	begin(&w);
	w.job.seen = NULL;
	scripts(DISCARDS);
	test_file("amy/" SEEN_FILE, "nonsense");
	deliver(&w);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_SAVED);
	CHECK(lines_with("is broken: what was seen before is forgotten") > 0);
	deliver(&w);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_DISCARDED);
	finish(&w);
}
