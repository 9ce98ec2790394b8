/* The words of scalar.h over double. */
#ifndef SPOR_KERNELS_SCALAR_F64_H
#define SPOR_KERNELS_SCALAR_F64_H

typedef double T;
#define SCALAR_TEXT "double"
#define SCALAR_IS_SINGLE 0
#define LIBM(name) name

#include "kernels/scalar_real.h"

#endif
