/* Verdicts, added up and in words. */
#include <math.h>
#include <string.h>

#include "verify/oracle.h"

double verdict_reach(double most, double scale) {
    return fmax(most, 0x1p-20 * scale);
}

void verdict_add(spor_verdict *sum, const spor_verdict *v) {
    sum->shapes += v->shapes;
    sum->undefined += v->undefined;
    sum->proved += v->proved;
    sum->comparisons += v->comparisons;
    sum->undecided += v->undecided;
    sum->outside += v->outside;
    sum->ties += v->ties;
    sum->unmet += v->unmet;
    sum->exact += v->exact;
    sum->nonzero += v->nonzero;
    for (int k = 0; k < SPOR_ORACLES; k++) sum->asked[k] += v->asked[k];
    arrays_add(&sum->arrays, &v->arrays);
    sum->closest = fmax(sum->closest, v->closest);
    if (v->outcome != SPOR_FAILS || sum->outcome == SPOR_FAILS) return;
    sum->outcome = SPOR_FAILS;
    sum->example = v->example;
}

void verdict_print_values(const spor_statement *statement, const int64_t value[], FILE *out) {
    for (int k = 0; k < statement->quantities; k++) {
        const spor_quantity *q = &statement->quantity[k];
        fprintf(out, "%s%s=", k ? ", " : "", q->name);
        if (q->choices)
            fputs(q->choices[value[k]], out);
        else
            fprintf(out, "%" PRId64, value[k]);
    }
}

static void print_index(const spor_counterexample *e, FILE *out) {
    for (int k = 0; k < e->shape.rank; k++) fprintf(out, "%s%" PRId64, k ? ", " : "[", e->index[k]);
    if (e->shape.rank) fputc(']', out);
}

static void print_numbers(const spor_statement *statement, const spor_counterexample *e,
                          FILE *out) {
    bool equality = statement && statement->equality;
    const char *formula = equality ? "left" : statement ? "formula" : "given";
    const char *expected = equality ? "right" : "tape";
    fprintf(out, "%s %.17g, %s %.17g", formula, e->formula, expected, e->expected);
    if (!isnan(e->oracle)) fprintf(out, ", %s %.17g", spor_oracle_name(e->by), e->oracle);
    if (e->bound == 0)
        fputs(" (exact integers)", out);
    else
        fprintf(out, " (%.3g ulp apart; the error bound allows %.3g)", e->ulps, e->bound);
    fputc('\n', out);
}

static void print_data(const char *data, FILE *out) {
    for (const char *line = data; *line;) {
        int length = (int)strcspn(line, "\n");
        fprintf(out, "    %.*s\n", length, line);
        line += length + (line[length] == '\n');
    }
}

void verdict_print_example(const spor_statement *statement, const spor_counterexample *e,
                           FILE *out) {
    if (statement && statement->quantities) {
        fputs("  smallest case: ", out);
        verdict_print_values(statement, e->value, out);
        fputc('\n', out);
    }
    if (e->dispute == SPOR_DOES_NOT_RECORD) {
        fprintf(out, "  %s\n", e->message);
        return;
    }
    fprintf(out, "  %s", e->pair_name);
    print_index(e, out);
    if (*e->pair_note) fprintf(out, "  %s", e->pair_note);
    fputs(": ", out);
    print_numbers(statement, e, out);
    if (e->dispute == SPOR_TAPE_ORACLE)
        fprintf(out, "  the tape itself disagrees with the %s: a fault of an op\n",
                spor_oracle_name(e->by));
    fprintf(out, "  wrong: %" PRId64 " of %" PRId64 " elements\n", e->wrong, e->elements);
    if (*e->message) fprintf(out, "  %s\n", e->message);
    if (*e->pattern) fprintf(out, "  looks like: %s\n", e->pattern);
    print_data(e->data, out);
}

void verdict_print_evidence(const spor_verdict *v, FILE *out) {
    fprintf(out, "%" PRId64 " shape%s%s%s%s, %" PRId64 " values judged, %" PRId64 " bit for bit",
            v->shapes, v->shapes == 1 ? "" : "s", *v->sizes ? " (" : "", v->sizes,
            *v->sizes ? ")" : "", v->comparisons, v->exact);
    if (v->proved) fprintf(out, ", proved for %" PRId64 " shapes on unit tensors", v->proved);
    for (int k = 0; k < SPOR_ORACLES; k++)
        if (v->asked[k] && oracle_counted((spor_oracle)k))
            fprintf(out, ", %" PRId64 " %s", v->asked[k], oracle_counted((spor_oracle)k));
    if (v->undecided) fprintf(out, ", %" PRId64 " undecided", v->undecided);
    if (v->outside) fprintf(out, ", %" PRId64 " outside the domain", v->outside);
    if (v->ties) fprintf(out, ", %" PRId64 " at ties", v->ties);
    if (v->undefined) fprintf(out, ", undefined on both sides for %" PRId64, v->undefined);
}

void spor_verdict_print(const spor_statement *statement, const spor_verdict *v, FILE *out) {
    static const char *const outcomes[] = {"holds", "FAILS", "NOTHING EXAMINED"};
    fprintf(out, "%s: %s", statement ? statement->name : "arrays", outcomes[v->outcome]);
    if (v->outcome == SPOR_FAILS) {
        fputc('\n', out);
        verdict_print_example(statement, &v->example, out);
        return;
    }
    fputs("  (", out);
    (statement ? verdict_print_evidence : arrays_print)(v, out);
    fputs(")\n", out);
    if (*v->reservation) fprintf(out, "  %s\n", v->reservation);
}
