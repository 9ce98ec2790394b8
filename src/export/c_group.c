/*
 * A group of elementwise nodes in C. Without folds it is one loop; the order of a fold is that of
 * kernels/group.c: a tile is made in scratch, then folded box by box.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/c_program.h"
#include "kernels/slots.h"

/* How an element is called. */
typedef struct {
    char text[192];
} element;

typedef struct {
    spor_c *c;
    c_program *p;
    const spor_tape *tape;
    const program_step *step;
    const spor_group *group;
    char (*name)[64]; /* of the arguments */
    element *value;   /* of the nodes */
    bool cut;         /* the group has several tiles along axis split */
} writer;

static const spor_node *node_of(const writer *w, uint32_t i) {
    return &w->tape->node[w->step->node[i]];
}

static spor_tile_role role_of(const writer *w, uint32_t i) {
    return node_of(w, i)->op->tile->role;
}

/* Which node of the group is this; -1: none. */
static int find_node(const writer *w, uint32_t id) {
    for (uint32_t i = 0; i < w->step->nodes; i++)
        if (w->step->node[i] == id) return (int)i;
    return -1;
}

static int find_argument(const writer *w, uint32_t id, int64_t axes, bool written) {
    for (int a = written ? w->step->reads : 0; a < w->group->arguments; a++)
        if (w->step->operand[a] == id && w->group->argument[a].axes == axes) return a;
    return -1;
}

/* ---- indices ---- */

/* "i0 * 20 + i1" along axes before `end`; "0" of none. `axis_name`: "i0", or "p" for the tile's first. */
static element index_text(const writer *w, const int64_t stride[], int end, bool at_tile) {
    element e = {"0"};
    size_t used = 0;
    for (int k = 0; k < end && used < sizeof e.text; k++) {
        if (!stride[k] || w->group->n[k] == 1) continue;
        if (at_tile && k == w->group->split && !w->cut) continue;
        bool tile = at_tile && k == w->group->split;
        char name[16], by[32] = "";
        snprintf(name, sizeof name, tile ? "p" : "i%d", k);
        if (stride[k] > 1) snprintf(by, sizeof by, " * %" PRId64, stride[k]);
        used += (size_t)snprintf(e.text + used, sizeof e.text - used, "%s%s%s", used ? " + " : "",
                                 name, by);
    }
    return e;
}

static element argument_text(const writer *w, int a) {
    element e;
    uint32_t id = w->step->operand[a];
    const spor_argument *argument = &w->group->argument[a];
    const c_constant *constant = c_constant_of(w->p, id);
    if (constant && constant->own && constant->count == 1) {
        const void *value = constant->value;
        double number = w->c->single ? (double)*(const float *)value : *(const double *)value;
        snprintf(e.text, sizeof e.text, "%s", c_number(w->c, number).text);
        return e;
    }
    element index = index_text(w, argument->stride, w->group->rank, false);
    snprintf(e.text, sizeof e.text, "%.60s[%.120s]", w->name[a], index.text);
    return e;
}

/* ---- elements ---- */

static element operand_text(const writer *w, uint32_t i, int k) {
    uint32_t id = program_operand(w->p->program, w->step->node[i], k);
    int from = find_node(w, id);
    int64_t axes = role_of(w, i) == SPOR_REPEATS ? node_of(w, i)->attr[AXES].i : 0;
    if (from >= 0) return w->value[from];
    int a = find_argument(w, id, axes, false);
    return a < 0 ? (element){"0"} : argument_text(w, a);
}

/* What is drawn in every step of a training. */
static void write_drawn(writer *w, uint32_t i) {
    const spor_group *g = w->group;
    int64_t stride[SPOR_RANK];
    for (int k = g->rank - 1; k >= 0; k--)
        stride[k] = k + 1 < g->rank ? stride[k + 1] * g->n[k + 1] : 1;
    node_of(w, i)->op->c_drawn(w->c, node_of(w, i)->attr,
                               index_text(w, stride, g->rank, false).text, w->value[i].text);
}

static void write_map(writer *w, uint32_t i) {
    const spor_node *node = node_of(w, i);
    spor_symbols symbols = {0};
    spor_symbol x[SPOR_OPERANDS];
    element operand[SPOR_OPERANDS];
    for (int k = 0; k < node->op->operands; k++) {
        operand[k] = operand_text(w, i, k);
        x[k] = symbol_name(&symbols, operand[k].text);
    }
    snprintf(w->value[i].text, sizeof w->value[i].text, "v%" PRIu32, w->step->node[i]);
    if (node->op->c_drawn && w->p->program->updates) {
        write_drawn(w, i);
        return;
    }
    if (!node->op->operands || !node->op->tile->symbolic) {
        if (!w->c->missing) w->c->missing = node->op->signature;
        return;
    }
    c_define(w->c, &symbols, node->op->tile->symbolic(x, node->attr), w->value[i].text);
}

/* The fold's operand lies in memory as it is folded; else it is made in scratch. */
static int lies_at(const writer *w, uint32_t i) {
    uint32_t id = program_operand(w->p->program, w->step->node[i], 0);
    return find_node(w, id) >= 0 ? -1 : find_argument(w, id, 0, false);
}

static void write_element(writer *w) {
    for (uint32_t i = 0; i < w->step->nodes; i++) {
        spor_tile_role role = role_of(w, i);
        if (role == SPOR_MAPS) write_map(w, i);
        if (role == SPOR_REPEATS) w->value[i] = operand_text(w, i, 0);
        if (role_folds(role) && lies_at(w, i) < 0)
            c_line(w->c, "t%" PRIu32 "[e] = %s;", i, operand_text(w, i, 0).text);
        int a = role_folds(role) ? -1 : find_argument(w, w->step->node[i], 0, true);
        if (a < 0) continue;
        element index = index_text(w, w->group->argument[a].stride, w->group->rank, false);
        c_line(w->c, "%s[%s] = %s;", w->name[a], index.text, w->value[i].text);
    }
}

/* ---- folds ---- */

/* Indices of an axis within a tile: a number, or "(end - p)". */
static element indices_text(const writer *w, int first, int end) {
    int64_t count = 1;
    bool cut = false;
    element e;
    for (int k = first; k < end; k++)
        if (k == w->group->split && w->cut)
            cut = true;
        else
            count *= w->group->n[k];
    if (cut && count > 1)
        snprintf(e.text, sizeof e.text, "(end - p) * %" PRId64, count);
    else if (cut)
        snprintf(e.text, sizeof e.text, "end - p");
    else
        snprintf(e.text, sizeof e.text, "%" PRId64, count);
    return e;
}

static void open_axis(const writer *w, int k) {
    if (k == w->group->split && w->cut)
        c_line(w->c, "for (int i%d = p; i%d < end; i%d++) {", k, k, k);
    else
        c_line(w->c, "for (int i%d = 0; i%d < %" PRId64 "; i%d++) {", k, k, w->group->n[k], k);
}

static void close_axes(const writer *w, int count) {
    for (int k = 0; k < count; k++) c_line(w->c, "}");
}

/* x[at] of `rows` x `length`, or, of a row, `length` elements, meets what was folded so far. */
static void write_box(const writer *w, uint32_t i, int a, const char *x, int first) {
    const spor_group *g = w->group;
    const spor_argument *argument = &g->argument[a];
    bool sums = role_of(w, i) == SPOR_SUMS, in_row = argument->stride[g->rank - 1] != 0;
    element at = index_text(w, argument->stride, first, first <= g->split);
    if (in_row && first <= g->split && g->split == g->rank - 1 && w->cut)
        at = index_text(w, argument->stride, g->rank, true);
    char to[300], low[300] = "0";
    snprintf(to, sizeof to, "%.60s + %.180s", w->name[a], at.text);
    if (argument->carries) snprintf(low, sizeof low, "low%d + %.180s", a, at.text);
    element rows = indices_text(w, first, g->rank - 1),
            length = indices_text(w, in_row ? g->rank - 1 : first, g->rank);
    if (in_row && sums)
        c_line(w->c, "net_sum_columns(%s, %s, %s, %s, %s);", to, low, x, rows.text, length.text);
    else if (in_row)
        c_line(w->c, "net_largest_of_columns(%s, %s, %s, %s);", to, x, rows.text, length.text);
    else if (sums)
        c_line(w->c, "net_add(%s, %s, net_sum_row(%s, %s));", to, low, x, length.text);
    else
        c_line(w->c, "%s[%s] = net_larger(%s[%s], net_largest_of_row(%s, %s));", w->name[a],
               at.text, w->name[a], at.text, x, length.text);
}

/* The argument that a fold makes. */
static int folded_by(const writer *w, uint32_t i) {
    return find_argument(w, w->step->node[i], node_of(w, i)->attr[AXES].i, true);
}

/* The first axis inside of a box of a fold. */
static int first_inside(const writer *w, int a) {
    const int64_t *stride = w->group->argument[a].stride;
    int first = w->group->rank - 1;
    while (first > w->group->split && !stride[first - 1]) first--;
    return first;
}

static void write_fold(const writer *w, uint32_t i) {
    const spor_group *g = w->group;
    int a = folded_by(w, i), from = lies_at(w, i), first = first_inside(w, a);
    char x[300];
    if (from < 0)
        snprintf(x, sizeof x, "t%" PRIu32, i);
    else
        snprintf(x, sizeof x, "%.60s + %.180s", w->name[from],
                 index_text(w, g->argument[from].stride, g->split + 1, true).text);
    if (first == g->split) {
        write_box(w, i, a, x, first);
        return;
    }
    size_t used = strlen(x);
    c_line(w->c, "e = 0;");
    for (int k = g->split; k < first; k++) open_axis(w, k);
    snprintf(x + used, sizeof x - used, " + e");
    write_box(w, i, a, x, first);
    c_line(w->c, "e += %s;", indices_text(w, first, g->rank).text);
    close_axes(w, first - g->split);
}

/* ---- the group ---- */

static bool has_folds(const writer *w) {
    for (uint32_t i = 0; i < w->step->nodes; i++)
        if (role_folds(role_of(w, i))) return true;
    return false;
}

/* Something is made for each element, beside folds of what lies in memory. */
static bool has_elements(const writer *w) {
    for (uint32_t i = 0; i < w->step->nodes; i++)
        if (!role_folds(role_of(w, i)) || lies_at(w, i) < 0) return true;
    return false;
}

/* Elements of scratch or boxes are counted. */
static bool counts(const writer *w) {
    for (uint32_t i = 0; i < w->step->nodes; i++)
        if (role_folds(role_of(w, i)) && first_inside(w, folded_by(w, i)) > w->group->split)
            return true;
    return has_elements(w);
}

static void write_elements(writer *w, int first) {
    int last = w->group->rank;
    for (int k = first; k < last; k++) open_axis(w, k);
    write_element(w);
    if (has_folds(w)) c_line(w->c, "e++;");
    close_axes(w, last - first);
}

/* Where tiles and what rounding takes lie in scratch; what folds begin with. */
static void begin_folds(const writer *w) {
    int64_t used = 0;
    for (uint32_t i = 0; i < w->step->nodes; i++) {
        if (!role_folds(role_of(w, i))) continue;
        int a = folded_by(w, i);
        const spor_argument *argument = &w->group->argument[a];
        bool sums = role_of(w, i) == SPOR_SUMS;
        if (lies_at(w, i) < 0) {
            c_line(w->c, "%s *t%" PRIu32 " = scratch + %" PRId64 ";", c_type(w->c), i, used);
            used += w->group->tile;
        }
        if (argument->carries) {
            c_line(w->c, "%s *low%d = scratch + %" PRId64 ";", c_type(w->c), a, used);
            used += argument->size;
        }
        c_line(w->c, "net_fill(%s, %s, %" PRId64 ");", w->name[a], sums ? "0" : "-net_infinity()",
               argument->size);
        if (argument->carries) c_line(w->c, "net_fill(low%d, 0, %" PRId64 ");", a, argument->size);
    }
    c_want_scratch(w->c, used);
}

static void end_folds(const writer *w) {
    for (int a = w->step->reads; a < w->group->arguments; a++)
        if (w->group->argument[a].carries)
            c_line(w->c, "net_settle(%s, low%d, %" PRId64 ");", w->name[a], a,
                   w->group->argument[a].size);
}

static void write_tiles(writer *w) {
    const spor_group *g = w->group;
    for (int k = 0; k < g->split; k++) open_axis(w, k);
    if (w->cut) {
        c_line(w->c, "for (int p = 0; p < %" PRId64 "; p += %" PRId64 ") {", g->n[g->split],
               g->piece);
        c_line(w->c,
               "const int end = p + %" PRId64 " < %" PRId64 " ? p + %" PRId64 " : %" PRId64 ";",
               g->piece, g->n[g->split], g->piece, g->n[g->split]);
    }
    if (has_elements(w)) {
        c_line(w->c, "e = 0;");
        write_elements(w, g->split);
    }
    for (uint32_t i = 0; i < w->step->nodes; i++)
        if (role_folds(role_of(w, i))) write_fold(w, i);
    close_axes(w, g->split + w->cut);
}

void c_write_group(spor_c *c, c_program *p, const program_step *step, char (*name)[64]) {
    const spor_group *g = step->group;
    writer w = {
        .c = c, .p = p, .tape = p->program->graph.tape, .step = step, .group = g, .name = name};
    w.value = calloc(step->nodes, sizeof *w.value);
    if (!w.value) {
        c->text.failed = true;
        return;
    }
    if (has_folds(&w)) {
        w.cut = g->piece < g->n[g->split];
        if (counts(&w)) c_line(c, "int e = 0;");
        begin_folds(&w);
        write_tiles(&w);
        end_folds(&w);
    } else {
        write_elements(&w, 0);
    }
    free(w.value);
}
