/* Reads samples: labels are classes, pixels finite; refusals name the file. */
#include "fuzz.h"

#include <math.h>
#include <string.h>

#include <spor/data.h>

bool fuzz_csv(const uint8_t *bytes, size_t size) {
    spor_message message = {{0}};
    const char *path = fuzz_file(bytes, size);
    spor_data *data = spor_data_csv(path, SPOR_SHAPE(2, 2), 3, 1, &message);
    FUZZ_PROMISE(data || strncmp(message.text, path, strlen(path)) == 0);
    for (int64_t r = 0; data && r < data->rows; r++) {
        FUZZ_PROMISE(data->label[r] >= 0 && data->label[r] < 3);
        for (int k = 0; k < 4; k++) FUZZ_PROMISE(isfinite(((double *)data->x.value)[4 * r + k]));
    }
    spor_data_free(data);
    return data != NULL;
}

FUZZ_ENTRY(csv)
