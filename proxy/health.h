/* health - whether a backend is to be asked for
 *
 *          success                       `rises` probes in a row
 *        +---------+                  +---------------------------+
 *        v         |                  v                           |
 *       up ----> failing ----------> (up)                       down
 *         failure     `falls` failures in a row ----------------> |
 *
 * Each connection tells: of mail that is passed on, and of probes, which look
 * after a backend that nobody else asks for.  A success is a greeting and an answer
 * to LHLO, whatever then becomes of a recipient; a failure is no connection, no
 * answer in time, or one that makes no sense.  While it is down only probes are
 * sent there, so that its users hear at once that it is down, and a backend that
 * answers now and then does not keep their clients waiting.
 *
 * A backend that has just failed is asked again soon, and then less and less
 * often, as a restart takes seconds and a broken machine hours.
 *
 * That an admin takes one out of service (drain) is no matter of its health.  Pure:
 * whoever asks says what time it is (ms, monotonic).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef PROXY_HEALTH_H
#define PROXY_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

enum { HEALTH_SOON_MS = 500 };

struct health_settings {
	uint64_t interval_ms; /* between probes; 0: there are none, and nothing
	                       * is ever down */
	uint32_t falls;       /* failures in a row that bring it down */
	uint32_t rises;       /* good probes in a row that bring it up */
};

enum health_state { HEALTH_UP, HEALTH_FAILING, HEALTH_DOWN };

struct health {
	enum health_state state;
	uint32_t failures, successes; /* in a row */
	uint32_t bad_probes;          /* in a row */
	bool is_probed;               /* one is under way */
	uint64_t heard_ms;            /* the last word of it, good or bad */
	uint64_t since_ms;            /* in this state */
	uint64_t downs;               /* how often it went down */
};

void health_init(struct health *health, uint64_t now_ms);

/* Word of it.  True: the state is another one now. */
bool health_success(struct health *health,
	const struct health_settings *settings, uint64_t now_ms);
bool health_failure(struct health *health,
	const struct health_settings *settings, uint64_t now_ms);

/* May mail be sent there? */
static inline bool
health_is_usable(const struct health *health)
{
	return health->state != HEALTH_DOWN;
}

/* When a probe is due; UINT64_MAX: none is. */
uint64_t health_probe_at(
	const struct health *health, const struct health_settings *settings);
/* One begins; it ends with health_success() or health_failure(). */
void health_probe_begin(struct health *health, uint64_t now_ms);

/* "up", "failing", "down" */
const char *health_word(enum health_state state);

#endif
