/* The steps of sums: products with weights, windows, channels times a number, and two tensors added or multiplied. */
#include <math.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/shape.h"
#include "export/int8.h"

/* Sums of w x, times a and plus b of their channel. */
typedef struct {
    int8_plan *plan;
    uint32_t id, begin, x;
    uint32_t from; /* what a and b are of: the sums' node, or x itself */
    cells_window window;
    const double *weight; /* NULL: all are 1 */
    double *a, *b;        /* [F] */
    int8_code in, out;
    int8_t *w; /* as steps read them; NULL: all are 1 */
    int32_t *bias, *factor;
    uint8_t *shift;
    int constant[4]; /* of these */
} sums;

static bool complain(const int8_graph *g, uint32_t id, const char *what, spor_message *message) {
    const spor_node *node = int8_node_of(g, id);
    char name[SPOR_NAME], place[256] = "";
    op_name(node->op, name, sizeof name);
    if (node->place.file)
        snprintf(place, sizeof place, "%.200s:%d:%d: ", node->place.file, node->place.line,
                 node->place.column);
    return message_complain(message, "%s%s: %s", place, name, what);
}

static const char *const too_far =
    "its values and those it is made of lie too far apart for int8: scale them";

/* ---- weights and biases ---- */

/* a and b of each channel: what the nodes behind the sums make of 0 and of 1. */
static bool find_affine(sums *s) {
    const int8_graph *g = &s->plan->graph;
    const int64_t F = s->window.F;
    const uint32_t affine = g->node[s->id].affine, from = s->from;
    s->a = calloc((size_t)F + 1, sizeof *s->a);
    s->b = calloc((size_t)F + 1, sizeof *s->b);
    double *x = calloc((size_t)F + 1, sizeof *x);
    bool done = s->a && s->b && x;
    /* of nothing but zeros, whatever their scale, there is no product */
    const double one = int8_is_zero(&g->node[s->x]) ? 0 : 1;
    for (int64_t f = 0; done && f < F; f++) s->a[f] = one;
    if (done && from != affine) {
        done = int8_evaluate(g, affine, from, true, F, x, s->b);
        for (int64_t f = 0; f < F; f++) x[f] = one;
        done = done && int8_evaluate(g, affine, from, true, F, x, s->a);
        for (int64_t f = 0; done && f < F; f++) s->a[f] -= s->b[f];
    }
    if (s->window.fold == CELLS_MEAN)
        for (int64_t f = 0; done && f < F; f++) s->a[f] /= (double)(s->window.k * s->window.l);
    free(x);
    return done;
}

/* Each window is a row of its own: one cell, next to the one before. */
static bool has_rows(const cells_window *w) {
    return !w->apart && w->k == 1 && w->l == 1 && w->P == w->H && w->Q == w->W;
}

/* Weights of a channel of the result: how many, and number t. */
static int64_t terms_of(const sums *s) {
    const cells_window *w = &s->window;
    return w->k * w->l * (w->apart ? 1 : w->C);
}

/* From one row of weights to the next: those of cells that are gathered are filled up, with zeros, to sixteens,
 * which vectors like. */
static int64_t row_of(const sums *s) {
    const int64_t terms = terms_of(s);
    return s->window.apart || has_rows(&s->window) ? terms : (terms + 15) / 16 * 16;
}

static double weight_at(const sums *s, int64_t t, int64_t f) {
    return s->a[f] * (s->weight ? s->weight[t * s->window.F + f] : 1);
}

static int8_t *place_of(const sums *s, int64_t t, int64_t f) {
    return s->w + (s->window.apart ? t * s->window.F + f : f * row_of(s) + t);
}

/* Bytes of a channel at this scale, and its bias; what the sum may come to in size, at most. */
static double quantize_channel(sums *s, int64_t f, double scale) {
    int64_t all = 0, size = 0;
    for (int64_t t = 0; t < terms_of(s); t++) {
        const int64_t q = s->w ? llround(weight_at(s, t, f) / scale) : 1;
        if (s->w) *place_of(s, t, f) = (int8_t)(q < -127 ? -127 : q > 127 ? 127 : q);
        all += q;
        size += q < 0 ? -q : q;
    }
    const double bias = round(s->b[f] / (s->in.scale * scale)) - (double)(s->in.zero * all);
    if (fabs(bias) < 0x1p31) s->bias[f] = (int32_t)bias;
    return fabs(bias) + 128 * (double)size;
}

/* The scale of a channel: its largest weight is 127, or less where the sum could overflow. */
static bool plan_channel(sums *s, int64_t f) {
    double most = 0;
    int shift;
    for (int64_t t = 0; t < terms_of(s); t++) most = fmax(most, fabs(weight_at(s, t, f)));
    double scale = s->w ? most / 127 : s->a[f];
    if (!(most > 0)) scale = fabs(s->b[f]) > 0 ? fabs(s->b[f]) / s->in.scale * 0x1p-24 : 1;
    for (int tries = 0; quantize_channel(s, f, scale) >= 0x1p31; tries++) {
        if (tries == 64 || !s->w) return false;
        scale *= 2;
    }
    if (!int8_factor(s->in.scale * scale / s->out.scale, &s->factor[f], &shift)) return false;
    s->shift[f] = (uint8_t)shift;
    return true;
}

static bool plan_channels(sums *s, spor_message *message) {
    const int64_t F = s->window.F;
    bool plain = !s->weight;
    for (int64_t f = 0; f < F; f++) plain = plain && fabs(s->b[f]) <= 0 && fabs(s->a[f]) > 0;
    s->constant[0] = -1;
    if (!plain)
        s->w = int8_add_constant(s->plan, INT8_SIGNED, F * row_of(s), s->id, "weights",
                                 &s->constant[0]);
    s->bias = int8_add_constant(s->plan, INT8_LONG, F, s->id, "bias", &s->constant[1]);
    s->factor = int8_add_constant(s->plan, INT8_LONG, F, s->id, "factor", &s->constant[2]);
    s->shift = int8_add_constant(s->plan, INT8_UNSIGNED, F, s->id, "shift", &s->constant[3]);
    if ((!s->w && !plain) || !s->bias || !s->factor || !s->shift)
        return message_complain(message, "out of memory");
    for (int64_t f = 0; f < F; f++)
        if (!plan_channel(s, f)) return complain(&s->plan->graph, s->id, too_far, message);
    return true;
}

/* ---- the step ---- */

static void give_whole(int8_step *step, int n, const int64_t number[]) {
    for (int k = 0; k < n; k++) int8_give(step, INT8_WHOLE, number[k], 0);
}

static void give_window(int8_step *step, const sums *s) {
    const cells_window *w = &s->window;
    const int64_t cell = w->C, row = w->W * w->C;
    if (has_rows(w))
        give_whole(step, 3, (int64_t[]){w->P * w->Q, w->C, w->F});
    else if (w->apart)
        give_whole(step, 9,
                   (int64_t[]){w->k, w->dilation[0] * row, w->l, w->dilation[1] * cell, w->P,
                               w->stride[0] * row, w->Q, w->stride[1] * cell, w->C});
    else
        give_whole(step, 9,
                   (int64_t[]){row_of(s), w->k, w->l * cell, row, w->P, w->stride[0] * row, w->Q,
                               w->stride[1] * cell, w->F});
}

static void add_step(sums *s, int x, int out) {
    int8_plan *plan = s->plan;
    const cells_window *w = &s->window;
    const bool gathers = !has_rows(w) && !w->apart;
    int least, most;
    int cells = gathers ? int8_add_buffer(plan, false, row_of(s)) : -1;
    int8_step *step = int8_add_step(plan,
                                    has_rows(w) ? &int8_rows_form
                                    : w->apart  ? &int8_apart
                                                : &int8_correlates,
                                    s->id);
    if (!step) return;
    int8_limits(&plan->graph, s->id, &least, &most);
    int8_give(step, INT8_BUFFER, out, 0);
    int8_give(step, INT8_BUFFER, x, 0);
    if (gathers) int8_give(step, INT8_BUFFER, cells, 0);
    for (int k = 0; k < 4; k++) int8_give(step, INT8_CONSTANT, s->constant[k], 0);
    give_whole(step, 3, (int64_t[]){s->out.zero, least, most});
    give_window(step, s);
    plan->products += (double)(w->P * w->Q * w->F) * (double)terms_of(s);
}

/* Numbers of a channel lie so far apart. */
static cells_window channels_of(const int8_graph *g, uint32_t id) {
    const spor_shape *shape = int8_node_of(g, id)->shape;
    const int64_t C = shape->rank ? shape->n[shape->rank - 1] : 1;
    const int64_t Q = shape_size(shape) / C;
    return (cells_window){.fold = CELLS_SUM,
                          .apart = true,
                          .H = 1,
                          .W = Q,
                          .C = C,
                          .k = 1,
                          .l = 1,
                          .P = 1,
                          .Q = Q,
                          .F = C,
                          .stride = {1, 1},
                          .dilation = {1, 1}};
}

static bool plan_window(int8_plan *plan, uint32_t id, spor_message *message) {
    const int8_graph *g = &plan->graph;
    sums s = {.plan = plan, .id = id, .begin = g->node[id].folds};
    bool window = int8_cells(g, s.begin, &s.window);
    if (!window) s.window = channels_of(g, s.begin);
    s.x = window ? int8_operand(g, s.begin, 0) : int8_only_operand(g, s.begin);
    s.from = window ? s.begin : s.x;
    if (window && s.window.fold == CELLS_WEIGHTED)
        s.weight = g->node[int8_operand(g, s.begin, 1)].value;
    s.in = g->node[s.x].code;
    s.out = plan->graph.node[id].code = int8_code_of_node(&g->node[id]);
    int out = int8_add_buffer(plan, false, int8_size(g, id));
    bool done = find_affine(&s) || message_complain(message, "out of memory");
    done = done && plan_channels(&s, message);
    if (done) add_step(&s, g->node[s.x].buffer, out);
    plan->graph.node[id].buffer = out;
    free(s.a);
    free(s.b);
    return done;
}

/* ---- two tensors ---- */

/* What the op makes of two numbers. */
static double apply(const int8_graph *g, uint32_t id, double a, double b) {
    double y = 0;
    const spor_node *node = int8_node_of(g, id);
    spor_arg in[] = {{.data = &a, .shape = SPOR_SHAPE(1)}, {.data = &b, .shape = SPOR_SHAPE(1)}};
    spor_call call = {
        .out = {.data = &y, .shape = SPOR_SHAPE(1)}, .in = in, .operands = 2, .attr = node->attr};
    (*node->op->reference[SPOR_F64])(&call);
    return y;
}

/* Bytes of an operand, and what they stand for; the scale of nothing but zeros is 0 then. */
static int operand_bytes(int8_plan *plan, uint32_t in, int8_code *code) {
    const int8_node *node = &plan->graph.node[in];
    int8_node known = {.constant = true};
    for (int64_t k = 0; node->constant && k < int8_size(&plan->graph, in); k++) {
        known.least = fmin(known.least, node->value[k]);
        known.most = fmax(known.most, node->value[k]);
    }
    *code = node->constant ? int8_code_of(known.least, known.most) : node->code;
    const int at = node->constant ? int8_bytes_as(plan, in, *code) : node->buffer;
    if (int8_is_zero(node->constant ? &known : node)) code->scale = 0;
    return at;
}

static void give_operand(int8_plan *plan, int8_step *step, uint32_t in, int at) {
    int8_give(step, plan->graph.node[in].constant ? INT8_CONSTANT : INT8_BUFFER, at, 0);
}

/* Two factors of one shift, below 2^22 in size. */
static bool share_shift(const double ratio[2], int64_t factor[2], int *shift) {
    int exponent;
    frexp(fmax(fabs(ratio[0]), fabs(ratio[1])), &exponent);
    *shift = exponent < -41 ? 62 : 21 - exponent;
    if (*shift < 1) return false;
    for (int k = 0; k < 2; k++) factor[k] = llround(ldexp(ratio[k], *shift));
    return true;
}

static bool plan_two(int8_plan *plan, uint32_t id, spor_message *message) {
    int8_graph *g = &plan->graph;
    uint32_t begin = g->node[id].folds,
             in[2] = {int8_operand(g, begin, 0), int8_operand(g, begin, 1)};
    const bool adds = int8_node_of(g, begin)->op->traits & SPOR_LINEAR;
    int8_code of[2], to = int8_code_of_node(&g->node[id]);
    int at[2], least, most, shift;
    int64_t factor[2];
    for (int k = 0; k < 2; k++) at[k] = operand_bytes(plan, in[k], &of[k]);
    g->node[id].code = to;
    g->node[id].buffer = int8_add_buffer(plan, false, int8_size(g, id));
    int8_step *step = int8_add_step(plan, adds ? &int8_adds : &int8_multiplies, id);
    if (!step || at[0] < 0 || at[1] < 0) return message_complain(message, "out of memory");
    int8_limits(g, id, &least, &most);
    int8_give(step, INT8_BUFFER, g->node[id].buffer, 0);
    for (int k = 0; k < 2; k++) give_operand(plan, step, in[k], at[k]);
    if (adds) {
        const double ratio[] = {apply(g, begin, 1, 0) * of[0].scale / to.scale,
                                apply(g, begin, 0, 1) * of[1].scale / to.scale};
        if (!share_shift(ratio, factor, &shift)) return complain(g, id, too_far, message);
        give_whole(step, 4, (int64_t[]){of[0].zero, factor[0], of[1].zero, factor[1]});
    } else {
        const double one = apply(g, begin, 1, 1);
        int32_t times;
        if (!int8_factor(fabs(one) * of[0].scale * of[1].scale / to.scale, &times, &shift))
            return complain(g, id, too_far, message);
        give_whole(step, 4, (int64_t[]){of[0].zero, of[1].zero, one < 0 ? -1 : 1, times});
    }
    give_whole(step, 5, (int64_t[]){shift, to.zero, least, most, int8_size(g, id)});
    return true;
}

bool int8_plan_sums(int8_plan *plan, uint32_t id, spor_message *message) {
    const int8_graph *g = &plan->graph;
    return g->node[id].channels ? plan_window(plan, id, message) : plan_two(plan, id, message);
}
