/* fuzz-conf - any bytes as a configuration file
 *
 * Besides not crashing: what was loaded without an error is dumped, loaded
 * again and dumped again, and the two dumps are the same.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/memory.h"
#include "base/str.h"
#include "conf/conf.h"
#include "conf/loader.h"
#include "conf/syntax.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* NULL when there was an error. */
static const struct settings *
load(struct arena *arena, struct str text)
{
	struct conf_report report = {.is_thorough = true};
	struct conf_syntax *syntax =
		conf_syntax_of_text(arena, "/x/fuzz.conf", text, &report);
	struct conf_loader loader;
	struct conf_line line;

	conf_loader_init(&loader, arena, &report);
	loader.protocol = CONF_PROTOCOL_LDA;
	for (;;) {
		conf_syntax_next(syntax, &line);
		if (line.kind == CONF_LINE_END)
			break;
		conf_loader_take(&loader, &line);
	}
	if (loader.depth != 0)
		BUG("%zu sections are still open", loader.depth);
	conf_loader_finish(&loader);
	conf_check(arena, loader.settings, &report);
	return report.errors > 0 ? NULL : loader.settings;
}

static struct str
dump(struct arena *arena, const struct settings *settings)
{
	struct buf out;
	struct str text;

	buf_init(&out, BUF_UNLIMITED);
	conf_dump(arena, settings, true, &out);
	text = arena_copy(arena, buf_view(&out));
	buf_clear(&out);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_of((const char *)data, size);
	struct arena *arena = arena_open();
	const struct settings *settings;
	struct str first;

	/* Other files are no matter of this test. */
	if (str_find(text, STR("!include")) == text.len &&
		!str_has_char(text, '<') &&
		(settings = load(arena, text)) != NULL) {
		first = dump(arena, settings);
		settings = load(arena, first);
		if (settings == NULL ||
			!str_equal(first, dump(arena, settings)))
			BUG("a dump means something else:\n%.*s",
				STR_ARG(first));
	}
	arena_close(&arena);
	return 0;
}
