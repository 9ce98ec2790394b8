/*
 * Stretches of a tape by themselves: a layer is cut out at its operands, run by its fast path or
 * with its hand-derived backward on one tape of its own and by reference on another, and judged like
 * arrays of other code.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <spor/ops.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/random.h"
#include "kernels/element.h"
#include "program/program.h"
#include "verify/model.h"
#include "verify/verify.h"

/* Multiplications for complex steps on one claim. */
static const double oracle_budget = 4e7;

/* ---- cutting out ---- */

static int cut_at(uint32_t id, int n, const uint32_t cut[]) {
    for (int k = 0; k < n; k++)
        if (cut[k] == id) return k;
    return -1;
}

static spor_var copy_node(spor_tape *to, const spor_node *node, const uint32_t map[]) {
    uint32_t in[SPOR_OPERANDS] = {0};
    for (int k = 0; k < node->op->operands; k++) in[k] = map[node->in[k]];
    return tape_append(to, node->op, in, node->attr, node->shape);
}

static spor_var new_leaf(spor_tape *to, const char *name, spor_shape shape, bool as_param) {
    return as_param ? spor_param(to, name, shape, SPOR_INIT("constant", 0))
                    : spor_input(to, name, shape);
}

/* needed[id]: root is computed from it without passing a cut node. */
static void mark_needed(const spor_tape *from, uint32_t root, int n, const uint32_t cut[],
                        bool needed[]) {
    needed[root] = true;
    for (uint32_t id = root; id > 0; id--) {
        const spor_node *node = &from->node[id];
        if (!needed[id] || cut_at(id, n, cut) >= 0) continue;
        for (int k = 0; k < node->op->operands; k++) needed[node->in[k]] = true;
    }
}

/* The hand-derived backwards of what was copied. */
static void copy_customs(spor_tape *to, const spor_tape *from, const uint32_t map[]) {
    for (uint32_t k = 0; k < from->customs; k++) {
        const spor_custom *custom = &from->custom[k];
        spor_var operand[SPOR_CUSTOM_OPERANDS];
        bool whole = map[custom->y] != 0;
        for (int j = 0; j < custom->operands; j++) {
            operand[j] = (spor_var){to, map[custom->operand[j]]};
            whole = whole && operand[j].id;
        }
        if (whole)
            spor_custom_vjp((spor_var){to, map[custom->y]}, custom->operands, operand,
                            custom->backward, custom->user);
    }
}

/* Operands of hand-derived backwards are needed too, whether or not the result is made of them. */
static void mark_customs(const spor_tape *from, int n, const uint32_t cut[], bool needed[]) {
    for (uint32_t k = from->customs; k > 0; k--) {
        const spor_custom *custom = &from->custom[k - 1];
        for (int j = 0; needed[custom->y] && j < custom->operands; j++)
            mark_needed(from, custom->operand[j], n, cut, needed);
    }
}

/* Inputs that stand for the cut nodes, each by itself. */
static void new_leaves(spor_piece *piece, const spor_tape *from, int n, const uint32_t cut[],
                       const char *const names[], unsigned how, uint32_t map[]) {
    for (int k = 0; k < n; k++) {
        piece->input[k] =
            new_leaf(piece->tape, names[k], *from->node[cut[k]].shape, how & PIECE_PARAMETERS);
        map[cut[k]] = piece->input[k].id;
    }
    piece->inputs = n;
}

/* One more input, of which each of the n cut nodes is a stretch. */
static void new_pack(spor_piece *piece, const spor_tape *from, int n, const uint32_t cut[],
                     uint32_t map[]) {
    int64_t size = 0, before = 0;
    for (int k = 0; k < n; k++) size += shape_size(from->node[cut[k]].shape);
    spor_var pack = spor_input(piece->tape, "pack", SPOR_SHAPE(size));
    for (int k = 0; k < n; k++) {
        const spor_shape *shape = from->node[cut[k]].shape;
        const int64_t lo = -before, hi = before + shape_size(shape) - size;
        map[cut[k]] = spor_reshape(spor_pad(pack, &lo, &hi, 0), *shape).id;
        before += shape_size(shape);
    }
    piece->input[piece->inputs++] = pack;
}

spor_piece piece_of(const spor_tape *from, uint32_t root, int n, const uint32_t cut[],
                    const char *const names[], unsigned how) {
    return piece_packed(from, root, n, n, cut, names, how);
}

spor_piece piece_packed(const spor_tape *from, uint32_t root, int n, int packed,
                        const uint32_t cut[], const char *const names[], unsigned how) {
    spor_piece piece = {.tape = spor_tape_new()};
    uint32_t *map = calloc(from->count, sizeof *map);
    bool *needed = calloc(from->count, sizeof *needed);
    if (piece.tape && map && needed) {
        new_leaves(&piece, from, packed, cut, names, how, map);
        if (packed < n) new_pack(&piece, from, n - packed, cut + packed, map);
        mark_needed(from, root, n, cut, needed);
        if (how & PIECE_DERIVATIONS) mark_customs(from, n, cut, needed);
        for (uint32_t id = 1; id <= root; id++)
            if (needed[id] && cut_at(id, n, cut) < 0)
                map[id] = copy_node(piece.tape, &from->node[id], map).id;
        if (how & PIECE_DERIVATIONS) copy_customs(piece.tape, from, map);
        piece.y = (spor_var){piece.tape, map[root]};
    } else {
        spor_tape_free(piece.tape);
        piece.tape = NULL;
    }
    free(map);
    free(needed);
    return piece;
}

double piece_cost(const spor_piece *piece) {
    double cost = 0;
    for (uint32_t id = 1; id < piece->tape->count; id++) {
        const spor_node *node = &piece->tape->node[id];
        cost += fmax(node_cost(piece->tape, node), (double)shape_size(node->shape));
    }
    return cost;
}

/* ---- what fast paths take ---- */

/* The operands of the fused node, as nodes of the recorded tape. */
static void find_operands(const spor_contraction *graph, const uint32_t original[], uint32_t root,
                          spor_region *region) {
    const spor_node *fused = &graph->tape->node[graph->map[root]];
    while (!fused->op->fused) /* what passes it on with a hand-derived backward */
        fused = &graph->tape->node[fused->in[0]];
    spor_signature signature;
    region->root = root;
    region->operands = fused->op->operands;
    signature_parse(fused->op->signature, &signature);
    for (int k = 0; k < region->operands; k++) {
        region->operand[k] = original[fused->in[k]];
        memcpy(region->name[k], signature.operand[k].name, SPOR_NAME);
    }
}

/* Regions of fast paths, from the start of the tape on. -1 with a message, or without one when
 * memory runs out. */
static int list_fast(spor_var cost, spor_params *params, int most, spor_region region[],
                     spor_message *message) {
    spor_options options = {.scalar = SPOR_F32};
    const spor_tape *tape = cost.tape;
    spor_program *program = spor_compile_training(cost, 0, NULL, params, &options);
    const spor_contraction *graph = program ? &program->graph : NULL;
    bool done = program && !spor_program_error(program);
    if (program && !done) message_complain(message, "%s", spor_program_error(program));
    uint32_t *original = done ? calloc(graph->tape->count, sizeof *original) : NULL;
    int count = original ? 0 : -1;
    for (uint32_t id = 1; original && id < tape->count; id++)
        if (graph->map[id]) original[graph->map[id]] = id;
    for (uint32_t k = original ? graph->taken_count : 0; k > 0; k--) {
        const spor_taken *taken = &graph->taken[k - 1];
        if (*taken->why || count++ >= most) continue;
        find_operands(graph, original, taken->root, &region[count - 1]);
        region[count - 1].fast = taken->fast->name;
    }
    free(original);
    spor_program_free(program);
    return count;
}

/* What a hand-derived backward is about; an operand that is given twice has the sum of both
 * gradients. */
static spor_region region_of_custom(const spor_model_check *check, const spor_custom *custom) {
    spor_region region = {.custom = custom, .root = custom->y};
    for (int k = 0; k < custom->operands; k++) {
        const char *name = check->derivation_name ? check->derivation_name(custom->user, k) : NULL;
        if (cut_at(custom->operand[k], region.operands, region.operand) >= 0) continue;
        char *to = region.name[region.operands];
        if (name)
            snprintf(to, SPOR_NAME, "%s", name);
        else
            snprintf(to, SPOR_NAME, "%d", k + 1);
        region.operand[region.operands++] = custom->operand[k];
    }
    return region;
}

int region_list(const spor_model_check *check, spor_var cost, spor_params *params, int most,
                spor_region region[], spor_message *message) {
    int count = list_fast(cost, params, most, region, message);
    for (uint32_t k = 0; count >= 0 && k < cost.tape->customs; k++, count++)
        if (count < most) region[count] = region_of_custom(check, &cost.tape->custom[k]);
    return count;
}

bool region_stands_alone(const spor_tape *tape, const spor_region *region) {
    bool *needed = calloc(tape->count, sizeof *needed);
    bool alone = needed != NULL;
    if (needed) mark_needed(tape, region->root, region->operands, region->operand, needed);
    for (uint32_t id = 1; alone && id <= region->root; id++)
        alone = !needed[id] || !node_is_named_leaf(&tape->node[id]) ||
                cut_at(id, region->operands, region->operand) >= 0;
    free(needed);
    return alone;
}

/* ---- kinks ---- */

/* At the end of a layer: of an activation and of pooling, in either order. */
enum { DECISIONS = 2 };

static bool is_input(const spor_piece *piece, uint32_t id) {
    for (int k = 0; k < piece->inputs; k++)
        if (piece->input[k].id == id) return true;
    return false;
}

/* J v of z's derivative J by its operand 0: z's vjp is linear in its cotangent, and the vjp of that
 * is J. Where z chooses among its operand's elements this is v at the one chosen. */
static spor_var carried(spor_var z, spor_var v) {
    spor_var x = op_operand(z, 0), dx = {z.tape, 0}, Jv = {z.tape, 0};
    spor_var zbar = spor_input(z.tape, "zbar", spor_shape_of(z));
    if (spor_vjp(z, zbar, 1, &x, &dx)) spor_vjp(dx, v, 1, &zbar, &Jv);
    return Jv;
}

/* Records the margins of what y ends in, one number for each of y's elements; returns how many.
 * Inputs are exact, and so is what is decided on them. */
static int record_margins(const spor_piece *piece, spor_var margins[DECISIONS]) {
    spor_shape shape = spor_shape_of(piece->y);
    spor_var above = piece->y; /* of y's shape; what lies below a pool has another one */
    int n = 0;
    for (spor_var at = piece->y; n < DECISIONS && at.id; at = op_operand(at, 0)) {
        const spor_node *node = tape_node_of(at);
        if (!node->op->margin || is_input(piece, node->in[0]) || node_is_bare(at.tape, at.id))
            break;
        spor_var margin = node->op->margin(at);
        spor_shape decisions = spor_shape_of(margin);
        bool direct = shape_equal(&decisions, &shape);
        if (!direct && above.id == at.id) break; /* y itself decides in another shape */
        if (!direct) margin = carried(above, margin);
        margins[n++] = margin;
        above = at;
    }
    return n;
}

/* Of y, of the size given: undecided[k] where rounding decides a branch of it. */
static void read_kinks(const spor_piece *piece, spor_program *program, int n,
                       const spor_var margins[], bool undecided[]) {
    spor_shape shape = spor_shape_of(piece->y);
    for (int64_t k = 0; k < shape_size(&shape); k++) {
        double error;
        for (int d = 0; d < n; d++)
            undecided[k] = rounding_value(program, margins[d], k, &error) <= error || undecided[k];
    }
}

static bool measure_kinks(const spor_piece *piece, const double *const value[], bool undecided[],
                          spor_message *message) {
    spor_var margins[DECISIONS];
    int n = record_margins(piece, margins);
    if (!n) return true;
    spor_options options = {.scalar = SPOR_ROUNDING, .reference = true};
    spor_program *program = spor_compile(piece->tape, n, margins, NULL, &options);
    if (program && !trial_affords(program, margins[0], message->text, sizeof message->text)) {
        spor_program_free(program);
        return false;
    }
    for (int k = 0; program && k < piece->inputs; k++)
        rounding_fill(program, piece->input[k], value[k], SPOR_F32);
    bool done = program && spor_run(program, 0);
    if (done) read_kinks(piece, program, n, margins, undecided);
    spor_program_free(program);
    return done;
}

/* ---- the fast path ---- */

/* A region at work: pieces, numbers, what the fast path gave. */
typedef struct {
    const spor_model_check *check;
    const spor_region *region;
    const char *layer;
    const double *const *value;
    spor_scalar arithmetic;
    spor_piece reference, fast;
    spor_var G, cost;
    spor_params *params;
    spor_program *program;
    double *cotangent; /* of y's shape */
    double *claimed[REGION_OPERANDS + 1];
    spor_message *message;
} work;

/* The region's own backward, on the piece. */
static void declare(const spor_region *r, const spor_piece *piece) {
    spor_var operand[SPOR_CUSTOM_OPERANDS];
    for (int k = 0; k < r->custom->operands; k++)
        operand[k] = piece->input[cut_at(r->custom->operand[k], r->operands, r->operand)];
    spor_custom_vjp(piece->y, r->custom->operands, operand, r->custom->backward, r->custom->user);
}

static bool cut_out(work *w, const spor_tape *tape) {
    const char *names[REGION_OPERANDS];
    const spor_region *r = w->region;
    for (int k = 0; k < r->operands; k++) names[k] = r->name[k];
    w->reference = piece_of(tape, r->root, r->operands, r->operand, names, 0);
    w->fast = piece_of(tape, r->root, r->operands, r->operand, names, PIECE_PARAMETERS);
    if (!w->reference.tape || !w->fast.tape) return false;
    if (r->custom) declare(r, &w->reference), declare(r, &w->fast);
    return true;
}

/* Cotangents that a float holds; 0 where a branch is not decided. */
static bool draw_cotangent(work *w, uint64_t seed, int64_t *undecided) {
    spor_shape shape = spor_shape_of(w->reference.y);
    int64_t size = shape_size(&shape);
    bool *in_doubt = calloc(1, bytes_for(size + 1, sizeof *in_doubt));
    w->cotangent = calloc(1, bytes_for(size + 1, sizeof *w->cotangent));
    bool done =
        in_doubt && w->cotangent && measure_kinks(&w->reference, w->value, in_doubt, w->message);
    for (int64_t k = 0; done && k < size; k++) {
        double u = random_uniform(seed, (uint64_t)k, 5);
        w->cotangent[k] = in_doubt[k] ? 0 : (double)(float)(2 * u - 1);
        *undecided += in_doubt[k];
    }
    free(in_doubt);
    return done;
}

/* cost = sum G o y, so that the cotangent of y is G. */
static bool compile_fast(work *w) {
    spor_tape *tape = w->fast.tape;
    spor_shape shape = spor_shape_of(w->fast.y);
    spor_options options = {.scalar = w->arithmetic};
    w->G = spor_input(tape, "G", shape);
    w->cost = spor_sum(spor_mul(w->G, w->fast.y), SPOR_AXIS(shape.rank) - 1);
    w->params = spor_params_new(w->arithmetic, 0);
    if (!w->params) return false;
    w->program = spor_compile_training(w->cost, 1, &w->fast.y, w->params, &options);
    if (!w->program || !params_settle(w->params)) return false;
    const char *error = spor_program_error(w->program);
    if (error) return message_complain(w->message, "%s: %s", w->layer, error);
    if (w->region->fast && !spor_program_fast(w->program, w->region->fast))
        return message_complain(w->message, "%s: its fast path %s is not taken by itself", w->layer,
                                w->region->fast);
    return true;
}

static double *copy_numbers(const void *data, spor_scalar scalar, int64_t size) {
    double *copy = malloc(bytes_for(size + 1, sizeof *copy));
    for (int64_t k = 0; copy && k < size; k++) copy[k] = scalar_value_at(data, scalar, k);
    return copy;
}

static bool run_fast(work *w) {
    for (int k = 0; k < w->region->operands; k++) {
        spor_entry e =
            spor_params_entry(w->params, spor_params_find(w->params, w->region->name[k]));
        for (int64_t i = 0; i < shape_size(&e.shape); i++)
            element_types[w->arithmetic]->set(e.value, i, w->value[k][i]);
    }
    spor_params_touch(w->params);
    spor_arg G = spor_program_arg(w->program, w->G);
    for (int64_t i = 0; G.data && i < shape_size(&G.shape); i++)
        element_types[w->arithmetic]->set(G.data, i, w->cotangent[i]);
    if (!G.data || !spor_run(w->program, 0))
        return message_complain(w->message, "%s: %s", w->layer, spor_program_error(w->program));
    spor_arg y = spor_program_arg(w->program, w->fast.y);
    bool done = (w->claimed[0] = copy_numbers(y.data, w->arithmetic, shape_size(&y.shape))) != NULL;
    for (int k = 0; done && k < w->region->operands; k++) {
        spor_entry e =
            spor_params_entry(w->params, spor_params_find(w->params, w->region->name[k]));
        w->claimed[k + 1] = copy_numbers(e.gradient, w->arithmetic, shape_size(&e.shape));
        done = w->claimed[k + 1] != NULL;
    }
    return done;
}

/* ---- the verdict ---- */

/* In float many decisions are lost in rounding; in double none but ties. */
static bool allow_derivation(work *w, bool *decided) {
    const spor_derived_gradients gradients = {.piece = &w->reference,
                                              .value = w->value,
                                              .cotangent = w->cotangent,
                                              .arithmetic = w->arithmetic,
                                              .claimed = w->claimed + 1};
    return derivation_allow(&gradients, w->arithmetic == SPOR_F32 ? decided : NULL, w->message);
}

static bool judge(work *w, spor_verdict *sum) {
    const spor_region *r = w->region;
    char names[REGION_OPERANDS + 1][SPOR_NAME + 1] = {"y"}, what[256];
    spor_arrays arrays = {.y = w->reference.y,
                          .inputs = r->operands,
                          .cotangent = w->cotangent,
                          .claims = r->operands + 1,
                          .arithmetic = w->arithmetic,
                          .norm_wise = program_shares_rounding(w->program),
                          .ties_bind = true};
    spor_verdict *found = calloc((size_t)arrays.claims, sizeof *found);
    if (!found) return false;
    double steps = oracle_budget / piece_cost(&w->reference);
    arrays.oracle = steps < 1 ? 1 : steps > 30 ? 30 : (int64_t)steps;
    for (int k = 0; k <= r->operands; k++) {
        if (k) snprintf(names[k], sizeof names[k], "d%s", r->name[k - 1]);
        if (k) arrays.input[k - 1] = w->reference.input[k - 1];
        if (k) arrays.value[k - 1] = w->value[k - 1];
        spor_shape shape = spor_shape_of(k ? w->reference.input[k - 1] : w->reference.y);
        snprintf(what, sizeof what, "%.160s: %.60s", w->layer, names[k]);
        if (w->check->tamper)
            w->check->tamper(w->check->tamper_user, what, w->claimed[k], shape_size(&shape));
        arrays.claim[k] = (spor_claim){.name = names[k], .wrt = k - 1, .claimed = w->claimed[k]};
    }
    bool decided = true;
    bool done = !r->custom || allow_derivation(w, &decided);
    if (done && !decided) {
        free(found);
        return true;
    }
    done = done && arrays_judge(&arrays, found, w->message) && !*w->message->text;
    for (int k = 0; done && k <= r->operands; k++) verdict_add(sum, &found[k]);
    sum->example.data[0] = 0; /* a layer's numbers are too many to be shown */
    free(found);
    return done;
}

bool region_judge(const spor_model_check *check, const spor_tape *tape, const spor_region *region,
                  const char *layer, const double *const value[], spor_scalar arithmetic,
                  uint64_t seed, spor_verdict *verdict, int64_t *undecided, spor_message *message) {
    work w = {.check = check,
              .region = region,
              .layer = layer,
              .value = value,
              .arithmetic = arithmetic,
              .message = message};
    *message->text = 0;
    bool done = cut_out(&w, tape) && draw_cotangent(&w, seed, undecided) && compile_fast(&w) &&
                run_fast(&w) && judge(&w, verdict);
    spor_program_free(w.program);
    spor_params_free(w.params);
    spor_tape_free(w.reference.tape);
    spor_tape_free(w.fast.tape);
    free(w.cotangent);
    for (int k = 0; k <= REGION_OPERANDS; k++) free(w.claimed[k]);
    return done;
}
