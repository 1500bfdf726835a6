/* Each test enters a sandbox in a process of its own.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "tests/lib/test.h"

#include "base/banned.h"

/* What a child found: 0 is well. */
typedef int attempt(void);

static void
log_to_file(void)
{
	log_open(&(struct log_settings){.path = test_path("log"),
		.info_path = "",
		.debug_path = "",
		.facility = "mail",
		.timestamp = ""});
}

/* Enters the sandbox in a child, tries, and tells how the child ended: what the
 * attempt returned, or 1000 and the signal. */
static int
ended_with(const struct sandbox_plan *plan, attempt *try)
{
	int status;
	pid_t pid;

	test_folder();
	fflush(NULL);
	pid = fork();
	REQUIRE(pid >= 0);
	if (pid == 0) {
		struct arena *arena = arena_open();
		const char *words;
		struct err err;

		log_to_file();
		if (sandbox_enter(arena, plan, &words, &err) < 0) {
			log_error("%s", err_log_text(&err));
			_exit(99);
		}
		status = try();
		arena_close(&arena);
		_exit(status);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status)
	                         : 1000 + WTERMSIG(status);
}

/* Whether the log of the children has a line with that text. */
static bool
is_logged(const char *text)
{
	struct buf log;
	bool is_there;

	buf_init(&log, 65536);
	REQUIRE(fd_read_file(test_path("log"), &log) == 0);
	is_there = str_find(buf_view(&log), str_from(text)) < log.len;
	buf_clear(&log);
	return is_there;
}

static struct sandbox_plan
plan_of(unsigned calls, enum sandbox_refusal refusal)
{
	return (struct sandbox_plan){.name = "test",
		.calls = calls,
		.refusal = refusal,
		.is_required = true};
}

/* ---- system calls ---- */

static int
make_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) < 0 ? errno : 0;
}

static int
execute_something(void)
{
	char *const arguments[] = {NULL};

	execve("/bin/true", arguments, arguments);
	return errno;
}

static int
trace_the_parent(void)
{
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) < 0 ? errno : 0;
}

static int
kill_the_parent(void)
{
	return kill(getppid(), 0) < 0 ? errno : 0;
}

static int
make_a_child(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid < 0 ? errno : 0;
}

TEST(a_call_that_is_not_in_the_plan_fails_and_is_logged_by_name)
{
	const struct sandbox_plan plan = plan_of(SANDBOX_FILES, SANDBOX_FAILS);

	CHECK_INT(ended_with(&plan, make_socket), EPERM);
	CHECK(is_logged("refused the system call socket ("));
	CHECK_INT(ended_with(&plan, execute_something), EPERM);
	CHECK(is_logged("refused the system call execve ("));
	if (SANDBOX_IS_RELAXED)
		return;
	CHECK_INT(ended_with(&plan, trace_the_parent), EPERM);
	CHECK_INT(ended_with(&plan, kill_the_parent), EPERM);
	CHECK_INT(ended_with(&plan, make_a_child), EPERM);
}

TEST(a_harmful_call_ends_a_process_that_wants_it_so)
{
	const struct sandbox_plan plan = plan_of(SANDBOX_FILES, SANDBOX_ENDS);

	CHECK_INT(ended_with(&plan, make_socket), 1000 + SIGSYS);
	CHECK(is_logged("; the process ends"));
	CHECK_INT(ended_with(&plan, execute_something), 1000 + SIGSYS);
}

static int
make_an_unknown_call(void)
{
	return syscall(SYS_kcmp, getpid(), getpid(), 0, 0, 0) < 0 ? errno : 0;
}

static int
clone_anew(void)
{
	return syscall(SYS_clone3, NULL, 0) < 0 ? errno : 0;
}

/* So that a C library takes its older way. */
TEST(a_call_without_harm_is_missing)
{
	const struct sandbox_plan plan = plan_of(SANDBOX_FILES, SANDBOX_ENDS);

	CHECK_INT(ended_with(&plan, clone_anew), ENOSYS);
	CHECK(!is_logged("clone3"));
	CHECK_INT(ended_with(&plan, make_an_unknown_call), ENOSYS);
	CHECK(is_logged("refused the system call kcmp ("));
}

TEST(what_is_in_the_plan_works)
{
	const struct sandbox_plan plan = plan_of(
		SANDBOX_INTERNET | SANDBOX_FORK | SANDBOX_FILES, SANDBOX_ENDS);

	CHECK_INT(ended_with(&plan, make_socket), 0);
	CHECK_INT(ended_with(&plan, make_a_child), 0);
}

static int
abort_here(void)
{
	BUG("on purpose");
}

static int
name_the_time(void)
{
	struct tm now = clock_local(clock_now().tv_sec);
	unsigned char bytes[8];
	char *text = memory_get(3000000);

	clock_random(bytes, sizeof(bytes));
	text[0] = (char)now.tm_mday;
	memory_free(text);
	return isatty(0) < 0;
}

TEST(time_memory_and_a_bug_need_no_group)
{
	const struct sandbox_plan plan = plan_of(0, SANDBOX_ENDS);
	struct tm now;

	/* The file of the time zone. */
	now = clock_local(0);
	CHECK_INT(now.tm_year, 70);
	CHECK_INT(ended_with(&plan, name_the_time), 0);
	CHECK_INT(ended_with(&plan, abort_here), 1000 + SIGABRT);
}

/* ---- rights ---- */

/* "Name:\tvalue" of /proc/PID/status, of a child that waits in its sandbox. */
static void
check_status(const struct sandbox_plan *plan, const char *lines[][2])
{
	int ready[2], end[2];
	char byte = 0;
	struct buf text;
	char path[64];
	size_t i;
	pid_t pid;

	REQUIRE(pipe(ready) == 0 && pipe(end) == 0);
	test_folder();
	pid = fork();
	REQUIRE(pid >= 0);
	if (pid == 0) {
		struct arena *arena = arena_open();
		const char *words;
		struct err err;

		close(end[1]);
		log_to_file();
		if (sandbox_enter(arena, plan, &words, &err) < 0)
			_exit(99);
		if (write(ready[1], words, 1) != 1 ||
			read(end[0], &byte, 1) > 0)
			_exit(98);
		_exit(0);
	}
	close(ready[1]);
	REQUIRE(read(ready[0], &byte, 1) == 1);
	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	buf_init(&text, 65536);
	REQUIRE(fd_read_file(path, &text) == 0);
	for (i = 0; lines[i][0] != NULL; i++) {
		char wanted[100];

		snprintf(wanted, sizeof(wanted), "\n%s:\t%s\n", lines[i][0],
			lines[i][1]);
		CHECK(str_find(buf_view(&text), str_from(wanted)) < text.len);
	}
	buf_clear(&text);
	close(end[1]);
	waitpid(pid, NULL, 0);
}

TEST(capabilities_and_new_privileges_are_gone)
{
	const struct sandbox_plan plan = plan_of(0, SANDBOX_FAILS);
	const char *lines[][2] = {{"CapInh", "0000000000000000"},
		{"CapPrm", "0000000000000000"}, {"CapEff", "0000000000000000"},
		{"CapAmb", "0000000000000000"}, {"NoNewPrivs", "1"},
		{"Seccomp", "2"}, {NULL, NULL}};

	check_status(&plan, lines);
}

/* ---- files ---- */

static int
look_around(void)
{
	int fd;

	if (open(test_path("secret/file"), O_RDONLY | O_CLOEXEC) >= 0 ||
		open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0)
		return 1;
	if (open(test_path("read/file"), O_RDONLY | O_CLOEXEC) < 0)
		return 2;
	if (open(test_path("read/file"), O_WRONLY | O_CLOEXEC) >= 0 ||
		open(test_path("read/new"), O_WRONLY | O_CREAT | O_CLOEXEC,
			0600) >= 0 ||
		unlink(test_path("read/file")) == 0)
		return 3;
	fd = open(
		test_path("change/new"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || mkdir(test_path("change/a"), 0700) < 0 ||
		rename(test_path("change/new"), test_path("change/a/new")) < 0)
		return 4;
	if (rename(test_path("change/a/new"), test_path("read/new")) == 0)
		return 5;
	return mknod(test_path("change/device"), S_IFCHR | 0600, 0x103) == 0;
}

TEST(only_folders_of_the_plan_are_reached)
{
	const struct sandbox_folder folders[] = {
		{test_path("read"), SANDBOX_READ},
		{test_path("change"), SANDBOX_CHANGE},
		{test_path("not-there"), SANDBOX_READ}};
	struct sandbox_plan plan =
		plan_of(SANDBOX_FILES | SANDBOX_FILES_CHANGE, SANDBOX_FAILS);

	if (SANDBOX_IS_RELAXED)
		return;
	plan.folders = folders;
	plan.folder_count = ARRAY_LENGTH(folders);
	test_file("secret/file", "secret");
	test_file("read/file", "open");
	test_file("change/old", "mine");
	CHECK_INT(ended_with(&plan, look_around), 0);
}

static int spool;

static int
spool_something(void)
{
	char bytes[4];
	int file = fd_temporary_at(spool);

	if (file < 0 || write(file, "mail", 4) != 4 ||
		fd_read_at(file, bytes, 4, 0) != 4)
		return 1;
	/* Listing it was not asked for. */
	return open(test_path("spool"), O_RDONLY | O_DIRECTORY) >= 0;
}

TEST(a_spool_folder_is_reached_by_its_descriptor_and_not_listed)
{
	struct sandbox_folder folder = {test_path("spool"), SANDBOX_SPOOL};
	struct sandbox_plan plan =
		plan_of(SANDBOX_FILES | SANDBOX_FILES_CHANGE, SANDBOX_FAILS);

	if (SANDBOX_IS_RELAXED)
		return;
	plan.folders = &folder;
	plan.folder_count = 1;
	REQUIRE(mkdir(test_path("spool"), 0700) == 0);
	spool = open(test_path("spool"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(ended_with(&plan, spool_something), 0);
}

static int
look_from_an_empty_root(void)
{
	if (chdir("/..") < 0 || open("etc/passwd", O_RDONLY) >= 0 ||
		open("/etc/passwd", O_RDONLY) >= 0)
		return 1;
	return chroot("/") == 0;
}

TEST(folders_of_the_plan_are_reached_from_an_empty_root)
{
	struct sandbox_folder folder = {test_path("spool"), SANDBOX_SPOOL};
	struct sandbox_plan plan =
		plan_of(SANDBOX_FILES | SANDBOX_FILES_CHANGE, SANDBOX_FAILS);

	if (SANDBOX_IS_RELAXED || geteuid() != 0)
		return;
	plan.folders = &folder;
	plan.folder_count = 1;
	plan.root = test_path("empty");
	REQUIRE(mkdir(test_path("empty"), 0555) == 0);
	REQUIRE(mkdir(test_path("spool"), 0700) == 0);
	spool = open(test_path("spool"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(ended_with(&plan, spool_something), 0);
}

TEST(the_root_can_be_an_empty_folder)
{
	struct sandbox_plan plan = plan_of(SANDBOX_FILES, SANDBOX_FAILS);

	if (SANDBOX_IS_RELAXED || geteuid() != 0)
		return;
	REQUIRE(mkdir(test_path("empty"), 0555) == 0);
	plan.root = test_path("empty");
	CHECK_INT(ended_with(&plan, look_from_an_empty_root), 0);
}

/* ---- processes that execute programs ---- */

/* Each makes its call in a program that the sandboxed process executes: the shell,
 * in a child. */
static int
status_of(const char *command)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(99);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 98;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 97;
}

static int
ask_no_new_privs(void)
{
	return status_of("grep -q '^NoNewPrivs:.1$' /proc/self/status");
}

static int
ask_filter(void)
{
	return status_of("grep -q '^Seccomp:.2$' /proc/self/status");
}

static int
ask_capabilities(void)
{
	return status_of("grep -q '^CapEff:.0*$' /proc/self/status");
}

static int
signal_the_parent_of_all(void)
{
	return kill(getppid(), 0) < 0 ? errno : 0;
}

static int
work_as_usual(void)
{
	char command[300];

	snprintf(command, sizeof(command),
		"cd %s && echo x >a && mv a b && mkdir c && ln b c/b && "
		"rm -r b c && date >/dev/null && (exit 0) & wait $!",
		test_folder());
	return status_of(command);
}

static int
look_at_itself(void)
{
	return prctl(PR_GET_DUMPABLE) != 0;
}

static int
for_programs(enum sandbox_programs programs, attempt *try)
{
	const struct sandbox_plan plan = plan_of(0, SANDBOX_FAILS);
	int status;
	pid_t pid;

	test_folder();
	fflush(NULL);
	pid = fork();
	REQUIRE(pid >= 0);
	if (pid == 0) {
		struct arena *arena = arena_open();
		const char *words;
		struct err err;

		if (sandbox_enter_for_programs(
			    arena, &plan, programs, &words, &err) < 0)
			_exit(96);
		_exit(try());
	}
	REQUIRE(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status)
	                         : 1000 + WTERMSIG(status);
}

TEST(unknown_programs_keep_what_their_files_give_them)
{
	/* Who runs the tests may be bound already. */
	CHECK_INT(for_programs(SANDBOX_PROGRAMS_ANY, ask_no_new_privs),
		ask_no_new_privs());
	CHECK_INT(for_programs(SANDBOX_PROGRAMS_ANY, ask_filter), ask_filter());
	CHECK_INT(for_programs(SANDBOX_PROGRAMS_ANY, work_as_usual), 0);
	if (SANDBOX_IS_RELAXED)
		return;
	CHECK_INT(for_programs(SANDBOX_PROGRAMS_ANY, look_at_itself), 0);
}

TEST(bound_programs_work_and_reach_nobody_else)
{
	CHECK_INT(for_programs(SANDBOX_PROGRAMS_BOUND, ask_no_new_privs), 0);
	CHECK_INT(for_programs(SANDBOX_PROGRAMS_BOUND, ask_filter), 0);
	CHECK_INT(for_programs(SANDBOX_PROGRAMS_BOUND, ask_capabilities), 0);
	CHECK_INT(for_programs(SANDBOX_PROGRAMS_BOUND, work_as_usual), 0);
	CHECK_INT(for_programs(SANDBOX_PROGRAMS_BOUND, make_socket), 0);
	CHECK_INT(
		for_programs(SANDBOX_PROGRAMS_BOUND, trace_the_parent), EPERM);
	CHECK_INT(for_programs(SANDBOX_PROGRAMS_BOUND, make_an_unknown_call),
		EPERM);
}

/* Landlock scopes signals since version 6. */
TEST(bound_programs_signal_nobody_else)
{
	if (SANDBOX_IS_RELAXED ||
		syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 6)
		return;
	CHECK_INT(
		for_programs(SANDBOX_PROGRAMS_BOUND, signal_the_parent_of_all),
		EPERM);
	CHECK_INT(for_programs(SANDBOX_PROGRAMS_ANY, signal_the_parent_of_all),
		0);
}

TEST(a_core_dump_is_made_only_where_it_is_wanted)
{
	struct sandbox_plan plan = plan_of(SANDBOX_FILES, SANDBOX_FAILS);

	if (SANDBOX_IS_RELAXED)
		return;
	CHECK_INT(ended_with(&plan, look_at_itself), 0);
	plan.dumps_core = true;
	CHECK_INT(ended_with(&plan, look_at_itself), 1);
}

/* ---- required and optional ---- */

TEST(what_the_kernel_refuses_is_an_error_only_when_it_is_required)
{
	struct sandbox_plan plan = plan_of(SANDBOX_FILES, SANDBOX_FAILS);

	if (SANDBOX_IS_RELAXED)
		return;
	plan.root = test_path("not-there");
	CHECK_INT(ended_with(&plan, name_the_time), 99);
	CHECK(is_logged("not-there the root"));
	plan.is_required = false;
	CHECK_INT(ended_with(&plan, make_socket), EPERM);
	CHECK(is_logged("Warning: test goes on without a part"));
}
