#include "opcheck.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "kernels/element.h"
#include "tape/tape.h"
#include "verify/verify.h"

/* ---- verdicts ------------------------------------------------------------------------------- */

static void fail(opcheck_verdict *v, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The first failure stays. */
static void fail(opcheck_verdict *v, const char *format, ...) {
    if (!v->passed) return;
    v->passed = false;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(v->what, sizeof v->what, format, arguments);
    va_end(arguments);
}

/* |got - want| <= bound, and both are numbers. */
static void compare(opcheck_verdict *v, const char *what, int operand, int64_t element, double got,
                    double want, double bound) {
    v->examined++;
    if (fabs(got - want) <= bound) return;
    fail(v, "%s %d, element %" PRId64 ": %.17g, expected %.17g within %.3g", what, operand, element,
         got, want, bound);
}

/* ---- record, bind, run, read ---------------------------------------------------------------- */

opcheck_record opcheck_record_op(const spor_op *op, const spor_shape *in, const spor_attr *attr) {
    opcheck_record r = {.tape = spor_tape_new()};
    for (int k = 0; k < op->operands; k++) {
        char name[] = {'x', (char)('0' + k), 0};
        r.in[k] = spor_input(r.tape, name, in[k]);
    }
    r.out = op->operands ? op_record(op, r.in, attr) : op_record_leaf(r.tape, op, attr);
    return r;
}

/* Two blocks of one number an element. */
static bool blocks(spor_var x, int64_t *n, double *first[], double *second[]) {
    spor_shape shape = spor_shape_of(x);
    *n = shape_size(&shape);
    *first = calloc((size_t)*n + 1, sizeof **first);
    *second = calloc((size_t)*n + 1, sizeof **second);
    return *first && *second;
}

bool opcheck_build(opcheck_machine *m, spor_scalar scalar, int inputs, const spor_var in[],
                   int outputs, const spor_var out[]) {
    *m = (opcheck_machine){.scalar = scalar, .inputs = inputs, .outputs = outputs};
    bool room = inputs <= OPCHECK_VARS && outputs <= OPCHECK_VARS;
    for (int k = 0; room && k < inputs; k++) {
        m->in[k] = in[k];
        room = blocks(in[k], &m->nx[k], &m->x[k], &m->ix[k]);
    }
    for (int k = 0; room && k < outputs; k++) {
        m->out[k] = out[k];
        room = blocks(out[k], &m->ny[k], &m->y[k], &m->iy[k]);
    }
    if (!room || !outputs || !out[0].tape || spor_error(out[0].tape)) return false;
    spor_options options = {.scalar = scalar, .reference = true};
    m->program = spor_compile(out[0].tape, outputs, out, NULL, &options);
    return m->program && !spor_program_error(m->program);
}

/* Plain numbers, but for the second one of SPOR_C128 and SPOR_BOUND, and for SPOR_ROUNDING, which
 * speaks of other code. An input that no output needs has no place in the program. */
static void bind_input(const opcheck_machine *m, int k) {
    spor_arg arg = spor_program_arg(m->program, m->in[k]);
    if (m->scalar == SPOR_ROUNDING) {
        rounding_fill(m->program, m->in[k], m->x[k], m->arithmetic);
        return;
    }
    for (int64_t e = 0; arg.data && e < m->nx[k]; e++) {
        element_types[m->scalar]->set(arg.data, e, m->x[k][e]);
        if (m->scalar == SPOR_C128 || m->scalar == SPOR_BOUND)
            ((double *)arg.data)[2 * e + 1] = m->ix[k][e];
    }
}

static bool read_output(const opcheck_machine *m, int k) {
    spor_arg arg = spor_program_arg(m->program, m->out[k]);
    for (int64_t e = 0; arg.data && e < m->ny[k]; e++) {
        m->y[k][e] = element_types[m->scalar]->value(arg.data, e);
        if (m->scalar == SPOR_C128 || m->scalar == SPOR_BOUND)
            m->iy[k][e] = ((const double *)arg.data)[2 * e + 1];
        if (m->scalar == SPOR_ROUNDING) rounding_value(m->program, m->out[k], e, &m->iy[k][e]);
    }
    return arg.data;
}

bool opcheck_run(opcheck_machine *m) {
    for (int k = 0; k < m->inputs; k++) bind_input(m, k);
    bool done = spor_run(m->program, 0);
    for (int k = 0; done && k < m->outputs; k++) done = read_output(m, k);
    return done;
}

void opcheck_free(opcheck_machine *m) {
    for (int k = 0; k < OPCHECK_VARS; k++) {
        free(m->x[k]);
        free(m->y[k]);
        free(m->ix[k]);
        free(m->iy[k]);
    }
    spor_program_free(m->program);
}

/* ---- values --------------------------------------------------------------------------------- */

/* A value of [-2, 2], of [1/2, 2], or of [1/2, 2] with a sign, in parts of 1/1024; or an index. */
static double draw(spor_domain domain, uint64_t bits) {
    if (domain == SPOR_ANY) return (double)((int64_t)(bits % 4097) - 2048) / 1024;
    if (domain == SPOR_INDEX) return (double)(bits % 3);
    double size = 0.5 + (double)(bits % 1537) / 1024;
    return domain == SPOR_NONZERO && bits >> 63 ? -size : size;
}

/* Levels 1/2, 3/2, ... of both signs times a spacing, in random order over all operands: distinct
 * by the spacing, which is 1/16, or less where that many would not lie within +-2. */
static void draw_tie_free(opcheck_machine *m, int n, const spor_domain domain[], uint64_t seed) {
    int64_t total = 0, at = 0;
    for (int k = 0; k < n; k++) total += domain[k] == SPOR_TIE_FREE ? m->nx[k] : 0;
    int64_t *order = calloc((size_t)total + 1, sizeof *order);
    double spacing = 1.0 / 16;
    while (spacing * (double)total > 4) spacing /= 2;
    if (order) random_shuffle(seed, total, order);
    for (int k = 0; order && k < n; k++)
        for (int64_t e = 0; domain[k] == SPOR_TIE_FREE && e < m->nx[k]; e++)
            m->x[k][e] = ((double)(order[at++] - total / 2) + 0.5) * spacing;
    free(order);
}

void opcheck_draw(opcheck_machine *m, int n, const spor_domain domain[], uint64_t seed) {
    draw_tie_free(m, n, domain, seed);
    for (int k = 0; k < n; k++)
        for (int64_t e = 0; domain[k] != SPOR_TIE_FREE && e < m->nx[k]; e++)
            m->x[k][e] = draw(domain[k], random_hash(seed, (uint64_t)k, (uint64_t)e));
}

void opcheck_draw_cotangent(double value[], int64_t n, uint64_t seed) {
    for (int64_t e = 0; e < n; e++)
        value[e] = (double)((int64_t)(random_hash(seed, 0, (uint64_t)e) % 2049) - 1024) / 1024;
}

/* Bound of the rounding errors of a sum of n terms whose factors are of the order of the results:
 * each of the n terms and of the n additions is off by at most epsilon / 2; 8 covers the products
 * of up to three factors within +-2 and the few ulp of libm. */
static double rounding(int64_t n, double largest, double epsilon) {
    return 8 * (double)n * (double)n * (1 + largest) * epsilon;
}

static int64_t elements(const opcheck_machine *m) {
    int64_t n = 0;
    for (int k = 0; k < m->inputs; k++) n += m->nx[k];
    for (int k = 0; k < m->outputs; k++) n += m->ny[k];
    return n;
}

static double largest_output(const opcheck_machine *m) {
    double largest = 0;
    for (int k = 0; k < m->outputs; k++)
        for (int64_t e = 0; e < m->ny[k]; e++) largest = fmax(largest, fabs(m->y[k][e]));
    return largest;
}

static double dot(const double a[], const double b[], int64_t n) {
    double sum = 0;
    for (int64_t e = 0; e < n; e++) sum += a[e] * b[e];
    return sum;
}

static double magnitude(const double a[], int64_t n) {
    double sum = 0;
    for (int64_t e = 0; e < n; e++) sum += fabs(a[e]);
    return sum;
}

/* ---- the signature -------------------------------------------------------------------------- */

opcheck_verdict opcheck_signature(const spor_op *op) {
    opcheck_verdict v = {.passed = true};
    spor_signature s;
    int slots = 0;
    char name[SPOR_NAME];
    if (!signature_parse(op->signature, &s)) {
        fail(&v, "the signature does not parse: %s", op->signature);
        return v;
    }
    for (int k = 0; k < s.attrs; k++) slots += s.attr[k].slots;
    if (s.operands != op->operands)
        fail(&v, "%d operands in the signature, %d in the op", s.operands, op->operands);
    if (op->error && op->error != slots++)
        fail(&v, "the slot of the error is %d, not the one behind the signature's", op->error);
    if (slots != op->attrs) fail(&v, "%d slots in the signature, %d in the op", slots, op->attrs);
    op_name(op, name, sizeof name);
    if (strcmp(name, s.name) != 0) fail(&v, "two names: %s and %s", name, s.name);
    if (!op->equation || !op->shape || !op->samples || !op->mistakes || !op->golden)
        fail(&v, "the descriptor is incomplete");
    v.examined = 5;
    return v;
}

/* ---- values from outside -------------------------------------------------------------------- */

static void compare_golden(opcheck_verdict *v, opcheck_machine *m, const spor_golden *golden) {
    for (int k = 0; k < m->inputs; k++)
        memcpy(m->x[k], golden->x[k], (size_t)m->nx[k] * sizeof(double));
    if (!opcheck_run(m)) {
        fail(v, "the program does not run: %s", spor_program_error(m->program));
        return;
    }
    for (int64_t e = 0; e < m->ny[0]; e++) {
        double got = m->y[0][e], want = golden->y[e];
        if (isnan(want) ? isnan(got) : got == want)
            v->examined++; /* infinities and what is not a number too */
        else
            compare(v, "result", 0, e, got, want, 4 * DBL_EPSILON * fabs(want));
    }
}

opcheck_verdict opcheck_golden(const spor_op *op, const spor_golden *golden) {
    opcheck_verdict v = {.passed = true};
    opcheck_machine m = {0};
    opcheck_record r = opcheck_record_op(op, golden->in, golden->attr);
    spor_shape shape = spor_shape_of(r.out);
    if (spor_error(r.tape))
        fail(&v, "%s", spor_error(r.tape));
    else if (!shape_equal(&shape, &golden->out))
        fail(&v, "the result has another shape");
    else if (!opcheck_build(&m, SPOR_F64, op->operands, r.in, 1, &r.out))
        fail(&v, "it does not compile: %s", spor_program_error(m.program));
    else
        compare_golden(&v, &m, golden);
    opcheck_free(&m);
    spor_tape_free(r.tape);
    return v;
}

opcheck_verdict opcheck_mistake(const spor_op *op, const spor_mistake *mistake) {
    opcheck_verdict v = {.passed = true, .examined = 1};
    char name[SPOR_NAME + 2];
    opcheck_record r = opcheck_record_op(op, mistake->in, mistake->attr);
    const char *error = spor_error(r.tape);
    int length = op_name(op, name, SPOR_NAME);
    memcpy(name + length, ": ", 3);
    if (r.out.id != 0)
        fail(&v, "it was recorded, but should be refused: %s", mistake->message);
    else if (!error)
        fail(&v, "no error, expected: %s", mistake->message);
    else if (!strstr(error, mistake->message) || !strstr(error, name))
        fail(&v, "the error is: %s, expected %s%s", error, name, mistake->message);
    spor_tape_free(r.tape);
    return v;
}

/* ---- an op with its first and second derivatives -------------------------------------------- */

/*
 * y = op(x), cotangent w; g_k = (dy/dx_k)^T w; cotangents u_k of g_k;
 * h_j = sum_k (dg_k/dx_j)^T u_k, and for j = operands: by w.
 * all is x, w, u in this order: the inputs of the programs below.
 */
typedef struct {
    opcheck_record r;
    int operands;
    spor_var all[OPCHECK_VARS]; /* x 0..n-1, w n, u n+1..2n */
    spor_var g[SPOR_OPERANDS], h[SPOR_OPERANDS + 1];
    bool good;
} derivatives;

static bool first_order(derivatives *d) {
    int n = d->operands;
    for (int k = 0; k < n; k++) d->all[k] = d->r.in[k];
    d->all[n] = spor_input(d->r.tape, "w", spor_shape_of(d->r.out));
    return spor_vjp(d->r.out, d->all[n], n, d->all, d->g);
}

static bool second_order(derivatives *d) {
    int n = d->operands;
    for (int k = 0; k < n; k++) {
        char name[] = {'u', (char)('0' + k), 0};
        spor_var part[SPOR_OPERANDS + 1];
        spor_var u = d->all[n + 1 + k] = spor_input(d->r.tape, name, spor_shape_of(d->g[k]));
        if (!spor_vjp(d->g[k], u, n + 1, d->all, part)) return false;
        for (int j = 0; j <= n; j++) d->h[j] = k ? spor_add(d->h[j], part[j]) : part[j];
    }
    return !spor_error(d->r.tape);
}

static derivatives differentiate(opcheck_verdict *v, const spor_op *op, const spor_sample *sample) {
    derivatives d = {.r = opcheck_record_op(op, sample->in, sample->attr),
                     .operands = op->operands};
    d.good = d.r.out.id && op->operands && first_order(&d) && second_order(&d);
    if (!d.good && op->operands) fail(v, "%s", spor_error(d.r.tape));
    return d;
}

/* Values for all of x, w, u, as far as the machine has them. */
static void draw_all(opcheck_machine *m, const derivatives *d, const spor_domain domain[],
                     uint64_t seed) {
    opcheck_draw(m, d->operands, domain, seed);
    for (int k = d->operands; k < m->inputs; k++)
        opcheck_draw_cotangent(m->x[k], m->nx[k], seed + 1 + (uint64_t)k);
}

/* ---- slopes ---------------------------------------------------------------------------------- */

/* phi(z) = sum_k <out_k(z), c_k>: an oracle tells its slope along element e of input j. */
typedef struct {
    spor_scalar scalar;
    double (*slope)(opcheck_machine *m, const double *const c[], int j, int64_t e);
    /* of the difference to a right derivative, m having run at z; largest: of what is claimed */
    double (*bound)(const opcheck_machine *m, const double *const c[], double largest);
} oracle;

static double weight(const opcheck_machine *m, const double *const c[]) {
    double W = 0;
    for (int k = 0; k < m->outputs; k++) W += magnitude(c[k], m->ny[k]);
    return W;
}

static double phi(opcheck_machine *m, const double *const c[]) {
    double sum = 0;
    if (!opcheck_run(m)) return (double)NAN;
    for (int k = 0; k < m->outputs; k++) sum += dot(m->y[k], c[k], m->ny[k]);
    return sum;
}

/*
 * Central differences. With D(h) = (phi(z + h) - phi(z - h)) / 2h the estimate is
 * R = (4 D(h) - D(2h)) / 3 = phi' - 4 h^4 phi^(5) / 5! - ...
 *
 * Truncation. phi is analytic within a distance of 2 rho = 1/2 of every value that opcheck_draw
 * gives (the poles nearest to them are those of log, sqrt and div at 0; tanh's lie at 1.57), so
 * |phi^(5)| / 5! <= M / rho^5 by Cauchy, M the largest |phi| on a circle of rho = 1/4 around z;
 * M <= 8 (1 + Y) W with Y the largest |out| at z and W = sum |c|, since halving the distance to
 * the pole multiplies x^-3 by 8. The terms left out together are less than a fourth of the first.
 * Kinked ops are linear between their kinks, and tie-free data stay between them.
 *
 * Rounding. Each phi is off by W rounding(n): R by 3/2 of this over h.
 */
static const double step = 0x1p-10, rho = 0.25;

/* D(h) along *x */
static double central(opcheck_machine *m, const double *const c[], double *x, double h) {
    double held = *x;
    *x = held + h;
    double up = phi(m, c);
    *x = held - h;
    double down = phi(m, c);
    *x = held;
    return (up - down) / (2 * h);
}

static double extrapolated(opcheck_machine *m, const double *const c[], int j, int64_t e) {
    double near = central(m, c, &m->x[j][e], step), far = central(m, c, &m->x[j][e], 2 * step);
    return (4 * near - far) / 3;
}

static double difference_bound(const opcheck_machine *m, const double *const c[], double largest) {
    double Y = largest_output(m), scale = pow(step, 4) / pow(rho, 5);
    double rounded = rounding(elements(m), Y, DBL_EPSILON) / step;
    return weight(m, c) * (5 * scale * 8 * (1 + Y) + 1.5 * rounded) +
           rounding(elements(m), largest, DBL_EPSILON);
}

static const oracle central_differences = {SPOR_F64, extrapolated, difference_bound};

/* The complex step: phi' = Im phi(z + i h) / h. h^2 vanishes beside 1, and nothing is subtracted,
 * so that only rounding is left. Branches look at the real part. */
static const double imaginary_step = 1e-200;

static double imaginary(opcheck_machine *m, const double *const c[], int j, int64_t e) {
    double sum = 0;
    m->ix[j][e] = imaginary_step;
    if (!opcheck_run(m)) return (double)NAN;
    m->ix[j][e] = 0;
    for (int k = 0; k < m->outputs; k++) sum += dot(m->iy[k], c[k], m->ny[k]);
    return sum / imaginary_step;
}

static double imaginary_bound(const opcheck_machine *m, const double *const c[], double largest) {
    return (1 + weight(m, c)) * rounding(elements(m), largest, DBL_EPSILON);
}

static const oracle complex_step = {SPOR_C128, imaginary, imaginary_bound};

/* An index moves in jumps: it has no slope. */
static double no_slope(opcheck_machine *m, const double *const c[], int j, int64_t e) {
    (void)m, (void)c, (void)j, (void)e;
    return 0;
}

/* The outputs of claims are the gradients of phi by the first inputs of m, operands first. */
static void compare_slopes(opcheck_verdict *v, const char *what, const oracle *by,
                           opcheck_machine *m, const double *const c[],
                           const opcheck_machine *claims, const spor_op *op) {
    phi(m, c);
    double bound = by->bound(m, c, largest_output(claims));
    for (int j = 0; j < claims->outputs; j++) {
        bool index = j < op->operands && op->domain[j] == SPOR_INDEX;
        for (int64_t e = 0; v->passed && e < m->nx[j]; e++)
            compare(v, what, j, e, claims->y[j][e], (index ? no_slope : by->slope)(m, c, j, e),
                    bound);
    }
}

/* Programs for y and g in the oracle's scalar type, and for what is claimed, g and h, in double. */
typedef struct {
    opcheck_machine y, g, dy, dg;
} machines;

static bool build_machines(machines *m, const derivatives *d, spor_scalar scalar) {
    int n = d->operands;
    return opcheck_build(&m->y, scalar, n, d->all, 1, &d->r.out) &&
           opcheck_build(&m->g, scalar, n + 1, d->all, n, d->g) &&
           opcheck_build(&m->dy, SPOR_F64, n + 1, d->all, n, d->g) &&
           opcheck_build(&m->dg, SPOR_F64, 2 * n + 1, d->all, n + 1, d->h);
}

static void compare_orders(opcheck_verdict *v, const oracle *by, machines *m, const derivatives *d,
                           const spor_op *op, uint64_t seed) {
    opcheck_machine *each[] = {&m->y, &m->g, &m->dy, &m->dg};
    for (int k = 0; k < 4; k++) draw_all(each[k], d, op->domain, seed);
    const double *const *w = (const double *const *)m->dg.x + d->operands, *const *u = w + 1;
    if (!opcheck_run(&m->dy) || !opcheck_run(&m->dg)) {
        fail(v, "the derivatives do not run");
        return;
    }
    compare_slopes(v, "first derivative by operand", by, &m->y, w, &m->dy, op);
    compare_slopes(v, "second derivative by operand", by, &m->g, u, &m->dg, op);
}

static opcheck_verdict check_slopes(const spor_op *op, const spor_sample *sample,
                                    const oracle *by) {
    opcheck_verdict v = {.passed = true};
    machines m = {0};
    derivatives d = differentiate(&v, op, sample);
    if (d.good && !build_machines(&m, &d, by->scalar)) fail(&v, "the derivatives do not compile");
    for (uint64_t seed = 1; d.good && v.passed && seed <= 2; seed++)
        compare_orders(&v, by, &m, &d, op, seed * 1000);
    opcheck_free(&m.y);
    opcheck_free(&m.g);
    opcheck_free(&m.dy);
    opcheck_free(&m.dg);
    spor_tape_free(d.r.tape);
    return v;
}

opcheck_verdict opcheck_gradient(const spor_op *op, const spor_sample *sample) {
    return check_slopes(op, sample, &central_differences);
}

opcheck_verdict opcheck_complex_step(const spor_op *op, const spor_sample *sample) {
    return check_slopes(op, sample, &complex_step);
}

/* ---- adjoints ------------------------------------------------------------------------------- */

/* Subtracts the value at u = 0 from y: what is left of an affine op is linear. */
static bool without_offset(opcheck_machine *m, int operands) {
    double *rest = calloc((size_t)m->ny[0], sizeof *rest);
    opcheck_machine zero = *m; /* other operands, the same results */
    bool room = rest;
    for (int k = 0; k < operands; k++) {
        zero.x[k] = calloc((size_t)m->nx[k], sizeof(double));
        room = room && zero.x[k];
    }
    bool done = room && opcheck_run(&zero);
    if (done) memcpy(rest, m->y[0], (size_t)m->ny[0] * sizeof *rest);
    done = done && opcheck_run(m);
    for (int64_t e = 0; done && e < m->ny[0]; e++) m->y[0][e] -= rest[e];
    for (int k = 0; k < operands; k++) free(zero.x[k]);
    free(rest);
    return done;
}

/* m: inputs x, w; outputs y, g. <y, w> against <x_k, g_k>, summed from first to last. */
static void compare_dots(opcheck_verdict *v, const opcheck_machine *m, int operands, int first,
                         int last) {
    double left = dot(m->y[0], m->x[operands], m->ny[0]), right = 0, weight = 0;
    for (int k = first; k <= last; k++) {
        right += dot(m->x[k], m->y[1 + k], m->nx[k]);
        weight += magnitude(m->x[k], m->nx[k]);
    }
    weight += magnitude(m->x[operands], m->ny[0]);
    compare(v, "<A u, v> from operand", first, 0, left, right,
            weight * rounding(elements(m), largest_output(m), DBL_EPSILON));
}

static void compare_adjoint(opcheck_verdict *v, opcheck_machine *m, const spor_op *op) {
    int last = op->operands - 1;
    bool ran = op->traits & SPOR_LINEAR ? without_offset(m, op->operands) : opcheck_run(m);
    if (!ran)
        fail(v, "it does not run");
    else if (op->traits & SPOR_LINEAR)
        compare_dots(v, m, op->operands, 0, last);
    else if (op->traits & SPOR_LINEAR_FIRST)
        compare_dots(v, m, op->operands, 0, 0);
    else if (op->traits & SPOR_LINEAR_REST)
        compare_dots(v, m, op->operands, 1, last);
    else
        for (int k = 0; k <= last; k++) compare_dots(v, m, op->operands, k, k);
}

opcheck_verdict opcheck_adjoint(const spor_op *op, const spor_sample *sample) {
    opcheck_verdict v = {.passed = true};
    opcheck_machine m = {0};
    derivatives d = differentiate(&v, op, sample);
    spor_var out[] = {d.r.out, d.g[0], d.g[1], d.g[2], d.g[3]};
    if (d.good && !opcheck_build(&m, SPOR_F64, d.operands + 1, d.all, 1 + d.operands, out))
        fail(&v, "it does not compile");
    for (uint64_t seed = 1; d.good && v.passed && seed <= 3; seed++) {
        draw_all(&m, &d, op->domain, seed * 1000);
        compare_adjoint(&v, &m, op);
    }
    opcheck_free(&m);
    spor_tape_free(d.r.tape);
    return v;
}

/* ---- margins -------------------------------------------------------------------------------- */

/* What a margin of windows of one cell is at least. */
static const double no_rival = 0x1p100;

/* m: inputs x, w; outputs the margin, y, g. Moves the operands that decide, each by less than half
 * of the least margin in a random direction: no decision may change, in g or, where g is 0
 * everywhere, in y. */
static void compare_decisions(opcheck_verdict *v, opcheck_machine *m, const spor_op *op,
                              uint64_t seed) {
    double least = 1, slopes = 0, *before[OPCHECK_VARS] = {NULL};
    if (!opcheck_run(m)) fail(v, "it does not run");
    for (int64_t e = 0; e < m->ny[0]; e++) least = fmin(least, m->y[0][e]);
    if (!(least > 0)) fail(v, "without ties the least margin is %g", least);
    for (int k = 1; k < m->outputs; k++) {
        before[k] = calloc((size_t)m->ny[k], sizeof(double));
        if (before[k]) memcpy(before[k], m->y[k], (size_t)m->ny[k] * sizeof(double));
        if (k > 1) slopes += magnitude(m->y[k], m->ny[k]);
    }
    for (int k = 0; k < op->operands; k++)
        for (int64_t e = 0; op->domain[k] == SPOR_TIE_FREE && e < m->nx[k]; e++)
            m->x[k][e] +=
                random_hash(seed, (uint64_t)k, (uint64_t)e) % 2 ? 0.49 * least : -0.49 * least;
    if (!opcheck_run(m)) fail(v, "it does not run");
    for (int k = slopes > 0 ? 2 : 1; k < m->outputs; k++)
        for (int64_t e = 0; before[k] && e < m->ny[k]; e++)
            compare(v, "decision in output", k, e, m->y[k][e], before[k][e], 0);
    for (int k = 0; k < m->outputs; k++) free(before[k]);
}

static void compare_tie(opcheck_verdict *v, opcheck_machine *m, const spor_op *op) {
    for (int k = 0; k < op->operands; k++)
        for (int64_t e = 0; op->domain[k] == SPOR_TIE_FREE && e < m->nx[k]; e++) m->x[k][e] = 0;
    if (!opcheck_run(m)) fail(v, "it does not run");
    for (int64_t e = 0; e < m->ny[0]; e++)
        if (!(m->y[0][e] > no_rival)) compare(v, "margin of a tie", 0, e, m->y[0][e], 0, 0);
}

opcheck_verdict opcheck_margin(const spor_op *op, const spor_sample *sample) {
    opcheck_verdict v = {.passed = true};
    opcheck_machine m = {0};
    derivatives d = differentiate(&v, op, sample);
    spor_var out[] = {op->margin(d.r.out), d.r.out, d.g[0], d.g[1], d.g[2]};
    if (d.good && !opcheck_build(&m, SPOR_F64, d.operands + 1, d.all, 2 + d.operands, out))
        fail(&v, "it does not compile");
    for (uint64_t seed = 1; d.good && v.passed && seed <= 3; seed++) {
        draw_all(&m, &d, op->domain, seed * 1000);
        compare_decisions(&v, &m, op, seed);
        compare_tie(&v, &m, op);
    }
    opcheck_free(&m);
    spor_tape_free(d.r.tape);
    return v;
}

/* ---- the other checks ----------------------------------------------------------------------- */

static bool registered(const spor_op *op) {
    for (int k = 0; spor_ops[k]; k++)
        if (spor_ops[k] == op) return true;
    return false;
}

opcheck_verdict opcheck_closure(const spor_op *op, const spor_sample *sample) {
    opcheck_verdict v = {.passed = true};
    derivatives d = differentiate(&v, op, sample);
    for (uint32_t id = 1; d.good && id <= spor_tape_length(d.r.tape); id++, v.examined++) {
        const spor_op *used = tape_node_of(spor_tape_var(d.r.tape, id))->op;
        if (used != op && !registered(used)) fail(&v, "records %s", used->signature);
    }
    spor_tape_free(d.r.tape);
    return v;
}

opcheck_verdict opcheck_zero(const spor_op *op, const spor_sample *sample) {
    opcheck_verdict v = {.passed = true};
    opcheck_machine m = {0};
    derivatives d = differentiate(&v, op, sample);
    bool built = d.good && opcheck_build(&m, SPOR_F64, d.operands + 1, d.all, d.operands, d.g);
    if (built) opcheck_draw(&m, d.operands, op->domain, 5);
    if (d.good && (!built || !opcheck_run(&m))) fail(&v, "the derivative does not run");
    for (int k = 0; built && k < m.outputs; k++)
        for (int64_t e = 0; e < m.ny[k]; e++)
            compare(&v, "derivative by operand", k, e, m.y[k][e], 0, 0);
    opcheck_free(&m);
    spor_tape_free(d.r.tape);
    return v;
}

static void compare_inputs(opcheck_verdict *v, opcheck_machine *m) {
    for (int k = 0; k < m->inputs; k++) {
        spor_arg arg = spor_program_arg(m->program, m->in[k]);
        v->examined++;
        if (memcmp(arg.data, m->x[k], (size_t)m->nx[k] * sizeof(double)) != 0)
            fail(v, "operand %d was written to", k);
    }
}

static void compare_runs(opcheck_verdict *v, opcheck_machine *m) {
    size_t bytes = (size_t)m->ny[0] * sizeof(double);
    double *first = malloc(bytes);
    if (!first || !opcheck_run(m))
        fail(v, "it does not run");
    else {
        memcpy(first, m->y[0], bytes);
        compare_inputs(v, m);
        if (!opcheck_run(m) || memcmp(first, m->y[0], bytes) != 0)
            fail(v, "a second run gives other bits");
        v->examined += m->ny[0];
    }
    free(first);
}

/* A machine for the op alone, its inputs drawn. False, with a verdict unless the op has no
 * kernel, if there is none. */
static bool alone(opcheck_verdict *v, opcheck_machine *m, spor_scalar scalar,
                  const opcheck_record *r, const spor_op *op) {
    if (!op->reference[scalar] || !*op->reference[scalar]) return false;
    if (!opcheck_build(m, scalar, op->operands, r->in, 1, &r->out)) {
        fail(v, "it does not compile: %s",
             m->program ? spor_program_error(m->program) : spor_error(r->tape));
        return false;
    }
    opcheck_draw(m, op->operands, op->domain, 9);
    return true;
}

opcheck_verdict opcheck_repeat(const spor_op *op, const spor_sample *sample) {
    opcheck_verdict v = {.passed = true};
    opcheck_machine m = {0};
    opcheck_record r = opcheck_record_op(op, sample->in, sample->attr);
    if (alone(&v, &m, SPOR_F64, &r, op)) compare_runs(&v, &m);
    opcheck_free(&m);
    spor_tape_free(r.tape);
    return v;
}

/* Element e of the result over another scalar type against the one in double. */
static void compare_scalar(opcheck_verdict *v, const opcheck_machine *wide,
                           const opcheck_machine *other, int64_t e, double bound) {
    double want = wide->y[0][e], second = other->iy[0][e];
    bool too_large = other->scalar == SPOR_F32 && fabs(want) > (double)FLT_MAX;
    if (!too_large) compare(v, "scalar type", (int)other->scalar, e, other->y[0][e], want, bound);
    if (other->scalar == SPOR_C128) compare(v, "imaginary part", 0, e, second, 0, 0);
    if (other->scalar == SPOR_BOUND && !(second >= 0 && second <= (double)FLT_MAX))
        fail(v, "element %" PRId64 " has the bound %g", e, second);
    if (other->scalar == SPOR_ROUNDING && !(second >= 0 && second <= DBL_MAX))
        fail(v, "element %" PRId64 " may be off by %g in float", e, second);
}

static void compare_scalars(opcheck_verdict *v, const opcheck_machine *wide, opcheck_machine *other,
                            double epsilon) {
    if (!opcheck_run(other)) fail(v, "it does not run");
    double bound = rounding(elements(wide), largest_output(wide), epsilon);
    for (int64_t e = 0; v->passed && e < wide->ny[0]; e++) compare_scalar(v, wide, other, e, bound);
}

/* What a result may be off by, relatively, from the one in double; 0: the same bits. */
static double epsilon_of(spor_scalar scalar) {
    if (scalar == SPOR_F32) return (double)FLT_EPSILON;
    return scalar == SPOR_BOUND || scalar == SPOR_ROUNDING ? 0 : DBL_EPSILON;
}

opcheck_verdict opcheck_scalars(const spor_op *op, const spor_sample *sample) {
    opcheck_verdict v = {.passed = true};
    opcheck_machine wide = {0};
    opcheck_record r = opcheck_record_op(op, sample->in, sample->attr);
    bool runs = alone(&v, &wide, SPOR_F64, &r, op) && opcheck_run(&wide);
    for (int scalar = 0; runs && scalar < SPOR_SCALARS; scalar++) {
        opcheck_machine other = {0};
        if (scalar != SPOR_F64 && alone(&v, &other, (spor_scalar)scalar, &r, op))
            compare_scalars(&v, &wide, &other, epsilon_of((spor_scalar)scalar));
        opcheck_free(&other);
    }
    opcheck_free(&wide);
    spor_tape_free(r.tape);
    return v;
}

/* ---- error bounds --------------------------------------------------------------------------- */

/* Errors of the operands: none, of rounding, and as large as the distances between values, so that
 * comparisons are turned. */
static double draw_error(uint64_t bits) {
    static const double errors[] = {0, 0x1p-40, 0x1p-4, 0x1p-2};
    return errors[bits % 4];
}

/* A point of the interval: an end or anything between. */
static double draw_within(double x, double e, uint64_t bits) {
    double u = 2 * (double)(bits >> 11) * 0x1p-53 - 1;
    return x + e * (bits % 3 == 0 ? 1 : bits % 3 == 1 ? -1 : u);
}

/* interval ran at x +- e; point is run at points inside: its results, known to their own bounds,
 * lie within interval's. An infinite bound says nothing. */
static void compare_points(opcheck_verdict *v, const opcheck_machine *interval,
                           opcheck_machine *point, uint64_t seed) {
    for (int k = 0; k < point->inputs; k++)
        for (int64_t e = 0; e < point->nx[k]; e++)
            point->x[k][e] = draw_within(interval->x[k][e], interval->ix[k][e],
                                         random_hash(seed, (uint64_t)k, (uint64_t)e));
    if (!opcheck_run(point)) fail(v, "it does not run");
    for (int64_t e = 0; e < point->ny[0]; e++)
        if (isfinite(interval->iy[0][e]))
            compare(v, "bound of result", 0, e, point->y[0][e], interval->y[0][e],
                    interval->iy[0][e] + point->iy[0][e]);
}

opcheck_verdict opcheck_bound(const spor_op *op, const spor_sample *sample) {
    opcheck_verdict v = {.passed = true};
    opcheck_machine interval = {0}, point = {0};
    opcheck_record r = opcheck_record_op(op, sample->in, sample->attr);
    bool good = alone(&v, &interval, SPOR_BOUND, &r, op) && alone(&v, &point, SPOR_BOUND, &r, op);
    for (uint64_t seed = 1; good && v.passed && seed <= 8; seed++) {
        opcheck_draw(&interval, op->operands, op->domain, seed);
        for (int k = 0; k < op->operands; k++)
            for (int64_t e = 0; op->domain[k] != SPOR_INDEX && e < interval.nx[k]; e++)
                interval.ix[k][e] = draw_error(random_hash(seed, (uint64_t)k + 8, (uint64_t)e));
        if (!opcheck_run(&interval)) fail(&v, "it does not run");
        for (uint64_t round = 0; round < 12; round++)
            compare_points(&v, &interval, &point, 100 * seed + round);
    }
    opcheck_free(&interval);
    opcheck_free(&point);
    spor_tape_free(r.tape);
    return v;
}

/* ---- traits --------------------------------------------------------------------------------- */

static void check_alias(opcheck_verdict *v, opcheck_machine *m) {
    if (m->nx[0] != m->ny[0] || !opcheck_run(m)) fail(v, "no alias");
    for (int64_t e = 0; v->passed && e < m->ny[0]; e++)
        compare(v, "alias", 0, e, m->y[0][e], m->x[0][e], 0);
}

/* The derivative reads y, never x. */
static void check_value_slope(opcheck_verdict *v, const spor_op *op, const spor_sample *sample) {
    derivatives d = differentiate(v, op, sample);
    for (uint32_t id = d.r.out.id + 1; d.good && id <= d.g[0].id; id++, v->examined++) {
        const spor_node *node = tape_node_of(spor_tape_var(d.r.tape, id));
        for (int k = 0; k < node->op->operands; k++)
            if (node->in[k] == d.r.in[0].id) fail(v, "the derivative reads x");
    }
    spor_tape_free(d.r.tape);
}

/* Changing all rows of operand 0 but the first leaves the first row of the result as it was. */
static void check_rows(opcheck_verdict *v, opcheck_machine *m) {
    spor_shape x = spor_shape_of(m->in[0]), y = spor_shape_of(m->out[0]);
    if (!x.rank || !y.rank || x.n[0] != y.n[0] || x.n[0] < 2) return;
    int64_t row_x = m->nx[0] / x.n[0], row_y = m->ny[0] / y.n[0];
    double *row = malloc((size_t)row_y * sizeof *row);
    if (!row || !opcheck_run(m))
        fail(v, "it does not run");
    else {
        memcpy(row, m->y[0], (size_t)row_y * sizeof *row);
        for (int64_t e = row_x; e < m->nx[0]; e++) m->x[0][e] += 3;
        if (!opcheck_run(m)) fail(v, "it does not run");
        for (int64_t e = 0; e < row_y; e++)
            compare(v, "row 0 after a change of the others", 0, e, m->y[0][e], row[e], 0);
    }
    free(row);
}

/* Along the axis, the op's first attribute. */
static void check_shares(opcheck_verdict *v, opcheck_machine *m) {
    spor_shape shape = spor_shape_of(m->out[0]);
    double sum = 0, lines = (double)m->ny[0] / (double)shape.n[op_attrs(m->out[0])[0].i];
    if (!opcheck_run(m)) fail(v, "it does not run");
    for (int64_t e = 0; e < m->ny[0]; e++) {
        if (m->y[0][e] < 0) fail(v, "a negative share");
        sum += m->y[0][e];
    }
    compare(v, "sum of shares", 0, 0, sum, lines, 1e-13 * lines);
}

/* The first element says whether the number is added or changes nothing. */
static void check_logits(opcheck_verdict *v, opcheck_machine *m) {
    double *before = calloc((size_t)m->ny[0], sizeof *before);
    if (!before || !opcheck_run(m)) fail(v, "it does not run");
    for (int64_t e = 0; before && e < m->ny[0]; e++) before[e] = m->y[0][e];
    for (int64_t e = 0; e < m->nx[0]; e++) m->x[0][e] += 2;
    if (!opcheck_run(m)) fail(v, "it does not run");
    double added = before && fabs(m->y[0][0] - before[0]) > 1 ? 2 : 0;
    for (int64_t e = 0; before && e < m->ny[0]; e++)
        compare(v, "after 2 was added", 0, e, m->y[0][e], before[e] + added, 1e-13);
    free(before);
}

static void check_chances(opcheck_verdict *v, opcheck_machine *m) {
    if (!opcheck_run(m)) fail(v, "it does not run");
    for (int64_t e = 0; e < m->ny[0]; e++)
        if (!(m->y[0][e] >= 0 && m->y[0][e] <= 1)) fail(v, "no chance");
}

static void check_scores(opcheck_verdict *v, opcheck_machine *m) {
    for (int64_t e = 0; e < m->nx[0]; e++) m->x[0][e] -= 1000;
    if (!opcheck_run(m)) fail(v, "it does not run");
    for (int64_t e = 0; e < m->ny[0]; e++) compare(v, "far below 0", 0, e, m->y[0][e], 0, 1e-300);
}

/* ---- what is known of numbers when they are recorded ---- */

static bool is_number_of(const opcheck_machine *m, double y) {
    for (int k = 0; k < m->inputs; k++)
        for (int64_t e = 0; e < m->nx[k]; e++)
            if (fabs(m->x[k][e] - y) <= 0) return true;
    return false;
}

static void check_picks(opcheck_verdict *v, opcheck_machine *m) {
    if (!opcheck_run(m)) fail(v, "it does not run");
    for (int64_t e = 0; e < m->ny[0]; e++)
        if (!is_number_of(m, m->y[0][e])) fail(v, "a number that no operand has");
}

static bool is_true(unsigned truth, double y) {
    return (truth & SPOR_SOME_0 && fabs(y) <= 0) || (truth & SPOR_SOME_1 && fabs(y - 1) <= 0);
}

/* Operands of 0s, of 1s and of both: which = 1, 2 or 3, as their truth is. */
static void fill_truth(opcheck_machine *m, int k, unsigned which) {
    for (int64_t e = 0; e < m->nx[k]; e++)
        m->x[k][e] = which == 3 ? (double)(random_hash(5, (uint64_t)k, (uint64_t)e) % 2)
                                : (double)(which == SPOR_SOME_1);
}

static void check_truth(opcheck_verdict *v, opcheck_machine *m, const opcheck_record *r) {
    spor_node *node = &r->tape->node[r->out.id];
    int all = 1, operands = node->op->operands;
    for (int k = 0; k < operands; k++) all *= 3;
    for (int c = 0; c < all; c++) {
        for (int k = 0, rest = c; k < operands; k++, rest /= 3) {
            unsigned which = (unsigned)(rest % 3) + 1;
            fill_truth(m, k, which);
            r->tape->node[r->in[k].id].truth = (unsigned char)which;
        }
        unsigned truth = known_truth(r->tape, node);
        if (!opcheck_run(m)) fail(v, "it does not run");
        for (int64_t e = 0; truth && e < m->ny[0]; e++)
            if (!is_true(truth, m->y[0][e])) fail(v, "of 0s and 1s it makes %g", m->y[0][e]);
        v->examined += truth ? m->ny[0] : 0;
    }
    for (int k = 0; k < operands; k++) r->tape->node[r->in[k].id].truth = 0;
}

static void check_decides(opcheck_verdict *v, opcheck_machine *m) {
    if (!opcheck_run(m)) fail(v, "it does not run");
    for (int64_t e = 0; e < m->ny[0]; e++)
        if (!is_true(SPOR_SOME_0 | SPOR_SOME_1, m->y[0][e])) fail(v, "neither 0 nor 1");
}

static void check_number(opcheck_verdict *v, opcheck_machine *m, const spor_op *op) {
    if (!opcheck_run(m)) fail(v, "it does not run");
    for (int64_t e = 0; e < m->ny[0]; e++)
        compare(v, "number", 0, e, m->y[0][e], op->number(op_attrs(m->out[0]), e), 0);
}

opcheck_verdict opcheck_traits(const spor_op *op, const spor_sample *sample) {
    opcheck_verdict v = {.passed = true};
    opcheck_machine m = {0};
    opcheck_record r = opcheck_record_op(op, sample->in, sample->attr);
    if (!!(op->traits & SPOR_LEAF) != !op->operands) fail(&v, "a leaf is what has no operands");
    if (op->domain[0] == SPOR_TIE_FREE && !(op->traits & SPOR_KINKED))
        fail(&v, "tie-free data for an op without kinks");
    if (!!op->margin != !!(op->traits & SPOR_KINKED)) fail(&v, "a margin is what kinked ops have");
    bool index = false;
    for (int k = 0; k < op->operands; k++) index = index || op->domain[k] == SPOR_INDEX;
    if (index != !!op->named) fail(&v, "whoever takes an index says how many rows there are");
    v.examined = 3;
    bool runs = alone(&v, &m, SPOR_F64, &r, op);
    if (runs && op->number) check_number(&v, &m, op);
    if (runs && op->operands) {
        if (op->traits & SPOR_DECIDES) check_decides(&v, &m);
        if (op->traits & SPOR_ALIAS) check_alias(&v, &m);
        if (op->traits & SPOR_SHARES) check_shares(&v, &m);
        if (op->traits & SPOR_CHANCES) check_chances(&v, &m);
        if (op->traits & SPOR_LOGITS) check_logits(&v, &m);
        if (op->traits & SPOR_VALUE_SLOPE) check_value_slope(&v, op, sample);
        if (!(op->traits & SPOR_MIXES_SAMPLES)) check_rows(&v, &m);
        if (op->traits & SPOR_SCORES) check_scores(&v, &m);
        if (op->traits & SPOR_PICKS) check_picks(&v, &m);
        if (op->traits & SPOR_PICKS || op->truth) check_truth(&v, &m, &r);
    }
    opcheck_free(&m);
    spor_tape_free(r.tape);
    return v;
}
