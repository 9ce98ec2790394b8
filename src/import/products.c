/*
 * Products of matrices: with known weights a layer, else @.
 */
#include <ctype.h>
#include <string.h>

#include "import/elementwise.h"
#include "import/graph.h"

static const int plain[] = {0, 1, 2, 3, 4, 5, 6, 7};

/* ---- weights ---- */

/* Rows of W [n, m] in the order in which the parts of x's last axis lie. */
static import_known *rows_of_parts(import_graph *g, const import_known *W,
                                   const import_form *form) {
    int64_t size[SPOR_RANK + 1];
    int perm[SPOR_RANK + 1];
    for (int k = 0; k < form->parts; k++) {
        size[k] = form->part_size[k];
        perm[k] = form->part[k];
    }
    if (form->parts + 1 > SPOR_RANK) import_refuse(g, "its input has too many axes");
    size[form->parts] = W->size[1];
    perm[form->parts] = form->parts;
    return known_transposed(g, known_shaped(g, W, form->parts + 1, size), perm);
}

/* x W + b as a layer, or x W; W [n, m], b NULL: none yet. */
static void dense(import_call *c, import_value *x, import_known *W, const double *b) {
    import_graph *g = c->g;
    const int64_t m = W->size[1];
    import_size size[SPOR_RANK];
    int order[SPOR_RANK];
    const import_form lying = *held_any(c, x);
    const bool parts = lying.parts;
    const char *text = parts ? lying.text : held_last(c, x, order);
    for (int k = 0; parts && k < x->rank; k++) order[k] = k;
    if (parts) W = rows_of_parts(g, W, &lying);
    for (int k = 0; k < x->rank; k++) size[k] = x->size[k];
    size[x->rank - 1] = import_fixed(m);
    import_value *y = import_result_of(c, 0, x->type, x->rank, size);
    import_known *added = b ? NULL : import_bias(c, &y, m, 1);
    if (added) b = added->a;
    const int64_t wsize[] = {import_exact(g, x->size[x->rank - 1], "a size"), m};
    if (!b) {
        import_known *matrix = known_shaped(g, W, 2, wsize);
        const char *w = held_constant(c, matrix, "W");
        if (*w == '[' || matrix->count == 1) w = held_tensor(c, matrix);
        import_line(c, y, order, "%s @ %s", text, w);
        return;
    }
    const char *name = x->rank == 2 ? "dense" : "projection", *layer = import_layer(g, name);
    import_weight_of(g, layer, "W", 2, wsize, W->a);
    import_weight_of(g, layer, "b", 1, &m, b);
    const char *act = import_act(c, &y);
    import_line(c, y, order, "%s(%s, %lld%s)", name, text, (long long)m, act);
}

/* ---- Gemm ---- */

static import_known *scaled(import_graph *g, const import_known *x, double by) {
    import_known *y = known_new(g, x->type, x->rank, x->size);
    y->name = x->name;
    y->trained = x->trained;
    for (int64_t k = 0; k < x->count; k++) y->a[k] = by * x->a[k];
    return y;
}

/* A' where asked for. */
static import_value *turned(import_call *c, import_value *x, bool turns) {
    if (x->rank != 2) import_refuse(c->g, "takes matrices, not %d axes", x->rank);
    if (!turns) return x;
    import_value *y = import_take(c->g, 1, sizeof *y);
    *y = (import_value){.name = x->name, .type = x->type, .rank = 2, .there = true};
    y->size[0] = x->size[1];
    y->size[1] = x->size[0];
    import_known *known = import_known_of(c->g, x);
    if (known) {
        y->known = known_transposed(c->g, known, (const int[]){1, 0});
        return y;
    }
    const import_form *form = held_any(c, x);
    const char *text = form->parts ? held_plain(c, x) : form->text;
    held_keep(y, text,
              form->parts ? (const int[]){1, 0}
                          : (const int[]){1 - form->order[0], 1 - form->order[1]});
    return y;
}

static void gemm_computed(import_call *c, import_value *A, import_value *B, import_value *C) {
    import_graph *g = c->g;
    const import_size size[] = {A->size[0], B->size[1]};
    const double alpha = import_real(c, "alpha", 1);
    import_known *a = import_known_of(g, A), *b = import_known_of(g, B);
    const char *left = a ? held_tensor(c, a) : held_plain(c, A);
    const char *right = b ? held_tensor(c, b) : held_plain(c, B);
    const char *text = import_say(g, "%s @ %s", left, right);
    if (alpha != 1) text = import_say(g, "%s * (%s)", import_real_text(g, alpha, false), text);
    const char *operand[] = {text, NULL};
    import_known *known = C ? import_known_of(g, C) : NULL;
    if (C) operand[1] = known ? held_constant(c, known, "b") : held_plain(c, C);
    import_value *y = import_result_of(c, 0, A->type, 2, size);
    import_line(c, y, NULL, "%s",
                C ? import_template(c, import_real(c, "beta", 1) == 1 ? "A + B" : "A + $beta * B",
                                    operand, "")
                  : text);
}

/* Whether C broadcasts to a product of these rows and columns, and makes no more of them. */
static bool fits_product(const import_value *C, import_size rows, import_size columns) {
    const import_size to[] = {columns, rows};
    bool fits = C->rank <= 2;
    for (int k = 0; k < C->rank && fits; k++) {
        const import_size size = C->size[C->rank - 1 - k];
        fits = import_same_size(size, import_fixed(1)) || import_same_size(size, to[k]);
    }
    return fits;
}

void make_gemm(import_call *c) {
    import_graph *g = c->g;
    import_value *A = turned(c, import_operand(c, 0), import_integer(c, "transA", 0) != 0);
    import_value *B = turned(c, import_operand(c, 1), import_integer(c, "transB", 0) != 0);
    import_value *C = import_input(c, 2);
    if (!import_same_size(A->size[1], B->size[0]))
        import_refuse(g, "multiplies %s and %s", import_shape_text(g, 2, A->size, NULL),
                      import_shape_text(g, 2, B->size, NULL));
    import_known *W = import_known_of(g, B), *b = C ? import_known_of(g, C) : NULL;
    const int64_t m = B->size[1].a;
    const bool vector =
        b && !b->b && (b->count == 1 || (b->count == m && b->size[b->rank - 1] == m));
    if (C && !fits_product(C, A->size[0], B->size[1]))
        import_refuse(g, "adds %s to %s", import_shape_text(g, C->rank, C->size, NULL),
                      import_shape_text(g, 2, (const import_size[]){A->size[0], B->size[1]}, NULL));
    if (!W || W->b || import_known_of(g, A) || (C && !vector)) {
        gemm_computed(c, A, B, C);
        return;
    }
    const double alpha = import_real(c, "alpha", 1), beta = import_real(c, "beta", 1);
    if (alpha != 1) W = scaled(g, W, alpha);
    if (b && beta != 1) b = scaled(g, b, beta);
    dense(c, A, W, !b ? NULL : b->count == m ? b->a : import_equal(g, m, b->a[0]));
}

/* ---- MatMul ---- */

/* Leading axes broadcast as in elementwise ops. */
static void product_sizes(import_call *c, const import_value *A, const import_value *B, int *rank,
                          import_size size[]) {
    import_graph *g = c->g;
    const int more = A->rank > B->rank ? A->rank : B->rank;
    const bool row = A->rank == 1, column = B->rank == 1;
    const import_size inner = A->size[A->rank - 1], other = B->size[column ? 0 : B->rank - 2];
    if (!import_same_size(inner, other))
        import_refuse(g, "multiplies %s and %s", import_shape_text(g, A->rank, A->size, NULL),
                      import_shape_text(g, B->rank, B->size, NULL));
    *rank = 0;
    for (int k = 0; k < more - 2; k++) {
        const int a = k - (more - A->rank), b = k - (more - B->rank);
        const import_size x = a >= 0 ? A->size[a] : import_fixed(1);
        const import_size y = b >= 0 ? B->size[b] : import_fixed(1);
        const bool one = import_same_size(x, import_fixed(1));
        if (!one && !import_same_size(x, y) && !import_same_size(y, import_fixed(1)))
            import_refuse(g, "multiplies %s and %s", import_shape_text(g, A->rank, A->size, NULL),
                          import_shape_text(g, B->rank, B->size, NULL));
        size[(*rank)++] = one ? y : x;
    }
    if (!row) size[(*rank)++] = A->size[A->rank - 2];
    if (!column) size[(*rank)++] = B->size[B->rank - 1];
}

void make_matmul(import_call *c) {
    import_graph *g = c->g;
    import_value *A = import_operand(c, 0), *B = import_operand(c, 1);
    import_size size[SPOR_RANK];
    int rank;
    if (!A->rank || !B->rank) import_refuse(g, "multiplies a number");
    product_sizes(c, A, B, &rank, size);
    import_known *W = import_known_of(g, B), *left = import_known_of(g, A);
    if (W && !W->b && W->rank == 2 && !left && A->rank >= 2) {
        dense(c, A, W, NULL);
        return;
    }
    const char *a = left ? held_tensor(c, left) : held_plain(c, A);
    const char *b = W ? held_tensor(c, W) : held_plain(c, B);
    import_value *y = import_result_of(c, 0, A->type, rank, size);
    import_line(c, y, NULL, "%s @ %s", a, b);
}

/* ---- Einsum ---- */

/* The sizes of letters, from operands; -1: it is none. */
static void letters_of(import_call *c, const char *terms, int k, import_size size[128],
                       bool there[128]) {
    const import_value *x = import_operand(c, k);
    int axis = 0;
    for (const char *at = terms; *at && *at != ',' && *at != '-'; at++) {
        const unsigned char letter = (unsigned char)*at;
        if (!isalpha(letter) || letter > 127)
            import_refuse(c->g, "its equation has a '%c', and spor wants letters here", *at);
        if (axis >= x->rank) import_refuse(c->g, "input %d has %d axes", k, x->rank);
        const bool one = there[letter] && import_same_size(size[letter], import_fixed(1));
        if (there[letter] && !one && !import_same_size(size[letter], x->size[axis]))
            import_refuse(c->g, "'%c' of its equation has two sizes", *at);
        if (!there[letter] || one) size[letter] = x->size[axis];
        there[letter] = true;
        axis++;
    }
    if (axis != x->rank) import_refuse(c->g, "input %d has %d axes", k, x->rank);
}

void make_einsum(import_call *c) {
    import_graph *g = c->g;
    const char *said = import_text(c, "equation", "");
    char *equation = import_say(g, "%.200s", said), *to = equation;
    import_size letter[128] = {{0, 0}}, size[SPOR_RANK];
    bool there[128] = {false};
    int rank = 0;
    for (const char *at = said; *at && at < said + 200; at++)
        if (*at != ' ') *to++ = *at;
    *to = 0;
    const char *out = strstr(equation, "->"), *at = equation, *text = "";
    if (!out) import_refuse(g, "its equation has no ->");
    for (int k = 0; k < c->inputs; k++) {
        import_known *known = import_known_of(g, import_operand(c, k));
        letters_of(c, at, k, letter, there);
        at += strcspn(at, ",-");
        if (*at == ',') at++;
        text =
            import_say(g, "%s, %s", text, known ? held_tensor(c, known) : held_plain(c, c->in[k]));
    }
    if (at != out) import_refuse(g, "its equation has more terms than it has inputs");
    for (at = out + 2; *at; at++) {
        if (!isalpha((unsigned char)*at) || !there[(unsigned char)*at & 127] || rank == SPOR_RANK)
            import_refuse(g, "its equation is none that spor understands");
        size[rank++] = letter[(unsigned char)*at];
    }
    import_value *y = import_result_of(c, 0, c->in[0]->type, rank, size);
    import_line(c, y, plain, "einsum(\"%s\"%s)", equation, text);
}
