#include "import/elementwise.h"

#include <ctype.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- templates ---- */

/* What the row says of an attribute, "alpha=0.01", or 0. */
static double default_of(const import_call *c, const char *name, size_t size) {
    for (const char *at = c->op->attributes; at && *at;) {
        if (!strncmp(at, name, size) && at[size] == '=') return strtod(at + size + 1, NULL);
        at += strcspn(at, " ");
        at += strspn(at, " ");
    }
    return 0;
}

const char *import_template(import_call *c, const char *text, const char *const operand[],
                            const char *rest) {
    import_graph *g = c->g;
    const char *line = "";
    for (const char *at = text; *at;) {
        const bool alone = isupper((unsigned char)*at) && !isalnum((unsigned char)at[1]) &&
                           (at == text || !isalnum((unsigned char)at[-1]));
        if (alone) {
            line = import_say(g, "%s%s", line, operand[*at++ - 'A']);
        } else if (*at == '@') {
            line = import_say(g, "%s%s", line, rest);
            at++;
        } else if (*at == '$') {
            const size_t size = strspn(at + 1, "abcdefghijklmnopqrstuvwxyz_");
            const char *name = import_say(g, "%.*s", (int)size, at + 1);
            const double value = import_real(c, name, default_of(c, name, size));
            line = import_say(g, "%s%s", line, import_real_text(g, value, false));
            at += size + 1;
        } else {
            line = import_say(g, "%s%c", line, *at++);
        }
    }
    return line;
}

/* ---- operands that broadcast ---- */

static void broadcast_sizes(import_call *c, int n, import_value *const x[], int *rank,
                            import_size size[]) {
    *rank = 0;
    for (int k = 0; k < n; k++) *rank = x[k]->rank > *rank ? x[k]->rank : *rank;
    for (int j = 0; j < *rank; j++) size[j] = import_fixed(1);
    for (int k = 0; k < n; k++)
        for (int j = 0; j < x[k]->rank; j++) {
            import_size *to = &size[*rank - x[k]->rank + j];
            const import_size s = x[k]->size[j];
            if (import_same_size(*to, import_fixed(1)))
                *to = s;
            else if (!import_same_size(*to, s) && !import_same_size(s, import_fixed(1)))
                import_refuse(c->g, "sizes %s and %s of its inputs do not fit together",
                              import_size_text(c->g, *to), import_size_text(c->g, s));
        }
}

/* Known numbers with their axes in this order; axes of 1 at the beginning go without saying. */
static const char *known_operand(import_call *c, import_known *x, int rank, const int order[]) {
    int64_t size[SPOR_RANK];
    int ones = 0;
    for (int k = 0; k < rank; k++) size[k] = k < rank - x->rank ? 1 : x->size[k - rank + x->rank];
    import_known *y = known_shaped(c->g, x, rank, size);
    if (!held_is_plain(rank, order)) y = known_transposed(c->g, y, order);
    while (ones < y->rank && y->size[ones] == 1) ones++;
    return held_constant(c, known_shaped(c->g, y, y->rank - ones, y->size + ones), "weight");
}

static const char *sizes_text(import_graph *g, int rank, const import_size size[],
                              const int order[]) {
    const char *list = "[";
    for (int k = 0; k < rank; k++)
        list = import_say(g, "%s%s%s", list, k ? ", " : "",
                          import_size_text(g, size[order ? order[k] : k]));
    return import_say(g, "%s]", list);
}

/* A value of fewer axes than the others have, where these are not in the file's order. */
static const char *narrow_operand(import_call *c, import_value *v, int rank, const int order[]) {
    import_graph *g = c->g;
    import_size size[SPOR_RANK];
    int last = -1;
    bool turns = false;
    const char *list = "[";
    const char *text = held_plain(c, v);
    for (int k = 0; k < rank; k++)
        size[k] = k < rank - v->rank ? import_fixed(1) : v->size[k - rank + v->rank];
    for (int k = 0; k < rank; k++) {
        if (import_same_size(size[order[k]], import_fixed(1))) continue;
        turns = turns || order[k] < last;
        last = order[k];
    }
    if (!turns) return import_say(g, "reshape(%s, %s)", text, sizes_text(g, rank, size, order));
    for (int k = 0; k < rank; k++) list = import_say(g, "%s%s%d", list, k ? ", " : "", order[k]);
    return import_say(g, "transpose(reshape(%s, %s), %s])", text, sizes_text(g, rank, size, NULL),
                      list);
}

static const char *operand_text(import_call *c, import_value *v, int rank, const int order[]) {
    import_known *known = import_known_of(c->g, v);
    if (known) return known_operand(c, known, rank, order);
    if (v->rank == rank) return held_reach(c, v, order);
    return held_is_plain(rank, order) ? held_plain(c, v) : narrow_operand(c, v, rank, order);
}

/* One value is computed, and the others are numbers: it may lie as it will. */
static bool goes_as_it_lies(import_call *c, int n, import_value *const x[], int *which) {
    int computed = 0;
    for (int k = 0; k < n; k++) {
        const import_known *known = import_known_of(c->g, x[k]);
        if (known && (known->count != 1 || known->rank > 0)) return false;
        if (!known) *which = k, computed++;
    }
    return computed == 1;
}

static void along(import_call *c, int k, int type, const char *text, int n, import_value *const x[],
                  int which) {
    const char *operand[26];
    import_form form = *held_any(c, x[which]);
    for (int j = 0; j < n; j++)
        operand[j] =
            j == which ? form.text : held_constant(c, import_known_of(c->g, x[j]), "weight");
    const import_value *like = x[which];
    import_value *y = import_result_of(c, k, type, like->rank, like->size);
    const char *line = import_template(c, text, operand, "");
    form.text = import_variable(c, y->name, y->rank, y->size, form.order, "%s", line);
    y->form[y->forms++] = form;
}

void import_elementwise(import_call *c, int k, int type, const char *text, int n,
                        import_value *const x[]) {
    import_size size[SPOR_RANK];
    int rank, which = 0, lead = -1, order[SPOR_RANK];
    const char *operand[26];
    if (n > 26) import_refuse(c->g, "has more than 26 inputs");
    if (goes_as_it_lies(c, n, x, &which)) {
        along(c, k, type, text, n, x, which);
        return;
    }
    broadcast_sizes(c, n, x, &rank, size);
    bool computed = false;
    for (int j = 0; j < n; j++) {
        const bool known = import_known_of(c->g, x[j]);
        computed = computed || !known;
        if (!known && x[j]->rank == rank && lead < 0) lead = j;
    }
    for (int j = 0; j < rank; j++) order[j] = j;
    if (lead >= 0) held_any(c, x[lead]);
    if (lead >= 0) held_order(x[lead], order);
    if (lead >= 0 && rank > 2 && c->out[0] && c->out[0]->maps) held_channels_order(rank, order);
    for (int j = 0; j < n; j++)
        operand[j] = !computed && !j ? held_tensor(c, import_known_of(c->g, x[j]))
                                     : operand_text(c, x[j], rank, order);
    /* known numbers alone have the first axes, which went without saying */
    const bool narrow = computed && lead < 0 && rank && import_same_size(size[0], import_fixed(1));
    const char *line = import_template(c, text, operand, "");
    if (narrow)
        line = import_say(c->g, "reshape(%s, %s)", line, sizes_text(c->g, rank, size, NULL));
    import_value *y = import_result_of(c, k, type, rank, size);
    import_line(c, y, order, "%s", line);
}

/* ---- rows ---- */

bool import_folds(import_call *c) {
    import_graph *g = c->g;
    import_known **x = import_take(g, (size_t)c->inputs, sizeof *x);
    if (!c->op->fold) return false;
    for (int k = 0; k < c->inputs; k++) {
        if (!c->in[k]) return false;
        if (!c->in[k]->known && !c->in[k]->numbers) return false;
    }
    for (int k = 0; k < c->inputs; k++) x[k] = import_known_of(g, c->in[k]);
    import_give_known(c, 0, known_fold(c, c->inputs, x));
    return true;
}

void make_elementwise(import_call *c) {
    for (int k = 0; k < c->inputs; k++) import_operand(c, k);
    if (import_folds(c)) return;
    const int type = c->op->decides ? ONNX_IS_BOOL : c->in[0]->type;
    if (!c->op->text) import_refuse(c->g, "spor has nothing for this op but for known numbers");
    if (!strcmp(c->op->text, "A / B") && !onnx_is_real(type))
        import_refuse(c->g, "whole numbers are divided, which spor does with real ones alone");
    import_elementwise(c, 0, type, c->op->text, c->inputs, c->in);
}

void make_where(import_call *c) {
    for (int k = 0; k < c->inputs; k++) import_operand(c, k);
    if (import_folds(c)) return;
    import_elementwise(c, 0, c->in[2]->type, c->op->text, c->inputs, c->in);
}

/* Max, Min, Sum, Mean of any number: the row's text of two, again and again. */
void make_variadic(import_call *c) {
    import_graph *g = c->g;
    const char *text = "A";
    for (int k = 0; k < c->inputs; k++) import_operand(c, k);
    if (c->inputs > 1 && import_folds(c)) return;
    if (c->inputs == 1) {
        make_identity(c);
        return;
    }
    if (c->inputs > 26) import_refuse(g, "has more than 26 inputs");
    for (int k = 1; k < c->inputs; k++) {
        const char letter[] = {(char)('A' + k), 0};
        const char *operand[] = {text, letter};
        text = import_template(c, c->op->text, operand, "");
    }
    if (!strcmp(c->op->name, "Mean")) text = import_say(g, "(%s) / %d", text, c->inputs);
    import_elementwise(c, 0, c->in[0]->type, text, c->inputs, c->in);
}

/* Bounds are attributes before opset 11, then inputs. */
void make_clip(import_call *c) {
    import_graph *g = c->g;
    import_value *x[3] = {import_operand(c, 0)};
    const char *text = "A";
    int n = 1;
    for (int k = 1; k < 3; k++) {
        const char *name = k == 1 ? "min" : "max", *with = k == 1 ? "maximum" : "minimum";
        const onnx_attribute *bound = import_attribute(c, name);
        if (bound && isfinite(bound->real) && fabs(bound->real) < (double)FLT_MAX)
            text = import_say(g, "%s(%s, $%s)", with, text, name);
        else if (import_input(c, k)) {
            text = import_say(g, "%s(%s, %c)", with, text, 'A' + n);
            x[n++] = c->in[k];
        }
    }
    if (text[1])
        import_elementwise(c, 0, x[0]->type, text, n, x);
    else
        make_identity(c);
}

void make_prelu(import_call *c) {
    import_value *x[] = {import_operand(c, 0), import_operand(c, 1)};
    const int rank = x[0]->rank;
    if (c->opset < 7 && x[1]->rank == 1 && rank > 2) { /* a slope for each channel */
        import_value *slope = import_take(c->g, 1, sizeof *slope);
        const int64_t size[SPOR_RANK] = {
            import_exact(c->g, x[1]->size[0], "a size"), 1, 1, 1, 1, 1, 1, 1};
        *slope = *x[1];
        slope->known = known_shaped(c->g, import_numbers(c, 1), rank - 1, size);
        slope->rank = rank - 1;
        for (int k = 0; k < rank - 1; k++) slope->size[k] = import_fixed(size[k]);
        x[1] = slope;
    }
    import_elementwise(c, 0, x[0]->type, "where(A < 0, B * A, A)", 2, x);
}

void make_gelu(import_call *c) {
    import_value *x[] = {import_operand(c, 0)};
    const char *how = import_text(c, "approximate", "none");
    if (strcmp(how, "none") != 0 && strcmp(how, "tanh") != 0)
        import_refuse(c->g, "approximate = '%.40s' is none that spor understands", how);
    import_elementwise(c, 0, x[0]->type, *how == 't' ? "gelu_tanh(A)" : "gelu(A)", 1, x);
}

/* ---- types ---- */

static bool is_one_of(const char *word, const char *const list[]) {
    while (*list && strcmp(word, *list) != 0) list++;
    return *list;
}

enum { LOOKS_MOST = 20000000 };

/* True if a value is read as an index alone: then it is whole, or nobody knows what it means. */
static bool is_index(import_graph *g, const char *name, int depth) {
    static const char *const second[] = {"Gather", "GatherND", "GatherElements", "ScatterND", NULL};
    static const char *const first[] = {"OneHot", NULL};
    static const char *const same[] = {"Reshape", "Unsqueeze", "Squeeze",   "Identity",
                                       "Cast",    "Expand",    "Transpose", NULL};
    if (depth > 8) return false;
    for (int k = 0; k < g->model.outputs; k++)
        if (!strcmp(g->model.output[k].name, name)) return false;
    for (int k = 0; k < g->model.nodes; k++) {
        const onnx_node *node = &g->model.node[k];
        if (++g->looks > LOOKS_MOST) return false;
        for (int j = 0; g->needed[k] && j < node->inputs; j++) {
            if (strcmp(node->input[j], name) != 0) continue;
            const bool passes = !j && is_one_of(node->op, same) && node->outputs == 1;
            if (passes && is_index(g, node->output[0], depth + 1)) continue;
            if (!(j == 1 && is_one_of(node->op, second)) && !(!j && is_one_of(node->op, first)))
                return false;
        }
    }
    return true;
}

static import_known *known_cast(import_call *c, const import_known *x, int type) {
    import_known *y = known_new(c->g, type, x->rank, x->size);
    y->trained = x->trained && onnx_is_real(type);
    y->name = x->name;
    for (int64_t k = 0; k < x->count; k++) {
        import_number n = known_at(x, k);
        if (type == ONNX_IS_BOOL)
            n = (import_number){n.a != 0 || n.b != 0, 0};
        else if (!onnx_is_real(type) && n.b == 0)
            n.a = trunc(n.a);
        else if (type == ONNX_IS_FLOAT && n.b == 0)
            n.a = (double)(float)n.a;
        known_set(c->g, y, k, n);
    }
    return y;
}

void make_cast(import_call *c) {
    import_value *x = import_operand(c, 0);
    const int type = !strcmp(c->op->name, "CastLike") ? import_operand(c, 1)->type
                                                      : (int)import_integer(c, "to", 0);
    import_known *known = import_known_of(c->g, x);
    if (type == ONNX_IS_STRING || strstr(onnx_type_name(type), " "))
        import_refuse(c->g, "numbers become %s", onnx_type_name(type));
    if (known) {
        import_give_known(c, 0, known_cast(c, known, type));
        return;
    }
    if (type == ONNX_IS_BOOL && x->type != ONNX_IS_BOOL) {
        import_elementwise(c, 0, type, "A != 0", 1, &x);
        return;
    }
    const bool whole = !onnx_is_real(type);
    if (whole && onnx_is_real(x->type) && !is_index(c->g, c->node->output[0], 0))
        import_refuse(c->g, "real numbers are cut to whole ones (%s), and spor rounds nothing",
                      onnx_type_name(type));
    if (whole && x->type != ONNX_IS_BOOL && !onnx_is_real(x->type) && type != ONNX_IS_INT64 &&
        type != ONNX_IS_INT32)
        import_refuse(c->g, "whole numbers are cut to %s", onnx_type_name(type));
    c->g->rounds = c->g->rounds || type == ONNX_IS_FLOAT16 || type == ONNX_IS_BFLOAT16;
    import_give_same(c, 0, x, NULL);
    c->out[0]->type = type;
}
