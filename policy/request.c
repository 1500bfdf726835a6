/* SPDX-License-Identifier: MIT */
#include "policy/request.h"

#include "base/number.h"

#include "base/banned.h"

static struct str
next_line(struct str *rest)
{
	size_t end = str_find_char(*rest, '\n');
	struct str line = str_slice(*rest, 0, end);

	*rest = str_skip(*rest, end + 1);
	if (str_ends(line, STR("\r")))
		line.len--;
	return line;
}

bool
policy_next_request(struct str *input, struct str *text_out)
{
	struct str rest = *input, before;

	while (rest.len > 0) {
		before = rest;
		if (str_find_char(rest, '\n') == rest.len)
			return false;
		if (next_line(&rest).len > 0)
			continue;
		*text_out = str_slice(
			*input, 0, (size_t)(before.data - input->data));
		*input = rest;
		return true;
	}
	return false;
}

static bool
is_time_to_ask(struct str state)
{
	return state.len == 0 || str_is(state, "RCPT") ||
	       str_is(state, "END-OF-MESSAGE");
}

void
policy_read_request(struct str text, struct policy_request *request_out)
{
	struct str kind = STR("smtpd_access_policy"), state = STR_EMPTY;

	*request_out = (struct policy_request){.recipient = STR_EMPTY};
	while (text.len > 0) {
		struct str line = next_line(&text);
		size_t equals = str_find_char(line, '=');
		struct str name = str_slice(line, 0, equals);
		struct str value = str_skip(line, equals + 1);

		if (equals == line.len)
			continue;
		if (str_is(name, "request"))
			kind = value;
		else if (str_is(name, "protocol_state"))
			state = value;
		else if (str_is(name, "recipient"))
			request_out->recipient = value;
		else if (str_is(name, "size") &&
			 number_parse(value, &request_out->size) < 0)
			request_out->size = 0;
	}
	request_out->is_question = request_out->recipient.len > 0 &&
	                           is_time_to_ask(state) &&
	                           str_is(kind, "smtpd_access_policy");
}
