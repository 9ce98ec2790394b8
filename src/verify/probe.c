/* Probes: which sizes and numbers decide. See probe.h. */
#include "verify/probe.h"

#include <inttypes.h>

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/random.h"

/* ---- numbers ---- */

/* Steps of a unit from least to most; 0 is left out of cotangents. */
typedef struct {
    double unit;
    int least, most;
} steps;

static const steps plain[PROBE_DRAWS] = {
    [PROBE_EIGHTHS] = {0.125, -24, 24}, [PROBE_TIES] = {1, -1, 1}, [PROBE_FAR] = {1, -24, 24}};
static const steps narrowed[POINT_NARROWS][PROBE_DRAWS] = {
    [POINT_SHARES] = {{0x1p-7, 1, 127}, {0.25, 1, 3}, {0x1p-7, 1, 127}},
    [POINT_POSITIVE] = {{0.125, 2, 48}, {1, 1, 2}, {1, 1, 24}},
    [POINT_ABOVE_ONE] = {{0.125, 9, 40}, {1, 2, 3}, {1, 2, 25}},
};
static const steps of_cotangents = {0.25, -12, 12};

static double draw_step(const steps *s, uint64_t key, uint64_t k) {
    return s->unit * (s->least + floor((s->most - s->least + 1) * random_uniform(key, k, 61)));
}

static double draw_cotangent(uint64_t key, uint64_t k) {
    double x = draw_step(&of_cotangents, key, k);
    return x != 0 ? x : of_cotangents.unit;
}

/* Steps as coarse as the range allows, of which there are at least 16. */
static steps within(const spor_range *range) {
    double unit = exp2(floor(log2(range->to - range->from)) - 4);
    double least = ceil(range->from / unit), most = floor(range->to / unit);
    bool fits = range->to > range->from && fabs(least) < 1e9 && fabs(most) < 1e9;
    return fits ? (steps){unit, (int)least, (int)most} : (steps){0, 0, 0};
}

/* Labels decide at the last one, at the first and where one occurs again: so rows 0 and 2 have the last, row 1 the
 * first, whatever was drawn. Of a few numbers, a mask's say, these rows have the last, the last and the first. */
static void place_ends(const point_input *in, double *x) {
    int rank = in->shape.rank;
    int64_t last = rank ? in->shape.n[rank - 1] : 1,
            rows = last ? shape_size(&in->shape) / last : 0;
    if (in->range.kind == SPOR_RANGE_ONE_HOT)
        for (int64_t row = 0; row < rows && row < 3; row++) {
            for (int64_t k = 0; k < last; k++) x[row * last + k] = 0;
            x[row * last + (row == 1 ? 0 : last - 1)] = 1;
        }
    if (in->range.kind == SPOR_RANGE_WHOLE)
        for (int64_t k = 0; k < rows * last && k < 3; k++)
            x[k] = k == 1 ? in->range.from : in->range.to;
    if (in->range.kind == SPOR_RANGE_SET)
        for (int64_t k = 0; k < rows * last && k < 3; k++)
            x[k] = in->range.item[k < 2 ? in->range.n - 1 : 0];
}

static void draw_input(const probes *p, const probe_case *c, int k, probe_draw draw) {
    static const points nothing = {0};
    point_input in = {.number = k,
                      .shape = spor_shape_of(c->in.input[k]),
                      .range = c->in.range[k],
                      .narrow = p->narrow[k]};
    uint64_t key = random_hash(p->seed, (uint64_t)draw, (uint64_t)k);
    const steps *s = p->narrow[k] ? &narrowed[p->narrow[k]][draw] : &plain[draw];
    steps inside = in.range.kind == SPOR_RANGE_REALS ? within(&in.range) : (steps){0, 0, 0};
    bool drawn = in.range.kind == SPOR_RANGE_ANY || inside.unit > 0;
    if (inside.unit > 0) s = &inside;
    if (!drawn) points_draw(&nothing, &in, key, POINT_WHOLE, c->data[k]);
    if (!drawn) place_ends(&in, c->data[k]);
    for (int64_t i = 0; drawn && i < shape_size(&in.shape); i++)
        c->data[k][i] =
            k >= c->in.dy ? draw_cotangent(key, (uint64_t)i) : draw_step(s, key, (uint64_t)i);
}

/* Never 0, so that what is overwritten, or left as it was, shows. */
static bool draw_before(const probes *p, probe_case *c, int k) {
    int64_t size = probe_pair_size(c, k);
    uint64_t key = random_hash(p->seed, SPOR_INPUTS, (uint64_t)k);
    if (!p->before[k]) return true;
    c->before[k] = malloc(bytes_for(size + 1, sizeof(double)));
    for (int64_t i = 0; c->before[k] && i < size; i++)
        c->before[k][i] = draw_cotangent(key, (uint64_t)i);
    return c->before[k] != NULL;
}

bool probe_make(const probes *p, const int64_t value[], probe_draw draw, probe_case *c) {
    *c = (probe_case){.tape = spor_tape_new()};
    if (!c->tape) return false;
    c->recording = p->statement->record(p->statement->user, c->tape, value, &c->in);
    if (c->recording == SPOR_EXHAUSTED || c->tape->exhausted) return false;
    if (c->recording == SPOR_RECORDED && spor_error(c->tape)) {
        c->recording = SPOR_BROKEN;
        snprintf(c->in.message, sizeof c->in.message, "%.500s", spor_error(c->tape));
    }
    for (int k = 0; k < c->in.inputs && c->recording == SPOR_RECORDED; k++) {
        spor_shape shape = spor_shape_of(c->in.input[k]);
        c->data[k] = malloc(bytes_for(shape_size(&shape) + 1, sizeof(double)));
        if (!c->data[k]) return false;
        draw_input(p, c, k, draw);
    }
    for (int k = 0; k < c->in.pairs && c->recording == SPOR_RECORDED; k++)
        if (!draw_before(p, c, k)) return false;
    return true;
}

void probe_free(probe_case *c) {
    for (int k = 0; k < SPOR_INPUTS; k++) free(c->data[k]);
    for (int k = 0; k < SPOR_PAIRS; k++) free(c->before[k]);
    spor_tape_free(c->tape);
    *c = (probe_case){0};
}

int64_t probe_size(const probe_case *c, int k) {
    spor_shape shape = spor_shape_of(c->in.input[k]);
    return shape_size(&shape);
}

int64_t probe_pair_size(const probe_case *c, int k) {
    spor_shape shape = spor_shape_of(c->in.pair[k].expected);
    return shape_size(&shape);
}

/* ---- sizes that can be had ---- */

/* What recording at these sizes comes to. */
static bool try_sizes(probes *p, const int64_t value[], spor_recording *recording) {
    spor_tape *tape = spor_tape_new();
    spor_instance in = {0};
    *recording = tape ? p->statement->record(p->statement->user, tape, value, &in) : SPOR_EXHAUSTED;
    if (*recording == SPOR_RECORDED && spor_error(tape)) {
        *recording = SPOR_BROKEN;
        snprintf(in.message, sizeof in.message, "%.500s", spor_error(tape));
    }
    if (*recording == SPOR_BROKEN) snprintf(p->message, sizeof p->message, "%.500s", in.message);
    spor_tape_free(tape);
    return *recording != SPOR_EXHAUSTED;
}

/* True of a size that nothing is stated of. */
static bool is_free(const spor_quantity *q) {
    return q->open && !q->choices;
}

/* Sizes that differ as far as they can. */
static int64_t usual_value(const spor_quantity *q, int k) {
    static const int64_t unequal[] = {3, 5, 2, 7, 4, 6, 8, 9};
    enum { N = sizeof unequal / sizeof *unequal };
    if (q->choices) return q->least;
    int64_t value = is_free(q) ? unequal[k % N] : q->most < 4 ? q->most : q->least;
    return value < q->least ? q->least : value > q->most && q->stated ? q->most : value;
}

/* Small, or not less than the largest that stays: a kernel as large as a block wants a larger image. */
static int64_t other_value(const spor_quantity *q, int64_t largest, uint64_t key) {
    int64_t span = is_free(q) ? 7 : q->most - q->least;
    if (is_free(q) && key >> 32 & 1) return largest + (int64_t)(key % 3);
    return q->least + (int64_t)(key % ((uint64_t)span + 1));
}

/* How many free sizes other ones are equal to. */
static int alike(const spor_statement *s, const int64_t value[]) {
    int n = 0;
    for (int k = 0; k < s->quantities; k++)
        for (int j = 0; j < k && is_free(&s->quantity[k]); j++)
            n += is_free(&s->quantity[j]) && value[j] == value[k];
    return n;
}

/* Finds sizes the def is for; those that are fixed stay, the others change as little as need be and differ if
 * they can. found: there are some. */
static bool find_sizes(probes *p, int64_t value[], const bool fixed[], bool *found) {
    enum { TRIES = 400 };
    const spor_statement *s = p->statement;
    int64_t best[SPOR_QUANTITIES], next[SPOR_QUANTITIES];
    int64_t largest = 1;
    int least = -1;
    for (int k = 0; k < s->quantities; k++)
        if (fixed[k] && !s->quantity[k].choices && value[k] > largest) largest = value[k];
    for (int t = 0; t < TRIES && least != 0; t++) {
        spor_recording recording;
        for (int k = 0; k < s->quantities; k++) {
            uint64_t key = random_hash((uint64_t)t, (uint64_t)k, 67);
            bool stays = !t || fixed[k] || key >> 60 < 4;
            next[k] = stays ? value[k] : other_value(&s->quantity[k], largest, key);
        }
        if (least >= 0 && alike(s, next) >= least) continue;
        if (!try_sizes(p, next, &recording)) return false;
        if (recording == SPOR_BROKEN) return true;
        if (recording != SPOR_RECORDED) continue;
        least = t ? alike(s, next) : 0;
        memcpy(best, next, sizeof best);
    }
    *found = least >= 0;
    if (*found) memcpy(value, best, (size_t)s->quantities * sizeof *value);
    return true;
}

/* ---- the list ---- */

void probe_sizes(const spor_statement *s, const int64_t value[], char *text, size_t size) {
    FILE *out = size ? fmemopen(text, size, "w") : NULL;
    if (size) *text = 0;
    if (!out) return;
    verdict_print_values(s, value, out);
    fclose(out);
}

static bool is_there(const probes *p, const int64_t value[], probe_draw draw) {
    size_t size = (size_t)p->statement->quantities * sizeof *value;
    for (int k = 0; k < p->count; k++)
        if (p->at[k].draw == draw && !memcmp(p->at[k].value, value, size)) return true;
    return false;
}

/* What there is no room for is dots. */
static void tell_left_out(probes *p, const char *what) {
    static const char dots[] = "; ...";
    size_t used = strlen(p->left_out), room = sizeof p->left_out - used;
    bool is_full = used && !strcmp(p->left_out + used - 3, "...");
    if (is_full) return;
    if (strlen(what) + 2 + sizeof dots > room) what = dots + 2;
    snprintf(p->left_out + used, room, "%s%s", used ? "; " : "", what);
}

/* True if the tape at these sizes, which record, has at most so many numbers. */
static bool is_affordable(const probes *p, const int64_t value[], int64_t most) {
    spor_tape *tape = spor_tape_new();
    spor_instance in = {0};
    int64_t numbers = 0;
    if (tape) p->statement->record(p->statement->user, tape, value, &in);
    for (uint32_t id = 1; tape && id < tape->count && numbers <= most; id++)
        numbers += shape_size(tape->node[id].shape);
    spor_tape_free(tape);
    return tape && numbers <= most;
}

/* A list in the making: the usual sizes, and which are asked for. */
typedef struct {
    probes *p;
    int64_t usual[SPOR_QUANTITIES], value[SPOR_QUANTITIES];
    bool fixed[SPOR_QUANTITIES];
    int64_t most; /* numbers that their tapes may have; 0: any number */
    bool done;    /* false: memory ran out */
} making;

static void begin(making *m) {
    memcpy(m->value, m->usual, sizeof m->value);
    memset(m->fixed, 0, sizeof m->fixed);
}

static void fix(making *m, int k, int64_t value) {
    m->value[k] = value;
    m->fixed[k] = true;
}

__attribute__((format(printf, 3, 4))) static void add(making *m, probe_draw draw,
                                                      const char *format, ...) {
    probes *p = m->p;
    bool found = false;
    char what[PROBE_TEXT];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    m->done = m->done && find_sizes(p, m->value, m->fixed, &found);
    if (!m->done || *p->message) return;
    if (found && is_there(p, m->value, draw)) return;
    if (found && m->most) found = is_affordable(p, m->value, m->most);
    if (!found || p->count == PROBES_MOST) {
        tell_left_out(p, what);
        return;
    }
    probe *added = &p->at[p->count++];
    *added = (probe){.draw = draw};
    memcpy(added->what, what, sizeof what);
    memcpy(added->value, m->value, sizeof m->value);
}

static bool can_be(const spor_quantity *q, int64_t size) {
    return !q->choices && size >= q->least && (is_free(q) || size <= q->most);
}

/* Every free size as the only one that is so long. */
static void add_each(making *m, int64_t size, const char *why) {
    const spor_statement *s = m->p->statement;
    for (int k = 0; k < s->quantities; k++) {
        const spor_quantity *q = &s->quantity[k];
        if (!can_be(q, size)) continue;
        begin(m);
        fix(m, k, size);
        add(m, PROBE_EIGHTHS, "%s is %" PRId64 "%s", q->name, size, why);
    }
}

/* Every two of them: code in tiles may be wrong in the corner alone. */
static void add_pairs(making *m, int64_t size, const char *why) {
    const spor_statement *s = m->p->statement;
    for (int k = 0; k < s->quantities; k++)
        for (int j = 0; j < k; j++) {
            const spor_quantity *a = &s->quantity[j], *b = &s->quantity[k];
            if (!can_be(a, size) || !can_be(b, size)) continue;
            begin(m);
            fix(m, j, size);
            fix(m, k, size);
            add(m, PROBE_EIGHTHS, "%s and %s are %" PRId64 "%s", a->name, b->name, size, why);
        }
}

static void add_usual(making *m) {
    begin(m);
    add(m, PROBE_EIGHTHS, "sizes that differ");
    if (m->p->count) memcpy(m->usual, m->p->at[0].value, sizeof m->usual);
    begin(m);
    add(m, PROBE_TIES, "ties and zeros");
    begin(m);
    add(m, PROBE_FAR, "numbers far apart");
}

static void add_small(making *m) {
    const spor_statement *s = m->p->statement;
    begin(m);
    for (int k = 0; k < s->quantities; k++)
        if (is_free(&s->quantity[k])) fix(m, k, 1);
    add(m, PROBE_EIGHTHS, "every size is 1");
    add_each(m, 0, "");
    add_each(m, 1, "");
    begin(m);
    for (int k = 0; k < s->quantities; k++)
        if (is_free(&s->quantity[k])) fix(m, k, 4);
    add(m, PROBE_EIGHTHS, "sizes that are equal");
}

static void add_blocks(making *m) {
    for (int b = 0; b < m->p->blocks; b++) {
        int64_t c = m->p->block[b];
        add_each(m, c - 1, ", one less than a block");
        add_each(m, c, ", a block");
        add_each(m, c + 1, ", one more than a block");
    }
}

/* Code may be wrong where the last blocks of two axes meet, or in a third block. Unlike one size
 * beyond a block, these may take more memory than there is: verifying takes about a hundred bytes
 * for each number of the tape. */
static void add_more_blocks(making *m) {
    const probes *p = m->p;
    m->most = 1 << 23;
    for (int b = 0; b < p->blocks; b++)
        add_each(m, 2 * p->block[b] + 1, ", one more than two blocks");
    for (int b = 0; b < p->blocks; b++) add_pairs(m, p->block[b] + 1, ", one more than a block");
    m->most = 0;
}

/* What is no size: strides, pads, activations; and sizes at which the def itself turns. */
static void add_choices(making *m) {
    const spor_statement *s = m->p->statement;
    for (int k = 0; k < s->quantities; k++) {
        const spor_quantity *q = &s->quantity[k];
        for (int64_t v = q->least; v <= q->most && !is_free(q) && v - q->least < 16; v++) {
            begin(m);
            fix(m, k, v);
            if (q->choices)
                add(m, PROBE_EIGHTHS, "%s is %s", q->name, q->choices[v]);
            else
                add(m, PROBE_EIGHTHS, "%s is %" PRId64, q->name, v);
        }
        for (int t = 0; t < q->turns; t++) {
            begin(m);
            fix(m, k, q->turn[t]);
            add(m, PROBE_EIGHTHS, "%s is %" PRId64 ", where the def may turn", q->name, q->turn[t]);
        }
    }
}

/* Where the inputs must lie is seen at the usual sizes. */
static bool narrow(probes *p) {
    spor_trial trial;
    bool done = trial_make(p->statement, p->at[0].value, &trial);
    if (done && trial.recording == SPOR_RECORDED && trial_narrow(&trial, p->seed))
        memcpy(p->narrow, trial.narrow, sizeof p->narrow);
    if (!done) snprintf(p->message, sizeof p->message, "%.500s", trial.in.message);
    trial_free(&trial);
    return done;
}

bool probes_choose(probes *p) {
    making m = {.p = p, .done = true};
    p->at = calloc(PROBES_MOST, sizeof *p->at);
    if (!p->at) return false;
    for (int k = 0; k < p->statement->quantities; k++)
        m.usual[k] = usual_value(&p->statement->quantity[k], k);
    add_usual(&m);
    if (m.done && !p->count && !*p->message)
        snprintf(p->message, sizeof p->message, "no sizes were found that the def is for");
    if (!m.done || *p->message || !narrow(p)) return false;
    add_small(&m);
    add_choices(&m);
    add_blocks(&m);
    add_more_blocks(&m);
    return m.done && !*p->message;
}

void probes_free(probes *p) {
    free(p->at);
    p->at = NULL;
    p->count = 0;
}
