/*
 * y[..., i, ...] = e^x_i / sum_r e^x_r along one axis; x and y have one shape.
 *
 * The shift by the largest element changes nothing and keeps every exponential at most 1.
 */
#include <math.h>
#include "attributes.h"

#ifdef SPOR_RULES

#include "export/onnx.h"

KERNELS(softmax);

static bool shape(spor_rule *r) {
    r->out = r->in[0];
    return rule_axis(r, r->attr[AXIS].i);
}

/* dx = y (ybar - sum along the axis of y ybar): all of the Jacobian y_i (delta_ij - y_j) */
static spor_var vjp(spor_var y, int k, spor_var ybar) {
    (void)k;
    int64_t axes = SPOR_AXIS(op_attrs(y)[AXIS].i);
    spor_var mean = spor_expand(spor_sum(op_pull(ybar, y), axes), axes, spor_shape_of(y));
    return op_pull(spor_sub(ybar, mean), y);
}

static spor_var parts(const spor_var in[], const spor_attr attr[]) {
    spor_shape shape = spor_shape_of(in[0]);
    int64_t axes = SPOR_AXIS(attr[AXIS].i);
    spor_var largest = spor_expand(spor_max(in[0], axes), axes, shape);
    spor_var e = spor_exp(spor_sub(in[0], largest));
    return spor_div(e, spor_expand(spor_sum(e, axes), axes, shape));
}

static void onnx(onnx_call *c) {
    onnx_along_axis(c, "Softmax", c->attr[AXIS].i);
}

static const spor_sample samples[] = {{.in = {{2, {3, 4}}}, .attr = {{1}}},
                                      {.in = {{2, {3, 4}}}, .attr = {{0}}},
                                      {.in = {{3, {2, 3, 2}}}, .attr = {{1}}},
                                      {.in = {{1, {1}}}, .attr = {{0}}},
                                      SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.in = {{2, {3, 4}}}, .attr = {{2}}, .message = "there is no axis 2 in x, of rank 2"},
    {.in = {{2, {3, 4}}}, .attr = {{-1}}, .message = "there is no axis -1 in x, of rank 2"},
    {.in = {{0, {0}}}, .attr = {{0}}, .message = "there is no axis 0 in x, of rank 0"},
    SPOR_END_MISTAKES};

/* SciPy, x and axis as below: print(scipy.special.softmax(x, axis).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}},
     .attr = {{1}},
     .x = {(const double[]){1, 2, -3, 4, 0.5, 6}},
     .out = {2, {2, 3}},
     .y = (const double[]){0.26762315414986243, 0.7274751568004648, 0.004901689049672921,
                           0.11877537623686385, 0.003586705577354715, 0.8776379181857815}},
    {.in = {{2, {2, 3}}},
     .attr = {{1}},
     .x = {(const double[]){1000, 999, -1000, -1000, -1001, -1000.5}},
     .out = {2, {2, 3}},
     .y = (const double[]){0.7310585786300049, 0.26894142136999516, 0, 0.506480391055654,
                           0.18632372322584762, 0.3071958857184984}},
    {.in = {{3, {2, 3, 2}}},
     .attr = {{1}},
     .x = {(const double[]){2, -1, 0, 5, 3, -4, 1.5, 6, -7, 2, 0.5, 0.25}},
     .out = {3, {2, 3, 2}},
     .y = (const double[]){0.25949646034241913, 0.0024723188026737402, 0.035119026959339716,
                           0.9974045916920704, 0.7053845126982411, 0.00012308950525587303,
                           0.7309498518155642, 0.9789540352966299, 0.00014872517417748488,
                           0.01793016859916221, 0.2689014230102584, 0.0031157961042077606}},
    {.in = {{2, {2, 2}}},
     .attr = {{1}},
     .x = {(const double[]){-HUGE_VAL, -HUGE_VAL, -HUGE_VAL, 3}},
     .out = {2, {2, 2}},
     .y = (const double[]){(double)NAN, (double)NAN, 0, 1}},
    {.in = {{2, {2, 3}}},
     .attr = {{0}},
     .x = {(const double[]){1, 2, -3, 4, 0.5, 6}},
     .out = {2, {2, 3}},
     .y = (const double[]){0.04742587317756678, 0.8175744761936437, 0.00012339457598623172,
                           0.9525741268224334, 0.18242552380635632, 0.9998766054240137}},
    SPOR_END_GOLDEN};

const spor_op spor_op_softmax = {
    .signature = "softmax(x[*]; axis:axis)",
    .equation = "y = e^x / sum e^x along the axis",
    .traits = SPOR_MIXES_SAMPLES | SPOR_LIBRARY | SPOR_SHARES | SPOR_LOGITS,
    .operands = 1,
    .attrs = 1,
    .shape = shape,
    .vjp = vjp,
    .parts = parts,
    .onnx = onnx,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = softmax_reference,
};

spor_var spor_softmax(spor_var x, int axis) {
    return op_record(&spor_op_softmax, &x, &(spor_attr){.i = axis});
}

#else

#include "line.h"

REFERENCE_KERNEL(softmax) {
    int axis = (int)c->attr[AXIS].i;
    spor_shape lines = c->out.shape;
    lines.n[axis] = 1;
    EACH_INDEX(i, lines) {
        int64_t at[SPOR_RANK];
        for (int k = 0; k < SPOR_RANK; k++) at[k] = i[k];
        T shift = SHIFT(line_largest(&c->in[0], i, axis));
        T sum = line_sum_exp(&c->in[0], i, axis, shift);
        for (at[axis] = 0; at[axis] < c->out.shape.n[axis]; at[axis]++)
            *AT(c->out, at) = DIV(EXP(SUB(*AT(c->in[0], at), shift)), sum);
    }
}

#endif
