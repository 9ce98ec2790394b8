/*
 * Pages of HTML that stand alone: no scripts, no files besides; light or dark as the reader's screen is.
 */
#ifndef SPOR_FIGURE_HTML_H
#define SPOR_FIGURE_HTML_H

#include "data/text.h"

/** Begins a page with its title, a line below it, and what its style sheet has besides. Colours of all
 *  pages: --page, --card, --ink, --faint, --line, --code; what stands in a frame has the class card. */
void html_begin(spor_text *page, const char *title, const char *about, const char *style);
/** Ends it with a line at its foot. */
void html_end(spor_text *page, const char *foot);

/** A text on one line, escaped, between tags. */
void html_text(spor_text *page, const char *open, const char *text, const char *close);
/** The same of several lines. */
void html_lines(spor_text *page, const char *open, const char *text, const char *close);

#endif
