/* What judging arrays has found, in a line. */
#include <string.h>

#include "verify/arrays.h"

static const char *const stored_names[SPOR_STORED_KINDS] = {
    [SPOR_STORED_AS_COMPUTED] = "", [SPOR_STORED_F16] = "f16", [SPOR_STORED_BF16] = "bf16"};

void arrays_add(spor_array_figures *sum, const spor_array_figures *figures) {
    sum->norm_wise = sum->norm_wise || figures->norm_wise;
    size_t length = strlen(sum->unjudged);
    sum->exempt += figures->exempt;
    sum->between += figures->between;
    sum->unseen += figures->unseen;
    sum->unclear += figures->unclear;
    sum->undefined += figures->undefined;
    sum->settled += figures->settled;
    if (figures->stored) sum->stored = figures->stored;
    sum->off = fmax(sum->off, figures->off);
    sum->runs = fmax(sum->runs, figures->runs);
    sum->allowed = fmax(sum->allowed, figures->allowed);
    sum->ulps = fmax(sum->ulps, figures->ulps);
    sum->rtol = fmax(sum->rtol, figures->rtol);
    if (*figures->unjudged)
        snprintf(sum->unjudged + length, sizeof sum->unjudged - length, "%s%s", length ? ", " : "",
                 figures->unjudged);
}

static void print_index(const spor_counterexample *e, FILE *out) {
    fputs(e->pair_name, out);
    for (int k = 0; k < e->shape.rank; k++) fprintf(out, "%s%" PRId64, k ? ", " : "[", e->index[k]);
    if (e->shape.rank) fputc(']', out);
}

/* An element that is neither right nor wrong, and what would settle it. */
static void print_between(const spor_verdict *v, FILE *out) {
    const spor_array_figures *a = &v->arrays;
    const spor_counterexample *e = &v->example;
    print_index(e, out);
    fprintf(out, " is %.9g but must be %.9g: off by %.2g; ", e->formula, e->expected,
            fabs(e->formula - e->expected));
    fprintf(out, "%.2g is allowed, 8 times what the definition itself is off by, and ", e->bound);
    if (isfinite(a->worst_case))
        fprintf(out, "rounding can do %.2g at worst", a->worst_case);
    else
        fputs("rounding can do anything at worst", out);
    fprintf(out, "; %" PRId64 " such; --ulps %.0f or --rtol %.1e settles it; ", a->between, a->ulps,
            a->rtol);
    if (a->unseen)
        fprintf(out,
                "of %" PRId64 " not all slopes around the ties of the inputs could be looked at: "
                "--ties spor settles them; ",
                a->unseen);
}

/* Elements that were not judged, and where. */
static void print_unjudged(const spor_verdict *v, FILE *out) {
    const spor_array_figures *a = &v->arrays;
    int64_t rounded = v->undecided - a->unclear - a->undefined;
    if (rounded > 0)
        fprintf(out, ", %" PRId64 " undecided: rounding may do more than 1 %% of the values",
                rounded);
    if (a->undefined)
        fprintf(out,
                ", %" PRId64 " undecided: the definition gives no number there, or one too large",
                a->undefined);
    if (a->unclear)
        fprintf(out, ", %" PRId64 " undecided at ties: --ties spor settles them", a->unclear);
    if (a->exempt)
        fprintf(out, ", %" PRId64 " exempt: a number that is not finite reaches them", a->exempt);
    if (*a->unjudged) fprintf(out, " (%s)", a->unjudged);
}

void arrays_print(const spor_verdict *v, FILE *out) {
    const spor_array_figures *a = &v->arrays;
    int64_t all = v->comparisons + v->undecided + a->exempt + a->between;
    if (a->between) print_between(v, out);
    fprintf(out, "%" PRId64 " of %" PRId64 " values judged", v->comparisons, all);
    if (v->exact) fprintf(out, ", %" PRId64 " of them bit for bit", v->exact);
    if (v->ties) fprintf(out, ", %" PRId64 " at ties by another slope than spor's", v->ties);
    if (v->jumps) fprintf(out, " (%" PRId64 " where the result jumps, and has none)", v->jumps);
    print_unjudged(v, out);
    if (v->comparisons > v->exact)
        fprintf(out,
                ", off by at most %.2g; the definition's own runs by %.2g, allowed is up to %.2g",
                a->off, a->runs, a->allowed);
    if (a->stored) fprintf(out, ", rounded once to %s", stored_names[a->stored]);
    if (a->settled) fprintf(out, ", %" PRId64 " by --ulps or --rtol alone", a->settled);
    fprintf(out, ", %" PRId64 " complex step%s", v->asked[SPOR_BY_COMPLEX_STEP],
            v->asked[SPOR_BY_COMPLEX_STEP] == 1 ? "" : "s");
}
