/* The choice of the instruction set, at run time. */
#include <stdlib.h>
#include <string.h>

#include "program/program.h"

static bool has_baseline(void) {
    return true;
}

/* Some builds leave sets out. */
#if defined(__x86_64__)
static bool has_avx2(void) __attribute__((unused));
static bool has_avx512(void) __attribute__((unused));
static bool has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
static bool has_avx512(void) {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}
#endif

static const struct {
    const char *name;
    bool (*available)(void);
} isas[SPOR_ISAS] = {
#define ENTRY(unused, isa) {#isa, has_##isa},
    SPOR_EACH_ISA(ENTRY, )
#undef ENTRY
};

const char *isa_name(spor_isa isa) {
    return isas[isa].name;
}

int isa_lanes(spor_isa isa, spor_scalar scalar) {
    return (int)(((size_t)16 << isa) / scalar_width(scalar));
}

bool isa_pick(spor_program *program, const char *name) {
    if (!name) name = getenv("SPOR_ISA");
    for (int k = SPOR_ISAS - 1; k >= 0; k--) {
        if (name && *name && strcmp(name, isas[k].name) != 0) continue;
        program->isa = (spor_isa)k;
        if (isas[k].available()) return true;
        if (name && *name)
            return program_fail(program, "this machine does not have the instruction set %s", name);
    }
    char names[128] = "";
    for (int k = 0; k < SPOR_ISAS; k++) {
        strcat(names, k ? ", " : "");
        strcat(names, isas[k].name);
    }
    return program_fail(program, "no instruction set \"%s\" (SPOR_ISA); there are %s", name, names);
}
