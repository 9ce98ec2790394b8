/*
 * spor verify --exec: a command of others is run on the probes, and what it wrote is judged. What it gets wrong is
 * tried on smaller sizes for as long as it stays wrong.
 */
#define _XOPEN_SOURCE 700 /* nftw, mkdtemp */
#include <ftw.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/outside.h"
#include "cli/probing.h"
#include "data/file.h"
#include "figure/elements.h"
#include "run/run.h"
#include "verify/arrays_reading.h"

enum { COMMAND_SIZE = 4 * RUN_PATH, TEXT = 512, MOST_RUNS = 60, TOLD = 8, SIGHTS = 8 };

/* What no formula shows. */
typedef enum { RUNS, WRITTEN, SHAPED, UNCHANGED, SAME_TWICE, FACTS } fact;

static const struct {
    const char *label, *holds, *fails;
} facts[FACTS] = {
    [RUNS] = {"it runs", "holds", "DOES NOT RUN"},
    [WRITTEN] = {"every output is written", "holds", "NOT WRITTEN"},
    [SHAPED] = {"outputs have their shapes", "holds", "DOES NOT FIT"},
    [UNCHANGED] = {"inputs are unchanged", "holds", "CHANGED"},
    [SAME_TWICE] = {"same bits twice", "holds", "DIFFERS"},
};

/* What one case came to. */
typedef struct {
    bool asked[FACTS];       /* it was looked at */
    char fault[FACTS][TEXT]; /* "": there is none */
    bool judged[SPOR_PAIRS]; /* gradients by their pairs; behind them the result */
    spor_verdict *verdict;   /* [SPOR_PAIRS] */
    int claims;
} outcome;

/* A case at which a gradient was wrong, with what was given. */
typedef struct {
    int64_t value[SPOR_QUANTITIES];
    probe_draw draw;
    double *claimed;
} sight;

/* Something that is looked at in every case: a gradient, the result, a fact. */
typedef struct {
    char name[64];
    const char *axis[SPOR_RANK]; /* names of its axes, NULL where there is none */
    int64_t probes;              /* at which it was looked at */
    int failed[PROBES_MOST];     /* probes at which it failed */
    int failures;
    int64_t smallest[SPOR_QUANTITIES];
    probe_draw draw;
    int runs; /* to make it small */
    char fault[TEXT];
    spor_verdict verdict;
    raw_type type; /* of what was given */
    int sights;
    sight sight[SIGHTS];
    spor_text picture; /* of the first probe at which it failed */
} subject;

/* What the command wrote last. */
typedef struct {
    spor_bundle bundle;
    spor_npy array[SPOR_PAIRS]; /* by claim; value NULL: there is none */
} written;

typedef struct {
    probing *p;
    outside outside;
    bool stopped, broken;
    char folder[RUN_PATH - 64], in[RUN_PATH], out[RUN_PATH], command[COMMAND_SIZE];
    int64_t runs;
    int subjects, claims; /* claims first, then the facts */
    subject *subject;
    outcome now;
    written last;
    double *off[SPOR_PAIRS]; /* of the last case, by claim: for a picture */
} exec;

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

static bool open_folder(exec *e) {
    const char *place = getenv("TMPDIR");
    snprintf(e->folder, sizeof e->folder, "%s/spor-XXXXXX", place && *place ? place : "/tmp");
    if (!mkdtemp(e->folder))
        return *e->folder = 0,
               probing_fail("no folder for probes in %s; set TMPDIR", place ? place : "/tmp");
    snprintf(e->in, sizeof e->in, "%s/in", e->folder);
    snprintf(e->out, sizeof e->out, "%s/out", e->folder);
    return true;
}

static void close_folder(exec *e) {
    if (!*e->folder) return;
    clear(e->folder);
    rmdir(e->folder);
}

/* Runs it once on what stands in the folders. False if all is to stop. */
static bool run(exec *e, outcome *o) {
    outside_result r;
    e->runs++;
    outside_run(&e->outside, e->command, (double)e->p->v->given->timeout, &r);
    e->stopped = r.end == OUTSIDE_STOPPED;
    o->asked[RUNS] = true;
    if (r.end == OUTSIDE_DONE) return true;
    if (e->stopped) return probing_fail("stopped");
    if (r.end == OUTSIDE_NOT_STARTED) return probing_fail("--exec: %s", r.how);
    size_t length = strlen(r.said);
    while (length && r.said[length - 1] == '\n') r.said[--length] = 0;
    snprintf(o->fault[RUNS], TEXT, "%s%s%s", r.how, length ? ": " : "",
             length > 360 ? r.said + length - 360 : r.said);
    return true;
}

/* ---- what it wrote ---- */

static void free_written(written *w) {
    for (int k = 0; k < SPOR_PAIRS; k++) npy_free(&w->array[k]);
    bundle_free(&w->bundle);
}

/* All arrays in one file, where the command wrote one. */
static bool read_bundle(const exec *e, written *w, outcome *o) {
    static const char *const names[] = {PROBING_TENSORS, PROBING_NPZ};
    char path[RUN_PATH + 32];
    spor_message message = {""};
    for (int k = 0; k < 2; k++) {
        snprintf(path, sizeof path, "%s/%s", e->out, names[k]);
        if (access(path, F_OK)) continue;
        if (bundle_read(path, &w->bundle, &message)) return true;
        snprintf(o->fault[WRITTEN], TEXT, "%.400s", message.text);
        return false;
    }
    return true;
}

static void read_array(const exec *e, written *w, int k, bool wanted, outcome *o) {
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
    if (!wanted && access(path, F_OK)) return;
    if (!npy_read_doubles(path, &w->array[k], &message) && !*o->fault[WRITTEN])
        snprintf(o->fault[WRITTEN], TEXT, "%.400s", message.text);
}

/* Names that nothing is wanted of. */
static void tell_unknown(exec *e, const written *w) {
    for (int k = 0; k < w->bundle.count && !e->now.claims; k++)
        if (w->bundle.item[k].array.value)
            verify_skip(e->p->v, w->bundle.item[k].name,
                        "is no gradient of the def, nor its result");
}

/* True if all numbers were written. */
static bool is_written(const exec *e, int k, const spor_npy *a, outcome *o) {
    int64_t size = shape_size(&a->shape), blanks = 0, first = 0, index[SPOR_RANK];
    char where[128] = "";
    for (int64_t i = size - 1; i >= 0; i--)
        if (probing_is_blank(((const double *)a->value)[i])) blanks++, first = i;
    if (!blanks) return true;
    shape_unravel(&a->shape, first, index);
    spor_shape at = {.rank = a->shape.rank};
    memcpy(at.n, index, sizeof at.n);
    tape_shape_text(&at, NULL, where, sizeof where);
    if (!*o->fault[WRITTEN] && blanks == size)
        snprintf(o->fault[WRITTEN], TEXT,
                 "%s: the NaN that was there before is there still: not written, or added to",
                 e->subject[k].name);
    else if (!*o->fault[WRITTEN])
        snprintf(o->fault[WRITTEN], TEXT,
                 "%" PRId64 " of %" PRId64
                 " numbers of %s are the NaN that was there before, the first at %s: not written, "
                 "or added to",
                 blanks, size, e->subject[k].name, where);
    return false;
}

static bool fits(const exec *e, int k, const spor_npy *a, spor_shape shape, outcome *o) {
    char has[128], wants[128];
    if (shape_equal(&a->shape, &shape)) return true;
    tape_shape_text(&a->shape, NULL, has, sizeof has);
    tape_shape_text(&shape, NULL, wants, sizeof wants);
    if (!*o->fault[SHAPED])
        snprintf(o->fault[SHAPED], TEXT, "%s is %s but must be %s", e->subject[k].name, has, wants);
    return false;
}

/* ---- judging ---- */

static spor_stored stored_in(raw_type type) {
    if (type.kind == RAW_BRAIN) return SPOR_STORED_BF16;
    return type.kind == RAW_REAL && type.width == 2 ? SPOR_STORED_F16 : SPOR_STORED_AS_COMPUTED;
}

/* At ties any slope around is right, unless what spor chooses binds. */
static bool judge_at_ties(exec *e, const probe_case *c, const int64_t value[],
                          const spor_arrays *arrays, double **off, spor_verdict found[],
                          spor_message *message) {
    spor_trial near;
    bool failed = false;
    for (int k = 0; k < arrays->claims; k++) failed = failed || found[k].outcome != SPOR_HOLDS;
    if (!failed || e->p->v->given->ties) return true;
    bool done = trial_make(e->p->def.statement, value, &near);
    for (int k = 0; done && k < c->in.inputs && near.recording == SPOR_RECORDED; k++)
        memcpy(near.data[k], c->data[k], (size_t)trial_size(&near, k) * sizeof(double));
    if (done && near.recording == SPOR_RECORDED) {
        trial_moved(&near);
        done = plain_look(&near);
        if (done && trial_has_tie(&near))
            done = arrays_judge_with(arrays, &(arrays_besides){&near, off}, found, message);
    }
    trial_free(&near);
    return done;
}

static bool judge(exec *e, const probe_case *c, const int64_t value[], const written *w,
                  outcome *o) {
    int claim_of[SPOR_PAIRS], n = 0;
    spor_message message = {""};
    double *off[SPOR_PAIRS] = {NULL};
    spor_verdict *found = calloc(SPOR_PAIRS, sizeof *found);
    spor_arrays *a = calloc(1, sizeof *a);
    bool done = found && a;
    if (done) {
        *a = (spor_arrays){.y = c->in.y,
                           .inputs = c->in.inputs - 1,
                           .cotangent = c->data[c->in.dy],
                           .arithmetic = SPOR_F64,
                           .ulps = e->p->v->given->ulps,
                           .rtol = e->p->v->given->rtol};
        for (int k = 0; k < a->inputs; k++) {
            a->input[k] = c->in.input[k];
            a->value[k] = c->data[k];
        }
    }
    for (int k = 0; done && k < e->claims; k++) {
        if (!o->judged[k]) continue;
        raw_type type = w->array[k].type;
        int wrt = k < c->in.pairs ? c->in.pair[k].wrt : SPOR_OF_Y;
        a->claim[n] = (spor_claim){.name = e->subject[k].name,
                                   .wrt = wrt,
                                   .claimed = w->array[k].value,
                                   .stored = stored_in(type)};
        if (!raw_is_whole(type) && type.width <= 4) a->arithmetic = SPOR_F32;
        claim_of[n++] = k;
    }
    if (done) a->claims = n;
    if (done && n)
        done = arrays_judge_with(a, &(arrays_besides){NULL, off}, found, &message) &&
               !*message.text && judge_at_ties(e, c, value, a, off, found, &message) &&
               !*message.text;
    for (int k = 0; done && k < n; k++) o->verdict[claim_of[k]] = found[k];
    for (int k = 0; k < n; k++) {
        free(e->off[claim_of[k]]);
        e->off[claim_of[k]] = off[k];
    }
    free(found);
    free(a);
    return done || probing_fail("%s", *message.text ? message.text : "out of memory");
}

/* ---- one case ---- */

static void look_at_outputs(exec *e, const probe_case *c, written *w, outcome *o) {
    o->asked[WRITTEN] = o->asked[SHAPED] = true;
    if (!read_bundle(e, w, o)) return;
    for (int k = 0; k < e->claims; k++) {
        bool result = k == c->in.pairs;
        read_array(e, w, k, !result, o);
        const spor_npy *a = &w->array[k];
        if (!a->value) continue;
        spor_shape shape = spor_shape_of(result ? c->in.y : c->in.pair[k].expected);
        o->judged[k] = fits(e, k, a, shape, o) && is_written(e, k, a, o);
    }
    tell_unknown(e, w);
    o->claims = e->claims;
}

/* Once more from the same blanks: each output must have the same bits. */
static bool run_twice(exec *e, const probing_files *blanks, const written *first, outcome *o) {
    written again = {0};
    outcome second = {0};
    clear(e->out);
    bool done = probing_lay(blanks, e->out) && run(e, &second);
    o->asked[SAME_TWICE] = done;
    if (done && *second.fault[RUNS])
        snprintf(o->fault[SAME_TWICE], TEXT, "the second time it %.400s", second.fault[RUNS]);
    else if (done && read_bundle(e, &again, &second))
        for (int k = 0; k < e->claims; k++) {
            const spor_npy *a = &first->array[k], *b = &again.array[k];
            if (!a->value || *o->fault[SAME_TWICE]) continue;
            read_array(e, &again, k, false, &second);
            size_t size = (size_t)shape_size(&a->shape) * sizeof(double);
            bool same =
                b->value && shape_equal(&a->shape, &b->shape) && !memcmp(a->value, b->value, size);
            if (!same)
                snprintf(o->fault[SAME_TWICE], TEXT,
                         "two runs on the same inputs give %s different bits", e->subject[k].name);
        }
    free_written(&again);
    return done;
}

/* Runs the command on a case and looks at all of it. False after a complaint. */
static bool try_case(exec *e, const int64_t value[], probe_draw draw, bool twice, outcome *o) {
    probe_case c = {0};
    written *w = &e->last;
    probing_files inputs = {0}, blanks = {0};
    spor_verdict *verdict = o->verdict;
    *o = (outcome){.verdict = verdict, .claims = o->claims};
    memset(verdict, 0, SPOR_PAIRS * sizeof *verdict);
    bool done = probe_make(&e->p->probes, value, draw, &c) || probing_fail("out of memory");
    free_written(w);
    clear(e->in);
    clear(e->out);
    done = done && probing_inputs(e->p, &c, &inputs) && probing_blanks(e->p, &c, &blanks) &&
           probing_lay(&inputs, e->in) && probing_lay(&blanks, e->out) && run(e, o);
    if (done && !*o->fault[RUNS]) {
        const char *changed = probing_changed(&inputs, e->in);
        o->asked[UNCHANGED] = true;
        if (changed) snprintf(o->fault[UNCHANGED], TEXT, "%s is not what it was", changed);
        look_at_outputs(e, &c, w, o);
        done = judge(e, &c, value, w, o) && (!twice || run_twice(e, &blanks, w, o));
    }
    probing_free(&inputs);
    probing_free(&blanks);
    probe_free(&c);
    return done;
}

/* ---- what is looked at ---- */

static bool is_asked(const exec *e, const outcome *o, int s) {
    return s < e->claims ? o->judged[s] : o->asked[s - e->claims];
}

static bool has_failed(const exec *e, const outcome *o, int s) {
    if (s < e->claims) return o->judged[s] && o->verdict[s].outcome == SPOR_FAILS;
    return *o->fault[s - e->claims] != 0;
}

/* Keeps what was given there, if there is room. */
static void keep_sight(exec *e, int s, const int64_t value[], probe_draw draw) {
    subject *of = &e->subject[s];
    const spor_npy *a = &e->last.array[s];
    if (of->sights == SIGHTS || s == e->claims - 1) return;
    size_t size = (size_t)shape_size(&a->shape) * sizeof(double);
    sight *kept = &of->sight[of->sights];
    *kept = (sight){.draw = draw, .claimed = malloc(size + 1)};
    if (!kept->claimed) return;
    memcpy(kept->claimed, a->value, size);
    memcpy(kept->value, value, sizeof kept->value);
    of->type = a->type;
    of->sights++;
}

/* Keeps what a failing case shows. */
static void keep(exec *e, const outcome *o, int s, const int64_t value[], probe_draw draw) {
    subject *of = &e->subject[s];
    memcpy(of->smallest, value, sizeof of->smallest);
    of->draw = draw;
    if (s < e->claims) {
        keep_sight(e, s, value, draw);
        of->verdict.outcome = SPOR_FAILS;
        of->verdict.example = o->verdict[s].example;
        memcpy(of->verdict.example.value, value, sizeof of->smallest);
    } else {
        memcpy(of->fault, o->fault[s - e->claims], TEXT);
    }
}

/* Of the probe at which it first failed: the smallest case shows little. */
static void draw(exec *e, int s, const int64_t value[]) {
    char sizes[256];
    subject *of = &e->subject[s];
    if (!e->p->v->given->html || s >= e->claims || !e->off[s]) return;
    probe_sizes(e->p->def.statement, value, sizes, sizeof sizes);
    elements_draw(&of->picture, &(elements_map){.name = of->name,
                                                .about = sizes,
                                                .shape = e->last.array[s].shape,
                                                .axis = of->axis,
                                                .off = e->off[s]});
}

static void add_up(exec *e, const outcome *o, int number) {
    const int64_t *value = e->p->probes.at[number].value;
    for (int s = 0; s < e->subjects; s++) {
        subject *of = &e->subject[s];
        if (!is_asked(e, o, s)) continue;
        of->probes++;
        if (s < e->claims) verdict_add(&of->verdict, &o->verdict[s]);
        if (s < e->claims && o->verdict[s].arrays.between && of->verdict.outcome != SPOR_FAILS) {
            of->verdict.example = o->verdict[s].example;
            of->verdict.arrays.worst_case = o->verdict[s].arrays.worst_case;
            memcpy(of->verdict.example.value, value, sizeof of->smallest);
        }
        if (!has_failed(e, o, s)) continue;
        if (!of->failures)
            keep(e, o, s, value, e->p->probes.at[number].draw);
        else if (s < e->claims)
            keep_sight(e, s, value, e->p->probes.at[number].draw);
        if (!of->failures) draw(e, s, value);
        of->failed[of->failures++] = number;
    }
}

/* ---- making it small ---- */

/* True if the subject still fails with quantity q at this value. */
static bool still_fails(exec *e, int s, int64_t value[], int q, int64_t smaller, bool *done) {
    subject *of = &e->subject[s];
    int64_t before = value[q];
    spor_tape *tape = spor_tape_new();
    spor_instance in = {0};
    const spor_statement *statement = e->p->def.statement;
    value[q] = smaller;
    bool recorded = of->runs < MOST_RUNS && tape &&
                    statement->record(statement->user, tape, value, &in) == SPOR_RECORDED &&
                    !spor_error(tape);
    spor_tape_free(tape);
    if (recorded) {
        of->runs++;
        *done = try_case(e, value, of->draw, s - e->claims == SAME_TWICE, &e->now);
    }
    if (recorded && *done && has_failed(e, &e->now, s)) {
        keep(e, &e->now, s, value, of->draw);
        return true;
    }
    value[q] = before;
    return false;
}

/* As small as it goes: the least sizes one by one, then between what is right and what fails by halves. */
static bool shrink_one(exec *e, int s, int64_t value[], int q, bool *moved) {
    enum { FIRST = 3 };
    int64_t least = e->p->def.statement->quantity[q].least, right = least - 1;
    bool done = true;
    for (int64_t v = least; done && v < value[q] && v < least + FIRST; v++) {
        if (still_fails(e, s, value, q, v, &done)) return *moved = true;
        right = v;
    }
    while (done && value[q] - right > 1) {
        int64_t middle = right + (value[q] - right) / 2;
        if (still_fails(e, s, value, q, middle, &done))
            *moved = true;
        else
            right = middle;
    }
    return done;
}

static bool shrink(exec *e, int s) {
    int64_t value[SPOR_QUANTITIES];
    memcpy(value, e->subject[s].smallest, sizeof value);
    bool done = true, moved = true;
    while (done && moved) {
        moved = false;
        for (int q = 0; done && q < e->p->def.statement->quantities; q++)
            done = shrink_one(e, s, value, q, &moved) && !e->stopped;
    }
    return done && !e->stopped;
}

/* ---- what it looks like ---- */

/* A reading that explains all that was kept is said in the place of what the smallest case alone shows. */
static bool read_subject(exec *e, int s) {
    subject *of = &e->subject[s];
    probe_case at[SIGHTS] = {{0}};
    arrays_sight sights[SIGHTS];
    char text[sizeof of->verdict.example.pattern] = "";
    bool done = true, single = !raw_is_whole(of->type) && of->type.width <= 4;
    spor_stored stored = stored_in(of->type);
    double unit = stored == SPOR_STORED_BF16 ? 0x1p-8 : stored == SPOR_STORED_F16 ? 0x1p-11 : 0;
    for (int k = 0; done && k < of->sights; k++) {
        const sight *kept = &of->sight[k];
        done = probe_make(&e->p->probes, kept->value, kept->draw, &at[k]);
        sights[k] = (arrays_sight){&at[k], kept->value, kept->claimed};
    }
    if (done && of->sights)
        done = arrays_look_like(e->p->def.statement, s, of->sights, sights,
                                single ? 0x1p-24 : 0x1p-53, unit, text, sizeof text);
    if (*text) memcpy(of->verdict.example.pattern, text, sizeof text);
    for (int k = 0; k < of->sights; k++) probe_free(&at[k]);
    return done || probing_fail("out of memory");
}

/* ---- showing ---- */

/* "fails at 3 of 31 probes: C is 65, one more than a block; ..." */
static void print_failing(const exec *e, const subject *of, FILE *out) {
    fprintf(out, "  fails at %d of %" PRId64 " probes:\n", of->failures, of->probes);
    for (int k = 0; k < of->failures && k < TOLD; k++) {
        char sizes[256];
        const probe *at = &e->p->probes.at[of->failed[k]];
        probe_sizes(e->p->def.statement, at->value, sizes, sizeof sizes);
        fprintf(out, "    %s: %s\n", sizes, at->what);
    }
    if (of->failures > TOLD) fprintf(out, "    and %d more\n", of->failures - TOLD);
}

static void print_example(const exec *e, const subject *of, FILE *out) {
    char sizes[256];
    probe_sizes(e->p->def.statement, of->smallest, sizes, sizeof sizes);
    fprintf(out, "  smallest case: %s\n", sizes);
    verdict_print_example(NULL, &of->verdict.example, out);
}

static void print_detail(const exec *e, int s, FILE *out) {
    const subject *of = &e->subject[s];
    if (e->p->v->hint != SPOR_HINT_FULL || !of->failures) return;
    if (s < e->claims)
        print_example(e, of, out);
    else
        fprintf(out, "  %s\n", of->fault);
    print_failing(e, of, out);
    fprintf(out, "  %d more runs found the smallest sizes\n", of->runs);
}

static void print_fault(const exec *e, int s, FILE *out) {
    char sizes[256];
    const subject *of = &e->subject[s];
    probe_sizes(e->p->def.statement, of->smallest, sizes, sizeof sizes);
    fprintf(out, "%s: %.*s", sizes, (int)strcspn(of->fault, "\n"), of->fault);
}

static void print_summary(const exec *e, int s, FILE *out) {
    const subject *of = &e->subject[s];
    spor_hint hint = e->p->v->hint;
    if (hint == SPOR_HINT_NONE) return;
    if (of->failures && s < e->claims) {
        char *text = verify_summary(e->p->v, e->p->def.statement, &of->verdict);
        fputs(text ? text : "", out);
        free(text);
    } else if (of->failures) {
        print_fault(e, s, out);
    } else {
        fprintf(out, "%" PRId64 " probe%s", of->probes, of->probes == 1 ? "" : "s");
        if (s < e->claims) fputs(": ", out), arrays_print(&of->verdict, out);
    }
}

/* Most of its numbers could be judged, and none is left open. */
static bool is_decided(const spor_verdict *v) {
    return v->comparisons > v->undecided + v->arrays.exempt && !v->arrays.between;
}

static spor_row_state state_of(const exec *e, int s) {
    const subject *of = &e->subject[s];
    if (of->failures) return SPOR_ROW_WRONG;
    bool decided = s >= e->claims || is_decided(&of->verdict);
    return of->probes && decided ? SPOR_ROW_HOLDS : SPOR_ROW_UNFINISHED;
}

static const char *verdict_of(const exec *e, int s) {
    const fact f = s < e->claims ? FACTS : (fact)(s - e->claims);
    if (state_of(e, s) == SPOR_ROW_UNFINISHED) return "UNFINISHED";
    if (state_of(e, s) == SPOR_ROW_HOLDS) return "holds";
    return f == FACTS ? "DOES NOT HOLD" : facts[f].fails;
}

static bool show(exec *e, int s) {
    subject *of = &e->subject[s];
    char *summary = NULL, *detail = NULL, place[RUN_PATH];
    size_t summary_size = 0, detail_size = 0;
    FILE *first = open_memstream(&summary, &summary_size);
    FILE *second = open_memstream(&detail, &detail_size);
    if (first) print_summary(e, s, first);
    if (second) print_detail(e, s, second);
    bool done = first && second;
    if (first) done = !fclose(first) && done;
    if (second) done = !fclose(second) && done;
    snprintf(place, sizeof place, "%s:%d:1", e->p->def.file, e->p->def.line);
    if (done)
        verify_show(e->p->v, &(spor_verify_row){.state = state_of(e, s),
                                                .label = of->name,
                                                .verdict = verdict_of(e, s),
                                                .summary = summary,
                                                .detail = detail,
                                                .kind = s < e->claims ? "arrays" : "code",
                                                .place = place,
                                                .statement = e->p->def.statement,
                                                .picture = of->picture.at,
                                                .found = s < e->claims ? &of->verdict : NULL});
    free(summary);
    free(detail);
    return done || probing_fail("out of memory");
}

/* ---- all probes ---- */

/* Twice at the first probe and at the largest. */
static int largest_probe(const probes *p) {
    int best = 0;
    double most = 0;
    for (int k = 0; k < p->count; k++) {
        double size = 1;
        for (int q = 0; q < p->statement->quantities; q++)
            if (!p->statement->quantity[q].choices) size *= fmax(1, (double)p->at[k].value[q]);
        if (size > most) most = size, best = k;
    }
    return best;
}

/* A command that fails at once is no kernel: its own words say why. */
static bool refuse_command(const exec *e, const outcome *o) {
    fprintf(stderr, "%s\n", e->command);
    return probing_fail("--exec: the command %s", o->fault[RUNS]);
}

static bool try_all(exec *e) {
    int last = largest_probe(&e->p->probes);
    for (int k = 0; k < e->p->probes.count; k++) {
        const probe *at = &e->p->probes.at[k];
        if (!try_case(e, at->value, at->draw, !k || k == last, &e->now)) return false;
        if (!k && *e->now.fault[RUNS]) return refuse_command(e, &e->now);
        add_up(e, &e->now, k);
    }
    for (int s = 0; s < e->subjects; s++)
        if (e->subject[s].failures && !shrink(e, s)) return false;
    for (int s = 0; s < e->claims; s++)
        if (e->subject[s].failures && !read_subject(e, s)) return false;
    return true;
}

static bool name_subjects(exec *e) {
    const probing *p = e->p;
    probe_case c;
    bool done = probe_make(&p->probes, p->probes.at[0].value, p->probes.at[0].draw, &c);
    e->claims = c.in.pairs + 1;
    e->subjects = e->claims + FACTS;
    e->subject = done ? calloc((size_t)e->subjects, sizeof *e->subject) : NULL;
    e->now.verdict = calloc(SPOR_PAIRS, sizeof *e->now.verdict);
    done = e->subject && e->now.verdict && e->claims < SPOR_PAIRS;
    for (int s = 0; done && s < e->subjects; s++) {
        const char *name = s < c.in.pairs  ? c.in.pair[s].name
                           : s < e->claims ? p->def.result
                                           : facts[s - e->claims].label;
        snprintf(e->subject[s].name, sizeof e->subject[s].name, "%s", name);
        if (s < c.in.pairs)
            memcpy(e->subject[s].axis, c.in.axis[c.in.pair[s].wrt], sizeof e->subject[s].axis);
    }
    probe_free(&c);
    return done || probing_fail("out of memory");
}

/* The result need not be written; what is asked of no probe is not shown but for gradients. */
static bool show_all(exec *e) {
    const char *left_out = e->p->probes.left_out;
    bool done = true;
    for (int s = 0; done && s < e->subjects; s++)
        if (e->subject[s].probes || s < e->claims - 1) done = show(e, s);
    if (done && *left_out) verify_skip(e->p->v, "sizes", left_out);
    return done;
}

bool probing_exec(probing *p) {
    exec *e = calloc(1, sizeof *e);
    if (!e) return probing_fail("out of memory");
    e->p = p;
    outside_begin(&e->outside);
    bool done = open_folder(e) && fill_in(e) && name_subjects(e) && try_all(e) && show_all(e);
    close_folder(e);
    outside_end_all(&e->outside);
    for (int s = 0; e->subject && s < e->claims; s++)
        for (int k = 0; k < e->subject[s].sights; k++) free(e->subject[s].sight[k].claimed);
    for (int s = 0; e->subject && s < e->claims; s++) {
        text_free(&e->subject[s].picture);
        free(e->off[s]);
    }
    free_written(&e->last);
    free(e->now.verdict);
    free(e->subject);
    free(e);
    return done;
}
