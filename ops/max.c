/*
 * z = the largest x over a set of axes, which vanish from the shape.
 */
#include <math.h>

#include "window.h"

#ifdef SPOR_RULES

#include "export/onnx.h"

KERNELS(max);

static bool shape(spor_rule *r) {
    if (!rule_axes(r, r->attr[AXES].i, "x", r->in[0].rank)) return false;
    r->out = without_axes(&r->in[0], r->attr[AXES].i);
    return rule_some(r, r->attr[AXES].i);
}

/* The order of axes that puts the vanishing ones last, and its inverse. */
static void reduced_last(int rank, int64_t axes, int64_t perm[], int64_t inverse[]) {
    int to = 0;
    for (int k = 0; k < rank; k++)
        if (!in_axes(axes, k)) perm[to++] = k;
    for (int k = 0; k < rank; k++)
        if (in_axes(axes, k)) perm[to++] = k;
    for (int k = 0; k < rank; k++) inverse[perm[k]] = k;
}

/* Each set of R elements of which one wins as a window of R x 1 over a map of its own. */
typedef struct {
    spor_var ordered; /* x with the vanishing axes last */
    spor_var maps;    /* [rows, R, 1, 1] */
    int64_t rows;
    spor_window window;
    int64_t inverse[SPOR_RANK]; /* ordered back to x */
} sets;

static sets sets_of(spor_var z) {
    spor_var x = op_operand(z, 0);
    spor_shape of = spor_shape_of(x), kept = spor_shape_of(z);
    int64_t perm[SPOR_RANK], rows = shape_size(&kept), reduced = shape_size(&of) / rows;
    sets s = {.rows = rows, .window = {.size = {reduced, 1}, .stride = {1, 1}}};
    reduced_last(of.rank, op_attrs(z)[AXES].i, perm, s.inverse);
    s.ordered = spor_transpose(x, perm);
    s.maps = spor_reshape(s.ordered, SPOR_SHAPE(rows, reduced, 1, 1));
    return s;
}

/* dx = route(x, zbar), which sends zbar to the first largest */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    (void)k;
    sets s = sets_of(z);
    spor_var dmaps = spor_route(s.maps, spor_reshape(zbar, SPOR_SHAPE(s.rows, 1, 1, 1)), s.window);
    return spor_transpose(spor_reshape(dmaps, spor_shape_of(s.ordered)), s.inverse);
}

/* The other branch is where the next of the set wins. */
static spor_var margin(spor_var z) {
    sets s = sets_of(z);
    return spor_reshape(window_lead(s.maps, s.window), spor_shape_of(z));
}

static void onnx(onnx_call *c) {
    onnx_reduce(c, "ReduceMax", c->attr[AXES].i, false);
}

static const spor_sample samples[] = {{.in = {{2, {3, 4}}}, .attr = {{1}}},
                                      {.in = {{2, {3, 4}}}, .attr = {{2}}},
                                      {.in = {{4, {2, 3, 1, 2}}}, .attr = {{5}}},
                                      {.in = {{3, {2, 3, 2}}}, .attr = {{7}}},
                                      {.in = {{2, {2, 3}}}, .attr = {{0}}},
                                      {.in = {{0, {0}}}, .attr = {{0}}},
                                      SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.in = {{2, {3, 4}}},
     .attr = {{4}},
     .message = "axes name an axis that x, of rank 2, does not have"},
    {.in = {{2, {3, 4}}}, .attr = {{-1}}, .message = "does not have"},
    {.in = {{2, {3, 0}}}, .attr = {{2}}, .message = "axis 1 of x is empty: nothing is the largest"},
    SPOR_END_MISTAKES};

/* NumPy, x and axes (a mask, here as a tuple) as below: print(x.max(axes).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}},
     .attr = {{1}},
     .x = {(const double[]){1, 2, -3, 4, 0.5, 6}},
     .out = {1, {3}},
     .y = (const double[]){4, 2, 6}},
    {.in = {{2, {2, 3}}},
     .attr = {{2}},
     .x = {(const double[]){1, 2, -3, 4, 0.5, 6}},
     .out = {1, {2}},
     .y = (const double[]){2, 6}},
    {.in = {{3, {2, 3, 2}}},
     .attr = {{5}},
     .x = {(const double[]){2, -1, 0, 5, 3, -4, 1.5, 6, -7, 2, 0.5, 0.25}},
     .out = {1, {3}},
     .y = (const double[]){6, 5, 3}},
    {.in = {{2, {2, 3}}},
     .attr = {{2}},
     .x = {(const double[]){-1, -2, -3, -6, -5, -4}},
     .out = {1, {2}},
     .y = (const double[]){-1, -4}},
    {.in = {{2, {3, 3}}},
     .attr = {{2}},
     .x = {(const double[]){(double)NAN, 1, 2, 1, (double)NAN, 2, 1, 2, (double)NAN}},
     .out = {1, {3}},
     .y = (const double[]){(double)NAN, (double)NAN, (double)NAN}},
    SPOR_END_GOLDEN};

static const spor_tiling tiles = {.role = SPOR_LARGEST};

static bool cells(const spor_call *c, cells_window *w) {
    return cells_of_axes(&c->in[0].shape, c->attr[AXES].i, CELLS_LARGEST, w);
}

const spor_op spor_op_max = {
    .signature = "max(x[*]; axes:axes)",
    .equation = "z = largest x over the axes",
    .convention = "the first maximum in row-major order gets the whole cotangent; what is not a "
                  "number wins",
    .traits = SPOR_KINKED | SPOR_MIXES_SAMPLES | SPOR_PICKS,
    .domain = {SPOR_TIE_FREE},
    .operands = 1,
    .attrs = 1,
    .shape = shape,
    .vjp = vjp,
    .margin = margin,
    .sides = {"an element loses", "an element wins"},
    .onnx = onnx,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = max_reference,
    .tile = &tiles,
    .cells = cells,
};

spor_var spor_max(spor_var x, int64_t axes) {
    return op_record(&spor_op_max, &x, &(spor_attr){.i = axes});
}

#else

/* x is read in row-major order, so each z meets first its element at 0 along the axes. */
REFERENCE_KERNEL(max) {
    int64_t axes = c->attr[AXES].i;
    EACH_INDEX(i, c->in[0].shape) {
        int64_t at[SPOR_RANK], past = 0;
        for (int k = 0, to = 0; k < c->in[0].shape.rank; k++)
            if (in_axes(axes, k))
                past += i[k];
            else
                at[to++] = i[k];
        T *z = AT(c->out, at), x = *AT(c->in[0], i);
        if (past == 0) *z = x;
        int wins = WINS(x, *z);
        *z = OR_ELSE(wins ? x : *z, wins ? *z : x, SUB(x, *z));
    }
}

#endif
