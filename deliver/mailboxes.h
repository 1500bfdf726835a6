/* mailboxes - what is known of a user's folders beside the mail in them
 *
 *   mailbox Junk { auto, special_use }     the configuration, in namespaces and
 *                                          outside of them
 *   mail_attribute_dict                    what IMAP clients have set: a special use
 *                                          of a folder takes the place of the
 *                                          configured one
 *   dovecot-uidlist                        the ids of folders
 *
 * Names are those that scripts use.  A folder that `auto` would make is there, as
 * it is for Dovecot.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_MAILBOXES_H
#define DELIVER_MAILBOXES_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"
#include "conf/settings.h"
#include "store/store.h"
#include "deliver/attributes.h"
#include "deliver/deliver.h"

struct mailboxes {
	struct arena *arena;
	const struct settings *settings;
	struct store *store; /* borrowed */
	const char *path;    /* of the attributes; NULL: none are known */
	bool are_read;
	struct attributes attributes;
};

/* Lives in the job's arena; reads nothing yet.  Errors: 4.3.5 for a setting that
 * cannot be. */
MUST_USE int mailboxes_open(const struct job *job,
	const struct delivery *delivery, struct store *store,
	struct mailboxes **mailboxes_out, struct err *err);

/* What `auto` wants for this folder: flags of store_write(). */
unsigned mailboxes_flags(struct mailboxes *mailboxes, struct str folder);

/* All of these: errors are temporary ones (RFC 5490 5). */

enum lookup mailboxes_exists(struct mailboxes *mailboxes, struct str folder,
	struct err *err) MUST_USE;

/* The folder with that special use ("\Junk", in any case).  Of several the first
 * that a client has given it, else the first that is configured. */
enum lookup mailboxes_find_use(struct mailboxes *mailboxes, struct str use,
	struct str *name_out, struct err *err) MUST_USE;

/* Whether the folder is there and has that use. */
enum lookup mailboxes_has_use(struct mailboxes *mailboxes, struct str folder,
	struct str use, struct err *err) MUST_USE;

/* An annotation, "/private/comment" or "/shared/comment".  `folder` NULL: the
 * server's. */
enum lookup mailboxes_metadata(struct mailboxes *mailboxes,
	const struct str *folder, struct str name, struct str *value_out,
	struct err *err) MUST_USE;

#endif
