#include "tiny.h"

#include <string.h>

#include "export/protobuf.h"

enum { MODEL_GRAPH = 7, MODEL_OPSET = 8 };
enum { GRAPH_NODE = 1, GRAPH_KNOWN = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT };

void tiny_begin(tiny *t, int64_t opset) {
    *t = (tiny){.graph = 0};
    size_t set = protobuf_open(&t->bytes, MODEL_OPSET);
    protobuf_integer(&t->bytes, 2, opset);
    protobuf_close(&t->bytes, set);
    t->graph = protobuf_open(&t->bytes, MODEL_GRAPH);
}

void tiny_end(tiny *t) {
    protobuf_close(&t->bytes, t->graph);
}

void tiny_free(tiny *t) {
    text_free(&t->bytes);
}

static void add_value(tiny *t, int field, const char *name, int rank, const int64_t size[]) {
    spor_text *b = &t->bytes;
    const size_t value = protobuf_open(b, field);
    protobuf_text(b, 1, name);
    const size_t type = protobuf_open(b, 2), tensor = protobuf_open(b, 1);
    protobuf_integer(b, 1, 1);
    if (rank >= 0) {
        const size_t shape = protobuf_open(b, 2);
        for (int k = 0; k < rank; k++) {
            const size_t axis = protobuf_open(b, 1);
            if (size[k] == -1)
                protobuf_text(b, 2, "N");
            else
                protobuf_integer(b, 1, size[k]);
            protobuf_close(b, axis);
        }
        protobuf_close(b, shape);
    }
    protobuf_close(b, tensor);
    protobuf_close(b, type);
    protobuf_close(b, value);
}

void tiny_input(tiny *t, const char *name, int rank, const int64_t size[]) {
    add_value(t, GRAPH_INPUT, name, rank, size);
}

void tiny_output(tiny *t, const char *name) {
    add_value(t, GRAPH_OUTPUT, name, -1, NULL);
}

void tiny_floats(tiny *t, const char *name, int rank, const int64_t size[], int numbers) {
    spor_text *b = &t->bytes;
    const size_t known = protobuf_open(b, GRAPH_KNOWN);
    for (int k = 0; k < rank; k++) protobuf_integer(b, 1, size[k]);
    protobuf_integer(b, 2, 1);
    protobuf_text(b, 8, name);
    const size_t raw = protobuf_open(b, 9);
    for (int k = 0; k < numbers; k++) {
        const float value = (float)(k % 7) / 2 - 1;
        text_bytes(b, &value, sizeof value);
    }
    protobuf_close(b, raw);
    protobuf_close(b, known);
}

void tiny_integers(tiny *t, const char *name, int n, const int64_t value[]) {
    tiny_lying(t, name, n, n, value);
}

static void add_entry(spor_text *b, const char *key, const char *value) {
    if (!*value) return;
    const size_t entry = protobuf_open(b, 13);
    protobuf_text(b, 1, key);
    protobuf_text(b, 2, value);
    protobuf_close(b, entry);
}

void tiny_outside(tiny *t, const char *name, int rank, const int64_t size[], const char *file,
                  const char *offset, const char *length) {
    spor_text *b = &t->bytes;
    const size_t known = protobuf_open(b, GRAPH_KNOWN);
    for (int k = 0; k < rank; k++) protobuf_integer(b, 1, size[k]);
    protobuf_integer(b, 2, 1);
    protobuf_text(b, 8, name);
    add_entry(b, "location", file);
    add_entry(b, "offset", offset);
    add_entry(b, "length", length);
    protobuf_integer(b, 14, 1);
    protobuf_close(b, known);
}

void tiny_lying(tiny *t, const char *name, int64_t size, int n, const int64_t value[]) {
    spor_text *b = &t->bytes;
    const size_t known = protobuf_open(b, GRAPH_KNOWN);
    protobuf_integer(b, 1, size);
    protobuf_integer(b, 2, 7);
    protobuf_integers(b, 7, n, value);
    protobuf_text(b, 8, name);
    protobuf_close(b, known);
}

static void add_words(tiny *t, int field, const char *words) {
    while (*words) {
        const size_t size = strcspn(words, " ");
        protobuf_bytes(&t->bytes, field, words, size);
        words += size;
        words += strspn(words, " ");
    }
}

static size_t open_node(tiny *t, const char *op, const char *inputs, const char *outputs) {
    const size_t node = protobuf_open(&t->bytes, GRAPH_NODE);
    add_words(t, 1, inputs);
    add_words(t, 2, outputs);
    protobuf_text(&t->bytes, 3, op);
    protobuf_text(&t->bytes, 4, op);
    return node;
}

void tiny_node(tiny *t, const char *op, const char *inputs, const char *outputs,
               const char *attribute, int64_t value) {
    spor_text *b = &t->bytes;
    const size_t node = open_node(t, op, inputs, outputs);
    if (attribute) {
        const size_t a = protobuf_open(b, 5);
        protobuf_text(b, 1, attribute);
        protobuf_integer(b, 3, value);
        protobuf_integer(b, 20, 2);
        protobuf_close(b, a);
    }
    protobuf_close(b, node);
}

void tiny_node_of(tiny *t, const char *op, const char *inputs, const char *outputs,
                  const char *word, const char *text, const char *list, int64_t value) {
    spor_text *b = &t->bytes;
    const size_t node = open_node(t, op, inputs, outputs);
    const size_t w = protobuf_open(b, 5);
    protobuf_text(b, 1, word);
    protobuf_text(b, 4, text);
    protobuf_integer(b, 20, 3);
    protobuf_close(b, w);
    if (list) {
        const size_t a = protobuf_open(b, 5);
        protobuf_text(b, 1, list);
        protobuf_integer(b, 8, value);
        protobuf_integer(b, 20, 7);
        protobuf_close(b, a);
    }
    protobuf_close(b, node);
}

void tiny_network(tiny *t) {
    tiny_begin(t, 17);
    tiny_input(t, "in", 3, (const int64_t[]){-1, 2, 2});
    tiny_floats(t, "W", 2, (const int64_t[]){4, 3}, 12);
    tiny_floats(t, "b", 1, (const int64_t[]){3}, 3);
    tiny_floats(t, "V", 2, (const int64_t[]){3, 2}, 6);
    tiny_integers(t, "first", 1, (const int64_t[]){0});
    tiny_integers(t, "rest", 1, (const int64_t[]){-1});
    tiny_node(t, "Shape", "in", "sizes", NULL, 0);
    tiny_node(t, "Gather", "sizes first", "rows", "axis", 0);
    tiny_node(t, "Concat", "rows rest", "to", "axis", 0);
    tiny_node(t, "Reshape", "in to", "flat", NULL, 0);
    tiny_node(t, "Gemm", "flat W b", "hidden", NULL, 0);
    tiny_node(t, "Relu", "hidden", "relu", NULL, 0);
    tiny_node(t, "MatMul", "relu V", "out", NULL, 0);
    tiny_output(t, "out");
    tiny_end(t);
}
