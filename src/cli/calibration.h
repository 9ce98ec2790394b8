/*
 * The rows that `spor export --int8` looks at.
 */
#ifndef SPOR_CLI_CALIBRATION_H
#define SPOR_CLI_CALIBRATION_H

#include "cli/cli.h"
#include "export/export.h"

/** Rows to calibrate with, and those to measure with. Zeros: none. */
typedef struct {
    export_int8_rows rows;
    spor_workpiece piece; /* has the run's data */
    spor_data *file;      /* of --calibrate */
    spor_split split;
    int64_t *drawn;
} calibration;

/** Rows of a file, or, if path is NULL, some that the run was trained with; and its validation and test rows, where its
 *  data are as they were. False with a message, after which it is to be ended too. */
bool calibration_read(calibration *c, const opened_run *run, const char *path,
                      spor_message *message);
void calibration_end(calibration *c);

#endif
