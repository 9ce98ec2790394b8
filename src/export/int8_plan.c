/* The steps of a network in int8, in their order, and where their arrays lie. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/shape.h"
#include "export/int8.h"
#include "kernels/slots.h"
#include "program/memory.h"

/* ---- codes ---- */

/* What bytes this far apart can't tell from 0. */
static const double nothing = 0x1p-120;

static int8_code code_at(double least, double scale) {
    const float single = (float)scale; /* as files have it */
    const double zero = -128 - round(least / (double)single);
    return (int8_code){(double)single, (int)fmin(fmax(zero, -128), 127)};
}

int8_code int8_code_of(double least, double most) {
    least = fmin(least, 0);
    most = fmax(most, 0);
    const double scale = (most - least) / 255;
    return scale > nothing ? code_at(least, scale) : (int8_code){1, 0};
}

bool int8_is_zero(const int8_node *node) {
    return !((node->most - node->least) / 255 > nothing);
}

/* Whole numbers, and what moves them, have a power of two, so that they are none other as floats: an index, a class,
 * what is compared with them. */
int8_code int8_code_of_node(const int8_node *node) {
    const double range = node->most - node->least;
    int exponent;
    if (node->parted || int8_is_zero(node) || range > 255)
        return int8_code_of(node->least, node->most);
    const double part = frexp(range / 255, &exponent); /* 1/2 <= part < 1 */
    return code_at(node->least, ldexp(1, part > 0.5 ? exponent : exponent - 1));
}

int int8_byte(int8_code code, double value) {
    const double q = round(value / code.scale) + code.zero;
    return isnan(q) ? code.zero : (int)fmin(fmax(q, -128), 127);
}

void int8_limits(const int8_graph *g, uint32_t id, int *least, int *most) {
    const int8_node *node = &g->node[id];
    const bool cut = node->folds && node->affine != id;
    *least = cut ? int8_byte(node->code, node->least) : -128;
    *most = cut ? int8_byte(node->code, node->most) : 127;
}

bool int8_factor(double ratio, int32_t *factor, int *shift) {
    int exponent;
    const double part = frexp(ratio, &exponent); /* 1/2 <= |part| < 1 */
    const double whole = round(ldexp(part, 30));
    *shift = 30 - exponent;
    *factor = (int32_t)whole;
    if (*shift > 62) *factor = (int32_t)round(ldexp(whole, 62 - *shift)), *shift = 62;
    return *shift >= 1;
}

/* ---- parts of a plan ---- */

int8_step *int8_add_step(int8_plan *plan, const int8_form *form, uint32_t node) {
    int8_step *grown = tape_grow(plan->step, plan->steps, &plan->step_room, sizeof *grown);
    if (!grown) return plan->failed = true, NULL;
    plan->step = grown;
    grown[plan->steps] = (int8_step){.form = form, .node = node};
    return &grown[plan->steps++];
}

void int8_give(int8_step *step, int8_kind kind, int64_t whole, double real) {
    if (!step || step->arguments == INT8_ARGUMENTS) return;
    step->argument[step->arguments++] = (int8_argument){kind, whole, real, 0};
}

int int8_add_buffer(int8_plan *plan, bool floats, int64_t count) {
    int8_buffer *grown = tape_grow(plan->buffer, plan->buffers, &plan->buffer_room, sizeof *grown);
    if (!grown) return plan->failed = true, -1;
    plan->buffer = grown;
    grown[plan->buffers] = (int8_buffer){.floats = floats, .count = count, .first = -1};
    return (int)plan->buffers++;
}

void *int8_add_constant(int8_plan *plan, int8_width width, int64_t count, uint32_t node,
                        const char *what, int *index) {
    int8_constant *grown =
        tape_grow(plan->constant, plan->constants, &plan->constant_room, sizeof *grown);
    void *value = calloc((size_t)count + 1, width == INT8_LONG || width == INT8_FLOAT ? 4 : 1);
    if (grown) plan->constant = grown;
    if (!grown || !value) {
        free(value);
        return plan->failed = true, NULL;
    }
    *index = (int)plan->constants;
    grown[plan->constants++] =
        (int8_constant){.width = width, .count = count, .value = value, .node = node, .what = what};
    return value;
}

static bool has_code(int8_code a, int8_code b) {
    return fabs(a.scale - b.scale) <= 0 && a.zero == b.zero;
}

/* out is what a table has for the bytes of x. */
static void add_look_up(int8_plan *plan, uint32_t id, int table, int x, int out, int64_t count) {
    int8_step *step = int8_add_step(plan, &int8_looks_up, id);
    int8_give(step, INT8_BUFFER, out, 0);
    int8_give(step, INT8_BUFFER, x, 0);
    int8_give(step, INT8_CONSTANT, table, 0);
    int8_give(step, INT8_WHOLE, count, 0);
}

int int8_bytes_as(int8_plan *plan, uint32_t id, int8_code code) {
    const int8_graph *g = &plan->graph;
    const int8_node *node = &g->node[id];
    int at = -1;
    if (node->constant) {
        int8_t *q = int8_add_constant(plan, INT8_SIGNED, int8_size(g, id), id, "values", &at);
        for (int64_t k = 0; q && k < int8_size(g, id); k++)
            q[k] = (int8_t)int8_byte(code, node->value[k]);
        return q ? at : -1;
    }
    if (has_code(code, node->code)) return node->buffer;
    int8_t *table = int8_add_constant(plan, INT8_SIGNED, 256, id, "scale", &at);
    for (int k = 0; table && k < 256; k++)
        table[k] = (int8_t)int8_byte(code, node->code.scale * (k - 128 - node->code.zero));
    int out = int8_add_buffer(plan, false, int8_size(g, id));
    if (table && out >= 0) add_look_up(plan, id, at, node->buffer, out, int8_size(g, id));
    return plan->failed ? -1 : out;
}

/* ---- forms of steps ---- */

static bool out_of_memory(spor_message *message) {
    return message_complain(message, "out of memory");
}

/* Steps that read the bytes of a node. */
static int count_readers(const int8_graph *g, uint32_t id) {
    uint32_t read[SPOR_OPERANDS];
    int count = id == g->result;
    for (uint32_t by = id + 1; by < g->tape->count; by++) {
        if (!g->node[by].needed || g->node[by].constant) continue;
        for (int k = int8_reads(g, by, read) - 1; k >= 0; k--) count += read[k] == id;
    }
    return count;
}

/* Bytes that nobody else reads are looked up where they lie. */
static bool plan_table(int8_plan *plan, uint32_t id, spor_message *message) {
    int8_graph *g = &plan->graph;
    int8_node *node = &g->node[id];
    const int8_node *source = &g->node[node->source];
    double x[256], y[256];
    int at;
    node->code = int8_code_of_node(node);
    const bool alone = source->folds && count_readers(g, node->source) == 1;
    node->buffer = alone ? source->buffer : int8_add_buffer(plan, false, int8_size(g, id));
    int8_t *table = int8_add_constant(plan, INT8_SIGNED, 256, id, "table", &at);
    for (int k = 0; k < 256; k++) x[k] = source->code.scale * (k - 128 - source->code.zero);
    if (!table || !int8_evaluate(g, id, node->source, false, 256, x, y))
        return out_of_memory(message);
    for (int k = 0; k < 256; k++) table[k] = (int8_t)int8_byte(node->code, y[k]);
    add_look_up(plan, id, at, source->buffer, node->buffer, int8_size(g, id));
    return true;
}

static bool plan_largest(int8_plan *plan, uint32_t id, spor_message *message) {
    int8_graph *g = &plan->graph;
    int8_node *node = &g->node[id];
    const uint32_t in = int8_operand(g, id, 0);
    cells_window w = {0};
    int8_cells(g, id, &w);
    node->code = g->node[in].code;
    node->buffer = int8_add_buffer(plan, false, int8_size(g, id));
    int8_step *step = int8_add_step(plan, &int8_largest, id);
    const int64_t number[] = {w.H, w.W,         w.C,         w.k,         w.l,        w.P,
                              w.Q, w.stride[0], w.stride[1], w.before[0], w.before[1]};
    int8_give(step, INT8_BUFFER, node->buffer, 0);
    int8_give(step, INT8_BUFFER, g->node[in].buffer, 0);
    for (size_t k = 0; k < sizeof number / sizeof *number; k++)
        int8_give(step, INT8_WHOLE, number[k], 0);
    return !plan->failed || out_of_memory(message);
}

/* The boxes of what moves, repeats or keeps its elements. */
static void find_moves(const int8_graph *g, uint32_t id, copy_moves *moves) {
    const spor_node *node = int8_node_of(g, id);
    spor_arg in[SPOR_OPERANDS];
    spor_call call = int8_call_of(g, id, in);
    *moves = (copy_moves){0};
    if (node->op->moves) {
        node->op->moves(&call, moves);
        return;
    }
    copy_box box = copy_whole(&call);
    int axis = 0;
    for (int k = 0; k < box.axes; k++)
        if (!(node->attr[AXES].i >> k & 1)) box.axis[k].from = in[0].stride[axis++];
    copy_from(moves, &box, 0);
}

/* Least and most of what is moved there, fills too. */
static int8_code code_of_moved(const int8_graph *g, uint32_t id, const copy_moves *moves) {
    const uint32_t only = int8_only_operand(g, id);
    double least = 0, most = 0;
    bool alone = only != 0;
    for (int k = 0; k < int8_node_of(g, id)->op->operands; k++) {
        const uint32_t in = int8_operand(g, id, k);
        const int8_node *node = &g->node[in];
        for (int64_t j = 0; node->constant && j < int8_size(g, in); j++) {
            least = fmin(least, node->value[j]);
            most = fmax(most, node->value[j]);
        }
        if (!node->constant) least = fmin(least, node->least), most = fmax(most, node->most);
    }
    for (int k = 0; k < moves->count; k++) {
        const double value = moves->move[k].value;
        if (moves->move[k].operand < 0 && isfinite(value))
            least = fmin(least, value), most = fmax(most, value);
    }
    for (int k = 0; alone && k < 2; k++) {
        const int8_code code = g->node[only].code;
        const double end = code.scale * ((k ? 127 : -128) - code.zero);
        alone = k ? most <= end + code.scale / 2 : least >= end - code.scale / 2;
    }
    const int8_node moved = {.least = least, .most = most, .parted = g->node[id].parted};
    return alone ? g->node[only].code : int8_code_of_node(&moved);
}

static bool plan_moves(int8_plan *plan, uint32_t id, spor_message *message) {
    int8_graph *g = &plan->graph;
    int8_node *node = &g->node[id];
    const int operands = int8_node_of(g, id)->op->operands;
    int from[SPOR_OPERANDS];
    if (int8_node_of(g, id)->op->traits & SPOR_ALIAS) {
        node->code = g->node[int8_operand(g, id, 0)].code;
        node->buffer = g->node[int8_operand(g, id, 0)].buffer;
        return true;
    }
    copy_moves *moves = malloc(sizeof *moves);
    if (!moves) return out_of_memory(message);
    find_moves(g, id, moves);
    node->code = code_of_moved(g, id, moves);
    for (int k = 0; k < moves->count; k++)
        moves->move[k].value = int8_byte(node->code, moves->move[k].value);
    for (int k = 0; k < operands; k++)
        from[k] = int8_bytes_as(plan, int8_operand(g, id, k), node->code);
    node->buffer = int8_add_buffer(plan, false, int8_size(g, id));
    int8_step *step = int8_add_step(plan, &int8_copies, id);
    if (!step) return free(moves), out_of_memory(message);
    step->moves = moves;
    int8_give(step, INT8_BUFFER, node->buffer, 0);
    for (int k = 0; k < operands; k++)
        int8_give(step, g->node[int8_operand(g, id, k)].constant ? INT8_CONSTANT : INT8_BUFFER,
                  from[k], 0);
    return !plan->failed || out_of_memory(message);
}

static bool plan_node(int8_plan *plan, uint32_t id, spor_message *message) {
    const int8_graph *g = &plan->graph;
    const int8_node *node = &g->node[id];
    cells_window w;
    if (node->folds) return int8_plan_sums(plan, id, message);
    if (node->source != id) return plan_table(plan, id, message);
    if (int8_cells(g, id, &w)) return plan_largest(plan, id, message);
    return plan_moves(plan, id, message);
}

/* ---- the order ---- */

static bool is_of_stage(const int8_graph *g, uint32_t id, int stage) {
    const int8_node *node = &g->node[id];
    return node->needed && !node->constant && id != g->input && node->stage == stage;
}

static bool plan_stage(int8_plan *plan, int stage, spor_message *message) {
    const int8_graph *g = &plan->graph;
    if (stage % 2) return int8_plan_island(plan, stage, message);
    for (uint32_t id = 1; id < g->tape->count; id++)
        if (is_of_stage(g, id, stage) && !plan_node(plan, id, message)) return false;
    return true;
}

/* ---- places ---- */

static void find_lifetimes(int8_plan *plan) {
    plan->buffer[INT8_X].first = 0;
    for (uint32_t s = 0; s < plan->steps; s++)
        for (int k = 0; k < plan->step[s].arguments; k++) {
            const int8_argument *a = &plan->step[s].argument[k];
            int8_buffer *b = a->kind == INT8_BUFFER ? &plan->buffer[a->whole] : NULL;
            if (!b) continue;
            if (b->first < 0) b->first = (int)s;
            b->last = (int)s;
        }
    plan->buffer[plan->y].last = (int)plan->steps;
}

/* Floats lie at multiples of four, in an arena of their own. */
static size_t unit_of(const int8_buffer *buffer) {
    const size_t unit = buffer->floats ? 4 : 1;
    return (bytes_for(buffer->count, 1) + unit - 1) / unit * unit;
}

static bool place(int8_plan *plan) {
    spor_memory arena[2] = {{0}, {0}};
    find_lifetimes(plan);
    for (uint32_t s = 0; s <= plan->steps; s++) {
        for (uint32_t k = 0; k < plan->buffers; k++)
            if (plan->buffer[k].first == (int)s)
                plan->buffer[k].offset =
                    memory_take(&arena[plan->buffer[k].floats], unit_of(&plan->buffer[k]));
        for (uint32_t k = 0; k < plan->buffers; k++)
            if (plan->buffer[k].first >= 0 && plan->buffer[k].last == (int)s)
                memory_give(&arena[plan->buffer[k].floats], plan->buffer[k].offset,
                            unit_of(&plan->buffer[k]));
    }
    plan->bytes = arena[0].top;
    plan->floats = arena[1].top;
    const bool done = !arena[0].failed && !arena[1].failed;
    for (int k = 0; k < 2; k++) memory_end(&arena[k]);
    return done;
}

bool int8_plan_make(int8_plan *plan, spor_message *message) {
    int8_graph *g = &plan->graph;
    int8_node *input = &g->node[g->input];
    input->buffer = int8_add_buffer(plan, false, int8_size(g, g->input));
    input->code = int8_code_of_node(input);
    bool done = input->buffer == INT8_X || out_of_memory(message);
    text_add(&plan->taken, "%s", export_int8);
    for (int stage = 0; done && stage < g->stages; stage++) done = plan_stage(plan, stage, message);
    if (!done) return false;
    const int8_node *result = &g->node[g->result];
    if (!result->floats) plan->y = result->buffer;
    plan->y_code = result->floats ? int8_code_of_node(result) : result->code;
    if (plan->failed || plan->y < 0 || !place(plan)) return out_of_memory(message);
    return plan->bytes < INT32_MAX && plan->floats < INT32_MAX / 4
               ? true
               : message_complain(message, "the network is too large: its loops count in int");
}

void int8_plan_end(int8_plan *plan) {
    for (uint32_t k = 0; k < plan->steps; k++) {
        free(plan->step[k].moves);
        if (plan->step[k].island) int8_island_free(plan->step[k].island);
    }
    for (uint32_t k = 0; k < plan->constants; k++) free(plan->constant[k].value);
    free(plan->step);
    free(plan->buffer);
    free(plan->constant);
    text_free(&plan->taken);
    int8_graph_end(&plan->graph);
}
