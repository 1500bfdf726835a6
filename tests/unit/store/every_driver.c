/* What every driver has to do, run for each of them.
 *
 * A driver brings one line in the table: a location, and how to count the mails
 * that an IMAP server would show for a folder.
 *
 * SPDX-License-Identifier: MIT */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/store.h"
#include "tests/unit/store/box.h"

#include "base/banned.h"

static struct err err;

struct driver {
	const char *location;
	size_t (*count)(const char *folder);
	const char *sub_folder; /* two levels, as a script writes it */
	/* A copy is a file of its own. */
	bool has_files;
};

static size_t
count_maildir(const char *place)
{
	char part[4096];
	size_t count;

	snprintf(part, sizeof(part), "%s/new", place);
	count = box_count(part);
	snprintf(part, sizeof(part), "%s/cur", place);
	return count + box_count(part);
}

static size_t
count_maildirpp(const char *folder)
{
	char place[512];

	snprintf(place, sizeof(place), "maildirpp%s%s",
		strcmp(folder, "INBOX") == 0 ? "" : "/.",
		strcmp(folder, "INBOX") == 0 ? "" : folder);
	return count_maildir(place);
}

static size_t
count_maildir_fs(const char *folder)
{
	char place[512];

	snprintf(place, sizeof(place), "maildirfs/%s",
		strcmp(folder, "INBOX") == 0 ? "" : folder);
	return count_maildir(place);
}

/* Messages of an mbox: lines "From " at its beginning and behind empty lines. */
static size_t
count_from_lines(const char *place)
{
	const char *path = test_path(place);
	struct str rest, line, last = STR_EMPTY;
	size_t count = 0;

	if (access(path, F_OK) < 0)
		return 0;
	rest = test_read(path);
	while (str_next_field(&rest, '\n', &line)) {
		count += last.len == 0 && str_starts(line, STR("From "));
		last = line;
	}
	return count;
}

static size_t
count_mbox(const char *folder)
{
	char place[512];

	snprintf(place, sizeof(place), "mbox/%s",
		strcmp(folder, "INBOX") == 0 ? "inbox" : folder);
	return count_from_lines(place);
}

static size_t
count_mbox_inbox_apart(const char *folder)
{
	char place[512];

	if (strcmp(folder, "INBOX") == 0)
		return count_from_lines("amy");
	snprintf(place, sizeof(place), "folders/%s", folder);
	return count_from_lines(place);
}

static const struct driver drivers[] = {
	{"maildir:~/maildirpp", count_maildirpp, "Lists.C", true},
	{"maildir:~/maildirfs:LAYOUT=fs", count_maildir_fs, "Lists/C", true},
	{"mbox:~/mbox", count_mbox, "Lists/C", false},
	{"mbox:~/folders:INBOX=~/amy", count_mbox_inbox_apart, "Lists/C",
		false},
};

static struct store_settings
settings_for(const struct driver *driver)
{
	return (struct store_settings){
		.location = driver->location,
		.home = test_folder(),
	};
}

#define EVERY_DRIVER(name)                                                     \
	static void name(                                                      \
		const struct driver *driver, struct store_settings *settings); \
	TEST(name)                                                             \
	{                                                                      \
		size_t i;                                                      \
                                                                               \
		for (i = 0; i < ARRAY_LENGTH(drivers); i++) {                  \
			struct store_settings settings =                       \
				settings_for(&drivers[i]);                     \
                                                                               \
			printf("# %s\n", drivers[i].location);                 \
			name(&drivers[i], &settings);                          \
		}                                                              \
	}                                                                      \
	static void name(                                                      \
		const struct driver *driver, struct store_settings *settings)

static struct store_copy *
write_copy(struct store *store, const char *folder, unsigned write_flags)
{
	struct store_copy *copy;

	REQUIRE(store_write(store, str_from(folder), write_flags,
			box_content(STR(MAIL)), 0, &copy, &err) == STORE_OK);
	return copy;
}

EVERY_DRIVER(a_mail_is_seen_only_after_its_commit)
{
	struct store *store = box_open(settings);
	struct store_copy *copy = write_copy(store, "INBOX", 0);

	CHECK_INT(driver->count("INBOX"), 0);
	CHECK_INT(store_sync(copy, &err), 0);
	CHECK_INT(driver->count("INBOX"), 0);
	CHECK_INT(store_commit(copy, &err), 0);
	CHECK_INT(driver->count("INBOX"), 1);
	CHECK_INT(store_settle(&copy, 1, &err), 0);
	CHECK_STR_IS(store_copy_folder(copy), "INBOX");
	CHECK_INT(store_copy_size(copy), strlen(MAIL));
	CHECK_INT(store_copy_vsize(copy), strlen(MAIL) + 3);
	store_copy_close(&copy);
	CHECK(copy == NULL);
	store_close(&store);
	CHECK_INT(driver->count("INBOX"), 1);
}

EVERY_DRIVER(a_copy_not_committed_leaves_nothing)
{
	struct store *store = box_open(settings);
	struct store_copy *copy = write_copy(store, "INBOX", 0);
	char path[4096];

	snprintf(path, sizeof(path), "%s", store_copy_path(copy));
	if (driver->has_files)
		CHECK_INT(access(path, F_OK), 0);
	CHECK_INT(store_sync(copy, &err), 0);
	store_copy_close(&copy);
	if (driver->has_files)
		CHECK_INT(access(path, F_OK), -1);
	CHECK_INT(driver->count("INBOX"), 0);
	store_close(&store);
}

EVERY_DRIVER(a_retracted_copy_is_gone)
{
	struct store *store = box_open(settings);
	struct store_copy *stays = write_copy(store, "INBOX", 0);
	struct store_copy *goes = write_copy(store, "INBOX", 0);

	CHECK_INT(store_commit(stays, &err), 0);
	CHECK_INT(store_commit(goes, &err), 0);
	CHECK_INT(driver->count("INBOX"), 2);
	store_retract(goes);
	CHECK_INT(driver->count("INBOX"), 1);
	CHECK_INT(access(store_copy_path(stays), F_OK), 0);
	store_copy_close(&goes);
	store_copy_close(&stays);
	CHECK_INT(driver->count("INBOX"), 1);
	store_close(&store);
}

EVERY_DRIVER(a_commit_flushes_what_was_not)
{
	struct store *store = box_open(settings);
	struct store_copy *copy = write_copy(store, "INBOX", 0);

	settings->fsync = STORE_FSYNC_NEVER;
	CHECK_INT(store_commit(copy, &err), 0);
	CHECK_INT(store_sync(copy, &err), 0);
	store_copy_close(&copy);
	store_close(&store);
	CHECK(box_file(settings, "INBOX", 0, 0, &err) != NULL);
	CHECK_INT(driver->count("INBOX"), 2);
}

EVERY_DRIVER(a_missing_folder_is_made_only_when_asked_for)
{
	struct store *store = box_open(settings);
	struct store_copy *copy;

	CHECK_INT(store_write(store, str_from(driver->sub_folder), 0,
			  box_content(STR(MAIL)), 0, &copy, &err),
		STORE_NO_FOLDER);
	CHECK(copy == NULL);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK(strstr(err.text, driver->sub_folder) != NULL);
	CHECK_INT(store_find_folder(store, str_from(driver->sub_folder), &err),
		LOOKUP_NONE);
	copy = write_copy(store, driver->sub_folder, STORE_CREATE_FOLDER);
	CHECK_INT(store_commit(copy, &err), 0);
	CHECK_INT(store_settle(&copy, 1, &err), 0);
	store_copy_close(&copy);
	CHECK_INT(driver->count(driver->sub_folder), 1);
	CHECK_INT(store_find_folder(store, str_from(driver->sub_folder), &err),
		LOOKUP_FOUND);
	store_close(&store);
	/* It is there now. */
	CHECK(box_file(settings, driver->sub_folder, 0, 0, &err) != NULL);
	settings->autocreate = true;
	CHECK(box_file(settings, "Other", 0, 0, &err) != NULL);
	CHECK_INT(driver->count("Other"), 1);
}

EVERY_DRIVER(a_name_that_cannot_be_is_no_folder)
{
	static const char *const names[] = {
		"", "..", "../x", "~", "a\nb", "\xff", "..\\x/..", "/", "."};
	struct store *store = box_open(settings);
	struct store_copy *copy;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(names); i++) {
		CHECK_INT(store_write(store, str_from(names[i]),
				  STORE_CREATE_FOLDER, box_content(STR(MAIL)),
				  0, &copy, &err),
			STORE_NO_FOLDER);
		CHECK_INT(store_find_folder(store, str_from(names[i]), &err),
			LOOKUP_NONE);
	}
	store_close(&store);
	CHECK_INT(driver->count("INBOX"), 0);
}

EVERY_DRIVER(many_copies_go_through_the_phases_together)
{
	enum { COPIES = 20 };
	const char *const folders[] = {"INBOX", "A", "B"};
	struct store_copy *copies[COPIES];
	struct store *store = box_open(settings);
	size_t i;

	for (i = 0; i < COPIES; i++) {
		const char *folder = folders[i % ARRAY_LENGTH(folders)];

		if (i < 10)
			copies[i] =
				write_copy(store, folder, STORE_CREATE_FOLDER);
		else
			REQUIRE(store_link(store, str_from(folder),
					STORE_CREATE_FOLDER, copies[i - 10], 0,
					&copies[i], &err) == STORE_OK);
	}
	for (i = 0; i < COPIES; i++)
		CHECK_INT(store_sync(copies[i], &err), 0);
	for (i = 0; i < COPIES; i++)
		CHECK_INT(store_commit(copies[i], &err), 0);
	CHECK_INT(store_settle(copies, COPIES, &err), 0);
	CHECK_INT(driver->count("INBOX"), 7);
	CHECK_INT(driver->count("A"), 7);
	CHECK_INT(driver->count("B"), 6);
	for (i = 0; i < COPIES; i++)
		store_copy_close(&copies[i]);
	store_close(&store);
}

EVERY_DRIVER(copies_of_several_stores_are_settled_together)
{
	struct store *stores[2] = {box_open(settings), box_open(settings)};
	struct store_copy *copies[2];

	copies[0] = write_copy(stores[0], "INBOX", 0);
	REQUIRE(store_link(stores[1], STR("INBOX"), 0, copies[0], 0, &copies[1],
			&err) == STORE_OK);
	CHECK_INT(store_commit(copies[1], &err), 0);
	CHECK_INT(store_commit(copies[0], &err), 0);
	CHECK_INT(store_settle(copies, 2, &err), 0);
	CHECK_INT(driver->count("INBOX"), 2);
	store_copy_close(&copies[0]);
	store_copy_close(&copies[1]);
	store_close(&stores[0]);
	store_close(&stores[1]);
}

EVERY_DRIVER(processes_at_once_lose_nothing)
{
	enum { PROCESSES = 4, MAILS = 20 };
	pid_t children[PROCESSES];
	int i, n, status;

	for (i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		REQUIRE(children[i] >= 0);
		for (n = 0; children[i] == 0 && n < MAILS; n++)
			if (box_file(settings, "INBOX", 0, 0, &err) == NULL)
				_exit(1);
		if (children[i] == 0)
			_exit(0);
	}
	for (i = 0; i < PROCESSES; i++) {
		REQUIRE(waitpid(children[i], &status, 0) == children[i]);
		CHECK_INT(status, 0);
	}
	CHECK_INT(driver->count("INBOX"), PROCESSES * MAILS);
}

static void
write_under_a_limit(void *context)
{
	static char big[200000];
	const struct rlimit limit = {100000, 100000};
	struct store *store = box_open(context);
	struct store_copy *copy;

	memset(big, 'x', sizeof(big));
	signal(SIGXFSZ, SIG_IGN);
	REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	REQUIRE(store_write(store, STR("INBOX"), 0,
			box_content(str_of(big, sizeof(big))), 0, &copy,
			&err) == STORE_FAILED);
	REQUIRE(err.kind == ERR_TEMPORARY);
	store_close(&store);
	_exit(42);
}

EVERY_DRIVER(a_mail_that_does_not_fit_leaves_nothing)
{
	CHECK_INT(test_child(write_under_a_limit, settings), 42);
	CHECK_INT(driver->count("INBOX"), 0);
}

EVERY_DRIVER(a_mail_larger_than_every_buffer_is_stored_whole)
{
	static char big[1 << 20];
	struct store *store = box_open(settings);
	struct store_copy *copy;
	size_t i;

	for (i = 0; i < sizeof(big); i++)
		big[i] = i % 61 == 60 ? '\n' : (char)('a' + i % 23);
	big[sizeof(big) - 1] = '\n';
	REQUIRE(store_write(store, STR("INBOX"), 0,
			box_content(str_of(big, sizeof(big))), 0, &copy,
			&err) == STORE_OK);
	CHECK_INT(store_commit(copy, &err), 0);
	if (driver->has_files)
		CHECK_STR_EQUAL(test_read(store_copy_path(copy)),
			str_of(big, sizeof(big)));
	else
		CHECK(str_find(test_read(store_copy_path(copy)),
			      str_of(big, sizeof(big))) <
			test_read(store_copy_path(copy)).len);
	CHECK_INT(store_copy_size(copy), sizeof(big));
	CHECK_INT(store_copy_vsize(copy), sizeof(big) + sizeof(big) / 61 + 1);
	CHECK_INT(driver->count("INBOX"), 1);
	store_copy_close(&copy);
	store_close(&store);
}
