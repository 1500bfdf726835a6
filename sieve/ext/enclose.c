/* enclose - the message as an attachment of a new one (RFC 5703 6)
 *
 *   From: amy@example.org           synthesized, or copied (:headers)
 *   Subject: ...
 *   Content-Type: multipart/mixed
 *
 *   text/plain                      the script's
 *   message/rfc822                  the message as it was
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/digest.h"
#include "base/encode.h"
#include "mail/compose.h"
#include "mail/content.h"
#include "mail/date.h"
#include "mail/edited.h"
#include "sieve/check.h"
#include "sieve/current.h"
#include "sieve/evaluate.h"
#include "sieve/ext/newmessage.h"
#include "sieve/loop.h"
#include "sieve/registry.h"

#include "base/banned.h"

enum {
	STEP_OCTETS = 1024,         /* of the text, for one step */
	SCANNED_FOR_A_STEP = 16384, /* octets */
	COPIES_OF_A_BYTE = 8,       /* of the text, encoded ones included */
	ENTITY_COST = 8192,         /* beside the text */
	READ_BYTES = 16 * 1024,
	BOUNDARY_DIGITS = 40,
	BOUNDARY_LENGTH = 2 + BOUNDARY_DIGITS,
	BOUNDARIES_MOST = 8 /* that are tried */
};

static void
check_enclose(struct checker *checker, struct ast_command *node)
{
	const struct tag_use *names =
		call_tag(node->call, GROUP_ENCLOSE_HEADERS);
	size_t i;

	newmessage_check_subject(
		checker, call_tag(node->call, GROUP_ENCLOSE_SUBJECT));
	for (i = 0; names != NULL && i < names->argument.count; i++) {
		const struct text *name = &names->argument.texts[i];

		if (text_is_constant(name) && !compose_is_name(name->constant))
			check_error(checker, name->at,
				"field name %s is invalid",
				check_quote(checker, name->constant));
	}
}

/* ---- what is in the message ---- */

struct scan {
	struct str boundary;
	bool has_boundary;
	bool has_eight_bit;
	char joint[2 * BOUNDARY_LENGTH]; /* where two chunks meet */
	size_t kept;                     /* of the first one */
};

static bool
has_eight_bit(struct str chunk)
{
	size_t i;

	for (i = 0; i < chunk.len; i++)
		if ((unsigned char)chunk.data[i] >= 128)
			return true;
	return false;
}

static bool
has_needle(struct str chunk, struct str needle)
{
	return str_find(chunk, needle) < chunk.len;
}

static void
keep_end(struct scan *scan, struct str bytes)
{
	size_t most = BOUNDARY_LENGTH - 1;
	struct str end =
		str_skip(bytes, bytes.len > most ? bytes.len - most : 0);

	memmove(scan->joint, end.data, end.len);
	scan->kept = end.len;
}

static void
scan_chunk(struct scan *scan, struct str chunk)
{
	size_t room = sizeof(scan->joint) - scan->kept;
	struct str start = str_slice(chunk, 0, room), joint;

	memcpy(scan->joint + scan->kept, start.data, start.len);
	joint = str_of(scan->joint, scan->kept + start.len);
	if (has_needle(joint, scan->boundary) ||
		has_needle(chunk, scan->boundary))
		scan->has_boundary = true;
	if (!scan->has_eight_bit)
		scan->has_eight_bit = has_eight_bit(chunk);
	keep_end(scan, chunk.len >= BOUNDARY_LENGTH ? chunk : joint);
}

static enum sieve_status
scan_message(struct run *run, const struct content *content, struct scan *scan)
{
	struct content_reader reader;
	char buffer[READ_BYTES];
	enum lookup found;
	struct str chunk;

	content_reader_init(
		&reader, content, LINE_ENDS_LF, buffer, sizeof(buffer));
	while ((found = content_read(&reader, &chunk, run->err)) ==
		LOOKUP_FOUND) {
		if (run_charge(run, 1 + chunk.len / SCANNED_FOR_A_STEP) !=
			SIEVE_OK)
			return SIEVE_FAILED;
		scan_chunk(scan, chunk);
	}
	return found == LOOKUP_ERROR ? SIEVE_TEMPORARY : SIEVE_OK;
}

/* The same for the same message and text: what is delivered twice stays the
 * same.  "=_" cannot stand in quoted-printable or base64. */
static struct str
make_boundary(struct run *run, struct str text, unsigned number)
{
	const struct header_field *id =
		run_field_next(run, STR("Message-ID"), NULL);
	uint8_t bytes[DIGEST_MAX];
	char count = (char)number;
	struct digest digest;

	digest_init(&digest, DIGEST_SHA256);
	digest_add(&digest, str_of(&count, 1));
	if (id != NULL)
		digest_add(&digest, id->value);
	digest_add(&digest, text);
	digest_end(&digest, bytes);
	return str_from(arena_format(run->result->arena, "=_%.*s",
		BOUNDARY_DIGITS,
		encode_hex(run->scratch,
			str_of((const char *)bytes, BOUNDARY_DIGITS / 2))
			.data));
}

/* One that does not stand in the message. */
static enum sieve_status
find_boundary(struct run *run, struct str text, struct scan *scan)
{
	const struct content *content;
	enum sieve_status status = run_content(run, &content);
	unsigned number;

	if (status != SIEVE_OK)
		return status;
	if (content == NULL)
		content = content_of(run->result->arena, run->message);
	for (number = 0; number < BOUNDARIES_MOST; number++) {
		*scan = (struct scan){
			.boundary = make_boundary(run, text, number)};
		status = scan_message(run, content, scan);
		if (status != SIEVE_OK || !scan->has_boundary)
			return status;
	}
	return run_fail(run, "enclose: no boundary could be found");
}

/* ---- the new header ---- */

struct field {
	struct str name, value;
	struct field *next;
};

/* Of the old message, before it is enclosed. */
struct header {
	struct run *run;
	struct field *first, **end;
};

static void
header_add(struct header *header, struct str name, struct str value)
{
	struct field *field = ARENA_NEW(header->run->scratch, struct field);

	*field = (struct field){.name = name, .value = value};
	*header->end = field;
	header->end = &field->next;
}

static bool
header_has(const struct header *header, const char *name)
{
	const struct field *field;

	for (field = header->first; field != NULL; field = field->next)
		if (str_is_nocase(field->name, name))
			return true;
	return false;
}

static enum sieve_status
copy_fields(struct header *header, struct str name)
{
	struct run *run = header->run;
	const struct header_field *field = NULL;

	if (run_charge_fields(run) != SIEVE_OK)
		return SIEVE_FAILED;
	while ((field = run_field_next(run, name, field)) != NULL) {
		if (run_reserve(run, ENTITY_COST + field->value.len * 3) !=
			SIEVE_OK)
			return SIEVE_FAILED;
		header_add(header, field->name,
			compose_lf(run->scratch, str_trim(field->value)));
	}
	return SIEVE_OK;
}

/* :headers; what describes the body is that of the new message. */
static enum sieve_status
copy_wanted(struct header *header, const struct call *call)
{
	const struct tag_use *names = call_tag(call, GROUP_ENCLOSE_HEADERS);
	bool has_subject = call_tag(call, GROUP_ENCLOSE_SUBJECT) != NULL;
	const struct str *values;
	size_t i;

	if (names == NULL)
		return SIEVE_OK;
	if (run_texts(header->run, &names->argument, &values) != SIEVE_OK)
		return SIEVE_FAILED;
	for (i = 0; i < names->argument.count; i++) {
		char *name = arena_text(header->run->scratch, values[i]);

		if (newmessage_is_mime_field(values[i]) ||
			(has_subject && str_is_nocase(values[i], "Subject")) ||
			header_has(header, name))
			continue;
		if (copy_fields(header, values[i]) != SIEVE_OK)
			return SIEVE_FAILED;
	}
	return SIEVE_OK;
}

static void
add_from(struct header *header)
{
	struct run *run = header->run;
	const struct sieve_host_ops *ops = run->host->ops;
	struct address user;

	if (header_has(header, "From"))
		return;
	if (ops->user_address != NULL && ops->user_address(run->host, &user))
		header_add(header, STR("From"), user.text);
	else if (ops->envelope(run->host, SIEVE_ENVELOPE_TO, &user) &&
		 user.domain.len > 0)
		header_add(header, STR("From"), user.text);
}

static void
add_date(struct header *header)
{
	struct run *run = header->run;
	const struct sieve_host_ops *ops = run->host->ops;
	struct date date;
	int64_t now;

	if (header_has(header, "Date") || !run_now(run, &now))
		return;
	if (date_at(now, ops->zone != NULL ? ops->zone(run->host, now) : 0,
		    &date))
		header_add(
			header, STR("Date"), date_std11(run->scratch, &date));
}

static enum sieve_status
add_subject(struct header *header, const struct call *call)
{
	const struct tag_use *use = call_tag(call, GROUP_ENCLOSE_SUBJECT);
	struct str value;

	if (use == NULL)
		return header_has(header, "Subject")
		               ? SIEVE_OK
		               : copy_fields(header, STR("Subject"));
	if (newmessage_read_subject(header->run, use, &value) != SIEVE_OK)
		return SIEVE_FAILED;
	header_add(header, STR("Subject"), value);
	return SIEVE_OK;
}

static enum sieve_status
make_header(struct header *header, const struct call *call)
{
	if (copy_wanted(header, call) != SIEVE_OK)
		return SIEVE_FAILED;
	add_from(header);
	add_date(header);
	return add_subject(header, call);
}

/* ---- the new message ---- */

static void
add_header(
	struct run *run, const struct header *header, const struct scan *scan)
{
	struct edited *edited = run_edit(run);
	const struct field *field;

	for (field = header->first; field != NULL; field = field->next)
		edited_add(edited, field->name, field->value, true);
	edited_add(edited, STR("MIME-Version"), STR("1.0"), true);
	edited_add(edited, STR("Content-Type"),
		str_from(arena_format(run->scratch,
			"multipart/mixed;\n\tboundary=\"%.*s\"",
			STR_ARG(scan->boundary))),
		true);
	if (scan->has_eight_bit)
		edited_add(edited, STR("Content-Transfer-Encoding"),
			STR("8bit"), true);
}

static struct str
text_before(struct run *run, const struct scan *scan, struct str text)
{
	struct str part = compose_text_part(run->scratch, text);

	return str_from(arena_format(run->result->arena,
		"--%.*s\n%.*s\n--%.*s\nContent-Type: message/rfc822\n%s\n",
		STR_ARG(scan->boundary), STR_ARG(part), STR_ARG(scan->boundary),
		scan->has_eight_bit ? "Content-Transfer-Encoding: 8bit\n"
				    : ""));
}

static enum sieve_status
act_enclose(struct run *run, const struct call *call)
{
	struct header header = {.run = run, .end = &header.first};
	enum sieve_status status;
	struct parts *parts;
	struct scan scan;
	struct str text;
	size_t index;

	if (run_text(run, call->arguments[0].texts, &text) != SIEVE_OK ||
		run_charge(run, 1 + text.len / STEP_OCTETS) != SIEVE_OK ||
		run_reserve(run,
			ENTITY_COST + (uint64_t)text.len * COPIES_OF_A_BYTE) !=
			SIEVE_OK)
		return SIEVE_FAILED;
	status = find_boundary(run, text, &scan);
	if (status == SIEVE_OK)
		status = make_header(&header, call);
	if (status != SIEVE_OK)
		return status;
	if (loop_part(run, &parts, &index))
		newmessage_mark_body(run, parts);
	edited_enclose(run_edit(run), text_before(run, &scan, text),
		str_from(arena_format(run->result->arena, "\n--%.*s--\n",
			STR_ARG(scan.boundary))));
	add_header(run, &header, &scan);
	if (run_is_traced(run))
		run_trace_command(run, call, STR_EMPTY);
	return SIEVE_OK;
}

const struct command_ops command_enclose = {
	.check = check_enclose,
	.act = act_enclose,
};
