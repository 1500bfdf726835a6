/* block - the blocks of a configuration: which there are, what they mean
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_BLOCK_H
#define CONF_BLOCK_H

#include "conf/loader.h"
#include "conf/syntax.h"

/* Enters the scope of the block that the line opens; one that is not known is
 * reported and skipped. */
void conf_block_open(struct conf_loader *loader, const struct conf_line *line);

/* Leaves the innermost scope. */
void conf_block_close(struct conf_loader *loader);

#endif
