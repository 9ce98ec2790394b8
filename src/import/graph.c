#include "import/graph.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/random.h"

/* ---- giving up, memory, texts ---- */

void import_refuse(import_graph *g, const char *format, ...) {
    char text[700], where[480] = "";
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (g->now) {
        const onnx_node *node = g->now->node;
        const bool named = *node->name, made = node->outputs && *node->output[0];
        snprintf(where, sizeof where, "node '%.200s' (%.100s): ",
                 named  ? node->name
                 : made ? node->output[0]
                        : "",
                 node->op);
    }
    message_complain(g->message, "%.200s: %s%s", g->wish->path, where, text);
    longjmp(g->end, 1);
}

void import_exhaust(import_graph *g) {
    import_refuse(g, "out of memory");
}

void *import_take(import_graph *g, size_t count, size_t each) {
    void *taken = arena_take(&g->arena, bytes_for((int64_t)count + 1, each));
    if (!taken) import_exhaust(g);
    return taken;
}

char *import_say(import_graph *g, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    const int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = import_take(g, size < 0 ? 0 : (size_t)size, 1);
    vsnprintf(text, (size_t)size + 1, format, again);
    va_end(again);
    return text;
}

void import_tell(import_graph *g, const char *format, ...) {
    char text[800];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    text_add(&g->result->told, "%s\n", text);
    if (g->result->told.failed) import_exhaust(g);
}

/* ---- values ---- */

static size_t bucket_of(const char *name) {
    return (size_t)(random_hash_text(0, name) % BUCKETS);
}

import_value *import_find(const import_graph *g, const char *name) {
    import_value *v = g->bucket[bucket_of(name)];
    while (v && strcmp(v->name, name) != 0) v = v->next;
    return v;
}

static import_value *add_value(import_graph *g, const char *name) {
    import_value **bucket = &g->bucket[bucket_of(name)], *v = import_take(g, 1, sizeof *v);
    if (import_find(g, name)) import_refuse(g, "'%.200s' is there twice", name);
    *v = (import_value){.next = *bucket, .name = name, .op = "", .maker = -1, .reader = -1};
    return *bucket = v;
}

import_value *import_result_of(import_call *c, int k, int type, int rank,
                               const import_size size[]) {
    import_value *v = k < c->outputs ? c->out[k] : NULL;
    if (rank > SPOR_RANK) import_refuse(c->g, "its result would have more than %d axes", SPOR_RANK);
    if (!v) return NULL;
    v->type = type;
    v->rank = rank;
    for (int j = 0; j < rank; j++) v->size[j] = size[j];
    v->there = true;
    return v;
}

import_value *import_like(import_call *c, int k, const import_value *x) {
    return import_result_of(c, k, x->type, x->rank, x->size);
}

import_value *import_give_equal(import_call *c, int k, int type, int rank, const import_size size[],
                                double number) {
    import_graph *g = c->g;
    const char *list = "[";
    import_value *y = import_result_of(c, k, type, rank, size);
    if (!y) return NULL;
    for (int j = 0; j < rank; j++)
        list = import_say(g, "%s%s%s", list, j ? ", " : "", import_size_text(g, size[j]));
    y->pending =
        import_say(g, "full(%s], %s)", list, import_real_text(g, number, type == ONNX_IS_DOUBLE));
    y->zeros = number == 0;
    return y;
}

void import_give_known(import_call *c, int k, import_known *known) {
    import_size size[SPOR_RANK];
    for (int j = 0; j < known->rank; j++) size[j] = import_fixed(known->size[j]);
    import_value *v = import_result_of(c, k, known->type, known->rank, size);
    if (!v) return;
    v->known = known;
    if (!known->name) known->name = v->name;
}

void import_give_same(import_call *c, int k, import_value *x, const int perm[]) {
    import_size size[SPOR_RANK];
    int place[SPOR_RANK];
    for (int j = 0; j < x->rank; j++) size[j] = x->size[perm ? perm[j] : j];
    for (int j = 0; j < x->rank; j++) place[perm ? perm[j] : j] = j;
    if (x->zeros) {
        import_give_equal(c, k, x->type, x->rank, size, 0);
        return;
    }
    import_value *v = import_result_of(c, k, x->type, x->rank, size);
    if (!v) return;
    v->flat = perm ? NULL : x->flat;
    if (perm) held_any(c, x);
    for (int f = 0; f < x->forms; f++) {
        if (perm && x->form[f].parts) continue;
        v->form[v->forms] = x->form[f];
        for (int j = 0; j < x->rank; j++) v->form[v->forms].order[j] = place[x->form[f].order[j]];
        v->forms++;
    }
    if (v->forms || v->flat) return;
    int order[SPOR_RANK];
    for (int j = 0; j < x->rank; j++) order[j] = j;
    const char *text = held_plain(c, x);
    for (int j = 0; j < x->rank; j++) order[j] = place[j];
    held_keep(c, v, text, order);
}

import_value *import_input(import_call *c, int k) {
    return k < c->inputs ? c->in[k] : NULL;
}

import_value *import_operand(import_call *c, int k) {
    import_value *v = import_input(c, k);
    if (!v) import_refuse(c->g, "has no input %d", k);
    return v;
}

import_known *import_known_of(import_graph *g, import_value *v) {
    spor_message message = {""};
    if (v->known || !v->numbers) return v->known;
    import_known *known = known_new(g, v->numbers->type, v->numbers->rank, v->numbers->size);
    if (!onnx_doubles(v->numbers, known->a, &message)) import_refuse(g, "%s", message.text);
    known->name = v->name;
    known->trained = onnx_is_real(known->type);
    return v->known = known;
}

import_known *import_numbers(import_call *c, int k) {
    import_value *v = import_input(c, k);
    if (!v) return NULL;
    import_known *known = import_known_of(c->g, v);
    if (!known)
        import_refuse(c->g, "input %d, '%.200s', is computed, and spor wants it known", k, v->name);
    return known;
}

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

/* ---- the walk ---- */

/* Domain and attributes: what is not understood is refused, whatever its value. */
static void examine_attribute(import_call *c, const onnx_attribute *a) {
    const size_t size = strlen(a->name);
    const char *list = c->op->attributes ? c->op->attributes : "";
    for (const char *at = list; *at; at += strcspn(at, " "), at += strspn(at, " ")) {
        if (strncmp(at, a->name, size) != 0 || !strchr(" :=", at[size])) continue;
        if (at[size] == ':' && a->kind == ONNX_INTEGER && a->integer != atoll(at + size + 1))
            import_refuse(c->g, "%.100s = %lld: spor has only %.100s = %lld", a->name,
                          (long long)a->integer, a->name, atoll(at + size + 1));
        return;
    }
    import_refuse(c->g, "attribute '%.100s' is none that spor understands", a->name);
}

static void examine(import_call *c) {
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

static void find_operands(import_call *c) {
    import_graph *g = c->g;
    const onnx_node *node = c->node;
    c->in = import_take(g, (size_t)node->inputs, sizeof *c->in);
    c->out = import_take(g, (size_t)node->outputs, sizeof *c->out);
    for (int k = 0; k < node->inputs; k++) {
        if (!*node->input[k]) continue;
        c->in[k] = import_find(g, node->input[k]);
        if (!c->in[k] || !c->in[k]->there)
            import_refuse(g, "reads '%.200s', which nothing before it makes", node->input[k]);
    }
    for (int k = 0; k < node->outputs; k++)
        if (*node->output[k]) c->out[k] = import_find(g, node->output[k]);
    c->inputs = node->inputs;
    c->outputs = node->outputs;
    while (c->inputs && !c->in[c->inputs - 1]) c->inputs--;
    while (c->outputs && !c->out[c->outputs - 1]) c->outputs--;
}

static void make_node(import_graph *g, int index) {
    const onnx_node *node = &g->model.node[index];
    import_call c = {.g = g, .node = node, .index = index, .opset = (int)g->model.opset};
    import_call *around = g->now;
    g->now = &c;
    c.op = import_op_find(node->op);
    find_operands(&c);
    examine(&c);
    c.op->make(&c);
    for (int k = 0; k < c.outputs; k++)
        if (c.out[k] && c.out[k]->readers && !c.out[k]->there)
            import_refuse(g, "spor has nothing for its output %d, '%.200s'", k, c.out[k]->name);
    g->now = around;
}

/* ---- looking ahead ---- */

void import_swallow(import_call *c, int node, import_value **y) {
    import_graph *g = c->g;
    const import_value *v = *y;
    import_value *next = import_find(g, g->model.node[node].output[0]);
    next->type = v->type;
    next->rank = v->rank;
    for (int k = 0; k < v->rank; k++) next->size[k] = v->size[k];
    next->there = true;
    g->done[node] = true;
    *y = next;
}

/* Its result is its input: Identity, and a Cast between floats, or doubles. */
static bool hands_on(const onnx_node *node, const import_value *v) {
    if (node->outputs != 1 || node->inputs != 1 || *node->domain) return false;
    if (!strcmp(node->op, "Identity")) return true;
    return !strcmp(node->op, "Cast") && node->attributes == 1 &&
           !strcmp(node->attribute[0].name, "to") && node->attribute[0].integer == v->type;
}

int import_only_reader(import_call *c, import_value **y) {
    import_graph *g = c->g;
    for (;;) {
        const import_value *v = *y;
        if (v->readers != 1 || v->output || v->reader < 0) return -1;
        const onnx_node *node = &g->model.node[v->reader];
        if (!hands_on(node, v)) return node->outputs == 1 ? v->reader : -1;
        import_swallow(c, v->reader, y);
    }
}

enum { AHEAD = 8 };

/* True if nodes to come make it of known numbers, by ops that only hand on or name sizes. */
static bool is_known_ahead(const import_graph *g, const import_value *v, int depth) {
    static const char *const ops[] = {"Identity", "Cast",     "Reshape",  "Unsqueeze",
                                      "Squeeze",  "Constant", "Transpose"};
    if (v->known || v->numbers) return true;
    if (depth > AHEAD || v->maker < 0 || v->there) return false;
    const onnx_node *node = &g->model.node[v->maker];
    bool fits = false;
    for (size_t k = 0; k < sizeof ops / sizeof *ops; k++) fits = fits || !strcmp(ops[k], node->op);
    for (int k = 0; k < node->inputs && fits; k++) {
        const import_value *x = import_find(g, node->input[k]);
        fits = x && is_known_ahead(g, x, depth + 1);
    }
    return fits;
}

static void make_ahead(import_graph *g, const import_value *v) {
    if (v->there) return;
    const onnx_node *node = &g->model.node[v->maker];
    for (int k = 0; k < node->inputs; k++) make_ahead(g, import_find(g, node->input[k]));
    make_node(g, v->maker);
    g->done[v->maker] = true;
}

import_known *import_known_ahead(import_call *c, const char *name) {
    import_graph *g = c->g;
    import_value *v = import_find(g, name);
    if (!v || !is_known_ahead(g, v, 0)) return NULL;
    make_ahead(g, v);
    return import_known_of(g, v);
}

/* ---- before it ---- */

static void add_outputs(import_graph *g) {
    const onnx_model *m = &g->model;
    for (int k = 0; k < m->nodes; k++)
        for (int j = 0; j < m->node[k].outputs; j++)
            if (*m->node[k].output[j]) {
                import_value *v = add_value(g, m->node[k].output[j]);
                v->op = m->node[k].op;
                v->maker = k;
            }
    for (int k = 0; k < m->outputs; k++) {
        import_value *v = import_find(g, m->output[k].name);
        if (!v) import_refuse(g, "nothing makes its output '%.200s'", m->output[k].name);
        v->output = true;
        v->readers++;
    }
}

/* From the outputs back: which nodes are needed, who reads what, who wants maps. */
static void look_back(import_graph *g) {
    const onnx_model *m = &g->model;
    for (int k = m->nodes - 1; k >= 0; k--) {
        const onnx_node *node = &m->node[k];
        const import_op *op = import_op_find(node->op);
        bool maps = false;
        for (int j = 0; j < node->outputs; j++) {
            const import_value *v = *node->output[j] ? import_find(g, node->output[j]) : NULL;
            g->needed[k] = g->needed[k] || (v && v->readers);
            maps = maps || (v && v->maps);
        }
        for (int j = 0; g->needed[k] && j < node->inputs; j++) {
            import_value *v = *node->input[j] ? import_find(g, node->input[j]) : NULL;
            if (!v) continue;
            v->readers++;
            v->reader = v->readers == 1 ? k : v->reader;
            v->maps = v->maps || (op && ((op->maps && !j) || (op->passes && maps)));
        }
    }
}

static void add_tensors(import_graph *g) {
    for (int k = 0; k < g->model.tensors; k++) {
        const onnx_numbers *t = &g->model.tensor[k];
        import_value *v = add_value(g, t->name);
        v->numbers = t;
        v->type = t->type;
        v->rank = t->rank;
        for (int j = 0; j < t->rank; j++) v->size[j] = import_fixed(t->size[j]);
        v->there = true;
    }
}

/* ---- inputs ---- */

static import_size open_size(import_graph *g, const onnx_value_info *info, int axis) {
    const char *name = info->axis[axis].name;
    if (info->axis[axis].size >= 0) return import_fixed(info->axis[axis].size);
    if (axis)
        import_refuse(
            g,
            "axis %d of input '%.200s' is open (%.100s), and only the first one, the rows, may be: "
            "export the network with a fixed size there",
            axis, info->name, *name ? name : "without a name");
    if (g->rows_name && *g->rows_name && *name && strcmp(name, g->rows_name) != 0)
        import_refuse(g, "two inputs have different open sizes, '%.100s' and '%.100s'",
                      g->rows_name, name);
    if (!g->rows_name || !*g->rows_name) g->rows_name = name;
    g->has_rows = true;
    return (import_size){0, 1};
}

static void add_input(import_graph *g, const onnx_value_info *info, bool alone) {
    import_result *result = g->result;
    import_value *v = add_value(g, info->name);
    if (info->rank < 0)
        import_refuse(g, "input '%.200s' has no shape: export the network with sizes", info->name);
    if (result->inputs == IMPORT_INPUTS) import_refuse(g, "has more than %d inputs", IMPORT_INPUTS);
    v->type = info->type;
    v->rank = info->rank;
    for (int k = 0; k < v->rank; k++) v->size[k] = open_size(g, info, k);
    v->there = true;
    g->wide = g->wide || v->type == ONNX_IS_DOUBLE;
    result->inputs++;
    if (alone) v->known = NULL;
}

static bool is_tensor(const import_graph *g, const char *name) {
    for (int k = 0; k < g->model.tensors; k++)
        if (!strcmp(g->model.tensor[k].name, name)) return true;
    return false;
}

static void add_inputs(import_graph *g) {
    for (int k = 0; k < g->model.inputs; k++)
        if (!is_tensor(g, g->model.input[k].name)) add_input(g, &g->model.input[k], false);
}

/* What a value is outside of the script. */
static void describe(import_graph *g, const import_value *v, const char *name, const int order[],
                     import_face *face) {
    int maps[SPOR_RANK];
    held_channels_order(v->rank, maps);
    *face = (import_face){.rank = v->rank, .maps = v->rank > 2};
    snprintf(face->name, sizeof face->name, "%s", name);
    for (int k = 0; k < v->rank; k++) {
        face->from[k] = order[k];
        face->size[k] = v->size[order[k]].a;
        face->rows[k] = v->size[order[k]].b;
        face->maps = face->maps && order[k] == maps[k];
    }
    face->whole = !onnx_is_real(v->type);
    (void)g;
}

static void name_inputs(import_graph *g) {
    import_result *result = g->result;
    const bool alone = result->inputs == 1;
    int k = 0;
    for (int j = 0; j < g->model.inputs; j++) {
        import_value *v = import_find(g, g->model.input[j].name);
        int order[SPOR_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};
        import_call c = {.g = g};
        if (v->numbers) continue;
        if (v->maps && v->rank > 2) held_channels_order(v->rank, order);
        const char *name = import_name(g, alone ? "x" : v->name, "input");
        held_keep(&c, v, name, order);
        describe(g, v, name, order, &result->input[k++]);
    }
    if (!k) import_refuse(g, "has no inputs: it is one number, not a network");
}

/* ---- outputs ---- */

/* Maps stay maps; anything else goes out as the file has it. */
static const char *output_text(import_call *c, import_value *v, int order[]) {
    static const int maps[] = {0, 2, 3, 1}, plain[] = {0, 1, 2, 3, 4, 5, 6, 7};
    import_known *known = import_known_of(c->g, v);
    bool lies = v->rank == 4 && v->forms;
    for (int k = 0; k < 4 && lies; k++) lies = v->form[0].order[k] == maps[k];
    for (int k = 0; k < v->rank; k++) order[k] = lies ? maps[k] : plain[k];
    return known ? held_tensor(c, known) : held_reach(c, v, order);
}

static void give_outputs(import_graph *g) {
    const onnx_model *m = &g->model;
    const onnx_node nobody = {.name = "", .op = ""};
    import_call c = {.g = g, .node = &nobody};
    if (!m->outputs) import_refuse(g, "has no output");
    if (m->outputs > IMPORT_INPUTS) import_refuse(g, "has more than %d outputs", IMPORT_INPUTS);
    const char *list = "";
    for (int k = 0; k < m->outputs; k++) {
        int order[SPOR_RANK];
        import_value *v = import_find(g, m->output[k].name);
        if (!v->there) import_refuse(g, "nothing makes its output '%.200s'", v->name);
        const char *text = output_text(&c, v, order);
        describe(g, v, text, order, &g->result->output[k]);
        list = import_say(g, "%s%s%s", list, k ? ", " : "", text);
    }
    g->result->outputs = m->outputs;
    text_add(&g->body, "    return %s\n", list);
}

/* A last softmax is the loss's, if the script trains. */
static void leave_softmax(import_graph *g) {
    const onnx_model *m = &g->model;
    if (!g->wish->data || m->outputs != 1) return;
    for (int k = 0; k < m->nodes; k++) {
        const onnx_node *node = &m->node[k];
        if (node->outputs != 1 || node->inputs != 1 || strcmp(node->op, "Softmax") != 0) continue;
        if (strcmp(node->output[0], m->output[0].name) != 0) continue;
        m->output[0].name = node->input[0];
        g->left_softmax = true;
    }
}

static void walk(import_graph *g) {
    const int nodes = g->model.nodes;
    if (g->model.opset && (g->model.opset < 6 || g->model.opset > 28))
        import_refuse(g,
                      "is of opset %lld, and spor knows 6 to 28: export it with opset_version=17",
                      (long long)g->model.opset);
    if (!g->model.opset) import_refuse(g, "does not say of which opset its ops are");
    g->done = import_take(g, (size_t)nodes, sizeof *g->done);
    g->needed = import_take(g, (size_t)nodes, sizeof *g->needed);
    leave_softmax(g);
    add_tensors(g);
    add_inputs(g);
    add_outputs(g);
    look_back(g);
    name_inputs(g);
    for (int k = 0; k < nodes; k++)
        if (g->needed[k] && !g->done[k]) make_node(g, k);
    give_outputs(g);
    g->result->nodes = nodes;
    g->result->wide = g->wide;
}

bool import_onnx(const import_wish *wish, const unsigned char *bytes, size_t size,
                 import_result *result, spor_message *message) {
    spor_message why = {""};
    *result = (import_result){.inputs = 0};
    import_graph *g = calloc(1, sizeof *g);
    if (!g) return message_complain(message, "%.200s: out of memory", wish->path);
    g->wish = wish;
    g->result = result;
    g->message = message;
    volatile bool done = false;
    if (!setjmp(g->end)) {
        if (!onnx_read((proto_range){bytes, bytes + size}, &g->arena, &g->model, &why))
            import_refuse(g, "%s", why.text);
        walk(g);
        import_write(g);
        done = true;
    }
    arena_free(&g->arena);
    text_free(&g->body);
    free(g);
    return done;
}

void import_free(import_result *result) {
    text_free(&result->script);
    text_free(&result->weights);
    text_free(&result->told);
}
