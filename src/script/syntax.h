/*
 * The syntax tree of a script.
 */
#ifndef SPOR_SCRIPT_SYNTAX_H
#define SPOR_SCRIPT_SYNTAX_H

#include "script/ground.h"
#include <spor/tape.h>

typedef enum {
    /* expressions */
    NODE_INT,    /* i */
    NODE_REAL,   /* r */
    NODE_BOOL,   /* i */
    NODE_STRING, /* text */
    NODE_NAME,   /* text */
    NODE_LIST,   /* children: elements; also what a, b makes */
    NODE_NEGATE, /* -child */
    NODE_PLUS,   /* +child */
    NODE_BINARY, /* child sign child */
    NODE_AND,
    NODE_OR,
    NODE_NOT,
    NODE_CHOICE,    /* child[0] if child[1] else child[2] */
    NODE_CALL,      /* child[0](child[1], ...), with keyword[k] for child[k] or NULL */
    NODE_INDEX,     /* child[0][child[1], ...] */
    NODE_SLICE,     /* start:stop:step, each NULL if left out; only in an index */
    NODE_ELLIPSIS,  /* ...; in an index, or for what is not derived yet */
    NODE_INDEX_SUM, /* sum(child[0] for child[1], ...); each a NAME with its list as child, or none
                     */
    NODE_ELEMENT,   /* an INDEX of integers whose tensor is known: made by index_sum.c */
    NODE_VALUE,     /* value: made by index_sum.c */
    /* statements */
    NODE_BLOCK,    /* children: statements */
    NODE_EVALUATE, /* child */
    NODE_ASSIGN,   /* child[0] = child[1]; child[0] is a NAME or a LIST of them */
    NODE_AUGMENT,  /* child[0] sign= child[1] */
    NODE_RETURN,   /* child, or none */
    NODE_IF,       /* condition, block, condition, block, ..., and a last block: else */
    NODE_FOR,      /* child[0] in child[1]: child[2] */
    NODE_DEF,      /* def */
    NODE_PASS,
    NODE_INCLUDE, /* text */
    NODE_DERIVE,  /* assertion */
    NODE_CLAIM    /* assertion */
} spor_syntax_kind;

typedef struct spor_syntax spor_syntax;
typedef struct spor_def spor_def;
typedef struct spor_assertion spor_assertion;

struct spor_syntax {
    spor_syntax_kind kind;
    spor_spot place;
    int sign;
    int depth; /* of the tree below, 1 for a leaf */
    int n;
    spor_syntax **child;
    const char **keyword;
    const char *text;
    int64_t i;
    double r;
    spor_def *def;
    spor_assertion *assertion;
    const struct spor_value *value;
    spor_var *element; /* of an ELEMENT: those recorded so far, or NULL */
};

/** One axis in a signature: a name for its size, or a size. */
typedef struct {
    const char *name; /* NULL: size */
    int64_t size;
} spor_axis_name;

/** x, x=1, or A[N, n] */
typedef struct {
    const char *name;
    spor_spot place;
    spor_syntax *value; /* the default, or NULL */
    bool shaped;        /* has axes: must be a tensor */
    int rank;
    spor_axis_name axis[SPOR_RANK];
    spor_syntax *from, *to; /* of a claim: name in from..to; without to: name in the list from */
} spor_parameter;

struct spor_def {
    const char *name;
    spor_spot place;
    int parameters;
    spor_parameter *parameter;
    spor_syntax *where; /* a condition on its sizes, or NULL */
    spor_syntax *body;
};

/** derive f "label" (A, W, b) -> (Y, dY) where ... fails: or claim "label" (A[H, W], p in 0..3): */
struct spor_assertion {
    const char *label;  /* NULL: none */
    const char *target; /* the def of a derive */
    spor_spot place, target_place;
    int parameters;
    spor_parameter *parameter;
    spor_parameter result[2]; /* Y and dY of a derive */
    spor_syntax *where;       /* or NULL */
    bool fails, trusted;
    spor_syntax *body;
};

/** Reads a source; leaves by spor_give_up on an error. */
spor_syntax *spor_parse(spor_ground *ground, spor_names *names, const spor_source *source);
/** Reads one expression that makes up the whole source. */
spor_syntax *spor_parse_expression(spor_ground *ground, spor_names *names,
                                   const spor_source *source);

#endif
