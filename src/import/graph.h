/*
 * The inside of an import under way. onnx.c reads the file, graph.c has its values and walks over the nodes, table.c
 * says which function makes what of an op, forms.c in which order of axes a value lies, known.c what can be computed
 * now, write.c what the files are made of.
 *
 * ONNX's maps are [N, C, H, W], spor's [N, H, W, C]. So a value of the file lies in the script in some *order* of its
 * axes, and functions that make lines say in which order they want an operand, or take it as it lies. A Transpose makes
 * no line: its result is the same variable in another order. Numbers that are known are turned here.
 *
 * A function that can't go on gives up, and does not return.
 */
#ifndef SPOR_IMPORT_GRAPH_H
#define SPOR_IMPORT_GRAPH_H

#include <setjmp.h>
#include <stdarg.h>

#include "data/text.h"
#include "import/import.h"
#include "import/onnx.h"

/** A number that may depend on N, the rows: a + b N. Sizes are whole. */
typedef struct {
    double a, b;
} import_number;
typedef struct {
    int64_t a, b;
} import_size;

/** Numbers that are known, row-major. */
typedef struct {
    int type, rank;
    int64_t size[SPOR_RANK], count;
    double *a, *b;    /* a + b N; b NULL: none depends on N */
    const char *name; /* in the file */
    bool trained;     /* they come from the file's weights */
} import_known;

/** A variable of the script that is a value: axis k of it is the value's axis order[k]. If parts, the last one is
 *  `parts` axes in one, of which part[] is the order and part_size the sizes, in the value's own order. */
typedef struct {
    const char *text;
    int order[SPOR_RANK];
    int parts, part[SPOR_RANK];
    int64_t part_size[SPOR_RANK];
} import_form;

enum { FORMS = 6 };

/** A tensor of the file. */
typedef struct import_value {
    struct import_value *next; /* of the same bucket */
    const char *name;
    const char *op; /* that makes it, "" */
    int maker;      /* the node; -1: none */
    int type, rank;
    import_size size[SPOR_RANK];
    const onnx_numbers *numbers; /* that the file has of it; NULL: none */
    import_known *known;         /* NULL: not known, or not read yet */
    import_form form[FORMS];
    int forms;
    const char *pending; /* the line that makes it, in the file's order, once somebody reads it */
    bool zeros;          /* nothing else */
    bool counts;         /* no number of it is negative */
    struct import_value *given; /* the input whose numbers it has; NULL: they are computed */
    int64_t names;              /* of an input: its numbers name one of so many rows; 0: none */
    struct import_value
        *flat; /* it is this value's axes, all but the first in one; no line is made yet */
    int readers, reader;      /* how many inputs of nodes read it; the last such node */
    bool there, output, maps; /* made; of the graph; somebody wants it as maps */
} import_value;

typedef struct import_op import_op;
typedef struct import_graph import_graph;

/** A node that lines are made of. */
typedef struct {
    import_graph *g;
    const onnx_node *node;
    const import_op *op;
    int index, opset;
    int inputs, outputs;
    import_value **in, **out; /* NULL: left out */
} import_call;

typedef void import_make(import_call *c);
typedef void import_fold(int n, const import_number x[], bool whole, import_number *y);

/** What is known of an op of ONNX: a row of the table. */
struct import_op {
    const char *name;
    import_make *make;
    /* The line, with operands A, B, C and attributes $alpha. */
    const char *text;
    /* Attributes that are understood: "axis" by the function, "alpha=0.01" with a default, "mode:0" only this, a number or a word. */
    const char *attributes;
    int least, most; /* inputs */
    const char
        *act; /* what a layer's act= is called, if the node has no attributes, or this alpha */
    double act_alpha;
    import_fold *fold;
    bool decides; /* its result is true or false */
    bool maps;    /* input 0 is maps */
    bool passes;  /* elementwise or the like: inputs are maps if the result is */
    bool moves;   /* the result's numbers are input 0's, in other places */
};

/** A tensor of the weights' file. */
typedef struct {
    const char *name;
    int rank;
    int64_t size[SPOR_RANK];
    const double *value;
    bool wide;
    const char *variable; /* of the def itself; NULL: it is a layer's */
} import_weight;

typedef struct import_word {
    struct import_word *next;
    const char *text;
    int count;
} import_word;

enum { BUCKETS = 4096, BESIDE = 16 };

/** A file beside the model, which has numbers of its tensors. */
typedef struct {
    char *path;
    unsigned char *bytes;
    size_t size;
} import_beside;

struct import_graph {
    const import_wish *wish;
    import_result *result;
    onnx_model model;
    spor_arena arena;
    import_beside beside[BESIDE];
    int besides;
    spor_message *message;
    jmp_buf end;
    const char
        *rows_name;    /* the open first axis, by its name in the file; NULL: there is none yet */
    bool opens;        /* a first axis that the file fixes is taken for N */
    int64_t file_rows; /* so many rows the file has, where that was done; else 0 */
    int64_t looks;     /* at nodes, for who reads an index: bounded */
    bool exhausted;
    bool has_rows, uses_rows, left_softmax, wide, rounds, names_rows;
    import_value *bucket[BUCKETS];
    import_word *word[BUCKETS];  /* names that the def has */
    import_word *layer[BUCKETS]; /* calls of each def */
    bool *done;                  /* nodes that are part of another's line */
    bool *needed;
    import_call *now;
    spor_text body;
    int lines;
    import_weight *weight;
    uint32_t weights;
    size_t weight_room;
};

/* ---- graph.c ---------------------------------------------------------------------------------- */

/** Gives up, with the node that is being looked at in front. */
_Noreturn void import_refuse(import_graph *g, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
_Noreturn void import_exhaust(import_graph *g);
/** Memory that lives as long as the import, zeroed. */
void *import_take(import_graph *g, size_t count, size_t each);
/** A text that does. */
char *import_say(import_graph *g, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *import_say_list(import_graph *g, const char *format, va_list arguments);
/** A line of what the command tells. */
void import_tell(import_graph *g, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** The value of this name; NULL if there is none. */
import_value *import_find(const import_graph *g, const char *name);
/** Output k of a node, which is there from now on. NULL if it is left out. */
import_value *import_result_of(import_call *c, int k, int type, int rank, const import_size size[]);
/** The same with the sizes of another value. */
import_value *import_like(import_call *c, int k, const import_value *x);
/** Output k is this number in all places; a line is made where somebody reads it. */
import_value *import_give_equal(import_call *c, int k, int type, int rank, const import_size size[],
                                double number);
/** Output k is known. */
void import_give_known(import_call *c, int k, import_known *known);
/** Output k is x itself, its axes taken from perm. */
void import_give_same(import_call *c, int k, import_value *x, const int perm[]);

import_value *import_input(import_call *c, int k);   /* NULL: left out */
import_value *import_operand(import_call *c, int k); /* gives up if it is left out */
/** The numbers of input k; NULL if it is left out, gives up if it is not known. */
import_known *import_numbers(import_call *c, int k);
/** The only node that reads y, behind those that hand it on, which become part of this one: *y is what it reads then. -1: there
 *  is none. */
int import_only_reader(import_call *c, import_value **y);
/** y becomes what this node makes, whose line is part of this one's. */
void import_swallow(import_call *c, int node, import_value **y);
/** The numbers of a value that nodes to come may make; NULL if they are not known. */
import_known *import_known_ahead(import_call *c, const char *name);
/** The numbers of a value; NULL if they are not known. */
import_known *import_known_of(import_graph *g, import_value *v);

/* ---- graph.c, faces.c, node.c, ahead.c: the walk ----------------------------------------------- */

/** A new value; gives up if there is one of this name. */
import_value *import_add(import_graph *g, const char *name);
/** Makes lines, or known numbers, of a node. */
void import_make_node(import_graph *g, int index);
/** Gives up if the op is not known, or an attribute is none that it understands. */
void import_examine(import_call *c);
/** Values of the graph's inputs, which are then variables; the def's last line. */
void import_add_inputs(import_graph *g);
void import_name_inputs(import_graph *g);
void import_give_outputs(import_graph *g);

/* Attributes: node.c. */
const onnx_attribute *import_attribute(const import_call *c, const char *name);
int64_t import_integer(const import_call *c, const char *name, int64_t otherwise);
double import_real(import_call *c, const char *name, double otherwise);
const char *import_text(const import_call *c, const char *name, const char *otherwise);
/** A list of whole numbers into list[most]; how many, -1 if the node has none. */
int import_list(import_call *c, const char *name, int most, int64_t list[]);
/** An axis between 0 and rank - 1. */
int import_axis(import_call *c, int64_t axis, int rank);
/** Whole numbers of input k, or of the attribute; -1: neither is there. */
int import_integers(import_call *c, int k, const char *attribute, int most, int64_t list[]);
/** Sizes of input k, of which some may depend on N. */
int import_sizes(import_call *c, int k, int most, import_size list[]);

/* Sizes. */
static inline import_size import_fixed(int64_t n) {
    return (import_size){n, 0};
}
bool import_same_size(import_size a, import_size b);
/** A size that does not depend on N, or gives up. */
int64_t import_exact(import_graph *g, import_size size, const char *what);
/** "N", "3 * N", "28". */
const char *import_size_text(import_graph *g, import_size size);
/** "[N, 28, 28, 1]" in this order; NULL: that of the axes. */
const char *import_shape_text(import_graph *g, int rank, const import_size size[],
                              const int order[]);
/** The product of sizes; gives up if two depend on N. */
import_size import_product(import_graph *g, int n, const import_size size[]);

/* ---- names.c ---------------------------------------------------------------------------------- */

/** A name that nothing in the def has, made of one in the file. */
const char *import_name(import_graph *g, const char *name, const char *op);
/** A text of the file as part of a comment: on one line. */
const char *import_comment(import_graph *g, const char *text);

/* ---- known.c ---------------------------------------------------------------------------------- */

import_known *known_new(import_graph *g, int type, int rank, const int64_t size[]);
import_known *known_of_sizes(import_graph *g, int n, const import_size size[]);
/** x seen through strides: element i of the result is x[offset + sum of i[k] stride[k]]. */
import_known *known_view(import_graph *g, const import_known *x, int rank, const int64_t size[],
                         int64_t offset, const int64_t stride[]);
import_known *known_transposed(import_graph *g, const import_known *x, const int perm[]);
/** The same numbers with other sizes. */
import_known *known_shaped(import_graph *g, const import_known *x, int rank, const int64_t size[]);
import_known *known_broadcast(import_graph *g, const import_known *x, int rank,
                              const int64_t size[]);
/** Element by element, operands broadcast. */
import_known *known_fold(import_call *c, int n, import_known *const x[]);
/** A stretch of one axis, from first on by step. */
import_known *known_slice(import_graph *g, const import_known *x, int axis, int64_t first,
                          int64_t step, int64_t count);
import_known *known_gather(import_graph *g, const import_known *x, int axis,
                           const import_known *at);
import_known *known_concat(import_graph *g, int n, import_known *const x[], int axis);
import_known *known_reduced(import_call *c, const import_known *x, const bool axes[],
                            bool keepdims);
import_number known_at(const import_known *x, int64_t k);
bool known_all(const import_known *x, double value);
import_size known_size(import_graph *g, const import_known *x, int64_t k);
void known_set(import_graph *g, import_known *x, int64_t k, import_number value);

/* ---- forms.c ---------------------------------------------------------------------------------- */

/** The order in which a value lies; that of its axes if it is known, or flat. */
void held_order(const import_value *v, int order[]);
bool held_is_plain(int rank, const int order[]);
/** A value in this order, as a text. */
const char *held_reach(import_call *c, import_value *v, const int order[]);
const char *held_plain(import_call *c, import_value *v);
/** A value whose last axis is the value's last one, others as they lie; order says how. */
const char *held_last(import_call *c, import_value *v, int order[]);
/** A value as it lies, with all its axes. */
const char *held_lying(import_call *c, import_value *v, int order[]);
/** Where an axis of the value is in this order. */
int held_axis(int rank, const int order[], int axis);
/** A value as it lies, its parts too. */
const import_form *held_any(import_call *c, import_value *v);
/** The value with its channels last: [N, C, ...] becomes [N, ..., C]. */
const char *held_channels_last(import_call *c, import_value *v);
void held_channels_order(int rank, int order[]);
/** Known numbers as a text: a number, a list, a parameter or a state. */
const char *held_constant(import_call *c, import_known *x, const char *purpose);
/** A known value is in the script as a tensor, even if it is one number. */
const char *held_tensor(import_call *c, import_known *x);
/** A value lies so, in a variable of this name. */
void held_keep(import_value *v, const char *text, const int order[]);

/** A line of the def. */
void import_add_line(import_graph *g, const char *name, const char *expression, int rank,
                     const import_size size[], const int order[]);
/** Output k is this line, in this order: NULL: that of its axes. */
void import_line(import_call *c, import_value *y, const int order[], const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/** A variable of its own for a text; y says of which sizes it is, for the comment. */
const char *import_variable(import_call *c, const char *name, int rank, const import_size size[],
                            const int order[], const char *format, ...)
    __attribute__((format(printf, 6, 7)));
/** If only an activation reads y: its act=, ", act=relu", and *y becomes what that node makes. */
const char *import_act(import_call *c, import_value **y);

/** If only an Add of a known vector of n along this axis, counted from the end, reads y: the vector, and *y becomes the
 *  sum. */
import_known *import_bias(import_call *c, import_value **y, int64_t n, int from_end);

/** Weights: "net/conv[2]", one more call of a layer; numbers of one of its parameters. */
const char *import_layer(import_graph *g, const char *layer);
void import_weight_of(import_graph *g, const char *layer, const char *name, int rank,
                      const int64_t size[], const double value[]);
/** A vector of n equal numbers. */
const double *import_equal(import_graph *g, int64_t n, double value);
/** "3" for two that are equal, else "[3, 2]". */
const char *import_pair(import_graph *g, int64_t a, int64_t b);
/** A real as short as it reads back. */
const char *import_real_text(import_graph *g, double value, bool wide);

/* ---- write.c ---------------------------------------------------------------------------------- */

void import_write(import_graph *g);

/* ---- table.c ---------------------------------------------------------------------------------- */

const import_op *import_op_find(const char *name);

/* Functions of rows, by file. */
import_make make_elementwise, make_variadic, make_clip, make_cast, make_where, make_prelu,
    make_gelu; /* elementwise.c */
import_make make_conv, make_conv_transpose, make_max_pool, make_average_pool, make_global_pool,
    make_resize, make_depth_to_space, make_space_to_depth; /* windows.c */
import_make make_gemm, make_matmul, make_einsum;           /* products.c */
import_make make_reshape, make_flatten, make_squeeze, make_unsqueeze, make_transpose, make_expand,
    make_identity, make_dropout; /* layout.c */
import_make make_concat, make_split, make_slice, make_gather, make_gather_elements, make_gather_nd,
    make_scatter_nd, make_pad, make_tile, make_one_hot, make_top_k, make_cumsum,
    make_trilu; /* parts.c */
import_make make_constant, make_shape, make_size, make_constant_of_shape,
    make_range;                                  /* constants.c */
import_make make_reduce, make_arg, make_softmax; /* reduce.c */
import_make make_batch_norm, make_layer_norm, make_rms_norm, make_instance_norm, make_lrn,
    make_group_norm;             /* norms.c */
import_make make_lstm, make_gru; /* recurrent.c */
import_fold fold_add, fold_sub, fold_mul, fold_div, fold_neg, fold_abs, fold_sqrt, fold_exp,
    fold_log, fold_pow, fold_reciprocal, fold_floor, fold_ceil, fold_round, fold_min, fold_max,
    fold_equal, fold_less, fold_less_equal, fold_greater, fold_greater_equal, fold_and, fold_or,
    fold_xor, fold_not, fold_where, fold_mod, fold_sign; /* fold.c */

#endif
