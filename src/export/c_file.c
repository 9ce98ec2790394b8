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
#include "export/c_file.h"
#include "export/export.h"
#include "kernels/element.h"
#include "train/model.h"

/* Bytes of weights that stand in the file at most. */
enum { WEIGHTS_MOST = 1 << 20 };

static size_t width_of(const c_file *f) {
    return scalar_width(c_file_scalar(f));
}

/* ---- names ---- */

bool c_name_files(c_file *f, const char *path, spor_message *message) {
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

/* ---- the program ---- */

static bool compile(c_file *f, spor_message *message) {
    spor_model *model = f->run->model;
    f->bound = model_bind_for(model, 1, MODEL_PREDICTS);
    if (!f->bound) return message_complain(message, "%s", spor_model_error(model));
    const spor_options options = {.scalar = c_file_scalar(f), .isa = "baseline", .rowwise = true};
    const spor_var outputs[] = {f->bound->prediction};
    f->program = spor_compile(f->bound->tape, 1, outputs, spor_model_params(model), &options);
    if (c_program_fails(f->program, message)) return false;
    const uint32_t *map = f->program->graph.map;
    f->c.program = f->program;
    f->c.input = map[f->bound->input.id];
    f->c.result = map[f->bound->prediction.id];
    f->size = spor_model_sample(model);
    f->columns = spor_model_columns(model);
    return true;
}

/* ---- arrays ---- */

static double number_at(const c_file *f, const void *value, int64_t k) {
    return c_file_scalar(f) == SPOR_F32 ? (double)((const float *)value)[k]
                                        : ((const double *)value)[k];
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
    text_add(text, "static const %s %s[%" PRId64 "] = { /* %s */", c_type(&f->c.functions),
             constant->name, constant->count, shape_text);
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
                 c_type(&f->c.functions), c_type(&f->c.functions));
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
bool c_is_scaled(const spor_data *like) {
    return like && (like->x.mean || fabs(like->scale - 1) > 0);
}

/* y is x once more, scaled as it is. */
bool c_is_mirrored(const c_file *f) {
    return model_mirrors(f->run->model) && f->columns == f->size;
}

void c_add_scaling(c_file *f) {
    const spor_data *like = f->run->like;
    spor_text *text = &f->code.text;
    spor_c numbers = {.single = false};
    if (!c_is_scaled(like)) return;
    if (like->x.mean) {
        text_add(text, "static const double net_mean[%" PRId64 "] = {", f->size);
        c_add_numbers(text, &numbers, like->x.mean, f->size);
        text_add(text, "};\n\nstatic const double net_factor[%" PRId64 "] = {", f->size);
        c_add_numbers(text, &numbers, like->x.factor, f->size);
        text_add(text, "};\n\n");
    }
    text_add(text, "void net_scale(const double *values, %s *x) {\n    int k;\n",
             c_type(&f->c.functions));
    text_add(text, "    for (k = 0; k < NET_INPUTS; k++)\n        x[k] = (%s)(",
             c_type(&f->c.functions));
    const c_literal scale = c_number(&numbers, like->scale);
    if (like->x.mean)
        text_add(text, "(values[k] * %s - net_mean[k]) * net_factor[k]);\n}\n\n", scale.text);
    else
        text_add(text, "values[k] * %s);\n}\n\n", scale.text);
    if (!c_is_mirrored(f)) return;
    text_add(text, "void net_unscale(const %s *y, double *values) {\n    int k;\n",
             c_type(&f->c.functions));
    text_add(text, "    for (k = 0; k < NET_OUTPUTS; k++)\n        values[k] = ");
    text_add(text, like->x.mean ? "((double)y[k] / net_factor[k] + net_mean[k])" : "(double)y[k]");
    text_add(text, " / %s;\n}\n\n", scale.text);
}

void c_add_classes(c_file *f) {
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
        text_add(text, "static %s arena[NET_ARENA_BYTES / sizeof(%s)];\n\n",
                 c_type(&f->c.functions), c_type(&f->c.functions));
    text_add(text, "void net_predict(const %s *x, %s *y) {\n", c_type(&f->c.functions),
             c_type(&f->c.functions));
    if (!c_has_word(&f->c.calls.text, "x")) text_add(text, "    (void)x;\n");
    text_bytes(text, f->c.calls.text.at, f->c.calls.text.size);
    text_add(text, "}\n");
}

/* ---- the two files ---- */

static void add_shape(spor_text *text, const char *name, const spor_shape *shape) {
    char shape_text[160];
    tape_shape_text(shape, NULL, shape_text, sizeof shape_text);
    text_add(text, "%s%s", name, shape_text);
}

/* What may stand in a comment. */
void c_add_plain(spor_text *text, const char *from) {
    for (; *from; from++)
        text_add(text, "%c",
                 isalnum((unsigned char)*from) || strchr("/._-+ ,:", *from) ? *from : '?');
}

/* What the network takes and gives, and what may be relied on. */
static void add_summary(c_file *f) {
    spor_text *text = &f->header.text;
    const spor_model_spec *spec = model_spec_of(f->run->model);
    const spor_data *like = f->run->like;
    const bool back = c_is_scaled(like) && c_is_mirrored(f);
    const char *script = kept_script_name(&f->run->kept);
    text_add(text, "/*\n * \"");
    c_add_plain(text, script ? script : "net");
    text_add(text, "\", a network exported by spor %s: in C99, without libraries.\n *\n",
             SPOR_VERSION);
    add_shape(text, " *   x  ", &spec->sample);
    text_add(text, ", row-major%s\n *   y  [%" PRId64 "], %s\n *\n",
             c_is_scaled(like) ? "; net_scale makes it of values as they stand in the data" : "",
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
             c_type(&f->c.functions), c_type(&f->c.functions));
    if (c_is_scaled(like))
        text_add(
            text,
            "/** x of values as they stand in the data. */\nvoid net_scale(const double *values, "
            "%s *x);\n",
            c_type(&f->c.functions));
    if (c_is_scaled(like) && c_is_mirrored(f))
        text_add(
            text,
            "/** What is predicted, as it stands in the data, of y. */\nvoid net_unscale(const "
            "%s *y, double *values);\n",
            c_type(&f->c.functions));
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
    c_add_portable(text, &f->c.functions.text, c_file_scalar(f) == SPOR_F32);
    text_bytes(text, f->c.functions.text.at, f->c.functions.text.size);
    c_add_scaling(f);
    c_add_classes(f);
    add_predict(f);
    if (f->tested) c_add_self_test(f);
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
    if (!c_name_files(f, path, message) || !compile(f, message) || !c_make_samples(f, message))
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
