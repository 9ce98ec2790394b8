/*
 * One oracle alone, asked about one instance: each finds the truth in its own way, and says when
 * it had nothing to say.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "verify/verify.h"

enum { DEFAULT_PROOFS = 20000, ELEMENTS = 64 };

/* Twice the unit roundoff: what one operation adds to an error, second order included. */
static const double unit = 0x1p-52;

typedef struct {
    spor_trial trial;
    const spor_effort *effort;
    spor_program *y; /* y over the error bound, for the oracles that evaluate it; else NULL */
    spor_answer *answer;
} inquiry;

/* A number that was computed, and how far it may be from the exact one. */
typedef struct {
    double value, bound;
} measured;

/* Takes down one comparison. With an infinite bound a formula may be anything: that is none. */
static void judge(spor_answer *answer, const spor_pair *pair, double formula, double truth,
                  double bound) {
    double difference = fabs(formula - truth);
    if (isinf(bound)) return;
    answer->elements++;
    if (difference <= bound) return;
    if (!answer->wrong++) snprintf(answer->pair, sizeof answer->pair, "%s", pair->name);
    if (answer->wrong > 1 && !(difference > answer->worst)) return;
    answer->worst = difference;
    answer->bound = bound;
}

static int64_t size_of(spor_var x) {
    spor_shape shape = spor_shape_of(x);
    return spor_size(&shape);
}

/* New data, and the formulas at them. */
static bool draw(inquiry *q, int number) {
    spor_verdict unused = {0};
    spor_finding finding;
    spor_trial_draw(&q->trial, q->effort->seed, number);
    return spor_trial_compare(&q->trial, &unused, &finding);
}

/* ---- integers, units, complex steps ---- */

/* Where the tape rounds nothing the truth is known exactly. A formula that rounds, dividing by N
 * say, may be off by what it rounded. */
static void judge_exact(inquiry *q, const spor_pair *pair) {
    for (int64_t k = 0; k < size_of(pair->expected); k++) {
        double formula_bound, expected_bound;
        double formula = spor_trial_value(&q->trial, pair->formula, k, &formula_bound);
        double expected = spor_trial_value(&q->trial, pair->expected, k, &expected_bound);
        if (!(expected_bound > 0)) judge(q->answer, pair, formula, expected, formula_bound);
    }
}

static bool ask_integers(inquiry *q) {
    for (int number = 0; number < SPOR_DRAWS - 1; number++) {
        if (!draw(q, number)) return false;
        for (int k = 0; k < q->trial.in.pairs; k++) judge_exact(q, &q->trial.in.pair[k]);
    }
    return true;
}

/* The answer in a finding of the trial's own. */
static void take_finding(inquiry *q, const spor_finding *finding, int64_t elements) {
    q->answer->elements = elements;
    if (!finding->failed) return;
    q->answer->wrong = finding->wrong;
    q->answer->worst = fabs(finding->formula - finding->expected);
    if (finding->dispute == SPOR_TAPE_ORACLE)
        q->answer->worst = fabs(finding->formula - finding->oracle);
    q->answer->bound = finding->bound;
    snprintf(q->answer->pair, sizeof q->answer->pair, "%s", q->trial.in.pair[finding->pair].name);
}

static bool ask_units(inquiry *q) {
    spor_verdict seen = {0};
    spor_finding finding;
    int64_t budget = q->effort->proofs > 0 ? q->effort->proofs : DEFAULT_PROOFS;
    if (!spor_trial_prove(&q->trial, &budget, &q->answer->proved, &seen, &finding)) return false;
    take_finding(q, &finding, seen.comparisons);
    q->answer->proved = q->answer->proved && seen.comparisons > 0;
    return true;
}

static bool ask_complex_step(inquiry *q) {
    spor_verdict seen = {0};
    spor_finding finding;
    if (!draw(q, SPOR_DRAWS - 1) || !spor_trial_oracle(&q->trial, &seen, &finding)) return false;
    take_finding(q, &finding, seen.oracle);
    return true;
}

/* ---- inner products with y ---- */

static bool compile_y(inquiry *q) {
    spor_options options = {.scalar = SPOR_BOUND, .reference = true};
    if (!q->trial.in.y.id) return true;
    q->y = spor_compile(q->trial.tape, 1, &q->trial.in.y, NULL, &options);
    return q->y != NULL;
}

static bool can_run_y(const inquiry *q) {
    return q->y && !spor_program_error(q->y);
}

static void fill_y(inquiry *q) {
    for (int k = 0; k < q->trial.in.inputs; k++)
        spor_trial_fill(q->y, q->trial.in.input[k], q->trial.data[k],
                        size_of(q->trial.in.input[k]));
}

/* sum + a b, with the rounding of both operations. */
static measured with_product(measured sum, double a, measured b) {
    double term = a * b.value, next = sum.value + term;
    return (measured){next, sum.bound + fabs(a) * b.bound + unit * (fabs(term) + fabs(next))};
}

/* <dy, y>, y as the program has it now. */
static bool product_with_y(inquiry *q, measured *product) {
    *product = (measured){0, 0};
    if (!spor_run(q->y, 0)) return false;
    const double *y = spor_program_arg(q->y, q->trial.in.y).data;
    const double *dy = q->trial.data[q->trial.in.dy];
    for (int64_t k = 0; k < size_of(q->trial.in.y); k++)
        *product = with_product(*product, dy[k], (measured){y[2 * k], y[2 * k + 1]});
    return true;
}

/* ---- the adjoint ---- */

/* How a node depends on one input, all others held fixed. */
typedef enum { CONSTANT, AFFINE, OTHERWISE } dependence;

static dependence larger(dependence a, dependence b) {
    return a > b ? a : b;
}

static dependence dependence_of_node(const spor_tape *tape, uint32_t id, const dependence on[]) {
    const spor_node *node = &tape->node[id];
    const spor_op *op = node->op;
    dependence first = op->operands ? on[node->in[0]] : CONSTANT, rest = CONSTANT;
    for (int k = 1; k < op->operands; k++) rest = larger(rest, on[node->in[k]]);
    dependence most = larger(first, rest);
    bool affine = op->traits & SPOR_LINEAR;
    if (op->traits & SPOR_BILINEAR) affine = first == CONSTANT || rest == CONSTANT;
    if (op->traits & SPOR_LINEAR_FIRST) affine = rest == CONSTANT;
    if (op->traits & SPOR_LINEAR_REST) affine = first == CONSTANT;
    return most == CONSTANT || affine ? most : OTHERWISE;
}

/* True if y(u) - y(0) is linear in u, the input. */
static bool is_affine(const inquiry *q, int input, dependence on[]) {
    const spor_tape *tape = q->trial.tape;
    uint32_t y = q->trial.in.y.id;
    for (uint32_t id = 1; id <= y; id++)
        on[id] = dependence_of_node(tape, id, on); /* of inputs: constant */
    on[q->trial.in.input[input].id] = AFFINE;
    for (uint32_t id = q->trial.in.input[input].id + 1; id <= y; id++)
        on[id] = dependence_of_node(tape, id, on);
    return on[y] != OTHERWISE;
}

/* <dy, y(u) - y(0)> against <formula, u>, u the input's data. */
static bool judge_adjoint(inquiry *q, const spor_pair *pair) {
    spor_var input = q->trial.in.input[pair->wrt];
    int64_t size = size_of(input);
    const double *u = q->trial.data[pair->wrt];
    measured at_u, at_zero, left, right = {0, 0};
    fill_y(q);
    if (!product_with_y(q, &at_u)) return false;
    memset(spor_program_arg(q->y, input).data, 0, 2 * (size_t)size * sizeof(double));
    if (!product_with_y(q, &at_zero)) return false;
    left.value = at_u.value - at_zero.value;
    left.bound = at_u.bound + at_zero.bound + unit * fabs(left.value);
    for (int64_t k = 0; k < size; k++) {
        measured g;
        g.value = spor_trial_value(&q->trial, pair->formula, k, &g.bound);
        right = with_product(right, u[k], g);
    }
    judge(q->answer, pair, right.value, left.value, left.bound + right.bound);
    return true;
}

static bool ask_adjoint(inquiry *q) {
    const spor_instance *in = &q->trial.in;
    if (!can_run_y(q)) return true;
    dependence *on = calloc(q->trial.tape->count, sizeof *on);
    bool done = on != NULL;
    for (int number = 0; number < SPOR_DRAWS && done; number++) {
        done = draw(q, number);
        for (int k = 0; k < in->pairs && done; k++)
            if (in->pair[k].wrt >= 0 && is_affine(q, in->pair[k].wrt, on))
                done = judge_adjoint(q, &in->pair[k]);
    }
    free(on);
    return done;
}

/* ---- differences ---- */

/*
 * F(t) = <dy, y(x + t e)>, e one element, known with a bound E of its rounding.
 *
 * The step is h = 2^-17, near the cube root of the unit roundoff where truncation and rounding of
 * a central difference are alike, times a power of two near |x|. The slopes on one side,
 * s(t) = (F(t) - F(0)) / t = F' + t F'' / 2 + t^2 F''' / 6 + ..., are known to
 * n(t) = (E(t) + E(0)) / |t|. Two steps give
 *
 *     centre   D(h) = (s(h) + s(-h)) / 2 = F' + h^2 F''' / 6 + ...
 *     a side   S(h) = 2 s(h) - s(2 h)    = F' - h^2 F''' / 3 + ...
 *
 * Both err by c h^2, so that the same with the step 2 h differs by 3 c h^2: the allowance is that
 * difference, three times the truncation, and the rounding of both.
 *
 * The sides of a smooth F agree to h^3 F'''' / 2, which is far below rounding. Where they do not,
 * at h or at 2 h, there is a kink within 4 h. If it lies at x, each side is smooth: its own S(h)
 * and S(2 h) differ by much less than the sides do. Else no side can be trusted.
 */
typedef struct {
    double slope, wider; /* with the step h, with 2 h */
    double noise, wider_noise;
} difference;

enum { STEPS = 3 }; /* h, 2 h, 4 h */

static double allowance(const difference *d) {
    return fabs(d->wider - d->slope) + d->noise + d->wider_noise;
}

static difference centre_of(const measured right[], const measured left[]) {
    return (difference){.slope = (right[0].value + left[0].value) / 2,
                        .wider = (right[1].value + left[1].value) / 2,
                        .noise = (right[0].bound + left[0].bound) / 2,
                        .wider_noise = (right[1].bound + left[1].bound) / 2};
}

static difference side_of(const measured s[]) {
    return (difference){.slope = 2 * s[0].value - s[1].value,
                        .wider = 2 * s[1].value - s[2].value,
                        .noise = 2 * s[0].bound + s[1].bound,
                        .wider_noise = 2 * s[1].bound + s[2].bound};
}

/* s(t) and n(t) for t = step, 2 step, 4 step. */
static bool slopes(inquiry *q, int input, int64_t k, double step, measured centre, measured s[]) {
    double *x = spor_program_arg(q->y, q->trial.in.input[input]).data;
    double middle = q->trial.data[input][k];
    for (int j = 0; j < STEPS; j++, step *= 2) {
        measured moved;
        x[2 * k] = middle + step;
        double t = x[2 * k] - middle;
        if (!product_with_y(q, &moved)) return false;
        s[j].value = (moved.value - centre.value) / t;
        s[j].bound = (moved.bound + centre.bound) / fabs(t) + unit * fabs(s[j].value);
    }
    x[2 * k] = middle;
    return true;
}

/* An element whose sides differ: the formula must be one of their slopes. */
static void judge_kink(inquiry *q, const spor_pair *pair, measured formula, const difference *right,
                       const difference *left) {
    double gap = fmax(fabs(right->slope - left->slope), fabs(right->wider - left->wider));
    if (!(fabs(right->wider - right->slope) <= gap / 16 + right->noise + right->wider_noise) ||
        !(fabs(left->wider - left->slope) <= gap / 16 + left->noise + left->wider_noise)) {
        q->answer->skipped++;
        return;
    }
    bool is_left = fabs(formula.value - left->slope) <= fabs(formula.value - right->slope);
    const difference *nearer = is_left ? left : right;
    int64_t wrong = q->answer->wrong;
    judge(q->answer, pair, formula.value, nearer->slope, allowance(nearer) + formula.bound);
    q->answer->kinks += wrong == q->answer->wrong;
}

static bool judge_element(inquiry *q, const spor_pair *pair, int64_t k, measured middle) {
    measured s[STEPS], t[STEPS], formula;
    double x = q->trial.data[pair->wrt][k], step = ldexp(0x1p-17, ilogb(fmax(1, fabs(x))));
    if (!slopes(q, pair->wrt, k, step, middle, s) || !slopes(q, pair->wrt, k, -step, middle, t))
        return false;
    difference right = side_of(s), left = side_of(t), centre = centre_of(s, t);
    formula.value = spor_trial_value(&q->trial, pair->formula, k, &formula.bound);
    if (fabs(right.slope - left.slope) > right.noise + left.noise ||
        fabs(right.wider - left.wider) > right.wider_noise + left.wider_noise)
        judge_kink(q, pair, formula, &right, &left);
    else
        judge(q->answer, pair, formula.value, centre.slope, allowance(&centre) + formula.bound);
    return true;
}

static bool judge_differences(inquiry *q, const spor_pair *pair) {
    int64_t size = size_of(q->trial.in.input[pair->wrt]), stride = 1 + (size - 1) / ELEMENTS;
    measured middle;
    fill_y(q);
    bool done = product_with_y(q, &middle);
    for (int64_t k = 0; k < size && done; k += stride) done = judge_element(q, pair, k, middle);
    return done;
}

/* On integers, where kinks are met exactly, and on reals. */
static bool ask_differences(inquiry *q) {
    const spor_instance *in = &q->trial.in;
    for (int number = 0; number < SPOR_DRAWS && can_run_y(q); number += SPOR_DRAWS - 1) {
        if (!draw(q, number)) return false;
        for (int k = 0; k < in->pairs; k++)
            if (in->pair[k].wrt >= 0 && !judge_differences(q, &in->pair[k])) return false;
    }
    return true;
}

static const struct {
    const char *name, *proves;
    bool (*ask)(inquiry *);
    bool evaluates_y;
} oracles[SPOR_ORACLES] = {
    [SPOR_BY_INTEGERS] = {"integers",
                          "indices, signs and factors are right wherever the tape rounds nothing, "
                          "up to the chance that random integers agree; not that the tape is right",
                          ask_integers, false},
    [SPOR_BY_ADJOINT] = {"adjoint",
                         "in the directions drawn the formula is the adjoint of what y does to the "
                         "input, where that is linear; one number for a whole tensor",
                         ask_adjoint, true},
    [SPOR_BY_UNITS] = {"units",
                       "formula and tape are equal for all values of these shapes, where both are "
                       "linear in each of the same tensors; not that the tape is right",
                       ask_units, false},
    [SPOR_BY_COMPLEX_STEP] = {"complex step",
                              "to rounding, the formula is the derivative of y at the points "
                              "drawn, whatever the tape's rules of differentiation say",
                              ask_complex_step, false},
    [SPOR_BY_DIFFERENCES] = {"differences",
                             "to about ten digits, the formula is the slope of y at the points "
                             "drawn, at kinks that of one side; nothing but y is evaluated",
                             ask_differences, true}};

const char *spor_oracle_name(spor_oracle oracle) {
    return oracles[oracle].name;
}

const char *spor_oracle_proves(spor_oracle oracle) {
    return oracles[oracle].proves;
}

static bool ask(inquiry *q, spor_oracle oracle) {
    q->answer->recording = q->trial.recording;
    if (q->trial.recording == SPOR_BROKEN)
        memcpy(q->answer->message, q->trial.in.message, sizeof q->answer->message);
    if (q->trial.recording != SPOR_RECORDED) return true;
    if (oracles[oracle].evaluates_y && !compile_y(q)) return false;
    return oracles[oracle].ask(q);
}

bool spor_ask_oracle(const spor_statement *statement, const int64_t values[], spor_oracle oracle,
                     const spor_effort *effort, spor_answer *answer) {
    inquiry q = {.effort = effort ? effort : &(spor_effort){0}, .answer = answer};
    *answer = (spor_answer){0};
    bool done = spor_trial_make(statement, values, &q.trial) && ask(&q, oracle);
    spor_program_free(q.y);
    spor_trial_free(&q.trial);
    answer->examined = answer->elements > 0;
    answer->caught = answer->wrong > 0;
    return done;
}
