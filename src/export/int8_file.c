/*
 * The network of a run in whole numbers, as a file of C and its header.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/shape.h"
#include "data/file.h"
#include "export/c_file.h"
#include "export/int8.h"
#include "train/model.h"

/* Bytes of weights that stand in the file at most. */
enum { WEIGHTS_MOST = 1 << 20 };

typedef struct {
    c_file c; /* names, and the two texts */
    int8_plan plan;
    int8_text parts;
    const export_int8_rows *rows;
    float *x, *y; /* of the samples: [C_SAMPLES, size], [C_SAMPLES, columns] */
    int8_t *x8, *y8;
} int8_file;

static bool out_of_memory(spor_message *message) {
    return message_complain(message, "out of memory");
}

static bool make_plan(int8_file *f, spor_message *message) {
    spor_model *model = f->c.run->model;
    f->c.bound = model_bind_for(model, 1, MODEL_PREDICTS);
    if (!f->c.bound) return message_complain(message, "%s", spor_model_error(model));
    f->c.size = spor_model_sample(model);
    f->c.columns = spor_model_columns(model);
    int8_graph *g = &f->plan.graph;
    return int8_graph_make(g, f->c.bound->tape, f->c.bound->input.id, f->c.bound->prediction.id,
                           spor_model_params(model), message) &&
           int8_find_ranges(g, &f->rows->calibrate, f->c.run->options.scalar, message) &&
           int8_graph_decide(g, message) && int8_plan_make(&f->plan, message);
}

/* ---- the self-test ---- */

/* Rows that calibrated, the first again where there are fewer. */
static bool make_samples(int8_file *f, spor_message *message) {
    const export_rows *rows = &f->rows->calibrate;
    int8_machine machine = {0};
    f->x = malloc(bytes_for(C_SAMPLES * f->c.size + 1, sizeof *f->x));
    f->y = malloc(bytes_for(C_SAMPLES * f->c.columns + 1, sizeof *f->y));
    f->x8 = malloc(bytes_for(C_SAMPLES * f->c.size + 1, 1));
    f->y8 = malloc(bytes_for(C_SAMPLES * f->c.columns + 1, 1));
    const char *error = f->x && f->y && f->x8 && f->y8 && int8_machine_make(&machine, &f->plan)
                            ? NULL
                            : "out of memory";
    for (int64_t n = 0; !error && n < C_SAMPLES; n++) {
        const int64_t at = n % rows->rows, row = rows->row ? rows->row[at] : at;
        float *x = f->x + n * f->c.size;
        spor_data_rows(rows->data, &row, 1, SPOR_F32, x, NULL);
        error = int8_run(&machine, x, f->y + n * f->c.columns, f->x8 + n * f->c.size,
                         f->y8 + n * f->c.columns);
    }
    if (machine.plan) int8_machine_end(&machine);
    f->c.tested = !error;
    for (int64_t k = 0; !error && k < C_SAMPLES * f->c.columns; k++)
        f->c.tested = f->c.tested && isfinite(f->y[k]);
    return !error || message_complain(message, "%s", error);
}

static void add_floats(spor_text *text, const char *name, const float value[], int64_t rows) {
    const spor_c single = {.single = true};
    text_add(text, "static const float %s[%d * %" PRId64 "] = {", name, C_SAMPLES, rows);
    for (int64_t k = 0; k < C_SAMPLES * rows; k++)
        text_add(text, "%s%s%s", k % 8 ? " " : "\n    ", c_number(&single, (double)value[k]).text,
                 k + 1 < C_SAMPLES * rows ? "," : "");
    text_add(text, "\n};\n\n");
}

static void add_bytes(spor_text *text, const char *name, const int8_t value[], int64_t rows) {
    text_add(text, "static const int8_t %s[%d * %" PRId64 "] = {", name, C_SAMPLES, rows);
    for (int64_t k = 0; k < C_SAMPLES * rows; k++)
        text_add(text, "%s%d%s", k % 16 ? " " : "\n    ", value[k],
                 k + 1 < C_SAMPLES * rows ? "," : "");
    text_add(text, "\n};\n\n");
}

static void add_self_test(int8_file *f) {
    spor_text *text = &f->c.code.text;
    text_add(text,
             "\n#ifdef NET_SELFTEST\n\n#include <stdio.h>\n%s\n/* Samples, of those that "
             "calibrated, and what spor makes of them. */\n",
             f->parts.apart ? "#include <stdlib.h>\n" : "");
    add_floats(text, "net_sample", f->x, f->c.size);
    add_floats(text, "net_expected", f->y, f->c.columns);
    add_bytes(text, "net_sample_int8", f->x8, f->c.size);
    add_bytes(text, "net_expected_int8", f->y8, f->c.columns);
    text_add(text, "int main(%s) {\n", f->parts.apart ? "int argc, char **argv" : "void");
    if (f->parts.apart)
        text_add(
            text,
            "    FILE *file = fopen(argc > 1 ? argv[1] : \"%s.bin\", \"rb\");\n"
            "    void *bytes = malloc(NET_WEIGHT_BYTES + 1);\n"
            "    if (!file || !bytes || !net_load(bytes, fread(bytes, 1, NET_WEIGHT_BYTES + "
            "1, file))) {\n"
            "        printf(\"%s: the weights can't be read\\n\");\n        return 2;\n    }\n",
            f->c.title, f->c.name);
    text_add(
        text,
        "    int whole = 1, same = 1, n;\n"
        "    for (n = 0; n < %d; n++) {\n"
        "        float y[NET_OUTPUTS];\n"
        "        int8_t y8[NET_OUTPUTS];\n"
        "        net_predict_int8(net_sample_int8 + n * NET_INPUTS, y8);\n"
        "        whole = whole && !memcmp(y8, net_expected_int8 + n * NET_OUTPUTS, sizeof y8);\n"
        "        net_predict(net_sample + n * NET_INPUTS, y);\n"
        "        same = same && !memcmp(y, net_expected + n * NET_OUTPUTS, sizeof y);\n"
        "    }\n"
        "    printf(\"%s: %d samples: %%s\\n\",\n"
        "           whole && same ? \"the same numbers\"\n"
        "           : whole       ? \"the same whole numbers, other floats\"\n"
        "                         : \"WRONG\");\n"
        "    return !whole;\n}\n\n#endif\n",
        C_SAMPLES, f->c.name, C_SAMPLES);
}

/* ---- the files ---- */

/* Bytes of the two arenas. */
static size_t arena_bytes(const int8_file *f) {
    return f->plan.bytes + f->plan.floats * sizeof(float);
}

static void add_shape(spor_text *text, const char *name, const spor_shape *shape) {
    char shape_text[160];
    tape_shape_text(shape, NULL, shape_text, sizeof shape_text);
    text_add(text, "%s%s", name, shape_text);
}

/* What computes in float, a line each. */
static void add_floats_told(const int8_file *f, spor_text *text, const char *before) {
    for (uint32_t s = 0; s < f->plan.steps; s++) {
        const int8_island *island = f->plan.step[s].island;
        if (!island) continue;
        text_add(text, "%s", before);
        c_add_plain(text, island->told);
        text_add(text, "\n");
    }
}

static bool has_floats(const int8_file *f) {
    for (uint32_t s = 0; s < f->plan.steps; s++)
        if (f->plan.step[s].island) return true;
    return false;
}

static void add_summary(int8_file *f) {
    spor_text *text = &f->c.header.text;
    const spor_data *like = f->c.run->like;
    const char *script = kept_script_name(&f->c.run->kept);
    text_add(text, "/*\n * \"");
    c_add_plain(text, script ? script : "net");
    text_add(
        text,
        "\", a network exported by spor %s: in C99, without libraries, in whole numbers.\n *\n",
        SPOR_VERSION);
    add_shape(text, " *   x  ", &model_spec_of(f->c.run->model)->sample);
    text_add(text, ", row-major%s\n *   y  [%" PRId64 "], %s\n *\n",
             c_is_scaled(like) ? "; net_scale makes it of values as they stand in the data" : "",
             f->c.columns, model_link(f->c.run->model) ? "probabilities" : "numbers");
    text_add(text, " * Values on the way are bytes, scale (byte - zero), with a scale and a zero "
                   "of each array, "
                   "found by\n * ");
    c_add_plain(text, f->rows->text);
    text_add(text, ". Weights are bytes with a scale of each channel; sums\n * are int32, which "
                   "can't overflow. "
                   "These numbers are the same on every machine.\n");
    if (has_floats(f)) {
        text_add(text, " * In float, between bytes:\n");
        add_floats_told(f, text, " *   ");
    }
    text_add(
        text,
        " *\n * Memory: %zu bytes for values on the way, static: not for two threads at a time; "
        "%zu bytes of\n * constants. A prediction is %.0f multiply-adds.%s\n */\n",
        arena_bytes(f), f->parts.weight_bytes, f->plan.products,
        f->c.tested ? " -DNET_SELFTEST compiles a main that checks three samples." : "");
}

static void add_code_of(spor_text *text, const char *name, int8_code code) {
    const spor_c single = {.single = true};
    text_add(text, "#define NET_%s_SCALE %s\n#define NET_%s_ZERO (%d)\n", name,
             c_number(&single, code.scale).text, name, code.zero);
}

static void write_header(int8_file *f) {
    spor_text *text = &f->c.header.text;
    const spor_data *like = f->c.run->like;
    const int8_graph *g = &f->plan.graph;
    add_summary(f);
    text_add(text, "#ifndef NET_H\n#define NET_H\n\n%s#include <stdint.h>\n\n",
             f->parts.apart ? "#include <stddef.h>\n" : "");
    text_add(text, "#define NET_INPUTS %" PRId64 "\n#define NET_OUTPUTS %" PRId64 "\n", f->c.size,
             f->c.columns);
    add_code_of(text, "X", g->node[g->input].code);
    add_code_of(text, "Y", f->plan.y_code);
    text_add(text,
             "#define NET_ARENA_BYTES %zu\n#define NET_WEIGHT_BYTES %zu\n#define NET_MULTIPLY_ADDS "
             "%.0f\n\n",
             arena_bytes(f), f->parts.weight_bytes, f->plan.products);
    text_add(text, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
    if (f->parts.apart)
        text_add(
            text,
            "/** Takes the bytes of \"%s.bin\", aligned as int32_t is and in the order of bytes "
            "of the machine that\n *  wrote them, which must stay; to be called first. 0: they "
            "have another length. Without them net_predict gives what is not a number,\n *  "
            "net_predict_int8 bytes of 0. */\nint net_load(const void *bytes, size_t size);\n",
            f->c.title);
    text_add(
        text,
        "/** y[NET_OUTPUTS] of x[NET_INPUTS], which do not overlap. */\nvoid net_predict(const "
        "float *x, float *y);\n"
        "/** The same of bytes: NET_X_SCALE (x - NET_X_ZERO), NET_Y_SCALE (y - NET_Y_ZERO). */\n"
        "void net_predict_int8(const int8_t *x, int8_t *y);\n");
    if (c_is_scaled(like))
        text_add(text, "/** x of values as they stand in the data. */\nvoid net_scale(const double "
                       "*values, float *x);\n");
    if (c_is_scaled(like) && c_is_mirrored(&f->c))
        text_add(text, "/** What is predicted, as it stands in the data, of y. */\nvoid "
                       "net_unscale(const float *y, double *values);\n");
    if (like && like->class_name && like->classes)
        text_add(text,
                 "/** What the numbers of y are of. */\nextern const char *const "
                 "net_class_names[%d];\n",
                 like->classes);
    text_add(text, "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
}

/* Both functions: bytes at the arena's places before net_run and behind it. */
static void add_predict(int8_file *f, spor_text *text) {
    const int8_plan *plan = &f->plan;
    const spor_c single = {.single = true};
    const int8_code in = plan->graph.node[plan->graph.input].code, out = plan->y_code;
    const bool floats = plan->buffer[plan->y].floats;
    const char *places =
        floats ? "    int8_t *arena = net_arena();\n    float *floats = net_floats();\n"
               : "    int8_t *arena = net_arena();\n";
    char x[40], y[40];
    int8_place(plan, INT8_X, 0, x);
    int8_place(plan, plan->y, plan->y_from, y);
    text_add(text, "static void net_run(void) {\n");
    c_add_arena_place(text, "int8_t", "arena", &f->parts.calls);
    c_add_arena_place(text, "float", "floats", &f->parts.calls);
    text_bytes(text, f->parts.calls.at, f->parts.calls.size);
    text_add(text, "}\n\nvoid net_predict(const float *x, float *y) {\n%s", places);
    if (f->parts.apart)
        text_add(text, "    if (!net_weights) {\n        net_fill(y, net_not_a_number(), "
                       "NET_OUTPUTS);\n        return;\n    }\n");
    text_add(text, "    net_int8_quantize(%s, x, %s, %d, NET_INPUTS);\n    net_run();\n", x,
             c_number(&single, 1 / in.scale).text, in.zero);
    if (floats)
        text_add(text, "    memcpy(y, %s, NET_OUTPUTS * sizeof *y);\n}\n\n", y);
    else
        text_add(text, "    net_int8_dequantize(y, %s, %s, %d, NET_OUTPUTS);\n}\n\n", y,
                 c_number(&single, out.scale).text, out.zero);
    text_add(text, "void net_predict_int8(const int8_t *x, int8_t *y) {\n%s", places);
    if (f->parts.apart)
        text_add(text, "    if (!net_weights) {\n        memset(y, NET_Y_ZERO, NET_OUTPUTS);\n"
                       "        return;\n    }\n");
    text_add(text, "    memcpy(%s, x, NET_INPUTS);\n    net_run();\n", x);
    if (floats)
        text_add(text, "    net_int8_quantize(y, %s, %s, %d, NET_OUTPUTS);\n}\n", y,
                 c_number(&single, 1 / out.scale).text, out.zero);
    else
        text_add(text, "    memcpy(y, %s, NET_OUTPUTS);\n}\n", y);
}

static void write_code(int8_file *f) {
    spor_text *text = &f->c.code.text, functions = {0};
    text_bytes(&functions, f->parts.functions.at, f->parts.functions.size);
    add_predict(f, &functions);
    text_add(text,
             "/* See \"%s.h\". Written by spor %s. */\n#include \"%s.h\"\n\n#include <stdint.h>\n"
             "#include <string.h>\n\n#ifdef __FAST_MATH__\n#error \"this file relies on IEEE "
             "arithmetic: compile it without -ffast-math and -Ofast\"\n#endif\n\n#if "
             "defined(__clang__)\n#pragma STDC FP_CONTRACT OFF\n#endif\n\n",
             f->c.title, SPOR_VERSION, f->c.title);
    if (f->parts.apart)
        text_add(text,
                 "/* The bytes of net_load. */\nstatic const unsigned char *net_weights;\n\n"
                 "int net_load(const void *bytes, size_t size) {\n"
                 "    net_weights = size == NET_WEIGHT_BYTES ? (const unsigned char *)bytes : 0;\n"
                 "    return net_weights != 0;\n}\n\n");
    text_bytes(text, f->parts.constants.at, f->parts.constants.size);
    c_add_arena(text, "int8_t", "arena", f->plan.bytes ? f->plan.bytes : 1);
    if (f->plan.floats) c_add_arena(text, "float", "floats", f->plan.floats);
    c_add_portable(text, &functions, true);
    c_add_paragraphs(text, export_int8, &functions, true);
    text_bytes(text, functions.at, functions.size);
    text->failed = text->failed || functions.failed;
    c_add_scaling(&f->c);
    c_add_classes(&f->c);
    if (f->c.tested) add_self_test(f);
    text_free(&functions);
}

static bool write_files(int8_file *f, const char *path, spor_message *message) {
    spor_text code = {0}, header = {0};
    c_add_renamed(&code, &f->c.code.text, f->c.name);
    c_add_renamed(&header, &f->c.header.text, f->c.name);
    void *weights = f->parts.apart ? int8_gather(&f->plan, f->parts.weight_bytes) : NULL;
    bool done = !code.failed && !header.failed && (weights || !f->parts.apart);
    const file_piece pieces[] = {{path, code.at, code.size},
                                 {f->c.path[0], header.at, header.size},
                                 {f->c.path[1], weights, f->parts.weight_bytes}};
    done = done ? file_write_together(f->parts.apart ? 3 : 2, pieces, message)
                : out_of_memory(message);
    text_free(&code);
    text_free(&header);
    free(weights);
    return done;
}

/* ---- what is told ---- */

static bool tell(int8_file *f, const char *path, spor_text *told, spor_message *message) {
    char arena[24], weights[24];
    text_add(told, "%s, %s%s%s\n", path, f->c.path[0], f->parts.apart ? ", " : "",
             f->parts.apart ? f->c.path[1] : "");
    text_add(told, "  int8        calibrated by %s\n", f->rows->text);
    add_floats_told(f, told, "  in float    ");
    text_add(told, "  arena       %s, static\n", bytes_text(arena_bytes(f), arena));
    text_add(told, "  constants   %s%s\n", bytes_text(f->parts.weight_bytes, weights),
             f->parts.apart ? ", in a file of their own: more than 1 MiB" : "");
    text_add(told, "  a sample    %.0f multiply-adds\n", f->plan.products);
    if (!int8_rows_alike(f->c.run->model, &f->rows->calibrate, &f->c.alike, message)) return false;
    if (!f->c.alike)
        text_add(told, "  one row alone: among others it is predicted otherwise, since the network "
                       "computes with the batch\n");
    bool measured = false;
    for (int k = 0; k < 2; k++) {
        if (!f->rows->part[k].rows) continue;
        measured = true;
        if (!int8_measure(f->c.run->model, &f->plan, &f->rows->part[k], f->rows->part_name[k], told,
                          message))
            return false;
    }
    if (!measured) text_add(told, "  what int8 loses was not measured: there are no other rows\n");
    if (!f->parts.apart) c_tell_left_over(&f->c, told);
    if (f->c.tested)
        text_add(told, "  self-test   cc -std=c99 -O3 -DNET_SELFTEST '%s' -o %s && ./%s%s%s%s\n",
                 path, f->c.name, f->c.name, f->parts.apart ? " '" : "",
                 f->parts.apart ? f->c.path[1] : "", f->parts.apart ? "'" : "");
    else
        text_add(told, "  no self-test: what is predicted is not finite\n");
    return true;
}

static void free_parts(int8_text *parts) {
    text_free(&parts->constants);
    text_free(&parts->functions);
    text_free(&parts->calls);
    *parts = (int8_text){0};
}

static bool make(int8_file *f, const char *path, spor_text *told, spor_message *message) {
    if (!c_name_files(&f->c, path, message) || !make_plan(f, message) || !make_samples(f, message))
        return false;
    f->parts.apart = int8_constant_bytes(&f->plan) > WEIGHTS_MOST;
    if (!int8_write(&f->plan, &f->parts, message)) return false;
    write_header(f);
    write_code(f);
    return tell(f, path, told, message) && write_files(f, path, message);
}

bool export_int8_c(opened_run *run, const export_wishes *wishes, const char *path, spor_text *told,
                   spor_message *message) {
    int8_file f = {.c = {.run = run}, .rows = wishes->int8};
    f.c.c.functions.single = true;
    bool done = make(&f, path, told, message);
    free_parts(&f.parts);
    int8_plan_end(&f.plan);
    text_free(&f.c.code.text);
    text_free(&f.c.header.text);
    free(f.x);
    free(f.y);
    free(f.x8);
    free(f.y8);
    return done;
}
