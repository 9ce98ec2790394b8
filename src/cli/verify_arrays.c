/* spor verify --call: arrays that other code computed, against a def of a script. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/calling.h"
#include "cli/verify.h"
#include "data/bundle.h"
#include "figure/elements.h"
#include "verify/verify.h"

/* A call with its claims. */
typedef struct {
    spor_verification *v;
    calling call;
    spor_bundle bundle; /* of --arrays */
    spor_npy claimed[SPOR_PAIRS], before[SPOR_PAIRS];
    int result[SPOR_PAIRS]; /* of a claim about a value: which */
    spor_arrays arrays;
} judging;

static bool complain(const char *text) {
    command_fail(&spor_command_verify, "%s", text);
    return false;
}

/* ---- claims ---- */

/* True of what is judged: the gradient of an operand, or a result. */
static bool is_claim(const judging *j, const char *name) {
    return calling_gradient(&j->call, name) >= 0 || calling_names_result(&j->call, name);
}

/* Makes room for a claim; NULL after a complaint. */
static spor_npy *add_claim(judging *j, const char *name) {
    spor_arrays *a = &j->arrays;
    int wrt = calling_gradient(&j->call, name);
    for (int k = 0; k < a->claims; k++)
        if (!strcmp(a->claim[k].name, name))
            return calling_fail(&j->call, "%.60s is given twice", name), NULL;
    if (a->claims == SPOR_PAIRS) return complain("too many arrays"), NULL;
    a->claim[a->claims] = (spor_claim){.name = name, .wrt = wrt < 0 ? SPOR_OF_Y : wrt};
    if (wrt < 0) j->result[a->claims] = calling_result(&j->call, name);
    return &j->claimed[a->claims++];
}

static bool read_claim(judging *j, const spor_set *given) {
    spor_message message = {""};
    if (!is_claim(j, given->name))
        return calling_fail(&j->call,
                            "--against %.60s: d and the name of an operand of %.60s is expected, "
                            "or a result",
                            given->name, j->call.def);
    spor_npy *to = add_claim(j, given->name);
    if (!to) return false;
    return npy_read_doubles(given->value, to, &message) || complain(message.text);
}

/* Among what is given dX of an operand X is a claim too, and so is a result. */
static bool read_files(judging *j) {
    const spor_verify_given *given = j->v->given;
    for (int k = 0; k < given->in.count; k++) {
        const spor_set *in = &given->in.setting[k];
        if (!(is_claim(j, in->name) ? read_claim(j, in) : calling_read(&j->call, in))) return false;
    }
    for (int k = 0; k < given->against.count; k++)
        if (!read_claim(j, &given->against.setting[k])) return false;
    return true;
}

/* ---- a file of several ---- */

/* True of an array that some --before is called by. */
static bool is_before(const judging *j, const char *name) {
    const spor_settings *before = &j->v->given->before;
    for (int k = 0; k < before->count; k++)
        if (!strcmp(before->setting[k].value, name)) return true;
    return false;
}

static void tell_unused(judging *j, const char *name) {
    char why[256];
    snprintf(why, sizeof why, "is neither an operand of %.60s nor d and one, nor %.60s or %.60s",
             j->call.def, calling_result_name(&j->call), calling_cotangent_name(&j->call));
    verify_skip(j->v, name, why);
}

static bool take_claim(judging *j, const char *name, spor_npy *array) {
    spor_npy *to = add_claim(j, name);
    if (!to) return false;
    *to = *array;
    *array = (spor_npy){0};
    return true;
}

/* By its name: an operand, a cotangent, a gradient, a result; what is none of these is told. */
static bool take_item(judging *j, bundle_item *item) {
    const char *name = item->name;
    if (is_before(j, name)) return true;
    if (is_claim(j, name)) return take_claim(j, name, &item->array);
    if (calling_operand(&j->call, name) >= 0 || calling_names_cotangent(&j->call, name))
        return calling_take(&j->call, name, &item->array);
    tell_unused(j, name);
    return true;
}

static bool read_bundle(judging *j) {
    const char *path = j->v->given->arrays;
    spor_message message = {""};
    if (!path) return true;
    if (!bundle_read(path, &j->bundle, &message)) return complain(message.text);
    for (int k = 0; k < j->bundle.count; k++)
        if (!take_item(j, &j->bundle.item[k])) return false;
    return true;
}

/* ---- what was there before ---- */

/* A name in the file of several, or a file. */
static bool read_before(judging *j, const spor_set *given) {
    spor_message message = {""};
    spor_arrays *a = &j->arrays;
    int k = 0;
    while (k < a->claims && strcmp(a->claim[k].name, given->name) != 0) k++;
    if (k == a->claims)
        return calling_fail(&j->call, "--before %.60s: that is no gradient that was given",
                            given->name);
    if (j->before[k].value) return calling_fail(&j->call, "--before %.60s twice", given->name);
    spor_npy *found = bundle_find(&j->bundle, given->value);
    if (!found)
        return npy_read_doubles(given->value, &j->before[k], &message) || complain(message.text);
    j->before[k] = *found;
    *found = (spor_npy){0};
    return j->before[k].value || complain("--before: one array can't be there before two");
}

static bool read_all(judging *j) {
    const spor_settings *before = &j->v->given->before;
    if (!read_files(j) || !read_bundle(j)) return false;
    for (int k = 0; k < before->count; k++)
        if (!read_before(j, &before->setting[k])) return false;
    return j->arrays.claims || calling_fail(&j->call,
                                            "no gradient of %.60s is given: --arrays FILE with "
                                            "dX in it, --against dX=FILE.npy, or --exec COMMAND",
                                            j->call.def);
}

/* ---- recording ---- */

static bool record_claim(judging *j, int k) {
    spor_arrays *a = &j->arrays;
    spor_claim *claim = &a->claim[k];
    if (claim->wrt >= a->inputs)
        return calling_fail(&j->call, "%.60s is the gradient of an operand that is not given",
                            claim->name);
    if (claim->wrt == SPOR_OF_Y) claim->of = j->call.result[j->result[k]];
    spor_shape shape = spor_shape_of(claim->wrt == SPOR_OF_Y ? claim->of : a->input[claim->wrt]);
    if (!calling_fits(&j->call, claim->name, &j->claimed[k], shape)) return false;
    if (j->before[k].value && !calling_fits(&j->call, "what is there before", &j->before[k], shape))
        return false;
    claim->claimed = j->claimed[k].value;
    claim->stored = calling_stored(j->claimed[k].type);
    claim->before = j->before[k].value;
    return true;
}

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
        a->range[k].kind = calling_range(&j->call, k);
    }
    for (int k = 0; k < a->claims; k++)
        if (!record_claim(j, k)) return false;
    if (!a->cotangent && spor_shape_of(a->y).rank)
        verify_skip(j->v, calling_cotangent_name(&j->call),
                    "is not given: judged with a cotangent of 1 everywhere, which hides mistakes");
    return true;
}

/* Float if any array was kept as one, or as less: then the other code rounded to float somewhere. */
static spor_scalar arithmetic_of(const judging *j) {
    for (int k = 0; k < j->arrays.claims; k++)
        if (calling_is_single(j->claimed[k].type)) return SPOR_F32;
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

/* Where it is wrong, for the page. */
static void draw(const judging *j, int k, const spor_verdict *found, const double *off,
                 spor_text *picture) {
    if (!off || found->outcome == SPOR_HOLDS) return;
    elements_draw(picture, &(elements_map){.name = j->arrays.claim[k].name,
                                           .about = "",
                                           .shape = j->claimed[k].shape,
                                           .off = off});
}

static void show(judging *j, int k, const spor_verdict *found, const double *off) {
    static const struct {
        spor_row_state state;
        const char *verdict;
    } rows[] = {[SPOR_HOLDS] = {SPOR_ROW_HOLDS, "holds"},
                [SPOR_FAILS] = {SPOR_ROW_WRONG, "DOES NOT HOLD"},
                [SPOR_NOTHING_EXAMINED] = {SPOR_ROW_UNFINISHED, "UNFINISHED"}};
    spor_text picture = {0};
    char place[4096];
    char *summary = summarise(j, found);
    draw(j, k, found, off, &picture);
    snprintf(place, sizeof place, "%s:%d:1", j->call.known.file ? j->call.known.file : j->v->path,
             j->call.known.line);
    char *detail = verify_detail(j->v, NULL, found, j->arrays.claim[k].name, NULL);
    verify_show(j->v, &(spor_verify_row){.state = rows[found->outcome].state,
                                         .label = j->arrays.claim[k].name,
                                         .verdict = rows[found->outcome].verdict,
                                         .summary = summary,
                                         .detail = detail,
                                         .kind = "arrays",
                                         .place = j->call.known.file ? place : NULL,
                                         .picture = picture.at,
                                         .found = found});
    text_free(&picture);
    free(summary);
    free(detail);
}

static bool judge(judging *j) {
    spor_message message = {""};
    spor_verdict *found = calloc((size_t)j->arrays.claims + 1, sizeof *found);
    j->arrays.arithmetic = arithmetic_of(j);
    j->arrays.ulps = j->v->given->ulps;
    j->arrays.rtol = j->v->given->rtol;
    double *off[SPOR_PAIRS] = {NULL};
    j->arrays.ties_bind = j->v->given->ties;
    bool done =
        found && arrays_judge_seen(&j->arrays, j->v->given->html ? off : NULL, found, &message);
    if (!done) complain("out of memory");
    if (done && *message.text) done = complain(message.text);
    for (int k = 0; done && k < j->arrays.claims; k++) show(j, k, &found[k], off[k]);
    for (int k = 0; k < SPOR_PAIRS; k++) free(off[k]);
    free(found);
    return done;
}

bool verify_call(spor_verification *v, spor_workpiece *piece) {
    judging *j = calloc(1, sizeof *j);
    if (!j) return complain("out of memory");
    j->v = v;
    bool done =
        calling_open(&j->call, piece, v->given->call) && read_all(j) && record(j) && judge(j);
    for (int k = 0; k < SPOR_PAIRS; k++) {
        npy_free(&j->claimed[k]);
        npy_free(&j->before[k]);
    }
    bundle_free(&j->bundle);
    calling_close(&j->call);
    free(j);
    return done;
}
