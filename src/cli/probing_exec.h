/*
 * spor verify --exec in three files: probing_case.c runs a command on a case and judges what it wrote, probing_exec.c
 * walks the probes and makes small what is wrong, probing_show.c tells of it.
 */
#ifndef SPOR_CLI_PROBING_EXEC_H
#define SPOR_CLI_PROBING_EXEC_H

#include "cli/outside.h"
#include "cli/probing.h"
#include "run/run.h"

enum { EXEC_COMMAND = 4 * RUN_PATH, EXEC_TEXT = 512, EXEC_SIGHTS = 8 };

/** What no formula shows. */
typedef enum {
    EXEC_RUNS,
    EXEC_WRITTEN,
    EXEC_SHAPED,
    EXEC_UNCHANGED,
    EXEC_SAME_TWICE,
    EXEC_FACTS
} exec_fact;

/** What one case came to. */
typedef struct {
    bool asked[EXEC_FACTS];            /* it was looked at */
    char fault[EXEC_FACTS][EXEC_TEXT]; /* "": there is none */
    bool judged[SPOR_PAIRS];           /* gradients by their pairs; behind them results */
    spor_verdict *verdict;             /* [SPOR_PAIRS] */
    int claims;                        /* so many were looked for, once a command was done */
} exec_outcome;

/** A case at which a gradient was wrong, with what was given. */
typedef struct {
    int64_t value[SPOR_QUANTITIES];
    probe_draw draw;
    double *claimed;
} exec_sight;

/** Something that is looked at in every case: a gradient, the result, a fact. */
typedef struct {
    char name[64];
    const char *axis[SPOR_RANK]; /* names of its axes, NULL where there is none */
    int64_t probes;              /* at which it was looked at */
    int failed[PROBES_MOST];     /* probes at which it failed */
    int failures;
    int64_t smallest[SPOR_QUANTITIES];
    probe_draw draw;
    int runs; /* to make it small */
    char fault[EXEC_TEXT];
    spor_verdict verdict;
    char first[256]; /* what it looked like at the first probe at which it failed */
    raw_type type;   /* of what was given */
    int sights;
    exec_sight sight[EXEC_SIGHTS];
    spor_text picture; /* of the first probe at which it failed */
} exec_subject;

/** What the command wrote last. */
typedef struct {
    spor_bundle bundle;
    spor_npy array[SPOR_PAIRS]; /* by claim; value NULL: there is none */
} exec_written;

/** A command at work. */
typedef struct {
    probing *p;
    outside outside;
    bool stopped; /* somebody wants that */
    char folder[RUN_PATH - 64], in[RUN_PATH], out[RUN_PATH], command[EXEC_COMMAND];
    int subjects, claims, gradients; /* gradients, results, then the facts */
    exec_subject *subject;
    exec_outcome now;
    exec_written last;
    double *off[SPOR_PAIRS]; /* of the last case, by claim: for a picture */
} exec;

/** The folders of the command, and the command with them in it. False after a complaint. */
bool exec_open(exec *e);
void exec_close(exec *e);
/** Runs the command on a case and looks at all of it: the outcome is e->now. False after a complaint. */
bool exec_try(exec *e, const int64_t value[], probe_draw draw, bool twice);

/** "same bits twice" */
const char *exec_fact_label(exec_fact fact);
/** Shows a row for each subject that was looked at. False after a complaint. */
bool exec_show(exec *e);

#endif
