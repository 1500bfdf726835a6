/* request - one request of Postfix's policy delegation
 *
 *   request=smtpd_access_policy
 *   protocol_state=RCPT
 *   recipient=amy@example.org
 *   size=12345
 *   (an empty line)
 *
 * in any order, with much else that is not looked at.  Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef POLICY_REQUEST_H
#define POLICY_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct policy_request {
	bool is_question;     /* else the answer is DUNNO */
	struct str recipient; /* borrowed */
	uint64_t size;        /* 0: not told */
};

/* Takes the first whole request off the input; false: there is none. */
bool policy_next_request(struct str *input, struct str *text_out);

/* It is a question at RCPT, at END-OF-MESSAGE, or without a state, about one
 * recipient. */
void policy_read_request(struct str text, struct policy_request *request_out);

#endif
