/* spor verify --call: arrays that other code computed, against a def of a script. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/calling.h"
#include "cli/verify.h"
#include "verify/verify.h"

/* A call with its claims. */
typedef struct {
    spor_verification *v;
    calling call;
    spor_npy claimed[SPOR_PAIRS];
    spor_arrays arrays;
} judging;

static bool complain(const char *text) {
    command_fail(&spor_command_verify, "%s", text);
    return false;
}

/* ---- reading ---- */

/* What half precision may be off by is not known here. */
static bool read_claimed(const judging *j, const char *path, spor_npy *array) {
    spor_message message = {""};
    if (!npy_read_doubles(path, array, &message)) return complain(message.text);
    if (array->type.kind != RAW_REAL || array->type.width > 2) return true;
    return calling_fail(&j->call, "%.400s: has numbers of type f2; compute in f4 or f8", path);
}

static bool read_claim(judging *j, const spor_set *given) {
    spor_arrays *a = &j->arrays;
    int k = calling_gradient(&j->call, given->name);
    if (k < 0)
        return calling_fail(&j->call,
                            "--against %.60s: d and the name of an operand of %.60s is expected",
                            given->name, j->call.def);
    if (a->claims == SPOR_PAIRS) return complain("too many arrays");
    if (!read_claimed(j, given->value, &j->claimed[a->claims])) return false;
    a->claim[a->claims] = (spor_claim){given->name, k, j->claimed[a->claims].value};
    a->claims++;
    return true;
}

/* Among what is given dX of an operand X is a claim too. */
static bool read_all(judging *j) {
    const spor_verify_given *given = j->v->given;
    for (int k = 0; k < given->in.count; k++) {
        const spor_set *in = &given->in.setting[k];
        bool claim = calling_gradient(&j->call, in->name) >= 0;
        if (!claim && !calling_read(&j->call, in)) return false;
    }
    for (int k = 0; k < given->against.count; k++)
        if (!read_claim(j, &given->against.setting[k])) return false;
    for (int k = 0; k < given->in.count; k++) {
        const spor_set *in = &given->in.setting[k];
        if (calling_gradient(&j->call, in->name) >= 0 && !read_claim(j, in)) return false;
    }
    return j->arrays.claims || complain("--call wants --against dX=FILE.npy");
}

/* ---- recording ---- */

static bool record(judging *j) {
    spor_arrays *a = &j->arrays;
    if (!calling_record(&j->call)) return false;
    a->y = j->call.y;
    a->inputs = j->call.inputs;
    a->cotangent = j->call.cotangent;
    if (j->call.results > 1 && !a->cotangent)
        return calling_fail(&j->call,
                            "%.60s returns %d tensors: give a cotangent, d%.60s=FILE.npy; those "
                            "left out are zero",
                            j->call.def, j->call.results, j->call.name[0]);
    for (int k = 0; k < a->inputs; k++) {
        a->input[k] = j->call.input[k];
        a->value[k] = j->call.value[k].value;
    }
    for (int k = 0; k < a->claims; k++) {
        if (a->claim[k].wrt >= a->inputs) return complain("--against an operand that is not --in");
        spor_shape shape = spor_shape_of(a->input[a->claim[k].wrt]);
        if (!calling_fits(&j->call, a->claim[k].name, &j->claimed[k], shape)) return false;
    }
    return true;
}

/* Float if any array was kept as one: then the other code rounded to float somewhere. */
static spor_scalar arithmetic_of(const judging *j) {
    for (int k = 0; k < j->arrays.claims; k++)
        if (j->claimed[k].type.kind == RAW_REAL && j->claimed[k].type.width == 4) return SPOR_F32;
    return SPOR_F64;
}

/* ---- judging ---- */

/* As much as the hint allows; NULL when memory runs out. */
static char *summarise(const judging *j, const spor_verdict *found) {
    if (found->outcome == SPOR_FAILS || j->v->hint != SPOR_HINT_FULL)
        return verify_summary(j->v, NULL, found);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out) arrays_print(found, out);
    return !out || fclose(out) ? NULL : text;
}

static void show(judging *j, int k, const spor_verdict *found) {
    static const struct {
        spor_row_state state;
        const char *verdict;
    } rows[] = {[SPOR_HOLDS] = {SPOR_ROW_HOLDS, "holds"},
                [SPOR_FAILS] = {SPOR_ROW_WRONG, "DOES NOT HOLD"},
                [SPOR_NOTHING_EXAMINED] = {SPOR_ROW_UNFINISHED, "UNFINISHED"}};
    char *summary = summarise(j, found);
    char *detail = verify_detail(j->v, NULL, found, j->arrays.claim[k].name, NULL);
    verify_show(j->v, &(spor_verify_row){.state = rows[found->outcome].state,
                                         .label = j->arrays.claim[k].name,
                                         .verdict = rows[found->outcome].verdict,
                                         .summary = summary,
                                         .detail = detail,
                                         .kind = "arrays",
                                         .found = found});
    free(summary);
    free(detail);
}

static bool judge(judging *j) {
    spor_message message = {""};
    spor_verdict *found = calloc((size_t)j->arrays.claims + 1, sizeof *found);
    j->arrays.arithmetic = arithmetic_of(j);
    j->arrays.ulps = j->v->given->ulps;
    j->arrays.rtol = j->v->given->rtol;
    bool done = found && arrays_judge(&j->arrays, found, &message);
    if (!done) complain("out of memory");
    if (done && *message.text) done = complain(message.text);
    for (int k = 0; done && k < j->arrays.claims; k++) show(j, k, &found[k]);
    free(found);
    return done;
}

bool verify_call(spor_verification *v, spor_workpiece *piece) {
    judging *j = calloc(1, sizeof *j);
    if (!j) return complain("out of memory");
    j->v = v;
    bool done =
        calling_open(&j->call, piece, v->given->call) && read_all(j) && record(j) && judge(j);
    for (int k = 0; k < SPOR_PAIRS; k++) npy_free(&j->claimed[k]);
    calling_close(&j->call);
    free(j);
    return done;
}
