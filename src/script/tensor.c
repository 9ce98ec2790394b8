/*
 * Tensors under the signs of the language: broadcasting as NumPy does, recorded as expand, and
 * the names of axes.
 */
#include "script/interpret.h"

#include <string.h>

#include "script/lexer.h"
#include "tape/tape.h"

/* ---- names of axes --------------------------------------------------------------------------- */

spor_axes *axes_copy(spor_pass *run, const spor_axes *axes) {
    if (!axes) return NULL;
    spor_axes *copy = ground_take(&run->ground, 1, sizeof *copy);
    *copy = *axes;
    return copy;
}

const spor_axes *axes_without(spor_pass *run, const spor_axes *axes, int rank, int64_t mask) {
    if (!axes) return NULL;
    spor_axes *kept = ground_take(&run->ground, 1, sizeof *kept);
    for (int k = 0, to = 0; k < rank; k++)
        if (!(mask >> k & 1)) kept->symbol[to++] = axes->symbol[k];
    return kept;
}

/* The name in reach of an axis, or NULL. */
static const char *name_of(const spor_pass *run, uint32_t symbol) {
    for (const spor_env *env = pass_env(run); env && symbol; env = env->parent)
        for (int k = 0; k < env->n; k++)
            if (env->binding[k].symbol == symbol) return env->binding[k].name;
    return NULL;
}

const char *tensor_text(spor_pass *run, const spor_value *tensor) {
    char out[320] = "";
    spor_note note = {out, sizeof out, 0};
    spor_shape shape = spor_shape_of(tensor->t.var);
    note_add(&note, "[");
    for (int k = 0; k < shape.rank; k++) {
        const char *name = tensor->t.axes ? name_of(run, tensor->t.axes->symbol[k]) : NULL;
        note_add(&note, "%s%s%s%" PRId64, k ? ", " : "", name ? name : "", name ? "=" : "",
                 shape.n[k]);
    }
    note_add(&note, "]");
    return ground_take_text(&run->ground, out, strlen(out));
}

const spor_axes *tensor_taken_axes(spor_pass *run, const spor_value *x, const spor_value *i,
                                   int axis) {
    int rank = spor_shape_of(x->t.var).rank, more = spor_shape_of(i->t.var).rank;
    if (!x->t.axes && !i->t.axes) return NULL;
    spor_axes *names = ground_take(&run->ground, 1, sizeof *names);
    for (int k = 0; k < rank - 1 + more && k < SPOR_RANK; k++) {
        bool of_i = k >= axis && k < axis + more;
        const spor_axes *from = of_i ? i->t.axes : x->t.axes;
        int at = of_i ? k - axis : k < axis ? k : k - more + 1;
        if (from) names->symbol[k] = from->symbol[at];
    }
    return names;
}

/* ---- broadcasting ---------------------------------------------------------------------------- */

spor_var tensor_fill(spor_pass *run, spor_spot place, const spor_value *number, spor_shape shape) {
    spor_tape *tape = pass_record(run, place);
    spor_var var = number->kind == VALUE_INT ? op_fill_ratio(tape, number->i, 1, shape)
                                             : op_fill(tape, number->r, number->error, shape);
    return pass_recorded(run, var);
}

/* Merges the shape of one more operand into out, aligned at the end; false if they disagree. */
static bool merge_shape(spor_shape *out, const spor_shape *in) {
    spor_shape merged = {.rank = out->rank > in->rank ? out->rank : in->rank};
    for (int k = 1; k <= merged.rank; k++) {
        int64_t a = k <= out->rank ? out->n[out->rank - k] : 1;
        int64_t b = k <= in->rank ? in->n[in->rank - k] : 1;
        if (a != b && a != 1 && b != 1) return false;
        merged.n[merged.rank - k] = a == 1 ? b : a;
    }
    *out = merged;
    return true;
}

/* Names of the result: of the first operand that has one for the axis and is not repeated there. */
static const spor_axes *merge_axes(spor_pass *run, int n, const spor_value operands[],
                                   const spor_shape *out) {
    spor_axes *axes = NULL;
    for (int o = n - 1; o >= 0; o--) {
        if (operands[o].kind != VALUE_TENSOR || !operands[o].t.axes) continue;
        if (!axes) axes = ground_take(&run->ground, 1, sizeof *axes);
        spor_shape in = spor_shape_of(operands[o].t.var);
        for (int k = 1; k <= in.rank; k++) {
            uint32_t symbol = operands[o].t.axes->symbol[in.rank - k];
            if (symbol && in.n[in.rank - k] == out->n[out->rank - k])
                axes->symbol[out->rank - k] = symbol;
        }
    }
    return axes;
}

static _Noreturn void disagree(spor_pass *run, spor_spot place, const char *op, int n,
                               const spor_value operands[]) {
    char out[640] = "";
    spor_note note = {out, sizeof out, 0};
    for (int k = 0; k < n; k++)
        if (operands[k].kind == VALUE_TENSOR)
            note_add(&note, "%s%s", note.used ? " and " : "", tensor_text(run, &operands[k]));
    pass_fail(run, place,
              "%s: the shapes %s do not fit: counted from the end, sizes must agree "
              "or be 1",
              op, out);
}

const spor_axes *tensor_broadcast(spor_pass *run, spor_spot place, const char *op, int n,
                                  spor_value operands[]) {
    spor_shape shape = SPOR_SCALAR_SHAPE;
    for (int k = 0; k < n; k++) {
        if (operands[k].kind != VALUE_TENSOR) continue;
        spor_shape in = spor_shape_of(operands[k].t.var);
        if (!merge_shape(&shape, &in)) disagree(run, place, op, n, operands);
    }
    const spor_axes *axes = merge_axes(run, n, operands, &shape);
    for (int k = 0; k < n; k++) {
        if (operands[k].kind == VALUE_TENSOR) {
            pass_record(run, place);
            operands[k].t.var = pass_recorded(run, spor_broadcast(operands[k].t.var, shape));
        } else {
            operands[k] = value_of_tensor(tensor_fill(run, place, &operands[k], shape), NULL);
        }
    }
    return axes;
}

/* ---- products of matrices -------------------------------------------------------------------- */

static spor_shape leading_axes(const spor_shape *shape) {
    spor_shape result = *shape;
    result.rank -= 2;
    return result;
}

/* A vector is a row on the left and a column on the right. */
static spor_var as_matrix(spor_pass *run, spor_var x, bool left) {
    spor_shape shape = spor_shape_of(x);
    if (shape.rank != 1) return x;
    shape = left ? SPOR_SHAPE(1, shape.n[0]) : SPOR_SHAPE(shape.n[0], 1);
    return pass_recorded(run, spor_reshape(x, shape));
}

static const spor_axes *product_axes(spor_pass *run, const spor_value *a, const spor_value *b) {
    int x = spor_shape_of(a->t.var).rank, y = spor_shape_of(b->t.var).rank;
    if (x < 2 || y < 2 || (!a->t.axes && !b->t.axes)) return NULL;
    spor_axes *axes = ground_take(&run->ground, 1, sizeof *axes);
    int rank = x > y ? x : y;
    for (int k = 2; k <= rank; k++) {
        uint32_t symbol = a->t.axes && k <= x ? a->t.axes->symbol[x - k] : 0;
        if (!symbol && b->t.axes && k > 2 && k <= y) symbol = b->t.axes->symbol[y - k];
        axes->symbol[rank - k] = symbol;
    }
    if (b->t.axes) axes->symbol[rank - 1] = b->t.axes->symbol[y - 1];
    return axes;
}

/* The result without the axes that as_matrix added. */
static spor_var drop_added(spor_pass *run, spor_var z, bool row, bool column) {
    spor_shape shape = spor_shape_of(z);
    if (!row && !column) return z;
    int64_t last = shape.n[shape.rank - 1];
    shape.rank -= row + column;
    if (row && !column) shape.n[shape.rank - 1] = last;
    return pass_recorded(run, spor_reshape(z, shape));
}

static spor_value product(spor_pass *run, spor_spot place, const spor_value *a,
                          const spor_value *b) {
    if (a->kind != VALUE_TENSOR || b->kind != VALUE_TENSOR)
        pass_fail(run, place, "@ is the product of matrices; write * for a number");
    pass_record(run, place);
    spor_shape s = spor_shape_of(a->t.var), t = spor_shape_of(b->t.var);
    if (!s.rank || !t.rank)
        pass_fail(run, place, "@ is the product of matrices; write * for a scalar");
    spor_var x = as_matrix(run, a->t.var, true), y = as_matrix(run, b->t.var, false);
    spor_shape m = spor_shape_of(x), n = spor_shape_of(y);
    int64_t k = m.n[m.rank - 1], l = n.n[n.rank - 2];
    spor_shape leading = leading_axes(&m), other = leading_axes(&n);
    if (k != l)
        pass_fail(run, place, "@: %s has %" PRId64 " columns but %s has %" PRId64 " rows",
                  tensor_text(run, a), k, tensor_text(run, b), l);
    if (!merge_shape(&leading, &other)) {
        spor_value both[] = {*a, *b};
        disagree(run, place, "@", 2, both);
    }
    spor_var z = pass_recorded(run, spor_batched_matmul(x, y));
    return value_of_tensor(drop_added(run, z, s.rank == 1, t.rank == 1), product_axes(run, a, b));
}

/* ---- signs ---- */

enum {
    EQUAL = SPOR_SIGN('=', '=', 0),
    UNEQUAL = SPOR_SIGN('!', '=', 0),
    AT_MOST = SPOR_SIGN('<', '=', 0),
    AT_LEAST = SPOR_SIGN('>', '=', 0),
    POWER = SPOR_SIGN('*', '*', 0)
};

static spor_var greater(spor_var x, spor_var y) {
    return spor_less(y, x);
}
static spor_var greater_equal(spor_var x, spor_var y) {
    return spor_less_equal(y, x);
}
static spor_var unequal(spor_var x, spor_var y) {
    return spor_sub(op_fill_ratio(x.tape, 1, 1, spor_shape_of(x)), spor_equal(x, y));
}

/* Of operands of one shape. */
static const struct {
    int sign;
    spor_var (*record)(spor_var x, spor_var y);
} signs[] = {{'+', (spor_add)},
             {'-', (spor_sub)},
             {'*', (spor_mul)},
             {'/', (spor_div)},
             {POWER, (spor_pow)},
             {'<', (spor_less)},
             {'>', greater},
             {AT_MOST, (spor_less_equal)},
             {AT_LEAST, greater_equal},
             {EQUAL, (spor_equal)},
             {UNEQUAL, unequal}};

static spor_var record_sign(int sign, spor_var x, spor_var y) {
    int k = 0;
    while (signs[k].sign != sign) k++;
    return signs[k].record(x, y);
}

/* x^n by squares, so that whole numbers stay exact and every x has its slope. */
static spor_var whole_power(spor_var x, int64_t n) {
    spor_shape shape = spor_shape_of(x);
    spor_var result = {0};
    for (uint64_t k = n < 0 ? 0 - (uint64_t)n : (uint64_t)n; k; k /= 2) {
        if (k % 2) result = result.id ? spor_mul(result, x) : x;
        if (k > 1) x = spor_mul(x, x);
    }
    spor_var one = n > 0 ? result : op_fill_ratio(x.tape, 1, 1, shape);
    return n < 0 ? spor_div(one, result) : one;
}

/* An exponent that is a whole number, 2 or 2.0. */
static bool is_whole(const spor_value *v, int64_t *n) {
    double most = 0x1p40;
    bool whole = v->kind == VALUE_INT ||
                 (v->kind == VALUE_REAL && v->error <= 0 && fabs(v->r - floor(v->r)) <= 0);
    if (!whole || fabs(value_number(v)) > most) return false;
    *n = v->kind == VALUE_INT ? v->i : (int64_t)v->r;
    return true;
}

/* A root is a root; other powers of a tensor by a number that need no pow. */
static bool simple_power(spor_pass *run, const spor_value *a, const spor_value *b, spor_var *z) {
    int64_t n;
    bool root = b->kind == VALUE_REAL && b->error <= 0 && fabs(b->r - 0.5) <= 0;
    if (a->kind != VALUE_TENSOR || (!root && !is_whole(b, &n))) return false;
    *z = pass_recorded(run, root ? spor_sqrt(a->t.var) : whole_power(a->t.var, n));
    return true;
}

spor_value tensor_binary(spor_pass *run, spor_spot place, int sign, const spor_value *a,
                         const spor_value *b) {
    char text[4];
    spor_var z;
    if (sign == '@') return product(run, place, a, b);
    pass_record(run, place);
    if (sign == POWER && simple_power(run, a, b, &z)) return value_of_tensor(z, a->t.axes);
    spor_value operands[] = {*a, *b};
    const spor_axes *axes = tensor_broadcast(run, place, lexer_sign_text(sign, text), 2, operands);
    pass_record(run, place);
    z = record_sign(sign, operands[0].t.var, operands[1].t.var);
    return value_of_tensor(pass_recorded(run, z), axes);
}

spor_value tensor_negate(spor_pass *run, spor_spot place, const spor_value *a) {
    pass_record(run, place);
    return value_of_tensor(pass_recorded(run, spor_neg(a->t.var)), a->t.axes);
}

/* ---- x[...] ---- */

/* What an index takes of each axis of x. */
typedef struct {
    int64_t start[SPOR_RANK], stop[SPOR_RANK], step[SPOR_RANK];
    int64_t dropped; /* mask of the axes that an integer takes away */
} selection;

static void select_item(spor_pass *run, spor_env *env, const spor_syntax *item, int axis, int64_t n,
                        selection *s) {
    int64_t bound[3];
    if (item->kind != NODE_SLICE) {
        s->start[axis] = pass_index(run, env, item, n);
        s->stop[axis] = s->start[axis] + 1;
        s->dropped |= SPOR_AXIS(axis);
        return;
    }
    pass_slice(run, env, item, n, bound);
    s->start[axis] = bound[0];
    s->stop[axis] = bound[1] > bound[0] ? bound[1] : bound[0];
    s->step[axis] = bound[2];
}

/* The items of an index, from the left and, after an ellipsis, up to the last axis. */
static void select_items(spor_pass *run, spor_env *env, const spor_syntax *index,
                         const spor_value *x, selection *s) {
    spor_shape shape = spor_shape_of(x->t.var);
    int ellipsis = 0;
    for (int k = 1; k < index->n; k++) ellipsis += index->child[k]->kind == NODE_ELLIPSIS;
    int items = index->n - 1 - ellipsis, axis = 0;
    if (ellipsis > 1) pass_fail(run, index->place, "... stands once in an index");
    if (items > shape.rank)
        pass_fail(run, index->place, "%d indices for %s, which has %d ax%ss", items,
                  tensor_text(run, x), shape.rank, shape.rank == 1 ? "i" : "e");
    for (int k = 1; k < index->n; k++) {
        if (index->child[k]->kind == NODE_ELLIPSIS) {
            axis = shape.rank - (index->n - 1 - k);
            continue;
        }
        select_item(run, env, index->child[k], axis, shape.n[axis], s);
        axis++;
    }
}

/* NumPy's x[mask] is as long as the mask says. */
static void refuse_mask(spor_pass *run, spor_spot place) {
    pass_fail(run, place,
              "x[mask] would take what the mask marks, but how many that are is not known while a "
              "script records: where(mask, x, 0), or a product with the mask, keeps the shape; "
              "x[where(mask, 1, 0)] says that rows 0 and 1 are meant");
}

/* x[i] with a tensor i of whole numbers: rows of x. */
static bool takes_rows(spor_pass *run, spor_env *env, const spor_syntax *index, const spor_value *x,
                       spor_value *rows) {
    const spor_syntax *item = index->child[1];
    if (index->n != 2 || item->kind == NODE_SLICE || item->kind == NODE_ELLIPSIS) return false;
    spor_value i = pass_evaluate(run, env, item);
    if (i.kind != VALUE_TENSOR) return false;
    if (known_mask(i.t.var)) refuse_mask(run, item->place);
    pass_record(run, index->place);
    spor_var z = pass_recorded(run, spor_take(x->t.var, i.t.var, 0));
    *rows = value_of_tensor(z, tensor_taken_axes(run, x, &i, 0));
    return true;
}

spor_value tensor_index(spor_pass *run, spor_env *env, const spor_syntax *index,
                        const spor_value *x) {
    spor_value rows;
    if (takes_rows(run, env, index, x, &rows)) return rows;
    spor_shape shape = spor_shape_of(x->t.var), kept = {0};
    selection s = {.dropped = 0};
    for (int k = 0; k < shape.rank; k++) {
        s.stop[k] = shape.n[k];
        s.step[k] = 1;
    }
    select_items(run, env, index, x, &s);
    int64_t lo[SPOR_RANK] = {0}, hi[SPOR_RANK] = {0};
    bool crops = false, steps = false;
    spor_axes *axes = axes_copy(run, x->t.axes);
    for (int k = 0; k < shape.rank; k++) {
        lo[k] = -s.start[k];
        hi[k] = s.stop[k] - shape.n[k];
        crops |= lo[k] || hi[k];
        steps |= s.step[k] > 1;
        if (axes && (lo[k] || hi[k] || s.step[k] > 1)) axes->symbol[k] = 0;
        if (!(s.dropped >> k & 1))
            kept.n[kept.rank++] = (s.stop[k] - s.start[k] + s.step[k] - 1) / s.step[k];
    }
    pass_record(run, index->place);
    spor_var z = x->t.var;
    if (crops) z = pass_recorded(run, spor_pad(z, lo, hi, 0));
    if (steps) z = pass_recorded(run, spor_subsample(z, s.step));
    if (s.dropped) z = pass_recorded(run, spor_reshape(z, kept));
    return value_of_tensor(z, axes_without(run, axes, shape.rank, s.dropped));
}
