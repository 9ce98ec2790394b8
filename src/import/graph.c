#include "import/graph.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/random.h"
#include "data/file.h"

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
    g->exhausted = true;
    import_refuse(g, "out of memory");
}

void *import_take(import_graph *g, size_t count, size_t each) {
    void *taken = arena_take(&g->arena, bytes_for((int64_t)count + 1, each));
    if (!taken) import_exhaust(g);
    return taken;
}

char *import_say_list(import_graph *g, const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    const int size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (size < 0) import_exhaust(g);
    char *text = import_take(g, (size_t)size, 1);
    vsnprintf(text, (size_t)size + 1, format, arguments);
    return text;
}

char *import_say(import_graph *g, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = import_say_list(g, format, arguments);
    va_end(arguments);
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

static const int64_t SIZE_MOST = INT64_C(1) << 40;

static size_t bucket_of(const char *name) {
    return (size_t)(random_hash_text(0, name) % BUCKETS);
}

import_value *import_find(const import_graph *g, const char *name) {
    import_value *v = g->bucket[bucket_of(name)];
    while (v && strcmp(v->name, name) != 0) v = v->next;
    return v;
}

import_value *import_add(import_graph *g, const char *name) {
    import_value **bucket = &g->bucket[bucket_of(name)], *v = import_take(g, 1, sizeof *v);
    if (import_find(g, name)) import_refuse(g, "'%.200s' is there twice", name);
    *v = (import_value){.next = *bucket, .name = name, .op = "", .maker = -1, .reader = -1};
    return *bucket = v;
}

/* What is known of numbers stays so where they are moved. */
static void hand_on(const import_value *x, import_value *y) {
    y->given = x->given;
    y->counts = x->counts;
}

import_value *import_result_of(import_call *c, int k, int type, int rank,
                               const import_size size[]) {
    import_value *v = k < c->outputs ? c->out[k] : NULL;
    if (rank > SPOR_RANK) import_refuse(c->g, "its result would have more than %d axes", SPOR_RANK);
    if (!v) return NULL;
    v->type = type;
    v->rank = rank;
    for (int j = 0; j < rank; j++) {
        if (size[j].a > SIZE_MOST || size[j].a < -SIZE_MOST || size[j].b > SIZE_MOST)
            import_refuse(c->g, "its result would have more than 2^40 elements along an axis");
        v->size[j] = size[j];
    }
    v->there = true;
    if (c->op && c->op->moves && c->in[0]) hand_on(c->in[0], v);
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
    hand_on(x, v);
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
    held_keep(v, text, order);
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

/* ---- the walk ---- */

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

void import_make_node(import_graph *g, int index) {
    const onnx_node *node = &g->model.node[index];
    import_call c = {.g = g, .node = node, .index = index, .opset = (int)g->model.opset};
    import_call *around = g->now;
    g->now = &c;
    c.op = import_op_find(node->op);
    find_operands(&c);
    import_examine(&c);
    c.op->make(&c);
    for (int k = 0; k < c.outputs; k++)
        if (c.out[k] && c.out[k]->readers && !c.out[k]->there)
            import_refuse(g, "spor has nothing for its output %d, '%.200s'", k, c.out[k]->name);
    g->now = around;
}

/* ---- before it ---- */

static void add_outputs(import_graph *g) {
    const onnx_model *m = &g->model;
    for (int k = 0; k < m->nodes; k++)
        for (int j = 0; j < m->node[k].outputs; j++)
            if (*m->node[k].output[j]) {
                import_value *v = import_add(g, m->node[k].output[j]);
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
        import_value *v = import_add(g, t->name);
        v->numbers = t;
        v->type = t->type;
        v->rank = t->rank;
        for (int j = 0; j < t->rank; j++) v->size[j] = import_fixed(t->size[j]);
        v->there = true;
    }
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
    import_add_inputs(g);
    add_outputs(g);
    look_back(g);
    import_name_inputs(g);
    for (int k = 0; k < nodes; k++)
        if (g->needed[k] && !g->done[k]) import_make_node(g, k);
    import_give_outputs(g);
    g->result->nodes = nodes;
    g->result->wide = g->wide;
}

/* ---- files beside it ---- */

/* Read once; onnx.c has looked at the name. */
static bool read_beside(const char *name, proto_range *bytes, void *user, spor_message *message) {
    import_graph *g = user;
    const char *path = g->wish->path, *slash = strrchr(path, '/');
    const size_t folder = slash ? (size_t)(slash - path) + 1 : 0, room = folder + strlen(name) + 1;
    char *whole = arena_take(&g->arena, room);
    if (!whole) return message_complain(message, "out of memory");
    snprintf(whole, room, "%.*s%s", (int)folder, path, name);
    int k = 0;
    while (k < g->besides && strcmp(g->beside[k].path, whole) != 0) k++;
    import_beside *b = &g->beside[k];
    if (k == BESIDE) return message_complain(message, "there are more than %d of them", BESIDE);
    if (k == g->besides) {
        b->path = whole;
        if (!file_bytes(whole, IMPORT_FILE_LIMIT, &b->bytes, &b->size, message)) return false;
        g->besides++;
    }
    *bytes = (proto_range){b->bytes, b->bytes + b->size};
    return true;
}

/* What the file has for a fixed number of rows is right for any, if these are the outputs' first axis alone. */
static void examine_opened(import_graph *g) {
    for (int k = 0; k < g->result->outputs && g->file_rows; k++) {
        const import_face *face = &g->result->output[k];
        bool fits = face->rank && face->rows[0] == 1 && !face->size[0];
        for (int j = 1; j < face->rank; j++) fits = fits && !face->rows[j];
        if (!fits) import_refuse(g, "its outputs are not rows");
    }
}

/* opens: a fixed first axis is taken for N. *again: it was, that failed, and it may do without. */
static bool attempt(const import_wish *wish, proto_range bytes, bool opens, import_result *result,
                    bool *again, spor_message *message) {
    spor_message why = {""};
    *result = (import_result){.inputs = 0};
    import_graph *g = calloc(1, sizeof *g);
    if (!g) return message_complain(message, "%.200s: out of memory", wish->path);
    g->wish = wish;
    g->result = result;
    g->message = message;
    g->opens = opens;
    volatile bool done = false;
    if (!setjmp(g->end)) {
        if (!onnx_read(bytes, read_beside, g, &g->arena, &g->model, &why))
            import_refuse(g, "%s", why.text);
        walk(g);
        examine_opened(g);
        import_write(g);
        done = true;
    }
    *again = !done && g->file_rows && !g->exhausted;
    for (int k = 0; k < g->besides; k++) free(g->beside[k].bytes);
    arena_free(&g->arena);
    text_free(&g->body);
    free(g);
    return done;
}

bool import_onnx(const import_wish *wish, const unsigned char *bytes, size_t size,
                 import_result *result, spor_message *message) {
    const proto_range range = {bytes, bytes + size};
    bool again = false;
    if (attempt(wish, range, true, result, &again, message)) return true;
    if (!again) return false;
    import_free(result);
    return attempt(wish, range, false, result, &again, message);
}

void import_free(import_result *result) {
    text_free(&result->script);
    text_free(&result->weights);
    text_free(&result->told);
    *result = (import_result){.inputs = 0};
}
