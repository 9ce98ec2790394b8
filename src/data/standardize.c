/*
 * How samples were standardized, kept with the weights that were trained so: two notes of the file,
 * each the numbers of the columns, separated by blanks, in as many digits as bring them back.
 */
#include "data/standardize.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/shape.h"
#include "data/file.h"
#include "data/number.h"
#include "data/values.h"

static const char mean_note[] = "x.mean", factor_note[] = "x.factor";

/* ---- saving ---- */

static void write_numbers(spor_text *text, const double number[], int64_t count) {
    for (int64_t k = 0; k < count; k++) {
        if (k) text_add(text, " ");
        text_real(text, number[k]);
    }
}

bool standardize_write(const spor_data *data, standardize_notes *notes) {
    int64_t columns = shape_size(&data->x.shape);
    *notes = (standardize_notes){0};
    write_numbers(&notes->text[0], data->x.mean, columns);
    write_numbers(&notes->text[1], data->x.factor, columns);
    notes->note[0] = (safetensors_note){mean_note, notes->text[0].at};
    notes->note[1] = (safetensors_note){factor_note, notes->text[1].at};
    return !notes->text[0].failed && !notes->text[1].failed;
}

void standardize_free(standardize_notes *notes) {
    for (int k = 0; k < 2; k++) text_free(&notes->text[k]);
}

bool spor_weights_save_for(spor_params *params, const spor_data *data, const char *path,
                           spor_message *message) {
    standardize_notes notes;
    if (!data || !data->x.mean) return spor_weights_save(params, path, message);
    bool done = standardize_write(data, &notes)
                    ? safetensors_save_weights(params, notes.note, 2, path, message)
                    : message_complain(message, "%s: out of memory", path);
    standardize_free(&notes);
    return done;
}

/* ---- loading ---- */

typedef struct {
    const char *path;
    int64_t columns;
    double *mean, *factor; /* [columns]; NULL: the note was not seen */
    spor_message *message;
} loader;

/* Exactly so many numbers; NULL if the text is anything else. */
static double *read_numbers(const char *text, int64_t count) {
    double *number = malloc(bytes_for(count, sizeof *number));
    bool done = number != NULL;
    for (int64_t k = 0; done && k < count; k++) {
        size_t size = strcspn(text, " ");
        done = number_read(text, size, &number[k]) && (text[size] == ' ') == (k + 1 < count);
        text += size + (text[size] == ' ');
    }
    if (done) return number;
    free(number);
    return NULL;
}

static bool take_note(const char *name, const char *text, void *user) {
    loader *l = user;
    double **into = strcmp(name, mean_note) == 0     ? &l->mean
                    : strcmp(name, factor_note) == 0 ? &l->factor
                                                     : NULL;
    if (!into) return true;
    free(*into);
    *into = read_numbers(text, l->columns);
    return *into || message_complain(l->message,
                                     "%s: the note %s has not one number for each of the %" PRId64
                                     " columns of the data",
                                     l->path, name, l->columns);
}

static bool read_notes(loader *l) {
    safetensors_file file = {.path = l->path};
    unsigned char *bytes;
    if (!file_bytes(l->path, SPOR_FILE_LIMIT, &bytes, &file.size, l->message)) return false;
    file.bytes = bytes;
    bool done = safetensors_notes(&file, take_note, l, l->message);
    free(bytes);
    return done && (!l->mean == !l->factor ||
                    message_complain(l->message, "%s: has one of the notes %s and %s", l->path,
                                     mean_note, factor_note));
}

bool spor_weights_standardize(spor_data *data, const char *path, spor_message *message) {
    if (!data) return message_complain(message, "there are no samples");
    if (!message_given(message, path, "the path of weights")) return false;
    loader l = {.path = path, .columns = shape_size(&data->x.shape), .message = message};
    bool done = read_notes(&l), both = done && l.mean;
    free(both ? data->x.mean : l.mean);
    free(both ? data->x.factor : l.factor);
    if (!both) return done;
    data->x.mean = l.mean;
    data->x.factor = l.factor;
    return true;
}
