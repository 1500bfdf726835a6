/* SPDX-License-Identifier: MIT */
#include "store/location.h"

#include <stddef.h>

#include "base/banned.h"

struct parser {
	struct arena *arena;
	const char *home;
	struct location *location;
	struct err *err;
};

/* The next part before a single colon, "::" made ":"; false at the end. */
static bool
next_part(struct arena *arena, struct str *rest, struct str *part_out)
{
	char *part;
	size_t len = 0, i = 0;

	if (rest->data == NULL)
		return false;
	part = arena_alloc(arena, rest->len + 1);
	for (; i < rest->len; i++) {
		if (rest->data[i] == ':') {
			if (i + 1 >= rest->len || rest->data[i + 1] != ':')
				break;
			i++;
		}
		part[len++] = rest->data[i];
	}
	*rest = i < rest->len ? str_skip(*rest, i + 1) : (struct str){NULL, 0};
	*part_out = str_of(part, len);
	return true;
}

static struct str
without_slashes_at_end(struct str path)
{
	while (path.len > 1 && path.data[path.len - 1] == '/')
		path.len--;
	return path;
}

static int
take_path(const struct parser *parser, struct str path, const char **path_out)
{
	path = without_slashes_at_end(path);
	if (path.len == 0 || str_has_char(path, '\0'))
		return err_temp(parser->err, "4.3.5",
			"mail_location has an empty path");
	if (path.data[0] == '/') {
		*path_out = arena_text(parser->arena, path);
		return 0;
	}
	if (path.data[0] == '~') {
		if (path.len > 1 && path.data[1] != '/')
			return err_temp(parser->err, "4.3.5",
				"mail_location: %.*s: the home of another user "
				"cannot be meant, only ~/",
				STR_ARG(path));
		path = str_skip(path, 2);
	}
	if (parser->home == NULL || parser->home[0] != '/')
		return err_temp(parser->err, "4.3.5",
			"mail_location has a path below the home folder, and "
			"the user has no home");
	if (path.len == 0)
		*path_out = arena_text(parser->arena,
			without_slashes_at_end(str_from(parser->home)));
	else
		*path_out = arena_format(parser->arena, "%.*s/%.*s",
			STR_ARG(without_slashes_at_end(str_from(parser->home))),
			STR_ARG(path));
	return 0;
}

static int
take_layout(const struct parser *parser, struct str value)
{
	parser->location->has_layout = true;
	if (str_is_nocase(value, "maildir++"))
		parser->location->layout = STORE_LAYOUT_MAILDIRPP;
	else if (str_is_nocase(value, "fs"))
		parser->location->layout = STORE_LAYOUT_FS;
	else
		return err_temp(parser->err, "4.3.5",
			"mail_location: LAYOUT=%.*s: expected maildir++ or fs",
			STR_ARG(value));
	return 0;
}

static int
take_utf8(const struct parser *parser, struct str value UNUSED)
{
	parser->location->utf8 = true;
	return 0;
}

static int
take_inbox(const struct parser *parser, struct str value)
{
	parser->location->has_inbox = true;
	return take_path(parser, value, &parser->location->inbox);
}

static int
take_control(const struct parser *parser, struct str value)
{
	return take_path(parser, value, &parser->location->control);
}

static int
take_subscriptions(const struct parser *parser, struct str value)
{
	if (value.len == 0 || str_has_char(value, '/') ||
		str_has_char(value, '\0'))
		return err_temp(parser->err, "4.3.5",
			"mail_location: SUBSCRIPTIONS= takes the name of a "
			"file, not a path");
	parser->location->has_subscriptions = true;
	parser->location->subscriptions = arena_text(parser->arena, value);
	return 0;
}

/* About indexes and listing: not for one who only adds mail. */
static int
take_nothing(const struct parser *parser UNUSED, struct str value UNUSED)
{
	return 0;
}

/* Ignoring these would put mail where no IMAP server looks for it. */
static int
refuse(const struct parser *parser, struct str value UNUSED)
{
	return err_temp(parser->err, "4.3.5",
		"mail_location: DIRNAME=, FULLDIRNAME= and MAILBOXDIR= are not "
		"supported");
}

static const struct {
	const char *name;
	bool has_value;
	int (*take)(const struct parser *parser, struct str value);
} options[] = {
	{"LAYOUT", true, take_layout},
	{"UTF-8", false, take_utf8},
	{"INBOX", true, take_inbox},
	{"CONTROL", true, take_control},
	{"SUBSCRIPTIONS", true, take_subscriptions},
	{"INDEX", true, take_nothing},
	{"INDEXPVT", true, take_nothing},
	{"INDEXCACHE", true, take_nothing},
	{"LISTINDEX", true, take_nothing},
	{"VOLATILEDIR", true, take_nothing},
	{"ALT", true, take_nothing},
	{"BROKENCHAR", true, take_nothing},
	{"ITERINDEX", false, take_nothing},
	{"NO-NOSELECT", false, take_nothing},
	{"KEEP-NOSELECT", false, take_nothing},
	{"NO-FS-VALIDATION", false, take_nothing},
	{"DIRNAME", true, refuse},
	{"FULLDIRNAME", true, refuse},
	{"MAILBOXDIR", true, refuse},
};

static int
take_option(const struct parser *parser, struct str option)
{
	size_t equals = str_find_char(option, '='), i;
	struct str name = str_slice(option, 0, equals);

	for (i = 0; i < ARRAY_LENGTH(options); i++)
		if (str_is_nocase(name, options[i].name) &&
			options[i].has_value == (equals < option.len))
			return options[i].take(
				parser, str_skip(option, equals + 1));
	return err_temp(parser->err, "4.3.5",
		"mail_location: unknown option \"%.*s\"", STR_ARG(option));
}

int
location_parse(struct arena *arena, const char *text, const char *home,
	struct location *location_out, struct err *err)
{
	struct parser parser = {arena, home, location_out, err};
	struct str rest = str_from(text), part;
	size_t colon = str_find_char(rest, ':');

	*location_out = (struct location){.subscriptions = "subscriptions"};
	if (rest.len == 0)
		return err_temp(err, "4.3.5",
			"mail_location is not set; for example "
			"maildir:~/Maildir");
	if (colon == rest.len || rest.data[0] == '/' || rest.data[0] == '~')
		return err_temp(err, "4.3.5",
			"mail_location \"%s\" does not begin with a driver; "
			"for example maildir:~/Maildir",
			text);
	location_out->driver = arena_text(arena, str_slice(rest, 0, colon));
	rest = str_skip(rest, colon + 1);
	if (!next_part(arena, &rest, &part) ||
		take_path(&parser, part, &location_out->root) < 0)
		return -1;
	while (next_part(arena, &rest, &part))
		if (part.len > 0 && take_option(&parser, part) < 0)
			return -1;
	if (location_out->inbox == NULL)
		location_out->inbox = location_out->root;
	if (location_out->control == NULL)
		location_out->control = location_out->root;
	return 0;
}
