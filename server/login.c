/* LOGIN from the front to lookup, and LOGGED_IN back.  Master keeps nothing of it:
 * the front knows when it has waited too long.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/parts.h"

#include "base/banned.h"

static void
send_answer(struct generation *generation, struct wire_logged_in *answer)
{
	struct frame frame;

	frame_begin(&frame, WIRE_LOGGED_IN);
	wire_logged_in(&frame, answer);
	process_send(&generation->front.process, &frame);
}

void
login_ask(struct generation *generation, struct frame *frame)
{
	struct wire_login login;
	struct frame question;

	wire_login(frame, &login);
	if (!frame_is_whole(frame)) {
		process_breach(&generation->front.process, frame);
		return;
	}
	if (!process_is_running(&generation->lookup.process)) {
		send_answer(generation,
			&(struct wire_logged_in){.request = login.request,
				.state = WIRE_LOGIN_UNABLE,
				.name = ""});
		return;
	}
	login.front = generation->front_number;
	frame_begin(&question, WIRE_LOGIN);
	wire_login(&question, &login);
	process_send(&generation->lookup.process, &question);
}

/* A front that died meanwhile is not the one that is told. */
void
login_answer(struct generation *generation, struct frame *frame)
{
	struct wire_logged_in answer;

	wire_logged_in(frame, &answer);
	if (!frame_is_whole(frame) || answer.name == NULL)
		process_breach(&generation->lookup.process, frame);
	else if (answer.front == generation->front_number)
		send_answer(generation, &answer);
}
