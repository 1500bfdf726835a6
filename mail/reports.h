/* reports - multipart/report: what became of a message (RFC 6522)
 *
 *   1  text/plain                        for people
 *   2  message/disposition-notification  for programs (RFC 8098),
 *      message/delivery-status           or that (RFC 3464),
 *      message/feedback-report           or that (RFC 5965)
 *   3  text/rfc822-headers               the header of the message, or
 *      message/rfc822                    all of it
 *
 * Values go into fields on one line, whatever is in them; addresses that are not
 * ASCII are written as RFC 6533 3 has it for programs that read only ASCII.
 * All of it lives in the arena.  Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MAIL_REPORTS_H
#define MAIL_REPORTS_H

#include "base/arena.h"
#include "base/str.h"
#include "mail/content.h"
#include "mail/message.h"

/* Empty ones are not known. */
struct report_about {
	const struct message *original;
	struct str id;                 /* of the report: letter_id() */
	struct str host;               /* ours */
	struct str text;               /* for people; UTF-8 */
	struct str orcpt;              /* "rfc822;amy@example.org" (RFC 3461) */
	struct str original_recipient; /* where there is no orcpt */
	struct str final_recipient;
	struct str envid; /* RFC 3461 4.4, decoded */
};

/* The message was deleted by a script without being shown (RFC 5429 2.2.1). */
const struct content *report_disposition(
	struct arena *arena, const struct report_about *about);

/* It was not delivered: action "failed", with this status (RFC 3464 2.3.4). */
const struct content *report_failed_delivery(struct arena *arena,
	const struct report_about *about, struct str status);

/* It was: action "delivered".  With the header alone, whatever RET was (RFC 3461
 * 4.3); the original recipient is that of ORCPT or none (RFC 3464 2.3.1). */
const struct content *report_delivery(
	struct arena *arena, const struct report_about *about);

/* RFC 5965 3.2; the whole message is its third part. */
struct report_feedback {
	struct str type;    /* "abuse", "fraud", "virus", "other" ... */
	struct str product; /* "Doorstep/0.2.0" */
	struct str sender;  /* envelope; "" is the null one */
	struct str source_ip;
	struct str arrival; /* date_text() */
};
const struct content *report_abuse(struct arena *arena,
	const struct report_about *about,
	const struct report_feedback *feedback, bool headers_only);

#endif
