/* SPDX-License-Identifier: MIT */
#include "outbound/smtp.h"

#include "base/banned.h"

/* RFC 2033 4.2: in the order of RCPT, for those that were accepted.  Who was not
 * has a result already. */
int
lmtp_read_results(struct smtp *smtp, const struct outbound_mail *mail,
	struct err *results, struct err *err)
{
	size_t i;

	for (i = 0; i < mail->count; i++) {
		struct reply reply;

		if (results[i].kind != ERR_NONE)
			continue;
		if (dialog_reply(&smtp->dialog, &reply, NULL, err) < 0) {
			/* The ones before have their message. */
			for (; i < mail->count; i++)
				if (results[i].kind == ERR_NONE)
					results[i] = *err;
			return -1;
		}
		if (!reply_is_good(&reply))
			(void)reply_err(&reply, smtp->dialog.host,
				"the message", &results[i]);
	}
	return 0;
}
