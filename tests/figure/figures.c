/*
 * Figures and the page of a run. The walk knows no figure: it draws all of the table `pictures` for networks
 * and data of many kinds, hostile ones too, and holds what each leaves, or says, against what all must be.
 */
#include "../suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spor/spor.h>

#include "../data/scratch.h"
#include "../support/xml.h"
#include "base/checksum.h"
#include "base/shape.h"
#include "figure/axis.h"
#include "figure/elements.h"
#include "figure/figure.h"
#include "figure/image.h"
#include "train/page.h"

static void check_has(const char *text, const char *part) {
    ck_assert_msg(text && strstr(text, part), "\"%s\" is not in: %.2000s", part, text ? text : "");
}

/* ---- axes ------------------------------------------------------------------------------------- */

/* The numbers along an axis from least to most, from the lowest on, with a bar behind each. */
static const char *numbers_along(double least, double most) {
    static char out[400];
    figure_axis axis = {.from = 1000, .to = 0};
    spor_text svg = {0};
    axis_cover(&axis, least, most);
    axis_draw_vertical(&svg, &axis, 0, 100);
    xml_check(svg.at, svg.size);
    out[0] = 0;
    for (const char *at = svg.at; (at = strstr(at, "</text>")); at++) {
        const char *from = at;
        while (from[-1] != '>') from--;
        snprintf(out + strlen(out), sizeof out - strlen(out), "%.*s|", (int)(at - from), from);
    }
    text_free(&svg);
    return out;
}

START_TEST(numbers_along_an_axis_are_short_and_differ) {
    ck_assert_str_eq(numbers_along(0, 1), "0.0|0.2|0.4|0.6|0.8|1.0|");
    ck_assert_str_eq(numbers_along(-900000, 900000), "-500000|0|500000|");
    ck_assert_str_eq(numbers_along(0, 4.8e9), "0|1e9|2e9|3e9|4e9|");
    ck_assert_str_eq(numbers_along(-1.1e10, 1.1e10), "-1e10|-5e9|0|5e9|1e10|");
    ck_assert_str_eq(numbers_along(0, 5e-7), "0|1e-7|2e-7|3e-7|4e-7|5e-7|");
    ck_assert_str_eq(numbers_along(1.00001e9, 1.00003e9),
                     "1.00001e9|1.000015e9|1.00002e9|1.000025e9|1.00003e9|");
}
END_TEST

/* ---- pixels ----------------------------------------------------------------------------------- */

START_TEST(checksums_are_those_of_the_standards) {
    ck_assert_uint_eq(checksum_crc32("123456789", 9), 0xcbf43926);
    ck_assert_uint_eq(checksum_crc32("", 0), 0);
    ck_assert_uint_eq(checksum_adler32("Wikipedia", 9), 0x11e60398);
    ck_assert_uint_eq(checksum_adler32("", 0), 1);
}
END_TEST

/* The picture of numbers, decoded, and the text it stands in. */
static xml_picture drawn(const image_size *size, const double number[], bool is_signed,
                         bool *others) {
    const figure_box box = {100, 200, 640, 640};
    image_scale scale = image_no_scale(is_signed);
    spor_text svg = {0};
    xml_picture picture;
    image_cover(&scale, number, size->height * size->width * size->channels);
    image_draw(&svg, &box, size, number, &scale);
    xml_check(svg.at, svg.size);
    ck_assert_ptr_null(xml_next_picture(xml_next_picture(svg.at, &picture), &(xml_picture){0}));
    *others = scale.others;
    text_free(&svg);
    return picture;
}

static void check_pixel(const xml_picture *p, int row, int column, unsigned colour) {
    const unsigned char *at = p->pixel + 3 * (row * p->width + column);
    unsigned got = (unsigned)at[0] << 16 | (unsigned)at[1] << 8 | at[2];
    if (got != colour)
        ck_abort_msg("pixel [%d, %d] is %06x and not %06x", row, column, got, colour);
}

/* Of 2 x 3 numbers each is repeated 10 times each way. */
START_TEST(numbers_are_shades_of_grey) {
    const image_size size = {2, 3, 1};
    const double number[] = {-4, -3, 0, 2, 5, 6}; /* -4 is black, 6 is white */
    bool others;
    xml_picture p = drawn(&size, number, false, &others);
    ck_assert(p.width == 30 && p.height == 20 && !others);
    static const unsigned grey[] = {0x000000, 0x1a1a1a, 0x666666, 0x999999, 0xe6e6e6, 0xffffff};
    for (int row = 0; row < p.height; row++)
        for (int column = 0; column < p.width; column++)
            check_pixel(&p, row, column, grey[row / 10 * 3 + column / 10]);
    free(p.pixel);
}
END_TEST

START_TEST(signed_numbers_are_blue_and_orange) {
    const image_size size = {1, 4, 1};
    const double number[] = {-2, 0, 1, 4};
    bool others;
    xml_picture p = drawn(&size, number, true, &others);
    static const unsigned colour[] = {0x84a0c0, 0xffffff, 0xe9cdc0, 0xa63603};
    for (int k = 0; k < 4; k++) check_pixel(&p, 0, k * p.width / 4, colour[k]);
    free(p.pixel);
}
END_TEST

START_TEST(three_channels_are_red_green_and_blue) {
    const image_size size = {1, 2, 3};
    const double number[] = {0, 0.2, 1, 1, 0.4, 0};
    bool others;
    xml_picture p = drawn(&size, number, false, &others);
    check_pixel(&p, 0, 0, 0x0033ff);
    check_pixel(&p, 0, p.width - 1, 0xff6600);
    free(p.pixel);
}
END_TEST

START_TEST(what_is_no_number_is_green_and_one_number_grey) {
    const image_size size = {2, 2, 1};
    const double number[] = {nan(""), 0, HUGE_VAL, 1}, same[] = {7, 7, 7, 7},
                 huge[] = {-1.7e308, 0, 0, 1.7e308};
    bool others;
    xml_picture p = drawn(&size, number, false, &others);
    int half = p.width / 2;
    ck_assert(others);
    check_pixel(&p, 0, 0, 0x3cdc3c);
    check_pixel(&p, half, 0, 0x3cdc3c);
    check_pixel(&p, 0, half, 0x000000);
    check_pixel(&p, half, half, 0xffffff);
    free(p.pixel);
    p = drawn(&size, same, false, &others);
    check_pixel(&p, 0, 0, 0x808080);
    free(p.pixel);
    p = drawn(&size, same, true, &others);
    check_pixel(&p, 0, 0, 0xa63603);
    free(p.pixel);
    p = drawn(&size, huge, false, &others);
    check_pixel(&p, 0, half, 0x808080);
    free(p.pixel);
}
END_TEST

/* One pixel in four along each side of 200 x 130. */
START_TEST(large_pictures_are_thinned) {
    const image_size size = {200, 130, 1};
    double *number = malloc(200 * 130 * sizeof *number);
    bool others;
    for (int k = 0; k < 200 * 130; k++) number[k] = k / 130 % 4 || k % 130 % 4 ? 0 : 1;
    xml_picture p = drawn(&size, number, false, &others);
    ck_assert(p.height == 50 && p.width == 33);
    for (int k = 0; k < 50 * 33; k++) check_pixel(&p, k / 33, k % 33, 0xffffff);
    free(p.pixel);
    free(number);
}
END_TEST

/* ---- runs of all kinds -------------------------------------------------------------------------- */

/* XML, HTML and UTF-8 that ends early; a name of 200 letters is made below. */
static char nasty[] = "<script>&\"'</script>]]>",
            letters[] = "\xc3\xa5\xe6\xb0\xb4\xf0\x9f\x90\x9f", broken[] = "\xff\xfe\x80\xc3",
            control[] = "a\x1b[31m\tb\n\x7f\xef\xbf\xbf", empty[] = "", lengthy[201];
static char *const hostile[] = {nasty, letters, broken, control, empty, lengthy};
enum { HOSTILE = 6 };

/* What the numbers of a sample are. */
static double ramp(int64_t k) {
    return (double)(k * 37 % 101) / 16;
}
static double constant(int64_t k) {
    return 0 * (double)k + 3;
}
static double holes(int64_t k) {
    return k % 5 ? ramp(k) : nan("");
}
static double giants(int64_t k) {
    return k % 2 ? 1.7e308 : -1.7e308;
}

static const struct kind {
    const char *name;
    spor_shape sample;
    int64_t rows, test; /* all, and of these to test with */
    int classes;        /* 0: targets are `targets` numbers, or the sample itself */
    int targets;
    double (*number)(int64_t k);
    const char *drawn; /* of images, mistakes, numbers, kernels, maps: those that must be there */
} kinds[] = {
    {"grey",
     {.rank = 3, .n = {8, 6, 1}},
     60,
     30,
     6,
     0,
     ramp,
     "samples.svg mistakes.svg confusion.svg kernels.svg maps.svg"},
    {"flat",
     {.rank = 2, .n = {8, 6}},
     60,
     30,
     6,
     0,
     ramp,
     "samples.svg mistakes.svg kernels.svg maps.svg"},
    {"colour",
     {.rank = 3, .n = {5, 7, 3}},
     60,
     30,
     6,
     0,
     ramp,
     "samples.svg mistakes.svg kernels.svg maps.svg"},
    {"large",
     {.rank = 3, .n = {150, 90, 3}},
     30,
     25,
     2,
     0,
     ramp,
     "samples.svg kernels.svg maps.svg"},
    {"one pixel", {.rank = 3, .n = {1, 1, 1}}, 20, 10, 2, 0, ramp, "samples.svg kernels.svg"},
    {"constant",
     {.rank = 2, .n = {4, 4}},
     20,
     10,
     3,
     0,
     constant,
     "samples.svg kernels.svg maps.svg"},
    {"no numbers",
     {.rank = 2, .n = {4, 4}},
     20,
     10,
     3,
     0,
     holes,
     "samples.svg kernels.svg maps.svg"},
    {"giants", {.rank = 2, .n = {4, 4}}, 20, 10, 3, 0, giants, "samples.svg"},
    {"columns", {.rank = 1, .n = {9}}, 60, 30, 6, 0, ramp, "mistakes.svg confusion.svg"},
    {"two channels", {.rank = 3, .n = {4, 4, 2}}, 20, 10, 3, 0, ramp, "confusion.svg"},
    {"many classes", {.rank = 1, .n = {4}}, 1200, 100, 1000, 0, ramp, "mistakes.svg confusion.svg"},
    {"too many classes", {.rank = 1, .n = {4}}, 1200, 100, 1001, 0, ramp, "mistakes.svg"},
    {"one class", {.rank = 1, .n = {4}}, 20, 10, 1, 0, ramp, "confusion.svg"},
    {"no test", {.rank = 2, .n = {4, 4}}, 20, 0, 3, 0, ramp, "samples.svg kernels.svg"},
    {"regression", {.rank = 1, .n = {4}}, 6000, 5000, 0, 1, ramp, "residuals.svg"},
    {"regressions", {.rank = 2, .n = {4, 4}}, 60, 30, 0, 5, ramp, "residuals.svg samples.svg"},
    {"constant target", {.rank = 1, .n = {4}}, 20, 10, 0, 1, constant, "residuals.svg"},
    {"target is x", {.rank = 2, .n = {4, 4}}, 20, 10, 0, 0, ramp, "samples.svg kernels.svg"},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static int64_t outputs_of(const struct kind *k) {
    return k->classes ? k->classes : k->targets ? k->targets : shape_size(&k->sample);
}

/* A convolution if the sample has room for one, or may have it, and a dense layer. */
static spor_var net(spor_var x, bool training, void *user) {
    const struct kind *k = user;
    spor_shape s = spor_shape_of(x);
    (void)training;
    spor_scope_begin(x.tape, "net");
    if (s.rank >= 3 && k->classes) {
        int64_t h = s.n[1], w = s.n[2], c = s.rank == 4 ? s.n[3] : 1;
        spor_scope_begin(x.tape, "conv[]");
        spor_var K = spor_param(x.tape, "K", SPOR_SHAPE(h > 1 ? 2 : 1, w > 1 ? 2 : 1, c, 30),
                                SPOR_INIT("normal", 1));
        x = spor_tanh(spor_correlate2d(spor_reshape(x, SPOR_SHAPE(s.n[0], h, w, c)), K, 1, 1));
        spor_scope_end(x.tape, x);
        s = spor_shape_of(x);
    }
    int64_t size = shape_size(&s) / s.n[0];
    spor_scope_begin(x.tape, "dense[]");
    spor_var W = spor_param(x.tape, "W", SPOR_SHAPE(size, outputs_of(k)), SPOR_INIT("normal", 1));
    x = spor_matmul(spor_reshape(x, SPOR_SHAPE(s.n[0], size)), W);
    spor_scope_end(x.tape, x);
    if (!k->classes && !k->targets) {
        x = spor_reshape(x, shape_rows(s.n[0], &k->sample));
    }
    spor_scope_end(x.tape, x);
    return x;
}

/* A run of a kind: data, an untrained network and what is seen of it. */
typedef struct {
    spor_data data;
    spor_split split;
    spor_model *model;
    pictures_net net;
    spor_history history;
    spor_evaluation test;
    spor_seen seen;
    char *name[1001];
    pictures_source from;
} run;

static void make_data(run *r, const struct kind *k) {
    spor_data *d = &r->data;
    int64_t size = shape_size(&k->sample);
    *d = (spor_data){.name = "<data> & \xff", .rows = k->rows, .scale = 1, .classes = k->classes};
    d->x = (spor_values){.keep = SPOR_KEEP_F64, .shape = k->sample};
    double *x = d->x.value = malloc((size_t)(k->rows * size) * sizeof(double));
    for (int64_t i = 0; i < k->rows * size; i++) x[i] = k->number(i);
    if (k->classes) d->label = malloc((size_t)k->rows * sizeof *d->label);
    for (int64_t i = 0; i < k->rows && k->classes; i++) d->label[i] = (int32_t)(i % k->classes);
    for (int i = 0; i < k->classes; i++) r->name[i] = hostile[i % HOSTILE];
    d->class_name = k->classes ? r->name : NULL;
    if (!k->targets) return;
    d->y = (spor_values){.keep = SPOR_KEEP_F64, .shape = SPOR_SHAPE(k->targets)};
    double *y = d->y.value = malloc((size_t)(k->rows * k->targets) * sizeof *y);
    for (int64_t i = 0; i < k->rows * k->targets; i++) y[i] = k->number(7 * i);
}

static int64_t *rows_from(int64_t first, int64_t last) {
    int64_t *rows = malloc((size_t)(last - first + 1) * sizeof *rows);
    for (int64_t i = first; i < last; i++) rows[i - first] = i;
    return rows;
}

static void make_run(run *r, const struct kind *k) {
    memset(lengthy, 'w', sizeof lengthy - 1);
    make_data(r, k);
    r->split = (spor_split){.train_rows = k->rows - k->test, .test_rows = k->test};
    r->split.train = rows_from(0, k->rows - k->test);
    r->split.test = rows_from(k->rows - k->test, k->rows);
    spor_model_spec spec = {.net = net,
                            .loss = k->classes ? spor_cross_entropy_mean : spor_squared_error_mean,
                            .reduction = SPOR_REDUCTION_MEAN,
                            .user = (void *)(uintptr_t)k,
                            .sample = k->sample,
                            .target =
                                k->classes || k->targets ? SPOR_SHAPE(outputs_of(k)) : k->sample,
                            .options = {.scalar = SPOR_F64}};
    r->model = spor_model_new(&spec);
    ck_assert_ptr_nonnull(spor_model_bind(r->model, 8, false));
    ck_assert_msg(seen_evaluate(r->model, &r->data, r->split.test, k->test, &r->test, &r->seen),
                  "%s: %s", k->name, spor_model_error(r->model));
    pictures_record(&r->net, r->model, 8);
    ck_assert_ptr_nonnull(r->net.tape);
    r->from = (pictures_source){nasty, r->model,    &r->net, &r->data, &r->split,
                                1,     &r->history, 0,       &r->test, &r->seen};
}

static void free_run(run *r) {
    spor_evaluation_free(&r->test);
    seen_free(&r->seen);
    pictures_forget(&r->net);
    history_free(&r->history);
    spor_model_free(r->model);
    spor_split_free(&r->split);
    free(r->data.x.value);
    free(r->data.y.value);
    free(r->data.label);
}

static bool must_be_there(const struct kind *k, const char *file) {
    return strstr(k->drawn, file) != NULL;
}

/* It is XML, of bounded size, the same twice, and its pictures can be decoded; or there is a reason. */
static bool check_drawn(const run *r, const pictures_entry *p, const char *kind) {
    spor_text svg = {0}, again = {0};
    spor_message why = {""};
    xml_picture image;
    bool done = p->draw(&r->from, &svg, &why);
    ck_assert_msg(done || *why.text, "%s of %s: no reason", p->file, kind);
    if (!done) return text_free(&svg), false;
    ck_assert(!svg.failed && svg.size < 5 << 20);
    xml_check(svg.at, svg.size);
    ck_assert_ptr_null(strstr(svg.at, "script>&"));
    ck_assert_ptr_null(strstr(svg.at, "=\"-")); /* no place outside at the left, no negative size */
    for (const char *at = svg.at; (at = xml_next_picture(at, &image));) free(image.pixel);
    ck_assert(p->draw(&r->from, &again, &why) && again.size == svg.size);
    ck_assert_mem_eq(svg.at, again.at, svg.size);
    text_free(&svg);
    text_free(&again);
    return true;
}

START_TEST(all_figures_of_all_kinds_of_runs) {
    const struct kind *k = &kinds[_i];
    run r = {0};
    make_run(&r, k);
    for (int i = 0; i < PICTURES; i++) {
        bool done = check_drawn(&r, &pictures[i], k->name);
        ck_assert_msg(done || !must_be_there(k, pictures[i].file), "%s of %s is not drawn",
                      pictures[i].file, k->name);
    }
    free_run(&r);
}
END_TEST

START_TEST(files_and_headings_are_there_once) {
    for (int i = 0; i < PICTURES; i++) {
        ck_assert(*pictures[i].heading && strstr(pictures[i].file, ".svg"));
        for (int j = 0; j < i; j++) ck_assert_str_ne(pictures[i].file, pictures[j].file);
    }
}
END_TEST

/* ---- what is seen ------------------------------------------------------------------------------- */

/* The mistakes kept are the worst, found once more by looking at each row alone. */
START_TEST(mistakes_are_the_worst) {
    run r = {0};
    make_run(&r, &kinds[0]);
    int wrong = 0, worse = 0;
    double probability[SEEN_MISTAKES];
    spor_text svg = {0};
    const spor_seen *seen = &r.seen;
    double last = seen->mistake[seen->mistakes - 1].margin;
    spor_bound *b = spor_model_bind(r.model, 1, false);
    for (int64_t n = 0; n < r.split.test_rows; n++) {
        int64_t row = r.split.test[n];
        int label = r.data.label[row], best = 0;
        spor_data_rows(&r.data, &row, 1, SPOR_F64, b->x.data, b->y.data);
        ck_assert(spor_model_run(r.model, b));
        const double *p = b->logits.data;
        double sum = 0;
        for (int k = 1; k < 6; k++) best = p[k] > p[best] ? k : best;
        for (int k = 0; k < 6; k++) sum += exp(p[k] - p[best]);
        if (best == label) continue;
        wrong++;
        worse += p[best] - p[label] > last + 1e-9;
        for (int k = 0; k < seen->mistakes; k++) {
            if (seen->mistake[k].row != row) continue;
            ck_assert(seen->mistake[k].label == label && seen->mistake[k].predicted == best);
            ck_assert_double_eq_tol(seen->mistake[k].margin, p[best] - p[label], 1e-9);
            probability[k] = 1 / sum;
        }
    }
    ck_assert_int_eq(wrong, (int)(r.test.rows - r.test.right));
    ck_assert_int_eq(seen->mistakes, wrong < SEEN_MISTAKES ? wrong : SEEN_MISTAKES);
    ck_assert_int_gt(wrong, SEEN_MISTAKES);
    ck_assert_int_eq(worse, SEEN_MISTAKES - 1);
    for (int k = 1; k < seen->mistakes; k++)
        ck_assert(seen->mistake[k].margin <= seen->mistake[k - 1].margin);
    ck_assert(pictures[2].draw(&r.from, &svg, &(spor_message){""}));
    const char *at = svg.at;
    for (int k = 0; k < seen->mistakes; k++) {
        char key[64];
        snprintf(key, sizeof key, ", %.2f</text>", probability[k]);
        ck_assert_msg((at = strstr(at, key)) != NULL, "no probability %s", key);
        snprintf(key, sizeof key, ">row %lld</text>", (long long)seen->mistake[k].row);
        ck_assert_ptr_nonnull((at = strstr(at, key)));
    }
    text_free(&svg);
    free_run(&r);
}
END_TEST

/* Every fifth of 5000 test rows. */
START_TEST(residuals_are_those_of_the_rows) {
    run r = {0};
    make_run(&r, &kinds[14]);
    ck_assert(r.seen.every == 5 && r.seen.rows == 1000 && r.seen.targets == 1);
    spor_bound *b = spor_model_bind(r.model, 1, false);
    for (int64_t n = 0; n < r.seen.rows; n++) {
        int64_t row = r.split.test[5 * n];
        spor_data_rows(&r.data, &row, 1, SPOR_F64, b->x.data, b->y.data);
        ck_assert(spor_model_run(r.model, b));
        ck_assert_double_eq(r.seen.truth[n], ((const double *)r.data.y.value)[row]);
        ck_assert_double_eq_tol(r.seen.predicted[n], *(const double *)b->logits.data, 1e-9);
    }
    free_run(&r);
}
END_TEST

/* Filters and pixels of the figure are those of the weights, seen at the sizes and places. */
START_TEST(kernels_are_the_weights) {
    run r = {0};
    spor_text svg = {0};
    spor_message why;
    xml_picture p;
    make_run(&r, &kinds[2]); /* K [2, 2, 3, 30], of which 24 filters are seen, channel by channel */
    spor_params *params = spor_model_params(r.model);
    spor_entry K = spor_params_entry(params, spor_params_find(params, "net/conv[0]/K"));
    const double *w = K.value;
    ck_assert_str_eq(pictures[5].file, "kernels.svg");
    ck_assert(pictures[5].draw(&r.from, &svg, &why));
    const char *at = svg.at;
    for (int c = 0; c < 3; c++) {
        double most = 0;
        for (int k = 0; k < 4 * 3 * 30; k++)
            if (k / 30 % 3 == c && k % 30 < 24) most = fmax(most, fabs(w[k]));
        for (int f = 0; f < 24; f++) {
            ck_assert_ptr_nonnull((at = xml_next_picture(at, &p)));
            for (int k = 0; k < 4; k++) {
                double share = w[(k * 3 + c) * 30 + f] / most;
                const unsigned char *pixel =
                    p.pixel + 3 * (k / 2 * p.height / 2 * p.width + k % 2 * p.width / 2);
                int red = (int)lround(255 + fabs(share) * ((share < 0 ? 8 : 166) - 255));
                ck_assert_int_le(abs(pixel[0] - red), 1);
            }
            free(p.pixel);
        }
    }
    ck_assert_ptr_null(xml_next_picture(at, &p));
    check_has(svg.at, "the first 24 of 30 filters, 3 of 3 channels");
    text_free(&svg);
    free_run(&r);
}
END_TEST

/* ---- the page ----------------------------------------------------------------------------------- */

static char *page_of(run *r, const char *file, const page_file script[], size_t *size) {
    static spor_text svg[PICTURES];
    static spor_message why[PICTURES];
    page_figure figure[PICTURES];
    spor_message message = {""};
    spor_summary summary = {.command = nasty,
                            .model = control,
                            .data_read = letters,
                            .loss = nasty,
                            .optimizer = nasty,
                            .metric = r->test.metric,
                            .setting = {{nasty, 0.1}},
                            .test = &r->test};
    for (int k = 0; k < PICTURES; k++) {
        svg[k] = (spor_text){0};
        if (!pictures[k].draw(&r->from, &svg[k], &why[k])) text_free(&svg[k]);
        figure[k] = (page_figure){pictures[k].heading, pictures[k].file, &svg[k], why[k].text};
    }
    spor_page page = {&summary, nasty,    nasty, nasty,  &r->data,
                      &r->net,  PICTURES, 2,     figure, script};
    const char *path = scratch_path(file);
    ck_assert_msg(page_write(&page, path, &message), "%s", message.text);
    for (int k = 0; k < PICTURES; k++) text_free(&svg[k]);
    return scratch_read(path, size);
}

/* It stands alone, is escaped, bounded, and says what it leaves out. */
START_TEST(pages_of_all_kinds_of_runs) {
    run r = {0};
    size_t size, again;
    char *large = malloc(PAGE_FILE + 2);
    memset(large, '<', PAGE_FILE + 1);
    large[PAGE_FILE + 1] = 0;
    const page_file script[] = {{nasty, "def net(x):\n    return x < 1 & \x1b[31m\n"},
                                {"large", large}};
    make_run(&r, &kinds[_i]);
    char *page = page_of(&r, "page.html", script, &size),
         *twice = page_of(&r, "again.html", script, &again);
    xml_check(page, size);
    ck_assert(size == again && !memcmp(page, twice, size));
    ck_assert_uint_lt(size, 8 << 20);
    static const char *const absent[] = {"<script", "<link",  "src=", "@import",
                                         "url(",    "https:", "\x1b"};
    for (size_t k = 0; k < sizeof absent / sizeof *absent; k++)
        ck_assert_msg(!strstr(page, absent[k]), "%s is on the page", absent[k]);
    for (int k = 0; k < PICTURES; k++) check_has(page, pictures[k].heading);
    check_has(page, "def net(x):\n    return x &lt; 1 &amp; \xef\xbf\xbd[31m\n");
    check_has(page, "bytes are too many for this page");
    if (kinds[_i].classes > PAGE_CLASSES) check_has(page, "The first 100 of");
    if (kinds[_i].classes == 1000)
        check_has(page, "confusion.svg beside this page has it: it is too large");
    if (kinds[_i].classes == 1001) check_has(page, "a matrix of 1001 classes is too large to draw");
    check_has(page, "Not drawn: no epoch was trained.");
    free(page);
    free(twice);
    free(large);
    free_run(&r);
}
END_TEST

/* ---- where an array is wrong ---- */

static const spor_shape mapped[] = {{.rank = 0},
                                    {.rank = 1, .n = {7}},
                                    {.rank = 2, .n = {3, 65}},
                                    {.rank = 4, .n = {2, 3, 4, 5}},
                                    {.rank = 2, .n = {1000, 3}},
                                    {.rank = 2, .n = {500, 700}},
                                    {.rank = 2, .n = {0, 4}}};

/* Each shape with the last element wrong: it is seen, however many a cell has. */
START_TEST(maps_of_elements_show_what_is_wrong) {
    const char *const axis[] = {"<N>", NULL, "W & H", "C"};
    const spor_shape *shape = &mapped[_i];
    int64_t size = shape_size(shape);
    double *off = calloc((size_t)size + 1, sizeof *off);
    char text[160];
    for (int worst = 0; worst < 3; worst++) {
        spor_text svg = {0};
        if (size) off[size - 1] = worst == 0 ? 0 : worst == 1 ? 0.5 : HUGE_VAL;
        if (size > 1) off[0] = (double)NAN;
        elements_draw(&svg, &(elements_map){"d\"<x>", "N=3 & C=65", *shape, off, axis});
        text_bytes(&svg, "", 1);
        ck_assert(!svg.failed && svg.size < 100000);
        xml_check(svg.at, svg.size - 1);
        snprintf(text, sizeof text, "d\"&lt;x&gt;: %d of %d elements are wrong at N=3 &amp; C=65",
                 size && worst, (int)size);
        ck_assert_msg(strstr(svg.at, text) != NULL, "%.1000s", svg.at);
        ck_assert_int_eq(strstr(svg.at, "<path class=\"e3\"") != NULL, size && worst == 1);
        ck_assert_int_eq(strstr(svg.at, "<path class=\"e4\"") != NULL, size && worst == 2);
        ck_assert_int_eq(strstr(svg.at, "<path class=\"e1\"") != NULL, size > 1);
        bool thinned = shape->n[0] > ELEMENTS_MOST;
        ck_assert_int_eq(strstr(svg.at, "a cell is the worst of") != NULL, thinned);
        text_free(&svg);
    }
    free(off);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("figures");
    TCase *pixels = tcase_create("pixels"), *runs = tcase_create("runs"),
          *seen = tcase_create("seen"), *pages = tcase_create("pages");
    tcase_add_test(pixels, numbers_along_an_axis_are_short_and_differ);
    tcase_add_test(pixels, checksums_are_those_of_the_standards);
    tcase_add_test(pixels, numbers_are_shades_of_grey);
    tcase_add_test(pixels, signed_numbers_are_blue_and_orange);
    tcase_add_test(pixels, three_channels_are_red_green_and_blue);
    tcase_add_test(pixels, what_is_no_number_is_green_and_one_number_grey);
    tcase_add_test(pixels, large_pictures_are_thinned);
    tcase_add_test(runs, files_and_headings_are_there_once);
    tcase_add_loop_test(runs, all_figures_of_all_kinds_of_runs, 0, KINDS);
    tcase_add_test(seen, mistakes_are_the_worst);
    tcase_add_test(seen, residuals_are_those_of_the_rows);
    tcase_add_test(seen, kernels_are_the_weights);
    tcase_add_checked_fixture(pages, scratch_begin, scratch_end);
    tcase_add_loop_test(pages, pages_of_all_kinds_of_runs, 0, KINDS);
    tcase_add_loop_test(pixels, maps_of_elements_show_what_is_wrong, 0,
                        sizeof mapped / sizeof *mapped);
    suite_add_tcase(suite, pixels);
    suite_add_tcase(suite, runs);
    suite_add_tcase(suite, seen);
    suite_add_tcase(suite, pages);
    return suite;
}
