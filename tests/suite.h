/* A suite file offers its tests; main.c runs them. */
#ifndef SPOR_TESTS_SUITE_H
#define SPOR_TESTS_SUITE_H

#include <check.h>

Suite *spor_suite(void);

/** 1 under AddressSanitizer, else 0; and under ThreadSanitizer. */
#if defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#define THREADS_SANITIZED __has_feature(thread_sanitizer)
#else
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED 1
#else
#define SANITIZED 0
#endif
#ifdef __SANITIZE_THREAD__
#define THREADS_SANITIZED 1
#else
#define THREADS_SANITIZED 0
#endif
#endif

#endif
