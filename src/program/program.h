/*
 * The inside of a program. compile.c makes one in this order: contract.c replaces regions by fast
 * paths, tape/differentiate.c appends the backward pass, update.c the optimizer's rule, merge.c drops
 * what is equal or unused, group.c puts elementwise nodes together, order.c orders the steps, tiles.c
 * makes lines of a group's nodes, round.c says which steps are done together, plan.c gives every
 * buffer its place, run.c replays the steps, deliver.c hands their results to the parameters.
 */
#ifndef SPOR_PROGRAM_PROGRAM_H
#define SPOR_PROGRAM_PROGRAM_H

#include "base/pool.h"
#include "program/fast.h"
#include "program/params.h"
#include "tape/tape.h"

/** A fast path taken (why is empty) or refused. */
typedef struct {
    const spor_fast *fast;
    uint32_t root; /* node of the recorded tape */
    char why[160];
} spor_taken;

/** The part of a tape that is compiled, with fast paths in place. */
typedef struct {
    spor_tape *tape; /* own copy; nodes keep names, places and scopes of the recorded tape */
    uint32_t *map;   /* node of the recorded tape -> node of tape; 0: not there */
    spor_taken *taken;
    uint32_t taken_count, taken_capacity;
} spor_contraction;

/** What a contracted tape is for. */
typedef struct {
    bool fast_paths; /* else all nodes stay as they are */
    bool training;   /* a backward pass will follow */
    bool rowwise;    /* spor_options */
    bool portable;   /* likewise */
} contraction_use;

/** Contracts what the wanted nodes, all inputs and all parameters need. */
bool contract_tape(const spor_tape *tape, const uint32_t wanted[], uint32_t count,
                   const contraction_use *use, spor_contraction *contraction);
void contraction_free(spor_contraction *contraction);

/** Passes y, a node of the contracted tape, on with its hand-derived backward. */
spor_var custom_pass(spor_tape *tape, spor_var y, const spor_custom *custom, const uint32_t map[]);

/** The first of n variables that lies inside of a stretch with a hand-derived backward, which y ends, and is
 *  none of its operands; -1: none, -2: out of memory. */
int custom_hides(const spor_tape *tape, int n, const spor_var wrt[], uint32_t *y);

/** same[id]: the first node equal to id; live[id]: needed by a root. Arrays of tape->count. errors:
 *  numbers that may be off by different errors are not equal. */
bool merge_equal(const spor_tape *tape, bool errors, const uint32_t roots[], uint32_t count,
                 uint32_t same[], bool live[]);

/** Where the numbers of a node live. */
typedef enum { SPOR_NOWHERE, SPOR_MEMORY, SPOR_VALUES, SPOR_NEXT, SPOR_GRADIENTS } spor_home;
typedef struct {
    spor_home where;
    size_t offset; /* bytes in the memory or in a block of the parameters */
    size_t saved;  /* byte offset of the saved data, 0: none */
} spor_storage;

/** False of leaves with names and of aliases, which no step computes. */
bool node_is_computed(const spor_node *node);
/** True if the result of node id or an operand has no elements: fast paths, groups and fast
 *  kernels have not
 *  to care, reference kernels compute it. */
bool node_is_bare(const spor_tape *tape, uint32_t id);
/** True if the program computes the node in a group. */
bool node_is_grouped(const spor_program *program, uint32_t id);
/** The node that holds the elements of node id: equal nodes are one, an alias is what it stands for. */
uint32_t program_home(const spor_program *program, uint32_t id);
/** That of operand k of node id. */
uint32_t program_operand(const spor_program *program, uint32_t id, int k);

/** leader[id] of each node that is live and computed: the first node of its group. remade[id]: each group
 *  that reads it makes it, it is never written. kept[id]: it is read after all steps. */
bool group_nodes(const spor_program *program, const bool live[], const bool kept[],
                 uint32_t leader[], bool remade[]);
/** The shape over which a node that can be part of a group runs. */
const spor_shape *node_iteration(const spor_tape *tape, uint32_t id);

/** What steps compute, in their order. */
typedef struct {
    uint32_t *node;  /* of the contracted tape; what groups make again is there more than once */
    uint32_t *first; /* [steps + 1]: step s computes node[first[s]] .. node[first[s + 1] - 1] */
    uint32_t steps;
} program_order;
/** False if memory runs out. */
bool order_make(const spor_program *program, const bool live[], const bool kept[],
                program_order *order);
void order_free(program_order *order);

/** The computation of a node, by its reference kernel or phase after phase by fast ones; or of a
 *  group of nodes. */
typedef struct program_step {
    spor_reference *reference;
    spor_kernel *phase[SPOR_PHASES]; /* need.tasks of each */
    const uint32_t *node;            /* of the contracted tape, what is computed */
    uint32_t nodes;
    const uint32_t *operand; /* the nodes of call.in; what a group writes stands behind its reads */
    int reads;
    spor_group *group; /* NULL: a node of its own */
    spor_need need;
    struct program_step
        *prepared; /* an earlier step whose PREPARE is this one's, too; NULL: none */
    bool lasts;    /* what PREPARE makes is the same in the next run, if no parameter changes */
    bool joins;    /* it is done together with the steps before it: round.c */
    size_t shared; /* byte offsets in the memory: of shared, */
    size_t room;   /* of partial and scratch */
    spor_call call;
} program_step;

/** What a step writes: so many nodes, the number of one, and its elements. */
int step_writes(const program_step *step);
uint32_t step_written(const program_step *step, int k);
const spor_arg *step_result(const program_step *step, int k);
/** True if a phase has several tasks, so that threads have something to share. */
bool step_has_tasks(const program_step *step);

/** Says which steps join others. False if memory runs out. */
bool find_rounds(spor_program *program);

/** A node whose elements are computed in a box of another's. */
typedef struct {
    uint32_t outer; /* a node of the contracted tape; 0: it has a place of its own */
    int64_t first;  /* its first element, in that one's */
} spor_inside;

/** Finds the nodes that can be computed inside of those that they are moved to, and sets the strides of both
 *  steps; last[id]: the last step that reads it. What has a place already stays there. False if memory runs
 *  out. */
bool find_insides(spor_program *program, const uint32_t last[], spor_inside inside[]);

/** The kernels of every group. */
extern const spor_fused tiles_fused;
/** Makes a group of the step's nodes. kept[id]: a step reads it that does not compute it, or it is read
 *  after all steps; delivered[id]: only so, as the next value of a state. operand receives the nodes of call.in. False
 *  if memory runs out. */
bool tiles_make(const spor_program *program, const bool kept[], const bool delivered[],
                uint32_t operand[], program_step *step);
void tiles_free(spor_group *group);
/** What a group writes as argument `written` may lie where argument `read` does: each element is written
 *  when all that reads it there was done. */
bool tiles_may_overwrite(const spor_group *group, int read, int written);

/** What is to be delivered: a node of the contracted tape to SPOR_GRADIENTS or SPOR_NEXT. */
typedef struct {
    uint32_t node;
    int entry; /* of the parameters */
    spor_home where;
} spor_target;

typedef struct {
    spor_target *at;
    uint32_t count, capacity;
} spor_targets;

/** After the steps: count elements from node to a place in a block of the parameters. */
typedef struct {
    uint32_t node;
    spor_storage to;
    int64_t count;
} spor_delivery;

/** Neighbouring entries of the parameters, in elements: the program writes them all, or none. */
typedef struct {
    int64_t offset, count;
    bool written;
} spor_stretch;

/** An argument of a step that lies among the values or the next ones. */
typedef struct {
    spor_arg *arg;
    uint32_t node;
} spor_mover;

struct spor_workspace {
    void *base;
    size_t size;
    uint64_t moves;
    const spor_program *last; /* that ran in it */
    spor_pool
        *pool; /* of its programs, for as many threads as the first that has some; NULL: none */
};

/** Frees what it has, not itself. */
void workspace_end(spor_workspace *workspace);

struct spor_program {
    const spor_tape *recorded;
    spor_params *params;
    spor_scalar scalar;
    spor_isa isa;
    bool reference;
    bool rowwise;    /* spor_options */
    bool portable;   /* likewise */
    bool gradients;  /* likewise */
    int threads;     /* that its memory has scratch for */
    spor_pool *pool; /* the workspace's; NULL: it runs alone */
    spor_contraction graph;
    uint32_t *same;
    spor_storage *storage; /* by node of the contracted tape */
    bool *readable;        /* inputs and outputs, by node of the contracted tape */
    program_order order;
    program_step *step; /* behind the last stands one that joins nothing */
    uint32_t steps;
    spor_arg *arg;     /* the operands of all steps */
    uint32_t *operand; /* their nodes */
    uint32_t args;
    spor_delivery *delivery;
    uint32_t deliveries;
    bool *writes; /* by entry of the parameters at compiling: it has a next value */
    int entries;
    spor_stretch *stretch; /* of all entries there are now */
    uint32_t stretches;
    bool exchanges; /* next values become values by exchanging the blocks, not by copying them */
    spor_mover *mover;
    uint32_t movers;
    bool updates;         /* an optimizer's rule is part of it */
    spor_targets trained; /* the gradients of the trained parameters, handed on or not */
    bool refused;         /* the error is that an update would not be finite, */
    bool bad_slopes;      /* as the cost or a gradient is not */
    uint32_t *slope;      /* nodes of the contracted tape: the gradients that were asked for */
    int slopes;
    uint32_t cost;  /* node of the contracted tape; 0: not a training program */
    uint32_t alarm; /* that of record_alarm in a program that updates; 0: others */
    size_t bytes;   /* of memory */
    spor_workspace *workspace, own;
    /* the params' blocks, or converted copies if the type differs */
    void *value;
    void *next;
    void *gradient;
    bool converted;
    uint64_t linked_moves, linked_layout, linked_generation;
    bool linked;
    uint64_t prepared_generation; /* of the parameters that what steps keep was made of */
    bool prepared;                /* it is there */
    bool meaningless;             /* the error is that an op has no meaning over the scalar type */
    char error[1024];
};

/** The step behind the round that begins with step s. */
static inline uint32_t round_end(const spor_program *program, uint32_t s) {
    do s++;
    while (program->step[s].joins);
    return s;
}

/** Sets the program's error, if it has none yet, and returns false. */
bool program_fail(spor_program *program, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Computes one step, its tasks on the pool's threads, NULL: in their order. Prepares in any case. */
void program_run_step(const program_step *step, spor_pool *pool);

/** Seconds since some moment. */
typedef double program_clock(void);
/** As spor_run; seconds[s * SPOR_PHASES + phase] is what each phase of each step took. */
bool program_run_timed(spor_program *program, uint64_t number, program_clock *now,
                       double seconds[]);
/** Multiply-adds a second that the program's cores do together at best, where nothing is read or
 *  written, by what the clock says; 0 if memory runs out. */
double program_roof_products(spor_program *program, program_clock *now);
/** Bytes a second that they read and write together where they copy, so many in all; 0 likewise. */
double program_roof_copies(spor_program *program, size_t bytes, program_clock *now);

/** Told of element k, the first that is no finite number, of what a step made of finite ones. */
typedef void program_on_bad(void *user, const spor_node *node, const spor_call *call, int64_t k);
/** As spor_run of a reference program, with a look at each step; nothing is delivered. */
bool program_run_watched(spor_program *program, uint64_t number, program_on_bad *on_bad,
                         void *user);

/** What step s computes, with the path of its scope: "net/dense[0]: dense [10, 20] of [10, 64],
 *  [64, 20], [20]". */
void program_step_text(const spor_program *program, uint32_t s, char *text, size_t size);
/** Multiply-adds of step s; 0: it adds up no products. */
double program_step_cost(const spor_program *program, uint32_t s);
/** True if a step's result has elements that share what is rounded: the bound of one is none of its own. */
bool program_shares_rounding(const spor_program *program);
/** A node in the words of program_step_text. */
void program_node_text(const spor_tape *tape, const spor_node *node, char *text, size_t size);

/** As spor_run_checked, but nothing reaches the parameters. */
bool program_run_undelivered(spor_program *program, uint64_t number);

/** Adds a target, in place of an earlier one for the same; false when out of memory. */
bool add_target(spor_targets *targets, spor_target target);
/** Adds what the tape assigns to states; map: its nodes in the contracted tape, NULL: the same. */
bool add_assignments(const spor_program *program, const spor_tape *tape, const uint32_t map[],
                     spor_targets *targets);

/** Records the optimizer's rule on the contracted tape, for n parameters w and their gradients dw, and
 *  adds its targets. */
bool record_update(spor_program *program, spor_optimizer *optimizer, void *user, int n,
                   const spor_var w[], const spor_var dw[], spor_targets *targets);

/** Records the cost and all that is to become a value, added up: the node of a number that is finite
 *  only if they are. 0 if the tape failed. */
uint32_t record_alarm(const spor_program *program, const spor_targets *targets);

/** Where storage lies now. */
void *program_address(const spor_program *program, spor_storage storage);
/** Finds stretches and movers of a program that was linked. */
bool link_deliveries(spor_program *program);
/** Has the steps follow, if values and next values were exchanged. */
void follow_exchange(spor_program *program);
/** Hands gradients, then next values and states to the parameters; these all together or none. False
 *  with the program's error if an update is refused. */
bool deliver(spor_program *program);
/** Fills the settings. */
void fill_settings(spor_program *program);

/** Steps, storage and bytes from graph, same and live. roots are pinned to the end. */
bool plan_program(spor_program *program, const bool live[], const uint32_t roots[], uint32_t count,
                  const spor_targets *targets);

/** The instruction set of this name, or $SPOR_ISA, or the best the machine has. False with the
 *  program's error if it is unknown or not to be had. */
bool isa_pick(spor_program *program, const char *name);
const char *isa_name(spor_isa isa);
/** How many scalars a vector holds. */
int isa_lanes(spor_isa isa, spor_scalar scalar);

#endif
