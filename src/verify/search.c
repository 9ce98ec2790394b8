/*
 * The search: all shapes if they are few, else those from the smallest on, level by level, then at
 * random up to the limits; sizes at which something may turn, along one axis each; and points at
 * which comparisons go the way that they did not yet, or what the field has not shown is wrong.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "verify/oracle.h"
#include "verify/reserve.h"

enum { DEFAULT_SHAPES = 300, WITHOUT_INPUTS = 50000, TRIES_A_SHAPE = 20 };
/* So many pairs of sizes at which both turn. */
enum { TURNS_IN_PAIRS = 24 };
/* Elements of all nodes of a tape, at sizes that stand beyond a statement's range; of two sizes. */
static const int64_t large = 1 << 19, large_pair = 1 << 14;
/* Longer than any size of the search: more than a vector, a block or an unrolled loop, and odd; 6
 * and 8 where another size is 2 and has to go three or four times into this one. */
static const int64_t long_sizes[] = {6, 7, 8, 17, 33};
enum { LONG_SIZES = (int)(sizeof long_sizes / sizeof *long_sizes) };

/* The state of a search. */
typedef struct {
    const spor_statement *statement;
    spor_effort effort;
    spor_verdict *verdict;
    int64_t proofs; /* tuples of unit tensors left */
    int64_t wanted; /* shapes */
    int64_t tried;
    int64_t *visited; /* shapes examined, quantities apiece, for the table of regions */
    int64_t capacity;
    comparisons met;
    const char *pair_name[SPOR_PAIRS];
    char narrowed[128];               /* operands */
    char no_steps[96];                /* why there were no complex steps */
    char beyond[96];                  /* constants and their neighbours tried beyond the ranges */
    char longer[64];                  /* sizes that took long values, and the longest */
    bool failed, out_of_memory, pure; /* pure: integers only, no tensors */
    int64_t failure[SPOR_QUANTITIES]; /* failed; until then, where a tie was found wrong */
} search;

static bool remember(search *s, const int64_t value[]) {
    int quantities = s->statement->quantities;
    if (s->verdict->shapes == s->capacity) {
        int64_t larger = s->capacity ? 2 * s->capacity : 256;
        int64_t *grown =
            realloc(s->visited, (size_t)larger * (size_t)(quantities + 1) * sizeof *grown);
        if (!grown) return false;
        s->visited = grown;
        s->capacity = larger;
    }
    if (quantities)
        memcpy(s->visited + s->verdict->shapes * quantities, value,
               (size_t)quantities * sizeof *value);
    s->verdict->shapes++;
    return true;
}

/* Adds what the oracles found in an instance. */
static void count(spor_verdict *v, const spor_trial *trial, const oracle_finding *found) {
    if (trial->in.pairs > v->pairs) v->pairs = trial->in.pairs;
    for (int k = 0; k < trial->in.pairs; k++) {
        v->compared[k] += found->compared[k];
        v->comparisons += found->compared[k];
    }
    for (int k = 0; k < SPOR_ORACLES; k++) v->asked[k] += found->asked[k];
    v->undecided += found->undecided;
    v->outside += found->outside;
    v->ties += found->ties;
    v->jumps += found->jumps;
    v->ties_wrong += found->ties_wrong;
    v->exact += found->exact;
    v->nonzero += found->nonzero;
    v->proved += found->proved;
    v->closest = fmax(v->closest, found->closest);
}

/* Adds what the field found at a shape. */
static void count_field(spor_verdict *v, const oracle_finding *found) {
    bool identity = oracle_has_identity(found);
    v->identities += found->proved || identity;
    v->not_shown += found->not_shown > 0;
    if (identity) v->chance += found->chance;
    if (found->shown || found->not_shown || !found->unclaimed) return;
    v->unclaimed++;
    if (!v->unclaimed_why) v->unclaimed_why = found->unclaimed;
}

/* Operands that had narrower numbers, "p in 0..1, q in 0.25..6". */
static void note_narrowed(search *s, const spor_trial *trial, const oracle_finding *found) {
    for (int k = 0; k < trial->in.inputs; k++) {
        char text[64];
        if (!found->narrowed[k]) continue;
        snprintf(text, sizeof text, "%.32s %s", tape_node_of(trial->in.input[k])->name,
                 point_narrow_name(trial->narrow[k]));
        size_t used = strlen(s->narrowed);
        if (!strstr(s->narrowed, text) && used + strlen(text) + 3 < sizeof s->narrowed)
            snprintf(s->narrowed + used, sizeof s->narrowed - used, "%s%s", used ? ", " : "", text);
    }
}

/* Why no complex step was asked. */
static void note_steps(search *s, const spor_trial *trial) {
    const char *error = trial->step ? spor_program_error(trial->step) : NULL;
    if (trial->in.y.id && steps_are_misled(trial->in.y))
        error = "they would follow what a gradient is stopped at";
    if (error && !*s->no_steps) snprintf(s->no_steps, sizeof s->no_steps, "%s", error);
}

static bool was_visited(const search *s, const int64_t value[]) {
    size_t quantities = (size_t)s->statement->quantities;
    if (!s->verdict->exhaustive)
        for (int64_t k = 0; k < s->verdict->shapes; k++)
            if (!memcmp(s->visited + (size_t)k * quantities, value, quantities * sizeof *value))
                return true;
    return false;
}

static void take_down_failure(search *s, const int64_t value[]) {
    s->failed = true;
    s->verdict->ties_only = false;
    memcpy(s->failure, value, (size_t)s->statement->quantities * sizeof *value);
}

/* The first tie that is wrong; it counts if nothing else is. */
static void take_down_tie(search *s, const int64_t value[], const oracle_finding *found) {
    if (!found->ties_wrong || s->verdict->ties_only) return;
    s->verdict->ties_only = true;
    memcpy(s->failure, value, (size_t)s->statement->quantities * sizeof *value);
}

/* How much is needed, where that is known. */
static void tell_memory(spor_verdict *v, const spor_trial *trial) {
    snprintf(v->example.message, sizeof v->example.message, "%s", trial->in.message);
}

/* Examines the statement at the values; how that recorded. */
static spor_recording visit(search *s, const int64_t value[]) {
    spor_trial trial;
    oracle_finding found = {0};
    s->tried++;
    bool done = trial_make(s->statement, value, &trial);
    spor_recording recording = trial.recording;
    if (done && recording == SPOR_UNDEFINED) s->verdict->undefined++;
    if (done && recording == SPOR_RECORDED) {
        s->pure = trial.in.inputs == 0;
        done = oracle_examine(&trial, &s->effort, &s->proofs, &found) && remember(s, value);
        count(s->verdict, &trial, &found);
        for (int k = 0; k < trial.in.pairs; k++) s->pair_name[k] = trial.in.pair[k].name;
        note_steps(s, &trial);
        count_field(s->verdict, &found);
        comparisons_add(&s->met, &trial);
        note_narrowed(s, &trial, &found);
    }
    if (done && (found.failed || recording == SPOR_BROKEN))
        take_down_failure(s, value);
    else
        take_down_tie(s, value, &found);
    s->out_of_memory = s->out_of_memory || !done;
    if (!done) tell_memory(s->verdict, &trial);
    trial_free(&trial);
    return recording;
}

static bool stops(const search *s) {
    int64_t wanted = s->pure ? WITHOUT_INPUTS : s->wanted;
    return s->failed || s->out_of_memory || s->verdict->shapes >= wanted ||
           s->tried >= TRIES_A_SHAPE * wanted;
}

/* All values whose distance from the least ones sums to level. */
static void walk_level(search *s, int quantity, int64_t level, int64_t value[]) {
    const spor_quantity *q = &s->statement->quantity[quantity];
    if (quantity == s->statement->quantities) {
        if (!level) visit(s, value);
        return;
    }
    for (int64_t excess = 0; excess <= level && excess <= q->most - q->least && !stops(s);
         excess++) {
        value[quantity] = q->least + excess;
        walk_level(s, quantity + 1, level - excess, value);
    }
}

static int64_t levels_of(const spor_statement *statement) {
    int64_t levels = 0;
    for (int k = 0; k < statement->quantities; k++)
        levels += statement->quantity[k].most - statement->quantity[k].least;
    return levels;
}

/* How many values there are, or `most` if more. */
static int64_t count_values(const spor_statement *statement, int64_t most) {
    int64_t all = 1;
    for (int k = 0; k < statement->quantities; k++) {
        int64_t n = statement->quantity[k].most - statement->quantity[k].least + 1;
        if (n >= most / all) return most;
        all *= n;
    }
    return all;
}

/* From the smallest on, until all are seen or, if they are too many, half of what is wanted. */
static void walk(search *s) {
    int64_t value[SPOR_QUANTITIES] = {0}, levels = levels_of(s->statement), wanted = s->wanted;
    if (count_values(s->statement, wanted + 1) > wanted) s->wanted = wanted / 2 + 1;
    int64_t level = 0;
    for (; level <= levels && !stops(s); level++) walk_level(s, 0, level, value);
    /* the last level has one place, so whoever came to it has seen all */
    s->verdict->exhaustive = level > levels && !s->failed && !s->out_of_memory;
    s->wanted = wanted;
}

static void wander(search *s) {
    int64_t value[SPOR_QUANTITIES];
    for (uint64_t round = 0; !stops(s); round++) {
        for (int k = 0; k < s->statement->quantities; k++) {
            const spor_quantity *q = &s->statement->quantity[k];
            uint64_t span = (uint64_t)(q->most - q->least) + 1;
            value[k] = q->least + (int64_t)(random_hash(s->effort.seed, round, (uint64_t)k) % span);
        }
        if (was_visited(s, value))
            s->tried++;
        else
            visit(s, value);
    }
}

/* ---- beyond the ranges ---- */

/* True if the statement records there and its tape is not too large. */
static bool is_affordable(search *s, const int64_t value[], int64_t most, bool *recorded) {
    spor_instance in = {0};
    spor_tape *tape = spor_tape_new();
    int64_t elements = 0;
    if (!tape) s->out_of_memory = true;
    *recorded = tape && s->statement->record(s->statement->user, tape, value, &in) == SPOR_RECORDED;
    for (uint32_t id = 1; *recorded && id < tape->count && elements <= most; id++)
        elements += shape_size(tape->node[id].shape);
    spor_tape_free(tape);
    return *recorded && elements <= most;
}

/* What came of a value beyond the range. */
typedef enum { NOT_RECORDED, TOO_LARGE, TRIED } turn_outcome;

static bool turns_at(const spor_quantity *q, int64_t turn) {
    for (int j = 0; j < q->turns; j++)
        if (q->turn[j] == turn) return true;
    return false;
}

/* The quantities of a mask at values, in turn, the others small: 2 if they may be, else their least. */
static turn_outcome try_turns_of(search *s, unsigned mask, const int64_t turn[], int64_t most) {
    bool recorded = false, affordable = false;
    for (int small = 1; small >= 0 && !recorded; small--) {
        int64_t value[SPOR_QUANTITIES];
        for (int k = 0, at = 0; k < s->statement->quantities; k++) {
            const spor_quantity *q = &s->statement->quantity[k];
            value[k] = q->least + small < q->most ? q->least + small : q->most;
            if (mask >> k & 1) value[k] = turn[at++];
        }
        affordable = is_affordable(s, value, most, &recorded);
        if (affordable && !was_visited(s, value)) visit(s, value);
    }
    return affordable ? TRIED : recorded ? TOO_LARGE : NOT_RECORDED;
}

/* One quantity at a value, or all that turn there. */
static turn_outcome try_turn(search *s, int quantity, int64_t turn, bool together) {
    unsigned mask = 1U << quantity;
    int64_t all[SPOR_QUANTITIES];
    for (int k = 0; k < s->statement->quantities; k++) {
        all[k] = turn;
        if (together && turns_at(&s->statement->quantity[k], turn)) mask |= 1U << k;
    }
    return try_turns_of(s, mask, all, large);
}

static bool is_over(const search *s) {
    return s->failed || s->out_of_memory;
}

static void append(char *text, size_t size, const char *format, const char *name, int64_t value) {
    char item[48];
    size_t used = strlen(text);
    snprintf(item, sizeof item, format, name, value);
    if (used + strlen(item) + 3 < size)
        snprintf(text + used, size - used, "%s%s", used ? ", " : "", item);
}

static void try_constants(search *s, int k) {
    const spor_quantity *q = &s->statement->quantity[k];
    for (int j = 0; j < q->turns && !is_over(s); j++) {
        bool beyond = q->turn[j] > q->most;
        if (!beyond && s->verdict->exhaustive) continue;
        turn_outcome outcome = try_turn(s, k, q->turn[j], false);
        if (!is_over(s)) try_turn(s, k, q->turn[j], true);
        if (beyond && outcome == TRIED)
            append(s->beyond, sizeof s->beyond, "%.12s = %" PRId64, q->name, q->turn[j]);
        if (outcome == TOO_LARGE)
            reserve(s->verdict->reservation, sizeof s->verdict->reservation,
                    "%s = %" PRId64 " not tried: too large", q->name, q->turn[j]);
    }
}

static void try_long_sizes(search *s, int k) {
    const spor_quantity *q = &s->statement->quantity[k];
    int64_t longest = 0;
    for (int j = 0; j < LONG_SIZES && q->open && !is_over(s); j++)
        if (try_turn(s, k, long_sizes[j], false) == TRIED) longest = long_sizes[j];
    if (longest) append(s->longer, sizeof s->longer, "%.12s = %" PRId64, q->name, longest);
}

/* Two quantities, each where it turns, the others small: what is wrong there may be so for both only. */
static void try_pair(search *s, int a, int b, int *left) {
    const spor_quantity *p = &s->statement->quantity[a], *q = &s->statement->quantity[b];
    for (int i = 0; i < p->turns; i++)
        for (int j = 0; j < q->turns && !is_over(s); j++) {
            bool beyond = p->turn[i] > p->most || q->turn[j] > q->most;
            if (!beyond && s->verdict->exhaustive) continue;
            if ((*left)-- <= 0) return;
            try_turns_of(s, 1U << a | 1U << b, (int64_t[]){p->turn[i], q->turn[j]}, large_pair);
        }
}

static void try_pairs(search *s) {
    int left = TURNS_IN_PAIRS;
    s->proofs = 0; /* units are many where a size is large */
    for (int a = 0; a < s->statement->quantities; a++)
        for (int b = a + 1; b < s->statement->quantities; b++) try_pair(s, a, b, &left);
}

static void try_turns(search *s) {
    for (int k = 0; k < s->statement->quantities && !is_over(s); k++) {
        try_constants(s, k);
        if (!is_over(s)) try_long_sizes(s, k);
    }
    try_pairs(s);
}

/* ---- outcomes that were not met, residues that differ ---- */

/* At all scales and at what is compared, at one of the shapes visited. */
static void seek_at(search *s, const int64_t value[]) {
    spor_trial trial;
    oracle_finding found = {0};
    bool done = trial_make(s->statement, value, &trial);
    if (done && trial.recording == SPOR_RECORDED) {
        done = oracle_seek(&trial, &s->effort, &found);
        count(s->verdict, &trial, &found);
        if (found.not_shown && !s->verdict->not_shown) s->verdict->not_shown = 1;
        comparisons_add(&s->met, &trial);
        if (done && found.failed)
            take_down_failure(s, value);
        else
            take_down_tie(s, value, &found);
    }
    s->out_of_memory = s->out_of_memory || !done;
    if (!done) tell_memory(s->verdict, &trial);
    trial_free(&trial);
}

/* At the shape in the middle of those visited, and at the last one. */
static void seek(search *s) {
    int64_t shapes = s->verdict->shapes, quantities = s->statement->quantities;
    for (int64_t k = 1; k <= 2 && shapes; k++) {
        int64_t at = (shapes - 1) * k / 2;
        bool sought = comparisons_met(&s->met) && !s->verdict->not_shown;
        if (is_over(s) || sought) return;
        seek_at(s, s->visited + at * quantities);
    }
}

/* ---- the table of regions ---- */

static void count_region(const search *s, const char *text, int a, int b, size_t *used) {
    static const char *const relations[] = {"<", "=", ">"};
    int64_t count[3] = {0};
    int quantities = s->statement->quantities;
    for (int64_t k = 0; k < s->verdict->shapes; k++) {
        int64_t x = s->visited[k * quantities + a];
        int64_t y = b < 0 ? 1 : s->visited[k * quantities + b];
        count[(x > y) - (x < y) + 1]++;
    }
    char *to = s->verdict->regions + *used;
    size_t room = sizeof s->verdict->regions - *used;
    int wrote = 0;
    for (int k = 0; k < 3 && room > 64; k++)
        if (count[k] && (b >= 0 || k > 0))
            wrote += snprintf(to + wrote, room - (size_t)wrote, "%s%s %s %s: %" PRId64,
                              wrote ? "   " : "", s->statement->quantity[a].name, relations[k],
                              text, count[k]);
    if (wrote && (size_t)wrote + 2 < room) {
        strcpy(to + wrote, "\n");
        *used += (size_t)wrote + 1;
    }
}

/* How often each quantity was 1 or more, and how it stood to each other one. */
static void count_regions(const search *s) {
    size_t used = 0;
    for (int a = 0; a < s->statement->quantities; a++) {
        if (s->statement->quantity[a].choices) continue;
        count_region(s, "1", a, -1, &used);
        for (int b = a + 1; b < s->statement->quantities; b++)
            if (!s->statement->quantity[b].choices)
                count_region(s, s->statement->quantity[b].name, a, b, &used);
    }
}

/* ---- what is told ---- */

/* "N, n in 1..6, m in 2..4" */
static void list_ranges(const search *s, char *text, size_t size) {
    const spor_statement *statement = s->statement;
    size_t used = 0;
    for (int k = 0; k < statement->quantities && used < size; k++) {
        const spor_quantity *q = &statement->quantity[k], *next = q + 1;
        bool joined = k + 1 < statement->quantities && !next->choices && !q->choices &&
                      next->least == q->least && next->most == q->most;
        const char *between = k + 1 < statement->quantities ? ", " : "";
        if (joined || q->choices)
            used += (size_t)snprintf(text + used, size - used, "%s%s", q->name, between);
        else
            used += (size_t)snprintf(text + used, size - used, "%s in %" PRId64 "..%" PRId64 "%s",
                                     q->name, q->least, q->most, between);
    }
}

/* "all there are"; "for N, n in 1..6"; and what was tried beyond. */
static void tell_sizes(const search *s) {
    char ranges[128] = "";
    spor_verdict *v = s->verdict;
    bool stated = true;
    for (int k = 0; k < s->statement->quantities; k++)
        stated = stated && (s->statement->quantity[k].stated || s->statement->quantity[k].choices);
    list_ranges(s, ranges, sizeof ranges);
    if (v->exhaustive && stated)
        snprintf(v->sizes, sizeof v->sizes, "all there are");
    else if (s->statement->quantities)
        snprintf(v->sizes, sizeof v->sizes, "%s %s%s%s%s%s",
                 v->exhaustive ? "all with" : "some with", ranges, *s->longer ? ", up to " : "",
                 s->longer, *s->beyond ? ", at " : "", s->beyond);
}

static void tell_reservations(const search *s) {
    spor_verdict *v = s->verdict;
    v->unmet = reserve_comparisons(&s->met, v->reservation, sizeof v->reservation);
    if (v->ties > v->jumps)
        reserve(v->reservation, sizeof v->reservation,
                "differs at ties only, where it is another of the slopes");
    if (v->jumps)
        reserve(v->reservation, sizeof v->reservation,
                "differs where the result jumps, and has no slope");
    if (*s->no_steps)
        reserve(v->reservation, sizeof v->reservation, "without complex steps: %s", s->no_steps);
    if (*s->narrowed) reserve(v->reservation, sizeof v->reservation, "with %s", s->narrowed);
}

/* Names pairs of which no element could be judged; true if there are any. */
static bool leaves_a_pair(const search *s) {
    spor_verdict *v = s->verdict;
    bool any = false;
    for (int k = 0; k < v->pairs; k++) {
        size_t used = strlen(v->unjudged);
        if (v->compared[k]) continue;
        any = true;
        if (used + 40 < sizeof v->unjudged)
            snprintf(v->unjudged + used, sizeof v->unjudged - used, "%s%.30s", used ? ", " : "",
                     s->pair_name[k]);
    }
    return any;
}

static bool describe_failure(search *s) {
    spor_counterexample *example = &s->verdict->example;
    if (!shrink_failure(s->statement, s->failure, &s->effort, s->verdict)) return false;
    if (s->verdict->ties_only)
        snprintf(example->message, sizeof example->message,
                 "at ties and kinks only, but no slope of the result there");
    return true;
}

bool spor_verify(const spor_statement *statement, const spor_effort *effort,
                 spor_verdict *verdict) {
    search s = {.statement = statement, .verdict = verdict};
    if (!verdict) return false;
    *verdict = (spor_verdict){.outcome = SPOR_HOLDS};
    if (!statement || !statement->record) return false;
    if (effort) s.effort = *effort;
    s.wanted = s.effort.shapes > 0 ? s.effort.shapes : DEFAULT_SHAPES;
    s.proofs = oracle_proofs(&s.effort);
    walk(&s);
    if (!s.verdict->exhaustive) wander(&s);
    try_turns(&s);
    seek(&s);
    count_regions(&s);
    tell_sizes(&s);
    tell_reservations(&s);
    free(s.visited);
    if (s.out_of_memory) return false;
    s.effort.ties_fail = s.effort.ties_fail || verdict->ties_only;
    if (s.failed || verdict->ties_only) return describe_failure(&s);
    bool left = leaves_a_pair(&s);
    bool idle = !verdict->shapes || (!verdict->comparisons && !verdict->undefined);
    if (idle || left || (!verdict->nonzero && !s.pure && !statement->equality))
        verdict->outcome = SPOR_NOTHING_EXAMINED;
    return true;
}
