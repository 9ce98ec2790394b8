#include "figure/axis.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "figure/svg.h"

/* ---- numbers -------------------------------------------------------------------------------- */

/* A point whatever the locale has; 1e+09 is 1e9, 1e-07 is 1e-7. */
static void mend(char *number) {
    for (char *c = number; *c; c++)
        if (!strchr("0123456789+-einfa", *c)) *c = '.';
    char *e = strpbrk(number, "0123456789") ? strchr(number, 'e') : NULL; /* none in inf and nan */
    if (!e) return;
    e += e[1] == '-' ? 2 : 1;
    size_t drop = strspn(e, "+0");
    memmove(e, e + drop, strlen(e + drop) + 1);
}

void axis_number(char out[AXIS_DIGITS], double value, int decimals) {
    bool plain = value == 0 || (fabs(value) < 1e6 && fabs(value) >= 1e-6);
    snprintf(out, AXIS_DIGITS, plain ? "%.*f" : "%.*e", plain ? decimals : 3, value);
    mend(out);
}

void axis_digits(char out[AXIS_DIGITS], double value, int digits) {
    snprintf(out, AXIS_DIGITS, "%.*g", digits, value + 0.0); /* no -0 */
    mend(out);
}

/* ---- ranges --------------------------------------------------------------------------------- */

static double nice_step(double span, int *power) {
    for (*power = (int)floor(log10(span / 6));; ++*power)
        for (int k = 0; k < 3; k++) {
            double step = (double[]){1, 2, 5}[k] * pow(10, *power);
            if (span / step <= 6 + 1e-9) return step;
        }
}

void axis_cover(figure_axis *axis, double least, double most) {
    int power;
    if (!(most - least > 0 && isfinite(most - least))) least = 0, most = 1;
    axis->low = least;
    axis->high = most;
    axis->step = nice_step(most - least, &power);
    if (axis->powers && axis->step < 1) axis->step = 1;
    axis->decimals = power < 0 ? -power : 0;
}

void axis_cover_whole(figure_axis *axis, double least, double most) {
    axis_cover(axis, least, most);
    axis->low = floor(axis->low / axis->step + 1e-9) * axis->step;
    axis->high = ceil(axis->high / axis->step - 1e-9) * axis->step;
}

int axis_place(const figure_axis *axis, double value) {
    double share = fmin(fmax((value - axis->low) / (axis->high - axis->low), 0), 1);
    return axis->from + (int)lround(share * (axis->to - axis->from));
}

/* ---- drawing -------------------------------------------------------------------------------- */

/* The k-th line is at k steps. */
static int64_t first_line(const figure_axis *axis) {
    return (int64_t)ceil(axis->low / axis->step - 1e-9);
}

static int64_t last_line(const figure_axis *axis) {
    return (int64_t)floor(axis->high / axis->step + 1e-9);
}

/* All numbers of an axis are written alike: short, but as long as keeps neighbours apart. */
static void line_text(char out[AXIS_DIGITS], const figure_axis *axis, double value) {
    double largest = fmax(fabs(axis->low), fabs(axis->high));
    if (axis->powers)
        axis_digits(out, pow(10, value), 6);
    else if (largest < 1e6 && axis->step > 0.9e-5)
        axis_number(out, value, axis->decimals);
    else
        axis_digits(out, value, (int)fmin(ceil(log10(largest / axis->step) - 1e-9) + 1, 15));
}

#define GRID " stroke=\"#dddddd\" stroke-width=\"8\"/>\n"

void axis_draw_vertical(spor_text *svg, const figure_axis *axis, int left, int right) {
    char text[AXIS_DIGITS];
    for (int64_t k = first_line(axis); k <= last_line(axis); k++) {
        double value = (double)k * axis->step;
        int y = axis_place(axis, value);
        line_text(text, axis, value);
        text_add(svg, "<path d=\"M%d %dH%d\"" GRID, left, y, right);
        svg_label(svg, left - 90, y + 45, "tick", "end", SPOR_INK, "%s", text);
    }
}

void axis_draw_horizontal(spor_text *svg, const figure_axis *axis, int top, int bottom) {
    char text[AXIS_DIGITS];
    for (int64_t k = first_line(axis); k <= last_line(axis); k++) {
        double value = (double)k * axis->step;
        int x = axis_place(axis, value);
        line_text(text, axis, value);
        text_add(svg, "<path d=\"M%d %dV%d\"" GRID, x, top, bottom);
        svg_label(svg, x, bottom + 200, "tick", "middle", SPOR_INK, "%s", text);
    }
}

void axis_draw_sides(spor_text *svg, const figure_axis *x, const figure_axis *y, const char *below,
                     const char *beside) {
    int left = x->from, right = x->to, top = y->to, bottom = y->from;
    text_add(svg,
             "<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"" SPOR_INK
             "\" stroke-width=\"12\"/>\n",
             left, top, bottom, right);
    svg_label(svg, (left + right) / 2, bottom + 430, "axis", "middle", SPOR_INK, "%s", below);
    text_add(svg, "<g transform=\"translate(%d %d) rotate(-90)\">", left - 570, (top + bottom) / 2);
    svg_label(svg, 0, 0, "axis", "middle", SPOR_INK, "%s", beside);
    text_add(svg, "</g>\n");
}
