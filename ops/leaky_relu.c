/*
 * y = x if x > 0 else slope x, element by element; x [...], y [...]. slope >= 0, so that y > 0
 * exactly where x > 0 and the derivative can be taken at y.
 */
#include <math.h>
#include "attributes.h"
#include "elementwise.h"

enum { SLOPE_ERROR = SLOPE + 1, SLOPE_SLOTS };

#ifdef SPOR_RULES

#include "export/onnx.h"

ELEMENT_KERNELS(leaky_relu);

static bool shape(spor_rule *r) {
    double slope = r->attr[SLOPE].r;
    if (!(slope >= 0 && slope <= 1e30))
        return rule_fail(r, "the slope must be a number from 0 to 1e30 but is %g", slope);
    return rule_error(r, "slope", r->attr[SLOPE_ERROR].r) && rule_elementwise(r);
}

/* dx = ybar (s + slope (1 - s)), s = step(y): exactly 1 or slope */
static spor_var vjp(spor_var y, int k, spor_var ybar) {
    (void)k;
    spor_shape of = spor_shape_of(y);
    spor_var s = spor_step(y), one = op_fill_ratio(y.tape, 1, 1, of);
    const spor_attr *attr = op_attrs(y);
    spor_var slope = op_fill(y.tape, attr[SLOPE].r, attr[SLOPE_ERROR].r, of);
    return spor_mul(ybar, spor_add(s, spor_mul(slope, spor_sub(one, s))));
}

static void onnx(onnx_call *c) {
    onnx_tensor x = onnx_aligned(c, 0), y = onnx_map(c, "LeakyRelu", 1, &x, ONNX_NUMBER);
    onnx_set_real(c, y, "alpha", c->attr[SLOPE].r);
    onnx_give_aligned(c, y);
}

static const spor_sample samples[] = {{.in = {{2, {3, 4}}}, .attr = {{.r = 0.01}, {.r = 0x1p-59}}},
                                      {.in = {{0, {0}}}, .attr = {{.r = 0.25}}},
                                      {.in = {{4, {2, 1, 3, 2}}}, .attr = {{.r = 0}}},
                                      {.in = {{2, {2, 5}}}, .attr = {{.r = 3}}},
                                      SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.in = {{1, {3}}}, .attr = {{.r = -0.5}}, .message = "a number from 0 to 1e30 but is -0.5"},
    {.in = {{1, {3}}}, .attr = {{.r = HUGE_VAL}}, .message = "a number from 0 to 1e30 but is inf"},
    {.in = {{1, {3}}},
     .attr = {{.r = 1}, {.r = -1}},
     .message = "the error of slope must be at least 0 but is -1"},
    SPOR_END_MISTAKES};

/* NumPy, x and slope as below: print(np.where(x > 0, x, slope * x).ravel().tolist()) */
static const spor_golden golden[] = {{.in = {{2, {2, 3}}},
                                      .attr = {{.r = 0.01}},
                                      .x = {(const double[]){-2, -0.5, 0, 0.25, 1, 3}},
                                      .out = {2, {2, 3}},
                                      .y = (const double[]){-0.02, -0.005, 0, 0.25, 1, 3}},
                                     {.in = {{2, {2, 1}}},
                                      .attr = {{.r = 0.3}},
                                      .x = {(const double[]){0.125, -1.75}},
                                      .out = {2, {2, 1}},
                                      .y = (const double[]){0.125, -0.525}},
                                     {.in = {{0, {0}}},
                                      .attr = {{.r = 0.2}},
                                      .x = {(const double[]){0.7}},
                                      .out = {0, {0}},
                                      .y = (const double[]){0.7}},
                                     SPOR_END_GOLDEN};

const spor_op spor_op_leaky_relu = {
    .signature = "leaky_relu(x[...]; slope:real=0.01)",
    .equation = "y = x if x > 0 else slope x",
    .convention = "the derivative at 0 is slope",
    .traits = SPOR_KINKED | SPOR_VALUE_SLOPE,
    .domain = {SPOR_TIE_FREE},
    .operands = 1,
    .attrs = SLOPE_SLOTS,
    .error = SLOPE_ERROR,
    .shape = shape,
    .vjp = vjp,
    .margin = margin_to_zero,
    .sides = {"x is negative", "x is positive"},
    .onnx = onnx,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = leaky_relu_reference,
    .tile = &leaky_relu_tiles,
};

spor_var spor_leaky_relu(spor_var x, double slope) {
    return op_record(&spor_op_leaky_relu, &x, (spor_attr[]){{.r = slope}, {.r = 0}});
}

#else

ELEMENT_KERNEL(leaky_relu, 1) {
    T scaled = MUL(KNOWN_TO(attr[SLOPE].r, attr[SLOPE_ERROR].r), x[0]);
    MASK positive = LESS(FROM_INT(0), x[0]);
    return OR_ELSE(PICK(positive, x[0], scaled), PICK(positive, scaled, x[0]), x[0]);
}

#endif
