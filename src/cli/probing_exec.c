/*
 * spor verify --exec: a command of others is run on the probes, and what it wrote is judged. What it gets wrong is
 * tried on smaller sizes for as long as it stays wrong.
 */
#include "cli/probing_exec.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/calling.h"
#include "figure/elements.h"
#include "verify/arrays_reading.h"

enum { MOST_RUNS = 60 };

/* ---- what is looked at ---- */

static bool is_asked(const exec *e, const exec_outcome *o, int s) {
    return s < e->claims ? o->judged[s] : o->asked[s - e->claims];
}

static bool has_failed(const exec *e, const exec_outcome *o, int s) {
    if (s < e->claims) return o->judged[s] && o->verdict[s].outcome == SPOR_FAILS;
    return *o->fault[s - e->claims] != 0;
}

/* Keeps what was given there, if there is room. */
static void keep_sight(exec *e, int s, const int64_t value[], probe_draw draw) {
    exec_subject *of = &e->subject[s];
    const spor_npy *a = &e->last.array[s];
    if (of->sights == EXEC_SIGHTS || s >= e->gradients) return;
    size_t size = (size_t)shape_size(&a->shape) * sizeof(double);
    exec_sight *kept = &of->sight[of->sights];
    *kept = (exec_sight){.draw = draw, .claimed = malloc(size + 1)};
    if (!kept->claimed) return;
    memcpy(kept->claimed, a->value, size);
    memcpy(kept->value, value, sizeof kept->value);
    of->type = a->type;
    of->sights++;
}

/* Keeps what a failing case shows. */
static void keep(exec *e, const exec_outcome *o, int s, const int64_t value[], probe_draw draw) {
    exec_subject *of = &e->subject[s];
    memcpy(of->smallest, value, sizeof of->smallest);
    of->draw = draw;
    if (s < e->claims) {
        keep_sight(e, s, value, draw);
        of->verdict.outcome = SPOR_FAILS;
        of->verdict.example = o->verdict[s].example;
        memcpy(of->verdict.example.value, value, sizeof of->smallest);
    } else {
        memcpy(of->fault, o->fault[s - e->claims], EXEC_TEXT);
    }
}

/* Of the probe at which it first failed: the smallest case shows little. */
static void draw(exec *e, int s, const int64_t value[]) {
    char sizes[256];
    exec_subject *of = &e->subject[s];
    if (!e->p->v->given->html || s >= e->claims || !e->off[s]) return;
    probe_sizes(e->p->def.statement, value, sizes, sizeof sizes);
    elements_draw(&of->picture, &(elements_map){.name = of->name,
                                                .about = sizes,
                                                .shape = e->last.array[s].shape,
                                                .axis = of->axis,
                                                .off = e->off[s]});
}

static void add_up(exec *e, const exec_outcome *o, int number) {
    const int64_t *value = e->p->probes.at[number].value;
    for (int s = 0; s < e->subjects; s++) {
        exec_subject *of = &e->subject[s];
        if (!is_asked(e, o, s)) continue;
        of->probes++;
        if (s < e->claims) verdict_add(&of->verdict, &o->verdict[s]);
        if (s < e->claims && o->verdict[s].arrays.between && of->verdict.outcome != SPOR_FAILS) {
            of->verdict.example = o->verdict[s].example;
            of->verdict.arrays.worst_case = o->verdict[s].arrays.worst_case;
            memcpy(of->verdict.example.value, value, sizeof of->smallest);
        }
        if (!has_failed(e, o, s)) continue;
        if (!of->failures) {
            keep(e, o, s, value, e->p->probes.at[number].draw);
            memcpy(of->first, of->verdict.example.pattern, sizeof of->first);
        } else if (s < e->claims) {
            keep_sight(e, s, value, e->p->probes.at[number].draw);
        }
        if (!of->failures) draw(e, s, value);
        of->failed[of->failures++] = number;
    }
}

/* ---- making it small ---- */

/* True if the subject still fails with quantity q at this value. */
static bool still_fails(exec *e, int s, int64_t value[], int q, int64_t smaller, bool *done) {
    exec_subject *of = &e->subject[s];
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
        *done = exec_try(e, value, of->draw, s - e->claims == EXEC_SAME_TWICE);
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

/* What the code gave, without what was there before. */
static void take_before(exec_sight *kept, const probe_case *c, int s) {
    for (int64_t i = 0; c->before[s] && i < probe_pair_size(c, s); i++)
        kept->claimed[i] -= c->before[s][i];
}

/* A reading that explains all that was kept is said; else what the smallest case shows, if it was seen before. */
static bool read_subject(exec *e, int s) {
    exec_subject *of = &e->subject[s];
    probe_case at[EXEC_SIGHTS] = {{0}};
    arrays_sight sights[EXEC_SIGHTS];
    char text[sizeof of->verdict.example.pattern] = "";
    bool done = true, single = calling_is_single(of->type);
    spor_stored stored = calling_stored(of->type);
    double unit = stored == SPOR_STORED_BF16 ? 0x1p-8 : stored == SPOR_STORED_F16 ? 0x1p-11 : 0;
    for (int k = 0; done && k < of->sights; k++) {
        exec_sight *kept = &of->sight[k];
        done = probe_make(&e->p->probes, kept->value, kept->draw, &at[k]);
        if (done) take_before(kept, &at[k], s);
        sights[k] = (arrays_sight){&at[k], kept->value, kept->claimed};
    }
    if (done && of->sights)
        done = arrays_look_like(e->p->def.statement, s, of->sights, sights,
                                single ? 0x1p-24 : 0x1p-53, unit, text, sizeof text);
    char *pattern = of->verdict.example.pattern;
    if (*text || strcmp(pattern, of->first) != 0) memcpy(pattern, text, sizeof text);
    for (int k = 0; k < of->sights; k++) probe_free(&at[k]);
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
static bool refuse_command(const exec *e, const exec_outcome *o) {
    fprintf(stderr, "%s\n", e->command);
    return probing_fail("--exec: the command %s", o->fault[EXEC_RUNS]);
}

/* --emit DIR has the smallest wrong case of a gradient beside the probes: DIR/wrong-dx. */
static bool emit_wrong(exec *e, int s) {
    char path[RUN_PATH];
    probe_case c;
    probing_files files = {0};
    const exec_subject *of = &e->subject[s];
    const char *folder = e->p->v->given->emit;
    if (!folder || !of->failures) return true;
    snprintf(path, sizeof path, "%s/wrong-%s", folder, of->name);
    bool done =
        probe_make(&e->p->probes, of->smallest, of->draw, &c) || probing_fail("out of memory");
    done = done && probing_inputs(e->p, &c, &files) && probing_write(&files, path);
    probing_free(&files);
    probe_free(&c);
    return done;
}

static bool try_all(exec *e) {
    int last = largest_probe(&e->p->probes);
    for (int k = 0; k < e->p->probes.count; k++) {
        const probe *at = &e->p->probes.at[k];
        if (!exec_try(e, at->value, at->draw, !k || k == last)) return false;
        if (!k && *e->now.fault[EXEC_RUNS]) return refuse_command(e, &e->now);
        add_up(e, &e->now, k);
    }
    for (int s = 0; s < e->subjects; s++)
        if (e->subject[s].failures && !shrink(e, s)) return false;
    for (int s = 0; s < e->claims; s++)
        if (e->subject[s].failures && (!read_subject(e, s) || !emit_wrong(e, s))) return false;
    return true;
}

static bool name_subjects(exec *e) {
    const probing *p = e->p;
    probe_case c;
    bool done = probe_make(&p->probes, p->probes.at[0].value, p->probes.at[0].draw, &c);
    e->gradients = c.in.pairs;
    e->claims = e->gradients + p->def.results;
    e->subjects = e->claims + EXEC_FACTS;
    e->subject = done ? calloc((size_t)e->subjects, sizeof *e->subject) : NULL;
    e->now.verdict = calloc(SPOR_PAIRS, sizeof *e->now.verdict);
    done = e->subject && e->now.verdict && e->claims < SPOR_PAIRS;
    for (int s = 0; done && s < e->subjects; s++) {
        const char *name = s < c.in.pairs  ? c.in.pair[s].name
                           : s < e->claims ? p->def.result[s - c.in.pairs]
                                           : exec_fact_label((exec_fact)(s - e->claims));
        snprintf(e->subject[s].name, sizeof e->subject[s].name, "%s", name);
        if (s < c.in.pairs)
            memcpy(e->subject[s].axis, c.in.axis[c.in.pair[s].wrt], sizeof e->subject[s].axis);
    }
    probe_free(&c);
    return done || probing_fail("out of memory");
}

bool probing_exec(probing *p) {
    exec *e = calloc(1, sizeof *e);
    if (!e) return probing_fail("out of memory");
    e->p = p;
    outside_begin(&e->outside);
    bool done = exec_open(e) && name_subjects(e) && try_all(e) && exec_show(e);
    exec_close(e);
    outside_end_all(&e->outside);
    for (int s = 0; e->subject && s < e->claims; s++)
        for (int k = 0; k < e->subject[s].sights; k++) free(e->subject[s].sight[k].claimed);
    for (int s = 0; e->subject && s < e->claims; s++) {
        text_free(&e->subject[s].picture);
    }
    free(e->now.verdict);
    free(e->subject);
    free(e);
    return done;
}
