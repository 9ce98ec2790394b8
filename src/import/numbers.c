/*
 * Numbers of tensors: raw bytes, or one of the typed fields.
 */
#include <string.h>

#include "base/message.h"
#include "import/onnx.h"

enum { FLOATS = 4, INT32S = 5, INT64S = 7, DOUBLES = 10, UINT64S = 11 };

/* ---- what is known of a type ---- */

typedef double from_bits(uint64_t bits);

static double from_float(uint64_t bits) {
    const uint32_t narrow = (uint32_t)bits;
    float value;
    memcpy(&value, &narrow, sizeof value);
    return (double)value;
}
static double from_double(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
static double from_brain(uint64_t bits) {
    return from_float(bits << 16);
}
/* IEEE 754 binary16: 5 bits of exponent, 10 of fraction. */
static double from_half(uint64_t bits) {
    const uint32_t sign = (uint32_t)(bits >> 15 & 1), exponent = (uint32_t)(bits >> 10 & 31);
    const uint32_t fraction = (uint32_t)(bits & 1023);
    double value = (double)fraction / 16777216; /* 2^-24 */
    if (exponent == 31)
        value = from_float(0x7f800000u | (uint64_t)fraction << 13);
    else if (exponent)
        value = from_float((uint64_t)(exponent + 112) << 23 | (uint64_t)fraction << 13);
    return sign ? -value : value;
}
static double from_u8(uint64_t bits) {
    return (double)(uint8_t)bits;
}
static double from_i8(uint64_t bits) {
    return (double)(int8_t)bits;
}
static double from_u16(uint64_t bits) {
    return (double)(uint16_t)bits;
}
static double from_i16(uint64_t bits) {
    return (double)(int16_t)bits;
}
static double from_u32(uint64_t bits) {
    return (double)(uint32_t)bits;
}
static double from_i32(uint64_t bits) {
    return (double)(int32_t)bits;
}
static double from_u64(uint64_t bits) {
    return (double)bits;
}
static double from_i64(uint64_t bits) {
    return (double)(int64_t)bits;
}
static double from_bool(uint64_t bits) {
    return (uint8_t)bits != 0;
}

static const struct {
    int type;
    const char *name;
    int width;      /* bytes of a number; 0: not read */
    uint32_t field; /* the typed field that has them */
    from_bits *value;
} types[] = {
    {ONNX_IS_FLOAT, "float", 4, FLOATS, from_float},
    {ONNX_IS_UINT8, "uint8", 1, INT32S, from_u8},
    {ONNX_IS_INT8, "int8", 1, INT32S, from_i8},
    {ONNX_IS_UINT16, "uint16", 2, INT32S, from_u16},
    {ONNX_IS_INT16, "int16", 2, INT32S, from_i16},
    {ONNX_IS_INT32, "int32", 4, INT32S, from_i32},
    {ONNX_IS_INT64, "int64", 8, INT64S, from_i64},
    {ONNX_IS_STRING, "string", 0, 0, NULL},
    {ONNX_IS_BOOL, "bool", 1, INT32S, from_bool},
    {ONNX_IS_FLOAT16, "float16", 2, INT32S, from_half},
    {ONNX_IS_DOUBLE, "double", 8, DOUBLES, from_double},
    {ONNX_IS_UINT32, "uint32", 4, UINT64S, from_u32},
    {ONNX_IS_UINT64, "uint64", 8, UINT64S, from_u64},
    {ONNX_IS_BFLOAT16, "bfloat16", 2, INT32S, from_brain},
};
enum { TYPES = sizeof types / sizeof *types };

static int find_type(int type) {
    int k = 0;
    while (k < TYPES && types[k].type != type) k++;
    return k;
}

const char *onnx_type_name(int type) {
    const int k = find_type(type);
    return k < TYPES ? types[k].name : "of a type that spor does not read";
}

bool onnx_is_real(int type) {
    return type == ONNX_IS_FLOAT || type == ONNX_IS_DOUBLE || type == ONNX_IS_FLOAT16 ||
           type == ONNX_IS_BFLOAT16;
}

/* ---- reading ---- */

static bool read_raw(const onnx_numbers *t, int k, double to[], spor_message *message) {
    const size_t width = (size_t)types[k].width;
    const unsigned char *at = t->raw.at;
    if (proto_size(t->raw) != (size_t)t->count * width)
        return message_complain(message,
                                "tensor '%.200s' has %zu bytes for %lld numbers of %zu bytes each",
                                t->name, proto_size(t->raw), (long long)t->count, width);
    for (int64_t j = 0; j < t->count; j++) {
        uint64_t bits = 0;
        for (size_t byte = 0; byte < width; byte++) bits |= (uint64_t)*at++ << 8 * byte;
        to[j] = types[k].value(bits);
    }
    return true;
}

/* Numbers of one field, packed or alone, behind those that are there; false if there are more than count. */
static bool add_typed(const proto_field *field, int k, int64_t count, int64_t *have, double to[]) {
    proto_range list = field->bytes;
    const size_t width = types[k].field == FLOATS ? 4 : types[k].field == DOUBLES ? 8 : 0;
    bool broken = false;
    if (field->kind != PROTO_LENGTH) {
        if (*have == count) return false;
        to[(*have)++] = types[k].value(field->value);
        return true;
    }
    while (list.at < list.end) {
        uint64_t bits = 0;
        if (*have == count || (width && proto_size(list) < width)) return false;
        for (size_t byte = 0; byte < width; byte++) bits |= (uint64_t)*list.at++ << 8 * byte;
        if (!width && !proto_varint(&list, &bits, &broken)) return false;
        to[(*have)++] = types[k].value(bits);
    }
    return true;
}

static bool read_typed(const onnx_numbers *t, int k, double to[], spor_message *message) {
    proto_range rest = t->body;
    int64_t have = 0;
    bool fits = true;
    for (proto_field field; fits && proto_next(&rest, &field) == PROTO_FIELD;)
        if (field.number == types[k].field) fits = add_typed(&field, k, t->count, &have, to);
    if (fits && have == t->count) return true;
    return message_complain(message,
                            "tensor '%.200s' has %s than the %lld numbers that its sizes ask for",
                            t->name, fits ? "fewer" : "other or more", (long long)t->count);
}

bool onnx_doubles(const onnx_numbers *t, double to[], spor_message *message) {
    const int k = find_type(t->type);
    if (k == TYPES || !types[k].width)
        return message_complain(message, "tensor '%.200s' has numbers of type %d (%s)", t->name,
                                t->type, onnx_type_name(t->type));
    return t->has_raw ? read_raw(t, k, to, message) : read_typed(t, k, to, message);
}
