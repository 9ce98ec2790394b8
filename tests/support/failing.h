/*
 * Memory that runs out: each allocation of a program, one after the other, is made to fail.
 *
 * The allocator of a program that has this is the C library's, by the names that glibc exports beside the
 * usual ones; elsewhere, and under sanitizers, which bring their own, nothing can be made to fail.
 */
#ifndef SPOR_TESTS_FAILING_H
#define SPOR_TESTS_FAILING_H

#include <stdbool.h>

/** False if nothing can. */
extern const bool failing_can;

/** From now on allocation `at`, counted from 1, fails, 0: none; and all after it, if for_good. */
void failing_begin(long at, bool for_good);
/** No more does; how many there were. */
long failing_end(void);

#endif
