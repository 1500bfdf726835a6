/* The maildir driver, beyond what every driver does.
 *
 * SPDX-License-Identifier: MIT */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/driver.h"
#include "tests/unit/store/box.h"

#include "base/banned.h"

static struct err err;

static struct store_copy *
write_copy(struct store *store, const char *folder, unsigned store_flags)
{
	struct store_copy *copy;

	REQUIRE(store_write(store, str_from(folder), STORE_CREATE_FOLDER,
			box_content(STR(MAIL)), store_flags, &copy,
			&err) == STORE_OK);
	return copy;
}

static struct store_copy *
link_copy(struct store *store, const char *folder, struct store_copy *original)
{
	struct store_copy *copy;

	REQUIRE(store_link(store, str_from(folder), STORE_CREATE_FOLDER,
			original, 0, &copy, &err) == STORE_OK);
	return copy;
}

static void
finish(struct store_copy *copy)
{
	CHECK_INT(store_sync(copy, &err), 0);
	CHECK_INT(store_commit(copy, &err), 0);
	CHECK_INT(store_settle(&copy, 1, &err), 0);
}

static ino_t
inode(const struct store_copy *copy)
{
	struct stat found;

	REQUIRE(stat(store_copy_path(copy), &found) == 0);
	return found.st_ino;
}

TEST(a_mail_without_flags_goes_to_new_with_its_sizes_in_its_name)
{
	struct store_settings settings = box_settings();
	const char *path;

	clock_fix(1572467958, 732111000, "mx", 44);
	path = box_file(&settings, "INBOX", 0, 0, &err);
	CHECK_STR(path, test_path("Maildir/new/"
				  "1572467958.M732111P44.mx,S=21,W=24"));
	CHECK_STR_IS(test_read(path), MAIL);
	CHECK_INT(box_mode("Maildir/new/1572467958.M732111P44.mx,S=21,W=24"),
		0600);
	CHECK_INT(box_count("Maildir/tmp"), 0);
}

TEST(a_mail_with_flags_goes_to_cur)
{
	struct store_settings settings = box_settings();

	clock_fix(1572467958, 732111000, "mx", 44);
	CHECK_STR(box_file(&settings, "INBOX", 0, STORE_SEEN | STORE_FLAGGED,
			  &err),
		test_path("Maildir/cur/"
			  "1572467958.M732111P44.mx,S=21,W=24:2,FS"));
	CHECK_INT(box_count("Maildir/new"), 0);
}

TEST(with_save_crlf_both_sizes_count_the_same_bytes)
{
	struct store_settings settings = box_settings();
	const char *path;

	settings.save_crlf = true;
	path = box_file(&settings, "INBOX", 0, 0, &err);
	REQUIRE(path != NULL);
	CHECK(strstr(path, ",S=24,W=24") != NULL);
	CHECK_STR_IS(test_read(path), "Subject: hello\r\n\r\nbody\r\n");
}

TEST(crlf_is_stored_as_lf)
{
	struct store_settings settings = box_settings();
	struct store *store = box_open(&settings);
	struct store_copy *copy;

	REQUIRE(store_write(store, STR("INBOX"), 0,
			box_content(STR("a: b\r\n\r\nlone \r cr\r\nend")), 0,
			&copy, &err) == STORE_OK);
	CHECK_STR_IS(
		test_read(store_copy_path(copy)), "a: b\n\nlone \r cr\nend");
	CHECK_INT(store_copy_size(copy), 19);
	CHECK_INT(store_copy_vsize(copy), 22);
	store_copy_close(&copy);
	store_close(&store);
}

TEST(a_taken_name_in_tmp_is_passed_over)
{
	struct store_settings settings = box_settings();
	const char *path;

	REQUIRE(box_file(&settings, "INBOX", 0, 0, &err) != NULL);
	test_file("Maildir/tmp/1000.M5P44.mx", "of another");
	test_file("Maildir/tmp/1000.M6P44.mx", "of another");
	clock_fix(1000, 5000, "mx", 44);
	path = box_file(&settings, "INBOX", 0, 0, &err);
	CHECK_STR(path, test_path("Maildir/new/1000.M7P44.mx,S=21,W=24"));
	CHECK_STR_IS(test_read(test_path("Maildir/tmp/1000.M5P44.mx")),
		"of another");
}

TEST(a_taken_name_in_new_is_never_overwritten)
{
	struct store_settings settings = box_settings();
	const char *taken, *path;

	REQUIRE(box_file(&settings, "INBOX", 0, 0, &err) != NULL);
	taken = test_file("Maildir/new/1000.M5P44.mx,S=21,W=24", "of another");
	clock_fix(1000, 5000, "mx", 44);
	path = box_file(&settings, "INBOX", 0, 0, &err);
	CHECK_STR(path, test_path("Maildir/new/1000.M6P44.mx,S=21,W=24"));
	CHECK_STR_IS(test_read(taken), "of another");
	CHECK_INT(box_count("Maildir/tmp"), 0);
}

TEST(a_lost_new_is_made_again_at_commit)
{
	struct store_settings settings = box_settings();
	struct store *store = box_open(&settings);
	struct store_copy *copy = write_copy(store, "INBOX", 0);

	REQUIRE(rmdir(test_path("Maildir/new")) == 0);
	finish(copy);
	CHECK_INT(box_count("Maildir/new"), 1);
	store_copy_close(&copy);
	store_close(&store);
}

TEST(a_private_file_that_was_removed_fails_the_commit)
{
	struct store_settings settings = box_settings();
	struct store *store = box_open(&settings);
	struct store_copy *copy = write_copy(store, "INBOX", 0);

	REQUIRE(unlink(store_copy_path(copy)) == 0);
	CHECK_INT(store_commit(copy, &err), -1);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	store_copy_close(&copy);
	CHECK_INT(box_count("Maildir/new"), 0);
	store_close(&store);
}

TEST(files_are_as_open_as_their_folder)
{
	struct store_settings settings = box_settings();
	struct stat found;
	const char *path;

	box_make_folder("Maildir", 0770);
	path = box_file(&settings, "INBOX", 0, STORE_SEEN, &err);
	REQUIRE(path != NULL && stat(path, &found) == 0);
	CHECK_INT(found.st_mode & 0777, 0660);
}

/* ---- links ---- */

TEST(identical_copies_are_one_file)
{
	struct store_settings settings = box_settings();
	struct store *store = box_open(&settings);
	struct store_copy *copies[3];
	size_t i;

	copies[0] = write_copy(store, "A", 0);
	copies[1] = link_copy(store, "B", copies[0]);
	for (i = 0; i < 2; i++)
		CHECK_INT(store_sync(copies[i], &err), 0);
	for (i = 0; i < 2; i++)
		CHECK_INT(store_commit(copies[i], &err), 0);
	/* Of one that has its public name already, too. */
	copies[2] = link_copy(store, "A", copies[0]);
	CHECK_INT(store_commit(copies[2], &err), 0);
	CHECK_INT(store_settle(copies, 3, &err), 0);
	CHECK_INT(box_count("Maildir/.A/new"), 2);
	CHECK_INT(box_count("Maildir/.B/new"), 1);
	CHECK_INT(inode(copies[1]), inode(copies[0]));
	CHECK_INT(inode(copies[2]), inode(copies[0]));
	CHECK_INT(store_copy_vsize(copies[2]), 24);
	for (i = 0; i < 3; i++)
		store_copy_close(&copies[i]);
	store_close(&store);
}

TEST(a_link_outlives_its_original)
{
	struct store_settings settings = box_settings();
	struct store *store = box_open(&settings);
	struct store_copy *original = write_copy(store, "A", 0);
	struct store_copy *copy = link_copy(store, "B", original);

	store_copy_close(&original);
	CHECK_INT(box_count("Maildir/.A/tmp"), 0);
	finish(copy);
	CHECK_STR_IS(test_read(store_copy_path(copy)), MAIL);
	store_copy_close(&copy);
	store_close(&store);
}

TEST(folders_of_other_permissions_get_a_file_of_their_own)
{
	struct store_settings settings = box_settings();
	struct store *store = box_open(&settings);
	struct store_copy *original, *copy;

	box_make_folder("Maildir", 0700);
	box_make_folder("Maildir/.B", 0750);
	original = write_copy(store, "A", 0);
	copy = link_copy(store, "B", original);
	CHECK(inode(copy) != inode(original));
	finish(copy);
	CHECK_STR_IS(test_read(store_copy_path(copy)), MAIL);
	store_copy_close(&copy);
	store_copy_close(&original);
	store_close(&store);
}

TEST(other_line_ends_get_a_file_of_their_own)
{
	struct store_settings settings = box_settings(), crlf = box_settings();
	struct store *store = box_open(&settings), *other;
	struct store_copy *original = write_copy(store, "A", 0), *copy;

	crlf.save_crlf = true;
	other = box_open(&crlf);
	copy = link_copy(other, "A", original);
	CHECK_INT(store_copy_size(copy), 24);
	store_copy_close(&copy);
	store_copy_close(&original);
	store_close(&other);
	store_close(&store);
}

TEST(a_vanished_original_is_written_anew)
{
	struct store_settings settings = box_settings();
	struct store *store = box_open(&settings);
	struct store_copy *original = write_copy(store, "A", 0), *copy;

	REQUIRE(unlink(store_copy_path(original)) == 0);
	copy = link_copy(store, "B", original);
	CHECK_STR_IS(test_read(store_copy_path(copy)), MAIL);
	store_copy_close(&copy);
	store_copy_close(&original);
	store_close(&store);
}

TEST(a_link_into_a_folder_without_tmp_makes_it)
{
	struct store_settings settings = box_settings();
	struct store *store = box_open(&settings);
	struct store_copy *original = write_copy(store, "A", 0), *copy;

	copy = write_copy(store, "B", 0);
	store_copy_close(&copy);
	REQUIRE(rmdir(test_path("Maildir/.B/tmp")) == 0);
	copy = link_copy(store, "B", original);
	finish(copy);
	CHECK_INT(box_count("Maildir/.B/new"), 1);
	store_copy_close(&copy);
	store_copy_close(&original);
	store_close(&store);
}

/* ---- the unhappy path ---- */

TEST(a_mail_an_imap_session_has_moved_is_taken_away_all_the_same)
{
	struct store_settings settings = box_settings();
	struct store *store = box_open(&settings);
	struct store_copy *copy = write_copy(store, "INBOX", 0);
	struct store_copy *other = write_copy(store, "INBOX", STORE_SEEN);
	char moved[4096];

	finish(copy);
	finish(other);
	snprintf(moved, sizeof(moved), "%s/%s:2,S", test_path("Maildir/cur"),
		strrchr(store_copy_path(copy), '/') + 1);
	REQUIRE(rename(store_copy_path(copy), moved) == 0);
	store_retract(copy);
	CHECK_INT(box_count("Maildir/new"), 0);
	CHECK_INT(box_count("Maildir/cur"), 1);
	store_retract(other);
	CHECK_INT(box_count("Maildir/cur"), 0);
	store_copy_close(&copy);
	store_copy_close(&other);
	store_close(&store);
}

TEST(a_read_only_folder_is_explained_and_nothing_left)
{
	struct store_settings settings = box_settings();

	box_be_nobody();
	REQUIRE(box_file(&settings, "A", STORE_CREATE_FOLDER, 0, &err) != NULL);
	REQUIRE(chmod(test_path("Maildir/.A/tmp"), 0500) == 0);
	CHECK(box_file(&settings, "A", 0, 0, &err) == NULL);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK(strstr(err.detail, "missing +w perm") != NULL);
	REQUIRE(chmod(test_path("Maildir/.A/tmp"), 0700) == 0);
	REQUIRE(chmod(test_path("Maildir/.A/new"), 0500) == 0);
	CHECK(box_file(&settings, "A", 0, 0, &err) == NULL);
	CHECK(strstr(err.detail, "rename(") != NULL);
	CHECK(strstr(err.detail, "missing +w perm") != NULL);
	CHECK_INT(box_count("Maildir/.A/tmp"), 0);
	REQUIRE(chmod(test_path("Maildir/.A/new"), 0700) == 0);
}

static void
limit_file_size(rlim_t bytes)
{
	const struct rlimit limit = {bytes, bytes};

	signal(SIGXFSZ, SIG_IGN);
	REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

TEST(a_mail_beyond_the_file_size_limit_leaves_nothing)
{
	static char big[300000];
	struct store_settings settings = box_settings();
	struct store *store = box_open(&settings);
	struct store_copy *copy;

	memset(big, 'x', sizeof(big));
	memcpy(big, "a: b\n\n", 6);
	limit_file_size(200000);
	CHECK_INT(
		store_write(store, STR("INBOX"), 0,
			box_content(str_of(big, sizeof(big))), 0, &copy, &err),
		STORE_FAILED);
	CHECK(copy == NULL);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK(strstr(err.detail, "mailbox_size_limit") != NULL);
	CHECK_INT(box_count("Maildir/tmp"), 0);
	store_close(&store);
}

static void
write_and_be_killed(void *context)
{
	struct store_copy *copy = write_copy(context, "INBOX", 0);

	CHECK_INT(store_sync(copy, &err), 0);
	kill(getpid(), SIGKILL);
}

TEST(after_a_kill_only_a_private_name_is_left)
{
	struct store_settings settings = box_settings();
	struct store *store = box_open(&settings);

	CHECK_INT(test_child(write_and_be_killed, store), 128 + SIGKILL);
	CHECK_INT(box_count("Maildir/new"), 0);
	CHECK_INT(box_count("Maildir/cur"), 0);
	CHECK_INT(box_count("Maildir/tmp"), 1);
	store_close(&store);
}

TEST(a_host_that_cannot_be_in_a_name_is_said_at_once)
{
	struct store_settings settings = box_settings();
	struct store *store;

	clock_fix(1, 0, "a\nb", 1);
	CHECK_INT(store_open(&settings, &store, &err), -1);
	CHECK_STR(err.status, "4.3.5");
}

TEST(old_files_in_tmp_go_with_the_next_delivery)
{
	struct store_settings settings = box_settings();

	settings.temp_scan_interval_ms = 1000;
	REQUIRE(box_file(&settings, "INBOX", 0, 0, &err) != NULL);
	test_file("Maildir/tmp/1.M2P3.mx", "half a m");
	clock_fix(time(NULL) + 37 * 3600, 0, "mx", 1);
	REQUIRE(box_file(&settings, "INBOX", 0, 0, &err) != NULL);
	CHECK_INT(box_count("Maildir/tmp"), 0);
	CHECK_INT(box_count("Maildir/new"), 2);
}

/* ---- what a process that died has left ---- */

static const char *
target_of(struct store_copy *copy)
{
	const char *target = store_copy_target(copy);

	REQUIRE(target != NULL);
	return test_path(target + strlen(test_folder()) + 1);
}

TEST(a_target_is_the_name_that_the_copy_gets)
{
	struct store_settings settings = box_settings();
	struct store *store = box_open(&settings);
	struct store_copy *plain = write_copy(store, "Lists", 0);
	struct store_copy *seen = write_copy(store, "INBOX", STORE_SEEN);
	const char *plain_target = target_of(plain);
	const char *seen_target = target_of(seen), *path;

	CHECK_INT(store_find_target(store, plain_target, &path, &err),
		LOOKUP_NONE);
	finish(plain);
	finish(seen);
	CHECK_STR(store_copy_path(plain), plain_target);
	CHECK_STR(store_copy_path(seen), seen_target);
	CHECK_INT(store_find_target(store, plain_target, &path, &err),
		LOOKUP_FOUND);
	CHECK_STR(path, plain_target);
	CHECK_INT(store_flush_target(store, path, &err), 0);
	CHECK_INT(store_find_target(store, seen_target, &path, &err),
		LOOKUP_FOUND);
	CHECK_STR(path, seen_target);
	store_copy_close(&plain);
	store_copy_close(&seen);
	store_close(&store);
}

TEST(a_target_that_was_told_stays_though_the_name_is_taken)
{
	struct store_settings settings = box_settings();
	struct store *store = box_open(&settings);
	struct store_copy *copy = write_copy(store, "INBOX", 0);
	const char *target = target_of(copy);

	test_file(target + strlen(test_folder()) + 1, "another's");
	CHECK_INT(store_commit(copy, &err), -1);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	store_copy_close(&copy);
	CHECK_STR_IS(test_read(target), "another's");
	CHECK_UINT(box_count("Maildir/tmp"), 0);
	store_close(&store);
}

TEST(a_target_is_found_in_cur_with_any_flags)
{
	struct store_settings settings = box_settings();
	struct store *store = box_open(&settings);
	struct store_copy *copy = write_copy(store, "INBOX", 0);
	const char *target = target_of(copy), *path;
	char moved[4096];

	finish(copy);
	store_copy_close(&copy);
	snprintf(moved, sizeof(moved), "%s/Maildir/cur%s:2,FS", test_folder(),
		strrchr(target, '/'));
	REQUIRE(rename(target, moved) == 0);
	CHECK_INT(store_find_target(store, target, &path, &err), LOOKUP_FOUND);
	CHECK_STR(path, moved);
	CHECK_INT(store_flush_target(store, path, &err), 0);
	/* Somebody has read it. */
	store_remove_target(store, path);
	CHECK(access(moved, F_OK) == 0);
	store_close(&store);
}

TEST(a_target_in_new_can_be_taken_away)
{
	struct store_settings settings = box_settings();
	struct store *store = box_open(&settings);
	struct store_copy *copy = write_copy(store, "INBOX", 0);
	const char *target = target_of(copy), *path;

	finish(copy);
	store_copy_close(&copy);
	REQUIRE(store_find_target(store, target, &path, &err) == LOOKUP_FOUND);
	store_remove_target(store, path);
	CHECK_UINT(box_count("Maildir/new"), 0);
	store_close(&store);
}

/* The text comes from another process. */
TEST(a_target_outside_of_the_mailboxes_is_none)
{
	static const char *const names[] = {"elsewhere/new/mail",
		"Maildir/../elsewhere/new/mail", "Maildir/tmp/mail",
		"Maildir/mail", "Maildir/new/", "Maildir/new/.", ""};
	struct store_settings settings = box_settings();
	struct store *store = box_open(&settings);
	const char *path;
	size_t i;

	test_file("elsewhere/new/mail", "");
	test_file("Maildir/tmp/mail", "");
	test_file("Maildir/mail", "");
	for (i = 0; i < ARRAY_LENGTH(names); i++)
		CHECK_INT(store_find_target(
				  store, test_path(names[i]), &path, &err),
			LOOKUP_NONE);
	CHECK_INT(store_find_target(store, "", &path, &err), LOOKUP_NONE);
	store_close(&store);
}

/* ---- keywords ---- */

static const struct str words[] = {{"Junk", 4}, {"$Label1", 7}};

TEST(a_copy_gets_the_letters_of_its_keywords_at_its_commit)
{
	struct store_settings settings = box_settings();
	struct store *store = box_open(&settings);
	struct store_copy *copy = write_copy(store, "INBOX", STORE_SEEN);
	struct store_copy *other = link_copy(store, "A", copy);

	CHECK_INT(store_set_keywords(copy, words, 2, &err), 0);
	CHECK_INT(store_set_keywords(other, words + 1, 1, &err), 0);
	CHECK(!box_exists("Maildir/dovecot-keywords"));
	finish(copy);
	finish(other);
	CHECK(str_ends(str_from(store_copy_path(copy)), STR(":2,Sab")));
	CHECK(str_ends(str_from(store_copy_path(other)), STR(":2,a")));
	CHECK_STR_IS(test_read(test_path("Maildir/.A/dovecot-keywords")),
		"0 $Label1\n");
	store_copy_close(&other);
	store_copy_close(&copy);
	store_close(&store);
}

/* The name that is told before the letters are known. */
TEST(a_copy_with_letters_is_found_by_the_name_that_was_told)
{
	struct store_settings settings = box_settings();
	struct store *store = box_open(&settings);
	unsigned flags;

	for (flags = 0; flags <= STORE_SEEN; flags += STORE_SEEN) {
		struct store_copy *copy = write_copy(store, "INBOX", flags);
		const char *path, *target;

		CHECK_INT(store_set_keywords(copy, words, 2, &err), 0);
		target = store_copy_target(copy);
		finish(copy);
		REQUIRE(store_find_target(store, target, &path, &err) ==
			LOOKUP_FOUND);
		CHECK_STR(path, store_copy_path(copy));
		store_retract(copy);
		CHECK_INT(box_count("Maildir/cur"), 0);
		store_copy_close(&copy);
	}
	store_close(&store);
}

TEST(letters_are_kept_where_the_control_files_are)
{
	struct store_settings settings = box_settings();
	struct store *store;
	struct store_copy *copies[2];
	size_t i;

	settings.location = "maildir:~/Maildir:CONTROL=~/control";
	store = box_open(&settings);
	copies[0] = write_copy(store, "INBOX", 0);
	copies[1] = write_copy(store, "A", 0);
	for (i = 0; i < 2; i++) {
		CHECK_INT(store_set_keywords(copies[i], words + i, 1, &err), 0);
		finish(copies[i]);
		store_copy_close(&copies[i]);
	}
	CHECK_STR_IS(
		test_read(test_path("control/dovecot-keywords")), "0 Junk\n");
	CHECK_STR_IS(test_read(test_path("control/.A/dovecot-keywords")),
		"0 $Label1\n");
	CHECK(!box_exists("Maildir/dovecot-keywords"));
	store_close(&store);
}

/* Of a script in error, every message has one. */
TEST(keywords_that_have_letters_need_no_lock)
{
	struct store_settings settings = box_settings();
	struct store *store = box_open(&settings);
	struct store_copy *copy = write_copy(store, "INBOX", 0);

	CHECK_INT(store_keywords_state(store, STR("INBOX"), words, 2),
		STORE_KEYWORDS_NEW);
	test_file("Maildir/dovecot-keywords", "0 $label1\n4 Junk\n");
	test_file("Maildir/dovecot-uidlist.lock", "");
	CHECK_INT(store_keywords_state(store, STR("INBOX"), words, 2),
		STORE_KEYWORDS_READY);
	CHECK_INT(store_set_keywords(copy, words, 2, &err), 0);
	finish(copy);
	CHECK(str_ends(str_from(store_copy_path(copy)), STR(":2,ae")));
	store_copy_close(&copy);
	test_file("Maildir/dovecot-keywords", "0 $label1\n");
	CHECK_INT(store_keywords_state(store, STR("INBOX"), words, 2),
		STORE_KEYWORDS_LOCKED);
	CHECK(box_exists("Maildir/dovecot-uidlist.lock"));
	store_close(&store);
}

TEST(a_folder_that_is_locked_is_waited_for_once)
{
	struct store_settings settings = box_settings();
	struct store *store;
	struct store_copy *copies[3];
	size_t i;

	settings.keywords_timeout_ms = 20;
	store = box_open(&settings);
	for (i = 0; i < 3; i++) {
		copies[i] = write_copy(store, "INBOX", 0);
		CHECK_INT(store_set_keywords(copies[i], words, 2, &err), 0);
	}
	test_file("Maildir/dovecot-uidlist.lock", "");
	finish(copies[0]);
	/* Now it is free, which nobody asks any more. */
	(void)unlink(test_path("Maildir/dovecot-uidlist.lock"));
	finish(copies[1]);
	finish(copies[2]);
	CHECK_INT(box_count("Maildir/new"), 3);
	for (i = 0; i < 3; i++)
		store_copy_close(&copies[i]);
	store_close(&store);
}
