/*
 * A confusion matrix as a heat map: row = true label, column = predicted label. Colours are shares
 * of the row: blue on the diagonal, orange for errors, on a square root scale so that single errors
 * are seen.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "figure/figure.h"
#include "figure/svg.h"

/* Tenths of a pixel. */
enum { LEFT = 900, TOP = 1000, MARGIN = 1000, LETTER = 70, SHORT = 6, LONGEST = 24 };
/* Sides of cells that have numbers and lines between them; height of a label; most rectangles. */
enum { WITH_NUMBERS = 300, WITH_LINES = 60, LABEL_HEIGHT = 140, RECTANGLES = 4000 };

typedef struct {
    spor_text *svg;
    int classes, cell, left, every; /* one in so many classes has its label */
    char *const *name;              /* [classes], or NULL: numbers */
    bool numbered; /* rows have numbers before their names, which are too long for columns */
    const int64_t *counts;
    int64_t *labelled, *predicted; /* [classes] row and column sums */
} matrix;

/* Black or white, whichever is read better on the colour (relative luminance, sRGB). */
static const char *text_on(figure_colour c) {
    double light = 0.2126 * pow(c.r / 255.0, 2.2) + 0.7152 * pow(c.g / 255.0, 2.2) +
                   0.0722 * pow(c.b / 255.0, 2.2);
    return light > 0.18 ? SPOR_INK : "#ffffff";
}

static void square(matrix *m, int x, int y, int width, int height, figure_colour c) {
    text_add(m->svg,
             "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#%02x%02x%02x\"/>\n", x, y,
             width, height, (unsigned)c.r, (unsigned)c.g, (unsigned)c.b);
}

/* part of whole as a percentage: "98.6", "100", "<0.1". */
static const char *percent(int64_t part, int64_t whole, char out[32]) {
    long tenths = lround(1000.0 * (double)part / (double)whole);
    if (part == whole)
        snprintf(out, 32, "100");
    else if (part > 0 && tenths == 0)
        snprintf(out, 32, "<0.1");
    else
        snprintf(out, 32, "%ld.%ld", tenths / 10, tenths % 10);
    return out;
}

/* ---- cells ---------------------------------------------------------------------------------- */

static figure_colour colour_of(const matrix *m, int row, int column) {
    int64_t count = m->counts[row * m->classes + column], of = m->labelled[row];
    double depth = of ? sqrt((double)count / (double)of) : 0;
    if (!of) return (figure_colour){238, 238, 238};
    return colour_blend(colour_white, row == column ? colour_blue : colour_orange, depth);
}

static bool is_white(figure_colour c) {
    return c.r == 255 && c.g == 255 && c.b == 255;
}

/* A rectangle for each cell that is not white; of very many a picture, one pixel a cell. */
static bool colours(matrix *m) {
    size_t classes = (size_t)m->classes, drawn = 0;
    figure_box box = {m->left, TOP, m->classes * m->cell, m->classes * m->cell};
    figure_colour *pixel = calloc(classes * classes, sizeof *pixel);
    if (!pixel) return false;
    for (size_t k = 0; k < classes * classes; k++) {
        pixel[k] = colour_of(m, (int)(k / classes), (int)(k % classes));
        drawn += !is_white(pixel[k]);
    }
    for (size_t k = 0; drawn <= RECTANGLES && k < classes * classes; k++)
        if (!is_white(pixel[k]))
            square(m, m->left + (int)(k % classes) * m->cell, TOP + (int)(k / classes) * m->cell,
                   m->cell, m->cell, pixel[k]);
    if (drawn > RECTANGLES) image_place(m->svg, &box, m->classes, m->classes, pixel);
    free(pixel);
    return true;
}

static void numbers(matrix *m, int row, int column) {
    char share[32];
    int64_t count = m->counts[row * m->classes + column];
    int middle = m->left + column * m->cell + m->cell / 2, y = TOP + row * m->cell + m->cell / 2;
    bool both = m->cell >= 500;
    const char *ink = text_on(colour_of(m, row, column));
    if (!count || m->cell < WITH_NUMBERS) return;
    svg_label(m->svg, middle, y + (both ? 10 : 50), both ? "cell" : "small", "middle", ink,
              "%" PRId64, count);
    if (both)
        svg_label(m->svg, middle, y + 150, "small", "middle", ink, "%s %%",
                  percent(count, m->labelled[row], share));
}

/* Thin lines between the cells, and the frame. */
static void lines(matrix *m) {
    int side = m->classes * m->cell;
    text_add(m->svg, "<path fill=\"none\" stroke=\"#cccccc\" stroke-width=\"6\" d=\"");
    for (int k = 1; m->cell >= WITH_LINES && k < m->classes; k++)
        text_add(m->svg, "M%d %dh%dM%d %dv%d", m->left, TOP + k * m->cell, side,
                 m->left + k * m->cell, TOP, side);
    text_add(m->svg,
             "\"/>\n<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" "
             "stroke=\"" SPOR_INK "\" stroke-width=\"12\"/>\n",
             m->left, TOP, side, side);
}

/* ---- margins -------------------------------------------------------------------------------- */

enum { LABEL = 128 };

static const char *column_label(const matrix *m, int k, char out[LABEL]) {
    if (m->name && !m->numbered) return m->name[k];
    snprintf(out, LABEL, "%d", k);
    return out;
}

/* "3", "rose", or "3 forget-me-not". */
static const char *row_label(const matrix *m, int k, char out[LABEL]) {
    if (!m->numbered) return column_label(m, k, out);
    bool cut = text_width(m->name[k]) > LONGEST;
    snprintf(out, LABEL, "%d %.*s%s", k, text_bytes_of(m->name[k], LONGEST), m->name[k],
             cut ? "..." : "");
    return out;
}

/* Labels left and above, recall at the right, precision below. */
static void margins(matrix *m, int k) {
    char share[32], label[LABEL];
    int side = m->classes * m->cell, middle = k * m->cell + m->cell / 2;
    int64_t right = m->counts[k * m->classes + k];
    const char *look = m->cell < WITH_NUMBERS ? "small" : "tick";
    if (k % m->every) return; /* labels are higher than a cell */
    svg_label(m->svg, m->left - 80, TOP + middle + 45, look, "end", SPOR_INK, "%s",
              row_label(m, k, label));
    svg_label(m->svg, m->left + middle, TOP - 80, look, "middle", SPOR_INK, "%s",
              column_label(m, k, label));
    if (m->cell < WITH_NUMBERS) return;
    if (m->labelled[k])
        svg_label(m->svg, m->left + side + 80, TOP + middle + 45, look, "start", SPOR_FAINT,
                  "%s %%", percent(right, m->labelled[k], share));
    else
        svg_label(m->svg, m->left + side + 80, TOP + middle + 45, look, "start", SPOR_FAINT,
                  "no rows");
    svg_label(m->svg, m->left + middle, TOP + side + 190, "small", "middle", SPOR_FAINT, "%s%s",
              m->predicted[k] ? percent(right, m->predicted[k], share) : "never",
              m->predicted[k] ? " %" : "");
}

static void axis_titles(matrix *m) {
    int side = m->classes * m->cell, middle = side / 2;
    svg_label(m->svg, m->left + middle, TOP - 340, "axis", "middle", SPOR_INK, "predicted label");
    text_add(m->svg, "<g transform=\"translate(420 %d) rotate(-90)\">", TOP + middle);
    svg_label(m->svg, 0, 0, "axis", "middle", SPOR_INK, "true label");
    text_add(m->svg, "</g>\n");
    if (m->cell < WITH_NUMBERS) return;
    svg_label(m->svg, m->left + side + 80, TOP - 80, "small", "start", SPOR_FAINT, "recall");
    svg_label(m->svg, m->left - 80, TOP + side + 190, "small", "end", SPOR_FAINT, "precision");
}

/* Two scales of colour below the matrix, with what they mean. */
static void scales(matrix *m, int y) {
    static const char *const meaning[] = {"right", "wrong"};
    const figure_colour ends[] = {colour_blue, colour_orange};
    for (int k = 0; k < 2; k++) {
        int x = m->left + k * 2900;
        for (int i = 0; i <= 20; i++)
            square(m, x + i * 60, y, 61, 120, colour_blend(colour_white, ends[k], sqrt(i / 20.0)));
        text_add(m->svg,
                 "<rect x=\"%d\" y=\"%d\" width=\"1260\" height=\"120\" fill=\"none\" "
                 "stroke=\"#999999\" stroke-width=\"6\"/>\n",
                 x, y);
        svg_label(m->svg, x + 1340, y + 100, "small", "start", SPOR_INK, "%s, 0 to 100 %% of row",
                  meaning[k]);
    }
}

/* ---- the figure ------------------------------------------------------------------------------ */

static void count_margins(matrix *m) {
    for (int row = 0; row < m->classes; row++)
        for (int column = 0; column < m->classes; column++) {
            m->labelled[row] += m->counts[row * m->classes + column];
            m->predicted[column] += m->counts[row * m->classes + column];
        }
}

static void heading(matrix *m, const char *title) {
    int64_t rows = 0, right = 0;
    for (int k = 0; k < m->classes; k++) {
        rows += m->labelled[k];
        right += m->counts[k * m->classes + k];
    }
    long accuracy = rows ? lround(1e4 * (double)right / (double)rows) : 0;
    svg_label(m->svg, 200, 330, "title", "start", SPOR_INK, "%s", title);
    if (rows)
        svg_label(m->svg, m->left, TOP + m->classes * m->cell + 480, "legend", "start", SPOR_INK,
                  "%" PRId64 " of %" PRId64 " rows right: accuracy %ld.%04ld", right, rows,
                  accuracy / 10000, accuracy % 10000);
}

static bool draw(matrix *m, const char *title) {
    int side = m->classes * m->cell, width = m->left + side + MARGIN;
    if (width < 7000 + m->left - LEFT) width = 7000 + m->left - LEFT; /* the scales */
    count_margins(m);
    svg_begin(m->svg, width / 10, (TOP + side + MARGIN) / 10, title,
              "Confusion matrix: rows are true labels, columns predicted labels");
    heading(m, title);
    if (!colours(m)) return false;
    for (int row = 0; row < m->classes; row++)
        for (int column = 0; column < m->classes; column++) numbers(m, row, column);
    lines(m);
    for (int k = 0; k < m->classes; k++) margins(m, k);
    axis_titles(m);
    scales(m, TOP + side + 660);
    svg_end(m->svg);
    return true;
}

/* Room for the longest name at the left. */
static void choose_labels(matrix *m) {
    int widest = 0;
    for (int k = 0; m->name && k < m->classes; k++)
        if (text_width(m->name[k]) > widest) widest = text_width(m->name[k]);
    m->numbered = widest > SHORT || (m->name && m->cell < WITH_NUMBERS);
    if (widest > LONGEST) widest = LONGEST + 2; /* and an ellipsis */
    m->left = LEFT;
    if (m->numbered) widest += 3;
    if (widest > 3) m->left += (widest - 3) * LETTER;
}

/* A side of 7000 for many classes. */
static void choose_cells(matrix *m) {
    m->cell = m->classes <= 12   ? 560
              : m->classes <= 25 ? 360
              : m->classes <= 50 ? 140
                                 : 7000 / m->classes;
    m->every = 1;
    for (int power = 1; m->every * m->cell < LABEL_HEIGHT; power *= 10)
        for (int k = 0; k < 3 && m->every * m->cell < LABEL_HEIGHT; k++)
            m->every = (int[]){1, 2, 5}[k] * power;
}

bool figure_confusion(spor_text *svg, const char *title, int classes, char *const names[],
                      const int64_t counts[]) {
    matrix m = {.svg = svg, .classes = classes, .name = names, .counts = counts};
    int64_t *sums = calloc(2 * (size_t)classes, sizeof *sums);
    if (!sums) return false;
    choose_cells(&m);
    choose_labels(&m);
    m.labelled = sums;
    m.predicted = sums + classes;
    bool done = draw(&m, title);
    free(sums);
    return done;
}
