/* Reads new rows as those of a data set with names: there are as many as are said, all numbers. */
#include "fuzz.h"

#include <math.h>
#include <string.h>

#include "data/like.h"
#include "data/values.h"

bool fuzz_like(const uint8_t *bytes, size_t size) {
    static char one[] = "a", two[] = "b";
    char *column[] = {one, two};
    double mean[] = {1, 2}, factor[] = {3, 4};
    const spor_data known = {
        .scale = 0.5,
        .x = {.shape = SPOR_SHAPE(2), .mean = mean, .factor = factor, .column = column}};
    const spor_table_form form = {0};
    spor_message message = {{0}};
    spor_data *data = like_read(fuzz_file(bytes, size), &form, &known, &message);
    FUZZ_PROMISE(data || *message.text);
    if (!data) return false;
    FUZZ_PROMISE(data->rows > 0 && data->x.value && data->scale > 0.4 && data->x.mean);
    for (int64_t k = 0; k < 2 * data->rows; k++)
        FUZZ_PROMISE(isfinite(values_types[data->x.keep].value(data->x.value, k)));
    spor_data_free(data);
    return true;
}

FUZZ_ENTRY(like)
