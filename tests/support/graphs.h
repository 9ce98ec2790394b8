/*
 * Random graphs of what groups are made of: elementwise ops as the registry has them, expand and sum
 * over some of the axes; and of what lies between groups: transposes, reshapes, products.
 */
#ifndef SPOR_TESTS_SUPPORT_GRAPHS_H
#define SPOR_TESTS_SUPPORT_GRAPHS_H

#include "program/program.h"

enum { GRAPH_WHOLE = 2, GRAPH_SMALL = 3, GRAPH_LEAVES = GRAPH_WHOLE + GRAPH_SMALL + 1 };
enum { GRAPH_POOL = 64, GRAPH_OUTPUTS = 4 };

typedef struct {
    spor_tape *tape;
    uint64_t seed;
    bool trained; /* leaves are parameters, else inputs */
    bool exact;   /* only ops that round nothing as long as integers stay small */
    uint64_t draws;
    spor_shape shape;              /* of most nodes */
    int64_t axes[GRAPH_SMALL];     /* that a small tensor has not */
    spor_shape small[GRAPH_SMALL]; /* its shape */
    spor_var leaf[GRAPH_LEAVES];   /* of that shape, small ones, a matrix */
    int leaves;                    /* recorded so far */
    spor_var pool[GRAPH_POOL];     /* values of that shape */
    int pooled;                    /* recorded so far */
    spor_var out[GRAPH_OUTPUTS];   /* out[0] is what gradients are taken of */
    spor_var cotangent;            /* an input, of the shape of out[0] */
} graph;

/** The graph of a seed: the same nodes each time. */
graph graph_record(uint64_t seed, bool exact, bool trained);
/** <cotangent, out[0]> */
spor_var graph_cost(const graph *g);

#endif
