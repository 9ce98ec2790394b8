/* What spor verify shows: rows on the terminal, as JSON and as a page. */
#include "cli/verify.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/verify.h"

enum { LABEL_WIDTH = 30, VERDICT_WIDTH = 15 };

/* ---- texts of a verdict ---- */

/* Length of the first line. */
static int first_line(const char *text) {
    return (int)strcspn(text, "\n");
}

static void write_index(const spor_counterexample *e, FILE *out) {
    for (int k = 0; k < e->shape.rank; k++) fprintf(out, "%s%" PRId64, k ? ", " : "[", e->index[k]);
    if (e->shape.rank) fputc(']', out);
}

/* "N=2, m=1: db[0] is 3 but must be 5: the sign is wrong" */
static void write_case(const spor_statement *statement, const spor_counterexample *e, FILE *out) {
    if (statement && statement->quantities) {
        verdict_print_values(statement, e->value, out);
        fputs(": ", out);
    }
    if (e->dispute == SPOR_DOES_NOT_RECORD) {
        fprintf(out, "%.*s", first_line(e->message), e->message);
        return;
    }
    fputs(e->pair_name, out);
    write_index(e, out);
    double must_be = e->dispute == SPOR_TAPE_ORACLE ? e->oracle : e->expected;
    int digits = verdict_digits(e->formula, must_be);
    fprintf(out, " is %.*g but must be %.*g", digits, e->formula, digits, must_be);
    if (*e->pattern) fprintf(out, "; %s", e->pattern);
}

static void write_hint(const spor_counterexample *e, FILE *out) {
    bool shape = e->dispute == SPOR_DOES_NOT_RECORD;
    if (shape)
        fputs("it does not record, or has another shape", out);
    else
        fprintf(out, "%s is wrong", e->pair_name);
    if (*e->pattern) fprintf(out, "; looks like: %s", e->pattern);
    for (int k = 0; k < e->others; k++) {
        const spor_wrong *w = &e->other[k];
        fprintf(out, "; %s is wrong%s%s%s", w->pair_name, shape ? " where shapes fit" : "",
                *w->pattern ? "; looks like: " : "", w->pattern);
    }
}

static void write_lines(const char *text, int indent, FILE *out) {
    while (text && *text) {
        int length = first_line(text);
        fprintf(out, "%*s%.*s\n", length ? indent : 0, "", length, text);
        text += length + (text[length] != 0);
    }
}

static void write_evidence(const spor_verdict *found, FILE *out) {
    verdict_print_evidence(found, out);
    if (*found->reservation) fprintf(out, "; %s", found->reservation);
}

char *verify_summary(const spor_verification *v, const spor_statement *statement,
                     const spor_verdict *found) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) return NULL;
    if (v->hint == SPOR_HINT_PATTERN && found->outcome == SPOR_FAILS)
        write_hint(&found->example, out);
    else if (v->hint == SPOR_HINT_FULL && found->outcome == SPOR_FAILS)
        write_case(statement, &found->example, out);
    else if (v->hint == SPOR_HINT_FULL && found->outcome == SPOR_HOLDS)
        write_evidence(found, out);
    return fclose(out) ? NULL : text;
}

/* How to see the same again. */
static void write_command(const spor_verification *v, const char *label, FILE *out) {
    fprintf(out, "  again: spor verify %s --only \"%s\" --seed %" PRId64 "\n", v->path, label,
            v->given->seed);
}

/* The smallest case as a script of its own. */
static void write_script(const spor_script_claim *claim, const spor_verdict *found, FILE *out) {
    char *text = NULL;
    size_t size = 0;
    FILE *script = open_memstream(&text, &size);
    if (!script) return;
    claims_case(claim, found->example.value, script);
    if (!fclose(script)) {
        fputs("  as a script:\n", out);
        write_lines(text, 4, out);
    }
    free(text);
}

char *verify_detail(const spor_verification *v, const spor_script_claim *claim,
                    const spor_verdict *found, const char *label, const char *place) {
    const spor_statement *statement = claim ? claim->statement : NULL;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) return NULL;
    if (v->hint == SPOR_HINT_FULL) {
        if (place) fprintf(out, "  at %s\n", place);
        if (found->outcome == SPOR_FAILS) {
            verdict_print_example(statement, &found->example, out);
            if (claim) write_script(claim, found, out);
            if (claim) write_command(v, label, out);
        } else if (*found->regions) {
            fputs("  sizes visited:\n", out);
            write_lines(found->regions, 4, out);
        }
    }
    return fclose(out) ? NULL : text;
}

/* ---- the terminal ---- */

/* Prints the verdict in its colour. */
static void print_verdict(const spor_verification *v, const spor_verify_row *row) {
    static const char *const colours[SPOR_ROW_STATES] = {
        "\033[32m", "\033[34m", "\033[31m", "\033[33m", "\033[31m", "\033[90m", "\033[31m"};
    if (v->colours) screen_control(colours[row->state]);
    printf("%s", row->verdict);
    if (v->colours) screen_control("\033[0m");
}

static void print_row(spor_verification *v, const spor_verify_row *row) {
    bool silent = row->state == SPOR_ROW_HOLDS || row->state == SPOR_ROW_EXPECTED ||
                  row->state == SPOR_ROW_SKIPPED;
    if (v->given->json || (v->given->quiet && silent)) return;
    if (!v->headed) printf("%s%s\n", v->report.count ? "\n" : "", v->path);
    v->headed = true;
    int verdict = text_width(row->verdict), label = text_width(row->label);
    fputs("  ", stdout);
    print_verdict(v, row);
    printf("%*s  %s%*s", verdict < VERDICT_WIDTH ? VERDICT_WIDTH - verdict : 0, "", row->label,
           *row->summary && label < LABEL_WIDTH ? LABEL_WIDTH - label : 0, "");
    printf("%s%s\n", *row->summary ? "  " : "", row->summary);
    /* who asks for one statement wants to see all of it */
    if (row->found && (v->given->only || (row->found->outcome == SPOR_FAILS && !silent)))
        write_lines(row->detail, 6, stdout);
    fflush(stdout);
}

/* ---- JSON ---- */

static void json_sizes(spor_json *json, const spor_statement *statement, const int64_t value[]) {
    json_begin(json, "sizes", '{');
    for (int k = 0; statement && k < statement->quantities; k++) {
        const spor_quantity *q = &statement->quantity[k];
        if (q->choices)
            json_string(json, q->name, q->choices[value[k]]);
        else
            json_integer(json, q->name, value[k]);
    }
    json_end(json, '}');
}

/* The pairs that are wrong besides. */
static void json_others(const spor_verification *v, spor_json *json,
                        const spor_statement *statement, const spor_counterexample *e) {
    json_begin(json, "others", '[');
    for (int k = 0; k < e->others; k++) {
        const spor_wrong *w = &e->other[k];
        json_begin(json, NULL, '{');
        json_string(json, "what", w->pair_name);
        json_string(json, "pattern", w->pattern);
        if (v->hint == SPOR_HINT_FULL) {
            json_sizes(json, statement, *w->message || !w->elsewhere ? e->value : w->value);
            json_string(json, "message", w->message);
            json_string(json, "note", w->pair_note);
            json_real(json, "formula", w->formula);
            json_real(json, "tape", w->expected);
            json_integer(json, "wrong", w->wrong);
            json_integer(json, "elements", w->elements);
        }
        json_end(json, '}');
    }
    json_end(json, ']');
}

static void json_example(const spor_verification *v, spor_json *json,
                         const spor_statement *statement, const spor_counterexample *e) {
    json_begin(json, "counterexample", '{');
    json_string(json, "what", e->pair_name);
    json_string(json, "pattern", e->pattern);
    if (v->hint == SPOR_HINT_FULL) {
        json_sizes(json, statement, e->value);
        json_string(json, "message", e->message);
        json_string(json, "note", e->pair_note);
        json_begin(json, "index", '[');
        for (int k = 0; k < e->shape.rank; k++) json_integer(json, NULL, e->index[k]);
        json_end(json, ']');
        json_real(json, "formula", e->formula);
        json_real(json, "tape", e->expected);
        json_real(json, "oracle", e->oracle);
        json_real(json, "allowed", e->bound);
        json_real(json, "ulps", e->ulps);
        json_integer(json, "wrong", e->wrong);
        json_integer(json, "elements", e->elements);
        json_string(json, "data", e->data);
    }
    json_others(v, json, statement, e);
    json_end(json, '}');
}

static const char *const rung_names[] = {[SPOR_TESTED] = "tested",
                                         [SPOR_EXACT] = "exact",
                                         [SPOR_IDENTITY] = "identity",
                                         [SPOR_PROVED] = "proved"};

/* How far a statement that holds has come, and by what chance it may not have. */
static void json_rung(spor_json *json, const spor_verdict *found) {
    spor_rung rung = spor_verdict_rung(found);
    json_string(json, "rung", rung_names[rung]);
    if (rung == SPOR_IDENTITY) json_real(json, "chance", found->chance);
    json_integer(json, "identities", found->identities);
    json_integer(json, "field_not_shown", found->not_shown);
    json_integer(json, "field_no_claim", found->unclaimed);
}

static void json_evidence(spor_json *json, const spor_verdict *found) {
    json_integer(json, "shapes", found->shapes);
    json_bool(json, "exhaustive", found->exhaustive);
    json_integer(json, "undefined", found->undefined);
    json_integer(json, "proved", found->proved);
    json_integer(json, "judged", found->comparisons);
    json_integer(json, "exact", found->exact);
    json_integer(json, "undecided", found->undecided);
    json_integer(json, "outside_the_domain", found->outside);
    json_integer(json, "at_ties", found->ties);
    json_integer(json, "unmet", found->unmet);
    json_string(json, "sizes", found->sizes);
    json_string(json, "not_judged", *found->unjudged ? found->unjudged : found->arrays.unjudged);
    json_string(json, "reservation", found->reservation);
    json_integer(json, "complex_steps", found->asked[SPOR_BY_COMPLEX_STEP]);
    json_real(json, "closest", found->closest);
}

static const char *const state_names[SPOR_ROW_STATES] = {
    [SPOR_ROW_HOLDS] = "holds",          [SPOR_ROW_EXPECTED] = "fails as stated",
    [SPOR_ROW_WRONG] = "wrong",          [SPOR_ROW_UNFINISHED] = "unfinished",
    [SPOR_ROW_BROKEN] = "not evaluated", [SPOR_ROW_SKIPPED] = "not looked at",
    [SPOR_ROW_UNREADABLE] = "unreadable"};

static void json_arrays(spor_json *json, const spor_verdict *found) {
    const spor_array_figures *a = &found->arrays;
    json_integer(json, "exempt", a->exempt);
    json_integer(json, "between", a->between);
    json_integer(json, "settled", a->settled);
    json_real(json, "off", a->off);
    json_real(json, "runs", a->runs);
    json_real(json, "allowed", a->allowed);
}

static void add_json(spor_verification *v, const spor_verify_row *row) {
    spor_json *json = &v->json;
    json_begin(json, NULL, '{');
    json_string(json, "file", v->path);
    json_string(json, "label", row->label);
    json_string(json, "kind", row->kind);
    if (row->place) json_string(json, "place", row->place);
    json_string(json, "state", state_names[row->state]);
    json_string(json, "verdict", row->verdict);
    json_bool(json, "reserved", row->reserved);
    if (v->hint != SPOR_HINT_NONE) json_string(json, "summary", row->summary);
    if (row->found && v->hint == SPOR_HINT_FULL) json_evidence(json, row->found);
    if (row->found && row->statement && row->found->outcome == SPOR_HOLDS &&
        v->hint == SPOR_HINT_FULL)
        json_rung(json, row->found);
    if (row->found && !strcmp(row->kind, "arrays")) json_arrays(json, row->found);
    if (row->found && v->hint != SPOR_HINT_NONE && row->found->outcome == SPOR_FAILS)
        json_example(v, json, row->statement, &row->found->example);
    json_end(json, '}');
}

/* ---- all three ---- */

void verify_begin(spor_verification *v) {
    v->colours = screen_is_terminal() && !getenv("NO_COLOR");
    v->json = (spor_json){.text = &v->json_text, .lines = true};
    json_begin(&v->json, NULL, '{');
    json_string(&v->json, "spor", spor_version());
    json_integer(&v->json, "seed", v->given->seed);
    json_begin(&v->json, "rows", '[');
}

void verify_file(spor_verification *v, const char *path) {
    v->path = path;
    v->headed = v->listed = false;
}

static void list_row(spor_verification *v, const spor_report_row *row) {
    if (!v->listed) report_section(&v->report, v->path);
    v->listed = true;
    report_add(&v->report, row);
}

void verify_show(spor_verification *v, const spor_verify_row *given) {
    spor_verify_row row = *given;
    if (!row.summary) row.summary = "";
    if (!row.detail) row.detail = "";
    v->reserved += row.reserved;
    print_row(v, &row);
    list_row(v, &(spor_report_row){row.state, row.label, row.verdict, row.summary, row.detail,
                                   row.picture});
    add_json(v, &row);
    bool fault = row.state == SPOR_ROW_WRONG || row.state == SPOR_ROW_UNFINISHED ||
                 row.state == SPOR_ROW_BROKEN;
    if (v->given->github && fault)
        verify_annotate(row.place ? row.place : v->path, row.label, row.verdict, row.summary);
}

void verify_skip(spor_verification *v, const char *label, const char *why) {
    verify_show(v, &(spor_verify_row){.state = SPOR_ROW_SKIPPED,
                                      .label = label,
                                      .verdict = "not looked at",
                                      .summary = why,
                                      .kind = "data"});
}

/* The first line of an error, for a row of one. */
static void summarise(const char *error, char summary[256]) {
    snprintf(summary, 256, "%.*s", first_line(error) > 250 ? 250 : first_line(error), error);
}

static void refuse(spor_verification *v, spor_row_state state, const char *label,
                   const char *error) {
    static const char *const verdicts[SPOR_ROW_STATES] = {
        [SPOR_ROW_BROKEN] = "not evaluated", [SPOR_ROW_UNREADABLE] = "could not be read"};
    char summary[256];
    summarise(error, summary);
    fflush(stdout);
    fprintf(stderr, "%s\n", error);
    list_row(v, &(spor_report_row){state, label, verdicts[state], summary, error, NULL});
    if (v->given->github) verify_annotate(v->path, label, verdicts[state], summary);
    json_begin(&v->json, NULL, '{');
    json_string(&v->json, "file", v->path);
    json_string(&v->json, "label", label);
    json_string(&v->json, "state", state_names[state]);
    json_string(&v->json, "error", error);
    json_end(&v->json, '}');
    v->refused = true;
}

void verify_unreadable(spor_verification *v, const char *label, const char *error) {
    refuse(v, SPOR_ROW_UNREADABLE, label, error);
}

void verify_refuse(spor_verification *v, const char *label, const char *error) {
    refuse(v, SPOR_ROW_BROKEN, label, error);
}

static bool write_page(spor_verification *v) {
    spor_message message = {""};
    char about[128];
    snprintf(about, sizeof about, "spor %s, seed %" PRId64, spor_version(), v->given->seed);
    bool done = report_write(&v->report, "Verified by spor", about, v->given->html, &message);
    if (!done) command_fail(&spor_command_verify, "%s", message.text);
    return done;
}

static bool write_junit(spor_verification *v) {
    spor_message message = {""};
    bool done = report_write_junit(&v->report, "spor verify", v->given->junit, &message);
    if (!done) command_fail(&spor_command_verify, "%s", message.text);
    return done;
}

static void write_json(spor_verification *v) {
    const int64_t *states = v->report.states;
    json_end(&v->json, ']');
    json_integer(&v->json, "hold", states[SPOR_ROW_HOLDS]);
    json_integer(&v->json, "hold_with_reservation", v->reserved);
    json_integer(&v->json, "fail_as_stated", states[SPOR_ROW_EXPECTED]);
    json_integer(&v->json, "wrong", states[SPOR_ROW_WRONG]);
    json_integer(&v->json, "unfinished", states[SPOR_ROW_UNFINISHED]);
    json_integer(&v->json, "not_evaluated", states[SPOR_ROW_BROKEN]);
    json_integer(&v->json, "not_looked_at", states[SPOR_ROW_SKIPPED]);
    json_integer(&v->json, "unreadable", states[SPOR_ROW_UNREADABLE]);
    json_end(&v->json, '}');
    if (v->given->json) fwrite(v->json_text.at, 1, v->json_text.size, stdout);
}

/* "12 hold, 1 is wrong; 2 hold with a reservation only" */
static void print_tally(const spor_verification *v) {
    char tally[256];
    report_tally(&v->report, tally, sizeof tally);
    printf("%s%s", v->given->quiet ? "" : "\n", tally);
    if (v->reserved)
        printf("; %" PRId64 " hold%s with a reservation only", v->reserved,
               v->reserved == 1 ? "s" : "");
    putchar('\n');
}

static int status_of(const spor_verification *v) {
    const int64_t *states = v->report.states;
    bool wrong = states[SPOR_ROW_WRONG] || states[SPOR_ROW_UNFINISHED] || states[SPOR_ROW_BROKEN];
    bool right = !wrong && states[SPOR_ROW_HOLDS] + states[SPOR_ROW_EXPECTED] > 0;
    if (v->broken || v->refused) return SPOR_EXIT_BAD;
    if (v->wrote && !v->report.count) return SPOR_EXIT_DONE;
    return right && !(v->given->strict && v->reserved) ? SPOR_EXIT_DONE : SPOR_EXIT_NO;
}

int verify_end(spor_verification *v) {
    if (v->json_text.failed || v->report.failed)
        v->broken = command_fail(&spor_command_verify, "out of memory");
    else
        write_json(v);
    if (!v->given->json && !v->broken && !(v->wrote && !v->report.count)) print_tally(v);
    if (v->given->html && !write_page(v)) v->broken = true;
    if (v->given->junit && !write_junit(v)) v->broken = true;
    int status = status_of(v);
    text_free(&v->json_text);
    report_free(&v->report);
    return status;
}
