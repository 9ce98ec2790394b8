/*
 * The networks that exports are tried on: the report's six, those of networks.spor, which use the layers, and
 * those of tests/bench/outside.spor; with random weights.
 */
#ifndef SPOR_TESTS_EXPORT_NETWORKS_H
#define SPOR_TESTS_EXPORT_NETWORKS_H

#include "train/model.h"

/** rows: as many as are worth the time. */
typedef void network_look(const char *name, spor_model *model, int64_t rows, void *user);

/** Shows each of them; the number of them. What is too large is told and left out. */
int each_network(const char *source, network_look *look, void *user);

#endif
