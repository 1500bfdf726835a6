/* state - the process that remembers deliveries
 *
 * state_main() (server/child.h) serves CLAIM and FINISH of whoever connects to
 * its socket, under the uid that the kernel proves, and CONFIRM of the fronts.
 * ledger.c has the rules; its data base is below state_dir.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_STATE_H
#define SERVER_STATE_H

enum {
	/* Exit status: another server has the data base of this state_dir. */
	STATE_EXIT_IN_USE = 69,
	/* The data base broke; the next process recovers it. */
	STATE_EXIT_BROKEN = 75
};

#endif
