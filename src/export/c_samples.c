/*
 * The samples of an exported network: what is predicted of them, and the main that checks that.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/message.h"
#include "export/c_file.h"
#include "kernels/element.h"
#include "kernels/rounding.h"
#include "train/model.h"

spor_scalar c_file_scalar(const c_file *f) {
    return f->run->options.scalar;
}

bool c_program_fails(const spor_program *program, spor_message *message) {
    return spor_program_error(program) &&
           !message_complain(message, "%s", spor_program_error(program));
}

/* Numbers as the network computes in. */
static void fill_samples(const c_file *f, void *x, const double value[], int64_t count) {
    for (int64_t k = 0; k < count; k++)
        if (c_file_scalar(f) == SPOR_F32)
            ((float *)x)[k] = (float)value[k];
        else
            ((double *)x)[k] = value[k];
}

/* What the program makes of sample n. */
static bool run_sample(c_file *f, int n, spor_message *message) {
    spor_arg x = spor_program_arg(f->program, f->bound->input);
    if (x.data) fill_samples(f, x.data, f->sample + n * f->size, f->size);
    if (!spor_run(f->program, 0)) return !c_program_fails(f->program, message);
    spor_arg y = spor_program_arg(f->program, f->bound->prediction);
    for (int64_t k = 0; k < f->columns; k++)
        f->expected[n * f->columns + k] = scalar_value_at(y.data, c_file_scalar(f), k);
    return true;
}

/* How far apart two codes may be that add up in other orders, or fuse: each is off by half of it. */
static bool bound_sample(c_file *f, spor_program *program, int n, spor_message *message) {
    spor_arg x = spor_program_arg(program, f->bound->input);
    double unit = c_file_scalar(f) == SPOR_F32 ? 0x1p-24 : 0x1p-53;
    for (int64_t k = 0; x.data && k < f->size; k++) {
        double value = f->sample[n * f->size + k];
        ((rounding *)x.data)[k] = (rounding){value, 0, fabs(value), 0, unit};
    }
    if (!spor_run(program, 0)) return !c_program_fails(program, message);
    const rounding *y = spor_program_arg(program, f->bound->prediction).data;
    for (int64_t k = 0; k < f->columns; k++) {
        double error = 2 * rounding_error(y[k], rounding_unit(y[k]));
        f->allowed[n * f->columns + k] = isfinite(error) ? error : -1;
    }
    return true;
}

/* Samples together have the numbers that they have alone, unless the network computes with the batch. */
static bool compare_rows(c_file *f, spor_message *message) {
    spor_model *model = f->run->model;
    spor_bound *bound = model_bind_for(model, C_SAMPLES, MODEL_PREDICTS);
    if (!bound) return message_complain(message, "%s", spor_model_error(model));
    const spor_options options = {.scalar = c_file_scalar(f), .isa = "baseline", .rowwise = true};
    const spor_var outputs[] = {bound->prediction};
    spor_program *program =
        spor_compile(bound->tape, 1, outputs, spor_model_params(model), &options);
    spor_arg x = spor_program_arg(program, bound->input);
    if (x.data) fill_samples(f, x.data, f->sample, C_SAMPLES * f->size);
    bool done = x.data && spor_run(program, 0);
    if (!done) c_program_fails(program, message);
    spor_arg y = spor_program_arg(program, bound->prediction);
    f->alike = true;
    for (int64_t k = 0; done && k < C_SAMPLES * f->columns; k++) {
        double together = scalar_value_at(y.data, c_file_scalar(f), k), alone = f->expected[k];
        f->alike = f->alike && (fabs(together - alone) <= 0 || isnan(alone) || isinf(alone));
    }
    spor_program_free(program);
    return done;
}

bool c_make_samples(c_file *f, spor_message *message) {
    size_t each = sizeof(double);
    f->sample = malloc(bytes_for(C_SAMPLES * f->size, each));
    f->expected = malloc(bytes_for(C_SAMPLES * f->columns, each));
    f->allowed = malloc(bytes_for(C_SAMPLES * f->columns, each));
    if (!f->sample || !f->expected || !f->allowed)
        return message_complain(message, "out of memory");
    const spor_model_spec *spec = model_spec_of(f->run->model);
    batch_source source = batch_source_of(NULL, &spec->sample, &spec->target, SPOR_F64, 1);
    int64_t *named = malloc(bytes_for(f->size + 1, sizeof *named));
    if (!named || !index_named(f->bound->input, f->bound->target, spor_model_params(f->run->model),
                               f->size, named)) {
        free(named);
        return message_complain(message, "out of memory");
    }
    source.named = named;
    batch_fill(&source, NULL, C_SAMPLES, f->sample, NULL);
    free(named);
    for (int64_t k = 0; k < C_SAMPLES * f->size; k++) f->sample[k] = (double)(float)f->sample[k];
    const spor_options options = {.scalar = SPOR_ROUNDING, .reference = true};
    const spor_var outputs[] = {f->bound->prediction};
    spor_program *bounds =
        spor_compile(f->bound->tape, 1, outputs, spor_model_params(f->run->model), &options);
    bool done = !c_program_fails(bounds, message);
    for (int n = 0; done && n < C_SAMPLES; n++)
        done = run_sample(f, n, message) && bound_sample(f, bounds, n, message);
    spor_program_free(bounds);
    done = done && compare_rows(f, message);
    f->tested = done;
    for (int64_t k = 0; f->tested && k < C_SAMPLES * f->columns; k++)
        f->tested = isfinite(f->expected[k]);
    return done;
}

/* ---- the self-test ---- */

static void add_table(c_file *f, const char *type, const char *name, const spor_c *c,
                      const double value[], int64_t rows) {
    text_add(&f->code.text, "static const %s %s[%d * %" PRId64 "] = {", type, name, C_SAMPLES,
             rows);
    c_add_numbers(&f->code.text, c, value, C_SAMPLES * rows);
    text_add(&f->code.text, "};\n\n");
}

void c_add_self_test(c_file *f) {
    spor_text *text = &f->code.text;
    spor_c doubles = {.single = false};
    text_add(text,
             "\n#ifdef NET_SELFTEST\n\n#include <stdio.h>\n%s\n"
             "/* Samples, drawn at random; what spor predicts of them; and how far other code may "
             "be from "
             "that, by its\n * rounding: another order of sums, or fused ones. */\n",
             f->apart ? "#include <stdlib.h>\n" : "");
    add_table(f, c_type(&f->c.functions), "net_sample", &f->c.functions, f->sample, f->size);
    add_table(f, c_type(&f->c.functions), "net_expected", &f->c.functions, f->expected, f->columns);
    add_table(f, "double", "net_allowed", &doubles, f->allowed, f->columns);
    const bool steps = f->training && f->training->portable.finite;
    if (steps) c_training_add_test(f->training, f->name, text);
    text_add(text, "int main(%s) {\n", f->apart ? "int argc, char **argv" : "void");
    if (f->apart)
        text_add(
            text,
            "    FILE *file = fopen(argc > 1 ? argv[1] : \"%s.bin\", \"rb\");\n"
            "    void *bytes = malloc(NET_WEIGHT_BYTES + 1);\n"
            "    if (!file || !bytes || !net_load(bytes, fread(bytes, 1, NET_WEIGHT_BYTES + 1, "
            "file))) {\n"
            "        printf(\"%s: the weights can't be read\\n\");\n        return 2;\n    }\n",
            f->title, f->name);
    text_add(
        text,
        "    int same = 1, within = 1, known = 1, n, k;\n"
        "    for (n = 0; n < %d; n++) {\n"
        "        %s y[NET_OUTPUTS];\n"
        "        net_predict(net_sample + n * NET_INPUTS, y);\n"
        "        same = same && !memcmp(y, net_expected + n * NET_OUTPUTS, sizeof y);\n"
        "        for (k = 0; k < NET_OUTPUTS; k++) {\n"
        "            const double off = (double)y[k] - (double)net_expected[n * NET_OUTPUTS + k];\n"
        "            const double allowed = net_allowed[n * NET_OUTPUTS + k];\n"
        "            known = known && allowed >= 0;\n"
        "            within = within && (allowed < 0 || (off < 0 ? -off : off) <= allowed);\n"
        "        }\n"
        "    }\n"
        "    printf(\"%s: %d samples: %%s\\n\",\n"
        "           same      ? \"the same bits\"\n"
        "           : !within ? \"WRONG\"\n"
        "           : known   ? \"within what rounding may do\"\n"
        "                     : \"other bits: how far rounding may go is not known\");\n"
        "    return %s(!same && !(within && known));\n}\n\n#endif\n",
        C_SAMPLES, c_type(&f->c.functions), f->name, C_SAMPLES,
        steps ? "net_test_training() | " : "");
}
