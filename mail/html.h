/* html - what a reader of HTML sees, as text
 *
 * No parser of documents: tags go, the content of script, style and the like
 * goes with them, comments go, named and numbered characters become what they
 * mean, runs of blanks become one.  Elements that begin a new line on the screen
 * begin one here.  One pass; what is never closed ends with the text.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MAIL_HTML_H
#define MAIL_HTML_H

#include "base/arena.h"
#include "base/str.h"

/* `html` is UTF-8.  The result lives in the arena, is UTF-8, has CR LF as its
 * line ends and is longer than `html` by one byte for each LF of it at most. */
struct str html_to_text(struct arena *arena, struct str html);

#endif
