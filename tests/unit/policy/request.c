/* SPDX-License-Identifier: MIT */
#include "policy/request.h"

#include "conf/settings.h"
#include "policy/answer.h"
#include "tests/lib/test.h"

#include "base/banned.h"

TEST(a_request_ends_with_an_empty_line)
{
	struct str input = STR("a=1\nb=2\n\nc=3\r\n\r\n\nd=4\n"), text;

	REQUIRE(policy_next_request(&input, &text));
	CHECK_STR(str_is(text, "a=1\nb=2\n") ? "whole" : "other", "whole");
	REQUIRE(policy_next_request(&input, &text));
	CHECK(str_is(text, "c=3\r\n"));
	REQUIRE(policy_next_request(&input, &text));
	CHECK(str_is(text, ""));
	CHECK(!policy_next_request(&input, &text));
	CHECK(str_is(input, "d=4\n"));
}

TEST(a_question_is_about_one_recipient_in_time)
{
	static const struct {
		const char *text;
		bool is_question;
		const char *recipient;
		uint64_t size;
	} cases[] = {
		{"recipient=amy@x\nsize=5\n", true, "amy@x", 5},
		{"size=5\nprotocol_state=RCPT\nrecipient=amy@x\n", true,
			"amy@x", 5},
		{"protocol_state=END-OF-MESSAGE\nrecipient=a=b@x\n", true,
			"a=b@x", 0},
		{"protocol_state=MAIL\nrecipient=amy@x\n", false, "amy@x", 0},
		{"protocol_state=rcpt\nrecipient=amy@x\n", false, "amy@x", 0},
		{"protocol_state=RCPT\nrecipient=\n", false, "", 0},
		{"protocol_state=RCPT\n", false, "", 0},
		{"request=junk\nrecipient=amy@x\n", false, "amy@x", 0},
		{"request=smtpd_access_policy\r\nrecipient=amy@x\r\nsize=7\r\n",
			true, "amy@x", 7},
		{"recipient=amy@x\nsize=-1\n", true, "amy@x", 0},
		{"recipient=amy@x\nsize=99999999999999999999\n", true, "amy@x",
			0},
		{"recipient\n=\n\x00\xff\n", false, "", 0},
		{"", false, "", 0},
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct policy_request request;

		policy_read_request(str_from(cases[i].text), &request);
		CHECK(request.is_question == cases[i].is_question);
		CHECK(str_is(request.recipient, cases[i].recipient));
		CHECK_UINT(request.size, cases[i].size);
	}
}

TEST(an_answer_is_one_line)
{
	struct settings settings = {.quota_status_success = "OK",
		.quota_status_overquota = "",
		.quota_status_toolarge = "",
		.quota_status_nouser = "REJECT\nwho",
		.quota_status_failure = "DUNNO"};
	static const struct {
		enum err_kind kind;
		const char *status, *text, *answer;
	} cases[] = {
		{ERR_NONE, "", "", "action=OK\n\n"},
		{ERR_NO_USER, "5.1.1", "no", "action=REJECT who\n\n"},
		{ERR_OVER_QUOTA, "5.2.2", "no\r\nroom",
			"action=554 5.2.2 no  room\n\n"},
		{ERR_TOO_BIG, "5.2.3", "big", "action=554 5.2.3 big\n\n"},
		{ERR_TEMPORARY, "4.2.2", "x", "action=DUNNO\n\n"},
		{ERR_REFUSED, "5.7.1", "x", "action=DUNNO\n\n"},
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct buf text;
		struct err err;

		err_clear(&err);
		if (cases[i].kind != ERR_NONE)
			err_set(&err, cases[i].kind, cases[i].status, "%s",
				cases[i].text);
		buf_init(&text, BUF_UNLIMITED);
		policy_answer(&settings, &err, &text);
		CHECK_STR(buf_text(&text), cases[i].answer);
		buf_clear(&text);
	}
}
