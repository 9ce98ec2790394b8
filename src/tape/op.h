/*
 * The anatomy of an op: one const descriptor in one file.
 *
 * An op file is compiled once for its rules (SPOR_RULES) and once per scalar type for its
 * reference kernel (SPOR_REFERENCE, SPOR_SCALAR); one that has fast kernels of its own once more per
 * instruction set and trained scalar type (SPOR_FAST, SPOR_ISA, SPOR_SCALAR):
 *
 *     #include "tape/op.h"
 *     #ifdef SPOR_RULES
 *     ...     definition, shape rule, vjp in ops, samples, golden values, descriptor
 *     #elif defined(SPOR_FAST)
 *     ...     the fast kernels in the words of kernels/simd.h
 *     #else
 *     ...     the reference kernel in the words of kernels/scalar.h
 *     #endif
 */
#ifndef SPOR_TAPE_OP_H
#define SPOR_TAPE_OP_H

#include <inttypes.h>
#ifndef SPOR_NO_PLACES /* the library itself records without file and line */
#define SPOR_NO_PLACES
#endif
#include <spor/ops.h>
#include "kernels/cells.h"
#include "kernels/copy.h"
#include "kernels/group.h"
#include "kernels/isa.h"
#ifdef SPOR_REFERENCE
#include "kernels/reference.h"
#endif
#ifdef SPOR_TILES
#include "kernels/tile.h"
#endif
#ifdef SPOR_SYMBOLS
#include "kernels/symbol.h"
#endif

typedef struct spor_op spor_op;
struct onnx_call;
typedef struct spor_c spor_c;

/* ---- shape rules ------------------------------------------------------------------------- */

/** What a shape rule sees. It checks clause by clause and writes out. */
typedef struct {
    const spor_op *op;
    int operands;
    spor_shape in[SPOR_OPERANDS];
    const spor_attr *attr;
    spor_shape out;
    char message[256];
} spor_rule;

/** Writes the message and returns false, so that a clause is `if (...) return rule_fail(...)`. */
bool rule_fail(spor_rule *rule, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Operand k must have this rank: "x has rank 2 but correlate2d expects rank 4 [N, H, W, C]". */
bool rule_rank(spor_rule *rule, int operand, int rank);
/** All operands must have one shape, which is also out's: the rule of elementwise ops. */
bool rule_elementwise(spor_rule *rule);

/* ---- traits ------------------------------------------------------------------------------ */

enum {
    SPOR_LINEAR = 1,         /* linear in all operands jointly (but for pad's fill) */
    SPOR_BILINEAR = 2,       /* linear in each of its two operands */
    SPOR_KINKED = 4,         /* not differentiable everywhere */
    SPOR_MIXES_SAMPLES = 8,  /* row n of the result may depend on other rows of operand 0 */
    SPOR_ALIAS = 16,         /* the result has operand 0's elements in the same order */
    SPOR_VALUE_SLOPE = 32,   /* elementwise, the derivative is a function of the value */
    SPOR_LEAF = 64,          /* no operands */
    SPOR_LINEAR_FIRST = 128, /* linear in its first operand only (div) */
    SPOR_LINEAR_REST = 256,  /* linear, jointly, in all operands but the first (route, where) */
    SPOR_GIVEN = 512,        /* a leaf whose numbers are filled in before each run */
    SPOR_STORED = 1024,      /* a leaf whose numbers belong to spor_params */
    SPOR_EXACT_ON_INTEGERS = 2048, /* fast paths: bit for bit on small integers */
    SPOR_SLIDES = 4096,            /* moves a window over a map, or pads: borders are apart */
    SPOR_LIBRARY = 8192,           /* its kernel calls a function of libm that no standard rounds */
    SPOR_SHARES = 16384,           /* along its axis no number is negative and all add up to 1 */
    SPOR_LOGITS = 32768,  /* a number added to all of operand 0 changes nothing, or is added */
    SPOR_CHANCES = 65536, /* every number lies between 0 and 1 */
    SPOR_SCORES =
        131072, /* of scores it makes chances, each of its own, or their logs: 0 far below 0 */
    SPOR_PICKS = 262144,  /* every number of it is one of its operands' */
    SPOR_DECIDES = 524288 /* every number of it is 1, where something holds, or 0 */
};

/** What is known of all numbers of a node as soon as it is recorded; 0: they may be any. A mask is what a
 *  comparison has made, and what is made of masks by choosing, multiplying, and 1 - mask. */
enum {
    SPOR_SOME_0 = 1, /* each is one of those that are set: 0, 1 */
    SPOR_SOME_1 = 2,
    SPOR_DECIDED = 4 /* they come of a node that decides */
};

/** SPOR_SOME_0 of 0, SPOR_SOME_1 of 1, 0 of any other number. */
unsigned known_number(double x);

/* ---- what the generic tests and the shape search start from -------------------------------- */

/** The values of an operand in the generic tests. */
typedef enum {
    SPOR_ANY,      /* any real */
    SPOR_POSITIVE, /* at least 1/2 */
    SPOR_NONZERO,  /* away from 0: at least 1/8 in magnitude */
    SPOR_TIE_FREE, /* all elements of all such operands distinct, with a margin, none near 0 */
    SPOR_INDEX     /* 0, 1 or 2: it names rows, which decides and has no slope */
} spor_domain;

typedef struct {
    spor_shape in[SPOR_OPERANDS];
    spor_attr attr[SPOR_ATTRS];
} spor_sample;

/** Operands or attributes that must be refused, with (a part of) the message. */
typedef struct {
    spor_shape in[SPOR_OPERANDS];
    spor_attr attr[SPOR_ATTRS];
    const char *message;
} spor_mistake;

/** Values from outside (NumPy, SciPy), row-major; the command stands in the comment. */
typedef struct {
    spor_shape in[SPOR_OPERANDS];
    spor_attr attr[SPOR_ATTRS];
    const double *x[SPOR_OPERANDS];
    spor_shape out;
    const double *y;
} spor_golden;

/* ---- the descriptor ------------------------------------------------------------------------ */

/** The fast kernels of an op, in up to three phases of tasks (kernels/kernel.h). */
typedef struct {
    spor_kernel_need *need; /* NULL: nothing saved, no memory, one task of SPOR_WORK */
    /** The kernels of each phase: [SPOR_SCALARS][SPOR_ISAS], float and double. NULL: no tasks. */
    spor_kernel *const (*phase[SPOR_PHASES])[SPOR_ISAS];
    /** Bits of the operands that PREPARE reads, which reads no others; 0: not said. What it made is kept for
     *  later steps of the same op and shapes that read the same there; and from run to run where those are
     *  parameters that a program does not change. */
    unsigned prepares;
} spor_fused;

struct spor_op {
    /**
     * "correlate2d(x[N,H,W,C], K[k,l,C,F]; stride:int2=1)": operands with axis names; [...] any
     * shape, the same for all such operands; [*] any shape; a leading ... any leading axes.
     * Attributes: name:kind or name:kind=default, a number or an earlier attribute. Slots a kind
     * takes in attr[]:
     *   int 1 (i)   real 1 (r)   int2 2 (i: height, width)   int4 4 (i: top, bottom, left, right)
     *   axis 1 (i, 0 <= axis < rank when recorded)   axes 1 (i: bit mask)   axes are operand 0's
     *   sizes 8 (i: one per axis of operand 0)   perm 8 (i)   shape 9 (i: rank, then sizes)
     *   values 2 (i: their hash; values: as many as the result has, which the tape keeps)
     */
    const char *signature;
    const char *infix;      /* "+": how a print writes the op between operands; NULL: a call */
    const char *equation;   /* one line, as spor ops prints it */
    const char *convention; /* NULL, or what is fixed where the field disagrees (ties, kinks) */
    unsigned traits;
    spor_domain domain[SPOR_OPERANDS]; /* in samples; and in verify's data: trial.c */
    int operands;
    int attrs; /* slots used */
    /** 0, or the slot, behind those of the signature, that says how far the number meant may be from
     *  the op's real attribute. Scripts fill it; prints leave it out. */
    int error;
    /** 0, or the last slot, an address: of numbers that the slot before it is the hash of. The same tape
     *  recorded again has others. */
    int address;
    bool (*shape)(spor_rule *rule);
    /** Multiply-adds of a forward pass. NULL: the op adds up no products. */
    double (*cost)(const spor_shape in[], const spor_shape *out, const spor_attr attr[]);
    /**
     * Cotangent of operand k, recorded in ops. y is the node, ybar its cotangent. Returns
     * op_none() where the derivative is zero everywhere. NULL: a missing vjp, a named error
     * when asked for.
     */
    spor_var (*vjp)(spor_var y, int k, spor_var ybar);
    /**
     * Of an op with kinks or ties: records how far each decision that y takes is from its other
     * branch, >= 0; one number a decision, in y's shape or, where windows decide, in theirs. NULL
     * for the others.
     */
    spor_var (*margin)(spor_var y);
    /**
     * Records the value in ops that programs put into groups, or in fused ones, for an op that is neither.
     * Programs that are no reference compute these in its place; its derivative remains its vjp.
     * NULL: there is a kernel of the op only.
     */
    spor_var (*parts)(const spor_var in[], const spor_attr attr[]);
    const char *sides[2]; /* of such an op: where its slope is the smaller, the larger one */
    /**
     * Of an op that may put operand 0 among zeros: how many of them there are before and after each
     * axis, none negative. False if it does something else by these attributes. NULL for the others.
     */
    bool (*between_zeros)(const spor_attr attr[], int64_t lo[SPOR_RANK], int64_t hi[SPOR_RANK]);
    /** The op and one more operand, the last, to which it adds its value: in the place of an add where cotangents
     *  meet. NULL: there is none. */
    const struct spor_op *onto;
    /** Of an op with an operand SPOR_INDEX: how many rows there are to name. NULL for the others. */
    int64_t (*named)(const spor_shape in[], const spor_attr attr[]);
    /** What it is in ONNX: writes it in the words of export/onnx.h. Of an elementwise op that is one node
     *  there, onnx_op is that node's name, and this NULL. Both NULL: there is no such thing. */
    void (*onnx)(struct onnx_call *call);
    const char *onnx_op;
    /** Of a leaf that is numbers: number k of it. NULL for the others. */
    double (*number)(const spor_attr attr[], int64_t k);
    /** What is known of its numbers (SPOR_SOME_0 ...) by what is known of its operands'. NULL: what its traits and
     *  number say. */
    unsigned (*truth)(const spor_attr attr[], const unsigned in[]);
    const spor_sample *samples;              /* ends with a sample whose in[0].rank is -1 */
    const spor_mistake *mistakes;            /* ends with message NULL */
    const spor_golden *golden;               /* ends with y NULL */
    spor_reference *const *const *reference; /* [SPOR_SCALARS]; NULL entry or *entry: no meaning */
    const spor_tiling *tile; /* of what can be part of a group (kernels/group.h), else NULL */
    /** Kernels that programs which are no reference run instead of the reference kernel; those of a fast
     *  path (program/fast.h) have no other. NULL: there are none. */
    const spor_fused *fused;
    /** Of an op that only moves numbers: what is where. NULL for the others. */
    void (*moves)(const spor_call *call, copy_moves *moves);
    /** Of an op that folds cells of operand 0: which. False for a call that is not so, by its shapes. NULL for the
     *  others. */
    bool (*cells)(const spor_call *call, cells_window *window);
    /** Writes its loops in C (export/c.h), for a call with shapes and attributes, no data; the result has the
     *  bits of the baseline's kernels. NULL: there are none, or its tile says what an element is. */
    void (*c_loops)(spor_c *c, const spor_call *call);
    /** Of an op without operands that is drawn anew in every step: writes its element of this number, a term of C, as a
     *  const of this name. NULL for the others. */
    void (*c_drawn)(spor_c *c, const spor_attr attr[], const char *number, const char *name);
};

/** End marks of the three tables above. */
#define SPOR_END_SAMPLES                                                                           \
    {                                                                                              \
        .in = { {.rank = -1} }                                                                     \
    }
#define SPOR_END_MISTAKES                                                                          \
    { .message = NULL }
#define SPOR_END_GOLDEN                                                                            \
    { .y = NULL }

/**
 * KERNELS(exp) declares the descriptor, the kernels of all scalar types and the table exp_reference
 * that the descriptor names. SPOR_EACH_SCALAR comes from the build's list of scalar types.
 */
#include "scalars.h"
#define SPOR_DECLARE_KERNEL_(op, word, scalar)                                                     \
    extern spor_reference *const spor_kernel_##op##_##word;
#define SPOR_KERNEL_ENTRY_(op, word, scalar) [scalar] = &spor_kernel_##op##_##word,
#define KERNELS(op)                                                                                \
    extern const spor_op spor_op_##op;                                                             \
    SPOR_EACH_SCALAR(SPOR_DECLARE_KERNEL_, op)                                                     \
    static spor_reference *const *const op##_reference[SPOR_SCALARS] = {                           \
        SPOR_EACH_SCALAR(SPOR_KERNEL_ENTRY_, op)}

/**
 * ELEMENT_KERNELS(exp) is KERNELS(exp) of an elementwise op, with its tile kernels and the table
 * exp_tiles that the descriptor names. TILE_KERNELS alone is for a map that is part of an op's tiling,
 * and for ops whose tiling has more to say.
 */
#define SPOR_TILE_NAME(op, isa, scalar) spor_tile_##op##_##isa##_##scalar
#define SPOR_DECLARE_TILE_(op, isa)                                                                \
    extern spor_tile_kernel SPOR_TILE_NAME(op, isa, f32), SPOR_TILE_NAME(op, isa, f64);
#define SPOR_TILE_ENTRY_F32_(op, isa) SPOR_TILE_NAME(op, isa, f32),
#define SPOR_TILE_ENTRY_F64_(op, isa) SPOR_TILE_NAME(op, isa, f64),
#define TILE_KERNELS(op, ...)                                                                      \
    extern spor_symbolic spor_symbolic_##op;                                                       \
    SPOR_EACH_ISA(SPOR_DECLARE_TILE_, op)                                                          \
    static const spor_tiling op##_tiles = {                                                        \
        .role = SPOR_MAPS,                                                                         \
        __VA_ARGS__,                                                                               \
        .symbolic = spor_symbolic_##op,                                                            \
        .kernel = {[SPOR_F32] = {SPOR_EACH_ISA(SPOR_TILE_ENTRY_F32_, op)},                         \
                   [SPOR_F64] = {SPOR_EACH_ISA(SPOR_TILE_ENTRY_F64_, op)}}}
#define ELEMENT_KERNELS(op)                                                                        \
    KERNELS(op);                                                                                   \
    TILE_KERNELS(op, .product = false)

/**
 * FAST_KERNELS(dense) declares the fast kernels of all types and instruction sets and the table
 * dense_kernels for spor_fused.phase[].
 */
#define SPOR_FAST_NAME(op, isa, scalar) spor_fast_##op##_##isa##_##scalar
#define FAST_KERNELS(op)                                                                           \
    SPOR_EACH_ISA(SPOR_FAST_DECLARE_F32_, op)                                                      \
    SPOR_EACH_ISA(SPOR_FAST_DECLARE_F64_, op)                                                      \
    static spor_kernel *const op##_kernels[SPOR_SCALARS][SPOR_ISAS] = {                            \
        [SPOR_F32] = {SPOR_EACH_ISA(SPOR_FAST_ENTRY_F32_, op)},                                    \
        [SPOR_F64] = {SPOR_EACH_ISA(SPOR_FAST_ENTRY_F64_, op)}}
#define SPOR_FAST_DECLARE_F32_(op, isa) extern spor_kernel SPOR_FAST_NAME(op, isa, f32);
#define SPOR_FAST_DECLARE_F64_(op, isa) extern spor_kernel SPOR_FAST_NAME(op, isa, f64);
#define SPOR_FAST_ENTRY_F32_(op, isa) SPOR_FAST_NAME(op, isa, f32),
#define SPOR_FAST_ENTRY_F64_(op, isa) SPOR_FAST_NAME(op, isa, f64),

/* ---- for op files --------------------------------------------------------------------------- */

/** Records a node: checks that the operands share one healthy tape, applies the shape rule. attr
 *  has op->attrs slots and is copied. */
spor_var op_record(const spor_op *op, const spor_var in[], const spor_attr attr[]);
/** For ops without operands. */
spor_var op_record_leaf(spor_tape *tape, const spor_op *op, const spor_attr attr[]);

/** Operand k of the node that made y. */
spor_var op_operand(spor_var y, int k);
/** Attributes of the node that made y; stable as long as the tape lives. */
const spor_attr *op_attrs(spor_var y);
/** What an op returns that was given NULL in the place of numbers; the tape's error says what they are. */
spor_var op_missing(spor_var x, const char *what);
/** A derivative that is zero everywhere. */
spor_var op_none(void);
/** Marks a cotangent that is 0 where a mask has left elements out, and what is recorded of it. */
spor_var op_masked(spor_var x);
/** A cotangent times a slope. What a mask has left out stays 0, be its slope infinite or no number. */
spor_var op_pull(spor_var ybar, spor_var slope);
/** A real as a scalar, for a number within value +- error. */
spor_var op_constant(spor_tape *tape, double value, double error);
/** num/den, or such a real, filled into a shape: ratio or constant, then expand. */
spor_var op_fill_ratio(spor_tape *tape, int64_t num, int64_t den, spor_shape shape);
spor_var op_fill(spor_tape *tape, double value, double error, spor_shape shape);
/** spor_pad with such a real. */
spor_var op_pad(spor_var x, const int64_t lo[], const int64_t hi[], double fill, double error);

/* ---- the registry --------------------------------------------------------------------------- */

/** All primitive ops in the order of ops/meson.build, NULL at the end. */
extern const spor_op *const spor_ops[];
/** NULL if there is none of this name. */
const spor_op *op_find(const char *name);
/** Copies the name out of the signature (up to "("), returns its length. */
int op_name(const spor_op *op, char *name, int size);

/* ---- signatures ------------------------------------------------------------------------------ */

typedef enum {
    SPOR_KIND_INT,
    SPOR_KIND_REAL,
    SPOR_KIND_INT2,
    SPOR_KIND_INT4,
    SPOR_KIND_AXIS,
    SPOR_KIND_AXES,
    SPOR_KIND_SIZES,
    SPOR_KIND_PERM,
    SPOR_KIND_SHAPE,
    SPOR_KIND_VALUES
} spor_kind;

#define SPOR_NAME 32

typedef struct {
    char name[SPOR_NAME];
    bool any;  /* [...]: same shape as the others, or leading axes before named ones */
    bool free; /* [*] */
    int axes;  /* named axes */
    char axis[SPOR_RANK][SPOR_NAME];
} spor_signature_operand;

typedef struct {
    char name[SPOR_NAME];
    spor_kind kind;
    int slot; /* first slot in attr[] */
    int slots;
    bool has_default;
    int same_as;  /* the earlier attribute that the default is; -1: the default is a number */
    double value; /* which it is, for every slot */
} spor_signature_attr;

typedef struct {
    char name[SPOR_NAME];
    int operands;
    spor_signature_operand operand[SPOR_OPERANDS];
    int attrs;
    spor_signature_attr attr[SPOR_OPERANDS * 2];
} spor_signature;

/** False if the signature does not parse: a fault of the op, found by the tests. */
bool signature_parse(const char *text, spor_signature *signature);

#endif
