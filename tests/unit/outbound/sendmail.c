/* outbound_submit() with shell scripts in place of sendmail
 *
 * SPDX-License-Identifier: MIT
 */
#include "outbound/outbound.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "mail/content.h"
#include "mail/message.h"
#include "tests/lib/test.h"

#include "base/banned.h"

/* More than a pipe holds, and than one chunk. */
enum { LONG_BYTES = 300000, INHERITED_FD = 77 };

static const char short_text[] = "Subject: minutes\n\ntext\n";
static const struct str to_bob = {"bob@elsewhere.example", 21};

/* A program in place of sendmail.  The message is in the file "sent" when its
 * body reads it. */
static const char *
program(const char *body)
{
	struct arena *arena = arena_open();
	const char *path = test_file("sendmail",
		arena_format(
			arena, "#!/bin/sh\ndir=$(dirname \"$0\")\n%s\n", body));

	arena_close(&arena);
	REQUIRE(chmod(path, 0700) == 0);
	return path;
}

static int
submit(const char *sendmail_path, uint64_t timeout_ms, struct str text,
	const struct str *recipients, size_t count, struct err *err)
{
	static const struct message_limits limits = {.memory_bytes = 131072,
		.header_bytes = 1048576,
		.header_fields = 1000,
		.temp_folder = "/tmp"};
	const struct outbound_settings settings = {
		.sendmail_path = sendmail_path, .timeout_ms = timeout_ms};
	struct arena *arena = arena_open();
	struct message *message = NULL;
	int result;

	REQUIRE(message_open_bytes(text, &limits, &message, err) == 0);
	err_clear(err);
	result = outbound_submit(&settings,
		&(struct outbound_mail){.sender = STR("ada@partner.example"),
			.recipients = recipients,
			.count = count,
			.content = content_of(arena, message)},
		err);
	message_close(&message);
	arena_close(&arena);
	return result;
}

static int
submit_short(const char *body, uint64_t timeout_ms, struct err *err)
{
	return submit(program(body), timeout_ms, str_from(short_text), &to_bob,
		1, err);
}

static struct str
long_text(void)
{
	static char bytes[LONG_BYTES];
	size_t i;

	memset(bytes, 'x', sizeof(bytes));
	for (i = 79; i < sizeof(bytes); i += 80)
		bytes[i] = '\n';
	memcpy(bytes, "Subject: a\n\n", 12);
	return str_of(bytes, sizeof(bytes));
}

static int
submit_long(const char *body, uint64_t timeout_ms, struct err *err)
{
	return submit(program(body), timeout_ms, long_text(), &to_bob, 1, err);
}

static bool
says(const struct err *err, const char *words)
{
	return strstr(err->detail, words) != NULL;
}

/* From now on the kernel is one that lacks two calls (and knows no way back). */
static void
pretend_an_old_kernel(void)
{
	struct sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					     offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	const struct sock_fprog filter = {
		.len = ARRAY_LENGTH(code), .filter = code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||  /* layers: a test */
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, /* layers: a test */
			&filter) < 0)
		SKIP("no seccomp here");
	REQUIRE(syscall(SYS_pidfd_open, clock_pid(), 0) < 0);
}

TEST(the_program_reads_the_whole_message)
{
	struct err err;

	CHECK_INT(submit_long("cat >\"$dir/sent\"", 20000, &err), 0);
	CHECK_STR_EQUAL(test_read(test_path("sent")), long_text());
}

TEST(all_recipients_go_to_one_program)
{
	const struct str both[] = {to_bob, STR("cat@elsewhere.example")};
	struct err err;

	CHECK_INT(submit(program("echo \"$@\" >>\"$dir/args\"; cat >/dev/null"),
			  20000, str_from(short_text), both, 2, &err),
		0);
	CHECK_STR_IS(test_read(test_path("args")),
		"-i -f ada@partner.example -- bob@elsewhere.example "
		"cat@elsewhere.example\n");
}

TEST(a_program_that_leaves_a_child_behind_has_ended)
{
	struct err err;

	CHECK_INT(submit_short("cat >/dev/null; sleep 5 &", 3000, &err), 0);
}

TEST(a_failure_that_leaves_a_child_behind_is_told_in_its_words)
{
	struct err err;

	CHECK_INT(submit_short("cat >/dev/null; echo no room >&2\n"
			       "sleep 5 & exit 75",
			  3000, &err),
		-1);
	CHECK_STR(err.status, "4.3.0");
	CHECK(says(&err, "ended with status 75: no room"));
}

TEST(a_child_left_behind_that_talks_without_end_holds_nobody_up)
{
	struct err err;

	CHECK_INT(submit_short("cat >/dev/null\n"
			       "timeout 5 yes & sleep 0.2; exit 75",
			  3000, &err),
		-1);
	CHECK(says(&err, "ended with status 75: y"));
}

TEST(an_output_that_was_closed_is_not_the_end)
{
	struct err err;

	CHECK_INT(submit_short("cat >/dev/null; exec >&- 2>&-; sleep 0.3\n"
			       "exit 75",
			  20000, &err),
		-1);
	CHECK(says(&err, "ended with status 75"));
}

TEST(a_long_message_that_was_not_read_was_not_taken)
{
	struct err err;

	CHECK_INT(submit_long("head -c 1000 >/dev/null; exit 0", 20000, &err),
		-1);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_STR(err.status, "4.3.0");
	CHECK(says(&err, "did not read the whole message"));
}

/* It fits into the pipe: every write succeeds. */
TEST(a_short_message_that_was_not_read_was_not_taken)
{
	struct err err;

	CHECK_INT(submit_short("exit 0", 20000, &err), -1);
	CHECK_STR(err.status, "4.3.0");
	CHECK(says(&err, "did not read the whole message"));
}

TEST(an_input_left_to_a_child_was_not_read)
{
	struct err err;

	CHECK_INT(submit_long("sleep 5 <&0 & exit 0", 3000, &err), -1);
	CHECK_STR(err.status, "4.3.0");
	CHECK(says(&err, "did not read the whole message"));
}

TEST(a_message_that_was_not_read_is_told_with_the_reason)
{
	struct err err;

	CHECK_INT(submit_long("echo no such option >&2; exit 64", 20000, &err),
		-1);
	CHECK(says(&err, "did not read the whole message"));
	CHECK(says(&err, "status 64"));
	CHECK(says(&err, "no such option"));
}

TEST(a_program_that_is_killed_is_told_with_the_signal)
{
	struct err err;

	CHECK_INT(submit_short("cat >/dev/null; kill -9 $$", 20000, &err), -1);
	CHECK_STR(err.status, "4.3.0");
	CHECK(says(&err, "signal 9"));
}

TEST(a_program_that_cannot_be_run_is_told_with_the_reason)
{
	struct err err;

	CHECK_INT(submit("/nonexistent/sendmail", 20000, long_text(), &to_bob,
			  1, &err),
		-1);
	CHECK_STR(err.status, "4.3.0");
	CHECK_STR(err.detail,
		"cannot run /nonexistent/sendmail: No such file or directory");
}

/* What it started would write the file half a second after its end. */
TEST(a_program_that_hangs_is_killed_with_its_children)
{
	struct err err;

	CHECK_INT(submit_short("(sleep 1; echo alive >\"$dir/late\") &\n"
			       "cat >/dev/null; sleep 60",
			  500, &err),
		-1);
	CHECK_STR(err.status, "4.4.2");
	CHECK(says(&err, "did not end in time"));
	sleep(1);
	CHECK(access(test_path("late"), F_OK) < 0);
}

TEST(a_program_that_reads_nothing_and_hangs_is_ended)
{
	struct err err;

	CHECK_INT(submit_long("sleep 60", 500, &err), -1);
	CHECK_STR(err.status, "4.4.2");
}

TEST(descriptors_of_our_parent_do_not_reach_the_program)
{
	struct err err;

	REQUIRE(dup2(STDOUT_FILENO, INHERITED_FD) == INHERITED_FD);
	CHECK_INT(submit_short("cat >/dev/null; test ! -e /proc/$$/fd/77",
			  20000, &err),
		0);
	CHECK(fcntl(INHERITED_FD, F_GETFD) == 0);
}

TEST(no_sendmail_path_is_a_temporary_error)
{
	static const char *const paths[] = {"", "  "};
	struct err err;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(paths); i++) {
		CHECK_INT(submit(paths[i], 20000, str_from(short_text), &to_bob,
				  1, &err),
			-1);
		CHECK_INT(err.kind, ERR_TEMPORARY);
		CHECK_STR(err.detail, "sendmail_path is not set");
	}
}

TEST(an_old_kernel_waits_no_longer_than_a_new_one)
{
	struct err err;

	pretend_an_old_kernel();
	CHECK_INT(submit_short("cat >/dev/null; sleep 5 &", 3000, &err), 0);
	CHECK_INT(submit_short(
			  "cat >/dev/null; exec >&- 2>&-; sleep 60", 500, &err),
		-1);
	CHECK_STR(err.status, "4.4.2");
}

TEST(an_old_kernel_keeps_descriptors_from_the_program)
{
	struct err err;

	pretend_an_old_kernel();
	REQUIRE(dup2(STDOUT_FILENO, INHERITED_FD) == INHERITED_FD);
	CHECK_INT(submit_short("cat >/dev/null; test ! -e /proc/$$/fd/77",
			  20000, &err),
		0);
}
