/* SPDX-License-Identifier: MIT */
#include "server/wire.h"

#include <string.h>
#include <unistd.h>

#include "server/proxywire.h"
#include "tests/lib/test.h"

#include "base/banned.h"

/* Each message with something in every field, and a reader of its own. */
#define MESSAGE(name, ...)                                                     \
	static void write_##name(struct frame *frame)                          \
	{                                                                      \
		struct wire_##name value = __VA_ARGS__;                        \
                                                                               \
		wire_##name(frame, &value);                                    \
	}                                                                      \
	static void read_##name(struct frame *frame)                           \
	{                                                                      \
		struct wire_##name value;                                      \
                                                                               \
		memset(&value, 0, sizeof(value));                              \
		wire_##name(frame, &value);                                    \
	}

static struct err
an_error(void)
{
	struct err err;

	err_set(&err, ERR_NO_USER, "5.1.1", "nobody");
	return err;
}

static struct wire_counter counters[] = {{"jobs", 7}, {"queue", 0}};
static uint32_t groups[] = {4, 5};
static struct wire_ticket tickets[] = {{{1}}, {{2}}, {{3}}};
static struct route_pair pairs[] = {{{"a", 1}, {"1", 1}}, {{"b", 1}, {"", 0}}};
static struct wire_field fields[] = {
	{{"mail", 4}, {"maildir:~/m", 11}}, {{"x", 1}, {"", 0}}};
static struct wire_assign_item assigned_items[] = {{{{1}}, {"abc", 3}}};
static struct wire_job_recipient recipients[] = {
	{{{1}}, {"amy@x", 5}, {"", 0}, {"", 0}, {"NEVER", 5}, "ID", true},
	{{{2}}, {"bob@x", 5}, {"b@y", 3}, {"rfc822;b@y", 10}, {"", 0}, "ID:R2",
		false}};
static struct wire_recipient_result results[] = {
	{.outcome = WIRE_SAVED, .has_handle = true, .handle = {.uid = 9}},
	{.outcome = WIRE_FAILED}};
static struct wire_claim_item claims[] = {{{1}, {2}, {"path", 4}}};
static struct wire_claimed_item claimed_items[] = {
	{WIRE_CLAIM_BROKEN, {3}, WIRE_SAVED, {"path", 4}}};
static struct wire_finish_item finishes[] = {{{1}, WIRE_FAILED}};
static struct wire_mark_item marks[] = {
	{{1}, 5, WIRE_MARK_VACATION}, {{2}, 6, WIRE_MARK_REDIRECT}};
static struct str arguments[] = {{"a", 1}, {"", 0}};
static struct wire_handle handles[] = {{.uid = 7}, {.uid = 8}};

MESSAGE(boot, {.kind = WIRE_KIND_WORKER,
		      .generation = 3,
		      .config = STDIN_FILENO,
		      .logs = {-1, -1, -1},
		      .has_no_memory = true})
MESSAGE(logs, {{STDIN_FILENO, -1, STDIN_FILENO}})
MESSAGE(counters, {counters, 2})
MESSAGE(listener, {.fd = STDIN_FILENO, .name = "lmtp", .is_inet = true})
MESSAGE(stdio, {STDIN_FILENO, STDOUT_FILENO})
MESSAGE(state_link, {STDIN_FILENO, true})
MESSAGE(wait_order, {WIRE_WAIT_PROGRAM, STDIN_FILENO})
MESSAGE(may_wait, {true})
MESSAGE(mark_of, {7, {{2}, 3, WIRE_MARK_REDIRECT}})
MESSAGE(worker, {7, STDIN_FILENO})
MESSAGE(runner, {STDIN_FILENO})
MESSAGE(run, {.use = WIRE_USE_CONVERT,
		     .name = {"a", 1},
		     .arguments = arguments,
		     .argument_count = 2,
		     .user = {"amy", 3},
		     .home = {"/home", 5},
		     .host = {"mx", 2},
		     .sender = {"a@x", 3},
		     .recipient = {"b@x", 3},
		     .original = {"c@x", 3},
		     .input = STDIN_FILENO,
		     .wants_output = true,
		     .most = 5,
		     .timeout_ms = 6})
MESSAGE(ran, {WIRE_END_BROKEN, "why", 9, STDIN_FILENO})
MESSAGE(rcpt, {1, {"amy", 3}, {"x", 1}, 100, "ID", true})
MESSAGE(rcpt_answer, {.request = 1, .err = an_error(), .user = "amy"})
MESSAGE(lookup, {1, {"amy", 3}, {"x", 1}, "AqKOK:R1"})
MESSAGE(user, {"amy", "/home/amy", {"detail", 6}, fields, 2})
MESSAGE(route, {.user = "amy",
		       .route = {.kind = ROUTE_PROXY,
			       .is_maybe = true,
			       .is_self = true,
			       .host = "backend",
			       .ip = "192.0.2.1",
			       .port = 24,
			       .protocol = ROUTE_SMTP,
			       .tls = ROUTE_TLS_STARTTLS,
			       .any_cert = true,
			       .timeout_ms = 5,
			       .destuser = "a",
			       .source_ip = "::1",
			       .forward = pairs,
			       .forward_count = 2}})
MESSAGE(resolve, {1, "backend"})
MESSAGE(resolved, {1, an_error(), "192.0.2.1\n", 5})
MESSAGE(record, {.request = 1,
			.name = "amy",
			.uid = 1000,
			.gid = 1000,
			.groups = groups,
			.group_count = 2,
			.user = {"packed", 6}})
MESSAGE(check, {1, {"packed", 6}, 10, "ID", true, true})
MESSAGE(checked, {.request = 1, .err = an_error(), .has_promised = true})
MESSAGE(idle, {1, true})
MESSAGE(start, {1, 2, tickets, 3, true})
MESSAGE(job_number, {1})
MESSAGE(assigned, {.job = 1, .err = an_error(), .worker = 3})
MESSAGE(release, {tickets, 3})
MESSAGE(assign, {1, assigned_items, 1, true})
MESSAGE(job_recipients, {1, recipients, 2})
MESSAGE(job, {.job = 1,
		     .session = "ID",
		     .sender = {"ada@x", 5},
		     .ret = {"FULL", 4},
		     .envid = {"e", 1},
		     .client = {.helo = {"h", 1}, .port = 25},
		     .recipients = 2,
		     .size = 3,
		     .last = recipients,
		     .last_count = 2,
		     .file = -1,
		     .message = {"a\r\n", 3}})
MESSAGE(handle, {.uid = 7})
MESSAGE(result, {1, 0, results, 2, true, {1, 2, 3, 4}, 1})
MESSAGE(claim, {1, claims, 1})
MESSAGE(claimed, {1, claimed_items, 1})
MESSAGE(finish, {finishes, 1})
MESSAGE(confirm, {1, handles, 2})
MESSAGE(confirmed, {1})
MESSAGE(seen, {1, {2}})
MESSAGE(mark, {1, true, marks, 2})
MESSAGE(marked, {1, WIRE_MARKS_UNABLE})
MESSAGE(status_text, {{"{}", 2}})
MESSAGE(proxy_link, {STDIN_FILENO})
MESSAGE(proxy_route, {{{1}}, {"packed", 6}})
MESSAGE(proxy_mail, {.transaction = 1,
			    .session = "ID",
			    .id = "ID:T2",
			    .sender = {"ada@x", 5},
			    .size = 9,
			    .is_utf8 = true,
			    .ret = {"FULL", 4},
			    .envid = {"e", 1},
			    .client = {.helo = {"h", 1}, .port = 25},
			    .ttl = 5,
			    .port = 24,
			    .timeout_ms = 7})
MESSAGE(proxy_rcpt, {.transaction = 1,
			    .recipient = 2,
			    .ticket = {{3}},
			    .path = {"amy@x", 5},
			    .orcpt = {"rfc822;b@y", 10},
			    .notify = {"NEVER", 5},
			    .session = "ID:T2:R3"})
MESSAGE(proxy_data, {1, 2, 3, STDIN_FILENO, {"a\r\n", 3}})
MESSAGE(proxy_end, {1})
MESSAGE(proxy_answer, {.transaction = 1,
			      .recipient = 2,
			      .is_result = true,
			      .code = 550,
			      .err = an_error(),
			      .has_handle = true,
			      .handle = {.uid = 7}})
MESSAGE(proxy_wish, {WIRE_WISH_DRAIN, "backend", "yes"})
MESSAGE(proxy_status, {{"{}", 2}})

#define ROW(name)                                                              \
	{                                                                      \
#name, write_##name, read_##name                               \
	}
static const struct {
	const char *name;
	void (*write)(struct frame *frame);
	void (*read)(struct frame *frame);
} messages[] = {ROW(boot), ROW(logs), ROW(counters), ROW(listener), ROW(stdio),
	ROW(state_link), ROW(wait_order), ROW(may_wait), ROW(mark_of),
	ROW(worker), ROW(runner), ROW(run), ROW(ran), ROW(rcpt),
	ROW(rcpt_answer), ROW(lookup), ROW(user), ROW(route), ROW(resolve),
	ROW(resolved), ROW(record), ROW(check), ROW(checked), ROW(start),
	ROW(job_number), ROW(idle), ROW(assigned), ROW(release), ROW(assign),
	ROW(job_recipients), ROW(job), ROW(handle), ROW(result), ROW(claim),
	ROW(claimed), ROW(finish), ROW(confirm), ROW(confirmed), ROW(seen),
	ROW(mark), ROW(marked), ROW(status_text), ROW(proxy_link),
	ROW(proxy_route), ROW(proxy_mail), ROW(proxy_rcpt), ROW(proxy_data),
	ROW(proxy_end), ROW(proxy_answer), ROW(proxy_wish), ROW(proxy_status)};

static struct str
written(struct arena *arena, size_t index, struct frame *frame)
{
	frame_begin(frame, 1);
	messages[index].write(frame);
	REQUIRE(frame_is_whole(frame));
	return arena_copy(arena, buf_view(&frame->bytes));
}

/* Descriptors are duplicated as the kernel would, so that a reader may close
 * them. */
static void
read_back(struct arena *arena, struct frame *frame, const struct frame *out,
	struct str bytes)
{
	int fds[FRAME_FDS_MAX];
	size_t i;

	for (i = 0; i < out->fd_count; i++)
		fds[i] = dup(out->fds[i]);
	frame_open(frame, arena, bytes, fds, out->fd_count);
}

TEST(every_message_is_read_to_its_last_byte)
{
	struct arena *arena = arena_open();
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(messages); i++) {
		struct frame out, in;
		struct str bytes = written(arena, i, &out);

		read_back(arena, &in, &out, bytes);
		messages[i].read(&in);
		if (!CHECK(frame_is_whole(&in)))
			CHECK_STR(messages[i].name, "whole");
		frame_close(&in);
		frame_close(&out);
	}
	arena_close(&arena);
}

TEST(no_message_that_was_cut_is_whole)
{
	struct arena *arena = arena_open();
	size_t i, len;

	for (i = 0; i < ARRAY_LENGTH(messages); i++) {
		struct frame out;
		struct str bytes = written(arena, i, &out);

		for (len = 0; len < bytes.len; len++) {
			struct frame in;

			read_back(arena, &in, &out, str_slice(bytes, 0, len));
			messages[i].read(&in);
			if (!CHECK(!frame_is_whole(&in)))
				CHECK_STR(messages[i].name, "not whole");
			frame_close(&in);
		}
		frame_close(&out);
	}
	arena_close(&arena);
}

TEST(a_message_with_any_byte_changed_is_read_without_harm)
{
	struct arena *arena = arena_open();
	size_t i, at;

	for (i = 0; i < ARRAY_LENGTH(messages); i++) {
		struct frame out;
		struct str bytes = written(arena, i, &out);

		for (at = FRAME_HEAD; at < bytes.len; at++) {
			char *copy = arena_alloc(arena, bytes.len);
			struct frame in;

			memcpy(copy, bytes.data, bytes.len);
			copy[at] = (char)(copy[at] ^ 0xff);
			read_back(arena, &in, &out, str_of(copy, bytes.len));
			messages[i].read(&in);
			frame_close(&in);
		}
		frame_close(&out);
	}
	CHECK(arena_used(arena) < 64 * 1024 * 1024);
	arena_close(&arena);
}

TEST(an_outcome_that_is_none_is_a_fault)
{
	struct arena *arena = arena_open();
	struct wire_finish finish = {finishes, 1};
	struct frame out, in;
	struct str bytes;

	frame_begin(&out, 1);
	wire_finish(&out, &finish);
	bytes = arena_copy(arena, buf_view(&out.bytes));
	((char *)(uintptr_t)bytes.data)[bytes.len - 4] = WIRE_REFUSED + 1;
	frame_open(&in, arena, bytes, NULL, 0);
	wire_finish(&in, &finish);
	CHECK(!frame_is_whole(&in));
	frame_close(&in);
	frame_close(&out);
	arena_close(&arena);
}

TEST(a_wish_that_is_none_is_a_fault)
{
	struct arena *arena = arena_open();
	struct wire_proxy_wish wish = {WIRE_WISH_DRAIN, "b", ""};
	struct frame out, in;

	wish.kind = WIRE_WISH_DRAIN + 1;
	frame_begin(&out, 1);
	wire_proxy_wish(&out, &wish);
	frame_open(&in, arena, buf_view(&out.bytes), NULL, 0);
	wire_proxy_wish(&in, &wish);
	CHECK(!frame_is_whole(&in));
	frame_close(&in);
	frame_close(&out);
	arena_close(&arena);
}

TEST(a_user_is_packed_and_unpacked)
{
	struct arena *arena = arena_open();
	struct wire_user user = {"amy", NULL, {"Lists", 5}, fields, 2}, back;
	struct str packed = wire_user_pack(arena, &user);

	REQUIRE(wire_user_unpack(arena, packed, &back));
	CHECK_STR(back.name, "amy");
	CHECK_STR(back.home, NULL);
	CHECK_STR_IS(back.detail, "Lists");
	CHECK_UINT(back.field_count, 2);
	CHECK_STR_IS(back.fields[0].value, "maildir:~/m");
	CHECK(!wire_user_unpack(
		arena, str_slice(packed, 0, packed.len - 1), &back));
	arena_close(&arena);
}
