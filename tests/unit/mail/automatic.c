/* SPDX-License-Identifier: MIT */
#include "mail/automatic.h"

#include "base/arena.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static const char *
message_reason(const char *text)
{
	const struct message_limits limits = {.memory_bytes = 65536,
		.header_bytes = 65536,
		.header_fields = 100,
		.temp_folder = "/tmp"};
	struct message *message;
	const char *why;
	struct err err;

	REQUIRE(message_open_bytes(str_from(text), &limits, &message, &err) ==
		0);
	why = automatic_message(message);
	message_close(&message);
	return why != NULL ? why : "";
}

static const char *
sender_reason(const char *path)
{
	struct arena *arena = arena_open();
	struct address address;
	const char *why;
	struct err err;

	REQUIRE(address_parse_path(arena, str_from(path),
			ADDRESS_NULL_ALLOWED | ADDRESS_LOCAL_ALLOWED, &address,
			&err) == 0);
	why = automatic_sender(&address);
	arena_close(&arena);
	return why != NULL ? why : "";
}

TEST(what_a_person_wrote_may_be_answered)
{
	CHECK_STR(message_reason("Subject: x\n\n"), "");
	CHECK_STR(message_reason("Auto-Submitted: no\n\n"), "");
	CHECK_STR(
		message_reason("auto-submitted:\n (by hand) NO; a=b\n\n"), "");
	CHECK_STR(message_reason("Precedence: urgent\nListen: x\n\n"), "");
}

TEST(automatic_mail_is_known_by_its_fields)
{
	static const char *const submitted = "it is auto-submitted";

	CHECK_STR(
		message_reason("Auto-Submitted: auto-replied\n\n"), submitted);
	CHECK_STR(message_reason("Auto-Submitted: Auto-Generated; x=y\n\n"),
		submitted);
	CHECK_STR(message_reason("Auto-Submitted: no\nAuto-Submitted: "
				 "auto-notified\n\n"),
		submitted);
	CHECK_STR(message_reason("Auto-Submitted: nobody\n\n"), submitted);
	/* Whoever wrote that is no mail program. */
	CHECK_STR(message_reason("Auto-Submitted:\n\n"), submitted);
	CHECK_STR(message_reason("Auto-Submitted: (no\n\n"), submitted);
	CHECK_STR(message_reason("list-id: <a.b>\n\n"),
		"it came through a mailing list");
	CHECK_STR(message_reason("Mailing-List: contact x\n\n"),
		"it came through a mailing list");
	CHECK_STR(message_reason("Precedence: Junk\n\n"),
		"its precedence is bulk");
	CHECK_STR(message_reason("Precedence: list (talk)\n\n"),
		"its precedence is bulk");
}

TEST(senders_of_lists_and_systems_are_not_answered)
{
	static const char *const machine =
		"its sender is a mailing list or a mail system";

	CHECK_STR(sender_reason("<>"), "it has no sender");
	CHECK_STR(sender_reason("<Mailer-Daemon@a.example>"), machine);
	CHECK_STR(sender_reason("<owner-talk@a.example>"), machine);
	CHECK_STR(sender_reason("<talk-owner@a.example>"), machine);
	CHECK_STR(sender_reason("<talk-REQUEST@a.example>"), machine);
	CHECK_STR(sender_reason("<talk-bounces@a.example>"), machine);
	CHECK_STR(sender_reason("<ownership@a.example>"), "");
	CHECK_STR(sender_reason("<request@a.example>"), "");
	CHECK_STR(sender_reason("<ada@a.example>"), "");
}
