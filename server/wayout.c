/* SPDX-License-Identifier: MIT */
#include "server/wayout.h"

#include "base/banned.h"

bool
wayout_is_shut(const struct wayout *wayout)
{
	return wayout->limit > 0 && wayout->failures >= wayout->limit;
}

enum wayout_pass
wayout_begin(struct wayout *wayout)
{
	if (!wayout_is_shut(wayout))
		return WAYOUT_MAIL;
	if (wayout->is_probing)
		return WAYOUT_NOT;
	wayout->is_probing = true;
	return WAYOUT_PROBE;
}

void
wayout_end(struct wayout *wayout, enum wayout_pass pass, enum request_way way)
{
	if (pass == WAYOUT_PROBE)
		wayout->is_probing = false;
	switch (way) {
	case REQUEST_WAY_UNKNOWN:
		break;
	case REQUEST_WAY_GOOD:
		wayout->failures = 0;
		break;
	case REQUEST_WAY_LOST:
	case REQUEST_WAY_CLOSED:
		wayout->failures++;
		break;
	}
}
