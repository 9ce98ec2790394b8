/* Scripts in tests: texts in, messages, tapes and values out. */
#ifndef SPOR_TESTS_SCRIPT_SUPPORT_H
#define SPOR_TESTS_SCRIPT_SUPPORT_H

#include "claims/claims.h"

/** The folder of the models in the source tree. */
const char *models_folder(void);

/** What loading the text says, without a net being recorded; "" if it is fine. */
void load_message(const char *text, char *out, size_t size);

/** What recording the def f of the text with inputs of these shapes says, line and caret
 *  included; "" if it is fine. */
void record_message(const char *text, bool training, int n, const spor_shape shapes[], char *out,
                    size_t size);

/** What recording the optimizer of a script says, for a W [3, 2] and a b [2]; likewise. */
void record_optimizer(spor_script *script, char *out, size_t size);
/** The same of a text that declares a training. */
void update_message(const char *text, char *out, size_t size);

/**
 * Records f with the inputs, runs it by reference in double and writes the result's shape and
 * values: "[2] 3 4.5". An input holds first, first + 1, ... in row-major order.
 */
typedef struct {
    spor_shape shape;
    double first;
} input;
void run_values(const char *text, bool training, int n, const input inputs[], char *out,
                size_t size);

/** Records the net of a model's script; the caller frees both. */
spor_tape *record_model(const char *file, bool training, int64_t rows, spor_script **script);

#endif
