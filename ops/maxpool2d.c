/*
 * z[n,i,j,c] = the largest x[n,.,.,c] of window (i, j), Eqs. (82)-(86) with the pads made
 * explicit; x [N,H,W,C], z [N,P,Q,C]. window.h says which cells a window covers.
 */
#include "window.h"

#ifdef SPOR_RULES

#include "window_written.h"
#include "export/onnx.h"

KERNELS(maxpool2d);
KERNELS(lead);

static bool shape(spor_rule *r) {
    return rule_rank(r, 0, 4) && rule_window(r, r->attr, &r->in[0], &r->out);
}

/* dx = zbar added to where the winners lie */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    return spor_route(op_operand(z, k), zbar, attr_to_window(op_attrs(z)));
}

/* The other branch is where the next of the window wins. */
static spor_var margin(spor_var z) {
    return window_lead(op_operand(z, 0), attr_to_window(op_attrs(z)));
}

static void onnx(onnx_call *c) {
    const spor_window w = attr_to_window(c->attr);
    const int64_t steps[] = {w.stride[0], w.stride[1], 1, 1};
    onnx_windows(c, "MaxPool", 0, w.size, steps, w.pad);
}

static const spor_sample samples[] = {
    {.in = {{4, {2, 4, 3, 2}}}, .attr = {{2}, {2}, {2}, {2}}},
    {.in = {{4, {1, 5, 4, 1}}}, .attr = {{3}, {2}, {1}, {1}, {1}, {2}, {0}, {1}}},
    {.in = {{4, {1, 1, 1, 1}}}, .attr = {{1}, {1}, {1}, {1}}},
    {.in = {{4, {1, 3, 2, 1}}}, .attr = {{3}, {2}, {1}, {4}}},
    {.in = {{4, {1, 4, 6, 1}}}, .attr = {{1}, {2}, {3}, {3}}},
    {.in = {{4, {1, 2, 2, 5}}}, .attr = {{2}, {1}, {1}, {2}, {0}, {1}, {0}, {0}}},
    SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.in = {{3, {4, 3, 2}}},
     .attr = {{2}, {2}, {2}, {2}},
     .message = "x has 3 axes but maxpool2d expects 4 [N, H, W, C]"},
    {.in = {{4, {1, 4, 3, 1}}},
     .attr = {{0}, {2}, {2}, {2}},
     .message = "the window's height is 0 but must be at least 1"},
    {.in = {{4, {1, 4, 3, 1}}},
     .attr = {{2}, {2}, {2}, {0}},
     .message = "the stride along the width is 0 but must be at least 1"},
    {.in = {{4, {1, 4, 3, 1}}},
     .attr = {{2}, {2}, {1}, {1}, {0}, {-1}},
     .message = "the pads of the height are 0 and -1 but must be at least 0"},
    {.in = {{4, {1, 4, 3, 1}}},
     .attr = {{2}, {2}, {1}, {1}, {0}, {0}, {2}, {0}},
     .message = "a window may lie wholly outside the map"},
    {.in = {{4, {1, 4, 3, 1}}},
     .attr = {{2}, {5}, {1}, {1}, {0}, {0}, {1}, {0}},
     .message = "the window's width is 5 but the padded map has only 4"},
    {.in = {{4, {1, 4, 3, 1}}},
     .attr = {{INT64_MAX}, {1}, {1}, {1}, {INT64_MAX - 1}, {INT64_MAX - 1}},
     .message = "the height is too large"},
    SPOR_END_MISTAKES};

/* NumPy, x, size, stride and pad as below:
 * win = lambda x: np.lib.stride_tricks.sliding_window_view(np.pad(x, ((0, 0), pad[:2], pad[2:],
 * (0, 0)), constant_values=np.nan), size, (1, 2))[:, ::stride[0], ::stride[1]]
 * print(np.nanmax(win(x), (4, 5)).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{4, {1, 4, 3, 2}}},
     .attr = {{2}, {2}, {2}, {1}, {0}, {0}, {0}, {0}},
     .x = {(const double[]){-1,  2,    -2.5, -5.5, 1,   -9, 0,   -0.5, -8, -4.5, -5, -8.5,
                            0.5, -6.5, -7.5, -3.5, 1.5, -2, 2.5, -3,   -6, -4,   -7, -1.5}},
     .out = {4, {1, 2, 2, 2}},
     .y = (const double[]){0, 2, 1, -4.5, 2.5, -3, 1.5, -1.5}},
    {.in = {{4, {2, 3, 5, 1}}},
     .attr = {{3}, {2}, {1}, {3}, {1}, {0}, {0}, {1}},
     .x = {(const double[]){-2.75,  -9.75, -3.75, 2.75,  -7.25,  1.75,  -0.25, -9.25,
                            -1.75,  -3.25, -1.25, -8.75, 2.25,   -6.75, -2.25, -8.25,
                            -5.75,  -5.25, 1.25,  -6.25, -4.25,  0.25,  -0.75, -10.25,
                            -10.75, -7.75, -4.75, 0.75,  -11.25, 3.25}},
     .out = {4, {2, 2, 2, 1}},
     .y = (const double[]){1.75, 2.75, 1.75, 2.75, 0.25, 1.25, 0.25, 3.25}},
    {.in = {{4, {1, 2, 4, 1}}},
     .attr = {{1}, {3}, {2}, {2}, {0}, {0}, {2}, {1}},
     .x = {(const double[]){0.5, 0, -0.5, -2, -1, -3, -1.5, -2.5}},
     .out = {4, {1, 1, 3, 1}},
     .y = (const double[]){0.5, 0.5, -0.5}},
    {.in = {{4, {1, 2, 3, 1}}},
     .attr = {{2}, {2}, {1}, {2}, {1}, {1}, {0}, {1}},
     .x = {(const double[]){-1, -2, -3, -4, -5, -6}},
     .out = {4, {1, 3, 2, 1}},
     .y = (const double[]){-1, -3, -1, -3, -4, -6}},
    SPOR_END_GOLDEN};

static bool cells(const spor_call *c, cells_window *w) {
    return cells_of_windows(c, CELLS_LARGEST, w);
}

static void loops(spor_c *c, const spor_call *call) {
    const int64_t *map = call->in[0].shape.n, *count = call->out.shape.n;
    write_each_window(c, call->attr, map, count);
    write_winner(c, map);
    c_line(c, "out[((n * %" PRId64 " + p) * %" PRId64 " + q) * %" PRId64 " + k] = x[winner];",
           count[1], count[2], count[3]);
    c_line(c, "}");
    c_line(c, "}");
}

const spor_op spor_op_maxpool2d = {
    .signature = "maxpool2d(x[N,H,W,C]; size:int2, stride:int2=size, pad:int4=0)",
    .equation = "z[n,i,j,c] = largest x[n,.,.,c] of window (i, j)",
    .convention = "padding never wins; the first maximum in row-major order wins a tie; a window "
                  "wholly outside the map is an error",
    .traits = SPOR_KINKED | SPOR_SLIDES,
    .domain = {SPOR_TIE_FREE},
    .operands = 1,
    .attrs = WINDOW_SLOTS,
    .shape = shape,
    .vjp = vjp,
    .margin = margin,
    .sides = {"an element loses", "an element wins"},
    .onnx = onnx,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = maxpool2d_reference,
    .c_loops = loops,
    .cells = cells,
};

spor_var spor_maxpool2d(spor_var x, spor_window w) {
    spor_attr attr[WINDOW_SLOTS];
    window_to_attr(w, attr);
    return op_record(&spor_op_maxpool2d, &x, attr);
}

/* ---- the margin of what windows decide ---- */

/* Not in the registry: no formula needs it, and it has no derivative. */
const spor_op spor_op_lead = {
    .signature = "lead(x[N,H,W,C]; size:int2, stride:int2=size, pad:int4=0)",
    .equation = "z = the largest x of the window less the next one",
    .operands = 1,
    .attrs = WINDOW_SLOTS,
    .shape = shape,
    .reference = lead_reference,
};

spor_var window_lead(spor_var x, spor_window w) {
    spor_attr attr[WINDOW_SLOTS];
    window_to_attr(w, attr);
    return op_record(&spor_op_lead, &x, attr);
}

#else

REFERENCE_KERNEL(maxpool2d) {
    EACH_INDEX(i, c->out.shape)
    *AT(c->out, i) = window_value(&c->in[0], &c->in[0], c->attr, i);
}

/* Farther away than anything that is compared, and a number in float too. */
static T no_rival(void) {
    return FROM_REAL(0x1p126);
}

REFERENCE_KERNEL(lead) {
    EACH_INDEX(i, c->out.shape) {
        window_cell best = window_winner(&c->in[0], c->attr, i[0], i[1], i[2], i[3]);
        window_range rows = window_cells(c->attr, 0, c->in[0].shape.n[1], i[1]);
        window_range columns = window_cells(c->attr, 1, c->in[0].shape.n[2], i[2]);
        T largest = *AT4(c->in[0], i[0], best.i, best.j, i[3]), least = no_rival();
        for (int64_t u = rows.from; u < rows.to; u++)
            for (int64_t v = columns.from; v < columns.to; v++) {
                if (u == best.i && v == best.j) continue;
                T lead = SUB(largest, *AT4(c->in[0], i[0], u, v, i[3]));
                if (NEARER(lead, least)) least = lead;
            }
        *AT(c->out, i) = least;
    }
}

#endif
