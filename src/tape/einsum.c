/*
 * Einstein's sums as ops: z[out] = sum over all labels that are not out of the operands' product.
 *
 * Of each operand first a diagonal is taken where a label stands twice, and what nobody else has and
 * wants is summed. Then operands are multiplied from left to right, each time summing what is no longer
 * needed: a matrix product, with the labels that both keep as its leading axes.
 */
#include "tape/einsum.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include <spor/ops.h>

#include "base/shape.h"
#include "tape/op.h"

/* ---- reading --------------------------------------------------------------------------------- */

enum { DOTS_THEMSELVES = -1 };

/* An operand's labels, or the result's, as written. */
typedef struct {
    const char *text;
    int length;
    einsum_axes axes; /* "..." is one */
    bool dots;
} subscript;

static bool read_dots(const char *at, const char *end, const char *whole, subscript *s,
                      spor_message *message) {
    if (end - at < 3 || at[1] != '.' || at[2] != '.')
        return message_complain(message, "einsum: a dot of \"%.60s\" is no part of \"...\"", whole);
    if (s->dots)
        return message_complain(message, "einsum: \"...\" stands twice in \"%.*s\"", s->length,
                                s->text);
    s->dots = true;
    return true;
}

static bool read_subscript(const char *at, const char *end, const char *whole, subscript *s,
                           spor_message *message) {
    *s = (subscript){.text = at, .length = (int)(end - at)};
    for (; at < end; at++) {
        if (*at == ' ') continue;
        bool letter = isalpha((unsigned char)*at) && (unsigned char)*at < EINSUM_DOTS;
        if (!letter && *at != '.')
            return message_complain(
                message,
                "einsum: '%c' is no letter: \"ij,jk->ik\" has a letter for each "
                "axis of each operand",
                *at);
        if (!letter && !read_dots(at, end, whole, s, message)) return false;
        if (s->axes.n > SPOR_RANK)
            return message_complain(message, "einsum: \"%.*s\" has more than %d axes", s->length,
                                    s->text, SPOR_RANK);
        s->axes.label[s->axes.n++] = letter ? *at : DOTS_THEMSELVES;
        if (!letter) at += 2;
    }
    return true;
}

static bool has(const einsum_axes *axes, int label) {
    for (int k = 0; k < axes->n; k++)
        if (axes->label[k] == label) return true;
    return false;
}

/* Labels with count axes in the place of dots. */
static void expand_dots(const subscript *s, int count, einsum_axes *to) {
    to->n = 0;
    for (int k = 0; k < s->axes.n; k++) {
        if (s->axes.label[k] != DOTS_THEMSELVES) to->label[to->n++] = s->axes.label[k];
        for (int j = count - 1; s->axes.label[k] == DOTS_THEMSELVES && j >= 0; j--)
            to->label[to->n++] = EINSUM_DOTS + j;
    }
}

/* Sizes agree, or one of them is 1. */
static bool note_size(einsum_plan *plan, int label, int64_t size, int operand,
                      spor_message *message) {
    int64_t *known = &plan->size[label];
    if (*known >= 0 && *known != size && *known != 1 && size != 1) {
        char name[24] = "an axis of \"...\"";
        if (label < EINSUM_DOTS) snprintf(name, sizeof name, "%c", label);
        return message_complain(message,
                                "einsum: %s is %" PRId64 " in operand %d but %" PRId64 " before",
                                name, size, operand + 1, *known);
    }
    if (*known < 0 || *known == 1) *known = size;
    return true;
}

static bool take_operand(const subscript *s, int k, const spor_shape *shape, einsum_plan *plan,
                         spor_message *message) {
    int letters = s->axes.n - s->dots, dots = shape->rank - letters;
    einsum_axes *axes = &plan->of[k];
    if (dots < 0 || (dots && !s->dots)) {
        char text[128];
        tape_shape_text(shape, NULL, text, sizeof text);
        return message_complain(
            message, "einsum: \"%.*s\" has %d letter%s, but operand %d is %s, of %d ax%ss",
            s->length, s->text, letters, letters == 1 ? "" : "s", k + 1, text, shape->rank,
            shape->rank == 1 ? "i" : "e");
    }
    expand_dots(s, dots, axes);
    for (int a = 0; a < axes->n; a++) {
        for (int b = 0; b < a; b++)
            if (axes->label[a] == axes->label[b] && shape->n[a] != shape->n[b])
                return message_complain(
                    message,
                    "einsum: a diagonal over %c, but operand %d has sizes %" PRId64 " and %" PRId64
                    " there",
                    axes->label[a], k + 1, shape->n[b], shape->n[a]);
        if (!note_size(plan, axes->label[a], shape->n[a], k, message)) return false;
    }
    return true;
}

static int most_dots(const einsum_plan *plan) {
    int most = 0;
    for (int j = 0; j < SPOR_RANK; j++)
        if (plan->size[EINSUM_DOTS + j] >= 0) most = j + 1;
    return most;
}

/* Without "->": the axes of dots, then each letter that stands once, in order of the alphabet. */
static bool imply_result(einsum_plan *plan, spor_message *message) {
    for (int j = most_dots(plan) - 1; j >= 0; j--) plan->out.label[plan->out.n++] = EINSUM_DOTS + j;
    for (int letter = 0; letter < EINSUM_DOTS; letter++) {
        int count = 0;
        for (int k = 0; k < plan->operands; k++)
            for (int a = 0; a < plan->of[k].n; a++) count += plan->of[k].label[a] == letter;
        if (count == 1 && plan->out.n == SPOR_RANK)
            return message_complain(message, "einsum: the result has more than %d axes", SPOR_RANK);
        if (count == 1) plan->out.label[plan->out.n++] = letter;
    }
    return true;
}

static bool take_result(const subscript *s, einsum_plan *plan, spor_message *message) {
    int dots = most_dots(plan);
    if (dots && !s->dots)
        return message_complain(message,
                                "einsum: the result \"%.*s\" has no \"...\", but operands have",
                                s->length, s->text);
    for (int k = 0; k < s->axes.n; k++) {
        int label = s->axes.label[k];
        if (label == DOTS_THEMSELVES) continue;
        if (plan->size[label] < 0)
            return message_complain(message, "einsum: %c of the result is in no operand", label);
        for (int j = 0; j < k; j++)
            if (s->axes.label[j] == label)
                return message_complain(message, "einsum: %c stands twice in the result", label);
    }
    if (s->axes.n - s->dots + dots > SPOR_RANK)
        return message_complain(message, "einsum: the result has more than %d axes", SPOR_RANK);
    expand_dots(s, dots, &plan->out);
    return true;
}

bool einsum_read(const char *subscripts, int n, const spor_shape shape[], einsum_plan *plan,
                 spor_message *message) {
    const char *arrow = strstr(subscripts, "->"), *end = subscripts + strlen(subscripts);
    const char *stop = arrow ? arrow : end, *at = subscripts;
    subscript s;
    int written = 1;
    *plan = (einsum_plan){.operands = n};
    for (int label = 0; label < EINSUM_LABELS; label++) plan->size[label] = -1;
    for (const char *c = at; c < stop; c++) written += *c == ',';
    if (written != n)
        return message_complain(message, "einsum: \"%.60s\" is about %d operand%s, but %d %s given",
                                subscripts, written, written == 1 ? "" : "s", n,
                                n == 1 ? "is" : "are");
    if (n > EINSUM_OPERANDS)
        return message_complain(message, "einsum: more than %d operands", EINSUM_OPERANDS);
    for (int k = 0; k < n; k++) {
        const char *comma = memchr(at, ',', (size_t)(stop - at));
        if (!comma) comma = stop;
        if (!read_subscript(at, comma, subscripts, &s, message)) return false;
        if (!take_operand(&s, k, &shape[k], plan, message)) return false;
        at = comma + 1;
    }
    if (!arrow) return imply_result(plan, message);
    return read_subscript(arrow + 2, end, subscripts, &s, message) &&
           take_result(&s, plan, message);
}

/* ---- recording ------------------------------------------------------------------------------- */

/* An operand, or a product of some. */
typedef struct {
    spor_var x;
    einsum_axes axes;
} term;

static void add_label(einsum_axes *axes, int label) {
    axes->label[axes->n++] = label;
}

static einsum_axes joined(const einsum_axes *a, const einsum_axes *b) {
    einsum_axes all = *a;
    for (int k = 0; k < b->n; k++) add_label(&all, b->label[k]);
    return all;
}

static spor_shape shape_of(const einsum_plan *plan, const einsum_axes *axes) {
    spor_shape shape = {.rank = axes->n};
    for (int k = 0; k < axes->n; k++) shape.n[k] = plan->size[axes->label[k]];
    return shape;
}

static int64_t size_of(const einsum_plan *plan, const einsum_axes *axes) {
    int64_t size = 1;
    for (int k = 0; k < axes->n; k++) size *= plan->size[axes->label[k]];
    return size;
}

static void remove_axis(term *t, int axis) {
    t->axes.n--;
    for (int k = axis; k < t->axes.n; k++) t->axes.label[k] = t->axes.label[k + 1];
}

/* An axis of 1 where others have more repeats by itself. */
static void drop_repeated(const einsum_plan *plan, term *t) {
    spor_shape shape = spor_shape_of(t->x);
    for (int k = shape.rank - 1; k >= 0; k--) {
        if (shape.n[k] != 1 || plan->size[t->axes.label[k]] == 1) continue;
        remove_axis(t, k);
        shape.rank--;
        for (int j = k; j < shape.rank; j++) shape.n[j] = shape.n[j + 1];
        t->x = spor_reshape(t->x, shape);
    }
}

static spor_var arranged(const term *t, const einsum_axes *order) {
    int64_t perm[SPOR_RANK];
    bool moved = false;
    for (int k = 0; k < order->n; k++) {
        for (int a = 0; a < t->axes.n; a++)
            if (t->axes.label[a] == order->label[k]) perm[k] = a;
        moved = moved || perm[k] != k;
    }
    return moved ? spor_transpose(t->x, perm) : t->x;
}

/* Axes a < b of one label, brought to the end and flattened: every (n + 1)-th element. */
static void take_diagonal(term *t, int a, int b) {
    spor_shape shape = spor_shape_of(t->x), kept = {0};
    int64_t n = shape.n[a], perm[SPOR_RANK], step[SPOR_RANK];
    int label = t->axes.label[a], to = 0;
    for (int k = 0; k < shape.rank; k++) {
        if (k == a || k == b) continue;
        step[to] = 1;
        kept.n[to] = shape.n[k];
        perm[to++] = k;
    }
    perm[to] = a;
    perm[to + 1] = b;
    kept.n[to] = n * n;
    step[to] = n + 1;
    kept.rank = to + 1;
    t->x = spor_subsample(spor_reshape(spor_transpose(t->x, perm), kept), step);
    remove_axis(t, b);
    remove_axis(t, a);
    add_label(&t->axes, label);
}

static void take_diagonals(term *t) {
    for (int b = 0; b < t->axes.n; b++)
        for (int a = 0; a < b; a++)
            if (t->axes.label[a] == t->axes.label[b]) {
                take_diagonal(t, a, b);
                b = -1; /* axes have moved: once more from the first one */
                break;
            }
}

/* True if the result, or a term from number k on, has the label. */
static bool is_needed(const einsum_plan *plan, const term terms[], int k, int label) {
    bool needed = has(&plan->out, label);
    for (; k < plan->operands; k++) needed = needed || has(&terms[k].axes, label);
    return needed;
}

/* Sums over what neither the other terms nor the result have. */
static void sum_alone(const einsum_plan *plan, const term terms[], int own, term *t) {
    int64_t axes = 0;
    int n = t->axes.n;
    for (int k = 0; k < n; k++) {
        bool others = is_needed(plan, terms, own + 1, t->axes.label[k]);
        for (int j = 0; j < own; j++) others = others || has(&terms[j].axes, t->axes.label[k]);
        if (!others) axes |= SPOR_AXIS(k);
    }
    for (int k = n - 1; k >= 0; k--)
        if (axes >> k & 1) remove_axis(t, k);
    if (axes) t->x = spor_sum(t->x, axes);
}

/* Labels of a product: both keep `both`, `inner` is summed; the others have only one of them. */
typedef struct {
    einsum_axes both, left, right, inner;
} parting;

static parting part(const einsum_plan *plan, const term terms[], int next, const term *a,
                    const term *b) {
    parting p = {0};
    for (int k = 0; k < a->axes.n; k++) {
        int label = a->axes.label[k];
        bool shared = has(&b->axes, label);
        bool needed = !shared || is_needed(plan, terms, next, label);
        add_label(!shared ? &p.left : needed ? &p.both : &p.inner, label);
    }
    for (int k = 0; k < b->axes.n; k++)
        if (!has(&a->axes, b->axes.label[k])) add_label(&p.right, b->axes.label[k]);
    return p;
}

/* Element by element, each repeated over what only the other has; then the sum. */
static spor_var multiply(const einsum_plan *plan, const parting *p, const term *a, const term *b) {
    einsum_axes outer = joined(&p->both, &p->left), all;
    outer = joined(&outer, &p->right);
    all = joined(&outer, &p->inner);
    const term *terms[2] = {a, b};
    spor_var x[2];
    for (int t = 0; t < 2; t++) {
        einsum_axes own = {0};
        spor_shape shape = shape_of(plan, &all), whole = shape;
        for (int k = 0; k < all.n; k++)
            if (has(&terms[t]->axes, all.label[k]))
                add_label(&own, all.label[k]);
            else
                shape.n[k] = 1;
        x[t] = spor_broadcast(spor_reshape(arranged(terms[t], &own), shape), whole);
    }
    spor_var z = spor_mul(x[0], x[1]);
    int64_t inner = SPOR_AXIS(all.n) - SPOR_AXIS(outer.n);
    return inner ? spor_sum(z, inner) : z;
}

/* [both, rows, columns], without the first one where there is none. */
static spor_var as_matrices(const einsum_plan *plan, const term *t, const einsum_axes *both,
                            const einsum_axes *rows, const einsum_axes *columns) {
    einsum_axes order = joined(both, rows);
    order = joined(&order, columns);
    int64_t n = size_of(plan, rows), m = size_of(plan, columns);
    spor_shape shape = both->n ? SPOR_SHAPE(size_of(plan, both), n, m) : SPOR_SHAPE(n, m);
    spor_var x = arranged(t, &order);
    spor_shape is = spor_shape_of(x);
    return shape_equal(&is, &shape) ? x : spor_reshape(x, shape);
}

static spor_var multiply_matrices(const einsum_plan *plan, const parting *p, const term *a,
                                  const term *b) {
    einsum_axes outer = joined(&p->both, &p->left);
    outer = joined(&outer, &p->right);
    spor_var z = spor_matmul(as_matrices(plan, a, &p->both, &p->left, &p->inner),
                             as_matrices(plan, b, &p->both, &p->inner, &p->right));
    spor_shape is = spor_shape_of(z), shape = shape_of(plan, &outer);
    return shape_equal(&is, &shape) ? z : spor_reshape(z, shape);
}

/* The product of the terms before `next`, and of that one. */
static bool contract(const einsum_plan *plan, const term terms[], int next, term *product) {
    const term *a = product, *b = &terms[next];
    parting p = part(plan, terms, next + 1, a, b);
    einsum_axes outer = joined(&p.both, &p.left);
    outer = joined(&outer, &p.right);
    bool matrices = p.inner.n && (p.left.n || p.right.n);
    if (outer.n + (matrices ? 0 : p.inner.n) > SPOR_RANK) {
        tape_reject(a->x.tape, "einsum: the product of the first %d operands has more than %d axes",
                    next + 1, SPOR_RANK);
        return false;
    }
    product->x = matrices ? multiply_matrices(plan, &p, a, b) : multiply(plan, &p, a, b);
    product->axes = outer;
    return product->x.id != 0;
}

spor_var einsum_record(const einsum_plan *plan, const spor_var x[]) {
    term terms[EINSUM_OPERANDS];
    for (int k = 0; k < plan->operands; k++) {
        terms[k] = (term){x[k], plan->of[k]};
        drop_repeated(plan, &terms[k]);
        take_diagonals(&terms[k]);
    }
    for (int k = 0; k < plan->operands; k++) sum_alone(plan, terms, k, &terms[k]);
    term product = terms[0];
    for (int k = 1; k < plan->operands; k++)
        if (!contract(plan, terms, k, &product)) return (spor_var){x[0].tape, 0};
    return arranged(&product, &plan->out);
}

spor_var spor_einsum(const char *subscripts, int n, const spor_var x[]) {
    spor_tape *tape = n > 0 && x ? x[0].tape : NULL;
    spor_shape shape[EINSUM_OPERANDS];
    einsum_plan plan;
    spor_message message = {""};
    if (!tape) return (spor_var){NULL, 0};
    if (!subscripts) return tape_exhaust(tape);
    for (int k = 0; k < n; k++)
        if (x[k].tape != tape || !x[k].id)
            return tape_reject(tape, "einsum: operand %d is no variable of the first one's tape",
                               k + 1);
    for (int k = 0; k < n && k < EINSUM_OPERANDS; k++) shape[k] = spor_shape_of(x[k]);
    if (!einsum_read(subscripts, n, shape, &plan, &message))
        return tape_reject(tape, "%s", message.text);
    return einsum_record(&plan, x);
}
