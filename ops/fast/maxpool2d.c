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
#include "program/fast.h"
#include "kernels/carve.h"

/* Attributes: height, width; strides; top, bottom, left, right; then training. */
enum { SIZE = 0, STRIDE = 2, PAD = 4, WINDOW_SLOTS = 8, TRAINING = 8, HEIGHT = 8, WIDTH = 9 };

/* Bytes of a winner's number. */
static size_t winner_bytes(const spor_attr *attr) {
    return spor_times(attr[SIZE].i, attr[SIZE + 1].i) <= 256 ? 1 : 4;
}

#ifdef SPOR_RULES

FAST_KERNELS(maxpool2d);
FAST_KERNELS(maxpool2d_dx);

extern const spor_op spor_op_maxpool2d;

/* Eq. (86) with the pads made explicit */
static int64_t windows(const spor_attr *attr, int axis, int64_t cells) {
    int64_t padded = cells + attr[PAD + 2 * axis].i + attr[PAD + 2 * axis + 1].i;
    return 1 + (padded - attr[SIZE + axis].i) / attr[STRIDE + axis].i;
}

/* x[N,H,W,C] -> y[N,P,Q,C] */
static bool pool_shape(spor_rule *r) {
    if (r->in[0].rank != 4) return spor_fail(r, "x needs 4 axes");
    r->out = r->in[0];
    for (int axis = 0; axis < 2; axis++)
        r->out.n[1 + axis] = windows(r->attr, axis, r->in[0].n[1 + axis]);
    return true;
}

static void pool_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    (void)width, (void)lanes;
    if (c->attr[TRAINING].i) need->saved = (size_t)spor_size(&c->out.shape) * winner_bytes(c->attr);
}

/* y, dy[N,P,Q,C] -> dx[N,H,W,C] */
static bool pool_dx_shape(spor_rule *r) {
    r->out = r->in[1];
    r->out.n[1] = r->attr[HEIGHT].i;
    r->out.n[2] = r->attr[WIDTH].i;
    return true;
}

static const spor_fused pool_dx_fused = {.kernel = maxpool2d_dx_kernels};

static const spor_op pool_dx_op = {
    .signature =
        "maxpool2d_dx(y[N,P,Q,C], dy[N,P,Q,C]; size:int2, stride:int2, pad:int4, map:int2)",
    .equation = "dx = dy at the winners, else 0",
    .traits = SPOR_EXACT_ON_INTEGERS,
    .operands = 2,
    .attrs = WINDOW_SLOTS + 2,
    .shape = pool_dx_shape,
    .fused = &pool_dx_fused,
};

static spor_var pool_vjp(spor_var y, int k, spor_var ybar) {
    (void)k;
    spor_attr attr[WINDOW_SLOTS + 2];
    spor_shape x = spor_shape_of(spor_operand(y, 0));
    for (int a = 0; a < WINDOW_SLOTS; a++) attr[a] = spor_attrs(y)[a];
    attr[HEIGHT].i = x.n[1];
    attr[WIDTH].i = x.n[2];
    return spor_record(&pool_dx_op, (spor_var[]){y, ybar}, attr);
}

static const spor_fused pool_fused = {.need = pool_need, .kernel = maxpool2d_kernels};

static const spor_op pool_op = {
    .signature = "maxpool2d(x[N,H,W,C]; size:int2, stride:int2, pad:int4, training:int)",
    .equation = "y[n,i,j,c] = max x over window (i, j)",
    .traits = SPOR_KINKED | SPOR_EXACT_ON_INTEGERS,
    .operands = 1,
    .attrs = WINDOW_SLOTS + 1,
    .shape = pool_shape,
    .vjp = pool_vjp,
    .fused = &pool_fused,
};

static bool match_pool(spor_match *m, spor_var root) {
    if (!spor_made_by(root, &spor_op_maxpool2d)) return false;
    m->op = &pool_op;
    m->in[0] = spor_operand(root, 0);
    for (int a = 0; a < WINDOW_SLOTS; a++) m->attr[a] = spor_attrs(root)[a];
    if (spor_times(m->attr[SIZE].i, m->attr[SIZE + 1].i) > INT32_MAX)
        return spor_refuse(m, "a window has more cells than a saved winner can count");
    m->attr[TRAINING].i = m->training;
    return true;
}

extern const spor_fast spor_fast_maxpool2d;
const spor_fast spor_fast_maxpool2d = {
    .name = "maxpool2d",
    .pattern = "maxpool2d(x)",
    .equations = "Eqs. (82)-(86)",
    .match = match_pool,
};

#else

#include "kernels/simd.h"

/* The cells of one window inside its map: rows a .. a_end - 1, columns b .. b_end - 1, and its own
 * corner (top, left), which may lie in the padding. */
typedef struct {
    int64_t top, left, a, a_end, b, b_end;
} window;

/* What both kernels walk over: the maps of N samples, C channels. */
typedef struct {
    const spor_attr *attr;
    int64_t H, W, C, P, Q;
} maps;

static window window_at(const maps *g, int64_t i, int64_t j) {
    window w = {.top = i * g->attr[STRIDE].i - g->attr[PAD].i,
                .left = j * g->attr[STRIDE + 1].i - g->attr[PAD + 2].i};
    w.a = spor_most(w.top, 0);
    w.b = spor_most(w.left, 0);
    w.a_end = spor_least(w.top + g->attr[SIZE].i, g->H);
    w.b_end = spor_least(w.left + g->attr[SIZE + 1].i, g->W);
    return w;
}

/* Number of cell (a, b) in row-major order inside its window. */
SPOR_INLINE spor_lane cell_number(const maps *g, const window *w, int64_t a, int64_t b) {
    return (spor_lane)((a - w->top) * g->attr[SIZE + 1].i + (b - w->left));
}

SPOR_INLINE void store_winners(void *saved, size_t bytes, int64_t at, ivec number, int64_t lanes) {
    if (bytes == 1) {
        bytes_vec narrow = __builtin_convertvector(number, bytes_vec);
        memcpy((uint8_t *)saved + at, &narrow, (size_t)lanes);
    } else {
        for (int64_t k = 0; k < lanes; k++) ((int32_t *)saved)[at + k] = (int32_t)number[k];
    }
}

SPOR_INLINE ivec load_winners(const void *saved, size_t bytes, int64_t at, int64_t lanes) {
    ivec number = {0};
    if (bytes == 1) {
        bytes_vec narrow = {0};
        memcpy(&narrow, (const uint8_t *)saved + at, (size_t)lanes);
        return __builtin_convertvector(narrow, ivec);
    }
    for (int64_t k = 0; k < lanes; k++) number[k] = ((const int32_t *)saved)[at + k];
    return number;
}

/* Some channels of one window: y and the winners at output element `at`. */
SPOR_INLINE void pool_window(const maps *g, const window *w, const T *x, T *y, void *saved,
                             size_t bytes, int64_t at, int64_t lanes) {
    vec best = spor_load_part(x + (w->a * g->W + w->b) * g->C, lanes);
    ivec winner = spor_all_int(cell_number(g, w, w->a, w->b));
    for (int64_t a = w->a; a < w->a_end; a++)
        for (int64_t b = w->b; b < w->b_end; b++) {
            vec cell = spor_load_part(x + (a * g->W + b) * g->C, lanes);
            ivec larger = best < cell;
            best = spor_select(larger, cell, best);
            winner = spor_select_int(larger, spor_all_int(cell_number(g, w, a, b)), winner);
        }
    spor_store_part(y + at, best, lanes);
    if (saved) store_winners(saved, bytes, at, winner, lanes);
}

/* All channels of one window, a vector of them at a time. */
static void pool_channels(const maps *g, const window *w, const T *x, T *y, void *saved,
                          size_t bytes, int64_t at) {
    int64_t c = 0;
    for (; c + LANES <= g->C; c += LANES) pool_window(g, w, x + c, y, saved, bytes, at + c, LANES);
    if (c < g->C) pool_window(g, w, x + c, y, saved, bytes, at + c, g->C - c);
}

FAST_KERNEL(maxpool2d) {
    const spor_shape *x = &c->in[0].shape, *y = &c->out.shape;
    maps g = {c->attr, x->n[1], x->n[2], x->n[3], y->n[1], y->n[2]};
    size_t bytes = winner_bytes(c->attr);
    void *saved = c->attr[TRAINING].i ? c->out.saved : NULL;
    int64_t at = 0;
    for (int64_t n = 0; n < x->n[0]; n++) {
        const T *map = (const T *)c->in[0].data + n * g.H * g.W * g.C;
        for (int64_t i = 0; i < g.P; i++)
            for (int64_t j = 0; j < g.Q; j++, at += g.C) {
                window w = window_at(&g, i, j);
                pool_channels(&g, &w, map, c->out.data, saved, bytes, at);
            }
    }
}

/* ---- backward ----------------------------------------------------------------------------------
 */

/* Some channels of one window: dy goes to the cell whose number won. add: another window may have
 * been there before. */
SPOR_INLINE void route_window(const maps *g, const window *w, T *dx, vec dy, ivec winner, bool add,
                              int64_t lanes) {
    for (int64_t a = w->a; a < w->a_end; a++)
        for (int64_t b = w->b; b < w->b_end; b++) {
            T *cell = dx + (a * g->W + b) * g->C;
            ivec won = winner == spor_all_int(cell_number(g, w, a, b));
            vec d = spor_select(won, dy, (vec){0});
            if (add) d += spor_load_part(cell, lanes);
            spor_store_part(cell, d, lanes);
        }
}

static void route_channels(const maps *g, const window *w, T *dx, const T *dy, const void *saved,
                           size_t bytes, int64_t at, bool add) {
    int64_t c = 0;
    for (; c + LANES <= g->C; c += LANES)
        route_window(g, w, dx + c, spor_load(dy + at + c),
                     load_winners(saved, bytes, at + c, LANES), add, LANES);
    if (c < g->C)
        route_window(g, w, dx + c, spor_load_part(dy + at + c, g->C - c),
                     load_winners(saved, bytes, at + c, g->C - c), add, g->C - c);
}

/* Along an axis every cell lies in exactly one window. */
static bool is_tiled(const spor_attr *attr, int axis, int64_t cells, int64_t windows) {
    return attr[SIZE + axis].i == attr[STRIDE + axis].i &&
           windows * attr[SIZE + axis].i - attr[PAD + 2 * axis].i >= cells;
}

FAST_KERNEL(maxpool2d_dx) {
    const spor_shape *x = &c->out.shape, *y = &c->in[1].shape;
    maps g = {c->attr, x->n[1], x->n[2], x->n[3], y->n[1], y->n[2]};
    size_t bytes = winner_bytes(c->attr);
    bool add = !is_tiled(c->attr, 0, g.H, g.P) || !is_tiled(c->attr, 1, g.W, g.Q);
    int64_t at = 0, size = g.H * g.W * g.C;
    for (int64_t n = 0; n < x->n[0]; n++) {
        T *map = (T *)c->out.data + n * size;
        if (add) memset(map, 0, (size_t)size * sizeof *map);
        for (int64_t i = 0; i < g.P; i++)
            for (int64_t j = 0; j < g.Q; j++, at += g.C) {
                window w = window_at(&g, i, j);
                route_channels(&g, &w, map, c->in[1].data, c->in[0].saved, bytes, at, add);
            }
    }
}

#endif
