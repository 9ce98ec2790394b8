/*
 * A tape, or a model, as an ONNX file.
 */
#ifndef SPOR_EXPORT_ONNX_TAPE_H
#define SPOR_EXPORT_ONNX_TAPE_H

#include <spor/train.h>
#include "data/text.h"
#include "export/onnx_file.h"

/**
 * What is exported: a variable, and what its tape computes it from. Sizes that depend on the number of rows are
 * found by recording it twice, with different numbers of them: where a size is twice as large for twice as
 * many rows it is open in the file.
 */
typedef struct {
    const char *name; /* of the graph */
    spor_var output;
    spor_var again; /* the same recorded with again_rows; id 0: all sizes are fixed */
    int64_t rows, again_rows;
    spor_params *params; /* NULL: the tape has none */
    spor_scalar scalar;
    int notes;
    const onnx_note *note;
} onnx_source;

/** What has become of it. */
typedef struct onnx_outcome {
    int nodes, known; /* nodes of the graph, tensors of known numbers */
    bool of_rows;     /* it failed, but might not with sizes that are fixed */
} onnx_outcome;

/** The bytes of the file. False with a message, which names an op and its place. */
bool onnx_of_tape(const onnx_source *source, spor_text *bytes, onnx_outcome *outcome,
                  spor_message *message);

/** The same of what a model predicts, with notes of its data: for any number of rows or, where that can't be, for
 *  one, and then the message says why. onnx.c */
bool onnx_of_model(spor_model *model, const char *name, int notes, const onnx_note note[],
                   spor_text *bytes, onnx_outcome *outcome, spor_message *message);

#endif
