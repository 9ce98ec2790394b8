/*
 * A run on its way into a file of C: what the parts of that file are made of.
 */
#ifndef SPOR_EXPORT_C_FILE_H
#define SPOR_EXPORT_C_FILE_H

#include "export/c_program.h"
#include "export/c_train.h"
#include "run/run.h"

/** Samples of the self-test. */
enum { C_SAMPLES = 3 };

typedef struct {
    opened_run *run;
    spor_bound *bound;
    spor_program *program;
    c_program c;
    c_outside outside[2];
    c_training *training;   /* NULL: it predicts only */
    bool apart;             /* weights are in a file of their own */
    spor_c code, header;    /* with net_ in the place of the name */
    char title[RUN_PATH];   /* my-net of dir/my-net.c */
    char name[40];          /* net */
    char path[2][RUN_PATH]; /* of the header and the weights */
    double *sample;         /* [C_SAMPLES, size] */
    double *expected;       /* [C_SAMPLES, columns] */
    double *allowed; /* [C_SAMPLES, columns]: by which other code may differ; -1: not known */
    int64_t size, columns;
    bool alike;  /* samples together have the numbers that they have alone */
    bool tested; /* what is predicted of the samples are finite numbers */
} c_file;

/** Finds the names that a path gives. False with a message where it can't be a file of C. c_file.c */
bool c_name_files(c_file *f, const char *path, spor_message *message);
/** Tells of a file of weights that is there and not of this export, which has none. */
void c_tell_left_over(const c_file *f, spor_text *told);
/** Adds net_scale and net_unscale, and net_class_names, where there are such things. */
void c_add_scaling(c_file *f);
void c_add_classes(c_file *f);

/** The type that the network computes in. */
spor_scalar c_file_scalar(const c_file *f);

/** Values become x by a function. */
bool c_is_scaled(const spor_data *like);
/** y is x once more, scaled as it is. */
bool c_is_mirrored(const c_file *f);
size_t c_arena_bytes(const c_file *f);
/** Of the weights, or of all that training changes. */
size_t c_weight_bytes(const c_file *f);
/** Writes the header. c_header.c */
void c_write_header(c_file *f);

/** True, with its message, if the program could not be made or run. */
bool c_program_fails(const spor_program *program, spor_message *message);

/** Draws the samples, and runs the program on them. False with a message. c_samples.c */
bool c_make_samples(c_file *f, spor_message *message);
/** Adds them to the code, and a main that checks them. */
void c_add_self_test(c_file *f);

#endif
