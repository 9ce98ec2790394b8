/* What parameters hold, for tests that compare it to the last bit. */
#ifndef SPOR_TESTS_STORED_H
#define SPOR_TESTS_STORED_H

#include <spor/program.h>

/** The values of all entries, states included, one behind the other, to be freed; their bytes. */
void *stored_values(spor_params *params, size_t *bytes);

/** How many trained parameters of an update have their gradient where their next value will be. */
int stored_replaced(const spor_program *program);

#endif
