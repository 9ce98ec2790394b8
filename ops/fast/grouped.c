/*
 * A convolutional layer of groups, forward and backward: filters see the channels of their group alone.
 *
 * Pattern     Y = f(Z + b), Z the maps of all groups side by side; of group g those of conv2d.c:
 *             correlate2d(x_g, K_g), with x_g[N,H,W,c] and K_g[k,l,c,F] slices along the last axes of
 *             pad(x[N,H,W,G c], 0) and K[k,l,c,G F]; the pad, b and f each possibly absent
 * Forward     z[n,i,j,gF+f] = b_gF+f + sum_{u,v,c} K[u,v,c,gF+f] x~[n, i S_h + u, j S_w + v, gC+c]
 *             Eq. (42) for each group
 * Backward    delta = dY o f'(Y), Eqs. (11)-(13); dx and dK of each group are those of conv2d.c of its
 *             channels and its filters, Eqs. (43), (44); db of all, Eq. (45)
 * Saved       nothing
 *
 * The gain is in what is not moved: slices of x and of dY and the maps of a few samples are copied while
 * they are near, those of all are never made.
 */
#include "algorithms.h"

/* After the attributes of the correlation: how many groups; whether sums are made as they stand. */
enum { GROUPS = OWN, DIRECTLY, ALL_SLOTS };

static conv_work group_work(correlation g, const spor_attr attr[], int64_t N, bool adds) {
    conv_work w = work_of(g, N, adds);
    w.by = attr[DIRECTLY].i ? &conv_algorithms[DIRECT] : algorithm_of(&w);
    return w;
}

/* x[N,H,W,G c] or its slice */
static spor_shape slice_of(const spor_shape *x, int64_t groups) {
    spor_shape slice = *x;
    slice.n[3] /= groups;
    return slice;
}

/* Of one group: x[N,H,W,G c], K[k,l,c,G F] -> y, */
static conv_work forward_work(const spor_attr attr[], const spor_shape *x, const spor_shape *K) {
    spor_shape slice = slice_of(x, attr[GROUPS].i);
    int64_t F = K->n[3] / attr[GROUPS].i;
    return group_work(forward_correlation(attr, &slice, K->n[0], K->n[1], F), attr, x->n[0], false);
}
/* K[k,l,c,G F], delta[N,...,G F] -> dx[N,H,W,G c], */
static conv_work dx_work(const spor_attr attr[], const spor_shape *dx, const spor_shape *K) {
    spor_shape slice = slice_of(K, attr[GROUPS].i);
    return group_work(backward_correlation(attr, &slice, dx->n[1], dx->n[2]), attr, dx->n[0],
                      false);
}
/* x[N,H,W,G c], delta[N,...,G F] -> dK[k,l,c,G F] */
static conv_work dK_work(const spor_attr attr[], const spor_shape *x, const spor_shape *dK) {
    conv_work w = forward_work(attr, x, dK);
    return group_work(w.g, attr, w.N, true);
}

static inline int64_t kernel_size(const correlation *g) {
    return carve_times(depth_of(g), g->F);
}
static inline int64_t sample_size(const correlation *g) {
    return carve_times(carve_times(g->h, g->w), g->C);
}
static inline int64_t result_size(const correlation *g) {
    return carve_times(pixels_of(g), g->F);
}

/* Shared by tasks, of each group, or, for dK, of all: its slice of the kernel, then what the way has. */
static void carve_group(spor_carver *carver, const conv_work *w, size_t width, int64_t lanes,
                        void **kernel, conv_arrays *a) {
    *kernel = carve_take(carver, w->adds ? 0 : kernel_size(&w->g), width);
    carve_shared(carver, w, width, lanes, a);
}
static size_t group_bytes(const conv_work *w, size_t width, int64_t lanes) {
    spor_carver one = {0};
    void *kernel;
    conv_arrays a;
    carve_group(&one, w, width, lanes, &kernel, &a);
    return one.used;
}

/* A task's own, for a few samples of a group: slices of what it reads, of what it makes. */
typedef struct {
    void *samples, *results; /* x, z; delta, dx; x, delta */
    void *dK;
} group_slices;

static void carve_slices(spor_carver *carver, const conv_work *w, size_t width, int64_t lanes,
                         group_slices *s, conv_arrays *a) {
    s->samples = carve_take(carver, carve_times(w->group, sample_size(&w->g)), width);
    s->results = carve_take(carver, carve_times(w->group, result_size(&w->g)), width);
    s->dK = carve_take(carver, w->adds ? kernel_size(&w->g) : 0, width);
    carve_scratch(carver, w, width, lanes, a);
}

#ifdef SPOR_RULES

#include <inttypes.h>

#include "written.h"

FAST_KERNELS(grouped_panels);
FAST_KERNELS(grouped);
FAST_KERNELS(grouped_dx_panels);
FAST_KERNELS(grouped_dx);
FAST_KERNELS(grouped_dK_tables);
FAST_KERNELS(grouped_dK);
FAST_KERNELS(partial_sum);

extern const spor_op spor_op_correlate2d, spor_op_concat;

static void grouped_need(const conv_work *w, int64_t groups, size_t width, int lanes,
                         spor_need *need) {
    spor_carver scratch = {0}, shared = {0};
    group_slices slices;
    conv_arrays arrays;
    carve_slices(&scratch, w, width, lanes, &slices, &arrays);
    carve_take(&shared, w->adds ? 1 : groups, group_bytes(w, width, lanes));
    need->scratch = scratch.used;
    need->shared = shared.used;
    need->shares = w->by->shares;
    need->way = w->by->word;
    int64_t kernel = carve_times(groups, kernel_size(&w->g));
    int64_t sums = carve_times(carve_times(w->by->cost(w), COST_LANES), groups);
    need->tasks[SPOR_PREPARE] =
        w->adds ? 1 : tasks_for(need, groups, carve_times(kernel / groups, COST_MOVED), 0);
    if (w->adds)
        tasks_add_up(need, units_of(w), carve_times(w->unit, sums), kernel, width);
    else
        need->tasks[SPOR_WORK] = tasks_for(need, units_of(w), carve_times(w->unit, sums),
                                           carve_times(maps_of_group(w), COST_MOVED));
}

/* ---- forward ---- */

/* x[N,H,W,G c], K[k,l,c,G F], b[G F] -> y[N,P,Q,G F] */
static bool grouped_shape(spor_rule *r) {
    const spor_shape *x = &r->in[0], *K = &r->in[1];
    r->out = (spor_shape){4, {x->n[0], 0, 0, K->n[3]}};
    for (int axis = 0; axis < 2; axis++)
        r->out.n[1 + axis] = outputs(r->attr, axis, x->n[1 + axis], K->n[axis]);
    return true;
}

/* Each filter sees the channels of a group. */
static double grouped_cost(const spor_shape in[], const spor_shape *out, const spor_attr attr[]) {
    (void)out;
    return correlation_cost(attr, &in[0], &in[1]);
}

static void forward_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    conv_work w = forward_work(c->attr, &c->in[0].shape, &c->in[1].shape);
    grouped_need(&w, c->attr[GROUPS].i, width, lanes, need);
}

static spor_var grouped_vjp(spor_var y, int k, spor_var ybar);

/* Writes that rows of `count` elements, `from` apart, are copied to rows `to` apart. */
static void write_copied(spor_c *c, const char *to, int64_t apart, const char *from, int64_t of,
                         int64_t rows, int64_t count) {
    c_line(c, "for (int r = 0; r < %" PRId64 "; r++)", rows);
    c_line(c, "    memcpy(%s + r * %" PRId64 ", %s + r * %" PRId64 ", %" PRId64 " * sizeof(%s));",
           to, apart, from, of, count, c_type(c));
}

/* Group by group, each with copies of its slices. */
static void grouped_loops(spor_c *c, const spor_call *call) {
    const int64_t groups = call->attr[GROUPS].i;
    conv_work w = forward_work(call->attr, &call->in[0].shape, &call->in[1].shape);
    const correlation *g = &w.g;
    const int64_t sample = sample_size(g), kernel = kernel_size(g), part = pixel_scratch(g);
    c_want_scratch(c, sample + kernel + part);
    c_line(c, "%s *slice = scratch, *kernel = slice + %" PRId64 ";", c_type(c), sample);
    if (part) c_line(c, "%s *part = kernel + %" PRId64 ";", c_type(c), kernel);
    c_line(c, "const %s *maps = x, *kernels = K;", c_type(c));
    if (call->operands > 2) c_line(c, "const %s *biases = b;", c_type(c));
    c_line(c, "for (int g = 0; g < %" PRId64 "; g++) {", groups);
    char slice[64], at[64];
    snprintf(at, sizeof at, "(kernels + g * %" PRId64 ")", g->F);
    write_copied(c, "kernel", g->F, at, groups * g->F, depth_of(g), g->F);
    c_line(c, "for (int n = 0; n < %" PRId64 "; n++) {", w.N);
    snprintf(slice, sizeof slice, "(maps + n * %" PRId64 " + g * %" PRId64 ")", groups * sample,
             g->C);
    write_copied(c, "slice", g->C, slice, groups * g->C, g->h * g->w, g->C);
    c_line(c, "const %s *sample = slice, *K = kernel;", c_type(c));
    if (call->operands > 2) c_line(c, "const %s *b = biases + g * %" PRId64 ";", c_type(c), g->F);
    c_line(c, "for (int i = 0; i < %" PRId64 "; i++)", g->P);
    c_line(c, "for (int j = 0; j < %" PRId64 "; j++) {", g->Q);
    c_line(c,
           "%s *z = out + ((n * %" PRId64 " + i) * %" PRId64 " + j) * %" PRId64 " + g * %" PRId64
           ";",
           c_type(c), g->P, g->Q, groups * g->F, g->F);
    write_pixel(c, g, call->operands > 2);
    c_line(c, "}");
    c_line(c, "}");
    c_line(c, "}");
    layer_write_activation(c, call->attr + ACTIVATION, "out", shape_size(&call->out.shape));
}

static const spor_fused forward_fused = {
    .need = forward_need,
    .phase = {[SPOR_PREPARE] = grouped_panels_kernels, [SPOR_WORK] = grouped_kernels},
    .prepares = 1 << 1};

#define FORWARD_OP(bias_, operands_, equation_)                                                    \
    {                                                                                              \
        .signature =                                                                               \
            "conv2d_groups(x[N,H,W,C], K[k,l,c,F]" bias_                                           \
            "; stride:int2, pad:int4, activation:int, slope:real, groups:int, directly:int)",      \
        .equation = equation_, .traits = SPOR_EXACT_ON_INTEGERS, .operands = operands_,            \
        .attrs = ALL_SLOTS, .shape = grouped_shape, .cost = grouped_cost, .vjp = grouped_vjp,      \
        .fused = &forward_fused, .c_loops = grouped_loops                                          \
    }
/* [biased] */
static const spor_op forward_op[2] = {
    FORWARD_OP("", 2, "Y_g = f(K_g * pad(x)_g) for each group g"),
    FORWARD_OP(", b[F]", 3, "Y_g = f(K_g * pad(x)_g + b_g) for each group g")};

/* ---- backward ---- */

/* delta[N,P,Q,G F], K[k,l,c,G F] -> dx[N,H,W,G c] */
static bool dx_shape(spor_rule *r) {
    int64_t C = r->in[1].n[2] * r->attr[GROUPS].i;
    r->out = (spor_shape){4, {r->in[0].n[0], r->attr[MAP].i, r->attr[MAP + 1].i, C}};
    return true;
}

static double dx_cost(const spor_shape in[], const spor_shape *out, const spor_attr attr[]) {
    return correlation_cost(attr, out, &in[1]);
}

static void dx_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    conv_work w = dx_work(c->attr, &c->out.shape, &c->in[1].shape);
    grouped_need(&w, c->attr[GROUPS].i, width, lanes, need);
}

static const spor_fused dx_fused = {
    .need = dx_need,
    .phase = {[SPOR_PREPARE] = grouped_dx_panels_kernels, [SPOR_WORK] = grouped_dx_kernels},
    .prepares = 1 << 1};

static const spor_op dx_op = {
    .signature = "conv2d_groups_dx(delta[N,P,Q,F], K[k,l,c,F]; stride:int2, pad:int4, map:int2, "
                 "groups:int, directly:int)",
    .equation = "dx_g = rot180(K_g) * dilated and padded delta_g for each group g",
    .traits = SPOR_BILINEAR | SPOR_EXACT_ON_INTEGERS,
    .operands = 2,
    .attrs = ALL_SLOTS,
    .shape = dx_shape,
    .cost = dx_cost,
    .fused = &dx_fused,
};

/* x[N,H,W,G c], delta[N,P,Q,G F] -> dK[k,l,c,G F] */
static bool dK_shape(spor_rule *r) {
    int64_t channels = r->in[0].n[3] / r->attr[GROUPS].i;
    r->out = (spor_shape){4, {r->attr[CELLS].i, r->attr[CELLS + 1].i, channels, r->in[1].n[3]}};
    return true;
}

static double dK_cost(const spor_shape in[], const spor_shape *out, const spor_attr attr[]) {
    return correlation_cost(attr, &in[0], out);
}

static void dK_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    conv_work w = dK_work(c->attr, &c->in[0].shape, &c->out.shape);
    grouped_need(&w, c->attr[GROUPS].i, width, lanes, need);
}

static const spor_fused dK_fused = {.need = dK_need,
                                    .phase = {[SPOR_PREPARE] = grouped_dK_tables_kernels,
                                              [SPOR_WORK] = grouped_dK_kernels,
                                              [SPOR_FINISH] = partial_sum_kernels}};

static const spor_op dK_op = {
    .signature = "conv2d_groups_dK(x[N,H,W,C], delta[N,P,Q,F]; stride:int2, pad:int4, cells:int2, "
                 "groups:int, directly:int)",
    .equation = "dK_g = delta_g * pad(x)_g for each group g, summed over samples",
    .traits = SPOR_BILINEAR | SPOR_MIXES_SAMPLES | SPOR_EXACT_ON_INTEGERS,
    .operands = 2,
    .attrs = ALL_SLOTS,
    .shape = dK_shape,
    .cost = dK_cost,
    .fused = &dK_fused,
};

/* y's attributes with two sizes of the backward op's own in place of the activation. */
static spor_var record_backward(const spor_op *op, spor_var a, spor_var b, spor_var y,
                                int64_t first, int64_t second) {
    spor_attr attr[ALL_SLOTS];
    for (int k = 0; k < ALL_SLOTS; k++) attr[k] = op_attrs(y)[k];
    attr[SHARED].i = first;
    attr[SHARED + 1].i = second;
    return op_record(op, (spor_var[]){a, b}, attr);
}

static spor_var grouped_vjp(spor_var y, int k, spor_var ybar) {
    spor_var delta = layer_delta(y, op_attrs(y) + ACTIVATION, ybar);
    spor_var x = op_operand(y, 0), K = op_operand(y, 1);
    spor_shape map = spor_shape_of(x), cells = spor_shape_of(K);
    if (k == 0) return record_backward(&dx_op, delta, K, y, map.n[1], map.n[2]);
    if (k == 1) return record_backward(&dK_op, x, delta, y, cells.n[0], cells.n[1]);
    return layer_bias_gradient(delta);
}

/* ---- the match ---- */

/* A product of the maps side by side, the last of them or the only one. */
static spor_var last_product(spor_var v) {
    return match_made_by(v, &spor_op_concat) ? op_operand(v, 1) : v;
}

/* Products side by side, v the last channels of all; 0: v is no such thing. */
static int64_t groups_of(spor_var v) {
    int64_t groups = 1;
    for (; match_made_by(v, &spor_op_concat) && op_attrs(v)[AXIS].i == 3; v = op_operand(v, 0))
        if (match_made_by(op_operand(v, 1), &spor_op_correlate2d))
            groups++;
        else
            return 0;
    return match_made_by(v, &spor_op_correlate2d) && groups > 1 ? groups : 0;
}

/* v is slice g of so many along the last axis of what it is cut from. */
static bool is_slice(spor_var v, int64_t g, int64_t groups) {
    if (!match_made_by(v, &spor_op_pad)) return false;
    const spor_attr *lo = op_attrs(v) + PAD_LO, *hi = op_attrs(v) + PAD_HI;
    spor_shape slice = spor_shape_of(v), whole = spor_shape_of(op_operand(v, 0));
    int last = slice.rank - 1;
    for (int k = 0; k < last; k++)
        if (lo[k].i || hi[k].i) return false;
    return slice.n[last] * groups == whole.n[last] && lo[last].i == -g * slice.n[last];
}

/* Product z of group g: of slices of what all groups share. */
static bool take_group(spor_match *m, spor_var z, int64_t g, int64_t groups) {
    spor_var x = op_operand(z, 0), K = op_operand(z, 1);
    if (!is_slice(x, g, groups) || !is_slice(K, g, groups)) return false;
    if (!m->in[0].id)
        for (int k = 0; k < 2; k++) {
            m->in[k] = op_operand(op_operand(z, k), 0);
            m->attr[STRIDE + k] = op_attrs(z)[STRIDE + k];
        }
    for (int k = 0; k < 2; k++)
        if (op_operand(op_operand(z, k), 0).id != m->in[k].id ||
            op_attrs(z)[STRIDE + k].i != m->attr[STRIDE + k].i)
            return false;
    return (match_inside(m, z, &spor_op_correlate2d) && match_inside(m, x, &spor_op_pad) &&
            match_inside(m, K, &spor_op_pad)) ||
           match_refuse(m, "a group is read by other nodes or is an output");
}

static bool take_groups(spor_match *m, spor_var v, int64_t groups) {
    for (int64_t g = groups - 1; g >= 0; g--) {
        if (!take_group(m, last_product(v), g, groups)) return false;
        if (g) v = op_operand(v, 0);
        if (g > 1 && !match_inside(m, v, &spor_op_concat))
            return match_refuse(m, "some groups are read by other nodes or are an output");
    }
    return true;
}

static bool match_grouped(spor_match *m, spor_var root) {
    spor_layer layer;
    int64_t axes = SPOR_AXIS(0) | SPOR_AXIS(1) | SPOR_AXIS(2);
    bool found = layer_match(m, root, &spor_op_concat, axes, &layer);
    int64_t groups = groups_of(layer.z);
    if (!groups) m->why[0] = 0;
    if (!found || !groups || m->portable || !take_groups(m, layer.z, groups)) return false;
    correlation_take_pad(m, (uint32_t)groups);
    m->in[2] = layer.b;
    m->attr[ACTIVATION + ACT] = layer.activation;
    m->attr[ACTIVATION + ACT_SLOPE] = layer.slope;
    m->attr[GROUPS].i = groups;
    m->attr[DIRECTLY].i = m->rowwise;
    m->op = &forward_op[layer.b.id != 0];
    return true;
}

/* ---- samples ---- */

/* Sizes, c and F of a group; strides, pads of both sides; then LAYER_CHOICES. */
static const spor_choice choices[] = {CHOICE("N", 1, 2, 3, 5),
                                      CHOICE("H", 1, 3, 4, 5, 6, 7),
                                      CHOICE("W", 1, 3, 4, 5, 6, 9),
                                      CHOICE("c", 1, 2, 3, 5, 16),
                                      CHOICE("k", 1, 2, 3),
                                      CHOICE("l", 1, 2, 3),
                                      CHOICE("F", 1, 2, 3, 7, 16, 17),
                                      CHOICE("groups", 2, 3, 4),
                                      CHOICE("stride along the height", 1, 1, 2, 3),
                                      CHOICE("stride along the width", 1, 1, 2, 3),
                                      CHOICE("pad along the height", 0, 1, 2),
                                      CHOICE("pad along the width", 0, 1, 2),
                                      LAYER_CHOICES,
                                      {.name = NULL}};
enum { CHOSEN_GROUPS = 7, CHOSEN_STRIDE, CHOSEN_PAD = 10, CHOSEN_LAYER = 12 };

/* Slice g of so many along the last axis. */
static spor_var record_slice(spor_var v, int64_t g, int64_t groups) {
    spor_shape shape = spor_shape_of(v);
    int64_t lo[SPOR_RANK] = {0}, hi[SPOR_RANK] = {0}, last = carve_most(shape.rank, 1) - 1;
    int64_t some = shape.n[last] / groups;
    lo[last] = -g * some;
    hi[last] = -(groups - 1 - g) * some;
    return spor_pad(v, lo, hi, 0);
}

/* x and K of all groups. */
static void record_operands(spor_sketch *r, spor_var *x, spor_var *K) {
    const int64_t *n = r->number, groups = n[CHOSEN_GROUPS];
    *x = sketch_operand(r, "x", SPOR_SHAPE(n[0], n[1], n[2], n[3] * groups));
    *K = sketch_operand(r, "K", SPOR_SHAPE(n[4], n[5], n[3], n[6] * groups));
}

/* The maps of all groups side by side, each by tiles or as they stand. */
static spor_var record_maps(const int64_t n[], spor_var x, spor_var K, bool tiles) {
    const int64_t groups = n[CHOSEN_GROUPS], *pad = n + CHOSEN_PAD;
    const int64_t around[] = {0, pad[0], pad[1], 0};
    spor_var z = x;
    if (pad[0] + pad[1] > 0) x = spor_pad(x, around, around, 0);
    for (int64_t g = 0; g < groups; g++) {
        spor_var of = record_slice(x, g, groups), by = record_slice(K, g, groups);
        spor_var made = tiles ? winograd_record(of, by)
                              : spor_correlate2d(of, by, n[CHOSEN_STRIDE], n[CHOSEN_STRIDE + 1]);
        z = g ? spor_concat(z, made, 3) : made;
    }
    return z;
}

static spor_var record_behind(spor_sketch *r, spor_var z) {
    return layer_record(r, z, SPOR_AXIS(0) | SPOR_AXIS(1) | SPOR_AXIS(2), r->number + CHOSEN_LAYER);
}

static spor_var record_grouped(spor_sketch *r) {
    spor_var x, K;
    record_operands(r, &x, &K);
    return record_behind(r, record_maps(r->number, x, K, false));
}

/* dx of delta by tiles */
static spor_var record_dx(const int64_t n[], spor_var delta, spor_var K) {
    const int64_t groups = n[CHOSEN_GROUPS], *pad = n + CHOSEN_PAD;
    spor_var dx = delta;
    for (int64_t g = 0; g < groups; g++) {
        spor_var made =
            winograd_record_dx((const int64_t[]){pad[0], pad[0], pad[1], pad[1]},
                               record_slice(delta, g, groups), record_slice(K, g, groups));
        dx = g ? spor_concat(dx, made, 3) : made;
    }
    return dx;
}

/* y, dx, dK, db by the ways that are taken. */
static bool record_derivation(spor_sketch *r, spor_var dy, spor_var out[]) {
    const int64_t *n = r->number;
    const conv_algorithm *tiles = &conv_algorithms[WINOGRAD];
    spor_attr attr[ALL_SLOTS] = {[GROUPS] = {n[CHOSEN_GROUPS]}};
    for (int k = 0; k < 2; k++) {
        attr[STRIDE + k].i = n[CHOSEN_STRIDE + k];
        attr[TOP + 2 * k].i = attr[TOP + 2 * k + 1].i = n[CHOSEN_PAD + k];
    }
    spor_var x, K, z, delta;
    record_operands(r, &x, &K);
    spor_shape map = spor_shape_of(x), cells = spor_shape_of(K);
    if (dK_work(attr, &map, &cells).by != tiles) return false;
    bool y_tiles = forward_work(attr, &map, &cells).by == tiles;
    bool dx_tiles = dx_work(attr, &map, &cells).by == tiles;
    spor_var direct = record_maps(n, x, K, false), by_tiles = record_maps(n, x, K, true);
    z = y_tiles ? by_tiles : direct;
    out[0] = record_behind(r, z);
    spor_vjp(out[0], dy, r->operands, r->operand, out + 1);
    spor_vjp(out[0], dy, 1, &z, &delta);
    if (dx_tiles)
        out[1] = record_dx(n, delta, K);
    else
        spor_vjp(direct, delta, 1, &x, out + 1);
    spor_vjp(by_tiles, delta, 1, &K, out + 2);
    return true;
}

static const int64_t samples[][SPOR_CHOICES] = {
    {2, 7, 6, 3, 3, 2, 5, 2, 2, 1, 1, 0, BIAS_BEHIND, SPOR_ACTIVATION_tanh},
    {3, 5, 9, 1, 3, 3, 4, 3, 1, 2, 0, 2, BIAS_BEFORE, SPOR_ACTIVATION_leaky_relu},
    {5, 1, 1, 4, 3, 3, 2, 2, 1, 1, 1, 1, NO_BIAS, SPOR_ACTIVATION_none},
    {3, 16, 15, 16, 3, 3, 16, 4, 1, 1, 1, 1, BIAS_BEHIND, SPOR_ACTIVATION_relu},
    {40, 9, 8, 8, 3, 3, 17, 2, 1, 1, 1, 1, BIAS_BEHIND, SPOR_ACTIVATION_sigmoid},
    {0}};

static const spor_refusal refusals[] = {{.why = NULL}};

extern const spor_fast spor_fast_grouped;
const spor_fast spor_fast_grouped = {
    .name = "grouped",
    .pattern = "act(concat of correlate2d(slice of pad(x), slice of K) + b)",
    .equations = "Eqs. (42)-(45), of each group",
    .match = match_grouped,
    .choices = choices,
    .record = record_grouped,
    .samples = samples,
    .derivation = record_derivation,
    .refusals = refusals,
};

#else

#include "kernels/copy.h"

/* What tasks share of group g. */
static T *shared_of(const spor_call *c, const conv_work *w, int64_t g, conv_arrays *a) {
    int64_t at = w->adds ? 0 : g * (int64_t)group_bytes(w, sizeof(T), LANES);
    spor_carver carver = {.base = (char *)c->shared + at};
    void *kernel;
    carve_group(&carver, w, sizeof(T), LANES, &kernel, a);
    return kernel;
}

/* A task's samples and its arrays. */
static task_part begin_slices(const spor_call *c, int64_t task, const conv_work *w, group_slices *s,
                              conv_arrays *a) {
    spor_carver scratch = {.base = c->scratch};
    carve_slices(&scratch, w, sizeof(T), LANES, s, a);
    if (!w->adds) w->by->begin(w, a);
    return samples_of(c, task, w);
}

/* A task of PREPARE: the kernels of some groups, turned for dx */
static void prepare_groups(const spor_call *c, int64_t task, const conv_work *w, bool turned) {
    const spor_arg *K = &c->in[1];
    int64_t groups = c->attr[GROUPS].i, all = K->shape.n[3], some = all / groups;
    task_part part = task_part_of(c, SPOR_PREPARE, task, groups);
    for (int64_t g = part.first; g < part.end; g++) {
        conv_arrays a = {0};
        T *kernel = shared_of(c, w, g, &a);
        copy_rows(kernel, some, (const T *)K->data + g * some, all, shape_size(&K->shape) / all,
                  some);
        w->by->prepare(w, &a, kernel, turned, (task_part){0, w->by->prepare_parts(w)});
    }
}

/* What group g makes of count samples: x -> z or, turned, delta -> dx, maps of all groups. */
static void correlate_group(const spor_call *c, const conv_work *w, const group_slices *s,
                            conv_arrays a, int64_t g, int64_t n, int64_t count, const T *b,
                            bool turned) {
    const correlation *of = &w->g;
    int64_t groups = c->attr[GROUPS].i, read = groups * of->C, made = groups * of->F;
    const T *x = (const T *)c->in[0].data + n * of->h * of->w * read + g * of->C;
    T *z = (T *)c->out.data + n * pixels_of(of) * made + g * of->F;
    conv_arrays all = a;
    const T *kernel = shared_of(c, w, g, &all);
    copy_rows(s->samples, of->C, x, read, count * of->h * of->w, of->C);
    w->by->correlate(w, &all, s->samples, count, kernel, turned, b ? b + g * of->F : NULL,
                     s->results);
    copy_rows(z, made, s->results, of->F, count * pixels_of(of), of->F);
}

static void activate(const spor_call *c, int64_t n, int64_t count) {
    const spor_activation *f = &spor_activations[c->attr[ACTIVATION + ACT].i];
    int64_t made = shape_size(&c->out.shape) / c->out.shape.n[0];
    if (f->apply)
        f->apply((T *)c->out.data + n * made, count * made, (T)c->attr[ACTIVATION + ACT_SLOPE].r);
}

FAST_KERNEL(grouped_panels) {
    conv_work w = forward_work(c->attr, &c->in[0].shape, &c->in[1].shape);
    prepare_groups(c, task, &w, false);
}

/* Eq. (42) with its f, group by group of a few samples */
FAST_KERNEL(grouped) {
    conv_work w = forward_work(c->attr, &c->in[0].shape, &c->in[1].shape);
    group_slices s;
    conv_arrays a;
    task_part samples = begin_slices(c, task, &w, &s, &a);
    const T *b = c->operands > 2 ? c->in[2].data : NULL;
    for (int64_t n = samples.first, count; n < samples.end; n += count) {
        count = carve_least(w.group, samples.end - n);
        for (int64_t g = 0; g < c->attr[GROUPS].i; g++)
            correlate_group(c, &w, &s, a, g, n, count, b, false);
        activate(c, n, count);
    }
}

FAST_KERNEL(grouped_dx_panels) {
    conv_work w = dx_work(c->attr, &c->out.shape, &c->in[1].shape);
    prepare_groups(c, task, &w, true);
}

/* Eq. (43) with its tilde */
FAST_KERNEL(grouped_dx) {
    conv_work w = dx_work(c->attr, &c->out.shape, &c->in[1].shape);
    group_slices s;
    conv_arrays a;
    task_part samples = begin_slices(c, task, &w, &s, &a);
    for (int64_t n = samples.first, count; n < samples.end; n += count) {
        count = carve_least(w.group, samples.end - n);
        for (int64_t g = 0; g < c->attr[GROUPS].i; g++)
            correlate_group(c, &w, &s, a, g, n, count, NULL, true);
    }
}

FAST_KERNEL(grouped_dK_tables) {
    (void)task;
    conv_work w = dK_work(c->attr, &c->in[0].shape, &c->out.shape);
    conv_arrays a;
    shared_of(c, &w, 0, &a);
    w.by->prepare(&w, &a, NULL, false, (task_part){0, w.by->prepare_parts(&w)});
}

/* Eq. (44) of a group, a task's samples in their order */
static void add_group(const spor_call *c, const conv_work *w, const group_slices *s,
                      const conv_arrays *a, int64_t g, task_part samples) {
    const correlation *of = &w->g;
    int64_t groups = c->attr[GROUPS].i, read = groups * of->C, made = groups * of->F;
    w->by->begin(w, a);
    for (int64_t n = samples.first, count; n < samples.end; n += count) {
        count = carve_least(w->group, samples.end - n);
        copy_rows(s->samples, of->C,
                  (const T *)c->in[0].data + n * of->h * of->w * read + g * of->C, read,
                  count * of->h * of->w, of->C);
        copy_rows(s->results, of->F,
                  (const T *)c->in[1].data + n * pixels_of(of) * made + g * of->F, made,
                  count * pixels_of(of), of->F);
        w->by->add(w, a, s->samples, count, s->results, s->dK, n > samples.first);
    }
    w->by->finish(w, a, s->dK);
}

FAST_KERNEL(grouped_dK) {
    conv_work w = dK_work(c->attr, &c->in[0].shape, &c->out.shape);
    group_slices s;
    conv_arrays a;
    task_part samples = begin_slices(c, task, &w, &s, &a);
    shared_of(c, &w, 0, &a);
    T *dK = task_result(c, task);
    int64_t groups = c->attr[GROUPS].i, F = w.g.F;
    for (int64_t g = 0; g < groups; g++) {
        add_group(c, &w, &s, &a, g, samples);
        copy_rows(dK + g * F, groups * F, s.dK, F, depth_of(&w.g), F);
    }
}

#endif
