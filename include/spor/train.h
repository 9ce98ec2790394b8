/*
 * Training: a network is a pure function that records; a model calls it once per (rows, training),
 * caches the programs and owns the parameters.
 */
#ifndef SPOR_TRAIN_H
#define SPOR_TRAIN_H

#include <spor/data.h>
#include <spor/ops.h>
#include <spor/program.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Records the prediction (logits) for the rows of x. */
typedef spor_var spor_net(spor_var x, bool training, void *user);
/** Records what is told of a prediction: probabilities of logits. */
typedef spor_var spor_link(spor_var prediction);
/** Records the cost, a scalar, of a prediction and a target of the same first axis. */
typedef spor_var spor_loss(spor_var prediction, spor_var target, void *user);

/**
 * What a loss makes of the costs of its rows. It decides what the cost of a batch says about a row,
 * so that losses are reported alike whatever the batch, and partial batches have their weight.
 */
typedef enum {
    SPOR_REDUCTION_UNSAID, /* refused where costs are counted */
    SPOR_REDUCTION_SUM,    /* adds them up: twice the rows cost twice as much */
    SPOR_REDUCTION_MEAN    /* their mean: twice the rows cost as much */
} spor_reduction;

/* ---- losses: prediction [N, m], target [N, m]; user is ignored ------------------------------- */

/** -sum target log softmax(prediction), summed over rows (the report's own networks). Targets are
 *  rows of weights, one-hot or not; where they sum to 1 a row costs logsumexp(prediction) -
 *  sum(target prediction). */
SPOR_API spor_var spor_cross_entropy_sum(spor_var prediction, spor_var target, void *user);
/** spor_cross_entropy_sum divided by the number of rows (Keras). */
SPOR_API spor_var spor_cross_entropy_mean(spor_var prediction, spor_var target, void *user);
/** Squared differences, summed over all elements. */
SPOR_API spor_var spor_squared_error_sum(spor_var prediction, spor_var target, void *user);
/** spor_squared_error_sum divided by the number of elements. */
SPOR_API spor_var spor_squared_error_mean(spor_var prediction, spor_var target, void *user);
/**
 * -sum (target log sigmoid(prediction) + (1 - target) log(1 - sigmoid(prediction))) over labels and
 * rows, without cancellation and for logits of any size: each number of a row is a label of its own, 0
 * to 1. For two classes one logit does, that of class 1: prediction [N, 1], target [N, 2].
 */
SPOR_API spor_var spor_binary_cross_entropy_sum(spor_var prediction, spor_var target, void *user);
/** spor_binary_cross_entropy_sum divided by the number of rows: labels are summed. */
SPOR_API spor_var spor_binary_cross_entropy_mean(spor_var prediction, spor_var target, void *user);

/* ---- metrics --------------------------------------------------------------------------------- */

/**
 * What predictions are judged by besides their loss: accuracy where targets are classes, RMSE where
 * they are numbers, as many as are predicted. A model that names one of the two has that or none.
 */
typedef enum {
    SPOR_METRIC_FITTING,  /* of a model: whichever fits */
    SPOR_METRIC_ACCURACY, /* share of the rows whose class is predicted */
    SPOR_METRIC_RMSE,     /* root of the mean squared error of a number; with it R^2 */
    SPOR_METRIC_NONE      /* the loss alone: predictions that are neither, such as embeddings */
} spor_metric;

/* ---- models ---------------------------------------------------------------------------------- */

/** A network with its parameters and programs; opaque. */
typedef struct spor_model spor_model;

/** What a model is made of. */
typedef struct {
    spor_net *net;             /* records the prediction */
    spor_loss *loss;           /* records the cost */
    spor_reduction reduction;  /* of the loss; to train or evaluate it must be said */
    spor_metric metric;        /* of evaluations */
    spor_optimizer *optimizer; /* records the update; NULL: training programs give gradients only */
    void *user;                /* handed to net, loss and optimizer */
    spor_link *link;       /* of spor_model_predict; NULL: the one that goes with a loss above */
    const spor_data *like; /* its x are scaled and standardized as these; NULL: they are not */
    spor_shape sample;     /* of one input, without the rows */
    spor_shape target;     /* of one target, without the rows */
    int classes;          /* that targets stand for; 0: numbers, or not known. For messages alone */
    uint64_t seed;        /* of the initial values */
    spor_options options; /* of all programs */
} spor_model_spec;

/** NULL: out of memory. Any other trouble is the model's error. */
SPOR_API spor_model *spor_model_new(const spor_model_spec *spec);
/** Frees the model with its parameters and programs. NULL is ignored. */
SPOR_API void spor_model_free(spor_model *model);
/** NULL, or the first error of the model. */
SPOR_API const char *spor_model_error(const spor_model *model);
/** Place of a recording error, as spor_error_place. */
SPOR_API void spor_model_error_place(const spor_model *model, const char **file, int *line,
                                     int *column);
/** The parameters, the model's own. */
SPOR_API spor_params *spor_model_params(spor_model *model);

/** One (rows, training) of the model: arrays to fill and read, row-major, in the model's scalar
 *  type. */
typedef struct {
    int64_t rows;          /* of a batch */
    bool training;         /* with gradients, and the update if there is an optimizer */
    spor_tape *tape;       /* what net and loss have recorded */
    spor_program *program; /* runs it */
    spor_var input;        /* [rows, sample...] */
    spor_var target;       /* [rows, target...] */
    spor_var prediction;   /* net(input) */
    spor_var cost;         /* loss(prediction, target), a scalar */
    spor_arg x;            /* of input: to fill */
    spor_arg y;            /* of target: to fill */
    spor_arg logits;       /* of prediction: to read */
    spor_arg loss;         /* of cost: to read */
} spor_bound;
/** Records and compiles at the first call of each (rows, training). Valid until the next call of
 *  spor_model_bind; NULL on error. */
SPOR_API spor_bound *spor_model_bind(spor_model *model, int64_t rows, bool training);

/**
 * Runs a bound training program: cost and gradients, and the update if the model has an optimizer.
 * False if a number is not finite: parameters and states are untouched and the model's error names
 * the first bad node, or the parameter whose next value is none.
 */
SPOR_API bool spor_model_step(spor_model *model, spor_bound *bound, uint64_t step);
/** Gives a setting of the model's programs another value, in those that are bound later too. False if
 *  no program that is bound by now has it. */
SPOR_API bool spor_model_set(spor_model *model, const char *name, double value);
/** Runs a bound program that is not training. */
SPOR_API bool spor_model_run(spor_model *model, spor_bound *bound);

/** How many numbers a sample has; -1 for a model in error. */
SPOR_API int64_t spor_model_sample(spor_model *model);
/** How many numbers are predicted for a row; -1 with the model's error. */
SPOR_API int64_t spor_model_columns(spor_model *model);
/**
 * Predicts for x, [rows, sample...] in the units of the data: prediction, [rows, columns], receives
 * probabilities where the loss is cross-entropy (of classes, or of each label; of one logit that of
 * class 1), else what the network returns; where the target is the sample, in the units of x. Rows are
 * taken 256 at a time. False with the model's error.
 */
SPOR_API bool spor_model_predict(spor_model *model, int64_t rows, const double x[],
                                 double prediction[]);

/* ---- training -------------------------------------------------------------------------------- */

/** How good predictions of some rows are; NAN: not measured. */
typedef struct {
    double loss;   /* mean cost a row */
    double metric; /* accuracy or RMSE */
} spor_score;

/** What a run tells while it goes: where it stands, which is all that going on needs beside the model. */
typedef struct {
    int64_t epoch;           /* counts from 1; 0: before the first */
    int64_t epochs;          /* of the schedule */
    int64_t step;            /* within the epoch; steps: the epoch is done and evaluated */
    int64_t steps;           /* of an epoch */
    int64_t rows;            /* trained on in this epoch so far */
    double cost;             /* of those rows, summed */
    double loss;             /* mean cost a row over the steps of the epoch so far */
    spor_metric metric;      /* what the scores have: accuracy, RMSE or none */
    spor_score train;        /* of the training rows after the last epoch that is done */
    spor_score validation;   /* of the validation rows, likewise */
    int64_t best_epoch;      /* that had the lowest validation loss so far; 0: none was measured */
    double best_loss;        /* that loss */
    double train_seconds;    /* spent on steps so far */
    double evaluate_seconds; /* spent on evaluating so far */
} spor_progress;

/** Writes what the optimizer's setting rate is in each of the steps of an epoch, which counts from 1.
 *  False stops the run. */
typedef bool spor_rates(int64_t epoch, int64_t steps, double rate[], void *user);

/** How long a model is trained, and on what batches; by which rule its optimizer says. */
typedef struct {
    int64_t epochs;    /* passes over the training rows; 0: what it begins with is evaluated */
    int64_t batch;     /* rows of a step */
    uint64_t seed;     /* order of the batches */
    spor_rates *rates; /* over time; NULL: the setting stays as it is */
    void *rates_user;  /* handed to it */
    int64_t patience;  /* epochs without a lower validation loss until it ends; 0: any number */
    const spor_progress *from; /* where to go on, as it was told; NULL: at the beginning */
} spor_schedule;

/** Called after every step and every epoch; without epochs once, of epoch 0. False stops the run after
 *  this step. */
typedef bool spor_on_progress(const spor_progress *progress, void *user);

/** Result of evaluating. Numbers that the metric does not have are NAN. */
typedef struct {
    spor_metric metric; /* accuracy, RMSE or none */
    int classes;        /* number of labels; 0: no accuracy was asked for */
    int64_t rows;       /* evaluated */
    int64_t right;      /* of these: the largest prediction is the label's */
    double loss;        /* mean cost a row */
    double accuracy;    /* right / rows */
    double rmse; /* root of the mean of (prediction - target)^2 over all numbers of all rows */
    double r2;   /* 1 - sum (prediction - target)^2 / sum (target - its column's mean)^2 */
    int64_t *confusion;      /* confusion[label * classes + predicted]: rows */
    char *const *class_name; /* [classes] the data's; NULL: classes are numbers */
} spor_evaluation;

/**
 * Trains a model that has an optimizer. True if all epochs were run, or the patience with them is
 * over; false with the model's error if a number was not finite or a program failed, false without
 * error if the callback stopped it. A run that was stopped and goes on, with the parameters and states
 * as they were, ends in the same bits as one that never was.
 */
SPOR_API bool spor_train(spor_model *model, const spor_data *data, const spor_split *split,
                         const spor_schedule *schedule, spor_on_progress *on_progress, void *user);

/** Writes where a training stands as safetensors, whole or not at all: parameters, states of the network
 *  and of the optimizer, and what spor_on_progress was told last. Settings, schedule and data are the
 *  caller's to have again. */
SPOR_API bool spor_checkpoint_save(spor_model *model, const spor_progress *progress,
                                   const char *path, spor_message *message);
/** Loads it into a model whose training program is bound, so that the optimizer has its states; progress
 *  is for spor_schedule. A file that is damaged or of another model is an error and changes nothing. */
SPOR_API bool spor_checkpoint_load(spor_model *model, spor_progress *progress, const char *path,
                                   spor_message *message);

/**
 * Evaluates the rows in batches of 256 and a last one of those left, each a program of its rows. A
 * classifier predicts [rows, classes], or for two classes [rows, 1]: class 1 where that is positive.
 */
SPOR_API bool spor_evaluate(spor_model *model, const spor_data *data, const int64_t rows[],
                            int64_t count, spor_evaluation *evaluation);
/** Frees the confusion. */
SPOR_API void spor_evaluation_free(spor_evaluation *evaluation);

#ifdef __cplusplus
}
#endif

#endif
