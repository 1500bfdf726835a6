/* SPDX-License-Identifier: MIT */
#include "outbound/request.h"

#include <stdio.h>

#include "base/banned.h"

enum {
	STR_LEAST = 4, /* bytes of an empty text in a frame */
	MARK_LEAST = OUTBOUND_MARK + 8,
	/* kind, status, text and detail. */
	ERR_LEAST = 16
};

static void
notice_fields(struct frame *frame, struct outbound_notice *notice)
{
	frame_str(frame, &notice->what);
	frame_str(frame, &notice->user);
	frame_str(frame, &notice->session);
	frame_bool(frame, &notice->has_mark);
	frame_bytes(frame, notice->mark, sizeof(notice->mark));
}

static void
mark_fields(struct frame *frame, struct outbound_mark *mark)
{
	frame_bytes(frame, mark->key, sizeof(mark->key));
	frame_u64(frame, &mark->expires_s);
}

void
request_submit(struct frame *frame, struct request_submit *submit)
{
	size_t i;

	frame_u64(frame, &submit->request);
	frame_u64(frame, &submit->timeout_ms);
	frame_str(frame, &submit->sender);
	frame_count(frame, &submit->count, STR_LEAST);
	submit->recipients = frame_array(frame, submit->recipients,
		sizeof(*submit->recipients), submit->count);
	for (i = 0; i < submit->count; i++)
		frame_str(frame, &submit->recipients[i]);
	frame_str(frame, &submit->wishes.notify);
	frame_str(frame, &submit->wishes.ret);
	frame_str(frame, &submit->wishes.envid);
	frame_str(frame, &submit->wishes.orcpt);
	frame_str(frame, &submit->wishes.by);
	frame_bool(frame, &submit->is_forwarded);
	frame_bool(frame, &submit->is_notice);
	if (submit->is_notice)
		notice_fields(frame, &submit->notice);
	frame_count(frame, &submit->mark_count, MARK_LEAST);
	submit->marks = frame_array(frame, submit->marks,
		sizeof(*submit->marks), submit->mark_count);
	for (i = 0; i < submit->mark_count; i++)
		mark_fields(frame, &submit->marks[i]);
	frame_u64(frame, &submit->size);
	frame_fd(frame, &submit->file);
}

/* frame_err() leaves out the detail, which is what the log of who asked needs. */
static void
result_fields(struct frame *frame, struct err *err)
{
	struct str detail = str_from(err->detail);

	frame_err(frame, err);
	frame_str(frame, &detail);
	if (frame->is_reading)
		snprintf(err->detail, sizeof(err->detail), "%.*s",
			STR_ARG(detail));
}

void
request_submitted(struct frame *frame, struct request_submitted *answer)
{
	uint32_t way = answer->way;
	size_t i;

	frame_u64(frame, &answer->request);
	frame_u32(frame, &way);
	answer->way = way <= REQUEST_WAY_CLOSED ? (enum request_way)way
	                                        : REQUEST_WAY_UNKNOWN;
	frame_count(frame, &answer->count, ERR_LEAST);
	answer->results = frame_array(frame, answer->results,
		sizeof(*answer->results), answer->count);
	for (i = 0; i < answer->count; i++)
		result_fields(frame, &answer->results[i]);
}

static void
relay_fields(struct frame *frame, struct outbound_relay *relay)
{
	uint32_t tls = relay->tls;

	frame_text(frame, &relay->host);
	frame_bool(frame, &relay->is_lmtp);
	frame_u32(frame, &tls);
	relay->tls = tls <= OUTBOUND_IMPLICIT ? (enum outbound_tls)tls
	                                      : OUTBOUND_IMPLICIT;
	frame_bool(frame, &relay->verify);
	frame_text(frame, &relay->ca_file);
	frame_text(frame, &relay->ca_dir);
	frame_text(frame, &relay->user);
	frame_str(frame, &relay->password.text);
	frame_text(frame, &relay->name);
}

void
request_settings(struct frame *frame, struct outbound_settings *settings)
{
	frame_text(frame, &settings->sendmail_path);
	frame_bool(frame, &settings->sendmail_dsn);
	frame_u64(frame, &settings->timeout_ms);
	frame_text(frame, &settings->temp_folder);
	relay_fields(frame, &settings->relay);
	frame_text(frame, &settings->srs.domain);
	frame_str(frame, &settings->srs.secrets.text);
}
