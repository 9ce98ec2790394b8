/*
 * Which scopes of a tape are the layers of a network.
 */
#ifndef SPOR_TAPE_LAYERS_H
#define SPOR_TAPE_LAYERS_H

#include "tape/tape.h"

/** Elements of the trained parameters that were recorded as nodes first .. last-1. */
int64_t layers_parameters(const spor_tape *tape, uint32_t first, uint32_t last);
/** True if any lies in the scope. */
bool layers_have_parameters(const spor_tape *tape, uint32_t scope);

/** Marks those of the first scopes that are layers: not made of others, with a result, and shown by no
 *  scope around them. The caller frees layer[scopes]. Their number; -1: out of memory. */
int layers_find(const spor_tape *tape, uint32_t scopes, bool **layer);

/** The name of a layer without that of its network. */
const char *layers_name(const spor_tape *tape, uint32_t scope);

#endif
