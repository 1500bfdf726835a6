/* SPDX-License-Identifier: MIT */
#include "proxy/health.h"

#include "base/attributes.h"

#include "base/banned.h"

void
health_init(struct health *health, uint64_t now_ms)
{
	*health = (struct health){.heard_ms = now_ms, .since_ms = now_ms};
}

static bool
change(struct health *health, enum health_state state, uint64_t now_ms)
{
	if (health->state == state)
		return false;
	health->state = state;
	health->since_ms = now_ms;
	if (state == HEALTH_DOWN)
		health->downs++;
	return true;
}

bool
health_success(struct health *health, const struct health_settings *settings,
	uint64_t now_ms)
{
	bool was_probe = health->is_probed;

	health->is_probed = false;
	health->heard_ms = now_ms;
	health->failures = 0;
	health->bad_probes = 0;
	/* Of a connection that was begun before it went down: that it has
	 * answered once more says nothing of those to come. */
	if (health->state == HEALTH_DOWN && !was_probe)
		return false;
	health->successes++;
	if (health->state == HEALTH_DOWN && health->successes < settings->rises)
		return false;
	return change(health, HEALTH_UP, now_ms);
}

bool
health_failure(struct health *health, const struct health_settings *settings,
	uint64_t now_ms)
{
	health->bad_probes += health->is_probed;
	health->is_probed = false;
	health->heard_ms = now_ms;
	health->successes = 0;
	if (health->state == HEALTH_DOWN)
		return false;
	health->failures++;
	return change(health,
		health->failures >= settings->falls && settings->interval_ms > 0
			? HEALTH_DOWN
			: HEALTH_FAILING,
		now_ms);
}

uint64_t
health_probe_at(
	const struct health *health, const struct health_settings *settings)
{
	uint64_t pause_ms = HEALTH_SOON_MS;
	uint32_t i;

	if (settings->interval_ms == 0 || health->is_probed)
		return UINT64_MAX;
	for (i = 0; i < health->bad_probes && pause_ms < settings->interval_ms;
		i++)
		pause_ms *= 2;
	if (health->state == HEALTH_UP || pause_ms > settings->interval_ms)
		pause_ms = settings->interval_ms;
	return health->heard_ms + pause_ms;
}

void
health_probe_begin(struct health *health, uint64_t now_ms)
{
	health->is_probed = true;
	health->heard_ms = now_ms;
}

const char *
health_word(enum health_state state)
{
	switch (state) {
	case HEALTH_UP:
		break;
	case HEALTH_FAILING:
		return "failing";
	case HEALTH_DOWN:
		return "down";
	}
	return "up";
}
