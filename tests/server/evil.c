/* evil - a front that has been taken over
 *
 * Linked in place of lmtp/front.c.  It confines itself as that one does, because a
 * front is taken over afterwards; then it tries what an attacker would: system
 * calls, files, processes, and frames that are not a front's.  Each start is
 * another attack, as some end the process; the length of the file `attack` in
 * mail_temp_dir counts them.  What came of it is in the log, "evil: ...".
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "server/child.h"
#include "server/confine.h"
#include "lmtp/front.h"

#include "base/banned.h"

enum { ANSWER_MS = 10000 };

struct evil {
	struct child *child;
	struct arena *arena;
	int spool;
	struct channel state, worker;
};

/* ---- system calls ---- */

/* An attacker would not let our handler end the process.  The call is not made
 * either way. */
static void
go_on(int number, siginfo_t *info, void *context)
{
	ucontext_t *where = context;

	(void)number;
	(void)info;
#if defined(__x86_64__)
	where->uc_mcontext.gregs[REG_RAX] = -EPERM;
#elif defined(__aarch64__)
	where->uc_mcontext.regs[0] = (unsigned long long)-EPERM;
#else
	(void)where;
	_exit(1);
#endif
}

static void
catch_refused(void)
{
	struct sigaction action = {.sa_flags = SA_SIGINFO | SA_NODEFER};

	action.sa_sigaction = go_on;
	sigaction(SIGSYS, &action, NULL);
}

static void
tell(const char *what, bool has_worked)
{
	log_info("evil: %s: %s", what,
		has_worked ? "IT WORKED" : strerror(errno));
}

static bool
can_connect(int family, const struct sockaddr *address, socklen_t size)
{
	int fd = socket(family, SOCK_STREAM, 0);

	return fd >= 0 && connect(fd, address, size) == 0;
}

static bool
can_connect_unix(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memcpy(address.sun_path, "/run/doorstep/state", 20);
	return can_connect(
		AF_UNIX, (struct sockaddr *)&address, sizeof(address));
}

static bool
can_open(int folder, const char *path)
{
	return openat(folder, path, O_RDONLY | O_CLOEXEC) >= 0;
}

static void
attack_files(const struct evil *evil)
{
	tell("open /etc/passwd", can_open(AT_FDCWD, "/etc/passwd"));
	tell("open ../../../../etc/passwd below the spool folder",
		can_open(evil->spool, "../../../../../../etc/passwd"));
	tell("list the spool folder", can_open(evil->spool, "."));
	tell("open /proc/self/environ",
		can_open(AT_FDCWD, "/proc/self/environ"));
	tell("make a folder", mkdir("/x", 0700) == 0);
	tell("make a device",
		mknodat(evil->spool, "x", S_IFBLK | 0600, 0x800) == 0);
	tell("change into the spool folder and up, and open etc/passwd",
		fchdir(evil->spool) == 0 && chdir("../../../../../..") == 0 &&
			can_open(AT_FDCWD, "etc/passwd"));
	tell("have another root", chroot(".") == 0);
	tell("mount", mount("none", "/", "tmpfs", 0, NULL) == 0);
}

static void
attack_processes(void)
{
	char program[] = "/bin/sh";
	char *const arguments[] = {program, NULL};
	struct iovec here = {program, 1};
	pid_t master = getppid(), pid;

	tell("execute /bin/sh", execve(program, arguments, arguments) == 0);
	tell("execute the spool folder's file",
		syscall(SYS_execveat, 4, "", arguments, arguments,
			AT_EMPTY_PATH) == 0);
	pid = fork();
	tell("fork", pid >= 0);
	if (pid == 0)
		_exit(0);
	tell("trace master", ptrace(PTRACE_ATTACH, master, NULL, NULL) == 0);
	tell("read master's memory",
		process_vm_readv(master, &here, 1, &here, 1, 0) >= 0);
	tell("signal master", kill(master, 0) == 0);
	tell("signal everybody", kill(-1, 0) == 0);
}

static void
attack_kernel(void)
{
	struct sockaddr_un nobody = {.sun_family = AF_UNIX};

	tell("become root", setuid(0) == 0);
	tell("make a socket of the internet",
		socket(AF_INET, SOCK_STREAM, 0) >= 0);
	tell("make a raw socket", socket(AF_PACKET, SOCK_RAW, 0) >= 0);
	tell("connect to state by its path", can_connect_unix());
	tell("make a socket pair of an odd family",
		socket(AF_NETLINK, SOCK_RAW, 0) >= 0 ||
			bind(0, (struct sockaddr *)&nobody, sizeof(nobody)) ==
				0);
	tell("load a program into the kernel",
		syscall(SYS_bpf, 0, NULL, 0) == 0);
	tell("have namespaces of its own", unshare(CLONE_NEWUSER) == 0);
	tell("set up an io_uring", syscall(SYS_io_uring_setup, 1, NULL) >= 0);
}

static void
attack_system(const struct evil *evil)
{
	catch_refused();
	attack_files(evil);
	attack_processes();
	attack_kernel();
}

/* ---- frames to master ---- */

static bool
receive(struct evil *evil, struct channel *from, struct frame *frame)
{
	struct err err;

	return channel_wait(from, clock_monotonic_ms() + ANSWER_MS) &&
	       channel_receive(from, evil->arena, frame, &err) == LOOKUP_FOUND;
}

static void
send_frame(struct channel *to, struct frame *frame)
{
	struct err err;

	if (channel_send(to, frame, &err) < 0)
		log_info("evil: not sent: %s", err_log_text(&err));
}

/* Links come when master likes. */
static void
take_link(struct evil *evil, struct frame *frame)
{
	struct wire_state_link state = {.fd = -1};
	struct wire_worker worker = {.fd = -1};

	if (frame->type == WIRE_STATE_LINK) {
		wire_state_link(frame, &state);
		channel_open(&evil->state, state.fd, true);
	} else if (frame->type == WIRE_WORKER) {
		wire_worker(frame, &worker);
		channel_open(&evil->worker, worker.fd, true);
	}
}

/* Until a frame of that type has come; false: the channel broke. */
static bool
expect(struct evil *evil, enum wire_type type, struct frame *frame)
{
	while (receive(evil, &evil->child->master, frame)) {
		take_link(evil, frame);
		if (frame->type == type)
			return true;
		frame_close(frame);
	}
	return false;
}

/* Master kills who says what is not its to say. */
static void
wait_for_the_end(struct evil *evil)
{
	struct frame frame;

	(void)expect(evil, WIRE_BOOT, &frame);
	log_info("evil: IT WORKED: master let it live");
}

/* Lookup's word: bob's mail is root's. */
static void
attack_as_lookup(struct evil *evil)
{
	struct wire_record record = {
		.request = 1, .name = "bob", .uid = 0, .gid = 0};
	struct frame frame;

	err_clear(&record.err);
	frame_begin(&frame, WIRE_RECORD);
	wire_record(&frame, &record);
	send_frame(&evil->child->master, &frame);
	wait_for_the_end(evil);
}

static void
attack_with_a_broken_frame(struct evil *evil)
{
	struct wire_start start = {.job = 1, .count = 0, .is_last = true};
	struct frame frame;
	uint32_t many = 0xffffffff;

	frame_begin(&frame, WIRE_START);
	wire_start(&frame, &start);
	frame_u32(&frame, &many);
	send_frame(&evil->child->master, &frame);
	wait_for_the_end(evil);
}

/* The ticket of `name`; false: RCPT was refused. */
static bool
ask(struct evil *evil, const char *name, struct wire_rcpt_answer *answer)
{
	struct wire_rcpt rcpt = {.request = 7,
		.local_part = str_from(name),
		.domain = STR_EMPTY,
		.session = "evil"};
	struct frame frame;

	frame_begin(&frame, WIRE_RCPT);
	wire_rcpt(&frame, &rcpt);
	send_frame(&evil->child->master, &frame);
	if (!expect(evil, WIRE_RCPT_ANSWER, &frame))
		return false;
	wire_rcpt_answer(&frame, answer);
	frame_close(&frame);
	return answer->err.kind == ERR_NONE;
}

static bool
start(struct evil *evil, uint64_t job, struct wire_ticket *tickets,
	size_t count, struct wire_assigned *assigned)
{
	struct wire_start message = {.job = job,
		.deadline_ms = clock_monotonic_ms() + 60000,
		.tickets = tickets,
		.count = count,
		.is_last = true};
	struct frame frame;

	frame_begin(&frame, WIRE_START);
	wire_start(&frame, &message);
	send_frame(&evil->child->master, &frame);
	if (!expect(evil, WIRE_ASSIGNED, &frame))
		return false;
	wire_assigned(&frame, assigned);
	frame_close(&frame);
	return assigned->err.kind == ERR_NONE;
}

/* Root's mail, and tickets that nobody has given out. */
static void
attack_tickets(struct evil *evil)
{
	struct wire_rcpt_answer answer;
	struct wire_assigned assigned;
	struct wire_ticket invented = {{1, 2, 3}};

	errno = EACCES;
	tell("a ticket for root", ask(evil, "root", &answer));
	errno = EACCES;
	tell("a ticket for nobody there", ask(evil, "no-such-user", &answer));
	errno = EACCES;
	tell("a worker by an invented ticket",
		start(evil, 1, &invented, 1, &assigned));
}

/* ---- frames to a worker ---- */

static void
send_job(struct evil *evil, uint64_t number, struct wire_job_recipient *all,
	size_t count)
{
	struct wire_job job = {.job = number,
		.deadline_ms = clock_monotonic_ms() + 60000,
		.session = "evil",
		.sender = STR("evil@client.example"),
		.recipients = (uint32_t)count,
		.last = all,
		.last_count = count,
		.file = -1,
		.message = STR("Subject: evil\r\n\r\nevil\r\n")};
	struct frame frame;

	job.size = job.message.len;
	frame_begin(&frame, WIRE_JOB);
	wire_job(&frame, &job);
	send_frame(&evil->worker, &frame);
}

/* What the worker says to a recipient whose ticket was not assigned to it. */
static void
tell_results(struct evil *evil)
{
	struct wire_result result = {0};
	struct frame frame;
	size_t i;

	if (!receive(evil, &evil->worker, &frame)) {
		log_info("evil: the worker has gone");
		return;
	}
	wire_result(&frame, &result);
	for (i = 0; i < result.count; i++)
		log_info("evil: result %zu is %d %s", i,
			(int)result.results[i].outcome,
			result.results[i].err.status);
}

/* Amy's worker is to file bob's mail, too. */
static void
attack_other_mail(struct evil *evil)
{
	struct wire_job_recipient all[2] = {{.path = STR("amy")}};
	struct wire_rcpt_answer amy, bob;
	struct wire_assigned assigned;

	all[0].session = all[1].session = "evil";
	all[1].path = STR("bob");
	if (!ask(evil, "amy", &amy) || !ask(evil, "bob", &bob) ||
		!start(evil, 2, &amy.ticket, 1, &assigned)) {
		log_info("evil: no worker");
		return;
	}
	all[0].ticket = amy.ticket;
	all[1].ticket = bob.ticket;
	send_job(evil, 2, all, ARRAY_LENGTH(all));
	tell_results(evil);
}

/* A job that was never assigned. */
static void
attack_worker(struct evil *evil)
{
	struct wire_rcpt_answer amy;
	struct wire_job_recipient one = {.path = STR("amy"), .session = "evil"};
	struct wire_assigned assigned;

	if (!ask(evil, "amy", &amy) ||
		!start(evil, 3, &amy.ticket, 1, &assigned)) {
		log_info("evil: no worker");
		return;
	}
	one.ticket = amy.ticket;
	send_job(evil, 4711, &one, 1);
	tell_results(evil);
}

/* ---- frames to state ---- */

static void
tell_state(struct evil *evil, const char *what)
{
	struct frame frame;
	bool has_answer = receive(evil, &evil->state, &frame);

	log_info("evil: %s: %s", what,
		has_answer ? "IT WORKED" : "state has closed the channel");
}

static bool
find_state(struct evil *evil)
{
	struct frame frame;

	while (!channel_is_open(&evil->state))
		if (!expect(evil, WIRE_STATE_LINK, &frame))
			return false;
	return true;
}

static void
attack_claims(struct evil *evil)
{
	struct wire_claim_item item = {.value = STR("evil")};
	struct wire_claim claim = {.request = 1, .items = &item, .count = 1};
	struct frame frame;

	if (!find_state(evil))
		return;
	frame_begin(&frame, WIRE_CLAIM);
	wire_claim(&frame, &claim);
	send_frame(&evil->state, &frame);
	tell_state(evil, "claim a delivery of uid 0");
}

static void
attack_marks(struct evil *evil)
{
	struct wire_mark_item item = {.expires_s = UINT32_MAX};
	struct wire_mark mark = {.request = 1, .items = &item, .count = 1};
	struct frame frame;

	if (!find_state(evil))
		return;
	frame_begin(&frame, WIRE_MARK);
	wire_mark(&frame, &mark);
	send_frame(&evil->state, &frame);
	tell_state(evil, "mark what was seen");
}

/* ---- the whole ---- */

static void
attack_with_calls_only(struct evil *evil)
{
	attack_system(evil);
}

static void
end_of_attacks(struct evil *evil)
{
	struct frame frame;

	(void)evil;
	log_info("evil: no more ideas");
	while (expect(evil, WIRE_DRAIN, &frame) == false)
		_exit(1);
	_exit(0);
}

static void (*const attacks[])(struct evil *evil) = {attack_with_calls_only,
	attack_as_lookup, attack_with_a_broken_frame, attack_tickets,
	attack_other_mail, attack_worker, attack_claims, attack_marks,
	end_of_attacks};

/* How many there were, and one more. */
static size_t
next_attack(int spool)
{
	struct stat status = {.st_size = 0};
	int fd = openat(spool, "attack",
		O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0 || fstat(fd, &status) < 0 || write(fd, "+", 1) != 1)
		log_info("evil: cannot count: %s", strerror(errno));
	fd_close(&fd);
	return (size_t)status.st_size;
}

/* The test makes the file `go` when the server is up. */
static void
wait_for_the_server(int spool)
{
	struct stat status;

	while (fstatat(spool, "go", &status, 0) < 0)
		(void)!poll(NULL, 0, 10);
}

int
front_main(struct child *child)
{
	struct evil evil = {.child = child,
		.arena = child->arena,
		.state = {.fd = -1},
		.worker = {.fd = -1}};
	struct frame frame;
	struct err err;
	size_t number;

	signal(SIGPIPE, SIG_IGN);
	evil.spool = open(child->settings->mail_temp_dir,
		O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	channel_open(&child->master, child->master.fd, true);
	if (confine(child, NULL, 0, &err) < 0) {
		log_error("%s", err_log_text(&err));
		return 1;
	}
	confine_ready(child, &frame);
	send_frame(&child->master, &frame);
	wait_for_the_server(evil.spool);
	number = next_attack(evil.spool);
	if (number < ARRAY_LENGTH(attacks))
		attacks[number](&evil);
	return 1;
}
