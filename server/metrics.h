/* metrics - the state of the server as Prometheus reads it
 *
 *   # TYPE doorstep_deliveries_total counter
 *   doorstep_deliveries_total{result="saved"} 4711
 *
 * Text format 0.0.4.  Numbers are summed over the processes of all generations,
 * and over those that have ended where they only grow.  Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_METRICS_H
#define SERVER_METRICS_H

#include "base/arena.h"
#include "base/attributes.h"
#include "base/str.h"

/* Of the text that control_ask() got (control.h); -1: that is no JSON. */
MUST_USE int metrics_text(
	struct arena *arena, struct str json, struct str *text_out);

#endif
