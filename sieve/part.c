/* SPDX-License-Identifier: MIT */
#include "sieve/part.h"

#include "base/buf.h"
#include "base/charset.h"
#include "base/memory.h"
#include "mail/html.h"
#include "mail/transfer.h"
#include "sieve/current.h"

#include "base/banned.h"

enum {
	DECODED_FOR_A_STEP = 1024,      /* bytes */
	SCANNED_FOR_A_STEP = 16 * 1024, /* bytes */
	WORK_FOR_A_STEP = 64            /* units of mime->work */
};

/* ---- finding them ---- */

static enum sieve_status
parse(struct run *run, struct parts *parts)
{
	struct mime_limits limits = {
		.parts = run->settings.max_mime_parts,
		.depth = run->settings.max_mime_depth,
	};
	uint64_t size = parts->source.end - parts->source.start;
	struct mime *mime;

	if (run_charge(run, 1 + size / SCANNED_FOR_A_STEP) != SIEVE_OK)
		return SIEVE_FAILED;
	if (mime_parse(run->kept, &parts->source, &limits, &mime, run->err) < 0)
		return SIEVE_TEMPORARY;
	parts->mime = mime;
	if (run_charge(run, mime->work / WORK_FOR_A_STEP) != SIEVE_OK ||
		run_reserve(run, mime->count * sizeof(*parts->bytes)) !=
			SIEVE_OK)
		return SIEVE_FAILED;
	parts->bytes = ARENA_ARRAY(run->kept, struct part_bytes, mime->count);
	return SIEVE_OK;
}

enum sieve_status
run_parts(struct run *run, struct parts **parts_out)
{
	const struct content *content;
	struct parts *parts = run->parts;
	enum sieve_status status = run_content(run, &content);

	if (status != SIEVE_OK)
		return status;
	if (parts != NULL && parts->message == run->message &&
		parts->content == content) {
		*parts_out = parts;
		return SIEVE_OK;
	}
	parts = ARENA_NEW(run->kept, struct parts);
	parts->message = run->message;
	parts->content = content;
	parts->source = content != NULL
	                        ? mime_source_content(run->kept, content)
	                        : mime_source_message(run->message);
	status = parse(run, parts);
	if (status != SIEVE_OK)
		return status;
	parts->older = run->parts;
	run->parts = parts;
	*parts_out = parts;
	return SIEVE_OK;
}

/* ---- bytes ---- */

struct intake {
	struct transfer transfer;
	struct buf *buf;
};

static bool
take_piece(void *context, struct str piece)
{
	struct intake *intake = context;

	transfer_add(&intake->transfer, piece, intake->buf);
	return !intake->buf->overflowed;
}

/* [from, to) decoded.  The buf takes what memory there is left. */
static enum sieve_status
decode(struct run *run, const struct mime_source *source, uint64_t from,
	uint64_t to, enum transfer_encoding encoding, struct buf *buf)
{
	struct intake intake = {.buf = buf};

	if (run_charge(run, 1 + (to - from) / DECODED_FOR_A_STEP) != SIEVE_OK ||
		run_reserve(run, 0) != SIEVE_OK)
		return SIEVE_FAILED;
	buf_init(buf, (size_t)run_memory_left(run));
	transfer_init(&intake.transfer, encoding, true);
	if (mime_source_each(source, from, to, take_piece, &intake, run->err) <
		0)
		return SIEVE_TEMPORARY;
	transfer_end(&intake.transfer, buf);
	if (buf->overflowed)
		return run_reserve(run, run->settings.max_memory);
	if (buf->data != NULL) {
		buf->data = memory_resize(buf->data, buf->len + 1);
		buf->size = buf->len + 1;
	}
	return SIEVE_OK;
}

static bool
has_only_crlf(struct str bytes)
{
	size_t at = 0;

	while (at < bytes.len) {
		at += str_find_char(str_skip(bytes, at), '\n');
		if (at < bytes.len && (at == 0 || bytes.data[at - 1] != '\r'))
			return false;
		at++;
	}
	return true;
}

/* False when the bytes have to be changed or are not at hand. */
static bool
view_unchanged(const struct mime_source *source, uint64_t from, uint64_t to,
	enum transfer_encoding encoding, struct str *view_out)
{
	return (encoding == TRANSFER_IDENTITY ||
		       encoding == TRANSFER_UNKNOWN) &&
	       source->view(source->object, from, to, view_out) &&
	       has_only_crlf(*view_out);
}

/* In the message, or in the buf, which is then the run's to give back. */
static enum sieve_status
get_bytes(struct run *run, const struct parts *parts, uint64_t from,
	uint64_t to, enum transfer_encoding encoding, struct buf *buf,
	struct str *bytes_out)
{
	enum sieve_status status;

	if (view_unchanged(&parts->source, from, to, encoding, bytes_out))
		return run_charge(run, 1 + (to - from) / SCANNED_FOR_A_STEP);
	status = decode(run, &parts->source, from, to, encoding, buf);
	if (status != SIEVE_OK)
		buf_clear(buf);
	else
		run->part_bytes += buf->size;
	*bytes_out = buf_view(buf);
	return status;
}

static void
give_back(struct run *run, struct buf *buf)
{
	run->part_bytes -= buf->size;
	buf_clear(buf);
}

enum sieve_status
part_range(struct run *run, const struct parts *parts, uint64_t from,
	uint64_t to, struct str *range_out)
{
	struct buf buf = {.data = NULL};
	enum sieve_status status = get_bytes(
		run, parts, from, to, TRANSFER_IDENTITY, &buf, range_out);

	if (status == SIEVE_OK && buf.data != NULL)
		*range_out = arena_copy(run->scratch, *range_out);
	give_back(run, &buf);
	return status;
}

enum sieve_status
parts_raw(struct run *run, struct parts *parts, struct str *raw_out)
{
	const struct mime_part *all = &parts->mime->parts[0];
	enum sieve_status status = SIEVE_OK;

	if (!parts->has_raw)
		status = get_bytes(run, parts, all->body, parts->source.end,
			TRANSFER_IDENTITY, &parts->raw_buf, &parts->raw);
	if (status == SIEVE_OK)
		parts->has_raw = true;
	*raw_out = parts->raw;
	return status;
}

/* ---- headers ---- */

enum sieve_status
part_header(struct run *run, struct parts *parts, size_t index,
	struct str *header_out)
{
	const struct mime_part *part = &parts->mime->parts[index];
	struct part_bytes *bytes = &parts->bytes[index];
	enum sieve_status status = SIEVE_OK;

	if (!bytes->has_header &&
		!parts->source.view(parts->source.object, part->header,
			part->body, &bytes->header))
		status = get_bytes(run, parts, part->header, part->body,
			TRANSFER_IDENTITY, &bytes->header_buf, &bytes->header);
	if (status == SIEVE_OK)
		bytes->has_header = true;
	*header_out = bytes->header;
	return status;
}

/* ---- content ---- */

static bool
is_html(const struct mime_part *part)
{
	if (str_is(part->type, "text"))
		return str_is(part->subtype, "html");
	return str_is(part->type, "application") &&
	       str_is(part->subtype, "xhtml+xml");
}

bool
part_is_leaf(const struct mime_part *part)
{
	return !part->is_multipart && !part->is_message;
}

bool
part_is_text(const struct mime_part *part)
{
	return part_is_leaf(part) &&
	       (str_is(part->type, "text") || is_html(part));
}

/* RFC 5173 5.2: in UTF-8.  A part without a charset is US-ASCII (RFC 2046
 * 4.1.2), of which UTF-8 is more. */
static enum sieve_status
convert(struct run *run, const struct mime_part *part, struct part_bytes *bytes)
{
	struct str charset = part->charset, text;

	if (charset.len == 0)
		charset = STR("us-ascii");
	if (run_charge(run, 1 + bytes->content.len / DECODED_FOR_A_STEP) !=
			SIEVE_OK ||
		run_reserve(run, bytes->content.len) != SIEVE_OK)
		return SIEVE_FAILED;
	if (!charset_to_utf8(run->kept, charset, bytes->content, &text)) {
		bytes->is_unreadable = true;
		(void)charset_to_utf8(
			run->kept, STR("us-ascii"), bytes->content, &text);
	}
	if (text.data != bytes->content.data)
		give_back(run, &bytes->content_buf);
	bytes->content = text;
	return run_reserve(run, 0);
}

enum sieve_status
part_content(struct run *run, struct parts *parts, size_t index,
	struct str *content_out)
{
	const struct mime_part *part = &parts->mime->parts[index];
	struct part_bytes *bytes = &parts->bytes[index];
	enum sieve_status status = SIEVE_OK;

	if (!bytes->has_content) {
		bytes->is_unreadable = part->encoding == TRANSFER_UNKNOWN;
		status = get_bytes(run, parts, part->body, part->end,
			part->encoding, &bytes->content_buf, &bytes->content);
		if (status == SIEVE_OK && part_is_text(part))
			status = convert(run, part, bytes);
	}
	if (status == SIEVE_OK)
		bytes->has_content = true;
	*content_out = bytes->content;
	return status;
}

static enum sieve_status
strip_html(struct run *run, struct str html, struct str *text_out)
{
	if (run_charge(run, 1 + html.len / DECODED_FOR_A_STEP) != SIEVE_OK ||
		run_reserve(run, (uint64_t)html.len * 2) != SIEVE_OK)
		return SIEVE_FAILED;
	*text_out = html_to_text(run->kept, html);
	return SIEVE_OK;
}

enum sieve_status
part_text(struct run *run, struct parts *parts, size_t index,
	struct str *text_out)
{
	const struct mime_part *part = &parts->mime->parts[index];
	struct part_bytes *bytes = &parts->bytes[index];
	enum sieve_status status = SIEVE_OK;
	struct str content;

	if (!bytes->has_text) {
		status = part_content(run, parts, index, &content);
		bytes->text = content;
		if (status == SIEVE_OK && is_html(part))
			status = strip_html(run, content, &bytes->text);
	}
	if (status == SIEVE_OK)
		bytes->has_text = true;
	*text_out = bytes->text;
	return status;
}

/* ---- the run ---- */

void
parts_forget(struct run *run)
{
	struct parts *parts;

	for (parts = run->parts; parts != NULL; parts = parts->older)
		parts->message = NULL;
}

uint64_t
parts_memory(const struct run *run)
{
	return run->part_bytes;
}

void
parts_close(struct run *run)
{
	const struct parts *parts;
	size_t i;

	for (parts = run->parts; parts != NULL; parts = parts->older) {
		memory_free(parts->raw_buf.data);
		for (i = 0; i < parts->mime->count; i++) {
			memory_free(parts->bytes[i].header_buf.data);
			memory_free(parts->bytes[i].content_buf.data);
		}
	}
}
