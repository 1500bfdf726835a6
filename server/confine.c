/* SPDX-License-Identifier: MIT */
#include "server/confine.h"

#include <string.h>

#include "base/sandbox.h"
#include "conf/quota.h"

#include "base/banned.h"

/* What name services read: their modules, their files, their caches.  Whole
 * folders, as files there are replaced by renaming.  Sockets are reached where the
 * files' own modes let us. */
static const char *const name_services[] = {"/etc", "/usr", "/lib", "/lib64",
	"/lib32", "/bin", "/opt", "/nix", "/run/current-system", "/var/lib/sss",
	"/var/lib/extrausers", "/var/lib/misc", "/var/db", "/var/cache/nscd",
	"/run/nscd", "/run/systemd/userdb", "/run/host/userdb",
	"/proc/sys/kernel", "/dev/null", "/dev/urandom"};

/* A plan in the making. */
struct making {
	struct arena *arena;
	struct sandbox_plan plan;
	struct sandbox_folder *folders;
	size_t size;
};

static void
add_folder(struct making *making, const char *path, enum sandbox_access access)
{
	struct sandbox_plan *plan = &making->plan;

	if (plan->folder_count == making->size) {
		struct sandbox_folder *more;

		making->size = making->size * 2 + 32;
		more = ARENA_ARRAY(
			making->arena, struct sandbox_folder, making->size);
		if (plan->folder_count > 0)
			memcpy(more, making->folders,
				plan->folder_count * sizeof(*more));
		making->folders = more;
	}
	making->folders[plan->folder_count++] =
		(struct sandbox_folder){path, access};
	plan->folders = making->folders;
}

/* Speaks with strangers: an empty root, and a folder for their messages. */
static void
plan_front(struct making *making, const struct child *child)
{
	struct sandbox_plan *plan = &making->plan;

	plan->calls = SANDBOX_FILES | SANDBOX_ACCEPT;
	/* Only there as long as messages are too many for memory. */
	plan->calls |= SANDBOX_FILES_CHANGE;
	plan->refusal = SANDBOX_ENDS;
	plan->root = child->boot.root;
	add_folder(making, child->settings->mail_temp_dir, SANDBOX_SPOOL);
	if (child->settings->lmtp_rawlog_dir[0] != '\0')
		add_folder(making, child->settings->lmtp_rawlog_dir,
			SANDBOX_SPOOL);
}

/* As the front, but it keeps nothing. */
static void
plan_policy(struct making *making, const struct child *child)
{
	making->plan.calls = SANDBOX_FILES | SANDBOX_ACCEPT;
	making->plan.refusal = SANDBOX_ENDS;
	making->plan.root = child->boot.root;
}

/* Speaks with strangers, too, and reads nothing but whose certificates count. */
static void
plan_proxy(struct making *making, const struct child *child)
{
	static const char *const trusted[] = {"/etc/ssl", "/etc/pki",
		"/usr/lib/ssl", "/usr/share/ca-certificates",
		"/usr/local/share"};
	size_t i;

	making->plan.calls = SANDBOX_FILES | SANDBOX_UNIX | SANDBOX_INTERNET;
	making->plan.refusal = SANDBOX_ENDS;
	for (i = 0; i < ARRAY_LENGTH(trusted); i++)
		add_folder(making, trusted[i], SANDBOX_READ);
	if (child->settings->ssl_client_ca_dir[0] != '\0')
		add_folder(making, child->settings->ssl_client_ca_dir,
			SANDBOX_READ);
}

/* Code of name services runs in it: what it tries must not end it. */
static void
plan_lookup(struct making *making)
{
	size_t i;

	making->plan.calls = SANDBOX_FILES | SANDBOX_UNIX | SANDBOX_INTERNET |
	                     SANDBOX_THREADS | SANDBOX_TIMERS;
	making->plan.refusal = SANDBOX_FAILS;
	for (i = 0; i < ARRAY_LENGTH(name_services); i++)
		add_folder(making, name_services[i], SANDBOX_READ);
}

/* Only where a count is kept there. */
static unsigned
calls_for_redis(const struct settings *settings)
{
	unsigned calls = 0;
	size_t i;

	for (i = 0; i < settings->quota.count; i++) {
		struct conf_quota_root root;
		struct conf_quota_dict dict;
		struct conf_quota_fault fault;

		if (conf_quota_parse_root(
			    str_from(settings->quota.items[i].value), &root,
			    &fault) == 0 &&
			str_is(root.driver, "dict") &&
			conf_quota_parse_dict(root.rest, &dict, &fault) == 0 &&
			dict.is_redis)
			calls |= dict.path.len > 0 ? SANDBOX_UNIX
			                           : SANDBOX_INTERNET;
	}
	return calls;
}

/* What it remembers would be lost with it. */
static void
plan_state(struct making *making, const struct child *child)
{
	making->plan.calls = SANDBOX_FILES | SANDBOX_FILES_CHANGE |
	                     SANDBOX_ACCEPT | SANDBOX_THREADS | SANDBOX_TIMERS;
	making->plan.refusal = SANDBOX_FAILS;
	add_folder(making, child->settings->state_dir, SANDBOX_CHANGE);
	making->plan.calls |= calls_for_redis(child->settings);
}

/* Reads what strangers wrote, as the user.  All folders, as the kernel knows the
 * user's: but nothing is executed there, no device is made, and no TCP is spoken.
 * It makes threads, and a child for the other engine. */
static void
plan_worker(struct making *making)
{
	making->plan.calls = SANDBOX_FILES | SANDBOX_FILES_CHANGE |
	                     SANDBOX_UNIX | SANDBOX_THREADS | SANDBOX_FORK |
	                     SANDBOX_GROUPS;
	making->plan.refusal = SANDBOX_ENDS;
	add_folder(making, "/", SANDBOX_CHANGE);
}

/* Speaks SMTP or LMTP with one host, and does nothing else.  Code of name services
 * runs in it. */
static void
plan_mailer(struct making *making, const struct child *child)
{
	const struct settings *settings = child->settings;
	size_t i;

	making->plan.calls = SANDBOX_FILES | SANDBOX_ACCEPT | SANDBOX_UNIX |
	                     SANDBOX_INTERNET | SANDBOX_THREADS | SANDBOX_FORK |
	                     SANDBOX_TIMERS;
	making->plan.refusal = SANDBOX_FAILS;
	for (i = 0; i < ARRAY_LENGTH(name_services); i++)
		add_folder(making, name_services[i], SANDBOX_READ);
	if (settings->ssl_client_ca_file[0] != '\0')
		add_folder(making, settings->ssl_client_ca_file, SANDBOX_READ);
	if (settings->ssl_client_ca_dir[0] != '\0')
		add_folder(making, settings->ssl_client_ca_dir, SANDBOX_READ);
}

/* The system's log may be restarted at any time. */
static bool
may_log_to_syslog(const struct settings *settings)
{
	return strcmp(settings->log_path, "syslog") == 0 ||
	       strcmp(settings->info_log_path, "syslog") == 0 ||
	       strcmp(settings->debug_log_path, "syslog") == 0;
}

static void
make_plan(struct making *making, const struct child *child)
{
	struct sandbox_plan *plan = &making->plan;

	plan->name = child_kind_name(child->kind);
	plan->is_required = child->settings->sandbox == CONF_SANDBOX_REQUIRED;
	plan->dumps_core = child->settings->core_dumps;
	switch (child->kind) {
	case WIRE_KIND_FRONT:
		plan_front(making, child);
		break;
	case WIRE_KIND_POLICY:
		plan_policy(making, child);
		break;
	case WIRE_KIND_PROXY:
		plan_proxy(making, child);
		break;
	case WIRE_KIND_LOOKUP:
		plan_lookup(making);
		break;
	case WIRE_KIND_STATE:
		plan_state(making, child);
		break;
	case WIRE_KIND_WORKER:
		plan_worker(making);
		break;
	case WIRE_KIND_MAILER:
		plan_mailer(making, child);
		break;
	case WIRE_KIND_RUNNER:
		break;
	}
	if (may_log_to_syslog(child->settings))
		plan->calls |= SANDBOX_UNIX;
}

/* Executes programs that we do not know. */
static bool
runs_programs(enum wire_kind kind, const struct settings *settings)
{
	return kind == WIRE_KIND_RUNNER ||
	       (kind == WIRE_KIND_MAILER &&
		       settings->submission_host[0] == '\0');
}

bool
confine_keeps_rights(enum wire_kind kind, const struct settings *settings)
{
	return runs_programs(kind, settings) &&
	       (kind != WIRE_KIND_RUNNER || !settings->sieve_program_sandbox);
}

static int
confine_programs(
	struct child *child, const struct sandbox_plan *plan, struct err *err)
{
	bool is_free = confine_keeps_rights(child->kind, child->settings);

	return sandbox_enter_for_programs(child->arena, plan,
		is_free ? SANDBOX_PROGRAMS_ANY : SANDBOX_PROGRAMS_BOUND,
		&child->confinement, err);
}

int
confine(struct child *child, const char *const *folders, size_t folder_count,
	struct err *err)
{
	struct making making = {.arena = child->arena};
	size_t i;

	if (!child->is_real)
		return 0;
	make_plan(&making, child);
	if (runs_programs(child->kind, child->settings))
		return confine_programs(child, &making.plan, err);
	for (i = 0; i < folder_count; i++)
		add_folder(&making, folders[i], SANDBOX_READ);
	return sandbox_enter(
		child->arena, &making.plan, &child->confinement, err);
}

void
confine_ready(const struct child *child, struct frame *frame)
{
	struct wire_ready ready = {.confinement = child->confinement};

	frame_begin(frame, WIRE_READY);
	wire_ready(frame, &ready);
}
