/*
 * Memory of many numbers.
 */
#ifndef SPOR_BASE_PAGES_H
#define SPOR_BASE_PAGES_H

#include <stddef.h>

/** So many bytes, all 0, from the start of a cache line on, to be freed by free(); NULL: they can't be had. Where there
 *  are megabytes of them the system is asked for large pages: rows of a matrix that lie a page apart are read at the
 *  pace of its numbers then, not of looking up where each page is. */
void *pages_take(size_t bytes);

#endif
