/* A def called with arrays: names, files, shapes. */
#include "cli/calling.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/nearest.h"
#include "base/shape.h"
#include "claims/claims.h"
#include "tape/results.h"

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

int calling_result(const calling *c, const char *name) {
    for (int k = 0; k < c->names; k++)
        if (!strcmp(c->name[k], name)) return k;
    return c->names ? -1 : 0;
}

bool calling_is_cotangent(const calling *c, const char *name) {
    return *name == 'd' && name[1] && calling_operand(c, name) < 0 &&
           calling_operand(c, name + 1) < 0 && calling_result(c, name + 1) >= 0;
}

/* Those of a derivation of the def, or what its last line returns. */
static void find_names(calling *c) {
    const spor_script *script = c->piece->script;
    c->names = claims_results(script, c->def, SPOR_RESULTS, c->name);
    if (!c->names) c->names = script_results(script, c->def, SPOR_RESULTS, c->name);
    if (c->names == 1) c->names = 0;
}

const char *calling_result_name(const calling *c) {
    return c->known.results ? c->known.result[0] : "Y";
}

const char *calling_cotangent_name(const calling *c) {
    return c->known.results ? c->known.cotangent[0] : "dY";
}

/* Y is understood for as long as no operand is called so. */
static bool is_either(const calling *c, const char *name, const char *said, const char *usual) {
    if (calling_operand(c, name) >= 0 || calling_gradient(c, name) >= 0) return false;
    return !strcmp(name, said) || !strcmp(name, usual);
}

bool calling_names_result(const calling *c, const char *name) {
    if (c->names) return calling_operand(c, name) < 0 && calling_result(c, name) >= 0;
    return is_either(c, name, calling_result_name(c), "Y");
}

bool calling_names_cotangent(const calling *c, const char *name) {
    if (c->names) return calling_is_cotangent(c, name);
    return is_either(c, name, calling_cotangent_name(c), "dY");
}

bool calling_open(calling *c, const spor_workpiece *piece, const char *def) {
    *c = (calling){.piece = piece, .def = def, .tape = spor_tape_new()};
    if (!c->tape) return calling_fail(c, "out of memory");
    char unknown[512];
    c->parameters = script_parameters(piece->script, def, CALLING_OPERANDS, c->parameter);
    find_names(c);
    if (c->parameters >= 0) claims_def(piece->script, def, &c->known, unknown, sizeof unknown);
    if (c->parameters >= 0) return true;
    const char *near = script_nearest_def(piece->script, def);
    return calling_fail(c, "%.100s has no def %.100s%s%.100s%s", piece->path, def,
                        near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

void calling_close(calling *c) {
    for (int k = 0; k < CALLING_OPERANDS; k++) npy_free(&c->value[k]);
    for (int k = 0; k < SPOR_RESULTS; k++) npy_free(&c->given[k]);
    free(c->cotangent);
    spor_tape_free(c->tape);
}

/* ---- files ---- */

static bool no_operand(const calling *c, const char *name) {
    const char *near = nearest_name(name, known_parameters(c), c->parameter);
    return calling_fail(c, "%.60s is no operand of %.60s%s%.60s%s", name, c->def,
                        near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

/* Where the array of this name goes; NULL after a complaint. */
static spor_npy *place_of(calling *c, const char *name) {
    int k = calling_operand(c, name);
    if (k < 0 && !calling_is_cotangent(c, name)) return no_operand(c, name), NULL;
    spor_npy *to = k < 0 ? &c->given[calling_result(c, name + 1)] : &c->value[k];
    if (to->value) return calling_fail(c, "%.60s is given twice", name), NULL;
    return to;
}

bool calling_read(calling *c, const spor_set *given) {
    spor_message message = {""};
    spor_npy *to = place_of(c, given->name);
    if (!to) return false;
    return npy_read_doubles(given->value, to, &message) || calling_fail(c, "%s", message.text);
}

bool calling_take(calling *c, const char *name, spor_npy *array) {
    spor_npy *to = place_of(c, name);
    if (!to) return false;
    *to = *array;
    *array = (spor_npy){0};
    return true;
}

bool calling_fits(const calling *c, const char *name, const spor_npy *array, spor_shape shape) {
    char has[128], wants[128];
    if (shape_equal(&array->shape, &shape)) return true;
    tape_shape_text(&array->shape, NULL, has, sizeof has);
    tape_shape_text(&shape, NULL, wants, sizeof wants);
    return calling_fail(c, "%.60s is %s but must be %s", name, has, wants);
}

spor_range_kind calling_range(const calling *c, int k) {
    spor_range_kind kind = SPOR_RANGE_ANY;
    for (int t = 0; t < c->known.tensors; t++)
        if (!strcmp(c->known.tensor[t], c->parameter[k])) kind = c->known.kind[t];
    return !kind && raw_is_whole(c->value[k].type) ? SPOR_RANGE_WHOLE : kind;
}

spor_stored calling_stored(raw_type type) {
    if (type.kind == RAW_BRAIN) return SPOR_STORED_BF16;
    return type.kind == RAW_REAL && type.width == 2 ? SPOR_STORED_F16 : SPOR_STORED_AS_COMPUTED;
}

bool calling_is_single(raw_type type) {
    return !raw_is_whole(type) && type.width <= 4;
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

/* Numbers of one cotangent, to where its result lies in y. */
static bool put_cotangent(const calling *c, int k, double *to) {
    char name[80];
    spor_shape shape = spor_shape_of(c->result[k]);
    if (!c->given[k].value) return true;
    snprintf(name, sizeof name, "d%.60s", c->names ? c->name[k] : "");
    if (!calling_fits(c, c->names ? name : "the cotangent", &c->given[k], shape)) return false;
    memcpy(to, c->given[k].value, (size_t)shape_size(&shape) * sizeof *to);
    return true;
}

static bool join_cotangents(calling *c) {
    spor_shape shape = spor_shape_of(c->y);
    bool given = false, done = true;
    for (int k = 0; k < c->results; k++) given = given || c->given[k].value;
    if (!given) return true;
    double *to = c->cotangent = calloc(1, bytes_for(shape_size(&shape) + 1, sizeof *to));
    if (!to) return calling_fail(c, "out of memory");
    for (int k = 0; k < c->results && done; k++) {
        spor_shape of = spor_shape_of(c->result[k]);
        done = put_cotangent(c, k, to);
        to += shape_size(&of);
    }
    return done;
}

bool calling_record(calling *c) {
    if (!take_inputs(c)) return false;
    c->results = script_call_all(c->piece->script, c->def, c->tape, c->inputs, c->input,
                                 SPOR_RESULTS, c->result);
    if (c->results) c->y = results_join(c->results, c->result);
    if (spor_error(c->tape)) {
        workpiece_complain_tape(c->piece, c->tape);
        return false;
    }
    if (c->results > 1 && c->results != c->names)
        return calling_fail(c,
                            "%.60s returns %d tensors that have no names: let its last line return "
                            "names, as in return y, z, or a derivation say them, -> (Y, Z, dY, dZ)",
                            c->def, c->results);
    return join_cotangents(c);
}
