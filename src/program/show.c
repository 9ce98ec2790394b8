/* What was compiled, as text. */
#include <string.h>

#include "kernels/element.h"
#include "program/program.h"

const char *spor_program_isa(const spor_program *program) {
    return program ? isa_name(program->isa) : "";
}

int spor_program_fast(const spor_program *program, const char *name) {
    int count = 0;
    for (uint32_t k = 0; program && name && k < program->graph.taken_count; k++) {
        const spor_taken *taken = &program->graph.taken[k];
        count += !*taken->why && !strcmp(taken->fast->name, name);
    }
    return count;
}

void program_node_text(const spor_tape *tape, const spor_node *node, char *text, size_t size) {
    const char *path = tape->scope[node->scope].path;
    char name[SPOR_NAME], shape[128];
    op_name(node->op, name, sizeof name);
    tape_shape_text(node->shape, NULL, shape, sizeof shape);
    size_t used = (size_t)snprintf(text, size, "%s%s%s %s", path, *path ? ": " : "", name, shape);
    for (int k = 0; k < node->op->operands && used < size; k++) {
        tape_shape_text(tape->node[node->in[k]].shape, NULL, shape, sizeof shape);
        used += (size_t)snprintf(text + used, size - used, "%s%s", k ? ", " : " of ", shape);
    }
}

/* "mul 3 times", an op of a group's nodes; nothing if an earlier node is of the op too. */
static size_t op_text(const spor_tape *tape, const program_step *step, uint32_t k, char *text,
                      size_t size) {
    const spor_op *op = tape->node[step->node[k]].op;
    char name[SPOR_NAME];
    int times = 0;
    for (uint32_t other = 0; other < step->nodes; other++) {
        times += tape->node[step->node[other]].op == op;
        if (other < k && tape->node[step->node[other]].op == op) return 0;
    }
    op_name(op, name, sizeof name);
    if (times == 1) return (size_t)snprintf(text, size, "%s%s", k ? ", " : "", name);
    return (size_t)snprintf(text, size, "%s%s %d times", k ? ", " : "", name, times);
}

static void ops_text(const spor_tape *tape, const program_step *step, char *text, size_t size) {
    size_t used = 0;
    *text = 0;
    for (uint32_t k = 0; k < step->nodes && used < size; k++)
        used += op_text(tape, step, k, text + used, size - used);
}

static const char *group_path(const spor_tape *tape, const program_step *step) {
    return tape->scope[tape->node[step->node[0]].scope].path;
}

/* "net/act: group [32, 10]: sub, exp, mul 2 times" */
static void group_text(const spor_tape *tape, const program_step *step, char *text, size_t size) {
    const char *path = group_path(tape, step);
    char shape[128], ops[400];
    tape_shape_text(node_iteration(tape, step->node[0]), NULL, shape, sizeof shape);
    ops_text(tape, step, ops, sizeof ops);
    snprintf(text, size, "%s%sgroup %s: %s", path, *path ? ": " : "", shape, ops);
}

void program_step_text(const spor_program *program, uint32_t s, char *text, size_t size) {
    const program_step *step = &program->step[s];
    const spor_tape *tape = program->graph.tape;
    if (step->nodes > 1)
        group_text(tape, step, text, size);
    else
        program_node_text(tape, &tape->node[step->node[0]], text, size);
}

bool program_shares_rounding(const spor_program *program) {
    bool shares = false;
    for (uint32_t s = 0; s < program->steps; s++) shares |= program->step[s].need.shares;
    return shares;
}

double program_step_cost(const spor_program *program, uint32_t s) {
    const spor_tape *tape = program->graph.tape;
    return node_cost(tape, &tape->node[program->step[s].node[0]]);
}

/* A line about a fast path or a group. */
typedef struct {
    const char *state, *path;
    char what[40], shape[128], rest[640];
} shown;

/* Widths of its columns. */
typedef struct {
    int what, path;
} widths;

static shown show_taken(const spor_program *program, const spor_taken *taken) {
    const spor_tape *tape = program->recorded;
    const spor_node *node = &tape->node[taken->root];
    bool refused = *taken->why;
    shown line = {.state = refused ? "refused" : "taken", .path = tape->scope[node->scope].path};
    snprintf(line.what, sizeof line.what, "%s", taken->fast->name);
    tape_shape_text(node->shape, NULL, line.shape, sizeof line.shape);
    snprintf(line.rest, sizeof line.rest, "%s%s", refused ? "because " : "",
             refused ? taken->why : taken->fast->equations);
    return line;
}

static shown show_group(const spor_program *program, const program_step *step) {
    const spor_tape *tape = program->graph.tape;
    shown line = {.state = "group", .path = group_path(tape, step)};
    snprintf(line.what, sizeof line.what, "%" PRIu32 " nodes", step->nodes);
    tape_shape_text(node_iteration(tape, step->node[0]), NULL, line.shape, sizeof line.shape);
    ops_text(tape, step, line.rest, sizeof line.rest);
    return line;
}

/* How a step is computed, where shapes decided that. */
static shown show_way(const spor_program *program, const program_step *step) {
    const spor_tape *tape = program->graph.tape;
    const spor_node *node = &tape->node[step->node[0]];
    shown line = {.state = "way", .path = tape->scope[node->scope].path};
    op_name(node->op, line.what, sizeof line.what);
    tape_shape_text(node->shape, NULL, line.shape, sizeof line.shape);
    snprintf(line.rest, sizeof line.rest, "%s", step->need.way);
    return line;
}

/* Line k, fast paths from the network's beginning on, then groups and steps that have a way; false behind
 * the last one. Nothing is shown of other steps of one node: their state is NULL. */
static bool show_line(const spor_program *program, uint32_t k, shown *line) {
    uint32_t paths = program->graph.taken_count;
    if (k >= paths + program->steps) return false;
    *line = (shown){.state = NULL};
    if (k < paths)
        *line = show_taken(program, &program->graph.taken[paths - 1 - k]);
    else if (program->step[k - paths].nodes > 1)
        *line = show_group(program, &program->step[k - paths]);
    else if (program->step[k - paths].need.way)
        *line = show_way(program, &program->step[k - paths]);
    return true;
}

static int larger(int width, const char *text) {
    int length = (int)strlen(text);
    return length > width ? length : width;
}

static void print_lines(const spor_program *program, FILE *out) {
    shown line;
    widths w = {22, 36};
    for (uint32_t k = 0; show_line(program, k, &line); k++)
        if (line.state) w = (widths){larger(w.what, line.what), larger(w.path, line.path)};
    for (uint32_t k = 0; show_line(program, k, &line); k++)
        if (line.state)
            fprintf(out, "  %-8s %-*s %-*s %s  %s\n", line.state, w.what, line.what, w.path,
                    *line.path ? line.path : "-", line.shape, line.rest);
}

void spor_program_print(const spor_program *program, FILE *out) {
    if (!program || *program->error || !out) return;
    fprintf(out, "%s, %s, %" PRIu32 " steps, %zu bytes\n", element_types[program->scalar]->text,
            program->reference ? "reference" : isa_name(program->isa), program->steps,
            spor_program_bytes(program));
    print_lines(program, out);
}
