/* Making, naming and placing: everything about a tape but recording ops. */
#include "tape/tape.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/law.h"
#include "base/plain.h"

void *tape_grow(void *array, uint32_t count, uint32_t *capacity, size_t element) {
    if (count < *capacity) return array;
    if (*capacity > UINT32_MAX / 2) return NULL;
    uint32_t larger = *capacity ? *capacity * 2 : 32;
    void *grown = realloc(array, bytes_for(larger, element));
    if (grown) *capacity = larger;
    return grown;
}

spor_tape *spor_tape_new(void) {
    spor_tape *tape = calloc(1, sizeof *tape);
    if (!tape) return NULL;
    tape->node = tape_grow(NULL, 0, &tape->capacity, sizeof *tape->node);
    tape->scope = tape_grow(NULL, 0, &tape->scope_capacity, sizeof *tape->scope);
    if (!tape->node || !tape->scope) {
        spor_tape_free(tape);
        return NULL;
    }
    tape->node[0] = (spor_node){0};
    tape->scope[0] = (spor_scope){.path = ""};
    tape->count = tape->scopes = tape->unplaced = 1;
    return tape;
}

void spor_tape_free(spor_tape *tape) {
    if (!tape) return;
    arena_free(&tape->arena);
    free(tape->node);
    free(tape->scope);
    free(tape->leaf);
    free(tape->setting);
    free(tape->assignment);
    free(tape->custom);
    free(tape);
}

/* ---- errors --------------------------------------------------------------------------------- */

/* error = "file:line:column: complaint", as far as the place is known. */
static void place_error(spor_tape *tape, spor_place place) {
    tape->error_place = place;
    tape->error = tape->complaint;
    if (!place.file) return;
    size_t size = strlen(place.file) + strlen(tape->complaint) + 40;
    char *text = arena_take(&tape->arena, size);
    if (!text) return;
    if (place.column)
        snprintf(text, size, "%s:%d:%d: %s", place.file, place.line, place.column, tape->complaint);
    else
        snprintf(text, size, "%s:%d: %s", place.file, place.line, tape->complaint);
    tape->error = text;
}

spor_var tape_reject(spor_tape *tape, const char *format, ...) {
    spor_var poisoned = {tape, 0};
    if (!tape || tape->error) return poisoned;
    va_list arguments;
    char text[1024];
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    plain_text(text);
    tape->complaint = arena_text(&tape->arena, text);
    tape->exhausted = !tape->complaint;
    if (!tape->complaint) tape->complaint = "out of memory";
    place_error(tape, tape->place);
    return poisoned;
}

void tape_lead_out(spor_tape *tape, const char *called) {
    size_t size = strlen(called) + strlen(tape->complaint) + 3;
    char *text = *called ? arena_take(&tape->arena, size) : NULL;
    if (text) {
        snprintf(text, size, "%s: %s", called, tape->complaint);
        tape->complaint = text;
    }
    place_error(tape, tape->place);
}

spor_var tape_exhaust(spor_tape *tape) {
    bool first = tape && !tape->error;
    spor_var poisoned = tape_reject(tape, "out of memory");
    if (first) tape->exhausted = true;
    return poisoned;
}

const char *spor_error(const spor_tape *tape) {
    return tape ? tape->error : "out of memory";
}

void spor_error_place(const spor_tape *tape, const char **file, int *line, int *column) {
    spor_place place = tape ? tape->error_place : (spor_place){0};
    if (file) *file = place.file;
    if (line) *line = place.line;
    if (column) *column = place.column;
}

void spor_tape_place(spor_tape *tape, const char *file, int line, int column) {
    if (tape) tape->place = (spor_place){file, line, column};
}

spor_var spor_at(spor_var x, const char *file, int line) {
    spor_tape *tape = x.tape;
    if (!tape) return x;
    spor_place here = {file, line, 0};
    for (; tape->unplaced < tape->count; tape->unplaced++)
        if (!tape->node[tape->unplaced].place.file) tape->node[tape->unplaced].place = here;
    if (tape->error && !tape->error_place.file) place_error(tape, here);
    return x;
}

/* ---- scopes ---------------------------------------------------------------------------------- */

/* path of a name inside the current scope: "net" + "K" -> "net/K". */
static const char *path_of(spor_tape *tape, const char *name) {
    const char *outer = tape->scope[tape->current].path;
    size_t size = strlen(outer) + strlen(name) + 2;
    char *path = arena_take(&tape->arena, size);
    if (path) snprintf(path, size, "%s%s%s", outer, *outer ? "/" : "", name);
    return path;
}

/* "conv[]" -> "conv[k]" for the k-th scope of this name here. */
static void number_scope(const spor_tape *tape, const char *name, char *numbered, size_t size) {
    size_t stem = strlen(name) - 1, outer = strlen(tape->scope[tape->current].path);
    int k = 0;
    for (uint32_t s = 1; s < tape->scopes; s++) {
        const char *inner = tape->scope[s].path + outer + (outer > 0);
        if (tape->scope[s].parent == tape->current && !strncmp(inner, name, stem)) k++;
    }
    snprintf(numbered, size, "%.*s%d]", (int)stem, name, k);
}

static void open_scope(spor_tape *tape, const char *name) {
    spor_scope *grown =
        tape_grow(tape->scope, tape->scopes, &tape->scope_capacity, sizeof *tape->scope);
    if (grown) tape->scope = grown;
    const char *path = grown ? path_of(tape, name) : NULL;
    if (!path) {
        tape_exhaust(tape);
        return;
    }
    tape->scope[tape->scopes] =
        (spor_scope){.path = path, .parent = tape->current, .first = tape->count};
    tape->current = tape->scopes++;
}

void spor_scope_begin(spor_tape *tape, const char *name) {
    if (!tape || tape->error) return;
    char numbered[256];
    size_t length = name ? strlen(name) : 0;
    if (length == 0 || length > 200 || strchr(name, '/')) {
        tape_reject(tape, "a scope's name has 1 to 200 characters and no '/', not \"%.40s\"",
                    name ? name : "");
        return;
    }
    if (length > 2 && !strcmp(name + length - 2, "[]")) {
        number_scope(tape, name, numbered, sizeof numbered);
        name = numbered;
    }
    open_scope(tape, name);
}

void spor_scope_begin_for(spor_var parameter) {
    spor_tape *tape = parameter.tape;
    if (!tape || tape->error || !parameter.id) return;
    const char *name = tape_node_of(parameter)->name;
    if (name)
        open_scope(tape, name);
    else
        tape_reject(tape, "spor_scope_begin_for takes a variable with a name");
}

void spor_scope_end(spor_tape *tape, spor_var result) {
    if (!tape || tape->error) return;
    if (!tape->current) {
        tape_reject(tape, "spor_scope_end without a spor_scope_begin");
        return;
    }
    spor_scope *scope = &tape->scope[tape->current];
    scope->last = tape->count;
    scope->result = result.id;
    tape->current = scope->parent;
}

/* ---- leaves with names ---- */

extern const spor_op spor_op_input, spor_op_param;

static spor_var named_leaf(spor_tape *tape, const spor_op *op, const char *name, spor_shape shape,
                           bool trained) {
    if (!tape || tape->error) return (spor_var){tape, 0};
    if (!name) return tape_reject(tape, "the name of an input, a parameter or a state is NULL");
    spor_attr attr[SPOR_ATTRS] = {{.i = shape.rank}};
    for (int k = 0; k < SPOR_RANK; k++) attr[1 + k].i = k < shape.rank ? shape.n[k] : 0;
    attr[1 + SPOR_RANK].i = trained;
    spor_var leaf = op_record_leaf(tape, op, attr);
    if (!leaf.id) return leaf;
    tape->node[leaf.id].name = path_of(tape, name);
    return tape->node[leaf.id].name ? leaf : tape_exhaust(tape);
}

spor_var(spor_input)(spor_tape *tape, const char *name, spor_shape shape) {
    return named_leaf(tape, &spor_op_input, name, shape, false);
}

static spor_var parameter(spor_tape *tape, const char *name, spor_shape shape, spor_init init,
                          bool trained) {
    spor_var leaf = named_leaf(tape, &spor_op_param, name, shape, trained);
    if (!leaf.id) return leaf;
    const spor_law *law = law_find(init.law);
    if (!law)
        return tape_reject(tape, "%s: no law \"%s\" of initial values; there are %s", name,
                           init.law ? init.law : "(null)", law_names());
    const char *path = tape->node[leaf.id].name;
    for (uint32_t k = 0; k < tape->leaves; k++)
        if (!strcmp(tape->node[tape->leaf[k].id].name, path))
            return tape_reject(tape,
                               "the parameter %s is already on this tape: share its variable "
                               "or record in another scope",
                               path);
    spor_leaf *grown = tape_grow(tape->leaf, tape->leaves, &tape->leaf_capacity, sizeof *grown);
    if (!grown) return tape_exhaust(tape);
    tape->leaf = grown;
    tape->leaf[tape->leaves++] = (spor_leaf){leaf.id, {law->name, init.scale}, trained};
    return leaf;
}

spor_var(spor_param)(spor_tape *tape, const char *name, spor_shape shape, spor_init init) {
    return parameter(tape, name, shape, init, true);
}

spor_var(spor_state)(spor_tape *tape, const char *name, spor_shape shape, spor_init init) {
    return parameter(tape, name, shape, init, false);
}

/* True if the node is a leaf recorded by spor_state. */
static bool is_state(spor_var x) {
    for (uint32_t k = 0; k < x.tape->leaves; k++)
        if (x.tape->leaf[k].id == x.id) return !x.tape->leaf[k].trained;
    return false;
}

void spor_assign(spor_var state, spor_var value) {
    spor_tape *tape = state.tape;
    if (!tape || tape->error || !state.id) return;
    if (value.tape != tape || !value.id || !is_state(state)) {
        tape_reject(tape, "spor_assign takes a spor_state and a value on the same tape");
        return;
    }
    if (!shape_equal(tape_node_of(state)->shape, tape_node_of(value)->shape)) {
        tape_reject(tape, "state %s and the value assigned to it have different shapes",
                    tape_node_of(state)->name);
        return;
    }
    spor_assignment *grown =
        tape_grow(tape->assignment, tape->assignments, &tape->assignment_capacity, sizeof *grown);
    if (!grown) {
        tape_exhaust(tape);
        return;
    }
    tape->assignment = grown;
    tape->assignment[tape->assignments++] = (spor_assignment){state.id, value.id};
}

void spor_custom_vjp(spor_var y, int n, const spor_var operand[], spor_backward *backward,
                     void *user) {
    spor_tape *tape = y.tape;
    if (!tape || tape->error || !y.id) return;
    spor_custom custom = {.y = y.id, .operands = n, .backward = backward, .user = user};
    bool healthy = backward && operand && n > 0 && n <= SPOR_CUSTOM_OPERANDS;
    for (int k = 0; healthy && k < n; k++) {
        healthy = operand[k].tape == tape && operand[k].id && operand[k].id < y.id;
        custom.operand[k] = operand[k].id;
    }
    if (!healthy) {
        tape_reject(tape, "custom_vjp takes 1 to %d operands recorded before y on y's tape",
                    SPOR_CUSTOM_OPERANDS);
        return;
    }
    spor_custom *grown =
        tape_grow(tape->custom, tape->customs, &tape->custom_capacity, sizeof *grown);
    if (!grown) {
        tape_exhaust(tape);
        return;
    }
    tape->custom = grown;
    tape->custom[tape->customs++] = custom;
}

/* ---- small questions ---- */

double node_cost(const spor_tape *tape, const spor_node *node) {
    spor_shape in[SPOR_OPERANDS] = {{0}};
    if (!node->op->cost) return 0;
    for (int k = 0; k < node->op->operands; k++) in[k] = *tape->node[node->in[k]].shape;
    return node->op->cost(in, node->shape, node->attr);
}

uint32_t spor_tape_length(const spor_tape *tape) {
    return tape ? tape->count - 1 : 0;
}

spor_var spor_tape_var(spor_tape *tape, uint32_t id) {
    return (spor_var){tape, tape && id < tape->count ? id : 0};
}

spor_shape spor_shape_of(spor_var x) {
    bool healthy = x.tape && x.id && x.id < x.tape->count;
    return healthy ? *tape_node_of(x)->shape : SPOR_SCALAR_SHAPE;
}

spor_var spor_name(spor_var x, const char *name) {
    if (x.tape && x.id && name && !tape_node_of(x)->name)
        x.tape->node[x.id].name = arena_text(&x.tape->arena, name);
    return x;
}
