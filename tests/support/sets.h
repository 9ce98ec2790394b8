/* The instruction sets that tests run fast kernels on. */
#ifndef SPOR_TESTS_SETS_H
#define SPOR_TESTS_SETS_H

/** The sets of this machine: names, NULL at the end. */
const char *const *instruction_sets(void);

#endif
