/* SPDX-License-Identifier: MIT */
#include "deliver/trace.h"

#include "base/buf.h"
#include "base/clock.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static const struct address amy = {
	.local_part = {"amy", 3}, .domain = {"x", 1}, .text = {"amy@x", 5}};
static const struct address nobody = {.is_null = true};

static struct message *
open_text(const char *text)
{
	struct message_limits limits = {
		.memory_bytes = 1 << 20,
		.header_bytes = 1 << 20,
		.header_fields = 1000,
		.temp_folder = test_folder(),
	};
	struct message *message = NULL;
	struct err err;

	REQUIRE(message_open_bytes(str_from(text), &limits, &message, &err) ==
		0);
	return message;
}

static void
check_trace(const char *text, const struct trace *trace, const char *expected)
{
	struct arena *arena = arena_open();
	struct message *message = open_text(text);
	const struct content *content =
		trace_add(arena, content_of(arena, message), trace);
	struct content_reader reader;
	char buffer[4096];
	struct str chunk;
	struct buf out;
	struct err err;

	buf_init(&out, BUF_UNLIMITED);
	content_reader_init(
		&reader, content, LINE_ENDS_LF, buffer, sizeof(buffer));
	while (content_read(&reader, &chunk, &err) == LOOKUP_FOUND)
		buf_add(&out, chunk);
	CHECK_STR_IS(buf_view(&out), expected);
	buf_clear(&out);
	message_close(&message);
	arena_close(&arena);
}

/* RFC 5321 4.4: one Return-Path, written at final delivery. */
TEST(every_return_path_that_came_is_replaced)
{
	struct trace trace = {.sender = &amy};

	check_trace("Return-Path: <old@y>\nA: 1\nRETURN-PATH: <z>\n more\n\nb",
		&trace, "Return-Path: <amy@x>\nA: 1\n\nb");
	trace.sender = &nobody;
	check_trace("A: 1\n\n", &trace, "Return-Path: <>\nA: 1\n\n");
}

TEST(a_return_path_in_the_body_stays)
{
	const struct trace trace = {.sender = &amy};

	check_trace("A: 1\n\nReturn-Path: <z>\n", &trace,
		"Return-Path: <amy@x>\nA: 1\n\nReturn-Path: <z>\n");
}

TEST(nothing_is_done_when_nothing_is_asked_for)
{
	const struct trace trace = {.delivered_to = STR_EMPTY};

	check_trace("Return-Path: <z>\n\nb", &trace, "Return-Path: <z>\n\nb");
}

TEST(the_fields_stand_in_their_order)
{
	const struct trace_received received = {
		.helo = STR("client.example"),
		.ip = STR("192.0.2.1"),
		.tls = STR("TLSv1.3 with cipher X (256/256 bits)"),
		.host = STR("mx.example"),
		.protocol = STR("LMTPS"),
		.id = STR("AbC"),
		.sender = &amy,
		.recipient = STR("bob@y"),
		.time = clock_utc(0),
	};
	const struct trace trace = {.sender = &amy,
		.delivered_to = STR("bob@y"),
		.received = &received};

	check_trace("A: 1\n\nb", &trace,
		"Return-Path: <amy@x>\n"
		"Delivered-To: bob@y\n"
		"Received: from client.example ([192.0.2.1])\n"
		"\t(using TLSv1.3 with cipher X (256/256 bits))\n"
		"\tby mx.example with LMTPS\n"
		"\tid AbC\n"
		"\t(envelope-from <amy@x>)\n"
		"\tfor <bob@y>; Thu, 01 Jan 1970 00:00:00 +0000\n"
		"A: 1\n\nb");
}

TEST(what_is_not_known_is_left_out_of_received)
{
	struct trace_received received = {
		.host = STR("mx.example"),
		.protocol = STR("LMTP"),
		.time = clock_utc(0),
	};
	const struct trace trace = {.received = &received};

	check_trace("\n", &trace,
		"Received: by mx.example with LMTP; "
		"Thu, 01 Jan 1970 00:00:00 +0000\n\n");
	received.sender = &nobody;
	received.helo = STR("client");
	check_trace("\n", &trace,
		"Received: from client\n\tby mx.example with LMTP\n"
		"\t(envelope-from <>); Thu, 01 Jan 1970 00:00:00 +0000\n\n");
}

TEST(no_value_can_begin_a_line_of_its_own)
{
	const struct address bad = {.text = STR("a\r\nBcc: b\0@x\177")};
	const struct trace_received received = {
		.helo = STR("x\r\nBcc: c"),
		.ip = STR("\n"),
		.tls = STR("\n"),
		.host = STR("\n"),
		.protocol = STR("\r"),
		.id = STR("\t"),
		.sender = &bad,
		.recipient = STR("\nb"),
		.time = clock_utc(0),
	};
	const struct trace trace = {.sender = &bad,
		.delivered_to = STR("b\n\n"),
		.received = &received};

	check_trace("\n", &trace,
		"Return-Path: <a??Bcc: b?@x?>\n"
		"Delivered-To: b??\n"
		"Received: from x??Bcc: c ([?])\n"
		"\t(using ?)\n"
		"\tby ? with ?\n"
		"\tid ?\n"
		"\t(envelope-from <a??Bcc: b?@x?>)\n"
		"\tfor <?b>; Thu, 01 Jan 1970 00:00:00 +0000\n\n");
}

TEST(a_long_helo_is_cut)
{
	struct arena *arena = arena_open();
	char helo[1000];
	struct trace_received received = {
		.helo = str_of(helo, sizeof(helo)), .time = clock_utc(0)};
	const struct trace trace = {.received = &received};
	struct message *message = open_text("\n");
	const struct content *content;

	memset(helo, 'x', sizeof(helo));
	content = trace_add(arena, content_of(arena, message), &trace);
	CHECK_INT(str_find_char(content->pieces[0].text, '\n'),
		strlen("Received: from ") + TRACE_NAME_MOST);
	message_close(&message);
	arena_close(&arena);
}

static bool
has_delivered_to(const char *text)
{
	struct message *message = open_text(text);
	bool has = trace_has_delivered_to(message, STR("amy@x"));

	message_close(&message);
	return has;
}

TEST(only_fields_above_the_topmost_received_are_this_delivery_s)
{
	CHECK(has_delivered_to("Delivered-To: amy@x\nReceived: a\n\n"));
	CHECK(has_delivered_to("Delivered-To: <Amy@X> \r\n\n"));
	CHECK(has_delivered_to("A: 1\nDelivered-To: b@y\n"
			       "Delivered-To: amy@x\nReceived: a\n\n"));
	CHECK(!has_delivered_to("Received: a\nDelivered-To: amy@x\n\n"));
	CHECK(!has_delivered_to("Delivered-To: bamy@x\nReceived: a\n\n"));
	CHECK(!has_delivered_to("\nDelivered-To: amy@x\n"));
}
