/* doorstep-lmtpd - the LMTP server, and every process that it consists of
 *
 * Started by an admin it is master; --child=KIND makes it one of the others, and
 * --stdio one session on standard input and output.
 *
 * SPDX-License-Identifier: MIT
 */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/privilege.h"
#include "conf/conf.h"
#include "server/child.h"
#include "server/master.h"
#include "policy/policy.h"
#include "proxy/proxy.h"
#include "lmtp/front.h"
#include "lmtp/relay.h"

#include "base/banned.h"

static const char usage[] =
	"Usage: doorstep-lmtpd [-F] [-c FILE] [-o NAME=VALUE]...\n"
	"       doorstep-lmtpd --stdio [-c FILE] [-o NAME=VALUE]...\n"
	"       doorstep-lmtpd --stdio HOST:PORT|SOCKET\n"
	"\n"
	"  -c FILE          configuration file\n"
	"  -o NAME=VALUE    override a setting\n"
	"  -F               stay in the foreground\n"
	"  --stdio          one session on standard input and output\n"
	"  --stdio TARGET   the same, joined to a server that runs\n"
	"  --version        show the version\n"
	"  --help           show this text\n";

enum { OPTION_STDIO = 256, OPTION_CHILD, OPTION_VERSION, OPTION_HELP };

static const struct option long_options[] = {
	{"stdio", no_argument, NULL, OPTION_STDIO},
	{"child", required_argument, NULL, OPTION_CHILD},
	{"version", no_argument, NULL, OPTION_VERSION},
	{"help", no_argument, NULL, OPTION_HELP}, {NULL, 0, NULL, 0}};

struct options {
	const char *config;
	const char **overrides;
	size_t override_count;
	bool is_foreground;
	bool stdio;
	const char *target; /* of --stdio; NULL: a session of our own */
	const char *child;
	bool version, help;
};

static int
wrong(const char *text, const char *what)
{
	fprintf(stderr, "doorstep-lmtpd: %s: %s\n%s", text, what, usage);
	return -1;
}

static int
add_override(struct options *options, const char *text)
{
	const char *equals = strchr(text, '=');

	if (equals == NULL || equals == text)
		return wrong("-o wants NAME=VALUE", text);
	options->overrides[options->override_count++] = text;
	return 0;
}

/* TARGET is the one word that is no option. */
static int
parse_rest(struct options *options, int argc, char **argv)
{
	if (optind == argc)
		return 0;
	if (!options->stdio || optind + 1 < argc)
		return wrong("unknown argument", argv[argc - 1]);
	options->target = argv[optind];
	return 0;
}

static int
parse(struct arena *arena, int argc, char **argv, struct options *options)
{
	int option;

	options->overrides = ARENA_ARRAY(arena, const char *, (size_t)argc);
	opterr = 0;
	while ((option = getopt_long(
			argc, argv, ":c:o:F", long_options, NULL)) != -1) {
		switch (option) {
		case 'c':
			options->config = optarg;
			break;
		case 'o':
			if (add_override(options, optarg) < 0)
				return -1;
			break;
		case 'F':
			options->is_foreground = true;
			break;
		case OPTION_STDIO:
			options->stdio = true;
			break;
		case OPTION_CHILD:
			options->child = optarg;
			break;
		case OPTION_VERSION:
			options->version = true;
			break;
		case OPTION_HELP:
			options->help = true;
			break;
		case ':':
			return wrong("a value is missing", argv[optind - 1]);
		default:
			return wrong("unknown option", argv[optind - 1]);
		}
	}
	return parse_rest(options, argc, argv);
}

/* ---- the processes ---- */

static int
be_child(struct child *child)
{
	switch (child->kind) {
	case WIRE_KIND_FRONT:
		return front_main(child);
	case WIRE_KIND_PROXY:
		return proxy_main(child);
	case WIRE_KIND_POLICY:
		return policy_main(child);
	case WIRE_KIND_LOOKUP:
		return lookup_main(child);
	case WIRE_KIND_STATE:
		return state_main(child);
	case WIRE_KIND_WORKER:
		return worker_main(child);
	case WIRE_KIND_RUNNER:
		return runner_main(child);
	case WIRE_KIND_MAILER:
		return mailer_main(child);
	}
	return EX_SOFTWARE;
}

static int
child_main(const char *name)
{
	struct child child;
	enum wire_kind kind;
	int status;

	if (child_kind_find(name, &kind) != LOOKUP_FOUND) {
		wrong("no such process", name);
		return EX_USAGE;
	}
	if (child_begin(&child, kind) < 0)
		return EX_SOFTWARE;
	status = be_child(&child);
	arena_close(&child.arena);
	return status;
}

static struct conf_source
source_of(const struct options *options)
{
	return (struct conf_source){.file = options->config,
		.protocol = CONF_PROTOCOL_LMTP,
		.overrides = options->overrides,
		.override_count = options->override_count};
}

static int
serve(struct arena *arena, const struct options *options)
{
	const struct master_options master = {.config = source_of(options),
		.is_foreground = options->is_foreground,
		.input = options->stdio ? STDIN_FILENO : -1,
		.output = options->stdio ? STDOUT_FILENO : -1};

	if (privilege_is_lent()) {
		fputs("doorstep-lmtpd: refusing to run setuid or setgid: "
		      "anybody could deliver as anybody\n",
			stderr);
		return EX_NOPERM;
	}
	return master_main(arena, &master);
}

static int
show(FILE *out, const char *text)
{
	fputs(text, out);
	return fflush(out) == 0 ? EX_OK : EX_IOERR;
}

/* Whoever calls this for one message need not be able to read the configuration
 * when TARGET says all. */
static int
relay(struct arena *arena, const struct options *options)
{
	const struct conf_source source = source_of(options);
	const struct settings *settings;
	struct conf_report report = {0};
	struct err err;

	if (options->target[0] == '/' || strchr(options->target, ':') != NULL)
		return relay_main(options->target, "");
	if (conf_load(arena, &source, &settings, &report) < 0) {
		conf_report_err(&report, &err);
		fprintf(stderr, "doorstep-lmtpd: %s\n", err_log_text(&err));
		return EX_CONFIG;
	}
	return relay_main(options->target, settings->base_dir);
}

static int
run(struct arena *arena, int argc, char **argv)
{
	struct options options = {0};

	if (parse(arena, argc, argv, &options) < 0)
		return EX_USAGE;
	if (options.help)
		return show(stdout, usage);
	if (options.version)
		return show(stdout, "doorstep-lmtpd " PACKAGE_VERSION "\n");
	if (options.child != NULL)
		return child_main(options.child);
	if (options.target != NULL)
		return relay(arena, &options);
	return serve(arena, &options);
}

int
main(int argc, char **argv)
{
	struct arena *arena = arena_open();
	int status;

	fd_fill_standard();
	umask(077);
	status = run(arena, argc, argv);
	log_close();
	arena_close(&arena);
	return status;
}
