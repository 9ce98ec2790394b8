/*
 * A report of statements as a self-contained HTML page, and as JUnit XML.
 */
#ifndef SPOR_FIGURE_REPORT_H
#define SPOR_FIGURE_REPORT_H

#include <stddef.h>
#include <spor/base.h>

/** How a statement came out. */
typedef enum {
    SPOR_ROW_HOLDS,
    SPOR_ROW_EXPECTED,   /* it fails, as it is said to */
    SPOR_ROW_WRONG,      /* it fails, or holds where it is said to fail */
    SPOR_ROW_UNFINISHED, /* a part of it is still to be written, or nothing could be examined */
    SPOR_ROW_BROKEN,     /* it can't be evaluated: no verdict on numbers */
    SPOR_ROW_SKIPPED,    /* it was not looked at, and need not be */
    SPOR_ROW_UNREADABLE, /* not a statement: a file that could not be read */
    SPOR_ROW_STATES
} spor_row_state;

/** A statement. Texts are copied; NULL stands for "". */
typedef struct {
    spor_row_state state;
    const char *label;   /* "Eq. 49 as printed" */
    const char *verdict; /* in a few words: "holds" */
    const char *summary; /* a line: how well that is known, or the smallest case */
    const char *detail;  /* lines to unfold, set in type of one width */
    const char *picture; /* SVG, which goes to the page as it is */
} spor_report_row;

enum { SPOR_ROW_TEXTS = 5 };

/** A heading (only text[0]) or a statement: label, verdict, summary, detail, picture. */
typedef struct {
    bool heading;
    spor_row_state state;
    char *text[SPOR_ROW_TEXTS];
} spor_report_line;

/** Zero-initialised it is empty. */
typedef struct spor_report {
    spor_report_line *line;
    int count, capacity;
    bool failed; /* out of memory: later rows are lost */
    int64_t states[SPOR_ROW_STATES];
} spor_report;

/** Rows that follow stand under this heading. */
void report_section(spor_report *report, const char *heading);
void report_add(spor_report *report, const spor_report_row *row);
void report_free(spor_report *report);

/** "12 hold, 3 fail as stated, 1 is wrong, 2 are unfinished"; what there is none of is left out. */
void report_tally(const spor_report *report, char *text, size_t size);

/** The page, light or dark as the reader's screen is. about is a line below the title. */
bool report_write(const spor_report *report, const char *title, const char *about, const char *path,
                  spor_message *message);

/** The same as JUnit XML, for what gathers the results of tests: a suite a heading, a case a
 *  statement, which fails, is in error or was skipped. What is unfinished counts as skipped. junit.c
 */
bool report_write_junit(const spor_report *report, const char *name, const char *path,
                        spor_message *message);

#endif
