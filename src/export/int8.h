/*
 * A network in whole-number arithmetic. The tape of one sample, as it was recorded, becomes a list of steps on
 * arrays of bytes: each step is a call of a function of int8_portable.c, a copy, or a stretch of nodes that
 * computes in float. The same list is run by spor and written in C.
 *
 * A byte q stands for scale (q - zero), with a scale and a zero of each array, 0 exact; weights are
 * scale[channel] q. Sums are int32, and can't overflow: int8_products.c looks at each.
 */
#ifndef SPOR_EXPORT_INT8_H
#define SPOR_EXPORT_INT8_H

#include <spor/data.h>

#include "data/text.h"
#include "export/c_program.h"
#include "export/export.h"

/** What the bytes of an array stand for. */
typedef struct {
    double scale;
    int zero;
} int8_code;

/* ---- the nodes: int8_graph.c ------------------------------------------------------------------ */

/** What is known of a node of the tape. */
typedef struct {
    bool live;
    bool constant;      /* it does not depend on x */
    double *value;      /* of a constant that others read, else NULL */
    int readers;        /* nodes that are no constants, and the caller of the network */
    double least, most; /* of its elements, over the rows that were looked at; 0 is among them */
    bool parted;        /* some element is no whole number */
    uint32_t names;     /* the node that takes its numbers for rows; 0: none */
    bool inside;        /* another node's step computes it, on the way */
    uint32_t folds;     /* the node of the sums, or of x, that this one's step begins at; 0: none */
    int64_t
        channels; /* of such a step: numbers of a channel are times a number plus a number; 0: of two tensors */
    uint32_t affine; /* of such a step: the last node that is sums times a number plus a number */
    uint32_t source; /* the node of which this is a function, element by element; itself */
    bool floats;     /* it computes in float, */
    int stage;       /* at which stage: even ones are of bytes, odd ones of floats */
    bool needed;     /* someone reads its bytes, or floats */
    int buffer;      /* of its bytes; -1: none yet */
    int8_code code;
} int8_node;

typedef struct {
    spor_tape *tape;
    uint32_t input, result;
    spor_params *params;
    uint32_t *same; /* the first node equal to one */
    int8_node *node;
    int stages;
    bool failed; /* memory ran out */
} int8_graph;

/** Which nodes are live, constant, and what constants are. False with a message. */
bool int8_graph_make(int8_graph *g, spor_tape *tape, uint32_t input, uint32_t result,
                     spor_params *params, spor_message *message);
/** Which nodes are computed in bytes, and where; least and most are known. */
bool int8_graph_decide(int8_graph *g, spor_message *message);
void int8_graph_end(int8_graph *g);

/** Node k of operands, the first of equal ones. */
uint32_t int8_operand(const int8_graph *g, uint32_t id, int k);
const spor_node *int8_node_of(const int8_graph *g, uint32_t id);
/** Its elements. */
int64_t int8_size(const int8_graph *g, uint32_t id);
/** The operand that is no constant; 0: none, or several. */
uint32_t int8_only_operand(const int8_graph *g, uint32_t id);
/** It is computed element by element. */
bool int8_is_map(const int8_graph *g, uint32_t id);
/** It puts numbers elsewhere, or repeats them. */
bool int8_moves(const int8_graph *g, uint32_t id);
/** The call of a node, without data. The arguments have room for its operands. */
spor_call int8_call_of(const int8_graph *g, uint32_t id, spor_arg in[SPOR_OPERANDS]);
/** What it folds; false: it is no such node, or of another form than steps have. */
bool int8_cells(const int8_graph *g, uint32_t id, cells_window *window);
/** Nodes whose results this one's step reads: at most SPOR_OPERANDS; the number of them. */
int int8_reads(const int8_graph *g, uint32_t id, uint32_t read[]);

/** y[n] of a node's elements where the source's are x[n]; element j is of channel j if channels, else constants are
 *  one number. False: out of memory. int8_elements.c */
bool int8_evaluate(const int8_graph *g, uint32_t id, uint32_t source, bool channels, int64_t n,
                   const double x[], double y[]);

/* ---- which values there are: int8_range.c ------------------------------------------------------ */

/** Finds least and most of each node. False with a message. */
bool int8_find_ranges(int8_graph *g, const export_rows *rows, spor_scalar scalar,
                      spor_message *message);

/* ---- steps: int8_plan.c ------------------------------------------------------------------------ */

typedef enum { INT8_BUFFER, INT8_CONSTANT, INT8_WHOLE, INT8_REAL } int8_kind;
/** An argument of a call: a buffer, a constant, a number. */
typedef struct {
    int8_kind kind;
    int64_t whole; /* also: which buffer, which constant */
    double real;
    int64_t from; /* of a buffer: elements before the first */
} int8_argument;
enum { INT8_ARGUMENTS = 19 };

typedef struct int8_machine int8_machine;
typedef struct int8_step int8_step;

/** A form of step: a function of int8_portable.c. int8_run.c */
typedef struct {
    const char *function; /* "net_int8_rows"; NULL: loops of its own */
    const char *names[3]; /* of the first arguments, where they are buffers */
    unsigned written;     /* bit k: argument k is written */
    bool shares;          /* arguments may be one array */
    void (*run)(const int8_machine *machine, const int8_step *step);
} int8_form;
extern const int8_form int8_quantizes, int8_dequantizes, int8_rows_form, int8_correlates,
    int8_apart, int8_largest, int8_looks_up, int8_adds, int8_multiplies, int8_copies, int8_floats;

struct int8_step {
    const int8_form *form;
    uint32_t node;
    char name[64]; /* of its function in C */
    int8_argument argument[INT8_ARGUMENTS];
    int arguments;
    copy_moves *moves; /* of a copy: operand k is argument k + 1, its value a byte */
    struct int8_island *island;
};

/** Bytes or floats on the way. */
typedef struct {
    bool floats;
    int64_t count;
    int first, last; /* steps */
    size_t offset;   /* elements in its arena */
} int8_buffer;
enum { INT8_X = 0 }; /* the buffer of x */

typedef enum { INT8_SIGNED, INT8_UNSIGNED, INT8_LONG, INT8_FLOAT } int8_width;
/** Numbers that stand in the file. */
typedef struct {
    int8_width width;
    int64_t count;
    void *value;
    uint32_t node;
    const char *what; /* "weights" */
    size_t offset;    /* in a file of weights */
} int8_constant;

typedef struct {
    int8_graph graph;
    int8_step *step;
    uint32_t steps, step_room;
    int8_buffer *buffer;
    uint32_t buffers, buffer_room;
    int8_constant *constant;
    uint32_t constants, constant_room;
    int y;                /* the buffer of the result */
    int64_t y_from;       /* elements of it before the first */
    int8_code y_code;     /* of net_predict_int8's y */
    size_t bytes, floats; /* elements of the two arenas */
    double products;
    spor_text taken; /* in which names stand that are taken */
    bool failed;     /* memory ran out */
} int8_plan;

/** A plan of a graph whose ranges are known. False with a message. */
bool int8_plan_make(int8_plan *plan, spor_message *message);
void int8_plan_end(int8_plan *plan);

int8_step *int8_add_step(int8_plan *plan, const int8_form *form, uint32_t node);
void int8_give(int8_step *step, int8_kind kind, int64_t whole, double real);
int int8_add_buffer(int8_plan *plan, bool floats, int64_t count);
/** Zeroed numbers, the plan's; NULL: out of memory. *index: which constant it is. */
void *int8_add_constant(int8_plan *plan, int8_width width, int64_t count, uint32_t node,
                        const char *what, int *index);
/** Bytes of a node in this code, for which a table may be needed; -1: out of memory. */
int int8_bytes_as(int8_plan *plan, uint32_t id, int8_code code);
/** What a range becomes; 0 is always among it. */
int8_code int8_code_of(double least, double most);
/** The same of a node's: whole numbers stay whole. */
int8_code int8_code_of_node(const int8_node *node);
/** All its elements are 0, whatever the scale. */
bool int8_is_zero(const int8_node *node);
/** The byte of a value. */
int int8_byte(int8_code code, double value);
/** Least and most byte of a result that is clamped to least..most. */
void int8_limits(const int8_graph *g, uint32_t id, int *least, int *most);
/** real = factor / 2^shift, factor < 2^31. False where it is too large. */
bool int8_factor(double real, int32_t *factor, int *shift);

/** The step of sums: products, windows, channels. int8_products.c */
bool int8_plan_sums(int8_plan *plan, uint32_t id, spor_message *message);

/* ---- float stretches: int8_island.c -------------------------------------------------------------- */

/** Nodes of a stage as a program of floats: x are its operands, one after the other, y its results. */
typedef struct int8_island {
    int stage;
    spor_tape *tape;
    spor_var x, y;
    spor_program *program;
    c_program c;    /* what it is in C */
    int constant;   /* the plan's first constant of those of c that are read */
    char told[400]; /* what of it has no form in int8: "softmax at net.spor:9" */
} int8_island;

/** Plans the nodes of a stage. False with a message. */
bool int8_plan_island(int8_plan *plan, int stage, spor_message *message);
void int8_island_free(int8_island *island);

/** int8_portable.c, as a text. */
extern const char export_int8[];

/* ---- running: int8_run.c ------------------------------------------------------------------------- */

struct int8_machine {
    const int8_plan *plan;
    int8_t *bytes;
    float *floats;
};

/** Memory for a plan. False: out of memory. */
bool int8_machine_make(int8_machine *machine, const int8_plan *plan);
void int8_machine_end(int8_machine *machine);
/** y as floats of x as floats, and, unless NULL, x and y as bytes. NULL, or what is wrong. */
const char *int8_run(int8_machine *machine, const float *x, float *y, int8_t *x8, int8_t *y8);

/* ---- C: int8_write.c --------------------------------------------------------------------------- */

/** The parts of a file, with net_ in the place of its name. */
typedef struct {
    bool apart;          /* constants are in a file of their own, at net_weights */
    size_t weight_bytes; /* of all constants; where they are apart, of those */
    spor_text constants, functions, calls;
} int8_text;

/** Bytes of all constants, each at a multiple of four; they have their places then. */
size_t int8_constant_bytes(int8_plan *plan);
/** Writes a plan: constants, a function a step, the calls of net_run. False with a message. */
bool int8_write(int8_plan *plan, int8_text *text, spor_message *message);
/** The constants, one behind the other. NULL: out of memory. */
void *int8_gather(const int8_plan *plan, size_t bytes);
/** "arena + 40" of a buffer, or "floats + 8". */
const char *int8_place(const int8_plan *plan, int buffer, int64_t from, char text[40]);

/* ---- what is lost: int8_measure.c ---------------------------------------------------------------- */

/** *alike: some rows are predicted together as each is alone, but for rounding. False with a message. */
bool int8_rows_alike(spor_model *model, const export_rows *rows, bool *alike,
                     spor_message *message);
/** Adds "test accuracy 0.9611 as trained, 0.9583 in int8 (360 rows)", or RMSE. False with a message. */
bool int8_measure(spor_model *model, const int8_plan *plan, const export_rows *rows,
                  const char *part, spor_text *told, spor_message *message);

#endif
