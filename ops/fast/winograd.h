/*
 * Winograd's minimal filtering F(2x2, 3x3) of a correlation of kernels 3 x 3 at steps of one: 16
 * multiply-adds where the sum of the products has 36.
 *
 * Along one axis two neighbours of z come of four cells d of the map and three g of the kernel:
 *     z_0 = d_0 g_0 + d_1 g_1 + d_2 g_2 = m_0 + m_1 + m_2
 *     z_1 = d_1 g_0 + d_2 g_1 + d_3 g_2 = m_1 - m_2 - m_3            four products, not six:
 *     m_0 = (d_0 - d_2) g_0             m_1 = (d_1 + d_2) (g_0 + g_1 + g_2) / 2
 *     m_3 = (d_1 - d_3) g_2             m_2 = (d_2 - d_1) (g_0 - g_1 + g_2) / 2
 * which is z = A^T [(G g) o (B^T d)] with
 *     B^T = 1  0 -1  0      G =  1    0    0      A^T = 1  1  1  0
 *           0  1  1  0          1/2  1/2  1/2           0  1 -1 -1
 *           0 -1  1  0          1/2 -1/2  1/2
 *           0  1  0 -1           0    0    1
 * and along both axes, for each tile of 2 x 2 cells of z, over channels c and filters f,
 *     z_f  = A^T [sum_c (G g_cf G^T) o (B^T d_c B)] A
 * The sums over c are 16 products of matrices, one for each element of o: [tiles, C] [C, F]. Of the
 * same form backward:
 *     dx    is a correlation, of delta~ with the kernel rotated
 *     dK_cf = G^T [sum_tiles (B^T d_c B) o (A delta_f A^T)] G, by the chain rule
 *
 * Shapes      maps [h, w, C] as they lie: what is outside of a map is read as 0. Tiles over a border
 *             of z, where that is odd, are whole ones, of which what is outside is not kept
 *             planes V[16][tiles][C] = B^T d B, M[16][tiles][F] = the products or A delta A^T,
 *             U[16][C][F] = G g G^T, sum[16][C][F]; 4 a + b is the one of row a, column b
 * Exact       on integers: halves and quarters of whole numbers are dyadic
 * Rounding    a tile's cells share what is rounded: an element of z may be off by as much as those
 *             beside it, however small its own terms are
 * Not numbers what is infinite or not a number in one cell of a tile is so in all of it
 * Source      Winograd (1980); for convolutional layers Lavin and Gray (2016), arXiv 1509.09308
 */
#ifndef SPOR_OPS_FAST_WINOGRAD_H
#define SPOR_OPS_FAST_WINOGRAD_H

#include <stdlib.h>

#include "correlation.h"

enum { TILE = 2, TILE_CELLS = 4, PLANES = TILE_CELLS * TILE_CELLS, CELLS_OF_K = 9 };
/** Tiles in the planes at once, so that they stay in the second cache. Channels and filters from which on
 *  it pays; each is a whole vector at least. */
enum { TILES_MOST = 64, CHANNELS_LEAST = 16 };

/** Tiles of a sample along the height and the width. */
static inline int64_t tile_rows_of(const correlation *g) {
    return (g->P + 1) / TILE;
}
static inline int64_t tile_cols_of(const correlation *g) {
    return (g->Q + 1) / TILE;
}

/** Tiles in the planes at once. */
static inline int64_t block_of(const conv_work *w) {
    int64_t sample = carve_times(tile_rows_of(&w->g), tile_cols_of(&w->g));
    return carve_least(TILES_MOST, carve_times(w->group, sample));
}

/** Elements from one plane to the next: whole pages and some lines, so that the 16 of a tile are not in
 *  the same lines of a cache. */
static inline int64_t plane_of(int64_t elements, size_t width) {
    const int64_t page = 4096, lines = 3 * 64;
    int64_t bytes = carve_times(elements, (int64_t)width);
    if (bytes > INT64_MAX - 2 * page) return INT64_MAX;
    return ((bytes + page - 1) / page * page + lines) / (int64_t)width;
}

static inline void carve_planes(spor_carver *carver, int64_t elements, size_t width,
                                conv_planes *planes) {
    planes->plane = plane_of(elements, width);
    planes->at = carve_take(carver, elements ? carve_times(PLANES, planes->plane) : 0, width);
}

static inline void winograd_carve_shared(spor_carver *carver, const conv_work *w, size_t width,
                                         int64_t lanes, conv_arrays *a) {
    int64_t C = w->g.C, rows = w->adds ? 0 : C;
    a->tile = carve_take(carver, block_of(w), sizeof *a->tile);
    a->channel = carve_take(carver, C, sizeof *a->channel);
    a->kernel = carve_take(carver, carve_times(PLANES, panels_of(w, rows, lanes)), width);
    carve_planes(carver, carve_times(rows, w->g.F), width, &a->U);
}

static inline void winograd_carve_scratch(spor_carver *carver, const conv_work *w, size_t width,
                                          int64_t lanes, conv_arrays *a) {
    carve_planes(carver, carve_times(block_of(w), w->g.C), width, &a->V);
    carve_planes(carver, panels_of(w, block_of(w), lanes), width, &a->M);
    carve_planes(carver, w->adds ? panels_of(w, w->g.C, lanes) : 0, width, &a->sum);
    a->zeros = carve_take(carver, carve_most(w->g.C, w->g.F), width);
    a->spare = carve_take(carver, w->g.F, width);
}

/** PREPARE goes through the channels of the kernel. */
static inline int64_t winograd_parts(const conv_work *w) {
    return w->g.C;
}

/** It can: kernels 3 x 3, steps of one, no zeros between the cells of a map, whole vectors. */
static inline bool winograd_can(const correlation *g) {
    return g->k == 3 && g->l == 3 && g->stride[0] == 1 && g->stride[1] == 1 && g->dilate[0] == 1 &&
           g->dilate[1] == 1 && !g->apart && g->C >= CHANNELS_LEAST && g->F >= CHANNELS_LEAST;
}

/** 16 products for each tile, and what is moved by the transforms of its channels and of its filters.
 *  The transform of the kernel is as much as some tiles. */
static inline int64_t winograd_cost(const conv_work *w) {
    const correlation *g = &w->g;
    if (!winograd_can(g)) return INT64_MAX;
    int64_t C = vectors_of(g->C, COST_LANES), F = vectors_of(g->F, COST_LANES);
    int64_t tiles = carve_times(w->N, tile_rows_of(g) * tile_cols_of(g)) + 2 * COST_MOVED;
    int64_t tile = PLANES * (g->C * F + (C + F) * COST_MOVED);
    return carve_times(tiles, tile) / w->N;
}

#ifdef SPOR_RULES

/* The rows of B^T, 2 G and A^T: what is recorded stays among whole numbers. */
static const int winograd_BT[] = {1, 0, -1, 0, 0, 1, 1, 0, 0, -1, 1, 0, 0, 1, 0, -1};
static const int winograd_2G[] = {2, 0, 0, 1, 1, 1, 1, -1, 1, 0, 0, 2};
static const int winograd_AT[] = {1, 1, 1, 0, 0, 1, -1, -1};

/* The sum of `cols` variables, `step` apart, each as often as its row of a matrix says. */
static spor_var record_row(const int *row, const spor_var *x, int cols, int step) {
    spor_var sum = {x->tape, 0};
    for (int k = 0; k < cols; k++)
        for (int times = abs(row[k]); times > 0; times--) {
            spor_var term = x[k * step];
            if (!sum.id)
                sum = row[k] < 0 ? spor_neg(term) : term;
            else
                sum = row[k] < 0 ? spor_sub(sum, term) : spor_add(sum, term);
        }
    return sum;
}

/* y[rows][rows] = m x m^T, m[rows][cols], x[cols][cols] */
static void record_transform(const int *m, int rows, int cols, const spor_var *x, spor_var *y) {
    spor_var half[PLANES];
    for (int a = 0; a < rows; a++)
        for (int b = 0; b < cols; b++)
            half[a * cols + b] = record_row(m + a * cols, x + b, cols, cols);
    for (int a = 0; a < rows; a++)
        for (int b = 0; b < rows; b++)
            y[a * rows + b] = record_row(m + b * cols, half + a * cols, cols, 1);
}

/* Every other cell of x[N,2 h + 2,2 w + 2,C] from (a, b) on, as rows of C */
static spor_var record_cells(spor_var x, int64_t a, int64_t b) {
    spor_shape all = spor_shape_of(x);
    int64_t tiles = all.n[0] * (all.n[1] / TILE - 1) * (all.n[2] / TILE - 1);
    int64_t most = TILE_CELLS - 1;
    spor_var from =
        spor_pad(x, (int64_t[]){0, -a, -b, 0}, (int64_t[]){0, a - most, b - most, 0}, 0);
    spor_var cells = spor_subsample(from, (int64_t[]){1, TILE, TILE, 1});
    return spor_reshape(cells, SPOR_SHAPE(tiles, all.n[3]));
}

/* K[3,3,C,F] at (u, v) */
static spor_var record_kernel(spor_var K, int64_t u, int64_t v) {
    spor_var at = spor_pad(K, (int64_t[]){-u, -v, 0, 0}, (int64_t[]){u - 2, v - 2, 0, 0}, 0);
    return spor_reshape(at, SPOR_SHAPE(spor_shape_of(K).n[2], spor_shape_of(K).n[3]));
}

/** What Winograd's way computes of x[N,H,W,C] and K[3,3,C,F], in ops: z[N,H-2,W-2,F]. Its gradient by K is
 *  what it makes of dK. */
static spor_var winograd_record(spor_var x, spor_var K) {
    spor_shape map = spor_shape_of(x);
    int64_t h = (map.n[1] - 1) / TILE, w = (map.n[2] - 1) / TILE, F = spor_shape_of(K).n[3];
    const int64_t none[] = {0, 0, 0, 0};
    const int64_t odd[] = {0, TILE * h + 2 - map.n[1], TILE * w + 2 - map.n[2], 0};
    const int64_t crop[] = {0, -odd[1], -odd[2], 0};
    spor_var even = spor_pad(x, none, odd, 0), d[PLANES], g[CELLS_OF_K], V[PLANES], U[PLANES];
    for (int q = 0; q < PLANES; q++) d[q] = record_cells(even, q / TILE_CELLS, q % TILE_CELLS);
    for (int uv = 0; uv < CELLS_OF_K; uv++) g[uv] = record_kernel(K, uv / 3, uv % 3);
    record_transform(winograd_BT, TILE_CELLS, TILE_CELLS, d, V);
    record_transform(winograd_2G, TILE_CELLS, 3, g, U);
    for (int q = 0; q < PLANES; q++) V[q] = spor_matmul(V[q], U[q]);
    record_transform(winograd_AT, TILE, TILE_CELLS, V, d);
    spor_var z = {x.tape, 0}, quarter = spor_ratio(x.tape, 1, TILE * TILE);
    for (int q = 0; q < TILE * TILE; q++) {
        int64_t a = q / TILE, b = q % TILE;
        spor_var cells = spor_reshape(d[q], SPOR_SHAPE(map.n[0], h, w, F));
        spor_var apart = spor_dilate(cells, (int64_t[]){1, TILE, TILE, 1});
        spor_var all = spor_pad(apart, (int64_t[]){0, a, b, 0}, (int64_t[]){0, 1 - a, 1 - b, 0}, 0);
        z = z.id ? spor_add(z, all) : all;
    }
    z = spor_mul(z, spor_expand(quarter, 15, spor_shape_of(z)));
    return spor_pad(z, none, crop, 0);
}

/** dx of delta by tiles, the map padded by so many rows and columns at the top, bottom, left, right. */
static spor_var winograd_record_dx(const int64_t pad[4], spor_var delta, spor_var K) {
    const int64_t lo[] = {0, 2 - pad[0], 2 - pad[2], 0}, hi[] = {0, 2 - pad[1], 2 - pad[3], 0};
    spor_var turned = spor_flip(K, SPOR_AXIS(0) | SPOR_AXIS(1));
    return winograd_record(spor_pad(delta, lo, hi, 0),
                           spor_transpose(turned, (int64_t[]){0, 1, 3, 2}));
}

#endif

#ifdef SPOR_ISA

/* One axis of a tile; elements are step vectors apart. From and to may be the same: B^T d of four, G g
 * of three, A^T m of four, A e of two, G^T s of four. */
SPOR_INLINE void times_BT(vec *to, const vec *from, const int step) {
    vec d[] = {from[0], from[step], from[2 * step], from[3 * step]};
    to[0] = d[0] - d[2];
    to[step] = d[1] + d[2];
    to[2 * step] = d[2] - d[1];
    to[3 * step] = d[1] - d[3];
}
SPOR_INLINE void times_G(vec *to, const vec *from, const int step) {
    vec g[] = {from[0], from[step], from[2 * step]}, half = simd_all((T)0.5);
    to[0] = g[0];
    to[step] = ((g[0] + g[2]) + g[1]) * half;
    to[2 * step] = ((g[0] + g[2]) - g[1]) * half;
    to[3 * step] = g[2];
}
SPOR_INLINE void times_AT(vec *to, const vec *from, const int step) {
    vec m[] = {from[0], from[step], from[2 * step], from[3 * step]};
    to[0] = m[0] + (m[1] + m[2]);
    to[step] = (m[1] - m[2]) - m[3];
}
SPOR_INLINE void times_A(vec *to, const vec *from, const int step) {
    vec e[] = {from[0], from[step]};
    to[0] = e[0];
    to[step] = e[0] + e[1];
    to[2 * step] = e[0] - e[1];
    to[3 * step] = -e[1];
}
SPOR_INLINE void times_GT(vec *to, const vec *from, const int step) {
    vec s[] = {from[0], from[step], from[2 * step], from[3 * step]}, half = simd_all((T)0.5);
    to[0] = s[0] + (s[1] + s[2]) * half;
    to[step] = (s[1] - s[2]) * half;
    to[2 * step] = s[3] + (s[1] + s[2]) * half;
}

/* The square x, element (a, b) at 4 a + b, of from x from elements becomes one of to x to. */
#define TRANSFORM(times, x, from, to)                                                              \
    do {                                                                                           \
        SPOR_UNROLL for (int b_ = 0; b_ < (from); b_++) times((x) + b_, (x) + b_, TILE_CELLS);     \
        SPOR_UNROLL for (int a_ = 0; a_ < (to); a_++)                                              \
            times((x) + TILE_CELLS * a_, (x) + TILE_CELLS * a_, 1);                                \
    } while (0)

/* ---- tiles ---- */

/* Where a tile is: its sample, its first row and column of z. */
typedef struct {
    int64_t sample, i, j;
} tile_place;

static inline void next_tile(const correlation *g, tile_place *at) {
    at->j += TILE;
    if (at->j < g->Q) return;
    at->j = 0;
    at->i += TILE;
    if (at->i < g->P) return;
    at->i = 0;
    at->sample++;
}

/* Where the side x side cells of a map [h, w, channels] from row i and column j on are; -1: outside. */
SPOR_INLINE void find_cells(int64_t cell[], int64_t h, int64_t w, int64_t channels, int64_t i,
                            int64_t j, const int side) {
    SPOR_UNROLL for (int a = 0; a < side; a++) {
        bool row = i + a >= 0 && i + a < h;
        int64_t first = ((i + a) * w + j) * channels;
        SPOR_UNROLL for (int b = 0; b < side; b++) cell[a * side + b] =
            row && j + b >= 0 && j + b < w ? first + b * channels : -1;
    }
}

/* B^T d B of a vector of channels: d is at cell[] + c */
SPOR_INLINE void transform_map(const T *const cell[], int64_t c, T *V, int64_t plane) {
    vec x[PLANES];
    SPOR_UNROLL for (int q = 0; q < PLANES; q++) x[q] = simd_load(cell[q] + c);
    TRANSFORM(times_BT, x, TILE_CELLS, TILE_CELLS);
    SPOR_UNROLL for (int q = 0; q < PLANES; q++) simd_store(V + q * plane + c, x[q]);
}
/* A e A^T of a vector of filters */
SPOR_INLINE void transform_delta(const T *const cell[], int64_t f, T *M, int64_t plane) {
    vec x[PLANES];
    SPOR_UNROLL for (int q = 0; q < TILE * TILE; q++) x[q / TILE * TILE_CELLS + q % TILE] =
        simd_load(cell[q] + f);
    TRANSFORM(times_A, x, TILE, TILE_CELLS);
    SPOR_UNROLL for (int q = 0; q < PLANES; q++) simd_store(M + q * plane + f, x[q]);
}
/* A^T m A of a vector of filters */
SPOR_INLINE void transform_back(T *const cell[], int64_t f, const T *M, int64_t plane) {
    vec x[PLANES];
    SPOR_UNROLL for (int q = 0; q < PLANES; q++) x[q] = simd_load(M + q * plane + f);
    TRANSFORM(times_AT, x, TILE_CELLS, TILE);
    SPOR_UNROLL for (int q = 0; q < TILE * TILE; q++)
        simd_store(cell[q] + f, x[q / TILE * TILE_CELLS + q % TILE]);
}

/* A transform of all channels of one tile. The last vector reaches back over the one before it, and
 * makes some of it again. */
#define EACH_CHANNEL(transform, cell, channels, planes, plane)                                     \
    for (int64_t c_ = 0; c_ < (channels); c_ += LANES)                                             \
    transform(cell, carve_least(c_, (channels)-LANES), planes, plane)

/* V of the next tiles of the maps x[..., h, w, C] */
static void maps_to_planes(const correlation *g, const conv_arrays *a, const T *x, tile_place at,
                           int64_t tiles) {
    int64_t cell[PLANES];
    const T *d[PLANES];
    T *V = a->V.at;
    for (int64_t t = 0; t < tiles; t++, V += g->C, next_tile(g, &at)) {
        const T *map = x + at.sample * g->h * g->w * g->C;
        find_cells(cell, g->h, g->w, g->C, at.i - g->top, at.j - g->left, TILE_CELLS);
        SPOR_UNROLL for (int q = 0; q < PLANES; q++) d[q] = cell[q] < 0 ? a->zeros : map + cell[q];
        EACH_CHANNEL(transform_map, d, g->C, V, a->V.plane);
    }
}
/* M of the next tiles of delta[..., P, Q, F] */
static void delta_to_planes(const correlation *g, const conv_arrays *a, const T *delta,
                            tile_place at, int64_t tiles) {
    int64_t cell[TILE * TILE];
    const T *e[TILE * TILE];
    T *M = a->M.at;
    for (int64_t t = 0; t < tiles; t++, M += carve_whole_vectors(g->F, LANES), next_tile(g, &at)) {
        const T *map = delta + at.sample * pixels_of(g) * g->F;
        find_cells(cell, g->P, g->Q, g->F, at.i, at.j, TILE);
        for (int q = 0; q < TILE * TILE; q++) e[q] = cell[q] < 0 ? a->zeros : map + cell[q];
        EACH_CHANNEL(transform_delta, e, g->F, M, a->M.plane);
    }
}
/* z[..., P, Q, F] of M */
static void planes_to_maps(const correlation *g, const conv_arrays *a, T *z, tile_place at,
                           int64_t tiles) {
    int64_t cell[TILE * TILE];
    T *to[TILE * TILE];
    const T *M = a->M.at;
    for (int64_t t = 0; t < tiles; t++, M += carve_whole_vectors(g->F, LANES), next_tile(g, &at)) {
        T *map = z + at.sample * pixels_of(g) * g->F;
        find_cells(cell, g->P, g->Q, g->F, at.i, at.j, TILE);
        for (int q = 0; q < TILE * TILE; q++) to[q] = cell[q] < 0 ? a->spare : map + cell[q];
        EACH_CHANNEL(transform_back, to, g->F, M, a->M.plane);
    }
}

/* ---- the kernel ---- */

/* G g G^T of some kernels, n of which K[3,3,...] has; turned: of the kernels rotated */
SPOR_INLINE void transform_kernel(const T *K, int64_t n, int64_t lanes, bool turned, T *U,
                                  int64_t plane) {
    vec x[PLANES];
    SPOR_UNROLL for (int uv = 0; uv < CELLS_OF_K; uv++) x[uv / 3 * TILE_CELLS + uv % 3] =
        simd_load_part(K + (turned ? CELLS_OF_K - 1 - uv : uv) * n, lanes);
    TRANSFORM(times_G, x, 3, TILE_CELLS);
    SPOR_UNROLL for (int q = 0; q < PLANES; q++) simd_store_part(U + q * plane, x[q], lanes);
}

/* U of K[3,3,C,F], or, turned, of the rotated K[3,3,F,C] with its channels exchanged: the rows of panels
 * that belong to the channels of a part. */
static void prepare_kernel(const correlation *g, const conv_arrays *a, const T *K, bool turned,
                           task_part channels) {
    int64_t stride = turned ? g->C : g->F, count = channels.end - channels.first;
    int64_t rows = turned ? g->F : count, cols = turned ? count : g->F;
    int64_t first = channels.first * (turned ? 1 : stride);
    T *U = (T *)a->U.at + first;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t e = r * stride, end = e + cols; e < end; e += LANES)
            transform_kernel(K + first + e, g->C * g->F, carve_least(LANES, end - e), turned, U + e,
                             a->U.plane);
    int64_t panels = g->C * carve_whole_vectors(g->F, LANES);
    for (int q = 0; q < PLANES; q++)
        product_pack((T *)a->kernel + q * panels, &(spor_block){.b = U + q * a->U.plane,
                                                                .stride = stride,
                                                                .transposed = turned,
                                                                .depth = g->C,
                                                                .first = channels.first,
                                                                .rows = count,
                                                                .cols = g->F});
}

/* G^T s G of some kernels */
SPOR_INLINE void transform_sum(const T *sum, int64_t plane, int64_t lanes, T *dK, int64_t n) {
    vec x[PLANES];
    SPOR_UNROLL for (int q = 0; q < PLANES; q++) x[q] = simd_load(sum + q * plane);
    TRANSFORM(times_GT, x, TILE_CELLS, 3);
    SPOR_UNROLL for (int uv = 0; uv < CELLS_OF_K; uv++)
        simd_store_part(dK + uv * n, x[uv / 3 * TILE_CELLS + uv % 3], lanes);
}

/* dK[3,3,C,F] = G^T sum G */
static void winograd_finish(const conv_work *w, const conv_arrays *a, T *dK) {
    const correlation *g = &w->g;
    const T *sum = a->sum.at;
    for (int64_t c = 0; c < g->C; c++, sum += carve_whole_vectors(g->F, LANES))
        for (int64_t f = 0; f < g->F; f += LANES)
            transform_sum(sum + f, a->sum.plane, carve_least(LANES, g->F - f), dK + c * g->F + f,
                          g->C * g->F);
}

/* A task of PREPARE: its channels of the kernel; the tables with the first ones. */
static void winograd_prepare(const conv_work *w, const conv_arrays *a, const T *K, bool turned,
                             task_part channels) {
    if (channels.first == 0) {
        product_progression(a->tile, block_of(w), w->g.C);
        product_progression(a->channel, w->g.C, 1);
    }
    if (K) prepare_kernel(&w->g, a, K, turned, channels);
}

/* Zeros outside of maps, and of delta behind its last filter. */
static void winograd_begin(const conv_work *w, const conv_arrays *a) {
    memset(a->zeros, 0, (size_t)carve_most(w->g.C, w->g.F) * sizeof(T));
    if (w->adds && w->g.F % LANES > 0)
        memset(a->M.at, 0, (size_t)(PLANES * a->M.plane) * sizeof(T));
}

/* ---- the products ---- */

/* M = V U of n tiles. b enters by the plane (1, 1), which A^T M A adds to all cells. */
static void multiply_planes(const correlation *g, const conv_arrays *a, int64_t n, const T *b) {
    int64_t ldc = carve_whole_vectors(g->F, LANES);
    for (int q = 0; q < PLANES; q++)
        product_multiply(&(spor_product){.a = (const T *)a->V.at + q * a->V.plane,
                                         .row = a->tile,
                                         .step = a->channel,
                                         .rows = n,
                                         .depth = g->C,
                                         .cols = g->F,
                                         .b = (const T *)a->kernel + q * g->C * ldc,
                                         .init = q == TILE_CELLS + 1 ? b : NULL,
                                         .c = (T *)a->M.at + q * a->M.plane,
                                         .ldc = ldc});
}

/* sum = or += V^T M of n tiles */
static void add_planes(const correlation *g, const conv_arrays *a, int64_t n, bool add) {
    int64_t F = carve_whole_vectors(g->F, LANES);
    for (int q = 0; q < PLANES; q++)
        product_multiply(&(spor_product){.a = (const T *)a->V.at + q * a->V.plane,
                                         .row = a->channel,
                                         .step = a->tile,
                                         .rows = g->C,
                                         .depth = n,
                                         .cols = F,
                                         .b = (const T *)a->M.at + q * a->M.plane,
                                         .ldb = F,
                                         .c = (T *)a->sum.at + q * a->sum.plane,
                                         .ldc = F,
                                         .add = add});
}

/* Tiles first .. first + n - 1 of count samples' */
typedef struct {
    int64_t first, n;
    tile_place at;
} tile_block;

/* The block behind one; false if there is none. */
static inline bool next_block(const conv_work *w, int64_t count, tile_block *b) {
    int64_t cols = tile_cols_of(&w->g), sample = tile_rows_of(&w->g) * cols;
    int64_t left = count * sample - (b->first += b->n), most = block_of(w);
    if (left <= 0) return false;
    int64_t blocks = (left + most - 1) / most;
    b->n = (left + blocks - 1) / blocks;
    b->at =
        (tile_place){b->first / sample, b->first % sample / cols * TILE, b->first % cols * TILE};
    return true;
}

/* z = b + the kernel over count samples */
static void winograd_correlate(const conv_work *w, const conv_arrays *a, const T *samples,
                               int64_t count, const T *K, bool turned, const T *b, T *z) {
    (void)K, (void)turned; /* U is made of it */
    for (tile_block k = {0}; next_block(w, count, &k);) {
        maps_to_planes(&w->g, a, samples, k.at, k.n);
        multiply_planes(&w->g, a, k.n, b);
        planes_to_maps(&w->g, a, z, k.at, k.n);
    }
}

/* sum = or += what count samples bring to dK, which finish makes of it */
static void winograd_add(const conv_work *w, const conv_arrays *a, const T *samples, int64_t count,
                         const T *delta, T *dK, bool add) {
    (void)dK;
    for (tile_block k = {0}; next_block(w, count, &k); add = true) {
        maps_to_planes(&w->g, a, samples, k.at, k.n);
        delta_to_planes(&w->g, a, delta, k.at, k.n);
        add_planes(&w->g, a, k.n, add);
    }
}

#endif

#endif
