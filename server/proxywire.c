/* SPDX-License-Identifier: MIT */
#include "server/proxywire.h"

#include "base/banned.h"

void
wire_proxy_link(struct frame *frame, struct wire_proxy_link *link)
{
	frame_fd(frame, &link->fd);
}

void
wire_proxy_route(struct frame *frame, struct wire_proxy_route *route)
{
	wire_ticket(frame, &route->ticket);
	frame_str(frame, &route->route);
}

void
wire_proxy_mail(struct frame *frame, struct wire_proxy_mail *mail)
{
	frame_u64(frame, &mail->transaction);
	frame_text(frame, &mail->session);
	frame_text(frame, &mail->id);
	frame_str(frame, &mail->sender);
	frame_u64(frame, &mail->size);
	frame_bool(frame, &mail->is_utf8);
	frame_str(frame, &mail->ret);
	frame_str(frame, &mail->envid);
	wire_client(frame, &mail->client);
	frame_u32(frame, &mail->ttl);
	frame_u32(frame, &mail->port);
	frame_u64(frame, &mail->timeout_ms);
}

void
wire_proxy_rcpt(struct frame *frame, struct wire_proxy_rcpt *rcpt)
{
	frame_u64(frame, &rcpt->transaction);
	frame_u32(frame, &rcpt->recipient);
	wire_ticket(frame, &rcpt->ticket);
	frame_str(frame, &rcpt->path);
	frame_str(frame, &rcpt->orcpt);
	frame_str(frame, &rcpt->notify);
	frame_text(frame, &rcpt->session);
}

void
wire_proxy_data(struct frame *frame, struct wire_proxy_data *data)
{
	frame_u64(frame, &data->transaction);
	frame_u64(frame, &data->deadline_ms);
	frame_u64(frame, &data->size);
	frame_fd(frame, &data->file);
	frame_str(frame, &data->message);
}

void
wire_proxy_end(struct frame *frame, struct wire_proxy_end *end)
{
	frame_u64(frame, &end->transaction);
}

void
wire_proxy_answer(struct frame *frame, struct wire_proxy_answer *answer)
{
	frame_u64(frame, &answer->transaction);
	frame_u32(frame, &answer->recipient);
	frame_bool(frame, &answer->is_result);
	frame_u32(frame, &answer->code);
	frame_err(frame, &answer->err);
	frame_bool(frame, &answer->has_handle);
	wire_handle(frame, &answer->handle);
}

void
wire_proxy_wish(struct frame *frame, struct wire_proxy_wish *wish)
{
	uint32_t kind = (uint32_t)wish->kind;

	frame_u32(frame, &kind);
	if (frame->is_reading && kind > WIRE_WISH_DRAIN) {
		frame->is_broken = true;
		kind = 0;
	}
	wish->kind = kind;
	frame_text(frame, &wish->name);
	frame_text(frame, &wish->value);
}

void
wire_proxy_status(struct frame *frame, struct wire_proxy_status *status)
{
	frame_str(frame, &status->json);
}
