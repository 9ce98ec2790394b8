/*
 * A run's network in the form of others.
 */
#ifndef SPOR_EXPORT_EXPORT_H
#define SPOR_EXPORT_EXPORT_H

#include "data/text.h"
#include "run/run.h"

/**
 * Writes the network that a run predicts with, run_model having made its model, to a file; what is worth
 * telling of it goes to `told`, lines of text. False with a message that says what is wrong and where in the
 * script: nothing is written then.
 */
typedef bool export_format(opened_run *run, const char *path, spor_text *told,
                           spor_message *message);

/** Rows of data. */
typedef struct {
    const spor_data *data;
    const int64_t *row; /* [rows]; NULL: 0 .. rows-1 */
    int64_t rows;
} export_rows;

/** What --int8 is given: rows to calibrate with, and others to measure what is lost. */
typedef struct {
    export_rows calibrate, part[2];
    const char *part_name[2]; /* "validation", "test" */
    char text[200];           /* which rows calibrate */
} export_int8_rows;

/** A file of C as export_c writes it, in whole numbers. int8_file.c */
bool export_int8_c(opened_run *run, const char *path, const export_int8_rows *rows, spor_text *told,
                   spor_message *message);

/** An ONNX file. onnx.c */
export_format export_onnx;
/** A file of C and its header, with the weights in a third one where they are many. c_file.c */
export_format export_c;

#endif
