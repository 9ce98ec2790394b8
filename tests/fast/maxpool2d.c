/* The max-pooling fast path against the reference: bit for bit, on data full of ties,
 * every fourth shape with what is not a number too. */
#include "../suite.h"

#include <stdio.h>
#include "probe.h"

typedef struct {
    int64_t N, H, W, C;
    spor_window window;
} pool_shape;

static spor_var record_pool(spor_tape *tape, const void *shape, probe_activation activation) {
    const pool_shape *s = shape;
    (void)activation;
    spor_var x = probe_param(tape, "x", SPOR_SHAPE(s->N, s->H, s->W, s->C));
    return spor_maxpool2d(x, s->window);
}

static bool draw_shape(uint64_t *state, pool_shape *s) {
    *s = (pool_shape){.N = PROBE_PICK(state, 1, 2, 3),
                      .H = PROBE_PICK(state, 1, 2, 3, 4, 5, 6, 7, 8),
                      .W = PROBE_PICK(state, 1, 2, 3, 4, 5, 6, 7, 9),
                      .C = PROBE_PICK(state, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 20, 31, 32, 33)};
    for (int a = 0; a < 2; a++) {
        int64_t size = s->window.size[a] = PROBE_PICK(state, 1, 2, 2, 3, 4, 5);
        s->window.stride[a] = probe_draw(state) % 2 ? size : PROBE_PICK(state, 1, 2, 3, 4);
        for (int end = 0; end < 2; end++)
            s->window.pad[2 * a + end] =
                probe_draw(state) % 2 ? 0 : (int64_t)(probe_draw(state) % (uint64_t)size);
        if ((a ? s->W : s->H) + s->window.pad[2 * a] + s->window.pad[2 * a + 1] < size)
            return false;
    }
    return true;
}

/* Padding may leave a window without a cell of the map: an error of the op, no shape for us. */
static bool is_recorded(const pool_shape *s) {
    spor_tape *tape = spor_tape_new();
    record_pool(tape, s, PROBE_NONE);
    bool recorded = !spor_error(tape);
    spor_tape_free(tape);
    return recorded;
}

static void check_pool(const pool_shape *s, int64_t number, bool holes) {
    const spor_window *w = &s->window;
    char what[200];
    snprintf(what, sizeof what,
             "maxpool %lld: x[%lld,%lld,%lld,%lld] size %lld,%lld stride %lld,%lld pad "
             "%lld,%lld,%lld,%lld",
             (long long)number, (long long)s->N, (long long)s->H, (long long)s->W, (long long)s->C,
             (long long)w->size[0], (long long)w->size[1], (long long)w->stride[0],
             (long long)w->stride[1], (long long)w->pad[0], (long long)w->pad[1],
             (long long)w->pad[2], (long long)w->pad[3]);
    /* relu: integers only; maxima are exact, and so are sums of a few integers */
    probe_check(&(probe_layer){.path = "maxpool2d",
                               .record = record_pool,
                               .shape = s,
                               .activation = PROBE_RELU,
                               .seed = (uint64_t)number,
                               .holes = holes},
                what);
}

START_TEST(every_shape_agrees_with_the_reference) {
    int64_t count = 0, overlapping = 0, apart = 0, padded = 0;
    for (uint64_t state = 3; count < 2400;) {
        pool_shape s;
        if (!draw_shape(&state, &s) || !is_recorded(&s)) continue;
        overlapping += s.window.size[0] > s.window.stride[0];
        apart += s.window.size[1] < s.window.stride[1];
        padded += s.window.pad[0] > 0 && s.window.pad[3] > 0;
        check_pool(&s, count, count % 4 == 0);
        count++;
    }
    probe_count("maxpool2d", count);
    ck_assert_int_ge(overlapping, 100);
    ck_assert_int_ge(apart, 100);
    ck_assert_int_ge(padded, 100);
}
END_TEST

/* A winner's number takes four bytes where a window has more than 256 cells. */
START_TEST(wide_windows_agree_with_the_reference) {
    static const pool_shape shapes[] = {
        {2, 16, 16, 3, {{16, 16}, {16, 16}, {0}}},
        {1, 18, 17, 17, {{17, 16}, {1, 1}, {0}}},
        {1, 20, 34, 5, {{9, 33}, {4, 2}, {8, 7, 20, 32}}},
    };
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++)
        check_pool(&shapes[k], (int64_t)k, k == 1);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("fast maxpool2d");
    TCase *shapes = tcase_create("shapes");
    tcase_add_test(shapes, every_shape_agrees_with_the_reference);
    tcase_add_test(shapes, wide_windows_agree_with_the_reference);
    suite_add_tcase(suite, shapes);
    return suite;
}
