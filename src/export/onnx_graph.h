/*
 * The inside of an ONNX graph under way. onnx_tape.c walks over the tape and asks each op's mapping,
 * onnx_forms.c knows in which orders its variables lie, onnx_nodes.c makes tensors and nodes, onnx_write.c
 * writes those that the output needs.
 */
#ifndef SPOR_EXPORT_ONNX_GRAPH_H
#define SPOR_EXPORT_ONNX_GRAPH_H

#include <spor/program.h>
#include "base/arena.h"
#include "data/text.h"
#include "export/onnx.h"
#include "tape/tape.h"

/** Numbers of a tensor that is known, or what a node makes. */
typedef struct {
    const char *name; /* that it should have; onnx_write.c makes it the only one of this name */
    onnx_type type;
    onnx_shape shape;
    const void *data; /* row-major; NULL: not known */
    int node;         /* that makes it; -1: none, it is an input or known */
    bool needed;
} onnx_held;

enum { ONNX_OUTPUTS = 2 };

typedef struct {
    const char *op;
    int *input;
    int inputs, output[ONNX_OUTPUTS], outputs;
    spor_text attributes;        /* in the file's bytes */
    const char *with_bias;       /* the op that it is with a bias; NULL: it takes none */
    int bias_axis;               /* of the variable */
    bool casts, reshapes, joins; /* into another type; to other sizes; along an axis */
    int joined;                  /* which is this one of the tensor */
    uint32_t id;                 /* what of the tape it is for */
    spor_place place;
    bool needed;
} onnx_made;

/** A tensor that a variable is, and in which order. */
typedef struct onnx_form {
    struct onnx_form *next;
    onnx_tensor tensor;
    onnx_order order;
} onnx_form;

/** A node of the tape. */
typedef struct {
    onnx_shape shape;
    onnx_form *form; /* the one that its op gave first; NULL: not there */
    int uses;
    bool needed, known,
        read; /* known: its numbers don't depend on inputs; read: what is written has it */
} onnx_variable;

struct onnx_graph {
    const spor_tape *tape;
    spor_arena arena;
    onnx_type number; /* float or double */
    onnx_held *tensor;
    uint32_t tensors, tensor_capacity;
    onnx_made *node;
    uint32_t nodes, node_capacity;
    onnx_variable *variable;
    uint32_t now;        /* the variable that is being written */
    const char *base;    /* the name of its result */
    onnx_tensor rows;    /* [1], their number; 0: not asked for yet */
    onnx_tensor counted; /* the input that has them as its first axis; 0: there is none */
    bool fails, of_rows; /* of_rows: with a fixed number of rows it may work */
    spor_message message;
};

/** Holds the first error; returns 0. */
onnx_tensor graph_fail(onnx_graph *g, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
onnx_tensor graph_exhaust(onnx_graph *g);
void graph_free(onnx_graph *g);

/** A new tensor; name, shape and data are kept by reference. */
onnx_tensor graph_tensor(onnx_graph *g, const char *name, onnx_type type, const onnx_shape *shape,
                         const void *data);
/** A node of n inputs, its output a tensor of this name. */
onnx_tensor graph_node(onnx_graph *g, const char *op, int n, const onnx_tensor in[],
                       const char *name, onnx_type type, const onnx_shape *shape);
onnx_made *graph_maker(onnx_graph *g, onnx_tensor y);
/** "base/what", kept. */
const char *graph_name(onnx_graph *g, const char *base, const char *what);
/** A list of whole numbers as a tensor of this name. */
onnx_tensor graph_list(onnx_graph *g, const char *name, int n, const int64_t value[]);
/** The sizes of a shape as a list, that of the rows taken from the input. */
onnx_tensor graph_sizes(onnx_graph *g, const char *name, const onnx_shape *shape);
void graph_set_list(onnx_graph *g, onnx_tensor y, const char *name, int n, const int64_t value[]);

size_t onnx_width(onnx_type type);
/** Elements of a shape without open sizes. */
int64_t onnx_count(const onnx_shape *shape);

/** y, all sizes of which are 1 where they are not those of the shape, repeated; called so. */
onnx_tensor graph_repeated(onnx_graph *g, const char *name, onnx_tensor y, const onnx_shape *to);
/** y with its axes taken from perm; of known numbers a copy. */
onnx_tensor graph_transposed(onnx_graph *g, onnx_tensor y, int rank, const int perm[]);
/** y in a shape that differs by sizes of 1; of known numbers the same ones. */
onnx_tensor graph_squeezed(onnx_graph *g, onnx_tensor y, int n, const int64_t axes[]);
onnx_tensor graph_unsqueezed(onnx_graph *g, onnx_tensor y, int n, const int64_t axes[]);

/** Variable id has this form, too. */
const onnx_form *form_keep(onnx_graph *g, uint32_t id, onnx_tensor y, const onnx_order *order);
/** Variable id in an order that has those of its axes that its first form has, and -1s; a form of it. */
onnx_tensor form_reach(onnx_graph *g, uint32_t id, const onnx_order *order);
/** Variable id with all its axes, in this order. */
onnx_tensor form_whole(onnx_graph *g, uint32_t id, const onnx_order *order);
/** Which of its axes its first form has; present[SPOR_RANK]. */
void form_find_present(const onnx_graph *g, uint32_t id, bool present[]);
/** The order in which a variable lies, with all its axes. */
onnx_order form_order(const onnx_graph *g, uint32_t id);
bool order_equal(const onnx_order *a, const onnx_order *b);
/** order, with -1 for the axes that are not present. */
onnx_order order_of_present(const onnx_order *order, const bool present[]);

#endif
