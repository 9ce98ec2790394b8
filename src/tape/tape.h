/*
 * The inside of a tape, for the modules that read it: differentiation, prints, programs, show.
 */
#ifndef SPOR_TAPE_TAPE_H
#define SPOR_TAPE_TAPE_H

#include "base/arena.h"
#include "tape/op.h"

typedef struct {
    const char *file; /* NULL: unknown */
    int line, column;
} spor_place;

/** A line of the Wengert list. in[] are ids of earlier nodes; shapes and attributes lie in the
 *  tape's arena and never move. */
typedef struct {
    const spor_op *op;
    const spor_shape *shape;
    const spor_attr *attr;
    const char *name; /* full name of a leaf, name given by spor_name, or NULL */
    uint32_t in[SPOR_OPERANDS];
    uint32_t parts; /* an earlier node of the same value, made by op->parts; 0: none */
    uint32_t scope;
    bool masked;         /* comes of cotangents of which a mask left elements out: see op_pull */
    unsigned char truth; /* SPOR_SOME_0 ...: what is known of its numbers */
    spor_place place;
} spor_node;

/** path is the full name, "net/conv[0]"; scope 0 is the tape itself, "". */
typedef struct {
    const char *path;
    uint32_t parent;
    uint32_t first, last; /* nodes first .. last-1 were recorded inside; last 0: still open */
    uint32_t result;      /* node id */
} spor_scope;

/** A parameter or state: node and law. */
typedef struct {
    uint32_t id;
    spor_init init;
    bool trained;
} spor_leaf;

/** A scalar input with a value of its own. */
typedef struct {
    uint32_t id;
    const char *name;
    double value;
} spor_dial;

/** After a step the state takes the value: node ids. */
typedef struct {
    uint32_t state, value;
} spor_assignment;

/** A hand-derived backward of y: node ids. */
typedef struct {
    uint32_t y, operand[SPOR_CUSTOM_OPERANDS];
    int operands;
    spor_backward *backward;
    void *user;
} spor_custom;

struct spor_tape {
    spor_arena arena;
    spor_node *node; /* node[0] is the poisoned one */
    uint32_t count, capacity;
    spor_scope *scope;
    uint32_t scopes, scope_capacity, current;
    spor_leaf *leaf;
    uint32_t leaves, leaf_capacity;
    spor_dial *setting;
    uint32_t settings, setting_capacity;
    spor_assignment *assignment;
    uint32_t assignments, assignment_capacity;
    spor_custom *custom;
    uint32_t customs, custom_capacity;
    bool takes_apart;              /* nodes get parts, where their op has them */
    spor_place place;              /* of the nodes recorded next */
    uint32_t unplaced;             /* first node that spor_at has not seen */
    const char *complaint, *error; /* without and with its place */
    bool exhausted; /* the error is that memory ran out: nothing is said of the rest */
    spor_place error_place;
};

/** Makes node id, an input, a setting; false when out of memory. */
bool tape_add_setting(spor_tape *tape, uint32_t id, const char *name, double value);

/** Puts an error on the tape, if it has none yet, and returns the poisoned variable. */
spor_var tape_reject(spor_tape *tape, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Moves the error of a tape to the current place, where what was called, or "", was called. */
void tape_lead_out(spor_tape *tape, const char *called);

/** The same where memory ran out. */
spor_var tape_exhaust(spor_tape *tape);

/** Appends a node as it is, without a shape rule. attr is copied. */
spor_var tape_append(spor_tape *tape, const spor_op *op, const uint32_t in[],
                     const spor_attr attr[], const spor_shape *shape);

/** May an op be recorded of these operands? rule has it, their shapes and attributes, and gets the result's shape, or
 *  what is wrong with them. */
bool tape_allows(spor_rule *rule, const spor_var in[]);

/** What is known of the numbers of a node that has no truth yet. known.c */
unsigned known_truth(const spor_tape *tape, const spor_node *node);

/** True of a leaf that is numbers, all of them 0 and meant so. */
bool known_zero(const spor_node *node);

/** True if it is 1 where something holds and 0 elsewhere, for all that is known: no index. */
bool known_mask(spor_var x);

/** Refuses operands that are an index and, for all that is known of them, can't be meant so: a mask where there are not
 *  two rows, a constant that names none. */
bool known_index(spor_rule *rule, const spor_var in[]);

/** Makes room for one more element of an array that doubles; NULL when out of memory. */
void *tape_grow(void *array, uint32_t count, uint32_t *capacity, size_t element);

/** Writes a shape with the axis names of the signature: [N=32, H=8]; returns what snprintf does. */
int tape_shape_text(const spor_shape *shape, const spor_signature_operand *names, char *text,
                    size_t size);

static inline const spor_node *tape_node_of(spor_var x) {
    return &x.tape->node[x.id];
}

/** Writes the attributes of a node that do not go without saying, "stride=[2, 2], axis=1", with a comma
 *  before the first if `before` others were written; returns what fprintf does. print.c */
int tape_print_attributes(const spor_tape *tape, const spor_node *node,
                          const spor_signature *signature, int before, FILE *out);

/** Writes the nodes 1 .. last-1 as a graph for Graphviz: scopes are clusters; those from `forward` on, the
 *  gradient's, have their own colour. dot.c */
void tape_print_dot(const spor_tape *tape, const char *title, uint32_t forward, uint32_t last,
                    FILE *out);

/** Multiply-adds of a forward pass of the node. */
double node_cost(const spor_tape *tape, const spor_node *node);

/** Its numbers come from outside the tape: an input, a parameter or a state. */
static inline bool node_is_named_leaf(const spor_node *node) {
    return node->op->traits & (SPOR_GIVEN | SPOR_STORED);
}

#endif
