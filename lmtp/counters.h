/* counters - what `doorstep status` shows of a front
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LMTP_COUNTERS_H
#define LMTP_COUNTERS_H

#include <stdint.h>

#include "server/histogram.h"

struct counters {
	uint64_t connections; /* at this moment */
	uint64_t connections_total;
	uint64_t connections_refused; /* by network or number */
	uint64_t transactions;        /* messages that came in whole */
	uint64_t bytes;               /* of those */
	uint64_t recipients_accepted;
	uint64_t recipients_refused;
	/* of recipients_refused, the others are temporary: */
	uint64_t refused_unknown; /* nobody of that name */
	uint64_t refused_quota;
	uint64_t refused_other; /* for good */
	uint64_t delivered;     /* recipients whose message was taken */
	uint64_t discarded;     /* of those, without a copy */
	uint64_t temporary;     /* recipients asked to try again */
	uint64_t failed;        /* recipients refused after the message */
	uint64_t memory;        /* bytes in use of lmtp_memory_limit */
	uint64_t confirmations; /* waiting for state */
	uint64_t script_errors; /* scripts that failed: the message was kept */
	uint64_t tls_1_2, tls_1_3;
	uint64_t tls_resumed; /* of those */
	uint64_t tls_failed;  /* handshakes */
	uint64_t tls_memory;  /* bytes in use of lmtp_tls_memory_limit */
	struct histogram phases[HISTOGRAM_PHASES];
};

#endif
