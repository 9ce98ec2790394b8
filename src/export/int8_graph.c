/* The nodes of a network for int8: constants, ranges, what is computed in one step, and what in float. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/shape.h"
#include "export/int8.h"
#include "kernels/slots.h"

const spor_node *int8_node_of(const int8_graph *g, uint32_t id) {
    return &g->tape->node[id];
}

uint32_t int8_operand(const int8_graph *g, uint32_t id, int k) {
    return g->same[int8_node_of(g, id)->in[k]];
}

int64_t int8_size(const int8_graph *g, uint32_t id) {
    return shape_size(int8_node_of(g, id)->shape);
}

uint32_t int8_only_operand(const int8_graph *g, uint32_t id) {
    uint32_t only = 0;
    for (int k = 0; k < int8_node_of(g, id)->op->operands; k++) {
        uint32_t in = int8_operand(g, id, k);
        if (g->node[in].constant) continue;
        if (only && only != in) return 0;
        only = in;
    }
    return only;
}

bool int8_is_map(const int8_graph *g, uint32_t id) {
    const spor_op *op = int8_node_of(g, id)->op;
    return op->operands && op->tile && op->tile->role == SPOR_MAPS;
}

bool int8_moves(const int8_graph *g, uint32_t id) {
    const spor_op *op = int8_node_of(g, id)->op;
    return op->traits & SPOR_ALIAS || op->moves || (op->tile && op->tile->role == SPOR_REPEATS);
}

spor_call int8_call_of(const int8_graph *g, uint32_t id, spor_arg in[SPOR_OPERANDS]) {
    const spor_node *node = int8_node_of(g, id);
    spor_call call = {.out = {.shape = *node->shape},
                      .in = in,
                      .operands = node->op->operands,
                      .attr = node->attr};
    shape_strides(&call.out.shape, call.out.stride);
    for (int k = 0; k < call.operands; k++) {
        in[k] = (spor_arg){.shape = *int8_node_of(g, int8_operand(g, id, k))->shape};
        shape_strides(&in[k].shape, in[k].stride);
    }
    return call;
}

bool int8_cells(const int8_graph *g, uint32_t id, cells_window *w) {
    const spor_op *op = int8_node_of(g, id)->op;
    spor_arg in[SPOR_OPERANDS];
    if (!op->cells || node_is_bare(g->tape, id)) return false;
    spor_call call = int8_call_of(g, id, in);
    if (g->node[int8_operand(g, id, 0)].constant || !op->cells(&call, w)) return false;
    bool padded = w->before[0] || w->before[1] || (w->P - 1) * w->stride[0] + w->k > w->H ||
                  (w->Q - 1) * w->stride[1] + w->l > w->W;
    if (w->fold == CELLS_MEAN) return !padded;
    return w->fold != CELLS_WEIGHTED || g->node[int8_operand(g, id, 1)].constant;
}

/* ---- what is live and constant ---- */

static void mark_constants(int8_graph *g) {
    for (uint32_t id = 1; id < g->tape->count; id++) {
        const spor_node *node = int8_node_of(g, id);
        bool constant = id != g->input && (node->op->operands || !node->op->tile);
        for (int k = 0; k < node->op->operands; k++)
            constant = constant && g->node[int8_operand(g, id, k)].constant;
        g->node[id].constant = constant;
    }
}

static bool is_wanted(const int8_graph *g, uint32_t id) {
    return g->node[id].live && g->same[id] == id && !g->node[id].constant;
}

static void count_readers(int8_graph *g) {
    g->node[g->result].readers++;
    for (uint32_t id = 1; id < g->tape->count; id++)
        for (int k = 0; is_wanted(g, id) && k < int8_node_of(g, id)->op->operands; k++)
            g->node[int8_operand(g, id, k)].readers++;
    for (uint32_t id = g->tape->count - 1; id > 0;
         id--) { /* what a constant repeats is read, too */
        const spor_op *op = int8_node_of(g, id)->op;
        const bool repeats = op->tile && op->tile->role == SPOR_REPEATS;
        if (g->node[id].constant && g->node[id].readers && repeats)
            g->node[int8_operand(g, id, 0)].readers++;
    }
}

/* Constants that others read, by the definitions, in double. */
static bool find_constants(int8_graph *g, spor_message *message) {
    const spor_options options = {.scalar = SPOR_F64, .reference = true};
    uint32_t count = 0;
    spor_var *wanted = calloc(g->tape->count, sizeof *wanted);
    if (!wanted) return message_complain(message, "out of memory");
    for (uint32_t id = 1; id < g->tape->count; id++)
        if (g->node[id].constant && g->node[id].readers) wanted[count++] = (spor_var){g->tape, id};
    spor_program *program =
        count ? spor_compile(g->tape, (int)count, wanted, g->params, &options) : NULL;
    bool done = !count || spor_run(program, 0) ||
                message_complain(message, "%s", spor_program_error(program));
    for (uint32_t k = 0; done && k < count; k++) {
        const spor_arg arg = spor_program_arg(program, wanted[k]);
        size_t bytes = bytes_for(shape_size(&arg.shape), sizeof(double));
        double *value = malloc(bytes + 1);
        g->node[wanted[k].id].value = value;
        done = value || message_complain(message, "out of memory");
        if (done && bytes) memcpy(value, arg.data, bytes);
    }
    spor_program_free(program);
    free(wanted);
    return done;
}

bool int8_graph_make(int8_graph *g, spor_tape *tape, uint32_t input, uint32_t result,
                     spor_params *params, spor_message *message) {
    *g = (int8_graph){.tape = tape, .params = params};
    g->same = calloc(tape->count, sizeof *g->same);
    g->node = calloc(tape->count, sizeof *g->node);
    bool *live = calloc(tape->count, sizeof *live);
    bool done = g->same && g->node && live &&
                merge_equal(tape, false, (const uint32_t[]){input, result}, 2, g->same, live);
    for (uint32_t id = 1; done && id < tape->count; id++) {
        g->node[id].live = live[id];
        g->node[id].buffer = -1;
        g->node[id].source = id;
    }
    free(live);
    if (!done) return message_complain(message, "out of memory");
    g->input = g->same[input];
    g->result = g->same[result];
    mark_constants(g);
    count_readers(g);
    if (g->node[g->result].constant)
        return message_complain(message, "what is predicted does not depend on x");
    return find_constants(g, message);
}

void int8_graph_end(int8_graph *g) {
    for (uint32_t id = 1; g->node && id < g->tape->count; id++) free(g->node[id].value);
    free(g->node);
    free(g->same);
}

/* ---- element by element ---- */

/* Constants among the operands are one number each, or one for each of so many channels. */
static bool has_constants(const int8_graph *g, uint32_t id, int64_t channels) {
    for (int k = 0; k < int8_node_of(g, id)->op->operands; k++) {
        uint32_t in = int8_operand(g, id, k);
        const double *value = g->node[in].value;
        if (!g->node[in].constant) continue;
        for (int64_t j = channels; j < int8_size(g, in); j++)
            if (memcmp(&value[j], &value[j % channels], sizeof *value) != 0) return false;
    }
    return true;
}

/* a x + b of its operand that is no constant, channel by channel. */
static bool is_affine(const int8_graph *g, uint32_t id, int64_t channels) {
    const spor_op *op = int8_node_of(g, id)->op;
    uint32_t only = int8_only_operand(g, id);
    int times = 0;
    if (!int8_is_map(g, id) || !only) return false;
    for (int k = 0; k < op->operands; k++) times += int8_operand(g, id, k) == only;
    bool linear = op->traits & (SPOR_LINEAR | SPOR_BILINEAR) ||
                  (op->traits & SPOR_LINEAR_FIRST && int8_operand(g, id, 0) == only);
    return linear && times == 1 && int8_size(g, id) % channels == 0 &&
           has_constants(g, id, channels);
}

/* The only node that reads it; 0: there are others, or it is the result. */
static uint32_t only_reader(const int8_graph *g, uint32_t id) {
    if (g->node[id].readers != 1 || id == g->result) return 0;
    for (uint32_t by = id + 1; by < g->tape->count; by++)
        for (int k = 0; is_wanted(g, by) && k < int8_node_of(g, by)->op->operands; k++)
            if (int8_operand(g, by, k) == id) return by;
    return 0;
}

enum { POINTS = 257 };

/* At points from..to the node is its operand, cut at least and most. */
static bool cuts(int8_graph *g, uint32_t id, const double range[2], const double cut[2]) {
    double x[POINTS], y[POINTS];
    for (int k = 0; k < POINTS; k++) x[k] = range[0] + (range[1] - range[0]) * k / (POINTS - 1);
    if (!int8_evaluate(g, id, int8_only_operand(g, id), false, POINTS, x, y)) g->failed = true;
    bool all = !g->failed;
    for (int k = 0; all && k < POINTS; k++) {
        const double wanted = fmin(fmax(x[k], cut[0]), cut[1]);
        all = fabs(y[k] - wanted) <= 1e-12 * (fabs(cut[0]) + fabs(cut[1]));
    }
    return all;
}

/* Nothing but the number itself, cut at two ends, over the range that its operand has and between the ends. */
static bool is_clamp(int8_graph *g, uint32_t id) {
    const uint32_t only = int8_only_operand(g, id);
    if (!only || !int8_is_map(g, id) || !has_constants(g, id, 1)) return false;
    const double range[] = {g->node[only].least, g->node[only].most};
    const double cut[] = {g->node[id].least, g->node[id].most};
    const double inner[] = {fmax(range[0], cut[0]), fmin(range[1], cut[1])};
    return cuts(g, id, range, cut) && cuts(g, id, inner, cut);
}

/* What follows a node of sums, or of a clamp, is computed in its step as long as nobody else reads what lies between. */
static void fold(int8_graph *g, uint32_t begin, uint32_t end, int64_t channels) {
    uint32_t affine = end, next;
    while (channels && (next = only_reader(g, affine)) && is_affine(g, next, channels))
        affine = next;
    end = affine;
    while ((next = only_reader(g, end)) && is_clamp(g, next)) end = next;
    for (uint32_t id = begin; id != end; id = only_reader(g, id)) g->node[id].inside = true;
    g->node[end].folds = begin;
    g->node[end].affine = affine;
    g->node[end].channels = channels;
}

static bool sums(const int8_graph *g, uint32_t id, cells_window *w) {
    return int8_cells(g, id, w) && w->fold != CELLS_LARGEST;
}

/* Two operands that are no constants of one channel: a sum or a product of them in whole numbers. */
static bool is_of_two(const int8_graph *g, uint32_t id) {
    const spor_op *op = int8_node_of(g, id)->op;
    return int8_is_map(g, id) && op->operands == 2 && op->traits & (SPOR_LINEAR | SPOR_BILINEAR);
}

static int64_t last_axis(const int8_graph *g, uint32_t id) {
    const spor_shape *shape = int8_node_of(g, id)->shape;
    return shape->rank ? shape->n[shape->rank - 1] : 1;
}

static void find_folds(int8_graph *g) {
    for (uint32_t id = 1; id < g->tape->count; id++) {
        cells_window w;
        int8_node *node = &g->node[id];
        if (!is_wanted(g, id) || node->inside || node->folds || node_is_bare(g->tape, id)) continue;
        if (sums(g, id, &w))
            fold(g, id, id, w.F);
        else if (!has_constants(g, id, 1) && is_affine(g, id, last_axis(g, id)))
            fold(g, id, id, last_axis(g, id));
        else if (is_of_two(g, id) && !(int8_only_operand(g, id) && has_constants(g, id, 1)))
            fold(g, id, id, 0);
    }
}

/* A table has the values of what is a function of one number. */
static void find_sources(int8_graph *g) {
    for (uint32_t id = 1; id < g->tape->count; id++) {
        int8_node *node = &g->node[id];
        if (!is_wanted(g, id) || node->inside || node->folds || !int8_is_map(g, id)) continue;
        uint32_t source = 0;
        bool one = has_constants(g, id, 1);
        for (int k = 0; k < int8_node_of(g, id)->op->operands; k++) {
            uint32_t in = int8_operand(g, id, k), of = g->node[in].source;
            if (g->node[in].constant) continue;
            one = one && (!source || source == of);
            source = of;
        }
        if (one && source) node->source = source;
    }
}

/* ---- in float ---- */

/* It has a form of bytes. */
static bool has_form(const int8_graph *g, uint32_t id) {
    const int8_node *node = &g->node[id];
    cells_window w;
    if (node_is_bare(g->tape, id)) return false;
    return id == g->input || node->inside || node->folds || node->source != id ||
           int8_moves(g, id) || (int8_cells(g, id, &w) && w.fold == CELLS_LARGEST);
}

/* Whoever reads it computes in float; of the result that is the caller. */
static bool is_read_by_floats(const int8_graph *g, const bool *bytes, uint32_t id) {
    return !bytes[id] && g->node[id].readers;
}

static bool reads_floats(const int8_graph *g, uint32_t id) {
    uint32_t read[SPOR_OPERANDS];
    int count = int8_reads(g, id, read);
    bool all = count > 0;
    for (int k = 0; k < count; k++)
        all = all && (g->node[read[k]].constant || g->node[read[k]].floats);
    return all;
}

/* A step of its own, without weights, that ends here can be taken apart. */
static bool is_light(const int8_graph *g, uint32_t id) {
    const int8_node *node = &g->node[id];
    return !node->inside && (!node->folds || int8_node_of(g, node->folds)->op->tile);
}

/* What is moved there could be in float, too: nobody else reads it, and it has no weights. */
static bool moves_light(const int8_graph *g, uint32_t id) {
    const uint32_t in = int8_only_operand(g, id);
    if (!in || in == g->input || g->node[in].readers != 1) return false;
    return int8_moves(g, in) ? moves_light(g, in)
                             : int8_node_of(g, in)->op->tile && is_light(g, in);
}

static void make_floats(int8_graph *g, uint32_t id) {
    for (uint32_t at = g->node[id].folds; at && at != id; at = only_reader(g, at)) {
        g->node[at].inside = false;
        g->node[at].floats = true;
    }
    g->node[id].folds = 0;
    g->node[id].floats = true;
}

/* Numbers that go from float to float, element by element or moved, stay there. */
static bool spread_floats(int8_graph *g, bool *bytes) {
    bool changed = false;
    memset(bytes, 0, g->tape->count * sizeof *bytes); /* someone reads it as bytes */
    for (uint32_t id = g->tape->count - 1; id > 0; id--) {
        int8_node *node = &g->node[id];
        if (!is_wanted(g, id) || id == g->input) continue;
        const bool tile = int8_node_of(g, id)->op->tile != NULL;
        if (!node->floats && is_light(g, id) && is_read_by_floats(g, bytes, id) &&
            (tile || (int8_moves(g, id) && (reads_floats(g, id) || moves_light(g, id))))) {
            make_floats(g, id);
            changed = true;
        }
        for (int k = 0; !node->floats && k < int8_node_of(g, id)->op->operands; k++)
            bytes[int8_operand(g, id, k)] = true;
    }
    return changed;
}

static bool find_floats(int8_graph *g) {
    bool *bytes = calloc(g->tape->count, sizeof *bytes);
    for (uint32_t id = 1; bytes && id < g->tape->count; id++)
        g->node[id].floats = is_wanted(g, id) && !has_form(g, id);
    while (bytes && spread_floats(g, bytes)) continue;
    free(bytes);
    return bytes != NULL;
}

int int8_reads(const int8_graph *g, uint32_t id, uint32_t read[]) {
    const int8_node *node = &g->node[id];
    uint32_t at = node->folds && !node->floats ? node->folds : id;
    int count = 0;
    if (node->source != id && !node->floats) return read[0] = node->source, 1;
    for (int k = 0; k < int8_node_of(g, at)->op->operands; k++)
        read[count++] = int8_operand(g, at, k);
    return count;
}

static void find_stages(int8_graph *g) {
    uint32_t read[SPOR_OPERANDS];
    for (uint32_t id = 1; id < g->tape->count; id++) {
        int8_node *node = &g->node[id];
        if (!is_wanted(g, id) || node->inside) continue;
        node->stage = node->floats;
        for (int k = int8_reads(g, id, read) - 1; k >= 0; k--) {
            const int8_node *in = &g->node[read[k]];
            int after = in->constant ? 0 : in->stage + (in->floats != node->floats);
            if (after > node->stage) node->stage = after;
        }
        if (node->stage >= g->stages) g->stages = node->stage + 1;
    }
    g->node[g->result].needed = true;
    for (uint32_t id = g->tape->count - 1; id > 0; id--)
        for (int k = g->node[id].needed ? int8_reads(g, id, read) - 1 : -1; k >= 0; k--)
            g->node[read[k]].needed = true;
}

bool int8_graph_decide(int8_graph *g, spor_message *message) {
    find_folds(g);
    find_sources(g);
    if (g->failed || !find_floats(g)) return message_complain(message, "out of memory");
    find_stages(g);
    return true;
}
