/*
 * Known numbers in the script: as texts, as parameters of the def, as weights of layers.
 */
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "import/graph.h"

/* Longer lists of numbers that are not trained are states. */
enum { LISTED = 16 };

/* ---- numbers as texts ---- */

const char *import_real_text(import_graph *g, double value, bool wide) {
    spor_text text = {0};
    if (isinf(value)) return value > 0 ? "(-log(zeros([1])))" : "log(zeros([1]))";
    if (isnan(value)) return "(log(zeros([1])) + -log(zeros([1])))";
    if (value == floor(value) && fabs(value) < 1e15)
        return import_say(g, value < 0 ? "(%.0f)" : "%.0f", value);
    if (wide)
        text_real(&text, value);
    else
        text_float(&text, (float)value);
    if (text.failed) import_exhaust(g);
    const char *kept = import_say(g, value < 0 ? "(%s)" : "%s", text.at);
    text_free(&text);
    return kept;
}

static const char *number_text(import_graph *g, const import_known *x, int64_t k) {
    if (x->b && x->b[k] != 0)
        return import_say(g, "(%s)", import_size_text(g, known_size(g, x, k)));
    const char *text = import_real_text(g, x->a[k], x->type == ONNX_IS_DOUBLE);
    return text;
}

/* "[[1, 2], [3, 4]]" */
static const char *nested(import_graph *g, const import_known *x, int axis, int64_t *at) {
    if (axis == x->rank) {
        const char *text = number_text(g, x, (*at)++);
        const size_t size = strlen(text);
        return *text == '(' && text[1] == '-' && text[2] != 'l'
                   ? import_say(g, "%.*s", (int)size - 2, text + 1)
                   : text;
    }
    const char *text = "[";
    for (int64_t k = 0; k < x->size[axis]; k++)
        text = import_say(g, "%s%s%s", text, k ? ", " : "", nested(g, x, axis + 1, at));
    return import_say(g, "%s]", text);
}

static bool all_finite(const import_known *x) {
    for (int64_t k = 0; k < x->count; k++)
        if (!isfinite(x->a[k])) return false;
    return true;
}

/* The variable that these numbers are already; NULL: they are none. */
static const char *find_parameter(const import_graph *g, const import_known *x) {
    for (uint32_t k = 0; k < g->weights; k++) {
        const import_weight *w = &g->weight[k];
        bool same = w->variable && w->value == x->a && w->rank == x->rank;
        for (int j = 0; j < x->rank && same; j++) same = w->size[j] == x->size[j];
        if (same) return w->variable;
    }
    return NULL;
}

/* A parameter or state of the def itself. */
static const char *parameter(import_call *c, import_known *x, const char *purpose) {
    import_graph *g = c->g;
    const char *there = find_parameter(g, x);
    if (there) return there;
    import_size size[SPOR_RANK];
    static const int plain[] = {0, 1, 2, 3, 4, 5, 6, 7};
    const char *list = "[";
    const char *from = x->name ? x->name : purpose;
    for (int k = 0; k < x->rank; k++) {
        size[k] = import_fixed(x->size[k]);
        list = import_say(g, "%s%s%lld", list, k ? ", " : "", (long long)x->size[k]);
    }
    if (x->b)
        import_refuse(g, "numbers that depend on how many rows there are have no place to go");
    const char *name = import_name(g, from, purpose);
    const char *law = x->rank > 1 && x->trained ? "glorot" : "zeros";
    import_add_line(g, name,
                    import_say(g, "%s(%s], init=\"%s\", name=\"%s\")",
                               x->trained ? "param" : "state", list, law, name),
                    x->rank, size, plain);
    import_weight_of(g, g->wish->def, name, x->rank, x->size, x->a);
    g->weight[g->weights - 1].wide = x->type == ONNX_IS_DOUBLE;
    g->weight[g->weights - 1].variable = name;
    return name;
}

const char *held_constant(import_call *c, import_known *x, const char *purpose) {
    int64_t at = 0;
    if (x->count == 1) return number_text(c->g, x, 0);
    if (x->count && x->count <= LISTED && (!x->trained || x->b) && all_finite(x))
        return nested(c->g, x, 0, &at);
    if (!x->count) import_refuse(c->g, "a tensor without elements is read");
    return parameter(c, x, purpose);
}

const char *held_tensor(import_call *c, import_known *x) {
    import_size size[SPOR_RANK];
    static const int plain[] = {0, 1, 2, 3, 4, 5, 6, 7};
    for (int k = 0; k < x->rank; k++) size[k] = import_fixed(x->size[k]);
    const char *text = held_constant(c, x, "weight");
    if (x->count == 1) {
        const char *list = import_shape_text(c->g, x->rank, size, NULL);
        text = isfinite(x->a[0]) ? import_say(c->g, "full(%s, %s)", list, text)
                                 : import_say(c->g, "reshape(%s, %s)", text, list);
    } else if (*text == '[') {
        text =
            import_say(c->g, "%s + zeros(%s)", text, import_shape_text(c->g, x->rank, size, NULL));
    } else {
        return text;
    }
    return import_variable(c, x->name ? x->name : "known", x->rank, size, plain, "%s", text);
}

/* ---- weights ---- */

const char *import_layer(import_graph *g, const char *layer) {
    import_word **bucket = &g->layer[random_hash_text(2, layer) % BUCKETS], *word = *bucket;
    while (word && strcmp(word->text, layer) != 0) word = word->next;
    if (!word) {
        word = import_take(g, 1, sizeof *word);
        *word = (import_word){.next = *bucket, .text = layer};
        *bucket = word;
    }
    return import_say(g, "%s/%s[%d]", g->wish->def, layer, word->count++);
}

void import_weight_of(import_graph *g, const char *layer, const char *name, int rank,
                      const int64_t size[], const double value[]) {
    if (g->weights == g->weight_room) {
        const size_t room = 2 * g->weight_room + 64;
        import_weight *more = import_take(g, room, sizeof *more);
        if (g->weights) memcpy(more, g->weight, g->weights * sizeof *more);
        g->weight = more;
        g->weight_room = room;
    }
    import_weight *w = &g->weight[g->weights++];
    *w = (import_weight){.name = import_say(g, "%s/%s", layer, name), .rank = rank, .value = value};
    w->wide = g->wide;
    for (int k = 0; k < rank; k++) w->size[k] = size[k];
}

const double *import_equal(import_graph *g, int64_t n, double value) {
    double *list = import_take(g, (size_t)n, sizeof *list);
    for (int64_t k = 0; k < n; k++) list[k] = value;
    return list;
}

const char *import_pair(import_graph *g, int64_t a, int64_t b) {
    if (a == b) return import_say(g, "%lld", (long long)a);
    return import_say(g, "[%lld, %lld]", (long long)a, (long long)b);
}
