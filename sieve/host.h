/* host - what a script may ask of the world
 *
 * The engine does no I/O.  Whoever runs a script answers these questions: the
 * delivery (deliver/host.c), `doorstep sieve test`, the test runner.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_HOST_H
#define SIEVE_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "mail/address.h"
#include "mail/message.h"

enum sieve_status {
	SIEVE_OK = 0,
	SIEVE_FAILED = -1, /* runtime error, limit: the report says which; keep.
	                      * Actions of this run are taken out of the result */
	SIEVE_TEMPORARY = -2 /* the host is in trouble: `err` says why */
};

enum sieve_envelope_part {
	SIEVE_ENVELOPE_FROM, /* is_null for <> */
	SIEVE_ENVELOPE_TO    /* the original recipient where it is known */
};

/* Parts of the envelope that are no addresses (RFC 6009). */
enum sieve_envelope_text {
	SIEVE_ENVELOPE_RET,    /* FULL, HDRS */
	SIEVE_ENVELOPE_ENVID,  /* decoded */
	SIEVE_ENVELOPE_NOTIFY, /* as given: "SUCCESS,DELAY" */
	SIEVE_ENVELOPE_ORCPT,  /* decoded: "rfc822;amy@example.org" */
	SIEVE_ENVELOPE_BYTIME_ABSOLUTE,
	SIEVE_ENVELOPE_BYTIME_RELATIVE,
	SIEVE_ENVELOPE_BYMODE,
	SIEVE_ENVELOPE_BYTRACE,
	SIEVE_ENVELOPE_AUTH /* who the client has said it is; Pigeonhole's */
};

/* One step of an evaluation, for --trace.  Borrowed during the call. */
struct sieve_trace_event {
	const char *script;
	unsigned line, column;
	enum { SIEVE_TRACE_TEST, SIEVE_TRACE_ACTION, SIEVE_TRACE_COMMAND } kind;
	struct str name;   /* header, address, fileinto ... */
	struct str values; /* what was compared: values, match, keys */
	bool result;       /* of a test */
};

/* Bytes of the key of what is remembered from one delivery to the next: a
 * SHA-256 of all that makes it what it is. */
enum { SIEVE_MARK_KEY = 32 };

/* Is a value in an external list?  (RFC 6134) */
struct sieve_list_question {
	struct str list;   /* in the form of sieve_list_name() */
	struct str value;  /* as the message has it */
	struct str folded; /* as the comparator has it */
	/* What the comparator makes of what stands in the list: the same when it
	 * is the same as `folded`.  Lives in the arena or is `s`; NULL: `s`. */
	struct str (*fold)(struct arena *arena, struct str s);
};

struct content;

/* A program of the admin's that a script wants to be run now. */
enum sieve_external_kind {
	SIEVE_EXTERNAL_FILTER,  /* vnd.dovecot.filter */
	SIEVE_EXTERNAL_EXECUTE, /* vnd.dovecot.execute */
	SIEVE_EXTERNAL_CONVERT /* RFC 6558; the arguments are the two media types
	                         * and the parameters, which choose the program */
};
enum sieve_external_end {
	SIEVE_EXTERNAL_DONE,      /* with success */
	SIEVE_EXTERNAL_FAILED,    /* it ended otherwise, or was ended */
	SIEVE_EXTERNAL_IMPOSSIBLE /* there is no such program, or no running it */
};
struct sieve_external {
	enum sieve_external_kind kind;
	struct str name; /* without "/"; of CONVERT empty */
	const struct str *arguments;
	size_t argument_count;
	const struct content *content; /* its input: the message; NULL: */
	struct str input;
	bool wants_output;
	uint64_t most;       /* bytes of output */
	struct arena *arena; /* for what follows */

	/* What the host says: */
	enum sieve_external_end end;
	struct str output;   /* of DONE, if wanted */
	const char *problem; /* for the script's owner: why not DONE */
};

struct sieve_host;
struct testsuite_request;

struct sieve_host_ops {
	/* vnd.dovecot.testsuite; sieve/ext/testsuite.h.  NULL: not here. */
	enum sieve_status (*testsuite)(struct sieve_host *host,
		struct testsuite_request *request, struct err *err);

	/* The message that is judged.  Never NULL. */
	const struct message *(*message)(struct sieve_host *host);

	/* False when this part is not known (test is then false). */
	bool (*envelope)(struct sieve_host *host, enum sieve_envelope_part part,
		struct address *address_out);

	/* False when the client did not give this.  NULL: it never does. */
	bool (*envelope_text)(struct sieve_host *host,
		enum sieve_envelope_text part, struct str *value_out);

	/* mailbox extension (RFC 5490 3.1).  LOOKUP_ERROR makes the run end as
	 * SIEVE_TEMPORARY. */
	enum lookup (*mailbox_exists)(
		struct sieve_host *host, struct str mailbox, struct err *err);

	/* special-use (RFC 8579), `use` is "\\Junk" and the like.  Without a mailbox:
	 * which one that can be delivered to has it, in memory that lives as long
	 * as the run.  With one: whether that has it.  May be NULL: none has. */
	enum lookup (*special_use)(struct sieve_host *host,
		const struct str *mailbox, struct str use,
		struct str *mailbox_out, struct err *err);

	/* mailboxid (RFC 9042): the name of the mailbox with this id, the same.
	 * May be NULL: ids are not known. */
	enum lookup (*mailbox_by_id)(struct sieve_host *host, struct str id,
		struct str *mailbox_out, struct err *err);

	/* mboxmetadata and servermetadata (RFC 5490): the user's annotation
	 * "/private/..." or "/shared/..." of the mailbox, or of the server when
	 * that is NULL; the value lives as long as the run.  May be NULL. */
	enum lookup (*metadata)(struct sieve_host *host,
		const struct str *mailbox, struct str name,
		struct str *value_out, struct err *err);

	/* Did an earlier delivery to this user keep a mark with this key (struct
	 * sieve_mark), and is its time not over?  A memory that is in trouble has
	 * seen nothing: that must not be said of what was not (RFC 7352 3).  May
	 * be NULL: nothing is remembered. */
	bool (*duplicate_seen)(struct sieve_host *host,
		const unsigned char key[SIEVE_MARK_KEY]);

	/* Answers with external->end.  May be NULL: no programs are run. */
	void (*run_program)(
		struct sieve_host *host, struct sieve_external *external);

	/* date extension (RFC 5260).  Seconds since 1970, asked for once in a run;
	 * NULL: not known, currentdate is false. */
	int64_t (*now)(struct sieve_host *host);
	/* Minutes east of UTC that clocks here show at that moment; NULL: 0. */
	int (*zone)(struct sieve_host *host, int64_t seconds);

	/* environment extension (RFC 5183 4): the value of an item, whose name is
	 * in small letters; of the vendors' items only those of
	 * vnd.dovecot.environment, and only to scripts that require it.  False:
	 * there is no such item.  NULL: there are none. */
	bool (*environment)(struct sieve_host *host, struct str name,
		struct str *value_out);
	/* vnd.cyrus.log: one line for the admin's log.  NULL: there is none. */
	void (*log)(struct sieve_host *host, const char *text);
	/* Is there an external list of this name?  May be NULL: there are none. */
	bool (*list_is_valid)(struct sieve_host *host, struct str list);
	/* NONE also for a list that is not there.  LOOKUP_ERROR makes the run end
	 * as SIEVE_TEMPORARY.  May be NULL: there are none. */
	enum lookup (*list_has)(struct sieve_host *host,
		const struct sieve_list_question *question, struct err *err);
	/* All that is in it, for redirect :list; they live as long as the run.
	 * May be NULL: no list can be read as a whole. */
	enum lookup (*list_values)(struct sieve_host *host, struct str list,
		const struct str **values_out, size_t *count_out,
		struct err *err);

	/* The address of who runs the script, for messages that it makes.  False
	 * when it is not known, or NULL: the envelope's recipient stands for
	 * it. */
	bool (*user_address)(
		struct sieve_host *host, struct address *address_out);

	/* A further address of that person (RFC 5230 4.5): the one with this
	 * index, from 0 on; false behind the last one.  NULL: there are none. */
	bool (*user_alias)(
		struct sieve_host *host, size_t index, struct str *address_out);

	/* May be NULL: nobody wants to see it. */
	void (*trace)(
		struct sieve_host *host, const struct sieve_trace_event *event);
};

/* First member of the answering side's own struct. */
struct sieve_host {
	const struct sieve_host_ops *ops;
};

#endif
