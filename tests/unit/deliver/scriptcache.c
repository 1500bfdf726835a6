/* SPDX-License-Identifier: MIT */
#include "deliver/scriptcache.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/filestate.h"
#include "mail/message.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static struct err err;

/* A cache, a script, and what became of loading it. */
struct fixture {
	struct sieve_host host;
	struct arena *arena;
	struct script_cache *cache;
	const struct message *message;
	struct sieve_settings settings;
	struct script_folders folders;
	struct sieve_report report;
	const char *path;
};

static const struct message *
answer_message(struct sieve_host *host)
{
	return CONTAINER_OF(host, struct fixture, host)->message;
}

static bool
answer_envelope(struct sieve_host *host UNUSED,
	enum sieve_envelope_part part UNUSED, struct address *address UNUSED)
{
	return false;
}

static enum lookup
answer_mailbox_exists(struct sieve_host *host UNUSED, struct str mailbox UNUSED,
	struct err *problem UNUSED)
{
	return LOOKUP_FOUND;
}

static const struct sieve_host_ops ops = {
	.message = answer_message,
	.envelope = answer_envelope,
	.mailbox_exists = answer_mailbox_exists,
};

/* So late that no file of the test is in doubt. */
static void
wait_for_settled_files(void)
{
	struct timespec now = clock_now();

	clock_fix(now.tv_sec + FILE_STATE_DOUBT_S + 60, 0, "host", 1);
}

static void
begin(struct fixture *f, const struct script_cache_limits *limits)
{
	*f = (struct fixture){.host = {&ops},
		.arena = arena_open(),
		.cache = script_cache_open(limits),
		.settings = {.extensions = ""}};
	wait_for_settled_files();
}

static void
finish(struct fixture *f)
{
	script_cache_close(&f->cache);
	arena_close(&f->arena);
}

/* Rewrites the file in place where there is one. */
static const char *
write_script(const char *name, const char *text)
{
	int fd = open(test_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		0600);

	REQUIRE(fd >= 0);
	REQUIRE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	REQUIRE(close(fd) == 0);
	return test_path(name);
}

static enum lookup
load(struct fixture *f, struct script_cache *cache, const char *path,
	struct sieve_program **program_out)
{
	sieve_report_init(&f->report, f->arena);
	*program_out = NULL;
	return script_cache_load(cache, f->arena, &f->settings, &f->folders,
		path, program_out, &f->report, &err);
}

/* What the program wants done with the message. */
static const char *
judge(struct fixture *f, const struct sieve_program *program)
{
	struct sieve_result result = {.arena = f->arena};
	const char *text = "";
	size_t i;

	switch (sieve_run(
		program, &f->settings, &f->host, &result, &f->report, &err)) {
	case SIEVE_OK:
		break;
	case SIEVE_FAILED:
		return f->report.problems[f->report.count - 1].text;
	case SIEVE_TEMPORARY:
		return "temporary";
	}
	for (i = 0; i < result.count; i++)
		text = arena_format(f->arena, "%s%.*s; ", text,
			STR_ARG(sieve_action_text(
				f->arena, &result.actions[i])));
	return result.implicit_keep ? arena_format(f->arena, "%skeep", text)
	                            : text;
}

static struct message *
open_message(const char *text)
{
	static const struct message_limits limits = {.memory_bytes = 131072,
		.header_bytes = 1048576,
		.header_fields = 1000,
		.temp_folder = "/tmp"};
	struct message *message;

	REQUIRE(message_open_bytes(str_from(text), &limits, &message, &err) ==
		0);
	return message;
}

/* The actions of the script at `path` for some message. */
static const char *
run(struct fixture *f, const char *path)
{
	struct message *message = open_message("Subject: hello\n\n");
	struct sieve_program *program;
	const char *text = "trouble";

	f->message = message;
	switch (load(f, f->cache, path, &program)) {
	case LOOKUP_FOUND:
		text = judge(f, program);
		break;
	case LOOKUP_NONE:
		text = f->report.problems[0].text;
		break;
	case LOOKUP_ERROR:
		break;
	}
	message_close(&message);
	return text;
}

static void
write_includer(struct fixture *f, const char *include)
{
	f->path = write_script(
		"s", arena_format(f->arena, "require \"include\"; include %s;",
			     include));
	f->folders.personal = test_folder();
}

static size_t
compiled(const struct fixture *f)
{
	return script_cache_counts(f->cache).compiled;
}

TEST(a_script_is_compiled_once)
{
	struct fixture f;
	const char *path;

	begin(&f, NULL);
	path = write_script("s", "discard;");
	CHECK_STR(run(&f, path), "discard; ");
	CHECK_STR(run(&f, path), "discard; ");
	CHECK_UINT(compiled(&f), 1);
	CHECK_UINT(script_cache_counts(f.cache).hits, 1);
	finish(&f);
}

TEST(an_edit_of_the_same_size_counts_at_once)
{
	struct fixture f;
	const char *path;

	begin(&f, NULL);
	path = write_script("s", "discard;");
	CHECK_STR(run(&f, path), "discard; ");
	write_script("s", "keep;   ");
	CHECK_STR(run(&f, path), "keep; ");
	CHECK_UINT(script_cache_counts(f.cache).scripts, 1);
	finish(&f);
}

TEST(an_edit_that_keeps_the_time_of_modification_counts_too)
{
	struct fixture f;
	struct stat status;
	const char *path;

	begin(&f, NULL);
	path = write_script("s", "discard;");
	REQUIRE(stat(path, &status) == 0);
	CHECK_STR(run(&f, path), "discard; ");
	write_script("s", "keep;   ");
	REQUIRE(utimensat(AT_FDCWD, path,
			(struct timespec[]){status.st_atim, status.st_mtim},
			0) == 0);
	CHECK_STR(run(&f, path), "keep; ");
	finish(&f);
}

TEST(a_file_renamed_over_it_counts_at_once)
{
	struct fixture f;
	const char *path;

	begin(&f, NULL);
	path = write_script("s", "discard;");
	CHECK_STR(run(&f, path), "discard; ");
	REQUIRE(rename(write_script("t", "keep;   "), path) == 0);
	CHECK_STR(run(&f, path), "keep; ");
	finish(&f);
}

TEST(another_target_of_the_active_link_counts_at_once)
{
	struct fixture f;
	const char *path = test_path("active");

	begin(&f, NULL);
	write_script("one", "discard;");
	write_script("two", "keep;   ");
	REQUIRE(symlink("one", path) == 0);
	CHECK_STR(run(&f, path), "discard; ");
	CHECK_STR(run(&f, path), "discard; ");
	CHECK_UINT(compiled(&f), 1);
	REQUIRE(symlink("two", test_path("next")) == 0);
	REQUIRE(rename(test_path("next"), path) == 0);
	CHECK_STR(run(&f, path), "keep; ");
	REQUIRE(unlink(path) == 0);
	CHECK_STR(run(&f, path), "trouble");
	CHECK_STR(err.status, "4.3.0");
	finish(&f);
}

TEST(a_script_that_changed_a_moment_ago_is_not_kept)
{
	struct fixture f;
	struct stat status;
	const char *path;

	begin(&f, NULL);
	path = write_script("s", "discard;");
	/* The time of modification can be set, that of the change cannot. */
	REQUIRE(utimensat(AT_FDCWD, path, (struct timespec[]){{1, 0}, {1, 0}},
			0) == 0);
	REQUIRE(stat(path, &status) == 0);
	clock_fix(status.st_ctim.tv_sec + FILE_STATE_DOUBT_S, 0, "host", 1);
	CHECK_STR(run(&f, path), "discard; ");
	CHECK_STR(run(&f, path), "discard; ");
	CHECK_UINT(compiled(&f), 2);
	CHECK_UINT(script_cache_counts(f.cache).scripts, 0);
	/* Nor one whose time is still to come. */
	clock_fix(status.st_ctim.tv_sec - 1000, 0, "host", 1);
	CHECK_STR(run(&f, path), "discard; ");
	CHECK_UINT(script_cache_counts(f.cache).scripts, 0);
	clock_fix(status.st_ctim.tv_sec + FILE_STATE_DOUBT_S + 1, 0, "host", 1);
	CHECK_STR(run(&f, path), "discard; ");
	CHECK_UINT(script_cache_counts(f.cache).scripts, 1);
	finish(&f);
}

TEST(a_script_that_has_become_unreadable_is_trouble)
{
	struct fixture f;
	const char *path;

	begin(&f, NULL);
	path = write_script("s", "discard;");
	if (geteuid() == 0) {
		REQUIRE(chmod(arena_format(f.arena, "%s/..", test_folder()),
				0711) == 0);
		REQUIRE(chmod(test_folder(), 0755) == 0);
		REQUIRE(chown(path, 12345, 12345) == 0);
		REQUIRE(seteuid(12345) == 0);
	}
	CHECK_STR(run(&f, path), "discard; ");
	REQUIRE(chmod(path, 0) == 0);
	CHECK_STR(run(&f, path), "trouble");
	CHECK_STR(err.status, "4.3.0");
	REQUIRE(seteuid(getuid()) == 0);
	finish(&f);
}

TEST(settings_make_another_program)
{
	struct fixture f;
	const char *path;

	begin(&f, NULL);
	path = write_script(
		"s", "require \"fileinto\"; fileinto \"A\"; fileinto \"B\";");
	CHECK_STR(run(&f, path), "fileinto \"A\"; fileinto \"B\"; ");
	f.settings.extensions = "-fileinto";
	CHECK(strstr(run(&f, path), "fileinto") != NULL);
	CHECK_INT(f.report.errors, 1);
	f.settings.extensions = "";
	CHECK_STR(run(&f, path), "fileinto \"A\"; fileinto \"B\"; ");
	CHECK_UINT(compiled(&f), 2);
	f.settings.max_actions = 1;
	CHECK(strstr(run(&f, path), "sieve_max_actions") != NULL);
	finish(&f);
}

TEST(an_error_is_kept_with_its_report)
{
	struct fixture f;
	const char *path, *first;

	begin(&f, NULL);
	path = write_script("s", "keep;\nnonsense;\n");
	first = run(&f, path);
	CHECK_INT(f.report.errors, 1);
	CHECK_STR(run(&f, path), first);
	CHECK_INT(f.report.errors, 1);
	CHECK_UINT(f.report.count, 1);
	CHECK_UINT(f.report.problems[0].line, 2);
	CHECK_STR(f.report.problems[0].script, path);
	CHECK_UINT(compiled(&f), 1);
	finish(&f);
}

TEST(the_script_not_used_for_longest_goes_first)
{
	static const struct script_cache_limits two = {2, 1 << 20};
	struct fixture f;
	const char *a, *b, *c;

	begin(&f, &two);
	a = write_script("a", "keep;");
	b = write_script("b", "discard;");
	c = write_script("c", "stop;");
	run(&f, a);
	run(&f, b);
	run(&f, a);
	run(&f, c);
	CHECK_UINT(script_cache_counts(f.cache).scripts, 2);
	CHECK_UINT(compiled(&f), 3);
	run(&f, a);
	CHECK_UINT(compiled(&f), 3);
	run(&f, b);
	CHECK_UINT(compiled(&f), 4);
	finish(&f);
}

TEST(the_bytes_are_bounded)
{
	static const struct script_cache_limits small = {100, 64 * 1024};
	struct fixture f;
	char name[32], *text;
	size_t i;

	begin(&f, &small);
	for (i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "s%zu", i);
		text = arena_format(f.arena, "discard; # %zu", i);
		CHECK_STR(run(&f, write_script(name, text)), "discard; ");
		CHECK(script_cache_counts(f.cache).bytes <= small.bytes);
	}
	CHECK(script_cache_counts(f.cache).scripts > 1);
	/* One that would throw out all others is run, but not kept. */
	text = arena_alloc(f.arena, 70 * 1024);
	memset(text, ' ', 70 * 1024 - 1);
	memcpy(text, "discard;", 8);
	i = script_cache_counts(f.cache).scripts;
	CHECK_STR(run(&f, write_script("large", text)), "discard; ");
	CHECK_UINT(script_cache_counts(f.cache).scripts, i);
	finish(&f);
}

TEST(files_with_the_same_bytes_share_a_program)
{
	static const char text[] = "require \"variables\"; set \"a\" \"b\";\n"
				   "redirect \"${a}\";";
	struct fixture f;
	const char *one, *other;
	size_t bytes;

	begin(&f, NULL);
	one = write_script("one", text);
	other = write_script("other", text);
	CHECK(strstr(run(&f, one), "redirect") != NULL);
	bytes = script_cache_counts(f.cache).bytes;
	CHECK(strstr(run(&f, other), "redirect") != NULL);
	CHECK_UINT(compiled(&f), 1);
	CHECK_UINT(script_cache_counts(f.cache).shared, 1);
	CHECK_UINT(script_cache_counts(f.cache).scripts, 2);
	CHECK(script_cache_counts(f.cache).bytes - bytes < 1024);
	/* Each is told by its own name. */
	CHECK_STR(f.report.problems[0].script, other);
	CHECK(strstr(run(&f, one), "redirect") != NULL);
	CHECK_STR(f.report.problems[0].script, one);
	/* One goes its own way, the other stays. */
	write_script("one", "keep;");
	CHECK_STR(run(&f, one), "keep; ");
	CHECK(strstr(run(&f, other), "redirect") != NULL);
	CHECK_UINT(compiled(&f), 2);
	write_script("other", "keep;");
	CHECK_STR(run(&f, other), "keep; ");
	CHECK_UINT(compiled(&f), 2);
	/* The first text is nobody's any more. */
	write_script("one", text);
	CHECK(strstr(run(&f, one), "redirect") != NULL);
	CHECK_UINT(compiled(&f), 3);
	finish(&f);
}

TEST(the_same_bytes_under_other_settings_are_another_program)
{
	struct fixture f;
	const char *one, *other;

	begin(&f, NULL);
	one = write_script("one", "redirect \"a@b.example\";");
	other = write_script("other", "redirect \"a@b.example\";");
	CHECK_STR(run(&f, one), "redirect \"a@b.example\"; ");
	f.settings.redirects_prohibited = true;
	run(&f, other);
	CHECK_UINT(compiled(&f), 2);
	finish(&f);
}

TEST(scripts_with_warnings_or_includes_share_nothing)
{
	struct fixture f;

	begin(&f, NULL);
	write_includer(&f, ":optional \"a\"");
	CHECK_STR(run(&f, f.path), "keep");
	f.path = write_script(
		"t", "require \"include\"; include :optional \"a\";");
	CHECK_STR(run(&f, f.path), "keep");
	CHECK_UINT(compiled(&f), 2);
	CHECK(strstr(run(&f, write_script("u", "nonsense;")), "nonsense") !=
		NULL);
	CHECK(strstr(run(&f, write_script("v", "nonsense;")), "nonsense") !=
		NULL);
	CHECK_STR(f.report.problems[0].script, test_path("v"));
	CHECK_UINT(compiled(&f), 4);
	finish(&f);
}

TEST(bytes_are_counted_once_and_given_back)
{
	static const struct script_cache_limits few = {3, 1 << 20};
	struct fixture f;
	char name[32];
	size_t one, i;

	begin(&f, &few);
	run(&f, write_script("s", "discard;"));
	one = script_cache_counts(f.cache).bytes;
	for (i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "s%zu", i % 7);
		run(&f, write_script(name, i % 3 ? "discard;" : "keep;   "));
		CHECK(script_cache_counts(f.cache).scripts <= 3);
		CHECK(script_cache_counts(f.cache).bytes <= 3 * one);
	}
	finish(&f);
}

TEST(nothing_is_kept_where_the_limit_is_none)
{
	static const struct script_cache_limits none = {0, 0};
	struct fixture f;
	const char *path;

	begin(&f, &none);
	path = write_script("s", "discard;");
	CHECK_STR(run(&f, path), "discard; ");
	CHECK_STR(run(&f, path), "discard; ");
	CHECK_UINT(compiled(&f), 2);
	finish(&f);
}

TEST(the_actions_outlive_the_program)
{
	static const struct script_cache_limits none = {0, 0};
	struct sieve_result result;
	struct sieve_program *program;
	struct message *message = open_message("Subject: hello\n\n");
	struct fixture f;

	begin(&f, &none);
	f.message = message;
	f.path = write_script("s", "require [\"fileinto\", \"imap4flags\"];"
				   "addflag \"\\\\Seen\";"
				   "fileinto :flags \"$a\" \"A\"; redirect "
				   "\"amy@x.example\"; keep;");
	REQUIRE(load(&f, f.cache, f.path, &program) == LOOKUP_FOUND);
	result = (struct sieve_result){.arena = f.arena};
	REQUIRE(sieve_run(program, &f.settings, &f.host, &result, &f.report,
			&err) == SIEVE_OK);
	/* The next one takes the place of what is not kept. */
	REQUIRE(load(&f, f.cache, write_script("t", "keep;"), &program) ==
		LOOKUP_FOUND);
	REQUIRE(result.count == 3);
	CHECK_STR_IS(sieve_action_text(f.arena, &result.actions[0]),
		"fileinto \"A\" flags=\"$a\"");
	CHECK_STR_IS(sieve_action_text(f.arena, &result.actions[1]),
		"redirect \"amy@x.example\"");
	CHECK_STR_IS(sieve_action_text(f.arena, &result.actions[2]),
		"keep flags=\"\\\\Seen\"");
	CHECK_STR(result.actions[0].script, f.path);
	message_close(&message);
	finish(&f);
}

/* ---- one program, many messages ---- */

static const char script_of_everything[] =
	"require [\"fileinto\", \"variables\", \"imap4flags\", \"copy\","
	" \"envelope\", \"subaddress\", \"mailbox\"];\n"
	"set \"n\" \"none\";\n"
	"if header :matches \"subject\" \"*-*\" {\n"
	"  set :upper \"n\" \"${2}\";\n"
	"  addflag \"f${1}\";\n"
	"}\n"
	"if anyof (header :contains \"subject\" [\"7\", \"a1\"],\n"
	"          address :domain :is \"from\" \"d3.example\",\n"
	"          not exists \"x-odd\") {\n"
	"  fileinto :create \"box.${n}\";\n"
	"} elsif size :over 200 {\n"
	"  redirect :copy \"amy@${n}.example\";\n"
	"  keep;\n"
	"} elsif hasflag :contains \"f9\" { discard; }\n"
	"if header :matches :comparator \"i;octet\" \"x-odd\" \"?1*\" {\n"
	"  set \"n\" \"${n}${1}\"; fileinto \"last ${n}\"; stop; }\n";

static const char *
message_number(struct arena *arena, unsigned i)
{
	return arena_format(arena,
		"Subject: a%u-b%u\nFrom: Ada <ada@d%u.example>\n%s%*s\n\nx\n",
		i, i * 7 % 13, i % 5,
		i % 2 ? arena_format(arena, "X-Odd: %u\n", i) : "",
		(int)(i % 11 * 30) + 6, i % 3 ? "X: y" : "Y: z");
}

TEST(a_program_is_the_same_after_a_thousand_runs)
{
	struct sieve_program *kept, *fresh;
	size_t different = 0, actions = 0;
	struct fixture f;
	unsigned i;

	begin(&f, NULL);
	f.path = write_script("s", script_of_everything);
	for (i = 0; i < 1000; i++) {
		struct message *message =
			open_message(message_number(f.arena, i));
		const char *a, *b;

		f.message = message;
		REQUIRE(load(&f, f.cache, f.path, &kept) == LOOKUP_FOUND);
		REQUIRE(load(&f, NULL, f.path, &fresh) == LOOKUP_FOUND);
		a = judge(&f, kept);
		b = judge(&f, fresh);
		different += strcmp(a, b) != 0;
		actions += strcmp(a, "keep") != 0;
		message_close(&message);
	}
	CHECK_UINT(different, 0);
	CHECK(actions > 300);
	CHECK_UINT(compiled(&f), 1);
	finish(&f);
}

/* ---- scripts that include others ---- */

TEST(an_included_script_is_compiled_once)
{
	struct fixture f;

	begin(&f, NULL);
	write_includer(&f, "\"a\"");
	write_script("a.sieve", "discard;");
	CHECK_STR(run(&f, f.path), "discard; ");
	CHECK_STR(run(&f, f.path), "discard; ");
	CHECK_UINT(compiled(&f), 1);
	finish(&f);
}

TEST(an_edit_of_an_included_script_counts_at_once)
{
	struct fixture f;

	begin(&f, NULL);
	write_includer(&f, "\"a\"");
	write_script("a.sieve", "require \"include\"; include \"b\";");
	write_script("b.sieve", "discard;");
	CHECK_STR(run(&f, f.path), "discard; ");
	write_script("b.sieve", "keep;   ");
	CHECK_STR(run(&f, f.path), "keep; ");
	CHECK_STR(run(&f, f.path), "keep; ");
	CHECK_UINT(compiled(&f), 2);
	CHECK_UINT(script_cache_counts(f.cache).scripts, 1);
	finish(&f);
}

TEST(an_optional_script_counts_as_soon_as_it_is_there)
{
	struct fixture f;

	begin(&f, NULL);
	write_includer(&f, ":optional \"a\"");
	CHECK_STR(run(&f, f.path), "keep");
	CHECK_STR(run(&f, f.path), "keep");
	CHECK_UINT(compiled(&f), 1);
	write_script("a.sieve", "discard;");
	CHECK_STR(run(&f, f.path), "discard; ");
	REQUIRE(unlink(test_path("a.sieve")) == 0);
	CHECK_STR(run(&f, f.path), "keep");
	CHECK_UINT(compiled(&f), 3);
	finish(&f);
}

TEST(a_missing_script_that_appears_mends_its_includer)
{
	struct fixture f;
	const char *missing;

	begin(&f, NULL);
	write_includer(&f, "\"a\"");
	missing = arena_format(f.arena,
		"there is no personal script \"a\" (%s/a.sieve); add "
		"\":optional\" where it may be missing",
		test_folder());
	CHECK_STR(run(&f, f.path), missing);
	CHECK_STR(run(&f, f.path), missing);
	CHECK_UINT(compiled(&f), 1);
	write_script("a.sieve", "discard;");
	CHECK_STR(run(&f, f.path), "discard; ");
	finish(&f);
}

TEST(an_included_script_with_errors_is_told_by_its_name)
{
	struct fixture f;

	begin(&f, NULL);
	write_includer(&f, "\"a\"");
	write_script("a.sieve", "\nfrob;");
	CHECK_STR(run(&f, f.path), "unknown command \"frob\"");
	CHECK_STR(f.report.problems[0].script, test_path("a.sieve"));
	CHECK_UINT(f.report.problems[0].line, 2);
	CHECK_STR(f.report.problems[1].script, f.path);
	CHECK_STR(f.report.problems[1].text,
		"the included script \"a\" has errors");
	finish(&f);
}

TEST(one_script_of_all_includes_what_each_user_has)
{
	struct fixture f;
	const char *folder;

	begin(&f, NULL);
	write_includer(&f, ":optional \"a\"");
	write_script("a.sieve", "discard;");
	folder = test_path("other");
	REQUIRE(mkdir(folder, 0700) == 0);
	CHECK_STR(run(&f, f.path), "discard; ");
	f.folders.personal = folder;
	CHECK_STR(run(&f, f.path), "keep");
	f.folders.personal = test_folder();
	CHECK_STR(run(&f, f.path), "discard; ");
	CHECK_UINT(compiled(&f), 2);
	finish(&f);
}

TEST(one_script_that_includes_nothing_is_kept_once_for_all_users)
{
	struct fixture f;

	begin(&f, NULL);
	f.path = write_script("s", "discard;");
	CHECK_STR(run(&f, f.path), "discard; ");
	f.folders.personal = "/nonexistent";
	CHECK_STR(run(&f, f.path), "discard; ");
	CHECK_UINT(compiled(&f), 1);
	finish(&f);
}

TEST(a_script_that_includes_itself_by_another_path_is_found_out)
{
	struct fixture f;

	begin(&f, NULL);
	write_includer(&f, "\"a\"");
	REQUIRE(symlink("s", test_path("a.sieve")) == 0);
	CHECK_STR(run(&f, f.path),
		arena_format(f.arena,
			"\"a\" includes itself: %s -> %s; \":once\" ends such "
			"a loop",
			f.path, f.path));
	finish(&f);
}

TEST(an_included_script_that_cannot_be_read_is_trouble)
{
	struct fixture f;
	const char *path;

	begin(&f, NULL);
	write_includer(&f, ":optional \"a\"");
	path = write_script("a.sieve", "discard;");
	if (geteuid() == 0) {
		REQUIRE(chmod(arena_format(f.arena, "%s/..", test_folder()),
				0711) == 0);
		REQUIRE(chmod(test_folder(), 0755) == 0);
		REQUIRE(chown(path, 12345, 12345) == 0);
		REQUIRE(chown(f.path, 12345, 12345) == 0);
		REQUIRE(seteuid(12345) == 0);
	}
	CHECK_STR(run(&f, f.path), "discard; ");
	REQUIRE(chmod(path, 0) == 0);
	CHECK_STR(run(&f, f.path), "trouble");
	CHECK_STR(err.status, "4.3.0");
	REQUIRE(seteuid(getuid()) == 0);
	finish(&f);
}

TEST(a_folder_in_the_place_of_an_included_script_is_none)
{
	struct fixture f;

	begin(&f, NULL);
	write_includer(&f, ":optional \"a\"");
	REQUIRE(mkdir(test_path("a.sieve"), 0700) == 0);
	CHECK_STR(run(&f, f.path), "keep");
	REQUIRE(rmdir(test_path("a.sieve")) == 0);
	finish(&f);
}

TEST(an_included_script_that_changed_a_moment_ago_is_not_kept)
{
	struct fixture f;
	struct stat status;

	begin(&f, NULL);
	write_includer(&f, "\"a\"");
	write_script("a.sieve", "discard;");
	REQUIRE(stat(test_path("a.sieve"), &status) == 0);
	clock_fix(status.st_ctim.tv_sec + FILE_STATE_DOUBT_S, 0, "host", 1);
	CHECK_STR(run(&f, f.path), "discard; ");
	CHECK_UINT(script_cache_counts(f.cache).scripts, 0);
	finish(&f);
}
