/*
 * What the yardsticks of roof.c do, for those who measure by them.
 */
#ifndef SPOR_KERNELS_ROOF_H
#define SPOR_KERNELS_ROOF_H

/** Sums side by side: enough that the next multiply-add never waits for the last one, and no more than
 *  the smallest set of registers holds beside the factor. */
enum { ROOF_SUMS = 12 };

#endif
