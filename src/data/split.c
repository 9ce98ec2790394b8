/*
 * Splits: each class gives each part its share, and keeps a row for training. Rows whose targets are
 * numbers are of one class. What has files of its own is not drawn from, nor drawn.
 */
#include "base/message.h"
#include "base/random.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <spor/data.h>

enum { TRAIN, VALIDATION, TEST, PARTS };

typedef struct {
    int classes;
    int64_t *size;       /* [classes] rows of the class that have no part yet */
    int64_t *first;      /* [classes] where the class begins in order */
    int64_t *quota;      /* [classes] */
    int64_t *order;      /* [rows] row numbers, class by class, shuffled within the class */
    unsigned char *part; /* [rows] */
} strata;

static void strata_free(strata *s) {
    free(s->size);
    free(s->first);
    free(s->quota);
    free(s->order);
    free(s->part);
}

static bool strata_allocate(strata *s, size_t classes, size_t rows) {
    s->size = calloc(classes, sizeof *s->size);
    s->first = calloc(classes, sizeof *s->first);
    s->quota = calloc(classes, sizeof *s->quota);
    s->order = calloc(rows, sizeof *s->order);
    s->part = calloc(rows, sizeof *s->part);
    return s->size && s->first && s->quota && s->order && s->part;
}

static int class_of(const spor_data *data, int64_t row) {
    return data->label ? data->label[row] : 0;
}

/* Rows that have no file which says their part; they come first. */
static int64_t open_rows(const spor_data *data) {
    return data->rows - data->validation_rows - data->test_rows;
}

/* Gives what has a file of its own its part, and deals the other rows in a random order into their
 * classes. */
static bool strata_make(strata *s, const spor_data *data, uint64_t seed) {
    *s = (strata){.classes = data->label ? data->classes : 1};
    int64_t rows = open_rows(data), test = data->rows - data->test_rows;
    int64_t *deck = calloc((size_t)rows, sizeof *deck);
    if (!deck || !strata_allocate(s, (size_t)s->classes, (size_t)data->rows)) {
        free(deck);
        return false;
    }
    for (int64_t r = rows; r < data->rows; r++) s->part[r] = r < test ? VALIDATION : TEST;
    random_shuffle(seed, rows, deck);
    for (int64_t r = 0; r < rows; r++) s->size[class_of(data, r)]++;
    for (int c = 1; c < s->classes; c++) s->first[c] = s->first[c - 1] + s->size[c - 1];
    for (int64_t r = 0; r < rows; r++) s->order[s->first[class_of(data, deck[r])]++] = deck[r];
    for (int c = 0; c < s->classes; c++) s->first[c] -= s->size[c];
    free(deck);
    return true;
}

/* The class whose quota lies furthest below its exact share and that can give one more. */
static int neediest(const strata *s, double share) {
    int best = -1;
    double most = 0;
    for (int c = 0; c < s->classes; c++) {
        double lack = share * (double)s->size[c] - (double)s->quota[c];
        if (s->quota[c] + 1 < s->size[c] && (best < 0 || lack > most)) {
            best = c;
            most = lack;
        }
    }
    return best;
}

/* total rows over the classes in proportion (largest remainders); each keeps at least one. */
static void apportion(strata *s, int64_t total, double share) {
    int64_t given = 0;
    for (int c = 0; c < s->classes; c++) {
        s->quota[c] = (int64_t)(share * (double)s->size[c]);
        if (s->quota[c] >= s->size[c]) s->quota[c] = s->size[c] > 0 ? s->size[c] - 1 : 0;
        given += s->quota[c];
    }
    for (int c; given < total && (c = neediest(s, share)) >= 0; given++) s->quota[c]++;
}

/* Gives a share of the rows without part, rounded up, to one part. Returns their number. */
static int64_t give(strata *s, int part, double share) {
    const double rounding = 1e-9; /* of the share: 0.1 of 30 rows is 3, not 4 */
    int64_t rows = 0, given = 0;
    for (int c = 0; c < s->classes; c++) rows += s->size[c];
    int64_t total = (int64_t)ceil(share * (double)rows - rounding);
    apportion(s, total, share);
    for (int c = 0; c < s->classes; c++) {
        for (int64_t k = 0; k < s->quota[c]; k++)
            s->part[s->order[s->first[c] + k]] = (unsigned char)part;
        s->first[c] += s->quota[c];
        s->size[c] -= s->quota[c];
        given += s->quota[c];
    }
    return given;
}

/* The rows of one part in increasing order. */
static bool collect(const strata *s, int64_t rows, int part, int64_t **list, int64_t *count) {
    *count = 0;
    for (int64_t r = 0; r < rows; r++) *count += s->part[r] == part;
    *list = malloc((size_t)(*count ? *count : 1) * sizeof **list);
    if (!*list) return false;
    int64_t k = 0;
    for (int64_t r = 0; r < rows; r++)
        if (s->part[r] == part) (*list)[k++] = r;
    return true;
}

static bool share_is_empty(const char *part, double share, int64_t given, int64_t rows,
                           spor_message *message) {
    if (!(share > 0) || given > 0) return false;
    message_complain(message,
                     "a %s share of %g of %" PRId64
                     " rows leaves the part empty: each class keeps one "
                     "row for training",
                     part, share, rows);
    return true;
}

static bool split_rows(strata *s, const spor_data *data, double test_share, double validation_share,
                       spor_split *split, spor_message *message) {
    int64_t rows = open_rows(data);
    if (data->test_rows) test_share = 0;
    if (data->validation_rows) validation_share = 0;
    int64_t test = give(s, TEST, test_share), validation = give(s, VALIDATION, validation_share);
    if (share_is_empty("test", test_share, test, rows, message) ||
        share_is_empty("validation", validation_share, validation, rows - test, message))
        return false;
    return (collect(s, data->rows, TRAIN, &split->train, &split->train_rows) &&
            collect(s, data->rows, VALIDATION, &split->validation, &split->validation_rows) &&
            collect(s, data->rows, TEST, &split->test, &split->test_rows)) ||
           message_complain(message, "out of memory for a split of %" PRId64 " rows", data->rows);
}

void spor_split_free(spor_split *split) {
    if (!split) return;
    free(split->train);
    free(split->validation);
    free(split->test);
    *split = (spor_split){0};
}

static bool check_shares(double test_share, double validation_share, spor_message *message) {
    if (test_share >= 0 && test_share < 1 && validation_share >= 0 && validation_share < 1)
        return true;
    return message_complain(message,
                            "the shares of test (%g) and validation (%g) must be at least "
                            "0 and below 1",
                            test_share, validation_share);
}

static bool check_rows(const spor_data *data, spor_message *message) {
    if (!data || data->rows < 1 || (data->label && data->classes < 1))
        return message_complain(message, "there are no rows to split, or they have no classes");
    if (data->validation_rows < 0 || data->test_rows < 0 || open_rows(data) < 1)
        return message_complain(message,
                                "no rows are left to train with: of %" PRId64 ", %" PRId64
                                " validate and %" PRId64 " test",
                                data->rows, data->validation_rows, data->test_rows);
    for (int64_t r = 0; data->label && r < data->rows; r++)
        if (data->label[r] < 0 || data->label[r] >= data->classes)
            return message_complain(message, "row %" PRId64 " has label %d; there are %d classes",
                                    r, (int)data->label[r], data->classes);
    return true;
}

bool spor_split_draw(const spor_data *data, double test_share, double validation_share,
                     uint64_t seed, spor_split *split, spor_message *message) {
    if (!message_given(message, split, "the room for a split")) return false;
    *split = (spor_split){0};
    if (!check_shares(test_share, validation_share, message) || !check_rows(data, message))
        return false;
    strata s;
    bool done = strata_make(&s, data, seed)
                    ? split_rows(&s, data, test_share, validation_share, split, message)
                    : message_complain(message, "out of memory for a split of %" PRId64 " rows",
                                       data->rows);
    strata_free(&s);
    if (!done) spor_split_free(split);
    return done;
}
