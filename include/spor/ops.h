/*
 * The ops, one prototype each; `spor ops` prints the same list with equations and conventions.
 *
 * Each function records one node and returns its variable. Operands of one op must lie on one
 * tape; shapes are checked at once. Layout is samples first, channels last: [N, H, W, C], kernels
 * [kh, kw, C, F]. "Same shape" means just that: broadcasting is written with spor_expand or
 * spor_broadcast. The macros at the end stamp nodes and errors with file and line.
 */
#ifndef SPOR_OPS_H
#define SPOR_OPS_H

#include <spor/tape.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- leaves ------------------------------------------------------------------------------- */

/** num / den as a scalar, exact in every scalar type. den > 0. */
SPOR_API spor_var spor_ratio(spor_tape *tape, int64_t num, int64_t den);
/** A real number as a scalar. */
SPOR_API spor_var spor_constant(spor_tape *tape, double value);
/** The numbers value[], row-major, as many as the shape has: a table, a mask. The tape keeps a copy, one
 *  for all arrays of the same numbers. Each scalar type has them as exactly as it can; infinities and NaN
 *  stay what they are. They are no parameters: nothing trains them. */
SPOR_API spor_var spor_array(spor_tape *tape, spor_shape shape, const double value[]);
/** U[0, 1) of the shape: a function of (seed, element, step of the run). */
SPOR_API spor_var spor_random(spor_tape *tape, uint64_t seed, spor_shape shape);

/* ---- elementwise, operands of one shape ----------------------------------------------------- */

SPOR_API spor_var spor_add(spor_var x, spor_var y);          /**< x + y */
SPOR_API spor_var spor_sub(spor_var x, spor_var y);          /**< x - y */
SPOR_API spor_var spor_mul(spor_var x, spor_var y);          /**< x y */
SPOR_API spor_var spor_div(spor_var x, spor_var y);          /**< x / y */
SPOR_API spor_var spor_xmuly(spor_var x, spor_var y);        /**< x y; 0 where x or y is 0 */
SPOR_API spor_var spor_xdivy(spor_var x, spor_var y);        /**< x / y; 0 where x is 0 */
SPOR_API spor_var spor_neg(spor_var x);                      /**< -x */
SPOR_API spor_var spor_exp(spor_var x);                      /**< e^x */
SPOR_API spor_var spor_log(spor_var x);                      /**< ln x */
SPOR_API spor_var spor_sqrt(spor_var x);                     /**< x^(1/2) */
SPOR_API spor_var spor_tanh(spor_var x);                     /**< tanh x */
SPOR_API spor_var spor_sigmoid(spor_var x);                  /**< 1 / (1 + e^-x) */
SPOR_API spor_var spor_softplus(spor_var x);                 /**< ln(1 + e^x) */
SPOR_API spor_var spor_relu(spor_var x);                     /**< max(x, 0); derivative 0 at 0 */
SPOR_API spor_var spor_leaky_relu(spor_var x, double slope); /**< x if x > 0 else slope x */
SPOR_API spor_var spor_abs(spor_var x);                      /**< |x|; derivative 0 at 0 */
SPOR_API spor_var spor_step(spor_var x);                     /**< 1 if x > 0 else 0; derivative 0 */
SPOR_API spor_var spor_maximum(spor_var x, spor_var y);      /**< the larger; a tie is x's */
SPOR_API spor_var spor_minimum(spor_var x, spor_var y);      /**< the smaller; a tie is x's */
SPOR_API spor_var spor_less(spor_var x, spor_var y);         /**< 1 if x < y else 0; derivative 0 */
SPOR_API spor_var spor_less_equal(spor_var x, spor_var y); /**< 1 if x <= y else 0; derivative 0 */
SPOR_API spor_var spor_equal(spor_var x, spor_var y);      /**< 1 if x = y else 0; derivative 0 */
SPOR_API spor_var spor_expm1(spor_var x);                  /**< e^x - 1 */
SPOR_API spor_var spor_log1p(spor_var x);                  /**< ln(1 + x) */
SPOR_API spor_var spor_erf(spor_var x);                    /**< 2 / sqrt(pi) int e^(-t^2), 0 to x */
SPOR_API spor_var spor_sin(spor_var x);                    /**< sin x, radians */
SPOR_API spor_var spor_cos(spor_var x);                    /**< cos x, radians */
/** x^y; x^0 is 1, and a negative x has powers at whole y only. */
SPOR_API spor_var spor_pow(spor_var x, spor_var y);
/** x where c is not 0, else y; NaN is not 0. c only decides: its derivative is 0. */
SPOR_API spor_var spor_where(spor_var c, spor_var x, spor_var y);

/* ---- axes: a set of axes is a bit mask, bit k = axis k --------------------------------------- */

/** SPOR_AXIS(0) | SPOR_AXIS(2) */
#define SPOR_AXIS(k) (INT64_C(1) << (k))

/** Sum over the axes, which vanish from the shape. */
SPOR_API spor_var spor_sum(spor_var x, int64_t axes);
/** Repeats x along new axes: shape is the result's, axes says which of its axes are new. The
 *  adjoint of spor_sum. */
SPOR_API spor_var spor_expand(spor_var x, int64_t axes, spor_shape shape);
/** Maximum over the axes, which vanish; the first in row-major order wins a tie. */
SPOR_API spor_var spor_max(spor_var x, int64_t axes);
SPOR_API spor_var spor_softmax(spor_var x, int axis);     /**< e^x / sum e^x along the axis */
SPOR_API spor_var spor_log_softmax(spor_var x, int axis); /**< its logarithm, x - ln sum e^x */
SPOR_API spor_var spor_logsumexp(spor_var x, int axis);   /**< ln sum e^x; the axis vanishes */

/* ---- layout -------------------------------------------------------------------------------- */

/** Same elements in row-major order, another shape of the same size. */
SPOR_API spor_var spor_reshape(spor_var x, spor_shape shape);
/** Axis k of the result is axis perm[k] of x. */
SPOR_API spor_var spor_transpose(spor_var x, const int64_t perm[]);
/** Reverses the axes. */
SPOR_API spor_var spor_flip(spor_var x, int64_t axes);
/** x, then y, along the axis; other axes agree. */
SPOR_API spor_var spor_concat(spor_var x, spor_var y, int axis);
/** lo[k] cells of fill before and hi[k] after axis k; negative numbers crop. With fill 0 linear. */
SPOR_API spor_var spor_pad(spor_var x, const int64_t lo[], const int64_t hi[], double fill);
/** Inserts by[k] - 1 zeros between neighbours along axis k. */
SPOR_API spor_var spor_dilate(spor_var x, const int64_t by[]);
/** Keeps every by[k]-th element along axis k, the first one first. */
SPOR_API spor_var spor_subsample(spor_var x, const int64_t by[]);
/** x itself, with derivative 0. */
SPOR_API spor_var spor_stop_gradient(spor_var x);

/* ---- products and windows -------------------------------------------------------------------- */

/** x[..., n, k] y[..., k, m] -> [..., n, m]; leading axes agree. */
SPOR_API spor_var spor_matmul(spor_var x, spor_var y);
/** z[n,i,j,f] = sum_{u,v,c} K[u,v,c,f] x[n, i sh + u, j sw + v, c]: Eqs. (1), (4), (73). No padding
 *  of its own; a kernel larger than the image is an error. */
SPOR_API spor_var spor_correlate2d(spor_var x, spor_var K, int64_t sh, int64_t sw);
/** z[n,i,j,c] = sum_{u,v} K[u,v,c] x[n, i S + u D, j S + v D, c]: each channel by itself. Strides S and
 *  dilations D: height, width. No padding of its own; a kernel that reaches beyond the image is an error. */
SPOR_API spor_var spor_depthwise2d(spor_var x, spor_var K, const int64_t stride[2],
                                   const int64_t dilation[2]);
/** What comes back to a K of this size, height and width, from g of the shape of z: its adjoint. */
SPOR_API spor_var spor_depthwise2d_dK(spor_var x, spor_var g, const int64_t size[2],
                                      const int64_t stride[2], const int64_t dilation[2]);

/** Windows of some cells at steps of stride over a padded map. A window wholly outside the map is
 *  an error. */
typedef struct {
    int64_t size[2];   /* height, width */
    int64_t stride[2]; /* down, right */
    int64_t pad[4];    /* top, bottom, left, right */
} spor_window;

/** Largest value of each window: Eqs. (82)-(86). Padding is -infinity: it never wins. The first
 *  maximum in row-major order wins a tie. */
SPOR_API spor_var spor_maxpool2d(spor_var x, spor_window w);
/** Adds g to where the winners of x lie: the adjoint of gather. Shape of x. */
SPOR_API spor_var spor_route(spor_var x, spor_var g, spor_window w);
/** Values of v where the winners of x lie. v has the shape of x. */
SPOR_API spor_var spor_gather(spor_var x, spor_var v, spor_window w);
/** Mean of the valid cells of each window. */
SPOR_API spor_var spor_avgpool2d(spor_var x, spor_window w);
/** The adjoint of avgpool2d on maps of H x W. */
SPOR_API spor_var spor_spread2d(spor_var g, int64_t H, int64_t W, spor_window w);

/* ---- rows and order ------------------------------------------------------------------------- */

/**
 * Rows of x by number: z[b, n, d] = x[b, i[b, n], d]; x [B..., V, D...], i [B..., N...], z
 * [B..., N..., D...],
 * batch the number of leading axes B that both have. i has whole numbers from 0 to V - 1; where
 * it names no row z is not a number. A constant that names none is an error, and a mask but of
 * two rows. An embedding is spor_take(E, i, 0). No derivative by i.
 */
SPOR_API spor_var spor_take(spor_var x, spor_var i, int batch);
/** The adjoint of spor_take: g[B..., N..., D...] added to the rows that i[B..., N...] names, of
 *  so many:
 *  [B..., rows, D...]. A batch of which an element of i names no row is not a number. */
SPOR_API spor_var spor_scatter_add(spor_var i, spor_var g, int64_t rows, int batch);
/** Running sum along the axis. */
SPOR_API spor_var spor_cumsum(spor_var x, int axis);
/** Position of the largest along the axis, which vanishes; the first of a tie. No derivative. */
SPOR_API spor_var spor_argmax(spor_var x, int axis);
/** Positions along the axis by which x does not decrease; stable, NaN last. No derivative. */
SPOR_API spor_var spor_argsort(spor_var x, int axis);

/* ---- compositions: several nodes ------------------------------------------------------------- */

/** The convolution of Eqs. (2), (3): correlate2d with K rotated by 180 degrees. */
SPOR_API spor_var spor_convolve2d(spor_var x, spor_var K, int64_t sh, int64_t sw);
/** Repeats x to the shape as NumPy does: trailing axes agree or are 1. */
SPOR_API spor_var spor_broadcast(spor_var x, spor_shape shape);
/** Sum over the axes divided by their number. */
SPOR_API spor_var spor_mean(spor_var x, int64_t axes);
/** Rows of x as vectors: [N, ...] -> [N, size]. Row-major: the channel runs fastest. */
SPOR_API spor_var spor_flatten(spor_var x);
/** x along the axis as one with numbers i [..., K, ...] of positions there: their other axes
 *  agree, as in
 *  NumPy's take_along_axis. */
SPOR_API spor_var spor_take_along(spor_var x, spor_var i, int axis);
/** x in the order of spor_argsort; the derivative takes the order as it is. */
SPOR_API spor_var spor_sort(spor_var x, int axis);
/** 1 where the new last axis, of n, is at position i, else 0: [...] -> [..., n]; not a number
 *  where i is
 *  none of 0 .. n - 1. No derivative. */
SPOR_API spor_var spor_one_hot(spor_var i, int64_t n);
/** Product over the axes, which vanish; 1 over none. By halves, so that the derivative is right where
 *  factors are 0, too. */
SPOR_API spor_var spor_prod(spor_var x, int64_t axes);

/**
 * The product of matrices with any leading axes, as NumPy's `@`: x[..., n, k] y[..., k, m] -> [..., n, m].
 * Leading axes agree, are 1 or are missing on one side, and are repeated there. Where y has none the rows of
 * all of x's matrices go through one product. Several nodes: spor_matmul between reshapes and expands.
 */
SPOR_API spor_var spor_batched_matmul(spor_var x, spor_var y);
/** Einstein's sum of up to 16 operands by subscripts as NumPy has them, "bqd,bkd->bqk": a letter for
 *  each axis, "..." for axes that broadcast; a letter twice in an operand is its diagonal. Several
 *  nodes: products of matrices from left to right. */
SPOR_API spor_var spor_einsum(const char *subscripts, int n, const spor_var x[]);

/* ---- file and line --------------------------------------------------------------------------- */

#ifndef SPOR_NO_PLACES
#define SPOR_HERE(call) spor_at((call), __FILE__, __LINE__)
#define spor_input(...) SPOR_HERE(spor_input(__VA_ARGS__))
#define spor_param(...) SPOR_HERE(spor_param(__VA_ARGS__))
#define spor_setting(...) SPOR_HERE(spor_setting(__VA_ARGS__))
#define spor_state(...) SPOR_HERE(spor_state(__VA_ARGS__))
#define spor_array(...) SPOR_HERE(spor_array(__VA_ARGS__))
#define spor_add(...) SPOR_HERE(spor_add(__VA_ARGS__))
#define spor_sub(...) SPOR_HERE(spor_sub(__VA_ARGS__))
#define spor_mul(...) SPOR_HERE(spor_mul(__VA_ARGS__))
#define spor_div(...) SPOR_HERE(spor_div(__VA_ARGS__))
#define spor_xmuly(...) SPOR_HERE(spor_xmuly(__VA_ARGS__))
#define spor_xdivy(...) SPOR_HERE(spor_xdivy(__VA_ARGS__))
#define spor_neg(...) SPOR_HERE(spor_neg(__VA_ARGS__))
#define spor_exp(...) SPOR_HERE(spor_exp(__VA_ARGS__))
#define spor_log(...) SPOR_HERE(spor_log(__VA_ARGS__))
#define spor_sqrt(...) SPOR_HERE(spor_sqrt(__VA_ARGS__))
#define spor_tanh(...) SPOR_HERE(spor_tanh(__VA_ARGS__))
#define spor_sigmoid(...) SPOR_HERE(spor_sigmoid(__VA_ARGS__))
#define spor_softplus(...) SPOR_HERE(spor_softplus(__VA_ARGS__))
#define spor_relu(...) SPOR_HERE(spor_relu(__VA_ARGS__))
#define spor_leaky_relu(...) SPOR_HERE(spor_leaky_relu(__VA_ARGS__))
#define spor_abs(...) SPOR_HERE(spor_abs(__VA_ARGS__))
#define spor_step(...) SPOR_HERE(spor_step(__VA_ARGS__))
#define spor_maximum(...) SPOR_HERE(spor_maximum(__VA_ARGS__))
#define spor_minimum(...) SPOR_HERE(spor_minimum(__VA_ARGS__))
#define spor_less(...) SPOR_HERE(spor_less(__VA_ARGS__))
#define spor_where(...) SPOR_HERE(spor_where(__VA_ARGS__))
#define spor_less_equal(...) SPOR_HERE(spor_less_equal(__VA_ARGS__))
#define spor_equal(...) SPOR_HERE(spor_equal(__VA_ARGS__))
#define spor_expm1(...) SPOR_HERE(spor_expm1(__VA_ARGS__))
#define spor_log1p(...) SPOR_HERE(spor_log1p(__VA_ARGS__))
#define spor_erf(...) SPOR_HERE(spor_erf(__VA_ARGS__))
#define spor_sin(...) SPOR_HERE(spor_sin(__VA_ARGS__))
#define spor_cos(...) SPOR_HERE(spor_cos(__VA_ARGS__))
#define spor_pow(...) SPOR_HERE(spor_pow(__VA_ARGS__))
#define spor_sum(...) SPOR_HERE(spor_sum(__VA_ARGS__))
#define spor_expand(...) SPOR_HERE(spor_expand(__VA_ARGS__))
#define spor_max(...) SPOR_HERE(spor_max(__VA_ARGS__))
#define spor_softmax(...) SPOR_HERE(spor_softmax(__VA_ARGS__))
#define spor_log_softmax(...) SPOR_HERE(spor_log_softmax(__VA_ARGS__))
#define spor_logsumexp(...) SPOR_HERE(spor_logsumexp(__VA_ARGS__))
#define spor_reshape(...) SPOR_HERE(spor_reshape(__VA_ARGS__))
#define spor_transpose(...) SPOR_HERE(spor_transpose(__VA_ARGS__))
#define spor_flip(...) SPOR_HERE(spor_flip(__VA_ARGS__))
#define spor_concat(...) SPOR_HERE(spor_concat(__VA_ARGS__))
#define spor_pad(...) SPOR_HERE(spor_pad(__VA_ARGS__))
#define spor_dilate(...) SPOR_HERE(spor_dilate(__VA_ARGS__))
#define spor_subsample(...) SPOR_HERE(spor_subsample(__VA_ARGS__))
#define spor_stop_gradient(...) SPOR_HERE(spor_stop_gradient(__VA_ARGS__))
#define spor_matmul(...) SPOR_HERE(spor_matmul(__VA_ARGS__))
#define spor_depthwise2d(...) SPOR_HERE(spor_depthwise2d(__VA_ARGS__))
#define spor_depthwise2d_dK(...) SPOR_HERE(spor_depthwise2d_dK(__VA_ARGS__))
#define spor_correlate2d(...) SPOR_HERE(spor_correlate2d(__VA_ARGS__))
#define spor_maxpool2d(...) SPOR_HERE(spor_maxpool2d(__VA_ARGS__))
#define spor_route(...) SPOR_HERE(spor_route(__VA_ARGS__))
#define spor_gather(...) SPOR_HERE(spor_gather(__VA_ARGS__))
#define spor_avgpool2d(...) SPOR_HERE(spor_avgpool2d(__VA_ARGS__))
#define spor_spread2d(...) SPOR_HERE(spor_spread2d(__VA_ARGS__))
#define spor_take(...) SPOR_HERE(spor_take(__VA_ARGS__))
#define spor_scatter_add(...) SPOR_HERE(spor_scatter_add(__VA_ARGS__))
#define spor_cumsum(...) SPOR_HERE(spor_cumsum(__VA_ARGS__))
#define spor_argmax(...) SPOR_HERE(spor_argmax(__VA_ARGS__))
#define spor_argsort(...) SPOR_HERE(spor_argsort(__VA_ARGS__))
#define spor_take_along(...) SPOR_HERE(spor_take_along(__VA_ARGS__))
#define spor_sort(...) SPOR_HERE(spor_sort(__VA_ARGS__))
#define spor_one_hot(...) SPOR_HERE(spor_one_hot(__VA_ARGS__))
#define spor_prod(...) SPOR_HERE(spor_prod(__VA_ARGS__))
#define spor_einsum(...) SPOR_HERE(spor_einsum(__VA_ARGS__))
#define spor_batched_matmul(...) SPOR_HERE(spor_batched_matmul(__VA_ARGS__))
#define spor_convolve2d(...) SPOR_HERE(spor_convolve2d(__VA_ARGS__))
#define spor_broadcast(...) SPOR_HERE(spor_broadcast(__VA_ARGS__))
#define spor_mean(...) SPOR_HERE(spor_mean(__VA_ARGS__))
#define spor_flatten(...) SPOR_HERE(spor_flatten(__VA_ARGS__))
#endif

#ifdef __cplusplus
}
#endif

#endif
