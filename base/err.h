/* err - why something failed, in the terms of mail
 *
 * Filled where the cause is known, carried unchanged to the reply or the exit
 * status, logged once at the top.  A function that can fail returns 0 or -1
 * with `err` filled, or enum lookup when "not there" is a good answer.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/attributes.h"

enum err_kind {
	ERR_NONE,
	ERR_TEMPORARY,  /* try again; the answer to every doubt */
	ERR_REFUSED,    /* the script or a rule refuses this message */
	ERR_NO_USER,    /* the user database says: nobody of that name */
	ERR_OVER_QUOTA, /* the mailbox is full */
	ERR_TOO_BIG,    /* no mailbox of this system takes such a message */
	ERR_USAGE       /* the program was called in a wrong way */
};

struct err {
	enum err_kind kind;
	char status[12];  /* RFC 3463, for example "4.2.2" */
	char text[2048];  /* UTF-8, may be several lines, safe for a peer */
	char detail[512]; /* for our log only: paths, errno text */
};

enum lookup { LOOKUP_ERROR = -1, LOOKUP_NONE = 0, LOOKUP_FOUND = 1 };

/* Each returns -1, so that a caller can write `return err_temp(...)`. */
int err_set(struct err *err, enum err_kind kind, const char *status,
	const char *text_format, ...) PRINTF_LIKE(4, 5);

/* Temporary; the peer reads only Dovecot's general sentence, the log reads the
 * detail. */
int err_temp(struct err *err, const char *status, const char *detail_format,
	...) PRINTF_LIKE(3, 4);

/* The same with ": " and the text of errno at the end of the detail. */
int err_temp_errno(struct err *err, const char *status,
	const char *detail_format, ...) PRINTF_LIKE(3, 4);

/* Adds the detail to an err that has a text already. */
int err_detail(struct err *err, const char *detail_format, ...)
	PRINTF_LIKE(2, 3);

void err_clear(struct err *err);

/* For a peer that may know causes (lmtp_verbose_replies): the detail of what is
 * temporary becomes the text. */
void err_tell(struct err *err);

/* What the log should say: the detail, or the text where there is none. */
const char *err_log_text(const struct err *err);

#define ERR_INTERNAL_TEXT                                                      \
	"Internal error occurred. Refer to server log for more information."

#endif
