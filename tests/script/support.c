#include "support.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernel.h"

const char *models_folder(void) {
    static char folder[1024];
    const char *source = getenv("SPOR_SOURCE");
    snprintf(folder, sizeof folder, "%s/models", source ? source : ".");
    return folder;
}

void load_message(const char *text, char *out, size_t size) {
    spor_script *script = script_read("s.spor", text, models_folder(), &claims_dialect);
    const char *error = script_error(script);
    snprintf(out, size, "%s", error ? error : "");
    script_free(script);
}

/* The result of f; the tape and the script hold what went wrong. */
static spor_var record_f(spor_script *script, spor_tape *tape, bool training, int n,
                         const spor_shape shapes[], spor_var args[]) {
    for (int k = 0; k < n; k++) {
        char name[2] = {(char)('x' + k), 0};
        args[k] = spor_input(tape, name, shapes[k]);
    }
    return script_call(script, "f", tape, training, n, args);
}

static void explain(const spor_script *script, const spor_tape *tape, char *out, size_t size) {
    const char *file;
    int line, column;
    out[0] = 0;
    spor_error_place(tape, &file, &line, &column);
    if (spor_error(tape)) script_explain(script, spor_error(tape), file, line, column, out, size);
}

void record_message(const char *text, bool training, int n, const spor_shape shapes[], char *out,
                    size_t size) {
    spor_var args[4];
    spor_script *script = script_read("s.spor", text, models_folder(), &claims_dialect);
    const char *error = script_error(script);
    snprintf(out, size, "%s", error ? error : "");
    spor_tape *tape = spor_tape_new();
    if (!error) {
        record_f(script, tape, training, n, shapes, args);
        explain(script, tape, out, size);
    }
    spor_tape_free(tape);
    script_free(script);
}

void record_optimizer(spor_script *script, char *out, size_t size) {
    const spor_shape shapes[] = {SPOR_SHAPE(3, 2), SPOR_SHAPE(2)};
    spor_tape *tape = spor_tape_new();
    spor_var w[2], dw[2], next[2];
    for (int k = 0; k < 2; k++) {
        w[k] = spor_input(tape, k ? "b" : "W", shapes[k]);
        dw[k] = spor_input(tape, k ? "db" : "dW", shapes[k]);
    }
    script_optimizer(2, w, dw, next, script);
    explain(script, tape, out, size);
    spor_tape_free(tape);
}

void update_message(const char *text, char *out, size_t size) {
    spor_script *script = script_read("s.spor", text, models_folder(), &claims_dialect);
    const char *error = script_error(script);
    snprintf(out, size, "%s", error ? error : "");
    if (!error) record_optimizer(script, out, size);
    script_free(script);
}

static void write_values(const spor_arg *arg, char *out, size_t size) {
    size_t used = 0;
    for (int k = 0; k < arg->shape.rank; k++)
        used += (size_t)snprintf(out + used, size - used, "%s%lld", k ? "," : "[",
                                 (long long)arg->shape.n[k]);
    used += (size_t)snprintf(out + used, size - used, arg->shape.rank ? "]" : "[]");
    const double *value = arg->data;
    int64_t n = shape_size(&arg->shape);
    for (int64_t k = 0; k < n && used + 40 < size; k++)
        used += (size_t)snprintf(out + used, size - used, " %.6g", value[k]);
}

void run_values(const char *text, bool training, int n, const input inputs[], char *out,
                size_t size) {
    spor_shape shapes[4];
    spor_var args[4];
    for (int k = 0; k < n; k++) shapes[k] = inputs[k].shape;
    spor_script *script = script_read("s.spor", text, models_folder(), &claims_dialect);
    ck_assert_msg(!script_error(script), "%s", script_error(script));
    spor_tape *tape = spor_tape_new();
    spor_var y = record_f(script, tape, training, n, shapes, args);
    explain(script, tape, out, size);
    if (y.id) {
        spor_params *params = spor_params_new(SPOR_F64, 1);
        spor_options options = {.scalar = SPOR_F64, .reference = true};
        spor_program *program = spor_compile(tape, 1, &y, params, &options);
        ck_assert_msg(!spor_program_error(program), "%s", spor_program_error(program));
        for (int k = 0; k < n; k++) {
            spor_arg in = spor_program_arg(program, args[k]);
            for (int64_t i = 0; in.data && i < shape_size(&in.shape); i++)
                ((double *)in.data)[i] = inputs[k].first + (double)i;
        }
        ck_assert_msg(spor_run(program, 0), "%s", spor_program_error(program));
        spor_arg result = spor_program_arg(program, y);
        write_values(&result, out, size);
        spor_program_free(program);
        spor_params_free(params);
    }
    spor_tape_free(tape);
    script_free(script);
}

spor_tape *record_model(const char *file, bool training, int64_t rows, spor_script **script) {
    char path[1200];
    snprintf(path, sizeof path, "%s/%s", models_folder(), file);
    *script = script_load(path, models_folder(), &claims_dialect, 0, NULL);
    ck_assert_msg(!script_error(*script), "%s", script_error(*script));
    const spor_declaration *d = script_declaration(*script);
    ck_assert_msg(d != NULL, "%s declares nothing", file);
    spor_tape *tape = spor_tape_new();
    spor_var x = spor_input(tape, "x", shape_rows(rows, &d->sample));
    spor_var y = script_net(x, training, *script);
    spor_var target = spor_input(tape, "y", SPOR_SHAPE(rows, d->classes));
    script_loss(y, target, *script);
    char message[4096];
    explain(*script, tape, message, sizeof message);
    ck_assert_msg(!*message, "%s", message);
    return tape;
}
