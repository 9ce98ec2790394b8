/*
 * What every other header stands on: shapes, messages, the version.
 */
#ifndef SPOR_BASE_H
#define SPOR_BASE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What the library offers: the rest of its names stays inside. */
#if defined(__GNUC__)
#define SPOR_API __attribute__((visibility("default")))
#else
#define SPOR_API
#endif

/** The version of the library in use, "0.1.0". */
SPOR_API const char *spor_version(void);

/** The message of calls that have no object to hold their error. */
typedef struct {
    char text[1024]; /* written by a call that fails: what, where, how to mend it */
} spor_message;

/** The highest rank of a tensor. */
#define SPOR_RANK 8

/** Sizes of a tensor, outermost axis first. rank 0 is a scalar. A size may be 0: then there are
 *  no elements. */
typedef struct {
    int rank;             /* number of axes, 0 .. SPOR_RANK */
    int64_t n[SPOR_RANK]; /* n[k]: elements along axis k; of rank numbers */
} spor_shape;

/** SPOR_SHAPE(32, 8, 8, 1): a shape as an expression. */
#define SPOR_SHAPE(...)                                                                            \
    ((spor_shape){(int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), {__VA_ARGS__}})
/** The shape of a scalar. */
#define SPOR_SCALAR_SHAPE ((spor_shape){0, {0}})

#ifdef __cplusplus
}
#endif

#endif
