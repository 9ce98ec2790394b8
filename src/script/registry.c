/*
 * Calls of the ops of the registry: the signature says what an op takes.
 */
#include "script/interpret.h"

#include <math.h>
#include <string.h>

enum { MOST = SPOR_OPERANDS * 3 }; /* operands and attributes */

typedef struct {
    spor_pass *run;
    spor_spot place;
    const spor_op *op;
    spor_signature signature;
    const spor_value *bound[MOST]; /* operands, then attributes */
    spor_spot at[MOST];
    spor_value operand[SPOR_OPERANDS];
    const spor_axes *axes; /* of the operands of an elementwise op */
    spor_attr attr[SPOR_ATTRS];
    int64_t removed; /* axes that vanish */
} op_call;

/* ---- plain numbers --------------------------------------------------------------------------- */

static spor_reference *kernel_over(const spor_op *op, spor_scalar scalar) {
    return op->reference[scalar] ? *op->reference[scalar] : NULL;
}

/* An elementwise op of one number that is no tensor is what its kernel makes of that number; the
 * kernel over error bounds, whose elements are value and bound, says how well it is known. */
static bool on_number(op_call *c, spor_value *result) {
    spor_reference *kernel = kernel_over(c->op, SPOR_F64), *bound = kernel_over(c->op, SPOR_BOUND);
    bool unary = c->signature.operands == 1 && !c->signature.attrs && kernel && bound;
    if (!unary || !c->signature.operand[0].any || !value_is_number(c->bound[0])) return false;
    double x[2] = {value_number(c->bound[0]), value_error(c->bound[0])}, y = 0, known[2] = {0};
    spor_arg in = {.data = x};
    kernel(&(spor_call){.out = {.data = &y}, .in = &in, .operands = 1});
    if (!isfinite(y))
        pass_fail(c->run, c->at[0], "%s of %s is not a finite number", c->signature.name,
                  value_describe(&c->run->ground, c->bound[0]));
    bound(&(spor_call){.out = {.data = known}, .in = &in, .operands = 1});
    *result = value_of_real(y, known[1]);
    return true;
}

/* ---- attributes ------------------------------------------------------------------------------ */

/* A number for each of n slots, or one for all of them. */
static void integers(op_call *c, spor_spot at, const char *what, const spor_value *v, int n,
                     spor_attr *slot) {
    if (v->kind == VALUE_LIST && v->list.n != n)
        pass_fail(c->run, at, "%s takes %d integers or one for all, not a list of %d", what, n,
                  v->list.n);
    for (int k = 0; k < n; k++)
        slot[k].i = want_int(c->run, at, what, v->kind == VALUE_LIST ? &v->list.item[k] : v);
}

/* top, bottom, left, right: p, [h, w], [[t, b], [l, r]] or the four */
static void four_sides(op_call *c, spor_spot at, const char *what, const spor_value *v,
                       spor_attr *slot) {
    int64_t before[2], after[2];
    if (v->kind == VALUE_LIST && v->list.n == 4) {
        integers(c, at, what, v, 4, slot);
        return;
    }
    want_pads(c->run, at, what, v, 2, before, after);
    for (int k = 0; k < 2; k++) {
        slot[2 * k].i = before[k];
        slot[2 * k + 1].i = after[k];
    }
}

static void shape_slots(op_call *c, spor_spot at, const char *what, const spor_value *v,
                        spor_attr *slot) {
    spor_shape shape = want_shape(c->run, at, what, v);
    slot[0].i = shape.rank;
    for (int k = 0; k < shape.rank; k++) slot[1 + k].i = shape.n[k];
}

static void set_attr(op_call *c, const spor_signature_attr *a, const spor_value *v, spor_spot at,
                     const char *what) {
    spor_attr *slot = &c->attr[a->slot];
    int rank = c->signature.operands ? spor_shape_of(c->operand[0].t.var).rank : 0;
    switch (a->kind) {
    case SPOR_KIND_INT:
        slot->i = want_int(c->run, at, what, v);
        break;
    case SPOR_KIND_REAL:
        slot->r = want_real(c->run, at, what, v);
        if (c->op->error) c->attr[c->op->error].r = value_error(v);
        break;
    case SPOR_KIND_INT2:
        integers(c, at, what, v, 2, slot);
        break;
    case SPOR_KIND_INT4:
        four_sides(c, at, what, v, slot);
        break;
    case SPOR_KIND_AXIS:
        slot->i = want_axis(c->run, at, what, v, &c->operand[0]);
        c->removed |= SPOR_AXIS(slot->i);
        break;
    case SPOR_KIND_AXES:
        slot->i = want_axes(c->run, at, what, v, &c->operand[0]);
        c->removed |= slot->i;
        break;
    case SPOR_KIND_SIZES:
    case SPOR_KIND_PERM:
        integers(c, at, what, v, rank, slot);
        break;
    case SPOR_KIND_SHAPE:
        shape_slots(c, at, what, v, slot);
        break;
    case SPOR_KIND_VALUES: /* of C alone */
        break;
    }
}

/* An axis is the last one unless said otherwise. */
static bool may_be_left_out(const spor_signature_attr *a) {
    return a->has_default || a->kind == SPOR_KIND_AXIS;
}

static void default_attr(op_call *c, const spor_signature_attr *a, const char *what) {
    if (a->has_default && a->same_as >= 0) {
        int from = c->signature.attr[a->same_as].slot;
        memcpy(&c->attr[a->slot], &c->attr[from], (size_t)a->slots * sizeof *c->attr);
        return;
    }
    if (a->kind == SPOR_KIND_AXIS || a->kind == SPOR_KIND_AXES) {
        spor_value v = value_of_int(a->has_default ? (int64_t)a->value : -1);
        set_attr(c, a, &v, c->place, what);
        return;
    }
    for (int k = 0; k < a->slots; k++)
        if (a->kind == SPOR_KIND_REAL)
            c->attr[a->slot + k].r = a->value;
        else
            c->attr[a->slot + k].i = (int64_t)a->value;
}

static const char *attr_name(const spor_signature_attr *a) {
    return a->kind == SPOR_KIND_AXES ? "axis" : a->name;
}

/* ---- the call ---- */

static void bind(op_call *c, const spor_arguments *arguments) {
    const char *names[MOST];
    bool optional[MOST] = {false};
    int operands = c->signature.operands, n = operands + c->signature.attrs;
    for (int k = 0; k < n; k++) {
        const spor_signature_attr *a = k < operands ? NULL : &c->signature.attr[k - operands];
        names[k] = a ? attr_name(a) : c->signature.operand[k].name;
        optional[k] = a && may_be_left_out(a);
    }
    call_bind(c->run, arguments, c->signature.name, n, names, optional, c->bound, c->at);
}

static bool elementwise(const spor_signature *s) {
    for (int k = 0; k < s->operands; k++)
        if (!s->operand[k].any || s->operand[k].axes) return false;
    return s->operands > 0;
}

static const char *what_of(op_call *c, const char *name) {
    return ground_take_format(&c->run->ground, "%s: %s", c->signature.name, name);
}

static void take_operands(op_call *c) {
    int n = c->signature.operands;
    bool several = elementwise(&c->signature) && n > 1;
    for (int k = 0; k < n; k++) {
        c->operand[k] = *c->bound[k];
        if (several && value_is_number(c->bound[k])) continue;
        c->operand[k] =
            want_tensor(c->run, c->at[k], what_of(c, c->signature.operand[k].name), c->bound[k]);
    }
    c->axes = several ? tensor_broadcast(c->run, c->place, c->signature.name, n, c->operand)
              : n     ? c->operand[0].t.axes
                      : NULL;
}

static void take_attrs(op_call *c) {
    for (int k = 0; k < c->signature.attrs; k++) {
        const spor_signature_attr *a = &c->signature.attr[k];
        int from = c->signature.operands + k;
        const char *what = what_of(c, attr_name(a));
        if (c->bound[from])
            set_attr(c, a, c->bound[from], c->at[from], what);
        else
            default_attr(c, a, what);
    }
}

/* Names of the result's axes: those of operand 0 as far as they are sure to mean the same. */
static const spor_axes *result_axes(op_call *c, spor_var result) {
    if (!c->axes) return NULL;
    spor_shape in = spor_shape_of(c->operand[0].t.var), out = spor_shape_of(result);
    int vanished = in.rank - out.rank, named = 0;
    for (int k = 0; k < in.rank; k++) named += (int)(c->removed >> k & 1);
    if (vanished > 0)
        return vanished == named ? axes_without(c->run, c->axes, in.rank, c->removed) : NULL;
    if (in.rank != out.rank) return NULL;
    spor_axes *axes = axes_copy(c->run, c->axes);
    for (int k = 0; k < in.rank; k++)
        if (in.n[k] != out.n[k]) axes->symbol[k] = 0;
    return axes;
}

spor_value registry_call(spor_pass *run, const spor_op *op, const spor_arguments *arguments) {
    op_call call = {.run = run, .place = arguments->place, .op = op}, *c = &call;
    spor_value result;
    signature_parse(op->signature, &c->signature);
    bind(c, arguments);
    if (on_number(c, &result)) return result;
    take_operands(c);
    take_attrs(c);
    spor_tape *tape = pass_record(run, c->place);
    spor_var in[SPOR_OPERANDS] = {{NULL, 0}};
    for (int k = 0; k < c->signature.operands; k++) in[k] = c->operand[k].t.var;
    spor_var out =
        c->signature.operands ? op_record(op, in, c->attr) : op_record_leaf(tape, op, c->attr);
    pass_recorded(run, out);
    return value_of_tensor(out, result_axes(c, out));
}
