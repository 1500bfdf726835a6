/* SPDX-License-Identifier: MIT */
#include "store/make.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/log.h"
#include "store/subscriptions.h"

#include "base/banned.h"

static bool
is_below(const char *path, const char *root)
{
	size_t len = strlen(root);

	return strncmp(path, root, len) == 0 && path[len] == '/';
}

/* One that is there already is flushed as well: who made it a moment ago may not
 * yet have done so. */
int
make_path(const struct store_root *root, struct paths *changed,
	const char *path, const struct permission *permission)
{
	struct str parent = paths_parent(str_from(path));
	struct permission own_only;
	int result;

	permission_init_private(&own_only);
	if (!is_below(path, root->location.root))
		permission = &own_only;
	result = permission_make_folder(permission, path);
	if (result < 0 && errno == ENOENT && parent.len > 1) {
		if (make_path(root, changed, arena_text(root->arena, parent),
			    permission) < 0)
			return -1;
		result = permission_make_folder(permission, path);
	}
	if (result < 0 && errno != EEXIST)
		return -1;
	paths_add(changed, parent);
	return 0;
}

void
make_subscription(const struct store_root *root, struct paths *changed,
	struct str name, char separator)
{
	const struct location *location = &root->location;
	const char *path = arena_format(root->arena, "%s/%s", location->control,
		location->subscriptions);
	struct permission permission;
	struct stat found;
	struct err err;

	permission_init_private(&permission);
	if (make_path(root, changed, location->control, &permission) == 0 &&
		stat(location->control, &found) == 0)
		permission_init_from(&permission, &found, location->control);
	if (subscriptions_add(path, name, separator, &permission,
		    root->settings->fsync != STORE_FSYNC_NEVER, &err) < 0)
		log_error("Could not subscribe to %.*s: %s", STR_ARG(name),
			err_log_text(&err));
}
