/* deliver_job(): whole jobs into real Maildirs, without root
 *
 * SPDX-License-Identifier: MIT
 */
#include "deliver/deliver.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "deliver/execute.h"
#include "deliver/scriptcache.h"
#include "tests/lib/test.h"

#include "base/banned.h"

enum { MOST = 8 };

/* A job for users named like their homes below test_folder(). */
struct fixture {
	struct arena *arena;
	struct message *message;
	struct job job;
	struct delivery deliveries[MOST];
	const char *log;
};

static const char plain[] = "Message-ID: <1@example.org>\n"
			    "From: Ada <ada@partner.example>\n"
			    "Subject: minutes\n"
			    "\n"
			    "text\n";

static const struct settings *
load(struct arena *arena, const char *const *overrides, size_t count)
{
	const struct conf_source source = {.only_defaults = true,
		.protocol = CONF_PROTOCOL_LDA,
		.overrides = overrides,
		.override_count = count};
	const struct settings *settings = NULL;
	struct conf_report report = {0};
	size_t i;

	if (conf_load(arena, &source, &settings, &report) < 0)
		for (i = 0; i < report.count; i++)
			printf("# %s\n",
				conf_problem_text(arena, &report.problems[i]));
	REQUIRE(settings != NULL);
	return settings;
}

static void
begin(struct fixture *fixture, const char *message,
	const char *const *overrides, size_t override_count)
{
	static const struct message_limits limits = {.memory_bytes = 131072,
		.header_bytes = 1048576,
		.header_fields = 1000,
		.temp_folder = "/tmp"};
	struct err err;

	memset(fixture, 0, sizeof(*fixture));
	fixture->arena = arena_open();
	REQUIRE(message_open_bytes(str_from(message), &limits,
			&fixture->message, &err) == 0);
	fixture->log = test_path("log");
	log_open(&(struct log_settings){.path = fixture->log,
		.info_path = "",
		.debug_path = "",
		.facility = "mail",
		.timestamp = ""});
	fixture->job = (struct job){.arena = fixture->arena,
		.message = fixture->message,
		.sender = {.local_part = STR("ada"),
			.domain = STR("partner.example"),
			.text = STR("ada@partner.example")},
		.sender_is_known = true,
		.service = "lda",
		.session = "S",
		.deliveries = fixture->deliveries};
	fixture->deliveries[0].settings =
		load(fixture->arena, overrides, override_count);
}

static const char *
home_of(struct fixture *fixture, const char *user)
{
	return arena_format(fixture->arena, "%s/%s", test_folder(), user);
}

static struct delivery *
add(struct fixture *fixture, const char *user)
{
	struct job *job = &fixture->job;
	struct delivery *delivery = &fixture->deliveries[job->count++];
	struct address address = {.local_part = str_from(user),
		.domain = STR("example.org"),
		.text = str_from(
			arena_format(fixture->arena, "%s@example.org", user))};

	delivery->settings = fixture->deliveries[0].settings;
	delivery->user = user;
	delivery->home = home_of(fixture, user);
	delivery->final = delivery->original = address;
	if (mkdir(delivery->home, 0700) < 0)
		REQUIRE(access(delivery->home, F_OK) == 0);
	return delivery;
}

static void
script(struct fixture *fixture, const char *user, const char *text)
{
	test_file(
		arena_format(fixture->arena, "%s/.dovecot.sieve", user), text);
}

static void
finish(struct fixture *fixture)
{
	message_close(&fixture->message);
	log_close();
	arena_close(&fixture->arena);
}

/* The number of files in a folder of a user's Maildir; -1: no such folder.  The
 * path of the last one is left in `found`. */
static int
count(struct fixture *fixture, const char *user, const char *folder,
	const char **found)
{
	const char *path = arena_format(fixture->arena, "%s/Maildir/%s",
		home_of(fixture, user), folder);
	DIR *dir = opendir(path);
	struct dirent *entry;
	int files = 0;

	if (dir == NULL)
		return -1;
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		files++;
		if (found != NULL)
			*found = arena_format(
				fixture->arena, "%s/%s", path, entry->d_name);
	}
	closedir(dir);
	return files;
}

static ino_t
inode_in(struct fixture *fixture, const char *user, const char *folder)
{
	const char *path = NULL;
	struct stat status;

	REQUIRE(count(fixture, user, folder, &path) == 1);
	REQUIRE(stat(path, &status) == 0);
	return status.st_ino;
}

TEST(a_message_without_a_script_goes_to_the_inbox)
{
	struct fixture f;
	const char *path = NULL;

	begin(&f, plain, NULL, 0);
	add(&f, "amy");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(count(&f, "amy", "new", &path), 1);
	CHECK_INT(count(&f, "amy", "tmp", NULL), 0);
	CHECK(str_starts(
		test_read(path), STR("Return-Path: <ada@partner.example>\n")));
	CHECK(str_ends(test_read(path), STR("\n\ntext\n")));
	CHECK(str_find(test_read(f.log), STR("lda(amy)<")) <
		test_read(f.log).len);
	CHECK(str_ends(test_read(f.log),
		STR("Info: msgid=<1@example.org>: saved mail to INBOX\n")));
	finish(&f);
}

TEST(every_recipient_has_a_result_of_its_own)
{
	struct fixture f;

	begin(&f, plain, NULL, 0);
	add(&f, "amy");
	add(&f, "bob");
	add(&f, "cat");
	/* A file where the home should be. */
	f.deliveries[1].home = test_file("not-a-folder", "");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(f.deliveries[1].outcome, DELIVER_FAILED);
	CHECK_INT(f.deliveries[1].err.kind, ERR_TEMPORARY);
	CHECK_INT(f.deliveries[2].outcome, DELIVER_SAVED);
	CHECK_INT(count(&f, "amy", "new", NULL), 1);
	CHECK_INT(count(&f, "cat", "new", NULL), 1);
	finish(&f);
}

TEST(identical_copies_of_a_job_share_one_file)
{
	struct fixture f;

	begin(&f, plain,
		(const char *const[]){"lmtp_hdr_delivery_address=none"}, 1);
	add(&f, "amy");
	add(&f, "bob");
	script(&f, "bob",
		"require [\"fileinto\", \"mailbox\", \"copy\"];\n"
		"fileinto :copy :create \"Lists\";\n");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(f.deliveries[1].outcome, DELIVER_SAVED);
	CHECK_INT(inode_in(&f, "amy", "new"), inode_in(&f, "bob", "new"));
	CHECK_INT(
		inode_in(&f, "bob", ".Lists/new"), inode_in(&f, "bob", "new"));
	finish(&f);
}

TEST(hard_links_can_be_switched_off)
{
	struct fixture f;

	begin(&f, plain,
		(const char *const[]){"maildir_copy_with_hardlinks=no"}, 1);
	add(&f, "amy");
	script(&f, "amy",
		"require [\"fileinto\", \"mailbox\", \"copy\"];\n"
		"fileinto :copy :create \"Lists\";\n");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_SAVED);
	CHECK(inode_in(&f, "amy", ".Lists/new") != inode_in(&f, "amy", "new"));
	finish(&f);
}

TEST(a_missing_folder_means_the_inbox)
{
	struct fixture f;

	begin(&f, plain, NULL, 0);
	add(&f, "amy");
	script(&f, "amy", "require \"fileinto\"; fileinto \"Nowhere\";\n");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(count(&f, "amy", "new", NULL), 1);
	CHECK_INT(count(&f, "amy", ".Nowhere", NULL), -1);
	finish(&f);
}

TEST(a_missing_folder_beside_a_keep_gives_one_copy)
{
	struct fixture f;

	begin(&f, plain, NULL, 0);
	add(&f, "amy");
	script(&f, "amy",
		"require \"fileinto\"; fileinto \"Nowhere\"; keep;\n");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(count(&f, "amy", "new", NULL), 1);
	finish(&f);
}

TEST(a_missing_default_mailbox_means_the_inbox)
{
	struct fixture f;

	begin(&f, plain, NULL, 0);
	add(&f, "amy")->mailbox = STR("Nowhere");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(count(&f, "amy", "new", NULL), 1);
	finish(&f);
}

/* ---- user+detail ---- */

static const char *const detail_on[] = {"lmtp_save_to_detail_mailbox=yes"};
static const char *const detail_makes[] = {"lmtp_save_to_detail_mailbox=yes",
	"lmtp_detail_autocreate=yes", "lmtp_detail_max_folders=3"};

static void
make_folder(struct fixture *fixture, const char *user, const char *disk)
{
	test_file(arena_format(fixture->arena, "%s/Maildir/%s/cur/.keep", user,
			  disk),
		"");
}

/* Delivers for amy+detail; where it went is for count(). */
static void
deliver_detail(struct fixture *f, struct str detail)
{
	f->job.count = 0;
	f->deliveries[0].outcome = DELIVER_PENDING;
	f->deliveries[0].mailbox = STR_EMPTY;
	add(f, "amy")->detail = detail;
	deliver_job(&f->job);
	CHECK_INT(f->deliveries[0].outcome, DELIVER_SAVED);
}

TEST(a_detail_is_a_folder_only_where_the_settings_say_so)
{
	struct fixture f;

	begin(&f, plain, NULL, 0);
	make_folder(&f, "amy", ".Lists");
	deliver_detail(&f, STR("lists"));
	CHECK_INT(count(&f, "amy", "new", NULL), 1);
	finish(&f);
	begin(&f, plain, detail_on, ARRAY_LENGTH(detail_on));
	deliver_detail(&f, STR("lists"));
	CHECK_INT(count(&f, "amy", ".Lists/new", NULL), 1);
	finish(&f);
}

TEST(a_nested_detail_is_written_with_a_slash_or_a_dot)
{
	struct fixture f;

	begin(&f, plain, detail_on, ARRAY_LENGTH(detail_on));
	make_folder(&f, "amy", ".Lists.C");
	deliver_detail(&f, STR("lists/c"));
	deliver_detail(&f, STR("lists.c"));
	CHECK_INT(count(&f, "amy", ".Lists.C/new", NULL), 2);
	finish(&f);
}

TEST(a_folder_of_the_very_name_wins_over_a_nested_one)
{
	static const char *const fs[] = {"lmtp_save_to_detail_mailbox=yes",
		"mail_location=maildir:~/Maildir:LAYOUT=fs"};
	struct fixture f;

	begin(&f, plain, fs, ARRAY_LENGTH(fs));
	make_folder(&f, "amy", "Lists/C");
	deliver_detail(&f, STR("lists.c"));
	deliver_detail(&f, STR("lists/c"));
	CHECK_INT(count(&f, "amy", "Lists/C/new", NULL), 2);
	make_folder(&f, "amy", "lists.c");
	deliver_detail(&f, STR("lists.c"));
	CHECK_INT(count(&f, "amy", "lists.c/new", NULL), 1);
	finish(&f);
}

TEST(a_detail_without_a_folder_means_the_inbox_and_is_no_error)
{
	static const char *const eager[] = {"lmtp_save_to_detail_mailbox=yes",
		"lda_mailbox_autocreate=yes"};
	static const struct str details[] = {STR("gone"), STR("a/b/c"),
		STR(".."), STR("../../etc"), STR("inbox"), STR("a\r\nb"),
		STR("a\0b"), STR("\xff"), STR("~"), STR("/"), STR("."),
		STR("a//b"), STR("a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q"), STR("*"),
		STR("%d"), STR("%{home}")};
	struct fixture f;
	size_t i;

	begin(&f, plain, eager, ARRAY_LENGTH(eager));
	for (i = 0; i < ARRAY_LENGTH(details); i++) {
		deliver_detail(&f, details[i]);
		CHECK_INT(count(&f, "amy", "new", NULL), i + 1);
	}
	CHECK_INT(count(&f, "amy", "", NULL), 3);
	CHECK(str_find(test_read(f.log), STR("Error")) == test_read(f.log).len);
	finish(&f);
}

TEST(a_detail_can_make_a_folder_where_the_settings_say_so)
{
	struct fixture f;

	begin(&f, plain, detail_makes, ARRAY_LENGTH(detail_makes));
	make_folder(&f, "amy", ".Lists");
	deliver_detail(&f, STR("lists/c"));
	CHECK_INT(count(&f, "amy", ".Lists.c/new", NULL), 1);
	deliver_detail(&f, STR("Lists.C"));
	CHECK_INT(count(&f, "amy", ".Lists.c/new", NULL), 2);
	/* Nobody wants a folder that a LIST takes for a pattern. */
	deliver_detail(&f, STR("*"));
	deliver_detail(&f, STR("../x"));
	CHECK_INT(count(&f, "amy", "new", NULL), 2);
	finish(&f);
}

TEST(a_detail_makes_no_folder_beyond_the_limit)
{
	struct fixture f;

	begin(&f, plain, detail_makes, ARRAY_LENGTH(detail_makes));
	deliver_detail(&f, STR("a"));
	deliver_detail(&f, STR("b"));
	/* Two levels, one place. */
	deliver_detail(&f, STR("c/d"));
	CHECK_INT(count(&f, "amy", "new", NULL), 1);
	deliver_detail(&f, STR("c"));
	CHECK_INT(count(&f, "amy", ".c/new", NULL), 1);
	deliver_detail(&f, STR("d"));
	CHECK_INT(count(&f, "amy", ".d", NULL), -1);
	CHECK_INT(count(&f, "amy", "new", NULL), 2);
	deliver_detail(&f, STR("A"));
	CHECK_INT(count(&f, "amy", ".a/new", NULL), 2);
	finish(&f);
}

TEST(a_detail_that_is_too_deep_means_the_inbox)
{
	static const char *const unlimited[] = {
		"lmtp_save_to_detail_mailbox=yes", "lmtp_detail_autocreate=yes",
		"lmtp_detail_max_folders=0"};
	struct fixture f;

	begin(&f, plain, unlimited, ARRAY_LENGTH(unlimited));
	deliver_detail(&f, STR("a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p"));
	CHECK_INT(
		count(&f, "amy", ".a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p/new", NULL),
		1);
	deliver_detail(&f, STR("a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q"));
	CHECK_INT(count(&f, "amy", "new", NULL), 1);
	finish(&f);
}

TEST(a_detail_makes_no_folder_that_no_mail_is_for)
{
	struct fixture f;

	begin(&f, plain, detail_makes, ARRAY_LENGTH(detail_makes));
	make_folder(&f, "amy", ".Other");
	script(&f, "amy", "require \"fileinto\"; fileinto \"Other\";");
	deliver_detail(&f, STR("new"));
	CHECK_INT(count(&f, "amy", ".Other/new", NULL), 1);
	CHECK_INT(count(&f, "amy", ".new", NULL), -1);
	/* But it takes what a missing folder cannot. */
	script(&f, "amy", "require \"fileinto\"; fileinto \"Gone\";");
	deliver_detail(&f, STR("new"));
	CHECK_INT(count(&f, "amy", ".new/new", NULL), 1);
	finish(&f);
}

TEST(the_folder_that_hides_the_script_is_named)
{
	struct fixture f;
	struct delivery *amy;
	const char *expected;

	begin(&f, plain, NULL, 0);
	amy = add(&f, "amy");
	script(&f, "amy", "keep;");
	REQUIRE(chmod(amy->home, 0600) == 0);
	if (geteuid() == 0) {
		REQUIRE(chmod(arena_format(f.arena, "%s/..", test_folder()),
				0711) == 0);
		REQUIRE(chmod(test_folder(), 0755) == 0);
		REQUIRE(seteuid(12345) == 0);
	}
	deliver_job(&f.job);
	REQUIRE(seteuid(getuid()) == 0);
	REQUIRE(chmod(amy->home, 0700) == 0);
	CHECK_INT(amy->outcome, DELIVER_FAILED);
	expected = arena_format(f.arena,
		"/.dovecot.sieve: Permission denied (euid=%d ",
		geteuid() == 0 ? 12345 : (int)geteuid());
	CHECK(strstr(err_log_text(&amy->err), expected) != NULL);
	expected = arena_format(f.arena, "missing +x perm: %s,", amy->home);
	CHECK(strstr(err_log_text(&amy->err), expected) != NULL);
	finish(&f);
}

TEST(keep_files_into_the_folder_of_the_detail)
{
	struct fixture f;

	begin(&f, plain, detail_on, ARRAY_LENGTH(detail_on));
	make_folder(&f, "amy", ".Lists");
	make_folder(&f, "amy", ".Trash");
	script(&f, "amy", "require \"fileinto\"; fileinto \"Lists\"; keep;");
	deliver_detail(&f, STR("LISTS"));
	CHECK_INT(count(&f, "amy", ".Lists/new", NULL), 1);
	CHECK_INT(count(&f, "amy", "new", NULL), -1);
	deliver_detail(&f, STR("trash"));
	CHECK_INT(count(&f, "amy", ".Lists/new", NULL), 2);
	CHECK_INT(count(&f, "amy", ".Trash/new", NULL), 1);
	finish(&f);
}

TEST(a_mailbox_that_was_asked_for_wins_over_the_detail)
{
	struct fixture f;

	begin(&f, plain, detail_on, ARRAY_LENGTH(detail_on));
	make_folder(&f, "amy", ".Lists");
	make_folder(&f, "amy", ".Asked");
	add(&f, "amy")->detail = STR("lists");
	f.deliveries[0].mailbox = STR("Asked");
	deliver_job(&f.job);
	CHECK_INT(count(&f, "amy", ".Asked/new", NULL), 1);
	CHECK_INT(count(&f, "amy", ".Lists/new", NULL), -1);
	finish(&f);
}

TEST(trouble_with_one_copy_takes_back_the_others_of_that_recipient)
{
	struct fixture f;

	begin(&f, plain, NULL, 0);
	add(&f, "amy");
	add(&f, "bob");
	/* The folder is there but is no folder: trouble, not "missing". */
	test_file("amy/Maildir/.Broken/new", "a file");
	test_file("amy/Maildir/.Broken/tmp", "a file");
	script(&f, "amy", "require \"fileinto\"; keep; fileinto \"Broken\";\n");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_FAILED);
	CHECK_INT(f.deliveries[0].err.kind, ERR_TEMPORARY);
	CHECK(count(&f, "amy", "new", NULL) <= 0);
	CHECK(count(&f, "amy", "tmp", NULL) <= 0);
	CHECK_INT(f.deliveries[1].outcome, DELIVER_SAVED);
	finish(&f);
}

static size_t
lines_with(struct str text, const char *words)
{
	size_t lines = 0, at;

	while ((at = str_find(text, str_from(words))) < text.len) {
		text = str_skip(text, at + 1);
		lines++;
	}
	return lines;
}

static bool
always(const struct job *job)
{
	(void)job;
	return true;
}

TEST(an_abandoned_job_files_nothing)
{
	struct fixture f;

	begin(&f, plain, NULL, 0);
	add(&f, "amy");
	add(&f, "bob");
	f.job.is_abandoned = always;
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_FAILED);
	CHECK_STR(f.deliveries[0].err.status, "4.3.2");
	CHECK_INT(f.deliveries[1].outcome, DELIVER_FAILED);
	CHECK_INT(count(&f, "amy", "new", NULL), 0);
	CHECK_INT(count(&f, "amy", "tmp", NULL), 0);
	finish(&f);
}

/* The program was told to end: that is the admin's doing. */
TEST(an_abandoned_job_of_a_program_is_an_error)
{
	struct fixture f;

	begin(&f, plain, NULL, 0);
	add(&f, "amy");
	f.job.is_abandoned = always;
	deliver_job(&f.job);
	deliver_report(&f.job);
	CHECK_INT(lines_with(test_read(f.log),
			  "Error: told to stop before the message was filed"),
		1);
	finish(&f);
}

TEST(a_client_that_has_gone_is_no_error)
{
	const struct job_client client = {.protocol = STR("LMTP")};
	struct fixture f;

	begin(&f, plain, NULL, 0);
	add(&f, "amy");
	f.job.client = &client;
	f.job.is_abandoned = always;
	deliver_job(&f.job);
	deliver_report(&f.job);
	CHECK_INT(lines_with(test_read(f.log), "Error"), 0);
	CHECK_INT(lines_with(test_read(f.log),
			  "not filed: the client has gone before the message "
			  "was filed"),
		1);
	finish(&f);
}

TEST(a_client_whose_time_is_over_is_no_error)
{
	const struct job_client client = {.protocol = STR("LMTP")};
	struct fixture f;

	begin(&f, plain, NULL, 0);
	add(&f, "amy");
	f.job.client = &client;
	f.job.deadline_ms = 1;
	deliver_job(&f.job);
	deliver_report(&f.job);
	CHECK_INT(lines_with(test_read(f.log), "Error"), 0);
	CHECK_INT(lines_with(test_read(f.log),
			  "not filed: the client's time was over before the "
			  "message was filed"),
		1);
	finish(&f);
}

/* RFC 5228 2.10.6 */
TEST(a_script_in_error_means_keep_and_tells_the_user)
{
	struct fixture f;
	struct str log;

	begin(&f, plain, NULL, 0);
	add(&f, "amy");
	script(&f, "amy", "fileinto \"Lists\";\nnonsense;\n");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(count(&f, "amy", "cur", NULL), 1);
	log = test_read(test_path("amy/.dovecot.sieve.log"));
	CHECK(str_find(log, STR(".dovecot.sieve:1:1: error: ")) < log.len);
	CHECK(str_find(log, STR(".dovecot.sieve:2:1: error: ")) < log.len);
	log = test_read(f.log);
	CHECK(str_find(log, STR("view user logfile '")) < log.len);
	finish(&f);
}

TEST(a_job_uses_the_scripts_of_the_ones_before)
{
	struct script_cache *cache = script_cache_open(NULL);
	struct fixture f;
	int i;

	begin(&f, plain, NULL, 0);
	clock_fix(clock_now().tv_sec + 60, 0, "host", 1);
	f.job.script_cache = cache;
	add(&f, "amy");
	script(&f, "amy", "require \"fileinto\"; fileinto :nonsense \"A\";");
	for (i = 0; i < 2; i++) {
		f.deliveries[0].outcome = DELIVER_PENDING;
		deliver_job(&f.job);
		CHECK_INT(f.deliveries[0].outcome, DELIVER_SAVED);
	}
	CHECK_INT(count(&f, "amy", "cur", NULL), 2);
	CHECK_UINT(script_cache_counts(cache).compiled, 1);
	CHECK_UINT(script_cache_counts(cache).hits, 1);
	script_cache_close(&cache);
	finish(&f);
}

TEST(a_discarded_message_is_a_success_without_a_copy)
{
	struct fixture f;

	begin(&f, plain, NULL, 0);
	add(&f, "amy");
	script(&f, "amy", "discard;\n");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_DISCARDED);
	CHECK(count(&f, "amy", "new", NULL) <= 0);
	finish(&f);
}

TEST(scripts_run_before_then_personal_then_after)
{
	struct fixture f;
	const char *folder, *path = NULL;

	test_file("before.d/20-second.sieve",
		"require [\"fileinto\", \"mailbox\", \"copy\"];\n"
		"fileinto :copy :create \"Second\";\n");
	test_file("before.d/10-first.sieve",
		"require [\"imap4flags\"]; addflag \"\\\\Flagged\";\n");
	test_file("before.d/ignored.txt", "discard;\n");
	folder = test_path("before.d");
	begin(&f, plain, NULL, 0);
	f.deliveries[0].settings = load(f.arena,
		(const char *const[]){
			arena_format(f.arena, "sieve_before=%s", folder),
			arena_format(f.arena, "sieve_after=%s",
				test_file("after.sieve",
					"require [\"fileinto\", \"mailbox\"];\n"
					"fileinto :create \"After\";\n"))},
		2);
	add(&f, "amy");
	script(&f, "amy", "keep;\n");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_SAVED);
	/* The flag of the first travels on to the last. */
	CHECK_INT(count(&f, "amy", ".Second/cur", &path), 1);
	CHECK_INT(count(&f, "amy", ".After/cur", &path), 1);
	CHECK(path != NULL && str_ends(str_from(path), STR(":2,F")));
	CHECK(count(&f, "amy", "new", NULL) <= 0);
	finish(&f);
}

TEST(a_script_that_files_ends_the_sequence)
{
	struct fixture f;
	const char *after = test_file("after.sieve", "discard;\n");

	begin(&f, plain, NULL, 0);
	f.deliveries[0].settings = load(f.arena,
		(const char *const[]){
			arena_format(f.arena, "sieve_after=%s", after)},
		1);
	add(&f, "amy");
	script(&f, "amy",
		"require [\"fileinto\", \"mailbox\"];\n"
		"fileinto :create \"Lists\";\n");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(count(&f, "amy", ".Lists/new", NULL), 1);
	finish(&f);
}

TEST(the_default_script_is_for_users_without_one)
{
	struct fixture f;
	const char *file = test_file("default.sieve", "discard;\n");

	begin(&f, plain, NULL, 0);
	f.deliveries[0].settings = load(f.arena,
		(const char *const[]){
			arena_format(f.arena, "sieve_default=%s", file)},
		1);
	add(&f, "amy");
	add(&f, "bob");
	script(&f, "bob", "keep;\n");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_DISCARDED);
	CHECK_INT(f.deliveries[1].outcome, DELIVER_SAVED);
	finish(&f);
}

TEST(a_discard_script_can_save_what_would_vanish)
{
	struct fixture f;
	const char *file = test_file("discard.sieve",
		"require [\"fileinto\", \"mailbox\"];\n"
		"if header :is \"subject\" \"minutes\" {\n"
		"  fileinto :create \"Graveyard\";\n}\n");

	begin(&f, plain, NULL, 0);
	f.deliveries[0].settings = load(f.arena,
		(const char *const[]){
			arena_format(f.arena, "sieve_discard=%s", file)},
		1);
	add(&f, "amy");
	script(&f, "amy", "discard;\n");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(count(&f, "amy", ".Graveyard/new", NULL), 1);
	finish(&f);
}

TEST(a_script_that_cannot_be_read_is_temporary)
{
	struct fixture f;

	begin(&f, plain, NULL, 0);
	add(&f, "amy");
	/* A loop of links cannot be read by root either. */
	REQUIRE(symlink(".dovecot.sieve", test_path("amy/.dovecot.sieve")) ==
		0);
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_FAILED);
	CHECK_INT(f.deliveries[0].err.kind, ERR_TEMPORARY);
	CHECK(count(&f, "amy", "new", NULL) <= 0);
	finish(&f);
}

/* A program in place of sendmail that keeps what it was given. */
static const char *
fake_sendmail(const char *body)
{
	const char *path = test_file("sendmail", body);

	REQUIRE(chmod(path, 0700) == 0);
	return path;
}

TEST(a_redirect_is_handed_to_sendmail_and_leaves_no_copy)
{
	struct fixture f;
	const char *sendmail = fake_sendmail(
		"#!/bin/sh\ndir=$(dirname \"$0\")\n"
		"echo \"$@\" >\"$dir/args\"\ncat >\"$dir/sent\"\n");
	struct str sent;

	begin(&f, plain, NULL, 0);
	f.deliveries[0].settings = load(f.arena,
		(const char *const[]){
			arena_format(f.arena, "sendmail_path=%s", sendmail),
			"hostname=mx.example.test"},
		2);
	add(&f, "amy");
	script(&f, "amy", "redirect \"bob@elsewhere.example\";\n");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_DISCARDED);
	CHECK(count(&f, "amy", "new", NULL) <= 0);
	CHECK_STR_IS(test_read(test_path("args")),
		"-i -f ada@partner.example -- bob@elsewhere.example\n");
	sent = test_read(test_path("sent"));
	CHECK(str_starts(
		sent, STR("X-Sieve-Redirected-From: amy@mx.example.test\n")));
	CHECK(str_ends(sent, str_from(plain)));
	finish(&f);
}

/* ---- several jobs together ---- */

/* One job for each delivery of the fixture, and when it settled. */
struct one {
	struct job job;
	size_t *settled_last;
	size_t settled;
};

static void
note_settled(struct job *job)
{
	struct one *one = CONTAINER_OF(job, struct one, job);

	one->settled = ++*one->settled_last;
}

static struct one *
make_each(struct fixture *f)
{
	struct one *all = ARENA_ARRAY(f->arena, struct one, f->job.count);
	size_t *last = ARENA_NEW(f->arena, size_t);
	size_t i;

	for (i = 0; i < f->job.count; i++) {
		all[i].job = f->job;
		all[i].job.deliveries = &f->deliveries[i];
		all[i].job.count = 1;
		all[i].job.settled = note_settled;
		all[i].settled_last = last;
	}
	return all;
}

static void
deliver_all(const struct fixture *f, struct one *all)
{
	struct job *jobs[MOST];
	size_t i;

	for (i = 0; i < f->job.count; i++)
		jobs[i] = &all[i].job;
	deliver_jobs(jobs, f->job.count);
}

static struct one *
deliver_each(struct fixture *f)
{
	struct one *all = make_each(f);

	deliver_all(f, all);
	return all;
}

TEST(jobs_that_are_delivered_together_have_results_of_their_own)
{
	struct fixture f;
	struct one *all;

	begin(&f, plain, NULL, 0);
	add(&f, "amy");
	add(&f, "bob");
	add(&f, "cat");
	script(&f, "cat", "discard;\n");
	test_file("bob/Maildir", "in the way");
	all = deliver_each(&f);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(f.deliveries[1].outcome, DELIVER_FAILED);
	CHECK_INT(f.deliveries[2].outcome, DELIVER_DISCARDED);
	CHECK_INT(count(&f, "amy", "new", NULL), 1);
	CHECK_UINT(all[0].settled, 1);
	CHECK_UINT(all[1].settled, 2);
	CHECK_UINT(all[2].settled, 3);
	finish(&f);
}

TEST(a_job_that_may_wait_keeps_no_other_one_waiting)
{
	struct fixture f;
	struct one *all;
	/* It sees what was filed before it. */
	const char *sendmail = fake_sendmail(
		"#!/bin/sh\ndir=$(dirname \"$0\")\ncat >/dev/null\n"
		"find \"$dir\" -path '*/new/*' | wc -l >>\"$dir/seen\"\n");

	begin(&f, plain, NULL, 0);
	f.deliveries[0].settings = load(f.arena,
		(const char *const[]){
			arena_format(f.arena, "sendmail_path=%s", sendmail)},
		1);
	add(&f, "amy");
	add(&f, "bob");
	add(&f, "cat");
	script(&f, "amy", "redirect \"bob@elsewhere.example\";\n");
	all = deliver_each(&f);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_DISCARDED);
	CHECK_STR_IS(str_trim(test_read(test_path("seen"))), "2");
	CHECK_UINT(all[1].settled, 1);
	CHECK_UINT(all[2].settled, 2);
	CHECK_UINT(all[0].settled, 3);
	finish(&f);
}

/* `count` times the delivery at `place`, as one job. */
static void
repeat_delivery(struct fixture *f, struct one *one, size_t place, size_t count)
{
	size_t i;

	one->job.deliveries = ARENA_ARRAY(f->arena, struct delivery, count);
	one->job.count = count;
	for (i = 0; i < count; i++)
		one->job.deliveries[i] = f->deliveries[place];
}

TEST(a_job_whose_script_runs_a_program_keeps_no_other_one_waiting)
{
	struct fixture f;
	struct one *all;
	/* It sees what was filed before it. */
	const char *program = test_file("programs/look",
		"#!/bin/sh\ndir=$(dirname \"$0\")/..\n"
		"find \"$dir\" -path '*/new/*' | wc -l >>\"$dir/seen\"\n");

	REQUIRE(chmod(program, 0700) == 0);
	begin(&f, plain, NULL, 0);
	f.deliveries[0].settings = load(f.arena,
		(const char *const[]){arena_format(f.arena,
			"sieve_execute_bin_dir=%s", test_path("programs"))},
		1);
	add(&f, "amy");
	add(&f, "bob");
	script(&f, "amy",
		"require \"vnd.dovecot.execute\";\n"
		"if execute \"look\" { discard; }\n");
	all = deliver_each(&f);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_DISCARDED);
	CHECK_INT(f.deliveries[1].outcome, DELIVER_SAVED);
	CHECK_STR_IS(str_trim(test_read(test_path("seen"))), "1");
	CHECK_UINT(all[1].settled, 1);
	CHECK_UINT(all[0].settled, 2);
	finish(&f);
}

/* By a program that has died, perhaps. */
TEST(a_mailbox_whose_keywords_are_locked_keeps_no_other_one_waiting)
{
	static const char *const brief[] = {"maildir_keywords_lock_timeout=1s"};
	struct fixture f;
	struct one *all;

	begin(&f, plain, NULL, 0);
	f.deliveries[0].settings = load(f.arena, brief, 1);
	add(&f, "amy");
	add(&f, "bob");
	script(&f, "amy", "require \"imap4flags\"; addflag \"blue\";\n");
	script(&f, "bob", "require \"imap4flags\"; addflag \"blue\";\n");
	test_file("amy/Maildir/dovecot-uidlist.lock", "");
	all = deliver_each(&f);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(f.deliveries[1].outcome, DELIVER_SAVED);
	CHECK_UINT(all[1].settled, 1);
	CHECK_UINT(all[0].settled, 2);
	finish(&f);
}

TEST(a_job_for_very_many_keeps_no_other_one_waiting)
{
	struct fixture f;
	struct one *all;

	begin(&f, plain, NULL, 0);
	add(&f, "amy");
	add(&f, "bob");
	add(&f, "cat");
	all = make_each(&f);
	repeat_delivery(&f, &all[0], 0, EXECUTE_FEW + 1);
	repeat_delivery(&f, &all[1], 1, EXECUTE_FEW);
	deliver_all(&f, all);
	CHECK_UINT(all[1].settled, 1);
	CHECK_UINT(all[2].settled, 2);
	CHECK_UINT(all[0].settled, 3);
	CHECK_INT(count(&f, "amy", "new", NULL), EXECUTE_FEW + 1);
	CHECK_INT(count(&f, "bob", "new", NULL), EXECUTE_FEW);
	finish(&f);
}

TEST(all_redirects_of_a_recipient_are_handed_over_at_once)
{
	struct fixture f;
	const char *sendmail =
		fake_sendmail("#!/bin/sh\ndir=$(dirname \"$0\")\n"
			      "echo \"$@\" >>\"$dir/args\"\ncat >/dev/null\n");

	begin(&f, plain, NULL, 0);
	f.deliveries[0].settings = load(f.arena,
		(const char *const[]){
			arena_format(f.arena, "sendmail_path=%s", sendmail)},
		1);
	add(&f, "amy");
	script(&f, "amy",
		"redirect \"bob@elsewhere.example\";\n"
		"redirect \"cat@elsewhere.example\";\n");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_DISCARDED);
	CHECK_STR_IS(test_read(test_path("args")),
		"-i -f ada@partner.example -- bob@elsewhere.example "
		"cat@elsewhere.example\n");
	CHECK_INT(lines_with(test_read(f.log), "forwarded to <"), 2);
	finish(&f);
}

/* Nobody may get a copy more at every retry because of another's address. */
TEST(an_address_that_is_refused_holds_all_of_them_back)
{
	struct fixture f;
	const char *sendmail = fake_sendmail(
		"#!/bin/sh\ndir=$(dirname \"$0\")\ncat >/dev/null\n"
		"case $* in *cat@*) exit 75 ;; esac\n"
		"echo \"$@\" >>\"$dir/args\"\n");

	begin(&f, plain, NULL, 0);
	f.deliveries[0].settings = load(f.arena,
		(const char *const[]){
			arena_format(f.arena, "sendmail_path=%s", sendmail)},
		1);
	add(&f, "amy");
	script(&f, "amy",
		"redirect \"bob@elsewhere.example\";\n"
		"redirect \"cat@elsewhere.example\";\n");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].err.kind, ERR_TEMPORARY);
	CHECK(access(test_path("args"), F_OK) < 0);
	CHECK_INT(lines_with(test_read(f.log), "forwarded to <"), 0);
	finish(&f);
}

/* A script that changes the message in between makes two mails of it. */
static void
try_twice(const char *message, const char *more)
{
	const char *sendmail = fake_sendmail(
		"#!/bin/sh\ndir=$(dirname \"$0\")\ncat >/dev/null\n"
		"case $* in *cat@*) [ -e \"$dir/up\" ] || exit 75 ;; esac\n"
		"echo \"$@\" >>\"$dir/args\"\n");
	struct fixture f;
	int i;

	(void)unlink(test_path("up"));
	(void)unlink(test_path("args"));
	for (i = 0; i < 4; i++) {
		begin(&f, message, NULL, 0);
		f.deliveries[0].settings = load(f.arena,
			(const char *const[]){
				arena_format(
					f.arena, "sendmail_path=%s", sendmail),
				more},
			2);
		add(&f, "amy");
		script(&f, "amy",
			"require [\"editheader\", \"copy\"];\n"
			"redirect \"bob@elsewhere.example\";\n"
			"addheader \"X-Seen\" \"yes\";\n"
			"redirect \"cat@elsewhere.example\";\n");
		if (i == 2)
			test_file("up", "");
		deliver_job(&f.job);
		if (i < 2)
			CHECK_INT(f.deliveries[0].outcome, DELIVER_FAILED);
		if (i == 2)
			CHECK_STR_IS(test_read(test_path("args")),
				"-i -f ada@partner.example -- "
				"bob@elsewhere.example\n"
				"-i -f ada@partner.example -- "
				"cat@elsewhere.example\n");
		finish(&f);
	}
}

TEST(a_retry_does_not_redirect_again_what_has_left)
{
	try_twice(plain, "sieve_redirect_duplicate_period=12 hours");
	/* What comes once more on purpose is another matter. */
	CHECK_INT(lines_with(test_read(test_path("log")),
			  "sieve_redirect_duplicate_period"),
		2);
}

TEST(a_retry_without_a_message_id_does_not_redirect_again_either)
{
	try_twice("Subject: no id\n\ntext\n",
		"sieve_redirect_duplicate_period=12 hours");
	CHECK_INT(lines_with(test_read(test_path("args")), "bob@"), 2);
}

TEST(a_retry_does_not_redirect_again_without_a_memory_of_duplicates)
{
	try_twice(plain, "sieve_redirect_duplicate_period=0");
	CHECK_INT(lines_with(test_read(test_path("args")), "bob@"), 2);
}

/* ---- messages that a script changes (RFC 5293) ---- */

TEST(what_a_script_has_changed_is_stored)
{
	struct fixture f;
	const char *path = NULL;
	struct stat status;

	begin(&f, plain, NULL, 0);
	add(&f, "amy");
	script(&f, "amy",
		"require \"editheader\";\n"
		"addheader \"X-New\" \"a\"; addheader :last \"X-Last\" \"b\";\n"
		"deleteheader \"Subject\";\n");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_SAVED);
	REQUIRE(count(&f, "amy", "new", &path) == 1);
	CHECK_STR_IS(test_read(path), "Return-Path: <ada@partner.example>\n"
				      "Delivered-To: amy@example.org\n"
				      "X-New: a\n"
				      "Message-ID: <1@example.org>\n"
				      "From: Ada <ada@partner.example>\n"
				      "X-Last: b\n"
				      "\n"
				      "text\n");
	REQUIRE(stat(path, &status) == 0);
	CHECK(strstr(path, arena_format(f.arena, ",S=%lld,W=%lld",
				   (long long)status.st_size,
				   (long long)status.st_size + 8)) != NULL);
	finish(&f);
}

TEST(a_return_path_that_a_script_adds_is_not_stored)
{
	struct fixture f;
	const char *path = NULL;

	begin(&f, plain, NULL, 0);
	add(&f, "amy");
	script(&f, "amy",
		"require \"editheader\"; addheader \"X\" \"a\";\n"
		"addheader \"Return-Path\" \"<eve@elsewhere.example>\";\n");
	deliver_job(&f.job);
	REQUIRE(count(&f, "amy", "new", &path) == 1);
	CHECK_INT(lines_with(test_read(path), "Return-Path:"), 1);
	CHECK_INT(lines_with(test_read(path), "eve@"), 0);
	CHECK_INT(lines_with(test_read(path), "X: a"), 1);
	finish(&f);
}

TEST(copies_that_hold_the_same_changes_share_one_file)
{
	static const char edit[] = "require \"editheader\";\n"
				   "addheader \"X\" \"y\";\n";
	struct fixture f;

	begin(&f, plain,
		(const char *const[]){"lmtp_hdr_delivery_address=none"}, 1);
	add(&f, "amy");
	add(&f, "bob");
	add(&f, "cat");
	add(&f, "dan");
	script(&f, "amy", edit);
	script(&f, "bob", edit);
	script(&f, "cat",
		"require [\"fileinto\", \"mailbox\", \"copy\", "
		"\"editheader\"];\n"
		"fileinto :copy :create \"Plain\";\n"
		"addheader \"X\" \"other\";\n");
	deliver_job(&f.job);
	CHECK_INT(inode_in(&f, "amy", "new"), inode_in(&f, "bob", "new"));
	CHECK(inode_in(&f, "amy", "new") != inode_in(&f, "cat", "new"));
	CHECK(inode_in(&f, "amy", "new") != inode_in(&f, "dan", "new"));
	CHECK_INT(
		inode_in(&f, "cat", ".Plain/new"), inode_in(&f, "dan", "new"));
	finish(&f);
}

TEST(each_redirect_sends_the_message_of_its_moment)
{
	struct fixture f;
	const char *sendmail =
		fake_sendmail("#!/bin/sh\ndir=$(dirname \"$0\")\n"
			      "for to; do :; done\ncat >\"$dir/sent-$to\"\n");

	begin(&f, plain, NULL, 0);
	f.deliveries[0].settings = load(f.arena,
		(const char *const[]){
			arena_format(f.arena, "sendmail_path=%s", sendmail),
			"hostname=mx.example.test"},
		2);
	add(&f, "amy");
	script(&f, "amy",
		"require \"editheader\";\n"
		"redirect \"bob@elsewhere.example\";\n"
		"addheader \"X\" \"y\";\n"
		"addheader \"Return-Path\" \"<eve@elsewhere.example>\";\n"
		"redirect \"cat@elsewhere.example\";\n");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_DISCARDED);
	CHECK_STR_IS(test_read(test_path("sent-bob@elsewhere.example")),
		arena_format(f.arena,
			"X-Sieve-Redirected-From: amy@mx.example.test\n%s",
			plain));
	CHECK_STR_IS(test_read(test_path("sent-cat@elsewhere.example")),
		arena_format(f.arena,
			"X-Sieve-Redirected-From: amy@mx.example.test\nX: "
			"y\n%s",
			plain));
	finish(&f);
}

TEST(the_next_script_sees_the_message_as_it_was_left)
{
	struct fixture f;
	const char *path = NULL;

	begin(&f, plain, NULL, 0);
	f.deliveries[0].settings = load(f.arena,
		(const char *const[]){
			arena_format(f.arena, "sieve_before=%s",
				test_file("before.sieve",
					"require \"editheader\";\n"
					"addheader \"X-Before\" \"1\";\n")),
			arena_format(f.arena, "sieve_after=%s",
				test_file("after.sieve",
					"require \"editheader\";\n"
					"if header \"X-Own\" \"2\" {\n"
					"addheader \"X-After\" \"3\"; }\n"))},
		2);
	add(&f, "amy");
	script(&f, "amy",
		"require \"editheader\"; if header \"X-Before\" \"1\" {\n"
		"addheader \"X-Own\" \"2\"; }\n");
	deliver_job(&f.job);
	REQUIRE(count(&f, "amy", "new", &path) == 1);
	CHECK(str_find(test_read(path),
		      STR("\nX-After: 3\nX-Own: 2\nX-Before: 1\n")) <
		test_read(path).len);
	finish(&f);
}

/* RFC 5293 7 */
TEST(an_error_keeps_what_the_scripts_before_it_have_made)
{
	struct fixture f;
	const char *path = NULL;

	begin(&f, plain, NULL, 0);
	f.deliveries[0].settings = load(f.arena,
		(const char *const[]){arena_format(f.arena, "sieve_before=%s",
			test_file("before.sieve",
				"require \"editheader\";\n"
				"addheader \"X-Before\" \"1\";\n"))},
		1);
	add(&f, "amy");
	script(&f, "amy",
		"require [\"editheader\", \"variables\"];\n"
		"addheader \"X-Own\" \"2\"; set \"n\" \" \";\n"
		"addheader \"${n}\" \"3\";\n");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_SAVED);
	REQUIRE(count(&f, "amy", "cur", &path) == 1);
	CHECK_INT(lines_with(test_read(path), "X-Before: 1"), 1);
	CHECK_INT(lines_with(test_read(path), "X-Own"), 0);
	finish(&f);
}

/* RFC 5703 5, 6 */
TEST(a_replaced_part_and_an_enclosed_message_are_stored)
{
	static const char mixed[] =
		"Message-ID: <1@example.org>\n"
		"Content-Type: multipart/mixed; boundary=b\n"
		"\n"
		"--b\n\nfirst\n--b\nContent-Type: a/b\n"
		"\nsecond\n--b--\n";
	struct fixture f;
	struct str stored;
	const char *path = NULL;

	begin(&f, mixed,
		(const char *const[]){"sieve_user_email=me@%u.example"}, 1);
	add(&f, "amy");
	script(&f, "amy",
		"require [\"replace\", \"enclose\", \"foreverypart\", "
		"\"mime\"];\n"
		"foreverypart { if header :mime :type \"Content-Type\" \"a\" "
		"{\n"
		"replace \"removed\"; } }\n"
		"enclose :subject \"new\" \"see below\";\n");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_SAVED);
	REQUIRE(count(&f, "amy", "new", &path) == 1);
	stored = test_read(path);
	CHECK_INT(lines_with(stored, "From: me@amy.example"), 1);
	CHECK_INT(lines_with(stored, "Subject: new"), 1);
	CHECK_INT(lines_with(stored, "Content-Type: message/rfc822"), 1);
	CHECK(str_find(stored, STR("\n--b\n\nfirst\n--b\n"
				   "Content-Type: text/plain; charset=utf-8\n\n"
				   "removed\n--b--\n")) < stored.len);
	CHECK(str_starts(stored, STR("Return-Path: <ada@partner.example>\n")));
	finish(&f);
}

TEST(a_redirect_sends_what_was_replaced_and_not_what_encloses_it)
{
	struct fixture f;
	const char *sendmail =
		fake_sendmail("#!/bin/sh\n"
			      "cat >\"$(dirname \"$0\")/sent\"\n");

	begin(&f, plain, NULL, 0);
	f.deliveries[0].settings = load(f.arena,
		(const char *const[]){
			arena_format(f.arena, "sendmail_path=%s", sendmail),
			"hostname=mx.example.test"},
		2);
	add(&f, "amy");
	script(&f, "amy",
		"require [\"replace\", \"enclose\"];\n"
		"replace \"new text\"; enclose \"see below\";\n"
		"redirect \"bob@elsewhere.example\";\n");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_DISCARDED);
	CHECK_STR_IS(test_read(test_path("sent")),
		"X-Sieve-Redirected-From: amy@mx.example.test\n"
		"Message-ID: <1@example.org>\n"
		"From: Ada <ada@partner.example>\n"
		"Subject: minutes\n"
		"MIME-Version: 1.0\n"
		"Content-Type: text/plain; charset=utf-8\n"
		"\n"
		"new text\n");
	finish(&f);
}

TEST(settings_protect_header_fields)
{
	struct fixture f;
	const char *path = NULL;

	begin(&f, plain,
		(const char *const[]){"sieve_editheader_protected=X-A",
			"sieve_editheader_forbid_add=X-B",
			"sieve_editheader_forbid_delete=From"},
		3);
	add(&f, "amy");
	script(&f, "amy",
		"require \"editheader\";\n"
		"addheader \"X-A\" \"1\"; addheader \"X-B\" \"1\";\n"
		"addheader \"X-C\" \"1\"; deleteheader \"From\";\n");
	deliver_job(&f.job);
	REQUIRE(count(&f, "amy", "new", &path) == 1);
	CHECK_INT(lines_with(test_read(path), "X-"), 1);
	CHECK_INT(lines_with(test_read(path), "X-C: 1"), 1);
	CHECK_INT(lines_with(test_read(path), "From: Ada"), 1);
	finish(&f);
}

TEST(the_return_path_of_a_redirect_is_a_matter_of_settings)
{
	static const struct {
		const char *policy, *sender;
	} cases[] = {
		{"recipient", "amy@example.org"},
		{"user_email", "me@example.net"},
		{"postmaster", "postmaster@mx.example.test"},
		{"\"<bounces+amy@example.org>\"", "bounces+amy@example.org"},
	};
	const char *sendmail = fake_sendmail(
		"#!/bin/sh\necho \"$@\" >\"$(dirname \"$0\")/args\"\n"
		"cat >/dev/null\n");
	struct fixture f;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(cases); i++) {
		begin(&f, plain, NULL, 0);
		f.deliveries[0].settings = load(f.arena,
			(const char *const[]){
				arena_format(
					f.arena, "sendmail_path=%s", sendmail),
				arena_format(f.arena,
					"sieve_redirect_envelope_from=%s",
					cases[i].policy),
				"hostname=mx.example.test",
				"sieve_user_email=me@example.net",
				"sieve_redirect_duplicate_period=0"},
			5);
		add(&f, "amy");
		script(&f, "amy", "redirect \"bob@elsewhere.example\";\n");
		deliver_job(&f.job);
		CHECK_INT(f.deliveries[0].outcome, DELIVER_DISCARDED);
		CHECK_STR_IS(test_read(test_path("args")),
			arena_format(f.arena,
				"-i -f %s -- bob@elsewhere.example\n",
				cases[i].sender));
		finish(&f);
	}
}

TEST(a_redirect_that_fails_is_temporary_and_files_nothing)
{
	struct fixture f;
	const char *sendmail = fake_sendmail("#!/bin/sh\nexit 75\n");

	begin(&f, plain, NULL, 0);
	f.deliveries[0].settings = load(f.arena,
		(const char *const[]){
			arena_format(f.arena, "sendmail_path=%s", sendmail)},
		1);
	add(&f, "amy");
	script(&f, "amy",
		"require \"copy\"; redirect :copy "
		"\"bob@elsewhere.example\";\n");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_FAILED);
	CHECK_INT(f.deliveries[0].err.kind, ERR_TEMPORARY);
	CHECK_INT(count(&f, "amy", "new", NULL), 0);
	CHECK_INT(count(&f, "amy", "tmp", NULL), 0);
	finish(&f);
}

TEST(a_sendmail_that_hangs_is_ended_and_temporary)
{
	struct fixture f;
	const char *sendmail = fake_sendmail("#!/bin/sh\nsleep 60\n");

	begin(&f, plain, NULL, 0);
	f.deliveries[0].settings = load(f.arena,
		(const char *const[]){
			arena_format(f.arena, "sendmail_path=%s", sendmail),
			"submission_timeout=1 s"},
		2);
	add(&f, "amy");
	script(&f, "amy", "redirect \"bob@elsewhere.example\";\n");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_FAILED);
	CHECK_STR(f.deliveries[0].err.status, "4.4.2");
	finish(&f);
}

TEST(somebody_of_the_same_name_on_another_host_is_no_circle)
{
	struct fixture f;
	const char *sendmail = fake_sendmail("#!/bin/sh\ncat >/dev/null\n");

	begin(&f,
		"X-Sieve-Redirected-From: amy@old.example.test\n"
		"Subject: again\n\ntext\n",
		NULL, 0);
	f.deliveries[0].settings = load(f.arena,
		(const char *const[]){
			arena_format(f.arena, "sendmail_path=%s", sendmail),
			"hostname=mx.example.test"},
		2);
	add(&f, "amy");
	script(&f, "amy", "redirect \"bob@elsewhere.example\";\n");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_DISCARDED);
	CHECK(count(&f, "amy", "new", NULL) <= 0);
	finish(&f);
}

TEST(a_redirect_in_a_circle_keeps_the_message)
{
	struct fixture f;
	const char *sendmail = fake_sendmail("#!/bin/sh\nexit 75\n");

	begin(&f,
		"X-Sieve-Redirected-From: amy@mx.example.test\n"
		"Subject: again\n\ntext\n",
		NULL, 0);
	f.deliveries[0].settings = load(f.arena,
		(const char *const[]){
			arena_format(f.arena, "sendmail_path=%s", sendmail),
			"hostname=mx.example.test"},
		2);
	add(&f, "amy");
	script(&f, "amy", "redirect \"bob@elsewhere.example\";\n");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(count(&f, "amy", "new", NULL), 1);
	finish(&f);
}

/* With a prefix "INBOX." three spellings are one folder. */
TEST(one_folder_under_several_names_gets_one_copy)
{
	struct fixture f;

	begin(&f, plain,
		(const char *const[]){"namespace/inbox/inbox=yes",
			"namespace/inbox/prefix=INBOX.",
			"namespace/inbox/separator=."},
		3);
	add(&f, "amy");
	script(&f, "amy",
		"require [\"fileinto\", \"mailbox\", \"imap4flags\"];\n"
		"fileinto :create \"INBOX.Lists\";\n"
		"fileinto \"Lists\";\n"
		"fileinto :flags \"\\\\Seen\" \"inbox.Lists\";\n");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(count(&f, "amy", ".Lists/cur", NULL), 1);
	CHECK_INT(count(&f, "amy", ".Lists/new", NULL), 0);
	finish(&f);
}

/* The folder of a ManageSieve server whose active script is out of reach. */
TEST(an_active_script_that_cannot_be_looked_at_is_temporary)
{
	struct fixture f;

	begin(&f, plain, (const char *const[]){"sieve=~/sieve"}, 1);
	add(&f, "amy");
	script(&f, "amy", "discard;\n");
	REQUIRE(unlink(test_path("amy/.dovecot.sieve")) == 0);
	test_file("amy/sieve/main.sieve", "keep;\n");
	REQUIRE(symlink(".dovecot.sieve", test_path("amy/.dovecot.sieve")) ==
		0);
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_FAILED);
	CHECK_INT(f.deliveries[0].err.kind, ERR_TEMPORARY);
	CHECK(count(&f, "amy", "new", NULL) <= 0);
	finish(&f);
}

TEST(what_is_no_file_in_a_script_folder_is_passed_over)
{
	struct fixture f;
	struct str log;

	begin(&f, plain, NULL, 0);
	test_file("before.d/10.sieve",
		"require \"imap4flags\"; addflag \"\\\\Seen\";\n");
	REQUIRE(mkfifo(test_path("before.d/20.sieve"), 0600) == 0);
	f.deliveries[0].settings = load(f.arena,
		(const char *const[]){arena_format(
			f.arena, "sieve_before=%s", test_path("before.d"))},
		1);
	add(&f, "amy");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_SAVED);
	CHECK_INT(count(&f, "amy", "cur", NULL), 1);
	log = test_read(f.log);
	CHECK(str_find(log, STR("20.sieve is no file")) < log.len);
	finish(&f);
}

TEST(a_script_of_the_admins_that_is_not_there_is_told)
{
	struct fixture f;
	struct str log;

	begin(&f, plain, (const char *const[]){"sieve_before=/nowhere/x.sieve"},
		1);
	add(&f, "amy");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_SAVED);
	log = test_read(f.log);
	CHECK(str_find(log, STR("/nowhere/x.sieve is not there")) < log.len);
	finish(&f);
}

/* ---- what comes by a protocol ---- */

static const struct job_client client = {.helo = {"mx.example.org", 14},
	.ip = {"192.0.2.1", 9},
	.remote_ip = {"192.0.2.1", 9},
	.protocol = {"LMTP", 4}};

static void
begin_lmtp(struct fixture *f, const char *const *overrides, size_t count)
{
	begin(f, plain, overrides, count);
	f->job.service = "lmtp";
	f->job.session = "SESSION";
	f->job.client = &client;
}

static struct str
only_mail(struct fixture *f, const char *user)
{
	const char *path = NULL;

	REQUIRE(count(f, user, "new", &path) == 1);
	return test_read(path);
}

static bool
has(struct str text, const char *part)
{
	return str_find(text, str_from(part)) < text.len;
}

/* RFC 5321 4.4 */
TEST(a_single_recipient_is_named_in_received_and_delivered_to)
{
	struct fixture f;
	struct str mail;

	begin_lmtp(&f, (const char *const[]){"hostname=mail.example.org"}, 1);
	add(&f, "amy");
	f.deliveries[0].session = "SESSION:R7";
	deliver_job(&f.job);
	mail = only_mail(&f, "amy");
	CHECK(str_starts(
		mail, STR("Return-Path: <ada@partner.example>\n"
			  "Delivered-To: amy@example.org\n"
			  "Received: from mx.example.org ([192.0.2.1])\n"
			  "\tby mail.example.org with LMTP\n"
			  "\tid SESSION\n"
			  "\t(envelope-from <ada@partner.example>)\n"
			  "\tfor <amy@example.org>; ")));
	CHECK(has(test_read(f.log), "lmtp(amy)<"));
	CHECK(has(test_read(f.log), "<SESSION:R7>: Info: "));
	finish(&f);
}

/* One of three, of which two are other users'. */
TEST(several_recipients_of_a_transaction_are_not_named)
{
	struct fixture f;
	struct str mail;

	begin_lmtp(&f, NULL, 0);
	add(&f, "amy");
	f.job.recipients = 3;
	deliver_job(&f.job);
	mail = only_mail(&f, "amy");
	CHECK(has(mail, "\tid SESSION\n\t(envelope-from "));
	CHECK(!has(mail, "amy@example.org"));
	CHECK(!has(mail, "Delivered-To"));
	finish(&f);
}

TEST(received_can_be_switched_off)
{
	struct fixture f;

	begin_lmtp(&f, (const char *const[]){"lmtp_add_received_header=no"}, 1);
	add(&f, "amy");
	deliver_job(&f.job);
	CHECK(!has(only_mail(&f, "amy"), "Received:"));
	finish(&f);
}

TEST(copies_with_the_same_received_share_one_file)
{
	struct fixture f;

	begin_lmtp(&f, NULL, 0);
	add(&f, "amy");
	add(&f, "bob");
	add(&f, "cat");
	deliver_job(&f.job);
	CHECK_INT(inode_in(&f, "amy", "new"), inode_in(&f, "bob", "new"));
	CHECK_INT(inode_in(&f, "amy", "new"), inode_in(&f, "cat", "new"));
	finish(&f);
}

/* The first one writes the file that others link to. */
TEST(a_copy_that_is_given_up_harms_no_link)
{
	struct fixture f;

	begin_lmtp(&f, NULL, 0);
	add(&f, "amy");
	add(&f, "bob");
	add(&f, "cat");
	/* A second copy that cannot be made: a file in the place of a folder. */
	script(&f, "amy", "require \"fileinto\"; keep; fileinto \"Bad\";\n");
	test_file("amy/Maildir/.Bad/cur/x", "");
	test_file("amy/Maildir/.Bad/tmp", "");
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_FAILED);
	CHECK_INT(f.deliveries[1].outcome, DELIVER_SAVED);
	CHECK_INT(f.deliveries[2].outcome, DELIVER_SAVED);
	CHECK_INT(inode_in(&f, "cat", "new"), inode_in(&f, "bob", "new"));
	finish(&f);
}

TEST(nothing_is_filed_after_the_deadline)
{
	struct fixture f;

	begin_lmtp(&f, NULL, 0);
	add(&f, "amy");
	add(&f, "bob");
	f.job.deadline_ms = 1;
	deliver_job(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_FAILED);
	CHECK_INT(f.deliveries[0].err.kind, ERR_TEMPORARY);
	CHECK_INT(f.deliveries[1].outcome, DELIVER_FAILED);
	CHECK_INT(count(&f, "amy", "new", NULL), 0);
	CHECK_INT(count(&f, "amy", "tmp", NULL), 0);
	finish(&f);
}

TEST(a_delivery_that_failed_before_is_passed_over)
{
	struct fixture f;

	begin_lmtp(&f, NULL, 0);
	add(&f, "amy");
	add(&f, "bob");
	f.deliveries[0].outcome = DELIVER_FAILED;
	err_temp(&f.deliveries[0].err, "4.3.0", "unknown");
	deliver_job(&f.job);
	deliver_report(&f.job);
	CHECK_INT(f.deliveries[0].outcome, DELIVER_FAILED);
	CHECK_INT(f.deliveries[1].outcome, DELIVER_SAVED);
	CHECK(has(test_read(f.log), "Error: unknown"));
	finish(&f);
}

static unsigned asked;

static bool
count_and_go_on(const struct job *job)
{
	(void)job;
	asked++;
	return false;
}

TEST(a_job_is_asked_once_whether_it_still_counts)
{
	struct fixture f;

	begin_lmtp(&f, NULL, 0);
	add(&f, "amy");
	add(&f, "bob");
	f.job.is_abandoned = count_and_go_on;
	deliver_job(&f.job);
	CHECK_UINT(asked, 1);
	finish(&f);
}
