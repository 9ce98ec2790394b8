/* Reads a table with whatever columns it has: each row has a class with a name, or numbers alone;
 * refusals name the file. */
#include "fuzz.h"

#include <math.h>
#include <string.h>

#include <spor/data.h>

static void check_numbers(const spor_data *data) {
    int64_t count = data->rows * data->x.shape.n[0];
    for (int64_t k = 0; k < count; k++) FUZZ_PROMISE(isfinite(((double *)data->x.value)[k]));
}

/* Every class has a row, and a name if one has. */
static void check_classes(const spor_data *data) {
    FUZZ_PROMISE(data->classes > 1);
    for (int64_t r = 0; r < data->rows; r++)
        FUZZ_PROMISE(data->label[r] >= 0 && data->label[r] < data->classes);
    for (int k = 0; data->class_name && k < data->classes; k++)
        FUZZ_PROMISE(strlen(data->class_name[k]) < 4096);
}

static spor_data *read_as(const spor_csv *csv) {
    spor_message message = {{0}};
    spor_data *data = spor_data_table(csv, &message);
    FUZZ_PROMISE(data || strncmp(message.text, csv->path, strlen(csv->path)) == 0);
    if (data) check_numbers(data);
    return data;
}

bool fuzz_table(const uint8_t *bytes, size_t size) {
    const char *path = fuzz_file(bytes, size);
    spor_data *labelled = read_as(&(spor_csv){.path = path});
    spor_data *bare = read_as(&(spor_csv){.path = path, .unlabelled = true, .decimal = ','});
    bool done = labelled != NULL;
    if (labelled) check_classes(labelled);
    spor_data_free(labelled);
    spor_data_free(bare);
    return done;
}

FUZZ_ENTRY(table)
