/*
 * A network of others, an ONNX file, as a script and its weights.
 */
#ifndef SPOR_IMPORT_IMPORT_H
#define SPOR_IMPORT_IMPORT_H

#include <spor/base.h>
#include "data/text.h"

/** Bytes of the largest file that is read. */
#define IMPORT_FILE_LIMIT ((size_t)1 << 31)

/** What is asked for. */
typedef struct {
    const char *path; /* of the file, for messages and the script's head */
    const char *def;  /* name of the network's def */
    const char *
        data; /* as train(...) is to have it, "digits(scale=1/16)"; NULL: none, the line is a comment */
} import_wish;

/** As many as spor run gives to a def, and as it returns. */
enum { IMPORT_INPUTS = 29, IMPORT_OUTPUTS = 8 };

/** What a graph's input or output is in the script. */
typedef struct {
    char name[64];           /* in the script */
    int rank;                /* of the array */
    int64_t size[SPOR_RANK]; /* without the rows */
    int64_t rows[SPOR_RANK]; /* the size is `size` and so many times N */
    int from[SPOR_RANK];     /* which of the file's axes axis k is */
    bool maps;               /* channels are last, where the file has them second */
    bool whole;              /* of whole numbers */
} import_face;

/** What came of it. */
typedef struct {
    spor_text script, weights; /* the bytes of the files */
    spor_text told;            /* what there is to know, a line each */
    int inputs, outputs;
    import_face input[IMPORT_INPUTS], output[IMPORT_OUTPUTS];
    int nodes, lines, tensors; /* of the file; of the def; in the weights */
    int64_t numbers;           /* in the weights */
    bool wide;                 /* computes in double */
} import_result;

/** Reads an ONNX file's bytes. False with a message, which begins with the path: what can't be read, or the
 *  node, its op, and why spor has nothing for it. The result is freed in either case. */
bool import_onnx(const import_wish *wish, const unsigned char *bytes, size_t size,
                 import_result *result, spor_message *message);
void import_free(import_result *result);

/** True of words of the language, and of what lines call: no variable of a script has such a name. */
bool import_is_taken(const char *name);
/** The number of ops that are understood, and one's name. */
int import_ops(void);
const char *import_op_name(int k);

#endif
