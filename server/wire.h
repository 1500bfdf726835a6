/* wire - what the processes of the server say to each other
 *
 * docs/decisions/processes-and-their-wire.md has the whole conversation: who may
 * say what when, and what happens when either side dies then.  Each message is a
 * struct, and one function that reads or writes its fields:
 *
 *   frame_begin(&frame, WIRE_RCPT); wire_rcpt(&frame, &rcpt); channel_send(...)
 *   frame.type == WIRE_RCPT:        wire_rcpt(&frame, &rcpt); frame_is_whole()
 *
 * A message without fields has no function.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_WIRE_H
#define SERVER_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "ipc/frame.h"
#include "mail/route.h"

enum wire_kind {
	WIRE_KIND_FRONT,
	WIRE_KIND_LOOKUP,
	WIRE_KIND_STATE,
	WIRE_KIND_WORKER,
	WIRE_KIND_RUNNER,
	WIRE_KIND_MAILER,
	WIRE_KIND_POLICY,
	WIRE_KIND_PROXY
};
enum { WIRE_KINDS = WIRE_KIND_PROXY + 1 };

enum wire_type {
	/* master -> every child */
	WIRE_BOOT = 1,
	WIRE_DRAIN,
	WIRE_LOGS, /* at any time */
	/* every child -> master */
	WIRE_READY,
	WIRE_COUNTERS,
	/* master -> state and front, and back */
	WIRE_PING,
	WIRE_PONG,

	/* master -> front */
	WIRE_LISTENER = 20,
	WIRE_STDIO,
	WIRE_STATE_LINK,
	WIRE_WORKER,
	WIRE_RCPT_ANSWER,
	WIRE_ASSIGNED,
	/* front -> master */
	WIRE_RCPT,
	WIRE_START,
	WIRE_START_CANCEL,
	WIRE_RELEASE,
	/* front -> master -> lookup, and the answer back */
	WIRE_LOGIN,
	WIRE_LOGGED_IN,

	/* master -> lookup, and back */
	WIRE_LOOKUP = 40,
	WIRE_RECORD,
	/* proxy -> master -> lookup, and the answer back */
	WIRE_RESOLVE,
	WIRE_RESOLVED,

	/* master -> worker */
	WIRE_ASSIGN = 50,
	WIRE_CHECK,
	/* worker -> master */
	WIRE_IDLE,
	WIRE_CHECKED,
	WIRE_WAIT,
	WIRE_WAITED,
	/* master -> worker, on the channel that came with WAIT */
	WIRE_MAY_WAIT,

	/* front -> worker */
	WIRE_JOB_RECIPIENTS = 60,
	WIRE_JOB,
	WIRE_JOB_CANCEL,
	/* worker -> front */
	WIRE_RESULT,

	/* worker -> state */
	WIRE_CLAIM = 70,
	WIRE_RECLAIM,
	WIRE_FINISH,
	/* state -> worker */
	WIRE_CLAIMED,
	/* front -> state, and back */
	WIRE_CONFIRM,
	WIRE_CONFIRMED,
	/* worker -> state */
	WIRE_SEEN,
	WIRE_MARK,
	/* state -> worker */
	WIRE_MARKED,
	/* mailer -> state */
	WIRE_MARK_OF,

	/* worker -> master -> runner */
	WIRE_RUNNER = 80,
	/* worker -> runner, and back */
	WIRE_RUN,
	WIRE_RAN,

	/* doorstep -> master, and back */
	WIRE_STATUS = 90,
	WIRE_STATUS_TEXT,

	/* server/proxywire.h */
	/* master -> front and proxy: a channel between them */
	WIRE_PROXY_LINK = 100,
	/* master -> proxy */
	WIRE_PROXY_ROUTE,
	/* front -> proxy */
	WIRE_PROXY_MAIL,
	WIRE_PROXY_RCPT,
	WIRE_PROXY_DATA,
	WIRE_PROXY_END,
	/* proxy -> front */
	WIRE_PROXY_ANSWER,
	/* doorstep -> master, which answers by STATUS_TEXT; master -> proxy and
	 * state; state -> master, as it starts */
	WIRE_PROXY_WISH,
	/* proxy -> master; doorstep -> master, without fields */
	WIRE_PROXY_STATUS

	/* 110 to 119: mailer, outbound/request.h */
};

/* ---- starting ---- */

/* The first frame to every child. */
struct wire_boot {
	enum wire_kind kind;
	uint32_t generation; /* grows with each reload */
	int config;          /* file: the settings of this kind, in their own
	                      * syntax (conf_load() with source.text) */
	int certificates;    /* front: certificates_write()'s file; -1: none */
	int logs[3];         /* error, info, debug, opened by master; -1: what
	                      * the settings say (syslog, standard error) */
	bool is_single;      /* --stdio: one session, then the end */
	bool has_no_memory;  /* nobody remembers deliveries: go on without */
	const char *state;   /* worker: the path of state's socket */
	const char *root;    /* front: an empty folder that becomes its root;
	                      * NULL: there is none */
	const char *mailer;  /* worker: of the mailer's */
};
void wire_boot(struct frame *frame, struct wire_boot *boot);

struct wire_ready {
	const char *confinement; /* for people: "empty root, seccomp"; NULL:
	                          * nothing */
};
void wire_ready(struct frame *frame, struct wire_ready *ready);

/* Take nothing new, finish what is under way, exit 0. */
struct wire_drain {
	bool is_stop; /* sessions between two transactions end at once; else (a
		       * reload) they go on until they have been idle */
};
void wire_drain(struct frame *frame, struct wire_drain *drain);

/* The log files that master has opened anew, as in BOOT. */
struct wire_logs {
	int logs[3];
};
void wire_logs(struct frame *frame, struct wire_logs *logs);

/* What `doorstep status` shows of a child; sent when it changed, at most once a
 * second. */
struct wire_counter {
	const char *name; /* "connections" */
	uint64_t value;
};
struct wire_counters {
	struct wire_counter *counters;
	size_t count;
};
void wire_counters(struct frame *frame, struct wire_counters *counters);

struct wire_listener {
	int fd;           /* a listening stream socket */
	const char *name; /* "lmtp", "127.0.0.1:24"; for logs */
	bool is_inet;
	uint32_t ssl; /* enum conf_listener_ssl */
	bool haproxy;
	/* Of a Unix socket: */
	uint32_t *peers; /* users that may connect; none: all */
	size_t peer_count;
	bool is_trusted;
};
void wire_listener(struct frame *frame, struct wire_listener *listener);

struct wire_stdio {
	int input, output;
};
void wire_stdio(struct frame *frame, struct wire_stdio *stdio);

/* A connected channel to state; it takes the place of an earlier one. */
struct wire_state_link {
	int fd;
	bool is_mailer; /* to state: it is not a front's */
};
void wire_state_link(struct frame *frame, struct wire_state_link *link);

/* One end of the channel between them, to the front and to the worker. */
struct wire_worker {
	uint32_t worker;
	int fd;
};
void wire_worker(struct frame *frame, struct wire_worker *worker);

/* ---- RCPT ---- */

struct wire_ticket {
	unsigned char bytes[16];
};
void wire_ticket(struct frame *frame, struct wire_ticket *ticket);

struct wire_rcpt {
	uint64_t request; /* the front's number */
	struct str local_part;
	struct str domain;
	uint64_t size; /* MAIL SIZE=; 0 = not told */
	const char *session;
	bool ignores_quota;
};
void wire_rcpt(struct frame *frame, struct wire_rcpt *rcpt);

struct wire_rcpt_answer {
	uint64_t request;
	struct err err; /* ERR_NONE: accepted */
	struct wire_ticket ticket;
	uint32_t group;   /* recipients of one group may share a job */
	const char *user; /* for the front's log lines */
	bool is_proxied;  /* lives on another host: the ticket is the proxy's */
};
void wire_rcpt_answer(struct frame *frame, struct wire_rcpt_answer *answer);

/* Who lives at an address. */
struct wire_lookup {
	uint64_t request;
	struct str local_part;
	struct str domain;
	const char *session; /* for the log; NULL: none */
};
void wire_lookup(struct frame *frame, struct wire_lookup *lookup);

struct wire_field {
	struct str name;
	struct str value;
};

/* What a worker must know of a user. */
struct wire_user {
	const char *name;
	const char *home; /* NULL: none */
	struct str detail;
	struct wire_field *fields; /* settings of the user's own */
	size_t field_count;
};
void wire_user(struct frame *frame, struct wire_user *user);

/* Where a user's mail goes on to, who is not at home here. */
struct wire_route {
	const char *user;   /* what the data base calls the user */
	struct route route; /* of ROUTE_PROXY */
};
void wire_route(struct frame *frame, struct wire_route *route);

/* `user` is written by lookup with wire_user() and handed on by master unread. */
struct wire_record {
	uint64_t request;
	struct err err; /* ERR_NONE: found */
	const char *name;
	uint32_t uid, gid;
	uint32_t *groups;
	size_t group_count;
	bool has_spool_group;
	uint32_t spool_group; /* mail_privileged_group */
	struct str user;
	struct str route; /* wire_route() on its own; empty: the user is here.
	                   * Else there are no uid, gid, groups and `user`. */
};
void wire_record(struct frame *frame, struct wire_record *record);

/* A frame within a frame: wire_user() on its own. */
struct str wire_user_pack(struct arena *arena, struct wire_user *user);
MUST_USE bool wire_user_unpack(
	struct arena *arena, struct str packed, struct wire_user *user);

struct str wire_route_pack(struct arena *arena, struct wire_route *route);
MUST_USE bool wire_route_unpack(
	struct arena *arena, struct str packed, struct wire_route *route);

/* Where is the host of that name? */
struct wire_resolve {
	uint64_t request; /* random enough that no other proxy has it */
	const char *host;
};
void wire_resolve(struct frame *frame, struct wire_resolve *resolve);

struct wire_resolved {
	uint64_t request;
	struct err err;        /* ERR_NONE: found */
	const char *addresses; /* one a line, in the order to be tried */
	uint64_t good_ms;      /* for so long, also a failure */
};
void wire_resolved(struct frame *frame, struct wire_resolved *resolved);

/* Is this the user's password? */
struct wire_login {
	uint64_t request; /* the front's number */
	uint64_t front;   /* master: which front has asked */
	struct str name, password;
	const char *session; /* for the log */
};
void wire_login(struct frame *frame, struct wire_login *login);

enum wire_login_state {
	WIRE_LOGIN_YES,
	WIRE_LOGIN_NO,    /* nobody of that name, or not the password */
	WIRE_LOGIN_UNABLE /* nobody can tell now */
};
struct wire_logged_in {
	uint64_t request, front;
	enum wire_login_state state;
	const char *name; /* YES: what the data base calls the user */
};
void wire_logged_in(struct frame *frame, struct wire_logged_in *answer);

/* Ask the worker, as the user, before RCPT is answered. */
struct wire_check {
	uint64_t request; /* master's number */
	struct str user;
	uint64_t size;
	const char *session;
	bool is_mere_question; /* of policy: no mail will follow here */
	bool withdraws;        /* no mail follows what was checked before */
};
void wire_check(struct frame *frame, struct wire_check *check);

struct wire_checked {
	uint64_t request;
	struct err err;    /* ERR_NONE: welcome */
	bool has_promised; /* room, until the job or a CHECK that withdraws */
};
void wire_checked(struct frame *frame, struct wire_checked *checked);

/* ---- a job ---- */

/* The message of a transaction is there: a worker is wanted for those of its
 * recipients that share a group.  Several frames with the same job add up; the
 * last one is marked. */
struct wire_start {
	uint64_t job; /* the front's number */
	uint64_t
		deadline_ms; /* clock_monotonic_ms(); the same in all processes */
	struct wire_ticket *tickets;
	size_t count;
	bool is_last;
};
void wire_start(struct frame *frame, struct wire_start *start);

/* Done with all that was assigned. */
struct wire_idle {
	uint64_t job;      /* the first of them */
	bool has_redeemed; /* what was promised at RCPT to any of them */
};
void wire_idle(struct frame *frame, struct wire_idle *idle);

/* WIRE_START_CANCEL, WIRE_JOB_CANCEL */
struct wire_job_number {
	uint64_t job;
};
void wire_job_number(struct frame *frame, struct wire_job_number *number);

struct wire_assigned {
	uint64_t job;
	struct err err; /* ERR_NONE: a worker has it */
	uint32_t worker;
};
void wire_assigned(struct frame *frame, struct wire_assigned *assigned);

struct wire_release {
	struct wire_ticket *tickets;
	size_t count;
};
void wire_release(struct frame *frame, struct wire_release *release);

enum { WIRE_JOBS_TOGETHER_MAX = 64 };

/* Several frames with the same job add up.  All jobs up to the first frame without
 * `more` are to be done together. */
struct wire_assign_item {
	struct wire_ticket ticket;
	struct str user;
};
struct wire_assign {
	uint64_t job;
	struct wire_assign_item *items;
	size_t count;
	bool more;
};
void wire_assign(struct frame *frame, struct wire_assign *assign);

/* Before WIRE_JOB, as many frames as it takes, in the order of RCPT; those that have
 * room in WIRE_JOB come with it. */
struct wire_job_recipient {
	struct wire_ticket ticket;
	struct str path;     /* RCPT as given, without brackets */
	struct str original; /* ORCPT, decoded; empty: none */
	struct str orcpt;    /* the same with its type */
	struct str notify;   /* NOTIFY=; empty: none */
	const char *session; /* "AqKOK...:T2:R3" */
	bool ignores_quota;  /* IGNOREQUOTA of a trusted peer */
};
struct wire_job_recipients {
	uint64_t job;
	struct wire_job_recipient *recipients;
	size_t count;
};
void wire_job_recipients(
	struct frame *frame, struct wire_job_recipients *recipients);

enum {
	/* A message up to this many bytes travels within the frame. */
	WIRE_INLINE_MAX = 64 * 1024
};

/* What the front knows of the client; for Received and Sieve's environment. */
struct wire_client {
	struct str helo;
	struct str ip; /* empty: none (Unix socket) */
	uint32_t port;
	struct str tls;      /* "TLSv1.3 with cipher X (256/256 bits)" */
	struct str protocol; /* "LMTP", "UTF8LMTPS" */
	struct str login;    /* XCLIENT LOGIN */
	/* From whom the mail came: by XFORWARD, else `ip` and its name. */
	struct str remote_ip, remote_host;
};
void wire_client(struct frame *frame, struct wire_client *client);

struct wire_job {
	uint64_t job;
	uint64_t deadline_ms;
	const char *session;   /* of the transaction: "AqKOK...:T2" */
	struct str sender;     /* without brackets; empty: null */
	struct str ret, envid; /* of MAIL, decoded; empty: none */
	struct wire_client client;
	uint32_t recipients; /* all in the transaction, of other groups too */
	uint64_t size;       /* of the message */
	/* Of the job; those that have room here.  The others came before. */
	struct wire_job_recipient *last;
	size_t last_count;
	int file; /* -1: `message` holds all */
	struct str message;
};
void wire_job(struct frame *frame, struct wire_job *job);

/* Ends the memory of a delivery; whoever knows the secret may. */
struct wire_handle {
	uint32_t uid;
	unsigned char key[32];
	unsigned char secret[16];
};
void wire_handle(struct frame *frame, struct wire_handle *handle);

enum wire_outcome {
	WIRE_SAVED,
	WIRE_DISCARDED,
	WIRE_FAILED, /* err */
	WIRE_REFUSED /* err; unlike what failed it is remembered */
};
struct wire_recipient_result {
	enum wire_outcome outcome;
	struct err err;
	/* Not in the frame: of another host's reply, whose status and text are
	 * in `err`; 0: ours. */
	unsigned code;
	bool has_handle; /* remembered until the client's next command */
	struct wire_handle handle;
};
/* What took time, as enum job_phase of deliver/deliver.h. */
enum wire_phase {
	WIRE_PHASE_SIEVE,
	WIRE_PHASE_QUOTA,
	WIRE_PHASE_STORE,
	WIRE_PHASE_OUTBOUND,
	WIRE_PHASES
};
/* In the order of the recipients; several frames add up, `first` is the place of
 * the first one, the last frame is marked. */
struct wire_result {
	uint64_t job;
	uint32_t first;
	struct wire_recipient_result *results;
	size_t count;
	bool is_last;
	/* For the counters; those of the last frame count. */
	uint64_t phases_us[WIRE_PHASES];
	uint32_t script_errors;
};
void wire_result(struct frame *frame, struct wire_result *result);

/* ---- the memory of deliveries ---- */

enum wire_claim_state {
	WIRE_CLAIM_GRANTED,  /* nobody knew of it: yours */
	WIRE_CLAIM_BUSY,     /* somebody is delivering it at this moment */
	WIRE_CLAIM_BROKEN,   /* yours; who had it died: `value` is what it meant
	                      * to do, see whether it got that far */
	WIRE_CLAIM_FINISHED, /* delivered, and nobody confirmed; `outcome` */
	WIRE_CLAIM_UNABLE    /* the memory cannot be written: go on without */
};

/* WIRE_CLAIM, WIRE_RECLAIM (what was BROKEN, with a new value). */
struct wire_claim_item {
	unsigned char key[32];
	unsigned char secret[16];
	struct str value;
};
struct wire_claim {
	uint64_t request;
	struct wire_claim_item *items;
	size_t count;
};
void wire_claim(struct frame *frame, struct wire_claim *claim);

struct wire_claimed_item {
	enum wire_claim_state state;
	unsigned char secret[16]; /* FINISHED: the entry's */
	enum wire_outcome outcome;
	struct str value;
};
struct wire_claimed {
	uint64_t request;
	struct wire_claimed_item *items;
	size_t count;
};
void wire_claimed(struct frame *frame, struct wire_claimed *claimed);

/* WIRE_FAILED forgets the claim. */
struct wire_finish_item {
	unsigned char key[32];
	enum wire_outcome outcome;
};
struct wire_finish {
	struct wire_finish_item *items;
	size_t count;
};
void wire_finish(struct frame *frame, struct wire_finish *finish);

/* WIRE_CONFIRM; WIRE_CONFIRMED has the request alone. */
struct wire_confirm {
	uint64_t request;
	struct wire_handle *handles;
	size_t count;
};
void wire_confirm(struct frame *frame, struct wire_confirm *confirm);
struct wire_confirmed {
	uint64_t request;
};
void wire_confirmed(struct frame *frame, struct wire_confirmed *confirmed);

/* ---- what was seen (RFC 7352) ---- */

enum {
	WIRE_MARK_KEY = 32,   /* bytes */
	WIRE_MARKS_MAX = 1000 /* in a frame */
};

/* Is there a mark with this key? */
struct wire_seen {
	uint64_t request;
	unsigned char key[WIRE_MARK_KEY];
};
void wire_seen(struct frame *frame, struct wire_seen *seen);

/* Keep these; a claim: only if none of them is there. */
enum wire_mark_kind {
	WIRE_MARK_DUPLICATE,
	WIRE_MARK_VACATION,
	WIRE_MARK_REDIRECT
};
enum { WIRE_MARK_KINDS = WIRE_MARK_REDIRECT + 1 };

struct wire_mark_item {
	unsigned char key[WIRE_MARK_KEY];
	uint64_t expires_s;       /* wall clock */
	enum wire_mark_kind kind; /* for those who count */
};
struct wire_mark {
	uint64_t request;
	bool is_claim;
	struct wire_mark_item *items;
	size_t count;
};
void wire_mark(struct frame *frame, struct wire_mark *mark);

/* For a user whose mail a mailer had: it has left, which is to be remembered, or it
 * has not, and the mark expires now; no answer. */
struct wire_mark_of {
	uint32_t uid; /* of whom it is, as the kernel says */
	struct wire_mark_item item;
};
void wire_mark_of(struct frame *frame, struct wire_mark_of *mark);

/* The answer to both. */
enum wire_marked_state {
	WIRE_MARKS_NO,    /* there is none; the claim met one */
	WIRE_MARKS_YES,   /* there is; they are kept */
	WIRE_MARKS_UNABLE /* the data base cannot tell, or cannot be written */
};
struct wire_marked {
	uint64_t request;
	enum wire_marked_state state;
};
void wire_marked(struct frame *frame, struct wire_marked *marked);

/* ---- the admin ---- */

struct wire_status_text {
	struct str json;
};
void wire_status_text(struct frame *frame, struct wire_status_text *text);

/* ---- programs ---- */

/* What a worker waits for that others do. */
enum wire_wait {
	WIRE_WAIT_MAIL,   /* mail to be taken */
	WIRE_WAIT_PROGRAM /* a program to end */
};
enum { WIRE_WAITS = WIRE_WAIT_PROGRAM + 1 };

/* WAIT and WAITED. */
struct wire_wait_order {
	enum wire_wait what;
	int answer; /* WAIT: master's end of the channel for MAY_WAIT */
};
void wire_wait_order(struct frame *frame, struct wire_wait_order *order);

struct wire_may_wait {
	bool is_granted;
};
void wire_may_wait(struct frame *frame, struct wire_may_wait *answer);

/* A worker wants a runner as whom it is itself, in place of one that it had: the
 * runner's end of the channel between them. */
struct wire_runner {
	int fd;
};
void wire_runner(struct frame *frame, struct wire_runner *runner);

/* ORDER PROGRAM USES, deliver/programs.h */
enum wire_use {
	WIRE_USE_PIPE,
	WIRE_USE_FILTER,
	WIRE_USE_EXECUTE,
	WIRE_USE_CONVERT,
	WIRE_USE_WARNING
};
struct wire_run {
	enum wire_use use;
	struct str name;
	struct str *arguments;
	size_t argument_count;
	struct str user, home, host;            /* for its environment */
	struct str sender, recipient, original; /* the same */
	int input; /* its standard input; -1: nothing */
	bool wants_output;
	uint64_t most; /* bytes of output */
	uint64_t timeout_ms;
};
void wire_run(struct frame *frame, struct wire_run *run);

/* ORDER PROGRAM ENDS, deliver/programs.h */
enum wire_end {
	WIRE_END_DONE,
	WIRE_END_STATUS,
	WIRE_END_BROKEN,
	WIRE_END_IMPOSSIBLE
};
struct wire_ran {
	enum wire_end end;
	const char *text;
	uint64_t size; /* of the output */
	int output;    /* a file; -1: there is none */
};
void wire_ran(struct frame *frame, struct wire_ran *ran);

#endif
