/*
 * z = x where c is not 0, else y, element by element; c, x, y, z [...]. c is a mask, as computed:
 * it only decides. What made it, a comparison say, has the margin; a mask that is arithmetic has
 * none.
 */
#include <math.h>

#include "tape/op.h"

#ifdef SPOR_RULES

#include "export/onnx.h"

ELEMENT_KERNELS(where);

/* dc = 0, dx = zbar where c is not 0, dy = zbar where it is. Chosen, not multiplied: a branch that
 * was not taken gets 0 though its own slope be infinite. */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    spor_var c = op_operand(z, 0);
    if (k == 0) return op_none();
    spor_var zero = op_fill_ratio(z.tape, 0, 1, spor_shape_of(z));
    return op_masked(k == 1 ? spor_where(c, zbar, zero) : spor_where(c, zero, zbar));
}

static void onnx(onnx_call *c) {
    const onnx_tensor in[] = {onnx_cast(c, onnx_aligned(c, 0), ONNX_BOOL), onnx_aligned(c, 1),
                              onnx_aligned(c, 2)};
    onnx_give_aligned(c, onnx_map(c, "Where", 3, in, ONNX_NUMBER));
}

static const spor_sample samples[] = {
    {.in = {{2, {3, 4}}, {2, {3, 4}}, {2, {3, 4}}}},
    {.in = {{0, {0}}, {0, {0}}, {0, {0}}}},
    {.in = {{4, {2, 1, 3, 2}}, {4, {2, 1, 3, 2}}, {4, {2, 1, 3, 2}}}},
    SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.in = {{2, {3, 4}}, {2, {4, 3}}, {2, {3, 4}}}, .message = "c and x must have one shape"},
    {.in = {{2, {3, 4}}, {2, {3, 4}}, {1, {4}}}, .message = "c and y must have one shape"},
    SPOR_END_MISTAKES};

/* NumPy, c, x and y as below: print(np.where(c, x, y).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}, {2, {2, 3}}, {2, {2, 3}}},
     .x = {(const double[]){1, 0, -0.5, 0, (double)NAN, 1},
           (const double[]){-2, -0.5, 0, 0.25, 1, 3}, (const double[]){1, 7, 4, -0.25, 2, 0.5}},
     .out = {2, {2, 3}},
     .y = (const double[]){-2, 7, 0, -0.25, 1, 3}},
    {.in = {{2, {2, 1}}, {2, {2, 1}}, {2, {2, 1}}},
     .x = {(const double[]){0, 1}, (const double[]){(double)INFINITY, 2},
           (const double[]){3, (double)NAN}},
     .out = {2, {2, 1}},
     .y = (const double[]){3, 2}},
    {.in = {{0, {0}}, {0, {0}}, {0, {0}}},
     .x = {(const double[]){1}, (const double[]){0.75}, (const double[]){-0.25}},
     .out = {0, {0}},
     .y = (const double[]){0.75}},
    SPOR_END_GOLDEN};

/* One or the other. What decides makes no mask of them: where(c, 1, 0) says that two numbers are meant. */
static unsigned truth(const spor_attr attr[], const unsigned in[]) {
    (void)attr;
    return in[1] && in[2] ? in[1] | in[2] : 0;
}

const spor_op spor_op_where = {
    .signature = "where(c[...], x[...], y[...])",
    .equation = "z = x if c != 0 else y",
    .convention = "c only decides; not a number is not 0, as in NumPy",
    .traits = SPOR_LINEAR_REST,
    .operands = 3,
    .shape = rule_elementwise,
    .truth = truth,
    .vjp = vjp,
    .onnx = onnx,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = where_reference,
    .tile = &where_tiles,
};

spor_var spor_where(spor_var c, spor_var x, spor_var y) {
    return op_record(&spor_op_where, (spor_var[]){c, x, y}, NULL);
}

#else

ELEMENT_KERNEL(where, 3) {
    T zero = FROM_INT(0);
    MASK is_set = LESS(zero, x[0]) | LESS(x[0], zero) | IS_NAN(x[0]);
    return OR_ELSE(PICK(is_set, x[1], x[2]), PICK(is_set, x[2], x[1]), x[0]);
}

#endif
