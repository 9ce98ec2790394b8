/*
 * The network of a run as a file of C and its header: a program for one sample, made for the baseline and row by
 * row, whose bits are those of `SPOR_ISA=baseline spor predict`.
 */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/shape.h"
#include "data/file.h"
#include "export/c_program.h"
#include "export/export.h"
#include "kernels/element.h"
#include "kernels/rounding.h"
#include "train/model.h"

/* Samples of the self-test; bytes of weights that stand in the file at most. */
enum { SAMPLES = 3, WEIGHTS_MOST = 1 << 20 };

/* A run on its way into files. */
typedef struct {
    opened_run *run;
    spor_bound *bound;
    spor_program *program;
    c_program c;
    spor_c code, header;    /* with net_ in the place of the name */
    char title[RUN_PATH];   /* my-net of dir/my-net.c */
    char name[40];          /* net */
    char path[2][RUN_PATH]; /* of the header and the weights */
    double *sample;         /* [SAMPLES, size] */
    double *expected;       /* [SAMPLES, columns] */
    double *allowed;        /* [SAMPLES, columns]: by which other code may differ; -1: not known */
    int64_t size, columns;
    bool alike;  /* samples together have the numbers that they have alone */
    bool tested; /* what is predicted of the samples are finite numbers */
} c_file;

static spor_scalar scalar_of(const c_file *f) {
    return f->run->options.scalar;
}

static size_t width_of(const c_file *f) {
    return scalar_width(scalar_of(f));
}

static const char *type_of(const c_file *f) {
    return c_type(&f->c.functions);
}

/* ---- names ---- */

static bool name_files(c_file *f, const char *path, spor_message *message) {
    static const char *const ending[] = {".h", ".bin"};
    size_t length = strlen(path);
    char *title = f->title;
    if (length < 3 || strcmp(path + length - 2, ".c") != 0 || length + 4 > RUN_PATH)
        return message_complain(message,
                                "%s: give a file that ends in .c: its header goes beside it", path);
    for (int k = 0; k < 2; k++)
        snprintf(f->path[k], RUN_PATH, "%.*s%s", (int)(length - 2), path, ending[k]);
    const char *slash = strrchr(path, '/');
    snprintf(title, RUN_PATH, "%s", slash ? slash + 1 : path);
    title[strlen(title) - 2] = 0;
    for (const char *at = title; *at; at++)
        if ((unsigned char)*at < 32 || strchr("\"\\?*", *at))
            return message_complain(message, "%s: a name with \", \\, ? or * can't be included",
                                    path);
    c_name(title, f->name, sizeof f->name);
    if (*f->name && !isdigit((unsigned char)*f->name)) return true;
    return message_complain(message,
                            "%s: functions are called as the file: let its name begin with a "
                            "letter and have letters, digits and _",
                            path);
}

/* ---- the program, and what it makes of samples ---- */

static bool program_fails(const spor_program *program, spor_message *message) {
    return spor_program_error(program) &&
           !message_complain(message, "%s", spor_program_error(program));
}

static bool compile(c_file *f, spor_message *message) {
    spor_model *model = f->run->model;
    f->bound = model_bind_for(model, 1, MODEL_PREDICTS);
    if (!f->bound) return message_complain(message, "%s", spor_model_error(model));
    const spor_options options = {.scalar = scalar_of(f), .isa = "baseline", .rowwise = true};
    const spor_var outputs[] = {f->bound->prediction};
    f->program = spor_compile(f->bound->tape, 1, outputs, spor_model_params(model), &options);
    if (program_fails(f->program, message)) return false;
    const uint32_t *map = f->program->graph.map;
    f->c.program = f->program;
    f->c.input = map[f->bound->input.id];
    f->c.result = map[f->bound->prediction.id];
    f->size = spor_model_sample(model);
    f->columns = spor_model_columns(model);
    return true;
}

/* Numbers as the network computes in. */
static void fill_samples(const c_file *f, void *x, const double value[], int64_t count) {
    for (int64_t k = 0; k < count; k++)
        if (scalar_of(f) == SPOR_F32)
            ((float *)x)[k] = (float)value[k];
        else
            ((double *)x)[k] = value[k];
}

/* What the program makes of sample n. */
static bool run_sample(c_file *f, int n, spor_message *message) {
    spor_arg x = spor_program_arg(f->program, f->bound->input);
    if (x.data) fill_samples(f, x.data, f->sample + n * f->size, f->size);
    if (!spor_run(f->program, 0)) return !program_fails(f->program, message);
    spor_arg y = spor_program_arg(f->program, f->bound->prediction);
    for (int64_t k = 0; k < f->columns; k++)
        f->expected[n * f->columns + k] = scalar_value_at(y.data, scalar_of(f), k);
    return true;
}

/* How far apart two codes may be that add up in other orders, or fuse: each is off by half of it. */
static bool bound_sample(c_file *f, spor_program *program, int n, spor_message *message) {
    spor_arg x = spor_program_arg(program, f->bound->input);
    double unit = scalar_of(f) == SPOR_F32 ? 0x1p-24 : 0x1p-53;
    for (int64_t k = 0; x.data && k < f->size; k++) {
        double value = f->sample[n * f->size + k];
        ((rounding *)x.data)[k] = (rounding){value, 0, fabs(value), 0, unit};
    }
    if (!spor_run(program, 0)) return !program_fails(program, message);
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
    spor_bound *bound = model_bind_for(model, SAMPLES, MODEL_PREDICTS);
    if (!bound) return message_complain(message, "%s", spor_model_error(model));
    const spor_options options = {.scalar = scalar_of(f), .isa = "baseline", .rowwise = true};
    const spor_var outputs[] = {bound->prediction};
    spor_program *program =
        spor_compile(bound->tape, 1, outputs, spor_model_params(model), &options);
    spor_arg x = spor_program_arg(program, bound->input);
    if (x.data) fill_samples(f, x.data, f->sample, SAMPLES * f->size);
    bool done = x.data && spor_run(program, 0);
    if (!done) program_fails(program, message);
    spor_arg y = spor_program_arg(program, bound->prediction);
    f->alike = true;
    for (int64_t k = 0; done && k < SAMPLES * f->columns; k++) {
        double together = scalar_value_at(y.data, scalar_of(f), k), alone = f->expected[k];
        f->alike = f->alike && (fabs(together - alone) <= 0 || isnan(alone) || isinf(alone));
    }
    spor_program_free(program);
    return done;
}

static bool make_samples(c_file *f, spor_message *message) {
    size_t each = sizeof(double);
    f->sample = malloc(bytes_for(SAMPLES * f->size, each));
    f->expected = malloc(bytes_for(SAMPLES * f->columns, each));
    f->allowed = malloc(bytes_for(SAMPLES * f->columns, each));
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
    batch_fill(&source, NULL, SAMPLES, f->sample, NULL);
    free(named);
    for (int64_t k = 0; k < SAMPLES * f->size; k++) f->sample[k] = (double)(float)f->sample[k];
    const spor_options options = {.scalar = SPOR_ROUNDING, .reference = true};
    const spor_var outputs[] = {f->bound->prediction};
    spor_program *bounds =
        spor_compile(f->bound->tape, 1, outputs, spor_model_params(f->run->model), &options);
    bool done = !program_fails(bounds, message);
    for (int n = 0; done && n < SAMPLES; n++)
        done = run_sample(f, n, message) && bound_sample(f, bounds, n, message);
    spor_program_free(bounds);
    done = done && compare_rows(f, message);
    f->tested = done;
    for (int64_t k = 0; f->tested && k < SAMPLES * f->columns; k++)
        f->tested = isfinite(f->expected[k]);
    return done;
}

/* ---- arrays ---- */

static double number_at(const c_file *f, const void *value, int64_t k) {
    return scalar_of(f) == SPOR_F32 ? (double)((const float *)value)[k]
                                    : ((const double *)value)[k];
}

/* Numbers in rows of eight. */
static void add_numbers(spor_text *text, const spor_c *c, const double value[], int64_t count) {
    for (int64_t k = 0; k < count; k++)
        text_add(text, "%s%s%s", k % 8 ? " " : "\n    ", c_number(c, value[k]).text,
                 k + 1 < count ? "," : "");
    text_add(text, "\n");
}

/* C has no words for other numbers. */
static bool are_finite(const c_file *f, const c_constant *constant, spor_message *message) {
    const spor_node *node = &f->program->graph.tape->node[constant->node];
    for (int64_t k = 0; k < constant->count; k++)
        if (!isfinite(number_at(f, constant->value, k)))
            return message_complain(message, "%s has a number that is not finite",
                                    node->name ? node->name : constant->name);
    return true;
}

static void add_constant(c_file *f, const c_constant *constant) {
    spor_text *text = &f->code.text;
    const spor_shape *shape = f->program->graph.tape->node[constant->node].shape;
    char shape_text[160];
    tape_shape_text(shape, NULL, shape_text, sizeof shape_text);
    text_add(text, "static const %s %s[%" PRId64 "] = { /* %s */", type_of(f), constant->name,
             constant->count, shape_text);
    for (int64_t k = 0; k < constant->count; k++)
        text_add(text, "%s%s%s", k % 8 ? " " : "\n    ",
                 c_number(&f->c.functions, number_at(f, constant->value, k)).text,
                 k + 1 < constant->count ? "," : "");
    text_add(text, "\n};\n\n");
}

static bool add_constants(c_file *f, spor_message *message) {
    for (int k = 0; k < f->c.constants; k++)
        if (f->c.constant[k].first >= 0 && !are_finite(f, &f->c.constant[k], message)) return false;
    if (f->c.apart) {
        text_add(&f->code.text,
                 "/* The numbers of net_load. */\nstatic const %s *net_weights;\n\n"
                 "int net_load(const void *bytes, size_t size) {\n"
                 "    net_weights = size == NET_WEIGHT_BYTES ? (const %s *)bytes : 0;\n"
                 "    return net_weights != 0;\n}\n\n",
                 type_of(f), type_of(f));
        return true;
    }
    for (int k = 0; k < f->c.constants; k++)
        if (f->c.constant[k].first >= 0) add_constant(f, &f->c.constant[k]);
    return true;
}

/* All constants, one after the other, as this machine has them. */
static void *gather_weights(const c_file *f) {
    char *all = malloc(bytes_for(f->c.constant_elements + 1, width_of(f)));
    for (int k = 0; all && k < f->c.constants; k++)
        if (f->c.constant[k].first >= 0)
            memcpy(all + (size_t)f->c.constant[k].first * width_of(f), f->c.constant[k].value,
                   (size_t)f->c.constant[k].count * width_of(f));
    return all;
}

/* ---- the parts of the file ---- */

/* What is known of a run's data: (x scale - mean) factor. */
static bool is_scaled(const spor_data *like) {
    return like && (like->x.mean || fabs(like->scale - 1) > 0);
}

/* y is x once more, scaled as it is. */
static bool is_mirrored(const c_file *f) {
    return model_mirrors(f->run->model) && f->columns == f->size;
}

static void add_scaling(c_file *f) {
    const spor_data *like = f->run->like;
    spor_text *text = &f->code.text;
    spor_c numbers = {.single = false};
    if (!is_scaled(like)) return;
    if (like->x.mean) {
        text_add(text, "static const double net_mean[%" PRId64 "] = {", f->size);
        add_numbers(text, &numbers, like->x.mean, f->size);
        text_add(text, "};\n\nstatic const double net_factor[%" PRId64 "] = {", f->size);
        add_numbers(text, &numbers, like->x.factor, f->size);
        text_add(text, "};\n\n");
    }
    text_add(text, "void net_scale(const double *values, %s *x) {\n    int k;\n", type_of(f));
    text_add(text, "    for (k = 0; k < NET_INPUTS; k++)\n        x[k] = (%s)(", type_of(f));
    const c_literal scale = c_number(&numbers, like->scale);
    if (like->x.mean)
        text_add(text, "(values[k] * %s - net_mean[k]) * net_factor[k]);\n}\n\n", scale.text);
    else
        text_add(text, "values[k] * %s);\n}\n\n", scale.text);
    if (!is_mirrored(f)) return;
    text_add(text, "void net_unscale(const %s *y, double *values) {\n    int k;\n", type_of(f));
    text_add(text, "    for (k = 0; k < NET_OUTPUTS; k++)\n        values[k] = ");
    text_add(text, like->x.mean ? "((double)y[k] / net_factor[k] + net_mean[k])" : "(double)y[k]");
    text_add(text, " / %s;\n}\n\n", scale.text);
}

static void add_classes(c_file *f) {
    const spor_data *like = f->run->like;
    spor_text *text = &f->code.text;
    if (!like || !like->class_name || !like->classes) return;
    text_add(text, "const char *const net_class_names[%d] = {", like->classes);
    for (int k = 0; k < like->classes; k++) {
        text_add(text, "%s\"", k ? ", " : "");
        for (const unsigned char *at = (const unsigned char *)like->class_name[k]; *at; at++)
            if (isalnum(*at) || strchr(" .,;:+-*/()[]<>=_'#%!&", *at))
                text_bytes(text, at, 1);
            else
                text_add(text, "\\%03o", (unsigned)*at);
        text_add(text, "\"");
    }
    text_add(text, "};\n\n");
}

static size_t arena_bytes(const c_file *f) {
    return f->c.arena.top;
}

static size_t weight_bytes(const c_file *f) {
    return (size_t)f->c.constant_elements * width_of(f);
}

static void add_predict(c_file *f) {
    spor_text *text = &f->code.text;
    if (arena_bytes(f))
        text_add(text, "static %s arena[NET_ARENA_BYTES / sizeof(%s)];\n\n", type_of(f),
                 type_of(f));
    text_add(text, "void net_predict(const %s *x, %s *y) {\n", type_of(f), type_of(f));
    if (!c_has_word(&f->c.calls.text, "x")) text_add(text, "    (void)x;\n");
    text_bytes(text, f->c.calls.text.at, f->c.calls.text.size);
    text_add(text, "}\n");
}

/* ---- the self-test ---- */

static void add_table(c_file *f, const char *type, const char *name, const spor_c *c,
                      const double value[], int64_t rows) {
    text_add(&f->code.text, "static const %s %s[%d * %" PRId64 "] = {", type, name, SAMPLES, rows);
    add_numbers(&f->code.text, c, value, SAMPLES * rows);
    text_add(&f->code.text, "};\n\n");
}

static void add_self_test(c_file *f) {
    spor_text *text = &f->code.text;
    spor_c doubles = {.single = false};
    text_add(text,
             "\n#ifdef NET_SELFTEST\n\n#include <stdio.h>\n%s\n"
             "/* Samples, drawn at random; what spor predicts of them; and how far other code may "
             "be from "
             "that, by its\n * rounding: another order of sums, or fused ones. */\n",
             f->c.apart ? "#include <stdlib.h>\n" : "");
    add_table(f, type_of(f), "net_sample", &f->c.functions, f->sample, f->size);
    add_table(f, type_of(f), "net_expected", &f->c.functions, f->expected, f->columns);
    add_table(f, "double", "net_allowed", &doubles, f->allowed, f->columns);
    text_add(text, "int main(%s) {\n", f->c.apart ? "int argc, char **argv" : "void");
    if (f->c.apart)
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
        "    return !same && !(within && known);\n}\n\n#endif\n",
        SAMPLES, type_of(f), f->name, SAMPLES);
}

/* ---- the two files ---- */

static void add_shape(spor_text *text, const char *name, const spor_shape *shape) {
    char shape_text[160];
    tape_shape_text(shape, NULL, shape_text, sizeof shape_text);
    text_add(text, "%s%s", name, shape_text);
}

/* What may stand in a comment. */
static void add_plain(spor_text *text, const char *from) {
    for (; *from; from++)
        text_add(text, "%c",
                 isalnum((unsigned char)*from) || strchr("/._-+ ", *from) ? *from : '?');
}

/* What the network takes and gives, and what may be relied on. */
static void add_summary(c_file *f) {
    spor_text *text = &f->header.text;
    const spor_model_spec *spec = model_spec_of(f->run->model);
    const spor_data *like = f->run->like;
    const bool back = is_scaled(like) && is_mirrored(f);
    const char *script = kept_script_name(&f->run->kept);
    text_add(text, "/*\n * \"");
    add_plain(text, script ? script : "net");
    text_add(text, "\", a network exported by spor %s: in C99, without libraries.\n *\n",
             SPOR_VERSION);
    add_shape(text, " *   x  ", &spec->sample);
    text_add(text, ", row-major%s\n *   y  [%" PRId64 "], %s\n *\n",
             is_scaled(like) ? "; net_scale makes it of values as they stand in the data" : "",
             f->columns,
             model_link(f->run->model) ? "probabilities"
             : back                    ? "scaled as x is; net_unscale undoes that"
                                       : "numbers");
    text_add(text,
             " * Memory: %zu bytes for values on the way, static: not for two threads at a time; "
             "%zu bytes "
             "of\n * constants. A prediction is %.0f multiply-adds.\n *\n",
             arena_bytes(f), weight_bytes(f), f->c.products);
    text_add(
        text,
        " * y has the bits of `SPOR_ISA=baseline spor predict`%s, if this\n * is compiled by the "
        "compiler that built spor, in IEEE arithmetic and without fused multiply-adds (-std=c99, "
        "no\n * "
        "-ffast-math)%s. -O3 vectorizes the loops.\n */\n",
        f->alike ? "" : " of that row alone",
        f->tested ? "; -DNET_SELFTEST compiles a main that checks three samples" : "");
}

static void write_header(c_file *f) {
    spor_text *text = &f->header.text;
    const spor_data *like = f->run->like;
    add_summary(f);
    text_add(text, "#ifndef NET_H\n#define NET_H\n\n");
    if (f->c.apart) text_add(text, "#include <stddef.h>\n\n");
    text_add(text, "#define NET_INPUTS %" PRId64 "\n#define NET_OUTPUTS %" PRId64 "\n", f->size,
             f->columns);
    text_add(text,
             "#define NET_ARENA_BYTES %zu\n#define NET_WEIGHT_BYTES %zu\n#define NET_MULTIPLY_ADDS "
             "%.0f\n\n",
             arena_bytes(f), weight_bytes(f), f->c.products);
    text_add(text, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
    if (f->c.apart)
        text_add(text,
                 "/** Takes the bytes of \"%s.bin\", aligned as numbers are and in the order of "
                 "bytes of the machine "
                 "that wrote\n *  them, which must stay; to be called first. 0: they have another "
                 "length. */\nint "
                 "net_load(const void *bytes, size_t size);\n",
                 f->title);
    text_add(text,
             "/** y[NET_OUTPUTS] of x[NET_INPUTS], which do not overlap. */\nvoid "
             "net_predict(const %s *x, %s *y);\n",
             type_of(f), type_of(f));
    if (is_scaled(like))
        text_add(
            text,
            "/** x of values as they stand in the data. */\nvoid net_scale(const double *values, "
            "%s *x);\n",
            type_of(f));
    if (is_scaled(like) && is_mirrored(f))
        text_add(
            text,
            "/** What is predicted, as it stands in the data, of y. */\nvoid net_unscale(const "
            "%s *y, double *values);\n",
            type_of(f));
    if (like && like->class_name && like->classes)
        text_add(
            text,
            "/** What the numbers of y are of. */\nextern const char *const net_class_names[%d];\n",
            like->classes);
    text_add(text, "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
}

static bool write_code(c_file *f, spor_message *message) {
    spor_text *text = &f->code.text;
    text_add(text,
             "/* See \"%s.h\". Written by spor %s. */\n#include \"%s.h\"\n\n#include "
             "<stdint.h>\n#include "
             "<string.h>\n\n#ifdef __FAST_MATH__\n#error \"this file relies on IEEE arithmetic: "
             "compile it without -ffast-math and -Ofast\"\n#endif\n\n#if "
             "defined(__clang__)\n#pragma STDC FP_CONTRACT OFF\n#endif\n\n",
             f->title, SPOR_VERSION, f->title);
    if (!add_constants(f, message)) return false;
    c_add_portable(text, &f->c.functions.text, scalar_of(f) == SPOR_F32);
    text_bytes(text, f->c.functions.text.at, f->c.functions.text.size);
    add_scaling(f);
    add_classes(f);
    add_predict(f);
    if (f->tested) add_self_test(f);
    return true;
}

static bool write_files(c_file *f, const char *path, spor_message *message) {
    spor_text code = {0}, header = {0};
    c_add_renamed(&code, &f->code.text, f->name);
    c_add_renamed(&header, &f->header.text, f->name);
    void *weights = f->c.apart ? gather_weights(f) : NULL;
    bool done = !code.failed && !header.failed && (weights || !f->c.apart);
    const file_piece pieces[] = {{path, code.at, code.size},
                                 {f->path[0], header.at, header.size},
                                 {f->path[1], weights, weight_bytes(f)}};
    done = done ? file_write_together(f->c.apart ? 3 : 2, pieces, message)
                : message_complain(message, "out of memory");
    text_free(&code);
    text_free(&header);
    free(weights);
    return done;
}

static void tell(const c_file *f, const char *path, spor_text *told) {
    char arena[24], weights[24];
    text_add(told, "%s, %s%s%s\n", path, f->path[0], f->c.apart ? ", " : "",
             f->c.apart ? f->path[1] : "");
    text_add(told, "  arena       %s, static\n", bytes_text(arena_bytes(f), arena));
    text_add(told, "  constants   %s%s\n", bytes_text(weight_bytes(f), weights),
             f->c.apart ? ", in a file of their own: more than 1 MiB" : "");
    text_add(told, "  a sample    %.0f multiply-adds\n", f->c.products);
    if (!f->alike)
        text_add(told, "  one row alone: among others it is predicted otherwise, since the network "
                       "computes with the batch\n");
    if (!f->tested) {
        text_add(told,
                 "  no self-test: what is predicted of numbers drawn at random is not finite\n");
        return;
    }
    text_add(told, "  self-test   cc -std=c99 -O3 -DNET_SELFTEST '%s' -o %s && ./%s", path, f->name,
             f->name);
    if (f->c.apart) text_add(told, " '%s'", f->path[1]);
    text_add(told, "\n");
}

static bool make(c_file *f, const char *path, spor_message *message) {
    if (!name_files(f, path, message) || !compile(f, message) || !make_samples(f, message))
        return false;
    if (!c_write_program(&f->c, message)) return false;
    if (arena_bytes(f) > INT32_MAX || weight_bytes(f) > INT32_MAX)
        return message_complain(message, "the network is too large: its loops count in int");
    if (weight_bytes(f) > WEIGHTS_MOST) {
        c_program again = {
            .program = f->program, .input = f->c.input, .result = f->c.result, .apart = true};
        c_program_end(&f->c);
        f->c = again;
        if (!c_write_program(&f->c, message)) return false;
    }
    write_header(f);
    return write_code(f, message) && write_files(f, path, message);
}

bool export_c(opened_run *run, const char *path, spor_text *told, spor_message *message) {
    c_file f = {.run = run};
    bool done = make(&f, path, message);
    if (done) tell(&f, path, told);
    c_program_end(&f.c);
    spor_program_free(f.program);
    text_free(&f.code.text);
    text_free(&f.header.text);
    free(f.sample);
    free(f.expected);
    free(f.allowed);
    return done;
}
