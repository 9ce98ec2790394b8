/*
 * Reading the messages of an ONNX file: fields of the kind that is expected, texts and lists into the arena. What is
 * none gives up, which does not return: onnx_read ends with the message.
 */
#ifndef SPOR_IMPORT_READING_H
#define SPOR_IMPORT_READING_H

#include <setjmp.h>

#include "import/onnx.h"

/** A file while it is read. */
typedef struct {
    spor_arena *arena;
    spor_message *message;
    jmp_buf *end;
    proto_range bytes;
    onnx_beside *beside;
    void *user;
} onnx_reader;

/** Key and value, of the model's notes and of where numbers are. */
enum { NOTE_KEY = 1, NOTE_VALUE };

_Noreturn void reading_give_up(const onnx_reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void *reading_take(const onnx_reader *r, size_t count, size_t each);

/** The next field of a message; what: of what the message is. */
bool reading_next(const onnx_reader *r, proto_range *message, proto_field *field, const char *what);
/** A field of this kind. */
void reading_expect(const onnx_reader *r, const proto_field *field, proto_kind kind,
                    const char *what);
proto_range reading_bytes(const onnx_reader *r, const proto_field *field, const char *what);
/** A name, of at most 4096 bytes. */
const char *reading_name(const onnx_reader *r, const proto_field *field, const char *what);
/** A text of any size. */
const char *reading_text(const onnx_reader *r, const proto_field *field, const char *what);
int64_t reading_integer(const onnx_reader *r, const proto_field *field, const char *what);
/** How many fields of this number there are; more than `most` are refused. */
int reading_count(const onnx_reader *r, proto_range message, uint32_t number, int most,
                  const char *what);

/* Lists of numbers, packed or one by one. */
/** How many numbers a field has, of so many bytes each; 0: varints. */
int reading_count_list(const onnx_reader *r, const proto_field *field, int width, const char *what);
/** Behind the numbers that were put there. */
int64_t *reading_add_integers(const onnx_reader *r, const proto_field *field, int64_t *to);
double *reading_add_reals(const onnx_reader *r, const proto_field *field, double *to);

/** A tensor. tensors.c */
void reading_tensor(const onnx_reader *r, proto_range message, onnx_numbers *tensor);

#endif
