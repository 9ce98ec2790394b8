/*
 * A group of nodes as the lines that kernels/group.c runs: what they read and write in memory, how
 * the iteration shape is cut into tiles and tasks, which slot holds which value.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "kernels/carve.h"
#include "kernels/group.h"
#include "kernels/slots.h"
#include "kernels/tasks.h"
#include "program/program.h"

FAST_KERNELS(group);
FAST_KERNELS(group_totals);

/* The line that takes a slot to memory. */
SPOR_EACH_ISA(SPOR_DECLARE_TILE_, stream)
static spor_tile_kernel *const stream_kernels[SPOR_SCALARS][SPOR_ISAS] = {
    [SPOR_F32] = {SPOR_EACH_ISA(SPOR_TILE_ENTRY_F32_, stream)},
    [SPOR_F64] = {SPOR_EACH_ISA(SPOR_TILE_ENTRY_F64_, stream)}};

/* Bytes of a slot at most and at least, and of all slots where a smaller tile can help: half of a
 * first cache. */
enum { SLOT_MOST = 4096, SLOT_LEAST = 512, SLOTS_MOST = 24576 };

/* While a group is made. Arrays by its nodes, in their order. */
typedef struct {
    const spor_program *program;
    const spor_tape *tape;
    const uint32_t *node;
    int nodes;
    const bool *kept;      /* [id]: read outside of the step that computes it */
    const bool *delivered; /* [id]: by parameters alone */
    spor_group *group;
    uint32_t *operand; /* the node of each argument */
    int reads;         /* arguments that are read */
    int *product;  /* of a line's node: the operand whose product the line makes, too; -1: none */
    bool *inside;  /* it is such a product, which has no line of its own */
    int *last;     /* the last node of the group whose line reads this value; -1: none */
    int *place;    /* of its value */
    int64_t *mask; /* of its place: -1, or where the elements of a tile repeat (spor_tile) */
    bool *folded;  /* a sum or a largest of the group reads it */
    int *free;     /* a stack of places that are slots */
    int frees;
    int64_t width;
} maker;

static const spor_node *node_of(const maker *m, int i) {
    return &m->tape->node[m->node[i]];
}

static spor_tile_role role_of(const maker *m, int i) {
    return node_of(m, i)->op->tile->role;
}

/* The axes of the iteration shape that what node i reads, or its value, has not. */
static int64_t axes_read(const maker *m, int i) {
    return role_of(m, i) == SPOR_REPEATS ? node_of(m, i)->attr[AXES].i : 0;
}

static int64_t axes_made(const maker *m, int i) {
    return role_folds(role_of(m, i)) ? node_of(m, i)->attr[AXES].i : 0;
}

/* Which node of the group computes id; -1: none. Nodes are in ascending order. */
static int find_node(const maker *m, uint32_t id) {
    int from = 0, to = m->nodes;
    while (from < to) {
        int middle = from + (to - from) / 2;
        if (m->node[middle] < id)
            from = middle + 1;
        else
            to = middle;
    }
    return from < m->nodes && m->node[from] == id ? from : -1;
}

static uint32_t operand_of(const maker *m, int i, int k) {
    return program_operand(m->program, m->node[i], k);
}

static int operands_of(const maker *m, int i) {
    return node_of(m, i)->op->operands;
}

/* ---- products inside other lines ---- */

/* What the line of a node reads: an operand of that node, or of the product inside. */
typedef struct {
    int node, k;
} reading;

static int readings_of(const maker *m, int i) {
    return m->inside[i] ? 0 : operands_of(m, i) + (m->product[i] >= 0);
}

/* The operands of the product come first. */
static reading reading_of(const maker *m, int i, int k) {
    int at = m->product[i];
    if (at < 0) return (reading){i, k};
    return k < 2 ? (reading){find_node(m, operand_of(m, i, at)), k} : (reading){i, 1 - at};
}

/* The line of node i can make its operand k, which is read `reads` times in all. */
static bool takes_product(const maker *m, int i, int k, const int reads[]) {
    const spor_tiling *tile = node_of(m, i)->op->tile;
    int from = k < 2 && tile->of_product[k] ? find_node(m, operand_of(m, i, k)) : -1;
    return from >= 0 && node_of(m, from)->op->tile->product && reads[from] == 1 &&
           m->product[from] < 0 && !m->kept[m->node[from]];
}

static void find_products(maker *m, int reads[]) {
    for (int i = 0; i < m->nodes; i++)
        for (int k = 0; k < operands_of(m, i); k++) {
            int from = find_node(m, operand_of(m, i, k));
            if (from >= 0) reads[from]++;
        }
    for (int i = 0; i < m->nodes; i++) {
        m->product[i] = -1;
        for (int k = 0; k < operands_of(m, i) && m->product[i] < 0; k++)
            if (takes_product(m, i, k, reads)) m->product[i] = k;
        if (m->product[i] >= 0) m->inside[find_node(m, operand_of(m, i, m->product[i]))] = true;
    }
}

/* ---- arguments ---- */

/* The number of an argument, which is added if it is new. */
static int argument_of(maker *m, uint32_t id, int64_t axes, spor_tile_role role) {
    spor_group *g = m->group;
    for (int a = 0; a < g->arguments; a++)
        if (m->operand[a] == id && g->argument[a].axes == axes) return a;
    m->operand[g->arguments] = id;
    g->argument[g->arguments].role = role;
    g->argument[g->arguments].axes = axes;
    g->argument[g->arguments].size = shape_size(m->tape->node[id].shape);
    return g->arguments++;
}

static void find_reads(maker *m) {
    for (int i = 0; i < m->nodes; i++)
        for (int k = 0; k < operands_of(m, i); k++) {
            uint32_t id = operand_of(m, i, k);
            if (find_node(m, id) < 0) argument_of(m, id, axes_read(m, i), SPOR_MAPS);
        }
}

/* Of a node that is kept. */
static int argument_made(maker *m, int i) {
    return argument_of(m, m->node[i], axes_made(m, i), role_of(m, i));
}

static bool is_streamed(const maker *m, int i) {
    int64_t size = shape_size(node_of(m, i)->shape);
    return m->delivered[m->node[i]] && role_of(m, i) == SPOR_MAPS &&
           carve_times(size, m->width) >= STREAM_LEAST;
}

static void find_writes(maker *m) {
    for (int i = 0; i < m->nodes; i++) {
        if (!m->kept[m->node[i]]) continue;
        spor_argument *argument = &m->group->argument[argument_made(m, i)];
        argument->streams = is_streamed(m, i);
        m->group->streams |= argument->streams;
    }
}

/* ---- the iteration ---- */

/* Along the axes of the iteration shape, those that it has not included. */
static void find_strides(const maker *m, const spor_shape *shape) {
    for (int a = 0; a < m->group->arguments; a++) {
        int64_t stride = 1;
        for (int k = shape->rank - 1; k >= 0; k--) {
            bool has = !(m->group->argument[a].axes >> k & 1);
            m->group->argument[a].stride[k] = has ? stride : 0;
            if (has) stride *= shape->n[k];
        }
    }
}

static void move_axis(spor_group *g, int from, int to) {
    g->n[to] = g->n[from];
    for (int a = 0; a < g->arguments; a++) g->argument[a].stride[to] = g->argument[a].stride[from];
}

/* Axis k and the one behind it are one axis to all arguments. */
static bool is_one_axis(const spor_group *g, int k) {
    for (int a = 0; a < g->arguments; a++) {
        const int64_t *stride = g->argument[a].stride;
        if (stride[k] != stride[k + 1] * g->n[k + 1]) return false;
    }
    return true;
}

/* Axes of size 1 go, neighbours become one where they can. */
static void find_axes(spor_group *g, const spor_shape *shape) {
    g->rank = 0;
    for (int k = 0; k < shape->rank; k++) {
        g->n[k] = shape->n[k];
        if (shape->n[k] > 1) move_axis(g, k, g->rank++);
    }
    for (int k = g->rank - 2; k >= 0; k--) {
        if (!is_one_axis(g, k)) continue;
        int64_t both = g->n[k] * g->n[k + 1];
        for (int from = k + 1; from < g->rank; from++) move_axis(g, from, from - 1);
        g->n[k] = both;
        g->rank--;
    }
    if (g->rank) return;
    g->rank = 1;
    g->n[0] = 1;
    for (int a = 0; a < g->arguments; a++) g->argument[a].stride[0] = 0;
}

/* The last axes whole, as many indices of the one before as fill a tile of at most `most`. */
static void cut_tiles(spor_group *g, int64_t most) {
    const int64_t line = 16; /* elements of a line of memory, floats */
    int64_t inner = 1;
    g->split = g->rank - 1;
    while (g->split && inner * g->n[g->split] <= most) inner *= g->n[g->split--];
    g->piece = carve_least(carve_most(most / inner, 1), g->n[g->split]);
    if (g->piece > line && g->piece < g->n[g->split]) g->piece -= g->piece % line;
    g->inner = inner;
    g->unit = g->split ? 1 : g->piece;
    g->units = (g->n[0] + g->unit - 1) / g->unit;
    g->tile = inner * g->piece;
    g->slot = carve_whole_vectors(g->tile, line);
}

/* ---- lines ---- */

/* A repeat of a tensor that has the tile's axes lies in memory as it is. */
static bool is_in_place(const spor_group *g, const spor_argument *argument) {
    int64_t stride = 1;
    for (int k = g->rank - 1; k > g->split; k--) {
        if (argument->stride[k] != stride) return false;
        stride *= g->n[k];
    }
    return g->piece == 1 || argument->stride[g->split] == stride;
}

static bool is_once(const spor_group *g, const spor_argument *argument) {
    for (int k = 0; k <= g->split; k++)
        if (argument->stride[k]) return false;
    return true;
}

/* The place of what a line reads. */
static int place_read(maker *m, reading r) {
    uint32_t id = operand_of(m, r.node, r.k);
    int from = find_node(m, id);
    if (from >= 0) return m->place[from];
    return argument_of(m, id, axes_read(m, r.node), SPOR_MAPS);
}

static bool is_slot(const maker *m, int place) {
    return place >= m->group->arguments;
}

/* Which node of the group makes what a line reads; -1: it is an argument. */
static int source_of(const maker *m, reading r) {
    return find_node(m, operand_of(m, r.node, r.k));
}

static void free_slots(maker *m, int i) {
    for (int k = 0; k < readings_of(m, i); k++) {
        int from = source_of(m, reading_of(m, i, k));
        if (from < 0 || !is_slot(m, m->place[from]) || m->last[from] != i) continue;
        m->free[m->frees++] = m->place[from];
        m->last[from] = -1; /* once, though read twice */
    }
}

/* Where node i's value is made: in its argument, if it is kept, or in a slot. */
static int place_made(maker *m, int i, bool once) {
    spor_group *g = m->group;
    if (m->kept[m->node[i]] && !is_streamed(m, i)) return argument_made(m, i);
    return m->frees && !once ? m->free[--m->frees] : g->arguments + g->slots++;
}

/* A vector of a number is enough where only maps read it. */
static bool is_uniform(const maker *m, int i, const spor_argument *argument) {
    for (int k = 0; k < m->group->rank; k++)
        if (argument->stride[k]) return false;
    return !m->folded[i];
}

/* A row is enough where all rows of a tile are it, whole vectors by a power of two, and only maps read
 * it. */
static bool is_row(const maker *m, int i, const spor_argument *argument) {
    const spor_group *g = m->group;
    const int64_t length = g->n[g->rank - 1], whole = 16;
    bool row = g->split < g->rank - 1 && argument->stride[g->rank - 1] == 1 && !m->folded[i];
    for (int k = g->split; k < g->rank - 1; k++) row = row && !argument->stride[k];
    return row && length % whole == 0 && !(length & (length - 1));
}

/* False: the value, or what is enough of it, lies in memory as it is. */
static bool make_repeat(maker *m, int i, spor_line *line) {
    const spor_argument *argument = &m->group->argument[line->in[0]];
    bool in_place = is_in_place(m->group, argument), row = is_row(m, i, argument);
    if (in_place || row) {
        m->place[i] = line->in[0];
        m->mask[i] = in_place ? -1 : m->group->n[m->group->rank - 1] - 1;
        return false;
    }
    line->once = is_once(m->group, argument);
    line->uniform = is_uniform(m, i, argument);
    m->mask[i] = line->uniform ? 0 : -1;
    return true;
}

static void read_operands(maker *m, int i, spor_line *line) {
    for (int k = 0; k < line->operands; k++) {
        reading r = reading_of(m, i, k);
        int from = source_of(m, r);
        line->in[k] = place_read(m, r);
        line->mask[k] = from >= 0 ? m->mask[from] : -1;
    }
}

/* From node i's slot to memory. */
static void stream_line(maker *m, int i) {
    m->group->line[m->group->lines++] =
        (spor_line){.role = SPOR_MAPS,
                    .kernel = stream_kernels[m->program->scalar][m->program->isa],
                    .operands = 1,
                    .in = {m->place[i]},
                    .out = argument_made(m, i),
                    .mask = {-1}};
    if (m->last[i] < 0) m->free[m->frees++] = m->place[i];
}

static void make_line(maker *m, int i) {
    const spor_node *node = node_of(m, i);
    const spor_tiling *tile = node->op->tile;
    spor_line *line = &m->group->line[m->group->lines];
    if (m->inside[i]) return;
    if (m->product[i] >= 0) tile = tile->of_product[m->product[i]];
    *line = (spor_line){.role = tile->role, .attr = node->attr, .operands = readings_of(m, i)};
    line->kernel = tile->kernel[m->program->scalar][m->program->isa];
    read_operands(m, i, line);
    bool kept = m->kept[m->node[i]];
    if (line->role == SPOR_REPEATS && !kept && !make_repeat(m, i, line)) return;
    if (line->once)
        m->last[i] = -1; /* its slot is its own: filled before all others */
    else
        free_slots(m, i);
    line->out = m->place[i] = place_made(m, i, line->once);
    m->group->lines++;
    if (kept && is_streamed(m, i)) stream_line(m, i);
}

static void find_readers(maker *m) {
    for (int i = 0; i < m->nodes; i++) m->last[i] = -1;
    for (int i = 0; i < m->nodes; i++)
        for (int k = 0; k < readings_of(m, i); k++) {
            int from = source_of(m, reading_of(m, i, k));
            if (from < 0) continue;
            m->last[from] = i;
            m->folded[from] = m->folded[from] || role_folds(role_of(m, i));
        }
}

/* All lines, with tiles of so many bytes. */
static void make_lines(maker *m, int64_t bytes) {
    m->group->lines = m->group->slots = m->frees = 0;
    for (int i = 0; i < m->nodes; i++) m->mask[i] = -1;
    cut_tiles(m->group, bytes / m->width);
    find_readers(m);
    for (int i = 0; i < m->nodes; i++) make_line(m, i);
}

/* ---- one argument in the place of another ---- */

static bool same_strides(const spor_group *g, int a, int b) {
    bool same = true;
    for (int k = 0; k < g->rank; k++)
        same = same && g->argument[a].stride[k] == g->argument[b].stride[k];
    return same;
}

static bool line_reads(const spor_line *line, int place) {
    bool reads = false;
    for (int k = 0; k < line->operands; k++) reads |= line->in[k] == place;
    return reads;
}

/* Element by element both lie along the tiles, and no line reads the one after a line made the other. */
bool tiles_may_overwrite(const spor_group *group, int read, int written) {
    bool made = false, may = group->argument[written].role == SPOR_MAPS &&
                             group->argument[read].size == group->argument[written].size &&
                             same_strides(group, read, written);
    for (int l = 0; may && l < group->lines; l++) {
        may = !made || !line_reads(&group->line[l], read);
        made = made || group->line[l].out == written;
    }
    return may;
}

/* ---- tasks ---- */

/* Several tiles fold into one element: they differ along an axis that it has not. */
static bool meets_tiles(const spor_group *g, const spor_argument *argument) {
    for (int k = 0; k <= g->split; k++)
        if (!argument->stride[k] && (k < g->split || g->piece < g->n[k])) return true;
    return false;
}

/* What is folded along axis 0 meets what other tasks fold: where there are several, each has a
 * copy. */
static void find_folds(spor_group *g) {
    for (int a = 0; a < g->arguments; a++) {
        spor_argument *argument = &g->argument[a];
        argument->carries = argument->role == SPOR_SUMS && meets_tiles(g, argument);
        argument->low = g->low;
        if (argument->carries) g->low += argument->size;
        argument->own = role_folds(argument->role) && !argument->stride[0];
        if (!argument->own) continue;
        argument->offset = g->own;
        g->own += argument->size;
    }
}

static void tiles_need(const spor_call *call, size_t width, int lanes, spor_need *need) {
    (void)lanes;
    const spor_group *g = call->group;
    int64_t size = 1;
    spor_carver carver = {0};
    group_carve(&carver, g, width);
    need->scratch = carver.used;
    for (int k = 0; k < g->rank; k++) size *= g->n[k];
    int64_t cost = carve_times(carve_times(size / g->units + 1, g->lines), COST_MOVED);
    need->tasks[SPOR_WORK] = tasks_for(need, g->units, cost, carve_times(g->own, COST_PARTIAL));
    if (need->tasks[SPOR_WORK] == 1 || !g->own) return;
    need->partial = bytes_for(g->own, width);
    need->tasks[SPOR_FINISH] =
        tasks_for(need, g->own, carve_times(need->tasks[SPOR_WORK], COST_MOVED), 0);
}

const spor_fused tiles_fused = {
    .need = tiles_need,
    .phase = {[SPOR_WORK] = group_kernels, [SPOR_FINISH] = group_totals_kernels}};

/* ---- the group ---- */

static void make(maker *m) {
    spor_group *g = m->group;
    const spor_shape *shape = node_iteration(m->tape, m->node[0]);
    find_reads(m);
    m->reads = g->arguments;
    find_writes(m);
    find_strides(m, shape);
    find_axes(g, shape);
    int64_t bytes = SLOT_MOST;
    make_lines(m, bytes);
    bool rowwise = m->program->rowwise;
    while (!rowwise && bytes > SLOT_LEAST && g->slots * g->tile * m->width > SLOTS_MOST)
        make_lines(m, bytes /= 2);
    find_folds(g);
    if (!rowwise || !g->own) return;
    g->unit = g->n[0]; /* one task, as one of several rows would have */
    g->units = 1;
}

/* A line for each node and one that streams it; arguments as they read and write. */
static spor_group *take_group(int nodes, size_t arguments) {
    spor_group *g = calloc(1, sizeof *g);
    if (!g) return NULL;
    g->argument = calloc(arguments, sizeof *g->argument);
    g->line = calloc((size_t)nodes, 2 * sizeof *g->line);
    if (g->argument && g->line) return g;
    tiles_free(g);
    return NULL;
}

void tiles_free(spor_group *group) {
    if (!group) return;
    free(group->argument);
    free(group->line);
    free(group);
}

static bool make_with_room(maker *m) {
    size_t nodes = (size_t)m->nodes;
    int *room = calloc(nodes, 5 * sizeof *room);
    bool *marks = calloc(nodes, 2 * sizeof *marks);
    m->mask = calloc(nodes, sizeof *m->mask);
    bool done = room && marks && m->mask;
    if (done) {
        m->last = room;
        m->place = room + nodes;
        m->free = room + 2 * nodes;
        m->product = room + 3 * nodes;
        m->folded = marks;
        m->inside = marks + nodes;
        find_products(m, room + 4 * nodes);
        make(m);
    }
    free(room);
    free(marks);
    free(m->mask);
    return done;
}

/* ---- the step ---- */

bool tiles_make(const spor_program *program, const bool kept[], const bool delivered[],
                uint32_t operand[], program_step *step) {
    const spor_tape *tape = program->graph.tape;
    size_t arguments = 0;
    for (uint32_t k = 0; k < step->nodes; k++)
        arguments += (size_t)tape->node[step->node[k]].op->operands + 1;
    maker m = {.program = program,
               .tape = tape,
               .node = step->node,
               .nodes = (int)step->nodes,
               .kept = kept,
               .delivered = delivered,
               .operand = operand,
               .width = (int64_t)scalar_width(program->scalar)};
    step->group = m.group = take_group(m.nodes, arguments);
    if (!m.group || !make_with_room(&m)) return false;
    step->reads = m.reads;
    step->call.group = step->group;
    step->call.operands = step->group->arguments;
    return true;
}
