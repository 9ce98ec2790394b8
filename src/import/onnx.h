/*
 * The messages of ONNX files, as far as they are read: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 *
 * Texts and lists are copied into an arena; numbers of tensors stay where they are in the file. Whatever the bytes
 * are, reading ends with a model or with a message.
 */
#ifndef SPOR_IMPORT_ONNX_H
#define SPOR_IMPORT_ONNX_H

#include <spor/base.h>
#include "base/arena.h"
#include "import/protobuf.h"

/** Element types by their numbers in the file. */
enum {
    ONNX_IS_FLOAT = 1,
    ONNX_IS_UINT8,
    ONNX_IS_INT8,
    ONNX_IS_UINT16,
    ONNX_IS_INT16,
    ONNX_IS_INT32,
    ONNX_IS_INT64,
    ONNX_IS_STRING,
    ONNX_IS_BOOL,
    ONNX_IS_FLOAT16,
    ONNX_IS_DOUBLE,
    ONNX_IS_UINT32,
    ONNX_IS_UINT64,
    ONNX_IS_BFLOAT16 = 16
};

/** A tensor of known numbers. */
typedef struct {
    const char *name;
    int type, rank;
    int64_t size[SPOR_RANK];
    int64_t count; /* of elements */
    bool has_raw;
    proto_range raw;  /* the numbers, little-endian, or */
    proto_range body; /* the whole message, which has them in typed fields */
} onnx_numbers;

typedef enum {
    ONNX_REAL = 1,
    ONNX_INTEGER,
    ONNX_TEXT,
    ONNX_TENSOR,
    ONNX_GRAPH,
    ONNX_REALS,
    ONNX_INTEGERS,
    ONNX_TEXTS,
    ONNX_OTHER
} onnx_kind;

typedef struct {
    const char *name;
    onnx_kind kind;
    double real;
    int64_t integer;
    const char *text;
    int count; /* of integers, reals or texts */
    const char **texts;
    int64_t *integers;
    double *reals;
    onnx_numbers tensor;
} onnx_attribute;

typedef struct {
    const char *name, *op, *domain;
    int inputs, outputs, attributes;
    const char **input, **output; /* "": left out */
    onnx_attribute *attribute;
} onnx_node;

/** A size that is open has a name, or an empty one. */
typedef struct {
    int64_t size; /* -1: open */
    const char *name;
} onnx_axis_size;

/** An input or output of the graph. */
typedef struct {
    const char *name;
    int type, rank; /* rank -1: not said */
    onnx_axis_size axis[SPOR_RANK];
} onnx_value_info;

typedef struct {
    const char *key, *value;
} onnx_metadata;

typedef struct {
    const char *producer, *graph;
    int64_t opset; /* of ONNX's own ops; 0: not said */
    int nodes, tensors, inputs, outputs, notes;
    onnx_node *node;
    onnx_numbers *tensor;
    onnx_value_info *input, *output;
    onnx_metadata *note;
} onnx_model;

/** Gives the bytes of a file beside the model, which outlive it; the name is a relative path without "..". */
typedef bool onnx_beside(const char *name, proto_range *bytes, void *user, spor_message *message);

/** Reads a file's bytes, which outlive the model. The message has no path. */
bool onnx_read(proto_range bytes, onnx_beside *beside, void *user, spor_arena *arena,
               onnx_model *model, spor_message *message);
/** The numbers of a tensor as doubles, to[count]; false with a message if there are not as many. */
bool onnx_doubles(const onnx_numbers *tensor, double to[], spor_message *message);
/** "float16"; what the file calls a type that is not known. */
const char *onnx_type_name(int type);
/** True of float, double and the short ones. */
bool onnx_is_real(int type);

#endif
