/*
 * Readings of numbers that other code gave. The code is run at few cases only, so that nothing can be drawn: a
 * reading is said if at all cases it gives those numbers, within what rounding does to it.
 */
#include "verify/arrays_reading.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/sampled.h"
#include "program/program.h"
#include "verify/hint.h"

enum { LARGE_TAPE = 3000, LEAST_SIGHTS = 2 };

/* What may be off, in roundoffs of the terms, and above which share of the numbers that says nothing. */
static const double margin = 16, telling = 0x1p-5;

typedef struct {
    hint_site site;
    spor_var claimed;
    spor_program *program;
} view;

static void record_readings(hint_site *s) {
    bool changes = s->tape->count < LARGE_TAPE;
    numbers_simple(s);
    backward_cotangent(s);
    if (changes) backward_slopes(s);
    if (changes) rewrite_readings(s);
    numbers_moved(s);
    if (changes) backward_shares(s);
}

static bool compile_view(view *w) {
    hint_site *s = &w->site;
    spor_options options = {.scalar = SPOR_SAMPLED, .reference = true};
    spor_var *output = malloc(((size_t)s->count * 2 + 1) * sizeof *output);
    int n = 0;
    if (!output) return false;
    output[n++] = s->expected;
    for (int k = 0; k < s->count; k++) {
        output[n++] = s->reading[k].left;
        output[n++] = s->reading[k].right;
    }
    w->program = spor_compile(s->tape, n, output, NULL, &options);
    free(output);
    return w->program != NULL;
}

static void fill(view *w, spor_var input, const double data[]) {
    spor_arg arg = spor_program_arg(w->program, input);
    sampled *to = arg.data;
    for (int64_t k = 0; to && k < shape_size(&arg.shape); k++) to[k] = sampled_plain(data[k], true);
}

static bool open_view(view *w, const spor_statement *statement, int pair, const arrays_sight *sight,
                      const hint_tally *allowed) {
    const spor_instance *in = &sight->at->in;
    const spor_pair *p = &in->pair[pair];
    *w = (view){.claimed = spor_input(sight->at->tape, "claimed", spor_shape_of(p->expected))};
    w->site = (hint_site){.tape = sight->at->tape,
                          .statement = statement,
                          .value = sight->value,
                          .in = in,
                          .formula = w->claimed,
                          .expected = p->expected,
                          .of = in->input[p->wrt],
                          .axis = axes_of(in, p->wrt),
                          .allowed = allowed,
                          .slides = pattern_slides(sight->at->tape, in->y)};
    w->site.reading = calloc(HINT_MOST, sizeof *w->site.reading);
    if (!w->site.reading) return false;
    record_readings(&w->site);
    if (w->site.failed || !compile_view(w)) return false;
    if (spor_program_error(w->program)) return true;
    for (int k = 0; k < in->inputs; k++) fill(w, in->input[k], sight->at->data[k]);
    fill(w, w->claimed, sight->claimed);
    return spor_run(w->program, 0) || spor_program_error(w->program);
}

static void close_view(view *w) {
    spor_program_free(w->program);
    free(w->site.reading);
}

/* The largest number of the expected ones. */
static double scale_of(view *w) {
    spor_shape shape = spor_shape_of(w->site.expected);
    const sampled *x = spor_program_arg(w->program, w->site.expected).data;
    double most = 0;
    for (int64_t k = 0; k < shape_size(&shape); k++)
        if (isfinite(x[k].v)) most = fmax(most, fabs(x[k].v));
    return most;
}

/* True if both variables have the same numbers; telling: rounding could not have made them so. */
static bool agrees(view *w, const hint_reading *r, double unit, double stored, bool *tells) {
    spor_shape shape = spor_shape_of(r->left);
    const sampled *a = spor_program_arg(w->program, r->left).data;
    const sampled *b = spor_program_arg(w->program, r->right).data;
    double scale = scale_of(w);
    *tells = true;
    for (int64_t k = 0; k < shape_size(&shape); k++) {
        double bound =
            margin * unit * (a[k].m + b[k].m) + stored * fmax(fabs(a[k].v), fabs(b[k].v));
        if (isnan(a[k].v) && isnan(b[k].v)) continue;
        if (!(fabs(a[k].v - b[k].v) <= bound)) return false;
        scale = fmax(scale, fabs(a[k].v));
        if (bound > telling * scale) *tells = false;
    }
    return true;
}

static int find_text(const hint_tally *t, const char *text) {
    for (int k = 0; k < t->count; k++)
        if (!strcmp(t->say[k].text, text)) return k;
    return -1;
}

/* What is said of one case: of the first one all that holds, later ones take away. */
static void tally(hint_tally *t, view *w, bool first, double unit, double stored) {
    bool holds[HINT_MOST] = {false}, sure[HINT_MOST] = {false};
    for (int k = 0; k < w->site.count; k++) {
        const hint_reading *r = &w->site.reading[k];
        bool tells;
        if (!agrees(w, r, unit, stored, &tells)) continue;
        int at = find_text(t, r->text);
        if (at < 0 && first && t->count < HINT_MOST) {
            at = t->count++;
            snprintf(t->say[at].text, HINT_TEXT, "%s", r->text);
        }
        if (at < 0) continue;
        holds[at] = true;
        sure[at] = sure[at] || tells;
    }
    for (int k = 0; k < t->count; k++) {
        t->say[k].out = t->say[k].out || !holds[k];
        t->say[k].draws += sure[k];
    }
}

bool arrays_look_like(const spor_statement *statement, int pair, int count,
                      const arrays_sight sight[], double unit, double stored, char *text,
                      size_t size) {
    hint_tally *t = calloc(1, sizeof *t);
    bool done = t != NULL;
    *text = 0;
    for (int k = 0; done && k < count && (!k || t->count); k++) {
        view *w = malloc(sizeof *w);
        done = w && open_view(w, statement, pair, &sight[k], k ? t : NULL);
        if (done && spor_program_error(w->program))
            t->count = 0; /* what can't be run says nothing */
        else if (done)
            tally(t, w, !k, unit, stored);
        if (w) close_view(w);
        free(w);
    }
    for (int k = 0; done && k < t->count && !*text; k++)
        if (!t->say[k].out && t->say[k].draws >= LEAST_SIGHTS)
            snprintf(text, size, "%s", t->say[k].text);
    free(t);
    return done;
}
