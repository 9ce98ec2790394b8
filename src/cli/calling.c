/* A def called with arrays: names, files, shapes. */
#include "cli/calling.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"

bool calling_fail(const calling *c, const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    command_fail(c->piece->command, "%s", text);
    return false;
}

/* ---- names ---- */

static int known_parameters(const calling *c) {
    return c->parameters < CALLING_OPERANDS ? c->parameters : CALLING_OPERANDS;
}

int calling_operand(const calling *c, const char *name) {
    for (int k = 0; k < known_parameters(c); k++)
        if (!strcmp(c->parameter[k], name)) return k;
    return -1;
}

int calling_gradient(const calling *c, const char *name) {
    return *name == 'd' && calling_operand(c, name) < 0 ? calling_operand(c, name + 1) : -1;
}

bool calling_is_cotangent(const calling *c, const char *name) {
    return *name == 'd' && name[1] && calling_operand(c, name) < 0 &&
           calling_operand(c, name + 1) < 0;
}

bool calling_open(calling *c, const spor_workpiece *piece, const char *def) {
    *c = (calling){.piece = piece, .def = def, .tape = spor_tape_new()};
    if (!c->tape) return calling_fail(c, "out of memory");
    c->parameters = script_parameters(piece->script, def, CALLING_OPERANDS, c->parameter);
    if (c->parameters >= 0) return true;
    const char *near = script_nearest_def(piece->script, def);
    return calling_fail(c, "%.100s has no def %.100s%s%.100s%s", piece->path, def,
                        near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

void calling_close(calling *c) {
    for (int k = 0; k < CALLING_OPERANDS; k++) npy_free(&c->value[k]);
    npy_free(&c->cotangent);
    spor_tape_free(c->tape);
}

/* ---- files ---- */

static bool no_operand(const calling *c, const char *name) {
    const char *near = nearest_name(name, known_parameters(c), c->parameter);
    return calling_fail(c, "%.60s is no operand of %.60s%s%.60s%s", name, c->def,
                        near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

bool calling_read(calling *c, const spor_set *given) {
    spor_message message = {""};
    int k = calling_operand(c, given->name);
    if (k < 0 && !calling_is_cotangent(c, given->name)) return no_operand(c, given->name);
    spor_npy *to = k < 0 ? &c->cotangent : &c->value[k];
    if (to->value) return calling_fail(c, "%.60s is given twice", given->name);
    return npy_read_doubles(given->value, to, &message) || calling_fail(c, "%s", message.text);
}

bool calling_fits(const calling *c, const char *name, const spor_npy *array, spor_shape shape) {
    char has[128], wants[128];
    if (shape_equal(&array->shape, &shape)) return true;
    tape_shape_text(&array->shape, NULL, has, sizeof has);
    tape_shape_text(&shape, NULL, wants, sizeof wants);
    return calling_fail(c, "%.60s is %s but must be %s", name, has, wants);
}

/* ---- recording ---- */

/* Operands go by their order; what is left out must have a default, and so must all that follow. */
static bool take_inputs(calling *c) {
    for (int k = 0; k < known_parameters(c); k++) {
        if (!c->value[k].value) continue;
        if (k > c->inputs)
            return calling_fail(
                c, "%.60s is missing: operands are given in order, and %.60s comes later",
                c->parameter[c->inputs], c->parameter[k]);
        c->input[k] = spor_input(c->tape, c->parameter[k], c->value[k].shape);
        c->inputs++;
    }
    return true;
}

bool calling_record(calling *c) {
    if (!take_inputs(c)) return false;
    c->y = script_call(c->piece->script, c->def, c->tape, false, c->inputs, c->input);
    if (spor_error(c->tape)) {
        workpiece_complain_tape(c->piece, c->tape);
        return false;
    }
    return !c->cotangent.value ||
           calling_fits(c, "the cotangent", &c->cotangent, spor_shape_of(c->y));
}
