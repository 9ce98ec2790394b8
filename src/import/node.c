/*
 * What a node says: attributes, whole numbers, sizes; domains and attributes that nobody understands.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "import/graph.h"

/* ---- attributes ---- */

const onnx_attribute *import_attribute(const import_call *c, const char *name) {
    for (int k = 0; k < c->node->attributes; k++)
        if (!strcmp(c->node->attribute[k].name, name)) return &c->node->attribute[k];
    return NULL;
}

int64_t import_integer(const import_call *c, const char *name, int64_t otherwise) {
    const onnx_attribute *a = import_attribute(c, name);
    return a ? a->integer : otherwise;
}

double import_real(import_call *c, const char *name, double otherwise) {
    const onnx_attribute *a = import_attribute(c, name);
    if (a && !isfinite(a->real)) import_refuse(c->g, "attribute %s is not finite", name);
    return a ? a->real : otherwise;
}

const char *import_text(const import_call *c, const char *name, const char *otherwise) {
    const onnx_attribute *a = import_attribute(c, name);
    return a ? a->text : otherwise;
}

int import_list(import_call *c, const char *name, int most, int64_t list[]) {
    const onnx_attribute *a = import_attribute(c, name);
    if (!a) return -1;
    if (a->kind != ONNX_INTEGERS || a->count > most)
        import_refuse(c->g, "attribute %s is no list of at most %d whole numbers", name, most);
    for (int k = 0; k < a->count; k++) list[k] = a->integers[k];
    return a->count;
}

int import_axis(import_call *c, int64_t axis, int rank) {
    if (axis < -rank || axis >= rank)
        import_refuse(c->g, "axis %lld is none of %d", (long long)axis, rank);
    return (int)(axis < 0 ? axis + rank : axis);
}

int import_sizes(import_call *c, int k, int most, import_size list[]) {
    import_known *known = import_numbers(c, k);
    if (!known) return -1;
    if (known->rank > 1 || known->count > most)
        import_refuse(c->g, "input %d is no list of at most %d whole numbers", k, most);
    for (int64_t j = 0; j < known->count; j++) list[j] = known_size(c->g, known, j);
    return (int)known->count;
}

int import_integers(import_call *c, int k, const char *attribute, int most, int64_t list[]) {
    import_size size[64];
    const int n = attribute ? import_list(c, attribute, most, list) : -1;
    if (n >= 0) return n;
    const int m = import_sizes(c, k, most < 64 ? most : 64, size);
    for (int j = 0; j < m; j++) list[j] = import_exact(c->g, size[j], "a whole number");
    return m;
}

/* ---- sizes ---- */

bool import_same_size(import_size a, import_size b) {
    return a.a == b.a && a.b == b.b;
}

int64_t import_exact(import_graph *g, import_size size, const char *what) {
    if (size.b)
        import_refuse(g,
                      "%s depends on how many rows there are: export the network with a fixed "
                      "number of them",
                      what);
    return size.a;
}

const char *import_size_text(import_graph *g, import_size size) {
    if (!size.b) return import_say(g, "%lld", (long long)size.a);
    g->uses_rows = true;
    const char *rows = size.b == 1 ? "N" : import_say(g, "%lld * N", (long long)size.b);
    return size.a ? import_say(g, "%s + %lld", rows, (long long)size.a) : rows;
}

const char *import_shape_text(import_graph *g, int rank, const import_size size[],
                              const int order[]) {
    const bool uses = g->uses_rows;
    const char *text = "[";
    for (int k = 0; k < rank; k++)
        text = import_say(g, "%s%s%s", text, k ? ", " : "",
                          import_size_text(g, size[order ? order[k] : k]));
    g->uses_rows = uses;
    return import_say(g, "%s]", text);
}

import_size import_product(import_graph *g, int n, const import_size size[]) {
    import_size p = {1, 0};
    for (int k = 0; k < n; k++) {
        const import_size s = size[k];
        import_size next;
        if (p.b && s.b) import_refuse(g, "a size is made of the square of the number of rows");
        const bool over = __builtin_mul_overflow(p.a, s.a, &next.a) ||
                          __builtin_mul_overflow(p.b ? p.b : s.b, p.b ? s.a : p.a, &next.b);
        if (over) import_refuse(g, "a size is larger than 2^63");
        p = next;
    }
    return p;
}

/* ---- what is understood ---- */

/* Domain and attributes: what is not understood is refused, whatever its value. */
static void examine_attribute(import_call *c, const onnx_attribute *a) {
    const size_t size = strlen(a->name);
    const char *list = c->op->attributes ? c->op->attributes : "";
    for (const char *at = list; *at; at += strcspn(at, " "), at += strspn(at, " ")) {
        if (strncmp(at, a->name, size) != 0 || !strchr(" :=", at[size])) continue;
        if (at[size] == ':' && a->kind == ONNX_INTEGER && a->integer != atoll(at + size + 1))
            import_refuse(c->g, "%.100s = %lld: spor has only %.100s = %lld", a->name,
                          (long long)a->integer, a->name, atoll(at + size + 1));
        const char *only = at + size + 1; /* a word */
        const size_t length = at[size] == ':' ? strcspn(only, " ") : 0;
        if (length && a->kind == ONNX_TEXT &&
            (strlen(a->text) != length || strncmp(a->text, only, length) != 0))
            import_refuse(c->g, "%.100s = '%.40s': spor has only '%.*s'", a->name, a->text,
                          (int)length, only);
        return;
    }
    import_refuse(c->g, "attribute '%.100s' is none that spor understands", a->name);
}

void import_examine(import_call *c) {
    import_graph *g = c->g;
    const char *domain = c->node->domain;
    if (*domain && strcmp(domain, "ai.onnx") != 0)
        import_refuse(
            g,
            "is no op of ONNX's own, but of %.100s; onnx.inliner.inline_local_functions or a "
            "simplifier may replace it",
            domain);
    if (!c->op)
        import_refuse(g,
                      "spor has nothing for this op: write what comes before and after it as two "
                      "files, or the network with other ops");
    for (int k = 0; k < c->node->attributes; k++) examine_attribute(c, &c->node->attribute[k]);
    if (c->inputs < c->op->least || c->inputs > c->op->most)
        import_refuse(g, "has %d inputs", c->inputs);
}
