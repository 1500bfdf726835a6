/* SPDX-License-Identifier: MIT */
#include "sieve/ext/mime.h"

#include "mail/mimevalue.h"
#include "sieve/check.h"
#include "sieve/current.h"
#include "sieve/loop.h"
#include "sieve/part.h"
#include "sieve/registry.h"

#include "base/banned.h"

enum { HEADER_FOR_A_STEP = 4096 /* bytes */ };

/* ---- tags ---- */

static void
check_needs_mime(
	struct checker *checker, struct call *call, const struct tag_use *use)
{
	if (call_tag(call, GROUP_MIME) == NULL)
		check_error(checker, use->at,
			"\":%s\" needs \":mime\" beside it", use->tag->name);
}

const struct tag_ops tag_mime_option = {.check = check_needs_mime};

/* ---- which parts ---- */

/* [from, to) of the parts. */
struct span {
	struct parts *parts;
	size_t from, to;
};

static bool
asks_children(const struct call *call)
{
	return call_tag(call, GROUP_ANYCHILD) != NULL;
}

bool
mime_asks_parts(const struct run *run, const struct call *call)
{
	struct parts *parts;
	size_t index;

	if (call_tag(call, GROUP_MIME) == NULL)
		return false;
	if (asks_children(call))
		return true;
	return loop_part(run, &parts, &index) && index > 0;
}

static enum sieve_status
find_scope(struct run *run, const struct call *call, struct span *span)
{
	enum sieve_status status = SIEVE_OK;

	span->from = 0;
	if (!loop_part(run, &span->parts, &span->from))
		status = run_parts(run, &span->parts);
	if (status != SIEVE_OK)
		return status;
	span->to = asks_children(call)
	                   ? span->parts->mime->parts[span->from].next
	                   : span->from + 1;
	return SIEVE_OK;
}

/* ---- their fields ---- */

struct walk {
	struct run *run;
	const struct str *names;
	size_t count;
	/* False ends the walk, and so does a status that is not SIEVE_OK. */
	bool (*visit)(struct walk *walk, const struct header_field *field);
	enum sieve_status status;

	struct compare *compare;
	enum sieve_status (*each)(
		struct compare *, const struct header_field *);
	uint64_t wanted; /* number of the field, from 1; 0: all */
	uint64_t seen;
};

static bool
has_name(const struct walk *walk, struct str name)
{
	size_t i;

	for (i = 0; i < walk->count; i++)
		if (str_equal_nocase(walk->names[i], name))
			return true;
	return false;
}

/* What a visit leaves in scratch is given back, unless the trace lies in it. */
static bool
visit(struct walk *walk, const struct header_field *field)
{
	struct run *run = walk->run;
	struct arena_mark mark = arena_mark(run->scratch);
	bool goes_on = walk->visit(walk, field);

	if (!run_is_traced(run))
		arena_release(run->scratch, mark);
	return goes_on && walk->status == SIEVE_OK;
}

/* The message's own header as it is now (editheader). */
static bool
walk_own(struct walk *walk)
{
	const struct header_field *field = NULL;

	walk->status = run_charge_fields(walk->run);
	if (walk->status != SIEVE_OK)
		return false;
	while ((field = run_field_after(walk->run, field)) != NULL)
		if (has_name(walk, field->name) && !visit(walk, field))
			return false;
	return true;
}

static bool
walk_part(struct walk *walk, struct parts *parts, size_t index)
{
	struct header_field field;
	struct str header;
	size_t at = 0;

	walk->status = part_header(walk->run, parts, index, &header);
	if (walk->status == SIEVE_OK)
		walk->status = run_charge(
			walk->run, 1 + header.len / HEADER_FOR_A_STEP);
	if (walk->status != SIEVE_OK)
		return false;
	while (message_block_field(header, &at, &field))
		if (has_name(walk, field.name) && !visit(walk, &field))
			return false;
	return true;
}

static enum sieve_status
walk_scope(struct walk *walk, const struct span *span)
{
	bool goes_on = true;
	size_t i;

	walk->status = SIEVE_OK;
	walk->seen = 0;
	for (i = span->from; i < span->to && goes_on; i++)
		goes_on = i == 0 ? walk_own(walk)
		                 : walk_part(walk, span->parts, i);
	return walk->status;
}

/* ---- comparing ---- */

static bool
visit_compare(struct walk *walk, const struct header_field *field)
{
	walk->seen++;
	if (walk->wanted > 0 && walk->seen != walk->wanted)
		return true;
	walk->status = walk->each(walk->compare, field);
	return walk->wanted == 0 && !walk->compare->is_true;
}

static bool
visit_count(struct walk *walk, const struct header_field *field UNUSED)
{
	walk->seen++;
	return true;
}

/* RFC 5260 6, :last: from the end.  False: there are not so many. */
static enum sieve_status
count_from_last(struct walk *walk, const struct span *span, bool *exists_out)
{
	enum sieve_status status;

	walk->visit = visit_count;
	status = walk_scope(walk, span);
	*exists_out = walk->wanted <= walk->seen;
	walk->wanted = walk->seen - walk->wanted + 1;
	return status;
}

enum sieve_status
mime_compare_fields(struct compare *compare, const struct str *names,
	size_t count,
	enum sieve_status (*each)(
		struct compare *, const struct header_field *))
{
	const struct call *call = compare->call;
	struct walk walk = {
		.run = compare->run,
		.names = names,
		.count = count,
		.compare = compare,
		.each = each,
		.wanted = call->field_index,
	};
	struct span span;
	bool exists = true;
	enum sieve_status status = find_scope(compare->run, call, &span);

	if (status == SIEVE_OK && call->counts_from_last)
		status = count_from_last(&walk, &span, &exists);
	if (status != SIEVE_OK || !exists)
		return status;
	walk.visit = visit_compare;
	return walk_scope(&walk, &span);
}

static bool
visit_exists(struct walk *walk, const struct header_field *field UNUSED)
{
	walk->seen++;
	return false;
}

enum sieve_status
mime_exists(struct run *run, const struct call *call, struct str name,
	bool *exists_out)
{
	struct walk walk = {
		.run = run, .names = &name, .count = 1, .visit = visit_exists};
	struct span span;
	enum sieve_status status = find_scope(run, call, &span);

	if (status == SIEVE_OK)
		status = walk_scope(&walk, &span);
	*exists_out = walk.seen > 0;
	return status;
}

/* ---- pieces of a field (RFC 5703 4.1) ---- */

bool
mime_has_option(const struct call *call)
{
	return call_tag(call, GROUP_MIME_OPTION) != NULL;
}

static enum sieve_status
compare_parameters(struct compare *compare, const struct tag_use *use,
	const struct mimevalue *mimevalue)
{
	struct run *run = compare->run;
	const struct str *names;
	size_t i;

	if (run_texts(run, &use->argument, &names) != SIEVE_OK)
		return SIEVE_FAILED;
	for (i = 0; i < use->argument.count && !compare->is_true; i++) {
		const struct mime_parameter *parameter =
			mimevalue_find(mimevalue, names[i]);

		if (run_charge(run, 1 + mimevalue->count / 16) != SIEVE_OK)
			return SIEVE_FAILED;
		if (parameter != NULL &&
			compare_value(compare, mime_parameter_text(run->scratch,
						       parameter)) != SIEVE_OK)
			return SIEVE_FAILED;
	}
	return SIEVE_OK;
}

/* Content-Type has all, Content-Disposition only the first word; a blank string
 * stands for the rest, and for any other field. */
static struct str
field_piece(struct arena *arena, enum tag_id option,
	const struct header_field *field, const struct mimevalue *mimevalue)
{
	bool is_type = str_is_nocase(field->name, "Content-Type");
	bool is_disposition = str_is_nocase(field->name, "Content-Disposition");

	if (is_disposition && option != TAG_MIME_SUBTYPE)
		return mimevalue->type;
	if (!is_type)
		return STR_EMPTY;
	if (option == TAG_MIME_SUBTYPE)
		return mimevalue->subtype;
	if (option == TAG_MIME_TYPE || mimevalue->subtype.len == 0)
		return mimevalue->type;
	return str_from(arena_format(arena, "%.*s/%.*s",
		STR_ARG(mimevalue->type), STR_ARG(mimevalue->subtype)));
}

enum sieve_status
mime_compare_option(struct compare *compare, const struct header_field *field)
{
	const struct tag_use *use = call_tag(compare->call, GROUP_MIME_OPTION);
	struct run *run = compare->run;
	struct mimevalue mimevalue;

	/* What is read of a value is a few times its size. */
	if (run_reserve(run, (uint64_t)field->value.len * 4) != SIEVE_OK)
		return SIEVE_FAILED;
	mimevalue_parse(run->scratch, field->value, &mimevalue);
	if (use->tag->id == TAG_MIME_PARAM)
		return compare_parameters(compare, use, &mimevalue);
	return compare_value(compare,
		field_piece(run->scratch, use->tag->id, field, &mimevalue));
}
