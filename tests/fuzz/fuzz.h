/*
 * Fuzz targets: each takes bytes, reads them as its format and aborts if a promise is broken. The
 * suite feeds them mutated seeds; with -DSPOR_LIBFUZZER a target is an entry point of libFuzzer,
 * without it tests/fuzz/replay.c runs it on files:
 *
 *     clang -fsanitize=fuzzer,address -DSPOR_LIBFUZZER -Iinclude -Isrc tests/fuzz/gzip.c ...
 */
#ifndef SPOR_TESTS_FUZZ_H
#define SPOR_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/** True if the bytes were accepted. */
typedef bool fuzz_target(const uint8_t *bytes, size_t size);
fuzz_target fuzz_gzip, fuzz_csv, fuzz_table, fuzz_json, fuzz_safetensors, fuzz_npy, fuzz_idx,
    fuzz_mat, fuzz_checkpoint, fuzz_summary, fuzz_outline, fuzz_like, fuzz_bundle, fuzz_onnx;

/** A broken promise ends the process: that is what a fuzzer looks for. */
#define FUZZ_PROMISE(condition)                                                                    \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #condition);        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
#ifdef SPOR_LIBFUZZER
#define FUZZ_ENTRY(name)                                                                           \
    int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {                                \
        fuzz_##name(bytes, size);                                                                  \
        return 0;                                                                                  \
    }
#else
#define FUZZ_ENTRY(name)
#endif

/** Writes the bytes to a file of this process; the path stays valid, the file is overwritten. */
const char *fuzz_file(const uint8_t *bytes, size_t size);
/** Parameters W [2, 3] and b [3], in float. */
struct spor_params *fuzz_params(void);
/** Removes that file. */
void fuzz_file_end(void);

#endif
