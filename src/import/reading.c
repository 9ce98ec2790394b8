#include "import/reading.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/message.h"

_Noreturn void reading_give_up(const onnx_reader *r, const char *format, ...) {
    char text[600];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    message_complain(r->message, "%s", text);
    longjmp(*r->end, 1);
}

void *reading_take(const onnx_reader *r, size_t count, size_t each) {
    void *taken = arena_take(r->arena, (count + 1) * each);
    if (!taken) reading_give_up(r, "out of memory");
    return taken;
}

/* The next field of a message, of this kind if it is one that is known. */
bool reading_next(const onnx_reader *r, proto_range *message, proto_field *field,
                  const char *what) {
    const proto_step step = proto_next(message, field);
    if (step == PROTO_BROKEN)
        reading_give_up(r, "is no ONNX file, or it is cut off: a field of its %s is broken", what);
    return step == PROTO_FIELD;
}

void reading_expect(const onnx_reader *r, const proto_field *field, proto_kind kind,
                    const char *what) {
    if (field->kind != kind)
        reading_give_up(r, "is no ONNX file: field %u of a %s is of another kind",
                        (unsigned)field->number, what);
}

proto_range reading_bytes(const onnx_reader *r, const proto_field *field, const char *what) {
    reading_expect(r, field, PROTO_LENGTH, what);
    return field->bytes;
}

const char *reading_text(const onnx_reader *r, const proto_field *field, const char *what) {
    const proto_range bytes = reading_bytes(r, field, what);
    const size_t size = proto_size(bytes);
    if (size && memchr(bytes.at, 0, size))
        reading_give_up(r, "a text in a %s has a zero byte", what);
    char *text = reading_take(r, size, 1);
    if (size) memcpy(text, bytes.at, size);
    return text;
}

const char *reading_name(const onnx_reader *r, const proto_field *field, const char *what) {
    const size_t size = proto_size(reading_bytes(r, field, what));
    if (size > 4096) reading_give_up(r, "a name in a %s has %zu bytes", what, size);
    return reading_text(r, field, what);
}

int64_t reading_integer(const onnx_reader *r, const proto_field *field, const char *what) {
    reading_expect(r, field, PROTO_VARINT, what);
    return (int64_t)field->value;
}

/* How many fields of this number there are; more than `most` are refused. */
int reading_count(const onnx_reader *r, proto_range message, uint32_t number, int most,
                  const char *what) {
    int count = 0;
    for (proto_field field; reading_next(r, &message, &field, what);)
        if (field.number == number && ++count > most)
            reading_give_up(r, "a %s has more than %d entries of one kind", what, most);
    return count;
}

/* ---- lists of numbers, packed or one by one ---- */

int reading_count_list(const onnx_reader *r, const proto_field *field, int width,
                       const char *what) {
    int count = 0;
    bool broken = false;
    if (field->kind != PROTO_LENGTH) return 1;
    proto_range list = field->bytes;
    if (width && proto_size(list) % (size_t)width)
        reading_give_up(r, "a list of a %s is cut off", what);
    if (width) return (int)(proto_size(list) / (size_t)width);
    for (uint64_t value; proto_varint(&list, &value, &broken);) count++;
    if (broken) reading_give_up(r, "a list of a %s is cut off", what);
    return count;
}

int64_t *reading_add_integers(const onnx_reader *r, const proto_field *field, int64_t *to) {
    bool broken = false;
    proto_range list = field->bytes;
    if (field->kind == PROTO_VARINT) return *to++ = (int64_t)field->value, to;
    reading_expect(r, field, PROTO_LENGTH, "list");
    for (uint64_t value; proto_varint(&list, &value, &broken);) *to++ = (int64_t)value;
    return to;
}

double *reading_add_reals(const onnx_reader *r, const proto_field *field, double *to) {
    if (field->kind == PROTO_FOUR_BYTES) return *to++ = (double)proto_float(field), to;
    reading_expect(r, field, PROTO_LENGTH, "list");
    for (const unsigned char *at = field->bytes.at; at < field->bytes.end; at += 4) {
        float value;
        memcpy(&value, at, sizeof value);
        *to++ = (double)value;
    }
    return to;
}
