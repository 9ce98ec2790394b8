/*
 * The syntax tree of a script.
 */
#ifndef SPOR_SCRIPT_SYNTAX_H
#define SPOR_SCRIPT_SYNTAX_H

#include "script/ground.h"
#include <spor/tape.h>

typedef enum {
    /* expressions */
    NODE_INT,           /* i */
    NODE_REAL,          /* r, error */
    NODE_BOOL,          /* i */
    NODE_STRING,        /* text */
    NODE_NAME,          /* text, word */
    NODE_LIST,          /* children: elements; also what a, b makes */
    NODE_COMPREHENSION, /* child[0] for all that the other children, FOR and IF, go through */
    NODE_NEGATE,        /* -child */
    NODE_PLUS,          /* +child */
    NODE_BINARY,        /* child sign child */
    NODE_AND,
    NODE_OR,
    NODE_NOT,
    NODE_CHOICE,   /* child[0] if child[1] else child[2] */
    NODE_CALL,     /* child[0](child[1], ...), with keyword[k] for child[k] or NULL */
    NODE_INDEX,    /* child[0][child[1], ...] */
    NODE_SLICE,    /* start:stop:step, each NULL if left out; only in an index */
    NODE_ELLIPSIS, /* ...; in an index, or for what is still missing */
    NODE_FORM,     /* an expression of the dialect: evaluate, own */
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
    NODE_ACT      /* a statement of the dialect: evaluate, own */
} spor_syntax_kind;

typedef struct spor_syntax spor_syntax;
typedef struct spor_def spor_def;
typedef struct spor_pass spor_pass;
typedef struct spor_env spor_env;
typedef struct spor_value spor_value;

/** The value of a node among the names of env. */
typedef spor_value spor_evaluator(spor_pass *run, spor_env *env, const spor_syntax *node);

/** A name that means something where nothing of this name is bound. Tables end with text NULL. */
typedef struct {
    const char *text;
    spor_evaluator *evaluate; /* its value; NULL: it has none, and who knows the word reads it */
    const char *fixed;        /* why it cannot be assigned to; NULL: it can */
} spor_word;

struct spor_syntax {
    spor_syntax_kind kind;
    spor_spot place;
    int sign;
    int depth; /* of the tree below, 1 for a leaf */
    int n;
    spor_syntax **child;
    const char **keyword;
    const char *text;
    const spor_word *word; /* of a NAME that is a word with a meaning, else NULL */
    int64_t i;
    double r, error;
    spor_def *def;
    spor_evaluator *evaluate; /* of a FORM or an ACT */
    void *own;                /* the dialect's */
};

/** One axis in a signature: a name for its size, or a size. */
typedef struct {
    const char *name; /* NULL: size */
    int64_t size;
} spor_axis_name;

/** x, x=1, A[N, n], or A[N, n] in 0.0..1.0 */
typedef struct {
    const char *name;
    spor_spot place;
    spor_syntax *value;     /* the default, or NULL */
    spor_syntax *from, *to; /* in from..to, or in from; running a def does not look at them */
    bool shaped;            /* has axes: must be a tensor */
    int rank;
    spor_axis_name axis[SPOR_RANK];
} spor_parameter;

struct spor_def {
    const char *name;
    spor_spot place;
    int parameters;
    spor_parameter *parameter;
    spor_syntax *where; /* a condition on its sizes, or NULL */
    spor_syntax *body;
};

#endif
