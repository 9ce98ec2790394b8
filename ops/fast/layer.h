/*
 * What the layers dense and conv2d share: the walk from an activation over "+ b" to the product,
 * the error delta and the gradient of the bias.
 */
#ifndef SPOR_OPS_FAST_LAYER_H
#define SPOR_OPS_FAST_LAYER_H

#include "program/fast.h"
#include "kernels/activation.h"
#include "kernels/tasks.h"

/** Slots of an activation: SPOR_ACTIVATION_..., and leaky_relu's slope. */
enum { ACT, ACT_SLOPE };

#ifdef SPOR_RULES

/** Y = f(z + b) with b repeated along the leading axes. */
typedef struct {
    spor_var z;                  /* made by the product's op */
    spor_var b;                  /* id 0: no bias */
    const spor_op *last;         /* what made the root: activation, add or the product */
    spor_attr activation, slope; /* SPOR_ACTIVATION_..., and leaky_relu's slope */
} spor_layer;

/** Finds a layer that ends in root, its product made by op. axes: those along which b is repeated.
 *  False, with a reason if the product is there but is read from outside the region. */
bool layer_match(spor_match *match, spor_var root, const spor_op *op, int64_t axes,
                 spor_layer *layer);

/** v, made by op, taken into the region; else the reason why it can't be: "what is read by ...". */
bool layer_take(spor_match *match, spor_var v, const spor_op *op, const char *what);

/** delta = dY o f'(Y), Eqs. (46), (11)-(13); dY itself if there is no activation. */
spor_var layer_delta(spor_var y, const spor_attr activation[2], spor_var ybar);

/** db = sum of delta over all axes but the last: Eqs. (45) and, corrected, (49). */
spor_var layer_bias_gradient(spor_var delta);

/** Writes z[count] = f(z), z made before. */
void layer_write_activation(spor_c *c, const spor_attr activation[2], const char *z, int64_t count);
/** Writes z[count] = the bias b, where there is one, else 0. */
void layer_write_bias(spor_c *c, bool biased, int64_t count);

/** How a layer is written behind its product: the last two choices of those that record one. */
#define LAYER_CHOICES                                                                              \
    CHOICE("bias", NO_BIAS, BIAS_BEHIND, BIAS_BEFORE), CHOICE("activation", 0, 1, 2, 3, 4)
enum { NO_BIAS, BIAS_BEHIND, BIAS_BEFORE }; /* z, z + b, b + z */

/** Records f(z). */
spor_var layer_activate(spor_var z, int64_t activation);
/** Records f(z + b), b repeated along the axes. how: what is chosen of LAYER_CHOICES. */
spor_var layer_record(spor_sketch *sketch, spor_var z, int64_t axes, const int64_t how[2]);

#endif

#endif
