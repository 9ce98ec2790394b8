/* "Did you mean ...?" */
#ifndef SPOR_BASE_NEAREST_H
#define SPOR_BASE_NEAREST_H

/** The one of the names that a slip of the keyboard would turn into word, or NULL. */
const char *nearest_name(const char *word, int count, const char *const names[]);

#endif
