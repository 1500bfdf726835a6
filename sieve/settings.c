/* SPDX-License-Identifier: MIT */
#include "sieve/settings.h"

#include "base/banned.h"

enum {
	DEFAULT_ACTIONS = 32,
	DEFAULT_REDIRECTS = 4,
	DEFAULT_NOTIFICATIONS = 10,
	DEFAULT_NOTIFY_RECIPIENTS = 8,
	DEFAULT_NOTIFY_HEADERS = 16,
	DEFAULT_NESTING = 32,
	DEFAULT_ERRORS = 30,
	DEFAULT_STRING = 1024 * 1024,
	DEFAULT_VARIABLE_SIZE = 16 * 1024,
	DEFAULT_VARIABLES = 255,
	DEFAULT_INCLUDES = 255,
	DEFAULT_INCLUDE_DEPTH = 10,
	DEFAULT_PROGRAMS = 10,
	DEFAULT_HEADER_SIZE = 2048,
	DEFAULT_MIME_PARTS = 10000,
	DEFAULT_MIME_DEPTH = 100
};
#define DEFAULT_SCRIPT_SIZE (UINT64_C(1024) * 1024)
#define DEFAULT_PROGRAM_OUTPUT (UINT64_C(32) * 1024 * 1024)
#define DEFAULT_STEPS UINT64_C(1000000)
#define DEFAULT_DUPLICATE (UINT64_C(12) * 60 * 60)
#define DEFAULT_DUPLICATE_MAX (UINT64_C(7) * 24 * 60 * 60)
#define DEFAULT_VACATION (UINT64_C(7) * 24 * 60 * 60)
#define DEFAULT_VACATION_MIN (UINT64_C(24) * 60 * 60)
#define DEFAULT_VACATION_MAX (UINT64_C(60) * 24 * 60 * 60)
#define DEFAULT_MEMORY (UINT64_C(64) * 1024 * 1024)

static uint64_t
or_default(uint64_t value, uint64_t otherwise)
{
	return value > 0 ? value : otherwise;
}

static size_t
or_default_size(size_t value, size_t otherwise)
{
	return value > 0 ? value : otherwise;
}

static void
fill_vacation(struct sieve_vacation_settings *vacation)
{
	vacation->default_s = or_default(vacation->default_s, DEFAULT_VACATION);
	vacation->min_s = vacation->has_no_min ? 0
	                                       : or_default(vacation->min_s,
							 DEFAULT_VACATION_MIN);
	vacation->max_s = or_default(vacation->max_s, DEFAULT_VACATION_MAX);
	if (vacation->subject == NULL)
		vacation->subject = "Automated reply";
	if (vacation->template == NULL)
		vacation->template = "Auto: %$";
}

struct sieve_settings
settings_filled(const struct sieve_settings *settings)
{
	struct sieve_settings s = {0};

	if (settings != NULL)
		s = *settings;
	s.max_script_size = or_default(s.max_script_size, DEFAULT_SCRIPT_SIZE);
	s.max_actions = or_default_size(s.max_actions, DEFAULT_ACTIONS);
	s.max_redirects = or_default_size(s.max_redirects, DEFAULT_REDIRECTS);
	s.max_notifications =
		or_default_size(s.max_notifications, DEFAULT_NOTIFICATIONS);
	s.max_notify_recipients = or_default_size(
		s.max_notify_recipients, DEFAULT_NOTIFY_RECIPIENTS);
	s.max_notify_headers =
		or_default_size(s.max_notify_headers, DEFAULT_NOTIFY_HEADERS);
	s.max_nesting = or_default_size(s.max_nesting, DEFAULT_NESTING);
	s.max_errors = or_default_size(s.max_errors, DEFAULT_ERRORS);
	s.max_string = or_default_size(s.max_string, DEFAULT_STRING);
	s.max_variable_size =
		or_default_size(s.max_variable_size, DEFAULT_VARIABLE_SIZE);
	s.max_variables = or_default_size(s.max_variables, DEFAULT_VARIABLES);
	s.max_includes = or_default_size(s.max_includes, DEFAULT_INCLUDES);
	s.max_include_depth =
		or_default_size(s.max_include_depth, DEFAULT_INCLUDE_DEPTH);
	s.max_programs = or_default_size(s.max_programs, DEFAULT_PROGRAMS);
	s.max_program_output =
		or_default(s.max_program_output, DEFAULT_PROGRAM_OUTPUT);
	s.max_header_size =
		or_default_size(s.max_header_size, DEFAULT_HEADER_SIZE);
	s.max_mime_parts =
		or_default_size(s.max_mime_parts, DEFAULT_MIME_PARTS);
	s.max_mime_depth =
		or_default_size(s.max_mime_depth, DEFAULT_MIME_DEPTH);
	s.max_steps = or_default(s.max_steps, DEFAULT_STEPS);
	s.max_memory = or_default(s.max_memory, DEFAULT_MEMORY);
	s.duplicate_default_s =
		or_default(s.duplicate_default_s, DEFAULT_DUPLICATE);
	s.duplicate_max_s =
		or_default(s.duplicate_max_s, DEFAULT_DUPLICATE_MAX);
	fill_vacation(&s.vacation);
	if (s.delimiters == NULL)
		s.delimiters = "+";
	return s;
}

/* What a list says about a name; the last word about it counts. */
struct list_word {
	bool has_names; /* some stand there without + and - */
	bool is_named, is_added, is_taken;
};

static struct list_word
look_up(const char *list, struct str name)
{
	struct list_word said = {false};
	struct str rest = str_from(list), word;

	while (str_next_word(&rest, &word)) {
		bool is_changed = word.data[0] == '+' || word.data[0] == '-';

		if (!is_changed)
			said.has_names = true;
		if (!str_equal(str_skip(word, is_changed), name))
			continue;
		said.is_named = said.is_named || !is_changed;
		said.is_added = word.data[0] == '+';
		said.is_taken = word.data[0] == '-';
	}
	return said;
}

bool
settings_is_for_global(const struct sieve_settings *settings, struct str name)
{
	struct list_word said = look_up(settings->global_extensions, name);

	return (said.is_named || said.is_added) && !said.is_taken;
}

bool
settings_allow(const struct sieve_settings *settings, struct str name)
{
	struct list_word said = look_up(settings->extensions, name);

	if (settings_is_for_global(settings, name))
		return settings->is_global;
	/* "+name -name" change all, or the names that stand there. */
	return (!said.has_names || said.is_named || said.is_added) &&
	       !said.is_taken;
}

static bool
is_same_text(const char *a, const char *b)
{
	return str_equal(str_from(a), str_from(b));
}

static bool
is_same_scan(const struct sieve_scan_settings *a,
	const struct sieve_scan_settings *b)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(a->text_values); i++)
		if (!is_same_text(a->text_values[i], b->text_values[i]))
			return false;
	return is_same_text(a->status_header, b->status_header) &&
	       a->type == b->type && is_same_text(a->max_value, b->max_value) &&
	       is_same_text(a->max_header, b->max_header);
}

static bool
is_same_vacation(const struct sieve_vacation_settings *a,
	const struct sieve_vacation_settings *b)
{
	return a->default_s == b->default_s && a->min_s == b->min_s &&
	       a->max_s == b->max_s && a->has_no_min == b->has_no_min &&
	       a->answers_implicit == b->answers_implicit &&
	       a->knows_original == b->knows_original &&
	       a->ignores_envelope == b->ignores_envelope &&
	       is_same_text(a->subject, b->subject) &&
	       is_same_text(a->template, b->template);
}

static bool
is_same_notify(const struct sieve_settings *a, const struct sieve_settings *b)
{
	return a->max_notifications == b->max_notifications &&
	       a->notifications_prohibited == b->notifications_prohibited &&
	       a->max_notify_recipients == b->max_notify_recipients &&
	       a->max_notify_headers == b->max_notify_headers;
}

bool
sieve_settings_are_same(
	const struct sieve_settings *a, const struct sieve_settings *b)
{
	return is_same_text(a->testsuite_path, b->testsuite_path) &&
	       a->max_script_size == b->max_script_size &&
	       a->max_actions == b->max_actions &&
	       a->max_redirects == b->max_redirects &&
	       a->redirects_prohibited == b->redirects_prohibited &&
	       is_same_notify(a, b) && a->max_nesting == b->max_nesting &&
	       a->max_errors == b->max_errors &&
	       a->max_string == b->max_string &&
	       a->max_variable_size == b->max_variable_size &&
	       a->max_variables == b->max_variables &&
	       a->max_includes == b->max_includes &&
	       a->max_include_depth == b->max_include_depth &&
	       a->max_mime_parts == b->max_mime_parts &&
	       a->max_mime_depth == b->max_mime_depth &&
	       a->max_steps == b->max_steps && a->max_memory == b->max_memory &&
	       a->duplicate_default_s == b->duplicate_default_s &&
	       a->duplicate_max_s == b->duplicate_max_s &&
	       a->max_programs == b->max_programs &&
	       a->max_program_output == b->max_program_output &&
	       is_same_vacation(&a->vacation, &b->vacation) &&
	       a->max_header_size == b->max_header_size &&
	       is_same_text(a->protected_headers, b->protected_headers) &&
	       is_same_text(a->no_add_headers, b->no_add_headers) &&
	       is_same_text(a->no_delete_headers, b->no_delete_headers) &&
	       is_same_scan(&a->spam, &b->spam) &&
	       is_same_scan(&a->virus, &b->virus) &&
	       is_same_text(a->delimiters, b->delimiters) &&
	       a->is_global == b->is_global &&
	       is_same_text(a->global_extensions, b->global_extensions) &&
	       is_same_text(a->extensions, b->extensions);
}
