/* SPDX-License-Identifier: MIT */
#include "lda/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

enum { OPTION_EXIT_STYLE = 256, OPTION_HELP };

const char lda_usage[] =
	"Usage: doorstep-lda [-d USER] [-f SENDER] [-a ORIGINAL] [-r "
	"RECIPIENT]\n"
	"        [-m MAILBOX] [-p FILE] [-e] [-k] [-c FILE] [-o "
	"NAME=VALUE]...\n"
	"        [-O] [-L] [--exit-style sysexits|qmail]\n"
	"\n"
	"  -d USER       deliver to this user, looked up in the user "
	"databases\n"
	"  -f SENDER     envelope sender; <> or nothing for the null sender\n"
	"  -a ORIGINAL   recipient before aliases and forwards\n"
	"  -r RECIPIENT  recipient as it arrived here\n"
	"  -m MAILBOX    in place of INBOX; missing: INBOX\n"
	"  -p FILE       read the message from FILE, not from standard input\n"
	"  -e            a script or quota that refuses: exit 77 and say why\n"
	"                on standard error, instead of a mail to the sender\n"
	"  -k            keep the whole environment\n"
	"  -c FILE       configuration file\n"
	"  -o NAME=VALUE override a setting\n"
	"  -O            no configuration file, only defaults\n"
	"  -L            log by ourselves (always so)\n"
	"  --exit-style  the exit status as sysexits.h or as qmail has it\n"
	"  --help        show this text\n"
	"\ndoorstep-lda(8) tells the rest.\n";

static int
parse_exit_style(const char *word, enum exit_style *style_out, struct err *err)
{
	if (strcmp(word, "sysexits") == 0)
		*style_out = EXIT_STYLE_SYSEXITS;
	else if (strcmp(word, "qmail") == 0)
		*style_out = EXIT_STYLE_QMAIL;
	else
		return err_set(err, ERR_USAGE, "5.3.5",
			"Invalid --exit-style: '%s' (sysexits or qmail)", word);
	return 0;
}

/* Wrong options have to be answered in the style that is asked for, too. */
static enum exit_style
find_exit_style(int argc, char **argv)
{
	enum exit_style style = EXIT_STYLE_SYSEXITS;
	struct err err;
	int i;

	for (i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--exit-style=", 13) == 0)
			(void)!parse_exit_style(argv[i] + 13, &style, &err);
		else if (strcmp(argv[i], "--exit-style") == 0 && i + 1 < argc)
			(void)!parse_exit_style(argv[i + 1], &style, &err);
	}
	return style;
}

static int
check_override(const char *text, struct err *err)
{
	const char *equals = strchr(text, '=');

	if (equals == NULL || equals == text)
		return err_set(err, ERR_USAGE, "5.3.5",
			"Invalid -o parameter: '%s' (NAME=VALUE)", text);
	return 0;
}

int
lda_options_parse(struct arena *arena, int argc, char **argv,
	struct lda_options *options_out, struct err *err)
{
	static const struct option long_options[] = {
		{"exit-style", required_argument, NULL, OPTION_EXIT_STYLE},
		{"help", no_argument, NULL, OPTION_HELP}, {NULL, 0, NULL, 0}};
	struct lda_options *options = options_out;
	int option;

	*options = (struct lda_options){
		.exit_style = find_exit_style(argc, argv),
		.overrides = ARENA_ARRAY(arena, const char *, (size_t)argc)};
	opterr = 0;
	while ((option = getopt_long(argc, argv, "+:d:a:r:f:m:p:ekc:o:OLi:",
			long_options, NULL)) != -1) {
		switch (option) {
		case 'd':
			options->user = optarg;
			break;
		case 'a':
			options->original = optarg;
			options->has_original = true;
			break;
		case 'r':
			options->final = optarg;
			options->has_final = true;
			break;
		case 'f':
			options->sender = optarg;
			break;
		case 'm':
			options->mailbox = optarg;
			break;
		case 'p':
			options->file = optarg;
			break;
		case 'e':
			options->refuses_by_exit = true;
			break;
		case 'k':
			options->keep_environment = true;
			break;
		case 'c':
			options->config = optarg;
			break;
		case 'o':
			if (check_override(optarg, err) < 0)
				return -1;
			options->overrides[options->override_count++] = optarg;
			break;
		case 'O':
			options->no_config = true;
			break;
		case 'L': /* the log is always our own */
			break;
		case 'i': /* dovecot's instance name: we have one instance */
			break;
		case OPTION_EXIT_STYLE:
			if (parse_exit_style(
				    optarg, &options->exit_style, err) < 0)
				return -1;
			break;
		case OPTION_HELP:
			options->help = true;
			return 0;
		case ':':
			return err_set(err, ERR_USAGE, "5.3.5",
				"Option -%c needs a value", optopt);
		default:
			return err_set(err, ERR_USAGE, "5.3.5",
				"Unknown option: %s",
				argv[optind - 1] ? argv[optind - 1] : "?");
		}
	}
	if (optind < argc)
		return err_set(err, ERR_USAGE, "5.3.5", "Unknown argument: %s",
			argv[optind]);
	return 0;
}

static const char *
environment(struct arena *arena, const char *name)
{
	const char *value = getenv(name);

	return value != NULL ? arena_text(arena, str_from(value)) : NULL;
}

/* What a program that we start may need, and nothing an MTA or a sender could
 * have put in. */
static void
clean_environment(struct arena *arena)
{
	static const char *const kept[] = {"TZ", "LANG", "LC_ALL", "TMPDIR"};
	const char *values[ARRAY_LENGTH(kept)];
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(kept); i++)
		values[i] = environment(arena, kept[i]);
	clearenv();
	for (i = 0; i < ARRAY_LENGTH(kept); i++)
		if (values[i] != NULL)
			setenv(kept[i], values[i], 1);
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
}

void
lda_options_environment(struct arena *arena, struct lda_options *options)
{
	options->env_user = environment(arena, "USER");
	options->env_home = environment(arena, "HOME");
	options->detail = environment(arena, "EXTENSION");
	if (options->sender == NULL)
		options->sender = environment(arena, "SENDER");
	if (options->original == NULL)
		options->original = environment(arena, "ORIGINAL_RECIPIENT");
	if (options->final == NULL)
		options->final = environment(arena, "RECIPIENT");
	if (!options->keep_environment)
		clean_environment(arena);
}
