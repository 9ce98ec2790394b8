/*
 * Samples from tables: which column is what, then row by row numbers and labels.
 */
#include "data/csv.h"

#include "base/bytes.h"
#include "base/message.h"
#include "base/shape.h"
#include "data/file.h"
#include "data/labels.h"
#include "data/table.h"
#include "data/values.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* In the order of their rows. */
enum { TRAIN, VALIDATION, TEST, PARTS };

typedef struct reading reading;
/* Takes a field as what its column is. */
typedef bool taker(reading *c, const spor_table *t, const spor_field *f, int64_t place);

typedef struct {
    taker *take;   /* NULL: not said yet */
    int64_t place; /* among the columns of its kind */
} column_use;

struct reading {
    const spor_csv *spec;
    unsigned char *bytes; /* of the first file, until they are taken; NULL: it is to be read */
    size_t size;
    bool again; /* new rows, of a network that was trained */
    spor_message *message;
    spor_table part[PARTS]; /* those without a file have no rows */
    column_use *use;        /* [columns] */
    int64_t inputs, targets, labels;
    spor_label *label; /* [rows] */
    spor_data *data;
    int64_t row;
};

static bool take_input(reading *c, const spor_table *t, const spor_field *f, int64_t place);

/* ---- fields ---- */

static bool drop(reading *c, const spor_table *t, const spor_field *f, int64_t place) {
    (void)c, (void)t, (void)f, (void)place;
    return true;
}

static bool has_name(const spor_table *t, int64_t column) {
    return t->name && *t->name[column];
}

/* "width", or 3 of a column without name, as a script says it. */
static const char *as_said(const spor_table *t, int64_t column, char out[128]) {
    if (has_name(t, column))
        snprintf(out, 128, "\"%.100s\"", t->name[column]);
    else
        snprintf(out, 128, "%" PRId64, column);
    return out;
}

/* No advice here may cost a row. */
static bool complain_missing(const reading *c, const spor_table *t, const spor_field *f) {
    double none;
    char said[128], leave[256] = "";
    spor_message why = {""};
    bool input = c->use[f->column].take == take_input && !c->spec->inputs.count;
    bool ends = f->column && f->last && !f->size && !has_name(t, f->column);
    table_number(t, f, &none, &why);
    as_said(t, f->column, said);
    if (ends)
        snprintf(leave, sizeof leave,
                 "; where all lines end in a separator, drop=[%s] leaves out what seems to be "
                 "behind it, and label= or targets= says what is learned",
                 said);
    else if (input)
        snprintf(leave, sizeof leave, ", or leave the column out with drop=[%s]", said);
    return message_complain(c->message, "%.600s; fill it in%s", why.text, leave);
}

/* True if the only line of a file has no number. */
static bool is_names_alone(const spor_table *t) {
    spor_table_cursor cursor = table_begin(t);
    spor_field f;
    double number;
    if (t->rows != 1 || t->name) return false;
    while (table_next(&cursor, &f))
        if (table_number(t, &f, &number, NULL)) return false;
    return true;
}

/* A text among numbers: names without rows, a slip, or, in the first row, a column that is no input. */
static bool complain_text(const reading *c, const spor_table *t, const spor_field *f) {
    double none;
    char said[128];
    spor_message why = {""};
    bool input = c->use[f->column].take == take_input, first = f->line == t->first_line;
    table_number(t, f, &none, &why);
    as_said(t, f->column, said);
    if (is_names_alone(t))
        return message_complain(
            c->message, "%s: the file has one line, of names as it seems, and no rows", t->path);
    if (memchr(f->text, ',', f->size)) /* a decimal comma has its own advice */
        return message_complain(c->message, "%s", why.text);
    if (!input)
        return message_complain(c->message,
                                "%.800s; targets are numbers: texts are learned with label=%s",
                                why.text, said);
    if (c->again)
        return message_complain(c->message, "%.900s; inputs are numbers: mend it", why.text);
    return message_complain(c->message,
                            "%.700s; inputs are numbers: %s the column out with drop=[%s]%s%s",
                            why.text, first ? "leave" : "mend it, or leave", said,
                            first ? ", or learn it with label=" : "", first ? said : "");
}

static bool take_number(reading *c, const spor_table *t, const spor_field *f, double *to) {
    if (table_is_missing(f)) return complain_missing(c, t, f);
    return table_number(t, f, to, NULL) || complain_text(c, t, f);
}

static bool take_input(reading *c, const spor_table *t, const spor_field *f, int64_t place) {
    return take_number(c, t, f, (double *)c->data->x.value + c->row * c->inputs + place);
}

static bool take_target(reading *c, const spor_table *t, const spor_field *f, int64_t place) {
    return take_number(c, t, f, (double *)c->data->y.value + c->row * c->targets + place);
}

/* A number must be able to be a class. */
static bool check_class(const reading *c, const spor_table *t, const spor_field *f, double number) {
    char text[128];
    int classes = c->spec->classes;
    if (c->spec->class_name) return true;
    if (classes && !labels_hold(number, classes))
        return table_complain(t, f, c->message, "the label %g is not one of 0..%d", number,
                              classes - 1);
    return !(number > floor(number)) ||
           table_complain(t, f, c->message,
                          "the label %g is not a whole number; numbers to predict are said by "
                          "targets=[%s]",
                          number, as_said(t, f->column, text));
}

/* Labels are all numbers or all texts; a text may be NA. */
static bool take_label(reading *c, const spor_table *t, const spor_field *f, int64_t place) {
    static const char *const kinds[] = {"number", "text"};
    char shown[32];
    (void)place;
    spor_label *label = &c->label[c->row];
    label->row = c->row;
    bool numbers = c->row && !c->label->text;
    if (!f->size || (numbers && table_is_missing(f))) return complain_missing(c, t, f);
    bool text = !table_number(t, f, &label->number, NULL), other = !numbers;
    if (c->row && text != other)
        return table_complain(t, f, c->message, "the label %s is a %s where the first one is a %s",
                              table_shown(f, shown), kinds[text], kinds[other]);
    if (!text) return check_class(c, t, f, label->number);
    label->text = table_text(t, f, c->message);
    return label->text != NULL;
}

/* ---- columns ---- */

static bool find_column(const reading *c, const spor_column *column, int64_t *at) {
    const spor_table *t = &c->part[TRAIN];
    *at = column->number < 0 ? column->number + t->columns : column->number;
    if (column->name) return (*at = table_column(t, column->name, c->message)) >= 0;
    return (*at >= 0 && *at < t->columns) ||
           message_complain(c->message,
                            "%s: there is no column %" PRId64 "; they are 0 to %" PRId64
                            ", and -1 is the last one",
                            t->path, column->number, t->columns - 1);
}

static bool use_columns(reading *c, const spor_columns *columns, taker *take, int64_t *count) {
    char text[64];
    for (int k = 0; k < columns->count; k++) {
        int64_t at;
        if (!find_column(c, &columns->column[k], &at)) return false;
        if (c->use[at].take)
            return message_complain(c->message,
                                    "%s: %s can be one thing only: label (the last column if "
                                    "neither label nor targets are said), target, input or dropped",
                                    c->part[TRAIN].path,
                                    table_column_text(&c->part[TRAIN], at, text));
        c->use[at] = (column_use){take, (*count)++};
    }
    return true;
}

/* What is not said is an input, if no inputs are. */
static void use_others(reading *c) {
    for (int64_t k = 0; k < c->part[TRAIN].columns; k++)
        if (!c->use[k].take && c->spec->inputs.count)
            c->use[k].take = drop;
        else if (!c->use[k].take)
            c->use[k] = (column_use){take_input, c->inputs++};
}

static bool check_shape(const reading *c) {
    const spor_shape *sample = &c->spec->sample;
    int64_t wants = sample->rank ? shape_size(sample) : c->inputs;
    if (!c->inputs)
        return message_complain(
            c->message, "%s: no column is left as an input%s", c->part[TRAIN].path,
            c->part[TRAIN].columns > 1 ? ""
                                       : ": the file has one; fields are separated by commas, "
                                         "semicolons or tabs");
    return wants == c->inputs ||
           message_complain(c->message,
                            "%s: a sample should have %" PRId64 " numbers, but there are %" PRId64
                            " columns besides label and targets",
                            c->part[TRAIN].path, wants, c->inputs);
}

static bool is_input(const reading *c, int64_t column) {
    return c->use[column].take == take_input;
}

/* New rows are found by the names of inputs, which can't be told apart if they are equal. */
static bool complain_twice(const reading *c, int64_t one, int64_t other) {
    const spor_table *t = &c->part[TRAIN];
    char leave[96] = "";
    if (is_input(c, one) && is_input(c, other))
        snprintf(leave, sizeof leave, ", or leave both out with drop=[%" PRId64 ", %" PRId64 "]",
                 one, other);
    return message_complain(c->message,
                            "%s: columns %" PRId64 " and %" PRId64
                            ", counted from 0, are both called \"%.100s\", but inputs of new rows "
                            "are found by name: rename one%s",
                            t->path, one, other, t->name[one], leave);
}

static bool check_names(const reading *c) {
    const spor_table *t = &c->part[TRAIN];
    for (int64_t k = 0; t->name && !c->again && k + 1 < t->columns; k++) {
        int64_t one = t->sorted[k] - t->name, other = t->sorted[k + 1] - t->name;
        if (!has_name(t, one) || strcmp(t->name[one], t->name[other]) != 0) continue;
        if (is_input(c, one) || is_input(c, other)) return complain_twice(c, one, other);
    }
    return true;
}

static bool choose_columns(reading *c) {
    static const spor_column last = {.number = -1};
    const spor_csv *spec = c->spec;
    int64_t dropped = 0;
    spor_columns label = spec->label;
    if (!label.count && !spec->targets.count && !spec->unlabelled) label = (spor_columns){1, &last};
    c->use = calloc((size_t)c->part[TRAIN].columns, sizeof *c->use);
    if (!c->use) return message_complain(c->message, "%s: out of memory", spec->path);
    bool done = use_columns(c, &spec->drop, drop, &dropped) &&
                use_columns(c, &label, take_label, &c->labels) &&
                use_columns(c, &spec->targets, take_target, &c->targets) &&
                use_columns(c, &spec->inputs, take_input, &c->inputs);
    if (done) use_others(c);
    if (done && c->labels && c->targets)
        return message_complain(
            c->message, "%s: a label and targets can't both be learned; leave one out", spec->path);
    return done && check_shape(c) && check_names(c);
}

/* ---- files ---- */

/* The columns are those of the first file. */
static bool check_part(const reading *c, const spor_table *t) {
    const spor_table *first = &c->part[TRAIN];
    if (t->columns != first->columns)
        return message_complain(c->message, "%s: has %" PRId64 " columns where %s has %" PRId64,
                                t->path, t->columns, first->path, first->columns);
    for (int64_t k = 0; t->name && first->name && k < t->columns; k++)
        if (strcmp(t->name[k], first->name[k]) != 0)
            return message_complain(c->message,
                                    "%s: the first line has \"%.60s\" for column %" PRId64
                                    ", but that of %s \"%.60s\"",
                                    t->path, t->name[k], k, first->path, first->name[k]);
    return true;
}

static bool read_part(reading *c, int k, const char *path, const spor_table_form *form) {
    unsigned char *bytes = c->bytes;
    c->bytes = NULL;
    return (bytes ? table_take(&c->part[k], path, bytes, c->size, form, c->message)
                  : table_read(&c->part[k], path, form, c->message)) &&
           check_part(c, &c->part[k]);
}

/* A file has names if the first one has. */
static bool read_parts(reading *c) {
    const spor_csv *s = c->spec;
    const char *const paths[PARTS] = {s->path, s->validation_path, s->test_path};
    spor_table_form form = {s->separator, s->decimal, s->header};
    for (int k = 0; k < PARTS; k++) {
        if (!paths[k]) continue;
        if (!read_part(c, k, paths[k], &form)) return false;
        form.header = c->part[TRAIN].name ? 1 : -1;
    }
    return true;
}

static bool read_rows(reading *c, const spor_table *t) {
    spor_table_cursor cursor = table_begin(t);
    spor_field f;
    while (table_next(&cursor, &f)) {
        const column_use *use = &c->use[f.column];
        if (!use->take(c, t, &f, use->place)) return false;
        c->row += f.last;
    }
    return true;
}

/* ---- the data set ---- */

static bool allocate(reading *c) {
    spor_data *d = c->data;
    const spor_csv *s = c->spec;
    *d = (spor_data){.validation_rows = c->part[VALIDATION].rows,
                     .test_rows = c->part[TEST].rows,
                     .scale = fabs(s->scale) > 0 ? s->scale : 1,
                     .classes = c->labels ? s->classes : 0};
    for (int k = 0; k < PARTS; k++) d->rows += c->part[k].rows;
    d->x = (spor_values){.keep = SPOR_KEEP_F64,
                         .shape = s->sample.rank ? s->sample : SPOR_SHAPE(c->inputs)};
    d->y = (spor_values){.keep = SPOR_KEEP_F64, .shape = SPOR_SHAPE(c->targets)};
    file_title(s->path, d->name, sizeof d->name);
    c->label = c->labels ? calloc((size_t)d->rows, sizeof *c->label) : NULL;
    return (values_allocate(&d->x, d->rows) && (!c->labels || c->label) &&
            (!c->targets || values_allocate(&d->y, d->rows))) ||
           message_complain(c->message, "%s: out of memory", s->path);
}

/* x.column and y.column, if the file has names. */
static bool name_columns(const reading *c) {
    const spor_table *t = &c->part[TRAIN];
    spor_data *d = c->data;
    if (!t->name) return true;
    d->x.column = calloc((size_t)c->inputs, sizeof *d->x.column);
    d->y.column = c->targets ? calloc((size_t)c->targets, sizeof *d->y.column) : NULL;
    bool done = d->x.column && (!c->targets || d->y.column);
    for (int64_t k = 0; done && k < t->columns; k++) {
        const column_use *use = &c->use[k];
        char **names = use->take == take_input    ? d->x.column
                       : use->take == take_target ? d->y.column
                                                  : NULL;
        if (names) done = (names[use->place] = strdup(t->name[k])) != NULL;
    }
    return done || message_complain(c->message, "%s: out of memory", t->path);
}

/* "iris.csv: species", for what is wrong with all labels together. */
static bool make_classes(reading *c) {
    const spor_table *t = &c->part[TRAIN];
    char what[512], column[64];
    int64_t at = 0;
    while (c->use[at].take != take_label) at++;
    snprintf(what, sizeof what, "%.400s: %s", t->path, table_column_text(t, at, column));
    if (c->spec->class_name && !labels_name(c->data, c->spec->classes, c->spec->class_name))
        return message_complain(c->message, "%s: out of memory", t->path);
    return labels_classify(c->data, c->label, what, c->message);
}

static bool make(reading *c) {
    c->data = calloc(1, sizeof *c->data);
    if (!c->data) return message_complain(c->message, "%s: out of memory", c->spec->path);
    if (!allocate(c) || !name_columns(c)) return false;
    for (int k = 0; k < PARTS; k++)
        if (c->part[k].rows && !read_rows(c, &c->part[k])) return false;
    return !c->labels || make_classes(c);
}

static void end(reading *c) {
    for (int64_t k = 0; c->label && k < c->data->rows; k++) free(c->label[k].text);
    free(c->label);
    free(c->use);
    for (int k = 0; k < PARTS; k++) table_free(&c->part[k]);
}

/* False if the shape or a number of it can be of no sample. */
static bool makes_sense(const spor_csv *s) {
    const spor_shape *sample = &s->sample;
    int64_t size = 1;
    if (!s->path || s->classes < 0 || s->classes > LABELS_MOST || !isfinite(s->scale)) return false;
    if (sample->rank < 0 || sample->rank >= SPOR_RANK) return false;
    for (int k = 0; k < sample->rank; k++) {
        if (sample->n[k] < 1 || sample->n[k] > INT32_MAX / size) return false;
        size *= sample->n[k];
    }
    return true;
}

spor_data *spor_data_table(const spor_csv *spec, spor_message *message) {
    return message_given(message, spec, "the table") ? csv_read(spec, NULL, 0, message) : NULL;
}

spor_data *csv_read(const spor_csv *spec, unsigned char *bytes, size_t size,
                    spor_message *message) {
    reading c = {.spec = spec, .bytes = bytes, .size = size, .again = bytes, .message = message};
    if (!makes_sense(spec)) {
        message_complain(message,
                         "%s: the sample's shape, the number of classes (%d) or the scale (%g) "
                         "makes no sense",
                         spec->path ? spec->path : "a table", spec->classes, spec->scale);
        free(bytes);
        return NULL;
    }
    bool done = read_parts(&c) && choose_columns(&c) && make(&c);
    end(&c);
    if (done) return c.data;
    spor_data_free(c.data);
    return NULL;
}

spor_data *spor_data_csv(const char *path, spor_shape sample, int classes, double scale,
                         spor_message *message) {
    const spor_csv spec = {
        .path = path, .sample = sample, .classes = classes > 0 ? classes : -1, .scale = scale};
    return spor_data_table(&spec, message);
}
