/*
 * The convolutional layer, forward and backward: the report's chapter, Eqs. (1)-(45), as corrected;
 * and the max-pooling behind it, in one: the report's conv-pool pairs.
 *
 * Pattern     Y = f(K * X~ + b): act(correlate2d(pad(x[N,H,W,C], 0), K[k,l,C,F]) + expand(b)); the
 *             pad (of rows and columns, with zeros), b and f each possibly absent
 *             y = maxpool2d(Y), where only the pooling reads Y
 * Forward     z[n,i,j,f] = b_f + sum_{u,v,c} K[u,v,c,f] x~[n, i S_h + u, j S_w + v, c],  Y = f(Z)
 *             Eqs. (1), (4), (73); (42) with the f it leaves out
 *             y = f(maxpool2d(Z)): f does not decrease, so the largest of f is f of the largest.
 *             Z of a few samples is made, pooled while it is near, and forgotten
 * Backward    delta = dY o f'(Y)                                            Eqs. (11)-(13)
 *             with pooling only winners feel the cost, and there Y is y: delta is dy o f'(y) at the
 *             winners, 0 elsewhere                                          the report's routing
 *             dx: put S - 1 zeros between the elements of delta, (k-1) - p of them before it along
 *             each axis (cropped where negative) and as many behind it as make the map whole, also
 *             where a remainder of rows or columns met no window; over this map delta~
 *             dx[n,a,b,c] = sum_{u,v,f} delta~[n,a+u,b+v,f] K[k-1-u,l-1-v,c,f]
 *             Eqs. (9), (30), (43) with the tilde; (10), (79) for any p and S
 *             dK[u,v,c,f] = sum_{n,i,j} x~[n, i S_h + u, j S_w + v, c] delta[n,i,j,f]
 *             Eqs. (18), (37), (44): over the padded map, summed over the samples
 *             db_f = sum_{n,i,j} delta[n,i,j,f], of dy o f'(y): routing loses nothing
 *             Eqs. (41), (45)
 * Saved       nothing: delta needs Y, which is the output; with pooling the winners, as in maxpool2d,
 *             when a backward pass will follow
 * Exact       on small integers where f is
 * Ties        where f rounds two values of Z to one, the larger Z wins here and the first one in
 *             the definition; f' is nearly 0 there
 */
#include "algorithms.h"
#include "pooling.h"
#include "abreast.h"
#include "winners_dK.h"
#include "winners_pick.h"
#include "winners_dx.h"

/* After the attributes of the correlation: the window, whether sums are made as they stand, which are the
 * same for any number of samples; and, of y, whether winners are saved. */
enum {
    WINDOW = OWN,
    DIRECTLY = OWN + WINDOW_SLOTS,
    BACKWARD_SLOTS,
    TRAINING = BACKWARD_SLOTS,
    FORWARD_SLOTS
};

/* Windows of one cell at every step leave maps as they are: so a layer without pooling has them. */
static bool is_pooled(const spor_attr attr[]) {
    const spor_attr *size = attr + WINDOW + WINDOW_SIZE, *step = attr + WINDOW + WINDOW_STRIDE;
    return size[0].i > 1 || size[1].i > 1 || step[0].i > 1 || step[1].i > 1;
}

/* The way it is computed. With pooling a work has room for maps before it: z, or delta routed to its
 * winners. */
static conv_work with_whole(conv_work w, const spor_attr attr[], int64_t H, int64_t W, int64_t C) {
    if (is_pooled(attr)) w.whole = carve_times(carve_times(H, W), C);
    w.by = attr[DIRECTLY].i ? &conv_algorithms[DIRECT] : algorithm_of(&w);
    return w;
}
/* y is made with samples abreast, if that is less work and the sums are the same. */
static bool y_abreast(const spor_call *c, const conv_work *w, int64_t lanes, abreast *y) {
    const spor_attr *attr = c->attr + WINDOW;
    *y = (abreast){windows_along(attr, 0, w->g.P), windows_along(attr, 1, w->g.Q)};
    return w->by == &conv_algorithms[DIRECT] && !w->g.apart && winner_bytes(attr) == 1 &&
           abreast_pays(w, y, lanes);
}

/* Sums as they stand are made where samples abreast are less work than any other way. Work is counted in
 * COST_LANES on every instruction set, as tasks follow from the choice and must from shapes alone: against
 * tiles a step of convkeras4_20 gains 6 % by it with AVX-512, and loses 4 % with AVX2 and 7 % without. */
static const conv_algorithm *forward_algorithm(const spor_call *c, const conv_work *w) {
    const conv_algorithm *direct = &conv_algorithms[DIRECT];
    if (c->attr[DIRECTLY].i) return direct;
    conv_work sums = *w;
    sums.by = direct;
    abreast y;
    if (!y_abreast(c, &sums, COST_LANES, &y)) return w->by;
    int64_t other = carve_times(w->N, w->by->cost(w));
    return abreast_cost(w, &y, COST_LANES) < other ? direct : w->by;
}

/* x[N,H,W,C], K[k,l,C,F], ... -> y. Where samples may lie abreast tasks don't cut vectors of them. */
static conv_work forward_work(const spor_call *c) {
    const spor_shape *x = &c->in[0].shape, *K = &c->in[1].shape;
    correlation g = forward_correlation(c->attr, x, K->n[0], K->n[1], K->n[3]);
    conv_work w = with_whole(work_of(g, x->n[0], false), c->attr, g.P, g.Q, g.F);
    w.by = forward_algorithm(c, &w);
    abreast y;
    if (y_abreast(c, &w, COST_LANES, &y)) w.unit = carve_whole_vectors(w.group, COST_LANES);
    return w;
}
/* delta[N,...], K[k,l,C,F], ... -> dx[N,H,W,C] */
static conv_work dx_work(const spor_call *c) {
    const spor_shape *dx = &c->out.shape;
    correlation g = backward_correlation(c->attr, &c->in[1].shape, dx->n[1], dx->n[2]);
    return with_whole(work_of(g, dx->n[0], false), c->attr, g.h, g.w, g.C);
}
/* x[N,H,W,C], delta[N,...], ... -> dK[k,l,C,F] */
static conv_work dK_work(const spor_call *c) {
    const spor_shape *x = &c->in[0].shape, *dK = &c->out.shape;
    correlation g = forward_correlation(c->attr, x, dK->n[0], dK->n[1], dK->n[3]);
    return with_whole(work_of(g, x->n[0], true), c->attr, g.P, g.Q, g.F);
}

/* dK by winners: sums of what they see, or lanes that look them up where that is less work still. */
typedef struct {
    winners_sum sum;
    winners_pick lookup;
    bool looks_up; /* by shape: if the set can */
} dK_winners;

/* dK is made by winners, if that is less work. */
static bool dK_by_winners(const spor_call *c, const conv_work *work, size_t width, int64_t lanes,
                          dK_winners *by) {
    if (!is_pooled(c->attr) || c->attr[DIRECTLY].i) return false;
    by->sum = winners_sum_of(work, c->attr + WINDOW, width, lanes);
    by->lookup = winners_pick_of(work, c->attr + WINDOW, lanes);
    if (!winners_fit(&by->sum.w, work->group, 0)) return false;
    int64_t sums = winners_sum_cost(&work->g, &by->sum), pixels = pixels_cost(work);
    int64_t lookup = winners_pick_cost(work, &by->lookup);
    by->looks_up = winners_pick_fits(&by->lookup) && lookup < sums && lookup < pixels;
    return by->looks_up || sums < pixels;
}

/* dx too: then its work is that of the forward pass. */
static bool dx_by_winners(const spor_call *c, size_t width, int64_t lanes, conv_work *work,
                          winners_spread *by) {
    if (!is_pooled(c->attr) || c->attr[DIRECTLY].i) return false;
    const spor_shape *dx = &c->out.shape, *K = &c->in[1].shape;
    correlation g = forward_correlation(c->attr, dx, K->n[0], K->n[1], K->n[3]);
    conv_work back = dx_work(c);
    *work = work_of(g, dx->n[0], false);
    *by = winners_spread_of(&g, c->attr + WINDOW, width, lanes);
    return winners_spread_pays(work, by, &back);
}

#ifdef SPOR_RULES

#include "written_back.h"

FAST_KERNELS(conv2d_panels);
FAST_KERNELS(conv2d);
FAST_KERNELS(conv2d_dx_panels);
FAST_KERNELS(conv2d_dx);
FAST_KERNELS(conv2d_dK_tables);
FAST_KERNELS(conv2d_dK);
FAST_KERNELS(partial_sum);

extern const spor_op spor_op_correlate2d, spor_op_maxpool2d;

/* Of an op that may be pooled or not. */
enum { PLAIN, POOLED, KINDS };
#define WINDOW_ATTRS "size:int2, step:int2, edge:int4"

/* ---- forward ---- */

/* x[N,H,W,C], K[k,l,C,F], b[F] -> y[N,P,Q,F] */
static bool conv_shape(spor_rule *r) {
    const spor_shape *x = &r->in[0], *K = &r->in[1];
    if (x->rank != 4 || K->rank != 4) return rule_fail(r, "x and K need 4 axes");
    if (x->n[3] != K->n[2]) return rule_fail(r, "x has other channels than K expects");
    if (r->operands > 2 && (r->in[2].rank != 1 || r->in[2].n[0] != K->n[3]))
        return rule_fail(r, "b needs an element for each filter");
    r->out = (spor_shape){4, {x->n[0], 0, 0, K->n[3]}};
    for (int axis = 0; axis < 2; axis++)
        r->out.n[1 + axis] = windows_along(r->attr + WINDOW, axis,
                                           outputs(r->attr, axis, x->n[1 + axis], K->n[axis]));
    return true;
}

static double conv_cost(const spor_shape in[], const spor_shape *out, const spor_attr attr[]) {
    (void)out;
    return correlation_cost(attr, &in[0], &in[1]);
}

static void conv_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    conv_work w = forward_work(c);
    abreast y;
    work_need(w, width, lanes, need);
    if (y_abreast(c, &w, lanes, &y)) {
        need->scratch = abreast_bytes(&w, &y, width, lanes);
        need->way = "samples abreast";
    }
    if (c->attr[TRAINING].i)
        need->saved = bytes_for(shape_size(&c->out.shape), winner_bytes(c->attr + WINDOW));
}

static spor_var conv_vjp(spor_var y, int k, spor_var ybar);

/* z pixel by pixel; with pooling the largest of each window's as soon as they are made, or, where windows share
 * pixels, once the map is there */
static void conv_loops(spor_c *c, const spor_call *call) {
    const spor_attr *window = call->attr + WINDOW;
    correlation g = forward_work(call).g;
    bool pooled = is_pooled(call->attr), whole = pooled && windows_overlap(window);
    bool biased = call->operands > 2, saves = pooled && call->attr[TRAINING].i;
    int64_t N = call->in[0].shape.n[0], made = shape_size(&call->out.shape);
    int64_t map = whole ? g.P * g.Q * g.F : pooled ? g.F : 0;
    if (map + pixel_scratch(&g)) c_want_scratch(c, map + pixel_scratch(&g));
    if (g.apart) c_line(c, "%s *part = scratch + %" PRId64 ";", c_type(c), map);
    if (saves) c_line(c, "unsigned char *winners = out_saved;");
    c_line(c, "for (int n = 0; n < %" PRId64 "; n++) {", N);
    c_line(c, "const %s *sample = x + n * %" PRId64 ";", c_type(c), g.h * g.w * g.C);
    if (pooled && !whole) {
        write_windows(c, window, g.P, g.Q, g.F, saves);
        c_line(c, "%s *y = out + at, *z = i == p0 && j == q0 ? y : scratch;", c_type(c));
        write_pixel(c, &g, biased);
        write_largest(c, "z", g.F, true, saves);
        write_windows_end(c);
    } else {
        c_line(c, "for (int i = 0; i < %" PRId64 "; i++)", g.P);
        c_line(c, "for (int j = 0; j < %" PRId64 "; j++) {", g.Q);
        c_line(c, "%s *z = %s + ((%s * %" PRId64 " + i) * %" PRId64 " + j) * %" PRId64 ";",
               c_type(c), whole ? "scratch" : "out", whole ? "0" : "n", g.P, g.Q, g.F);
        write_pixel(c, &g, biased);
        c_line(c, "}");
    }
    if (whole) {
        c_line(c, "const %s *map = scratch;", c_type(c));
        write_pooling(c, window, g.P, g.Q, g.F, saves);
    }
    c_line(c, "}");
    layer_write_activation(c, call->attr + ACTIVATION, "out", made);
}

static const spor_fused conv_fused = {
    .need = conv_need,
    .phase = {[SPOR_PREPARE] = conv2d_panels_kernels, [SPOR_WORK] = conv2d_kernels},
    .prepares = 1 << 1};

#define CONV_OP(name_, bias_, operands_, equation_)                                                \
    {                                                                                              \
        .signature = name_ "(x[N,H,W,C], K[k,l,C,F]" bias_                                         \
                           "; stride:int2, pad:int4, activation:int, slope:real, " WINDOW_ATTRS    \
                           ", directly:int, training:int)",                                        \
        .equation = equation_, .traits = SPOR_EXACT_ON_INTEGERS, .operands = operands_,            \
        .attrs = FORWARD_SLOTS, .shape = conv_shape, .cost = conv_cost, .vjp = conv_vjp,           \
        .fused = &conv_fused, .c_loops = conv_loops                                                \
    }
/* [kind][biased] */
static const spor_op conv_op[KINDS][2] = {
    {CONV_OP("conv2d", "", 2, "Y = f(K * pad(x))"),
     CONV_OP("conv2d", ", b[F]", 3, "Y = f(K * pad(x) + b)")},
    {CONV_OP("convpool", "", 2, "y = f(maxpool2d(K * pad(x)))"),
     CONV_OP("convpool", ", b[F]", 3, "y = f(maxpool2d(K * pad(x) + b))")}};

/* ---- backward ---- */

/* delta[N,P,Q,F], K[k,l,C,F], y with its winners if pooled -> dx[N,H,W,C] */
static bool dx_shape(spor_rule *r) {
    r->out = (spor_shape){4, {r->in[0].n[0], r->attr[MAP].i, r->attr[MAP + 1].i, r->in[1].n[2]}};
    return true;
}

static double dx_cost(const spor_shape in[], const spor_shape *out, const spor_attr attr[]) {
    return correlation_cost(attr, out, &in[1]);
}

static void dx_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    conv_work w;
    winners_spread by;
    if (dx_by_winners(c, width, lanes, &w, &by))
        winners_spread_need(&w, &by, width, need);
    else
        work_need(dx_work(c), width, lanes, need);
}

static const spor_fused dx_fused = {
    .need = dx_need,
    .phase = {[SPOR_PREPARE] = conv2d_dx_panels_kernels, [SPOR_WORK] = conv2d_dx_kernels},
    .prepares = 1 << 1};

/* Of a sample: delta, routed to its winners first where there is pooling. */
static void write_errors(spor_c *c, const spor_call *call, const int64_t map[3]) {
    const int64_t size = map[0] * map[1] * map[2];
    if (!is_pooled(call->attr)) {
        c_line(c, "const %s *map = delta + n * %" PRId64 ";", c_type(c), size);
        return;
    }
    c_line(c, "%s *map = scratch;", c_type(c));
    write_routing(c, call->attr + WINDOW, map[0], map[1], map[2], "delta");
}

static void dx_loops(spor_c *c, const spor_call *call) {
    conv_work w = dx_work(call);
    const correlation *g = &w.g;
    const int64_t map[] = {g->h, g->w, g->C};
    const int64_t before = w.whole + pixel_scratch(g);
    c_want_scratch(c, before + turned_size(g));
    if (w.whole) c_line(c, "const unsigned char *winners = y_saved;");
    if (g->apart) c_line(c, "%s *part = scratch + %" PRId64 ";", c_type(c), w.whole);
    c_line(c, "%s *turned = scratch + %" PRId64 ";", c_type(c), before);
    write_turned(c, g);
    c_line(c, "for (int n = 0; n < %" PRId64 "; n++) {", w.N);
    c_line(c, "%s *z = out + n * %" PRId64 ";", c_type(c), pixels_of(g) * g->F);
    write_errors(c, call, map);
    write_dx(c, g);
    c_line(c, "}");
}

#define DX_OP(name_, winners_, operands_, traits_, equation_)                                      \
    {                                                                                              \
        .signature = name_ "(delta[N,P,Q,F], K[k,l,C,F]" winners_                                  \
                           "; stride:int2, pad:int4, map:int2, " WINDOW_ATTRS ", directly:int)",   \
        .equation = equation_, .traits = (traits_) | SPOR_EXACT_ON_INTEGERS,                       \
        .operands = operands_, .attrs = BACKWARD_SLOTS, .shape = dx_shape, .cost = dx_cost,        \
        .fused = &dx_fused, .c_loops = dx_loops                                                    \
    }
static const spor_op dx_op[KINDS] = {
    DX_OP("conv2d_dx", "", 2, SPOR_BILINEAR, "dx = rot180(K) * dilated and padded delta"),
    DX_OP("convpool_dx", ", y[*]", 3, 0, "dx = rot180(K) * routed, dilated and padded delta")};

/* x[N,H,W,C], delta[N,P,Q,F], y with its winners if pooled -> dK[k,l,C,F] */
static bool dK_shape(spor_rule *r) {
    r->out =
        (spor_shape){4, {r->attr[CELLS].i, r->attr[CELLS + 1].i, r->in[0].n[3], r->in[1].n[3]}};
    return true;
}

static double dK_cost(const spor_shape in[], const spor_shape *out, const spor_attr attr[]) {
    return correlation_cost(attr, &in[0], out);
}

static void dK_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    conv_work w = dK_work(c);
    dK_winners by;
    if (!dK_by_winners(c, &w, width, lanes, &by)) {
        work_need(w, width, lanes, need);
        return;
    }
    if (by.looks_up && can_look_up(lanes))
        winners_pick_need(&w, &by.lookup, width, lanes, need);
    else
        winners_sum_need(&w, &by.sum, width, lanes, need);
    if (by.looks_up)
        winners_pick_tasks(&w, &by.lookup, width, need);
    else
        winners_sum_tasks(&w, &by.sum, width, need);
}

static const spor_fused dK_fused = {.need = dK_need,
                                    .phase = {[SPOR_PREPARE] = conv2d_dK_tables_kernels,
                                              [SPOR_WORK] = conv2d_dK_kernels,
                                              [SPOR_FINISH] = partial_sum_kernels}};

/* dK of groups of samples, which are added in their order. */
static void dK_loops(spor_c *c, const spor_call *call) {
    conv_work w = dK_work(call);
    const correlation *g = &w.g;
    const int64_t map[] = {g->P, g->Q, g->F}, size = depth_of(g) * g->F;
    const int64_t maps = g->apart ? carve_times(w.group, w.whole) : w.whole;
    const bool several = w.group < w.N;
    const int64_t part = g->apart ? g->C * g->F : several ? size : 0;
    if (maps + part) c_want_scratch(c, maps + part);
    if (w.whole) c_line(c, "const unsigned char *winners = y_saved;");
    if (part) c_line(c, "%s *part = scratch + %" PRId64 ";", c_type(c), maps);
    if (g->apart) c_line(c, "net_fill(out, 0, %" PRId64 ");", size);
    c_line(c, "for (int first = 0; first < %" PRId64 "; first += %" PRId64 ") {", w.N, w.group);
    c_line(c,
           "const int end = first + %" PRId64 " < %" PRId64 " ? first + %" PRId64 " : %" PRId64 ";",
           w.group, w.N, w.group, w.N);
    if (!g->apart) {
        c_line(c, "%s *sum = %s;", c_type(c), several ? "first ? part : out" : "out");
        c_line(c, "net_fill(sum, 0, %" PRId64 ");", size);
        c_line(c, "for (int n = first; n < end; n++) {");
        write_errors(c, call, map);
        write_dK(c, g);
        c_line(c, "}");
        if (several)
            c_line(c, "for (int k = 0; first && k < %" PRId64 "; k++) out[k] = part[k] + out[k];",
                   size);
    } else {
        if (w.whole) {
            c_line(c, "for (int n = first; n < end; n++) {");
            c_line(c, "%s *map = scratch + (n - first) * %" PRId64 ";", c_type(c), w.whole);
            write_routing(c, call->attr + WINDOW, map[0], map[1], map[2], "delta");
            c_line(c, "}");
            c_line(c, "const %s *maps = scratch;", c_type(c));
        } else {
            c_line(c, "const %s *maps = delta + first * %" PRId64 ";", c_type(c),
                   pixels_of(g) * g->F);
        }
        write_dK_apart(c, g);
    }
    c_line(c, "}");
}

#define DK_OP(name_, winners_, operands_, traits_, equation_)                                      \
    {                                                                                              \
        .signature = name_ "(x[N,H,W,C], delta[N,P,Q,F]" winners_                                  \
                           "; stride:int2, pad:int4, cells:int2, " WINDOW_ATTRS ", directly:int)", \
        .equation = equation_, .traits = (traits_) | SPOR_MIXES_SAMPLES | SPOR_EXACT_ON_INTEGERS,  \
        .operands = operands_, .attrs = BACKWARD_SLOTS, .shape = dK_shape, .cost = dK_cost,        \
        .fused = &dK_fused, .c_loops = dK_loops                                                    \
    }
static const spor_op dK_op[KINDS] = {
    DK_OP("conv2d_dK", "", 2, SPOR_BILINEAR, "dK = delta * pad(x), summed over samples"),
    DK_OP("convpool_dK", ", y[*]", 3, 0, "dK = routed delta * pad(x), summed over samples")};

/* y's attributes with two sizes of the backward op's own in place of the activation. */
static spor_var record_backward(const spor_op op[KINDS], spor_var a, spor_var b, spor_var y,
                                int64_t first, int64_t second) {
    spor_attr attr[BACKWARD_SLOTS];
    for (int k = 0; k < BACKWARD_SLOTS; k++) attr[k] = op_attrs(y)[k];
    attr[SHARED].i = first;
    attr[SHARED + 1].i = second;
    return op_record(&op[is_pooled(attr) ? POOLED : PLAIN], (spor_var[]){a, b, y}, attr);
}

static spor_var conv_vjp(spor_var y, int k, spor_var ybar) {
    spor_var delta = layer_delta(y, op_attrs(y) + ACTIVATION, ybar);
    spor_var x = op_operand(y, 0), K = op_operand(y, 1);
    spor_shape map = spor_shape_of(x), cells = spor_shape_of(K);
    switch (k) {
    case 0:
        return record_backward(dx_op, delta, K, y, map.n[1], map.n[2]);
    case 1:
        return record_backward(dK_op, x, delta, y, cells.n[0], cells.n[1]);
    default:
        return layer_bias_gradient(delta);
    }
}

/* ---- the match ---- */

/* The layer that ends in root, no pooling behind it; last: what made the root. */
static bool match_layer(spor_match *m, spor_var root, int kind, const spor_op **last) {
    spor_layer layer;
    int64_t axes = SPOR_AXIS(0) | SPOR_AXIS(1) | SPOR_AXIS(2);
    if (!layer_match(m, root, &spor_op_correlate2d, axes, &layer)) return false;
    for (int axis = 0; axis < 2; axis++) m->attr[STRIDE + axis] = op_attrs(layer.z)[STRIDE + axis];
    m->in[0] = op_operand(layer.z, 0);
    correlation_take_pad(m, 1);
    m->in[1] = op_operand(layer.z, 1);
    m->in[2] = layer.b;
    m->attr[DIRECTLY].i = m->rowwise || m->portable;
    m->attr[ACTIVATION + ACT] = layer.activation;
    m->attr[ACTIVATION + ACT_SLOPE] = layer.slope;
    for (int axis = 0; axis < 2; axis++)
        m->attr[WINDOW + WINDOW_SIZE + axis].i = m->attr[WINDOW + WINDOW_STRIDE + axis].i = 1;
    m->op = &conv_op[kind][layer.b.id != 0];
    *last = layer.last;
    return true;
}

static bool match_conv(spor_match *m, spor_var root) {
    const spor_op *last;
    return match_layer(m, root, PLAIN, &last);
}

static bool match_convpool(spor_match *m, spor_var root) {
    if (!match_made_by(root, &spor_op_maxpool2d)) return false;
    spor_var a = op_operand(root, 0);
    const spor_op *last;
    if (!match_layer(m, a, POOLED, &last)) return false;
    if (!layer_take(m, a, last, "the map that is pooled")) return false;
    for (int k = 0; k < WINDOW_SLOTS; k++) m->attr[WINDOW + k] = op_attrs(root)[k];
    if (m->portable && m->training && winner_bytes(m->attr + WINDOW) > 1) return false;
    if (!is_countable(m->attr + WINDOW))
        return match_refuse(m, "a window has more cells than a saved winner can count");
    m->attr[TRAINING].i = m->training;
    return true;
}

/* ---- samples ---- */

/* Sizes of x and K, strides, pads, then LAYER_CHOICES. Kernels of one row and whole images, strides
 * with remainders and beyond the kernel, pads of one side and beyond k - 1, where delta~ is cropped;
 * filters around the widths of vectors. */
#define CONV_CHOICES                                                                               \
    CHOICE("N", 1, 1, 2, 3, 5), CHOICE("H", 1, 1, 2, 3, 4, 5, 6, 7),                               \
        CHOICE("W", 1, 1, 2, 3, 4, 5, 6, 9), CHOICE("C", 1, 1, 2, 3, 4, 5, 8, 16, 17),             \
        CHOICE("k", 1, 2, 3, 4, 5), CHOICE("l", 1, 2, 3, 4),                                       \
        CHOICE("F", 1, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 20, 32, 33),                               \
        CHOICE("stride along the height", 1, 1, 2, 3, 4, INT64_MAX),                               \
        CHOICE("stride along the width", 1, 1, 2, 3, 4, INT64_MAX),                                \
        CHOICE("pad at the top", 0, 0, 0, 1, 2, 3, 4),                                             \
        CHOICE("pad at the bottom", 0, 0, 0, 1, 2, 3, 4),                                          \
        CHOICE("pad at the left", 0, 0, 0, 1, 2, 3, 4),                                            \
        CHOICE("pad at the right", 0, 0, 0, 1, 2, 3, 4), LAYER_CHOICES
enum { CHOSEN_STRIDE = 7, CHOSEN_PAD = 9, CHOSEN_LAYER = 13, CHOSEN_WINDOW = 15 };

static const spor_choice choices[] = {CONV_CHOICES, {.name = NULL}};
static const spor_choice pooled_choices[] = {CONV_CHOICES, POOLING_CHOICES, {.name = NULL}};

/* The map that the correlation reads, and z of it */
static spor_var record_padded(spor_sketch *r, spor_var x) {
    const int64_t *pad = r->number + CHOSEN_PAD;
    const int64_t lo[] = {0, pad[0], pad[2], 0}, hi[] = {0, pad[1], pad[3], 0};
    return pad[0] + pad[1] + pad[2] + pad[3] > 0 ? spor_pad(x, lo, hi, 0) : x;
}
static spor_var record_z(spor_sketch *r, spor_var *x, spor_var *K) {
    const int64_t *n = r->number, *stride = n + CHOSEN_STRIDE;
    *x = sketch_operand(r, "x", SPOR_SHAPE(n[0], n[1], n[2], n[3]));
    *K = sketch_operand(r, "K", SPOR_SHAPE(n[4], n[5], n[3], n[6]));
    return spor_correlate2d(record_padded(r, *x), *K, stride[0], stride[1]);
}

static spor_var record_bias(spor_sketch *r, spor_var z, const int64_t how[2]) {
    return layer_record(r, z, SPOR_AXIS(0) | SPOR_AXIS(1) | SPOR_AXIS(2), how);
}

static spor_var record_conv(spor_sketch *r) {
    spor_var x, K, z = record_z(r, &x, &K);
    return record_bias(r, z, r->number + CHOSEN_LAYER);
}

static spor_var record_convpool(spor_sketch *r) {
    return pooling_record(record_conv(r), r->number + CHOSEN_WINDOW);
}

/* Which of y, dx, dK Winograd's way computes. */
typedef struct {
    bool y, dx, dK;
} by_tiles;

static by_tiles by_tiles_of(const int64_t n[], bool pooled) {
    const conv_algorithm *tiles = &conv_algorithms[WINOGRAD];
    spor_attr attr[FORWARD_SLOTS] = {0};
    for (int k = 0; k < 2; k++) attr[STRIDE + k].i = n[CHOSEN_STRIDE + k];
    for (int k = 0; k < 4; k++) attr[TOP + k].i = n[CHOSEN_PAD + k];
    for (int k = 0; k < WINDOW_SLOTS; k++)
        attr[WINDOW + k].i = pooled ? n[CHOSEN_WINDOW + k] : k < WINDOW_PAD;
    spor_arg in[] = {{.shape = SPOR_SHAPE(n[0], n[1], n[2], n[3])},
                     {.shape = SPOR_SHAPE(n[4], n[5], n[3], n[6])}};
    spor_call x = {.in = in, .out = in[0], .attr = attr},
              K = {.in = in, .out = in[1], .attr = attr};
    conv_work forward = forward_work(&x), dx = dx_work(&x), dK = dK_work(&K), spread;
    winners_spread to;
    dK_winners sum;
    return (by_tiles){forward.by == tiles,
                      dx.by == tiles && !dx_by_winners(&x, sizeof(float), COST_LANES, &spread, &to),
                      dK.by == tiles && !dK_by_winners(&K, &dK, sizeof(float), COST_LANES, &sum)};
}

/* y, dx, dK, db by the ways that are taken. f behind the pooling, so that f' meets each dy before the
 * windows that share a winner add up. */
static bool record_ways(spor_sketch *r, spor_var dy, bool pooled, spor_var out[]) {
    const int64_t *n = r->number, linear[] = {n[CHOSEN_LAYER], SPOR_ACTIVATION_none};
    by_tiles by = by_tiles_of(n, pooled);
    if (!by.y && !by.dx && !by.dK && !pooled) return false;
    spor_var x, K, direct = record_z(r, &x, &K), tiles = direct, z, delta;
    if (by.y || by.dK) tiles = winograd_record(record_padded(r, x), K);
    z = by.y ? tiles : direct;
    spor_var a = record_bias(r, z, linear);
    if (pooled) a = pooling_record(a, n + CHOSEN_WINDOW);
    out[0] = layer_activate(a, n[CHOSEN_LAYER + 1]);
    spor_vjp(out[0], dy, r->operands, r->operand, out + 1);
    spor_vjp(out[0], dy, 1, &z, &delta);
    if (by.dx)
        out[1] = winograd_record_dx(n + CHOSEN_PAD, delta, K);
    else
        spor_vjp(direct, delta, 1, &x, out + 1);
    spor_vjp(by.dK ? tiles : direct, delta, 1, &K, out + 2);
    return true;
}

static bool conv_derivation(spor_sketch *r, spor_var dy, spor_var out[]) {
    return record_ways(r, dy, false, out);
}
static bool convpool_derivation(spor_sketch *r, spor_var dy, spor_var out[]) {
    return record_ways(r, dy, true, out);
}

static spor_var record_vast(spor_sketch *r) {
    return pooling_record_vast(record_conv(r));
}

/* Maps of the report's networks, one sample or two: many tiles and panels, groups that end early. */
static const int64_t samples[][SPOR_CHOICES] = {
    {2, 7, 6, 3, 3, 2, 5, 2, 1, 1, 1, 0, 1, BIAS_BEHIND, SPOR_ACTIVATION_tanh},
    {1, 4, 9, 2, 1, 3, 4, 3, 4, 0, 0, 2, 0, BIAS_BEFORE, SPOR_ACTIVATION_leaky_relu},
    {3, 2, 3, 1, 2, 3, 2, 1, 1, 3, 4, 4, 3, NO_BIAS, SPOR_ACTIVATION_none},
    {15, 8, 8, 1, 3, 3, 3, 1, 1, 1, 1, 1, 1, BIAS_BEHIND, SPOR_ACTIVATION_none},
    {2, 28, 28, 1, 3, 3, 20, 1, 1, 0, 0, 0, 0, BIAS_BEHIND, SPOR_ACTIVATION_tanh},
    {2, 13, 13, 20, 3, 3, 20, 1, 1, 0, 0, 0, 0, BIAS_BEHIND, SPOR_ACTIVATION_sigmoid},
    {1, 16, 16, 32, 3, 3, 32, 1, 1, 1, 1, 1, 1, BIAS_BEHIND, SPOR_ACTIVATION_relu},
    {3, 4, 4, 64, 3, 3, 120, 1, 1, 1, 1, 1, 1, BIAS_BEHIND, SPOR_ACTIVATION_leaky_relu},
    {5, 1, 1, 128, 3, 3, 128, 1, 1, 1, 1, 1, 1, BIAS_BEHIND, SPOR_ACTIVATION_none},
    {5, 9, 8, 30, 3, 3, 25, 1, 1, 1, 0, 0, 1, BIAS_BEHIND, SPOR_ACTIVATION_none},
    {6, 10, 9, 31, 3, 3, 21, 1, 1, 0, 0, 0, 0, NO_BIAS, SPOR_ACTIVATION_none},
    {0}};

static const int64_t pooled_samples[][SPOR_CHOICES] = {
    {2, 7, 6, 3, 3, 2, 5, 1, 1, 1, 1, 0, 1, BIAS_BEHIND, SPOR_ACTIVATION_none, 2, 2, 2, 2},
    {1, 5, 9, 2, 2, 3, 4, 1, 2, 0, 1, 2, 0, BIAS_BEFORE, SPOR_ACTIVATION_relu, 2, 3, 1, 2, 1},
    {5, 6, 7, 2, 1, 1, 17, 1, 1, 0, 0, 0, 0, NO_BIAS, SPOR_ACTIVATION_tanh, 3, 3, 2, 2, 1, 0, 0, 2},
    {15, 8, 8, 1, 3, 3, 3, 1, 1, 1, 1, 1, 1, BIAS_BEHIND, SPOR_ACTIVATION_none, 2, 2, 2, 2},
    {2, 28, 28, 1, 3, 3, 20, 1, 1, 0, 0, 0, 0, BIAS_BEHIND, SPOR_ACTIVATION_tanh, 2, 2, 2, 2},
    {2, 13, 13, 20, 3, 3, 20, 1, 1, 0, 0, 0, 0, BIAS_BEHIND, SPOR_ACTIVATION_sigmoid, 2, 2, 2, 2},
    {1, 16, 16, 32, 3, 3, 32, 1, 1, 1, 1, 1, 1, BIAS_BEHIND, SPOR_ACTIVATION_relu, 2, 2, 2, 2},
    {3, 4, 4, 64, 3, 3, 120, 1, 1, 1, 1, 1, 1, BIAS_BEHIND, SPOR_ACTIVATION_leaky_relu, 2, 2, 2, 2},
    {5, 1, 2, 64, 3, 3, 40, 1, 1, 1, 1, 1, 1, BIAS_BEHIND, SPOR_ACTIVATION_relu, 2, 2, 2, 2, 0, 1},
    {17, 9, 8, 2, 3, 3, 7, 1, 1, 0, 0, 0, 0, BIAS_BEHIND, SPOR_ACTIVATION_tanh, 3, 2, 2, 2, 1, 0},
    {5, 9, 8, 30, 3, 3, 25, 1, 1, 1, 0, 0, 1, BIAS_BEHIND, SPOR_ACTIVATION_none, 2, 2, 2, 2},
    {6, 10, 9, 31, 3, 3, 21, 1, 1, 0, 0, 0, 0, NO_BIAS, SPOR_ACTIVATION_relu,
     3, 2,  2, 1,  0, 1, 1,  0},
    {0}};

static const spor_refusal refusals[] = {{.why = NULL}};
static const spor_refusal pooled_refusals[] = {
    {record_vast, "a window has more cells than a saved winner can count"}, {.why = NULL}};

extern const spor_fast spor_fast_conv2d, spor_fast_convpool;
const spor_fast spor_fast_conv2d = {
    .name = "conv2d",
    .pattern = "act(correlate2d(pad(x), K) + b)",
    .equations = "Eqs. (42)-(45)",
    .match = match_conv,
    .choices = choices,
    .record = record_conv,
    .samples = samples,
    .derivation = conv_derivation,
    .refusals = refusals,
};
const spor_fast spor_fast_convpool = {
    .name = "convpool",
    .pattern = "maxpool2d(act(correlate2d(pad(x), K) + b))",
    .equations = "Eqs. (42)-(45), (82)-(86)",
    .match = match_convpool,
    .choices = pooled_choices,
    .record = record_convpool,
    .samples = pooled_samples,
    .derivation = convpool_derivation,
    .refusals = pooled_refusals,
};

#else

/* ---- forward ---- */

FAST_KERNEL(conv2d_panels) {
    conv_work w = forward_work(c);
    abreast y;
    if (!y_abreast(c, &w, LANES, &y)) prepare_part(c, task, &w, c->in[1].data, false);
}

/* y and its winners of count samples from their maps z, from element at of y on */
static void pool_group(const spor_call *c, const correlation *g, const T *z, int64_t count,
                       int64_t at) {
    maps p = maps_of(c->attr + WINDOW, g->P, g->Q, g->F);
    void *saved = c->attr[TRAINING].i ? c->out.saved : NULL;
    for (int64_t n = 0; n < count; n++, z += p.H * p.W * p.C, at += p.P * p.Q * p.C)
        pool_sample(&p, z, c->out.data, saved, at);
}

/* f of count samples from sample n on */
static void activate(const spor_call *c, int64_t n, int64_t count) {
    const spor_activation *f = &spor_activations[c->attr[ACTIVATION + ACT].i];
    int64_t made = shape_size(&c->out.shape) / c->out.shape.n[0];
    if (f->apply)
        f->apply((T *)c->out.data + n * made, count * made, (T)c->attr[ACTIVATION + ACT_SLOPE].r);
}

/* Eq. (42) with its f and the pooling, a group of samples at a time */
static void forward_by_product(const spor_call *c, int64_t task, const conv_work *w) {
    conv_arrays a;
    task_part samples = begin_samples(c, task, w, &a);
    const T *x = c->in[0].data, *b = c->operands > 2 ? c->in[2].data : NULL;
    int64_t sample = w->g.h * w->g.w * w->g.C, made = shape_size(&c->out.shape) / w->N;
    for (int64_t n = samples.first, count; n < samples.end; n += count) {
        count = carve_least(w->group, samples.end - n);
        T *z = w->whole ? a.whole : (T *)c->out.data + n * made;
        w->by->correlate(w, &a, x + n * sample, count, c->in[1].data, false, b, z);
        if (w->whole) pool_group(c, &w->g, z, count, n * made);
        activate(c, n, count);
    }
}

static void forward_abreast(const spor_call *c, int64_t task, const conv_work *w,
                            const abreast *y) {
    abreast_arrays a;
    maps p = maps_of(c->attr + WINDOW, w->g.P, w->g.Q, 1);
    task_part samples = abreast_begin(c, task, w, y, &a);
    for (int64_t n = samples.first, count; n < samples.end; n += count) {
        count = carve_least(LANES, samples.end - n);
        abreast_samples(c, w, y, &a, &p, n, count);
        activate(c, n, count);
    }
}

FAST_KERNEL(conv2d) {
    conv_work w = forward_work(c);
    abreast y;
    if (y_abreast(c, &w, LANES, &y))
        forward_abreast(c, task, &w, &y);
    else
        forward_by_product(c, task, &w);
}

/* ---- backward ---- */

FAST_KERNEL(conv2d_dx_panels) {
    conv_work w;
    winners_spread by;
    if (dx_by_winners(c, sizeof(T), LANES, &w, &by)) {
        winners_spread_prepare(c, task, &w, &by);
        return;
    }
    w = dx_work(c);
    prepare_part(c, task, &w, c->in[1].data, true);
}

/* delta of samples n .. n + count - 1, maps of H x W x C: operand k as it lies, or routed to its
 * winners */
static const T *delta_of(const spor_call *c, int k, const conv_work *w, T *whole, maps p, int64_t n,
                         int64_t count) {
    const T *delta = c->in[k].data;
    if (!w->whole) return delta + n * p.H * p.W * p.C;
    for (int64_t s = 0; s < count; s++)
        route_sample(&p, whole + s * w->whole, delta, c->in[2].saved, (n + s) * p.P * p.Q * p.C);
    return whole;
}

/* Eq. (43) with its tilde */
FAST_KERNEL(conv2d_dx) {
    conv_work w;
    winners_spread by;
    if (dx_by_winners(c, sizeof(T), LANES, &w, &by)) {
        winners_spread_dx(c, task, &w, &by);
        return;
    }
    w = dx_work(c);
    conv_arrays a;
    task_part samples = begin_samples(c, task, &w, &a);
    maps p = maps_of(c->attr + WINDOW, w.g.h, w.g.w, w.g.C);
    int64_t map = pixels_of(&w.g) * w.g.F;
    for (int64_t n = samples.first, count; n < samples.end; n += count) {
        count = carve_least(w.group, samples.end - n);
        const T *delta = delta_of(c, 0, &w, a.whole, p, n, count);
        w.by->correlate(&w, &a, delta, count, c->in[1].data, true, NULL,
                        (T *)c->out.data + n * map);
    }
}

FAST_KERNEL(conv2d_dK_tables) {
    conv_work w = dK_work(c);
    dK_winners by;
    if (!dK_by_winners(c, &w, sizeof(T), LANES, &by))
        prepare_part(c, task, &w, NULL, false);
    else if (by.looks_up && can_look_up(LANES))
        winners_pick_prepare(c, &w, &by.lookup);
    else
        winners_sum_prepare(c, &w, &by.sum);
}

/* Eq. (44): a task's groups of samples are added in their order */
FAST_KERNEL(conv2d_dK) {
    conv_work w = dK_work(c);
    conv_arrays a;
    dK_winners by;
    if (dK_by_winners(c, &w, sizeof(T), LANES, &by)) {
        if (by.looks_up && can_look_up(LANES))
            winners_pick_dK(c, task, &w, &by.lookup);
        else
            winners_sum_dK(c, task, &w, &by.sum);
        return;
    }
    task_part samples = begin_samples(c, task, &w, &a);
    maps p = maps_of(c->attr + WINDOW, w.g.P, w.g.Q, w.g.F);
    const T *x = c->in[0].data;
    T *dK = task_result(c, task);
    int64_t sample = w.g.h * w.g.w * w.g.C;
    for (int64_t n = samples.first, count; n < samples.end; n += count) {
        count = carve_least(w.group, samples.end - n);
        const T *delta = delta_of(c, 1, &w, a.whole, p, n, count);
        w.by->add(&w, &a, x + n * sample, count, delta, dK, n > samples.first);
    }
    w.by->finish(&w, &a, dK);
}

#endif
