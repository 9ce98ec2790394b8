#include "kernels/product.h"

#include "kernels/carve.h"

/*
 * A tile is some rows of C by some vectors of columns, all in registers while k runs. Its height is
 * what the registers of the instruction set hold beside the vectors of B and one element of A;
 * panels are at most SPOR_PANEL vectors wide.
 */
#if defined(__AVX512F__)
#define SPOR_PANEL 4
#define SPOR_HEIGHTS                                                                               \
    { 12, 10, 8, 6 }
#define SPOR_EACH_TILE(X)                                                                            \
    {X(1, 1), X(2, 1), X(3, 1), X(4, 1),  X(5, 1),  X(6, 1),                                         \
     X(7, 1), X(8, 1), X(9, 1), X(10, 1), X(11, 1), X(12, 1)},                                       \
        {X(1, 2), X(2, 2), X(3, 2), X(4, 2), X(5, 2), X(6, 2), X(7, 2), X(8, 2), X(9, 2), X(10, 2)}, \
        {X(1, 3), X(2, 3), X(3, 3), X(4, 3), X(5, 3), X(6, 3), X(7, 3), X(8, 3)}, {                  \
        X(1, 4), X(2, 4), X(3, 4), X(4, 4), X(5, 4), X(6, 4)                                         \
    }
#else
#define SPOR_PANEL 2
#define SPOR_HEIGHTS                                                                               \
    { 8, 6 }
#define SPOR_EACH_TILE(X)                                                                          \
    {X(1, 1), X(2, 1), X(3, 1), X(4, 1), X(5, 1), X(6, 1), X(7, 1), X(8, 1)}, {                    \
        X(1, 2), X(2, 2), X(3, 2), X(4, 2), X(5, 2), X(6, 2)                                       \
    }
#endif
#define SPOR_HEIGHT 12

/** Vectors of the next panel when this many are left: as even as possible. */
static int64_t panel_vectors(int64_t left) {
    int64_t panels = (left + SPOR_PANEL - 1) / SPOR_PANEL;
    return (left + panels - 1) / panels;
}

/** Rows of the next tile when this many are left: as even as possible. */
static int64_t tile_rows(int64_t left, int64_t height) {
    int64_t tiles = (left + height - 1) / height;
    return (left + tiles - 1) / tiles;
}

/* ---- one tile -------------------------------------------------------------------------------- */

/* rows x vectors of C at c; last_lanes: valid lanes of the last vector */
SPOR_INLINE void tile(const spor_product *p, const int64_t *row, const T *b, int64_t ldb,
                      const T *init, T *c, int64_t last_lanes, const int rows, const int vectors) {
    vec sum[SPOR_HEIGHT][SPOR_PANEL], bk[SPOR_PANEL];
    int64_t at[SPOR_HEIGHT];
    const int last = vectors - 1;
    SPOR_UNROLL for (int r = 0; r < rows; r++) {
        at[r] = row[r];
        SPOR_UNROLL for (int v = 0; v < vectors; v++) sum[r][v] = (vec){0};
    }
    if (init) {
        SPOR_UNROLL for (int r = 0; r < rows; r++) {
            const T *from = init + r * p->ldi;
            SPOR_UNROLL for (int v = 0; v < last; v++) sum[r][v] = simd_load(from + v * LANES);
            sum[r][last] = simd_load_part(from + last * LANES, last_lanes);
        }
    }
    const int64_t *step = p->step, *end = step + p->depth;
    for (; step != end; step++, b += ldb) {
        const T *a = p->a + *step;
        __asm__("" : "+r"(a)); /* one sum a + at[r] inside the load, not two before it */
        SPOR_UNROLL for (int v = 0; v < vectors; v++) bk[v] = simd_load(b + v * LANES);
        SPOR_UNROLL for (int r = 0; r < rows; r++) {
            SPOR_UNROLL for (int v = 0; v < vectors; v++) sum[r][v] =
                simd_fma(simd_all(a[at[r]]), bk[v], sum[r][v]);
        }
    }
    const int64_t ldc = p->ldc;
    if (p->add) {
        SPOR_UNROLL for (int r = 0; r < rows; r++) {
            SPOR_UNROLL for (int v = 0; v < last; v++) sum[r][v] +=
                simd_load(c + r * ldc + v * LANES);
            sum[r][last] += simd_load_part(c + r * ldc + last * LANES, last_lanes);
        }
    }
    if (p->streams) {
        SPOR_UNROLL for (int r = 0; r < rows; r++) {
            SPOR_UNROLL for (int v = 0; v < vectors; v++)
                simd_stream(c + r * ldc + v * LANES, sum[r][v]);
        }
        return;
    }
    SPOR_UNROLL for (int r = 0; r < rows; r++) {
        SPOR_UNROLL for (int v = 0; v < last; v++) simd_store(c + r * ldc + v * LANES, sum[r][v]);
        simd_store_part(c + r * ldc + last * LANES, sum[r][last], last_lanes);
    }
}

typedef void tile_function(const spor_product *p, const int64_t *row, const T *b, int64_t ldb,
                           const T *init, T *c, int64_t last_lanes);

#define SPOR_DEFINE_TILE(rows, vectors)                                                            \
    static void tile_##rows##x##vectors(const spor_product *p, const int64_t *row, const T *b,     \
                                        int64_t ldb, const T *init, T *c, int64_t last_lanes) {    \
        tile(p, row, b, ldb, init, c, last_lanes, rows, vectors);                                  \
    }
#define SPOR_TILE_NAME(rows, vectors) tile_##rows##x##vectors

SPOR_DEFINE_TILE(1, 1)
SPOR_DEFINE_TILE(2, 1)
SPOR_DEFINE_TILE(3, 1)
SPOR_DEFINE_TILE(4, 1)
SPOR_DEFINE_TILE(5, 1)
SPOR_DEFINE_TILE(6, 1)
SPOR_DEFINE_TILE(7, 1)
SPOR_DEFINE_TILE(8, 1)
SPOR_DEFINE_TILE(1, 2)
SPOR_DEFINE_TILE(2, 2)
SPOR_DEFINE_TILE(3, 2)
SPOR_DEFINE_TILE(4, 2)
SPOR_DEFINE_TILE(5, 2)
SPOR_DEFINE_TILE(6, 2)
#if SPOR_PANEL == 4
SPOR_DEFINE_TILE(9, 1)
SPOR_DEFINE_TILE(10, 1)
SPOR_DEFINE_TILE(11, 1)
SPOR_DEFINE_TILE(12, 1)
SPOR_DEFINE_TILE(7, 2)
SPOR_DEFINE_TILE(8, 2)
SPOR_DEFINE_TILE(9, 2)
SPOR_DEFINE_TILE(10, 2)
SPOR_DEFINE_TILE(1, 3)
SPOR_DEFINE_TILE(2, 3)
SPOR_DEFINE_TILE(3, 3)
SPOR_DEFINE_TILE(4, 3)
SPOR_DEFINE_TILE(5, 3)
SPOR_DEFINE_TILE(6, 3)
SPOR_DEFINE_TILE(7, 3)
SPOR_DEFINE_TILE(8, 3)
SPOR_DEFINE_TILE(1, 4)
SPOR_DEFINE_TILE(2, 4)
SPOR_DEFINE_TILE(3, 4)
SPOR_DEFINE_TILE(4, 4)
SPOR_DEFINE_TILE(5, 4)
SPOR_DEFINE_TILE(6, 4)
#endif

/* tiles[vectors - 1][rows - 1] */
static tile_function *const tiles[SPOR_PANEL][SPOR_HEIGHT] = {SPOR_EACH_TILE(SPOR_TILE_NAME)};

/* ---- the whole product ----------------------------------------------------------------------- */

static void multiply_panel(const spor_product *p, int64_t first, int64_t vectors) {
    static const int64_t heights[SPOR_PANEL] = SPOR_HEIGHTS;
    const T *b = p->b + first * (p->ldb ? 1 : p->depth), *init = p->init ? p->init + first : NULL;
    int64_t ldb = p->ldb ? p->ldb : vectors * LANES;
    int64_t last = first + (vectors - 1) * LANES;
    int64_t last_lanes = carve_least(p->cols - last, LANES);
    for (int64_t r = 0, n; r < p->rows; r += n) {
        n = tile_rows(p->rows - r, heights[vectors - 1]);
        tiles[vectors - 1][n - 1](p, p->row + r, b, ldb, init ? init + r * p->ldi : NULL,
                                  p->c + r * p->ldc + first, last_lanes);
    }
}

void product_multiply(const spor_product *product) {
    int64_t vectors = (product->cols + LANES - 1) / LANES;
    for (int64_t done = 0, n; done < vectors; done += n) {
        n = panel_vectors(vectors - done);
        multiply_panel(product, done * LANES, n);
    }
}

/* ---- packing --------------------------------------------------------------------------------- */

/* Columns of B that are rows in memory are copied vector by vector. */
static void pack_rows(T *panel, int64_t width, const T *b, const spor_block *block, int64_t cols) {
    int64_t whole = (cols - 1) / LANES * LANES;
    for (int64_t k = 0; k < block->rows; k++, b += block->stride, panel += width) {
        for (int64_t j = 0; j < whole; j += LANES) simd_store(panel + j, simd_load(b + j));
        simd_store(panel + whole, simd_load_part(b + whole, cols - whole));
    }
}

/* Some rows of a panel by one vector of its columns, each a piece of a row in memory. */
SPOR_INLINE void pack_square(T *panel, int64_t width, const T *b, int64_t stride, int64_t rows,
                             int64_t cols) {
    vec v[LANES];
    SPOR_UNROLL for (int j = 0; j < (int)LANES; j++) v[j] =
        j < cols ? simd_load_part(b + j * stride, rows) : (vec){0};
    simd_turn_square(v);
    SPOR_UNROLL for (int k = 0; k < (int)LANES; k++) if (k < rows)
        simd_store(panel + k * width, v[k]);
}

/* Columns of B that are rows in memory are transposed square by square. */
static void pack_columns(T *panel, int64_t width, const T *b, const spor_block *block,
                         int64_t cols) {
    for (int64_t j = 0; j < width; j += LANES)
        for (int64_t k = 0; k < block->rows; k += LANES)
            pack_square(panel + k * width + j, width, b + j * block->stride + k, block->stride,
                        carve_least(LANES, block->rows - k), cols - j);
}

static void pack(T *panels, const spor_block *block) {
    int64_t vectors = (block->cols + LANES - 1) / LANES;
    for (int64_t done = 0, n; done < vectors; done += n) {
        n = panel_vectors(vectors - done);
        int64_t first = done * LANES, width = n * LANES;
        T *panel = panels + first * block->depth + block->first * width;
        const T *b = block->b + first * (block->transposed ? block->stride : 1);
        int64_t cols = carve_least(block->cols - first, width);
        if (block->transposed)
            pack_columns(panel, width, b, block, cols);
        else
            pack_rows(panel, width, b, block, cols);
    }
}

/* Asks for some rows of B that are to be packed later: they may be pages apart, which no processor foresees. */
static void fetch_rows(const spor_block *block, int64_t first, int64_t end) {
    const int64_t line = 64 / (int64_t)sizeof(T);
    for (int64_t k = first; k < carve_least(end, block->rows); k++)
        for (int64_t j = 0; j < block->cols; j += line)
            __builtin_prefetch(block->b + k * block->stride + j, 0, 2);
}

/* Rows of B that are rows in memory go out to all panels, few at a time: they are read from end to end. */
void product_pack(T *panels, const spor_block *block) {
    const int64_t few = 8, ahead = 16;
    spor_block some = *block;
    if (block->transposed) {
        pack(panels, block);
        return;
    }
    for (int64_t k = 0; k < block->rows; k += few) {
        fetch_rows(block, k + ahead, k + ahead + few);
        some.b = block->b + k * block->stride;
        some.first = block->first + k;
        some.rows = carve_least(few, block->rows - k);
        pack(panels, &some);
    }
}

int64_t product_panel_count(int64_t cols) {
    int64_t vectors = (cols + LANES - 1) / LANES;
    return (vectors + SPOR_PANEL - 1) / SPOR_PANEL;
}

/* The first panels are a vector wider where they can't all be as wide: as panel_vectors has it. */
int64_t product_panel_first(int64_t cols, int64_t k) {
    int64_t vectors = (cols + LANES - 1) / LANES, panels = product_panel_count(cols);
    return carve_least((vectors / panels * k + carve_least(k, vectors % panels)) * LANES, cols);
}

bool product_is_panels(int64_t cols) {
    return cols % LANES == 0 && cols / LANES <= SPOR_PANEL;
}

const T *product_panels(T *scratch, const T *b, int64_t depth, int64_t cols) {
    if (product_is_panels(cols)) return b;
    spor_block block = {.b = b, .stride = cols, .depth = depth, .rows = depth, .cols = cols};
    product_pack(scratch, &block);
    return scratch;
}
