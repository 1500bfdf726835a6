/* SPDX-License-Identifier: MIT */
#include "conf/conf.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "conf/loader.h"
#include "conf/report.h"

#include "base/banned.h"

#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc"
#endif

static const char command_line[] = "-o";

const char *
conf_default_file(void)
{
	return SYSCONFDIR "/doorstep/doorstep.conf";
}

static void
take_lines(struct conf_loader *loader, struct conf_syntax *syntax)
{
	struct conf_line line;

	for (;;) {
		conf_syntax_next(syntax, &line);
		if (line.kind == CONF_LINE_END)
			return;
		conf_loader_take(loader, &line);
	}
}

/* A default file that is not there is a system that wants the defaults. */
static void
load_file(struct conf_loader *loader, const char *file)
{
	const char *path = file != NULL ? file : conf_default_file();
	struct conf_syntax *syntax;
	enum lookup found;

	found = conf_syntax_open(loader->arena, path, loader->report, &syntax);
	if (found == LOOKUP_NONE && file != NULL)
		conf_report_error(loader->arena, loader->report,
			(struct conf_place){path, 0}, "there is no such file");
	if (found == LOOKUP_FOUND)
		take_lines(loader, syntax);
}

static void
take_override(struct conf_loader *loader, const char *text)
{
	struct conf_place place = {command_line, 0};
	struct str rest = str_from(text), name;

	name = str_slice(rest, 0, str_find_char(rest, '='));
	/* No file could say that, nor the text that other processes are sent. */
	if (str_has_char(rest, '\n')) {
		conf_report_error(loader->arena, loader->report, place,
			"%.*s: found a line break in the value", STR_ARG(name));
		return;
	}
	if (name.len == rest.len || name.len == 0) {
		conf_report_error(loader->arena, loader->report, place,
			"found \"%s\", expected name=value", text);
		return;
	}
	conf_loader_assign(loader, str_trim(name),
		str_trim(str_skip(rest, name.len + 1)), CONF_LEVEL_COMMAND,
		place);
}

int
conf_load(struct arena *arena, const struct conf_source *source,
	const struct settings **settings_out, struct conf_report *report)
{
	struct conf_loader loader;
	size_t i;

	*settings_out = NULL;
	conf_loader_init(&loader, arena, report);
	loader.protocol = source->protocol;
	if (source->text.len > 0)
		take_lines(&loader,
			conf_syntax_of_dump(arena, source->text, report));
	else if (!source->only_defaults)
		load_file(&loader, source->file);
	for (i = 0; i < source->override_count; i++)
		take_override(&loader, source->overrides[i]);
	conf_loader_finish(&loader);
	conf_check(arena, loader.settings, report);
	if (report->errors > 0)
		return -1;
	*settings_out = loader.settings;
	return 0;
}

/* What programs may be run, and how: also known to processes that do not hear of
 * users' records. */
static bool
is_of_programs(struct str name)
{
	static const char *const beginnings[] = {"sieve_pipe_", "sieve_filter_",
		"sieve_execute_", "sieve_convert", "sieve_program_"};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(beginnings); i++)
		if (str_starts(name, str_from(beginnings[i])))
			return true;
	return false;
}

int
conf_override(struct arena *arena, const struct settings *settings,
	const struct conf_pair *pairs, size_t count, const char *origin,
	const struct settings **settings_out, struct err *err)
{
	struct conf_report report = {0};
	struct conf_place place = {origin, 0};
	struct conf_loader loader;
	size_t i;

	*settings_out = NULL;
	conf_loader_init_copy(&loader, arena, &report, settings);
	loader.is_lenient = true;
	for (i = 0; i < count; i++) {
		struct str name = pairs[i].name;

		if (str_is(name, "mail"))
			name = STR("mail_location");
		if (str_starts(name, STR("plugin/")))
			name = str_skip(name, 7);
		/* A block belongs to all users. */
		if (str_has_char(name, '/') || is_of_programs(name))
			continue;
		conf_loader_assign(
			&loader, name, pairs[i].value, CONF_LEVEL_USER, place);
	}
	conf_loader_finish(&loader);
	conf_check(arena, loader.settings, &report);
	if (report.errors > 0)
		return conf_report_err(&report, err);
	*settings_out = loader.settings;
	return 0;
}

int
conf_read_text(struct arena *arena, const struct conf_text *text,
	struct str *text_out, struct err *err)
{
	struct buf buf;
	int failure = 0;

	*text_out = str_from(text->text);
	if (text->path == NULL)
		return 0;
	buf_init(&buf, CONF_VALUE_FILE_BYTES_MAX);
	if (fd_read_file(text->path, &buf) < 0) {
		failure = errno;
	} else {
		*text_out = arena_copy(arena, buf_view(&buf));
		if (str_ends(*text_out, STR("\n")))
			text_out->len--;
	}
	buf_clear(&buf);
	errno = failure;
	if (failure != 0)
		return err_temp_errno(
			err, "4.3.5", "cannot read %s", text->path);
	return 0;
}

struct conf_place
conf_place(const struct settings *settings, const char *key)
{
	const struct conf_key *found =
		conf_key_find(&conf_top_keys, str_from(key));

	if (found == NULL)
		return (struct conf_place){"", 0};
	return settings->places[found - conf_top_keys.items];
}

const char *
conf_place_text(struct arena *arena, struct conf_place place)
{
	if (place.file[0] == '\0')
		return "";
	if (place.line == 0)
		return arena_format(arena, "%s: ", place.file);
	return arena_format(arena, "%s:%u: ", place.file, place.line);
}
