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

#include "kernels/slots.h"
/* Rows of delta summed at once. */
enum { BLOCK_ROWS = 128 };

#ifdef SPOR_RULES

FAST_KERNELS(delta);
FAST_KERNELS(bias_gradient);

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

static const spor_fused delta_fused = {.phase = {[SPOR_WORK] = delta_kernels}};

static const spor_op delta_op = {
    .signature = "delta(Y[...], dY[...]; activation:int, slope:real)",
    .equation = "delta = dY f'(Y)",
    .operands = 2,
    .attrs = 2,
    .shape = rule_elementwise,
    .fused = &delta_fused,
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

/* Room for the sums of 1, 2, 4 ... blocks of rows. */
static void bias_gradient_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    (void)lanes;
    const spor_shape *delta = &c->in[0].shape;
    int64_t cols = delta->n[delta->rank - 1], levels = 0;
    for (int64_t n = (shape_size(delta) / cols + BLOCK_ROWS - 1) / BLOCK_ROWS; n; n >>= 1) levels++;
    spor_carver carver = {0};
    carve_take(&carver, carve_times(levels, cols), width);
    need->scratch = carver.used;
}

static const spor_fused bias_gradient_fused = {.need = bias_gradient_need,
                                               .phase = {[SPOR_WORK] = bias_gradient_kernels}};

static const spor_op bias_gradient_op = {
    .signature = "bias_gradient(delta[*])",
    .equation = "db[f] = sum of delta[..., f]",
    .traits = SPOR_LINEAR | SPOR_MIXES_SAMPLES | SPOR_EXACT_ON_INTEGERS,
    .operands = 1,
    .shape = bias_gradient_shape,
    .fused = &bias_gradient_fused,
};

spor_var layer_bias_gradient(spor_var delta) {
    return op_record(&bias_gradient_op, &delta, NULL);
}

#else

FAST_KERNEL(delta) {
    const spor_activation *f = &spor_activations[c->attr[ACT].i];
    f->pull(c->out.data, c->in[1].data, c->in[0].data, shape_size(&c->out.shape),
            (T)c->attr[ACT_SLOPE].r);
}

/* One vector of columns of some rows, in four chains. */
SPOR_INLINE vec sum_rows(const T *delta, int64_t rows, int64_t stride, int64_t lanes) {
    vec sum[4] = {{0}, {0}, {0}, {0}};
    int64_t p = 0;
    for (; p + 4 <= rows; p += 4)
        for (int k = 0; k < 4; k++) sum[k] += simd_load_part(delta + (p + k) * stride, lanes);
    for (; p < rows; p++) sum[0] += simd_load_part(delta + p * stride, lanes);
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
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

/* Rows in blocks that stay in the first cache while all their columns are summed; sums of blocks
 * as in kernels/pairwise.h. */
FAST_KERNEL(bias_gradient) {
    const T *delta = c->in[0].data;
    T *db = c->out.data, *level = c->scratch;
    int64_t cols = c->out.shape.n[0], rows = shape_size(&c->in[0].shape) / cols, block = 0;
    for (int64_t first = 0; first < rows; first += BLOCK_ROWS, block++) {
        int64_t count = carve_least(BLOCK_ROWS, rows - first);
        for (int64_t f = 0; f < cols; f += LANES) {
            int64_t lanes = carve_least(LANES, cols - f);
            vec sum = sum_rows(delta + first * cols + f, count, cols, lanes);
            carry_up(level + f, cols, block, sum, lanes);
        }
    }
    for (int64_t f = 0; f < cols; f += LANES) {
        int64_t lanes = carve_least(LANES, cols - f);
        simd_store_part(db + f, levels_total(level + f, cols, block, lanes), lanes);
    }
}

#endif
