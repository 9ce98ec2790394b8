/*
 * C = init + A B: the one matrix product under dense layers and convolutions.
 *
 * A is read where it lies: A[r,k] = a[row[r] + step[k]]. With row[r] = r n, step[k] = k it is a
 * row-major matrix; with row = the pixels of an image and step = the cells of a kernel it is all
 * windows of the image, which are never copied out; with the two exchanged it is their transpose.
 * B is packed into panels of columns, padded to whole vectors.
 *
 * Each C[r,j] is one chain over k = 0, 1, ... of its own: its bits do not depend on how many rows
 * or columns there are, nor on where the tiles are cut. A product that begins with what another left
 * in C, init = c, goes on with its chains.
 */
#ifndef SPOR_KERNELS_PRODUCT_H
#define SPOR_KERNELS_PRODUCT_H

#include "kernels/simd.h"

typedef struct {
    const T *a;
    const int64_t *row, *step; /* [rows], [depth]: elements */
    int64_t rows, depth, cols;
    const T *b;    /* from product_panels; or, if ldb is set, B as it lies: cols whole vectors */
    int64_t ldb;   /* elements from one row of b to the next; 0: b is in panels */
    const T *init; /* the first summand of each element, in rows of cols; NULL: 0 */
    int64_t ldi;   /* elements from one row of init to the next; 0: all rows begin with the same */
    T *c;
    int64_t ldc; /* elements from one row of c to the next */
    bool add;    /* c += A B instead of c = init + A B */
    bool
        streams; /* C goes past the caches, which its whole vectors lie in memory for; then simd_flush */
} spor_product;

#define product_multiply SPOR_BUILT(product_multiply)
void product_multiply(const spor_product *product);

/** Rows first .. first + rows - 1 of a matrix B of depth x cols, to be packed into its panels.
 * Element (k, j) of them is b[k * stride + j], transposed b[j * stride + k]. */
typedef struct {
    const T *b;
    int64_t stride;
    bool transposed;
    int64_t depth, first, rows, cols;
} spor_block;

#define product_pack SPOR_BUILT(product_pack)
void product_pack(T *panels, const spor_block *block);

/** How many panels there are of so many columns, and the first column of panel k, 0 <= k <= panels.
 *  The columns from one such to another by themselves make the same panels. */
#define product_panel_count SPOR_BUILT(product_panel_count)
#define product_panel_first SPOR_BUILT(product_panel_first)
int64_t product_panel_count(int64_t cols);
int64_t product_panel_first(int64_t cols, int64_t k);

/** A row-major matrix of so many columns is its own panels. */
#define product_is_panels SPOR_BUILT(product_is_panels)
bool product_is_panels(int64_t cols);

/** The panels of a row-major depth x cols matrix: itself where the layouts agree, else packed
 *  into scratch. */
#define product_panels SPOR_BUILT(product_panels)
const T *product_panels(T *scratch, const T *b, int64_t depth, int64_t cols);

/** table[k] = k * stride. */
SPOR_INLINE void product_progression(int64_t *table, int64_t count, int64_t stride) {
    for (int64_t k = 0; k < count; k++) table[k] = k * stride;
}

#endif
