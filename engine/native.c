/* native - our own engine, sieve/
 *
 * A process that has many jobs keeps its programs and asks sieve/ itself
 * (deliver/scriptcache.h); here a script is compiled for each run.
 *
 * SPDX-License-Identifier: MIT
 */
#include "engine/engines.h"

#include "base/banned.h"

static enum sieve_status
run_native(const struct engine_script *script,
	const struct sieve_settings *settings, struct sieve_host *host,
	struct sieve_result *result, struct sieve_report *report,
	struct err *err)
{
	struct sieve_program *program;

	enum sieve_status status =
		sieve_compile_all(result->arena, settings, script->loader,
			script->name, script->text, &program, report, err);

	if (status != SIEVE_OK)
		return status;
	return sieve_run(program, settings, host, result, report, err);
}

const struct engine engine_native = {
	.name = "native",
	.capabilities = sieve_capabilities,
	.run = run_native,
};
