/* The dense fast path against the reference. */
#include "../suite.h"

#include <stdio.h>
#include "probe.h"

typedef struct {
    int64_t N, n, m;
    bool biased;
} dense_shape;

static spor_var record_dense(spor_tape *tape, const void *shape, probe_activation activation) {
    const dense_shape *s = shape;
    spor_var x = probe_param(tape, "x", SPOR_SHAPE(s->N, s->n));
    spor_var W = probe_param(tape, "W", SPOR_SHAPE(s->n, s->m));
    spor_var z = spor_matmul(x, W);
    if (s->biased) {
        spor_var b = probe_param(tape, "b", SPOR_SHAPE(s->m));
        spor_var repeated = spor_expand(b, SPOR_AXIS(0), SPOR_SHAPE(s->N, s->m));
        z = s->n % 2 ? spor_add(z, repeated) : spor_add(repeated, z);
    }
    return probe_activate(z, activation);
}

static void check_dense(dense_shape s, int64_t number) {
    probe_layer layer = {.path = "dense",
                         .record = record_dense,
                         .shape = &s,
                         .activation = (probe_activation)(number % 5),
                         .terms = {s.n + 1, s.m, s.N, s.N},
                         .seed = (uint64_t)number};
    char what[160];
    snprintf(what, sizeof what, "dense %lld: x[%lld,%lld] W[.,%lld]%s activation %d",
             (long long)number, (long long)s.N, (long long)s.n, (long long)s.m,
             s.biased ? " + b," : "", (int)layer.activation);
    probe_check(&layer, what);
}

/* Rows around the heights of tiles, columns around the widths of vectors and panels. */
START_TEST(every_shape_agrees_with_the_reference) {
    static const int64_t rows[] = {1, 2, 3, 5, 6, 7, 12, 13}, terms[] = {1, 2, 3, 8, 17},
                         columns[] = {1,  2,  3,  4,  5,  7,  8,  9,  10, 12, 15, 16, 17,
                                      20, 24, 31, 32, 33, 47, 48, 49, 63, 64, 65, 80, 81};
    int64_t count = 0;
    for (size_t a = 0; a < sizeof rows / sizeof *rows; a++)
        for (size_t b = 0; b < sizeof terms / sizeof *terms; b++)
            for (size_t c = 0; c < sizeof columns / sizeof *columns; c++, count++)
                check_dense((dense_shape){rows[a], terms[b], columns[c], count % 3 > 0}, count);
    for (uint64_t state = 1; count < 2100; count++) {
        dense_shape s = {.N = 1 + (int64_t)(probe_draw(&state) % 26),
                         .n = 1 + (int64_t)(probe_draw(&state) % 40),
                         .m = 1 + (int64_t)(probe_draw(&state) % 40)};
        s.biased = probe_draw(&state) % 4 > 0;
        check_dense(s, count);
    }
    /* a few rows of a large matrix: taken as it lies */
    for (int64_t N = 1; N < 6; N++)
        for (int64_t m = 60; m < 70; m++, count++)
            check_dense((dense_shape){N, 80, m, m % 2}, count);
    probe_count("dense", count);
    ck_assert_int_ge(count, 2000);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("fast dense");
    TCase *shapes = tcase_create("shapes");
    tcase_add_test(shapes, every_shape_agrees_with_the_reference);
    suite_add_tcase(suite, shapes);
    return suite;
}
