#include "sets.h"

#include <string.h>

#include "program/program.h"

static bool has_set(const char *name) {
    spor_tape *tape = spor_tape_new();
    spor_var y = spor_ratio(tape, 1, 1);
    spor_program *program = spor_compile(tape, 1, &y, NULL, &(spor_options){.isa = name});
    bool has = program && !spor_program_error(program) && !strcmp(spor_program_isa(program), name);
    spor_program_free(program);
    spor_tape_free(tape);
    return has;
}

const char *const *instruction_sets(void) {
    static const char *sets[SPOR_ISAS + 1];
    if (sets[0]) return sets;
    for (int k = 0, to = 0; k < SPOR_ISAS; k++)
        if (has_set(isa_name((spor_isa)k))) sets[to++] = isa_name((spor_isa)k);
    return sets;
}
