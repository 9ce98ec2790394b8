#include "data/part.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/shape.h"
#include "data/values.h"

void part_free(data_part *part) {
    values_free(&part->x);
    values_free(&part->y);
}

/* Places behind count elements for more; false, and nothing has changed, if memory runs out. */
static bool extend(void **elements, int64_t count, int64_t more, size_t width) {
    int64_t total;
    bool fits = !__builtin_add_overflow(count, more, &total);
    void *longer = fits ? realloc(*elements, bytes_for(total, width)) : NULL;
    if (longer) *elements = longer;
    return longer != NULL;
}

static bool join_labels(spor_data *data, const data_part *part, const char *path,
                        spor_message *message) {
    void *labels = data->label;
    if (!extend(&labels, data->rows, part->rows, sizeof *data->label))
        return message_complain(message, "%s: out of memory", path);
    data->label = labels;
    for (int64_t r = 0; r < part->rows; r++) {
        double y = values_types[part->y.keep].value(part->y.value, r);
        if (y >= part->zero && y <= part->zero) y = 0;
        if (!(y >= 0 && y < data->classes && floor(y) >= y))
            return message_complain(message, "%s: row %" PRId64 " has label %g: none of 0..%d",
                                    path, r + 1, y, data->classes - 1);
        data->label[data->rows + r] = (int32_t)y;
    }
    return true;
}

static bool join_samples(spor_data *data, data_part *part, const char *path,
                         spor_message *message) {
    int64_t size = shape_size(&data->x.shape);
    size_t width = bytes_for(size, values_types[part->x.keep].width);
    if (!data->x.value) {
        data->x.keep = part->x.keep;
        data->x.value = part->x.value;
        part->x.value = NULL;
        return true;
    }
    if (data->x.keep != part->x.keep)
        return message_complain(message, "%s: has %s where the rows before are %s", path,
                                values_types[part->x.keep].text, values_types[data->x.keep].text);
    if (!extend(&data->x.value, data->rows, part->rows, width))
        return message_complain(message, "%s: out of memory", path);
    memcpy((unsigned char *)data->x.value + (size_t)data->rows * width, part->x.value,
           (size_t)part->rows * width);
    return true;
}

bool part_join(spor_data *data, data_part *part, const char *path, spor_message *message) {
    int64_t size = shape_size(&data->x.shape), numbers = shape_size(&part->x.shape);
    bool fits = numbers == size && shape_size(&part->y.shape) == 1;
    bool done =
        fits ? join_labels(data, part, path, message) && join_samples(data, part, path, message)
             : message_complain(message,
                                "%s: a row has %" PRId64 " numbers where samples have "
                                "%" PRId64,
                                path, numbers, size);
    if (done) data->rows += part->rows;
    part_free(part);
    return done;
}
