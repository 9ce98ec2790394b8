/*
 * The messages of ONNX files: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
#ifndef SPOR_EXPORT_ONNX_FILE_H
#define SPOR_EXPORT_ONNX_FILE_H

#include "export/onnx_graph.h"

/** Attributes of a node; NULL is ignored. */
void onnx_file_attribute(onnx_made *node, const char *name, int64_t value);
void onnx_file_attribute_list(onnx_made *node, const char *name, int n, const int64_t value[]);
void onnx_file_attribute_real(onnx_made *node, const char *name, double value);
void onnx_file_attribute_text(onnx_made *node, const char *name, const char *value);

/** A line of a file's metadata. */
typedef struct onnx_note {
    const char *key, *value;
} onnx_note;

/** What is written of a graph. */
typedef struct {
    const char *name; /* of the graph */
    int inputs;
    const onnx_tensor *input;
    onnx_tensor output;
    int notes;
    const onnx_note *note;
} onnx_content;

/** Nodes and numbers that the output needs, and their names made unique. */
void onnx_file_prune(onnx_graph *g, const onnx_content *content);
/** The file's bytes. */
void onnx_file_write(onnx_graph *g, const onnx_content *content, spor_text *bytes);

#endif
