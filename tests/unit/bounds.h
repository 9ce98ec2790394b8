/* The suite `bounds` in three files, each with tests of its own. */
#ifndef SPOR_TESTS_BOUNDS_H
#define SPOR_TESTS_BOUNDS_H

#include "../suite.h"

/** The words of kernels/scalar_bound.h, one by one. */
void bounds_of_bound(Suite *suite);
/** The words of kernels/scalar_rounding.h, one by one. */
void bounds_of_rounding(Suite *suite);

#endif
