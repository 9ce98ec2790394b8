#include "export/c_program.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "kernels/element.h"

static const uint32_t to_the_end = UINT32_MAX;

static const spor_tape *tape_of(const c_program *p) {
    return p->program->graph.tape;
}

static uint32_t home_of(const c_program *p, uint32_t id) {
    return program_home(p->program, id);
}

/* ---- constants ---- */

/* "dense_0_W" of net/dense[0]/W: without the name of the network. */
static void short_name(const char *path, char *to, size_t size) {
    const char *rest = strchr(path, '/');
    c_name(rest ? rest + 1 : path, to, size);
}

static const void *parameter_value(const spor_program *program, const spor_node *node) {
    int k = spor_params_find(program->params, node->name);
    return spor_params_entry(program->params, k).value;
}

/* What an op without operands is, by its reference kernel. */
static void *leaf_value(const spor_program *program, const spor_node *node) {
    spor_reference *const *kernel =
        node->op->reference ? node->op->reference[program->scalar] : NULL;
    void *value = malloc(bytes_for(shape_size(node->shape) + 1, scalar_width(program->scalar)));
    if (!kernel || !value) {
        free(value);
        return NULL;
    }
    spor_call call = {.out = {.data = value, .shape = *node->shape}, .attr = node->attr};
    shape_strides(node->shape, call.out.stride);
    (*kernel)(&call);
    return value;
}

static void *setting_value(const c_program *p, uint32_t id) {
    const spor_tape *tape = tape_of(p);
    for (uint32_t k = 0; k < tape->settings; k++) {
        if (tape->setting[k].id != id) continue;
        double *value = malloc(sizeof *value);
        if (value && p->functions.single)
            *(float *)(void *)value = (float)tape->setting[k].value;
        else if (value)
            *value = tape->setting[k].value;
        return value;
    }
    return NULL;
}

/* Another step or a constant is called so, or what every file has. */
static bool is_name_taken(const c_program *p, uint32_t s, const char *name) {
    bool taken = c_is_taken(name) || (p->beside && c_has_word(p->beside, name));
    for (uint32_t k = 0; k < s; k++) taken = taken || !strcmp(p->names[k], name);
    for (int k = 0; k < p->constants; k++) taken = taken || !strcmp(p->constant[k].name, name);
    return taken;
}

/* A name that nobody has: with a number behind it, if need be. */
static void name_apart(const c_program *p, uint32_t s, const char *wanted, char name[64]) {
    snprintf(name, 64, "%.50s", wanted);
    for (int same = 2; is_name_taken(p, s, name); same++)
        snprintf(name, 64, "%.50s_%d", wanted, same);
}

static const c_constant *add_constant(c_program *p, c_constant made) {
    char name[64];
    memcpy(name, made.name, sizeof name);
    name_apart(p, p->program->steps, name, made.name);
    c_constant *grown = realloc(p->constant, ((size_t)p->constants + 1) * sizeof *grown);
    if (!grown) {
        free(made.own);
        p->calls.text.failed = true;
        return NULL;
    }
    p->constant = grown;
    made.first = -1;
    grown[p->constants] = made;
    return &grown[p->constants++];
}

const c_constant *c_constant_of(c_program *p, uint32_t id) {
    uint32_t home = home_of(p, id);
    const spor_node *node = &tape_of(p)->node[home];
    for (int k = 0; k < p->constants; k++)
        if (p->constant[k].node == home) return &p->constant[k];
    c_constant made = {.node = home, .count = shape_size(node->shape)};
    if (node->op->operands || home == home_of(p, p->input)) return NULL;
    if (node->op->traits & SPOR_STORED) {
        char name[48];
        made.value = parameter_value(p->program, node);
        short_name(node->name, name, sizeof name);
        snprintf(made.name, sizeof made.name, "net_%s", name);
    } else {
        made.own =
            node->op->traits & SPOR_GIVEN ? setting_value(p, home) : leaf_value(p->program, node);
        made.value = made.own;
        snprintf(made.name, sizeof made.name, "net_constant_%d", p->constants);
    }
    return made.value ? add_constant(p, made) : NULL;
}

/* ---- places ---- */

c_place c_place_of(c_program *p, uint32_t id) {
    c_place place;
    uint32_t home = home_of(p, id);
    size_t width = scalar_width(p->program->scalar);
    for (int k = 0; k < p->constants; k++) {
        c_constant *constant = &p->constant[k];
        if (constant->node != home) continue;
        if (constant->first < 0) {
            constant->first = p->constant_elements;
            p->constant_elements += constant->count;
        }
        if (p->apart)
            snprintf(place.text, sizeof place.text, "net_weights + %" PRId64, constant->first);
        else
            snprintf(place.text, sizeof place.text, "%s", constant->name);
        return place;
    }
    if (home == home_of(p, p->input))
        snprintf(place.text, sizeof place.text, "x");
    else if (home == home_of(p, p->result))
        snprintf(place.text, sizeof place.text, "y");
    else
        snprintf(place.text, sizeof place.text, "arena + %zu", p->offset[home] / width);
    return place;
}

/* Arrays begin where four floats do: small ones lie close. */
static size_t placed_bytes(const c_program *p, int64_t elements) {
    const size_t unit = 16;
    return (bytes_for(elements, scalar_width(p->program->scalar)) + unit - 1) / unit * unit;
}

static bool lies_in_arena(const c_program *p, uint32_t home) {
    const spor_node *node = &tape_of(p)->node[home];
    return node->op->operands && home != home_of(p, p->input) && home != home_of(p, p->result);
}

static void find_lifetimes(c_program *p) {
    const spor_program *program = p->program;
    for (uint32_t s = 0; s < program->steps; s++) {
        const program_step *step = &program->step[s];
        for (int k = 0; k < step->reads; k++) p->last[home_of(p, step->operand[k])] = s;
        for (int k = 0; k < step_writes(step); k++) p->last[home_of(p, step_written(step, k))] = s;
    }
    p->last[home_of(p, p->result)] = to_the_end;
}

static void place(c_program *p, uint32_t id) {
    uint32_t home = home_of(p, id);
    if (lies_in_arena(p, home))
        p->offset[home] =
            memory_take(&p->arena, placed_bytes(p, shape_size(tape_of(p)->node[home].shape)));
}

static void release(c_program *p, uint32_t id, uint32_t s) {
    uint32_t home = home_of(p, id);
    if (p->last[home] != s || !lies_in_arena(p, home)) return;
    memory_give(&p->arena, p->offset[home],
                placed_bytes(p, shape_size(tape_of(p)->node[home].shape)));
    p->last[home] = to_the_end; /* once, though read twice */
}

/* ---- a step ---- */

/* "dense_0" of net/dense[0]/dense_layer[0], else the op that comes last. */
static void name_step(c_program *p, uint32_t s) {
    const program_step *step = &p->program->step[s];
    const spor_tape *tape = tape_of(p);
    const spor_node *node = &tape->node[step->node[step->nodes - 1]];
    const char *layer = strchr(tape->scope[node->scope].path, '/');
    char full[64], name[40], op[SPOR_NAME];
    op_name(node->op, op, sizeof op);
    snprintf(full, sizeof full, "%.*s", layer ? (int)strcspn(layer + 1, "/") : 0,
             layer ? layer + 1 : "");
    c_name(full, name, sizeof name);
    snprintf(full, sizeof full, "net_%s", *name ? name : op);
    name_apart(p, s, full, p->names[s]);
}

/* What the parameters of a step's function are called: as in the op's signature; of a group the values' own
 * names. */
static bool name_parameters(const c_program *p, const program_step *step, char (*name)[64]) {
    const spor_tape *tape = tape_of(p);
    if (!step->group) {
        spor_signature signature;
        if (!signature_parse(tape->node[step->node[0]].op->signature, &signature)) return false;
        for (int k = 0; k < step->reads; k++)
            snprintf(name[k], 64, "%s", signature.operand[k].name);
        return true;
    }
    for (int a = 0; a < step->group->arguments; a++) {
        const spor_node *node = &tape->node[step->operand[a]];
        const char *own = node->op->traits & SPOR_STORED ? strrchr(node->name, '/') : NULL;
        char text[40] = "v";
        if (own) c_name(own + 1, text, sizeof text);
        if (a >= step->reads)
            snprintf(name[a], 64, step->group->arguments - step->reads > 1 ? "out%d" : "out",
                     a - step->reads);
        else
            snprintf(name[a], 64, "%s%s%" PRIu32, text, own ? "_" : "", step->operand[a]);
        for (int b = 0; b < a; b++)
            if (!strcmp(name[a], name[b])) snprintf(name[a], 64, "%.40s_%d", text, a);
    }
    return true;
}

/* word: what has no form, or the signature of an op; NULL: the step's op. */
static bool no_loops(const c_program *p, const program_step *step, const char *word,
                     spor_message *message) {
    const spor_node *node = &tape_of(p)->node[step->node[step->nodes - 1]];
    char op[SPOR_NAME], place[256] = "";
    op_name(node->op, op, sizeof op);
    if (!word || !*word) word = op;
    if (node->place.file)
        snprintf(place, sizeof place, "%.200s:%d:%d: ", node->place.file, node->place.line,
                 node->place.column);
    return message_complain(message, "%s%.*s has no loops in C: it can't be exported so", place,
                            (int)strcspn(word, "("), word);
}

/* The loops of a single op. False: it has none. */
static bool write_single(spor_c *c, const program_step *step, const spor_op *op, char (*name)[64]) {
    if (op->c_loops) {
        op->c_loops(c, &step->call);
        return true;
    }
    if (!op->moves) return false;
    copy_moves moves = {0};
    op->moves(&step->call, &moves);
    for (int k = 0; k < moves.count; k++) {
        const copy_move *m = &moves.move[k];
        c_copy(c, &m->box, m->operand < 0 ? NULL : name[m->operand], m->value);
    }
    return true;
}

/* The loops read what is called so: numbers that stand in them are no arguments. */
static bool is_read(const spor_c *loops, const char *name) {
    return c_has_word(&loops->text, name);
}

/* The function around the loops, and its call. */
static void write_function(c_program *p, uint32_t s, const spor_c *loops, char (*name)[64]) {
    const program_step *step = &p->program->step[s];
    spor_text *f = &p->functions.text, *call = &p->calls.text;
    const char *type = c_type(&p->functions), *separator = "";
    char what[512];
    program_step_text(p->program, s, what, sizeof what);
    text_add(f, "/* %s */\nstatic void %s(", what, p->names[s]);
    text_add(call, "    %s(", p->names[s]);
    for (int k = 0; k < step->reads; k++) {
        if (!is_read(loops, name[k])) continue;
        text_add(f, "%sconst %s *restrict %s", separator, type, name[k]);
        text_add(call, "%s%s", separator, c_place_of(p, step->operand[k]).text);
        separator = ", ";
    }
    for (int k = 0; k < step_writes(step); k++) {
        const char *out = step->group ? name[step->reads + k] : "out";
        text_add(f, "%s%s *restrict %s", separator, type, out);
        text_add(call, "%s%s", separator, c_place_of(p, step_written(step, k)).text);
        separator = ", ";
    }
    if (loops->scratch) {
        size_t bytes = placed_bytes(p, loops->scratch), at = memory_take(&p->arena, bytes);
        text_add(f, ", %s *restrict scratch", type);
        text_add(call, ", arena + %zu", at / scalar_width(p->program->scalar));
        memory_give(&p->arena, at, bytes);
    }
    text_add(f, ") {\n");
    text_bytes(f, loops->text.at, loops->text.size);
    text_add(f, "}\n\n");
    text_add(call, ");\n");
}

static bool write_step(c_program *p, uint32_t s, spor_message *message) {
    const program_step *step = &p->program->step[s];
    const spor_node *node = &tape_of(p)->node[step->node[0]];
    int arguments = step->call.operands + 1;
    char(*name)[64] = calloc((size_t)arguments, sizeof *name);
    spor_c loops = {.depth = 1, .single = p->functions.single};
    bool done = name != NULL || message_complain(message, "out of memory");
    done = done && (name_parameters(p, step, name) || message_complain(message, "a signature"));
    for (int k = 0; done && k < step->reads; k++) c_constant_of(p, step->operand[k]);
    for (int k = 0; done && k < step_writes(step); k++) place(p, step_written(step, k));
    if (done && step->group)
        c_write_group(&loops, p, step, name);
    else if (done)
        done = write_single(&loops, step, node->op, name) || no_loops(p, step, NULL, message);
    if (done && loops.missing) done = no_loops(p, step, loops.missing, message);
    if (done && loops.text.failed) done = message_complain(message, "out of memory");
    if (done) {
        name_step(p, s);
        write_function(p, s, &loops, name);
        p->products += program_step_cost(p->program, s);
    }
    for (int k = 0; done && k < step->reads; k++) release(p, step->operand[k], s);
    for (int k = 0; done && k < step_writes(step); k++) release(p, step_written(step, k), s);
    text_free(&loops.text);
    free(name);
    return done;
}

/* ---- the program ---- */

/* A result that no step makes is copied. */
static void write_result(c_program *p) {
    uint32_t home = home_of(p, p->result);
    const spor_node *node = &tape_of(p)->node[home];
    if (node->op->operands && home != home_of(p, p->input)) return;
    c_constant_of(p, home);
    text_add(&p->calls.text, "    memcpy(y, %s, %" PRId64 " * sizeof *y);\n",
             c_place_of(p, home).text, shape_size(node->shape));
}

bool c_write_program(c_program *p, spor_message *message) {
    const spor_program *program = p->program;
    uint32_t nodes = tape_of(p)->count;
    p->functions.single = p->calls.single = program->scalar == SPOR_F32;
    p->last = calloc(nodes, sizeof *p->last);
    p->offset = calloc(nodes, sizeof *p->offset);
    p->names = calloc((size_t)program->steps + 1, sizeof *p->names);
    bool done = p->last && p->offset && p->names;
    if (!done) message_complain(message, "out of memory");
    if (done) find_lifetimes(p);
    for (uint32_t s = 0; done && s < program->steps; s++)
        if (tape_of(p)->node[program->step[s].node[0]].op->operands || program->step[s].group)
            done = write_step(p, s, message);
    if (done) write_result(p);
    if (done && (p->functions.text.failed || p->calls.text.failed || p->arena.failed))
        done = message_complain(message, "out of memory");
    return done;
}

void c_program_end(c_program *p) {
    for (int k = 0; k < p->constants; k++) free(p->constant[k].own);
    free(p->constant);
    free(p->last);
    free(p->offset);
    free(p->names);
    memory_end(&p->arena);
    text_free(&p->functions.text);
    text_free(&p->calls.text);
}
