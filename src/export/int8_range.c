/* Least and most of each value on the way, over rows of data. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/message.h"
#include "base/shape.h"
#include "export/int8.h"
#include "kernels/element.h"

/* The nodes whose values are looked at, as results of a program. */
typedef struct {
    int8_graph *g;
    spor_program *program;
    spor_var *seen;
    int count;
} looker;

static bool make_looker(looker *l, spor_scalar scalar, spor_message *message) {
    const spor_options options = {.scalar = scalar};
    const int8_graph *g = l->g;
    l->seen = calloc(g->tape->count, sizeof *l->seen);
    if (!l->seen) return message_complain(message, "out of memory");
    for (uint32_t id = 1; id < g->tape->count; id++)
        if (g->node[id].live && g->same[id] == id && !g->node[id].constant && id != g->input)
            l->seen[l->count++] = (spor_var){g->tape, id};
    l->program = spor_compile(g->tape, l->count, l->seen, g->params, &options);
    return !spor_program_error(l->program) ||
           message_complain(message, "%s", spor_program_error(l->program));
}

/* False of a number that is not finite, as a float. */
static bool widen(int8_node *node, const spor_arg *arg, spor_scalar scalar) {
    const element_type *type = element_types[scalar];
    for (int64_t k = 0; k < shape_size(&arg->shape); k++) {
        const double value = type->value(arg->data, k);
        if (!(fabs(value) <= (double)FLT_MAX)) return false;
        node->parted = node->parted || floor(value) < value;
        node->least = fmin(node->least, value);
        node->most = fmax(node->most, value);
    }
    return true;
}

static bool complain(const int8_graph *g, uint32_t id, int64_t row, spor_message *message) {
    const spor_node *node = int8_node_of(g, id);
    char name[SPOR_NAME], place[256] = "";
    op_name(node->op, name, sizeof name);
    if (node->place.file)
        snprintf(place, sizeof place, "%.200s:%d:%d: ", node->place.file, node->place.line,
                 node->place.column);
    return message_complain(
        message,
        "%s%s of row %" PRId64
        " of those that calibrate is not finite, or too large for a float: int8 has "
        "no such numbers",
        place, name, row + 1);
}

static bool look(looker *l, int64_t row, spor_scalar scalar, spor_message *message) {
    int8_graph *g = l->g;
    spor_arg x = spor_program_arg(l->program, (spor_var){g->tape, g->input});
    if (!widen(&g->node[g->input], &x, scalar)) return complain(g, g->input, row, message);
    if (!spor_run(l->program, 0))
        return message_complain(message, "%s", spor_program_error(l->program));
    for (int k = 0; k < l->count; k++) {
        spor_arg arg = spor_program_arg(l->program, l->seen[k]);
        if (!widen(&g->node[l->seen[k].id], &arg, scalar))
            return complain(g, l->seen[k].id, row, message);
    }
    return true;
}

/* Numbers that others take for rows, 0 to last: they may be any of these. */
static void mark_names(int8_node *node, uint32_t by, double last) {
    node->names = by;
    node->parted = false;
    node->most = fmax(node->most, last);
}

/* Which name rows, and what these, and whole numbers, were moved from. */
static void find_names(int8_graph *g) {
    for (uint32_t id = g->tape->count - 1; id > 0; id--) {
        const spor_node *node = int8_node_of(g, id);
        spor_shape in[SPOR_OPERANDS];
        if (!g->node[id].live || g->same[id] != id || g->node[id].constant) continue;
        for (int k = 0; k < node->op->operands; k++)
            in[k] = *int8_node_of(g, int8_operand(g, id, k))->shape;
        for (int k = 0; k < node->op->operands; k++) {
            int8_node *of = &g->node[int8_operand(g, id, k)];
            if (node->op->domain[k] == SPOR_INDEX)
                mark_names(of, id, (double)(node->op->named(in, node->attr) - 1));
            else if (int8_moves(g, id) && g->node[id].names)
                mark_names(of, g->node[id].names, g->node[id].most);
            else if (int8_moves(g, id) && !g->node[id].parted && g->node[id].most > 0)
                of->parted = false;
        }
    }
}

bool int8_find_ranges(int8_graph *g, const export_rows *rows, spor_scalar scalar,
                      spor_message *message) {
    looker l = {.g = g};
    bool done = make_looker(&l, scalar, message);
    for (int64_t k = 0; done && k < rows->rows; k++) {
        const int64_t row = rows->row ? rows->row[k] : k;
        spor_arg x = spor_program_arg(l.program, (spor_var){g->tape, g->input});
        done = x.data && spor_data_rows(rows->data, &row, 1, scalar, x.data, NULL);
        if (!done)
            message_complain(message, "%s", x.data ? "a row can't be read" : "out of memory");
        done = done && look(&l, row, scalar, message);
    }
    if (done) find_names(g);
    spor_program_free(l.program);
    free(l.seen);
    return done;
}
