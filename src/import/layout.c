/*
 * Ops that move nothing, or only name sizes: lines are made where an order of axes stands in the way.
 */
#include <math.h>
#include <string.h>

#include "import/graph.h"

static const int plain[] = {0, 1, 2, 3, 4, 5, 6, 7};

/* ---- the same numbers ---- */

void make_identity(import_call *c) {
    import_value *x = import_operand(c, 0);
    import_known *known = import_known_of(c->g, x);
    if (known)
        import_give_known(c, 0, known);
    else
        import_give_same(c, 0, x, NULL);
}

void make_dropout(import_call *c) {
    const import_known *training = import_numbers(c, 2);
    if (training && training->count && training->a[0] != 0)
        import_refuse(c->g, "drops elements in use, too (training_mode): export the network for "
                            "inference, model.eval()");
    if (c->outputs > 1 && c->out[1] && c->out[1]->readers) import_refuse(c->g, "its mask is read");
    make_identity(c);
}

void make_transpose(import_call *c) {
    import_value *x = import_operand(c, 0);
    import_known *known = import_known_of(c->g, x);
    int64_t list[SPOR_RANK];
    int perm[SPOR_RANK];
    bool there[SPOR_RANK] = {false};
    const int n = import_list(c, "perm", SPOR_RANK, list);
    if (n >= 0 && n != x->rank)
        import_refuse(c->g, "perm has %d axes, and its input %d", n, x->rank);
    for (int k = 0; k < x->rank; k++) {
        perm[k] = n < 0 ? x->rank - 1 - k : import_axis(c, list[k], x->rank);
        if (there[perm[k]]) import_refuse(c->g, "perm has axis %d twice", perm[k]);
        there[perm[k]] = true;
    }
    if (known)
        import_give_known(c, 0, known_transposed(c->g, known, perm));
    else
        import_give_same(c, 0, x, perm);
}

/* ---- other sizes ---- */

/* A known value in another shape. */
static void reshape_known(import_call *c, import_known *known, int rank, const import_size size[]) {
    int64_t fixed[SPOR_RANK];
    for (int k = 0; k < rank; k++)
        fixed[k] = import_exact(c->g, size[k], "the shape of known numbers");
    import_give_known(c, 0, known_shaped(c->g, known, rank, fixed));
}

static bool is_one(import_size size) {
    return size.a == 1 && !size.b;
}

/* Which axis of y is axis k of x, if they differ by axes of 1 alone; -1: it is gone. */
static bool match_axes(const import_value *x, int rank, const import_size size[], int to[]) {
    int j = 0;
    for (int k = 0; k < x->rank; k++) {
        to[k] = -1;
        if (is_one(x->size[k])) {
            if (j < rank && is_one(size[j])) to[k] = j++;
            continue;
        }
        while (j < rank && is_one(size[j])) j++;
        if (j == rank || !import_same_size(size[j], x->size[k])) return false;
        to[k] = j++;
    }
    for (; j < rank; j++)
        if (!is_one(size[j])) return false;
    return true;
}

static const char *list_of(import_graph *g, int rank, const import_size size[], const int order[]) {
    const char *list = "[";
    for (int k = 0; k < rank; k++)
        list = import_say(g, "%s%s%s", list, k ? ", " : "", import_size_text(g, size[order[k]]));
    return import_say(g, "%s]", list);
}

/* Axes of 1 come and go: the others stay in their order. */
static void reshape_ones(import_call *c, import_value *x, import_value *y, const int to[]) {
    const import_form form = *held_any(c, x);
    int order[SPOR_RANK], n = 0;
    bool there[SPOR_RANK] = {false};
    for (int k = 0; k < x->rank; k++)
        if (to[form.order[k]] >= 0) there[order[n++] = to[form.order[k]]] = true;
    for (int k = 0; k < y->rank; k++) {
        int at = 0;
        if (there[k]) continue;
        while (at < n && order[at] < k) at++;
        memmove(order + at + 1, order + at, (size_t)(n - at) * sizeof *order);
        order[at] = k;
        n++;
    }
    bool same = x->rank == y->rank; /* an axis of 1 is another one, where it lies the same */
    for (int k = 0; k < y->rank && same; k++)
        same = import_same_size(x->size[form.order[k]], y->size[order[k]]);
    if (same)
        held_keep(y, form.text, order);
    else
        import_line(c, y, order, "reshape(%s, %s)", form.text,
                    list_of(c->g, y->rank, y->size, order));
}

/* All axes but the first in one. */
static bool flattens(const import_value *x, const import_value *y) {
    return y->rank == 2 && x->rank >= 2 && import_same_size(x->size[0], y->size[0]);
}

static void reshape_to(import_call *c, import_value *x, int rank, const import_size size[]) {
    int to[SPOR_RANK];
    import_known *known = import_known_of(c->g, x);
    if (known) {
        reshape_known(c, known, rank, size);
        return;
    }
    if (!import_same_size(import_product(c->g, x->rank, x->size), import_product(c->g, rank, size)))
        import_refuse(c->g, "%s can't become %s", import_shape_text(c->g, x->rank, x->size, NULL),
                      import_shape_text(c->g, rank, size, NULL));
    if (x->zeros) {
        import_give_equal(c, 0, x->type, rank, size, 0);
        return;
    }
    bool same = rank == x->rank;
    for (int k = 0; k < rank && same; k++) same = import_same_size(size[k], x->size[k]);
    if (same) {
        import_give_same(c, 0, x, NULL);
        return;
    }
    import_value *y = import_result_of(c, 0, x->type, rank, size);
    if (flattens(x, y) && x->rank > 2)
        y->flat = x;
    else if (match_axes(x, rank, size, to) && !(x->forms && x->form[0].parts) && !x->flat)
        reshape_ones(c, x, y, to);
    else
        import_line(c, y, NULL, "reshape(%s, %s)", held_plain(c, x),
                    list_of(c->g, rank, size, plain));
}

/* Sizes that the file fixes: where its number of rows comes first it is N, if that is what the first axis is taken for. */
static void open_rows(import_call *c, const import_value *x, int n, import_size size[]) {
    const int64_t rows = c->g->file_rows;
    bool open = false;
    for (int k = 0; k < x->rank; k++) open = open || x->size[k].b;
    if (rows && open && n && import_same_size(size[0], import_fixed(rows)))
        size[0] = (import_size){0, 1};
}

void make_reshape(import_call *c) {
    import_value *x = import_operand(c, 0);
    import_size size[SPOR_RANK], rest[SPOR_RANK];
    int64_t fixed[SPOR_RANK];
    int open = -1, others = 0, n = -1;
    if (import_attribute(c, "shape")) {
        n = import_list(c, "shape", SPOR_RANK, fixed);
        for (int k = 0; k < n; k++) size[k] = import_fixed(fixed[k]);
    } else {
        n = import_sizes(c, 1, SPOR_RANK, size);
    }
    if (n < 0) import_refuse(c->g, "has no sizes");
    open_rows(c, x, n, size);
    for (int k = 0; k < n; k++) {
        if (!size[k].a && !size[k].b && !import_integer(c, "allowzero", 0)) {
            if (k >= x->rank) import_refuse(c->g, "size 0 stands for an axis that is not there");
            size[k] = x->size[k];
        }
        if (!size[k].b && size[k].a < -1) import_refuse(c->g, "a size is negative");
        if (!size[k].b && size[k].a == -1) {
            if (open >= 0) import_refuse(c->g, "two sizes are left open");
            open = k;
        } else {
            rest[others++] = size[k];
        }
    }
    if (open >= 0) {
        const import_size all = import_product(c->g, x->rank, x->size);
        const import_size by = import_product(c->g, others, rest);
        if (by.b && (all.a || by.a || all.b % by.b))
            import_refuse(c->g, "the open size depends on how many rows there are");
        if (!by.b && (!by.a || all.a % by.a || all.b % by.a))
            import_refuse(c->g, "%s can't be divided so",
                          import_shape_text(c->g, x->rank, x->size, NULL));
        size[open] = by.b ? import_fixed(all.b / by.b) : (import_size){all.a / by.a, all.b / by.a};
    }
    reshape_to(c, x, n, size);
}

void make_flatten(import_call *c) {
    import_value *x = import_operand(c, 0);
    const int64_t said = import_integer(c, "axis", 1);
    const int axis = said == x->rank ? x->rank : import_axis(c, said, x->rank);
    const import_size size[] = {import_product(c->g, axis, x->size),
                                import_product(c->g, x->rank - axis, x->size + axis)};
    reshape_to(c, x, 2, size);
}

void make_squeeze(import_call *c) {
    import_value *x = import_operand(c, 0);
    import_size size[SPOR_RANK];
    int64_t list[SPOR_RANK];
    bool gone[SPOR_RANK] = {false};
    int rank = 0;
    const int n = import_integers(c, 1, "axes", SPOR_RANK, list);
    for (int k = 0; k < n; k++) gone[import_axis(c, list[k], x->rank)] = true;
    for (int k = 0; k < x->rank; k++) {
        if (n < 0 && x->size[k].b && c->g->file_rows == 1)
            import_refuse(c->g, "takes all axes of 1 away, and the file has one row");
        if (n < 0) gone[k] = is_one(x->size[k]);
        if (gone[k] && !is_one(x->size[k]))
            import_refuse(c->g, "axis %d has more than one element", k);
        if (!gone[k]) size[rank++] = x->size[k];
    }
    reshape_to(c, x, rank, size);
}

void make_unsqueeze(import_call *c) {
    import_value *x = import_operand(c, 0);
    import_size size[SPOR_RANK];
    int64_t list[SPOR_RANK];
    bool new[SPOR_RANK] = {false};
    const int n = import_integers(c, 1, "axes", SPOR_RANK, list), rank = x->rank + n;
    if (n < 0) import_refuse(c->g, "has no axes");
    if (rank > SPOR_RANK) import_refuse(c->g, "its result would have more than %d axes", SPOR_RANK);
    for (int k = 0; k < n; k++) {
        const int axis = import_axis(c, list[k], rank);
        if (new[axis]) import_refuse(c->g, "axis %d is there twice", axis);
        new[axis] = true;
    }
    for (int k = 0, from = 0; k < rank; k++) size[k] = new[k] ? import_fixed(1) : x->size[from++];
    reshape_to(c, x, rank, size);
}

/* ---- repeated ---- */

void make_expand(import_call *c) {
    import_graph *g = c->g;
    import_value *x = import_operand(c, 0);
    import_size to[SPOR_RANK], size[SPOR_RANK];
    const int n = import_sizes(c, 1, SPOR_RANK, to), rank = n > x->rank ? n : x->rank;
    bool same = rank == x->rank, fixed = true;
    if (n < 0) import_refuse(g, "has no sizes");
    for (int k = 0; k < rank; k++) {
        const import_size a = k < rank - x->rank ? import_fixed(1) : x->size[k - rank + x->rank];
        const import_size b = k < rank - n ? import_fixed(1) : to[k - rank + n];
        if (!is_one(a) && !is_one(b) && !import_same_size(a, b))
            import_refuse(g, "size %s can't become %s", import_size_text(g, a),
                          import_size_text(g, b));
        size[k] = is_one(a) ? b : a;
        same = same && import_same_size(size[k], a);
        fixed = fixed && !size[k].b;
    }
    import_known *known = import_known_of(g, x);
    if (known && fixed) {
        int64_t exact[SPOR_RANK];
        for (int k = 0; k < rank; k++) exact[k] = size[k].a;
        import_give_known(c, 0, known_broadcast(g, known, rank, exact));
        return;
    }
    if (same) {
        make_identity(c);
        return;
    }
    if (known && known->count && known_all(known, known->a[0]) && isfinite(known->a[0])) {
        import_give_equal(c, 0, x->type, rank, size, known->a[0]);
        return;
    }
    const char *text = known ? held_tensor(c, known) : held_plain(c, x);
    import_value *y = import_result_of(c, 0, x->type, rank, size);
    import_line(c, y, NULL, "broadcast(%s, %s)", text, list_of(g, rank, size, plain));
}
