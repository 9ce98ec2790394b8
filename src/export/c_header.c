/*
 * The header of an exported network: what it takes and gives, and what may be relied on.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/shape.h"
#include "export/c_file.h"
#include "kernels/element.h"
#include "train/model.h"

/* ---- what is known of the file ---- */

/* What is known of a run's data: (x scale - mean) factor. */
bool c_is_scaled(const spor_data *like) {
    return like && (like->x.mean || fabs(like->scale - 1) > 0);
}

/* y is x once more, scaled as it is. */
bool c_is_mirrored(const c_file *f) {
    return model_mirrors(f->run->model) && f->columns == f->size;
}

size_t c_arena_bytes(const c_file *f) {
    const size_t step = f->training ? f->training->c.arena.top : 0;
    return f->c.arena.top > step ? f->c.arena.top : step;
}

size_t c_weight_bytes(const c_file *f) {
    const int64_t elements =
        f->training ? f->training->parameters.elements : f->c.constant_elements;
    return (size_t)elements * scalar_width(c_file_scalar(f));
}

/* ---- the header ---- */

static void add_shape(spor_text *text, const char *name, const spor_shape *shape) {
    char shape_text[160];
    tape_shape_text(shape, NULL, shape_text, sizeof shape_text);
    text_add(text, "%s%s", name, shape_text);
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
             c_arena_bytes(f), c_weight_bytes(f), f->c.products);
    text_add(
        text,
        " * y has the bits of `SPOR_ISA=baseline spor predict`%s, if this\n * is compiled by the "
        "compiler that built spor, in IEEE arithmetic and without fused multiply-adds (-std=c99, "
        "no\n * "
        "-ffast-math)%s. -O3 vectorizes the loops.\n */\n",
        f->alike ? "" : " of that row alone",
        f->tested ? "; -DNET_SELFTEST compiles a main that checks three samples" : "");
}

void c_write_header(c_file *f) {
    spor_text *text = &f->header.text;
    const spor_data *like = f->run->like;
    add_summary(f);
    text_add(text, "#ifndef NET_H\n#define NET_H\n\n");
    if (f->apart) text_add(text, "#include <stddef.h>\n\n");
    text_add(text, "#define NET_INPUTS %" PRId64 "\n#define NET_OUTPUTS %" PRId64 "\n", f->size,
             f->columns);
    text_add(text,
             "#define NET_ARENA_BYTES %zu\n#define NET_WEIGHT_BYTES %zu\n#define NET_MULTIPLY_ADDS "
             "%.0f\n\n",
             c_arena_bytes(f), c_weight_bytes(f), f->c.products);
    if (f->training)
        text_add(text,
                 "/* Rows of a step of training, numbers of a target, and all that it changes. */\n"
                 "#define NET_BATCH %" PRId64 "\n#define NET_TARGETS %" PRId64
                 "\n#define NET_PARAMETERS %" PRId64 "\n\n",
                 f->training->rows, f->training->columns, f->training->parameters.elements);
    text_add(text, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
    if (f->apart)
        text_add(text,
                 "/** Takes the bytes of \"%s.bin\", aligned as numbers are and in the order of "
                 "bytes of the machine "
                 "that wrote\n *  them, which must stay; to be called first. 0: they have another "
                 "length. Without them what is predicted is\n *  not a number%s. */\nint "
                 "net_load(const void *bytes, size_t size);\n",
                 f->title,
                 f->training ? ", nor what net_train returns, and net_parameters gives 0" : "");
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
    if (f->training) c_training_declare(f->training, f->run, text);
    text_add(text, "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
}
