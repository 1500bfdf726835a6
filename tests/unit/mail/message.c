/* SPDX-License-Identifier: MIT */
#include "mail/message.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fd.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static struct message_limits
usual_limits(void)
{
	return (struct message_limits){
		.memory_bytes = 128 * 1024,
		.header_bytes = 16 * 1024 * 1024,
		.header_fields = 100000,
		.temp_folder = test_folder(),
	};
}

static struct message *
open_bytes(struct str bytes)
{
	struct message_limits limits = usual_limits();
	struct message *message = NULL;
	struct err err;

	REQUIRE(message_open_bytes(bytes, &limits, &message, &err) == 0);
	return message;
}

static struct message *
open_text(const char *text)
{
	return open_bytes(str_from(text));
}

static struct message *
open_file(struct str bytes, const struct message_limits *limits)
{
	const char *path = test_file_bytes("message", bytes);
	struct message *message = NULL;
	struct err err;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	REQUIRE(fd >= 0);
	REQUIRE(message_open_fd(fd, limits, &message, &err) == 0);
	fd_close(&fd);
	return message;
}

/* Through a pipe in steps of `step` bytes, so that every border is met. */
static struct message *
open_pipe(struct str bytes, size_t step, const struct message_limits *limits)
{
	struct message *message = NULL;
	struct err err;
	int ends[2], status;
	pid_t child;

	REQUIRE(pipe(ends) == 0);
	child = fork();
	REQUIRE(child >= 0);
	if (child == 0) {
		close(ends[0]);
		while (bytes.len > 0) {
			struct str part = str_slice(bytes, 0, step);

			if (fd_write(ends[1], part) < 0)
				_exit(1);
			bytes = str_skip(bytes, part.len);
			usleep(300);
		}
		_exit(0);
	}
	close(ends[1]);
	REQUIRE(message_open_fd(ends[0], limits, &message, &err) == 0);
	close(ends[0]);
	waitpid(child, &status, 0);
	return message;
}

static const struct header_field *
field(const struct message *message, const char *name)
{
	return message_field_next(message, str_from(name), NULL);
}

static size_t
field_count(const struct message *message)
{
	size_t count;

	message_fields(message, &count);
	return count;
}

static void
check_value(const struct message *message, const char *name, const char *value)
{
	const struct header_field *found = field(message, name);

	if (CHECK(found != NULL))
		CHECK_STR_IS(found->value, value);
}

/* What lives as long as the test's process. */
static struct arena *kept;

static char *
keep(size_t size)
{
	if (kept == NULL)
		kept = arena_open();
	return arena_alloc(kept, size);
}

/* `count` copies of `text` behind each other. */
static struct str
repeated(const char *text, size_t count)
{
	size_t len = strlen(text), i;
	char *bytes = keep(len * count);

	for (i = 0; i < count; i++)
		memcpy(bytes + i * len, text, len);
	return str_of(bytes, len * count);
}

static struct str
joined(struct str a, struct str b)
{
	char *bytes = keep(a.len + b.len);

	memcpy(bytes, a.data, a.len);
	memcpy(bytes + a.len, b.data, b.len);
	return str_of(bytes, a.len + b.len);
}

static uint64_t
cpu_ms(void)
{
	return (uint64_t)clock() * 1000 / CLOCKS_PER_SEC;
}

TEST(an_empty_message_has_no_fields_and_no_body)
{
	struct message *message = open_text("");

	CHECK_INT(field_count(message), 0);
	CHECK_UINT(message_body(message), 0);
	CHECK_UINT(message_end(message), 0);
	CHECK_UINT(message_size_crlf(message), 0);
	CHECK(field(message, "subject") == NULL);
	message_close(&message);
	CHECK(message == NULL);
}

TEST(a_message_without_header_begins_with_an_empty_line)
{
	struct message *message = open_text("\r\nSubject: in the body\r\n");

	CHECK_INT(field_count(message), 0);
	CHECK_UINT(message_body(message), 2);
	message_close(&message);
}

TEST(a_header_without_body_ends_at_the_end)
{
	struct message *message = open_text("Subject: hello");

	check_value(message, "subject", " hello");
	CHECK_UINT(message_body(message), 14);
	CHECK_UINT(field(message, "subject")->end, 14);
	message_close(&message);
}

TEST(fields_are_found_whatever_the_case_and_in_their_order)
{
	struct message *message = open_text("Received: one\nTo: a\nRECEIVED: "
					    "two\nreceived: three\n\nbody\n");
	const struct header_field *next = field(message, "Received");

	CHECK_STR_IS(next->value, " one");
	next = message_field_next(message, STR("Received"), next);
	CHECK_STR_IS(next->value, " two");
	next = message_field_next(message, STR("received"), next);
	CHECK_STR_IS(next->value, " three");
	CHECK(message_field_next(message, STR("received"), next) == NULL);
	message_close(&message);
}

TEST(the_search_may_go_on_behind_a_field_of_another_name)
{
	struct message *message = open_text("A: 1\nB: 2\nA: 3\nB: 4\nA: 5\n\n");
	size_t count;
	const struct header_field *fields = message_fields(message, &count);

	CHECK_STR_IS(
		message_field_next(message, STR("a"), &fields[1])->value, " 3");
	CHECK_STR_IS(
		message_field_next(message, STR("a"), &fields[3])->value, " 5");
	CHECK(message_field_next(message, STR("c"), &fields[3]) == NULL);
	CHECK(message_field_next(message, STR("b"), &fields[4]) == NULL);
	message_close(&message);
}

TEST(a_folded_value_keeps_its_folds_and_loses_its_last_line_end)
{
	struct message *message = open_text(
		"Subject: one\r\n two\r\n\tthree\r\nTo: x\r\n\r\nbody");

	check_value(message, "subject", " one\r\n two\r\n\tthree");
	check_value(message, "to", " x");
	CHECK_UINT(field(message, "to")->start, 28);
	CHECK_UINT(field(message, "to")->end, 35);
	CHECK_UINT(message_body(message), 37);
	message_close(&message);
}

TEST(a_line_of_blanks_is_a_fold_and_not_the_end)
{
	struct message *message = open_text("A: x\n \n\t\nB: y\n\n");

	check_value(message, "a", " x\n \n\t");
	check_value(message, "b", " y");
	message_close(&message);
}

TEST(broken_lines_are_skipped_with_their_folds)
{
	struct message *message = open_text(" leading: blank\n more\n"
					    "no colon here\n fold: x\n"
					    ": no name\n"
					    "  \n"
					    "a blank inside: x\n"
					    ">From amy Fri 10:11:12\n"
					    "Subject: found\n\nbody\n");

	CHECK_INT(field_count(message), 1);
	check_value(message, "subject", " found");
	message_close(&message);
}

/* RFC 5322 4.5 */
TEST(blanks_before_the_colon_do_not_count)
{
	struct message *message = open_text("Subject \t : x\n\n");

	check_value(message, "subject", " x");
	message_close(&message);
}

TEST(values_may_hold_nul_and_8_bit)
{
	struct message *message =
		open_bytes(STR("X: a\0b\xff\nY\0Z: q\nB\xe9: c\n\n\0"));

	CHECK_STR_EQUAL(field(message, "x")->value, STR(" a\0b\xff"));
	CHECK_STR_EQUAL(message_field_next(message, STR("y\0z"), NULL)->value,
		STR(" q"));
	check_value(message, "b\xe9", " c");
	CHECK_UINT(message_end(message) - message_body(message), 1);
	message_close(&message);
}

TEST(a_lone_cr_is_data)
{
	struct message *message =
		open_text("A: x\ry\r\r\n\r\rB: z\n\r\nbody\r");

	check_value(message, "a", " x\ry\r");
	CHECK(field(message, "b") == NULL);
	CHECK(field(message, "\r\rb") != NULL);
	CHECK_UINT(message_end(message) - message_body(message), 5);
	message_close(&message);
}

TEST(an_mbox_line_is_dropped_and_names_the_sender)
{
	struct message *message =
		open_text("From amy@example.org Fri Jul  4 10:00:00 2025\r\n"
			  "Subject: x\n\nbody\n");
	struct str sender;

	CHECK_UINT(message_start(message), 47);
	CHECK_UINT(message_end(message), 64);
	CHECK_UINT(message_size_lf(message), 17);
	CHECK_UINT(message_size_crlf(message), 20);
	CHECK(message_has_only_lf(message));
	CHECK_UINT(field(message, "subject")->start, 47);
	CHECK(message_mbox_sender(message, &sender));
	CHECK_STR_IS(sender, "amy@example.org");
	message_close(&message);
}

static void
check_mbox_sender(const char *text, const char *expected)
{
	struct message *message = open_text(text);
	struct str sender = STR("unset");
	bool found = message_mbox_sender(message, &sender);

	CHECK_INT(found, expected != NULL);
	if (expected != NULL)
		CHECK_STR_IS(sender, expected);
	message_close(&message);
}

TEST(an_mbox_line_may_name_the_null_sender_or_nobody)
{
	check_mbox_sender("From MAILER-DAEMON Fri Jul\n\n", "");
	check_mbox_sender("From mailer-daemon\n\n", "");
	check_mbox_sender("From <> Fri Jul\n\n", "");
	check_mbox_sender("From - Fri Jul\n\n", NULL);
	check_mbox_sender("From \n\n", NULL);
	check_mbox_sender("From  amy\t Fri\n", "amy");
	check_mbox_sender("From \"a b\"@c Fri\n", "\"a b\"@c");
	check_mbox_sender("From \"a\\\" b\"@c Fri\n", "\"a\\\" b\"@c");
	check_mbox_sender("From \"a b@c Fri\\", "\"a b@c Fri\\");
	check_mbox_sender("Subject: x\n\n", NULL);
}

TEST(only_a_real_mbox_line_is_dropped)
{
	static const char *const texts[] = {">From amy Fri\n\n", "from amy\n\n",
		"From: amy\n\n", "From : amy\n\n", "From \t: amy\n\n", "From",
		"\nFrom amy\n"};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(texts); i++) {
		struct message *message = open_text(texts[i]);

		CHECK_UINT(message_start(message), 0);
		message_close(&message);
	}
}

TEST(an_mbox_line_alone_is_an_empty_message)
{
	struct message *message = open_text("From amy Fri");

	CHECK_UINT(message_start(message), message_end(message));
	CHECK_UINT(message_body(message), message_end(message));
	CHECK_UINT(message_size_crlf(message), 0);
	message_close(&message);
}

TEST(an_mbox_line_may_be_followed_by_the_empty_line)
{
	struct message *message = open_text("From amy Fri\n\nA: b\n");

	CHECK_UINT(message_start(message), 13);
	CHECK_UINT(message_body(message), 14);
	CHECK_INT(field_count(message), 0);
	message_close(&message);
}

/* RFC 5228 5.9 counts CR LF; a Maildir stores LF. */
TEST(sizes_count_every_line_end_as_asked)
{
	struct message *message = open_text("a\nb\r\nc\rd\r\r\n\n");

	CHECK_UINT(message_end(message), 12);
	CHECK_UINT(message_size_lf(message), 10);
	CHECK_UINT(message_size_crlf(message), 14);
	CHECK(!message_has_only_lf(message));
	message_close(&message);
}

/* The same message must come out of every way in. */
static void
check_same(const struct message *a, const struct message *b)
{
	size_t count_a, count_b, i;
	const struct header_field *fields_a = message_fields(a, &count_a);
	const struct header_field *fields_b = message_fields(b, &count_b);
	char bytes_a[64], bytes_b[64];
	struct err err;
	uint64_t at;

	CHECK_UINT(message_start(a), message_start(b));
	CHECK_UINT(message_body(a), message_body(b));
	CHECK_UINT(message_end(a), message_end(b));
	CHECK_UINT(message_size_lf(a), message_size_lf(b));
	CHECK_UINT(message_size_crlf(a), message_size_crlf(b));
	CHECK_INT(count_a, count_b);
	for (i = 0; i < count_a && i < count_b; i++) {
		CHECK_STR_EQUAL(fields_a[i].name, fields_b[i].name);
		CHECK_STR_EQUAL(fields_a[i].value, fields_b[i].value);
		CHECK_UINT(fields_a[i].start, fields_b[i].start);
		CHECK_UINT(fields_a[i].end, fields_b[i].end);
	}
	for (at = 0; at < message_end(a); at += sizeof(bytes_a)) {
		ssize_t got_a =
			message_read(a, bytes_a, sizeof(bytes_a), at, &err);
		ssize_t got_b =
			message_read(b, bytes_b, sizeof(bytes_b), at, &err);

		if (!CHECK_INT(got_a, got_b) || got_a < 0)
			return;
		CHECK(memcmp(bytes_a, bytes_b, (size_t)got_a) == 0);
	}
}

static const struct str odd_message = {
	"From amy Fri\r\nA: one\r\n two\r\n\rB: x\r\nBad\r\r\n\r\n"
	"body\r\n\r\r\nend\r",
	54};

TEST(chunk_borders_change_nothing)
{
	struct message *whole = open_bytes(odd_message);
	struct message_limits limits = usual_limits();
	size_t step;

	for (step = 1; step < 8; step++) {
		struct message *parts = open_pipe(odd_message, step, &limits);

		check_same(whole, parts);
		message_close(&parts);
	}
	message_close(&whole);
}

TEST(a_file_instead_of_memory_changes_nothing)
{
	struct message *whole = open_bytes(odd_message);
	uint64_t memory;
	size_t step;

	for (memory = 0; memory <= odd_message.len; memory += 3) {
		struct message_limits limits = usual_limits();

		limits.memory_bytes = memory;
		for (step = 1; step <= odd_message.len; step *= 4) {
			struct message *parts =
				open_pipe(odd_message, step, &limits);

			check_same(whole, parts);
			message_close(&parts);
		}
	}
	message_close(&whole);
}

TEST(only_the_header_of_a_long_message_stays_in_memory)
{
	struct str body = repeated("0123456789\r\n", 100000);
	struct str all = joined(STR("A: x\r\nB: y\r\n\r\n"), body);
	struct message_limits limits = usual_limits();
	struct message *message = open_file(all, &limits);
	char tail[20];
	struct str view;
	struct err err;

	CHECK_UINT(message_body(message), 14);
	CHECK_UINT(message_size_lf(message), 11 + 11 * 100000);
	CHECK(message_view(message, 0, 14, &view));
	CHECK(!message_view(message, 0, 15, &view));
	CHECK_INT(
		message_read(message, tail, 20, message_end(message) - 5, &err),
		5);
	CHECK_STR_EQUAL(str_of(tail, 5), STR("789\r\n"));
	CHECK_INT(
		message_read(message, tail, 20, message_end(message), &err), 0);
	message_close(&message);
}

TEST(views_never_pass_the_end)
{
	struct message *message = open_text("A: x\n\nbody");
	struct str view;

	CHECK(message_view(message, 6, 10, &view));
	CHECK_STR_IS(view, "body");
	CHECK(!message_view(message, 6, 11, &view));
	CHECK(!message_view(message, 6, UINT64_MAX, &view));
	CHECK(!message_view(message, 7, 6, &view));
	message_close(&message);
}

static int
open_limited(struct message_limits *limits, struct str bytes, struct err *err)
{
	const char *path = test_file_bytes("message", bytes);
	struct message *message = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC), result;

	result = message_open_fd(fd, limits, &message, err);
	fd_close(&fd);
	message_close(&message);
	return result;
}

TEST(a_message_of_exactly_the_limit_passes_and_one_byte_more_does_not)
{
	struct message_limits limits = usual_limits();
	struct message *message = NULL;
	struct err err;

	limits.message_bytes = 10;
	CHECK_INT(open_limited(&limits, STR("A: x\n\n1234"), &err), 0);
	CHECK_INT(open_limited(&limits, STR("A: x\n\n12345"), &err), -1);
	CHECK_INT(err.kind, ERR_TOO_BIG);
	CHECK_STR(err.status, "5.2.3");
	CHECK_INT(message_open_bytes(
			  STR("A: x\n\n12345"), &limits, &message, &err),
		-1);
	CHECK_INT(err.kind, ERR_TOO_BIG);
}

TEST(a_temporary_folder_that_is_missing_is_temporary_and_named)
{
	struct message_limits limits = usual_limits();
	struct err err;

	limits.memory_bytes = 1;
	limits.temp_folder = "/nonexistent/spool";
	CHECK_INT(open_limited(&limits, STR("A: x\n\n"), &err), -1);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_STR(err.status, "4.3.0");
	CHECK(strstr(err.detail, "/nonexistent/spool") != NULL);
}

TEST(a_full_temporary_folder_is_4_3_1)
{
	struct message_limits limits = usual_limits();
	struct rlimit small = {1000, 1000};
	struct err err;

	/* EFBIG is what a size limit of the process looks like. */
	signal(SIGXFSZ, SIG_IGN);
	limits.memory_bytes = 1;
	test_file_bytes("message", repeated("0123456789", 200));
	REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
	{
		int fd = open(test_path("message"), O_RDONLY | O_CLOEXEC);
		struct message *message = NULL;

		CHECK_INT(message_open_fd(fd, &limits, &message, &err), -1);
		fd_close(&fd);
	}
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_STR(err.status, "4.3.1");
	CHECK(strstr(err.detail, test_folder()) != NULL);
}

TEST(input_that_cannot_be_read_is_temporary)
{
	struct message_limits limits = usual_limits();
	struct message *message = NULL;
	struct err err;

	CHECK_INT(message_open_fd(-1, &limits, &message, &err), -1);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_STR(err.status, "4.3.0");
	CHECK(message == NULL);
}

TEST(no_more_fields_than_the_limit_are_indexed)
{
	struct message_limits limits = usual_limits();
	struct message *message = NULL;
	struct err err;

	limits.header_fields = 2;
	REQUIRE(message_open_bytes(STR("A: 1\nB: 2\nC: 3\n\nbody"), &limits,
			&message, &err) == 0);
	CHECK_INT(field_count(message), 2);
	CHECK(field(message, "c") == NULL);
	CHECK_UINT(message_body(message), 16);
	message_close(&message);
}

TEST(fields_that_end_beyond_the_header_limit_are_not_indexed)
{
	const struct str bytes = STR("A: 1\nB: 2\n fold\nC: 3\n\nbody");
	struct message_limits limits = usual_limits();
	uint64_t header_bytes, memory;

	for (memory = 0; memory < 100; memory += 50) {
		for (header_bytes = 0; header_bytes < 30; header_bytes++) {
			struct message *message;

			limits.header_bytes = header_bytes;
			limits.memory_bytes = memory;
			message = open_file(bytes, &limits);
			CHECK_UINT(message_body(message), 22);
			/* The next line decides whether a field is over. */
			CHECK_INT(
				field(message, "a") != NULL, header_bytes > 5);
			CHECK_INT(
				field(message, "b") != NULL, header_bytes > 16);
			CHECK_INT(
				field(message, "c") != NULL, header_bytes > 21);
			message_close(&message);
		}
	}
}

TEST(an_mbox_line_beyond_the_header_limit_is_mail)
{
	struct message_limits limits = usual_limits();
	uint64_t memory;

	for (memory = 0; memory < 100; memory += 50) {
		struct message *message;

		limits.memory_bytes = memory;
		limits.header_bytes = 13;
		message = open_file(STR("From amy Fri\nA: b\n\n"), &limits);
		CHECK_UINT(message_start(message), 13);
		message_close(&message);
		limits.header_bytes = 12;
		message = open_file(STR("From amy Fri\nA: b\n\n"), &limits);
		CHECK_UINT(message_start(message), 0);
		message_close(&message);
	}
}

TEST(a_header_of_10_mb_works)
{
	struct str lines = repeated("X-Line: 0123456789\r\n", 500000);
	struct str all = joined(lines, STR("Subject: last\r\n\r\nbody\r\n"));
	struct message_limits limits = usual_limits();
	struct message *message;

	limits.header_fields = 1000000;
	message = open_file(all, &limits);
	CHECK_INT(field_count(message), 500001);
	check_value(message, "subject", " last");
	CHECK_UINT(message_body(message), all.len - 6);
	message_close(&message);
}

TEST(one_folded_field_of_10_mb_works)
{
	struct str folds = repeated(" x\n", 3500000);
	struct str all =
		joined(joined(STR("Subject:"), folds), STR("A: b\n\n"));
	struct message_limits limits = usual_limits();
	uint64_t started = cpu_ms();
	struct message *message = open_file(all, &limits);

	CHECK_INT(field_count(message), 2);
	CHECK_UINT(field(message, "subject")->value.len, folds.len - 1);
	CHECK(cpu_ms() - started < 3000);
	message_close(&message);
}

TEST(a_million_fields_take_bounded_time)
{
	struct message_limits limits = usual_limits();
	struct str all = repeated("X-Same: y\n", 1000000);
	uint64_t started = cpu_ms();
	struct message *message;
	int i;

	limits.header_fields = 2000000;
	message = open_file(all, &limits);
	CHECK_INT(field_count(message), 1000000);
	for (i = 0; i < 100000; i++)
		CHECK(field(message, "subject") == NULL);
	CHECK(cpu_ms() - started < 5000);
	message_close(&message);
}

TEST(a_header_of_nothing_but_nul_is_harmless)
{
	struct str all = str_of(keep(5000000), 5000000);
	struct message_limits limits = usual_limits();
	struct message *message;

	message = open_file(all, &limits);
	CHECK_INT(field_count(message), 0);
	CHECK_UINT(message_body(message), all.len);
	message_close(&message);
}

static void
read_100_mb(void *context)
{
	struct message_limits limits = usual_limits();
	struct message *message = NULL;
	struct rusage before, after;
	struct err err;
	int *fd = context;

	getrusage(RUSAGE_SELF, &before);
	if (message_open_fd(*fd, &limits, &message, &err) < 0)
		_exit(1);
	getrusage(RUSAGE_SELF, &after);
	if (message_end(message) < 100000000)
		_exit(2);
	message_close(&message);
	_exit(after.ru_maxrss - before.ru_maxrss < 4096 ? 0 : 3);
}

TEST(a_message_of_100_mb_takes_constant_memory)
{
	struct str block = repeated("0123456789012345678901234567890\n", 32768);
	const char *path = test_file_bytes("big", STR("Subject: x\n\n"));
	int fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC), i;

	REQUIRE(fd >= 0);
	for (i = 0; i < 100; i++)
		REQUIRE(fd_write(fd, block) == 0);
	REQUIRE(lseek(fd, 0, SEEK_SET) == 0);
	CHECK_INT(test_child(read_100_mb, &fd), 0);
	fd_close(&fd);
}

/* ---- a file that is there already ---- */

static int
take_file(struct str bytes, uint64_t size, struct message **message,
	struct err *err)
{
	struct message_limits limits = usual_limits();
	const char *path = test_file_bytes("spooled", bytes);
	int fd = open(path, O_RDWR | O_CLOEXEC), result;

	limits.memory_bytes = 1000;
	limits.message_bytes = 1024 * 1024;
	REQUIRE(fd >= 0);
	result = message_open_file_take(&fd, size, &limits, message, err);
	CHECK_INT(fd, -1);
	return result;
}

/* Short ones are held in memory. */
TEST(a_file_that_is_taken_over_is_read_as_any_other)
{
	static const size_t sizes[] = {0, 10, 1000, 1001, 70000, 300000};
	struct buf text;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		struct message *message, *other;
		struct err err;
		struct str all;

		buf_init(&text, BUF_UNLIMITED);
		buf_add_text(&text, "Subject: x\r\n\r\n");
		while (text.len < sizes[i])
			buf_add_text(&text, "0123456789\n");
		all = str_slice(buf_view(&text), 0, sizes[i]);
		REQUIRE(take_file(all, all.len, &message, &err) == 0);
		other = open_bytes(all);
		CHECK_UINT(message_end(message), message_end(other));
		CHECK_UINT(message_body(message), message_body(other));
		CHECK_UINT(message_size_lf(message), message_size_lf(other));
		CHECK_UINT(
			message_size_crlf(message), message_size_crlf(other));
		message_close(&message);
		message_close(&other);
		buf_clear(&text);
	}
}

TEST(a_file_of_another_size_than_was_said_is_temporary)
{
	struct message *message;
	struct err err;

	CHECK_INT(take_file(STR("A: b\n\n"), 7, &message, &err), -1);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_INT(take_file(STR("A: b\n\n"), 5, &message, &err), -1);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_INT(take_file(STR("A: b\n\n"), UINT64_MAX, &message, &err), -1);
	CHECK_INT(err.kind, ERR_TEMPORARY);
}

/* Reading a pipe would wait for its writer. */
TEST(a_pipe_is_not_taken_for_a_message)
{
	struct message_limits limits = usual_limits();
	struct message *message;
	struct err err;
	int ends[2];

	REQUIRE(pipe(ends) == 0);
	CHECK_INT(message_open_file_take(&ends[0], 0, &limits, &message, &err),
		-1);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	close(ends[1]);
}

/* Never a SIGBUS. */
TEST(a_file_that_shrinks_afterwards_is_temporary)
{
	struct message_limits limits = usual_limits();
	struct message *message;
	struct err err;
	char bytes[100];
	struct str all = {"Subject: x\n\n0123456789", 22};
	const char *path = test_file_bytes("spooled", all);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	limits.memory_bytes = 5;
	REQUIRE(fd >= 0);
	REQUIRE(message_open_file_take(&fd, all.len, &limits, &message, &err) ==
		0);
	REQUIRE(truncate(path, 14) == 0);
	CHECK_INT(message_read(message, bytes, sizeof(bytes), 12, &err), -1);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	message_close(&message);
}
