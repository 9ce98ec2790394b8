/* Pictures in rows, with what is to be said of each below it. */
#include <inttypes.h>
#include <stdio.h>

#include "figure/axis.h"
#include "figure/figure.h"
#include "figure/svg.h"

/* In tenths of a pixel. A letter is as wide as most of them are. */
enum { WIDTH = 8000, LEFT = 250, TOP = 620, HEADING = 330, GAP = 120, LINE = 145, LETTER = 56 };

typedef struct {
    int column, side, height; /* of a tile, of its picture, of a row of tiles */
} layout;

static int lines_of(const figure_group *g) {
    int most = 0;
    for (int k = 0; k < g->count; k++)
        for (int line = 0; line < TILE_LINES; line++)
            if (g->tile[k].line[line] && line >= most) most = line + 1;
    return most;
}

static layout layout_of(const figure_group *g) {
    layout l = {.column = (WIDTH - 2 * LEFT) / g->columns};
    l.side = g->size.height ? l.column - GAP : 0;
    if (l.side > 1000) l.side = 1000;
    l.height = l.side + LINE * lines_of(g) + GAP;
    return l;
}

static int height_of(const figure_group *g) {
    layout l = layout_of(g);
    return HEADING + l.height * ((g->count + g->columns - 1) / g->columns) + GAP;
}

static image_scale scale_of(const figure_group *g) {
    image_scale scale = image_no_scale(g->is_signed);
    for (int k = 0; g->size.height && k < g->count; k++)
        if (g->tile[k].number)
            image_cover(&scale, g->tile[k].number,
                        g->size.height * g->size.width * g->size.channels);
    return scale;
}

/* What colours mean; of a large picture which pixels are seen. */
static void scale_text(const figure_group *g, const image_scale *s, char out[200]) {
    char low[AXIS_DIGITS], high[AXIS_DIGITS];
    int64_t step = image_step(&g->size);
    bool any = s->low <= s->high;
    int at = 0;
    axis_digits(low, s->low, 4);
    axis_digits(high, s->high, 4);
    if (any && s->is_signed)
        at = snprintf(out, 200, "blue %s, white 0, orange %s", low, high);
    else if (any)
        at = snprintf(out, 200, "black %s, white %s", low, high);
    if (s->others) at += snprintf(out + at, 200 - (size_t)at, "%sgreen no number", any ? ", " : "");
    if (step > 1)
        snprintf(out + at, 200 - (size_t)at,
                 "; of %" PRId64 " x %" PRId64 " pixels one in %" PRId64 " along each side",
                 g->size.height, g->size.width, step);
}

static void draw_lines(spor_text *svg, const figure_tile *tile, const layout *l, int x, int y) {
    int letters = (l->column - 40) / LETTER;
    for (int k = 0; k < TILE_LINES; k++) {
        const char *line = tile->line[k];
        if (!line) continue;
        bool cut = text_width(line) > letters;
        svg_label(svg, x + l->column / 2, y + l->side + LINE * (k + 1) - 20, "small", "middle",
                  k ? SPOR_FAINT : SPOR_INK, "%.*s%s",
                  text_bytes_of(line, cut ? letters - 3 : letters), line, cut ? "..." : "");
    }
}

static void draw_group(spor_text *svg, const figure_group *g, int y) {
    layout l = layout_of(g);
    image_scale scale = scale_of(g);
    char meaning[200] = "";
    if (g->size.height) scale_text(g, &scale, meaning);
    svg_label(svg, LEFT, y + 200, "legend", "start", SPOR_INK, "%.120s%s%s",
              g->heading ? g->heading : "", g->heading && *meaning ? ": " : "", meaning);
    for (int k = 0; k < g->count; k++) {
        int x = LEFT + k % g->columns * l.column, top = y + HEADING + k / g->columns * l.height;
        figure_box box = {x + (l.column - l.side) / 2, top, l.side, l.side};
        if (g->size.height && g->tile[k].number)
            image_draw(svg, &box, &g->size, g->tile[k].number, &scale);
        draw_lines(svg, &g->tile[k], &l, x, top);
    }
}

void figure_tiles(spor_text *svg, const char *title, const char *about, int groups,
                  const figure_group group[]) {
    int height = TOP;
    for (int k = 0; k < groups; k++) height += height_of(&group[k]);
    svg_begin(svg, WIDTH / 10, height / 10, title, about);
    svg_label(svg, LEFT, 330, "title", "start", SPOR_INK, "%s", title);
    svg_label(svg, LEFT, 530, "legend", "start", SPOR_FAINT, "%s", about);
    for (int k = 0, y = TOP; k < groups; y += height_of(&group[k++])) draw_group(svg, &group[k], y);
    svg_end(svg);
}
