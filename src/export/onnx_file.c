#include "export/onnx_file.h"

#include <string.h>

#include "base/plain.h"
#include "base/random.h"
#include "export/protobuf.h"

enum { IR_VERSION = 8, OPSET = 17 };

/* Fields of the messages, by their numbers. */
enum {
    MODEL_IR = 1,
    MODEL_PRODUCER,
    MODEL_PRODUCER_VERSION,
    MODEL_GRAPH = 7,
    MODEL_OPSET,
    MODEL_NOTE = 14
};
enum { OPSET_VERSION = 2 };
enum { NOTE_KEY = 1, NOTE_VALUE };
enum { GRAPH_NODE = 1, GRAPH_NAME, GRAPH_KNOWN = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT, GRAPH_VALUE };
enum { NODE_INPUT = 1, NODE_OUTPUT, NODE_NAME, NODE_OP, NODE_ATTRIBUTE, NODE_DOC };
enum {
    ATTRIBUTE_NAME = 1,
    ATTRIBUTE_REAL,
    ATTRIBUTE_INTEGER,
    ATTRIBUTE_TEXT,
    ATTRIBUTE_LIST = 8,
    ATTRIBUTE_TYPE = 20
};
enum { TYPE_REAL = 1, TYPE_INTEGER, TYPE_TEXT, TYPE_LIST = 7 };
enum { KNOWN_SIZES = 1, KNOWN_TYPE, KNOWN_NAME = 8, KNOWN_BYTES };
enum { VALUE_NAME = 1, VALUE_TYPE };
enum {
    TYPE_TENSOR = 1,
    TENSOR_ELEMENT = 1,
    TENSOR_SHAPE,
    SHAPE_SIZE = 1,
    SIZE_VALUE = 1,
    SIZE_NAME
};

/* ---- attributes ---- */

static size_t open_attribute(onnx_made *node, const char *name) {
    size_t opened = protobuf_open(&node->attributes, NODE_ATTRIBUTE);
    protobuf_text(&node->attributes, ATTRIBUTE_NAME, name);
    return opened;
}

static void close_attribute(onnx_made *node, size_t opened, int type) {
    protobuf_integer(&node->attributes, ATTRIBUTE_TYPE, type);
    protobuf_close(&node->attributes, opened);
}

void onnx_file_attribute(onnx_made *node, const char *name, int64_t value) {
    if (!node) return;
    size_t opened = open_attribute(node, name);
    protobuf_integer(&node->attributes, ATTRIBUTE_INTEGER, value);
    close_attribute(node, opened, TYPE_INTEGER);
}

void onnx_file_attribute_list(onnx_made *node, const char *name, int n, const int64_t value[]) {
    if (!node) return;
    size_t opened = open_attribute(node, name);
    protobuf_integers(&node->attributes, ATTRIBUTE_LIST, n, value);
    close_attribute(node, opened, TYPE_LIST);
}

void onnx_file_attribute_real(onnx_made *node, const char *name, double value) {
    if (!node) return;
    size_t opened = open_attribute(node, name);
    protobuf_float(&node->attributes, ATTRIBUTE_REAL, (float)value);
    close_attribute(node, opened, TYPE_REAL);
}

void onnx_file_attribute_text(onnx_made *node, const char *name, const char *value) {
    if (!node) return;
    size_t opened = open_attribute(node, name);
    protobuf_text(&node->attributes, ATTRIBUTE_TEXT, value);
    close_attribute(node, opened, TYPE_TEXT);
}

/* ---- what is needed ---- */

static void need_inputs(onnx_graph *g, const onnx_made *node) {
    for (int k = 0; k < node->inputs; k++) g->tensor[node->input[k]].needed = true;
}

static bool node_is_needed(const onnx_graph *g, const onnx_made *node) {
    for (int k = 0; k < node->outputs; k++)
        if (g->tensor[node->output[k]].needed) return true;
    return false;
}

/* Nodes stand behind what they read. */
static void find_needed(onnx_graph *g, onnx_tensor output) {
    g->tensor[output].needed = true;
    for (uint32_t k = g->nodes; k-- > 0;) {
        onnx_made *node = &g->node[k];
        node->needed = node_is_needed(g, node);
        if (node->needed) need_inputs(g, node);
        for (int j = 0; node->needed && j < node->outputs; j++)
            g->tensor[node->output[j]].needed = true;
    }
}

/* ---- names ---- */

/* A table of names, by hash; size is a power of 2. */
typedef struct {
    const char **name;
    size_t size;
} names;

/* False if the name is taken. */
static bool names_add(names *n, const char *name) {
    size_t at = (size_t)random_hash_text(0, name) & (n->size - 1);
    for (; n->name[at]; at = (at + 1) & (n->size - 1))
        if (!strcmp(n->name[at], name)) return false;
    n->name[at] = name;
    return true;
}

/* "K", then "K_2", "K_3", ... */
static void name_tensor(onnx_graph *g, names *n, onnx_held *tensor) {
    const char *base = tensor->name;
    size_t size = strlen(base) + 24;
    for (int64_t k = 2; tensor->name && !names_add(n, tensor->name); k++) {
        char *name = arena_take(&g->arena, size);
        if (name) snprintf(name, size, "%s_%lld", base, (long long)k);
        tensor->name = name;
    }
    if (!tensor->name) graph_exhaust(g), tensor->name = "";
}

static bool is_outside(const onnx_content *content, onnx_tensor y) {
    for (int k = 0; k < content->inputs; k++)
        if (content->input[k] == y) return true;
    return content->output == y;
}

/* Inputs and the output are called what they are called. */
static void name_tensors(onnx_graph *g, const onnx_content *content) {
    names n = {.size = 64};
    while (n.size < 2 * (size_t)g->tensors) n.size *= 2;
    n.name = arena_take(&g->arena, n.size * sizeof *n.name);
    if (!n.name) {
        graph_exhaust(g);
        return;
    }
    for (int k = 0; k < content->inputs; k++) name_tensor(g, &n, &g->tensor[content->input[k]]);
    name_tensor(g, &n, &g->tensor[content->output]);
    for (uint32_t k = 1; k < g->tensors; k++)
        if (g->tensor[k].needed && !is_outside(content, (onnx_tensor)k))
            name_tensor(g, &n, &g->tensor[k]);
}

void onnx_file_prune(onnx_graph *g, const onnx_content *content) {
    if (g->fails) return;
    find_needed(g, content->output);
    name_tensors(g, content);
}

/* ---- the messages ---- */

/* A text of others, which must be UTF-8. */
static void write_plain(spor_text *bytes, int field, spor_text *text) {
    if (text->failed) return;
    text->size = plain_bytes(text->at, text->size, NULL);
    protobuf_bytes(bytes, field, text->at, text->size);
}

static void write_size(spor_text *bytes, int64_t n, bool rows) {
    size_t opened = protobuf_open(bytes, SHAPE_SIZE);
    spor_text name = {0};
    if (n == 1)
        text_add(&name, "N");
    else
        text_add(&name, "%lldN", (long long)n);
    if (rows)
        protobuf_bytes(bytes, SIZE_NAME, name.at, name.failed ? 0 : name.size);
    else
        protobuf_integer(bytes, SIZE_VALUE, n);
    bytes->failed = bytes->failed || name.failed;
    text_free(&name);
    protobuf_close(bytes, opened);
}

static void write_shape(spor_text *bytes, const onnx_shape *shape) {
    size_t opened = protobuf_open(bytes, TENSOR_SHAPE);
    for (int k = 0; k < shape->rank; k++) write_size(bytes, shape->n[k], shape->rows[k]);
    protobuf_close(bytes, opened);
}

static void write_value(spor_text *bytes, int field, const onnx_held *tensor) {
    size_t opened = protobuf_open(bytes, field);
    protobuf_text(bytes, VALUE_NAME, tensor->name);
    size_t type = protobuf_open(bytes, VALUE_TYPE), of = protobuf_open(bytes, TYPE_TENSOR);
    protobuf_integer(bytes, TENSOR_ELEMENT, tensor->type);
    write_shape(bytes, &tensor->shape);
    protobuf_close(bytes, of);
    protobuf_close(bytes, type);
    protobuf_close(bytes, opened);
}

/* Elements little-endian, whatever the machine has. */
static void write_numbers(spor_text *bytes, const void *data, size_t count, size_t width) {
    const uint16_t one = 1;
    const unsigned char *from = data;
    if (*(const unsigned char *)&one) {
        protobuf_bytes(bytes, KNOWN_BYTES, data, count * width);
        return;
    }
    spor_text turned = {0};
    for (size_t k = 0; k < count * width; k++)
        text_bytes(&turned, from + k / width * width + (width - 1 - k % width), 1);
    bytes->failed = bytes->failed || turned.failed;
    if (!turned.failed) protobuf_bytes(bytes, KNOWN_BYTES, turned.at, turned.size);
    text_free(&turned);
}

static void write_known(spor_text *bytes, const onnx_held *tensor) {
    size_t opened = protobuf_open(bytes, GRAPH_KNOWN);
    protobuf_integers(bytes, KNOWN_SIZES, tensor->shape.rank, tensor->shape.n);
    protobuf_integer(bytes, KNOWN_TYPE, tensor->type);
    protobuf_text(bytes, KNOWN_NAME, tensor->name);
    write_numbers(bytes, tensor->data, (size_t)onnx_count(&tensor->shape),
                  onnx_width(tensor->type));
    protobuf_close(bytes, opened);
}

/* "layers.spor:70:12" */
static void write_place(spor_text *bytes, const spor_place *place) {
    spor_text text = {0};
    if (!place->file) return;
    const char *slash = strrchr(place->file, '/');
    text_add(&text, place->column ? "%s:%d:%d" : "%s:%d", slash ? slash + 1 : place->file,
             place->line, place->column);
    if (text.at) write_plain(bytes, NODE_DOC, &text);
    bytes->failed = bytes->failed || text.failed;
    text_free(&text);
}

static void write_node(const onnx_graph *g, spor_text *bytes, const onnx_made *node) {
    size_t opened = protobuf_open(bytes, GRAPH_NODE);
    for (int k = 0; k < node->inputs; k++)
        protobuf_text(bytes, NODE_INPUT, g->tensor[node->input[k]].name);
    for (int k = 0; k < node->outputs; k++)
        protobuf_text(bytes, NODE_OUTPUT, g->tensor[node->output[k]].name);
    protobuf_text(bytes, NODE_NAME, g->tensor[node->output[0]].name);
    protobuf_text(bytes, NODE_OP, node->op);
    text_bytes(bytes, node->attributes.at, node->attributes.failed ? 0 : node->attributes.size);
    bytes->failed = bytes->failed || node->attributes.failed;
    write_place(bytes, &node->place);
    protobuf_close(bytes, opened);
}

static void write_graph(const onnx_graph *g, const onnx_content *content, spor_text *bytes) {
    size_t opened = protobuf_open(bytes, MODEL_GRAPH);
    for (uint32_t k = 0; k < g->nodes; k++)
        if (g->node[k].needed) write_node(g, bytes, &g->node[k]);
    protobuf_text(bytes, GRAPH_NAME, content->name);
    for (uint32_t k = 1; k < g->tensors; k++)
        if (g->tensor[k].needed && g->tensor[k].data) write_known(bytes, &g->tensor[k]);
    for (int k = 0; k < content->inputs; k++)
        write_value(bytes, GRAPH_INPUT, &g->tensor[content->input[k]]);
    write_value(bytes, GRAPH_OUTPUT, &g->tensor[content->output]);
    for (uint32_t k = 1; k < g->tensors; k++)
        if (g->tensor[k].needed && !g->tensor[k].data && !is_outside(content, (onnx_tensor)k))
            write_value(bytes, GRAPH_VALUE, &g->tensor[k]);
    protobuf_close(bytes, opened);
}

void onnx_file_write(onnx_graph *g, const onnx_content *content, spor_text *bytes) {
    if (g->fails) return;
    protobuf_integer(bytes, MODEL_IR, IR_VERSION);
    protobuf_text(bytes, MODEL_PRODUCER, "spor");
    protobuf_text(bytes, MODEL_PRODUCER_VERSION, spor_version());
    write_graph(g, content, bytes);
    size_t opset = protobuf_open(bytes, MODEL_OPSET);
    protobuf_integer(bytes, OPSET_VERSION, OPSET);
    protobuf_close(bytes, opset);
    for (int k = 0; k < content->notes; k++) {
        size_t note = protobuf_open(bytes, MODEL_NOTE);
        protobuf_text(bytes, NOTE_KEY, content->note[k].key);
        spor_text value = {0};
        text_add(&value, "%s", content->note[k].value);
        write_plain(bytes, NOTE_VALUE, &value);
        bytes->failed = bytes->failed || value.failed;
        text_free(&value);
        protobuf_close(bytes, note);
    }
}
