/* Verdicts, added up and in words. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "verify/oracle.h"

double verdict_reach(double most, double scale) {
    return fmax(most, 0x1p-20 * scale);
}

void verdict_add(spor_verdict *sum, const spor_verdict *v) {
    sum->shapes += v->shapes;
    sum->undefined += v->undefined;
    sum->proved += v->proved;
    sum->identities += v->identities;
    sum->not_shown += v->not_shown;
    sum->chance += v->chance;
    sum->unclaimed += v->unclaimed;
    if (!sum->unclaimed_why) sum->unclaimed_why = v->unclaimed_why;
    sum->comparisons += v->comparisons;
    sum->undecided += v->undecided;
    sum->outside += v->outside;
    sum->ties += v->ties;
    sum->jumps += v->jumps;
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

/* ---- numbers ---- */

double verdict_ulps(double a, double b, spor_scalar arithmetic) {
    double size = fabs(b), ulp = nextafter(size, HUGE_VAL) - size;
    if (arithmetic == SPOR_F32) {
        float single = (float)size;
        ulp = (double)(nextafterf(single, HUGE_VALF) - single);
    }
    return fabs(a - b) / ulp;
}

enum { LEAST_DIGITS = 6, MOST_DIGITS = 17 };

int verdict_number(double number, char text[32]) {
    int digits = LEAST_DIGITS, length;
    do length = snprintf(text, 32, "%.*g", digits, number);
    while (digits++ < MOST_DIGITS && strtod(text, NULL) != number);
    return length;
}

int verdict_digits(double a, double b) {
    char x[32], y[32];
    int digits = LEAST_DIGITS;
    for (; digits < MOST_DIGITS; digits++) {
        snprintf(x, sizeof x, "%.*g", digits, a);
        snprintf(y, sizeof y, "%.*g", digits, b);
        if (strcmp(x, y) != 0) break;
    }
    return a == b || (isnan(a) && isnan(b)) ? LEAST_DIGITS : digits;
}

void trial_write(const spor_trial *trial, char *text, size_t size) {
    enum { SHOWN = 12 };
    size_t used = 0;
    for (int k = 0; k < trial->in.inputs; k++) {
        spor_shape shape = spor_shape_of(trial->in.input[k]);
        char dims[128], number[32];
        tape_shape_text(&shape, NULL, dims, sizeof dims);
        const char *name = tape_node_of(trial->in.input[k])->name;
        if (used + strlen(name) + strlen(dims) + 64 >= size) return;
        used +=
            (size_t)snprintf(text + used, size - used, "%s%s %s = [", k ? "\n" : "", name, dims);
        int64_t count = shape_size(&shape);
        for (int64_t j = 0; j < count && j < SHOWN && used + 96 < size; j++) {
            verdict_number(trial->data[k][j], number);
            used += (size_t)snprintf(text + used, size - used, "%s%s", j ? ", " : "", number);
        }
        if (count > SHOWN)
            used += (size_t)snprintf(text + used, size - used, ", ... (%" PRId64 " in all)", count);
        used += (size_t)snprintf(text + used, size - used, "]");
    }
}

static void print_index(const spor_shape *shape, const int64_t index[], FILE *out) {
    for (int k = 0; k < shape->rank; k++) fprintf(out, "%s%" PRId64, k ? ", " : "[", index[k]);
    if (shape->rank) fputc(']', out);
}

/* How far apart, in the unit that says more, and what was allowed. */
static void print_distance(double a, double b, double ulps, double bound, FILE *out) {
    static const double many = 1e5;
    if (bound == 0)
        fputs(" (exact integers)", out);
    else if (ulps < many)
        fprintf(out, " (%.3g ulp apart; the error bound allows %.3g)", ulps, bound);
    else
        fprintf(out, " (%.3g apart; the error bound allows %.3g)", fabs(a - b), bound);
}

static void print_numbers(const spor_statement *statement, const spor_counterexample *e,
                          FILE *out) {
    bool equality = statement && statement->equality;
    const char *formula = equality ? "left" : statement ? "formula" : "given";
    const char *expected = equality ? "right" : "tape";
    bool by_oracle = e->dispute == SPOR_TAPE_ORACLE;
    int digits = verdict_digits(by_oracle ? e->oracle : e->formula, e->expected);
    fprintf(out, "%s %.*g, %s %.*g", formula, digits, e->formula, expected, digits, e->expected);
    if (!isnan(e->oracle)) fprintf(out, ", %s %.*g", spor_oracle_name(e->by), digits, e->oracle);
    print_distance(e->formula, e->expected, e->ulps, e->bound, out);
    fputc('\n', out);
}

static void print_data(const char *data, FILE *out) {
    for (const char *line = data; *line;) {
        int length = (int)strcspn(line, "\n");
        fprintf(out, "    %.*s\n", length, line);
        line += length + (line[length] == '\n');
    }
}

/* ---- examples ---- */

/* Where the numbers of one more pair come from, if they are not the example's. */
static void print_whence(const spor_statement *statement, const spor_counterexample *e,
                         const spor_wrong *w, FILE *out) {
    bool records = e->dispute != SPOR_DOES_NOT_RECORD;
    fputs(records ? "  also wrong" : "  wrong where shapes fit", out);
    if (w->elsewhere && statement && statement->quantities) {
        fputs(records ? ", with other data at " : ", at ", out);
        verdict_print_values(statement, w->value, out);
    } else if (w->elsewhere) {
        fputs(", with other data", out);
    }
    fputs(": ", out);
}

/* One more pair that is wrong, in a line, and what it looks like. */
static void print_other(const spor_statement *statement, const spor_counterexample *e,
                        const spor_wrong *w, FILE *out) {
    bool equality = statement && statement->equality;
    if (*w->message) {
        fprintf(out, "  also wrong: %s", w->message);
        if (*w->pair_note) fprintf(out, "  %s", w->pair_note);
    } else {
        int digits = verdict_digits(w->formula, w->expected);
        print_whence(statement, e, w, out);
        fputs(w->pair_name, out);
        print_index(&w->shape, w->index, out);
        if (*w->pair_note) fprintf(out, "  %s", w->pair_note);
        fprintf(out, ": %s %.*g, %s %.*g", equality ? "left" : "formula", digits, w->formula,
                equality ? "right" : "tape", digits, w->expected);
        print_distance(w->formula, w->expected, w->ulps, w->bound, out);
        fprintf(out, ", %" PRId64 " of %" PRId64 " elements", w->wrong, w->elements);
    }
    fputc('\n', out);
    if (*w->pattern) fprintf(out, "    looks like: %s\n", w->pattern);
}

static void print_wrong(const spor_statement *statement, const spor_counterexample *e, FILE *out) {
    fprintf(out, "  %s", e->pair_name);
    print_index(&e->shape, e->index, out);
    if (*e->pair_note) fprintf(out, "  %s", e->pair_note);
    fputs(": ", out);
    print_numbers(statement, e, out);
    if (e->dispute == SPOR_TAPE_ORACLE)
        fprintf(out, "  the tape itself disagrees with the %s: a fault of an op\n",
                spor_oracle_name(e->by));
    fprintf(out, "  wrong: %" PRId64 " of %" PRId64 " elements\n", e->wrong, e->elements);
    if (*e->message) fprintf(out, "  %s\n", e->message);
}

void verdict_print_example(const spor_statement *statement, const spor_counterexample *e,
                           FILE *out) {
    if (statement && statement->quantities) {
        fputs("  smallest case: ", out);
        verdict_print_values(statement, e->value, out);
        fputc('\n', out);
    }
    if (e->dispute == SPOR_DOES_NOT_RECORD)
        fprintf(out, "  %s\n", e->message);
    else
        print_wrong(statement, e, out);
    if (*e->pattern) fprintf(out, "  looks like: %s\n", e->pattern);
    for (int k = 0; k < e->others; k++) print_other(statement, e, &e->other[k], out);
    print_data(e->data, out);
}

/* ---- rungs ---- */

/* Above it no identity is claimed of shapes taken together. */
static const double most_chance = 0x1p-60;

spor_rung spor_verdict_rung(const spor_verdict *v) {
    if (!v) return SPOR_TESTED;
    if (v->shapes && v->proved == v->shapes) return SPOR_PROVED;
    bool shown = v->shapes && v->identities == v->shapes && !v->not_shown;
    if (shown && v->chance <= most_chance) return SPOR_IDENTITY;
    bool all = v->comparisons && v->exact == v->comparisons && !v->undecided;
    return all ? SPOR_EXACT : SPOR_TESTED;
}

/* What reaching it does not say stands beside it. */
static const char *const rungs[] = {
    [SPOR_TESTED] = "tested at points, within rounding",
    [SPOR_EXACT] = "exact: bit for bit at the points tried",
    [SPOR_IDENTITY] = ("identity over the reals at these shapes, on the branches met (not about "
                       "rounding, kinks, other shapes)"),
    [SPOR_PROVED] = "proved for all values of these shapes (not about rounding, other shapes)"};

static void print_rung(const spor_verdict *v, FILE *out) {
    spor_rung rung = spor_verdict_rung(v);
    fprintf(out, "; %s", rungs[rung]);
    if (rung == SPOR_IDENTITY) fprintf(out, " but for a chance of 2^%.0f", ceil(log2(v->chance)));
    if (rung >= SPOR_IDENTITY) return;
    if (v->identities && v->chance <= most_chance)
        fprintf(out, "; identity for %" PRId64 " of the shapes", v->identities);
    if (v->not_shown) fputs("; field: not shown", out);
    if (v->unclaimed)
        fprintf(out, "; field: no claim for %" PRId64 ", %s", v->unclaimed, v->unclaimed_why);
}

void verdict_print_evidence(const spor_verdict *v, FILE *out) {
    fprintf(out, "%" PRId64 " shape%s%s%s%s, %" PRId64 " values judged, %" PRId64 " bit for bit",
            v->shapes, v->shapes == 1 ? "" : "s", *v->sizes ? " (" : "", v->sizes,
            *v->sizes ? ")" : "", v->comparisons, v->exact);
    if (v->proved)
        fprintf(out, ", proved for %" PRId64 " shape%s on unit tensors", v->proved,
                v->proved == 1 ? "" : "s");
    for (int k = 0; k < SPOR_ORACLES; k++)
        if (v->asked[k] && oracle_counted((spor_oracle)k))
            fprintf(out, ", %" PRId64 " %s", v->asked[k], oracle_counted((spor_oracle)k));
    if (v->undecided) fprintf(out, ", %" PRId64 " undecided", v->undecided);
    if (v->outside) fprintf(out, ", %" PRId64 " outside the domain", v->outside);
    if (v->ties) fprintf(out, ", %" PRId64 " at ties", v->ties);
    if (v->undefined) fprintf(out, ", undefined on both sides for %" PRId64, v->undefined);
    if (v->shapes && v->comparisons) print_rung(v, out);
}

void spor_verdict_print(const spor_statement *statement, const spor_verdict *v, FILE *out) {
    static const char *const outcomes[] = {"holds", "FAILS", "NOTHING EXAMINED"};
    if (!v || !out) return;
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
