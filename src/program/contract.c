/* Contraction: regions that match a fast path become one node. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "program/program.h"
#include "registry.h"

#define DECLARE(name) extern const spor_fast spor_fast_##name;
#define ENTRY(name) &spor_fast_##name,
SPOR_EACH_FAST(DECLARE)
const spor_fast *const spor_fast_paths[] = {SPOR_EACH_FAST(ENTRY) NULL};

/* ---- what a match asks ---- */

bool match_made_by(spor_var v, const spor_op *op) {
    return v.id && tape_node_of(v)->op == op;
}

bool match_through(const spor_match *match, spor_var v, const spor_op *op) {
    return match_made_by(v, op) && !match->derived[v.id];
}

bool match_inside_all(spor_match *match, spor_var v, const spor_op *op, uint32_t readers) {
    if (!match_made_by(v, op) || match->uses[v.id] != readers || match->count == SPOR_REGION)
        return false;
    match->inside[match->count++] = v.id;
    return true;
}

bool match_inside(spor_match *match, spor_var v, const spor_op *op) {
    return match_inside_all(match, v, op, 1);
}

bool match_refuse(spor_match *match, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(match->why, sizeof match->why, format, arguments);
    va_end(arguments);
    return false;
}

/* ---- the work ---- */

/* Arrays over the nodes of the recorded tape. */
typedef struct {
    const spor_tape *tape;
    const contraction_use *use;
    bool *live;
    bool *absorbed; /* inside a region taken */
    bool *derived;  /* it has a backward that was derived by hand */
    uint32_t *uses;
    uint32_t *match_of; /* 1 + index into match */
    spor_match *match;
    uint32_t matches, capacity;
} work;

/* The hand-derived backward of node id, or NULL. Where two calls end in one node the outer one,
 * declared last, covers both. */
static const spor_custom *custom_of(const spor_tape *tape, uint32_t id) {
    for (uint32_t k = tape->customs; k > 0; k--)
        if (tape->custom[k - 1].y == id) return &tape->custom[k - 1];
    return NULL;
}

/* A hand-derived backward reads y and its operands: no fast path may swallow them. */
static void mark_custom(work *w, const spor_custom *custom) {
    w->uses[custom->y]++;
    w->derived[custom->y] = true;
    for (int k = 0; k < custom->operands; k++) {
        w->live[custom->operand[k]] = true;
        w->uses[custom->operand[k]]++;
    }
}

static void mark_live(work *w, const uint32_t wanted[], uint32_t count) {
    const spor_tape *tape = w->tape;
    for (uint32_t k = 0; k < count; k++) {
        w->live[wanted[k]] = true;
        w->uses[wanted[k]]++;
    }
    for (uint32_t id = tape->count - 1; id > 0; id--) {
        const spor_node *node = &tape->node[id];
        if (node_is_named_leaf(node)) w->live[id] = true;
        if (!w->live[id]) continue;
        for (int k = 0; k < node->op->operands; k++) {
            w->live[node->in[k]] = true;
            w->uses[node->in[k]]++;
        }
        const spor_custom *custom = w->use->training ? custom_of(tape, id) : NULL;
        if (custom) mark_custom(w, custom);
    }
}

static bool note(spor_contraction *c, const spor_fast *fast, uint32_t root, const char *why) {
    spor_taken *grown = tape_grow(c->taken, c->taken_count, &c->taken_capacity, sizeof *grown);
    if (!grown) return false;
    c->taken = grown;
    spor_taken *taken = &c->taken[c->taken_count++];
    *taken = (spor_taken){.fast = fast, .root = root};
    memcpy(taken->why, why, sizeof taken->why);
    return true;
}

static bool keep_match(work *w, uint32_t root, const spor_match *match) {
    spor_match *grown = tape_grow(w->match, w->matches, &w->capacity, sizeof *grown);
    if (!grown) return false;
    w->match = grown;
    w->match[w->matches++] = *match;
    w->match_of[root] = w->matches;
    for (int k = 0; k < match->count; k++) w->absorbed[match->inside[k]] = true;
    return true;
}

/* True if a node of the region, or what it reads, has no elements. */
static bool is_bare(const work *w, uint32_t root, const spor_match *match) {
    bool bare = node_is_bare(w->tape, root);
    for (int k = 0; k < match->count; k++) bare = bare || node_is_bare(w->tape, match->inside[k]);
    return bare;
}

/* Tries all fast paths on the region that ends in root. */
static bool try_root(work *w, spor_contraction *c, spor_var root) {
    for (int k = 0; spor_fast_paths[k]; k++) {
        spor_match match = {.uses = w->uses,
                            .training = w->use->training,
                            .rowwise = w->use->rowwise,
                            .portable = w->use->portable,
                            .derived = w->derived};
        bool fits = spor_fast_paths[k]->match(&match, root);
        if (fits && is_bare(w, root.id, &match))
            fits = match_refuse(&match, "a tensor has no elements");
        if (!fits && !*match.why) continue;
        if (fits) match.why[0] = 0;
        if (!note(c, spor_fast_paths[k], root.id, match.why)) return false;
        if (fits) return keep_match(w, root.id, &match);
    }
    return true;
}

/* From the end to the start, so that the largest region that ends in a node is seen first. */
static bool find_matches(work *w, spor_contraction *c) {
    spor_tape *tape = (spor_tape *)(uintptr_t)w->tape; /* handles carry it; matching only reads */
    for (uint32_t id = tape->count - 1; id > 0; id--)
        if (w->live[id] && !w->absorbed[id] && !node_is_bare(tape, id) &&
            !try_root(w, c, (spor_var){tape, id}))
            return false;
    return true;
}

/* ---- the contracted copy ---- */

static bool copy_scopes(spor_tape *to, const spor_tape *from) {
    spor_scope *scopes = malloc(from->scopes * sizeof *scopes);
    if (!scopes) return false;
    memcpy(scopes, from->scope, from->scopes * sizeof *scopes);
    free(to->scope);
    to->scope = scopes;
    to->scopes = to->scope_capacity = from->scopes;
    return true;
}

static spor_var copy_node(const spor_contraction *c, const spor_node *node) {
    uint32_t in[SPOR_OPERANDS] = {0};
    for (int k = 0; k < node->op->operands; k++) in[k] = c->map[node->in[k]];
    return tape_append(c->tape, node->op, in, node->attr, node->shape);
}

static spor_var fuse(const spor_contraction *c, const spor_match *match) {
    spor_var in[SPOR_OPERANDS];
    for (int k = 0; k < match->op->operands; k++)
        in[k] = (spor_var){c->tape, c->map[match->in[k].id]};
    return match->op->operands ? op_record(match->op, in, match->attr)
                               : op_record_leaf(c->tape, match->op, match->attr);
}

static bool copy_nodes(work *w, spor_contraction *c) {
    for (uint32_t id = 1; id < w->tape->count; id++) {
        if (!w->live[id] || w->absorbed[id]) continue;
        const spor_node *node = &w->tape->node[id];
        c->tape->current = node->scope;
        c->tape->place = node->place;
        spor_var copy =
            w->match_of[id] ? fuse(c, &w->match[w->match_of[id] - 1]) : copy_node(c, node);
        if (!copy.id) return false;
        c->tape->node[copy.id].name = node->name;
        const spor_custom *custom = w->use->training ? custom_of(w->tape, id) : NULL;
        if (custom) copy = custom_pass(c->tape, copy, custom, c->map);
        if (!copy.id) return false;
        c->map[id] = copy.id;
    }
    c->tape->current = 0;
    return true;
}

static bool copy_settings(const work *w, const spor_contraction *c) {
    bool done = true;
    for (uint32_t k = 0; done && k < w->tape->settings; k++) {
        const spor_dial *setting = &w->tape->setting[k];
        done = tape_add_setting(c->tape, c->map[setting->id], setting->name, setting->value);
    }
    return done;
}

static bool contract(work *w, spor_contraction *c) {
    c->tape = spor_tape_new();
    c->map = calloc(w->tape->count, sizeof *c->map);
    if (!c->tape || !c->map || !copy_scopes(c->tape, w->tape)) return false;
    c->tape->takes_apart = w->use->fast_paths;
    if (w->use->fast_paths && !find_matches(w, c)) return false;
    return copy_nodes(w, c) && copy_settings(w, c);
}

bool contract_tape(const spor_tape *tape, const uint32_t wanted[], uint32_t count,
                   const contraction_use *use, spor_contraction *c) {
    work w = {.tape = tape, .use = use};
    w.live = calloc(tape->count, sizeof *w.live);
    w.absorbed = calloc(tape->count, sizeof *w.absorbed);
    w.derived = calloc(tape->count, sizeof *w.derived);
    w.uses = calloc(tape->count, sizeof *w.uses);
    w.match_of = calloc(tape->count, sizeof *w.match_of);
    bool done = w.live && w.absorbed && w.derived && w.uses && w.match_of;
    if (done) {
        mark_live(&w, wanted, count);
        done = contract(&w, c);
    }
    free(w.live);
    free(w.absorbed);
    free(w.derived);
    free(w.uses);
    free(w.match_of);
    free(w.match);
    return done;
}

void contraction_free(spor_contraction *c) {
    spor_tape_free(c->tape);
    free(c->map);
    free(c->taken);
}
