/* SPDX-License-Identifier: MIT */
#include "deliver/loopcheck.h"

#include "deliver/trace.h"

#include "base/banned.h"

static int
check_delivered_to(const struct message *message, struct str recipient,
	const struct loopcheck_limits *limits, struct err *err)
{
	struct trace_count count = trace_count_delivered_to(message, recipient);

	if (count.all == count.on_top &&
		count.on_top <= limits->own_delivered_to)
		return 0;
	return err_set(err, ERR_REFUSED, "5.4.6",
		"mail forwarding loop for %.*s", STR_ARG(recipient));
}

static int
check_hops(const struct message *message, size_t most, struct err *err)
{
	const struct header_field *field = NULL;
	size_t count = 0;

	while ((field = message_field_next(message, STR("Received"), field)) !=
		NULL)
		if (++count > most)
			return err_set(err, ERR_REFUSED, "5.4.6",
				"Too many hops: more than %zu Received fields",
				most);
	return 0;
}

int
loopcheck_message(const struct message *message, struct str recipient,
	const struct loopcheck_limits *limits, struct err *err)
{
	if (recipient.len > 0 &&
		check_delivered_to(message, recipient, limits, err) < 0)
		return -1;
	return check_hops(message, limits->received, err);
}
