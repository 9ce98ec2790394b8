/*
 * Losses and metrics over the epochs: a frame for each quantity, the epochs below each other.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "figure/axis.h"
#include "figure/figure.h"
#include "figure/svg.h"

/* In tenths of a pixel: the sides of the frames, what stands above and below each of them. */
enum { WIDTH = 8000, LEFT = 750, RIGHT = 7750, TITLE = 450, ABOVE = 700, BELOW = 650 };
enum { HEIGHT_ALONE = 3200, HEIGHT_OF_TWO = 2300, DOTS = 40 };

typedef struct {
    const char *name, *colour;
    const double *value;
    bool share;
} curve;

typedef struct {
    spor_text *svg;
    int64_t epochs, best; /* the epoch, from 1; 0: none */
    int64_t every;        /* one in so many epochs is drawn */
    figure_axis x, y;
} plot;

/* Shares to four decimals, others to four digits. */
static void value_text(char out[AXIS_DIGITS], const curve *c, double value) {
    int magnitude = fabs(value) > 0 ? (int)floor(log10(fabs(value))) : 0;
    axis_number(out, value, c->share ? 4 : (int)fmin(fmax(3 - magnitude, 0), 9));
}

/* ---- axes ----------------------------------------------------------------------------------- */

/* Shares: from the lowest rounded down to tens of percent to 1. Others: 0 and all that was
 * measured, in whole steps. */
static void choose_range(plot *p, const spor_curves *curves) {
    double least = curves->share ? 0.9 : 0, most = curves->share ? 1 : 0;
    for (int64_t k = 0; k < 2 * p->epochs; k++) {
        double value = k < p->epochs ? curves->train[k] : curves->validation[k - p->epochs];
        if (!isfinite(value)) continue;
        least = fmin(least, value);
        most = fmax(most, value);
    }
    if (curves->share)
        axis_cover(&p->y, floor(10 * fmax(least, 0) + 1e-9) / 10, most);
    else
        axis_cover_whole(&p->y, least, most);
}

/* 1, 2 or 5 times a power of ten: at most `most` steps in a span. */
static int64_t round_step(int64_t span, int64_t most) {
    static const int factor[] = {1, 2, 5};
    for (int64_t power = 1; power <= INT64_MAX / 10; power *= 10)
        for (int k = 0; k < 3; k++)
            if (span / (factor[k] * power) <= most) return factor[k] * power;
    return span;
}

/* An epoch alone stands in the middle. */
static int place_x(const plot *p, int64_t epoch) {
    figure_axis inside = p->x;
    inside.from += 100, inside.to -= 100;
    return axis_place(&inside, (double)epoch);
}

static void epoch_tick(plot *p, int64_t epoch) {
    int x = place_x(p, epoch);
    text_add(p->svg, "<path d=\"M%d %dv50\" stroke=\"" SPOR_INK "\" stroke-width=\"10\"/>\n", x,
             p->y.from);
    svg_label(p->svg, x, p->y.from + 200, "tick", "middle", SPOR_INK, "%" PRId64, epoch);
}

static void axes(plot *p, const char *name) {
    axis_draw_vertical(p->svg, &p->y, LEFT, RIGHT);
    int64_t every = round_step(p->epochs - 1, 10);
    epoch_tick(p, 1);
    for (int64_t epoch = every; epoch <= p->epochs; epoch += every)
        if (epoch > every / 2 && epoch > 1) epoch_tick(p, epoch);
    axis_draw_sides(p->svg, &p->x, &p->y, "epoch", name);
}

/* A line through the frame at the best epoch, with its number on top. */
static void mark_best(plot *p) {
    int x = place_x(p, p->best);
    if (!p->best) return;
    text_add(p->svg,
             "<path d=\"M%d %dV%d\" stroke=\"" SPOR_FAINT
             "\" stroke-width=\"14\" stroke-dasharray=\"60 50\"/>\n",
             x, p->y.to, p->y.from);
    const char *anchor = x > RIGHT - 400 ? "end" : x < LEFT + 400 ? "start" : "middle";
    svg_label(p->svg, x, p->y.to - 90, "small", anchor, SPOR_FAINT, "best epoch %" PRId64, p->best);
}

/* ---- curves --------------------------------------------------------------------------------- */

/* Epochs counted from 0. */
static bool is_drawn(const plot *p, int64_t k) {
    return k % p->every == 0 || k == p->epochs - 1 || k == p->best - 1;
}

static void dot(plot *p, const curve *c, int64_t k, int radius) {
    if (isfinite(c->value[k]))
        text_add(p->svg, "<circle cx=\"%d\" cy=\"%d\" r=\"%d\" fill=\"%s\"/>\n", place_x(p, k + 1),
                 axis_place(&p->y, c->value[k]), radius, c->colour);
}

/* A line through the measured epochs, broken where one was not measured; dots if there are few, and a
 * large one at the best epoch. */
static void draw(plot *p, const curve *c) {
    bool pen = false;
    text_add(p->svg,
             "<path fill=\"none\" stroke=\"%s\" stroke-width=\"22\" "
             "stroke-linejoin=\"round\" stroke-linecap=\"round\" d=\"",
             c->colour);
    for (int64_t k = 0; k < p->epochs; k++) {
        if (!is_drawn(p, k)) continue;
        if (isfinite(c->value[k]))
            text_add(p->svg, "%c%d %d", pen ? 'L' : 'M', place_x(p, k + 1),
                     axis_place(&p->y, c->value[k]));
        pen = isfinite(c->value[k]);
    }
    text_add(p->svg, "\"/>\n");
    for (int64_t k = 0; p->epochs <= DOTS && k < p->epochs; k++) dot(p, c, k, 32);
    if (p->best) dot(p, c, p->best - 1, 55);
}

/* The last measured epoch, from 0; -1 if none was. */
static int64_t last_measured(const plot *p, const curve *c) {
    int64_t last = p->epochs - 1;
    while (last >= 0 && !isfinite(c->value[last])) last--;
    return last;
}

static void legend(plot *p, const curve *c, int y) {
    char text[AXIS_DIGITS];
    int64_t last = last_measured(p, c);
    text_add(p->svg, "<path d=\"M%d %dh300\" stroke=\"%s\" stroke-width=\"32\"/>\n", LEFT, y - 45,
             c->colour);
    svg_label(p->svg, LEFT + 400, y, "legend", "start", SPOR_INK, "%s%s", c->name,
              last < 0 ? ": not measured" : "");
    if (last < 0) return;
    value_text(text, c, c->value[last]);
    svg_label(p->svg, LEFT + 1250, y, "legend", "start", SPOR_INK, "final %s", text);
    if (!p->best) return;
    value_text(text, c, c->value[p->best - 1]);
    svg_label(p->svg, LEFT + 2450, y, "legend", "start", SPOR_FAINT, "best epoch: %s", text);
}

static void frame(plot *p, const spor_curves *c) {
    const curve both[] = {{"training", SPOR_BLUE, c->train, c->share},
                          {"validation", SPOR_ORANGE, c->validation, c->share}};
    choose_range(p, c);
    axes(p, c->name);
    mark_best(p);
    for (int k = 0; k < 2; k++) {
        draw(p, &both[k]);
        legend(p, &both[k], p->y.to - ABOVE + 170 + 210 * k);
    }
}

/* What is to be known of the marks and of the epochs left out. */
static void explain(const plot *p) {
    if (p->best)
        svg_label(p->svg, RIGHT, 150, "small", "end", SPOR_FAINT,
                  "Best epoch %" PRId64 ": its validation loss is the lowest", p->best);
    if (p->every > 1)
        svg_label(p->svg, RIGHT, 300, "small", "end", SPOR_FAINT,
                  "Of %" PRId64 " epochs one in %" PRId64 " is drawn", p->epochs, p->every);
}

void figure_curves(spor_text *svg, const char *title, int64_t epochs, int64_t best, int n,
                   const spor_curves curves[]) {
    int height = n > 1 ? HEIGHT_OF_TWO : HEIGHT_ALONE, each = ABOVE + height + BELOW;
    plot p = {.svg = svg, .epochs = epochs, .best = best > epochs ? 0 : best};
    p.every = (epochs + CURVES_MOST - 1) / CURVES_MOST;
    p.x = (figure_axis){.low = epochs > 1 ? 1 : 0, .high = epochs > 1 ? (double)epochs : 2};
    p.x.from = LEFT, p.x.to = RIGHT;
    svg_begin(svg, WIDTH / 10, (TITLE + n * (each)) / 10, title,
              "Losses and metrics of the training and validation rows after each epoch");
    svg_label(svg, LEFT, 330, "title", "start", SPOR_INK, "%s", title);
    explain(&p);
    for (int k = n - 1, y = TITLE; k >= 0; k--, y += each) {
        p.y.to = y + ABOVE;
        p.y.from = p.y.to + height;
        frame(&p, &curves[k]);
    }
    svg_end(svg);
}
