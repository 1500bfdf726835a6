/* metrics - `doorstep metrics`: the running server's numbers for Prometheus
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>

#include "server/metrics.h"
#include "ctl/ctl.h"

#include "base/banned.h"

int
ctl_metrics(struct ctl *ctl, int argc, char **argv)
{
	struct str json, text;
	int status;

	(void)argv;
	if (argc != 1)
		return ctl_fail(CTL_USAGE, "usage: doorstep metrics");
	status = ctl_ask_server(ctl, &json);
	if (status != CTL_OK)
		return status;
	if (metrics_text(ctl->arena, json, &text) < 0)
		return ctl_fail(
			CTL_TEMPORARY, "the server's answer is not understood");
	printf("%.*s", STR_ARG(text));
	return CTL_OK;
}
