/* spor verify --call: arrays that other code computed, against a def of a script. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/verify.h"
#include "data/npy.h"
#include "verify/verify.h"

enum { MOST = SPOR_INPUTS - 1 };

/* A call with its arrays. */
typedef struct {
    spor_verification *v;
    spor_workpiece *piece;
    spor_tape *tape;
    int parameters;
    const char *parameter[MOST];
    spor_npy value[MOST], cotangent, claimed[SPOR_PAIRS];
    spor_settings against;
    spor_arrays arrays;
} calling;

static bool complain(const char *text) {
    command_fail(&spor_command_verify, "%s", text);
    return false;
}

/* ---- reading ---- */

static int parameter_of(const calling *c, const char *name) {
    for (int k = 0; k < c->parameters && k < MOST; k++)
        if (!strcmp(c->parameter[k], name)) return k;
    return -1;
}

static bool read_array(const char *path, spor_npy *array) {
    spor_message message = {""};
    return npy_read_doubles(path, array, &message) || complain(message.text);
}

/* What half precision may be off by is not known here. */
static bool read_claimed(const char *path, spor_npy *array) {
    char text[512];
    if (!read_array(path, array)) return false;
    if (array->type.kind != RAW_REAL || array->type.width > 2) return true;
    snprintf(text, sizeof text, "%.400s: has numbers of type f2; compute in f4 or f8", path);
    return complain(text);
}

/* A name that is no operand's and begins with d is the cotangent, dY; but dX is a claim. */
static bool read_given(calling *c, const spor_set *given) {
    int k = parameter_of(c, given->name);
    bool gradient = *given->name == 'd' && given->name[1];
    if (k >= 0 && !c->value[k].value) return read_array(given->value, &c->value[k]);
    if (gradient && parameter_of(c, given->name + 1) < 0 && !c->cotangent.value)
        return read_array(given->value, &c->cotangent);
    if (gradient && parameter_of(c, given->name + 1) >= 0) {
        enum { ROOM = sizeof c->against.setting / sizeof c->against.setting[0] };
        if (c->against.count == ROOM) return complain("too many arrays");
        c->against.setting[c->against.count++] = *given;
        return true;
    }
    char text[256];
    snprintf(text, sizeof text, "%.60s is no operand of %.60s, or given twice", given->name,
             c->v->given->call);
    return complain(text);
}

static bool read_claim(calling *c, const spor_set *given) {
    spor_arrays *a = &c->arrays;
    int k = *given->name == 'd' ? parameter_of(c, given->name + 1) : -1;
    char text[256];
    if (k < 0) {
        snprintf(text, sizeof text,
                 "--against %.60s: d and the name of an operand of %.60s is "
                 "expected",
                 given->name, c->v->given->call);
        return complain(text);
    }
    if (a->claims == SPOR_PAIRS || !read_claimed(given->value, &c->claimed[a->claims]))
        return false;
    a->claim[a->claims] = (spor_claim){given->name, k, c->claimed[a->claims].value};
    a->claims++;
    return true;
}

static bool read_all(calling *c) {
    const spor_verify_given *given = c->v->given;
    c->against = given->against;
    c->parameters = script_parameters(c->piece->script, given->call, MOST, c->parameter);
    if (c->parameters < 0) {
        char text[256];
        snprintf(text, sizeof text, "%.100s has no def %.100s", c->piece->path, given->call);
        return complain(text);
    }
    for (int k = 0; k < given->in.count; k++)
        if (!read_given(c, &given->in.setting[k])) return false;
    for (int k = 0; k < c->against.count; k++)
        if (!read_claim(c, &c->against.setting[k])) return false;
    if (!c->arrays.claims) return complain("--call wants --against dX=FILE.npy");
    return true;
}

/* ---- recording ---- */

static bool same_shape(const char *name, const spor_npy *array, const spor_shape *shape) {
    char has[128], wants[128], text[400];
    if (shape_equal(&array->shape, shape)) return true;
    tape_shape_text(&array->shape, NULL, has, sizeof has);
    tape_shape_text(shape, NULL, wants, sizeof wants);
    snprintf(text, sizeof text, "%.60s is %s but must be %s", name, has, wants);
    return complain(text);
}

/* The operands in order, as far as they are given; what is left out must have a default. */
static bool record(calling *c) {
    spor_arrays *a = &c->arrays;
    for (int k = 0; k < c->parameters && k < MOST && c->value[k].value; k++, a->inputs++) {
        a->input[k] = spor_input(c->tape, c->parameter[k], c->value[k].shape);
        a->value[k] = c->value[k].value;
    }
    a->y = script_call(c->piece->script, c->v->given->call, c->tape, false, a->inputs, a->input);
    if (spor_error(c->tape)) {
        workpiece_complain_tape(c->piece, c->tape);
        return false;
    }
    spor_shape y = spor_shape_of(a->y);
    for (int k = 0; k < a->claims; k++) {
        if (a->claim[k].wrt >= a->inputs) return complain("--against an operand that is not --in");
        spor_shape shape = spor_shape_of(a->input[a->claim[k].wrt]);
        if (!same_shape(a->claim[k].name, &c->claimed[k], &shape)) return false;
    }
    a->cotangent = c->cotangent.value;
    return !a->cotangent || same_shape("the cotangent", &c->cotangent, &y);
}

/* Float if any array was kept as one: then the other code rounded to float somewhere. */
static spor_scalar arithmetic_of(const calling *c) {
    for (int k = 0; k < c->arrays.claims; k++)
        if (c->claimed[k].type.kind == RAW_REAL && c->claimed[k].type.width == 4) return SPOR_F32;
    return SPOR_F64;
}

/* ---- judging ---- */

/* As much as the hint allows; NULL when memory runs out. */
static char *summarise(const calling *c, const spor_verdict *found) {
    if (found->outcome == SPOR_FAILS || c->v->hint != SPOR_HINT_FULL)
        return verify_summary(c->v, NULL, found);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out) arrays_print(found, out);
    return !out || fclose(out) ? NULL : text;
}

static void show(calling *c, int k, const spor_verdict *found) {
    static const struct {
        spor_row_state state;
        const char *verdict;
    } rows[] = {[SPOR_HOLDS] = {SPOR_ROW_HOLDS, "holds"},
                [SPOR_FAILS] = {SPOR_ROW_WRONG, "DOES NOT HOLD"},
                [SPOR_NOTHING_EXAMINED] = {SPOR_ROW_UNFINISHED, "UNFINISHED"}};
    char *summary = summarise(c, found);
    char *detail = verify_detail(c->v, NULL, found, c->arrays.claim[k].name, NULL);
    verify_show(c->v, &(spor_verify_row){.state = rows[found->outcome].state,
                                         .label = c->arrays.claim[k].name,
                                         .verdict = rows[found->outcome].verdict,
                                         .summary = summary,
                                         .detail = detail,
                                         .kind = "arrays",
                                         .found = found});
    free(summary);
    free(detail);
}

static bool judge(calling *c) {
    spor_message message = {""};
    spor_verdict *found = calloc((size_t)c->arrays.claims + 1, sizeof *found);
    c->arrays.arithmetic = arithmetic_of(c);
    c->arrays.ulps = c->v->given->ulps;
    c->arrays.rtol = c->v->given->rtol;
    bool done = found && arrays_judge(&c->arrays, found, &message);
    if (!done) complain("out of memory");
    if (done && *message.text) done = complain(message.text);
    for (int k = 0; done && k < c->arrays.claims; k++) show(c, k, &found[k]);
    free(found);
    return done;
}

bool verify_call(spor_verification *v, spor_workpiece *piece) {
    calling *c = calloc(1, sizeof *c);
    if (!c) return complain("out of memory");
    *c = (calling){.v = v, .piece = piece, .tape = spor_tape_new()};
    bool done = c->tape && read_all(c) && record(c) && judge(c);
    for (int k = 0; k < MOST; k++) npy_free(&c->value[k]);
    for (int k = 0; k < SPOR_PAIRS; k++) npy_free(&c->claimed[k]);
    npy_free(&c->cotangent);
    spor_tape_free(c->tape);
    free(c);
    return done;
}
