/* remember - what the memory of deliveries says about a job (RFC 1047)
 *
 * A reply that was lost makes the client send the message again.  Whoever filed it
 * the first time may have finished, may be at it, or may have died half way; in the
 * last case the names of the copies (store_copy_target()) tell how far it got:
 *
 *   all of them are there    it was delivered: flush the folders
 *   some, or none            those that are there stay, and the others are made;
 *                            what the plan of today does not want is taken away
 *                            unless somebody has read it
 *
 * A delivery without copies has left nothing to look for and is done anew.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_REMEMBER_H
#define DELIVER_REMEMBER_H

#include "deliver/deliver.h"

enum {
	/* Bytes of the names of one delivery's copies; with longer ones a retry
	 * cannot tell how far it got. */
	REMEMBER_NAMES_MAX = 16 * 1024,
	/* Names that are looked for. */
	REMEMBER_COPIES_MAX = 1000
};

struct batch;

/* For all deliveries that are open, when their copies are written. */
void remember_begin(struct batch *batch);

/* When they are flushed.  Afterwards the open ones are to be done. */
void remember_ask(struct batch *batch);

/* The jobs are settled. */
void remember_finish(struct batch *batch);

#endif
