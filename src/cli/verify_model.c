/* spor verify: the network that a script trains. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "cli/verify.h"
#include "data/values.h"
#include "verify/model.h"

/* Gradients of a network have no statement of the script; hints hide what is wrong. */
static void on_row(void *user, const spor_model_row *row) {
    spor_verification *v = user;
    static const spor_row_state states[] = {[SPOR_HOLDS] = SPOR_ROW_HOLDS,
                                            [SPOR_FAILS] = SPOR_ROW_WRONG,
                                            [SPOR_NOTHING_EXAMINED] = SPOR_ROW_UNFINISHED};
    static const char *const verdicts[] = {[SPOR_HOLDS] = "holds",
                                           [SPOR_FAILS] = "DOES NOT HOLD",
                                           [SPOR_NOTHING_EXAMINED] = "UNDECIDED"};
    bool all = v->hint == SPOR_HINT_FULL;
    verify_show(v, &(spor_verify_row){.state = states[row->outcome],
                                      .label = row->label,
                                      .verdict = verdicts[row->outcome],
                                      .summary = v->hint == SPOR_HINT_NONE ? "" : row->summary,
                                      .detail = all ? row->detail : "",
                                      .kind = "network",
                                      .reserved = row->reserved,
                                      .found = row->found});
}

/* From here on the network is recorded as it is trained: with the gradients of every derivation
 * that training may take, whatever its own verdict is. */
static void train_with_derivations(spor_script *script) {
    for (int k = 0; k < claims_count(script); k++) claims_accept(script, k);
}

/* What has no place has at least its file. */
static void complain(spor_verification *v, const char *model, const char *message) {
    char error[2048];
    size_t length = strlen(v->path);
    bool placed = !strncmp(message, v->path, length) && message[length] == ':';
    snprintf(error, sizeof error, "%s%s%s", placed ? "" : v->path, placed ? "" : ": ", message);
    verify_refuse(v, model, error);
}

/* The data set of the script; NULL if it is not to be had, which has a row that says so. */
static const spor_data *find_data(spor_verification *v, spor_workpiece *piece) {
    const spor_declaration *d = &piece->declared;
    spor_message message = {""};
    bool missing;
    const spor_data *data = workpiece_read_data(piece, &missing, &message);
    if (missing)
        verify_skip(v, d->data,
                    "rows of this data set, whose files are not here (`spor data` tells more); "
                    "random rows were");
    if (!data && !missing) verify_unreadable(v, d->own ? d->own->file[0] : d->data, message.text);
    return data;
}

/* As for the weights given, or as training would. */
static bool standardize(const spor_verification *v, spor_workpiece *piece, spor_message *message) {
    const spor_own_data *own = piece->declared.own;
    const char *weights = v->given->weights;
    spor_split split = {0};
    bool asked = own && own->standardize;
    bool done = !asked || (spor_split_draw(piece->data, SPOR_TEST_SHARE, SPOR_VALIDATION_SHARE,
                                           (uint64_t)v->given->seed, &split, message) &&
                           workpiece_standardize(piece, &split, message));
    spor_split_free(&split);
    return done && (!weights || spor_weights_standardize(piece->data, weights, message));
}

void verify_network(spor_verification *v, spor_workpiece *piece) {
    const spor_declaration *d = &piece->declared;
    spor_message message = {""};
    const spor_data *data = find_data(v, piece);
    if (!d->sample.rank || !script_target(d).rank) return; /* which files would say */
    if (data && !(standardize(v, piece, &message) &&
                  data_fits(data, NULL, data->rows, SPOR_F32, &message))) {
        complain(v, d->model, message.text);
        return;
    }
    spor_model_check check = {
        .net = script_net,
        .loss = script_loss,
        .optimizer = script_optimizer,
        .frozen = script_frozen,
        .user = piece->script,
        .sample = d->sample,
        .target = script_target(d),
        .data = data,
        .test_share = SPOR_TEST_SHARE,
        .validation_share = SPOR_VALIDATION_SHARE,
        .schedule = {.epochs = d->epochs, .batch = d->batch, .seed = (uint64_t)v->given->seed},
        .weights = v->given->weights,
        .seed = (uint64_t)v->given->seed,
        .ties_bind = v->given->ties != NULL,
        .threads = (int)(v->given->threads ? v->given->threads : pool_cores()),
        .derivation_name = claims_backward_name,
    };
    train_with_derivations(piece->script);
    if (!verify_model_rows(&check, on_row, v, &message)) complain(v, d->model, message.text);
}
