/*
 * Identities over a finite field: the tape and the formula are computed modulo a random prime, at
 * random residues. It promotes and never accuses.
 *
 * A comparison, a maximum, a kink goes as the companion goes, a double with an error bound that
 * does not depend on residues; where the bound leaves open how, at a tie, or near a pole or the end
 * of a domain, nothing is claimed. On fixed branches both sides are made of numbers and inputs by
 * + - x /, E, L and roots. Let K be the field of rational functions of the inputs and of symbols:
 * E(z) for each z, L(u) for each u, but for laws that the real e^x and ln have: E(0) = 1, E(-z) =
 * 1 / E(z), E and L undo each other, L(1 / u) = -L(u), and, as long as the table is short, E(a + b)
 * = E(a) E(b) if E(a) and E(b) are in it. So if the sides are one element of K, they are equal over
 * the reals, wherever they are defined on the branches of the companion's point: a subexpression is
 * a quotient of K whose denominator is not 0 there, for the companion's bound says so, and putting
 * real functions for symbols keeps sums and products. Laws that K has not (L(a b) = L(a) + L(b))
 * make right formulas differ: they are not shown, which says nothing against them.
 *
 * Let them differ by an element of K that is not 0, and say how it can be met with residue 0.
 *  - An argument z is met with the residue of another, or of a sum of two, so that its symbol is
 *    theirs: for each of them at most weight / p, the weight being the degree of what then vanishes
 *    (field_run adds them up). Otherwise a symbol's residue is random, whatever those before are.
 *  - The numerator, a polynomial of whole coefficients, vanishes at random residues: at most
 *    degree / p (Schwartz 1980; Zippel 1979).
 *  - All its coefficients are multiples of p: at most log(coefficient) / log p of 2^53 primes are
 *    such, and any of them may be drawn.
 * Weights bound degrees and logarithms, of sums and products as they are made. Together they are
 * weight 2^-58 at most, as p > 2^60.
 *
 * Roots: r^2 = u. If u is no square in the field L before, L(r) is another field, and a + b r is 0
 * only if a^2 - u b^2 is, an element of L of twice the weight: 2^k times for k roots, whichever of
 * two roots is taken. If u is a square, x^2 say, its root is |x| over the reals and one of x and -x
 * here: nothing is claimed. A witness tells: residues at which those before have roots and u has
 * none, for then it is no square. Only where all radicands have witnesses is anything claimed.
 * Draws without all roots are repeated, so that of all tries any two (or more, if weights ask for
 * it) must both be met by chance: binomial(tries, draws) times the chance of one to that power.
 *
 * That a random oracle can take the place of e^x is of Wu et al., Mirage (OSDI 2025), who compare
 * kernels of tensor programs so; branches, roots and the bound are not of theirs.
 */
#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "kernels/field.h"
#include "program/program.h"
#include "verify/oracle.h"

enum {
    LEAST_DRAWS = 2,
    MOST_DRAWS = 8,
    LIKELY_SQUARE = 64, /* roots in turn */
    TRIES_A_ROOT = 64   /* times 2^roots */
};
/* log2 of the chance that a shape's identity is none; of what one unit of weight has. */
static const double enough = -70, unit = -58;
/* Elements computed at one point. */
static const int64_t affordable = 1 << 22;

/* What the tries at one point have found. */
typedef struct {
    oracle_inquiry *q;
    spor_program *program;
    field_run *run;
    int tries, draws, roots;
    int reached[FIELD_ROOTS]; /* tries in which all radicands before had roots */
    bool witness[FIELD_ROOTS];
    double heaviest; /* log2 of weights and collisions of a try */
    bool unknown, differs;
} attempt;

bool oracle_has_identity(const oracle_finding *finding) {
    return finding->shown > 0 && !finding->not_shown && !finding->failed;
}

/* ---- one try --------------------------------------------------------------------------------- */

/* Other tapes, other primes: no constant of a tape is made for its prime. */
static uint64_t key_of(const oracle_inquiry *q) {
    const spor_tape *tape = q->trial->tape;
    uint64_t key = random_hash(q->effort->seed, tape->count, 59);
    for (uint32_t id = 1; id < tape->count; id++) {
        const spor_node *node = &tape->node[id];
        for (int k = 0; k < node->op->operands; k++) key = random_hash(key, node->in[k], id);
        for (int k = 0; k < node->op->attrs - (node->op->address != 0); k++)
            key = random_hash(key, (uint64_t)node->attr[k].i, (uint64_t)k);
    }
    return key;
}

static field_element *elements_of(const attempt *a, spor_var x) {
    return spor_program_arg(a->program, x).data;
}

/* Random residues, with the trial's data for companions. */
static void fill(const attempt *a) {
    spor_trial *trial = a->q->trial;
    for (int k = 0; k < trial->in.inputs; k++) {
        field_element *to = elements_of(a, trial->in.input[k]);
        for (int64_t j = 0; to && j < trial_size(trial, k); j++)
            to[j] = (field_element){.f = field_variable(), .v = trial->data[k][j]};
    }
}

static void weigh(attempt *a, double weight) {
    double all = log2(weight + a->run->collisions + 1) + a->run->roots;
    a->heaviest = fmax(a->heaviest, all);
}

static void compare_pair(attempt *a, const spor_pair *pair) {
    const field_element *formula = elements_of(a, pair->formula);
    const field_element *expected = elements_of(a, pair->expected);
    spor_shape shape = spor_shape_of(pair->expected);
    for (int64_t k = 0; k < shape_size(&shape); k++) {
        const field_part *f = &formula[k].f, *g = &expected[k].f;
        bool known = f->known && g->known;
        a->unknown = a->unknown || !known;
        a->differs = a->differs || (known && f->residue != g->residue);
        weigh(a, fmax(f->num + g->den, g->num + f->den) + 1);
    }
}

/* Counts the radicands up to the first that has no root. */
static void count_roots(attempt *a) {
    const field_run *run = a->run;
    for (int k = 0; k < run->roots && (run->missing < 0 || k <= run->missing); k++) a->reached[k]++;
    if (run->missing >= 0) a->witness[run->missing] = true;
}

/* Without a root of a radicand the try is a witness that it is no square; otherwise a draw. */
static bool try_once(attempt *a, uint64_t key) {
    field_begin(a->run, random_hash(key, (uint64_t)a->tries++, 61));
    field_enter(a->run);
    fill(a);
    bool done = spor_run(a->program, 0);
    field_enter(NULL);
    a->unknown = a->unknown || a->run->full || a->run->doubtful;
    a->roots = a->run->roots;
    if (a->unknown) return done;
    count_roots(a);
    if (a->run->missing >= 0) return done;
    a->draws++;
    for (int k = 0; k < a->q->trial->in.pairs && done; k++)
        compare_pair(a, &a->q->trial->in.pair[k]);
    return done;
}

/* ---- tries at one point ---------------------------------------------------------------------- */

/* log2 of binomial(tries, draws) (2^(heaviest + unit))^draws, or more: tries^draws / draws! is not
 * less than the binomial. (A sum and not lgamma, which writes the sign it found to a global.) */
static double log_chance(const attempt *a) {
    double sets = 0;
    for (int k = 1; k <= a->draws; k++) sets += log2((double)a->tries / k);
    return sets + a->draws * fmin(a->heaviest + unit, 0);
}

static bool has_witnesses(const attempt *a) {
    bool all = true;
    for (int k = 0; k < a->roots; k++) all = all && a->witness[k];
    return all;
}

/* A radicand that has a root whenever it was reached. */
static bool may_be_square(const attempt *a) {
    for (int k = 0; k < a->roots; k++)
        if (!a->witness[k] && a->reached[k] >= LIKELY_SQUARE) return true;
    return false;
}

static bool is_shown(const attempt *a) {
    if (a->unknown || a->differs || a->draws < LEAST_DRAWS) return false;
    return has_witnesses(a) && log_chance(a) <= enough;
}

static int64_t elements_of_tape(const spor_tape *tape) {
    int64_t elements = 0;
    for (uint32_t id = 1; id < tape->count; id++) elements += shape_size(tape->node[id].shape);
    return elements;
}

static bool may_try(const attempt *a, int64_t elements) {
    if (a->unknown || a->differs || is_shown(a) || may_be_square(a)) return false;
    if (a->draws >= MOST_DRAWS && has_witnesses(a)) return false;
    if (a->tries >= TRIES_A_ROOT << a->roots) return false;
    return elements <= affordable / (a->tries + 1);
}

static bool try_at_point(attempt *a) {
    uint64_t key = key_of(a->q);
    int64_t elements = elements_of_tape(a->q->trial->tape);
    bool done = true;
    if (spor_program_bytes(a->program) > VERIFY_MOST_BYTES) return true;
    while (done && may_try(a, elements)) done = try_once(a, key);
    return done;
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* False if memory runs out; an op that has no meaning in a field leaves an error. */
static bool compile(attempt *a) {
    spor_trial *trial = a->q->trial;
    spor_var outputs[2 * SPOR_PAIRS];
    for (int k = 0; k < trial->in.pairs; k++) {
        outputs[2 * k] = trial->in.pair[k].formula;
        outputs[2 * k + 1] = trial->in.pair[k].expected;
    }
    spor_options options = {.scalar = SPOR_FIELD, .reference = true};
    a->program = spor_compile(trial->tape, 2 * trial->in.pairs, outputs, NULL, &options);
    a->run = malloc(sizeof *a->run);
    if (!a->program || !a->run) return false;
    return a->program->meaningless || !spor_program_error(a->program);
}

/* Elements that residues were compared of. */
static int64_t count_elements(const spor_trial *trial) {
    int64_t elements = 0;
    for (int k = 0; k < trial->in.pairs; k++) {
        spor_shape shape = spor_shape_of(trial->in.pair[k].expected);
        elements += shape_size(&shape);
    }
    return elements;
}

/* Why nothing is claimed at the point. */
static const char *reason_of(const attempt *a) {
    if (!a->tries) return "too many elements";
    if (a->run->rounded) return "a number is rounded";
    if (a->run->full) return "too many roots or powers";
    if (a->run->doubtful) return "a comparison is at a tie";
    if (a->unknown) return "a pole, an infinity or the end of a domain is near";
    if (!has_witnesses(a)) return "a root may be one of a square";
    return "too few draws for the degrees";
}

static void take_down(const attempt *a) {
    oracle_finding *f = a->q->finding;
    bool shown = is_shown(a);
    if (!shown && !a->differs) f->unclaimed = reason_of(a);
    if (shown || a->differs) f->asked[SPOR_BY_FIELD] += count_elements(a->q->trial);
    f->shown += shown;
    f->not_shown += a->differs;
    if (shown) f->chance += exp2(log_chance(a));
    bool hopeless = !a->unknown && !shown; /* at other points it would be as it is here */
    f->settled = a->differs || hopeless || (shown && !a->q->trial->kinked);
}

/* Asked where nobody has found a fault. */
static bool ask(oracle_inquiry *q) {
    if (q->finding->failed || q->finding->settled || !q->trial->in.pairs) return true;
    attempt a = {.q = q};
    bool done = compile(&a);
    if (done && !spor_program_error(a.program)) {
        done = try_at_point(&a);
        if (done) take_down(&a);
    }
    spor_program_free(a.program);
    free(a.run);
    return done;
}

const oracle oracle_field = {
    .name = "field",
    .proves = "formula and tape are one over the reals, for these shapes and on the branches met, "
              "up to a chance that is told; not that the tape is right, nothing about rounding, "
              "kinks and other shapes, and of what it does not show nothing at all",
    .counted = "in the field",
    .dispute = SPOR_FORMULA_TAPE,
    .at = ORACLE_AT_MIDDLE,
    .in_search = true,
    .ask = ask,
};
