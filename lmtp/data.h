/* data - a message as it comes in after DATA (RFC 5321 4.5.2)
 *
 * Takes the dots away that the client put in front of lines, and finds the end:
 * CR LF "." CR LF and nothing else, however the bytes are cut into pieces.  A bare
 * CR or LF is data and is counted.  Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LMTP_DATA_H
#define LMTP_DATA_H

#include <stdbool.h>

#include "base/str.h"

enum data_state {
	DATA_LINE_START, /* behind CR LF; DATA begins with it */
	DATA_DOT,        /* a dot at the start of a line, not yet given out */
	DATA_DOT_CR,     /* and a CR, not yet given out either */
	DATA_TEXT,
	DATA_CR, /* a CR that was given out */
	DATA_END
};

/* {0} to begin with. */
struct data {
	enum data_state state;
	bool has_bare_newline; /* CR or LF that is no part of CR LF */
};

/* The next piece of the message, taken off the front of *input (or one of our own
 * bytes); false when there is none for now: then *input is empty, or state is
 * DATA_END and *input stands behind the last CR LF. */
bool data_next(struct data *data, struct str *input, struct str *piece_out);

/* The same for a message in chunks (RFC 3030), where nothing is taken away: counts bare
 * CRs and LFs.  data_end_chunks() when all have come. */
void data_see_chunk(struct data *data, struct str bytes);
void data_end_chunks(struct data *data);

#endif
