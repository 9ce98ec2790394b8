/*
 * Scripts in C: see include/spor/script.h.
 */
#include <spor/script.h>

#include "claims/claims.h"
#include "run/places.h"
#include "run/run.h"
#include "tape/tape.h"
#include "train/model.h"

spor_script *spor_script_load(const char *path) {
    if (!path) return NULL;
    return script_load(path, places_models(), &claims_dialect, 0, NULL);
}

void spor_script_free(spor_script *script) {
    script_free(script);
}

const char *spor_script_error(const spor_script *script) {
    return script_error(script);
}

spor_var spor_script_call(spor_script *script, spor_tape *tape, const char *def, int n,
                          const spor_var args[]) {
    const char *error = script_error(script);
    if (error) return tape_reject(tape, "%s", error);
    if (!def || n < 0 || (n && !args)) return tape_reject(tape, "a call needs a def and tensors");
    return script_call(script, def, tape, false, n, args);
}

/* What data say of shapes and classes is what counts. */
static spor_declaration declared_for(const spor_script *script, const spor_data *data) {
    spor_declaration d = *script_declaration(script);
    if (!data) return d;
    d.sample = data->x.shape;
    d.classes = data->classes;
    d.y = data->y.shape;
    return d;
}

spor_model *run_script_model(spor_script *script, const spor_declaration *d, const spor_data *like,
                             uint64_t seed, const spor_options *options) {
    const spor_model_spec spec = {
        .net = script_net,
        .loss = script_loss,
        .reduction = d->reduction,
        .metric = d->metric,
        .optimizer = script_optimizer,
        .user = script,
        .link = loss_link(d->record),
        .like = like,
        .sample = d->sample,
        .target = script_target(d),
        .classes = d->target_is_x ? 0 : d->classes,
        .seed = seed,
        .options = *options,
    };
    return spor_model_new(&spec);
}

spor_model *spor_script_model(spor_script *script, const spor_data *data, uint64_t seed,
                              const spor_options *options) {
    const spor_options plain = {0};
    const char *error = script_error(script);
    bool declared = !error && script_declaration(script);
    spor_declaration d = declared ? declared_for(script, data) : (spor_declaration){0};
    spor_model *model = run_script_model(script, &d, data, seed, options ? options : &plain);
    spor_shape target = script_target(&d);
    if (error)
        model_fail(model, "%s", error);
    else if (!declared)
        model_fail(model, "the script has no train(...)");
    else if (!d.sample.rank || !target.rank)
        model_fail(model, "only the data say what shape a sample and its target have");
    return model;
}
