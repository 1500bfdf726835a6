/* corpus - feeds a fuzzer's corpus to it without libFuzzer
 *
 * The main() of each fuzz program in a normal build: every file of
 * tests/fuzz/corpus/NAME is one test.  A crash that was found once is a file
 * there and stays found.
 *
 * SPDX-License-Identifier: MIT
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"

#include "base/banned.h"

enum { INPUT_MAX = 16 * 1024 * 1024, TIMEOUT_S = 30 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
feed(const char *path)
{
	struct buf input;
	uint8_t *exact;

	alarm(TIMEOUT_S);
	buf_init(&input, INPUT_MAX);
	if (fd_read_file(path, &input) < 0) {
		perror(path);
		_exit(EXIT_FAILURE);
	}
	/* Of just that size, so that the sanitizer sees a byte too many. */
	exact = malloc(input.len > 0 ? input.len : 1);
	if (exact == NULL)
		_exit(EXIT_FAILURE);
	if (input.len > 0)
		memcpy(exact, input.data, input.len);
	LLVMFuzzerTestOneInput(exact, input.len);
	free(exact);
	buf_clear(&input);
}

/* In a process of its own; through exit(), for the leak checker. */
static bool
survives(const char *path)
{
	int status = -1;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0) {
		feed(path);
		exit(EXIT_SUCCESS);
	}
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static int
is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int
main(int argc, char **argv)
{
	const char *source = getenv("TEST_SOURCE");
	const char *name = strrchr(argv[0], '/');
	struct dirent **files;
	int count, failed = 0, i;
	char folder[2048];

	name = name != NULL ? name + 1 : argv[0];
	if (strncmp(name, "fuzz-", 5) == 0)
		name += 5;
	if (argc > 1)
		snprintf(folder, sizeof(folder), "%s", argv[1]);
	else
		snprintf(folder, sizeof(folder), "%s/tests/fuzz/corpus/%s",
			source != NULL ? source : TEST_SOURCE_FOLDER, name);
	count = scandir(folder, &files, is_visible, alphasort);
	if (count <= 0) {
		printf("Bail out! no corpus in %s\n", folder);
		return EXIT_FAILURE;
	}
	for (i = 0; i < count; i++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/%s", folder, files[i]->d_name);
		if (survives(path)) {
			printf("ok %d - %s\n", i + 1, files[i]->d_name);
		} else {
			printf("not ok %d - %s\n", i + 1, files[i]->d_name);
			failed++;
		}
		free(files[i]);
	}
	free(files);
	printf("1..%d\n", count);
	return failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
