/*
 * Samples as lines of numbers: pixels in row-major order, then the label.
 */
#include "base/bytes.h"
#include "base/message.h"
#include "data/gzip.h"
#include "data/number.h"
#include "data/values.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *path;
    const char *at, *end;
    int64_t line;   /* from 1 */
    int64_t pixels; /* of one sample */
    spor_data *data;
    spor_message *message;
} csv;

/* One field up to a comma or the end of the line, as text in quotes for a message. */
static const char *quoted(const char *field, size_t size, char out[32]) {
    int shown = size > 20 ? 20 : (int)size;
    snprintf(out, 32, "'%.*s%s'", shown, field, size > 20 ? "..." : "");
    for (char *c = out; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127) *c = '?';
    return out;
}

static bool pixel(csv *c, int64_t field, const char *text, size_t size, double *value) {
    char shown[32];
    if (number_read(text, size, value) && fabs(*value) <= (double)FLT_MAX) return true;
    return message_complain(c->message, "%s:%" PRId64 ":%" PRId64 ": %s is not a number%s", c->path,
                            c->line, field, quoted(text, size, shown),
                            c->line == 1 ? " (a header line has to be removed)" : "");
}

static bool label(csv *c, const char *text, size_t size, int32_t *value) {
    double number;
    char shown[32];
    int classes = c->data->classes;
    if (!number_read(text, size, &number) || number < 0 || number >= classes ||
        number > floor(number))
        return message_complain(
            c->message, "%s:%" PRId64 ":%" PRId64 ": the label %s is not one of 0..%d", c->path,
            c->line, c->pixels + 1, quoted(text, size, shown), classes - 1);
    *value = (int32_t)number;
    return true;
}

/* One line without its end: pixels fields, then the label. */
static bool row(csv *c, const char *text, const char *end) {
    spor_data *d = c->data;
    double *x = d->x.value;
    for (int64_t field = 1;; field++) {
        const char *comma = memchr(text, ',', (size_t)(end - text));
        size_t size = (size_t)((comma ? comma : end) - text);
        if (field == c->pixels + 1 && !comma) return label(c, text, size, &d->label[d->rows]);
        if (field > c->pixels || !comma)
            return message_complain(c->message,
                                    "%s:%" PRId64 ":%" PRId64 ": the line has %s than %" PRId64
                                    " fields (%" PRId64 " pixels and a label)",
                                    c->path, c->line, field, comma ? "more" : "fewer",
                                    c->pixels + 1, c->pixels);
        if (!pixel(c, field, text, size, &x[d->rows * c->pixels + field - 1])) return false;
        text = comma + 1;
    }
}

/* The next line without LF or CR LF. */
static bool next_line(csv *c, const char **text, const char **end) {
    if (c->at == c->end) return false;
    const char *newline = memchr(c->at, '\n', (size_t)(c->end - c->at));
    *text = c->at;
    *end = newline ? newline : c->end;
    c->at = newline ? newline + 1 : c->end;
    if (*end > *text && (*end)[-1] == '\r') (*end)--;
    c->line++;
    return true;
}

/* Empty lines may only end the file. */
static bool rows(csv *c) {
    const char *text, *end;
    int64_t empty = 0;
    while (next_line(c, &text, &end)) {
        if (end == text) {
            if (!empty) empty = c->line;
            continue;
        }
        if (empty)
            return message_complain(c->message, "%s:%" PRId64 ":1: the line is empty", c->path,
                                    empty);
        if (!row(c, text, end)) return false;
        c->data->rows++;
    }
    return c->data->rows > 0 ||
           message_complain(c->message, "%s:1:1: the file has no samples", c->path);
}

/* A field takes at least two bytes with its separator, so the file's length bounds the memory. */
static bool allocate(csv *c, size_t bytes) {
    size_t fields = bytes / 2 + 1;
    c->data->x.value = malloc(bytes_for((int64_t)fields, sizeof(double)));
    c->data->label = malloc((fields / 2 + 1) * sizeof *c->data->label);
    return (c->data->x.value && c->data->label) ||
           message_complain(c->message, "%s: out of memory", c->path);
}

/* Number of pixels of a sample; 0 if the shape is none or the number is out of reach. */
static int64_t pixels_of(const spor_shape *sample) {
    int64_t pixels = 1;
    if (sample->rank < 0 || sample->rank >= SPOR_RANK) return 0;
    for (int k = 0; k < sample->rank; k++) {
        if (sample->n[k] < 1 || sample->n[k] > INT32_MAX / pixels) return 0;
        pixels *= sample->n[k];
    }
    return pixels;
}

/* "digits" of data/digits.csv.gz */
static void name_after(spor_data *data, const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    int length = (int)strcspn(name, ".");
    if (length > (int)sizeof data->name - 1) length = (int)sizeof data->name - 1;
    snprintf(data->name, sizeof data->name, "%.*s", length, name);
}

spor_data *spor_data_csv(const char *path, spor_shape sample, int classes, double scale,
                         spor_message *message) {
    unsigned char *bytes;
    size_t size;
    csv c = {.path = path, .pixels = pixels_of(&sample), .message = message};
    if (!c.pixels || classes < 1 || !isfinite(scale)) {
        message_complain(message,
                         "%s: the sample's shape, the number of classes (%d) or the scale (%g) "
                         "makes no sense",
                         path, classes, scale);
        return NULL;
    }
    if (!gzip_read_file(path, SPOR_FILE_LIMIT, &bytes, &size, message)) return NULL;
    c.at = (const char *)bytes;
    c.end = c.at + size;
    c.data = calloc(1, sizeof *c.data);
    bool done = c.data != NULL || message_complain(message, "%s: out of memory", path);
    if (done) {
        *c.data = (spor_data){
            .x = {.keep = SPOR_KEEP_F64, .shape = sample}, .classes = classes, .scale = scale};
        name_after(c.data, path);
        done = allocate(&c, size) && rows(&c);
    }
    free(bytes);
    if (done) return c.data;
    spor_data_free(c.data);
    return NULL;
}
