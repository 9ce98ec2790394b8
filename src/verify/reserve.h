/*
 * Reservations of a verdict: what was not met while a statement held.
 */
#ifndef SPOR_VERIFY_RESERVE_H
#define SPOR_VERIFY_RESERVE_H

#include "verify/verify.h"

enum { COMPARISONS = 64 };

/** A comparison, maximum or kink of the source, and the outcomes that it had in all instances. */
typedef struct {
    const spor_op *op;
    spor_place place;
    bool seen;
    double least, most;
} comparison;

typedef struct {
    int n;
    comparison at[COMPARISONS];
} comparisons;

/** Adds what the trial's decisions were. */
void comparisons_add(comparisons *all, const spor_trial *trial);
/** True if each went both ways. */
bool comparisons_met(const comparisons *all);
/** Appends the unmet ones to the text; how many they are. */
int reserve_comparisons(const comparisons *all, char *text, size_t size);
/** Appends a reservation of another kind. */
void reserve(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
