/*
 * Ops whose results are known: constants, and what is computed of sizes.
 */
#include <math.h>
#include <string.h>

#include "import/graph.h"

static import_known *known_list(import_call *c, int type, int n) {
    return known_new(c->g, type, 1, (const int64_t[]){n});
}

static import_known *from_tensor(import_call *c, const onnx_numbers *t) {
    spor_message message = {""};
    import_known *known = known_new(c->g, t->type, t->rank, t->size);
    if (!onnx_doubles(t, known->a, &message)) import_refuse(c->g, "%s", message.text);
    return known;
}

void make_constant(import_call *c) {
    import_known *known = NULL;
    if (c->node->attributes != 1)
        import_refuse(c->g, "has not one value but %d", c->node->attributes);
    const onnx_attribute *a = &c->node->attribute[0];
    if (!strcmp(a->name, "value") && a->kind == ONNX_TENSOR)
        known = from_tensor(c, &a->tensor);
    else if (!strcmp(a->name, "value_float"))
        known = known_new(c->g, ONNX_IS_FLOAT, 0, NULL), known->a[0] = a->real;
    else if (!strcmp(a->name, "value_int"))
        known = known_new(c->g, ONNX_IS_INT64, 0, NULL), known->a[0] = (double)a->integer;
    else if (!strcmp(a->name, "value_floats") && a->kind == ONNX_REALS) {
        known = known_list(c, ONNX_IS_FLOAT, a->count);
        for (int k = 0; k < a->count; k++) known->a[k] = a->reals[k];
    } else if (!strcmp(a->name, "value_ints") && a->kind == ONNX_INTEGERS) {
        known = known_list(c, ONNX_IS_INT64, a->count);
        for (int k = 0; k < a->count; k++) known->a[k] = (double)a->integers[k];
    } else {
        import_refuse(c->g, "its value, '%.60s', is of a kind that spor does not read", a->name);
    }
    import_give_known(c, 0, known);
}

/* A stretch of the sizes by start and end. */
void make_shape(import_call *c) {
    const import_value *x = import_operand(c, 0);
    int64_t first = import_integer(c, "start", 0), end = import_integer(c, "end", x->rank);
    first = first < 0 ? first + x->rank : first;
    end = end < 0 ? end + x->rank : end;
    first = first < 0 ? 0 : first > x->rank ? x->rank : first;
    end = end > x->rank ? x->rank : end < first ? first : end;
    import_give_known(c, 0, known_of_sizes(c->g, (int)(end - first), x->size + first));
}

void make_size(import_call *c) {
    const import_value *x = import_operand(c, 0);
    const import_size size = import_product(c->g, x->rank, x->size);
    import_known *known = known_of_sizes(c->g, 1, &size);
    known->rank = 0;
    import_give_known(c, 0, known);
}

void make_constant_of_shape(import_call *c) {
    import_graph *g = c->g;
    import_size size[SPOR_RANK];
    int64_t fixed[SPOR_RANK];
    const onnx_attribute *a = import_attribute(c, "value");
    import_known *value = NULL;
    const int n = import_sizes(c, 0, SPOR_RANK, size);
    bool open = false;
    if (a && (a->kind != ONNX_TENSOR || a->tensor.count != 1))
        import_refuse(g, "its value is no number");
    if (a) value = from_tensor(c, &a->tensor);
    const int type = value ? value->type : ONNX_IS_FLOAT;
    const double number = value ? value->a[0] : 0;
    for (int k = 0; k < n; k++) {
        open = open || size[k].b;
        fixed[k] = size[k].a;
    }
    if (open) {
        if (!isfinite(number)) import_refuse(g, "its value is not finite");
        import_give_equal(c, 0, type, n, size, number);
        return;
    }
    import_known *known = known_new(g, type, n < 0 ? 0 : n, fixed);
    for (int64_t k = 0; k < known->count; k++) known->a[k] = number;
    import_give_known(c, 0, known);
}

void make_range(import_call *c) {
    import_graph *g = c->g;
    const import_known *end[3];
    for (int k = 0; k < 3; k++) {
        end[k] = import_numbers(c, k);
        if (!end[k] || end[k]->count != 1 || end[k]->b)
            import_refuse(g, "its bounds are no numbers, or depend on how many rows there are");
    }
    const double first = end[0]->a[0], step = end[2]->a[0], n = ceil((end[1]->a[0] - first) / step);
    if (!(n < 1e6)) import_refuse(g, "has more than a million numbers");
    import_known *known = known_list(c, end[0]->type, n > 0 ? (int)n : 0);
    for (int64_t k = 0; k < known->count; k++) known->a[k] = first + (double)k * step;
    import_give_known(c, 0, known);
}
