/* A worker is killed at each of its system calls, and the client tries again
 *
 * With the real memory of deliveries.  Whatever was done when it died, afterwards
 * each copy is there once.
 *
 * SPDX-License-Identifier: MIT
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/child.h"
#include "tests/lib/test.h"
#include "tests/unit/server/stage.h"
#include "tests/unit/server/statehelp.h"

#include "base/banned.h"

enum {
	STOPS_MAX = 2000, /* two for each system call */
	PATIENCE_MS = 20 * 1000,
	PAUSE_US = 2000,
	CANNOT_TRACE = 99
};

/* ---- dying at the n-th stop ---- */

/* Of this round; set before the fork. */
static unsigned kill_at;

/* The process that is killed: stops at its first chance. */
static void
be_traced(void)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(CANNOT_TRACE);
	raise(SIGSTOP);
}

/* Lets it go from one stop to the next one, and ends as it ends. */
NO_RETURN static void
trace(pid_t pid)
{
	int status, deliver = 0;
	unsigned stops = 0;

	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		_exit(CANNOT_TRACE);
	if (ptrace(PTRACE_SETOPTIONS, pid, NULL,
		    PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) < 0)
		_exit(CANNOT_TRACE);
	for (;;) {
		if (ptrace(PTRACE_SYSCALL, pid, NULL, deliver) < 0 ||
			waitpid(pid, &status, 0) != pid)
			_exit(CANNOT_TRACE);
		if (WIFEXITED(status))
			_exit(WEXITSTATUS(status));
		if (!WIFSTOPPED(status))
			_exit(128 + WTERMSIG(status));
		deliver = WSTOPSIG(status);
		if (deliver != (SIGTRAP | 0x80))
			continue;
		deliver = 0;
		if (++stops < kill_at)
			continue;
		kill(pid, SIGKILL);
		if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
			_exit(CANNOT_TRACE);
		_exit(128 + SIGKILL);
	}
}

/* In the child that would be the worker: the worker is a child of its own. */
static void
split(void)
{
	pid_t pid = fork();
	int fd;

	if (pid < 0)
		_exit(CANNOT_TRACE);
	if (pid == 0) {
		be_traced();
		return;
	}
	/* Ours must not keep the channel open. */
	for (fd = 3; fd < 64; fd++)
		close(fd);
	trace(pid);
}

/* ---- what the client sees ---- */

/* LOOKUP_FOUND: an answer; LOOKUP_ERROR: the worker has gone. */
static enum lookup
receive(struct stage *stage, struct channel *channel, unsigned type,
	struct frame *frame)
{
	struct err err;

	REQUIRE(channel_wait(channel, clock_monotonic_ms() + PATIENCE_MS));
	if (channel_receive(channel, stage->arena, frame, &err) != LOOKUP_FOUND)
		return LOOKUP_ERROR;
	REQUIRE(frame->type == type);
	return LOOKUP_FOUND;
}

static bool
send_user(struct stage *stage, unsigned number)
{
	struct wire_assign_item item = {.user = stage_user(stage, number)};
	struct wire_assign assign = {.job = 1, .items = &item, .count = 1};
	struct frame frame;
	struct err err;

	item.ticket.bytes[0] = 1;
	frame_begin(&frame, WIRE_ASSIGN);
	wire_assign(&frame, &assign);
	return channel_send(&stage->master, &frame, &err) == 0;
}

static bool
send_front(struct stage *stage)
{
	struct wire_worker link = {.worker = 1};
	struct frame frame;
	struct err err;
	int fds[2];
	bool is_sent;

	REQUIRE(channel_pair(fds) == 0);
	channel_open(&stage->front, fds[0], true);
	link.fd = fds[1];
	frame_begin(&frame, WIRE_WORKER);
	wire_worker(&frame, &link);
	is_sent = channel_send(&stage->master, &frame, &err) == 0;
	close(fds[1]);
	return is_sent;
}

static bool
send_job(struct stage *stage, unsigned number)
{
	struct wire_job job = stage_letter(1, 1);
	struct wire_job_recipient recipient = {
		.path = str_from(arena_format(
			stage->arena, "user%u@example.org", number)),
		.session = "S:R1"};
	struct wire_job_recipients recipients = {
		.job = 1, .recipients = &recipient, .count = 1};
	struct frame frame;
	struct err err;

	recipient.ticket.bytes[0] = 1;
	frame_begin(&frame, WIRE_JOB_RECIPIENTS);
	wire_job_recipients(&frame, &recipients);
	if (channel_send(&stage->front, &frame, &err) < 0)
		return false;
	frame_begin(&frame, WIRE_JOB);
	wire_job(&frame, &job);
	return channel_send(&stage->front, &frame, &err) == 0;
}

/* One transaction for user `number`.  False: the worker died before it answered. */
static bool
transact(struct stage *stage, unsigned number, enum wire_outcome *outcome_out)
{
	struct wire_result result = {0};
	struct frame frame;

	if (receive(stage, &stage->master, WIRE_READY, &frame) !=
			LOOKUP_FOUND ||
		!send_front(stage) || !send_user(stage, number) ||
		!send_job(stage, number) ||
		receive(stage, &stage->front, WIRE_RESULT, &frame) !=
			LOOKUP_FOUND)
		return false;
	wire_result(&frame, &result);
	REQUIRE(frame_is_whole(&frame) && result.count == 1);
	*outcome_out = result.results[0].outcome;
	/* Until it has said that it is idle there are calls to die at. */
	if (receive(stage, &stage->master, WIRE_IDLE, &frame) == LOOKUP_FOUND)
		frame_close(&frame);
	return true;
}

static int
run_worker(unsigned number, void (*before)(void), bool *was_answered,
	enum wire_outcome *outcome)
{
	struct stage stage;

	stage_init(&stage);
	stage.before = before;
	stage_user(&stage, number);
	stage_start(&stage);
	*was_answered = transact(&stage, number, outcome);
	return stage_finish(&stage);
}

/* As often as it takes: state may not have noticed yet that the first one died. */
static void
retry(unsigned number)
{
	uint64_t until = clock_monotonic_ms() + PATIENCE_MS;
	enum wire_outcome outcome = WIRE_FAILED;
	bool was_answered;

	while (outcome == WIRE_FAILED) {
		REQUIRE(clock_monotonic_ms() < until);
		CHECK_INT(run_worker(number, NULL, &was_answered, &outcome), 0);
		REQUIRE(was_answered);
		if (outcome == WIRE_FAILED)
			usleep(PAUSE_US);
	}
	CHECK_INT(outcome, WIRE_SAVED);
}

/* ---- what is on disk ---- */

static int
count(unsigned number, const char *folder)
{
	char path[4096];
	struct dirent *entry;
	int files = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/user%u/Maildir/%s", test_folder(),
		number, folder);
	dir = opendir(path);
	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL)
		files += entry->d_name[0] != '.';
	closedir(dir);
	return files;
}

/* Every copy once. */
static bool
is_delivered(unsigned number)
{
	return count(number, "new") == 1 && count(number, ".Lists/cur") == 1 &&
	       count(number, "cur") == 0 && count(number, ".Lists/new") == 0;
}

static void
check_round(unsigned number, bool was_answered)
{
	if (was_answered)
		CHECK(is_delivered(number));
	retry(number);
	if (!CHECK(is_delivered(number)))
		printf("# killed at stop %u: new %d, Lists/cur %d\n", kill_at,
			count(number, "new"), count(number, ".Lists/cur"));
	/* At most what the first one was at. */
	CHECK(count(number, "tmp") + count(number, ".Lists/tmp") <= 2);
}

static void
write_script(unsigned number)
{
	char name[64];

	snprintf(name, sizeof(name), "user%u/.dovecot.sieve", number);
	test_file(name,
		"require [\"fileinto\", \"mailbox\", \"copy\", "
		"\"imap4flags\"];\n"
		"fileinto :copy :create :flags \"\\\\Seen\" \"Lists\";\n");
}

static void
start_state(struct state_server *state)
{
	state_server_init(state);
	state_server_start(state);
	REQUIRE(mkdir(test_path("run"), 0700) == 0);
	REQUIRE(symlink("../socket", test_path("run/state")) == 0);
}

TEST(a_worker_that_dies_at_any_moment_loses_and_doubles_nothing)
{
	struct state_server state;
	unsigned number, died = 0;

	start_state(&state);
	for (number = 1; number < STOPS_MAX; number++) {
		enum wire_outcome outcome = WIRE_SAVED;
		bool was_answered;
		int status;

		kill_at = number;
		write_script(number);
		status = run_worker(number, split, &was_answered, &outcome);
		if (status == CANNOT_TRACE)
			SKIP("processes cannot be traced here");
		CHECK_INT(outcome, WIRE_SAVED);
		if (status == 0)
			break;
		CHECK_INT(status, 128 + SIGKILL);
		died++;
		check_round(number, was_answered);
	}
	CHECK(died > 50);
	CHECK(number < STOPS_MAX);
	printf("# killed at %u stops\n", died);
	CHECK_INT(state_server_stop(&state), 0);
	close(state.listener);
	arena_close(&state.arena);
}
