/* session_id - what joins the log lines of one session with each other
 *
 * Dovecot's form: 128 random bits and some more in base64, without padding.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_SESSION_ID_H
#define BASE_SESSION_ID_H

enum { SESSION_ID_LEN = 22 };

void session_id_make(char id[SESSION_ID_LEN + 1]);

#endif
