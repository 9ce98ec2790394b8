/* Settings of a program: numbers that change without a new one. The contracted tape has them. */
#include <string.h>

#include "kernels/element.h"
#include "program/program.h"

static uint32_t settings_of(const spor_program *program) {
    return program && program->graph.tape ? program->graph.tape->settings : 0;
}

bool spor_program_set(spor_program *program, const char *name, double value) {
    for (uint32_t k = 0; name && k < settings_of(program); k++) {
        spor_dial *setting = &program->graph.tape->setting[k];
        if (strcmp(setting->name, name) != 0) continue;
        setting->value = value;
        return true;
    }
    return false;
}

spor_named_number spor_program_setting(const spor_program *program, int k) {
    if (k < 0 || (uint32_t)k >= settings_of(program)) return (spor_named_number){0};
    const spor_dial *setting = &program->graph.tape->setting[k];
    return (spor_named_number){setting->name, setting->value};
}

void fill_settings(spor_program *program) {
    const spor_tape *tape = program->graph.tape;
    for (uint32_t k = 0; k < tape->settings; k++) {
        const spor_dial *setting = &tape->setting[k];
        element_types[program->scalar]->set(program_address(program, program->storage[setting->id]),
                                            0, setting->value);
    }
}
