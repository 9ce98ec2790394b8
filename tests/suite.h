/* A suite file offers its tests; main.c runs them. */
#ifndef SPOR_TESTS_SUITE_H
#define SPOR_TESTS_SUITE_H

#include <check.h>

Suite *spor_suite(void);

#endif
