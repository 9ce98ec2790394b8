/*
 * z = ln sum_r e^x_r along one axis, which vanishes from the shape.
 *
 * Where the largest x is infinite or not a number, z is it: -inf of an axis of -inf.
 */
#include <math.h>
#include "attributes.h"

#ifdef SPOR_RULES

#include "export/onnx.h"

KERNELS(logsumexp);

static bool shape(spor_rule *r) {
    if (!rule_axis(r, r->attr[AXIS].i)) return false;
    r->out = without_axes(&r->in[0], SPOR_AXIS(r->attr[AXIS].i));
    return rule_some(r, SPOR_AXIS(r->attr[AXIS].i));
}

/* dx = zbar softmax(x) */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    spor_var x = op_operand(z, k);
    int64_t axis = op_attrs(z)[AXIS].i;
    spor_var along = spor_expand(zbar, SPOR_AXIS(axis), spor_shape_of(x));
    return op_pull(along, spor_softmax(x, (int)axis));
}

/* m + ln sum e^(x - m), where the largest x, m, is finite: m - m is 0 and no NaN; else m */
static spor_var parts(const spor_var in[], const spor_attr attr[]) {
    int64_t axes = SPOR_AXIS(attr[AXIS].i);
    spor_var m = spor_max(in[0], axes);
    spor_var less = spor_sub(in[0], spor_expand(m, axes, spor_shape_of(in[0])));
    spor_var z = spor_add(m, spor_log(spor_sum(spor_exp(less), axes)));
    spor_var one = op_fill_ratio(m.tape, 1, 1, spor_shape_of(m));
    return spor_where(spor_less(spor_sub(m, m), one), z, m);
}

static void onnx(onnx_call *c) {
    onnx_reduce(c, "ReduceLogSumExp", INT64_C(1) << c->attr[AXIS].i, false);
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

/* SciPy, x and axis as below: print(scipy.special.logsumexp(x, axis).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}},
     .attr = {{1}},
     .x = {(const double[]){1, 2, -3, 4, 0.5, 6}},
     .out = {1, {2}},
     .y = (const double[]){2.318175429247454, 6.130521164270609}},
    {.in = {{2, {2, 3}}},
     .attr = {{1}},
     .x = {(const double[]){1000, 999, -1000, -1000, -1001, -1000.5}},
     .out = {1, {2}},
     .y = (const double[]){1000.3132616875182, -999.3197303293583}},
    {.in = {{3, {2, 3, 2}}},
     .attr = {{1}},
     .x = {(const double[]){2, -1, 0, 5, 3, -4, 1.5, 6, -7, 2, 0.5, 0.25}},
     .out = {2, {2, 2}},
     .y = (const double[]){3.3490122167681866, 5.002598782219121, 1.8134104237530857,
                           6.0212705882212285}},
    {.in = {{2, {2, 3}}},
     .attr = {{0}},
     .x = {(const double[]){1, 2, -3, 4, 0.5, 6}},
     .out = {1, {3}},
     .y = (const double[]){4.048587351573742, 2.2014132779827524, 6.000123402189724}},
    {.in = {{2, {5, 2}}},
     .attr = {{1}},
     .x = {(const double[]){-HUGE_VAL, -HUGE_VAL, HUGE_VAL, 1, HUGE_VAL, HUGE_VAL, -HUGE_VAL, 3, 1,
                            (double)NAN}},
     .out = {1, {5}},
     .y = (const double[]){-HUGE_VAL, HUGE_VAL, HUGE_VAL, 3, (double)NAN}},
    SPOR_END_GOLDEN};

const spor_op spor_op_logsumexp = {
    .signature = "logsumexp(x[*]; axis:axis)",
    .equation = "z = ln sum e^x along the axis",
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
    .reference = logsumexp_reference,
};

spor_var spor_logsumexp(spor_var x, int axis) {
    return op_record(&spor_op_logsumexp, &x, &(spor_attr){.i = axis});
}

#else

#include "line.h"

REFERENCE_KERNEL(logsumexp) {
    int axis = (int)c->attr[AXIS].i;
    EACH_INDEX(i, c->out.shape) {
        int64_t at[SPOR_RANK] = {0};
        for (int k = 0; k < c->in[0].shape.rank; k++)
            if (k != axis) at[k] = i[k < axis ? k : k - 1];
        T largest = line_largest(&c->in[0], at, axis), shift = SHIFT(largest);
        T *z = AT(c->out, i);
        *z = largest; /* an infinite one outweighs the rest, and shifts nothing */
        if (line_is_finite(largest)) *z = ADD(shift, LOG(line_sum_exp(&c->in[0], at, axis, shift)));
    }
}

#endif
