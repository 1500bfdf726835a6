/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <fcntl.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"

#include "tests/lib/test.h"

#include "base/banned.h"

static struct log_settings
settings_for(const char *path)
{
	return (struct log_settings){.path = path,
		.info_path = "",
		.debug_path = "",
		.facility = "mail",
		.timestamp = "%b %d %H:%M:%S "};
}

/* Standard error goes to a file from now on. */
static const char *
capture_stderr(void)
{
	const char *path = test_path("stderr");
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	REQUIRE(fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
	close(fd);
	return path;
}

TEST(before_it_is_opened_lines_go_to_standard_error)
{
	const char *path = capture_stderr();

	log_error("trouble with %s", "x");
	log_set_prefix("lda(amy):");
	log_info("saved");
	log_debug("not asked for");
	CHECK_STR_IS(test_read(path),
		"Error: trouble with x\nlda(amy): Info: saved\n");
}

TEST(a_line_in_a_file_has_time_prefix_and_level)
{
	const char *path = test_path("log");
	struct log_settings settings = settings_for(path);

	clock_fix(1793396358, 0, "mx", 42);
	log_open(&settings);
	log_set_prefix("lda(amy)<42><AqKOK>:");
	log_info("saved");
	log_warning("slow");
	log_close();
	CHECK_STR_IS(test_read(path),
		"Oct 30 21:39:18 lda(amy)<42><AqKOK>: Info: saved\n"
		"Oct 30 21:39:18 lda(amy)<42><AqKOK>: Warning: slow\n");
}

TEST(no_text_can_write_a_line_of_its_own)
{
	const char *path = test_path("log");
	struct log_settings settings = settings_for(path);

	settings.timestamp = "";
	log_open(&settings);
	log_error("%s", "a\nb\rc\td\x1b[31me\x7f");
	log_close();
	CHECK_STR_IS(test_read(path), "Error: a?b?c d?[31me?\n");
}

/* C1 controls, marks that turn the direction of writing, bytes that are no UTF-8;
 * letters of every script stay. */
TEST(no_text_can_disguise_a_line)
{
	const char *path = capture_stderr();

	log_error("a\x9b"
		  "31m \xc2\x9b \xe2\x80\xae \xe2\x81\xa6 Gr\xc3\xbc\xc3\x9f");
	CHECK_STR_IS(test_read(path),
		"Error: a?31m ?? ??? ??? Gr\xc3\xbc\xc3\x9f\n");
}

TEST(a_log_that_cannot_be_opened_without_syslog_is_standard_error)
{
	const char *path = capture_stderr();
	struct log_settings settings = settings_for("/nonexistent/log");

	if (access("/dev/log", F_OK) == 0)
		SKIP("there is a syslog here");
	log_open(&settings);
	log_error("trouble");
	log_close();
	CHECK_STR_IS(test_read(path),
		"log: cannot open the log /nonexistent/log: No such file or "
		"directory; writing to standard error in its place\n"
		"Error: trouble\n");
}

TEST(too_long_a_line_is_cut_and_ended)
{
	const char *path = test_path("log");
	struct log_settings settings = settings_for(path);
	char text[20000], prefix[2000];
	struct str found;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	memset(prefix, 'p', sizeof(prefix));
	prefix[sizeof(prefix) - 1] = '\0';
	log_open(&settings);
	log_set_prefix(prefix);
	log_error("%s", text);
	log_error("next");
	log_close();
	found = test_read(path);
	CHECK(found.len < 6000);
	CHECK(str_ends(found, STR(" Error: next\n")));
	CHECK_UINT(str_find(found, STR("x\n")) + 2 < found.len, true);
}

TEST(each_level_has_its_file)
{
	struct log_settings settings = settings_for(test_path("errors"));

	settings.info_path = test_path("info");
	settings.debug_path = test_path("debug");
	settings.timestamp = "";
	settings.debug = true;
	log_open(&settings);
	CHECK(log_has_debug());
	log_error("e");
	log_warning("w");
	log_info("i");
	log_debug("d");
	log_close();
	CHECK_STR_IS(test_read(settings.path), "Error: e\nWarning: w\n");
	CHECK_STR_IS(test_read(settings.info_path), "Info: i\n");
	CHECK_STR_IS(test_read(settings.debug_path), "Debug: d\n");
}

TEST(debug_lines_are_written_only_when_asked_for)
{
	const char *path = test_path("log");
	struct log_settings settings = settings_for(path);

	log_open(&settings);
	CHECK(!log_has_debug());
	log_debug("d");
	log_close();
	CHECK_STR_IS(test_read(path), "");
}

/* A log in trouble must not stop mail. */
TEST(a_log_that_cannot_be_opened_stops_nothing)
{
	struct log_settings settings = settings_for(test_path("no/such/log"));

	log_open(&settings);
	log_error("goes to syslog");
	log_close();
	CHECK(access(settings.path, F_OK) < 0);
}

TEST(a_full_disk_stops_nothing)
{
	struct log_settings settings = settings_for("/dev/full");

	log_open(&settings);
	log_error("lost");
	log_close();
	CHECK(!log_has_debug());
}

TEST(the_log_can_be_opened_again)
{
	struct log_settings settings = settings_for(test_path("log"));

	settings.timestamp = "";
	log_open(&settings);
	log_info("one");
	log_close();
	log_close();
	log_open(&settings);
	log_info("two");
	log_close();
	CHECK_STR_IS(test_read(settings.path), "Info: one\nInfo: two\n");
}

/* ---- a log that another process opened ---- */

TEST(a_log_is_handed_on_by_descriptors)
{
	struct log_settings settings = settings_for(test_path("errors"));
	int borrowed[LOG_DESCRIPTORS], fds[LOG_DESCRIPTORS];
	size_t i;

	settings.info_path = test_path("info");
	settings.debug_path = test_path("debug");
	settings.timestamp = "";
	settings.debug = true;
	log_open(&settings);
	log_descriptors(borrowed);
	for (i = 0; i < LOG_DESCRIPTORS; i++)
		REQUIRE((fds[i] = dup(borrowed[i])) >= 0);
	log_close();
	/* A process that may not open them has them all the same. */
	REQUIRE(unlink(settings.path) == 0);
	settings.path = settings.info_path = settings.debug_path =
		"/nonexistent/log";
	settings.inherited = fds;
	log_open(&settings);
	log_error("e");
	log_info("i");
	log_debug("d");
	log_close();
	CHECK(access(test_path("errors"), F_OK) < 0);
	CHECK_STR_IS(test_read(test_path("info")), "Info: i\n");
	CHECK_STR_IS(test_read(test_path("debug")), "Debug: d\n");
	CHECK(fcntl(fds[0], F_GETFD) < 0);
}

TEST(a_process_that_inherits_the_log_opens_no_file)
{
	const char *path = test_path("log"), *captured = capture_stderr();
	struct log_settings settings = settings_for(path);
	const int none[LOG_DESCRIPTORS] = {-1, -1, -1};

	settings.inherited = none;
	log_open(&settings);
	log_error("lost and found");
	log_close();
	CHECK(access(path, F_OK) < 0);
	if (access("/dev/log", W_OK) < 0)
		CHECK_STR_IS(test_read(captured), "Error: lost and found\n");
}

TEST(a_file_can_be_replaced_by_one_that_another_process_opened)
{
	struct log_settings settings = settings_for(test_path("errors"));
	int fds[LOG_DESCRIPTORS] = {-1, -1, -1};

	settings.timestamp = "";
	settings.info_path = test_path("info");
	log_open(&settings);
	log_error("before");
	log_info("before");
	REQUIRE(rename(test_path("errors"), test_path("errors.1")) == 0);
	fds[0] = open(test_path("errors"),
		O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	REQUIRE(fds[0] >= 0);
	log_replace(fds);
	CHECK(fcntl(fds[0], F_GETFD) < 0);
	log_error("after");
	log_warning("after");
	log_info("after");
	log_close();
	CHECK_STR_IS(test_read(test_path("errors.1")), "Error: before\n");
	CHECK_STR_IS(test_read(test_path("errors")),
		"Error: after\nWarning: after\n");
	CHECK_STR_IS(
		test_read(test_path("info")), "Info: before\nInfo: after\n");
}

TEST(a_log_that_is_no_file_is_not_replaced)
{
	const char *captured = capture_stderr();
	struct log_settings settings = settings_for("/dev/stderr");
	int fds[LOG_DESCRIPTORS] = {-1, -1, -1};

	log_open(&settings);
	fds[0] = open(test_path("log"),
		O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	REQUIRE(fds[0] >= 0);
	log_replace(fds);
	CHECK(fcntl(fds[0], F_GETFD) < 0);
	log_error("here");
	log_close();
	CHECK_STR_IS(test_read(captured), "Error: here\n");
}

TEST(only_files_are_handed_on)
{
	struct log_settings settings = settings_for("/dev/stderr");
	int fds[LOG_DESCRIPTORS] = {9, 9, 9};

	log_descriptors(fds);
	CHECK_INT(fds[0], -1);
	log_open(&settings);
	log_descriptors(fds);
	CHECK_INT(fds[0], -1);
	CHECK_INT(fds[1], -1);
	CHECK_INT(fds[2], -1);
	log_close();
}

TEST(facilities_have_the_names_of_syslog)
{
	CHECK_INT(log_facility_parse("mail"), LOG_MAIL);
	CHECK_INT(log_facility_parse("local7"), LOG_LOCAL7);
	CHECK_INT(log_facility_parse("local8"), -1);
	CHECK_INT(log_facility_parse(""), -1);
}
