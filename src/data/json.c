#include "data/json.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/plain.h"
#include "data/number.h"

/* ---- writing -------------------------------------------------------------------------------- */

static void quote(spor_text *text, const char *value) {
    const char *s = value;
    text_bytes(text, "\"", 1);
    while (*s) {
        int length = utf8_length(s);
        if (*s == '"' || *s == '\\')
            text_add(text, "\\%c", *s);
        else if ((unsigned char)*s < ' ' || *s == 127)
            text_add(text, "\\u%04x", (unsigned)*s);
        else if (length)
            text_bytes(text, s, (size_t)length);
        else
            text_add(text, "\\ufffd");
        s += length ? length : 1;
    }
    text_bytes(text, "\"", 1);
}

static void new_line(spor_json *json) {
    if (!json->lines) return;
    text_add(json->text, "\n%*s", 2 * json->depth, "");
}

static void begin_value(spor_json *json, const char *key) {
    if (json->more) text_add(json->text, ",");
    if (json->depth) new_line(json);
    json->more = true;
    if (!key) return;
    quote(json->text, key);
    text_add(json->text, json->lines ? ": " : ":");
}

void json_begin(spor_json *json, const char *key, char bracket) {
    begin_value(json, key);
    text_add(json->text, "%c", bracket);
    json->depth++;
    json->more = false;
}

void json_end(spor_json *json, char bracket) {
    json->depth--;
    if (json->more) new_line(json);
    text_add(json->text, "%c", bracket);
    json->more = true;
    if (json->lines && !json->depth) text_add(json->text, "\n");
}

void json_string(spor_json *json, const char *key, const char *value) {
    begin_value(json, key);
    if (value)
        quote(json->text, value);
    else
        text_add(json->text, "null");
}

void json_integer(spor_json *json, const char *key, int64_t value) {
    begin_value(json, key);
    text_add(json->text, "%" PRId64, value);
}

void json_unsigned(spor_json *json, const char *key, uint64_t value) {
    begin_value(json, key);
    text_add(json->text, "%" PRIu64, value);
}

void json_real(spor_json *json, const char *key, double value) {
    begin_value(json, key);
    if (isfinite(value))
        text_real(json->text, value);
    else
        text_add(json->text, "null");
}

void json_bool(spor_json *json, const char *key, bool value) {
    begin_value(json, key);
    text_add(json->text, value ? "true" : "false");
}

/* ---- reading -------------------------------------------------------------------------------- */

bool json_fail(spor_json_reader *r, const char *why) {
    if (!r->why) r->why = why;
    return false;
}

static void blanks(spor_json_reader *r) {
    while (r->at < r->end && strchr(" \t\n\r", *r->at) && *r->at) r->at++;
}

/* Takes the character c, after blanks. */
static bool take(spor_json_reader *r, char c) {
    blanks(r);
    if (r->at == r->end || *r->at != c) return false;
    r->at++;
    return true;
}

bool json_enter(spor_json_reader *r, char bracket) {
    if (r->why) return false;
    if (!take(r, bracket))
        return json_fail(r, bracket == '{' ? "expected an object {" : "expected an array [");
    r->more = false;
    return true;
}

bool json_next(spor_json_reader *r, char closing) {
    if (r->why) return false;
    if (take(r, closing)) {
        r->more = true;
        return false;
    }
    if (r->more && !take(r, ',')) return json_fail(r, "expected a comma or a closing bracket");
    r->more = true;
    return true;
}

/* Four hexadecimal digits. */
static bool hexadecimal(spor_json_reader *r, unsigned *value) {
    static const char digits[] = "0123456789abcdef";
    *value = 0;
    for (int k = 0; k < 4; k++, r->at++) {
        if (r->at == r->end || !*r->at) return false;
        char lower = *r->at >= 'A' && *r->at <= 'F' ? (char)(*r->at + 32) : *r->at;
        const char *digit = strchr(digits, lower);
        if (!digit) return false;
        *value = *value << 4 | (unsigned)(digit - digits);
    }
    return true;
}

/* \uXXXX, or a pair of them for a code point beyond U+FFFF, behind the \u. */
static bool code_point(spor_json_reader *r, unsigned *point) {
    unsigned low;
    if (!hexadecimal(r, point)) return json_fail(r, "expected four hexadecimal digits");
    if (*point < 0xd800 || *point > 0xdfff) return true;
    bool pair = *point < 0xdc00 && r->end - r->at >= 2 && r->at[0] == '\\' && r->at[1] == 'u';
    if (pair) r->at += 2;
    if (!pair || !hexadecimal(r, &low) || low < 0xdc00 || low > 0xdfff)
        return json_fail(r, "half of a surrogate pair");
    *point = 0x10000 + ((*point - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

static int utf8_write(unsigned point, char out[4]) {
    int length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char head[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (int k = length - 1; k > 0; k--, point >>= 6) out[k] = (char)(0x80 | (point & 63));
    out[0] = (char)(head[length] | point);
    return length;
}

/* What stands behind a backslash. */
static bool escape(spor_json_reader *r, char out[4], int *length) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c = r->at < r->end ? *r->at++ : '\0';
    const char *found = c ? strchr(from, c) : NULL;
    unsigned point;
    if (found) {
        out[0] = to[found - from];
        *length = 1;
        return true;
    }
    if (c != 'u') return json_fail(r, "an unknown escape in a string");
    if (!code_point(r, &point)) return false;
    if (!point) return json_fail(r, "a zero byte in a string");
    *length = utf8_write(point, out);
    return true;
}

bool json_get_string(spor_json_reader *r, char *out, size_t size) {
    size_t used = 0;
    if (r->why) return false;
    if (!take(r, '"')) return json_fail(r, "expected a string");
    for (;;) {
        if (r->at == r->end) return json_fail(r, "a string without end");
        char part[4] = {*r->at++};
        int length = 1;
        if (part[0] == '"') break;
        if ((unsigned char)part[0] < ' ') return json_fail(r, "a control character in a string");
        if (part[0] == '\\' && !escape(r, part, &length)) return false;
        if ((size_t)length >= size - used) return json_fail(r, "a string that is too long");
        memcpy(out + used, part, (size_t)length);
        used += (size_t)length;
    }
    out[used] = '\0';
    return true;
}

bool json_get_key(spor_json_reader *r, char *out, size_t size) {
    if (!json_get_string(r, out, size)) return false;
    return take(r, ':') || json_fail(r, "expected a colon");
}

bool json_get_integer(spor_json_reader *r, int64_t *value) {
    if (r->why) return false;
    bool negative = take(r, '-');
    const char *first = r->at;
    *value = 0;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++) {
        int digit = *r->at - '0';
        if (*value > (INT64_MAX - digit) / 10) return json_fail(r, "a number that is too large");
        *value = 10 * *value + digit;
    }
    bool fraction = r->at < r->end && *r->at && strchr(".eE", *r->at);
    if (r->at == first || fraction || (*first == '0' && r->at - first > 1))
        return json_fail(r, "expected an integer");
    if (negative) *value = -*value;
    return true;
}

/* Takes a word. */
static bool take_word(spor_json_reader *r, const char *word) {
    size_t length = strlen(word);
    blanks(r);
    if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length) != 0) return false;
    r->at += length;
    return true;
}

bool json_get_null(spor_json_reader *r) {
    return !r->why && take_word(r, "null");
}

bool json_get_bool(spor_json_reader *r, bool *value) {
    if (r->why) return false;
    *value = take_word(r, "true");
    return *value || take_word(r, "false") || json_fail(r, "expected true or false");
}

bool json_get_real(spor_json_reader *r, double *value) {
    *value = (double)NAN;
    if (r->why) return false;
    if (json_get_null(r)) return true;
    const char *first = r->at;
    while (r->at < r->end && *r->at && strchr("+-.eE0123456789", *r->at)) r->at++;
    return number_read(first, (size_t)(r->at - first), value) || json_fail(r, "expected a number");
}

/* Behind a quote, to the next one that ends the string. */
static bool skip_string(spor_json_reader *r) {
    for (; r->at < r->end && *r->at != '"'; r->at++)
        if (*r->at == '\\' && r->at + 1 < r->end) r->at++;
    return take(r, '"') || json_fail(r, "a string without end");
}

/* Strings and brackets are passed over one by one: what they hold is nobody's. */
static bool skip_within(spor_json_reader *r, int depth) {
    double number;
    bool object = take(r, '{');
    if (object || take(r, '[')) {
        r->more = false;
        if (depth == JSON_DEPTH) return json_fail(r, "values nested too deep");
        while (json_next(r, object ? '}' : ']'))
            if (object && !(take(r, '"') && skip_string(r) && take(r, ':')))
                return json_fail(r, "expected a key and a colon");
            else if (!skip_within(r, depth + 1))
                return false;
        return !r->why;
    }
    if (take(r, '"')) return skip_string(r);
    return take_word(r, "true") || take_word(r, "false") || json_get_real(r, &number);
}

bool json_skip(spor_json_reader *r) {
    return !r->why && skip_within(r, 0);
}

bool json_finish(spor_json_reader *r) {
    if (r->why) return false;
    blanks(r);
    return r->at == r->end || json_fail(r, "something follows the end");
}
