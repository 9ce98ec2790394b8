/*
 * The instruction sets that kernels are built for, worst first: the build's list.
 */
#ifndef SPOR_KERNELS_ISA_H
#define SPOR_KERNELS_ISA_H

#include "isas.h"

typedef enum {
#define SPOR_ISA_ENUM_(unused, isa) SPOR_ISA_##isa,
    SPOR_EACH_ISA(SPOR_ISA_ENUM_, )
#undef SPOR_ISA_ENUM_
        SPOR_ISAS
} spor_isa;

#endif
