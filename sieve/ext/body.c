/* body - what is in the message's body (RFC 5173)
 *
 * A value is a whole body or a whole part, so that :is and :matches see all of
 * it.  :contains needs no more of a large one than a window at a time.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/buf.h"
#include "mail/transfer.h"
#include "sieve/check.h"
#include "sieve/compare.h"
#include "sieve/part.h"
#include "sieve/registry.h"

#include "base/banned.h"

/* Bytes that are folded and searched at once. */
enum { WINDOW = 64 * 1024 };

/* ---- large values ---- */

/* May a value be looked at in windows that overlap by a key's length? */
static bool
may_divide(const struct compare *compare)
{
	const struct call *call = compare->call;

	return call->match_type == &match_contains &&
	       (call->comparator == &comparator_octet ||
		       call->comparator == &comparator_ascii_casemap);
}

static size_t
longest_key(const struct compare *compare)
{
	size_t longest = 0, i;

	for (i = 0; i < compare->key_count; i++)
		if (compare->keys[i].text.len > longest)
			longest = compare->keys[i].text.len;
	return longest;
}

/* Gives back what the comparison took, unless the trace lies in it. */
static enum sieve_status
compare_window(struct compare *compare, struct str window)
{
	struct run *run = compare->run;
	struct arena_mark mark = arena_mark(run->scratch);
	enum sieve_status status = compare_value(compare, window);

	if (!run_is_traced(run))
		arena_release(run->scratch, mark);
	return status;
}

static enum sieve_status
compare_large(struct compare *compare, struct str value)
{
	size_t step = WINDOW, overlap, at = 0;
	enum sieve_status status = SIEVE_OK;

	if (value.len <= 2 * (size_t)WINDOW || !may_divide(compare))
		return compare_window(compare, value);
	overlap = longest_key(compare);
	if (step < overlap)
		step = overlap;
	while (at < value.len && !compare->is_true && status == SIEVE_OK) {
		status = compare_window(
			compare, str_slice(value, at, at + step + overlap));
		at += step;
	}
	return status;
}

/* ---- :raw (RFC 5173 5.1) ---- */

/* A body in a file, as it streams by. */
struct stream {
	struct compare *compare;
	struct transfer transfer;
	struct buf buf;
	size_t overlap, full;
	enum sieve_status status;
};

static void
compare_buffered(struct stream *stream)
{
	struct buf *buf = &stream->buf;
	size_t kept = buf->len < stream->overlap ? buf->len : stream->overlap;

	stream->status = compare_window(stream->compare, buf_view(buf));
	if (kept > 0)
		memmove(buf->data, buf->data + buf->len - kept, kept);
	buf->len = kept;
}

static bool
take_piece(void *context, struct str piece)
{
	struct stream *stream = context;

	transfer_add(&stream->transfer, piece, &stream->buf);
	if (stream->buf.len >= stream->full)
		compare_buffered(stream);
	return stream->status == SIEVE_OK && !stream->compare->is_true;
}

static enum sieve_status
compare_stream(struct compare *compare, const struct parts *parts)
{
	struct run *run = compare->run;
	uint64_t from = parts->mime->parts[0].body, to = parts->source.end;
	struct stream stream = {
		.compare = compare, .overlap = longest_key(compare)};

	if (run_charge(run, 1 + (to - from) / WINDOW) != SIEVE_OK ||
		run_reserve(run, 4 * (uint64_t)WINDOW + 2 * stream.overlap) !=
			SIEVE_OK)
		return SIEVE_FAILED;
	stream.full = WINDOW + stream.overlap;
	buf_init(&stream.buf, BUF_UNLIMITED);
	transfer_init(&stream.transfer, TRANSFER_IDENTITY, true);
	if (mime_source_each(&parts->source, from, to, take_piece, &stream,
		    run->err) < 0)
		stream.status = SIEVE_TEMPORARY;
	if (stream.status == SIEVE_OK && !compare->is_true)
		compare_buffered(&stream);
	buf_clear(&stream.buf);
	return stream.status;
}

static enum sieve_status
compare_raw(struct compare *compare, struct parts *parts)
{
	uint64_t from = parts->mime->parts[0].body, to = parts->source.end;
	enum sieve_status status;
	struct str value;

	if (!parts->has_raw && may_divide(compare) &&
		!parts->source.view(parts->source.object, from, to, &value))
		return compare_stream(compare, parts);
	status = parts_raw(compare->run, parts, &value);
	return status == SIEVE_OK ? compare_large(compare, value) : status;
}

/* ---- :content (RFC 5173 5.2) ---- */

static bool
matches_type(struct str wanted, const struct mime_part *part)
{
	size_t slash = str_find_char(wanted, '/');
	struct str subtype = str_skip(wanted, slash + 1);

	if (wanted.len == 0)
		return true;
	if (slash == wanted.len)
		return str_equal_nocase(wanted, part->type);
	if (slash == 0 || str_has_char(subtype, '/'))
		return false;
	return str_equal_nocase(str_slice(wanted, 0, slash), part->type) &&
	       str_equal_nocase(subtype, part->subtype);
}

static bool
is_wanted(const struct mime_part *part, const struct str *types, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (matches_type(types[i], part))
			return true;
	return false;
}

static enum sieve_status
compare_range(struct compare *compare, const struct parts *parts, uint64_t from,
	uint64_t to)
{
	struct str value;
	enum sieve_status status =
		part_range(compare->run, parts, from, to, &value);

	return status == SIEVE_OK ? compare_large(compare, value) : status;
}

/* Prologue and epilogue; that of a multipart which is never closed is none. */
static enum sieve_status
compare_multipart(struct compare *compare, const struct parts *parts,
	const struct mime_part *part)
{
	enum sieve_status status =
		compare_range(compare, parts, part->body, part->prologue_end);

	if (status == SIEVE_OK && part->has_epilogue && !compare->is_true)
		status = compare_range(
			compare, parts, part->epilogue, part->end);
	return status;
}

static enum sieve_status
compare_part(struct compare *compare, struct parts *parts, size_t index)
{
	const struct mime_part *part = &parts->mime->parts[index];
	enum sieve_status status;
	struct str value;

	if (part->is_multipart)
		return compare_multipart(compare, parts, part);
	/* The header of the nested message. */
	if (part->is_message)
		return compare_range(
			compare, parts, part[1].header, part[1].header_end);
	status = part_content(compare->run, parts, index, &value);
	return status == SIEVE_OK ? compare_large(compare, value) : status;
}

static enum sieve_status
compare_content(struct compare *compare, struct parts *parts,
	const struct argument *argument)
{
	struct run *run = compare->run;
	const struct str *types;
	enum sieve_status status = SIEVE_OK;
	size_t i;

	if (run_texts(run, argument, &types) != SIEVE_OK)
		return SIEVE_FAILED;
	for (i = 0; i < parts->mime->count && !compare->is_true; i++) {
		if (run_charge(run, 1 + argument->count / 16) != SIEVE_OK)
			return SIEVE_FAILED;
		if (is_wanted(&parts->mime->parts[i], types, argument->count))
			status = compare_part(compare, parts, i);
		if (status != SIEVE_OK)
			return status;
	}
	return SIEVE_OK;
}

/* ---- :text (RFC 5173 5.3) ---- */

static enum sieve_status
compare_text(struct compare *compare, struct parts *parts)
{
	enum sieve_status status = SIEVE_OK;
	struct str value;
	size_t i;

	for (i = 0; i < parts->mime->count && !compare->is_true; i++) {
		if (run_charge(compare->run, 1) != SIEVE_OK)
			return SIEVE_FAILED;
		if (!part_is_text(&parts->mime->parts[i]))
			continue;
		status = part_text(compare->run, parts, i, &value);
		if (status == SIEVE_OK)
			status = compare_large(compare, value);
		if (status != SIEVE_OK)
			return status;
	}
	return SIEVE_OK;
}

/* ---- body ---- */

static enum sieve_status
compare_body(struct compare *compare, struct parts *parts)
{
	const struct tag_use *use =
		call_tag(compare->call, GROUP_BODY_TRANSFORM);

	if (use == NULL || use->tag->id == TAG_BODY_TEXT)
		return compare_text(compare, parts);
	if (use->tag->id == TAG_BODY_RAW)
		return compare_raw(compare, parts);
	return compare_content(compare, parts, &use->argument);
}

/* RFC 5173 4: a message without the empty line has no body, and no test of it is
 * true. */
static enum sieve_status
test_body(struct run *run, const struct call *call, bool *answer_out)
{
	struct compare compare;
	struct parts *parts;
	enum sieve_status status = run_parts(run, &parts);

	if (status != SIEVE_OK)
		return status;
	if (compare_start(&compare, run, call, 0) != SIEVE_OK)
		return SIEVE_FAILED;
	compare.sets_nothing = true;
	if (parts->mime->parts[0].has_body)
		status = compare_body(&compare, parts);
	if (status == SIEVE_OK)
		compare_end(&compare, answer_out);
	return status;
}

const struct command_ops command_body = {.test = test_body};
