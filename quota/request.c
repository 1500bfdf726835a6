/* SPDX-License-Identifier: MIT */
#include "quota/request.h"

#include "base/banned.h"

/* One that is out of bounds is a fault. */
static uint32_t
enum_field(struct frame *frame, uint32_t value, uint32_t most)
{
	frame_u32(frame, &value);
	if (value <= most)
		return value;
	frame->is_broken = true;
	return 0;
}

void
request_count(struct frame *frame, struct request_count *count)
{
	frame_u64(frame, &count->request);
	count->action = (enum request_count_action)enum_field(
		frame, count->action, REQUEST_COUNT_FORGET);
	frame_u32(frame, &count->root);
	frame_str(frame, &count->user);
	frame_u64(frame, &count->bytes);
	frame_u64(frame, &count->messages);
	frame_u64(frame, &count->version);
}

void
request_counted(struct frame *frame, struct request_counted *counted)
{
	frame_u64(frame, &counted->request);
	counted->state = (enum request_counted_state)enum_field(
		frame, counted->state, REQUEST_COUNTED_UNABLE);
	frame_u64(frame, &counted->bytes);
	frame_u64(frame, &counted->messages);
	frame_u64(frame, &counted->version);
	frame_u64(frame, &counted->counted_s);
}
