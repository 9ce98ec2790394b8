/* A command of others on one case: what it reads, what it left, what that is worth. See probing_exec.h. */
#define _XOPEN_SOURCE 700 /* nftw, mkdtemp */
#include "cli/probing_exec.h"

#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/calling.h"
#include "data/file.h"

static void free_written(exec_written *w) {
    for (int k = 0; k < SPOR_PAIRS; k++) npy_free(&w->array[k]);
    bundle_free(&w->bundle);
}

/* ---- the command ---- */

/* {in} and {out} become the folders, quoted for the shell. */
static bool fill_in(exec *e) {
    const char *at = e->p->v->given->exec;
    bool in = false, out = false, fits = true;
    size_t used = 0;
    while (*at && fits) {
        bool is_in = !strncmp(at, "{in}", 4), is_out = !strncmp(at, "{out}", 5);
        in = in || is_in;
        out = out || is_out;
        e->command[used] = 0;
        if (is_in || is_out)
            fits = outside_quote(is_in ? e->in : e->out, e->command, sizeof e->command);
        else
            e->command[used] = *at, e->command[used + 1] = 0;
        at += is_in ? 4 : is_out ? 5 : 1;
        used = strlen(e->command);
        fits = fits && used + 2 < sizeof e->command;
    }
    if (!fits) return probing_fail("--exec: the command is too long");
    return (in && out) ||
           probing_fail("--exec wants {in} and {out} where the command takes the folder of the "
                        "inputs and that of the outputs: --exec \"python3 kernel.py {in} {out}\"");
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *at) {
    (void)status, (void)kind;
    return at->level ? remove(path) : 0;
}

/* Empties a folder that is the verification's own. */
static void clear(const char *folder) {
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static bool open_folders(exec *e) {
    const char *place = getenv("TMPDIR");
    snprintf(e->folder, sizeof e->folder, "%s/spor-XXXXXX", place && *place ? place : "/tmp");
    if (!mkdtemp(e->folder))
        return *e->folder = 0,
               probing_fail("no folder for probes in %s; set TMPDIR", place ? place : "/tmp");
    snprintf(e->in, sizeof e->in, "%s/in", e->folder);
    snprintf(e->out, sizeof e->out, "%s/out", e->folder);
    return true;
}

void exec_close(exec *e) {
    free_written(&e->last);
    for (int k = 0; k < SPOR_PAIRS; k++) free(e->off[k]);
    if (!*e->folder) return;
    clear(e->folder);
    rmdir(e->folder);
}

bool exec_open(exec *e) {
    return open_folders(e) && fill_in(e);
}

/* Runs it once on what stands in the folders. False if all is to stop. */
static bool run(exec *e, exec_outcome *o) {
    outside_result r;
    outside_run(&e->outside, e->command, (double)e->p->v->given->timeout, &r);
    e->stopped = r.end == OUTSIDE_STOPPED;
    o->asked[EXEC_RUNS] = true;
    if (r.end == OUTSIDE_DONE) return true;
    if (e->stopped) return probing_fail("stopped");
    if (r.end == OUTSIDE_NOT_STARTED) return probing_fail("--exec: %s", r.how);
    size_t length = strlen(r.said);
    while (length && r.said[length - 1] == '\n') r.said[--length] = 0;
    snprintf(o->fault[EXEC_RUNS], EXEC_TEXT, "%s%s%.360s", r.how, length ? ": " : "",
             length > 360 ? r.said + length - 360 : r.said);
    return true;
}

/* ---- what it wrote ---- */

/* All arrays in one file, where the command wrote one. */
static bool read_bundle(const exec *e, exec_written *w, exec_outcome *o) {
    static const char *const names[] = {PROBING_TENSORS, PROBING_NPZ};
    char path[RUN_PATH + 32];
    spor_message message = {""};
    for (int k = 0; k < 2; k++) {
        snprintf(path, sizeof path, "%s/%s", e->out, names[k]);
        if (access(path, F_OK)) continue;
        if (bundle_read(path, &w->bundle, &message)) return true;
        snprintf(o->fault[EXEC_WRITTEN], EXEC_TEXT, "%.400s", message.text);
        return false;
    }
    return true;
}

static void read_array(const exec *e, exec_written *w, int k, bool wanted, exec_outcome *o) {
    char path[RUN_PATH + 160];
    spor_message message = {""};
    const char *name = e->subject[k].name;
    spor_npy *found = bundle_find(&w->bundle, name);
    if (found) {
        w->array[k] = *found;
        *found = (spor_npy){0};
        return;
    }
    snprintf(path, sizeof path, "%s/%s.npy", e->out, name);
    if (access(path, F_OK)) {
        if (wanted && !*o->fault[EXEC_WRITTEN])
            snprintf(o->fault[EXEC_WRITTEN], EXEC_TEXT, "%s.npy is not there any more", name);
        return;
    }
    if (!npy_read_doubles(path, &w->array[k], &message) && !*o->fault[EXEC_WRITTEN])
        snprintf(o->fault[EXEC_WRITTEN], EXEC_TEXT, "%.400s", message.text);
}

/* Names that nothing is wanted of. */
static void tell_unknown(exec *e, const exec_written *w) {
    for (int k = 0; k < w->bundle.count && !e->now.claims; k++)
        if (w->bundle.item[k].array.value)
            verify_skip(e->p->v, w->bundle.item[k].name,
                        "is no gradient of the def, nor its result");
}

/* True if all numbers were written. */
static bool is_written(const exec *e, int k, const spor_npy *a, exec_outcome *o) {
    int64_t size = shape_size(&a->shape), blanks = 0, first = 0, index[SPOR_RANK];
    char where[128] = "";
    for (int64_t i = size - 1; i >= 0; i--)
        if (probing_is_blank(((const double *)a->value)[i])) blanks++, first = i;
    if (!blanks) return true;
    shape_unravel(&a->shape, first, index);
    spor_shape at = {.rank = a->shape.rank};
    memcpy(at.n, index, sizeof at.n);
    tape_shape_text(&at, NULL, where, sizeof where);
    if (!*o->fault[EXEC_WRITTEN] && blanks == size)
        snprintf(o->fault[EXEC_WRITTEN], EXEC_TEXT,
                 "%s: the NaN that was there before is there still: not written, or added to",
                 e->subject[k].name);
    else if (!*o->fault[EXEC_WRITTEN])
        snprintf(o->fault[EXEC_WRITTEN], EXEC_TEXT,
                 "%" PRId64 " of %" PRId64
                 " numbers of %s are the NaN that was there before, the first at %s: not written, "
                 "or added to",
                 blanks, size, e->subject[k].name, where);
    return false;
}

static bool fits(const exec *e, int k, const spor_npy *a, spor_shape shape, exec_outcome *o) {
    char has[128], wants[128];
    if (shape_equal(&a->shape, &shape)) return true;
    tape_shape_text(&a->shape, NULL, has, sizeof has);
    tape_shape_text(&shape, NULL, wants, sizeof wants);
    if (!*o->fault[EXEC_SHAPED])
        snprintf(o->fault[EXEC_SHAPED], EXEC_TEXT, "%s is %s but must be %s", e->subject[k].name,
                 has, wants);
    return false;
}

/* ---- judging ---- */

/* Those of several results end to end, as their elements are; to be freed. */
static double *join_cotangents(const probe_case *c) {
    size_t size = 0, used = 0;
    for (int k = c->in.dy; k < c->in.inputs; k++) size += (size_t)probe_size(c, k);
    double *joined = malloc((size + 1) * sizeof *joined);
    for (int k = c->in.dy; joined && k < c->in.inputs; k++) {
        memcpy(joined + used, c->data[k], (size_t)probe_size(c, k) * sizeof *joined);
        used += (size_t)probe_size(c, k);
    }
    return joined;
}

/* What the code was given; claims are still to be added. */
static spor_arrays arrays_of(const exec *e, const probe_case *c, const double *cotangent) {
    spor_arrays a = {.y = c->in.y,
                     .inputs = c->in.dy,
                     .cotangent = cotangent,
                     .arithmetic = SPOR_F64,
                     .ulps = e->p->v->given->ulps,
                     .rtol = e->p->v->given->rtol,
                     .ties_bind = e->p->v->given->ties};
    for (int k = 0; k < a.inputs; k++) {
        a.input[k] = c->in.input[k];
        a.range[k] = c->in.range[k];
        a.value[k] = c->data[k];
    }
    return a;
}

/* Of what can be judged; claim_of: which of all claims it is. */
static void add_claims(const exec *e, const probe_case *c, const exec_written *w,
                       const exec_outcome *o, spor_arrays *a, int claim_of[]) {
    for (int k = 0; k < e->claims; k++) {
        if (!o->judged[k]) continue;
        raw_type type = w->array[k].type;
        claim_of[a->claims] = k;
        a->claim[a->claims++] =
            (spor_claim){.name = e->subject[k].name,
                         .wrt = k < e->gradients ? c->in.pair[k].wrt : SPOR_OF_Y,
                         .of = k < e->gradients ? (spor_var){0} : c->in.result[k - e->gradients],
                         .claimed = w->array[k].value,
                         .before = k < e->gradients ? c->before[k] : NULL,
                         .stored = calling_stored(type)};
        if (calling_is_single(type)) a->arithmetic = SPOR_F32;
    }
}

static bool judge(exec *e, const probe_case *c, const exec_written *w, exec_outcome *o) {
    int claim_of[SPOR_PAIRS];
    spor_message message = {""};
    double *off[SPOR_PAIRS] = {NULL}, *cotangent = join_cotangents(c);
    spor_verdict *found = calloc(SPOR_PAIRS, sizeof *found);
    spor_arrays a = arrays_of(e, c, cotangent);
    bool done = found && cotangent;
    if (done) add_claims(e, c, w, o, &a, claim_of);
    if (done && a.claims) done = arrays_judge_seen(&a, off, found, &message) && !*message.text;
    for (int k = 0; k < a.claims; k++) {
        if (done) o->verdict[claim_of[k]] = found[k];
        free(e->off[claim_of[k]]);
        e->off[claim_of[k]] = off[k];
    }
    free(found);
    free(cotangent);
    return done || probing_fail("%s", *message.text ? message.text : "out of memory");
}

/* ---- one case ---- */

static void look_at_outputs(exec *e, const probe_case *c, exec_written *w, exec_outcome *o) {
    o->asked[EXEC_WRITTEN] = o->asked[EXEC_SHAPED] = true;
    if (!read_bundle(e, w, o)) return;
    for (int k = 0; k < e->claims; k++) {
        bool result = k >= e->gradients;
        read_array(e, w, k, !result, o);
        const spor_npy *a = &w->array[k];
        if (!a->value) continue;
        spor_shape shape =
            spor_shape_of(result ? c->in.result[k - e->gradients] : c->in.pair[k].expected);
        o->judged[k] = fits(e, k, a, shape, o) && is_written(e, k, a, o);
    }
    tell_unknown(e, w);
    o->claims = e->claims;
}

/* Once more from the same blanks: each output must have the same bits. */
static bool run_twice(exec *e, const probing_files *blanks, const exec_written *first,
                      exec_outcome *o) {
    exec_written again = {0};
    exec_outcome second = {0};
    clear(e->out);
    bool done = probing_lay(blanks, e->out) && run(e, &second);
    o->asked[EXEC_SAME_TWICE] = done;
    if (done && *second.fault[EXEC_RUNS])
        snprintf(o->fault[EXEC_SAME_TWICE], EXEC_TEXT, "the second time it %.400s",
                 second.fault[EXEC_RUNS]);
    else if (done && read_bundle(e, &again, &second))
        for (int k = 0; k < e->claims; k++) {
            const spor_npy *a = &first->array[k], *b = &again.array[k];
            if (!a->value || *o->fault[EXEC_SAME_TWICE]) continue;
            read_array(e, &again, k, false, &second);
            size_t size = (size_t)shape_size(&a->shape) * sizeof(double);
            bool same =
                b->value && shape_equal(&a->shape, &b->shape) && !memcmp(a->value, b->value, size);
            if (!same)
                snprintf(o->fault[EXEC_SAME_TWICE], EXEC_TEXT,
                         "two runs on the same inputs give %s different bits", e->subject[k].name);
        }
    free_written(&again);
    return done;
}

/* Runs the command on a case and looks at all of it. False after a complaint. */
bool exec_try(exec *e, const int64_t value[], probe_draw draw, bool twice) {
    exec_outcome *o = &e->now;
    probe_case c = {0};
    exec_written *w = &e->last;
    probing_files inputs = {0}, blanks = {0};
    spor_verdict *verdict = o->verdict;
    *o = (exec_outcome){.verdict = verdict, .claims = o->claims};
    memset(verdict, 0, SPOR_PAIRS * sizeof *verdict);
    bool done = probe_make(&e->p->probes, value, draw, &c) || probing_fail("out of memory");
    free_written(w);
    clear(e->in);
    clear(e->out);
    done = done && probing_inputs(e->p, &c, &inputs) && probing_blanks(e->p, &c, &blanks) &&
           probing_lay(&inputs, e->in) && probing_lay(&blanks, e->out) && run(e, o);
    if (done && !*o->fault[EXEC_RUNS]) {
        const char *changed = probing_changed(&inputs, e->in);
        o->asked[EXEC_UNCHANGED] = true;
        if (changed)
            snprintf(o->fault[EXEC_UNCHANGED], EXEC_TEXT, "%s is not what it was", changed);
        look_at_outputs(e, &c, w, o);
        done = judge(e, &c, w, o) && (!twice || run_twice(e, &blanks, w, o));
    }
    probing_free(&inputs);
    probing_free(&blanks);
    probe_free(&c);
    return done;
}
