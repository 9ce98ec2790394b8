/* spor show: what a script's network is: layers, sizes, fast paths, the tape and its gradient. */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/shape.h"
#include "tape/layers.h"
#include "train/batch.h"
#include "train/model.h"

/** The network recorded for a batch, and after it the cost. */
typedef struct {
    spor_workpiece *piece;
    int64_t rows;
    spor_tape *tape;
    spor_var cost;
    uint32_t nodes, scopes; /* of the network without its loss */
} recording;

/* ---- sizes ---- */

/* Multiply-adds of the nodes first .. last-1. */
static double multiplies(const spor_tape *tape, uint32_t first, uint32_t last) {
    double sum = 0;
    for (uint32_t id = first; id < last; id++) sum += node_cost(tape, &tape->node[id]);
    return sum;
}

/* ---- layers ---- */

/* [N, 8, 8, 3]: the first axis is the samples'. */
static void shape_text(const spor_shape *shape, int64_t rows, char out[192]) {
    int at = snprintf(out, 192, "[");
    for (int k = 0; k < shape->rank; k++) {
        bool samples = k == 0 && shape->n[0] == rows;
        at += snprintf(out + at, (size_t)(192 - at), samples ? "%sN" : "%s%lld", k ? ", " : "",
                       (long long)shape->n[k]);
    }
    snprintf(out + at, (size_t)(192 - at), "]");
}

enum { LAYER, OUTPUT, PARAMETERS, WORK, LAYER_COLUMNS };

/* Writes the cells of a row; returns those of the next one. */
static char (*add_row(char (*cell)[SPOR_CELL], const char *name, const char *output,
                      int64_t parameters_, double work))[SPOR_CELL] {
    snprintf(cell[LAYER], SPOR_CELL, "%s", name);
    snprintf(cell[OUTPUT], SPOR_CELL, "%s", output);
    snprintf(cell[PARAMETERS], SPOR_CELL, "%lld", (long long)parameters_);
    snprintf(cell[WORK], SPOR_CELL, "%.0f", work);
    return cell + LAYER_COLUMNS;
}

/* A row for each layer, what lies between them, and all together. Returns the end of the cells. */
static char (*add_layers(const recording *r, const bool layer[],
                         char (*cell)[SPOR_CELL]))[SPOR_CELL] {
    const spor_tape *tape = r->tape;
    int64_t all = layers_parameters(tape, 1, r->nodes), rest = all;
    double rows = (double)r->rows, work = multiplies(tape, 1, r->nodes) / rows, idle = work;
    for (uint32_t k = 1; k < r->scopes; k++) {
        const spor_scope *scope = &tape->scope[k];
        char shape[192];
        if (!layer[k]) continue;
        int64_t own = layers_parameters(tape, scope->first, scope->last);
        double own_work = multiplies(tape, scope->first, scope->last) / rows;
        shape_text(tape->node[scope->result].shape, r->rows, shape);
        cell = add_row(cell, layers_name(tape, k), shape, own, own_work);
        rest -= own;
        idle -= own_work;
    }
    if (rest || idle > 0) cell = add_row(cell, "between the layers", "", rest, idle);
    return add_row(cell, "total", "", all, work);
}

static bool print_layers(const recording *r, const bool layer[]) {
    static const char head[LAYER_COLUMNS][SPOR_CELL] = {"layer", "output", "parameters",
                                                        "multiply-adds"};
    static const spor_column_look look[] = {{24, false}, {20, false}, {12, true}, {15, true}};
    char(*cell)[SPOR_CELL] = calloc(((size_t)r->scopes + 3) * LAYER_COLUMNS, sizeof *cell);
    if (!cell) return command_fail(r->piece->command, "out of memory"), false;
    memcpy(cell, head, sizeof head);
    ptrdiff_t cells = add_layers(r, layer, cell + LAYER_COLUMNS) - cell;
    columns_print(LAYER_COLUMNS, (int)(cells / LAYER_COLUMNS), cell, look);
    puts("  Multiply-adds are those of ops that add up products, forward, a sample.\n");
    free(cell);
    return true;
}

/* ---- programs ---- */

static void print_bytes(const char *what, int64_t rows, size_t bytes) {
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB"};
    double size = (double)bytes;
    int unit = 0;
    for (; size >= 1024 && unit < 3; unit++) size /= 1024;
    printf("  %-12s batch %-5lld %8.*f %s\n", what, (long long)rows, unit ? 1 : 0, size,
           units[unit]);
}

/* No memory is taken: the programs are not run. */
static spor_bound *plan(spor_workpiece *piece, int64_t rows, bool training) {
    spor_bound *bound = model_plan(piece->model, rows, training);
    if (!bound) workpiece_complain(piece);
    return bound;
}

/* Memory and fast paths of the training program and of the one that evaluates. */
static bool print_programs(spor_workpiece *piece, int64_t rows) {
    const struct {
        const char *name;
        int64_t rows;
        bool training;
    } uses[] = {{"training", rows, true}, {"evaluation", BATCH_OF_EVALUATION, false}};
    puts("Memory of a program, besides the parameters");
    for (int k = 0; k < 2; k++) {
        spor_bound *bound = plan(piece, uses[k].rows, uses[k].training);
        if (!bound) return false;
        print_bytes(uses[k].name, bound->rows, spor_program_bytes(bound->program));
    }
    for (int k = 0; k < 2; k++) {
        spor_bound *bound = plan(piece, uses[k].rows, uses[k].training);
        if (!bound) return false;
        printf("\nThe program for %s, batch %lld\n", uses[k].name, (long long)bound->rows);
        spor_program_print(bound->program, stdout);
    }
    return true;
}

/* ---- gradients ---- */

/* What the activation of a layer is applied to: z of a = f(z); the result itself if there is no
 * activation at its end. */
static spor_var pre_activation(const recording *r, uint32_t scope) {
    spor_var a = spor_tape_var(r->tape, r->tape->scope[scope].result);
    const spor_op *op = tape_node_of(a)->op;
    return op->traits & SPOR_VALUE_SLOPE ? op_operand(a, 0) : a;
}

/* "net/dense[0]/W" -> "net/dense[0]/dW" */
static void derivative_name(const char *name, char out[256]) {
    const char *slash = strrchr(name, '/');
    int path = slash ? (int)(slash - name) + 1 : 0;
    snprintf(out, 256, "%.*sd%s", path, name, name + path);
}

enum { OF_PARAMETERS = 1, OF_THE_COST = 2 };

/* What a node is made of, what is made of it. */
static void mark_ways(const recording *r, unsigned char way[]) {
    const spor_tape *tape = r->tape;
    for (uint32_t k = 0; k < tape->leaves; k++)
        if (tape->leaf[k].trained) way[tape->leaf[k].id] = OF_PARAMETERS;
    for (uint32_t id = 1; id <= r->cost.id; id++)
        for (int k = 0; k < tape->node[id].op->operands; k++)
            way[id] |= way[tape->node[id].in[k]] & OF_PARAMETERS;
    way[r->cost.id] |= OF_THE_COST;
    for (uint32_t id = r->cost.id; id; id--)
        for (int k = 0; k < tape->node[id].op->operands; k++)
            way[tape->node[id].in[k]] |= way[id] & OF_THE_COST;
}

/* What the gradient goes to: parameters, the z of layers that have some, and on the way to these what the
 * script has a name for. */
static int wanted(const recording *r, const bool layer[], unsigned char way[], spor_var wrt[]) {
    spor_tape *tape = r->tape;
    int count = 0;
    for (uint32_t k = 0; k < tape->leaves; k++)
        if (tape->leaf[k].trained) wrt[count++] = spor_tape_var(tape, tape->leaf[k].id);
    for (uint32_t k = 1; k < r->scopes; k++) {
        char name[256];
        if (!layer[k] || !layers_have_parameters(tape, k)) continue;
        snprintf(name, sizeof name, "%s/z", tape->scope[k].path);
        wrt[count++] = spor_name(pre_activation(r, k), name);
    }
    for (int k = 0; k < count; k++) way[wrt[k].id] = 0;
    for (uint32_t id = 1; id < r->cost.id; id++)
        if (tape->node[id].name && way[id] == (OF_PARAMETERS | OF_THE_COST))
            wrt[count++] = spor_tape_var(tape, id);
    return count;
}

/* Appends the gradient of the cost with respect to all that is wanted; the errors delta of
 * Eqs. (43)-(45) are the dz. */
static bool differentiate(recording *r, const bool layer[]) {
    size_t nodes = (size_t)spor_tape_length(r->tape) + 1, room = nodes + r->scopes;
    spor_var *wrt = calloc(room, sizeof *wrt), *d = calloc(room, sizeof *d);
    unsigned char *way = calloc(nodes, 1);
    bool done = wrt && d && way;
    if (done) {
        mark_ways(r, way);
        int count = wanted(r, layer, way, wrt);
        done = spor_grad(r->cost, count, wrt, d);
        for (int k = 0; done && k < count; k++) {
            char name[256];
            derivative_name(tape_node_of(wrt[k])->name, name);
            spor_name(d[k], name);
        }
    }
    free(wrt);
    free(d);
    free(way);
    return done;
}

static bool print_tapes(recording *r, const bool layer[], bool gradient) {
    uint32_t forward = spor_tape_length(r->tape) + 1;
    if (gradient && !differentiate(r, layer)) return false;
    printf("\nThe tape, batch %lld\n", (long long)r->rows);
    spor_tape_print(r->tape, 1, forward, stdout);
    if (!gradient) return true;
    puts("\nThe gradient tape; dz is the error of a layer");
    spor_tape_print(r->tape, forward, 0, stdout);
    return true;
}

/* ---- the update ---- */

/* The tensor that stands for all: the first parameter that is no bias, or the first. */
static const spor_node *an_example(const spor_tape *tape) {
    const spor_node *example = NULL;
    for (uint32_t k = 0; k < tape->leaves; k++) {
        const spor_node *node = &tape->node[tape->leaf[k].id];
        if (tape->leaf[k].trained &&
            (!example || (example->shape->rank < 2 && node->shape->rank > 1)))
            example = node;
    }
    return example;
}

/* The optimizer's rule for one parameter, in its own names; a clip as if that were the only one. */
static bool print_update(const recording *r) {
    const spor_declaration *declared = &r->piece->declared;
    const spor_node *example = an_example(r->tape);
    if (!example) return true;
    spor_tape *tape = spor_tape_new();
    spor_var w = spor_input(tape, "w", *example->shape),
             dw = spor_input(tape, "dw", *example->shape);
    spor_var next = {tape, 0};
    script_optimizer(1, &w, &dw, &next, r->piece->script);
    bool done = !spor_error(tape);
    if (!done) workpiece_complain_tape(r->piece, tape);
    spor_name(next, "w_next");
    printf("\nThe update %s%s%s, for %s as w\n", declared->optimizer, declared->clip ? ", " : "",
           declared->clip ? declared->clip : "", example->name);
    if (done) spor_tape_print(tape, 1, 0, stdout);
    for (uint32_t k = 0; done && k < tape->assignments; k++)
        printf("%s takes %s\n", tape->node[tape->assignment[k].state].name,
               tape->node[tape->assignment[k].value].name);
    spor_tape_free(tape);
    return done;
}

/* ---- the command ---- */

static bool record(recording *r) {
    spor_workpiece *piece = r->piece;
    r->tape = spor_tape_new();
    script_name_values(piece->script);
    spor_var x = spor_input(r->tape, "x", shape_rows(r->rows, &piece->declared.sample));
    spor_var prediction = script_net(x, true, piece->script);
    r->nodes = spor_tape_length(r->tape) + 1;
    r->scopes = r->tape ? r->tape->scopes : 0;
    spor_shape target = script_target(&piece->declared);
    spor_var y = spor_input(r->tape, "y", shape_rows(r->rows, &target));
    r->cost = script_loss(prediction, y, piece->script);
    return !spor_error(r->tape);
}

/* "10 classes", "numbers [2]" or "itself". */
static const char *target_text(const spor_declaration *declared, char out[256]) {
    char shape[192];
    shape_text(&declared->y, 0, shape);
    if (declared->classes)
        snprintf(out, 256, "%d classes", declared->classes);
    else
        snprintf(out, 256, "numbers %s", shape);
    return declared->target_is_x ? "itself" : out;
}

/* Those that the data have names for, as far as a reader cares. */
static void print_classes(const spor_data *data) {
    enum { MOST = 20 };
    for (int k = 0; data && data->class_name && k < data->classes && k <= MOST; k++)
        printf("%s%s", k ? ", " : "classes: ", k < MOST ? data->class_name[k] : "...");
    puts(data && data->class_name ? "\n" : "");
}

/* The tape, and if it is wanted that of the gradients, as a graph. */
static int print_graph(recording *r, bool gradient) {
    uint32_t forward = spor_tape_length(r->tape) + 1;
    bool *layer = NULL, done = layers_find(r->tape, r->scopes, &layer) >= 0;
    if (!done) command_fail(r->piece->command, "out of memory");
    if (done && gradient && !differentiate(r, layer))
        done = false, workpiece_complain_tape(r->piece, r->tape);
    free(layer);
    if (!done) return SPOR_EXIT_BAD;
    tape_print_dot(r->tape, r->piece->declared.model, forward, spor_tape_length(r->tape) + 1,
                   stdout);
    return SPOR_EXIT_DONE;
}

static int show(recording *r, bool gradient, bool graph) {
    const spor_declaration *declared = &r->piece->declared;
    bool *layer = NULL;
    char sample[192], target[256];
    int status = SPOR_EXIT_BAD;
    const spor_options options = {.scalar = SPOR_F32};
    if (!workpiece_model(r->piece, &options, 0)) return SPOR_EXIT_BAD;
    if (!record(r)) return workpiece_complain_tape(r->piece, r->tape);
    if (graph) return print_graph(r, gradient);
    shape_text(&declared->sample, 0, sample);
    printf("%s on %s: %s to %s, loss %s\n", declared->model, declared->data, sample,
           target_text(declared, target), declared->loss);
    print_classes(r->piece->data);
    if (layers_find(r->tape, r->scopes, &layer) < 0) {
        command_fail(r->piece->command, "out of memory");
    } else if (print_layers(r, layer) && print_programs(r->piece, r->rows)) {
        status = print_tapes(r, layer, gradient) ? SPOR_EXIT_DONE : SPOR_EXIT_NO;
        if (status == SPOR_EXIT_NO) workpiece_complain_tape(r->piece, r->tape);
        if (status == SPOR_EXIT_DONE && !print_update(r)) status = SPOR_EXIT_BAD;
    }
    free(layer);
    return status;
}

static int run(int argc, char **argv) {
    bool gradient = false, graph = false;
    const char *script;
    spor_workpiece piece = {0};
    recording r = {.piece = &piece};
    spor_settings settings = {0};
    const spor_option options[] = {
        {"grad", NULL, "print the tape of the gradients as well", SPOR_OPTION_FLAG, &gradient, 0,
         NULL},
        {"dot", NULL, "print the tape as a graph for Graphviz, and nothing else", SPOR_OPTION_FLAG,
         &graph, 0, NULL},
        {"batch", "B", "rows to record (default: the script's batch)", SPOR_OPTION_INTEGER, &r.rows,
         1, NULL},
        {"set", "NAME=VALUE", "another value for a name of the script", SPOR_OPTION_SETTING,
         &settings, 0, NULL},
        {0},
    };
    int status = options_read(&spor_command_show, options, 1, 1, &script, argc, argv);
    if (status != SPOR_EXIT_NOT_YET) return status;
    status = SPOR_EXIT_BAD;
    if (workpiece_load(&piece, &spor_command_show, script, &settings)) {
        if (!r.rows) r.rows = piece.declared.batch;
        status = show(&r, gradient, graph);
    }
    spor_tape_free(r.tape);
    workpiece_close(&piece);
    return status;
}

const spor_command spor_command_show = {
    .name = "show",
    .operands = "SCRIPT",
    .summary = "Shows a network: layers, sizes, fast paths, the tape and its gradient.",
    .help =
        "Nothing is trained and no data set is needed. The tape is printed one equation a\n"
        "line, values by the names that the script gives them: x_2 is the second x. With --grad\n"
        "the gradient follows, with respect to every parameter, to the z before each layer's\n"
        "activation and to what has a name: dz is the error of the layer, dK and db, dW and\n"
        "db are computed from it.\n"
        "\n"
        "Examples\n"
        "  spor show models/densenet2_20.spor\n"
        "  spor show models/convnet1_3.spor --grad --batch 1\n"
        "  spor show models/densenet2_20.spor --set hidden=30\n"
        "  spor show models/lenet2.spor --dot | dot -Tsvg > lenet2.svg\n",
    .run = run,
};
