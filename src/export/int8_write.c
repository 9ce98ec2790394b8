/* A plan in C: constants, a function for each step, and their calls. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "export/int8.h"

typedef struct {
    int8_plan *plan;
    int8_text *text;
    int8_step *step;
} writer;

/* ---- names ---- */

/* It is taken, or others begin with it, as its constants will. */
static bool is_taken(const writer *w, const char *name) {
    const spor_text *taken = &w->plan->taken;
    char part[72];
    snprintf(part, sizeof part, "%s_", name);
    return c_is_taken(name) || c_has_word(taken, name) || (taken->at && strstr(taken->at, part));
}

/* "net_dense_0" of the layer that a node is in, else its op; with a number behind it if that is taken. */
static void name_step(writer *w) {
    const spor_tape *tape = w->plan->graph.tape;
    const spor_node *node = &tape->node[w->step->node];
    const char *layer = strchr(tape->scope[node->scope].path, '/');
    char full[64], wanted[40], op[SPOR_NAME];
    op_name(node->op, op, sizeof op);
    snprintf(full, sizeof full, "%.*s", layer ? (int)strcspn(layer + 1, "/") : 0,
             layer ? layer + 1 : "");
    c_name(full, wanted, sizeof wanted);
    char *name = w->step->name;
    snprintf(name, sizeof w->step->name, "net_%.40s",
             w->step->island ? "floats"
             : *wanted       ? wanted
                             : op);
    snprintf(full, sizeof full, "%s", name);
    int same = 1;
    for (const int8_step *at = w->step; at > w->plan->step && same == 1; at--)
        same += c_number_behind(at[-1].name, full);
    if (same > 1) snprintf(name, sizeof w->step->name, "%.50s_%d", full, same);
    while (is_taken(w, name)) snprintf(name, sizeof w->step->name, "%.50s_%d", full, ++same);
    text_add(&w->plan->taken, " %s ", name);
}

const char *int8_place(const int8_plan *plan, int buffer, int64_t from, char text[40]) {
    const int8_buffer *b = &plan->buffer[buffer];
    snprintf(text, 40, "%s + %zu", b->floats ? "floats" : "arena", b->offset + (size_t)from);
    return text;
}

/* ---- constants ---- */

/* What numbers are in C, by their width. */
static const struct {
    const char *type;
    size_t bytes;
} widths[] = {[INT8_SIGNED] = {"int8_t", 1},
              [INT8_UNSIGNED] = {"uint8_t", 1},
              [INT8_LONG] = {"int32_t", 4},
              [INT8_FLOAT] = {"float", 4}};

static const char *type_of(const int8_constant *c) {
    return widths[c->width].type;
}

static size_t bytes_of(const int8_constant *c) {
    return (size_t)c->count * widths[c->width].bytes;
}

static long number_of(const int8_constant *c, int64_t k) {
    return c->width == INT8_LONG     ? (long)((const int32_t *)c->value)[k]
           : c->width == INT8_SIGNED ? (long)((const int8_t *)c->value)[k]
                                     : (long)((const uint8_t *)c->value)[k];
}

/* Its name, or its place in the file of weights; defines it. */
static void add_constant(writer *w, spor_text *call, int index) {
    int8_constant *c = &w->plan->constant[index];
    spor_text *to = &w->text->constants;
    if (w->text->apart) {
        text_add(call, "(const %s *)(const void *)(net_weights + %zu)", type_of(c), c->offset);
        return;
    }
    text_add(call, "%s_%s", w->step->name, c->what);
    text_add(&w->plan->taken, " %s_%s ", w->step->name, c->what);
    text_add(to, "static const %s %s_%s[%" PRId64 "] = {", type_of(c), w->step->name, c->what,
             c->count);
    for (int64_t k = 0; k < c->count; k++) {
        const long value = number_of(c, k);
        text_add(to, k % 16 ? " " : "\n    ");
        text_add(to, value == -2147483647L - 1 ? "-2147483647 - 1" : "%ld", value);
        text_add(to, k + 1 < c->count ? "," : "");
    }
    text_add(to, "\n};\n\n");
}

size_t int8_constant_bytes(int8_plan *plan) {
    size_t bytes = 0;
    for (uint32_t k = 0; k < plan->constants; k++) {
        bytes = (bytes + 3) / 4 * 4;
        plan->constant[k].offset = bytes;
        bytes += bytes_of(&plan->constant[k]);
    }
    return bytes;
}

void *int8_gather(const int8_plan *plan, size_t bytes) {
    char *all = calloc(bytes + 1, 1);
    for (uint32_t k = 0; all && k < plan->constants; k++)
        memcpy(all + plan->constant[k].offset, plan->constant[k].value,
               bytes_of(&plan->constant[k]));
    return all;
}

/* ---- steps ---- */

static void add_code(writer *w, const char *what, uint32_t id) {
    const int8_node *node = &w->plan->graph.node[id];
    if (node->constant) return;
    text_add(&w->text->functions, " %s is %.6g (byte %s %d)", what, node->code.scale,
             node->code.zero < 0 ? "+" : "-", abs(node->code.zero));
}

/* "net/dense[0]: matmul [1, 20] of [1, 64], [64, 20], to add; x is 0.0039 (byte + 128), out is ..." */
static void add_comment(writer *w) {
    const int8_graph *g = &w->plan->graph;
    const uint32_t id = w->step->node, begin = g->node[id].folds ? g->node[id].folds : id;
    spor_text *to = &w->text->functions;
    char what[512], op[SPOR_NAME];
    uint32_t read[SPOR_OPERANDS];
    program_node_text(g->tape, &g->tape->node[begin], what, sizeof what);
    text_add(to, "/* %s", what);
    op_name(g->tape->node[id].op, op, sizeof op);
    if (begin != id) text_add(to, ", to %s", op);
    if (w->step->island) text_add(to, ", in float: %s", w->step->island->told);
    if (!w->step->island) {
        const int count = int8_reads(g, id, read);
        text_add(to, ";");
        if (count) add_code(w, "x", read[0]);
        if (count) text_add(to, ",");
        add_code(w, "out", id);
    }
    text_add(to, " */\n");
}

static const char *parameter(const int8_step *step, int k, char text[16]) {
    if (step->form->function || step->island)
        snprintf(text, 16, "%s", step->form->names[k]);
    else if (k)
        snprintf(text, 16, "x%d", k);
    else
        snprintf(text, 16, "out");
    return text;
}

/* The arguments as the function's body has them. */
static void add_arguments(writer *w, spor_text *to) {
    const spor_c single = {.single = true};
    for (int k = 0; k < w->step->arguments; k++) {
        const int8_argument *a = &w->step->argument[k];
        char name[16];
        text_add(to, k ? ", " : "");
        if (a->kind == INT8_BUFFER)
            text_add(to, "%s", parameter(w->step, k, name));
        else if (a->kind == INT8_CONSTANT && a->whole < 0)
            text_add(to, "0");
        else if (a->kind == INT8_CONSTANT)
            add_constant(w, to, (int)a->whole);
        else if (a->kind == INT8_WHOLE)
            text_add(to, "%" PRId64, a->whole);
        else
            text_add(to, "%s", c_number(&single, a->real).text);
    }
}

static bool is_empty(const copy_box *box) {
    bool empty = false;
    for (int a = 0; a < box->axes; a++) empty = empty || box->axis[a].n < 1;
    return empty;
}

/* Boxes of bytes. */
static void add_copies(writer *w, spor_c *c) {
    for (int k = 0; k < w->step->moves->count; k++) {
        copy_move move = w->step->moves->move[k];
        char name[160];
        if (is_empty(&move.box)) continue;
        if (move.operand < 0) {
            c_line(c, "{");
            c_line(c, "const int8_t fill[1] = {%d};", (int)move.value);
            for (int a = 0; a < move.box.axes; a++) move.box.axis[a].from = 0;
            move.box.from = 0;
            snprintf(name, sizeof name, "fill");
        } else if (w->step->argument[move.operand + 1].kind == INT8_BUFFER) {
            snprintf(name, sizeof name, "x%d", move.operand + 1);
        } else {
            spor_text text = {0};
            add_constant(w, &text, (int)w->step->argument[move.operand + 1].whole);
            snprintf(name, sizeof name, "(%.*s)", (int)text.size, text.at ? text.at : "");
            text_free(&text);
        }
        c_copy(c, &move.box, name, 0);
        if (move.operand < 0) c_line(c, "}");
    }
}

static void add_body(writer *w) {
    spor_text *to = &w->text->functions;
    if (w->step->form->function) {
        text_add(to, "    %s(", w->step->form->function);
        add_arguments(w, to);
        text_add(to, ");\n");
    } else if (w->step->island) {
        const c_program *c = &w->step->island->c;
        if (!c_has_word(&c->calls.text, "x")) text_add(to, "    (void)x;\n");
        if (!c_has_word(&c->calls.text, "arena")) text_add(to, "    (void)arena;\n");
        text_bytes(to, c->calls.text.at, c->calls.text.size);
    } else {
        spor_c c = {.depth = 1, .single = true};
        add_copies(w, &c);
        text_bytes(to, c.text.at, c.text.size);
        to->failed = to->failed || c.text.failed;
        text_free(&c.text);
    }
}

/* The constants of a stretch of floats, the plan's from `constant` on, under the names that its steps have for them:
 * in the file, or, where they lie apart, within the function that calls these. */
static bool add_island_constants(writer *w, spor_message *message) {
    const c_program *c = &w->step->island->c;
    const spor_c single = {.single = true};
    const int8_constant *own = w->plan->constant;
    if (own) own += w->step->island->constant; /* there may be none at all */
    spor_text *to = w->text->apart ? &w->text->functions : &w->text->constants;
    for (int k = 0; k < c->constants; k++) {
        const c_constant *constant = &c->constant[k];
        const float *value = constant->value;
        if (constant->first < 0) continue;
        for (int64_t j = 0; j < constant->count; j++)
            if (!isfinite(value[j]))
                return message_complain(message, "%s has a number that is not finite",
                                        constant->name);
        if (w->text->apart)
            text_add(to,
                     "    const float *%s = (const float *)(const void *)(net_weights + %zu);\n",
                     constant->name, own->offset);
        else
            text_add(to, "static const float %s[%" PRId64 "] = {", constant->name, constant->count);
        for (int64_t j = 0; !w->text->apart && j < constant->count; j++)
            text_add(to, "%s%s%s", j % 8 ? " " : "\n    ", c_number(&single, (double)value[j]).text,
                     j + 1 < constant->count ? "," : "");
        if (!w->text->apart) text_add(to, "\n};\n\n");
        own++;
    }
    return true;
}

/* The function of a step, and its call. */
static bool write_step(writer *w, spor_message *message) {
    spor_text *to = &w->text->functions, *call = &w->text->calls;
    const int8_island *island = w->step->island;
    if (island && !w->text->apart && !add_island_constants(w, message)) return false;
    if (island) text_bytes(to, island->c.functions.text.at, island->c.functions.text.size);
    name_step(w);
    add_comment(w);
    text_add(to, "static void %s(", w->step->name);
    text_add(call, "    %s(", w->step->name);
    const char *separator = "";
    for (int k = 0; k < w->step->arguments; k++) {
        const int8_argument *a = &w->step->argument[k];
        char name[16], place[40];
        if (a->kind != INT8_BUFFER) continue;
        const bool floats = w->plan->buffer[a->whole].floats,
                   made = w->step->form->written >> k & 1;
        text_add(to, "%s%s%s *%s%s", separator, made ? "" : "const ", floats ? "float" : "int8_t",
                 w->step->form->shares ? "" : "restrict ", parameter(w->step, k, name));
        text_add(call, "%s%s", separator, int8_place(w->plan, (int)a->whole, a->from, place));
        separator = ", ";
    }
    text_add(to, ") {\n");
    text_add(call, ");\n");
    if (island && w->text->apart && !add_island_constants(w, message)) return false;
    add_body(w);
    text_add(to, "}\n\n");
    return true;
}

bool int8_write(int8_plan *plan, int8_text *text, spor_message *message) {
    writer w = {.plan = plan, .text = text};
    text->weight_bytes = int8_constant_bytes(plan);
    for (uint32_t s = 0; s < plan->steps; s++) {
        w.step = &plan->step[s];
        if (!write_step(&w, message)) return false;
    }
    return !(text->constants.failed || text->functions.failed || text->calls.failed ||
             plan->taken.failed) ||
           message_complain(message, "out of memory");
}
