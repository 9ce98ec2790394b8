/*
 * Ops that take values apart and put them together: slices, rows, pads.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "import/elementwise.h"
#include "import/graph.h"

static bool all_known(import_call *c) {
    for (int k = 0; k < c->inputs; k++)
        if (!import_known_of(c->g, import_operand(c, k))) return false;
    return true;
}

/* ---- put together ---- */

void make_concat(import_call *c) {
    import_graph *g = c->g;
    import_value *x = import_operand(c, 0), *lead = x;
    const int axis = import_axis(c, import_integer(c, "axis", c->opset < 4 ? 1 : 0), x->rank);
    import_size size[SPOR_RANK];
    int order[SPOR_RANK];
    if (all_known(c)) {
        import_known **part = import_take(g, (size_t)c->inputs, sizeof *part);
        for (int k = 0; k < c->inputs; k++) part[k] = import_known_of(g, c->in[k]);
        import_give_known(c, 0, known_concat(g, c->inputs, part, axis));
        return;
    }
    for (int j = 0; j < x->rank; j++) size[j] = x->size[j];
    size[axis] = (import_size){0, 0};
    for (int k = 0; k < c->inputs; k++) {
        const import_value *v = c->in[k];
        for (int j = 0; j < x->rank; j++)
            if (v->rank != x->rank || (j != axis && !import_same_size(v->size[j], size[j])))
                import_refuse(g, "puts %s and %s together",
                              import_shape_text(g, x->rank, x->size, NULL),
                              import_shape_text(g, v->rank, v->size, NULL));
        size[axis].a += v->size[axis].a;
        size[axis].b += v->size[axis].b;
    }
    for (int k = c->inputs - 1; k >= 0; k--)
        if (!import_known_of(g, c->in[k]) && (c->in[k]->size[axis].a || c->in[k]->size[axis].b))
            lead = c->in[k];
    held_any(c, lead);
    held_order(lead, order);
    const char *list = "[";
    int parts = 0;
    for (int k = 0; k < c->inputs; k++) {
        import_known *known = import_known_of(g, c->in[k]);
        if (!c->in[k]->size[axis].a && !c->in[k]->size[axis].b) continue;
        const char *text = known ? held_tensor(c, known_transposed(g, known, order))
                                 : held_reach(c, c->in[k], order);
        list = import_say(g, "%s%s%s", list, parts++ ? ", " : "", text);
    }
    if (!parts) import_refuse(g, "puts nothing together");
    import_value *y = import_result_of(c, 0, lead->type, x->rank, size);
    import_line(c, y, order, "concat(%s], axis=%d)", list, held_axis(x->rank, order, axis));
}

void make_tile(import_call *c) {
    import_graph *g = c->g;
    import_value *x = import_operand(c, 0);
    import_size by[SPOR_RANK], size[SPOR_RANK];
    int order[SPOR_RANK];
    const int n = import_sizes(c, 1, SPOR_RANK, by);
    if (n != x->rank) import_refuse(g, "has %d numbers for %d axes", n, x->rank);
    const char *text = held_lying(c, x, order);
    for (int k = 0; k < n; k++) {
        const int64_t times = import_exact(g, by[k], "how often it repeats");
        if (times < 1 || times > 10000) import_refuse(g, "repeats %lld times", (long long)times);
        size[k] = (import_size){x->size[k].a * times, x->size[k].b * times};
        if (times > 1)
            text = import_say(g, "concat([%s] * %lld, axis=%d)", text, (long long)times,
                              held_axis(n, order, k));
    }
    import_value *y = import_result_of(c, 0, x->type, n, size);
    import_line(c, y, order, "%s", text);
}

/* ---- taken apart ---- */

/* Sizes of the parts. */
static int split_sizes(import_call *c, int64_t n, int64_t length[]) {
    const int outputs = (int)import_integer(c, "num_outputs", c->outputs);
    const int have = import_integers(c, 1, "split", 64, length);
    if (have >= 0) return have;
    if (outputs < 1 || outputs > 64) import_refuse(c->g, "has %d parts", outputs);
    const int64_t each = (n + outputs - 1) / outputs;
    if (c->opset < 18 && n % outputs)
        import_refuse(c->g, "%lld elements have not %d equal parts", (long long)n, outputs);
    for (int k = 0; k < outputs; k++) length[k] = k < outputs - 1 ? each : n - each * (outputs - 1);
    return outputs;
}

void make_split(import_call *c) {
    import_graph *g = c->g;
    import_value *x = import_operand(c, 0);
    int64_t length[64], sum = 0;
    int order[SPOR_RANK];
    const int axis = import_axis(c, import_integer(c, "axis", 0), x->rank);
    const int64_t n = import_exact(g, x->size[axis], "an axis that is split");
    const int parts = split_sizes(c, n, length);
    import_known *known = import_known_of(g, x);
    bool equal = true;
    for (int k = 0; k < parts; k++) {
        if (length[k] < 0 || length[k] > n)
            import_refuse(g, "a part has %lld elements", (long long)length[k]);
        sum += length[k];
        equal = equal && length[k] == length[0];
    }
    if (sum != n || parts < c->outputs)
        import_refuse(g, "its %d parts have %lld of %lld elements", parts, (long long)sum,
                      (long long)n);
    if (known) {
        for (int64_t k = 0, at = 0; k < c->outputs; at += length[k++])
            import_give_known(c, (int)k, known_slice(g, known, axis, at, 1, length[k]));
        return;
    }
    const char *text = held_lying(c, x, order), *names = "", *list = "[";
    int there = 0;
    for (int k = 0; k < parts; k++) {
        import_size size[SPOR_RANK];
        for (int j = 0; j < x->rank; j++) size[j] = x->size[j];
        size[axis] = import_fixed(length[k]);
        import_value *y = import_result_of(c, k, x->type, x->rank, size);
        if (!length[k]) continue; /* what reads it drops it, or gives up */
        const char *name = import_name(g, y ? y->name : "unused", c->node->op);
        if (y) held_keep(y, name, order);
        names = import_say(g, "%s%s%s", names, there ? ", " : "", name);
        list = import_say(g, "%s%s%lld", list, there++ ? ", " : "", (long long)length[k]);
    }
    const char *by = equal ? import_say(g, "%d", parts) : import_say(g, "%s]", list);
    if (!there) import_refuse(g, "takes nothing apart");
    if (there == 1)
        text_add(&g->body, "    %s = %s\n", names, text);
    else
        text_add(&g->body, "    %s = split(%s, %s, axis=%d)\n", names, text, by,
                 held_axis(x->rank, order, axis));
    g->lines += parts;
}

/* ---- slices ---- */

typedef struct {
    int64_t first, step, count;
    bool whole; /* count is not known, and all are taken */
} stretch;

static stretch stretch_of(import_call *c, import_size size, import_size from, import_size to,
                          int64_t step) {
    import_graph *g = c->g;
    if (!step || step == INT64_MIN) import_refuse(g, "has steps of %lld", (long long)step);
    const bool beyond = to.a >= INT32_MAX || import_same_size(to, size);
    if (step == 1 && !from.a && !from.b && beyond) return (stretch){0, 1, size.a, true};
    const int64_t n = import_exact(g, size, "an axis that is cut");
    int64_t first = import_exact(g, from, "where it begins"),
            end = import_exact(g, to, "where it ends");
    if (first < 0) first = first < -n ? -1 : first + n;
    if (end < 0) end = end < -n ? -1 : end + n;
    if (step > 0) {
        first = first < 0 ? 0 : first > n ? n : first;
        end = end < 0 ? 0 : end > n ? n : end;
        return (stretch){first, step, end > first ? (end - first - 1) / step + 1 : 0, false};
    }
    first = first >= n ? n - 1 : first;
    end = end >= n ? n - 1 : end;
    return (stretch){first, step, first > end ? (first - end - 1) / -step + 1 : 0, false};
}

/* "[:, 1:5:2]" of stretches in an order; flips are done before. */
static const char *slice_text(import_call *c, const import_value *x, const char *text,
                              const int order[], const stretch along[]) {
    import_graph *g = c->g;
    const char *list = "", *flips = "";
    bool cuts = false;
    for (int k = 0; k < x->rank; k++) {
        const stretch *s = &along[order[k]];
        const int64_t n = x->size[order[k]].a;
        const bool all = s->whole || (s->step == 1 && !s->first && s->count == n) ||
                         (s->step == -1 && s->count == n);
        const int64_t first = s->step < 0 ? n - 1 - s->first : s->first;
        const int64_t step = s->step < 0 ? -s->step : s->step;
        const int64_t end = first + (s->count - 1) * step + 1;
        if (!s->whole && s->step < 0) flips = import_say(g, "%s%s%d", flips, *flips ? ", " : "", k);
        const char *one = all        ? ":"
                          : step > 1 ? import_say(g, "%lld:%lld:%lld", (long long)first,
                                                  (long long)end, (long long)step)
                                     : import_say(g, "%lld:%lld", (long long)first, (long long)end);
        cuts = cuts || !all;
        list = import_say(g, "%s%s%s", list, k ? ", " : "", one);
    }
    if (*flips) text = import_say(g, "flip(%s, axis=[%s])", text, flips);
    return cuts ? import_say(g, "%s[%s]", text, list) : text;
}

static void slice(import_call *c, import_value *x, const stretch along[]) {
    import_graph *g = c->g;
    import_known *known = import_known_of(g, x);
    import_size size[SPOR_RANK];
    int order[SPOR_RANK];
    bool all = true;
    for (int k = 0; k < x->rank; k++) {
        size[k] = along[k].whole ? x->size[k] : import_fixed(along[k].count);
        all = all && along[k].whole;
        if (known && !along[k].whole)
            known = known_slice(g, known, k, along[k].first, along[k].step, along[k].count);
        if (!known && !along[k].whole && !along[k].count)
            import_refuse(g, "leaves nothing along axis %d", k);
    }
    if (known) {
        import_give_known(c, 0, known);
        return;
    }
    if (x->zeros) {
        import_give_equal(c, 0, x->type, x->rank, size, 0);
        return;
    }
    if (all) {
        import_give_same(c, 0, x, NULL);
        return;
    }
    const char *text = held_lying(c, x, order);
    import_value *y = import_result_of(c, 0, x->type, x->rank, size);
    import_line(c, y, order, "%s", slice_text(c, x, text, order, along));
}

/* Lists are attributes before opset 10, then inputs. */
void make_slice(import_call *c) {
    import_graph *g = c->g;
    import_value *x = import_operand(c, 0);
    import_size from[SPOR_RANK], to[SPOR_RANK];
    int64_t axes[SPOR_RANK], steps[SPOR_RANK], list[SPOR_RANK];
    stretch along[SPOR_RANK];
    int n = import_list(c, "starts", SPOR_RANK, list);
    for (int k = 0; k < n; k++) from[k] = import_fixed(list[k]);
    if (n < 0) n = import_sizes(c, 1, SPOR_RANK, from);
    int m = import_list(c, "ends", SPOR_RANK, list);
    for (int k = 0; k < m; k++) to[k] = import_fixed(list[k]);
    if (m < 0) m = import_sizes(c, 2, SPOR_RANK, to);
    const int named = import_integers(c, 3, "axes", SPOR_RANK, axes);
    const int stepped = import_integers(c, 4, NULL, SPOR_RANK, steps);
    if (n < 0 || n != m || n > x->rank || (named >= 0 && named != n) ||
        (stepped >= 0 && stepped != n))
        import_refuse(g, "its lists are not of one length");
    for (int k = 0; k < x->rank; k++) along[k] = (stretch){.step = 1, .whole = true};
    for (int k = 0; k < n; k++) {
        const int axis = named < 0 ? k : import_axis(c, axes[k], x->rank);
        along[axis] = stretch_of(c, x->size[axis], from[k], to[k], stepped < 0 ? 1 : steps[k]);
    }
    slice(c, x, along);
}

/* ---- pads ---- */

void make_pad(import_call *c) {
    import_graph *g = c->g;
    import_value *x = import_operand(c, 0);
    int64_t pads[2 * SPOR_RANK], axes[SPOR_RANK], before[SPOR_RANK] = {0}, after[SPOR_RANK] = {0};
    import_size size[SPOR_RANK];
    int order[SPOR_RANK];
    const int n = import_integers(c, 1, import_attribute(c, "paddings") ? "paddings" : "pads",
                                  2 * SPOR_RANK, pads);
    const int named = import_integers(c, 3, NULL, SPOR_RANK, axes);
    const int count = named < 0 ? x->rank : named;
    const char *mode = import_text(c, "mode", "constant");
    import_known *fill = import_input(c, 2) ? import_numbers(c, 2) : NULL;
    if (fill && fill->count != 1) import_refuse(g, "pads with no number");
    const double value = fill ? fill->a[0] : import_real(c, "value", 0);
    if (strcmp(mode, "constant") != 0)
        import_refuse(g, "mode = '%.20s': spor pads with a number alone", mode);
    if (n != 2 * count) import_refuse(g, "has %d pads for %d axes", n, count);
    for (int k = 0; k < count; k++) {
        const int axis = named < 0 ? k : import_axis(c, axes[k], x->rank);
        before[axis] = pads[k];
        after[axis] = pads[count + k];
        if (llabs(pads[k]) > INT32_MAX || llabs(pads[count + k]) > INT32_MAX)
            import_refuse(g, "pads by more than 2^31 cells");
    }
    const char *by = "", *along = "", *text = held_lying(c, x, order);
    for (int k = 0; k < x->rank; k++) {
        const int axis = order[k];
        size[axis] = x->size[axis];
        if (!before[axis] && !after[axis]) continue;
        const int64_t was = import_exact(g, x->size[axis], "an axis that is padded");
        size[axis].a += before[axis] + after[axis];
        if (size[axis].a < 0 || -before[axis] > was || -after[axis] > was)
            import_refuse(g, "leaves nothing");
        by = import_say(g, "%s%s[%lld, %lld]", by, *by ? ", " : "", (long long)before[axis],
                        (long long)after[axis]);
        along = import_say(g, "%s%s%d", along, *along ? ", " : "", k);
    }
    if (!*by) {
        make_identity(c);
        return;
    }
    const bool maps = x->rank == 4 && !strcmp(along, "1, 2");
    const bool even =
        maps && before[order[1]] == after[order[1]] && before[order[2]] == after[order[2]];
    const char *what =
        even ? import_pair(g, before[order[1]], before[order[2]]) : import_say(g, "[%s]", by);
    if (!isfinite(value)) import_refuse(g, "pads with a number that is not finite");
    import_value *y = import_result_of(c, 0, x->type, x->rank, size);
    import_line(c, y, order, "pad(%s, %s%s%s)", text, what,
                value != 0 ? import_say(g, ", value=%s", import_real_text(g, value, g->wide)) : "",
                maps ? "" : import_say(g, ", axis=[%s]", along));
}

void make_cumsum(import_call *c) {
    import_graph *g = c->g;
    import_value *x = import_operand(c, 0);
    int64_t list[1];
    int order[SPOR_RANK];
    if (import_integers(c, 1, NULL, 1, list) != 1) import_refuse(g, "has no axis");
    const int axis = import_axis(c, list[0], x->rank);
    const char *text = held_lying(c, x, order), *from = text;
    const int at = held_axis(x->rank, order, axis);
    const bool back = import_integer(c, "reverse", 0) != 0;
    if (back) text = import_say(g, "flip(%s, axis=%d)", text, at);
    text = import_say(g, "cumsum(%s, axis=%d)", text, at);
    if (back) text = import_say(g, "flip(%s, axis=%d)", text, at);
    if (import_integer(c, "exclusive", 0)) text = import_say(g, "%s - %s", text, from);
    import_value *y = import_like(c, 0, x);
    import_line(c, y, order, "%s", text);
}

/* A triangle of the last two axes. */
void make_trilu(import_call *c) {
    import_graph *g = c->g;
    import_value *x = import_operand(c, 0);
    const import_known *shift = import_numbers(c, 1);
    const bool upper = import_integer(c, "upper", 1) != 0;
    if (x->rank < 2 || (shift && (shift->count != 1 || shift->b)))
        import_refuse(g, "takes matrices");
    const int64_t n = import_exact(g, x->size[x->rank - 2], "a matrix' size"),
                  m = import_exact(g, x->size[x->rank - 1], "a matrix' size");
    const double by = shift ? shift->a[0] : 0;
    const int64_t k = (int64_t)(by > 1e6 ? 1e6 : by < -1e6 ? -1e6 : by);
    import_known *known = import_known_of(g, x);
    if (known) {
        import_known *y = known_new(g, known->type, known->rank, known->size);
        for (int64_t j = 0; j < y->count; j++) {
            const int64_t row = j / m % n, column = j % m;
            if (upper ? column >= row + k : column <= row + k)
                known_set(g, y, j, known_at(known, j));
        }
        y->trained = known->trained;
        y->name = known->name;
        import_give_known(c, 0, y);
        return;
    }
    const char *text = held_plain(c, x);
    import_value *y = import_like(c, 0, x);
    import_line(c, y, NULL,
                upper ? "where(tri(%lld, %lld, %lld), 0, %s)"
                      : "where(tri(%lld, %lld, %lld), %s, 0)",
                (long long)n, (long long)m, (long long)(upper ? k - 1 : k), text);
}
