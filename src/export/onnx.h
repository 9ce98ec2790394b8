/*
 * The words in which an op says what it is in ONNX (opset 17); its mapping stands in its own file.
 *
 * A mapping reads a call: attributes, shapes, and its operands as tensors of the ONNX graph. It makes nodes
 * and gives the result. Words that can't be carried out hold their error in the graph and return tensor 0,
 * which all words pass on.
 *
 * spor's maps are [N, H, W, C], those of ONNX [N, C, H, W]. So a variable of the tape lies in the file in some
 * *order* of its axes, and not all of them need be there: what `expand` has added is left to broadcasting.
 * Mappings say in which order they want an operand, or take it as it lies; transposes come about by that
 * alone, once for each order, and never of numbers that are known.
 */
#ifndef SPOR_EXPORT_ONNX_H
#define SPOR_EXPORT_ONNX_H

#include "tape/op.h"

typedef struct onnx_graph onnx_graph;

/** A tensor of the graph; 0: none, after an error. */
typedef int onnx_tensor;

/** Element types, by their numbers in the file. ONNX_NUMBER is float or double, as the network computes. */
typedef enum {
    ONNX_NUMBER = 0,
    ONNX_FLOAT = 1,
    ONNX_INT64 = 7,
    ONNX_BOOL = 9,
    ONNX_DOUBLE = 11
} onnx_type;

enum { ONNX_RANK = 2 * SPOR_RANK };

/** Sizes of a tensor: n[k], or, if rows[k], n[k] times N, the number of rows, which is open. */
typedef struct {
    int rank;
    int64_t n[ONNX_RANK];
    bool rows[ONNX_RANK];
} onnx_shape;

/** Axis j of a tensor is axis[j] of the variable; -1: it has one element and is none of its axes. */
typedef struct {
    int rank;
    int axis[ONNX_RANK];
} onnx_order;

/** A node of the tape that is written. */
typedef struct onnx_call {
    onnx_graph *graph;
    uint32_t id;
    const spor_attr *attr;
    int operands;
    uint32_t from[SPOR_OPERANDS]; /* the operands' nodes */
    onnx_shape in[SPOR_OPERANDS], out;
    onnx_order order; /* of elementwise ops: that all operands are brought into */
    bool present[SPOR_RANK];
} onnx_call;

typedef void onnx_mapping(onnx_call *c);

/* ---- mappings that several ops have ------------------------------------------------------------ */

/** Of a leaf whose numbers are known. */
onnx_mapping onnx_known;
/** Of an op whose result is its operand. */
onnx_mapping onnx_same;
/** Of an elementwise op that is one node of ONNX; a descriptor's `onnx_op` stands for it. */
void onnx_elementwise(onnx_call *c, const char *op);
/** Of one whose result is 1 where this node says true, else 0. */
void onnx_decision(onnx_call *c, const char *op);
/** Of an op that is a node with the attribute axis; its result has all axes. */
void onnx_along_axis(onnx_call *c, const char *op, int64_t axis);
/** Of one that takes these axes together. `listed`: ONNX has them as an input, not as an attribute. */
void onnx_reduce(onnx_call *c, const char *op, int64_t axes, bool listed);
/** Of one that moves windows over maps, operand 0; K: filters as a further input, 0: none. size, steps: of the
 *  window, its strides and dilations along height and width; pad: top, bottom, left, right, NULL: none. Zeros around the
 *  map become pads where filters are. Returns the result. */
onnx_tensor onnx_windows(onnx_call *c, const char *op, onnx_tensor K, const int64_t size[2],
                         const int64_t steps[4], const int64_t pad[4]);

/* ---- operands ------------------------------------------------------------------------------------ */

/** Operand k of an elementwise op, which broadcasts to the others. */
onnx_tensor onnx_aligned(onnx_call *c, int k);
/** Operand k with all its axes and elements, in this order. */
onnx_tensor onnx_whole(onnx_call *c, int k, const onnx_order *order);
/** Operand k in the tape's order, its last n axes whole: those before them may be left to broadcasting. */
onnx_tensor onnx_ending(onnx_call *c, int k, int n);
/** The order in which operand k lies. */
onnx_order onnx_order_of(onnx_call *c, int k);
/** The order of the tape. */
onnx_order onnx_plain(int rank);
/** The tensor's axis that is this one of the variable. */
int onnx_axis(const onnx_order *order, int64_t axis);
/** The sizes in this order of a variable's axes. */
onnx_shape onnx_ordered(const onnx_shape *shape, const onnx_order *order);
/** The sizes of operand 0 in this order, without these axes. */
onnx_shape onnx_without(const onnx_call *c, const onnx_order *order, int64_t axes);
/** True if operand k is something between zeros along these axes alone: lo[a] and hi[a] of them before and after
 *  axis a. It then becomes the operand. */
bool onnx_uncover(onnx_call *c, int k, int64_t axes, int64_t lo[], int64_t hi[]);

/* ---- nodes --------------------------------------------------------------------------------------- */

/** A node of n inputs; its first output, of this type and shape. */
onnx_tensor onnx_node(onnx_call *c, const char *op, int n, const onnx_tensor in[], onnx_type type,
                      onnx_shape shape);
/** One that goes elementwise over what its inputs broadcast to. */
onnx_tensor onnx_map(onnx_call *c, const char *op, int n, const onnx_tensor in[], onnx_type type);
/** A further output of the node that made y. */
onnx_tensor onnx_second(onnx_call *c, onnx_tensor y, onnx_type type, onnx_shape shape);
/** y in another type; what was one of that type before it was y is taken back. */
onnx_tensor onnx_cast(onnx_call *c, onnx_tensor y, onnx_type type);
/** x and then y along this axis of theirs; with what they themselves are joined of, in one node. */
onnx_tensor onnx_joined(onnx_call *c, onnx_tensor x, onnx_tensor y, int axis, onnx_shape shape);
/** y with other sizes. */
onnx_tensor onnx_reshaped(onnx_call *c, onnx_tensor y, onnx_shape shape);
/** y, all sizes of which are 1 where they are not those of the shape, repeated. */
onnx_tensor onnx_repeated(onnx_call *c, onnx_tensor y, onnx_shape shape);

/** A stretch of an axis: from first to one before end, by steps; counted from the end where negative. */
typedef struct {
    int64_t first, end, step;
} onnx_stretch;
#define onnx_all ((onnx_stretch){0, INT64_MAX, 1})
/** y, in this order, cut to a stretch of each of the variable's axes. */
onnx_tensor onnx_slice(onnx_call *c, onnx_tensor y, const onnx_order *order,
                       const onnx_stretch along[], onnx_shape shape);

/** Attributes of the node that made y. */
void onnx_set(onnx_call *c, onnx_tensor y, const char *name, int64_t value);
void onnx_set_list(onnx_call *c, onnx_tensor y, const char *name, int n, const int64_t value[]);
void onnx_set_real(onnx_call *c, onnx_tensor y, const char *name, double value);
void onnx_set_text(onnx_call *c, onnx_tensor y, const char *name, const char *value);
/** The node that made y takes a bias along this axis of the result, as a third input, which makes it an `op`. */
void onnx_takes_bias(onnx_call *c, onnx_tensor y, const char *op, int axis);

/** Numbers that are known: a scalar; a whole number and a list of n, called by what they are for. */
onnx_tensor onnx_number(onnx_call *c, double value);
onnx_tensor onnx_integer(onnx_call *c, const char *what, int64_t value);
onnx_tensor onnx_list(onnx_call *c, const char *what, int n, const int64_t value[]);

bool onnx_size_is_one(const onnx_shape *shape, int axis);
bool onnx_same_size(const onnx_shape *a, int i, const onnx_shape *b, int j);

/* ---- results ------------------------------------------------------------------------------------- */

/** The result is y, in this order. */
void onnx_give(onnx_call *c, onnx_tensor y, const onnx_order *order);
/** The result of an elementwise op is y. */
void onnx_give_aligned(onnx_call *c, onnx_tensor y);
/** The result is y, which has operand 0's order without these axes. */
void onnx_give_without(onnx_call *c, onnx_tensor y, const onnx_order *order, int64_t axes);
/** The result is operand 0, whose axis k is now axis[k]; -1: it has one element and is none. No node. */
void onnx_relabel(onnx_call *c, const int axis[]);
/** True if the result is operand k's, its node taking the other operand, a known vector, as its bias. */
bool onnx_give_bias(onnx_call *c);

/** The op can't be written: "take: batches ...". */
void onnx_refuse(onnx_call *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** It can't because of a size that depends on the rows; with a fixed number of them it may. False if this
 *  size does not. */
bool onnx_refuse_rows(onnx_call *c, const onnx_shape *shape, int axis);

#endif
