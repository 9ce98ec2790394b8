/*
 * lo[k] cells of fill before and hi[k] cells after axis k; a negative number crops:
 * z[i] = x[i - lo] where i - lo lies in x, else fill.
 *
 * This is how "same" and "full" of the report come about, and its p_delta of Eq. (10), negative
 * ones included. With fill 0 the op is linear; with another fill it is affine, z = A x + b, and
 * its derivative is that of A: the trait LINEAR speaks of A, and tests of it take z(u) - z(0).
 */
#include <math.h>

#include "attributes.h"
#include "kernels/copy.h"

/* The slot of what the fill may be off by. */
enum { PAD_ERROR = PAD_SLOTS, OWN_SLOTS };

#if defined(SPOR_RULES) || defined(SPOR_FAST)

/* Cells of the result from lo on, as many as x has, in so far as they are there. */
static task_part inside(const spor_call *c, int k) {
    int64_t lo = c->attr[PAD_LO + k].i, end = lo + c->in[0].shape.n[k], n = c->out.shape.n[k];
    int64_t first = carve_least(carve_most(lo, 0), n);
    return (task_part){first, carve_least(carve_most(end, first), n)};
}

/* What lies outside along an axis and inside along those before it is filled; the rest is x. */
static void pad_moves(const spor_call *c, copy_moves *m) {
    copy_box box = copy_whole(c);
    for (int k = 0; k < box.axes; k++) {
        task_part in = inside(c, k);
        copy_box before = copy_between(&box, k, 0, in.first);
        copy_box behind = copy_between(&box, k, in.end, box.axis[k].n);
        copy_fill(m, &before, c->attr[PAD_FILL].r);
        copy_fill(m, &behind, c->attr[PAD_FILL].r);
        box = copy_between(&box, k, in.first, in.end);
    }
    copy_steps(&box, c->in[0].stride);
    for (int k = 0; k < box.axes; k++)
        box.from += carve_most(-c->attr[PAD_LO + k].i, 0) * box.axis[k].from;
    copy_from(m, &box, 0);
}

#endif

#ifdef SPOR_RULES

#include "export/onnx.h"

KERNELS(pad);
FAST_KERNELS(pad);

static bool shape(spor_rule *r) {
    if (!rule_error(r, "fill", r->attr[PAD_ERROR].r)) return false;
    r->out = r->in[0];
    for (int k = 0; k < r->out.rank; k++) {
        int64_t n = r->in[0].n[k], lo = r->attr[PAD_LO + k].i, hi = r->attr[PAD_HI + k].i;
        if (lo < -LARGEST || lo > LARGEST || hi < -LARGEST || hi > LARGEST || n > LARGEST)
            return rule_fail(r, "the pads of axis %d are too large", k);
        r->out.n[k] = n + lo + hi;
        if (r->out.n[k] < 0)
            return rule_fail(r,
                             "pads %" PRId64 " and %" PRId64
                             " leave less than nothing of axis %d, which "
                             "has %" PRId64,
                             lo, hi, k, n);
    }
    return true;
}

/* dx = zbar cropped where x was padded and padded where x was cropped */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    (void)k;
    int64_t lo[SPOR_RANK], hi[SPOR_RANK];
    attr_to_per_axis(op_attrs(z) + PAD_LO, lo);
    attr_to_per_axis(op_attrs(z) + PAD_HI, hi);
    for (int a = 0; a < SPOR_RANK; a++) {
        lo[a] = -lo[a];
        hi[a] = -hi[a];
    }
    return spor_pad(zbar, lo, hi, 0);
}

static bool between_zeros(const spor_attr attr[], int64_t lo[], int64_t hi[]) {
    attr_to_per_axis(attr + PAD_LO, lo);
    attr_to_per_axis(attr + PAD_HI, hi);
    bool crops = false;
    for (int a = 0; a < SPOR_RANK; a++) crops = crops || lo[a] < 0 || hi[a] < 0;
    return !crops && fabs(attr[PAD_FILL].r) + attr[PAD_ERROR].r <= 0;
}

/* What is cut off may be what was put there: first grown, then cropped. */
static void onnx(onnx_call *c) {
    const onnx_order order = onnx_order_of(c, 0);
    const int rank = c->out.rank;
    int64_t pads[2 * SPOR_RANK], sum = 0;
    onnx_shape grown = c->in[0];
    onnx_stretch along[SPOR_RANK];
    for (int k = 0; k < rank; k++) {
        const int64_t lo = c->attr[PAD_LO + k].i, hi = c->attr[PAD_HI + k].i;
        const int64_t before = lo > 0 ? lo : 0, after = hi > 0 ? hi : 0;
        if ((lo || hi) && onnx_refuse_rows(c, &c->in[0], k)) return;
        pads[onnx_axis(&order, k)] = before;
        pads[rank + onnx_axis(&order, k)] = after;
        sum += before + after;
        grown.n[k] += before + after;
        along[k] = (onnx_stretch){lo < 0 ? -lo : 0, hi < 0 ? hi : INT64_MAX, 1};
    }
    onnx_tensor x = onnx_whole(c, 0, &order);
    const onnx_tensor in[] = {x, onnx_list(c, "pads", 2 * rank, pads),
                              onnx_number(c, c->attr[PAD_FILL].r)};
    if (sum) x = onnx_node(c, "Pad", 3, in, ONNX_NUMBER, onnx_ordered(&grown, &order));
    onnx_give(c, onnx_slice(c, x, &order, along, onnx_ordered(&c->out, &order)), &order);
}

static const spor_sample samples[] = {
    {.in = {{2, {3, 4}}}, .attr = {[PAD_LO] = {1}, {0}, [PAD_HI] = {2}, {1}}},
    {.in = {{2, {3, 4}}}, .attr = {[PAD_LO] = {-1}, {2}, [PAD_HI] = {0}, {-3}}},
    {.in = {{4, {2, 1, 2, 2}}}, .attr = {[PAD_LO + 1] = {1}, {0}, [PAD_HI + 1] = {1}, {1}}},
    {.in = {{1, {2}}}, .attr = {[PAD_LO] = {-3}, [PAD_HI] = {4}}},
    {.in = {{2, {2, 2}}}, .attr = {[PAD_LO] = {1}, [PAD_HI + 1] = {1}, [PAD_FILL] = {.r = -1.5}}},
    {.in = {{0, {0}}}},
    SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.in = {{2, {3, 4}}},
     .attr = {[PAD_LO] = {-1}, {-2}, [PAD_HI] = {0}, {-3}},
     .message = "pads -2 and -3 leave less than nothing of axis 1, which has 4"},
    {.in = {{1, {3}}},
     .attr = {[PAD_LO] = {INT64_MIN}, [PAD_HI] = {INT64_MAX}},
     .message = "the pads of axis 0 are too large"},
    {.in = {{1, {3}}},
     .attr = {[PAD_LO] = {LARGEST}, [PAD_HI] = {LARGEST}},
     .message = "the result would have more than"},
    {.in = {{1, {3}}},
     .attr = {[PAD_ERROR] = {.r = -1}},
     .message = "the error of fill must be at least 0 but is -1"},
    SPOR_END_MISTAKES};

/* NumPy, x, lo, hi and fill as below: y = np.pad(x, [(max(l, 0), max(h, 0)) for l, h in zip(lo,
 * hi)], constant_values=fill); print(y[tuple(slice(max(-l, 0), n - max(-h, 0)) for l, h, n in
 * zip(lo, hi, y.shape))].ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}},
     .attr = {[PAD_LO] = {1}, {0}, [PAD_HI] = {0}, {2}},
     .x = {(const double[]){1, 2, -3, 4, 0.5, 6}},
     .out = {2, {3, 5}},
     .y = (const double[]){0, 0, 0, 0, 0, 1, 2, -3, 0, 0, 4, 0.5, 6, 0, 0}},
    {.in = {{2, {2, 3}}},
     .attr = {[PAD_LO] = {-1}, {1}, [PAD_HI] = {2}, {-2}},
     .x = {(const double[]){1, 2, -3, 4, 0.5, 6}},
     .out = {2, {3, 2}},
     .y = (const double[]){0, 4, 0, 0, 0, 0}},
    {.in = {{3, {2, 3, 2}}},
     .attr = {[PAD_LO] = {0}, {-1}, {1}, [PAD_HI] = {0}, {0}, {0}, [PAD_FILL] = {.r = -2.5}},
     .x = {(const double[]){2, -1, 0, 5, 3, -4, 1.5, 6, -7, 2, 0.5, 0.25}},
     .out = {3, {2, 2, 3}},
     .y = (const double[]){-2.5, 0, 5, -2.5, 3, -4, -2.5, -7, 2, -2.5, 0.5, 0.25}},
    {.in = {{1, {2}}},
     .attr = {[PAD_LO] = {-3}, [PAD_HI] = {4}, [PAD_FILL] = {.r = 0.5}},
     .x = {(const double[]){5, 7}},
     .out = {1, {3}},
     .y = (const double[]){0.5, 0.5, 0.5}},
    SPOR_END_GOLDEN};

static const spor_fused fused = {.need = copy_need, .phase = {[SPOR_WORK] = pad_kernels}};

/* A part of x, or with the fill beside it. */
static unsigned truth(const spor_attr attr[], const unsigned in[]) {
    unsigned filled = known_number(attr[PAD_FILL].r);
    return in[0] && filled ? in[0] | filled : 0;
}

const spor_op spor_op_pad = {
    .signature = "pad(x[*]; lo:sizes, hi:sizes, fill:real=0)",
    .equation = "z[i] = x[i - lo], or fill outside x",
    .convention = "negative pads crop",
    .traits = SPOR_LINEAR | SPOR_MIXES_SAMPLES | SPOR_SLIDES,
    .operands = 1,
    .attrs = OWN_SLOTS,
    .error = PAD_ERROR,
    .shape = shape,
    .truth = truth,
    .vjp = vjp,
    .between_zeros = between_zeros,
    .onnx = onnx,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = pad_reference,
    .fused = &fused,
    .moves = pad_moves,
};

spor_var spor_pad(spor_var x, const int64_t lo[], const int64_t hi[], double fill) {
    return op_pad(x, lo, hi, fill, 0);
}

spor_var op_pad(spor_var x, const int64_t lo[], const int64_t hi[], double fill, double error) {
    spor_attr attr[OWN_SLOTS] = {[PAD_FILL] = {.r = fill}, [PAD_ERROR] = {.r = error}};
    if (!lo || !hi) return op_missing(x, lo ? "pad: hi" : "pad: lo");
    per_axis_to_attr(x, lo, attr + PAD_LO);
    per_axis_to_attr(x, hi, attr + PAD_HI);
    return op_record(&spor_op_pad, &x, attr);
}

#elif defined(SPOR_FAST)

FAST_KERNEL(pad) {
    copy_moves m = {0};
    pad_moves(c, &m);
    copy_all(c, task, &m);
}

#else

REFERENCE_KERNEL(pad) {
    T fill = KNOWN_TO(c->attr[PAD_FILL].r, c->attr[PAD_ERROR].r);
    EACH_INDEX(i, c->out.shape) {
        int64_t j[SPOR_RANK] = {0};
        int inside = 1;
        for (int k = 0; k < c->out.shape.rank; k++) {
            j[k] = i[k] - c->attr[PAD_LO + k].i;
            inside = inside && j[k] >= 0 && j[k] < c->in[0].shape.n[k];
        }
        *AT(c->out, i) = inside ? *AT(c->in[0], j) : fill;
    }
}

#endif
