/* outbound - mail that leaves this host
 *
 * No queue of our own: a message is handed to something that has one, and it has
 * left when that accepted it.  Who hands it over:
 *
 *   a mailer    the server's process of that kind, by its socket (mailer.c):
 *               it holds the connections and the passwords
 *   we          sendmail_path, where no server runs (sendmail.c)
 *   a helper    doorstep-submit, where no server runs and mail goes by SMTP: the
 *               program that delivers links no TLS
 *
 * Blocks, never much longer than the time-out.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OUTBOUND_OUTBOUND_H
#define OUTBOUND_OUTBOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"
#include "mail/content.h"

enum {
	OUTBOUND_MARK = 32, /* bytes */
	OUTBOUND_MARKS = 2  /* of a recipient */
};

enum outbound_tls {
	OUTBOUND_CLEAR,
	OUTBOUND_STARTTLS, /* required, not tried */
	OUTBOUND_IMPLICIT
};

/* Read only by who needs it, when it does. */
struct outbound_secret {
	struct str text;
	const char *path; /* of a file in place of the text; NULL: none */
};

/* Another host that takes mail. */
struct outbound_relay {
	const char *host; /* HOST, HOST:PORT, [IPv6]:PORT or /SOCKET; empty or
	                   * NULL: sendmail_path */
	bool is_lmtp;
	enum outbound_tls tls;
	bool verify; /* its certificate */
	const char *ca_file, *ca_dir;
	const char *user; /* empty: no SASL */
	struct outbound_secret password;
	const char *name; /* ours, in EHLO */
};

/* Sender rewriting, so that what is forwarded passes SPF. */
struct outbound_srs {
	const char *domain;             /* empty or NULL: off */
	struct outbound_secret secrets; /* one a line; the first one signs */
};

struct outbound_settings {
	const char *sendmail_path; /* program and arguments, split at blanks */
	bool sendmail_dsn;   /* it knows -N, -R and -V; Exim's -N loses mail */
	uint64_t timeout_ms; /* for the whole hand-over; 30 s */
	/* Where a mailer listens: below base_dir it is used where one is there,
	 * an absolute path (or "@NAME", an abstract one) is the only way.  Empty
	 * or NULL: there is none. */
	const char *mailer;
	const char *base_dir;
	const char *libexec_dir; /* of doorstep-submit */
	const char *temp_folder; /* for a message too long for memory */
	struct outbound_relay relay;
	struct outbound_srs srs;
};

/* What a sender may ask of the next hosts; empty: nothing is asked. */
struct outbound_wishes {
	struct str notify; /* NOTIFY=: "NEVER", "SUCCESS,FAILURE" (RFC 3461) */
	struct str ret;    /* RET=: "FULL", "HDRS" */
	struct str envid;  /* ENVID=, decoded */
	struct str orcpt;  /* ORCPT=: "rfc822;amy@example.org", decoded */
	struct str by;     /* BY=: "120;NT" (RFC 2852) */
};

/* Who hands mail over and does not wait for what becomes of it: the mailer tells the
 * log. */
struct outbound_notice {
	struct str what;          /* "vacation response" */
	struct str user, session; /* whose delivery it tells of */
	/* Kept in state for it, and of no use when it does not leave. */
	bool has_mark;
	unsigned char mark[OUTBOUND_MARK];
};

/* A mark that is kept in state as soon as a recipient has got it: who asks may not
 * live to keep it. */
struct outbound_mark {
	unsigned char key[OUTBOUND_MARK];
	uint64_t expires_s; /* wall clock; 0: it is not wanted */
};

struct outbound_mail {
	struct str sender;            /* local@domain; empty: the null sender */
	const struct str *recipients; /* local@domain each */
	size_t count;
	const struct content *content;
	struct outbound_wishes wishes;
	bool is_forwarded; /* the sender is somebody else's: SRS */
	const struct outbound_notice *notice; /* NULL: it is waited for */
	/* OUTBOUND_MARKS for each recipient, for a mailer of the server; NULL:
	 * none. */
	const struct outbound_mark *marks;
};

/* Puts the files' text in place of their paths; it lives in the arena.  -1: 4.3.5,
 * one cannot be read. */
MUST_USE int outbound_read_secrets(struct arena *arena,
	struct outbound_settings *settings, struct err *err);

/* Hands it over, to all recipients or to none of them as far as the program keeps
 * to that.  Of what the null sender sends no notification is wanted (RFC 3464 2).
 * Errors: temporary; 4.3.0 with what the program said, how it ended and whether it left some of the message unread, 4.3.5 nothing is set, 4.4.2
 * time-out.  ERR_REFUSED: a relay will never take it. */
MUST_USE int outbound_submit(const struct outbound_settings *settings,
	const struct outbound_mail *mail, struct err *err);

/* Leaves `mail`, which has a notice, with the mailer and does not wait.  NONE: there
 * is no mailer, and the settings allow that.  ERROR: 4.3.0, 4.3.1; some of the
 * recipients may get it all the same. */
MUST_USE enum lookup outbound_leave(const struct outbound_settings *settings,
	const struct outbound_mail *mail, struct err *err);

/* The same in two steps, so that several can be under way.  The mail, and what it
 * points to, lives until the end. */
struct outbound_pending;
struct outbound_pending *outbound_begin(struct arena *arena,
	const struct outbound_settings *settings,
	const struct outbound_mail *mail);
/* Waits.  One result for each recipient, in order; they live in the arena.
 * ERR_NONE: it has left. */
const struct err *outbound_finish(struct outbound_pending *pending);

#endif
