/* sieve - scripts in, lists of actions out (RFC 5228)
 *
 *   text --lex--> tokens --parse--> tree --check--> meaning --emit--> program
 *   program + host (host.h) --evaluate--> actions
 *
 * Does no I/O and never ends the process: limits are answered by an error in the
 * report, and a script in error means keep (RFC 5228 2.10.6).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_SIEVE_H
#define SIEVE_SIEVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"
#include "mail/content.h"
#include "mail/edited.h"
#include "sieve/host.h"

/* How a scanner's result is read from the header (spamvirus.c); NULL and "": not
 * given. */
struct sieve_scan_settings {
	const char *status_header; /* NAME or "NAME: PATTERN"; none: no test */
	enum { SIEVE_SCAN_SCORE, SIEVE_SCAN_STRLEN, SIEVE_SCAN_TEXT } type;
	const char *max_value;       /* a decimal number */
	const char *max_header;      /* as status_header */
	const char *text_values[11]; /* what stands for 0 (no test) to 10 */
};

/* When and how `vacation` answers (RFC 5230, RFC 6131). */
struct sieve_vacation_settings {
	uint64_t default_s; /* without :days and :seconds; 7 days */
	uint64_t min_s;     /* instead of shorter times; 1 day */
	uint64_t max_s;     /* instead of longer ones; 60 days */
	bool has_no_min;    /* every message may be answered */
	/* Also when the message names none of the user's addresses. */
	bool answers_implicit;
	/* The envelope's original recipient is one of these. */
	bool knows_original;
	/* To is the sender that the header names. */
	bool ignores_envelope;
	const char *subject;  /* where there is none; "Automated reply" */
	const char *template; /* else: "Auto: %$", %$ is the original's */
};

/* Zero means the default that stands behind each.  A new one has a line in
 * sieve_settings_are_same(), too. */
struct sieve_settings {
	uint64_t max_script_size;  /* bytes; 1 MiB */
	size_t max_actions;        /* per run; 32 */
	size_t max_redirects;      /* per run; 4 */
	bool redirects_prohibited; /* sieve_max_redirects = 0 */
	size_t max_nesting;        /* blocks and tests, each; 32 */
	size_t max_errors;         /* reported per compilation; 30 */
	size_t max_string;         /* bytes of a literal; 1 MiB */
	size_t max_variable_size;  /* bytes of a variable's value; 16 KiB, cut:
	                            * RFC 5229 6 asks for 4000 characters */
	size_t max_variables;      /* per script; 255 */
	size_t max_mime_parts; /* of a message, that are told apart; 10,000 */
	size_t max_mime_depth; /* parts within parts; 100 */
	uint64_t max_steps;    /* instructions and comparisons; 1,000,000 */
	uint64_t max_memory;   /* bytes an evaluation may use; 64 MiB */
	uint64_t duplicate_default_s; /* without :seconds; 12 hours */
	uint64_t duplicate_max_s;     /* instead of longer ones; 7 days */
	struct sieve_vacation_settings vacation;
	size_t max_includes; /* scripts that one may include, in all; 255 */
	size_t max_include_depth;    /* within each other; 10 */
	size_t max_programs;         /* that a run may run, in all; 10 */
	uint64_t max_program_output; /* bytes of each; 32 MiB */
	size_t max_header_size;      /* bytes of a value for addheader; 2048 */
	/* Names of fields between blanks that editheader leaves alone: neither
	 * added nor deleted, not added, not deleted. */
	const char *protected_headers;
	const char *no_add_headers, *no_delete_headers;

	size_t max_notifications;      /* per run; 10 */
	bool notifications_prohibited; /* sieve_notify_max_notifications = 0 */
	size_t max_notify_recipients;  /* of one mailto URI; 8 */
	size_t max_notify_headers;     /* of one mailto URI; 16 */

	struct sieve_scan_settings spam, virus;
	const char *delimiters; /* set, for :user and :detail; "+" */
	const char *extensions; /* sieve_extensions: names, or "+name -name"
	                            * against all; NULL or "" = all */
	/* sieve_global_extensions, in the same form: only for the admin's scripts,
	 * and for these whatever `extensions` says. */
	const char *global_extensions;
	bool is_global; /* the script is one of the admin's */
	/* For test runners only: vnd.dovecot.testsuite may be required, and
	 * this is ${tst.path}.  NULL: there is no such capability. */
	const char *testsuite_path;
};

/* Do they say the same, every one of them? */
bool sieve_settings_are_same(
	const struct sieve_settings *a, const struct sieve_settings *b);

struct sieve_problem {
	const char *script;    /* name as given to sieve_compile() */
	unsigned line, column; /* from 1; column counts code points */
	bool is_warning;
	bool is_note;   /* no warning either: what a script wants told */
	bool is_syntax; /* the script could not be read, not only understood */
	const char *text; /* without position, no line end */
};

/* "error", "warning" or "info" */
const char *sieve_problem_word(const struct sieve_problem *problem);

/* Collects problems; everything in it lives in its arena. */
struct sieve_report {
	struct arena *arena;
	struct sieve_problem *problems;
	size_t count, size;
	size_t errors;
	bool is_full; /* max_errors were reached, more were dropped */
};
void sieve_report_init(struct sieve_report *report, struct arena *arena);

struct sieve_program;

/* Compiles `text`.  On an error: -1, and the report holds at least one error;
 * compilation goes on after the first so that several are shown.  The program
 * lives in the arena and borrows nothing from `text`. */
MUST_USE int sieve_compile(struct arena *arena,
	const struct sieve_settings *settings, const char *script,
	struct str text, struct sieve_program **program_out,
	struct sieve_report *report);

/* ---- scripts that include others (RFC 6609) ---- */

enum sieve_location { SIEVE_PERSONAL, SIEVE_GLOBAL };

struct sieve_loaded {
	struct str text;
	const char *script;   /* its name in reports; of a missing one: where it
	                       * should be, NULL: there is no place for it */
	const char *identity; /* equal for one script, whatever led to it */
};

/* First member of the loading side's own struct. */
struct sieve_loader {
	const struct sieve_loader_ops *ops;
	const char
		*identity; /* of the script that is compiled; NULL: unknown */
};
struct sieve_loader_ops {
	/* `name` is safe to be a file's: without slash, control characters and a
	 * dot at its beginning.  What is loaded lives as long as the arena.
	 * LOOKUP_NONE: there is no such script.  LOOKUP_ERROR: temporary. */
	enum lookup (*load)(struct sieve_loader *loader, struct arena *arena,
		enum sieve_location location, struct str name,
		struct sieve_loaded *loaded_out, struct err *err);
};

/* The same program under the name of a script that has the same text.  Lives in
 * the arena, but only as long as the program does; only for one that includes no
 * others. */
struct sieve_program *sieve_program_named(
	struct arena *arena, struct sieve_program *program, const char *script);

enum sieve_action_kind {
	SIEVE_KEEP,
	SIEVE_FILEINTO,
	SIEVE_DISCARD,
	SIEVE_REDIRECT,
	SIEVE_REJECT,
	SIEVE_PIPE,
	SIEVE_VACATION,
	SIEVE_NOTIFY,
	SIEVE_REPORT
};

struct sieve_flags {
	const struct str
		*items; /* as written: \Seen, $Forwarded; no duplicates */
	size_t count;
};

/* An answer that the script and the message ask for.  Whether the same was sent
 * not long ago has been looked up (sieve_host_ops.duplicate_seen); other deliveries
 * that run at the same time may have found the same. */
struct sieve_vacation {
	struct str recipient; /* the envelope's sender, checked */
	struct str to;        /* header lists: who is answered, and by whom */
	struct str from;
	struct str user;    /* the user's own address; empty: not known */
	struct str subject; /* UTF-8, one line */
	struct str reason;
	bool is_mime; /* `reason` is an entity (RFC 2045 2.4) */
	/* Not the same again (RFC 5230 4.2); seconds 0: always. */
	unsigned char key[SIEVE_MARK_KEY];
	uint64_t seconds;
};

/* RFC 5435 3 */
struct sieve_notify {
	struct str method; /* a mailto URI that can be read */
	struct str from;   /* one address, perhaps with a name; empty: none */
	struct str message;
	bool has_message;
	char importance; /* '1', '2' or '3' */
};

/* vnd.dovecot.report */
struct sieve_abuse {
	struct str type; /* "abuse", "fraud" ...: a token */
	struct str text; /* for people */
	struct str address;
	bool headers_only;
};

struct sieve_action {
	enum sieve_action_kind kind;
	/* The message as it was when the action ran (RFC 5293 7); NULL: as it
	 * came.  Lives in the result's arena. */
	const struct content *content;
	const char *script; /* where in which script */
	unsigned line, column;
	unsigned rule; /* line of the if, elsif or else around it; 0: none */
	const struct sieve_vacation *vacation; /* SIEVE_VACATION */
	const struct sieve_notify *notify;     /* SIEVE_NOTIFY */
	const struct sieve_abuse *abuse;       /* SIEVE_REPORT */
	union {
		struct {
			struct sieve_flags flags;
		} keep;
		/* Of SIEVE_VACATION and SIEVE_NOTIFY: where a copy of what is
		 * sent goes (RFC 8580); without a mailbox: nowhere. */
		struct {
			struct str mailbox; /* UTF-8, as the script wrote it */
			struct sieve_flags flags;
			bool create; /* :create */
			bool copy;   /* :copy; the implicit keep stays */
		} fileinto;
		struct {
			struct str address; /* checked, local@domain */
			bool copy;
			/* RFC 6009: as the next server is asked for them;
			 * empty: not at all. */
			struct str notify; /* "NEVER", "SUCCESS,DELAY" */
			struct str ret;    /* "FULL", "HDRS" */
			struct sieve_deliver_by {
				bool is_set;
				int64_t seconds; /* from now; may be over */
				bool returns;    /* else: notifies */
				bool traces;
			} by;
		} redirect;
		struct {
			struct str reason; /* as the script wrote it */
			bool by_protocol;  /* ereject */
		} reject;
		struct {
			struct str program; /* checked, without "/" */
			const struct str *arguments;
			size_t argument_count;
			bool copy;
			bool is_try; /* :try; its failure is no error */
		} pipe;
	};
};

/* What a script wants to be remembered once the delivery has succeeded, and what
 * the memory said when it was asked: that stays the answer for all scripts of the
 * sequence (RFC 7352 3). */
struct sieve_mark {
	unsigned char key[SIEVE_MARK_KEY];
	/* What it is of, for those who count. */
	enum sieve_mark_kind {
		SIEVE_MARK_DUPLICATE,
		SIEVE_MARK_VACATION,
		SIEVE_MARK_REDIRECT
	} kind;
	bool was_seen;
	uint64_t seconds; /* how long, from then on; 0: nothing to remember */
};

/* What one or more scripts in sequence want.  Zero it, give it the arena. */
struct sieve_result {
	struct arena *arena;
	struct sieve_action *actions; /* in order of execution, keep included */
	size_t count, size;
	struct sieve_mark *marks; /* nobody keeps them when a script failed */
	size_t mark_count, mark_size;
	/* After a run: is the implicit or an explicit keep in effect?  The next
	 * script of a sequence runs only then. */
	bool keep_in_effect;
	/* After a run: the implicit keep was not cancelled, so one more copy goes
	 * to the default mailbox, with these flags (imap4flags' internal variable,
	 * handed on to the next script of a sequence). */
	bool implicit_keep;
	struct sieve_flags flags;
	/* vnd.cyrus.implicit_keep_target: where that copy goes instead; empty: to
	 * the default mailbox. */
	struct str keep_target;
	bool keep_target_create;
	/* The message as scripts have left it, for the implicit keep and the next
	 * script; NULL: as it came. */
	const struct content *content;
	struct edited *edited; /* the engine's own */
	bool has_answered; /* in this run vacation was tried, whatever came of
	                    * it; the engine's own */
};

/* The same as sieve_compile(), for a script that may include others: they become
 * parts of its program.  `loader` NULL: there are none.
 * SIEVE_TEMPORARY: a script could not be loaded; `err` says why. */
MUST_USE enum sieve_status sieve_compile_all(struct arena *arena,
	const struct sieve_settings *settings, struct sieve_loader *loader,
	const char *script, struct str text, struct sieve_program **program_out,
	struct sieve_report *report, struct err *err);

/* Runs the program against the host's message and appends its actions. */
MUST_USE enum sieve_status sieve_run(const struct sieve_program *program,
	const struct sieve_settings *settings, struct sieve_host *host,
	struct sieve_result *result, struct sieve_report *report,
	struct err *err);

/* One line for people and tests, the form of `doorstep sieve test`:
 *   fileinto "Lists" flags="\\Seen"
 *   keep
 *   redirect "x@y"
 *   discard
 *   reject "I take no mail from you"
 *   notify "mailto:a@b" message="New mail" importance="1"
 *   report "abuse" "abuse@example.org" message="Spam"
 * Strings are quoted as Sieve quotes them; several flags are joined by one
 * blank, and so are the lines of a text. */
struct str sieve_action_text(
	struct arena *arena, const struct sieve_action *action);

/* The implicit keep as an action: SIEVE_KEEP, or SIEVE_FILEINTO where a script
 * has chosen another mailbox. */
struct sieve_action sieve_implicit_keep(const struct sieve_result *result);

/* The value of BY= (RFC 2852 4) for redirect's `by`: "120;NT"; empty when that is
 * not set.  Lives in the arena. */
struct str sieve_deliver_by_text(
	struct arena *arena, const struct sieve_deliver_by *by);

/* The tags that do not change what is done with the message: "", " :copy",
 * " :create" or " :copy :create". */
const char *sieve_action_tags(const struct sieve_action *action);

/* One line for people, without a line end:
 *   5:12: header "hello" :contains "ell": true
 *   6:4: fileinto "Lists"
 * Control characters of values are replaced. */
struct str sieve_trace_text(
	struct arena *arena, const struct sieve_trace_event *event);

/* The form in which names of external lists are compared (RFC 6134 2.5): an
 * abbreviation is spelled out, the scheme and a URN's namespace are lower case.
 * Lives in the arena.  An empty one for what is no URI. */
struct str sieve_list_name(struct arena *arena, struct str name);

/* The capabilities this engine has, in the order they are announced. */
const char *const *sieve_capabilities(size_t *count_out);

/* May a script require this one of them under these settings? */
bool sieve_offers(const struct sieve_settings *settings, struct str capability);

#endif
