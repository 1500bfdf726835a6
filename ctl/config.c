/* config - `doorstep config check` and `doorstep config dump`
 *
 * SPDX-License-Identifier: MIT
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "base/user.h"
#include "conf/conf.h"
#include "conf/syntax.h"
#include "deliver/recipient.h"
#include "ctl/certificates.h"
#include "ctl/ctl.h"

#include "base/banned.h"

static const struct {
	const char *name; /* NULL: outside of every protocol's block */
	enum conf_protocol protocol;
} views[] = {
	{NULL, CONF_PROTOCOL_NONE},
	{"lda", CONF_PROTOCOL_LDA},
	{"lmtp", CONF_PROTOCOL_LMTP},
};

/* Settings that name somebody whom the system has to know. */
static const struct {
	const char *key;
	size_t offset; /* of a const char * in struct settings */
	bool is_group;
} system_names[] = {
	{"default_login_user", offsetof(struct settings, default_login_user),
		false},
	{"default_internal_user",
		offsetof(struct settings, default_internal_user), false},
	{"mail_uid", offsetof(struct settings, mail_uid), false},
	{"mail_gid", offsetof(struct settings, mail_gid), true},
};

static const struct settings *
load(struct ctl *ctl, enum conf_protocol protocol, struct conf_report *report)
{
	const struct conf_source source = {.file = ctl->config_file,
		.protocol = protocol,
		.overrides = ctl->overrides,
		.override_count = ctl->override_count};
	const struct settings *settings;

	/* What went wrong is in the report. */
	if (conf_load(ctl->arena, &source, &settings, report) < 0)
		return NULL;
	return settings;
}

static const char *
file_name(const struct ctl *ctl)
{
	return ctl->config_file ? ctl->config_file : conf_default_file();
}

/* ---- check ---- */

struct findings {
	/* The last ones are the user databases', the certificates' and the
	 * system's. */
	struct conf_problem items[ARRAY_LENGTH(views) * CONF_PROBLEMS_MAX + 2 +
				  ARRAY_LENGTH(system_names)];
	size_t count;
	size_t errors, warnings;
};

static bool
is_known(const struct findings *findings, const struct conf_problem *problem)
{
	size_t i;

	for (i = 0; i < findings->count; i++) {
		const struct conf_problem *item = &findings->items[i];

		if (item->place.line == problem->place.line &&
			strcmp(item->place.file, problem->place.file) == 0 &&
			strcmp(item->text, problem->text) == 0)
			return true;
	}
	return false;
}

/* Most problems show in every view. */
static void
add_new(struct findings *findings, const struct conf_report *report)
{
	size_t i;

	for (i = 0; i < report->count; i++) {
		const struct conf_problem *problem = &report->problems[i];

		if (is_known(findings, problem))
			continue;
		findings->items[findings->count++] = *problem;
		if (problem->is_warning)
			findings->warnings++;
		else
			findings->errors++;
	}
}

/* What only the user databases know: a file without a name, a static one that
 * would accept everybody. */
static void
add_userdb(struct ctl *ctl, struct findings *findings,
	const struct settings *settings)
{
	struct conf_problem *problem = &findings->items[findings->count];
	struct userdb *db = NULL;
	struct err err;
	struct str text;
	size_t i;

	if (settings == NULL || settings->userdb_count == 0)
		return;
	if (recipient_open_userdb(ctl->arena, settings, &db, &err) == 0) {
		recipient_close_userdb(&db);
		return;
	}
	text = str_from(err_log_text(&err));
	/* The text names its block, as a delivery's log has to. */
	for (i = 0; i < settings->userdb_count; i++) {
		const struct conf_place place = settings->userdbs[i].place;
		struct str prefix = str_from(arena_format(
			ctl->arena, "%s:%u: ", place.file, place.line));

		if (!str_starts(text, prefix))
			continue;
		problem->place = place;
		text = str_skip(text, prefix.len);
	}
	problem->is_warning = false;
	problem->text = arena_text(ctl->arena, text);
	findings->count++;
	findings->errors++;
}

static void
add_certificates(struct ctl *ctl, struct findings *findings,
	const struct settings *settings)
{
	struct conf_problem *problem = &findings->items[findings->count];

	if (settings == NULL ||
		!certificates_problem(ctl->arena, settings, problem))
		return;
	findings->count++;
	if (problem->is_warning)
		findings->warnings++;
	else
		findings->errors++;
}

static bool
system_has(struct ctl *ctl, struct str name, bool is_group)
{
	struct err err;
	enum lookup found;
	uid_t uid;
	gid_t gid;

	found = is_group ? user_parse_gid(ctl->arena, name, &gid, &err)
	                 : user_parse_uid(ctl->arena, name, &uid, &err);
	/* A name service in trouble says nothing about the configuration. */
	return found != LOOKUP_NONE;
}

/* A warning: mail may be delivered on another machine than this one.  A default
 * has a stand-in, and a value with variables is nobody's name yet. */
static void
add_unknown_names(struct ctl *ctl, struct findings *findings,
	const struct settings *settings)
{
	size_t i;

	for (i = 0; settings != NULL && i < ARRAY_LENGTH(system_names); i++) {
		const char *key = system_names[i].key;
		const char *value =
			*(const char *const *)((const char *)settings +
					       system_names[i].offset);
		bool is_group = system_names[i].is_group;
		struct conf_problem *problem =
			&findings->items[findings->count];

		problem->place = conf_place(settings, key);
		if (problem->place.file[0] == '\0' || value[0] == '\0' ||
			strchr(value, '%') != NULL ||
			system_has(ctl, str_from(value), is_group))
			continue;
		problem->is_warning = true;
		problem->text =
			arena_format(ctl->arena, "%s: this system has no %s %s",
				key, is_group ? "group" : "user", value);
		findings->count++;
		findings->warnings++;
	}
}

static void
print_findings(struct ctl *ctl, const struct findings *findings)
{
	size_t i;

	if (ctl->config_file == NULL && access(file_name(ctl), F_OK) < 0)
		printf("%s: there is no such file; the defaults hold\n",
			file_name(ctl));

	for (i = 0; i < findings->count; i++)
		puts(conf_problem_text(ctl->arena, &findings->items[i]));
	printf("%s: %zu %s, %zu %s\n", file_name(ctl), findings->errors,
		findings->errors == 1 ? "error" : "errors", findings->warnings,
		findings->warnings == 1 ? "warning" : "warnings");
}

static void
print_findings_json(struct ctl *ctl, const struct findings *findings)
{
	struct json json;
	size_t i;

	json_init(&json, stdout);
	json_open(&json, NULL, '{');
	json_text(&json, "file", str_from(file_name(ctl)));
	json_number(&json, "errors", findings->errors);
	json_number(&json, "warnings", findings->warnings);
	json_open(&json, "problems", '[');
	for (i = 0; i < findings->count; i++) {
		const struct conf_problem *problem = &findings->items[i];

		json_open(&json, NULL, '{');
		json_text(&json, "severity",
			problem->is_warning ? STR("warning") : STR("error"));
		json_text(&json, "file", str_from(problem->place.file));
		json_number(&json, "line", problem->place.line);
		json_text(&json, "text", str_from(problem->text));
		json_close(&json);
	}
	json_close(&json);
	json_close(&json);
}

static int
check(struct ctl *ctl)
{
	struct findings *findings = ARENA_NEW(ctl->arena, struct findings);
	const struct settings *settings = NULL;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(views); i++) {
		struct conf_report report = {.is_thorough = true};

		settings = load(ctl, views[i].protocol, &report);
		add_new(findings, &report);
	}
	add_userdb(ctl, findings, settings);
	add_certificates(ctl, findings, settings);
	add_unknown_names(ctl, findings, settings);
	if (ctl->json)
		print_findings_json(ctl, findings);
	else
		print_findings(ctl, findings);
	return findings->errors > 0 ? CTL_FAILED : CTL_OK;
}

/* ---- dump ---- */

/* {"settings": {...}, "blocks": [{"type":, "name":, "settings":, "blocks":}]};
 * values are texts, as the configuration writes them. */
struct writer {
	struct json json;
	bool in_settings, in_blocks[CONF_NESTING_MAX + 1];
	size_t depth;
};

static void
leave_settings(struct writer *writer)
{
	if (writer->in_settings)
		json_close(&writer->json);
	writer->in_settings = false;
}

static void
write_key(struct writer *writer, struct ctl *ctl, const struct conf_line *line)
{
	const char *name = arena_text(ctl->arena, line->name);
	struct str value = line->value;

	if (line->is_path)
		value = str_from(
			arena_format(ctl->arena, "<%.*s", STR_ARG(value)));
	if (!writer->in_settings)
		json_open(&writer->json, "settings", '{');
	writer->in_settings = true;
	json_text(&writer->json, name, value);
}

static void
write_open(struct writer *writer, const struct conf_line *line)
{
	leave_settings(writer);
	if (!writer->in_blocks[writer->depth])
		json_open(&writer->json, "blocks", '[');
	writer->in_blocks[writer->depth] = true;
	json_open(&writer->json, NULL, '{');
	json_text(&writer->json, "type", line->name);
	json_text(&writer->json, "name", line->value);
	writer->in_blocks[++writer->depth] = false;
}

static void
write_close(struct writer *writer)
{
	leave_settings(writer);
	if (writer->in_blocks[writer->depth])
		json_close(&writer->json);
	json_close(&writer->json);
	if (writer->depth > 0)
		writer->depth--;
}

static void
write_json(struct ctl *ctl, struct str text)
{
	struct conf_report report = {0};
	struct conf_syntax *syntax =
		conf_syntax_of_text(ctl->arena, "", text, &report);
	struct writer writer = {.in_settings = false};
	struct conf_line line;

	json_init(&writer.json, stdout);
	json_open(&writer.json, NULL, '{');
	for (;;) {
		conf_syntax_next(syntax, &line);
		switch (line.kind) {
		case CONF_LINE_KEY:
			write_key(&writer, ctl, &line);
			break;
		case CONF_LINE_OPEN:
			write_open(&writer, &line);
			break;
		case CONF_LINE_CLOSE:
			write_close(&writer);
			break;
		case CONF_LINE_END:
			write_close(&writer);
			return;
		}
	}
}

/* Warnings are for `config check`. */
static void
print_errors(struct ctl *ctl, const struct conf_report *report)
{
	size_t i;

	for (i = 0; i < report->count; i++)
		if (!report->problems[i].is_warning)
			fprintf(stderr, "%s\n",
				conf_problem_text(
					ctl->arena, &report->problems[i]));
}

/* What `config check` calls an error is none that one can dump: the text would
 * not be read again.  -1 after the errors were shown. */
static int
dump_text(struct ctl *ctl, bool only_changed, struct buf *out)
{
	const struct settings *base = NULL;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(views); i++) {
		struct conf_report report = {.is_thorough = true};
		const struct settings *settings =
			load(ctl, views[i].protocol, &report);

		print_errors(ctl, &report);
		if (settings == NULL)
			return -1;
		if (views[i].name == NULL)
			conf_dump(
				ctl->arena, base = settings, only_changed, out);
		else
			conf_dump_protocol(
				ctl->arena, views[i].name, settings, base, out);
	}
	return 0;
}

static int
dump(struct ctl *ctl, bool only_changed)
{
	struct buf text;
	int status = CTL_OK;

	buf_init(&text, BUF_UNLIMITED);
	if (dump_text(ctl, only_changed, &text) < 0)
		status = CTL_CONFIG;
	else if (ctl->json)
		write_json(ctl, buf_view(&text));
	else
		fputs(buf_text(&text), stdout);
	buf_clear(&text);
	return status;
}

int
ctl_config(struct ctl *ctl, int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "check") == 0)
		return check(ctl);
	if (argc == 2 && strcmp(argv[1], "dump") == 0)
		return dump(ctl, false);
	if (argc == 3 && strcmp(argv[1], "dump") == 0 &&
		strcmp(argv[2], "-n") == 0)
		return dump(ctl, true);
	return ctl_fail(CTL_USAGE, "usage: doorstep config check | dump [-n]");
}
