#include "data/labels.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "data/text.h"
#include "data/values.h"

bool labels_hold(double number, int classes) {
    return number >= 0 && number < classes && !(number > floor(number));
}

static int compare(const spor_label *a, const spor_label *b) {
    if (a->text && b->text) return strcmp(a->text, b->text);
    return (a->number > b->number) - (a->number < b->number);
}

/* By label, then by row, so that there is one order. */
static int by_label(const void *a, const void *b) {
    const spor_label *x = a, *y = b;
    int order = compare(x, y);
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

/* Numbers every row's class in the order of the labels; how many there are. */
static int64_t number_classes(spor_data *data, const spor_label label[]) {
    int64_t classes = 0;
    for (int64_t k = 0; k < data->rows && classes <= LABELS_MOST; k++) {
        if (!k || compare(&label[k - 1], &label[k])) classes++;
        data->label[label[k].row] = (int32_t)(classes - 1);
    }
    return classes;
}

/* The label's own text, or its number as one. */
static char *name_of(const spor_label *label) {
    spor_text text = {0};
    if (label->text)
        text_add(&text, "%s", label->text);
    else
        text_real(&text, label->number);
    if (!text.failed) return text.at;
    text_free(&text);
    return NULL;
}

/* class_name[class of a row] = that label. */
static bool name_classes(spor_data *data, const spor_label label[]) {
    data->class_name = calloc((size_t)data->classes, sizeof *data->class_name);
    bool done = data->class_name != NULL;
    for (int64_t k = 0; done && k < data->rows; k++) {
        char **name = &data->class_name[data->label[label[k].row]];
        if (!*name) done = (*name = name_of(&label[k])) != NULL;
    }
    return done;
}

/* Numbers 0, 1 .. in the order of their classes need no names. */
static bool are_their_classes(const spor_data *data, const spor_label label[]) {
    if (label[0].text) return false;
    for (int64_t k = 0; k < data->rows; k++) {
        double class = data->label[label[k].row];
        if (label[k].number > class || label[k].number < class) return false;
    }
    return true;
}

/* "setosa, versicolor, ...": the first of them, for a message. */
static const char *first_names(const spor_data *data, char out[160]) {
    int used = 0, k = 0;
    for (; k < data->classes && used < 120; k++)
        used +=
            snprintf(out + used, 160 - (size_t)used, "%s%.24s", k ? ", " : "", data->class_name[k]);
    if (k < data->classes) snprintf(out + used, 160 - (size_t)used, ", ...");
    return out;
}

/* Labels become classes by their order. */
static bool classify(spor_data *data, spor_label label[], const char *what, spor_message *message) {
    int said = data->classes;
    char names[160];
    qsort(label, (size_t)data->rows, sizeof *label, by_label);
    int64_t classes = number_classes(data, label);
    if (classes > LABELS_MOST)
        return message_complain(message, "%s: there are more than %d different labels", what,
                                LABELS_MOST);
    data->classes = (int)classes;
    if (!are_their_classes(data, label) && !name_classes(data, label))
        return message_complain(message, "%s: out of memory", what);
    if (said && classes != said)
        return message_complain(message,
                                "%s: there are %" PRId64 " different labels and not %d: %s", what,
                                classes, said, first_names(data, names));
    return classes > 1 ||
           message_complain(message, "%s: all rows have the same label; two classes are needed",
                            what);
}

/* The class of a label that has this name; -1: there is none. */
static int known_class(const spor_data *data, const char *name) {
    int k = data->classes - 1;
    while (k >= 0 && strcmp(data->class_name[k], name) != 0) k--;
    return k;
}

static bool classify_known(spor_data *data, const spor_label label[], const char *what,
                           spor_message *message) {
    char names[160];
    for (int64_t k = 0; k < data->rows; k++) {
        char *name = name_of(&label[k]);
        int class = name ? known_class(data, name) : 0;
        bool known = name && class >= 0;
        if (!known)
            message_complain(message,
                             name ? "%s: the label %.80s is none of %s" : "%s: out of memory", what,
                             name, first_names(data, names));
        free(name);
        if (!known) return false;
        data->label[label[k].row] = class;
    }
    return true;
}

bool labels_name(spor_data *data, int classes, char *const name[]) {
    data->classes = classes;
    data->class_name = calloc((size_t)classes, sizeof *data->class_name);
    bool done = data->class_name != NULL;
    for (int k = 0; done && k < classes; k++)
        done = (data->class_name[k] = strdup(name[k])) != NULL;
    return done;
}

bool labels_classify(spor_data *data, spor_label label[], const char *what, spor_message *message) {
    data->label = malloc(bytes_for(data->rows, sizeof *data->label));
    if (!data->label) return message_complain(message, "%s: out of memory", what);
    if (data->class_name) return classify_known(data, label, what, message);
    if (!data->classes || label[0].text) return classify(data, label, what, message);
    for (int64_t k = 0; k < data->rows; k++) data->label[label[k].row] = (int32_t)label[k].number;
    return true;
}

void labels_drop(spor_data *data) {
    for (int k = 0; data->class_name && k < data->classes; k++) free(data->class_name[k]);
    free(data->class_name);
    free(data->label);
    values_free(&data->y);
    data->class_name = NULL;
    data->label = NULL;
    data->classes = 0;
}
