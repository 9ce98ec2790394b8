/* The fast path of softmax with cross-entropy against the reference. */
#include "../suite.h"

#include <math.h>
#include <stdio.h>
#include "probe.h"

typedef struct {
    int64_t N, M;
    double scale;      /* a power of two: l = scale x, exact */
    bool labels_first; /* y l rather than l y */
} xent_shape;

static spor_var record_xent(spor_tape *tape, const void *shape, probe_activation activation) {
    const xent_shape *s = shape;
    (void)activation;
    spor_shape rows = SPOR_SHAPE(s->N, s->M);
    spor_var x = probe_param(tape, "x", rows), y = probe_param(tape, "y", rows);
    spor_var scale = spor_expand(spor_constant(tape, s->scale), 3, rows);
    spor_var l = spor_mul(x, scale);
    spor_var yl = s->labels_first ? spor_mul(y, l) : spor_mul(l, y);
    return spor_sub(spor_logsumexp(l, 1), spor_sum(yl, SPOR_AXIS(1)));
}

/* One row. e^(l - most) is off by |l - most| + 4 units from the argument and the function, a sum of
 * M of them by M more, and the quotient by 2. */
static void row_bounds(const xent_shape *s, const double *x, const double *y, double G, double *dx,
                       double *dy, double *z) {
    const double unit = 0x1p-24, smallest = 0x1p-148; /* A underflows */
    double most = -HUGE_VAL, sum = 0, dot = 0, range = 0, M = (double)s->M;
    for (int64_t m = 0; m < s->M; m++) most = fmax(most, s->scale * x[m]);
    for (int64_t m = 0; m < s->M; m++) {
        double l = s->scale * x[m];
        sum += exp(l - most);
        dot += fabs(y[m] * l);
        range = fmax(range, most - l);
    }
    double relative = unit * (2 * range + M + 10);
    *z = relative + unit * ((M + 4) * dot + 4 * fabs(most) + 4 * log(sum));
    for (int64_t m = 0; m < s->M; m++) {
        double A = exp(s->scale * x[m] - most) / sum;
        dx[m] = s->scale * fabs(G) * (2 * relative * A + 4 * unit * (A + fabs(y[m])) + smallest);
        dy[m] = 2 * unit * fabs(G * s->scale * x[m]);
    }
}

static void xent_bounds(const void *shape, double *const value[], double *const bound[]) {
    const xent_shape *s = shape;
    for (int64_t n = 0; n < s->N; n++)
        row_bounds(s, value[0] + n * s->M, value[1] + n * s->M, value[2][n], bound[0] + n * s->M,
                   bound[1] + n * s->M, bound[2] + n);
}

static void check_xent(xent_shape s, int64_t number) {
    char what[120];
    snprintf(what, sizeof what, "cross-entropy %lld: l[%lld,%lld] up to %g", (long long)number,
             (long long)s.N, (long long)s.M, s.scale);
    probe_check(&(probe_layer){.path = "softmax_cross_entropy",
                               .record = record_xent,
                               .shape = &s,
                               .activation = PROBE_TANH,
                               .seed = (uint64_t)number,
                               .bounds = xent_bounds},
                what);
}

START_TEST(every_shape_agrees_with_the_reference) {
    static const double scales[] = {1, 8, 64, 0.125, 512};
    int64_t count = 0;
    for (int64_t M = 1; M <= 70; M++)
        for (int64_t N = 1; N <= 6; N++)
            for (size_t k = 0; k < sizeof scales / sizeof *scales; k++, count++)
                check_xent((xent_shape){N, M, scales[k], count % 2}, count);
    probe_count("softmax_cross_entropy", count);
    ck_assert_int_ge(count, 2000);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("fast cross-entropy");
    TCase *shapes = tcase_create("shapes");
    tcase_add_test(shapes, every_shape_agrees_with_the_reference);
    suite_add_tcase(suite, shapes);
    return suite;
}
