/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "outbound/reply.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is kept is bounded, printable and one line; a reply ends. */
static void
check(const struct reply *reply)
{
	size_t i;

	if (reply->text_len > REPLY_TEXT_MAX ||
		strlen(reply->text) != reply->text_len ||
		reply->lines > REPLY_LINES_MAX ||
		!utf8_is_valid(str_from(reply->text)))
		abort();
	for (i = 0; i < reply->text_len; i++)
		if ((unsigned char)reply->text[i] < ' ')
			abort();
}

static void
check_err(const struct reply *reply)
{
	struct err err;

	if (reply_err(reply, "mx.example", "RCPT TO", &err) != -1 ||
		(err.kind == ERR_REFUSED) != (reply->code >= 500) ||
		err.status[0] != (reply->code >= 500 ? '5' : '4'))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = str_of((const char *)data, size), line;
	struct reply_offers offers = {0};
	struct reply reply;
	enum reply_step step;

	reply_begin(&reply);
	while (str_next_field(&rest, '\n', &line)) {
		step = reply_line(&reply, line);
		check(&reply);
		if (step == REPLY_BROKEN)
			return 0;
		reply_offer(&offers, line);
		if (step == REPLY_MORE)
			continue;
		check_err(&reply);
		reply_begin(&reply);
	}
	return 0;
}
