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
#include <unistd.h>

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
    f->outside[0] = (c_outside){map[f->bound->input.id], "x", false};
    f->outside[1] = (c_outside){map[f->bound->prediction.id], "y", true};
    f->c = (c_program){.program = f->program, .outside = f->outside, .outsides = 2};
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

/* Numbers in rows of eight, from element `first` of a value on. */
static void add_numbers(c_file *f, const void *value, int64_t first, int64_t count, bool last) {
    for (int64_t k = 0; k < count; k++)
        text_add(&f->code.text, "%s%s%s", k % 8 ? " " : "\n    ",
                 c_number(&f->c.functions, number_at(f, value, first + k)).text,
                 k + 1 < count || !last ? "," : "");
}

static void add_constant(c_file *f, const c_constant *constant) {
    spor_text *text = &f->code.text;
    const spor_shape *shape = f->program->graph.tape->node[constant->node].shape;
    char shape_text[160];
    tape_shape_text(shape, NULL, shape_text, sizeof shape_text);
    text_add(text, "static const %s %s[%" PRId64 "] = { /* %s */", c_type(&f->c.functions),
             constant->name, constant->count, shape_text);
    add_numbers(f, constant->value, 0, constant->count, true);
    text_add(text, "\n};\n\n");
}

/* What training changes, as it was exported, and as it is. */
static void add_parameters(c_file *f) {
    const c_parameters *p = &f->training->parameters;
    const char *type = c_type(&f->c.functions);
    spor_text *text = &f->code.text;
    if (f->apart) {
        text_add(text, "/* The numbers of net_load. */\nstatic const %s *net_exported;\n", type);
    } else {
        text_add(text, "static const %s net_exported[NET_PARAMETERS] = {", type);
        for (int k = 0; k < p->count; k++) {
            text_add(text, "\n    /* ");
            c_add_plain(text, p->params->entry[k].name);
            text_add(text, " */");
            add_numbers(f, f->training->initial, p->first[k], p->params->entry[k].size,
                        k + 1 == p->count);
        }
        text_add(text, "\n};\n");
    }
    text_add(text, "static %s net_values[NET_PARAMETERS];\nstatic int net_begun;\n", type);
    if (p->written)
        text_add(text,
                 "/* What a step makes of them. */\nenum { NET_NEXT = %" PRId64
                 " };\nstatic %s net_next[NET_NEXT];\n",
                 p->written, type);
    if (c_training_draws(f->training))
        text_add(text, "/* Made since net_reset. */\nstatic uint64_t net_steps;\n");
    text_add(text, "\n");
}

static bool add_constants_of(c_file *f, const c_program *c, spor_message *message) {
    for (int k = 0; k < c->constants; k++)
        if (c->constant[k].first >= 0 && !are_finite(f, &c->constant[k], message)) return false;
    for (int k = 0; !c->apart && k < c->constants; k++)
        if (c->constant[k].first >= 0) add_constant(f, &c->constant[k]);
    return true;
}

static void add_loading(c_file *f) {
    const char *type = c_type(&f->c.functions), *to = f->training ? "net_exported" : "net_weights";
    if (!f->training)
        text_add(&f->code.text, "/* The numbers of net_load. */\nstatic const %s *net_weights;\n\n",
                 type);
    text_add(&f->code.text,
             "int net_load(const void *bytes, size_t size) {\n"
             "    %s = size == NET_WEIGHT_BYTES ? (const %s *)bytes : 0;\n%s"
             "    return %s != 0;\n}\n\n",
             to, type, f->training ? "    net_begun = 0;\n" : "", to);
}

static bool add_constants(c_file *f, spor_message *message) {
    if (f->training) add_parameters(f);
    if (f->apart) add_loading(f);
    return add_constants_of(f, &f->c, message) &&
           (!f->training || add_constants_of(f, &f->training->c, message));
}

/* All constants, one after the other, as this machine has them. */
static void *gather_weights(const c_file *f) {
    char *all = malloc(c_weight_bytes(f) + width_of(f));
    if (all && f->training) return memcpy(all, f->training->initial, c_weight_bytes(f));
    for (int k = 0; all && k < f->c.constants; k++)
        if (f->c.constant[k].first >= 0)
            memcpy(all + (size_t)f->c.constant[k].first * width_of(f), f->c.constant[k].value,
                   (size_t)f->c.constant[k].count * width_of(f));
    return all;
}

/* ---- the parts of the file ---- */

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

static void add_predict(c_file *f) {
    spor_text *text = &f->code.text;
    const char *type = c_type(&f->c.functions);
    size_t width = scalar_width(c_file_scalar(f));
    if (c_arena_bytes(f)) c_add_arena(text, type, "arena", c_arena_bytes(f) / width);
    text_add(text, "void net_predict(const %s *x, %s *y) {\n", type, type);
    c_add_arena_place(text, type, "arena", &f->c.calls.text);
    if (f->training && !f->apart) text_add(text, "    net_begin();\n");
    if (!c_has_word(&f->c.calls.text, "x")) text_add(text, "    (void)x;\n");
    if (f->apart)
        text_add(text,
                 "    if (!%s) {\n        net_fill(y, net_not_a_number(), NET_OUTPUTS);\n"
                 "        return;\n    }\n",
                 f->training ? "net_begin()" : "net_weights");
    text_bytes(text, f->c.calls.text.at, f->c.calls.text.size);
    text_add(text, "}\n");
}

/* ---- the files ---- */

/* The functions of the steps, and those that call them. */
static void add_functions(c_file *f) {
    spor_text *text = &f->code.text;
    text_bytes(text, f->c.functions.text.at, f->c.functions.text.size);
    if (f->training)
        text_bytes(text, f->training->c.functions.text.at, f->training->c.functions.text.size);
    c_add_scaling(f);
    c_add_classes(f);
    if (f->training) c_training_add_values(f->training, f->apart, text);
    add_predict(f);
    if (f->training) c_training_add(f->training, f->apart, text);
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
    spor_text before = *text;
    *text = (spor_text){0};
    add_functions(f);
    spor_text functions = *text;
    *text = before;
    c_add_portable(text, &functions, c_file_scalar(f) == SPOR_F32);
    text_bytes(text, functions.at, functions.size);
    text->failed = text->failed || functions.failed;
    text_free(&functions);
    if (f->tested) c_add_self_test(f);
    return true;
}

static bool write_files(c_file *f, const char *path, spor_message *message) {
    spor_text code = {0}, header = {0};
    c_add_renamed(&code, &f->code.text, f->name);
    c_add_renamed(&header, &f->header.text, f->name);
    void *weights = f->apart ? gather_weights(f) : NULL;
    bool done = !code.failed && !header.failed && (weights || !f->apart);
    const file_piece pieces[] = {{path, code.at, code.size},
                                 {f->path[0], header.at, header.size},
                                 {f->path[1], weights, c_weight_bytes(f)}};
    done = done ? file_write_together(f->apart ? 3 : 2, pieces, message)
                : message_complain(message, "out of memory");
    text_free(&code);
    text_free(&header);
    free(weights);
    return done;
}

static void tell_training(const c_file *f, spor_text *told) {
    const c_training *t = f->training;
    char bytes[24];
    const size_t next = (size_t)(t->parameters.elements + t->parameters.written) * width_of(f);
    text_add(told, "  parameters  %s, static, with what a step makes of them\n",
             bytes_text(next, bytes));
    text_add(told, "  a step      of %" PRId64 " rows: %.0f multiply-adds; %s\n", t->rows,
             t->c.products,
             !t->portable.finite ? "not compared with spor's: not finite on numbers drawn at random"
             : t->off > 0        ? "of other bits than `spor train`"
                                 : "the bits of SPOR_ISA=baseline spor train");
}

void c_tell_left_over(const c_file *f, spor_text *told) {
    if (!access(f->path[1], F_OK))
        text_add(told, "  left over   %s is not of this export, whose constants all stand in C\n",
                 f->path[1]);
}

static void tell(const c_file *f, const char *path, spor_text *told) {
    char arena[24], weights[24];
    text_add(told, "%s, %s%s%s\n", path, f->path[0], f->apart ? ", " : "",
             f->apart ? f->path[1] : "");
    text_add(told, "  arena       %s, static\n", bytes_text(c_arena_bytes(f), arena));
    text_add(told, "  constants   %s%s\n", bytes_text(c_weight_bytes(f), weights),
             f->apart ? ", in a file of their own: more than 1 MiB" : "");
    text_add(told, "  a sample    %.0f multiply-adds\n", f->c.products);
    if (!f->alike)
        text_add(told, "  one row alone: among others it is predicted otherwise, since the network "
                       "computes with the batch\n");
    if (!f->apart) c_tell_left_over(f, told);
    if (f->training) tell_training(f, told);
    if (!f->tested) {
        text_add(told,
                 "  no self-test: what is predicted of numbers drawn at random is not finite\n");
        return;
    }
    text_add(told, "  self-test   cc -std=c99 -O3 -DNET_SELFTEST '%s' -o %s && ./%s", path, f->name,
             f->name);
    if (f->apart) text_add(told, " '%s'", f->path[1]);
    text_add(told, "\n");
}

/* Weights that are many go to a file of their own. */
static bool write_predicting(c_file *f, spor_message *message) {
    f->c.parameters = f->training ? &f->training->parameters : NULL;
    if (!c_write_program(&f->c, message)) return false;
    f->apart = c_weight_bytes(f) > WEIGHTS_MOST;
    if (!f->apart || f->training) return true;
    c_program again = {.program = f->program, .outside = f->outside, .outsides = 2, .apart = true};
    c_program_end(&f->c);
    f->c = again;
    return c_write_program(&f->c, message);
}

static bool make_training(c_file *f, const export_wishes *wishes, spor_message *message) {
    const spor_declaration *declared = f->run->script ? script_declaration(f->run->script) : NULL;
    const int64_t rows = wishes->batch ? wishes->batch : declared ? declared->batch : 1;
    f->training = calloc(1, sizeof *f->training);
    if (!f->training) return message_complain(message, "out of memory");
    return c_training_make(f->training, f->run, rows, message);
}

static bool make(c_file *f, const export_wishes *wishes, const char *path, spor_message *message) {
    if (!c_name_files(f, path, message)) return false;
    if (wishes->trains && !make_training(f, wishes, message)) return false;
    if (!compile(f, message) || !c_make_samples(f, message) || !write_predicting(f, message))
        return false;
    if (f->training && !c_training_write(f->training, &f->c, message)) return false;
    if (c_arena_bytes(f) > INT32_MAX || c_weight_bytes(f) > INT32_MAX)
        return message_complain(message, "the network is too large: its loops count in int");
    if (f->training && !c_training_try(f->training, f->run, message)) return false;
    c_write_header(f);
    return write_code(f, message) && write_files(f, path, message);
}

bool export_c(opened_run *run, const export_wishes *wishes, const char *path, spor_text *told,
              spor_message *message) {
    c_file f = {.run = run};
    bool done = make(&f, wishes, path, message);
    if (done) tell(&f, path, told);
    c_program_end(&f.c);
    if (f.training) c_training_end(f.training);
    free(f.training);
    spor_program_free(f.program);
    text_free(&f.code.text);
    text_free(&f.header.text);
    free(f.sample);
    free(f.expected);
    free(f.allowed);
    return done;
}
