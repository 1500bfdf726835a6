/* report - collects what is wrong with a configuration
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_REPORT_H
#define CONF_REPORT_H

#include "base/arena.h"
#include "base/attributes.h"
#include "conf/conf.h"

/* Beyond CONF_PROBLEMS_MAX problems are only counted. */
void conf_report_error(struct arena *arena, struct conf_report *report,
	struct conf_place place, const char *format, ...) PRINTF_LIKE(4, 5);

/* Nothing is kept unless the report is thorough. */
void conf_report_warning(struct arena *arena, struct conf_report *report,
	struct conf_place place, const char *format, ...) PRINTF_LIKE(4, 5);

#endif
