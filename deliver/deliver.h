/* deliver - the core: one message and all recipients of one uid
 *
 * The front ends fill a job and read the results; everything between is here:
 *
 *   loop check -> script -> detail -> plan   for each recipient
 *   write, sync, hand over, rename   for all of them, phase by phase
 *   notices                          when all outcomes are told
 *
 * Each recipient has a result of its own: one recipient's trouble never touches
 * another's.  All but DELIVER_FAILED are final and mean that every copy the plan
 * named is durable.
 *
 * Several jobs of one uid share the phases, so that they share the work of the
 * disk, too.
 *
 * Runs as the recipients' uid; blocks.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_DELIVER_H
#define DELIVER_DELIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"
#include "mail/address.h"
#include "mail/message.h"
#include "conf/conf.h"

enum deliver_outcome {
	DELIVER_PENDING,
	DELIVER_SAVED,     /* at least one copy filed */
	DELIVER_DISCARDED, /* the script wanted no copy, or only a redirect */
	DELIVER_REFUSED, /* by the script: err has the text for the sender; what
	                  * an admin's script wanted is filed */
	DELIVER_FAILED   /* err says why; nothing was filed */
};

/* What the steps work out for one recipient, and for all; deliver's own. */
struct delivery_work;
struct job_work;
struct job_programs;
struct script_cache;
struct flush_crew;

/* One recipient of a job. */
struct delivery {
	struct address final;    /* RCPT, or -r */
	struct address original; /* ORCPT, or -a */
	const char *user; /* the user database's name; for paths and logs */
	const char *home; /* NULL: none */
	const struct settings *settings; /* the user's own included */
	struct str mailbox; /* in place of INBOX: -m; empty = detail, INBOX */
	struct str orcpt, notify; /* RFC 3461, of RCPT; empty: not told */
	bool ignores_quota;       /* IGNOREQUOTA: the limits do not count */
	bool is_mere_question; /* of deliver_check(): no mail follows it here */
	bool has_promised;     /* by deliver_check(): room, to this session */
	bool has_redeemed; /* by deliver_job(): what was promised is no more */
	struct str detail; /* as the address spells it; may choose a folder */

	const char *session; /* for log lines; NULL: the job's */

	enum deliver_outcome outcome;
	struct err err;
	/* It failed, and copies that an earlier try has left are there, or may
	 * be: what is remembered of that try is still needed. */
	bool is_half_done;
	struct delivery_work *work;
};

/* Who handed the message over by a protocol.  An empty value: not known. */
struct job_client {
	struct str helo;
	struct str ip;       /* none on a Unix socket */
	struct str tls;      /* "TLSv1.3 with cipher X (256/256 bits)" */
	struct str protocol; /* "LMTP", "UTF8LMTPS" */
	struct str login;    /* XCLIENT LOGIN */
	/* From whom the mail came: by XFORWARD, else `ip` and its name. */
	struct str remote_ip, remote_host;
	struct str ret, envid; /* RFC 3461, of MAIL */
};

/* ---- once and only once (RFC 1047) ---- */

enum job_claim_state {
	JOB_CLAIM_GRANTED,  /* nobody knew of it: yours */
	JOB_CLAIM_BUSY,     /* somebody is delivering it at this moment */
	JOB_CLAIM_BROKEN,   /* yours; who had it died: `before` */
	JOB_CLAIM_FINISHED, /* delivered before, and nobody knows that the client
	                     * was told; `outcome` */
	JOB_CLAIM_UNABLE,   /* it cannot be remembered: go on without */
	JOB_CLAIM_FAILED    /* it cannot be asked about, and is not to be
	                     * delivered: `err` */
};

struct job;

struct job_claim {
	struct job *job;
	size_t place;     /* in job->deliveries */
	struct str names; /* of its copies, to be remembered */
	enum job_claim_state state;
	struct str before;            /* BROKEN: the names of that time */
	enum deliver_outcome outcome; /* FINISHED: all but failed */
	const struct err *err;        /* FAILED: temporary */
};

/* The memory of deliveries, one for all jobs that are delivered together.  It
 * knows a job's host by CONTAINER_OF.  What it fills lives in the arena of one of
 * the jobs. */
struct job_memory {
	/* Called once, when all copies are written: what claim() will be called
	 * with, so that the answer can be under way while they are flushed. */
	void (*begin)(struct job_claim *claims, size_t count);
	/* Called once, when all copies are flushed and none has its name.  Some
	 * may have failed meanwhile.  -1: it cannot be asked; none of these may
	 * be delivered. */
	int (*claim)(struct job_claim *claims, size_t count, struct err *err);
	/* Those that were BROKEN and did not get far: they are done anew. */
	int (*claim_again)(
		struct job_claim *claims, size_t count, struct err *err);
	/* All outcomes are final; what failed is to be forgotten, what is half
	 * done is BROKEN for the next one who asks. */
	void (*finish)(struct job *const *jobs, size_t count);
};

/* ---- what was seen before (RFC 7352) ---- */

enum { SEEN_KEY = 32 };

/* Something to be remembered, whatever it means: a digest that has the user in
 * it, and the second of the wall clock at which it is forgotten. */
enum seen_kind { SEEN_DUPLICATE, SEEN_VACATION, SEEN_REDIRECT };

struct seen_mark {
	unsigned char key[SEEN_KEY];
	uint64_t expires_s;
	enum seen_kind kind; /* for those who count */
};

/* The memory of marks.  It knows the job's host by CONTAINER_OF.  An err is for
 * the log: nobody's mail waits for it. */
struct job_seen {
	/* NONE: there is no such mark, or its time is over. */
	enum lookup (*find)(const struct job *job,
		const unsigned char key[SEEN_KEY], struct err *err);
	/* Each takes the place of one with the same key.  All of them or, with an
	 * err, perhaps none. */
	int (*keep)(const struct job *job, const struct seen_mark *marks,
		size_t count, struct err *err);
	/* Keeps one unless it is there, in one step that nothing comes between.
	 * NONE: it was there. */
	enum lookup (*claim)(const struct job *job,
		const struct seen_mark *mark, struct err *err);
};

/* ---- waiting for others ---- */

enum job_wait {
	JOB_WAIT_MAIL,   /* until mail that leaves is taken */
	JOB_WAIT_PROGRAM /* until a program has ended */
};

/* Who decides whether a job may wait for what others do: they may take long, and
 * whoever waits does nothing else.  The job's host is known by CONTAINER_OF. */
struct job_waits {
	/* -1: not now, temporary.  Once more is no more. */
	int (*begin)(
		const struct job *job, enum job_wait what, struct err *err);
	void (*end)(const struct job *job, enum job_wait what);
};

/* What takes time.  Jobs that are delivered together wait together: each is told
 * what its phases took for all of them. */
enum job_phase {
	JOB_PHASE_SIEVE,    /* decide: settings, scripts, the plan */
	JOB_PHASE_QUOTA,    /* take room */
	JOB_PHASE_STORE,    /* write, flush, rename */
	JOB_PHASE_OUTBOUND, /* hand over redirects, run programs */
	JOB_PHASES
};

struct job {
	struct arena *arena; /* all results live here */
	const struct message *message;
	struct address sender;           /* null where nothing names it */
	bool sender_is_known;            /* else no Return-Path is written */
	const char *service;             /* "lda", "lmtp" */
	const char *session;             /* of the transaction */
	const struct job_client *client; /* NULL: no protocol, no Received */
	/* In the whole transaction; 0 = as many as deliveries.  Headers that name
	 * the recipient are written only for a single one (RFC 5321 7.2). */
	size_t recipients;
	/* A script's refusal becomes mail to the sender: nobody reads a reply. */
	bool refuses_by_mail;
	/* What was compiled for earlier jobs (deliver/scriptcache.h); NULL for
	 * one that is alone. */
	struct script_cache *script_cache;
	struct delivery *deliveries;
	size_t count;

	/* clock_monotonic_ms() by which the client will have gone; 0 = none.
	 * Nothing becomes visible after it. */
	uint64_t deadline_ms;
	/* Asked once, before anything becomes visible: has the client gone, or
	 * was the program told to end?  NULL: never. */
	bool (*is_abandoned)(const struct job *job);
	const struct job_memory *memory; /* NULL: none */
	const struct job_seen *seen;     /* NULL: a file in the user's home */
	/* Where programs run that scripts ask for (deliver/programs.h); NULL:
	 * as children of ours. */
	const struct job_programs *programs;
	/* Notices are left with the mailer, which tells the log what became of
	 * them; else they are waited for. */
	bool leaves_notices;
	const struct job_waits *waits; /* NULL: it always may */
	/* Several files of a batch are flushed at the same time; NULL: one after
	 * the other. */
	struct flush_crew *flush_crew;
	/* Called once, when all its outcomes are final, while others that were
	 * begun with it may still be at work.  NULL: nobody waits. */
	void (*settled)(struct job *job);

	/* For those who count: what the phases took, and how many scripts were
	 * in error. */
	uint64_t phases_us[JOB_PHASES];
	size_t script_errors;

	struct job_work *work;
};

/* Fills outcome and err of every delivery that is pending.  What was filed is in
 * the log then; how a delivery ended is told by deliver_report(), which settled()
 * does before the client knows. */
void deliver_job(struct job *job);

/* The same for jobs of one uid that came in together; they have the same memory,
 * all arenas live until it returns.  Each flush of the disk is for all of them.
 * One that may wait for somebody (a lock, a program) or has very many recipients is
 * done when the others are settled; so is one whose scripts have asked for what
 * another one of them marks (RFC 7352), or for programs: it is decided anew then. */
void deliver_jobs(struct job *const *jobs, size_t count);

/* Whether the recipient could take a message of `size` bytes (0: not told), before
 * there is one: job->message is NULL.  Touches no mailbox.
 * Errors: ERR_TOO_BIG 5.2.3; 4.3.5 for a mail location that cannot be. */
MUST_USE int deliver_check(struct job *job, struct delivery *delivery,
	uint64_t size, struct err *err);

/* No message follows a check: the room that it has promised is free again. */
MUST_USE int deliver_withdraw(
	struct job *job, struct delivery *delivery, struct err *err);

/* The log lines of deliveries that failed or had no copy. */
void deliver_report(struct job *job);

#endif
