/*
 * Built-ins that put leaves on the tape: parameters, state, constants, random values.
 */
#include "script/interpret.h"

#include <string.h>

#include "base/law.h"
#include "tape/tape.h"

/* ---- parameters ---- */

/* A law by name, "zeros", "ones", or a number, times scale. */
static spor_init init_of(const spor_given *g, int k, int scale_at) {
    const spor_value *v = g->arg[k];
    double scale = given_real(g, scale_at, 1);
    if (v && value_is_number(v)) return SPOR_INIT("constant", value_number(v) * scale);
    const char *law = given_string(g, k, "zeros");
    const spor_law *found = strcmp(law, "constant") != 0 ? law_find(law) : NULL;
    if (!found)
        pass_fail(g->run, g->at[k],
                  "%s: there is no law \"%.40s\"; there are normal, uniform, glorot, he, "
                  "lecun, zeros, ones, or a number",
                  g->builtin->name, law);
    return SPOR_INIT(found->name, scale);
}

static const char *given_name(const spor_given *g, int k) {
    const char *name = given_string(g, k, NULL);
    size_t length = strlen(name);
    if (!length || length > SPOR_LIMIT_NAME ||
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-[]") !=
            length)
        pass_fail(g->run, g->at[k],
                  "%s: name must be 1 to %d letters, digits or _ . - [ ] but is \"%.70s\"",
                  g->builtin->name, SPOR_LIMIT_NAME, name);
    return name;
}

/* The name given, or a number that is free in this call. */
static const char *leaf_name(const spor_given *g, int k, spor_count count, const char *stem) {
    if (g->arg[k]) return given_name(g, k);
    return ground_take_format(&g->run->ground, "%s[%d]", stem, pass_count(g->run, count));
}

/* A tape compares a new name with all before it, so leaves cost more steps the more there are. */
static spor_tape *record_leaf(const spor_given *g) {
    pass_spend(g->run, g->place, g->run->leaves++ / 64);
    return pass_record(g->run, g->place);
}

static spor_shape shape_of(const spor_given *g) {
    return want_shape(g->run, g->at[0], given_what(g, 0), g->arg[0]);
}

static spor_value param(const spor_given *g) {
    if (g->run->ruling)
        pass_fail(g->run, g->place,
                  "param stands in a network; what an optimizer keeps is a state(...)");
    spor_shape shape = shape_of(g);
    spor_init init = init_of(g, 1, 3);
    const char *name = leaf_name(g, 2, SPOR_COUNT_PARAM, "param");
    spor_tape *tape = record_leaf(g);
    spor_var var = spor_param(tape, name, shape, init);
    return value_of_tensor(pass_recorded(g->run, var), NULL);
}

static spor_value state(const spor_given *g) {
    spor_shape shape = shape_of(g);
    spor_init init = init_of(g, 1, 3);
    const char *name = leaf_name(g, 2, SPOR_COUNT_STATE, "state");
    spor_tape *tape = record_leaf(g);
    spor_var var = spor_state(tape, name, shape, init);
    return value_of_tensor(pass_recorded(g->run, var), NULL);
}

static spor_value assign(const spor_given *g) {
    spor_value to = given_tensor(g, 0), value = given_tensor(g, 1);
    if (!(tape_node_of(to.t.var)->op->traits & SPOR_STORED))
        pass_fail(g->run, g->at[0], "assign: state must be made by state(...)");
    pass_record(g->run, g->place);
    spor_assign(to.t.var, value.t.var);
    pass_recorded(g->run, to.t.var);
    return (spor_value){.kind = VALUE_NOTHING};
}

/* ---- settings ---- */

static spor_value setting(const spor_given *g) {
    const char *name = given_name(g, 0);
    double value = given_real(g, 1, 0);
    if (!g->run->ruling) pass_fail(g->run, g->place, "setting stands in an optimizer or a clip");
    spor_tape *tape = pass_record(g->run, g->place);
    return value_of_tensor(pass_recorded(g->run, spor_setting(tape, name, value)), NULL);
}

/* ---- constants ---- */

static spor_value filled(const spor_given *g, const spor_value *number) {
    spor_shape shape = shape_of(g);
    return value_of_tensor(tensor_fill(g->run, g->place, number, shape), NULL);
}

static spor_value zeros(const spor_given *g) {
    spor_value number = value_of_int(0);
    return filled(g, &number);
}

static spor_value ones(const spor_given *g) {
    spor_value number = value_of_int(1);
    return filled(g, &number);
}

static spor_value full(const spor_given *g) {
    if (!value_is_number(g->arg[1]))
        pass_fail(g->run, g->at[1], "full: value must be a number but is %s",
                  value_describe(&g->run->ground, g->arg[1]));
    return filled(g, g->arg[1]);
}

static spor_value uniform(const spor_given *g) {
    spor_shape shape = shape_of(g);
    uint64_t seed = pass_seed(g->run);
    spor_tape *tape = pass_record(g->run, g->place);
    spor_var var = spor_random(tape, seed, shape);
    return value_of_tensor(pass_recorded(g->run, var), NULL);
}

const spor_builtin spor_leaf_builtins[] = {
    {"param", "shape, init, name?, scale?", param},
    {"state", "shape, init?, name?, scale?", state},
    {"assign", "state, value", assign},
    {"setting", "name, value", setting},
    {"zeros", "shape", zeros},
    {"ones", "shape", ones},
    {"full", "shape, value", full},
    {"random", "shape", uniform},
    {NULL, NULL, NULL},
};
