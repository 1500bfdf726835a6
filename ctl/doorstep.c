/* doorstep - the admin's command
 *
 *   doorstep [-c FILE] [-o NAME=VALUE] [--json] SUB-COMMAND ...
 *
 * SPDX-License-Identifier: MIT
 */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "conf/conf.h"
#include "ctl/ctl.h"

#include "base/banned.h"

static const struct ctl_command commands[] = {
	{"config", "check | dump [-n]", "look at the configuration",
		ctl_config},
	{"explain", "[-u USER] [MESSAGE-ID | FILE | SESSION]",
		"which rule filed a message; why a recipient was refused",
		ctl_explain},
	{"metrics", "[--http | --listen=ADDRESS]",
		"the running server's numbers, for Prometheus", ctl_metrics},
	{"proxy",
		"status | move USER BACKEND | home USER | drain BACKEND | "
		"undrain BACKEND",
		"hosts that mail is passed on to", ctl_proxy},
	{"quota",
		"get | recalc -u USER | --all; check -u USER [-m FOLDER] "
		"[SIZE]",
		"use and limits of users; count anew; would it fit", ctl_quota},
	{"reload", "", "let the running server read its configuration again",
		ctl_reload},
	{"sieve",
		"check FILE... | capabilities | "
		"test [-f FROM] [-a ORIG] [-r RCPT] [-u USER] "
		"[-m MAILBOX]... [--trace] SCRIPT MESSAGE...",
		"compile scripts; show what one would do", ctl_sieve},
	{"status", "", "what the running server does", ctl_status},
	{"stop", "", "end the running server, and wait for its end", ctl_stop},
	{"top",
		"[--once] [--every=SECONDS] [--times=COUNT] "
		"[--sort=jobs|kind|pid|state|age]",
		"the same again and again, with rates", ctl_top},
	{"user", "ADDRESS...", "the user record a delivery would use",
		ctl_user},
};

int
ctl_fail(int status, const char *format, ...)
{
	va_list args;

	fputs("doorstep: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return status;
}

const struct settings *
ctl_settings(struct ctl *ctl)
{
	const struct conf_source source = {.file = ctl->config_file,
		.protocol = CONF_PROTOCOL_LDA,
		.overrides = ctl->overrides,
		.override_count = ctl->override_count};
	const struct settings *settings = NULL;
	struct conf_report report = {0};
	size_t i;

	if (conf_load(ctl->arena, &source, &settings, &report) == 0)
		return settings;
	for (i = 0; i < report.count; i++)
		if (!report.problems[i].is_warning)
			fprintf(stderr, "%s\n",
				conf_problem_text(
					ctl->arena, &report.problems[i]));
	return NULL;
}

static void
print_usage(FILE *out)
{
	size_t i;

	fputs("Usage: doorstep [-c FILE] [-o NAME=VALUE]... [--json] "
	      "COMMAND\n\n",
		out);
	for (i = 0; i < ARRAY_LENGTH(commands); i++)
		fprintf(out, "  %s%s%s\n        %s\n", commands[i].name,
			commands[i].usage[0] ? " " : "", commands[i].usage,
			commands[i].help);
	fputs("\n  -c FILE        configuration file\n"
	      "  -o NAME=VALUE  override a setting\n"
	      "  --json         for programs\n",
		out);
}

/* The value of an option that stands in this argument ("-cFILE") or in the next;
 * moves *index there.  NULL when there is none. */
static const char *
option_value(int argc, char **argv, int *index)
{
	if (argv[*index][2] != '\0')
		return argv[*index] + 2;
	if (*index + 1 >= argc)
		return NULL;
	return argv[++*index];
}

/* Takes -c, -o and --json out of argv, wherever they stand; "--" ends that.
 * -1 when one lacks its value. */
static int
take_common_options(struct ctl *ctl, int *argc, char **argv)
{
	int kept = 1, i;

	ctl->overrides = ARENA_ARRAY(ctl->arena, const char *, (size_t)*argc);
	for (i = 1; i < *argc && strcmp(argv[i], "--") != 0; i++) {
		const char *value;

		if (strcmp(argv[i], "--json") == 0) {
			ctl->json = true;
		} else if (strncmp(argv[i], "-c", 2) == 0) {
			value = option_value(*argc, argv, &i);
			if (value == NULL)
				return ctl_fail(-1, "-c needs a file");
			ctl->config_file = value;
		} else if (strncmp(argv[i], "-o", 2) == 0) {
			value = option_value(*argc, argv, &i);
			if (value == NULL || strchr(value, '=') == NULL)
				return ctl_fail(-1, "-o needs NAME=VALUE");
			ctl->overrides[ctl->override_count++] = value;
		} else {
			argv[kept++] = argv[i];
		}
	}
	while (i < *argc)
		argv[kept++] = argv[i++];
	argv[kept] = NULL;
	*argc = kept;
	return 0;
}

static const struct ctl_command *
find_command(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int
run(struct ctl *ctl, int argc, char **argv)
{
	const struct ctl_command *command;

	if (take_common_options(ctl, &argc, argv) < 0)
		return CTL_USAGE;
	if (argc < 2) {
		print_usage(stderr);
		return CTL_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
		print_usage(stdout);
		return CTL_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("doorstep " PACKAGE_VERSION);
		return CTL_OK;
	}
	command = find_command(argv[1]);
	if (command == NULL) {
		ctl_fail(CTL_USAGE, "unknown command: %s", argv[1]);
		print_usage(stderr);
		return CTL_USAGE;
	}
	return command->run(ctl, argc - 1, argv + 1);
}

int
main(int argc, char **argv)
{
	struct ctl ctl = {.arena = arena_open()};
	int status = run(&ctl, argc, argv);

	/* A full disk behind the standard output must not look like success. */
	if (fflush(stdout) != 0 || ferror(stdout))
		status = ctl_fail(
			CTL_TEMPORARY, "cannot write: %s", strerror(errno));
	arena_close(&ctl.arena);
	return status;
}
