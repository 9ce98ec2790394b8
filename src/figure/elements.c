/* Where an array is wrong: cells in the colours of a page, light or dark. */
#include "figure/elements.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/shape.h"
#include "figure/svg.h"

/* Pixels. */
enum { LEFT = 64, TOP = 46, BELOW = 58, WIDEST = 560, TALLEST = 420, CELL = 26, NARROWEST = 300 };

/* What a cell shows, the worse the later. */
typedef enum { RIGHT, UNJUDGED, SLIGHT, WRONG, FAR, LOOKS } look;

static const struct {
    const char *class, *text;
} looks[LOOKS] = {[RIGHT] = {"e0", "right"},
                  [UNJUDGED] = {"e1", "not decided"},
                  [SLIGHT] = {"e2", "off by < 1 %"},
                  [WRONG] = {"e3", "< 100 %"},
                  [FAR] = {"e4", "more, or no number"}};

typedef struct {
    spor_text *svg;
    const elements_map *map;
    int64_t rows, columns; /* elements */
    int64_t down, across;  /* of them in a cell */
    int64_t cells_down, cells_across;
    int cell_width, cell_height;
    int64_t wrong;
} drawing;

static look look_of(double off) {
    if (isnan(off)) return UNJUDGED;
    if (off <= 0) return RIGHT;
    return off < 0.01 ? SLIGHT : off < 1 ? WRONG : FAR;
}

static int64_t cells_for(int64_t n, int64_t each) {
    return (n + each - 1) / each;
}

static int cell_size(int64_t cells, int room) {
    int size = (int)(room / (cells ? cells : 1));
    return size > CELL ? CELL : size < 3 ? 3 : size;
}

static drawing lay_out(spor_text *svg, const elements_map *map) {
    drawing d = {.svg = svg, .map = map, .rows = 1, .columns = 1};
    int rank = map->shape.rank;
    if (rank) d.columns = map->shape.n[rank - 1];
    for (int k = 0; k + 1 < rank; k++) d.rows *= map->shape.n[k];
    d.down = cells_for(d.rows, ELEMENTS_MOST);
    d.across = cells_for(d.columns, ELEMENTS_MOST);
    d.down = d.down ? d.down : 1;
    d.across = d.across ? d.across : 1;
    d.cells_down = cells_for(d.rows, d.down);
    d.cells_across = cells_for(d.columns, d.across);
    d.cell_width = cell_size(d.cells_across, WIDEST);
    d.cell_height = cell_size(d.cells_down, TALLEST);
    for (int64_t k = 0; k < d.rows * d.columns; k++) d.wrong += look_of(map->off[k]) > UNJUDGED;
    return d;
}

/* The worst of a cell's elements. */
static look look_at(const drawing *d, int64_t row, int64_t column) {
    look worst = RIGHT;
    for (int64_t i = row * d->down; i < (row + 1) * d->down && i < d->rows; i++)
        for (int64_t j = column * d->across; j < (column + 1) * d->across && j < d->columns; j++) {
            look here = look_of(d->map->off[i * d->columns + j]);
            worst = here > worst ? here : worst;
        }
    return worst;
}

/* All cells of one look as one path, neighbours in a row together; a gap between cells that are not tiny. */
static void draw_cells(const drawing *d, look which) {
    int gap = d->cell_width > 5 && d->cell_height > 5;
    bool any = false;
    for (int64_t i = 0; i < d->cells_down; i++)
        for (int64_t j = 0, n; j < d->cells_across; j += n ? n : 1) {
            for (n = 0; j + n < d->cells_across && look_at(d, i, j + n) == which; n += 1)
                if (gap && n == 1) break;
            if (gap && n > 1) n = 1;
            if (!n) continue;
            if (!any) text_add(d->svg, "<path class=\"%s\" d=\"", looks[which].class);
            any = true;
            text_add(d->svg, "M%" PRId64 " %" PRId64 "h%" PRId64 "v%dh%" PRId64 "z",
                     LEFT + j * d->cell_width, TOP + i * d->cell_height, n * d->cell_width - gap,
                     d->cell_height - gap, gap - n * d->cell_width);
        }
    if (any) text_add(d->svg, "\"/>\n");
}

static void label(const drawing *d, int64_t x, int64_t y, const char *anchor, bool turned,
                  const char *text) {
    text_add(d->svg, "<text x=\"%" PRId64 "\" y=\"%" PRId64 "\" text-anchor=\"%s\"", x, y, anchor);
    if (turned) text_add(d->svg, " transform=\"rotate(-90 %" PRId64 " %" PRId64 ")\"", x, y);
    text_add(d->svg, ">");
    svg_escaped(d->svg, text);
    text_add(d->svg, "</text>\n");
}

/* "N x H" of the axes that run down. */
static void rows_name(const drawing *d, char text[160]) {
    int rank = d->map->shape.rank, used = 0;
    text[0] = 0;
    for (int k = 0; k + 1 < rank; k++) {
        const char *name = d->map->axis ? d->map->axis[k] : NULL;
        if (used >= 120) break;
        if (name)
            used +=
                snprintf(text + used, 160 - (size_t)used, "%s%.24s", k ? " \xc3\x97 " : "", name);
        else
            used +=
                snprintf(text + used, 160 - (size_t)used, "%saxis %d", k ? " \xc3\x97 " : "", k);
    }
}

static void number(const drawing *d, int64_t x, int64_t y, const char *anchor, int64_t n) {
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, n);
    label(d, x, y, anchor, false, text);
}

static void draw_axes(const drawing *d) {
    int64_t right = LEFT + d->cells_across * d->cell_width;
    int64_t bottom = TOP + d->cells_down * d->cell_height;
    int rank = d->map->shape.rank;
    char name[160];
    number(d, LEFT + d->cell_width / 2, bottom + 14, "middle", 0);
    if (d->columns > 1) number(d, right - d->cell_width / 2, bottom + 14, "middle", d->columns - 1);
    if (d->rows > 1) number(d, LEFT - 6, TOP + d->cell_height / 2 + 4, "end", 0);
    if (d->rows > 1) number(d, LEFT - 6, bottom - d->cell_height / 2 + 4, "end", d->rows - 1);
    const char *last = rank && d->map->axis ? d->map->axis[rank - 1] : NULL;
    snprintf(name, sizeof name, "axis %d", rank - 1);
    if (d->columns > 2)
        label(d, (LEFT + right) / 2, bottom + 14, "middle", false, last ? last : name);
    rows_name(d, name);
    if (d->rows > 2) label(d, 16, (TOP + bottom) / 2, "middle", true, name);
}

/* Colours that occur, and what they mean. */
static void draw_legend(const drawing *d, int64_t y) {
    int64_t x = LEFT;
    for (int k = 0; k < LOOKS; k++) {
        text_add(d->svg,
                 "<rect class=\"%s\" x=\"%" PRId64 "\" y=\"%" PRId64
                 "\" width=\"11\" height=\"11\"/>\n",
                 looks[k].class, x, y);
        label(d, x + 16, y + 10, "start", false, looks[k].text);
        x += 32 + 7 * text_width(looks[k].text);
    }
}

void elements_draw(spor_text *svg, const elements_map *map) {
    drawing d = lay_out(svg, map);
    char text[320];
    int64_t width = LEFT + d.cells_across * d.cell_width + 24;
    int64_t bottom = TOP + d.cells_down * d.cell_height;
    enum { LEGEND = 560 };
    width = width < LEFT + LEGEND ? LEFT + LEGEND : width;
    text_add(svg,
             "<svg class=\"elements\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" "
             "viewBox=\"0 0 %" PRId64 " %" PRId64 "\" width=\"%" PRId64 "\" height=\"%" PRId64
             "\">\n<title>",
             width, bottom + BELOW, width, bottom + BELOW);
    snprintf(text, sizeof text, "%.60s: %" PRId64 " of %" PRId64 " elements are wrong%s%.120s",
             map->name, d.wrong, d.rows * d.columns, *map->about ? " at " : "", map->about);
    svg_escaped(svg, text);
    text_add(svg, "</title>\n");
    label(&d, LEFT, 18, "start", false, text);
    if (d.down > 1 || d.across > 1) {
        snprintf(text, sizeof text,
                 "a cell is the worst of %" PRId64 " \xc3\x97 %" PRId64 " elements", d.down,
                 d.across);
        label(&d, LEFT, 35, "start", false, text);
    }
    for (int k = 0; k < LOOKS; k++) draw_cells(&d, (look)k);
    draw_axes(&d);
    draw_legend(&d, bottom + 32);
    text_add(svg, "</svg>\n");
}
