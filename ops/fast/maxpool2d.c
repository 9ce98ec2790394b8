/*
 * Max-pooling: the report's section on pooling, Eqs. (82)-(86) for the sizes.
 *
 * Pattern     y = maxpool2d(x)
 * Forward     y[n,i,j,c] = largest of x over window (i, j); cells of the padding are no values (the
 *             report pads with zeros, which then win over negative maps); the first maximum in
 *             row-major order wins
 * Backward    dx = dy at the winners, 0 elsewhere; windows that overlap add up
 * Saved       the winner's number inside its window, u w + v, when a backward pass will follow: one
 *             byte, or four if windows have more than 256 cells
 * Exact       always: nothing but comparisons forward and sums of few terms backward
 */
#include "pooling.h"

/* After the window: whether winners are saved; or the sizes of the map they came from. */
enum { TRAINING = WINDOW_SLOTS, HEIGHT = WINDOW_SLOTS, WIDTH };

#ifdef SPOR_RULES

#include "written.h"

FAST_KERNELS(maxpool2d);
FAST_KERNELS(maxpool2d_dx);

extern const spor_op spor_op_maxpool2d;

/* Tasks are samples: the larger one of the maps is x or dx. */
static void samples_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    (void)width, (void)lanes;
    int64_t N = c->out.shape.n[0],
            most = carve_most(shape_size(&c->in[0].shape), shape_size(&c->out.shape));
    need->tasks[SPOR_WORK] = tasks_for(need, N, carve_times(most / N, COST_MOVED), 0);
}

/* x[N,H,W,C] -> y[N,P,Q,C] */
static bool pool_shape(spor_rule *r) {
    if (r->in[0].rank != 4) return rule_fail(r, "x needs 4 axes");
    r->out = r->in[0];
    for (int axis = 0; axis < 2; axis++)
        r->out.n[1 + axis] = windows_along(r->attr, axis, r->in[0].n[1 + axis]);
    return true;
}

static void pool_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    samples_need(c, width, lanes, need);
    if (c->attr[TRAINING].i)
        need->saved = bytes_for(shape_size(&c->out.shape), winner_bytes(c->attr));
}

/* y, dy[N,P,Q,C] -> dx[N,H,W,C] */
static bool pool_dx_shape(spor_rule *r) {
    r->out = r->in[1];
    r->out.n[1] = r->attr[HEIGHT].i;
    r->out.n[2] = r->attr[WIDTH].i;
    return true;
}

static const spor_fused pool_dx_fused = {.need = samples_need,
                                         .phase = {[SPOR_WORK] = maxpool2d_dx_kernels}};

static void pool_dx_loops(spor_c *c, const spor_call *call) {
    const int64_t *n = call->out.shape.n;
    c_line(c, "const unsigned char *winners = y_saved;");
    c_line(c, "for (int n = 0; n < %" PRId64 "; n++) {", n[0]);
    c_line(c, "%s *map = out + n * %" PRId64 ";", c_type(c), n[1] * n[2] * n[3]);
    write_routing(c, call->attr, n[1], n[2], n[3], "dy");
    c_line(c, "}");
}

static const spor_op pool_dx_op = {
    .signature =
        "maxpool2d_dx(y[N,P,Q,C], dy[N,P,Q,C]; size:int2, stride:int2, pad:int4, map:int2)",
    .equation = "dx = dy at the winners, else 0",
    .traits = SPOR_EXACT_ON_INTEGERS,
    .operands = 2,
    .attrs = WINDOW_SLOTS + 2,
    .shape = pool_dx_shape,
    .fused = &pool_dx_fused,
    .c_loops = pool_dx_loops,
};

static spor_var pool_vjp(spor_var y, int k, spor_var ybar) {
    (void)k;
    spor_attr attr[WINDOW_SLOTS + 2];
    spor_shape x = spor_shape_of(op_operand(y, 0));
    for (int a = 0; a < WINDOW_SLOTS; a++) attr[a] = op_attrs(y)[a];
    attr[HEIGHT].i = x.n[1];
    attr[WIDTH].i = x.n[2];
    return op_record(&pool_dx_op, (spor_var[]){y, ybar}, attr);
}

static const spor_fused pool_fused = {.need = pool_need,
                                      .phase = {[SPOR_WORK] = maxpool2d_kernels}};

static void pool_loops(spor_c *c, const spor_call *call) {
    const int64_t *n = call->in[0].shape.n;
    const bool saves = call->attr[TRAINING].i;
    if (saves) c_line(c, "unsigned char *winners = out_saved;");
    c_line(c, "for (int n = 0; n < %" PRId64 "; n++) {", n[0]);
    c_line(c, "const %s *map = x + n * %" PRId64 ";", c_type(c), n[1] * n[2] * n[3]);
    write_pooling(c, call->attr, n[1], n[2], n[3], saves);
    c_line(c, "}");
}

static const spor_op pool_op = {
    .signature = "maxpool2d(x[N,H,W,C]; size:int2, stride:int2, pad:int4, training:int)",
    .equation = "y[n,i,j,c] = max x over window (i, j)",
    .traits = SPOR_KINKED | SPOR_EXACT_ON_INTEGERS,
    .operands = 1,
    .attrs = WINDOW_SLOTS + 1,
    .shape = pool_shape,
    .vjp = pool_vjp,
    .fused = &pool_fused,
    .c_loops = pool_loops,
};

static bool match_pool(spor_match *m, spor_var root) {
    if (!match_made_by(root, &spor_op_maxpool2d)) return false;
    m->op = &pool_op;
    m->in[0] = op_operand(root, 0);
    for (int a = 0; a < WINDOW_SLOTS; a++) m->attr[a] = op_attrs(root)[a];
    if (!is_countable(m->attr))
        return match_refuse(m, "a window has more cells than a saved winner can count");
    m->attr[TRAINING].i = m->training;
    return !m->portable || !m->training || winner_bytes(m->attr) == 1;
}

/* ---- samples ---- */

static const spor_choice choices[] = {
    CHOICE("N", 1, 2, 3),
    CHOICE("H", 1, 2, 3, 4, 5, 6, 7, 8),
    CHOICE("W", 1, 2, 3, 4, 5, 6, 7, 9),
    CHOICE("C", 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 20, 31, 32, 33),
    POOLING_CHOICES,
    {.name = NULL}};

static spor_var record_map(spor_sketch *r) {
    const int64_t *n = r->number;
    return sketch_operand(r, "x", SPOR_SHAPE(n[0], n[1], n[2], n[3]));
}

static spor_var record_pool(spor_sketch *r) {
    return pooling_record(record_map(r), r->number + 4);
}

/* A winner's number takes four bytes where a window has more than 256 cells. */
static const int64_t samples[][SPOR_CHOICES] = {{2, 6, 4, 3, 2, 2, 2, 2},
                                                {2, 5, 7, 5, 3, 2, 2, 3, 1, 0, 0, 1},
                                                {1, 8, 9, 33, 3, 3, 1, 2, 1, 1, 2, 1},
                                                {2, 16, 16, 3, 16, 16, 16, 16},
                                                {1, 18, 17, 17, 17, 16, 1, 1},
                                                {1, 20, 34, 5, 9, 33, 4, 2, 8, 7, 20, 32},
                                                {0}};

static bool takes_nan(const int64_t number[]) {
    (void)number;
    return true;
}

static spor_var record_vast(spor_sketch *r) {
    return pooling_record_vast(record_map(r));
}

static const spor_refusal refusals[] = {
    {record_vast, "a window has more cells than a saved winner can count"}, {.why = NULL}};

extern const spor_fast spor_fast_maxpool2d;
const spor_fast spor_fast_maxpool2d = {
    .name = "maxpool2d",
    .pattern = "maxpool2d(x)",
    .equations = "Eqs. (82)-(86)",
    .match = match_pool,
    .choices = choices,
    .record = record_pool,
    .samples = samples,
    .takes_nan = takes_nan,
    .refusals = refusals,
};

#else

FAST_KERNEL(maxpool2d) {
    const spor_shape *x = &c->in[0].shape;
    maps g = maps_of(c->attr, x->n[1], x->n[2], x->n[3]);
    void *saved = c->attr[TRAINING].i ? c->out.saved : NULL;
    task_part part = task_part_of(c, SPOR_WORK, task, x->n[0]);
    for (int64_t n = part.first; n < part.end; n++)
        pool_sample(&g, (const T *)c->in[0].data + n * g.H * g.W * g.C, c->out.data, saved,
                    n * g.P * g.Q * g.C);
}

FAST_KERNEL(maxpool2d_dx) {
    const spor_shape *x = &c->out.shape;
    maps g = maps_of(c->attr, x->n[1], x->n[2], x->n[3]);
    task_part part = task_part_of(c, SPOR_WORK, task, x->n[0]);
    for (int64_t n = part.first; n < part.end; n++)
        route_sample(&g, (T *)c->out.data + n * g.H * g.W * g.C, c->in[1].data, c->in[0].saved,
                     n * g.P * g.Q * g.C);
}

#endif
