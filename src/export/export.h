/*
 * A run's network in the form of others.
 */
#ifndef SPOR_EXPORT_EXPORT_H
#define SPOR_EXPORT_EXPORT_H

#include "data/text.h"
#include "run/run.h"

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

/** How a file of C is to be, in which other formats see nothing. Zeros: as it is, and no more. */
typedef struct {
    bool trains;                  /* with a step of training beside the network */
    int64_t batch;                /* rows of one; 0: the script's */
    const export_int8_rows *int8; /* in whole numbers; NULL: in those it was trained in */
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
/** A file of C and its header, with the weights in a third one where they are many. c_file.c, int8_file.c */
export_format export_c, export_int8_c;

#endif
