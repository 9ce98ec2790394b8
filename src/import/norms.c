/*
 * Norms: layers of layers.spor.
 */
#include <string.h>

#include "import/graph.h"

/* n numbers of input k. */
static const double *vector(import_call *c, int k, int64_t n) {
    const import_known *known = import_numbers(c, k);
    if (!known || known->count != n || known->b)
        import_refuse(c->g, "input %d has not %lld numbers", k, (long long)n);
    return known->a;
}

static const char *epsilon_text(import_call *c, double usual) {
    const double epsilon = import_real(c, "epsilon", 1e-5);
    if ((float)epsilon == (float)usual) return "";
    return import_say(c->g, ", epsilon=%s", import_real_text(c->g, epsilon, false));
}

static int64_t channels_of(import_call *c, const import_value *x) {
    if (x->rank < 2) import_refuse(c->g, "its input has no channels");
    return import_exact(c->g, x->size[1], "the number of channels");
}

void make_batch_norm(import_call *c) {
    import_graph *g = c->g;
    import_value *x = import_operand(c, 0);
    static const char *const names[] = {"gamma", "beta", "mean", "variance"};
    int order[SPOR_RANK];
    const int64_t C = channels_of(c, x);
    for (int k = 1; k < c->outputs; k++)
        if (c->out[k] && c->out[k]->readers) import_refuse(g, "its means are read");
    if (import_integer(c, "training_mode", 0))
        import_refuse(g,
                      "takes means of its batch (training_mode): export the network for inference, "
                      "model.eval()");
    const char *text = held_channels_last(c, x), *layer = import_layer(g, "batch_norm");
    for (int k = 0; k < 4; k++) import_weight_of(g, layer, names[k], 1, &C, vector(c, k + 1, C));
    const double momentum = import_real(c, "momentum", 0.9);
    const char *keeps = (float)momentum == 0.9f
                            ? ""
                            : import_say(g, ", momentum=%s", import_real_text(g, momentum, false));
    import_value *y = import_like(c, 0, x);
    held_channels_order(x->rank, order);
    const char *epsilon = epsilon_text(c, 1e-5);
    const char *act = import_act(c, &y);
    const char *line = import_say(g, "batch_norm(%s%s%s)", text, keeps, epsilon);
    if (*act) line = import_say(g, "%s(%s)", act + strlen(", act="), line);
    import_line(c, y, order, "%s", line);
}

/* Over the last axis alone. */
static void last_norm(import_call *c, const char *name, bool has_beta) {
    import_graph *g = c->g;
    import_value *x = import_operand(c, 0);
    int order[SPOR_RANK];
    if (!x->rank || import_axis(c, import_integer(c, "axis", -1), x->rank) != x->rank - 1)
        import_refuse(g, "goes over several axes, and spor's %s over the last one", name);
    for (int k = 1; k < c->outputs; k++)
        if (c->out[k] && c->out[k]->readers) import_refuse(g, "its means are read");
    const int64_t n = import_exact(g, x->size[x->rank - 1], "the last axis");
    const char *text = held_last(c, x, order), *layer = import_layer(g, name);
    import_weight_of(g, layer, "gamma", 1, &n, vector(c, 1, n));
    if (has_beta)
        import_weight_of(g, layer, "beta", 1, &n,
                         import_input(c, 2) ? vector(c, 2, n) : import_equal(g, n, 0));
    import_value *y = import_like(c, 0, x);
    import_line(c, y, order, "%s(%s%s)", name, text, epsilon_text(c, 1e-5));
}

void make_layer_norm(import_call *c) {
    last_norm(c, "layer_norm", true);
}

void make_rms_norm(import_call *c) {
    last_norm(c, "rms_norm", false);
}

static void groups_norm(import_call *c, int64_t groups, const double *gamma, const double *beta) {
    import_graph *g = c->g;
    import_value *x = import_operand(c, 0);
    int order[SPOR_RANK];
    const int64_t C = channels_of(c, x);
    const char *text = held_channels_last(c, x), *layer = import_layer(g, "group_norm");
    import_weight_of(g, layer, "gamma", 1, &C, gamma);
    import_weight_of(g, layer, "beta", 1, &C, beta);
    import_value *y = import_like(c, 0, x);
    held_channels_order(x->rank, order);
    import_line(c, y, order, "group_norm(%s, %lld%s)", text, (long long)groups,
                epsilon_text(c, 1e-5));
}

void make_instance_norm(import_call *c) {
    const int64_t C = channels_of(c, import_operand(c, 0));
    groups_norm(c, C, vector(c, 1, C), vector(c, 2, C));
}

/* Before opset 21 scale and bias are of the groups, then of the channels. */
void make_group_norm(import_call *c) {
    const int64_t C = channels_of(c, import_operand(c, 0)), G = import_integer(c, "num_groups", 0);
    const int64_t n = c->opset < 21 ? G : C;
    if (G < 1 || C % G)
        import_refuse(c->g, "%lld channels are no %lld groups", (long long)C, (long long)G);
    double *list[2];
    for (int k = 0; k < 2; k++) {
        const double *of = vector(c, k + 1, n);
        list[k] = import_take(c->g, (size_t)C, sizeof *list[k]);
        for (int64_t j = 0; j < C; j++) list[k][j] = of[n == C ? j : j / (C / G)];
    }
    groups_norm(c, G, list[0], list[1]);
}

/* x / (bias + alpha / size * the sum of squares of neighbouring channels) ** beta */
void make_lrn(import_call *c) {
    import_graph *g = c->g;
    import_value *x = import_operand(c, 0);
    const int64_t C = channels_of(c, x), size = import_integer(c, "size", 0);
    const double alpha = import_real(c, "alpha", 1e-4), beta = import_real(c, "beta", 0.75);
    const int axis = x->rank - 1;
    int order[SPOR_RANK];
    import_size padded[SPOR_RANK];
    if (size < 1 || size > 64) import_refuse(g, "goes over %lld channels", (long long)size);
    const char *text = held_channels_last(c, x), *sum = "";
    held_channels_order(x->rank, order);
    for (int k = 0; k < x->rank; k++) padded[k] = x->size[k];
    padded[1] = import_fixed(C + size - 1);
    const char *squares = import_variable(c, "squares", x->rank, padded, order,
                                          "pad(%s * %s, [[%lld, %lld]], axis=[%d])", text, text,
                                          (long long)((size - 1) / 2), (long long)(size / 2), axis);
    for (int64_t k = 0; k < size; k++)
        sum = import_say(g, "%s%s%s[..., %lld:%lld]", sum, k ? " + " : "", squares, (long long)k,
                         (long long)(k + C));
    import_value *y = import_like(c, 0, x);
    import_line(c, y, order, "%s / (%s + %s * (%s)) ** %s", text,
                import_real_text(g, import_real(c, "bias", 1), false),
                import_real_text(g, alpha / (double)size, false), sum,
                import_real_text(g, beta, false));
}
