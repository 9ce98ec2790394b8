/* Settings: scalar inputs with a value of their own. */
#include <math.h>
#include <string.h>

#include "tape/tape.h"

bool tape_add_setting(spor_tape *tape, uint32_t id, const char *name, double value) {
    spor_dial *grown =
        tape_grow(tape->setting, tape->settings, &tape->setting_capacity, sizeof *grown);
    if (!grown) return false;
    tape->setting = grown;
    tape->setting[tape->settings++] = (spor_dial){id, name, value};
    return true;
}

/* The setting recorded before under the same name. */
static spor_var known_setting(spor_tape *tape, const spor_dial *known, double value) {
    const spor_place *first = &tape->node[known->id].place;
    if (!(value < known->value) && !(value > known->value)) return (spor_var){tape, known->id};
    char place[320] = "before";
    if (first->file) snprintf(place, sizeof place, "at %.256s:%d", first->file, first->line);
    return tape_reject(tape, "the setting %s is %g here and %g %s: it has one value, or two names",
                       known->name, value, known->value, place);
}

spor_var(spor_setting)(spor_tape *tape, const char *name, double value) {
    if (!tape || tape->error) return (spor_var){tape, 0};
    if (!name || !*name || !isfinite(value))
        return tape_reject(tape, "a setting has a name and a finite number, not \"%s\" and %g",
                           name ? name : "", value);
    for (uint32_t k = 0; k < tape->settings; k++)
        if (!strcmp(tape->setting[k].name, name))
            return known_setting(tape, &tape->setting[k], value);
    const char *kept = arena_text(&tape->arena, name);
    spor_var leaf = spor_input(tape, name, SPOR_SCALAR_SHAPE);
    if (!leaf.id) return leaf;
    if (!kept || !tape_add_setting(tape, leaf.id, kept, value)) return tape_exhaust(tape);
    tape->node[leaf.id].name = kept;
    return leaf;
}
