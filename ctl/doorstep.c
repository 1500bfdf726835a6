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

/* One row for each form of a command; all of a command's forms stand together. */
static const struct ctl_command commands[] = {
	{"config", "check", "what is wrong with the configuration", ctl_config},
	{"config", "dump [-n]", "the effective settings; -n: the changed ones",
		ctl_config},
	{"explain", "[-u USER] [MESSAGE-ID | FILE | SESSION]",
		"which rule filed a message; why a recipient was refused",
		ctl_explain},
	{"metrics", "[--http | --listen=ADDRESS]",
		"the running server's numbers, for Prometheus", ctl_metrics},
	{"proxy", "status", "hosts that mail is passed on to", ctl_proxy},
	{"proxy", "move USER BACKEND | home USER",
		"send a user's mail to that backend; to the user's own again",
		ctl_proxy},
	{"proxy", "drain BACKEND | undrain BACKEND",
		"take a backend out of service; put it back", ctl_proxy},
	{"quota", "get -u USER | --all", "use and limits", ctl_quota},
	{"quota", "recalc -u USER | --all", "the same, counted anew",
		ctl_quota},
	{"quota", "check -u USER [-m FOLDER] [SIZE]",
		"would a message of that size fit, and why not", ctl_quota},
	{"reload", "", "let the running server read its configuration again",
		ctl_reload},
	{"sieve", "check [-u USER] [--global] [--from-libsieve] FILE...",
		"compile scripts and say what is wrong", ctl_sieve},
	{"sieve", "capabilities", "the extensions that a script may require",
		ctl_sieve},
	{"sieve",
		"test [-f FROM] [-a ORIG] [-r RCPT] [-u USER] "
		"[-m MAILBOX]... [--trace] [--run-programs] SCRIPT MESSAGE...",
		"what a script would do with messages; does nothing",
		ctl_sieve},
	{"sieve", "diff [OPTION]... OLD NEW MESSAGE|MAILDIR|MBOX...",
		"what two scripts do differently; options as of test",
		ctl_sieve},
	{"sieve", "compare [OPTION]... SCRIPT MESSAGE|MAILDIR|MBOX...",
		"what the engines native and libsieve do differently",
		ctl_sieve},
	{"status", "", "what the running server does", ctl_status},
	{"stop", "", "end the running server, and wait for its end", ctl_stop},
	{"top",
		"[--once] [--every=SECONDS] [--times=COUNT] "
		"[--sort=jobs|kind|pid|state|age]",
		"status again and again, with rates", ctl_top},
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
print_row(const struct ctl_command *row, FILE *out)
{
	fprintf(out, "  %s%s%s\n        %s\n", row->name,
		row->usage[0] ? " " : "", row->usage, row->help);
}

/* Of the command of that name; NULL = of all. */
static void
print_usage(const char *name, FILE *out)
{
	size_t i;

	fputs("Usage: doorstep [-c FILE] [-o NAME=VALUE]... [--json] "
	      "COMMAND\n\n",
		out);
	for (i = 0; i < ARRAY_LENGTH(commands); i++)
		if (name == NULL || strcmp(commands[i].name, name) == 0)
			print_row(&commands[i], out);
	fputs("\n  -c FILE        configuration file\n"
	      "  -o NAME=VALUE  override a setting\n"
	      "  --json         for programs\n"
	      "  --version      show the version\n"
	      "  --help         show this text; COMMAND --help: of one "
	      "command\n"
	      "\ndoorstep(1) tells the rest.\n",
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

/* Does --help stand among a command's arguments, before a "--"? */
static bool
asks_for_help(int argc, char **argv)
{
	int i;

	for (i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0)
			return true;
	return false;
}

static int
run(struct ctl *ctl, int argc, char **argv)
{
	const struct ctl_command *command;

	if (take_common_options(ctl, &argc, argv) < 0)
		return CTL_USAGE;
	if (argc < 2) {
		print_usage(NULL, stderr);
		return CTL_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
		print_usage(NULL, stdout);
		return CTL_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("doorstep " PACKAGE_VERSION);
		return CTL_OK;
	}
	command = find_command(argv[1]);
	if (command == NULL)
		return ctl_fail(CTL_USAGE,
			"unknown command: %s; doorstep --help names them",
			argv[1]);
	if (asks_for_help(argc, argv)) {
		print_usage(command->name, stdout);
		return CTL_OK;
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
