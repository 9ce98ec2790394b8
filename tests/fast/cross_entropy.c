/* Cross-entropy of logits that are large or no numbers: what its fast path does beyond its samples. */
#include "../suite.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <spor/spor.h>

#include "../support/sets.h"

typedef struct {
    int64_t M;
    bool difference; /* logsumexp(l) - sum(y l) rather than -sum(y log_softmax(l)) */
} xent_shape;

/* The loss of rows l and y, in either form. */
static spor_var record_rows(spor_var l, spor_var y, const xent_shape *s) {
    spor_var by = s->difference ? l : spor_log_softmax(l, 1);
    spor_var sum = spor_sum(spor_mul(by, y), SPOR_AXIS(1));
    return s->difference ? spor_sub(spor_logsumexp(l, 1), sum) : spor_neg(sum);
}

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
    for (const char *const *set = instruction_sets();; set++) {
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
        for (const char *const *set = instruction_sets(); *set; set++) {
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
    TCase *large = tcase_create("large logits");
    tcase_add_test(large, large_logits_lose_nothing);
    tcase_add_test(large, infinities_and_nan_are_the_reference_s);
    suite_add_tcase(suite, large);
    return suite;
}
