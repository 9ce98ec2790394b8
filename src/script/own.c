/*
 * Data of one's own: what csv(...) says of its files. Nothing is read here: commands read.
 */
#include "script/private.h"

#include "base/message.h"
#include "base/shape.h"
#include "data/arrays.h"
#include "data/file.h"
#include "data/like.h"
#include "data/npz.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- arguments ---- */

static const char *file_name(const spor_given *g, int k) {
    const char *name = given_string(g, k, NULL);
    if (name && !*name) pass_fail(g->run, g->at[k], "%s is empty", given_what(g, k));
    return name;
}

/* One of two words that may be left out: 0, 1 or 2. */
static int word(const spor_given *g, int k, const char *one, const char *other) {
    const spor_value *v = g->arg[k];
    if (!v) return 0;
    bool said = v->kind == VALUE_STRING;
    if (said && strcmp(v->s, one) == 0) return 1;
    if (said && other && strcmp(v->s, other) == 0) return 2;
    const char *is = said ? ground_take_format(&g->run->ground, "\"%.40s\"", v->s)
                          : value_describe(&g->run->ground, v);
    pass_fail(g->run, g->at[k], "%s must be \"%s\"%s%s%s but is %s", given_what(g, k), one,
              other ? " or \"" : "", other ? other : "", other ? "\"" : "", is);
}

static spor_column column(const spor_given *g, int k, const spor_value *v) {
    if (v->kind == VALUE_STRING) return (spor_column){.name = v->s};
    if (v->kind == VALUE_INT) return (spor_column){.number = v->i};
    pass_fail(
        g->run, g->at[k],
        "%s: a column is known by its name or its number, from 0, or -1 for the last; this is "
        "%s",
        given_what(g, k), value_describe(&g->run->ground, v));
}

/* A column, or a list of them. */
static spor_columns columns(const spor_given *g, int k) {
    const spor_value *v = g->arg[k];
    if (!v) return (spor_columns){0};
    bool list = v->kind == VALUE_LIST;
    int n = list ? v->list.n : 1;
    if (!n) pass_fail(g->run, g->at[k], "%s: the list is empty", given_what(g, k));
    spor_column *made = ground_take(&g->run->ground, (size_t)n, sizeof *made);
    for (int i = 0; i < n; i++) made[i] = column(g, k, list ? &v->list.item[i] : v);
    return (spor_columns){n, made};
}

/* False says that there is none. */
static spor_columns label(const spor_given *g, int k, bool *none) {
    const spor_value *v = g->arg[k];
    *none = v && v->kind == VALUE_BOOL && !v->b;
    if (*none) return (spor_columns){0};
    if (v && v->kind == VALUE_LIST)
        pass_fail(g->run, g->at[k],
                  "%s is one column; numbers to predict are said by targets=", given_what(g, k));
    return columns(g, k);
}

static spor_shape sample(const spor_given *g, int k) {
    if (!g->arg[k]) return (spor_shape){0};
    spor_shape shape = want_shape(g->run, g->at[k], given_what(g, k), g->arg[k]);
    int64_t size = 1;
    if (shape.rank < 1 || shape.rank >= SPOR_RANK)
        pass_fail(g->run, g->at[k], "%s of a sample has 1 to %d axes", given_what(g, k),
                  SPOR_RANK - 1);
    for (int axis = 0; axis < shape.rank; axis++)
        if (shape.n[axis] < 1 || __builtin_mul_overflow(size, shape.n[axis], &size) || size >> 31)
            pass_fail(g->run, g->at[k], "%s must be sizes of at least 1, together less than 2^31",
                      given_what(g, k));
    return shape;
}

static int classes(const spor_given *g, int k) {
    int64_t n = given_int(g, k, 0);
    if (g->arg[k] && (n < 2 || n > 1 << 20))
        pass_fail(g->run, g->at[k], "%s must be 2 to 2^20 but is %" PRId64, given_what(g, k), n);
    return (int)n;
}

double given_scale(const spor_given *g, int k, double otherwise) {
    double factor = given_real(g, k, otherwise);
    if (!isfinite(factor) || !(factor < 0 || factor > 0))
        pass_fail(g->run, g->at[k], "%s must be a number other than 0", given_what(g, k));
    return factor;
}

/* ---- what train(...) takes ---- */

static spor_own_data *own_data(const spor_given *g, const void *said) {
    spor_own_data *own = ground_take(&g->run->ground, 1, sizeof *own);
    own->said = said;
    own->source = g->place.source->file;
    own->line = g->place.line;
    own->column = g->place.column;
    return own;
}

static spor_value data_of(const spor_given *g, const spor_own_data *own) {
    spor_value v = declare_part(g, VALUE_DATA);
    v.declared->data = g->builtin->name;
    v.declared->own = own;
    return v;
}

/* ---- csv ---- */

/* What is wrong with a file that may be no table would tell what it says to who only ran a script. */
static spor_data *hide_others(const char *const file[], spor_message *message) {
    static const char *const endings[] = {".csv",  ".tsv",  ".tab",   ".txt", ".dat",
                                          ".data", ".test", ".train", ".gz",  NULL};
    for (int k = 0; k < 3; k++)
        if (file[k] && !access(file[k], R_OK) && !file_leads_to(file[k], endings))
            message_complain(
                message,
                "%.400s: is no table that can be read as the script says, which a spreadsheet "
                "(.xlsx, .ods) becomes when it is saved as CSV; what else is wrong is shown of "
                "files that end in .csv, .tsv, .txt or .data",
                file[k]);
    return NULL;
}

static spor_data *read_csv(const void *said, const char *const file[], const spor_data *like,
                           spor_message *message) {
    spor_csv csv = *(const spor_csv *)said;
    spor_column *input = NULL;
    csv.path = file[0];
    csv.validation_path = file[1];
    csv.test_path = file[2];
    if (like) {
        csv.sample = like->x.shape;
        csv.classes = like->classes;
        csv.class_name = like->class_name;
    }
    if (like && like->x.column && !csv.inputs.count) {
        if (!(input = like_inputs(like, true)))
            return message_complain(message, "out of memory"), NULL;
        csv.inputs = (spor_columns){(int)shape_size(&like->x.shape), input};
    }
    /* what is no input is not looked at, and need not be there */
    if (like && csv.inputs.count) csv.drop = (spor_columns){0};
    spor_data *data = spor_data_table(&csv, message);
    free(input);
    return data || like ? data : hide_others(file, message);
}

/* ";" for semicolons; a tab has no escape in a string. */
static char separator(const spor_given *g, int k) {
    static const struct {
        const char *word;
        char separator;
    } words[] = {{",", ','}, {";", ';'}, {"tab", '\t'}};
    const char *given = given_string(g, k, NULL);
    for (int i = 0; given && i < 3; i++)
        if (strcmp(words[i].word, given) == 0) return words[i].separator;
    if (given)
        pass_fail(g->run, g->at[k], "%s must be \",\", \";\" or \"tab\" but is \"%.40s\"",
                  given_what(g, k), given);
    return 0;
}

enum {
    PATH,
    SHAPE,
    CLASSES,
    SCALE,
    LABEL,
    TARGETS,
    INPUTS,
    DROP,
    HEADER,
    SEPARATOR,
    DECIMAL,
    VALIDATION,
    TEST,
    STANDARDIZE
};

static void check_columns(const spor_given *g, const spor_csv *csv) {
    if (csv->targets.count && (csv->label.count || csv->classes))
        pass_fail(g->run, g->at[TARGETS],
                  "csv: targets are numbers to predict; there is no label "
                  "and there are no classes beside them");
    if (csv->unlabelled && (csv->targets.count || csv->classes))
        pass_fail(g->run, g->at[LABEL], "csv: label=False says that there is nothing to predict");
}

/* What the files must not be read for. */
static void declare_shapes(spor_declaration *d, const spor_csv *csv) {
    d->sample = csv->sample;
    d->classes = csv->classes;
    d->scale = csv->scale;
    if (!d->sample.rank && csv->inputs.count) d->sample = SPOR_SHAPE(csv->inputs.count);
    if (csv->targets.count) d->y = SPOR_SHAPE(csv->targets.count);
}

static const spor_table_form *form_of(const spor_given *g, const spor_csv *csv) {
    spor_table_form *form = ground_take(&g->run->ground, 1, sizeof *form);
    *form = (spor_table_form){.separator = csv->separator, .decimal = csv->decimal};
    return form;
}

spor_value own_csv(const spor_given *g) {
    spor_csv *csv = ground_take(&g->run->ground, 1, sizeof *csv);
    bool unlabelled;
    *csv = (spor_csv){.sample = sample(g, SHAPE),
                      .classes = classes(g, CLASSES),
                      .scale = given_scale(g, SCALE, 1),
                      .label = label(g, LABEL, &unlabelled),
                      .targets = columns(g, TARGETS),
                      .inputs = columns(g, INPUTS),
                      .drop = columns(g, DROP),
                      .header = g->arg[HEADER] ? given_bool(g, HEADER, false) ? 1 : -1 : 0,
                      .separator = separator(g, SEPARATOR),
                      .decimal = word(g, DECIMAL, ".", ",") == 2 ? ',' : 0};
    csv->unlabelled = unlabelled;
    check_columns(g, csv);
    spor_own_data *own = own_data(g, csv);
    own->form = form_of(g, csv);
    own->read = read_csv;
    own->unlabelled = unlabelled;
    own->standardize = word(g, STANDARDIZE, "train", NULL) != 0;
    own->file[0] = file_name(g, PATH);
    own->file[1] = file_name(g, VALIDATION);
    own->file[2] = file_name(g, TEST);
    spor_value v = data_of(g, own);
    declare_shapes(v.declared, csv);
    return v;
}

/* ---- arrays ---- */

/* Of spor_own_data. */
typedef spor_data *own_reader(const void *said, const char *const file[], const spor_data *like,
                              spor_message *message);

/* What is said, of these files; where like is given, so that they fit these data. */
static array_files arrays_of(const void *said, const char *const file[], const spor_data *like) {
    array_files arrays = *(const array_files *)said;
    if (like) {
        arrays.sample = like->x.shape;
        arrays.classes = like->classes;
        arrays.class_name = like->class_name;
        arrays.targets = !like->classes;
    }
    for (int part = 0; part < ARRAYS_PARTS; part++) {
        arrays.x[part] = file[2 * part];
        arrays.y[part] = file[2 * part + 1];
    }
    return arrays;
}

static spor_data *read_arrays(const void *said, const char *const file[], const spor_data *like,
                              spor_message *message) {
    array_files arrays = arrays_of(said, file, like);
    return arrays_read(&arrays, message);
}

static spor_data *read_npz(const void *said, const char *const file[], const spor_data *like,
                           spor_message *message) {
    array_files arrays = arrays_of(said, file, like);
    return npz_data(&arrays, message);
}

/* What all formats have in common, from the argument `at` on. */
static spor_value arrays_value(const spor_given *g, int at, array_files *arrays,
                               spor_own_data *own) {
    enum { ARRAY_SHAPE, ARRAY_CLASSES, ARRAY_SCALE, ARRAY_TARGETS, ARRAY_STANDARDIZE };
    arrays->sample = sample(g, at + ARRAY_SHAPE);
    arrays->classes = classes(g, at + ARRAY_CLASSES);
    arrays->scale = given_scale(g, at + ARRAY_SCALE, 1);
    arrays->targets = given_bool(g, at + ARRAY_TARGETS, false);
    if (arrays->classes && arrays->targets)
        pass_fail(g->run, g->at[at + ARRAY_TARGETS],
                  "%s: targets=True says that y are numbers to predict; they have no classes",
                  g->builtin->name);
    own->read = read_arrays;
    own->targets = own->file[1] ? 1 : 0;
    own->unlabelled = !own->file[1];
    own->standardize = word(g, at + ARRAY_STANDARDIZE, "train", NULL) != 0;
    spor_value v = data_of(g, own);
    v.declared->sample = arrays->sample;
    v.declared->classes = arrays->classes;
    v.declared->scale = arrays->scale;
    return v;
}

/* A file for each array; a part has x, and y if the training rows have one. */
static spor_value own_arrays(const spor_given *g, arrays_reader *reader) {
    enum { X, Y, COMMON, VALIDATION_X = COMMON + SPOR_OWN_COMMON, VALIDATION_Y, TEST_X, TEST_Y };
    static const int at[SPOR_OWN_FILES] = {X, Y, VALIDATION_X, VALIDATION_Y, TEST_X, TEST_Y};
    array_files *arrays = ground_take(&g->run->ground, 1, sizeof *arrays);
    spor_own_data *own = own_data(g, arrays);
    arrays->read = reader;
    for (int k = 0; k < SPOR_OWN_FILES; k++) own->file[k] = file_name(g, at[k]);
    for (int k = 2; k < SPOR_OWN_FILES; k += 2) {
        bool x = own->file[k] != NULL, y = own->file[k + 1] != NULL;
        if (y != (x && own->file[1]))
            pass_fail(g->run, g->at[at[y ? k + 1 : k]], "%s and %s are given together, and with y",
                      given_what(g, at[k]), given_what(g, at[k + 1]));
    }
    return arrays_value(g, COMMON, arrays, own);
}

spor_value own_npy(const spor_given *g) {
    return own_arrays(g, arrays_npy);
}

spor_value own_idx(const spor_given *g) {
    return own_arrays(g, arrays_idx);
}

/* A file has x and y as variables, which are called so if nothing is said; has: what is said of it so far. */
static spor_value own_variables(const spor_given *g, const array_files *has, own_reader *read) {
    enum { FILE_NAME, X, Y, COMMON, VALIDATION_FILE = COMMON + SPOR_OWN_COMMON, TEST_FILE };
    static const int at[ARRAYS_PARTS] = {FILE_NAME, VALIDATION_FILE, TEST_FILE};
    array_files *arrays = ground_take(&g->run->ground, 1, sizeof *arrays);
    spor_own_data *own = own_data(g, arrays);
    bool unlabelled = g->arg[Y] && g->arg[Y]->kind == VALUE_BOOL && !g->arg[Y]->b;
    *arrays = *has;
    for (int k = 0; k < ARRAYS_PARTS; k++) {
        arrays->x_name[k] = given_string(g, X, has->x_name[ARRAYS_TRAIN]);
        arrays->y_name[k] = unlabelled ? NULL : given_string(g, Y, has->y_name[ARRAYS_TRAIN]);
        own->file[2 * k] = file_name(g, at[k]);
        own->file[2 * k + 1] = unlabelled ? NULL : own->file[2 * k];
    }
    spor_value v = arrays_value(g, COMMON, arrays, own);
    own->read = read;
    return v;
}

spor_value own_mat(const spor_given *g) {
    const array_files has = {.read = arrays_mat, .x_name = {"X"}, .y_name = {"y"}};
    return own_variables(g, &has, read_arrays);
}

/* Names that are not said are found in the file. */
spor_value own_npz(const spor_given *g) {
    const array_files has = {.read = arrays_npz};
    return own_variables(g, &has, read_npz);
}
