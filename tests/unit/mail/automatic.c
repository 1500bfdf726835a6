/* SPDX-License-Identifier: MIT */
#include "mail/automatic.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/attributes.h"
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
			ADDRESS_NULL_ALLOWED | ADDRESS_LOCAL_ALLOWED |
				ADDRESS_BRACKETS_OPTIONAL,
			&address, &err) == 0);
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

TEST(programs_have_addresses_of_their_own)
{
	static const char *const programs[] = {"mailer-daemon+x", "Listserv",
		"friends-owner", "noreply", "no-reply=amy", "do_not_reply",
		"shop-noreply", "bounce-1234",
		"friends-bounces+amy=example.org",
		"friends-return-12-amy=example.org"};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(programs); i++)
		CHECK_STR(sender_reason(programs[i]),
			"its sender is a mailing list or a mail system");
}

/* Every row, in other letters and with what VERP puts behind it. */
TEST(each_name_of_a_program_counts_alone_and_with_verp)
{
	static const char *const names[] = {"Mailer-Daemon", "MAILER",
		"MDaemon", "double-bounce", "UUCP", "LISTSERV", "listproc",
		"listmanager", "Majordomo", "mailman", "NoReply", "no-reply",
		"no_reply", "DoNotReply", "do-not-reply", "do_not_reply",
		"bounce", "bounces", "autoreply", "auto-reply"};
	static const char *const after[] = {"", "+x", "-1", "=amy"};
	char path[80];
	size_t i, j;

	for (i = 0; i < ARRAY_LENGTH(names); i++)
		for (j = 0; j < ARRAY_LENGTH(after); j++) {
			snprintf(path, sizeof(path), "<%s%s@a.example>",
				names[i], after[j]);
			CHECK_STR(sender_reason(path),
				"its sender is a mailing list or a mail "
				"system");
		}
}

TEST(each_end_and_middle_of_a_lists_address_counts)
{
	static const char *const paths[] = {"talk-Owner", "talk-request",
		"talk-bounces", "talk-bounce", "shop-noreply", "shop-no-reply",
		"OWNER-talk", "talk-bounces+amy=b.example", "talk-bounces-12",
		"talk-bounce-amy", "talk-return-3-amy=b.example"};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(paths); i++)
		CHECK_STR(sender_reason(paths[i]),
			"its sender is a mailing list or a mail system");
}

TEST(names_of_people_only_look_like_them)
{
	static const char *const people[] = {"request", "owner", "mailers",
		"noreplyman", "SRS0=abcd=XY=partner.example=ada"};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(people); i++)
		CHECK_STR(sender_reason(people[i]), "");
}

static const char *
field_of(const char *text)
{
	const struct message_limits limits = {.memory_bytes = 65536,
		.header_bytes = 65536,
		.header_fields = 100,
		.temp_folder = "/tmp"};
	const struct header_field *field;
	static char name[64];
	struct message *message;
	struct err err;

	REQUIRE(message_open_bytes(str_from(text), &limits, &message, &err) ==
		0);
	field = automatic_field(message);
	if (field != NULL)
		snprintf(name, sizeof(name), "%.*s", STR_ARG(field->name));
	message_close(&message);
	return field != NULL ? name : NULL;
}

TEST(the_field_that_speaks_against_an_answer_is_told)
{
	CHECK_STR(field_of("Subject: x\nlist-id: <a>\n\n"), "list-id");
	CHECK_STR(
		field_of("AUTO-SUBMITTED: auto-replied\n\n"), "AUTO-SUBMITTED");
	CHECK_STR(field_of("Precedence: Bulk (x)\n\n"), "Precedence");
	CHECK_STR(field_of("X-Auto-Response-Suppress: DR, oof\n\n"),
		"X-Auto-Response-Suppress");
	CHECK_STR(field_of("X-Autoreply: yes\n\n"), "X-Autoreply");
	CHECK_STR(field_of("Content-Type: Multipart/Report;\n x=y\n\n"),
		"Content-Type");
	CHECK_STR(field_of("Auto-Submitted:\n\n"), "Auto-Submitted");
}

TEST(each_field_of_a_program_speaks_against_an_answer)
{
	static const struct {
		const char *text, *name;
	} rows[] = {{"List-Id: x\n\n", "List-Id"},
		{"List-Help: x\n\n", "List-Help"},
		{"List-Post: NO\n\n", "List-Post"},
		{"List-Unsubscribe-Post: x\n\n", "List-Unsubscribe-Post"},
		{"Mailing-List: x\n\n", "Mailing-List"},
		{"X-Mailing-List: x\n\n", "X-Mailing-List"},
		{"Auto-Submitted: auto-generated\n\n", "Auto-Submitted"},
		{"Auto-Submitted: auto-notified; a=b\n\n", "Auto-Submitted"},
		{"Precedence: bulk\n\n", "Precedence"},
		{"Precedence: junk\n\n", "Precedence"},
		{"Precedence: LIST\n\n", "Precedence"},
		{"Precedence: auto_reply\n\n", "Precedence"},
		{"X-Auto-Response-Suppress: All\n\n",
			"X-Auto-Response-Suppress"},
		{"X-Auto-Response-Suppress: DR, AutoReply\n\n",
			"X-Auto-Response-Suppress"},
		{"X-Autoreply: yes\n\n", "X-Autoreply"},
		{"X-Autorespond: x\n\n", "X-Autorespond"},
		{"X-Autoresponder: x\n\n", "X-Autoresponder"},
		{"X-Auto-Reply-From: x\n\n", "X-Auto-Reply-From"},
		{"X-Mail-Autoreply: x\n\n", "X-Mail-Autoreply"},
		{"Content-Type: multipart/report\n\n", "Content-Type"}};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(rows); i++)
		CHECK_STR(field_of(rows[i].text), rows[i].name);
}

TEST(other_fields_do_not_speak_against_it)
{
	CHECK_STR(field_of("\n"), NULL);
	CHECK_STR(field_of("X-Autoreply: no\n\n"), NULL);
	CHECK_STR(field_of("Auto-Submitted: no; x=y\nPrecedence: urgent\n"
			   "X-Auto-Response-Suppress: DR,RN\n"
			   "Content-Type: multipart/mixed\nListen: x\n\n"
			   "List-Id: <a>\n"),
		NULL);
}
