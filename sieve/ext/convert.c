/* convert - parts of one media type become another one's (RFC 6558)
 *
 *   convert "image/tiff" "image/jpeg" ["pix-x=320", "pix-y=240"]
 *
 * A program of the admin's does it; where there is none for the two types, and
 * where it fails, the part stays as it is.  The test is true when there were such
 * parts and each of them is now of the other type.  In a loop it is about the
 * loop's part and what is in it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/buf.h"
#include "base/encode.h"
#include "mail/compose.h"
#include "mail/edited.h"
#include "mail/message.h"
#include "sieve/check.h"
#include "sieve/current.h"
#include "sieve/evaluate.h"
#include "sieve/ext/external.h"
#include "sieve/ext/newmessage.h"
#include "sieve/loop.h"
#include "sieve/part.h"
#include "sieve/registry.h"

#include "base/banned.h"

enum {
	LONGEST_TYPE = 128,      /* bytes */
	LONGEST_PARAMETER = 255, /* bytes, as of a string of RFC 5259 */
	MOST_PARAMETERS_GIVEN = 32,
	LINE_BYTES = 57, /* of a line of base64: 76 characters */
	COPIES_OF_A_BYTE = 4,
	PART_COST = 4096,      /* beside its bytes */
	PIECES_FOR_A_STEP = 64 /* of the body */
};

/* ---- arguments ---- */

static const char type_is_wrong[] =
	"%s is no media type, such as \"image/jpeg\"";
static const char parameter_is_wrong[] =
	"%s is no parameter of a conversion, such as \"pix-x=320\"";

/* RFC 2045 5.1 */
static bool
is_token(struct str s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (s.data[i] <= ' ' || s.data[i] == '\x7f' ||
			str_has_char(STR("()<>@,;:\\\"/[]?="), s.data[i]))
			return false;
	return s.len > 0;
}

static bool
is_type(struct str type)
{
	size_t slash = str_find_char(type, '/');

	return type.len <= LONGEST_TYPE && slash < type.len &&
	       is_token(str_slice(type, 0, slash)) &&
	       is_token(str_skip(type, slash + 1));
}

static bool
is_parameter(struct str parameter)
{
	size_t equals = str_find_char(parameter, '=');

	return parameter.len <= LONGEST_PARAMETER && equals < parameter.len &&
	       is_token(str_slice(parameter, 0, equals)) &&
	       str_find_any(parameter, "\r\n") == parameter.len &&
	       !str_has_char(parameter, '\0');
}

static void
check_texts(struct checker *checker, const struct argument *argument,
	bool (*is_right)(struct str s), const char *format)
{
	size_t i;

	for (i = 0; i < argument->count; i++) {
		const struct text *text = &argument->texts[i];

		if (text_is_constant(text) && !is_right(text->constant))
			/* One of the two above. */
			check_error(checker, text->at,
				format == type_is_wrong ? type_is_wrong
							: parameter_is_wrong,
				check_quote(checker, text->constant));
	}
}

static void
check_convert(struct checker *checker, struct ast_command *node)
{
	const struct argument *arguments = node->call->arguments;

	check_texts(checker, &arguments[0], is_type, type_is_wrong);
	check_texts(checker, &arguments[1], is_type, type_is_wrong);
	check_texts(checker, &arguments[2], is_parameter, parameter_is_wrong);
	if (arguments[2].count > MOST_PARAMETERS_GIVEN)
		check_error(checker, arguments[2].at,
			"a conversion takes 32 parameters at most");
}

/* What is to be done to parts. */
struct conversion {
	struct run *run;
	const struct call *call;
	const struct str *arguments; /* both types, parameters */
	size_t argument_count;
	struct str from, to;
	struct parts *parts;
	size_t wanted, done;
};

static struct str
lower(struct arena *arena, struct str s)
{
	char *copy = arena_alloc(arena, s.len + 1);
	size_t i;

	for (i = 0; i < s.len; i++)
		copy[i] = ascii_lower(s.data[i]);
	return str_of(copy, s.len);
}

static enum sieve_status
read_type(struct run *run, const struct call *call, size_t place,
	struct str *type_out)
{
	struct str type;

	if (run_text(run, call->arguments[place].texts, &type) != SIEVE_OK)
		return SIEVE_FAILED;
	if (!is_type(type))
		return run_fail(
			run, type_is_wrong, report_quote(&run->reporter, type));
	*type_out = lower(run->result->arena, type);
	return SIEVE_OK;
}

static enum sieve_status
read_arguments(struct conversion *conversion)
{
	struct run *run = conversion->run;
	const struct argument *given = &conversion->call->arguments[2];
	struct str *all =
		ARENA_ARRAY(run->result->arena, struct str, given->count + 2);
	const struct str *parameters;
	size_t i;

	if (read_type(run, conversion->call, 0, &all[0]) != SIEVE_OK ||
		read_type(run, conversion->call, 1, &all[1]) != SIEVE_OK ||
		run_texts(run, given, &parameters) != SIEVE_OK)
		return SIEVE_FAILED;
	for (i = 0; i < given->count; i++) {
		if (!is_parameter(parameters[i]))
			return run_fail(run, parameter_is_wrong,
				report_quote(&run->reporter, parameters[i]));
		all[i + 2] = parameters[i];
	}
	conversion->from = all[0];
	conversion->to = all[1];
	conversion->arguments = all;
	conversion->argument_count = given->count + 2;
	return SIEVE_OK;
}

/* ---- the new part ---- */

/* What described the old content, and what is said anew. */
static bool
is_about_content(struct str name)
{
	return str_is_nocase(name, "Content-Type") ||
	       str_is_nocase(name, "Content-Transfer-Encoding") ||
	       str_is_nocase(name, "Content-MD5") ||
	       str_is_nocase(name, "Content-Length");
}

static enum sieve_status
add_kept_fields(struct run *run, struct str header, struct buf *entity)
{
	const struct message_limits limits = {.memory_bytes = header.len,
		.header_bytes = header.len,
		.header_fields = 1000};
	const struct header_field *fields;
	struct message *message;
	size_t count, i;

	if (message_open_bytes(header, &limits, &message, run->err) < 0)
		return SIEVE_TEMPORARY;
	fields = message_fields(message, &count);
	for (i = 0; i < count; i++)
		if (str_starts_nocase(fields[i].name, STR("Content-")) &&
			!is_about_content(fields[i].name))
			buf_add_format(entity, "%.*s: %.*s\n",
				STR_ARG(fields[i].name),
				STR_ARG(compose_lf(run->scratch,
					str_trim(fields[i].value))));
	message_close(&message);
	return SIEVE_OK;
}

/* What the parameters ask for. */
static struct str
charset_of(const struct conversion *conversion)
{
	size_t i;

	for (i = 2; i < conversion->argument_count; i++)
		if (str_starts_nocase(
			    conversion->arguments[i], STR("charset=")) &&
			is_token(str_skip(conversion->arguments[i], 8)))
			return str_skip(conversion->arguments[i], 8);
	return STR("utf-8");
}

static void
add_type(const struct conversion *conversion, struct buf *entity)
{
	buf_add_format(entity, "Content-Type: %.*s", STR_ARG(conversion->to));
	if (str_starts(conversion->to, STR("text/")))
		buf_add_format(entity, "; charset=%.*s",
			STR_ARG(charset_of(conversion)));
	buf_add_text(entity, "\nContent-Transfer-Encoding: base64\n\n");
}

static void
add_base64(struct arena *scratch, struct str bytes, struct buf *entity)
{
	while (bytes.len > 0) {
		struct arena_mark mark = arena_mark(scratch);

		buf_add(entity,
			encode_base64(scratch, str_slice(bytes, 0, LINE_BYTES),
				true, false));
		buf_add_char(entity, '\n');
		bytes = str_skip(bytes, LINE_BYTES);
		arena_release(scratch, mark);
	}
}

static enum sieve_status
make_entity(const struct conversion *conversion, size_t index,
	struct str output, struct str *entity_out)
{
	struct run *run = conversion->run;
	enum sieve_status status;
	struct buf entity;
	struct str header;

	if (run_reserve(run, PART_COST + (uint64_t)output.len *
						 COPIES_OF_A_BYTE) != SIEVE_OK)
		return SIEVE_FAILED;
	status = part_header(run, conversion->parts, index, &header);
	if (status != SIEVE_OK)
		return status;
	buf_init(&entity, BUF_UNLIMITED);
	status = add_kept_fields(run, header, &entity);
	add_type(conversion, &entity);
	add_base64(run->scratch, output, &entity);
	*entity_out = arena_copy(run->result->arena, buf_view(&entity));
	buf_clear(&entity);
	return status;
}

/* ---- one part ---- */

static enum sieve_status
put_in_place(
	const struct conversion *conversion, size_t index, struct str entity)
{
	struct run *run = conversion->run;
	const struct mime_part *part = &conversion->parts->mime->parts[index];

	newmessage_mark_body(run, conversion->parts);
	loop_drop_children(conversion->parts, index);
	if (index == 0)
		return newmessage_set_entity(run, entity);
	if (run_charge(run, 1 + edited_body_count(run_edit(run)) /
					    PIECES_FOR_A_STEP) != SIEVE_OK)
		return SIEVE_FAILED;
	/* Behind a part stands the line end that belongs to the boundary. */
	(void)edited_replace(run_edit(run), part->header, part->end,
		str_slice(entity, 0, entity.len - 1));
	return SIEVE_OK;
}

static enum sieve_status
convert_part(struct conversion *conversion, size_t index)
{
	struct run *run = conversion->run;
	struct sieve_external external = {.kind = SIEVE_EXTERNAL_CONVERT,
		.arguments = conversion->arguments,
		.argument_count = conversion->argument_count,
		.wants_output = true};
	struct str entity;
	enum sieve_status status =
		part_content(run, conversion->parts, index, &external.input);

	if (status != SIEVE_OK || conversion->parts->bytes[index].is_unreadable)
		return status;
	if (external_run(run, conversion->call, &external) != SIEVE_OK)
		return SIEVE_FAILED;
	if (external.end != SIEVE_EXTERNAL_DONE || external.output.len == 0)
		return SIEVE_OK;
	status = make_entity(conversion, index, external.output, &entity);
	if (status == SIEVE_OK)
		status = put_in_place(conversion, index, entity);
	if (status == SIEVE_OK)
		conversion->done++;
	return status;
}

static bool
is_wanted(const struct conversion *conversion, size_t index)
{
	const struct mime_part *part = &conversion->parts->mime->parts[index];
	size_t slash = str_find_char(conversion->from, '/');

	return part_is_leaf(part) && !conversion->parts->bytes[index].is_gone &&
	       str_equal(part->type, str_slice(conversion->from, 0, slash)) &&
	       str_equal(part->subtype, str_skip(conversion->from, slash + 1));
}

static enum sieve_status
convert_parts(struct conversion *conversion)
{
	enum sieve_status status = SIEVE_OK;
	size_t index = 0, end;

	if (!loop_part(conversion->run, &conversion->parts, &index))
		status = run_parts(conversion->run, &conversion->parts);
	if (status != SIEVE_OK)
		return status;
	end = conversion->parts->mime->parts[index].next;
	if (run_charge(conversion->run, 1 + (end - index)) != SIEVE_OK)
		return SIEVE_FAILED;
	for (; index < end && status == SIEVE_OK; index++) {
		if (!is_wanted(conversion, index))
			continue;
		conversion->wanted++;
		status = convert_part(conversion, index);
	}
	return status;
}

static enum sieve_status
convert(struct run *run, const struct call *call, bool *answer_out)
{
	struct conversion conversion = {.run = run, .call = call};
	enum sieve_status status = read_arguments(&conversion);

	if (status == SIEVE_OK)
		status = convert_parts(&conversion);
	*answer_out =
		conversion.wanted > 0 && conversion.done == conversion.wanted;
	return status;
}

static enum sieve_status
act_convert(struct run *run, const struct call *call)
{
	bool answer;

	return convert(run, call, &answer);
}

static enum sieve_status
test_convert(struct run *run, const struct call *call, bool *answer_out)
{
	enum sieve_status status = convert(run, call, answer_out);

	if (status == SIEVE_OK)
		run_trace_test(run, call, STR_EMPTY, *answer_out);
	return status;
}

const struct command_ops command_convert = {
	.check = check_convert,
	.act = act_convert,
	.test = test_convert,
};
