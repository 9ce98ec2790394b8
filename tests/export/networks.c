#include "networks.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/shape.h"
#include "claims/claims.h"
#include "run/run.h"

/* Ends the program if that is false: the cases are made without Check, too. */
static void demand(bool is, const char *format, ...) {
    va_list arguments;
    if (is) return;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    abort();
}

/* Parameters and states of U(-1/2, 1/2), variances among them, which are no smaller than 1/2. */
static void draw_weights(spor_params *params) {
    for (int k = 0; k < spor_params_count(params); k++) {
        spor_entry entry = spor_params_entry(params, k);
        const bool positive = entry.kind != SPOR_TRAINED && strstr(entry.name, "variance");
        const double fan = entry.shape.rank > 1 ? (double)shape_size(&entry.shape) /
                                                      (double)entry.shape.n[entry.shape.rank - 1]
                                                : 4;
        for (int64_t j = 0; j < shape_size(&entry.shape); j++) {
            double u = random_uniform(7, (uint64_t)k, (uint64_t)j);
            ((float *)entry.value)[j] = (float)(positive ? 0.5 + u : (u - 0.5) * 2 / sqrt(fan));
        }
    }
    spor_params_touch(params);
}

/* What a script of networks says where it has none of this number. */
static bool is_behind_the_last(const char *error) {
    return error && strstr(error, "there is no index");
}

/* Rows that networks are run on: few where an image takes long. */
enum { ROWS = 100, FEW = 5 };
enum { MOST_PARAMETERS = 4000000 }; /* of a network that is tried: files of 16 MB */

/* Shows the model, its weights drawn; false where the script has no network of this number. */
static bool show_model(const char *name, spor_model *model, int64_t rows, network_look *look,
                       void *user) {
    const int64_t columns = spor_model_columns(model);
    if (is_behind_the_last(spor_model_error(model))) return false;
    demand(columns >= 0, "%s: %s", name, spor_model_error(model));
    if (spor_params_size(spor_model_params(model)) > MOST_PARAMETERS)
        return printf("%s is not tried: it has more than %d parameters\n", name, MOST_PARAMETERS);
    draw_weights(spor_model_params(model));
    look(name, model, rows, user);
    return true;
}

/* The network number `which` of a script, or the only one, if which < 0. */
static bool show_script(const char *source, const char *file, int which, int64_t rows,
                        network_look *look, void *user) {
    char path[1200], models[1200], name[64];
    char number[16];
    snprintf(number, sizeof number, "%d", which);
    const spor_set set = {"which", number};
    snprintf(path, sizeof path, "%s/%s", source, file);
    snprintf(models, sizeof models, "%s/models", source);
    spor_script *script = script_load(path, models, &claims_dialect, which >= 0, &set);
    const char *error = script_error(script), *slash = strrchr(file, '/');
    if (is_behind_the_last(error)) return script_free(script), false;
    demand(!error, "%s", error);
    snprintf(name, sizeof name, which < 0 ? "%.*s" : "%.*s_%d", (int)strcspn(slash + 1, "."),
             slash + 1, which);
    const spor_options options = {.threads = 1};
    spor_model *model = run_script_model(script, script_declaration(script), NULL, 0, &options);
    bool there = show_model(name, model, rows, look, user);
    spor_model_free(model);
    script_free(script);
    return there;
}

int each_network(const char *source, network_look *look, void *user) {
    static const char *const alone[] = {"densenet2_20",  "convnet1_3", "densenet4_300",
                                        "convkeras4_20", "lenet2",     "convkeras12_32"};
    static const struct {
        const char *file;
        int64_t rows;
    } several[] = {{"tests/export/networks.spor", ROWS}, {"tests/bench/outside.spor", FEW}};
    int count = 0;
    for (size_t k = 0; k < sizeof alone / sizeof alone[0]; k++, count++) {
        char file[64];
        snprintf(file, sizeof file, "models/%s.spor", alone[k]);
        show_script(source, file, -1, ROWS, look, user);
    }
    for (size_t k = 0; k < sizeof several / sizeof several[0]; k++)
        for (int which = 0;
             show_script(source, several[k].file, which, several[k].rows, look, user); which++)
            count++;
    return count;
}
