/* A suite file offers its tests; main.c runs them. */
#ifndef SPOR_TESTS_SUITE_H
#define SPOR_TESTS_SUITE_H

#include <check.h>

Suite *spor_suite(void);

/** 1 under AddressSanitizer, else 0. */
#if defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

#endif
