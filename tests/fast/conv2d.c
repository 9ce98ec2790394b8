/* The convolutional fast paths, conv2d and convpool, against the reference. */
#include "../suite.h"

#include <stdio.h>
#include "probe.h"

typedef struct {
    int64_t N, H, W, C, k, l, F, stride[2], lo[2], hi[2];
    bool biased;
    spor_window window; /* size 0: no pooling */
} conv_shape;

static int64_t size_of(const conv_shape *s, int axis) {
    return axis ? s->W : s->H;
}
static int64_t kernel_of(const conv_shape *s, int axis) {
    return axis ? s->l : s->k;
}

/* Room for the windows along an axis beyond the first one. */
static int64_t room_of(const conv_shape *s, int axis) {
    return size_of(s, axis) + s->lo[axis] + s->hi[axis] - kernel_of(s, axis);
}

static int64_t pixels_of(const conv_shape *s) {
    return (1 + room_of(s, 0) / s->stride[0]) * (1 + room_of(s, 1) / s->stride[1]);
}

/* Elements of the pooled result. */
static int64_t windows_of(const conv_shape *s) {
    int64_t count = s->N * s->F;
    for (int a = 0; a < 2; a++) {
        int64_t padded =
            1 + room_of(s, a) / s->stride[a] + s->window.pad[2 * a] + s->window.pad[2 * a + 1];
        count *= 1 + (padded - s->window.size[a]) / s->window.stride[a];
    }
    return count;
}

static spor_var record_conv(spor_tape *tape, const void *shape, probe_activation activation) {
    const conv_shape *s = shape;
    spor_var x = probe_param(tape, "x", SPOR_SHAPE(s->N, s->H, s->W, s->C));
    spor_var K = probe_param(tape, "W", SPOR_SHAPE(s->k, s->l, s->C, s->F));
    if (s->lo[0] + s->lo[1] + s->hi[0] + s->hi[1] > 0)
        x = spor_pad(x, (int64_t[]){0, s->lo[0], s->lo[1], 0},
                     (int64_t[]){0, s->hi[0], s->hi[1], 0}, 0);
    spor_var z = spor_correlate2d(x, K, s->stride[0], s->stride[1]);
    if (s->biased) {
        spor_var b = probe_param(tape, "b", SPOR_SHAPE(s->F));
        z = spor_add(z,
                     spor_expand(b, SPOR_AXIS(0) | SPOR_AXIS(1) | SPOR_AXIS(2), spor_shape_of(z)));
    }
    spor_var y = probe_activate(z, activation);
    return s->window.size[0] ? spor_maxpool2d(y, s->window) : y;
}

/* ---- what the drawn shapes must have met ---- */

enum {
    REMAINDER,      /* rows or columns that no window reaches */
    STRIDE_APART,   /* a stride beyond the kernel */
    PAD_WHOLE,      /* p = w - 1 */
    PAD_BEYOND,     /* p > w - 1: delta~ is cropped */
    PAD_UNEQUAL,    /* top and bottom, or left and right, differ */
    ONE_PIXEL,      /* a map of 1 x 1 */
    ONE_ROW_KERNEL, /* 1 x k */
    WHOLE_IMAGE,    /* a single window */
    NO_PAD,
    CORNERS
};

static bool meets(const conv_shape *s, int corner) {
    bool met[CORNERS] = {false};
    for (int a = 0; a < 2; a++) {
        int64_t w = kernel_of(s, a), most = s->lo[a] > s->hi[a] ? s->lo[a] : s->hi[a];
        met[REMAINDER] |= room_of(s, a) % s->stride[a] != 0;
        met[STRIDE_APART] |= s->stride[a] > w;
        met[PAD_WHOLE] |= most == w - 1 && w > 1;
        met[PAD_BEYOND] |= most > w - 1;
        met[PAD_UNEQUAL] |= s->lo[a] != s->hi[a];
    }
    met[ONE_PIXEL] = s->H == 1 && s->W == 1;
    met[ONE_ROW_KERNEL] = s->k == 1 && s->l > 1;
    met[WHOLE_IMAGE] = pixels_of(s) == 1;
    met[NO_PAD] = s->lo[0] + s->lo[1] + s->hi[0] + s->hi[1] == 0;
    return met[corner];
}

static conv_shape draw_shape(uint64_t *state) {
    conv_shape s = {.N = PROBE_PICK(state, 1, 1, 2, 3, 5),
                    .H = PROBE_PICK(state, 1, 1, 2, 3, 4, 5, 6, 7),
                    .W = PROBE_PICK(state, 1, 1, 2, 3, 4, 5, 6, 9),
                    .C = PROBE_PICK(state, 1, 1, 2, 3, 4, 5, 8, 16, 17),
                    .k = PROBE_PICK(state, 1, 2, 3, 4, 5),
                    .l = PROBE_PICK(state, 1, 2, 3, 4),
                    .F = PROBE_PICK(state, 1, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 20, 32, 33)};
    bool padded = probe_draw(state) % 3 > 0, same = probe_draw(state) % 2;
    for (int a = 0; a < 2; a++) {
        s.stride[a] = PROBE_PICK(state, 1, 1, 2, 3, 4);
        if (!padded) continue;
        s.lo[a] = PROBE_PICK(state, 0, 1, 1, 2, 3, 4);
        s.hi[a] = same ? s.lo[a] : PROBE_PICK(state, 0, 1, 2, 3, 4);
    }
    s.biased = probe_draw(state) % 4 > 0;
    return s;
}

static bool is_wanted(const conv_shape *s) {
    if (room_of(s, 0) < 0 || room_of(s, 1) < 0) return false;
    return s->N * pixels_of(s) * s->k * s->l * s->C * s->F <= 12000;
}

/* Integers: Z is exact, so that y is off by 8 units, delta by 60 where dY <= 3, and a sum of n
 * products with |K| or |x| <= 3 by 180 n and its rounding; each delta may come from several windows
 * that overlap. */
static void pooled_bounds(const void *shape, double *const value[], double *const bound[]) {
    const conv_shape *s = shape;
    const double unit = 0x1p-24, overlap = (double)(s->window.size[0] * s->window.size[1]);
    double pixels = (double)(s->N * pixels_of(s)), filters = (double)(s->k * s->l * s->F);
    const double terms[] = {filters, pixels, pixels * overlap};
    const int64_t size[] = {s->N * s->H * s->W * s->C, s->k * s->l * s->C * s->F, s->F};
    (void)value;
    for (int k = 0; k < 2 + s->biased; k++)
        for (int64_t i = 0; i < size[k]; i++)
            bound[k][i] = overlap * terms[k] * unit * (180 + 9 * (terms[k] + overlap + 2));
    for (int64_t i = 0; i < windows_of(s); i++) bound[2 + s->biased][i] = 8 * unit;
}

/* NaN in x only where both sides multiply the same cells: the reference goes through zeros that we
 * leave out, between the strides and behind f', and 0 NaN is NaN. */
static bool with_holes(const conv_shape *s, int64_t number) {
    return s->window.size[0] > 0 && number % 5 == PROBE_NONE && s->stride[0] == 1 &&
           s->stride[1] == 1;
}

static void check_conv(const conv_shape *s, int64_t number) {
    int64_t cells = s->k * s->l, pixels = s->N * pixels_of(s);
    bool pooled = s->window.size[0] > 0;
    probe_layer layer = {.path = pooled ? "convpool" : "conv2d",
                         .record = record_conv,
                         .shape = s,
                         .activation = (probe_activation)(number % 5),
                         .terms = {cells * s->C + 1, cells * s->F, pixels, pixels},
                         .seed = (uint64_t)number,
                         .integers_only = pooled,
                         .holes = with_holes(s, number),
                         .bounds = pooled ? pooled_bounds : NULL};
    char what[280];
    snprintf(what, sizeof what,
             "conv %lld: x[%lld,%lld,%lld,%lld] K[%lld,%lld,.,%lld] stride %lld,%lld pad "
             "%lld,%lld,%lld,%lld%s activation %d pool %lld,%lld",
             (long long)number, (long long)s->N, (long long)s->H, (long long)s->W, (long long)s->C,
             (long long)s->k, (long long)s->l, (long long)s->F, (long long)s->stride[0],
             (long long)s->stride[1], (long long)s->lo[0], (long long)s->hi[0], (long long)s->lo[1],
             (long long)s->hi[1], s->biased ? " + b," : "", (int)layer.activation,
             (long long)s->window.size[0], (long long)s->window.size[1]);
    probe_check(&layer, what);
}

START_TEST(every_shape_agrees_with_the_reference) {
    int64_t count = 0, met[CORNERS] = {0};
    for (uint64_t state = 2; count < 3000;) {
        conv_shape s = draw_shape(&state);
        if (!is_wanted(&s)) continue;
        for (int corner = 0; corner < CORNERS; corner++) met[corner] += meets(&s, corner);
        check_conv(&s, count++);
    }
    probe_count("conv2d", count);
    for (int corner = 0; corner < CORNERS; corner++) ck_assert_int_ge(met[corner], 50);
}
END_TEST

static bool draw_window(uint64_t *state, conv_shape *s) {
    for (int a = 0; a < 2; a++) {
        int64_t size = s->window.size[a] = PROBE_PICK(state, 1, 2, 2, 2, 3);
        s->window.stride[a] = probe_draw(state) % 3 ? size : PROBE_PICK(state, 1, 2, 3);
        int64_t *pad = s->window.pad + 2 * a, map = 1 + room_of(s, a) / s->stride[a];
        for (int end = 0; end < 2; end++)
            pad[end] = probe_draw(state) % 2 ? 0 : (int64_t)(probe_draw(state) % (uint64_t)size);
        if (map + pad[0] + pad[1] < size) return false;
    }
    return true;
}

/* A window without a cell of the map is an error of the op, no shape for us. */
static bool is_recorded(const conv_shape *s) {
    spor_tape *tape = spor_tape_new();
    record_conv(tape, s, PROBE_NONE);
    bool recorded = !spor_error(tape);
    spor_tape_free(tape);
    return recorded;
}

START_TEST(every_pooled_shape_agrees_with_the_reference) {
    int64_t count = 0;
    for (uint64_t state = 4; count < 2500;) {
        conv_shape s = draw_shape(&state);
        if (!is_wanted(&s) || !draw_window(&state, &s) || !is_recorded(&s)) continue;
        check_conv(&s, count++);
    }
    probe_count("convpool", count);
}
END_TEST

/* Maps of the report's networks, one sample or two: many tiles and panels, groups that end early.
 */
START_TEST(larger_shapes_agree_with_the_reference) {
    static const conv_shape shapes[] = {
        {.N = 15, .H = 8, .W = 8, .C = 1, .k = 3, .l = 3, .F = 3, .lo = {1, 1}, .hi = {1, 1}},
        {.N = 2, .H = 28, .W = 28, .C = 1, .k = 3, .l = 3, .F = 20},
        {.N = 2, .H = 13, .W = 13, .C = 20, .k = 3, .l = 3, .F = 20},
        {.N = 1, .H = 16, .W = 16, .C = 32, .k = 3, .l = 3, .F = 32, .lo = {1, 1}, .hi = {1, 1}},
        {.N = 3, .H = 4, .W = 4, .C = 64, .k = 3, .l = 3, .F = 120, .lo = {1, 1}, .hi = {1, 1}},
        {.N = 5, .H = 1, .W = 1, .C = 128, .k = 3, .l = 3, .F = 128, .lo = {1, 1}, .hi = {1, 1}},
    };
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        conv_shape s = shapes[k];
        s.stride[0] = s.stride[1] = 1;
        s.biased = true;
        check_conv(&s, (int64_t)k);
        if (s.H == 1) continue;
        s.window = (spor_window){{2, 2}, {2, 2}, {0}};
        check_conv(&s, (int64_t)k);
    }
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("fast conv2d");
    TCase *shapes = tcase_create("shapes");
    tcase_add_test(shapes, every_shape_agrees_with_the_reference);
    tcase_add_test(shapes, every_pooled_shape_agrees_with_the_reference);
    tcase_add_test(shapes, larger_shapes_agree_with_the_reference);
    suite_add_tcase(suite, shapes);
    return suite;
}
