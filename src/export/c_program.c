#include "export/c_program.h"

#include <ctype.h>
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

static const c_outside *outside_of(const c_program *p, uint32_t id) {
    for (int k = 0; k < p->outsides; k++)
        if (home_of(p, p->outside[k].node) == home_of(p, id)) return &p->outside[k];
    return NULL;
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
static void *leaf_value(c_program *p, const spor_node *node) {
    const spor_program *program = p->program;
    spor_reference *const *kernel =
        node->op->reference ? node->op->reference[program->scalar] : NULL;
    if (!kernel) return NULL;
    void *value = malloc(bytes_for(shape_size(node->shape) + 1, scalar_width(program->scalar)));
    if (!value) {
        p->calls.text.failed = true;
        return NULL;
    }
    spor_call call = {.out = {.data = value, .shape = *node->shape}, .attr = node->attr};
    shape_strides(node->shape, call.out.stride);
    (*kernel)(&call);
    return value;
}

static void *setting_value(c_program *p, uint32_t id) {
    const spor_tape *tape = tape_of(p);
    for (uint32_t k = 0; k < tape->settings; k++) {
        if (tape->setting[k].id != id) continue;
        double *value = malloc(sizeof *value);
        if (!value) p->calls.text.failed = true;
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
    return taken || (p->before && is_name_taken(p->before, p->before->program->steps, name));
}

/* The number of the last step that wanted this name; 0: there was none. */
static int last_number(const c_program *p, uint32_t s, const char *wanted) {
    for (uint32_t k = s; k > 0; k--) {
        const int number = c_number_behind(p->names[k - 1], wanted);
        if (number) return number;
    }
    return p->before ? last_number(p->before, p->before->program->steps, wanted) : 0;
}

/* A name that nobody has: with a number behind it, if need be. */
static void name_apart(const c_program *p, uint32_t s, const char *wanted, char name[64]) {
    int same = last_number(p, s, wanted);
    if (same)
        snprintf(name, 64, "%.50s_%d", wanted, same += 1);
    else
        snprintf(name, 64, "%.50s", wanted);
    for (same = same ? same : 1; is_name_taken(p, s, name);)
        snprintf(name, 64, "%.50s_%d", wanted, same += 1);
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
    const c_outside *outside = outside_of(p, home);
    if (node->op->operands || (outside && !outside->made)) return NULL;
    if (node->op->traits & SPOR_STORED && p->parameters) return NULL;
    if (node->op->traits & SPOR_STORED) {
        char name[48];
        made.value = parameter_value(p->program, node);
        short_name(node->name, name, sizeof name);
        snprintf(made.name, sizeof made.name, "net_%s", name);
    } else {
        made.own = node->op->traits & SPOR_GIVEN ? setting_value(p, home) : leaf_value(p, node);
        made.value = made.own;
        snprintf(made.name, sizeof made.name, "net_constant_%d", p->constants);
    }
    return made.value ? add_constant(p, made) : NULL;
}

/* ---- places ---- */

static int entry_of(const c_program *p, spor_storage storage) {
    const size_t width = scalar_width(p->program->scalar);
    int k = 0;
    while (k + 1 < p->parameters->count &&
           bytes_for(p->parameters->params->entry[k].offset, width) != storage.offset)
        k++;
    return k;
}

/* Among the parameters as they are, or as they become. */
static bool place_among_parameters(const c_program *p, uint32_t home, c_place *place) {
    const spor_storage storage = p->program->storage[home];
    const bool next = storage.where == SPOR_NEXT;
    if (!p->parameters || (!next && storage.where != SPOR_VALUES)) return false;
    const int entry = entry_of(p, storage);
    const int64_t *first = next ? p->parameters->next : p->parameters->first;
    snprintf(place->text, sizeof place->text, "%s + %" PRId64, next ? "net_next" : "net_values",
             first[entry]);
    return true;
}

c_place c_place_of(c_program *p, uint32_t id) {
    c_place place;
    uint32_t home = home_of(p, id);
    size_t width = scalar_width(p->program->scalar);
    const c_outside *outside = outside_of(p, home);
    if (place_among_parameters(p, home, &place)) return place;
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
    if (outside)
        snprintf(place.text, sizeof place.text, "%s", outside->name);
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
    bool next = p->parameters && p->program->storage[home].where == SPOR_NEXT;
    return node->op->operands && !next && !outside_of(p, home);
}

static void read_by(c_program *p, uint32_t id, uint32_t s) {
    p->last[home_of(p, id)] = s;
}

static void find_lifetimes(c_program *p) {
    const spor_program *program = p->program;
    for (uint32_t s = 0; s < program->steps; s++) {
        const program_step *step = &program->step[s];
        for (int k = 0; k < step->reads; k++) read_by(p, step->operand[k], s);
        for (int k = 0; k < step_writes(step); k++) read_by(p, step_written(step, k), s);
    }
    for (int k = 0; k < p->outsides; k++) read_by(p, p->outside[k].node, to_the_end);
    if (program->cost) read_by(p, program->cost, to_the_end);
    for (uint32_t k = 0; k < program->deliveries; k++)
        read_by(p, program->delivery[k].node, to_the_end);
}

/* What a step writes, and what it saves. */
static void place(c_program *p, uint32_t id, size_t saved) {
    const size_t width = scalar_width(p->program->scalar);
    uint32_t home = home_of(p, id);
    p->saves[home] = placed_bytes(p, (int64_t)((saved + width - 1) / width));
    if (saved) p->saved[home] = memory_take(&p->arena, p->saves[home]);
    if (lies_in_arena(p, home))
        p->offset[home] =
            memory_take(&p->arena, placed_bytes(p, shape_size(tape_of(p)->node[home].shape)));
}

static void release(c_program *p, uint32_t id, uint32_t s) {
    uint32_t home = home_of(p, id);
    if (p->last[home] != s) return;
    if (p->saves[home]) memory_give(&p->arena, p->saved[home], p->saves[home]);
    if (lies_in_arena(p, home))
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
        if (own && isalpha((unsigned char)own[1]))
            c_name(own + 1, text, sizeof text);
        else
            own = NULL; /* nothing that a name may begin with */
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

/* The copies of an op that moves elements. What programs compute inside of other arrays lies by itself here. */
static void write_moves(spor_c *c, const program_step *step, const spor_op *op, char (*name)[64]) {
    spor_call call = step->call;
    spor_arg in[SPOR_OPERANDS];
    copy_moves moves = {0};
    memcpy(in, call.in, (size_t)call.operands * sizeof *in);
    for (int k = 0; k < call.operands; k++) shape_strides(&in[k].shape, in[k].stride);
    shape_strides(&call.out.shape, call.out.stride);
    call.in = in;
    op->moves(&call, &moves);
    for (int k = 0; k < moves.count; k++) {
        const copy_move *m = &moves.move[k];
        c_copy(c, &m->box, m->operand < 0 ? NULL : name[m->operand], m->value);
    }
}

/* The loops of a single op. False: it has none. */
static bool write_single(spor_c *c, const program_step *step, const spor_op *op, char (*name)[64]) {
    if (op->c_loops) {
        op->c_loops(c, &step->call);
        return true;
    }
    if (op->moves) write_moves(c, step, op, name);
    return op->moves != NULL;
}

/* The loops read what is called so: numbers that stand in them are no arguments. */
static bool is_read(const spor_c *loops, const char *name) {
    return c_has_word(&loops->text, name);
}

/* A function and its call, while they are written. */
typedef struct {
    spor_text *head, *call;
    const char *separator;
} signature;

static void add_parameter(signature *of, const char *type, const char *name, const char *place) {
    text_add(of->head, "%s%s *restrict %s", of->separator, type, name);
    text_add(of->call, "%s%s", of->separator, place);
    of->separator = ", ";
}

static c_place arena_place(const c_program *p, size_t offset) {
    c_place place;
    snprintf(place.text, sizeof place.text, "arena + %zu",
             offset / scalar_width(p->program->scalar));
    return place;
}

/* What a step reads, and what was saved with it, as far as its loops do. */
static void add_operands(c_program *p, signature *of, const program_step *step, const spor_c *loops,
                         char (*name)[64]) {
    char type[16], saved[80];
    snprintf(type, sizeof type, "const %s", c_type(&p->functions));
    for (int k = 0; k < step->reads; k++) {
        if (is_read(loops, name[k]))
            add_parameter(of, type, name[k], c_place_of(p, step->operand[k]).text);
        snprintf(saved, sizeof saved, "%s_saved", name[k]);
        if (is_read(loops, saved))
            add_parameter(of, "const void", saved,
                          arena_place(p, p->saved[home_of(p, step->operand[k])]).text);
    }
}

static void add_results(c_program *p, signature *of, const program_step *step, const spor_c *loops,
                        char (*name)[64]) {
    for (int k = 0; k < step_writes(step); k++)
        add_parameter(of, c_type(&p->functions), step->group ? name[step->reads + k] : "out",
                      c_place_of(p, step_written(step, k)).text);
    if (is_read(loops, "out_saved"))
        add_parameter(of, "void", "out_saved",
                      arena_place(p, p->saved[home_of(p, step_written(step, 0))]).text);
    if (!loops->scratch) return;
    size_t bytes = placed_bytes(p, loops->scratch), at = memory_take(&p->arena, bytes);
    add_parameter(of, c_type(&p->functions), "scratch", arena_place(p, at).text);
    memory_give(&p->arena, at, bytes);
}

/* The function around the loops, and its call. */
static void write_function(c_program *p, uint32_t s, const spor_c *loops, char (*name)[64]) {
    const program_step *step = &p->program->step[s];
    spor_text *f = &p->functions.text, *call = &p->calls.text;
    signature of = {.head = f, .call = call, .separator = ""};
    char what[512];
    program_step_text(p->program, s, what, sizeof what);
    text_add(f, "/* %s */\nstatic void %s(", what, p->names[s]);
    text_add(call, "    %s(", p->names[s]);
    add_operands(p, &of, step, loops, name);
    add_results(p, &of, step, loops, name);
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
    for (int k = 0; done && k < step_writes(step); k++)
        place(p, step_written(step, k), step->need.saved);
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
static void write_result(c_program *p, const c_outside *result) {
    uint32_t home = home_of(p, result->node);
    const spor_node *node = &tape_of(p)->node[home];
    if (node->op->operands && outside_of(p, home) == result) return;
    c_constant_of(p, home);
    text_add(&p->calls.text, "    memcpy(%s, %s, %" PRId64 " * sizeof *%s);\n", result->name,
             c_place_of(p, home).text, shape_size(node->shape), result->name);
}

/* Next values that no step makes in their place. */
static void write_deliveries(c_program *p) {
    const spor_program *program = p->program;
    for (uint32_t k = 0; k < program->deliveries; k++) {
        const spor_delivery *d = &program->delivery[k];
        c_constant_of(p, d->node);
        text_add(&p->calls.text,
                 "    memcpy(net_next + %" PRId64 ", %s, %" PRId64 " * sizeof *net_next);\n",
                 p->parameters->next[entry_of(p, d->to)], c_place_of(p, d->node).text, d->count);
    }
}

bool c_write_program(c_program *p, spor_message *message) {
    const spor_program *program = p->program;
    uint32_t nodes = tape_of(p)->count;
    p->functions.single = p->calls.single = program->scalar == SPOR_F32;
    p->last = calloc(nodes, sizeof *p->last);
    p->offset = calloc(nodes, sizeof *p->offset);
    p->saved = calloc(nodes, sizeof *p->saved);
    p->saves = calloc(nodes, sizeof *p->saves);
    p->names = calloc((size_t)program->steps + 1, sizeof *p->names);
    bool done = p->last && p->offset && p->saved && p->saves && p->names;
    if (!done) message_complain(message, "out of memory");
    if (done) find_lifetimes(p);
    for (uint32_t s = 0; done && s < program->steps; s++)
        if (tape_of(p)->node[program->step[s].node[0]].op->operands || program->step[s].group)
            done = write_step(p, s, message);
    for (int k = 0; done && k < p->outsides; k++)
        if (p->outside[k].made) write_result(p, &p->outside[k]);
    if (done) write_deliveries(p);
    if (done && (p->functions.text.failed || p->calls.text.failed || p->arena.failed))
        done = message_complain(message, "out of memory");
    return done;
}

void c_program_end(c_program *p) {
    for (int k = 0; k < p->constants; k++) free(p->constant[k].own);
    free(p->constant);
    free(p->last);
    free(p->offset);
    free(p->saved);
    free(p->saves);
    free(p->names);
    memory_end(&p->arena);
    text_free(&p->functions.text);
    text_free(&p->calls.text);
}
