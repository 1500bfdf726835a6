/* SPDX-License-Identifier: MIT */
#include "deliver/loopcheck.h"

#include <string.h>

#include "base/buf.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static const struct loopcheck_limits lda = {
	.received = 3, .own_delivered_to = 1};
static const struct loopcheck_limits lmtp = {
	.received = 3, .own_delivered_to = 0};

static bool
is_loop(const char *text, const char *recipient,
	const struct loopcheck_limits *limits, const char *expected_text)
{
	struct message_limits message_limits = {
		.memory_bytes = 1 << 20,
		.header_bytes = 1 << 20,
		.header_fields = 1000,
		.temp_folder = test_folder(),
	};
	struct message *message = NULL;
	struct err err;
	int result;

	REQUIRE(message_open_bytes(
			str_from(text), &message_limits, &message, &err) == 0);
	result = loopcheck_message(message, str_from(recipient), limits, &err);
	message_close(&message);
	if (result < 0) {
		CHECK_INT(err.kind, ERR_REFUSED);
		CHECK_STR(err.status, "5.4.6");
		CHECK_STR(err.text, expected_text);
	}
	return result < 0;
}

static bool
loops(const char *text, const struct loopcheck_limits *limits)
{
	return is_loop(text, "amy@x", limits, "mail forwarding loop for amy@x");
}

TEST(a_message_that_was_not_here_is_no_loop)
{
	CHECK(!loops("Subject: x\n\nDelivered-To: amy@x\n", &lda));
	CHECK(!loops("", &lmtp));
	CHECK(!loops("Delivered-To: bob@x\nReceived: 1\n"
		     "Delivered-To: mailing list amy@x\n\n",
		&lmtp));
}

/* Postfix local(8), pipe(8) with flags=D, OpenSMTPD, preline, getmail */
TEST(the_mta_s_own_delivered_to_is_no_loop_for_the_lda)
{
	CHECK(!loops("Return-Path: <b@y>\nX-Original-To: amy@x\n"
		     "Delivered-To: amy@x\nReceived: 2\nReceived: 1\n\n",
		&lda));
	CHECK(!loops("Delivered-To: amy@x\n\n", &lda));
	CHECK(loops("Delivered-To: amy@x\nReceived: 1\n\n", &lmtp));
}

TEST(more_on_top_than_the_mta_writes_is_a_loop)
{
	CHECK(loops("Delivered-To: amy@x\nDelivered-To: amy@x\n"
		    "Received: 1\n\n",
		&lda));
}

TEST(a_delivered_to_that_travelled_is_a_loop)
{
	CHECK(loops("Received: 2\nDelivered-To: amy@x\nReceived: 1\n\n", &lda));
	CHECK(loops("Received: 2\nDelivered-To: <AMY@X>\n\n", &lmtp));
	CHECK(loops("Delivered-To: amy@x\nReceived: 2\nDelivered-To: amy@x\n"
		    "Received: 1\n\n",
		&lda));
	CHECK(loops(
		"Received: 2\nSubject: x\nDelivered-To:\n amy@x\n\n", &lda));
}

TEST(without_a_recipient_only_hops_count)
{
	CHECK(!is_loop("Received: 1\nDelivered-To: amy@x\nDelivered-To:\n\n",
		"", &lmtp, ""));
}

TEST(more_received_fields_than_the_limit_are_a_loop)
{
	CHECK(!loops("Received: 1\nReceived: 2\nRECEIVED: 3\n\n"
		     "Received: body\n",
		&lda));
	CHECK(is_loop("Received: 1\nA: b\nReceived: 2\nReceived: 3\n"
		      "received: 4\n\n",
		"amy@x", &lda, "Too many hops: more than 3 Received fields"));
}
