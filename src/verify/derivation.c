/*
 * Gradients of hand derivations: what rounding may do to them. The derivation's formulas run over
 * SPOR_ROUNDING beside the tape's own, so that a derivation that rounds more than the tape does is
 * not accused of it, and one that is wrong is allowed nothing else.
 */
#include <math.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/shape.h"
#include "program/program.h"
#include "verify/model.h"
#include "verify/verify.h"

/* One way to the gradients of a piece: by its derivations, or by its tape. */
typedef struct {
    const spor_derived_gradients *given;
    spor_contraction graph;
    spor_program *program;
    spor_var d[SPOR_INPUTS]; /* by input */
    spor_var *margin;        /* how far each decision is from its other branch */
    int margins;
    spor_message *message;
} way;

static spor_var input_of(const way *w, int k) {
    return (spor_var){w->graph.tape, w->graph.map[w->given->piece->input[k].id]};
}

/* Margins of every decision that the way takes. */
static bool record_margins(way *w) {
    spor_tape *tape = w->graph.tape;
    uint32_t nodes = tape->count;
    w->margin = calloc(nodes, sizeof *w->margin);
    for (uint32_t id = 1; w->margin && id < nodes; id++) {
        const spor_op *op = tape->node[id].op;
        if (op->margin && !node_is_bare(tape, id))
            w->margin[w->margins++] = op->margin((spor_var){tape, id});
    }
    if (w->margin && spor_error(tape)) return message_complain(w->message, "%s", spor_error(tape));
    return w->margin != NULL;
}

/* The gradients of <dy, y> in ops; the cotangent is the tape's last input. */
static bool record(way *w, bool derived, spor_var *dy) {
    const spor_piece *piece = w->given->piece;
    uint32_t y = piece->y.id;
    spor_var wrt[SPOR_INPUTS];
    const contraction_use use = {.training = derived};
    if (!contract_tape(piece->tape, &y, 1, &use, &w->graph)) return false;
    spor_var root = {w->graph.tape, w->graph.map[y]};
    for (int k = 0; k < piece->inputs; k++) wrt[k] = input_of(w, k);
    *dy = spor_input(w->graph.tape, "dy", spor_shape_of(piece->y));
    if (!spor_vjp(root, *dy, piece->inputs, wrt, w->d))
        return message_complain(w->message, "%s", spor_error(w->graph.tape));
    return true;
}

static bool compile(way *w, bool with_margins) {
    spor_options options = {.scalar = SPOR_ROUNDING, .reference = true};
    int inputs = w->given->piece->inputs;
    if (with_margins && !record_margins(w)) return false;
    spor_var *outputs = calloc((size_t)(inputs + w->margins), sizeof *outputs);
    for (int k = 0; outputs && k < inputs + w->margins; k++)
        outputs[k] = k < inputs ? w->d[k] : w->margin[k - inputs];
    if (outputs)
        w->program = spor_compile(w->graph.tape, inputs + w->margins, outputs, NULL, &options);
    free(outputs);
    return w->program != NULL;
}

static void fill_ones(spor_program *program, spor_var dy) {
    static const double one = 1;
    spor_arg arg = spor_program_arg(program, dy);
    if (arg.data && shape_size(&arg.shape) == 1) rounding_fill(program, dy, &one, SPOR_F64);
}

/* False with a message, or without one when memory runs out. */
static bool way_take(way *w, bool derived, bool with_margins) {
    const spor_derived_gradients *given = w->given;
    spor_var dy;
    if (!record(w, derived, &dy) || !compile(w, with_margins)) return false;
    if (!trial_affords(w->program, dy, w->message->text, sizeof w->message->text)) return false;
    for (int k = 0; k < given->piece->inputs; k++)
        rounding_fill(w->program, input_of(w, k), given->value[k], given->arithmetic);
    if (given->cotangent)
        rounding_fill(w->program, dy, given->cotangent, given->arithmetic);
    else
        fill_ones(w->program, dy);
    if (!spor_program_error(w->program) && spor_run(w->program, 0)) return true;
    return message_complain(w->message, "%s", spor_program_error(w->program));
}

static void way_free(way *w) {
    spor_program_free(w->program);
    contraction_free(&w->graph);
    free(w->margin);
}

/* False if rounding may take a decision the other way. What is exact is decided. */
static bool is_decided(const way *w) {
    for (int k = 0; k < w->margins; k++) {
        spor_shape shape = spor_shape_of(w->margin[k]);
        for (int64_t i = 0; i < shape_size(&shape); i++) {
            double error, margin = rounding_value(w->program, w->margin[k], i, &error);
            if (error > 0 && margin <= error) return false;
        }
    }
    return true;
}

/* c within what both may be off by is drawn to t, to the same share of what t may be off by. */
static void draw_near(const way *derived, const way *tape, int k, double claimed[]) {
    spor_shape shape = spor_shape_of(tape->d[k]);
    for (int64_t i = 0; i < shape_size(&shape); i++) {
        double own, more, t = rounding_value(tape->program, tape->d[k], i, &own);
        rounding_value(derived->program, derived->d[k], i, &more);
        double off = claimed[i] - t;
        if (!(more > 0) || !(fabs(off) <= own + more)) continue;
        claimed[i] = isfinite(own + more) ? t + off * (own / (own + more)) : t;
    }
}

bool derivation_allow(const spor_derived_gradients *given, bool *decided, spor_message *message) {
    way derived = {.given = given, .message = message}, tape = derived;
    bool done =
        way_take(&derived, true, decided != NULL) && way_take(&tape, false, decided != NULL);
    if (done && decided) *decided = is_decided(&derived) && is_decided(&tape);
    for (int k = 0; done && k < given->piece->inputs; k++)
        if (given->claimed[k]) draw_near(&derived, &tape, k, given->claimed[k]);
    way_free(&derived);
    way_free(&tape);
    return done;
}
