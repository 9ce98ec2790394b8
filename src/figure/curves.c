/*
 * Losses and metrics over the epochs: a frame for each quantity, the epochs below each other.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/file.h"
#include "figure/figure.h"
#include "figure/svg.h"

/* In tenths of a pixel: the sides of the frames, what stands above and below each of them. */
enum { WIDTH = 8000, LEFT = 750, RIGHT = 7750, TITLE = 450, ABOVE = 700, BELOW = 650 };
enum { HEIGHT_ALONE = 3200, HEIGHT_OF_TWO = 2300 };

typedef struct {
    const char *name, *colour;
    const double *value;
    bool rises, share;
} curve;

typedef struct {
    spor_text svg;
    int64_t epochs;
    int top, bottom;        /* of the frame */
    double low, high, step; /* numbers at its bottom and top, and between its lines */
    int decimals;           /* of the numbers at the lines */
} plot;

static int place_x(const plot *p, int64_t epoch) {
    int64_t span = p->epochs > 1 ? p->epochs - 1 : 1;
    double share = p->epochs > 1 ? (double)(epoch - 1) / (double)span : 0.5;
    return LEFT + 100 + (int)lround(share * (RIGHT - LEFT - 200));
}

static int place_y(const plot *p, double value) {
    double share = fmin(fmax((value - p->low) / (p->high - p->low), 0), 1);
    return p->bottom - (int)lround(share * (p->bottom - p->top));
}

/* ---- numbers -------------------------------------------------------------------------------- */

enum { DIGITS = 40 };

/* With a full stop in every locale. */
static void number_text(char out[DIGITS], double value, int decimals) {
    bool plain = value == 0 || (fabs(value) < 1e6 && fabs(value) >= 1e-6);
    snprintf(out, DIGITS, plain ? "%.*f" : "%.*e", plain ? decimals : 3, value);
    for (char *c = out; *c; c++)
        if (!strchr("0123456789+-e", *c)) *c = '.';
}

/* Shares to four decimals, others to four digits. */
static void value_text(char out[DIGITS], const curve *c, double value) {
    int magnitude = fabs(value) > 0 ? (int)floor(log10(fabs(value))) : 0;
    number_text(out, value, c->share ? 4 : (int)fmin(fmax(3 - magnitude, 0), 9));
}

/* ---- axes ----------------------------------------------------------------------------------- */

/* 1, 2 or 5 times a power of ten, that of `power`: at most 6 steps in a span. */
static double nice_step(double span, int *power) {
    for (*power = (int)floor(log10(span / 6));; ++*power)
        for (int k = 0; k < 3; k++) {
            double step = (double[]){1, 2, 5}[k] * pow(10, *power);
            if (span / step <= 6 + 1e-9) return step;
        }
}

/* Shares: from the lowest rounded down to tens of percent to 1. Others: 0 and all that was
 * measured, in whole steps. */
static void choose_range(plot *p, const spor_curves *curves) {
    double least = curves->share ? 0.9 : 0, most = curves->share ? 1 : 0;
    int power;
    for (int64_t k = 0; k < 2 * p->epochs; k++) {
        double value = k < p->epochs ? curves->train[k] : curves->validation[k - p->epochs];
        if (!isfinite(value)) continue;
        least = fmin(least, value);
        most = fmax(most, value);
    }
    if (!(most - least > 0 && isfinite(most - least))) least = 0, most = 1;
    p->low = curves->share ? floor(10 * fmax(least, 0) + 1e-9) / 10 : least;
    p->high = most;
    p->step = nice_step(p->high - p->low, &power);
    p->decimals = power < 0 ? -power : 0;
    if (curves->share) return;
    p->low = floor(p->low / p->step) * p->step;
    p->high = ceil(p->high / p->step) * p->step;
}

/* 1, 2 or 5 times a power of ten: at most `most` steps in a span. */
static int64_t round_step(int64_t span, int64_t most) {
    static const int factor[] = {1, 2, 5};
    for (int64_t power = 1; power <= INT64_MAX / 10; power *= 10)
        for (int k = 0; k < 3; k++)
            if (span / (factor[k] * power) <= most) return factor[k] * power;
    return span;
}

static void grid_line(plot *p, double value) {
    int y = place_y(p, value);
    char text[DIGITS];
    number_text(text, value, p->decimals);
    text_add(&p->svg, "<path d=\"M%d %dH%d\" stroke=\"#dddddd\" stroke-width=\"8\"/>\n", LEFT, y,
             RIGHT);
    svg_label(&p->svg, LEFT - 90, y + 45, "tick", "end", SPOR_INK, "%s", text);
}

static void epoch_tick(plot *p, int64_t epoch) {
    int x = place_x(p, epoch);
    text_add(&p->svg, "<path d=\"M%d %dv50\" stroke=\"" SPOR_INK "\" stroke-width=\"10\"/>\n", x,
             p->bottom);
    svg_label(&p->svg, x, p->bottom + 200, "tick", "middle", SPOR_INK, "%" PRId64, epoch);
}

static void axes(plot *p, const char *name) {
    for (double k = ceil(p->low / p->step - 1e-9); k <= p->high / p->step + 1e-9; k++)
        grid_line(p, k * p->step + 0.0); /* no -0 */
    int64_t every = round_step(p->epochs - 1, 10);
    epoch_tick(p, 1);
    for (int64_t epoch = every; epoch <= p->epochs; epoch += every)
        if (epoch > every / 2 && epoch > 1) epoch_tick(p, epoch);
    text_add(&p->svg,
             "<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"" SPOR_INK
             "\" stroke-width=\"12\"/>\n",
             LEFT, p->top, p->bottom, RIGHT);
    svg_label(&p->svg, (LEFT + RIGHT) / 2, p->bottom + 430, "axis", "middle", SPOR_INK, "epoch");
    text_add(&p->svg, "<g transform=\"translate(180 %d) rotate(-90)\">", (p->top + p->bottom) / 2);
    svg_label(&p->svg, 0, 0, "axis", "middle", SPOR_INK, "%s", name);
    text_add(&p->svg, "</g>\n");
}

/* ---- curves --------------------------------------------------------------------------------- */

/* A line through the measured epochs, broken where one was not measured; dots if there are few. */
static void draw(plot *p, const curve *c) {
    bool pen = false;
    text_add(&p->svg,
             "<path fill=\"none\" stroke=\"%s\" stroke-width=\"22\" "
             "stroke-linejoin=\"round\" stroke-linecap=\"round\" d=\"",
             c->colour);
    for (int64_t k = 0; k < p->epochs; k++) {
        if (isfinite(c->value[k]))
            text_add(&p->svg, "%c%d %d", pen ? 'L' : 'M', place_x(p, k + 1),
                     place_y(p, c->value[k]));
        pen = isfinite(c->value[k]);
    }
    text_add(&p->svg, "\"/>\n");
    for (int64_t k = 0; p->epochs <= 40 && k < p->epochs; k++)
        if (isfinite(c->value[k]))
            text_add(&p->svg, "<circle cx=\"%d\" cy=\"%d\" r=\"32\" fill=\"%s\"/>\n",
                     place_x(p, k + 1), place_y(p, c->value[k]), c->colour);
}

/* The first epoch of the best value, and the last measured one; -1 if none was measured. */
static void extremes(const curve *c, int64_t epochs, int64_t *best, int64_t *last) {
    *best = *last = -1;
    for (int64_t k = 0; k < epochs; k++) {
        if (!isfinite(c->value[k])) continue;
        double gain = *best < 0 ? 1 : c->value[k] - c->value[*best];
        if (*best < 0 || (c->rises ? gain : -gain) > 0) *best = k;
        *last = k;
    }
}

static void legend(plot *p, const curve *c, int y) {
    int64_t best, last;
    char at_last[DIGITS], at_best[DIGITS];
    extremes(c, p->epochs, &best, &last);
    text_add(&p->svg, "<path d=\"M%d %dh300\" stroke=\"%s\" stroke-width=\"32\"/>\n", LEFT, y - 45,
             c->colour);
    if (last < 0) {
        svg_label(&p->svg, LEFT + 400, y, "legend", "start", SPOR_INK, "%s: not measured", c->name);
        return;
    }
    value_text(at_last, c, c->value[last]);
    value_text(at_best, c, c->value[best]);
    svg_label(&p->svg, LEFT + 400, y, "legend", "start", SPOR_INK, "%s", c->name);
    svg_label(&p->svg, LEFT + 1250, y, "legend", "start", SPOR_INK, "final %s", at_last);
    svg_label(&p->svg, LEFT + 2450, y, "legend", "start", SPOR_FAINT, "best %s in epoch %" PRId64,
              at_best, best + 1);
}

static void frame(plot *p, const spor_curves *c) {
    const curve both[] = {{"training", SPOR_BLUE, c->train, c->rises, c->share},
                          {"validation", SPOR_ORANGE, c->validation, c->rises, c->share}};
    choose_range(p, c);
    axes(p, c->name);
    for (int k = 0; k < 2; k++) {
        draw(p, &both[k]);
        legend(p, &both[k], p->top - ABOVE + 170 + 210 * k);
    }
}

bool figure_curves(const char *title, int64_t epochs, int n, const spor_curves curves[],
                   const char *path, spor_message *message) {
    int height = n > 1 ? HEIGHT_OF_TWO : HEIGHT_ALONE, each = ABOVE + height + BELOW;
    plot p = {.epochs = epochs};
    svg_begin(&p.svg, WIDTH / 10, (TITLE + n * (each)) / 10, title,
              "Losses and metrics of the training and validation rows after each epoch");
    svg_label(&p.svg, LEFT, 330, "title", "start", SPOR_INK, "%s", title);
    for (int k = n - 1, y = TITLE; k >= 0; k--, y += each) {
        p.top = y + ABOVE;
        p.bottom = p.top + height;
        frame(&p, &curves[k]);
    }
    svg_end(&p.svg);
    return file_write_text(&p.svg, path, message);
}
