/*
 * Ops along axes: sums, means, extremes, softmax.
 */
#include <string.h>

#include "import/elementwise.h"
#include "import/graph.h"

/* The axes of the node; all of them if it says nothing. False: it says that there are none. */
static bool read_axes(import_call *c, const import_value *x, bool axes[]) {
    int64_t list[SPOR_RANK];
    const int n = import_integers(c, 1, "axes", SPOR_RANK, list);
    const bool none = n <= 0;
    for (int k = 0; k < x->rank; k++) axes[k] = none;
    for (int k = 0; k < n; k++) axes[import_axis(c, list[k], x->rank)] = true;
    return !none || !import_integer(c, "noop_with_empty_axes", 0);
}

/* Output 0 is the line, its axes in this order of x's; those of axes[] are 1 or gone. */
static void give_reduced(import_call *c, const import_value *x, const int order[],
                         const bool axes[], bool keepdims, int type, const char *line) {
    import_size size[SPOR_RANK];
    int left[SPOR_RANK], to[SPOR_RANK], rank = 0, n = 0;
    for (int k = 0; k < x->rank; k++) {
        to[k] = rank;
        if (axes[k] && !keepdims) continue;
        size[rank++] = axes[k] ? import_fixed(1) : x->size[k];
    }
    for (int k = 0; k < x->rank; k++)
        if (!axes[order[k]] || keepdims) left[n++] = to[order[k]];
    import_value *y = import_result_of(c, 0, type, rank, size);
    import_line(c, y, left, "%s", line);
}

/* ", axis=[1, 2], keepdims=True" */
static const char *axes_text(import_graph *g, int rank, const int order[], const bool axes[],
                             bool keepdims) {
    const char *list = "";
    int n = 0;
    for (int k = 0; k < rank; k++)
        if (axes[order[k]]) list = import_say(g, "%s%s%d", list, n++ ? ", " : "", k);
    list = n == 1 ? import_say(g, ", axis=%s", list) : import_say(g, ", axis=[%s]", list);
    if (n == rank && !keepdims) list = "";
    return keepdims ? import_say(g, "%s, keepdims=True", list) : list;
}

void make_reduce(import_call *c) {
    import_graph *g = c->g;
    import_value *x = import_operand(c, 0);
    bool axes[SPOR_RANK], empty = false;
    int order[SPOR_RANK];
    const bool keepdims = import_integer(c, "keepdims", 1) != 0;
    import_known *known = import_known_of(g, x);
    if (!read_axes(c, x, axes)) {
        if (!strcmp(c->op->text, "sum(A@)") || c->op->fold)
            make_identity(c);
        else
            import_refuse(g, "takes no axes together");
        return;
    }
    if (known && c->op->fold && known->count) {
        import_give_known(c, 0, known_reduced(c, known, axes, keepdims));
        return;
    }
    for (int k = 0; k < x->rank; k++) empty = empty || (!x->size[k].a && !x->size[k].b);
    if (empty) import_refuse(g, "takes no elements together");
    const char *text = known ? held_tensor(c, known) : held_lying(c, x, order);
    for (int k = 0; known && k < x->rank; k++) order[k] = k;
    if (!x->rank) {
        make_identity(c);
        return;
    }
    const char *operand[] = {text}, *rest = axes_text(g, x->rank, order, axes, keepdims);
    if (!strncmp(c->op->text, "logsumexp", 9) && !*rest)
        rest = axes_text(g, x->rank, order, axes, true),
        rest = import_say(g, "%.*s", (int)(strlen(rest) - strlen(", keepdims=True")), rest);
    give_reduced(c, x, order, axes, keepdims, x->type,
                 import_template(c, c->op->text, operand, rest));
}

/* ArgMax, ArgMin: the row's text along one axis, which goes. */
void make_arg(import_call *c) {
    import_graph *g = c->g;
    import_value *x = import_operand(c, 0);
    const int axis = import_axis(c, import_integer(c, "axis", 0), x->rank);
    const bool keepdims = import_integer(c, "keepdims", 1) != 0;
    bool axes[SPOR_RANK] = {false};
    int order[SPOR_RANK];
    const char *operand[] = {held_lying(c, x, order)}, *list = "[";
    axes[axis] = true;
    const char *line = import_template(c, c->op->text, operand,
                                       import_say(g, ", axis=%d", held_axis(x->rank, order, axis)));
    for (int k = 0; k < x->rank; k++)
        list = import_say(g, "%s%s%s", list, k ? ", " : "",
                          axes[order[k]] ? "1" : import_size_text(g, x->size[order[k]]));
    if (keepdims) line = import_say(g, "reshape(%s, %s])", line, list);
    give_reduced(c, x, order, axes, keepdims, ONNX_IS_INT64, line);
    c->out[0]->counts = true;
}

/* Before opset 13 the axis and all behind it were one. */
void make_softmax(import_call *c) {
    import_graph *g = c->g;
    import_value *x = import_operand(c, 0);
    const int axis = import_axis(c, import_integer(c, "axis", c->opset < 13 ? 1 : -1), x->rank);
    bool axes[SPOR_RANK] = {false};
    int order[SPOR_RANK];
    if (import_known_of(g, x)) import_refuse(g, "its input is known");
    for (int k = axis; k < x->rank && (k == axis || c->opset < 13); k++) axes[k] = true;
    const char *operand[] = {held_lying(c, x, order)}, *list = "";
    int n = 0;
    for (int k = 0; k < x->rank; k++)
        if (axes[order[k]]) list = import_say(g, "%s%s%d", list, n++ ? ", " : "", k);
    list = import_say(g, n == 1 ? ", axis=%s" : ", axis=[%s]", list);
    import_value *y = import_like(c, 0, x);
    import_line(c, y, order, "%s", import_template(c, c->op->text, operand, list));
}
