/* What a command of others came to on the probes, in words and as a picture. See probing_exec.h. */
#include "cli/probing_exec.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOLD = 8 };

static const struct {
    const char *label, *holds, *fails;
} facts[EXEC_FACTS] = {
    [EXEC_RUNS] = {"it runs", "holds", "DOES NOT RUN"},
    [EXEC_WRITTEN] = {"every output is written", "holds", "NOT WRITTEN"},
    [EXEC_SHAPED] = {"outputs have their shapes", "holds", "DOES NOT FIT"},
    [EXEC_UNCHANGED] = {"inputs are unchanged", "holds", "CHANGED"},
    [EXEC_SAME_TWICE] = {"same bits twice", "holds", "DIFFERS"},
};

const char *exec_fact_label(exec_fact fact) {
    return facts[fact].label;
}

/* ---- showing ---- */

/* "fails at 3 of 31 probes: C is 65, one more than a block; ..." */
static void print_failing(const exec *e, const exec_subject *of, FILE *out) {
    fprintf(out, "  fails at %d of %" PRId64 " probes:\n", of->failures, of->probes);
    for (int k = 0; k < of->failures && k < TOLD; k++) {
        char sizes[256];
        const probe *at = &e->p->probes.at[of->failed[k]];
        probe_sizes(e->p->def.statement, at->value, sizes, sizeof sizes);
        fprintf(out, "    %s: %s\n", sizes, at->what);
    }
    if (of->failures > TOLD) fprintf(out, "    and %d more\n", of->failures - TOLD);
}

static void print_example(const exec *e, const exec_subject *of, FILE *out) {
    char sizes[256];
    probe_sizes(e->p->def.statement, of->smallest, sizes, sizeof sizes);
    fprintf(out, "  smallest case: %s\n", sizes);
    verdict_print_example(NULL, &of->verdict.example, out);
}

static void print_detail(const exec *e, int s, FILE *out) {
    const exec_subject *of = &e->subject[s];
    if (e->p->v->hint != SPOR_HINT_FULL || !of->failures) return;
    if (s < e->claims)
        print_example(e, of, out);
    else
        fprintf(out, "  %s\n", of->fault);
    print_failing(e, of, out);
    fprintf(out, "  %d more runs found the smallest sizes%s", of->runs,
            e->p->v->given->emit ? "\n" : "; --emit DIR keeps these inputs in DIR/wrong-dX\n");
}

static void print_fault(const exec *e, int s, FILE *out) {
    char sizes[256];
    const exec_subject *of = &e->subject[s];
    probe_sizes(e->p->def.statement, of->smallest, sizes, sizeof sizes);
    fprintf(out, "%s: %.*s", sizes, (int)strcspn(of->fault, "\n"), of->fault);
}

static void print_summary(const exec *e, int s, FILE *out) {
    const exec_subject *of = &e->subject[s];
    spor_hint hint = e->p->v->hint;
    if (hint == SPOR_HINT_NONE) return;
    if (of->failures && s < e->claims) {
        char *text = verify_summary(e->p->v, e->p->def.statement, &of->verdict);
        fputs(text ? text : "", out);
        free(text);
    } else if (of->failures) {
        print_fault(e, s, out);
    } else if (!of->probes) {
        fputs("could be judged at no probe", out);
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
    const exec_subject *of = &e->subject[s];
    if (of->failures) return SPOR_ROW_WRONG;
    bool decided = s >= e->claims || is_decided(&of->verdict);
    return of->probes && decided ? SPOR_ROW_HOLDS : SPOR_ROW_UNFINISHED;
}

static const char *verdict_of(const exec *e, int s) {
    const exec_fact f = s < e->claims ? EXEC_FACTS : (exec_fact)(s - e->claims);
    if (state_of(e, s) == SPOR_ROW_UNFINISHED) return "UNFINISHED";
    if (state_of(e, s) == SPOR_ROW_HOLDS) return "holds";
    return f == EXEC_FACTS ? "DOES NOT HOLD" : facts[f].fails;
}

static bool show(exec *e, int s) {
    exec_subject *of = &e->subject[s];
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

/* The result need not be written; what is asked of no probe is not shown but for gradients. */
bool exec_show(exec *e) {
    const char *left_out = e->p->probes.left_out;
    bool done = true;
    for (int s = 0; done && s < e->subjects; s++)
        if (e->subject[s].probes || s < e->gradients) done = show(e, s);
    if (done && *left_out) verify_skip(e->p->v, "sizes", left_out);
    return done;
}
