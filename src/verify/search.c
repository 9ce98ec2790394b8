/* The search: shapes from the smallest on, level by level, then at random up to the limits. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "verify/oracle.h"

enum { DEFAULT_SHAPES = 300, WITHOUT_INPUTS = 50000, TRIES_A_SHAPE = 20 };

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
    bool failed, out_of_memory, pure; /* pure: integers only, no tensors */
    int64_t failure[SPOR_QUANTITIES];
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
    v->exact += found->exact;
    v->nonzero += found->nonzero;
    v->proved += found->proved;
    v->closest = fmax(v->closest, found->closest);
}

/* How much is needed, where that is known. */
static void tell_memory(spor_verdict *v, const spor_trial *trial) {
    snprintf(v->example.message, sizeof v->example.message, "%s", trial->in.message);
}

/* Examines the statement at the values. */
static void visit(search *s, const int64_t value[]) {
    spor_trial trial;
    oracle_finding found = {0};
    s->tried++;
    bool done = trial_make(s->statement, value, &trial);
    if (done && trial.recording == SPOR_UNDEFINED) s->verdict->undefined++;
    if (done && trial.recording == SPOR_RECORDED) {
        s->pure = trial.in.inputs == 0;
        done = oracle_examine(&trial, &s->effort, &s->proofs, &found) && remember(s, value);
        count(s->verdict, &trial, &found);
    }
    if (done && (found.failed || trial.recording == SPOR_BROKEN)) {
        s->failed = true;
        memcpy(s->failure, value, (size_t)s->statement->quantities * sizeof *value);
    }
    s->out_of_memory = s->out_of_memory || !done;
    if (!done) tell_memory(s->verdict, &trial);
    trial_free(&trial);
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

/* From the smallest on, until all are seen or half of what is wanted. */
static void walk(search *s) {
    int64_t value[SPOR_QUANTITIES] = {0}, levels = levels_of(s->statement), wanted = s->wanted;
    s->wanted = wanted / 2 + 1;
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
        visit(s, value);
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

/* True if no element of some pair could be compared. */
static bool leaves_a_pair(const spor_verdict *verdict) {
    for (int k = 0; k < verdict->pairs; k++)
        if (!verdict->compared[k]) return true;
    return false;
}

bool spor_verify(const spor_statement *statement, const spor_effort *effort,
                 spor_verdict *verdict) {
    search s = {.statement = statement, .verdict = verdict};
    *verdict = (spor_verdict){.outcome = SPOR_HOLDS};
    if (effort) s.effort = *effort;
    s.wanted = s.effort.shapes > 0 ? s.effort.shapes : DEFAULT_SHAPES;
    s.proofs = oracle_proofs(&s.effort);
    walk(&s);
    if (!s.verdict->exhaustive) wander(&s);
    count_regions(&s);
    free(s.visited);
    if (s.out_of_memory) return false;
    if (s.failed) return shrink_failure(statement, s.failure, &s.effort, verdict);
    bool idle = !verdict->shapes || (!verdict->comparisons && !verdict->undefined);
    if (idle || leaves_a_pair(verdict) || (!verdict->nonzero && !s.pure))
        verdict->outcome = SPOR_NOTHING_EXAMINED;
    return true;
}
