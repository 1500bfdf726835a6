/* settings_table - the settings' part of doorstep.conf(5), from conf/keys.def
 *
 * Prints scdoc.  `make update-settings` puts it into the manual page; a test
 * sees that it stands there.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "conf/keys.h"
#include "conf/value.h"

#include "base/banned.h"

/* Topics and keys in the order of keys.def; a topic has no key. */
static const struct {
	const char *topic;
	const struct conf_keys *keys;
	const char *name;
} entries[] = {
#define TOPIC(title) {title, NULL, NULL},
#define TOP_KEY(type, name, ...) {NULL, &conf_top_keys, #name},
#define USERDB_KEY(type, name, ...) {NULL, &conf_userdb_keys, #name},
#define NAMESPACE_KEY(type, name, ...) {NULL, &conf_namespace_keys, #name},
#define MAILBOX_KEY(type, name, ...) {NULL, &conf_mailbox_keys, #name},
#define SERVICE_KEY(type, name, ...) {NULL, &conf_service_keys, #name},
#define LOCAL_NAME_KEY(type, name, ...) {NULL, &conf_local_name_keys, #name},
#define PROXY_GROUP_KEY(type, name, ...) {NULL, &conf_proxy_group_keys, #name},
#define BACKEND_KEY(type, name, ...) {NULL, &conf_backend_keys, #name},
#define LISTENER_KEY(type, name, ...) {NULL, &conf_listener_keys, #name},
#include "conf/keys.def"
};

/* Text that scdoc shall not take for its own marks. */
static void
print_plain(const char *text)
{
	for (; *text != '\0'; text++) {
		if (strchr("\\*_#[]~<>.'", *text) != NULL)
			putchar('\\');
		putchar(*text);
	}
}

/* In quotes where the blank at its end would be lost. */
static void
print_default(const char *text)
{
	bool ends_blank = text[strlen(text) - 1] == ' ';

	fputs(ends_blank ? "\"" : "", stdout);
	print_plain(text);
	fputs(ends_blank ? "\"" : "", stdout);
}

static void
print_key(struct arena *arena, const struct conf_key *key)
{
	printf("*%s*", key->name);
	if (key->type == CONF_TYPE_FAMILY)
		printf(", *%s2*, *%s3* ...", key->name, key->name);
	else if (key->fallback[0] != '\0') {
		fputs(" = ", stdout);
		print_default(key->fallback);
	}
	printf("\n\t%s", key->help);
	if (key->type != CONF_TYPE_STRING && key->type != CONF_TYPE_TEMPLATE &&
		key->type != CONF_TYPE_FAMILY && key->type != CONF_TYPE_TEXT) {
		fputs(" Takes ", stdout);
		print_plain(conf_value_expected(arena, key));
		putchar('.');
	}
	if (key->type == CONF_TYPE_TEMPLATE)
		fputs(" May hold variables.", stdout);
	if (conf_key_is_later(key))
		fputs(" _Not in this release._", stdout);
	fputs("\n\n", stdout);
}

int
main(void)
{
	struct arena *arena = arena_open();
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(entries); i++) {
		if (entries[i].topic != NULL)
			printf("## %s\n\n", entries[i].topic);
		else
			print_key(arena, conf_key_find(entries[i].keys,
						 str_from(entries[i].name)));
	}
	arena_close(&arena);
	return 0;
}
