/* Gradient descent with L2, as a C program would write it: w - rate (dw + l2 w). */
#ifndef SPOR_TESTS_DESCENT_H
#define SPOR_TESTS_DESCENT_H

#include <spor/spor.h>

/** Settings rate, 0.05, and l2, 1e-4. user is ignored. */
spor_optimizer descent;

#endif
