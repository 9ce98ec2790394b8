/* Differentiation: from tape to tape, backwards along the list, without recursion. */
#include <stdlib.h>
#include <string.h>

#include "tape/slices.h"

/* Work arrays over the nodes 0 .. y. */
typedef struct {
    spor_tape *tape;
    uint32_t y;
    bool *active;       /* depends on one of wrt, or is one */
    uint32_t *bar;      /* id of the cotangent so far; 0: none yet */
    spor_slices slices; /* of cotangents, not yet in bar */
} sweep;

/* Marks what depends on wrt; returns the first such node. */
static uint32_t mark_active(sweep *s, int n, const spor_var wrt[]) {
    uint32_t first = s->y + 1;
    for (int k = 0; k < n; k++) {
        if (wrt[k].id > s->y) continue; /* recorded after y: not reached */
        s->active[wrt[k].id] = true;
        if (wrt[k].id < first) first = wrt[k].id;
    }
    for (uint32_t id = first; id <= s->y; id++) {
        const spor_node *node = &s->tape->node[id];
        for (int k = 0; k < node->op->operands; k++)
            if (s->active[node->in[k]]) s->active[id] = true;
    }
    return first;
}

/* sum + share; `made`: the share is of the vjp just called and of use to nobody else, so that its op may add it. */
static spor_var add_share(spor_var sum, spor_var share, bool made) {
    const spor_op *op = tape_node_of(share)->op;
    spor_var in[SPOR_OPERANDS];
    if (!made || !op->onto) return spor_add(sum, share);
    for (int k = 0; k < op->operands; k++) in[k] = op_operand(share, k);
    in[op->operands] = sum;
    return op_record(op->onto, in, op_attrs(share));
}

/* A value used twice accumulates. */
static bool add_to_bar(sweep *s, uint32_t id, spor_var share, bool made) {
    if (s->bar[id] && share.id) share = add_share((spor_var){s->tape, s->bar[id]}, share, made);
    s->bar[id] = share.id;
    return share.id != 0;
}

/* All that reads node id has been pulled back. */
static bool complete_bar(sweep *s, uint32_t id) {
    spor_var share = slices_sum(&s->slices, s->tape, id);
    return !share.tape || add_to_bar(s, id, share, false);
}

/* Adds a cotangent to operand k of node id; its vjp has recorded the nodes from `first` on. */
static bool accumulate(sweep *s, uint32_t id, int k, spor_var share, uint32_t first) {
    spor_tape *tape = s->tape;
    uint32_t operand = tape->node[id].in[k];
    if (!share.tape) return true; /* zero everywhere */
    if (!share.id) return false;
    if (!shape_equal(tape_node_of(share)->shape, tape->node[operand].shape)) {
        char name[SPOR_NAME];
        op_name(tape->node[id].op, name, sizeof name);
        tape_reject(tape, "%s: its vjp gives operand %d a cotangent of another shape", name, k);
        return false;
    }
    return slices_keep(&s->slices, operand, share) ||
           add_to_bar(s, operand, share, share.id >= first);
}

/* Pulls the cotangent of node id back to its operands. */
static bool pull_back(sweep *s, uint32_t id) {
    spor_tape *tape = s->tape;
    const spor_op *op = tape->node[id].op;
    for (int k = 0; k < op->operands; k++) {
        if (!s->active[tape->node[id].in[k]]) continue;
        if (!shape_size(tape->node[tape->node[id].in[k]].shape)) continue; /* all of it is 0 */
        tape->place = tape->node[id].place;
        tape->current = tape->node[id].scope;
        if (!op->vjp) {
            char name[SPOR_NAME];
            op_name(op, name, sizeof name);
            tape_reject(tape, "%s: has no derivative (its descriptor names no vjp)", name);
            return false;
        }
        spor_var y = {tape, id}, ybar = {tape, s->bar[id]};
        uint32_t first = tape->count;
        if (!accumulate(s, id, k, op->vjp(y, k, ybar), first)) return false;
    }
    return true;
}

static bool sweep_back(sweep *s, uint32_t first) {
    spor_place place = s->tape->place;
    uint32_t scope = s->tape->current, id = s->y;
    bool done = true;
    for (; done && id >= first; id--) {
        done = complete_bar(s, id);
        bool some = shape_size(s->tape->node[id].shape) != 0;
        if (done && some && s->bar[id] && s->active[id]) done = pull_back(s, id);
    }
    s->tape->place = place;
    s->tape->current = scope;
    return done;
}

/* d[k] from the cotangents; zero where y was not reached. */
static bool collect(sweep *s, int n, const spor_var wrt[], spor_var d[]) {
    for (int k = 0; k < n; k++) {
        uint32_t bar = wrt[k].id <= s->y ? s->bar[wrt[k].id] : 0;
        d[k] = bar ? (spor_var){s->tape, bar} : op_fill_ratio(s->tape, 0, 1, spor_shape_of(wrt[k]));
        if (!d[k].id) return false;
    }
    return true;
}

/* True if y, ybar and wrt are healthy variables of one tape. */
static bool check_operands(spor_var y, spor_var ybar, int n, const spor_var wrt[]) {
    spor_tape *tape = y.tape;
    if (!tape || tape->error) return false;
    bool healthy = y.id && ybar.id && ybar.tape == tape;
    for (int k = 0; k < n; k++) healthy = healthy && wrt[k].tape == tape && wrt[k].id;
    if (!healthy) {
        tape_reject(tape, "vjp: y, its cotangent and wrt must be variables of one tape");
        return false;
    }
    if (shape_equal(tape_node_of(y)->shape, tape_node_of(ybar)->shape)) return true;
    tape_reject(tape, "vjp: the cotangent must have the shape of y");
    return false;
}

/* d is poisoned until it is known; false, and the tape has the error, if there is no room for it. */
static bool poison(spor_tape *tape, int n, const spor_var wrt[], spor_var d[]) {
    for (int k = 0; d && k < n; k++) d[k] = (spor_var){tape, 0};
    bool given = n <= 0 || (wrt && d);
    if (!given) tape_exhaust(tape);
    return given;
}

bool spor_vjp(spor_var y, spor_var ybar, int n, const spor_var wrt[], spor_var d[]) {
    if (!poison(y.tape, n, wrt, d)) return false;
    if (!check_operands(y, ybar, n, wrt)) return false;
    sweep s = {.tape = y.tape, .y = y.id};
    s.active = calloc((size_t)y.id + 1, sizeof *s.active);
    s.bar = calloc((size_t)y.id + 1, sizeof *s.bar);
    s.slices.first = calloc((size_t)y.id + 1, sizeof *s.slices.first);
    bool done = s.active && s.bar && s.slices.first;
    if (done) {
        s.bar[y.id] = ybar.id;
        uint32_t first = mark_active(&s, n, wrt);
        done = sweep_back(&s, first) && collect(&s, n, wrt, d);
    } else {
        tape_exhaust(y.tape);
    }
    free(s.active);
    free(s.bar);
    free(s.slices.first);
    free(s.slices.at);
    return done;
}

bool spor_grad(spor_var cost, int n, const spor_var wrt[], spor_var d[]) {
    if (!poison(cost.tape, n, wrt, d) || !cost.tape || !cost.id) return false;
    spor_shape shape = spor_shape_of(cost);
    if (shape.rank) {
        char text[128];
        tape_shape_text(&shape, NULL, text, sizeof text);
        tape_reject(cost.tape,
                    "grad: a cost is a scalar, but this one has shape %s: sum or mean "
                    "it, or use vjp with a cotangent",
                    text);
        return false;
    }
    return spor_vjp(cost, spor_ratio(cost.tape, 1, 1), n, wrt, d);
}
