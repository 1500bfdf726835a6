/* SPDX-License-Identifier: MIT */
#include "tests/lib/test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fd.h"

#include "base/banned.h"

enum {
	REASON_MAX = 256,
	EXIT_SKIPPED = 77,
	TIMEOUT_S = 60,
	FILE_MAX = 64 * 1024 * 1024
};

static struct {
	struct test *first, **end;
	const char *program;
	char *reason; /* why a test was skipped; shared with its process */
	struct arena *arena;
	const char *folder; /* of the running test, NULL until it asks */
	char top[256];      /* of the whole program */
	int failures;       /* checks that did not hold in this process */
} state = {.end = &state.first};

void
test_register(struct test *test)
{
	*state.end = test;
	state.end = &test->next;
}

/* ---- checks ---- */

void
test_failed(const char *file, int line, const char *text)
{
	state.failures++;
	printf("# %s:%d: %s\n", file, line, text);
}

/* TAP is read by lines and by people: anything else is escaped. */
static void
print_bytes(const char *label, const char *data, size_t len)
{
	size_t i;

	printf("#   %s", label);
	if (data == NULL) {
		printf("NULL\n");
		return;
	}
	putchar('"');
	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)data[i];

		if (c == '\n')
			printf("\\n");
		else if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c >= ' ' && c < 0x7f)
			putchar(c);
		else
			printf("\\x%02x", c);
	}
	printf("\" (%zu bytes)\n", len);
}

bool
test_check_int(const char *file, int line, const char *text, intmax_t found,
	intmax_t expected)
{
	if (found == expected)
		return true;
	test_failed(file, line, text);
	printf("#   found    %jd\n#   expected %jd\n", found, expected);
	return false;
}

bool
test_check_uint(const char *file, int line, const char *text, uintmax_t found,
	uintmax_t expected)
{
	if (found == expected)
		return true;
	test_failed(file, line, text);
	printf("#   found    %ju\n#   expected %ju\n", found, expected);
	return false;
}

bool
test_check_text(const char *file, int line, const char *text, const char *found,
	const char *expected)
{
	if (found == expected || (found != NULL && expected != NULL &&
					 strcmp(found, expected) == 0))
		return true;
	test_failed(file, line, text);
	print_bytes("found    ", found, found ? strlen(found) : 0);
	print_bytes("expected ", expected, expected ? strlen(expected) : 0);
	return false;
}

bool
test_check_str(const char *file, int line, const char *text, struct str found,
	struct str expected)
{
	if (str_equal(found, expected))
		return true;
	test_failed(file, line, text);
	print_bytes("found    ", found.data ? found.data : "", found.len);
	print_bytes("expected ", expected.data, expected.len);
	return false;
}

/* ---- folders and files ---- */

NO_RETURN static void
trouble(const char *what, const char *path)
{
	printf("# cannot %s %s: %s\n", what, path, strerror(errno));
	state.failures++;
	test_end();
}

/* In memory that is never given back. */
static char *
join(const char *folder, const char *name)
{
	return arena_format(state.arena, "%s/%s", folder, name);
}

const char *
test_folder(void)
{
	if (state.folder == NULL) {
		/* The name of a test can be longer than a socket's path. */
		char *path = join(state.top, "XXXXXX");

		if (mkdtemp(path) == NULL)
			trouble("make the folder", path);
		state.folder = path;
	}
	return state.folder;
}

const char *
test_path(const char *name)
{
	return join(test_folder(), name);
}

static void
make_parents(char *path, size_t from)
{
	char *at;

	for (at = strchr(path + from, '/'); at != NULL;
		at = strchr(at + 1, '/')) {
		*at = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			trouble("make the folder", path);
		*at = '/';
	}
}

const char *
test_file_bytes(const char *name, struct str bytes)
{
	char *path = join(test_folder(), name);
	int fd;

	make_parents(path, strlen(test_folder()) + 1);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || fd_write(fd, bytes) < 0)
		trouble("write", path);
	fd_close(&fd);
	return path;
}

const char *
test_file(const char *name, const char *text)
{
	return test_file_bytes(name, str_from(text));
}

struct str
test_read(const char *path)
{
	struct str copy;
	struct buf buf;

	buf_init(&buf, FILE_MAX);
	if (fd_read_file(path, &buf) < 0)
		trouble("read", path);
	copy = arena_copy(state.arena, buf_view(&buf));
	buf_clear(&buf);
	return copy;
}

const char *
test_source(const char *name)
{
	const char *folder = getenv("TEST_SOURCE");

	return join(folder ? folder : TEST_SOURCE_FOLDER, name);
}

/* Folders that a test made unreadable are removed, too. */
static void
remove_tree(const char *path)
{
	struct dirent *entry;
	DIR *folder;

	chmod(path, 0700);
	folder = opendir(path);
	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		char *name;
		struct stat status;

		if (strcmp(entry->d_name, ".") == 0 ||
			strcmp(entry->d_name, "..") == 0)
			continue;
		name = join(path, entry->d_name);
		if (lstat(name, &status) == 0 && S_ISDIR(status.st_mode))
			remove_tree(name);
		else
			unlink(name);
	}
	if (folder != NULL)
		closedir(folder);
	rmdir(path);
}

/* ---- processes ---- */

void
test_end(void)
{
	fflush(NULL);
	_exit(state.failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

void
test_skip(const char *reason)
{
	if (state.failures > 0)
		test_end();
	snprintf(state.reason, REASON_MAX, "%s", reason);
	fflush(NULL);
	_exit(EXIT_SKIPPED);
}

static int
wait_for(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return 255;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
	                           : WEXITSTATUS(status);
}

int
test_child(void (*function)(void *context), void *context)
{
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child < 0)
		trouble("fork", state.program);
	if (child == 0) {
		function(context);
		fflush(NULL);
		_exit(0);
	}
	return wait_for(child);
}

static unsigned
timeout_s(void)
{
	const char *text = getenv("TEST_TIMEOUT");
	long seconds = text != NULL ? strtol(text, NULL, 10) : 0;

	return seconds > 0 ? (unsigned)seconds : TIMEOUT_S;
}

/* Through exit(), so that the leak checker runs. */
NO_RETURN static void
run_and_exit(const struct test *test)
{
	alarm(timeout_s());
	test->run();
	fflush(NULL);
	exit(state.failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

static int
run_here(const struct test *test)
{
	int before = state.failures;

	state.folder = NULL;
	test->run();
	return state.failures > before ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int
run_in_child(const struct test *test)
{
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child < 0)
		return 255;
	if (child == 0)
		run_and_exit(test);
	return wait_for(child);
}

/* True when it did not fail. */
static bool
run(int number, const struct test *test)
{
	int status = getenv("TEST_NO_FORK") != NULL ? run_here(test)
	                                            : run_in_child(test);

	if (status == EXIT_SUCCESS || status == EXIT_SKIPPED) {
		bool skipped = status == EXIT_SKIPPED;

		printf("ok %d - %s%s%s\n", number, test->name,
			skipped ? " # SKIP " : "", skipped ? state.reason : "");
		return true;
	}
	if (status == 128 + SIGALRM)
		printf("# more than %u seconds\n", timeout_s());
	else if (status > 128)
		printf("# killed by signal %d\n", status - 128);
	printf("not ok %d - %s\n", number, test->name);
	printf("# repeat: TEST_KEEP=1 %s %s\n", state.program, test->name);
	return false;
}

static void
settle(void)
{
	const char *folder = getenv("TMPDIR");

	setenv("TZ", "UTC", 1);
	setenv("LC_ALL", "C", 1);
	umask(077);
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	state.reason = mmap(NULL, REASON_MAX, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (state.reason == MAP_FAILED)
		abort();
	snprintf(state.top, sizeof(state.top), "%s/doorstep-%s.XXXXXX",
		folder != NULL && *folder != '\0' ? folder : "/tmp",
		program_invocation_short_name);
	if (mkdtemp(state.top) == NULL) {
		printf("Bail out! cannot make %s: %s\n", state.top,
			strerror(errno));
		exit(EXIT_FAILURE);
	}
}

int
main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";
	const struct test *test;
	int count = 0, bad = 0;

	state.program = program_invocation_name;
	state.arena = arena_open();
	settle();
	for (test = state.first; test != NULL; test = test->next)
		if (strstr(test->name, word) != NULL && !run(++count, test))
			bad++;
	printf("1..%d\n", count);
	if (bad > 0 || getenv("TEST_KEEP") != NULL)
		printf("# folders kept in %s\n", state.top);
	else
		remove_tree(state.top);
	arena_close(&state.arena);
	if (count == 0)
		printf("Bail out! no test's name contains \"%s\"\n", word);
	return bad > 0 || count == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
