/*
 * A search as a picture: rows and columns are values of two names, colours run from the worst number to the
 * best; or, of one name, points with their ranges.
 */
#include "figure/map.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figure/axis.h"
#include "figure/svg.h"

/* Tenths of a pixel. */
enum { TOP = 900, MARGIN = 300, LETTER = 72, LONGEST = 24 };

/* Where numbers lie between the worst and the best: of what is no share and spans more than a factor of
 * hundred, their logarithms. */
typedef struct {
    double low, high; /* of the numbers, or of their logarithms */
    bool logarithmic;
} map_range;

typedef struct {
    spor_text *svg;
    const map_search *search;
    map_range range;
    const map_axis *row, *column; /* row NULL: there is one name */
    int64_t *shown;               /* [rows][columns] setting of the cell */
    int64_t best;                 /* setting; -1: there is none */
    int left, top, width, height; /* of a cell: width, height */
    figure_axis axis;             /* of a plot */
} map;

/* ---- numbers -------------------------------------------------------------------------------- */

/* Shares to four decimals, others to four digits. */
static void number_text(const map_search *s, double value, char out[AXIS_DIGITS]) {
    if (s->share)
        axis_number(out, value, 4);
    else
        axis_digits(out, value, 4);
}

static double scaled(const map_range *r, double value) {
    return r->logarithmic ? log10(value) : value;
}

/* All numbers that are there, `n` of them. */
static map_range range_of(const map_search *s, int64_t n, const double *const row[], int rows) {
    map_range r = {.low = HUGE_VAL, .high = -HUGE_VAL};
    for (int k = 0; k < rows; k++)
        for (int64_t i = 0; i < n; i++) {
            if (!isfinite(s->mean[i]) || !isfinite(row[k][i])) continue;
            r.low = fmin(r.low, row[k][i]);
            r.high = fmax(r.high, row[k][i]);
        }
    r.logarithmic = !s->share && r.low > 0 && r.high > 100 * r.low && isfinite(r.high);
    if (r.low > r.high) r.low = 0, r.high = 1;
    if (r.logarithmic) r.low = log10(r.low), r.high = log10(r.high);
    return r;
}

static int64_t settings_of(const map_search *s) {
    int64_t n = 1;
    for (int k = 0; k < s->axes; k++) n *= s->axis[k].values;
    return n;
}

/* ---- which names ---------------------------------------------------------------------------- */

/* How many settings lie between two neighbouring values of an axis. */
static int64_t stride(const map_search *s, int axis) {
    int64_t n = 1;
    for (int k = axis + 1; k < s->axes; k++) n *= s->axis[k].values;
    return n;
}

static int value_of(const map_search *s, int64_t setting, int axis) {
    return (int)(setting / stride(s, axis) % s->axis[axis].values);
}

/* How far the means over all settings of one value lie apart. */
static double importance(const map *m, int axis) {
    const map_search *s = m->search;
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (int v = 0; v < s->axis[axis].values; v++) {
        double sum = 0;
        int64_t count = 0;
        for (int64_t k = 0; k < settings_of(s); k++)
            if (value_of(s, k, axis) == v && isfinite(s->mean[k]))
                sum += scaled(&m->range, s->mean[k]), count++;
        if (count) low = fmin(low, sum / (double)count), high = fmax(high, sum / (double)count);
    }
    return high - low;
}

/* The two that matter most, in the order given. */
static void choose_axes(map *m, int *first, int *second) {
    *first = 0, *second = 1;
    if (m->search->axes == 2) return;
    if (importance(m, 1) > importance(m, 0)) *first = 1, *second = 0;
    for (int k = 2; k < m->search->axes; k++) {
        if (importance(m, k) > importance(m, *first))
            *second = *first, *first = k;
        else if (importance(m, k) > importance(m, *second))
            *second = k;
    }
    if (*first > *second) {
        int swap = *first;
        *first = *second, *second = swap;
    }
}

/* The best setting of each cell. */
static void choose_cells(map *m, int first, int second) {
    const map_search *s = m->search;
    int columns = s->axis[second].values;
    for (int64_t k = 0; k < (int64_t)s->axis[first].values * columns; k++) m->shown[k] = -1;
    for (int64_t k = 0; k < settings_of(s); k++) {
        int64_t *cell = m->shown + value_of(s, k, first) * columns + value_of(s, k, second);
        if (*cell < 0 || s->rank[k] < s->rank[*cell]) *cell = k;
    }
}

/* ---- labels --------------------------------------------------------------------------------- */

static int label_width(const char *text) {
    int width = text_width(text);
    return (width > LONGEST ? LONGEST : width) * LETTER;
}

static int widest(const map_axis *axis) {
    int width = 0;
    for (int k = 0; k < axis->values; k++)
        if (label_width(axis->value[k]) > width) width = label_width(axis->value[k]);
    return width;
}

/* A text of at most so many letters: of a longer one head and tail, since values are often alike at one end. */
static void shortened(const char *text, int most, char out[4 * LONGEST + 4]) {
    int width = text_width(text), tail = (most - 3) / 3, head = most - 3 - tail;
    if (width > most && most > 6)
        snprintf(out, 4 * LONGEST + 4, "%.*s...%s", text_bytes_of(text, head), text,
                 text + text_bytes_of(text, width - tail));
    else
        snprintf(out, 4 * LONGEST + 4, "%.*s", text_bytes_of(text, most), text);
}

/* A label, turned to run upwards if it is to be. */
static void place_label(const map *m, int x, int y, const char *look, const char *anchor,
                        bool turned, const char *text) {
    char label[4 * LONGEST + 4];
    shortened(text, LONGEST, label);
    if (turned) {
        text_add(m->svg, "<g transform=\"translate(%d %d) rotate(-90)\">", x, y);
        x = y = 0;
    }
    svg_label(m->svg, x, y, look, anchor, SPOR_INK, "%s", label);
    if (turned) text_add(m->svg, "</g>\n");
}

static bool turned(const map *m) {
    return widest(m->column) > m->width - 60;
}

/* What stands above or below the columns. */
static int columns_height(const map *m) {
    return turned(m) ? widest(m->column) + 80 : 200;
}

/* ---- colours -------------------------------------------------------------------------------- */

typedef struct {
    int r, g, b;
} colour;

/* From the worst, 0, to the best, 1. */
static colour colour_at(double t) {
    const colour light = {237, 244, 250}, deep = {8, 64, 129};
    return (colour){(int)lround(light.r + t * (deep.r - light.r)),
                    (int)lround(light.g + t * (deep.g - light.g)),
                    (int)lround(light.b + t * (deep.b - light.b))};
}

static double goodness(const map *m, double value) {
    const map_range *r = &m->range;
    double t = r->high > r->low ? (scaled(r, value) - r->low) / (r->high - r->low) : 0.5;
    return m->search->rises || !(r->high > r->low) ? t : 1 - t;
}

static void square(const map *m, int x, int y, int width, int height, colour c) {
    text_add(m->svg,
             "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#%02x%02x%02x\"/>\n", x, y,
             width, height, (unsigned)c.r, (unsigned)c.g, (unsigned)c.b);
}

/* ---- the heat map --------------------------------------------------------------------------- */

static const char *look_of(int width) {
    return width >= 900 ? "cell" : width >= 640 ? "tick" : "small";
}

static void cell(const map *m, int row, int column) {
    const map_search *s = m->search;
    int64_t setting = m->shown[row * m->column->values + column];
    double value = s->mean[setting];
    int x = m->left + column * m->width, y = m->top + row * m->height;
    bool numbers = m->width >= 480 && m->height >= 300;
    char text[AXIS_DIGITS], note[4 * LONGEST + 4];
    if (!isfinite(value)) {
        square(m, x, y, m->width, m->height, (colour){238, 238, 238});
        shortened(s->note[setting] ? s->note[setting] : "", m->width / 58, note);
        if (numbers)
            svg_label(m->svg, x + m->width / 2, y + m->height / 2 + 40, "small", "middle",
                      SPOR_FAINT, "%s", note);
        return;
    }
    double t = goodness(m, value);
    square(m, x, y, m->width, m->height, colour_at(t));
    number_text(s, value, text);
    if (numbers)
        svg_label(m->svg, x + m->width / 2, y + m->height / 2 + 50, look_of(m->width), "middle",
                  t > 0.62 ? "#ffffff" : SPOR_INK, "%s", text);
}

static void frame(const map *m, int x, int y, int width, int height, const char *ink, int stroke) {
    text_add(m->svg,
             "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"%s\" "
             "stroke-width=\"%d\"/>\n",
             x, y, width, height, ink, stroke);
}

/* White lines between the cells, the frame, and that of the best one. */
static void lines(const map *m) {
    int rows = m->row->values, columns = m->column->values;
    text_add(m->svg, "<path fill=\"none\" stroke=\"#ffffff\" stroke-width=\"12\" d=\"");
    for (int k = 1; k < rows; k++)
        text_add(m->svg, "M%d %dh%d", m->left, m->top + k * m->height, columns * m->width);
    for (int k = 1; k < columns; k++)
        text_add(m->svg, "M%d %dv%d", m->left + k * m->width, m->top, rows * m->height);
    text_add(m->svg, "\"/>\n");
    frame(m, m->left, m->top, columns * m->width, rows * m->height, SPOR_INK, 12);
    for (int k = 0; k < rows * columns && m->best >= 0; k++)
        if (m->shown[k] == m->best)
            frame(m, m->left + k % columns * m->width, m->top + k / columns * m->height, m->width,
                  m->height, SPOR_ORANGE, 40);
}

/* Colours and what they mean; the frame of the best. */
static void legend(const map *m, int y) {
    const map_range *r = &m->range;
    char worst[AXIS_DIGITS], best[AXIS_DIGITS];
    double low = r->logarithmic ? pow(10, r->low) : r->low;
    double high = r->logarithmic ? pow(10, r->high) : r->high;
    number_text(m->search, m->search->rises ? low : high, worst);
    number_text(m->search, m->search->rises ? high : low, best);
    if (m->best < 0) return;
    frame(m, m->left + 20, y, 300, 160, SPOR_ORANGE, 40);
    svg_label(m->svg, m->left + 420, y + 125, "legend", "start", SPOR_INK, "best");
    int x = m->left + 1100 + (int)strlen(worst) * LETTER;
    svg_label(m->svg, x - 80, y + 125, "legend", "end", SPOR_INK, "%s", worst);
    for (int k = 0; k < 20; k++) square(m, x + k * 60, y, 61, 160, colour_at(k / 19.0));
    svg_label(m->svg, x + 1280, y + 125, "legend", "start", SPOR_INK, "%s%s", best,
              r->logarithmic ? ", logarithmic" : "");
}

/* The names that are not shown, over which each cell is the best. */
static void tell_others(const map *m, int y) {
    const map_search *s = m->search;
    spor_text text = {0};
    for (int k = 0; k < s->axes; k++)
        if (&s->axis[k] != m->row && &s->axis[k] != m->column)
            text_add(&text, "%s%.60s (%d values)", text.size ? ", " : "", s->axis[k].name,
                     s->axis[k].values);
    if (text.size)
        svg_label(m->svg, 200, y, "legend", "start", SPOR_FAINT,
                  "Each cell is the best over %.180s", text.at);
    text_free(&text);
}

static void heading(const map *m, const char *title) {
    const map_search *s = m->search;
    svg_label(m->svg, 200, 330, "title", "start", SPOR_INK, "%.80s", title);
    svg_label(m->svg, 200, 560, "legend", "start", SPOR_INK, "%s%s%s", s->quantity,
              *s->about ? ", " : "", s->about);
    if (s->axes > 2) tell_others(m, 760);
}

static int cell_width(int columns) {
    return columns <= 8 ? 900 : columns <= 12 ? 640 : columns <= 24 ? 520 : 200;
}

static int cell_height(int rows) {
    return rows <= 12 ? 460 : rows <= 24 ? 340 : 200;
}

static int at_least(int a, int b) {
    return a > b ? a : b;
}

static void heat_map(map *m, const char *title) {
    int rows = m->row->values, columns = m->column->values;
    m->width = cell_width(columns);
    m->height = cell_height(rows);
    m->left = at_least(widest(m->row) + 700, 900);
    m->top = TOP + (m->search->axes > 2 ? 200 : 0) + columns_height(m) + 200;
    int right = m->left + columns * m->width, bottom = m->top + rows * m->height;
    svg_begin(m->svg, at_least(right + MARGIN, 6500) / 10, (bottom + 700) / 10, title,
              "A search: a cell for the values of two names, coloured by what they came to");
    heading(m, title);
    for (int k = 0; k < rows * columns; k++) cell(m, k / columns, k % columns);
    lines(m);
    for (int k = 0; k < rows; k++)
        place_label(m, m->left - 80, m->top + k * m->height + m->height / 2 + 45, "tick", "end",
                    false, m->row->value[k]);
    for (int k = 0; k < columns; k++)
        place_label(m, m->left + k * m->width + m->width / 2 + (turned(m) ? 45 : 0), m->top - 80,
                    "tick", turned(m) ? "start" : "middle", turned(m), m->column->value[k]);
    place_label(m, m->left + columns * m->width / 2, m->top - columns_height(m) - 70, "axis",
                "middle", false, m->column->name);
    place_label(m, 330, m->top + rows * m->height / 2, "axis", "middle", true, m->row->name);
    legend(m, bottom + 280);
    svg_end(m->svg);
}

/* ---- one name ------------------------------------------------------------------------------- */

enum { PLOT_HEIGHT = 3200, LEFT = 1000 };

static int place_y(const map *m, double value) {
    return axis_place(&m->axis, scaled(&m->range, value));
}

/* From one whole step, or power of ten, to another, with a line for each. */
static void grid(map *m) {
    map_range r = m->range;
    if (!(r.high > r.low)) {
        double width = r.low != 0 ? fabs(r.low) / 10 : 0.5;
        r.low -= width;
        r.high += width;
    }
    m->axis = (figure_axis){.from = m->top + PLOT_HEIGHT, .to = m->top, .powers = r.logarithmic};
    axis_cover_whole(&m->axis, r.low, r.high);
    axis_draw_vertical(m->svg, &m->axis, m->left, m->left + m->column->values * m->width);
}

static int place_x(const map *m, int k) {
    return m->left + k * m->width + m->width / 2;
}

/* A line through the means, broken where there is none. */
static void join(const map *m) {
    bool pen = false;
    text_add(m->svg, "<path fill=\"none\" stroke=\"" SPOR_BLUE "\" stroke-width=\"16\" d=\"");
    for (int k = 0; k < m->column->values; k++) {
        double value = m->search->mean[k];
        if (isfinite(value))
            text_add(m->svg, "%c%d %d", pen ? 'L' : 'M', place_x(m, k), place_y(m, value));
        pen = isfinite(value);
    }
    text_add(m->svg, "\"/>\n");
}

static void point(const map *m, int k) {
    const map_search *s = m->search;
    const char *ink = k == m->best ? SPOR_ORANGE : SPOR_BLUE;
    char text[AXIS_DIGITS];
    int x = place_x(m, k);
    if (!isfinite(s->mean[k])) {
        if (s->note[k])
            place_label(m, x + 45, m->top + PLOT_HEIGHT - 100, "tick", "start", true, s->note[k]);
        return;
    }
    int y = place_y(m, s->mean[k]), low = place_y(m, s->low[k]), high = place_y(m, s->high[k]);
    text_add(m->svg, "<path d=\"M%d %dV%d\" stroke=\"%s\" stroke-width=\"24\"/>\n", x, low, high,
             ink);
    text_add(m->svg, "<circle cx=\"%d\" cy=\"%d\" r=\"%d\" fill=\"%s\"/>\n", x, y,
             k == m->best ? 80 : 60, ink);
    if (k != m->best) return;
    number_text(s, s->mean[k], text);
    svg_label(m->svg, x, high - 120, "legend", "middle", ink, "best: %s", text);
}

static void plot(map *m, const char *title) {
    int values = m->column->values, bottom = TOP + 200 + PLOT_HEIGHT;
    m->width = at_least(cell_width(values), 5000 / values);
    m->left = LEFT;
    m->top = TOP + 200;
    int right = m->left + values * m->width, below = columns_height(m);
    svg_begin(m->svg, at_least(right + MARGIN, 6500) / 10, (bottom + below + 450) / 10, title,
              "A search: what the values of one name came to, with the range over the seeds");
    heading(m, title);
    grid(m);
    text_add(m->svg,
             "<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"" SPOR_INK
             "\" stroke-width=\"12\"/>\n",
             m->left, m->top, bottom, right);
    for (int k = 0; k < values; k++)
        place_label(m, place_x(m, k) + (turned(m) ? 45 : 0), bottom + (turned(m) ? 80 : 190),
                    "tick", turned(m) ? "end" : "middle", turned(m), m->column->value[k]);
    join(m);
    for (int k = 0; k < values; k++) point(m, k);
    place_label(m, (m->left + right) / 2, bottom + below + 220, "axis", "middle", false,
                m->column->name);
    place_label(m, 280, m->top + PLOT_HEIGHT / 2, "axis", "middle", true, m->search->quantity);
    svg_end(m->svg);
}

/* ---- the figure ------------------------------------------------------------------------------ */

static int64_t best_of(const map_search *s) {
    int64_t best = 0;
    while (s->rank[best]) best++;
    return isfinite(s->mean[best]) ? best : -1;
}

bool map_draw(spor_text *svg, const char *title, const map_search *s) {
    const double *const rows[] = {s->mean, s->low, s->high};
    bool alone = s->axes == 1;
    map m = {.svg = svg, .search = s, .best = best_of(s), .column = s->axis};
    m.range = range_of(s, settings_of(s), rows, alone ? 3 : 1);
    if (alone) return plot(&m, title), true;
    int first, second;
    choose_axes(&m, &first, &second);
    m.row = &s->axis[first];
    m.column = &s->axis[second];
    m.shown = calloc((size_t)m.row->values * (size_t)m.column->values, sizeof *m.shown);
    if (!m.shown) return false;
    choose_cells(&m, first, second);
    heat_map(&m, title);
    free(m.shown);
    return true;
}
