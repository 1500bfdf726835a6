/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/answer.h"
#include "policy/request.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool is_true)
{
	if (!is_true)
		abort();
}

static bool
is_within(struct str part, struct str whole)
{
	return part.len == 0 ||
	       (part.data >= whole.data &&
		       part.data + part.len <= whole.data + whole.len);
}

/* One line, then an empty one, whatever is told. */
static void
check_answer(struct str told)
{
	struct settings settings = {.quota_status_overquota = ""};
	struct buf text;
	struct err err;
	struct str answer;

	buf_init(&text, BUF_UNLIMITED);
	err_set(&err, ERR_OVER_QUOTA, "5.2.2", "%.*s", STR_ARG(told));
	policy_answer(&settings, &err, &text);
	answer = buf_view(&text);
	require(str_starts(answer, STR("action=554 5.2.2 ")));
	require(str_find_char(answer, '\n') == answer.len - 2);
	require(str_ends(answer, STR("\n\n")));
	buf_clear(&text);
}

/* A question has one recipient, of the request; and no empty line is in one. */
static void
check_request(struct str text)
{
	struct policy_request request;

	policy_read_request(text, &request);
	require(is_within(request.recipient, text));
	require(!request.is_question || request.recipient.len > 0);
	require(!str_has_char(request.recipient, '\n'));
	require(!str_starts(text, STR("\n")));
	require(str_find(text, STR("\n\n")) == text.len);
	check_answer(request.recipient);
}

/* What has come so far never gives another request than all of it does. */
static void
check_pieces(struct str whole, struct str first, struct str rest)
{
	size_t taken = whole.len - rest.len, len;
	size_t least = taken > 64 ? taken - 64 : 0;

	for (len = least; len < taken; len++) {
		struct str part = str_slice(whole, 0, len), text;

		if (policy_next_request(&part, &text))
			require(text.len == first.len && len + 1 >= taken);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str input = str_of((const char *)data, size), text;

	for (;;) {
		struct str before = input;

		if (!policy_next_request(&input, &text))
			break;
		require(input.len < before.len);
		require(is_within(text, before));
		check_request(text);
		check_pieces(before, text, input);
	}
	return 0;
}
