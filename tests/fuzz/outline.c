/* Reads what is known of data from lines "name text": what is accepted is whole. */
#include "fuzz.h"

#include <string.h>

#include "base/shape.h"
#include "data/outline.h"

enum { ROOM = 1 << 16 };

/* The text behind the name at the beginning of a line. */
static const char *find(const void *user, const char *name) {
    static char line[ROOM];
    size_t length = strlen(name);
    for (const char *at = user; *at; at += strcspn(at, "\n"), at += *at == '\n') {
        if (strncmp(at, name, length) != 0 || at[length] != ' ') continue;
        size_t size = strcspn(at, "\n") - length - 1;
        memcpy(line, at + length + 1, size);
        line[size] = 0;
        return line;
    }
    return NULL;
}

static void expect_names(char *const name[], int64_t count) {
    for (int64_t k = 0; name && k < count; k++) FUZZ_PROMISE(name[k] != NULL);
}

bool fuzz_outline(const uint8_t *bytes, size_t size) {
    static char text[ROOM];
    spor_message message = {{0}};
    size_t kept = size < ROOM - 1 ? size : ROOM - 1;
    memcpy(text, bytes, kept);
    text[kept] = 0;
    spor_data *data = outline_read(find, text, "run", &message);
    FUZZ_PROMISE(data || !strncmp(message.text, "run: ", 5));
    if (!data) return false;
    FUZZ_PROMISE(data->x.shape.rank > 0 && data->x.shape.rank < SPOR_RANK);
    FUZZ_PROMISE(shape_size(&data->x.shape) > 0 && shape_size(&data->x.shape) <= INT32_MAX);
    expect_names(data->x.column, shape_size(&data->x.shape));
    expect_names(data->y.column, shape_size(&data->y.shape));
    expect_names(data->class_name, data->classes);
    spor_data_free(data);
    return true;
}

FUZZ_ENTRY(outline)
