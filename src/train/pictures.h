/*
 * Figures of data, of a trained network and of what it predicts. Each is drawn of what there is, or says
 * why it can't be.
 */
#ifndef SPOR_TRAIN_PICTURES_H
#define SPOR_TRAIN_PICTURES_H

#include "data/text.h"
#include "tape/tape.h"
#include "train/record.h"
#include "train/seen.h"

/** The network of a model as it evaluates, without its loss. */
typedef struct {
    spor_tape *tape; /* NULL: it can't be recorded */
    int64_t rows;    /* of x */
    spor_var x, prediction;
    spor_var told; /* what the model's link makes of the prediction; poisoned: it has none */
    uint32_t scopes;
    bool *layer; /* [scopes] tape/layers.h */
} pictures_net;

/** Records it for one row, or where that can't be for so many. The model stays as it is. */
void pictures_record(pictures_net *net, spor_model *model, int64_t rows);
void pictures_forget(pictures_net *net);

/** What figures are drawn of. */
typedef struct {
    const char *title;
    spor_model *model;
    const pictures_net *net;
    const spor_data *data;
    const spor_split *split;
    uint64_t seed;
    const spor_history *history;
    int64_t best;                /* epoch of the lowest validation loss; 0: none */
    const spor_evaluation *test; /* of the test rows; zeros: they were not evaluated */
    const spor_seen *seen;       /* likewise */
} pictures_source;

/** Draws one. False where it can't be drawn, with why; the text is then to be thrown away. */
typedef bool pictures_draw(const pictures_source *from, spor_text *svg, spor_message *why);

/** A figure that a run leaves. */
typedef struct {
    const char *heading, *file; /* "Worst mistakes", "mistakes.svg" */
    pictures_draw *draw;
} pictures_entry;

enum { PICTURES = 7 };
/** All there are, in the order of a page. */
extern const pictures_entry pictures[PICTURES];

#endif
