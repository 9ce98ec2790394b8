/*
 * Commands of others: run by the shell, waited for, stopped.
 */
#ifndef SPOR_CLI_OUTSIDE_H
#define SPOR_CLI_OUTSIDE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

enum { OUTSIDE_SAID = 2048 };

/** How one ended. */
typedef enum {
    OUTSIDE_DONE,     /* with status 0 */
    OUTSIDE_FAILED,   /* with another status, or by a signal */
    OUTSIDE_TOO_LONG, /* it was killed when its time was over */
    OUTSIDE_STOPPED,  /* somebody wants the whole to stop: ^C, SIGTERM, SIGHUP */
    OUTSIDE_NOT_STARTED
} outside_end;

typedef struct {
    outside_end end;
    char how[128];           /* "ended with status 3" */
    char said[OUTSIDE_SAID]; /* the end of what it printed */
} outside_result;

/** While commands run, signals are waited for; what is between begin and end leaves nobody behind. */
typedef struct {
    sigset_t awaited, before;
    struct sigaction child;
} outside;

void outside_begin(outside *o);
void outside_end_all(outside *o);
/** Runs "sh -c command" in a process group of its own, without input, for at most so many seconds. Nothing of its
 *  group is left when this returns. */
void outside_run(const outside *o, const char *command, double seconds, outside_result *result);
/** Adds a word so that the shell has it as it is. False if there is no room. */
bool outside_quote(const char *word, char *text, size_t size);

#endif
