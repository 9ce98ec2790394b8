/* The fast path of softmax with cross-entropy against the reference. */
#include "../suite.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include "probe.h"

typedef struct {
    int64_t N, M;
    double scale;      /* a power of two: l = scale x, exact */
    bool labels_first; /* y l rather than l y */
    bool difference;   /* logsumexp(l) - sum(y l) rather than -sum(y log_softmax(l)) */
} xent_shape;

/* The loss of rows l and y, in either form. */
static spor_var record_rows(spor_var l, spor_var y, const xent_shape *s) {
    spor_var by = s->difference ? l : spor_log_softmax(l, 1);
    spor_var sum = spor_sum(s->labels_first ? spor_mul(y, by) : spor_mul(by, y), SPOR_AXIS(1));
    return s->difference ? spor_sub(spor_logsumexp(l, 1), sum) : spor_neg(sum);
}

static spor_var record_xent(spor_tape *tape, const void *shape, probe_activation activation) {
    const xent_shape *s = shape;
    (void)activation;
    spor_shape rows = SPOR_SHAPE(s->N, s->M);
    spor_var x = probe_param(tape, "x", rows), y = probe_param(tape, "y", rows);
    spor_var scale = spor_expand(spor_constant(tape, s->scale), 3, rows);
    return record_rows(spor_mul(x, scale), y, s);
}

/* One row. e^(l - most) is off by |l - most| + 4 units from the argument and the function, a sum of
 * M of them by M more, and the quotient by 2. */
static void row_bounds(const xent_shape *s, const double *x, const double *y, double G, double *dx,
                       double *dy, double *z) {
    const double unit = 0x1p-24, smallest = 0x1p-148; /* A underflows */
    double most = -HUGE_VAL, sum = 0, dot = 0, range = 0, weight = 0, M = (double)s->M;
    for (int64_t m = 0; m < s->M; m++) most = fmax(most, s->scale * x[m]);
    for (int64_t m = 0; m < s->M; m++) {
        double l = s->scale * x[m];
        sum += exp(l - most);
        dot += fabs(y[m]) * (fabs(l) + fabs(most));
        weight += fabs(y[m]);
        range = fmax(range, most - l);
    }
    double relative = unit * (2 * range + M + 10), all = s->difference ? 1 : weight;
    *z = all * relative + unit * ((M + 4) * (dot + all * log(sum)) + 4 * fabs(most) + 4 * log(sum));
    for (int64_t m = 0; m < s->M; m++) {
        double e = exp(s->scale * x[m] - most) / sum, A = all * e;
        double by = s->difference ? s->scale * x[m] : s->scale * x[m] - most - log(sum);
        dx[m] = s->scale * fabs(G) *
                (2 * relative * A + unit * (4 * (A + fabs(y[m])) + M * A) + smallest);
        dy[m] = fabs(G) * (2 * unit * fabs(by) + (s->difference ? 0 : relative + 2 * unit * range));
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
    snprintf(what, sizeof what, "cross-entropy %lld: %s, l[%lld,%lld] up to %g", (long long)number,
             s.difference ? "logsumexp(l) - y l" : "-y log_softmax(l)", (long long)s.N,
             (long long)s.M, s.scale);
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
                check_xent((xent_shape){N, M, scales[k], count % 2, count / 2 % 2}, count);
    probe_count("softmax_cross_entropy", count);
    ck_assert_int_ge(count, 2000);
}
END_TEST

/* Long rows: blocks of a row's sums, and what is left of them. */
START_TEST(rows_of_thousands_agree_with_the_reference) {
    static const int64_t sizes[] = {511, 512, 513, 1024, 5000};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        for (int difference = 0; difference < 2; difference++)
            check_xent((xent_shape){2, sizes[k], 4, true, difference}, (int64_t)k);
}
END_TEST

/* ---- large logits, in float ----------------------------------------------------------------- */

/* Losses z of two rows, fast (of an instruction set) or by reference (set NULL). */
static void losses_of(const xent_shape *s, const float *l, const float *y, const char *set,
                      float z[2]) {
    spor_tape *tape = spor_tape_new();
    spor_var in[] = {spor_input(tape, "l", SPOR_SHAPE(2, s->M)),
                     spor_input(tape, "y", SPOR_SHAPE(2, s->M))};
    spor_var rows = record_rows(in[0], in[1], s);
    spor_options options = {.isa = set, .reference = !set};
    spor_program *program = spor_compile(tape, 1, &rows, NULL, &options);
    ck_assert_msg(!spor_program_error(program), "%s", spor_program_error(program));
    memcpy(spor_program_arg(program, in[0]).data, l, 2 * (size_t)s->M * sizeof *l);
    memcpy(spor_program_arg(program, in[1]).data, y, 2 * (size_t)s->M * sizeof *y);
    ck_assert(spor_run(program, 0));
    memcpy(z, spor_program_arg(program, rows).data, 2 * sizeof *z);
    spor_program_free(program);
    spor_tape_free(tape);
}

static void check_losses(const xent_shape *s, const float *l, const float *y, double want) {
    for (const char *const *set = probe_sets();; set++) {
        float z[2];
        losses_of(s, l, y, *set, z);
        for (int n = 0; n < 2; n++)
            ck_assert_msg(fabs((double)z[n] - want) <= 4 * 0x1p-24 * want,
                          "%s, %s: %.9g, expected %.9g", *set ? *set : "reference",
                          s->difference ? "difference" : "weighted", (double)z[n], want);
        if (!*set) break;
    }
}

/* Tied logits of a million cost ln 2, and an offset of all changes nothing. The reference of the
 * difference takes it as it stands, and rounds the large numbers. */
START_TEST(large_logits_lose_nothing) {
    const float tied[] = {1e6F, 1e6F, -1e6F, -1e6F}, one_hot[] = {1, 0, 0, 1};
    const float apart[] = {1e5F, 1e5F + 4, 1e5F + 5.5F, 1e5F + 2, 1e5F - 30, 1e5F + 5};
    const float labels[] = {1, 0, 0, 0, 0, 0};
    float offset[12], first[12];
    double sum = 0;
    for (int m = 0; m < 6; m++) sum += exp((double)(apart[m] - apart[0]));
    for (int m = 0; m < 12; m++) offset[m] = apart[m % 6], first[m] = labels[m % 6];
    check_losses(&(xent_shape){.M = 2}, tied, one_hot, log(2));
    check_losses(&(xent_shape){.M = 6}, offset, first, log(sum));
}
END_TEST

/* The fused difference agrees with the reference where nothing can be shifted, too. */
START_TEST(infinities_and_nan_are_the_reference_s) {
    static const double values[] = {1, 0, -1, HUGE_VAL, -HUGE_VAL, (double)NAN};
    for (int k = 0; k < 6 * 6 * 3 * 2; k++) {
        const xent_shape s = {.M = 2, .difference = k % 2};
        float l[] = {(float)values[k / 2 % 6], (float)values[k / 12 % 6], 0, 0}, want[2], got[2];
        float y[] = {(float)values[k / 72 % 3], 1, 0.5F, 0.5F};
        losses_of(&s, l, y, NULL, want);
        for (const char *const *set = probe_sets(); *set; set++) {
            losses_of(&s, l, y, *set, got);
            bool same = isnan(want[0]) ? isnan(got[0])
                                       : got[0] == want[0] || fabsf(got[0] - want[0]) < 1e-6F;
            ck_assert_msg(same, "%s: l %g %g, y %g 1: %g, by reference %g", *set, (double)l[0],
                          (double)l[1], (double)y[0], (double)got[0], (double)want[0]);
        }
    }
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("fast cross-entropy");
    TCase *shapes = tcase_create("shapes");
    tcase_add_test(shapes, every_shape_agrees_with_the_reference);
    tcase_add_test(shapes, rows_of_thousands_agree_with_the_reference);
    suite_add_tcase(suite, shapes);
    TCase *large = tcase_create("large logits");
    tcase_add_test(large, large_logits_lose_nothing);
    tcase_add_test(large, infinities_and_nan_are_the_reference_s);
    suite_add_tcase(suite, large);
    return suite;
}
