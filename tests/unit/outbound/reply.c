/* SPDX-License-Identifier: MIT */
#include "outbound/reply.h"

#include <string.h>

#include "tests/lib/test.h"

#include "base/banned.h"

static enum reply_step
read_one(struct reply *reply, const char *line)
{
	reply_begin(reply);
	return reply_line(reply, str_from(line));
}

TEST(a_reply_of_one_line_has_code_status_and_text)
{
	struct reply reply;

	CHECK_INT(read_one(&reply, "550 5.1.1 Nobody here"), REPLY_DONE);
	CHECK_UINT(reply.code, 550);
	CHECK_STR(reply.status, "5.1.1");
	CHECK_STR(reply.text, "Nobody here");
}

TEST(a_code_alone_is_a_reply)
{
	struct reply reply;

	CHECK_INT(read_one(&reply, "250"), REPLY_DONE);
	CHECK_STR(reply.text, "");
	CHECK(reply_is_good(&reply));
}

TEST(lines_with_a_hyphen_go_on)
{
	struct reply reply;

	CHECK_INT(read_one(&reply, "250-2.1.0 one"), REPLY_MORE);
	CHECK_INT(reply_line(&reply, STR("250 2.1.0 two")), REPLY_DONE);
	CHECK_STR(reply.text, "one two");
	CHECK_STR(reply.status, "2.1.0");
}

TEST(what_is_no_reply_is_told)
{
	static const char *const lines[] = {"", "25", "2x0 ok", "199 early",
		"600 late", "250_ok", "HTTP/1.1 400 Bad Request", "\0"};
	struct reply reply;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(lines); i++)
		CHECK_INT(read_one(&reply, lines[i]), REPLY_BROKEN);
}

TEST(a_reply_may_not_change_its_code)
{
	struct reply reply;

	CHECK_INT(read_one(&reply, "250-one"), REPLY_MORE);
	CHECK_INT(reply_line(&reply, STR("550 two")), REPLY_BROKEN);
}

TEST(a_reply_without_an_end_is_cut_off)
{
	struct reply reply;
	unsigned lines = 0;

	reply_begin(&reply);
	while (reply_line(&reply, STR("250-and so on")) == REPLY_MORE)
		lines++;
	CHECK_UINT(lines, REPLY_LINES_MAX);
	CHECK(reply.text_len <= REPLY_TEXT_MAX);
}

/* RFC 2034 4. */
TEST(a_status_of_another_class_is_text)
{
	struct reply reply;

	CHECK_INT(read_one(&reply, "550 4.2.2 odd"), REPLY_DONE);
	CHECK_STR(reply.status, "");
	CHECK_STR(reply.text, "4.2.2 odd");
}

TEST(control_characters_do_not_reach_a_log)
{
	struct reply reply;

	CHECK_INT(read_one(&reply, "550 a\rb\033[2Jc\xff"), REPLY_DONE);
	CHECK_STR(reply.text, "a?b?[2Jc?");
}

TEST(the_first_digit_says_whether_it_can_be_tried_again)
{
	struct reply reply;
	struct err err;

	CHECK_INT(read_one(&reply, "550 5.7.1 no"), REPLY_DONE);
	CHECK_INT(reply_err(&reply, "mx", "RCPT TO", &err), -1);
	CHECK_INT(err.kind, ERR_REFUSED);
	CHECK_STR(err.status, "5.7.1");
	CHECK_STR(err.text, "550 no");
	CHECK_INT(read_one(&reply, "452 full"), REPLY_DONE);
	CHECK_INT(reply_err(&reply, "mx", "RCPT TO", &err), -1);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_STR(err.status, "4.0.0");
	CHECK(strstr(err.detail, "mx answered RCPT TO: 452 full") != NULL);
	/* A good reply in a place where it is none. */
	CHECK_INT(read_one(&reply, "250 fine"), REPLY_DONE);
	CHECK_INT(reply_err(&reply, "mx", "DATA", &err), -1);
	CHECK_INT(err.kind, ERR_TEMPORARY);
}

TEST(offers_are_read_in_any_case)
{
	static const char *const lines[] = {"250-PIPELINING", "250-size 1000",
		"250-8BitMime", "250-AUTH DIGEST-MD5 login", "250-X-UNKNOWN 7",
		"250 DSN"};
	struct reply_offers offers = {0};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(lines); i++)
		reply_offer(&offers, str_from(lines[i]));
	CHECK(offers.pipelining && offers.eightbitmime && offers.dsn);
	CHECK(offers.auth_login && !offers.auth_plain && !offers.starttls);
	CHECK(offers.has_size);
	CHECK_UINT(offers.size, 1000);
}

TEST(a_size_that_is_no_number_is_no_limit)
{
	struct reply_offers offers = {0};

	reply_offer(&offers, STR("250 SIZE 99999999999999999999"));
	CHECK(offers.has_size);
	CHECK_UINT(offers.size, 0);
}
