/*
 * A step of training on its way into a file of C: the program of a run's update, portable, and what it changes.
 */
#ifndef SPOR_EXPORT_C_TRAIN_H
#define SPOR_EXPORT_C_TRAIN_H

#include "export/c_program.h"
#include "run/run.h"

/** Steps of the self-test; elements of an array that it looks at. */
enum { C_STEPS = 3, C_LOOKED_AT = 8 };

/** An argument of net_train: a setting of the optimizer. */
typedef struct {
    const char *setting;
    char name[48];
    double value; /* at the script's start */
} c_setting;

/** Steps on drawn batches, by a program. */
typedef struct {
    double loss[C_STEPS];
    uint64_t bits[C_STEPS]; /* of all parameters after each */
    void *after;            /* [elements] parameters after all of them */
    bool finite;
} c_steps;

typedef struct {
    int64_t rows, size, columns; /* of a batch; numbers of a sample and of a target */
    bool sums;                   /* the loss adds up the costs of the rows */
    bool mirrors;                /* a target is the sample */
    bool one_hot;                /* it is a row of classes */
    bool resumes;                /* states are those of the run, else the first ones */
    spor_bound *bound;
    spor_program *program;
    c_program c;
    c_parameters parameters;
    void *initial; /* [elements] */
    c_outside *outside;
    c_setting *setting;
    int settings;
    int64_t *named;          /* [size] rows that a number of a sample names; 0: it is none such */
    c_steps portable, usual; /* by the exported program, and by that of spor train */
    double off;              /* of the two: as a share of the largest of an array; 0: same bits */
} c_training;

/** Makes the program. False with a message. */
bool c_training_make(c_training *t, opened_run *run, int64_t rows, spor_message *message);
/** Writes its steps; `before` has the functions of net_predict. */
bool c_training_write(c_training *t, const c_program *before, spor_message *message);
/** Runs it, and that of spor train, on drawn batches; the model's parameters are then as they were. False with a
 *  message. */
bool c_training_try(c_training *t, opened_run *run, spor_message *message);
void c_training_end(c_training *t);

/** Adds net_begin, net_parameters and net_reset; `loaded`: of numbers that net_load is given. */
void c_training_add_values(const c_training *t, bool loaded, spor_text *text);
/** Adds net_train. */
void c_training_add(const c_training *t, bool loaded, spor_text *text);
/** Adds its head, without an end. */
void c_training_add_signature(const c_training *t, spor_text *text);
/** Something is drawn anew in every step. */
bool c_training_draws(const c_training *t);
/** Adds what the header says of them. c_train_header.c */
void c_training_declare(const c_training *t, const opened_run *run, spor_text *text);
/** Adds net_test_training, which returns whether its steps are right. c_train_test.c */
void c_training_add_test(const c_training *t, const char *name, spor_text *text);
/** The next number of U[0, 1) of 24 bits; as in the self-test. c_train_test.c */
double c_training_draw(uint64_t *state);
/** Runs the steps of a program on drawn batches, from the initial parameters on, and sets these back. False with a
 *  message. c_train_test.c */
bool c_training_run(c_training *t, spor_program *program, c_steps *steps, spor_message *message);

#endif
