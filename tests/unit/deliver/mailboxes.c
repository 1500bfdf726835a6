/* SPDX-License-Identifier: MIT */
#include "deliver/mailboxes.h"

#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf.h"
#include "store/store.h"
#include "tests/lib/test.h"

#include "base/banned.h"

#define DICT "mail_attribute_dict = file:~/dict\n"
#define JUNK "mailbox Junk {\n special_use = \\Junk\n}\n"

static struct arena *arena;
static struct store *store;
static struct mailboxes *mailboxes;
static struct err err;
static struct str out;

static const struct settings *
load(const char *text)
{
	const struct conf_source source = {
		.text = str_from(text), .protocol = CONF_PROTOCOL_LDA};
	const struct settings *settings = NULL;
	struct conf_report report = {0};

	if (conf_load(arena, &source, &settings, &report) < 0)
		printf("# %s\n", conf_problem_text(arena, &report.problems[0]));
	REQUIRE(settings != NULL);
	return settings;
}

/* A user whose home is the test's folder. */
static void
begin(const char *conf)
{
	struct job job = {.service = "lda", .session = "x"};
	struct delivery delivery = {.user = "amy", .home = test_folder()};
	struct store_settings settings = {
		.location = "maildir:~/Maildir", .home = test_folder()};
	static struct store_namespace space;

	arena = job.arena = arena_open();
	delivery.settings = load(conf);
	if (delivery.settings->namespace_count > 0) {
		const struct conf_namespace *from =
			&delivery.settings->namespaces[0];

		space = (struct store_namespace){.prefix = from->prefix,
			.separator = from->separator,
			.has_inbox = from->inbox};
		settings.namespaces = &space;
		settings.namespace_count = 1;
	}
	REQUIRE(store_open(&settings, &store, &err) == 0);
	REQUIRE(mailboxes_open(&job, &delivery, store, &mailboxes, &err) == 0);
}

static void
finish(void)
{
	store_close(&store);
	arena_close(&arena);
}

/* A folder on disk, "" for the INBOX, with an id or without. */
static void
make(const char *disk, const char *id)
{
	static const char *const parts[] = {"", "/cur", "/new", "/tmp"};
	char name[300], line[100];
	size_t i;

	(void)mkdir(test_path("Maildir"), 0700);
	for (i = 0; i < ARRAY_LENGTH(parts); i++) {
		snprintf(name, sizeof(name), "Maildir/%s%s", disk, parts[i]);
		(void)mkdir(test_path(name), 0700);
	}
	if (id == NULL)
		return;
	snprintf(name, sizeof(name), "Maildir/%s/dovecot-uidlist", disk);
	snprintf(line, sizeof(line), "3 V1 N2 G%s\n", id);
	test_file(name, line);
}

static enum lookup
find_use(const char *use)
{
	out = STR_EMPTY;
	return mailboxes_find_use(mailboxes, str_from(use), &out, &err);
}

static enum lookup
has_use(const char *folder, const char *use)
{
	return mailboxes_has_use(
		mailboxes, str_from(folder), str_from(use), &err);
}

static enum lookup
metadata(const char *folder, const char *name)
{
	struct str text = str_from(folder);

	out = STR_EMPTY;
	return mailboxes_metadata(mailboxes, folder != NULL ? &text : NULL,
		str_from(name), &out, &err);
}

TEST(a_configured_use_is_a_folders_that_is_there)
{
	make(".Junk", NULL);
	begin("namespace inbox {\n inbox = yes\n"
	      " mailbox Junk {\n  special_use = \\Junk \\Trash\n }\n"
	      " mailbox Sent {\n  special_use = \\Sent\n }\n}\n");
	CHECK_INT(find_use("\\junk"), LOOKUP_FOUND);
	CHECK_STR_IS(out, "Junk");
	CHECK_INT(find_use("\\Trash"), LOOKUP_FOUND);
	CHECK_INT(find_use("\\Sent"), LOOKUP_NONE);
	CHECK_INT(has_use("Junk", "\\Trash"), LOOKUP_FOUND);
	CHECK_INT(has_use("Junk", "\\Sent"), LOOKUP_NONE);
	CHECK_INT(has_use("Sent", "\\Sent"), LOOKUP_NONE);
	CHECK_INT(has_use("Other", "\\Junk"), LOOKUP_NONE);
	finish();
}

TEST(a_folder_that_auto_makes_is_there)
{
	begin("namespace inbox {\n inbox = yes\n prefix = INBOX.\n"
	      " mailbox Sent {\n  special_use = \\Sent\n  auto = create\n }\n"
	      " mailbox \"Old mail\" {\n  auto = subscribe\n }\n}\n");
	CHECK_INT(find_use("\\Sent"), LOOKUP_FOUND);
	CHECK_STR_IS(out, "INBOX.Sent");
	CHECK_INT(mailboxes_exists(mailboxes, STR("Sent"), &err), LOOKUP_FOUND);
	CHECK_INT(mailboxes_exists(mailboxes, STR("Gone"), &err), LOOKUP_NONE);
	CHECK_INT(mailboxes_flags(mailboxes, STR("INBOX.Old mail")),
		STORE_CREATE_FOLDER | STORE_SUBSCRIBE_FOLDER);
	/* The same folder without the prefix. */
	CHECK_INT(mailboxes_flags(mailboxes, STR("Sent")), STORE_CREATE_FOLDER);
	CHECK_INT(mailboxes_flags(mailboxes, STR("Sent.x")), 0);
	finish();
}

TEST(a_block_outside_of_a_namespace_is_in_that_of_the_inbox)
{
	make(".Junk", NULL);
	begin(JUNK "namespace x {\n inbox = yes\n prefix = INBOX.\n}\n");
	CHECK_INT(find_use("\\Junk"), LOOKUP_FOUND);
	CHECK_STR_IS(out, "INBOX.Junk");
	finish();
	begin(JUNK);
	CHECK_INT(find_use("\\Junk"), LOOKUP_FOUND);
	CHECK_STR_IS(out, "Junk");
	finish();
}

/* RFC 8579 4: only mailboxes of the user's own. */
TEST(a_shared_namespace_has_no_uses)
{
	make(".Junk", NULL);
	begin("namespace x {\n type = public\n inbox = yes\n" JUNK "}\n");
	CHECK_INT(find_use("\\Junk"), LOOKUP_NONE);
	finish();
}

TEST(what_a_client_has_set_takes_the_place_of_what_is_configured)
{
	make(".Junk", "0a");
	make(".Spam", "0b");
	test_file("dict", "priv/0b/specialuse\n\\Junk \\Flagged\n"
			  "priv/0a/specialuse\n\\Archive\n");
	begin(DICT JUNK);
	CHECK_INT(find_use("\\Junk"), LOOKUP_FOUND);
	CHECK_STR_IS(out, "Spam");
	CHECK_INT(has_use("Junk", "\\Junk"), LOOKUP_NONE);
	CHECK_INT(has_use("Junk", "\\archive"), LOOKUP_FOUND);
	CHECK_INT(has_use("Spam", "\\Flagged"), LOOKUP_FOUND);
	finish();
}

TEST(a_use_of_a_folder_that_is_gone_is_passed_over)
{
	make(".Junk", "0a");
	test_file("dict", "priv/0b/specialuse\n\\Junk\n");
	begin(DICT JUNK);
	CHECK_INT(find_use("\\Junk"), LOOKUP_FOUND);
	CHECK_STR_IS(out, "Junk");
	finish();
}

TEST(annotations_are_those_of_the_folders_id)
{
	make("", "01");
	make(".Lists", "02");
	make(".New", NULL);
	test_file("dict",
		"priv/01/comment\nmine\nshared/02/comment\nMail of the club\n"
		"priv/01/vendor/vendor.dovecot/pvt/server/comment\nserver's\n"
		"shared/01/vendor/vendor.dovecot/pvt/server/admin\nadmin's\n"
		"priv/02/vendor/vendor.dovecot/pvt/secret\nhidden\n");
	begin(DICT JUNK);
	CHECK_INT(metadata("INBOX", "/private/comment"), LOOKUP_FOUND);
	CHECK_STR_IS(out, "mine");
	CHECK_INT(metadata("Lists", "/SHARED/Comment"), LOOKUP_FOUND);
	CHECK_STR_IS(out, "Mail of the club");
	CHECK_INT(metadata("Lists", "/private/comment"), LOOKUP_NONE);
	CHECK_INT(metadata("New", "/private/comment"), LOOKUP_NONE);
	CHECK_INT(metadata("Gone", "/private/comment"), LOOKUP_NONE);
	CHECK_INT(metadata("Lists", "comment"), LOOKUP_NONE);
	CHECK_INT(metadata("Lists", "/private/"), LOOKUP_NONE);
	CHECK_INT(
		metadata("Lists", "/private/vendor/vendor.dovecot/pvt/secret"),
		LOOKUP_NONE);
	CHECK_INT(metadata(NULL, "/private/comment"), LOOKUP_FOUND);
	CHECK_STR_IS(out, "server's");
	CHECK_INT(metadata(NULL, "/shared/admin"), LOOKUP_FOUND);
	CHECK_INT(metadata(NULL, "/shared/comment"), LOOKUP_NONE);
	/* The configured use is an annotation, too. */
	CHECK_INT(metadata("Junk", "/private/specialuse"), LOOKUP_FOUND);
	CHECK_STR_IS(out, "\\Junk");
	finish();
}

TEST(without_a_file_or_with_another_driver_nothing_is_known)
{
	make("", "01");
	begin(DICT JUNK);
	CHECK_INT(metadata("INBOX", "/private/comment"), LOOKUP_NONE);
	finish();
	begin("mail_attribute_dict = proxy::attributes\n" JUNK);
	CHECK_INT(metadata("INBOX", "/private/comment"), LOOKUP_NONE);
	finish();
}

/* RFC 5490 5: as if the script could not be read. */
TEST(a_file_that_cannot_be_read_is_temporary)
{
	make("", "01");
	REQUIRE(mkdir(test_path("dict"), 0700) == 0);
	begin(DICT JUNK);
	CHECK_INT(metadata("INBOX", "/private/comment"), LOOKUP_ERROR);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_INT(find_use("\\Junk"), LOOKUP_ERROR);
	finish();
}

TEST(a_key_that_is_being_written_does_not_count)
{
	make("", "01");
	test_file("dict", "priv/01/comment\n");
	begin(DICT JUNK);
	CHECK_INT(metadata("INBOX", "/private/comment"), LOOKUP_NONE);
	finish();
}
