/*
 * The self-test of a step of training: a few steps on batches that both sides draw, after each of which all
 * parameters are to have the bits that they have in spor.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "export/c_train.h"
#include "kernels/element.h"

/* ---- in spor ---- */

/* Knuth's generator of MMIX, of which the upper bits are taken. */
static uint64_t draw(uint64_t *state) {
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 40;
}

double c_training_draw(uint64_t *state) {
    return (double)draw(state) / 16777216;
}

static void set(const c_training *t, const spor_arg *array, int64_t k, double value) {
    if (t->parameters.params->scalar == SPOR_F32)
        ((float *)array->data)[k] = (float)value;
    else
        ((double *)array->data)[k] = value;
}

/* A row of x, then its target. */
static void draw_row(const c_training *t, const spor_arg *x, const spor_arg *target, int64_t row,
                     uint64_t *state) {
    for (int64_t k = 0; k < t->size; k++) {
        const double u = c_training_draw(state);
        const double value = t->named[k] ? floor(u * (double)t->named[k]) : u;
        set(t, x, row * t->size + k, value);
        if (t->mirrors) set(t, target, row * t->size + k, value);
    }
    if (t->mirrors) return;
    const int64_t chosen = (int64_t)(draw(state) % (uint64_t)t->columns);
    for (int64_t k = 0; k < t->columns; k++) set(t, target, row * t->columns + k, k == chosen);
}

static void set_parameters(const c_training *t, const void *from) {
    const c_parameters *p = &t->parameters;
    const size_t width = scalar_width(p->params->scalar);
    for (int k = 0; k < p->count; k++)
        memcpy(spor_params_entry(p->params, k).value,
               (const char *)from + (size_t)p->first[k] * width,
               (size_t)p->params->entry[k].size * width);
    spor_params_touch(p->params);
}

static void get_parameters(const c_training *t, void *to) {
    const c_parameters *p = &t->parameters;
    const size_t width = scalar_width(p->params->scalar);
    for (int k = 0; k < p->count; k++)
        memcpy((char *)to + (size_t)p->first[k] * width, spor_params_entry(p->params, k).value,
               (size_t)p->params->entry[k].size * width);
}

/* Of numbers, as whole ones (Fowler, Noll and Vo). */
static uint64_t bits_of(const c_training *t, const void *values) {
    uint64_t hash = UINT64_C(14695981039346656037);
    for (int64_t k = 0; k < t->parameters.elements; k++) {
        uint32_t narrow;
        uint64_t wide;
        memcpy(&narrow, (const float *)values + k, sizeof narrow);
        if (t->parameters.params->scalar == SPOR_F32)
            wide = narrow;
        else
            memcpy(&wide, (const double *)values + k, sizeof wide);
        hash = (hash ^ wide) * UINT64_C(1099511628211);
    }
    return hash;
}

/* Of a row, in the type that the file computes in. */
static double loss_of(const c_training *t, double cost) {
    if (!t->sums) return cost;
    return t->parameters.params->scalar == SPOR_F32 ? (double)((float)cost / (float)t->rows)
                                                    : cost / (double)t->rows;
}

bool c_training_run(c_training *t, spor_program *program, c_steps *steps, spor_message *message) {
    spor_arg x = spor_program_arg(program, t->bound->input);
    spor_arg target = spor_program_arg(program, t->bound->target);
    uint64_t state = 1;
    bool done = x.data && target.data;
    steps->finite = true;
    for (int s = 0; done && steps->finite && s < C_STEPS; s++) {
        for (int64_t row = 0; row < t->rows; row++) draw_row(t, &x, &target, row, &state);
        done = spor_run(program, (uint64_t)s);
        steps->finite = done || !program->refused;
        if (!done) break;
        spor_arg cost = spor_program_arg(program, t->bound->cost);
        steps->loss[s] = loss_of(t, scalar_value_at(cost.data, program->scalar, 0));
        get_parameters(t, steps->after);
        steps->bits[s] = bits_of(t, steps->after);
    }
    if (!done && !program->refused)
        return message_complain(message, "%s", spor_program_error(program));
    if (!steps->finite) get_parameters(t, steps->after);
    set_parameters(t, t->initial);
    return true;
}

/* ---- in C ---- */

static void add_looked_at(const c_training *t, spor_text *text) {
    const c_parameters *p = &t->parameters;
    const spor_scalar scalar = p->params->scalar;
    int count = 0;
    text_add(text,
             "/* Some parameters after the last step: which, what they are, the largest of their "
             "array. */\nstatic const struct {\n    long at;\n    double value, most;\n} "
             "net_looked_at[] = {");
    for (int k = 0; k < p->count; k++) {
        const int64_t size = p->params->entry[k].size;
        double most = 0;
        for (int64_t j = 0; j < size; j++)
            most = fmax(most, fabs(scalar_value_at(t->portable.after, scalar, p->first[k] + j)));
        for (int64_t j = 0; j < size && j < C_LOOKED_AT; j++) {
            const int64_t at = p->first[k] + j * size / (size < C_LOOKED_AT ? size : C_LOOKED_AT);
            text_add(text, "%s    {%" PRId64 ", %.17g, %.17g}", count++ ? ",\n" : "\n", at,
                     scalar_value_at(t->portable.after, scalar, at), most);
        }
    }
    text_add(text, "%s\n};\n\n", count ? "" : "    {0, 0, 0}");
}

static void add_tables(const c_training *t, spor_text *text) {
    const spor_c *c = &t->c.functions;
    text_add(text,
             "/* The steps of spor: losses, and all bits of the parameters, in one number. */\n"
             "static const %s net_loss[%d] = {",
             c_type(c), C_STEPS);
    c_add_numbers(text, c, t->portable.loss, C_STEPS);
    text_add(text, "};\nstatic const uint64_t net_step_bits[%d] = {", C_STEPS);
    for (int k = 0; k < C_STEPS; k++)
        text_add(text, "%sUINT64_C(0x%016" PRIx64 ")", k ? ", " : "", t->portable.bits[k]);
    text_add(text, "};\n\n");
    add_looked_at(t, text);
}

static bool names_rows(const c_training *t) {
    for (int64_t k = 0; k < t->size; k++)
        if (t->named[k]) return true;
    return false;
}

static void add_drawing(const c_training *t, spor_text *text) {
    const char *type = c_type(&t->c.functions);
    text_add(text, "static uint64_t net_state = 1;\n\nstatic uint64_t net_draw(void) {\n"
                   "    net_state = net_state * UINT64_C(6364136223846793005) + "
                   "UINT64_C(1442695040888963407);\n    return net_state >> 40;\n}\n\n");
    if (names_rows(t)) {
        text_add(text, "/* How many rows a number of a sample names; 0: it is none such. */\n"
                       "static const int net_rows_named[NET_INPUTS] = {");
        for (int64_t k = 0; k < t->size; k++)
            text_add(text, "%s%" PRId64, k ? ", " : "", t->named[k]);
        text_add(text, "};\n\n");
    }
    text_add(text,
             "static %s net_x[NET_BATCH * NET_INPUTS], net_target[NET_BATCH * NET_TARGETS];\n\n"
             "static void net_draw_batch(void) {\n    long row, k;\n"
             "    for (row = 0; row < NET_BATCH; row++) {\n"
             "        %s *x = net_x + row * NET_INPUTS, *target = net_target + row * NET_TARGETS;\n"
             "        for (k = 0; k < NET_INPUTS; k++) {\n"
             "            const double u = (double)net_draw() / 16777216;\n"
             "            x[k] = (%s)%s;\n",
             type, type, type,
             names_rows(t) ? "(net_rows_named[k] ? (double)(long)(u * net_rows_named[k]) : u)"
                           : "u");
    if (t->mirrors)
        text_add(text, "            target[k] = x[k];\n        }\n    }\n}\n\n");
    else
        text_add(text, "        }\n        memset(target, 0, NET_TARGETS * sizeof *target);\n"
                       "        target[net_draw() %% NET_TARGETS] = 1;\n    }\n}\n\n");
}

static void add_bits(const c_training *t, spor_text *text) {
    const bool single = t->parameters.params->scalar == SPOR_F32;
    text_add(
        text,
        "static uint64_t net_bits_of_all(void) {\n"
        "    uint64_t hash = UINT64_C(14695981039346656037);\n    long k;\n"
        "    for (k = 0; k < NET_PARAMETERS; k++) {\n        %s bits;\n"
        "        memcpy(&bits, net_parameters() + k, sizeof bits);\n"
        "        hash = (hash ^ bits) * UINT64_C(1099511628211);\n    }\n    return hash;\n}\n\n",
        single ? "uint32_t" : "uint64_t");
}

/* A share of the largest of an array, above which a difference is taken for a fault. */
static const char *most_off(const c_training *t) {
    return t->parameters.params->scalar == SPOR_F32 ? "1e-3" : "1e-9";
}

void c_training_add_test(const c_training *t, const char *name, spor_text *text) {
    add_tables(t, text);
    add_drawing(t, text);
    add_bits(t, text);
    text_add(text,
             "/* 0: right */\nstatic int net_test_training(void) {\n"
             "    const int looked_at = (int)(sizeof net_looked_at / sizeof *net_looked_at);\n"
             "    int same = 1, s, k;\n    uint64_t before;\n    double off = 0;\n"
             "    net_reset();\n    before = net_bits_of_all();\n"
             "    for (s = 0; s < %d; s++) {\n        %s loss;\n        net_draw_batch();\n"
             "        loss = net_train(net_x, net_target",
             C_STEPS, c_type(&t->c.functions));
    for (int k = 0; k < t->settings; k++)
        text_add(text, ", %s", c_number(&t->c.functions, t->setting[k].value).text);
    text_add(
        text,
        ");\n        same = same && !memcmp(&loss, net_loss + s, sizeof loss) &&\n"
        "               net_bits_of_all() == net_step_bits[s];\n"
        "        if (!(loss - loss == 0)) off = 1;\n    }\n"
        "    for (k = 0; k < looked_at; k++) {\n"
        "        const double by = (double)net_parameters()[net_looked_at[k].at] - "
        "net_looked_at[k].value;\n"
        "        const double share = (by < 0 ? -by : by) / (net_looked_at[k].most > 0 ? "
        "net_looked_at[k].most : 1);\n"
        "        off = share > off ? share : off;\n    }\n"
        "    net_reset();\n    if (net_bits_of_all() != before) same = 0, off = 1;\n"
        "    if (same)\n        printf(\"%s: %d steps of training: the same bits\\n\");\n"
        "    else\n        printf(\"%s: %d steps of training: other bits: of %%d parameters one is "
        "off by %%.2g of the largest of its array: "
        "%%s\\n\",\n               looked_at, off, off <= %s ? \"at most %s\" : \"WRONG, more than "
        "%s\");\n"
        "    return !same && !(off <= %s);\n}\n\n",
        name, C_STEPS, name, C_STEPS, most_off(t), most_off(t), most_off(t), most_off(t));
}
