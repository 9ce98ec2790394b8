/*
 * JSON: a writer for summaries and headers, and a bounded reader that pulls values one by one.
 */
#ifndef SPOR_DATA_JSON_H
#define SPOR_DATA_JSON_H

#include <stdint.h>
#include "data/text.h"

/** A writer onto a text. key is NULL inside arrays and for the outermost value. */
typedef struct {
    spor_text *text;
    bool lines; /* a member a line, indented; else no blanks at all */
    int depth;
    bool more; /* a value precedes at this depth */
} spor_json;

void json_begin(spor_json *json, const char *key, char bracket);
void json_end(spor_json *json, char bracket);
/** NULL is written as null; bytes that are not UTF-8 as U+FFFD. */
void json_string(spor_json *json, const char *key, const char *value);
void json_integer(spor_json *json, const char *key, int64_t value);
void json_unsigned(spor_json *json, const char *key, uint64_t value);
/** What is not finite is written as null. */
void json_real(spor_json *json, const char *key, double value);
void json_bool(spor_json *json, const char *key, bool value);

/** A reader of bytes. why stays NULL until the first error; then every call fails. */
typedef struct {
    const char *start, *at, *end;
    const char *why;
    bool more; /* a value precedes in the innermost array or object */
} spor_json_reader;

/** Enters an object '{' or array '['. */
bool json_enter(spor_json_reader *reader, char bracket);
/** True if another value follows; at the closing bracket false, and the reader is behind it. */
bool json_next(spor_json_reader *reader, char closing);
/** A string of at most size - 1 bytes, unescaped to UTF-8, without zero bytes. */
bool json_get_string(spor_json_reader *reader, char *out, size_t size);
/** The key of a member and its colon. */
bool json_get_key(spor_json_reader *reader, char *out, size_t size);
/** An integer, without fraction and exponent. */
bool json_get_integer(spor_json_reader *reader, int64_t *value);
/** true or false. */
bool json_get_bool(spor_json_reader *reader, bool *value);
/** A number; null is NAN. */
bool json_get_real(spor_json_reader *reader, double *value);
/** True if null stood there, and was taken; nothing is wrong if not. */
bool json_get_null(spor_json_reader *reader);
/** Passes over a value of any kind, nested at most JSON_DEPTH deep. */
bool json_skip(spor_json_reader *reader);
enum { JSON_DEPTH = 32 };
/** Sets the error, if it is the first, and returns false: for what the caller finds wrong. */
bool json_fail(spor_json_reader *reader, const char *why);
/** Only blanks may follow. */
bool json_finish(spor_json_reader *reader);

#endif
