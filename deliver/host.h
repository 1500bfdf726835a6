/* host - answers a script's questions during a delivery (sieve/host.h)
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_HOST_H
#define DELIVER_HOST_H

#include "sieve/host.h"
#include "deliver/deliver.h"

struct deliver_host {
	struct sieve_host host;
	const struct job *job;
	const struct delivery *delivery;
};

void host_init(struct deliver_host *host, const struct job *job,
	const struct delivery *delivery);

#endif
