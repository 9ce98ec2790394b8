/*
 * The parts of the report's backward passes that dense and convolutional layers share.
 *
 *   delta_n = dC/dY_n o f'(Z_n), f' taken at the value Y = f(Z)          Eqs. (11)-(13), (46)
 *   db_f    = sum of delta_{n,i,j,f} over n, i, j                        Eqs. (41), (45)
 *   db_m    = sum of delta_{n,m} over the samples n                      Eq. (49), corrected
 *
 * Eq. (49) as printed, delta . I_{n_l,1}, sums over the nodes of a layer and gives a number for
 * each sample; it is I_{1,N} delta.
 */
#include "layer.h"

#ifdef SPOR_RULES
#include "export/c.h"
#endif

#include "kernels/slots.h"
/* Rows of delta summed at once; elements that a task has no fewer of. */
enum { BLOCK_ROWS = 128, PIECE = 1024 };

static int64_t pieces_of(const spor_shape *shape) {
    return (shape_size(shape) + PIECE - 1) / PIECE;
}

/* delta as rows x cols, its rows in blocks. */
typedef struct {
    int64_t rows, cols, blocks;
} bias_sizes;

static bias_sizes bias_sizes_of(const spor_call *c) {
    int64_t cols = c->out.shape.n[0], rows = shape_size(&c->in[0].shape) / cols;
    return (bias_sizes){rows, cols, (rows + BLOCK_ROWS - 1) / BLOCK_ROWS};
}

#ifdef SPOR_RULES

FAST_KERNELS(delta);
FAST_KERNELS(bias_gradient);
FAST_KERNELS(partial_sum);

extern const spor_op spor_op_add, spor_op_expand;
#define DECLARE_OP(name) extern const spor_op spor_op_##name;
SPOR_EACH_ACTIVATION(DECLARE_OP)

/* ---- the walk ---- */

#define ACTIVATION_OP(name) [SPOR_ACTIVATION_##name] = &spor_op_##name,
static const spor_op *const activation_ops[SPOR_ACTIVATIONS] = {
    SPOR_EACH_ACTIVATION(ACTIVATION_OP)};

static int activation_of(spor_var y) {
    for (int k = SPOR_ACTIVATION_none + 1; k < SPOR_ACTIVATIONS; k++)
        if (match_made_by(y, activation_ops[k])) return k;
    return SPOR_ACTIVATION_none;
}

bool layer_take(spor_match *match, spor_var v, const spor_op *op, const char *what) {
    if (match_inside(match, v, op)) return true;
    return match_refuse(match, "%s is read by %u other nodes or is an output", what,
                        match->uses[v.id] - 1);
}

/* v = z + expand(b), in either order. */
static bool is_biased(spor_var v, const spor_op *op, int64_t axes, spor_var *z,
                      spor_var *repeated) {
    if (!match_made_by(v, &spor_op_add)) return false;
    for (int k = 0; k < 2; k++) {
        *z = op_operand(v, k);
        *repeated = op_operand(v, 1 - k);
        if (match_made_by(*z, op) && match_made_by(*repeated, &spor_op_expand) &&
            op_attrs(*repeated)[AXES].i == axes)
            return true;
    }
    return false;
}

bool layer_match(spor_match *match, spor_var root, const spor_op *op, int64_t axes,
                 spor_layer *layer) {
    int activation = activation_of(root);
    spor_var v = activation ? op_operand(root, 0) : root, repeated;
    *layer = (spor_layer){.z = v, .activation = {.i = activation}};
    layer->last = activation ? activation_ops[activation] : op;
    if (activation == SPOR_ACTIVATION_leaky_relu) layer->slope = op_attrs(root)[SLOPE];
    bool biased = is_biased(v, op, axes, &layer->z, &repeated);
    if (!biased) layer->z = v;
    if (!match_made_by(layer->z, op)) return false;
    if (biased) {
        if (!activation) layer->last = &spor_op_add;
        layer->b = op_operand(repeated, 0);
        if (activation && !layer_take(match, v, &spor_op_add, "the activation's operand"))
            return false;
        if (!layer_take(match, repeated, &spor_op_expand, "the repeated bias")) return false;
    }
    if (layer->z.id == root.id) return true;
    return layer_take(match, layer->z, op, "the product");
}

/* ---- delta ---- */

static void delta_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    (void)width, (void)lanes;
    need->tasks[SPOR_WORK] = tasks_for(need, pieces_of(&c->out.shape), 3 * PIECE * COST_MOVED, 0);
}

static const spor_fused delta_fused = {.need = delta_need, .phase = {[SPOR_WORK] = delta_kernels}};

/* f'(Y) in C; behind that of leaky_relu comes its slope. */
static const char *const slope_forms[SPOR_ACTIVATIONS] = {
    [SPOR_ACTIVATION_tanh] = "1 - Y[k] * Y[k]",
    [SPOR_ACTIVATION_sigmoid] = "Y[k] * (1 - Y[k])",
    [SPOR_ACTIVATION_relu] = "Y[k] > 0 ? 1 : 0",
    [SPOR_ACTIVATION_leaky_relu] = "Y[k] > 0 ? 1 : "};

static void delta_loops(spor_c *c, const spor_call *call) {
    const int64_t f = call->attr[ACT].i;
    bool sloped = f == SPOR_ACTIVATION_leaky_relu;
    c_line(c, "for (int k = 0; k < %" PRId64 "; k++) out[k] = dY[k] * (%s%s);",
           shape_size(&call->out.shape), slope_forms[f],
           sloped ? c_number(c, call->attr[ACT_SLOPE].r).text : "");
}

static const spor_op delta_op = {
    .signature = "delta(Y[...], dY[...]; activation:int, slope:real)",
    .equation = "delta = dY f'(Y)",
    .operands = 2,
    .attrs = 2,
    .shape = rule_elementwise,
    .fused = &delta_fused,
    .c_loops = delta_loops,
};

spor_var layer_delta(spor_var y, const spor_attr activation[2], spor_var ybar) {
    if (activation[ACT].i == SPOR_ACTIVATION_none) return ybar;
    return op_record(&delta_op, (spor_var[]){y, ybar}, activation);
}

/* ---- db ---- */

static bool bias_gradient_shape(spor_rule *r) {
    int rank = r->in[0].rank;
    if (rank < 1) return rule_fail(r, "delta needs at least 1 axis");
    r->out = (spor_shape){1, {r->in[0].n[rank - 1]}};
    return true;
}

/* Room for the sums of 1, 2, 4 ... blocks of a task. */
static void bias_gradient_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    (void)lanes;
    bias_sizes s = bias_sizes_of(c);
    int64_t levels = 0;
    for (int64_t n = s.blocks; n; n >>= 1) levels++;
    spor_carver scratch = {0};
    carve_take(&scratch, carve_times(levels, s.cols), width);
    need->scratch = scratch.used;
    tasks_add_up(need, s.blocks, carve_times(BLOCK_ROWS * COST_MOVED, s.cols), s.cols, width);
}

static const spor_fused bias_gradient_fused = {
    .need = bias_gradient_need,
    .phase = {[SPOR_WORK] = bias_gradient_kernels, [SPOR_FINISH] = partial_sum_kernels}};

static void bias_gradient_loops(spor_c *c, const spor_call *call) {
    bias_sizes s = bias_sizes_of(call);
    int64_t levels = 0;
    for (int64_t n = s.blocks; n; n >>= 1) levels++;
    if (s.blocks > 1) c_want_scratch(c, levels * s.cols);
    c_line(c, "net_sum_rows(out, delta, %" PRId64 ", %" PRId64 ", %s);", s.rows, s.cols,
           s.blocks > 1 ? "scratch" : "out");
}

static const spor_op bias_gradient_op = {
    .signature = "bias_gradient(delta[*])",
    .equation = "db[f] = sum of delta[..., f]",
    .traits = SPOR_LINEAR | SPOR_MIXES_SAMPLES | SPOR_EXACT_ON_INTEGERS,
    .operands = 1,
    .shape = bias_gradient_shape,
    .fused = &bias_gradient_fused,
    .c_loops = bias_gradient_loops,
};

spor_var layer_bias_gradient(spor_var delta) {
    return op_record(&bias_gradient_op, &delta, NULL);
}

/* ---- samples ---- */

/* leaky_relu's slope is a power of two, so that integers stay exact. */
spor_var layer_activate(spor_var z, int64_t activation) {
    const spor_attr attr[SPOR_ATTRS] = {[SLOPE] = {.r = 0.25}};
    return activation == SPOR_ACTIVATION_none ? z : op_record(activation_ops[activation], &z, attr);
}

spor_var layer_record(spor_sketch *r, spor_var z, int64_t axes, const int64_t how[2]) {
    spor_shape shape = spor_shape_of(z);
    if (how[0] != NO_BIAS) {
        spor_var b = sketch_operand(r, "b", SPOR_SHAPE(shape.rank ? shape.n[shape.rank - 1] : 1));
        spor_var repeated = spor_expand(b, axes, shape);
        z = how[0] == BIAS_BEHIND ? spor_add(z, repeated) : spor_add(repeated, z);
    }
    return layer_activate(z, how[1]);
}

/* ---- written in C ---- */

#define ACTIVATION_WORD(name) [SPOR_ACTIVATION_##name] = "net_" #name,
static const char *const activation_words[SPOR_ACTIVATIONS] = {
    SPOR_EACH_ACTIVATION(ACTIVATION_WORD)};

void layer_write_activation(spor_c *c, const spor_attr activation[2], const char *z,
                            int64_t count) {
    const char *word = activation_words[activation[ACT].i];
    bool sloped = activation[ACT].i == SPOR_ACTIVATION_leaky_relu;
    if (!word) return;
    c_line(c, "for (int k = 0; k < %" PRId64 "; k++) %s[k] = %s(%s[k]%s%s);", count, z, word, z,
           sloped ? ", " : "", sloped ? c_number(c, activation[ACT_SLOPE].r).text : "");
}

void layer_write_bias(spor_c *c, bool biased, int64_t count) {
    if (biased)
        c_line(c, "memcpy(z, b, %" PRId64 " * sizeof *z);", count);
    else
        c_line(c, "net_fill(z, 0, %" PRId64 ");", count);
}

#else

FAST_KERNEL(delta) {
    const spor_activation *f = &spor_activations[c->attr[ACT].i];
    task_part pieces = task_part_of(c, SPOR_WORK, task, pieces_of(&c->out.shape));
    int64_t first = pieces.first * PIECE;
    int64_t end = carve_least(pieces.end * PIECE, shape_size(&c->out.shape));
    f->pull((T *)c->out.data + first, (const T *)c->in[1].data + first,
            (const T *)c->in[0].data + first, end - first, (T)c->attr[ACT_SLOPE].r);
}

/* out = the results of all tasks, added in their order */
FAST_KERNEL(partial_sum) {
    task_part part = task_part_of(c, SPOR_FINISH, task, shape_size(&c->out.shape));
    for (int64_t i = part.first; i < part.end; i += LANES) {
        int64_t lanes = carve_least(LANES, part.end - i);
        vec sum = simd_load_part((const T *)task_result(c, 0) + i, lanes);
        for (int64_t t = 1; t < c->need->tasks[SPOR_WORK]; t++)
            sum += simd_load_part((const T *)task_result(c, t) + i, lanes);
        simd_store_part((T *)c->out.data + i, sum, lanes);
    }
}

/* Some columns of some rows, each in four chains: whole lines of memory, which may be a page apart. */
enum { STRIP = 2 };
SPOR_INLINE void sum_rows(vec sum[], const T *delta, int64_t rows, int64_t stride,
                          int64_t last_lanes, const int vectors) {
    vec chain[STRIP][4] = {{{0}}};
    int64_t p = 0, lanes[STRIP];
    SPOR_UNROLL for (int v = 0; v < vectors; v++) lanes[v] = v + 1 < vectors ? LANES : last_lanes;
    for (; p + 4 <= rows; p += 4, delta += 4 * stride) {
        SPOR_UNROLL for (int k = 0; k < 4; k++) {
            SPOR_UNROLL for (int v = 0; v < vectors; v++) chain[v][k] +=
                simd_load_part(delta + k * stride + v * LANES, lanes[v]);
        }
    }
    for (; p < rows; p++, delta += stride) {
        SPOR_UNROLL for (int v = 0; v < vectors; v++) chain[v][0] +=
            simd_load_part(delta + v * LANES, lanes[v]);
    }
    SPOR_UNROLL for (int v = 0; v < vectors; v++) sum[v] =
        (chain[v][0] + chain[v][1]) + (chain[v][2] + chain[v][3]);
}

/* A block's sums of some columns, and the sums that it completes: where 2^k blocks meet 2^k others
 * they go up together, as a binary counter does. level[k]: cols sums of 2^k blocks. */
SPOR_INLINE void carry_up(T *level, int64_t cols, int64_t blocks_before, vec sum, int64_t lanes) {
    for (; blocks_before & 1; blocks_before >>= 1, level += cols)
        sum += simd_load_part(level, lanes);
    simd_store_part(level, sum, lanes);
}

/* What waits on the levels after all blocks, from the lowest on. */
SPOR_INLINE vec levels_total(const T *level, int64_t cols, int64_t blocks, int64_t lanes) {
    vec sum = {0};
    for (; blocks; blocks >>= 1, level += cols)
        if (blocks & 1) sum += simd_load_part(level, lanes);
    return sum;
}

/* Some columns of a block, at most a strip. */
SPOR_INLINE void sum_strip(T *level, const T *delta, int64_t rows, int64_t stride,
                           int64_t blocks_before, int64_t cols) {
    vec sum[STRIP];
    if (cols <= LANES) {
        sum_rows(sum, delta, rows, stride, cols, 1);
        carry_up(level, stride, blocks_before, sum[0], cols);
        return;
    }
    sum_rows(sum, delta, rows, stride, cols - LANES, STRIP);
    carry_up(level, stride, blocks_before, sum[0], LANES);
    carry_up(level + LANES, stride, blocks_before, sum[1], cols - LANES);
}

/* Rows in blocks that stay in the first cache while all their columns are summed; sums of blocks
 * as in kernels/pairwise.h. */
FAST_KERNEL(bias_gradient) {
    bias_sizes s = bias_sizes_of(c);
    task_part part = task_part_of(c, SPOR_WORK, task, s.blocks);
    T *db = task_result(c, task), *level = c->scratch;
    for (int64_t block = part.first; block < part.end; block++) {
        int64_t row = block * BLOCK_ROWS, count = carve_least(BLOCK_ROWS, s.rows - row);
        const T *delta = (const T *)c->in[0].data + row * s.cols;
        for (int64_t f = 0; f < s.cols; f += STRIP * LANES)
            sum_strip(level + f, delta + f, count, s.cols, block - part.first,
                      carve_least(STRIP * LANES, s.cols - f));
    }
    for (int64_t f = 0; f < s.cols; f += LANES) {
        int64_t lanes = carve_least(LANES, s.cols - f);
        simd_store_part(db + f, levels_total(level + f, s.cols, part.end - part.first, lanes),
                        lanes);
    }
}

#endif
