#include "walk.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static uint64_t varint(walk_bytes *b) {
    uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
        ck_assert_msg(b->at < b->end, "a number is cut off");
        value |= (uint64_t)(*b->at & 127) << (shift < 64 ? shift : 63);
        if (*b->at++ < 128) return value;
    }
    ck_abort_msg("a number of more than ten bytes");
    return 0;
}

bool walk_next(walk_bytes *message, walk_field *field) {
    enum { VARINT = 0, LENGTH = 2, FOUR_BYTES = 5 };
    *field = (walk_field){0};
    if (message->at == message->end) return false;
    const uint64_t tag = varint(message);
    size_t size = 0;
    field->number = (int)(tag >> 3);
    switch (tag & 7) {
    case VARINT:
        field->value = varint(message);
        return true;
    case LENGTH:
        size = varint(message);
        break;
    case FOUR_BYTES:
        size = 4;
        break;
    default:
        ck_abort_msg("a field of kind %d", (int)(tag & 7));
    }
    ck_assert_msg(size <= (size_t)(message->end - message->at), "a field is cut off");
    field->bytes = (walk_bytes){message->at, message->at + size};
    message->at += size;
    return true;
}

walk_field walk_find(walk_bytes message, int number) {
    walk_field field;
    while (walk_next(&message, &field) && field.number != number) continue;
    return field;
}

int walk_count(walk_bytes message, int number) {
    int count = 0;
    for (walk_field field; walk_next(&message, &field);) count += field.number == number;
    return count;
}

char *walk_text(walk_bytes message, int number) {
    const walk_field field = walk_find(message, number);
    const size_t size = field.bytes.at ? (size_t)(field.bytes.end - field.bytes.at) : 0;
    char *text = calloc(size + 1, 1);
    ck_assert(text != NULL);
    if (size) memcpy(text, field.bytes.at, size);
    return text;
}
