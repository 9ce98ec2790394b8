/*
 * What the training loop sees of a model.
 */
#ifndef SPOR_TRAIN_MODEL_H
#define SPOR_TRAIN_MODEL_H

#include "train/batch.h"

/** Sets the model's first error and returns false. */
bool model_fail(spor_model *model, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** model_fail with the place where a variable was recorded. */
bool model_fail_of(spor_model *model, spor_var at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** Puts text before the model's error and returns false. */
bool model_fail_at(spor_model *model, const char *where);

/** Puts behind the model's error which batches it was met in, and returns false. */
bool model_fail_in(spor_model *model, const char *what, int64_t rows);

/** What a bound program is for. */
typedef enum { MODEL_EVALUATES, MODEL_TRAINS, MODEL_PREDICTS } model_use;
/** spor_model_bind; a program that predicts has neither target nor cost, and its prediction is what the
 *  link makes of it. */
spor_bound *model_bind_for(spor_model *model, int64_t rows, model_use use);

/** Frees the thing. */
typedef void model_release(void *thing);
/** The model owns it from now on, and frees it after all else; it is freed at once if memory runs out. */
bool model_own(spor_model *model, void *thing, model_release *release);

/** The link that goes with a loss: softmax, sigmoid, or NULL. loss.c */
spor_link *loss_link(spor_loss *loss);
/** That of a model; NULL: none. model.c */
spor_link *model_link(const spor_model *model);
/** True if a model learns the sample itself, by what is known of the data it is for. predict.c */
bool model_mirrors(const spor_model *model);
/** spor_model_predict of rows of data; rows NULL: 0 .. count-1. predict.c */
bool model_predict_rows(spor_model *model, const spor_data *data, const int64_t rows[],
                        int64_t count, double prediction[]);

/** "the network has 9 outputs for 10 classes: its last layer must have 10"; "" if prediction and target
 *  have one shape. model.c */
const char *model_misfit(const spor_model *model, const spor_bound *bound, char text[256]);

const spor_model_spec *model_spec_of(const spor_model *model);

/** spor_model_bind without its memory: tape and program are there, arrays are not. */
spor_bound *model_plan(spor_model *model, int64_t rows, bool training);

/** Element k of an array of the model's scalar type. */
double model_number(const spor_model *model, const spor_arg *arg, int64_t k);

/** False, with the model's error, if nothing is known of how its loss reduces over rows. */
bool model_says_reduction(spor_model *model);

/** Says it for a model that does not; nothing was counted before. */
void model_say_reduction(spor_model *model, spor_reduction reduction);
/** Most training rows that reduction_find looks at. */
#define REDUCTION_ROWS 16
/** Finds out what the loss of a model that does not say it does with the costs of its rows, at the
 *  weights as they are, and says it for the model: UNSAID if they cost together neither the sum nor the
 *  mean of what each costs alone, or both. False with the model's error. reduction.c */
bool reduction_find(spor_model *model, const spor_data *data, const spor_split *split,
                    spor_reduction *found);

/** False, with the model's error, if a number of these rows that is used as an index names no
 *  row of what
 *  is taken from. bound: of an evaluation that is planned. index.c */
bool index_look(spor_model *model, const spor_data *data, const int64_t rows[], int64_t count,
                const spor_bound *bound, const batch_source *source);

/** Of each number of a sample of x, [rows, size], how many rows it names, where an index on the tape of x and of a
 *  target, or none, is made of it by moving numbers about; 0: it is no index. params: those of the tape. False when
 *  memory runs out. index.c */
bool index_named(spor_var x, spor_var target, spor_params *params, int64_t size, int64_t named[]);

/** Records, compiles and gets the memory of all that evaluating so many rows runs: what is wrong with
 *  it is told here. evaluate.c */
bool evaluate_prepare(spor_model *model, const spor_data *data, const int64_t rows[],
                      int64_t count);
/** The same of a whole training, and of evaluating its test rows. train.c */
bool train_prepare(spor_model *model, const spor_data *data, const spor_split *split,
                   const spor_schedule *schedule);
/** Where a training of so many epochs stands before all else: nothing is measured. */
spor_progress train_beginning(int64_t epochs);
/** True of a training that stands at its end: all epochs were run, or its patience is over. Without
 *  epochs: what it begins with was evaluated. */
bool train_is_over(const spor_schedule *schedule, const spor_progress *progress);

/** A batch of rows that was evaluated. */
typedef struct {
    spor_model *model;
    const spor_bound *bound; /* of their program, which has run */
    const batch_source *source;
    spor_metric metric;
    const int64_t *rows; /* [bound->rows] */
    int64_t before;      /* rows evaluated before them */
} evaluate_view;
/** Looks at it. False, with the model's error, ends the evaluation. */
typedef bool evaluate_look(const evaluate_view *view, void *user);
/** spor_evaluate with someone who looks on; NULL: nobody. evaluate.c */
bool evaluate_viewed(spor_model *model, const spor_data *data, const int64_t rows[], int64_t count,
                     spor_evaluation *evaluation, evaluate_look *look, void *user);
/** The class that row n of predictions [rows, m] is of: the first of the largest of its m numbers; one
 *  number for two classes is that of class 1, where it is positive. evaluate.c */
int64_t evaluate_winner(const spor_model *model, const spor_arg *arg, int64_t n, int64_t m,
                        int64_t classes);

/** The cost of the rows of a bound program that has run, summed. */
double model_cost(const spor_model *model, const spor_bound *bound);

#endif
