/*
 * spor verify: what its parts share. verify.c walks the files, verify_jury.c judges the statements of one
 * side by side, verify_rows.c shows what was found, verify_arrays.c judges arrays, verify_model.c networks.
 */
#ifndef SPOR_CLI_VERIFY_H
#define SPOR_CLI_VERIFY_H

#include <spor/verify.h>

#include "cli/cli.h"
#include "data/json.h"
#include "figure/report.h"

/** How much is told of what is wrong. */
typedef enum { SPOR_HINT_NONE, SPOR_HINT_PATTERN, SPOR_HINT_FULL } spor_hint;

/** What was asked for. */
typedef struct {
    const char *only, *html, *junit, *data, *weights, *call, *hint_name, *ties;
    int64_t seed, shapes, threads;
    double ulps, rtol; /* of arrays */
    bool json, quiet, github;
    bool strict;        /* what holds with a reservation is not enough */
    const char *arrays; /* file of several */
    const char *emit, *exec, *blocks;
    int64_t timeout; /* of a run of --exec, in seconds */
    spor_settings settings, in, against, before;
    const char *whole; /* of --integers */
} spor_verify_given;

/** A verification while it goes on. */
typedef struct {
    const spor_verify_given *given;
    spor_hint hint;
    const char *path; /* of the script at work */
    bool headed;      /* its heading was printed */
    bool listed;      /* its heading stands in the report */
    bool broken;      /* memory ran out, or --call had bad input: exit 2 without a tally */
    bool colours;
    bool wrote;       /* probes: what was asked for is done, whatever else there is */
    bool refused;     /* something could not be read or examined: exit 2 */
    int64_t reserved; /* rows that hold with a reservation */
    spor_report report;
    spor_text json_text;
    spor_json json;
} spor_verification;

/** A row to show. Texts live as long as the call. */
typedef struct {
    spor_row_state state;
    const char *label, *verdict, *summary, *detail;
    const char *kind;                /* "derive", "claim", "arrays", "network" */
    const char *place;               /* "models/x.spor:3:1", NULL: none */
    const spor_statement *statement; /* NULL: none */
    const spor_verdict *found;       /* NULL: none */
    const char *picture;             /* SVG for the page, NULL: none */
    bool reserved;                   /* it holds, but with a reservation: the summary has it */
} spor_verify_row;

/** Begins and ends what is shown; the end gives the exit status. */
void verify_begin(spor_verification *v);
int verify_end(spor_verification *v);
/** Rows that follow belong to this script. */
void verify_file(spor_verification *v, const char *path);
void verify_show(spor_verification *v, const spor_verify_row *row);
/** --github: a fault at a place, "models/x.spor:3:1" or a file. verify_github.c */
void verify_annotate(const char *place, const char *label, const char *verdict,
                     const char *summary);
/** A file that could not be read, the script or what it names: told on stderr, and exit 2. */
void verify_unreadable(spor_verification *v, const char *label, const char *error);
/** What could not be examined for want of memory or by an error of its own: likewise. */
void verify_refuse(spor_verification *v, const char *label, const char *error);
/** What was not looked at, and why; it decides nothing. */
void verify_skip(spor_verification *v, const char *label, const char *why);

/** Texts of a verdict, as the hint allows; to be freed; NULL when memory runs out. */
char *verify_summary(const spor_verification *v, const spor_statement *statement,
                     const spor_verdict *found);
char *verify_detail(const spor_verification *v, const spor_script_claim *claim,
                    const spor_verdict *found, const char *label, const char *place);

/** A statement and what was found of it. */
typedef struct {
    const spor_script_claim *claim; /* with what recording it left there */
    spor_verdict *found;
    bool finished; /* else memory ran out over it */
} spor_judged;

/** Those who judge: each has the script for itself. */
typedef struct spor_jury spor_jury;

/** Judges so many statements of a script, by their numbers in it, side by side on threads; what is found does
 *  not depend on how many there are. NULL: out of memory. */
spor_jury *verify_judge(const spor_verification *v, spor_workpiece *piece, int count,
                        const int number[]);
/** The k-th of them; it lives as long as the jury. */
const spor_judged *verify_judged(const spor_jury *jury, int k);
/** Frees the jury; NULL is ignored. */
void verify_dismiss(spor_jury *jury);

/** Rows for --call; false after a complaint. */
bool verify_call(spor_verification *v, spor_workpiece *piece);

/** The same for --emit and --exec. */
bool verify_probes(spor_verification *v, spor_workpiece *piece);

/** Rows for the network that the script trains. */
void verify_network(spor_verification *v, spor_workpiece *piece);

#endif
