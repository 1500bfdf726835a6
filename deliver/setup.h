/* setup - from settings and a user to what each part of the core wants to know
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_SETUP_H
#define DELIVER_SETUP_H

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "sieve/sieve.h"
#include "store/store.h"
#include "outbound/outbound.h"
#include "deliver/deliver.h"

/* The template with this delivery's %u, %h, %{session} ... put in. */
MUST_USE int setup_expand(const struct job *job,
	const struct delivery *delivery, const char *template,
	struct str *text_out, struct err *err);

/* The same for what is no path, and no part of one. */
MUST_USE int setup_expand_words(const struct job *job,
	const struct delivery *delivery, const char *template,
	struct str *text_out, struct err *err);

/* The same for a path: "~/" and a relative path are below the user's home.
 * -1 also when there is no home to be below. */
MUST_USE int setup_path(const struct job *job, const struct delivery *delivery,
	const char *template, const char **path_out, struct err *err);

/* A part of it is longer than the name of any file can be (NAME_MAX). */
bool setup_is_too_long(struct str path);

/* postmaster_address: the address in it, without a name. */
MUST_USE int setup_postmaster(const struct job *job,
	const struct delivery *delivery, struct str *address_out,
	struct err *err);

MUST_USE int setup_store(const struct job *job, const struct delivery *delivery,
	struct store_settings *settings_out, struct err *err);

/* The name of this host: the hostname setting or the system's. */
struct str setup_hostname(const struct settings *settings);

struct sieve_settings setup_sieve(const struct settings *settings);

struct outbound_settings setup_outbound(const struct settings *settings);

/* Refuses a message that has been here before or has travelled too far. */
MUST_USE int setup_check_loop(const struct job *job,
	const struct delivery *delivery, struct err *err);

/* The message, or what a script has made of it (not NULL), with the trace headers
 * of this delivery; those of another copy of the job where they are the same. */
struct work_bytes *setup_bytes(struct job *job, const struct delivery *delivery,
	const struct content *edited);

/* For log lines: the recipient's, or that of the job. */
struct str setup_session(
	const struct job *job, const struct delivery *delivery);

#endif
