/*
 * y[..., i, ...] = x_i - ln sum_r e^x_r along one axis, the logarithm of softmax; x and y have one
 * shape.
 *
 * x is shifted by the largest element before anything is summed or rounded: where a probability
 * underflows its logarithm does not, and large x lose nothing against their differences.
 */
#include <math.h>
#include "attributes.h"

#ifdef SPOR_RULES

#include "export/onnx.h"

KERNELS(log_softmax);

static bool shape(spor_rule *r) {
    r->out = r->in[0];
    return rule_axis(r, r->attr[AXIS].i);
}

/* dx = ybar - softmax(x) sum along the axis of ybar */
static spor_var vjp(spor_var y, int k, spor_var ybar) {
    spor_var x = op_operand(y, k);
    int64_t axis = op_attrs(y)[AXIS].i;
    spor_var total =
        spor_expand(spor_sum(ybar, SPOR_AXIS(axis)), SPOR_AXIS(axis), spor_shape_of(x));
    return spor_sub(ybar, op_pull(total, spor_softmax(x, (int)axis)));
}

static spor_var parts(const spor_var in[], const spor_attr attr[]) {
    spor_shape shape = spor_shape_of(in[0]);
    int64_t axes = SPOR_AXIS(attr[AXIS].i);
    spor_var less = spor_sub(in[0], spor_expand(spor_max(in[0], axes), axes, shape));
    spor_var total = spor_log(spor_sum(spor_exp(less), axes));
    return spor_sub(less, spor_expand(total, axes, shape));
}

static void onnx(onnx_call *c) {
    onnx_along_axis(c, "LogSoftmax", c->attr[AXIS].i);
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

/* SciPy, x and axis as below: print(scipy.special.log_softmax(x, axis).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}},
     .attr = {{1}},
     .x = {(const double[]){1, 2, -3, 4, 0.5, 6}},
     .out = {2, {2, 3}},
     .y = (const double[]){-1.3181754292474541, -0.31817542924745407, -5.318175429247454,
                           -2.130521164270609, -5.630521164270609, -0.13052116427060892}},
    {.in = {{2, {2, 3}}},
     .attr = {{1}},
     .x = {(const double[]){1000, 999, -1000, -1000, -1001, -1000.5}},
     .out = {2, {2, 3}},
     .y = (const double[]){-0.3132616875182228, -1.3132616875182228, -2000.3132616875182,
                           -0.6802696706417346, -1.6802696706417346, -1.1802696706417346}},
    {.in = {{2, {2, 3}}},
     .attr = {{0}},
     .x = {(const double[]){1, 2, -3, 4, 0.5, 6}},
     .out = {2, {2, 3}},
     .y = (const double[]){-3.048587351573742, -0.2014132779827524, -9.000123402189724,
                           -0.04858735157374196, -1.7014132779827524, -0.00012340218972333965}},
    {.in = {{3, {2, 3, 2}}},
     .attr = {{1}},
     .x = {(const double[]){2, -1, 0, 5, 3, -4, 1.5, 6, -7, 2, 0.5, 0.25}},
     .out = {3, {2, 3, 2}},
     .y = (const double[]){-1.3490122167681866, -6.002598782219121, -3.3490122167681866,
                           -0.0025987822191211644, -0.3490122167681865, -9.00259878221912,
                           -0.3134104237530857, -0.021270588221228872, -8.813410423753085,
                           -4.0212705882212285, -1.3134104237530857, -5.7712705882212285}},
    {.in = {{2, {1, 2}}},
     .attr = {{1}},
     .x = {(const double[]){1000000, 1000000}},
     .out = {2, {1, 2}},
     .y = (const double[]){-0.6931471805599453, -0.6931471805599453}},
    {.in = {{2, {2, 2}}},
     .attr = {{1}},
     .x = {(const double[]){-HUGE_VAL, -HUGE_VAL, -HUGE_VAL, 3}},
     .out = {2, {2, 2}},
     .y = (const double[]){(double)NAN, (double)NAN, -HUGE_VAL, 0}},
    SPOR_END_GOLDEN};

const spor_op spor_op_log_softmax = {
    .signature = "log_softmax(x[*]; axis:axis)",
    .equation = "y = x - ln sum e^x along the axis",
    .traits = SPOR_MIXES_SAMPLES | SPOR_LIBRARY | SPOR_LOGITS,
    .operands = 1,
    .attrs = 1,
    .shape = shape,
    .vjp = vjp,
    .parts = parts,
    .onnx = onnx,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = log_softmax_reference,
};

spor_var spor_log_softmax(spor_var x, int axis) {
    return op_record(&spor_op_log_softmax, &x, &(spor_attr){.i = axis});
}

#else

#include "line.h"

REFERENCE_KERNEL(log_softmax) {
    int axis = (int)c->attr[AXIS].i;
    spor_shape lines = c->out.shape;
    lines.n[axis] = 1;
    EACH_INDEX(i, lines) {
        int64_t at[SPOR_RANK];
        for (int k = 0; k < SPOR_RANK; k++) at[k] = i[k];
        T shift = SHIFT(line_largest(&c->in[0], i, axis));
        T sum = line_sum_exp(&c->in[0], i, axis, shift);
        for (at[axis] = 0; at[axis] < c->out.shape.n[axis]; at[axis]++)
            *AT(c->out, at) = SUB(SUB(*AT(c->in[0], at), shift), LOG(sum));
    }
}

#endif
