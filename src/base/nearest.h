/* "Did you mean ...?" */
#ifndef SPOR_BASE_NEAREST_H
#define SPOR_BASE_NEAREST_H

/** The one of the names that slips of the keyboard would turn into word, or NULL: a third of the longer of the
 *  two may differ, and three characters at most, where two neighbours exchanged count as one. Of several the one that
 *  differs least but for small and large letters. */
const char *nearest_name(const char *word, int count, const char *const names[]);

#endif
