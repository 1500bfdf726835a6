/* command - one line of a client, taken apart (RFC 5321 4.1, RFC 2033)
 *
 * Each parser returns NULL, or the reply that refuses the line ("501 5.5.4 Invalid
 * parameters"), which lives in the arena or for ever.  Texts are Dovecot's where
 * it has them.  Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LMTP_COMMAND_H
#define LMTP_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/str.h"
#include "mail/address.h"

enum command_verb {
	COMMAND_LHLO,
	COMMAND_MAIL,
	COMMAND_RCPT,
	COMMAND_DATA,
	COMMAND_RSET,
	COMMAND_NOOP,
	COMMAND_QUIT,
	COMMAND_VRFY,
	COMMAND_STARTTLS,
	COMMAND_AUTH,
	COMMAND_XCLIENT,
	COMMAND_XFORWARD,
	COMMAND_BDAT,
	COMMAND_UNKNOWN,  /* a word that is none of these; EHLO and HELO too */
	COMMAND_INVALID,  /* no word, or control characters */
	COMMAND_TOO_LONG, /* lmtp_max_line_length; nothing of it is kept */
	COMMAND_VERBS
};

struct command {
	enum command_verb verb;
	struct str arguments; /* without blanks at the end */
};

/* `line` is without its end. */
struct command command_parse(struct str line);
/* "MAIL", "RCPT" ...; "" for what is none of ours. */
const char *command_name(enum command_verb verb);

/* lmtp_client_workarounds */
struct command_workarounds {
	bool whitespace;  /* MAIL FROM: <amy@c> */
	bool mailbox;     /* MAIL FROM:amy@c */
	bool dsn;         /* lmtp_dsn: RET, ENVID and NOTIFY are taken */
	bool ignorequota; /* of a trusted peer */
};

struct command_mail {
	struct address sender; /* null as well for what is broken */
	uint64_t size;         /* 0 = not told */
	struct str ret;   /* FULL, HDRS; empty: not told, as the next one */
	struct str envid; /* decoded */
	bool is_utf8;
};
const char *command_parse_mail(struct arena *arena, struct str arguments,
	const struct command_workarounds *workarounds,
	struct command_mail *mail_out) MUST_USE;

struct command_rcpt {
	struct address address; /* postmaster and others without domain too */
	struct str original;    /* ORCPT, decoded; empty: none, or no mail
	                         * address */
	struct str orcpt; /* the same with its type: "rfc822;amy@example.org" */
	struct str notify;  /* "NEVER", "SUCCESS,DELAY"; empty: not told */
	bool ignores_quota; /* IGNOREQUOTA, as of Cyrus */
};
/* `is_utf8`: the transaction has SMTPUTF8. */
const char *command_parse_rcpt(struct arena *arena, struct str arguments,
	const struct command_workarounds *workarounds, bool is_utf8,
	struct command_rcpt *rcpt_out) MUST_USE;

/* RFC 3030 2.  False: not a chunk; what follows the line cannot be told then. */
bool command_parse_bdat(
	struct str arguments, uint64_t *size_out, bool *is_last_out) MUST_USE;

/* RSET, QUIT, DATA, STARTTLS: nothing may follow. */
const char *command_parse_nothing(struct str arguments) MUST_USE;
/* NOOP (nothing is fine), VRFY: an atom or a quoted string; any words that open no
 * quote are taken. */
const char *command_parse_string(
	struct str arguments, bool is_required) MUST_USE;

/* RFC 3461 4: +XX stands for a byte.  -1 for what is not xtext. */
MUST_USE int command_decode_xtext(
	struct arena *arena, struct str text, struct str *bytes_out);
/* RFC 6533 3: \x{HEX} stands for a code point. */
MUST_USE int command_decode_unitext(
	struct arena *arena, struct str text, struct str *text_out);

/* A domain or address literal, not more than 255 bytes. */
bool command_is_domain(struct str name);

#endif
