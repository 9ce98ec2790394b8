/* The words of scalar.h over float. */
#ifndef SPOR_KERNELS_SCALAR_F32_H
#define SPOR_KERNELS_SCALAR_F32_H

typedef float T;
#define SCALAR_TEXT "float"
#define SCALAR_IS_SINGLE 1
#define LIBM(name) name##f

#include "kernels/scalar_real.h"

#endif
