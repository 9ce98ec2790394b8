/*
 * ONNX files made by tests, message by message.
 */
#ifndef SPOR_TESTS_TINY_H
#define SPOR_TESTS_TINY_H

#include <stdint.h>

#include "data/text.h"

/** A file under way: fields go into bytes. */
typedef struct {
    spor_text bytes;
    size_t graph;
} tiny;

/** Begins a model of this opset, and its graph. */
void tiny_begin(tiny *t, int64_t opset);
/** An input of floats; a size of -1 is open. */
void tiny_input(tiny *t, const char *name, int rank, const int64_t size[]);
void tiny_output(tiny *t, const char *name);
/** Known floats, 0.5 apart; `numbers` of them, whatever the sizes ask for. */
void tiny_floats(tiny *t, const char *name, int rank, const int64_t size[], int numbers);
void tiny_integers(tiny *t, const char *name, int n, const int64_t value[]);
/** Floats that are in another file; texts that are empty are left out. */
void tiny_outside(tiny *t, const char *name, int rank, const int64_t size[], const char *file,
                  const char *offset, const char *length);
/** Whole numbers of typed fields, of sizes [size]: others than there are. */
void tiny_lying(tiny *t, const char *name, int64_t size, int n, const int64_t value[]);
/** A node; inputs and outputs are words with blanks between them. An attribute is a whole number. */
void tiny_node(tiny *t, const char *op, const char *inputs, const char *outputs,
               const char *attribute, int64_t value);
/** A node with an attribute that is a text, and one that is a list of one whole number; list NULL: none. */
void tiny_node_of(tiny *t, const char *op, const char *inputs, const char *outputs,
                  const char *word, const char *text, const char *list, int64_t value);
void tiny_end(tiny *t);
void tiny_free(tiny *t);

/** A whole file: a Gemm with a Relu behind it, a Reshape by computed sizes, a MatMul. */
void tiny_network(tiny *t);

#endif
