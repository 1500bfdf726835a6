/* policy - the process that Postfix asks whether a mailbox has room
 *
 * `service quota-status { }`: Postfix's policy delegation (its SMTPD_POLICY_README),
 * for check_policy_service at RCPT or at the end of the message.  What it is asked it
 * asks master, as the front does for RCPT; nothing is promised to who asks.
 *
 * It speaks with others, so it has no rights: an empty root, no files.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "server/child.h"

/* Its whole life; result: the exit status. */
int policy_main(struct child *child);

#endif
