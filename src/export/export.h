/*
 * A run's network in the form of others.
 */
#ifndef SPOR_EXPORT_EXPORT_H
#define SPOR_EXPORT_EXPORT_H

#include "data/text.h"
#include "run/run.h"

/** What a file is to have beside the network. Zeros: nothing. */
typedef struct {
    bool trains;   /* a step of training: C alone */
    int64_t batch; /* rows of one; 0: the script's */
} export_wishes;

/**
 * Writes the network that a run predicts with, run_model having made its model, to a file; what is worth
 * telling of it goes to `told`, lines of text. False with a message that says what is wrong and where in the
 * script: nothing is written then.
 */
typedef bool export_format(opened_run *run, const export_wishes *wishes, const char *path,
                           spor_text *told, spor_message *message);

/** An ONNX file. onnx.c */
export_format export_onnx;
/** A file of C and its header, with the weights in a third one where they are many. c_file.c */
export_format export_c;

#endif
