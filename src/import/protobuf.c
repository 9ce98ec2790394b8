#include "import/protobuf.h"

enum { VARINT_MOST = 10 }; /* bytes of 64 bits */

bool proto_varint(proto_range *list, uint64_t *value, bool *broken) {
    *value = 0;
    if (list->at == list->end) return false;
    for (int k = 0; k < VARINT_MOST && list->at < list->end; k++) {
        const unsigned char byte = *list->at++;
        if (k == VARINT_MOST - 1 && byte > 1) break;
        *value |= (uint64_t)(byte & 127) << 7 * k;
        if (byte < 128) return true;
    }
    *broken = true;
    return false;
}

/* So many bytes, the lowest first. */
static bool take_bytes(proto_range *message, size_t count, uint64_t *value) {
    *value = 0;
    if (proto_size(*message) < count) return false;
    for (size_t k = 0; k < count; k++) *value |= (uint64_t)*message->at++ << 8 * k;
    return true;
}

static bool take_length(proto_range *message, proto_range *bytes) {
    bool broken = false;
    uint64_t size;
    if (!proto_varint(message, &size, &broken) || size > proto_size(*message)) return false;
    *bytes = (proto_range){message->at, message->at + size};
    message->at += size;
    return true;
}

static bool take_value(proto_range *message, proto_field *field) {
    bool broken = false;
    switch (field->kind) {
    case PROTO_VARINT:
        return proto_varint(message, &field->value, &broken);
    case PROTO_EIGHT_BYTES:
        return take_bytes(message, 8, &field->value);
    case PROTO_LENGTH:
        return take_length(message, &field->bytes);
    case PROTO_FOUR_BYTES:
        return take_bytes(message, 4, &field->value);
    }
    return false;
}

proto_step proto_next(proto_range *message, proto_field *field) {
    bool broken = false;
    uint64_t tag;
    *field = (proto_field){0};
    if (message->at == message->end) return PROTO_END;
    if (!proto_varint(message, &tag, &broken) || tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
        return PROTO_BROKEN;
    field->number = (uint32_t)(tag >> 3);
    field->kind = (proto_kind)(tag & 7);
    return take_value(message, field) ? PROTO_FIELD : PROTO_BROKEN;
}
