/*
 * Scripts and runs in C: a def of a script is recorded like an op, a trained network predicts.
 *
 * models/README.md has the language. What `spor train` has left in a folder is a model again, without the
 * data that it was trained on.
 */
#ifndef SPOR_SCRIPT_H
#define SPOR_SCRIPT_H

#include <spor/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A script that was read; opaque. */
typedef struct spor_script spor_script;

/**
 * Reads a script and runs its top level; files that it includes are looked for beside it, then in
 * $SPOR_MODELS, or where spor was installed. What is wrong is the script's error; NULL only when memory
 * ran out.
 */
SPOR_API spor_script *spor_script_load(const char *path);
/** Frees the script; tapes that it recorded on and models of it must be freed before. NULL is ignored. */
SPOR_API void spor_script_free(spor_script *script);
/** NULL, or what is wrong: file:line:column, the line and a caret. "out of memory" for NULL. */
SPOR_API const char *spor_script_error(const spor_script *script);

/**
 * Records a call of the def of this name on the tape, with n tensors as its first arguments; those left out must
 * have defaults. Networks are recorded as they evaluate: no dropout, normalisation by running statistics.
 * Errors are the tape's, with the script's place.
 */
SPOR_API spor_var spor_script_call(spor_script *script, spor_tape *tape, const char *def, int n,
                                   const spor_var args[]);

/**
 * The network of the script's train(...) as a model with initial values, its loss and optimizer. data says
 * shapes, classes and how x is scaled; NULL where the script's own data set is one of the table's. The
 * script and the data must outlive the model. Trouble is the model's error; NULL only when memory ran out.
 */
SPOR_API spor_model *spor_script_model(spor_script *script, const spor_data *data, uint64_t seed,
                                       const spor_options *options);

/**
 * The network of a run, the folder of `spor train` or a checkpoint in it, with the weights that it tests:
 * those of the epoch that validated best if it keeps them, else the last ones. Needs neither the data nor
 * the script, which the run has. It predicts and evaluates; it has no optimizer. Trouble is the model's
 * error; NULL only when memory ran out.
 */
SPOR_API spor_model *spor_model_load(const char *run);

#ifdef __cplusplus
}
#endif

#endif
