/* Nodes that have no form in bytes: a stage of them is a program of floats, run as such and written as files of
 * floats are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "base/shape.h"
#include "export/int8.h"

/* A stage under way. */
typedef struct {
    int8_plan *plan;
    int8_island *island;
    uint32_t *map; /* nodes of the network's tape as the island's */
    uint32_t *in;  /* what it reads as bytes */
    uint32_t *out; /* what others read of it */
    int ins, outs;
    int64_t in_size, out_size;
} builder;

static bool is_member(const builder *b, uint32_t id) {
    const int8_node *node = &b->plan->graph.node[id];
    return node->needed && node->floats && node->stage == b->island->stage;
}

/* Others read it: nodes of bytes, another stage, the caller. */
static bool is_read_outside(const builder *b, uint32_t id) {
    const int8_graph *g = &b->plan->graph;
    uint32_t read[SPOR_OPERANDS];
    if (id == g->result) return true;
    for (uint32_t by = id + 1; by < g->tape->count; by++) {
        if (!g->node[by].needed || g->node[by].constant || is_member(b, by)) continue;
        for (int k = int8_reads(g, by, read) - 1; k >= 0; k--)
            if (read[k] == id) return true;
    }
    return false;
}

static void find_ends(builder *b) {
    const int8_graph *g = &b->plan->graph;
    for (uint32_t id = 1; id < g->tape->count; id++) {
        if (!is_member(b, id)) continue;
        for (int k = 0; k < int8_node_of(g, id)->op->operands; k++) {
            const uint32_t in = int8_operand(g, id, k);
            bool known = g->node[in].constant || is_member(b, in);
            for (int j = 0; j < b->ins; j++) known = known || b->in[j] == in;
            if (known) continue;
            b->in[b->ins++] = in;
            b->in_size += int8_size(g, in);
        }
        if (!is_read_outside(b, id)) continue;
        b->out[b->outs++] = id;
        b->out_size += int8_size(g, id);
    }
}

/* ---- its tape ---- */

/* The stretches of x that operands are. */
static void add_inputs(builder *b) {
    const int8_graph *g = &b->plan->graph;
    int64_t before = 0;
    b->island->x = spor_input(b->island->tape, "x", SPOR_SHAPE(b->in_size));
    for (int k = 0; k < b->ins; k++) {
        const int64_t lo = -before, hi = before + int8_size(g, b->in[k]) - b->in_size;
        spor_var part = b->ins > 1 ? spor_pad(b->island->x, &lo, &hi, 0) : b->island->x;
        b->map[b->in[k]] = spor_reshape(part, *int8_node_of(g, b->in[k])->shape).id;
        before += int8_size(g, b->in[k]);
    }
}

static uint32_t copy_node(builder *b, uint32_t id);

/* Numbers that are known; what is repeated along axes stays that. */
static uint32_t copy_constant(builder *b, uint32_t id) {
    const int8_graph *g = &b->plan->graph;
    const spor_node *node = int8_node_of(g, id);
    const uint32_t in = node->op->operands ? int8_operand(g, id, 0) : 0;
    const bool repeats = node->op->tile && node->op->tile->role == SPOR_REPEATS;
    if (repeats && g->node[in].value) return copy_node(b, id);
    return spor_array(b->island->tape, *node->shape, g->node[id].value).id;
}

static uint32_t copy_node(builder *b, uint32_t id) {
    const int8_graph *g = &b->plan->graph;
    const spor_node *node = int8_node_of(g, id);
    uint32_t in[SPOR_OPERANDS] = {0};
    for (int k = 0; k < node->op->operands; k++) {
        const uint32_t from = int8_operand(g, id, k);
        if (!b->map[from]) b->map[from] = copy_constant(b, from);
        in[k] = b->map[from];
        if (!in[k]) return 0;
    }
    b->island->tape->place = node->place;
    return tape_append(b->island->tape, node->op, in, node->attr, node->shape).id;
}

static bool join_results(builder *b) {
    spor_tape *tape = b->island->tape;
    spor_var *part = calloc((size_t)b->outs, sizeof *part);
    for (int k = 0; part && k < b->outs; k++)
        part[k] = spor_reshape((spor_var){tape, b->map[b->out[k]]},
                               SPOR_SHAPE(int8_size(&b->plan->graph, b->out[k])));
    spor_var y = part ? part[0] : (spor_var){0};
    for (int k = 1; part && k < b->outs; k++) y = spor_concat(y, part[k], 0);
    b->island->y = y;
    free(part);
    return part != NULL;
}

static bool record(builder *b) {
    const int8_graph *g = &b->plan->graph;
    add_inputs(b);
    for (uint32_t id = 1; id < g->tape->count; id++)
        if (is_member(b, id)) b->map[id] = copy_node(b, id);
    return join_results(b);
}

/* ---- what is told ---- */

static bool has_form(const int8_graph *g, uint32_t id) {
    const spor_op *op = int8_node_of(g, id)->op;
    return op->tile || op->moves || op->traits & SPOR_ALIAS;
}

/* The ops by which it is in float: those without a form in bytes, or, where there are none, the last one. */
static void tell(builder *b) {
    const int8_graph *g = &b->plan->graph;
    char *told = b->island->told, part[140];
    const size_t room = sizeof b->island->told;
    for (int pass = 0; pass < 2 && !*told; pass++)
        for (uint32_t id = 1; id < g->tape->count; id++) {
            const spor_node *node = int8_node_of(g, id);
            char name[SPOR_NAME];
            if (!is_member(b, id) || (pass ? !is_read_outside(b, id) : has_form(g, id))) continue;
            op_name(node->op, name, sizeof name);
            const char *slash = node->place.file ? strrchr(node->place.file, '/') : NULL;
            if (node->place.file)
                snprintf(part, sizeof part, "%s at %.60s:%d", name,
                         slash ? slash + 1 : node->place.file, node->place.line);
            else
                snprintf(part, sizeof part, "%s behind the network", name);
            if (strstr(told, part) || strlen(told) + strlen(part) + 8 > room) continue;
            snprintf(told + strlen(told), room - strlen(told), "%s%s", *told ? ", " : "", part);
        }
}

/* ---- its program ---- */

static bool compile(builder *b, spor_message *message) {
    int8_island *island = b->island;
    const spor_options options = {.isa = "baseline", .rowwise = true};
    if (!record(b)) return message_complain(message, "out of memory");
    island->program = spor_compile(island->tape, 1, &island->y, NULL, &options);
    if (spor_program_error(island->program))
        return message_complain(message, "%s", spor_program_error(island->program));
    const uint32_t *map = island->program->graph.map;
    const c_outside outside[] = {{map[island->x.id], "x", false}, {map[island->y.id], "y", true}};
    island->c = (c_program){
        .program = island->program, .outside = outside, .outsides = 2, .beside = &b->plan->taken};
    bool done = c_write_program(&island->c, message);
    island->c.outside = NULL;
    if (!done) return false;
    text_bytes(&b->plan->taken, island->c.functions.text.at, island->c.functions.text.size);
    for (int k = 0; k < island->c.constants; k++)
        text_add(&b->plan->taken, " %s ", island->c.constant[k].name);
    b->plan->products += island->c.products;
    return true;
}

/* The numbers that its steps read are the plan's. */
static bool add_constants(builder *b, spor_message *message) {
    const c_program *c = &b->island->c;
    b->island->constant = (int)b->plan->constants;
    for (int k = 0, at; k < c->constants; k++) {
        const c_constant *constant = &c->constant[k];
        if (constant->first < 0) continue;
        float *value =
            int8_add_constant(b->plan, INT8_FLOAT, constant->count, 0, constant->name, &at);
        if (!value) return message_complain(message, "out of memory");
        memcpy(value, constant->value, (size_t)constant->count * sizeof *value);
    }
    return true;
}

static void give_part(int8_step *step, int buffer, int64_t from) {
    int8_give(step, INT8_BUFFER, buffer, 0);
    if (step) step->argument[step->arguments - 1].from = from;
}

/* Bytes can't tell apart more rows than there are bytes. */
static bool can_name(const int8_graph *g, const int8_node *node, spor_message *message) {
    const spor_node *by = int8_node_of(g, node->names);
    char name[SPOR_NAME], place[256] = "";
    if (!node->names || node->code.scale <= 1) return true;
    op_name(by->op, name, sizeof name);
    if (by->place.file)
        snprintf(place, sizeof place, "%.200s:%d:%d: ", by->place.file, by->place.line,
                 by->place.column);
    return message_complain(message,
                            "%s%s of rows 0 to %.0f: a byte tells only 256 apart: export this "
                            "network without --int8",
                            place, name, node->most);
}

static bool can_name_all(const builder *b, spor_message *message) {
    for (int k = 0; k < b->ins; k++)
        if (!can_name(&b->plan->graph, &b->plan->graph.node[b->in[k]], message)) return false;
    return true;
}

static void add_steps(builder *b) {
    int8_plan *plan = b->plan;
    int8_graph *g = &plan->graph;
    int64_t from = 0;
    const int x = int8_add_buffer(plan, true, b->in_size),
              y = int8_add_buffer(plan, true, b->out_size);
    const int arena =
        int8_add_buffer(plan, true, (int64_t)(b->island->c.arena.top / sizeof(float)));
    for (int k = 0; k < b->ins; from += int8_size(g, b->in[k++])) {
        int8_step *step = int8_add_step(plan, &int8_dequantizes, b->in[k]);
        const int8_node *in = &g->node[b->in[k]];
        give_part(step, x, from);
        int8_give(step, INT8_BUFFER, in->buffer, 0);
        int8_give(step, INT8_REAL, 0, in->code.scale);
        int8_give(step, INT8_WHOLE, in->code.zero, 0);
        int8_give(step, INT8_WHOLE, int8_size(g, b->in[k]), 0);
    }
    int8_step *step = int8_add_step(plan, &int8_floats, b->out[b->outs - 1]);
    if (step) step->island = b->island;
    if (step) b->island = NULL; /* the step's now */
    give_part(step, y, 0);
    give_part(step, x, 0);
    give_part(step, arena, 0);
    from = 0;
    for (int k = 0; k < b->outs; from += int8_size(g, b->out[k++])) {
        int8_node *out = &g->node[b->out[k]];
        if (b->out[k] == g->result) plan->y = y, plan->y_from = from;
        out->code = int8_code_of_node(out);
        out->buffer = int8_add_buffer(plan, false, int8_size(g, b->out[k]));
        step = b->out[k] == g->result && out->readers == 1
                   ? NULL
                   : int8_add_step(plan, &int8_quantizes, b->out[k]);
        int8_give(step, INT8_BUFFER, out->buffer, 0);
        give_part(step, y, from);
        int8_give(step, INT8_REAL, 0, 1 / out->code.scale);
        int8_give(step, INT8_WHOLE, out->code.zero, 0);
        int8_give(step, INT8_WHOLE, int8_size(g, b->out[k]), 0);
    }
}

bool int8_plan_island(int8_plan *plan, int stage, spor_message *message) {
    const uint32_t nodes = plan->graph.tape->count;
    builder b = {.plan = plan, .island = calloc(1, sizeof *b.island)};
    b.map = calloc(nodes, sizeof *b.map);
    b.in = calloc(nodes, sizeof *b.in);
    b.out = calloc(nodes, sizeof *b.out);
    bool done = b.island && b.map && b.in && b.out;
    if (done) {
        b.island->stage = stage;
        b.island->tape = spor_tape_new();
        find_ends(&b);
    } else {
        message_complain(message, "out of memory");
    }
    if (done && b.outs) {
        done = can_name_all(&b, message) && compile(&b, message) && add_constants(&b, message);
        if (done) tell(&b);
        if (done) add_steps(&b);
    }
    if (b.island) int8_island_free(b.island);
    free(b.map);
    free(b.in);
    free(b.out);
    return done;
}

void int8_island_free(int8_island *island) {
    if (island->program) c_program_end(&island->c);
    spor_program_free(island->program);
    spor_tape_free(island->tape);
    free(island);
}
