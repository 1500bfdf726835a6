/* SPDX-License-Identifier: MIT */
#include "engine/engine.h"

#include "config.h"

#include <string.h>

#include "engine/engines.h"

#include "base/banned.h"

static const struct engine *const engines[] = {
	&engine_native,
#ifdef HAVE_LIBSIEVE
	&engine_libsieve,
#endif
};

const struct engine *
engine_find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(engines); i++)
		if (strcmp(engines[i]->name, name) == 0)
			return engines[i];
	return NULL;
}

enum sieve_status
engine_run(const struct engine *engine, const struct engine_script *script,
	const struct sieve_settings *settings, struct sieve_host *host,
	struct sieve_result *result, struct sieve_report *report,
	struct err *err)
{
	return engine->run(script, settings, host, result, report, err);
}
