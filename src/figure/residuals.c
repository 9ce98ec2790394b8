/*
 * Predictions of numbers: predicted against true, which lie on the diagonal where they are right, and
 * what is left, predicted minus true, against predicted, which lies around 0 without a pattern where
 * the model has found all there is.
 */
#include <math.h>
#include <stdio.h>

#include "figure/axis.h"
#include "figure/figure.h"
#include "figure/svg.h"

/* In tenths of a pixel. */
enum {
    WIDTH = 8000,
    TITLE = 650,
    SIDE = 2900,
    ABOVE = 330,
    BELOW = 650,
    FIRST = 800,
    SECOND = 4850
};

/* Least and most of the finite ones of some numbers, x[k] - y[k]. */
typedef struct {
    double least, most;
} range;

static void widen(range *r, double value) {
    if (!isfinite(value)) return;
    r->least = fmin(r->least, value);
    r->most = fmax(r->most, value);
}

/* One value is in the middle of a range as large as itself. */
static range with_room(range r) {
    double room = r.least < r.most ? 0.03 * (r.most - r.least) : fmax(fabs(r.most) / 2, 0.5);
    return (range){r.least - room, r.most + room};
}

/* The frame of a target, its left side at x, its top at y. */
static void begin_frame(spor_text *svg, figure_axis axis[2], const range across, const range up,
                        int x, int y) {
    axis[0] = (figure_axis){.from = x, .to = x + SIDE};
    axis[1] = (figure_axis){.from = y + SIDE, .to = y};
    axis_cover(&axis[0], across.least, across.most);
    axis_cover(&axis[1], up.least, up.most);
    axis_draw_horizontal(svg, &axis[0], y, y + SIDE);
    axis_draw_vertical(svg, &axis[1], x, x + SIDE);
}

static void line(spor_text *svg, const figure_axis axis[2], double x0, double y0, double x1,
                 double y1) {
    text_add(svg, "<path d=\"M%d %dL%d %d\" stroke=\"" SPOR_ORANGE "\" stroke-width=\"16\"/>\n",
             axis_place(&axis[0], x0), axis_place(&axis[1], y0), axis_place(&axis[0], x1),
             axis_place(&axis[1], y1));
}

/* Points of the frame: (x[k], y[k] - minus[k]); minus NULL: nothing. One path, whose caps are dots. */
static void points(spor_text *svg, const figure_axis axis[2], int64_t count, const double x[],
                   const double y[], const double minus[]) {
    text_add(svg, "<path fill=\"none\" stroke=\"" SPOR_BLUE
                  "\" stroke-opacity=\"0.6\" stroke-width=\"56\" stroke-linecap=\"round\" d=\"");
    for (int64_t k = 0; k < count; k++) {
        double up = minus ? y[k] - minus[k] : y[k];
        if (isfinite(x[k]) && isfinite(up))
            text_add(svg, "M%d %dh0", axis_place(&axis[0], x[k]), axis_place(&axis[1], up));
    }
    text_add(svg, "\"/>\n");
}

static void draw_target(spor_text *svg, const figure_residuals *t, int y) {
    range both = {HUGE_VAL, -HUGE_VAL}, predicted = both, rest = {0, 0};
    figure_axis axis[2];
    char below[160];
    for (int64_t k = 0; k < t->count; k++) {
        widen(&both, t->truth[k]);
        widen(&both, t->predicted[k]);
        widen(&predicted, t->predicted[k]);
        widen(&rest, t->predicted[k] - t->truth[k]);
    }
    both = with_room(both), predicted = with_room(predicted), rest = with_room(rest);
    begin_frame(svg, axis, both, both, FIRST, y);
    line(svg, axis, both.least, both.least, both.most, both.most);
    points(svg, axis, t->count, t->truth, t->predicted, NULL);
    snprintf(below, sizeof below, "%.*s, true", text_bytes_of(t->name, 24), t->name);
    axis_draw_sides(svg, &axis[0], &axis[1], below, "predicted");
    begin_frame(svg, axis, predicted, rest, SECOND, y);
    line(svg, axis, predicted.least, 0, predicted.most, 0);
    points(svg, axis, t->count, t->predicted, t->predicted, t->truth);
    snprintf(below, sizeof below, "%.*s, predicted", text_bytes_of(t->name, 24), t->name);
    axis_draw_sides(svg, &axis[0], &axis[1], below, "predicted minus true");
}

void figure_residuals_draw(spor_text *svg, const char *title, const char *note, int n,
                           const figure_residuals target[]) {
    int each = ABOVE + SIDE + BELOW;
    svg_begin(svg, WIDTH / 10, (TITLE + n * each) / 10, title,
              "Numbers predicted for the test rows against the true ones, and what is left");
    svg_label(svg, 250, 330, "title", "start", SPOR_INK, "%s", title);
    svg_label(svg, 250, 550, "legend", "start", SPOR_FAINT, "%s", note ? note : "");
    for (int k = 0; k < n; k++) draw_target(svg, &target[k], TITLE + k * each + ABOVE);
    svg_end(svg);
}
