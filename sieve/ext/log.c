/* log - lines that a script writes: vnd.dovecot.debug has debug_log, for the log
 * of the script's owner; vnd.cyrus.log has log, for the admin's
 *
 * SPDX-License-Identifier: MIT
 */
#include "sieve/evaluate.h"
#include "sieve/registry.h"

#include "base/banned.h"

/* Bytes of one line. */
enum { LONGEST_LINE = 1000 };

static enum sieve_status
take_line(struct run *run, const struct call *call, const char **line_out)
{
	struct str text;

	if (run_text(run, call->arguments[0].texts, &text) != SIEVE_OK ||
		run_reserve(run, text.len) != SIEVE_OK)
		return SIEVE_FAILED;
	*line_out = report_one_line(&run->reporter, text, LONGEST_LINE);
	run_trace_command(run, call, str_from(*line_out));
	return SIEVE_OK;
}

static enum sieve_status
act_debug_log(struct run *run, const struct call *call)
{
	const char *line;

	if (take_line(run, call, &line) != SIEVE_OK)
		return SIEVE_FAILED;
	report_note(&run->reporter, call->at, "DEBUG: %s", line);
	return SIEVE_OK;
}

const struct command_ops command_debug_log = {.act = act_debug_log};

/* More lines than the admin wants to read. */
enum { MOST_LINES = 30 };

static enum sieve_status
act_log(struct run *run, const struct call *call)
{
	const char *line;

	if (run->lines == MOST_LINES)
		return SIEVE_OK;
	run->lines++;
	if (take_line(run, call, &line) != SIEVE_OK)
		return SIEVE_FAILED;
	if (run->host->ops->log != NULL)
		run->host->ops->log(run->host, line);
	return SIEVE_OK;
}

const struct command_ops command_log = {.act = act_log};
