/* relay - joins standard input and output with a running server
 *
 * For clients that run a program in place of opening a connection, such as
 * Sendmail's local_lmtp.  Knows nothing of the protocol.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LMTP_RELAY_H
#define LMTP_RELAY_H

/* `target` is HOST:PORT, [IPv6]:PORT or the path of a socket; one that does not
 * begin with "/" is in `base_dir`.  Blocks until the server has closed the
 * connection.  Result: an exit status; 75 after a 421 on standard output when the
 * server cannot be reached, or when the connection broke. */
int relay_main(const char *target, const char *base_dir);

#endif
