#include "matlab.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static void put(matlab_file *f, const void *bytes, size_t size) {
    f->bytes = realloc(f->bytes, f->size + size + 1);
    ck_assert_ptr_nonnull(f->bytes);
    if (size) memcpy(f->bytes + f->size, bytes, size);
    f->size += size;
}

static void put32(matlab_file *f, uint32_t n) {
    const unsigned char bytes[] = {n & 255, n >> 8 & 255, n >> 16 & 255, (unsigned char)(n >> 24)};
    put(f, bytes, 4);
}

/* Up to four bytes lie in the tag. */
static void put_element(matlab_file *f, int type, const void *bytes, size_t size) {
    static const unsigned char zero[8];
    if (size <= 4) {
        put32(f, (uint32_t)size << 16 | (uint32_t)type);
        put(f, bytes, size);
        put(f, zero, 4 - size);
        return;
    }
    put32(f, (uint32_t)type);
    put32(f, (uint32_t)size);
    put(f, bytes, size);
    put(f, zero, (8 - size % 8) % 8);
}

/* A zlib stream of stored blocks. */
static void put_zlib(matlab_file *f, const unsigned char *bytes, size_t size) {
    uint32_t a = 1, b = 0;
    put(f, "\x78\x01", 2);
    for (size_t at = 0; at < size;) {
        size_t n = size - at < 65535 ? size - at : 65535;
        const unsigned char head[] = {at + n == size, n & 255, n >> 8 & 255, ~n & 255,
                                      ~n >> 8 & 255};
        put(f, head, 5);
        put(f, bytes + at, n);
        for (size_t k = 0; k < n; k++) a = (a + bytes[at + k]) % 65521, b = (b + a) % 65521;
        at += n;
    }
    const unsigned char tail[] = {b >> 8 & 255, b & 255, a >> 8 & 255, a & 255};
    put(f, tail, 4);
}

void matlab_begin(matlab_file *file) {
    unsigned char head[128];
    *file = (matlab_file){0};
    memset(head, ' ', sizeof head);
    memcpy(head, "MATLAB 5.0 MAT-file", 19);
    memcpy(head + 124, "\x00\x01IM", 4);
    put(file, head, sizeof head);
}

void matlab_add(matlab_file *file, const matlab_array *array) {
    enum { INT8 = 1, INT32 = 5, UINT32 = 6, MATRIX = 14, COMPRESSED = 15 };
    matlab_file inside = {0}, whole = {0}, packed = {0};
    unsigned kind = (unsigned)array->kind;
    const unsigned char flags[8] = {kind & 255, kind >> 8 & 255};
    put_element(&inside, UINT32, flags, sizeof flags);
    put_element(&inside, INT32, array->n, 4 * (size_t)array->axes);
    put_element(&inside, INT8, array->name, strlen(array->name));
    put_element(&inside, array->type, array->numbers, array->size);
    put32(&whole, MATRIX);
    put32(&whole, (uint32_t)inside.size);
    put(&whole, inside.bytes, inside.size);
    if (array->packed) {
        put_zlib(&packed, whole.bytes, whole.size);
        put32(file, COMPRESSED);
        put32(file, (uint32_t)packed.size);
        put(file, packed.bytes, packed.size);
    } else
        put(file, whole.bytes, whole.size);
    free(inside.bytes);
    free(whole.bytes);
    free(packed.bytes);
}
