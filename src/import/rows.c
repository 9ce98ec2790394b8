/*
 * Rows by an index: embeddings, parts of axes, what is largest.
 */
#include <string.h>

#include "import/graph.h"

/* One row, whose axis goes: x[:, 3]. */
static void gather_one(import_call *c, import_value *x, int axis, int64_t row) {
    import_graph *g = c->g;
    import_size size[SPOR_RANK];
    int order[SPOR_RANK], left[SPOR_RANK], n = 0;
    const char *text = held_lying(c, x, order), *list = "";
    const int64_t rows = import_exact(g, x->size[axis], "an axis of which a row is taken");
    if (row < -rows || row >= rows) import_refuse(g, "index %lld names no row", (long long)row);
    const int at = held_axis(x->rank, order, axis);
    for (int k = 0; k < at; k++) list = import_say(g, "%s:, ", list);
    for (int k = 0; k < x->rank; k++) {
        if (k != axis) size[k - (k > axis)] = x->size[k];
        if (order[k] != axis) left[n++] = order[k] - (order[k] > axis);
    }
    import_value *y = import_result_of(c, 0, x->type, x->rank - 1, size);
    import_line(c, y, left, "%s[%s%lld]", text, list, (long long)(row < 0 ? row + rows : row));
}

/* Indices that may be negative count from the end: known ones are made positive. */
static import_known *from_front(import_call *c, const import_known *i, int64_t rows) {
    import_known *y = known_new(c->g, i->type, i->rank, i->size);
    for (int64_t k = 0; k < i->count; k++) {
        const double at = i->a[k] < 0 ? i->a[k] + (double)rows : i->a[k];
        if ((i->b && i->b[k] != 0) || !(at >= 0 && at < (double)rows))
            import_refuse(c->g, "index %g names no row", i->a[k]);
        y->a[k] = at;
    }
    return y;
}

/* A shape that a line has. */
static const char *sizes_text(import_graph *g, int n, const import_size size[]) {
    const char *list = "";
    for (int k = 0; k < n; k++)
        list = import_say(g, "%s%s%s", list, k ? ", " : "", import_size_text(g, size[k]));
    return import_say(g, "[%s]", list);
}

/* A negative number counts from the end. */
static const char *counted_from_front(import_call *c, import_value *i, int64_t rows) {
    const char *text = held_plain(c, i);
    if (i->counts) return text;
    return import_say(c->g, "where(%s < 0, %s + %lld, %s)", text, text, (long long)rows, text);
}

/* What names one of so many rows. Numbers of an input stay as they are, so that those of data are looked at before they
 * are trained with; what they may be is said. */
static const char *index_text(import_call *c, import_value *i, int64_t rows) {
    import_known *at = import_known_of(c->g, i);
    if (at) return held_tensor(c, from_front(c, at, rows));
    if (i->given) {
        import_value *input = i->given;
        input->names = input->names && input->names < rows ? input->names : rows;
        return held_plain(c, i);
    }
    c->g->names_rows = true;
    return counted_from_front(c, i, rows);
}

void make_gather(import_call *c) {
    import_graph *g = c->g;
    import_value *x = import_operand(c, 0), *i = import_operand(c, 1);
    const int axis = import_axis(c, import_integer(c, "axis", 0), x->rank);
    import_known *table = import_known_of(g, x), *at = import_known_of(g, i);
    import_size size[2 * SPOR_RANK];
    int rank = 0;
    if (table && at) {
        import_give_known(c, 0, known_gather(g, table, axis, at));
        return;
    }
    if (at && !at->rank && !at->b) {
        gather_one(c, x, axis, known_size(g, at, 0).a);
        return;
    }
    const int64_t rows = import_exact(g, x->size[axis], "an axis of which rows are taken");
    for (int k = 0; k < axis; k++) size[rank++] = x->size[k];
    for (int k = 0; k < i->rank; k++) size[rank++] = i->size[k];
    for (int k = axis + 1; k < x->rank; k++) size[rank++] = x->size[k];
    const char *index = index_text(c, i, rows);
    if (table && table->trained && table->rank == 2 && !axis) {
        import_weight_of(g, import_layer(g, "embedding"), "E", 2, table->size, table->a);
        import_value *y = import_result_of(c, 0, x->type, rank, size);
        import_line(c, y, NULL, "embedding(%s, %lld, %lld)", index, (long long)rows,
                    (long long)table->size[1]);
        return;
    }
    const char *text = table ? held_tensor(c, table) : held_plain(c, x);
    import_value *y = import_result_of(c, 0, x->type, rank, size);
    import_line(c, y, NULL, "take(%s, %s, axis=%d)", text, index, axis);
}

void make_gather_elements(import_call *c) {
    import_graph *g = c->g;
    import_value *x = import_operand(c, 0), *i = import_operand(c, 1);
    const int axis = import_axis(c, import_integer(c, "axis", 0), x->rank);
    import_known *table = import_known_of(g, x);
    for (int k = 0; k < x->rank; k++)
        if (i->rank != x->rank || (k != axis && !import_same_size(i->size[k], x->size[k])))
            import_refuse(g, "its index is of other sizes than its rows");
    const int64_t rows = import_exact(g, x->size[axis], "an axis of which rows are taken");
    const char *text = table ? held_tensor(c, table) : held_plain(c, x);
    const char *index = index_text(c, i, rows);
    import_value *y = import_result_of(c, 0, x->type, i->rank, i->size);
    import_line(c, y, NULL, "take_along(%s, %s, axis=%d)", text, index, axis);
}

/* Indices of one axis, the last of i having one element: rows behind batch axes. */
void make_gather_nd(import_call *c) {
    import_graph *g = c->g;
    import_value *x = import_operand(c, 0), *i = import_operand(c, 1);
    const int64_t batch = import_integer(c, "batch_dims", 0);
    import_size size[2 * SPOR_RANK];
    int rank = 0;
    import_known *table = import_known_of(g, x);
    if (!i->rank || !import_same_size(i->size[i->rank - 1], import_fixed(1)))
        import_refuse(g, "its indices name several axes, and spor's take one");
    if (batch < 0 || batch >= x->rank || batch >= i->rank)
        import_refuse(g, "has %lld batch axes", (long long)batch);
    for (int k = 0; k < i->rank - 1; k++) size[rank++] = i->size[k];
    for (int k = (int)batch + 1; k < x->rank; k++) size[rank++] = x->size[k];
    const int64_t rows = import_exact(g, x->size[batch], "an axis of which rows are taken");
    const char *index = index_text(c, i, rows);
    const char *text = table ? held_tensor(c, table) : held_plain(c, x);
    import_value *y = import_result_of(c, 0, x->type, rank, size);
    import_line(c, y, NULL, "take(%s, reshape(%s, %s)%s)", text, index,
                sizes_text(g, i->rank - 1, i->size),
                batch ? import_say(g, ", batch=%lld", (long long)batch) : "");
}

/* Rows that are added to zeros. */
void make_scatter_nd(import_call *c) {
    import_graph *g = c->g;
    import_value *x = import_operand(c, 0), *i = import_operand(c, 1), *u = import_operand(c, 2);
    import_known *zeros = import_known_of(g, x), *rows = import_known_of(g, u);
    if (strcmp(import_text(c, "reduction", "none"), "add") != 0 || !zeros || !known_all(zeros, 0))
        import_refuse(g, "writes into a tensor; spor adds rows to zeros alone (reduction = 'add')");
    if (!i->rank || !import_same_size(i->size[i->rank - 1], import_fixed(1)))
        import_refuse(g, "its indices name several axes, and spor's name one");
    const char *index = index_text(c, i, zeros->size[0]);
    const char *text = rows ? held_tensor(c, rows) : held_plain(c, u);
    import_value *y = import_like(c, 0, x);
    import_line(c, y, NULL, "scatter_add(reshape(%s, %s), %s, %lld)", index,
                sizes_text(g, i->rank - 1, i->size), text, (long long)zeros->size[0]);
}

/* ---- order ---- */

/* A number that names none is nowhere 1, which spor's one_hot does not say. */
void make_one_hot(import_call *c) {
    import_graph *g = c->g;
    import_value *i = import_operand(c, 0);
    const import_known *depth = import_numbers(c, 1), *values = import_numbers(c, 2);
    import_size size[SPOR_RANK + 1], column[SPOR_RANK + 1];
    int perm[SPOR_RANK + 1];
    const int rank = i->rank + 1, axis = import_axis(c, import_integer(c, "axis", -1), rank);
    if (!depth || depth->count != 1 || depth->b || !(depth->a[0] >= 1 && depth->a[0] < 1e9) ||
        !values || values->count != 2)
        import_refuse(g, "its depth or values are none that spor takes");
    if (rank > SPOR_RANK) import_refuse(g, "its result would have more than %d axes", SPOR_RANK);
    const int64_t n = (int64_t)depth->a[0];
    const double off = values->a[0], on = values->a[1];
    for (int k = 0, from = 0; k < rank; k++)
        size[k] = k == axis ? import_fixed(n) : i->size[from++];
    for (int k = 0, from = 0; k < rank; k++)
        perm[k < axis ? k : k == axis ? rank - 1 : k - 1] = k, (void)from++;
    for (int k = 0; k < rank; k++) column[k] = k < i->rank ? i->size[k] : import_fixed(1);
    const char *text = import_say(g, "reshape(%s, %s) == iota(%lld)", counted_from_front(c, i, n),
                                  sizes_text(g, rank, column), (long long)n);
    if (off != 0 || on != 1)
        text = import_say(g, "(%s) * %s + %s", text, import_real_text(g, on - off, g->wide),
                          import_real_text(g, off, g->wide));
    import_value *y = import_result_of(c, 0, values->type, rank, size);
    import_line(c, y, perm, "%s", text);
}

void make_top_k(import_call *c) {
    import_graph *g = c->g;
    import_value *x = import_operand(c, 0);
    int64_t k[1] = {import_integer(c, "k", 0)};
    int order[SPOR_RANK];
    import_size size[SPOR_RANK];
    const int axis = import_axis(c, import_integer(c, "axis", -1), x->rank);
    if (!import_attribute(c, "k") && import_integers(c, 1, NULL, 1, k) != 1)
        import_refuse(g, "does not say how many");
    const int64_t n = import_exact(g, x->size[axis], "an axis of which the largest are taken");
    const bool largest = import_integer(c, "largest", 1);
    if (k[0] < 1 || k[0] > n) import_refuse(g, "takes %lld of %lld", (long long)k[0], (long long)n);
    for (int j = 0; j < x->rank; j++) size[j] = x->size[j];
    size[axis] = import_fixed(k[0]);
    const char *text = held_lying(c, x, order);
    const int at = held_axis(x->rank, order, axis);
    import_value *values = import_result_of(c, 0, x->type, x->rank, size);
    import_value *where = import_result_of(c, 1, ONNX_IS_INT64, x->rank, size);
    const char *v = import_name(g, values ? values->name : "values", c->node->op);
    const char *w = import_name(g, where ? where->name : "places", c->node->op);
    text_add(&g->body, "    %s, %s = top_k(%s%s, %lld, axis=%d)\n", v, w, largest ? "" : "-", text,
             (long long)k[0], at);
    g->lines += 2;
    if (values && largest) held_keep(values, v, order);
    if (values && !largest)
        held_keep(values, import_variable(c, values->name, x->rank, size, order, "-%s", v), order);
    if (where) held_keep(where, w, order), where->counts = true;
}
