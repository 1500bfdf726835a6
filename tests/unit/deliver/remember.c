/* What the core does with the answers of a memory of deliveries
 *
 * SPDX-License-Identifier: MIT
 */
#include "deliver/remember.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/lib/test.h"

#include "base/banned.h"

enum { MOST = 3 };

/* A job for users named like their homes, and a memory that answers what the test
 * has put there. */
struct world {
	struct arena *arena;
	struct message *message;
	struct job job;
	struct delivery deliveries[MOST];

	struct job_claim answer[MOST]; /* by place */
	bool is_down;

	struct str names[MOST]; /* what it was told last */
	size_t begun, asked, asked_again, finished;
	int written_then;              /* files of amy's in tmp at begin() */
	int private_then, public_then; /* files of amy's at claim() */
};

static struct world *
world_of(const struct job *job)
{
	return CONTAINER_OF((struct job *)(uintptr_t)job, struct world, job);
}

static int
count(const char *user, const char *folder)
{
	char path[4096];
	struct dirent *entry;
	int files = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s/Maildir/%s", test_folder(), user,
		folder);
	dir = opendir(path);
	if (dir == NULL)
		return -1;
	while ((entry = readdir(dir)) != NULL)
		files += entry->d_name[0] != '.';
	closedir(dir);
	return files;
}

static void
fake_begin(struct job_claim *claims, size_t count_of)
{
	struct world *world = world_of(claims[0].job);

	world->begun += count_of;
	world->written_then = count("amy", "tmp");
}

static int
fake_claim(struct job_claim *claims, size_t count_of, struct err *err)
{
	struct world *world = world_of(claims[0].job);
	size_t i;

	world->asked++;
	world->private_then = count("amy", "tmp");
	world->public_then = count("amy", "new");
	if (world->is_down)
		return err_temp(err, "4.3.0", "nobody there");
	for (i = 0; i < count_of; i++) {
		const struct job_claim *answer =
			&world->answer[claims[i].place];

		world->names[claims[i].place] = claims[i].names;
		claims[i].state = answer->state;
		claims[i].before = answer->before;
		claims[i].outcome = answer->outcome;
	}
	return 0;
}

static int
fake_claim_again(struct job_claim *claims, size_t count_of, struct err *err)
{
	struct world *world = world_of(claims[0].job);
	size_t i;

	world->asked_again++;
	if (world->is_down)
		return err_temp(err, "4.3.0", "nobody there");
	for (i = 0; i < count_of; i++) {
		world->names[claims[i].place] = claims[i].names;
		claims[i].state = JOB_CLAIM_GRANTED;
	}
	return 0;
}

static void
fake_finish(struct job *const *jobs, size_t count_of)
{
	world_of(jobs[0])->finished += count_of;
}

static const struct job_memory fake = {
	.begin = fake_begin,
	.claim = fake_claim,
	.claim_again = fake_claim_again,
	.finish = fake_finish,
};

static const struct settings *
load(struct arena *arena, const char *override)
{
	const struct conf_source source = {.only_defaults = true,
		.protocol = CONF_PROTOCOL_LMTP,
		.overrides = &override,
		.override_count = override != NULL ? 1 : 0};
	const struct settings *settings = NULL;
	struct conf_report report = {0};

	REQUIRE(conf_load(arena, &source, &settings, &report) == 0);
	return settings;
}

static void
begin(struct world *world, const char *override)
{
	static const char plain[] = "Message-ID: <1@example.org>\n\ntext\n";
	static const struct message_limits limits = {.memory_bytes = 131072,
		.header_bytes = 1048576,
		.header_fields = 1000};
	static const char *const users[MOST] = {"amy", "bob", "cat"};
	const struct settings *settings;
	struct err err;
	size_t i;

	memset(world, 0, sizeof(*world));
	world->arena = arena_open();
	settings = load(world->arena, override);
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
		.memory = &fake,
		.deliveries = world->deliveries,
		.count = 1};
	for (i = 0; i < MOST; i++) {
		struct delivery *delivery = &world->deliveries[i];

		delivery->user = users[i];
		delivery->home = test_path(users[i]);
		delivery->settings = settings;
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

/* Two copies: INBOX and Lists. */
static void
two_copies(void)
{
	test_file("amy/.dovecot.sieve",
		"require [\"fileinto\", \"mailbox\", \"copy\"];\n"
		"fileinto :copy :create \"Lists\";\n");
}

/* Each with its NUL, below amy's Maildir. */
static struct str
names(struct world *world, const char *first, const char *second)
{
	const char *mail = test_path("amy/Maildir");
	const char *a = arena_format(world->arena, "%s/%s", mail, first);
	size_t len = strlen(a) + 1;
	char *all =
		arena_alloc(world->arena, 2 * (len + strlen(second)) + 4096);

	memcpy(all, a, len);
	if (second[0] != '\0')
		len += (size_t)snprintf(
			       all + len, 4096, "%s/%s", mail, second) +
		       1;
	return str_of(all, len);
}

static void
break_off(struct world *world, struct str before)
{
	world->answer[0].state = JOB_CLAIM_BROKEN;
	world->answer[0].before = before;
}

static bool
has_name(const struct world *world, const char *part)
{
	return str_find(world->names[0], str_from(part)) < world->names[0].len;
}

TEST(what_nobody_knows_of_is_filed_and_finished)
{
	struct world w;
	const char *target;

	begin(&w, NULL);
	deliver_job(&w.job);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(count("amy", "new"), 1);
	CHECK_UINT(w.asked, 1);
	CHECK_UINT(w.asked_again, 0);
	CHECK_UINT(w.finished, 1);
	/* One name, with its NUL; the copy has it now. */
	target = w.names[0].data;
	CHECK_UINT(strlen(target) + 1, w.names[0].len);
	CHECK(access(target, F_OK) == 0);
	finish(&w);
}

TEST(the_memory_is_asked_when_all_is_written_and_nothing_can_be_seen)
{
	struct world w;

	begin(&w, NULL);
	deliver_job(&w.job);
	CHECK_UINT(w.begun, 1);
	CHECK_INT(w.written_then, 1);
	CHECK_INT(w.private_then, 1);
	CHECK_INT(w.public_then, 0);
	finish(&w);
}

TEST(what_was_delivered_before_is_not_filed_again)
{
	struct world w;

	begin(&w, NULL);
	w.answer[0].state = JOB_CLAIM_FINISHED;
	w.answer[0].outcome = DELIVER_SAVED;
	w.answer[1].state = JOB_CLAIM_FINISHED;
	w.answer[1].outcome = DELIVER_DISCARDED;
	w.job.count = 2;
	deliver_job(&w.job);
	deliver_report(&w.job);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(w.deliveries[1].outcome, DELIVER_DISCARDED);
	CHECK_INT(count("amy", "new"), 0);
	CHECK_INT(count("amy", "tmp"), 0);
	CHECK_INT(count("bob", "new"), 0);
	CHECK_UINT(w.finished, 1);
	finish(&w);
}

TEST(what_was_delivered_before_is_not_redirected_again)
{
	struct world w;
	const char *sent = test_path("sent"), *program;
	char setting[4096];

	program = test_file(
		"sendmail", "#!/bin/sh\ncat >\"${0%/*}/sent\"\nexit 0\n");
	REQUIRE(chmod(program, 0700) == 0);
	snprintf(setting, sizeof(setting), "sendmail_path=%s", program);
	begin(&w, setting);
	test_file("amy/.dovecot.sieve", "redirect \"x@example.net\";\n");
	w.answer[0].state = JOB_CLAIM_FINISHED;
	w.answer[0].outcome = DELIVER_DISCARDED;
	deliver_job(&w.job);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_DISCARDED);
	CHECK(access(sent, F_OK) < 0);
	finish(&w);
}

TEST(what_is_under_way_elsewhere_is_temporary_for_that_recipient_alone)
{
	struct world w;

	begin(&w, NULL);
	w.job.count = 2;
	w.answer[0].state = JOB_CLAIM_BUSY;
	deliver_job(&w.job);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_FAILED);
	CHECK_INT(w.deliveries[0].err.kind, ERR_TEMPORARY);
	CHECK_STR(w.deliveries[0].err.status, "4.3.0");
	CHECK_INT(count("amy", "new"), 0);
	CHECK_INT(count("amy", "tmp"), 0);
	CHECK_INT(w.deliveries[1].outcome, DELIVER_SAVED);
	finish(&w);
}

TEST(what_cannot_be_remembered_is_filed)
{
	struct world w;

	begin(&w, NULL);
	w.answer[0].state = JOB_CLAIM_UNABLE;
	deliver_job(&w.job);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(count("amy", "new"), 1);
	finish(&w);
}

TEST(a_memory_that_does_not_answer_makes_all_temporary)
{
	struct world w;

	begin(&w, NULL);
	w.job.count = 2;
	w.is_down = true;
	deliver_job(&w.job);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_FAILED);
	CHECK_INT(w.deliveries[0].err.kind, ERR_TEMPORARY);
	CHECK_INT(w.deliveries[1].outcome, DELIVER_FAILED);
	CHECK_INT(count("amy", "new"), 0);
	CHECK_INT(count("bob", "tmp"), 0);
	finish(&w);
}

TEST(a_delivery_that_broke_off_before_its_names_is_done_anew)
{
	struct world w;

	begin(&w, NULL);
	break_off(&w, names(&w, "new/1.M1P1.mx,S=1,W=1", ""));
	deliver_job(&w.job);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(count("amy", "new"), 1);
	CHECK_UINT(w.asked_again, 1);
	/* It knows the new name. */
	CHECK(access(w.names[0].data, F_OK) == 0);
	finish(&w);
}

TEST(a_delivery_that_broke_off_after_its_names_is_not_filed_again)
{
	struct world w;

	begin(&w, NULL);
	two_copies();
	test_file("amy/Maildir/new/1.M1P1.mx,S=1,W=1", "");
	test_file("amy/Maildir/.Lists/new/1.M2P1.mx,S=1,W=1", "");
	break_off(&w, names(&w, "new/1.M1P1.mx,S=1,W=1",
			      ".Lists/new/1.M2P1.mx,S=1,W=1"));
	deliver_job(&w.job);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(count("amy", "new"), 1);
	CHECK_INT(count("amy", ".Lists/new"), 1);
	CHECK_INT(count("amy", "tmp"), 0);
	CHECK_UINT(w.asked_again, 0);
	CHECK_UINT(w.finished, 1);
	finish(&w);
}

TEST(copies_that_were_read_meanwhile_count)
{
	struct world w;

	begin(&w, NULL);
	two_copies();
	test_file("amy/Maildir/cur/1.M1P1.mx,S=1,W=1:2,FS", "");
	test_file("amy/Maildir/.Lists/new/1.M2P1.mx,S=1,W=1", "");
	break_off(&w, names(&w, "new/1.M1P1.mx,S=1,W=1",
			      ".Lists/new/1.M2P1.mx,S=1,W=1"));
	deliver_job(&w.job);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(count("amy", "new"), 0);
	CHECK_INT(count("amy", "cur"), 1);
	CHECK_INT(count("amy", ".Lists/new"), 1);
	finish(&w);
}

TEST(copies_that_are_there_stay_and_the_others_are_made)
{
	struct world w;

	begin(&w, NULL);
	two_copies();
	test_file("amy/Maildir/new/1.M1P1.mx,S=1,W=1", "");
	test_file("amy/Maildir/cur/x", "");
	break_off(&w, names(&w, "new/1.M1P1.mx,S=1,W=1",
			      ".Lists/new/1.M2P1.mx,S=1,W=1"));
	deliver_job(&w.job);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_SAVED);
	CHECK(access(test_path("amy/Maildir/new/1.M1P1.mx,S=1,W=1"), F_OK) ==
		0);
	CHECK_INT(count("amy", "new"), 1);
	CHECK_INT(count("amy", "tmp"), 0);
	CHECK_INT(count("amy", ".Lists/new"), 1);
	CHECK_UINT(w.asked_again, 1);
	/* Should this one break off as well, both are known. */
	CHECK(has_name(&w, "/amy/Maildir/new/1.M1P1.mx,S=1,W=1"));
	CHECK(has_name(&w, "/amy/Maildir/.Lists/new/"));
	finish(&w);
}

TEST(a_copy_that_was_read_stays_and_the_others_are_made)
{
	struct world w;

	begin(&w, NULL);
	two_copies();
	test_file("amy/Maildir/cur/1.M1P1.mx,S=1,W=1:2,S", "");
	break_off(&w, names(&w, "new/1.M1P1.mx,S=1,W=1",
			      ".Lists/new/1.M2P1.mx,S=1,W=1"));
	deliver_job(&w.job);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(count("amy", "cur"), 1);
	CHECK_INT(count("amy", "new"), 0);
	CHECK_INT(count("amy", ".Lists/new"), 1);
	finish(&w);
}

/* The script was changed meanwhile.  In doubt a duplicate, never a loss. */
TEST(what_the_plan_does_not_want_any_more_goes_unless_it_was_read)
{
	struct world w;

	begin(&w, NULL);
	test_file("amy/Maildir/.Old/new/1.M1P1.mx,S=1,W=1", "");
	test_file("amy/Maildir/.Read/cur/1.M2P1.mx,S=1,W=1:2,S", "");
	w.answer[0].before = names(&w, ".Old/new/1.M1P1.mx,S=1,W=1",
		".Read/new/1.M2P1.mx,S=1,W=1");
	/* A third one that is nowhere. */
	break_off(&w,
		str_of(w.answer[0].before.data, w.answer[0].before.len + 1));
	deliver_job(&w.job);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(count("amy", ".Old/new"), 0);
	CHECK_INT(count("amy", ".Read/cur"), 1);
	CHECK_INT(count("amy", "new"), 1);
	finish(&w);
}

TEST(a_delivery_without_copies_that_broke_off_is_done_anew)
{
	struct world w;

	begin(&w, NULL);
	test_file("amy/.dovecot.sieve", "discard;\n");
	break_off(&w, STR_EMPTY);
	deliver_job(&w.job);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_DISCARDED);
	CHECK_UINT(w.asked_again, 1);
	finish(&w);
}

TEST(a_copy_without_a_name_is_made_anew)
{
	struct world w;

	begin(&w, NULL);
	break_off(&w, str_of("\0", 1));
	deliver_job(&w.job);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(count("amy", "new"), 1);
	finish(&w);
}

/* A folder that cannot be looked into. */
static void
loop(const char *name)
{
	const char *path = test_path(name);

	REQUIRE(symlink(path, path) == 0);
}

TEST(what_cannot_be_found_out_is_not_forgotten)
{
	struct world w;

	begin(&w, NULL);
	test_file("amy/Maildir/new/1.M1P1.mx,S=1,W=1", "");
	test_file("amy/Maildir/.Lists/new/other", "");
	loop("amy/Maildir/.Lists/cur");
	break_off(&w, names(&w, "new/1.M1P1.mx,S=1,W=1",
			      ".Lists/new/1.M2P1.mx,S=1,W=1"));
	deliver_job(&w.job);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_FAILED);
	CHECK(w.deliveries[0].is_half_done);
	CHECK_INT(count("amy", "new"), 1);
	CHECK_UINT(w.asked_again, 0);
	finish(&w);
}

TEST(copies_that_stay_are_not_forgotten_when_others_fail)
{
	struct world w;

	begin(&w, NULL);
	two_copies();
	test_file("amy/Maildir/new/1.M1P1.mx,S=1,W=1", "");
	test_file("amy/Maildir/.Lists/tmp/other", "");
	test_file("amy/Maildir/.Lists/cur/other", "");
	loop("amy/Maildir/.Lists/new");
	break_off(&w, names(&w, "new/1.M1P1.mx,S=1,W=1",
			      ".Other/new/1.M2P1.mx,S=1,W=1"));
	deliver_job(&w.job);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_FAILED);
	CHECK(w.deliveries[0].is_half_done);
	CHECK_INT(count("amy", "new"), 1);
	CHECK_UINT(w.asked_again, 1);
	finish(&w);
}

TEST(what_fails_without_a_trace_is_forgotten)
{
	struct world w;

	begin(&w, NULL);
	two_copies();
	test_file("amy/Maildir/.Lists/tmp/other", "");
	test_file("amy/Maildir/.Lists/cur/other", "");
	loop("amy/Maildir/.Lists/new");
	deliver_job(&w.job);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_FAILED);
	CHECK(!w.deliveries[0].is_half_done);
	CHECK_INT(count("amy", "new"), 0);
	CHECK_UINT(w.finished, 1);
	finish(&w);
}

/* They come from another process. */
TEST(names_elsewhere_are_left_alone)
{
	struct world w;
	const char *other = test_file("bob/Maildir/new/1.M1P1.mx", "");

	begin(&w, NULL);
	break_off(&w, str_of(other, strlen(other) + 1));
	deliver_job(&w.job);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_SAVED);
	CHECK(access(other, F_OK) == 0);
	CHECK_INT(count("amy", "new"), 1);
	finish(&w);
}

static bool
yes(const struct job *job)
{
	(void)job;
	return true;
}

TEST(an_abandoned_job_takes_its_answer_and_files_nothing)
{
	struct world w;

	begin(&w, NULL);
	w.job.is_abandoned = yes;
	deliver_job(&w.job);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_FAILED);
	CHECK_UINT(w.asked, 1);
	CHECK_UINT(w.finished, 1);
	CHECK_INT(count("amy", "new"), 0);
	CHECK_INT(count("amy", "tmp"), 0);
	finish(&w);
}

TEST(an_abandoned_job_does_not_mend_what_broke_off)
{
	struct world w;

	begin(&w, NULL);
	break_off(&w, STR(""));
	w.job.is_abandoned = yes;
	deliver_job(&w.job);
	CHECK_INT(w.deliveries[0].outcome, DELIVER_FAILED);
	CHECK_UINT(w.asked_again, 0);
	CHECK_INT(count("amy", "new"), 0);
	finish(&w);
}
