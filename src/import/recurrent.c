/*
 * LSTM and GRU: layers of layers.spor, whose sequences are [N, T, n] where ONNX has [T, N, n].
 */
#include <string.h>

#include "import/graph.h"

/* What the two differ by. */
typedef struct {
    const char *layer;
    int gates;
    int from[4];          /* gate k of spor's is this one of ONNX's */
    const char *usual[3]; /* activations */
    int usuals;
    bool apart; /* the biases of x and h are not added up */
} cell;

static const cell lstm = {"lstm", 4, {0, 2, 3, 1}, {"Sigmoid", "Tanh", "Tanh"}, 3, false};
static const cell gru = {"gru", 3, {1, 0, 2}, {"Sigmoid", "Tanh", ""}, 2, true};

/* A node with its sizes. */
typedef struct {
    import_call *c;
    const cell *of;
    import_value *x;
    import_size N;
    int64_t T, n, H;
    int directions;
    bool first_is_reverse;
} recurrent;

static void examine(import_call *c, const cell *of) {
    const onnx_attribute *a = import_attribute(c, "activations");
    for (int k = 0; a && a->kind == ONNX_TEXTS && k < a->count; k++)
        if (strcmp(a->texts[k], of->usual[k % of->usuals]) != 0)
            import_refuse(c->g, "its activation %d is %.30s, and spor's %s has %s", k, a->texts[k],
                          of->layer, of->usual[k % of->usuals]);
    if (import_input(c, 4)) {
        const import_value *x = import_operand(c, 0);
        const import_known *known = import_known_of(c->g, c->in[4]);
        if (!known || known->b || x->rank != 3 || !known_all(known, (double)x->size[0].a))
            import_refuse(c->g, "its sequences are of different lengths");
    }
    for (int k = 5; k < 7; k++) {
        import_value *v = import_input(c, k);
        const import_known *known = v ? import_known_of(c->g, v) : NULL;
        if (v && !v->zeros && !(known && known_all(known, 0)))
            import_refuse(c->g, "begins with a state that is not 0");
    }
    if (import_input(c, 7)) import_refuse(c->g, "has peepholes, which spor's lstm has not");
    if (of->apart && import_integer(c, "linear_before_reset", 0) != 1)
        import_refuse(
            c->g, "resets before the product (linear_before_reset = 0), and spor's gru behind it");
    if (c->outputs > 2 && c->out[2] && c->out[2]->readers)
        import_refuse(c->g, "its last cell state is read, which spor's lstm does not return");
}

/* Gates of direction d: to[rows, gates H] of W [D, gates H, rows]. */
static const double *gates_of(const recurrent *r, const import_known *W, int d, int64_t rows) {
    const int64_t width = r->of->gates * r->H;
    double *to = import_take(r->c->g, (size_t)(rows * width), sizeof *to);
    for (int gate = 0; gate < r->of->gates; gate++)
        for (int64_t h = 0; h < r->H; h++)
            for (int64_t row = 0; row < rows; row++) {
                const int64_t from = d * width + r->of->from[gate] * r->H + h;
                to[row * width + gate * r->H + h] = W->a[from * rows + row];
            }
    return to;
}

/* The bias of x, half 0, or of h, half 1; added up if the layer has one alone. */
static const double *bias_of(const recurrent *r, const import_known *B, int d, int half, bool sum) {
    const int64_t width = r->of->gates * r->H;
    double *to = import_take(r->c->g, (size_t)width, sizeof *to);
    for (int gate = 0; B && gate < r->of->gates; gate++)
        for (int64_t h = 0; h < r->H; h++) {
            const int64_t from = d * 2 * width + r->of->from[gate] * r->H + h;
            to[gate * r->H + h] = sum ? B->a[from] + B->a[from + width] : B->a[from + half * width];
        }
    return to;
}

static void add_weights(const recurrent *r, int d) {
    import_graph *g = r->c->g;
    const import_known *W = import_numbers(r->c, 1), *R = import_numbers(r->c, 2),
                       *B = import_numbers(r->c, 3);
    const int64_t width = r->of->gates * r->H;
    const char *layer = import_layer(g, r->of->layer);
    const char *inner = import_say(g, "%s/projection[0]", layer);
    if (!W || !R || W->count != r->directions * width * r->n ||
        R->count != r->directions * width * r->H || (B && B->count != r->directions * 2 * width) ||
        W->b || R->b || (B && B->b))
        import_refuse(g, "its weights are of other sizes");
    import_weight_of(g, inner, "W", 2, (const int64_t[]){r->n, width}, gates_of(r, W, d, r->n));
    import_weight_of(g, inner, "b", 1, &width, bias_of(r, B, d, 0, !r->of->apart));
    import_weight_of(g, layer, "U", 2, (const int64_t[]){r->H, width}, gates_of(r, R, d, r->H));
    if (r->of->apart) import_weight_of(g, layer, "c", 1, &width, bias_of(r, B, d, 1, false));
}

/* All h of direction d, [N, T, H], in the order of time. */
static const char *direction(const recurrent *r, int d, const char *x) {
    import_call *c = r->c;
    import_graph *g = c->g;
    const bool back = d || r->first_is_reverse;
    const import_size size[] = {r->N, import_fixed(r->T), import_fixed(r->H)};
    add_weights(r, d);
    const char *text = back ? import_say(g, "flip(%s, axis=1)", x) : x;
    text = import_say(g, "%s(%s, %lld, sequences=True)", r->of->layer, text, (long long)r->H);
    if (back) text = import_say(g, "flip(%s, axis=1)", text);
    return import_variable(c, r->of->layer, 3, size, NULL, "%s", text);
}

/* Only a Squeeze of the axis of directions reads Y: what that makes is y itself. */
static bool squeezed(const recurrent *r, import_value *Y, const char *y) {
    import_call *c = r->c;
    static const int order[] = {1, 0, 2};
    const int reader = import_only_reader(c, &Y);
    const onnx_node *node = reader < 0 ? NULL : &c->g->model.node[reader];
    if (!node || strcmp(node->op, "Squeeze") != 0 || *node->domain || node->inputs > 2)
        return false;
    const import_known *axes = node->inputs == 2 ? import_known_ahead(c, node->input[1]) : NULL;
    const onnx_attribute *a = node->attributes == 1 ? &node->attribute[0] : NULL;
    const bool one = axes ? axes->count == 1 && axes->a[0] == 1
                          : a && !strcmp(a->name, "axes") && a->count == 1 && a->integers[0] == 1;
    if (!one) return false;
    import_swallow(c, reader, &Y);
    Y->rank = 3;
    Y->size[1] = Y->size[2];
    Y->size[2] = Y->size[3];
    held_keep(Y, y, order);
    return true;
}

/* Y [T, D, N, H] lies as [N, T, D, H]; the last states [D, N, H]. */
static void give(const recurrent *r, const char *const y[2]) {
    import_call *c = r->c;
    import_graph *g = c->g;
    static const int order[] = {2, 0, 1, 3};
    const char *N = import_size_text(g, r->N), *all = "", *last = "";
    const import_size D = import_fixed(r->directions), H = import_fixed(r->H);
    const import_size size[] = {import_fixed(r->T), D, r->N, H};
    for (int d = 0; d < r->directions; d++) {
        const bool back = d || r->first_is_reverse;
        all = import_say(g, "%s%sreshape(%s, [%s, %lld, 1, %lld])", all, d ? ", " : "", y[d], N,
                         (long long)r->T, (long long)r->H);
        last = import_say(g, "%s%sreshape(%s[:, %lld], [1, %s, %lld])", last, d ? ", " : "", y[d],
                          (long long)(back ? 0 : r->T - 1), N, (long long)r->H);
    }
    const bool two = r->directions == 2;
    import_value *Y = import_result_of(c, 0, r->x->type, 4, size);
    if (Y && !two && squeezed(r, Y, y[0])) Y = NULL;
    if (Y && Y->readers)
        held_keep(
            Y,
            import_variable(c, Y->name, 4, size, order, two ? "concat([%s], axis=2)" : "%s", all),
            order);
    import_value *h = import_result_of(c, 1, r->x->type, 3, size + 1);
    if (h && h->readers)
        held_keep(h,
                  import_variable(c, h->name, 3, size + 1, NULL,
                                  two ? "concat([%s], axis=0)" : "%s", last),
                  (const int[]){0, 1, 2});
}

static void make(import_call *c, const cell *of) {
    import_graph *g = c->g;
    static const int batch_first[] = {1, 0, 2};
    recurrent r = {.c = c, .of = of, .x = import_operand(c, 0), .directions = 1};
    const char *way = import_text(c, "direction", "forward"), *y[2] = {NULL, NULL};
    if (r.x->rank != 3) import_refuse(g, "takes sequences, [T, N, n]");
    examine(c, of);
    if (!strcmp(way, "bidirectional"))
        r.directions = 2;
    else if (!strcmp(way, "reverse"))
        r.first_is_reverse = true;
    else if (strcmp(way, "forward") != 0)
        import_refuse(g, "direction = '%.30s' is none that spor understands", way);
    r.T = import_exact(g, r.x->size[0], "the length of its sequences");
    r.n = import_exact(g, r.x->size[2], "the last axis");
    r.N = r.x->size[1];
    r.H = import_integer(c, "hidden_size", 0);
    if (r.H < 1 || r.H > 1000000 || r.T < 1 || r.n < 1) import_refuse(g, "its sizes are none");
    const char *x = import_known_of(g, r.x) ? NULL : held_reach(c, r.x, batch_first);
    if (!x) import_refuse(g, "its input is known");
    for (int d = 0; d < r.directions; d++) y[d] = direction(&r, d, x);
    give(&r, y);
}

void make_lstm(import_call *c) {
    make(c, &lstm);
}

void make_gru(import_call *c) {
    make(c, &gru);
}
