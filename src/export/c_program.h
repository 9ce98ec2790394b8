/*
 * A program as functions of C: one a step, and where its arrays lie.
 */
#ifndef SPOR_EXPORT_C_PROGRAM_H
#define SPOR_EXPORT_C_PROGRAM_H

#include "export/c_text.h"
#include "program/memory.h"
#include "program/program.h"

/** An array that is the caller's: a node of the program's tape, and how it is called. */
typedef struct {
    uint32_t node;
    char name[64];
    bool made; /* a result; else it is given */
} c_outside;

/** Parameters and states that a file can change: entries of spor_params one behind the other in net_values, and
 *  what a step makes of them in net_next. */
typedef struct {
    spor_params *params;
    int count;
    int64_t *first, *next; /* [count] elements; next -1: no step writes it */
    int64_t elements, written;
} c_parameters;

/** Weights or another constant: of a node. */
typedef struct {
    uint32_t node;
    char name[64]; /* "net_dense_0_W" */
    int64_t first; /* element among those that are read as arrays; -1: it stands in the loops */
    int64_t count;
    const void *value;
    void *own; /* to be freed, where no parameter has it */
} c_constant;

typedef struct c_program {
    const spor_program *program;
    const c_outside *outside;
    int outsides;
    const c_parameters *parameters; /* NULL: they are constants */
    const struct c_program *before; /* of the same file, whose names are taken; NULL: none */
    bool apart;                     /* constants are in a file of their own, at net_weights */
    spor_c functions;               /* one a step */
    spor_c calls;                   /* the body of the function that makes all steps */
    spor_memory arena;
    c_constant *constant;
    int constants;
    int64_t constant_elements;
    uint32_t *last;    /* by node: the last step that reads its elements */
    size_t *offset;    /* by node: where they lie in the arena, in bytes */
    size_t *saved;     /* by node: where what its step saves lies there */
    size_t *saves;     /* and how many bytes that is */
    double products;   /* multiply-adds */
    char (*names)[64]; /* of the functions, by step */
    const spor_text
        *beside; /* other parts of the file, whose names are taken; NULL: there are none */
} c_program;

/** Writes all steps of a program made for the baseline, row by row or portable. False with a message that names an op
 *  without C and its place. */
bool c_write_program(c_program *p, spor_message *message);
void c_program_end(c_program *p);

/** How the elements of a node are called where its steps are: "x", "arena + 40". */
typedef struct {
    char text[96];
} c_place;
c_place c_place_of(c_program *p, uint32_t id);

/** The constant of a node, made when it is first asked for; NULL: it is none, or memory ran out. */
const c_constant *c_constant_of(c_program *p, uint32_t id);

/** Writes the loops of a group. name[a]: of argument a. c_group.c */
void c_write_group(spor_c *c, c_program *p, const program_step *step, char (*name)[64]);

#endif
