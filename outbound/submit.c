/* doorstep-submit - hands over one mail for a program that links no TLS
 *
 * Started by doorstep-lda where no server runs and mail leaves by SMTP; standard
 * input is a channel, on which SETTINGS and SUBMIT come and SUBMITTED goes.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "outbound/carrier.h"
#include "outbound/request.h"

#include "base/banned.h"

static int
receive_settings(struct channel *channel, struct arena *arena,
	struct outbound_settings *settings)
{
	struct frame frame;
	struct err err;
	bool is_good;

	if (channel_receive(channel, arena, &frame, &err) != LOOKUP_FOUND)
		return -1;
	is_good = frame.type == REQUEST_SETTINGS;
	if (is_good) {
		request_settings(&frame, settings);
		is_good = frame_is_whole(&frame);
	}
	frame_close(&frame);
	return is_good ? 0 : -1;
}

static int
serve(struct channel *channel, struct arena *arena, struct carrier *carrier)
{
	struct request_submit submit = {.file = -1};
	struct request_submitted answer = {0};
	struct frame frame;
	struct err err;

	if (channel_receive(channel, arena, &frame, &err) != LOOKUP_FOUND)
		return -1;
	if (frame.type == REQUEST_SUBMIT)
		request_submit(&frame, &submit);
	if (frame.type != REQUEST_SUBMIT || !frame_is_whole(&frame))
		return -1;
	carrier_serve(carrier, arena, &submit, &answer);
	frame_close(&frame);
	frame_begin(&frame, REQUEST_SUBMITTED);
	request_submitted(&frame, &answer);
	return channel_send(channel, &frame, &err);
}

int
main(void)
{
	struct arena *arena = arena_open();
	struct outbound_settings settings = {0};
	struct carrier carrier;
	struct channel channel;
	int result;

	channel_open(&channel, STDIN_FILENO, true);
	if (receive_settings(&channel, arena, &settings) < 0) {
		fputs("doorstep-submit is a part of doorstep-lda, not a "
		      "program to be started\n",
			stderr);
		return EX_USAGE;
	}
	carrier_init(&carrier, &settings);
	result = serve(&channel, arena, &carrier);
	carrier_clear(&carrier);
	channel_close(&channel);
	arena_close(&arena);
	return result < 0 ? EX_TEMPFAIL : EX_OK;
}
