/* certificates - what `doorstep config check` says of ssl_cert and ssl_key
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CTL_CERTIFICATES_H
#define CTL_CERTIFICATES_H

#include "base/arena.h"
#include "conf/conf.h"

/* Can they be read, is each key its certificate's, is one over or nearly so?  False:
 * there is nothing to say.  What only another user may read, and what ends, is a
 * warning. */
bool certificates_problem(struct arena *arena, const struct settings *settings,
	struct conf_problem *problem_out);

#endif
