/*
 * Accuracies over the epochs.
 */
#include <inttypes.h>
#include <math.h>

#include "data/file.h"
#include "figure/figure.h"
#include "figure/svg.h"

enum { WIDTH = 800, HEIGHT = 500 };
/* The frame, in tenths of a pixel. */
enum { LEFT = 750, RIGHT = 7750, TOP = 1150, BOTTOM = 4350 };

typedef struct {
    const char *name, *colour;
    const double *accuracy;
} curve;

typedef struct {
    spor_text svg;
    int64_t epochs;
    int floor_percent; /* accuracy at the bottom of the frame; the top is 100 */
} plot;

static int place_x(const plot *p, int64_t epoch) {
    int64_t span = p->epochs > 1 ? p->epochs - 1 : 1;
    double share = p->epochs > 1 ? (double)(epoch - 1) / (double)span : 0.5;
    return LEFT + 100 + (int)lround(share * (RIGHT - LEFT - 200));
}

static int place_y(const plot *p, double accuracy) {
    double share = (100 * accuracy - p->floor_percent) / (100 - p->floor_percent);
    return BOTTOM - (int)lround(share * (BOTTOM - TOP));
}

/* ---- axes ----------------------------------------------------------------------------------- */

/* The lowest accuracy rounded down to tens, so that the ticks are round numbers. */
static int floor_percent(const spor_curves *curves) {
    double least = 0.9;
    for (int64_t k = 0; k < curves->epochs; k++) {
        least = fmin(least, curves->train[k]);
        least = fmin(least, curves->validation[k]);
    }
    return (int)floor(10 * fmax(least, 0)) * 10;
}

/* 1, 2 or 5 times a power of ten: at most `most` steps in a span. */
static int64_t round_step(int64_t span, int64_t most) {
    static const int factor[] = {1, 2, 5};
    for (int64_t power = 1; power <= INT64_MAX / 10; power *= 10)
        for (int k = 0; k < 3; k++)
            if (span / (factor[k] * power) <= most) return factor[k] * power;
    return span;
}

static void grid_line(plot *p, int y, int percent) {
    text_add(&p->svg, "<path d=\"M%d %dH%d\" stroke=\"#dddddd\" stroke-width=\"8\"/>\n", LEFT, y,
             RIGHT);
    svg_label(&p->svg, LEFT - 90, y + 45, "tick", "end", SPOR_INK, "%d.%02d", percent / 100,
              percent % 100);
}

static void epoch_tick(plot *p, int64_t epoch) {
    int x = place_x(p, epoch);
    text_add(&p->svg, "<path d=\"M%d %dv50\" stroke=\"" SPOR_INK "\" stroke-width=\"10\"/>\n", x,
             BOTTOM);
    svg_label(&p->svg, x, BOTTOM + 200, "tick", "middle", SPOR_INK, "%" PRId64, epoch);
}

static void axes(plot *p) {
    int step = (int)round_step(100 - p->floor_percent, 6);
    for (int percent = 100; percent >= p->floor_percent; percent -= step)
        grid_line(p, place_y(p, percent / 100.0), percent);
    int64_t every = round_step(p->epochs - 1, 10);
    epoch_tick(p, 1);
    for (int64_t epoch = every; epoch <= p->epochs; epoch += every)
        if (epoch > every / 2 && epoch > 1) epoch_tick(p, epoch);
    text_add(&p->svg,
             "<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"" SPOR_INK
             "\" stroke-width=\"12\"/>\n",
             LEFT, TOP, BOTTOM, RIGHT);
    svg_label(&p->svg, (LEFT + RIGHT) / 2, BOTTOM + 470, "axis", "middle", SPOR_INK, "epoch");
    text_add(&p->svg, "<g transform=\"translate(220 %d) rotate(-90)\">", (TOP + BOTTOM) / 2);
    svg_label(&p->svg, 0, 0, "axis", "middle", SPOR_INK, "accuracy");
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
        if (isfinite(c->accuracy[k]))
            text_add(&p->svg, "%c%d %d", pen ? 'L' : 'M', place_x(p, k + 1),
                     place_y(p, c->accuracy[k]));
        pen = isfinite(c->accuracy[k]);
    }
    text_add(&p->svg, "\"/>\n");
    for (int64_t k = 0; p->epochs <= 40 && k < p->epochs; k++)
        if (isfinite(c->accuracy[k]))
            text_add(&p->svg, "<circle cx=\"%d\" cy=\"%d\" r=\"32\" fill=\"%s\"/>\n",
                     place_x(p, k + 1), place_y(p, c->accuracy[k]), c->colour);
}

/* The first epoch of the highest accuracy, and the last measured one; -1 if none was measured. */
static void extremes(const curve *c, int64_t epochs, int64_t *best, int64_t *last) {
    *best = *last = -1;
    for (int64_t k = 0; k < epochs; k++) {
        if (!isfinite(c->accuracy[k])) continue;
        if (*best < 0 || c->accuracy[k] > c->accuracy[*best]) *best = k;
        *last = k;
    }
}

static void legend(plot *p, const curve *c, int y) {
    int64_t best, last;
    extremes(c, p->epochs, &best, &last);
    text_add(&p->svg, "<path d=\"M%d %dh300\" stroke=\"%s\" stroke-width=\"32\"/>\n", LEFT, y - 45,
             c->colour);
    if (last < 0) {
        svg_label(&p->svg, LEFT + 400, y, "legend", "start", SPOR_INK, "%s: not measured", c->name);
        return;
    }
    long at_last = lround(1e4 * c->accuracy[last]), at_best = lround(1e4 * c->accuracy[best]);
    svg_label(&p->svg, LEFT + 400, y, "legend", "start", SPOR_INK, "%s", c->name);
    svg_label(&p->svg, LEFT + 1250, y, "legend", "start", SPOR_INK, "final %ld.%04ld",
              at_last / 10000, at_last % 10000);
    svg_label(&p->svg, LEFT + 2350, y, "legend", "start", SPOR_FAINT,
              "best %ld.%04ld in epoch %" PRId64, at_best / 10000, at_best % 10000, best + 1);
}

bool figure_curves(const spor_curves *curves, const char *path, spor_message *message) {
    plot p = {.epochs = curves->epochs, .floor_percent = floor_percent(curves)};
    const curve both[] = {{"training", SPOR_BLUE, curves->train},
                          {"validation", SPOR_ORANGE, curves->validation}};
    svg_begin(&p.svg, WIDTH, HEIGHT, curves->title,
              "Accuracy on the training and validation rows after each epoch");
    svg_label(&p.svg, LEFT, 330, "title", "start", SPOR_INK, "%s", curves->title);
    axes(&p);
    for (int k = 0; k < 2; k++) {
        draw(&p, &both[k]);
        legend(&p, &both[k], 620 + 210 * k);
    }
    svg_end(&p.svg);
    return file_write_text(&p.svg, path, message);
}
