/*
 * Values of the language. Values never change once made.
 */
#ifndef SPOR_SCRIPT_VALUE_H
#define SPOR_SCRIPT_VALUE_H

#include <math.h>

#include "script/script.h"
#include "script/syntax.h"
#include "tape/op.h"

typedef enum {
    VALUE_NOTHING, /* what a def without return gives */
    VALUE_INT,
    VALUE_REAL,
    VALUE_BOOL,
    VALUE_STRING,
    VALUE_LIST,
    VALUE_TENSOR,
    VALUE_FUNCTION, /* a def */
    VALUE_BUILTIN,
    VALUE_OP,
    VALUE_DATA, /* digits(...): what train(...) takes */
    VALUE_LOSS,
    VALUE_LOSS_CALL, /* smoothed(0.1): the call of a def that waits for prediction and target */
    VALUE_OPTIMIZER, /* sgd(rate=0.1): the call of a def that waits for w and dw */
    VALUE_CLIP,      /* clip_norm(1): one that waits for gradients */
    VALUE_SCHEDULE   /* cosine(): one that waits for epoch, step, epochs, steps */
} spor_value_kind;

typedef struct spor_builtin spor_builtin;
typedef struct spor_partial spor_partial;

typedef struct {
    int n, depth; /* depth: of lists in lists, 1 for a flat one */
    spor_value *item;
} spor_list;

/** A def and what surrounds it. */
typedef struct {
    const spor_def *def;
    spor_env *env;
} spor_function;

/** The names of a tensor's axes: symbols of the run, 0 for an axis without a name. */
typedef struct {
    uint32_t symbol[SPOR_RANK];
} spor_axes;

struct spor_value {
    spor_value_kind kind;
    union {
        int64_t i;
        struct {
            double r, error; /* it stands for a number within r +- error */
        };
        bool b;
        const char *s;
        spor_list list;
        struct {
            spor_var var;
            const spor_axes *axes; /* NULL: no names */
        } t;
        const spor_function *function;
        const spor_builtin *builtin;
        const spor_op *op;
        spor_declaration *declared;  /* data and loss fill their part of one */
        const spor_partial *partial; /* loss call, optimizer, clip, schedule */
    };
};

/** A name and its value. */
typedef struct {
    const char *name; /* interned */
    spor_value value;
    uint32_t symbol; /* of a size in a signature, else 0 */
} spor_binding;

/** Names of one call, inside those of the surrounding text. */
struct spor_env {
    spor_env *parent;
    int n, room;
    spor_binding *binding;
};

static inline spor_value value_of_int(int64_t i) {
    return (spor_value){.kind = VALUE_INT, .i = i};
}
/** An error that is not a number says as little as an infinite one. */
static inline spor_value value_of_real(double r, double error) {
    return (spor_value){.kind = VALUE_REAL, .r = r, .error = isnan(error) ? HUGE_VAL : error};
}
static inline spor_value value_of_bool(bool b) {
    return (spor_value){.kind = VALUE_BOOL, .b = b};
}
static inline spor_value value_of_string(const char *s) {
    return (spor_value){.kind = VALUE_STRING, .s = s};
}
static inline spor_value value_of_tensor(spor_var var, const spor_axes *axes) {
    return (spor_value){.kind = VALUE_TENSOR, .t = {var, axes}};
}
static inline bool value_is_number(const spor_value *v) {
    return v->kind == VALUE_INT || v->kind == VALUE_REAL;
}
/** Of an integer or a real. */
static inline double value_number(const spor_value *v) {
    return v->kind == VALUE_INT ? (double)v->i : v->r;
}
/** How far that may be from the number meant. */
static inline double value_error(const spor_value *v) {
    if (v->kind == VALUE_REAL) return v->error;
    double magnitude = fabs((double)v->i);
    return magnitude <= 0x1p53 ? 0 : 0x1p-52 * magnitude;
}

/** "integer", "list", ...: what kind(x) returns. */
const char *value_kind_name(const spor_value *v);
/** For messages: the integer 3, the string "same", a list of 2, a tensor [3, 4]. */
const char *value_describe(spor_ground *ground, const spor_value *v);
/** As fail(...) writes it: 3, same, [1, 2]. */
void value_write(spor_note *text, const spor_value *v);

#endif
