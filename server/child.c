/* SPDX-License-Identifier: MIT */
#include "server/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/privilege.h"

#include "base/banned.h"

static const struct {
	const char *name;
	const char *prefix; /* of log lines */
	bool is_event_driven;
} kinds[] = {
	[WIRE_KIND_FRONT] = {"front", "lmtp", true},
	[WIRE_KIND_LOOKUP] = {"lookup", "lookup", false},
	[WIRE_KIND_STATE] = {"state", "state", true},
	[WIRE_KIND_WORKER] = {"worker", "lmtp", false},
	[WIRE_KIND_RUNNER] = {"runner", "runner", false},
	[WIRE_KIND_MAILER] = {"mailer", "mailer", true},
	[WIRE_KIND_POLICY] = {"policy", "quota-status", true},
	[WIRE_KIND_PROXY] = {"proxy", "proxy", true},
};

const char *
child_kind_name(enum wire_kind kind)
{
	return kinds[kind].name;
}

enum lookup
child_kind_find(const char *name, enum wire_kind *kind_out)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(kinds); i++) {
		if (strcmp(kinds[i].name, name) != 0)
			continue;
		*kind_out = (enum wire_kind)i;
		return LOOKUP_FOUND;
	}
	return LOOKUP_NONE;
}

/* How a child ends is master's to say: the terminal's signals go to the whole
 * process group. */
static void
set_signals(void)
{
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	/* A write error tells more than a death. */
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
}

static void
set_prefix(enum wire_kind kind)
{
	char prefix[64];

	snprintf(prefix, sizeof(prefix), "%s(%ld):", kinds[kind].prefix,
		(long)clock_pid());
	log_set_prefix(prefix);
}

static int
receive_boot(struct child *child, struct err *err)
{
	struct frame frame;
	bool is_good;

	if (channel_receive(&child->master, child->arena, &frame, err) !=
		LOOKUP_FOUND)
		return -1;
	is_good = frame.type == WIRE_BOOT;
	if (is_good) {
		wire_boot(&frame, &child->boot);
		is_good = frame_is_whole(&frame) &&
		          child->boot.kind == child->kind;
	}
	frame_close(&frame);
	if (!is_good)
		return err_temp(err, "4.3.0", "master sent no BOOT for a %s",
			child_kind_name(child->kind));
	return 0;
}

static int
read_settings(struct child *child, struct buf *text, struct err *err)
{
	ssize_t got;
	char *room;

	do {
		room = buf_reserve(text, 65536);
		if (room == NULL)
			return err_temp(err, "4.3.0", "too many settings");
		/* The offset is shared with other children. */
		got = fd_read_at(child->boot.config, room, 65536, text->len);
		if (got < 0)
			return err_temp_errno(
				err, "4.3.0", "cannot read the settings");
		text->len += (size_t)got;
	} while (got > 0);
	return 0;
}

static int
load_text(struct child *child, struct str text, struct err *err)
{
	/* Where it is differs for a session beside a server. */
	const char *const overrides[] = {
		arena_format(child->arena, "mailer_socket=%s",
			child->boot.mailer != NULL ? child->boot.mailer : "")};
	const struct conf_source source = {.only_defaults = text.len == 0,
		.text = arena_copy(child->arena, text),
		.protocol = CONF_PROTOCOL_LMTP,
		.overrides = overrides,
		.override_count = child->boot.mailer != NULL ? 1 : 0};
	struct conf_report report = {0};

	if (conf_load(child->arena, &source, &child->settings, &report) < 0)
		return conf_report_err(&report, err);
	return 0;
}

static int
load_settings(struct child *child, struct err *err)
{
	struct buf text;
	int result;

	buf_init(&text, CONF_TOTAL_BYTES_MAX);
	result = read_settings(child, &text, err);
	if (result == 0)
		result = load_text(child, buf_view(&text), err);
	buf_clear(&text);
	fd_close(&child->boot.config);
	return result;
}

static void
open_log(const struct child *child)
{
	const struct settings *settings = child->settings;

	log_open(&(struct log_settings){.path = settings->log_path,
		.info_path = settings->info_log_path,
		.debug_path = settings->debug_log_path,
		.facility = settings->syslog_facility,
		.timestamp = settings->log_timestamp,
		.debug = settings->mail_debug,
		.inherited = child->boot.logs});
}

bool
child_take_logs(struct frame *frame)
{
	struct wire_logs logs = {{-1, -1, -1}};

	wire_logs(frame, &logs);
	if (!frame_is_whole(frame))
		return false;
	log_replace(logs.logs);
	return true;
}

/* How a child uses the channel: it waits there, or within its loop. */
static void
set_channel(struct child *child)
{
	channel_open(&child->master, CHILD_MASTER_FD,
		!kinds[child->kind].is_event_driven);
}

static int
begin(struct child *child, struct err *err)
{
	if (fcntl(CHILD_MASTER_FD, F_SETFD, FD_CLOEXEC) < 0)
		return err_temp(err, "4.3.0",
			"this is a part of doorstep-lmtpd, not a program "
			"to be started");
	if (privilege_resume(err) < 0)
		return -1;
	channel_open(&child->master, CHILD_MASTER_FD, true);
	if (receive_boot(child, err) < 0 || load_settings(child, err) < 0)
		return -1;
	open_log(child);
	crash_open();
	set_channel(child);
	return 0;
}

int
child_begin(struct child *child, enum wire_kind kind)
{
	struct err err;

	memset(child, 0, sizeof(*child));
	child->arena = arena_open();
	child->kind = kind;
	child->is_real = true;
	err_clear(&err);
	umask(077);
	memory_keep();
	set_signals();
	set_prefix(kind);
	if (begin(child, &err) == 0)
		return 0;
	log_error("%s", err_log_text(&err));
	arena_close(&child->arena);
	return -1;
}
