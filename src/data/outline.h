/*
 * What is known of data beside their rows, as texts with names: enough to prepare other rows as these were
 * and to name what is predicted of them. How x was standardized is kept apart: standardize.h.
 */
#ifndef SPOR_DATA_OUTLINE_H
#define SPOR_DATA_OUTLINE_H

#include <spor/data.h>
#include "data/text.h"

/** A fact of an outline. */
typedef struct {
    const char *name;                                /* "x.shape" */
    void (*write)(const spor_data *, spor_text *to); /* nothing if there is nothing to say */
    bool (*read)(spor_data *, const char *text);     /* false: it is none, or no memory */
} outline_fact;

/** In the order to be read in; the last one has no name. */
extern const outline_fact outline_facts[];

/** Data without rows from the texts of their facts; find gives the text of a name, NULL if there is none.
 *  NULL with a message that begins with `what` if they make none. */
spor_data *outline_read(const char *(*find)(const void *user, const char *name), const void *user,
                        const char *what, spor_message *message);

#endif
