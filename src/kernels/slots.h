/*
 * Slots of attributes that more files read than the op's own: fast paths match by them, kernels of
 * several ops share them. An attribute that only its op reads is named there. The suite
 * ops_registry holds these names and the signatures together.
 */
#ifndef SPOR_KERNELS_SLOTS_H
#define SPOR_KERNELS_SLOTS_H

#include <spor/tape.h>

/** sum, max, expand, flip: a set of axes, as a bit mask. */
enum { AXES = 0 };
/** softmax, log_softmax, logsumexp, concat: one axis. */
enum { AXIS = 0 };
/** leaky_relu. */
enum { SLOPE = 0 };
/** correlate2d: along the height, along the width. */
enum { STRIDE = 0 };
/** pad: cells before and after each axis, and what they hold. */
enum { PAD_LO = 0, PAD_HI = SPOR_RANK, PAD_FILL = 2 * SPOR_RANK, PAD_SLOTS };
/** A window: height, width; strides along them; pads top, bottom, left, right. maxpool2d, route,
 *  gather, avgpool2d begin with it, spread2d has it behind the map's sizes. */
enum { WINDOW_SIZE = 0, WINDOW_STRIDE = 2, WINDOW_PAD = 4, WINDOW_SLOTS = 8 };

#endif
