/*
 * The interpreter: walks the tree of a script and records on the tape of its run.
 */
#ifndef SPOR_SCRIPT_INTERPRET_H
#define SPOR_SCRIPT_INTERPRET_H

#include "script/value.h"

/** A call of a def that is going on. */
typedef struct spor_frame spor_frame;

/** One pass of the interpreter: the top level of a script, or one recording of its net. */
struct spor_pass {
    spor_ground ground;
    spor_script *script;
    spor_tape *tape; /* NULL at the top level */
    bool training;
    bool ruling; /* an optimizer or a clip is recorded, or a schedule asked */
    int steps, depth, leaves;
    int number;        /* among the passes of the script, from 1 on */
    spor_frame *frame; /* NULL at the top level */
    uint32_t symbols;  /* names of axes given out so far */
    bool tape_failed;  /* the error is the tape's own */
    void *own;         /* the dialect's; NULL unless the dialect began this pass */
};

/** Arguments of a call as written: keyword[k] is NULL for one without a name. */
typedef struct {
    spor_spot place; /* of the call */
    int n;
    const spor_value *value;
    const char *const *keyword;
    const spor_spot *at;
} spor_arguments;

enum { SPOR_BUILTIN_ARGUMENTS = 16 };

/** What a built-in was given: arg[k] is the k-th name of its parameters, NULL if left out. */
typedef struct {
    spor_pass *run;
    const spor_builtin *builtin;
    spor_spot place;
    const spor_value *arg[SPOR_BUILTIN_ARGUMENTS];
    spor_spot at[SPOR_BUILTIN_ARGUMENTS];
    const spor_arguments *all;
} spor_given;

/** parameters: "x, axis?, keepdims?", "?" for one that may be left out; "*" takes any number, "**"
 *  with or without names. */
struct spor_builtin {
    const char *name, *parameters;
    spor_value (*call)(const spor_given *given);
};

/** Tables that end with name NULL. */
extern const spor_builtin spor_plain_builtins[];  /* plain.c: numbers, lists, strings */
extern const spor_builtin spor_tensor_builtins[]; /* layout.c, reduce.c: tensors */
extern const spor_builtin spor_reduce_builtins[];
extern const spor_builtin spor_order_builtins[];       /* order.c: rows, order */
extern const spor_builtin spor_einsum_builtins[];      /* einsum.c */
extern const spor_builtin spor_array_builtins[];       /* array.c: tri, iota */
extern const spor_builtin spor_leaf_builtins[];        /* leaves.c: param, state, zeros, random */
extern const spor_builtin spor_declaration_builtins[]; /* declare.c: train and what it takes */
/** Likewise, of the rows of data/sets.h. */
const spor_builtin *declare_sets(spor_pass *run);

/* ---- running --------------------------------------------------------------------------------- */

/** Counts steps; leaves with an error above the limit. */
void pass_spend(spor_pass *run, spor_spot place, int64_t steps);
/** Runs statements among the names of env: the globals of the script, or its prelude. */
void pass_top(spor_pass *run, spor_env *env, const spor_syntax *block);
/** A list of n items, which are kept; leaves if it is too long or too deep. */
spor_value pass_list(spor_pass *run, spor_spot place, int64_t n, spor_value items[]);
/** Room for a list of n items; leaves if that is too long. */
spor_value *pass_items(spor_pass *run, spor_spot place, int64_t n);
/** One index among n elements, from 0. */
int64_t pass_index(spor_pass *run, spor_env *env, const spor_syntax *item, int64_t n);
/** start, stop and step of a slice of n elements; returns how many it takes. */
int64_t pass_slice(spor_pass *run, spor_env *env, const spor_syntax *item, int64_t n,
                   int64_t bound[3]);
/** Runs the body of a def; nothing if it meets no return. */
spor_value pass_body(spor_pass *run, spor_env *env, const spor_syntax *block);
/** Runs one statement. */
void pass_statement(spor_pass *run, spor_env *env, const spor_syntax *node);
/** From now on the names of env are the innermost ones, as if in a call. */
void pass_within(spor_pass *run, spor_env *env);
spor_value pass_evaluate(spor_pass *run, spor_env *env, const spor_syntax *node);
/** What others call so and is known under another name, or the nearest name that is known, or NULL; called: of what can
 *  be called. */
const char *env_nearest(spor_pass *run, const spor_env *env, const char *name, bool called);
/** a sign b, where sign is that of the lexer and 'i' is in. */
spor_value pass_binary(spor_pass *run, spor_spot place, int sign, const spor_value *a,
                       const spor_value *b);
spor_value pass_negate(spor_pass *run, spor_spot place, const spor_value *a);
/** Equality of ==; a tensor among them is an error. */
bool pass_equal(spor_pass *run, spor_spot place, const spor_value *a, const spor_value *b);
/** The word training: true while a training program is recorded. */
spor_evaluator pass_training;
/** A condition. */
bool pass_truth(spor_pass *run, spor_spot place, const spor_value *v);
/** Calls a def, a built-in or an op. */
spor_value pass_call(spor_pass *run, const spor_value *callee, const spor_arguments *arguments);

/** Leaves with an error at the place; what the tape holds is poisoned with it. */
#define pass_fail(run, place, ...) ground_give_up(&(run)->ground, (place), __VA_ARGS__)

/** Where an error of a def's own should point: at the call that led into this file, if there is
 *  one. Ends the calls below it: to be used before leaving only. */
spor_spot pass_leave_file(spor_pass *run, spor_spot place);
/** Where an error inside of an included file should point: at the call from the script's own files, of
 *  the def *called. Without such a call it is the place itself, and *called NULL. */
spor_spot pass_leave_included(spor_pass *run, spor_spot place, const char **called);

/** Adds the calls that are going on, innermost first. */
void pass_trace(const spor_pass *run, spor_note *text);

/* ---- names ----------------------------------------------------------------------------------- */

spor_binding *env_find(const spor_env *env, const char *name);
/** Sets the name in this env. */
spor_binding *env_set(spor_pass *run, spor_env *env, const char *name, spor_value value);
/** The names of the innermost call, or the globals. */
spor_env *pass_env(const spor_pass *run);
/** A new name for an axis. */
uint32_t pass_symbol(spor_pass *run);

/* ---- recording ------------------------------------------------------------------------------- */

/** Gives what was recorded the name that a def assigns it to, in the scope of its call. The second value of a
 *  name is name_2: from no call two values go by one name. Leaves it if it has a name. */
void pass_name(spor_pass *run, spor_var var, const char *name);

/** To be called before recording: there is a tape, its place is set, the scopes of the calls that
 *  are going on are open. Returns the tape. */
spor_tape *pass_record(spor_pass *run, spor_spot place);
/** To be called with what was recorded: leaves if the tape has an error. */
spor_var pass_recorded(spor_pass *run, spor_var var);
/** Numbers what a call makes without a name. */
typedef enum { SPOR_COUNT_PARAM, SPOR_COUNT_STATE, SPOR_COUNT_RANDOM, SPOR_COUNTS } spor_count;
int pass_count(spor_pass *run, spor_count what);
/** A seed for random values that is the same in each recording. */
uint64_t pass_seed(spor_pass *run);

/* ---- arguments ------------------------------------------------------------------------------- */

/** Sorts arguments to names; at most SPOR_BUILTIN_ARGUMENTS. Leaves with an error that lists the
 *  names if one is unknown, twice or missing. */
void call_bind(spor_pass *run, const spor_arguments *arguments, const char *callee, int n,
               const char *const names[], const bool optional[], const spor_value *bound[],
               spor_spot at[]);

/** Each leaves with "what must be an integer but is ..." */
int64_t want_int(spor_pass *run, spor_spot at, const char *what, const spor_value *v);
double want_real(spor_pass *run, spor_spot at, const char *what, const spor_value *v);
bool want_bool(spor_pass *run, spor_spot at, const char *what, const spor_value *v);
const char *want_string(spor_pass *run, spor_spot at, const char *what, const spor_value *v);
const spor_list *want_list(spor_pass *run, spor_spot at, const char *what, const spor_value *v);
/** A list of integers, or one integer for a list of it. */
spor_shape want_shape(spor_pass *run, spor_spot at, const char *what, const spor_value *v);
/** A tensor; a number is recorded as a scalar, a list of numbers as what it writes down. */
spor_value want_tensor(spor_pass *run, spor_spot at, const char *what, const spor_value *v);
/** An axis by number, negative from the end, or by its name in a signature. */
int want_axis(spor_pass *run, spor_spot at, const char *what, const spor_value *v,
              const spor_value *tensor);
/** A set of axes: one, or a list. */
int64_t want_axes(spor_pass *run, spor_spot at, const char *what, const spor_value *v,
                  const spor_value *tensor);

/** As the list it was written as; returns how many. */
int want_axis_list(spor_pass *run, spor_spot at, const char *what, const spor_value *v,
                   const spor_value *tensor, int axes[SPOR_RANK]);
/** Cells before and after each of n axes: p, [p, q] with an entry an axis, or [[a, b], [c, d]]. */
void want_pads(spor_pass *run, spor_spot at, const char *what, const spor_value *v, int n,
               int64_t before[], int64_t after[]);

/** The same of a built-in's argument k; the second form if it may be left out. */
int64_t given_int(const spor_given *g, int k, int64_t otherwise);
double given_real(const spor_given *g, int k, double otherwise);
/** How far that real may be from the number meant. */
double given_error(const spor_given *g, int k);
bool given_bool(const spor_given *g, int k, bool otherwise);
const char *given_string(const spor_given *g, int k, const char *otherwise);
spor_value given_tensor(const spor_given *g, int k);
/** "pad: axis", the argument's name for messages. */
const char *given_what(const spor_given *g, int k);

/* ---- tensors --------------------------------------------------------------------------------- */

/** A number as a tensor of the shape. */
spor_var tensor_fill(spor_pass *run, spor_spot place, const spor_value *number, spor_shape shape);
/** A list of numbers, or of such lists, as the tensor that it writes down; leaves if it is ragged. */
spor_value tensor_of_list(spor_pass *run, spor_spot at, const char *what, const spor_value *list);
/** + - * / @ ** and comparisons of tensors and numbers, of which one at least is a tensor. */
spor_value tensor_binary(spor_pass *run, spor_spot place, int sign, const spor_value *a,
                         const spor_value *b);
spor_value tensor_negate(spor_pass *run, spor_spot place, const spor_value *a);
/** Brings operands of an elementwise op to one shape, as NumPy does; returns the axes' names. */
const spor_axes *tensor_broadcast(spor_pass *run, spor_spot place, const char *op, int n,
                                  spor_value operands[]);
/** Names of what takes rows of x along an axis: those of the index in the place of its. */
const spor_axes *tensor_taken_axes(spor_pass *run, const spor_value *x, const spor_value *i,
                                   int axis);
/** x[...]: items are integers, slices and ellipses. */
spor_value tensor_index(spor_pass *run, spor_env *env, const spor_syntax *index,
                        const spor_value *x);
/** "[N=3, n=4]" */
const char *tensor_text(spor_pass *run, const spor_value *tensor);
/** Copies names of axes; NULL stays NULL. */
spor_axes *axes_copy(spor_pass *run, const spor_axes *axes);
/** Names without the axes of the mask. */
const spor_axes *axes_without(spor_pass *run, const spor_axes *axes, int rank, int64_t mask);

/** A call of an op of the registry. */
spor_value registry_call(spor_pass *run, const spor_op *op, const spor_arguments *arguments);

#endif
