#include "export/protobuf.h"

#include <string.h>

/* How a value is written: what the lower three bits of a tag say. */
enum { VARINT = 0, LENGTH = 2, FOUR_BYTES = 5 };

enum { VARINT_MOST = 10 }; /* bytes of 64 bits */

/* Returns how many bytes it takes. */
static int make_varint(unsigned char to[VARINT_MOST], uint64_t value) {
    int size = 0;
    for (; value > 127; value >>= 7) to[size++] = (unsigned char)(value & 127) | 128;
    to[size++] = (unsigned char)value;
    return size;
}

static void add_varint(spor_text *bytes, uint64_t value) {
    unsigned char varint[VARINT_MOST];
    text_bytes(bytes, varint, (size_t)make_varint(varint, value));
}

static void add_tag(spor_text *bytes, int field, unsigned how) {
    add_varint(bytes, (uint64_t)field << 3 | how);
}

void protobuf_integer(spor_text *bytes, int field, int64_t value) {
    add_tag(bytes, field, VARINT);
    add_varint(bytes, (uint64_t)value);
}

void protobuf_float(spor_text *bytes, int field, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    add_tag(bytes, field, FOUR_BYTES);
    for (int k = 0; k < 4; k++)
        text_bytes(bytes, &(unsigned char){(unsigned char)(bits >> 8 * k & 255)}, 1);
}

void protobuf_bytes(spor_text *bytes, int field, const void *from, size_t size) {
    add_tag(bytes, field, LENGTH);
    add_varint(bytes, size);
    text_bytes(bytes, from, size);
}

void protobuf_text(spor_text *bytes, int field, const char *text) {
    protobuf_bytes(bytes, field, text, strlen(text));
}

void protobuf_integers(spor_text *bytes, int field, int count, const int64_t value[]) {
    size_t opened = protobuf_open(bytes, field);
    for (int k = 0; k < count; k++) add_varint(bytes, (uint64_t)value[k]);
    protobuf_close(bytes, opened);
}

size_t protobuf_open(spor_text *bytes, int field) {
    add_tag(bytes, field, LENGTH);
    return bytes->size;
}

/* What was written moves up by the bytes of its length. */
void protobuf_close(spor_text *bytes, size_t opened) {
    unsigned char varint[VARINT_MOST];
    size_t length = bytes->failed ? 0 : bytes->size - opened;
    size_t size = (size_t)make_varint(varint, length);
    text_bytes(bytes, varint, size);
    if (bytes->failed) return;
    memmove(bytes->at + opened + size, bytes->at + opened, length);
    memcpy(bytes->at + opened, varint, size);
}
